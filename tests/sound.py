"""The sound of an English word, roughly: words with one sound are easily taken for each other on the telephone."""

import re
from typing import Final

_LETTERS: Final = (
    (r"^kn", "n"), (r"^wr", "r"), (r"^ps", "s"), (r"^gn", "n"), (r"^wh", "w"), (r"^x", "s"),
    (r"mb(?=$|s$|ing$|er$)", "m"), (r"ght", "t"), (r"gh", ""), (r"ph", "f"), (r"tch", "ch"), (r"dge?", "j"),
    (r"sch", "sk"), (r"[cst]i(?=on|ous|al|an|en)", "S"), (r"ch|sh", "S"), (r"ck", "k"), (r"sc(?=[eiy])", "s"),
    (r"c(?=[eiy])", "s"), (r"c|q", "k"), (r"x", "ks"), (r"z", "s"), (r"g(?=[eiy])", "j"), (r"th", "T"), (r"ku(?=[aeiou])", "kw"), (r"(.)\1", r"\1"),
)
_VOWELS: Final = (
    (r"([aeiou])([^aeiouSTy])e(?=$|s$|d$|r$|rs$)", lambda found: found[1].upper() + found[2] + "e"),
    (r"ai|ay|ei|ey$", "A"), (r"ea|ee|ie", "E"), (r"oa|ow|oe", "O"), (r"oo|ew|ue|ui|ou", "U"), (r"au|aw", "o"), (r"y", "i"),
)
_ENDS: Final = (
    (r"^(?=.{4})(.*?)e?d$", r"\1d"), (r"^(?=.{4})(.*?)e?s$", r"\1"), (r"(ar|er|or|ir|ur|re|our)$", "R"), (r"(al|el|le|il|ol|ul)$", "L"),
    (r"(an|en|in|on|un|ing)$", "N"), (r"[iE]$", "i"), (r"e$", ""),
)
_VOICED: Final = str.maketrans("dbgvmzj", "tpkfnsS")
"""What a telephone makes hard to tell: d and t, b and p, g and k, v and f, m and n, z and s, j and ch."""


def sound(word: str) -> str:
    """The key of a word: silent letters dropped, spellings of one vowel together, voiced and voiceless consonants together."""
    for pattern, by in (*_LETTERS, *_VOWELS, *_ENDS):
        word = re.sub(pattern, by, word)
    return re.sub(r"(.)\1", r"\1", word.translate(_VOICED))
