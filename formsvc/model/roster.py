"""Who is enrolled where: one line per child, as rosters list them and as the store keeps it."""

from dataclasses import dataclass
from datetime import date, timedelta
from typing import Final, Literal

ProgramOption = Literal["center", "home", "early", "fcch"]
"""Class, home-base educator, Early Head Start class, family child care homes of one specialist."""
BREAK: Final = timedelta(days=21)
"""Leaving one unit and being in another so soon after, weekends and holidays between, is a move."""
PROGRAM_OPTIONS: Final[tuple[ProgramOption, ...]] = ("center", "home", "early", "fcch")


@dataclass(frozen=True, slots=True, kw_only=True, order=True)
class StaffMember:
    """Somebody who belongs to a unit; `role` is a code of the forms' attendance list."""

    role: str
    name: str


@dataclass(frozen=True, slots=True, kw_only=True)
class RosterLine:
    """One child's enrolment as a roster tells it. Site, unit and `child_id` identify it."""

    child_id: str
    child_name: str
    site: str
    unit: str
    """A class, a home-base educator, or a specialist."""
    option: ProgramOption = "center"
    home: str = ""
    """The family child care home or its provider, within a specialist's unit."""
    birth_date: date | None = None
    enrolled_on: date | None = None
    left_on: date | None = None
    """The last day; empty while the child is enrolled."""
    left_reason: str = ""
    family_id: str = ""
    """Children of one family are siblings."""
    home_language: str = ""
    interpreter: bool = False
    iep_ifsp: bool = False
    unit_start: date | None = None
    """The first day of class of the unit (rule R2 counts from it)."""
    staff: tuple[StaffMember, ...] = ()
