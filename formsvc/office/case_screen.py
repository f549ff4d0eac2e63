"""The notes of a case conference filled in on screen: pre-filled from the case, kept as a draft, saved cell by cell.

As on sheets (`office/screen.py`), what only this person changed is saved; what somebody else changed meanwhile
too is shown with both values, and saving again decides. The client stands there as the case has them.
Two people who write on one free row make two rows, and what did not arrive says nothing.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, Final

from itsdangerous import BadData, URLSafeSerializer
from sqlalchemy import Connection

from formsvc.casework.case import Case, Consent, Member
from formsvc.casework.cells import Cells, Rows, all_rows, cells_of, split_cell, values_of
from formsvc.casework.rules import judge
from formsvc.errors import Refused
from formsvc.letters import open_case
from formsvc.model.form import Form
from formsvc.model.interpret import answer_texts, interpret
from formsvc.model.kinds import is_box
from formsvc.model.record import Problem, Row, Values
from formsvc.model.schema import load_values
from formsvc.model.values import plain
from formsvc.office.case_work import base_of, earlier_number
from formsvc.office.cases import find_case, write_case
from formsvc.office.office import Office
from formsvc.office.screen import Conflict, Saved
from formsvc.office.sheets import HELD, as_cell, is_locked
from formsvc.parsers.posted import as_sent, parse
from formsvc.protection.sealed_text import derived_key
from formsvc.renderers.web_form import raw_of
from formsvc.store.drafts import Draft, keep_draft, read_draft, remove_draft
from formsvc.store.people import cases_of

FORM: Final = "conference-notes"
_SPARE: Final = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class NotesScreen:
    """The notes on a screen. `answers` is what stands in the fields, by key."""

    form: Form
    case: Case
    counts: Mapping[str, int]
    answers: Mapping[str, str]
    locked: frozenset[str]
    problems: tuple[Problem, ...]
    """Rules that the saved notes break; none while a draft is shown."""
    sight: str
    draft_at: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Sight:
    """What a person saw: of which conference, its cells, how many rows of each group, and what the case offered for rows that nobody saved."""

    base: str
    conference: int
    cells: Cells
    counts: Mapping[str, int]
    offered: Cells


@dataclass(frozen=True, slots=True, kw_only=True)
class _Notes:
    """The notes as they stand, with the case they belong to."""

    key: int
    number: str
    data: Mapping[str, Any]
    case: Case
    form: Form
    rows: Rows
    cells: Cells


@dataclass(frozen=True, slots=True, kw_only=True)
class _Settled:
    """What was typed, each new row at a place of its own."""

    answers: Mapping[str, str]
    theirs: Cells
    """The rows of somebody else that stand where this person had written."""
    held: Cells
    """Rows of this person, and of whoever was first, for which no place is left."""


def _notes(office: Office, connection: Connection, number: str) -> _Notes:
    key, data = find_case(connection, number)
    form = office.catalog.form(office.catalog.latest(FORM))
    case, rows = open_case(office.catalog, data), all_rows(form, {})
    cells = {**cells_of(form, case.notes, rows), **_client_cells(case)} if case.notes else {}
    return _Notes(key=key, number=number, data=data, case=case, form=form, rows=rows, cells=cells)


def _client_cells(case: Case) -> dict[str, Any]:
    """Whom it is about and which conference: the case's facts, which nobody changes here."""
    found = {"client_name": case.client.name, "initials": case.client.initials, "birth_date": case.client.birth_date, "conference_number": case.conference.number}
    return {name: value for name, value in found.items() if value}


# ---------------------------------------------------------------- what is seen


def open_notes(office: Office, number: str, person: int, *, more: Mapping[str, int] | None = None) -> NotesScreen:
    """The notes as this person sees them: their draft if they have one, else what is saved, with what the case knows already."""
    with office.store.reading() as connection:
        notes = _notes(office, connection, number)
        draft = read_draft(connection, person, case_id=notes.key)
    return _screen(office, notes, draft, more or {})


def _screen(office: Office, notes: _Notes, draft: Draft | None, more: Mapping[str, int]) -> NotesScreen:
    form, case = notes.form, notes.case
    values = suggested(form, case)
    answers = {place.key: raw_of(place, value) for place, value in answer_texts(form, values)}
    if draft is not None:
        answers = {**draft.answers, **{key: raw for key, raw in answers.items() if is_locked(form, key)}}
    counts = _counts(form, answers, more)
    began = _unseal(office, draft.shown, notes.number) if draft else _Sight(base=base_of(notes.number), conference=case.conference.number, cells=notes.cells, counts={}, offered=_offered(notes, values))
    return NotesScreen(
        form=form, case=case, counts=counts, answers=answers, locked=frozenset(place.key for place in form.places(counts) if place.ask.locked),
        problems=judge(form, case.notes) if case.notes and draft is None else (),
        sight=_seal(office, replace(began, counts=counts)), draft_at=draft.at if draft else "",
    )  # fmt: skip


def _counts(form: Form, answers: Mapping[str, str], more: Mapping[str, int]) -> dict[str, int]:
    """How many rows each group shows: those that say something, the usual ones, what was asked for, and one to write in."""
    filled = dict.fromkeys((group.name for group in form.groups), 0)
    for key, raw in answers.items():
        place = form.find(key)
        if raw and place is not None and place.group is not None:
            filled[place.group.name] = max(filled[place.group.name], place.row + 1)
    return {group.name: min(group.maximum, max(group.minimum, filled[group.name]) + max(_SPARE, more.get(group.name, 0))) for group in form.groups}


def suggested(form: Form, case: Case) -> Values:
    """The notes with what the case knows: the header and the consents while nothing is saved, always the client and members who are not listed yet."""
    known: dict[str, Any] = dict(case.notes) if case.notes else {**_header(case), **_consents(case)}
    team = [row for row in known.get("team", ()) if isinstance(row, dict)]
    listed = {plain(str(row.get("name", ""))) for row in team}
    missing = [_member(member) for member in case.team if plain(member.name) not in listed]
    group = form.group("team")
    most = group.maximum if group else 0
    return {**known, **_client_cells(case), "team": [*team, *missing][: max(most, len(team))]}


def _offered(notes: _Notes, values: Values) -> Cells:
    """The cells of rows that stand on the page without being saved."""
    rows = {split_cell(cell)[:2] for cell in notes.cells}
    return {cell: value for cell, value in cells_of(notes.form, values, notes.rows).items() if split_cell(cell)[0] and split_cell(cell)[:2] not in rows}


def _header(case: Case) -> dict[str, Any]:
    conference = case.conference
    found = {
        "guardian": case.guardian, "coordinator": case.coordinator.name, "conference_date": conference.date, "start_time": conference.start,
        "end_time": f"{conference.ends():%H:%M}", "location": conference.place, "conference_type": conference.type,
    }  # fmt: skip
    return {name: value for name, value in found.items() if value}


def _consents(case: Case) -> dict[str, Any]:
    """What the consents of the case say, the latest of each kind that somebody gave before the conference (R21, R22)."""
    share, distribute = (_latest(case, kind) for kind in ("share", "distribute"))
    found: dict[str, Any] = {}
    if share is not None and share.form == "written":
        found |= {"share_consent": True, "share_consent_date": share.given_on, "share_consent_expires": share.expires_on}
    if distribute is not None:
        found |= {"distribute_consent": distribute.form, "distribute_consent_from": distribute.given_by, "distribute_consent_by": distribute.taken_by, "distribute_consent_date": distribute.given_on}
    return {name: value for name, value in found.items() if value}


def _latest(case: Case, kind: str) -> Consent | None:
    given = [consent for consent in case.consents if consent.kind == kind and not consent.revoked_on and consent.given_on <= case.conference.date]
    counting = [consent for consent in given if not consent.expires_on or consent.expires_on >= case.conference.date]
    return max(counting, key=lambda consent: consent.given_on, default=None)


def _member(member: Member) -> Row:
    found = {"name": member.name, "organisation": member.organisation, "role": member.role, "partner_system": member.partner_system, "mode": member.mode, "contact": member.email}
    return {name: value for name, value in found.items() if value}


# ---------------------------------------------------------------- sights and drafts


def _sealer(office: Office) -> URLSafeSerializer:
    return URLSafeSerializer(derived_key(office.store.key, "sight"), salt="case-notes")


def _seal(office: Office, sight: _Sight) -> str:
    return str(_sealer(office).dumps([sight.base, sight.conference, dict(sight.cells), dict(sight.counts), dict(sight.offered)]))


def _unseal(office: Office, sealed: str, number: str) -> _Sight:
    """What a person saw, as it came back with the page; refuses one of another case, or that was changed."""
    try:
        base, conference, cells, counts, offered = _sealer(office).loads(sealed)
    except (BadData, ValueError, TypeError) as problem:
        raise Refused("page-too-old") from problem
    if base != base_of(number):
        raise Refused("page-too-old")
    return _Sight(base=base, conference=conference, cells=cells, counts=counts, offered=offered)


def _meant(office: Office, connection: Connection, number: str, person: int, sight: _Sight) -> _Notes:
    """The notes a page was about: of the conference it was opened for, also when the next one was begun meanwhile."""
    notes = _notes(office, connection, number)
    if notes.case.conference.number == sight.conference:
        return notes
    earlier = earlier_number(number, sight.conference)
    if earlier not in cases_of(connection, person):
        raise Refused("page-too-old")
    return _notes(office, connection, earlier)


def keep_notes_draft(office: Office, number: str, person: int, answers: Mapping[str, str], sealed: str) -> str:
    """Keep what a person typed without it being the notes; when."""
    sight = _unseal(office, sealed, number)
    with office.store.writing() as connection:
        notes = _meant(office, connection, number, person, sight)
        return keep_draft(connection, person, case_id=notes.key, answers=_ours(notes.form, answers), shown=sealed)


def drop_notes_draft(office: Office, number: str, person: int) -> None:
    """Forget a draft: the saved notes are shown again."""
    with office.store.writing() as connection:
        remove_draft(connection, person, case_id=find_case(connection, number)[0])


def _ours(form: Form, answers: Mapping[str, str]) -> dict[str, str]:
    return {key: raw for key, raw in answers.items() if raw and form.find(key) is not None}


# ---------------------------------------------------------------- saved


def save_notes(office: Office, number: str, person: int, answers: Mapping[str, str], sealed: str) -> tuple[str, Saved]:
    """Bring what a person typed into the notes, cell by cell; under which number they are kept, and what became of it."""
    sight = _unseal(office, sealed, number)
    with office.store.writing() as connection:
        notes = _meant(office, connection, number, person, sight)
        settled = _settle_rows(notes, sight, answers)
        mine, unreadable = _typed(notes, settled.answers)
        changes, conflicts = _compared(notes, sight, mine, unreadable, settled)
        if changes or not notes.case.notes:
            _write(office, connection, notes, changes)
        saved = Saved(changed=len(changes), conflicts=tuple(conflicts), unreadable=tuple(unreadable.values()))
        if saved.is_whole:
            remove_draft(connection, person, case_id=notes.key)
        else:
            cells = {**sight.cells, **settled.theirs, **changes, **{_cell(notes, one.key): one.theirs for one in conflicts}}
            rest = replace(sight, cells={cell: value for cell, value in cells.items() if value is not None})
            kept = {**_raw(notes, settled.theirs), **_ours(notes.form, settled.answers)}
            keep_draft(connection, person, case_id=notes.key, answers=kept, shown=_seal(office, rest))
    return notes.number, saved


def _compared(notes: _Notes, sight: _Sight, mine: Cells, unreadable: Mapping[str, Problem], settled: _Settled) -> tuple[dict[str, Any], list[Conflict]]:
    """What only this person changed, and what somebody else changed meanwhile too."""
    changes: dict[str, Any] = {}
    conflicts = []
    for cell in sorted(mine.keys() | sight.cells.keys() | settled.held.keys()):
        typed, stands = mine.get(cell), notes.cells.get(cell)
        before = sight.cells.get(cell, sight.offered.get(cell) if stands is not None else None)
        if cell in unreadable or is_locked(notes.form, cell) or _same(typed, stands):
            continue
        if cell in settled.held:
            conflicts.append(Conflict(key=_key(cell), was=before, theirs=stands))
        elif _same(typed, before) or (typed is None and not _was_sent(notes.form, cell, sight, settled.answers)):
            continue
        elif _same(before, stands):
            changes[cell] = typed
        else:
            conflicts.append(Conflict(key=_key(cell), was=before, theirs=stands))
    return changes, conflicts


def _was_sent(form: Form, cell: str, sight: _Sight, answers: Mapping[str, str]) -> bool:
    """Whether an empty cell was emptied: a row that the page did not show, or a field that did not arrive, says nothing."""
    group, row, _ = split_cell(cell)
    if group and _place(row) >= sight.counts.get(group, 0):
        return False
    place = form.find(_key(cell))
    return place is None or is_box(place.ask.kind) or _key(cell) in answers


# ---------------------------------------------------------------- two people on one free row


def _settle_rows(notes: _Notes, sight: _Sight, answers: Mapping[str, str]) -> _Settled:
    """Bring rows that somebody else filled first, as a whole, to the next free one; what was brought before is not brought again."""
    mine, taken = _typed(notes, answers)[0], {split_cell(cell)[:2] for cell in notes.cells}
    used = taken | {split_cell(cell)[:2] for cell in (*mine, *sight.cells)}
    settled, theirs, held = dict(answers), dict[str, Any](), dict[str, Any]()
    for group, row in sorted(_met(notes, sight, mine), key=lambda one: (one[0], _place(one[1]))):
        typed, stands = _row(mine, group, row), _row(notes.cells, group, row)
        free = next((other for other in notes.rows[group] if (group, other) not in used), None)
        if not _is_known(notes, sight, typed, group, row) and free is None:
            held |= {f"{group}/{row}/{name}": value for name, value in (stands | typed).items()}
            continue
        sent = {key: raw for key, raw in answers.items() if key.startswith(f"{group}-{_place(row)}-")}
        settled = {key: raw for key, raw in settled.items() if key not in sent}
        theirs |= {f"{group}/{row}/{name}": value for name, value in stands.items()}
        if not _is_known(notes, sight, typed, group, row) and free is not None:
            settled |= {f"{group}-{_place(free)}-{key.split('-', 2)[2]}": raw for key, raw in sent.items()}
            used.add((group, free))
    return _Settled(answers=settled, theirs=theirs, held=held)


def _met(notes: _Notes, sight: _Sight, mine: Cells) -> set[tuple[str, str]]:
    """The rows that were free when this person began, and that somebody else filled otherwise meanwhile."""
    seen = {split_cell(cell)[:2] for cell in sight.cells}
    rows = {split_cell(cell)[:2] for cell in mine if split_cell(cell)[0]} - seen
    return {(group, row) for group, row in rows if (stands := _row(notes.cells, group, row)) and not _is_same_row(_row(mine, group, row), stands) and not _is_one_offer(sight, stands, group, row)}


def _is_one_offer(sight: _Sight, stands: Mapping[str, Any], group: str, row: str) -> bool:
    """Whether both began from what the case offered: then the row is compared cell by cell."""
    offered = _row(sight.offered, group, row)
    return bool(offered) and _same(offered.get("name"), stands.get("name"))


def _is_known(notes: _Notes, sight: _Sight, typed: Mapping[str, Any], group: str, row: str) -> bool:
    """Whether a row needs no place: it is what the case offers anyway, or the same page brought it before."""
    if _is_same_row(typed, _row(sight.offered, group, row)):
        return True
    seen = {split_cell(cell)[:2] for cell in sight.cells}
    return any(_is_same_row(typed, _row(notes.cells, group, other)) for other in notes.rows[group] if (group, other) not in seen)


def _row(cells: Cells, group: str, row: str) -> dict[str, Any]:
    return {split_cell(cell)[2]: value for cell, value in cells.items() if split_cell(cell)[:2] == (group, row)}


def _is_same_row(one: Mapping[str, Any], other: Mapping[str, Any]) -> bool:
    return one.keys() == other.keys() and all(_same(value, other[name]) for name, value in one.items())


def _place(row: str) -> int:
    return int(row.removeprefix("r"))


def _raw(notes: _Notes, cells: Cells) -> dict[str, str]:
    """Cells as a page's fields hold them."""
    return {place.key: raw for place, value in answer_texts(notes.form, values_of(notes.form, cells, notes.rows)) if (raw := raw_of(place, value))}


def _same(one: Any, other: Any) -> bool:
    if isinstance(one, str) and isinstance(other, str):
        return as_sent(one) == as_sent(other)
    return one == other and type(one) is type(other)


def _typed(notes: _Notes, answers: Mapping[str, str]) -> tuple[Cells, Mapping[str, Problem]]:
    """What was typed as cells, and the cells that cannot be understood or are more than the notes take."""
    record = interpret(notes.form, parse(notes.form, "", answers))
    found = [problem for problem in record.problems if problem.code in HELD]
    found += load_values(notes.form, record.values)[1]
    return cells_of(notes.form, record.values, notes.rows), {_cell(notes, problem.field): problem for problem in reversed(found)}


def _write(office: Office, connection: Connection, notes: _Notes, changes: Mapping[str, Any]) -> None:
    cells = {**notes.cells, **changes, **_client_cells(notes.case)}
    values = values_of(notes.form, {cell: value for cell, value in cells.items() if value is not None}, notes.rows)
    write_case(office, connection, notes.number, {**notes.data, "notes": dict(values)}, notes=len(changes))


def _cell(notes: _Notes, key: str) -> str:
    return as_cell(notes.form, key, notes.rows) or key


def _key(cell: str) -> str:
    """The field of a cell: rows are known by their place."""
    group, row, name = split_cell(cell)
    return f"{group}-{row.removeprefix('r')}-{name}" if group else name
