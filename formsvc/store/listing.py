"""Lists that go on where they stopped: the next rows after a key, whatever was added meanwhile."""

from collections.abc import Collection, Mapping, Sequence

from sqlalchemy import Connection, func, select

from formsvc.store.papers import Sheet, read_sheets
from formsvc.store.schema import documents, questions, sheets


def list_sheets(connection: Connection, *, units: Collection[int], month: str | None, form: str | None, after: int, most: int) -> tuple[Sheet, ...]:
    """The sheets of these units that were issued, by their number, after one."""
    wanted = select(sheets.c.id).where(sheets.c.id > after, sheets.c.unit_id.in_(sorted(units)), sheets.c.id.in_(select(documents.c.sheet_id)))
    if month is not None:
        wanted = wanted.where(sheets.c.month == month)
    if form is not None:
        wanted = wanted.where(sheets.c.form == form)
    keys = tuple(connection.scalars(wanted.order_by(sheets.c.id).limit(most)))
    return tuple(sorted(read_sheets(connection, id=keys), key=lambda sheet: sheet.id))


def open_counts(connection: Connection, keys: Sequence[int]) -> Mapping[int, int]:
    """How many questions wait about each sheet."""
    wanted = select(questions.c.sheet_id, func.count()).where(questions.c.sheet_id.in_(keys), questions.c.state == "open").group_by(questions.c.sheet_id)
    return {row[0]: row[1] for row in connection.execute(wanted)}


def issued_at(connection: Connection, ids: Collection[str]) -> Mapping[str, str]:
    """When these documents were issued."""
    return {row.id: row.at for row in connection.execute(select(documents.c.id, documents.c.at).where(documents.c.id.in_(sorted(ids))))}
