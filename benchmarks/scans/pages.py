"""Pages of our forms with pen marks whose meaning is known: what the tick reader learns from, and what it is measured on."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Final

import numpy as np
from numpy.typing import NDArray

from benchmarks.scans.degrade import Degradation
from benchmarks.scans.pens import PENS, STYLES, Pen, Style, mark
from formsvc.model.form import Ask
from formsvc.model.kinds import Choice, Lang, is_box
from formsvc.model.layout import CompiledForm, Slot
from formsvc.parsers.frame import SCALE, STEP, Frame, knots
from formsvc.parsers.ink import even
from formsvc.parsers.marks import crop_at
from formsvc.parsers.raster import Gray, open_pages
from formsvc.renderers.compile import compile_form
from formsvc.service import Service

MEANINGS: Final = ("empty", "marked", "void")
FINE: Final = 300 / 72
FORMS: Final[Sequence[tuple[str, Lang]]] = (("worksheet", "en"), ("fcch", "en"), ("case-management", "en"), ("conference-notes", "en"), ("worksheet", "es"), ("fcch", "es"), ("case-management", "es"))


@dataclass(frozen=True, slots=True, kw_only=True)
class Sheet:
    """A page of a blank form: at 300 dpi to draw on, at 200 to compare with, and its boxes."""

    compiled: CompiledForm
    page: int
    fine: Gray
    blank: Gray
    boxes: tuple[Slot, ...]

    @property
    def height(self) -> float:
        """In points."""
        return self.compiled.layout.pages[self.page - 1].height


def sheets(service: Service) -> list[Sheet]:
    """Every page with boxes of every form, in both languages."""
    return [sheet for name, lang in FORMS for sheet in _sheets(service, name, lang)]


@cache
def _sheets(service: Service, name: str, lang: Lang) -> tuple[Sheet, ...]:
    form = service.form(name)
    compiled = compile_form(service.catalog, form.id, {group.name: min(group.blank, 6) for group in form.groups}, lang, service.settings.cache)
    found = []
    with open_pages(compiled.blank) as pages:
        for page in range(1, pages.count + 1):
            boxes = tuple(slot for slot in compiled.layout.slots if slot.page == page and is_box(slot.kind))
            if boxes:
                found.append(Sheet(compiled=compiled, page=page, fine=pages.gray(page, 300), blank=pages.exactly(page), boxes=boxes))
    return tuple(found)


@dataclass(frozen=True, slots=True, kw_only=True)
class Truth:
    """What was drawn into a box."""

    slot: Slot
    style: Style
    pen: Pen

    @property
    def label(self) -> int:
        """0 empty, 1 marked, 2 void."""
        return MEANINGS.index(self.style.means)


def drawn(sheet: Sheet, rng: np.random.Generator, *, training: bool, chosen: Sequence[Style] | None = None) -> tuple[Gray, list[Truth]]:
    """A page with a mark (or none) in every box. One person fills in a page: with one pen, and a few ways to mark."""
    page = sheet.fine.copy()
    pens = [pen for pen in PENS.values() if pen.training or not training]
    own = pens[int(rng.integers(len(pens)))]
    truths = []
    for slot, style in zip(sheet.boxes, chosen or _styles(len(sheet.boxes), rng, training=training), strict=True):
        left, bottom, right, top = slot.box
        box = (left * FINE, (sheet.height - top) * FINE, right * FINE, (sheet.height - bottom) * FINE)
        mark(page, box, style, own, rng)
        truths.append(Truth(slot=slot, style=style, pen=own))
    return page, truths


def _styles(count: int, rng: np.random.Generator, *, training: bool) -> list[Style]:
    known = [style for style in STYLES.values() if (style.training if training else not style.only_training)]
    often = np.array([style.often for style in known])
    return [known[number] for number in rng.choice(len(known), count, p=often / often.sum())]


def questions(sheet: Sheet) -> list[tuple[bool, list[int]]]:
    """The boxes of each question, by their places in `sheet.boxes`, and whether only one may be marked."""
    found: dict[tuple[str, int], tuple[bool, list[int]]] = {}
    for number, slot in enumerate(sheet.boxes):
        place = sheet.compiled.form.find(slot.name)
        assert place is not None
        ask: Ask = place.ask
        exclusive = isinstance(ask.kind, Choice)
        found.setdefault((ask.name if exclusive else slot.name, place.row), (exclusive, []))[1].append(number)
    return list(found.values())


def crops(sheet: Sheet, page: Gray, degradation: Degradation, rng: np.random.Generator, off: float) -> tuple[NDArray[np.uint8], NDArray[np.uint8]]:
    """The boxes of a page after a degradation, and of its blank; registered with an error of about `off` pixels, smooth over the page."""
    degraded = degradation.apply(page, rng)
    sheet_page = sheet.compiled.layout.pages[sheet.page - 1]
    rows, columns = int(np.ceil(sheet_page.height * SCALE / STEP)) + 1, int(np.ceil(sheet_page.width * SCALE / STEP)) + 1
    places = knots(rows, columns)
    wrong = rng.normal(0, off, 2) + (places / places.max(axis=0) - 0.5) @ rng.normal(0, off * 0.5, (2, 2))
    grid = degraded.mapping((places + wrong) * 1.5 + 0.25).reshape(rows, columns, 2)
    image = degraded.image if np.median(degraded.image[::8, ::8]) > 60 else (255 - degraded.image).astype(np.uint8)
    flat = even(Frame(sheet_page.width, sheet_page.height, grid.astype(np.float32)).whole(image))
    return np.stack([crop_at(flat, slot.box, sheet.height) for slot in sheet.boxes]), np.stack([crop_at(sheet.blank, slot.box, sheet.height) for slot in sheet.boxes])


def shuffled(known: Sequence[Sheet], rng: np.random.Generator) -> Iterator[Sheet]:
    """Pages in random order, for ever."""
    while True:
        yield known[int(rng.integers(len(known)))]
