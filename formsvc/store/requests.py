"""Requests of programs that carry a key of their own, and how they were answered: the same request is done once."""

from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, delete, insert, select, update

from formsvc.store.log import now
from formsvc.store.schema_people import requests


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """A request that was made before. `status` is 0 while it is being answered; `answer` is sealed."""

    digest: str
    status: int
    answer: str
    at: str


def find_request(connection: Connection, token: int, key: str) -> Asked | None:
    """The request of that key."""
    row = connection.execute(select(requests).where(requests.c.token_id == token, requests.c.key == key)).first()
    return Asked(digest=row.digest, status=row.status, answer=str(row.answer or ""), at=row.at) if row else None


def put_request(connection: Connection, token: int, key: str, digest: str) -> None:
    """A request that is being answered from now on, in place of one of that key."""
    drop_request(connection, token, key)
    connection.execute(insert(requests).values(token_id=token, key=key, digest=digest, at=now()))


def answer_request(connection: Connection, token: int, key: str, *, status: int, answer: Any) -> None:
    """How a request was answered."""
    connection.execute(update(requests).where(requests.c.token_id == token, requests.c.key == key).values(status=status, answer=answer))


def drop_request(connection: Connection, token: int, key: str) -> None:
    """Forget a request: the same key may be used again."""
    connection.execute(delete(requests).where(requests.c.token_id == token, requests.c.key == key))


def forget_requests(connection: Connection, before: str) -> int:
    """Forget the requests before a moment; how many."""
    return connection.execute(delete(requests).where(requests.c.at < before)).rowcount
