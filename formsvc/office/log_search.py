"""Searches both logs: by who, what, when, and about whom: “who saw this child's record”.

The logs name things by number only, so a child is looked up in the papers first: its rows tell which sheets,
editions, returns and cases are about it. A paper that lists a whole class is about every child on it.
"""

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import Any, Final
from zoneinfo import ZoneInfo

from sqlalchemy import ColumnElement, Connection, Row, String, and_, cast, false, func, or_, select

from formsvc.errors import Refused
from formsvc.model.values import plain
from formsvc.office.exported import tell
from formsvc.office.office import Office
from formsvc.renderers.tables import Cell, Sheet
from formsvc.store.log import LOGS, LogName, faults
from formsvc.store.papers import said_sheet
from formsvc.store.roster import read_units
from formsvc.store.schema import action_children, action_events, cases, children, consents, documents, enrolments, logs, questions, returns, revisions, sheets
from formsvc.store.schema_people import people

SAW: Final = ("seen", "exported", "disclosed", "filled-on-screen")
"""Events by which somebody came to know what a record says."""
EVERYBODY: Final = ("actions", "case-notes", "monitoring", "follow-ups")
"""Lists and exports that may hold any child."""
MOST_EXPORTED: Final = 100_000
_SHOWN_FAULTS: Final = 20


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """What is searched for; nothing given: everything. `person` 0 means whoever does not sign in: commands, programs."""

    log: LogName | None = None
    events: tuple[str, ...] = ()
    person: int | None = None
    child: int | None = None
    first: date | None = None
    last: date | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """An entry of a log. `about` says in words what its subject is, where that is known."""

    log: LogName
    number: int
    at: str
    by: str
    event: str
    subject: str
    about: str
    facts: Mapping[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """A page of entries, the newest first, and how many there are in all."""

    entries: tuple[Entry, ...]
    count: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Chain:
    """Whether a log holds together: how many entries it has, and the first places where it does not."""

    log: LogName
    entries: int
    faults: tuple[str, ...] = ()


def search(office: Office, wanted: Wanted, *, first: int = 0, most: int = 50) -> Found:
    """A page of the entries that are wanted."""
    with office.store.reading() as connection:
        where = _where(office, connection, wanted)
        count = connection.execute(select(func.count()).select_from(logs).where(where)).scalar_one()
        order = (logs.c.number.desc(),) if wanted.log else (logs.c.at.desc(), logs.c.log, logs.c.number.desc())
        rows = connection.execute(select(logs).where(where).order_by(*order).offset(first).limit(most)).all()
        return Found(entries=tuple(_entries(connection, rows)), count=count)


def known_events(office: Office) -> tuple[str, ...]:
    """What ever happened, by name."""
    with office.store.reading() as connection:
        return tuple(connection.scalars(select(logs.c.event).distinct().order_by(logs.c.event)))


def child_key(office: Office, child_id: str) -> int:
    """The number of the child with that id (of an erased one: with its pseudonym); refuses one that is not here."""
    with office.store.reading() as connection:
        key = connection.scalar(select(children.c.id).where(children.c.child_id == child_id.strip()))
    if key is None:
        raise Refused("child-unknown")
    return int(key)


def child_id_of(office: Office, key: int) -> str:
    """The id of a child by its number; refuses one that is not here."""
    with office.store.reading() as connection:
        found = connection.scalar(select(children.c.child_id).where(children.c.id == key))
    if found is None:
        raise Refused("child-unknown")
    return str(found)


# ---------------------------------------------------------------- which entries


def _where(office: Office, connection: Connection, wanted: Wanted) -> ColumnElement[bool]:
    zone = ZoneInfo(office.catalog.profile.zone)
    parts: list[ColumnElement[bool]] = [logs.c.log == wanted.log if wanted.log else logs.c.log.in_(LOGS)]
    if wanted.events:
        parts.append(logs.c.event.in_(wanted.events))
    if wanted.person is not None:
        parts.append(_by(connection, wanted.person))
    if wanted.first is not None:
        parts.append(logs.c.at >= _moment(wanted.first, zone))
    if wanted.last is not None:
        parts.append(logs.c.at < _moment(wanted.last + timedelta(days=1), zone))
    if wanted.child is not None:
        parts.append(_about(connection, wanted.child))
    return and_(*parts)


def _by(connection: Connection, person: int) -> ColumnElement[bool]:
    if not person:
        return logs.c.by.not_in(select(people.c.name))
    name = connection.scalar(select(people.c.name).where(people.c.id == person))
    return logs.c.by == name if name is not None else false()


def _moment(day: date, zone: ZoneInfo) -> str:
    """The beginning of a day in the agency's zone, as the log writes moments."""
    return datetime.combine(day, time(), zone).astimezone(UTC).isoformat(timespec="seconds")


def _about(connection: Connection, child: int) -> ColumnElement[bool]:
    """The child's own entries, and the lists and exports that hold everybody."""
    lists = [logs.c.subject.like(f"{name}:%") for name in EVERYBODY]
    return or_(logs.c.subject.in_(sorted(subjects_of(connection, child))), and_(logs.c.event.in_(("seen", "exported")), or_(*lists)))


# ---------------------------------------------------------------- a child's papers


def subjects_of(connection: Connection, child: int) -> frozenset[str]:
    """How the logs call what is about a child: the child itself, its sheets with their editions, returns and questions, its cases."""
    row = connection.execute(select(children).where(children.c.id == child)).first()
    if row is None:
        return frozenset()
    known = _sheets_of(connection, row)
    found = {f"child:{child}", *(f"sheet:{sheet}" for sheet in known)}
    for some in _slices(sorted(known)):
        found.update(connection.scalars(select(documents.c.id).where(documents.c.sheet_id.in_(some))))
        found.update(f"return:{key}" for key in connection.scalars(select(returns.c.id).where(returns.c.sheet_id.in_(some))))
        found.update(f"question:{key}" for key in connection.scalars(select(questions.c.id).where(questions.c.sheet_id.in_(some))))
    found.update(f"return:{key}" for key in connection.scalars(select(returns.c.id).where(_says(returns.c["values"], "child_id", row.child_id))))
    return frozenset(found | {f"case:{number}" for number in _cases_of(connection, row)})


def _sheets_of(connection: Connection, child: Row[Any]) -> set[int]:
    """The sheets on which a child has a row: printed by us, known since, or written in by hand; those of its actions too."""
    actions = list(connection.scalars(select(action_children.c.action).where(action_children.c.child == child.id)))
    own, values = [f"c{child.id}", *(f"a{action}" for action in actions)], revisions.c["values"]
    found = set(connection.scalars(select(documents.c.sheet_id).where(_lists(documents.c.rows, own))))
    found.update(connection.scalars(select(revisions.c.sheet_id).where(or_(_lists(revisions.c.rows, own), _says(values, "child_id", child.child_id)))))
    found.update(connection.scalars(select(action_events.c.sheet_id).where(action_events.c.action.in_(actions))))
    units = select(enrolments.c.unit_id).where(enrolments.c.child == child.id)
    found.update(connection.scalars(select(revisions.c.sheet_id).join(sheets).where(sheets.c.unit_id.in_(units), _says(values, "child_name", child.name))))
    return found


def _lists(column: ColumnElement[Any], texts: Iterable[str]) -> ColumnElement[bool]:
    """Whether some JSON has exactly one of these texts in it."""
    return or_(*(cast(column, String).contains(json.dumps(text), autoescape=True) for text in texts))


def _says(column: ColumnElement[Any], name: str, text: str) -> ColumnElement[bool]:
    """Whether some JSON has this text under this name."""
    return cast(column, String).contains(json.dumps({name: text})[1:-1], autoescape=True)


def _cases_of(connection: Connection, child: Row[Any]) -> set[str]:
    """The cases whose consents name the child, and those of a client of its name (and birth date, where both tell it)."""
    found = set(connection.scalars(select(cases.c.name).join(consents, consents.c.case_id == cases.c.id).where(consents.c.child == child.id)))
    born = child.birth_date.isoformat() if child.birth_date else ""
    for row in connection.execute(select(cases.c.name, cases.c.data)):
        client = row.data.get("client") if isinstance(row.data, dict) else None
        told = client if isinstance(client, dict) else {}
        if plain(str(told.get("name", ""))) == plain(child.name) and born in ("", str(told.get("birth_date") or born)):
            found.add(row.name)
    return found


def _slices(keys: Sequence[int], size: int = 500) -> Iterable[Sequence[int]]:
    return (keys[start : start + size] for start in range(0, len(keys), size))


# ---------------------------------------------------------------- in words


def _entries(connection: Connection, rows: Iterable[Row[Any]]) -> Iterable[Entry]:
    known: dict[str, str] = {}
    for row in rows:
        if row.subject not in known:
            known[row.subject] = said_subject(connection, row.subject)
        yield Entry(log=row.log, number=row.number, at=row.at, by=row.by, event=row.event, subject=row.subject, about=known[row.subject], facts=row.facts)


def said_subject(connection: Connection, subject: str) -> str:
    """What a subject is, in words: a paper with its place, a person; never a child's name."""
    kind, _, number = subject.partition(":")
    key = int(number) if number.isascii() and number.isdecimal() and len(number) < 10 else None  # noqa: PLR2004  (what every database takes)
    match kind:
        case "sheet":
            return said_sheet(connection, key)
        case "return":
            return said_sheet(connection, connection.scalar(select(returns.c.sheet_id).where(returns.c.id == key)))
        case "question":
            return said_sheet(connection, connection.scalar(select(questions.c.sheet_id).where(questions.c.id == key)))
        case "person":
            return str(connection.scalar(select(people.c.shown).where(people.c.id == key)) or "")
        case "unit":
            return next((f"{unit.site}, {unit.name}" for unit in read_units(connection, key=key)), "") if key is not None else ""
        case "child":
            return str(connection.scalar(select(children.c.child_id).where(children.c.id == key)) or "")
    return said_sheet(connection, connection.scalar(select(documents.c.sheet_id).where(documents.c.id == subject)))


# ---------------------------------------------------------------- taken along, checked


def export_log(office: Office, wanted: Wanted) -> Sheet:
    """The entries that are wanted, the oldest first, as a table; refuses more than fit in a hand."""
    with office.store.reading() as connection:
        where = _where(office, connection, wanted)
        count = connection.execute(select(func.count()).select_from(logs).where(where)).scalar_one()
        if count > MOST_EXPORTED:
            raise Refused("table-too-large", count=count, most=MOST_EXPORTED, what="rows")
        rows = list(_entries(connection, connection.execute(select(logs).where(where).order_by(logs.c.at, logs.c.log, logs.c.number))))
    columns = ("Log", "Number", "At (UTC)", "By", "What happened", "About", "In words", "Facts")
    told: list[list[Cell]] = [[one.log, one.number, one.at, one.by, one.event, one.subject, one.about, json.dumps(one.facts, ensure_ascii=False, sort_keys=True)] for one in rows]
    return tell(office, "log", wanted.log or "all", Sheet(name="Log", columns=columns, rows=told), 0)


def chains(office: Office) -> tuple[Chain, ...]:
    """Whether each log holds together, every entry of it."""
    with office.store.reading() as connection:
        counts = {str(log): int(count) for log, count in connection.execute(select(logs.c.log, func.count()).group_by(logs.c.log))}
        return tuple(Chain(log=log, entries=counts.get(log, 0), faults=tuple(faults(connection, log, office.store.key))[:_SHOWN_FAULTS]) for log in LOGS)
