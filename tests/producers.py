"""What turns a form with fields into a print, and what printers do to its pages: real programs, by name.

Used by the tests and by `benchmarks flattened`. Each takes PDF bytes and gives PDF bytes; None where the program is missing.
"""

import io
import math
import shutil
import subprocess
from collections.abc import Callable, Mapping
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Final

import pikepdf
import pypdfium2
from pypdfium2 import raw

Change = Callable[[bytes], bytes]
_SECONDS: Final = 180


class Missing(Exception):  # noqa: N818  (a reason to skip)
    """A program that is not installed."""


def pdfium(content: bytes) -> bytes:
    """The call behind printing to PDF in Chrome and Edge."""
    document: Any = pypdfium2.PdfDocument(content)
    document.init_forms()
    for page in document:
        raw.FPDFPage_Flatten(page, 1)
    memory = io.BytesIO()
    document.save(memory)
    return memory.getvalue()


def _by(*command: str, suffix: str = ".pdf", out: str = "out.pdf") -> Change:
    """A program that reads `in.pdf` (IN) and writes OUT."""

    def run(content: bytes) -> bytes:
        if shutil.which(command[0]) is None:
            raise Missing(command[0])
        with TemporaryDirectory() as name:
            folder = Path(name)
            (folder / f"in{suffix}").write_bytes(content)
            line = [part.replace("IN", str(folder / f"in{suffix}")).replace("OUT", str(folder / out)).replace("FOLDER", name) for part in command]
            subprocess.run(line, check=True, capture_output=True, timeout=_SECONDS, cwd=folder, env={"HOME": name, "PATH": "/usr/bin:/bin:/usr/local/bin:/opt/homebrew/bin"})
            if not (folder / out).is_file():  # LibreOffice without Draw
                raise Missing(f"a part of {command[0]} that reads PDF")
            return (folder / out).read_bytes()

    return run


def _in_turn(*changes: Change) -> Change:
    def run(content: bytes) -> bytes:
        for change in changes:
            content = change(content)
        return content

    return run


_GS: Final = ("gs", "-q", "-dNOPAUSE", "-dBATCH", "-dSAFER")
PRODUCERS: Final[Mapping[str, Change]] = {
    "PDFium flatten": pdfium,
    "pdftocairo": _by("pdftocairo", "-pdf", "IN", "OUT"),
    "pdftops, ps2pdf": _in_turn(_by("pdftops", "IN", "OUT", out="out.ps"), _by("ps2pdf", "IN", "OUT", suffix=".ps")),
    "mutool draw": _by("mutool", "draw", "-q", "-F", "pdf", "-o", "OUT", "IN"),
    "Ghostscript": _by(*_GS, "-sDEVICE=pdfwrite", "-dPreserveAnnots=false", "-sOutputFile=OUT", "IN"),
    "Ghostscript, outlines": _by(*_GS, "-sDEVICE=pdfwrite", "-dNoOutputFonts", "-dPreserveAnnots=false", "-sOutputFile=OUT", "IN"),
    "Ghostscript, pictures": _by(*_GS, "-sDEVICE=pdfimage8", "-r200", "-sOutputFile=OUT", "IN"),
    "qpdf": _by("qpdf", "--generate-appearances", "--flatten-annotations=all", "IN", "OUT"),
    "pdftk": _by("pdftk", "IN", "output", "OUT", "flatten"),
    "LibreOffice": _by("soffice", "--headless", "--convert-to", 'pdf:draw_pdf_Export:{"ExportFormFields":{"type":"boolean","value":"false"}}', "--outdir", "FOLDER/out", "IN", out="out/in.pdf"),  # as Draw prints it
}


# ---------------------------------------------------------------- what printers do


def _pages(content: bytes, work: Callable[[pikepdf.Pdf], None]) -> bytes:
    memory = io.BytesIO()
    with pikepdf.open(io.BytesIO(content)) as pdf:
        work(pdf)
        pdf.save(memory)
    return memory.getvalue()


def _drawn(pdf: pikepdf.Pdf, matrix: tuple[float, ...], size: tuple[float, float] | None = None) -> None:
    """Every page's content through a matrix, on paper of this size."""
    numbers = " ".join(f"{number:.6f}" for number in matrix)
    for page in pdf.pages:
        page.contents_add(pdf.make_stream(f"q {numbers} cm ".encode()), prepend=True)
        page.contents_add(pdf.make_stream(b" Q"))
        if size:
            page.obj.MediaBox = page.obj.CropBox = pikepdf.Array([0, 0, *size])


def _size(pdf: pikepdf.Pdf) -> tuple[float, float]:
    box = pdf.pages[0].mediabox
    return float(box[2]) - float(box[0]), float(box[3]) - float(box[1])


def _fit_a4(pdf: pikepdf.Pdf) -> None:
    wide, high = _size(pdf)
    paper = (841.89, 595.28) if wide > high else (595.28, 841.89)
    scale = min(paper[0] / wide, paper[1] / high)
    _drawn(pdf, (scale, 0, 0, scale, (paper[0] - wide * scale) / 2, (paper[1] - high * scale) / 2), paper)


def _smaller(pdf: pikepdf.Pdf) -> None:
    wide, high = _size(pdf)
    _drawn(pdf, (0.92, 0, 0, 0.92, wide * 0.04, high * 0.04))


def _shifted(pdf: pikepdf.Pdf) -> None:
    _drawn(pdf, (1, 0, 0, 1, 14.17, -14.17))


def _tilted(pdf: pikepdf.Pdf) -> None:
    wide, high = _size(pdf)
    angle = math.radians(1.7)
    cos, sin = math.cos(angle) * 0.97, math.sin(angle) * 0.97
    _drawn(pdf, (cos, sin, -sin, cos, wide / 2 - cos * wide / 2 + sin * high / 2, high / 2 - sin * wide / 2 - cos * high / 2))


def _turned(pdf: pikepdf.Pdf) -> None:
    for page in pdf.pages:
        page.rotate(90, relative=True)


def _turned_content(pdf: pikepdf.Pdf) -> None:
    wide, high = _size(pdf)
    _drawn(pdf, (0, 1, -1, 0, high, 0), (high, wide))


def _cropped(pdf: pikepdf.Pdf) -> None:
    wide, high = _size(pdf)
    for page in pdf.pages:
        page.obj.MediaBox = pikepdf.Array([-30, -20, wide + 40, high + 50])
        page.obj.CropBox = pikepdf.Array([-12, -9, wide + 15, high + 11])


def _swapped(pdf: pikepdf.Pdf) -> None:
    pages = list(pdf.pages)
    del pdf.pages[:]
    pdf.pages.extend(reversed(pages))


def two_up(content: bytes) -> bytes:
    """Two pages on one, each at 65 %."""
    memory = io.BytesIO()
    with pikepdf.open(io.BytesIO(content)) as source, pikepdf.new() as sheet:
        wide, high = _size(source)
        paper = (wide, high * 1.3) if wide > high else (wide * 1.3, high)
        for first in range(0, len(source.pages), 2):
            page = sheet.add_blank_page(page_size=paper)
            for number, one in enumerate(list(source.pages)[first : first + 2]):
                left, bottom = (wide * 0.175, high * 0.65 * (1 - number)) if wide > high else (wide * 0.65 * number, high * 0.175)
                page.add_overlay(one, pikepdf.Rectangle(left, bottom, left + wide * 0.65, bottom + high * 0.65))
        sheet.save(memory)
    return memory.getvalue()


CHANGES: Final[Mapping[str, Change]] = {
    "as it is": lambda content: content,
    "fit to A4": lambda content: _pages(content, _fit_a4),
    "92 %": lambda content: _pages(content, _smaller),
    "5 mm aside": lambda content: _pages(content, _shifted),
    "/Rotate 90": lambda content: _pages(content, _turned),
    "content turned by 90": lambda content: _pages(content, _turned_content),
    "turned by 1.7": lambda content: _pages(content, _tilted),
    "CropBox": lambda content: _pages(content, _cropped),
    "pages swapped": lambda content: _pages(content, _swapped),
    "2-up": two_up,
}
