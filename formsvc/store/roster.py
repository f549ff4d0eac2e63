"""Sites, units, staff, children and where they are enrolled, kept and read."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any, cast

from sqlalchemy import ColumnElement, Connection, Row, delete, select, update

from formsvc.model.roster import BREAK, ProgramOption, RosterLine, StaffMember
from formsvc.store.rows import inserted
from formsvc.store.schema import children, enrolments, sites, staff, units


@dataclass(frozen=True, slots=True, kw_only=True)
class Unit:
    """A class, a home-base educator or a specialist."""

    id: int
    site: str
    name: str
    option: ProgramOption
    start: date | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Enrolment:
    """A child in a unit, for a time."""

    child: int
    unit: int
    starts: date | None
    ends: date | None
    home: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Child:
    """What the store knows of a child."""

    key: int
    child_id: str
    name: str
    birth_date: date | None
    family_id: str
    home_language: str
    interpreter: bool
    iep_ifsp: bool


# ---------------------------------------------------------------- read


def read_units(connection: Connection, site: str | None = None, name: str | None = None, *, key: int | None = None) -> tuple[Unit, ...]:
    """The units, by site and name."""
    wanted = select(units.c.id, sites.c.name.label("site"), units.c.name, units.c.option, units.c.start).join(sites).order_by(sites.c.name, units.c.name)
    if site is not None:
        wanted = wanted.where(sites.c.name == site)
    if name is not None:
        wanted = wanted.where(units.c.name == name)
    if key is not None:
        wanted = wanted.where(units.c.id == key)
    return tuple(Unit(id=row.id, site=row.site, name=row.name, option=cast("ProgramOption", row.option), start=row.start) for row in connection.execute(wanted))


def find_unit(connection: Connection, key: int) -> Unit:
    """The unit of that key."""
    return next(unit for unit in read_units(connection, key=key))


def read_staff(connection: Connection) -> Mapping[int, tuple[StaffMember, ...]]:
    """Who belongs to each unit."""
    found: dict[int, tuple[StaffMember, ...]] = {}
    for row in connection.execute(select(staff).order_by(staff.c.id)):
        found[row.unit_id] = (*found.get(row.unit_id, ()), StaffMember(role=row.role, name=row.name))
    return found


def read_children(connection: Connection, keys: Iterable[int] | None = None) -> Mapping[int, Child]:
    """Children by key; all of them, or the given ones."""
    wanted = select(children).where(~children.c.erased)
    if keys is not None:
        wanted = wanted.where(children.c.id.in_(tuple(keys)))
    return {row.id: _child(row) for row in connection.execute(wanted)}


def find_child(connection: Connection, child_id: str) -> int | None:
    """The key of the child with exactly that id."""
    return connection.execute(select(children.c.id).where(children.c.child_id == child_id, ~children.c.erased)).scalar()


def _child(row: Row[Any]) -> Child:
    return Child(
        key=row.id,
        child_id=row.child_id,
        name=row.name,
        birth_date=row.birth_date,
        family_id=row.family_id,
        home_language=row.home_language,
        interpreter=row.interpreter,
        iep_ifsp=row.iep_ifsp,
    )


def read_enrolments(connection: Connection, unit: int | None = None) -> tuple[Enrolment, ...]:
    """Every enrolment, or those of a unit's children wherever they are, in order of the roster."""
    wanted = select(enrolments).order_by(enrolments.c.id)
    if unit is not None:
        wanted = wanted.where(enrolments.c.child.in_(select(enrolments.c.child).where(enrolments.c.unit_id == unit)))
    return tuple(Enrolment(child=row.child, unit=row.unit_id, starts=row.starts, ends=row.ends, home=row.home) for row in connection.execute(wanted))


def read_enrolments_of(connection: Connection, keys: Iterable[int]) -> tuple[Enrolment, ...]:
    """Every enrolment of these children."""
    wanted = select(enrolments).where(enrolments.c.child.in_(tuple(keys))).order_by(enrolments.c.id)
    return tuple(Enrolment(child=row.child, unit=row.unit_id, starts=row.starts, ends=row.ends, home=row.home) for row in connection.execute(wanted))


def first_enrolled(spells: Iterable[Enrolment]) -> date | None:
    """The first day of the last stay without a break: a move to another unit soon after, weekends between, does not break it."""
    first: date | None = None
    end: date | None = None
    for spell in sorted((spell for spell in spells if spell.starts), key=lambda spell: spell.starts or date.min):
        if first is None or (end is not None and spell.starts is not None and spell.starts > end + BREAK):
            first = spell.starts
        end = spell.ends if first is None or spell.ends is None or end is None else max(end, spell.ends)
    return first


def read_roster(connection: Connection) -> tuple[RosterLine, ...]:
    """The whole roster as lines, for comparing with a file."""
    by_unit = {unit.id: unit for unit in read_units(connection)}
    people, known = read_staff(connection), read_children(connection)
    return tuple(_line(row, known[row.child], by_unit[row.unit_id], people) for row in connection.execute(select(enrolments).order_by(enrolments.c.id)) if row.child in known)


def _line(row: Row[Any], child: Child, unit: Unit, people: Mapping[int, tuple[StaffMember, ...]]) -> RosterLine:
    return RosterLine(
        child_id=child.child_id,
        child_name=child.name,
        site=unit.site,
        unit=unit.name,
        option=unit.option,
        home=row.home,
        birth_date=child.birth_date,
        enrolled_on=row.starts,
        left_on=row.ends,
        left_reason=row.reason,
        family_id=child.family_id,
        home_language=child.home_language,
        interpreter=child.interpreter,
        iep_ifsp=child.iep_ifsp,
        unit_start=unit.start,
        staff=people.get(unit.id, ()),
    )


# ---------------------------------------------------------------- written


class RosterWriter:
    """Writes roster lines; sites and units are made where they are first named."""

    def __init__(self, connection: Connection) -> None:
        """Know what is there."""
        self.connection = connection
        self.sites: dict[str, int] = {row.name: row.id for row in connection.execute(select(sites))}
        self.units = {(unit.site, unit.name): unit for unit in read_units(connection)}
        self.staff = {unit: set(members) for unit, members in read_staff(connection).items()}
        self.children: dict[str, int] = {row.child_id: row.id for row in connection.execute(select(children.c.id, children.c.child_id))}

    def enrol(self, line: RosterLine) -> None:
        """A new stay of a child in a unit."""
        stay = {"home": line.home, "starts": line.enrolled_on, "ends": line.left_on, "reason": line.left_reason}
        inserted(self.connection, enrolments, child=self.child(line), unit_id=self.unit(line), **stay)

    def correct(self, before: RosterLine, after: RosterLine) -> None:
        """Details of a child and of its stay."""
        self.child(after)
        self.unit(after)
        self.connection.execute(update(enrolments).where(*self._stay(before)).values(home=after.home, starts=after.enrolled_on, ends=after.left_on, reason=after.left_reason))

    def end(self, before: RosterLine, ended: RosterLine | None) -> None:
        """The end of a stay from which the child moves on; None if the child never was there."""
        if ended is None:
            self.connection.execute(delete(enrolments).where(*self._stay(before)))
        else:
            self.connection.execute(update(enrolments).where(*self._stay(before)).values(ends=ended.left_on, reason=ended.left_reason))

    def _stay(self, line: RosterLine) -> tuple[ColumnElement[bool], ...]:
        unit = self.units[line.site, line.unit].id
        return enrolments.c.child == self.children[line.child_id], enrolments.c.unit_id == unit, enrolments.c.starts.is_not_distinct_from(line.enrolled_on)

    def child(self, line: RosterLine) -> int:
        """The child's key, with its details as the line gives them."""
        details = {
            "name": line.child_name,
            "birth_date": line.birth_date,
            "family_id": line.family_id,
            "home_language": line.home_language,
            "interpreter": line.interpreter,
            "iep_ifsp": line.iep_ifsp,
            "erased": False,
        }
        if (key := self.children.get(line.child_id)) is not None:
            self.connection.execute(update(children).where(children.c.id == key).values(**details))
            return key
        return self.children.setdefault(line.child_id, inserted(self.connection, children, child_id=line.child_id, **details))

    def unit(self, line: RosterLine) -> int:
        """The unit's key, with its option, first day and staff as the line gives them."""
        known: Unit | None = self.units.get((line.site, line.unit))
        if known is None:
            site = self.sites.get(line.site) or self.sites.setdefault(line.site, inserted(self.connection, sites, name=line.site))
            key = inserted(self.connection, units, site_id=site, name=line.unit, option=line.option, start=line.unit_start)
            known = Unit(id=key, site=line.site, name=line.unit, option=line.option, start=line.unit_start)
        elif (line.option, line.unit_start or known.start) != (known.option, known.start):
            self.connection.execute(update(units).where(units.c.id == known.id).values(option=line.option, start=line.unit_start or known.start))
            known = Unit(id=known.id, site=line.site, name=line.unit, option=line.option, start=line.unit_start or known.start)
        self.units[line.site, line.unit] = known
        if line.staff and set(line.staff) != self.staff.get(known.id, set()):
            self.staff[known.id] = set(line.staff)
            self.connection.execute(delete(staff).where(staff.c.unit_id == known.id))
            for member in line.staff:
                inserted(self.connection, staff, unit_id=known.id, role=member.role, name=member.name)
        return known.id
