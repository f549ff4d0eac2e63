"""The only spelling of values: how each kind is written on paper and read from what people type.

Dates are written in US order in both languages, because the agencies' forms are (domain: US and
ISO style); reading also takes ISO, month names in English and Spanish, and a day-first date when
only one reading is possible.
"""

import re
import unicodedata
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date, time
from decimal import Decimal, InvalidOperation
from typing import Final, assert_never

from formsvc.model.kinds import (
    Choice,
    Choices,
    Day,
    Kind,
    Lang,
    LongText,
    Month,
    Number,
    Option,
    Signature,
    Stamp,
    Text,
    Tick,
    Time,
    find_option,
)
from formsvc.model.record import Value

ON: Final = "on"
MONTHS: Final[Mapping[Lang, tuple[str, ...]]] = {
    "en": ("January", "February", "March", "April", "May", "June", "July", "August", "September", "October", "November", "December"),
    "es": ("enero", "febrero", "marzo", "abril", "mayo", "junio", "julio", "agosto", "septiembre", "octubre", "noviembre", "diciembre"),
}
EXAMPLES: Final[Mapping[type, str]] = {
    Day: "11/05/2026",
    Time: "9:30 AM",
    Month: "November 2026",
    Number: "12",
}
_CENTURY_PIVOT: Final = 80  # 79 is 2079, 80 is 1980: children and staff alike are covered


@dataclass(frozen=True, slots=True)
class Misread:
    """What was written cannot be understood as its kind; `code` is a key of the wording table."""

    code: str


# ---------------------------------------------------------------- written


def write_value(kind: Kind, value: object, lang: Lang) -> str:
    """How a value stands on paper: the label of a choice, `on` for a ticked box."""
    match kind:
        case Text() | LongText() | Signature() | Stamp():
            return str(value)
        case Number():
            return f"{Decimal(str(value)):f}"  # never 1e-05
        case Day():
            year, month, day = str(value).split("-")
            return f"{month}/{day}/{year}"
        case Time():
            return _write_time(str(value), lang)
        case Month():
            return _write_month(str(value), lang)
        case Tick():
            return ON if value else ""
        case Choice() | Choices():
            return next((o.label.said(lang) for o in kind.options if o.code == value), str(value))
    assert_never(kind)


def _write_time(value: str, lang: Lang) -> str:
    hour, minute = (int(part) for part in value.split(":"))
    halves = ("a. m.", "p. m.") if lang == "es" else ("AM", "PM")
    return f"{hour % 12 or 12}:{minute:02d} {halves[hour >= 12]}"  # noqa: PLR2004


def _write_month(value: str, lang: Lang) -> str:
    year, month = value.split("-")
    name = MONTHS[lang][int(month) - 1]
    return f"{name} de {year}" if lang == "es" else f"{name} {year}"


# ---------------------------------------------------------------- read


def read_value(kind: Kind, raw: str) -> Value | Misread | None:
    """The value somebody wrote; None if nothing was written."""
    match kind:
        case Text() | Signature() | Stamp():
            return _not_blank(" ".join(normal_lines(raw).split("\n")))
        case LongText():
            return _not_blank(normal_lines(raw))
        case Number():
            return _read(raw, lambda text: read_number(text, kind), "unreadable-value")
        case Day():
            return _read(raw, read_day, "unreadable-value")
        case Time():
            return _read(raw, read_time, "unreadable-value")
        case Month():
            return _read(raw, read_month, "unreadable-value")
        case Tick():
            return _read(raw, lambda text: text == ON or None, "not-a-tick")
        case Choice() | Choices():
            return _read(raw, lambda text: read_option(text, kind.options), "not-an-option")
    assert_never(kind)


def _read(raw: str, reader: Callable[[str], Value | None], code: str) -> Value | Misread | None:
    text = raw.strip()
    if not text:
        return None
    value = reader(text)
    return Misread(code) if value is None else value


UNSEEN: Final = re.compile(
    "[\\s\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b-\u200f\u202a-\u202e\u2060-\u206f\u2800\u3164"
    "\ufe00-\ufe0f\ufeff\uffa0\ufff0-\ufff8\U0001bca0-\U0001bca3\U0001d173-\U0001d17a\U000e0000-\U000e0fff]+"
)
"""White space and what Unicode calls default-ignorable: no page shows it."""


def _not_blank(text: str) -> str | None:
    """Text that says something; spaces alone are no answer, nor is what nobody can see."""
    return text if text and not UNSEEN.fullmatch(text) else None


def normal_lines(text: str) -> str:
    r"""Text with every line end as \n: writers use \r, \n and \r\n alike."""
    return text.replace("\r\n", "\n").replace("\r", "\n") if "\r" in text else text


def plain(text: str) -> str:
    """Text as people compare it: no case, accents, or doubled spaces."""
    bare = "".join(c for c in unicodedata.normalize("NFKD", text.casefold()) if not unicodedata.combining(c))
    return " ".join(bare.split())


def read_option(text: str, options: tuple[Option, ...]) -> str | None:
    """The code of an option given by code or by label in either language."""
    if exact := find_option(options, text):  # a code counts before a label that happens to be spelled like it
        return exact.code
    wanted = plain(text)
    for option in options:
        if wanted in (plain(option.code), plain(option.label.en), plain(option.label.es)):
            return option.code
    return None


def read_number(text: str, kind: Number) -> int | float | None:
    """A number with at most the kind's decimal places; thousands may be grouped by commas."""
    if not re.fullmatch(r"[+-]?(\d{1,15}|\d{1,3}(,\d{3}){1,4})(\.\d{1,6})?", text, re.ASCII):
        return None
    try:
        number = Decimal(text.replace(",", ""))
    except InvalidOperation:
        return None
    if number == number.to_integral_value():
        return int(number)
    exponent = number.normalize().as_tuple().exponent
    places = -exponent if isinstance(exponent, int) else 0
    return float(number) if places <= kind.decimals else None


_MONTH_NUMBERS: Final = {
    spelling: number
    for names in MONTHS.values()
    for number, name in enumerate(names, start=1)
    for spelling in (plain(name), plain(name)[:3])
} | {"sept": 9, "set": 9, "setiembre": 9}


def _year(text: str) -> int:
    year = int(text)
    if len(text) > 2:  # noqa: PLR2004
        return year
    return year + (1900 if year >= _CENTURY_PIVOT else 2000)


def _day_candidates(text: str) -> Iterator[tuple[int, int, int]]:
    """Year, month, day in the order in which readings are tried."""
    if found := re.fullmatch(r"(\d{4})[-/.](\d{1,2})[-/.](\d{1,2})", text, re.ASCII):
        year, first, second = found.groups()
        yield int(year), int(first), int(second)
    elif found := re.fullmatch(r"(\d{1,2})\s?[-/.]\s?(\d{1,2})\s?[-/.]\s?(\d{4}|\d{2})", text, re.ASCII):
        first, second, year = found.groups()
        yield _year(year), int(first), int(second)
        yield _year(year), int(second), int(first)
    elif found := re.fullmatch(r"([a-z]+)\.? (\d{1,2})(?:st|nd|rd|th)?,? (\d{4})", text, re.ASCII):
        name, day, year = found.groups()
        yield int(year), _MONTH_NUMBERS.get(name, 0), int(day)
    elif found := re.fullmatch(r"(\d{1,2})(?:st|nd|rd|th)?[ -](?:of |de )?([a-z]+)\.?,?[ -](?:of |del? )?(\d{4})", text, re.ASCII):
        day, name, year = found.groups()
        yield int(year), _MONTH_NUMBERS.get(name, 0), int(day)


def read_day(text: str) -> str | None:
    """A day as people write it, as YYYY-MM-DD."""
    for year, month, day in _day_candidates(plain(text)):
        try:
            return date(year, month, day).isoformat()
        except ValueError:
            continue
    return None


def read_month(text: str) -> str | None:
    """A month as people write it, as YYYY-MM."""
    words = plain(text)
    if found := re.fullmatch(r"(\d{4})[-/.](\d{1,2})", words, re.ASCII):
        year, month = int(found[1]), int(found[2])
    elif found := re.fullmatch(r"(\d{1,2})[-/.](\d{4}|\d{2})", words, re.ASCII):
        year, month = _year(found[2]), int(found[1])
    elif found := re.fullmatch(r"([a-z]+)\.?,? (?:of |del? )?(\d{4})", words, re.ASCII):
        year, month = int(found[2]), _MONTH_NUMBERS.get(found[1], 0)
    else:
        return None
    return f"{year:04d}-{month:02d}" if 1 <= month <= 12 and year else None  # noqa: PLR2004


_NOONS: Final = {"noon": "12:00", "mediodia": "12:00", "midnight": "00:00", "medianoche": "00:00"}


def read_time(text: str) -> str | None:
    """A time as people write it, as HH:MM."""
    words = plain(text)
    if words in _NOONS:
        return _NOONS[words]
    found = re.fullmatch(r"(\d{1,2})(?:\s?[:.h]\s?(\d{2}))?(?::00)?\s?(?:h|hrs)?\s?(?:([ap])\.?\s?m\.?)?", words, re.ASCII)
    if not found or (found[2] is None and found[3] is None):
        return None
    hour, minute, half = int(found[1]), int(found[2] or 0), found[3]
    if half and not 1 <= hour <= 12:  # noqa: PLR2004
        return None
    if half:
        hour = hour % 12 + (12 if half == "p" else 0)
    try:
        return time(hour, minute).isoformat("minutes")
    except ValueError:
        return None


# ---------------------------------------------------------------- judged


def forbidden_characters(text: str) -> str:
    """The characters that no paper can show: controls (tab and line break excepted), lone surrogates."""
    if text.isascii() and text.isprintable():
        return ""
    bad = {c for c in text if unicodedata.category(c) in ("Cc", "Cs") and c not in "\n\t"}
    return ", ".join(f"U+{ord(c):04X}" for c in sorted(bad))
