"""Webhooks: other programs are told of events, by id only, signed, and again until they have understood.

An event is written down in the same transaction as what it tells of, for each hook whose person may know
of it; workers deliver it. Signed as https://www.standardwebhooks.com says.
"""

import hmac
import json
import secrets
from base64 import b64decode, b64encode
from collections.abc import Iterable, Iterator, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from sqlalchemy import Connection

from formsvc import __version__
from formsvc.errors import Refused
from formsvc.model.people import Person
from formsvc.office.office import Office
from formsvc.office.outward import SECONDS, post, read_target
from formsvc.protection.sealed_text import open_text, seal_text
from formsvc.store import hooks as table
from formsvc.store.hooks import Delivery, Hook
from formsvc.store.jobs import Job
from formsvc.store.people import find_person, read_person

EVENTS: Final = ("return.counted", "return.waiting", "return.refused", "record.changed", "papers.issued", "job.failed")
TEST: Final = "hook.test"
"""Sent on request, whatever the hook wants to be told."""
WAITS: Final = (5, 60, 300, 1800, 7200, 21600, 43200)
"""Seconds between the tries of a delivery: eight of them within a day."""
KEPT: Final = timedelta(days=30)
"""So long one can look up what became of a delivery."""
_LEASE: Final = timedelta(seconds=6 * SECONDS)
_PURPOSE: Final = "hook-secret"
_SECRET: Final = "whsec_"  # noqa: S105  (how secrets begin)
_UNDERSTOOD: Final = range(200, 300)


# ---------------------------------------------------------------- looked after


def add_hook(office: Office, *, person: int, url: str, events: Iterable[str]) -> tuple[int, str]:
    """A new hook: its key and the secret that its deliveries are signed with. Refuses an address that cannot be called."""
    wanted = set(events)
    if not wanted or not wanted <= set(EVENTS):
        raise Refused("hook-events", "", known=", ".join(EVENTS))
    read_target(url, anywhere=office.service.settings.hooks_anywhere)
    secret = _SECRET + b64encode(secrets.token_bytes(32)).decode("ascii")
    with office.store.writing() as connection:
        acting = read_person(connection, person)
        if acting is None or not acting.active:
            raise Refused("hook-person")
        key = table.add_hook(connection, person=person, url=url, secret=seal_text(office.store.key, _PURPOSE, secret), events=wanted)
        office.store.log(connection, "hook-added", f"hook:{key}", person=person, events=sorted(wanted))
    return key, secret


def person_named(office: Office, name: str) -> Person:
    """Whom a hook is to act for, by the name they sign in with."""
    with office.store.reading() as connection:
        person = find_person(connection, name)
    if person is None or not person.active:
        raise Refused("hook-person")
    return person


def set_active(office: Office, key: int, *, active: bool) -> Hook:
    """Pause a hook, or let it go on."""
    with office.store.writing() as connection:
        hook = known_hook(connection, key)
        if hook.active != active:
            table.change_hook(connection, key, active=active)
            office.store.log(connection, "hook-resumed" if active else "hook-paused", f"hook:{key}")
        return known_hook(connection, key)


def remove_hook(office: Office, key: int) -> None:
    """Forget a hook with its deliveries."""
    with office.store.writing() as connection:
        known_hook(connection, key)
        table.remove_hook(connection, key)
        office.store.log(connection, "hook-removed", f"hook:{key}")


def known_hook(connection: Connection, key: int) -> Hook:
    """A hook; refuses one that is not there."""
    hook = table.find_hook(connection, key)
    if hook is None:
        raise Refused("hook-unknown", str(key))
    return hook


def send_test(office: Office, key: int) -> int:
    """Let a hook be tried out; the number of the delivery."""
    with office.store.writing() as connection:
        known_hook(connection, key)
        return table.add_delivery(connection, key, TEST, {"hook": key})


def send_again(office: Office, key: int, number: int) -> Delivery:
    """Deliver something once more, from the first try on."""
    with office.store.writing() as connection:
        known = table.find_delivery(connection, number)
        if known is None or known.hook != key:
            raise Refused("delivery-unknown", str(number))
        table.change_delivery(connection, number, state="waiting", tries=0, next=_after(0))
        office.store.log(connection, "hook-sent-again", f"hook:{key}", delivery=number)
        return table.find_delivery(connection, number) or known


def forget_old(office: Office) -> int:
    """Forget deliveries that are not kept any more; how many."""
    with office.store.writing() as connection:
        return table.forget_deliveries(connection, _after(-KEPT.total_seconds()))


# ---------------------------------------------------------------- written down


def announce(connection: Connection, event: str, told: Mapping[str, Any], *, unit: int | None = None, person: int | None = None) -> int:
    """Write an event down for every hook whose person may know of it: who sees the unit, or the one whom it is about. How many."""
    count = 0
    for hook in table.read_hooks(connection):
        if hook.active and event in hook.events and _may_know(read_person(connection, hook.person), unit, person):
            table.add_delivery(connection, hook.id, event, told)
            count += 1
    return count


def _may_know(acting: Person | None, unit: int | None, person: int | None) -> bool:
    if acting is None or not acting.active:
        return False
    return acting.sees(unit) if unit is not None else acting.id == person


def announce_job(connection: Connection, job: Job, state: str, result: Mapping[str, Any]) -> None:
    """Write down what the end of a job tells; inside the transaction that ends it."""
    for event, unit, told in _events_of(job, state, result):
        announce(connection, event, {"job": job.id, **told}, unit=unit, person=job.person)


def _events_of(job: Job, state: str, result: Mapping[str, Any]) -> Iterator[tuple[str, int | None, dict[str, Any]]]:
    if state == "failed":
        yield "job.failed", None, {"kind": job.kind, "code": result.get("code", "")}
    elif job.kind == "receive" and f"return.{result['state']}" in EVENTS:
        facts = {name: result[name] for name in ("document", "unit", "month", "code") if result.get(name)}
        yield f"return.{result['state']}", result.get("unit"), facts
    for unit, documents in result.get("issued", ()):
        yield "papers.issued", unit, {"unit": unit, "month": job.facts["month"], "documents": documents}


# ---------------------------------------------------------------- delivered


def deliver_due(office: Office, most: int = 1) -> int:
    """Deliver what is due, the oldest first; how many were tried."""
    return next((number for number in range(most) if not _deliver_one(office)), most)


def _deliver_one(office: Office) -> bool:
    with office.store.reading() as connection:
        if not table.is_any_due(connection):
            return False
    with office.store.writing() as connection:
        delivery = table.claim_delivery(connection, _after(_LEASE.total_seconds()))
        hook = table.find_hook(connection, delivery.hook) if delivery is not None else None
        sealed = table.hook_secret(connection, delivery.hook) if delivery is not None else ""
    if delivery is None or hook is None:
        return False
    status, why = _call(office, hook, delivery, sealed)
    with office.store.writing() as connection:
        _note(connection, delivery, status, why)
    return True


def _call(office: Office, hook: Hook, delivery: Delivery, sealed: str) -> tuple[int, str]:
    """The status of the other side's answer and the code of what went wrong; empty if it understood."""
    try:
        secret = open_text(office.store.key, _PURPOSE, sealed)
        content = payload(delivery)
        moment = int(datetime.now(UTC).timestamp())
        status = post(hook.url, content, signed_headers(secret, delivery, moment, content), anywhere=office.service.settings.hooks_anywhere)
    except Refused as refused:
        return 0, refused.code
    return status, "" if status in _UNDERSTOOD else "hook-status"


def payload(delivery: Delivery) -> bytes:
    """What is told: the event, when it happened, ids."""
    return json.dumps({"type": delivery.event, "timestamp": delivery.at, "data": delivery.told}, separators=(",", ":"), ensure_ascii=True).encode("ascii")


def signed_headers(secret: str, delivery: Delivery, moment: int, content: bytes) -> dict[str, str]:
    """The headers of a delivery; its id is the same in every try, so that a program can tell what it knows already."""
    name = f"msg_{delivery.id}"
    digest = hmac.digest(b64decode(secret.removeprefix(_SECRET)), f"{name}.{moment}.".encode("ascii") + content, "sha256")
    return {
        "Content-Type": "application/json",
        "User-Agent": f"formsvc/{__version__}",
        "webhook-id": name,
        "webhook-timestamp": str(moment),
        "webhook-signature": f"v1,{b64encode(digest).decode('ascii')}",
    }


def _note(connection: Connection, delivery: Delivery, status: int, why: str) -> None:
    if not why:
        table.change_delivery(connection, delivery.id, state="told", status=status, why="")
    elif delivery.tries > len(WAITS):
        table.change_delivery(connection, delivery.id, state="given-up", status=status, why=why)
    else:
        until = _after(WAITS[delivery.tries - 1] * (0.9 + 0.2 * secrets.randbelow(1000) / 1000))
        table.change_delivery(connection, delivery.id, next=until, status=status, why=why)
        table.postpone_deliveries(connection, delivery.hook, until)


def _after(seconds: float) -> str:
    return (datetime.now(UTC) + timedelta(seconds=seconds)).isoformat(timespec="seconds")
