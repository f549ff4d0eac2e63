"""Uploads and other work in the background: send many files, watch each, see what became of it and what comes next."""

from typing import Any, Final

from flask import Blueprint, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from formsvc.errors import Refused
from formsvc.office.background import job_of, jobs_of, new_batch, recent, start_upload, stop_job, try_again
from formsvc.office.case_letters import SUMMARY
from formsvc.office.incoming import Found
from formsvc.office.receive import KEPT_UNREAD
from formsvc.office.seen import note_all_seen
from formsvc.store.jobs import Job
from formsvc.store.papers import find_document, read_sheet
from formsvc.store.roster import find_unit
from formsvc.web.access import me, missing, my_units, office, page, sees_packet
from formsvc.web.guard import done, tell, wants_json
from formsvc.web.month import attachment
from formsvc.web.navigation import phase_name
from formsvc.web.words import gettext, ngettext, said, sheet_words

pages = Blueprint("uploads", __name__)
_BATCH: Final = 16


@page(pages, "/uploads", "papers")
def index() -> ResponseReturnValue:
    """Send files, and what became of the last ones."""
    return render_template("uploads.html", jobs=[told(job) for job in recent(office(), me().id) if job.kind != SUMMARY], units=my_units())


@page(pages, "/uploads", "papers", methods=("POST",))
def send() -> ResponseReturnValue:
    """Take files in: each is acknowledged for itself, and read in the background."""
    batch = request.form.get("batch", "")
    batch = batch if 0 < len(batch) <= _BATCH and batch.isalnum() else new_batch()
    sent, refusals = 0, []
    for file in request.files.getlist("files"):
        if not file.filename:
            continue
        try:
            start_upload(office(), me().id, Found(name=file.filename, content=file.read()), batch=batch)
            sent += 1
        except Refused as refused:
            refusals.append(refused)
    if not sent and not refusals:
        refusals.append(Refused("nothing-sent"))
    if wants_json():
        return {"batch": batch, "sent": sent, "refused": [{"code": one.code, "message": said(one.message, one.code)} for one in refusals]}, 202 if sent else 400
    for one in refusals:
        tell(one)
    return redirect(url_for("uploads.batch", batch=batch) if sent else url_for("uploads.index"))


@page(pages, "/uploads/<batch>", "papers")
def batch(batch: str) -> ResponseReturnValue:
    """What became of files that were sent together."""
    jobs = jobs_of(office(), me().id, batch)
    if not jobs:
        missing()
    if wants_json():
        return {"jobs": [told(job) for job in jobs], "ended": all(job.is_ended for job in jobs)}
    return render_template("batch.html", batch=batch, jobs=[told(job) for job in jobs], is_ended=all(job.is_ended for job in jobs))


def told(job: Job) -> dict[str, Any]:
    """A job as a page shows it: what it is, how far, what became of it, what comes next."""
    state = str(job.result.get("state", "")) if job.kind == "receive" and job.state == "done" else str(job.state)
    return {
        "id": job.id, "kind": job.kind, "batch": job.batch, "name": job.facts.get("name") or _title(job), "at": job.at, "state": state, "words": phase_name(state), "ended": job.is_ended,
        "done": job.done, "total": job.total, "said": _result(job), "next": _next(job), "links": _links(job), "can_retry": job.state in ("failed", "cancelled"), "can_cancel": job.state == "waiting" or (job.state == "running" and job.kind != "receive"),
    }


def _title(job: Job) -> str:
    titles = {"papers": gettext("Papers of %(month)s", month=job.facts.get("month", "")), "packet": gettext("Packet of %(site)s, %(month)s", site=job.facts.get("site", ""), month=job.facts.get("month", ""))}
    return titles.get(job.kind, job.kind)


def _result(job: Job) -> list[str]:
    """What became of it, in sentences."""
    result = job.result
    if job.state in ("failed", "cancelled"):
        return [said(str(result["message"]), str(result.get("code", "")))] if result.get("message") else []
    if job.state != "done":
        return []
    if job.kind == "papers":
        return [gettext("%(papers)d papers of %(units)d units; %(made)d were made now.", papers=result["papers"], units=result["units"], made=result["made"]), *(f"{where}: {said(why)}" for where, why in result.get("notes", ()))]
    if job.kind == "packet":
        return [gettext("%(papers)d papers in one file.", papers=result["papers"])]
    return _received(result)


def _received(result: Any) -> list[str]:
    if parts := result.get("parts"):
        whole = gettext("The file held %(count)d documents or loose pages; each was taken in by itself.", count=len(parts))
        return [whole, *(f"{part['name'].rpartition(' ')[2]} {' '.join(_received(part))}" for part in parts)]
    if result["state"] in ("refused", "left"):
        return [said(str(result["message"]), str(result["code"]))]
    if result["state"] == "again":
        return [gettext("The same file was received before; nothing was changed.")]
    found = [_where(result)] if result.get("where") else []
    if result["state"] == "counted":
        errors = sum(problem[2] == "error" for problem in result.get("problems", ()))
        found.append(gettext("It changed the record.") if result.get("changed") else gettext("It tells nothing new: the record stays as it is."))
        if result.get("questions"):
            found.append(ngettext("%(num)d question waits for a person.", "%(num)d questions wait for a person.", result["questions"]))
        if errors:
            found.append(ngettext("%(num)d place breaks a rule.", "%(num)d places break a rule.", errors))
        if result.get("renewed"):
            found.append(gettext("The follow-up form was made anew."))
        found += [gettext("%(where)s: its follow-up form could not be made anew. %(why)s", where=where, why=said(why)) for where, why in result.get("not_renewed", ())]
    if result.get("message"):
        found.append(said(str(result["message"]), str(result.get("code", ""))))
    return found


def _where(result: Any) -> str:
    """Which paper a receipt is about."""
    with office().store.reading() as connection:
        document = find_document(connection, str(result["document"]))
        if document is None:
            return str(result["where"])
        sheet = read_sheet(connection, document.sheet)
        return sheet_words(sheet, find_unit(connection, sheet.unit))


def _next(job: Job) -> str:
    """What the person does next."""
    result = job.result
    if job.kind != "receive" or job.state != "done":
        return {"failed": gettext("Try again, or tell your administrator."), "cancelled": gettext("Nothing was changed.")}.get(job.state, "")
    if result["state"] == "refused":
        return gettext("Mend it as it says, then send the file again.")
    if result["state"] == "waiting":
        if result.get("code") in KEPT_UNREAD:
            return gettext("Type it into its form on screen, then say under Review that you typed it in.")
        return gettext("Say where it belongs under Review.") if not result.get("where") else gettext("Look at it under Review.")
    if result.get("questions"):
        return gettext("Answer the questions under Review.")
    if any(problem[2] == "error" for problem in result.get("problems", ())):
        return gettext("Open the form and correct what breaks a rule.")
    return gettext("Nothing: this paper is done.") if result["state"] == "counted" else ""


def _links(job: Job) -> list[tuple[str, str]]:
    if job.state != "done":
        return []
    if job.kind == "packet":
        return [(url_for("uploads.made", number=job.id), gettext("Download"))] if job.file else []
    if job.kind == "papers":
        return [(url_for("month.show", month=job.facts["month"]), gettext("Open the month"))]
    if job.result.get("questions") or job.result["state"] == "waiting":
        return [(url_for("review.index"), gettext("Review"))]
    if job.result.get("month"):
        return [(url_for("month.show", month=job.result["month"]), gettext("Open the month"))]
    return []


@page(pages, "/jobs/<int:number>/file", "papers")
def made(number: int) -> ResponseReturnValue:
    """What a job made."""
    job = job_of(office(), me().id, number)
    if job.kind != "packet" or job.state != "done" or job.file is None or not sees_packet(job):
        missing()
    note_all_seen(office(), job.result.get("sheets", ()), "paper")
    return attachment(office().store.vault.get(job.file), str(job.result["name"]), "application/pdf")


@page(pages, "/jobs/<int:number>/cancel", "papers", methods=("POST",))
def cancel(number: int) -> ResponseReturnValue:
    """Stop a job."""
    return _changed(number, stop_job, gettext("It was cancelled."))


@page(pages, "/jobs/<int:number>/retry", "papers", methods=("POST",))
def retry(number: int) -> ResponseReturnValue:
    """Begin a job again."""
    return _changed(number, try_again, gettext("It begins again."))


def _changed(number: int, change: Any, words: str) -> ResponseReturnValue:
    job = job_of(office(), me().id, number)
    try:
        change(office(), me().id, number)
    except Refused as refused:
        tell(refused)
    else:
        done(words)
    return redirect(url_for("uploads.batch", batch=job.batch))
