"""Takes the family's names, birth dates and telephone numbers out of what was typed freely (R23).

A full name goes wherever it stands, in any case and with or without accents. A single part of a name
goes where it is written as a name; it stays where it is plainly something else: the month of a date
(“May 5”, “since May”), a question (“May we …?”), a place (“Green Street”).
"""

import re
import unicodedata
from collections.abc import Iterator
from datetime import date
from functools import lru_cache
from typing import Final

from formsvc.casework.case import Case, initials_of
from formsvc.casework.consent import FAMILY
from formsvc.model.kinds import LANGS
from formsvc.model.values import MONTHS

_LEAST: Final = 2  # letters that a part of a name has
_GONE: Final = "…"
_MARKS: Final = "[\u0300-\u036f]*"
_MONTHS: Final = frozenset(name.casefold() for lang in LANGS for month in MONTHS[lang] for name in (month, month[:3]))
_MONTH_WORDS: Final = "|".join(sorted(_MONTHS, key=len, reverse=True))
_DAY: Final = r"\d{1,2}(?:st|nd|rd|th)?"
_BEFORE_MONTHS: Final = ("de", "in", "en", "since", "desde", "until", "hasta", "during", "early", "late", "mid", "next", "last")
_AS_MONTH: Final = (
    "".join((r"(?<!\d\s)(?<!\d(?:st|nd|rd|th)\s)", *(rf"(?<!\b(?i:{word})[\s-])" for word in _BEFORE_MONTHS))),
    rf"(?!\s+{_DAY}(?!\w|\s*(?:years?|months?|años?|meses))|,?\s+\d{{4}}(?!\d)|\s+(?:and|y|to|a)\s+(?i:{_MONTH_WORDS})\b)",
)
"""What stands before and after a month that is a month."""
_ASKING: Final = r"(?!\s+(?i:I|we|you|he|she|it|they|this|that|there|the|a|an|our|your|his|her)\b)"
_ASKED: Final = frozenset({"hope", "may", "will", "can", "do", "an", "so", "my", "mark", "see", "let"})
_PLACES: Final = (
    "Street", "St", "Avenue", "Ave", "Road", "Rd", "Lane", "Ln", "Drive", "Dr", "Boulevard", "Blvd", "Court", "Way", "Square", "Park", "Bridge", "Creek", "Valley", "Elementary",
    "Middle", "High", "School", "Preschool", "Academy", "College", "University", "Library", "Hospital", "Clinic", "Center", "Centre", "Church", "Hall", "County", "Building", "Pharmacy",
)  # fmt: skip
_PLACED: Final = rf"(?!\s+(?:{'|'.join(_PLACES)})\b)"
_BEFORE_PLACES: Final = r"(?<!\bCalle\s)(?<!\bAvenida\s)(?<!\bEscuela\s)(?<!\bHospital\s)(?<!\bParque\s)(?<!\bSt\.\s)(?<!\bFort\s)(?<!\bMount\s)"

_UNSPACED: Final = re.compile(r"[\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u2e80-\u9fff\uac00-\ud7af\uf900-\ufaff]")

_SEPARATED: Final = r"[\s./\u2010-\u2015-]{1,3}"
_NUMERIC_DATE: Final = rf"\d{{4}}{_SEPARATED}\d{{1,2}}{_SEPARATED}\d{{1,2}}|\d{{1,2}}{_SEPARATED}\d{{1,2}}{_SEPARATED}(?:\d{{4}}|\d{{2}})"
_WRITTEN_DATE: Final = rf"(?:{_MONTH_WORDS})\.?\s+{_DAY},?\s+\d{{4}}|{_DAY}(?:\s+(?:of|de))?\s+(?:{_MONTH_WORDS})\.?,?(?:\s+(?:del?|of))?\s+\d{{4}}"
_ANY_DATE: Final = re.compile(rf"(?<!\d)(?:{_NUMERIC_DATE}|{_WRITTEN_DATE})(?!\d)", re.IGNORECASE)
_BORN: Final = re.compile(rf"(\b(?:born|birthday|birth\s?date|date of birth|d\.?o\.?b\.?|naci(?:ó|do|da|miento)|fecha de nacimiento|cumpleaños)\b[^\n;]{{0,20}}?)(?<!\d)(?:{_NUMERIC_DATE}|{_WRITTEN_DATE})(?!\d)", re.IGNORECASE)
_NUMBER: Final = re.compile(
    r"(?<![\w$€.,/:-])(?:"
    r"(?:\+|00)\s?\d[\d\s().\u2010-\u2015-]{6,16}\d"  # with the country
    r"|(?:1[\s.-]?)?\(?\d{3}\)?[\s./\u2010-\u2015-]{0,2}\d{3}[\s.\u2010-\u2015-]?\d{4}"  # (303) 555-0142
    r"|\d{3}[\s.\u2010-\u2015-]?\d{4}|\d{2}\s\d{4}\s\d{4}|\d{3}\s\d{3}\s\d{3}|0\d{2,4}[\s/-]\d{5,8}"
    r")(?![\w$€%]|[.,/:-]\d)",
)
"""Telephone numbers as they are usually typed; no date and no sum of money looks like one."""
_DIGITS: Final = 10  # of a number without its country
_MAIL: Final = re.compile(r"[\w.+'-]+@[\w-]+(?:\.[\w-]+)+")


def initialled(text: str, case: Case) -> str:
    """Free text with the family's names as initials, without their birth dates and mail addresses."""
    text = _named(text, _names(_family(case), case.client.known_as))
    if case.client.birth_date:
        text = _birth(case.client.birth_date).sub(_GONE, text)
    own = {member.email.casefold() for member in case.team if member.audience in FAMILY} - {""}
    text = _MAIL.sub(lambda found: _GONE if found[0].casefold() in own else found[0], text)
    return _BORN.sub(rf"\g<1>{_GONE}", text)


def masked(text: str, case: Case) -> str:
    """The same, and without telephone numbers: only the conference line's and the coordinator's stay."""
    text = initialled(text, case)
    ours = re.sub(r"\D", "", f"{case.coordinator.phone} {case.conference.line}")
    return _NUMBER.sub(lambda found: found[0] if re.sub(r"\D", "", found[0])[-_DIGITS:] in ours else _GONE, text)


# ---------------------------------------------------------------- names


def _family(case: Case) -> tuple[tuple[str, str], ...]:
    """Every name of the family with its initials; the client's are the ones that were given."""
    others = (case.guardian, *(member.name for member in case.team if member.audience in FAMILY))
    return ((case.client.name, case.client.initials), *((name, initials_of(name)) for name in others if name and name != case.client.name))


@lru_cache(maxsize=64)
def _names(family: tuple[tuple[str, str], ...], known_as: tuple[str, ...]) -> tuple[tuple[re.Pattern[str], str], ...]:
    """What to look for and what stands in its place: whole names first, then parts, the longest first."""
    whole = [*family, *((name, initials_of(name)) for name in known_as if " " in name)]
    parts = sorted({part for name in (*(name for name, _ in family), *known_as) for part in _parts(name)}, key=len, reverse=True)
    return (
        *((re.compile(_bounded(_spelled(name), name), re.IGNORECASE), initials) for name, initials in whole if name.casefold() not in _MONTHS | _ASKED),
        *((_part(part), f"{part[0].upper()}.") for part in parts),
    )


def _named(text: str, names: tuple[tuple[re.Pattern[str], str], ...]) -> str:
    """The text with initials; it is searched with its accents beside its letters, and otherwise kept as it is."""
    spread, found = unicodedata.normalize("NFD", text), 0
    for pattern, initials in names:
        spread, count = pattern.subn(initials, spread)
        found += count
    return unicodedata.normalize("NFC", spread) if found else text


def _parts(name: str) -> Iterator[str]:
    """The parts of a name that are written as names, those within hyphens too; not “and”, “de la”."""
    written = name.title() if name.islower() or name.isupper() else name
    for word in re.split(r"[\s,&]+", unicodedata.normalize("NFC", written)):
        for part in {word, *re.split(r"[-\u2010\u2011'’]", word)}:
            letters = re.sub(r"[^\w]", "", part)
            if len(letters) >= _LEAST and not part[0].islower() and part[0].isalpha() and len(part) == len(part.strip(".")):
                yield part


def _part(part: str) -> re.Pattern[str]:
    """A part as a name is written, or in capitals, where it is nothing else."""
    word = part.casefold()
    before, after = _AS_MONTH if word in _MONTHS else ("", "")
    asked = _ASKING if word in _ASKED else ""
    spelled = f"(?:{_spelled(part)}|{_spelled(part.upper())})"
    return re.compile(f"{before}{_BEFORE_PLACES}{_bounded(spelled, part)}{after}{asked}{_PLACED}")


def _bounded(pattern: str, name: str) -> str:
    """A pattern as a word of its own; scripts that write without blanks have no such bounds."""
    return ("" if _UNSPACED.match(name[0]) else r"(?<!\w)") + pattern + ("" if _UNSPACED.match(name[-1]) else r"(?!\w)")


def _spelled(name: str) -> str:
    """A name with any blanks between its words, and its letters with or without accents."""
    blanks = r"\s*" if _UNSPACED.match(name[0]) else r"\s+"
    return blanks.join("".join(_letter(letter) for letter in word) for word in unicodedata.normalize("NFC", name).split())


def _letter(letter: str) -> str:
    plain = re.sub(_MARKS, "", unicodedata.normalize("NFD", letter))
    return f"{re.escape(plain)}{_MARKS}" if letter.isalpha() else re.escape(letter)


# ---------------------------------------------------------------- dates


@lru_cache(maxsize=64)
def _birth(day: str) -> re.Pattern[str]:
    """A birth date however it is written: 2016-03-09, 3/9/16, 9.3.2016, 20160309, March 9th, 2016, 9 de marzo de 2016."""
    value = date.fromisoformat(day)
    number, month, year = f"0?{value.day}", f"0?{value.month}", f"(?:{value.year}|{value.year % 100:02})"
    words = "|".join({name for lang in LANGS for name in (MONTHS[lang][value.month - 1], MONTHS[lang][value.month - 1][:3])})
    numeric = [_SEPARATED.join(order) for order in ((str(value.year), month, number), (month, number, year), (number, month, year))]
    compact = [f"{value:%Y%m%d}", f"{value:%m%d%Y}", f"{value:%d%m%Y}"]
    written = [rf"(?:{words})\.?\s+{number}(?:st|nd|rd|th)?,?\s+{year}", rf"{number}(?:st|nd|rd|th)?(?:\s+(?:of|de))?\s+(?:{words})\.?,?(?:\s+(?:del?|of))?\s+{year}"]
    return re.compile(rf"(?<!\d)(?:{'|'.join((*numeric, *compact, *written))})(?!\d)", re.IGNORECASE)
