"""Who looked at what: one entry in the audit log for each person, paper and hour, so that “who saw this child's record” has an answer.

Call it before the content leaves: what cannot be noted is not shown.
"""

import hashlib
from collections.abc import Iterable
from typing import Final

from sqlalchemy import select

from formsvc.office.office import Office
from formsvc.store.log import now
from formsvc.store.schema import logs

EVENT: Final = "seen"
_HOUR: Final = 13  # characters of a moment up to its hour


def note_seen(office: Office, sheet_id: int, what: str) -> None:
    """Somebody looked at a sheet: its `record`, its `form` on screen, its `paper`, a `return` of it."""
    note_all_seen(office, (sheet_id,), what)


def note_all_seen(office: Office, sheet_ids: Iterable[int], what: str) -> None:
    """The same for several sheets that leave together: an archive, a packet."""
    _note(office, [f"sheet:{key}" for key in sheet_ids], what)


def note_return_seen(office: Office, number: int, what: str) -> None:
    """Somebody looked at a return of which nobody knows yet where it belongs."""
    _note(office, [f"return:{number}"], what)


def note_case_seen(office: Office, number: str, what: str) -> None:
    """Somebody looked at a case: its `case`, its `notes`, a `letter` of it."""
    _note(office, [f"case:{number}"], what)


def note_list_seen(office: Office, name: str, which: str) -> None:
    """Somebody looked at a list that may hold any child: `follow-ups` of a month, what is to be monitored."""
    _note(office, [f"{name}:{which}"], "list")


def _note(office: Office, subjects: list[str], what: str) -> None:
    hour = now()[:_HOUR]
    keys = {_key(office.store.by, subject, what, hour): subject for subject in subjects}
    with office.store.reading() as connection:
        known = set(connection.scalars(select(logs.c.event_key).where(logs.c.log == "audit", logs.c.event_key.in_(keys))))
    if fresh := {key: subject for key, subject in keys.items() if key not in known}:
        with office.store.writing() as connection:
            for key, subject in fresh.items():
                office.store.log(connection, EVENT, subject, key=key, what=what)


def _key(by: str, subject: str, what: str, hour: str) -> str:
    told = f"{by}\n{subject}\n{what}\n{hour}".encode("utf-8", "surrogatepass")
    return f"{EVENT}:{hashlib.sha256(told).hexdigest()}"
