"""The API: who may do what, what is done once, what is told, what is not.

1. A program acts for a person, with that person's roles and units, for the scopes of its token and no longer than it counts.
2. What is not one's own looks exactly like what is not there.
3. The same request under the same key is done once, also when it is made twice at a time, and when a server died on it.
4. Nothing that is secret is kept, nothing is taken from cookies, every problem is told as RFC 9457 has it.
"""

import io
import json
import re
import shutil
import threading
from base64 import b64decode
from collections.abc import Iterator, Mapping
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any, Final

import pytest
from flask import Flask
from werkzeug.test import TestResponse

from formsvc.catalog import shipped_folder
from formsvc.jobs.worker import work_once
from formsvc.model.people import ROLES, Person, Role
from formsvc.model.scopes import SCOPES, Scope, scopes_of
from formsvc.office.cases import keep_case
from formsvc.office.office import Office
from formsvc.office.once import GIVEN_UP, begin, forget_answers
from formsvc.office.people import change_person
from formsvc.office.template_store import STAMP, VERSIONS
from formsvc.office.tokens import Caller, caller_of, make_token, revoke_token
from formsvc.protection import unlock
from formsvc.service import Service
from formsvc.settings import samples_folder
from formsvc.store.jobs import read_jobs
from formsvc.store.log import entries
from formsvc.store.people import change_token, give_case, read_tokens
from formsvc.store.schema_people import requests
from formsvc.web.access import NEEDS
from formsvc.web.api.limits import RATE
from tests.offices import child, discussed, documents, enrol, filled, issue, need, open_test_office, plan, row_counts
from tests.offices import send as send_back
from tests.web import person, send, signed_in, web_app

MONTH: Final = "2026-11"
CASE: Final = "2026-001"
_WHO: Final[Mapping[Scope, Role]] = {
    **dict.fromkeys((scope for scope, right in SCOPES.items() if right in ("papers", "review")), "staff"), "cases:read": "coordinator", "letters:write": "coordinator", "hooks:read": "administrator",
    "hooks:write": "administrator",
}  # fmt: skip
"""A role that is enough for each scope."""


@pytest.fixture(scope="module")
def laid(tmp_path_factory: pytest.TempPathFactory, blanks: Path) -> Path:
    """Data to copy: two units with their papers, two returns of each, a case of nobody's yet."""
    folder = tmp_path_factory.mktemp("laid")
    office = open_test_office(folder, blanks)
    enrol(office, [child(number) for number in range(1, 4)])
    enrol(office, [child(number, unit="Preschool 2") for number in range(11, 13)])
    plan(office, date(2026, 11, 12))
    results = issue(office, MONTH)
    for unit in ("Preschool 1", "Preschool 2"):
        for text in ("Hearing check", "Another check"):
            send_back(office, documents(results, "worksheet", unit)[0], discussed("2026-11-12", (0, need(text))))
    keep_case(office, CASE, json.loads((samples_folder() / "cases" / "conference.json").read_bytes()))
    office.store.engine.dispose()
    return folder


@pytest.fixture
def office(laid: Path, tmp_path: Path, blanks: Path) -> Office:
    """An office with those data."""
    shutil.copytree(laid, tmp_path / "data")
    return open_test_office(tmp_path / "data", blanks)


class Program:
    """A program that acts for somebody."""

    def __init__(self, app: Flask, secret: str) -> None:
        """Know the token."""
        self.secret = secret
        self._client = app.test_client(use_cookies=False)

    def ask(self, method: str, path: str, **more: Any) -> TestResponse:
        """The answer to a request."""
        headers = {"Authorization": f"Bearer {self.secret}", **more.pop("headers", {})}
        return self._client.open(f"/api/v1{path}", method=method, headers=headers, **more)

    def get(self, path: str, **more: Any) -> Any:
        """What is answered, which is well."""
        answer = self.ask("GET", path, **more)
        assert answer.status_code == 200, answer.text
        return answer.json

    def post(self, path: str, told: Any = None, **more: Any) -> TestResponse:
        """The answer to something that is sent, as JSON where it is told."""
        return self.ask("POST", path, **({"json": told} if told is not None else {}), **more)


def program(office: Office, app: Flask, who: Person, *scopes: Scope) -> Program:
    """A program with these scopes, or with all that its person may have."""
    return Program(app, make_token(office, who, name="test", scopes=scopes or scopes_of(who), days=5)[1])


def everything(office: Office, app: Flask) -> tuple[Person, Program]:
    """Somebody with every role and the case, and a program that may do all that they may."""
    who = person(office, "ana", *ROLES)
    with office.store.writing() as connection:
        give_case(connection, CASE, [who.id])
    return who, program(office, app, who)


def routes(app: Flask) -> Iterator[tuple[str, str, str]]:
    """Every route of the API: endpoint, method, an address with things that are not there."""
    for rule in app.url_map.iter_rules():
        if rule.endpoint.startswith("api."):
            for method in sorted((rule.methods or set()) - {"HEAD", "OPTIONS"}):
                path = re.sub(r"<(?:(\w+)(?:\([^)]*\))?:)?(\w+)>", lambda found: "99999" if found[1] == "int" else "nothing-here", rule.rule)
                yield rule.endpoint, method, path.removeprefix("/api/v1")


def problem(answer: TestResponse) -> tuple[int, str]:
    """Status and code of a problem, which is told as it should be."""
    told: Any = json.loads(answer.text)
    assert answer.content_type == "application/problem+json"
    assert set(told) - {"errors"} == {"type", "title", "status", "detail", "code"}
    assert told["status"] == answer.status_code
    assert told["type"].endswith(f"#{told['code']}")
    return answer.status_code, told["code"]


# ---------------------------------------------------------------- who may


def test_every_route_needs_a_scope_or_says_that_it_does_not(office: Office) -> None:
    """A route of the API that is not listed opens to nobody; those that need no scope are these."""
    app = web_app(office)
    needs = {endpoint: NEEDS[endpoint] for endpoint, _, _ in routes(app)}
    assert {endpoint for endpoint, need in needs.items() if need not in SCOPES} == {"api.openapi", "api.docs", "api.token", "api.forms", "api.form"}
    assert set(needs.values()) >= set(SCOPES)


def test_a_program_without_a_token_gets_nothing(office: Office) -> None:
    """No token, another kind of credentials, a token that never was: 401, whatever the address, the method, the cookies."""
    app = web_app(office)
    who, _ = everything(office, app)
    browser = signed_in(app, office, who)
    for endpoint, method, path in routes(app):
        if NEEDS[endpoint] == "nothing":
            continue
        assert problem(browser.open(f"/api/v1{path}", method=method)) == (401, "token-missing"), endpoint
        for header in ("Bearer formsvc_wrong", "Bearer", "Basic YTpi", "Bearer formsvc_" + "x" * 5000, "Bearer \u00e9"):
            answer = browser.open(f"/api/v1{path}", method=method, headers={"Authorization": header})
            assert problem(answer) == (401, "token-invalid")
            assert answer.headers["WWW-Authenticate"].startswith("Bearer ")
    assert problem(browser.get("/api/v1/no-such-thing")) == (401, "token-missing")


def test_a_program_may_only_what_its_scopes_say(office: Office) -> None:
    """With every scope but the right one a route is closed; with only that one it opens."""
    app = web_app(office)
    who, _ = everything(office, app)
    for endpoint, method, path in routes(app):
        scope = NEEDS[endpoint]
        if scope not in SCOPES:
            continue
        others = program(office, app, who, *(other for other in SCOPES if other != scope))
        answer = others.ask(method, path)
        assert problem(answer) == (403, "scope-missing"), endpoint
        assert f'scope="{scope}"' in answer.headers["WWW-Authenticate"]
        assert program(office, app, who, scope).ask(method, path).status_code in (200, 404, 415, 422), endpoint  # type: ignore[arg-type]


def test_a_program_may_never_more_than_its_person(office: Office) -> None:
    """A role that was taken away takes its scopes with it, also from tokens that were made before."""
    app = web_app(office)
    who = person(office, "ana", *ROLES)
    own = program(office, app, who)
    person(office, "ada", "administrator")  # somebody must be
    for role in ROLES:
        change_person(office, who.id, shown="", roles=[role], units=[1], active=True)
        for endpoint, method, path in routes(app):
            scope = NEEDS[endpoint]
            if scope in SCOPES:
                may = replace(who, roles=(role,)).may(SCOPES[scope])  # type: ignore[index]
                assert (own.ask(method, path).status_code != 403) == may, (role, endpoint)


def test_each_scope_works_for_the_role_that_it_is_made_for(office: Office) -> None:
    """Nobody needs more roles than the one that a scope belongs to."""
    app = web_app(office)
    people = {role: person(office, f"x{role}", role, units=["Preschool 1"]) for role in set(_WHO.values())}
    assert _WHO.keys() == SCOPES.keys()
    for scope, role in _WHO.items():
        assert program(office, app, people[role], scope).get("/token")["scopes"] == [scope]


def test_what_is_foreign_looks_like_what_is_not_there(office: Office) -> None:
    """Another unit's papers, records, questions, another's jobs and cases, and numbers that nobody has: one and the same answer."""
    app = web_app(office)
    ana, ben = person(office, "ana", "staff", "coordinator", units=["Preschool 1"]), person(office, "ben", "staff", units=["Preschool 2"])
    own, other = program(office, app, ana), program(office, app, ben)
    job = other.post("/units/2/papers", {"month": MONTH}).json
    assert job is not None
    theirs = {name: other.get(f"/{name}")["items"] for name in ("units", "documents", "records", "questions", "jobs")}
    paper, record, question = theirs["documents"][0]["id"], theirs["records"][0]["id"], theirs["questions"][0]["number"]
    pairs = [
        ("GET", "/units/2", "/units/999"), ("POST", "/units/2/papers", "/units/999/papers"), ("GET", f"/documents/{paper}", "/documents/XXXXXXXXXX"), ("GET", f"/documents/{paper}/file", "/documents/XXXXXXXXXX/file"),
        ("GET", f"/records/{record}", "/records/999"), ("GET", "/records?unit=2", "/records?unit=999"), ("GET", "/documents?unit=2", "/documents?unit=999"), ("GET", "/actions?unit=2", "/actions?unit=999"),
        ("GET", "/questions?unit=2", "/questions?unit=999"), ("POST", f"/questions/{question}/decision", "/questions/999/decision"), ("GET", f"/jobs/{job['id']}", "/jobs/999"),
        ("POST", f"/jobs/{job['id']}/cancel", "/jobs/999/cancel"), ("POST", f"/jobs/{job['id']}/retry", "/jobs/999/retry"), ("GET", f"/jobs/{job['id']}/file", "/jobs/999/file"),
        ("POST", f"/cases/{CASE}/letters", "/cases/none/letters"), ("POST", f"/cases/{CASE}/summaries", "/cases/none/summaries"), ("GET", "/units/2", "/units/99999999999999999999"), ("GET", "/forms/none", "/forms/worksheets"),
    ]  # fmt: skip
    bodies: Mapping[str, Any] = {"papers": {"month": MONTH}, "decision": {"choice": "ok"}, "letters": {"letter": "agenda"}, "summaries": {}}
    for method, foreign, missing in pairs:
        sent = [own.ask(method, path, **({"json": bodies.get(path.rpartition("/")[2], {})} if method == "POST" else {})) for path in (foreign, missing)]
        assert problem(sent[0]) == (404, "not-found"), foreign
        assert (sent[0].data, sent[0].status_code) == (sent[1].data, sent[1].status_code), foreign
        assert {name for name, _ in sent[0].headers} == {name for name, _ in sent[1].headers}
    assert {one["unit"] for name in ("documents", "records", "questions", "actions") for one in own.get(f"/{name}")["items"]} == {1}
    assert own.get("/jobs")["items"] == own.get("/cases")["items"] == []


# ---------------------------------------------------------------- tokens


def test_a_token_ends_when_it_is_over_revoked_or_its_person_left(office: Office) -> None:
    """It counts until its day, until it is ended, while its person may sign in; its last use is known."""
    app, who = web_app(office), person(office, "ana", "staff", units=["Preschool 1"])
    key, secret = make_token(office, who, name="sync", scopes=["papers:read"], days=1)
    own = Program(app, secret)
    assert own.get("/units")["items"][0]["id"] == 1
    with office.store.reading() as connection:
        assert read_tokens(connection, who.id)[0].used
    change_person(office, who.id, shown="", roles=["staff"], units=[1], active=False)
    assert own.ask("GET", "/units").status_code == 401
    change_person(office, who.id, shown="", roles=["staff"], units=[1], active=True)
    assert own.ask("GET", "/units").status_code == 200
    with office.store.writing() as connection:
        change_token(connection, key, expires=(datetime.now(UTC) - timedelta(seconds=1)).isoformat(timespec="seconds"))
    assert own.ask("GET", "/units").status_code == 401
    key, secret = make_token(office, who, name="sync", scopes=["papers:read"], days=1)
    revoke_token(office, who, key)
    assert caller_of(office, secret) is None


def test_tokens_are_made_and_ended_on_a_page_and_shown_once(office: Office) -> None:
    """The secret stands on the page that answers and nowhere in the database; nobody ends another's."""
    app, ana, ben = web_app(office), person(office, "ana", "staff"), person(office, "ben", "staff")
    client = signed_in(app, office, ana)
    page = send(client, "/me/tokens", {"name": "Sync", "scope": ["papers:read"], "days": "30"})
    found = re.search(r"formsvc_[\w-]{43}", page.text)
    assert found is not None
    assert found[0] not in client.get("/me/tokens").text
    with office.store.reading() as connection:
        assert found[0] not in repr(connection.exec_driver_sql("select * from tokens").all())
    assert Program(app, found[0]).get("/units") == {"items": [], "next": None}
    assert send(signed_in(app, office, ben), "/me/tokens/1/revoke").status_code == 404
    assert Program(app, found[0]).ask("GET", "/units").status_code == 200
    send(client, "/me/tokens/1/revoke")
    assert Program(app, found[0]).ask("GET", "/units").status_code == 401
    for wrong in ({"name": "", "scope": ["papers:read"], "days": "30"}, {"name": "x", "days": "30"}, {"name": "x", "scope": ["hooks:write"], "days": "30"}, {"name": "x", "scope": ["papers:read"], "days": "9999"}):
        assert send(client, "/me/tokens", wrong).status_code == 422


# ---------------------------------------------------------------- papers there and back


def test_a_paper_goes_out_comes_back_and_becomes_a_record(office: Office) -> None:
    """Made, downloaded, filled in, sent in, read by a worker, looked up: all by a program."""
    app = web_app(office)
    own = program(office, app, person(office, "ana", "staff", units=["Preschool 2"]))
    made = own.post("/units/2/papers", {"month": "2026-12", "lang": "es"})
    assert (made.status_code, work_once(office, "w")) == (202, True)
    job = own.get(made.headers["Location"].removeprefix("/api/v1"))
    assert (job["state"], job["result"]["made"], job["result"]["notes"]) == ("done", 2, [])
    paper = next(one for one in own.get("/documents?month=2026-12")["items"] if one["form"] == "worksheet")
    assert (paper["lang"], paper["unit"], paper["edition"]) == ("es", 2, 1)
    content = own.ask("GET", f"/documents/{paper['id']}/file")
    assert (content.content_type, content.data[:5]) == ("application/pdf", b"%PDF-")
    told = own.post("/read", data=content.data, headers={"Content-Type": "application/pdf"}).json
    assert told is not None
    assert (told["document"], told["values"]["month"], told["answers"]["month"]["page"]) == (paper["id"], "2026-12", 1)
    document = next(one for one in documents(issue(office, "2026-12"), "worksheet", "Preschool 2"))
    back = filled(office, document, discussed("2026-12-10", (0, need("Hearing check"))), lang="es")
    sent = own.post("/returns", data={"file": (io.BytesIO(back), "back.pdf"), "month": "2026-12"}, content_type="multipart/form-data")
    assert (sent.status_code, work_once(office, "w")) == (202, True)
    job = own.get(sent.headers["Location"].removeprefix("/api/v1"))
    assert (job["name"], job["result"]["state"], job["result"]["document"], job["result"]["changed"]) == ("back.pdf", "counted", paper["id"], True)
    record = own.get(f"/records/{paper['record']}")
    assert (record["revision"], record["values"]["children"][0]["follow_up_action"], record["document"]) == (1, "Hearing check", paper["id"])
    assert "Hearing check" in [action["text"] for action in own.get("/actions?month=2026-12&open=true")["items"]]
    with office.store.reading() as connection:
        seen = [(entry["by"], entry["subject"], entry["facts"]["what"]) for entry in entries(connection, "audit") if entry["event"] == "seen"]
    assert ("ana", f"sheet:{paper['record']}", "record") in seen
    assert ("ana", f"sheet:{paper['record']}", "paper") in seen


def test_reading_a_paper_keeps_nothing(office: Office) -> None:
    """What is only read leaves no row and no file; what cannot be read is a problem, also a protected one without its password."""
    app = web_app(office)
    _, own = everything(office, app)
    paper = filled(office, documents(issue(office, MONTH), "worksheet")[0])
    own.post("/read", data=paper, headers={"Content-Type": "application/pdf"})
    before = row_counts(office)
    assert own.post("/read", data=paper, headers={"Content-Type": "application/pdf"}).status_code == 200
    assert problem(own.post("/read", data=b"%PDF-1.7 x", headers={"Content-Type": "application/pdf"})) == (422, "damaged")
    assert problem(own.post("/read", data=b"", headers={"Content-Type": "application/pdf"})) == (422, "file-empty")
    assert problem(own.post("/read", data=b"MZ", headers={"Content-Type": "application/pdf"})) == (415, "upload-kind")
    assert problem(own.post("/read", data=paper, headers={"Content-Type": "text/html"})) == (415, "body-kind")
    assert row_counts(office) == before


def test_a_form_is_issued_from_values_in_their_one_spelling(office: Office) -> None:
    """What does not fit is told place by place; a date as people write it is refused, for programs mix up days and months."""
    _, own = everything(office, web_app(office))
    made = own.post("/forms/worksheet/issue", {"values": {"site": "Cedar Hall", "conference_date": "2026-11-05", "children": [{"child_name": "Ana Q."}]}})
    assert made.content_type == "application/pdf"
    told = own.post("/read", data=made.data, headers={"Content-Type": "application/pdf"}).json
    assert told is not None
    assert told["document"] == made.headers["Formsvc-Document"]
    assert told["values"] == {"site": "Cedar Hall", "conference_date": "2026-11-05", "children": [{"child_name": "Ana Q."}]}
    assert own.post("/forms/worksheet/issue", {}).status_code == 200
    wrong = own.post("/forms/worksheet/issue", {"values": {"conference_date": "11/5/26", "nothing": 1, "children": [{"no_discussion_points": 1, "child_name": 3}]}})
    assert problem(wrong) == (422, "fields-invalid")
    assert wrong.json is not None
    assert wrong.json["errors"].keys() == {"values.nothing", "values.children.0.child_name", "values.children.0.no_discussion_points"} - {"values.children.0.no_discussion_points"}
    for name, value in {"conference_date": "11/5/26", "start_time": "9:30 AM", "month": "November 2026", "program_option": "Center", "first_conference": 1}.items():
        wrong = own.post("/forms/worksheet/issue", {"values": {name: value}})
        assert problem(wrong) == (422, "fields-invalid"), name
        assert wrong.json is not None
        assert list(wrong.json["errors"]) == [f"values.{name}"]


def test_a_form_that_is_added_while_the_server_runs_is_told_of(office: Office, tmp_path: Path) -> None:
    """The document, the list and the schemas follow the catalog; nothing has to be started again."""
    own_forms = tmp_path / "templates"
    (own_forms / VERSIONS).mkdir(parents=True)
    changed = replace(office, service=Service(replace(office.service.settings, templates=own_forms)))
    app = web_app(changed)
    _, own = everything(changed, app)
    assert own.ask("GET", "/forms/own-form").status_code == own.post("/forms/own-form/issue", {}).status_code == 404
    shutil.copytree(shipped_folder() / "case-management", own_forms / "own-form")
    definition = own_forms / "own-form" / "v1" / "form.toml"
    definition.write_text(definition.read_text(encoding="utf-8").replace('code = "M"', 'code = "7"'), encoding="utf-8")
    (own_forms / VERSIONS / STAMP).touch()
    assert own.get("/forms/own-form")["schema"]["properties"]["actions"]["type"] == ["array", "null"]
    spec = app.test_client().get("/api/v1/openapi.json").json
    assert spec is not None
    assert "/api/v1/forms/own-form/issue" in spec["paths"]
    assert own.post("/forms/own-form/issue", {"values": {"site": "Cedar Hall"}}).status_code == 200


def test_a_question_is_decided_by_a_program(office: Office) -> None:
    """The choice counts like a person's, in that person's name; another one that waits no more is not there."""
    _, own = everything(office, web_app(office))
    question = next(one for one in own.get("/questions")["items"] if one["code"] == "conflict")
    assert problem(own.post(f"/questions/{question['number']}/decision", {"choice": "77"})) == (409, "choice-unknown")
    wanted = next(choice for choice in question["choices"] if choice["value"] == "Another check")
    decided = own.post(f"/questions/{question['number']}/decision", {"choice": str(wanted["number"])})
    assert decided.status_code == 200
    assert own.get(f"/records/{question['record']}")["values"]["children"][0]["follow_up_action"] == "Another check"
    assert own.post(f"/questions/{question['number']}/decision", {"choice": "ok"}).status_code == 404
    with office.store.reading() as connection:
        assert [entry["by"] for entry in entries(connection, "audit", f"question:{question['number']}")] == ["ana"]


def test_a_record_that_did_not_change_is_not_sent_again(office: Office) -> None:
    """With the ETag it is 304, and whole again after a change."""
    app = web_app(office)
    _, own = everything(office, app)
    answer = own.ask("GET", "/records/1")
    tag = answer.headers["ETag"]
    again = own.ask("GET", "/records/1", headers={"If-None-Match": tag})
    assert (again.status_code, again.data, again.headers["ETag"]) == (304, b"", tag)
    send_back(office, documents(issue(office, MONTH), "worksheet", "Preschool 1")[0], discussed("2026-11-12", (1, need("Eye check"))))
    changed = own.ask("GET", "/records/1", headers={"If-None-Match": tag})
    assert (changed.status_code, changed.headers["ETag"] != tag) == (200, True)


def test_a_list_is_walked_page_by_page(office: Office) -> None:
    """The pages together are the whole list, once each, by `next` and by the header Link alike."""
    _, own = everything(office, web_app(office))
    for name, key in (("documents", "id"), ("records", "id"), ("questions", "number"), ("units", "id"), ("actions", "id"), ("jobs", "id")):
        for _ in range(3):
            own.post("/units/1/papers", {"month": MONTH})
        whole = [one[key] for one in own.get(f"/{name}?limit=200")["items"]]
        found: list[Any] = []
        path: str | None = f"/{name}?limit=1"
        while path:
            answer = own.ask("GET", path)
            page = json.loads(answer.text)
            found += [one[key] for one in page["items"]]
            links = dict(re.findall(r'<([^>]*)>; rel="(\w+)"', answer.headers["Link"]))
            following = next((url for url, rel in links.items() if rel == "next"), None)
            assert (following is None) == (page["next"] is None)
            path = following.partition("/api/v1")[2] if following else None
        assert found == whole, name
        assert len(whole) > 1
        assert len(set(whole)) == len(whole)


# ---------------------------------------------------------------- letters


def test_letters_leave_logged_and_summaries_protected(office: Office) -> None:
    """An agenda comes as it is; a summary under a passphrase that is told once, kept nowhere, and opens it; weak passwords are refused."""
    app = web_app(office)
    _, own = everything(office, app)
    assert own.get("/cases")["items"][0]["initials"] == "N.F."
    letter = own.post(f"/cases/{CASE}/letters", {"letter": "agenda", "face": "ics", "to": "3"}).json
    assert letter is not None
    assert b64decode(letter["content"]).startswith(b"BEGIN:VCALENDAR")
    summary = own.post(f"/cases/{CASE}/summaries", {}, headers={"Idempotency-Key": "one"}).json
    assert summary is not None
    assert b"Fernwhistle" not in b64decode(summary["content"])
    assert unlock(b64decode(summary["content"]), summary["passphrase"]).startswith(b"%PDF")
    chosen = own.post(f"/cases/{CASE}/summaries", {"password": "umbrella-quartz-nimble-otter-9"}).json
    assert chosen is not None
    assert chosen["passphrase"] is None
    assert unlock(b64decode(chosen["content"]), "umbrella-quartz-nimble-otter-9").startswith(b"%PDF")
    for weak in ("short", "password12345", "Fernwhistle-2016", "pässword-quartz-otter"):
        assert problem(own.post(f"/cases/{CASE}/summaries", {"password": weak}))[0] == 422
    with office.store.reading() as connection:
        left = [(entry["by"], entry["facts"]["document"], entry["facts"]["protected"]) for entry in entries(connection, "disclosure", f"case:{CASE}")]
        everything_kept = "".join(repr(connection.exec_driver_sql(f"select * from {name}").all()) for name in ("requests", "logs", "jobs", "files"))  # noqa: S608
    assert left == [("ana", "agenda.ics", False), ("ana", "summary.pdf", True), ("ana", "summary.pdf", True)]
    assert summary["passphrase"] not in everything_kept
    assert "umbrella-quartz" not in everything_kept


# ---------------------------------------------------------------- once


def test_the_same_request_is_done_once_and_another_is_refused(office: Office) -> None:
    """Same key and body: the same answer, marked; another body: refused; without a key each is a request of its own."""
    _, own = everything(office, web_app(office))
    first, again = (own.post("/units/1/papers", {"month": MONTH}, headers={"Idempotency-Key": "k-1"}) for _ in range(2))
    assert (first.status_code, first.json, first.headers["Location"]) == (again.status_code, again.json, again.headers["Location"])
    assert ("Idempotent-Replayed" in first.headers, again.headers["Idempotent-Replayed"]) == (False, "true")
    assert problem(own.post("/units/1/papers", {"month": "2026-12"}, headers={"Idempotency-Key": "k-1"})) == (409, "request-other")
    assert problem(own.post("/units/2/papers", {"month": MONTH}, headers={"Idempotency-Key": "k-1"})) == (409, "request-other")
    own.post("/units/1/papers", {"month": MONTH})
    assert len(own.get("/jobs")["items"]) == 2
    assert problem(own.post("/units/1/papers", {"month": MONTH}, headers={"Idempotency-Key": "not ascii \u00e9"})) == (422, "request-key")
    assert problem(own.post("/units/1/papers", {"month": MONTH}, headers={"Idempotency-Key": "x" * 81})) == (422, "request-key")


def test_keys_of_other_programs_are_other_keys(office: Office) -> None:
    """Each token has its own."""
    app = web_app(office)
    who, own = everything(office, app)
    answers = [one.post("/units/1/papers", {"month": MONTH}, headers={"Idempotency-Key": "k"}).json for one in (own, program(office, app, who))]
    assert answers[0] is not None
    assert answers[1] is not None
    assert answers[0]["id"] != answers[1]["id"]


def test_a_file_sent_again_is_the_same_request_whatever_its_boundary(office: Office) -> None:
    """A form's boundary is another one each time; its fields and files count. An answer that is a file is the same file."""
    _, own = everything(office, web_app(office))
    paper = filled(office, documents(issue(office, MONTH), "worksheet")[0], salt="x")
    jobs = [own.post("/returns", data={"file": (io.BytesIO(paper), "a.pdf")}, content_type=f"multipart/form-data; boundary={mark}", headers={"Idempotency-Key": "up"}).json for mark in ("one", "two")]
    assert jobs[0] is not None
    assert jobs[0] == jobs[1]
    other = own.post("/returns", data={"file": (io.BytesIO(paper + b"\n"), "a.pdf")}, content_type="multipart/form-data", headers={"Idempotency-Key": "up"})
    assert problem(other) == (409, "request-other")
    made = [own.post("/forms/worksheet/issue", {"values": {"site": "A"}}, headers={"Idempotency-Key": "pdf"}) for _ in range(2)]
    assert made[0].data == made[1].data
    assert made[0].headers["Formsvc-Document"] == made[1].headers["Formsvc-Document"]


def test_a_request_that_failed_frees_its_key(office: Office) -> None:
    """What was refused was not done: mended, it may come under the same key."""
    _, own = everything(office, web_app(office))
    headers = {"Idempotency-Key": "k"}
    assert own.post("/units/1/papers", {"month": "soon"}, headers=headers).status_code == 422
    assert own.post("/units/999/papers", {"month": MONTH}, headers=headers).status_code == 404
    assert own.post("/units/1/papers", {"month": MONTH}, headers=headers).status_code == 202


def test_the_same_request_made_many_times_at_once_is_done_once(office: Office) -> None:
    """One of them is done; each of the others is told to wait, or gets the same answer."""
    app = web_app(office)
    _, own = everything(office, app)
    gate, answers = threading.Barrier(6), []

    def ask() -> None:
        mine = Program(app, own.secret)
        gate.wait()
        answers.append(mine.post("/units/1/papers", {"month": MONTH}, headers={"Idempotency-Key": "same"}))

    threads = [threading.Thread(target=ask) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert {answer.status_code for answer in answers} <= {202, 409}
    assert len({answer.data for answer in answers if answer.status_code == 202}) == 1
    assert {problem(answer)[1] for answer in answers if answer.status_code == 409} <= {"request-running"}
    with office.store.reading() as connection:
        assert len(read_jobs(connection, kind="papers")) == 1


def test_a_server_that_died_on_a_request_does_not_keep_its_key(office: Office) -> None:
    """While it may still be answered it is told to wait; afterwards it is done as if it came for the first time."""
    app = web_app(office)
    _, own = everything(office, app)
    caller = caller_of(office, own.secret)
    assert isinstance(caller, Caller)
    assert begin(office, caller, "k", b"POST /api/v1/units/1/papers? application/json\n" + json.dumps({"month": MONTH}).encode()) == "new"
    waiting = own.post("/units/1/papers", data=json.dumps({"month": MONTH}), headers={"Idempotency-Key": "k", "Content-Type": "application/json"})
    assert problem(waiting) == (409, "request-running")
    assert waiting.headers["Retry-After"] == "1"
    with office.store.writing() as connection:
        connection.execute(requests.update().values(at=(datetime.now(UTC) - GIVEN_UP - timedelta(seconds=1)).isoformat(timespec="seconds")))
    assert own.post("/units/1/papers", {"month": MONTH}, headers={"Idempotency-Key": "k"}).status_code == 202


def test_kept_answers_are_sealed_and_forgotten_after_a_day(office: Office) -> None:
    """The database tells nothing of an answer; after its time the key is free."""
    _, own = everything(office, web_app(office))
    own.post("/units/1/papers", {"month": MONTH}, headers={"Idempotency-Key": "k"})
    with office.store.writing() as connection:
        assert "waiting" not in repr(connection.exec_driver_sql("select answer from requests").all())
        connection.execute(requests.update().values(at="2020-01-01T00:00:00+00:00"))
    assert forget_answers(office) == 1
    assert "Idempotent-Replayed" not in own.post("/units/1/papers", {"month": "2026-12"}, headers={"Idempotency-Key": "k"}).headers


# ---------------------------------------------------------------- limits, bodies, headers


def test_who_asks_too_often_is_told_to_wait(office: Office) -> None:
    """Each token has its own count; the answer says how long, also to programs without one."""
    app = web_app(office)
    app.config[RATE] = "3 per minute"
    who, own = everything(office, app)
    for _ in range(3):
        fine = own.ask("GET", "/token")
        assert fine.status_code == 200
        assert "Retry-After" not in fine.headers
    late = own.ask("GET", "/token")
    assert problem(late) == (429, "too-many-requests")
    assert 0 < int(late.headers["Retry-After"]) <= 60
    assert program(office, app, who).ask("GET", "/token").status_code == 200
    stranger = [Program(app, "formsvc_wrong").ask("GET", "/token").status_code for _ in range(4)]
    assert stranger == [401, 401, 401, 429]
    assert app.test_client().get("/sign-in").status_code == 200


@pytest.mark.parametrize(("status", "code", "body"), [
    (400, "body-unreadable", b""), (400, "body-unreadable", b"{"), (400, "body-unreadable", b'{"month": NaN}'), (400, "body-unreadable", b"\xff\xfe"), (400, "body-unreadable", b"[" * 100_000),
    (400, "body-unreadable", b'{"month": "\\ud800"}'), (400, "body-unreadable", b'{"month": "\\u0000"}'), (422, "fields-invalid", b"[]"), (422, "fields-invalid", b"null"), (422, "fields-invalid", b"{}"),
    (422, "fields-invalid", b'{"month": "2026-11\\n"}'), (422, "fields-invalid", b'{"month": "2026-11", "more": 1}'), (422, "fields-invalid", b'{"month": 1e999}'), (413, "body-too-large", b" " * 5_000_000),
])  # fmt: skip
def test_a_body_that_is_no_request_is_a_problem(office: Office, status: int, code: str, body: bytes) -> None:
    """Broken, not JSON, too deep, not Unicode, too large, of another shape: each is told, and none is a failure of ours."""
    _, own = everything(office, web_app(office))
    assert problem(own.post("/units/1/papers", data=body, headers={"Content-Type": "application/json"})) == (status, code)


def test_another_kind_of_body_and_of_method_is_a_problem(office: Office) -> None:
    """415 with what is taken; 405 with what may be asked; 404 for addresses that are not there."""
    _, own = everything(office, web_app(office))
    assert problem(own.post("/units/1/papers", data=b"month=2026-11", headers={"Content-Type": "application/x-www-form-urlencoded"})) == (415, "body-kind")
    answer = own.ask("DELETE", "/units/1")
    assert problem(answer) == (405, "method-unknown")
    assert "GET" in answer.headers["Allow"]
    assert problem(own.ask("GET", "/no-such-thing")) == (404, "not-found")
    assert problem(own.ask("GET", "/records?mont=2026-11")) == (422, "fields-invalid")
    assert problem(own.ask("GET", "/records?unit=1&unit=2")) == (422, "fields-invalid")


def test_a_paper_that_is_too_large_is_not_read(office: Office) -> None:
    """The most that an installation reads is the most that a program may send."""
    small = replace(office, service=Service(replace(office.service.settings, most_megabytes=1)))
    _, own = everything(small, web_app(small))
    assert problem(own.post("/returns", data=b"%PDF" + bytes(1_100_000), headers={"Content-Type": "application/pdf"})) == (413, "file-too-large")
    assert problem(own.post("/returns", data=b"%PDF" + bytes(6_000_000), headers={"Content-Type": "application/pdf"})) == (413, "body-too-large")


def test_answers_are_not_kept_on_the_way_and_set_no_cookies(office: Office) -> None:
    """no-store, nosniff, no cookie: on answers, problems, files and the reference alike."""
    app = web_app(office)
    _, own = everything(office, app)
    paper = own.get("/documents")["items"][0]["id"]
    for path in ("/units", "/records/1", f"/documents/{paper}/file", "/records/999", "/nothing", "/docs", "/openapi.json"):
        answer = own.ask("GET", path)
        assert answer.headers["Cache-Control"] == "no-store", path
        assert answer.headers["X-Content-Type-Options"] == "nosniff"
        assert "Set-Cookie" not in answer.headers
    assert app.test_client().get("/api/v1/docs").headers.getlist("Set-Cookie") == []


def test_the_reference_is_a_page_of_the_document(office: Office) -> None:
    """Every operation, schema and code stands on it, each link leads somewhere, and nothing on it is inline or from elsewhere."""
    client = web_app(office).test_client()
    page, spec = client.get("/api/v1/docs").text, client.get("/api/v1/openapi.json").json
    assert spec is not None
    ids = set(re.findall(r'\sid="([^"]+)"', page))
    assert {operation["operationId"] for item in spec["paths"].values() for name, operation in item.items() if name != "parameters"} <= ids
    assert {f"schema-{name}" for name in spec["components"]["schemas"]} <= ids
    assert {"not-found", "token-missing", "fields-invalid"} <= ids
    assert set(re.findall(r'href="#([^"]+)"', page)) <= ids
    assert not re.search(r"<script|<style|\sstyle=|\son\w+=|//cdn|src=", page)
    assert len(re.findall(r"<h1\b", page)) == 1
