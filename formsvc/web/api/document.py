"""The API put together: its routes, its document (OpenAPI 3.1), and the same as a page that people read."""

from collections.abc import Mapping
from functools import partial
from http import HTTPStatus
from typing import Any, Final

from flask import Blueprint, Flask, Response, json, render_template
from flask.typing import ResponseReturnValue
from flask_smorest import Api
from markupsafe import Markup, escape

from formsvc import __version__
from formsvc.errors import WORDING
from formsvc.office.hooks import EVENTS
from formsvc.settings import Settings
from formsvc.web.access import list_route
from formsvc.web.api import cases, forms, hooks, jobs, limits, papers, returns, schemas
from formsvc.web.api.door import SECURITY, admit, identify, programs
from formsvc.web.api.examples import example_of
from formsvc.web.api.problems import PROBLEM
from formsvc.web.api.reference import NAME, CurrentReference, reference
from formsvc.web.guard import csrf

__all__ = ["cases", "forms", "hooks", "jobs", "papers", "prepare", "returns"]
_INTRODUCTION: Final = """\
What programs can do for the person whose token they carry. Make a token under My account; send it as
`Authorization: Bearer TOKEN`. Errors are `application/problem+json`; foreign things look like missing ones.
Send an `Idempotency-Key` with what you POST, and repeat the request unchanged if its answer is lost.
"""
_TAGS: Final[Mapping[str, str]] = {
    "Token": "What your token is.",
    "Forms": "The forms, their schemas, and PDFs of values that you bring.",
    "Units": "The units whose papers you see.",
    "Papers": "The papers of a month: made, listed, downloaded.",
    "Returns": "Papers that come back.",
    "Records": "What is known of each paper.",
    "Questions": "What waits for a person.",
    "Actions": "Follow-up actions.",
    "Cases": "Case conferences: letters, protected summaries.",
    "Jobs": "Work in the background.",
    "Webhooks": "Programs that are told of events.",
}


class _Api(Api):  # type: ignore[misc]  # flask-smorest has no types
    ERROR_SCHEMA = schemas.Problem
    DEFAULT_ERROR_RESPONSE_NAME = None

    def _register_doc_blueprint(self) -> None:
        """Our own routes serve the document."""

    def _register_error_handlers(self) -> None:
        """The guard answers for what fails."""

    def _register_responses(self) -> None:
        example = example_of(schemas.Problem)
        for status in HTTPStatus:
            content = {PROBLEM: {"schema": schemas.Problem, "example": {**example, "status": status.value, "title": status.phrase}}} if status >= HTTPStatus.BAD_REQUEST else {}
            self.spec.components.response(status.name, {"description": status.phrase, **({"content": content} if content else {})}, lazy=True)


def prepare(app: Flask, settings: Settings) -> None:
    """Let programs in."""
    app.before_request(identify)
    limits.prepare(app, settings)
    app.before_request(admit)
    csrf.exempt(programs)
    api = _Api(app, spec_kwargs=_about(settings.url))
    api.spec.components.security_scheme(SECURITY, {"type": "http", "scheme": "bearer", "description": "A token made under My account."})
    for name, words in _TAGS.items():
        api.spec.tag({"name": name, "description": words})
    api.register_blueprint(programs)
    app.extensions[NAME] = CurrentReference(_told(api))


def _about(url: str) -> dict[str, Any]:
    return {
        "title": "formsvc", "version": __version__, "openapi_version": "3.1.0", "servers": [{"url": url}], "webhooks": {event: _webhook(event) for event in EVENTS},
        "info": {"description": _INTRODUCTION, "license": {"name": "MIT", "identifier": "MIT"}},
    }  # fmt: skip


def _webhook(event: str) -> dict[str, Any]:
    facts = {"type": {"const": event}, "timestamp": {"type": "string", "format": "date-time"}, "data": {"type": "object", "description": "Ids only."}}
    headers = [{"in": "header", "name": name, "required": True, "schema": {"type": "string"}} for name in ("webhook-id", "webhook-timestamp", "webhook-signature")]
    body = {"required": True, "content": {"application/json": {"schema": {"type": "object", "properties": facts, "required": list(facts)}}}}
    return {"post": {"tags": ["Webhooks"], "summary": f"Told of {event}", "parameters": headers, "requestBody": body, "responses": {"2XX": {"description": "Understood; anything else is told again."}}}}


def _told(api: _Api) -> dict[str, Any]:
    """The document of the routes."""
    found: dict[str, Any] = api.spec.to_dict()
    found["tags"] = [tag for tag in found["tags"] if tag["name"] in _TAGS]
    for item in found["paths"].values():
        for part in item.values():
            if isinstance(part, dict):
                part["responses"] = dict(sorted(part["responses"].items()))
    return found


# ---------------------------------------------------------------- served


def openapi() -> Response:
    """The document."""
    return Response(json.dumps(reference().spec), mimetype="application/json")


def docs() -> ResponseReturnValue:
    """The document as a page."""
    return render_template("tokens_reference.html", spec=reference().spec, wording=WORDING, shown=partial(json.dumps, indent=2, ensure_ascii=False), schema_name=_schema_name, marked=_marked)


def _marked(text: str) -> Markup:
    """Words with what stands between backticks as code."""
    parts = text.split("`")
    return Markup("").join(Markup("<code>{}</code>").format(part) if number % 2 else escape(part) for number, part in enumerate(parts))


def _schema_name(schema: Mapping[str, Any]) -> str:
    return str(schema.get("$ref", "")).rpartition("/")[2]


for _rule, _view in (("/openapi.json", openapi), ("/docs", docs)):
    Blueprint.add_url_rule(programs, _rule, _view.__name__, _view)
    list_route(f"api.{_view.__name__}", "nothing")
