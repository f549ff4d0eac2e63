"""The record face of a form: a marshmallow schema generated from its definition.

Loading gives values in their one spelling (`formsvc.model.record.Values`): sparse and JSON-shaped.
"""

from collections.abc import Callable, Iterator, Mapping
from functools import cache
from typing import Any, Final, assert_never

from marshmallow import Schema, ValidationError, fields, post_load, validate

from formsvc.errors import word
from formsvc.model.form import Ask, Form, Group
from formsvc.model.kinds import (
    Choice,
    Choices,
    Day,
    Kind,
    LongText,
    Month,
    Number,
    Signature,
    Stamp,
    Text,
    Tick,
    Time,
)
from formsvc.model.record import Problem, Values
from formsvc.model.values import EXAMPLES, ON, Misread, forbidden_characters, normal_lines, read_value


class Spelled(fields.String):
    """A value with one canonical spelling (day, time, month, choice); other spellings are read."""

    def __init__(self, kind: Day | Time | Month | Choice, **more: Any) -> None:
        """Keep the kind that knows the spellings."""
        super().__init__(**more)
        self.kind = kind

    def _deserialize(self, value: Any, attr: str | None, data: Mapping[str, Any] | None, **more: Any) -> Any:
        text = super()._deserialize(value, attr, data, **more)
        understood = read_value(self.kind, text)
        if isinstance(understood, Misread):
            raise ValidationError(misread_words(self.kind, text, understood))
        return understood


class Amount(fields.Field[int | float]):
    """A number within its limits; text is read as people write it."""

    def __init__(self, kind: Number, **more: Any) -> None:
        """Keep the kind that knows the limits."""
        super().__init__(**more)
        self.kind = kind

    def _deserialize(self, value: Any, attr: str | None, data: Mapping[str, Any] | None, **more: Any) -> Any:
        del attr, data, more
        number = read_value(self.kind, str(value)) if isinstance(value, int | float | str) and not isinstance(value, bool) else Misread("unreadable-value")
        if isinstance(number, Misread):
            raise ValidationError(misread_words(self.kind, str(value), number))
        if isinstance(number, int | float) and not self.kind.least <= number <= self.kind.most:
            raise ValidationError(word("out-of-range", raw=number, least=self.kind.least, most=self.kind.most))
        return number


def misread_words(kind: Kind, raw: str, misread: Misread) -> str:
    """The sentence for a value that cannot be understood."""
    if isinstance(kind, Choice | Choices):
        return word(misread.code, raw=raw, known=", ".join(option.code for option in kind.options))
    return word(misread.code, raw=raw, kind=type(kind).__name__.lower(), example=EXAMPLES.get(type(kind), ON))


def _printable(text: str) -> None:
    if bad := forbidden_characters(normal_lines(text)):
        raise ValidationError(word("control-character", detail=bad))


def _one_line(text: str) -> None:
    if "\n" in normal_lines(text):
        raise ValidationError(word("line-break"))


def _at_most(limit: int) -> Callable[[str], None]:
    def check(text: str) -> None:
        if len(text) > limit:
            raise ValidationError(word("too-long", count=len(text), most=limit))

    return check


def field_of(kind: Kind) -> fields.Field[Any]:
    """The marshmallow field of a kind."""
    match kind:
        case Text(limit=limit):
            return fields.String(validate=[_at_most(limit), _one_line, _printable])
        case LongText(limit=limit):
            return fields.String(validate=[_at_most(limit), _printable])
        case Signature() | Stamp():
            return fields.String(validate=[_at_most(200), _one_line, _printable])
        case Number():
            return Amount(kind)
        case Day() | Time() | Month() | Choice():
            return Spelled(kind)
        case Tick():
            return fields.Boolean(truthy={True}, falsy={False})
        case Choices(options=options):
            codes = [option.code for option in options]
            one = fields.String(validate=validate.OneOf(codes, error=word("not-an-option", raw="{input}", known=", ".join(codes))))
            return fields.List(one)
    assert_never(kind)


def _canonical(ask: Ask, value: Any) -> Any:
    """The one spelling of a loaded value; None if it is empty."""
    if isinstance(ask.kind, Choices):
        return [option.code for option in ask.kind.options if option.code in value] or None
    if isinstance(value, str):
        return read_value(ask.kind, value) if isinstance(ask.kind, Text | LongText | Signature) else value
    return value if isinstance(value, int | float) and not isinstance(value, bool) else value or None


class SparseSchema(Schema):
    """Leaves out what is empty, so that equal records are equal mappings."""

    asks: tuple[Ask, ...] = ()

    @post_load
    def _sparse(self, data: dict[str, Any], **_more: Any) -> dict[str, Any]:
        kept = {}
        by_name = {ask.name: ask for ask in self.asks}
        for name, value in data.items():
            ask = by_name.get(name)
            clear = _without_last_blanks(value) if ask is None else None if value is None else _canonical(ask, value)
            if clear is not None:
                kept[name] = clear
        return kept


def _without_last_blanks(rows: list[dict[str, Any]] | None) -> list[dict[str, Any]] | None:
    """Rows up to the last one with an answer; rows between keep their place."""
    rows = list(rows or ())
    while rows and not rows[-1]:
        rows.pop()
    return rows or None


_LINE: Final = r"^[^\u0000-\u0008\u000a-\u001f\u007f-\u009f]*$"
_PARAGRAPHS: Final = r"^[^\u0000-\u0008\u000b\u000c\u000e-\u001f\u007f-\u009f]*$"
"""Text that paper can show (`forbidden_characters`), as JSON Schema says it."""
_MONTH: Final = r"^([1-9][0-9]{3}|0[1-9][0-9]{2}|00[1-9][0-9]|000[1-9])-(0[1-9]|1[0-2])$"
_TIME: Final = r"^([01][0-9]|2[0-3]):[0-5][0-9]$"


def json_facts(kind: Kind) -> dict[str, Any]:
    """What JSON Schema says of a kind's one spelling; other spellings are for people."""
    match kind:
        case Text(limit=limit):
            return {"maxLength": limit, "pattern": _LINE}
        case LongText(limit=limit):
            return {"maxLength": limit, "pattern": _PARAGRAPHS}
        case Signature() | Stamp():
            return {"maxLength": 200, "pattern": _LINE}
        case Number():
            return {"type": "number" if kind.decimals else "integer", "minimum": kind.least, "maximum": kind.most}
        case Day():
            return {"format": "date"}
        case Time():
            return {"pattern": _TIME}
        case Month():
            return {"pattern": _MONTH}
        case Choice(options=options):
            return {"enum": [*(option.code for option in options), None]}
        case Tick() | Choices():
            return {}
    assert_never(kind)


def unlike_json(form: Form, data: Mapping[str, Any]) -> Iterator[tuple[tuple[str | int, ...], str]]:
    """The places of data where something stands that is understood, but is not the one spelling; each with what is expected.

    People may write 11/5/26; a program that does has the order of day and month wrong sooner or later.
    """
    yield from ((place, text) for ask in form.asks for place, text in _unlike(ask, data.get(ask.name)))
    for group in form.groups:
        rows = data.get(group.name)
        for number, row in enumerate(rows if isinstance(rows, list) else ()):
            yield from (((group.name, number, *place), text) for ask in group.asks for place, text in _unlike(ask, row.get(ask.name)))


def _unlike(ask: Ask, value: Any) -> Iterator[tuple[tuple[str | int, ...], str]]:
    if value is None or _is_like(ask.kind, value):
        return
    facts = json_facts(ask.kind)
    wanted = "true or false" if isinstance(ask.kind, Tick) else facts.get("format") or facts.get("pattern") or facts.get("type") or "one of the codes"
    yield (ask.name,), word("not-text", kind=str(wanted))


def _is_like(kind: Kind, value: Any) -> bool:
    match kind:
        case Tick():
            return isinstance(value, bool)
        case Number():
            return isinstance(value, int | float) and not isinstance(value, bool)
        case Day() | Time() | Month() | Choice():
            return bool(value) and bool(read_value(kind, str(value)) == value)
        case Text() | LongText() | Signature() | Stamp() | Choices():
            return True
    assert_never(kind)


def _schema(name: str, asks: tuple[Ask, ...], nested: Mapping[str, fields.Field[Any]]) -> type[Schema]:
    members: dict[str, Any] = {"asks": asks}
    for ask in asks:
        field = field_of(ask.kind)
        field.allow_none = True
        field.metadata = {"title": ask.label.en, **json_facts(ask.kind)}
        members[ask.name] = field
    return type(name, (SparseSchema,), {**members, **nested})


def _rows_of(form: Form, group: Group) -> fields.Field[Any]:
    row = _schema(f"{form.id.name}-{group.name}", group.asks, {})

    def few(rows: list[Any]) -> None:
        if len(rows) > group.maximum:
            raise ValidationError(word("too-many-rows", count=len(rows), most=group.maximum))

    return fields.List(fields.Nested(row), validate=few, allow_none=True, metadata={"title": group.label.en, "maxItems": group.maximum})


@cache
def _cached_schema(key: tuple[str, int, int], form_holder: "_Holder") -> type[Schema]:
    form = form_holder.form
    return _schema(f"{key[0]}-v{key[1]}", form.asks, {group.name: _rows_of(form, group) for group in form.groups})


class _Holder:
    """Lets the cache key on a form's identity: forms hold mappings and cannot be hashed by value."""

    __slots__ = ("form",)

    def __init__(self, form: Form) -> None:
        self.form = form

    def __hash__(self) -> int:
        return id(self.form)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Holder) and other.form is self.form


def record_schema(form: Form) -> type[Schema]:
    """The schema of a form's records."""
    return _cached_schema((form.id.name, form.id.version, id(form)), _Holder(form))


def load_values(form: Form, data: Mapping[str, Any]) -> tuple[Values, tuple[Problem, ...]]:
    """Values in their one spelling, and every problem with its place (nothing is half-loaded)."""
    try:
        return record_schema(form)().load(data), ()
    except ValidationError as invalid:
        messages = invalid.messages if isinstance(invalid.messages, dict) else {"": invalid.messages}
        return {}, tuple(_problems(form, messages))


def _problems(form: Form, messages: Mapping[Any, Any], *above: str) -> list[Problem]:
    found: list[Problem] = []
    for name, below in messages.items():
        path = above if name == "_schema" else (*above, str(name))
        if isinstance(below, Mapping):
            found += _problems(form, below, *path)
        else:
            found += [Problem(code="values-invalid", field="-".join(path), severity="error", message=_said(form, path, text)) for text in below]
    return found


# What marshmallow says of a wrong type, and what is expected there.
_EXPECTED: Final = {
    "Not a valid string.": "a text",
    "Not a valid list.": "a list",
    "Not a valid boolean.": "true or false",
    "Invalid input type.": "a JSON object",
    "Field may not be null.": "a value",
}


def _said(form: Form, path: tuple[str, ...], text: str) -> str:
    if text in _EXPECTED:
        return word("not-text", kind=_EXPECTED[text])
    if text != "Unknown field.":
        return text
    group = form.group(path[0]) if len(path) > 1 else None
    asks = group.asks if group else form.asks
    known = [ask.name for ask in asks] + ([] if group else [group.name for group in form.groups])
    return word("unknown-name", name=path[-1], known=", ".join(known))
