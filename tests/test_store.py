"""The store: tables as the migrations make them, logs and revisions that only grow, files that count once they are there."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from formsvc.errors import Refused
from formsvc.office.importing import apply_import, read_import, with_unit_staff
from formsvc.office.office import Office
from formsvc.settings import samples_folder
from formsvc.store.engine import migrate, open_engine
from formsvc.store.log import LOGS, entries, faults
from formsvc.store.roster import Enrolment, first_enrolled, read_roster, read_staff
from formsvc.store.schema import metadata
from formsvc.store.store import announce_file, kept_files
from tests.offices import STAFF, child, discussed, documents, enrol, issue, need, open_test_office, row_counts, send

pytest_plugins = ["tests.servers"]


@pytest.fixture(params=["sqlite", "postgresql"])
def office(request: pytest.FixtureRequest, tmp_path: Path, blanks: Path) -> Iterator[Office]:
    database = request.getfixturevalue("postgres_url") if request.param == "postgresql" else ""
    office = open_test_office(tmp_path / "data", blanks, database)
    yield office
    office.store.engine.dispose()


# ---------------------------------------------------------------- tables


def test_migrations_make_the_tables_that_the_code_knows(office: Office) -> None:
    with office.store.reading() as connection:
        assert compare_metadata(MigrationContext.configure(connection), metadata) == []


def test_a_database_of_a_newer_version_is_refused(office: Office) -> None:
    with office.store.writing() as connection:
        connection.execute(text("UPDATE alembic_version SET version_num = '9999'"))
    with pytest.raises(Refused) as refused:
        migrate(office.store.engine)
    assert refused.value.code == "database-newer"


def test_processes_that_start_together_make_the_tables_once(tmp_path: Path, blanks: Path) -> None:
    with ThreadPoolExecutor(8) as pool:
        offices = list(pool.map(lambda _: open_test_office(tmp_path / "data", blanks), range(8)))
    assert {sum(row_counts(office).values()) for office in offices} == {0}
    for office in offices:
        office.store.engine.dispose()


@pytest.mark.parametrize("url", ["nonsense", "mysql://x/y", "sqlite+nothing:///x"])
def test_a_database_that_cannot_be_used_is_refused(url: str) -> None:
    with pytest.raises(Refused) as refused:
        open_engine(url)
    assert refused.value.code == "setting-invalid"


def test_a_failing_database_is_told_without_the_statement(office: Office) -> None:
    """Statements hold names and notes."""
    with pytest.raises(Refused) as refused, office.store.writing() as connection:
        connection.execute(text("SELECT 'Ana Rivera' FROM no_such_table"))
    assert refused.value.code == "database-failed"
    assert "Ana" not in refused.value.message


@pytest.mark.parametrize("statement", ["UPDATE {} SET {}", "DELETE FROM {}"])
@pytest.mark.parametrize(("table", "change"), [("logs", "event = 'x'"), ("revisions", "cause = 'x'"), ("decisions", "cell = 'x'")])
def test_logs_revisions_and_decisions_only_grow(office: Office, table: str, change: str, statement: str) -> None:
    enrol(office, [child(1)])
    worksheet = documents(issue(office, "2026-11"), "worksheet")[0]
    send(office, worksheet, discussed("2026-11-12", (0, need("Call the clinic"))))
    with office.store.writing() as connection:
        connection.execute(text("INSERT INTO decisions (sheet_id, cell, value, seen, at, \"by\", withdrawn) VALUES (1, 'recorder', 'null', '{}', '2026', 'x', '0')"))
    with pytest.raises(DBAPIError), office.store.engine.begin() as connection:
        connection.execute(text(statement.format(table, change)))


# ---------------------------------------------------------------- logs


def test_logs_written_at_once_hold_together(office: Office) -> None:
    """Forty entries by eight threads: one chain without a gap."""

    def tell(number: int) -> None:
        with office.store.writing() as connection:
            office.store.log(connection, "told", f"thing:{number}", log="disclosure", key=f"told:{number % 20}")

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(tell, range(40)))
    with office.store.reading() as connection:
        assert [row["number"] for row in entries(connection, "disclosure")] == list(range(1, 21))
        assert [list(faults(connection, log, office.store.key)) for log in LOGS] == [[], []]


# ---------------------------------------------------------------- files


def test_a_file_counts_only_when_its_transaction_does(office: Office) -> None:
    name = office.store.keep(b"on its way")
    with office.store.reading() as connection:
        assert list(kept_files(connection)) == []
    assert office.store.sweep("2000") == 0
    assert office.store.sweep("9999") == 1
    assert not office.store.vault.has(name)


def test_a_file_that_counts_is_not_announced_again(office: Office) -> None:
    enrol(office, [child(1)])
    issue(office, "2026-11")
    with office.store.writing() as connection:
        names = list(kept_files(connection))
        announce_file(connection, names[0], 1)
        assert list(kept_files(connection)) == names


# ---------------------------------------------------------------- rosters


def roster(office: Office) -> Any:
    with office.store.reading() as connection:
        return sorted(read_roster(connection), key=lambda line: (line.child_id, str(line.enrolled_on)))


def test_a_roster_goes_in_and_comes_out(office: Office) -> None:
    lines = [child(1), child(2, family_id="F", home_language="Español", interpreter=True), child(3, unit="Preschool 2", left_on=date(2026, 10, 1), left_reason="Moved away")]
    enrol(office, lines)
    assert roster(office) == lines


@pytest.mark.parametrize("name", ["copa-like.csv", "childplus-like.xlsx"])
def test_importing_twice_changes_nothing_the_second_time(office: Office, name: str) -> None:
    file = samples_folder() / "rosters" / name
    apply_import(office, read_import(office, file, on=date(2026, 11, 2)))
    before = row_counts(office)
    again = read_import(office, file, on=date(2026, 11, 2))
    assert not again.plan.changes_anything()
    apply_import(office, again)
    assert {table for table, count in row_counts(office).items() if count != before[table]} == {"logs"}


def test_next_months_roster_moves_and_ends_stays(office: Office) -> None:
    """Two new, one left, one moved: what the preview said is what is stored."""
    apply_import(office, read_import(office, samples_folder() / "rosters" / "copa-like.csv", on=date(2026, 11, 2)))
    before = len(roster(office))
    found = read_import(office, samples_folder() / "rosters" / "next-month.csv", on=date(2026, 12, 1))
    counts = found.plan.counts()
    assert (counts["new"], counts["left"], counts["moved"]) == (2, 1, 1)
    apply_import(office, found)
    assert len(roster(office)) == before + counts["new"] + counts["moved"] + counts["returned"]
    assert not read_import(office, samples_folder() / "rosters" / "next-month.csv", on=date(2026, 12, 1)).plan.changes_anything()


def test_staff_named_with_some_children_belongs_to_the_unit(office: Office) -> None:
    """Two family workers in one class, and a teacher who is followed by another."""
    lines = with_unit_staff([child(1, staff=STAFF[:1]), child(2, staff=STAFF[1:2])])
    enrol(office, lines)
    with office.store.reading() as connection:
        assert set(read_staff(connection)[1]) == set(STAFF[:2])


def test_a_move_the_day_after_does_not_break_an_enrolment_and_a_gap_does() -> None:
    def stay(starts: date, ends: date | None) -> Enrolment:
        return Enrolment(child=1, unit=1, starts=starts, ends=ends, home="")

    moved = [stay(date(2026, 8, 17), date(2026, 10, 31)), stay(date(2026, 11, 1), None)]
    back = [stay(date(2026, 8, 17), date(2026, 10, 31)), stay(date(2027, 1, 11), None)]
    assert (first_enrolled(moved), first_enrolled(back), first_enrolled([])) == (date(2026, 8, 17), date(2027, 1, 11), None)


def test_missing_children_leave_only_when_every_line_was_read(office: Office, tmp_path: Path) -> None:
    file = tmp_path / "r.csv"
    file.write_text("Child ID,Child Name,Site,Classroom,DOB\nC-1,Ana Rivera,Cedar Hall,Preschool 1,2022-05-04\n,Nobody,Cedar Hall,Preschool 1,soon\n", encoding="utf-8")
    with pytest.raises(Refused) as refused:
        read_import(office, file, on=date(2026, 11, 2), missing_left=date(2026, 11, 1))
    assert refused.value.code == "roster-not-whole"
