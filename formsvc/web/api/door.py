"""The door of the API: which program comes, whom it acts for, whether it may; each route with all that its document says.

Nothing here looks at cookies, so no browser can be made to act: a program sends its token with every request.
"""

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import wraps
from http import HTTPStatus
from typing import Any, Final, cast

from flask import Blueprint as Plain
from flask import Response, g, request
from flask.typing import ResponseReturnValue
from flask_smorest import Blueprint
from marshmallow import Schema

from formsvc.model.scopes import SCOPES, Scope
from formsvc.office.tokens import Caller, caller_of
from formsvc.web.access import NEEDS, Needs, is_beyond, list_route, missing, office
from formsvc.web.api.bodies import PARTS, Parser
from formsvc.web.api.examples import example_of
from formsvc.web.api.once import KEY_PARAMETER, once
from formsvc.web.api.problems import fail
from formsvc.web.guard import is_api

API: Final = "/api/v1"
View = Callable[..., ResponseReturnValue]
_SMALL: Final = 4_000_000
SECURITY: Final = "token"
_FILE: Final = {"type": "string", "format": "binary"}


class _Programs(Blueprint):  # type: ignore[misc]  # flask-smorest has no types
    ARGUMENTS_PARSER = Parser()


programs: Final = _Programs("api", __name__, url_prefix=API)


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """What a route takes and gives, for its document."""

    answer: type[Schema] | None = None
    status: int = 200
    query: type[Schema] | None = None
    body: type[Schema] | None = None
    files: bool = False
    """It takes a paper: its bytes, or a form with a file."""
    gives: str = ""
    """The kind of file it gives, where that is no JSON."""
    fails: Sequence[int] = ()
    """Its own ways to fail; the usual ones are added."""
    hidden: bool = False
    """Its document is written elsewhere: it has one entry for each form."""
    more: Mapping[str, Any] = field(default_factory=dict)
    """More of the document, as OpenAPI has it."""


def endpoint(method: str, rule: str, needs: Needs, tag: str, told: Told) -> Callable[[View], View]:
    """Make a view the answer to a program's request."""

    def register(view: View) -> View:
        name = view.__name__
        made = view if told.hidden else _documented(view, method, rule, needs, told)
        made = once(made) if method == "POST" else made
        if told.hidden:
            Plain.add_url_rule(programs, rule, name, made, methods=[method])
        else:
            programs.route(rule, methods=[method], endpoint=name, tags=[tag], parameters=_places(rule))(made)
        list_route(f"api.{name}", needs)
        if told.files:
            _WITH_FILES.add(f"api.{name}")
        return view

    return register


_WITH_FILES: Final[set[str]] = set()
_PLACES: Final[Mapping[str, tuple[str, Any]]] = {
    "form": ("The form's name.", "worksheet"), "unit": ("The unit's number.", 1), "document": ("The document's id.", "K7QF2M9XDA"), "record": ("The record's number.", 1), "question": ("The question's number.", 1),
    "case": ("The case's number.", "2026-001"), "job": ("The job's number.", 1), "hook": ("The webhook's number.", 1), "delivery": ("The delivery's number.", 1),
}  # fmt: skip


def _places(rule: str) -> list[dict[str, Any]]:
    """What stands in an address, for its document."""
    return [{"in": "path", "name": name, "description": _PLACES[name][0], "example": _PLACES[name][1]} for name in re.findall(r"<(?:[^<>]*:)?(\w+)>", rule)]


def _documented(view: View, method: str, rule: str, needs: Needs, told: Told) -> View:
    made: Any = view
    if told.query is not None:
        made = programs.arguments(told.query, location="query")(made)
    if told.body is not None:
        made = programs.arguments(told.body, location="json", example=example_of(told.body))(made)
    if told.gives:
        made = _given(made)
        made = programs.response(told.status, _FILE, content_type=told.gives)(made)
    else:
        made = programs.response(told.status, told.answer, example=example_of(told.answer) if told.answer else None)(made)
    for status in failures(method, rule, needs, told):
        made = programs.alt_response(status, response=HTTPStatus(status).name)(made)
    return cast("View", programs.doc(**manual(view.__name__, method, needs), **told.more)(made))


def manual(name: str, method: str, needs: Needs) -> dict[str, Any]:
    """What a route's document says of its name, of the token, and of its key."""
    scope = [needs] if needs in SCOPES else []
    found: dict[str, Any] = {"operationId": _camel(name), "security": [{SECURITY: scope}], **({"x-scope": needs} if scope else {})}
    return found | ({"parameters": [KEY_PARAMETER]} if method == "POST" else {})


def _given(view: View) -> View:
    """A view whose answers are left as they are."""

    @wraps(view)
    def given(*arguments: Any, **named: Any) -> ResponseReturnValue:
        return view(*arguments, **named)

    return given


def failures(method: str, rule: str, needs: Needs, told: Told) -> Sequence[int]:
    """How a route can fail: its own ways, and those that follow from what it takes."""
    found = {*told.fails, 401, 429, 503, *((403,) if needs in SCOPES else ())}
    found |= {404} if "<" in rule else set()
    found |= {422} if told.query is not None else set()
    found |= {400, 413, 415, 422} if told.body is not None or told.files else set()
    found |= {409, 422} if method == "POST" else set()
    return sorted(found)


def _camel(name: str) -> str:
    head, *rest = name.split("_")
    return head + "".join(part.title() for part in rest)


# ---------------------------------------------------------------- who comes


def identify() -> None:
    """Find out which program asks; whether it may is another question, asked when its requests were counted."""
    if not is_api():
        return
    most = office().service.settings.most_megabytes * 1_000_000 if (request.endpoint or "") in _WITH_FILES else 0
    request.max_content_length, request.max_form_parts = most + _SMALL, PARTS
    kind, _, secret = request.headers.get("Authorization", "").partition(" ")
    caller = caller_of(office(), secret.strip()) if kind.casefold() == "bearer" else None
    if caller is not None:
        g.caller, g.acting = caller, caller.person
        g.office = replace(office(), store=replace(office().store, by=caller.person.name))


def admit() -> None:
    """End the request of a program that may not make it."""
    if not is_api():
        return
    needs = NEEDS.get(request.endpoint or "")
    if needs == "nothing":
        return
    if g.get("caller") is None:
        sent = "Authorization" in request.headers
        fail(401, "token-invalid" if sent else "token-missing", headers={"WWW-Authenticate": 'Bearer realm="formsvc"' + (', error="invalid_token"' if sent else "")})
    if needs in SCOPES:
        _check_scope(cast("Scope", needs))
    if is_beyond(request.view_args):
        missing()


def _check_scope(scope: Scope) -> None:
    if scope not in caller().token.scopes:
        fail(403, "scope-missing", headers={"WWW-Authenticate": f'Bearer realm="formsvc", error="insufficient_scope", scope="{scope}"'}, scope=scope)
    if not caller().person.may(SCOPES[scope]):
        fail(403, "role-missing")


def caller() -> Caller:
    """The program that asks."""
    return cast("Caller", g.caller)


def file_answer(content: bytes, kind: str, name: str, headers: Mapping[str, str] | None = None) -> Response:
    """A file as an answer."""
    answer = Response(content, mimetype=kind, headers=dict(headers or {}))
    answer.headers.set("Content-Disposition", "attachment", filename=name)
    return answer
