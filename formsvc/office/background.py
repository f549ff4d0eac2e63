"""Background work as people ask for it: uploads that were acknowledged, papers and packets of a month; watch, cancel, retry."""

import secrets
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Final

from sqlalchemy import Connection

from formsvc.errors import Refused
from formsvc.files import is_picture
from formsvc.office.incoming import Found
from formsvc.office.office import Office
from formsvc.store.jobs import Job, add_job, cancel, ended_before, forget_file, read_job, read_jobs, remove_job, retry
from formsvc.store.store import settle_file

KEPT: Final = timedelta(days=30)
"""So long one can look up what became of an upload."""
RESULTS_KEPT: Final = timedelta(days=2)
"""So long a packet can be downloaded; it can be made again at any time."""
_WITHIN: Final = 1024
_TRIES: Final = 5


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """A job to begin."""

    kind: str
    facts: Mapping[str, Any]
    file: str | None = None
    total: int = 0


def new_batch() -> str:
    """A name for jobs that belong together."""
    return secrets.token_hex(6)


def start(office: Office, person: int | None, wanted: Wanted, *, batch: str | None = None) -> int:
    """Begin a job; its number."""
    with office.store.writing() as connection:
        return _start(connection, person, wanted, batch or new_batch())


def _start(connection: Connection, person: int | None, wanted: Wanted, batch: str) -> int:
    return add_job(connection, wanted.kind, batch=batch, person=person, facts=wanted.facts, file=wanted.file, total=wanted.total)


def start_upload(office: Office, person: int | None, found: Found, *, batch: str, month: str | None = None) -> int:
    """Acknowledge an upload: from now on its file is kept until it has been read. Refuses what is no document before it is stored."""
    check_upload(found, office.service.settings.most_megabytes)
    facts = {"name": Path(found.name.replace("\\", "/")).name[:200], "size": len(found.content), "month": month or ""}
    for _ in range(_TRIES):
        name = office.store.keep(found.content)
        with suppress(_Lost), office.store.writing() as connection:
            _settle(connection, name)
            number = _start(connection, person, Wanted(kind="receive", facts=facts, file=name), batch)
            office.store.log(connection, "uploaded", f"job:{number}", size=len(found.content))
            return number
    raise Refused("busy", found.name)


class _Lost(Exception):  # noqa: N818  (it ends a transaction, and is not seen by anybody)
    """The same content was let go by another job while it arrived: it is brought again."""


def _settle(connection: Connection, name: str) -> None:
    try:
        settle_file(connection, name)
    except Refused as refused:
        raise _Lost from refused


def check_upload(found: Found, most_megabytes: int) -> None:
    """Refuse at the door what cannot be a returned paper: empty, too large, another kind of file."""
    if found.refused is not None:
        raise found.refused
    if not found.content:
        raise Refused("file-empty", found.name)
    if len(found.content) > most_megabytes * 1_000_000:
        raise Refused("file-too-large", found.name, size=-(-len(found.content) // 1_000_000), most=most_megabytes)
    if b"%PDF" not in found.content[:_WITHIN] and not is_picture(found.content):
        raise Refused("upload-kind", found.name)


def jobs_of(office: Office, person: int | None, batch: str) -> Sequence[Job]:
    """The jobs of a batch, if they are this person's."""
    with office.store.reading() as connection:
        return tuple(job for job in read_jobs(connection, batch=batch) if job.person == person)


def recent(office: Office, person: int, *, most: int = 50) -> Sequence[Job]:
    """A person's latest jobs."""
    with office.store.reading() as connection:
        return tuple(job for job in read_jobs(connection, person=person, most=most) if job.kind != "roster")  # those wait for a person, not for a worker


def job_of(office: Office, person: int | None, number: int) -> Job:
    """A job, if it is this person's; a foreign one is like one that is not there."""
    with office.store.reading() as connection:
        job = read_job(connection, number)
    if job is None or job.person != person:
        raise Refused("job-unknown", str(number))
    return job


def stop_job(office: Office, person: int | None, number: int) -> None:
    """Cancel a job that has not ended."""
    job = job_of(office, person, number)
    with office.store.writing() as connection:
        if not cancel(connection, number):
            raise Refused("job-too-late" if job.kind == "receive" and not job.is_ended else "job-ended", str(number))
        office.store.log(connection, "job-cancelled", f"job:{number}")


def try_again(office: Office, person: int | None, number: int) -> None:
    """Let a failed or cancelled job begin again."""
    job = job_of(office, person, number)
    if job.kind == "receive" and job.file is None:
        raise Refused("job-file-gone", str(number))
    with office.store.writing() as connection:
        if not retry(connection, number):
            raise Refused("job-not-failed", str(number))
        office.store.log(connection, "job-retried", f"job:{number}")


def let_file_go(office: Office, number: int) -> None:
    """A job's file is not needed any more: remove it, unless a document, a return or another job holds it."""
    with office.store.writing() as connection:  # removed while nobody else can begin to hold it
        if (name := forget_file(connection, number)) is not None:
            office.store.vault.remove(name)


def tidy(office: Office) -> int:
    """Forget old jobs and what they made; how many were forgotten."""
    moment = datetime.now(UTC)
    with office.store.reading() as connection:
        stale = ended_before(connection, (moment - RESULTS_KEPT).isoformat(timespec="seconds"), made=True)
        old = tuple(ended_before(connection, (moment - KEPT).isoformat(timespec="seconds")))
    for number in {*stale, *old}:
        let_file_go(office, number)
    with office.store.writing() as connection:
        for number in old:
            remove_job(connection, number)
    return len(old)
