"""Answers as they were found, and records as they were understood."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Literal

from formsvc.errors import word
from formsvc.model.form import FormId

Value = str | int | float | bool | list[str]
Row = dict[str, Value]
Values = Mapping[str, Value | list[Row]]
"""A record's values, JSON-shaped and sparse: what is empty, unticked or blank is left out."""

Box = tuple[float, float, float, float]
"""Left, bottom, right, top in PDF points; origin at the bottom left of the page."""

Source = Literal["posted", "acroform", "flattened", "scan"]
Severity = Literal["error", "warning"]
NO_BOX: Box = (0.0, 0.0, 0.0, 0.0)


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """One answer as found: text, or `on` for a marked box; page counts from 1, 0 if unknown."""

    raw: str
    confidence: float = 1.0
    page: int = 0
    box: Box = NO_BOX

    def __reduce__(self) -> tuple[Callable[..., "Answer"], tuple[object, ...]]:
        """Hundreds of them come back from each reading process; this way takes half the time of the usual one."""
        return _answer, (self.raw, self.confidence, self.page, self.box)


def _answer(raw: str, confidence: float, page: int, box: Box) -> Answer:
    return Answer(raw=raw, confidence=confidence, page=page, box=box)


@dataclass(frozen=True, slots=True, kw_only=True)
class Problem:
    """Something a person should look at. `field` is an answer key, or empty for the document."""

    code: str
    field: str
    severity: Severity
    message: str


def problem(code: str, field: str = "", severity: Severity = "warning", /, **facts: object) -> Problem:
    """A problem in the words of the one table."""
    return Problem(code=code, field=field, severity=severity, message=word(code, **facts))


@dataclass(frozen=True, slots=True, kw_only=True)
class Submission:
    """A document as it came back, before it is understood."""

    form: FormId
    document: str
    """The document id of its stamp; empty if the stamp is gone."""
    source: Source
    answers: Mapping[str, Answer]
    problems: tuple[Problem, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Record:
    """A document as understood."""

    form: FormId
    document: str
    values: Values
    problems: tuple[Problem, ...] = ()
