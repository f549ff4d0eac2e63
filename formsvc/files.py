"""Reading and writing of files so that nothing is half-written and every failure says what to do."""

import json
import os
import tempfile
from pathlib import Path
from typing import Any, Final

from formsvc.errors import Refused

_PICTURES: Final = (b"\xff\xd8\xff", b"\x89PNG", b"II*\0", b"MM\0*")
_HEIF: Final = (b"ftypheic", b"ftypheix", b"ftypmif1")

def read_file(file: Path, most_megabytes: int = 50) -> bytes:
    """A file's bytes; refuses one that is missing, unreadable or larger than allowed."""
    try:
        size = file.stat().st_size
        if size > most_megabytes * 1_000_000:
            raise Refused("file-too-large", str(file), size=round(size / 1_000_000), most=most_megabytes)
        return file.read_bytes()
    except FileNotFoundError as problem:
        raise Refused("file-missing", str(file)) from problem
    except OSError as problem:
        raise Refused("file-unreadable", str(file), detail=problem.strerror) from problem


def check_others(out: Path, *others: Path | None) -> None:
    """Refuse a result that would take the place of what it is made from, by whatever name."""
    for other in others:
        if other and (other.resolve() == out.resolve() or (other.exists() and out.exists() and other.samefile(out))):
            raise Refused("same-file", str(out))


def write_file(file: Path, content: bytes) -> None:
    """Write a file whole or not at all: a draft beside it takes its name when it is on the disk."""
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        handle, draft = tempfile.mkstemp(prefix=f".{file.name}.", dir=file.parent)
        try:
            with os.fdopen(handle, "wb") as out:
                out.write(content)
                out.flush()
                os.fsync(out.fileno())
            umask = os.umask(0)
            os.umask(umask)
            Path(draft).chmod(0o666 & ~umask)
            os.replace(draft, file)
        except BaseException:
            Path(draft).unlink(missing_ok=True)
            raise
    except OSError as problem:
        raise Refused("file-unwritable", str(file), detail=problem.strerror) from problem


def json_object(content: bytes, file: Path) -> dict[str, Any]:
    """The JSON object in a file's bytes; refuses other content, naming the file."""
    try:
        data = json.loads(content)
    except (ValueError, RecursionError) as problem:
        raise Refused("values-unreadable", str(file), detail=problem) from problem
    if not isinstance(data, dict):
        raise Refused("values-not-an-object", str(file))
    return data


def is_picture(content: bytes) -> bool:
    """Whether a file begins as JPEG, PNG, TIFF or HEIC do: what scanners and telephones make."""
    return content.startswith(_PICTURES) or content[4:12] in _HEIF
