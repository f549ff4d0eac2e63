"""Roster, people, templates, logs, health: what administrators and auditors do.

1. A roster is shown before anything changes; what was shown is what is applied, by whoever uploaded it.
2. One-time links are shown once; the last administrator stays.
3. A template is a stranger's file until it was checked; every version stays; every process notices the change.
4. The logs answer who saw a child's record, and tell when they were changed.
5. Health tells strangers nothing.
"""

import csv
import io
import re
import zipfile
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import date
from html import unescape
from pathlib import Path
from typing import Any, Final

import pytest
from flask.testing import FlaskClient
from sqlalchemy import text, update

from formsvc.cli_serve import own_address
from formsvc.errors import Refused
from formsvc.jobs.worker import work_on
from formsvc.model.people import ROLES, Role
from formsvc.office.health import is_ready, look, tell_alive
from formsvc.office.importing import apply_import, read_import
from formsvc.office.log_search import SAW, Wanted, child_key, export_log, search, subjects_of
from formsvc.office.office import Office
from formsvc.office.seen import note_seen
from formsvc.office.verify import verify
from formsvc.service import Service
from formsvc.settings import samples_folder
from formsvc.store.jobs import read_jobs
from formsvc.store.log import entries
from formsvc.store.people import find_person
from formsvc.store.roster import read_children, read_roster, read_units
from formsvc.store.schema import children, logs, metadata
from tests.offices import child, discussed, documents, enrol, issue, need, open_test_office, plan, row_counts, send
from tests.test_letter_templates import word_file
from tests.web import PASSWORD, person, signed_in, web_app
from tests.web import send as send_form

pytest_plugins = ["tests.servers"]
ROSTER: Final = (samples_folder() / "rosters" / "copa-like.csv").read_bytes()
LETTER: Final = "/admin/templates/invitation--letter.docx"
GOOD: Final = word_file("Dear {{ member.name }},", "about {{ client.initials }}")


@pytest.fixture
def office(tmp_path: Path, blanks: Path) -> Iterator[Office]:
    """A unit with its papers; the agency's templates have a folder."""
    opened = open_test_office(tmp_path / "data", blanks)
    (tmp_path / "templates").mkdir()
    opened = replace(opened, service=Service(replace(opened.service.settings, templates=tmp_path / "templates")))
    enrol(opened, [child(number) for number in (1, 2)])
    plan(opened, date(2026, 11, 12))
    yield opened
    opened.store.engine.dispose()


@pytest.fixture(params=["sqlite", "postgresql"])
def either(request: pytest.FixtureRequest, tmp_path: Path, blanks: Path) -> Iterator[Office]:
    """A unit, in both databases."""
    opened = open_test_office(tmp_path, blanks, request.getfixturevalue("postgres_url") if request.param == "postgresql" else "")
    enrol(opened, [child(number) for number in (1, 2)])
    yield opened
    opened.store.engine.dispose()


@pytest.fixture
def ada(office: Office) -> FlaskClient:
    """An administrator's browser."""
    return signed_in(web_app(office), office, person(office, "ada", "administrator"))


def words(html: str) -> str:
    """What a page says, without its tags."""
    return " ".join(unescape(re.sub(r"<[^>]+>", " ", html)).split())


def told(office: Office, event: str) -> list[dict[str, Any]]:
    """The audit log's entries of an event."""
    with office.store.reading() as connection:
        return [dict(row) for row in entries(connection, "audit") if row["event"] == event]


def follow(client: FlaskClient, answer: Any) -> str:
    """The page that an answer leads to."""
    return client.get(answer.location).text


# ---------------------------------------------------------------- who may


_OPEN: Final[dict[str, tuple[Role, ...]]] = {
    "/admin/roster": ("administrator",), "/admin/roster/1": ("administrator",), "/admin/people": ("administrator",), "/admin/people/1": ("administrator",), "/admin/templates": ("administrator",),
    LETTER: ("administrator",), "/admin/logs": ("administrator", "auditor"), "/admin/logs/chain": ("administrator", "auditor"), "/admin/health": ("administrator", "auditor"),
}


@pytest.mark.parametrize("role", ROLES)
def test_each_place_opens_to_its_roles_only(office: Office, role: Role) -> None:
    """Administrators find everything here, auditors logs and health, nobody else anything."""
    client = signed_in(web_app(office), office, person(office, "eve", role, units=["Preschool 1"]))
    for path, roles in _OPEN.items():
        assert (client.get(path).status_code == 403) == (role not in roles), path


def test_pages_keep_to_the_policy(office: Office, ada: FlaskClient) -> None:
    """No inline style, no inline script; names are escaped; nothing is kept by the browser."""
    person(office, "<b>eve", "staff")
    for path in (*_OPEN, "/admin/templates/profile.toml", "/admin/templates/worksheet--v1--wording.toml"):
        answer = ada.get(path)
        if answer.status_code == 200:
            assert not re.search(r"\sstyle=|<style|\son[a-z]+=|<script(?![^>]*\ssrc=)", answer.text), path
            assert "<b>eve" not in answer.text.casefold()
            assert answer.headers["Cache-Control"] == "no-store"


# ---------------------------------------------------------------- roster


def upload(client: FlaskClient, content: bytes, name: str = "roster.csv") -> Any:
    """A roster as the page sends it."""
    return send_form(client, "/admin/roster", {"file": (io.BytesIO(content), name)})


def apply(client: FlaskClient, address: str, **more: str) -> Any:
    """Press “apply” on the page that shows what would change."""
    page = client.get(address).text
    digest = re.search(r'name="digest" value="([0-9a-f]+)"', page)
    assert digest
    return send_form(client, f"{address.partition('?')[0]}/apply", {"digest": digest[1], **more})


def test_a_roster_is_shown_then_applied_then_known(office: Office, ada: FlaskClient) -> None:
    """The dry run changes nothing; applying does what was shown; the same file again changes nothing."""
    with office.store.reading() as connection:
        before = read_roster(connection)
    shown = upload(ada, ROSTER)
    page = words(follow(ada, shown))
    assert "39 New" in page
    assert "Nothing is changed yet." in page
    with office.store.reading() as connection:
        assert read_roster(connection) == before
    done = apply(ada, shown.location)
    assert "Applied: 39 changes." in words(follow(ada, done))
    with office.store.reading() as connection:
        assert len(read_children(connection)) == 40  # one child of the 39 lines was in two units
    assert "Nothing: everything in this file is known already" in words(follow(ada, upload(ada, ROSTER)))
    assert told(office, "imported")[0]["by"] == "ada"


def test_what_changes_is_said_in_plain_words(office: Office, ada: FlaskClient) -> None:
    """Who is new, moved, left, corrected or missing, each with place and day."""
    apply_import(office, read_import(office, samples_folder() / "rosters" / "copa-like.csv", on=date(2026, 11, 2)))
    page = words(follow(ada, upload(ada, (samples_folder() / "rosters" / "next-month.csv").read_bytes())))
    assert "Otis Figwhistle C-139 Cedar Hall, Toddler room from Nov 9, 2026" in page
    assert "Luz Brambleport C-113 from Cedar Hall, Toddler room to Cedar Hall, Preschool 2 from Nov 16, 2026" in page
    assert "Tomás Sundrop C-127 leaves Mill Street, Wilma Larkspur, last day Nov 13, 2026" in page


def test_a_new_child_with_the_name_of_one_who_is_here_is_asked_about(office: Office, ada: FlaskClient) -> None:
    """Nothing is applied before somebody says that they are other children."""
    with office.store.reading() as connection:
        name = next(iter(read_children(connection).values())).name
    content = f"Child ID,Child Name,Site,Classroom,Program Option\nNEW-77,{' '.join(reversed(name.split()))},Alder Site,Preschool 1,Center\n".encode()
    shown = upload(ada, content)
    page = words(follow(ada, shown))
    assert "1 new child has the name of a child who is here under another id" in page
    assert "NEW-77" in page
    assert "nobody confirmed" in follow(ada, apply(ada, shown.location))
    assert len(told(office, "imported")) == 0
    assert "Applied:" in follow(ada, apply(ada, shown.location, others="1"))


def test_an_excel_file_is_read_too(ada: FlaskClient) -> None:
    page = words(follow(ada, upload(ada, (samples_folder() / "rosters" / "childplus-like.xlsx").read_bytes(), "roster.xlsx")))
    assert re.search(r"\d+ New", page)


def test_lines_with_problems_are_told_with_their_numbers(ada: FlaskClient) -> None:
    """A bad line is told with line and column; the others go on."""
    content = b"Child ID,Child Name,Site,Classroom,DOB\nC-1,Ana Smith,Cedar Hall,Room 9,2022-01-01\nC-2,Bo Lee,Cedar Hall,Room 9,13/13/2021\n"
    page = words(follow(ada, upload(ada, content)))
    assert "1 lines with problems" in page
    assert "3 E This is not a date." in page


def test_unknown_columns_are_mapped_by_a_person(office: Office, ada: FlaskClient) -> None:
    """Where names of columns say nothing, a person says what they are, and that is what is applied."""
    content = b"Kind,Wer,Wo,Gruppe\nC-77,Ana Smith,Cedar Hall,Room 9\n"
    shown = upload(ada, content)
    assert "It cannot be read like this." in words(follow(ada, shown))
    address = f"{shown.location}?col_A=child_id&col_B=child_name&col_C=site&col_D=unit"
    assert "1 New" in words(ada.get(address).text)
    columns = {"col_A": "child_id", "col_B": "child_name", "col_C": "site", "col_D": "unit"}
    assert "Applied: 1 changes." in words(follow(ada, apply(ada, address, **columns)))
    with office.store.reading() as connection:
        assert "Ana Smith" in {one.name for one in read_children(connection).values()}


def test_another_mapping_than_was_shown_is_not_applied(office: Office, ada: FlaskClient) -> None:
    """The digest of what was shown goes along: other columns, another day, nothing is done."""
    shown = upload(ada, ROSTER)
    answer = apply(ada, shown.location, missing_left="2026-11-01")
    assert "something changed since these changes were shown" in words(follow(ada, answer)).casefold()
    assert not told(office, "imported")


def test_a_plan_that_changed_meanwhile_is_not_applied(office: Office, ada: FlaskClient) -> None:
    """Somebody else applied a roster since the page was made: nothing is done, and the page shows what would change now."""
    shown = upload(ada, ROSTER)
    page = ada.get(shown.location).text
    digest = re.search(r'name="digest" value="([0-9a-f]+)"', page)
    assert digest
    apply_import(office, read_import(office, samples_folder() / "rosters" / "copa-like.csv", on=date(2026, 11, 2)))
    answer = send_form(ada, f"{shown.location}/apply", {"digest": digest[1]})
    assert "Something changed since these changes were shown" in words(follow(ada, answer))
    assert len(told(office, "imported")) == 1


def test_the_import_itself_refuses_a_plan_that_changed(office: Office, tmp_path: Path) -> None:
    """Between the look and the write nobody gets in: the plan is made again inside the transaction."""
    file = tmp_path / "roster.csv"
    file.write_bytes(ROSTER)
    found = read_import(office, file, on=date(2026, 11, 2))
    apply_import(office, found)
    before = row_counts(office)
    with pytest.raises(Refused) as refused:
        apply_import(office, found)
    assert refused.value.code == "roster-plan-changed"
    assert row_counts(office) == before


def test_only_its_owner_sees_an_uploaded_roster(office: Office, ada: FlaskClient) -> None:
    """Another administrator's file looks exactly like one that is not there, and cannot be applied or thrown away."""
    shown = upload(ada, ROSTER)
    bob = signed_in(web_app(office), office, person(office, "bob", "administrator"))
    foreign, gone = bob.get(shown.location), bob.get("/admin/roster/999")
    pages = [re.sub(r'name="csrf_token" value="[^"]*"', "", page.text) for page in (foreign, gone)]  # a token tells the second it was made in
    assert (foreign.status_code, pages[0]) == (gone.status_code, pages[1].replace("/admin/roster/999", shown.location))
    assert send_form(bob, f"{shown.location}/apply", {"digest": "0"}).status_code == 404
    assert send_form(bob, f"{shown.location}/drop").status_code == 404
    assert "roster.csv" not in bob.get("/admin/roster").text
    assert "39 New" in words(ada.get(shown.location).text)


def test_a_roster_that_was_thrown_away_leaves_nothing(office: Office, ada: FlaskClient) -> None:
    """Its file goes from the vault, and the store stays sound; an applied one's goes too."""
    stored = set(office.store.vault.names())
    shown = upload(ada, ROSTER)
    assert set(office.store.vault.names()) > stored
    assert list(verify(office)) == []
    assert "nothing was changed" in follow(ada, send_form(ada, f"{shown.location}/drop"))
    assert set(office.store.vault.names()) == stored
    assert ada.get(shown.location).status_code == 404
    applied = upload(ada, ROSTER)
    apply(ada, applied.location)
    assert set(office.store.vault.names()) == stored
    assert "This file was applied on" in words(ada.get(applied.location).text)
    assert list(verify(office)) == []


def test_no_worker_takes_a_roster(office: Office, ada: FlaskClient) -> None:
    """It waits for a person; and it does not stand among the uploads of papers."""
    upload(ada, ROSTER)
    calls = iter([False, True])
    assert work_on(office, "w", lambda: next(calls)) == 0
    sam = signed_in(web_app(office), office, person(office, "sam", "supervisor", "administrator"))
    upload(sam, ROSTER)
    assert sam.get("/uploads").status_code == 200
    with office.store.reading() as connection:
        assert {job.kind for job in read_jobs(connection)} == {"roster"}


@pytest.mark.parametrize(("code", "content"), [("empty", b"  "), ("table", b"%PDF-1.7 x"), ("table", b"PK\x03\x04 cut off")])
def test_what_is_no_table_is_refused_at_the_door(office: Office, ada: FlaskClient, code: str, content: bytes) -> None:
    page = words(follow(ada, upload(ada, content)))
    assert "Not done." in page
    assert code in page
    with office.store.reading() as connection:
        assert read_jobs(connection) == ()


@pytest.mark.parametrize("query", ["on=soon", "missing_left=2026-02-30", "col_A=nonsense", "show=everything", "from=-5"])
def test_addresses_that_make_no_sense_do_no_harm(ada: FlaskClient, query: str) -> None:
    shown = upload(ada, ROSTER)
    assert ada.get(f"{shown.location}?{query}").status_code in {200, 302}


# ---------------------------------------------------------------- people


def link_of(html: str) -> str:
    """The one-time link on a page, without the host."""
    found = re.search(r"http://127\.0\.0\.1:8000(/link/[\w-]+)", html)
    assert found
    return found[1]


def invite(client: FlaskClient, name: str, *roles: Role) -> Any:
    """Somebody invited on the page."""
    return send_form(client, "/admin/people", {"name": name, "shown": name.title(), "role": list(roles), "lang": "es"})


def test_an_invitation_shows_its_link_once(office: Office, ada: FlaskClient) -> None:
    """The link stands on one answer only, works, and is in no log."""
    answer = invite(ada, "Zoe@Example.org", "staff")
    link = link_of(answer.text)
    assert answer.headers["Cache-Control"] == "no-store"
    assert link.rpartition("/")[2] not in ada.get("/admin/people").text
    with office.store.reading() as connection:
        zoe = find_person(connection, "zoe@example.org")
        assert zoe is not None
        assert (zoe.roles, zoe.lang, zoe.has_password) == (("staff",), "es", False)
        assert link.rpartition("/")[2] not in str([dict(row) for row in entries(connection, "audit")])
    assert "invited" in words(ada.get("/admin/people").text)
    stranger = web_app(office).test_client()
    assert stranger.get(link).status_code == 200


@pytest.mark.parametrize(("name", "roles"), [("ada", ("staff",)), ("x", ("staff",)), ("new one", ()), ("new\x07one", ("staff",))])
def test_nobody_is_invited_twice_or_for_nothing(office: Office, ada: FlaskClient, name: str, roles: tuple[Role, ...]) -> None:
    """What is wrong is said at its field, and what was typed stays."""
    before = row_counts(office)["people"]
    answer = invite(ada, name, *roles)
    assert answer.status_code == 422
    assert f'class="problem" id="n-{"name" if roles else "roles"}"' in answer.text
    assert f'value="{name.title()}"' in answer.text
    assert 'value="es" selected' in answer.text
    assert answer.text.count(" checked") == len(roles)
    assert row_counts(office)["people"] == before


def test_a_persons_page_is_about_that_person(office: Office, ada: FlaskClient) -> None:
    """Not about the administrator who looks at it: heading, fields and every address are the other one's."""
    eve = person(office, "eve", "staff")
    page = ada.get(f"/admin/people/{eve.id}").text
    assert "<h1>eve</h1>" in page.lower()
    assert set(re.findall(r'action="/admin/people/(\d+)', page)) == {str(eve.id)}
    send_form(ada, f"/admin/people/{eve.id}", {"shown": "Eve Reed", "role": ["staff"], "active": "1"})
    with office.store.reading() as connection:
        found, mine = find_person(connection, "eve"), find_person(connection, "ada")
    assert found is not None
    assert mine is not None
    assert (found.shown, mine.roles) == ("Eve Reed", ("administrator",))
    assert "One-time link for Zoe" in words(invite(ada, "zoe", "staff").text)
    assert "One-time link for Eve Reed" in words(send_form(ada, f"/admin/people/{eve.id}/link").text)


def test_links_begin_with_the_address_that_is_served() -> None:
    """Where no address is set, a server that listens everywhere is reached as this computer."""
    assert [own_address(host, 8123) for host in ("127.0.0.1", "0.0.0.0", "office.example")] == ["http://127.0.0.1:8123", "http://127.0.0.1:8123", "http://office.example:8123"]  # noqa: S104


def test_roles_and_units_take_effect_at_once(office: Office, ada: FlaskClient) -> None:
    """Units that are given are seen; a role that is taken ends the sessions of its person."""
    eve = person(office, "eve", "staff")
    client = signed_in(web_app(office), office, eve)
    assert "No unit is yours yet." in words(client.get("/month").text)
    with office.store.reading() as connection:
        unit = read_units(connection)[0].id
    send_form(ada, f"/admin/people/{eve.id}", {"shown": "Eve Quince", "role": "staff", "unit": [unit, 999], "active": "1"})
    assert "Preschool 1" in words(client.get("/month").text)
    send_form(ada, f"/admin/people/{eve.id}", {"shown": "Eve Quince", "role": "auditor", "active": "1"})
    assert "/sign-in" in client.get("/month").location
    assert told(office, "person-changed")[-1]["by"] == "ada"


def test_the_last_administrator_stays(office: Office, ada: FlaskClient) -> None:
    """Neither their role nor their access can be taken while nobody else looks after people."""
    with office.store.reading() as connection:
        me = find_person(connection, "ada")
    assert me is not None
    for given in ({"role": "staff", "active": "1"}, {"role": "administrator"}):
        assert "nobody else looks after people" in words(follow(ada, send_form(ada, f"/admin/people/{me.id}", {"shown": "Ada", **given}))).casefold()
    person(office, "bob", "administrator")
    send_form(ada, f"/admin/people/{me.id}", {"shown": "Ada", "role": "staff", "active": "1"})
    with office.store.reading() as connection:
        now = find_person(connection, "ada")
    assert now is not None
    assert now.roles == ("staff",)
    assert ada.get("/admin/people").status_code == 302  # signed out: the role is gone


def test_a_new_link_takes_password_second_factor_and_sessions(office: Office, ada: FlaskClient) -> None:
    """Whoever forgot a password or lost a telephone begins anew; the old sessions are over."""
    eve = person(office, "eve", "staff", units=["Preschool 1"])
    client = signed_in(web_app(office), office, eve)
    link = link_of(send_form(ada, f"/admin/people/{eve.id}/link").text)
    assert "/sign-in" in client.get("/month").location
    fresh = signed_in(web_app(office), office, eve)
    assert send_form(fresh, link, {"password": f"{PASSWORD} again", "again": f"{PASSWORD} again"}).status_code == 302
    assert fresh.get(link).status_code == 302


def test_somebody_is_signed_out_everywhere(office: Office, ada: FlaskClient) -> None:
    eve = person(office, "eve", "staff", units=["Preschool 1"])
    clients = [signed_in(web_app(office), office, eve) for _ in range(2)]
    assert "2 sessions ended" in words(follow(ada, send_form(ada, f"/admin/people/{eve.id}/sign-out")))
    assert all("/sign-in" in client.get("/month").location for client in clients)


@pytest.mark.parametrize("path", ["", "/link", "/sign-out"])
def test_nobody_of_that_number(ada: FlaskClient, path: str) -> None:
    assert send_form(ada, f"/admin/people/999{path}", {"shown": "x", "role": "staff"}).status_code == 404
    assert ada.get("/admin/people/999").status_code == 404


def test_people_are_found_by_a_form(office: Office, ada: FlaskClient) -> None:
    """Names are sent in a form, so that they stand in no address; one who fits is opened."""
    eve = person(office, "eve", "staff")
    person(office, "evelyn", "staff")
    assert send_form(ada, "/admin/people/find", {"name": "EVELYN"}).location.endswith(f"/admin/people/{eve.id + 1}")
    assert words(send_form(ada, "/admin/people/find", {"name": "eve"}).text).count("Staff of a unit") >= 2
    assert "Nobody like that." in words(send_form(ada, "/admin/people/find", {"name": "nobody at all"}).text)
    assert "Evelyn" not in words(ada.get("/admin/people?role=administrator").text)


# ---------------------------------------------------------------- templates


def bring(client: FlaskClient, content: bytes, path: str = LETTER) -> Any:
    """A letter as the page sends it."""
    return send_form(client, path, {"file": (io.BytesIO(content), "letter.docx")})


def folder(office: Office) -> Path:
    """The agency's folder."""
    found = office.service.settings.templates
    assert found is not None
    return found


def test_every_fault_of_a_letter_is_named_with_its_paragraph(office: Office, ada: FlaskClient) -> None:
    """A faulty letter is not kept; each fault says where it stands."""
    answer = bring(ada, word_file("fine", "{{ client.nickname }}", "{% if client.initials %}open"))
    assert answer.status_code == 422
    page = words(answer.text)
    assert "It was not kept: 2 places are wrong" in page
    assert "Paragraph 3 (“{{ client.nickname }}”)" in page
    assert "Paragraph 4" in page
    assert not list(folder(office).iterdir())


def changed(content: bytes, change: Callable[[str, bytes], bytes], **added: bytes) -> bytes:
    """A Word file with other parts."""
    out = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(content)) as old, zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as new:
        for name in old.namelist():
            new.writestr(name, change(name, old.read(name)))
        for name, part in added.items():
            new.writestr(name.replace("__", "/").replace("_dot_", "."), part)
    return out.getvalue()


def _with_relation(kind: str, target: str) -> bytes:
    relation = f'<Relationship Id="rId99" Type="http://schemas.openxmlformats.org/officeDocument/2006/relationships/{kind}" Target="{target}" TargetMode="External"/></Relationships>'.encode()
    return changed(GOOD, lambda name, part: part.replace(b"</Relationships>", relation) if name == "word/_rels/document.xml.rels" else part)


def _with_field(code: str) -> bytes:
    run = f'<w:p><w:r><w:instrText xml:space="preserve">{code[:5]}</w:instrText></w:r><w:r><w:instrText>{code[5:]}</w:instrText></w:r></w:p></w:body>'.encode()
    return changed(GOOD, lambda name, part: part.replace(b"</w:body>", run) if name == "word/document.xml" else part)


HOSTILE: Final = {
    "no zip": b"just words",
    "empty": b"",
    "entities": changed(GOOD, lambda name, part: part.replace(b"<w:document", b'<!DOCTYPE x [<!ENTITY a "b">]><w:document', 1) if name == "word/document.xml" else part),
    "bomb": changed(GOOD, lambda _, part: part, word__media__big_dot_xml=b"0" * (33 * 1024 * 1024)),
    "macros": changed(GOOD, lambda _, part: part, word__vbaProject_dot_bin=b"x"),
    "control": changed(GOOD, lambda _, part: part, word__activeX__activeX1_dot_xml=b"<x/>"),
    "object": changed(GOOD, lambda _, part: part, word__embeddings__oleObject1_dot_bin=b"x"),
    "linked picture": _with_relation("image", "http://198.51.100.7/x.png"),
    "linked template": _with_relation("attachedTemplate", "http://198.51.100.7/x.dotm"),
    "linked file": _with_relation("hyperlink", "file:///etc/passwd"),
    "field": _with_field('INCLUDEPICTURE "http://198.51.100.7/x.png"'),
    "dde": _with_field("DDEAUTO c:\\\\windows\\\\system32\\\\cmd.exe"),
    "python": word_file("{{ client.__class__.__mro__ }}"),
    "endless": word_file("{% for a in range(1000) %}{% for b in range(1000) %}{% for c in range(1000) %}x{% endfor %}{% endfor %}{% endfor %}"),
    "long": word_file("{{ 'x' * 999999999 }}"),
}


@pytest.mark.parametrize("kind", HOSTILE)
def test_a_hostile_letter_is_refused(office: Office, ada: FlaskClient, kind: str) -> None:
    """Nothing of it is kept, no path of this machine is told, and the service goes on."""
    answer = bring(ada, HOSTILE[kind])
    assert answer.status_code == 422, words(answer.text)
    assert "/tmp" not in words(answer.text)  # noqa: S108
    assert not list(folder(office).iterdir())
    assert ada.get("/admin/templates").status_code == 200


def test_a_link_in_a_letter_is_no_harm(ada: FlaskClient) -> None:
    """What a reader may press on is not loaded by itself."""
    assert bring(ada, _with_relation("hyperlink", "https://example.org/map")).status_code == 302


def test_a_letter_is_kept_looked_at_put_in_use_and_taken_back(office: Office, ada: FlaskClient) -> None:
    """Kept is not yet in use; a later one replaces it; an earlier one and the shipped one come back; nothing is lost."""
    own = folder(office) / "invitation" / "letter.docx"
    first = bring(ada, GOOD)
    assert first.location.endswith("/1")
    assert not own.exists()
    preview = ada.get(f"{first.location}/preview")
    assert preview.data.startswith(b"%PDF")
    assert preview.headers["Content-Disposition"] == "attachment; filename=invitation-en-sample.pdf"
    assert ada.get(f"{first.location}/first-page.png").data.startswith(b"\x89PNG")
    assert "Version 1 is in use." in words(follow(ada, send_form(ada, f"{first.location}/use")))
    assert own.read_bytes() == GOOD
    second = bring(ada, word_file("Another {{ client.initials }}"))
    send_form(ada, f"{second.location}/use")
    assert own.read_bytes() != GOOD
    send_form(ada, f"{first.location}/use")
    assert own.read_bytes() == GOOD
    assert "in use already" in words(follow(ada, send_form(ada, f"{first.location}/use")))
    send_form(ada, f"{LETTER}/shipped")
    assert not own.exists()
    assert ada.get(f"{first.location}/file").data == GOOD
    assert bring(ada, GOOD).location == first.location
    assert [entry["event"] for event in ("template-kept", "template-used", "template-shipped") for entry in told(office, event)] == ["template-kept"] * 2 + ["template-used"] * 3 + ["template-shipped"]


def test_what_was_put_into_the_folder_by_hand_becomes_a_version(office: Office, ada: FlaskClient) -> None:
    """Before another letter takes its place, what stands there is kept."""
    own = folder(office) / "invitation" / "letter.docx"
    own.parent.mkdir()
    own.write_bytes(by_hand := word_file("By hand {{ client.initials }}"))
    assert "put into the folder by hand" in words(ada.get(LETTER).text)
    new = bring(ada, GOOD)
    send_form(ada, f"{new.location}/use")
    assert own.read_bytes() == GOOD
    assert ada.get(f"{LETTER}/2/file").data == by_hand


def text_of(client: FlaskClient, slug: str, content: str) -> Any:
    """A text as its page sends it."""
    return send_form(client, f"/admin/templates/{slug}", {"text": content})


@pytest.mark.parametrize("content", ["agency = ", 'zone = "Nowhere"', 'paper = "a5"', "unknown = 1", "[" * 50_000, "", "x = 1\n" * 100_000, "procedure = { program_year_starts = 13 }"])
def test_a_profile_that_cannot_be_used_is_not_kept(office: Office, ada: FlaskClient, content: str) -> None:
    """What is wrong is said, what was typed stays on the page, and nothing is written."""
    answer = text_of(ada, "profile.toml", content)
    assert answer.status_code == 422
    assert "It was not kept." in words(answer.text)
    assert not list(folder(office).iterdir())


def test_every_process_notices_another_profile(office: Office, ada: FlaskClient) -> None:
    """Two processes serve pages: what one put in use, the other prints at its next page, and workers too."""
    other = web_app(office).test_client()
    kept = text_of(ada, "profile.toml", 'agency = { en = "Bear Valley", es = "Valle del Oso" }\n')
    assert "Bear Valley" not in other.get("/sign-in").text
    send_form(ada, f"{kept.location}/use")
    assert "Bear Valley" in other.get("/sign-in").text
    assert "Bear Valley" in ada.get("/admin/templates").text
    send_form(ada, "/admin/templates/profile.toml/shipped")
    assert "Bear Valley" not in other.get("/sign-in").text


def test_other_words_for_a_form(office: Office, ada: FlaskClient) -> None:
    """They are laid out before they are kept; what does not belong to the form is refused with its place."""
    slug = "case-management--v1--wording.toml"
    assert "It was not kept." in words(text_of(ada, slug, '[asks.nothing_like_it]\nlabel = { en = "a", es = "b" }\n').text)
    kept = text_of(ada, slug, 'title = { en = "Follow-up of ours", es = "Seguimiento nuestro" }\n')
    send_form(ada, f"{kept.location}/use")
    assert "Follow-up of ours" in words(ada.get("/admin/templates").text)


def test_without_a_folder_it_is_said_what_to_set(tmp_path: Path, blanks: Path) -> None:
    """Everything can be looked at; nothing can be changed; the page names the setting."""
    office = open_test_office(tmp_path, blanks)
    ada = signed_in(web_app(office), office, person(office, "ada", "administrator"))
    page = words(ada.get("/admin/templates").text)
    assert "Set FORMSVC_TEMPLATES to a folder that the service may write" in page
    assert bring(ada, GOOD).status_code == 422
    assert ada.get(f"{LETTER}/0/preview").data.startswith(b"%PDF")
    office.store.engine.dispose()


@pytest.mark.parametrize("path", ["/admin/templates/nothing", "/admin/templates/..--..--etc--passwd", f"{LETTER}/99", f"{LETTER}/99/file", f"{LETTER}/99/preview", "/admin/templates/worksheet--v1--wording.toml/0/file", "/admin/templates/form/nothing/1/en.pdf", "/admin/templates/form/worksheet/9/en.pdf", "/admin/templates/form/worksheet/1/de.pdf"])
def test_templates_that_are_not_there(ada: FlaskClient, path: str) -> None:
    assert ada.get(path).status_code == 404


def test_blank_forms_can_be_downloaded(ada: FlaskClient) -> None:
    """As they are laid out, without a document's number."""
    answer = ada.get("/admin/templates/form/case-management/1/es.pdf")
    assert answer.data.startswith(b"%PDF")
    assert answer.headers["Content-Disposition"] == "attachment; filename=case-management-v1-es-blank.pdf"


# ---------------------------------------------------------------- logs


def sheet_of(office: Office, form: str = "worksheet") -> int:
    """The number of a paper of the month."""
    return documents(issue(office, "2026-11"), form)[0].sheet


def as_person(office: Office, name: str) -> Office:
    """The office with somebody at work."""
    return replace(office, store=replace(office.store, by=name))


def test_a_look_is_noted_once_for_each_person_paper_and_hour(office: Office) -> None:
    sheet = sheet_of(office)
    for name in ("ana", "ana", "bob"):
        note_seen(as_person(office, name), sheet, "record")
    note_seen(as_person(office, "ana"), sheet, "paper")
    found = [(entry["by"], entry["subject"], entry["facts"]["what"]) for entry in told(office, "seen")]
    assert sorted(set(found)) == [("ana", f"sheet:{sheet}", "paper"), ("ana", f"sheet:{sheet}", "record"), ("bob", f"sheet:{sheet}", "record")]
    assert len(found) <= 4  # an hour may end between two looks


def test_who_saw_this_childs_record(office: Office, ada: FlaskClient) -> None:
    """Whoever looked at a paper that lists the child is named; a look at another child's paper is not."""
    enrol(office, [child(30, unit="Preschool 2")])
    mine = sheet_of(office)
    results = issue(office, "2026-11")
    others = documents(results, "worksheet", "Preschool 2")[0].sheet
    note_seen(as_person(office, "ana"), mine, "record")
    note_seen(as_person(office, "bob"), others, "record")
    answer = send_form(ada, "/admin/logs/child", {"child_id": "C-1"})
    assert "C-1" not in answer.location
    page = words(follow(ada, answer))
    assert "1 entry" in page
    assert "ana looked at (record)" in page
    assert "bob" not in page
    with office.store.reading() as connection:
        assert f"sheet:{others}" not in subjects_of(connection, child_key(office, "C-1"))


def test_a_childs_papers_are_found_wherever_it_stands(office: Office) -> None:
    """Printed rows, rows written by hand with its id, returns and editions, its actions; another child of a like id is not meant."""
    enrol(office, [child(12)])
    results = issue(office, "2026-11")
    worksheet = documents(results, "worksheet")[0]
    send(office, worksheet, discussed("2026-11-12", (0, need("Call the clinic"))))
    renewed = documents(issue(office, "2026-11"), "case-management")[0]
    with office.store.reading() as connection:
        found = subjects_of(connection, child_key(office, "C-1"))
        other = subjects_of(connection, child_key(office, "C-12"))
    assert {worksheet.id, f"sheet:{worksheet.sheet}", "return:1", f"sheet:{renewed.sheet}", renewed.id} <= found
    assert f"sheet:{renewed.sheet}" not in other
    assert f"sheet:{worksheet.sheet}" in other


def test_both_databases_answer_alike(either: Office) -> None:
    """Papers of a child, a search in the zone's days, an export, health and readiness, in SQLite and in PostgreSQL."""
    sheet = sheet_of(either)
    note_seen(as_person(either, "ana"), sheet, "record")
    with either.store.reading() as connection:
        assert f"sheet:{sheet}" in subjects_of(connection, child_key(either, "C-2"))
    found = search(either, Wanted(child=child_key(either, "C-2"), events=SAW, first=date(2026, 1, 1), last=date(2999, 1, 1)))
    assert [(entry.by, entry.about) for entry in found.entries] == [("ana", "Cedar Hall, Preschool 1, 2026-11, worksheet")]
    assert len(export_log(either, Wanted(person=0)).rows) == search(either, Wanted(person=0)).count - 1
    tell_alive(either, "worker-1")
    tell_alive(either, "worker-1")
    looked = look(either)
    assert {check.name: check.state for check in looked.checks if check.name in {"database", "stored", "workers"}} == {"database": "fine", "stored": "fine", "workers": "fine"}
    assert [worker.name for worker in looked.workers] == ["worker-1"]
    assert is_ready(either)


def test_no_child_of_that_id(ada: FlaskClient) -> None:
    """A wrong id is told as such; a number that is nobody's is not found."""
    assert "No child with this id is here" in words(follow(ada, send_form(ada, "/admin/logs/child", {"child_id": "C-999"})))
    assert ada.get("/admin/logs?child=999").status_code == 404


def test_entries_are_searched_by_person_event_and_day(office: Office, ada: FlaskClient) -> None:
    """Each narrows the others; days are those of the agency's zone; who does not sign in is a choice too."""
    eve = person(office, "eve", "staff")
    note_seen(as_person(office, "eve"), sheet_of(office), "form")
    assert "eve" in words(ada.get(f"/admin/logs?person={eve.id}&event=seen").text)
    assert "1 entry" in words(ada.get(f"/admin/logs?person={eve.id}&event=seen").text)
    assert "tester" in words(ada.get("/admin/logs?person=0").text)
    assert "0 entries" in words(ada.get(f"/admin/logs?person={eve.id}&event=seen&last=2001-01-01").text)
    assert "1 entry" in words(ada.get(f"/admin/logs?person={eve.id}&event=seen&first=2001-01-01").text)
    assert "0 entries" in words(ada.get("/admin/logs?log=disclosure").text)
    assert "No entry is like that." in words(ada.get("/admin/logs?person=999").text)
    assert ada.get("/admin/logs?first=soon").status_code == 302


def test_long_logs_are_paged(office: Office, ada: FlaskClient) -> None:
    """Fifty at a time, the newest first, and the search goes along."""
    with office.store.writing() as connection:
        for number in range(120):
            office.store.log(connection, "seen", f"sheet:{number}", what="record")
    page = ada.get("/admin/logs?event=seen").text
    assert "1 to 50 of 120" in words(page)
    after = unescape(re.findall(r'rel="next" href="([^"]+)"', page)[0])
    assert "event=seen" in after
    assert "51 to 100 of 120" in words(ada.get(after).text)
    assert "101 to 120 of 120" in words(ada.get("/admin/logs?event=seen&from=100").text)


def test_a_search_is_taken_along_as_a_table(office: Office, ada: FlaskClient) -> None:
    """CSV with formulas guarded; that it left is noted; a GET exports nothing."""
    with office.store.writing() as connection:
        office.store.log(connection, "disclosed", "case:1", log="disclosure", recipients=["=cmd|' /C calc'!A0"], purpose="+1")
        office.store.log(connection, "=seen()", "@case", what="x")
    answer = send_form(ada, "/admin/logs/export", {"face": "csv"})
    assert answer.headers["Content-Disposition"] == "attachment; filename=log.csv"
    rows = list(csv.reader(io.StringIO(answer.data.decode("utf-8-sig"))))
    assert [row[4:6] for row in rows if "seen()" in row[4]] == [["'=seen()", "'@case"]]
    assert not any(cell[:1] in "=+@-" for row in rows for cell in row if cell)
    assert [entry["subject"] for entry in told(office, "exported")] == ["log:all"]
    assert ada.get("/admin/logs/export").status_code in {404, 405}


def test_a_changed_log_shows(office: Office, ada: FlaskClient) -> None:
    """Both logs hold; after somebody changed an entry in the database, the page says where."""
    assert words(ada.get("/admin/logs/chain").text).count("holds") == 2
    with office.store.writing() as connection:
        for (name,) in connection.execute(text("select name from sqlite_master where type = 'trigger' and tbl_name = 'logs'")).all():
            connection.execute(text(f"drop trigger {name}"))
        connection.execute(update(logs).where(logs.c.number == 2, logs.c.log == "audit").values(by="nobody"))
    page = words(ada.get("/admin/logs/chain").text)
    assert "does not hold" in page
    assert "audit 2: entry changed" in page


def test_an_auditor_sees_logs_and_no_papers(office: Office) -> None:
    otto = signed_in(web_app(office), office, person(office, "otto", "auditor"))
    sheet = sheet_of(office)
    note_seen(as_person(office, "ana"), sheet, "record")
    assert "Preschool 1" in words(otto.get("/admin/logs").text)
    assert otto.get(f"/fill/{sheet}").status_code == 403
    with office.store.reading() as connection:
        name = connection.execute(children.select()).first()
    assert name is not None
    assert name.name not in otto.get("/admin/logs").text


# ---------------------------------------------------------------- health


def test_health_names_what_is_wrong(office: Office, ada: FlaskClient) -> None:
    """Each thing that was looked at says how it is; without workers, waiting work is told."""
    page = words(ada.get("/admin/health").text)
    assert "SQLite" in page
    assert "tables of version" in page
    assert "No worker is alive" in page
    assert "No backup was ever made here" in page


def test_a_worker_that_works_is_alive(office: Office, ada: FlaskClient) -> None:
    """It says so while it works, and takes it back when it ends."""
    seen = []

    def stopped() -> bool:
        seen.append("worker-7" in ada.get("/admin/health").text)
        return len(seen) > 1

    work_on(office, "worker-7", stopped)
    assert seen == [False, True]
    assert "worker-7" not in ada.get("/admin/health").text


def test_a_file_that_cannot_be_opened_is_told(office: Office, ada: FlaskClient) -> None:
    """The newest stored file is opened: with other keys, or damaged, the page says so."""
    sheet_of(office)
    assert "The latest one opens with the keys that are here." in words(ada.get("/admin/health").text)
    for name in list(office.store.vault.names()):
        office.store.vault.lay(name, office.store.vault.blob(name)[:-1])
    assert "cannot be opened (file-changed)" in words(ada.get("/admin/health").text)


def test_load_balancers_are_answered_without_a_session(office: Office) -> None:
    """Alive and ready in JSON, and nothing else: no version, no name, no path."""
    client = web_app(office).test_client()
    assert (client.get("/health/live").status_code, client.get("/health/live").json) == (200, {"live": True})
    assert (client.get("/health/ready").status_code, client.get("/health/ready").json) == (200, {"ready": True})
    assert "Set-Cookie" not in client.get("/health/ready").headers


def test_tables_of_another_version_are_not_ready(office: Office) -> None:
    """A load balancer sends nobody to a process whose tables are not its own."""
    with office.store.writing() as connection:
        connection.execute(text("update alembic_version set version_num = '0001'"))
    answer = web_app(office).test_client().get("/health/ready")
    assert (answer.status_code, answer.json) == (503, {"ready": False})


def test_every_table_is_there(office: Office) -> None:
    """The table of workers came by a migration."""
    assert "workers" in metadata.tables
    assert row_counts(office)["workers"] == 0
