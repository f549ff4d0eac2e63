"""What a program has to know about a form before it can change it: names, states and options."""

from __future__ import annotations

import io
from collections import defaultdict
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

import pikepdf

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

Kind = Literal["text", "box", "radio", "choice"]

_RADIO = 1 << 15
_PUSH_BUTTON = 1 << 16


@dataclass(frozen=True, slots=True, kw_only=True)
class Field:
    """One form field: its on-states (without slash) and its options as (export value, label)."""

    name: str
    kind: Kind
    on_states: tuple[str, ...] = ()
    options: tuple[tuple[str, str], ...] = ()

    def label(self, value: str) -> str:
        """Return the label of the option with this export value or label."""
        return dict(self.options).get(value, value)

    def state(self, value: str | bool) -> str:
        """Return the appearance state that a box shows for ``value``."""
        if isinstance(value, str):
            return value
        return self.on_states[0] if value else "Off"


def read_fields(pdf: bytes) -> Mapping[str, Field]:
    """Return the fields of all widgets that the pages show, by full name."""
    with pikepdf.open(io.BytesIO(pdf)) as document:
        grouped: dict[str, list[pikepdf.Object]] = defaultdict(list)
        for widget in widgets(document):
            grouped[full_name(widget)].append(widget)
        found = {name: _field(name, sisters) for name, sisters in grouped.items()}
    return {name: field for name, field in found.items() if field is not None}


def widgets(document: pikepdf.Pdf) -> Iterator[pikepdf.Object]:
    """Walk the pages, because some programs leave ``/AcroForm /Fields`` incomplete."""
    for page in document.pages:
        for annotation in page.obj.get("/Annots", ()):
            if annotation.get("/Subtype") == "/Widget":
                yield annotation


def full_name(widget: pikepdf.Object) -> str:
    """Join the partial names from the root of the field tree (ISO 32000-1, 12.7.3.2)."""
    parts = [str(node["/T"]) for node in _lineage(widget) if "/T" in node]
    return ".".join(reversed(parts))


def terminal(widget: pikepdf.Object) -> pikepdf.Object:
    """Return the dictionary that holds the field's value: the widget itself or its parent."""
    return next(node for node in _lineage(widget) if "/T" in node)


def inherited(widget: pikepdf.Object, key: str) -> pikepdf.Object | None:
    """Return an inheritable entry of a field, or ``None``."""
    return next((node[key] for node in _lineage(widget) if key in node), None)


def on_state(widget: pikepdf.Object) -> str:
    """Return the name of the state in which this button is on."""
    states = widget["/AP"]["/N"].keys() if "/AP" in widget else ()
    return next((state[1:] for state in states if state != "/Off"), "Yes")


def options(widget: pikepdf.Object) -> tuple[tuple[str, str], ...]:
    """Return the options of a choice as (export value, label)."""
    entries = inherited(widget, "/Opt")
    return tuple(_option(entry) for entry in entries or ())


def _lineage(widget: pikepdf.Object) -> Iterator[pikepdf.Object]:
    node: pikepdf.Object | None = widget
    while node is not None:
        yield node
        node = node.get("/Parent")


def _field(name: str, sisters: list[pikepdf.Object]) -> Field | None:
    flags = int(inherited(sisters[0], "/Ff") or 0)
    match str(inherited(sisters[0], "/FT")):
        case "/Tx":
            return Field(name=name, kind="text")
        case "/Ch":
            return Field(name=name, kind="choice", options=options(sisters[0]))
        case "/Btn" if not flags & _PUSH_BUTTON:
            states = tuple(on_state(widget) for widget in sisters)
            return Field(name=name, kind="radio" if flags & _RADIO else "box", on_states=states)
        case _:
            return None


def _option(entry: pikepdf.Object) -> tuple[str, str]:
    if isinstance(entry, pikepdf.Array):
        return str(entry[0]), str(entry[1])
    return str(entry), str(entry)
