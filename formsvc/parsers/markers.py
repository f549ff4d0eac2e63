"""Looks for corner marks in a picture."""

from collections.abc import Iterator
from typing import Final

import cv2
import numpy as np

from formsvc.parsers.frame import Points
from formsvc.parsers.raster import Gray

_SIDE_MOST: Final = 2_300


def find_markers(picture: Gray) -> Iterator[tuple[int, Points]]:
    """The numbers of the marks that are seen once, each with its corners in the picture's pixels; one that is seen twice belongs to another page that lies beside."""
    scale = min(1.0, _SIDE_MOST / max(picture.shape))
    small = cv2.resize(picture, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA) if scale < 1 else picture
    settings = cv2.aruco.DetectorParameters()
    settings.cornerRefinementMethod = cv2.aruco.CORNER_REFINE_SUBPIX
    detector = cv2.aruco.ArucoDetector(cv2.aruco.getPredefinedDictionary(cv2.aruco.DICT_4X4_250), settings)
    found, numbers, _ = detector.detectMarkers(small)
    if numbers is None:
        return
    told = np.asarray(numbers).ravel().tolist()
    for quad, number in zip(found, told, strict=True):
        if told.count(number) == 1:
            yield int(number), (np.asarray(quad, dtype=np.float64).reshape(4, 2) + 0.5) / scale - 0.5
