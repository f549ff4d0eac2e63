"""Judges a password that somebody chose: whether it can be used at all, and how easily it would be guessed."""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cache
from typing import Final

from formsvc.errors import Refused, word
from formsvc.protection import personal_facts
from formsvc.protection.personal_facts import compact, unleeted
from formsvc.settings import PACKAGE

MOST_CHARACTERS: Final = 127
"""What PDF revision 6 takes into account, in bytes; the rest would be ignored without a word."""
_LEAST_CHARACTERS: Final = 12
_LEAST_WORDS: Final = 3
_LONG_WORDS: Final = 20
"""Letters only, fewer than three words, but this long: no longer short."""
_LEAST_REST: Final = 8
"""Characters that must be left when common words, runs and repetitions are taken away."""
_RUN: Final = 4
_ROWS: Final = (
    "qwertyuiop", "asdfghjkl", "zxcvbnm", "qwertzuiop", "yxcvbnm", "azertyuiop", "qsdfghjklm", "01234567890", "abcdefghijklmnopqrstuvwxyz",
    "1qaz2wsx3edc4rfv5tgb6yhn7ujm8ik9ol0p", "1q2w3e4r5t6y7u8i9o0p", "qawsedrftgyhujikolp",
)
_REPEATED: Final = re.compile(r"(.)\1{2,}|(.{3,}?)\2+|(.{2})\3{2,}")
_COMMON: Final = PACKAGE / "static" / "passphrases" / "common.txt"


@dataclass(frozen=True, slots=True, kw_only=True)
class Weakness:
    """Why a password would be guessed; `code` is a key of `errors.WORDING`, the message says what to do."""

    code: str
    message: str


def check_usable(password: str) -> None:
    """Refuse a password that some programs could not open: none, other characters than a keyboard's, too long."""
    if not password:
        raise Refused("password-empty")
    if not (password.isascii() and password.isprintable()):
        raise Refused("password-characters")
    if len(password) > MOST_CHARACTERS:
        raise Refused("password-too-long", "", count=len(password), most=MOST_CHARACTERS)


def judge_password(password: str, personal: Iterable[str] = ()) -> tuple[Weakness, ...]:
    """What is weak about it: short, common, a pattern, or about the people themselves; empty when nothing is.

    `personal` holds names, initials, dates (ISO 8601), telephone and case numbers of the case. Nothing
    of the password or of these is repeated in the messages.
    """
    return tuple(_weaknesses(password, tuple(personal)))


def _weaknesses(password: str, personal: tuple[str, ...]) -> Iterator[Weakness]:
    if not (password.isascii() and password.isprintable()):
        yield Weakness(code="password-characters", message=word("password-characters"))
    if _is_short(password):
        yield Weakness(code="password-short", message=word("password-short", least=_LEAST_CHARACTERS, words=_LEAST_WORDS))
    if _is_common(password):
        yield Weakness(code="password-common", message=word("password-common"))
    if _is_pattern(password):
        yield Weakness(code="password-pattern", message=word("password-pattern"))
    if found := personal_facts.found_in(password, personal):
        yield Weakness(code="password-personal", message=word("password-personal", what=found))


def _is_short(password: str) -> bool:
    if len(password) < _LEAST_CHARACTERS:
        return True
    words = re.findall(r"[A-Za-z]{2,}", password)
    only_words = not re.search(r"[^A-Za-z \-_.,]", password)
    return only_words and len(words) < _LEAST_WORDS and len(password) < _LONG_WORDS


def _is_common(password: str) -> bool:
    """Made of the words that everybody tries first, with little else."""
    for spelling in {compact(password), *unleeted(password)}:
        rest = _common().sub("", spelling)
        if rest != spelling and len(_without_patterns(rest)) < _LEAST_REST:
            return True
    return False


@cache
def _common() -> re.Pattern[str]:
    lines = _COMMON.read_text(encoding="ascii").splitlines()
    words = sorted((line for line in lines if line and not line.startswith("#")), key=len, reverse=True)
    return re.compile("|".join(words))


def _is_pattern(password: str) -> bool:
    spelling = password.casefold()
    rest = _without_patterns(spelling)
    return rest != spelling and len(rest) < _LEAST_REST


def _without_patterns(text: str) -> str:
    """What is left without keyboard runs, and with repetitions said once."""
    return _REPEATED.sub(lambda found: found[1] or found[2] or found[3], _runs().sub("", text))


@cache
def _runs() -> re.Pattern[str]:
    """Every stretch of four or more along a row, either way, the longest first."""
    runs = {
        row[start:end]
        for line in _ROWS for row in (line, line[::-1])
        for start in range(len(row)) for end in range(start + _RUN, len(row) + 1)
    }
    return re.compile("|".join(sorted(runs, key=len, reverse=True)))
