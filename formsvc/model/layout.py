"""Where every answer sits on the paper: PDF points, origin at the bottom left."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from math import prod
from typing import Any

from formsvc.model.form import Form, RowCounts
from formsvc.model.kinds import LANGS, Kind, Lang, Stamp
from formsvc.model.record import Box
from formsvc.model.stamp import base32, base32_value


@dataclass(frozen=True, slots=True, kw_only=True)
class Page:
    """A page's size in points."""

    width: float
    height: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Slot:
    """One box on one page (counted from 1); `kind` says how it is filled and read."""

    name: str
    page: int
    box: Box
    kind: Kind


@dataclass(frozen=True, kw_only=True)
class Layout:
    """All pages and all slots of a compiled form."""

    pages: tuple[Page, ...]
    slots: tuple[Slot, ...]

    @cached_property
    def by_name(self) -> Mapping[str, Slot]:
        """The slots by their answer key."""
        return {slot.name: slot for slot in self.slots}


@dataclass(frozen=True, slots=True, kw_only=True)
class Furniture:
    """What every page prints around the answers, in the form's language."""

    title: str
    agency: str
    confidentiality: str
    references: str


@dataclass(frozen=True, slots=True, kw_only=True)
class CompiledForm:
    """A form laid out for so many rows in one language: tagged blank PDF and where answers sit."""

    form: Form
    row_counts: RowCounts
    lang: Lang
    blank: bytes
    layout: Layout
    furniture: Furniture
    digest: str


def dump_layout(layout: Layout) -> dict[str, Any]:
    """A layout as JSON: pages as [width, height], slots as name: [page, left, bottom, right, top]."""
    return {
        "pages": [[page.width, page.height] for page in layout.pages],
        "slots": {slot.name: [slot.page, *slot.box] for slot in layout.slots},
    }


def load_layout(form: Form, data: Mapping[str, Any]) -> Layout:
    """The layout again; the kinds come from the form, the stamps know themselves."""
    slots = []
    for name, (page, *box) in data["slots"].items():
        place = form.find(name)
        kind = place.ask.kind if place else Stamp()
        slots.append(Slot(name=name, page=page, box=(box[0], box[1], box[2], box[3]), kind=kind))
    pages = tuple(Page(width=width, height=height) for width, height in data["pages"])
    return Layout(pages=pages, slots=tuple(slots))


# ---------------------------------------------------------------- told by the stamp


def laid_code(form: Form, lang: Lang, row_counts: RowCounts) -> str:
    """A layout's language and row counts in the fewest Crockford digits, always as many for a form."""
    value = LANGS.index(lang)
    for group in form.groups:
        value = value * (group.maximum + 1) + row_counts[group.name]
    return base32(value, _laid_length(form))


def _laid_length(form: Form) -> int:
    most = len(LANGS) * prod(group.maximum + 1 for group in form.groups) - 1
    return -(-most.bit_length() // 5)


def read_laid(form: Form, code: str) -> tuple[Lang, RowCounts] | None:
    """The language and row counts of a stamp, or None where it does not tell them or cannot mean this form."""
    if len(code) != _laid_length(form):
        return None
    value = base32_value(code)
    counts: dict[str, int] = {}
    for group in reversed(form.groups):
        value, counts[group.name] = divmod(value, group.maximum + 1)
    known = value < len(LANGS) and all(group.minimum <= counts[group.name] for group in form.groups)
    return (LANGS[value], {group.name: counts[group.name] for group in form.groups}) if known else None
