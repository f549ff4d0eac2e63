"""The document id that a page prints in words, for pages whose codes cannot be read: the corner marks say where it stands and which page it is.

A code is sealed, words are not: anybody may have printed them. So whoever uses them asks a person whether the paper counts.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final

import cv2
import numpy as np
from numpy.typing import NDArray

from formsvc.model.paper import MARK_PAGES, PAPER_SIZES, WORDS_FROM_RIGHT, WORDS_FROM_TOP, mark_boxes
from formsvc.model.stamp import from_words
from formsvc.parsers.frame import SCALE, Points, corners
from formsvc.parsers.markers import find_markers
from formsvc.parsers.ocr import tesseract
from formsvc.parsers.ocr_crop import lines as lines_of
from formsvc.parsers.ocr_crop import prepare, shaded
from formsvc.parsers.ocr_engines import open_network
from formsvc.parsers.raster import POINTS, Gray, open_pages

_DPI: Final = 240.0
_READ_DPI: Final = 300.0
_ID: Final = re.compile(r"([0-9A-Z]{5})\s?[-–—]\s?([0-9A-Z]{5})\s?[-–—]\s?([0-9A-Z*~$=])")
_FEW: Final = 2
_OFF: Final = 0.012
"""The share of a picture's side that marks may be off: photos are no flat pages."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Words:
    """What a page says of itself without its codes."""

    document: str
    page: int


def find_words(content: bytes, password: str | None, page: int) -> Words | None:
    """The document id on a page of a file (from 1), and which page of it that is; None if too few marks are seen or no id is read. For the sandbox."""
    with open_pages(content, password) as pages:
        picture = pages.positive(page, _DPI)
    for number, matrix in _pages(picture):
        for text in _readings(_words_of(picture, matrix)):
            for match in _ID.finditer(text.upper()):
                if document := from_words("".join(match.groups())):
                    return Words(document=document, page=number)
    return None


def ready() -> None:
    """Load the engines here, so that a process that is forked has them."""
    tesseract("en")
    open_network()


def _readings(crop: Gray) -> Iterator[str]:
    """What the engines make of the words, until one reading fits its check character: a 9 may be read as O."""
    smooth = cv2.GaussianBlur(crop, (0, 0), 1.2).astype(np.uint8)
    if (engine := tesseract("en")) is not None:
        yield from (engine.read(shown, block=True).text for shown in (crop, smooth))
    if (network := open_network()) is not None:
        lines = prepare(crop, np.full_like(crop, 255))
        yield from (network.read(shaded(lines, rows).picture).text for rows in lines_of(lines))


def _pages(picture: Gray) -> Iterator[tuple[int, NDArray[np.float64]]]:
    """The pages whose marks are seen: their numbers, and the maps from points (from the upper right corner, y down) to the picture."""
    by_page: dict[int, dict[int, Points]] = {}
    for number, quad in find_markers(picture):
        if number < 4 * MARK_PAGES:
            by_page.setdefault(number // 4 + 1, {})[number] = quad
    for page, marks in by_page.items():
        if len(marks) >= _FEW and (matrix := _map_of(page, marks, max(picture.shape))) is not None:
            yield page, matrix


def _map_of(page: int, marks: dict[int, Points], side: int) -> NDArray[np.float64] | None:
    """The map that fits the marks best, of all sizes that our paper has."""
    best: tuple[float, NDArray[np.float64]] | None = None
    for width, height in PAPER_SIZES:
        boxes = mark_boxes(page, width, height)
        ours = np.concatenate([corners(boxes[number], height) / SCALE for number in marks]) - (width, 0.0)
        theirs = np.concatenate(list(marks.values()))
        found: Any = cv2.findHomography(ours, theirs)[0] if len(marks) > _FEW else cv2.estimateAffine2D(ours, theirs)[0]
        if found is None:
            continue
        matrix = np.vstack([found, (0, 0, 1)]) if found.shape == (2, 3) else found
        off = float(np.abs(cv2.perspectiveTransform(ours[None], matrix)[0] - theirs).max())
        if off < _OFF * side and (best is None or off < best[0]):
            best = (off, np.asarray(matrix, dtype=np.float64))
    return best[1] if best is not None else None


def _words_of(picture: Gray, matrix: NDArray[np.float64]) -> Gray:
    """The place of the words, flat."""
    (far, near), (top, bottom) = WORDS_FROM_RIGHT, WORDS_FROM_TOP
    scale = _READ_DPI / POINTS
    size = (round((far - near) * scale), round((bottom - top) * scale))
    place = np.array([(1 / scale, 0, -far), (0, 1 / scale, top), (0, 0, 1)], dtype=np.float64)
    return cv2.warpPerspective(picture, matrix @ place, size, flags=cv2.INTER_CUBIC | cv2.WARP_INVERSE_MAP, borderMode=cv2.BORDER_CONSTANT, borderValue=(255.0,)).astype(np.uint8)
