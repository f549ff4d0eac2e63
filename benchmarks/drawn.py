"""Whether a filled worksheet shows what was filled in: a fast wrong fill is no fill.

What the file itself draws is told by qpdf, which flattens the appearances that are there and
invents none. What PDFium shows may be more, since it draws some missing appearances by itself.
"""

import io
from dataclasses import dataclass
from typing import Final

import pikepdf

from benchmarks.worksheets import Sheet
from tests.viewers.engines import ENGINES, Box, letters

_PDFIUM: Final = ENGINES["pdfium"]
_MARKED: Final = 0.02  # of a box's middle that a mark makes dark, at least


@dataclass(frozen=True, slots=True)
class Drawn:
    """How many texts stand complete in their boxes, and how many ticks have ink."""

    texts: int
    ticks: int


def check(sheet: Sheet, pdf: bytes) -> str:
    """What a contestant's file shows, in a few words."""
    own, shown = _drawn(sheet, _flattened(pdf)), _drawn(sheet, pdf)
    said = f"drawn complete: texts {own.texts} of {len(sheet.texts)}, ticks {own.ticks} of {len(sheet.ticks)}"
    return said if own == shown else f"{said} (PDFium shows {shown.texts} and {shown.ticks})"


def _flattened(pdf: bytes) -> bytes:
    with pikepdf.open(io.BytesIO(pdf)) as document:
        document.Root.AcroForm.NeedAppearances = False
        document.flatten_annotations("all")
        out = io.BytesIO()
        document.save(out)
        return out.getvalue()


def _drawn(sheet: Sheet, pdf: bytes) -> Drawn:
    names, ticks = list(sheet.texts), sorted(sheet.ticks)
    shown = _PDFIUM.shown_text(pdf, [_box(sheet, name) for name in names])
    boxes = [_box(sheet, name) for name in ticks]
    before = _PDFIUM.ink(sheet.compiled.blank, boxes)
    after = _PDFIUM.ink(pdf, boxes)
    return Drawn(
        texts=sum(letters(text) == letters(sheet.texts[name]) for name, text in zip(names, shown, strict=True)),
        ticks=sum(now - then > _MARKED for now, then in zip(after, before, strict=True)),
    )


def _box(sheet: Sheet, name: str) -> Box:
    slot = sheet.compiled.layout.by_name[name]
    left, bottom, right, top = slot.box
    return Box(page=slot.page - 1, x0=left, y0=bottom, x1=right, y1=top)
