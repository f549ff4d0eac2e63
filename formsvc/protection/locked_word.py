"""Word documents under agile encryption ([MS-OFFCRYPTO] 2.3.4.10): AES-256, SHA-512, by msoffcrypto-tool.

Its own `encrypt` draws 16 random bytes for the 32-byte key and fills the rest with 0x36 (6.1.0):
AES-256 in name, 128 bits in fact. Here all 32 are random, and the check after writing says so.
"""

import io
import secrets
import struct
import zipfile
from collections.abc import Iterator
from typing import Any, Final
from xml.parsers.expat import ExpatError

import olefile
from msoffcrypto.exceptions import DecryptionError, FileFormatError, InvalidKeyError
from msoffcrypto.format.ooxml import OOXMLFile
from msoffcrypto.method.container.ecma376_encrypted import ECMA376Encrypted
from msoffcrypto.method.ecma376_agile import ECMA376Agile, ECMA376AgileEncryptionInfo

from formsvc.errors import Refused

_KEY_BYTES: Final = 32
_LEAST_PACKAGE: Final = 8 + 4096 + 16
"""Bytes of the encrypted stream: shorter ones (up to 4,096) come out broken from msoffcrypto's container. What is added lies behind the stated length."""
_LEAST_SPINS: Final = 100_000
_AGILE: Final = struct.pack("<HHI", 4, 4, 0x40)
_AES256: Final = ('cipherAlgorithm="AES"', 'cipherChaining="ChainingModeCBC"', 'keyBits="256"', 'hashAlgorithm="SHA512"')
_PARTS: Final = frozenset({"[Content_Types].xml", "word/document.xml"})
_BROKEN: Final = (DecryptionError, FileFormatError, ExpatError, zipfile.BadZipFile, struct.error, OSError, ValueError, LookupError, TypeError, AttributeError)
"""What msoffcrypto and olefile raise at damaged files."""


def lock(document: bytes, password: str) -> bytes:
    """The Word document under a password, checked; refuses other kinds of ZIP."""
    _check_word(document)
    locked = _encrypted(document, password)
    _check(locked, document, password)
    return locked


def unlock(document: bytes, password: str) -> bytes:
    """The Word document without its protection; refuses a wrong password and what has no protection."""
    if not is_locked(document):
        raise Refused("not-protected")
    try:
        plain, _ = _decrypted(document, password)
    except InvalidKeyError:
        raise Refused("password-wrong") from None
    except _BROKEN as problem:
        raise Refused("damaged-word", "", detail=type(problem).__name__) from problem
    return plain


def is_locked(document: bytes) -> bool:
    """Whether a compound file holds an encrypted document."""
    try:
        with olefile.OleFileIO(io.BytesIO(document)) as compound:
            return bool(compound.exists("EncryptionInfo") and compound.exists("EncryptedPackage"))
    except _BROKEN:
        return False


def _check_word(document: bytes) -> None:
    try:
        with zipfile.ZipFile(io.BytesIO(document)) as parts:
            names = set(parts.namelist())
    except (zipfile.BadZipFile, ValueError, NotImplementedError) as problem:
        raise Refused("damaged-word", "", detail=type(problem).__name__) from problem
    if not names >= _PARTS:
        raise Refused("not-protectable")


def _encrypted(document: bytes, password: str) -> bytes:
    info, _ = ECMA376Agile.generate_encryption_parameters(password)
    key = _new_key(info, password)
    package = ECMA376Agile.encrypt_payload(io.BytesIO(document), info.keyData, key, info.keyData.saltValue)
    package += secrets.token_bytes(max(0, _LEAST_PACKAGE - len(package)))
    out = io.BytesIO()
    ECMA376Encrypted(package, ECMA376Agile.get_encryption_information(info, package, key)).write_to(out)
    return out.getvalue()


def _new_key(info: ECMA376AgileEncryptionInfo, password: str) -> bytes:
    """A key of 32 random bytes: what a random cipher text happens to decrypt to under the password."""
    wrapped, lock = secrets.token_bytes(_KEY_BYTES), info.encryptedKey
    info.encryptedKeyValue = wrapped
    return bytes(ECMA376Agile.makekey_from_password(password, lock.saltValue, lock.hashName, wrapped, info.spinCount, lock.keyBits))


def _decrypted(document: bytes, password: str) -> tuple[bytes, bytes]:
    """The package and its key; raises msoffcrypto's exceptions."""
    file, out = OOXMLFile(io.BytesIO(document)), io.BytesIO()
    file.load_key(password=password, verify_password=True)
    file.decrypt(out, verify_integrity=file.type == "agile")  # the older “standard” kind has no integrity value
    return out.getvalue(), bytes(file.secret_key)


# ---------------------------------------------------------------- the check after writing


def _check(locked: bytes, document: bytes, password: str) -> None:
    """Refuse to give back what is not locked as meant."""
    try:
        plain, key = _decrypted(locked, password)
        failed = next((what for what, held in _tests(locked, document, plain, key) if not held), None)
    except (InvalidKeyError, *_BROKEN) as problem:
        raise Refused("protection-failed", "", detail="it does not open with its password") from problem
    if failed:
        raise Refused("protection-failed", "", detail=failed)


def _tests(locked: bytes, document: bytes, plain: bytes, key: bytes) -> Iterator[tuple[str, bool]]:
    with olefile.OleFileIO(io.BytesIO(locked)) as compound:
        head = compound.openstream("EncryptionInfo").read()
    yield "its algorithm is not agile AES-256 with SHA-512", _is_aes256(head)
    yield "its key has fewer than 256 random bits", len(key) == _KEY_BYTES and len(set(key[_KEY_BYTES // 2 :])) > 1
    yield "its content changed", plain == document
    info = OOXMLFile(io.BytesIO(locked)).info
    yield "it opens with an empty password", not _opens(info, "")
    yield "it opens with a wrong password", not _opens(info, secrets.token_urlsafe(12))


def _is_aes256(head: bytes) -> bool:
    """Both the document and its key; one entry for the password, none for anybody else."""
    text = head[len(_AGILE) :].decode("utf-8")
    return head.startswith(_AGILE) and all(text.count(entry) == 2 for entry in _AES256) and text.count("<keyEncryptor ") == 1 and f'spinCount="{_LEAST_SPINS}"' in text  # noqa: PLR2004


def _opens(info: dict[str, Any], password: str) -> bool:
    return bool(ECMA376Agile.verify_password(
        password, info["passwordSalt"], info["passwordHashAlgorithm"], info["encryptedVerifierHashInput"],
        info["encryptedVerifierHashValue"], info["spinValue"], info["passwordKeyBits"],
    ))
