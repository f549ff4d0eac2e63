"""What the page shows in a field: the text of its appearance stream, decoded through its fonts.

The stored value and the picture may differ: a broken or hostile writer, or a font that lacks the
letters. None means it cannot be told (a font without a Unicode map); `Damaged`, that nobody can tell.
"""

import re
import unicodedata
from typing import Final

import pikepdf
from fontTools import agl
from pikepdf import Array, Dictionary, Name, Stream, String
from pikepdf.models import PdfParsingError

from formsvc.model.paper import CONTINUED, CONTINUED_SHORT, pattern_of
from formsvc.model.values import UNSEEN
from formsvc.parsers.fields import decode_text

_AP, _N, _RESOURCES = Name.AP, Name.N, Name.Resources
_STREAM_MOST: Final = 300_000
_NESTED_MOST: Final = 3
_MARK: Final = re.compile(pattern_of(*CONTINUED.values(), CONTINUED_SHORT))
_HEX: Final = re.compile(rb"<([0-9A-Fa-f\s]*)>")
_RANGE_MOST: Final = 0x3000
# The shape of most of our own appearances, which needs no parser: lines in the WinAnsi font.
_OURS: Final = re.compile(rb"/Tx BMC q BT /Helv [\d.]+ Tf 0 g [\d.]+ TL [\d.]+ [\d.]+ Td ((?:\((?:[^\\()]|\\[\\()])*\)Tj(?: T\* )?)+) ET Q EMC")
_LITERAL: Final = re.compile(rb"\(((?:[^\\()]|\\[\\()])*)\)Tj")

Decoder = tuple[int, dict[int, str] | None]
"""Bytes to a code, and what each code says; None where the font does not tell."""


class Damaged(ValueError):  # noqa: N818  (said of an appearance)
    """An appearance, or a font of it, that is not what its kind is."""


class Shown:
    """What appearances show; fonts are decoded once per document."""

    def __init__(self) -> None:
        """Begin with no font known."""
        self._fonts: dict[tuple[int, int], Decoder] = {}
        self._plain: dict[tuple[int, int], bool] = {}

    def text(self, widget: Dictionary) -> tuple[str, bool] | None:
        """The text a widget shows, and whether a mark says that it continues elsewhere; raises `Damaged`."""
        appearances = widget[_AP] if _AP in widget else None  # noqa: SIM401  (get is slow on what is missing)
        normal = appearances.get(_N) if isinstance(appearances, Dictionary) else None
        if not isinstance(normal, Stream):
            return ("", False)
        pieces, marked = self._read(normal, Dictionary(), 0)
        return None if pieces is None else ("".join(pieces), marked)

    def _read(self, form: Stream, inherited: Dictionary, depth: int) -> tuple[list[str] | None, bool]:
        if depth > _NESTED_MOST or len(raw := form.read_raw_bytes()) > _STREAM_MOST:
            return None, False
        found = form.get(_RESOURCES, inherited)
        resources = found if isinstance(found, Dictionary) else Dictionary()
        if (ours := _OURS.fullmatch(raw)) and self._is_win_ansi(resources):
            lines = b" ".join(_LITERAL.findall(ours[1]))
            return [(re.sub(rb"\\(.)", rb"\1", lines) if b"\\" in lines else lines).decode("cp1252", "replace")], False
        reader = _Reader(self, resources, depth)
        try:
            for instruction in pikepdf.parse_content_stream(form):
                reader.step(list(instruction.operands), str(instruction.operator))
        except (pikepdf.PdfError, PdfParsingError, TypeError, UnicodeDecodeError) as problem:  # pikepdf's words for what stands in no stream, and for names in no encoding
            raise Damaged(type(problem).__name__) from problem
        return (reader.pieces if reader.known else None), reader.marked

    def _is_win_ansi(self, resources: Dictionary) -> bool:
        """Whether /Helv reads as WinAnsi there; remembered, since a document's fields share their resources."""
        key = resources.objgen
        if key not in self._plain:
            font = resources.get("/Font", Dictionary()).get("/Helv")
            size, codes = self.decoder(font) if isinstance(font, Dictionary) else (0, None)
            self._plain[key] = size == 1 and codes is not None and all(codes.get(code, text) == text for code, text in _LATIN.items() if text.isprintable())
        return key != (0, 0) and self._plain[key]

    def decoder(self, font: Dictionary) -> Decoder:
        """How a font's codes read."""
        key = font.objgen
        if key == (0, 0):
            return _decoder(font)
        if key not in self._fonts:
            self._fonts[key] = _decoder(font)
        return self._fonts[key]


class _Reader:
    """Follows the text operators of one content stream."""

    def __init__(self, shown: Shown, resources: Dictionary, depth: int) -> None:
        self._shown, self._resources, self._depth = shown, resources, depth
        self._decoder: Decoder = (1, None)
        self._actual: list[str | None] = []
        self._artifact: list[str] | None = None
        self._artifact_depth = 0
        self.pieces: list[str] = []
        self.known = True
        self.marked = False

    def step(self, operands: list[object], operator: str) -> None:
        if operator in ("Tj", "'", '"', "TJ") and operands:
            self._show(operands[-1])
        elif operator == "Tf" and operands:
            font = self._resources.get(Name.Font, Dictionary()).get(str(operands[0]))
            self._decoder = self._shown.decoder(font) if isinstance(font, Dictionary) else (1, _LATIN)
        elif operator in ("BMC", "BDC") and operands:
            self._begin(operands)
        elif operator == "EMC" and self._actual:
            self._end()
        elif operator == "Do" and operands:
            self._draw(str(operands[0]))

    def _begin(self, operands: list[object]) -> None:
        properties = operands[-1]
        said = properties.get(Name.ActualText) if isinstance(properties, Dictionary) else None
        self._actual.append(None)
        if isinstance(said, String) and self._artifact is None:
            self.pieces.append(decode_text(bytes(said)))
            self._actual[-1] = ""
        if str(operands[0]) == "/Artifact" and self._artifact is None:
            self._artifact, self._artifact_depth = [], len(self._actual)

    def _end(self) -> None:
        if self._artifact is not None and len(self._actual) == self._artifact_depth:
            text = "".join(self._artifact)
            self._artifact = None
            if _MARK.fullmatch(text.strip()):
                self.marked = True
            else:
                self.pieces.append(text)  # something else is shown there: it counts
        self._actual.pop()

    def _show(self, operand: object) -> None:
        if any(actual is not None for actual in self._actual):
            return
        parts = [part for part in operand if isinstance(part, String)] if isinstance(operand, Array) else [operand]
        size, codes = self._decoder
        target = self.pieces if self._artifact is None else self._artifact
        for part in parts:
            raw = bytes(part) if isinstance(part, String) else b""
            if codes is None:
                self.known = self.known and not raw
                continue
            said = [int.from_bytes(raw[at : at + size], "big") for at in range(0, len(raw), size)]
            # A code the map leaves out cannot be told (MuPDF's own forms have them); 0 is the glyph for nothing.
            self.known = self.known and all(code in codes for code in said if code)
            target.extend(codes.get(code, "\ufffd") for code in said)
        if not isinstance(operand, Array):
            target.append(" ")

    def _draw(self, name: str) -> None:
        form = self._resources.get(Name.XObject, Dictionary()).get(name)
        if isinstance(form, Stream) and form.get(Name.Subtype) == Name.Form:
            pieces, marked = self._shown._read(form, self._resources, self._depth + 1)
            self.known = self.known and pieces is not None
            self.pieces += pieces or []
            self.marked = self.marked or marked


# ---------------------------------------------------------------- fonts

_LATIN: Final = {code: bytes([code]).decode("cp1252", "replace") for code in range(256)}
_MAC: Final = {code: bytes([code]).decode("mac_roman") for code in range(256)}


def _decoder(font: Dictionary) -> Decoder:
    composite = font.get(Name.Subtype) == Name.Type0
    mapping = font.get(Name.ToUnicode)
    if isinstance(mapping, Stream):
        try:
            return _to_unicode(mapping.read_bytes(), 2 if composite else 1)
        except ValueError as problem:  # digits that are none
            raise Damaged(type(problem).__name__) from problem
    if composite:
        return 2, None
    return 1, _simple_codes(font.get(Name.Encoding))


def _simple_codes(encoding: object) -> dict[int, str] | None:
    base = encoding.get(Name.BaseEncoding) if isinstance(encoding, Dictionary) else encoding
    codes = dict(_MAC if base == Name.MacRomanEncoding else _LATIN)
    if isinstance(encoding, Dictionary):
        code = 0
        for item in encoding.get(Name.Differences, Array()):
            if isinstance(item, int):
                code = item
            else:
                codes[code] = agl.toUnicode(str(item).removeprefix("/"))
                code += 1
    return codes


def _to_unicode(cmap: bytes, size: int) -> Decoder:
    """A ToUnicode CMap; ranges are bounded, since a hostile one may span four billion codes."""
    codes: dict[int, str] = {}
    spaces = re.search(rb"begincodespacerange\s*<([0-9A-Fa-f]+)>", cmap)
    if spaces:
        size = max(len(spaces[1]) // 2, 1)
    for block in re.findall(rb"beginbfchar(.*?)endbfchar", cmap, re.DOTALL):
        texts = _HEX.findall(block)
        for code, text in zip(texts[::2], texts[1::2], strict=False):
            codes[int(code, 16)] = _utf16(text)
    for block in re.findall(rb"beginbfrange(.*?)endbfrange", cmap, re.DOTALL):
        for low, high, listed, first in re.findall(rb"<([0-9A-Fa-f]+)>\s*<([0-9A-Fa-f]+)>\s*(?:\[(.*?)\]|<([0-9A-Fa-f]+)>)", block, re.DOTALL):
            start, end = int(low, 16), min(int(high, 16), int(low, 16) + _RANGE_MOST)
            if listed:
                codes.update(zip(range(start, end + 1), map(_utf16, _HEX.findall(listed)), strict=False))
            elif len(codes) < 10 * _RANGE_MOST:
                text = _utf16(first)
                codes.update((start + step, text[:-1] + chr(min(ord(text[-1]) + step, 0x10FFFF))) for step in range(end - start + 1) if text)
    return size, codes


def _utf16(text: bytes) -> str:
    digits = bytes(text).translate(None, b" \t\r\n")
    return bytes.fromhex((digits + b"0" * (-len(digits) % 4)).decode("ascii")).decode("utf-16-be", "replace")


# ---------------------------------------------------------------- compared



def same_text(shown: str, value: str, *, continued: bool) -> bool:
    """Whether a page shows a value: white space and what is invisible apart.

    Left-to-right text is compared in order. Text that has letters of right-to-left or reordering
    scripts is compared as a collection, because writers draw those in different orders.
    """
    if shown == value:
        return True
    drawn, meant = _bare(shown), _bare(value)
    if continued:
        return meant.startswith(drawn) or _is_part(drawn, meant)
    return drawn == meant or (_reorders(value) and sorted(drawn) == sorted(meant))


def _bare(text: str) -> str:
    return "".join(text.split()) if text.isascii() else UNSEEN.sub("", unicodedata.normalize("NFKC", text))


def _reorders(text: str) -> bool:
    return any(unicodedata.bidirectional(c) in ("R", "AL", "AN") or unicodedata.category(c) in ("Mn", "Mc") for c in text)


def _is_part(drawn: str, meant: str) -> bool:
    return _reorders(meant) and all(drawn.count(c) <= meant.count(c) for c in set(drawn))
