"""The rules that conference notes can be held against (R28, R29, R30, R32), one function per rule id.

What they look for is told of a summary letter too, so the questions themselves stand here once.
"""

from collections.abc import Collection, Iterator, Mapping
from datetime import date, timedelta
from typing import Any, Final

from formsvc.model.form import Form
from formsvc.model.record import Problem, Values, problem
from formsvc.model.values import plain

NEXT_EARLIEST, NEXT_LATEST = 28, 42  # days, R32
_PRESENT: Final = ("in_person", "phone", "video")
_CLOSING: Final = "closing"
"""The type of a conference that no other follows."""


def r28(_form: Form, values: Values) -> Iterator[Problem]:
    """Absent members' input is reported: who sent some stands among the input, with its text."""
    reported = {_name(row) for _, row in rows(values, "input") if row.get("text")}
    for number, row in rows(values, "team"):
        if row.get("mode") == "sent_input" and _name(row) not in reported:
            yield problem("input-not-reported", f"team-{number}-mode", "warning")


def r29(_form: Form, values: Values) -> Iterator[Problem]:
    """A conference without the family has its reason noted; notes that record nobody yet are not judged."""
    team = [row for _, row in rows(values, "team")]
    if any(row.get("mode") for row in team) and not has_family(team) and not values.get("family_absent_reason"):
        yield problem("family-absent-without-reason", "family_absent_reason", "warning")


def r30(_form: Form, values: Values) -> Iterator[Problem]:
    """Each action is due before the next conference and belongs to a member of the team."""
    team = {_name(row) for _, row in rows(values, "team")} - {""}
    for number, row in rows(values, "next_steps"):
        if row.get("action") and is_due_late(row, str(values.get("conference_date", "")), str(values.get("next_conference_date", ""))):
            yield problem("step-due-late", f"next_steps-{number}-due_date", "error")
        if row.get("responsible") and team and not names_member(row, team):
            yield problem("step-without-member", f"next_steps-{number}-responsible", "warning")


def r32(_form: Form, values: Values) -> Iterator[Problem]:
    """The next conference is set at this one, four to six weeks later; a closing one needs none."""
    held, after = str(values.get("conference_date", "")), str(values.get("next_conference_date", ""))
    if held and values.get("conference_type") != _CLOSING:
        yield from next_conference(held, after, "next_conference_date")


# ---------------------------------------------------------------- the questions


def rows(values: Values, group: str) -> Iterator[tuple[int, Mapping[str, Any]]]:
    """The rows of a group that have any content, each with its number."""
    found = values.get(group)
    yield from ((number, row) for number, row in enumerate(found if isinstance(found, list) else ()) if isinstance(row, dict) and row)


def has_family(team: Collection[Mapping[str, Any]], family: Collection[str] = ()) -> bool:
    """Whether somebody of the family took part: by partner system, or by a name that is known to be family's."""
    return any(row.get("mode") in _PRESENT and (row.get("partner_system") == "family" or _name(row) in family) for row in team)


def is_due_late(step: Mapping[str, Any], held: str, after: str) -> bool:
    """Whether a step has no due date, or none before the next conference; while that is not set, before the latest day for it."""
    due = str(step.get("due_date", ""))
    if not due:
        return True
    if after:
        return due >= after
    return bool(held) and date.fromisoformat(due) > date.fromisoformat(held) + timedelta(days=NEXT_LATEST)


def names_member(step: Mapping[str, Any], team: Collection[str]) -> bool:
    """Whether a step's person is on the team, whose names are in their plain spelling."""
    return plain(str(step.get("responsible", ""))) in team


def next_conference(held: str, after: str, field: str) -> Iterator[Problem]:
    """What is wrong with the day of the next conference."""
    if not after:
        yield problem("next-conference-missing", field, "warning")
        return
    days = (date.fromisoformat(after) - date.fromisoformat(held)).days
    if not NEXT_EARLIEST <= days <= NEXT_LATEST:
        yield problem("next-conference-distance", field, "warning", days=days, least=NEXT_EARLIEST, most=NEXT_LATEST)


def _name(row: Mapping[str, Any]) -> str:
    return plain(str(row.get("name", "")))
