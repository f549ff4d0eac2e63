"""Takes a file of several documents apart: some of its pages as a file of their own, always the same bytes for the same pages."""

import io

import pikepdf
from PIL import ImageOps
from PIL.PngImagePlugin import PngInfo

from formsvc.errors import Refused
from formsvc.parsers.pictures import open_picture


def take_pages(content: bytes, password: str | None, groups: tuple[tuple[str, tuple[int, ...]], ...]) -> tuple[bytes, ...]:
    """A file for each document and its pages (from 1): PDF out of a PDF, PNG or TIFF out of pictures. For the sandbox.

    Two documents may stand on one page: the name of each goes into its file, so that their bytes differ.
    """
    if b"%PDF-" in content[:1024]:
        return tuple(_pdf_pages(content, password, *group) for group in groups)
    return tuple(_frames(content, *group) for group in groups)


def _pdf_pages(content: bytes, password: str | None, document: str, pages: tuple[int, ...]) -> bytes:
    memory = io.BytesIO()
    try:
        with pikepdf.open(io.BytesIO(content), password=password or "") as source, pikepdf.new() as part:
            part.pages.extend(source.pages[page - 1] for page in pages)
            part.remove_unreferenced_resources()
            part.docinfo["/Title"] = document
            part.save(memory, deterministic_id=True, linearize=False)
    except pikepdf.PdfError as problem:
        raise Refused("damaged", "", detail="its pages cannot be taken apart") from problem
    return memory.getvalue()


def _frames(content: bytes, document: str, pages: tuple[int, ...]) -> bytes:
    """One page of a picture as PNG, several as TIFF."""
    memory = io.BytesIO()
    with open_picture(content) as image:
        frames = []
        for page in pages:
            image.seek(page - 1)
            frames.append(ImageOps.exif_transpose(image.copy()))
        if len(frames) == 1:
            named = PngInfo()
            named.add_text("Title", document)
            frames[0].convert("RGB" if frames[0].mode not in ("1", "L", "RGB") else frames[0].mode).save(memory, "PNG", pnginfo=named)
        else:
            frames[0].save(memory, "TIFF", save_all=True, append_images=frames[1:], compression="tiff_lzw", description=document)
    return memory.getvalue()
