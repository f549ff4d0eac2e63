"""What a field makes possible: whether a reading fits its kind, and which of the expected texts it must be."""

from collections.abc import Sequence
from typing import Final

from formsvc.model.kinds import Choice, Choices, Day, Kind, Month, Number, Time
from formsvc.model.values import Misread, forbidden_characters, plain, read_value

_ALIKE: Final = str.maketrans({"0": "o", "1": "l", "i": "l", "|": "l", "!": "l", "j": "l", "5": "s", "$": "s", "8": "b", "2": "z", "6": "g", "9": "g"})
_POINTS: Final = str.maketrans(",:;", "...")
_SHORT: Final = 4


def fits(kind: Kind, text: str) -> bool:
    """Whether a reading can be an answer of that kind at all."""
    value = read_value(kind, text)
    return value is not None and not isinstance(value, Misread) and not forbidden_characters(text)


def same(first: str, second: str) -> bool:
    """Whether two readings have the same letters; how they are spaced does not count."""
    return "".join(first.split()) == "".join(second.split())


def alike(first: str, second: str) -> bool:
    """Whether two readings differ only in letters and signs that engines mistake for each other."""
    return _drawn_alike(first) == _drawn_alike(second) != ""


def _drawn_alike(text: str) -> str:
    return "".join(plain(text).split()).translate(_ALIKE).replace("rn", "m").translate(_POINTS)


def expected_of(kind: Kind, expected: Sequence[str]) -> tuple[str, ...]:
    """What may stand in a field: what the caller expects, and the labels of a list."""
    labels = (label for option in kind.options for label in (option.label.en, option.label.es)) if isinstance(kind, Choice | Choices) else ()
    return tuple(dict.fromkeys((*expected, *labels)))


def snap(kind: Kind, readings: Sequence[str], expected: Sequence[str]) -> str | None:
    """The expected text that all these readings are, if there is exactly one.

    Letters that engines mistake for each other are the same here, in words. A date or number is never
    drawn to another one: its digits are all it says.
    """
    if not expected or not readings or isinstance(kind, Day | Time | Month | Number):
        return None
    labels = isinstance(kind, Choice | Choices)
    found = [text for text in dict.fromkeys(expected) if all(_is_near(reading, text, loose=labels) for reading in readings)]
    return found[0] if len(found) == 1 else None


def _is_near(reading: str, wanted: str, *, loose: bool) -> bool:
    first, second = _key(reading), _key(wanted)
    if first == second:
        return bool(first)
    if loose:
        return distance(first, second) <= len(second) // 5
    return False


def _key(text: str) -> str:
    """A text as engines may mistake it: no case, accents, spaces or signs; look-alikes are one letter."""
    bare = "".join(letter for letter in plain(text) if letter.isalnum() or letter in "|!$")
    return bare.translate(_ALIKE).replace("rn", "m")


def distance(first: str, second: str) -> int:
    """Letters to put in, take out or change to make one text the other."""
    before = list(range(len(second) + 1))
    for i, letter in enumerate(first, start=1):
        now = [i]
        for j, other in enumerate(second, start=1):
            now.append(min(before[j] + 1, now[-1] + 1, before[j - 1] + (letter != other)))
        before = now
    return before[-1]
