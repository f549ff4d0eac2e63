"""The rules of the procedures, each with records that hold it and records that break it.

R3 first conference, R4 new child, R5 one outcome, R6 need and action, R7 no discussion points,
R9 responsible person, R13 mandated roles, R14 signatures. Boundary cases as real months bring them.
"""

from collections.abc import Mapping
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from formsvc.casework.rules import RULES, judge, role_label
from formsvc.model.schema import load_values
from tests.small_forms import BY_NAME, FORMS, SHIPPED, TRIES, records_of

WORKSHEET, FCCH, CASES = BY_NAME["worksheet"], BY_NAME["fcch"], BY_NAME["case-management"]
Found = list[tuple[str, str]]

TALKED = {"child_name": "Ana", "discussion_points": "Eats well."}
QUIET = {"child_name": "Ben", "no_discussion_points": True}
ACTION = {"follow_up_action": "Call the dentist", "responsible": "Rosa Vega", "target_date": "2026-12-01"}


def found(rule: str, values: Mapping[str, Any], form: Any = WORKSHEET) -> Found:
    """The problems of one rule as (code, field); the values are such as a file may hold."""
    loaded, problems = load_values(form, values)
    assert problems == ()
    return [(problem.code, problem.field) for problem in RULES[rule](form, loaded)]


def children(*rows: dict[str, Any], **header: Any) -> dict[str, Any]:
    """A worksheet with these rows."""
    return {**header, "children": list(rows)}


# ---------------------------------------------------------------- R3


@pytest.mark.parametrize("row", [TALKED, {"strengths": "Sings"}, {"areas": ["health"]}, {"child_name": "Ana", "follow_up_action": "Call"}])
def test_r3_holds(row: dict[str, Any]) -> None:
    """At the first conference a row with discussion, strengths, areas or an action is content enough."""
    assert found("R3", children(row, first_conference=True)) == []


@pytest.mark.parametrize("row", [QUIET, {"child_name": "Ana"}, {"child_name": "Ana", "discussion_points": " \n "}, {"child_name": "Ana", "support_needed": True}])
def test_r3_breaks(row: dict[str, Any]) -> None:
    """At the first conference a row without content is a problem at its discussion."""
    assert found("R3", children(TALKED, row, first_conference=True)) == [("first-conference-row-empty", "children-1-discussion_points")]


def test_r3_is_for_the_first_conference_only() -> None:
    """At a later conference a child may have no discussion points."""
    assert found("R3", children(QUIET)) == []


# ---------------------------------------------------------------- R4


@pytest.mark.parametrize("row", [{**TALKED, "new": True}, {"new": True, "areas": ["family"]}, QUIET])
def test_r4_holds(row: dict[str, Any]) -> None:
    """A new child who was discussed, and any other child, is fine."""
    assert found("R4", children(row)) == []


@pytest.mark.parametrize("row", [{**QUIET, "new": True}, {"child_name": "Ana", "new": True}, {**TALKED, "new": True, "no_discussion_points": True}])
def test_r4_breaks(row: dict[str, Any]) -> None:
    """A new child without discussion, or with No Discussion Points beside it, is a problem."""
    assert found("R4", children(row)) == [("new-child-not-discussed", "children-0-no_discussion_points")]


# ---------------------------------------------------------------- R5


@pytest.mark.parametrize("row", [QUIET, TALKED, {"child_name": "Ana", "support_needed": True}, {**TALKED, "immediate_need": True}, {"child_name": "Ana", "areas": ["safety"]}])
def test_r5_holds(row: dict[str, Any]) -> None:
    """One outcome is right: no discussion points, discussed, support needed, or immediate need."""
    assert found("R5", children(row)) == []


def test_r5_breaks_without_an_outcome() -> None:
    """A child whose row says nothing about the conference has no outcome."""
    assert found("R5", children({"child_name": "Ana", "birth_date": "2023-01-31"})) == [("no-disposition", "children-0-no_discussion_points")]


@pytest.mark.parametrize(("second", "marks"), [
    ("support_needed", ("no_discussion_points", "support_needed")), ("support_needed", ("support_needed", "immediate_need")),
    ("immediate_need", ("no_discussion_points", "support_needed", "immediate_need")),
])  # fmt: skip
def test_r5_breaks_with_several(second: str, marks: tuple[str, ...]) -> None:
    """Two or three marked outcomes are one problem, at the second mark."""
    assert found("R5", children({"child_name": "Ana", **dict.fromkeys(marks, True)})) == [("two-dispositions", f"children-0-{second}")]


# ---------------------------------------------------------------- R6


@pytest.mark.parametrize("row", [{"support_needed": True, **ACTION}, {"immediate_need": True, **ACTION}, TALKED, QUIET])
def test_r6_holds(row: dict[str, Any]) -> None:
    """A need with action, person and date is complete; without a need no action is asked for."""
    assert found("R6", children(row)) == []


@pytest.mark.parametrize("missing", [("follow_up_action",), ("responsible",), ("target_date",), ("follow_up_action", "responsible", "target_date")])
@pytest.mark.parametrize("need", ["support_needed", "immediate_need"])
def test_r6_breaks(need: str, missing: tuple[str, ...]) -> None:
    """A need that lacks action, person or date is a problem at the need, which names what is missing."""
    values = children({need: True, **{name: value for name, value in ACTION.items() if name not in missing}})
    assert found("R6", values) == [("need-without-action", f"children-0-{need}")]
    (problem,) = RULES["R6"](WORKSHEET, values)
    labels = {"follow_up_action": "follow-up action", "responsible": "person responsible", "target_date": "target date"}
    assert f"missing: {', '.join(labels[name] for name in missing)}" in problem.message


@pytest.mark.parametrize("need", ["support_needed", "immediate_need"])
def test_r6_on_the_fcch_form(need: str) -> None:
    """A need on the family child care form asks for the same three answers."""
    assert found("R6", children({need: True, **ACTION}), FCCH) == []
    assert found("R6", children({need: True}), FCCH) == [("need-without-action", f"children-0-{need}")]


# ---------------------------------------------------------------- R7


@pytest.mark.parametrize("row", [QUIET, TALKED, {**QUIET, "iep_ifsp": True, "home_language": "Spanish", "parent_informed": True}])
def test_r7_holds(row: dict[str, Any]) -> None:
    """No Discussion Points stands alone; what was known before the conference does not contradict it."""
    assert found("R7", children(row)) == []


@pytest.mark.parametrize(("label", "content"), [
    ("support needed", {"support_needed": True}), ("immediate need", {"immediate_need": True}), ("discussion points", {"discussion_points": "x"}),
    ("strengths", {"strengths": "x"}), ("follow-up action", {"follow_up_action": "x"}), ("areas of discussion", {"areas": ["health"]}),
])  # fmt: skip
def test_r7_breaks(label: str, content: dict[str, Any]) -> None:
    """No Discussion Points beside a need or a text is a problem that names the other by its label."""
    values = children({**QUIET, **content})
    assert found("R7", values) == [("no-discussion-with-content", "children-0-no_discussion_points")]
    (problem,) = RULES["R7"](WORKSHEET, values)
    assert f"also has: {label}." in problem.message


# ---------------------------------------------------------------- R9


@pytest.mark.parametrize(("form", "group"), [(WORKSHEET, "children"), (FCCH, "children"), (CASES, "actions")], ids=["worksheet", "fcch", "case-management"])
def test_r9_on_every_form_with_actions(form: Any, group: str) -> None:
    """An action with a person is fine, one without is a problem at the person; no action needs none."""
    named, nameless = {"follow_up_action": "Call", "responsible": "Rosa"}, {"follow_up_action": "Call", "responsible": " "}
    assert found("R9", {group: [named, {"child_name": "Ana"}, nameless]}, form) == [("action-without-responsible", f"{group}-2-responsible")]


# ---------------------------------------------------------------- R13


def present(*roles: str) -> dict[str, Any]:
    """An attendance at which these roles are present."""
    return {"attendance": [{"role": role, "name": "Somebody", "present": True} for role in roles]}


@pytest.mark.parametrize("roles", [("educator", "fsw", "health"), ("health", "dietitian", "fsw", "educator"), ("educator", "educator", "fsw", "health")])
def test_r13_holds(roles: tuple[str, ...]) -> None:
    """All mandated roles present, in any order and with others, is fine."""
    assert found("R13", present(*roles)) == []


@pytest.mark.parametrize(("count", "values"), [(1, present("educator", "fsw")), (2, present("health")), (3, {}), (3, {"attendance": [{"role": "educator", "name": "Ana"}, {"role": "fsw"}, {"role": "health"}]}), (3, {"attendance": [{"present": True, "name": "Ana"}]})])
def test_r13_breaks(count: int, values: dict[str, Any]) -> None:
    """Each mandated role that nobody present has is one warning; listed but not ticked is not present."""
    assert found("R13", values) == [("mandated-role-missing", "attendance")] * count


def test_r13_says_the_role_and_warns_only() -> None:
    """A missing role is said in words and is a warning, never a refusal."""
    (problem,) = RULES["R13"](WORKSHEET, present("educator", "health"))
    assert (problem.severity, "Family Service Worker" in problem.message) == ("warning", True)


def test_r13_asks_each_form_for_its_own_roles() -> None:
    """The family child care form mandates specialist and provider, the case-management form nobody."""
    assert found("R13", present("specialist", "provider"), FCCH) == []
    assert found("R13", present("educator"), FCCH) == [("mandated-role-missing", "attendance")] * 2
    assert found("R13", {}, CASES) == []


@pytest.mark.parametrize(("expected", "role"), [("Family Service Worker", "fsw"), ("astronaut", "astronaut")])
def test_a_role_is_said_in_words(expected: str, role: str) -> None:
    """A role has the words of the form's own list, or its code where the list lacks it."""
    assert expected == role_label(WORKSHEET, role, "en")


# ---------------------------------------------------------------- R14


@pytest.mark.parametrize(("expected", "row"), [
    ([], {"name": "Ana", "present": True, "signature": "Ana"}),
    ([], {"name": "Ana"}),
    ([("present-without-signature", "attendance-0-signature")], {"name": "Ana", "present": True}),
    ([("signature-without-presence", "attendance-0-present")], {"name": "Ana", "signature": "Ana"}),
])  # fmt: skip
@pytest.mark.parametrize("form", [FCCH, CASES], ids=["fcch", "case-management"])
def test_r14_signatures_are_the_people_present(expected: Found, row: dict[str, Any], form: Any) -> None:
    """Who is present signs, and who signs is present."""
    assert expected == found("R14", {"attendance": [row]}, form)


def test_r14_asks_for_no_signature_where_there_is_no_place() -> None:
    """The worksheet has no signature lines, so the rule has nothing to say there."""
    assert found("R14", present("educator")) == []


# ---------------------------------------------------------------- all rules


@pytest.mark.parametrize("rule", sorted(RULES))
@pytest.mark.parametrize("form", FORMS, ids=lambda form: form.id.name)
def test_blank_rows_are_nobody(form: Any, rule: str) -> None:
    """Blank rows, before or between filled ones, break no rule; a unit without children neither."""
    group = form.groups[-1].name if rule in ("R3", "R4", "R5", "R6", "R7") else "attendance"
    values: dict[str, Any] = {"first_conference": True, group: [{}, {}]}
    blank = [problem for problem in RULES[rule](form, values) if problem.code != "mandated-role-missing"]
    assert blank == []
    assert [problem for problem in RULES[rule](form, {}) if problem.code != "mandated-role-missing"] == []


def test_blank_rows_keep_the_row_numbers() -> None:
    """A problem after a blank row is told at the row's own number."""
    assert found("R5", children({}, {"child_name": "Ana"})) == [("no-disposition", "children-1-no_discussion_points")]


def test_two_children_with_the_same_name_are_two_rows() -> None:
    """Rows are told apart by their number, never by a name."""
    assert found("R5", children({"child_name": "Ana"}, {"child_name": "Ana"})) == [("no-disposition", f"children-{row}-no_discussion_points") for row in (0, 1)]


def test_a_good_month_has_no_problems() -> None:
    """A complete worksheet gets through all its rules without a word."""
    values = {**present("educator", "fsw", "health"), **children(QUIET, TALKED, {**TALKED, "support_needed": True, **ACTION})}
    assert judge(WORKSHEET, values) == ()


def test_rules_add_up() -> None:
    """Each broken rule is told for itself, in the order in which the form lists its rules."""
    values = children({**QUIET, "new": True, "immediate_need": True}, first_conference=True)
    codes = ["first-conference-row-empty", "new-child-not-discussed", "two-dispositions", "need-without-action", "no-discussion-with-content", *["mandated-role-missing"] * 3]
    assert [problem.code for problem in judge(WORKSHEET, values)] == codes


@pytest.mark.parametrize("form", FORMS, ids=lambda form: form.id.name)
@TRIES
@given(data=st.data())
def test_every_problem_has_a_place_on_the_form(form: Any, data: st.DataObject) -> None:
    """Whatever the values, a rule's problem is at a field of the form or at a group, and never an exception."""
    for problem in judge(form, data.draw(records_of(form))):
        assert form.find(problem.field) or form.group(problem.field), problem


def test_every_form_follows_rules_that_exist() -> None:
    """A definition names no rule that is not here."""
    assert {rule for form_id in SHIPPED.ids() for rule in SHIPPED.form(form_id).rules} <= set(RULES)
