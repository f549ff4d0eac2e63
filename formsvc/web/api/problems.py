"""What went wrong, as programs read it: RFC 9457, with the kebab code of the one table of wordings and the errors by field."""

from collections.abc import Iterator, Mapping, Sequence
from http import HTTPStatus
from typing import Any, Final, NoReturn

from flask import Response, abort, json
from werkzeug.exceptions import HTTPException

from formsvc.errors import Refused, word

PROBLEM: Final = "application/problem+json"
REFERENCE: Final = "/api/v1/docs"
_CONFLICTS: Final = frozenset({
    "request-running", "request-other", "job-ended", "job-not-failed", "job-file-gone", "no-consent", "question-of-place", "choice-unknown", "choice-unreadable", "child-not-certain", "not-your-unit",
})  # fmt: skip
"""Refusals that come from how things stand here, not from how the request is spelled."""
_KINDS: Final = frozenset({"upload-kind", "not-a-pdf", "body-kind"})
_CODES: Final[Mapping[int, str]] = {404: "not-found", 405: "method-unknown", 413: "body-too-large", 429: "too-many-requests", 500: "failed-here"}
_KEPT: Final = ("Allow", "Retry-After")


def problem(status: int, code: str, detail: str = "", *, errors: Mapping[str, Sequence[str]] | None = None, headers: Mapping[str, str] | None = None) -> Response:
    """A problem as an answer; its words come from the table unless they are given."""
    told: dict[str, Any] = {"type": f"{REFERENCE}#{code}", "title": HTTPStatus(status).phrase, "status": status, "detail": detail or word(code), "code": code}
    if errors:
        told["errors"] = {field: list(messages) for field, messages in errors.items()}
    return Response(json.dumps(told), status, headers=dict(headers or {}), content_type=PROBLEM)


def fail(status: int, code: str, *, errors: Mapping[str, Sequence[str]] | None = None, headers: Mapping[str, str] | None = None, **facts: object) -> NoReturn:
    """End the request with a problem."""
    abort(problem(status, code, word(code, **facts), errors=errors, headers=headers))


def refused(problem_of: Refused, status: int) -> Response:
    """A refusal; what is not there and what is not one's own look alike."""
    if status == HTTPStatus.NOT_FOUND and problem_of.code not in _CONFLICTS:
        return problem(status, "not-found")
    headers = {"Retry-After": "1"} if status == HTTPStatus.SERVICE_UNAVAILABLE or problem_of.code == "request-running" else None
    return problem(_narrower(problem_of.code, status), problem_of.code, problem_of.message, headers=headers)


def _narrower(code: str, status: int) -> int:
    if code in _CONFLICTS:
        return HTTPStatus.CONFLICT
    if status != HTTPStatus.BAD_REQUEST:
        return status
    return HTTPStatus.UNSUPPORTED_MEDIA_TYPE if code in _KINDS else HTTPStatus.UNPROCESSABLE_ENTITY


def failed(failure: HTTPException) -> Response:
    """What the framework refuses: no such address, another method, too large, too many, a failure of ours."""
    status = failure.code or 500
    headers = {name: value for name, value in failure.get_headers() if name in _KEPT}
    return problem(status, _CODES.get(status, "request-unusable" if status < HTTPStatus.INTERNAL_SERVER_ERROR else "failed-here"), headers=headers)


def by_field(messages: Any, *above: str) -> Iterator[tuple[str, list[str]]]:
    """Messages in the order of nested data as messages by dotted path: `values.children.0.child_name`."""
    if isinstance(messages, Mapping):
        for name, below in messages.items():
            yield from by_field(below, *above, *([] if name == "_schema" else [str(name)]))
    else:
        yield ".".join(above), [str(text) for text in messages]
