"""Cases kept in the store with their consents, and the log of what left about them (R40)."""

import re
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any, Final

from sqlalchemy import Connection, delete, insert, select, update

from formsvc.casework.case import Case
from formsvc.errors import Refused
from formsvc.letters import Disclosure, open_case
from formsvc.office.office import Office
from formsvc.store.log import now
from formsvc.store.schema import cases, consents
from formsvc.store.store import Store

_NUMBER: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,39}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Kept:
    """A case of the store: its number, the client by initials, when its conference is."""

    number: str
    initials: str
    conference: str
    at: str


def keep_case(office: Office, number: str, data: Mapping[str, Any]) -> Case:
    """Keep a case under the agency's file number, in place of what was kept under it; refuses data that are wrong."""
    check_number(number)
    with office.store.writing() as connection:
        return write_case(office, connection, number, data)


def check_number(number: str) -> None:
    """Refuse what cannot be a case's number."""
    if not _NUMBER.fullmatch(number):
        raise Refused("case-number", number)


def write_case(office: Office, connection: Connection, number: str, data: Mapping[str, Any], **facts: Any) -> Case:
    """Keep a case inside a transaction, with its consents; `facts` go into the log. Refuses data that are wrong."""
    case = open_case(office.catalog, data)
    key = _put(connection, number, data)
    connection.execute(delete(consents).where(consents.c.case_id == key))
    for consent in case.consents:
        connection.execute(insert(consents).values(case_id=key, kind=consent.kind, data=asdict(consent) | {"recipients": list(consent.recipients)}, at=now()))
    office.store.log(connection, "case-kept", f"case:{number}", consents=len(case.consents), **facts)
    return case


def _put(connection: Connection, number: str, data: Mapping[str, Any]) -> int:
    row = {"data": dict(data), "at": now()}
    if key := connection.execute(select(cases.c.id).where(cases.c.name == number)).scalar():
        connection.execute(update(cases).where(cases.c.id == key).values(**row))
        return int(key)
    return int(connection.execute(insert(cases).values(name=number, **row).returning(cases.c.id)).scalar_one())


def case_data(office: Office, number: str) -> dict[str, Any]:
    """The case of that number as it was kept."""
    with office.store.reading() as connection:
        return find_case(connection, number)[1]


def find_case(connection: Connection, number: str) -> tuple[int, dict[str, Any]]:
    """A case's key and its data as they were kept; refuses a number that is not there."""
    row = connection.execute(select(cases.c.id, cases.c.data).where(cases.c.name == number)).first()
    if row is None:
        raise Refused("case-unknown", number)
    return int(row.id), dict(row.data)


def list_cases(office: Office) -> tuple[Kept, ...]:
    """Every case, by number."""
    with office.store.reading() as connection:
        rows = connection.execute(select(cases).order_by(cases.c.name)).all()
    found = [(row, open_case(office.catalog, row.data)) for row in rows]
    return tuple(Kept(number=row.name, initials=case.client.initials, conference=case.conference.date, at=row.at) for row, case in found)


def disclose(store: Store, disclosure: Disclosure, case: str = "") -> None:
    """R40: note who received what, why and when; what cannot be noted must not leave."""
    with store.writing() as connection:
        log_disclosure(store, connection, disclosure, case)


def log_disclosure(store: Store, connection: Connection, disclosure: Disclosure, case: str = "") -> None:
    """The same inside a transaction."""
    facts: dict[str, Any] = asdict(disclosure) | {"recipients": list(disclosure.recipients)}
    store.log(connection, "disclosed", f"case:{case}" if case else f"client:{disclosure.about}", log="disclosure", **facts)
