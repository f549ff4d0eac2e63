"""Whether a unit's month is covered (R1, R2): where children are, how far a conference and its papers have come.

Pure: facts in, states and findings out.
"""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from functools import cache
from typing import Final, Literal

from formsvc.casework.prefill import FORMS, earliest_conference
from formsvc.errors import WORDING, word
from formsvc.model.procedure import Procedure, first_day, last_day
from formsvc.model.roster import ProgramOption
from formsvc.store.roster import Enrolment

State = Literal["empty", "not-due", "open", "planned", "missing", "held", "waiting", "done"]
STATES: Final[Mapping[State, str]] = {
    "empty": "no children",
    "not-due": "not due yet",
    "open": "not planned",
    "planned": "planned",
    "missing": "no conference",
    "held": "papers out",
    "waiting": "to be settled",
    "done": "done",
}
"""What each state is called."""
Weight = Literal["error", "warning", "note"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """Something to look at, in plain values: days are ISO 8601, empty where there is none."""

    rule: str
    """R1 to R20; empty for the upkeep of the papers themselves."""
    code: str
    severity: Weight
    message: str
    site: str = ""
    unit: str = ""
    """Empty for what concerns the whole site or agency."""
    form: str = ""
    due: str = ""
    who: str = ""
    count: int = 1


def finding(code: str, severity: Weight, /, **facts: object) -> Finding:
    """A finding in the words of the one table; `count` among the facts is also its count."""
    count = facts.get("count", 1)
    return Finding(rule=rule_of(code), code=code, severity=severity, message=word(code, **facts), count=count if isinstance(count, int) else 1)


@cache
def rule_of(code: str) -> str:
    """The rule whose breach a code tells, as its wording says."""
    found = re.match(r"R\d+(?=:)", WORDING[code].problem) if code in WORDING else None
    return found[0] if found else ""


def rule_number(rule: str) -> int:
    """Where a rule stands among the others; what follows no rule comes last."""
    return int(rule[1:]) if rule else 1_000


# ---------------------------------------------------------------- where children are


def whereabouts(spells: Iterable[Enrolment], month: str) -> dict[int, Enrolment]:
    """Where each child is in a month: a child who moved is where it was last."""
    first, last = first_day(month), last_day(month)
    latest: dict[int, Enrolment] = {}
    for spell in spells:
        if (spell.starts or first) <= last and (spell.ends or last) >= first:
            known = latest.get(spell.child)
            if known is None or (spell.starts or first) >= (known.starts or first):
                latest[spell.child] = spell
    return latest


def has_left(spells: Iterable[Enrolment], on: date) -> bool:
    """Whether every stay of a child ended before that day; on its last day a child is still here."""
    return all(spell.ends is not None and spell.ends < on for spell in spells)


def place_on(spells: Sequence[Enrolment], on: date) -> Enrolment | None:
    """The stay a child is in on a day, or else the last one that had begun, or the first that will."""
    if len(spells) == 1:  # nearly always
        return spells[0]
    ordered = sorted(spells, key=lambda spell: spell.starts or date.min)
    begun = [spell for spell in ordered if (spell.starts or date.min) <= on]
    return begun[-1] if begun else next(iter(ordered), None)


# ---------------------------------------------------------------- a unit in a month


@dataclass(frozen=True, slots=True, kw_only=True)
class Coverage:
    """What is known of a unit's conference of a month. The last four are numbers of papers."""

    month: str
    option: ProgramOption
    start: date | None
    children: int
    held_before: bool
    """Whether the unit had a conference in this program year before."""
    planned_on: date | None = None
    held_on: date | None = None
    issued: int = 0
    returned: int = 0
    done: int = 0

    @property
    def is_empty(self) -> bool:
        """Whether nobody is there to talk about."""
        return not self.children and not self.issued and self.held_on is None

    def not_before(self, procedure: Procedure) -> date | None:
        """R2: the day before which the first conference is not due, if the month ends before it."""
        earliest = earliest_conference(self.start, procedure)
        waits = not self.held_before and self.held_on is None and not self.issued
        return earliest if waits and earliest is not None and earliest > last_day(self.month) else None

    def papers(self, procedure: Procedure) -> int:
        """How many papers are due: those of the unit's option, or as many as a long roster took."""
        due = 0 if self.is_empty or self.not_before(procedure) else len(FORMS[self.option])
        return max(due, self.issued)


def state_of(unit: Coverage, procedure: Procedure, today: date) -> State:
    """How far a unit's month has come."""
    if unit.returned > unit.done:
        return "waiting"
    if unit.held_on is not None:
        return "done" if unit.done >= unit.papers(procedure) else "held"
    if unit.is_empty:
        return "empty"
    if unit.not_before(procedure):
        return "not-due"
    if last_day(unit.month) < today or (unit.planned_on is not None and unit.planned_on < today):
        return "missing"
    return "planned" if unit.planned_on is not None else "open"


def coverage_findings(unit: Coverage, procedure: Procedure, today: date) -> Iterator[Finding]:
    """R1 and R2 for a unit: no conference, none planned, none on record after its day, or not due yet; papers that are out."""
    last, due = last_day(unit.month), last_day(unit.month).isoformat()
    grave: Weight = "error" if last < today else "warning"
    if earliest := unit.not_before(procedure):
        yield replace(finding("unit-not-due", "note", earliest=f"{earliest:%m/%d/%Y}"), due=earliest.isoformat())
        return
    if unit.is_empty:
        return
    if unit.held_on is None:
        if unit.planned_on is None:
            code = "conference-missing" if last < today else "conference-unplanned"
            yield replace(finding(code, grave, month=unit.month), due=due)
        elif unit.planned_on < today:
            yield replace(finding("conference-not-recorded", grave, planned=f"{unit.planned_on:%m/%d/%Y}"), due=unit.planned_on.isoformat())
    if unit.issued < unit.papers(procedure) and first_day(unit.month) <= today:
        yield replace(finding("papers-not-issued", grave, count=unit.papers(procedure) - unit.issued, month=unit.month), due=due)
    if unit.held_on is not None and unit.returned < unit.issued:
        yield replace(finding("papers-not-returned", grave, count=unit.issued - unit.returned), due=due)
