"""Pictures of pages for people to look at: our own, made in the sandbox; a stranger's file itself is never shown."""

import io
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Final

import pypdfium2
from PIL import Image, ImageOps, UnidentifiedImageError

from formsvc.errors import Refused

_MOST_PIXELS: Final = 60_000_000
_MOST_SIDE: Final = 2400
_DPI: Final = 72
_FORMATS: Final = ("JPEG", "PNG", "TIFF")
_ORIENTATION, _ON_ITS_SIDE = 0x0112, 5


@dataclass(frozen=True, slots=True, kw_only=True)
class Pages:
    """The pages of a file: width and height of each, in PDF points."""

    sizes: tuple[tuple[float, float], ...]


def page_sizes(content: bytes, password: str | None = None) -> Pages:
    """How many pages a PDF or picture has, and how large they are."""
    if _is_pdf(content):
        with pypdfium2.PdfDocument(content, password=password) as pdf:
            return Pages(sizes=tuple(pdf.get_page_size(number) for number in range(min(len(pdf), 500))))
    with open_picture(content) as image:
        return Pages(sizes=tuple(upright_size(image, frame) for frame in range(min(getattr(image, "n_frames", 1), 500))))


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
    with open_picture(content) as image:
        if not 1 <= page <= getattr(image, "n_frames", 1):
            raise Refused("page-unknown", str(page))
        image.seek(page - 1)
        return ImageOps.exif_transpose(image)


def upright_size(image: Image.Image, frame: int) -> tuple[float, float]:
    """Width and height of a picture's page as it is looked at: cameras note how they were held."""
    image.seek(frame)
    turned = image.getexif().get(_ORIENTATION, 1) >= _ON_ITS_SIDE
    return (float(image.height), float(image.width)) if turned else (float(image.width), float(image.height))


@contextmanager
def open_picture(content: bytes) -> Iterator[Image.Image]:
    """A picture of the kinds that scanners and telephones make; refuses what is none, damaged, or too large."""
    Image.MAX_IMAGE_PIXELS = _MOST_PIXELS // 2  # Pillow refuses twice as many
    _register_heif()
    try:
        with Image.open(io.BytesIO(content), formats=(*_FORMATS, *(("HEIF",) if "HEIF" in Image.OPEN else ()))) as image:
            yield image
    except Image.DecompressionBombError as problem:
        raise Refused("too-costly", "", resource="pixels") from problem
    except (UnidentifiedImageError, OSError, SyntaxError, ValueError, EOFError) as problem:
        raise Refused("picture-damaged") from problem


def _register_heif() -> None:
    """Let Pillow read what phones write, where the platform's library is there."""
    try:
        from pillow_heif import register_heif_opener  # noqa: PLC0415  (an extra)
    except ImportError:
        return
    register_heif_opener()
