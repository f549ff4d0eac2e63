"""Offices for tests: a store of one's own, a small roster, papers that come back filled in."""

import copy
import secrets
from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from datetime import date
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Final

from sqlalchemy import func, select

from formsvc.model.kinds import Lang
from formsvc.model.record import Values
from formsvc.model.roster import RosterLine, StaffMember
from formsvc.office.conferences import Meeting, plan_conference
from formsvc.office.incoming import Found
from formsvc.office.month import UnitResult, issue_month
from formsvc.office.office import Office
from formsvc.office.receive import Receipt, receive
from formsvc.service import Service
from formsvc.settings import Settings
from formsvc.store.engine import migrate, open_engine
from formsvc.store.papers import Document, find_document, latest_revision, read_sheets
from formsvc.store.roster import RosterWriter, read_units
from formsvc.store.schema import metadata
from formsvc.store.store import open_store
from tests.papers import KEY

KEYS: Final = f"first {'1' * 64},names {'2' * 64}"
"""The file keys of all test offices."""
STAFF: Final = (StaffMember(role="educator", name="Wanda Applegarth"), StaffMember(role="fsw", name="Marcus Fennelworth"), StaffMember(role="health", name="Ingrid Saltmarsh"))


@cache
def _empty_database() -> bytes:
    """A database with all tables and nothing in them."""
    with TemporaryDirectory() as name:
        engine = open_engine(f"sqlite:///{name}/formsvc.db")
        migrate(engine)
        with engine.connect() as connection:
            connection.exec_driver_sql("PRAGMA wal_checkpoint(TRUNCATE)")
        engine.dispose()
        return (Path(name) / "formsvc.db").read_bytes()


def open_test_office(folder: Path, blanks: Path, database: str = "") -> Office:
    """An office whose data are in a folder (and in a database, where one is given)."""
    if not database and not (folder / "formsvc.db").exists():  # tables take a tenth of a second to make, and a thousand tests want them
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        (folder / "formsvc.db").touch(mode=0o600)
        (folder / "formsvc.db").write_bytes(_empty_database())
    settings = Settings(templates=None, cache=blanks, key=KEY, most_megabytes=50, data=folder, database=database, files_key=KEYS, user="tester")
    return Office(service=Service(settings), store=open_store(settings))


def child(number: int, **changes: Any) -> RosterLine:
    """A child of a preschool class since the first day of class."""
    line = RosterLine(
        child_id=f"C-{number}",
        child_name=f"Child {number:02d}",
        site="Cedar Hall",
        unit="Preschool 1",
        birth_date=date(2022, 5, number % 30 + 1),
        enrolled_on=date(2026, 8, 17),
        unit_start=date(2026, 8, 17),
        staff=STAFF,
    )
    return replace(line, **changes)


def enrol(office: Office, lines: Iterable[RosterLine]) -> None:
    """Put lines on the roster."""
    with office.store.writing() as connection:
        writer = RosterWriter(connection)
        for line in lines:
            writer.enrol(line)


def change_roster(office: Office, before: RosterLine, after: RosterLine) -> None:
    """Change a stay: its end, its details."""
    with office.store.writing() as connection:
        RosterWriter(connection).correct(before, after)


def plan(office: Office, day: date, unit: str = "Preschool 1") -> None:
    """Set a unit's conference up."""
    with office.store.writing() as connection:
        plan_conference(connection, read_units(connection, name=unit)[0].id, Meeting(planned_on=day, start_time="09:00", end_time="10:30"))


def issue(office: Office, month: str) -> list[UnitResult]:
    """The papers of a month; a unit that fails fails the test."""
    results = list(issue_month(office, month))
    assert [result.failed for result in results if result.failed] == []
    return results


def documents(results: Sequence[UnitResult], form: str, unit: str | None = None) -> list[Document]:
    """The papers of one form."""
    return [document for result in results for document in result.documents if document.form == form and unit in (None, result.unit.name)]


Fill = Callable[[dict[str, Any]], None]


def filled(office: Office, document: Document, fill: Fill | None = None, lang: Lang = "en", salt: str = "") -> bytes:
    """A document as it comes back when somebody filled it in.

    `salt` changes bytes but no answer, as a viewer's save would.
    """
    values: dict[str, Any] = copy.deepcopy(dict(document.snapshot))
    if fill:
        fill(values)
    form = office.service.form(document.form)
    counts = {group.name: -(-max(len(values.get(group.name, ())), 4) // 4) * 4 for group in form.groups}
    content = office.service.fill(form, values, lang=lang, document=document.id, rows=counts).content
    return content + (f"\n% saved again {salt}\n".encode() if salt else b"")


def send(office: Office, document: Document, fill: Fill | None = None, salt: str = "") -> Receipt:
    """A document filled in and received."""
    return receive(office, Found(name=f"{secrets.token_hex(4)}.pdf", content=filled(office, document, fill, salt=salt)))


def discussed(day: str, *changes: tuple[int, dict[str, Any]], present: bool = True) -> Fill:
    """A worksheet filled in: the day of the conference and what was written about some children, by row."""

    def fill(values: dict[str, Any]) -> None:
        values["conference_date"] = day
        for line in values.get("attendance", ()):
            if present:
                line["present"] = True
        for row, answers in changes:
            while len(values.setdefault("children", [])) <= row:
                values["children"].append({})
            values["children"][row].update(answers)

    return fill


def need(text: str, **more: Any) -> dict[str, Any]:
    """What is written about a child who needs support."""
    return {"support_needed": True, "discussion_points": "Talked about it.", "follow_up_action": text, "responsible": "Marcus Fennelworth", "target_date": "2026-12-01", **more}


def record(office: Office, document: Document) -> Values:
    """What is known of a document's sheet."""
    with office.store.reading() as connection:
        found = find_document(connection, document.id)
        assert found is not None
        revision = latest_revision(connection, found.sheet)
    return revision.values if revision else {}


def revisions(office: Office, document: Document) -> int:
    """How many revisions a document's sheet has."""
    with office.store.reading() as connection:
        return next(sheet.revision for sheet in read_sheets(connection, id=document.sheet))


def row_counts(office: Office) -> dict[str, int]:
    """How many rows each table has."""
    with office.store.reading() as connection:
        return {name: connection.execute(select(func.count()).select_from(table)).scalar_one() for name, table in metadata.tables.items()}
