"""Ticks: the network tells empty, marked and void boxes apart; each question is decided by its boxes together."""

from functools import cache

import cv2
import numpy as np
import pytest

from benchmarks.scans.pages import FINE, MEANINGS
from benchmarks.scans.pens import PENS, STYLES, mark
from formsvc.model.kinds import is_box
from formsvc.model.layout import Slot
from formsvc.parsers.marks import Decision, Gray, MarkReader, Shares, crop_at, decide
from formsvc.parsers.raster import open_pages
from formsvc.service import Service

CLEAR = ("nothing", "tick", "cross", "filled", "tick, filled")


@cache
def reader() -> MarkReader:
    return MarkReader()


def page_of(service: Service, name: str) -> tuple[Gray, Gray, float, list[Slot]]:
    """The first page of a blank form at 300 and 200 dpi, its height in points, its boxes."""
    issued = service.issue(name, None)
    compiled = service.compiled(service.form(name), issued.values, "en")
    with open_pages(compiled.blank) as pages:
        return pages.gray(1, 300), pages.exactly(1), compiled.layout.pages[0].height, [slot for slot in compiled.layout.slots if slot.page == 1 and is_box(slot.kind)]


@pytest.mark.parametrize("name", ["worksheet", "fcch", "conference-notes"])
def test_clear_marks_on_our_forms_are_told_apart(service: Service, name: str) -> None:
    """A tick, a cross, a box filled in solid and an empty one, in ballpoint on a form as printed, are read as what they are."""
    fine, blank, height, boxes = page_of(service, name)
    rng = np.random.default_rng(5)
    styles = [STYLES[CLEAR[number % len(CLEAR)]] for number in range(len(boxes))]
    for slot, style in zip(boxes, styles, strict=True):
        left, bottom, right, top = slot.box
        mark(fine, (left * FINE, (height - top) * FINE, right * FINE, (height - bottom) * FINE), style, PENS["ballpoint"], rng)
    page = cv2.resize(fine, (blank.shape[1], blank.shape[0]), interpolation=cv2.INTER_AREA).astype(np.uint8)
    found = reader().read(np.stack([crop_at(page, slot.box, height) for slot in boxes]), np.stack([crop_at(blank, slot.box, height) for slot in boxes]))
    assert [style.means for style in styles] == [MEANINGS[number] for number in found.argmax(axis=1)]


@pytest.mark.parametrize("style", ["ring", "ring round both", "beside the box"])
def test_ink_at_an_empty_box_is_not_overlooked(service: Service, style: str) -> None:
    """A mark round a box or beside it is read as a mark, or a person looks at it; one in twenty may stand too far away."""
    fine, blank, height, boxes = page_of(service, "worksheet")
    rng = np.random.default_rng(6)
    for slot in boxes:
        left, bottom, right, top = slot.box
        mark(fine, (left * FINE, (height - top) * FINE, right * FINE, (height - bottom) * FINE), STYLES[style], PENS["ballpoint"], rng)
    page = cv2.resize(fine, (blank.shape[1], blank.shape[0]), interpolation=cv2.INTER_AREA).astype(np.uint8)
    found = reader().read(np.stack([crop_at(page, slot.box, height) for slot in boxes]), np.stack([crop_at(blank, slot.box, height) for slot in boxes]))
    assert (found[:, 0] > 0.9).mean() < 0.05


def test_no_boxes_no_shares() -> None:
    """A page without boxes gives shares of none; more boxes than fit a batch come back in order, as shares of one."""
    none = np.zeros((0, 75, 133), np.uint8)
    assert reader().read(none, none).shape == (0, 3)
    many = np.full((70, 75, 133), 255, np.uint8)
    found = reader().read(many, many)
    assert found.shape == (70, 3)
    assert np.allclose(found.sum(axis=1), 1, atol=1e-5)
    assert np.allclose(found, found[0], atol=1e-5)


def test_a_crop_stays_the_same_size_at_the_edge() -> None:
    """What a crop shows beyond the page is white."""
    page = np.zeros((1700, 2200), np.uint8)
    crop = crop_at(page, (2.0, 605.0, 11.4, 614.4), 612.0)
    assert crop.shape == (75, 133)
    assert (crop[:, 0] == 255).all()
    assert (crop[0] == 255).all()
    assert crop[-1, -1] == 0


def shares(said: str, sure: float = 0.999) -> Shares:
    """Boxes as read: e(mpty), m(arked), v(oid); in capitals with less than the limit."""
    rows = np.full((len(said), 3), (1 - sure) / 2, np.float32)
    for number, letter in enumerate(said):
        rows[number, "emv".index(letter.lower())] = sure
        if letter.isupper():
            rows[number] = 0.2
            rows[number, "emv".index(letter.lower())] = 0.6
    return rows


@pytest.mark.parametrize(("said", "exclusive", "marked", "reason", "corrected"), [
    ("me", True, (0,), "", False),
    ("em", True, (1,), "", False),
    ("ee", True, (), "", False),
    ("mv", True, (0,), "", True),
    ("vem", True, (2,), "", True),
    ("ve", True, (), "mark-void", False),
    ("Me", True, (0,), "mark-unsure", False),
    ("mE", True, (0,), "mark-unsure", False),
    ("mmv", True, (0, 1), "mark-void", False),
    ("m", False, (0,), "", False),
    ("e", False, (), "", False),
    ("v", False, (), "mark-void", False),
    ("M", False, (0,), "mark-unsure", False),
])  # fmt: skip
def test_a_question_is_decided_by_all_its_boxes(said: str, exclusive: bool, marked: tuple[int, ...], reason: str, corrected: bool) -> None:
    """A void beside one mark is a correction; a lone void and a box that is not sure are for a person."""
    decision = decide(shares(said), exclusive=exclusive, limit=0.98)
    assert (marked, reason, corrected) == (decision.marked, decision.reason, decision.corrected)
    assert (decision.confidence == 1.0) == (not reason)


def test_two_marks_where_one_may_stand_are_both_told() -> None:
    """Which of them counts is not for the reader to say: the rule book asks a person."""
    assert decide(shares("mm"), exclusive=True, limit=0.98) == Decision(marked=(0, 1), confidence=0.9)
