"""Units and their papers: listed, downloaded, made."""

from collections.abc import Mapping
from dataclasses import asdict
from typing import Any, Final

from flask import Response, url_for
from flask.typing import ResponseReturnValue

from formsvc.office.background import Wanted, job_of, start
from formsvc.office.listing import Wanted as Papers
from formsvc.office.listing import list_papers, one_paper
from formsvc.office.month import file_name, paper_of
from formsvc.office.seen import note_seen
from formsvc.store.roster import Unit
from formsvc.web.access import me, missing, my_document, my_unit, my_units, office
from formsvc.web.api import schemas
from formsvc.web.api.door import Told, endpoint, file_answer
from formsvc.web.api.jobs import told as told_job
from formsvc.web.api.paging import Paged, number_after, paged

PDF: Final = "application/pdf"
Begun = tuple[Mapping[str, Any], int, Mapping[str, str]]
_UNIT: Final = "/units/<int:unit>"


# ---------------------------------------------------------------- units


@endpoint("GET", "/units", "papers:read", "Units", Told(answer=schemas.page_of(schemas.Unit), query=schemas.Page))
def units(query: Mapping[str, Any]) -> Paged:
    """List the units whose papers you see."""
    after = number_after(query)
    found = sorted((unit for unit in my_units() if unit.id > after), key=lambda unit: unit.id)
    return paged([_unit(one) for one in found[: query["limit"] + 1]], query, lambda one: one["id"])


def _unit(found: Unit) -> dict[str, Any]:
    return asdict(found) | {"start": found.start.isoformat() if found.start else None}


@endpoint("GET", _UNIT, "papers:read", "Units", Told(answer=schemas.Unit))
def unit(unit: int) -> ResponseReturnValue:
    """One unit."""
    return _unit(my_unit(unit))


@endpoint("POST", f"{_UNIT}/papers", "papers:issue", "Papers", Told(answer=schemas.Job, status=202, body=schemas.PapersWanted))
def make_papers(data: Mapping[str, Any], unit: int) -> Begun:
    """Make a unit's papers of a month, in the background; those that stand are not made again."""
    found = my_unit(unit)
    return begun(Wanted(kind="papers", facts={"month": data["month"], "units": [found.id], "lang": data["lang"]}, total=1))


@endpoint("POST", "/packets", "papers:issue", "Papers", Told(answer=schemas.Job, status=202, body=schemas.PacketWanted, fails=(404,)))
def make_packet(data: Mapping[str, Any]) -> Begun:
    """Make a site's papers as one file to print, in the background; download it at the job's `/file`."""
    found = [unit for unit in my_units() if unit.site == data["site"]]
    if not found:
        missing()
    return begun(Wanted(kind="packet", facts={"month": data["month"], "site": data["site"], "units": [unit.id for unit in found], "lang": data["lang"]}, total=len(found)))


def begun(wanted: Wanted) -> Begun:
    """A job that was begun, and where to look at it."""
    return begun_job(start(office(), me().id, wanted))


def begun_job(number: int) -> Begun:
    """The same for one that is there already."""
    return told_job(job_of(office(), me().id, number)), 202, {"Location": url_for("api.job", job=number)}


# ---------------------------------------------------------------- documents


@endpoint("GET", "/documents", "papers:read", "Papers", Told(answer=schemas.page_of(schemas.Document), query=schemas.PapersPage, fails=(404,)))
def documents(query: Mapping[str, Any]) -> Paged:
    """List the papers that were issued, each in its newest edition."""
    return paged(list_papers(office(), wanted_papers(query)), query, lambda one: one.record)


def wanted_papers(query: Mapping[str, Any]) -> Papers:
    """Which papers a query asks for; refuses a unit that is not this person's."""
    units = {my_unit(query["unit"]).id} if query["unit"] is not None else {unit.id for unit in my_units()}
    return Papers(units=units, month=query["month"], form=query.get("form"), after=number_after(query), most=query["limit"] + 1)


@endpoint("GET", "/documents/<document>", "papers:read", "Papers", Told(answer=schemas.Document))
def document(document: str) -> ResponseReturnValue:
    """One paper."""
    return asdict(one_paper(office(), my_document(document)))


@endpoint("GET", "/documents/<document>/file", "papers:read", "Papers", Told(gives=PDF))
def document_file(document: str) -> Response:
    """A paper's PDF as it was issued."""
    found = my_document(document)
    note_seen(office(), found.sheet, "paper")
    content = paper_of(office(), found)
    if content is None:
        missing()
    return file_answer(content, PDF, file_name(found))
