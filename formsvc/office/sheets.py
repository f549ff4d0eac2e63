"""Settles a sheet: from everything that came back and was decided to its record, questions, actions, conference.

Runs inside one transaction and always from the beginning, so that a sheet is a function of what was
received, whatever the order; settling twice changes nothing.
"""

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from typing import Final

from sqlalchemy import Connection

from formsvc.casework.cells import Cells, Rows, all_rows, cell_of, cells_of, joined_rows, row_identities, split_cell, values_of
from formsvc.casework.month_rules import Context, as_day, judge_sheet
from formsvc.casework.prefill import UnitMonth
from formsvc.casework.reconcile import Answered, Conflict, Contribution, Decision, Settled, settle
from formsvc.casework.rules import judge
from formsvc.errors import word
from formsvc.model.form import Ask, Form, FormId
from formsvc.model.kinds import Choices
from formsvc.model.procedure import months_between
from formsvc.model.record import Problem, Values
from formsvc.model.values import plain
from formsvc.office.conferences import hold_conference
from formsvc.office.follow import follow
from formsvc.office.hooks import announce
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
from formsvc.store.roster import Enrolment, find_child, find_unit, read_children, read_enrolments
from formsvc.store.schema import revisions

INK: Final = frozenset({"mark-unsure", "mark-void", "signature-doubtful", "text-doubtful", "text-unread", "field-covered", "shown-more", "text-cut-off", "text-unchecked", "repeated-page", "continuation-missing"})
"""Doubts of reading ink."""
HELD: Final = frozenset({"unreadable-value", "not-an-option", "not-a-tick", "two-marks", "out-of-range", "repeated-field", "shown-differs", "locked-value-changed"}) | INK
"""Doubts about an answer that keep it out of the record until a person has looked."""
LOOKED_AT: Final = frozenset({"unknown-field", "ink-over-field", "active-content", "page-strange", "page-missing", "fields-gone"})
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
    decided = _decisions(connection, sheet_id)
    settled, rows = _settled(form, documents, copies, decided)
    values = values_of(form, settled.cells, rows)
    changed, number = _revise(office, connection, sheet, values, rows, cause) if settled.edited or sheet.revision else (False, 0)
    unit = find_unit(connection, sheet.unit)
    state = unit_month(office, connection, unit, sheet.month)
    who = _resolve(connection, state, sheet, settled, decided.keys())
    follow(connection, sheet, settled, who.children)
    hold_conference(connection, sheet, values if settled.edited else {})
    problems = (*judge(form, values), *judge_sheet(form, values, rows, _context(office, connection, state, rows))) if settled.edited else ()
    questions = [*_conflicts(settled.conflicts), *(doubt for copy in copies for doubt in copy.doubts), *who.questions]
    waiting = sync_questions(connection, sheet_id, _once(questions))
    is_done = bool(settled.edited) and not waiting and not any(problem.severity == "error" for problem in problems)
    mark_sheet(connection, sheet_id, revision=number, problems=problems, done_on=(sheet.done_on or now()) if is_done else "")
    return SheetState(sheet=sheet, changed=changed, questions=waiting, problems=problems)


def settled_sheet(office: Office, connection: Connection, sheet_id: int) -> Settled:
    """A sheet's cells as its returns and decisions make them."""
    documents = read_documents(connection, [sheet_id])
    form = office.catalog.form(FormId(name=documents[-1].form, version=documents[-1].version))
    return _settled(form, documents, _copies(office, connection, sheet_id), _decisions(connection, sheet_id))[0]


@dataclass(frozen=True, slots=True, kw_only=True)
class Shown:
    """A sheet as a person sees it now: the newest edition, and over it what people wrote."""

    sheet: Sheet
    form: Form
    document: Document
    cells: Cells
    rows: Rows


def shown_sheet(office: Office, connection: Connection, sheet_id: int) -> Shown:
    """What a sheet shows on a screen."""
    documents = read_documents(connection, [sheet_id])
    newest = documents[-1]
    form = office.catalog.form(FormId(name=newest.form, version=newest.version))
    settled, known = _settled(form, documents, _copies(office, connection, sheet_id), _decisions(connection, sheet_id))
    rows = joined_rows([all_rows(form, newest.rows), known])
    cells = {**cells_of(form, newest.base, rows), **settled.cells, **settled.edited} if settled.edited else cells_of(form, newest.base, rows)
    return Shown(sheet=read_sheet(connection, sheet_id), form=form, document=newest, cells={cell: value for cell, value in cells.items() if value is not None}, rows=rows)


def written_on(office: Office, connection: Connection, sheet_id: int) -> Mapping[str, Answered]:
    """The cells that people wrote or decided on a sheet, with what stands there."""
    return settled_sheet(office, connection, sheet_id).edited


def given_values(office: Office, connection: Connection, sheet_id: int) -> Iterator[Mapping[str, Answered]]:
    """What each copy that counts changed."""
    yield from (copy.contribution.edits() for copy in _copies(office, connection, sheet_id))


def _once(questions: Sequence[Question]) -> list[Question]:
    return list({question.key: question for question in questions}.values())


def copies_of(office: Office, connection: Connection, sheet_id: int) -> Sequence[tuple[int, Mapping[str, Answered]]]:
    """Each return that counts, with what it changed."""
    return [(copy.number, copy.contribution.edits()) for copy in _copies(office, connection, sheet_id)]


# ---------------------------------------------------------------- what came back


def _copies(office: Office, connection: Connection, sheet_id: int) -> list[_Copy]:
    decided = standing_decisions(connection, sheet_id)
    looked_at = {(cell, number) for cell, row in decided.items() for number in row.seen.get("returns", ())}
    found = []
    for back in counted_returns(connection, sheet_id):
        document = find_document(connection, back.document) if back.document else None
        if document is not None:
            found.append(_copy(office, connection, back, document, looked_at))
    return found


def _copy(office: Office, connection: Connection, back: Return, document: Document, looked_at: set[tuple[str, int]]) -> _Copy:
    form = office.catalog.form(FormId(name=back.form, version=back.version))
    is_ours = back.stamp == document.id
    rows = rows_of(connection, form, back, document)
    issued = cells_of(form, document.snapshot, rows) if is_ours else {}
    returned = cells_of(form, back.values, rows)
    doubts = _told_once([(found, problem) for problem in back.problems if problem.code in HELD and (found := as_cell(form, problem.field, rows))])
    locked = {cell for cell in (issued or returned) if is_locked(form, cell) and not _is_added(split_cell(cell)[1])}
    return _Copy(
        number=back.id,
        document=document.id,
        contribution=Contribution(
            source=f"return:{back.id}",
            issued=issued,
            returned=returned,
            held=frozenset(cell for cell, _ in doubts) | _absent(form, back, rows) | locked,
            edition=document.edition if is_ours else 0,
        ),
        rows=rows,
        doubts=(*(_doubt(form, back, cell, problem, rows, issued) for cell, problem in doubts if (cell, back.id) not in looked_at), *_notes(back)),
    )


def rows_of(connection: Connection, form: Form, back: Return, document: Document) -> Rows:
    """Whom the rows of a paper that came back are about."""
    if back.stamp == document.id:
        return row_identities(form, document.id, document.rows, back.values)
    return _named_rows(connection, form, back, document)


def _told_once(doubts: list[tuple[str, Problem]]) -> list[tuple[str, Problem]]:
    """Doubts of ink once for a cell, and not where something plainer is wrong with it."""
    plain = {cell for cell, problem in doubts if problem.code not in INK}
    ink = {cell: (cell, problem) for cell, problem in reversed(doubts) if problem.code in INK and cell not in plain}
    return [*((cell, problem) for cell, problem in doubts if problem.code not in INK), *reversed(ink.values())]


def _is_added(row: str) -> bool:
    return "." in row


def _named_rows(connection: Connection, form: Form, back: Return, document: Document) -> dict[str, tuple[str, ...]]:
    """The rows of a paper that was not issued here: known by the child or action they print, otherwise rows that were added."""
    found = {}
    for name, identities in row_identities(form, f"ret{back.id}", {group.name: () for group in form.groups}, back.values).items():
        entries = back.values.get(name)
        known = [_printed(connection, row) for row in entries if isinstance(row, dict)] if isinstance(entries, list) else []
        own = set(document.rows.get(name, ()))
        found[name] = tuple(mark if mark in own and known.count(mark) == 1 else identity for mark, identity in zip(known, identities, strict=True))
    return found


def _printed(connection: Connection, row: Mapping[str, object]) -> str:
    """Whom a printed row is about: an action by its id, a child by id and name together."""
    if row.get("action_id"):
        return f"a{row['action_id']}"
    name, number = str(row.get("child_name", "")), str(row.get("child_id", ""))
    child = _child(connection, name, number, set(), anywhere=True) if number else None
    return f"c{child}" if child is not None else ""


def _absent(form: Form, back: Return, rows: Rows) -> frozenset[str]:
    """The cells whose fields the file did not have."""
    return frozenset(as_cell(form, key, rows) for key in back.absent)


def _notes(back: Return) -> Iterator[Question]:
    """What is to be looked at on the whole paper, one question for each kind."""
    told = {"fields-gone"} if back.absent else set()  # what was printed in them is what matters, and is told below
    for code in sorted((LOOKED_AT & {problem.code for problem in back.problems}) - told):
        found = [problem for problem in back.problems if problem.code == code]
        raw = "; ".join(f"{problem.field}: {back.raw[problem.field]}" for problem in found if problem.field in back.raw)
        yield Question(code=code, return_id=back.id, facts={"message": " ".join(dict.fromkeys(problem.message for problem in found)), "raw": raw})
    if back.absent and not any(problem.code == "page-missing" for problem in back.problems):
        yield Question(code="fields-missing", return_id=back.id, facts={"message": word("fields-missing", count=len(back.absent), first=back.absent[0]), "raw": ""})


def _doubt(form: Form, back: Return, cell: str, problem: Problem, rows: Rows, issued: Cells) -> Question:
    value = cells_of(form, back.values, rows).get(cell)
    return Question(code=problem.code, cell=cell, return_id=back.id, facts={"message": problem.message, "value": value, "issued": issued.get(cell), "raw": back.raw.get(problem.field, "")})


def as_cell(form: Form, field: str, rows: Rows) -> str:
    """The cell of an answer key; empty if the form does not ask for it. The boxes of an exclusive choice are one cell."""
    group, _, rest = field.partition("-")
    if form.group(group) is None:
        name = _question(form.asks, field)
        return name if any(ask.name == name.partition("-")[0] for ask in form.asks) else ""
    number, _, name = rest.partition("-")
    identities = rows.get(group, ())
    if not name or not number.isdecimal() or int(number) >= len(identities):
        return ""
    known = form.group(group)
    return cell_of(group, identities[int(number)], _question(known.asks if known else (), name))


def _question(asks: Sequence[Ask], name: str) -> str:
    head = name.partition("-")[0]
    return head if any(ask.name == head and not isinstance(ask.kind, Choices) for ask in asks) else name


def is_locked(form: Form, cell: str) -> bool:
    """Whether a cell is printed by us and not for anybody to write in."""
    group_name, _, name = split_cell(cell)
    group = form.group(group_name) if group_name else None
    return any(ask.locked for ask in (group.asks if group else form.asks) if ask.name == name)


def _decisions(connection: Connection, sheet_id: int) -> dict[str, Decision]:
    return {cell: Decision(value=row.value, seen=tuple(row.seen.get("values", ()))) for cell, row in standing_decisions(connection, sheet_id).items()}


def _settled(form: Form, documents: Sequence[Document], copies: Sequence[_Copy], decided: Mapping[str, Decision]) -> tuple[Settled, Rows]:
    """The cells of a sheet and its rows: what was printed on the newest edition that came back, and what people wrote.

    Editions that did not come back say nothing, except whom a row is about that people wrote in.
    """
    back = {copy.document for copy in copies}
    base = next((document for document in reversed(documents) if document.id in back), documents[-1])
    settled = settle(cells_of(form, base.base, all_rows(form, base.rows)), [copy.contribution for copy in copies], decided)
    written = {split_cell(cell)[:2] for cell in settled.edited}
    printed = {cell: value for document in documents for cell, value in cells_of(form, document.base, all_rows(form, document.rows)).items() if split_cell(cell)[1]}
    names = {cell: value for cell, value in printed.items() if is_locked(form, cell) and split_cell(cell)[:2] in written}
    rows = joined_rows([all_rows(form, base.rows), *(document.rows for document in documents), *(copy.rows for copy in copies), _decided_rows(decided)])
    return replace(settled, cells={**names, **settled.cells}), rows


def _decided_rows(decided: Collection[str]) -> dict[str, tuple[str, ...]]:
    """The rows that people added on screen: they stand in decisions only."""
    found: dict[str, dict[str, None]] = {}
    for cell in decided:
        group, row, _ = split_cell(cell)
        if group and _is_added(row):
            found.setdefault(group, {})[row] = None
    return {group: tuple(rows) for group, rows in found.items()}


def _conflicts(conflicts: Sequence[Conflict]) -> Iterator[Question]:
    for conflict in conflicts:
        in_order = sorted(conflict.candidates, key=lambda candidate: min((int(source.partition(":")[2]) for source in candidate.sources), default=0))
        candidates = [{"value": candidate.value, "sources": list(candidate.sources)} for candidate in in_order]
        yield Question(code="conflict", cell=conflict.cell, facts={"issued": conflict.issued, "stands": conflict.candidates[0].value, "candidates": candidates})


def _revise(office: Office, connection: Connection, sheet: Sheet, values: Values, rows: Rows, cause: str) -> tuple[bool, int]:
    """The next revision, if anything is known that was not known before."""
    latest = latest_revision(connection, sheet.id)
    if latest is not None and latest.values == values:  # rows that say nothing may come and go
        return False, latest.number
    number = latest.number + 1 if latest else 1
    add_revision(connection, sheet.id, Revision(number=number, values=values, rows=rows, cause=cause, at=now(), by=office.store.by))
    sealed = stored_digest(connection, "revision", office.store.key, revisions.c.sheet_id == sheet.id, revisions.c.number == number)
    office.store.log(connection, "revised", f"sheet:{sheet.id}", revision=number, cause=cause, digest=sealed)
    announce(connection, "record.changed", {"record": sheet.id, "revision": number, "unit": sheet.unit, "month": sheet.month, "form": sheet.form}, unit=sheet.unit)
    return True, number


# ---------------------------------------------------------------- who it is about


@dataclass(frozen=True, slots=True, kw_only=True)
class _People:
    """The children of the rows, and the rows whose child is not certain."""

    children: Mapping[str, int]
    questions: tuple[Question, ...]


def _resolve(connection: Connection, state: UnitMonth, sheet: Sheet, settled: Settled, decided: Collection[str]) -> _People:
    """Find the child of every row that people wrote in; an unknown child is a question, not a loss."""
    group = "actions" if sheet.form == "case-management" else "children"
    written = {row for cell in settled.edited for cell_group, row, _ in [split_cell(cell)] if cell_group == group and row}
    held = as_day(settled.cells.get("conference_date"))
    stays = [spell for spell in read_enrolments(connection, sheet.unit) if spell.unit == sheet.unit]
    here = {child.key for child in state.children}
    found: dict[str, int] = {}
    questions: list[Question] = []
    for row in sorted(written):
        if row.startswith("c"):
            found[row] = int(row[1:])
            questions += _left(cell_of(group, row, "child_name"), [stay for stay in stays if stay.child == int(row[1:])], held)
        elif not row.startswith("a"):
            name, number = (str(settled.cells.get(cell_of(group, row, part), "")) for part in ("child_name", "child_id"))
            child = _child(connection, name, number, here, anywhere=cell_of(group, row, "child_id") in decided)
            if child is not None:
                found[row] = child
            else:
                questions.append(Question(code="unknown-child", cell=cell_of(group, row, "child_name"), facts={"name": name, "child_id": number}))
    return _People(children=found, questions=tuple(questions))


def _child(connection: Connection, name: str, number: str, here: set[int], *, anywhere: bool = False) -> int | None:
    """The child of the unit with that id whose name does not contradict it, or the only one of the unit with that name."""
    if number:
        key = find_child(connection, number)
        known = read_children(connection, [key]).get(key) if key is not None else None
        agrees = known is not None and (not name or plain(known.name) == plain(name))
        return key if agrees and (anywhere or key in here) else None
    same = [child.key for child in read_children(connection, here).values() if name and plain(child.name) == plain(name)]
    return same[0] if len(same) == 1 else None


def _left(cell: str, stays: Sequence[Enrolment], held: date | None) -> Iterator[Question]:
    """A child that was written about although it had left the unit before the conference."""
    if held is not None and stays and all(stay.ends is not None and stay.ends < held for stay in stays):
        last = max(stay.ends for stay in stays if stay.ends)
        yield Question(code="child-left", cell=cell, facts={"left_on": last.isoformat(), "held_on": held.isoformat()})


# ---------------------------------------------------------------- rules


def _context(office: Office, connection: Connection, state: UnitMonth, rows: Rows) -> Context:
    """What the rules of the month need to know around a sheet."""
    ids = [row[1:] for group in ("actions", "children") for row in rows.get(group, ()) if row.startswith("a")]
    carried = {f"a{action.id}": months_between(action.opened, state.month) for action in read_actions(connection, ids=ids)} if ids else {}
    return Context(month=state.month, start=state.start, is_first=state.last_held is None, procedure=office.procedure, carried=carried)
