"""Finds fonts on this machine for what the base font cannot draw, by fontconfig's list."""

import bisect
import shutil
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cache, lru_cache
from typing import Final

import uharfbuzz as hb

from formsvc.settings import REGULAR

_FORMAT: Final = "%{file}\t%{index}\t%{family[0]}\t%{style[0]}\t%{weight}\t%{slant}\t%{charset}\n"
_FACES_MOST: Final = 0xFFFF  # higher bits of an index name instances of variable fonts
_REGULAR_WEIGHT: Final = 80  # fontconfig's scale
# Which Noto CJK family draws Han as readers of the text expect, by a script that stands beside it.
_CJK: Final = {"Hang": "KR", "Hira": "JP", "Kana": "JP", "Bopo": "TC"}


@dataclass(frozen=True)
class Listed:
    """A font as fontconfig lists it."""

    file: str
    index: int
    family: str
    order: int
    """Lower is preferred: regular upright sans faces first, emoji last."""
    charset: str = field(repr=False, compare=False)

    def covers(self, characters: frozenset[int]) -> bool:
        """Whether the font has all these characters."""
        starts, ends = _ranges(self.charset)
        return all((at := bisect.bisect_right(starts, character) - 1) >= 0 and character <= ends[at] for character in characters)


@lru_cache(maxsize=256)
def _ranges(charset: str) -> tuple[list[int], list[int]]:
    pairs = [part.partition("-") for part in charset.split()]
    return [int(low, 16) for low, _, _ in pairs], [int(high or low, 16) for low, _, high in pairs]


@cache
def listed_fonts() -> tuple[Listed, ...]:
    """All outline and emoji fonts here, best first; empty where fontconfig's `fc-list` is missing."""
    program = shutil.which("fc-list")
    if program is None:
        return ()
    done = subprocess.run([program, "--format", _FORMAT], capture_output=True, check=False, timeout=60)  # noqa: S603
    fonts = [font for line in done.stdout.decode("utf-8", "replace").splitlines() if (font := _listed(line))]
    return tuple(sorted(fonts, key=lambda font: (font.order, font.family, font.file, font.index)))


def _listed(line: str) -> Listed | None:
    parts = line.split("\t")
    if len(parts) != 7 or not parts[0].lower().endswith((".ttf", ".otf", ".ttc", ".otc")):  # noqa: PLR2004
        return None
    file, index, family, style, weight, slant, charset = parts
    if not index.isdecimal() or int(index) > _FACES_MOST or not charset:
        return None
    order = sum((
        abs(float(weight or _REGULAR_WEIGHT) - _REGULAR_WEIGHT) > 5 and 8,  # noqa: PLR2004
        slant != "0" and 4,
        "Sans" not in family and 2,
        not family.startswith("Noto") and 1,
        any(word in f"{family} {style}" for word in ("Mono", "Display", " UI", "Condensed")) and 1,
        "Emoji" in family and 16,
    ))
    return Listed(file, int(index), family, order, charset)


@lru_cache(maxsize=4096)
def font_for(characters: frozenset[int], scripts: frozenset[str]) -> Listed | None:
    """The best font that has all these characters, in a text that uses these scripts."""
    region = next((_CJK[script] for script in sorted(scripts) if script in _CJK), "SC")
    found = None
    for font in listed_fonts():
        if font.covers(characters):
            if "CJK" not in font.family or font.family.endswith(region):
                return font
            found = found or font
    return found


class Face:
    """An opened font: shapes with HarfBuzz, gives outlines or pictures of its glyphs."""

    def __init__(self, file: str, index: int) -> None:
        """Open a face of a font file."""
        self.name = f"{file}#{index}"
        self.face = hb.Face(hb.Blob.from_file_path(file), index)
        self.font = hb.Font(self.face)
        self.upem = self.face.upem
        self.pictures = self.face.has_color_png
        self.characters = frozenset(self.face.unicodes)


@lru_cache(maxsize=32)
def open_face(file: str, index: int) -> Face:
    """A face, kept open."""
    return Face(file, index)


def base_face() -> Face:
    """The base font as a face."""
    return open_face(str(REGULAR), 0)


def coverage(samples: Sequence[tuple[str, str]]) -> list[tuple[str, str | None]]:
    """For each (script name, sample text): the family that draws it here, or None."""
    found: list[tuple[str, str | None]] = []
    for script, sample in samples:
        characters = frozenset(map(ord, sample))
        base = "Source Sans 3" if characters <= base_face().characters else None
        font = None if base else font_for(characters, frozenset())
        found.append((script, base or (font.family if font else None)))
    return found
