"""The files to receive: single ones, folders, zip archives; what cannot be read is told, not left out."""

import io
import zipfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from formsvc.errors import Refused
from formsvc.files import read_file

_SUFFIXES: Final = frozenset({".pdf", ".jpg", ".jpeg", ".png", ".tif", ".tiff", ".heic", ".heif"})
LEFT_ALONE: Final = "left-alone"
"""The code of a file in a folder or archive that is no paper: told, and no failure."""
_BROKEN: Final = (zipfile.BadZipFile, NotImplementedError, EOFError, ValueError, OSError)
_MOST_FILES: Final = 5_000
_MOST_UNPACKED: Final = 2_000_000_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """A file to be received: its name and its bytes, or why they cannot be had."""

    name: str
    content: bytes = b""
    refused: Refused | None = None


def find_files(paths: Sequence[Path], most_megabytes: int) -> Iterator[Found]:
    """The files of folders and zip archives, and the given ones; what cannot be read is told, not left out."""
    for path in paths:
        if path.is_dir():
            for file in sorted(path.rglob("*")):
                if not file.is_file() or file.name.startswith("."):
                    continue
                if file.suffix.lower() in _SUFFIXES | {".zip"}:
                    yield from _file(file, most_megabytes)
                else:
                    yield Found(name=str(file), refused=Refused(LEFT_ALONE, ""))
        else:
            yield from _file(path, most_megabytes)


def _file(file: Path, most_megabytes: int) -> Iterator[Found]:
    try:
        content = read_file(file, most_megabytes * (20 if file.suffix.lower() == ".zip" else 1))
    except Refused as refused:
        yield Found(name=str(file), refused=refused)
        return
    if file.suffix.lower() == ".zip":
        yield from _unpacked(str(file), content, most_megabytes)
    else:
        yield Found(name=str(file), content=content)


def _unpacked(name: str, content: bytes, most_megabytes: int) -> Iterator[Found]:
    """The papers in an archive, each read only up to the size that is allowed whatever the archive claims."""
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            inside = [member for member in archive.infolist() if not member.is_dir() and "__MACOSX" not in member.filename and not Path(member.filename).name.startswith(".")]
            members = [member for member in inside if Path(member.filename).suffix.lower() in _SUFFIXES]
            yield from (Found(name=f"{name}: {member.filename}", refused=Refused(LEFT_ALONE, "")) for member in inside if member not in members)
            total = 0
            for member in members[:_MOST_FILES]:
                found = _member(archive, member, f"{name}: {member.filename}", most_megabytes)
                yield found
                if (total := total + len(found.content)) > _MOST_UNPACKED:
                    break
            if len(members) > _MOST_FILES or total > _MOST_UNPACKED:
                yield Found(name=name, refused=Refused("archive-too-large", name, detail=f"{len(members)} files"))
    except _BROKEN as problem:
        yield Found(name=name, refused=Refused("archive-damaged", name, detail=type(problem).__name__))


def _member(archive: zipfile.ZipFile, member: zipfile.ZipInfo, name: str, most_megabytes: int) -> Found:
    try:
        with archive.open(member) as source:
            content = source.read(most_megabytes * 1_000_000 + 1)
    except RuntimeError:  # the archive is encrypted
        return Found(name=name, refused=Refused("archive-protected", name))
    except _BROKEN as problem:
        return Found(name=name, refused=Refused("archive-damaged", name, detail=type(problem).__name__))
    if len(content) > most_megabytes * 1_000_000:
        return Found(name=name, refused=Refused("file-too-large", name, size=round(len(content) / 1_000_000), most=most_megabytes))
    return Found(name=name, content=content)
