"""Reads the slots of one page that was found in a picture: ticks, signatures, and what is written, with how sure that is.

Ticks are decided for each question, never for a box alone; whatever is doubtful becomes a problem at its field, so that
a person looks at it.
"""

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Final

import cv2
import numpy as np

from formsvc.model.form import Ask, Place, key_of
from formsvc.model.kinds import Choice, Signature, Stamp, is_box
from formsvc.model.layout import Slot
from formsvc.model.record import Answer, Box, problem
from formsvc.model.values import ON
from formsvc.parsers import ink
from formsvc.parsers.frame import SCALE, Frame, corners
from formsvc.parsers.glyphs import Shapes
from formsvc.parsers.lines import cut_mark
from formsvc.parsers.marks import MarkReader, Shares, crop_at, crop_place, decide
from formsvc.parsers.ocr import Reading, TextReader
from formsvc.parsers.page import EMPTY, BoxPicture, Known, PageRead, stored
from formsvc.parsers.raster import POINTS, Gray
from formsvc.parsers.register import Reference

SIGNED: Final = "signed"
_TEXT_DPI: Final = 300.0
_SURE: Final = 0.99
_AROUND, _FAINT, _SPECKS = 9, 0.86, 2  # frame pixels; share of the paper's light; pixels
_CLEAN: Final = (0.999, 0.0005, 0.0005)
LEAST_INK: Final = 14
"""Frame pixels of ink below which a box to write in is empty; a full stop has about ten."""
_OVER_PRINT: Final = 90
"""So much ink over what we printed is somebody's writing, not a speck."""
_SIGNED: Final = (150, 40)
_UNSIGNED: Final = (60, 22)
_BLOCK: Final = 0.5
"""No signature is so dark: on a fax, a note that lies there is."""
_PENCILLED, _HINTED, _WRITTEN = (2000, 100), (300, 30), (150, 14)
"""Faint pixels of strokes, and their length: a signature with a weak pencil, what may be one, what may be writing."""
_BESIDE: Final = 5
"""Frame pixels (2 points) around a slot, where its frame is printed."""
_BOX_SHOWN, _SHOWN, _CLEAR = 0.5, 0.25, 0.9
"""Of what is printed of a box to tick and of another field, so much is to be seen unless something lies on it (measured: 0.8 and 0.57), and of the median field of a clear page."""
_ALIKE: Final = 0.80
"""A slot looks as it was printed when it is at least this much alike (correlation)."""


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class Tools:
    """What pages are read with. `text` is None where no engine is installed, or where a page is too weak to trust one."""

    marks: MarkReader
    text: TextReader | None
    shapes: Shapes
    text_seconds: float
    """The text of a page is read for so long; what is left then goes to a person."""


class Slots:
    """One page of a document in a picture."""

    def __init__(self, known: Known, page: int, picture: Gray, frame: Frame, printed: Reference, read: PageRead, *, source_dpi: float, text_seconds: float) -> None:
        """Take the page flat; `picture` is the page of the file, `source_dpi` its pixels to its inch of file page; its text is read for so many seconds from now."""
        self.known, self.page, self.picture, self.frame, self.printed, self.read = known, page, picture, frame, printed, read
        self.height = printed.height
        self.flat = ink.even(frame.whole(picture))
        self.added = ink.added(self.flat, printed.blank)
        self._scale = POINTS / source_dpi
        self._text_until = time.process_time() + text_seconds
        self.slots = [slot for slot in known.layout.slots if slot.page == page and not isinstance(slot.kind, Stamp)]
        self.shown = known.printed()
        self.hidden = frozenset(self._hidden())

    def _hidden(self) -> Iterator[str]:
        """Fields of which next to nothing is to be seen, not even their frames: something lies on them, or they were cut off."""
        shares = ink.shares_shown(self.flat, self.printed.blank, [ink.inside(slot.box, self.height, self.flat.shape, trim=-_BESIDE) for slot in self.slots])
        others = [share for slot, share in zip(self.slots, shares, strict=True) if not is_box(slot.kind)]
        is_clear = bool(others) and float(np.median(others)) >= _CLEAR  # else thin frames are what a bad copy loses first
        for slot, share in zip(self.slots, shares, strict=True):
            if share < _BOX_SHOWN if is_box(slot.kind) else is_clear and share < _SHOWN:
                yield slot.name

    def place_of(self, box: Box) -> Box:
        """A box of the layout on the file's page: points from its bottom left."""
        at = self.frame.at(corners(box, self.height) - 0.5) * self._scale
        bottom = self.picture.shape[0] * self._scale
        return (float(at[:, 0].min()), bottom - float(at[:, 1].max()), float(at[:, 0].max()), bottom - float(at[:, 1].min()))

    def put(self, slot: Slot, raw: str, confidence: float = 1.0) -> None:
        """Note an answer."""
        self.read.answers[slot.name] = Answer(raw=raw, confidence=confidence, page=self.read.file_page, box=self.place_of(slot.box))

    def doubt(self, code: str, key: str, **facts: object) -> None:
        """Note that a person should look at a field."""
        self.read.problems.append(problem(code, key, "warning", **facts))

    # ------------------------------------------------------------ ticks

    def ticks(self, reader: MarkReader, limit: float = _SURE) -> None:
        """Read every box, and decide every question."""
        boxes = [slot for slot in self.slots if is_box(slot.kind)]
        if not boxes:
            return
        found = self._shares(boxes, reader)
        for slot in boxes:
            if slot.name in self.known.pictured:
                crop, blank = (crop_at(page, slot.box, self.height) for page in (self.flat, self.printed.blank))
                self.read.pictures[slot.name] = BoxPicture(crop=crop, blank=blank, seen=int(found[slot.name].argmax()))
        for ask, before, question in _questions(self.known, boxes):
            exclusive = isinstance(ask.kind, Choice)
            for several in [question] if exclusive else [[slot] for slot in question]:
                decision = decide(np.stack([found[slot.name] for slot in several]), exclusive=exclusive, limit=limit)
                for number, slot in enumerate(several):
                    self.put(slot, ON if number in decision.marked else "", min(decision.confidence, 0.5) if slot.name in self.hidden else decision.confidence)
                reason = "field-covered" if any(slot.name in self.hidden for slot in several) else decision.reason
                if reason:
                    self.doubt(reason, several[0].name if len(several) == 1 else f"{before}{ask.name}")

    def _shares(self, boxes: list[Slot], reader: MarkReader) -> dict[str, Shares]:
        """How probable each class is, by the box's name. Where nothing at all was added, however faint, no network is asked."""
        faint = ink.added(self.flat, self.printed.blank, dark=_FAINT)
        found = {slot.name: np.array(_CLEAN, dtype=np.float32) for slot in boxes}
        touched = [slot for slot in boxes if int(np.count_nonzero(faint[crop_place(slot.box, self.height)])) > _SPECKS]
        if touched:
            shares = reader.read(*(np.stack([crop_at(page, slot.box, self.height) for slot in touched]) for page in (self.flat, self.printed.blank)))
            for slot, share in zip(touched, shares, strict=True):
                near = faint[ink.inside(slot.box, self.height, self.flat.shape, trim=-_AROUND)]
                if share.argmax() != EMPTY or int(np.count_nonzero(near)) > _SPECKS:
                    found[slot.name] = share
        return found

    # ------------------------------------------------------------ signatures

    def signatures(self, issued: Gray | None = None) -> Iterator[Slot]:
        """Say of each line to sign whether there is ink, or what was typed there before it was printed."""
        for slot in self.slots:
            if not isinstance(slot.kind, Signature):
                continue
            yield slot
            shown = self.shown.get(slot.name, "")
            if shown and issued is not None and self.is_as_printed(slot, issued):
                self.put(slot, shown)
                continue
            place = ink.inside(slot.box, self.height, self.flat.shape)
            ours = self.added[place]
            if slot.name in self.hidden or np.count_nonzero(ours) > _BLOCK * ours.size:
                self.put(slot, "", 0.5)
                self.doubt("field-covered", slot.name)
                continue
            total, (long, streak) = ink.amount(ours), ink.longest(ours)
            faint, length = ink.faint_strokes(self.flat[place], self.printed.blank[place])
            if (total >= _SIGNED[0] and long >= _SIGNED[1]) or (faint >= _PENCILLED[0] and length >= _PENCILLED[1]):
                self.put(slot, SIGNED)
            elif streak or (not (faint >= _HINTED[0] and length >= _HINTED[1]) and (total <= _UNSIGNED[0] or (long <= _UNSIGNED[1] and total < 2 * _SIGNED[0]))):  # much ink in small pieces is typed
                self.put(slot, "")
            else:
                self.put(slot, SIGNED, 0.5)
                self.doubt("signature-doubtful", slot.name)

    # ------------------------------------------------------------ what is written

    def is_as_printed(self, slot: Slot, issued: Gray) -> bool:
        """Whether a slot looks as on the document that was issued."""
        rows, columns = ink.inside(slot.box, self.height, self.flat.shape, trim=1)
        return self._more(slot, issued) < LEAST_INK and _alike(self.flat[rows, columns], issued[rows, columns]) > _ALIKE

    def _more(self, slot: Slot, issued: Gray) -> int:
        """Ink in a slot that the issued page does not have."""
        rows, columns = ink.inside(slot.box, self.height, self.flat.shape, trim=1)
        return ink.amount(ink.added(self.flat[rows, columns], issued[rows, columns], reach=3))

    def has_ink(self, slot: Slot) -> bool:
        """Whether anything was written into a slot."""
        return ink.amount(self.added[ink.inside(slot.box, self.height, self.flat.shape)]) >= LEAST_INK

    def _is_hinted(self, slot: Slot) -> bool:
        """Whether a slot that looks empty holds what a weak pencil may have written."""
        place = ink.inside(slot.box, self.height, self.flat.shape)
        faint, length = ink.faint_strokes(self.flat[place], self.printed.blank[place])
        return faint >= _WRITTEN[0] and length >= _WRITTEN[1]

    def written(self, slot: Slot, reader: TextReader, expected: tuple[str, ...] = ()) -> Reading:
        """What OCR makes of a slot."""
        return reader.read(*self._crops(slot), slot.kind, expected)

    def _crops(self, slot: Slot) -> tuple[Gray, Gray]:
        """A slot and a little around it at the resolution that text is read at, and the same of the blank."""
        left, bottom, right, top = slot.box
        room = (left - 2, bottom - 2, right + 2, top + 2)
        return self.frame.flat(self.picture, _TEXT_DPI, room), _blank_crop(self.printed, room)

    @property
    def has_time(self) -> bool:
        """Whether more text may be read on this page: long notes would take more than there is for a file."""
        return time.process_time() < self._text_until

    def compared(self, slot: Slot, reader: TextReader, is_meant: Callable[[str], bool]) -> str:
        """What OCR sees in a slot whose text is known from elsewhere."""
        return reader.compared(*self._crops(slot), slot.kind, is_meant)

    def picture_text(self, slot: Slot, issued: Gray | None, reader: TextReader | None) -> None:
        """Read a slot from the picture alone: unchanged as issued, empty, or written."""
        shown = self.shown.get(slot.name, "")
        place = self.known.form.find(slot.name)
        if shown and place is not None and place.ask.locked:  # printed by us, and for nobody to write in
            self.put(slot, stored(self.known, slot.name, shown))
            if issued is not None and self._more(slot, issued) > _OVER_PRINT:
                self.doubt("ink-over-field", slot.name)
            return
        if shown and issued is not None and self.is_as_printed(slot, issued):
            self.put(slot, stored(self.known, slot.name, shown))
            return
        if self._is_covered(slot):
            self.put(slot, self._read_below(slot, shown, reader), 0.5)
            self.doubt("field-covered", slot.name)
            return
        if not self.has_ink(slot):
            if shown:  # it was printed and is not there: painted over, or too weak to see
                self.put(slot, stored(self.known, slot.name, shown), 0.5)
                self.doubt("text-doubtful", slot.name, suggestion=shown)
            elif self._is_hinted(slot):
                self.put(slot, "", 0.5)
                self.doubt("text-unread", slot.name)
            else:
                self.put(slot, "")
            return
        if reader is None or not self.has_time:
            self.put(slot, "", 0.0)
            self.doubt("text-unread", slot.name)
            return
        found = self.written(slot, reader, self._expected(slot, shown))
        if not found.ink and not shown:
            self.put(slot, "")
            return
        text, cut = cut_mark(found.text)
        self.put(slot, stored(self.known, slot.name, text), 1.0 if found.sure and not cut else min(found.confidence, 0.97))
        if cut:  # its rest stands on an added page, which is not read from pictures
            self.doubt("continuation-missing", slot.name, page=cut)
        elif not found.sure or (shown and text != shown):
            self.doubt("text-doubtful", slot.name, suggestion=text)

    def _is_covered(self, slot: Slot) -> bool:
        if slot.name in self.hidden:
            return True
        rows, columns = ink.inside(slot.box, self.height, self.flat.shape, trim=-_BESIDE)
        return ink.is_covered(self.flat[rows, columns], self.printed.blank[rows, columns])

    def _read_below(self, slot: Slot, shown: str, reader: TextReader | None) -> str:
        """What can still be read in a slot that something lies on: a suggestion."""
        if reader is None or not self.has_time or not self.has_ink(slot):
            return stored(self.known, slot.name, shown)
        return stored(self.known, slot.name, self.written(slot, reader, self._expected(slot, shown)).text)

    def _expected(self, slot: Slot, shown: str) -> tuple[str, ...]:
        """What may stand in a slot: what was issued, labels of a list."""
        labels = tuple(option.label.said(self.known.lang) for option in slot.kind.options) if isinstance(slot.kind, Choice) else ()
        return tuple(dict.fromkeys(text for text in (shown, *labels) if text))


def _questions(known: Known, boxes: list[Slot]) -> list[tuple[Ask, str, list[Slot]]]:
    """Each question with boxes: its ask, what stands before its name in a key, its boxes."""
    found: dict[tuple[int, str], tuple[Ask, str, list[Slot]]] = {}
    for slot in boxes:
        place = known.form.find(slot.name)
        if place is not None:
            before = _before(place)
            found.setdefault((id(place.ask), before), (place.ask, before, []))[2].append(slot)
    return list(found.values())


def _before(place: Place) -> str:
    return key_of(place.ask, place.group, place.row).removesuffix(place.ask.name)


def _alike(ours: Gray, theirs: Gray) -> float:
    """How alike two crops are when the first is moved a little: the best correlation."""
    if theirs.std() < 4 or min(ours.shape) < 8:  # noqa: PLR2004
        return 1.0 if ours.std() < 12 else 0.0  # noqa: PLR2004
    soft, other = cv2.GaussianBlur(ours, (0, 0), 1.0), cv2.GaussianBlur(theirs, (0, 0), 1.0)
    room = 2
    return float(cv2.matchTemplate(soft, other[room:-room, room:-room], cv2.TM_CCOEFF_NORMED).max())


def _blank_crop(printed: Reference, box: Box) -> Gray:
    """A box of the blank at the resolution that text is read at."""
    left, bottom, right, top = box
    rows, columns = slice(max(round((printed.height - top) * SCALE), 0), round((printed.height - bottom) * SCALE)), slice(max(round(left * SCALE), 0), round(right * SCALE))
    wide, high = max(round((right - left) * _TEXT_DPI / POINTS), 1), max(round((top - bottom) * _TEXT_DPI / POINTS), 1)
    return cv2.resize(printed.blank[rows, columns], (wide, high), interpolation=cv2.INTER_CUBIC).astype(np.uint8)


def is_written(slot: Slot) -> bool:
    """Whether a slot is one to write text in."""
    return not is_box(slot.kind) and not isinstance(slot.kind, Signature | Stamp)
