"""The text that a page of a PDF prints, letter by letter with places; for prints whose fields are gone.

PDFium's loose boxes (as wide as the letter advances) are used: tight ones split words where letters are narrow.
"""

import ctypes
from dataclasses import dataclass
from typing import Final

import numpy as np
import pypdfium2
from numpy.typing import NDArray
from pypdfium2 import raw

from formsvc.errors import Refused

_NO_BREAK: Final = 0xA0  # some producers write every space so
_MOST: Final = 200_000
_LATIN_ENDS, _ON_LINE = 0x0250, 2.0  # points from the line that a letter is written on
_FINE: Final = 16  # device units to a pixel: PDFium tells whole ones


@dataclass(frozen=True, slots=True, eq=False)
class Letters:
    """The letters of a page in the order they are printed: texts, and boxes ([n, 4] pixels of the rendered page: left, top, right, bottom)."""

    texts: tuple[str, ...]
    boxes: NDArray[np.float64]
    doubtful: NDArray[np.bool_]
    """Letters whose font does not say what they are."""


def letters(page: pypdfium2.PdfPage, shape: tuple[int, ...]) -> Letters:
    """The letters of a page, placed on its picture of this shape."""
    height, width = shape[:2]
    text = page.get_textpage()
    count = text.count_chars()
    if count > _MOST:
        raise Refused("too-costly", "", resource=f"letters on a page ({count})")
    texts: list[str] = []
    boxes, doubtful = [], []
    box = raw.FS_RECTF()
    codes = [raw.FPDFText_GetUnicode(text, number) for number in range(count)]
    is_plain = not any(_is_shaped(code) for code in codes)  # on other pages signs and digits stand among letters that stand for a drawing
    for number, code in enumerate(codes):
        if code <= 32 or code == _NO_BREAK or raw.FPDFText_IsGenerated(text, number) == 1 or not raw.FPDFText_GetLooseCharBox(text, number, box):  # noqa: PLR2004
            continue
        if texts and _is_half(code) and _is_half(ord(texts[-1][0])) and (whole := _whole(texts[-1], chr(code))):
            texts[-1] = whole
            continue
        texts.append(chr(code))
        boxes.append((box.left, box.bottom, box.right, box.top) if is_plain and code < _LATIN_ENDS else _mended(text, number, box))
        doubtful.append(code in (0xFFFE, 0xFFFF, 0xFFFD) or raw.FPDFText_HasUnicodeMapError(text, number) == 1)
    alone = [number for number, letter in enumerate(texts) if _is_half(ord(letter[0]))]
    for number in alone:
        texts[number], doubtful[number] = "\N{REPLACEMENT CHARACTER}", True
    placed = _placed(page, np.array(boxes, dtype=np.float64).reshape(-1, 4), width, height)
    return Letters(tuple(texts), placed, np.array(doubtful, dtype=bool))


def _is_shaped(code: int) -> bool:
    """Whether a letter is of a script or picture that we draw as a whole; our pages print dashes and ticks themselves."""
    return 0x0300 <= code < 0x2000 or code >= 0x2E80  # noqa: PLR2004


def _is_half(code: int) -> bool:
    return 0xD800 <= code <= 0xDFFF  # noqa: PLR2004  (a surrogate)


def _whole(one: str, other: str) -> str:
    """The letter that two halves make, in whatever order: PDFium turns them round where it is written from right to left."""
    low, high = sorted((one, other), reverse=True)  # the second half has the larger number
    return (high + low).encode("utf-16-le", "surrogatepass").decode("utf-16-le", "ignore")


def _mended(text: pypdfium2.PdfTextPage, number: int, box: raw.FS_RECTF) -> tuple[float, float, float, float]:
    """The box of a letter on the page: PDFium tells letters that stand for others (/ActualText) where they are within their drawing."""
    x, y, run = ctypes.c_double(), ctypes.c_double(), raw.FS_MATRIX()
    told = (box.left, box.bottom, box.right, box.top)
    if not raw.FPDFText_GetCharOrigin(text, number, x, y) or not raw.FPDFText_GetMatrix(text, number, run):
        return told
    across, up, length = x.value - run.e, y.value - run.f, float(np.hypot(run.a, run.b)) or 1.0
    if abs(across * run.b - up * run.a) / length < _ON_LINE:
        return told
    corners = [((left - x.value), (low - y.value)) for left, low in ((box.left, box.bottom), (box.right, box.top))]
    (left, low), (right, top) = ((run.e + one * run.a + other * run.c, run.f + one * run.b + other * run.d) for one, other in corners)
    return min(left, right), min(low, top), max(left, right), max(low, top)


def _placed(page: pypdfium2.PdfPage, boxes: NDArray[np.float64], width: int, height: int) -> NDArray[np.float64]:
    """Boxes in the page's own space (which may be turned and cut) on its picture."""
    here = np.array([_device(page, x, y, width, height) for x, y in ((0.0, 0.0), (1000.0, 0.0), (0.0, 1000.0))])
    across, down = (here[1] - here[0]) / 1000, (here[2] - here[0]) / 1000
    one, other = (here[0] + boxes[:, :1] * across + boxes[:, 1:2] * down), (here[0] + boxes[:, 2:3] * across + boxes[:, 3:4] * down)
    return np.concatenate([np.minimum(one, other), np.maximum(one, other)], axis=1)


def _device(page: pypdfium2.PdfPage, x: float, y: float, width: int, height: int) -> tuple[float, float]:
    across, down = ctypes.c_int(), ctypes.c_int()
    raw.FPDF_PageToDevice(page, 0, 0, width * _FINE, height * _FINE, 0, x, y, across, down)
    return across.value / _FINE, down.value / _FINE
