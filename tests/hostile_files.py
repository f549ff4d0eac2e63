"""Writes files that lie about their own structure, and pictures that want to do harm; `HOSTILE` has them all."""

import io
import random
import struct
import zlib
from collections.abc import Callable, Mapping
from functools import partial
from typing import Final

import numpy as np
import pikepdf
import zxingcpp
from PIL import Image

from formsvc.catalog import Catalog, shipped_folder
from formsvc.model.layout import laid_code
from formsvc.model.stamp import Stamp, stamp_text
from tests.hostile import GIGABYTE, PDFS, bomb, page, pdf, stream

_PLAIN: Final = page()


def _noise(count: int) -> bytes:
    return random.Random(11).randbytes(count)  # noqa: S311  (the same files each time)


# ---------------------------------------------------------------- the structure of a PDF


def _named(entries: str) -> bytes:
    """A page with a catalog of these entries after the trailer's."""
    return pdf(_PLAIN, entries)


def _own_predecessor() -> bytes:
    plain = pdf(_PLAIN)
    start = plain[plain.rindex(b"startxref") :].split()[1].decode()
    return pdf(_PLAIN, f"/Prev {start}")


def _table_stream(size: int, widths: str, index: str = "", rows: bytes = b"") -> bytes:
    """A document whose table of objects is a stream."""
    body = pdf(_PLAIN).partition(b"xref\n")[0]
    told = stream(rows, f"/Type /XRef /W {widths} /Size {size} /Root 1 0 R {index}")
    return body + b"20 0 obj\n" + told + b"\nendobj\nstartxref\n%d\n%%%%EOF\n" % len(body)


def _lying_object_stream(count: int, first: int, pairs: bytes) -> bytes:
    """Objects inside a stream that tells too many of them, or places that are not there."""
    body = bytearray(b"%PDF-1.7\n")
    places = {6: len(body)}
    body += b"6 0 obj\n" + stream(pairs + b" << /Type /Catalog /Pages 2 0 R >> << /Type /Pages /Kids [] /Count 0 >>", f"/Type /ObjStm /N {count} /First {first}") + b"\nendobj\n"
    start = len(body)
    rows = struct.pack(">BIH", 0, 0, 0) + b"".join(struct.pack(">BIH", 2, 6, number) for number in range(5)) + struct.pack(">BIH", 1, places[6], 0)
    told = stream(rows, "/Type /XRef /W [1 4 2] /Size 7 /Root 1 0 R")
    return bytes(body) + b"7 0 obj\n" + told + b"\nendobj\nstartxref\n%d\n%%%%EOF\n" % start


def _encrypted(**entries: str) -> bytes:
    """A document that says it is encrypted, with odd values for how."""
    told = {"Filter": "/Standard", "V": "4", "R": "4", "Length": "128", "P": "-4", "O": f"<{'00' * 32}>", "U": f"<{'00' * 32}>", "CF": "<< /StdCF << /CFM /AESV2 >> >>", "StmF": "/StdCF", "StrF": "/StdCF"} | entries
    return pdf(_PLAIN, f"/Encrypt << {' '.join(f'/{name} {value}' for name, value in told.items())} >> /ID [<00> <00>]")


def _slow_password() -> bytes:
    out = io.BytesIO()
    with pikepdf.open(io.BytesIO(pdf(_PLAIN))) as plain:
        plain.save(out, encryption=pikepdf.Encryption(owner="o", user="u", R=6))
    return out.getvalue()


_STRUCTURE: Final[Mapping[str, Callable[[], bytes]]] = {
    "table-own-predecessor": _own_predecessor,
    "table-predecessor-outside": partial(_named, "/Prev 99999999999"),
    "table-predecessor-negative": partial(_named, "/Prev -1"),
    "table-size-huge": lambda: pdf(_PLAIN).replace(b"/Size 6", b"/Size 2147483647"),
    "table-stream-no-widths": partial(_table_stream, 2147483647, "[0 0 0]"),
    "table-stream-huge-index": partial(_table_stream, 2147483647, "[1 4 2]", "/Index [0 2147483647]"),
    "table-stream-negative": partial(_table_stream, -5, "[-1 -4 -2]"),
    "table-stream-bomb": lambda: _table_stream(100_000_000, "[1 4 2]", rows=b"\0" * 70_000_000),
    "table-missing-many-objects": lambda: b"%PDF-1.7\n" + b"".join(b"%d 0 obj\n<< /A %d >>\nendobj\n" % (number, number) for number in range(1, 300_000)) + b"trailer << /Root 1 0 R /Size 2147483647 >>\nstartxref\n0\n%%EOF",
    "table-missing-many-spaces": lambda: b"%PDF-1.7\n" + b" " * 10_000_000 + b"startxref\n999999999\n%%EOF",
    "root-of-itself": lambda: pdf({1: "1 0 R"}),
    "root-elsewhere": lambda: pdf(_PLAIN).replace(b"/Root 1 0 R", b"/Root 9 0 R"),
    "objects-told-too-many": partial(_lying_object_stream, 2147483647, 10, b"1 0 2 33"),
    "objects-told-outside": partial(_lying_object_stream, 2, 2147483647, b"1 0 2 33"),
    "objects-told-negative": partial(_lying_object_stream, -2, -9, b"1 -5 2 -33"),
    "objects-in-themselves": partial(_lying_object_stream, 2, 9, b"6 0 6 33"),
    "encrypted-plainly-wrong": _encrypted,
    "encrypted-version-unknown": partial(_encrypted, V="99", R="-3"),
    "encrypted-length-huge": partial(_encrypted, Length="2147483647"),
    "encrypted-values-no-texts": partial(_encrypted, O="3 0 R", U="[1 2]", P="(p)"),
    "encrypted-filter-unknown": partial(_encrypted, Filter="/Own"),
    "encrypted-filter-cycle": partial(_encrypted, CF="1 0 R", StmF="/Pages"),
    "encrypted-really": _slow_password,
    "comments-20-megabytes": lambda: b"%PDF-1.7\n" + b"%\n" * 10_000_000 + pdf(_PLAIN)[9:],
    "noise-behind-a-head": lambda: b"%PDF-1.7\n" + _noise(5_000_000),
    "head-far-inside": lambda: b"x" * 1000 + pdf(_PLAIN),
    "cut-off": lambda: pdf(_PLAIN)[:300],
    "cut-off-at-head": lambda: b"%PDF-",
    "empty": lambda: b"",
    "one-byte": lambda: b"%",
    "zeros-5-megabytes": lambda: b"\0" * 5_000_000,
}


# ---------------------------------------------------------------- pictures


def _png(width: int, height: int, data: bytes, *, colour: int = 2, more: bytes = b"") -> bytes:
    head = struct.pack(">IIBBBBB", width, height, 8, colour, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + _chunk(b"IHDR", head) + more + _chunk(b"IDAT", data) + _chunk(b"IEND", b"")


def _chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def _tiff(directories: int, tags: Mapping[int, tuple[int, int, int]], *, cycle: bool = False) -> bytes:
    """A TIFF of equal directories one behind the other; a tag is (type, count, value)."""
    body = struct.pack("<H", len(tags)) + b"".join(struct.pack("<HHII", tag, *tags[tag]) for tag in sorted(tags))
    size = len(body) + 4
    follow = [8 + size * (number + 1) for number in range(directories)]
    follow[-1] = 8 if cycle else 0
    return b"II*\0" + struct.pack("<I", 8) + b"".join(body + struct.pack("<I", place) for place in follow)


def _tags(width: int, height: int, **changes: tuple[int, int, int]) -> dict[int, tuple[int, int, int]]:
    long = 4
    tags = {256: (long, 1, width), 257: (long, 1, height), 258: (3, 1, 8), 259: (3, 1, 1), 262: (3, 1, 1), 273: (long, 1, 8), 277: (3, 1, 1), 278: (long, 1, height), 279: (long, 1, 1)}
    return tags | {int(tag[1:]): value for tag, value in changes.items()}


def _picture(kind: str, size: tuple[int, int] = (400, 300), **how: object) -> bytes:
    out = io.BytesIO()
    Image.effect_noise(size, 60).save(out, kind, **how)
    return out.getvalue()


def _frames(kind: str, count: int) -> bytes:
    out = io.BytesIO()
    one = Image.new("L", (40, 40), 255)
    one.save(out, kind, save_all=True, append_images=[Image.new("L", (40, 40), number % 255) for number in range(count - 1)])
    return out.getvalue()


def _in_a_page(data: bytes, filters: str, entries: str = "", side: int = 60_000) -> bytes:
    """A picture of one of the PDF's own kinds, drawn over the page."""
    image = stream(data, f"/Type /XObject /Subtype /Image /Width {side} /Height {side} /BitsPerComponent 8 /ColorSpace /DeviceRGB {entries}", filters, packed=True)
    return pdf(page(b"q 612 0 0 792 0 0 cm /I Do Q", resources="/XObject << /I 6 0 R >>", more={6: image}))


def _jpx() -> bytes:
    head = struct.pack(">HHIIIIIIIIH", 47, 0, 60000, 60000, 0, 0, 60000, 60000, 0, 0, 3) + b"\x07\x01\x01" * 3
    return b"\xff\x4f\xff\x51" + head + b"\xff\x52\x00\x0c\x00\x00\x00\x01\x00\x05\x04\x04\x00\x00\xff\x5c\x00\x04\x40\x40\xff\x90\x00\x0a" + b"\0" * 7 + b"\x01\xff\x93\xff\xd9"


def _jbig2() -> bytes:
    """A segment that tells a page of four milliards of lines, then symbols that are none."""
    return struct.pack(">IBBBI", 0, 48, 0, 1, 19) + struct.pack(">IIIIBH", 0xFFFF, 0xFFFFFFFF, 0, 0, 0, 0) + struct.pack(">IBBBI", 1, 0, 0, 1, 0xFFFF) + _noise(400)


def _forty_documents() -> bytes:
    """Codes of forms that nobody issued, each of other rows and as long as may be: every one is to be laid out."""
    catalog = Catalog((shipped_folder(),))
    form = catalog.form(catalog.latest("worksheet"))
    sheet = Image.new("L", (1700, 2200), 255)
    for number in range(40):
        rows = {group.name: group.maximum - (number if group.name == "children" else 0) for group in form.groups}
        stamp = Stamp(document=f"{number:010}", code=form.code, version=form.id.version, laid=laid_code(form, "en", rows))
        code = zxingcpp.create_barcode(stamp_text(stamp, 1, b"somebody else's key"), zxingcpp.BarcodeFormat.QRCode).to_image(scale=5)
        sheet.paste(Image.fromarray(np.array(code)), (40 + number % 8 * 205, 40 + number // 8 * 205))
    out = io.BytesIO()
    sheet.save(out, "PNG")
    return out.getvalue()


def _changed(content: bytes, count: int) -> bytes:
    rng, changed = random.Random(3), bytearray(content)  # noqa: S311  (the same files each time)
    for _ in range(count):
        changed[rng.randrange(20, len(changed))] = rng.randrange(256)
    return bytes(changed)


_PICTURES: Final[Mapping[str, Callable[[], bytes]]] = {
    "png-bomb": lambda: _png(30_000, 30_000, bomb(GIGABYTE)),
    "png-bomb-within-bounds": lambda: _png(6000, 6000, bomb(6000 * 18_001)),
    "png-sides-huge": lambda: _png(0x7FFFFFFF, 0x7FFFFFFF, zlib.compress(b"\0" * 100)),
    "png-side-zero": lambda: _png(0, 100, zlib.compress(b"\0" * 100)),
    "png-long-and-thin": lambda: _png(2_000_000, 1, zlib.compress(b"\0" * 6_000_001)),
    "png-text-bomb": lambda: _png(1, 1, zlib.compress(b"\0" * 4), more=_chunk(b"zTXt", b"Comment\0\0" + bomb(GIGABYTE, 65))),
    "png-profile-bomb": lambda: _png(1, 1, zlib.compress(b"\0" * 4), more=_chunk(b"iCCP", b"icc\0\0" + bomb(GIGABYTE, 65))),
    "png-chunk-length-huge": lambda: _png(9, 9, b"x").replace(struct.pack(">I", 1) + b"IDAT", struct.pack(">I", 0x7FFFFFFF) + b"IDAT"),
    "png-of-forty-documents": _forty_documents,
    "png-broken": lambda: _changed(_picture("PNG"), 40),
    "tiff-10000-directories": lambda: _tiff(10_000, _tags(1, 1)),
    "tiff-directories-cycle": lambda: _tiff(3, _tags(1, 1), cycle=True),
    "tiff-bomb": lambda: _tiff(1, _tags(60_000, 60_000)),
    "tiff-lzw-bomb": lambda: _tiff(1, _tags(60_000, 60_000, t259=(3, 1, 5))),
    "tiff-count-huge": lambda: _tiff(1, _tags(100, 100, t273=(4, 0xFFFFFFFF, 8))),
    "tiff-fax-noise": lambda: _tiff(1, _tags(6000, 6000, t258=(3, 1, 1), t259=(3, 1, 4), t279=(4, 1, 4000))) + _noise(5000),
    "tiff-pages-1000": partial(_frames, "TIFF", 1000),
    "tiff-broken": lambda: _changed(_picture("TIFF", compression="tiff_lzw"), 40),
    "jpeg-broken": lambda: _changed(_picture("JPEG"), 60),
    "jpeg-cut-off": lambda: _picture("JPEG")[:3000],
    "jpeg-head-only": lambda: b"\xff\xd8\xff",
    "jpeg-sides-huge": lambda: b"\xff\xd8\xff\xc0" + struct.pack(">HBHHB", 11, 8, 65535, 65535, 1) + b"\x01\x11\x00\xff\xda\x00\x08\x01\x01\x00\x00\x3f\x00" + b"\0" * 500,
    "jpeg-progressive-many-scans": lambda: b"\xff\xd8\xff\xc2" + struct.pack(">HBHHB", 11, 8, 8000, 8000, 1) + b"\x01\x11\x00" + b"\xff\xda\x00\x08\x01\x01\x00\x00\x00\x00\x00" * 20_000,
    "jpeg-turned-oddly": lambda: _picture("JPEG", exif=b"Exif\0\0II*\0\x08\0\0\0\x01\0\x12\x01\x03\0\x01\0\0\0\xff\xff\0\0\0\0\0\0"),
    "gif": partial(_picture, "GIF"),
    "gif-frames-2000": partial(_frames, "GIF", 2000),
    "bmp-sides-huge": lambda: b"BM" + struct.pack("<IHHIIiiHHIIiiII", 60, 0, 0, 54, 40, 0x7FFFFFFF, -0x7FFFFFFF, 1, 24, 0, 0, 0, 0, 0, 0),
    "webp": partial(_picture, "WEBP"),
    "svg-reads-files": lambda: b'<?xml version="1.0"?><!DOCTYPE svg [<!ENTITY x SYSTEM "file:///etc/passwd">]><svg xmlns="http://www.w3.org/2000/svg"><text>&x;</text></svg>',
    "heic-head-only": lambda: b"\0\0\0\x18ftypheic\0\0\0\0mif1heic" + _noise(2000),
    "postscript": lambda: b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\n(/etc/passwd) (r) file\n{} loop",
    "web-page": lambda: b"<html><script>alert(1)</script></html>",
    "archive": lambda: b"PK\x03\x04" + b"\0" * 100,
    "two-kinds-jpeg-and-pdf": lambda: _picture("JPEG", (20, 20)) + pdf(_PLAIN),
    "two-kinds-pdf-and-jpeg": lambda: pdf(_PLAIN) + _picture("JPEG", (20, 20)),
    "two-kinds-png-around-pdf": lambda: _png(9, 9, zlib.compress(b"\0" * 252), more=_chunk(b"tEXt", b"a\0" + pdf(_PLAIN))),
    "two-kinds-archive-and-pdf": lambda: b"PK\x03\x04" + b"\0" * 26 + pdf(_PLAIN),
    "page-picture-huge": partial(_in_a_page, zlib.compress(b"\0" * 1000), "/FlateDecode", side=1_000_000),
    "page-picture-bomb": lambda: _in_a_page(bomb(GIGABYTE), "/FlateDecode", side=18_000),
    "page-picture-jpx": lambda: _in_a_page(_jpx(), "/JPXDecode"),
    "page-picture-jpx-noise": lambda: _in_a_page(_jpx()[:80] + _noise(3000), "/JPXDecode", side=2000),
    "page-picture-jbig2": lambda: _in_a_page(_jbig2(), "/JBIG2Decode", "/BitsPerComponent 1 /ColorSpace /DeviceGray"),
    "page-picture-jbig2-table-cycle": lambda: _in_a_page(_jbig2(), "/JBIG2Decode", "/DecodeParms << /JBIG2Globals 6 0 R >>"),
    "page-picture-fax": lambda: _in_a_page(_noise(50_000), "/CCITTFaxDecode", "/DecodeParms << /K -1 /Columns 60000 /Rows 60000 >>"),
    "page-picture-jpeg-broken": lambda: _in_a_page(_changed(_picture("JPEG"), 60), "/DCTDecode", side=400),
    "page-picture-mask-of-itself": partial(_in_a_page, zlib.compress(b"\0" * 300), "/FlateDecode", "/SMask 6 0 R", side=10),
    "page-picture-palette-huge": partial(_in_a_page, zlib.compress(b"\0" * 300), "/FlateDecode", "/ColorSpace [/Indexed /DeviceRGB 2147483647 <00>]", side=10),
}

HOSTILE: Final[Mapping[str, Callable[[], bytes]]] = {**PDFS, **_STRUCTURE, **_PICTURES}
