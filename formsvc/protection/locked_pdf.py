"""PDF under AES-256, revision 6 (ISO 32000-2, 7.6): written and opened by qpdf, checked by the standard's own arithmetic."""

import io
import secrets
import unicodedata
from collections.abc import Callable, Iterator
from contextlib import suppress
from hashlib import sha256, sha384, sha512
from typing import Any, Final

import pikepdf
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from pikepdf import Array, Dictionary, Encryption, Name, ObjectStreamMode, Pdf, PdfError, Permissions, StreamDecodeLevel, String

from formsvc.errors import Refused

_OWNER_BYTES: Final = 32
_SALT: Final = slice(32, 40)  # of /U and /O: after the hash, before the salt of the key
_HASHES: Final[tuple[Callable[[bytes], Any], ...]] = (sha256, sha384, sha512)
_LEAST_ROUNDS: Final = 64


def lock(document: bytes, password: str) -> bytes:
    """The PDF under a password, checked; refuses one that is protected already or damaged."""
    with _opened_plain(document) as pdf:
        pdf.trailer.ID = _new_id()
        plain = _plain(pdf)
        allowed = _allowed(pdf)
        # Objects in streams: a tagged letter has a thousand small ones, and each would be encrypted by itself.
        locked = _saved(pdf, object_stream_mode=ObjectStreamMode.generate, encryption=Encryption(owner=secrets.token_urlsafe(_OWNER_BYTES), user=password, R=6, aes=True, metadata=True, allow=allowed))
    _check(locked, plain, password, allowed)
    return locked


def unlock(document: bytes, password: str) -> bytes:
    """The PDF without its protection; refuses a wrong password and what has no protection."""
    if not _is_protected(document):
        raise Refused("not-protected")
    with _opened(document, password) as pdf:
        return _saved(pdf, encryption=False)


def _new_id() -> Array:
    """A random identifier: the usual one is a digest of title, author and time, and would stand in the clear."""
    return Array([String(secrets.token_bytes(16)), String(secrets.token_bytes(16))])


def _allowed(pdf: Pdf) -> Permissions:
    """Printing well and reading aloud; filling in where there is a form; no copying, no changing."""
    form = pdf.Root.get(Name.AcroForm)
    is_form = isinstance(form, Dictionary) and len(form.get(Name.Fields, [])) > 0
    return Permissions(
        accessibility=True, print_lowres=True, print_highres=True, modify_form=is_form,
        extract=False, modify_annotation=False, modify_assembly=False, modify_other=False,
    )


def _saved(pdf: Pdf, **how: Any) -> bytes:
    out = io.BytesIO()
    try:
        pdf.save(out, static_id=True, **how)  # static: the identifier stays the one that `_new_id` gave
    except PdfError as problem:  # damage that only shows when everything is read
        raise Refused("damaged", "", detail="it cannot be written anew") from problem
    return out.getvalue()


def _plain(pdf: Pdf) -> bytes:
    """Every object of the document in one order: two documents are equal when these bytes are."""
    return _saved(pdf, encryption=False, force_version=("1.7", 8), object_stream_mode=ObjectStreamMode.disable, compress_streams=False, stream_decode_level=StreamDecodeLevel.generalized)


# ---------------------------------------------------------------- opening


def _opened_plain(document: bytes) -> Pdf:
    """The PDF if it has no protection yet, not even one that opens without a password."""
    try:
        pdf = _open(document, "")
    except pikepdf.PasswordError:
        raise Refused("already-protected") from None
    if pdf.is_encrypted:
        pdf.close()
        raise Refused("already-protected")
    if not len(pdf.pages):
        raise Refused("no-pages")
    return pdf


def _is_protected(document: bytes) -> bool:
    try:
        with _open(document, "") as pdf:
            return bool(pdf.is_encrypted)
    except pikepdf.PasswordError:
        return True


def _opened(document: bytes, password: str) -> Pdf:
    for spelling in _spellings(password):
        try:
            return _open(document, spelling)
        except pikepdf.PasswordError:
            continue
    raise Refused("password-wrong")


def _open(document: bytes, password: str | bytes) -> Pdf:
    try:
        return pikepdf.open(io.BytesIO(document), password=password, inherit_page_attributes=False)
    except pikepdf.PasswordError:
        raise
    except (pikepdf.PdfError, RuntimeError, ValueError) as problem:
        raise Refused("damaged", "", detail=type(problem).__name__) from problem


def _spellings(password: str) -> Iterator[str | bytes]:
    """How programs write letters beyond ASCII into a key: as UTF-8 (revision 5 and 6) or in an old code page."""
    yield password
    if password.isascii():
        return
    yield unicodedata.normalize("NFKC", password)
    for encoding in ("pdfdoc", "cp1252", "mac-roman"):  # pikepdf registers the first
        with suppress(UnicodeEncodeError):
            yield password.encode(encoding)


# ---------------------------------------------------------------- the check after writing


def _check(locked: bytes, plain: bytes, password: str, allowed: Permissions) -> None:
    """Refuse to give back what is not locked as meant."""
    try:
        with pikepdf.open(io.BytesIO(locked), password=password, inherit_page_attributes=False) as pdf:
            failed = next((what for what, held in _tests(pdf, plain, password, allowed) if not held), None)
    except (pikepdf.PdfError, pikepdf.PasswordError) as problem:
        raise Refused("protection-failed", "", detail="it does not open with its password") from problem
    if failed:
        raise Refused("protection-failed", "", detail=failed)


def _tests(pdf: Pdf, plain: bytes, password: str, allowed: Permissions) -> Iterator[tuple[str, bool]]:
    lock = pdf.trailer.Encrypt
    yield "its algorithm is not AES-256, revision 6", _is_aes256(lock)
    yield "its metadata is not encrypted", bool(lock.get(Name.EncryptMetadata, True))
    yield "its permissions are others", pdf.allow == allowed
    yield "another password is the right one", _opens(lock, password)
    yield "it opens with an empty password", not _opens(lock, "")
    yield "it opens with a wrong password", not _opens(lock, secrets.token_urlsafe(12))
    yield "its content changed", _plain(pdf) == plain


def _is_aes256(lock: Any) -> bool:
    """Streams, strings and attachments alike by 256-bit AES."""
    name = lock.StmF
    method = lock.CF.get(name, Dictionary())
    return bool(
        (lock.Filter, int(lock.V), int(lock.R), int(lock.Length)) == (Name.Standard, 5, 6, 256)
        and lock.StrF == name == lock.get(Name.EFF, name) != Name.Identity
        and method.get(Name.CFM) == Name.AESV3
    )


def _opens(lock: Any, password: str) -> bool:
    """Whether the password is the user's or the owner's (algorithms 11 and 12), computed without qpdf."""
    user, owner, given = bytes(lock.U)[:48], bytes(lock.O)[:48], password.encode("utf-8")
    return _hash(given, user[_SALT]) == user[:32] or _hash(given, owner[_SALT], user) == owner[:32]


def _hash(password: bytes, salt: bytes, user: bytes = b"") -> bytes:
    """Algorithm 2.B."""
    key, rounds, last = sha256(password + salt + user).digest(), 0, 0
    while rounds < _LEAST_ROUNDS or last > rounds - 32:
        encryptor = Cipher(algorithms.AES(key[:16]), modes.CBC(key[16:32])).encryptor()
        block = encryptor.update((password + key + user) * 64)
        key = _HASHES[sum(block[:16]) % 3](block).digest()
        rounds, last = rounds + 1, block[-1]
    return key[:32]
