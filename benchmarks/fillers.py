"""How each peer fills the blank: as its manual says, values and appearances both.

Every one gets the same blank, the same texts as they stand on paper, and the same ticks.
"""

import io
from collections.abc import Callable, Mapping
from typing import Final

import pikepdf
import pymupdf
import pypdf
from PyPDFForm import PdfWrapper

from benchmarks.worksheets import Sheet


def fill_pymupdf(sheet: Sheet) -> bytes:
    """Set and update every widget."""
    with pymupdf.open(stream=sheet.compiled.blank, filetype="pdf") as document:
        for page in document:
            for widget in page.widgets():
                name = widget.field_name
                if name in sheet.texts:
                    widget.field_value = sheet.texts[name]
                elif name in sheet.ticks:
                    widget.field_value = True
                else:
                    continue
                widget.update()
        return bytes(document.tobytes())


def fill_pypdfform(sheet: Sheet) -> bytes:
    """As its first page shows it; no appearances are drawn."""
    return _pypdfform(sheet, PdfWrapper(sheet.compiled.blank))


def fill_pypdfform_drawn(sheet: Sheet) -> bytes:
    """The same with the option that draws appearances."""
    return _pypdfform(sheet, PdfWrapper(sheet.compiled.blank, generate_appearance_streams=True))


def _pypdfform(sheet: Sheet, wrapper: PdfWrapper) -> bytes:
    """It takes a choice by its position in the list."""
    data: dict[str, str | bool | int] = {**sheet.texts, **dict.fromkeys(sheet.ticks, True), **_positions(sheet)}
    return bytes(wrapper.fill(data).read())


def _positions(sheet: Sheet) -> Mapping[str, int]:
    chosen = {}
    for name, text in sheet.texts.items():
        options = getattr(sheet.compiled.layout.by_name[name].kind, "options", ())
        labels = [option.label.said(sheet.compiled.lang) for option in options]
        if text in labels:
            chosen[name] = labels.index(text)
    return chosen


def fill_pypdf(sheet: Sheet) -> bytes:
    """Page by page, without asking viewers to draw again."""
    writer = pypdf.PdfWriter(clone_from=io.BytesIO(sheet.compiled.blank))
    values = {**sheet.texts, **dict.fromkeys(sheet.ticks, "/on")}
    for page in writer.pages:
        writer.update_page_form_field_values(page, values, auto_regenerate=False)
    out = io.BytesIO()
    writer.write(out)
    return out.getvalue()


def fill_pikepdf(sheet: Sheet) -> bytes:
    """Set the values, then let qpdf draw: it does so only in a form that says it needs appearances."""
    with pikepdf.open(io.BytesIO(sheet.compiled.blank)) as pdf:
        form = pdf.Root.AcroForm
        for field in form.Fields:
            name = str(field.T)
            if name in sheet.texts:
                field.V = pikepdf.String(sheet.texts[name])
            elif name in sheet.ticks:
                field.V = field.AS = pikepdf.Name.on
        form.NeedAppearances = True
        pdf.generate_appearance_streams()
        out = io.BytesIO()
        pdf.save(out)
        return out.getvalue()


FILLERS: Final[Mapping[str, tuple[str, Callable[[Sheet], bytes], float | None]]] = {
    "PyMuPDF": ("PyMuPDF", fill_pymupdf, 30),
    "PyPDFForm": ("PyPDFForm", fill_pypdfform, 30),
    "PyPDFForm, drawing": ("PyPDFForm", fill_pypdfform_drawn, 30),
    "pypdf": ("pypdf", fill_pypdf, 500),
    "pikepdf": ("pikepdf", fill_pikepdf, 1),
}
"""The package, the way it fills, and how many times as fast formsvc wants to be."""
