"""Cases of a coordinator in a browser, without JavaScript: whose they are, edited, letters, notes, protected summaries."""

import io
import json
import re
import zipfile
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from html import unescape
from pathlib import Path
from typing import Any

import msoffcrypto
import pikepdf
import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select, update

from formsvc.letters import open_case
from formsvc.office.case_letters import MOST_AT_ONCE, member_mark
from formsvc.office.cases import case_data, keep_case
from formsvc.office.office import Office
from formsvc.renderers.letter_preview import safe_letter
from formsvc.store.log import entries
from formsvc.store.people import cases_of, give_case
from formsvc.store.schema import metadata
from formsvc.store.schema_people import jobs
from tests.fields import Fields
from tests.letter_cases import sample_data
from tests.offices import open_test_office
from tests.web import person, send, signed_in, web_app

NUMBER = "2026-014"
NAMES = ("Noah", "Fernwhistle", "Mara", "2016-03-09", "March 9, 2016", "03/09/2016")
"""What belongs to the family and stands in no list, title, address or letter."""
DOCX, PDF = "application/vnd.openxmlformats-officedocument.wordprocessingml.document", "application/pdf"
OWN = "tulip harbor lantern orchid meadow"


def day(days: int) -> str:
    """A day so many days from now."""
    return (date.today() + timedelta(days=days)).isoformat()  # noqa: DTZ011  (far enough from midnight either way)


def case_of(changes: Mapping[str, Any] | None = None) -> dict[str, Any]:
    """The sample case with days around today: a conference in twenty days, consents that count."""
    days = {"conference.date": day(20), "conference.reply_by": day(15), "consents.0.given_on": day(-60), "consents.0.expires_on": day(300), "consents.1.given_on": day(-30)}
    return sample_data(days | {"notes.next_conference_date": day(55), "notes.conference_date": day(20)} | dict(changes or {}))


@dataclass(frozen=True, kw_only=True)
class World:
    """An office with two coordinators; the case is the first one's."""

    office: Office
    app: Flask
    carla: FlaskClient
    cora: FlaskClient
    keys: dict[str, int]

    def data(self, number: str = NUMBER) -> dict[str, Any]:
        """The case as it is kept."""
        return case_data(self.office, number)

    def mark(self, member: int) -> str:
        """How addresses name a member."""
        return member_mark(self.office, NUMBER, open_case(self.office.catalog, self.data()).team[member])

    def disclosed(self) -> list[Mapping[str, Any]]:
        """What the disclosure log tells."""
        with self.office.store.reading() as connection:
            return [dict(entry["facts"], subject=entry["subject"], by=entry["by"]) for entry in entries(connection, "disclosure")]

    def everything(self) -> str:
        """All that the database holds, as text."""
        with self.office.store.reading() as connection:
            return "\n".join(repr(tuple(row)) for table in metadata.sorted_tables for row in connection.execute(select(table)))


@pytest.fixture
def world(tmp_path: Path, blanks: Path) -> World:
    """Two coordinators, one case."""
    return world_with(tmp_path, blanks)


def world_with(tmp_path: Path, blanks: Path, changes: Mapping[str, Any] | None = None) -> World:
    """The world with other facts in the case."""
    office = open_test_office(tmp_path, blanks)
    app = web_app(office)
    carla, cora = (person(office, name, "coordinator") for name in ("carla", "cora"))
    keep_case(office, NUMBER, case_of(changes))
    with office.store.writing() as connection:
        give_case(connection, NUMBER, [carla.id])
    return World(office=office, app=app, carla=signed_in(app, office, carla), cora=signed_in(app, office, cora), keys={"carla": carla.id, "cora": cora.id})


def shown(html: str) -> str:
    """A page's text without its forms' tokens."""
    return unescape(re.sub(r'csrf_token" value="[^"]*|name="next" value="[^"]*', "", html))


def section_fields(html: str) -> dict[str, str]:
    """What a browser would send of a section that nobody touched."""
    return Fields(html.replace('id="section"', 'id="fill"')).found


def passphrase_of(html: str) -> str:
    found = re.search(r'class="passphrase"[^>]*>([^<]+)<', html)
    assert found
    return found[1]


# ---------------------------------------------------------------- whose case


ROUTES = (
    ("get", "/case/{number}"), ("post", "/case/{number}/people"), ("post", "/case/{number}/next"), ("get", "/case/{number}/edit/client"), ("post", "/case/{number}/edit/client"),
    ("get", "/case/{number}/letters"), ("get", "/case/{number}/letters/invitation/team"), ("post", "/case/{number}/letters/invitation/team"), ("post", "/case/{number}/letters/invitation"),
    ("get", "/case/{number}/notes"), ("post", "/case/{number}/notes"), ("post", "/case/{number}/notes/draft"), ("post", "/case/{number}/notes/discard"),
    ("get", "/case/{number}/summary"), ("post", "/case/{number}/summary"), ("post", "/case/{number}/summary/1"), ("get", "/case/{number}/log"),
)  # fmt: skip


@pytest.mark.parametrize(("method", "route"), ROUTES)
def test_a_case_of_somebody_else_is_like_one_that_is_not_there(world: World, method: str, route: str) -> None:
    """Foreign and missing cases answer alike on every route, and nothing happens."""
    before = world.data()
    urls = [route.format(number=number) for number in (NUMBER, "2026-999")]
    answers = [world.cora.get(url) if method == "get" else send(world.cora, url, {"face": "pdf", "act": "share", "person": str(world.keys["cora"])}) for url in urls]
    assert [answer.status_code for answer in answers] == [404, 404]
    assert len({shown(answer.text) for answer in answers}) == 1
    assert world.data() == before
    assert world.disclosed() == []


def test_every_route_of_a_case_is_tried_above(world: World) -> None:
    """A new route of a case needs a line in ROUTES."""
    rules = {(method.lower(), rule.rule) for rule in world.app.url_map.iter_rules() for method in rule.methods or () if rule.rule.startswith("/case/") and method in ("GET", "POST")}
    tried = {(method, re.sub("/(client)$", "/<name>", re.sub("/invitation", "/<letter>", re.sub("/team$", "/<to>", re.sub("/summary/1", "/summary/<int:job>", route.replace("{number}", "<number>")))))) for method, route in ROUTES}
    assert rules == tried


def test_the_list_names_cases_by_initials_and_what_comes_next(world: World) -> None:
    """My cases with the next conference; the other coordinator's list is empty and says what to do."""
    mine = world.carla.get("/cases").text
    assert "N.F." in mine
    assert "in 20 days" in mine or "in 19 days" in mine or "in 21 days" in mine
    assert "Send the invitations." in mine
    assert "No case is yours yet." in world.cora.get("/cases").text


def test_a_consent_that_ends_soon_or_before_the_conference_is_told(tmp_path: Path, blanks: Path) -> None:
    """The list and the case say which consent ends, and when."""
    world = world_with(tmp_path, blanks, {"consents.0.expires_on": day(10)})
    assert "consent ends" in world.carla.get("/cases").text
    assert "ends soon" in world.carla.get(f"/case/{NUMBER}").text


def test_names_stand_in_no_list_title_or_address(world: World) -> None:
    """The family stands by initials everywhere but where the client is edited or unfolded, and in the notes."""
    for url in ("/cases", f"/case/{NUMBER}/letters", f"/case/{NUMBER}/summary", f"/case/{NUMBER}/log", f"/case/{NUMBER}/letters/invitation/team", f"/case/{NUMBER}/letters/agenda/{world.mark(0)}"):
        text = shown(world.carla.get(url).text)
        assert [name for name in NAMES if name in text] == [], url
    for page in ("", "/notes", "/edit/client", "/edit/team"):
        html = world.carla.get(f"/case/{NUMBER}{page}").text
        outside = " ".join([*re.findall(r"<title>(.*?)</title>", html), *re.findall(r"<h1.*?</h1>", html), *re.findall(r'(?:href|action)="([^"]*)"', html)])
        assert [name for name in NAMES if name in outside] == [], page
    folded = re.sub(r"<details>.*?</details>", "", world.carla.get(f"/case/{NUMBER}").text, flags=re.DOTALL)
    assert [name for name in NAMES if name in folded] == []


def test_a_case_is_shared_handed_on_and_never_left_to_nobody(world: World) -> None:
    """Two may have it, one may give it up, the last one may not."""
    url = f"/case/{NUMBER}/people"
    assert "at least one coordinator" in send(world.carla, url, {"act": "remove", "person": str(world.keys["carla"])}, follow_redirects=True).text
    send(world.carla, url, {"act": "share", "person": str(world.keys["cora"])})
    assert world.cora.get(f"/case/{NUMBER}").status_code == 200
    send(world.cora, url, {"act": "remove", "person": str(world.keys["cora"])})
    assert world.cora.get(f"/case/{NUMBER}").status_code == 404
    assert "not yours any more" in send(world.carla, url, {"act": "hand-on", "person": str(world.keys["cora"])}, follow_redirects=True).text
    assert (world.carla.get(f"/case/{NUMBER}").status_code, world.cora.get(f"/case/{NUMBER}").status_code) == (404, 200)
    staff = person(world.office, "stan", "staff")
    assert "has no cases" in send(world.cora, url, {"act": "share", "person": str(staff.id)}, follow_redirects=True).text


# ---------------------------------------------------------------- begun and edited


NEW = {
    "number": "2026-020", "client-name": "Ida Quarrendon", "client-school": "Cedar School", "guardian": "Una Quarrendon", "conference-date": "2026-12-09", "conference-start": "15:30",
    "conference-minutes": "90", "conference-zone": "America/Denver", "conference-line": "303-555-0100", "coordinator-name": "Carla",
}  # fmt: skip


def test_a_new_case_belongs_to_whoever_begins_it(world: World) -> None:
    """The creator owns it; the place is the school, the guardian the first of the team."""
    answer = send(world.carla, "/cases/new", NEW, follow_redirects=True)
    assert "The case is begun" in answer.text
    data = world.data("2026-020")
    assert data["conference"] == {"number": 1, "type": "initial", "date": "2026-12-09", "start": "15:30", "minutes": 90, "zone": "America/Denver", "place": "Cedar School", "line": "303-555-0100"}
    assert [member["name"] for member in data["team"]] == ["Una Quarrendon"]
    assert world.cora.get("/case/2026-020").status_code == 404


@pytest.mark.parametrize(
    ("changes", "field", "words"),
    [
        ({"client-name": ""}, "client-name", "Fill this in."), ({"guardian": ""}, "guardian", "Fill this in."), ({"number": ""}, "number", "Fill this in."),
        ({"conference-date": "soon"}, "conference-date", "This is no day"), ({"conference-start": "noonish"}, "conference-start", "This is no time"),
        ({"conference-minutes": "1000"}, "conference-minutes", "from 5 to 480"), ({"conference-zone": "Mars/Base"}, "conference-zone", "no time zone"),
        ({"client-initials": "Quarrendon"}, "client-initials", "part of the client"), ({"number": "quarrendon-1"}, "number", "part of the client"), ({"number": NUMBER}, "number", "number already"),
        ({"number": "a b"}, "number", "number"), ({"number": "2026-014-conference-1"}, "number", "number"),
    ],
)  # fmt: skip
def test_what_is_wrong_with_a_new_case_is_said_at_its_field(world: World, changes: dict[str, str], field: str, words: str) -> None:
    """Nothing is kept; what was typed stays, with the problem beside its field."""
    answer = send(world.carla, "/cases/new", NEW | changes)
    assert answer.status_code == 422
    found = re.search(rf'<div id="n-{field}"><p class="problem">(.*?)</p>', answer.text)
    assert found
    assert words in unescape(found[1])
    with world.office.store.reading() as connection:
        assert cases_of(connection, world.keys["carla"]) == (NUMBER,)


def test_a_section_that_is_sent_back_untouched_changes_nothing(world: World) -> None:
    """What a browser sends of an untouched section is the case as it was."""
    before = world.data()
    for name in ("client", "coordinator", "conference", "team", "consents", "agenda", "steps"):
        url = f"/case/{NUMBER}/edit/{name}"
        html = world.carla.get(url).text
        ticked = {f"consents-{row}-recipients": "*" for row in range(2)} if name == "consents" else {}
        assert send(world.carla, url, section_fields(html) | ticked | {"act": "save"}).status_code == 302, name
        assert world.data() == before, name


def test_what_is_wrong_in_a_section_is_said_at_its_field_and_nothing_is_kept(world: World) -> None:
    """A mail address that is none stands at its member; the list above leads there."""
    before, url = world.data(), f"/case/{NUMBER}/edit/team"
    answer = send(world.carla, url, section_fields(world.carla.get(url).text) | {"team-2-email": "nowhere", "act": "save"})
    assert answer.status_code == 422
    assert 'href="#f-team-2-email"' in answer.text
    assert re.search(r'<div id="n-team-2-email"><p class="problem">This is no e-mail address', answer.text)
    assert 'value="nowhere"' in answer.text
    assert world.data() == before


def test_rows_are_added_and_removed_without_javascript(world: World) -> None:
    """The buttons show the form with a row more or less; nothing is kept before Save."""
    before, url = world.data(), f"/case/{NUMBER}/edit/steps"
    fields = section_fields(world.carla.get(url).text)
    more = section_fields(send(world.carla, url, fields | {"act": "add"}).text)
    assert "previous_steps-5-action" in more
    fewer = section_fields(send(world.carla, url, more | {"previous_steps-5-action": "Call", "previous_steps-5-responsible": "Rufus Tannerby", "act": "remove-0"}).text)
    assert world.data() == before
    send(world.carla, url, fewer | {"act": "save"})
    assert [step["action"][:4] for step in world.data()["previous_steps"]] == ["Make", "Send", "Try ", "Find", "Call"]


def test_nobody_overwrites_what_somebody_else_saved_meanwhile(world: World) -> None:
    """The second one to save a section sees both values; saving again decides; other sections are free."""
    send(world.carla, f"/case/{NUMBER}/people", {"act": "share", "person": str(world.keys["cora"])})
    url = f"/case/{NUMBER}/edit/conference"
    hers, his = (section_fields(client.get(url).text) for client in (world.carla, world.cora))
    assert send(world.carla, url, hers | {"conference-place": "Library", "act": "save"}).status_code == 302
    answer = send(world.cora, url, his | {"conference-place": "Town hall", "act": "save"})
    assert answer.status_code == 409
    assert re.search(r"Town hall</td>\s*<td class=\"typed\">Library", answer.text)
    assert world.data()["conference"]["place"] == "Library"
    other = f"/case/{NUMBER}/edit/client"
    assert send(world.cora, other, section_fields(world.cora.get(other).text) | {"client-school": "Another", "act": "save"}).status_code == 302
    assert send(world.cora, url, section_fields(answer.text) | {"act": "save"}).status_code == 302
    assert world.data()["conference"]["place"] == "Town hall"


def test_how_each_consent_stands_is_shown(tmp_path: Path, blanks: Path) -> None:
    """Valid, expired, revoked, verbal where it must be written, for nobody of the team."""
    consent = {"kind": "share", "form": "written", "recipients": ["*"], "given_by": "M.F.", "given_on": day(-90)}
    states = [consent, consent | {"expires_on": day(-9)}, consent | {"revoked_on": day(-9)}, consent | {"form": "verbal"}, consent | {"recipients": ["Someone else"]}, consent | {"given_on": day(9)}]
    world = world_with(tmp_path, blanks, {"consents": states})
    html = world.carla.get(f"/case/{NUMBER}").text
    panel = html[html.index('id="consents"') :]
    panel = panel[: panel.index("</section>")]
    assert re.findall(r'class="state \w+">([^<]+)<', panel) == ["valid", "expired", "revoked", "must be written", "missing recipient", "not yet"]


# ---------------------------------------------------------------- letters


def test_a_letter_is_looked_at_and_downloaded_by_initials_and_logged(world: World) -> None:
    """PDF, Word, mail and calendar; each download is a disclosure; file names and the preview tell no name of the family."""
    url = f"/case/{NUMBER}/letters/invitation/{world.mark(3)}"
    assert "Dear Gideon Marshwood" in world.carla.get(url).text
    assert "Estimad" in world.carla.get(url, query_string={"lang": "es"}).text
    assert world.disclosed() == []
    for face, start in (("pdf", b"%PDF"), ("docx", b"PK"), ("eml", b"Subject: "), ("ics", b"BEGIN:VCALENDAR")):
        answer = send(world.carla, url, {"face": face})
        assert answer.data.startswith(start), face
        assert answer.headers["Content-Disposition"].startswith("attachment")
        assert [name for name in NAMES if name in answer.headers["Content-Disposition"]] == []
    assert [(one["document"], one["subject"], one["by"], one["recipients"]) for one in world.disclosed()] == [
        (f"invitation.{face}", f"case:{NUMBER}", "carla", ["Gideon Marshwood, Alderbank Elementary School"]) for face in ("pdf", "docx", "eml", "ics")
    ]
    assert "Gideon Marshwood, Alderbank Elementary School" in world.carla.get(f"/case/{NUMBER}/log").text


def test_without_consent_nothing_leaves_and_the_page_says_so_in_plain_words(tmp_path: Path, blanks: Path) -> None:
    """R21: refused for who is not covered, not for the family; the archive leaves them out."""
    world = world_with(tmp_path, blanks, {"consents.0.recipients": ["Gideon Marshwood", "Willow Creek Clinic"]})
    refused, allowed = (f"/case/{NUMBER}/letters/invitation/{world.mark(number)}" for number in (4, 3))
    page = unescape(world.carla.get(refused).text)
    assert "R21: there is no valid written consent to share information with Mental health consultant" in page
    assert 'name="face"' not in page
    answer = send(world.carla, refused, {"face": "pdf"})
    assert answer.status_code == 302
    assert world.disclosed() == []
    assert send(world.carla, allowed, {"face": "pdf"}).data.startswith(b"%PDF")
    assert "4 of 8 are left out" in world.carla.get(f"/case/{NUMBER}/letters").text
    archive = zipfile.ZipFile(io.BytesIO(send(world.carla, f"/case/{NUMBER}/letters/invitation", {"face": "eml"}).data))
    assert [name[-7:] for name in archive.namelist()] == ["001.eml", "002.eml", "004.eml", "006.eml"]
    assert len(world.disclosed()) == 5


def test_what_cannot_be_logged_does_not_leave(world: World) -> None:
    """R40: the log refuses, so there is no file, neither a letter nor a summary."""
    job = made(world)[0]
    with world.office.store.writing() as connection:
        connection.exec_driver_sql("CREATE TRIGGER full BEFORE INSERT ON logs WHEN NEW.log = 'disclosure' BEGIN SELECT RAISE(FAIL, 'no room'); END")
    answers = [send(world.carla, f"/case/{NUMBER}/letters/invitation/team", {"face": "pdf"}), send(world.carla, f"/case/{NUMBER}/letters/agenda", {"face": "docx"}), send(world.carla, f"/case/{NUMBER}/summary/{job}")]
    assert [b"%PDF" in answer.data or answer.data.startswith(b"PK") for answer in answers] == [False, False, False]
    assert world.disclosed() == []


def test_a_letter_goes_to_the_person_whose_line_it_was(world: World) -> None:
    """Somebody who left the team has no letter, whoever stands in their place now."""
    mark = world.mark(3)
    data = world.data()
    data["team"].pop(3)
    keep_case(world.office, NUMBER, data)
    assert send(world.carla, f"/case/{NUMBER}/letters/invitation/{mark}", {"face": "pdf"}).status_code == 404


def test_an_archive_has_a_limit(tmp_path: Path, blanks: Path) -> None:
    """More letters than can be made while one waits are refused, not cut off."""
    member = {"name": "Somebody", "role": "Helper"}
    world = world_with(tmp_path, blanks, {"team": [member] * (MOST_AT_ONCE + 1)})
    answer = send(world.carla, f"/case/{NUMBER}/letters/agenda", {"face": "docx"}, follow_redirects=True)
    assert "too many for one archive" in answer.text
    assert world.disclosed() == []


@pytest.mark.parametrize(
    ("html", "expected"),
    [
        ("<body><p onclick='x()'>a<script>alert(1)</script></p></body>", "<p>a</p>"),
        ("<body><p>a <a href='javascript:x()'>b</a><img src='data:x'></p></body>", "<p>a b</p>"),
        ("<body><h1>a</h1><p class='notice evil'>1 &lt; 2</p></body>", '<h3>a</h3><p class="letter-notice">1 &lt; 2</p>'),
        ("<body><table><tr><td colspan='2' style='x'>a</table>b</td></p><style>p{}</style></body>", '<table><tr><td colspan="2">a</td></tr></table>b'),
        ("<body><div class='foot'><p>foot</p></div><p>a</p></body>", '<p>a</p><div class="letter-foot"><p>foot</p></div>'),
        ("<body><svg><p>a</p></svg><iframe src='x'>b</iframe><p>c", "b<p>c</p>"),
    ],
)
def test_a_preview_holds_nothing_that_acts(html: str, expected: str) -> None:
    """Of a letter's HTML only what orders text comes into our page."""
    assert str(safe_letter(html)).strip() == expected


# ---------------------------------------------------------------- notes


def notes_of(client: FlaskClient, number: str = NUMBER) -> Fields:
    return Fields(client.get(f"/case/{number}/notes").text)


def test_notes_begin_with_what_the_case_knows(tmp_path: Path, blanks: Path) -> None:
    """The header, the consents and everybody of the team stand there; whom it is about cannot be changed."""
    world = world_with(tmp_path, blanks, {"notes": {}})
    page = notes_of(world.carla)
    found = page.found
    assert (found["client_name"], found["initials"], found["conference_number"]) == ("Noah Fernwhistle", "N.F.", "2")
    assert (found["location"], found["end_time"], found["share_consent"]) == ("Alderbank Elementary School, library meeting room", "17:00", "on")
    assert [found[f"team-{number}-name"] for number in (0, 3, 7)] == ["Noah Fernwhistle", "Gideon Marshwood", "Consuelo Altamira"]
    assert {"client_name", "initials", "birth_date", "conference_number"} <= page.locked
    assert world.data()["notes"] == {}
    send(world.carla, f"/case/{NUMBER}/notes", found | {"client_name": "Another Child", "school_strengths": "Builds bridges."})
    notes = world.data()["notes"]
    assert (notes["client_name"], notes["school_strengths"], notes["team"][3]["role"]) == ("Noah Fernwhistle", "Builds bridges.", "Classroom teacher")


def test_notes_that_are_sent_back_untouched_change_nothing(world: World) -> None:
    """Law 1 on screen: the whole sample comes back as it was."""
    before = world.data()
    assert "Nothing was changed" in send(world.carla, f"/case/{NUMBER}/notes", notes_of(world.carla).found, follow_redirects=True).text
    assert world.data() == before


def test_somebody_who_joined_the_team_later_is_offered_in_the_notes(world: World) -> None:
    """Everyone invited stands in the notes, whether they came or not."""
    data = world.data()
    keep_case(world.office, NUMBER, data | {"team": [*data["team"], {"name": "Late Joiner"}]})
    assert notes_of(world.carla).found["team-8-name"] == "Late Joiner"


def test_a_draft_of_notes_is_resumed_only_by_its_writer_until_saved_or_forgotten(world: World) -> None:
    """What was typed comes back; the notes stay as they were; more rows can be asked for."""
    send(world.carla, f"/case/{NUMBER}/people", {"act": "share", "person": str(world.keys["cora"])})
    url, before, fields = f"/case/{NUMBER}/notes", world.data(), notes_of(world.carla).found
    assert "at" in (send(world.carla, f"{url}/draft", fields | {"child_view": "Half a sent"}).json or {})
    assert "Half a sent" in world.carla.get(url).text
    assert "draft of notes" in world.carla.get("/cases").text
    assert "Half a sent" not in world.cora.get(url).text
    more = send(world.carla, url, fields | {"child_view": "Half a sentence", "act": "more-services"})
    assert "next_steps-13-action" not in notes_of(world.carla).found
    assert "services-6-agency" in Fields(world.carla.get(more.headers["Location"]).text).found
    assert world.data() == before
    send(world.carla, f"{url}/discard")
    assert "Half a sent" not in world.carla.get(url).text


def test_two_people_who_write_different_notes_are_both_kept(world: World) -> None:
    """Different cells meet; one cell shows both values, and saving again decides."""
    send(world.carla, f"/case/{NUMBER}/people", {"act": "share", "person": str(world.keys["cora"])})
    url = f"/case/{NUMBER}/notes"
    hers, theirs = (notes_of(client).found for client in (world.carla, world.cora))
    send(world.carla, url, hers | {"school_strengths": "Reads", "next_steps-0-status": "met"})
    answer = send(world.cora, url, theirs | {"school_strengths": "Counts", "next_steps-1-status": "met", "next_steps-0-status": "declined"})
    assert answer.status_code == 409
    text = unescape(answer.text)
    assert "“Reads”" in text
    assert "“Completed: need met”" in text
    notes = world.data()["notes"]
    assert (notes["school_strengths"], notes["next_steps"][0]["status"], notes["next_steps"][1]["status"]) == ("Reads", "met", "met")
    kept = Fields(answer.text).found
    assert kept["school_strengths"] == "Counts"
    send(world.cora, url, kept)
    notes = world.data()["notes"]
    assert (notes["school_strengths"], notes["next_steps"][0]["status"]) == ("Counts", "declined")


def test_notes_that_arrive_cut_off_erase_nothing(world: World) -> None:
    """Without the form's last field nothing is saved; a field that is missing, and a row that was not shown, say nothing."""
    url, before, fields = f"/case/{NUMBER}/notes", world.data(), notes_of(world.carla).found
    cut = dict(list(fields.items())[: len(fields) // 2])
    assert "arrived cut off" in send(world.carla, url, {name: text for name, text in cut.items() if name != "end"}, follow_redirects=True).text
    assert send(world.carla, f"{url}/draft", {name: text for name, text in cut.items() if name != "end"}).status_code != 200
    ticked = {name: text for name, text in fields.items() if text == "on"}
    send(world.carla, url, ticked | {name: fields[name] for name in ("sight", "end")})
    notes = world.data()["notes"]
    assert [name for name in before["notes"] if notes.get(name) != before["notes"][name] and name != "team"] == []
    send(world.cora, f"/case/{NUMBER}/people", {"act": "share", "person": str(world.keys["cora"])})
    send(world.carla, url, fields | {"child_view": ""})
    assert "child_view" not in world.data()["notes"]


def test_two_people_on_one_free_row_make_two_rows(world: World) -> None:
    """Whoever comes second gets the next free row as a whole, and only once."""
    send(world.carla, f"/case/{NUMBER}/people", {"act": "share", "person": str(world.keys["cora"])})
    url = f"/case/{NUMBER}/notes"
    steps = len(world.data()["notes"]["next_steps"])
    hers, theirs = (notes_of(client).found for client in (world.carla, world.cora))
    send(world.carla, url, hers | {f"next_steps-{steps}-action": "Call the clinic", f"next_steps-{steps}-responsible": "Carla"})
    page = theirs | {f"next_steps-{steps}-action": "Order a chair", f"next_steps-{steps}-due_date": "2027-01-15"}
    for _ in range(2):
        send(world.cora, url, page)
        rows = world.data()["notes"]["next_steps"][steps:]
        assert rows == [{"action": "Call the clinic", "responsible": "Carla"}, {"action": "Order a chair", "due_date": "2027-01-15"}]


def test_a_row_that_moved_is_not_moved_again_from_the_draft(world: World) -> None:
    """Where something else is held back, the draft has the row at its new place and the other's at the old one."""
    send(world.carla, f"/case/{NUMBER}/people", {"act": "share", "person": str(world.keys["cora"])})
    url = f"/case/{NUMBER}/notes"
    steps = len(world.data()["notes"]["next_steps"])
    hers, theirs = (notes_of(client).found for client in (world.carla, world.cora))
    send(world.carla, url, hers | {f"next_steps-{steps}-action": "Call the clinic"})
    answer = send(world.cora, url, theirs | {f"next_steps-{steps}-action": "Order a chair", f"next_steps-{steps}-due_date": "soonish"})
    kept = Fields(answer.text).found
    assert (kept[f"next_steps-{steps}-action"], kept[f"next_steps-{steps + 1}-action"], kept[f"next_steps-{steps + 1}-due_date"]) == ("Call the clinic", "Order a chair", "soonish")
    send(world.cora, url, kept | {f"next_steps-{steps + 1}-due_date": "2027-01-15"})
    assert world.data()["notes"]["next_steps"][steps:] == [{"action": "Call the clinic"}, {"action": "Order a chair", "due_date": "2027-01-15"}]


def test_a_row_without_a_free_place_is_held_back_whole(world: World) -> None:
    """Nothing of it is mixed into the other's; saving again replaces that row."""
    send(world.carla, f"/case/{NUMBER}/people", {"act": "share", "person": str(world.keys["cora"])})
    url, data, form = f"/case/{NUMBER}/notes", world.data(), world.office.catalog.form(world.office.catalog.latest("conference-notes"))
    group = form.group("next_steps")
    assert group
    last = group.maximum - 1
    keep_case(world.office, NUMBER, data | {"notes": data["notes"] | {"next_steps": [{"action": f"Step {number}"} for number in range(last)]}})
    hers, theirs = (notes_of(client).found for client in (world.carla, world.cora))
    send(world.carla, url, hers | {f"next_steps-{last}-action": "Call the clinic", f"next_steps-{last}-responsible": "Carla"})
    answer = send(world.cora, url, theirs | {f"next_steps-{last}-action": "Order a chair", f"next_steps-{last}-due_date": "2027-01-15"})
    assert answer.status_code == 409
    assert world.data()["notes"]["next_steps"][last] == {"action": "Call the clinic", "responsible": "Carla"}
    send(world.cora, url, Fields(answer.text).found)
    assert world.data()["notes"]["next_steps"][last] == {"action": "Order a chair", "due_date": "2027-01-15"}


def test_what_the_case_offers_makes_no_row_twice(tmp_path: Path, blanks: Path) -> None:
    """Two people who begin the notes both have the team there: one changes a member, the other one's page changes nothing of it."""
    world = world_with(tmp_path, blanks, {"notes": {}})
    send(world.carla, f"/case/{NUMBER}/people", {"act": "share", "person": str(world.keys["cora"])})
    hers, theirs = (notes_of(client).found for client in (world.carla, world.cora))
    send(world.carla, f"/case/{NUMBER}/notes", hers | {"team-3-role": "Lead teacher"})
    send(world.cora, f"/case/{NUMBER}/notes", theirs | {"child_view": "Likes it."})
    notes = world.data()["notes"]
    assert (len(notes["team"]), notes["team"][3]["role"], notes["child_view"]) == (8, "Lead teacher", "Likes it.")


def test_what_cannot_be_understood_in_notes_stays_typed_and_the_rest_is_saved(world: World) -> None:
    """A day that is none, and a text that is longer than the notes take, are said at their fields and kept as a draft."""
    url = f"/case/{NUMBER}/notes"
    answer = send(world.carla, url, notes_of(world.carla).found | {"signed_on": "soonish", "location": "x" * 300, "school_updates": "All well."})
    assert answer.status_code == 422
    assert "cannot be read as" in answer.text
    assert "300 characters" in answer.text
    notes = world.data()["notes"]
    assert (notes["school_updates"], notes["signed_on"], notes["location"][:9]) == ("All well.", "2026-12-10", "Alderbank")
    assert notes_of(world.carla).found["signed_on"] == "soonish"


def test_a_page_of_another_case_or_a_changed_one_saves_nothing(world: World) -> None:
    """What a person saw travels with the page, sealed."""
    before, fields = world.data(), notes_of(world.carla).found
    answer = send(world.carla, f"/case/{NUMBER}/notes", fields | {"sight": fields["sight"][:-3] + "abc", "child_view": "x"}, follow_redirects=True)
    assert "Load it again" in answer.text
    assert world.data() == before


# ---------------------------------------------------------------- the next conference


def test_the_next_conference_begins_from_the_notes_and_the_last_one_stays(tmp_path: Path, blanks: Path) -> None:
    """R32: day and steps come from the notes; the earlier conference is kept whole, with its drafts; late pages are saved there."""
    world = world_with(tmp_path, blanks, {"conference.date": day(-3), "notes.conference_date": day(-3), "notes.next_conference_date": day(30), "conference.reply_by": None})
    fields = notes_of(world.carla).found
    send(world.carla, f"/case/{NUMBER}/notes/draft", fields | {"child_view": "A thought kept"})
    before = world.data()
    assert "next conference is begun" in send(world.carla, f"/case/{NUMBER}/next", follow_redirects=True).text
    now, earlier = world.data(), f"{NUMBER}-conference-2"
    assert (now["conference"]["number"], now["conference"]["date"], now["notes"]) == (3, day(30), {})
    assert [step["responsible"] for step in now["previous_steps"]][:2] == ["Delphine Oatfield", "Delphine Oatfield"]
    assert world.data(earlier) == before
    assert "A thought kept" in world.carla.get(f"/case/{earlier}/notes").text
    assert "A thought kept" not in world.carla.get(f"/case/{NUMBER}/notes").text
    late = send(world.carla, f"/case/{NUMBER}/notes", fields | {"child_view": "Typed before"})
    assert late.headers["Location"].endswith(f"/case/{earlier}/notes")
    assert world.data(earlier)["notes"]["child_view"] == "Typed before"
    page = world.carla.get("/cases").text
    assert f"/case/{NUMBER}" in page
    assert earlier not in page
    send(world.carla, f"/case/{earlier}/next")
    assert (world.data()["conference"]["number"], world.data(earlier)["conference"]["number"]) == (3, 2)
    send(world.carla, f"/case/{NUMBER}/people", {"act": "hand-on", "person": str(world.keys["cora"])})
    assert (world.carla.get(f"/case/{earlier}").status_code, world.cora.get(f"/case/{earlier}").status_code) == (404, 200)


def test_a_next_conference_that_is_not_set_or_too_far_is_a_reminder(tmp_path: Path, blanks: Path) -> None:
    """R32: four to six weeks later; the case says between which days."""
    world = world_with(tmp_path, blanks, {"conference.date": day(-3), "notes.conference_date": day(-3), "notes.next_conference_date": None})
    assert "The next conference is not set." in world.carla.get(f"/case/{NUMBER}").text
    assert "do not say when" in send(world.carla, f"/case/{NUMBER}/next", follow_redirects=True).text
    data = world.data()
    data["notes"]["next_conference_date"] = day(90)
    keep_case(world.office, NUMBER, data)
    assert "is not four to six weeks after this one" in world.carla.get(f"/case/{NUMBER}").text


# ---------------------------------------------------------------- protected summary


def everybody(world: World) -> list[str]:
    return [world.mark(number) for number in range(len(world.data()["team"]))]


def once_of(world: World) -> str:
    """What a fresh page of the summary is called."""
    found = re.search(r'name="once" value="([^"]+)"', world.carla.get(f"/case/{NUMBER}/summary").text)
    assert found
    return found[1]


def made(world: World, **more: Any) -> tuple[int, str]:
    """A summary for everybody: the number to fetch it by, and the page."""
    answer = send(world.carla, f"/case/{NUMBER}/summary", {"once": once_of(world), "to": everybody(world), "way": "new", "face": "pdf", "lang": "en"} | more)
    found = re.search(rf"/case/{NUMBER}/summary/(\d+)", answer.text)
    assert found, answer.text
    return int(found[1]), answer.text


def test_the_passphrase_is_shown_once_and_kept_nowhere(world: World) -> None:
    """It stands on one page only: no second page, address, log, table or cookie knows it."""
    job, html = made(world)
    passphrase = passphrase_of(html)
    assert len(passphrase.split("-")) == 6
    assert passphrase not in "".join(re.findall(r'(?:href|action|value)="([^"]*)"', html))
    for url in (f"/case/{NUMBER}/summary", f"/case/{NUMBER}", f"/case/{NUMBER}/log", "/cases"):
        assert passphrase not in world.carla.get(url).text
    answer = send(world.carla, f"/case/{NUMBER}/summary/{job}")
    assert passphrase not in str(answer.headers)
    assert passphrase not in world.everything()
    with world.carla.session_transaction() as cookie:
        assert passphrase not in json.dumps(dict(cookie))


def test_loading_the_passphrase_page_again_makes_no_other_file(world: World) -> None:
    """The same page sent again shows no other passphrase; a fresh one does."""
    once = once_of(world)
    job, _ = made(world, once=once)
    for again in (once, ""):
        answer = send(world.carla, f"/case/{NUMBER}/summary", {"once": again, "to": everybody(world), "way": "new"})
        assert answer.status_code == 422
        assert 'class="passphrase"' not in answer.text
        assert again == "" or "it was shown already. make a new one." in answer.text.casefold()
    with world.office.store.reading() as connection:
        assert len(connection.execute(select(jobs.c.id)).all()) == 1
    assert made(world)[0] != job


def test_the_protected_pdf_opens_with_its_passphrase_only(world: World) -> None:
    """AES-256, revision 6; none, an empty and a wrong password are refused; the names stand inside."""
    job, html = made(world)
    content = send(world.carla, f"/case/{NUMBER}/summary/{job}").data
    with pytest.raises(pikepdf.PasswordError):
        pikepdf.open(io.BytesIO(content))
    for wrong in ("", "wrong", passphrase_of(html)[:-1]):
        with pytest.raises(pikepdf.PasswordError):
            pikepdf.open(io.BytesIO(content), password=wrong)
    with pikepdf.open(io.BytesIO(content), password=passphrase_of(html)) as pdf:
        assert (pdf.encryption.R, pdf.encryption.bits) == (6, 256)
        assert len(pdf.pages) >= 2


def test_the_protected_word_file_opens_with_its_passphrase_only(world: World) -> None:
    """The same as DOCX."""
    job, html = made(world, face="docx")
    answer = send(world.carla, f"/case/{NUMBER}/summary/{job}")
    assert answer.mimetype == DOCX
    file = msoffcrypto.OfficeFile(io.BytesIO(answer.data))
    with pytest.raises(msoffcrypto.exceptions.InvalidKeyError):
        file.load_key(password="wrong", verify_password=True)
    file.load_key(password=passphrase_of(html), verify_password=True)
    out = io.BytesIO()
    file.decrypt(out)
    assert "Noah Fernwhistle" in zipfile.ZipFile(out).read("word/document.xml").decode()


def test_the_file_is_handed_out_once_to_its_maker_and_logged_for_every_recipient(world: World) -> None:
    """Another owner of the case cannot fetch it; a second download and one that comes too late are refused; only the hand-out is a disclosure."""
    send(world.carla, f"/case/{NUMBER}/people", {"act": "share", "person": str(world.keys["cora"])})
    job, _ = made(world)
    assert world.disclosed() == []
    assert world.carla.get(f"/case/{NUMBER}/summary/{job}").status_code in (404, 405)
    assert send(world.cora, f"/case/{NUMBER}/summary/{job}").status_code == 404
    answer = send(world.carla, f"/case/{NUMBER}/summary/{job}")
    assert (answer.mimetype, answer.headers["Content-Disposition"]) == (PDF, f"attachment; filename=summary-{day(20)}.pdf")
    (disclosed,) = world.disclosed()
    assert (disclosed["document"], disclosed["protected"], len(disclosed["recipients"])) == ("summary.pdf", True, 8)
    again = send(world.carla, f"/case/{NUMBER}/summary/{job}", follow_redirects=True)
    assert "downloaded already" in again.text
    late, _ = made(world)
    with world.office.store.writing() as connection:
        name = connection.execute(select(jobs.c.file).where(jobs.c.id == late)).scalar_one()
        connection.execute(update(jobs).where(jobs.c.id == late).values(at="2026-01-01T00:00:00+00:00"))
    assert "waited too long" in send(world.carla, f"/case/{NUMBER}/summary/{late}", follow_redirects=True).text
    assert not world.office.store.vault.has(name)
    assert len(world.disclosed()) == 1
    assert world.carla.get(f"/case/{NUMBER}/log").text.count("handed out") == 8


def test_a_summary_goes_only_to_those_whose_consents_cover_it(tmp_path: Path, blanks: Path) -> None:
    """R22: who may not receive the notes cannot be chosen; choosing them all the same makes no file."""
    world = world_with(tmp_path, blanks, {"consents.1.recipients": ["Gideon Marshwood"]})
    html = world.carla.get(f"/case/{NUMBER}/summary").text
    assert html.count("no consent to distribute") == 5
    refused = send(world.carla, f"/case/{NUMBER}/summary", {"once": once_of(world), "to": [world.mark(3), world.mark(4)], "way": "new"})
    assert refused.status_code == 422
    assert "R22: there is no recorded consent to distribute notes to Mental health consultant" in unescape(refused.text)
    assert 'passphrase"' not in refused.text
    job, _ = made(world, to=[world.mark(1), world.mark(3)])
    send(world.carla, f"/case/{NUMBER}/summary/{job}")
    assert [one["recipients"] for one in world.disclosed()] == [["Mara Fernwhistle, Family", "Gideon Marshwood, Alderbank Elementary School"]]
    assert send(world.carla, f"/case/{NUMBER}/summary", {"way": "new"}).status_code == 422
    assert send(world.carla, f"/case/{NUMBER}/summary", {"to": ["000000000000"], "way": "new"}).status_code == 422


@pytest.mark.parametrize(
    ("password", "again", "words"),
    [
        ("short", "short", "too short"), ("password123456", "password123456", "everybody tries first"), ("Fernwhistle-2016-abc!", "Fernwhistle-2016-abc!", "people in this case"),
        (OWN, "other", "not the same"), ("", "", "empty"), ("contraseña segura larga", "contraseña segura larga", "spell differently"),
    ],
)  # fmt: skip
def test_an_own_password_that_would_be_guessed_is_refused_at_its_field(world: World, password: str, again: str, words: str) -> None:
    """Judged by length, common words, patterns and the people of the case; it is not repeated on the page."""
    answer = send(world.carla, f"/case/{NUMBER}/summary", {"to": everybody(world), "way": "own", "password": password, "again": again})
    assert answer.status_code == 422
    assert words in unescape(answer.text)
    assert not password or f'value="{password}"' not in answer.text
    with world.office.store.reading() as connection:
        assert connection.execute(select(jobs.c.id)).first() is None


def test_a_good_own_password_is_used_and_not_shown(world: World) -> None:
    """It opens the file; no page shows it."""
    job, html = made(world, way="own", password=OWN, again=OWN)
    assert OWN not in html
    assert "passphrase" not in re.sub(r"\.css[^>]*", "", html)
    with pikepdf.open(io.BytesIO(send(world.carla, f"/case/{NUMBER}/summary/{job}").data), password=OWN) as pdf:
        assert pdf.is_encrypted


def test_without_notes_there_is_no_summary(tmp_path: Path, blanks: Path) -> None:
    """The page says what is missing, and a request makes none."""
    world = world_with(tmp_path, blanks, {"notes": {}})
    assert "There are no notes of this conference yet." in world.carla.get(f"/case/{NUMBER}/summary").text
    assert send(world.carla, f"/case/{NUMBER}/summary", {"to": everybody(world), "way": "new"}).status_code == 422


def test_problems_are_told_before_a_summary_is_made(tmp_path: Path, blanks: Path) -> None:
    """R30, R32: what the notes lack stands on the page before the button."""
    world = world_with(tmp_path, blanks, {"notes.next_conference_date": None, "notes.confidentiality_read": None})
    page = world.carla.get(f"/case/{NUMBER}/summary").text
    assert "R32: the next conference is not set" in page
    assert "confidentiality statement is not marked as read" in page
    assert page.index("R32") < page.index("Make the protected summary")


def test_another_role_has_no_cases(world: World) -> None:
    """Staff and administrators are refused at the door."""
    for who in (person(world.office, "stan", "staff"), person(world.office, "ada", "administrator")):
        client = signed_in(world.app, world.office, who)
        assert client.get("/cases").status_code == 403
        assert client.get(f"/case/{NUMBER}").status_code == 403


def test_the_log_keeps_who_worked_on_a_case(world: World) -> None:
    """Keeping, sharing and protecting stand in the audit log without names of the family."""
    send(world.carla, f"/case/{NUMBER}/people", {"act": "share", "person": str(world.keys["cora"])})
    made(world)
    with world.office.store.reading() as connection:
        told = [(entry["event"], entry["by"]) for entry in entries(connection, "audit", f"case:{NUMBER}")]
        text = json.dumps([dict(entry["facts"]) for entry in entries(connection, "audit", f"case:{NUMBER}")])
    assert told == [("case-kept", "tester"), ("case-given", "carla"), ("summary-locked", "carla")]
    assert [name for name in NAMES if name in text] == []
