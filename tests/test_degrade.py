"""Simulated paper is as true as what is measured with it: places are exact, pictures repeat, files open.

The page of these tests is a quarter of a letter sheet, so that they are quick.
"""

import io
from collections.abc import Callable, Mapping
from typing import Final

import cv2
import numpy as np
import pypdfium2
import pytest
from numpy.typing import NDArray
from PIL import Image, ImageOps

from benchmarks.scans.degrade import DEGRADATIONS, Degradation
from benchmarks.scans.harder import HARDER
from benchmarks.scans.images import FileKind, Word, available, to_files, wrap_searchable
from benchmarks.scans.scene import Harder

Picture = NDArray[np.uint8]
Points = NDArray[np.float64]

WAYS: Final[Mapping[str, Degradation | Harder]] = {**DEGRADATIONS, **HARDER}
SIZE: Final = (1276, 1650)
RADIUS: Final = 13
DOTS: Final = np.array([(x, y) for y in np.linspace(170, 1480, 7).round() for x in np.linspace(150, 1126, 5).round()])
COARSE: Final = {
    "low toner": 1.5,  # dots have holes on one side
    "streaks": 0.9,  # one may touch a whole column of dots
    "hard photo": 0.6,  # its blur of four pixels reaches half a pixel further to one side
    "dithered": 0.45,  # the dust is carried on to the right and down
}
"""Where the middle of a dot is not the place of the dot, by the nature of the thing: pixels."""


@pytest.fixture(scope="module")
def dotted() -> Picture:
    page = np.full(SIZE[::-1], 255, np.uint8)
    for x, y in DOTS.astype(int):
        cv2.circle(page, (int(x), int(y)), RADIUS, 0, -1, cv2.LINE_AA)
    return page


def middle_of_dot(picture: Picture, place: Points, ratio: Points) -> Points | None:
    """The middle of the dark thing near a place, when it has about the size of a dot."""
    reach = (ratio * RADIUS * 2).astype(int) + 2
    corner = np.round(place).astype(int) - reach
    if (corner < 0).any() or (corner + 2 * reach + 1 > picture.shape[::-1]).any():
        return None
    part = picture[corner[1] : corner[1] + 2 * reach[1] + 1, corner[0] : corner[0] + 2 * reach[0] + 1].astype(np.float32)
    dark = np.clip(np.median(part) - part, 0, None)
    _, labels, sizes, _ = cv2.connectedComponentsWithStats((dark > 0.45 * dark.max()).astype(np.uint8))
    if len(sizes) < 2:
        return None
    largest = 1 + int(np.argmax(sizes[1:, cv2.CC_STAT_AREA]))
    if not 0.5 < sizes[largest, cv2.CC_STAT_AREA] / (np.pi * RADIUS**2 * ratio.prod()) < 1.5:
        return None
    weight = cv2.dilate((labels == largest).astype(np.uint8), np.ones((3, 3), np.uint8)) * dark
    down, across = np.mgrid[0 : part.shape[0], 0 : part.shape[1]]
    return np.asarray(np.array([(across * weight).sum(), (down * weight).sum()]) / weight.sum() + corner, dtype=np.float64)


def errors(picture: Picture, mapping: Callable[[Points], Points]) -> Points:
    """How far the dots that are seen lie from where they are said to lie."""
    picture = (255 - picture).astype(np.uint8) if np.median(picture) < 60 else picture
    found = []
    for dot, place in zip(DOTS, mapping(DOTS), strict=True):
        steps = np.abs(mapping(dot + np.array([[8.0, 0], [0, 8]])) - place) / 8
        middle = middle_of_dot(picture, place, steps.max(axis=0))
        found += [] if middle is None else [np.hypot(*(middle - place))]
    return np.array(found)


@pytest.mark.parametrize("name", WAYS)
def test_places_are_exact(name: str, dotted: Picture) -> None:
    """A dot lies where the mapping says, to 0.3 pixels; most dots are seen, and four of five of them are not disturbed by what happened to the paper."""
    degraded = WAYS[name].apply(dotted, np.random.default_rng(7))
    off = errors(degraded.image, degraded.mapping)
    assert len(off) > 0.5 * len(DOTS)
    assert np.quantile(off, 0.8) < COARSE.get(name, 0.3)


@pytest.mark.parametrize("name", WAYS)
def test_pictures_repeat(name: str) -> None:
    """The same seed gives the same picture, and it is not the page."""
    page = np.full((330, 426), 255, np.uint8)
    page[100:200, 100:300] = 0
    first, second = (WAYS[name].apply(page, np.random.default_rng(5)) for _ in range(2))
    assert np.array_equal(first.image, second.image)
    assert not np.array_equal(first.image, page)


def test_enough_is_held_out() -> None:
    """No name twice; about a third is for learning, and none of the harder ones."""
    assert not set(DEGRADATIONS) & set(HARDER)
    assert 10 <= sum(way.training for way in WAYS.values()) <= len(WAYS) // 2
    assert not any(way.training for way in HARDER.values())


@pytest.mark.parametrize("name", HARDER)
def test_harder_ways_keep_colour(name: str) -> None:
    """A page in colour becomes a picture in colour, except where a machine knows only black and white."""
    page = np.full((330, 426, 3), 255, np.uint8)
    image = HARDER[name].apply(page, np.random.default_rng(5)).image
    assert image.ndim == (2 if HARDER[name].family == "bilevel" else 3)


GRAY: Final = np.tile(np.linspace(0, 255, 200).astype(np.uint8), (120, 1))
BLACK: Final = np.where(GRAY < 128, 0, 255).astype(np.uint8)
COLOUR: Final = np.dstack([GRAY, np.full_like(GRAY, 90), np.flipud(GRAY)])


@pytest.mark.parametrize("picture", [GRAY, BLACK, COLOUR], ids=["gray", "black", "colour"])
@pytest.mark.parametrize("kind", ["jpeg", "png", "tiff", "heic"])
def test_a_picture_opens_again(kind: FileKind, picture: Picture) -> None:
    """Packed and opened, the picture is the same, but for what JPEG and HEIC lose."""
    if not available(kind):
        pytest.skip("no HEIC writer here")
    with Image.open(io.BytesIO(to_files([picture], kind, dpi=150))) as opened:
        found = np.asarray(opened.convert("RGB" if picture.ndim == 3 else "L"))
        if kind != "heic":  # what a phone writes has none
            assert [round(float(part)) for part in opened.info["dpi"]] == [150, 150]
    assert np.abs(found.astype(int) - picture).mean() < (6 if kind in {"jpeg", "heic"} else 0.01)


def test_a_pdf_has_a_page_for_each_picture_in_its_size() -> None:
    """Pages have the size of the paper, also where dots are not square; black and white is kept exactly."""
    pages = pypdfium2.PdfDocument(to_files([GRAY, BLACK, COLOUR], "pdf", dpi=(200, 100)))
    for page, picture in zip(pages, [GRAY, BLACK, COLOUR], strict=True):
        assert page.get_size() == pytest.approx((72, 86.4), abs=0.01)
        shown = page.render(scale=200 / 72, rev_byteorder=True).to_numpy()[::2][:120]
        expected = picture if picture.ndim == 3 else np.dstack([picture] * 3)
        assert np.abs(shown.astype(int) - expected).mean() < 6


def test_a_tiff_holds_all_pages() -> None:
    """Several pages, each in its own compression."""
    with Image.open(io.BytesIO(to_files([GRAY, BLACK, COLOUR], "tiff"))) as opened:
        kinds = []
        for number in range(3):
            opened.seek(number)
            kinds.append((opened.mode, opened.info["compression"]))
    assert kinds == [("L", "tiff_lzw"), ("1", "group4"), ("RGB", "tiff_lzw")]


@pytest.mark.parametrize("orientation", [1, 3, 6, 8])
def test_a_phone_turns_by_exif(orientation: int) -> None:
    """Stored turned, shown upright by whoever obeys the orientation."""
    with Image.open(io.BytesIO(to_files([COLOUR], "jpeg", orientation=orientation))) as opened:
        upright = np.asarray(ImageOps.exif_transpose(opened))
        assert (opened.size == (200, 120)) == (orientation in {1, 3})
    assert np.abs(upright.astype(int) - COLOUR).mean() < 6


def test_one_picture_only_where_a_file_holds_one() -> None:
    """JPEG has no second page."""
    with pytest.raises(ValueError, match="too many values"):
        to_files([GRAY, GRAY], "jpeg")


def test_a_searchable_pdf_has_text_that_nobody_sees() -> None:
    """The words are in the text layer at their places; the page looks as without them."""
    white = np.full((400, 600), 255, np.uint8)
    [page] = pypdfium2.PdfDocument(wrap_searchable([white], [[Word("Señora", (20, 50, 80, 62)), Word("Case", (90, 50, 130, 62))]]))
    text = page.get_textpage()
    assert text.get_text_range().split() == ["Señora", "Case"]
    left, bottom, right, top = text.get_charbox(0)
    assert 20 <= left < right < 40
    assert 48 <= bottom < top <= 64
    assert (page.render().to_numpy() == 255).all()
