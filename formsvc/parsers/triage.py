"""Says what a file is, and hands it to the parser that can read it; each refusal has its own message."""

import io
import re
from typing import Final

import pikepdf
from pikepdf import Dictionary, Name, Pdf

from formsvc.catalog import Catalog
from formsvc.errors import Refused
from formsvc.model.record import Submission
from formsvc.model.stamp import Stamp, from_words, in_words, read_stamp
from formsvc.parsers import acroform

_HEAD: Final = 1024  # viewers accept a header this far into the file
_PICTURES: Final = (
    (b"\xff\xd8\xff", "JPEG"), (b"\x89PNG", "PNG"), (b"II*\0", "TIFF"), (b"MM\0*", "TIFF"), (b"GIF8", "GIF"), (b"BM", "BMP"),
)
_OTHERS: Final = ((b"PK\x03\x04", "a ZIP or Office file"), (b"\xd0\xcf\x11\xe0", "an old Office file"), (b"<html", "a web page"), (b"<!doctype html", "a web page"), (b"{\\rtf", "an RTF text"))
_WORDS: Final = re.compile(r"\b([0-9A-Z]{5}-[0-9A-Z]{5}-[0-9A-Z*~$=])")
_OBJECT: Final = re.compile(rb"\b\d{1,10} \d{1,5} obj\b")
_END: Final = re.compile(rb"startxref\s+\d+\s+%{0,2}E?O?F?\s*\Z")
_PAGES_LOOKED_AT: Final = 3
_PAGES_SCANNED: Final = 500


def read(content: bytes, catalog: Catalog, key: bytes, password: str | None) -> Submission:
    """The answers in a file; refuses what cannot be read, saying what it is and what to send instead."""
    try:
        return _read(content, catalog, key, password)
    except pikepdf.PdfError as problem:  # what only shows when the pages or fields are looked at
        raise Refused("damaged", "", detail=_short(problem)) from problem


def _read(content: bytes, catalog: Catalog, key: bytes, password: str | None) -> Submission:
    _check_head(content)
    _check_end(content)
    with _opened(content, password) as pdf:
        if not len(pdf.pages):
            raise Refused("no-pages")
        if _has_fields(pdf):
            return acroform.parse(pdf, catalog, key)
        encrypted = pdf.is_encrypted
        raise _without_fields(content if not encrypted else _decrypted(pdf), catalog, key)


def _check_head(content: bytes) -> None:
    if not content[: 4 * _HEAD].strip(b"\0\t\r\n "):
        raise Refused("file-empty")
    if b"%PDF-" in content[:_HEAD]:
        return
    for magic, _ in _PICTURES:
        if content.startswith(magic):
            raise Refused("scan")
    if content[4:12] in (b"ftypheic", b"ftypheix", b"ftypmif1"):
        raise Refused("scan")
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
    if isinstance(form, Dictionary) and len(form.get(Name.Fields, [])):
        return True
    return any(
        isinstance(annotation, Dictionary) and annotation.get(Name.Subtype) == Name.Widget
        for page in list(pdf.pages)[:_PAGES_SCANNED]
        for annotation in page.obj.get(Name.Annots, [])
    )


def _decrypted(pdf: Pdf) -> bytes:
    out = io.BytesIO()
    pdf.save(out, encryption=False)
    return out.getvalue()


# ---------------------------------------------------------------- without fields


def _without_fields(content: bytes, catalog: Catalog, key: bytes) -> Refused:
    """A print, a scan or a foreign document: told apart by our stamp, its codes and its pictures."""
    import pypdfium2 as pdfium  # noqa: PLC0415  (not needed for forms that have their fields)

    try:
        document = pdfium.PdfDocument(content)
    except pdfium.PdfiumError as problem:
        return Refused("damaged", "", detail=_short(problem))
    texts, pictures, stamp = [], False, None
    with document:
        for number in range(min(len(document), _PAGES_LOOKED_AT)):
            page = document[number]
            texts.append(page.get_textpage().get_text_bounded())
            pictures = pictures or any(True for _ in page.get_objects(filter=(pdfium.raw.FPDF_PAGEOBJ_IMAGE,)))
            stamp = stamp or _stamp_in_picture(page, key)
    text = "\n".join(texts)
    words = next((found[1] for found in _WORDS.finditer(text) if from_words(found[1])), None)
    said = words or (in_words(stamp.document) if stamp else "")
    if said and len(text.split()) > 20:  # noqa: PLR2004
        return Refused("flattened-print", "", form=_form_name(catalog, stamp), document=said)
    if pictures or stamp:
        return Refused("scan")
    return Refused("not-a-form")


def _stamp_in_picture(page: object, key: bytes) -> Stamp | None:
    """Our stamp's code on a page, seen as a camera would."""
    import zxingcpp  # noqa: PLC0415

    width, height = page.get_size()  # type: ignore[attr-defined]
    scale = min(150 / 72, 2000 / max(width, height, 1))  # 150 dpi, but never a huge picture
    if width <= 0 or height <= 0:
        return None
    image = page.render(scale=scale, grayscale=True).to_pil()  # type: ignore[attr-defined]
    for code in zxingcpp.read_barcodes(image):
        if found := read_stamp(code.text, key):
            return found.stamp
    return None


def _form_name(catalog: Catalog, stamp: Stamp | None) -> str:
    form = catalog.by_code(stamp.code, stamp.version) if stamp else None
    return form.titles.en if form else "known"
