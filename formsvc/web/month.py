"""The month of a person: my units, their papers and how far each has come; downloads, the day of the conference."""

import io
import zipfile
from datetime import date
from typing import Final

from flask import Blueprint, Response, g, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from formsvc.errors import Refused
from formsvc.model.procedure import is_month, month_after, month_of
from formsvc.model.values import read_time
from formsvc.office.background import Wanted, new_batch, start
from formsvc.office.conferences import Meeting, plan_conference
from formsvc.office.desk import Desk, desks
from formsvc.office.month import file_name, paper_of
from formsvc.office.seen import note_all_seen, note_seen
from formsvc.store.papers import newest_documents, read_sheets
from formsvc.store.roster import Unit
from formsvc.web.access import me, missing, my_document, my_unit, my_units, office, page
from formsvc.web.guard import done, tell
from formsvc.web.words import gettext, month_name, today

pages = Blueprint("month", __name__)
_STARTS: Final = (("papers", "month.show"), ("cases", "cases.index"), ("roster", "admin.roster"), ("logs", "admin.log"))
_UNITS_AT_ONCE: Final = 25


@page(pages, "/", "nothing")
def home() -> ResponseReturnValue:
    """Where each role begins."""
    session = g.session
    if session is None:
        return redirect(url_for("sign_in.form"))
    if not session.is_whole:
        return redirect(url_for("sign_in.code"))
    return redirect(url_for(next((endpoint for right, endpoint in _STARTS if session.person.may(right)), "sign_in.account")))


def month_or_missing(month: str | None) -> str:
    """A month in an address; today's where none is named."""
    if month is None:
        return month_of(today())
    if not is_month(month) or not 2000 <= int(month[:4]) <= 2100:  # noqa: PLR2004
        missing()
    return month


@page(pages, "/month", "papers")
@page(pages, "/month/<month>", "papers")
def show(month: str | None = None) -> ResponseReturnValue:
    """My units in a month."""
    month = month_or_missing(month)
    units = my_units()
    sites = sorted({unit.site for unit in units})
    site = request.args.get("site", "")
    if site:
        units = tuple(unit for unit in units if unit.site == site)
    first = max(0, request.args.get("from", 0, type=int))
    shown = desks(office(), units[first : first + _UNITS_AT_ONCE], month, me().id)
    return render_template(
        "month.html", month=month, before=month_after(month, -1), after=month_after(month), desks=shown, sites=sites, site=site, first=first, count=len(units), step=_UNITS_AT_ONCE,
        tally=_tally(shown), next_step=next_step,
    )


def _tally(shown: tuple[Desk, ...]) -> dict[str, int]:
    """How many papers are in each state."""
    phases = [paper.phase for desk in shown for paper in desk.papers]
    return {phase: phases.count(phase) for phase in ("issued", "returned", "review", "done")} | {"missing": sum(len(desk.missing) for desk in shown)}


def next_step(desk: Desk) -> str:
    """What a unit's staff do next, in words."""
    if not desk.papers:
        return gettext("Make the papers of this month.")
    if any(paper.phase == "review" for paper in desk.papers) or desk.unplaced:
        return gettext("Answer what waits for a person.")
    if desk.planned_on is None and desk.held_on is None:
        return gettext("Set the day of the conference.")
    if desk.held_on is None:
        return gettext("Hold the conference and fill in the worksheet, here or on paper.") if desk.planned_on and desk.planned_on >= today() else gettext("The conference day is over: fill in or upload the papers.")
    if desk.is_done:
        return gettext("Nothing: this month is done.")
    return gettext("Complete the papers that are left, and correct what breaks a rule.")


# ---------------------------------------------------------------- downloads


@page(pages, "/paper/<document>.pdf", "papers")
def paper(document: str) -> ResponseReturnValue:
    """A paper as it was issued."""
    found = my_document(document)
    content = paper_of(office(), found)
    if content is None:
        missing()
    note_seen(office(), found.sheet, "paper")
    return attachment(content, file_name(found), "application/pdf")


def attachment(content: bytes, name: str, kind: str) -> Response:
    """A file to be saved, never shown by the browser."""
    answer = Response(content, mimetype=kind)
    answer.headers.set("Content-Disposition", "attachment", filename=name)
    answer.headers["Content-Security-Policy"] = "default-src 'none'; sandbox"
    return answer


@page(pages, "/unit/<int:unit>/<month>/papers.zip", "papers")
def papers(unit: int, month: str) -> ResponseReturnValue:
    """All papers of a unit in one archive."""
    found = my_unit(unit)
    month = month_or_missing(month)
    with office().store.reading() as connection:
        newest = newest_documents(connection, [sheet.id for sheet in read_sheets(connection, unit_id=found.id, month=month)])
    memory = io.BytesIO()
    with zipfile.ZipFile(memory, "w", zipfile.ZIP_STORED) as archive:
        for document in newest.values():
            if (content := paper_of(office(), document)) is not None:
                archive.writestr(zipfile.ZipInfo(file_name(document), date_time=(1980, 1, 1, 0, 0, 0)), content)
    if not newest:
        missing()
    note_all_seen(office(), newest, "paper")
    return attachment(memory.getvalue(), f"papers-{month}-{found.id}.zip", "application/zip")


# ---------------------------------------------------------------- made, planned


@page(pages, "/month/<month>/make", "papers", methods=("POST",))
def make(month: str) -> ResponseReturnValue:
    """Make the papers of some of my units, in the background."""
    month = month_or_missing(month)
    units = _chosen(request.form.getlist("unit", type=int))
    lang = request.form.get("lang")
    facts = {"month": month, "units": [unit.id for unit in units], "lang": lang if lang in ("en", "es") else None}
    batch = new_batch()
    start(office(), me().id, Wanted(kind="papers", facts=facts, total=len(units)), batch=batch)
    return redirect(url_for("uploads.batch", batch=batch))


def _chosen(keys: list[int]) -> list[Unit]:
    units = my_units()
    if not keys:
        return list(units)
    chosen = [unit for unit in units if unit.id in keys]
    if len(chosen) != len(set(keys)):
        missing()
    return chosen


@page(pages, "/month/<month>/packet", "papers", methods=("POST",))
def make_packet(month: str) -> ResponseReturnValue:
    """A site's papers as one file to print, made in the background."""
    month = month_or_missing(month)
    site = request.form.get("site", "")
    units = [unit for unit in my_units() if unit.site == site]
    if not units:
        missing()
    batch = new_batch()
    facts = {"month": month, "site": site, "units": [unit.id for unit in units]}
    start(office(), me().id, Wanted(kind="packet", facts=facts, total=len(units)), batch=batch)
    return redirect(url_for("uploads.batch", batch=batch))


@page(pages, "/unit/<int:unit>/<month>/plan", "plan", methods=("POST",))
def plan(unit: int, month: str) -> ResponseReturnValue:
    """Set the day of a unit's conference (R1)."""
    found, month = my_unit(unit), month_or_missing(month)
    try:
        meeting = _meeting(month)
        with office().store.writing() as connection:
            plan_conference(connection, found.id, meeting)
            office().store.log(connection, "planned", f"unit:{found.id}", on=str(meeting.planned_on))
    except Refused as refused:
        tell(refused)
    else:
        done(gettext("The conference is set."))
    return redirect(url_for("month.show", month=month, _anchor=f"unit-{unit}"))


def _meeting(month: str) -> Meeting:
    try:
        day = date.fromisoformat(request.form.get("day", ""))
    except ValueError as problem:
        raise Refused("plan-day", "") from problem
    if month_of(day) != month:
        raise Refused("plan-month", "", month=month_name(month))
    start_time, end_time = (read_time(request.form.get(name, "")) or "" for name in ("start", "end"))
    if start_time and end_time and end_time <= start_time:
        raise Refused("plan-times", "")
    return Meeting(planned_on=day, start_time=start_time, end_time=end_time)
