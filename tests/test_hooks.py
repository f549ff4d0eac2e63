"""Webhooks: who is told what, how a program knows that it comes from here, what happens when it does not answer, where it may not be.

1. An event is told to hooks whose person may know of it, by ids only, in the transaction of what it tells.
2. It is signed (standardwebhooks.com), under one id, and told again until it is understood, with growing waits, at most eight times.
3. Nothing is sent to an address that is not public, nowhere else than to the address that was looked up, and no redirect is followed.
"""

import hmac
import ipaddress
import json
import socket
import ssl
import threading
import time
from base64 import b64decode, b64encode
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from formsvc.errors import Refused
from formsvc.jobs.worker import work_on, work_once
from formsvc.office import hooks, outward
from formsvc.office.background import Wanted, start, start_upload
from formsvc.office.incoming import Found
from formsvc.office.office import Office
from formsvc.office.people import change_person
from formsvc.office.review import decide, waiting
from formsvc.service import Service
from formsvc.settings import read_settings
from formsvc.store.hooks import Delivery, change_delivery, claim_delivery, read_deliveries
from formsvc.store.schema_people import deliveries
from tests.offices import child, discussed, documents, enrol, filled, issue, need, open_test_office, plan
from tests.offices import send as send_back
from tests.web import person, send, signed_in, web_app

MONTH = "2026-11"


@pytest.fixture
def office(tmp_path: Path, blanks: Path) -> Office:
    """Two units with their papers; webhooks may go to this machine."""
    office = open_test_office(tmp_path, blanks)
    enrol(office, [child(number) for number in range(1, 3)])
    enrol(office, [child(number, unit="Preschool 2") for number in range(11, 13)])
    plan(office, date(2026, 11, 12))
    issue(office, MONTH)
    return replace(office, service=Service(replace(office.service.settings, hooks_anywhere=True)))


class Receiver:
    """A program that is told things: it keeps what came and answers as it was told to."""

    def __init__(self) -> None:
        """Know where it listens; it does not run yet."""
        self.came: list[tuple[str, dict[str, str], bytes]] = []
        self.answers: list[tuple[int, dict[str, str]]] = []
        receiver = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                receiver.came.append((self.path, {name.lower(): value for name, value in self.headers.items()}, body))
                status, headers = receiver.answers.pop(0) if receiver.answers else (204, {})
                self.send_response(status)
                for name, value in headers.items():
                    self.send_header(name, value)
                self.end_headers()

            def log_message(self, *_: Any) -> None:
                """Nothing."""

        self.server = HTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_port}/told?by=formsvc"

    def told(self) -> list[dict[str, Any]]:
        """What it was told, as data."""
        return [json.loads(body) for _, _, body in self.came]


@contextmanager
def running(receiver: Receiver) -> Iterator[Receiver]:
    """While it runs."""
    thread = threading.Thread(target=receiver.server.serve_forever, args=(0.02,))
    thread.start()
    try:
        yield receiver
    finally:
        receiver.server.shutdown()
        thread.join()
        receiver.server.server_close()


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    """A program that runs."""
    with running(Receiver()) as found:
        yield found


def log(office: Office, key: int) -> tuple[Delivery, ...]:
    """A hook's deliveries, the newest first."""
    with office.store.reading() as connection:
        return read_deliveries(connection, key)


def due_now(office: Office) -> None:
    """Let the time of every wait be over."""
    with office.store.writing() as connection:
        connection.execute(deliveries.update().values(next="2000-01-01T00:00:00+00:00"))


# ---------------------------------------------------------------- told and signed


def test_a_program_can_check_that_it_was_told_by_us(office: Office, receiver: Receiver) -> None:
    """The signature is HMAC-SHA256 over id, timestamp and body under the secret; whoever changes any of them is found out."""
    key, secret = hooks.add_hook(office, person=person(office, "sam", "supervisor").id, url=receiver.url, events=["return.counted"])
    hooks.send_test(office, key)
    assert hooks.deliver_due(office) == 1
    path, headers, body = receiver.came[0]
    assert path == "/told?by=formsvc"
    assert headers["content-type"] == "application/json"
    assert abs(int(headers["webhook-timestamp"]) - time.time()) < 60
    signed = f"{headers['webhook-id']}.{headers['webhook-timestamp']}.".encode() + body
    expected = b64encode(hmac.digest(b64decode(secret.removeprefix("whsec_")), signed, "sha256")).decode()
    assert headers["webhook-signature"] == f"v1,{expected}"
    assert json.loads(body) == {"type": "hook.test", "timestamp": log(office, key)[0].at, "data": {"hook": key}}
    assert (log(office, key)[0].state, log(office, key)[0].status) == ("told", 204)


def test_only_hooks_whose_person_sees_the_unit_are_told(office: Office) -> None:
    """A return of one unit is told to its staff and to supervisors; to nobody else, by ids only."""
    ana, ben, sam = person(office, "ana", "staff", units=["Preschool 1"]), person(office, "ben", "staff", units=["Preschool 2"]), person(office, "sam", "supervisor")
    ada = person(office, "ada", "administrator")
    keys = {who.name: hooks.add_hook(office, person=who.id, url="https://example.org/x", events=hooks.EVENTS)[0] for who in (ana, ben, sam, ada)}
    paper = documents(issue(office, MONTH), "worksheet", "Preschool 1")[0]
    start_upload(office, ana.id, Found(name="Child 01.pdf", content=filled(office, paper, discussed("2026-11-12", (0, need("Hearing check"))))), batch="one")
    assert work_once(office, "w")
    assert [one.event for one in log(office, keys["ana"])][:2] == ["return.counted", "record.changed"]
    assert {one.event for one in log(office, keys["sam"])} >= {"return.counted", "record.changed"}
    assert log(office, keys["ben"]) == log(office, keys["ada"]) == ()
    told = {one.event: one.told for one in log(office, keys["ana"])}
    assert told["return.counted"] == {"job": 1, "document": paper.id, "unit": 1, "month": MONTH}
    assert told["record.changed"] == {"record": paper.sheet, "revision": 1, "unit": 1, "month": MONTH, "form": "worksheet"}
    assert "Child" not in repr(told)
    assert "Hearing" not in repr(told)


def test_what_nobody_can_place_is_told_to_who_sent_it_in(office: Office) -> None:
    """A refused file and failed work have no unit: only the hooks of whoever asked for them are told."""
    ana, sam = person(office, "ana", "staff", units=["Preschool 1"]), person(office, "sam", "supervisor")
    own, other = (hooks.add_hook(office, person=who.id, url="https://example.org/x", events=hooks.EVENTS)[0] for who in (ana, sam))
    start_upload(office, ana.id, Found(name="x.pdf", content=b"%PDF-1.7 broken"), batch="one")
    start(office, ana.id, Wanted(kind="packet", facts={"month": MONTH, "site": "Nowhere", "units": [99]}))
    assert work_once(office, "w")
    assert work_once(office, "w")
    assert [(one.event, one.told.get("code")) for one in reversed(log(office, own))] == [("return.refused", "damaged"), ("job.failed", "packet-empty")]
    assert log(office, other) == ()


def test_papers_that_were_made_are_told_unit_by_unit(office: Office) -> None:
    """Each unit's papers are an event of their own; papers that stand are none."""
    sam = person(office, "sam", "supervisor")
    key, _ = hooks.add_hook(office, person=sam.id, url="https://example.org/x", events=["papers.issued"])
    for month in (MONTH, "2026-12"):
        start(office, sam.id, Wanted(kind="papers", facts={"month": month}))
        assert work_once(office, "w")
    found = [one.told for one in reversed(log(office, key))]
    assert [(told["unit"], told["month"], len(told["documents"])) for told in found] == [(1, "2026-12", 2), (2, "2026-12", 2)]


def test_a_decision_changes_the_record_and_is_told(office: Office) -> None:
    """Whatever changes a record is told, not only what comes back."""
    paper = documents(issue(office, MONTH), "worksheet", "Preschool 1")[0]
    send_back(office, paper, discussed("2026-11-12", (0, need("One"))))
    send_back(office, paper, discussed("2026-11-12", (0, need("Another"))))
    key, _ = hooks.add_hook(office, person=person(office, "sam", "supervisor").id, url="https://example.org/x", events=["record.changed"])
    question = next(one for one in waiting(office) if one.code == "conflict")
    decide(office, question.number, "=A third")
    assert [one.event for one in log(office, key)] == ["record.changed"]


def test_paused_hooks_and_people_who_left_are_told_nothing(office: Office) -> None:
    """Nothing is written down for them either."""
    sam, eva = person(office, "sam", "supervisor"), person(office, "eva", "supervisor")
    paused, gone = (hooks.add_hook(office, person=who.id, url="https://example.org/x", events=["record.changed"])[0] for who in (sam, eva))
    hooks.set_active(office, paused, active=False)
    change_person(office, eva.id, shown="", roles=["supervisor"], units=(), active=False)
    send_back(office, documents(issue(office, MONTH), "worksheet", "Preschool 1")[0], discussed("2026-11-12"))
    assert log(office, paused) == log(office, gone) == ()


def test_workers_tell_what_is_due(office: Office, receiver: Receiver) -> None:
    """A worker that has nothing else to do delivers."""
    key, _ = hooks.add_hook(office, person=person(office, "sam", "supervisor").id, url=receiver.url, events=["record.changed"])
    hooks.send_test(office, key)
    until = time.monotonic() + 20
    work_on(office, "w", lambda: bool(receiver.came) or time.monotonic() > until)
    assert receiver.told()[0]["type"] == "hook.test"


# ---------------------------------------------------------------- again, and again


def test_a_delivery_that_fails_is_told_again_later_under_the_same_id(office: Office, receiver: Receiver) -> None:
    """Each failure is noted with the status, the next try is later, and what waits behind it waits with it."""
    key, _ = hooks.add_hook(office, person=person(office, "sam", "supervisor").id, url=receiver.url, events=["record.changed"])
    hooks.send_test(office, key)
    hooks.send_test(office, key)
    receiver.answers = [(500, {}), (410, {})]
    assert hooks.deliver_due(office, most=5) == 1
    second, first = log(office, key)
    assert (first.state, first.tries, first.status, first.why) == ("waiting", 1, 500, "hook-status")
    assert first.next > datetime.now(UTC).isoformat(timespec="seconds")
    assert (second.tries, second.next) == (0, first.next)
    due_now(office)
    assert hooks.deliver_due(office) == 1
    due_now(office)
    assert hooks.deliver_due(office, most=5) == 2
    assert [headers["webhook-id"] for _, headers, _ in receiver.came] == [f"msg_{first.id}", f"msg_{first.id}", f"msg_{first.id}", f"msg_{second.id}"]
    assert [one.state for one in log(office, key)] == ["told", "told"]


def test_the_waits_grow_and_end(office: Office) -> None:
    """Eight tries, each wait longer than the one before; then it is given up, and can be sent again by hand."""
    with closing(socket.socket()) as taken:
        taken.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{taken.getsockname()[1]}/"
        key, _ = hooks.add_hook(office, person=person(office, "sam", "supervisor").id, url=url, events=["record.changed"])
        hooks.send_test(office, key)
        waits = []
        for _ in range(8):
            due_now(office)
            began = datetime.now(UTC)
            assert hooks.deliver_due(office) == 1
            waits.append((datetime.fromisoformat(log(office, key)[0].next) - began).total_seconds())
        assert waits[:7] == sorted(waits[:7])
        assert 20 * 3600 > waits[6] > 10 * 3600
        found = log(office, key)[0]
        assert (found.state, found.tries, found.why, found.status) == ("given-up", 8, "hook-unreachable", 0)
        due_now(office)
        assert hooks.deliver_due(office) == 0
        hooks.send_again(office, key, found.id)
        assert hooks.deliver_due(office) == 1
        assert log(office, key)[0].tries == 1


def test_a_worker_that_dies_with_a_delivery_loses_nothing(office: Office, receiver: Receiver) -> None:
    """What was taken and not told is due again after a while, and nobody else takes it before."""
    key, _ = hooks.add_hook(office, person=person(office, "sam", "supervisor").id, url=receiver.url, events=["record.changed"])
    hooks.send_test(office, key)
    until = (datetime.now(UTC) + timedelta(seconds=60)).isoformat(timespec="seconds")
    with office.store.writing() as connection:
        assert claim_delivery(connection, until) is not None
    assert hooks.deliver_due(office) == 0
    due_now(office)
    assert hooks.deliver_due(office) == 1
    assert log(office, key)[0].state == "told"


def test_a_removed_hook_takes_its_deliveries_with_it_and_old_ones_are_forgotten(office: Office) -> None:
    """What was told long ago is not kept; what still waits is."""
    key, _ = hooks.add_hook(office, person=person(office, "sam", "supervisor").id, url="https://example.org/x", events=["record.changed"])
    kept, old = hooks.send_test(office, key), hooks.send_test(office, key)
    with office.store.writing() as connection:
        for number, state in ((kept, "waiting"), (old, "told")):
            change_delivery(connection, number, state=state, at="2020-01-01T00:00:00+00:00")
    assert hooks.forget_old(office) == 1
    assert [one.id for one in log(office, key)] == [kept]
    hooks.remove_hook(office, key)
    assert log(office, key) == ()
    with pytest.raises(Refused) as refused:
        hooks.send_again(office, key, kept)
    assert refused.value.code == "delivery-unknown"


def test_the_secret_is_kept_sealed(office: Office) -> None:
    """A copy of the database signs nothing."""
    _, secret = hooks.add_hook(office, person=person(office, "sam", "supervisor").id, url="https://example.org/x", events=["record.changed"])
    with office.store.reading() as connection:
        row = connection.exec_driver_sql("select * from hooks").one()
    assert secret not in repr(row)
    assert secret.removeprefix("whsec_") not in repr(row)


# ---------------------------------------------------------------- where it may not be


@pytest.mark.parametrize("url", [
    "http://example.org/", "ftp://example.org/", "example.org", "https://", "https:///x", "https://user:word@example.org/", "https://example.org/#part", "https://exa mple.org/", "https://example.org:99999/",
    "https://example.org/\r\nX: y", "https://example.org/ä", "https://[::1/", "javascript:alert(1)", "", "https://example.org/" + "x" * 2000,
])  # fmt: skip
def test_an_address_that_cannot_be_called_is_refused(url: str) -> None:
    """Another scheme, a password, a fragment, no host: it is refused when it is given."""
    with pytest.raises(Refused) as refused:
        outward.read_target(url, anywhere=False)
    assert refused.value.code == "hook-url"


@pytest.mark.parametrize("host", [
    "127.0.0.1", "127.1.2.3", "10.0.0.8", "172.16.5.5", "192.168.1.1", "169.254.169.254", "100.64.0.1", "0.0.0.0", "224.0.0.1", "255.255.255.255", "[::1]", "[::]", "[fe80::1]", "[fd00::1]", "[ff02::1]",  # noqa: S104
    "[::ffff:127.0.0.1]", "[::ffff:10.0.0.1]", "[64:ff9b::7f00:1]", "[64:ff9b::a00:1]", "[2002:7f00:1::]", "localhost", "intranet", "printer.local", "db.internal", "metadata.google.internal", "2130706433",
])  # fmt: skip
def test_an_address_of_ones_own_network_is_refused_when_it_is_given(host: str) -> None:
    """Loopback, private, link-local, shared, multicast, wrapped addresses, and names without a domain."""
    with pytest.raises(Refused) as refused:
        outward.read_target(f"https://{host}/hook", anywhere=False)
    assert refused.value.code == "hook-address"
    assert outward.read_target(f"https://{host}/hook", anywhere=True).host == host.strip("[]")


@pytest.mark.parametrize("host", ["127.0.0.1", "127.1", "0x7f.1", "0177.0.0.1", "::1", "localhost", "::ffff:192.168.0.1"])
def test_a_name_that_leads_into_ones_own_network_is_refused_when_it_is_called(host: str) -> None:
    """What counts is the address that is called, however it is spelled."""
    target = outward.Target(host=host, port=443, path="/", secure=True)
    with pytest.raises(Refused) as refused:
        outward.resolve(target, anywhere=False)
    assert refused.value.code == "hook-address"


@pytest.mark.parametrize(("expected", "address"), [
    (True, "93.184.215.14"), (True, "2606:2800:21f:cb07:6820:80da:af6b:8b2c"), (True, "64:ff9b::5db8:d70e"), (False, "192.0.2.1"), (False, "198.18.0.1"), (False, "240.0.0.1"), (False, "2001:db8::1"),
    (False, "64:ff9b::c0a8:1"), (False, "2002:c0a8:1::"),
])  # fmt: skip
def test_which_addresses_are_public(expected: bool, address: str) -> None:
    """Those of the internet, also through NAT64; none that is reserved, or wraps one of one's own network."""
    assert outward.is_public(ipaddress.ip_address(address)) is expected


def test_ports_of_other_services_are_refused() -> None:
    """Only 443 and ports that anybody may open: no mail server is spoken to."""
    assert outward.read_target("https://example.org/x", anywhere=False).port == 443
    assert outward.read_target("https://example.org:8443/x", anywhere=False).named == "example.org:8443"
    with pytest.raises(Refused):
        outward.read_target("https://example.org:25/x", anywhere=False)


def test_a_hook_that_was_allowed_is_refused_once_it_may_go_nowhere_near(office: Office, receiver: Receiver) -> None:
    """The setting counts when something is sent: nothing reaches the receiver, and the log says why."""
    key, _ = hooks.add_hook(office, person=person(office, "sam", "supervisor").id, url=receiver.url.replace("http://127.0.0.1", "https://localhost"), events=["record.changed"])
    hooks.send_test(office, key)
    strict = replace(office, service=Service(replace(office.service.settings, hooks_anywhere=False)))
    assert hooks.deliver_due(strict) == 1
    assert log(office, key)[0].why == "hook-address"
    assert receiver.came == []


def test_a_redirect_is_not_followed(office: Office, receiver: Receiver) -> None:
    """It would lead where nobody looked: it counts as a failure."""
    key, _ = hooks.add_hook(office, person=person(office, "sam", "supervisor").id, url=receiver.url, events=["record.changed"])
    hooks.send_test(office, key)
    receiver.answers = [(307, {"Location": "/elsewhere"})]
    hooks.deliver_due(office)
    assert [path for path, _, _ in receiver.came] == ["/told?by=formsvc"]
    assert (log(office, key)[0].why, log(office, key)[0].status) == ("hook-status", 307)


# ---------------------------------------------------------------- programs that misbehave


@contextmanager
def speaking(parts: list[bytes], pause: float) -> Iterator[str]:
    """A server that says these parts with pauses, whatever it is asked; its address."""
    server = socket.create_server(("127.0.0.1", 0))

    def speak() -> None:
        with closing(server.accept()[0]) as line:
            line.recv(65536)
            for part in parts:
                time.sleep(pause)
                try:
                    line.sendall(part)
                except OSError:
                    return

    thread = threading.Thread(target=speak)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.getsockname()[1]}/"
    finally:
        thread.join()
        server.close()


@pytest.mark.parametrize(("code", "parts", "pause"), [
    ("hook-slow", [b"H", b"T", b"T", b"P", b"/", b"1", b".", b"1", b" ", b"2"], 0.1), ("hook-slow", [b"HTTP/1.1 200 OK\r\n\r\n"], 1.0), ("hook-unreachable", [b"SSH-2.0-OpenSSH_9\r\n" * 200], 0), ("hook-unreachable", [], 0.01),
    ("hook-unreachable", [b"HTTP/1.1 999 OK\r\n"], 0), ("hook-unreachable", [b"HTTP/1.1 100 Continue\r\n" + b"x: y\r\n" * 20_000], 0),
])  # fmt: skip
def test_a_program_that_does_not_answer_as_it_should_costs_little_time(code: str, parts: list[bytes], pause: float) -> None:
    """Dripping, silent, speaking something else, endless: the call ends in time with a reason."""
    with speaking(parts, pause) as url:
        began = time.monotonic()
        with pytest.raises(Refused) as refused:
            outward.post(url, b"{}", {}, anywhere=True, seconds=0.5)
        assert time.monotonic() - began < 2
    assert refused.value.code == code


def test_interim_answers_are_passed_over() -> None:
    """What counts is the answer after them."""
    with speaking([b"HTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\nHTTP/1.1 ", b"202 Accepted\r\n\r\n"], 0.01) as url:
        assert outward.post(url, b"{}", {}, anywhere=True, seconds=5) == 202


def test_only_a_server_that_proves_its_name_is_told(office: Office, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A certificate that nobody vouches for ends the call before anything is said; one that is trusted does not."""
    certificate, receiver = _certificate(tmp_path), Receiver()
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)
    receiver.server.socket = context.wrap_socket(receiver.server.socket, server_side=True)
    url = receiver.url.replace("http://", "https://")
    with running(receiver):
        outward._trust.cache_clear()
        with pytest.raises(Refused) as refused:
            outward.post(url, b"{}", {}, anywhere=True)
        assert refused.value.code == "hook-unreachable"
        assert receiver.came == []
        monkeypatch.setenv("SSL_CERT_FILE", str(certificate))
        outward._trust.cache_clear()
        assert outward.post(url, b"{}", {}, anywhere=True) == 204
        with pytest.raises(Refused):
            outward.post(url.replace("127.0.0.1", "localhost"), b"{}", {}, anywhere=True)
    outward._trust.cache_clear()


def _certificate(folder: Path) -> Path:
    """A certificate of 127.0.0.1 with its key, signed by itself."""
    key, name, now = ec.generate_private_key(ec.SECP256R1()), x509.Name([x509.NameAttribute(x509.oid.NameOID.COMMON_NAME, "test")]), datetime.now(UTC)
    made = (
        x509.CertificateBuilder().subject_name(name).issuer_name(name).public_key(key.public_key()).serial_number(1).not_valid_before(now - timedelta(days=1)).not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]), critical=False).sign(key, hashes.SHA256())
    )  # fmt: skip
    file = folder / "server.pem"
    private = key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    file.write_bytes(private + made.public_bytes(serialization.Encoding.PEM))
    return file


# ---------------------------------------------------------------- the administrator's page


def test_an_administrator_adds_tries_pauses_and_removes_a_webhook(office: Office, receiver: Receiver) -> None:
    """The secret stands on one page once; the log shows each delivery and sends it again."""
    ada, sam = person(office, "ada", "administrator"), person(office, "sam", "supervisor")
    client = signed_in(web_app(office), office, ada)
    page = send(client, "/admin/hooks", {"url": receiver.url, "person": str(sam.id), "event": ["record.changed"]})
    secret = page.text.partition("whsec_")[2].partition("<")[0]
    assert secret
    assert "whsec_" not in client.get("/admin/hooks").text
    send(client, "/admin/hooks/1/test")
    hooks.deliver_due(office)
    log_page = client.get("/admin/hooks/1").text
    assert "hook.test" in log_page
    assert "204" in log_page
    number = log(office, 1)[0].id
    send(client, f"/admin/hooks/1/deliveries/{number}/again")
    hooks.deliver_due(office)
    assert len(receiver.came) == 2
    send(client, "/admin/hooks/1/pause")
    assert "paused" in client.get("/admin/hooks/1").text
    send(client, "/admin/hooks/1/resume")
    send(client, "/admin/hooks/1/remove")
    assert client.get("/admin/hooks/1").status_code == 404
    wrong = send(client, "/admin/hooks", {"url": "ftp://x", "person": str(sam.id), "event": ["record.changed"]})
    assert (wrong.status_code, "cannot be called" in wrong.text) == (422, True)


def test_nobody_else_looks_after_webhooks(office: Office) -> None:
    """Staff, supervisors and auditors are refused."""
    for role in ("staff", "supervisor", "auditor", "coordinator"):
        client = signed_in(web_app(office), office, person(office, f"x{role}", role))
        assert client.get("/admin/hooks").status_code == 403
        assert send(client, "/admin/hooks", {"url": "https://example.org/"}).status_code == 403


def test_whether_webhooks_may_go_anywhere_is_a_setting() -> None:
    """Only where somebody says so; another word than yes or no is refused."""
    key = {"FORMSVC_KEY": "00" * 16}
    assert not read_settings(key).hooks_anywhere
    assert read_settings({**key, "FORMSVC_HOOKS_ANYWHERE": "yes"}).hooks_anywhere
    with pytest.raises(Refused) as refused:
        read_settings({**key, "FORMSVC_HOOKS_ANYWHERE": "1"})
    assert refused.value.code == "setting-invalid"
