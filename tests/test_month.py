"""The month: papers pre-filled from roster and actions, made once; every boundary case of real life."""

import time
from collections.abc import Callable
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from formsvc.casework.prefill import earliest_conference
from formsvc.errors import word
from formsvc.model.procedure import STANDARD, add_months, age_in_words, month_after, program_year
from formsvc.model.roster import RosterLine
from formsvc.model.stamp import in_words
from formsvc.office.month import UnitResult, issue_month, write_unit
from formsvc.office.office import Office
from formsvc.office.review import waiting
from formsvc.store.followup import KeptAction, read_actions
from formsvc.store.log import now
from tests.offices import change_roster, child, discussed, documents, enrol, issue, need, open_test_office, plan, record, send


@pytest.fixture
def office(tmp_path: Path, blanks: Path) -> Office:
    return open_test_office(tmp_path, blanks)


@pytest.fixture
def with_children(office: Office) -> Callable[..., Office]:
    def make(*lines: RosterLine) -> Office:
        enrol(office, lines or [child(1), child(2), child(3)])
        return office

    return make


def children_of(results: list[UnitResult]) -> list[dict[str, Any]]:
    rows: Any = documents(results, "worksheet")[0].snapshot["children"]
    assert isinstance(rows, list)
    return rows


def actions(office: Office) -> tuple[KeptAction, ...]:
    with office.store.reading() as connection:
        return read_actions(connection)


def follow_up(office: Office, month: str, unit: str | None = None) -> list[dict[str, Any]]:
    rows: Any = documents(issue(office, month), "case-management", unit)[0].snapshot.get("actions", [])
    assert isinstance(rows, list)
    return rows


# ---------------------------------------------------------------- the cycle


def test_a_month_gives_each_unit_its_papers(with_children: Callable[..., Office]) -> None:
    """A class gets worksheet and follow-up form; a specialist one form only (R12)."""
    office = with_children(child(1), child(2, site="Oak Street", unit="Lee Oakes", option="fcch", home="Maple Home"), child(3, unit="Rosa Hill", option="home"))
    made = {result.unit.name: [document.form for document in result.documents] for result in issue(office, "2026-11")}
    assert made == {"Preschool 1": ["worksheet", "case-management"], "Lee Oakes": ["fcch"], "Rosa Hill": ["worksheet", "case-management"]}


def test_the_same_month_twice_gives_the_same_documents_ids_and_bytes(with_children: Callable[..., Office], tmp_path: Path) -> None:
    office = with_children()
    first, second = issue(office, "2026-11"), issue(office, "2026-11")
    assert [result.documents for result in first] == [result.documents for result in second]
    assert [result.made for result in second] == [0]
    written = [file.read_bytes() for result in first for file in write_unit(office, result, tmp_path / "one").files]
    assert written == [file.read_bytes() for result in second for file in write_unit(office, result, tmp_path / "two").files]


def test_what_somebody_typed_into_the_folder_is_never_overwritten_or_removed(with_children: Callable[..., Office], tmp_path: Path) -> None:
    """People fill papers in where they find them; a new edition and another run leave such a file alone and say so."""
    office = with_children()
    first = issue(office, "2026-11")
    worksheet, follow_up_form = write_unit(office, first[0], tmp_path).files
    for file in (worksheet, follow_up_form):
        file.write_bytes(file.read_bytes() + b"typed by somebody")
    assert write_unit(office, issue(office, "2026-11")[0], tmp_path).kept == (worksheet, follow_up_form)
    enrol(office, [child(4)])
    assert worksheet in write_unit(office, issue(office, "2026-11")[0], tmp_path).kept
    assert worksheet.read_bytes().endswith(b"typed by somebody")


def test_an_older_edition_as_it_was_issued_makes_room(with_children: Callable[..., Office], tmp_path: Path) -> None:
    office = with_children()
    older = write_unit(office, issue(office, "2026-11")[0], tmp_path).files[0]
    enrol(office, [child(4)])
    newer = write_unit(office, issue(office, "2026-11")[0], tmp_path)
    assert (older.exists(), newer.files[0].exists(), newer.kept) == (False, True, ())


def test_worksheets_are_filled_from_the_roster(with_children: Callable[..., Office]) -> None:
    """Roster, age on the day, program year, first conference, a line for each mandated role (R3, R13)."""
    office = with_children(child(1, home_language="Spanish", interpreter=True), child(2))
    plan(office, date(2026, 11, 12))
    values = documents(issue(office, "2026-11"), "worksheet")[0].snapshot
    assert values["children"] == [
        {"child_name": "Child 01", "child_id": "C-1", "birth_date": "2022-05-02", "age": "4 y 6 m", "enrolment_date": "2026-08-17", "home_language": "Spanish", "interpreter": True},
        {"child_name": "Child 02", "child_id": "C-2", "birth_date": "2022-05-03", "age": "4 y 6 m", "enrolment_date": "2026-08-17"},
    ]
    assert (values["program_year"], values["conference_date"], values["start_time"], values["first_conference"]) == ("2026-2027", "2026-11-12", "09:00", True)
    assert values["attendance"] == [{"role": "educator", "name": "Wanda Applegarth"}, {"role": "fsw", "name": "Marcus Fennelworth"}, {"role": "health", "name": "Ingrid Saltmarsh"}]


def test_a_change_of_the_roster_makes_a_new_edition_until_the_worksheet_is_back(with_children: Callable[..., Office]) -> None:
    office = with_children()
    first = documents(issue(office, "2026-11"), "worksheet")[0]
    enrol(office, [child(4)])
    second = documents(issue(office, "2026-11"), "worksheet")[0]
    assert (first.edition, second.edition, len(list(second.rows["children"]))) == (1, 2, 4)
    send(office, first, discussed("2026-11-12", (0, need("Call the clinic"))))
    enrol(office, [child(5)])
    assert documents(issue(office, "2026-11"), "worksheet")[0].edition == 2


def test_both_editions_of_a_paper_count_for_one_record(with_children: Callable[..., Office]) -> None:
    """Rows are matched by child, wherever they stand on the paper."""
    office = with_children(child(2), child(3))
    first = documents(issue(office, "2026-11"), "worksheet")[0]
    enrol(office, [child(1)])
    second = documents(issue(office, "2026-11"), "worksheet")[0]
    send(office, first, discussed("2026-11-12", (1, need("From the first edition"))))
    send(office, second, discussed("2026-11-12", (2, {"no_discussion_points": True})))
    rows: Any = record(office, second)["children"]
    assert {row["child_id"]: row.get("follow_up_action", row.get("no_discussion_points")) for row in rows} == {"C-2": None, "C-3": "From the first edition", "C-1": True}


def test_the_follow_up_form_of_the_month_shows_the_worksheets_actions(with_children: Callable[..., Office]) -> None:
    """R8, and R10: next month they come back as carried, with who and when."""
    office = with_children()
    worksheet = documents(issue(office, "2026-11"), "worksheet")[0]
    assert follow_up(office, "2026-11") == []
    send(office, worksheet, discussed("2026-11-12", (1, need("Call the clinic"))))
    row = follow_up(office, "2026-11")[0]
    assert (row["child_id"], row["origin"], row["need"], row["follow_up_action"], row["target_date"]) == ("C-2", "new", "support", "Call the clinic", "2026-12-01")
    carried = follow_up(office, "2026-12")[0]
    assert (carried["action_id"], carried["origin"], carried["carried_from"]) == (row["action_id"], "carried", "2026-11")


def test_a_completed_action_is_not_carried_and_an_unmet_one_takes_its_new_strategy_along(with_children: Callable[..., Office]) -> None:
    office = with_children()
    send(office, documents(issue(office, "2026-11"), "worksheet")[0], discussed("2026-11-12", (0, need("Call the clinic")), (1, need("Read together"))))
    form = documents(issue(office, "2026-11"), "case-management")[0]

    def fill(values: dict[str, Any]) -> None:
        values["conference_date"] = "2026-11-12"
        values["actions"][0]["status"] = "met"
        values["actions"][1] |= {"status": "not_met", "carry": True, "follow_up_action": "Read together twice a week"}

    send(office, form, fill)
    carried = follow_up(office, "2026-12")
    assert [(row["child_id"], row["follow_up_action"], row["carried_from"]) for row in carried] == [("C-2", "Read together twice a week", "2026-11")]


def test_a_status_of_one_month_does_not_stick_to_the_next(with_children: Callable[..., Office]) -> None:
    """In December the box “carry” was left empty: the action has ended, without November's outcome."""
    office = with_children()
    send(office, documents(issue(office, "2026-11"), "worksheet")[0], discussed("2026-11-12", (0, need("Call the clinic"))))

    def status(day: str, **answers: Any) -> Callable[[dict[str, Any]], None]:
        def fill(values: dict[str, Any]) -> None:
            values["conference_date"] = day
            values["actions"][0] |= answers

        return fill

    send(office, documents(issue(office, "2026-11"), "case-management")[0], status("2026-11-12", status="not_met", carry=True, outcome="No answer"))
    send(office, documents(issue(office, "2026-12"), "case-management")[0], status("2026-12-10", status="not_met"))
    assert [(action.open, action.facts.get("outcome")) for action in actions(office)] == [(False, None)]


def test_papers_keep_their_language_when_they_are_made_anew(with_children: Callable[..., Office]) -> None:
    office = with_children()
    worksheet = documents(list(issue_month(office, "2026-11", lang="es")), "worksheet")[0]
    send(office, worksheet, discussed("2026-11-12", (0, need("Llamar a la clínica"))))
    assert {document.lang for result in issue(office, "2026-11") for document in result.documents} == {"es"}


def test_family_child_care_actions_come_back_on_the_same_form(with_children: Callable[..., Office]) -> None:
    """R12: one form does both; last month's status stands on it."""
    office = with_children(child(1, site="Oak Street", unit="Lee Oakes", option="fcch", home="Maple Home", unit_start=None))
    paper = documents(issue(office, "2026-11"), "fcch")[0]

    def fill(values: dict[str, Any]) -> None:
        values["conference_date"] = "2026-11-12"
        values["children"] = [{"home": "Maple Home", "child_name": "Child 01", "child_id": "C-1", **need("Visit the home"), "status": "in_progress"}]

    assert send(office, paper, fill).questions == 0
    rows: Any = documents(issue(office, "2026-12"), "fcch")[0].snapshot["children"]
    assert [(row["child_id"], row["home"], row["follow_up_action"], row["status_last"], row["continued"]) for row in rows] == [("C-1", "Maple Home", "Visit the home", "in_progress", "continued")]


def test_a_roster_longer_than_the_form_takes_two_parts(with_children: Callable[..., Office]) -> None:
    office = with_children(*(child(number, birth_date=None) for number in range(45)))
    parts = documents(issue(office, "2026-11"), "worksheet")
    assert [len(document.rows["children"]) for document in parts] == [23, 22]


def test_a_unit_that_fails_does_not_stop_the_others(with_children: Callable[..., Office]) -> None:
    """A value that no form can hold is told for its unit."""
    office = with_children(child(1, home_language="x" * 100), child(2, unit="Preschool 2"))
    results = list(issue_month(office, "2026-11"))
    assert [(result.unit.name, len(result.documents), bool(result.failed)) for result in results] == [("Preschool 1", 0, True), ("Preschool 2", 2, False)]


# ---------------------------------------------------------------- boundary cases


def test_a_child_enrolled_on_conference_day_is_new_next_month(with_children: Callable[..., Office]) -> None:
    """R4: it stood on no paper that was discussed, so the next conference is its first."""
    office = with_children()
    send(office, documents(issue(office, "2026-11"), "worksheet")[0], discussed("2026-11-12", (0, need("Call the clinic"))))
    enrol(office, [child(4, enrolled_on=date(2026, 11, 12))])
    assert [row["child_id"] for row in children_of(issue(office, "2026-12")) if row.get("new")] == ["C-4"]


def test_a_child_enrolled_on_conference_day_and_discussed_is_not_new(with_children: Callable[..., Office]) -> None:
    office = with_children(child(1), child(4, enrolled_on=date(2026, 11, 12)))
    send(office, documents(issue(office, "2026-11"), "worksheet")[0], discussed("2026-11-12", (0, need("Call")), (1, {"discussion_points": "Welcome"})))
    assert [row["child_id"] for row in children_of(issue(office, "2026-12")) if row.get("new")] == []


def test_nobody_is_new_at_the_first_conference(with_children: Callable[..., Office]) -> None:
    """R3: at the first one every child is discussed anyway."""
    assert [row for row in children_of(issue(with_children(), "2026-11")) if row.get("new")] == []


def test_a_child_withdrawn_mid_month_has_its_action_closed_and_not_carried(with_children: Callable[..., Office]) -> None:
    """On the paper of the month it left, its action reads “no longer enrolled”; the month after it is gone."""
    office = with_children()
    send(office, documents(issue(office, "2026-11"), "worksheet")[0], discussed("2026-11-05", (0, need("Call the clinic"))))
    change_roster(office, child(1), child(1, left_on=date(2026, 12, 9)))
    row = follow_up(office, "2026-12")[0]
    assert (row["status"], row["status_date"]) == ("not_enrolled", "2026-12-09")
    assert follow_up(office, "2027-01") == []
    assert [row["child_id"] for row in children_of(issue(office, "2027-01"))] == ["C-2", "C-3"]


def test_a_unit_with_no_children_gets_no_paper_and_is_told(with_children: Callable[..., Office]) -> None:
    office = with_children(child(1, left_on=date(2026, 9, 30)))
    assert [(result.documents, result.skipped) for result in issue(office, "2026-11")] == [((), word("unit-without-children"))]


def test_open_actions_follow_a_child_who_moves_to_another_class(with_children: Callable[..., Office]) -> None:
    office = with_children(child(1), child(2), child(3, unit="Preschool 2"))
    send(office, documents(issue(office, "2026-11"), "worksheet", "Preschool 1")[0], discussed("2026-11-12", (0, need("Call the clinic"))))
    change_roster(office, child(1), child(1, left_on=date(2026, 11, 30)))
    enrol(office, [child(1, unit="Preschool 2", enrolled_on=date(2026, 12, 1))])
    assert follow_up(office, "2026-12", "Preschool 1") == []
    assert [(row["child_id"], row["follow_up_action"]) for row in follow_up(office, "2026-12", "Preschool 2")] == [("C-1", "Call the clinic")]


def test_a_move_is_not_a_new_enrolment(with_children: Callable[..., Office]) -> None:
    office = with_children(child(1), child(3, unit="Preschool 2"))
    send(office, documents(issue(office, "2026-11"), "worksheet", "Preschool 2")[0], discussed("2026-11-12", (0, {"discussion_points": "Well"})))
    change_roster(office, child(1), child(1, left_on=date(2026, 11, 30)))
    enrol(office, [child(1, unit="Preschool 2", enrolled_on=date(2026, 12, 1))])
    rows: Any = documents(issue(office, "2026-12"), "worksheet", "Preschool 2")[0].snapshot["children"]
    assert [(row["child_id"], row["enrolment_date"], row.get("new", False)) for row in rows] == [("C-3", "2026-08-17", False), ("C-1", "2026-08-17", False)]


def test_siblings_have_one_action_for_two_children(with_children: Callable[..., Office]) -> None:
    """The same action, person and date for two children of a family is one action that names both."""
    office = with_children(child(1, family_id="F"), child(2, family_id="F"), child(3, family_id="G"))
    same = need("Help the family find a bus pass")
    send(office, documents(issue(office, "2026-11"), "worksheet")[0], discussed("2026-11-12", (0, same), (1, same), (2, same)))
    assert sorted(len(action.children) for action in actions(office)) == [1, 2]
    assert [row["child_name"] for row in follow_up(office, "2026-11")] == ["Child 01 + Child 02", "Child 03"]


def test_a_shared_action_stays_with_the_sibling_who_stays(with_children: Callable[..., Office]) -> None:
    """One child leaves, the other one keeps the action, in its own class if that is another."""
    office = with_children(child(1, family_id="F"), child(2, family_id="F"))
    same = need("Help the family find a bus pass")
    send(office, documents(issue(office, "2026-11"), "worksheet")[0], discussed("2026-11-12", (0, same), (1, same)))
    change_roster(office, child(1, family_id="F"), child(1, family_id="F", left_on=date(2026, 11, 20)))
    assert [row["child_name"] for row in follow_up(office, "2026-12")] == ["Child 02"]
    change_roster(office, child(2, family_id="F"), child(2, family_id="F", left_on=date(2026, 12, 1)))
    enrol(office, [child(2, family_id="F", unit="Preschool 2", enrolled_on=date(2026, 12, 2))])
    assert [row["child_name"] for row in follow_up(office, "2026-12", "Preschool 2")] == ["Child 02"]


def test_a_move_over_a_weekend_is_no_new_enrolment_and_a_later_return_says_nothing_yet(with_children: Callable[..., Office]) -> None:
    office = with_children(child(1, left_on=date(2026, 10, 2)), child(2, left_on=date(2026, 11, 20)))
    enrol(office, [child(1, enrolled_on=date(2026, 10, 5)), child(2, enrolled_on=date(2027, 2, 1))])
    assert [row["enrolment_date"] for row in children_of(issue(office, "2026-11"))] == ["2026-08-17"] * 2


def test_a_skipped_month_carries_from_the_last_conference_held(with_children: Callable[..., Office]) -> None:
    """December was never held: January carries from November."""
    office = with_children()
    send(office, documents(issue(office, "2026-11"), "worksheet")[0], discussed("2026-11-12", (0, need("Call the clinic"))))
    enrol(office, [child(4, enrolled_on=date(2026, 12, 3))])
    issue(office, "2026-12")
    row = follow_up(office, "2027-01")[0]
    assert (row["origin"], row["carried_from"]) == ("carried", "2026-11")
    assert [row["child_id"] for row in children_of(issue(office, "2027-01")) if row.get("new")] == ["C-4"]


def test_two_children_with_the_same_name_are_told_apart_by_their_id(with_children: Callable[..., Office]) -> None:
    office = with_children(child(1, child_name="Ana Rivera"), child(2, child_name="Ana Rivera"))
    worksheet = documents(issue(office, "2026-11"), "worksheet")[0]
    send(office, worksheet, discussed("2026-11-12", (1, need("Call the clinic")), (2, {"child_name": "Ana Rivera", **need("Which Ana?")})))
    assert [row["child_id"] for row in follow_up(office, "2026-11") if row["follow_up_action"] == "Call the clinic"] == ["C-2"]
    assert [(one.code, one.what) for one in waiting(office)] == [("unknown-child", "Ana Rivera: Child's name")]


def test_january_31_and_one_month_is_the_last_of_february() -> None:
    assert [add_months(date(2027, 1, 31), 1), add_months(date(2028, 1, 31), 1), add_months(date(2026, 12, 31), 2)] == [date(2027, 2, 28), date(2028, 2, 29), date(2027, 2, 28)]
    assert (month_after("2026-12"), month_after("2026-01", -1), program_year("2026-07", 8)) == ("2027-01", "2025-12", "2025-2026")
    assert (age_in_words(date(2024, 2, 29), date(2026, 2, 28)), age_in_words(date(2024, 2, 29), date(2026, 3, 1))) == ("1 y 11 m", "2 y 0 m")


def test_times_keep_their_order_when_the_clocks_change(monkeypatch: pytest.MonkeyPatch) -> None:
    """The store writes UTC: the hour that comes twice in autumn is two different hours."""
    monkeypatch.setenv("TZ", "America/New_York")
    time.tzset()
    try:
        assert now().endswith("+00:00")
    finally:
        monkeypatch.undo()
        time.tzset()


@pytest.mark.parametrize(("held", "codes"), [("2026-09-15", ["conference-too-early"]), ("2026-09-16", [])])
def test_a_first_conference_exactly_on_day_30_is_allowed(with_children: Callable[..., Office], held: str, codes: list[str]) -> None:
    """R2: class began on August 17; 30 days are over on September 16."""
    office = with_children()
    receipt = send(office, documents(issue(office, "2026-09"), "worksheet")[0], discussed(held, (0, need("Call the clinic"))))
    assert [problem.code for problem in receipt.problems if problem.code == "conference-too-early"] == codes
    assert earliest_conference(date(2026, 8, 17), STANDARD) == date(2026, 9, 16)


def test_a_month_that_ends_before_day_30_gives_no_paper(with_children: Callable[..., Office]) -> None:
    """R2: the unit is told when it is due."""
    assert [(result.documents, result.skipped) for result in issue(with_children(), "2026-08")] == [((), word("unit-not-due", earliest="09/16/2026"))]


def test_a_form_printed_in_one_month_and_returned_in_the_next_counts_for_its_own(with_children: Callable[..., Office]) -> None:
    office = with_children()
    november = documents(issue(office, "2026-11"), "worksheet")[0]
    issue(office, "2026-12")
    receipt = send(office, november, discussed("2026-11-12", (0, need("Call the clinic"))))
    assert (receipt.state, receipt.where) == ("counted", "Cedar Hall, Preschool 1, 2026-11, worksheet")
    assert follow_up(office, "2026-12")[0]["carried_from"] == "2026-11"


def test_the_same_form_returned_by_two_people_differently_filled_asks_once(with_children: Callable[..., Office]) -> None:
    """What only one wrote counts; what both wrote differently waits, and the fuller text stands meanwhile."""
    office = with_children()
    paper = documents(issue(office, "2026-11"), "worksheet")[0]
    send(office, paper, discussed("2026-11-12", (0, need("Call")), (1, {"no_discussion_points": True})))
    send(office, paper, discussed("2026-11-12", (0, need("Call the clinic")), (2, {"discussion_points": "Sleeps well"})))
    rows: Any = record(office, paper)["children"]
    assert [rows[0]["follow_up_action"], rows[1]["no_discussion_points"], rows[2]["discussion_points"]] == ["Call the clinic", True, "Sleeps well"]
    assert [(one.code, one.what, [value for value, _ in one.choices]) for one in waiting(office)] == [("conflict", "Child 01: Follow-up action", ["Call", "Call the clinic"])]


def test_a_program_year_begins_anew(with_children: Callable[..., Office]) -> None:
    """After the summer the first conference is a first one again, and nobody is NEW."""
    office = with_children()
    send(office, documents(issue(office, "2027-05"), "worksheet")[0], discussed("2027-05-12", (0, need("Call the clinic"))))
    last = documents(issue(office, "2027-05"), "case-management")[0]
    values = documents(issue(office, "2027-10"), "worksheet")[0].snapshot
    assert (values["first_conference"], values["program_year"]) == (True, "2027-2028")
    previous = documents(issue(office, "2027-10"), "case-management")[0].snapshot["previous_document"]
    assert previous == in_words(last.id)


def test_a_child_who_had_left_before_the_conference_is_a_question_not_a_loss(with_children: Callable[..., Office]) -> None:
    office = with_children()
    paper = documents(issue(office, "2026-11"), "worksheet")[0]
    change_roster(office, child(2), replace(child(2), left_on=date(2026, 11, 3)))
    send(office, paper, discussed("2026-11-12", (1, need("Call the clinic"))))
    rows: Any = record(office, paper)["children"]
    assert rows[1]["follow_up_action"] == "Call the clinic"
    assert [one.code for one in waiting(office)] == ["child-left"]
