"""Takes in what came back: read in the sandbox, kept encrypted, counted where it belongs, or asked about.

A return is acknowledged only when its file, its answers and everything that follows from them stand in
one transaction. The same file again changes nothing.
"""

import os
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

from sqlalchemy import Connection, select
from sqlalchemy.exc import IntegrityError

from formsvc.casework.cells import cells_of, row_identities
from formsvc.casework.month_rules import as_day
from formsvc.documents import Issue
from formsvc.errors import Refused, word
from formsvc.model.form import FormId
from formsvc.model.interpret import answer_texts
from formsvc.model.procedure import month_of
from formsvc.model.record import Problem, Submission
from formsvc.office.erase import erase_child, pseudonym
from formsvc.office.incoming import LEFT_ALONE, Found
from formsvc.office.month import issue_unit
from formsvc.office.office import Office
from formsvc.office.sheets import SheetState, settle_from
from formsvc.parsers.sandbox import Limits, run_limited
from formsvc.parsers.split import take_pages
from formsvc.service import Received, ReceivedPart
from formsvc.store.digest import stored_digest
from formsvc.store.papers import Document, Question, Return, add_return, as_json, ask, find_document, find_return, open_questions, read_sheet, read_sheets, said_sheet
from formsvc.store.roster import read_enrolments, read_units
from formsvc.store.schema import children, returns
from formsvc.store.store import settle_file

KEPT_UNREAD: Final = frozenset({"scan", "flattened-print", "picture-dark", "picture-blurred", "picture-not-found", "picture-small", "layout-unknown"})
"""Papers that a person can read and we cannot: kept, and asked about."""
DOUBTFUL_STAMPS: Final = frozenset({"stamps-differ", "stamp-unverified"})
"""Signs that a paper is mixed from several, or was not made here: a person says whether it counts."""
_AGAIN: Final = {"dropped": ", and was dropped; back: formsvc review place R{number}", "waiting": ", and waits: formsvc review"}
_TAKING_APART: Final = Limits(cpu_seconds=30, wall_seconds=60.0)
_AHEAD: Final = max(1, min(os.cpu_count() or 1, 8) - 1)
"""So many files are read while one is stored."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Receipt:
    """What became of a file. `state`: counted, waiting (for a person), again (it was here before), refused, left (no paper)."""

    name: str
    state: str
    document: str = ""
    where: str = ""
    """Site, unit, month and form it counts for."""
    answers: int = 0
    changed: bool = False
    questions: int = 0
    problems: tuple[Problem, ...] = ()
    code: str = ""
    message: str = ""
    unit: int | None = None
    month: str = ""
    parts: tuple["Receipt", ...] = ()
    """Of a file with several documents: what became of each, in the order of its pages."""

    def each(self) -> tuple["Receipt", ...]:
        """The receipts of single documents: itself, or its parts."""
        return self.parts or (self,)


# ---------------------------------------------------------------- one return


def receive(office: Office, found: Found, *, month: str | None = None, password: str | None = None, units: frozenset[int] | None = None, again: bool = False) -> Receipt:
    """Take in one file. `month` is the month that was expected: a paper of another one counts for its own and is told.

    `units` are those that the sender works in: a paper of another one waits for somebody who does, and the sender
    learns nothing about it. `again` tells of a file that was received before as if it came just now: its worker
    died after it was stored.
    """
    return _for_units(_begin(office, found, month, password, units, again=again)(), units)


def _for_units(receipt: Receipt, units: frozenset[int] | None) -> Receipt:
    """A receipt as its sender may see it."""
    if receipt.parts:
        parts = tuple(_for_units(part, units) for part in receipt.parts)
        return _together(receipt.name, parts)
    return receipt if units is None or receipt.unit is None or receipt.unit in units else _hidden(receipt)


def _hidden(receipt: Receipt) -> Receipt:
    """What somebody learns of a paper of a unit that is not theirs: that it is here."""
    if receipt.state != "waiting":
        return Receipt(name=receipt.name, state=receipt.state, questions=receipt.questions, message=receipt.message)
    refused = Refused("not-your-unit", "")
    return Receipt(name=receipt.name, state=receipt.state, questions=receipt.questions, code=refused.code, message=refused.message)


def _as_first(office: Office, found: Found, receipt: Receipt) -> Receipt:
    """What the receipt would have been when the file was stored."""
    if receipt.state != "again":
        return receipt
    with office.store.reading() as connection:
        back = find_return(connection, office.store.vault.name_of(found.content))
        if back is None or back.state not in ("counted", "waiting"):
            return receipt
        sheet = read_sheet(connection, back.sheet) if back.sheet is not None else None
        questions = len(list(open_questions(connection, return_id=back.id))) if sheet is None else len(list(open_questions(connection, sheet_id=sheet.id)))
        return replace(receipt, state=back.state, message="", answers=len(back.values), changed=True, questions=questions, problems=sheet.problems if sheet else (), month=sheet.month if sheet else "")


def receive_all(office: Office, files: Iterable[Found], *, month: str | None = None, password: str | None = None) -> Iterator[Receipt]:
    """Take in many files in their order; while one is stored, the next ones are read in processes of their own."""
    waiting: deque[Callable[[], Receipt]] = deque()
    for found in files:
        waiting.append(_begin(office, found, month, password, None))
        if len(waiting) > _AHEAD:
            yield waiting.popleft()()
    while waiting:
        yield waiting.popleft()()


def _begin(office: Office, found: Found, month: str | None, password: str | None, units: frozenset[int] | None, *, again: bool = False) -> Callable[[], Receipt]:
    """Begin to take a file in; call the result once to finish it."""
    if found.refused is not None:
        refused = _refused(found.name, found.refused)
        told = replace(refused, state="left") if found.refused.code == LEFT_ALONE else refused
        return lambda: told
    name = office.store.vault.name_of(found.content)
    with office.store.reading() as connection:
        if known := find_return(connection, name):
            before = _again(connection, found.name, known)
            return lambda: _as_first(office, found, before) if again else before
    reading = office.service.begin(found.content, password=password, lookup=lambda document: issue_of(office, document))

    def finish() -> Receipt:
        try:
            parts = reading()
        except Refused as refused:
            return _refused(found.name, refused)
        if len(parts) == 1:
            return _part_in(office, found, parts[0], month, units)
        return _binder(office, found, parts, password, month, units, again=again)

    return finish


def _part_in(office: Office, found: Found, part: ReceivedPart, month: str | None, units: frozenset[int] | None, *, keep: bool = False) -> Receipt:
    """Take in one document; with `keep`, pages that are nothing of ours are kept too: they came in one file with what is."""
    if part.received is not None:
        return _taken_in(office, found, part.received, month, units)
    refused = part.refused or Refused("not-a-form")
    return _keep_unread(office, found, refused) if keep or refused.code in KEPT_UNREAD else _refused(found.name, refused)


def _binder(office: Office, found: Found, parts: Sequence[ReceivedPart], password: str | None, month: str | None, units: frozenset[int] | None, *, again: bool) -> Receipt:
    """Take in a file of several documents: each becomes a file of its own, made of its pages, and a return of its own."""
    try:
        contents = run_limited(take_pages, found.content, password, tuple((part.document, part.pages) for part in parts), limits=_TAKING_APART)
    except Refused as refused:
        return _refused(found.name, refused)
    receipts = []
    for part, content in zip(parts, contents, strict=True):
        pages = ", ".join(map(str, part.pages))
        own = Found(name=f"{found.name} ({pages})", content=content)
        receipt = _part_in(office, own, _on_own_pages(part), month, units, keep=True)
        receipts.append(_as_first(office, own, receipt) if again else receipt)
    return _together(found.name, tuple(receipts))


def _on_own_pages(part: ReceivedPart) -> ReceivedPart:
    """Answers with the page of the part, not of the whole file."""
    if part.received is None:
        return part
    submission = part.received.submission
    own = {page: number for number, page in enumerate(part.pages, start=1)}
    answers = {key: replace(answer, page=own.get(answer.page, answer.page)) for key, answer in submission.answers.items()}
    return replace(part, received=replace(part.received, submission=replace(submission, answers=answers)))


def _together(name: str, parts: tuple[Receipt, ...]) -> Receipt:
    """What became of a file of several documents."""
    states = [part.state for part in parts]
    state = next(known for known in ("waiting", "counted", "again", "refused", "left") if known in states)
    return Receipt(
        name=name, state=state, answers=sum(part.answers for part in parts), changed=any(part.changed for part in parts), questions=sum(part.questions for part in parts),
        message=word("binder", count=len(parts)), parts=parts,
    )  # fmt: skip


def issue_of(office: Office, document: str) -> Issue | None:
    """What was issued under a document id: paper is read with it."""
    with office.store.reading() as connection:
        known = find_document(connection, document)
    if known is None:
        return None
    try:
        content = office.store.vault.get(known.file)
    except Refused:  # erased, or lost: `verify` tells; the paper can still be read without
        content = b""
    return Issue(lang="es" if known.lang == "es" else "en", values=known.snapshot, content=content)


def _refused(name: str, refused: Refused) -> Receipt:
    return Receipt(name=name, state="refused", code=refused.code, message=refused.message)


def _again(connection: Connection, name: str, known: Return) -> Receipt:
    document = find_document(connection, known.document) if known.document else None
    return Receipt(
        name=name,
        state="again",
        document=known.document or known.stamp,
        where=said_sheet(connection, known.sheet),
        message=f"was received before, on {known.at[:10]}{_AGAIN.get(known.state, '').format(number=known.id)}",
        unit=_unit(connection, known.sheet if known.sheet is not None else document.sheet if document else None),
    )


def _unit(connection: Connection, sheet: int | None) -> int | None:
    return read_sheet(connection, sheet).unit if sheet is not None else None


def _keep_unread(office: Office, found: Found, refused: Refused) -> Receipt:
    """A scan or print: the paper is safe here, and a person is asked."""
    columns: dict[str, Any] = {"state": "waiting", "source": "scan" if refused.code == "scan" else "flattened", "problems": []}
    return _asked(_stored(office, found, columns, Question(code=refused.code, facts={"message": refused.message}), None, refused.message), refused.code)


def _asked(receipt: Receipt, code: str) -> Receipt:
    """Why a return waits; one that was here before keeps its own words."""
    return replace(receipt, code=code) if receipt.state == "waiting" else receipt


def _taken_in(office: Office, found: Found, received: Received, month: str | None, units: frozenset[int] | None) -> Receipt:
    submission, record = received.submission, received.record
    with office.store.reading() as connection:
        document = find_document(connection, submission.document) if submission.document else None
        unit = read_sheet(connection, document.sheet).unit if document else None
    question = _doubt_of_place(document, received, office)
    if question is None and units is not None and unit not in units:
        question = Question(code="not-your-unit", facts={"message": Refused("not-your-unit", "").message})
    raws = {problem.field: submission.answers[problem.field].raw for problem in record.problems if problem.field in submission.answers}
    columns: dict[str, Any] = {
        "state": "waiting" if question else "counted",
        "source": submission.source,
        "form": record.form.name,
        "version": record.form.version,
        "stamp": submission.document,
        "document": document.id if document else None,
        "sheet_id": document.sheet if document and not question else None,
        "values": dict(record.values),
        "raw": raws,
        "absent": _absent(office, document, submission) if document else [],
        "problems": as_json(record.problems),
        "places": _places(submission),
    }
    receipt = replace(_stored(office, found, columns, question, document, question.facts["message"] if question else ""), unit=unit)
    if question is not None:
        receipt = _asked(receipt, question.code)
    if document is not None:
        _erase_again(office, document)
    if month is not None and receipt.month and receipt.month != month:
        return replace(receipt, message=f"belongs to {receipt.month}, not to {month}: it counts for its own month")
    return receipt


def _places(submission: Submission) -> dict[str, list[float]] | None:
    """Where the answers of a paper stand in its file; forms with fields tell that themselves."""
    if submission.source not in ("flattened", "scan"):
        return None
    return {key: [answer.page, *(round(side, 1) for side in answer.box), round(answer.confidence, 3)] for key, answer in submission.answers.items()}


def _erase_again(office: Office, document: Document) -> None:
    """An old copy brings nothing back about a child who was erased: its row, and the file that holds it, go again."""
    keys = [int(row[1:]) for rows in document.rows.values() for row in rows if row.startswith("c") and row[1:].isdecimal()]
    with office.store.reading() as connection:
        erased = list(connection.scalars(select(children.c.id).where(children.c.id.in_(keys), children.c.erased)))
    for key in erased:
        erase_child(office, pseudonym(key), "an old copy came back", on=datetime.now(UTC).date())


def _absent(office: Office, document: Document, submission: Submission) -> list[str]:
    """The issued answers whose fields are not in the file: a lost page does not empty what stood on it."""
    if document.form != submission.form.name:
        return []
    form = office.catalog.form(FormId(name=document.form, version=document.version))
    return [place.key for place, _ in answer_texts(form, document.snapshot) if place.key not in submission.answers]


def _doubt_of_place(document: Document | None, received: Received, office: Office) -> Question | None:
    """Why it is not certain where a return belongs; None if it is."""
    values = received.record.values
    if document is None:
        known = {name: values.get(name, "") for name in ("site", "unit", "specialist", "month")}
        code = "unknown-document" if received.submission.document else "stamp-missing"
        return Question(code=code, facts={"message": Refused("unknown-document", "").message, "printed": known})
    if document.form != received.record.form.name:
        return Question(code="unknown-document", facts={"message": Refused("unknown-document", "").message, "printed": {}})
    if doubt := next((problem for problem in received.record.problems if problem.code in DOUBTFUL_STAMPS), None):
        return Question(code=doubt.code, facts={"message": doubt.message})
    held, printed = as_day(values.get("conference_date")), str(document.snapshot.get("month", ""))
    form = office.catalog.form(received.record.form)
    rows = row_identities(form, document.id, document.rows, values)
    written = cells_of(form, values, rows) != cells_of(form, document.snapshot, rows)
    if held is not None and written and month_of(held) != printed:
        return Question(code="other-month", facts={"message": Refused("other-month", "", found=month_of(held), printed=printed).message, "found": month_of(held), "printed": printed})
    return None


def _stored(office: Office, found: Found, columns: dict[str, Any], question: Question | None, document: Document | None, message: str) -> Receipt:
    """Keep the file and everything that follows from it, in one transaction."""
    name = office.store.keep(found.content)
    try:
        with office.store.writing() as connection:
            if known := find_return(connection, name):
                return _again(connection, found.name, known)
            number = add_return(connection, file=name, file_name=Path(os.fsencode(found.name).decode("utf-8", "replace")).name, by=office.store.by, **columns)
            settle_file(connection, name)
            sealed = stored_digest(connection, "return", office.store.key, returns.c.id == number)
            office.store.log(connection, "received", f"return:{number}", state=columns["state"], document=columns.get("stamp", ""), source=columns["source"], digest=sealed)
            state = None
            if question is not None:
                ask(connection, None, Question(code=question.code, cell=question.cell, return_id=number, facts=question.facts))
            elif document is not None:
                state = settle_from(office, connection, document.sheet, f"return:{number}")
            return _receipt(connection, found.name, columns, state, document, message)
    except IntegrityError:  # the same file arrived twice at once: the other one was first
        with office.store.reading() as connection:
            if known := find_return(connection, name):
                return _again(connection, found.name, known)
        raise


def _receipt(connection: Connection, name: str, columns: dict[str, Any], state: SheetState | None, document: Document | None, message: str) -> Receipt:
    return Receipt(
        name=name,
        state=columns["state"],
        document=document.id if document else str(columns.get("stamp", "")),
        where=said_sheet(connection, document.sheet if document else None),
        answers=len(columns.get("values", ())),
        changed=state.changed if state else False,
        questions=state.questions if state else 1,
        problems=state.problems if state else (),
        message=message,
        unit=state.sheet.unit if state else None,
        month=state.sheet.month if state else "",
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Renewed:
    """How many follow-up forms were made anew, and the units and months where that failed."""

    made: int = 0
    failed: tuple[tuple[str, Refused], ...] = ()


def renew_follow_up(office: Office, receipts: Sequence[Receipt]) -> Renewed:
    """R8, R10: make the follow-up forms anew that lack actions of the papers just received; a unit that fails does not stop the others.

    An action stands on the paper of the unit where its child is now, in this month and in later ones that were issued.
    """
    touched = {(receipt.unit, receipt.month) for one in receipts for receipt in one.each() if receipt.changed and receipt.unit is not None}
    with office.store.reading() as connection:
        units = {unit.id: unit for unit in read_units(connection)}
        wanted = {(unit, month) for one, since in touched for unit in _where_its_children_are(connection, one) for month in _issued_since(connection, unit, since)}
    made, failed = 0, []
    for unit, month in sorted(wanted):
        try:
            made += issue_unit(office, units[unit], month).made
        except Refused as refused:
            failed.append((f"{units[unit].site}, {units[unit].name}, {month}", refused))
    return Renewed(made=made, failed=tuple(failed))


def _where_its_children_are(connection: Connection, unit: int) -> set[int]:
    """The unit, and those to which children moved from it."""
    return {unit} | {stay.unit for stay in read_enrolments(connection, unit) if stay.ends is None}


def _issued_since(connection: Connection, unit: int, month: str) -> set[str]:
    """The months from this one on in which a unit's papers were issued."""
    return {sheet.month for sheet in read_sheets(connection, unit_id=unit) if sheet.month >= month}
