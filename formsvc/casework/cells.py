"""A record as cells: the smallest answers that two people can give differently, each with a name that lasts.

A cell is named `site`, `children/c12/strengths` or `children/c12/areas-health`: group, row identity,
question (with the option, where each option is a box of its own). Row identities are about *whom* a
row is, not where it stands, so that answers meet even where two editions of a paper list the
children in another order.
"""

import hashlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Final

from formsvc.model.form import Ask, Form, Group
from formsvc.model.kinds import Choices
from formsvc.model.record import Row, Value, Values
from formsvc.model.values import plain

Cells = Mapping[str, Value]
"""What is answered; a cell that is empty is left out."""
Rows = Mapping[str, Sequence[str]]
"""The row identities of each group, in the order of the paper."""
BETWEEN: Final = "/"


def cell_of(group: str, row: str, name: str) -> str:
    """The name of a cell in a row."""
    return BETWEEN.join((group, row, name))


def split_cell(cell: str) -> tuple[str, str, str]:
    """Group, row identity and question of a cell; group and row are empty for a header question."""
    group, _, rest = cell.partition(BETWEEN)
    row, _, name = rest.partition(BETWEEN)
    return (group, row, name) if name else ("", "", cell)


def cells_of(form: Form, values: Values, rows: Rows) -> dict[str, Value]:
    """Every answer of a record as a cell. A row beyond `rows` has no identity: LookupError."""
    found = dict(_named("", form.asks, values))
    for group in form.groups:
        entries = values.get(group.name)
        identities = rows.get(group.name, ())
        for number, row in enumerate(entries if isinstance(entries, list) else ()):
            if isinstance(row, dict) and row:
                found.update(_named(f"{group.name}{BETWEEN}{identities[number]}{BETWEEN}", group.asks, row))
    return found


def _named(start: str, asks: Iterable[Ask], entries: Mapping[str, object]) -> Iterator[tuple[str, Value]]:
    for ask in asks:
        value = entries.get(ask.name)
        if isinstance(ask.kind, Choices) and isinstance(value, list):
            for code in value:
                yield f"{start}{ask.name}-{code}", True
        elif isinstance(value, str | int | float | bool):
            yield start + ask.name, value


def values_of(form: Form, cells: Cells, rows: Rows) -> Values:
    """The record that these cells make, rows in the order of `rows`; cells of rows that are not listed are left out."""
    values: dict[str, Value | list[Row]] = dict(_answered("", form.asks, cells))
    for group in form.groups:
        entries = [dict(_answered(f"{group.name}{BETWEEN}{row}{BETWEEN}", group.asks, cells)) for row in rows.get(group.name, ())]
        while entries and not entries[-1]:
            entries.pop()
        if entries:
            values[group.name] = entries
    return values


def _answered(start: str, asks: Iterable[Ask], cells: Cells) -> Iterator[tuple[str, Value]]:
    for ask in asks:
        if isinstance(ask.kind, Choices):
            if codes := [option.code for option in ask.kind.options if cells.get(f"{start}{ask.name}-{option.code}")]:
                yield ask.name, codes
        elif start + ask.name in cells:
            yield ask.name, cells[start + ask.name]


def all_rows(form: Form, issued: Rows) -> dict[str, tuple[str, ...]]:
    """The row identities of every group: groups that list nobody (attendance, reports) are known by their place, which every copy shares."""
    return {group.name: tuple(issued[group.name]) if group.name in issued else tuple(f"r{number}" for number in range(group.maximum)) for group in form.groups}


def row_identities(form: Form, document: str, issued: Rows, values: Values) -> dict[str, tuple[str, ...]]:
    """The identities of all rows of a document that came back: as issued, and new ones for rows that people added.

    An added row is known by its document, its place and whom it names, so that two hands on the same free
    row of two copies make two rows.
    """
    known = all_rows(form, issued)
    return {group.name: (*known[group.name], *_added_rows(group, document, len(known[group.name]), values.get(group.name))) for group in form.groups}


def _added_rows(group: Group, document: str, first: int, entries: object) -> Iterator[str]:
    for number, row in enumerate(entries if isinstance(entries, list) else ()):
        if number >= first:
            yield f"{document}.{number}~{named(row.get(group.heading), row.get('child_id'))}"


def named(*names: object) -> str:
    """A short mark of whom a row names."""
    said = "\0".join(plain(str(name or "")) for name in names)
    return hashlib.sha256(said.encode("utf-8", "surrogatepass")).hexdigest()[:8]


def joined_rows(orders: Iterable[Rows]) -> dict[str, tuple[str, ...]]:
    """One order of all rows: those of the first, then what the others add (rows known by place in their order)."""
    joined: dict[str, dict[str, None]] = {}
    for rows in orders:
        for group, identities in rows.items():
            joined.setdefault(group, {}).update(dict.fromkeys(identities))
    return {group: tuple(sorted(identities, key=_added)) for group, identities in joined.items()}


def _added(identity: str) -> tuple[bool, str, int]:
    """Rows as issued keep their order (the sort is stable); rows that people added follow, by document and place."""
    document, _, place = identity.partition(".")
    if place:
        return True, document, int(place.partition("~")[0])
    return False, "", int(identity[1:]) if identity.startswith("r") and identity[1:].isdecimal() else 0
