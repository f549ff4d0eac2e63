"""Reads boxes: empty, marked, or void (filled in or crossed out), and decides each question by its boxes together.

A small convolutional network of ours looks at the box and at the same place of the blank form. It was trained on
simulated pens and paper: `python -m benchmarks.scans.marks_data`, then `marks_train`.

What no network has seen (a ring round the box, a tick beside it) it is apt to call empty, and is sure of it. So ink at an
empty box that is not printed there makes it a box for a person, whatever the network says.
"""

from dataclasses import dataclass
from importlib.resources import files
from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

from formsvc.model.record import Box
from formsvc.parsers.page import BOX_AROUND, BOX_HIGH, BOX_WIDE, EMPTY, MARKED, VOID

CROP_LEFT: Final = 10.0
"""Points that a crop shows left of its box; the label stands to the right."""
CROP_WIDTH, CROP_HEIGHT = 48.0, 27.0  # points
_SCALE: Final = 200 / 72
_AT_ONCE: Final = 64
_INKED, _PRINTED = 150, 200  # darker is ink; where the blank is darker within 3 pixels, it may be print
_STROKE: Final = 16  # pixels of one piece; less is a speck
_UNSURE: Final = (0.6, 0.3, 0.1)
_SHIFTS: Final = ((0, 0), (1, 0), (-1, 0), (0, 1), (0, -1))

Gray = NDArray[np.uint8]
Shares = NDArray[np.float32]
"""[n, 3]: how probable empty, marked and void are."""


def _corner(box: Box, height: float) -> tuple[int, int]:
    """Row and column of the upper left corner of a box's crop, on a page at 200 dpi that is `height` points high."""
    left, bottom, _, top = box
    return round((height - (bottom + top) / 2) * _SCALE) - BOX_HIGH // 2, round((left - CROP_LEFT) * _SCALE)


def crop_place(box: Box, height: float) -> tuple[slice, slice]:
    """The rows and columns of a box's crop, as far as they are on the page."""
    row, column = _corner(box, height)
    return slice(max(row, 0), max(row + BOX_HIGH, 0)), slice(max(column, 0), max(column + BOX_WIDE, 0))


def crop_at(page: Gray, box: Box, height: float) -> Gray:
    """The crop of a box out of a page at 200 dpi that is `height` points high; white beyond the page."""
    row, column = _corner(box, height)
    crop = np.full((BOX_HIGH, BOX_WIDE), 255, np.uint8)
    rows, columns = slice(max(row, 0), min(row + BOX_HIGH, page.shape[0])), slice(max(column, 0), min(column + BOX_WIDE, page.shape[1]))
    if rows.start < rows.stop and columns.start < columns.stop:
        crop[rows.start - row : rows.stop - row, columns.start - column : columns.stop - column] = page[rows, columns]
    return crop


def has_ink(crop: Gray, blank: Gray) -> bool:
    """Whether there is a stroke at the box that the blank does not have."""
    ours = (crop[BOX_AROUND] < _INKED) & (cv2.erode(blank, np.ones((7, 7), np.uint8))[BOX_AROUND] > _PRINTED)
    count, _, pieces, _ = cv2.connectedComponentsWithStats(ours.astype(np.uint8), connectivity=8)
    return count > 1 and int(pieces[1:, cv2.CC_STAT_AREA].max()) >= _STROKE


class MarkReader:
    """The trained network, loaded once. Not for several threads at once."""

    def __init__(self) -> None:
        """Load the weights that travel with the package."""
        weights = (files("formsvc.parsers") / "marks.onnx").read_bytes()
        self._network = cv2.dnn.readNetFromONNX(np.frombuffer(weights, np.uint8))

    def read(self, crops: Gray, blanks: Gray) -> Shares:
        """How probable each class is for crops of `crop_at` ([n, 75, 133]) beside those of the blank."""
        parts = [self._shares(crops[at : at + _AT_ONCE], blanks[at : at + _AT_ONCE]) for at in range(0, len(crops), _AT_ONCE)]
        found = np.concatenate(parts) if parts else np.zeros((0, 3), np.float32)
        for number in np.flatnonzero(found[:, EMPTY] > _UNSURE[0]):
            if has_ink(crops[number], blanks[number]):
                found[number] = _UNSURE
        return found

    def _shares(self, crops: Gray, blanks: Gray) -> Shares:
        self._network.setInput(np.stack([crops, blanks], axis=1).astype(np.float32) / 255 - 0.5)
        scores = np.asarray(self._network.forward(), dtype=np.float32).reshape(-1, 3)
        raised = np.exp(scores - scores.max(axis=1, keepdims=True))
        return np.asarray(raised / raised.sum(axis=1, keepdims=True), dtype=np.float32)

    def read_surely(self, crops: Gray, blanks: Gray, limit: float) -> Shares:
        """The same; what is less sure than `limit` is looked at again, moved a little, and the mean counts."""
        found = self.read(crops, blanks)
        unsure = np.flatnonzero(found.max(axis=1) < limit)
        if len(unsure):
            moved = [self.read(np.roll(crops[unsure], shift, axis=(1, 2)), blanks[unsure]) for shift in _SHIFTS]
            found[unsure] = np.mean(moved, axis=0)
        return found


@dataclass(frozen=True, slots=True, kw_only=True)
class Decision:
    """What the boxes of a question say: the marked ones by number; `reason` is why a person should look, or empty."""

    marked: tuple[int, ...]
    confidence: float
    reason: str = ""
    corrected: bool = False


def decide(shares: Shares, *, exclusive: bool, limit: float) -> Decision:
    """The answer of one question out of its boxes ([n, 3]).

    One mark beside a void is a correction, and an answer. A lone void, two marks where one may stand, or a box that is
    not sure enough are for a person.
    """
    classes = shares.argmax(axis=1)
    confidence = float(shares.max(axis=1).min())
    marked, void = tuple(map(int, np.flatnonzero(classes == MARKED))), bool((classes == VOID).any())
    if confidence < limit:
        return Decision(marked=marked, confidence=min(confidence, 0.97), reason="mark-unsure")
    if void and not (exclusive and len(marked) == 1):
        return Decision(marked=marked, confidence=0.5, reason="mark-void")
    if exclusive and len(marked) > 1:  # the rule book tells two marks by itself
        return Decision(marked=marked, confidence=0.9)
    return Decision(marked=marked, confidence=1.0, corrected=void)
