"""What can be seen on a page at first sight: our stamps with their places, a printed document id, ink or none.

A page of a file may show several pages of forms (printed two-up), none, or the back of one.
"""

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from hashlib import sha256
from typing import Final

import cv2
import numpy as np
import zxingcpp

from formsvc.model.stamp import Read, from_words, read_stamp
from formsvc.parsers.raster import Gray, Pages, open_pages

Corners = tuple[tuple[float, float], ...]
"""Top left, top right, bottom right, bottom left of a code as it is read, in shares of the page's width and height from its top left."""

DPI: Final = 200.0
PAGES_AT_ONCE: Final = 2
_WORDS: Final = re.compile(r"\b([0-9A-Z]{5}-[0-9A-Z]{5}-[0-9A-Z*~$=])")
_CODES: Final = (zxingcpp.BarcodeFormat.QRCode, zxingcpp.BarcodeFormat.DataMatrix)
_INK: Final = 0.0006
"""A blank back shows less ink than this share of its pixels."""
_THIN: Final = 200  # pixels on the shorter side: nothing of ours fits on less
_DARK: Final = 90
_SMALL: Final = 900  # pixels on the longer side: too small a picture to read a form from


@dataclass(frozen=True, slots=True, kw_only=True)
class Code:
    """One of our stamps where it was seen; `kind` is qr or matrix."""

    kind: str
    corners: Corners


@dataclass(frozen=True, slots=True, kw_only=True)
class Seen:
    """A page of a form on a page of the file."""

    read: Read
    codes: tuple[Code, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Sight:
    """A page of a file, from 1: the pages of forms on it, and what it is otherwise."""

    page: int
    seen: tuple[Seen, ...]
    words: tuple[str, ...]
    """Document ids printed in words that fit their check character."""
    is_scan: bool
    is_blank: bool
    is_small: bool
    is_dark: bool
    digest: bytes
    """Equal for pages that look the same to the last dot."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Sights:
    """So many pages of a file that has `count`."""

    count: int
    pages: tuple[Sight, ...]


def look(content: bytes, key: bytes, password: str | None = None, first: int = 1) -> Sights:
    """What the pages of a file show, `PAGES_AT_ONCE` from `first` on. For the sandbox."""
    with open_pages(content, password) as pages:
        numbers = range(first, min(first + PAGES_AT_ONCE, pages.count + 1))
        return Sights(count=pages.count, pages=tuple(_sight(pages, number, key) for number in numbers))


def _sight(pages: Pages, number: int, key: bytes) -> Sight:
    picture = pages.positive(number, DPI)
    page = pages.pdf_page(number)
    text = page.get_textpage().get_text_bounded() if page is not None else ""
    words = tuple(dict.fromkeys(document for match in _WORDS.finditer(text) if (document := from_words(match[1]))))
    is_thin, is_dark = min(picture.shape) < _THIN, float(np.percentile(picture[::8, ::8], 99)) < _DARK
    seen = () if is_thin else tuple(_seen(picture, key, is_crisp=not pages.is_scan(number)))
    return Sight(
        page=number, seen=seen, words=words, is_scan=pages.is_scan(number), is_small=max(picture.shape) < _SMALL, is_dark=is_dark,
        is_blank=not (seen or is_dark or is_thin or text.strip()) and _is_blank(picture), digest=sha256(picture.tobytes()).digest(),
    )  # fmt: skip


def _is_blank(picture: Gray) -> bool:
    small = cv2.resize(picture, None, fx=0.5, fy=0.5, interpolation=cv2.INTER_AREA)
    inner = small[small.shape[0] // 25 : -small.shape[0] // 25 or None, small.shape[1] // 25 : -small.shape[1] // 25 or None]
    paper = float(np.median(inner))
    return float((inner < paper * 0.72).mean()) < _INK


def _seen(picture: Gray, key: bytes, *, is_crisp: bool) -> Iterator[Seen]:
    """The pages of forms whose codes a picture shows, each once."""
    found: dict[Read, list[Code]] = {}
    for read, code in _codes(picture, key, is_crisp=is_crisp):
        if all(known.kind != code.kind for known in found.setdefault(read, [])):
            found[read].append(code)
    for read, codes in found.items():
        yield Seen(read=read, codes=tuple(codes))


def _codes(picture: Gray, key: bytes, *, is_crisp: bool) -> list[tuple[Read, Code]]:
    """Our codes on a picture: looked for plainly first (what was drawn, not scanned, in half the time), then with what helps weak and noisy ones."""
    if is_crisp and (found := list(_read_codes(picture, 1.0, picture.shape, key, is_crisp=True))):
        return found
    for prepare in _PREPARED:
        other, scale = prepare(picture)
        if found := list(_read_codes(other, scale, picture.shape, key)):
            return found
    return []


def _read_codes(picture: Gray, scale: float, shape: tuple[int, ...], key: bytes, *, is_crisp: bool = False) -> Iterator[tuple[Read, Code]]:
    height, width = shape[:2]
    for found in zxingcpp.read_barcodes(picture, formats=_CODES, try_invert=not is_crisp, try_downscale=not is_crisp):
        read = read_stamp(found.text, key)
        if read is None:
            continue
        place = found.position
        corners = tuple(((point.x + 0.5) / scale / width, (point.y + 0.5) / scale / height) for point in (place.top_left, place.top_right, place.bottom_right, place.bottom_left))
        yield read, Code(kind="qr" if found.format == zxingcpp.BarcodeFormat.QRCode else "matrix", corners=corners)


def _scaled(picture: Gray, scale: float) -> tuple[Gray, float]:
    return cv2.resize(picture, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA if scale < 1 else cv2.INTER_CUBIC).astype(np.uint8), scale


def _closed(picture: Gray) -> Gray:
    """Small holes of weak toner filled: dark parts joined."""
    return cv2.morphologyEx(picture, cv2.MORPH_OPEN, np.ones((3, 3), np.uint8)).astype(np.uint8)


_PREPARED: Final[tuple[Callable[[Gray], tuple[Gray, float]], ...]] = (
    lambda picture: (picture, 1.0),
    lambda picture: (cv2.medianBlur(picture, 3).astype(np.uint8), 1.0),
    lambda picture: (cv2.GaussianBlur(picture, (0, 0), 1.2).astype(np.uint8), 1.0),
    lambda picture: _scaled(picture, 0.5),
    lambda picture: (_closed(picture), 1.0),
    lambda picture: _scaled(_closed(picture), 0.5),
    lambda picture: _scaled(picture, 2.0) if max(picture.shape) < 3000 else _scaled(picture, 0.7),  # noqa: PLR2004
    lambda picture: (cv2.medianBlur(picture, 5).astype(np.uint8), 1.0),
)

