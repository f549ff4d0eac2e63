"""The Jinja of strangers: templates an agency edits run without Python, without endless output.

Loops are bounded by `range` and by the size of the data; repetition by an operator check; the output by
what data and template can need; what a template does in time and memory is bounded by the process it
runs in (the service's business).
"""

import marshal
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final, cast

import jinja2
from jinja2.exceptions import SecurityError
from jinja2.sandbox import ImmutableSandboxedEnvironment

from formsvc.errors import Refused

_REPEAT_MOST: Final = 10_000  # characters or items that `*` may make
_RANGE_MOST: Final = 1000
_WORD: Final = re.compile(r"\{\{\s*(\w+(?:\.\w+)*)\s*\}\}")
_FILTERS: Final = ("capitalize", "d", "default", "e", "escape", "first", "join", "last", "length", "lower", "select", "sort", "title", "trim", "upper")
_TESTS: Final = ("defined", "undefined", "none", "odd", "even", "eq", "ne", "gt", "lt", "true", "false", "string", "number", "in")


def _bounded_range(*bounds: int) -> range:
    found = range(*bounds)
    if len(found) > _RANGE_MOST:
        raise SecurityError(f"range is limited to {_RANGE_MOST}")
    return found


class _Bounded(jinja2.Template):
    """A template that stops when it has written more than its environment allows."""

    def render(self, *arguments: Any, **named: Any) -> str:
        pieces, left = [], cast("TemplateEnvironment", self.environment).most
        for piece in self.generate(*arguments, **named):
            left -= len(piece)
            if left < 0:
                raise SecurityError("the letter becomes far longer than what goes into it")
            pieces.append(piece)
        return "".join(pieces)


def most_output(template: int, context: Mapping[str, Any]) -> int:
    """How many characters a template of so many may write: each value several times, each row with its markup."""
    return 100_000 + 3 * template + 60 * _size(context)


def _size(value: object) -> int:
    """Characters in all texts of a value."""
    if isinstance(value, str):
        return len(value)
    inner = value.values() if isinstance(value, Mapping) else value if isinstance(value, list | tuple) else ()
    return sum(_size(one) for one in inner)


def fill_words(source: str, context: Mapping[str, Any], place: str) -> str:
    """A line of text with its placeholders filled: names only, no Jinja, nothing escaped; refuses any other brace tag."""
    def said(found: re.Match[str]) -> str:
        value: Any = context
        for step in found[1].split("."):
            if not isinstance(value, Mapping) or step not in value:
                raise Refused("letter-fault", place, detail=f"“{found[0]}” is not known")
            value = value[step]
        return str(value)

    if rest := re.search(r"\{[{%#].{0,40}|[}%#]\}", _WORD.sub("", source)):
        raise Refused("letter-fault", place, detail=f"“{rest[0]}” is no plain placeholder")
    return _WORD.sub(said, source)


class TemplateEnvironment(ImmutableSandboxedEnvironment):
    """A sandbox with escaping on, a short list of filters, and bounded operators."""

    intercepted_binops = frozenset(("*", "**", "%"))

    template_class = _Bounded

    def __init__(self, *, most: int = 100_000, **more: Any) -> None:
        """Every option is safe by default; an undefined name stops the template, and so do more than `most` characters."""
        super().__init__(autoescape=True, undefined=jinja2.StrictUndefined, **more)
        self.most = most
        self.filters = {name: self.filters[name] for name in _FILTERS}
        self.tests = {name: self.tests[name] for name in _TESTS}
        self.globals = {"range": _bounded_range}

    def call_binop(self, context: jinja2.runtime.Context, operator: str, left: Any, right: Any) -> Any:
        """Refuse powers, and repetition that only fills memory."""
        if operator == "**":
            raise SecurityError("powers are not needed in a letter")
        sizes = [len(side) for side in (left, right) if isinstance(side, str | list | tuple)]
        counts = [side for side in (left, right) if isinstance(side, int)]
        if operator == "*" and sizes and counts and sizes[0] * counts[0] > _REPEAT_MOST:
            raise SecurityError(f"repetition is limited to {_REPEAT_MOST} characters")
        return super().call_binop(context, operator, left, right)


@dataclass(frozen=True, slots=True)
class Prepared:
    """A template that is compiled once and rendered often; `code` is empty where the text is no template."""

    source: str
    code: bytes

    def render(self, environment: TemplateEnvironment, context: Mapping[str, Any]) -> str:
        """The text with its values; a template that could not be compiled now says why."""
        if not self.code:
            return environment.from_string(self.source).render(context)
        code = marshal.loads(self.code)  # noqa: S302  (made by `prepare`, in this program)
        return environment.template_class.from_code(environment, code, environment.make_globals(None)).render(context)


def prepare(source: str) -> Prepared:
    """A template in the form that is kept; nothing of it is computed yet, however much that would be."""
    try:
        return Prepared(source, marshal.dumps(TemplateEnvironment(optimized=False).compile(source)))
    except jinja2.TemplateError:
        return Prepared(source, b"")
