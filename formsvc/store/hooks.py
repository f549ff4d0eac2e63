"""Webhooks: what other programs want to be told, and every delivery with what became of it."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Literal, cast

from sqlalchemy import Connection, Row, delete, func, select, update

from formsvc.store.log import now
from formsvc.store.rows import inserted
from formsvc.store.schema_people import deliveries, hooks

DeliveryState = Literal["waiting", "told", "given-up"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Hook:
    """Where a program is told of events that a person may know of."""

    id: int
    person: int
    url: str
    events: tuple[str, ...]
    active: bool
    at: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Delivery:
    """An event for a hook. `told` are ids only; `status` is the last answer's, `why` the code of the last failure."""

    id: int
    hook: int
    event: str
    told: Mapping[str, Any]
    state: DeliveryState
    tries: int
    next: str
    status: int
    why: str
    at: str


def _hook(row: Row[Any]) -> Hook:
    return Hook(id=row.id, person=row.person_id, url=row.url, events=tuple(row.events), active=row.active, at=row.at)


def _delivery(row: Row[Any]) -> Delivery:
    return Delivery(
        id=row.id, hook=row.hook_id, event=row.event, told=row.told, state=cast("DeliveryState", row.state), tries=row.tries, next=row.next, status=row.status, why=row.why, at=row.at,
    )  # fmt: skip


# ---------------------------------------------------------------- hooks


def add_hook(connection: Connection, *, person: int, url: str, secret: str, events: Iterable[str]) -> int:
    """A new hook with its sealed secret; its key."""
    return inserted(connection, hooks, person_id=person, url=url, secret=secret, events=sorted(set(events)), at=now())


def read_hooks(connection: Connection) -> tuple[Hook, ...]:
    """Every hook, the oldest first."""
    return tuple(_hook(row) for row in connection.execute(select(hooks).order_by(hooks.c.id)))


def find_hook(connection: Connection, key: int) -> Hook | None:
    """A hook by its key."""
    row = connection.execute(select(hooks).where(hooks.c.id == key)).first()
    return _hook(row) if row else None


def hook_secret(connection: Connection, key: int) -> str:
    """A hook's secret, sealed."""
    return str(connection.execute(select(hooks.c.secret).where(hooks.c.id == key)).scalar_one())


def change_hook(connection: Connection, key: int, **columns: Any) -> None:
    """Change a hook's row."""
    connection.execute(update(hooks).where(hooks.c.id == key).values(**columns))


def remove_hook(connection: Connection, key: int) -> None:
    """Forget a hook and its deliveries."""
    connection.execute(delete(deliveries).where(deliveries.c.hook_id == key))
    connection.execute(delete(hooks).where(hooks.c.id == key))


# ---------------------------------------------------------------- deliveries


def add_delivery(connection: Connection, hook: int, event: str, told: Mapping[str, Any]) -> int:
    """An event that waits to be told; its key."""
    return inserted(connection, deliveries, hook_id=hook, event=event, told=dict(told), state="waiting", next=now(), at=now())


def read_deliveries(connection: Connection, hook: int, *, before: int | None = None, most: int = 100) -> tuple[Delivery, ...]:
    """A hook's deliveries, the newest first, perhaps only those before one."""
    wanted = select(deliveries).where(deliveries.c.hook_id == hook).order_by(deliveries.c.id.desc()).limit(most)
    return tuple(_delivery(row) for row in connection.execute(wanted if before is None else wanted.where(deliveries.c.id < before)))


def find_delivery(connection: Connection, key: int) -> Delivery | None:
    """A delivery by its key."""
    row = connection.execute(select(deliveries).where(deliveries.c.id == key)).first()
    return _delivery(row) if row else None


def change_delivery(connection: Connection, key: int, **columns: Any) -> None:
    """Change a delivery's row."""
    connection.execute(update(deliveries).where(deliveries.c.id == key).values(**columns))


def count_deliveries(connection: Connection) -> Mapping[tuple[int, str], int]:
    """How many deliveries of each hook are in each state."""
    wanted = select(deliveries.c.hook_id, deliveries.c.state, func.count().label("count")).group_by(deliveries.c.hook_id, deliveries.c.state)
    return {(row.hook_id, row.state): row._mapping["count"] for row in connection.execute(wanted)}


def _due() -> Any:
    return select(deliveries).join(hooks).where(deliveries.c.state == "waiting", deliveries.c.next <= now(), hooks.c.active)


def is_any_due(connection: Connection) -> bool:
    """Whether something is to be told: a look that locks nothing."""
    return connection.execute(_due().limit(1)).first() is not None


def claim_delivery(connection: Connection, until: str) -> Delivery | None:
    """Take the oldest delivery that is due; inside the writers' transaction. Whoever dies with it lets it wait until then."""
    row = connection.execute(_due().order_by(deliveries.c.next, deliveries.c.id).limit(1)).first()
    if row is None:
        return None
    change_delivery(connection, row.id, next=until, tries=row.tries + 1)
    return find_delivery(connection, row.id)


def postpone_deliveries(connection: Connection, hook: int, until: str) -> None:
    """Let everything that waits for a hook wait at least until then: its program does not answer."""
    late = (deliveries.c.hook_id == hook, deliveries.c.state == "waiting", deliveries.c.next < until)
    connection.execute(update(deliveries).where(*late).values(next=until))


def forget_deliveries(connection: Connection, before: str) -> int:
    """Forget what was told or given up before a moment; how many."""
    return connection.execute(delete(deliveries).where(deliveries.c.state != "waiting", deliveries.c.at < before)).rowcount
