"""An office after a whole cycle, for tests of the care of its data: two months, conflicts, siblings, hand-typed rows."""

import copy
import sqlite3
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from datetime import date
from pathlib import Path
from typing import Any, Final

from sqlalchemy import text

from formsvc.model.roster import RosterLine, StaffMember
from formsvc.office.incoming import Found
from formsvc.office.month import issue_month
from formsvc.office.office import Office, open_office
from formsvc.office.receive import Receipt, receive
from formsvc.office.review import decide, waiting
from formsvc.settings import Settings
from formsvc.store.papers import Document, newest_documents, read_sheets
from formsvc.store.roster import RosterWriter
from tests.papers import KEY

Change = Callable[[dict[str, Any]], object]
KEYS: Final = f"first {'01' * 32}\nnames {'03' * 32}\n"
START: Final = date(2026, 8, 17)
STAFF: Final = (StaffMember(role="educator", name="Wanda Applegarth"), StaffMember(role="fsw", name="Marcus Fennelworth"))
HELD: Final = {"2026-10": "2026-10-14", "2026-11": "2026-11-12"}

ON: Final = date(2026, 12, 1)
WHY: Final = "The family asked for it on paper"
OTTILIE: Final = "Ottilie Quackenbush"
"""The child whose data are erased: a sibling, a hand-typed row, notes."""
NOTES: Final = ("Grandmother Persephone is unwell", "Telephone the zephyr clinic", "likes xylophones")
WITH_SIBLING: Final = "Arrange the bus for both"


def line(child_id: str, name: str, unit: str = "Preschool 1", **more: Any) -> RosterLine:
    """A child of Cedar Hall, enrolled on the first day of class."""
    return RosterLine(**{"child_id": child_id, "child_name": name, "site": "Cedar Hall", "unit": unit, "enrolled_on": START, "unit_start": START, "staff": STAFF, **more})


ROSTER: Final = (
    line("Q-4711", OTTILIE, birth_date=date(2022, 3, 19), family_id="FAM-Q", home_language="Ruritanian", iep_ifsp=True),
    line("Q-4712", "Rufus Quackenbush", birth_date=date(2023, 1, 7), family_id="FAM-Q"),
    line("C-1", "Ana Rivera", birth_date=date(2022, 5, 1)),
    line("C-2", "Ben Castellanos", birth_date=date(2022, 6, 2)),
    line("H-1", "Hedda Oaks", "Sp Lee", option="fcch", home="Oak house"),
    line("H-2", "Hugo Oaks", "Sp Lee", option="fcch", home="Oak house"),
)


def make_settings(folder: Path, blanks: Path, database: str = "") -> Settings:
    """An installation whose data are in a folder, or in a database elsewhere."""
    (folder / "data").mkdir(parents=True, exist_ok=True)
    return Settings(templates=None, cache=blanks, key=KEY, most_megabytes=50, data=folder / "data", database=database, files_key=KEYS, user="tester")


@contextmanager
def opened(settings: Settings) -> Iterator[Office]:
    """The office of an installation, closed afterwards."""
    office = open_office(settings)
    try:
        yield office
    finally:
        office.store.engine.dispose()


def enrol(office: Office, lines: Sequence[RosterLine] = ROSTER) -> None:
    """Put children on the roster."""
    with office.store.writing() as connection:
        writer = RosterWriter(connection)
        for one in lines:
            writer.enrol(one)


def newest(office: Office, form: str, month: str) -> Document:
    """The newest edition of the only paper of a form and month."""
    with office.store.reading() as connection:
        sheets = read_sheets(connection, form=form, month=month)
        return newest_documents(connection, [sheets[0].id])[sheets[0].id]


def send(office: Office, document: Document, change: Change, name: str = "scan.pdf") -> Receipt:
    """A document comes back with what somebody changed."""
    values: dict[str, Any] = copy.deepcopy(dict(document.snapshot))
    change(values)
    form = office.service.form(document.form)
    counts = {group.name: max(len(values.get(group.name, [])), 4) for group in form.groups}
    return receive(office, Found(name=name, content=office.service.fill(form, values, lang="en", document=document.id, rows=counts).content))


def need(action: str, **more: Any) -> dict[str, Any]:
    """A child's row with a need and an action."""
    return {"support_needed": True, "discussion_points": "It was discussed", "follow_up_action": action, "responsible": "Marcus", "target_date": "2026-11-10", **more}


def _first_copy(values: dict[str, Any]) -> None:
    values["conference_date"] = HELD["2026-10"]
    values["attendance"][0]["present"] = True
    ottilie, rufus, ana, _ = values["children"]
    ottilie.update(need(WITH_SIBLING, discussion_points=NOTES[0], strengths=NOTES[2], areas=["health"]))
    rufus.update(need(WITH_SIBLING))
    ana.update(need("Call the parent"))


def _second_copy(values: dict[str, Any]) -> None:
    values["conference_date"] = HELD["2026-10"]
    ottilie, rufus, ana, ben = values["children"]
    ottilie.update(need(WITH_SIBLING, discussion_points=NOTES[0], strengths=f"{NOTES[2]} a lot", areas=["health"]))
    rufus.update(need(WITH_SIBLING))
    ana.update(need("Call the parent about glasses"))
    ben.update(no_discussion_points=True)
    values["children"].append({"child_name": "ottilie  QUACKENBUSH", **need(NOTES[1])})


def _follow_up(values: dict[str, Any]) -> None:
    values["conference_date"] = HELD["2026-10"]
    for row in values["actions"]:
        row.update(status="in_progress", discussion_points=f"{NOTES[0]} still" if NOTES[1] in row["follow_up_action"] else "It goes on")


def _homes(values: dict[str, Any]) -> None:
    values["conference_date"] = HELD["2026-10"]
    values["children"] = [{"child_name": "Hedda Oaks", **need("Visit the home")}]


def whole_cycle(office: Office) -> None:
    """Two months: issued, returned twice with a conflict that is decided, followed up, carried."""
    enrol(office)
    list(issue_month(office, "2026-10"))
    worksheet = newest(office, "worksheet", "2026-10")
    assert send(office, worksheet, _first_copy, "one.pdf").state == "counted"
    assert send(office, worksheet, _second_copy, "Ottilie two.pdf").questions == 2
    for question in waiting(office):
        decide(office, question.number, "2")
    assert send(office, newest(office, "fcch", "2026-10"), _homes).state == "counted"
    list(issue_month(office, "2026-10"))
    assert send(office, newest(office, "case-management", "2026-10"), _follow_up).state == "counted"
    list(issue_month(office, "2026-11"))
    worksheet = newest(office, "worksheet", "2026-11")
    send(office, worksheet, lambda values: (values.update(conference_date=HELD["2026-11"]), values["children"][0].update(no_discussion_points=True)))
    assert send(office, worksheet, lambda values: values.update(conference_date="2026-12-01"), "late.pdf").state == "waiting"


def attack(office: Office, statement: str, **values: Any) -> None:
    """Change the database as somebody would who holds its file: no trigger and no foreign key stands in the way."""
    if office.store.engine.dialect.name == "sqlite":
        with closing(sqlite3.connect(str(office.store.engine.url.database))) as connection, connection:
            for (name,) in connection.execute("SELECT name FROM sqlite_master WHERE type = 'trigger'").fetchall():
                connection.execute(f"DROP TRIGGER {name}")
            assert connection.execute(statement, values).rowcount
        return
    with office.store.writing() as writer:
        writer.exec_driver_sql("SET LOCAL session_replication_role = replica")
        assert writer.execute(text(statement), values).rowcount


def column(office: Office, statement: str, **values: Any) -> list[Any]:
    """The first column of a query."""
    with office.store.reading() as connection:
        return list(connection.execute(text(statement), values).scalars())


def rows_of(values: Mapping[str, Any], group: str) -> list[dict[str, Any]]:
    """The rows of a group."""
    rows: list[dict[str, Any]] = values.get(group, [])
    return rows
