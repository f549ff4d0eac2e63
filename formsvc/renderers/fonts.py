"""The base family that travels with the installation, and the simple font every form embeds.

The simple font covers WinAnsi (cp1252): viewers type with it, and most of our own appearances use
it, one byte a character. Text beyond it is drawn by `formsvc.renderers.shaping`.
"""

import io
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Final

from fontTools import subset
from fontTools.ttLib import TTFont, TTLibError

from formsvc.errors import Refused
from formsvc.settings import FONTS, REGULAR

SEMIBOLD: Final = FONTS / "SourceSans3-SemiBold.ttf"
_FIRST, _LAST = 32, 255
_UNDRAWN: Final = frozenset("\xad")  # a soft hyphen is a hyphen in WinAnsi: not the same character


@dataclass(frozen=True, slots=True)
class SimpleFont:
    """A WinAnsi subset of the base font; widths and heights in 1/1000 of the size."""

    program: bytes
    widths: tuple[int, ...]
    """By character code, 0 to 255."""
    ascent: int
    descent: int
    cap_height: int
    bounds: tuple[int, int, int, int]
    characters: frozenset[str]


def open_font(path: Path) -> TTFont:
    """A font file of ours; refuses with the way out."""
    try:
        return TTFont(path, lazy=True, recalcTimestamp=False)
    except (OSError, TTLibError) as problem:
        raise Refused("font-missing", path.name, detail=problem) from problem


def _win_ansi() -> dict[int, str]:
    decoded = {code: bytes([code]).decode("cp1252", "ignore") for code in range(_FIRST, _LAST + 1)}
    return {code: character for code, character in decoded.items() if (character and character.isprintable()) or character == "\xa0"}


@cache
def simple_font() -> SimpleFont:
    """The WinAnsi subset of the base font."""
    with open_font(REGULAR) as font:
        return _simple(font)


def _simple(font: TTFont) -> SimpleFont:
    glyphs, advances = font.getBestCmap(), font["hmtx"]
    drawn = {code: character for code, character in _win_ansi().items() if ord(character) in glyphs and character not in _UNDRAWN}
    widths = [0] * 256
    for code, character in drawn.items():
        widths[code] = round(advances[glyphs[ord(character)]][0] * 1000 / font["head"].unitsPerEm)
    head, metrics, line = font["head"], font["OS/2"], font["hhea"]
    return SimpleFont(
        widths=tuple(widths),
        ascent=line.ascent,
        descent=line.descent,
        cap_height=metrics.sCapHeight,
        bounds=(head.xMin, head.yMin, head.xMax, head.yMax),
        characters=frozenset(drawn.values()),
        program=_subset(font, [ord(character) for character in drawn.values()]),
    )


def _subset(font: TTFont, characters: list[int]) -> bytes:
    options = subset.Options(hinting=False, notdef_outline=True, layout_features=[], name_IDs=[], glyph_names=False)
    options.drop_tables += ["GSUB", "GPOS", "GDEF", "STAT", "meta", "DSIG"]
    cutter = subset.Subsetter(options)
    cutter.populate(unicodes=characters)
    cutter.subset(font)
    out = io.BytesIO()
    font.save(out)
    return out.getvalue()


def to_unicode(pairs: list[tuple[int, str]], digits: int) -> bytes:
    """A ToUnicode CMap: codes of so many hexadecimal digits to the text each stands for."""
    lines = [
        "/CIDInit /ProcSet findresource begin 12 dict begin begincmap",
        "/CIDSystemInfo << /Registry (Adobe) /Ordering (UCS) /Supplement 0 >> def",
        "/CMapName /Adobe-Identity-UCS def /CMapType 2 def",
        f"1 begincodespacerange <{'0' * digits}> <{'F' * digits}> endcodespacerange",
    ]
    for start in range(0, len(pairs), 100):  # at most 100 to a block, by the CMap specification
        block = pairs[start : start + 100]
        lines.append(f"{len(block)} beginbfchar")
        lines += [f"<{code:0{digits}X}> <{text.encode('utf-16-be').hex().upper()}>" for code, text in block]
        lines.append("endbfchar")
    lines.append("endcmap CMapName currentdict /CMap defineresource pop end end")
    return "\n".join(lines).encode("ascii")


def simple_to_unicode() -> bytes:
    """The ToUnicode CMap of the simple font."""
    drawn = simple_font().characters
    return to_unicode([(code, character) for code, character in _win_ansi().items() if character in drawn], 2)
