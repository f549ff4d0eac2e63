"""The token itself; the forms, their schemas, and a PDF of values that a program brings."""

from collections.abc import Mapping
from dataclasses import asdict
from typing import Any, Final

from flask import current_app, request
from flask.typing import ResponseReturnValue
from marshmallow import Schema, ValidationError, fields

from formsvc.model.form import Ask, Form
from formsvc.model.kinds import LANGS, Choice, Choices, Day, Kind, LongText, Month, Number, Signature, Stamp, Text, Tick, Time
from formsvc.model.schema import record_schema, unlike_json
from formsvc.web.access import me, missing, office
from formsvc.web.api import make, schemas
from formsvc.web.api.bodies import read_json, unfit
from formsvc.web.api.door import Told, caller, endpoint, file_answer

PDF: Final = "application/pdf"
ISSUE: Final = "/forms/<form>/issue"
NAME: Final = "formsvc-api"
"""Where the application keeps the reference of its API."""
DOCUMENT: Final = "Formsvc-Document"


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
    return {**_summary(found), "schema": current_app.extensions[NAME].values_schema(found)}


def _known(name: str) -> Form:
    found = next((form for form in office().catalog.forms() if form.id.name == name), None)
    if found is None:
        missing()
    return found


# ---------------------------------------------------------------- issued


@endpoint("POST", ISSUE, "papers:issue", "Forms", Told(gives=PDF, hidden=True))
def issue(form: str) -> ResponseReturnValue:
    """Make a fillable PDF with values of your own; nothing is kept.

    Values stand in their one spelling, as the form's schema says. Without `values` the form is blank. The
    header Formsvc-Document has the new document's id.
    """
    found, data = _known(form), read_json(request)
    try:
        wanted = current_app.extensions[NAME].issue_schemas[form]().load(data)
    except ValidationError as invalid:
        unfit(invalid.messages)
    if wrong := list(unlike_json(found, data.get("values") or {})):
        unfit({"values": {".".join(map(str, place)): [message] for place, message in wrong}})
    issued = office().service.issue(form, wanted["values"], lang=wanted["lang"])
    return file_answer(issued.content, PDF, f"{form}-{issued.document}.pdf", {DOCUMENT: issued.document})


def issue_schema(form: Form) -> type[Schema]:
    """What is sent to have a form issued."""
    members: dict[str, Any] = {
        "values": fields.Nested(record_schema(form), allow_none=True, load_default=make.nothing, metadata={"example": example_values(form)}),
        "lang": make.one_of(LANGS, "The paper's language.", default="en"),
    }
    return type(f"{form.id.name}-wanted", (Schema,), members)


def example_values(form: Form) -> Mapping[str, Any]:
    """Values of every question, with one row for each group."""
    found: dict[str, Any] = {ask.name: _example(ask) for ask in form.asks}
    return found | {group.name: [{ask.name: _example(ask) for ask in group.asks}] for group in form.groups}


def _example(ask: Ask) -> Any:
    kind: Kind = ask.kind
    match kind:
        case Text() | LongText() | Signature() | Stamp():
            return ask.label.en[: getattr(kind, "limit", 200)]
        case Number(least=least):
            return least
        case Day():
            return "2026-11-12"
        case Time():
            return "09:30"
        case Month():
            return make.MONTH_EXAMPLE
        case Tick():
            return True
        case Choice(options=options):
            return options[0].code
        case Choices(options=options):
            return [options[0].code]
