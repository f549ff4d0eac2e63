"""Programs that people fill forms with, each as ``(pdf, values) -> pdf``.

``values`` maps full field names to text, to ``True`` or ``False`` for check boxes, and to export
values for choices; radio buttons were not tried. What each program does differently from the
others was measured (Debian 12, ``package-lock.json``) and stands in the table at the end.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from formsvc.typist import type_into

from . import fillers, programs, simulations
from .fields import read_fields

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    Values = Mapping[str, str | bool]

Carries = Literal["any", "bmp", "latin1", "font"]
"""Text whose value survives; ``font`` is what the font in the field's ``/DA`` has."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Writer:
    """A program that saves changed field values, and its measured habits."""

    write: Callable[[bytes, Values], bytes]
    available: Callable[[], str | None] = programs.nothing_missing
    """Return why the program cannot run here, with the package to install, or ``None``."""

    carries: Carries = "any"
    line_break: str = "\n"
    """What the file has for a line feed."""

    choice: Literal["export", "label", "list"] = "export"
    """What the file has for a choice: text, or an array with the export value."""

    is_incremental: bool = False
    """The saved file begins with all bytes of the old one."""

    empties_text: bool = True
    clears_boxes: bool = True
    quirks: tuple[str, ...] = ()

    def __call__(self, pdf: bytes, values: Values) -> bytes:
        """Return the document as the program saves it; ``LookupError`` for an unknown name."""
        unknown = values.keys() - read_fields(pdf).keys()
        if unknown:
            message = f"The document has no field {sorted(unknown)}."
            raise LookupError(message)
        return self.write(pdf, values)


_WINANSI_PICTURE = "Draws ? for what WinAnsi does not have; the value is right."

WRITERS: Mapping[str, Writer] = {
    "pdfium": Writer(
        write=type_into,
        line_break="\r\n",
        quirks=(
            "Tabulators become spaces and other control characters are lost: there is no key.",
            (
                "Letters that the field's font lacks are drawn with fonts that are not embedded, "
                "or left blank where the machine has none."
            ),
        ),
    ),
    "pdfjs": Writer(
        write=fillers.fill_pdfjs,
        available=programs.needs_npm("pdfjs-dist"),
        is_incremental=True,
        quirks=(
            (
                "Text that the field's font lacks gets no /AP but /NeedAppearances, which is left "
                "out where /AcroForm is a direct object of the catalogue."
            ),
        ),
    ),
    "poppler": Writer(
        write=fillers.fill_poppler,
        available=programs.poppler_binding_missing,
        is_incremental=True,
        quirks=(
            "Embeds whole system fonts for letters that the field's font lacks: 20 MB for Chinese.",
            "Chooses options by position; the interface does not tell export values.",
        ),
    ),
    "mupdf": Writer(
        write=fillers.fill_mupdf,
        empties_text=False,
        quirks=(
            "PyMuPDF ignores an empty text: the old value stays.",
            "Draws the export value of a choice instead of its label.",
        ),
    ),
    "pdfbox": Writer(
        write=fillers.fill_pdfbox,
        available=programs.needs_jar("pdfbox2-tools.jar", "libpdfbox2-java"),
        carries="font",
        quirks=(
            "Saves nothing at all when the field's font lacks one letter of one value.",
            "Sets /NeedAppearances, and draws the export value of a choice instead of its label.",
        ),
    ),
    "pdflib": Writer(
        write=fillers.fill_pdflib,
        available=fillers.pdflib_missing,
        choice="label",
        quirks=(
            "Stores the label of a choice; an export value would turn it into an editable field.",
            "Takes /V away when the text is empty.",
            "Draws all fields anew, and outside of those whose /Rect names the upper corner first.",
            (
                "Refuses text outside WinAnsi unless a font is embedded: Noto Sans is, here. What "
                "that lacks is drawn as empty boxes."
            ),
        ),
    ),
    "pdftk": Writer(
        write=fillers.fill_pdftk,
        available=programs.needs_command("pdftk", "pdftk-java"),
        choice="list",
        quirks=(
            "Makes the value of a combo box an array of one, with /I.",
            (
                "Leaves letters out of the picture that the field's font lacks; with a composite "
                "font in /DA the whole picture is empty."
            ),
        ),
    ),
    "pypdf": Writer(
        write=fillers.fill_pypdf,
        quirks=(
            "Sets /NeedAppearances by default; draws ? for what the field's font lacks.",
            "Draws the export value of a choice instead of its label.",
        ),
    ),
    "pypdfform": Writer(
        write=fillers.fill_pypdfform,
        choice="label",
        clears_boxes=False,
        quirks=(
            "Stores the label of a choice.",
            "Knows a ticked box only where its state is called Yes; others stay ticked.",
            "Draws nothing: /AP of a text or a choice becomes a string, which is not allowed.",
        ),
    ),
    "qpdf": Writer(
        write=fillers.fill_qpdf,
        available=programs.needs_command("qpdf", "qpdf"),
        quirks=(
            (
                "Draws one line in single bytes: line feeds stay in the string, letters outside "
                "WinAnsi become ?, a composite font in /DA makes nonsense of all."
            ),
            "Draws the export value of a choice instead of its label.",
            "Writes numbers such as 14. into its JSON, which no parser reads (11.3).",
        ),
    ),
    "preview_like": Writer(
        write=simulations.preview_like,
        line_break="\r",
        quirks=(
            "Simulation: /AcroForm /Fields keeps only the first field.",
            _WINANSI_PICTURE,
        ),
    ),
    "acrobat_like": Writer(
        write=simulations.acrobat_like,
        line_break="\r",
        is_incremental=True,
        quirks=("Simulation: appends to the file as it was.", _WINANSI_PICTURE),
    ),
}
