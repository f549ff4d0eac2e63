"""The API keeps to its document: whatever is sent, each answer is one that the document tells of, and none is a failure of ours.

schemathesis makes the requests: the examples of the document, each limit of each field, and random ones, right and wrong.
"""

import json
import re
import threading
import uuid
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import date
from functools import cache
from pathlib import Path
from typing import Any

import pytest
import schemathesis
from apispec import APISpec
from apispec.ext.marshmallow import MarshmallowPlugin
from flask import Flask
from hypothesis import given
from hypothesis import strategies as st
from jsonschema_rs import Draft202012Validator
from schemathesis.engine import events, from_schema
from schemathesis.engine.recorder import ScenarioRecorder
from schemathesis.schemas import BaseSchema
from werkzeug.serving import WSGIRequestHandler, make_server

from formsvc.model.form import Form
from formsvc.model.people import ROLES
from formsvc.model.schema import load_values, record_schema, unlike_json
from formsvc.model.scopes import scopes_of
from formsvc.office.background import Wanted, start, start_upload
from formsvc.office.cases import keep_case
from formsvc.office.hooks import add_hook, send_test
from formsvc.office.incoming import Found
from formsvc.office.office import Office
from formsvc.office.tokens import make_token
from formsvc.settings import samples_folder
from formsvc.store.people import give_case
from formsvc.store.schema_people import hooks
from formsvc.web.api.limits import RATE
from tests.offices import child, discussed, documents, enrol, filled, issue, need, open_test_office, plan, send
from tests.small_forms import BY_NAME, FORMS, TRIES, records_of
from tests.web import person, web_app

_KEY = re.compile(r"[!-~]{1,80}")
_NOT_BY_SCHEMA = ("POST /api/v1/returns", "POST /api/v1/read", "POST /api/v1/hooks", "POST /api/v1/cases/{case}/letters", "POST /api/v1/cases/{case}/summaries")
"""Where more is asked than a schema can say: that bytes are a paper, an address a public one, a name somebody's, a password strong."""
_FEWER = {"generation": {"max-examples": 3}, "phases": {"coverage": {"enabled": False}}}
_SLOW = ("POST /api/v1/cases/{case}/summaries", "POST /api/v1/forms/case-management/issue", "POST /api/v1/forms/conference-notes/issue", "POST /api/v1/forms/fcch/issue", "POST /api/v1/forms/worksheet/issue")


def example_office(folder: Path, blanks: Path) -> tuple[Office, str, int]:
    """An office in which the first of everything that the examples name is there; a token that may do everything, and whose it is."""
    office = open_test_office(folder, blanks)
    enrol(office, [child(number) for number in range(1, 5)])
    plan(office, date(2026, 11, 12))
    worksheet = documents(issue(office, "2026-11"), "worksheet")[0]
    send(office, worksheet, discussed("2026-11-12", (0, need("Hearing check"))))
    send(office, worksheet, discussed("2026-11-12", (0, need("Another check"))))
    who = person(office, "ana", *ROLES, units=["Preschool 1"])
    keep_case(office, "2026-001", json.loads((samples_folder() / "cases" / "conference.json").read_bytes()))
    with office.store.writing() as connection:
        give_case(connection, "2026-001", [who.id])
    start_upload(office, who.id, Found(name="paper.pdf", content=filled(office, worksheet, salt="x")), batch="one")
    start(office, who.id, Wanted(kind="papers", facts={"month": "2026-11"}))
    keep_hook(office, who.id)
    return office, make_token(office, who, name="fuzz", scopes=scopes_of(who), days=3)[1], who.id


def keep_hook(office: Office, who: int) -> None:
    """The first webhook is there with a delivery, also after it was removed."""
    with office.store.reading() as connection:
        known = connection.execute(hooks.select().where(hooks.c.id == 1)).first()
    if known is None:
        key, _ = add_hook(office, person=who, url="https://example.org/hook", events=["return.counted"])
        send_test(office, key)


@pytest.fixture(scope="module")
def office_at_work(tmp_path_factory: pytest.TempPathFactory, blanks: Path) -> tuple[Office, str, int]:
    """One office for all requests."""
    return example_office(tmp_path_factory.mktemp("api"), blanks)


def spec_of(office: Office) -> dict[str, Any]:
    """The document."""
    found = web_app(office).test_client().get("/api/v1/openapi.json").json
    assert found is not None
    return dict(found)


@contextmanager
def served(office: Office, secret: str, who: int) -> Iterator[BaseSchema]:
    """The API behind a real server, and its document."""
    app = web_app(office)
    app.config[RATE] = "1000000 per minute"
    text = app.test_client().get("/api/v1/openapi.json").text
    with office.store.reading() as connection:
        paper = connection.exec_driver_sql("select id from documents").scalar()
    server = make_server("127.0.0.1", 0, _prepared(office, app, who), request_handler=_Silent)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    checks = {"positive_data_acceptance": {"expected-statuses": ["2xx", "404", "409", "415", "422"]}}
    config = schemathesis.Config.from_dict({
        "base-url": f"http://127.0.0.1:{server.port}",
        "auth": {"openapi": {"token": {"bearer": secret}}},
        "generation": {"max-examples": 6, "database": "none", "deterministic": True},
        "phases": {"stateful": {"enabled": False}},
        "operations": [*({"include-name": name, "checks": checks} for name in _NOT_BY_SCHEMA), *({"include-name": name, **_FEWER} for name in _SLOW)],
    })
    try:
        yield schemathesis.openapi.from_dict(json.loads(text.replace("K7QF2M9XDA", str(paper))), config=config)
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


class _Silent(WSGIRequestHandler):
    def log(self, *_: Any) -> None:
        """Nothing."""


def _prepared(office: Office, app: Flask, who: int) -> Callable[..., Any]:
    """The application, made ready before each request: what an earlier one removed is there, and no key was used before."""

    def answer(environ: dict[str, Any], start_response: Any) -> Any:
        if "/hooks/" in environ["PATH_INFO"]:
            keep_hook(office, who)
        if _KEY.fullmatch(environ.get("HTTP_IDEMPOTENCY_KEY", "")):
            environ["HTTP_IDEMPOTENCY_KEY"] = str(uuid.uuid4())
        return app(environ, start_response)

    return answer


@schemathesis.serializer("application/pdf", "image/jpeg", "image/png", "image/tiff")
def _as_bytes(_context: Any, value: Any) -> bytes:
    return value if isinstance(value, bytes) else str(value).encode()


@pytest.mark.filterwarnings("ignore::hypothesis.errors.HypothesisWarning")
def test_every_answer_is_one_that_the_document_tells_of(office_at_work: tuple[Office, str, int]) -> None:
    """No failure of ours, no status, kind, header or body that is not documented; what is right is taken, what is wrong is not."""
    seen: Counter[tuple[str, int]] = Counter()
    wrong: list[str] = []
    with served(*office_at_work) as schema:
        names = {f"{method.upper()} {path}" for path, item in spec_of(office_at_work[0])["paths"].items() for method in item if method != "parameters"}
        for event in from_schema(schema).execute():
            if isinstance(event, events.NonFatalError):
                wrong.append(f"{event.label}: {event.value!r}")
            if isinstance(event, events.FatalError):
                wrong.append(repr(event.exception))
            if isinstance(event, events.ScenarioFinished):
                seen.update((event.recorder.label, made.response.status_code) for made in event.recorder.interactions.values() if made.response is not None)
                wrong += _failures(event.recorder)
    assert wrong == []
    assert names - {name for name, status in seen if 200 <= status < 300} == set()


def _failures(recorder: ScenarioRecorder) -> list[str]:
    found = [check.failure_info for checks in recorder.checks.values() for check in checks if check.failure_info is not None]
    return [f"{recorder.label}: {one.failure} {one.code_sample}" for one in found]


def test_the_document_is_sound_and_its_examples_fit_it(office_at_work: tuple[Office, str, int]) -> None:
    """It is OpenAPI 3.1, each operation has its own name, and each example of a body fits its schema."""
    spec = spec_of(office_at_work[0])
    schemathesis.openapi.from_dict(spec).validate()
    assert spec["openapi"] == "3.1.0"
    operations = [operation for item in spec["paths"].values() for name, operation in item.items() if name != "parameters"]
    names = [operation["operationId"] for operation in operations]
    assert len(names) == len(set(names))
    assert all(operation["summary"] and operation["tags"] for operation in operations)
    bodies = [media for operation in operations for part in (operation.get("requestBody", {}), *operation["responses"].values()) for media in part.get("content", {}).values()]
    examples = [media for media in bodies if "example" in media]
    assert len(examples) > 40
    for media in examples:
        Draft202012Validator({**media["schema"], "components": spec["components"]}, validate_formats=True).validate(media["example"])


def test_a_form_tells_the_schema_of_its_values(office_at_work: tuple[Office, str, int]) -> None:
    """What the document says of a form's values is what the form itself says, complete, and the record fits it."""
    office, secret, _ = office_at_work
    client = web_app(office).test_client()
    headers = {"Authorization": f"Bearer {secret}"}
    record = client.get("/api/v1/records/1", headers=headers).json
    form = client.get("/api/v1/forms/worksheet", headers=headers).json
    assert record is not None
    assert form is not None
    Draft202012Validator(form["schema"]).validate(record["values"])
    assert form["schema"]["properties"]["children"]["maxItems"] == 40
    assert form["schema"]["additionalProperties"] is False


# ---------------------------------------------------------------- the schema face of a form


@given(st.data(), st.sampled_from(FORMS))
@TRIES
def test_what_a_record_holds_fits_its_json_schema(data: st.DataObject, form: Form) -> None:
    """Values in their one spelling are what the document says, and nothing in them is spelled otherwise."""
    values = data.draw(records_of(form))
    assert list(unlike_json(form, values)) == []
    _validator_of(form.id.name).validate(values)


@given(st.data())
@TRIES
def test_what_fits_the_json_schema_is_loaded_as_it_is(data: st.DataObject) -> None:
    """A program that keeps to the document is understood: nothing is refused, nothing that says something is changed."""
    form = data.draw(st.sampled_from(FORMS))
    name = data.draw(st.sampled_from(sorted(ask.name for ask in form.asks)))
    one = data.draw(st.sampled_from(["2026-11-05", "11/5/26", "09:30", "9:30 AM", "2026-11", "Nov 2026", "red", "Red", "5", "", "text"]) | st.integers(-5, 12) | st.booleans())
    _, problems = load_values(form, {name: one})
    assert (not problems and not list(unlike_json(form, {name: one}))) == _validator_of(form.id.name).is_valid({name: one})


@cache
def _validator_of(name: str) -> Draft202012Validator:
    form = BY_NAME[name]
    spec = APISpec("forms", "1", "3.1.0", plugins=[MarshmallowPlugin()])
    spec.components.schema("record", schema=record_schema(form))
    components = spec.to_dict()["components"]
    return Draft202012Validator({"$ref": "#/components/schemas/record", "components": components}, validate_formats=True)
