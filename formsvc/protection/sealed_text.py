"""Short secrets that stand in the database: encrypted under the installation's key, each for its own purpose."""

import os
from base64 import urlsafe_b64decode, urlsafe_b64encode
from typing import Final

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from formsvc.errors import Refused

_NONCE: Final = 12


def derived_key(key: bytes, purpose: str) -> bytes:
    """32 bytes for one purpose, from the installation's key (HKDF, RFC 5869)."""
    return HKDF(algorithm=SHA256(), length=32, salt=None, info=b"formsvc:" + purpose.encode("ascii")).derive(key)


def seal_text(key: bytes, purpose: str, text: str) -> str:
    """The text encrypted; the purpose is authenticated with it."""
    nonce = os.urandom(_NONCE)
    return urlsafe_b64encode(nonce + AESGCM(derived_key(key, purpose)).encrypt(nonce, text.encode(), purpose.encode())).decode("ascii")


def open_text(key: bytes, purpose: str, sealed: str) -> str:
    """The text again; refuses what another key or purpose made, or what was changed."""
    try:
        blob = urlsafe_b64decode(sealed.encode("ascii"))
        return AESGCM(derived_key(key, purpose)).decrypt(blob[:_NONCE], blob[_NONCE:], purpose.encode()).decode()
    except (InvalidTag, ValueError) as problem:
        raise Refused("secret-unreadable", purpose) from problem
