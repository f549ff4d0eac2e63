"""Drawing operators for what stands in a box: lines of text, marks, the page stamp."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from formsvc.model.kinds import Lang
from formsvc.model.paper import CONTINUED, CONTINUED_SHORT, MATRIX_SIDE, QR_SIDE, matrix_box, qr_box
from formsvc.renderers.codes import data_matrix, qr
from formsvc.renderers.embed import FontBook
from formsvc.renderers.fonts import simple_font
from formsvc.renderers.shaping import SHAPED, Run, shape
from formsvc.renderers.text import LARGEST, PADDING, SIMPLE, Fitted, Line, Measure, fit_box, fit_line, is_simple
from formsvc.renderers.update import escape

_RISE: Final = 0.76  # of the size: from the top of a first line to its baseline
_SHAPED_RISE: Final = 0.98
MARK_SIZE: Final = 6.0


@dataclass(slots=True)
class Drawn:
    """Text laid into a box, before it is drawn: page numbers of continuations are known later."""

    fitted: Fitted
    simple: bool
    one_line: bool
    missing: frozenset[str] = frozenset()


def measure_of(text: str) -> Measure:
    """The fast measure where the simple font draws everything, else the shaping one."""
    return SIMPLE if is_simple(text) else SHAPED


def lay_text(text: str, width: float, height: float, *, one_line: bool) -> Drawn:
    """Text laid into a box of this size."""
    if one_line and text.isascii() and SIMPLE.width(text) <= (width - 2 * PADDING) * 1000 / LARGEST and "\t" not in text:
        return Drawn(Fitted(text, (Line(0, len(text)),), LARGEST, SIMPLE.leading), simple=True, one_line=True)
    text = text.replace("\t", " ")
    measure = measure_of(text)
    if one_line:
        mark = SIMPLE.width(CONTINUED_SHORT.format(page=99)) * MARK_SIZE / 1000
        fitted = fit_line(text, measure, width, mark)
    else:
        fitted = fit_box(text, measure, width, height)
    return Drawn(fitted, measure is SIMPLE, one_line)


def draw_text(drawn: Drawn, width: float, height: float, book: FontBook, *, lang: Lang, page: int = 0) -> tuple[bytes, frozenset[str]]:
    """The appearance of laid text, and what no font could draw; `page` is where the rest continues."""
    fitted = drawn.fitted
    base = _baseline(drawn, height)
    if drawn.simple:
        operators, missing = _simple_lines(fitted, base), frozenset[str]()
    else:
        operators, missing = _shaped_lines(fitted, base, width, book)
    mark = _mark(drawn, width, lang, page) if page else b""
    return b"/Tx BMC q " + operators + b"EMC " + mark + b"Q" if mark else b"/Tx BMC q " + operators + b"Q EMC", missing


def _baseline(drawn: Drawn, height: float) -> float:
    if drawn.one_line:
        return (height - simple_font().cap_height * drawn.fitted.size / 1000) / 2
    return height - PADDING - drawn.fitted.size * (_RISE if drawn.simple else _SHAPED_RISE)


def _simple_lines(fitted: Fitted, base: float) -> bytes:
    lines = [b"(" + escape(line.encode("cp1252")) + b")Tj" for line, _ in fitted.shown()]
    return b"BT /Helv %.4g Tf 0 g %.4g TL %.4g %.5g Td " % (fitted.size, fitted.size * fitted.leading, PADDING, base) + b" T* ".join(lines) + b" ET "


def _shaped_lines(fitted: Fitted, base: float, width: float, book: FontBook) -> tuple[bytes, frozenset[str]]:
    parts, missing = [], frozenset[str]()
    step = fitted.size * fitted.leading
    for number, (line, rtl) in enumerate(fitted.shown()):
        if not line.strip():
            continue
        runs, unknown = shape(line, right_to_left=rtl)
        left = max(width - PADDING - _wide(runs, fitted.size), PADDING) if rtl else PADDING
        piece = b"BT %.5g %.5g Td " % (left, base - number * step) + book.draw(runs, fitted.size) + b"ET "
        parts.append(piece)
        missing |= unknown
    return b"0 g " + b"".join(parts), missing


def _wide(runs: Iterable[Run], size: float) -> float:
    return sum(glyph.advance for run in runs for glyph in run.glyphs) * size / 1000


def any_line(text: str, left: float, base: float, size: float, book: FontBook, *, right: float | None = None) -> bytes:
    """One line from a point on, in the simple font where it can; with `right` it reads from there."""
    if is_simple(text):
        return b"BT /Helv %.4g Tf %.5g %.5g Td (%b)Tj ET " % (size, left, base, escape(text.encode("cp1252")))
    runs, _ = shape(text, right_to_left=right is not None)
    start = left if right is None else max(right - _wide(runs, size), left)
    return b"BT %.5g %.5g Td " % (start, base) + book.draw(runs, size) + b"ET "


def line_width(text: str, size: float) -> float:
    """How wide a line is, in points."""
    return sum(full for _, _, full in measure_of(text).units(text)) * size / 1000


def _mark(drawn: Drawn, width: float, lang: Lang, page: int) -> bytes:
    """Says where the text continues: at the end of the line, or on the line kept free for it."""
    text = (CONTINUED_SHORT if drawn.one_line else CONTINUED[lang]).format(page=page)
    left = max(width - PADDING - SIMPLE.width(text) * MARK_SIZE / 1000, PADDING)
    said = escape(text.encode("cp1252"))
    return b"/Artifact BMC BT /Helv %.4g Tf .25 g %.5g 2.4 Td (%b)Tj ET EMC " % (MARK_SIZE, left, said)


# ---------------------------------------------------------------- stamps


def draw_stamp(code: str, words: str, page_of: str, form_line: str, width: float, height: float) -> bytes:
    """The stamp at the top right: a QR code and, left of it, the document in words."""
    path, modules = qr(code)
    scale = QR_SIDE / modules
    left, bottom, _, _ = qr_box((0, 0, width, height))
    lines = ((words, 9.5, 0), (page_of, 8.0, 12), (form_line, 7.0, 22.5))
    texts = b"".join(_right_line(text, left - 12, bottom + QR_SIDE - 9 - down, size) for text, size, down in lines)
    return b"0 g " + texts + b"q %.5g 0 0 %.5g %.5g %.5g cm " % (scale, scale, left, bottom) + path + b" Q"


def _right_line(text: str, right: float, base: float, size: float) -> bytes:
    raw = text.encode("cp1252", "replace")
    wide = sum(map(simple_font().widths.__getitem__, raw)) * size / 1000
    return b"BT /Helv %.4g Tf %.5g %.5g Td (%b)Tj ET " % (size, right - wide, base, escape(raw))


def draw_matrix(code: str, width: float, height: float) -> bytes:
    """The stamp repeated at the bottom left: a DataMatrix."""
    path, modules = data_matrix(code)
    scale = MATRIX_SIDE / modules
    left, bottom, _, _ = matrix_box((0, 0, width, height))
    return b"q 0 g %.5g 0 0 %.5g %.5g %.5g cm " % (scale, scale, left, bottom) + path + b" Q"
