"""Where points of a page go when paper bends, slips or is photographed: warps with an exact way there and back.

Pixels are counted as OpenCV counts them: (0, 0) is the middle of the first pixel. Each warp is a formula or a table that is
read in both directions, so that the place of every point is known to within rounding; nothing is solved step by step.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, Protocol

import cv2
import numpy as np
from numpy.typing import NDArray

Picture = NDArray[np.uint8]
"""Gray [height, width] or RGB [height, width, 3]."""
Points = NDArray[np.float64]
"""[n, 2]: x, y in pixels."""

_GRID: Final = 8
"""Between so many pixels the way back is interpolated."""


class Warp(Protocol):
    """A change of places that can be undone."""

    def there(self, points: Points) -> Points:
        """Pixels of the result for pixels of the source."""

    def back(self, points: Points) -> Points:
        """Pixels of the source for pixels of the result."""


@dataclass(frozen=True, slots=True, eq=False)
class Plane:
    """A homography: turned, sized, moved, seen at a slant."""

    matrix: NDArray[np.float64]

    def there(self, points: Points) -> Points:
        """See Warp."""
        return _through(self.matrix, points)

    def back(self, points: Points) -> Points:
        """See Warp."""
        return _through(np.asarray(np.linalg.inv(self.matrix), dtype=np.float64), points)


@dataclass(frozen=True, slots=True, eq=False)
class Table:
    """A rising table of places along one axis, and how much nearer (larger) the other axis is there.

    With `gain` 1 it is a feed that slips; with a gain from `bent_paper` a page that bends towards the camera.
    """

    axis: int
    source: NDArray[np.float64]
    result: NDArray[np.float64]
    gain: NDArray[np.float64]
    middle: float
    """Of the other axis: what lies there keeps its place."""

    def there(self, points: Points) -> Points:
        """See Warp."""
        along, across = points[:, self.axis], points[:, 1 - self.axis]
        return self._pair(_read(along, self.source, self.result), self.middle + (across - self.middle) * np.interp(along, self.source, self.gain))

    def back(self, points: Points) -> Points:
        """See Warp."""
        along = _read(points[:, self.axis], self.result, self.source)
        return self._pair(along, self.middle + (points[:, 1 - self.axis] - self.middle) / np.interp(along, self.source, self.gain))

    def _pair(self, along: NDArray[np.float64], across: NDArray[np.float64]) -> Points:
        return np.stack([along, across] if self.axis == 0 else [across, along], axis=1)


@dataclass(frozen=True, slots=True, eq=False)
class Sway:
    """Rows moved aside, each by its own amount: a carriage that shakes, a sheet that drifts."""

    rows: NDArray[np.float64]
    aside: NDArray[np.float64]

    def there(self, points: Points) -> Points:
        """See Warp."""
        return points + np.stack([self._amount(points), np.zeros(len(points))], axis=1)

    def back(self, points: Points) -> Points:
        """See Warp."""
        return points - np.stack([self._amount(points), np.zeros(len(points))], axis=1)

    def _amount(self, points: Points) -> NDArray[np.float64]:
        return np.interp(points[:, 1], self.rows, self.aside)


@dataclass(frozen=True, slots=True, eq=False)
class Chain:
    """One warp after the other."""

    links: tuple[Warp, ...]

    def there(self, points: Points) -> Points:
        """See Warp."""
        for link in self.links:
            points = link.there(points)
        return points

    def back(self, points: Points) -> Points:
        """See Warp."""
        for link in reversed(self.links):
            points = link.back(points)
        return points


def resampled(image: Picture, warp: Warp, size: tuple[int, int], fill: int = 255) -> Picture:
    """The picture after a warp, `size` (width, height); outside of the source it has the level `fill`."""
    down, up = np.mgrid[0 : size[1] + _GRID : _GRID, 0 : size[0] + _GRID : _GRID].astype(np.float64)
    knots = np.stack([up.ravel(), down.ravel()], axis=1)
    grid = warp.back(knots).reshape(*up.shape, 2).astype(np.float32)
    right, below = (np.diff(grid, axis=1)[:-1], np.diff(grid, axis=0)[:, :-1])
    smaller = float(np.sqrt(np.median(np.abs(right[..., 0] * below[..., 1] - right[..., 1] * below[..., 0])))) / _GRID
    if smaller > 1.3:  # a sensor adds up what falls on a pixel
        image = np.asarray(cv2.GaussianBlur(image, (0, 0), 0.42 * smaller), dtype=np.uint8)
    across, rows = (np.arange(length, dtype=np.float32) / _GRID for length in size)
    where = cv2.remap(grid, *np.meshgrid(across, rows), cv2.INTER_LINEAR)
    return np.asarray(cv2.remap(image, where[..., 0], where[..., 1], cv2.INTER_LINEAR, borderValue=(fill,) * 3), dtype=np.uint8)


def flat(size: tuple[int, int], out: tuple[int, int], *, scale: tuple[float, float], angle: float = 0.0, aside: tuple[float, float] = (0.0, 0.0)) -> Plane:
    """A flat sheet: middle on middle, sized across and down, turned by degrees, moved by pixels of the result."""
    turn = np.deg2rad(angle)
    middle = np.array([[1, 0, -(size[0] - 1) / 2], [0, 1, -(size[1] - 1) / 2], [0, 0, 1]])
    turned = np.array([[np.cos(turn), -np.sin(turn), 0], [np.sin(turn), np.cos(turn), 0], [0, 0, 1]])
    back = np.array([[1, 0, (out[0] - 1) / 2 + aside[0]], [0, 1, (out[1] - 1) / 2 + aside[1]], [0, 0, 1]])
    return Plane(back @ np.diag([*scale, 1.0]) @ turned @ middle)


def slanted(size: tuple[int, int], corners: Sequence[tuple[float, float]]) -> Plane:
    """Seen by a camera: where the corners of the page (from the upper left, clockwise) lie on the picture."""
    wide, high = size
    source = np.array([(0, 0), (wide - 1, 0), (wide - 1, high - 1), (0, high - 1)], np.float32)
    return Plane(np.asarray(cv2.getPerspectiveTransform(source, np.array(corners, np.float32)), dtype=np.float64))


def bent_paper(axis: int, size: tuple[int, int], heights: NDArray[np.float64], distance: float) -> Table:
    """A sheet that bends along one axis, seen from `distance`; `heights` above the desk at even steps, all in pixels.

    Paper bends and does not stretch: a slope makes the sheet shorter, and what is nearer to the camera is larger.
    """
    source = np.linspace(0, size[axis] - 1, len(heights))
    slope = np.gradient(heights, source)
    steps = np.sqrt(np.clip(1 - slope**2, 0.2, 1))
    seen = np.concatenate([[0], np.cumsum((steps[1:] + steps[:-1]) / 2 * np.diff(source))])
    gain = 1 / (1 - heights / distance)
    return Table(axis, source, (size[axis] - 1) / 2 + (seen - seen[-1] / 2) * gain, gain, (size[1 - axis] - 1) / 2)


def _through(matrix: NDArray[np.float64], points: Points) -> Points:
    return np.asarray(cv2.perspectiveTransform(points[None], matrix)[0], dtype=np.float64)


def _read(values: NDArray[np.float64], known: NDArray[np.float64], wanted: NDArray[np.float64]) -> NDArray[np.float64]:
    """`np.interp` that goes straight on outside of the table."""
    before, after = (wanted[1] - wanted[0]) / (known[1] - known[0]), (wanted[-1] - wanted[-2]) / (known[-1] - known[-2])
    inside = np.interp(values, known, wanted)
    return np.asarray(inside + np.minimum(values - known[0], 0) * before + np.maximum(values - known[-1], 0) * after, dtype=np.float64)
