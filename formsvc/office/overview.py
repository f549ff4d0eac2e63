"""What a supervisor looks at: a month summed up, findings put together, follow-ups by age and by whatever one asks for."""

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from itertools import islice
from typing import Any, Final

from formsvc.casework.coverage import STATES, Finding, State, Weight
from formsvc.errors import Refused
from formsvc.model.procedure import last_day
from formsvc.office.monitoring import MonitoringItem, due, record_done
from formsvc.office.office import Office
from formsvc.office.picture import ActionStatus, Look, read_look
from formsvc.office.status import HeatMap, MonthStatus, heat_of, status_of

OLDEST: Final = 6
"""Actions of so many months and older stand together."""
_PLACES: Final = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class FindingGroup:
    """Findings of one kind: how many, where first, until when."""

    rule: str
    code: str
    severity: Weight
    message: str
    """The words of the first one."""
    is_one: bool
    """Whether all say the same."""
    count: int
    places: tuple[str, ...]
    more: int
    due: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Age:
    """The open actions that are so many months old; the last age holds all older ones."""

    months: int
    open: int
    overdue: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Overview:
    """A month as a supervisor sees it, with a page of the program year."""

    status: MonthStatus
    heat: HeatMap
    units: tuple[int, ...]
    """The unit of each row of the heat map."""
    states: Mapping[State, int]
    groups: tuple[FindingGroup, ...]
    ages: tuple[Age, ...]
    raise_after: int

    @property
    def open_actions(self) -> int:
        """How many actions go on."""
        return sum(age.open for age in self.ages)

    def papers(self, name: str) -> int:
        """How many papers are due, issued, returned or done."""
        return sum(int(getattr(unit, name)) for unit in self.status.units)

    def found(self, *codes: str, severity: Weight | None = None) -> int:
        """How many findings there are of some codes, or of a weight."""
        return sum(group.count for group in self.groups if (not codes or group.code in codes) and severity in (None, group.severity))


def overview(office: Office, month: str, *, today: date, site: str | None = None, first: int = 0, most: int = 40) -> Overview:
    """A month as of a day; the heat map has `most` units from the `first` one on. Refuses a site that is not there."""
    with office.store.reading() as connection:
        look = read_look(office, connection, month, today, site)
        status = status_of(connection, look)
        shown = dict(islice(look.units.items(), first, first + most))
        heat = heat_of(office, connection, look.agency, shown, today=today, month=month)
    counted = Counter(unit.state for unit in status.units)
    return Overview(
        status=status,
        heat=heat,
        units=tuple(shown),
        states={state: counted[state] for state in STATES},
        groups=tuple(_groups(status.findings)),
        ages=_ages(action for _, action in look.actions if not action.left),
        raise_after=office.procedure.raise_after_months,
    )


# ---------------------------------------------------------------- findings


def _groups(findings: Iterable[Finding]) -> Iterable[FindingGroup]:
    """Findings of one kind together: what must be done before what should be done, by rule."""
    alike: dict[tuple[str, Weight], list[Finding]] = {}
    for found in findings:
        alike.setdefault((found.code, found.severity), []).append(found)
    order = {"error": 0, "warning": 1, "note": 2}
    return (_group(some) for some in sorted(alike.values(), key=lambda some: order[some[0].severity]))


def _group(alike: Sequence[Finding]) -> FindingGroup:
    places = list(dict.fromkeys(place for found in alike if (place := place_of(found))))
    first = alike[0]
    return FindingGroup(
        rule=first.rule,
        code=first.code,
        severity=first.severity,
        message=first.message,
        is_one=len({found.message for found in alike}) == 1,
        count=sum(found.count for found in alike),
        places=tuple(places[:_PLACES]),
        more=max(0, len(places) - _PLACES),
        due=min((found.due for found in alike if found.due), default=""),
    )


def place_of(found: Finding) -> str:
    """Where a finding is: site and unit, or the site alone."""
    return ", ".join(filter(None, (found.site, found.unit)))


def findings(office: Office, month: str, *, today: date, site: str | None = None, code: str = "", severity: str = "") -> tuple[Finding, ...]:
    """Every finding of a month, or those of a code and a weight."""
    with office.store.reading() as connection:
        found = status_of(connection, read_look(office, connection, month, today, site)).findings
    return tuple(one for one in found if code in ("", one.code) and severity in ("", one.severity))


# ---------------------------------------------------------------- follow-ups


def _ages(actions: Iterable[ActionStatus]) -> tuple[Age, ...]:
    counts: Counter[tuple[int, bool]] = Counter((min(action.months, OLDEST), action.overdue) for action in actions)
    return tuple(Age(months=months, open=counts[months, False] + counts[months, True], overdue=counts[months, True]) for months in range(OLDEST + 1))


_CHOICES: Final[Mapping[str, Callable[[ActionStatus], bool]]] = {
    "late": lambda action: action.overdue or action.long_carried,
    "overdue": lambda action: action.overdue,
    "carried": lambda action: action.long_carried,
    "left": lambda action: action.left,
    "all": lambda action: bool(action.id),
}
CHOICES: Final = tuple(_CHOICES)
"""Which open actions one may ask for."""
_ORDERS: Final[Mapping[str, Callable[[ActionStatus], Any]]] = {
    "due": lambda action: action.target_date or "9999",
    "age": lambda action: action.months,
    "unit": lambda action: (action.site.casefold(), action.unit.casefold()),
    "child": lambda action: action.child_name.casefold(),
    "who": lambda action: action.responsible.casefold(),
}
ORDERS: Final = tuple(_ORDERS)
"""What one may sort them by."""


def follow_ups(office: Office, month: str, *, today: date, site: str | None = None, choice: str = "late", order: str = "due", descending: bool = False) -> tuple[ActionStatus, ...]:
    """The open actions of a kind, sorted; equal ones by target date."""
    with office.store.reading() as connection:
        look: Look = read_look(office, connection, month, today, site)
    found = sorted((action for _, action in look.actions if _CHOICES[choice](action)), key=lambda action: (_ORDERS["due"](action), action.id))
    return tuple(sorted(found, key=_ORDERS[order], reverse=descending))


# ---------------------------------------------------------------- monitoring


def monitoring_due(office: Office, month: str, *, today: date, site: str = "", kind: str = "") -> tuple[MonitoringItem, ...]:
    """What was to be monitored until the end of a month and is not done, the oldest first."""
    items = due(office, today, until=max(today, last_day(month)))
    return tuple(item for item in items if site in ("", item.site) and kind in ("", item.kind))


def note_monitored(office: Office, month: str, key: tuple[str, str, str], *, today: date, done_on: date, by: str) -> MonitoringItem:
    """Note that something due (kind, subject, day) was done; refuses what is not asked for any more, and a day to come."""
    (item,) = note_all_monitored(office, month, [key], today=today, done_on=done_on, by=by)
    return item


def note_all_monitored(office: Office, month: str, keys: Sequence[tuple[str, ...]], *, today: date, done_on: date, by: str) -> tuple[MonitoringItem, ...]:
    """Note that several things due were done on a day by one person; refuses all if one of them is not asked for any more."""
    if done_on > today:
        raise Refused("monitoring-day")
    known: dict[tuple[str, ...], MonitoringItem] = {(item.kind, item.subject, item.due.isoformat()): item for item in monitoring_due(office, month, today=today)}
    items = [known.get(key) for key in dict.fromkeys(keys)]
    found = tuple(item for item in items if item is not None)
    if len(found) < len(items) or not found:
        raise Refused("monitoring-gone")
    for item in found:
        record_done(office, item.kind, item.subject, item.due, done_on, by)
    return found
