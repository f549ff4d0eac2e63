"""The page stamp: which page of which document this is, in 22 to 38 upper-case characters.

    F + document (10) + form code (1) + version (2) + page (2) + laid (0-16) + seal (6)      all Crockford base32

`laid` tells the language and how many rows each group has (`formsvc.model.layout.laid_code`), so that paper
can be read without knowing anything else about it. The seal is a truncated HMAC over the rest, so a stamp
made elsewhere is noticed. It carries no personal data. In words, a document id gets a check character
(Crockford's modulo 37).
"""

import hashlib
import hmac
import secrets
from dataclasses import dataclass
from typing import Final

ALPHABET: Final = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
_CHECKS: Final = ALPHABET + "*~$=U"
_LOOKALIKES: Final = str.maketrans("OIL", "011")
_DOCUMENT, _VERSION, _PAGE, _SEAL = 10, 2, 2, 6
LENGTH: Final = 1 + _DOCUMENT + 1 + _VERSION + _PAGE + _SEAL
LAID_MOST: Final = 16
"""So many more characters fit a QR code of 25 modules at level M."""


NAMESPACE: Final = "urn:formsvc:1"
"""The XML namespace of a document's identity in its metadata."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Stamp:
    """A document's identity, which `stamp_text` puts on each page."""

    document: str
    code: str
    version: int
    laid: str = ""
    """Language and row counts, as `layout.laid_code` spells them; empty on papers that do not tell."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Read:
    """A stamp as read from one page; `sealed` if its seal was made with our key."""

    stamp: Stamp
    page: int
    sealed: bool


def new_document() -> str:
    """A fresh document id: 50 random bits, no personal data."""
    return "".join(secrets.choice(ALPHABET) for _ in range(_DOCUMENT))


def is_document(text: str) -> bool:
    """Whether this is a document id as we write them."""
    return len(text) == _DOCUMENT and set(text) <= set(ALPHABET)


def base32(value: int, length: int) -> str:
    """A number in so many Crockford digits."""
    digits = ""
    for _ in range(length):
        value, digit = divmod(value, 32)
        digits = ALPHABET[digit] + digits
    return digits


def _seal(text: str, key: bytes) -> str:
    mac = hmac.digest(key, b"stamp:" + text.encode("ascii"), "sha256")
    return base32(int.from_bytes(mac[:4], "big"), _SEAL)


def stamp_text(stamp: Stamp, page: int, key: bytes) -> str:
    """The text of one page's codes; pages count from 1."""
    text = f"F{stamp.document}{stamp.code}{base32(stamp.version, _VERSION)}{base32(page, _PAGE)}{stamp.laid}"
    return text + _seal(text, key)


def read_stamp(text: str, key: bytes) -> Read | None:
    """A stamp text understood, or None if it is not one of ours."""
    text = text.strip().upper()
    if not LENGTH <= len(text) <= LENGTH + LAID_MOST or text[0] != "F" or not set(text) <= set(ALPHABET):
        return None
    document, code, version, page, laid = text[1:11], text[11], text[12:14], text[14:16], text[16:-_SEAL]
    sealed = hmac.compare_digest(_seal(text[:-_SEAL], key), text[-_SEAL:])
    stamp = Stamp(document=document, code=code, version=base32_value(version), laid=laid)
    return Read(stamp=stamp, page=base32_value(page), sealed=sealed)


def base32_value(text: str) -> int:
    """The number that Crockford digits spell."""
    total = 0
    for character in text:
        total = total * 32 + ALPHABET.index(character)
    return total


def in_words(document: str) -> str:
    """A document id as it is printed, with its check character: K7QF2-M9XDA-T."""
    return f"{document[:5]}-{document[5:]}-{_CHECKS[base32_value(document) % 37]}"


def from_words(words: str) -> str | None:
    """The document id of what a person typed, or None if its check character does not fit."""
    text = words.upper().replace("-", "").replace(" ", "").translate(_LOOKALIKES)
    if len(text) != _DOCUMENT + 1:
        return None
    document = text[:-1]
    fits = is_document(document) and _CHECKS[base32_value(document) % 37] == text[-1]
    return document if fits else None


def value_seal(key: bytes, document: str, name: str, value: str) -> str:
    """The seal of a value printed by us: 6 bytes of keyed BLAKE2b, so that a change is noticed."""
    message = f"{document}\0{name}\0{value}".encode("utf-8", "surrogatepass")
    return hashlib.blake2b(message, key=key[:64], digest_size=6).hexdigest()
