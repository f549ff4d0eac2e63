"""Two logs that only grow: `audit` (what was done) and `disclosure` (who received what, rule R40).

Each entry carries a keyed seal over itself and the seal before it, and the end of the log is sealed in a
table of its own: an entry that was changed, removed, put elsewhere or cut off the end does not verify.
Only a log emptied together with its head looks like one that never was; the rows it told of remain.
"""

import hmac
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final, Literal

from sqlalchemy import Connection, RowMapping, insert, select, update

from formsvc.store.schema import log_heads, logs

LogName = Literal["audit", "disclosure"]
LOGS: Final[tuple[LogName, ...]] = ("audit", "disclosure")


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """Something that happened. `facts` and `subject` name things by id, never people."""

    event: str
    subject: str
    by: str
    facts: Mapping[str, Any]
    key: str | None = None
    """Given where the same event may be told twice: it is logged once."""


def now() -> str:
    """The moment, as the store writes it."""
    return datetime.now(UTC).isoformat(timespec="seconds")


def append(connection: Connection, log: LogName, entry: Entry, key: bytes) -> bool:
    """Add an entry, inside the writers' transaction; False if its key is logged already."""
    if entry.key is not None and connection.execute(select(logs.c.number).where(logs.c.log == log, logs.c.event_key == entry.key)).first():
        return False
    last = connection.execute(select(logs.c.number, logs.c.seal).where(logs.c.log == log).order_by(logs.c.number.desc()).limit(1)).first()
    head = connection.execute(select(log_heads.c.log).where(log_heads.c.log == log)).first()
    number, before = (last.number + 1, last.seal) if last else (1, "")
    row = {"log": log, "number": number, "at": now(), "by": entry.by, "event": entry.event, "subject": entry.subject, "facts": dict(entry.facts), "event_key": entry.key}
    row["seal"] = _seal(row, before, key)
    connection.execute(insert(logs).values(**row))
    end = {"number": number, "seal": _head_seal(log, number, str(row["seal"]), key)}
    connection.execute(update(log_heads).where(log_heads.c.log == log).values(**end) if head else insert(log_heads).values(log=log, **end))
    return True


def _head_seal(log: str, number: int, seal: str, key: bytes) -> str:
    """The end of a log under the key: whoever cuts entries off cannot write the head that would fit."""
    return hmac.digest(key, f"head:{log}:{number}:{seal}".encode(), "sha256").hex()


def _seal(row: Mapping[str, Any], before: str, key: bytes) -> str:
    told = json.dumps([row["log"], row["number"], row["at"], row["by"], row["event"], row["subject"], row["facts"], row["event_key"], before], sort_keys=True, ensure_ascii=False)
    return hmac.digest(key, b"log:" + told.encode("utf-8", "surrogatepass"), "sha256").hex()


def faults(connection: Connection, log: LogName, key: bytes) -> Iterator[str]:
    """Where a log does not hold together, one line each."""
    before, expected = "", 1
    for row in connection.execute(select(logs).where(logs.c.log == log).order_by(logs.c.number)).mappings():
        if row["number"] != expected:
            yield f"{log} {expected}: entry missing"
        if not hmac.compare_digest(_seal(dict(row), before, key), row["seal"]):
            yield f"{log} {row['number']}: entry changed, or the one before it removed"
        before, expected = row["seal"], row["number"] + 1
    head = connection.execute(select(log_heads).where(log_heads.c.log == log)).first()
    if head is None and expected == 1:
        return
    if head is None or head.number != expected - 1 or not hmac.compare_digest(head.seal, _head_seal(log, expected - 1, before, key)):
        yield f"{log} {expected - 1}: the last entries are not those that were written last"


def entries(connection: Connection, log: LogName, subject: str | None = None) -> Iterator[RowMapping]:
    """The entries of a log, oldest first."""
    wanted = select(logs).where(logs.c.log == log).order_by(logs.c.number)
    yield from connection.execute(wanted if subject is None else wanted.where(logs.c.subject == subject)).mappings()
