"""Pictures of pages for people to look at: our own, made in the sandbox; a stranger's file itself is never shown."""

import io
from dataclasses import dataclass
from typing import Final

import pypdfium2
from PIL import Image

from formsvc.errors import Refused

_MOST_PIXELS: Final = 40_000_000
_MOST_SIDE: Final = 2400
_DPI: Final = 72


@dataclass(frozen=True, slots=True, kw_only=True)
class Pages:
    """The pages of a file: width and height of each, in PDF points."""

    sizes: tuple[tuple[float, float], ...]


def page_sizes(content: bytes, password: str | None = None) -> Pages:
    """How many pages a PDF or picture has, and how large they are."""
    if _is_pdf(content):
        with pypdfium2.PdfDocument(content, password=password) as pdf:
            return Pages(sizes=tuple(pdf.get_page_size(number) for number in range(min(len(pdf), 500))))
    with _opened(content) as image:
        return Pages(sizes=tuple((float(image.width), float(image.height)) for _ in range(getattr(image, "n_frames", 1))))


def picture(content: bytes, page: int, dpi: int) -> bytes:
    """A page (from 1) as PNG; the form's widgets are drawn as they look. Refuses a page that is not there."""
    image = _pdf_page(content, page, dpi) if _is_pdf(content) else _image_page(content, page)
    image.thumbnail((_MOST_SIDE, _MOST_SIDE))
    memory = io.BytesIO()
    image.convert("RGB").quantize(64).save(memory, "PNG", compress_level=1)
    return memory.getvalue()


def _is_pdf(content: bytes) -> bool:
    return b"%PDF" in content[:1024]


def _pdf_page(content: bytes, page: int, dpi: int) -> Image.Image:
    with pypdfium2.PdfDocument(content) as pdf:
        pdf.init_forms()
        if not 1 <= page <= len(pdf):
            raise Refused("page-unknown", str(page))
        width, height = pdf.get_page_size(page - 1)
        scale = min(dpi / _DPI, _MOST_SIDE / max(width, height, 1))
        image: Image.Image = pdf[page - 1].render(scale=scale, may_draw_forms=True).to_pil()
        return image


def _image_page(content: bytes, page: int) -> Image.Image:
    with _opened(content) as image:
        if not 1 <= page <= getattr(image, "n_frames", 1):
            raise Refused("page-unknown", str(page))
        image.seek(page - 1)
        return image.copy()


def _opened(content: bytes) -> Image.Image:
    Image.MAX_IMAGE_PIXELS = _MOST_PIXELS
    return Image.open(io.BytesIO(content), formats=("JPEG", "PNG", "TIFF"))
