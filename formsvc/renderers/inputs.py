"""The HTML face of a question: the same inputs become PDF widgets on paper and controls on the web."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final, assert_never

from markupsafe import Markup

from formsvc.model.form import Form, Group, Place, RowCounts, ask_places
from formsvc.model.kinds import (
    Choice,
    Choices,
    Day,
    Lang,
    LongText,
    Month,
    Number,
    Signature,
    Stamp,
    Text,
    Tick,
    Time,
    is_box,
)

_INPUT: Final = Markup('<input type="{kind}" id="{key}" name="{key}" title="{title}">')


def input_html(place: Place, lang: Lang) -> Markup:
    """The control of one place; its name is the answer key, its title the complete label."""
    facts = {"key": place.key, "title": place.label(lang)}
    kind = place.ask.kind
    if is_box(kind):
        return _INPUT.format(kind="checkbox", **facts)
    match kind:
        case LongText():
            return Markup('<textarea id="{key}" name="{key}" title="{title}"></textarea>').format(**facts)
        case Choice(options=options):
            items = Markup("").join(Markup('<option value="{}">{}</option>').format(o.code, o.label.said(lang)) for o in options)
            return Markup('<select id="{key}" name="{key}" title="{title}"><option value=""></option>{items}</select>').format(items=items, **facts)
        case Day():
            return _INPUT.format(kind="date", **facts)
        case Time():
            return _INPUT.format(kind="time", **facts)
        case Month():
            return _INPUT.format(kind="month", **facts)
        case Number():
            return _INPUT.format(kind="number", **facts)
        case Text() | Signature() | Stamp() | Tick() | Choices():
            return _INPUT.format(kind="text", **facts)
    assert_never(kind)


def ask_html(places: tuple[Place, ...], lang: Lang, css: str) -> Markup:
    """One question with its visible label and its control or boxes."""
    ask = places[0].ask
    short = ask.short.said(lang)
    if isinstance(ask.kind, Tick):
        return _box(places[0], short, lang, css)
    if is_box(ask.kind):
        boxes = Markup("").join(_box(place, place.option.label.said(lang), lang, "") for place in places if place.option)
        return Markup('<div class="ask boxes {}"><label>{}</label><div class="options">{}</div></div>').format(css, short, boxes)
    kind = "signature" if isinstance(ask.kind, Signature) else "written"
    return Markup('<div class="ask {} {}"><label for="{}">{}</label>{}</div>').format(kind, css, places[0].key, short, input_html(places[0], lang))


def _box(place: Place, label: str, lang: Lang, css: str) -> Markup:
    return Markup('<div class="ask box {}">{}<label for="{}">{}</label></div>').format(css, input_html(place, lang), place.key, label)


@dataclass(frozen=True, slots=True)
class PageRow:
    """One row of a group, as a page.html sees it."""

    group: Group
    index: int
    lang: Lang

    @property
    def number(self) -> int:
        """The row's number as people count."""
        return self.index + 1

    def ask(self, name: str, css: str = "") -> Markup:
        """One question of this row."""
        for ask in self.group.asks:
            if ask.name == name:
                return ask_html(tuple(ask_places(ask, self.group, self.index)), self.lang, css)
        raise LookupError(f"group “{self.group.name}” does not ask for “{name}”")


@dataclass(frozen=True, slots=True)
class PageForm:
    """What a page.html may call: `ask`, `rows`, `label`."""

    form: Form
    row_counts: RowCounts
    lang: Lang

    def ask(self, name: str, css: str = "") -> Markup:
        """One question of the header or footer."""
        for ask in self.form.asks:
            if ask.name == name:
                return ask_html(tuple(ask_places(ask)), self.lang, css)
        raise LookupError(f"the form does not ask for “{name}”")

    def rows(self, name: str) -> Iterator[PageRow]:
        """The rows of a group."""
        group = self._group(name)
        for index in range(self.row_counts[name]):
            yield PageRow(group, index, self.lang)

    def label(self, group: str, name: str) -> str:
        """The short label of a group's question, for a table head."""
        asks = self._group(group).asks
        found = next((ask for ask in asks if ask.name == name), None)
        if found is None:
            raise LookupError(f"group “{group}” does not ask for “{name}”")
        return found.short.said(self.lang)

    def _group(self, name: str) -> Group:
        group = self.form.group(name)
        if group is None:
            raise LookupError(f"the form has no group “{name}”")
        return group
