"""Work in the background: what is to be done, who does it, how far it is. The table is the truth, not a queue.

A worker takes a job for a time (its lease) and asks for more while it goes on; a job whose worker died
is taken by another one.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Final, Literal

from sqlalchemy import Connection, Row, and_, delete, func, or_, select, update

from formsvc.store.log import now
from formsvc.store.rows import inserted
from formsvc.store.schema import documents, files, returns
from formsvc.store.schema_people import jobs

State = Literal["waiting", "running", "done", "failed", "cancelled"]
ENDED: Final = ("done", "failed", "cancelled")
LEASE: Final = timedelta(seconds=180)
MOST_TRIES: Final = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class Job:
    """Something to be done in the background. `facts` say what, `result` what came of it."""

    id: int
    batch: str
    kind: str
    state: State
    person: int | None
    facts: Mapping[str, Any]
    file: str | None
    done: int
    total: int
    result: Mapping[str, Any]
    tries: int
    at: str
    changed: str

    @property
    def is_ended(self) -> bool:
        """Whether nothing more will happen to it."""
        return self.state in ENDED


def _job(row: Row[Any]) -> Job:
    return Job(
        id=row.id,
        batch=row.batch,
        kind=row.kind,
        state=row.state,
        person=row.person_id,
        facts=row.facts,
        file=row.file,
        done=row.done,
        total=row.total,
        result=row.result or {},
        tries=row.tries,
        at=row.at,
        changed=row.changed,
    )


def add_job(connection: Connection, kind: str, *, batch: str, person: int | None, facts: Mapping[str, Any], file: str | None = None, total: int = 0) -> int:
    """A job that waits; its number."""
    return inserted(connection, jobs, batch=batch, kind=kind, state="waiting", person_id=person, facts=dict(facts), file=file, total=total, at=now(), changed=now())


def read_job(connection: Connection, number: int) -> Job | None:
    """A job by its number."""
    row = connection.execute(select(jobs).where(jobs.c.id == number)).first()
    return _job(row) if row else None


def read_jobs(connection: Connection, *, person: int | None = None, batch: str | None = None, kind: str | None = None, before: int | None = None, most: int = 500) -> tuple[Job, ...]:
    """Jobs, the newest first; those of a batch in their order."""
    wanted = select(jobs).limit(most)
    if person is not None:
        wanted = wanted.where(jobs.c.person_id == person)
    if kind is not None:
        wanted = wanted.where(jobs.c.kind == kind)
    if before is not None:
        wanted = wanted.where(jobs.c.id < before)
    wanted = wanted.where(jobs.c.batch == batch).order_by(jobs.c.id) if batch is not None else wanted.order_by(jobs.c.id.desc())
    return tuple(_job(row) for row in connection.execute(wanted))


def count_jobs(connection: Connection) -> dict[str, int]:
    """How many jobs are in each state."""
    return {row[0]: row[1] for row in connection.execute(select(jobs.c.state, func.count()).group_by(jobs.c.state))}


# ---------------------------------------------------------------- a worker's side


def _free() -> Any:
    return or_(jobs.c.state == "waiting", and_(jobs.c.state == "running", jobs.c.lease < now()))


def is_any_free(connection: Connection) -> bool:
    """Whether a job waits: a look that locks nothing."""
    return connection.execute(select(jobs.c.id).where(_free()).limit(1)).first() is not None


def claim(connection: Connection, worker: str) -> Job | None:
    """Take the oldest job that waits or whose worker died; inside the writers' transaction. A job that killed its workers is given up."""
    row = connection.execute(select(jobs).where(_free()).order_by(jobs.c.id).limit(1)).first()
    if row is None:
        return None
    if row.tries >= MOST_TRIES:
        end(connection, row.id, "failed", {"code": "job-given-up"})
        return claim(connection, worker)
    connection.execute(update(jobs).where(jobs.c.id == row.id).values(state="running", worker=worker, lease=_lease(), tries=row.tries + 1, changed=now()))
    return read_job(connection, row.id)


def _lease() -> str:
    return (datetime.now(UTC) + LEASE).isoformat(timespec="seconds")


def go_on(connection: Connection, number: int, worker: str, done: int, total: int) -> bool:
    """Tell how far a job is and keep it; False if it was cancelled or taken by another worker."""
    mine = (jobs.c.id == number, jobs.c.worker == worker, jobs.c.state == "running")
    return connection.execute(update(jobs).where(*mine).values(done=done, total=total, lease=_lease(), changed=now())).rowcount == 1


def end(connection: Connection, number: int, state: State, result: Mapping[str, Any], *, worker: str | None = None, file: str | None = None) -> bool:
    """End a job with what came of it; False if it was not this worker's any more."""
    mine = [jobs.c.id == number, *([jobs.c.worker == worker, jobs.c.state == "running"] if worker is not None else [])]
    values: dict[str, Any] = {"state": state, "result": dict(result), "lease": "", "changed": now()}
    if state == "done":
        values["done"] = func.max(jobs.c.total, 1) if connection.dialect.name == "sqlite" else func.greatest(jobs.c.total, 1)
    return connection.execute(update(jobs).where(*mine).values(**values, **({"file": file} if file is not None else {}))).rowcount == 1


def release(connection: Connection, worker: str) -> int:
    """Let go of the jobs of a worker that died; how many."""
    return connection.execute(update(jobs).where(jobs.c.worker == worker, jobs.c.state == "running").values(state="waiting", lease="", changed=now())).rowcount


# ---------------------------------------------------------------- a person's side


def cancel(connection: Connection, number: int) -> bool:
    """Cancel a job that has not ended; False if it has, or if a returned paper is being read: that cannot be taken back half way."""
    may = or_(jobs.c.state == "waiting", and_(jobs.c.state == "running", jobs.c.kind != "receive"))
    return connection.execute(update(jobs).where(jobs.c.id == number, may).values(state="cancelled", lease="", changed=now())).rowcount == 1


def retry(connection: Connection, number: int) -> bool:
    """Let a job that failed or was cancelled wait again; False if it did not."""
    again = {"state": "waiting", "tries": 0, "result": None, "done": 0, "changed": now()}
    return connection.execute(update(jobs).where(jobs.c.id == number, jobs.c.state.in_(("failed", "cancelled"))).values(**again)).rowcount == 1


def forget_file(connection: Connection, number: int) -> str | None:
    """Let a job hold its file no more; the file's name if nothing else holds it, to be removed from the vault afterwards."""
    name: str | None = connection.execute(select(jobs.c.file).where(jobs.c.id == number)).scalar()
    if name is None:
        return None
    connection.execute(update(jobs).where(jobs.c.id == number).values(file=None))
    held = (select(table.c.file).where(table.c.file == name).limit(1) for table in (documents, returns, jobs))
    if any(connection.execute(wanted).first() for wanted in held):
        return None
    connection.execute(delete(files).where(files.c.name == name))
    return name


def ended_before(connection: Connection, moment: str, *, made: bool = False) -> Iterable[int]:
    """The jobs that ended before a moment; or only those whose file was made by us and can be made again."""
    wanted = select(jobs.c.id).where(jobs.c.state.in_(ENDED), jobs.c.changed < moment)
    return tuple(connection.scalars(wanted.where(jobs.c.kind != "receive") if made else wanted))


def remove_job(connection: Connection, number: int) -> None:
    """Forget a job."""
    connection.execute(delete(jobs).where(jobs.c.id == number))
