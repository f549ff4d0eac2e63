"""Passphrases for people who tell them by telephone: random words, one spelling each, none that sounds like another."""

import math
import secrets
from functools import cache
from typing import Final

from formsvc.settings import PACKAGE

_LIST: Final = PACKAGE / "static" / "passphrases" / "words.txt"
"""6,016 words; where they come from and which were left out stands in the README beside it."""


@cache
def word_list() -> tuple[str, ...]:
    """The words, in lower-case ASCII letters."""
    return tuple(_LIST.read_text(encoding="ascii").split())


def new_passphrase(words: int = 6) -> str:
    """Random words joined by hyphens; six of them have 75 bits of entropy (12.55 each)."""
    return "-".join(secrets.choice(word_list()) for _ in range(words))


def entropy_bits(words: int = 6) -> float:
    """How many bits a guesser who knows the list has to try."""
    return words * math.log2(len(word_list()))
