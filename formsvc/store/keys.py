"""The keys of stored files: read from a key file, made on first use, changed without losing one."""

import fcntl
import os
import re
import secrets
import stat
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Final

from formsvc.errors import Refused

KEY_BYTES: Final = 32
MOST_ID: Final = 16  # characters; the header of a stored file has as much room

_NAMES: Final = "names"
_ID: Final = re.compile(rf"[a-z0-9][a-z0-9-]{{0,{MOST_ID - 1}}}")
_SECRET: Final = re.compile(rf"[0-9a-fA-F]{{{2 * KEY_BYTES}}}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Key:
    """A key that encrypts files; its id stands in their headers."""

    id: str
    secret: bytes = field(repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Keyring:
    """Every key of an installation: the first one encrypts, the others only decrypt."""

    keys: tuple[Key, ...]
    names: bytes = field(repr=False)
    """The fixed key of names: with another one, the same file gets another name."""
    file: Path | None = field(default=None, compare=False)
    """Where the keys were read from; a process that meets a key it does not know looks there again."""

    @property
    def first(self) -> Key:
        """The key that encrypts."""
        return self.keys[0]

    def secret_of(self, key_id: str) -> bytes | None:
        """The secret of a key, if it is here."""
        return next((key.secret for key in self.keys if key.id == key_id), None)

    def renewed(self) -> "Keyring":
        """These keys as the key file has them now: another process may have added one."""
        return self if self.file is None else _read(self.file)


def read_keyring(file: Path | None, text: str | None) -> Keyring:
    """The keys in a text, or else in a file that is made on first use.

    One key per line (in a text a comma also ends a line, for environments that hold one line only):
    `keyid hex64`, the first of which encrypts, and one `names hex64`.
    """
    if text:
        return _keyring(text.replace(",", "\n"), "the keys that were given")
    if file is None:
        raise Refused("keys-unusable", "", detail="neither keys nor a key file are given")
    with _writing(file):
        if not file.exists():
            _make(file)
    return _read(file)


def rotated(keyring: Keyring) -> Keyring:
    """The same keys behind a fresh one, which encrypts from now on."""
    taken = {key.id for key in keyring.keys}
    fresh = next(name for name in iter(lambda: secrets.token_hex(4), "") if name not in taken)
    return replace(keyring, keys=(_key(fresh), *keyring.keys))


def rotate_keys(file: Path) -> Keyring:
    """Put a fresh key first in a key file; two processes that do so at once add two, and lose none."""
    with _writing(file), locked(_lock_of(file)):
        keyring = rotated(_read(file))
        _replace(file, keyring)
    return keyring


def write_keyring(file: Path, keyring: Keyring) -> None:
    """Write a key file whole or not at all; refuses to lose a key that stands there."""
    with _writing(file), locked(_lock_of(file)):
        _check_kept(file, keyring)
        _replace(file, keyring)


def _key(key_id: str) -> Key:
    return Key(id=key_id, secret=secrets.token_bytes(KEY_BYTES))


def _lock_of(file: Path) -> Path:
    return file.with_name(f".{file.name}.lock")


# ---------------------------------------------------------------- reading


def _read(file: Path) -> Keyring:
    try:
        _check_mode(file)
        text = file.read_text(encoding="ascii")
    except OSError as problem:
        raise Refused("file-unreadable", str(file), detail=problem.strerror) from problem
    except UnicodeDecodeError as problem:
        raise Refused("keys-unusable", str(file), detail="it is not plain text") from problem
    return replace(_keyring(text, str(file)), file=file)


def _check_mode(file: Path) -> None:
    """Refuse keys that others can read or the group can change.

    The group may read: secrets that an orchestrator mounts belong to root and a group.
    """
    mode = file.stat().st_mode
    if mode & (stat.S_IRWXO | stat.S_IWGRP):
        raise Refused("keys-exposed", str(file), mode=f"{stat.S_IMODE(mode):o}")


def _keyring(text: str, place: str) -> Keyring:
    found = _secrets(text, place)
    names = found.pop(_NAMES, None)
    if names is None:
        raise Refused("keys-unusable", place, detail="the line “names” is missing")
    if not found:
        raise Refused("keys-unusable", place, detail="there is no key that encrypts")
    return Keyring(keys=tuple(Key(id=key_id, secret=secret) for key_id, secret in found.items()), names=names)


def _secrets(text: str, place: str) -> dict[str, bytes]:
    """The secrets by id, in their order."""
    found: dict[str, bytes] = {}
    for number, line in enumerate(text.splitlines(), start=1):
        if line.strip():
            key_id, secret = _line(line, f"{place}, line {number}")
            if key_id in found:
                raise Refused("keys-unusable", f"{place}, line {number}", detail=f"“{key_id}” stands there twice")
            found[key_id] = secret
    return found


def _line(line: str, place: str) -> tuple[str, bytes]:
    """One line's id and secret; what it holds is never repeated in a refusal, it may be a secret."""
    key_id, _, secret = line.strip().partition(" ")
    if not _ID.fullmatch(key_id):
        raise Refused("keys-unusable", place, detail=f"it does not begin with a name of at most {MOST_ID} small letters, digits and hyphens")
    if not _SECRET.fullmatch(secret.strip()):
        raise Refused("keys-unusable", place, detail=f"its key is not {2 * KEY_BYTES} hexadecimal digits")
    return key_id, bytes.fromhex(secret.strip())


# ---------------------------------------------------------------- writing


def _make(file: Path) -> None:
    """Write fresh keys so that two processes starting together agree on them."""
    file.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    fresh = Keyring(keys=(_key(secrets.token_hex(4)),), names=secrets.token_bytes(KEY_BYTES))
    with suppress(FileExistsError):  # another process was first: its keys count
        write_durably(file, _text(fresh), file.parent, only_new=True)


def _text(keyring: Keyring) -> bytes:
    lines = [*((key.id, key.secret) for key in keyring.keys), (_NAMES, keyring.names)]
    return "".join(f"{key_id} {secret.hex()}\n" for key_id, secret in lines).encode("ascii")


def _check_kept(file: Path, keyring: Keyring) -> None:
    if not file.exists():
        return
    before = _read(file)
    lost = [key.id for key in before.keys if keyring.secret_of(key.id) != key.secret]
    if before.names != keyring.names:
        lost.append(_NAMES)
    if lost:
        raise Refused("keys-lost", str(file), names=", ".join(lost))


def _replace(file: Path, keyring: Keyring) -> None:
    """The old file stays until the new one is on the disk, and the new one belongs to whom the old one did."""
    target = file.resolve()
    write_durably(target, _text(keyring), target.parent, like=target if target.exists() else None)


@contextmanager
def _writing(file: Path) -> Iterator[None]:
    try:
        yield
    except OSError as problem:
        raise Refused("file-unwritable", str(file), detail=problem.strerror) from problem


# ---------------------------------------------------------------- on the disk


def write_durably(file: Path, content: bytes, drafts: Path, *, only_new: bool = False, like: Path | None = None) -> None:
    """Write a file whole or not at all, for its owner only; it is there after a power cut once this returns.

    The draft stands in the folder `drafts`, on the same disk. `only_new` raises FileExistsError where a file is
    there already; `like` gives owner and mode. Raises OSError.
    """
    handle, draft = tempfile.mkstemp(prefix=f".{file.name}.", dir=drafts)
    try:
        with os.fdopen(handle, "wb") as out:
            out.write(content)
            out.flush()
            if like:
                _take_after(out.fileno(), like)
            os.fsync(out.fileno())
        if only_new:
            os.link(draft, file)
        else:
            os.replace(draft, file)
    finally:
        Path(draft).unlink(missing_ok=True)
    sync_folder(file.parent)


def _take_after(handle: int, like: Path) -> None:
    old = like.stat()
    if (old.st_uid, old.st_gid) != (os.geteuid(), os.getegid()):
        os.fchown(handle, old.st_uid, old.st_gid)
    os.fchmod(handle, stat.S_IMODE(old.st_mode))


def sync_folder(folder: Path) -> None:
    """Have the names in a folder on the disk: a renamed file is only there after a power cut if its folder is."""
    handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


@contextmanager
def locked(file: Path) -> Iterator[None]:
    """Let one process (and one thread) in at a time; a process that dies lets go."""
    handle = os.open(file, os.O_RDWR | os.O_CREAT, 0o600)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX)
        yield
    finally:
        os.close(handle)
