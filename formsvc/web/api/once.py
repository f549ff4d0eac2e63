"""A request with an Idempotency-Key is done once; see `formsvc.office.once`."""

import hashlib
import re
from collections.abc import Callable
from functools import wraps
from typing import Any, Final

from flask import Response, current_app, g, request
from flask.typing import ResponseReturnValue

from formsvc.office import once as kept
from formsvc.office.once import Given
from formsvc.office.tokens import Caller
from formsvc.web.access import office
from formsvc.web.api.problems import fail

HEADER: Final = "Idempotency-Key"
AGAIN: Final = "Idempotent-Replayed"
KEY_PARAMETER: Final = {
    "in": "header", "name": HEADER, "required": False,
    "schema": {"type": "string", "minLength": 1, "maxLength": 80, "pattern": "^[!-~]+$"},
    "description": "The same request with the same key is done once, and answered the same way for a day.",
}  # fmt: skip
_KEY: Final = re.compile(r"[!-~]{1,80}")
_HEADERS: Final = ("Content-Type", "Content-Disposition", "Location", "Formsvc-Document")
_MOST: Final = 16_000_000


def once(view: Callable[..., ResponseReturnValue]) -> Callable[..., ResponseReturnValue]:
    """A view that looks at the key first."""

    @wraps(view)
    def asked(*arguments: Any, **named: Any) -> ResponseReturnValue:
        key = request.headers.get(HEADER)
        if key is None:
            return view(*arguments, **named)
        if not _KEY.fullmatch(key):
            fail(422, "request-key", errors={HEADER: ["1 to 80 visible ASCII characters."]})
        caller: Caller = g.caller
        known = kept.begin(office(), caller, key, _content())
        return _given(known) if isinstance(known, Given) else _first(lambda: view(*arguments, **named), caller, key)

    return asked


def _first(view: Callable[[], ResponseReturnValue], caller: Caller, key: str) -> Response:
    """The answer, kept if something was done; else the key is free again."""
    answer = None
    try:
        answer = current_app.make_response(view())
        if answer.status_code < 300 and len(answer.get_data()) <= _MOST:  # noqa: PLR2004
            headers = {name: answer.headers[name] for name in _HEADERS if name in answer.headers}
            kept.keep(office(), caller, key, Given(status=answer.status_code, headers=headers, content=answer.get_data()))
        else:
            kept.let_go(office(), caller, key)
    finally:
        if answer is None:
            kept.let_go(office(), caller, key)
    return answer


def _given(known: Given) -> Response:
    return Response(known.content, known.status, headers={**known.headers, AGAIN: "true"})


def _content() -> bytes:
    """All that makes a request: where, and what was sent; of a form its fields, for their boundary is another one each time."""
    start = f"{request.method} {request.full_path} {request.mimetype}\n".encode()
    if request.mimetype != "multipart/form-data":
        return start + request.get_data(cache=True)
    fields = sorted((name, value) for name, value in request.form.items(multi=True))
    files = []
    for name, file in request.files.items(multi=True):
        files.append((name, file.filename, hashlib.sha256(file.read()).hexdigest()))
        file.seek(0)
    return start + repr((fields, sorted(files, key=repr))).encode()
