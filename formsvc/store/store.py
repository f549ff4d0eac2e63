"""An installation's data: database, encrypted files and the key of its seals, opened together."""

from collections.abc import Iterator
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path

from sqlalchemy import Connection, Engine, delete, select, update
from sqlalchemy.dialects import postgresql, sqlite

from formsvc.errors import Refused
from formsvc.settings import Settings
from formsvc.store import engine as database
from formsvc.store.keys import read_keyring
from formsvc.store.log import Entry, LogName, append, now
from formsvc.store.schema import files
from formsvc.store.vault import Vault


@dataclass(frozen=True, slots=True, kw_only=True)
class Store:
    """The data of one installation."""

    engine: Engine
    vault: Vault
    key: bytes
    by: str
    """Who is at work, for the logs."""

    def writing(self) -> AbstractContextManager[Connection]:
        """A transaction that may write: all of it is kept, or nothing."""
        return database.writing(self.engine)

    def reading(self) -> AbstractContextManager[Connection]:
        """A transaction that sees one state of the data."""
        return database.reading(self.engine)

    def log(self, connection: Connection, event: str, subject: str, /, log: LogName = "audit", key: str | None = None, **facts: object) -> bool:
        """Add an entry to a log."""
        return append(connection, log, Entry(event=event, subject=subject, by=self.by, facts=facts, key=key), self.key)

    def keep(self, content: bytes) -> str:
        """Bring a file into the vault; it counts only when a transaction calls `settle_file` for it.

        The row comes first, so that a file whose process dies on the way is known as one that was arriving.
        """
        name = self.vault.name_of(content)
        with self.writing() as connection:
            announce_file(connection, name, len(content))
        self.vault.put(content)
        return name

    def sweep(self, before: str) -> int:
        """Forget the files that were announced before that moment and never settled: their process died on the way."""
        late = (files.c.state == "arriving", files.c.at < before)
        with self.writing() as connection:
            names = list(connection.scalars(select(files.c.name).where(*late)))
            for name in names:
                self.vault.remove(name)
            connection.execute(delete(files).where(*late))
        return len(names)


def announce_file(connection: Connection, name: str, size: int) -> None:
    """Say that a file will arrive (nothing changes if it is known)."""
    dialect = postgresql if connection.dialect.name == "postgresql" else sqlite
    row = dialect.insert(files).values(name=name, size=size, state="arriving", at=now())
    again = row.on_conflict_do_update(index_elements=["name"], set_={"at": now()}, where=files.c.state == "arriving")
    connection.execute(again)


def settle_file(connection: Connection, name: str) -> None:
    """A file that arrived is kept from now on."""
    if not connection.execute(update(files).where(files.c.name == name).values(state="kept")).rowcount:
        raise Refused("file-lost", name)


def open_store(settings: Settings) -> Store:
    """The installation's data, made on first use."""
    if settings.data is None:
        raise Refused("setting-invalid", "FORMSVC_DATA", detail="no data folder is chosen")
    if not settings.database:
        _make_room(settings.data)
    _check_keys(settings)
    engine = database.open_engine(settings.database or f"sqlite:///{settings.data / 'formsvc.db'}")
    database.migrate(engine)
    vault = Vault(settings.files or str(settings.data / "files"), read_keyring(settings.files_key_file, settings.files_key), **dict(settings.files_options))
    return Store(engine=engine, vault=vault, key=settings.key, by=settings.user)


def _check_keys(settings: Settings) -> None:
    """Never make new keys where files are encrypted with others: a mistyped setting would only show much later."""
    folder = Path(settings.files.removeprefix("file://")) if settings.files else (settings.data or Path()) / "files"
    keys = settings.files_key_file
    if not settings.files_key and keys is not None and not keys.exists() and "://" not in str(folder) and (folder / "keymark").exists():
        raise Refused("keys-not-there", str(keys))


def _make_room(data: Path) -> None:
    """The data folder and an empty database that only their owner may read."""
    try:
        data.mkdir(parents=True, exist_ok=True, mode=0o700)
        (data / "formsvc.db").touch(mode=0o600)
    except OSError as problem:
        raise Refused("file-unwritable", str(data), detail=problem.strerror) from problem


def kept_files(connection: Connection) -> Iterator[str]:
    """The names of the files that count."""
    yield from connection.scalars(select(files.c.name).where(files.c.state == "kept"))
