"""What was added to a page: pens, weak pencils, stains."""

import cv2
import numpy as np
import pytest

from formsvc.parsers import ink
from formsvc.parsers.raster import Gray

BLANK = np.full((60, 400), 255, np.uint8)


def pencilled(page: Gray, at: int = 200) -> Gray:
    """A weak signature: waves, as pale as a hard pencil."""
    x = np.arange(at, at + 150)
    points = np.stack([x, 30 + 14 * np.sin(x / 7)], axis=1).astype(np.int32)
    return cv2.polylines(page.copy(), [points], isClosed=False, color=[200], thickness=3).astype(np.uint8)


def stained(page: Gray) -> Gray:
    """A blot of coffee, larger than any writing."""
    return cv2.circle(page.copy(), (70, 30), 28, [190], -1).astype(np.uint8)


@pytest.mark.parametrize(("page", "is_written"), [(BLANK, False), (stained(BLANK), False), (pencilled(BLANK), True), (pencilled(stained(BLANK)), True)], ids=["nothing", "stain", "pencil", "pencil beside a stain"])
def test_weak_pencil_is_seen_and_a_stain_is_none(page: Gray, *, is_written: bool) -> None:
    """Also beside a stain that covers more than the pencil."""
    pixels, length = ink.faint_strokes(page, BLANK)
    assert ((pixels >= 300) and (length >= 100)) is is_written
    assert is_written or (pixels, length) == (0, 0)


def test_what_was_printed_is_not_added() -> None:
    blank = cv2.line(BLANK.copy(), (10, 50), (390, 50), [0], 2).astype(np.uint8)
    assert ink.faint_strokes(blank, blank) == (0, 0)
    assert ink.amount(ink.added(blank, blank)) == 0
    signed = cv2.line(blank.copy(), (60, 20), (160, 40), [30], 3).astype(np.uint8)
    assert ink.amount(ink.added(signed, blank)) > 200
    longest, is_streak = ink.longest(ink.added(signed, blank))
    assert 90 <= longest <= 110
    assert not is_streak


def test_a_field_is_covered_where_its_frame_is_missing_and_else_there() -> None:
    """A weak copy that lost all of its frame is not covered, and neither is a field whose frame is crossed by a streak."""
    blank = cv2.rectangle(np.full((60, 300), 255, np.uint8), (5, 5), (294, 54), [60], 2).astype(np.uint8)
    covered, streaked, weak = blank.copy(), blank.copy(), np.where(blank < 255, 250, 255).astype(np.uint8)
    covered[:, 200:] = 250
    streaked[:, 100:104] = 255
    assert [ink.is_covered(page, blank) for page in (blank, covered, streaked, weak)] == [False, True, False, False]
    assert not ink.is_covered(BLANK, BLANK)
