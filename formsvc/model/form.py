"""A form: what is asked, in which order, and the name of every answer.

Names are flat and unique: `site`, `children-0-no_discussion_points`, `children-0-areas-health`.
The same string is the AcroForm field name, the HTML input name and the answer key (a period is
not allowed inside a partial field name, ISO 32000-1, 12.7.3.2).
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Final

from formsvc.model.kinds import Choice, Choices, Kind, Lang, Option, Words, is_box

NAME: Final = re.compile(r"[a-z][a-z0-9_]*")
RowCounts = Mapping[str, int]


@dataclass(frozen=True, slots=True, kw_only=True, order=True)
class FormId:
    """Which form, in which published version."""

    name: str
    version: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Ask:
    """One question. `label` is complete (screen readers, web); `short` is what the paper prints."""

    name: str
    kind: Kind
    label: Words
    short: Words
    locked: bool = False
    """Printed by us: read-only once it has a value, and a change is noticed."""
    required: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Group:
    """Questions repeated in rows: children, actions, attendance.

    `minimum` rows are always there; `blank` rows stand on a form issued without data; `heading`
    names the ask whose answer names the row to a screen reader.
    """

    name: str
    label: Words
    asks: tuple[Ask, ...]
    minimum: int
    maximum: int
    blank: int
    source: str = ""
    heading: str = ""
    presets: tuple[Mapping[str, object], ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """Where an answer belongs: its key and the question, row and option that make it up."""

    key: str
    ask: Ask
    group: Group | None = None
    row: int = 0
    option: Option | None = None

    def label(self, lang: Lang, row_name: str = "") -> str:
        """A complete and distinct label: row, person, question, option."""
        parts = [self.ask.label.said(lang)]
        if self.option is not None:
            parts.append(self.option.label.said(lang))
        question = ": ".join(parts)
        if self.group is None:
            return question
        row = f"{self.group.label.said(lang)} {self.row + 1}"
        return f"{row_name}, {row}: {question}" if row_name else f"{row}: {question}"


@dataclass(frozen=True, kw_only=True)
class Form:
    """A published form definition. Limits: rows per `Group.maximum`."""

    id: FormId
    code: str
    """One letter or digit, printed in the stamp."""
    titles: Words
    number: str
    revision: str
    asks: tuple[Ask, ...]
    groups: tuple[Group, ...]
    rules: tuple[str, ...] = ()
    mandated: tuple[str, ...] = ()
    """Roles that rule R13 wants present."""
    texts: Mapping[str, Words] = field(default_factory=dict)
    """Further wording of the page: headings, instructions."""

    @cached_property
    def _asks(self) -> Mapping[str, Ask]:
        return {ask.name: ask for ask in self.asks}

    @cached_property
    def _groups(self) -> Mapping[str, tuple[Group, Mapping[str, Ask]]]:
        return {group.name: (group, {ask.name: ask for ask in group.asks}) for group in self.groups}

    def group(self, name: str) -> Group | None:
        """The group of that name."""
        found = self._groups.get(name)
        return found[0] if found else None

    @cached_property
    def _found(self) -> dict[str, Place]:
        return {}

    def find(self, key: str) -> Place | None:
        """The place an answer key names, or None if this form does not ask for it."""
        place = self._found.get(key)
        if place is None and (place := self._find(key)) is not None and (place.group is None or place.row < place.group.maximum):
            self._found[key] = place  # bounded: a form has only so many places
        return place

    def _find(self, key: str) -> Place | None:
        head, *rest = key.split("-")
        if ask := self._asks.get(head):
            return _place(key, ask, rest)
        if (grouped := self._groups.get(head)) is None or len(rest) < 2 or not is_row(rest[0]):  # noqa: PLR2004
            return None
        group, asks = grouped
        row_ask = asks.get(rest[1])
        return _place(key, row_ask, rest[2:], group, int(rest[0])) if row_ask else None

    def places(self, row_counts: RowCounts) -> Iterator[Place]:
        """Every place of a document with so many rows, in reading order of the definition."""
        for ask in self.asks:
            yield from ask_places(ask)
        for group in self.groups:
            for row in range(row_counts[group.name]):
                for ask in group.asks:
                    yield from ask_places(ask, group, row)


def key_of(ask: Ask, group: Group | None = None, row: int = 0, option: Option | None = None) -> str:
    """The one spelling of answer keys."""
    name = f"{group.name}-{row}-{ask.name}" if group else ask.name
    return f"{name}-{option.code}" if option else name


def ask_places(ask: Ask, group: Group | None = None, row: int = 0) -> Iterator[Place]:
    """The places of one question: one, or one for each box."""
    kind = ask.kind
    if isinstance(kind, Choice | Choices) and is_box(kind):
        for option in kind.options:
            yield Place(key=key_of(ask, group, row, option), ask=ask, group=group, row=row, option=option)
    else:
        yield Place(key=key_of(ask, group, row), ask=ask, group=group, row=row)


def is_row(text: str) -> bool:
    """Whether a part of a key is a row number as we write them: digits, no leading zero."""
    return text.isascii() and text.isdecimal() and len(text) <= 4 and str(int(text)) == text  # noqa: PLR2004


def _place(key: str, ask: Ask, rest: list[str], group: Group | None = None, row: int = 0) -> Place | None:
    if isinstance(ask.kind, Choice | Choices) and is_box(ask.kind):
        option = next((option for option in ask.kind.options if [option.code] == rest), None)
        return Place(key=key, ask=ask, group=group, row=row, option=option) if option else None
    return None if rest else Place(key=key, ask=ask, group=group, row=row)
