"""Case conferences as they are planned and as they were held; meetings with management (R17)."""

from dataclasses import dataclass
from datetime import date
from typing import Final

from sqlalchemy import Connection, delete, insert, select, update

from formsvc.casework.month_rules import as_day
from formsvc.model.procedure import month_of, year_start
from formsvc.model.record import Values
from formsvc.store.papers import Sheet
from formsvc.store.schema import attendance, conferences

CASE: Final = "case"
MANAGEMENT: Final = "management"


@dataclass(frozen=True, slots=True, kw_only=True)
class Meeting:
    """A conference as it is planned."""

    planned_on: date | None = None
    start_time: str = ""
    end_time: str = ""


def read_meeting(connection: Connection, unit: int, month: str) -> Meeting:
    """The unit's case conference of a month as it is planned."""
    row = connection.execute(select(conferences).where(conferences.c.unit_id == unit, conferences.c.month == month, conferences.c.kind == CASE)).first()
    return Meeting(planned_on=row.planned_on, start_time=row.start_time or "", end_time=row.end_time or "") if row else Meeting()


def last_held(connection: Connection, unit: int, month: str, starts: int) -> tuple[str, date] | None:
    """The unit's last conference before a month in its program year: a skipped month has none."""
    held = select(conferences.c.month, conferences.c.held_on).where(
        conferences.c.unit_id == unit,
        conferences.c.kind == CASE,
        conferences.c.month < month,
        conferences.c.month >= year_start(month, starts),
        conferences.c.held_on.is_not(None),
    )
    row = connection.execute(held.order_by(conferences.c.month.desc()).limit(1)).first()
    return (row.month, row.held_on) if row else None


def plan_conference(connection: Connection, unit: int, meeting: Meeting, kind: str = CASE) -> None:
    """R1: set a unit's conference of a month up in advance; a second one in the month takes the place of the first."""
    if meeting.planned_on is not None:
        key = _conference(connection, unit, month_of(meeting.planned_on), kind)
        times = {"start_time": meeting.start_time or None, "end_time": meeting.end_time or None}
        connection.execute(update(conferences).where(conferences.c.id == key).values(planned_on=meeting.planned_on, **times))


def hold_meeting(connection: Connection, unit: int, held_on: date, kind: str = MANAGEMENT) -> None:
    """Note that a meeting was held (R17: the one with management is a type of its own)."""
    key = _conference(connection, unit, month_of(held_on), kind)
    connection.execute(update(conferences).where(conferences.c.id == key).values(held_on=held_on))


def hold_conference(connection: Connection, sheet: Sheet, values: Values) -> None:
    """Note from a worksheet or family child care form when the conference was held and who was there; empty values take it back."""
    if sheet.form == "case-management" or sheet.part != 1:
        return
    held = as_day(values.get("conference_date"))
    if held is not None and month_of(held) != sheet.month:
        held = None  # R1: a question, see the sheet's problems
    key = _conference(connection, sheet.unit, sheet.month, CASE)
    connection.execute(update(conferences).where(conferences.c.id == key).values(held_on=held))
    connection.execute(delete(attendance).where(attendance.c.conference_id == key, attendance.c.form == sheet.form))
    present = values.get("attendance")
    for number, row in enumerate(present if isinstance(present, list) else ()):
        if isinstance(row, dict) and row:
            facts = {"role": row.get("role", ""), "name": row.get("name", ""), "present": bool(row.get("present")), "signed": bool(row.get("signature"))}
            connection.execute(insert(attendance).values(conference_id=key, form=sheet.form, row=number, **facts))


def _conference(connection: Connection, unit: int, month: str, kind: str) -> int:
    same = (conferences.c.unit_id == unit, conferences.c.month == month, conferences.c.kind == kind)
    key = connection.execute(select(conferences.c.id).where(*same)).scalar()
    if key is None:
        key = connection.execute(insert(conferences).values(unit_id=unit, month=month, kind=kind).returning(conferences.c.id)).scalar_one()
    return int(key)
