"""Draws text of any script: bidirectional order, font fallback, HarfBuzz shaping, embedded glyphs.

The slow path beside the simple font. Every glyph drawn gets a code of its own for each text it
stands for, so that a ToUnicode map can give every cluster back exactly; clusters whose glyphs are
not one for one carry their text as ActualText too.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Final

import bidi.algorithm as bidi
import regex
import uharfbuzz as hb
from fontTools import unicodedata

from formsvc.renderers.faces import Face, base_face, font_for, open_face
from formsvc.renderers.text import Unit

MISSING: Final = "\u25a1"  # an empty square stands for what no font can draw
_CLUSTER: Final = regex.compile(r"\X")
_SPACED: Final = regex.compile(r"[^ ]+ *| +")
# Scripts written without spaces between words, in which a line may break between almost any two characters.
_UNSPACED: Final = regex.compile(r"[\p{Han}\p{Hiragana}\p{Katakana}\p{Bopomofo}\p{Extended_Pictographic}\u3000-\u303f\uff00-\uffef]")
# ... but not before these and not after those (the common part of the CJK line-breaking rules, UAX #14 CL, NS, CJ, OP).
_NO_START: Final = frozenset("、。，．！？：；）」』】〕〉》”’%‰…ー々ぁぃぅぇぉっゃゅょゎァィゥェォッャュョヮ,.!?:;)]}")
_NO_END: Final = frozenset("（「『【〔〈《“‘([{")
_WEAK: Final = ("Zyyy", "Zinh", "Zzzz")
# Drawn as nothing by design: joiners, direction marks, variation selectors, tags, fillers.
_INVISIBLE: Final = frozenset((
    *(0xAD, 0x34F, 0x61C, 0x115F, 0x1160, 0x17B4, 0x17B5, 0x2028, 0x2029, 0x3164, 0xFEFF, 0xFFA0),
    *range(0x180B, 0x1810), *range(0x200B, 0x2010), *range(0x202A, 0x202F), *range(0x2060, 0x2070),
    *range(0xFE00, 0xFE10), *range(0xE0000, 0xE1000),
))


@dataclass(frozen=True, slots=True)
class Glyph:
    """One glyph in drawing order: distances in 1/1000 of the size."""

    gid: int
    text: str
    """What it stands for; empty for the later glyphs of a cluster."""
    advance: float
    natural: float
    """The advance the font itself gives: what a PDF renderer moves on by."""
    x: float
    y: float


@dataclass(frozen=True, slots=True)
class Run:
    """Glyphs of one face in drawing order, and the text they stand for in reading order."""

    face: Face
    glyphs: tuple[Glyph, ...]
    text: str
    exact: bool
    """Whether the glyphs, in drawing order, spell the text one for one."""


# ---------------------------------------------------------------- order and fonts


def levels(text: str, base: int) -> list[int]:
    """The embedding level of every character in a paragraph of base level 0 or 1 (UAX #9)."""
    if text.isascii() or not any(unicodedata.bidirectional(c) in ("R", "AL", "AN", "RLE", "RLO", "RLI") for c in text):
        return [base] * len(text)
    storage: dict[str, Any] = bidi.get_empty_storage()
    storage["base_level"], storage["base_dir"] = base, ("L", "R")[base]
    bidi.get_embedding_levels(text, storage)
    for number, character in enumerate(storage["chars"]):
        character["place"] = number
        if not character["type"]:  # newer than this Python's Unicode data: the default class of the standard
            character["type"] = character["orig"] = "L"
    bidi.explicit_embed_and_overrides(storage)
    bidi.resolve_weak_types(storage)
    bidi.resolve_neutral_types(storage, False)  # noqa: FBT003
    bidi.resolve_implicit_levels(storage, False)  # noqa: FBT003
    known = {character["place"]: character["level"] for character in storage["chars"]}
    found = [base]
    for place in range(len(text)):  # joiners and formatting characters were removed: they stay with what they follow
        found.append(known.get(place, found[-1]))
    return found[1:]


def is_right_to_left(text: str) -> bool:
    """Whether a paragraph starts at the right: its first strong character decides."""
    directions = map(unicodedata.bidirectional, text)
    return next((direction != "L" for direction in directions if direction in ("L", "R", "AL")), False)


def _visual_spans(text: str, base: int) -> list[tuple[int, int, int]]:
    """The text as (start, end, level) spans in drawing order (UAX #9, rule L2)."""
    found = levels(text, base)
    spans: list[tuple[int, int, int]] = []
    for position, level in enumerate(found):
        if spans and spans[-1][2] == level:
            spans[-1] = (spans[-1][0], position + 1, level)
        else:
            spans.append((position, position + 1, level))
    for level in range(max(found, default=0), 0, -1):
        start = None
        for at in range(len(spans) + 1):
            inside = at < len(spans) and spans[at][2] >= level
            if inside and start is None:
                start = at
            elif not inside and start is not None:
                spans[start:at] = spans[start:at][::-1]
                start = None
    return spans


def _face_for(cluster: str, scripts: frozenset[str], before: Face | None) -> Face | None:
    needed = frozenset(ord(c) for c in cluster) - _INVISIBLE
    base = base_face()
    pictured = "\ufe0f" in cluster or "\u200d" in cluster
    if needed <= base.characters and not pictured:
        return base if before is None or before.pictures or cluster.strip() or not needed <= before.characters else before
    if before is not None and needed <= before.characters and not (pictured and not before.pictures):
        return before
    found = font_for(needed | {0x200D} if pictured and "\u200d" in cluster and needed else needed, scripts) or font_for(needed, scripts)
    if found is None:
        return base if needed <= base.characters else None
    return open_face(found.file, found.index)


def _script(text: str) -> str:
    return next((script for c in text if (script := unicodedata.script(c)) not in _WEAK), "Zyyy")


def _itemised(text: str) -> Iterator[tuple[str, Face | None, str]]:
    """Pieces of one direction that share a face and a script."""
    scripts = frozenset(map(unicodedata.script, text))
    piece, face, script = "", None, "Zyyy"
    started = False
    for cluster in clusters(text):
        own_face, own_script = _face_for(cluster, scripts, face if started else None), _script(cluster)
        same = own_face is face and (own_script in (script, "Zyyy") or script == "Zyyy")
        if started and not same:
            yield piece, face, script
            piece, script = "", "Zyyy"
        piece, face, started = piece + cluster, own_face, True
        script = own_script if script == "Zyyy" else script
    if started:
        yield piece, face, script


# ---------------------------------------------------------------- shaped


@lru_cache(maxsize=8192)
def shape(line: str, *, right_to_left: bool) -> tuple[tuple[Run, ...], frozenset[str]]:
    """A line of a paragraph of that direction in drawing order, and the characters that no font here can draw."""
    runs: list[Run] = []
    missing: set[str] = set()
    for start, end, level in _visual_spans(line, int(right_to_left)):
        pieces = list(_itemised(line[start:end]))
        for piece, face, script in reversed(pieces) if level % 2 else pieces:
            if face is None:
                missing.update(c for c in piece if ord(c) not in _INVISIBLE)
                runs.append(_boxes(piece))
            else:
                runs.append(_shaped(piece, face, script, right_to_left=bool(level % 2)))
    return tuple(runs), frozenset(missing)


def _boxes(piece: str) -> Run:
    """A visible square for each cluster that cannot be drawn; its text stays what was typed."""
    face = base_face()
    gid = face.font.get_nominal_glyph(ord(MISSING)) or 0
    advance = face.font.get_glyph_h_advance(gid) * 1000 / face.upem
    glyphs = tuple(Glyph(gid, cluster, advance, advance, 0, 0) for cluster in clusters(piece))
    return Run(face, glyphs, piece, exact=True)


def _shaped(piece: str, face: Face, script: str, *, right_to_left: bool) -> Run:
    buffer = hb.Buffer()
    buffer.add_str(piece.replace("\t", " "))
    buffer.cluster_level = hb.BufferClusterLevel.MONOTONE_CHARACTERS
    buffer.direction = "rtl" if right_to_left else "ltr"
    if script not in _WEAK:
        buffer.script = script
    buffer.guess_segment_properties()
    hb.shape(face.font, buffer, {})
    infos, positions = buffer.glyph_infos, buffer.glyph_positions
    starts = sorted({info.cluster for info in infos})
    ends = dict(zip(starts, [*starts[1:], len(piece)], strict=True))
    scale = 1000 / face.upem
    glyphs, seen = [], set()
    for info, position in zip(infos, positions, strict=True):
        text = "" if info.cluster in seen else piece[info.cluster : ends[info.cluster]]
        seen.add(info.cluster)
        natural = face.font.get_glyph_h_advance(info.codepoint) * scale
        glyphs.append(Glyph(info.codepoint, text, position.x_advance * scale, natural, position.x_offset * scale, position.y_offset * scale))
    exact = not right_to_left and all(glyph.text for glyph in glyphs)
    return Run(face, tuple(glyphs), piece, exact)


class ShapedMeasure:
    """Text of any script, broken at spaces and between the characters of unspaced scripts.

    Words too wide for a line break by grapheme; for Thai, Khmer and Lao no dictionary is used.
    """

    leading = 1.32  # stacked marks of Khmer, Thai, Devanagari need more room than Latin

    def units(self, paragraph: str) -> list[Unit]:
        """Pieces between break opportunities."""
        words = _SPACED.findall(paragraph) or [""]  # spaces are as wide as in the font of the word before them
        return [(unit, _width(unit.rstrip(" ")), _width(unit)) for word in words for unit in _breakable(word)]

    def pieces(self, word: str) -> Iterator[tuple[str, int]]:
        """Grapheme clusters."""
        return ((cluster, _width(cluster)) for cluster in clusters(word))

    def is_right_to_left(self, paragraph: str) -> bool:
        """Whether the paragraph starts at the right."""
        return is_right_to_left(paragraph)


def clusters(text: str) -> list[str]:
    """What a reader takes for one character each (UAX #29 extended grapheme clusters)."""
    found: list[str] = _CLUSTER.findall(text)
    return found


def _breakable(word: str) -> list[str]:
    """A word with the space after it, in pieces between which a line may break."""
    if not _UNSPACED.search(word):
        return [word]
    pieces = [""]
    for cluster in clusters(word):
        before = pieces[-1][-1:]
        joined = cluster[0] in _NO_START or before in _NO_END or cluster == " " or not (_UNSPACED.match(cluster) or _UNSPACED.match(before))
        if before and not joined:
            pieces.append(cluster)
        else:
            pieces[-1] += cluster
    return pieces


@lru_cache(maxsize=20_000)
def _width(text: str) -> int:
    runs = shape(text, right_to_left=is_right_to_left(text))[0] if text else ()
    return round(sum(glyph.advance for run in runs for glyph in run.glyphs))


SHAPED: Final = ShapedMeasure()
