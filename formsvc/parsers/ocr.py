"""Reads the text in pictures of fields, and says how sure it is.

Two engines read what was prepared in two ways. Only where both say the same, both are certain and the
field's kind allows it is a reading `sure`; everything else is a suggestion for a person.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import cache
from typing import Final, Literal

import cv2
import numpy as np

from formsvc.model.kinds import LANGS, Kind, Lang, LongText, Text
from formsvc.parsers.expect import distance, expected_of, fits, same, snap
from formsvc.parsers.ocr_crop import Field, Gray, Strip, drawn, has_writing, is_even, lines, outside, prepare, shaded
from formsvc.parsers.ocr_engines import NOTHING, Line, Tesseract, open_network, open_tesseract
from formsvc.parsers.ocr_gaps import Gaps, gaps, settle

Looks = Literal["typed", "written", "empty"]
Rows = Sequence[tuple[int, int]]
_SPECKLED: Final = 15.0
"""Specks in 10,000 pixels of a fax that was received badly."""
_WEAK: Final = 125.0
"""Ink less dark than this, of 250, is weak."""
_FEW_LINES: Final = 4
_LEFT_OUT: Final = 60
"""Pixels of a stroke outside of what was read, from which on something may be missing: a thin small letter has more."""


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


_EMPTY: Final = Reading(text="", confidence=0.99, sure=True, ink=False, looks="empty")
_UNSEEN: Final = Reading(text="", confidence=0.5, sure=False, ink=True, looks="empty")
"""The paper's grain is so rough that writing would not stand out: a person has to look."""
_GRAINY: Final = 22.0


@dataclass(frozen=True, slots=True, kw_only=True)
class _Read:
    """What the network reads, and the paper between the letters."""

    line: Line
    wide: Gaps = field(default_factory=dict)
    even: bool = True
    """Whether every line stands as type does."""

    @property
    def text(self) -> str:
        return self.line.text


class TextReader:
    """Reads fields of forms in one language. Not for several threads at once."""

    def __init__(self, lang: Lang) -> None:
        """Load the engines; one that is not installed is left out, and then nothing is sure."""
        cv2.setNumThreads(1)
        self._lang: Lang = lang
        self._network = open_network()
        _tesseract(lang)

    def read(self, crop: Gray, blank: Gray, kind: Kind, expected: Sequence[str] = ()) -> Reading:
        """What stands in a field: its picture at 300 dpi with about 2 points around, the same crop of the blank page, what may stand there."""
        place = prepare(np.ascontiguousarray(crop), np.ascontiguousarray(blank))
        if not has_writing(place) and outside(place, _NO_STRIP) < _LEFT_OUT:
            return _EMPTY if place.noise < _GRAINY else _UNSEEN
        rows = lines(place) if isinstance(kind, LongText) else [(0, place.ink.shape[0])]
        second = self._by_shades(place, rows)
        tried = []
        for first in self._by_pieces(place, rows, second.text):
            tried.append(first)
            if same(first.text, second.text):
                break
        return _judged(place, tried, second, kind, expected)

    def compared(self, crop: Gray, blank: Gray, kind: Kind, is_meant: Callable[[str], bool]) -> str:
        """What the picture shows, when it is already known what it should: the first engine's reading that is meant, else the last one's.

        Most readings end after Tesseract, which takes a fifth of the time of both.
        """
        place = prepare(np.ascontiguousarray(crop), np.ascontiguousarray(blank))
        if not has_writing(place):
            return ""
        rows = lines(place) if isinstance(kind, LongText) else [(0, place.ink.shape[0])]
        said = ""
        for line in self._by_pieces(place, rows, ""):
            said = line.text or said
            if is_meant(line.text) or len(rows) > _FEW_LINES:  # a long note takes a second each time
                return line.text
        return self._by_shades(place, rows).text or said

    def _by_pieces(self, place: Field, rows: Rows, other: str) -> Iterator[Line]:
        """What Tesseract reads in the field, which finds several lines by itself: as it is, then smoothed, then with the words of the other language."""
        strip, block = drawn(place), len(rows) > 1
        foreign: Lang = next(lang for lang in LANGS if lang != self._lang)
        first: Lang = "es" if not other.isascii() else self._lang  # only that one knows all accents
        for lang, clean in ((first, _as_it_is), (first, _smooth), (foreign if first == self._lang else self._lang, _as_it_is)):
            if engine := _tesseract(lang):
                yield engine.read(clean(strip.picture), block=block)

    def _by_shades(self, place: Field, rows: Rows) -> _Read:
        """What the network reads, line by line."""
        if self._network is None:
            return _Read(line=NOTHING)
        found: list[Line] = []
        wide: dict[int, float] = {}
        even = True
        for part in rows:
            strip = shaded(place, part)
            line = self._network.read(strip.picture)
            before = sum(len("".join(other.text.split())) for other in found)
            ink = _shown(place, strip)
            wide |= {before + number: gap for number, gap in gaps(line.text, line.places, ink).items()}
            even = even and is_even(ink, len("".join(line.text.split())))
            found.append(line)
        text = "\n".join(line.text for line in found if line.text)
        return _Read(line=Line(text=text, mean=float(np.mean([line.mean for line in found])), least=min(line.least for line in found), rival=max(line.rival for line in found)), wide=wide, even=even)


_NO_STRIP: Final = Strip(picture=np.zeros((1, 1), np.uint8), rows=(0, 0), columns=(0, 0))


def _shown(place: Field, strip: Strip) -> np.ndarray[tuple[int, ...], np.dtype[np.bool_]]:
    return place.ink[strip.rows[0] : strip.rows[1], strip.columns[0] : strip.columns[1]]


def _as_it_is(picture: Gray) -> Gray:
    return picture


def _smooth(picture: Gray) -> Gray:
    return cv2.GaussianBlur(picture, (0, 0), 1.3).astype(np.uint8)


def _judged(place: Field, tried: Sequence[Line], second: _Read, kind: Kind, expected: Sequence[str]) -> Reading:
    first = tried[-1] if tried else NOTHING
    agree = bool(first.text) and same(first.text, second.text)
    text, spaced = settle(second.text, first.text if agree else None, second.wide)
    text = text or first.text
    known = snap(kind, [line.text for line in (*tried[:1], second.line) if line.text], expected_of(kind, expected))
    is_spaced = spaced or known is not None or not isinstance(kind, Text | LongText)
    settled = (agree and is_spaced) or (known is not None and first.text != "")
    text = known if known is not None else text
    looks: Looks = "typed" if second.even and any(_is_near(line.text, second.text) for line in tried) else "written"
    is_known = agree and known is not None
    clear = is_known or (looks == "typed" and _is_clear(place, first, second.line, len(tried)))
    sure = has_writing(place) and settled and clear and fits(kind, text) and outside(place, drawn(place)) <= _LEFT_OUT
    others = tuple(dict.fromkeys(line.text for line in (*tried, second.line) if line.text and line.text != text))
    return Reading(text=text, confidence=_confidence(second.line, sure=sure, settled=settled), sure=sure, alternatives=others, ink=True, looks=looks)


def _is_clear(place: Field, first: Line, second: Line, tries: int) -> bool:
    """Whether paper and engines leave no doubt. Measured: where both misread the same (a faded accent, a comma for a full stop), the network nearly took the right letter."""
    if place.specks > _SPECKLED:
        limit = 0.01
    elif place.strength < _WEAK:
        limit = 0.06
    else:
        limit = 0.25 if tries == 1 else 0.1
    return second.rival <= limit and first.mean >= 0.3 and second.mean >= 0.95  # noqa: PLR2004


def _confidence(second: Line, *, sure: bool, settled: bool) -> float:
    if sure:
        return 0.997
    return round((0.9 if settled else 0.75) * second.mean, 3)


def _is_near(first: str, second: str) -> bool:
    return distance(first, second) <= max(len(first), len(second)) // 4


@cache
def _tesseract(lang: Lang) -> Tesseract | None:
    return open_tesseract(lang)
