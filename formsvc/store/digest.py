"""Keyed digests of what must not change unnoticed: they stand in the sealed audit log, beside the event that made the row."""

import hmac
import json
from collections.abc import Mapping, Sequence
from typing import Any, Final

from sqlalchemy import ColumnElement, Connection, RowMapping, Table, select

from formsvc.store.schema import documents, returns, revisions

TABLES: Final[Mapping[str, Table]] = {"document": documents, "return": returns, "revision": revisions}
COLUMNS: Final[Mapping[str, Sequence[str]]] = {
    "document": ("id", "sheet_id", "edition", "version", "lang", "snapshot", "base", "rows", "file"),
    "return": ("id", "file", "form", "version", "stamp", "values", "raw", "problems"),
    "revision": ("sheet_id", "number", "values", "rows", "cause"),
}
"""What is digested of each kind of row: everything that is written once."""


def digest(kind: str, row: Mapping[str, Any] | RowMapping, key: bytes) -> str:
    """The digest of a row by the names of its columns."""
    told = json.dumps([kind, [row[name] for name in COLUMNS[kind]]], sort_keys=True, ensure_ascii=True)
    return hmac.digest(key, b"row:" + told.encode("ascii"), "sha256").hex()[:32]


def stored_digest(connection: Connection, kind: str, key: bytes, *same: ColumnElement[bool]) -> str:
    """The digest of a row as the database gives it back."""
    return digest(kind, connection.execute(select(TABLES[kind]).where(*same)).mappings().one(), key)
