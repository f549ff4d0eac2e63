"""People who sign in: who they are, what they are given, how they get in and how they are kept out.

Passwords are argon2id; a one-time link sets the first one and every new one. Failed attempts are
counted for each name together with the browser or address they come from: somebody who guesses
another person's password locks himself out, not that person in the browser they always use.
"""

import secrets
from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from functools import cache
from typing import Any, Final

import pyotp
from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError
from sqlalchemy import Connection
from sqlalchemy.exc import IntegrityError

from formsvc.errors import Refused
from formsvc.model.kinds import Lang
from formsvc.model.people import Person, Role
from formsvc.office.office import Office
from formsvc.protection.judgement import judge_password
from formsvc.protection.sealed_text import open_text, seal_text
from formsvc.store import people as table

IDLE: Final = timedelta(minutes=60)
"""A session that nobody used for so long is over."""
ABSOLUTE: Final = timedelta(hours=12)
"""A session is over after so long, whatever happened in it."""
LINK_COUNTS: Final = timedelta(days=3)
_WINDOW: Final = timedelta(minutes=15)
_MOST_HERE: Final = 5
"""Failures for a name from one browser or address within the window."""
_MOST_STRANGERS: Final = 60
"""Failures for a name from browsers it never used; its own browsers and a link still get in."""
_MOST_ADDRESS: Final = 120
"""Failures from one address, whatever the names."""
_TOUCH: Final = timedelta(seconds=60)
_STEP: Final = 30
_PURPOSE: Final = "second-factor"


@dataclass(frozen=True, slots=True, kw_only=True)
class Session:
    """Somebody signed in. `second` says whether the second factor was given."""

    digest: str
    person: Person
    second: bool

    @property
    def is_whole(self) -> bool:
        """Whether nothing is missing to work."""
        return self.second or not self.person.needs_second


@cache
def _hasher() -> PasswordHasher:
    return PasswordHasher()  # argon2id with the parameters of RFC 9106, second recommendation


@cache
def _nobodys() -> str:
    """A digest to compare with where there is nobody, so that a missing name takes as long as a wrong password."""
    return _hasher().hash(secrets.token_urlsafe())


def _ago(span: timedelta) -> str:
    return (datetime.now(UTC) - span).isoformat(timespec="seconds")


def _ahead(span: timedelta) -> str:
    return _ago(-span)


# ---------------------------------------------------------------- people


def invite(office: Office, name: str, *, shown: str = "", roles: Iterable[Role], lang: Lang = "en") -> tuple[int, str]:
    """Let somebody sign in: their key and the secret of their one-time link. Refuses a name that is taken."""
    name = name.strip().casefold()
    if not 2 <= len(name) <= 80 or not name.isprintable():  # noqa: PLR2004
        raise Refused("person-name", name[:40])
    if not (wanted := tuple(roles)):
        raise Refused("person-roles", name)
    secret = secrets.token_urlsafe(24)
    try:
        with office.store.writing() as connection:
            key = table.add_person(connection, name=name, shown=shown.strip()[:120], roles=wanted, lang=lang)
            table.add_link(connection, table.digest_of(secret), key, _ahead(LINK_COUNTS))
            office.store.log(connection, "person-invited", f"person:{key}", roles=list(wanted))
    except IntegrityError as problem:
        raise Refused("person-taken", name) from problem
    return key, secret


def new_link(office: Office, key: int) -> str:
    """Another one-time link, for a password that was forgotten; it also takes a lost second factor away."""
    secret = secrets.token_urlsafe(24)
    with office.store.writing() as connection:
        _known(connection, key)
        table.add_link(connection, table.digest_of(secret), key, _ahead(LINK_COUNTS))
        table.change_person(connection, key, second="", second_used=0)
        table.end_sessions(connection, key)
        table.forget_devices(connection, key)
        office.store.log(connection, "person-link", f"person:{key}")
    return secret


def sign_out_person(office: Office, key: int) -> int:
    """End every session of somebody else, and forget their browsers; how many sessions there were."""
    with office.store.writing() as connection:
        _known(connection, key)
        count = table.end_sessions(connection, key)
        table.forget_devices(connection, key)
        office.store.log(connection, "person-signed-out", f"person:{key}", sessions=count)
    return count


def change_person(office: Office, key: int, *, shown: str, roles: Iterable[Role], units: Iterable[int], active: bool) -> None:
    """Change what somebody may do; refuses to leave nobody who looks after people."""
    wanted = tuple(roles)
    if not wanted:
        raise Refused("person-roles", str(key))
    with office.store.writing() as connection:
        before = _known(connection, key)
        others = [one for one in table.read_people(connection) if one.id != key and one.active and one.may("people")]
        if before.may("people") and not others and (not active or "administrator" not in wanted):
            raise Refused("last-administrator", before.name)
        table.change_person(connection, key, shown=shown.strip()[:120], roles=list(wanted), active=active)
        table.give_units(connection, key, units)
        if not active or set(wanted) != set(before.roles):
            table.end_sessions(connection, key)
        office.store.log(connection, "person-changed", f"person:{key}", roles=list(wanted), units=sorted(set(units)), active=active)


def choose_language(office: Office, key: int, lang: Lang) -> None:
    """The language somebody works in."""
    with office.store.writing() as connection:
        table.change_person(connection, key, lang=lang)


def _known(connection: Connection, key: int) -> Person:
    person = table.read_person(connection, key)
    if person is None:
        raise Refused("person-unknown", str(key))
    return person


# ---------------------------------------------------------------- links and passwords


def link_person(office: Office, secret: str) -> Person:
    """Whom a one-time link is for; refuses one that was used, is too old, or never was."""
    with office.store.reading() as connection:
        key = table.link_person(connection, table.digest_of(secret))
        person = table.read_person(connection, key) if key is not None else None
    if person is None or not person.active:
        raise Refused("link-gone")
    return person


def use_link(office: Office, secret: str, password: str, *, address: str = "") -> str:
    """Set a password by a one-time link, which is used up by it; the secret of the browser, which is known from now on.

    Whatever strangers tried until now is forgotten: a link always gets in.
    """
    person = link_person(office, secret)
    _check_password(person, password)
    hashed = _hasher().hash(password)
    with office.store.writing() as connection:
        if not table.end_link(connection, table.digest_of(secret)):
            raise Refused("link-gone")
        table.change_person(connection, person.id, password=hashed)
        table.end_sessions(connection, person.id)
        for key in _attempt_keys(person.name, address, ""):
            table.forget_attempts(connection, key)
        device = secrets.token_urlsafe(24)
        table.add_device(connection, table.digest_of(device), person.id)
        replace(office.store, by=person.name).log(connection, "password-set", f"person:{person.id}", way="link")
    return device


def change_password(office: Office, session: Session, old: str, new: str, *, device: str = "") -> None:
    """Another password; everybody else who is signed in as this person is signed out."""
    with office.store.reading() as connection:
        known = table.read_secrets(connection, session.person.id)
    if not _is_password(known.password, old):
        raise Refused("sign-in-wrong")
    _check_password(session.person, new)
    hashed = _hasher().hash(new)
    with office.store.writing() as connection:
        table.change_person(connection, session.person.id, password=hashed)
        table.end_sessions(connection, session.person.id, but=session.digest)
        table.forget_devices(connection, session.person.id, but=table.digest_of(device))
        office.store.log(connection, "password-set", f"person:{session.person.id}", way="own")


def _check_password(person: Person, password: str) -> None:
    weak = judge_password(password, (person.name, person.shown))
    if weak:
        raise Refused("password-guessable", "", reasons=" ".join(one.message for one in weak).rstrip("."))


def _is_password(known: str, given: str) -> bool:
    try:
        return _hasher().verify(known or _nobodys(), given) and bool(known)
    except (VerificationError, InvalidHashError):
        return False


# ---------------------------------------------------------------- in and out


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """A sign-in that was right: the secrets for the cookies of the session and of the browser."""

    session: Session
    token: str
    device: str


def sign_in(office: Office, name: str, password: str, *, address: str, device: str = "") -> Entry:
    """Begin a session; refuses alike whether the name or the password was wrong."""
    with office.store.reading() as connection:
        person = table.find_person(connection, name)
        known = bool(person and device) and table.is_device(connection, table.digest_of(device), person.id if person else 0)
        keys = _attempt_keys(name, address, device if known else "")
        blocked = any(table.attempts_of(connection, key, _ago(_WINDOW)) >= most for key, most in keys.items())
        stored = table.read_secrets(connection, person.id).password if person and person.active else ""
    if blocked:
        raise Refused("too-many-attempts", "", minutes=int(_WINDOW.total_seconds() // 60))
    if not _is_password(stored, password) or person is None:
        _failed(office, keys, person)
        raise Refused("sign-in-wrong")
    token = secrets.token_urlsafe(32)
    fresh = device if known else secrets.token_urlsafe(24)
    with office.store.writing() as connection:
        for key in list(keys)[:1]:
            table.forget_attempts(connection, key)
        if not known:
            table.add_device(connection, table.digest_of(fresh), person.id)
        table.add_session(connection, table.digest_of(token), person.id, second=False)
        if _hasher().check_needs_rehash(stored):
            table.change_person(connection, person.id, password=_hasher().hash(password))
        replace(office.store, by=person.name).log(connection, "signed-in", f"person:{person.id}")
    return Entry(session=Session(digest=table.digest_of(token), person=person, second=False), token=token, device=fresh)


def _attempt_keys(name: str, address: str, device: str) -> dict[str, int]:
    """What failures are counted under, and how many there may be: this place first."""
    who = name.strip().casefold()[:200]
    if device:
        return {table.digest_of(f"device:{who}:{device}"): _MOST_HERE}
    return {
        table.digest_of(f"here:{who}:{address}"): _MOST_HERE,
        table.digest_of(f"strangers:{who}"): _MOST_STRANGERS,
        table.digest_of(f"address:{address}"): _MOST_ADDRESS,
    }


def _failed(office: Office, keys: Iterable[str], person: Person | None) -> None:
    with office.store.writing() as connection:
        counts = [table.count_attempt(connection, key, _ago(_WINDOW)) for key in keys]
        if person is not None and counts[0] == _MOST_HERE:
            office.store.log(connection, "sign-in-blocked", f"person:{person.id}")


def session_of(office: Office, token: str) -> Session | None:
    """The session of a cookie's secret, if it is not over."""
    digest = table.digest_of(token)
    with office.store.reading() as connection:
        row = table.read_session(connection, digest)
        person = table.read_person(connection, row.person_id) if row is not None else None
    if row is None or person is None or not person.active or row.seen < _ago(IDLE) or row.made < _ago(ABSOLUTE):
        return None
    if row.seen < _ago(_TOUCH):
        with office.store.writing() as connection:
            table.touch_session(connection, digest)
    return Session(digest=digest, person=person, second=row.second)


def sign_out(office: Office, session: Session, *, everywhere: bool = False) -> None:
    """End a session, or all of this person's."""
    with office.store.writing() as connection:
        if everywhere:
            table.end_sessions(connection, session.person.id)
            table.forget_devices(connection, session.person.id)
        table.end_session(connection, session.digest)
        office.store.log(connection, "signed-out", f"person:{session.person.id}", everywhere=everywhere)


# ---------------------------------------------------------------- the second factor


def offered_secret() -> str:
    """A new secret for somebody's authenticator app."""
    return pyotp.random_base32()


def secret_uri(office: Office, person: Person, secret: str) -> str:
    """The same as an address that authenticator apps read from a QR code."""
    return pyotp.TOTP(secret).provisioning_uri(name=person.name, issuer_name=office.catalog.profile.agency.en)


def give_second(office: Office, session: Session, secret: str, code: str) -> Entry:
    """Keep a second factor after its first code was right; the session goes on under a new secret."""
    step = _step_of(secret, code)
    if session.person.has_second or step is None:
        raise Refused("code-wrong")
    return _second_given(office, session, step, second=seal_text(office.store.key, _PURPOSE, secret))


def check_second(office: Office, session: Session, code: str) -> Entry:
    """Take the code of the second factor; each counts once."""
    key = table.digest_of(f"second:{session.person.id}")
    with office.store.reading() as connection:
        known = table.read_secrets(connection, session.person.id)
        blocked = table.attempts_of(connection, key, _ago(_WINDOW)) >= _MOST_HERE
    if blocked:
        raise Refused("too-many-attempts", "", minutes=int(_WINDOW.total_seconds() // 60))
    step = _step_of(open_text(office.store.key, _PURPOSE, known.second), code) if known.second else None
    if step is None or step <= known.second_used:
        with office.store.writing() as connection:
            if table.count_attempt(connection, key, _ago(_WINDOW)) >= _MOST_HERE:
                table.end_session(connection, session.digest)  # who guesses codes begins with the password again
        raise Refused("code-wrong")
    return _second_given(office, session, step)


def _second_given(office: Office, session: Session, step: int, **columns: Any) -> Entry:
    token = secrets.token_urlsafe(32)
    with office.store.writing() as connection:
        if table.read_secrets(connection, session.person.id).second_used >= step:  # the same code, a moment earlier
            raise Refused("code-wrong")
        table.change_person(connection, session.person.id, second_used=step, **columns)
        table.end_session(connection, session.digest)
        table.add_session(connection, table.digest_of(token), session.person.id, second=True)
        table.forget_attempts(connection, table.digest_of(f"second:{session.person.id}"))
        office.store.log(connection, "second-factor", f"person:{session.person.id}", new=bool(columns))
    person = replace(session.person, has_second=True)
    return Entry(session=Session(digest=table.digest_of(token), person=person, second=True), token=token, device="")


def _step_of(secret: str, code: str) -> int | None:
    """The time step whose code this is, now or one step around it."""
    given = "".join(code.split())
    now = int(datetime.now(UTC).timestamp())
    for step in (now // _STEP, now // _STEP - 1, now // _STEP + 1):
        if given.isdecimal() and secrets.compare_digest(pyotp.TOTP(secret).generate_otp(step), given):
            return step
    return None


def forget_old(office: Office) -> None:
    """Forget sessions, links and attempts that count no more."""
    with office.store.writing() as connection:
        table.forget_old(connection, sessions_seen=_ago(max(IDLE, ABSOLUTE)), attempts_since=_ago(timedelta(days=1)))
