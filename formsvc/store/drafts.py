"""What people typed on screen and did not save yet, one draft for each person and paper."""

from collections.abc import Mapping
from dataclasses import dataclass

from sqlalchemy import Connection, delete, insert, select, update

from formsvc.store.log import now
from formsvc.store.schema_people import drafts


@dataclass(frozen=True, slots=True, kw_only=True)
class Draft:
    """Answers by key, as they were typed; `shown` is what the person saw when they began, sealed."""

    answers: Mapping[str, str]
    shown: str
    at: str


def read_draft(connection: Connection, person: int, *, sheet_id: int | None = None, case_id: int | None = None) -> Draft | None:
    """A person's draft of a sheet or of a case's notes."""
    row = connection.execute(select(drafts).where(drafts.c.person_id == person, drafts.c.sheet_id == sheet_id if sheet_id is not None else drafts.c.case_id == case_id)).first()
    return Draft(answers=row.answers, shown=row.shown, at=row.at) if row else None


def keep_draft(connection: Connection, person: int, *, sheet_id: int | None = None, case_id: int | None = None, answers: Mapping[str, str], shown: str) -> str:
    """Keep a draft in place of the one before; when."""
    own = (drafts.c.person_id == person, drafts.c.sheet_id == sheet_id if sheet_id is not None else drafts.c.case_id == case_id)
    at = now()
    values = {"answers": dict(answers), "shown": shown, "at": at}
    if not connection.execute(update(drafts).where(*own).values(**values)).rowcount:
        connection.execute(insert(drafts).values(person_id=person, sheet_id=sheet_id, case_id=case_id, **values))
    return at


def remove_draft(connection: Connection, person: int, *, sheet_id: int | None = None, case_id: int | None = None) -> None:
    """Forget a draft."""
    connection.execute(delete(drafts).where(drafts.c.person_id == person, drafts.c.sheet_id == sheet_id if sheet_id is not None else drafts.c.case_id == case_id))
