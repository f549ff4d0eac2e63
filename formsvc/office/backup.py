"""A backup in one file, made while work goes on, and the way back into an empty installation.

The file is a tar archive: every table as lines of JSON (`tables/NAME.jsonl.gz`), every stored file as it is encrypted
(`files/NAME`), and last a sealed manifest with the count, size and SHA-256 of each. It can be restored into SQLite
and PostgreSQL alike, whichever it came from.

**The keys are not in it**: neither those of stored files nor FORMSVC_KEY. Keep copies of them elsewhere; without them
no stored file can be read. The rows are not encrypted: keep a backup as safe as the database.
"""

import gzip
import hashlib
import hmac
import io
import json
import os
import tarfile
import tempfile
import zlib
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import IO, Any, Final

from alembic.migration import MigrationContext
from sqlalchemy import Connection, Date, Integer, Table, func, insert, select, text

from formsvc.errors import Refused
from formsvc.office.office import Office, open_office
from formsvc.settings import Settings
from formsvc.store.keys import sync_folder
from formsvc.store.log import now
from formsvc.store.schema import files, metadata
from formsvc.store.vault import Vault

OnFile = Callable[[int, int], None]
"""Is told how many stored files are done, and of how many."""
FORMAT: Final = 1
_MANIFEST: Final = "manifest.json"
_TRIES: Final = 3
_SLICE: Final = 500
_MEGABYTE: Final = 1 << 20
_OF_KEYS: Final = frozenset({"key-missing", "file-misnamed"})
_BROKEN: Final = (tarfile.TarError, EOFError, zlib.error, gzip.BadGzipFile, ValueError, KeyError, TypeError)


@dataclass(frozen=True, slots=True, kw_only=True)
class Backup:
    """What a backup holds. `lost` are stored files that could not be read when it was made."""

    made: str
    rows: int
    files: int
    size: int
    lost: tuple[str, ...] = ()


def quiet(_done: int, _of: int) -> None:
    """Listen to nothing."""


# ---------------------------------------------------------------- out


def backup(office: Office, target: Path, on_file: OnFile = quiet) -> Backup:
    """Write a backup whole or not at all; what is received meanwhile is in it whole or not at all."""
    if target.exists():
        raise Refused("backup-exists", str(target))
    with _drafted(target) as draft:
        for _ in range(_TRIES):
            made = _attempt(office, draft, target.parent, on_file)
            if made is not None:
                break
        else:
            raise Refused("busy", str(target))
    with office.store.writing() as connection:
        office.store.log(connection, "backed-up", "store", rows=made.rows, files=made.files)
    return made


@contextmanager
def _drafted(target: Path) -> Iterator[IO[bytes]]:
    """A file for its owner only that takes its name when it is on the disk, and is gone if anything fails."""
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        handle, name = tempfile.mkstemp(prefix=f".{target.name}.", dir=target.parent)
        try:
            with os.fdopen(handle, "w+b") as draft:
                yield draft
                draft.flush()
                os.fsync(draft.fileno())
            os.link(name, target)
            sync_folder(target.parent)
        finally:
            Path(name).unlink(missing_ok=True)
    except FileExistsError as problem:
        raise Refused("backup-exists", str(target)) from problem
    except OSError as problem:
        raise Refused("file-unwritable", str(target), detail=problem.strerror or problem) from problem


@dataclass(slots=True, kw_only=True)
class _Writer:
    """An archive being written, and what its manifest will say."""

    archive: tarfile.TarFile
    members: dict[str, dict[str, Any]]

    def add(self, name: str, source: IO[bytes], **facts: Any) -> None:
        size = source.seek(0, io.SEEK_END)
        source.seek(0)
        digest = _sha256(source)
        source.seek(0)
        entry = tarfile.TarInfo(name)
        entry.size, entry.mode = size, 0o600
        self.archive.addfile(entry, source)
        self.members[name] = {"size": size, "sha256": digest, **facts}


def _sha256(source: IO[bytes]) -> str:
    digest = hashlib.sha256()
    while piece := source.read(_MEGABYTE):
        digest.update(piece)
    return digest.hexdigest()


def _attempt(office: Office, draft: IO[bytes], folder: Path, on_file: OnFile) -> Backup | None:
    """The backup; None if a file was erased while it was made, so that it has to begin anew."""
    draft.seek(0)
    draft.truncate()
    made, lost = now(), []
    with tarfile.open(fileobj=draft, mode="w", format=tarfile.PAX_FORMAT) as archive:
        writer = _Writer(archive=archive, members={})
        with office.store.reading() as connection:
            revision = MigrationContext.configure(connection).get_current_revision()
            for table in metadata.sorted_tables:
                with tempfile.TemporaryFile(dir=folder) as lines:
                    count = _dump(connection, table, lines)
                    writer.add(f"tables/{table.name}.jsonl.gz", lines, rows=count)
            names = list(connection.scalars(select(files.c.name).where(files.c.state == "kept").order_by(files.c.name)))
        for done, name in enumerate(names, start=1):
            blob = _blob(office.store.vault, name)
            if blob is not None:
                writer.add(f"files/{name}", io.BytesIO(blob))
            elif _is_kept(office, name):
                lost.append(name)
            else:
                return None
            on_file(done, len(names))
        manifest = {"format": FORMAT, "schema": revision, "made": made, "lost": lost, "members": writer.members}
        writer.add(_MANIFEST, io.BytesIO(_sealed(manifest, office.store.key)))
    rows = sum(member.get("rows", 0) for member in writer.members.values())
    return Backup(made=made, rows=rows, files=len(names) - len(lost), size=draft.tell(), lost=tuple(lost))


def _dump(connection: Connection, table: Table, lines: IO[bytes]) -> int:
    """The rows of a table, one JSON list each; how many."""
    count = 0
    wanted = select(table).order_by(*table.primary_key.columns)
    if table is files:
        wanted = wanted.where(files.c.state != "arriving")  # they are not here yet
    with gzip.GzipFile(fileobj=lines, mode="wb", compresslevel=3, mtime=0) as out:
        out.write(json.dumps(table.c.keys()).encode("ascii") + b"\n")
        for row in connection.execute(wanted, execution_options={"yield_per": _SLICE}):
            out.write(json.dumps([value.isoformat() if isinstance(value, date) else value for value in row]).encode("ascii") + b"\n")
            count += 1
    return count


def _blob(vault: Vault, name: str) -> bytes | None:
    """A stored file as it is encrypted; None if it cannot be had. What is wrong inside it is not looked at here: `verify` does."""
    try:
        return vault.blob(name)
    except Refused:
        return None


def _is_kept(office: Office, name: str) -> bool:
    with office.store.reading() as connection:
        return connection.scalar(select(files.c.state).where(files.c.name == name)) == "kept"


def _sealed(manifest: Mapping[str, Any], key: bytes) -> bytes:
    """The manifest with its seal: nobody without the key can change a backup unnoticed."""
    told = json.dumps(manifest, sort_keys=True)
    return json.dumps({"manifest": told, "seal": hmac.digest(key, b"backup:" + told.encode("ascii"), "sha256").hex()}).encode("ascii")


# ---------------------------------------------------------------- back


def restore(settings: Settings, source: Path, on_file: OnFile = quiet) -> Backup:
    """Bring a backup back into an empty installation; the whole backup is checked before anything is written.

    It may be stopped anywhere and begun again. Refuses a store that holds anything else, a damaged backup, another
    version's, and one whose keys are not here.
    """
    manifest = _checked(source, settings.key)
    office = open_office(settings)
    try:
        with office.store.reading() as connection:
            _check_fits(office, connection, manifest)
        with tarfile.open(source, mode="r:") as archive:
            _lay_files(office.store.vault, archive, manifest["members"], on_file)
            with office.store.writing() as connection:
                _check_fits(office, connection, manifest)
                _load(connection, archive)
                office.store.log(connection, "restored", "store", made=manifest["made"])
    finally:
        office.store.engine.dispose()
    members: Mapping[str, Any] = manifest["members"]
    rows = sum(member.get("rows", 0) for member in members.values())
    stored = sum(name.startswith("files/") for name in members)
    return Backup(made=manifest["made"], rows=rows, files=stored, size=source.stat().st_size, lost=tuple(manifest["lost"]))


def _checked(source: Path, key: bytes) -> dict[str, Any]:
    """The manifest of a backup that is whole; whatever is wrong with it is one refusal."""
    try:
        with tarfile.open(source, mode="r:") as archive:
            manifest = _read_manifest(archive, key)
            _check_members(archive, manifest["members"])
    except Refused as refused:
        raise refused.at(str(source)) from refused
    except FileNotFoundError as problem:
        raise Refused("file-missing", str(source)) from problem
    except OSError as problem:
        raise Refused("file-unreadable", str(source), detail=problem.strerror or problem) from problem
    except _BROKEN as problem:
        raise Refused("backup-damaged", str(source), detail=type(problem).__name__) from problem
    return manifest


def _member(archive: tarfile.TarFile, name: str) -> IO[bytes]:
    found = archive.extractfile(name)
    if found is None:
        raise Refused("backup-damaged", "", detail=name)
    return found


def _read_manifest(archive: tarfile.TarFile, key: bytes) -> dict[str, Any]:
    if archive.getnames()[-1:] != [_MANIFEST]:
        raise Refused("backup-damaged", "", detail="its end is missing")
    outer = json.loads(_member(archive, _MANIFEST).read())
    told: str = outer["manifest"]
    if not hmac.compare_digest(hmac.digest(key, b"backup:" + told.encode("ascii"), "sha256").hex(), outer["seal"]):
        raise Refused("backup-of-another", "")
    manifest: dict[str, Any] = json.loads(told)
    if manifest["format"] != FORMAT:
        raise Refused("backup-version", "", found=manifest["format"], here=FORMAT)
    return manifest


def _check_members(archive: tarfile.TarFile, members: Mapping[str, Any]) -> None:
    """Every file is there as the manifest has it, and no other one."""
    if sorted(archive.getnames()) != sorted([*members, _MANIFEST]):
        raise Refused("backup-damaged", "", detail="files are missing or added")
    for name, told in members.items():
        if archive.getmember(name).size != told["size"] or _sha256(_member(archive, name)) != told["sha256"]:
            raise Refused("backup-damaged", "", detail=name)


def _check_fits(office: Office, connection: Connection, manifest: Mapping[str, Any]) -> None:
    """The database has the same tables and no rows; the vault has no other files."""
    here = MigrationContext.configure(connection).get_current_revision()
    if here != manifest["schema"]:
        raise Refused("backup-version", "", found=manifest["schema"], here=here)
    is_used = any(connection.execute(select(1).select_from(table).limit(1)).first() for table in metadata.sorted_tables)
    if is_used or any(f"files/{name}" not in manifest["members"] for name in office.store.vault.names()):
        raise Refused("store-not-empty", "")


def _lay_files(vault: Vault, archive: tarfile.TarFile, members: Mapping[str, Any], on_file: OnFile) -> None:
    """Put the stored files back as they are encrypted; refuses with the first one that the keys here do not open."""
    names = [name.removeprefix("files/") for name in members if name.startswith("files/")]
    for done, name in enumerate(names, start=1):
        vault.lay(name, _member(archive, f"files/{name}").read())
        if done == 1 and vault.check(name) in _OF_KEYS:
            vault.get(name)  # refuses
        on_file(done, len(names))


def _load(connection: Connection, archive: tarfile.TarFile) -> None:
    for table in metadata.sorted_tables:
        with gzip.open(_member(archive, f"tables/{table.name}.jsonl.gz")) as lines:
            names = json.loads(next(lines))
            dates = {name for name in names if isinstance(table.c[name].type, Date)}
            rows: list[dict[str, Any]] = []
            for line in lines:
                rows.append({name: date.fromisoformat(value) if name in dates and value else value for name, value in zip(names, json.loads(line), strict=True)})
                if len(rows) == _SLICE:
                    connection.execute(insert(table), rows)
                    rows = []
            if rows:
                connection.execute(insert(table), rows)
        _count_on(connection, table)


def _count_on(connection: Connection, table: Table) -> None:
    """Let the next number be the one after the last: PostgreSQL counts apart from the rows."""
    key = table.c.get("id")
    if connection.dialect.name == "postgresql" and key is not None and isinstance(key.type, Integer):
        last = connection.scalar(select(func.max(key)))
        if last is not None:
            connection.execute(text("SELECT setval(pg_get_serial_sequence(:table, 'id'), :last)"), {"table": table.name, "last": last})
