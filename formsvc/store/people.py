"""People, their sessions, links, tokens and failed attempts, kept and read."""

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, cast

from sqlalchemy import Connection, Row, delete, func, insert, select, update

from formsvc.model.kinds import Lang
from formsvc.model.people import Person, known_roles
from formsvc.store.log import now
from formsvc.store.rows import inserted
from formsvc.store.schema import cases
from formsvc.store.schema_people import attempts, devices, links, people, person_cases, person_units, sessions, tokens


def digest_of(secret: str) -> str:
    """What is stored of a random secret."""
    return hashlib.sha256(secret.encode("utf-8", "surrogatepass")).hexdigest()


# ---------------------------------------------------------------- people


def _person(row: Row[Any], units: Iterable[int]) -> Person:
    return Person(
        id=row.id,
        name=row.name,
        shown=row.shown or row.name,
        roles=known_roles(row.roles),
        active=row.active,
        lang=cast("Lang", row.lang),
        has_password=bool(row.password),
        has_second=bool(row.second),
        units=frozenset(units),
    )


def read_person(connection: Connection, key: int) -> Person | None:
    """A person by key."""
    row = connection.execute(select(people).where(people.c.id == key)).first()
    return _person(row, connection.scalars(select(person_units.c.unit_id).where(person_units.c.person_id == key))) if row else None


def find_person(connection: Connection, name: str) -> Person | None:
    """A person by the name they sign in with."""
    key = connection.execute(select(people.c.id).where(people.c.name == name.strip().casefold())).scalar()
    return read_person(connection, key) if key is not None else None


def read_people(connection: Connection) -> tuple[Person, ...]:
    """Everybody, by name."""
    given: dict[int, list[int]] = {}
    for row in connection.execute(select(person_units)):
        given.setdefault(row.person_id, []).append(row.unit_id)
    return tuple(_person(row, given.get(row.id, ())) for row in connection.execute(select(people).order_by(people.c.name)))


def add_person(connection: Connection, *, name: str, shown: str, roles: Iterable[str], lang: str = "en") -> int:
    """A new person without a password; their key. Raises IntegrityError if the name is taken."""
    return inserted(connection, people, name=name.strip().casefold(), shown=shown, roles=list(known_roles(roles)), lang=lang, at=now())


def change_person(connection: Connection, key: int, **columns: Any) -> None:
    """Change a person's row."""
    connection.execute(update(people).where(people.c.id == key).values(**columns))


def give_units(connection: Connection, key: int, units: Iterable[int]) -> None:
    """Let a person have exactly these units."""
    connection.execute(delete(person_units).where(person_units.c.person_id == key))
    for unit in sorted(set(units)):
        connection.execute(insert(person_units).values(person_id=key, unit_id=unit))


def read_secrets(connection: Connection, key: int) -> Any:
    """A person's password digest, second factor and its last used step."""
    return connection.execute(select(people.c.password, people.c.second, people.c.second_used).where(people.c.id == key)).one()


# ---------------------------------------------------------------- whose case


def cases_of(connection: Connection, key: int) -> tuple[str, ...]:
    """The numbers of a person's cases."""
    return tuple(connection.scalars(select(cases.c.name).join(person_cases, person_cases.c.case_id == cases.c.id).where(person_cases.c.person_id == key).order_by(cases.c.name)))


def people_of_case(connection: Connection, number: str) -> tuple[int, ...]:
    """Whose case it is."""
    return tuple(connection.scalars(select(person_cases.c.person_id).join(cases, cases.c.id == person_cases.c.case_id).where(cases.c.name == number).order_by(person_cases.c.person_id)))


def give_case(connection: Connection, number: str, persons: Iterable[int]) -> None:
    """Let a case belong to exactly these people."""
    key = connection.execute(select(cases.c.id).where(cases.c.name == number)).scalar_one()
    connection.execute(delete(person_cases).where(person_cases.c.case_id == key))
    for person in sorted(set(persons)):
        connection.execute(insert(person_cases).values(person_id=person, case_id=key))


# ---------------------------------------------------------------- sessions, links, devices


def add_session(connection: Connection, digest: str, person: int, *, second: bool) -> None:
    """A new session."""
    connection.execute(insert(sessions).values(digest=digest, person_id=person, made=now(), seen=now(), second=second))


def read_session(connection: Connection, digest: str) -> Row[Any] | None:
    """A session by its digest."""
    return connection.execute(select(sessions).where(sessions.c.digest == digest)).first()


def touch_session(connection: Connection, digest: str) -> None:
    """Note that a session was used."""
    connection.execute(update(sessions).where(sessions.c.digest == digest).values(seen=now()))


def end_session(connection: Connection, digest: str) -> None:
    """End a session."""
    connection.execute(delete(sessions).where(sessions.c.digest == digest))


def end_sessions(connection: Connection, person: int, *, but: str = "") -> int:
    """End all sessions of a person, perhaps but one; how many there were."""
    return connection.execute(delete(sessions).where(sessions.c.person_id == person, sessions.c.digest != but)).rowcount


def add_link(connection: Connection, digest: str, person: int, expires: str) -> None:
    """A one-time link; earlier ones of that person end."""
    connection.execute(delete(links).where(links.c.person_id == person))
    connection.execute(insert(links).values(digest=digest, person_id=person, expires=expires))


def link_person(connection: Connection, digest: str) -> int | None:
    """Whom a link that still counts is for."""
    return connection.execute(select(links.c.person_id).where(links.c.digest == digest, links.c.expires > now())).scalar()


def end_link(connection: Connection, digest: str) -> bool:
    """Use a link up; False if it was used up already."""
    return connection.execute(delete(links).where(links.c.digest == digest)).rowcount == 1


def add_device(connection: Connection, digest: str, person: int) -> None:
    """Remember a browser in which a person signed in."""
    connection.execute(insert(devices).values(digest=digest, person_id=person, at=now()))


def is_device(connection: Connection, digest: str, person: int) -> bool:
    """Whether a person signed in with this browser before."""
    return connection.execute(select(devices.c.digest).where(devices.c.digest == digest, devices.c.person_id == person)).first() is not None


def forget_devices(connection: Connection, person: int, *, but: str = "") -> None:
    """Forget every browser of a person, perhaps but one."""
    connection.execute(delete(devices).where(devices.c.person_id == person, devices.c.digest != but))


# ---------------------------------------------------------------- failed attempts


def count_attempt(connection: Connection, key: str, since: str) -> int:
    """Count a failed attempt; those before `since` are forgotten. How many there are now."""
    row = connection.execute(select(attempts).where(attempts.c.key == key)).first()
    if row is None:
        connection.execute(insert(attempts).values(key=key, count=1, since=now()))
        return 1
    fresh = row.since < since
    values = {"count": 1, "since": now()} if fresh else {"count": row._mapping["count"] + 1}
    connection.execute(update(attempts).where(attempts.c.key == key).values(**values))
    return cast("int", values["count"])


def attempts_of(connection: Connection, key: str, since: str) -> int:
    """How many failed attempts there were since then."""
    return connection.execute(select(attempts.c.count).where(attempts.c.key == key, attempts.c.since >= since)).scalar() or 0


def forget_attempts(connection: Connection, key: str) -> None:
    """After a success nothing is held against anybody."""
    connection.execute(delete(attempts).where(attempts.c.key == key))


def forget_old(connection: Connection, *, sessions_seen: str, attempts_since: str) -> None:
    """Forget sessions, links and attempts that count no more."""
    connection.execute(delete(sessions).where(sessions.c.seen < sessions_seen))
    connection.execute(delete(links).where(links.c.expires < now()))
    connection.execute(delete(attempts).where(attempts.c.since < attempts_since))


# ---------------------------------------------------------------- tokens of other programs


@dataclass(frozen=True, slots=True, kw_only=True)
class Token:
    """A program's permission to act for a person."""

    id: int
    person: int
    name: str
    scopes: tuple[str, ...]
    at: str
    expires: str
    revoked: str
    used: str


def _token(row: Row[Any]) -> Token:
    return Token(id=row.id, person=row.person_id, name=row.name, scopes=tuple(row.scopes), at=row.at, expires=row.expires, revoked=row.revoked, used=row.used)


def add_token(connection: Connection, person: int, name: str, digest: str, scopes: Iterable[str], expires: str) -> int:
    """A new token; its key."""
    return inserted(connection, tokens, person_id=person, name=name, digest=digest, scopes=sorted(set(scopes)), at=now(), expires=expires)


def find_token(connection: Connection, digest: str) -> Token | None:
    """The token of that digest, if it still counts."""
    row = connection.execute(select(tokens).where(tokens.c.digest == digest, tokens.c.revoked == "", tokens.c.expires > now())).first()
    return _token(row) if row else None


def read_tokens(connection: Connection, person: int | None = None) -> tuple[Token, ...]:
    """A person's tokens, or all, the newest first."""
    wanted = select(tokens).order_by(tokens.c.id.desc())
    return tuple(_token(row) for row in connection.execute(wanted if person is None else wanted.where(tokens.c.person_id == person)))


def change_token(connection: Connection, key: int, **columns: Any) -> None:
    """Change a token's row."""
    connection.execute(update(tokens).where(tokens.c.id == key).values(**columns))


def count_people(connection: Connection) -> int:
    """How many people may sign in."""
    return connection.execute(select(func.count()).select_from(people).where(people.c.active)).scalar_one()
