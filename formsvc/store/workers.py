"""Workers in the background: each says every few seconds that it is alive."""

from dataclasses import dataclass

from sqlalchemy import Connection, delete, insert, select, update

from formsvc.store.log import now
from formsvc.store.schema_people import workers


@dataclass(frozen=True, slots=True, kw_only=True)
class Worker:
    """A worker that was alive lately."""

    name: str
    started: str
    seen: str


def beat(connection: Connection, name: str) -> None:
    """A worker is alive."""
    if not connection.execute(update(workers).where(workers.c.name == name).values(seen=now())).rowcount:
        connection.execute(insert(workers).values(name=name, started=now(), seen=now()))


def read_workers(connection: Connection) -> tuple[Worker, ...]:
    """Every worker that has not said farewell, the latest first."""
    return tuple(Worker(name=row.name, started=row.started, seen=row.seen) for row in connection.execute(select(workers).order_by(workers.c.seen.desc(), workers.c.name)))


def forget_workers(connection: Connection, *names: str, silent_since: str = "") -> None:
    """Forget workers that ended, and those that were silent since a moment."""
    connection.execute(delete(workers).where(workers.c.name.in_(names) | (workers.c.seen < silent_since)))
