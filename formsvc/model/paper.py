"""What stands on every sheet of paper besides its form: codes and corner marks, with their sizes and places in points.

Drawn by the renderers, found again by the parsers.
"""

import re
from collections.abc import Mapping
from typing import Final

from formsvc.model.kinds import Lang
from formsvc.model.record import Box

QR_SIDE: Final = 54.0
"""19 mm."""
MATRIX_SIDE: Final = 36.9
"""13 mm."""
QR_QUIET: Final = 4.5
"""Kept free at the edges of the QR code's place; the rest of the quiet zone is white page."""
MARK_SIDE: Final = 24.1
"""8.5 mm."""
MARK_EDGE: Final = 25.6
"""9 mm from the edge of the page."""
MARK_PAGES: Final = 62
"""250 markers, four to a page."""
WORDS_FROM_RIGHT, WORDS_FROM_TOP = (208.0, 92.5), (48.0, 116.0)
"""Where a page prints its document id in words: left and right edge from the right of the page, upper and lower from its top."""
PAPER_SIZES: Final = ((612.0, 792.0), (792.0, 612.0), (595.28, 841.89), (841.89, 595.28))
ADDED_TOP, ADDED_BOTTOM, ADDED_GAP = 124.0, 70.0, 22.0
"""Added pages: what is kept for head and foot, and between the two columns."""
CONTINUED: Final[Mapping[Lang, str]] = {"en": "continued on page {page}", "es": "continúa en la página {page}"}
CONTINUED_SHORT: Final = "… p. {page}"
FROM_PAGE: Final[Mapping[Lang, str]] = {"en": "(from page {page})", "es": "(de la página {page})"}
PAGE_OF: Final[Mapping[Lang, str]] = {"en": "Page {page} of {pages}", "es": "Página {page} de {pages}"}


def pattern_of(*wordings: str) -> str:
    """A regular expression for wordings as they are printed, spaces or none, each number a group."""
    found = [re.escape(words).replace(r"\ ", r"\s*").replace(r"\{page\}", r"(\d{1,3})").replace(r"\{pages\}", r"(\d{1,3})").replace("…", r"(?:…|\.\.\.)") for words in wordings]
    return f"(?:{'|'.join(found)})"


def qr_box(place: Box) -> Box:
    """The QR code in the place of a page's first stamp."""
    left, bottom = place[2] - QR_QUIET - QR_SIDE, (place[1] + place[3] - QR_SIDE) / 2
    return (left, bottom, left + QR_SIDE, bottom + QR_SIDE)


def matrix_box(place: Box) -> Box:
    """The DataMatrix in the place of a page's second stamp."""
    left, bottom = (place[0] + place[2] - MATRIX_SIDE) / 2, (place[1] + place[3] - MATRIX_SIDE) / 2
    return (left, bottom, left + MATRIX_SIDE, bottom + MATRIX_SIDE)


def mark_boxes(page: int, width: float, height: float) -> dict[int, Box]:
    """The four corner marks of a page (from 1) by their numbers in OpenCV's DICT_4X4_250.

    Numbers tell page and corner: 4 x (page - 1) modulo 248, then top left, top right, bottom right, bottom left.
    """
    far_x, far_y = width - MARK_EDGE - MARK_SIDE, height - MARK_EDGE - MARK_SIDE
    corners = ((MARK_EDGE, far_y), (far_x, far_y), (far_x, MARK_EDGE), (MARK_EDGE, MARK_EDGE))
    first = 4 * ((page - 1) % MARK_PAGES)
    return {first + corner: (x, y, x + MARK_SIDE, y + MARK_SIDE) for corner, (x, y) in enumerate(corners)}
