"""Settles a sheet: from everything that came back and was decided to its record, questions, actions, conference.

Runs inside one transaction and always from the beginning, so that a sheet is a function of what was
received, whatever the order; settling twice changes nothing.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Final

from sqlalchemy import Connection

from formsvc.casework.cells import Rows, all_rows, cell_of, cells_of, joined_rows, row_identities, split_cell, values_of
from formsvc.casework.month_rules import Context, judge_sheet
from formsvc.casework.prefill import UnitMonth
from formsvc.casework.reconcile import Answered, Conflict, Contribution, Decision, Settled, settle
from formsvc.casework.rules import judge
from formsvc.errors import word
from formsvc.model.form import Form, FormId
from formsvc.model.procedure import months_between
from formsvc.model.record import Problem, Values
from formsvc.model.values import plain
from formsvc.office.conferences import as_day, hold_conference
from formsvc.office.follow import follow
from formsvc.office.office import Office
from formsvc.office.units import unit_month
from formsvc.store.digest import stored_digest
from formsvc.store.followup import read_actions
from formsvc.store.log import now
from formsvc.store.papers import (
    Document,
    Question,
    Return,
    Revision,
    Sheet,
    add_revision,
    counted_returns,
    find_document,
    latest_revision,
    mark_sheet,
    read_documents,
    read_sheet,
    read_sheets,
    standing_decisions,
    sync_questions,
)
from formsvc.store.roster import find_child, read_children, read_enrolments, read_units
from formsvc.store.schema import revisions

HELD: Final = frozenset({"unreadable-value", "not-an-option", "not-a-tick", "two-marks", "out-of-range", "repeated-field", "shown-differs", "locked-value-changed"})
"""Doubts about an answer that keep it out of the record until a person has looked."""
LOOKED_AT: Final = frozenset({"unknown-field", "ink-over-field", "active-content"})
"""What a person should look at although it is no answer of the form: ink, text in fields that are not ours."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Copy:
    """A return that counts, in cells."""

    number: int
    document: str
    contribution: Contribution
    rows: Rows
    doubts: tuple[Question, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class SheetState:
    """A sheet as it is after settling."""

    sheet: Sheet
    changed: bool
    questions: int
    problems: tuple[Problem, ...]


def settle_from(office: Office, connection: Connection, sheet_id: int, cause: str) -> SheetState:
    """Settle a sheet, and the unit's later ones that are known: which conference was the last one may have changed for them."""
    state = settle_sheet(office, connection, sheet_id, cause)
    for later in read_sheets(connection, unit_id=state.sheet.unit):
        if later.month > state.sheet.month and later.revision:
            settle_sheet(office, connection, later.id, cause)
    return state


def settle_sheet(office: Office, connection: Connection, sheet_id: int, cause: str) -> SheetState:
    """Bring a sheet's record, questions, actions and conference up to what was received and decided."""
    sheet = read_sheet(connection, sheet_id)
    documents = read_documents(connection, [sheet_id])
    form = office.catalog.form(FormId(name=sheet.form, version=documents[-1].version))
    copies = _copies(office, connection, sheet_id)
    settled = _settled(form, documents[-1], copies, _decisions(connection, sheet_id))
    rows = joined_rows([all_rows(form, documents[-1].rows), *(document.rows for document in documents[:-1]), *(copy.rows for copy in copies)])
    values = values_of(form, settled.cells, rows)
    changed, number = _revise(office, connection, sheet, values, rows, cause) if settled.edited or sheet.revision else (False, 0)
    unit = next(unit for unit in read_units(connection) if unit.id == sheet.unit)
    state = unit_month(office, connection, unit, sheet.month)
    who = _resolve(connection, state, sheet, settled)
    follow(connection, sheet, settled, who.children)
    hold_conference(connection, sheet, values if settled.edited else {})
    problems = (*judge(form, values), *judge_sheet(form, values, rows, _context(office, connection, state, rows))) if settled.edited else ()
    questions = [*_conflicts(settled.conflicts), *(doubt for copy in copies for doubt in copy.doubts), *who.questions]
    waiting = sync_questions(connection, sheet_id, _once(questions))
    is_done = bool(settled.edited) and not waiting and not any(problem.severity == "error" for problem in problems)
    mark_sheet(connection, sheet_id, revision=number, problems=problems, done_on=(sheet.done_on or now()) if is_done else "")
    return SheetState(sheet=sheet, changed=changed, questions=waiting, problems=problems)


def written_on(office: Office, connection: Connection, sheet_id: int) -> Mapping[str, Answered]:
    """The cells that people wrote or decided on a sheet, with what stands there."""
    documents = read_documents(connection, [sheet_id])
    form = office.catalog.form(FormId(name=documents[-1].form, version=documents[-1].version))
    return _settled(form, documents[-1], _copies(office, connection, sheet_id), _decisions(connection, sheet_id)).edited


def _once(questions: Sequence[Question]) -> list[Question]:
    return list({question.key: question for question in questions}.values())


# ---------------------------------------------------------------- what came back


def _copies(office: Office, connection: Connection, sheet_id: int) -> list[_Copy]:
    decided = standing_decisions(connection, sheet_id)
    looked_at = {(cell, number) for cell, row in decided.items() for number in row.seen.get("returns", ())}
    found = []
    for back in counted_returns(connection, sheet_id):
        document = find_document(connection, back.document) if back.document else None
        if document is not None:
            found.append(_copy(office, back, document, looked_at))
    return found


def _copy(office: Office, back: Return, document: Document, looked_at: set[tuple[str, int]]) -> _Copy:
    form = office.catalog.form(FormId(name=back.form, version=back.version))
    rows = row_identities(form, document.id, document.rows, back.values)
    doubts = [(found, problem) for problem in back.problems if problem.code in HELD and (found := as_cell(form, problem.field, rows))]
    return _Copy(
        number=back.id,
        document=document.id,
        contribution=Contribution(
            source=f"return:{back.id}",
            issued=cells_of(form, document.snapshot, rows),
            returned=cells_of(form, back.values, rows),
            held=frozenset(cell for cell, _ in doubts) | _absent(form, back, rows) | {cell for cell in cells_of(form, document.snapshot, rows) if is_locked(form, cell)},
        ),
        rows=rows,
        doubts=(*(_doubt(form, back, cell, problem, rows) for cell, problem in doubts if (cell, back.id) not in looked_at), *_notes(back)),
    )


def _absent(form: Form, back: Return, rows: Rows) -> frozenset[str]:
    """The cells whose fields the file did not have."""
    return frozenset(as_cell(form, key, rows) for key in back.absent)


def _notes(back: Return) -> Iterator[Question]:
    """What is to be looked at on the whole paper, one question for each kind."""
    for code in sorted(LOOKED_AT & {problem.code for problem in back.problems}):
        found = [problem for problem in back.problems if problem.code == code]
        raw = "; ".join(f"{problem.field}: {back.raw[problem.field]}" for problem in found if problem.field in back.raw)
        yield Question(code=code, return_id=back.id, facts={"message": " ".join(dict.fromkeys(problem.message for problem in found)), "raw": raw})
    if back.absent:
        yield Question(code="fields-missing", return_id=back.id, facts={"message": word("fields-missing", count=len(back.absent), first=back.absent[0]), "raw": ""})


def _doubt(form: Form, back: Return, cell: str, problem: Problem, rows: Rows) -> Question:
    value = cells_of(form, back.values, rows).get(cell)
    return Question(code=problem.code, cell=cell, return_id=back.id, facts={"message": problem.message, "value": value, "raw": back.raw.get(problem.field, "")})


def as_cell(form: Form, field: str, rows: Rows) -> str:
    """The cell of an answer key; empty if the form does not ask for it."""
    group, _, rest = field.partition("-")
    if form.group(group) is None:
        return field if (field and form.find(field)) or any(ask.name == field for ask in form.asks) else ""
    number, _, name = rest.partition("-")
    identities = rows.get(group, ())
    return cell_of(group, identities[int(number)], name) if name and number.isdecimal() and int(number) < len(identities) else ""


def is_locked(form: Form, cell: str) -> bool:
    """Whether a cell is printed by us and not for anybody to write in."""
    group_name, _, name = split_cell(cell)
    group = form.group(group_name) if group_name else None
    return any(ask.locked for ask in (group.asks if group else form.asks) if ask.name == name)


def _decisions(connection: Connection, sheet_id: int) -> dict[str, Decision]:
    return {cell: Decision(value=row.value, seen=tuple(row.seen.get("values", ()))) for cell, row in standing_decisions(connection, sheet_id).items()}


def _settled(form: Form, newest: Document, copies: Sequence[_Copy], decided: Mapping[str, Decision]) -> Settled:
    return settle(cells_of(form, newest.snapshot, all_rows(form, newest.rows)), [copy.contribution for copy in copies], decided)


def _conflicts(conflicts: Sequence[Conflict]) -> Iterator[Question]:
    for conflict in conflicts:
        candidates = [{"value": candidate.value, "sources": list(candidate.sources)} for candidate in conflict.candidates]
        yield Question(code="conflict", cell=conflict.cell, facts={"issued": conflict.issued, "candidates": candidates})


def _revise(office: Office, connection: Connection, sheet: Sheet, values: Values, rows: Rows, cause: str) -> tuple[bool, int]:
    """The next revision, if anything is known that was not known before."""
    latest = latest_revision(connection, sheet.id)
    if latest is not None and latest.values == values:
        return False, latest.number
    number = latest.number + 1 if latest else 1
    add_revision(connection, sheet.id, Revision(number=number, values=values, rows=rows, cause=cause, at=now(), by=office.store.by))
    sealed = stored_digest(connection, "revision", office.store.key, revisions.c.sheet_id == sheet.id, revisions.c.number == number)
    office.store.log(connection, "revised", f"sheet:{sheet.id}", revision=number, cause=cause, digest=sealed)
    return True, number


# ---------------------------------------------------------------- who it is about


@dataclass(frozen=True, slots=True, kw_only=True)
class _People:
    """The children of the rows, and the rows whose child is not certain."""

    children: Mapping[str, int]
    questions: tuple[Question, ...]


def _resolve(connection: Connection, state: UnitMonth, sheet: Sheet, settled: Settled) -> _People:
    """Find the child of every row that people wrote in; an unknown child is a question, not a loss."""
    group = "actions" if sheet.form == "case-management" else "children"
    written = {row for cell in settled.edited for cell_group, row, _ in [split_cell(cell)] if cell_group == group and row}
    held = as_day(settled.cells.get("conference_date"))
    here = {child.key for child in state.children}
    found: dict[str, int] = {}
    questions: list[Question] = []
    for row in sorted(written):
        if row.startswith("c"):
            found[row] = int(row[1:])
            questions += _left(connection, cell_of(group, row, "child_name"), int(row[1:]), sheet.unit, held)
        elif not row.startswith("a"):
            name, number = (str(settled.cells.get(cell_of(group, row, part), "")) for part in ("child_name", "child_id"))
            child = _child(connection, name, number, here)
            if child is not None:
                found[row] = child
            else:
                questions.append(Question(code="unknown-child", cell=cell_of(group, row, "child_name"), facts={"name": name, "child_id": number}))
    return _People(children=found, questions=tuple(questions))


def _child(connection: Connection, name: str, number: str, here: set[int]) -> int | None:
    """The child with that id, or the only one of the unit with that name."""
    if number:
        return find_child(connection, number) or next((child.key for child in read_children(connection).values() if plain(child.child_id) == plain(number)), None)
    same = [child.key for child in read_children(connection, here).values() if name and plain(child.name) == plain(name)]
    return same[0] if len(same) == 1 else None


def _left(connection: Connection, cell: str, child: int, unit: int, held: date | None) -> Iterator[Question]:
    """A child that was written about although it had left the unit before the conference."""
    if held is None:
        return
    spells = [spell for spell in read_enrolments(connection, unit) if spell.child == child and spell.unit == unit]
    if spells and all(spell.ends is not None and spell.ends < held for spell in spells):
        last = max(spell.ends for spell in spells if spell.ends)
        yield Question(code="child-left", cell=cell, facts={"left_on": last.isoformat(), "held_on": held.isoformat()})


# ---------------------------------------------------------------- rules


def _context(office: Office, connection: Connection, state: UnitMonth, rows: Rows) -> Context:
    """What the rules of the month need to know around a sheet."""
    ids = [row[1:] for group in ("actions", "children") for row in rows.get(group, ()) if row.startswith("a")]
    carried = {f"a{action.id}": months_between(action.opened, state.month) for action in read_actions(connection, ids=ids)} if ids else {}
    return Context(month=state.month, start=state.start, is_first=state.last_held is None, procedure=office.procedure, carried=carried)
