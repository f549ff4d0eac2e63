"""What is known of a paper before it is read, and what one page of it gives."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

import numpy as np
from numpy.typing import NDArray

from formsvc.model.form import Form
from formsvc.model.interpret import answer_texts
from formsvc.model.kinds import Choice, Lang, is_box
from formsvc.model.layout import Layout
from formsvc.model.record import Answer, Problem, Values
from formsvc.model.values import ON, write_value

EMPTY, MARKED, VOID = 0, 1, 2
"""What a box is; void is filled in or crossed out."""
BOX_HIGH, BOX_WIDE = 75, 133
"""Pixels of a box's picture at 200 dpi."""
BOX_AROUND: Final = (slice(14, 61), slice(18, 64))
"""Of such a picture: the box and 3.6 points around it."""


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class BoxPicture:
    """A box as the reader of ticks looks at it, beside the blank's, and what it took it for."""

    crop: NDArray[np.uint8]
    blank: NDArray[np.uint8]
    seen: int


@dataclass(frozen=True, kw_only=True)
class Known:
    """A document as it was issued: how it is laid out, and what was printed on it (None: that is not known)."""

    form: Form
    lang: Lang
    layout: Layout
    document: str
    values: Values | None = None
    issued: bytes = b""
    """The document as PDF; empty if it is not at hand."""
    pictured: frozenset[str] = frozenset()
    """The boxes of which pictures are wanted beside their answers."""

    def printed(self) -> Mapping[str, str]:
        """What stood on the paper when it was issued, by key, as it is shown."""
        if self.values is None:
            return {}
        return {place.key: ON if is_box(place.ask.kind) else write_value(place.ask.kind, value, self.lang) for place, value in answer_texts(self.form, self.values)}


def stored(known: Known, key: str, shown: str) -> str:
    """What a field holds that shows this: the code of a chosen option."""
    place = known.form.find(key)
    if place is not None and isinstance(place.ask.kind, Choice):
        options = place.ask.kind.options
        return next((option.code for option in options if shown in (option.label.en, option.label.es)), shown)
    return shown


@dataclass(slots=True, kw_only=True)
class PageRead:
    """One page of a document, read from a page of a file."""

    document: str
    page: int
    file_page: int
    source: str
    """flattened or scan."""
    sealed: bool = True
    answers: dict[str, Answer] = field(default_factory=dict)
    problems: list[Problem] = field(default_factory=list)
    rests: list[tuple[str, int, str]] = field(default_factory=list)
    """Continued answers on an added page: heading, the page they come from, their text."""
    pictures: dict[str, BoxPicture] = field(default_factory=dict)
    """The boxes of which pictures were wanted."""
    cut: dict[str, int] = field(default_factory=dict)
    """Answers that go on elsewhere, with the page their mark names."""
    total: int = 0
    """How many pages the document has, as the page prints it; 0 if that was not read."""
    error: float = 0.0
    """How exactly the page was found, in pixels at 200 dpi."""
