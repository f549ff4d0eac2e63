"""Breaks text into lines that fit a box, shrinking to a legible minimum before cutting.

Widths are in 1/1000 of the type size, so that one measurement serves every size.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Final, NamedTuple, Protocol

from formsvc.renderers.fonts import simple_font

LARGEST: Final = 8.5  # points
SMALLEST: Final = 6.0  # points: the least that prints and scans legibly
_STEP: Final = 0.5
PADDING: Final = 1.8  # points between a box and its text
_WORDS_KEPT: Final = 50_000

Unit = tuple[str, int, int]
"""A piece between two places where a line may break: text, width without its last spaces, width."""


class Line(NamedTuple):
    """A line of a text, by offsets; `right_to_left` is its paragraph's direction."""

    start: int
    end: int
    right_to_left: bool = False


class Measure(Protocol):
    """How wide text is in some fonts."""

    leading: float
    """Distance of lines as a multiple of the type size."""

    def units(self, paragraph: str) -> list[Unit]:
        """The paragraph in pieces between which a line may break."""

    def pieces(self, word: str) -> Iterable[tuple[str, int]]:
        """The smallest pieces of a word that is wider than a whole line, with their widths."""

    def is_right_to_left(self, paragraph: str) -> bool:
        """Whether the paragraph starts at the right."""


class _WordWidths(dict[str, int]):
    """The width of words in the simple font, remembered."""

    def __missing__(self, word: str) -> int:
        if len(self) > _WORDS_KEPT:
            self.clear()
        width = self[word] = sum(map(simple_font().widths.__getitem__, word.encode("cp1252")))
        return width


class SimpleMeasure:
    """Text in the simple font: one byte a character, broken at spaces."""

    leading = 1.16

    def __init__(self) -> None:
        """Start with no word known."""
        self._widths = _WordWidths()
        self._space = simple_font().widths[32]

    def units(self, paragraph: str) -> list[Unit]:
        """Words with the space after them."""
        widths, space = self._widths, self._space
        words = paragraph.split(" ")
        last = words.pop()
        units = [(word + " ", width := widths[word], width + space) for word in words]
        units.append((last, widths[last], widths[last]))
        return units

    def pieces(self, word: str) -> Iterator[tuple[str, int]]:
        """Characters."""
        return ((character, self._widths[character]) for character in word)

    def is_right_to_left(self, paragraph: str) -> bool:  # noqa: ARG002
        """Never: the simple font has no such letters."""
        return False

    def width(self, text: str) -> int:
        """The width of a whole line."""
        return self._widths[text]


SIMPLE: Final = SimpleMeasure()


def is_simple(text: str) -> bool:
    """Whether the simple font draws every character of the text."""
    return (text.isascii() and text.replace("\n", "").isprintable()) or simple_font().characters.issuperset(text.replace("\n", ""))


@dataclass(frozen=True, slots=True)
class Fitted:
    """Text laid into a box: its lines, their size, and what did not fit."""

    text: str
    lines: tuple[Line, ...]
    size: float
    leading: float
    rest: str = ""

    def shown(self) -> Iterator[tuple[str, bool]]:
        """Each line as it is drawn, and whether it reads from the right."""
        return ((self.text[line.start : line.end].rstrip(" "), line.right_to_left) for line in self.lines)


def wrap(text: str, measure: Measure, limit: float) -> list[Line]:
    """The lines of a text, none wider than the limit."""
    lines: list[Line] = []
    position = 0
    for paragraph in text.split("\n"):
        rtl = measure.is_right_to_left(paragraph)
        start = end = position
        width = 0
        for unit, bare, full in measure.units(paragraph):
            if width + bare > limit and end > start:
                lines.append(Line(start, end, rtl))
                start, width = end, 0
            if bare > limit:
                start, width = _break_word(unit, measure, limit, end, lines, rtl=rtl)
                end += len(unit)
                continue
            end += len(unit)
            width += full
        lines.append(Line(start, end, rtl))
        position = end + 1
    return lines


def _break_word(word: str, measure: Measure, limit: float, start: int, lines: list[Line], *, rtl: bool) -> tuple[int, int]:
    """Full lines of a word that is wider than a line; returns where the last piece starts, and its width."""
    width, end = 0, start
    for piece, advance in measure.pieces(word):
        if width + advance > limit and end > start and piece != " ":
            lines.append(Line(start, end, rtl))
            start, width = end, 0
        end += len(piece)
        width += advance
    return start, width


def fit_line(text: str, measure: Measure, width: float, mark: float) -> Fitted:
    """One line: shrunk to fit, cut at a word only below the legible minimum (leaving `mark` points)."""
    shown = text.replace("\n", " ")
    units = measure.units(shown)
    needed = sum(full for _, _, full in units[:-1]) + units[-1][1] if units else 0
    room = width - 2 * PADDING
    size = min(LARGEST, room * 1000 / needed) if needed else LARGEST
    if size >= SMALLEST:
        return Fitted(shown, (Line(0, len(shown), measure.is_right_to_left(shown)),), size, measure.leading)
    first = wrap(shown, measure, max(room - mark, 1) * 1000 / SMALLEST)[0]
    return Fitted(shown, (first,), SMALLEST, measure.leading, text[first.end :].lstrip(" \n"))


def fit_box(text: str, measure: Measure, width: float, height: float) -> Fitted:
    """Paragraphs: shrunk step by step; below the legible minimum the last line is left for the mark."""
    room, tall = width - 2 * PADDING, height - 2 * PADDING
    size = LARGEST
    while True:
        lines = wrap(text, measure, room * 1000 / size)
        capacity = max(int((tall + 0.2 * size) / (size * measure.leading)), 1)
        if len(lines) <= capacity:
            return Fitted(text, tuple(lines), size, measure.leading)
        if size <= SMALLEST:
            break
        # Text of n lines at this size needs about n x (size ratio) lines at a smaller one: skip what cannot do.
        size = max(SMALLEST, min(size - _STEP, _hopeful(size, capacity, len(lines))))
    kept = lines[: max(capacity - 1, 0)]
    end = kept[-1].end if kept else 0
    return Fitted(text, tuple(kept), size, measure.leading, text[end:].lstrip(" \n"))


def _hopeful(size: float, capacity: int, lines: int) -> float:
    """The largest stepped size at which so many lines could fit, by area."""
    ideal = size * (capacity / lines) ** 0.5 + _STEP
    return _STEP * int(ideal / _STEP)
