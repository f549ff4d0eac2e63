"""Pages of a stranger's file as gray pictures: PDF pages rendered, photos and scans decoded, every size bounded.

Pictures are numpy arrays of uint8, [height, width], 0 is black. Only for use inside the sandbox.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Final

import cv2
import numpy as np
import pypdfium2
from numpy.typing import NDArray
from PIL import Image, ImageOps
from pypdfium2 import raw
from threadpoolctl import threadpool_limits

from formsvc.errors import Refused
from formsvc.parsers.pictures import open_picture, upright_size

Gray = NDArray[np.uint8]

cv2.setNumThreads(1)  # a process forked while OpenCV has threads of its own waits for them for ever
threadpool_limits(1)  # nor numpy's: in a process forked for one page, starting them takes longer than the products of matrices that they share

POINTS: Final = 72.0
_MOST_PIXELS: Final = 60_000_000
_MOST_SIDE: Final = 5_000
_MOST_DRAWN: Final = 3_600
"""The longer side of a page that is drawn: two of ours beside each other at 200 dpi. Looking for codes on a page of 50 inches would take as long as it may."""
_MOST_PAGES: Final = 500
_NEGATIVE, _LIGHT = 60, 150
_COVERED: Final = 0.85
"""A page that one picture covers so far is a scan, whatever text lies under it."""


class Pages:
    """An opened file. Pages count from 1."""

    def __init__(self, pdf: pypdfium2.PdfDocument | None, image: Image.Image | None) -> None:
        """Know the one that it is."""
        self._pdf, self._image = pdf, image
        self.count = len(pdf) if pdf is not None else getattr(image, "n_frames", 1)
        self._opened: dict[int, pypdfium2.PdfPage] = {}

    def pdf_page(self, page: int) -> pypdfium2.PdfPage | None:
        """A page of a PDF."""
        if self._pdf is None:
            return None
        if page not in self._opened:  # opening one takes as long as drawing it
            self._opened[page] = self._pdf[page - 1]
        return self._opened[page]

    def size(self, page: int) -> tuple[float, float]:
        """Width and height of a page: points of a PDF's page as it is shown, pixels of a picture."""
        if (source := self.pdf_page(page)) is not None:
            width, height = source.get_size()
            return float(width), float(height)
        return upright_size(self._frame(page), page - 1)

    def positive(self, page: int, dpi: float) -> Gray:
        """A page in gray with dark ink on light paper, also where it came the other way round."""
        picture = self.gray(page, dpi)
        few = picture[::8, ::8]
        is_negative = float(np.median(few)) < _NEGATIVE and float(np.percentile(few, 99)) > _LIGHT
        return (255 - picture).astype(np.uint8) if is_negative else picture

    def gray(self, page: int, dpi: float, most: int = _MOST_DRAWN) -> Gray:
        """A page in gray: a PDF's at this resolution, with fields and annotations drawn; a picture's in its own pixels, at most `_MOST_SIDE`."""
        source = self.pdf_page(page)
        return _rendered(source, dpi, most) if source is not None else _decoded(self._frame(page))

    def exactly(self, page: int) -> Gray:
        """A page of ours at 200 dpi, drawn twice as fine and made smaller: at 200 dpi letters are put on whole pixels, which is half a pixel off."""
        fine = self.gray(page, 400, _MOST_SIDE)
        return cv2.resize(fine, (round(fine.shape[1] / 2), round(fine.shape[0] / 2)), interpolation=cv2.INTER_AREA).astype(np.uint8)

    def is_scan(self, page: int) -> bool:
        """Whether a page is a picture, or is covered by one: then an invisible text layer is somebody's guess."""
        source = self.pdf_page(page)
        return source is None or _covered(source) > _COVERED

    def _frame(self, page: int) -> Image.Image:
        assert self._image is not None  # noqa: S101  (a file is one of the two)
        self._image.seek(page - 1)
        return self._image


@contextmanager
def open_pages(content: bytes, password: str | None = None) -> Iterator[Pages]:
    """The pages of a PDF or picture; refuses what is neither, is damaged, or is too large."""
    if b"%PDF-" in content[:1024]:
        try:
            document = pypdfium2.PdfDocument(content, password=password)
        except pypdfium2.PdfiumError as problem:
            raise Refused("damaged", "", detail=str(problem)[:60]) from problem
        try:
            with document as pdf:
                pdf.init_forms()
                yield _checked(Pages(pdf, None))
        except pypdfium2.PdfiumError as problem:  # what only shows when a page is looked at
            raise Refused("damaged", "", detail=str(problem)[:60]) from problem
        return
    with open_picture(content) as image:
        yield _checked(Pages(None, image))


def _checked(pages: Pages) -> Pages:
    if not pages.count:
        raise Refused("no-pages")
    if pages.count > _MOST_PAGES:
        raise Refused("too-costly", "", resource=f"pages ({pages.count})")
    return pages


def _rendered(page: pypdfium2.PdfPage, dpi: float, most: int) -> Gray:
    width, height = page.get_size()
    if width <= 0 or height <= 0:
        raise Refused("damaged", "", detail="a page has no size")
    scale = min(dpi / POINTS, most / max(width, height)) * (1 - 1e-9)  # a width that is whole must not be rounded up
    picture: Any = page.render(scale=scale, grayscale=True, may_draw_forms=True).to_numpy()
    return np.ascontiguousarray(picture[..., 0] if picture.ndim == 3 else picture)  # noqa: PLR2004


def _decoded(image: Image.Image) -> Gray:
    if image.width * image.height > _MOST_PIXELS:
        raise Refused("too-costly", "", resource="pixels")
    upright = ImageOps.exif_transpose(image)
    if upright.mode in ("RGBA", "LA", "PA", "P"):  # what is transparent is paper
        upright = upright.convert("RGBA")
        paper = Image.new("RGBA", upright.size, "white")
        paper.alpha_composite(upright)
        upright = paper
    if upright.mode.startswith(("I", "F")):
        values = np.asarray(upright, dtype=np.float32)
        top = float(values.max()) or 1.0
        return (values * (255.0 / top)).astype(np.uint8)
    gray = upright.convert("L")
    gray.thumbnail((_MOST_SIDE, _MOST_SIDE))
    return np.array(gray)


def _covered(page: pypdfium2.PdfPage) -> float:
    """The share of a page that its largest picture covers."""
    width, height = page.get_size()
    most = 0.0
    for item in page.get_objects(filter=(raw.FPDF_PAGEOBJ_IMAGE,), max_depth=4):
        left, bottom, right, top = item.get_bounds()
        most = max(most, (right - left) * (top - bottom))
    return float(most / max(width * height, 1.0))
