"""Locks and unlocks PDF and Word documents, checked before they are given back; passphrases and what is wrong with one's own.

Bytes in, bytes out. Nothing here reads or writes files, logs, or keeps a password. What a stranger
sent is to be unlocked inside `formsvc.parsers.sandbox.run_limited`.
"""

from typing import Final, Literal

from formsvc.errors import Refused
from formsvc.protection import locked_pdf, locked_word
from formsvc.protection.judgement import Weakness, check_usable, judge_password
from formsvc.protection.passphrases import new_passphrase

__all__ = ["Weakness", "check_usable", "judge_password", "kind_of", "lock", "new_passphrase", "unlock"]

_HEAD: Final = 1024  # viewers accept a PDF header this far into the file
_ZIP, _COMPOUND_FILE = b"PK\x03\x04", b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"

Kind = Literal["pdf", "word", "compound"]
"""PDF; Word document (.docx); compound file: what an encrypted Word document is, or one older than 2007."""


def kind_of(document: bytes) -> Kind:
    """What a document is by its first bytes; refuses what cannot be locked or unlocked."""
    if document.startswith(_ZIP):
        return "word"
    if document.startswith(_COMPOUND_FILE):
        return "compound"
    if b"%PDF-" in document[:_HEAD]:
        return "pdf"
    raise Refused("not-protectable" if document else "file-empty")


def lock(document: bytes, password: str) -> bytes:
    """The document, to be opened with this password only: PDF with AES-256 (revision 6), .docx with agile AES-256.

    Checked after writing: it opens with the password and has the same content, it refuses none,
    an empty and a wrong password, and its algorithm is the one meant. Whether the password is a
    good one is another question: `judge_password`.
    """
    check_usable(password)
    match kind_of(document):
        case "pdf":
            return locked_pdf.lock(document, password)
        case "word":
            return locked_word.lock(document, password)
        case "compound":
            raise Refused("already-protected" if locked_word.is_locked(document) else "not-protectable")


def unlock(document: bytes, password: str) -> bytes:
    """The document without its protection; takes files of other programs too, with any password they allow."""
    if not password:
        raise Refused("password-empty")
    match kind_of(document):
        case "pdf":
            return locked_pdf.unlock(document, password)
        case "word":
            raise Refused("not-protected")
        case "compound":
            return locked_word.unlock(document, password)
