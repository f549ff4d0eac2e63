"""R20: what is monitored, by when and by whom; every day on which it could be one day off."""

from collections.abc import Callable, Iterator
from datetime import date
from pathlib import Path

import pytest

from formsvc.errors import Refused
from formsvc.model.roster import StaffMember
from formsvc.office.monitoring import MonitoringItem, due, record_done
from formsvc.office.office import Office
from formsvc.service import Service
from formsvc.settings import Settings
from formsvc.store.log import entries
from formsvc.store.store import open_store
from tests.offices import KEYS, change_roster, child, enrol, open_test_office, plan
from tests.papers import KEY

pytest_plugins = ["tests.servers"]


@pytest.fixture(params=["sqlite", "postgresql"])
def office(request: pytest.FixtureRequest, tmp_path: Path, blanks: Path) -> Iterator[Office]:
    opened = open_test_office(tmp_path, blanks, request.getfixturevalue("postgres_url") if request.param == "postgresql" else "")
    yield opened
    opened.store.engine.dispose()


@pytest.fixture
def ask_for(tmp_path: Path, blanks: Path) -> Iterator[Callable[[str], Office]]:
    """An office of an agency whose own profile asks for just these windows."""
    opened: list[Office] = []

    def make(windows: str) -> Office:
        (tmp_path / "forms").mkdir()
        (tmp_path / "forms" / "profile.toml").write_text(f"[procedure]\nmonitoring = [{windows}]\n", encoding="utf-8")
        settings = Settings(templates=tmp_path / "forms", cache=blanks, key=KEY, most_megabytes=50, data=tmp_path / "data", files_key=KEYS, user="tester")
        opened.append(Office(service=Service(settings), store=open_store(settings)))
        return opened[0]

    yield make
    for office in opened:
        office.store.engine.dispose()


def window(subject: str, every: str, kind: str = "look") -> str:
    return f'{{kind = "{kind}", subject = "{subject}", who = "ersea", {every}, title = {{en = "A look", es = "Una mirada"}}}}'


def days_of(items: tuple[MonitoringItem, ...], kind: str) -> list[tuple[str, date, bool]]:
    return [(item.child_id or item.unit, item.due, item.overdue) for item in items if item.kind == kind]


def test_a_child_is_asked_from_the_forty_fifth_day_on_and_late_after_it(office: Office) -> None:
    """Within 45 days of August 17 is by October 1: not yet on September 30, due on the day itself, overdue the day after."""
    enrol(office, [child(1)])
    assert days_of(due(office, date(2026, 9, 30)), "ersea") == []
    assert days_of(due(office, date(2026, 10, 1)), "ersea") == [("C-1", date(2026, 10, 1), False)]
    assert days_of(due(office, date(2026, 10, 2)), "ersea") == [("C-1", date(2026, 10, 1), True)]
    assert days_of(due(office, date(2026, 9, 30), until=date(2026, 10, 31)), "ersea") == [("C-1", date(2026, 10, 1), False)]


def test_each_item_says_who_does_it(office: Office) -> None:
    """By the one who has the role in the unit; else the only one in the agency; else the role alone."""
    enrol(office, [child(1), child(2, unit="Preschool 2", staff=(StaffMember(role="ersea", name="Ottoline Reed"),))])
    found = {(item.kind, item.child_id): (item.role, item.who) for item in due(office, date(2026, 11, 15))}
    assert found["family", "C-1"] == ("fsw", "Marcus Fennelworth")
    assert found["ersea", "C-1"] == ("ersea", "Ottoline Reed")
    assert found["conferencing", ""] == ("supervisor", "")


def test_a_child_who_left_before_it_was_due_is_not_asked(office: Office) -> None:
    """Who was there on the day itself is; who left the day before is not."""
    enrol(office, [child(1, left_on=date(2026, 9, 30)), child(2, left_on=date(2026, 10, 1)), child(3)])
    assert [item[0] for item in days_of(due(office, date(2026, 10, 20)), "ersea")] == ["C-2", "C-3"]


def test_a_child_who_left_last_year_is_not_asked_for_ever(office: Office) -> None:
    enrol(office, [child(1, left_on=date(2027, 6, 1)), child(2)])
    assert {item[0] for item in days_of(due(office, date(2027, 7, 31)), "ersea")} == {"C-1", "C-2"}
    assert {item[0] for item in days_of(due(office, date(2027, 8, 1)), "ersea")} == {"C-2"}


def test_a_child_who_comes_back_after_a_gap_begins_anew(office: Office) -> None:
    """What was done in the first stay does not count for the second."""
    enrol(office, [child(1, left_on=date(2026, 10, 15)), child(1, enrolled_on=date(2027, 1, 11))])
    first = due(office, date(2026, 10, 1))
    assert days_of(first, "ersea") == []
    again = [item for item in due(office, date(2027, 3, 1)) if item.kind == "ersea"]
    assert [(item.begins, item.due) for item in again] == [(date(2027, 1, 11), date(2027, 2, 25))]
    record_done(office, "ersea", again[0].subject, date(2026, 10, 1), date(2026, 9, 20), "Ottoline Reed")
    assert days_of(due(office, date(2027, 3, 1)), "ersea") == [("C-1", date(2027, 2, 25), True)]


def test_a_move_is_no_new_enrolment(office: Office) -> None:
    """A child in another unit the day after is asked once, there."""
    enrol(office, [child(1, left_on=date(2026, 9, 30)), child(1, unit="Preschool 2", enrolled_on=date(2026, 10, 1))])
    found = [item for item in due(office, date(2026, 12, 31)) if item.kind == "ersea"]
    assert [(item.unit, item.due) for item in found] == [("Preschool 2", date(2026, 10, 1))]


def test_what_is_done_is_not_asked_again(office: Office) -> None:
    enrol(office, [child(1), child(2)])
    first = due(office, date(2026, 10, 1))[0]
    assert record_done(office, first.kind, first.subject, first.due, date(2026, 9, 20), "Ottoline Reed")
    assert [item[0] for item in days_of(due(office, date(2026, 10, 5)), "ersea")] == ["C-2"]


def test_done_twice_is_noted_once_and_a_correction_is_told(office: Office) -> None:
    """The log has one entry for each change, with numbers and no names."""
    enrol(office, [child(1)])
    item = due(office, date(2026, 10, 1))[0]
    told = [record_done(office, item.kind, item.subject, item.due, day, "Ottoline Reed") for day in (date(2026, 9, 20), date(2026, 9, 20), date(2026, 9, 21))]
    assert told == [True, False, True]
    with office.store.reading() as connection:
        logged = [(row["subject"], row["facts"]) for row in entries(connection, "audit") if row["event"] == "monitored"]
    assert [(subject, facts["done_on"], facts["corrected"]) for subject, facts in logged] == [("child:1", "2026-09-20", False), ("child:1", "2026-09-21", True)]
    assert "Ottoline" not in str(logged)


def test_a_corrected_day_of_enrolment_does_not_lose_what_was_done(office: Office) -> None:
    enrol(office, [child(1)])
    item = due(office, date(2026, 10, 1))[0]
    record_done(office, item.kind, item.subject, item.due, date(2026, 9, 20), "Ottoline Reed")
    change_roster(office, child(1), child(1, enrolled_on=date(2026, 8, 19)))
    assert days_of(due(office, date(2026, 10, 9)), "ersea") == []


@pytest.mark.parametrize(("code", "kind", "subject"), [
    ("monitoring-unknown", "eresa", "child:1"),
    ("monitoring-subject", "ersea", "child:77"),
    ("monitoring-subject", "ersea", "unit:1"),
    ("monitoring-subject", "ersea", "child:99999999999999999999"),
    ("monitoring-subject", "ersea", "child:١"),
    ("monitoring-subject", "grantee", "grantee:1"),
])  # fmt: skip
def test_only_what_the_procedure_asks_for_can_be_noted(office: Office, code: str, kind: str, subject: str) -> None:
    enrol(office, [child(1)])
    with pytest.raises(Refused) as refused:
        record_done(office, kind, subject, date(2026, 10, 1), date(2026, 9, 20), "Ottoline Reed")
    assert refused.value.code == code


# ---------------------------------------------------------------- units and the agency


def test_units_are_asked_at_the_end_of_each_quarter_of_the_program_year(office: Office) -> None:
    """The year begins in August: October 31, January 31, April 30, July 31."""
    enrol(office, [child(1)])
    found = days_of(due(office, date(2027, 7, 31)), "conferencing")
    assert found == [("Preschool 1", day, day < date(2027, 7, 31)) for day in (date(2026, 10, 31), date(2027, 1, 31), date(2027, 4, 30), date(2027, 7, 31))]


def test_a_quarter_done_late_does_not_do_the_next_one(office: Office) -> None:
    enrol(office, [child(1)])
    first = next(item for item in due(office, date(2026, 10, 31)) if item.kind == "conferencing")
    record_done(office, first.kind, first.subject, first.due, date(2026, 11, 20), "Ottoline Reed")
    assert days_of(due(office, date(2027, 1, 31)), "conferencing") == [("Preschool 1", date(2027, 1, 31), False)]


def test_a_unit_is_asked_for_the_time_in_which_it_had_children(office: Office) -> None:
    """One that opens in November is not asked for the first quarter, and one that was empty neither."""
    enrol(office, [child(1, enrolled_on=date(2026, 11, 2), unit_start=date(2026, 11, 2)), child(2, unit="Preschool 2", left_on=date(2026, 10, 30), unit_start=None)])
    assert days_of(due(office, date(2027, 1, 31)), "conferencing") == [("Preschool 2", date(2026, 10, 31), True), ("Preschool 1", date(2027, 1, 31), False)]


def test_the_agency_is_asked_once_a_year(office: Office) -> None:
    """The year that ended stays due in the next one, if the installation was in use then."""
    enrol(office, [child(1)])
    plan(office, date(2026, 10, 14))
    assert days_of(due(office, date(2027, 7, 31)), "grantee") == [("", date(2027, 7, 31), False)]
    late = next(item for item in due(office, date(2027, 9, 1)) if item.kind == "grantee")
    assert (late.due, late.overdue, late.subject) == (date(2027, 7, 31), True, "grantee")
    record_done(office, "grantee", "grantee", late.due, date(2027, 9, 1), "Ottoline Reed")
    assert days_of(due(office, date(2027, 9, 1)), "grantee") == []


def test_years_before_the_installation_are_not_asked_for(office: Office) -> None:
    """A child enrolled two years ago brings its own windows, not reviews of years nobody recorded here."""
    enrol(office, [child(1, enrolled_on=date(2024, 8, 19))])
    assert [(item.kind, item.due) for item in due(office, date(2026, 9, 30))] == [("ersea", date(2024, 10, 3)), ("family", date(2024, 11, 17))]


def test_months_are_counted_from_the_same_day_every_time(ask_for: Callable[[str], Office]) -> None:
    """January 31 and a month is February 28, and a month later March 31 again."""
    office = ask_for(window("child", "months = 1"))
    enrol(office, [child(1, enrolled_on=date(2027, 1, 31))])
    assert [item.due for item in due(office, date(2027, 4, 30))] == [date(2027, 2, 28), date(2027, 3, 31), date(2027, 4, 30)]


def test_periods_end_with_the_program_year(ask_for: Callable[[str], Office]) -> None:
    """Every five months: December, May, and July with the rest."""
    office = ask_for(window("unit", "months = 5"))
    enrol(office, [child(1)])
    assert [item.due for item in due(office, date(2027, 7, 31))] == [date(2026, 12, 31), date(2027, 5, 31), date(2027, 7, 31)]


def test_units_and_the_agency_can_be_asked_after_days(ask_for: Callable[[str], Office]) -> None:
    """Counted from the first day of class, or of the program year."""
    office = ask_for(f'{window("unit", "days = 30")}, {window("grantee", "days = 60", "start")}')
    enrol(office, [child(1)])
    assert [(item.kind, item.due) for item in due(office, date(2026, 12, 31))] == [("look", date(2026, 9, 16)), ("start", date(2026, 9, 30))]


def test_nobody_is_asked_where_nobody_is(office: Office) -> None:
    assert due(office, date(2027, 7, 31)) == ()
