"""Every sentence of `errors.WORDING` in Spanish. Problems are kept in English; a page says them in Spanish.

The words stand in `translations/es/problems.toml`, for whoever translates; here is only how they are found.
"""

import re
import tomllib
from collections.abc import Iterator, Mapping
from functools import cache
from string import Formatter
from typing import Any, Final

from formsvc.errors import WORDING, Wording
from formsvc.settings import PACKAGE

_TABLE: Final[Mapping[str, Any]] = tomllib.loads((PACKAGE / "translations" / "es" / "problems.toml").read_text(encoding="utf-8"))
SPANISH: Final[Mapping[str, Wording]] = {code: Wording(*texts) for code, texts in _TABLE["problems"].items()}
"""The Spanish wording of each code."""
FACTS: Final[Mapping[str, Mapping[str, str]]] = _TABLE["facts"]
"""Words of our own that fill a sentence, by the name of the fact."""
_HOLDERS: Final = frozenset({"detail", "reasons"})
"""Facts that may be sentences of the table themselves."""
_JOINTS: Final = re.compile(r"(; |(?<=\.) (?=The password ))")
_MOST_PARTS: Final = 50


def in_spanish(message: str, code: str = "") -> str:
    """The same sentence in Spanish, its place before it and its facts in it; what is not of the table stays as it is."""
    for known in _likely(message, code):
        if found := _pattern(known).fullmatch(message):
            return _spoken(known, found, {name: _said(name, text) for name, text in found.groupdict().items()})
    return message


# ---------------------------------------------------------------- found


def _likely(message: str, code: str = "") -> Iterator[str]:
    """The code that is named, then every code whose longest words stand in the message, the most telling first."""
    if code in SPANISH and code in WORDING:
        yield code
    yield from (known for words, known in _longest_words() if words in message and known != code)


@cache
def _longest_words() -> tuple[tuple[str, str], ...]:
    """What each sentence has between its facts at its longest; its first letter may be small or capital, so it is left out."""
    return tuple(sorted(((max(_parted(WORDING[code])[0], key=len)[1:], code) for code in SPANISH if code in WORDING), key=lambda pair: -len(pair[0])))


def _parted(wording: Wording) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """The words of a sentence between its facts, and the facts' names: always one fewer."""
    literals, names = [""], []
    for literal, name, _, _ in Formatter().parse(_whole(wording)):
        literals[-1] += literal
        if name:
            names.append(name)
            literals.append("")
    return tuple(literals), tuple(names)


def _whole(wording: Wording) -> str:
    return f"{wording.problem}. {wording.remedy.removesuffix('.')}"


@cache
def _pattern(code: str) -> re.Pattern[str]:
    """What a sentence of that code looks like in English: its place, its facts as groups, its full stop.

    Place and facts end where the next words of the table first stand, and are never tried longer (`(?>...)`): a
    message that holds what a stranger wrote is searched in a time that grows with its length only.
    """
    (first, *rest), names = _parted(WORDING[code])
    literals = [re.escape(literal) for literal in rest]
    if first or not names or not _parted(SPANISH[code])[0][0]:
        begin = rf"(?>(?P<place_>(?:.*?: )??)(?=(?P<start_>.))(?i:{re.escape(first[:1])}){re.escape(first[1:])})"
    else:  # a fact begins the sentence in English and not in Spanish: it has no colon, so that its place is known
        begin = rf"(?>(?P<place_>(?:.*: )?)(?=(?P<start_>.))(?P<{names[0]}>(?:(?!: ).)*?){literals[0]})"
        names, literals = names[1:], literals[1:]
    facts = [_fact(name, literal, seen=name in names[:number], last=number == len(names) - 1) for number, (name, literal) in enumerate(zip(names, literals, strict=True))]
    return re.compile(rf"{begin}{''.join(facts)}(?P<end_>\.?)", re.DOTALL)


def _fact(name: str, literal: str, *, seen: bool, last: bool) -> str:
    """A fact and the words after it."""
    if seen:
        return f"(?P={name}){literal}"
    return f"(?P<{name}>.*){literal}" if last else f"(?>(?P<{name}>.*?){literal})"


# ---------------------------------------------------------------- said


def _spoken(code: str, found: re.Match[str], facts: Mapping[str, str]) -> str:
    """The Spanish sentence for what was found."""
    text = _whole(SPANISH[code]).format_map(facts)
    start = text[:1] if found["start_"].islower() else text[:1].upper()
    return f"{found['place_']}{start}{text[1:]}{found['end_']}"


def _said(name: str, text: str) -> str:
    """A fact in Spanish, if it is words of our own."""
    known = FACTS.get(name, {})
    if whole := known.get(text) or known.get(text[:1].lower() + text[1:]):
        return whole
    parts = re.split(r"(, )", text)
    if all(part in known or part == ", " for part in parts):
        return "".join(known.get(part, part) for part in parts)
    return _sentences(text) if name in _HOLDERS else text


def _sentences(text: str) -> str:
    """Sentences of the table that stand one after the other; the shortest that is whole comes first."""
    parts, told, start = _JOINTS.split(text), [], 0
    while start < len(parts) <= _MOST_PARTS:
        tries = ((end, _plainly("".join(parts[start:end]))) for end in range(start + 1, len(parts) + 1, 2))
        end, said = next(((end, said) for end, said in tries if said), (start + 1, parts[start]))
        told += [said, *parts[end : end + 1]]
        start = end + 1
    return "".join(told) or text


def _plainly(text: str) -> str:
    """A sentence in Spanish whose facts stay as they are but for single words; empty if it is not of the table."""
    for known in _likely(text):
        if found := _pattern(known).fullmatch(text):
            return _spoken(known, found, {name: FACTS.get(name, {}).get(fact, fact) for name, fact in found.groupdict().items()})
    return ""
