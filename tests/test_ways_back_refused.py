"""Files that cannot be read: each is refused with a code of its own that says what to send instead.

1. What is no PDF, or no whole PDF.
2. PDFs that are not ours, or not forms any more: foreign, flattened, scanned.
3. Hostile files: an answer within seconds, and the process lives on.
"""

import io
import time
import zlib
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final

import pikepdf
import pypdfium2 as pdfium
import pytest
from pikepdf import Array, Dictionary, Name, String
from PIL import Image

from formsvc.demo import sample_values
from formsvc.errors import Refused
from formsvc.service import Service
from tests.papers import complete, edited
from tests.viewers import programs
from tests.viewers.writers import WRITERS

PROMPT: Final = 15.0  # seconds, on a busy machine


def _refusal(service: Service, content: bytes) -> Refused:
    with pytest.raises(Refused) as refused:
        service.read(content)
    return refused.value


# ---------------------------------------------------------------- no PDF


def _picture(kind: str) -> bytes:
    saved = io.BytesIO()
    Image.new("L", (40, 60), 255).save(saved, kind)
    return saved.getvalue()


NO_PDF: Final[Mapping[str, tuple[bytes, str]]] = {
    "empty": (b"", "file-empty"),
    "only white space": (b" \r\n\0" * 50, "file-empty"),
    "garbage": (bytes(range(1, 256)) * 20, "not-a-pdf"),
    "text": (b"Dear team, the form is attached.", "not-a-pdf"),
    "web page": (b"<!DOCTYPE html><html><title>Sign in</title></html>", "not-a-pdf"),
    "zip": (b"PK\x03\x04" + bytes(60), "not-a-pdf"),
    "docx": (b"PK\x03\x04\x14\0\x06\0" + b"[Content_Types].xml", "not-a-pdf"),
    "old Office file": (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(60), "not-a-pdf"),
    "RTF": (b"{\\rtf1 hello}", "not-a-pdf"),
    "JPEG": (_picture("JPEG"), "picture-small"),
    "PNG": (_picture("PNG"), "picture-small"),
    "TIFF": (_picture("TIFF"), "picture-small"),
    "GIF": (_picture("GIF"), "not-a-pdf"),
    "HEIC": (b"\0\0\0\x18ftypheic\0\0\0\0mif1heic", "picture-damaged"),
    "head of a PDF, then garbage": (b"%PDF-1.7\n" + bytes(range(256)) * 20, "damaged"),
    "head of a PDF only": (b"%PDF-1.7\n", "damaged"),
}


@pytest.mark.parametrize("name", NO_PDF)
def test_what_is_no_pdf_is_named(service: Service, name: str) -> None:
    """Every wrong file has its own code, not one word for all."""
    content, code = NO_PDF[name]
    assert code == _refusal(service, content).code


SAVED: Final[Mapping[str, Callable[[bytes], bytes]]] = {
    "as issued": lambda pdf: pdf,
    "rewritten": lambda pdf: edited(pdf, lambda _: None),
    "saved again": lambda pdf: WRITERS["acrobat_like"](pdf, {}),
    "rewritten, no object streams": lambda pdf: edited(pdf, lambda _: None, object_stream_mode=pikepdf.ObjectStreamMode.disable),
}


@pytest.mark.parametrize("share", [0.02, 0.3, 0.6, 0.9, 0.99])
@pytest.mark.parametrize("saved", SAVED)
def test_a_file_cut_off_is_not_taken_for_a_whole_one(service: Service, saved: str, share: float) -> None:
    """A download that broke off is refused: answers may be missing from it."""
    content = SAVED[saved](complete(service, "worksheet-8-children"))
    assert _refusal(service, content[: int(len(content) * share)]).code == "damaged"


@pytest.mark.parametrize("saved", SAVED)
@pytest.mark.parametrize(("before", "after"), [(b"", b"\r\n-- \r\nchecked by our mail gateway\r\n"), (b"", bytes(600)), (b"\r\n\r\n", b"")], ids=["footer", "padding", "empty lines before"])
def test_what_mail_puts_around_a_file_does_not_matter(service: Service, saved: str, before: bytes, after: bytes) -> None:
    """A whole file is read whole, whatever stands before or behind it."""
    content = SAVED[saved](complete(service, "worksheet-1-child"))
    assert service.read(before + content + after).record.values == sample_values("worksheet-1-child")


# ---------------------------------------------------------------- PDFs that are no forms


def _plain_pdf(*texts: str) -> bytes:
    document = pikepdf.new()
    for text in texts:
        document.add_blank_page()
        font = Dictionary(Type=Name.Font, Subtype=Name.Type1, BaseFont=Name.Helvetica)
        document.pages[-1].obj.Resources = Dictionary(Font=Dictionary(F=font))
        document.pages[-1].obj.Contents = document.make_stream(b"BT /F 12 Tf 72 700 Td (" + text.encode("ascii") + b") Tj ET")
    saved = io.BytesIO()
    document.save(saved)
    return saved.getvalue()


def _with_fields(*names: str) -> bytes:
    def edit(document: pikepdf.Pdf) -> None:
        fields = [document.make_indirect(Dictionary(Subtype=Name.Widget, FT=Name.Tx, T=String(name), V=String("x"), Rect=Array([9, 9, 99, 29]))) for name in names]
        document.pages[0].obj.Annots = Array(fields)
        document.Root.AcroForm = Dictionary(Fields=Array(fields))

    return edited(_plain_pdf("A foreign form"), edit)


def test_a_pdf_without_fields_is_no_form(service: Service) -> None:
    """A letter is not a form."""
    assert _refusal(service, _plain_pdf("Dear team")).code == "not-a-form"


def test_a_pdf_without_pages_is_told(service: Service) -> None:
    """There is nothing to read on no page."""
    assert _refusal(service, _plain_pdf()).code == "no-pages"


@pytest.mark.parametrize("names", [("name", "ssn", "signature"), ("site", "a", "b", "c", "d", "e"), ("site", "month")], ids=str)
def test_a_foreign_form_is_told(service: Service, names: Sequence[str]) -> None:
    """A tax form has fields too; one name that fits does not make it ours."""
    assert _refusal(service, _with_fields(*names)).code == "foreign-form"


def test_a_form_that_lost_its_fields_is_told(service: Service) -> None:
    """A stamp alone is no answer."""

    def edit(document: pikepdf.Pdf) -> None:
        for page in document.pages:
            page.obj.Annots = Array([it for it in page.obj.Annots if str(it.get("/T", "")).startswith("stamp-")])
        document.Root.AcroForm.Fields = Array([it for it in document.Root.AcroForm.Fields if str(it.get("/T", "")).startswith("stamp-")])

    assert _refusal(service, edited(complete(service, "worksheet-1-child"), edit)).code == "no-answers"


def _flattened_by_pdfium(pdf: bytes) -> bytes:
    saved = io.BytesIO()
    with pdfium.PdfDocument(pdf) as document:
        document.init_forms()
        for page in document:
            pdfium.raw.FPDFPage_Flatten(page, pdfium.raw.FLAT_PRINT)
            page.close()
        document.save(saved)
    return saved.getvalue()


def _by(*command: str) -> Callable[[bytes], bytes]:
    def run(pdf: bytes) -> bytes:
        if missing := programs.needs_command(command[0], command[0])():
            pytest.skip(missing)
        return programs.transform(pdf, lambda source, target: [{"IN": str(source), "OUT": str(target)}.get(word, word) for word in command])

    return run


PRINTERS: Final[Mapping[str, Callable[[bytes], bytes]]] = {
    "pdfium": _flattened_by_pdfium,
    "qpdf": _by("qpdf", "--flatten-annotations=all", "IN", "OUT"),
    "pdftocairo": _by("pdftocairo", "-pdf", "IN", "OUT"),
    "pdftk": _by("pdftk", "IN", "output", "OUT", "flatten"),
    "ghostscript": _by("gs", "-q", "-dSAFER", "-dBATCH", "-dNOPAUSE", "-dPreserveAnnots=false", "-sDEVICE=pdfwrite", "-o", "OUT", "IN"),
}


@pytest.mark.parametrize("printer", PRINTERS)
def test_a_print_of_ours_whose_codes_are_gone_is_told_with_its_document(service: Service, printer: str) -> None:
    """“Print to PDF” takes the fields away; with the codes painted over, the printed id still tells which paper it was."""
    refused = _refusal(service, _without_codes(PRINTERS[printer](complete(service, "worksheet-1-child"))))
    assert refused.code == "flattened-print"
    assert "SAMPX-E0001" in refused.message


def _without_codes(pdf: bytes) -> bytes:
    """White boxes over every place where a code may stand, on each page."""

    def paint(document: pikepdf.Pdf) -> None:
        for page in document.pages:
            wide, high = float(page.mediabox[2]), float(page.mediabox[3])
            page.contents_add(document.make_stream(b"q"), prepend=True)
            page.contents_add(document.make_stream(f"Q 1 g {wide - 100} {high - 130} 100 130 re {wide - 60} 0 60 {high} re 0 0 130 100 re f".encode()))

    return edited(pdf, paint)


def _scanned(pdf: bytes, dpi: int) -> bytes:
    with pdfium.PdfDocument(pdf) as document:
        document.init_forms()
        pages = [page.render(scale=dpi / 72, grayscale=True).to_pil() for page in document]
    saved = io.BytesIO()
    pages[0].save(saved, "PDF", save_all=True, append_images=pages[1:], resolution=dpi)
    return saved.getvalue()


def test_a_scan_that_is_too_coarse_is_told(service: Service) -> None:
    """Where our stamp cannot be made out, nothing is guessed; where it can, no text is taken from a few pixels."""
    content = complete(service, "worksheet-1-child")
    assert _refusal(service, _scanned(content, 40)).code in ("picture-small", "picture-not-found", "scan")
    received = service.understand(_scanned(content, 72))
    assert {"picture-weak", "text-unread"} <= {found.code for found in received.submission.problems}


# ---------------------------------------------------------------- hostile


def _pdf(*bodies: bytes, trailer: bytes = b"") -> bytes:
    """A PDF of numbered objects, the first of which is the catalogue."""
    out, offsets = bytearray(b"%PDF-1.7\n"), []
    for number, body in enumerate(bodies, start=1):
        offsets.append(len(out))
        out += b"%d 0 obj\n%s\nendobj\n" % (number, body)
    start = len(out)
    table = b"".join(b"%010d 00000 n \n" % offset for offset in offsets)
    out += b"xref\n0 %d\n0000000000 65535 f \n%s" % (len(bodies) + 1, table)
    return bytes(out + b"trailer\n<</Size %d/Root 1 0 R%s>>\nstartxref\n%d\n%%%%EOF\n" % (len(bodies) + 1, trailer.replace(b"START", b"%d" % start), start))


def _stream(data: bytes, entries: bytes = b"") -> bytes:
    packed = zlib.compress(data, 9)
    return b"<</Length %d/Filter/FlateDecode%s>>stream\n%s\nendstream" % (len(packed), entries, packed)


def _form(*fields: bytes, listed: str = "4", annotations: str = "", root: bytes = b"") -> bytes:
    """One page and some fields, which are objects 4 and so on."""
    page = b"<</Type/Page/Parent 2 0 R/MediaBox[0 0 612 792]/Annots[%s]>>" % _references(annotations or listed)
    return _pdf(b"<</Type/Catalog/Pages 2 0 R/AcroForm<</Fields[%s]>>%s>>" % (_references(listed), root), b"<</Type/Pages/Kids[3 0 R]/Count 1>>", page, *fields)


def _references(numbers: str) -> bytes:
    return b" ".join(b"%d 0 R" % int(number) for number in numbers.split())


def _field_of(name: bytes, entries: bytes = b"") -> bytes:
    return b"<</Subtype/Widget/FT/Tx/T(%s)/Rect[0 0 9 9]%s>>" % (name, entries)


def _many(count: int) -> str:
    return " ".join(str(4 + number) for number in range(count))


def _deep(depth: int) -> bytes:
    nodes = [b"<</T(a)/Kids[%d 0 R]%s>>" % (5 + level, b"/Parent %d 0 R" % (3 + level) if level else b"") for level in range(depth)]
    return _form(*nodes, _field_of(b"site", b"/V(x)/Parent %d 0 R" % (3 + depth)), annotations=str(4 + depth))


def _bomb(megabytes: int) -> bytes:
    packer = zlib.compressobj(9)
    block = b"A" * 1_000_000
    packed = b"".join(packer.compress(block) for _ in range(megabytes)) + packer.flush()
    return b"<</Length %d/Filter/FlateDecode>>stream\n%s\nendstream" % (len(packed), packed)


def _nested(opening: bytes, closing: bytes, depth: int) -> bytes:
    return _form(_field_of(b"site", b"/X " + opening * depth + closing * depth))


HOSTILE: Final[Mapping[str, Callable[[], bytes]]] = {
    "cross references in a loop": lambda: _pdf(b"<</Type/Catalog/Pages 2 0 R>>", b"<</Type/Pages/Kids[]/Count 0>>", trailer=b"/Prev START"),
    "page tree in a loop": lambda: _pdf(b"<</Type/Catalog/Pages 2 0 R>>", b"<</Type/Pages/Kids[3 0 R]/Count 1>>", b"<</Type/Pages/Kids[2 0 R]/Count 1/Parent 2 0 R>>"),
    "page tree that fans out": lambda: _pdf(b"<</Type/Catalog/Pages 2 0 R>>", *(b"<</Type/Pages/Count 1/Kids[%s]>>" % _references(f"{number + 1} " * 10) for number in range(2, 12)), b"<</Type/Page/MediaBox[0 0 9 9]>>"),
    "two thousand million pages": lambda: _pdf(b"<</Type/Catalog/Pages 2 0 R>>", b"<</Type/Pages/Kids[]/Count 2147483647>>"),
    "kids in a loop": lambda: _form(b"<</FT/Tx/T(a)/Kids[5 0 R]>>", b"<</T(b)/Parent 4 0 R/Kids[4 0 R]>>"),
    "parents in a loop": lambda: _form(_field_of(b"a", b"/Parent 5 0 R/V(x)"), b"<</T(b)/Parent 4 0 R>>"),
    "fields that fan out": lambda: _form(*(b"<</T(a)/Kids[%s]>>" % _references(f"{number + 1} " * 10) for number in range(4, 14)), _field_of(b"z")),
    "fields 20,000 deep": lambda: _deep(20_000),
    "fifty thousand fields": lambda: _form(*(_field_of(b"f%d" % number, b"/V(x)") for number in range(50_000)), listed=_many(50_000)),
    "fifty thousand widgets, unlisted": lambda: _form(*(_field_of(b"f%d" % number) for number in range(50_000)), listed="4", annotations=_many(50_000)),
    "value of 200 MB in a small stream": lambda: _form(_field_of(b"site", b"/V 5 0 R"), _bomb(200)),
    "picture of 200 MB in a small stream": lambda: _form(_field_of(b"site", b"/V(x)/AP<</N 5 0 R>>"), _bomb(200), _field_of(b"month"), _field_of(b"unit"), listed="4 6 7"),
    "metadata of 200 MB in a small stream": lambda: _form(_field_of(b"site"), _bomb(200), root=b"/Metadata 5 0 R"),
    "arrays 100,000 deep": lambda: _nested(b"[", b"]", 100_000),
    "dictionaries 100,000 deep": lambda: _nested(b"<</A ", b">>", 100_000),
    "fields that are no dictionaries": lambda: _form(b"[/a 1 (x)]", b"null", b"(text)", listed="4 5 6 99"),
    "names and values of wrong types": lambda: _form(_field_of(b"site", b"/V[[[1]]]/AP 7/AS(x)/Parent(x)/Ff/no"), _field_of(b"month", b"/V<</A 1>>/Rect[(a) 1]")),
    "a page of wrong types": lambda: _pdf(b"<</Type/Catalog/Pages 2 0 R/AcroForm[1]/Names 7>>", b"<</Type/Pages/Kids[3 0 R]/Count 1>>", b"<</Type/Page/Parent 2 0 R/Annots 7/MediaBox(x)/Contents 9 0 R>>"),
    "a page of huge size": lambda: _pdf(b"<</Type/Catalog/Pages 2 0 R>>", b"<</Type/Pages/Kids[3 0 R]/Count 1>>", b"<</Type/Page/Parent 2 0 R/MediaBox[0 0 1e9 1e9]>>"),
    "ten million opening brackets": lambda: b"%PDF-1.7\n" + b"(" * 10_000_000,
}


@pytest.mark.parametrize("name", HOSTILE)
def test_a_hostile_file_is_answered_soon(service: Service, name: str) -> None:
    """A refusal, or the few answers it has; never a crash, never a wait."""
    content = HOSTILE[name]()
    start = time.perf_counter()
    answer: Any
    try:
        answer = service.read(content).record.form.name
    except Refused as refused:
        answer = refused.code
    assert time.perf_counter() - start < PROMPT
    assert answer != "reader-failed"
