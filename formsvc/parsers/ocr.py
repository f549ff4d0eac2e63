"""Reads the text in pictures of fields, and says how sure it is.

Two engines read what was prepared in two ways; where they do not settle it, the second reads the first's way too.
`ocr_judge` weighs what they say.
"""

import unicodedata
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from functools import cache
from typing import Final

import cv2
import numpy as np

from formsvc.model.kinds import LANGS, Kind, Lang, LongText
from formsvc.parsers.expect import same
from formsvc.parsers.ink import Mask
from formsvc.parsers.ocr_crop import Field, Strip, drawn, has_writing, is_even, is_whole, lines, outside, prepare, shaded
from formsvc.parsers.ocr_engines import NOTHING, Line, Tesseract, open_network, open_tesseract
from formsvc.parsers.ocr_gaps import gaps
from formsvc.parsers.ocr_judge import LEFT_OUT, WEAK, Reading, Said, has_other_signs, judged
from formsvc.parsers.ocr_mend import mended
from formsvc.parsers.raster import Gray

__all__ = ["Reading", "TextReader", "tesseract"]

Rows = Sequence[tuple[int, int]]
_FEW_LINES: Final = 4
_EMPTY: Final = Reading(text="", confidence=0.99, sure=True, ink=False, looks="empty")
_UNSEEN: Final = Reading(text="", confidence=0.5, sure=False, ink=True, looks="empty")
"""The paper's grain is so rough that writing would not stand out: a person has to look."""
_GRAINY: Final = 22.0
_STRONG: Final = 0.6
"""The share of its strength from which on weak ink counts when letters are told apart: what is blurred runs together."""


class TextReader:
    """Reads fields of forms in one language. Not for several threads at once."""

    def __init__(self, lang: Lang) -> None:
        """Load the engines; one that is not installed is left out, and then nothing is sure."""
        cv2.setNumThreads(1)
        self._lang: Lang = lang
        self._network = open_network()
        tesseract(lang)

    def read(self, crop: Gray, blank: Gray, kind: Kind, expected: Sequence[str] = ()) -> Reading:
        """What stands in a field: its picture at 300 dpi with about 2 points around, the same crop of the blank page, what may stand there.

        Where that leaves a doubt, a blurred or stained picture is mended and looked at once more.
        """
        found = self._looked_at(crop, blank, kind, expected)
        if found.sure or found.looks == "empty" or (better := mended(crop)) is None:
            return found
        again = self._looked_at(better.picture, blank, kind, expected, strict=better.strict)
        if again.sure and again.ink and not any(has_other_signs(text, again.text) for text in (found.text, *found.alternatives)):
            return again
        return replace(found, alternatives=tuple(text for text in dict.fromkeys((*found.alternatives, again.text)) if text not in ("", found.text)))

    def _looked_at(self, crop: Gray, blank: Gray, kind: Kind, expected: Sequence[str], *, strict: float = 1.0) -> Reading:
        place = prepare(np.ascontiguousarray(crop), np.ascontiguousarray(blank))
        if not has_writing(place) and outside(place, _NO_STRIP, LEFT_OUT) < LEFT_OUT:
            return _EMPTY if place.noise < _GRAINY else _UNSEEN
        rows = lines(place) if isinstance(kind, LongText) else [(0, place.ink.shape[0])]
        second = self._by_network(place, rows, shaded)
        tried = []
        for first in self._by_pieces(place, rows, second.text):
            tried.append(first)
            if same(first.text, second.text):
                break
        found = judged(place, tried, second, None, kind, expected, strict=strict)
        if not found.sure:
            found = judged(place, tried, second, self._by_network(place, rows, drawn), kind, expected, strict=strict)
        return found if is_whole(place, rows) else replace(found, sure=False, confidence=min(found.confidence, 0.9))

    @staticmethod
    def knows(text: str) -> bool:
        """Whether all letters of a text are of the script that the engines here were made for: Latin."""
        return all(unicodedata.name(letter, "").startswith("LATIN ") for letter in unicodedata.normalize("NFKC", text) if unicodedata.category(letter)[0] in "LM")

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
        return self._by_network(place, rows, shaded).text or said

    def _by_pieces(self, place: Field, rows: Rows, other: str) -> Iterator[Line]:
        """What Tesseract reads in the field, which finds several lines by itself: as it is, then smoothed, then with the words of the other language."""
        strip, block = drawn(place), len(rows) > 1
        foreign: Lang = next(lang for lang in LANGS if lang != self._lang)
        first: Lang = "es" if not other.isascii() else self._lang  # only that one knows all accents
        for lang, clean in ((first, _as_it_is), (first, _smooth), (foreign if first == self._lang else self._lang, _as_it_is)):
            if engine := tesseract(lang):
                yield engine.read(clean(strip.picture), block=block)

    def _by_network(self, place: Field, rows: Rows, way: Callable[[Field, tuple[int, int] | None], Strip]) -> Said:
        """What the network reads, line by line, of strips that were made one way or the other."""
        if self._network is None:
            return Said(line=NOTHING)
        found: list[Line] = []
        wide: dict[int, float] = {}
        even = True
        for part in rows:
            strip = way(place, part if len(rows) > 1 or way is shaded else None)
            line = self._network.read(strip.picture)
            before = sum(len("".join(other.text.split())) for other in found)
            wide |= {before + number: gap for number, gap in gaps(line.text, line.places, _within(place.ink, strip)).items()}
            even = even and _is_even(place, strip, len("".join(line.text.split())))
            found.append(line)
        text = "\n".join(line.text for line in found if line.text)
        return Said(line=Line(text=text, mean=float(np.mean([line.mean for line in found])), least=min(line.least for line in found), rival=max(line.rival for line in found)), wide=wide, even=even)


_NO_STRIP: Final = Strip(picture=np.zeros((1, 1), np.uint8), rows=(0, 0), columns=(0, 0))


def _within(mask: Mask, strip: Strip) -> Mask:
    return mask[strip.rows[0] : strip.rows[1], strip.columns[0] : strip.columns[1]]


def _is_even(place: Field, strip: Strip, letters: int) -> bool:
    return is_even(_within(place.ink, strip), letters) or (place.strength < WEAK and is_even(_within(place.ink & (place.dark > _STRONG * place.strength), strip), letters))


def _as_it_is(picture: Gray) -> Gray:
    return picture


def _smooth(picture: Gray) -> Gray:
    return cv2.GaussianBlur(picture, (0, 0), 1.3).astype(np.uint8)


@cache
def tesseract(lang: Lang) -> Tesseract | None:
    """Tesseract for a language of the forms, loaded once; None where its data are not installed."""
    return open_tesseract(lang)
