"""Who may open what: every route against every role, sessions, second factor, forged and framed requests, hostile values."""

import re
from collections.abc import Iterator
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Final

import pyotp
import pytest
from flask import Flask
from flask.testing import FlaskClient
from werkzeug.routing import Rule

from formsvc.errors import Refused
from formsvc.model.people import ROLES, Role
from formsvc.model.scopes import SCOPES
from formsvc.office import people
from formsvc.office.office import Office
from formsvc.store.people import digest_of, find_person
from formsvc.store.schema_people import sessions
from formsvc.web.access import NEEDS
from formsvc.web.app import create_app
from formsvc.web.guard import TOKEN
from tests.offices import child, enrol, issue, open_test_office, plan
from tests.web import PASSWORD, RAW, page_token, person, send, signed_in, web_app

_LETTERS: Final[dict[str, Role]] = {"t": "staff", "p": "specialist", "c": "coordinator", "s": "supervisor", "a": "administrator", "o": "auditor"}
_EVERYBODY: Final = "tpcsao"
_PAPERS: Final = "tps"

MATRIX: Final[dict[str, str]] = {
    # open to everybody, or to whoever is signed in
    "static": "*", "sign_in.form": "*", "sign_in.enter": "*", "sign_in.link": "*", "sign_in.use_link": "*", "sign_in.language": "*", "month.home": "*",
    "sign_in.code": _EVERYBODY, "sign_in.give_code": _EVERYBODY, "sign_in.leave": _EVERYBODY, "sign_in.account": _EVERYBODY, "sign_in.ready": _EVERYBODY, "sign_in.change_password": _EVERYBODY,
    # papers
    "month.show": _PAPERS, "month.paper": _PAPERS, "month.papers": _PAPERS, "month.make": _PAPERS, "month.make_packet": _PAPERS, "month.plan": _PAPERS,
    "fill.show": _PAPERS, "fill.save": _PAPERS, "fill.draft": _PAPERS, "fill.discard": _PAPERS,
    "uploads.index": _PAPERS, "uploads.send": _PAPERS, "uploads.batch": _PAPERS, "uploads.made": _PAPERS, "uploads.cancel": _PAPERS, "uploads.retry": _PAPERS,
    "review.index": _PAPERS, "review.sheet": _PAPERS, "review.return_page": _PAPERS, "review.paper_page": _PAPERS, "review.file": _PAPERS, "review.answer": _PAPERS, "review.again": _PAPERS,
    "review.correct": _PAPERS, "review.undo": _PAPERS, "review.stray": _PAPERS, "review.put": _PAPERS, "review.leave_out": _PAPERS,
    # cases
    **dict.fromkeys(("cases.index", "cases.new", "cases.create", "cases.show", "cases.edit", "cases.keep", "cases.people", "cases.begin", "cases.log"), "c"),
    **dict.fromkeys(("cases.letters", "cases.preview", "cases.download", "cases.download_all", "cases.notes", "cases.save", "cases.draft", "cases.discard"), "c"),
    **dict.fromkeys(("cases.summary", "cases.protect", "cases.fetch"), "c"),
    # overview
    **dict.fromkeys(("overview.show", "overview.found", "overview.actions", "overview.monitoring", "overview.mark", "overview.unit", "overview.exports", "overview.export"), "s"),
    # administration
    "admin.live": "*", "admin.ready": "*",
    **dict.fromkeys(("admin.roster", "admin.upload", "admin.changes", "admin.apply", "admin.drop"), "a"),
    **dict.fromkeys(("admin.people", "admin.find_person", "admin.invite", "admin.person", "admin.change", "admin.link", "admin.sign_out"), "a"),
    **dict.fromkeys(("admin.templates", "admin.template", "admin.bring", "admin.template_version", "admin.template_file", "admin.template_picture", "admin.template_preview"), "a"),
    **dict.fromkeys(("admin.use", "admin.back_to_shipped", "admin.blank_form", "admin.read_again"), "a"),
    **dict.fromkeys(("tokens.mine", "tokens.make", "tokens.revoke"), _EVERYBODY),
    **dict.fromkeys(("tokens.index", "tokens.add", "tokens.deliveries", "tokens.pause", "tokens.resume", "tokens.remove", "tokens.test", "tokens.again"), "a"),
    **dict.fromkeys(("admin.log", "admin.log_chain", "admin.log_of_child", "admin.log_export", "admin.health"), "ao"),
}
"""Which roles each route opens to, by their letters in `_LETTERS`; a route that is not here fails the suite."""


@pytest.fixture
def office(tmp_path: Path, blanks: Path) -> Office:
    """One unit with its papers."""
    office = open_test_office(tmp_path, blanks)
    enrol(office, [child(number) for number in range(1, 3)])
    plan(office, date(2026, 11, 12))
    issue(office, "2026-11")
    return office


def routes(app: Flask) -> Iterator[tuple[str, str, str]]:
    """Every endpoint of a page with a method and an address; those of the API are asked for in `test_api`."""
    for rule in app.url_map.iter_rules():
        if rule.endpoint.startswith("api."):
            continue
        for method in sorted((rule.methods or set()) - {"HEAD", "OPTIONS"}):
            yield rule.endpoint, method, _address(rule)


def _address(rule: Rule) -> str:
    """An address of a rule with things that are not there."""
    return re.sub(r"<(?:(\w+)(?:\([^)]*\))?:)?(\w+)>", lambda found: "99999" if found[1] == "int" else {"month": "2026-11", "filename": "app.css"}.get(found[2], "XXXXXXXXXX"), rule.rule)


def ask(client: FlaskClient, method: str, url: str) -> int:
    """The status of a request whose form is as its page would send it."""
    answer = client.get(url) if method == "GET" else send(client, url) if method == "POST" else client.open(url, method=method)
    answer.close()
    return answer.status_code


def test_every_route_has_an_entry_in_the_matrix_and_every_entry_a_route(office: Office) -> None:
    """A new route without an entry fails here; so does an entry without a route."""
    known = {rule.endpoint for rule in web_app(office).url_map.iter_rules()}
    assert {endpoint for endpoint in known if not endpoint.startswith("api.")} == MATRIX.keys()
    assert known <= NEEDS.keys()
    assert {NEEDS[endpoint] for endpoint in known if endpoint.startswith("api.")} <= {"nothing", "token", *SCOPES}


@pytest.mark.parametrize("role", ROLES)
def test_each_route_opens_to_its_roles_and_to_nobody_else(office: Office, role: Role) -> None:
    """Who lacks the role is refused; who has it gets an answer that is no refusal of that kind and no failure."""
    app = web_app(office)
    who = person(office, "who", role)
    letter = next(letter for letter, name in _LETTERS.items() if name == role)
    for endpoint, method, url in routes(app):
        status = ask(signed_in(app, office, who), method, url)
        opens = MATRIX[endpoint] == "*" or letter in MATRIX[endpoint]
        assert (status != 403) == opens, (endpoint, method, status)
        assert status < 500, (endpoint, method, status)


def test_nobody_and_half_a_session_are_sent_to_sign_in(office: Office) -> None:
    """Without a session, and without the second factor, nothing opens but what is for that."""
    app = web_app(office)
    half = person(office, "half", "coordinator", "supervisor", "administrator")
    for endpoint, method, url in routes(app):
        if MATRIX[endpoint] == "*":
            continue
        stranger = app.test_client()
        with stranger.session_transaction() as cookie:
            cookie["csrf_token"] = RAW
        assert ask(stranger, method, url) == 302, endpoint
        client = signed_in(app, office, half)
        with office.store.writing() as connection:
            connection.execute(sessions.update().values(second=False))
        if not endpoint.startswith("sign_in.") or endpoint in ("sign_in.account", "sign_in.change_password", "sign_in.ready"):
            answer = client.get(url) if method == "GET" else send(client, url)
            assert answer.headers.get("Location") == "/sign-in/code", endpoint


def test_a_form_without_its_token_does_nothing(office: Office) -> None:
    """Every POST of a page is refused without the token of its page."""
    app = web_app(office)
    client = signed_in(app, office, person(office, "ana", "staff", "supervisor", "coordinator", "administrator"))
    for endpoint, method, url in routes(app):
        if method == "POST" and not url.startswith("/api/"):
            answer = client.post(url, data={"anything": "1"})
            assert answer.status_code == 400, endpoint
            assert "open for too long" in answer.text


def test_every_answer_carries_the_headers_that_keep_browsers_honest(office: Office) -> None:
    """No inline script or style, no framing, no sniffing, no cache, no referrer to others; also on errors."""
    app = web_app(office)
    client = signed_in(app, office, person(office, "ana", "staff", "supervisor", units=["Preschool 1"]))
    for url in ("/month", "/fill/1", "/uploads", "/review", "/nothing-here", "/sign-in"):
        answer = client.get(url)
        policy = answer.headers["Content-Security-Policy"]
        assert "unsafe" not in policy
        assert "frame-ancestors 'none'" in policy
        assert (answer.headers["X-Content-Type-Options"], answer.headers["X-Frame-Options"], answer.headers["Cache-Control"]) == ("nosniff", "DENY", "no-store")
        assert answer.headers["Referrer-Policy"] == "same-origin"
        assert not re.search(r"<script(?![^>]*\bsrc=)|<style|\sstyle=|\son\w+=|javascript:", answer.text), url


def test_the_session_cookie_is_kept_from_scripts_and_from_plain_connections(office: Office) -> None:
    """HttpOnly and SameSite always; Secure and the __Host- prefix where the address is https."""
    answer = web_app(office).test_client().get("/sign-in")
    cookie = answer.headers["Set-Cookie"]
    assert "HttpOnly" in cookie
    assert "SameSite=Lax" in cookie
    secure = replace(office.service.settings, url="https://forms.example")
    cookie = create_app(secure, office).test_client().get("/sign-in", base_url="https://forms.example").headers["Set-Cookie"]
    assert cookie.startswith("__Host-formsvc=")
    assert "Secure" in cookie


def test_strangers_cannot_send_much(office: Office) -> None:
    """Whole files are taken from people who are signed in and where files are expected; elsewhere a large request is refused."""
    app = web_app(office)
    ana = signed_in(app, office, person(office, "ana", "staff", units=["Preschool 1"]))
    limit = "a-limit"
    body = f'--{limit}\r\nContent-Disposition: form-data; name="files"; filename="a.pdf"\r\n\r\n'.encode() + b"%PDF-1.7 " + b"x" * 11_000_000 + f"\r\n--{limit}--\r\n".encode()
    for client, url, status in ((ana, "/uploads", 302), (app.test_client(), "/sign-in", 413), (app.test_client(), "/uploads", 302), (ana, "/fill/1", 413)):
        with client.session_transaction() as cookie:
            cookie["csrf_token"] = RAW
        answer = client.post(url, data=body, content_type=f"multipart/form-data; boundary={limit}", headers={"X-CSRFToken": page_token(client)})
        assert answer.status_code == status, url


def test_what_people_wrote_is_text_on_every_page(office: Office) -> None:
    """Markup in values is shown, never run."""
    app = web_app(office)
    client = signed_in(app, office, person(office, "ana", "staff", units=["Preschool 1"]))
    evil = "</textarea><script>alert(1)</script><img src=x onerror=alert(2)>"
    sight = re.search(r'name="sight" value="([^"]*)"', client.get("/fill/1").text)
    assert sight
    kept = send(client, "/fill/1", {"end": "1", "sight": sight[1], "conference_date": "2026-11-12", "children-0-strengths": evil, "children-0-responsible": '"><b onmouseover=alert(3)>', "children-0-target_date": evil})
    assert kept.status_code == 422
    for url in ("/fill/1", "/review", "/review/sheet/1?all=1", "/month"):
        text = client.get(url).text
        assert "<script>alert" not in text
        assert "<img src=x" not in text
        assert "<b onmouseover" not in text


# ---------------------------------------------------------------- in and out


def test_sign_in_rotates_the_session_and_the_second_factor_counts_once(office: Office) -> None:
    """Each step begins a session under a new secret; a code is taken once; signing out ends it for good."""
    app = web_app(office)
    person(office, "carla", "coordinator")
    client = app.test_client()

    def cookie_token() -> str:
        with client.session_transaction() as cookie:
            return str(cookie.get(TOKEN, ""))

    def post(url: str, **data: str) -> int:
        with client.session_transaction() as cookie:
            cookie["csrf_token"] = RAW
        return send(client, url, data).status_code

    assert post("/sign-in", name="Carla", password=PASSWORD) == 302
    first = cookie_token()
    secret = re.search(r'class="secret">([A-Z2-7]+)<', client.get("/sign-in/code").text)
    assert secret
    code = pyotp.TOTP(secret[1]).now()
    assert post("/sign-in/code", code="000000" if code != "000000" else "111111") == 401
    assert post("/sign-in/code", code=code) == 302
    second = cookie_token()
    assert first
    assert second
    assert first != second
    assert people.session_of(office, first) is None
    assert client.get("/me").status_code == 200
    assert post("/sign-out") == 302
    assert people.session_of(office, second) is None
    assert post("/sign-in", name="carla", password=PASSWORD) == 302
    assert post("/sign-in/code", code=code) == 401  # used already
    assert client.get("/me").headers["Location"] == "/sign-in/code"


def test_a_next_page_is_one_of_ours(office: Office) -> None:
    """Signing in never sends anybody to another place."""
    app = web_app(office)
    ana = person(office, "ana", "staff")
    for target in ("https://evil.example/", "//evil.example", "/\\evil.example", "javascript:alert(1)", "/%0d%0aX: y"):
        client = app.test_client()
        with client.session_transaction() as cookie:
            cookie["csrf_token"] = RAW
        place = send(client, "/sign-in", {"name": ana.name, "password": PASSWORD, "next": target}).headers["Location"]
        assert place.startswith("/")
        assert not place.startswith(("//", "/\\"))


def test_guessing_locks_the_guesser_out_and_nobody_else(office: Office) -> None:
    """After five failures that address waits; the person's own browser still gets in, and so does a link."""
    person(office, "ana", "staff")
    device = people.sign_in(office, "ana", PASSWORD, address="10.0.0.1").device
    for _ in range(5):
        with pytest.raises(Refused) as wrong:
            people.sign_in(office, "ana", "wrong", address="192.0.2.9")
        assert wrong.value.code == "sign-in-wrong"
    with pytest.raises(Refused) as locked:
        people.sign_in(office, "ana", PASSWORD, address="192.0.2.9")
    assert locked.value.code == "too-many-attempts"
    assert people.sign_in(office, "ana", PASSWORD, address="192.0.2.9", device=device).session.person.name == "ana"
    assert people.sign_in(office, "ana", PASSWORD, address="10.0.0.1").session.person.name == "ana"
    for number in range(70):  # many addresses: strangers are shut out, the browser she always uses is not
        with pytest.raises(Refused):
            people.sign_in(office, "ana", "wrong", address=f"198.51.100.{number}")
    with pytest.raises(Refused):
        people.sign_in(office, "ana", PASSWORD, address="203.0.113.1")
    assert people.sign_in(office, "ana", PASSWORD, address="203.0.113.1", device=device).session.person.name == "ana"
    with office.store.reading() as connection:
        key = find_person(connection, "ana")
    assert key is not None
    fresh = people.use_link(office, people.new_link(office, key.id), PASSWORD, address="203.0.113.1")  # a link always gets in
    assert people.sign_in(office, "ana", PASSWORD, address="203.0.113.1", device=fresh).session.person.name == "ana"


def test_a_missing_name_is_refused_like_a_wrong_password(office: Office) -> None:
    """Nobody learns who has an account."""
    person(office, "ana", "staff")
    told = set()
    for name in ("ana", "nobody"):
        with pytest.raises(Refused) as wrong:
            people.sign_in(office, name, "wrong", address="192.0.2.1")
        told.add((wrong.value.code, wrong.value.message))
    assert len(told) == 1


def test_sessions_end_by_time_by_link_and_by_an_administrator(office: Office) -> None:
    """An idle session, one of a person who got a new link, and one of somebody who may not work any more are over."""
    ana = person(office, "ana", "staff")
    person(office, "ada", "administrator")
    token = people.sign_in(office, "ana", PASSWORD, address="a").token
    with office.store.writing() as connection:
        connection.execute(sessions.update().where(sessions.c.digest == digest_of(token)).values(seen="2026-01-01T00:00:00+00:00"))
    assert people.session_of(office, token) is None
    token = people.sign_in(office, "ana", PASSWORD, address="a").token
    with office.store.writing() as connection:
        connection.execute(sessions.update().where(sessions.c.digest == digest_of(token)).values(made="2026-01-01T00:00:00+00:00"))
    assert people.session_of(office, token) is None
    token = people.sign_in(office, "ana", PASSWORD, address="a").token
    people.new_link(office, ana.id)
    assert people.session_of(office, token) is None
    token = people.sign_in(office, "ana", PASSWORD, address="a").token
    people.change_person(office, ana.id, shown="Ana", roles=("staff",), units=(), active=False)
    assert people.session_of(office, token) is None
    with pytest.raises(Refused, match="wrong"):
        people.sign_in(office, "ana", PASSWORD, address="a")


def test_a_link_works_once_and_wants_a_password_that_nobody_guesses(office: Office) -> None:
    """A weak password is refused and leaves the link; a good one uses it up."""
    _, secret = people.invite(office, "ben", shown="Ben Oakley", roles=("staff",))
    for weak in ("password1234", "benoakley2026", "short"):
        with pytest.raises(Refused) as refused:
            people.use_link(office, secret, weak)
        assert refused.value.code == "password-guessable"
    people.use_link(office, secret, PASSWORD)
    with pytest.raises(Refused) as gone:
        people.use_link(office, secret, PASSWORD)
    assert gone.value.code == "link-gone"


def test_the_last_administrator_stays(office: Office) -> None:
    """Nobody can shut the door from inside."""
    ada = person(office, "ada", "administrator")
    with pytest.raises(Refused) as refused:
        people.change_person(office, ada.id, shown="Ada", roles=("staff",), units=(), active=True)
    assert refused.value.code == "last-administrator"
