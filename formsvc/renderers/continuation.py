"""Pages added for text that is longer than its box: two columns, tagged, stamped like every page."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from formsvc.model.kinds import Lang, Stamp
from formsvc.model.layout import CompiledForm, Layout, Page
from formsvc.model.paper import ADDED_BOTTOM, ADDED_GAP, ADDED_TOP, FROM_PAGE
from formsvc.renderers.appearance import any_line, line_width, measure_of
from formsvc.renderers.codes import corner_marks
from formsvc.renderers.embed import FontBook
from formsvc.renderers.plan import Plan
from formsvc.renderers.text import wrap
from formsvc.renderers.update import Update, pdf_text

_SIZE: Final = 8.5
_HEADING_SIZE: Final = 9.0
_LEADING: Final = 1.3
_SPACE: Final = 9.0  # points between two continued answers
_TITLE: Final[dict[Lang, str]] = {"en": "Continued answers", "es": "Continuación de respuestas"}


@dataclass(frozen=True, slots=True)
class Rest:
    """What did not fit a box: the answer's key and label, the page it comes from, the text left."""

    key: str
    label: str
    page: int
    text: str


@dataclass(frozen=True, slots=True)
class _Line:
    """One line at its place; `start` is true at the first line of a tagged piece."""

    text: str
    left: float
    right: float | None
    """Where it starts if it reads from the right."""
    base: float
    heading: bool
    item: int


@dataclass(frozen=True, slots=True)
class Added:
    """The pages that are added: their lines, and the page each continued answer starts on."""

    pages: tuple[tuple[_Line, ...], ...]
    page_of: dict[str, int]


def sides_of(layout: Layout) -> tuple[float, float]:
    """The left and right edge of what a form's first page holds: its margins serve added pages too."""
    boxes = [slot.box for slot in layout.slots if slot.page == 1 and not isinstance(slot.kind, Stamp)]
    return min(box[0] for box in boxes), max(box[2] for box in boxes)


def lay_out(rests: Sequence[Rest], layout: Layout, lang: Lang) -> Added:
    """Flow the rests over as many pages as they need after the form's own, two columns each."""
    left, right = sides_of(layout)
    width = (right - left - ADDED_GAP) / 2
    flow = _Flow(layout.pages[0], left, width)
    first_page = len(layout.pages) + 1
    page_of = {}
    for item, rest in enumerate(rests):
        heading = f"{rest.label} {FROM_PAGE[lang].format(page=rest.page)}"
        lines = wrap(heading, measure_of(heading), width * 1000 / _HEADING_SIZE)
        body = wrap(rest.text, measure_of(rest.text), width * 1000 / _SIZE)
        flow.keep_together(len(lines) + min(len(body), 2))
        for line in lines:
            flow.put(heading[line.start : line.end], item, heading=True, rtl=False)
        page_of[rest.key] = first_page + len(flow.pages) - 1
        for line in body:
            flow.put(rest.text[line.start : line.end], item, heading=False, rtl=line.right_to_left)
        flow.space()
    return Added(tuple(tuple(lines) for lines in flow.pages), page_of)


class _Flow:
    """Where the next line goes."""

    def __init__(self, page: Page, side: float, width: float) -> None:
        self.page, self.side, self.width = page, side, width
        self.pages: list[list[_Line]] = [[]]
        self.column = 0
        self.base = self._top()

    def _top(self) -> float:
        return self.page.height - ADDED_TOP - _SIZE

    def _next_column(self) -> None:
        self.column += 1
        if self.column == 2:  # noqa: PLR2004
            self.pages.append([])
            self.column = 0
        self.base = self._top()

    def keep_together(self, lines: int) -> None:
        if self.base - (lines - 1) * _SIZE * _LEADING < ADDED_BOTTOM and self.base < self._top():
            self._next_column()

    def put(self, text: str, item: int, *, heading: bool, rtl: bool) -> None:
        if self.base < ADDED_BOTTOM:
            self._next_column()
        left = self.side + self.column * (self.width + ADDED_GAP)
        right = left + self.width if rtl else None
        self.pages[-1].append(_Line(text.rstrip(" "), left, right, self.base, heading, item))
        self.base -= _SIZE * _LEADING

    def space(self) -> None:
        self.base -= _SPACE


def write_pages(update: Update, plan: Plan, compiled: CompiledForm, added: Added, stamps: Sequence[bytes], book: FontBook, resources: bytes) -> None:
    """Write the added pages, their structure, and the nodes of the trees that list them."""
    page = compiled.layout.pages[0]
    numbers, sections, parents = [], [], []
    for offset, lines in enumerate(added.pages):
        key = plan.tree.next_parent + offset
        number = update.new()
        content, pieces = _content(lines, page, len(compiled.layout.pages) + 1 + offset, stamps[offset], compiled, book)
        stream = update.add_stream(b"", content)
        section, elements = _structure(update, plan, number, pieces, compiled.lang)
        update.put(number, b"<</Type/Page/Parent %d 0 R/MediaBox[0 0 %g %g]/Contents %d 0 R/Resources %b/StructParents %d/Tabs/S>>" % (plan.tree.pages, page.width, page.height, stream, resources, key))
        numbers.append(number)
        sections.append(section)
        parents.append(b"%d[%b]" % (key, b" ".join(b"%d 0 R" % element for element in elements)))
    _list_pages(update, plan, numbers, sections, parents)


def _list_pages(update: Update, plan: Plan, numbers: Sequence[int], sections: Sequence[int], parents: Sequence[bytes]) -> None:
    tree = plan.tree
    all_pages = (*tree.page_numbers, *numbers)
    update.put(tree.pages, b"<</Type/Pages/Count %d/Kids[%b]>>" % (len(all_pages), b" ".join(b"%d 0 R" % number for number in all_pages)))
    kids = (*tree.element_kids, *(b"%d 0 R" % section for section in sections))
    update.put(tree.element, tree.element_head + b"/K[" + b" ".join(kids) + b"]>>")
    first, last = tree.next_parent, tree.next_parent + len(numbers) - 1
    leaf = update.add(b"<</Limits[%d %d]/Nums[%b]>>" % (first, last, b" ".join(parents)))
    update.put(tree.parents, b"<</Kids[%b %d 0 R]>>" % (tree.parents_leaf, leaf))


def _structure(update: Update, plan: Plan, page: int, pieces: Sequence[bool], lang: Lang) -> tuple[int, list[int]]:
    """A section of headings and paragraphs, one for each marked piece of the page."""
    section = update.new()
    elements = [
        update.add(b"<</Type/StructElem/S/%b/K %d/Pg %d 0 R/P %d 0 R>>" % (b"H2" if heading else b"P", mcid, page, section))
        for mcid, heading in enumerate(pieces)
    ]
    kids = b" ".join(b"%d 0 R" % element for element in elements)
    update.put(section, b"<</Type/StructElem/S/Sect/T%b/Pg %d 0 R/P %d 0 R/K[%b]>>" % (pdf_text(_TITLE[lang]), page, plan.tree.element, kids))
    return section, elements


def _content(lines: Sequence[_Line], page: Page, number: int, stamp: bytes, compiled: CompiledForm, book: FontBook) -> tuple[bytes, list[bool]]:
    parts = [_furniture(page, compiled, book), stamp, corner_marks(number, page.width, page.height)]
    pieces: list[bool] = []
    before: tuple[int, bool] | None = None
    for line in lines:
        if (line.item, line.heading) != before:
            parts.append((b"EMC " if before else b"") + b"/%b<</MCID %d>>BDC " % (b"H2" if line.heading else b"P", len(pieces)))
            pieces.append(line.heading)
            before = (line.item, line.heading)
        if not line.text.strip():
            continue
        style = b"2 Tr .2 w " if line.heading else b"0 Tr "
        parts.append(style + any_line(line.text, line.left, line.base, _HEADING_SIZE if line.heading else _SIZE, book, right=line.right))
    return b" ".join(parts) + (b" EMC" if before else b""), pieces


def _furniture(page: Page, compiled: CompiledForm, book: FontBook) -> bytes:
    """What every page prints: title, number, agency, confidentiality, references."""
    said, left = compiled.furniture, sides_of(compiled.layout)[0]
    matrix, stamp = (compiled.layout.by_name[name].box for name in ("stamp-b-1", "stamp-a-1"))
    head = f"{said.title} · {compiled.form.number} · {said.agency}"
    parts, base = [b"/Artifact BMC 0 g "], page.height - 64
    for line in wrap(head, measure_of(head), (stamp[0] - left) * 1000 / 9.0):
        parts.append(any_line(head[line.start : line.end], left, base, 9.0, book))
        base -= 11
    parts.append(any_line(_TITLE[compiled.lang], left, base - 5, 13.0, book))
    references = (f"{compiled.form.number} rev. {compiled.form.revision}", said.references)
    right = page.width - 60
    start = matrix[2] + 7
    room = right - start - max(line_width(text, 6.5) for text in references) - 12
    for number, line in enumerate(wrap(said.confidentiality, measure_of(said.confidentiality), room * 1000 / 6.5)):
        parts.append(any_line(said.confidentiality[line.start : line.end], start, 53.0 - 8.1 * number, 6.5, book))
    parts += [any_line(text, right - line_width(text, 6.5), 53.0 - 8.1 * number, 6.5, book) for number, text in enumerate(references)]
    return b"".join(parts) + b"EMC"
