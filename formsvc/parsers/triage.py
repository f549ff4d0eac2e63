"""Says what a file is, and reads it if it has fields; prints and pictures are for `papers`. Each refusal has its own message."""

import io
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

import pikepdf
from pikepdf import Array, Dictionary, Name, Pdf, Stream

from formsvc.catalog import Catalog
from formsvc.errors import Refused
from formsvc.files import is_picture
from formsvc.model.record import Submission
from formsvc.parsers import acroform

_HEAD: Final = 1024  # viewers accept a header this far into the file
_OTHERS: Final = ((b"gif8", "a GIF picture"), (b"bm", "a BMP picture"), (b"PK\x03\x04", "a ZIP or Office file"), (b"\xd0\xcf\x11\xe0", "an old Office file"), (b"<html", "a web page"), (b"<!doctype html", "a web page"), (b"{\\rtf", "an RTF text"))
_OBJECT: Final = re.compile(rb"\b\d{1,10} \d{1,5} obj\b")
_END: Final = re.compile(rb"startxref\s+\d+\s+%{0,2}E?O?F?\s*\Z")
_PAGES_SCANNED: Final = 500


@dataclass(frozen=True, slots=True, kw_only=True)
class Sorted:
    """What a file is: the answers of its fields (None: a print or picture), its number of pages (0: not counted), and the pages, from 1, that are pictures beside them.

    `gone` are the answers whose fields are not there any more: a program printed them onto the page, or a page is missing.
    """

    submission: Submission | None = None
    pages: int = 0
    pictured: tuple[int, ...] = ()
    gone: frozenset[str] = frozenset()


def read(content: bytes, catalog: Catalog, key: bytes, password: str | None) -> Sorted:
    """The answers in a file with fields. Refuses what cannot be read, saying what it is and what to send instead."""
    try:
        return _read(content, catalog, key, password)
    except pikepdf.PdfError as problem:  # what only shows when the pages or fields are looked at
        raise Refused("damaged", "", detail=_short(problem)) from problem


def _read(content: bytes, catalog: Catalog, key: bytes, password: str | None) -> Sorted:
    if is_picture(content):
        return Sorted()
    _check_head(content)
    _check_end(content)
    with _opened(content, password) as pdf:
        if not len(pdf.pages):
            raise Refused("no-pages")
        if _has_fields(pdf):
            found = acroform.parse(pdf, catalog, key)
            return Sorted(submission=found.submission, pages=len(pdf.pages), pictured=tuple(_pictured(pdf)), gone=found.gone)
        return Sorted(pages=len(pdf.pages))


def _pictured(pdf: Pdf) -> Iterator[int]:
    """The pages without fields that hold pictures: a scan that was put behind a form."""
    for number, page in enumerate(pdf.pages, start=1):
        resources = page.obj.get("/Resources")
        drawn = resources.get("/XObject") if isinstance(resources, Dictionary) else None
        has_picture = isinstance(drawn, Dictionary) and any(isinstance(one, Stream) and one.get(Name.Subtype) == Name.Image for one in drawn.values())
        if has_picture and not any(_is_widget(annotation) for annotation in _list(page.obj.get("/Annots"))):
            yield number


def _list(value: object) -> list[pikepdf.Object]:
    return list(value) if isinstance(value, Array) else []


def _is_widget(annotation: object) -> bool:
    return isinstance(annotation, Dictionary) and annotation.get(Name.Subtype) == Name.Widget


def _check_head(content: bytes) -> None:
    if not content[: 4 * _HEAD].strip(b"\0\t\r\n "):
        raise Refused("file-empty")
    if b"%PDF-" in content[:_HEAD]:
        return
    head = content[:64].lstrip().lower()
    found = next((name for magic, name in _OTHERS if head.startswith(magic.lower())), "its first bytes say otherwise")
    raise Refused("not-a-pdf", "", detail=found)


def _check_end(content: bytes) -> None:
    """Refuse a file whose last update was cut off: repaired, it would be read as the form before that update."""
    after = content[content.rfind(b"%%EOF") + 1 :]
    if _OBJECT.search(after) and not _END.search(after):
        raise Refused("damaged", "", detail="its end is missing")


def _opened(content: bytes, password: str | None) -> Pdf:
    try:
        return pikepdf.open(io.BytesIO(content), password=password or "", inherit_page_attributes=False)
    except pikepdf.PasswordError as problem:
        raise Refused("password-wrong" if password else "password-needed") from problem
    except pikepdf.PdfError as problem:
        raise Refused("damaged", "", detail=_short(problem)) from problem


def _short(problem: Exception) -> str:
    """The reason without what a file may have put into it: only the words of the library."""
    words = str(problem).rpartition(": ")[2]
    return re.sub(r"[^ a-zA-Z0-9,()/-]", "", words)[:80] or type(problem).__name__


def _has_fields(pdf: Pdf) -> bool:
    form = pdf.Root.get(Name.AcroForm)
    if isinstance(form, Dictionary) and _list(form.get(Name.Fields)):
        return True
    return any(_is_widget(annotation) for page in list(pdf.pages)[:_PAGES_SCANNED] for annotation in _list(page.obj.get(Name.Annots)))
