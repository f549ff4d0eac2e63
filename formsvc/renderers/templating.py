"""The Jinja of strangers: templates an agency edits run without Python, without endless output.

Loops are bounded by `range` and by the size of the data; repetition by an operator check; what a
template does in time and memory is bounded by the process it runs in (the service's business).
"""

from typing import Any, Final

import jinja2
from jinja2.exceptions import SecurityError
from jinja2.sandbox import ImmutableSandboxedEnvironment

_REPEAT_MOST: Final = 10_000  # characters or items that `*` may make
_RANGE_MOST: Final = 1000
_FILTERS: Final = ("capitalize", "d", "default", "e", "escape", "first", "join", "last", "length", "lower", "select", "sort", "title", "trim", "upper")
_TESTS: Final = ("defined", "undefined", "none", "odd", "even", "eq", "ne", "gt", "lt", "true", "false", "string", "number", "in")


def _bounded_range(*bounds: int) -> range:
    found = range(*bounds)
    if len(found) > _RANGE_MOST:
        raise SecurityError(f"range is limited to {_RANGE_MOST}")
    return found


class TemplateEnvironment(ImmutableSandboxedEnvironment):
    """A sandbox with escaping on, a short list of filters, and bounded operators."""

    intercepted_binops = frozenset(("*", "**", "%"))

    def __init__(self, *, markup: bool = True, **more: Any) -> None:
        """Every option is safe by default; an undefined name stops the template. What is not markup is not escaped."""
        super().__init__(autoescape=markup, undefined=jinja2.StrictUndefined, **more)
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
