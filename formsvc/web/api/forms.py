"""The token itself; the forms, their schemas, and a PDF of values that a program brings."""

from dataclasses import asdict
from typing import Any

from flask import request
from flask.typing import ResponseReturnValue
from marshmallow import ValidationError

from formsvc.model.form import Form
from formsvc.model.schema import unlike_json
from formsvc.web.access import me, missing, office
from formsvc.web.api import schemas
from formsvc.web.api.bodies import read_json, unfit
from formsvc.web.api.door import Told, caller, endpoint, file_answer
from formsvc.web.api.issuing import DOCUMENT, ISSUE, PDF
from formsvc.web.api.reference import reference


@endpoint("GET", "/token", "token", "Token", Told(answer=schemas.Token))
def token() -> ResponseReturnValue:
    """What your token is."""
    found, person = caller().token, me()
    return {"name": found.name, "person": person.name, "roles": list(person.roles), "scopes": list(found.scopes), "expires": found.expires}


@endpoint("GET", "/forms", "token", "Forms", Told(answer=schemas.page_of(schemas.FormSummary)))
def forms() -> ResponseReturnValue:
    """List the forms that can be issued."""
    return {"items": [_summary(form) for form in office().catalog.forms()], "next": None}


def _summary(form: Form) -> dict[str, Any]:
    return {"name": form.id.name, "version": form.id.version, "number": form.number, "revision": form.revision, "title": asdict(form.titles), "groups": [group.name for group in form.groups]}


@endpoint("GET", "/forms/<form>", "token", "Forms", Told(answer=schemas.Form))
def form(form: str) -> ResponseReturnValue:
    """A form, with the JSON Schema of its records' values."""
    found = _known(form)
    return {**_summary(found), "schema": reference().values_schema(found)}


def _known(name: str) -> Form:
    found = next((form for form in office().catalog.forms() if form.id.name == name), None)
    if found is None:
        missing()
    return found


# ---------------------------------------------------------------- issued


@endpoint("POST", ISSUE, "papers:issue", "Forms", Told(gives=PDF, hidden=True))
def issue(form: str) -> ResponseReturnValue:
    """Make a fillable PDF with values that a program brings; its document is that of each form."""
    found, data = _known(form), read_json(request)
    try:
        wanted = reference().issue_schemas[form]().load(data)
    except ValidationError as invalid:
        unfit(invalid.messages)
    if wrong := list(unlike_json(found, data.get("values") or {})):
        unfit({"values": {".".join(map(str, place)): [message] for place, message in wrong}})
    issued = office().service.issue(form, wanted["values"], lang=wanted["lang"])
    return file_answer(issued.content, PDF, f"{form}-{issued.document}.pdf", {DOCUMENT: issued.document})
