"""Sheets, the documents they were issued as, what came back, and what is known since."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, cast

from sqlalchemy import Connection, Row, func, insert, select, update

from formsvc.model.record import Problem, Values
from formsvc.store.log import now
from formsvc.store.rows import inserted
from formsvc.store.schema import decisions, documents, questions, returns, revisions, sheets, sites, units

Rows = Mapping[str, Sequence[str]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Sheet:
    """One paper of one unit and month."""

    id: int
    unit: int
    month: str
    form: str
    part: int
    revision: int
    problems: tuple[Problem, ...]
    done_on: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Document:
    """A sheet as it was issued once."""

    id: str
    sheet: int
    edition: int
    form: str
    version: int
    lang: str
    snapshot: Values
    base: Values
    """The values as issued without what people had written on earlier editions."""
    rows: Rows
    file: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Return:
    """A document that came back. `raw` holds what could not be understood, as it was written."""

    id: int
    document: str | None
    sheet: int | None
    state: str
    source: str
    at: str
    by: str
    file: str
    file_name: str
    form: str
    version: int
    values: Values
    raw: Mapping[str, str]
    absent: tuple[str, ...]
    """Answers that were issued and whose fields the file does not have: it says nothing about them."""
    problems: tuple[Problem, ...]
    stamp: str
    places: Mapping[str, tuple[float, ...]] = field(default_factory=dict)
    """Of paper: page, left, bottom, right, top in the file, and how sure the reading is."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Revision:
    """What is known of a sheet from a moment on."""

    number: int
    values: Values
    rows: Rows
    cause: str
    at: str
    by: str


def as_json(problems: Sequence[Problem]) -> list[list[str]]:
    """Problems as the store writes them."""
    return [[found.code, found.field, found.severity, found.message] for found in problems]


def _problems(rows: Sequence[Sequence[str]]) -> tuple[Problem, ...]:
    return tuple(Problem(code=code, field=field, severity="error" if severity == "error" else "warning", message=message) for code, field, severity, message in rows)


# ---------------------------------------------------------------- sheets and documents


def read_sheets(connection: Connection, **given: Any) -> tuple[Sheet, ...]:
    """The sheets with these columns (`month="2026-11"`, `unit_id=3`), in order of site, unit, form and part."""
    wanted = select(sheets).join(units).join(sites).order_by(sites.c.name, units.c.name, sheets.c.month, sheets.c.form.desc(), sheets.c.part)
    for name, value in given.items():
        column = sheets.c[name]
        wanted = wanted.where(column.in_(value) if isinstance(value, (tuple, frozenset)) else column == value)
    return tuple(_sheet(row) for row in connection.execute(wanted))


def read_sheet(connection: Connection, sheet: int) -> Sheet:
    """One sheet."""
    return _sheet(connection.execute(select(sheets).where(sheets.c.id == sheet)).one())


def said_sheet(connection: Connection, sheet: int | None) -> str:
    """A sheet in words: site, unit, month, form and part; empty for none."""
    wanted = select(sites.c.name, units.c.name, sheets.c.month, sheets.c.form, sheets.c.part).select_from(sheets.join(units).join(sites)).where(sheets.c.id == sheet)
    row = connection.execute(wanted).first() if sheet is not None else None
    return ", ".join((*row[:4], *((f"part {row[4]}",) if row[4] > 1 else ()))) if row else ""


def _sheet(row: Row[Any]) -> Sheet:
    return Sheet(id=row.id, unit=row.unit_id, month=row.month, form=row.form, part=row.part, revision=row.revision, problems=_problems(row.problems), done_on=row.done_on)


def make_sheet(connection: Connection, unit: int, month: str, form: str, part: int) -> int:
    """The id of a sheet, made if it is not there."""
    same = (sheets.c.unit_id == unit, sheets.c.month == month, sheets.c.form == form, sheets.c.part == part)
    if found := connection.execute(select(sheets.c.id).where(*same)).scalar():
        return cast("int", found)
    return inserted(connection, sheets, unit_id=unit, month=month, form=form, part=part, problems=[])


def mark_sheet(connection: Connection, sheet: int, *, revision: int, problems: Sequence[Problem], done_on: str) -> None:
    """What is known of a sheet now."""
    connection.execute(update(sheets).where(sheets.c.id == sheet).values(revision=revision, problems=as_json(problems), done_on=done_on))


def read_documents(connection: Connection, sheet_ids: Sequence[int]) -> tuple[Document, ...]:
    """Every edition of these sheets, the oldest first."""
    wanted = select(documents, sheets.c.form).join(sheets).where(documents.c.sheet_id.in_(sheet_ids)).order_by(documents.c.sheet_id, documents.c.edition)
    return tuple(_document(row) for row in connection.execute(wanted))


def newest_documents(connection: Connection, sheet_ids: Sequence[int]) -> Mapping[int, Document]:
    """The newest edition of each sheet."""
    return {document.sheet: document for document in read_documents(connection, sheet_ids)}


def find_document(connection: Connection, document: str) -> Document | None:
    """A document by its id."""
    row = connection.execute(select(documents, sheets.c.form).join(sheets).where(documents.c.id == document)).first()
    return _document(row) if row else None


def _document(row: Row[Any]) -> Document:
    return Document(id=row.id, sheet=row.sheet_id, edition=row.edition, form=row.form, version=row.version, lang=row.lang, snapshot=row.snapshot, base=row.base, rows=row.rows, file=row.file)


def add_document(connection: Connection, document: Document) -> None:
    """A new edition of a sheet. Raises IntegrityError if another process made that edition."""
    connection.execute(
        insert(documents).values(
            id=document.id,
            sheet_id=document.sheet,
            edition=document.edition,
            version=document.version,
            lang=document.lang,
            snapshot=document.snapshot,
            base=document.base,
            rows={group: list(rows) for group, rows in document.rows.items()},
            file=document.file,
            at=now(),
        )
    )


# ---------------------------------------------------------------- what came back


def find_return(connection: Connection, file: str) -> Return | None:
    """The return whose file that is."""
    row = connection.execute(select(returns).where(returns.c.file == file)).first()
    return _return(row) if row else None


def read_return(connection: Connection, number: int) -> Return | None:
    """A return by its number."""
    row = connection.execute(select(returns).where(returns.c.id == number)).first()
    return _return(row) if row else None


def counted_returns(connection: Connection, sheet: int) -> tuple[Return, ...]:
    """The returns that count for a sheet."""
    return tuple(_return(row) for row in connection.execute(select(returns).where(returns.c.sheet_id == sheet, returns.c.state == "counted").order_by(returns.c.id)))


def _return(row: Row[Any]) -> Return:
    return Return(
        id=row.id,
        document=row.document,
        sheet=row.sheet_id,
        state=row.state,
        source=row.source,
        at=row.at,
        by=row.by,
        file=row.file,
        file_name=row.file_name,
        form=row.form or "",
        version=row.version or 0,
        values=row.values or {},
        raw=row.raw or {},
        absent=tuple(row.absent or ()),
        problems=_problems(row.problems),
        stamp=row.stamp,
        places={key: tuple(place) for key, place in (row.places or {}).items()},
    )


def add_return(connection: Connection, **columns: Any) -> int:
    """A new return; its number."""
    return inserted(connection, returns, at=now(), **columns)


def move_return(connection: Connection, number: int, **columns: Any) -> None:
    """Another state of a return, or another sheet."""
    connection.execute(update(returns).where(returns.c.id == number).values(**columns))


# ---------------------------------------------------------------- revisions, decisions


def latest_revision(connection: Connection, sheet: int) -> Revision | None:
    """What is known of a sheet now."""
    row = connection.execute(select(revisions).where(revisions.c.sheet_id == sheet).order_by(revisions.c.number.desc()).limit(1)).first()
    return _revision(row) if row else None


def latest_revisions(connection: Connection, sheet_ids: Sequence[int]) -> Mapping[int, Revision]:
    """What is known of several sheets now."""
    newest = select(revisions.c.sheet_id, func.max(revisions.c.number).label("number")).where(revisions.c.sheet_id.in_(sheet_ids)).group_by(revisions.c.sheet_id).subquery()
    wanted = select(revisions).join(newest, (newest.c.sheet_id == revisions.c.sheet_id) & (newest.c.number == revisions.c.number))
    return {row.sheet_id: _revision(row) for row in connection.execute(wanted)}


def read_revisions(connection: Connection, sheet: int) -> tuple[Revision, ...]:
    """The history of a sheet."""
    return tuple(_revision(row) for row in connection.execute(select(revisions).where(revisions.c.sheet_id == sheet).order_by(revisions.c.number)))


def _revision(row: Row[Any]) -> Revision:
    return Revision(number=row.number, values=row.values, rows=row.rows, cause=row.cause, at=row.at, by=row.by)


def add_revision(connection: Connection, sheet: int, revision: Revision) -> None:
    """The next revision of a sheet."""
    rows = {group: list(identities) for group, identities in revision.rows.items()}
    connection.execute(insert(revisions).values(sheet_id=sheet, number=revision.number, values=revision.values, rows=rows, cause=revision.cause, at=revision.at, by=revision.by))


def add_decision(connection: Connection, sheet: int, cell: str, *, value: Any, seen: Mapping[str, Any], by: str, withdrawn: bool = False) -> int:
    """What a person decided about a cell."""
    return inserted(connection, decisions, sheet_id=sheet, cell=cell, value=value, seen=dict(seen), at=now(), by=by, withdrawn=withdrawn)


def standing_decisions(connection: Connection, sheet: int) -> Mapping[str, Row[Any]]:
    """The decision that stands for each cell of a sheet: the last one that was not taken back."""
    made: dict[str, list[Row[Any]]] = {}
    for row in connection.execute(select(decisions).where(decisions.c.sheet_id == sheet).order_by(decisions.c.id)):
        stack = made.setdefault(row.cell, [])
        if not row.withdrawn:
            stack.append(row)
        elif stack:
            stack.pop()
    return {cell: stack[-1] for cell, stack in made.items() if stack}


# ---------------------------------------------------------------- questions


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """Something that waits for a person. `facts` holds the values in question and where they come from."""

    code: str
    cell: str = ""
    return_id: int | None = None
    facts: Mapping[str, Any]

    @property
    def key(self) -> tuple[str, str, int | None]:
        """What it is about: the same question is asked once."""
        return self.code, self.cell, self.return_id


def ask(connection: Connection, sheet: int | None, question: Question) -> None:
    """Put a question into the queue."""
    connection.execute(insert(questions).values(sheet_id=sheet, return_id=question.return_id, cell=question.cell, code=question.code, facts=dict(question.facts), state="open", at=now()))


def sync_questions(connection: Connection, sheet: int, wanted: Sequence[Question]) -> int:
    """Let exactly these questions be open for a sheet, except those that were answered as they stand; how many are open."""
    known = {(row.code, row.cell, row.return_id): row for row in connection.execute(select(questions).where(questions.c.sheet_id == sheet))}
    count = 0
    for question in wanted:
        row = known.pop(question.key, None)
        if row is None:
            ask(connection, sheet, question)
        elif row.state == "answered" and _asked(row.facts) == _asked(question.facts):
            continue
        elif row.state != "open" or row.facts != dict(question.facts):
            connection.execute(update(questions).where(questions.c.id == row.id).values(state="open", facts=dict(question.facts)))
        count += 1
    settled = [row.id for row in known.values() if row.state == "open"]
    if settled:
        connection.execute(update(questions).where(questions.c.id.in_(settled)).values(state="gone"))
    return count


def _asked(facts: Mapping[str, Any]) -> Any:
    """What a question asks, without who gave each value: the same answer from another copy asks nothing new."""
    values = [candidate["value"] for candidate in facts.get("candidates", ())]
    return {name: value for name, value in facts.items() if name not in ("candidates", "message")} | {"values": values}


def open_questions(connection: Connection, state: str = "open", **given: Any) -> Iterator[Row[Any]]:
    """The questions that wait (or are in another state), the oldest first, with the sheet they are about."""
    wanted = (
        select(questions, sheets.c.month, sheets.c.form, sheets.c.unit_id, units.c.name.label("unit"), sites.c.name.label("site"))
        .outerjoin(sheets, sheets.c.id == questions.c.sheet_id)
        .outerjoin(units, units.c.id == sheets.c.unit_id)
        .outerjoin(sites, sites.c.id == units.c.site_id)
        .where(questions.c.state == state)
        .order_by(questions.c.id)
    )
    for name, value in given.items():
        wanted = wanted.where(questions.c[name] == value)
    yield from connection.execute(wanted)


def find_question(connection: Connection, number: int) -> Row[Any] | None:
    """A question by its number."""
    return connection.execute(select(questions).where(questions.c.id == number)).first()


def reopen_question(connection: Connection, number: int) -> None:
    """The question waits again."""
    connection.execute(update(questions).where(questions.c.id == number).values(state="open"))


def answer_question(connection: Connection, number: int) -> None:
    """The question was answered as it stands."""
    connection.execute(update(questions).where(questions.c.id == number).values(state="answered"))
