"""A request with an Idempotency-Key is done once: the same again gets the same answer, another under its key is refused.

The answer is kept for a day, sealed under the token's own secret, which only its program has: a copy of the
database together with the installation's key tells nothing of what was answered.
"""

import hmac
import json
from base64 import b64decode, b64encode
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Final, Literal

from formsvc.errors import Refused
from formsvc.office.office import Office
from formsvc.office.tokens import Caller
from formsvc.protection.sealed_text import open_text, seal_text
from formsvc.store.requests import answer_request, drop_request, find_request, forget_requests, put_request

KEPT: Final = timedelta(hours=24)
"""So long the same key gives the same answer."""
GIVEN_UP: Final = timedelta(seconds=150)
"""A request that was not answered for so long never will be: its server process died, and it may be made again."""
_PURPOSE: Final = "answer-once"


@dataclass(frozen=True, slots=True, kw_only=True)
class Given:
    """An answer as it was given."""

    status: int
    headers: Mapping[str, str]
    content: bytes


def begin(office: Office, caller: Caller, key: str, content: bytes) -> Given | Literal["new"]:
    """Begin to answer a request; gives the answer if it was answered before.

    Refuses one that is being answered now, and another one under the same key.
    """
    digest = hmac.digest(office.store.key, b"request:" + content, "sha256").hex()
    with office.store.writing() as connection:
        known = find_request(connection, caller.token.id, key)
        if known is None or known.at < _ago(KEPT) or (not known.status and known.at < _ago(GIVEN_UP)):
            put_request(connection, caller.token.id, key, digest)
            return "new"
    if not hmac.compare_digest(known.digest, digest):
        raise Refused("request-other")
    if not known.status:
        raise Refused("request-running")
    return _opened(office, caller, known.answer)


def keep(office: Office, caller: Caller, key: str, given: Given) -> None:
    """Keep an answer."""
    told = json.dumps([given.status, dict(given.headers), b64encode(given.content).decode("ascii")])
    sealed = seal_text(_own_key(office, caller), _PURPOSE, told)
    with office.store.writing() as connection:
        answer_request(connection, caller.token.id, key, status=given.status, answer=sealed)


def let_go(office: Office, caller: Caller, key: str) -> None:
    """Nothing was done: the key may be used again."""
    with office.store.writing() as connection:
        drop_request(connection, caller.token.id, key)


def forget_answers(office: Office) -> int:
    """Forget answers that are not kept any more; how many."""
    with office.store.writing() as connection:
        return forget_requests(connection, _ago(KEPT))


def _opened(office: Office, caller: Caller, sealed: str) -> Given:
    status, headers, content = json.loads(open_text(_own_key(office, caller), _PURPOSE, sealed))
    return Given(status=status, headers=headers, content=b64decode(content))


def _own_key(office: Office, caller: Caller) -> bytes:
    return hmac.digest(office.store.key, b"token:" + caller.secret.encode(), "sha256")


def _ago(span: timedelta) -> str:
    return (datetime.now(UTC) - span).isoformat(timespec="seconds")
