"""A roster that was uploaded: kept for whoever sent it, looked at as often as they want, then applied or thrown away.

It is a job's file whose work is done from the start: a person decides, no worker does.
"""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date
from pathlib import Path
from typing import Final

from formsvc.casework.coverage import whereabouts
from formsvc.errors import Refused
from formsvc.model.procedure import month_of
from formsvc.model.values import plain
from formsvc.office.background import let_file_go, new_batch
from formsvc.office.importing import Import, apply_import, compare, limited_tables
from formsvc.office.incoming import Found
from formsvc.office.office import Office
from formsvc.parsers.roster import read_lines
from formsvc.parsers.roster_columns import FIELDS, Column, find_columns, find_header
from formsvc.parsers.tables import Table
from formsvc.store.jobs import Job, add_job, end, read_job, read_jobs, remove_job
from formsvc.store.roster import read_children, read_enrolments
from formsvc.store.store import settle_file

KIND: Final = "roster"
_LATEST: Final = 10


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """How a person wants a file to be read: as of which day, the last day of whoever is missing, what columns are."""

    on: date
    missing_left: date | None = None
    columns: Mapping[str, str] = field(default_factory=dict)
    """The field of a column, by its letter; empty for a column that is nothing of ours. What is not said is guessed."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Look:
    """What a file would change, or why that cannot be said."""

    columns: tuple[Column, ...]
    found: Import | None = None
    refused: Refused | None = None
    namesakes: tuple[str, ...] = ()
    """The ids of new children who have the name of a child who is here under another id."""

    @property
    def digest(self) -> str:
        """Says whether two looks show the same changes."""
        return hashlib.sha256(repr((self.found.plan, self.found.on, self.found.missing_left)).encode("utf-8", "surrogatepass")).hexdigest() if self.found else ""


def keep_roster(office: Office, person: int, found: Found) -> int:
    """Keep an uploaded roster; its number. Refuses what is no table."""
    most = office.service.settings.most_megabytes
    if len(found.content) > most * 1_000_000:
        raise Refused("file-too-large", "", size=-(-len(found.content) // 1_000_000), most=most)
    limited_tables(found.content)
    name = office.store.keep(found.content)
    facts = {"name": Path(found.name.replace("\\", "/")).name[:200], "size": len(found.content)}
    with office.store.writing() as connection:
        settle_file(connection, name)
        number = add_job(connection, KIND, batch=new_batch(), person=person, facts=facts, file=name)
        end(connection, number, "done", {"state": "kept"})
        office.store.log(connection, "roster-uploaded", f"job:{number}", size=len(found.content))
    return number


def rosters_of(office: Office, person: int) -> Sequence[Job]:
    """A person's latest rosters."""
    with office.store.reading() as connection:
        return read_jobs(connection, person=person, kind=KIND, most=_LATEST)


def roster_of(office: Office, person: int, number: int) -> Job:
    """A roster that a person uploaded; somebody else's is like one that is not there."""
    with office.store.reading() as connection:
        job = read_job(connection, number)
    if job is None or job.kind != KIND or job.person != person:
        raise Refused("job-unknown", str(number))
    return job


def look_at(office: Office, job: Job, reading: Reading) -> Look:
    """What a roster would change; nothing is changed yet."""
    if job.file is None:
        raise Refused("job-file-gone", str(job.id))
    tables = limited_tables(office.store.vault.get(job.file))
    guessed = _columns(tables)
    mapping = _mapping(guessed, reading.columns)
    try:
        found = compare(office, read_lines(tables, "", mapping, today=reading.on), "", on=reading.on, missing_left=reading.missing_left)
    except Refused as refused:
        return Look(columns=_said(guessed, reading.columns), refused=refused)
    return Look(columns=_said(found.file.columns, reading.columns), found=found, namesakes=_namesakes(office, found))


def _namesakes(office: Office, found: Import) -> tuple[str, ...]:
    """New children who may be ones who are here: an id that was typed otherwise makes a second child."""
    with office.store.reading() as connection:
        here = whereabouts(read_enrolments(connection), month_of(found.on))
        known = {_words_of(child.name) for child in read_children(connection, here).values()}
    return tuple(change.child_id for change in found.plan.changes if change.kind == "new" and change.after and _words_of(change.after.child_name) in known)


def _words_of(name: str) -> tuple[str, ...]:
    """A name whichever way round it is written."""
    return tuple(sorted(plain(name).replace(",", " ").split()))


def _columns(tables: Sequence[Table]) -> tuple[Column, ...]:
    """The columns of the first table that has a header, however little of them is understood: a person says what they are."""
    for table in tables:
        if (header := find_header(table, {})) is not None:
            return find_columns(table.rows[header][1], table.rows[header + 1 :], {}, "")
    first = next((table for table in tables if len(table.rows) > 1), None)  # strange names: a person may know them
    return find_columns(first.rows[0][1], first.rows[1:], {}, "") if first else ()


def _mapping(guessed: Sequence[Column], columns: Mapping[str, str]) -> dict[str, str]:
    """What differs from the guess, as the reader of rosters takes it: columns by field, an empty one for “no column”."""
    changed = [(column, columns[column.letter]) for column in guessed if columns.get(column.letter, column.field or "") != (column.field or "")]
    headers = [column.header for column in guessed]
    mapping = {field: column.header if headers.count(column.header) == 1 and column.header else column.letter for column, field in changed if field in FIELDS}
    given_up = {column.field: "" for column, _ in changed if column.field and column.field not in mapping}
    return {**given_up, **mapping}


def _said(columns: Sequence[Column], told: Mapping[str, str]) -> tuple[Column, ...]:
    """Columns as the person said, who is certain."""
    return tuple(replace(column, field=told[column.letter] or None, sure=True) if column.letter in told else column for column in columns)


def apply_roster(office: Office, job: Job, reading: Reading, digest: str, *, others: bool = False) -> int:
    """Do what was shown, whole or not at all; how many changes there were. Refuses if other changes would be done now, and namesakes unless somebody said that they are `others`."""
    look = look_at(office, job, reading)
    if look.found is None or look.digest != digest:
        raise Refused("roster-plan-changed")
    if look.namesakes and not others:
        raise Refused("roster-namesakes")
    count = apply_import(office, look.found)
    let_file_go(office, job.id)
    with office.store.writing() as connection:
        end(connection, job.id, "done", {"state": "applied", "changes": count})
    return count


def throw_away(office: Office, job: Job) -> None:
    """Forget a roster without doing anything."""
    let_file_go(office, job.id)
    with office.store.writing() as connection:
        remove_job(connection, job.id)
        office.store.log(connection, "roster-dropped", f"job:{job.id}")
