"""How each peer reads a filled form: names and values, nothing checked."""

import io
from collections.abc import Callable, Mapping
from typing import Final

import pikepdf
import pymupdf
import pypdf


def read_pypdf(pdf: bytes) -> Mapping[str, str]:
    """The fields by name."""
    fields = pypdf.PdfReader(io.BytesIO(pdf)).get_fields() or {}
    return {name: str(field.value or "") for name, field in fields.items()}


def read_pikepdf(pdf: bytes) -> Mapping[str, str]:
    """A plain walk over the widgets of all pages."""
    with pikepdf.open(io.BytesIO(pdf)) as document:
        return {str(widget.T): str(widget.get("/V", "")) for page in document.pages for widget in page.obj.get("/Annots", ()) if widget.get("/Subtype") == "/Widget"}


def read_pymupdf(pdf: bytes) -> Mapping[str, str]:
    """The widgets of all pages."""
    with pymupdf.open(stream=pdf, filetype="pdf") as document:
        return {str(widget.field_name): str(widget.field_value or "") for page in document for widget in page.widgets()}


READERS: Final[Mapping[str, tuple[Callable[[bytes], Mapping[str, str]], float | None]]] = {
    "pypdf": (read_pypdf, 5),
    "pikepdf": (read_pikepdf, None),
    "PyMuPDF": (read_pymupdf, None),
}
"""The way it reads, and how many times as fast formsvc wants to be."""
