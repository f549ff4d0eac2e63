"""What the procedures leave to the agency, and calendar months as the procedures count them."""

import calendar
import re
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Final

from formsvc.model.kinds import Lang, Words

SUBJECTS: Final = ("child", "unit", "grantee")


@dataclass(frozen=True, slots=True, kw_only=True)
class Window:
    """Something that is monitored within so many days of enrolment, or every so many months (R20)."""

    kind: str
    subject: str
    who: str
    """The role that does it."""
    title: Words
    days: int = 0
    months: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Procedure:
    """The agency's numbers."""

    program_year_starts: int = 8
    """The month in which a program year begins."""
    first_conference_days: int = 30
    """R2: days of class before a unit's first conference."""
    raise_after_months: int = 3
    """R11: an action carried so many months is raised with the supervisor."""
    monitoring: tuple[Window, ...] = ()


STANDARD: Final = Procedure()


# ---------------------------------------------------------------- months


def is_month(text: str) -> bool:
    """Whether this is a month as we write them: YYYY-MM."""
    return re.fullmatch(r"\d{4}-(0[1-9]|1[0-2])", text, re.ASCII) is not None and not text.startswith("0000")


def month_of(day: date) -> str:
    """The month a day is in."""
    return f"{day.year:04d}-{day.month:02d}"


def first_day(month: str) -> date:
    """The first day of a month."""
    year, number = month.split("-")
    return date(int(year), int(number), 1)


def last_day(month: str) -> date:
    """The last day of a month."""
    first = first_day(month)
    return first.replace(day=calendar.monthrange(first.year, first.month)[1])


def months_between(earlier: str, later: str) -> int:
    """How many months lie from one to the other."""
    return _count(later) - _count(earlier)


def month_after(month: str, count: int = 1) -> str:
    """The month so many months later (earlier where negative)."""
    year, number = divmod(_count(month) + count, 12)
    return f"{year:04d}-{number + 1:02d}"


def _count(month: str) -> int:
    year, number = month.split("-")
    return int(year) * 12 + int(number) - 1


def add_months(day: date, count: int) -> date:
    """The same day so many months later, or the last one of a shorter month: January 31 and one month is February 28."""
    month = month_after(month_of(day), count)
    return min(first_day(month) + timedelta(days=day.day - 1), last_day(month))


def program_year(month: str, starts: int) -> str:
    """The program year a month is in, like 2026-2027."""
    first = first_day(month)
    year = first.year if first.month >= starts else first.year - 1
    return f"{year}-{year + 1}"


def year_start(month: str, starts: int) -> str:
    """The first month of the program year a month is in."""
    return f"{program_year(month, starts)[:4]}-{starts:02d}"


def age_in_words(born: date, on: date, lang: Lang = "en") -> str:
    """An age as the forms print it: 4 y 2 m; in Spanish 4 a 2 m."""
    months = months_between(month_of(born), month_of(on)) - (on.day < born.day)
    return f"{months // 12} {'a' if lang == 'es' else 'y'} {months % 12} m" if months >= 0 else ""
