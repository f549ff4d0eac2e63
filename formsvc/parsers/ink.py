"""What was added to a page: its light evened out, and dark that the blank does not have."""

from collections.abc import Sequence
from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

from formsvc.model.record import Box
from formsvc.parsers.frame import SCALE
from formsvc.parsers.raster import Gray

Mask = NDArray[np.bool_]

_DARK: Final = 0.62
"""Ink is darker than this share of the paper around it; weak pencil and low toner are near 0.75."""
_PENCIL, _THICK = 0.82, 4.5
"""A hard pencil after a scanner; half the width of the thickest pen in frame pixels (measured: pencils 1.9 to 3.3, coffee 8.6 to 9.3)."""
_FRAME, _HIDDEN, _LEAST_REST, _REST = 165, 54, 0.15, 0.9
"""Print of a field; frame pixels (7 mm) of it that are missing in a row where something lies on it; the least share of it beside that, and how much of that is there."""
_BLOT: Final = 64
"""Frame pixels of the smallest stain."""
_PRINT: Final = 205
_TRIM: Final = 2  # frame pixels inside a box's edge


def even(flat: Gray) -> Gray:
    """The page with its light evened out: divided by its own background, so that paper is white everywhere."""
    small = cv2.resize(flat, None, fx=0.25, fy=0.25, interpolation=cv2.INTER_AREA)
    background = cv2.medianBlur(cv2.morphologyEx(small, cv2.MORPH_CLOSE, np.ones((9, 9), np.uint8)), 21)
    light = cv2.resize(background, (flat.shape[1], flat.shape[0]), interpolation=cv2.INTER_LINEAR)
    return cv2.divide(flat, np.maximum(light, 1).astype(np.uint8), scale=255).astype(np.uint8)


def added(page: Gray, blank: Gray, reach: int = 2, dark: float = _DARK) -> Mask:
    """Where an evened page is darker than a share of its paper and the blank is not, nor within `reach` pixels of it."""
    is_dark = page < 255 * dark
    near = cv2.dilate((blank < _PRINT).astype(np.uint8), np.ones((2 * reach + 1, 2 * reach + 1), np.uint8)).astype(bool)
    ours: Mask = is_dark & ~near
    return ours


def inside(box: Box, height: float, shape: tuple[int, ...], trim: int = _TRIM) -> tuple[slice, slice]:
    """The rows and columns of a box of the layout in the page frame, without its edges."""
    left, bottom, right, top = box
    rows = slice(max(round((height - top) * SCALE) + trim, 0), min(max(round((height - bottom) * SCALE) - trim, 1), shape[0]))
    columns = slice(max(round(left * SCALE) + trim, 0), min(max(round(right * SCALE) - trim, 1), shape[1]))
    return rows, columns


def amount(mask: Mask) -> int:
    """Pixels of ink, specks apart."""
    if np.count_nonzero(mask) < 6:  # noqa: PLR2004  (most boxes of a clean page)
        return 0
    count, _, sizes, _ = cv2.connectedComponentsWithStats(mask.astype(np.uint8), connectivity=8)
    areas = sizes[1:count, cv2.CC_STAT_AREA]
    return int(areas[areas >= 6].sum())  # noqa: PLR2004


def faint_strokes(page: Gray, blank: Gray) -> tuple[int, int]:
    """What a weak pencil leaves: pixels of ink, and the longest side of its largest piece; stains, which are thicker than any pen, apart."""
    mask = added(page, blank, dark=_PENCIL).astype(np.uint8)
    count, pieces, sizes, _ = cv2.connectedComponentsWithStats(mask, connectivity=8)
    areas = sizes[:, cv2.CC_STAT_AREA].copy()
    areas[0] = 0
    thick = cv2.distanceTransform(mask, cv2.DIST_L2, 3) if count > 1 else mask
    for number in np.flatnonzero(areas >= _BLOT):
        if float(np.percentile(thick[pieces == number], 95)) > _THICK:
            areas[number] = 0
    if not areas.any():
        return 0, 0
    largest = int(areas.argmax())
    return int(areas[areas >= 6].sum()), int(max(sizes[largest, cv2.CC_STAT_WIDTH], sizes[largest, cv2.CC_STAT_HEIGHT]))  # noqa: PLR2004


def is_covered(page: Gray, blank: Gray) -> bool:
    """Whether something hides part of a field: what is printed of it is missing for some way, though the rest is there. Both with a little around the field."""
    frame = blank < _FRAME
    if not frame.any():
        return False
    there = _printed(page, frame)
    _, pieces, sizes, _ = cv2.connectedComponentsWithStats((frame & ~there).astype(np.uint8), connectivity=8)
    hidden = [number for number in range(1, len(sizes)) if max(sizes[number, cv2.CC_STAT_WIDTH], sizes[number, cv2.CC_STAT_HEIGHT]) >= _HIDDEN]
    if not hidden:
        return False
    rows, columns = np.nonzero(np.isin(pieces, hidden))
    beside = frame.copy()
    beside[rows.min() : rows.max() + 1, columns.min() : columns.max() + 1] = False
    rest = int(np.count_nonzero(beside))  # a weak copy lost some of its print everywhere
    return bool(rest >= _LEAST_REST * np.count_nonzero(frame) and np.count_nonzero(beside & there) >= _REST * rest)


def shares_shown(page: Gray, blank: Gray, places: Sequence[tuple[slice, slice]]) -> NDArray[np.float64]:
    """Which share of what is printed at each place a page shows; 1 where nothing is. Asked of a whole page: a weak one shows all of it weakly."""
    frame = blank < _FRAME
    there = _printed(page, frame, every=8) & frame
    counts = np.array([(np.count_nonzero(frame[place]), np.count_nonzero(there[place])) for place in places], dtype=np.float64).reshape(-1, 2)
    shares: NDArray[np.float64] = np.where(counts[:, 0] > 0, counts[:, 1] / np.maximum(counts[:, 0], 1), 1.0)
    return shares


def _printed(page: Gray, frame: Mask, every: int = 1) -> Mask:
    """Where a page is about as dark as its print (measured in every so many rows), or three pixels beside that."""
    near = cv2.dilate(frame[::every].astype(np.uint8), np.ones((1 if every > 1 else 3, 3), np.uint8)) > 0
    if not near.any():
        return frame
    strength = 255 - float(np.percentile(page[::every][near], 30))
    return cv2.erode(page, np.ones((7, 7), np.uint8)) < 255 - max(20.0, 0.35 * strength)


def longest(mask: Mask) -> tuple[int, bool]:
    """The longest side of any piece of ink, and whether that piece is a straight streak over the whole height (a scanner's, not a pen's)."""
    count, _, sizes, _ = cv2.connectedComponentsWithStats(mask.astype(np.uint8), connectivity=8)
    best, streak = 0, False
    for number in range(1, count):
        wide, high = int(sizes[number, cv2.CC_STAT_WIDTH]), int(sizes[number, cv2.CC_STAT_HEIGHT])
        is_streak = wide <= 6 and high >= mask.shape[0] - 4  # noqa: PLR2004
        if not is_streak and max(wide, high) > best:
            best = max(wide, high)
        streak = streak or is_streak
    return best, streak and best == 0
