"""What the picture of a month is made of, read in a few statements for any number of units: no record is opened."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any, Final

from sqlalchemy import Connection, Row, func, select

from formsvc.casework.coverage import Coverage, Weight, has_left, place_on, whereabouts
from formsvc.casework.followup import Standing
from formsvc.casework.month_rules import as_day
from formsvc.casework.rules import role_label
from formsvc.errors import Refused
from formsvc.model.form import Form
from formsvc.model.procedure import is_month, last_day, months_between, year_start
from formsvc.office.conferences import CASE
from formsvc.office.monitoring import Agency, read_agency
from formsvc.office.office import Office
from formsvc.store.followup import KeptAction, read_actions
from formsvc.store.roster import Enrolment, Unit
from formsvc.store.schema import conferences, questions, returns, sheets

_LEADS: Final = {"home": "home_educator", "fcch": "specialist"}
"""Who answers for a unit's papers; elsewhere the educator."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ActionStatus:
    """An open action, in plain values. If every child has left it is neither overdue nor long carried."""

    id: str
    site: str
    unit: str
    """Where its first child is now."""
    child_id: str
    child_name: str
    action: str
    responsible: str
    role: str
    target_date: str
    opened: str
    months: int
    """So many months old in the month of the picture."""
    overdue: bool
    long_carried: bool
    left: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Look:
    """Everything that is known of a month as of a day."""

    office: Office
    month: str
    today: date
    site: str | None
    agency: Agency
    units: Mapping[int, Unit]
    """The units that are looked at."""
    coverage: Mapping[int, Coverage]
    sheets: Mapping[int, Row[Any]]
    """The papers of all units, those that are not looked at included: an action may stand on another unit's."""
    questions: Mapping[int | None, int]
    """How many wait for a person, by paper; None: returns that are not placed yet."""
    actions: tuple[tuple[KeptAction, ActionStatus], ...]
    roles: Form
    """The form whose list names every role."""

    @property
    def grave(self) -> Weight:
        """What must be done in the month is an error once the month is over."""
        return "error" if last_day(self.month) < self.today else "warning"

    @property
    def by_end(self) -> str:
        """The last day of the month."""
        return last_day(self.month).isoformat()

    def said(self, role: str, unit: int | None = None) -> str:
        """Who has a role, or the role itself in words."""
        return self.agency.named(role, unit) or role_label(self.roles, role, "en")

    def lead(self, unit: Unit) -> str:
        """Who answers for a unit's papers."""
        return self.said(_LEADS.get(unit.option, "educator"), unit.id)


def read_look(office: Office, connection: Connection, month: str, today: date, site: str | None) -> Look:
    """Look at a month. Refuses what is no month, and a site that is not there."""
    agency = read_agency(connection)
    units = chosen_units(agency, month, site)
    kept = read_actions(connection, only_open=True)
    standing = ((action, _action_status(office, agency, action, month, today)) for action in kept)
    return Look(
        office=office,
        month=month,
        today=today,
        site=site,
        agency=agency,
        units=units,
        coverage={unit: found for (unit, _), found in coverages(office, connection, agency, units, [month]).items()},
        sheets={row.id: row for row in connection.execute(select(sheets).where(sheets.c.month == month).order_by(sheets.c.form.desc(), sheets.c.part))},
        questions={row.sheet_id: row.open for row in connection.execute(select(questions.c.sheet_id, func.count().label("open")).where(questions.c.state == "open").group_by(questions.c.sheet_id))},
        actions=tuple((action, status) for action, status in standing if site in {None, status.site}),
        roles=office.service.form("case-management"),
    )


def chosen_units(agency: Agency, month: str, site: str | None) -> Mapping[int, Unit]:
    """The units of a site, or all of them, in their order."""
    if not is_month(month):
        raise Refused("month-invalid", "", given=month)
    units = {key: unit for key, unit in agency.units.items() if site in {None, unit.site}}
    if site is not None and not units:
        raise Refused("unit-unknown", site)
    return units


# ---------------------------------------------------------------- conferences and papers


def coverages(office: Office, connection: Connection, agency: Agency, units: Mapping[int, Unit], months: Sequence[str]) -> dict[tuple[int, str], Coverage]:
    """How far each unit has come in each of these months of one program year, in order of the units."""
    begins = year_start(months[0], office.procedure.program_year_starts)
    met = {(row.unit_id, row.month): row for row in connection.execute(select(conferences).where(conferences.c.kind == CASE, conferences.c.month >= begins, conferences.c.month <= months[-1]))}
    first_held: dict[int, str] = {}
    for unit, month in sorted(key for key, row in met.items() if row.held_on is not None):
        first_held.setdefault(unit, month)
    papers = _papers(connection, months)
    spells = _spells_of(agency, units)
    there = {month: Counter(spell.unit for spell in whereabouts(spells, month).values()) for month in months}
    return {
        (key, month): Coverage(
            month=month,
            option=unit.option,
            start=unit.start,
            children=there[month][key],
            held_before=first_held.get(key, month) < month,
            planned_on=meeting.planned_on if (meeting := met.get((key, month))) else None,
            held_on=meeting.held_on if meeting else None,
            issued=len(papers.get((key, month), ())),
            returned=sum(returned for returned, _ in papers.get((key, month), ())),
            done=sum(returned and done for returned, done in papers.get((key, month), ())),
        )
        for key, unit in units.items()
        for month in months
    }


def _spells_of(agency: Agency, units: Mapping[int, Unit]) -> Sequence[Enrolment]:
    """Every stay of the children who ever were in one of these units."""
    if len(units) == len(agency.units):
        return tuple(agency.spells)
    people = dict.fromkeys(spell.child for unit in units for spell in agency.by_unit.get(unit, ()))
    return tuple(spell for child in people for spell in agency.by_child[child])


def _papers(connection: Connection, months: Sequence[str]) -> Mapping[tuple[int, str], Sequence[tuple[bool, bool]]]:
    """For each paper of each unit and month: whether it came back, and whether it is done."""
    counted = select(returns.c.sheet_id).distinct().join(sheets, sheets.c.id == returns.c.sheet_id).where(returns.c.state == "counted", sheets.c.month.in_(months))
    back = set(connection.scalars(counted))
    found: dict[tuple[int, str], list[tuple[bool, bool]]] = {}
    for row in connection.execute(select(sheets.c.id, sheets.c.unit_id, sheets.c.month, sheets.c.done_on).where(sheets.c.month.in_(months))):
        found.setdefault((row.unit_id, row.month), []).append((row.id in back, bool(row.done_on)))
    return found


# ---------------------------------------------------------------- actions


def unit_of(agency: Agency, action: KeptAction, on: date) -> Unit:
    """Where an action stands on a day: open actions follow the child; siblings have it where the first of them is."""
    here = [child for child in action.children if not has_left(agency.by_child.get(child, ()), on)] or action.children
    place = place_on(agency.by_child.get(here[0], ()), on) if here else None
    return agency.units[place.unit if place else action.unit]


def all_left(agency: Agency, action: KeptAction, on: date) -> bool:
    """Whether every child of an action has left: its effective status is “no longer enrolled”."""
    return bool(action.children) and all(has_left(agency.by_child.get(child, ()), on) for child in action.children)


def is_late(action: KeptAction, on: date) -> bool:
    """Whether an open action should have been done before that day; on its target date it is in time."""
    target = as_day(action.facts.get("target_date"))
    return action.open and target is not None and target < on


def _action_status(office: Office, agency: Agency, action: KeptAction, month: str, today: date) -> ActionStatus:
    left, months = all_left(agency, action, today), months_between(action.opened, month)
    unit = unit_of(agency, action, today)
    people = [agency.people[child] for child in action.children if child in agency.people]
    return ActionStatus(
        id=action.id,
        site=unit.site,
        unit=unit.name,
        child_id=" + ".join(child.child_id for child in people),
        child_name=" + ".join(child.name for child in people),
        action=Standing(opened=action.opened, latest=action.latest, facts=action.facts).text,
        responsible=str(action.facts.get("responsible", "")),
        role=str(action.facts.get("responsible_role", "")),
        target_date=str(action.facts.get("target_date", "")),
        opened=action.opened,
        months=max(months, 0),
        overdue=is_late(action, today) and not left,
        long_carried=months >= office.procedure.raise_after_months and not left,
        left=left,
    )
