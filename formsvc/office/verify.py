"""Is everything that was kept still there, and still what it was? Reads all of it and changes nothing.

Work may go on meanwhile: what another process is just doing is looked at twice before it is called a fault.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from sqlalchemy import Column, Connection, Row, Table, func, select
from sqlalchemy.exc import SQLAlchemyError

from formsvc.casework.followup import Event, Facts, fold, told
from formsvc.errors import Refused, word
from formsvc.model.record import Severity
from formsvc.model.stamp import in_words
from formsvc.model.values import plain
from formsvc.office.follow import with_both_needs
from formsvc.office.office import Office
from formsvc.office.sheets import settle_sheet, settled_sheet
from formsvc.renderers.packet_paper import facts_of, open_paper
from formsvc.store.digest import digest
from formsvc.store.followup import KeptAction, events_of_sheet, read_actions, read_events
from formsvc.store.log import LOGS, entries, faults
from formsvc.store.papers import Sheet, read_sheet
from formsvc.store.schema import action_events, actions, children, documents, files, metadata, returns, revisions, sheets
from formsvc.store.schema_people import jobs
from formsvc.store.store import Store

OnStep = Callable[[int, int], None]
"""Is told how many steps are done, and of how many."""
_PATIENCE: Final = timedelta(hours=1)
_JOINED: Final = ("follow_up_action", "responsible", "target_date")
_UNREADABLE: Final = (LookupError, TypeError, ValueError, AttributeError, StopIteration, SQLAlchemyError, Refused)


@dataclass(frozen=True, slots=True, kw_only=True)
class Fault:
    """Something that is not as it should be. A warning is a note: nothing is lost."""

    code: str
    place: str
    message: str
    severity: Severity = "error"


def fault(code: str, place: str, severity: Severity = "error", /, **facts: object) -> Fault:
    """A fault in the words of the one table."""
    return Fault(code=code, place=place, message=word(code, **facts), severity=severity)


@dataclass(slots=True, kw_only=True)
class _Steps:
    """Counts for a progress bar."""

    of: int
    on_step: OnStep
    done: int = 0

    def __call__(self) -> None:
        self.done += 1
        self.on_step(self.done, self.of)


def quiet(_done: int, _of: int) -> None:
    """Listen to nothing."""


def verify(office: Office, on_step: OnStep = quiet) -> Iterator[Fault]:
    """Every fault of database, logs, files and records."""
    stored = frozenset(office.store.vault.names())  # before the rows: a file's row comes before the file
    try:
        with office.store.reading() as connection:
            found = [*_database(connection), *(chains := list(_chains(office, connection)))]
            found += () if chains else _logged(office, connection)  # a log that was changed proves nothing about the rows
            found += [*_actions(connection), *_unclaimed(connection), *_returned(connection)]
            papers, settled = list(connection.scalars(select(files.c.name).order_by(files.c.name))), _settled_sheets(connection)
        yield from found
        steps = _Steps(of=len(papers) + len(settled), on_step=on_step)
        yield from _files(office, stored, papers, steps)
        for sheet in settled:
            yield from _sheet(office, sheet)
            steps()
    except Refused as refused:
        if refused.code != "database-failed":
            raise
        yield Fault(code=refused.code, place="", message=refused.message)


# ---------------------------------------------------------------- database and logs


def _database(connection: Connection) -> Iterator[Fault]:
    if connection.dialect.name == "sqlite":
        told_of = [str(row[0]) for row in connection.exec_driver_sql("PRAGMA integrity_check(20)")]
        yield from (fault("database-damaged", "", detail=line) for line in told_of if line != "ok")
    for table in metadata.sorted_tables:
        for constraint in sorted(table.foreign_key_constraints, key=lambda constraint: str(constraint.name)):
            yield from _dangling(connection, table, constraint.column_keys[0], constraint.elements[0].column)


def _dangling(connection: Connection, table: Table, name: str, named: Column[Any]) -> Iterator[Fault]:
    """Rows that name a row that is not there."""
    other = named.table.alias()
    key = other.c[named.name]
    lost = select(func.count()).select_from(table.outerjoin(other, table.c[name] == key)).where(table.c[name].is_not(None), key.is_(None))
    if count := connection.scalar(lost):
        yield fault("reference-broken", f"{table.name}.{name}", count=count, parent=str(named.table))


def _chains(office: Office, connection: Connection) -> Iterator[Fault]:
    for log in LOGS:
        for line in faults(connection, log, office.store.key):
            place, _, detail = line.partition(": ")
            yield fault("log-broken", place, detail=detail)


def _logged(office: Office, connection: Connection) -> Iterator[Fault]:
    """Every document, return and revision is told in the audit log, and as it was told there."""
    known = _read_log(connection)
    for name, kind, row in _rows(connection):
        logged = known.pop(name, None)
        if logged is None:
            yield fault("row-unlogged", _place(name))
        elif logged and logged != digest(kind, row._mapping, office.store.key):
            yield fault("row-changed", _place(name))
    yield from (fault("row-missing", _place(name)) for name in known)


def _read_log(connection: Connection) -> dict[str, str]:
    known: dict[str, str] = {}
    for entry in entries(connection, "audit"):
        facts: Mapping[str, Any] = entry["facts"]
        if entry["event"] == "issued":
            known[f"document:{entry['subject']}"] = facts.get("digest", "")
        elif entry["event"] == "received":
            known[entry["subject"]] = facts.get("digest", "")
        elif entry["event"] == "revised":
            known[f"revision:{entry['subject'].partition(':')[2]}.{facts['revision']}"] = facts.get("digest", "")
        elif entry["event"] == "erased":
            known.update(facts.get("digests", {}))
    return known


def _rows(connection: Connection) -> Iterator[tuple[str, str, Row[Any]]]:
    """Every row that the audit log knows: its name, its kind, the row."""
    options = {"yield_per": 200}
    for row in connection.execute(select(documents), execution_options=options):
        yield f"document:{row.id}", "document", row
    for row in connection.execute(select(returns), execution_options=options):
        yield f"return:{row.id}", "return", row
    for row in connection.execute(select(revisions), execution_options=options):
        yield f"revision:{row.sheet_id}.{row.number}", "revision", row


def _place(name: str) -> str:
    return name.replace(":", " ")


# ---------------------------------------------------------------- actions


def _actions(connection: Connection) -> Iterator[Fault]:
    """Each action stands as its events tell."""
    events: dict[str, list[Event]] = {}
    kept = read_actions(connection)
    for event in read_events(connection, [action.id for action in kept]):
        events.setdefault(event.action, []).append(Event(month=event.month, form=event.form, sheet=event.sheet, facts=event.facts))
    yield from (fault("action-differs", f"action {action.id}") for action in kept if not _stands(action, events.get(action.id, [])))


def _stands(action: KeptAction, events: list[Event]) -> bool:
    if not events:  # everything about it was taken back
        return not action.open and not action.facts
    standing = fold(events)
    return (action.opened, action.latest, action.open, dict(action.facts)) == (standing.opened, standing.latest, standing.open, dict(standing.facts))


def _returned(connection: Connection) -> Iterator[Fault]:
    """No record holds a child that was erased: an old copy of its paper may have come back."""
    erased = {f"c{row.id}": row.child_id for row in connection.execute(select(children.c.id, children.c.child_id).where(children.c.erased))}
    again = set()
    for row in connection.execute(select(revisions), execution_options={"yield_per": 200}) if erased else ():
        entries_of = row.values.get("children", ())
        again |= {erased[identity] for identity, entry in zip(row.rows.get("children", ()), entries_of, strict=False) if entry and identity in erased}
    yield from (fault("erased-again", name) for name in sorted(again))


# ---------------------------------------------------------------- files


def _unclaimed(connection: Connection) -> Iterator[Fault]:
    """Kept files belong to a document, a return or a background job."""
    claimed = select(documents.c.file).union(select(returns.c.file), select(jobs.c.file).where(jobs.c.file.is_not(None))).scalar_subquery()
    for name in connection.scalars(select(files.c.name).where(files.c.state == "kept", files.c.name.not_in(claimed)).order_by(files.c.name)):
        yield fault("file-unclaimed", f"file {name}")


def _files(office: Office, stored: frozenset[str], names: list[str], steps: _Steps) -> Iterator[Fault]:
    for name in names:
        yield from _file(office, name)
        steps()
    for name in sorted(stored.difference(names)):
        with office.store.reading() as connection:
            known = connection.scalar(select(files.c.name).where(files.c.name == name))
        if known is None and office.store.vault.has(name):
            yield fault("file-orphan", f"file {name}")


def _file(office: Office, name: str) -> Iterator[Fault]:
    """What is wrong with a file; its row is read now, for it may have been erased meanwhile."""
    with office.store.reading() as connection:
        row = connection.execute(select(files).where(files.c.name == name)).first()
        ids = list(connection.scalars(select(documents.c.id).where(documents.c.file == name)))
        claims = len(ids) + connection.execute(select(func.count()).select_from(returns).where(returns.c.file == name)).scalar_one()
    if row is None:
        return
    if row.state == "arriving":
        yield from _arriving(row, claims)
    elif row.state == "erased":
        if office.store.vault.has(name):
            yield fault("file-not-erased", f"file {name}")
    else:
        yield from _kept(office, row, ids)


def _arriving(row: Row[Any], claims: int) -> Iterator[Fault]:
    if claims:
        yield fault("file-unsettled", f"file {row.name}")
    elif datetime.fromisoformat(row.at) < datetime.now(UTC) - _PATIENCE:
        yield fault("file-arriving", f"file {row.name}", "warning", at=row.at[:16])


def _kept(office: Office, row: Row[Any], ids: list[str]) -> Iterator[Fault]:
    try:
        content = office.store.vault.get(row.name)
    except Refused as refused:
        with office.store.reading() as connection:
            if connection.scalar(select(files.c.state).where(files.c.name == row.name)) == "kept":
                yield Fault(code=refused.code, place=f"file {row.name}", message=refused.message)
        return
    if len(content) != row.size:
        yield fault("row-changed", f"file {row.name}")
    for document in ids:
        if _identity(content) != in_words(document):
            yield fault("document-swapped", f"document {document}", found=_identity(content) or "another paper")


def _identity(content: bytes) -> str:
    """The document id that a paper of ours tells of itself, as it is printed."""
    try:
        with open_paper(content, "") as pdf:
            return facts_of(pdf, "").document
    except Refused:
        return ""


# ---------------------------------------------------------------- sheets


def _settled_sheets(connection: Connection) -> list[int]:
    """The sheets about which something is known."""
    known = select(revisions.c.sheet_id).union(
        select(returns.c.sheet_id).where(returns.c.sheet_id.is_not(None)),
        select(action_events.c.sheet_id),
        select(actions.c.sheet_id),
        select(sheets.c.id).where(sheets.c.revision != 0),
    )
    return sorted(connection.scalars(known))


def _sheet(office: Office, sheet_id: int) -> Iterator[Fault]:
    """Whether a sheet's revisions, record and events are what its returns and decisions make them."""
    place = f"sheet {sheet_id}"
    try:
        with _undone(office.store) as connection:
            sheet = read_sheet(connection, sheet_id)
            numbers = list(connection.scalars(select(revisions.c.number).where(revisions.c.sheet_id == sheet_id).order_by(revisions.c.number)))
            found = [*_numbers(place, sheet, numbers), *_events(office, connection, place, sheet)]
            if not found and settle_sheet(office, connection, sheet_id, "verify").changed:
                found.append(fault("record-differs", place))
    except _UNREADABLE as problem:
        found = [fault("sheet-unsettled", place, detail=problem.code if isinstance(problem, Refused) else type(problem).__name__)]
    yield from found


@contextmanager
def _undone(store: Store) -> Iterator[Connection]:
    """A transaction of which nothing is kept."""
    with store.writing() as connection:
        inner = connection.begin_nested()
        try:
            yield connection
        finally:
            if inner.is_active:
                inner.rollback()


def _numbers(place: str, sheet: Sheet, numbers: list[int]) -> Iterator[Fault]:
    if numbers != list(range(1, len(numbers) + 1)):
        yield fault("revision-gap", place)
    if sheet.revision != max(numbers, default=0):
        yield fault("revision-not-latest", place)


def _events(office: Office, connection: Connection, place: str, sheet: Sheet) -> Iterator[Fault]:
    """What the sheet tells about actions is kept; siblings' rows that say the same may be one action, which the roster decides."""
    found = told(sheet.form, sheet.id, with_both_needs(settled_sheet(office, connection, sheet.id)), {}, {})
    said = {one.action: replace(one, facts=_unnamed(one.facts)) for one in found}
    kept = {name: _unnamed(facts) for name, facts in events_of_sheet(connection, sheet.id).items()}
    known = {action.id for action in read_actions(connection, ids=sorted(said.keys() | kept.keys()))}
    lost = {name for name in said.keys() - kept.keys() if (said[name].born or name in known) and not any(_same_text(said[name].facts, facts) for facts in kept.values())}
    changed = {name for name, facts in kept.items() if name not in said or not _tells(facts, said[name].facts, [one.facts for one in said.values()])}
    yield from (fault("event-differs", f"{place}, action {name}") for name in sorted(lost | changed))


def _unnamed(facts: Facts) -> Facts:
    """Facts without the typed name, which goes along only while nobody knows the child."""
    return {name: value for name, value in facts.items() if name not in ("child_name", "child_id")}


def _same_text(one: Facts, other: Facts) -> bool:
    """Whether two rows would be one action of two siblings."""
    return bool(one.get("follow_up_action")) and all(plain(str(one.get(name) or "")) == plain(str(other.get(name) or "")) for name in _JOINED)


def _tells(kept: Facts, own: Facts, others: Sequence[Facts]) -> bool:
    """Whether an event holds what its row says, and nothing that no row says."""
    added = {name: value for name, value in kept.items() if name not in own}
    siblings = [other for other in others if _same_text(own, other)]
    return all(name in kept and kept[name] == value for name, value in own.items()) and all(any(name in other and other[name] == value for other in siblings) for name, value in added.items())
