"""The agency's own templates: which there are, every version that was kept, which one is in use, and the way back.

The folder is FORMSVC_TEMPLATES; what is in use stands there as `formsvc check` and an editor know it. Versions
stand beside it in `.versions/`: each content under its digest, and a numbered note of who kept it when. A file that
somebody put into the folder by hand becomes a version before another one takes its place. Whoever changes the folder
here touches a stamp, by which the other processes notice it (`formsvc.office.current`).
"""

import hashlib
import json
import os
import secrets
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import count
from pathlib import Path
from typing import Any, Final, Literal

from formsvc.casework.letters import LETTERS
from formsvc.catalog import Catalog, shipped_folder
from formsvc.errors import Refused
from formsvc.files import read_file, write_file
from formsvc.model.form import FormId
from formsvc.model.kinds import Lang
from formsvc.office.office import Office
from formsvc.settings import Settings
from formsvc.store.log import now

Kind = Literal["letter", "mail", "profile", "wording"]
"""A Word file; the words of the mail around a letter; what every page prints; other words for a form."""
VERSIONS: Final = ".versions"
STAMP: Final = "stamp"
MOST_MEGABYTES: Final = 10
_TEXT_MEGABYTES: Final = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Piece:
    """A file that an agency may have of its own."""

    path: str
    kind: Kind
    name: str = ""
    """The letter or form it belongs to."""
    lang: Lang = "en"
    version: int = 0
    """Of the form."""

    @property
    def slug(self) -> str:
        """The path in one piece, for addresses and folders."""
        return self.path.replace("/", "--")

    @property
    def is_text(self) -> bool:
        """Whether it is edited as text rather than in Word."""
        return self.kind != "letter"

    @property
    def form(self) -> FormId:
        """The form whose words it changes."""
        return FormId(name=self.name, version=self.version)


@dataclass(frozen=True, slots=True, kw_only=True)
class Version:
    """A content that was kept."""

    number: int
    at: str
    by: str
    digest: str
    size: int


@dataclass(frozen=True, slots=True, kw_only=True)
class History:
    """A piece with its versions, the newest first. `source` says where the one in use comes from."""

    piece: Piece
    source: Literal["own", "shipped", "none"]
    in_use: int | None
    """Its number; None where it is the shipped one, or was put into the folder by hand."""
    versions: tuple[Version, ...]


# ---------------------------------------------------------------- the folder


def own_folder(settings: Settings) -> Path:
    """The folder of the agency's own templates; refuses where none is set, or none can be written."""
    if settings.templates is None:
        raise Refused("templates-unset")
    if not os.access(settings.templates, os.W_OK | os.X_OK):
        raise Refused("templates-unwritable", str(settings.templates), detail="permission denied")
    return settings.templates


def pieces(catalog: Catalog) -> tuple[Piece, ...]:
    """Everything an agency may have of its own, in order: letters, the profile, words of forms."""
    letters = [
        piece
        for name in LETTERS
        for piece in (
            Piece(path=f"{name}/letter.docx", kind="letter", name=name), Piece(path=f"{name}/letter.es.docx", kind="letter", name=name, lang="es"), Piece(path=f"{name}/letter.toml", kind="mail", name=name),
        )
    ]  # fmt: skip
    words = [Piece(path=f"{one.name}/v{one.version}/wording.toml", kind="wording", name=one.name, version=one.version) for one in catalog.ids()]
    return (*letters, Piece(path="profile.toml", kind="profile"), *words)


def find_piece(catalog: Catalog, slug: str) -> Piece:
    """The piece of that name; refuses any other."""
    found = next((piece for piece in pieces(catalog) if piece.slug == slug), None)
    if found is None:
        raise Refused("template-unknown")
    return found


def history(settings: Settings, piece: Piece) -> History:
    """A piece with all that was kept of it."""
    folder = settings.templates
    versions = tuple(_versions(folder, piece)) if folder else ()
    own = folder / piece.path if folder else None
    if own is None or not own.is_file():
        return History(piece=piece, source="shipped" if (shipped_folder() / piece.path).is_file() else "none", in_use=None, versions=versions)
    digest = _digest(read_file(own))
    return History(piece=piece, source="own", in_use=next((one.number for one in versions if one.digest == digest), None), versions=versions)


def _versions(folder: Path, piece: Piece) -> Iterator[Version]:
    for note in sorted((folder / VERSIONS / piece.slug).glob("*.json"), reverse=True):
        try:
            told: dict[str, Any] = json.loads(note.read_bytes())
            yield Version(number=int(note.stem), at=str(told["at"]), by=str(told["by"]), digest=str(told["digest"]), size=int(told["size"]))
        except (OSError, ValueError, KeyError, TypeError):
            continue  # not ours


def content_of(settings: Settings, piece: Piece, number: int | None = None) -> bytes:
    """The content of a version, or of what is in use; empty where there is none."""
    if number is None:
        folders = (*((settings.templates,) if settings.templates else ()), shipped_folder())
        return next((read_file(file) for folder in folders if (file := folder / piece.path).is_file()), b"")
    version = next((one for one in history(settings, piece).versions if one.number == number), None)
    if version is None:
        raise Refused("template-unknown")
    return read_file(_kept(own_folder(settings), piece, version.digest))


def _kept(folder: Path, piece: Piece, digest: str) -> Path:
    return folder / VERSIONS / piece.slug / f"{digest}{Path(piece.path).suffix}"


def _digest(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


# ---------------------------------------------------------------- kept, used


def check_size(piece: Piece, content: bytes) -> None:
    """Refuse at the door what is empty, too large, or no text where text is meant."""
    if not content.strip():
        raise Refused("file-empty")
    most = _TEXT_MEGABYTES if piece.is_text else MOST_MEGABYTES
    if len(content) > most * 1_000_000:
        raise Refused("file-too-large", "", size=-(-len(content) // 1_000_000), most=most)
    if piece.is_text:
        try:
            content.decode("utf-8")
        except UnicodeDecodeError as problem:
            raise Refused("template-not-text") from problem


def keep(office: Office, piece: Piece, content: bytes) -> int:
    """Keep a content that was checked; its number. The same content again keeps its number."""
    folder = own_folder(office.service.settings)
    number, is_new = _put(folder, piece, content, office.store.by)
    if is_new:
        with office.store.writing() as connection:
            office.store.log(connection, "template-kept", f"template:{piece.path}", version=number, digest=_digest(content))
    return number


def _put(folder: Path, piece: Piece, content: bytes, by: str) -> tuple[int, bool]:
    digest = _digest(content)
    known = list(_versions(folder, piece))
    if same := next((one.number for one in known if one.digest == digest), None):
        return same, False
    write_file(_kept(folder, piece, digest), content)
    note = json.dumps({"at": now(), "by": by, "digest": digest, "size": len(content)}).encode()
    return _numbered(folder / VERSIONS / piece.slug, note, max((one.number for one in known), default=0) + 1), True


def _numbered(folder: Path, note: bytes, first: int) -> int:
    """Write a note under the first number that is free; two processes never get the same one."""
    handle, draft = tempfile.mkstemp(prefix=".note.", dir=folder)
    try:
        with os.fdopen(handle, "wb") as out:
            out.write(note)
            os.fsync(out.fileno())
        for number in count(first):
            try:
                os.link(draft, folder / f"{number:05d}.json")
            except FileExistsError:
                continue
            return number
    except OSError as problem:
        raise Refused("file-unwritable", str(folder), detail=problem.strerror) from problem
    finally:
        Path(draft).unlink(missing_ok=True)
    raise AssertionError


def put_in_use(office: Office, piece: Piece, number: int) -> None:
    """Let a version be the one in use; the one before it stays a version."""
    settings = office.service.settings
    folder, content = own_folder(settings), content_of(settings, piece, number)
    if history(settings, piece).in_use == number:
        raise Refused("template-in-use")
    _keep_by_hand(office, piece)
    write_file(folder / piece.path, content)
    _told(office, "template-used", piece, number)


def use_shipped(office: Office, piece: Piece) -> None:
    """Go back to what came with the installation; the agency's own stays a version."""
    folder = own_folder(office.service.settings)
    if not (folder / piece.path).is_file():
        raise Refused("template-in-use")
    _keep_by_hand(office, piece)
    try:
        (folder / piece.path).unlink()
    except OSError as problem:
        raise Refused("templates-unwritable", str(folder), detail=problem.strerror) from problem
    _told(office, "template-shipped", piece, None)


def _keep_by_hand(office: Office, piece: Piece) -> None:
    """What stands in the folder and is no version yet becomes one: nothing is lost."""
    settings = office.service.settings
    if history(settings, piece).source == "own":
        keep(office, piece, content_of(settings, piece))


def _told(office: Office, event: str, piece: Piece, number: int | None) -> None:
    touch_stamp(own_folder(office.service.settings))
    with office.store.writing() as connection:
        office.store.log(connection, event, f"template:{piece.path}", version=number)


def touch_stamp(folder: Path) -> None:
    """Tell every process that the folder changed."""
    write_file(folder / VERSIONS / STAMP, secrets.token_hex(8).encode())
