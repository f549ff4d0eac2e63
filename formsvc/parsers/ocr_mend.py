"""What a field's picture needs before a second look: what is blurred is sharpened, what is stained is bleached, grain is smoothed.

Nothing that a pen could have drawn is taken away: a stain is broader than pens draw, and paler than half of the writing.
"""

from typing import Final, NamedTuple

import cv2
import numpy as np

from formsvc.parsers.ocr_paper import SPECKLED, darkness, grain, sharpness, specks, stain, without
from formsvc.parsers.raster import Gray

_BLURRED: Final = 0.21
"""Measured of 99 in 100 fields: scans 0.28 and more, 150 dpi and photos 0.25, copies of copies 0.22; a scan out of focus 0.17 to 0.21."""
_DROP: Final = 100
"""Pixels of the smallest stain worth a second look."""
_ROUGH: Final = 10.0
_STRICT: Final = 0.1
_STRICTER: Final = 0.03
"""Measured on faxes: of 109 readings that were sure at 0.1 two were wrong (0.07), of 91 at 0.03 none."""


class Mended(NamedTuple):
    """A picture without what kept it from being read, and how likely a letter may be another one at most where it is believed."""

    picture: Gray
    strict: float


def mended(crop: Gray) -> Mended | None:
    """A better picture of a field; None if it has none of the faults that can be mended. A blurred one is sharpened only: what is soft looks like stains."""
    dark = darkness(crop)
    if sharpness(dark) < _BLURRED:
        return Mended(_sharpened(crop), _STRICT)
    layer = stain(dark)
    is_stained, is_speckled = int((layer > 0).sum()) > _DROP, specks(dark) > SPECKLED
    soft = 1.4 if is_speckled else 1.0 if grain(dark) > _ROUGH else 0.0
    if not (is_stained or soft):
        return None
    if is_stained:
        crop = (255 - without(dark, layer)).astype(np.uint8)
    if soft:
        crop = cv2.GaussianBlur(crop, (0, 0), soft).astype(np.uint8)
    return Mended(crop, _STRICTER if is_speckled else _STRICT)


def _sharpened(crop: Gray) -> Gray:
    """Edges made steeper: what a wide soft copy takes away from them is given back twice."""
    picture = cv2.GaussianBlur(crop.astype(np.float32), (0, 0), 0.8)  # the grain of paper is not worth sharpening
    sharp: Gray = np.clip(3 * picture - 2 * cv2.GaussianBlur(picture, (0, 0), 3.0), 0, 255).astype(np.uint8)
    return sharp
