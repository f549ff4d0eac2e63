"""Adding a row whose number the database chooses."""

from typing import Any

from sqlalchemy import Connection, Table, insert


def inserted(connection: Connection, table: Table, **values: Any) -> int:
    """Add a row to a table with a whole-number key `id`; that key."""
    return int(connection.execute(insert(table).values(**values).returning(table.c.id)).scalar_one())
