"""What a new roster changes, and that nothing else changes.

1. Each kind of change is found: new, returned, moved, left, corrected, missing.
2. What a roster leaves empty never erases what is known.
3. A child is in one unit at a time; the old enrolment ends the day before the move.
4. The same roster, planned again after it was applied, changes nothing.
"""

from collections.abc import Sequence
from dataclasses import replace
from datetime import date, timedelta
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from formsvc.casework.roster import KINDS, Change, RosterPlan, apply_changes, describe, plan_changes
from formsvc.model.roster import PROGRAM_OPTIONS, RosterLine, StaffMember

ON = date(2026, 11, 9)
START = date(2026, 8, 24)


def line(**changes: Any) -> RosterLine:
    """Ana, in the toddler room since August."""
    return RosterLine(**{"child_id": "C-104", "child_name": "Ana Rivera Lopez", "site": "Cedar Hall", "unit": "Toddler room", "enrolled_on": START, **changes})


def only(plan: RosterPlan) -> Change:
    """The one change of a plan."""
    assert len(plan.changes) == 1, [describe(change) for change in plan.changes]
    return plan.changes[0]


def after(current: Sequence[RosterLine], incoming: Sequence[RosterLine], **options: Any) -> tuple[RosterLine, ...]:
    """The lines after planning and applying."""
    return apply_changes(current, plan_changes(current, incoming, on=ON, **options))


# ---------------------------------------------------------------- kinds


def test_the_same_roster_changes_nothing() -> None:
    """A child of whom the roster says what is known is unchanged."""
    plan = plan_changes([line()], [line()], on=ON)
    assert (plan.changes, plan.unchanged, plan.changes_anything()) == ((), 1, False)


def test_a_child_nobody_knows_is_new() -> None:
    """The line is taken as it is."""
    assert Change(kind="new", child_id="C-104", before=None, after=line()) == only(plan_changes([], [line()], on=ON))
    assert (line(),) == after([], [line()])


@pytest.mark.parametrize(
    ("enrolled_on", "moved_on"),
    [(date(2026, 11, 2), date(2026, 11, 2)), (START, ON), (date(2026, 8, 1), ON), (None, ON), (date(2026, 11, 16), date(2026, 11, 16))],
)
def test_a_move_ends_the_old_enrolment_the_day_before(enrolled_on: date | None, moved_on: date) -> None:
    """It is on the roster's first day if that is after the old one's start, otherwise on the day of the import."""
    lines = after([line()], [line(unit="Preschool 2", enrolled_on=enrolled_on)])
    assert (line(left_on=moved_on - timedelta(days=1)), line(unit="Preschool 2", enrolled_on=moved_on)) == lines


def test_a_move_before_the_first_day_leaves_no_trace_of_a_unit_never_attended() -> None:
    """Somebody who was to start on Monday in one room starts in another."""
    coming = line(enrolled_on=date(2026, 11, 16))
    assert (replace(coming, unit="Preschool 2"),) == after([coming], [replace(coming, unit="Preschool 2")])


def test_leaving_one_unit_and_starting_in_another_is_one_move() -> None:
    """A roster with both lines gives the last day itself, the weekend between included."""
    friday, monday = line(left_on=date(2026, 11, 6)), line(unit="Preschool 2", enrolled_on=ON)
    change = only(plan_changes([line()], [friday, monday], on=ON))
    assert ("moved", line(), friday, monday) == (change.kind, change.before, change.ended, change.after)
    assert (friday, monday) == after([line()], [friday, monday])


def test_a_move_keeps_the_child_and_leaves_the_old_units_facts() -> None:
    """Language, birth date and marks go with the child; staff, home and option belong to the unit."""
    old = line(home_language="Spanish", iep_ifsp=True, option="early", staff=(StaffMember(role="educator", name="Rosa Thimblewood"),))
    moved = after([old], [line(unit="Preschool 2", enrolled_on=ON, staff=(StaffMember(role="educator", name="Pia Hollin"),))])[1]
    assert (moved.home_language, moved.iep_ifsp, moved.option, moved.staff[0].name) == ("Spanish", True, "center", "Pia Hollin")


def test_a_child_who_left_and_is_listed_again_has_returned() -> None:
    """The old enrolment stays as it was; the new one starts on the roster's day."""
    gone = line(left_on=date(2026, 9, 30), left_reason="moved away")
    back = line(enrolled_on=date(2026, 11, 2))
    assert only(plan_changes([gone], [back], on=ON)).kind == "returned"
    assert (gone, back) == after([gone], [back])


def test_a_return_without_a_day_of_its_own_is_on_the_day_of_the_import() -> None:
    """The first enrolment's day says nothing about the return."""
    gone = line(left_on=date(2026, 9, 30))
    assert (gone, line(enrolled_on=ON)) == after([gone], [line()])


def test_a_last_day_in_the_roster_ends_the_enrolment() -> None:
    """With the reason, if one is given."""
    left = line(left_on=date(2026, 11, 6), left_reason="moved away")
    change = only(plan_changes([line()], [left], on=ON))
    assert (change.kind, change.fields) == ("left", ("left_on", "left_reason"))
    assert (left,) == after([line()], [left])


def test_a_planned_last_day_stays_though_the_roster_does_not_know_it() -> None:
    """An empty cell is no sign that a child stays after all."""
    leaving = line(left_on=date(2026, 12, 18))
    assert (leaving,) == after([leaving], [line()])


@pytest.mark.parametrize(
    ("changes", "named"),
    [
        ({"child_name": "Ana Rivera López"}, "child_name"), ({"birth_date": date(2022, 5, 6)}, "birth_date"), ({"home_language": "Spanish"}, "home_language"),
        ({"iep_ifsp": True}, "iep_ifsp"), ({"enrolled_on": date(2026, 8, 25)}, "enrolled_on"), ({"option": "early"}, "option"), ({"family_id": "F-7"}, "family_id"),
        ({"staff": (StaffMember(role="fsw", name="Marcus Fennelworth"),)}, "staff"), ({"unit_start": START}, "unit_start"),
    ],
)  # fmt: skip
def test_a_changed_detail_is_a_correction(changes: dict[str, Any], named: str) -> None:
    """It names the detail and applies it in place."""
    change = only(plan_changes([line()], [line(**changes)], on=ON))
    assert ("corrected", (named,)) == (change.kind, change.fields)
    assert (line(**changes),) == after([line()], [line(**changes)])


def test_another_home_of_the_same_specialist_is_a_correction() -> None:
    """The unit is the specialist; the home is a detail."""
    there, here = line(option="fcch", home="Hearthfern House"), line(option="fcch", home="Dapple House")
    change = only(plan_changes([there], [here], on=ON))
    assert (change.kind, change.fields) == ("corrected", ("home",))


def test_a_child_not_in_the_roster_is_told_but_not_changed() -> None:
    """Only of the sites that the roster covers, and only of children who are enrolled."""
    current = [line(), line(child_id="C-2"), line(child_id="C-3", site="Mill Street"), line(child_id="C-4", left_on=START)]
    plan = plan_changes(current, [line()], on=ON)
    assert [(change.kind, change.child_id, change.after) for change in plan.changes] == [("missing", "C-2", None)]
    assert tuple(current) == apply_changes(current, plan)
    assert not plan.changes_anything()


def test_missing_children_leave_if_a_person_says_so() -> None:
    """On the day the person gives, but not before they came."""
    current = [line(), line(child_id="C-2"), line(child_id="C-3", enrolled_on=ON)]
    plan = plan_changes(current, [line()], on=ON, missing_left=date(2026, 11, 6))
    assert [(change.kind, change.child_id) for change in plan.changes] == [("left", "C-2"), ("missing", "C-3")]
    assert date(2026, 11, 6) == apply_changes(current, plan)[1].left_on


def test_a_child_whose_line_could_not_be_read_is_not_missing() -> None:
    """A wrong date in the file does not make a child leave."""
    assert plan_changes([line(), line(child_id="C-2")], [line()], on=ON, missing_left=ON, unread=["C-2"]).changes == ()


def test_counts_name_every_kind() -> None:
    """Also those that did not occur."""
    assert {**dict.fromkeys(KINDS, 0), "new": 1, "missing": 1} == plan_changes([line(child_id="C-2")], [line()], on=ON).counts()


# ---------------------------------------------------------------- nothing is erased


FULL = line(
    home="Hearthfern House", birth_date=date(2022, 5, 6), family_id="F-7", home_language="Spanish", interpreter=True, iep_ifsp=True, option="early", unit_start=START,
    staff=(StaffMember(role="educator", name="Rosa Thimblewood"), StaffMember(role="fsw", name="Marcus Fennelworth")),
)  # fmt: skip


def test_empty_cells_erase_nothing() -> None:
    """A roster with four columns leaves all other details as they are."""
    assert after([FULL], [line(enrolled_on=None)]) == (FULL,)


def test_a_no_counts_only_where_the_roster_answers_every_line() -> None:
    """Then the mark is taken away; a column of crosses cannot do that."""
    assert (replace(FULL, iep_ifsp=False),) == after([FULL], [replace(FULL, iep_ifsp=False)], told=["iep_ifsp"])


def test_staff_is_told_role_by_role() -> None:
    """A new teacher does not remove the family service worker."""
    teacher = StaffMember(role="educator", name="Pia Hollin")
    assert {teacher, FULL.staff[1]} == set(after([FULL], [replace(FULL, staff=(teacher,))])[0].staff)


def test_a_site_spelled_differently_is_the_same_site() -> None:
    """Capitals, accents and spaces make no move; what is held keeps its spelling."""
    assert plan_changes([line(unit="Salón 2")], [line(site="CEDAR  HALL", unit="salon 2")], on=ON).changes == ()


def test_a_new_child_takes_the_option_of_its_unit_where_the_roster_has_none() -> None:
    """A roster without that column does not make a center class of an Early Head Start class."""
    assert after([line(option="early")], [line(child_id="C-2"), line()])[1].option == "early"


def test_past_enrolments_that_were_never_held_change_nothing() -> None:
    """A roster with history says nothing new about a child who is here."""
    assert plan_changes([line()], [line(unit="Infants", enrolled_on=date(2025, 8, 25), left_on=date(2026, 5, 29)), line()], on=ON).changes == ()


# ---------------------------------------------------------------- said


@pytest.mark.parametrize(
    ("expected", "current", "incoming"),
    [
        ("is new in Cedar Hall, Toddler room from 2026-08-24", [], [line()]),
        ("is new in Cedar Hall, Toddler room", [], [line(enrolled_on=None)]),
        ("moves from Cedar Hall, Toddler room to Cedar Hall, Preschool 2 on 2026-11-09", [line()], [line(unit="Preschool 2")]),
        ("leaves Cedar Hall, Toddler room, last day 2026-11-06 (moved away)", [line()], [line(left_on=date(2026, 11, 6), left_reason="moved away")]),
        ("returns to Cedar Hall, Toddler room on 2026-11-02", [line(left_on=START)], [line(enrolled_on=date(2026, 11, 2))]),
        ("home language unknown becomes Spanish; IEP/IFSP no becomes yes", [line()], [line(home_language="Spanish", iep_ifsp=True)]),
        ("staff nobody becomes Pia Hollin (educator)", [line()], [line(staff=(StaffMember(role="educator", name="Pia Hollin"),))]),
        ("is not in the roster; still enrolled in Cedar Hall, Toddler room", [line()], [line(child_id="C-2"), line(child_id="C-3")]),
    ],
)
def test_each_change_is_one_plain_line(expected: str, current: list[RosterLine], incoming: list[RosterLine]) -> None:
    """Who, from where, to where, when."""
    said = [describe(change) for change in plan_changes(current, incoming, on=ON).changes if change.child_id == "C-104"]
    assert [f"Ana Rivera Lopez (C-104): {expected}"] == said


# ---------------------------------------------------------------- laws

DAYS = st.dates(date(2026, 8, 1), date(2026, 12, 31))
STAFF = st.lists(st.builds(StaffMember, role=st.sampled_from(["educator", "fsw"]), name=st.sampled_from(["Pia Hollin", "Rosa Thimblewood"])), unique=True, max_size=2).map(tuple)
DETAILS: st.SearchStrategy[dict[str, Any]] = st.fixed_dictionaries({
    "child_name": st.sampled_from(["Ana Rivera", "Ana Rivera Lopez"]), "home": st.sampled_from(["", "Hearthfern House", "Dapple House"]),
    "option": st.sampled_from(PROGRAM_OPTIONS), "birth_date": st.sampled_from([None, date(2022, 5, 6), date(2022, 6, 5)]),
    "home_language": st.sampled_from(["", "Spanish"]), "iep_ifsp": st.booleans(), "left_reason": st.just(""), "unit_start": st.none() | DAYS, "staff": STAFF,
})  # fmt: skip


@st.composite
def enrolments(draw: st.DrawFn, child_id: str, *, may_be_unknown: bool) -> list[RosterLine]:
    """One child's enrolments, one after the other: all but the last have ended; only a lone one may have no first day."""
    days = sorted(draw(st.lists(DAYS, min_size=1, max_size=5, unique=True)))
    lines = []
    for number in range(0, len(days), 2):
        ends = days[number + 1] if number + 1 < len(days) else None
        place = draw(st.tuples(st.sampled_from(["Cedar Hall", "Mill Street"]), st.sampled_from(["Room 1", "Room 2", "Room 3"])))
        lines.append(RosterLine(child_id=child_id, site=place[0], unit=place[1], enrolled_on=days[number], left_on=ends, **draw(DETAILS)))
    if len(lines) == 1 and may_be_unknown and draw(st.booleans()):
        lines = [replace(lines[0], enrolled_on=None)]
    return draw(st.permutations(lines))


def rosters(*, may_be_unknown: bool = True) -> st.SearchStrategy[list[RosterLine]]:
    """Up to three children."""
    children: list[st.SearchStrategy[list[RosterLine]]] = [st.just([]) | enrolments(child_id, may_be_unknown=may_be_unknown) for child_id in ("C-1", "C-2", "C-3")]
    return st.tuples(*children).map(lambda parts: [one for part in parts for one in part])


TOLD = st.sets(st.sampled_from(["option", "interpreter", "iep_ifsp"]))
MANY = settings(max_examples=150, deadline=None)


@MANY
@given(rosters(), rosters(), DAYS, TOLD, st.none() | DAYS)
def test_the_same_roster_again_changes_nothing(current: list[RosterLine], incoming: list[RosterLine], on: date, told: set[str], missing_left: date | None) -> None:
    """Whatever is held and whatever comes, one application is enough."""
    plan = plan_changes(current, incoming, on=on, told=told, missing_left=missing_left)
    lines = apply_changes(current, plan)
    again = plan_changes(lines, incoming, on=on, told=told, missing_left=missing_left)
    assert [describe(change) for change in again.changes if change.kind != "missing"] == []


@MANY
@given(rosters(), rosters(), DAYS, TOLD, st.none() | DAYS)
def test_a_child_is_in_one_unit_at_a_time(current: list[RosterLine], incoming: list[RosterLine], on: date, told: set[str], missing_left: date | None) -> None:
    """Enrolments follow each other, each ends after it begins, and at most one is open."""
    lines = after_on(current, incoming, on, told, missing_left)
    for child_id in {one.child_id for one in lines}:
        own = sorted((one for one in lines if one.child_id == child_id), key=lambda one: one.enrolled_on or date.min)
        assert all((one.enrolled_on or date.min) <= (one.left_on or date.max) for one in own)
        assert all((first.left_on or date.max) < (second.enrolled_on or date.min) for first, second in pairwise(own)), own


@MANY
@given(rosters(), rosters(), DAYS)
def test_no_child_and_no_detail_is_lost(current: list[RosterLine], incoming: list[RosterLine], on: date) -> None:
    """Everybody held or listed is there afterwards, and what was known of somebody is not empty."""
    lines = after_on(current, incoming, on, set(), None)
    assert {one.child_id for one in (*current, *incoming)} == {one.child_id for one in lines}
    for child_id in {one.child_id for one in current}:
        for name in ("birth_date", "home_language", "iep_ifsp"):
            held = any(getattr(one, name) for one in current if one.child_id == child_id)
            assert not held or any(getattr(one, name) for one in lines if one.child_id == child_id)


def after_on(current: list[RosterLine], incoming: list[RosterLine], on: date, told: set[str], missing_left: date | None) -> tuple[RosterLine, ...]:
    """The lines after one application."""
    return apply_changes(current, plan_changes(current, incoming, on=on, told=told, missing_left=missing_left))
