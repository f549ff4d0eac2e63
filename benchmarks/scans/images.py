"""Packs pictures of pages as scanners, copiers, faxes and phones do: PDF, JPEG, PNG, TIFF, and HEIC where a writer is installed."""

import importlib.util
import io
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final, Literal

import numpy as np
import pikepdf
from numpy.typing import NDArray
from PIL import Image

Picture = NDArray[np.uint8]
"""Gray [height, width] or RGB [height, width, 3]."""
FileKind = Literal["pdf", "jpeg", "png", "tiff", "heic"]
Dpi = float | tuple[float, float]
"""Pixels in an inch, or across and down where they differ (a fax)."""

_QUALITY: Final = 85
_ORIENTATION: Final = 0x0112
_STORED: Final = {1: 0, 8: -1, 3: 2, 6: 1}
"""EXIF orientation: quarter turns to the left that the upright picture is stored with."""
_STRIP_ROWS, _STRIP_PLACES = 278, 273  # TIFF tags


@dataclass(frozen=True, slots=True)
class Word:
    """A word that a copier believes to have read, and its box in points (left, bottom, right, top)."""

    text: str
    box: tuple[float, float, float, float]


def available(kind: FileKind) -> bool:
    """Whether this machine can write such a file."""
    return kind != "heic" or importlib.util.find_spec("pillow_heif") is not None


def to_files(images: Sequence[Picture], kind: FileKind, *, dpi: Dpi = 200.0, orientation: int = 1) -> bytes:
    """One file with all pictures, a page each; JPEG, PNG and HEIC hold one only (ValueError).

    `orientation` is what a phone writes into EXIF (1, 3, 6 or 8; JPEG and HEIC): pixels are stored turned, and shown upright
    by whoever obeys it. Pictures of only black and white become one-bit images (Group 4) in PDF and TIFF.
    """
    if kind == "pdf":
        return _pdf(images, [()] * len(images), _pair(dpi))
    if kind == "tiff":
        return _tiff(images, _pair(dpi))
    [image] = images
    return _single(image, kind, _pair(dpi), orientation)


def wrap_searchable(images: Sequence[Picture], words: Sequence[Sequence[Word]], *, dpi: Dpi = 200.0) -> bytes:
    """A "searchable PDF" of a copier: each page one picture, and over it the words it read, invisible (render mode 3)."""
    return _pdf(images, words, _pair(dpi))


def _pair(dpi: Dpi) -> tuple[float, float]:
    return dpi if isinstance(dpi, tuple) else (dpi, dpi)


def is_bilevel(image: Picture) -> bool:
    """Whether a picture has only black and white."""
    return image.ndim == 2 and bool(np.all((image == 0) | (image == 255)))


def _single(image: Picture, kind: FileKind, dpi: tuple[float, float], orientation: int) -> bytes:
    if kind == "heic":
        importlib.import_module("pillow_heif").register_heif_opener()
    picture = Image.fromarray(np.ascontiguousarray(np.rot90(image, _STORED[orientation])))
    out = io.BytesIO()
    if kind == "png":
        picture.save(out, "PNG", dpi=dpi)
        return out.getvalue()
    exif = Image.Exif()
    exif[_ORIENTATION] = orientation
    picture.save(out, "HEIF" if kind == "heic" else "JPEG", quality=_QUALITY, dpi=dpi, exif=exif)
    return out.getvalue()


def _tiff(images: Sequence[Picture], dpi: tuple[float, float]) -> bytes:
    pages = [Image.fromarray(image).convert("1") if is_bilevel(image) else Image.fromarray(image) for image in images]
    for page in pages:
        page.encoderinfo = {"compression": "group4" if page.mode == "1" else "tiff_lzw", "dpi": dpi}
    out = io.BytesIO()
    pages[0].save(out, "TIFF", save_all=True, append_images=pages[1:], **pages[0].encoderinfo)
    return out.getvalue()


def _pdf(images: Sequence[Picture], words: Sequence[Sequence[Word]], dpi: tuple[float, float]) -> bytes:
    with pikepdf.new() as document:
        for image, read in zip(images, words, strict=True):
            high, wide = image.shape[:2]
            width, height = wide * 72 / dpi[0], high * 72 / dpi[1]
            page = document.add_blank_page(page_size=(width, height))
            page.Resources = pikepdf.Dictionary(XObject=pikepdf.Dictionary(Im0=_picture(document, image)), Font=pikepdf.Dictionary(F1=_font()))
            drawn = [((), "q"), ((width, 0, 0, height, 0, 0), "cm"), ((pikepdf.Name.Im0,), "Do"), ((), "Q")]
            operators: list[Any] = [(list(operands), pikepdf.Operator(name)) for operands, name in [*drawn, *_unseen(read)]]
            page.Contents = document.make_stream(pikepdf.unparse_content_stream(operators))
        out = io.BytesIO()
        document.save(out)
        return out.getvalue()


def _font() -> pikepdf.Dictionary:
    return pikepdf.Dictionary(Type=pikepdf.Name.Font, Subtype=pikepdf.Name.Type1, BaseFont=pikepdf.Name.Helvetica, Encoding=pikepdf.Name.WinAnsiEncoding)


def _unseen(words: Sequence[Word]) -> list[tuple[tuple[object, ...], str]]:
    found: list[tuple[tuple[object, ...], str]] = []
    for word in words:
        left, bottom, right, top = word.box
        size = top - bottom
        stretch = 100 * (right - left) / (size * 0.5 * len(word.text))  # a letter is about half as wide as high: nobody sees them
        text = pikepdf.String(f"{word.text} ".encode("cp1252", "replace"))
        found += [((), "BT"), ((3,), "Tr"), ((pikepdf.Name.F1, round(size, 2)), "Tf"), ((round(stretch, 2),), "Tz"), ((round(left, 2), round(bottom, 2)), "Td"), ((text,), "Tj"), ((), "ET")]
    return found


def _picture(document: pikepdf.Pdf, image: Picture) -> pikepdf.Stream:
    high, wide = image.shape[:2]
    common = {"Type": pikepdf.Name.XObject, "Subtype": pikepdf.Name.Image, "Width": wide, "Height": high}
    if is_bilevel(image):
        parameters = pikepdf.Dictionary(K=-1, Columns=wide, Rows=high, BlackIs1=True)
        return pikepdf.Stream(document, _group4(image), **common, ColorSpace=pikepdf.Name.DeviceGray, BitsPerComponent=1, Filter=pikepdf.Name.CCITTFaxDecode, DecodeParms=parameters)
    out = io.BytesIO()
    Image.fromarray(image).save(out, "JPEG", quality=_QUALITY)
    space = pikepdf.Name.DeviceGray if image.ndim == 2 else pikepdf.Name.DeviceRGB
    return pikepdf.Stream(document, out.getvalue(), **common, ColorSpace=space, BitsPerComponent=8, Filter=pikepdf.Name.DCTDecode)


def _group4(image: Picture) -> bytes:
    """The bare Group 4 data: a TIFF of one strip, without its wrapping."""
    out = io.BytesIO()
    Image.fromarray(image).convert("1").save(out, "TIFF", compression="group4", tiffinfo={_STRIP_ROWS: image.shape[0]})
    with Image.open(io.BytesIO(out.getvalue())) as packed:
        [place] = packed.tag_v2[_STRIP_PLACES]  # type: ignore[attr-defined]
        [size] = packed.tag_v2[_STRIP_PLACES + 6]  # type: ignore[attr-defined]
    return out.getvalue()[place : place + size]
