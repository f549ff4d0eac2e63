"""Papers that come back: sent in, read without being kept; what is known since; what waits for a person; what is to be done."""

import re
from collections.abc import Mapping
from typing import Any, Final

from flask import Response, current_app, jsonify, request
from flask.typing import ResponseReturnValue

from formsvc.office.background import check_upload, new_batch, start_upload
from formsvc.office.listing import list_actions, list_records, one_record
from formsvc.office.review import Waiting, decide, waiting_for
from formsvc.office.seen import note_all_seen, note_list_seen, note_seen
from formsvc.web.access import me, missing, my_sheet, my_unit, my_units, office
from formsvc.web.api import make, schemas
from formsvc.web.api.bodies import FORM, PAPERS, read_paper, unfit
from formsvc.web.api.door import Told, endpoint
from formsvc.web.api.paging import Paged, number_after, paged
from formsvc.web.api.papers import Begun, begun_job, wanted_papers
from formsvc.web.words import today

_FILE: Final = {"type": "string", "format": "binary"}
_MONTH: Final = {"type": "string", "pattern": make.MONTH, "description": "The month you expect; a paper of another one counts for its own and is told."}
_PASSWORD: Final = {"type": "string", "minLength": 1, "maxLength": 127, "description": "What opens it, if it is protected."}


def _paper_body(fields: Mapping[str, Any]) -> dict[str, Any]:
    """A paper in a request, as OpenAPI has it: its bytes, or a form."""
    form = {"type": "object", "properties": {"file": _FILE, **fields}, "required": ["file"], "additionalProperties": False}
    return {"requestBody": {"required": True, "content": {**{kind: {"schema": _FILE} for kind in PAPERS}, FORM: {"schema": form}}}}


# ---------------------------------------------------------------- sent in, read


@endpoint("POST", "/returns", "returns:write", "Returns", Told(answer=schemas.Job, status=202, files=True, more=_paper_body({"month": _MONTH})))
def send_return() -> Begun:
    """Send a paper in: it is kept from now on, and read in the background; its job tells what became of it."""
    found, more = read_paper()
    month = more.get("month")
    if month is not None and not re.fullmatch(make.MONTH, month):
        unfit({"month": ["This is no month; write YYYY-MM."]})
    return begun_job(start_upload(office(), me().id, found, batch=new_batch(), month=month))


@endpoint("POST", "/read", "returns:read", "Returns", Told(answer=schemas.Reading, files=True, more=_paper_body({"password": _PASSWORD})))
def read() -> ResponseReturnValue:
    """Read a paper and tell what stands in it; nothing is kept."""
    found, more = read_paper()
    check_upload(found, office().service.settings.most_megabytes)
    received = office().service.read(found.content, password=more.get("password"))
    submission, record = received.submission, received.record
    return {
        "document": record.document, "form": record.form.name, "version": record.form.version, "source": submission.source, "values": record.values, "answers": submission.answers,
        "problems": record.problems,
    }  # fmt: skip


# ---------------------------------------------------------------- records


@endpoint("GET", "/records", "records:read", "Records", Told(answer=schemas.page_of(schemas.Record), query=schemas.PapersPage, fails=(404,)))
def records(query: Mapping[str, Any]) -> Paged:
    """List what is known of the papers that were issued."""
    found = list_records(office(), wanted_papers(query))
    note_all_seen(office(), [one.id for one in found[: query["limit"]]], "record")
    return paged(found, query, lambda one: one.id)


_IF_NONE: Final = {"in": "header", "name": "If-None-Match", "required": False, "schema": {"type": "string"}, "description": "The ETag you have: 304 if it is still the same."}
_ETAG: Final = {"responses": {200: {"headers": {"ETag": {"schema": {"type": "string"}, "description": "Changes with the record."}}}, 304: {"description": "Not Modified"}}, "parameters": [_IF_NONE]}


@endpoint("GET", "/records/<int:record>", "records:read", "Records", Told(answer=schemas.Record, more=_ETAG))
def record(record: int) -> Response:
    """One record."""
    found = one_record(office(), my_sheet(record))
    if found is None:
        missing()
    note_seen(office(), record, "record")
    answer = current_app.make_response(jsonify(schemas.Record().dump(found)))
    answer.add_etag()
    return answer.make_conditional(request)  # type: ignore[return-value]


# ---------------------------------------------------------------- questions


@endpoint("GET", "/questions", "questions:read", "Questions", Told(answer=schemas.page_of(schemas.Question), query=schemas.QuestionsPage, fails=(404,)))
def questions(query: Mapping[str, Any]) -> Paged:
    """List what waits for a person in your units."""
    unit, after = my_unit(query["unit"]).id if query["unit"] is not None else None, number_after(query)
    found = [one for one in waiting_for(office(), me(), month=query["month"]) if one.number > after and unit in {None, one.unit}]
    shown = sorted(found, key=lambda one: one.number)[: query["limit"] + 1]
    note_all_seen(office(), {one.sheet for one in shown[: query["limit"]] if one.sheet is not None}, "record")
    return paged([_question(one) for one in shown], query, lambda one: one["number"])


def _question(one: Waiting) -> dict[str, Any]:
    choices = [{"number": number, "value": value, "source": source} for number, (value, source) in enumerate(one.choices, start=1)]
    return {
        "number": one.number, "code": one.code, "record": one.sheet, "unit": one.unit, "month": one.month, "cell": one.cell, "what": one.what, "message": one.message, "issued": one.issued,
        "choices": choices, "returned": one.return_id, "at": one.at,
    }  # fmt: skip


@endpoint("POST", "/questions/<int:question>/decision", "questions:write", "Questions", Told(answer=schemas.Decision, body=schemas.DecisionWanted))
def decide_question(data: Mapping[str, Any], question: int) -> ResponseReturnValue:
    """Answer a question."""
    found = next((one for one in waiting_for(office(), me()) if one.number == question), None)
    if found is None:
        missing()
    said = decide(office(), question, data["choice"])
    sheet = my_sheet(found.sheet or 0)
    return {"question": question, "said": said, "record": sheet.id, "revision": sheet.revision}


# ---------------------------------------------------------------- follow-up


@endpoint("GET", "/actions", "actions:read", "Actions", Told(answer=schemas.page_of(schemas.Action), query=schemas.ActionsPage, fails=(404,)))
def actions(query: Mapping[str, Any]) -> Paged:
    """List the follow-up actions of your units, as they stand today."""
    units = {my_unit(query["unit"]).id} if query["unit"] is not None else {unit.id for unit in my_units()}
    found = list_actions(office(), units, today(), only_open=bool(query["open"]) or bool(query["overdue"]), month=query["month"])
    shown = [one for one in found if one.id > (query["after"] or "") and (one.overdue or not query["overdue"])][: query["limit"] + 1]
    note_list_seen(office(), "follow-ups", query["month"] or "all")
    return paged(shown, query, lambda one: one.id)
