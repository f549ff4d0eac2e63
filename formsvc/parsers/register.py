"""Finds where a form's page lies in a picture: codes and corner marks first, then hundreds of printed details.

A map from four marks alone is off by many pixels as soon as paper bends, so it is refined: details of the blank are
looked for around the place where they should be, and a smooth field of shifts is fitted to what was found.
Method and limits: the trial in the notes on scans (dense refinement, robust polynomials of degree 1 to 5).
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Final

import cv2
import numpy as np
from numpy.typing import NDArray

from formsvc.model.layout import Layout, Slot
from formsvc.model.paper import mark_boxes, matrix_box, qr_box
from formsvc.parsers.frame import SCALE, STEP, Frame, Points, corners, framed, knots
from formsvc.parsers.markers import find_markers
from formsvc.parsers.raster import Gray, open_pages
from formsvc.parsers.sight import Seen

_HALF: Final = 17  # frame pixels from the middle of a detail to its edges
_DETAILS: Final = 320
_APART: Final = 34.0
_LIKE: Final = 0.55
"""A detail that is less like the blank than this (correlation) was not found."""
_TOO_FEW: Final = 24
_NEIGHBOUR: Final = 75.0
"""Frame pixels within which paper moves alike."""
_CALM: Final = 0.6
_MARKS_ENOUGH: Final = 4


@dataclass(frozen=True, slots=True, eq=False)
class Registered:
    """A page found: its frame, and how sure that is."""

    frame: Frame
    error: float
    """Root of the mean square of what is left of the shifts, in frame pixels."""
    found: float
    """The share of the printed details that were found."""
    alike: float
    """How much they look like the blank's, 1 is alike."""


@dataclass(frozen=True, slots=True, eq=False)
class Reference:
    """A page of a form as it was printed: what the picture is compared with."""

    width: float
    height: float
    blank: Gray
    """The page without answers at 200 dpi."""
    details: Points
    """Middles of its printed details, in the page frame."""


def reference_of(blank: bytes, layout: Layout, page: int) -> Reference:
    """A page of a blank form as it is looked for in pictures. For the sandbox, not because it is dangerous: a process that has computed with OpenCV should not be forked."""
    with open_pages(blank) as pages:
        return reference(layout, page, pages.exactly(page))


def reference(layout: Layout, page: int, blank: Gray) -> Reference:
    """Choose the printed details of a page that are worth looking for; nobody writes there, and each stands by itself."""
    sheet = layout.pages[page - 1]
    mask = np.full(blank.shape, 255, np.uint8)
    mask[:40], mask[-40:], mask[:, :40], mask[:, -40:] = 0, 0, 0, 0
    for slot in layout.slots:
        if slot.page == page:
            left, bottom, right, top = slot.box
            rows, columns = slice(max(round((sheet.height - top) * SCALE) + 6, 0), round((sheet.height - bottom) * SCALE) - 5), slice(max(round(left * SCALE) + 6, 0), round(right * SCALE) - 5)
            mask[rows, columns] = 0
    soft = cv2.GaussianBlur(blank, (0, 0), 1.5)
    found: Any = cv2.goodFeaturesToTrack(soft, _DETAILS, 0.02, _APART, mask=mask, blockSize=15)
    details = np.zeros((0, 2)) if found is None else np.asarray(found, dtype=np.float64).reshape(-1, 2)
    return Reference(sheet.width, sheet.height, blank, details)


# ---------------------------------------------------------------- roughly


def roughly(picture: Gray, seen: Seen | None, layout: Layout, page: int, *, is_print: bool = False) -> tuple[NDArray[np.float64], int] | None:
    """A homography from the page frame to the picture by codes and corner marks, and how many of them; None if there are too few.

    A print to PDF (`is_print`) has no perspective: what looks like some is inexact, and would grow where no mark is.
    """
    pairs = list(_code_pairs(picture, seen, layout, page))
    if not (is_print and len(pairs) > 1):  # the two codes of a print are exact, and looking for marks takes as long as reading all ticks
        pairs += _mark_pairs(picture, layout, page)
    if not pairs:
        return None
    ours, theirs = np.concatenate([pair[0] for pair in pairs]), np.concatenate([pair[1] for pair in pairs])
    if len(pairs) == 1:
        found: Any = cv2.estimateAffinePartial2D(ours, theirs, method=cv2.RANSAC, ransacReprojThreshold=4.0)[0]
    elif len(pairs) == 2 or is_print:  # noqa: PLR2004
        found = cv2.estimateAffine2D(ours, theirs, method=cv2.RANSAC, ransacReprojThreshold=6.0)[0]
    else:
        found = cv2.findHomography(ours, theirs, cv2.RANSAC, 0.006 * max(picture.shape))[0]
    if found is None:
        return None
    matrix = np.vstack([found, (0, 0, 1)]) if found.shape == (2, 3) else found
    return (matrix.astype(np.float64), len(pairs)) if _is_sane(matrix, layout, page) else None


def _is_sane(matrix: NDArray[np.float64], layout: Layout, page: int) -> bool:
    """Whether a page stays a page: not mirrored, not folded over itself, not a speck."""
    sheet = _sheet(layout, page)
    found = cv2.perspectiveTransform(corners((0, 0, sheet.width, sheet.height), sheet.height)[None], matrix)[0]
    edges = np.roll(found, -1, axis=0) - found
    turns = [edges[n][0] * edges[(n + 1) % 4][1] - edges[n][1] * edges[(n + 1) % 4][0] for n in range(4)]
    return bool(min(turns) > 0 and np.hypot(edges[:, 0], edges[:, 1]).min() > 300)  # noqa: PLR2004


def _sheet(layout: Layout, page: int) -> Any:
    return layout.pages[min(page, len(layout.pages)) - 1]


def stamp_slots(layout: Layout, page: int) -> tuple[Slot, Slot]:
    """The places of a page's two stamps; added pages have them where the first page has."""
    number = page if f"stamp-a-{page}" in layout.by_name else 1
    return layout.by_name[f"stamp-a-{number}"], layout.by_name[f"stamp-b-{number}"]


def _code_pairs(picture: Gray, seen: Seen | None, layout: Layout, page: int) -> Iterator[tuple[Points, Points]]:
    height, width = picture.shape
    first, second = stamp_slots(layout, page)
    boxes = {"qr": qr_box(first.box), "matrix": matrix_box(second.box)}
    for code in seen.codes if seen else ():
        yield corners(boxes[code.kind], _sheet(layout, page).height), np.array(code.corners) * (width, height)


def _mark_pairs(picture: Gray, layout: Layout, page: int) -> Iterator[tuple[Points, Points]]:
    """Corner marks with the page's own numbers."""
    sheet = _sheet(layout, page)
    wanted = mark_boxes(page, sheet.width, sheet.height)
    for number, quad in find_markers(picture):
        if number in wanted:
            yield corners(wanted[number], sheet.height), quad


def by_print(picture: Gray, printed: Reference) -> NDArray[np.float64] | None:
    """A homography by what the page prints, where codes and marks are lost: details of both matched (SIFT, at 100 dpi)."""
    small = cv2.resize(printed.blank, None, fx=0.5, fy=0.5, interpolation=cv2.INTER_AREA)
    scale = max(small.shape) / max(picture.shape)
    other = cv2.resize(picture, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
    sift = cv2.SIFT.create(2500)
    ours, our_signs = sift.detectAndCompute(small, None)
    theirs, their_signs = sift.detectAndCompute(other, None)
    if our_signs is None or their_signs is None or len(theirs) < _TOO_FEW:
        return None
    pairs = cv2.BFMatcher().knnMatch(our_signs, their_signs, k=2)
    good = [first for first, second in (pair for pair in pairs if len(pair) == 2) if first.distance < 0.78 * second.distance]  # noqa: PLR2004
    if len(good) < _TOO_FEW:
        return None
    source, target = np.array([ours[match.queryIdx].pt for match in good]) * 2, np.array([theirs[match.trainIdx].pt for match in good]) / scale
    matrix, inliers = cv2.findHomography(source, target, cv2.RANSAC, 8.0)
    return np.asarray(matrix, dtype=np.float64) if matrix is not None and int(inliers.sum()) >= _TOO_FEW else None


# ---------------------------------------------------------------- closely


def closely(picture: Gray, printed: Reference, matrix: NDArray[np.float64], *, marks: int) -> Registered:
    """Refine a rough map by the printed details; with few marks, or far off, it looks further around."""
    frame = framed(printed.width, printed.height, matrix)
    widest = 12 if marks >= 4 else 26  # noqa: PLR2004
    steps: Sequence[tuple[int, int]] = ((widest, 3), (10, 4), (6, 5))
    found = Registered(frame, 99.0, 0.0, 0.0)
    for number, (radius, degree) in enumerate(steps):  # coarse to fine
        found = _refined(picture, printed, found.frame, radius, degree)
        if number == 0 and found.found < 0.55 and radius < 26:  # noqa: PLR2004  (it was further off than the marks said: bent paper)
            found = _refined(picture, printed, framed(printed.width, printed.height, matrix), 26, 3)
    return _locally(picture, printed, found)


def closely_flat(picture: Gray, printed: Reference, matrix: NDArray[np.float64]) -> Registered:
    """Refine the map of a page that cannot bend: a print to PDF. Fewer details are enough."""
    few = Reference(printed.width, printed.height, printed.blank, printed.details[:120])
    found = _refined(picture, few, framed(printed.width, printed.height, matrix), 7, 1)
    return _refined(picture, few, framed(printed.width, printed.height, matrix), 20, 1) if found.found < 0.5 else found  # noqa: PLR2004


def by_marks(picture: Gray, seen: Seen, printed: Reference, layout: Layout, page: int) -> Registered | None:
    """The map of a page that cannot bend by its codes and all corner marks alone: a viewer that has not our font moves every word. None if they do not agree."""
    pairs = list(_mark_pairs(picture, layout, page))
    if len(pairs) < len(mark_boxes(page, printed.width, printed.height)):
        pairs += _code_pairs(picture, seen, layout, page)
    if len(pairs) < _MARKS_ENOUGH:
        return None
    ours, theirs = np.concatenate([pair[0] for pair in pairs]), np.concatenate([pair[1] for pair in pairs])
    basis = np.hstack([ours, np.ones((len(ours), 1))])
    matrix = np.vstack([np.linalg.lstsq(basis, theirs, rcond=None)[0].T, (0, 0, 1)])
    left = theirs - basis @ matrix[:2].T
    error = float(np.sqrt((left**2).sum(axis=1).mean() / max(abs(np.linalg.det(matrix[:2, :2])), 1e-6)))
    return Registered(framed(printed.width, printed.height, matrix), error, 1.0, 1.0)


def _refined(picture: Gray, printed: Reference, frame: Frame, radius: int, degree: int) -> Registered:
    flat = frame.whole(picture)
    middles, shifts, likes = _matches(flat, printed, radius)
    if len(middles) < _TOO_FEW:
        return Registered(frame, 99.0, len(middles) / max(len(printed.details), 1), 0.0)
    shape = (printed.width * SCALE, printed.height * SCALE)
    fit, weights = _fitted(middles, shifts, shape, degree)
    left = shifts - _basis(middles, shape, degree) @ fit
    close = weights > 0.2  # noqa: PLR2004
    error = float(np.sqrt((left[close] ** 2).sum(axis=1).mean())) if close.any() else 99.0
    rows, columns = frame.grid.shape[:2]
    places = knots(rows, columns)
    moved = frame.moved(_basis(places, shape, degree) @ fit)
    return Registered(moved, error, float(close.sum()) / max(len(printed.details), 1), float(likes[close].mean()) if close.any() else 0.0)


def _locally(picture: Gray, printed: Reference, found: Registered) -> Registered:
    """The last step: what is left of the shifts around each place, where neighbours agree on it. A fold is sharper than any polynomial."""
    middles, shifts, likes = _matches(found.frame.whole(picture), printed, 6)
    if len(middles) < _TOO_FEW:
        return found
    near = np.exp(-((middles[:, None] - middles[None]) ** 2).sum(axis=2) / (2 * _NEIGHBOUR**2)) * likes
    mean = near @ shifts / near.sum(axis=1, keepdims=True)
    agree = np.hypot(*(shifts - mean).T) < 1.2  # noqa: PLR2004  (frame pixels)
    if agree.sum() < _TOO_FEW:
        return found
    rows, columns = found.frame.grid.shape[:2]
    down, across = (_bells(np.arange(count) * STEP, middles[agree, axis]) for count, axis in ((rows, 1), (columns, 0)))  # a bell in two directions is their product
    sums = [(down * weights) @ across.T for weights in (*shifts[agree].T, np.ones(int(agree.sum())))]
    local = np.stack([sums[0], sums[1]], axis=2).reshape(-1, 2) / (sums[2].reshape(-1, 1) + _CALM)
    error = float(np.sqrt(((shifts - mean)[agree] ** 2).sum(axis=1).mean()))
    return Registered(found.frame.moved(local), error, float(agree.sum()) / max(len(printed.details), 1), float(likes[agree].mean()))


def _bells(places: NDArray[np.floating], middles: NDArray[np.floating]) -> NDArray[np.float64]:
    """[places, middles]: how near each is to each, 1 where they meet."""
    return np.asarray(np.exp(-((places[:, None] - middles[None]) ** 2) / (2 * _NEIGHBOUR**2)))


def _matches(flat: Gray, printed: Reference, radius: int) -> tuple[Points, Points, NDArray[np.float64]]:
    """The details found: their middles, their shifts and how alike they are."""
    middles, shifts, likes = [], [], []
    reach = _HALF + radius
    high, wide = flat.shape
    for x, y in printed.details:
        column, row = round(x), round(y)
        if not (reach <= column < wide - reach and reach <= row < high - reach):
            continue
        wanted = printed.blank[row - _HALF : row + _HALF + 1, column - _HALF : column + _HALF + 1]
        around = flat[row - reach : row + reach + 1, column - reach : column + reach + 1]
        scores = cv2.matchTemplate(around, wanted, cv2.TM_CCOEFF_NORMED)
        _, best, _, (across, down) = cv2.minMaxLoc(scores)
        if best < _LIKE or not 0 < across < 2 * radius or not 0 < down < 2 * radius:
            continue
        middles.append((column, row))
        shifts.append((across - radius + _peak(scores[down, across - 1 : across + 2]), down - radius + _peak(scores[down - 1 : down + 2, across])))
        likes.append(best)
    return np.array(middles, dtype=np.float64).reshape(-1, 2), np.array(shifts, dtype=np.float64).reshape(-1, 2), np.array(likes)


def _peak(three: NDArray[Any]) -> float:
    """Where a parabola through three scores is highest, from the middle one."""
    before, here, after = (float(value) for value in three)
    bend = before - 2 * here + after
    return 0.5 * (before - after) / bend if bend < 0 else 0.0


def _basis(points: Points, shape: tuple[float, float], degree: int) -> Points:
    x, y = 2 * points[:, 0] / shape[0] - 1, 2 * points[:, 1] / shape[1] - 1
    return np.stack([x**across * y**down for across in range(degree + 1) for down in range(degree + 1 - across)], axis=1)


def _fitted(middles: Points, shifts: Points, shape: tuple[float, float], degree: int) -> tuple[Points, NDArray[np.float64]]:
    """A smooth field of shifts, fitted again and again with less weight for what does not follow it; simple ones first."""
    weights = np.ones(len(middles))
    fit = np.zeros((0, 2))
    for level in (0, 1, *range(2, degree + 1), degree, degree):
        basis = _basis(middles, shape, level)
        root = np.sqrt(weights)[:, None]
        small = 1e-3 * np.eye(basis.shape[1])  # keeps the corners calm where details are few
        fit = np.linalg.lstsq(np.vstack([basis * root, small]), np.vstack([shifts * root, np.zeros((basis.shape[1], 2))]), rcond=None)[0]
        left = np.hypot(*(shifts - basis @ fit).T)
        spread = max(1.4826 * float(np.median(left)), 0.15)
        weights = np.clip(1 - (left / (4.5 * spread)) ** 2, 0, 1) ** 2
    return fit, weights
