"""The rules that need to know the month: what was carried, when the unit began, when reports were pulled.

One function per rule id, like `casework.rules`; sources: the agency procedures, as numbered in the domain notes.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Final

from formsvc.casework.cells import Rows
from formsvc.casework.followup import goes_on
from formsvc.casework.prefill import earliest_conference
from formsvc.model.form import Form
from formsvc.model.procedure import Procedure, month_of
from formsvc.model.record import Problem, Row, Values, problem


@dataclass(frozen=True, slots=True, kw_only=True)
class Context:
    """What is known around a sheet."""

    month: str
    start: date | None
    is_first: bool
    """Whether the unit had no conference in this program year before."""
    procedure: Procedure
    carried: Mapping[str, int]
    """How many months ago each action row was opened."""


MonthRule = Callable[[Values, Rows, Context], Iterator[Problem]]


def judge_sheet(form: Form, values: Values, rows: Rows, context: Context) -> tuple[Problem, ...]:
    """Every problem that these rules find on a sheet."""
    return tuple(found for rule in MONTH_RULES.get(form.id.name, ()) for found in rule(values, rows, context))


def _entries(values: Values, rows: Rows, group: str) -> Iterator[tuple[str, str, Row]]:
    """The rows of a group that say something: start of their keys, identity, answers."""
    entries, identities = values.get(group), rows.get(group, ())
    for number, row in enumerate(entries if isinstance(entries, list) else ()):
        if isinstance(row, dict) and row:
            yield f"{group}-{number}-", identities[number] if number < len(identities) else "", row


def as_day(value: object) -> date | None:
    """The day a record gives, if it gives one."""
    return date.fromisoformat(value) if isinstance(value, str) and value else None


def r1(values: Values, _rows: Rows, context: Context) -> Iterator[Problem]:
    """One conference per unit and month: the one written down was held in the month of the paper."""
    held = as_day(values.get("conference_date"))
    if held is not None and month_of(held) != context.month:
        yield problem("conference-outside-month", "conference_date", "error", month=context.month)


def r2(values: Values, _rows: Rows, context: Context) -> Iterator[Problem]:
    """A unit's first conference comes after the first days of class: exactly on the last of them plus one is allowed."""
    held = as_day(values.get("conference_date"))
    earliest = earliest_conference(context.start, context.procedure)
    if context.is_first and held and earliest and held < earliest:
        yield problem("conference-too-early", "conference_date", "error", days=context.procedure.first_conference_days, earliest=f"{earliest:%m/%d/%Y}")


def r10(values: Values, rows: Rows, _context: Context) -> Iterator[Problem]:
    """Every action that was carried gets a status; one that goes on gets an updated strategy or a new date."""
    for group in ("actions", "children"):
        for key, identity, row in _entries(values, rows, group):
            if identity.startswith("a") and row.get("origin", "carried") == "carried" and not row.get("status"):
                yield problem("action-without-status", f"{key}status", "error")


def r11(values: Values, rows: Rows, context: Context) -> Iterator[Problem]:
    """An action that was carried for so many months is raised with the supervisor."""
    for group in ("actions", "children"):
        for key, identity, row in _entries(values, rows, group):
            count = context.carried.get(identity, 0)
            if count >= context.procedure.raise_after_months and goes_on(str(row.get("status", "")), carry=bool(row.get("carry"))):
                yield problem("action-long-carried", f"{key}status", "warning", count=count)


def r12(values: Values, rows: Rows, _context: Context) -> Iterator[Problem]:
    """The family child care form lists only children who need support."""
    for key, identity, row in _entries(values, rows, "children"):
        if not (row.get("support_needed") or row.get("immediate_need") or row.get("status") or identity.startswith("a")):
            yield problem("child-without-need", f"{key}support_needed", "error")


def r15(values: Values, rows: Rows, _context: Context) -> Iterator[Problem]:
    """Parents take part in next steps: each action says whether, and when."""
    for key, _, row in _entries(values, rows, "actions"):
        if row.get("follow_up_action") and not row.get("parent_involved"):
            yield problem("parent-not-told", f"{key}parent_involved", "error")
        elif row.get("parent_involved") == "yes" and not row.get("parent_date"):
            yield problem("parent-date-missing", f"{key}parent_date", "error")


def r16(values: Values, rows: Rows, _context: Context) -> Iterator[Problem]:
    """Reports are pulled before the meeting and dated no later than it."""
    held = as_day(values.get("conference_date"))
    for key, _, row in _entries(values, rows, "reports"):
        pulled = as_day(row.get("pulled_on"))
        if pulled is None:
            yield problem("report-not-pulled", f"{key}pulled_on", "warning")
        elif held is not None and pulled > held:
            yield problem("report-after-conference", f"{key}pulled_on", "warning")


def r19(values: Values, _rows: Rows, _context: Context) -> Iterator[Problem]:
    """Papers are filed in a locked site binder, and that is written down."""
    if not values.get("filed_on"):
        yield problem("not-filed", "filed_on", "warning")


MONTH_RULES: Final[Mapping[str, tuple[MonthRule, ...]]] = {
    "worksheet": (r1, r2, r16, r19),
    "fcch": (r1, r2, r10, r11, r12, r16, r19),
    "case-management": (r1, r10, r11, r15, r19),
}
