"""How the installation is: database, stored files, room on the disk, work in the background, fonts, backups. Looks, and changes nothing."""

import platform
import shutil
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cache
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any, Final, Literal

import pikepdf
from sqlalchemy import Connection, func, select, text

from formsvc import __version__
from formsvc.errors import Refused
from formsvc.model.scripts import SCRIPTS
from formsvc.office.office import Office
from formsvc.renderers.faces import coverage
from formsvc.store.engine import head_revision, revision_of
from formsvc.store.jobs import count_jobs
from formsvc.store.schema import files, logs
from formsvc.store.schema_people import jobs, people
from formsvc.store.workers import Worker, beat, forget_workers, read_workers

State = Literal["fine", "look", "broken"]
_SILENT: Final = timedelta(seconds=60)
"""A worker that said nothing for so long, and has no job in hand, is not alive."""
_FORGOTTEN: Final = timedelta(days=1)
_WAITS: Final = timedelta(minutes=2)
_FAILED: Final = timedelta(days=7)
_BACKUP: Final = timedelta(days=7)
_LITTLE, _NOTHING = 2_000_000_000, 200_000_000
_PACKAGES: Final = ("Flask", "SQLAlchemy", "WeasyPrint", "pypdfium2", "docxtpl", "cryptography", "gunicorn")


@dataclass(frozen=True, slots=True, kw_only=True)
class Check:
    """One thing that was looked at; `facts` are numbers and names for its sentence."""

    name: str
    state: State
    facts: Mapping[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Health:
    """Everything that was looked at, and the versions of what is at work."""

    checks: tuple[Check, ...]
    workers: tuple[Worker, ...]
    versions: tuple[tuple[str, str], ...]

    @property
    def state(self) -> State:
        """The worst of all."""
        states = {check.state for check in self.checks}
        return "broken" if "broken" in states else "look" if "look" in states else "fine"


def look(office: Office) -> Health:
    """How the installation is now; what cannot be looked at is broken."""
    checks = tuple(check for part in (_database, _stored, _disks, _work, _backup, _templates, _fonts) for check in _looked(office, part))
    try:
        with office.store.reading() as connection:
            alive = tuple(worker for worker in read_workers(connection) if worker.seen >= _since(_SILENT) or worker.name in _busy(connection))
    except Refused:
        alive = ()
    return Health(checks=checks, workers=alive, versions=tuple(_versions()))


def _looked(office: Office, part: Callable[[Office], Iterator[Check]]) -> Iterator[Check]:
    try:
        yield from part(office)
    except Refused as refused:
        yield Check(name=part.__name__.removeprefix("_"), state="broken", facts={"code": refused.code, "message": refused.message})


def is_ready(office: Office) -> bool:
    """Whether requests can be answered: the database at its version, stored files in reach."""
    try:
        with office.store.reading() as connection:
            is_current = revision_of(connection) == head_revision()
        office.store.vault.has("0" * 64)
    except Refused:
        return False
    return is_current


def _since(span: timedelta) -> str:
    return (datetime.now(UTC) - span).isoformat(timespec="seconds")


# ---------------------------------------------------------------- what is kept


def _database(office: Office) -> Iterator[Check]:
    with office.store.reading() as connection:
        at, head = revision_of(connection), head_revision()
        entries = connection.execute(select(func.count()).select_from(logs)).scalar_one()
        active = connection.execute(select(func.count()).select_from(people).where(people.c.active)).scalar_one()
        facts = {"kind": _kind(connection), "size": _size(connection), "revision": at, "head": head, "entries": entries, "people": active}
    yield Check(name="database", state="fine" if at == head else "broken", facts=facts)


def _kind(connection: Connection) -> str:
    if connection.dialect.name == "sqlite":
        return f"SQLite {connection.exec_driver_sql('select sqlite_version()').scalar()}"
    return f"PostgreSQL {str(connection.exec_driver_sql('show server_version').scalar()).split()[0]}"


def _size(connection: Connection) -> int:
    asked = "select page_count * page_size from pragma_page_count(), pragma_page_size()" if connection.dialect.name == "sqlite" else "select pg_database_size(current_database())"
    return int(connection.execute(text(asked)).scalar() or 0)


def _stored(office: Office) -> Iterator[Check]:
    """Stored files: how many, and whether the latest one opens with the keys that are here."""
    with office.store.reading() as connection:
        kept = connection.execute(select(func.count(), func.coalesce(func.sum(files.c.size), 0)).where(files.c.state == "kept")).one()
        late = connection.execute(select(func.count()).select_from(files).where(files.c.state == "arriving", files.c.at < _since(timedelta(hours=1)))).scalar_one()
        newest = connection.execute(select(files.c.name).where(files.c.state == "kept").order_by(files.c.at.desc()).limit(1)).scalar()
    problem = office.store.vault.check(newest) if newest else None
    facts = {"files": int(kept[0]), "size": int(kept[1]), "late": late, "problem": problem or ""}
    yield Check(name="stored", state="broken" if problem else "look" if late else "fine", facts=facts)


def _disks(office: Office) -> Iterator[Check]:
    """Room on the disks of data, blanks and templates."""
    settings = office.service.settings
    seen: set[int] = set()
    for name, folder in (("data", settings.data), ("cache", settings.cache), ("templates", settings.templates)):
        place = _existing(folder) if folder else None
        if place is None or (device := place.stat().st_dev) in seen:
            continue
        seen.add(device)
        room = shutil.disk_usage(place)
        yield Check(name="disk", state="broken" if room.free < _NOTHING else "look" if room.free < _LITTLE else "fine", facts={"place": name, "free": room.free, "total": room.total})


def _existing(folder: Path) -> Path | None:
    return next((place for place in (folder, *folder.parents) if place.is_dir()), None)


# ---------------------------------------------------------------- work in the background


def _work(office: Office) -> Iterator[Check]:
    with office.store.reading() as connection:
        counts = count_jobs(connection)
        oldest = connection.execute(select(func.min(jobs.c.at)).where(jobs.c.state == "waiting")).scalar()
        failed = connection.execute(select(func.count()).select_from(jobs).where(jobs.c.state == "failed", jobs.c.changed >= _since(_FAILED))).scalar_one()
        busy = _busy(connection)
        alive = {worker.name for worker in read_workers(connection) if worker.seen >= _since(_SILENT)} | busy
    waiting, is_late = counts.get("waiting", 0), bool(oldest and oldest < _since(_WAITS))
    yield Check(name="workers", state="fine" if alive else "broken" if waiting else "look", facts={"alive": len(alive), "busy": len(busy)})
    yield Check(name="jobs", state="look" if is_late or failed else "fine", facts={"waiting": waiting, "running": counts.get("running", 0), "failed": failed, "oldest": oldest or ""})


def _busy(connection: Connection) -> set[str]:
    """Workers with a job in hand."""
    return set(connection.scalars(select(jobs.c.worker).where(jobs.c.state == "running", jobs.c.lease >= _since(timedelta()))))


def tell_alive(office: Office, worker: str) -> None:
    """A worker says that it is alive; those that were silent for a day are forgotten."""
    with office.store.writing() as connection:
        beat(connection, worker)
        forget_workers(connection, silent_since=_since(_FORGOTTEN))


def tell_ended(office: Office, worker: str) -> None:
    """A worker ends its work."""
    with office.store.writing() as connection:
        forget_workers(connection, worker)


# ---------------------------------------------------------------- care


def _backup(office: Office) -> Iterator[Check]:
    with office.store.reading() as connection:
        last = connection.execute(select(func.max(logs.c.at)).where(logs.c.subject == "store", logs.c.event == "backed-up")).scalar()
    yield Check(name="backup", state="fine" if last and last >= _since(_BACKUP) else "look", facts={"last": last or ""})


def _templates(office: Office) -> Iterator[Check]:
    folder = office.service.settings.templates
    yield Check(name="templates", state="fine", facts={"own": folder is not None, "forms": len({form_id.name for form_id in office.catalog.ids()})})


def _fonts(_office: Office) -> Iterator[Check]:
    missing = _missing_scripts()
    yield Check(name="fonts", state="look" if missing else "fine", facts={"drawn": len(SCRIPTS) - len(missing), "of": len(SCRIPTS), "missing": ", ".join(missing)})


@cache
def _missing_scripts() -> tuple[str, ...]:
    return tuple(script for script, family in coverage(SCRIPTS) if family is None)


def _versions() -> Iterator[tuple[str, str]]:
    yield "formsvc", __version__
    yield "Python", platform.python_version()
    for name in _PACKAGES:
        try:
            yield name, version(name)
        except PackageNotFoundError:
            continue
    yield "pikepdf", f"{pikepdf.__version__} (qpdf {pikepdf.__libqpdf_version__})"
