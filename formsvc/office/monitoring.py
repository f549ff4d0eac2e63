"""Self-monitoring (R20): what is due for children, units and the agency, by when and by whom, and what was done."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Final

from sqlalchemy import Connection, func, insert, select, update

from formsvc.casework.coverage import place_on
from formsvc.errors import Refused
from formsvc.model.kinds import Lang
from formsvc.model.procedure import Window, add_months, first_day, last_day, month_after, month_of, year_start
from formsvc.model.roster import StaffMember
from formsvc.office.office import Office
from formsvc.store.roster import Child, Enrolment, Unit, first_enrolled, read_children, read_enrolments, read_staff, read_units
from formsvc.store.schema import children, conferences, monitoring, sheets, units

GRANTEE: Final = "grantee"
_YEAR: Final = 12  # months
_DIGITS: Final = 9  # what every database takes for a number of a row


@dataclass(frozen=True, slots=True, kw_only=True)
class MonitoringItem:
    """Something that is monitored once. `kind`, `subject` and `due` say which, for `record_done`."""

    kind: str
    subject: str
    """`child:12`, `unit:3` or `grantee`: by the store's numbers, so that no name stands in a log."""
    title: str
    begins: date
    """From this day on it can be done."""
    due: date
    overdue: bool
    role: str
    who: str
    """The one who has that role there, if that is known."""
    site: str = ""
    unit: str = ""
    child_id: str = ""
    child_name: str = ""
    done_on: date | None = None
    by: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Stay:
    """A child in the program without a break, in whatever units; without a last day while it lasts."""

    first: date
    last: date | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Agency:
    """Who is where, read once."""

    units: Mapping[int, Unit]
    staff: Mapping[int, tuple[StaffMember, ...]]
    people: Mapping[int, Child]
    by_child: Mapping[int, Sequence[Enrolment]]
    by_unit: Mapping[int, Sequence[Enrolment]]
    stays: Mapping[int, Stay]
    """The present stay in the program of each child, or else the last one; children without a day of enrolment have none."""
    in_use_since: str
    """The first month of which there are papers or conferences; empty for an installation without any."""
    alone: Mapping[str, str]
    """The roles that only one person has, and that person."""

    @property
    def spells(self) -> Iterator[Enrolment]:
        """Every stay of every child."""
        return (spell for spells in self.by_child.values() for spell in spells)

    def named(self, role: str, unit: int | None = None) -> str:
        """Who has a role in a unit, or else the only one in the agency who has it; empty if nobody is certain."""
        here = [member.name for member in self.staff.get(unit, ()) if member.role == role] if unit is not None else []
        return ", ".join(here) or self.alone.get(role, "")


def read_agency(connection: Connection) -> Agency:
    """Who is where; children whose data were erased are left out."""
    people, staff = read_children(connection), read_staff(connection)
    by_child: dict[int, list[Enrolment]] = {}
    by_unit: dict[int, list[Enrolment]] = {}
    for spell in read_enrolments(connection):
        if spell.child in people:
            by_child.setdefault(spell.child, []).append(spell)
            by_unit.setdefault(spell.unit, []).append(spell)
    used = [month for table in (sheets, conferences) if (month := connection.execute(select(func.min(table.c.month))).scalar())]
    return Agency(
        units={unit.id: unit for unit in read_units(connection)},
        staff=staff,
        people=people,
        by_child=by_child,
        by_unit=by_unit,
        stays={child: Stay(first=first, last=_last_day(spells, first)) for child, spells in by_child.items() if (first := first_enrolled(spells))},
        in_use_since=min(used, default=""),
        alone=_alone(staff),
    )


def _last_day(spells: Sequence[Enrolment], first: date) -> date | None:
    """The last day of the stay that began on that day; None while it lasts."""
    ends = [spell.ends for spell in spells if spell.starts is not None and spell.starts >= first]
    days = [end for end in ends if end is not None]
    return max(days) if len(days) == len(ends) else None


def _alone(staff: Mapping[int, Sequence[StaffMember]]) -> Mapping[str, str]:
    names: dict[str, set[str]] = {}
    for members in staff.values():
        for member in members:
            names.setdefault(member.role, set()).add(member.name)
    return {role: next(iter(found)) for role, found in names.items() if len(found) == 1}


# ---------------------------------------------------------------- what is due


@dataclass(frozen=True, slots=True, kw_only=True)
class Done:
    """A monitoring that was done."""

    due: date
    done_on: date
    by: str


Asked = tuple[str, date, date, Unit | None, Child | None]
"""What is asked for: subject, from when and by when, where and about whom. There may be tens of thousands: a plain tuple."""


def due(office: Office, on: date, *, until: date | None = None) -> tuple[MonitoringItem, ...]:
    """What is not done and due by a day (`until`, else `on` itself), the oldest first; overdue is what was due before `on`."""
    with office.store.reading() as connection:
        return in_order(item for item in monitored(office, connection, read_agency(connection), on, until or on) if item.done_on is None)


def in_order(items: Iterable[MonitoringItem]) -> tuple[MonitoringItem, ...]:
    """The oldest first, then by site, unit and child."""
    return tuple(sorted(items, key=lambda item: (item.due, item.site, item.unit, item.child_name, item.child_id, item.kind)))


def monitored(office: Office, connection: Connection, agency: Agency, on: date, until: date, lang: Lang = "en") -> Iterator[MonitoringItem]:
    """Everything that was or is due by a day, done or not: in the present stays of children, in this program year and the one before."""
    return (_item(window, lang, agency, asked, done, on) for window, asked, done in asked_for(office, connection, agency, on, until))


def asked_for(office: Office, connection: Connection, agency: Agency, on: date, until: date) -> Iterator[tuple[Window, Asked, Done | None]]:
    """The same before it is put into words: window, what it asks for, how it was done."""
    done = read_done(connection)
    starts = office.procedure.program_year_starts
    subjects = {"child": _children, "unit": _units, "grantee": _grantee}
    for window in office.procedure.monitoring:
        for asked in subjects[window.subject](window, agency, on, until, starts):
            yield window, asked, _how(window, asked, done.get((window.kind, asked[0]), ()))


def _how(window: Window, asked: Asked, done: Sequence[Done]) -> Done | None:
    """How something was done, if it was.

    What is due once per stay stays done when the day of enrolment is corrected later: then what was
    done in this stay counts, whatever day it was due on before.
    """
    _, begins, day, _, _ = asked
    return next((one for one in done if one.due == day or (window.days and one.done_on >= begins)), None)


def read_done(connection: Connection) -> Mapping[tuple[str, str], Sequence[Done]]:
    """What was done, by kind and subject."""
    found: dict[tuple[str, str], list[Done]] = {}
    for row in connection.execute(select(monitoring).order_by(monitoring.c.due)):
        found.setdefault((row.kind, row.subject), []).append(Done(due=row.due, done_on=row.done_on, by=row.by))
    return found


# ---------------------------------------------------------------- children


def _children(window: Window, agency: Agency, on: date, until: date, starts: int) -> Iterator[Asked]:
    """Counted from the first day in the program: a child who left before it was due is not asked, one who came back begins anew."""
    oldest = first_day(year_start(month_of(on), starts))
    for key, stay in agency.stays.items():
        if stay.last is not None and stay.last < oldest:
            continue
        for begins, day in _days(window, stay.first, until):
            if stay.last is None or stay.last >= day:
                here = place_on(agency.by_child[key], on)
                yield f"child:{key}", begins, day, agency.units[here.unit] if here else None, agency.people[key]


def _days(window: Window, start: date, until: date) -> Iterator[tuple[date, date]]:
    """From when and by when, up to a day: once after so many days, or every so many months from the same day (January 31: February 28, March 31)."""
    if window.days:
        day = start + timedelta(days=window.days)
        if day <= until:
            yield start, day
        return
    begins, count = start, 1
    while (day := add_months(start, count * window.months)) <= until:
        yield begins, day
        begins, count = day, count + 1


# ---------------------------------------------------------------- units and the agency


def _units(window: Window, agency: Agency, on: date, until: date, starts: int) -> Iterator[Asked]:
    """For each unit that had children in the time; one that opened after it was due is not asked."""
    periods = () if window.days else tuple(_periods(window, agency, on, until, starts))
    for unit in agency.units.values():
        spells = agency.by_unit.get(unit.id, ())
        for begins, day in _once(window, unit.start, until) if window.days else periods:
            if (unit.start is None or unit.start <= day) and _had_children(spells, begins, day):
                yield f"unit:{unit.id}", begins, day, unit, None


def _grantee(window: Window, agency: Agency, on: date, until: date, starts: int) -> Iterator[Asked]:
    year = first_day(year_start(month_of(until), starts))
    for begins, day in _once(window, year, until) if window.days else _periods(window, agency, on, until, starts):
        if _had_children(agency.spells, begins, day):
            yield GRANTEE, begins, day, None, None


def _once(window: Window, start: date | None, until: date) -> Iterator[tuple[date, date]]:
    return _days(window, start, until) if start else iter(())


def _periods(window: Window, agency: Agency, on: date, until: date, starts: int) -> Iterator[tuple[date, date]]:
    """Every so many months of the program year, due on the last day; the year's end ends the last one.

    The year before counts too, as far as the installation was in use then.
    """
    this = year_start(month_of(on), starts)
    years = [month_after(this, -_YEAR), this]
    while years[-1] < year_start(month_of(until), starts):
        years.append(month_after(years[-1], _YEAR))
    since = min(agency.in_use_since or this, this)
    for year in years:
        for at in range(0, _YEAR, window.months):
            begins, ends = month_after(year, at), month_after(year, min(at + window.months, _YEAR) - 1)
            if ends >= since and last_day(ends) <= until:
                yield first_day(begins), last_day(ends)


def _had_children(spells: Iterator[Enrolment] | Sequence[Enrolment], begins: date, ends: date) -> bool:
    return any((spell.starts or begins) <= ends and (spell.ends or ends) >= begins for spell in spells)


def _item(window: Window, lang: Lang, agency: Agency, asked: Asked, done: Done | None, on: date) -> MonitoringItem:
    subject, begins, day, unit, child = asked
    return MonitoringItem(
        kind=window.kind,
        subject=subject,
        title=window.title.said(lang),
        begins=begins,
        due=day,
        overdue=done is None and day < on,
        role=window.who,
        who=agency.named(window.who, unit.id if unit else None),
        site=unit.site if unit else "",
        unit=unit.name if unit else "",
        child_id=child.child_id if child else "",
        child_name=child.name if child else "",
        done_on=done.done_on if done else None,
        by=done.by if done else "",
    )


# ---------------------------------------------------------------- what was done


def record_done(office: Office, kind: str, subject: str, due_on: date, done_on: date, by: str) -> bool:
    """Note that something was monitored; False if just that is known already. Another day or person corrects what is known."""
    windows = {window.kind: window for window in office.procedure.monitoring}
    if kind not in windows:
        raise Refused("monitoring-unknown", kind, known=", ".join(sorted(windows)))
    same = (monitoring.c.kind == kind, monitoring.c.subject == subject, monitoring.c.due == due_on)
    with office.store.writing() as connection:
        if not _is_subject(connection, windows[kind].subject, subject):
            raise Refused("monitoring-subject", subject)
        known = connection.execute(select(monitoring.c.done_on, monitoring.c.by).where(*same)).first()
        if known == (done_on, by):
            return False
        if known is None:
            connection.execute(insert(monitoring).values(kind=kind, subject=subject, due=due_on, done_on=done_on, by=by))
        else:
            connection.execute(update(monitoring).where(*same).values(done_on=done_on, by=by))
        office.store.log(connection, "monitored", subject, kind=kind, due=due_on.isoformat(), done_on=done_on.isoformat(), corrected=known is not None)
    return True


def _is_subject(connection: Connection, wanted: str, subject: str) -> bool:
    """Whether a subject is one of those that are monitored this way."""
    name, _, number = subject.partition(":")
    if name != wanted or name == GRANTEE:
        return subject == wanted
    table = {"child": children, "unit": units}[name]
    return number.isascii() and number.isdecimal() and len(number) <= _DIGITS and connection.execute(select(table.c.id).where(table.c.id == int(number))).first() is not None
