"""Takes a file of several documents apart: some of its pages as a file of their own, always the same bytes for the same pages."""

import io
from typing import Final

import pikepdf
from PIL import Image, ImageOps

from formsvc.errors import Refused

_MOST_PIXELS: Final = 60_000_000


def take_pages(content: bytes, password: str | None, groups: tuple[tuple[int, ...], ...]) -> tuple[bytes, ...]:
    """A file for each group of pages (from 1): PDF out of a PDF, PNG out of a picture's page. For the sandbox."""
    if b"%PDF-" in content[:1024]:
        return tuple(_pdf_pages(content, password, group) for group in groups)
    return tuple(_frames(content, group) for group in groups)


def _pdf_pages(content: bytes, password: str | None, pages: tuple[int, ...]) -> bytes:
    memory = io.BytesIO()
    try:
        with pikepdf.open(io.BytesIO(content), password=password or "") as source, pikepdf.new() as part:
            part.pages.extend(source.pages[page - 1] for page in pages)
            part.remove_unreferenced_resources()
            part.save(memory, deterministic_id=True, linearize=False)
    except pikepdf.PdfError as problem:
        raise Refused("damaged", "", detail="its pages cannot be taken apart") from problem
    return memory.getvalue()


def _frames(content: bytes, pages: tuple[int, ...]) -> bytes:
    """One page of a picture as PNG, several as TIFF."""
    Image.MAX_IMAGE_PIXELS = _MOST_PIXELS // 2
    memory = io.BytesIO()
    with Image.open(io.BytesIO(content), formats=("TIFF",)) as image:
        frames = []
        for page in pages:
            image.seek(page - 1)
            frames.append(ImageOps.exif_transpose(image.copy()))
        if len(frames) == 1:
            frames[0].convert("RGB" if frames[0].mode not in ("1", "L", "RGB") else frames[0].mode).save(memory, "PNG")
        else:
            frames[0].save(memory, "TIFF", save_all=True, append_images=frames[1:], compression="tiff_lzw")
    return memory.getvalue()
