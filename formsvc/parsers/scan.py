"""Reads a page of a form from a scan or photo: found by codes, marks or print, made flat, then slot by slot.

A page that cannot be read says why, and how to scan it better.
"""

from typing import Final

import cv2
import numpy as np

from formsvc.errors import Refused
from formsvc.model.record import problem
from formsvc.parsers.frame import FRAME_DPI, STEP, framed
from formsvc.parsers.page import Known, PageRead
from formsvc.parsers.raster import POINTS, Gray, Pages, open_pages
from formsvc.parsers.register import Reference, Registered, by_print, closely, roughly
from formsvc.parsers.sight import Seen, Sight
from formsvc.parsers.slots import Slots, Tools, is_written

_SCAN_DPI: Final = 240.0
_FOUND: Final = 0.35
_ERROR: Final = 2.2  # frame pixels
_LEAST_DPI: Final = 85.0
_WEAK: Final = 0.72
"""A page whose print is less like ours than this is too weak to trust its text without a person."""
_DARK: Final = 70
_SHARP: Final = 60.0


def read_scan(pages: Pages, sight: Sight, seen: Seen | None, known: Known, page: int, printed: Reference | None, tools: Tools) -> PageRead:
    """A page of a document out of a picture of it; refuses what cannot be read, saying why."""
    read = PageRead(document=known.document, page=page, file_page=sight.page, source="scan", sealed=seen.read.sealed if seen else True)
    if printed is None:
        return read  # an added page: what continues there is known from what was issued, or is asked about where it begins
    picture = pages.positive(sight.page, _SCAN_DPI)
    dpi = picture.shape[0] / pages.size(sight.page)[1] * POINTS
    found = find(picture, seen, known, page, printed)
    if found is None or found.found < _FOUND or found.error > _ERROR:
        raise Refused(why_not(picture), "", page=sight.page)
    if _dpi_of(found) < _LEAST_DPI:
        raise Refused("picture-small")
    read.error = found.error
    slots = Slots(known, page, picture, found.frame, printed, read, source_dpi=dpi, text_seconds=tools.text_seconds)
    slots.ticks(tools.marks)
    issued = _issued(known, page)
    for _ in slots.signatures(issued):
        pass
    reader = tools.text if found.alike >= _WEAK else None
    for slot in slots.slots:
        if is_written(slot):
            slots.picture_text(slot, issued, reader)
    if found.alike < _WEAK:
        read.problems.append(problem("picture-weak", "", "warning", page=sight.page))
    return read


def _dpi_of(found: Registered) -> float:
    """How fine the picture of the page is, where it is coarsest."""
    steps = np.diff(found.frame.grid[:, ::4], axis=0)
    return float(np.percentile(np.hypot(steps[..., 0], steps[..., 1]), 5)) / STEP * FRAME_DPI


def find(picture: Gray, seen: Seen | None, known: Known, page: int, printed: Reference) -> Registered | None:
    """Where the page lies: by codes and marks, else by its print."""
    rough = roughly(picture, seen, known.layout, page)
    found = closely(picture, printed, rough[0], marks=rough[1]) if rough is not None else None
    if found is not None and found.found >= _FOUND and found.error <= _ERROR:
        return found
    matrix = by_print(picture, printed)
    other = closely(picture, printed, matrix, marks=2) if matrix is not None else None
    return max((one for one in (found, other) if one is not None), key=lambda one: one.found, default=None)


def _issued(known: Known, page: int) -> Gray | None:
    """The page as it was issued, in the page frame."""
    if not known.issued:
        return None
    with open_pages(known.issued) as pages:
        alike = pages.count >= len(known.layout.pages)  # added pages may stand behind the form's own
        picture = pages.exactly(page) if alike and page <= pages.count else None
    if picture is None:
        return None
    sheet = known.layout.pages[page - 1]
    shape = framed(sheet.width, sheet.height, np.eye(3)).shape
    return picture if picture.shape == shape else cv2.resize(picture, (shape[1], shape[0])).astype(np.uint8)


def why_not(picture: Gray) -> str:
    """What is wrong with a picture that a form was not found in: a code of the table of words."""
    light = float(np.percentile(picture, 90))
    if light < _DARK:
        return "picture-dark"
    small = cv2.resize(picture, None, fx=0.5, fy=0.5, interpolation=cv2.INTER_AREA)
    if float(cv2.Laplacian(small, cv2.CV_64F).var()) < _SHARP:
        return "picture-blurred"
    return "picture-not-found"


