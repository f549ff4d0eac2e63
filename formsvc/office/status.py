"""The picture of a month: how far every unit has come, what breaks a rule, which actions are late (`formsvc status`).

Sheets keep the problems they were settled with, so most findings are sums over rows.
"""

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import date
from typing import Final

from sqlalchemy import Connection, select

from formsvc.casework.coverage import Finding, State, Weight, coverage_findings, finding, rule_number, rule_of, state_of
from formsvc.model.procedure import first_day, last_day, month_after, program_year, year_start
from formsvc.office.conferences import MANAGEMENT
from formsvc.office.exported import revised_since_export
from formsvc.office.monitoring import Agency, asked_for, read_agency
from formsvc.office.office import Office
from formsvc.office.picture import ActionStatus, Look, chosen_units, coverages, read_look
from formsvc.store.roster import Unit
from formsvc.store.schema import conferences, documents, sheets

_SUPERVISOR: Final = "supervisor"
_MONTHS: Final = 12
_OVERDUE: Final[Mapping[bool, Weight]] = {True: "error", False: "warning"}
_TOLD_BY_ACTIONS: Final = frozenset({"action-long-carried"})
"""Problems of sheets that the actions themselves tell better: they may have ended since."""


@dataclass(frozen=True, slots=True, kw_only=True)
class UnitStatus:
    """A unit in the month, in plain values: numbers of papers, of what waits, and of actions."""

    site: str
    unit: str
    option: str
    state: State
    children: int
    planned_on: str
    held_on: str
    due: int
    issued: int
    returned: int
    done: int
    questions: int
    errors: int
    warnings: int
    open_actions: int
    overdue_actions: int


@dataclass(frozen=True, slots=True, kw_only=True)
class MonthStatus:
    """The picture of a month as of a day; `asdict` gives plain JSON."""

    month: str
    today: str
    site: str
    units: tuple[UnitStatus, ...]
    findings: tuple[Finding, ...]
    """By rule, then site and unit."""
    actions: tuple[ActionStatus, ...]
    """The open actions that are overdue, long carried, or of children who have all left, by date."""
    unplaced: int
    """Returns of which nobody knows yet where they belong."""


@dataclass(frozen=True, slots=True, kw_only=True)
class HeatCell:
    """A unit's month."""

    month: str
    state: State
    planned_on: str
    held_on: str


@dataclass(frozen=True, slots=True, kw_only=True)
class HeatRow:
    """A unit's program year."""

    site: str
    unit: str
    cells: tuple[HeatCell, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class HeatMap:
    """Units by the months of a program year."""

    year: str
    months: tuple[str, ...]
    rows: tuple[HeatRow, ...]


# ---------------------------------------------------------------- the picture


def status(office: Office, month: str, *, today: date, site: str | None = None) -> MonthStatus:
    """How every unit stands in a month, as of a day."""
    with office.store.reading() as connection:
        return status_of(connection, read_look(office, connection, month, today, site))


def status_of(connection: Connection, look: Look) -> MonthStatus:
    """The same of a month that was looked at already."""
    found = [*_coverage(look), *_papers(look), *_unlisted(connection, look), *_late(look), *_management(connection, look), *_export(connection, look), *_monitoring(connection, look)]
    late = (action for _, action in look.actions if action.overdue or action.long_carried or action.left)
    return MonthStatus(
        month=look.month,
        today=look.today.isoformat(),
        site=look.site or "",
        units=_units(look),
        findings=tuple(sorted(found, key=lambda one: (rule_number(one.rule), one.code, one.site, one.unit, one.form, one.message))),
        actions=tuple(sorted(late, key=lambda action: (action.target_date or "9999", action.id))),
        unplaced=look.questions.get(None, 0),
    )


def _units(look: Look) -> tuple[UnitStatus, ...]:
    open_actions = Counter((action.site, action.unit) for _, action in look.actions if not action.left)
    overdue = Counter((action.site, action.unit) for _, action in look.actions if action.overdue)
    waiting, weights = Counter[int](), Counter[tuple[int, str]]()
    for sheet in look.sheets.values():
        waiting[sheet.unit_id] += look.questions.get(sheet.id, 0)
        weights.update((sheet.unit_id, severity) for code, _, severity, _ in sheet.problems if code not in _TOLD_BY_ACTIONS)
    return tuple(
        UnitStatus(
            site=unit.site,
            unit=unit.name,
            option=unit.option,
            state=state_of(known := look.coverage[key], look.office.procedure, look.today),
            children=known.children,
            planned_on=_iso(known.planned_on),
            held_on=_iso(known.held_on),
            due=known.papers(look.office.procedure),
            issued=known.issued,
            returned=known.returned,
            done=known.done,
            questions=waiting[key],
            errors=weights[key, "error"],
            warnings=weights[key, "warning"],
            open_actions=open_actions[unit.site, unit.name],
            overdue_actions=overdue[unit.site, unit.name],
        )
        for key, unit in look.units.items()
    )


def _iso(day: date | None) -> str:
    return day.isoformat() if day else ""


def months(office: Office, *, today: date, month: str | None = None, site: str | None = None) -> HeatMap:
    """Every unit in every month of the program year of a month (or of today), as of today."""
    chosen = month or f"{today:%Y-%m}"
    with office.store.reading() as connection:
        agency = read_agency(connection)
        return heat_of(office, connection, agency, chosen_units(agency, chosen, site), today=today, month=chosen)


def heat_of(office: Office, connection: Connection, agency: Agency, units: Mapping[int, Unit], *, today: date, month: str) -> HeatMap:
    """The same of some units, when it is known already who is where."""
    starts = office.procedure.program_year_starts
    year = [month_after(year_start(month, starts), count) for count in range(_MONTHS)]
    known = coverages(office, connection, agency, units, year)
    rows = []
    for key, unit in units.items():
        mine = [known[key, one] for one in year]
        cells = tuple(HeatCell(month=one.month, state=state_of(one, office.procedure, today), planned_on=_iso(one.planned_on), held_on=_iso(one.held_on)) for one in mine)
        rows.append(HeatRow(site=unit.site, unit=unit.name, cells=cells))
    return HeatMap(year=program_year(month, starts), months=tuple(year), rows=tuple(rows))


# ---------------------------------------------------------------- findings


def _at(found: Finding, unit: Unit, *, who: str, due: str = "", form: str = "") -> Finding:
    return replace(found, site=unit.site, unit=unit.name, who=who, due=due or found.due, form=form)


def _coverage(look: Look) -> Iterator[Finding]:
    """R1, R2, and papers that are out."""
    for key, unit in look.units.items():
        for found in coverage_findings(look.coverage[key], look.office.procedure, look.today):
            yield _at(found, unit, who=look.said(_SUPERVISOR, key) if found.rule else look.lead(unit))


def _papers(look: Look) -> Iterator[Finding]:
    """What the papers themselves break (R3 to R16, R19), as they were settled, and what waits for a person."""
    for sheet in look.sheets.values():
        if (unit := look.units.get(sheet.unit_id)) is None:
            continue
        who = look.lead(unit)
        if count := look.questions.get(sheet.id, 0):
            yield _at(finding("questions-waiting", "error", count=count), unit, who=who, due=look.by_end, form=sheet.form)
        for (code, severity, message), count in Counter((code, severity, message) for code, _, severity, message in sheet.problems).items():
            if code not in _TOLD_BY_ACTIONS:
                weight: Weight = "error" if severity == "error" else "warning"
                yield Finding(rule=rule_of(code), code=code, severity=weight, message=message, count=count, site=unit.site, unit=unit.name, form=sheet.form, due=look.by_end, who=who)


def _unlisted(connection: Connection, look: Look) -> Iterator[Finding]:
    """R8: actions that a worksheet of this month opened and no edition of a follow-up form of this month lists."""
    wanted = select(documents.c.rows).join(sheets).where(sheets.c.month == look.month, sheets.c.form == "case-management")
    listed = {row for rows in connection.scalars(wanted) for row in rows.get("actions", ())}
    born = (action for action, _ in look.actions if action.sheet in look.sheets and look.sheets[action.sheet].form == "worksheet")
    missing = Counter(action.unit for action in born if f"a{action.id}" not in listed)
    for key, count in missing.items():
        if key in look.units:
            yield _at(finding("action-not-on-form", "error", count=count, month=look.month), look.units[key], who=look.lead(look.units[key]), due=look.by_end)


def _late(look: Look) -> Iterator[Finding]:
    """Actions past their target date, and those that were carried for long (R11)."""
    after = look.office.procedure.raise_after_months
    by_place = {(unit.site, unit.name): unit for unit in look.units.values()}
    overdue, carried = _grouped(look, overdue=True), _grouped(look, overdue=False)
    for place, actions in overdue.items():
        who = ", ".join(sorted({action.responsible for action in actions if action.responsible}))
        yield _at(finding("actions-overdue", "error", count=len(actions)), by_place[place], who=who, due=min(action.target_date for action in actions))
    for place, actions in carried.items():
        unit = by_place[place]
        yield _at(finding("actions-long-carried", "warning", count=len(actions), months=after), unit, who=look.said(_SUPERVISOR, unit.id), due=look.by_end)


def _grouped(look: Look, *, overdue: bool) -> dict[tuple[str, str], list[ActionStatus]]:
    found: dict[tuple[str, str], list[ActionStatus]] = {}
    for _, action in look.actions:
        if action.overdue if overdue else action.long_carried:
            found.setdefault((action.site, action.unit), []).append(action)
    return found


def _management(connection: Connection, look: Look) -> Iterator[Finding]:
    """R17: the site's meeting with management, at the start of the program year and monthly."""
    starts = look.office.procedure.program_year_starts
    begins = year_start(look.month, starts)
    wanted = select(conferences.c.unit_id, conferences.c.month).where(
        conferences.c.kind == MANAGEMENT, conferences.c.held_on.is_not(None), conferences.c.month >= begins, conferences.c.month <= look.month
    )
    held: dict[str, set[str]] = {}
    for row in connection.execute(wanted):
        held.setdefault(look.agency.units[row.unit_id].site, set()).add(row.month)
    for site in dict.fromkeys(unit.site for key, unit in look.units.items() if look.coverage[key].children):
        if site not in held:
            late: Weight = "error" if last_day(begins) < look.today else "warning"
            yield replace(finding("management-never", late, year=program_year(look.month, starts)), site=site, due=_iso(last_day(begins)), who=look.said(_SUPERVISOR))
        elif look.month not in held[site]:
            yield replace(finding("management-missing", "warning", month=look.month), site=site, due=look.by_end, who=look.said(_SUPERVISOR))


def _export(connection: Connection, look: Look) -> Iterator[Finding]:
    """R18: notes of the month that are not in COPA yet."""
    exported, revised = revised_since_export(connection, look.month)
    count = sum(1 for sheet in revised if sheet in look.sheets and look.sheets[sheet].unit_id in look.units)
    if count:
        code = "export-outdated" if exported else "not-exported"
        yield replace(finding(code, look.grave, count=count, month=look.month), due=look.by_end, who=look.said(_SUPERVISOR))


def _monitoring(connection: Connection, look: Look) -> Iterator[Finding]:
    """R20: what is overdue, and what falls due in the month, added up by unit and kind."""
    groups: dict[tuple[str, int | None, bool], list[date]] = {}
    windows = {window.kind: window for window in look.office.procedure.monitoring}
    for window, (_, _, day, unit, _), done in asked_for(look.office, connection, look.agency, look.today, last_day(look.month)):
        if done is None and (unit.id in look.units if unit else look.site is None):
            groups.setdefault((window.kind, unit.id if unit else None, day < look.today), []).append(day)
    for (kind, key, overdue), days in groups.items():
        code, weight, window = "monitoring-overdue" if overdue else "monitoring-due", _OVERDUE[overdue], windows[kind]
        found = replace(finding(code, weight, title=window.title.en, count=len(days)), due=_iso(min(days)), who=look.said(window.who, key))
        yield replace(found, site=look.units[key].site, unit=look.units[key].name) if key is not None else found
    yield from _undated(look)


def _undated(look: Look) -> Iterator[Finding]:
    """Children whose windows cannot be counted."""
    begins, ends = first_day(look.month), last_day(look.month)
    missing = Counter(
        spell.unit
        for child, spells in look.agency.by_child.items()
        if child not in look.agency.stays
        for spell in spells[:1]
        if (spell.ends or ends) >= begins
    )
    for key, count in missing.items():
        if key in look.units:
            yield _at(finding("monitoring-undated", "warning", count=count), look.units[key], who=look.said("ersea", key), due=look.by_end)


