"""A field's picture made ready for reading: paper evened, printed lines taken out, trimmed to what was written.

The two engines must not share what can go wrong, so there are two ways, `drawn` and `shaded`: the one
works on connected pieces of ink, the other on shades and their sums over rows and columns.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

from formsvc.parsers.ink import Mask
from formsvc.parsers.ocr_paper import PEN, SPECK, darkness, grain, runs, specks, streaks, without
from formsvc.parsers.raster import Gray

DPI: Final = 300
_LINE_LEAST: Final = 26
"""Pixels of the lowest line worth its own height: lower ink (a dash, dots) keeps paper around it, so that it is not blown up."""
_MARGIN: Final = 5
_REACH: Final = 3
"""How far a printed line may lie from where the blank has it."""
_FAINT: Final = 34
"""Darkness (of 255) below which nothing is ink: paper grain, show-through."""
_MIDDLE: Final = 110
_BLACK: Final = 25
_LETTER: Final = 10
_FEW: Final = 4
_SAME_FOOT: Final = 3.0
_EVEN: Final = 0.7
"""Measured: 99 of 100 typed lines have at least 0.75 of their letters' feet within 3 pixels, letters moved up and down by 3 pixels have 0.6."""
_PIECE_LEAST: Final = 9
_PRESENT: Final = 0.6
_ONE_LETTER: Final = 2.0
"""Pixels of ink in a row from which on it belongs to a line: a last line may hold a single digit."""
_LINE_REST: Final = 2
_EDGE: Final = 11
"""The margin around a field (2 points) with the line that frames it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Field:
    """A field ready to be read.

    `dark` is darkness over paper (0 is paper, 255 black), `print` the darkness of what was printed before,
    `ink` where something was written, `noise` the grain of the paper, `specks` single dark dots in 10,000 pixels.
    """

    dark: Gray
    printed: Gray
    ink: Mask
    noise: float
    specks: float = 0.0

    @property
    def strength(self) -> float:
        """How dark the ink is."""
        return float(np.percentile(self.dark[self.ink], 80)) if self.ink.any() else 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Strip:
    """One line for an engine: black on white, and the rows and columns of the field that it shows."""

    picture: Gray
    rows: tuple[int, int]
    columns: tuple[int, int]


def prepare(crop: Gray, blank: Gray) -> Field:
    """The field of a picture and the same place of the blank; they may differ by a pixel in size."""
    if blank.shape != crop.shape:
        blank = cv2.resize(blank, (crop.shape[1], crop.shape[0]), interpolation=cv2.INTER_LINEAR).astype(np.uint8)
    if _is_inverted(crop, blank):  # a fax that came white on black
        crop = (255 - crop).astype(np.uint8)
    dark = darkness(crop)
    noise = grain(dark)
    limit = _ink_limit(dark, noise)
    printed = _really_printed(cv2.subtract(np.full_like(blank, 255), blank).astype(np.uint8), dark > limit)
    dark = without(dark, _but_frame(streaks(dark), printed))
    ink = _without_print(dark > limit, printed)
    return Field(dark=dark, printed=printed, ink=_without_edge(_without_specks(ink)), noise=noise, specks=specks(dark))


def _is_inverted(crop: Gray, blank: Gray) -> bool:
    """Whether paper is black, or dark with a light frame printed on it; a photo in the dark has a darker frame."""
    middle = float(np.median(crop))
    if middle < _BLACK:
        return True
    if middle >= _MIDDLE or blank.std() < 1 or crop.std() < 1:
        return False
    soft, frame = cv2.GaussianBlur(crop, (0, 0), 2.0), cv2.GaussianBlur(blank, (0, 0), 2.0)
    return bool(np.corrcoef(soft.ravel(), frame.ravel())[0, 1] < 0)


def _ink_limit(dark: Gray, noise: float) -> float:
    """The darkness from which on a pixel is ink: half way between paper and what is darkest, above the paper's grain."""
    strong = float(np.percentile(dark, 99.7))
    return max(_FAINT, 2.5 * noise, 0.42 * strong)


def _but_frame(layer: Gray, printed: Gray) -> Gray:
    """What lies under the writing, but for the columns of a printed frame."""
    frame = (printed > 40).mean(axis=0) > 0.5  # noqa: PLR2004
    return np.where(cv2.dilate(frame.astype(np.uint8).reshape(1, -1), np.ones((1, 2 * _REACH + 1), np.uint8)) > 0, 0, layer).astype(np.uint8)


def _really_printed(printed: Gray, ink: Mask) -> Gray:
    """Print of the blank without what this copy does not show: viewers draw buttons of their own into empty lists."""
    mask = (printed > 90).astype(np.uint8)  # noqa: PLR2004
    height, width = mask.shape
    count, labels, stats, _ = cv2.connectedComponentsWithStats(mask, connectivity=8)
    near = cv2.dilate(ink.astype(np.uint8), np.ones((3, 3), np.uint8)) > 0
    kept = printed.copy()
    for number in range(1, count):
        left, top, wide, high, _ = (int(value) for value in stats[number])
        inside = left > 4 and top > 4 and left + wide < width - 4 and top + high < height - 4  # noqa: PLR2004
        piece = labels == number
        if inside and wide < 0.5 * width and float(near[piece].mean()) < _PRESENT:
            around = cv2.dilate(piece.astype(np.uint8), np.ones((9, 9), np.uint8)) > 0
            around[:, :left] = around[:, left + wide :] = False
            kept[around] = 0
    return kept


def _without_print(ink: Mask, printed: Gray) -> Mask:
    """Ink that was not printed before; strokes that cross a printed line keep what lies on it."""
    size = 2 * _REACH + 1
    near = cv2.dilate((printed > 40).astype(np.uint8), np.ones((size, size), np.uint8)) > 0  # noqa: PLR2004
    own = ink & ~near
    beside = cv2.dilate(own.astype(np.uint8), np.ones((3, 3), np.uint8)).astype(np.uint8)
    reach = 4 * _REACH + 3
    above = _spread(beside, reach, down=True)
    below = _spread(beside, reach, down=False)
    crossing: Mask = ink & near & above & below
    return own | crossing


def _spread(mask: Gray, reach: int, *, down: bool) -> Mask:
    """A mask moved on by up to `reach` rows."""
    kernel = np.ones((reach, 1), np.uint8)
    anchor = (0, reach - 1) if down else (0, 0)
    moved: Mask = cv2.dilate(mask, kernel, anchor=anchor) > 0
    return moved


def _without_specks(ink: Mask) -> Mask:
    """Ink without single dots that are smaller than a full stop of the smallest type."""
    count, labels, stats, _ = cv2.connectedComponentsWithStats(ink.astype(np.uint8), connectivity=8)
    large = stats[:, cv2.CC_STAT_AREA] >= SPECK
    large[0] = False
    kept: Mask = large[labels] if count > 1 else ink
    return kept


def _without_edge(ink: Mask) -> Mask:
    """Ink without pieces that lie wholly in the margin around the field: feet of the label above it."""
    count, labels, stats, _ = cv2.connectedComponentsWithStats(ink.astype(np.uint8), connectivity=8)
    if count == 1:
        return ink
    height, width = ink.shape
    top, left = stats[:, cv2.CC_STAT_TOP], stats[:, cv2.CC_STAT_LEFT]
    bottom, right = top + stats[:, cv2.CC_STAT_HEIGHT], left + stats[:, cv2.CC_STAT_WIDTH]
    inner = (bottom > _EDGE) & (top < height - _EDGE) & (right > _EDGE) & (left < width - _EDGE)
    inner[0] = False
    kept: Mask = inner[labels]
    return kept


def has_writing(field: Field) -> bool:
    """Whether anything was written: one piece of ink at least as large as a hyphen."""
    count, _, stats, _ = cv2.connectedComponentsWithStats(field.ink.astype(np.uint8), connectivity=8)
    tall = np.maximum(stats[1:count, cv2.CC_STAT_HEIGHT], stats[1:count, cv2.CC_STAT_WIDTH])
    return bool(((tall >= _PIECE_LEAST) & (stats[1:count, cv2.CC_STAT_AREA] >= 4 * SPECK)).any())


# ---------------------------------------------------------------- lines


def lines(field: Field) -> list[tuple[int, int]]:
    """Top and bottom of each line of writing, found in the sums over rows; neighbours share the rows between them."""
    sums = field.ink.sum(axis=1).astype(np.float32)
    smooth = cv2.GaussianBlur(sums.reshape(-1, 1), (1, 9), 2.0).ravel()
    rows = runs(smooth > max(1.0, min(0.06 * float(smooth.max()), _ONE_LETTER)))
    return _merged(_split(rows, smooth))


def is_whole(field: Field, rows: Sequence[tuple[int, int]]) -> bool:
    """Whether lines hold all that was written."""
    rest = field.ink.copy()
    for top, bottom in rows:
        rest[top:bottom] = False
    _, _, stats, _ = cv2.connectedComponentsWithStats(rest.astype(np.uint8), connectivity=8)
    return int(stats[1:, cv2.CC_STAT_AREA].max(initial=0)) < 4 * SPECK


def _split(rows: Sequence[tuple[int, int]], smooth: NDArray[np.float32]) -> list[tuple[int, int]]:
    """Lines that touch are parted at the emptiest row between them."""
    found: list[tuple[int, int]] = []
    for start, end in rows:
        at = start
        while end - at > 62:  # noqa: PLR2004  (a line of 10 points is 50 pixels from ascender to descender)
            window = smooth[at + 24 : at + 54]
            cut = at + 24 + int(np.argmin(window))
            if float(window.min()) > 0.6 * float(smooth[at : at + 24].max()):  # large writing, not two lines
                break
            found.append((at, cut))
            at = cut
        found.append((at, end))
    return found


def _merged(rows: Sequence[tuple[int, int]]) -> list[tuple[int, int]]:
    """Accents and dots that stand apart join the line that is nearest."""
    found = [run for run in rows if run[1] - run[0] >= 12]  # noqa: PLR2004
    if not found:
        return [(rows[0][0], rows[-1][1])] if rows else []
    for start, end in rows:
        if end - start < 12:  # noqa: PLR2004
            nearest = min(range(len(found)), key=lambda i: min(abs(found[i][0] - end), abs(start - found[i][1])))
            top, bottom = found[nearest]
            if min(abs(top - end), abs(start - bottom)) <= 14:  # noqa: PLR2004
                found[nearest] = (min(top, start), max(bottom, end))
    return sorted(found)


def is_even(ink: Mask, letters: int) -> bool:
    """Whether a line of so many letters stands on one line in pieces, as type does; hands rise and fall, and join letters."""
    count, _, stats, _ = cv2.connectedComponentsWithStats(ink.astype(np.uint8), connectivity=8)
    tall = stats[1:count][stats[1:count, cv2.CC_STAT_HEIGHT] >= _LETTER]
    if len(tall) < _FEW:
        return letters < 2 * _FEW
    x, feet = tall[:, cv2.CC_STAT_LEFT] + tall[:, cv2.CC_STAT_WIDTH] / 2, (tall[:, cv2.CC_STAT_TOP] + tall[:, cv2.CC_STAT_HEIGHT]).astype(np.float64)
    most = 0
    for slope in (-0.01, -0.005, 0.0, 0.005, 0.01):
        level = np.sort(feet - slope * x)
        most = max(most, int((np.searchsorted(level, level + _SAME_FOOT, "right") - np.arange(len(level))).max()))
    return most >= _EVEN * len(tall)


# ---------------------------------------------------------------- for the engines


def drawn(field: Field, rows: tuple[int, int] | None = None) -> Strip:
    """Gray, what was printed painted over with paper, trimmed to the box around the pieces of ink."""
    ink = field.ink if rows is None else _only_rows(field.ink, rows)
    top, bottom, left, right = _around(ink)
    near = cv2.dilate(field.ink.astype(np.uint8), np.ones((5, 5), np.uint8)) > 0
    covered = cv2.dilate((field.printed > 40).astype(np.uint8), np.ones((2 * _REACH + 1, 2 * _REACH + 1), np.uint8)) > 0  # noqa: PLR2004
    shown = np.where(covered & ~near, 0, field.dark).astype(np.uint8)
    return Strip(picture=_black_on_white(shown[top:bottom, left:right], field), rows=(top, bottom), columns=(left, right))


def shaded(field: Field, rows: tuple[int, int] | None = None) -> Strip:
    """Gray, the shade of the printed lines subtracted, trimmed where sums over rows and columns rise above paper."""
    print_ = cv2.dilate(field.printed, np.ones((5, 5), np.uint8))
    shown = cv2.subtract(field.dark, cv2.GaussianBlur(print_, (0, 0), 1.5)).astype(np.uint8)
    first, last = rows if rows is not None else (0, shown.shape[0])
    part = shown[first:last].astype(np.float32)
    strong = np.where(part > max(_FAINT, 2.5 * field.noise), part, 0)
    top, bottom = _span(strong.sum(axis=1), 150.0)
    left, right = _span(strong[top:bottom].sum(axis=0), 110.0)
    top, bottom = _widened(first + top, first + bottom, shown.shape[0], _LINE_LEAST)
    left, right = _widened(left, right, shown.shape[1], 0)
    return Strip(picture=_black_on_white(shown[top:bottom, left:right], field), rows=(top, bottom), columns=(left, right))


def outside(field: Field, strip: Strip, least: int) -> int:
    """Pixels of a faint stroke of more than `least` that a strip does not show, else of the largest: a word in pencil beside a typed one, toner that failed.

    A stain is none, and neither is what is left of a frame.
    """
    soft = cv2.GaussianBlur(field.dark, (0, 0), 1.0)
    size = 2 * _REACH + 3
    near = cv2.dilate((field.printed > 40).astype(np.uint8), np.ones((size, size), np.uint8)) > 0  # noqa: PLR2004
    faint = _without_edge((soft > max(0.7 * _FAINT, 2.5 * field.noise)) & ~near)
    faint[strip.rows[0] : strip.rows[1], strip.columns[0] : strip.columns[1]] = False
    _, labels, stats, _ = cv2.connectedComponentsWithStats(faint.astype(np.uint8), connectivity=8)
    sizes = stats[:, cv2.CC_STAT_AREA] * (stats[:, [cv2.CC_STAT_WIDTH, cv2.CC_STAT_HEIGHT]].min(axis=1) > _LINE_REST)
    sizes[0] = 0
    for number in np.flatnonzero(sizes > least):
        piece = labels == number
        if not _is_stain(piece, soft.astype(np.uint8), field.strength):
            return int(sizes[number])
    return int(sizes[sizes <= least].max(initial=0))


def _is_stain(piece: Mask, dark: Gray, strength: float) -> bool:
    """Whether a piece is broader than pens draw, and paler than half of the writing."""
    thick = float(cv2.distanceTransform(np.pad(piece.astype(np.uint8), 1), cv2.DIST_L2, 3).max())
    return thick > PEN and float(np.percentile(dark[piece], 90)) < strength / 2


def _only_rows(ink: Mask, rows: tuple[int, int]) -> Mask:
    part = np.zeros_like(ink)
    part[rows[0] : rows[1]] = ink[rows[0] : rows[1]]
    return part


def _around(ink: Mask) -> tuple[int, int, int, int]:
    """Top, bottom, left and right around ink, with a margin."""
    rows, columns = np.flatnonzero(ink.any(axis=1)), np.flatnonzero(ink.any(axis=0))
    if not len(rows):
        return (0, ink.shape[0], 0, ink.shape[1])
    top, bottom = _widened(int(rows[0]), int(rows[-1]) + 1, ink.shape[0], _LINE_LEAST)
    left, right = _widened(int(columns[0]), int(columns[-1]) + 1, ink.shape[1], 0)
    return top, bottom, left, right


def _span(sums: NDArray[np.floating], least: float) -> tuple[int, int]:
    """From the first to the last place that holds enough."""
    where = np.flatnonzero(sums > least)
    return (int(where[0]), int(where[-1]) + 1) if len(where) else (0, len(sums))


def _widened(start: int, end: int, most: int, least: int) -> tuple[int, int]:
    """A span with its margin, and so much wider that it has the least size."""
    lack = max(least - (end - start), 0)
    return max(start - _MARGIN - lack // 2, 0), min(end + _MARGIN + (lack + 1) // 2, most)


def _black_on_white(dark: Gray, field: Field) -> Gray:
    """Darkness as a picture, stretched so that the darkest ink of the field is black."""
    scale = 255.0 / max(field.strength, 60.0)
    picture: Gray = np.clip(255.0 - dark.astype(np.float32) * scale, 0, 255).astype(np.uint8)
    return picture
