"""Follow-up actions as they are kept: what each sheet told about them, and how they stand."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, delete, insert, or_, select, update

from formsvc.store.schema import action_children, action_events, actions, sheets


@dataclass(frozen=True, slots=True, kw_only=True)
class KeptEvent:
    """What a sheet told about an action."""

    action: str
    sheet: int
    form: str
    month: str
    facts: Mapping[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class KeptAction:
    """An action as it stands; `unit` is where it was first written."""

    id: str
    sheet: int
    unit: int
    row: str
    opened: str
    latest: str
    open: bool
    facts: Mapping[str, Any]
    children: tuple[int, ...]


def read_actions(connection: Connection, *, children: Iterable[int] | None = None, unit: int | None = None, only_open: bool = False, ids: Sequence[str] | None = None) -> tuple[KeptAction, ...]:
    """The actions of these children (and those of a unit that are about no known child), the oldest first."""
    wanted = select(actions, sheets.c.unit_id).join(sheets).order_by(actions.c.opened, actions.c.id)
    if only_open:
        wanted = wanted.where(actions.c.open)
    if ids is not None:
        wanted = wanted.where(actions.c.id.in_(ids))
    if children is not None:
        about = actions.c.id.in_(select(action_children.c.action).where(action_children.c.child.in_(tuple(children))))
        wanted = wanted.where(or_(about, (sheets.c.unit_id == unit) & ~actions.c.id.in_(select(action_children.c.action))))
    rows = connection.execute(wanted).all()
    people = _children(connection, [row.id for row in rows])
    return tuple(
        KeptAction(id=row.id, sheet=row.sheet_id, unit=row.unit_id, row=row.row, opened=row.opened, latest=row.latest, open=row.open, facts=row.facts, children=people.get(row.id, ())) for row in rows
    )


def _children(connection: Connection, ids: Sequence[str]) -> Mapping[str, tuple[int, ...]]:
    found: dict[str, tuple[int, ...]] = {}
    for some in _slices(ids):
        for row in connection.execute(select(action_children).where(action_children.c.action.in_(some)).order_by(action_children.c.child)):
            found[row.action] = (*found.get(row.action, ()), row.child)
    return found


def read_events(connection: Connection, ids: Sequence[str]) -> tuple[KeptEvent, ...]:
    """What was told about these actions."""
    return tuple(
        KeptEvent(action=row.action, sheet=row.sheet_id, form=row.form, month=row.month, facts=row.facts)
        for some in _slices(ids)
        for row in connection.execute(select(action_events, sheets.c.form).join(sheets).where(action_events.c.action.in_(some)).order_by(action_events.c.month))
    )


def events_of_sheet(connection: Connection, sheet: int) -> Mapping[str, Mapping[str, Any]]:
    """What a sheet told, by action."""
    return {row.action: row.facts for row in connection.execute(select(action_events).where(action_events.c.sheet_id == sheet))}


def put_event(connection: Connection, event: KeptEvent, *, known: bool) -> None:
    """What a sheet tells about an action now."""
    if known:
        same = (action_events.c.action == event.action, action_events.c.sheet_id == event.sheet)
        connection.execute(update(action_events).where(*same).values(facts=dict(event.facts)))
    else:
        connection.execute(insert(action_events).values(action=event.action, sheet_id=event.sheet, month=event.month, facts=dict(event.facts)))


def drop_event(connection: Connection, action: str, sheet: int) -> None:
    """A sheet tells nothing about an action any more."""
    connection.execute(delete(action_events).where(action_events.c.action == action, action_events.c.sheet_id == sheet))


def make_action(connection: Connection, action: str, sheet: int, row: str, month: str) -> None:
    """An action is born, if it is not there."""
    if not connection.execute(select(actions.c.id).where(actions.c.id == action)).first():
        connection.execute(insert(actions).values(id=action, sheet_id=sheet, row=row, opened=month, latest=month, open=True, facts={}))


def set_children(connection: Connection, action: str, children: Sequence[int]) -> None:
    """Whom an action is about."""
    connection.execute(delete(action_children).where(action_children.c.action == action))
    for child in dict.fromkeys(children):
        connection.execute(insert(action_children).values(action=action, child=child))


def put_standing(connection: Connection, action: str, *, opened: str, latest: str, is_open: bool, facts: Mapping[str, Any]) -> None:
    """How an action stands."""
    connection.execute(update(actions).where(actions.c.id == action).values(opened=opened, latest=latest, open=is_open, facts=dict(facts)))


def _slices(ids: Sequence[str], size: int = 500) -> Iterable[Sequence[str]]:
    """Lists short enough for a statement."""
    return (ids[start : start + size] for start in range(0, len(ids), size))
