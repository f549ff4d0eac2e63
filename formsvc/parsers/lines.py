"""Letters at their places become the text that was typed: lines, words, and wraps undone."""

import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import Final

import bidi
import numpy as np
from numpy.typing import NDArray

from formsvc.model.paper import CONTINUED, CONTINUED_SHORT, pattern_of

_GAP: Final = 0.09
"""Wider than this share of a letter's height is a space: letters that advance normally leave none."""
_SAME_LINE: Final = 0.55
_EDGE: Final = 2.0
"""Points that writers keep free at the sides of a box."""
_MARK: Final = re.compile(rf"\s*{pattern_of(*CONTINUED.values(), CONTINUED_SHORT)}\s*$")
_MANY_IN_ONE: Final = "\uffff"
"""Pictures behind it are put together to one (a family out of three people): the same may stand twice in one place."""
_BACKWARDS: Final = ("R", "AL")
"""Bidirectional classes of letters that are read from right to left."""
_SHY: Final = "\u00ad"
_LIGATURES: Final = {"\ufb00": "ff", "\ufb01": "fi", "\ufb02": "fl", "\ufb03": "ffi", "\ufb04": "ffl", "\ufb05": "st", "\ufb06": "st"}


@dataclass(frozen=True, slots=True)
class Line:
    """A line of text: where it begins and ends, in points of the layout."""

    text: str
    """From left to right, whatever way it is read."""
    left: float
    right: float
    middle: float
    height: float


def lines_of(texts: Sequence[str], boxes: NDArray[np.float64]) -> list[Line]:
    """Lines out of letters in the order they are printed; `boxes` are left, top, right, bottom with y down."""
    found: list[list[int]] = []
    for number in range(len(texts)):
        middle, height = (boxes[number, 1] + boxes[number, 3]) / 2, boxes[number, 3] - boxes[number, 1]
        home = next((line for line in reversed(found) if abs(_middle(boxes, line[-1]) - middle) < _SAME_LINE * max(height, 1e-6) * 0.9), None)
        if home is None:
            found.append([number])
        elif texts[number] > _MANY_IN_ONE or not any(texts[other] == texts[number] and abs(boxes[other] - boxes[number]).max() < 0.3 * (boxes[number, 2] - boxes[number, 0]) for other in home[-3:]):  # drawn twice to look bold
            home.append(number)
    whole = [_line(texts, boxes, line) for line in found]
    return sorted(whole, key=lambda line: line.middle)


def _middle(boxes: NDArray[np.float64], number: int) -> float:
    return float(boxes[number, 1] + boxes[number, 3]) / 2


def _line(texts: Sequence[str], boxes: NDArray[np.float64], line: list[int]) -> Line:
    line = sorted(line, key=lambda number: float(boxes[number, 0] + boxes[number, 2]))
    parts = [texts[line[0]]]
    for before, here in pairwise(line):
        gap = boxes[here, 0] - boxes[before, 2]
        height = min(boxes[here, 3] - boxes[here, 1], boxes[before, 3] - boxes[before, 1])
        parts.append(" " if gap > _GAP * height else "")
        parts.append(texts[here])
    text = "".join(_LIGATURES.get(part, part) for part in parts)
    own = boxes[line]
    return Line(text, float(own[:, 0].min()), float(own[:, 2].max()), float((own[:, 1] + own[:, 3]).mean() / 2), float((own[:, 3] - own[:, 1]).mean()))


def cut_mark(text: str) -> tuple[str, int]:
    """A text without the mark that it goes on elsewhere, and the page that the mark names (0: there is none)."""
    mark = _MARK.search(text)
    return (text[: mark.start()], int(next(filter(None, mark.groups())))) if mark else (text, 0)


def joined(lines: Sequence[Line], left: float, right: float) -> str:
    """The text that was typed into a box from `left` to `right`: a line that had room for the next word was ended by hand."""
    if not lines:
        return ""
    lines = [replace(line, text=_as_read(line, left, right)) for line in lines]
    text = lines[0].text
    for before, here in pairwise(lines):
        text = _join(text, before, here, right - _EDGE - max(before.left - left, _EDGE) + left)
    return text


def _as_read(line: Line, left: float, right: float) -> str:
    """A line in the order it is read: what was drawn from right to left is turned back (UAX #9, whose order is its own inverse).

    Of a line in both directions, the first letter that tells decides, where only one way to read it agrees
    with that; else the side at which it begins.
    """
    if not any(unicodedata.bidirectional(character) in _BACKWARDS for character in line.text):
        return line.text
    ways: dict[str, str] = {way: bidi.get_display(line.text, base_dir=way) for way in "LR"}
    agreeing = [way for way, text in ways.items() if ("R" if _first_strong(text) in _BACKWARDS else "L") == way]
    if len(agreeing) == 1:
        return ways[agreeing[0]]
    return ways["R" if line.left - left > right - line.right else "L"]


def _first_strong(text: str) -> str:
    return next((direction for direction in map(unicodedata.bidirectional, text) if direction in ("L", *_BACKWARDS)), "L")


def _join(text: str, before: Line, here: Line, most: float) -> str:
    if text.endswith(_SHY):
        return text[:-1] + here.text
    width = (here.right - here.left) / max(len(here.text), 1)
    word = here.text.split(" ", 1)[0]
    room = most - before.right
    if room > (len(word) + 1.5) * width:
        return f"{text}\n{here.text}"
    if " " not in before.text.strip() and room < 1.2 * width:  # one word, longer than its box
        return text + here.text
    if re.search(r"\w[-/–—]$", text):  # a line may end behind these
        return text + here.text
    return f"{text} {here.text}"
