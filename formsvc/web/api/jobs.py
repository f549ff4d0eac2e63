"""Work in the background, as programs watch it."""

from collections.abc import Mapping
from typing import Any, Final

from flask import Response
from flask.typing import ResponseReturnValue
from sqlalchemy import Connection

from formsvc.office.background import job_of, stop_job, try_again
from formsvc.office.seen import note_all_seen
from formsvc.store.jobs import Job, read_jobs
from formsvc.web.access import me, missing, office, sees_packet
from formsvc.web.api import schemas
from formsvc.web.api.door import Told, endpoint, file_answer
from formsvc.web.api.paging import Paged, number_after, paged

_JOB: Final = "/jobs/<int:job>"
_MADE: Final = "packet"


@endpoint("GET", "/jobs", "jobs:read", "Jobs", Told(answer=schemas.page_of(schemas.Job), query=schemas.Page))
def jobs(query: Mapping[str, Any]) -> Paged:
    """List your jobs, the newest first."""
    before = number_after(query) or None
    with office().store.reading() as connection:
        found = _before(connection, before, query["limit"] + 1)
    return paged([told(job) for job in found], query, lambda one: one["id"])


def _before(connection: Connection, before: int | None, most: int) -> list[Job]:
    return list(read_jobs(connection, person=me().id, before=before, most=most))


@endpoint("GET", _JOB, "jobs:read", "Jobs", Told(answer=schemas.Job))
def job(job: int) -> ResponseReturnValue:
    """One job, and what came of it."""
    return told(job_of(office(), me().id, job))


@endpoint("POST", f"{_JOB}/cancel", "jobs:write", "Jobs", Told(answer=schemas.Job))
def cancel_job(job: int) -> ResponseReturnValue:
    """Stop a job that has not ended."""
    stop_job(office(), me().id, job)
    return told(job_of(office(), me().id, job))


@endpoint("POST", f"{_JOB}/retry", "jobs:write", "Jobs", Told(answer=schemas.Job))
def retry_job(job: int) -> ResponseReturnValue:
    """Let a job that failed or was cancelled begin again."""
    try_again(office(), me().id, job)
    return told(job_of(office(), me().id, job))


@endpoint("GET", f"{_JOB}/file", "jobs:read", "Jobs", Told(gives="application/pdf"))
def job_file(job: int) -> Response:
    """The file that a job made."""
    found = job_of(office(), me().id, job)
    if not _has_file(found) or not sees_packet(found):
        missing()
    note_all_seen(office(), found.result.get("sheets", ()), "paper")
    return file_answer(office().store.vault.get(str(found.file)), "application/pdf", str(found.result["name"]))


def _has_file(job: Job) -> bool:
    return job.kind == _MADE and job.state == "done" and job.file is not None


def told(job: Job) -> dict[str, Any]:
    """A job as programs see it."""
    return {
        "id": job.id, "kind": job.kind, "state": job.state, "batch": job.batch, "name": job.facts.get("name"), "done": job.done, "total": job.total, "at": job.at, "changed_at": job.changed,
        "has_file": _has_file(job), "result": _result(job.result) if job.is_ended and job.result else None,
    }  # fmt: skip


def _result(result: Mapping[str, Any]) -> dict[str, Any]:
    found = dict(result)
    if "problems" in found:
        found["problems"] = [dict(zip(("code", "field", "severity"), one[:3], strict=True)) for one in found["problems"]]
    if "notes" in found:
        found["notes"] = [dict(zip(("where", "message"), one, strict=True)) for one in found["notes"]]
    return found
