"""Looks at the letters of a text layer one by one, whether each has the shape of what it is said to be.

The shapes are those of the fonts that forms are filled in with (ours, and the three that every viewer has), drawn by the
same renderer. A letter that is nearest to a shape of its own is as it says. Everything else, a font nobody knows as well
as a letter that lies, is for OCR, which takes twenty times as long.
"""

import ctypes
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from math import log
from typing import Any, Final

import cv2
import numpy as np
import pypdfium2
from numpy.typing import NDArray
from pypdfium2 import raw

from formsvc.parsers.frame import SCALE
from formsvc.parsers.printed import letters
from formsvc.parsers.raster import Gray
from formsvc.settings import REGULAR

LOOKALIKES: Final = str.maketrans({"l": "I", "1": "I", "|": "I", "i": "I", "ı": "I", "0": "O", "o": "O", "5": "S", "s": "S", "’": "'", "‘": "'", "`": "'", "“": '"', "”": '"', "–": "-", "—": "-", "‑": "-", ",": ".", ";": ":", "z": "Z", "c": "C", "v": "V", "w": "W", "x": "X", "u": "U", "p": "P", "k": "K", "‚": ".", "·": ".", "º": "°", "¯": "-", "_": "-"})  # fmt: skip
"""Letters that nobody tells apart in print without the words around them."""
_ALONE: Final = str.maketrans({"f": "("})
"""Nor these without their neighbours: the hook of an f reaches out of its box."""
_TEXT: Final = "".join(character for character in map(chr, range(33, 127)) if character not in "[]{}\\^~`|") + "áéíóúüñÁÉÍÓÚÜÑ¿¡àèçâêôäöÄÖÇß–—‘’“”…°€½¼¾"
"""What people write; what they hardly ever do would only be mistaken for the thin letters, and is left to OCR."""
_STANDARD: Final = (b"Helvetica", b"Times-Roman", b"Courier")
_SIZES: Final = (7.5, 9.0, 11.0)
_ACROSS, _STEP, _EDGE = 36, 16.0, 14.0  # letters in a row; points
_SIDE: Final = 16
_INKED: Final = 96  # darkness of a pixel that belongs to a letter
_LIKE: Final = 0.45
"""A letter that is less like its nearest shape than this is not known."""
_BUILDS: Final = np.array([0.5, 1.0, 2.0], dtype=np.float32)
"""What a letter loses that is wider (to its height), higher or higher up (to its line) than a shape: per e-fold and per line, squared."""
_CUTS: Final = ((0, 0, 0, 0), (1, 0, -1, 0), (1, 0, 1, 0), (-1, 0, -1, 0))
"""Pixels by which the edges of a box are moved where the letter was not known: its neighbours may reach in."""
_ONE_IN: Final = 40


@dataclass(frozen=True, slots=True, eq=False)
class Shapes:
    """Letters as they look: unit vectors of their pictures, and [n, 3] of log width to height, log height and middle in the line."""

    classes: NDArray[np.int32]
    """What each is, with lookalikes taken together: a code point."""
    pictures: NDArray[np.float32]
    builds: NDArray[np.float32]
    factor: NDArray[np.float32]
    """The second factor of `_likes`."""


def known_shapes() -> Shapes:
    """The shapes of all letters of the fonts that forms are filled in with. For the sandbox: 0.2 s."""
    document = pypdfium2.PdfDocument.new()
    rows = -(-len(_TEXT) * (1 + len(_STANDARD)) * len(_SIZES) // _ACROSS)
    page = document.new_page(2 * _EDGE + _ACROSS * _STEP, 2 * _EDGE + rows * _STEP)
    program = REGULAR.read_bytes()
    held = (ctypes.c_uint8 * len(program)).from_buffer_copy(program)
    fonts = [raw.FPDFText_LoadFont(document, held, len(program), raw.FPDF_FONT_TRUETYPE, 1), *(raw.FPDFText_LoadStandardFont(document, name) for name in _STANDARD)]
    places = ((size, font, letter) for size in _SIZES for font in fonts for letter in _TEXT)
    for number, (size, font, letter) in enumerate(places):
        item = raw.FPDFPageObj_CreateTextObj(document, font, size)
        said = (letter + "\0").encode("utf-16-le")
        raw.FPDFText_SetText(item, (ctypes.c_ushort * (len(said) // 2)).from_buffer_copy(said))
        raw.FPDFPageObj_Transform(item, 1, 0, 0, 1, _EDGE + number % _ACROSS * _STEP, page.get_height() - _EDGE - number // _ACROSS * _STEP)
        raw.FPDFPage_InsertObject(page, item)
    raw.FPDFPage_GenerateContent(page)
    drawn: Any = page.render(scale=SCALE, grayscale=True).to_numpy()
    picture = np.ascontiguousarray(drawn[..., 0] if drawn.ndim == 3 else drawn)  # noqa: PLR2004
    found = letters(page, picture.shape)
    said_again = _TEXT * (len(fonts) * len(_SIZES))
    return _shapes(picture, said_again, found.boxes) if len(found.texts) == len(said_again) else _shapes(picture, "", found.boxes[:0])


def are_as_said(page: Gray, said: Sequence[str], boxes: Sequence[NDArray[np.float64]], known: Shapes) -> list[bool]:
    """Of each text whether its letters look most like what they are said to be, but for one in forty.

    `page` at 200 dpi; `boxes` ([n, 4] its pixels) as wide as letters advance. All texts of a page at once are quicker than one by one.
    """
    whole = "".join(said)
    if not whole or not len(known.classes):
        return [not text for text in said]
    places = np.concatenate(boxes)
    ends = np.cumsum([len(text) for text in said])
    lines = np.zeros((len(whole), 3), np.float32)
    wrong = np.arange(len(whole))
    for number, cut in enumerate(_CUTS):
        ours = _shapes(page, "".join(whole[one] for one in wrong), places[wrong] + cut)
        if number == 0:
            lines = _lines(ours, known, ends)
        wrong = wrong[~_right(ours, known, lines[wrong])]
    counts = np.diff(np.searchsorted(wrong, ends), prepend=0)
    return [int(count) <= len(text) // _ONE_IN for count, text in zip(counts, said, strict=True)]


def _right(ours: Shapes, known: Shapes, lines: NDArray[np.float32]) -> NDArray[np.bool_]:
    likes = _likes(ours, known, lines)
    best = likes.argmax(axis=1)
    found: NDArray[np.bool_] = (known.classes[best] == ours.classes) & (likes[np.arange(len(best)), best] > _LIKE)
    return found


def _lines(ours: Shapes, known: Shapes, ends: NDArray[np.integer]) -> NDArray[np.float32]:
    """[n, 3]: how much higher letters are, and further down, in their lines than ours, by text: a producer may tell another height of the font."""
    own = ours.classes[:, None] == known.classes[None]
    near = np.where(own, _likes(ours, known, np.zeros((len(own), 3), np.float32)), -9).argmax(axis=1)
    off = ours.builds - known.builds[near]
    off[:, 0] = 0
    found: NDArray[np.float32] = np.zeros(off.shape, np.float32)
    for begin, end in pairwise((0, *ends)):
        if end > begin:
            found[begin:end] = np.median(off[begin:end], axis=0)
    return found


def _likes(ours: Shapes, known: Shapes, lines: NDArray[np.float32]) -> NDArray[np.float32]:
    """[n, m]: how alike each of ours is to each that is known: correlation, less the squares of what differs in build (as one product)."""
    own = (ours.builds - lines) * _BUILDS
    left = np.hstack([ours.pictures, 2 * own, -(own**2).sum(axis=1, keepdims=True), np.ones((len(own), 1), np.float32)])
    found: NDArray[np.float32] = left.astype(np.float32) @ known.factor
    return found


def _shapes(page: Gray, said: str, boxes: NDArray[np.float64]) -> Shapes:
    """The letters as they look in their boxes; one without any ink looks like none."""
    count = len(said)
    classes, seen, built = np.full(count, -1, np.int32), np.zeros((count, _SIDE * _SIDE), np.float32), np.zeros((count, 3), np.float32)
    edges = np.round(boxes).astype(int).clip(0).tolist()
    for number, (letter, (left, top, right, bottom)) in enumerate(zip(said, edges, strict=True)):
        crop = 255 - page[top:bottom, left:right]
        column, row, wide, high = cv2.boundingRect((crop > _INKED).astype(np.uint8)) if crop.size else (0, 0, 0, 0)
        if not high:
            continue
        inked, line = crop[row : row + high, column : column + wide], bottom - top
        seen[number] = cv2.resize(inked, (_SIDE, _SIDE), interpolation=cv2.INTER_AREA if min(high, wide) >= _SIDE else cv2.INTER_LINEAR).ravel()
        built[number] = log(wide / high), log(high / line), (2 * row + high) / 2 / line
        classes[number] = ord(letter.translate(LOOKALIKES).translate(_ALONE))
    seen -= seen.mean(axis=1, keepdims=True)
    seen /= np.maximum(np.linalg.norm(seen, axis=1, keepdims=True), 1.0)
    weighed = built * _BUILDS
    factor = np.hstack([seen, weighed, np.ones((len(built), 1), np.float32), -(weighed**2).sum(axis=1, keepdims=True)]).T
    return Shapes(classes, seen, built, np.ascontiguousarray(factor))
