"""Where the points of a form's page lie in a picture of it: a map that may bend, and the page made flat with it.

The *page frame* is the form's page at 200 dpi: pixel (x, y) is the layout's point (x * 72 / 200, height - y * 72 / 200).
A frame's map is kept at the knots of a grid and read between them linearly; paper bends slowly.
"""

from dataclasses import dataclass
from typing import Any, Final

import cv2
import numpy as np
from numpy.typing import NDArray

from formsvc.model.record import Box
from formsvc.parsers.raster import POINTS, Gray

Points = NDArray[np.float64]
"""[n, 2]: x to the right, y down."""

FRAME_DPI: Final = 200.0
SCALE: Final = FRAME_DPI / POINTS
STEP: Final = 16.0
"""Frame pixels between knots."""
_BAND: Final = 256
"""Rows of a page that are taken out of a picture at a time."""
_STRAIGHT: Final = 0.05
"""A map that differs nowhere more, in the picture's pixels, from a straight one is straight."""


@dataclass(frozen=True, slots=True, eq=False)
class Frame:
    """The map from the page frame of `width` x `height` points to pixels of a picture."""

    width: float
    height: float
    grid: NDArray[np.float32]
    """[rows, columns, 2]: the picture's pixel of each knot."""

    @property
    def shape(self) -> tuple[int, int]:
        """Height and width of the page frame in pixels."""
        return round(self.height * SCALE), round(self.width * SCALE)

    def at(self, points: Points) -> Points:
        """Pixels of the picture for pixels of the page frame; beyond the page the map goes on straight."""
        rows, columns = self.grid.shape[:2]
        x, y = points[:, 0] / STEP, points[:, 1] / STEP
        column, row = np.clip(np.floor(x), 0, columns - 2).astype(int), np.clip(np.floor(y), 0, rows - 2).astype(int)
        across, down = (x - column)[:, None], (y - row)[:, None]
        top = self.grid[row, column] * (1 - across) + self.grid[row, column + 1] * across
        low = self.grid[row + 1, column] * (1 - across) + self.grid[row + 1, column + 1] * across
        found: Points = top * (1 - down) + low * down
        return found

    def whole(self, picture: Gray) -> Gray:
        """The page taken flat out of a picture at 200 dpi; white where the picture ends."""
        high, wide = self.shape
        affine = self.affine
        if affine is not None:
            straight = cv2.warpAffine(picture, affine, (wide, high), flags=cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP, borderMode=cv2.BORDER_CONSTANT, borderValue=(255.0,))
            return straight.astype(np.uint8, copy=False)
        rows, columns = self.grid.shape[:2]
        # a grid that is enlarged so has pixel (x, y) of the page at (x + 7.5, y + 7.5): with knots half a pixel on, it is a whole one
        step, before = int(STEP), int(STEP) // 2 - 1
        shifted = self.at(knots(rows, columns) + 0.5).reshape(rows, columns, 2).astype(np.float32)
        none: Any = None  # both coordinates are in the first map
        flat: Gray = np.empty((high, wide), np.uint8)
        for top in range(0, high, _BAND):  # the map of a whole page takes eight times the page
            bottom = min(top + _BAND, high)
            first, last = max((top + before) // step - 1, 0), min((bottom + before) // step + 2, rows)
            part = cv2.resize(shifted[first:last], (step * columns, step * (last - first)), interpolation=cv2.INTER_LINEAR)
            where = np.ascontiguousarray(part[top + before - first * step : bottom + before - first * step, before : before + wide])
            flat[top:bottom] = cv2.remap(picture, where, none, cv2.INTER_LINEAR, borderMode=cv2.BORDER_CONSTANT, borderValue=(255.0,))
        return flat

    @property
    def affine(self) -> NDArray[np.float64] | None:
        """The map as a 2 x 3 matrix, if the page does not bend at all."""
        rows, columns = self.grid.shape[:2]
        last = ((columns - 1) * STEP, (rows - 1) * STEP)
        ours = np.array([(0, 0), (last[0], 0), (0, last[1])], dtype=np.float32)
        matrix = cv2.getAffineTransform(ours, np.array([self.grid[0, 0], self.grid[0, -1], self.grid[-1, 0]], dtype=np.float32))
        places = knots(rows, columns)
        off = places @ matrix[:, :2].T + matrix[:, 2] - self.grid.reshape(-1, 2)
        return np.asarray(matrix, dtype=np.float64) if float(np.abs(off).max()) < _STRAIGHT else None

    def flat(self, picture: Gray, dpi: float, box: Box) -> Gray:
        """A box of the page, in points, taken flat out of a picture at this resolution; white where the picture ends."""
        left, bottom, right, top = box
        wide, high = max(round((right - left) * dpi / POINTS), 1), max(round((top - bottom) * dpi / POINTS), 1)
        x = (left * SCALE + (np.arange(wide, dtype=np.float32) + 0.5) * (FRAME_DPI / dpi) - 0.5) / STEP
        y = ((self.height - top) * SCALE + (np.arange(high, dtype=np.float32) + 0.5) * (FRAME_DPI / dpi) - 0.5) / STEP
        knots = np.meshgrid(x.astype(np.float32), y.astype(np.float32))
        where = cv2.remap(self.grid, knots[0], knots[1], cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
        return cv2.remap(picture, where[..., 0], where[..., 1], cv2.INTER_LINEAR, borderMode=cv2.BORDER_CONSTANT, borderValue=(255.0,)).astype(np.uint8)

    def moved(self, shift: Points) -> "Frame":
        """The frame whose knots are looked up `shift` ([knots, 2] frame pixels) away."""
        rows, columns = self.grid.shape[:2]
        grid = self.at(knots(rows, columns) + shift).reshape(rows, columns, 2)
        return Frame(self.width, self.height, grid.astype(np.float32))


def knots(rows: int, columns: int) -> Points:
    """The page frame's pixels of a grid's knots, row by row."""
    x, y = np.meshgrid(np.arange(columns) * STEP, np.arange(rows) * STEP)
    return np.stack([x.ravel(), y.ravel()], axis=1).astype(np.float64)


def framed(width: float, height: float, matrix: NDArray[np.float64]) -> Frame:
    """The frame of a flat page: a 3 x 3 homography (or affine map) from the page frame to the picture."""
    rows, columns = int(np.ceil(height * SCALE / STEP)) + 1, int(np.ceil(width * SCALE / STEP)) + 1
    found = cv2.perspectiveTransform(knots(rows, columns)[None], matrix)[0]
    return Frame(width, height, found.reshape(rows, columns, 2).astype(np.float32))


def corners(box: Box, height: float) -> Points:
    """Top left, top right, bottom right, bottom left of a box of the layout, in the page frame."""
    left, bottom, right, top = box
    return np.array([(left, height - top), (right, height - top), (right, height - bottom), (left, height - bottom)], dtype=np.float64) * SCALE
