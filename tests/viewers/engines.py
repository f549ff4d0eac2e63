"""Ask PDF engines what they show in a field.

All boxes are in points from the lower left corner of an unrotated page; page numbers start at 0.
"""

from __future__ import annotations

import html
import io
import json
import re
import unicodedata
from contextlib import closing
from dataclasses import dataclass
from typing import TYPE_CHECKING

import pikepdf
import pymupdf
import pypdfium2 as pdfium
import pypdfium2.raw as pdfium_c
from PIL import Image

from . import programs

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence
    from pathlib import Path

_INK_DPI = 144
_DARK = 128
_KEPT = 0.8


@dataclass(frozen=True, slots=True, kw_only=True)
class Box:
    """A place on a page."""

    page: int
    x0: float
    y0: float
    x1: float
    y1: float

    def holds(self, x: float, y: float) -> bool:
        """Tell whether a point of the page lies inside."""
        return self.x0 <= x <= self.x1 and self.y0 <= y <= self.y1

    def shrunk(self, kept: float) -> Box:
        """Return the middle of the box, ``kept`` times as wide and high."""
        dx, dy = (self.x1 - self.x0) * (1 - kept) / 2, (self.y1 - self.y0) * (1 - kept) / 2
        return Box(
            page=self.page, x0=self.x0 + dx, y0=self.y0 + dy, x1=self.x1 - dx, y1=self.y1 - dy
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Engine:
    """A program that displays PDF files."""

    shown_text: Callable[[bytes, Sequence[Box]], list[str]]
    """What can be read in each box, lines separated by line feeds; ``letters`` compares best."""

    render: Callable[[bytes, int, int], Image.Image]
    """A page in grey: PDF, page number, dots per inch."""

    available: Callable[[], str | None] = programs.nothing_missing

    def ink(self, pdf: bytes, boxes: Sequence[Box]) -> list[float]:
        """Return the share of dark pixels in the middle of each box, without its border."""
        pages = {page: self.render(pdf, page, _INK_DPI) for page in {box.page for box in boxes}}
        return [_darkness(pages[box.page], box.shrunk(_KEPT)) for box in boxes]


def letters(text: str) -> str:
    """Return the visible characters in a fixed order.

    Engines disagree on spaces, on ligatures and on the order of letters that run to the left.
    """
    plain = unicodedata.normalize("NFKC", text)
    return "".join(sorted(it for it in plain if it.isprintable() and not it.isspace()))


def _darkness(page: Image.Image, box: Box) -> float:
    scale = _INK_DPI / 72
    edges = (box.x0, page.height / scale - box.y1, box.x1, page.height / scale - box.y0)
    left, top, right, bottom = (round(edge * scale) for edge in edges)
    part = page.crop((left, top, max(right, left + 1), max(bottom, top + 1)))
    return sum(part.histogram()[:_DARK]) / (part.width * part.height)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Word:
    """A word of a page, measured from the upper left corner as text extractors do."""

    page: int
    x0: float
    top: float
    x1: float
    bottom: float
    text: str


def _words_in(box: Box, words: Iterable[_Word], height: float) -> str:
    """Join the words in the box; text that is cut off at the border still counts as shown."""
    lines: list[list[_Word]] = []
    for word in words:
        if not _is_word_in(box, word, height):
            continue
        if lines and _is_same_line(lines[-1][-1], word):
            lines[-1].append(word)
        else:
            lines.append([word])
    return "\n".join(" ".join(word.text for word in line) for line in lines)


def _is_word_in(box: Box, word: _Word, height: float) -> bool:
    middle = height - (word.top + word.bottom) / 2
    overlap = min(word.x1, box.x1) - max(word.x0, box.x0)
    is_beside = overlap * 2 < min(word.x1 - word.x0, box.x1 - box.x0)
    return word.page == box.page and box.y0 <= middle <= box.y1 and not is_beside


def _is_same_line(left: _Word, right: _Word) -> bool:
    return left.top <= (right.top + right.bottom) / 2 <= left.bottom


def _pdfium_text(pdf: bytes, boxes: Sequence[Box]) -> list[str]:
    """Flatten as for the screen; opening the form first lets PDFium draw what has no picture."""
    with pdfium.PdfDocument(pdf) as document:
        document.init_forms()
        for page in document:
            pdfium_c.FPDFPage_Flatten(page, pdfium_c.FLAT_NORMALDISPLAY)
            page.close()
        return [_pdfium_text_in(document, box) for box in boxes]


def _pdfium_text_in(document: pdfium.PdfDocument, box: Box) -> str:
    with closing(document[box.page]) as page, closing(page.get_textpage()) as text:
        found = text.get_text_bounded(left=box.x0, bottom=box.y0, right=box.x1, top=box.y1)
    return "\n".join(str(found).strip().splitlines())


def _pdfium_render(pdf: bytes, page: int, dpi: int) -> Image.Image:
    with pdfium.PdfDocument(pdf) as document:
        document.init_forms()
        with closing(document[page]) as sheet:
            bitmap = sheet.render(scale=dpi / 72, grayscale=True)
            return _grey(bitmap.to_pil())


def _poppler_text(pdf: bytes, boxes: Sequence[Box]) -> list[str]:
    listing = programs.transform(
        pdf, lambda source, target: ("pdftotext", "-bbox", str(source), str(target))
    )
    heights, words = _parse_listing(listing.decode("utf-8", "replace"))
    return [_words_in(box, words, heights[box.page]) for box in boxes]


_PAGE = re.compile(r'<page width="[\d.]+" height="([\d.]+)">')
_WORD = re.compile(
    r'<word xMin="(\S+)" yMin="(\S+)" xMax="(\S+)" yMax="(\S+)">(.*?)</word>', re.DOTALL
)


def _parse_listing(listing: str) -> tuple[list[float], list[_Word]]:
    """Read ``pdftotext -bbox``; not as XML, since it hands on any control character."""
    _, *pages = re.split(r"(?=<page )", listing)
    heights = [float(found[1]) for page in pages if (found := _PAGE.match(page))]
    words = [
        _word(number, html.unescape(text), *map(float, edges))
        for number, page in enumerate(pages)
        for *edges, text in _WORD.findall(page)
    ]
    return heights, words


def _word(page: int, text: str, *edges: float) -> _Word:
    x0, top, x1, bottom = edges
    return _Word(page=page, x0=x0, top=top, x1=x1, bottom=bottom, text=text)


def _poppler_render(pdf: bytes, page: int, dpi: int) -> Image.Image:
    number = str(page + 1)

    def command(source: Path, target: Path) -> Sequence[str]:
        options = ("-png", "-gray", "-singlefile", "-r", str(dpi), "-f", number, "-l", number)
        return ("pdftocairo", *options, str(source), str(target.with_suffix("")))

    return _grey_png(programs.transform(pdf, command, suffix=".png"))


def _mupdf_text(pdf: bytes, boxes: Sequence[Box]) -> list[str]:
    with pymupdf.open(stream=pdf, filetype="pdf") as document:
        words = [
            _word(number, str(text), *map(float, edges))
            for number, page in enumerate(document)
            for *edges, text, _, _, _ in page.get_text("words")
        ]
        heights = [float(page.rect.height) for page in document]
    return [_words_in(box, words, heights[box.page]) for box in boxes]


def _mupdf_render(pdf: bytes, page: int, dpi: int) -> Image.Image:
    with pymupdf.open(stream=pdf, filetype="pdf") as document:
        pixels = document[page].get_pixmap(dpi=dpi, colorspace=pymupdf.csGRAY, annots=True)
        return _grey_png(pixels.tobytes("png"))


def _ghostscript_text(pdf: bytes, boxes: Sequence[Box]) -> list[str]:
    """Print to a PDF without a form, and read that with Poppler."""
    printed = programs.transform(
        pdf,
        lambda source, target: (
            *("gs", "-q", "-dSAFER", "-dBATCH", "-dNOPAUSE", "-sDEVICE=pdfwrite"),
            *("-dPreserveAnnots=false", f"-sOutputFile={target}", str(source)),
        ),
    )
    return _poppler_text(printed, boxes)


def _ghostscript_render(pdf: bytes, page: int, dpi: int) -> Image.Image:
    number = page + 1
    drawn = programs.transform(
        pdf,
        lambda source, target: (
            *("gs", "-q", "-dSAFER", "-dBATCH", "-dNOPAUSE", "-sDEVICE=pnggray", f"-r{dpi}"),
            *("-dTextAlphaBits=4", "-dGraphicsAlphaBits=4"),
            *(f"-dFirstPage={number}", f"-dLastPage={number}"),
            *(f"-sOutputFile={target}", str(source)),
        ),
        suffix=".png",
    )
    return _grey_png(drawn)


def _pdfjs_text(pdf: bytes, boxes: Sequence[Box]) -> list[str]:
    script = str(programs.HERE / "pdfjs_shown.mjs")
    pictures = "without-pictures" if _needs_appearances(pdf) else "with-pictures"
    pages = json.loads(programs.run_on(pdf, "node", script, pictures))
    return [_pdfjs_text_in(box, pages[box.page]) for box in boxes]


def _needs_appearances(pdf: bytes) -> bool:
    with pikepdf.open(io.BytesIO(pdf)) as document:
        form = document.Root.get("/AcroForm", pikepdf.Dictionary())
        return bool(form.get("/NeedAppearances", False))


def _pdfjs_text_in(box: Box, widgets: Sequence[dict[str, object]]) -> str:
    texts = [str(widget["text"]) for widget in widgets if _is_inside(widget["rect"], box)]
    return "\n".join("\n".join(texts).splitlines())


def _is_inside(rect: object, box: Box) -> bool:
    x0, y0, x1, y1 = map(float, rect)  # type: ignore[call-overload]
    return box.holds((x0 + x1) / 2, (y0 + y1) / 2)


def _pdfjs_render(pdf: bytes, page: int, dpi: int) -> Image.Image:
    script = str(programs.HERE / "pdfjs_render.mjs")
    drawn = programs.transform(
        pdf,
        lambda source, target: ("node", script, str(source), str(page), str(dpi), str(target)),
        suffix=".png",
    )
    return _grey_png(drawn)


def _grey_png(png: bytes) -> Image.Image:
    return _grey(Image.open(io.BytesIO(png)))


def _grey(image: Image.Image) -> Image.Image:
    return image.convert("L")


ENGINES: Mapping[str, Engine] = {
    "pdfium": Engine(shown_text=_pdfium_text, render=_pdfium_render),
    "poppler": Engine(
        shown_text=_poppler_text,
        render=_poppler_render,
        available=programs.needs_command("pdftocairo", "poppler-utils"),
    ),
    "mupdf": Engine(shown_text=_mupdf_text, render=_mupdf_render),
    "pdfjs": Engine(
        shown_text=_pdfjs_text, render=_pdfjs_render, available=programs.needs_npm("pdfjs-dist")
    ),
    "ghostscript": Engine(
        shown_text=_ghostscript_text,
        render=_ghostscript_render,
        available=programs.needs_command("gs", "ghostscript"),
    ),
}
