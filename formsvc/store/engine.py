"""Opens the database: SQLite in one file as the embedded default, PostgreSQL in production.

Every transaction that may write takes its lock when it begins, so that none fails half way because
another one was faster.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from importlib.resources import files
from pathlib import Path
from typing import Any, Final

from alembic import command
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, Engine, create_engine, event, text
from sqlalchemy.engine import make_url
from sqlalchemy.exc import ArgumentError, DBAPIError, IntegrityError, SQLAlchemyError

from formsvc.errors import Refused
from formsvc.store import schema_people

_BUSY_MILLISECONDS: Final = 30_000
_TABLES: Final = schema_people.people.metadata
"""Every table: whoever opens the database knows those of people at work too."""
_LOCK: Final = 7_460_110  # any number: the key of the advisory lock that one writer at a time holds


def open_engine(url: str) -> Engine:
    """The database at that URL; it is not touched yet."""
    try:
        name = make_url(url).get_backend_name()
        if name == "sqlite":
            return _sqlite(url)
        if name == "postgresql":
            return create_engine(url, hide_parameters=True, pool_pre_ping=True, pool_size=8, max_overflow=24)
    except (ArgumentError, ImportError) as problem:
        raise Refused("setting-invalid", "FORMSVC_DATABASE", detail="it is not a database URL that can be used") from problem
    raise Refused("setting-invalid", "FORMSVC_DATABASE", detail=f"“{name}” is neither sqlite nor postgresql")


def _sqlite(url: str) -> Engine:
    engine = create_engine(url, hide_parameters=True, connect_args={"timeout": _BUSY_MILLISECONDS / 1000})

    @event.listens_for(engine, "connect")
    def _settings(connection: Any, _record: object) -> None:
        connection.isolation_level = None  # transactions begin where we say so
        for pragma in ("journal_mode=WAL", "foreign_keys=ON", f"busy_timeout={_BUSY_MILLISECONDS}", "synchronous=FULL"):
            connection.execute(f"PRAGMA {pragma}")

    @event.listens_for(engine, "begin")
    def _begin(connection: Connection) -> None:
        writes = connection.get_execution_options().get("writes")
        connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")

    return engine


@contextmanager
def writing(engine: Engine) -> Iterator[Connection]:
    """A transaction that may write: all of it is kept, or nothing."""
    with _told(), engine.connect().execution_options(writes=True) as connection, connection.begin():
        if connection.dialect.name == "postgresql":
            connection.execute(text("SELECT pg_advisory_xact_lock(:lock)"), {"lock": _LOCK})
        yield connection


@contextmanager
def reading(engine: Engine) -> Iterator[Connection]:
    """A transaction that sees one state of the data."""
    steady = {"isolation_level": "REPEATABLE READ"} if engine.dialect.name == "postgresql" else {}
    with _told(), engine.connect().execution_options(writes=False, **steady) as connection, connection.begin():
        yield connection


@contextmanager
def _told() -> Iterator[None]:
    """Failures of the database as refusals; the statement stays out of the message, for it may hold names."""
    try:
        yield
    except IntegrityError:  # another process was faster: its caller looks again
        raise
    except DBAPIError as problem:
        raise Refused("database-failed", "", detail=type(problem.orig).__name__) from problem
    except SQLAlchemyError as problem:
        raise Refused("database-failed", "", detail=type(problem).__name__) from problem


def _config(url: str) -> Config:
    config = Config()
    config.set_main_option("script_location", str(Path(str(files("formsvc.store") / "migrations"))))
    config.set_main_option("sqlalchemy.url", url.replace("%", "%%"))
    return config


def migrate(engine: Engine) -> None:
    """Bring the tables to this version; refuses a database of a newer one."""
    with reading(engine) as connection:
        at = revision_of(connection)
    if at == head_revision():
        return
    config = _config(engine.url.render_as_string(hide_password=False))
    scripts = ScriptDirectory.from_config(config)
    if at is not None and at not in {script.revision for script in scripts.walk_revisions()}:
        raise Refused("database-newer", "")
    with writing(engine) as connection:  # under the writers' lock: two processes that start together do it once
        config.attributes["connection"] = connection
        command.upgrade(config, "head")


def revision_of(connection: Connection) -> str | None:
    """The version of the tables."""
    return MigrationContext.configure(connection).get_current_revision()


@cache
def head_revision() -> str | None:
    """The version of the tables that this code knows."""
    return ScriptDirectory.from_config(_config("sqlite://")).get_current_head()
