"""The closed set of kinds a question can have.

A face of a question (PDF slot, HTML input, marshmallow field, spelling) is one function with one
`match` over these, so that mypy names each face that lacks a new kind.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final, Literal

Lang = Literal["en", "es"]
LANGS: Final[tuple[Lang, ...]] = ("en", "es")


@dataclass(frozen=True, slots=True, kw_only=True)
class Words:
    """The same words in every language the forms are printed in."""

    en: str
    es: str

    def said(self, lang: Lang) -> str:
        """The words in one language."""
        return self.es if lang == "es" else self.en


@dataclass(frozen=True, slots=True, kw_only=True)
class Option:
    """One choice: the code that is stored and the label that is shown."""

    code: str
    label: Words


@dataclass(frozen=True, slots=True, kw_only=True)
class Text:
    """One line of text, at most `limit` characters."""

    limit: int = 200


@dataclass(frozen=True, slots=True, kw_only=True)
class LongText:
    """Paragraphs, at most `limit` characters; what does not fit its box is continued."""

    limit: int = 20_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Number:
    """A number between `least` and `most` with up to `decimals` places."""

    least: int = 0
    most: int = 1_000_000
    decimals: int = 0


@dataclass(frozen=True, slots=True)
class Day:
    """A calendar day, stored as YYYY-MM-DD."""


@dataclass(frozen=True, slots=True)
class Time:
    """A time of day, stored as HH:MM."""


@dataclass(frozen=True, slots=True)
class Month:
    """A calendar month, stored as YYYY-MM."""


@dataclass(frozen=True, slots=True)
class Tick:
    """A box that is ticked or not."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Choice:
    """One of several options; shown as a list, or as `boxes` of which one is marked."""

    options: tuple[Option, ...]
    boxes: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Choices:
    """Any number of the options, each a box of its own."""

    options: tuple[Option, ...]


@dataclass(frozen=True, slots=True)
class Signature:
    """A place to sign: ink on paper, or a typed signature on screen."""


@dataclass(frozen=True, slots=True)
class Stamp:
    """A machine-readable mark that says which page of which document this is."""


Kind = Text | LongText | Number | Day | Time | Month | Tick | Choice | Choices | Signature | Stamp


def is_box(kind: Kind) -> bool:
    """Whether its slots are boxes to tick rather than places to write."""
    exact = type(kind)  # isinstance with a union costs several times as much, and reading asks this for every field
    return exact is Tick or exact is Choices or (isinstance(kind, Choice) and kind.boxes)


def find_option(options: Iterable[Option], code: str) -> Option | None:
    """The option with that code."""
    return next((option for option in options if option.code == code), None)
