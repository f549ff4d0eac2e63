"""Stored files: encrypted, named by their content, in a folder or in a bucket.

A stored file is a header of fixed size, then AES-256-GCM of the content (compressed where that is smaller).
The header and the name are authenticated with it, so a changed header, a changed body and a file under the name
of another are all noticed. Names are keyed digests: they say that two files of one installation are equal, and
nothing else. A file's path is `ab/cd/` and its name, in a folder and in a bucket alike, so that either can be
copied to the other with any tool.
"""

import os
import re
import struct
import time
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from hashlib import blake2b
from pathlib import Path
from typing import Any, Final, Self

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from formsvc.errors import Refused
from formsvc.store.keys import MOST_ID, Keyring
from formsvc.store.places import MOST_MEGABYTES, Bucket, Folder

_NAME: Final = re.compile(r"[0-9a-f]{64}")
_MAGIC: Final = b"FSVT"
_VERSION: Final = 1
_NONCE: Final = 12
_LEVEL: Final = 1  # forms shrink to 46 % of their size at level 1, to 44 % at level 6, which takes nearly twice as long
_OF_A_FILE: Final = frozenset({"file-changed", "file-misnamed", "key-missing"})


# ---------------------------------------------------------------- what a stored file looks like


@dataclass(frozen=True, slots=True, kw_only=True)
class Header:
    """What stands before the encrypted content."""

    key_id: str
    nonce: bytes
    packed: bool
    """Whether the content was compressed."""
    size: int
    """Bytes of the content."""

    LAYOUT = struct.Struct(f">4sBB{MOST_ID}s{_NONCE}sQ")
    CHECK = struct.Struct(">I")
    LENGTH = LAYOUT.size + CHECK.size

    def __bytes__(self) -> bytes:
        """The header as it is written; its check sum tells damage from a key that is missing."""
        fields = self.LAYOUT.pack(_MAGIC, _VERSION, self.packed, self.key_id.encode("ascii"), self.nonce, self.size)
        return fields + self.CHECK.pack(zlib.crc32(fields))

    @classmethod
    def read(cls, blob: bytes) -> Self | None:
        """The header of a stored file, if it has a sound one."""
        if len(blob) < cls.LENGTH or cls.CHECK.unpack_from(blob, cls.LAYOUT.size) != (zlib.crc32(blob[: cls.LAYOUT.size]),):
            return None
        magic, version, packed, key_id, nonce, size = cls.LAYOUT.unpack_from(blob)
        if (magic, version) != (_MAGIC, _VERSION):
            return None
        return cls(key_id=key_id.rstrip(b"\0").decode("ascii", "replace"), nonce=nonce, packed=bool(packed), size=size)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Parcel:
    """A content as it is encrypted: compressed or not."""

    body: bytes
    packed: bool
    size: int

    @classmethod
    def of(cls, content: bytes) -> Self:
        body = zlib.compress(content, _LEVEL)
        packed = len(body) < len(content)
        return cls(body=body if packed else content, packed=packed, size=len(content))

    def content(self) -> bytes:
        return zlib.decompress(self.body, bufsize=max(1, self.size)) if self.packed else self.body


# ---------------------------------------------------------------- the vault


class Vault:
    """Stored files of one installation. `url` is a folder or, through fsspec, a place like `s3://bucket/prefix`.

    Limits: a content is held in memory whole, two or three times over, and has at most 200 MB. Every failure is a
    `Refused` whose place is the file's name. A vault may be shared by threads, and used after a fork.
    """

    def __init__(self, url: str, keyring: Keyring, **options: Any) -> None:
        """Open the vault at a place; nothing is read or made before it is used. `options` are fsspec's."""
        self._keyring = keyring
        self._place = Bucket(url, options) if "://" in url and not url.startswith("file://") else Folder(Path(url.removeprefix("file://")))
        self._greeted = False

    def name_of(self, content: bytes) -> str:
        """The name of a content, 64 hexadecimal digits; another installation gives it another."""
        return blake2b(content, digest_size=32, key=self._keyring.names).hexdigest()

    def put(self, content: bytes) -> str:
        """Store a content and give its name; one that is stored already and sound is left as it is."""
        if len(content) > MOST_MEGABYTES * 1_000_000:
            raise Refused("file-too-large", "", size=-(-len(content) // 1_000_000), most=MOST_MEGABYTES)
        self._greet()
        name = self.name_of(content)
        if self.check(name) is None:
            with _writing(name):
                self._place.settle(_path(name))
        else:
            blob = self._sealed(name, _Parcel.of(content))
            with _writing(name):
                self._place.write(_path(name), blob)
        return name

    def get(self, name: str) -> bytes:
        """A stored content; refuses one that is lost, was changed, or needs a key that is not here."""
        with _reading(name):
            blob = self._place.read(_path(name))
        return self._opened(name, blob).content()

    def has(self, name: str) -> bool:
        """Whether a file is there; whether it is sound, `check` says."""
        with _reading(name):
            return bool(_NAME.fullmatch(name)) and self._place.has(_path(name))

    def size(self, name: str) -> int:
        """Bytes of a stored content, by its header."""
        return self._header(name).size

    def names(self) -> Iterator[str]:
        """The names of all stored files, sorted; drafts and foreign files are passed over."""
        with _reading(""):
            yield from (name for name in self._place.names() if _NAME.fullmatch(name))

    def remove(self, name: str) -> None:
        """Remove a file; one that is not there is removed already."""
        if _NAME.fullmatch(name):
            with _writing(name):
                self._place.remove(_path(name))

    def check(self, name: str) -> str | None:
        """The code of what is wrong with a stored file, if anything; its whole content is read."""
        try:
            self.get(name)
        except Refused as refused:
            return refused.code
        return None

    def rotate(self, on_file: Callable[[str, str | None], None]) -> int:
        """Encrypt every file with the first key; gives how many had another.

        `on_file` is told each name, with the code of what is wrong with that file: such a file stays as it is. It may
        be stopped anywhere and begun again, and files may be put, read and removed meanwhile. Processes that were
        started with the old keys put files with the old key until they are started anew.
        """
        self._greet()
        done = 0
        for name in self.names():
            renewed, problem = self._renew_or_tell(name)
            done += renewed
            on_file(name, problem)
        return done

    def blob(self, name: str) -> bytes:
        """A stored file as it is kept, encrypted; refuses what is not there."""
        with _reading(name):
            return self._place.read(_path(name))

    def lay(self, name: str, blob: bytes) -> None:
        """Lay a file back as it was kept, encrypted by a key of this ring; `check` says whether it fits."""
        self._greet()
        with _writing(name):
            self._place.write(_path(name), blob)

    def sweep(self, older_than: float = 86_400) -> int:
        """Remove the drafts that killed processes left more than so many seconds ago; gives how many."""
        with _writing(""):
            return self._place.sweep(time.time() - older_than)

    def _renew_or_tell(self, name: str) -> tuple[bool, str | None]:
        try:
            return self._renew(name), None
        except Refused as refused:
            if refused.code == "file-lost":  # removed since it was listed
                return False, None
            if refused.code not in _OF_A_FILE:
                raise
            return False, refused.code

    def _renew(self, name: str) -> bool:
        if self._header(name).key_id == self._keyring.first.id:
            return False
        with _writing(name):
            return self._place.replace(_path(name), lambda blob: self._sealed(name, self._opened(name, blob)))

    def _header(self, name: str) -> Header:
        with _reading(name):
            return _header(name, self._place.read(_path(name), Header.LENGTH))

    def _sealed(self, name: str, parcel: _Parcel) -> bytes:
        key = self._keyring.first
        header = Header(key_id=key.id, nonce=os.urandom(_NONCE), packed=parcel.packed, size=parcel.size)
        return bytes(header) + AESGCM(key.secret).encrypt(header.nonce, parcel.body, bytes(header) + name.encode("ascii"))

    def _opened(self, name: str, blob: bytes) -> _Parcel:
        header = _header(name, blob)
        try:
            body = AESGCM(self._secret_of(header.key_id, name)).decrypt(header.nonce, memoryview(blob)[Header.LENGTH :], blob[: Header.LENGTH] + name.encode("ascii"))
        except InvalidTag as problem:
            raise Refused("file-changed", name) from problem
        parcel = _Parcel(body=body, packed=header.packed, size=header.size)
        if self.name_of(parcel.content()) != name:
            raise Refused("file-misnamed", name)
        return parcel

    def _secret_of(self, key_id: str, name: str) -> bytes:
        secret = self._keyring.secret_of(key_id)
        if secret is None:  # perhaps another process rotated the keys since this one was started
            secret = self._keyring.renewed().secret_of(key_id)
        if secret is None:
            raise Refused("key-missing", name, key=key_id)
        return secret

    def _greet(self) -> None:
        """Refuse to write with the keys of another installation, or with keys made because the old ones were lost."""
        if self._greeted:
            return
        mark = self.name_of(b"formsvc: the keys of this place").encode("ascii")
        with _writing(""):
            if self._place.mark(mark) != mark:
                raise Refused("keys-of-another", self._place.url)
        self._greeted = True


def _header(name: str, blob: bytes) -> Header:
    header = Header.read(blob)
    if header is None:
        raise Refused("file-changed", name)
    return header


def _path(name: str) -> str:
    """Where a file stands; a text that is no name is never looked up."""
    if not _NAME.fullmatch(name):
        raise Refused("file-lost", name)
    return f"{name[:2]}/{name[2:4]}/{name}"


@contextmanager
def _reading(name: str) -> Iterator[None]:
    try:
        yield
    except FileNotFoundError as problem:
        raise Refused("file-lost", name) from problem
    except OSError as problem:
        raise Refused("vault-unreadable", name, detail=problem.strerror or problem) from problem


@contextmanager
def _writing(name: str) -> Iterator[None]:
    try:
        yield
    except OSError as problem:
        raise Refused("vault-unwritable", name, detail=problem.strerror or problem) from problem
