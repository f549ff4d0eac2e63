"""Brings a roster file into the store: read in the sandbox, compared, shown, applied whole or not at all."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import date
from pathlib import Path
from typing import Final

from sqlalchemy import Connection

from formsvc.casework.roster import RosterPlan, plan_changes
from formsvc.errors import Refused
from formsvc.files import read_file
from formsvc.model.roster import RosterLine, StaffMember
from formsvc.office.office import Office
from formsvc.office.sheets import settle_sheet
from formsvc.parsers.roster import OnRow, RosterFile, read_lines
from formsvc.parsers.sandbox import Limits, run_limited
from formsvc.parsers.tables import Table, read_tables
from formsvc.store.papers import read_sheets
from formsvc.store.roster import RosterWriter, read_roster

_LIMITS: Final = Limits(memory_bytes=1024 * 1024 * 1024, cpu_seconds=60, wall_seconds=120.0)  # 20,000 children in a spreadsheet take a few seconds


@dataclass(frozen=True, slots=True, kw_only=True)
class Import:
    """A roster file beside what the store held on a day."""

    file: RosterFile
    plan: RosterPlan
    on: date
    missing_left: date | None


def read_import(office: Office, file: Path, *, mapping: Mapping[str, str] | None = None, on: date, missing_left: date | None = None, on_row: OnRow | None = None) -> Import:
    """What a file would change; nothing is changed yet.

    Refuses to let missing children leave while lines could not be read: one of those may be theirs.
    """
    content = read_file(file, office.service.settings.most_megabytes)
    try:
        tables = limited_tables(content)
    except Refused as refused:
        raise refused.at(str(file)) from None
    return compare(office, read_lines(tables, str(file), mapping, on_row, today=on), str(file), on=on, missing_left=missing_left)


def limited_tables(content: bytes) -> tuple[Table, ...]:
    """The tables in a stranger's file, read in the sandbox."""
    return tuple(run_limited(read_tables, content, limits=_LIMITS))


def compare(office: Office, found: RosterFile, name: str, *, on: date, missing_left: date | None = None) -> Import:
    """What the lines of a file would change in what the store holds; refuses like `read_import`."""
    if missing_left is not None and found.problems:
        raise Refused("roster-not-whole", name, count=len(found.problems))
    with office.store.reading() as connection:
        return Import(file=found, plan=_planned(connection, found, on, missing_left), on=on, missing_left=missing_left)


def _planned(connection: Connection, found: RosterFile, on: date, missing_left: date | None) -> RosterPlan:
    lines = with_unit_staff(line for _, line in found.lines)
    return plan_changes(read_roster(connection), lines, on=on, missing_left=missing_left, told=found.told, unread=found.unread)


def with_unit_staff(lines: Iterable[RosterLine]) -> tuple[RosterLine, ...]:
    """The lines with all staff of their unit: a family worker who is named with some children belongs to the unit."""
    kept = tuple(lines)
    staff: dict[tuple[str, str], dict[StaffMember, None]] = {}
    for line in kept:
        staff.setdefault((line.site, line.unit), {}).update(dict.fromkeys(line.staff))
    return tuple(replace(line, staff=tuple(staff[line.site, line.unit])) for line in kept)


def apply_import(office: Office, found: Import, on_change: Callable[[int], None] = lambda _: None) -> int:
    """Write the changes in one transaction; how many there were. Refuses if they are not those any more that were shown."""
    changes = [change for change in found.plan.changes if change.kind != "missing"]
    with office.store.writing() as connection:
        if _planned(connection, found.file, found.on, found.missing_left) != found.plan:
            raise Refused("roster-plan-changed", "")
        writer = RosterWriter(connection)
        for done, change in enumerate(changes, start=1):
            if change.before is not None and change.after is not None and change.kind in ("left", "corrected"):
                writer.correct(change.before, change.after)
            elif change.after is not None:
                if change.kind == "moved" and change.before is not None:
                    writer.end(change.before, change.ended)
                writer.enrol(change.after)
            on_change(done)
        touched = {writer.units[line.site, line.unit].id for change in changes for line in (change.before, change.after) if line is not None}
        for sheet in read_sheets(connection, unit_id=tuple(touched)):
            if sheet.revision:  # who is where may answer a question, or ask one
                settle_sheet(office, connection, sheet.id, "roster")
        office.store.log(connection, "imported", "roster", changes=dict(found.plan.counts()), left_out=len(found.file.problems))
    return len(changes)
