"""What programs send: JSON that is only JSON, papers as bytes or in a form; everything else is told exactly."""

import json
from collections.abc import Mapping
from typing import Any, Final, NoReturn

from flask import Request, request
from marshmallow import RAISE, Schema, ValidationError
from webargs.flaskparser import FlaskParser
from werkzeug.datastructures import FileStorage

from formsvc.office.incoming import Found
from formsvc.web.api.problems import by_field, fail

PAPERS: Final[Mapping[str, str]] = {"application/pdf": "pdf", "image/jpeg": "jpg", "image/png": "png", "image/tiff": "tiff"}
"""The kinds of papers that are taken, with the ending of their names."""
FORM: Final = "multipart/form-data"
PARTS: Final = 20
"""So many fields a form may have."""


class Parser(FlaskParser):
    """Loads arguments; what does not fit is told by field, and nothing that is not asked for is passed over."""

    DEFAULT_UNKNOWN_BY_LOCATION: Final[dict[str, str | None]] = {"json": RAISE, "query": RAISE}  # type: ignore[misc]

    def load_json(self, req: Request, schema: Schema) -> Any:  # noqa: ARG002  (the library's signature)
        """The body."""
        return read_json(req)

    def load_querystring(self, req: Request, schema: Schema) -> Any:
        """The query; a field that stands there twice is as unclear as one that is not known."""
        if doubled := {name: ["It stands here more than once."] for name in req.args if len(req.args.getlist(name)) > 1}:
            fail(422, "fields-invalid", errors=doubled)
        return super().load_querystring(req, schema)

    def handle_error(self, error: ValidationError, req: Request, schema: Schema, *, error_status_code: int | None, error_headers: Any) -> NoReturn:  # noqa: ARG002
        """Tell what does not fit."""
        messages: Any = error.messages
        inside = [messages[place] for place in ("json", "query") if place in messages] or [messages]
        unfit(inside[0])


def unfit(messages: Any) -> NoReturn:
    """End the request with errors by field."""
    fail(422, "fields-invalid", errors=dict(by_field(messages)))


def read_json(req: Request) -> Any:
    """The body as JSON, strictly as RFC 8259 has it; refuses characters that no text has."""
    if not req.is_json:
        fail(415, "body-kind", known="application/json")
    try:
        data = json.loads(req.get_data(cache=True).decode("utf-8"), parse_constant=_refuse)
        text = json.dumps(data, ensure_ascii=False)
        text.encode("utf-8")  # lone surrogates have no spelling
    except (ValueError, RecursionError) as problem:
        fail(400, "body-unreadable", detail=type(problem).__name__)
    if "\\u0000" in text and _has_nul(data):
        fail(400, "body-unreadable", detail="NUL")
    return data


def _refuse(constant: str) -> NoReturn:
    raise ValueError(constant)


def _has_nul(data: Any) -> bool:
    if isinstance(data, str):
        return "\x00" in data
    if isinstance(data, Mapping):
        return any(_has_nul(part) for pair in data.items() for part in pair)
    return isinstance(data, list) and any(map(_has_nul, data))


# ---------------------------------------------------------------- papers


def read_paper() -> tuple[Found, Mapping[str, str]]:
    """The paper that was sent, and the other fields of its form; its name is not kept where only bytes came."""
    if request.mimetype == FORM:
        return _from_form()
    if request.mimetype not in PAPERS:
        fail(415, "body-kind", known=", ".join((*PAPERS, FORM)))
    return Found(name=f"paper.{PAPERS[request.mimetype]}", content=request.get_data(cache=True)), {}


def _from_form() -> tuple[Found, Mapping[str, str]]:
    sent = [file for name, file in request.files.items(multi=True) if name == "file"]
    if len(sent) != 1:
        fail(422, "fields-invalid", errors={"file": ["One file is needed."]})
    others = {name: ["Unknown field."] for name in (*request.form, *request.files) if name not in {"file", "month", "password"}}
    if others:
        fail(422, "fields-invalid", errors=others)
    return Found(name=_name(sent[0]), content=sent[0].read()), request.form.to_dict()


def _name(file: FileStorage) -> str:
    return (file.filename or "paper").replace("\x00", "")[:200]
