"""Where stored files stand: a folder of our own, or a bucket through fsspec. Both write a file whole or not at all; failures are OSError."""

import os
import re
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from threading import Lock
from typing import Any, Final

import fsspec

from formsvc.store.keys import locked, sync_folder, write_durably

MOST_MEGABYTES: Final = 200

_FANS: Final = re.compile(r"[0-9a-f]{2}")
_MARK: Final = "keymark"


# ---------------------------------------------------------------- a folder


class Folder:
    """Files in a folder of our own: fsspec's local files are not on the disk when it says so. Raises OSError."""

    def __init__(self, root: Path) -> None:
        """Know the folder; nothing is made yet."""
        self.url = str(root)
        self._root = root
        self._drafts = root / "drafts"

    def read(self, path: str, most: int = -1) -> bytes:
        """The bytes of a file, or its first ones."""
        with (self._root / path).open("rb") as file:
            return file.read(most)

    def has(self, path: str) -> bool:
        """Whether the file is there."""
        return (self._root / path).is_file()

    def write(self, path: str, blob: bytes) -> None:
        """Write a file whole or not at all."""
        file = self._root / path
        for folder in (file.parent, self._drafts):
            _make_folder(folder)
        write_durably(file, blob, self._drafts)
        self.settle(path)

    def settle(self, path: str) -> None:
        """Have a file's whole path on the disk, also where another process made the folders a moment ago."""
        for folder in list((self._root / path).parents)[: path.count("/") + 1]:
            sync_folder(folder)

    def replace(self, path: str, change: Callable[[bytes], bytes]) -> bool:
        """Change a file if it is there; a file that is removed meanwhile does not come back."""
        with locked(self._root / "lock"), suppress(FileNotFoundError):
            self.write(path, change(self.read(path)))
            return True
        return False

    def remove(self, path: str) -> None:
        """Remove a file; one that is not there is as good."""
        file = self._root / path
        if file.parent.is_dir():
            with locked(self._root / "lock"):
                file.unlink(missing_ok=True)
                sync_folder(file.parent)

    def names(self) -> Iterator[str]:
        """The names of all files, in order."""
        for first in _listed(self._root):
            for second in _listed(first):
                yield from sorted(file.name for file in second.iterdir() if file.name.startswith(first.name + second.name))

    def mark(self, content: bytes) -> bytes:
        """The mark of this place; the first one counts."""
        with suppress(FileNotFoundError):
            return self.read(_MARK)
        _make_folder(self._drafts)
        with suppress(FileExistsError):
            write_durably(self._root / _MARK, content, self._drafts, only_new=True)
        return self.read(_MARK)

    def sweep(self, before: float) -> int:
        """Remove what unfinished writes left before that moment; how much it was."""
        stale = [draft for draft in self._drafts.glob(".*") if _written(draft) < before]
        for draft in stale:
            draft.unlink(missing_ok=True)
        return len(stale)


def _make_folder(folder: Path) -> None:
    if not folder.is_dir():
        _make_folder(folder.parent)
        folder.mkdir(mode=0o700, exist_ok=True)
        sync_folder(folder.parent)


def _listed(folder: Path) -> list[Path]:
    """The folders of a level, sorted."""
    try:
        return sorted(inner for inner in folder.iterdir() if _FANS.fullmatch(inner.name) and inner.is_dir())
    except FileNotFoundError:
        return []


def _written(draft: Path) -> float:
    """When a draft was written; one that has just got its name is none any more."""
    try:
        return draft.stat().st_mtime
    except FileNotFoundError:
        return float("inf")


# ---------------------------------------------------------------- a bucket


class Bucket:
    """Files in a bucket, which has a file whole or not at all. Raises OSError, whatever the library raises.

    Limit: outside S3, a file that is removed while it is being encrypted anew may come back.
    """

    def __init__(self, url: str, options: dict[str, Any]) -> None:
        """Know the bucket; nothing is asked yet."""
        self.url = url.rstrip("/")
        self._protocol, _, self._root = self.url.partition("://")
        self._options = {"use_listings_cache": False, "skip_instance_cache": True, **options}
        self._connections: dict[int, Any] = {}
        self._connecting: dict[int, Lock] = {}
        # One request each: parts read while the file is replaced would not fit together, and parts of a broken upload would stay.
        self._read_whole, self._write_whole = ({"max_concurrency": 1}, {"chunksize": MOST_MEGABYTES * 2**20}) if self._protocol in {"s3", "s3a"} else ({}, {})

    def read(self, path: str, most: int | None = None) -> bytes:
        """The bytes of a file, or its first ones."""
        limits = {"start": 0, "end": most} if most else {}
        try:
            blob: bytes = self._call("cat_file", path, **limits, **self._read_whole)
        except OSError as problem:
            if _reason(problem) not in {"InvalidRange", "416"}:
                raise
            blob = b""  # S3 has no first bytes of an empty file
        return blob

    def has(self, path: str) -> bool:
        """Whether the file is there."""
        return bool(self._call("exists", path))

    def write(self, path: str, blob: bytes) -> None:
        """Write a file whole or not at all."""
        self._call("pipe_file", path, blob, **self._write_whole)

    def settle(self, path: str) -> None:
        """Nothing to do: what can be read in a bucket is there to stay."""

    def replace(self, path: str, change: Callable[[bytes], bytes]) -> bool:
        """Change a file if it is there and nobody else changes it."""
        try:
            condition = {"IfMatch": self._call("info", path)["ETag"]} if self._read_whole else {}
            self._call("pipe_file", path, change(self.read(path)), **self._write_whole, **condition)
        except OSError as problem:
            if isinstance(problem, FileNotFoundError) or _reason(problem) in {"PreconditionFailed", "412"}:
                return False
            raise
        return True

    def remove(self, path: str) -> None:
        """Remove a file; one that is not there is as good."""
        with suppress(FileNotFoundError):
            self._call("rm_file", path)

    def names(self) -> Iterator[str]:
        """One folder of the first level after the other: a list of all files may not fit into memory."""
        for folder in self._listed("ls", ""):
            if _FANS.fullmatch(folder):
                yield from (name for name in self._listed("find", folder) if name.startswith(folder))

    def mark(self, content: bytes) -> bytes:
        """The mark of this place."""
        with suppress(FileNotFoundError):
            return self.read(_MARK)
        self.write(_MARK, content)
        return self.read(_MARK)

    def sweep(self, before: float) -> int:
        """None: a bucket has no drafts."""
        del before
        return 0

    def _listed(self, verb: str, folder: str) -> list[str]:
        try:
            return sorted(str(path).rstrip("/").rpartition("/")[2] for path in self._call(verb, folder, detail=False))
        except FileNotFoundError:
            return []

    def _call(self, verb: str, path: str, *values: Any, **options: Any) -> Any:
        try:
            return getattr(self._connection(), verb)(f"{self._root}/{path}", *values, **options)
        except FileNotFoundError as problem:
            if _reason(problem) == "NoSuchBucket":  # then nothing is known about the file
                raise OSError(None, str(problem)) from problem
            raise
        except OSError:
            raise
        except Exception as problem:  # every library raises its own; the block holds nothing but its call
            raise OSError(None, f"{type(problem).__name__}: {problem}") from problem

    def _connection(self) -> Any:
        """One connection per process: none survives a fork."""
        process = os.getpid()
        with self._connecting.setdefault(process, Lock()):  # connecting takes a third of a second: thirty threads make one
            if process not in self._connections:
                self._connections[process] = fsspec.filesystem(self._protocol, **self._options)
            return self._connections[process]


def _reason(problem: OSError) -> str | None:
    """The code that S3 gave for a failure."""
    code = getattr(problem.__cause__, "response", {}).get("Error", {}).get("Code")
    return None if code is None else str(code)
