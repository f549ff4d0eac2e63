"""The rules of the procedures that look across fields, one function per rule id.

Each takes a form and a record's values and gives problems at the fields they are about. They judge
a *completed* form: a half-filled form can always be saved. Sources: the agency procedures, as
numbered in the domain notes; which rules a form follows stands in its definition (`rules`).
"""

from collections.abc import Callable, Iterator, Mapping
from typing import Final

from formsvc.casework.conference_rules import r28, r29, r30, r32
from formsvc.errors import Refused
from formsvc.model.form import Form, Group
from formsvc.model.kinds import Choice, Lang, LongText
from formsvc.model.record import Problem, Row, Values, problem

Rule = Callable[[Form, Values], Iterator[Problem]]
_NEEDS: Final = ("immediate_need", "support_needed")
_ACTION: Final = ("follow_up_action", "responsible", "target_date")
_ACTIONS: Final = ("follow_up_action", "action")
_WRITTEN: Final = ("strengths", "discussion_points", "follow_up_action", "updated_strategy")


def judge(form: Form, values: Values) -> tuple[Problem, ...]:
    """Every problem the form's own rules find."""
    return tuple(found for rule in form.rules for found in _rule(form, rule)(form, values))


def _rule(form: Form, name: str) -> Rule:
    if name not in RULES:
        raise Refused("definition-invalid", f"{form.id.name}/v{form.id.version}/form.toml", detail=f"“{name}” is no rule; the rules are: {', '.join(RULES)}")
    return RULES[name]


def _rows(values: Values, group: str) -> Iterator[tuple[str, Row]]:
    """The rows of a group that have any content, with the start of their keys."""
    rows = values.get(group)
    for number, row in enumerate(rows if isinstance(rows, list) else ()):
        if isinstance(row, dict) and row:
            yield f"{group}-{number}-", row


def _text(row: Mapping[str, object], name: str) -> str:
    value = row.get(name)
    return value.strip() if isinstance(value, str) else ""


def _has_content(row: Row) -> bool:
    return any(_text(row, name) for name in _WRITTEN) or bool(row.get("areas"))


def _needs(row: Row) -> list[str]:
    return [name for name in _NEEDS if row.get(name)] + (["need"] if row.get("need") else [])


def r3(_form: Form, values: Values) -> Iterator[Problem]:
    """At the first conference every child is discussed, briefly: each row has content."""
    if not values.get("first_conference"):
        return
    for key, row in _rows(values, "children"):
        if not _has_content(row):
            yield problem("first-conference-row-empty", f"{key}discussion_points", "error")


def r4(_form: Form, values: Values) -> Iterator[Problem]:
    """A child new since the last conference is discussed: No Discussion Points is refused."""
    for key, row in _rows(values, "children"):
        if row.get("new") and (row.get("no_discussion_points") or not _has_content(row)):
            yield problem("new-child-not-discussed", f"{key}no_discussion_points", "error")


def r5(_form: Form, values: Values) -> Iterator[Problem]:
    """Every child has exactly one outcome: no discussion points, discussed, support or immediate need."""
    for key, row in _rows(values, "children"):
        marked = [name for name in ("no_discussion_points", *_NEEDS) if row.get(name)]
        if len(marked) > 1:
            yield problem("two-dispositions", f"{key}{marked[1]}", "error")
        elif not marked and not _has_content(row):
            yield problem("no-disposition", f"{key}no_discussion_points", "error")


def r6(form: Form, values: Values) -> Iterator[Problem]:
    """A need has at least one follow-up action with a responsible person and a target date."""
    group = form.group("children")
    for key, row in _rows(values, "children"):
        missing = [name for name in _ACTION if not _text(row, name)]
        if missing and (needs := _needs(row)):
            yield problem("need-without-action", f"{key}{needs[0]}", "error", missing=", ".join(_label(group, name) for name in missing))


def r7(form: Form, values: Values) -> Iterator[Problem]:
    """No Discussion Points excludes need ticks and discussion text."""
    group = form.group("children")
    for key, row in _rows(values, "children"):
        if row.get("no_discussion_points") and group:
            content = _needs(row) + [name for name in _WRITTEN if _text(row, name)] + (["areas"] if row.get("areas") else [])
            if content:
                yield problem("no-discussion-with-content", f"{key}no_discussion_points", "error", content=", ".join(_short(group, name) for name in content))


def _label(group: Group | None, name: str) -> str:
    return next((ask.label.en.lower() for ask in (group.asks if group else ()) if ask.name == name), name)


def _short(group: Group, name: str) -> str:
    return next((ask.short.en.lower() for ask in group.asks if ask.name == name), name)


def r9(form: Form, values: Values) -> Iterator[Problem]:
    """Every action names a responsible team member."""
    for group in form.groups:
        action = next((ask.name for ask in group.asks if ask.name in _ACTIONS and isinstance(ask.kind, LongText)), "")
        for key, row in _rows(values, group.name):
            if _text(row, action) and not _text(row, "responsible"):
                yield problem("action-without-responsible", f"{key}responsible", "error")


def r13(form: Form, values: Values) -> Iterator[Problem]:
    """Mandated roles are present; a missing one is a warning with a reason, not a refusal."""
    present = {row.get("role") for _, row in _rows(values, "attendance") if row.get("present")}
    for role in form.mandated:
        if role not in present:
            yield problem("mandated-role-missing", "attendance", "warning", role=role_label(form, role, "en"))


def role_label(form: Form, role: str, lang: Lang) -> str:
    """A role in words, as the form's attendance lists it."""
    group = form.group("attendance")
    kinds = [ask.kind for ask in group.asks if ask.name == "role"] if group else []
    options = kinds[0].options if kinds and isinstance(kinds[0], Choice) else ()
    return next((option.label.said(lang) for option in options if option.code == role), role)


def r14(form: Form, values: Values) -> Iterator[Problem]:
    """Everyone marked present signs: signatures are the attendees present."""
    group = form.group("attendance")
    if group is None or not any(ask.name == "signature" for ask in group.asks):
        return
    for key, row in _rows(values, "attendance"):
        signed = bool(_text(row, "signature"))
        if row.get("present") and not signed:
            yield problem("present-without-signature", f"{key}signature", "warning")
        elif signed and not row.get("present"):
            yield problem("signature-without-presence", f"{key}present", "warning")


RULES: Final[Mapping[str, Rule]] = {"R3": r3, "R4": r4, "R5": r5, "R6": r6, "R7": r7, "R9": r9, "R13": r13, "R14": r14, "R28": r28, "R29": r29, "R30": r30, "R32": r32}
