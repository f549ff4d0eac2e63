"""What lies under the writing in a field's picture: light, grain, specks, stains, streaks of a scanner; and how sharp the picture is."""

from typing import Final

import cv2
import numpy as np

from formsvc.parsers.ink import Mask
from formsvc.parsers.raster import Gray

PEN: Final = 5.0
"""Half the breadth of the broadest stroke of a pencil or pen, in pixels at 300 dpi: 0.8 mm."""
SPECK: Final = 7
"""Pixels of the smallest full stop: smaller dots are specks."""
SPECKLED: Final = 15.0
"""Specks in 10,000 pixels of a fax that was received badly."""
_FULL: Final = 250
"""The darkness of black."""
_SOME: Final = 12
"""Darkness from which on paper is stained or streaked."""
_LONG: Final = 45
"""Pixels: longer than the tallest letter of our type."""
_THROUGH: Final = 0.96
"""The share of a field's height that a streak takes at least."""
_THIN: Final = 12
_DENSE: Final = 190
"""Under a darker streak no letter can be told."""


def runs(mask: Mask) -> list[tuple[int, int]]:
    """Where a row of a mask is true, as starts and ends."""
    edges = np.flatnonzero(np.diff(np.concatenate(([0], mask.astype(np.int8), [0]))))
    return [(int(edges[i]), int(edges[i + 1])) for i in range(0, len(edges), 2)]


def darkness(crop: Gray) -> Gray:
    """How much darker than the paper around it each pixel is, stretched so that paper is 0 whatever the light."""
    small = cv2.resize(crop, None, fx=0.25, fy=0.25, interpolation=cv2.INTER_AREA)
    paper = cv2.GaussianBlur(cv2.morphologyEx(small, cv2.MORPH_CLOSE, np.ones((9, 9), np.uint8), borderType=cv2.BORDER_REPLICATE), (0, 0), 3)
    light = cv2.resize(paper, (crop.shape[1], crop.shape[0]), interpolation=cv2.INTER_LINEAR)
    even = cv2.divide(crop, np.maximum(light, 1).astype(np.uint8), scale=_FULL)
    return cv2.subtract(np.full_like(crop, _FULL), even.astype(np.uint8)).astype(np.uint8)


def grain(dark: Gray) -> float:
    """The spread of paper's own shades: of the fainter half, since most of a field is paper."""
    return float(np.percentile(dark, 60)) / 0.84


def specks(dark: Gray) -> float:
    """Single dark dots in 10,000 pixels."""
    count, _, stats, _ = cv2.connectedComponentsWithStats((dark > 60).astype(np.uint8), connectivity=8)  # noqa: PLR2004
    return float((stats[1:count, cv2.CC_STAT_AREA] < SPECK).sum()) / dark.size * 10_000


def sharpness(dark: Gray) -> float:
    """How steep the steepest edges are: the share of the darkest ink by which darkness changes in a pixel."""
    soft = cv2.GaussianBlur(dark.astype(np.float32), (0, 0), 0.8)
    across, down = cv2.Sobel(soft, cv2.CV_32F, 1, 0, scale=1 / 8), cv2.Sobel(soft, cv2.CV_32F, 0, 1, scale=1 / 8)
    return float(np.percentile(np.hypot(across, down), 99.5) / max(np.percentile(dark, 99.5), 1.0))


def stain(dark: Gray) -> Gray:
    """The darkness of what is broader than pens draw and paler than half of the writing."""
    size = 2 * int(PEN) + 1
    soft = cv2.GaussianBlur(dark, (0, 0), 1.2)
    broad = cv2.morphologyEx(soft, cv2.MORPH_OPEN, cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (size, size)), borderType=cv2.BORDER_REPLICATE)
    broad[(broad <= _SOME) | (broad > np.percentile(dark, 99.7) / 2)] = 0
    return cv2.GaussianBlur(broad, (0, 0), 2.5).astype(np.uint8)


def streaks(dark: Gray) -> Gray:
    """The darkness of what a scanner's dirty glass draws: thin lines from the top to the bottom. No pen draws so straight over all of a field."""
    height = dark.shape[0]
    soft = cv2.GaussianBlur(dark, (1, 15), 0)
    long = cv2.morphologyEx(soft, cv2.MORPH_OPEN, np.ones((min(_LONG, height), 1), np.uint8), borderType=cv2.BORDER_REPLICATE)
    long[(long <= _SOME) | (long > _DENSE)] = 0
    _, labels, stats, _ = cv2.connectedComponentsWithStats((long > 0).astype(np.uint8), connectivity=8)
    kept = (stats[:, cv2.CC_STAT_HEIGHT] >= _THROUGH * height) & (stats[:, cv2.CC_STAT_WIDTH] <= _THIN)
    kept[0] = False
    found: Gray = np.where(kept[labels], long, 0).astype(np.uint8)
    return found


def without(dark: Gray, layer: Gray) -> Gray:
    """Darkness with a layer of it divided out: ink on a stain becomes as dark as ink beside it."""
    ink = cv2.subtract(dark, layer).astype(np.float32) * _FULL / (_FULL - layer.astype(np.float32))
    found: Gray = np.clip(ink, 0, _FULL).astype(np.uint8)
    return found
