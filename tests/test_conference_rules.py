"""The rules that conference notes are held against, each with notes that hold it and notes that break it.

R9 responsible person, R28 input of absent members, R29 the family, R30 due dates, R32 the next conference.
"""

from collections.abc import Mapping
from typing import Any

import pytest

from formsvc.casework.rules import RULES, judge
from formsvc.model.schema import load_values
from tests.letter_cases import sample_case
from tests.small_forms import BY_NAME

NOTES = BY_NAME["conference-notes"]
DAYS = {"conference_date": "2026-12-09", "next_conference_date": "2027-01-13"}
STEP = {"action": "Call the clinic", "responsible": "Rosa Vega", "due_date": "2027-01-12"}


def found(rule: str, values: Mapping[str, Any]) -> list[tuple[str, str, str]]:
    """The problems of one rule as (code, field, severity)."""
    loaded, problems = load_values(NOTES, values)
    assert problems == ()
    return [(problem.code, problem.field, problem.severity) for problem in RULES[rule](NOTES, loaded)]


def test_the_sample_keeps_every_rule() -> None:
    """The notes of the sample conference give no problem."""
    assert judge(NOTES, sample_case().notes) == ()


def test_a_blank_form_is_not_judged() -> None:
    """Notes that hold nothing yet break no rule: a half-filled form can always be saved."""
    assert judge(NOTES, {}) == ()


@pytest.mark.parametrize(("step", "problems"), [(STEP, []), ({**STEP, "responsible": None}, [("action-without-responsible", "next_steps-0-responsible", "error")]), ({"due_date": "2027-01-12"}, [])])
def test_r9_a_next_step_names_a_person(step: dict[str, Any], problems: list[Any]) -> None:
    """Every next step with an action has somebody responsible."""
    assert found("R9", {**DAYS, "next_steps": [{name: value for name, value in step.items() if value}]}) == problems


@pytest.mark.parametrize(
    ("rows", "told"),
    [
        ([{"name": "Rosa Vega", "text": "All is well."}], []), ([{"name": " rosa  VEGA", "text": "All is well."}], []), ([], ["team-1-mode"]),
        ([{"name": "Rosa Vega"}], ["team-1-mode"]), ([{"name": "Otto Lang", "text": "All is well."}], ["team-1-mode"]),
    ],
)  # fmt: skip
def test_r28_what_was_sent_in_is_reported(rows: list[dict[str, str]], told: list[str]) -> None:
    """Who sent input stands among the input with a text, however the name is spaced."""
    team = [{"name": "Otto Lang", "mode": "regrets"}, {"name": "Rosa Vega", "mode": "sent_input"}]
    assert found("R28", {"team": team, "input": rows}) == [("input-not-reported", field, "warning") for field in told]


@pytest.mark.parametrize(
    ("team", "reason", "count"),
    [
        ([{"name": "A", "partner_system": "family", "mode": "phone"}], "", 0), ([{"name": "A", "partner_system": "family", "mode": "regrets"}], "", 1),
        ([{"name": "A", "partner_system": "health", "mode": "in_person"}], "", 1), ([{"name": "A", "partner_system": "health", "mode": "in_person"}], "They were ill.", 0), ([{"name": "A", "partner_system": "health"}], "", 0),
    ],
)  # fmt: skip
def test_r29_without_the_family_there_is_a_reason(team: list[dict[str, str]], reason: str, count: int) -> None:
    """Nobody of the family took part: told at the reason, unless it is there or nobody is recorded yet."""
    values = {"team": team} | ({"family_absent_reason": reason} if reason else {})
    assert found("R29", values) == [("family-absent-without-reason", "family_absent_reason", "warning")] * count


@pytest.mark.parametrize(
    ("due", "after", "late"),
    [
        ("2027-01-12", "2027-01-13", False), ("2027-01-13", "2027-01-13", True), ("2027-01-14", "2027-01-13", True), ("", "2027-01-13", True),
        ("2027-01-20", "", False), ("2027-01-21", "", True),
    ],
)  # fmt: skip
def test_r30_steps_are_due_before_the_next_conference(due: str, after: str, late: bool) -> None:
    """Due on the very day is not before it; while the day is not set, six weeks count."""
    days = {"conference_date": "2026-12-09"} | ({"next_conference_date": after} if after else {})
    step = {name: value for name, value in {**STEP, "due_date": due}.items() if value}
    assert found("R30", {**days, "next_steps": [step]}) == [("step-due-late", "next_steps-0-due_date", "error")] * late


def test_r30_steps_belong_to_members() -> None:
    """A person who is not on the team is told; notes without a team are not held against it."""
    assert found("R30", {**DAYS, "team": [{"name": "rosa vega"}], "next_steps": [STEP]}) == []
    assert found("R30", {**DAYS, "team": [{"name": "Otto Lang"}], "next_steps": [STEP]}) == [("step-without-member", "next_steps-0-responsible", "warning")]
    assert found("R30", {**DAYS, "next_steps": [STEP]}) == []


@pytest.mark.parametrize(
    ("after", "kind", "codes"),
    [
        ("2027-01-05", "review", ["next-conference-distance"]), ("2027-01-06", "review", []), ("2027-01-20", "initial", []), ("2027-01-21", "review", ["next-conference-distance"]),
        ("", "review", ["next-conference-missing"]), ("", "closing", []),
    ],
)  # fmt: skip
def test_r32_the_next_conference_is_four_to_six_weeks_away(after: str, kind: str, codes: list[str]) -> None:
    """28 to 42 days, both included; after a closing conference there is none."""
    values = {"conference_date": "2026-12-09", "conference_type": kind} | ({"next_conference_date": after} if after else {})
    assert found("R32", values) == [(code, "next_conference_date", "warning") for code in codes]
