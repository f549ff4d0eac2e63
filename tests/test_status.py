"""The picture of a month: every unit, every broken rule with its day and person, every late action."""

import io
import json
import re
from collections.abc import Iterator
from dataclasses import asdict, replace
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console
from sqlalchemy import event

from formsvc.casework.coverage import STATES, Coverage, state_of
from formsvc.errors import Refused
from formsvc.model.procedure import STANDARD
from formsvc.office.conferences import hold_meeting
from formsvc.office.exports import export_case_notes
from formsvc.office.office import Office
from formsvc.office.status import MonthStatus, months, status
from formsvc.office.status_tables import describe, describe_months, summary
from formsvc.store.papers import Document
from formsvc.store.roster import read_units
from tests.offices import change_roster, child, discussed, documents, enrol, issue, need, open_test_office, plan, send

pytest_plugins = ["tests.servers"]
NOVEMBER, OVER = date(2026, 11, 20), date(2026, 12, 1)


@pytest.fixture(params=["sqlite", "postgresql"])
def office(request: pytest.FixtureRequest, tmp_path: Path, blanks: Path) -> Iterator[Office]:
    opened = open_test_office(tmp_path, blanks, request.getfixturevalue("postgres_url") if request.param == "postgresql" else "")
    yield opened
    opened.store.engine.dispose()


@pytest.fixture
def small(tmp_path: Path, blanks: Path) -> Iterator[Office]:
    """An office with two children, in SQLite."""
    opened = open_test_office(tmp_path, blanks)
    enrol(opened, [child(1), child(2)])
    yield opened
    opened.store.engine.dispose()


def codes(picture: MonthStatus, rule: str = "") -> dict[str, int]:
    """How many of each finding, of one rule or of all."""
    return {found.code: found.count for found in picture.findings if rule in ("", found.rule)}


def worksheet(office: Office, month: str = "2026-11") -> Document:
    return documents(issue(office, month), "worksheet")[0]


def follow_up(office: Office, month: str = "2026-11") -> Document:
    return documents(issue(office, month), "case-management")[0]


def done(values: dict[str, Any]) -> None:
    """A worksheet on which nothing is missing."""
    discussed("2026-11-12", *((row, {"strengths": "Sings.", "discussion_points": "Sleeps well."}) for row in (0, 1)))(values)
    for report in values["reports"]:
        report["pulled_on"] = "2026-11-11"
    values.update(filed_in="Binder 3", filed_on="2026-11-13")


def followed(values: dict[str, Any]) -> None:
    """A follow-up form on which nothing is missing."""
    values.update(conference_date="2026-11-12", filed_in="Binder 3", filed_on="2026-11-13")


# ---------------------------------------------------------------- how far units are


def test_a_month_from_plan_to_done(office: Office) -> None:
    """Not planned, planned, missing, out, done: the state and the counts of papers follow what happens."""
    enrol(office, [child(1), child(2)])
    seen = []

    def look(today: date = NOVEMBER) -> None:
        unit = status(office, "2026-11", today=today).units[0]
        seen.append((unit.state, unit.due, unit.issued, unit.returned, unit.done))

    look()
    plan(office, date(2026, 11, 12))
    look(date(2026, 11, 12))
    paper = worksheet(office)
    look()
    send(office, paper, done)
    look()
    send(office, follow_up(office), followed)
    look()
    assert seen == [("open", 2, 0, 0, 0), ("planned", 2, 0, 0, 0), ("missing", 2, 2, 0, 0), ("held", 2, 2, 1, 1), ("done", 2, 2, 2, 2)]
    assert not codes(status(office, "2026-11", today=NOVEMBER)).keys() & {"conference-unplanned", "conference-not-recorded", "papers-not-issued", "papers-not-returned", "not-filed"}


@pytest.mark.parametrize(("expected", "planned", "today"), [
    ("conference-unplanned", None, date(2026, 11, 30)),
    ("conference-missing", None, date(2026, 12, 1)),
    (None, date(2026, 11, 12), date(2026, 11, 12)),
    ("conference-not-recorded", date(2026, 11, 12), date(2026, 11, 13)),
])  # fmt: skip
def test_r1_a_conference_in_every_month(small: Office, expected: str | None, planned: date | None, today: date) -> None:
    """Planned in advance, on record after its day; an error only once the month is over."""
    if planned:
        plan(small, planned)
    found = [one for one in status(small, "2026-11", today=today).findings if one.rule == "R1"]
    assert [one.code for one in found] == ([expected] if expected else [])
    assert {one.severity for one in found} <= {"error" if today > date(2026, 11, 30) else "warning"}


def test_r2_a_unit_that_is_not_due_is_told_with_its_day(small: Office) -> None:
    """Class began on August 17: nothing is missing in August, and the day is told."""
    picture = status(small, "2026-08", today=date(2026, 8, 31))
    assert [(one.code, one.severity, one.due) for one in picture.findings if one.rule in {"R1", "R2"}] == [("unit-not-due", "note", "2026-09-16")]
    assert (picture.units[0].state, picture.units[0].due) == ("not-due", 0)
    assert status(small, "2026-09", today=date(2026, 8, 31)).units[0].state == "open"


def test_a_unit_without_children_is_not_asked_for_papers(small: Office) -> None:
    enrol(small, [child(9, unit="Preschool 2", left_on=date(2026, 10, 30))])
    picture = status(small, "2026-11", today=OVER)
    assert [(unit.unit, unit.state, unit.due, unit.children) for unit in picture.units] == [("Preschool 1", "missing", 2, 2), ("Preschool 2", "empty", 0, 0)]
    assert {found.unit for found in picture.findings if found.rule == "R1"} == {"Preschool 1"}


def test_what_waits_is_counted_with_its_paper(small: Office) -> None:
    """Two copies that disagree are a question; a return of another month is not placed."""
    paper = worksheet(small)
    for text in ("Call the clinic", "Visit the clinic"):
        send(small, paper, discussed("2026-11-12", (0, need(text))))
    send(small, paper, discussed("2026-10-12", (1, need("Of another month"))))
    picture = status(small, "2026-11", today=NOVEMBER)
    assert (picture.units[0].state, picture.units[0].questions, picture.unplaced) == ("waiting", 1, 1)
    assert codes(picture)["questions-waiting"] == 1


def test_the_problems_of_papers_are_told_once_with_their_number(small: Office) -> None:
    """R5, R13 and R19 of what came back: rule, severity, paper, and who answers for the unit."""
    send(small, worksheet(small), discussed("2026-11-12", present=False))
    found = {one.code: one for one in status(small, "2026-11", today=NOVEMBER).findings if one.form}
    assert (found["no-disposition"].rule, found["no-disposition"].count, found["no-disposition"].severity) == ("R5", 2, "error")
    assert (found["no-disposition"].unit, found["no-disposition"].who, found["no-disposition"].due) == ("Preschool 1", "Wanda Applegarth", "2026-11-30")
    assert (found["mandated-role-missing"].rule, found["not-filed"].rule, found["not-filed"].form) == ("R13", "R19", "worksheet")


def test_r6_and_r14_come_from_the_papers(small: Office) -> None:
    """A need without an action; somebody present who did not sign."""
    send(small, worksheet(small), discussed("2026-11-12", (0, {"support_needed": True, "discussion_points": "Tired."})))
    send(small, follow_up(small), discussed("2026-11-12"))
    assert codes(status(small, "2026-11", today=NOVEMBER), "R6") == {"need-without-action": 1}
    assert sum(one.count for one in status(small, "2026-11", today=NOVEMBER).findings if one.rule == "R14") == 3


# ---------------------------------------------------------------- actions


def test_r8_an_action_stands_on_the_follow_up_form_of_its_month(office: Office) -> None:
    """An action of the worksheet is missed until the follow-up form is made again with it; an earlier edition is enough."""
    enrol(office, [child(1), child(2)])
    paper = worksheet(office)
    send(office, paper, discussed("2026-11-12", (0, need("Call the clinic"))))
    assert codes(status(office, "2026-11", today=NOVEMBER), "R8") == {"action-not-on-form": 1}
    follow_up(office)
    assert codes(status(office, "2026-11", today=NOVEMBER), "R8") == {}


def test_an_action_is_overdue_the_day_after_its_date(office: Office) -> None:
    """With the person it falls to; on the day itself it is in time."""
    enrol(office, [child(1), child(2)])
    send(office, worksheet(office), discussed("2026-11-12", (0, need("Call the clinic", target_date="2026-12-01"))))
    assert status(office, "2026-12", today=date(2026, 12, 1)).actions == ()
    picture = status(office, "2026-12", today=date(2026, 12, 2))
    assert [(action.child_name, action.action, action.responsible, action.overdue) for action in picture.actions] == [("Child 01", "Call the clinic", "Marcus Fennelworth", True)]
    assert [(one.count, one.who, one.due) for one in picture.findings if one.code == "actions-overdue"] == [(1, "Marcus Fennelworth", "2026-12-01")]
    assert (picture.units[0].open_actions, picture.units[0].overdue_actions) == (1, 1)


def test_an_action_that_ended_is_not_late(small: Office) -> None:
    send(small, worksheet(small), discussed("2026-11-12", (0, need("Call the clinic"))))

    def met(values: dict[str, Any]) -> None:
        values["conference_date"] = "2026-12-10"
        values["actions"][0].update(status="met", status_date="2026-12-09")

    send(small, follow_up(small, "2026-12"), met)
    assert status(small, "2026-12", today=date(2027, 5, 1)).actions == ()


def test_actions_of_children_who_left_are_told_apart(small: Office) -> None:
    """Not overdue and not long carried, but no longer enrolled; with a sibling who is still here it goes on."""
    enrol(small, [child(3, family_id="F1"), child(4, family_id="F1")])
    together = need("Ask about housing")
    send(small, worksheet(small), discussed("2026-11-12", (0, need("Call the clinic")), (2, together), (3, together)))
    change_roster(small, child(1), child(1, left_on=date(2026, 12, 10)))
    change_roster(small, child(3, family_id="F1"), child(3, family_id="F1", left_on=date(2026, 12, 10)))

    def seen(today: date) -> dict[str, tuple[bool, bool, bool]]:
        return {action.child_name: (action.overdue, action.long_carried, action.left) for action in status(small, "2027-03", today=today).actions}

    assert seen(date(2026, 12, 10)) == {"Child 01": (True, True, False), "Child 03 + Child 04": (True, True, False)}
    assert seen(date(2026, 12, 11)) == {"Child 01": (False, False, True), "Child 03 + Child 04": (True, True, False)}


def test_an_open_action_follows_the_child(small: Office) -> None:
    send(small, worksheet(small), discussed("2026-11-12", (0, need("Call the clinic"))))
    change_roster(small, child(1), child(1, left_on=date(2026, 11, 30)))
    enrol(small, [child(1, site="Elm Street", unit="Preschool 7", enrolled_on=date(2026, 12, 1))])
    picture = status(small, "2026-12", today=date(2026, 12, 20))
    assert [(action.site, action.unit, action.left) for action in picture.actions] == [("Elm Street", "Preschool 7", False)]
    assert [len(status(small, "2026-12", today=date(2026, 12, 20), site=site).actions) for site in ("Cedar Hall", "Elm Street")] == [0, 1]


def test_r11_long_carried_actions_go_to_the_supervisor(small: Office) -> None:
    """From the third month after the one in which it was opened."""
    send(small, worksheet(small), discussed("2026-11-12", (0, need("Call the clinic", target_date="2027-06-01"))))
    assert codes(status(small, "2027-01", today=date(2027, 1, 10)), "R11") == {}
    picture = status(small, "2027-02", today=date(2027, 2, 10))
    assert codes(picture, "R11") == {"actions-long-carried": 1}
    assert [(action.months, action.long_carried, action.overdue) for action in picture.actions] == [(3, True, False)]


# ---------------------------------------------------------------- agency


def test_r17_the_meeting_with_management(office: Office) -> None:
    """None at all in the program year is told first, then a month without; one unit's meeting is the site's."""
    enrol(office, [child(1), child(2, unit="Preschool 2")])
    late = [(one.code, one.severity, one.site, one.unit) for one in status(office, "2026-11", today=NOVEMBER).findings if one.rule == "R17"]
    assert late == [("management-never", "error", "Cedar Hall", "")]
    assert [one.severity for one in status(office, "2026-08", today=date(2026, 8, 31)).findings if one.rule == "R17"] == ["warning"]
    with office.store.writing() as connection:
        hold_meeting(connection, read_units(connection)[0].id, date(2026, 9, 3))
    assert [(one.code, one.severity) for one in status(office, "2026-11", today=NOVEMBER).findings if one.rule == "R17"] == [("management-missing", "warning")]
    assert codes(status(office, "2026-09", today=NOVEMBER), "R17") == {}


def test_r18_notes_go_to_copa_again_when_they_change(office: Office) -> None:
    """Nothing before a paper is back; then until it is exported; then when it changes, and only for its month."""
    enrol(office, [child(1), child(2)])
    paper, seen = worksheet(office), []

    def look() -> None:
        seen.append(codes(status(office, "2026-11", today=NOVEMBER), "R18"))

    look()
    send(office, paper, discussed("2026-11-12", (0, need("Call the clinic"))))
    look()
    export_case_notes(office, "2026-11")
    look()
    send(office, follow_up(office), discussed("2026-11-12"))
    look()
    send(office, paper, discussed("2026-11-12", (0, need("Call the clinic")), (1, {"no_discussion_points": True})))
    look()
    export_case_notes(office, "2026-10")
    look()
    assert seen == [{}, {"not-exported": 1}, {}, {}, {"export-outdated": 1}, {"export-outdated": 1}]


def test_r20_monitoring_is_added_up(office: Office) -> None:
    """Overdue and due this month, per unit and kind, with the first day and who does it; a child without a day is told."""
    enrol(office, [child(1), child(2), child(3, enrolled_on=date(2026, 10, 10)), child(4, enrolled_on=None)])
    found = [(one.code, one.count, one.due, one.who, one.severity) for one in status(office, "2026-11", today=date(2026, 11, 10)).findings if one.rule == "R20"]
    assert sorted(found) == [
        ("monitoring-due", 1, "2026-11-24", "ERSEA", "warning"),
        ("monitoring-due", 2, "2026-11-15", "Marcus Fennelworth", "warning"),
        ("monitoring-overdue", 1, "2026-10-31", "Supervisor", "error"),
        ("monitoring-overdue", 2, "2026-10-01", "ERSEA", "error"),
        ("monitoring-undated", 1, "2026-11-30", "ERSEA", "warning"),
    ]


# ---------------------------------------------------------------- the whole


def test_a_site_can_be_looked_at_alone(small: Office) -> None:
    """Nothing of other sites and nothing of the whole agency is in it; a site that is not there is refused."""
    enrol(small, [child(3, site="Elm Street", unit="Preschool 7")])
    picture = status(small, "2026-11", today=date(2027, 8, 20), site="Elm Street")
    assert {unit.site for unit in picture.units} == {"Elm Street"}
    assert {found.site for found in picture.findings} == {"Elm Street"}
    for month, site, code in (("2026-13", None, "month-invalid"), ("2026-11", "Nowhere", "unit-unknown")):
        with pytest.raises(Refused) as refused:
            status(small, month, today=NOVEMBER, site=site)
        assert refused.value.code == code


def test_a_picture_is_plain_json(small: Office) -> None:
    send(small, worksheet(small), discussed("2026-11-12", (0, need("Call the clinic"))))
    told = json.loads(json.dumps(asdict(status(small, "2026-11", today=date(2027, 1, 5)))))
    assert (told["units"][0]["held_on"], told["actions"][0]["target_date"], told["today"]) == ("2026-11-12", "2026-12-01", "2027-01-05")
    assert json.dumps(asdict(months(small, today=NOVEMBER)))


def test_looking_changes_nothing_and_asks_as_often_for_many_units_as_for_one(small: Office) -> None:
    """The number of statements does not depend on the number of units."""
    counts, said = [], []
    event.listen(small.store.engine, "before_cursor_execute", lambda _c, _u, statement, *_: said.append(statement))
    for more in range(2):
        said.clear()
        status(small, "2026-11", today=NOVEMBER)
        counts.append(len(said))
        assert [statement for statement in said if not re.match(r"SELECT|BEGIN|PRAGMA", statement)] == []
        enrol(small, [child(10 + number, unit=f"Class {number}") for number in range(20 * (1 - more))])
    assert counts[0] == counts[1] < 30


def test_months_are_a_map_of_the_program_year(office: Office) -> None:
    """August to July, whatever month it is looked at in; a cell is the unit's state in that month."""
    enrol(office, [child(1), child(2)])
    plan(office, date(2026, 12, 10))
    send(office, worksheet(office), done)
    heat = months(office, today=date(2026, 12, 1))
    assert (heat.year, heat.months[0], heat.months[-1], len(heat.months)) == ("2026-2027", "2026-08", "2027-07", 12)
    assert [cell.state for cell in heat.rows[0].cells[:6]] == ["not-due", "missing", "missing", "held", "planned", "open"]
    assert months(office, today=date(2026, 12, 1), month="2027-08").year == "2027-2028"


def test_every_state_is_reached() -> None:
    """Each state has its facts."""
    start, unit = date(2026, 8, 17), {"month": "2026-11", "option": "center", "start": date(2026, 8, 17), "children": 3, "held_before": False}
    facts: dict[str, dict[str, Any]] = {
        "empty": {"children": 0},
        "not-due": {"month": "2026-08"},
        "open": {},
        "planned": {"planned_on": date(2026, 11, 30)},
        "missing": {"planned_on": date(2026, 11, 3)},
        "held": {"held_on": date(2026, 11, 3), "issued": 2},
        "waiting": {"held_on": date(2026, 11, 3), "issued": 2, "returned": 1},
        "done": {"held_on": date(2026, 11, 3), "issued": 2, "returned": 2, "done": 2},
    }
    assert list(facts) == list(STATES)
    today = {"not-due": start}
    assert {state: state_of(Coverage(**{**unit, **given}), STANDARD, today.get(state, NOVEMBER)) for state, given in facts.items()} == {state: state for state in STATES}


@pytest.mark.parametrize("width", [100, 130])
def test_the_tables_fit_their_width_and_say_all_in_words(small: Office, width: int) -> None:
    """No line is longer than the terminal, nothing is told by colour alone, and names cannot write to the terminal."""
    enrol(small, [child(3, child_name="[red]Magda", unit="A very long name of a class with the educator's name in it", site="The Most Southern Of All Our Sites In Willow County")])
    paper = next(document for document in documents(issue(small, "2026-11"), "worksheet") if len(document.rows["children"]) == 1)
    send(small, paper, discussed("2026-11-12", (0, need("Call [bold]the clinic " + "and then call again " * 20))))
    picture = status(small, "2026-11", today=date(2027, 1, 5))
    picture = replace(picture, actions=tuple(replace(action, responsible="Mar\x1b[2Jcus\u2028") for action in picture.actions))
    console = Console(width=width, record=True, file=io.StringIO())
    for part in (*describe(picture), *describe_months(months(small, today=NOVEMBER))):
        console.print(part)
    said = console.export_text()
    assert max(map(len, said.splitlines())) <= width
    assert "\x1b" not in said
    assert "[red]Mag" in said
    assert "no conference" in said
    assert "overdue" in said
    assert re.search(r"R1 .*must", said)


def test_many_late_actions_are_shown_in_part(small: Office) -> None:
    """The rest is counted; the summary counts every unit and paper."""
    send(small, worksheet(small), discussed("2026-11-12", (0, need("Call the clinic")), (1, need("Call the doctor"))))
    picture = status(small, "2026-11", today=date(2027, 1, 5))
    assert any("and 1 more" in str(part) for part in describe(picture, most=1))
    assert summary(picture) == "2026-11: 1 units (1 papers out). Papers: 2 due, 1 came back, 1 done."
