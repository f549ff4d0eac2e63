"""Follow-up actions: born in one sheet, told on in later ones, folded together in the order of the months.

An action is never stored as somebody's last word. It is the sum of what each sheet says about it, month
by month, so that the order in which papers come back does not matter and a skipped month loses nothing.
"""

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

from formsvc.casework.cells import split_cell
from formsvc.casework.reconcile import Answered
from formsvc.model.stamp import ALPHABET
from formsvc.model.values import plain

Facts = Mapping[str, Answered]
"""What is known of an action, by the names of the case-management form; None where something was taken away."""
OPEN_STATUS: Final = ("", "open", "in_progress", "continued")
_LENGTH: Final = 8
_ORDER: Final = {"worksheet": 0, "fcch": 1, "case-management": 2}
_GROUPS: Final = {"worksheet": "children", "fcch": "children", "case-management": "actions"}
_FROM_CHILDREN: Final[Mapping[str, str]] = {
    "discussion_points": "discussion_points",
    "follow_up_action": "follow_up_action",
    "updated_strategy": "strategy",
    "responsible": "responsible",
    "target_date": "target_date",
    "parent_date": "parent_date",
    "referral_to": "referral_agency",
    "status": "status",
    "home": "home",
}
_FROM_ACTIONS: Final = (
    "need", "discussion_points", "follow_up_action", "action_kind", "referral_agency", "responsible", "responsible_role", "target_date",
    "parent_involved", "parent_date", "parent_how", "status", "status_date", "outcome", "carry",
)  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """What one sheet says about one action."""

    action: str
    row: str
    children: tuple[int, ...]
    facts: Facts
    born: bool
    """Whether the action was first written here."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """What a sheet of a month told about an action, as it is kept."""

    month: str
    form: str
    sheet: int
    facts: Facts


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """An action as it stands after all that was told."""

    opened: str
    latest: str
    facts: Mapping[str, str | int | float | bool | list[str]] = field(default_factory=dict)

    @property
    def open(self) -> bool:
        """Whether it goes on: not completed, or completed without success and to be carried (R10)."""
        return bool(self.text) and goes_on(str(self.facts.get("status", "")), carry=bool(self.facts.get("carry")))

    @property
    def text(self) -> str:
        """What is to be done now: the updated strategy, or the action as it was written."""
        return str(self.facts.get("strategy") or self.facts.get("follow_up_action") or "")


def goes_on(status: str, *, carry: bool) -> bool:
    """Whether an action with that status is not ended."""
    return status in OPEN_STATUS or (status == "not_met" and carry)


def action_of(sheet: int, row: str) -> str:
    """The id of the action born in a row of a sheet: the same however often and in which order copies come."""
    number = int.from_bytes(hashlib.sha256(f"{sheet}\0{row}".encode()).digest()[:5], "big")
    digits = "".join(ALPHABET[number >> (5 * place) & 31] for place in range(_LENGTH))
    return f"A{digits[:4]}-{digits[4:]}"


def fold(events: Iterable[Event]) -> Standing:
    """An action's standing: later months over earlier ones, within a month the follow-up form over the worksheet."""
    ordered = sorted(events, key=lambda event: (event.month, _ORDER.get(event.form, 0), str(event.facts.get("status_date") or ""), event.sheet))
    facts: dict[str, str | int | float | bool | list[str]] = {}
    for event in ordered:
        for name in _overtaken(event.facts):
            facts.pop(name, None)
        for name, value in event.facts.items():
            if value is None:
                facts.pop(name, None)
            else:
                facts[name] = value
    return Standing(opened=ordered[0].month, latest=ordered[-1].month, facts=facts)


def _overtaken(facts: Facts) -> tuple[str, ...]:
    """What an earlier month said that a later one's words make void: a new status its old outcome, a new action an old strategy."""
    status = ("carry", "status_date", "outcome") if facts.get("status") else ()
    return (*status, "strategy") if facts.get("follow_up_action") else status


def row_edits(form: str, edited: Mapping[str, Answered]) -> dict[str, dict[str, Answered]]:
    """What was written on a sheet, by row of the group that holds its actions."""
    rows: dict[str, dict[str, Answered]] = {}
    for cell, value in edited.items():
        group, row, name = split_cell(cell)
        if group == _GROUPS.get(form):
            rows.setdefault(row, {})[name] = value
    return rows


def told(form: str, sheet: int, edited: Mapping[str, Answered], child_of: Mapping[str, int], siblings: Mapping[int, str]) -> tuple[Told, ...]:
    """What a sheet says about actions, from what was written on it.

    `child_of` gives the child of a row where it is known, `siblings` the family of a child.
    """
    rows = row_edits(form, edited)
    found = [_told(form, sheet, row, facts, child_of.get(row)) for row, facts in sorted(rows.items())]
    kept = [one for one in found if one is not None]
    return _joined(kept, siblings) if form == "worksheet" else tuple(kept)


def _told(form: str, sheet: int, row: str, written: Facts, child: int | None) -> Told | None:
    facts: dict[str, Answered] = {name: written[name] for name in _FROM_ACTIONS if name in written} if form == "case-management" else _child_facts(written)
    if not facts:
        return None
    carried = row.startswith("a")
    if not carried and not facts.get("follow_up_action"):
        return None  # a discussion without an action: rule R6 asks for one where there is a need
    action = row[1:] if carried else action_of(sheet, row)
    if child is None and not carried:  # nobody knows who it is: the name goes along as it was written
        facts |= {name: written[name] for name in ("child_name", "child_id") if name in written}
    return Told(action=action, row=row, children=(child,) if child is not None else (), facts=facts, born=not carried)


def _child_facts(written: Facts) -> dict[str, Answered]:
    """A child's row in the words of the follow-up form."""
    facts: dict[str, Answered] = {theirs: written[ours] for ours, theirs in _FROM_CHILDREN.items() if ours in written}
    facts.update(_need(written))
    if "parent_informed" in written or "parent_included" in written:
        facts["parent_involved"] = "yes" if written.get("parent_informed") or written.get("parent_included") else None
    if kind := _kind(written):
        facts["action_kind"] = kind
    if "need_met" in written and not written.get("status"):
        facts["status"] = {"yes": "met", "no": "continued"}.get(str(written["need_met"]))
    return facts


def _need(written: Facts) -> dict[str, Answered]:
    if "immediate_need" not in written and "support_needed" not in written:
        return {}
    return {"need": "immediate" if written.get("immediate_need") else "support" if written.get("support_needed") else None}


def _kind(written: Facts) -> str:
    if written.get("success_team"):
        return "success_team"
    if written.get("referral_to"):
        return "referral"
    return "consultant" if any(name.startswith("consultant-") and value for name, value in written.items()) else ""


def _joined(found: Sequence[Told], siblings: Mapping[int, str]) -> tuple[Told, ...]:
    """Siblings with the same action, person and date have one action for both of them."""
    joined: dict[object, Told] = {}
    for one in found:
        family = siblings.get(one.children[0], "") if one.children else ""
        same = (family, *(plain(str(one.facts.get(name) or "")) for name in ("follow_up_action", "responsible", "target_date"))) if family else one.action
        first = joined.setdefault(same, one)
        if first is not one:
            joined[same] = Told(action=first.action, row=first.row, children=(*first.children, *one.children), facts={**one.facts, **first.facts}, born=True)
    return tuple(joined.values())


def carried_months(opened: str, months: Iterable[str]) -> int:
    """Into how many later months an action was carried (R11), from the months of the papers that tell of it."""
    return len({month for month in months if month > opened})
