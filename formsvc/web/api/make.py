"""The fields of the API's schemas: of answers, which always have them all, and of requests."""

import re
from typing import Any, Final

from marshmallow import ValidationError, fields, validate

from formsvc.web.access import MOST

MONTH: Final = r"^20[0-9]{2}-(0[1-9]|1[0-2])$"
MONTH_EXAMPLE: Final = "2026-11"
_PLAIN: Final = r"^[^\u0000-\u001f\u007f-\u009f]*$"
_NUMBER: Final = r"^(0|[1-9][0-9]{0,9})$"
_AT: Final = "2026-11-12T17:03:20+00:00"


class Like(validate.Validator):
    """Text that is wholly like a pattern: nothing stands after it, no line break either."""

    def __init__(self, pattern: str, error: str = "This is not like {pattern}.") -> None:
        """Know the pattern; the document tells it by this name."""
        self.regex, self._error = re.compile(pattern), error

    def __call__(self, value: Any) -> Any:
        """Refuse what is not."""
        if self.regex.fullmatch(str(value)) is None:
            raise ValidationError(self._error.replace("{pattern}", self.regex.pattern))
        return value


def nothing() -> None:
    """What is not given; as a function it is no default that the document tells of."""


def text(example: Any, words: str = "", *, null: bool = False, **more: Any) -> fields.String:
    """A text that an answer always has."""
    return fields.String(required=True, allow_none=null, metadata={"example": example, **({"description": words} if words else {}), **more})


def number(example: int, words: str = "", *, null: bool = False) -> fields.Integer:
    """A whole number that an answer always has."""
    return fields.Integer(required=True, allow_none=null, metadata={"example": example, **({"description": words} if words else {})})


def flag(words: str, *, example: bool = False) -> fields.Boolean:
    """Yes or no."""
    return fields.Boolean(required=True, metadata={"description": words, "example": example})


def moment(words: str, *, null: bool = False) -> fields.String:
    """A moment in UTC."""
    return text(_AT, words, null=null, format="date-time")


def day(words: str, *, null: bool = False) -> fields.Raw:
    """A calendar day."""
    return fields.Raw(required=True, allow_none=null, metadata={"type": "string", "format": "date", "description": words, "example": "2026-12-01"})


def several(inner: fields.Field[Any], words: str = "") -> fields.List[Any]:
    """A list that an answer always has."""
    return fields.List(inner, required=True, metadata={"description": words} if words else {})


def one_of(known: tuple[str, ...], words: str, *, required: bool = False, default: Any = None) -> fields.String:
    """One of a few words, in a request."""
    given: dict[str, Any] = {} if required else {"load_default": default or nothing, "allow_none": default is None}
    return fields.String(required=required, validate=validate.OneOf(known), metadata={"description": words, "example": default or known[0]}, **given)


def month(*, required: bool = False) -> fields.String:
    """A month, in a request."""
    given: dict[str, Any] = {} if required else {"load_default": nothing}
    return fields.String(required=required, validate=Like(MONTH), metadata={"description": "A month, YYYY-MM.", "example": MONTH_EXAMPLE}, **given)


def line(words: str, example: Any, most: int = 300, *, required: bool = False) -> fields.String:
    """A line of text, in a request."""
    given: dict[str, Any] = {} if required else {"load_default": nothing, "allow_none": True}
    return fields.String(required=required, validate=[validate.Length(min=1, max=most), Like(_PLAIN)], metadata={"description": words, "example": example}, **given)


class Whole(fields.Integer):
    """A whole number in an address: digits, and nothing that only counts as digits."""

    def _deserialize(self, value: Any, attr: str | None, data: Any, **more: Any) -> Any:
        Like(_NUMBER, error="Not a valid integer.")(value)
        return super()._deserialize(value, attr, data, **more)


def whole(words: str, least: int = 0, most: int = MOST, default: Any = None) -> fields.Integer:
    """A whole number in an address, that may be left out."""
    return Whole(load_default=nothing if default is None else default, validate=validate.Range(least, most), metadata={"description": words})


def place_after(pattern: str) -> fields.String:
    """Where a page begins."""
    return fields.String(load_default=nothing, validate=Like(pattern), metadata={"description": "Where to go on: the `next` of the page before, as it is."})


class Exactly(fields.Boolean):
    """True or false; the numbers 1 and 0 are neither, however Python compares them."""

    def _deserialize(self, value: Any, attr: str | None, data: Any, **more: Any) -> bool:
        if not isinstance(value, bool):
            raise self.make_error("invalid", input=value)
        return super()._deserialize(value, attr, data, **more)


def yes_no(words: str, *, default: bool | None = None) -> fields.Boolean:
    """`true` or `false` in an address."""
    return fields.Boolean(load_default=nothing if default is None else default, truthy={"true"}, falsy={"false"}, metadata={"description": words})
