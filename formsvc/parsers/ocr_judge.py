"""Weighs what the engines read: what stands in a field, and whether that needs a person.

A reading is sure only where engines that were shown differently prepared pictures say the same, both are certain and
the field's kind allows it; everything else is a suggestion for a person.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from difflib import SequenceMatcher
from typing import Final, Literal, NamedTuple

from formsvc.model.kinds import Kind, LongText, Text
from formsvc.parsers.expect import alike, distance, expected_of, fits, same, snap
from formsvc.parsers.ocr_crop import Field, drawn, has_writing, outside
from formsvc.parsers.ocr_engines import NOTHING, Line
from formsvc.parsers.ocr_gaps import Gaps, settle
from formsvc.parsers.ocr_paper import SPECKLED

Looks = Literal["typed", "written", "empty"]
WEAK: Final = 125.0
"""Ink less dark than this, of 250, is weak."""
LEFT_OUT: Final = 60
"""Pixels of a stroke outside of what was read, from which on something may be missing: a thin small letter has more."""
_LETTERS_OFF: Final = 12
"""In so many letters the network may read one otherwise when it is shown another picture, and still be believed where Tesseract confirms it."""

_COPIED: Final = 3.0
"""Paper without any grain (of 250) is a fax or a copy of a copy (measured: scans 3.6 and more in 99 of 100 fields, faxes 0, copies 2.4): what was lost there left no doubt behind."""
_FEW_WORDS: Final = 4
_FRACTION: Final = re.compile(r"(?<![\d/.,:-])(\d{2,6})/(\d{1,6})(?![\d/])")
_SIGNS: Final = str.maketrans("", "", ".,:;'\"-")


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """What stands in a field.

    `confidence` is the probability that `text` is exactly what stands there (white space apart). `sure` means
    that it needs no person: both engines agree, the kind allows it. `ink` is whether anything is written at all.
    """

    text: str
    confidence: float
    sure: bool
    alternatives: tuple[str, ...] = ()
    ink: bool
    looks: Looks


@dataclass(frozen=True, slots=True, kw_only=True)
class Said:
    """What the network reads, and the paper between the letters."""

    line: Line
    wide: Gaps = field(default_factory=dict)
    even: bool = True
    """Whether every line stands as type does."""

    @property
    def text(self) -> str:
        """Its text."""
        return self.line.text


class _Vote(NamedTuple):
    """Whose reading counts: Tesseract's line, the network's, and how far they agree."""

    first: Line
    lead: Said
    agreed: Literal["fully", "otherwise prepared", "but for look-alikes", "word by word", "not"]


def judged(place: Field, tried: Sequence[Line], second: Said, third: Said | None, kind: Kind, expected: Sequence[str], *, strict: float = 1.0) -> Reading:
    """What stands in a field: `tried` is what Tesseract read, `second` what the network read, `third` what it read of Tesseract's picture (None: not asked).

    `strict` is how likely any letter may be another one at most; for a picture that was mended less is allowed than for one as it came.
    """
    vote = _vote(tried, second, third)
    agree = vote.agreed != "not"
    others = [line.text for line in tried if line.text] + [other.text for other in (second, third) if other is not None and other is not vote.lead]
    text, spaced = settle(vote.lead.text, others, vote.lead.wide)
    text = text or vote.first.text
    known = snap(kind, [line.text for line in (*tried[:1], second.line) if line.text], expected_of(kind, expected))
    is_spaced = spaced or known is not None or not isinstance(kind, Text | LongText)
    settled = (agree and is_spaced) or (known is not None and vote.first.text != "")
    text = known if known is not None else text
    looks: Looks = "typed" if second.even and any(_is_near(line.text, second.text) for line in tried) else "written"
    clear = (vote.agreed == "fully" and known is not None) or (looks == "typed" and _is_clear(place, vote, tried, second, third, strict=strict) and not any(has_other_signs(line.text, text) for line in tried))
    sure = has_writing(place) and settled and not _hides_a_space(text) and clear and fits(kind, text) and outside(place, drawn(place), LEFT_OUT) <= LEFT_OUT
    alternatives = tuple(dict.fromkeys(said for said in (*others, vote.lead.text) if said and said != text))
    return Reading(text=text, confidence=_confidence(second.line, sure=sure, settled=settled), sure=sure, alternatives=alternatives, ink=True, looks=looks)


def _vote(tried: Sequence[Line], second: Said, third: Said | None) -> _Vote:
    for line in tried:
        if line.text and same(line.text, second.text):
            return _Vote(line, second, "fully")
    last = tried[-1] if tried else NOTHING
    if third is None:
        return _Vote(last, second, "not")
    for line in tried:
        if line.text and same(line.text, third.text) and _off(second.text, third.text) <= max(1, len(third.text) // _LETTERS_OFF):
            return _Vote(line, third, "otherwise prepared")
    for line in tried:
        if line.text and same(second.text, third.text) and alike(line.text, second.text):
            return _Vote(line, second, "but for look-alikes")
    for lead in (second, third):
        if _off(second.text, third.text) <= len(third.text) // _LETTERS_OFF and _has_each_word(tried, lead.text):
            return _Vote(max(tried, key=lambda line: line.mean), lead, "word by word")
    return _Vote(last, second, "not")


def _has_each_word(tried: Sequence[Line], text: str) -> bool:
    """Whether Tesseract read each word of a text in one of its tries, and nothing between them in one of them."""
    words = text.split()
    lengths = [abs(len("".join(line.text.split())) - len("".join(words))) for line in tried]
    found: set[int] = set()
    for line in tried:
        for block in SequenceMatcher(None, words, line.text.split(), autojunk=False).get_matching_blocks():
            found |= set(range(block.a, block.a + block.size))
    return len(words) >= _FEW_WORDS and len(found) == len(words) and min(lengths) <= 1


def _is_clear(place: Field, vote: _Vote, tried: Sequence[Line], second: Said, third: Said | None, *, strict: float) -> bool:
    """Whether paper and engines leave no doubt. Measured: where both misread the same (a faded accent, a comma for a full stop), the network nearly took the right letter."""
    is_copy = place.noise < _COPIED
    if is_copy and not (third is not None and vote.agreed == "fully" and any(line.text.split() == second.text.split() == third.text.split() for line in tried)):
        return False  # it takes all three, in all letters and spaces
    is_good = place.specks <= SPECKLED and place.strength >= WEAK
    rivals = [one.line.rival for one in (second, third) if one is not None]
    means = [one.line.mean for one in (second, third) if one is not None]
    match vote.agreed:
        case "otherwise prepared" | "word by word":
            return is_good and vote.lead.line.rival <= 0.02 and vote.lead.line.mean >= 0.97 and vote.first.mean >= 0.5  # noqa: PLR2004
        case "but for look-alikes":
            return is_good and max(rivals) <= 0.01 and min(means) >= 0.95  # noqa: PLR2004
    if place.specks > SPECKLED:
        limit = 0.01
    elif place.strength < WEAK or is_copy:
        limit = 0.06
    else:
        limit = 0.25 if len(tried) == 1 else 0.1
    limit = min(limit, strict)
    if third is not None and same(second.text, third.text) and place.specks <= SPECKLED:
        return max(rivals) <= limit and vote.first.mean >= 0.2 and min(means) >= 0.8  # noqa: PLR2004
    return second.line.rival <= limit and vote.first.mean >= 0.3 and second.line.mean >= 0.95  # noqa: PLR2004


def _confidence(second: Line, *, sure: bool, settled: bool) -> float:
    if sure:
        return 0.997
    return round((0.9 if settled else 0.75) * second.mean, 3)


def _hides_a_space(text: str) -> bool:
    """Whether a number and a fraction may have run together ("6 11/12"): both engines lose that space where toner is weak."""
    return any(int(above) > int(below) for above, below in _FRACTION.findall(text))


def has_other_signs(first: str, second: str) -> bool:
    """Whether two readings differ in full stops and commas only: streaks and folds hide them."""
    one, other = "".join(first.split()), "".join(second.split())
    return one != other and one.translate(_SIGNS) == other.translate(_SIGNS)


def _off(first: str, second: str) -> int:
    """The letters that two readings differ in; how they are spaced does not count."""
    return distance("".join(first.split()), "".join(second.split()))


def _is_near(first: str, second: str) -> bool:
    return _off(first, second) <= max(len(first), len(second)) // 4
