"""The usual spellings of names, initials and dates, to find them inside a password."""

import re
import unicodedata
from collections.abc import Iterator
from datetime import date
from itertools import product
from typing import Final

_MONTHS: Final = (
    ["january", "february", "march", "april", "may", "june", "july", "august", "september", "october", "november", "december"],
    ["enero", "febrero", "marzo", "abril", "mayo", "junio", "julio", "agosto", "septiembre", "octubre", "noviembre", "diciembre"],
)
_SEPARATORS: Final = re.compile(r"[^a-z0-9]")
_LEET: Final = (str.maketrans("013457@$!8", "oleastasib"), str.maketrans("0134579@$!|6", "oieastgasiig"))
_LONG_NAME: Final = 5
"""Names from this length on are found inside other words too; shorter ones only as words of their own."""
_SHORT_NAME: Final = 3
_INITIALS: Final = 4
_NUMBER: Final = 6
_LAST_DIGITS: Final = 7


def folded(text: str) -> str:
    """Without case and accents."""
    decomposed = unicodedata.normalize("NFKD", text.casefold())
    return "".join(letter for letter in decomposed if not unicodedata.combining(letter))


def compact(text: str) -> str:
    """Letters and digits only."""
    return _SEPARATORS.sub("", folded(text))


def unleeted(text: str) -> tuple[str, ...]:
    """Letters only, with digits and signs read as the letters they imitate."""
    return tuple(re.sub(r"[^a-z]", "", folded(text).translate(table)) for table in _LEET)


def found_in(password: str, personal: tuple[str, ...]) -> str | None:
    """What of these facts stands in the password, in words that repeat nothing; `None` if nothing does."""
    days = tuple(day for fact in personal if (day := _day(fact)))
    names = tuple(fact for fact in personal if not _day(fact) and not re.search(r"\d", fact))
    numbers = tuple(fact for fact in personal if not _day(fact) and re.search(r"\d", fact))
    if any(_has_name(password, name) for name in names):
        return "a name"
    if any(spelling in compact(password) for day in days for spelling in _spelt_days(day)):
        return "a date"
    if any(spelling in compact(password) for name in names for day in days for spelling in _initials_with_year(name, day)):
        return "initials with a year"
    if any(spelling in compact(password) for number in numbers for spelling in _spelt_numbers(number)):
        return "a number"
    return None


def _day(fact: str) -> date | None:
    try:
        return date.fromisoformat(fact.strip()[:10])
    except ValueError:
        return None


def _has_name(password: str, name: str) -> bool:
    parts = re.findall(r"[a-z]+", folded(name))
    spellings = (folded(password), *(folded(password).translate(table) for table in _LEET))
    long = {part for part in (*parts, "".join(parts), "".join(reversed(parts))) if len(part) >= _LONG_NAME}
    if any(part in re.sub(r"[^a-z]", "", spelling) for part in long for spelling in spellings):
        return True
    short = {part for part in parts if _SHORT_NAME <= len(part) < _LONG_NAME}
    return any(re.search(rf"(?<![a-z]){part}(?![a-z])", spelling) for part in short for spelling in spellings)


def _spelt_days(day: date) -> Iterator[str]:
    """20110304, 04032011, 3411 …, 4march2011: every order, with and without zeros, short and long year."""
    years = (f"{day:%Y}", f"{day:%y}")
    days = (f"{day:%d}", str(day.day))
    for year, month, number in product(years, (f"{day:%m}", str(day.month)), days):
        for spelling in (year + month + number, number + month + year, month + number + year):
            if len(spelling) >= _NUMBER:
                yield spelling
    for months, number in product(_MONTHS, days):
        for month in (months[day.month - 1], months[day.month - 1][:3]):
            yield from (number + month, month + number)
            yield from (order for year in years for order in (month + year, year + month))


def _initials_with_year(name: str, day: date) -> Iterator[str]:
    parts = re.findall(r"[a-z]+", folded(name))
    initials = {"".join(part[0] for part in parts), "".join(part[0] for part in parts[:2]), "".join(part[0] for part in parts[:1] + parts[-1:])}
    if len(parts) == 1 and len(parts[0]) <= _INITIALS:
        initials.add(parts[0])
    for letters in (found for found in initials if len(found) > 1):
        for year in (f"{day:%Y}", f"{day:%y}"):
            yield from (letters + year, year + letters)


def _spelt_numbers(number: str) -> Iterator[str]:
    digits = re.sub(r"\D", "", number)
    if len(digits) >= _NUMBER:
        yield from (digits, digits[-_LAST_DIGITS:])
    elif len(compact(number)) >= _NUMBER:
        yield compact(number)
