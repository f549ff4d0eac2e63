"""Forms filled in on screen: what a person sees, what they change, and what somebody else changed meanwhile.

Saving compares three states cell by cell: what the person saw when they began, what stands now, what they
typed. What only they changed is decided; what both changed is kept from neither: it is shown to them with
both values, and saving again decides. What cannot be understood stays in their draft, as they typed it.
"""

import secrets
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any, Final

from itsdangerous import BadData, URLSafeSerializer
from sqlalchemy import Connection, select

from formsvc.casework.cells import Cells, Rows, cells_of, named, split_cell, values_of
from formsvc.errors import Refused
from formsvc.model.form import Form
from formsvc.model.interpret import answer_texts, interpret
from formsvc.model.kinds import Choice, Lang, find_option, is_box
from formsvc.model.record import Problem, Values
from formsvc.office.office import Office
from formsvc.office.receive import Receipt, renew_follow_up
from formsvc.office.sheets import HELD, Shown, as_cell, given_values, is_locked, settle_from, shown_sheet
from formsvc.parsers.posted import as_sent, parse
from formsvc.protection.sealed_text import derived_key
from formsvc.renderers.web_form import raw_of
from formsvc.store.drafts import Draft, keep_draft, read_draft, remove_draft
from formsvc.store.papers import add_decision, counted_returns, latest_revision
from formsvc.store.schema import actions, children

_SPARE: Final = 1
"""Empty rows that a group shows below its last one, as long as it takes more."""
_HEADS: Final = ("child_name", "child_id", "action_id")


@dataclass(frozen=True, slots=True, kw_only=True)
class Sight:
    """What a person saw: cells, rows, and how many rows of each group the page showed.

    It travels with the page, sealed, so that any number of windows can be open. `page` names the page: rows that
    are added on it have the same identity however often it is sent.
    """

    sheet: int
    cells: Cells
    rows: Rows
    counts: Mapping[str, int]
    page: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Conflict:
    """A cell that somebody else changed while this person did: what it was, what the other wrote."""

    key: str
    was: Any
    theirs: Any


@dataclass(frozen=True, slots=True, kw_only=True)
class Screen:
    """A form on a screen. `answers` is what stands in the fields, by key."""

    shown: Shown
    lang: Lang
    counts: Mapping[str, int]
    answers: Mapping[str, str]
    locked: frozenset[str]
    problems: tuple[Problem, ...]
    """Rules that the record breaks, at the fields of this screen."""
    sight: str
    draft_at: str = ""
    """When a draft was kept that is shown here instead of the record."""
    has_news: bool = False
    """Whether the paper has rows that this draft does not show."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Saved:
    """What saving did: cells that changed, cells that somebody else changed meanwhile, answers that cannot be understood."""

    changed: int
    conflicts: tuple[Conflict, ...]
    unreadable: tuple[Problem, ...]
    renewed: int = 0
    not_renewed: int = 0
    """Follow-up forms that lack the new actions and could not be made anew."""

    @property
    def is_whole(self) -> bool:
        """Whether everything that was typed is in the record now."""
        return not self.conflicts and not self.unreadable


# ---------------------------------------------------------------- what is seen


def open_screen(office: Office, sheet: int, person: int) -> Screen:
    """A sheet as this person sees it: their draft if they have one, else the record."""
    with office.store.reading() as connection:
        shown = shown_sheet(office, connection, sheet)
        draft = read_draft(connection, person, sheet_id=sheet)
        problems = _problems_here(shown, connection)
    return _screen(office, shown, problems, draft)


def _screen(office: Office, shown: Shown, problems: tuple[Problem, ...], draft: Draft | None) -> Screen:
    """The record, or the draft on the rows that the person saw when they began: others may have added some since."""
    began = _began(office, draft, shown.sheet.id)
    draft = draft if began else None
    rows = began.rows if began else shown.rows
    values = values_of(shown.form, shown.cells, rows)
    counts = _counts(shown, values, draft)
    answers = {place.key: raw_of(place, value) for place, value in answer_texts(shown.form, values)}
    if draft is not None:
        answers = {**{key: raw for key, raw in answers.items() if is_locked(shown.form, as_cell(shown.form, key, rows))}, **draft.answers}
    sight = Sight(sheet=shown.sheet.id, cells=began.cells if began else shown.cells, rows=rows, counts=counts, page=began.page if began else f"{shown.document.id}.{secrets.token_hex(4)}")
    return Screen(
        shown=shown,
        lang="es" if shown.document.lang == "es" else "en",
        counts=counts,
        answers=answers,
        locked=frozenset(_locked(shown, rows, counts)),
        problems=problems,
        sight=seal_sight(office, sight),
        draft_at=draft.at if draft else "",
        has_news=began is not None and any(set(found) - set(rows.get(group, ())) for group, found in shown.rows.items()),
    )


def _began(office: Office, draft: Draft | None, sheet: int) -> Sight | None:
    """What the person saw when they began the draft; None without one, or where another key sealed it."""
    try:
        return open_sight(office, draft.shown, sheet) if draft else None
    except Refused:
        return None


def _counts(shown: Shown, values: Values, draft: Draft | None) -> dict[str, int]:
    """How many rows each group shows: those that say something, the usual ones, and one to write in."""
    counts = {}
    for group in shown.form.groups:
        entries = values.get(group.name)
        filled = len(entries) if isinstance(entries, list) else 0
        typed = max((int(key.split("-")[1]) + 1 for key, raw in (draft.answers.items() if draft else ()) if raw and key.startswith(f"{group.name}-")), default=0)
        listed = len(shown.document.rows.get(group.name, ())) if draft is None else 0
        counts[group.name] = min(group.maximum, max(group.minimum, filled, typed, listed) + _SPARE)
    return counts


def _locked(shown: Shown, rows: Rows, counts: Mapping[str, int]) -> Iterator[str]:
    """The fields that were printed by us: nobody changes them here either. In a row that people added they may write who it is."""
    for place in shown.form.places(counts):
        if place.ask.locked and (cell := as_cell(shown.form, place.key, rows)) and cell in shown.cells and "." not in split_cell(cell)[1]:
            yield place.key


def _problems_here(shown: Shown, connection: Connection) -> tuple[Problem, ...]:
    """The record's problems at the fields of the screen, whose rows may stand elsewhere than the record's."""
    revision = latest_revision(connection, shown.sheet.id)
    if revision is None:
        return ()
    at = {(group, identity): number for group, rows in shown.rows.items() for number, identity in enumerate(rows)}
    return tuple(_moved(found, revision.rows, at) for found in shown.sheet.problems)


def _moved(found: Problem, rows: Rows, at: Mapping[tuple[str, str], int]) -> Problem:
    group, _, rest = found.field.partition("-")
    number, _, name = rest.partition("-")
    identities = rows.get(group, ())
    if not number.isdecimal() or int(number) >= len(identities) or (group, identities[int(number)]) not in at:
        return found
    field = f"{group}-{at[group, identities[int(number)]]}-{name}"
    return Problem(code=found.code, field=field, severity=found.severity, message=found.message)


# ---------------------------------------------------------------- sights and drafts


def _sealer(office: Office) -> URLSafeSerializer:
    return URLSafeSerializer(derived_key(office.store.key, "sight"), salt="sight")


def seal_sight(office: Office, sight: Sight) -> str:
    """A sight as a page carries it."""
    return str(_sealer(office).dumps([sight.sheet, dict(sight.cells), {group: list(rows) for group, rows in sight.rows.items()}, dict(sight.counts), sight.page]))


def open_sight(office: Office, sealed: str, sheet: int) -> Sight:
    """A sight that came back with a page; refuses one that is not of this sheet or was changed."""
    try:
        found, cells, rows, counts, page = _sealer(office).loads(sealed)
    except (BadData, ValueError, TypeError) as problem:
        raise Refused("page-too-old") from problem
    if found != sheet:
        raise Refused("page-too-old")
    return Sight(sheet=found, cells=cells, rows=rows, counts=counts, page=page)


def keep_screen_draft(office: Office, sheet: int, person: int, answers: Mapping[str, str], sealed: str) -> str:
    """Keep what a person typed, without it being the record; when."""
    sight = open_sight(office, sealed, sheet)
    with office.store.writing() as connection:
        _check_nobody_erased(connection, sight)
        form = shown_sheet(office, connection, sheet).form
        kept = {key: raw for key, raw in answers.items() if form.find(key) is not None and raw}
        return keep_draft(connection, person, sheet_id=sheet, answers=kept, shown=sealed)


def drop_screen_draft(office: Office, sheet: int, person: int) -> None:
    """Forget a draft: the record is shown again."""
    with office.store.writing() as connection:
        remove_draft(connection, person, sheet_id=sheet)


# ---------------------------------------------------------------- saved


def save_screen(office: Office, sheet: int, person: int, answers: Mapping[str, str], sealed: str) -> Saved:
    """Bring what a person typed into the record, cell by cell."""
    sight = open_sight(office, sealed, sheet)
    with office.store.writing() as connection:
        _check_nobody_erased(connection, sight)
        now = shown_sheet(office, connection, sheet)
        mine, unreadable = _typed(now.form, answers, sight)
        changes, conflicts = [], []
        for cell in sorted(mine.keys() | sight.cells.keys()):
            before, typed, stands = sight.cells.get(cell), mine.get(cell), now.cells.get(cell)
            if _same(typed, before) or _same(typed, stands) or cell in unreadable or not _may(now.form, cell, sight) or (typed is None and not _was_sent(now.form, cell, sight, answers)):
                continue
            if _same(before, stands):
                changes.append((cell, typed))
            else:
                conflicts.append(Conflict(key=_key_of(sight.rows, cell), was=before, theirs=stands))
        _decide(office, connection, now, changes)
        saved = Saved(changed=len(changes), conflicts=tuple(conflicts), unreadable=tuple(unreadable.values()))
        if saved.is_whole:
            remove_draft(connection, person, sheet_id=sheet)
        else:
            rest = seal_sight(office, replace(sight, cells=_seen_now(sight, now, conflicts, changes)))
            keep_draft(connection, person, sheet_id=sheet, answers={key: raw for key, raw in answers.items() if now.form.find(key) is not None and raw}, shown=rest)
    renewed = renew_follow_up(office, [Receipt(name="", state="counted", changed=bool(changes), unit=now.sheet.unit, month=now.sheet.month)])
    return replace(saved, renewed=renewed.made, not_renewed=len(renewed.failed))


def _same(one: Any, other: Any) -> bool:
    if isinstance(one, str) and isinstance(other, str):
        return as_sent(one) == as_sent(other)
    return one == other and type(one) is type(other)


def _was_sent(form: Form, cell: str, sight: Sight, answers: Mapping[str, str]) -> bool:
    """Whether an empty cell was emptied: a row that the page did not show, or a field that did not arrive, says nothing."""
    group, row, _ = split_cell(cell)
    if group and (row not in sight.rows.get(group, ()) or list(sight.rows[group]).index(row) >= sight.counts.get(group, 0)):
        return False
    place = form.find(key := _key_of(sight.rows, cell))
    return place is None or is_box(place.ask.kind) or key in answers


def _check_nobody_erased(connection: Connection, sight: Sight) -> None:
    """A page that was opened before a child was erased brings nothing of it back."""
    told = {split_cell(cell)[1] for cell in sight.cells}  # rows that the page says something about
    keys = [int(row[1:]) for row in told if row.startswith("c") and row[1:].isdecimal()]
    actions_seen = {row[1:] for row in told if row.startswith("a")}
    gone = connection.execute(select(children.c.id).where(children.c.id.in_(keys), children.c.erased)).first()
    known = set(connection.scalars(select(actions.c.id).where(actions.c.id.in_(actions_seen))))
    if gone or actions_seen - known:
        raise Refused("page-too-old")


def _may(form: Form, cell: str, sight: Sight) -> bool:
    """Whether a person may write there: what we printed is not theirs, except in rows that they add."""
    return not is_locked(form, cell) or "." in split_cell(cell)[1] or cell not in sight.cells


def _seen_now(sight: Sight, now: Shown, conflicts: Iterable[Conflict], changes: Iterable[tuple[str, Any]]) -> Cells:
    """What the person has seen after saving: their own changes, and what they are told of somebody else's."""
    told = {_cell_at(now.form, sight.rows, one.key): one.theirs for one in conflicts}
    cells = {**sight.cells, **dict(changes), **told}
    return {cell: value for cell, value in cells.items() if value is not None}


def _typed(form: Form, answers: Mapping[str, str], sight: Sight) -> tuple[Cells, Mapping[str, Problem]]:
    """What was typed as cells, and the cells that cannot be understood."""
    record = interpret(form, parse(form, "", answers))
    rows = _rows_typed(form, record.values, sight)
    unreadable = {_cell_at(form, rows, found.field): found for found in record.problems if found.code in HELD}
    return cells_of(form, record.values, rows), unreadable


def _rows_typed(form: Form, values: Values, sight: Sight) -> dict[str, tuple[str, ...]]:
    """The rows as the person saw them, and new ones below, known by the page and their place on it."""
    document, _, page = sight.page.partition(".")
    found = {}
    for group in form.groups:
        known, entries = tuple(sight.rows.get(group.name, ())), values.get(group.name)
        count = len(entries) if isinstance(entries, list) else 0
        found[group.name] = (*known, *(f"{document}.{number}~{named(page, group.name, number)}" for number in range(len(known), count)))
    return found


def _cell_at(form: Form, rows: Rows, key: str) -> str:
    return as_cell(form, key, rows) or key


def _key_of(rows: Rows, cell: str) -> str:
    """The field of a cell on the screen."""
    group, row, name = split_cell(cell)
    if not group:
        return name
    place = list(rows.get(group, ())).index(row) if row in rows.get(group, ()) else len(rows.get(group, ()))
    return f"{group}-{place}-{name}"


def _decide(office: Office, connection: Connection, now: Shown, changes: Iterable[tuple[str, Any]]) -> None:
    """Let what a person typed stand over everything that came back until now."""
    wanted = list(changes)
    if not wanted:
        return
    sheet = now.sheet.id
    given = list(given_values(office, connection, sheet))
    back = [one.id for one in counted_returns(connection, sheet)]
    for cell, value in wanted:
        seen = {"values": [now.cells.get(cell), *(values.get(cell) for values in given)], "returns": back}
        number = add_decision(connection, sheet, cell, value=value, seen=seen, by=office.store.by)
    office.store.log(connection, "filled-on-screen", f"sheet:{sheet}", cells=len(wanted), last=number)
    settle_from(office, connection, sheet, f"screen:{number}")


def row_names(form: Form, answers: Mapping[str, str], counts: Mapping[str, int], lang: Lang) -> dict[tuple[str, int], str]:
    """Whom or what each row is about, as a label says it."""
    found = {}
    for group in form.groups:
        kind = next((ask.kind for ask in group.asks if ask.name == group.heading), None)
        for row in range(counts[group.name]) if kind is not None else ():
            raw = answers.get(f"{group.name}-{row}-{group.heading}", "").strip()
            option = find_option(kind.options, raw) if isinstance(kind, Choice) else None
            if raw:
                found[group.name, row] = option.label.said(lang) if option else raw
    return found


def heads(form: Form, answers: Mapping[str, str], counts: Mapping[str, int], lang: Lang) -> list[tuple[str, int, str]]:
    """The rows to jump to: group, place, whom it is about."""
    return [(group, row, name) for (group, row), name in row_names(form, answers, counts, lang).items() if any(ask.name in _HEADS for ask in (form.group(group) or form.groups[0]).asks)]
