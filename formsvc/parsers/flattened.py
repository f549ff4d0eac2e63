"""Reads a print whose fields became part of the page: text letter by letter out of the slots, ticks from a picture of the page.

Ticks arrive as glyphs of many fonts, strokes, curves or pictures; only the picture shows them all alike. The text
layer is compared with the picture too: letters that are not drawn there, or drawn as other letters, are told.
"""

import re
from itertools import pairwise
from typing import Final, NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray

from formsvc.model.kinds import Signature
from formsvc.model.layout import Slot
from formsvc.model.paper import MATRIX_SIDE, PAGE_OF, QR_SIDE, pattern_of
from formsvc.parsers import ink
from formsvc.parsers.added import continued
from formsvc.parsers.frame import SCALE, STEP, Frame
from formsvc.parsers.glyphs import LOOKALIKES, are_as_said
from formsvc.parsers.lines import cut_mark, joined, lines_of
from formsvc.parsers.ocr import TextReader
from formsvc.parsers.page import Known, PageRead, stored
from formsvc.parsers.printed import Letters, letters
from formsvc.parsers.raster import POINTS, Pages
from formsvc.parsers.register import Reference, by_marks, closely_flat, roughly
from formsvc.parsers.shown import same_text
from formsvc.parsers.sight import DPI, Seen, Sight
from formsvc.parsers.slots import LEAST_INK, Slots, Tools, is_written

_OF: Final = re.compile(pattern_of(*PAGE_OF.values()))
_FOUND: Final = 0.5
"""So many of the printed details must be where they should be."""
_EXACT, _BY_MARKS = 0.7, 1.5
"""Frame pixels that are left over; the corners of marks are seen less exactly than a hundred printed details, the mean of all as exactly."""
_FEW_LETTERS: Final = 25
_MARGIN, _LETTER = 1.0, 7.0
"""Points that every writer keeps free at the sides of a box, and the widest letter: a program that draws with another font leaves out each that does not fit."""
_OURS: Final = 0.8
"""A page of which fewer printed details look like ours was drawn with another font (measured: 0.53 to 0.76; with ours 0.9 and more)."""
_UNDRAWN: Final = 0.34
"""The share of a slot's letters that may lie where nothing is drawn (thin dots, light gray)."""


def read_flattened(pages: Pages, sight: Sight, seen: Seen, known: Known, printed: Reference | None, tools: Tools) -> PageRead | None:
    """A page of a document, or None if its text is not where the form's is: then it is read as a picture."""
    page = seen.read.page
    dpi = min(DPI / max(_size(seen, pages, sight), 0.3), 420.0)
    picture = pages.gray(sight.page, dpi)
    dpi = picture.shape[0] / pages.size(sight.page)[1] * POINTS  # a large page is drawn smaller than asked for
    source = pages.pdf_page(sight.page)
    rough = roughly(picture, seen, known.layout, page, is_print=True)
    if source is None or rough is None:
        return None
    text = letters(source, picture.shape)
    if len(text.texts) < _FEW_LETTERS:
        return None
    read = PageRead(document=known.document, page=page, file_page=sight.page, source="flattened", sealed=seen.read.sealed, total=_total(text))
    if printed is None:
        read.rests = list(continued(_on_layout(text, _affine(rough[0])), known))
        return read
    found = closely_flat(picture, printed, rough[0])
    share = found.found
    if share < _FOUND or found.error > _EXACT:
        other = by_marks(picture, seen, printed, known.layout, page)
        if other is None or other.error > _BY_MARKS:
            return None
        found = other
    read.error = found.error
    slots = Slots(known, page, picture, found.frame, printed, read, source_dpi=dpi, text_seconds=tools.text_seconds)
    slots.ticks(tools.marks)
    signed = {slot.name for slot in slots.signatures()}
    _Text(slots, _on_layout(text, _affine_of(found.frame)), tools, is_redrawn=share < _OURS).read(signed)
    return read


def _total(text: Letters) -> int:
    """The number of pages that the page prints beside its code."""
    found = _OF.search("".join(text.texts))
    return int(next(filter(None, found.groups()[1::2]))) if found else 0


def _size(seen: Seen, pages: Pages, sight: Sight) -> float:
    """How large the page of the form is drawn on the file's page: 1 as issued, 0.7 two-up."""
    width, height = pages.size(sight.page)
    wanted = {"qr": QR_SIDE, "matrix": MATRIX_SIDE}
    sides = [np.hypot(*(np.subtract(after, before) * (width, height))) / wanted[code.kind] for code in seen.codes for before, after in pairwise(code.corners)]
    return float(np.median(sides)) if sides else 1.0


def _affine(matrix: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.asarray(np.linalg.inv(matrix), dtype=np.float64)


def _affine_of(frame: Frame) -> NDArray[np.float64]:
    """From pixels of the picture back to the page frame, for a flat page."""
    rows, columns = frame.grid.shape[:2]
    ours = np.array([(0, 0), ((columns - 1) * STEP, 0), (0, (rows - 1) * STEP)], dtype=np.float32)
    theirs = np.array([frame.grid[0, 0], frame.grid[0, -1], frame.grid[-1, 0]], dtype=np.float32)
    return np.vstack([cv2.getAffineTransform(theirs, ours), (0, 0, 1)])


def _on_layout(text: Letters, back: NDArray[np.float64]) -> Letters:
    """Letters in the layout's points, y down from the top of the page; turned prints are turned back by their middles."""
    boxes = text.boxes
    middles = np.stack([(boxes[:, 0] + boxes[:, 2]) / 2, (boxes[:, 1] + boxes[:, 3]) / 2], axis=1)
    placed = cv2.perspectiveTransform(middles[None], back)[0] / SCALE
    scale = float(np.sqrt(abs(np.linalg.det(back[:2, :2])))) / SCALE
    sizes = np.stack([boxes[:, 2] - boxes[:, 0], boxes[:, 3] - boxes[:, 1]], axis=1) * scale / 2
    if abs(back[0, 1]) > abs(back[0, 0]):  # the page lies on its side
        sizes = sizes[:, ::-1]
    return Letters(text.texts, np.concatenate([placed - sizes, placed + sizes], axis=1), text.doubtful)


class _Said(NamedTuple):
    """A slot whose text is still to be compared with the picture: its letters by number, and what they say."""

    slot: Slot
    numbers: NDArray[np.intp]
    shown: str


class _Text:
    """The written answers of one page."""

    def __init__(self, slots: Slots, text: Letters, tools: Tools, *, is_redrawn: bool) -> None:
        self.is_redrawn = is_redrawn
        self.slots, self.text, self.reader, self.shapes = slots, text, tools.text, tools.shapes
        self.unchecked: list[_Said] = []
        self.middles = np.stack([(text.boxes[:, 0] + text.boxes[:, 2]) / 2, (text.boxes[:, 1] + text.boxes[:, 3]) / 2], axis=1)

    def read(self, signed: set[str]) -> None:
        for slot in self.slots.slots:
            if is_written(slot) or (slot.name in signed and isinstance(slot.kind, Signature)):
                self._slot(slot)
        self._check()

    def _slot(self, slot: Slot) -> None:
        left, bottom, right, top = slot.box
        high = self.slots.height
        within = (self.middles[:, 0] > left - 1) & (self.middles[:, 0] < right + 1) & (self.middles[:, 1] > high - top - 1) & (self.middles[:, 1] < high - bottom + 1)
        numbers = np.flatnonzero(within)
        if not len(numbers):
            if not isinstance(slot.kind, Signature):
                self.slots.picture_text(slot, None, self.reader)
            return
        found = lines_of([self.text.texts[number] for number in numbers], self.text.boxes[numbers])
        whole = joined(found, left, right)
        shown, cut = cut_mark(whole)
        issued = self.slots.shown.get(slot.name, "")
        is_issued = bool(issued) and same_text(shown, issued, continued=bool(cut))
        raw = stored(self.slots.known, slot.name, issued if is_issued else shown)
        self.slots.put(slot, raw)
        if isinstance(slot.kind, Signature):  # typed: what its ink looks like says nothing
            problems = self.slots.read.problems
            problems[:] = [found for found in problems if found.field != slot.name]
        place = self.slots.known.form.find(slot.name)
        if place is not None and place.ask.locked and issued and not is_issued:
            self.slots.doubt("locked-value-changed", slot.name)
        if cut:
            self.slots.read.cut[slot.name] = cut
        elif not is_issued and not self._is_within(numbers, left, right):
            self.slots.doubt("text-cut-off", slot.name)
        self._compare(slot, numbers, whole, is_issued=is_issued)

    def _is_within(self, numbers: NDArray[np.intp], left: float, right: float) -> bool:
        """Whether a text keeps away from the edges of its box, as all writers do: else it was clipped, or a neighbour's runs into it."""
        return float(self.text.boxes[numbers, 0].min()) > left + _MARGIN and float(self.text.boxes[numbers, 2].max()) < right - (_LETTER if self.is_redrawn else _MARGIN)

    def _compare(self, slot: Slot, numbers: NDArray[np.intp], shown: str, *, is_issued: bool) -> None:
        """Tell what the text layer says and the page does not show."""
        slots = self.slots
        if self.text.doubtful[numbers].any():
            slots.doubt("text-doubtful", slot.name, suggestion=shown)
            return
        rows, columns = ink.inside(slot.box, slots.height, slots.flat.shape, trim=1)
        dark = slots.flat[rows, columns] < 150  # noqa: PLR2004
        undrawn = sum(not _is_drawn(dark, self.text.boxes[number] * SCALE, rows.start, columns.start) for number in numbers)
        if undrawn > _UNDRAWN * len(numbers):
            slots.doubt("shown-differs", slot.name, shown="nothing")
            return
        if not is_issued:
            self.unchecked.append(_Said(slot, numbers, shown))

    def _check(self) -> None:
        """Look at the letters of all slots at once, and read those again that are not certainly what they are said to be."""
        said = ["".join(self.text.texts[number][:1] for number in one.numbers) for one in self.unchecked]
        boxes = [self.text.boxes[one.numbers] * SCALE for one in self.unchecked]
        for one, is_right in zip(self.unchecked, are_as_said(self.slots.flat, said, boxes, self.shapes), strict=True):
            if not is_right and not TextReader.knows(one.shown):  # nor is sure where its letters lie
                self.slots.doubt("text-unchecked", one.slot.name)
            elif not isinstance(one.slot.kind, Signature) and self._more(one.slot, one.numbers):  # a typed name may be signed over
                self.slots.doubt("shown-more", one.slot.name)
            elif not is_right:
                self._read_again(one.slot, one.shown)

    def _read_again(self, slot: Slot, shown: str) -> None:
        if self.reader is None or not self.slots.has_time:
            self.slots.doubt("text-unchecked", slot.name)
            return
        seen = self.slots.compared(slot, self.reader, lambda text: _looks_same(text, shown))
        if not _looks_same(seen, shown):
            self.slots.doubt("shown-differs", slot.name, shown=seen[:60] or "nothing")

    def _more(self, slot: Slot, numbers: NDArray[np.intp]) -> bool:
        """Whether a slot shows more than its letters."""
        rows, columns = ink.inside(slot.box, self.slots.height, self.slots.flat.shape)
        added = self.slots.added[rows, columns].copy()
        for left, top, right, bottom in np.round(self.text.boxes[numbers] * SCALE).astype(int) - (columns.start, rows.start, columns.start, rows.start):
            added[max(top - 1, 0) : max(bottom + 2, 0), max(left - 2, 0) : max(right + 3, 0)] = False
        return ink.amount(added) >= LEAST_INK


def _is_drawn(dark: NDArray[np.bool_], box: NDArray[np.float64], top: int, left: int) -> bool:
    here = dark[max(int(box[1]) - top, 0) : max(int(box[3]) - top + 1, 0), max(int(box[0]) - left, 0) : max(int(box[2]) - left + 1, 0)]
    return bool(here.any())


def _looks_same(seen: str, said: str) -> bool:
    """Whether OCR and text layer agree but for letters that look alike in print, and a letter in forty."""
    one, other = ("".join(text.split()).translate(LOOKALIKES) for text in (seen, said))
    if one == other:
        return True
    most = len(other) // 40
    return most > 0 and abs(len(one) - len(other)) <= most and _distance(one, other, most) <= most


def _distance(one: str, other: str, most: int) -> int:
    """Edits between two texts; given up beyond `most`."""
    row = list(range(len(other) + 1))
    for number, here in enumerate(one, start=1):
        before, row[0] = row[0], number
        for place, there in enumerate(other, start=1):
            before, row[place] = row[place], min(row[place] + 1, row[place - 1] + 1, before + (here != there))
        if min(row) > most:
            return most + 1
    return row[-1]
