"""Tokens of other programs: made by a person for themselves, for a time, for a few things; only their digests are kept."""

import secrets
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Final

from formsvc.errors import Refused
from formsvc.model.people import Person
from formsvc.model.scopes import Scope, scopes_of
from formsvc.office.office import Office
from formsvc.store import people as table
from formsvc.store.log import now
from formsvc.store.people import Token

PREFIX: Final = "formsvc_"
"""How every token begins, so that programs that look for lost secrets find it."""
MOST_DAYS: Final = 366
_TOUCH: Final = timedelta(seconds=60)
_NAME: Final = 80


@dataclass(frozen=True, slots=True, kw_only=True)
class Caller:
    """A program at work: its token, the token's secret, and whom it acts for."""

    token: Token
    secret: str
    person: Person


def make_token(office: Office, person: Person, *, name: str, scopes: Iterable[str], days: int) -> tuple[int, str]:
    """A new token: its key, and its secret, which nobody can look up later. Refuses what the person may not do themselves."""
    wanted = _checked(person, name, scopes, days)
    secret = PREFIX + secrets.token_urlsafe(32)
    expires = (datetime.now(UTC) + timedelta(days=days)).isoformat(timespec="seconds")
    with office.store.writing() as connection:
        key = table.add_token(connection, person.id, name.strip(), table.digest_of(secret), wanted, expires)
        office.store.log(connection, "token-made", f"token:{key}", person=person.id, scopes=list(wanted), expires=expires)
    return key, secret


def _checked(person: Person, name: str, scopes: Iterable[str], days: int) -> tuple[Scope, ...]:
    chosen, may = set(scopes), scopes_of(person)
    if not 1 <= len(name.strip()) <= _NAME or not name.strip().isprintable():
        raise Refused("token-name")
    if not 1 <= days <= MOST_DAYS:
        raise Refused("token-days", "", most=MOST_DAYS)
    if not chosen:
        raise Refused("token-scopes")
    if foreign := sorted(chosen.difference(may)):
        raise Refused("token-scope-not-yours", "", scope=foreign[0][:40])
    return tuple(scope for scope in may if scope in chosen)


def revoke_token(office: Office, person: Person, key: int) -> None:
    """End one of a person's tokens; a foreign one is like one that is not there."""
    with office.store.writing() as connection:
        own = {token.id: token for token in table.read_tokens(connection, person.id)}
        if key not in own:
            raise Refused("token-unknown", str(key))
        if not own[key].revoked:
            table.change_token(connection, key, revoked=now())
            office.store.log(connection, "token-revoked", f"token:{key}", person=person.id)


def tokens_of(office: Office, person: Person) -> tuple[Token, ...]:
    """A person's tokens, the newest first."""
    with office.store.reading() as connection:
        return table.read_tokens(connection, person.id)


def caller_of(office: Office, secret: str) -> Caller | None:
    """The program that came with this secret, if its token and its person still count."""
    if not secret.startswith(PREFIX):
        return None
    with office.store.reading() as connection:
        token = table.find_token(connection, table.digest_of(secret))
        person = table.read_person(connection, token.person) if token is not None else None
    if token is None or person is None or not person.active:
        return None
    if token.used < (datetime.now(UTC) - _TOUCH).isoformat(timespec="seconds"):
        with office.store.writing() as connection:
            table.change_token(connection, token.id, used=now())
    return Caller(token=token, secret=secret, person=person)


def is_over(token: Token) -> bool:
    """Whether a token counts no more."""
    return bool(token.revoked) or token.expires <= now()
