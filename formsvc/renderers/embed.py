"""Embeds the glyphs a document draws outside the simple font, as small fonts of its own.

Outlines become a TrueType font with just these glyphs, numbered by us; pictures (colour emoji)
become a Type 3 font of images. Each code stands for one glyph *and* one text, so that the
ToUnicode maps give back what was typed.
"""

import io
import zlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Final

from fontTools.fontBuilder import FontBuilder
from fontTools.pens.cu2quPen import Cu2QuPen
from fontTools.pens.ttGlyphPen import TTGlyphPen
from PIL import Image

from formsvc.renderers.faces import Face
from formsvc.renderers.fonts import to_unicode
from formsvc.renderers.shaping import Glyph, Run
from formsvc.renderers.update import Update

_SILENT: Final = "\u200b"  # what the later glyphs of a cluster say: nothing that is seen
_TYPE3_MOST: Final = 255
_PICTURE_SIDE: Final = 72  # pixels: 600 dpi at the largest type size
_UNITS: Final = 1000


@dataclass(slots=True)
class _Font:
    """One font of the document under construction: a face, its resource name, its codes."""

    face: Face
    name: str
    codes: dict[tuple[int, str], int] = field(default_factory=dict)

    @property
    def digits(self) -> int:
        return 2 if self.face.pictures else 4


class FontBook:
    """The extra fonts of one document."""

    def __init__(self) -> None:
        """Begin with none."""
        self._fonts: list[_Font] = []

    def __bool__(self) -> bool:
        """Whether any font is needed."""
        return bool(self._fonts)

    def _code(self, face: Face, glyph: Glyph) -> tuple[_Font, int]:
        key = (glyph.gid, glyph.text or _SILENT)
        for font in self._fonts:
            if font.face is face and (key in font.codes or not face.pictures or len(font.codes) < _TYPE3_MOST):
                return font, font.codes.setdefault(key, len(font.codes) + 1)
        font = _Font(face, f"F{len(self._fonts) + 1}")
        self._fonts.append(font)
        return font, font.codes.setdefault(key, 1)

    def draw(self, runs: Iterable[Run], size: float) -> bytes:
        """Text operators for a line, from the current text position on."""
        parts: list[str] = []
        for run in runs:
            inner = "".join(self._draw_glyphs(run, size))
            if run.exact:
                parts.append(inner)
            else:
                said = run.text.encode("utf-16-be").hex()
                parts.append(f"/Span<</ActualText<FEFF{said}>>>BDC {inner}EMC ")
        return "".join(parts).encode("ascii")

    def _draw_glyphs(self, run: Run, size: float) -> Iterable[str]:
        current, shown, pending = "", "", 0.0
        for glyph in run.glyphs:
            font, code = self._code(run.face, glyph)
            if font.name != current or glyph.y:
                yield _flush(shown)
                shown = ""
            if font.name != current:
                current = font.name
                yield f"/{current} {size:g} Tf "
            before = pending + glyph.x
            shift = f"{-before:.4g}" if abs(before) > 0.05 else ""  # noqa: PLR2004  (far below a printer's dot)
            one = f"{shift}<{code:0{font.digits}X}>"
            pending = glyph.advance - glyph.x - glyph.natural
            if glyph.y:
                yield f"{glyph.y * size / _UNITS:.4g} Ts [{one}]TJ 0 Ts "
            else:
                shown += one
        if abs(pending) > 0.05:  # noqa: PLR2004
            shown += f"{-pending:.4g}"
        yield _flush(shown)

    def put(self, update: Update) -> bytes:
        """Write the fonts; returns their entries for a resource dictionary."""
        entries = []
        for font in self._fonts:
            number = _put_pictures(update, font) if font.face.pictures else _put_outlines(update, font)
            entries.append(b"/%b %d 0 R" % (font.name.encode("ascii"), number))
        return b"".join(entries)


def _flush(shown: str) -> str:
    return f"[{shown}]TJ " if shown else ""


def _to_unicode(update: Update, font: _Font) -> int:
    return update.add_stream(b"", to_unicode([(code, text) for (_, text), code in font.codes.items()], font.digits))


# ---------------------------------------------------------------- outlines


@lru_cache(maxsize=256)
def _program(face: Face, glyphs: tuple[int, ...]) -> bytes:
    """A TrueType font whose glyph n is the face's glyph `glyphs[n - 1]`."""
    builder = FontBuilder(face.upem, isTTF=True)
    names = [".notdef", *(f"g{number}" for number in range(1, len(glyphs) + 1))]
    outlines = {".notdef": TTGlyphPen(None).glyph()}
    advances = {".notdef": (face.upem // 2, 0)}
    for name, gid in zip(names[1:], glyphs, strict=True):
        pen = TTGlyphPen(None)
        face.font.draw_glyph_with_pen(gid, Cu2QuPen(pen, face.upem / 1000, reverse_direction=False))
        outlines[name] = pen.glyph()
        advances[name] = (max(face.font.get_glyph_h_advance(gid), 0), 0)
    builder.setupGlyphOrder(names)
    builder.setupCharacterMap({})
    builder.setupGlyf(outlines)
    builder.setupHorizontalMetrics({name: (advance, outlines[name].xMin if hasattr(outlines[name], "xMin") else 0) for name, (advance, _) in advances.items()})
    extents = face.font.get_font_extents("ltr")
    builder.setupHorizontalHeader(ascent=extents.ascender, descent=extents.descender)
    builder.setupPost(keepGlyphNames=False)
    out = io.BytesIO()
    for table in ("OS/2", "name"):
        if table in builder.font:
            del builder.font[table]
    builder.font.save(out)
    return out.getvalue()


def _put_outlines(update: Update, font: _Font) -> int:
    face = font.face
    gids = tuple(gid for gid, _ in font.codes)
    program = _program(face, gids)
    tag = _tag(face.name, gids)
    name = b"/" + tag.encode("ascii") + b"+Formsvc"
    scale = _UNITS / face.upem
    extents = face.font.get_font_extents("ltr")
    stream = update.add_stream(b"/Length1 %d" % len(program), program)
    descriptor = update.add(
        b"<</Type/FontDescriptor/FontName%b/Flags 4/FontBBox[-1000 -1000 2000 2000]/ItalicAngle 0/Ascent %d/Descent %d/CapHeight 700/StemV 80/FontFile2 %d 0 R>>"
        % (name, extents.ascender * scale, extents.descender * scale, stream),
    )
    widths = " ".join(f"{face.font.get_glyph_h_advance(gid) * scale:.5g}" for gid in gids).encode("ascii")
    descendant = update.add(
        b"<</Type/Font/Subtype/CIDFontType2/BaseFont%b/CIDSystemInfo<</Registry(Adobe)/Ordering(Identity)/Supplement 0>>/CIDToGIDMap/Identity/FontDescriptor %d 0 R/DW 500/W[1[%b]]>>"
        % (name, descriptor, widths),
    )
    return update.add(
        b"<</Type/Font/Subtype/Type0/BaseFont%b/Encoding/Identity-H/DescendantFonts[%d 0 R]/ToUnicode %d 0 R>>" % (name, descendant, _to_unicode(update, font)),
    )


def _tag(name: str, gids: Sequence[int]) -> str:
    """Six capitals that differ for different subsets (ISO 32000-1, 9.6.4)."""
    number = zlib.crc32(f"{name}{gids}".encode())
    return "".join(chr(65 + number // 26**place % 26) for place in range(6))


# ---------------------------------------------------------------- pictures


@lru_cache(maxsize=512)
def _picture(face: Face, gid: int) -> tuple[int, int, bytes, bytes]:
    """A glyph's picture: width, height, RGB and alpha samples (compressed)."""
    blob = face.font.get_glyph_color_png(gid)
    data = bytes(blob.data) if blob else b""
    if not data:
        return 1, 1, zlib.compress(b"\xff\xff\xff"), zlib.compress(b"\0")
    with Image.open(io.BytesIO(data), formats=("PNG",)) as image:
        image.thumbnail((_PICTURE_SIDE, _PICTURE_SIDE))
        whole = image.convert("RGBA")
    alpha = whole.getchannel("A")
    flat = Image.composite(whole.convert("RGB"), Image.new("RGB", whole.size, "white"), alpha.point(lambda value: 255 if value else 0))
    return whole.width, whole.height, zlib.compress(flat.tobytes(), 9), zlib.compress(alpha.tobytes(), 9)


def _put_pictures(update: Update, font: _Font) -> int:
    face, scale = font.face, _UNITS / font.face.upem
    procs, images, widths = [], [], []
    for (gid, _), code in font.codes.items():
        width, height, samples, alpha = _picture(face, gid)
        size = b"/Type/XObject/Subtype/Image/Width %d/Height %d/BitsPerComponent 8/Filter/FlateDecode" % (width, height)
        mask = update.new()
        update.put_raw_stream(mask, size + b"/ColorSpace/DeviceGray", alpha)
        image = update.new()
        update.put_raw_stream(image, size + b"/ColorSpace/DeviceRGB/SMask %d 0 R" % mask, samples)
        images.append(b"/I%d %d 0 R" % (code, image))
        advance = face.font.get_glyph_h_advance(gid) * scale
        box = face.font.get_glyph_extents(gid)
        left, top, wide, tall = (box.x_bearing, box.y_bearing, box.width, -box.height) if box else (0, 0, 0, 0)
        proc = f"{advance:.5g} 0 d0 q {wide * scale:.5g} 0 0 {tall * scale:.5g} {left * scale:.5g} {(top - tall) * scale:.5g} cm /I{code} Do Q"
        procs.append(b"/c%d %d 0 R" % (code, update.add_stream(b"", proc.encode("ascii"))))
        widths.append(f"{advance:.5g}")
    resources = update.add(b"<</XObject<<%b>>>>" % b"".join(images))
    names = b"".join(b"/c%d" % code for code in font.codes.values())
    return update.add(
        b"<</Type/Font/Subtype/Type3/Name/%b/FontBBox[0 -300 1300 1000]/FontMatrix[.001 0 0 .001 0 0]/FirstChar 1/LastChar %d/Widths[%b]"
        b"/Encoding<</Type/Encoding/Differences[1%b]>>/CharProcs<<%b>>/Resources %d 0 R/ToUnicode %d 0 R>>"
        % (font.name.encode("ascii"), len(font.codes), " ".join(widths).encode("ascii"), names, b"".join(procs), resources, _to_unicode(update, font)),
    )
