"""What filling needs to know of a blank, read once: object numbers, widgets as bytes, the page tree."""

import io
import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Final

import pikepdf
from pikepdf import Array, Name

from formsvc.model.form import Place
from formsvc.model.kinds import Kind, is_box
from formsvc.model.layout import CompiledForm, Slot
from formsvc.renderers.update import pdf_text

_PLANS_KEPT: Final = 64
_SPACE: Final = re.compile(rb"(\((?:[^\\()]|\\.)*\))| (?=[/\[(<>])", re.DOTALL)
"""A needless space; strings are matched whole, so that theirs stay."""


@dataclass(frozen=True, slots=True)
class Widget:
    """One field of the blank, ready to be written again with an answer."""

    number: int
    head: bytes
    """Its dictionary up to where label, flags and answer are added; not closed."""
    flags: int
    place: Place | None
    slot: Slot
    width: float
    height: float
    label: bytes
    """The label as a PDF string, where no row has a name."""
    tail_ascii: bytes
    """What follows the row's name in its label, as the end of a literal string; empty if it cannot be."""
    tail_hex: bytes
    """The same as the end of a hexadecimal UTF-16 string."""
    ticks: bool
    empty: bytes
    """The body of the field when it has no answer."""


@dataclass(frozen=True, slots=True)
class AskSlots:
    """Where one question is answered: one field, or a box for each option."""

    kind: Kind
    one: Widget | None
    boxes: Mapping[object, Widget]
    """By option code; for a tick by True."""


@dataclass(frozen=True, slots=True)
class Tree:
    """The nodes that change when pages are added."""

    pages: int
    page_numbers: tuple[int, ...]
    element: int
    """The structure element of the document."""
    element_head: bytes
    element_kids: tuple[bytes, ...]
    parents: int
    parents_leaf: bytes
    next_parent: int


@dataclass(frozen=True, slots=True)
class Plan:
    """Everything about one blank."""

    size: int
    start: int
    trailer: bytes
    first_id: bytes
    resources: int
    """The form's default resources: the simple font as /Helv."""
    font: int
    metadata: int
    metadata_text: str
    widgets: Mapping[str, Widget]
    order: Mapping[str, int]
    """The reading order of the fields."""
    rows: Mapping[tuple[str, int], tuple[Widget, ...]]
    asks: Mapping[tuple[str, int], Mapping[str, AskSlots]]
    """By group and row, then ask; the header stands under ("", 0)."""
    tree: Tree


def plan_of(compiled: CompiledForm) -> Plan:
    """The plan of a compiled form, kept for the last few forms."""
    return _plan(_ByDigest(compiled))


class _ByDigest:
    """A compiled form as a cache key: equal digests are equal blanks."""

    __slots__ = ("compiled",)

    def __init__(self, compiled: CompiledForm) -> None:
        self.compiled = compiled

    def __hash__(self) -> int:
        return hash(self.compiled.digest)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _ByDigest) and other.compiled.digest == self.compiled.digest


@lru_cache(maxsize=_PLANS_KEPT)
def _plan(key: _ByDigest) -> Plan:
    compiled = key.compiled
    blank = compiled.blank
    with pikepdf.open(io.BytesIO(blank)) as pdf:
        trailer, root = pdf.trailer, pdf.Root
        form = root.AcroForm
        widgets = dict(_widgets(pdf, compiled))
        return Plan(
            size=int(trailer.Size),
            start=int(re.findall(rb"startxref\s+(\d+)", blank[-64:])[-1]),
            trailer=b"".join(b"%b %d 0 R" % (name.encode("ascii"), trailer[name].objgen[0]) for name in ("/Root", "/Info") if name in trailer),
            first_id=bytes(trailer.ID[0]).hex().encode("ascii"),
            resources=form.DR.objgen[0],
            font=form.DR.Font.Helv.objgen[0],
            metadata=root.Metadata.objgen[0],
            metadata_text=bytes(root.Metadata.read_bytes()).decode("utf-8"),
            widgets=widgets,
            order={name: number for number, name in enumerate(widgets)},
            rows=_by_row(widgets),
            asks=_by_ask(widgets),
            tree=_tree(pdf),
        )


def _widgets(pdf: pikepdf.Pdf, compiled: CompiledForm) -> list[tuple[str, Widget]]:
    found = []
    slots = compiled.layout.by_name
    for field in pdf.Root.AcroForm.Fields:
        name = str(field.T)
        found.append((name, _widget(field, compiled, slots[name])))
    return found


def _widget(field: pikepdf.Object, compiled: CompiledForm, slot: Slot) -> Widget:
    place = compiled.form.find(slot.name)
    ticks = place is not None and is_box(place.ask.kind)
    number, flags = field.objgen[0], int(field.get(Name.Ff, 0))
    for key in ("/TU", "/Ff", "/V", "/AS", *(() if ticks else ("/AP", "/MK"))):
        if key in field:
            del field[key]
    label = place.label(compiled.lang) if place else slot.name
    tail = f", {label}"
    left, bottom, right, top = slot.box
    return Widget(
        number=number,
        head=_compact(field.unparse(resolved=True)),
        flags=flags,
        place=place,
        slot=slot,
        width=right - left,
        height=top - bottom,
        label=pdf_text(label),
        tail_ascii=pdf_text(tail)[1:] if tail.isascii() else b"",
        tail_hex=tail.encode("utf-16-be").hex().encode("ascii") + b">",
        ticks=ticks,
        empty=(b"/AS/Off/V/Off" if ticks else b"") + (b"/Ff %d" % flags if flags else b""),
    )


def _compact(dictionary: bytes) -> bytes:
    """A field's dictionary without needless spaces, not closed: hundreds are written and compressed per document."""
    return _SPACE.sub(lambda found: found[1] or b"", dictionary.rstrip()[:-2].rstrip())


def _by_row(widgets: Mapping[str, Widget]) -> dict[tuple[str, int], tuple[Widget, ...]]:
    rows: dict[tuple[str, int], tuple[Widget, ...]] = {}
    for widget in widgets.values():
        if widget.place and widget.place.group:
            row = (widget.place.group.name, widget.place.row)
            rows[row] = (*rows.get(row, ()), widget)
    return rows


def _by_ask(widgets: Mapping[str, Widget]) -> dict[tuple[str, int], dict[str, AskSlots]]:
    asks: dict[tuple[str, int], dict[str, AskSlots]] = {}
    for widget in widgets.values():
        if (place := widget.place) is None:
            continue
        row = asks.setdefault((place.group.name if place.group else "", place.row), {})
        boxes = dict(row[place.ask.name].boxes) if place.ask.name in row else {}
        if widget.ticks:
            boxes[place.option.code if place.option else True] = widget
        row[place.ask.name] = AskSlots(place.ask.kind, None if widget.ticks else widget, boxes)
    return asks


def _tree(pdf: pikepdf.Pdf) -> Tree:
    root = pdf.Root
    structure = root.StructTreeRoot
    element = structure.K[0]
    kids = tuple(b"%d 0 R" % kid.objgen[0] for kid in element.get(Name.K, Array()))
    number = element.objgen[0]
    del element[Name.K]
    leaf = structure.ParentTree.Kids[0]
    return Tree(
        pages=root.Pages.objgen[0],
        page_numbers=tuple(page.obj.objgen[0] for page in pdf.pages),
        element=number,
        element_head=element.unparse(resolved=True).rstrip()[:-2],
        element_kids=kids,
        parents=structure.ParentTree.objgen[0],
        parents_leaf=b"%d 0 R" % leaf.objgen[0],
        next_parent=int(leaf.Limits[1]) + 1,
    )
