"""The screen face of a form: the same page.html as the paper, in a frame for browsers, with answers and problems in place."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final, assert_never

from markupsafe import Markup, escape

from formsvc.catalog import Catalog
from formsvc.errors import Refused
from formsvc.model.form import Ask, Form, Group, Place, RowCounts, ask_places
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
from formsvc.model.values import ON
from formsvc.renderers.compile import page_context, page_template

FRAME: Final = "{% block body %}{% endblock %}"
"""What stands in the place of paper.html on a screen: the body of the page, nothing of its style."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Note:
    """Something said at a field: what is wrong, or what somebody else wrote meanwhile."""

    text: str
    severity: str = "error"


@dataclass(frozen=True, slots=True, kw_only=True)
class Filling:
    """What stands in the fields: raw answers by key, notes by key, which keys nobody may change."""

    answers: Mapping[str, str] = field(default_factory=dict)
    notes: Mapping[str, Sequence[Note]] = field(default_factory=dict)
    locked: frozenset[str] = frozenset()
    row_names: Mapping[tuple[str, int], str] = field(default_factory=dict)


def screen_form(catalog: Catalog, form: Form, counts: RowCounts, lang: Lang, filling: Filling) -> Markup:
    """The fields of a form as HTML; refuses a broken page as the paper does."""
    page = _Screen(form, counts, lang, filling)
    context = {**page_context(catalog, form, counts, lang), "ask": page.ask, "rows": page.rows, "label": page.label, "stamp": lambda _name: ""}
    html = page_template(catalog, form, {"paper.html": FRAME}, context)
    missing = [place.key for place in form.places(counts) if f'name="{place.key}"' not in html]
    if missing:
        raise Refused("template-missing-field", form.id.name, names=", ".join(missing[:5]))
    return Markup(html)  # noqa: S704  (made by a template with autoescape from our own controls)


class _Screen:
    """What a page.html may call."""

    def __init__(self, form: Form, counts: RowCounts, lang: Lang, filling: Filling) -> None:
        self._form, self._counts, self._lang, self._filling = form, counts, lang, filling
        self._begun: set[tuple[str, int]] = set()

    def ask(self, name: str, css: str = "") -> Markup:
        """One question of the header or footer."""
        return self._question(next((ask for ask in self._form.asks if ask.name == name), None), name, css)

    def rows(self, name: str) -> Iterator["_ScreenRow"]:
        """The rows of a group."""
        group = self._group(name)
        for index in range(self._counts[name]):
            yield _ScreenRow(self, group, index)

    def label(self, group: str, name: str) -> str:
        """The label of a group's question, for a table head."""
        found = next((ask for ask in self._group(group).asks if ask.name == name), None)
        if found is None:
            raise LookupError(f"group “{group}” does not ask for “{name}”")
        return found.short.said(self._lang)

    def _group(self, name: str) -> Group:
        group = self._form.group(name)
        if group is None:
            raise LookupError(f"the form has no group “{name}”")
        return group

    def _question(self, ask: Ask | None, name: str, css: str, group: Group | None = None, row: int = 0) -> Markup:
        if ask is None:
            raise LookupError(f"the form does not ask for “{name}”")
        return ask_html(tuple(ask_places(ask, group, row)), self._lang, css, self._filling)

    def row_question(self, group: Group, row: int, name: str, css: str) -> Markup:
        """One question of a row; the first one carries the place to jump to."""
        question = self._question(next((ask for ask in group.asks if ask.name == name), None), name, css, group, row)
        if (group.name, row) in self._begun:
            return question
        self._begun.add((group.name, row))
        return Markup(f'<span class="anchor" id="{group.name}-{row}"></span>') + question  # noqa: S704  (a name of the definition and a number)


@dataclass(frozen=True, slots=True)
class _ScreenRow:
    """One row of a group, as a page.html sees it."""

    page: _Screen
    group: Group
    index: int

    @property
    def number(self) -> int:
        """The row's number as people count."""
        return self.index + 1

    def ask(self, name: str, css: str = "") -> Markup:
        """One question of this row."""
        return self.page.row_question(self.group, self.index, name, css)


# ---------------------------------------------------------------- one question


def ask_html(places: tuple[Place, ...], lang: Lang, css: str, filling: Filling) -> Markup:
    """One question with its label, its control or boxes, and what is said about it.

    Hundreds of them make a page: everything that is not a constant goes through `escape` here, which is four
    times as fast as formatting `Markup`.
    """
    first = places[0]
    ask, style = first.ask, escape(css)
    if isinstance(ask.kind, Tick):
        text = f'<div class="ask box {style}">{_control(first, lang, filling)}{_label(first, ask.label.said(lang), lang, filling)}</div>{_notes(first.key, filling)}'
    elif is_box(ask.kind):
        boxes = "".join(f'<div class="ask box">{_control(place, lang, filling)}{_label(place, place.option.label.said(lang), lang, filling)}</div>' for place in places if place.option)
        notes = _notes(first.key.rpartition("-")[0], filling)
        text = f'<fieldset class="ask boxes {style}"><legend>{_who(first, lang, filling)}{escape(ask.label.said(lang))}</legend><div class="options">{boxes}</div>{notes}</fieldset>'
    else:
        text = f'<div class="ask written {style}">{_label(first, ask.label.said(lang), lang, filling)}{_control(first, lang, filling)}{_notes(first.key, filling)}</div>'
    return Markup(text)  # noqa: S704  (every value in it was escaped)


def _label(place: Place, text: str, lang: Lang, filling: Filling) -> str:
    return f'<label for="{place.key}">{_who(place, lang, filling)}{escape(text)}</label>'


def _who(place: Place, lang: Lang, filling: Filling) -> str:
    """Whom a row is about, for those who hear the page instead of seeing it."""
    if place.group is None:
        return ""
    name = filling.row_names.get((place.group.name, place.row), "")
    row = f"{place.group.label.said(lang)} {place.row + 1}"
    return f'<span class="visually-hidden">{escape(f"{name}, {row}" if name else row)}: </span>'


def _notes(key: str, filling: Filling) -> str:
    found = filling.notes.get(key, ())
    if not found:
        return ""
    lines = "".join(f'<p class="problem {escape(note.severity)}">{escape(note.text)}</p>' for note in found)
    return f'<div id="n-{escape(key)}">{lines}</div>'


def _facts(place: Place, filling: Filling) -> str:
    """The attributes that every control has; keys are made of letters, digits, - and _ only."""
    notes = filling.notes.get(place.key, ())
    said = f' aria-describedby="n-{place.key}"' if notes else ""
    wrong = ' aria-invalid="true"' if any(note.severity == "error" for note in notes) else ""
    return f' id="{place.key}" name="{place.key}"{said}{wrong}'


def _control(place: Place, lang: Lang, filling: Filling) -> str:
    """The control of one place with what stands in it."""
    kind, raw, locked = place.ask.kind, filling.answers.get(place.key, ""), place.key in filling.locked
    facts = _facts(place, filling)
    if is_box(kind):
        return f'<input type="checkbox" value="{ON}"{facts}{" checked" if raw == ON else ""}{" disabled" if locked else ""}>'
    read_only = " readonly" if locked else ""
    match kind:
        case LongText():
            return _area(facts, raw, read_only)
        case Choice(options=options):
            items = "".join(f'<option value="{escape(one.code)}"{" selected" if one.code == raw else ""}>{escape(one.label.said(lang))}</option>' for one in options)
            return f'<select{facts}{" disabled" if locked else ""}><option></option>{items}</select>'
        case Day():
            return _input("date", facts, raw, read_only)
        case Time():
            return _input("time", facts, raw, read_only)
        case Month():
            return _input("month", facts, raw, read_only)
        case Number():
            return _input("text", facts, raw, read_only + ' inputmode="decimal"')
        case Text() | Signature() | Stamp() | Tick() | Choices():
            return _area(facts, raw, read_only) if "\n" in raw else _input("text", facts, raw, read_only)
    assert_never(kind)


def _input(kind: str, facts: str, raw: str, more: str) -> str:
    return f'<input type="{kind}" value="{escape(raw)}" autocomplete="off"{facts}{more}>'


def _area(facts: str, raw: str, more: str) -> str:
    return f"<textarea{facts}{more}>\n{escape(raw)}</textarea>"


def raw_of(place: Place, value: Any) -> str:
    """A value as its control holds it; the inverse of what the rule book reads."""
    return ON if is_box(place.ask.kind) else str(value)
