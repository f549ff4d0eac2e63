"""My month, fill on screen, uploads: what staff do in a browser, without JavaScript."""

import io
import re
from datetime import date
from html import unescape
from pathlib import Path
from typing import Any

import pytest

from formsvc.errors import Refused
from formsvc.jobs.worker import work_once
from formsvc.model.procedure import month_of
from formsvc.office.erase import erase_child
from formsvc.office.office import Office
from formsvc.office.receive import Renewed
from formsvc.store.papers import read_sheets
from tests.fields import Fields
from tests.offices import child, documents, enrol, filled, issue, need, open_test_office, plan, record
from tests.web import person, send, signed_in, web_app

MONTH = month_of(date(2026, 11, 5))


@pytest.fixture
def office(tmp_path: Path, blanks: Path) -> Office:
    """Two units with their papers of a month."""
    office = open_test_office(tmp_path, blanks)
    enrol(office, [child(number) for number in range(1, 5)])
    enrol(office, [child(number, unit="Preschool 2") for number in range(11, 13)])
    plan(office, date(2026, 11, 12))
    issue(office, MONTH)
    return office


def sheet_of(office: Office, form: str, unit: int = 1) -> int:
    """The number of a unit's paper."""
    with office.store.reading() as connection:
        return read_sheets(connection, month=MONTH, form=form, unit_id=unit)[0].id


def test_a_page_that_is_sent_back_untouched_changes_nothing(office: Office) -> None:
    """Law 1 on screen: what a browser sends of an untouched form is the record as it was."""
    client = signed_in(web_app(office), office, person(office, "ana", "staff", units=["Preschool 1"]))
    for form in ("worksheet", "case-management"):
        key = sheet_of(office, form)
        html = client.get(f"/fill/{key}").text
        answer = send(client, f"/fill/{key}", Fields(html).found, follow_redirects=True)
        assert "Nothing was changed" in answer.text, re.findall(r'class="problem[^<]*', answer.text)


def test_what_is_typed_on_screen_becomes_the_record_and_its_actions(office: Office) -> None:
    """A need typed on screen stands in the record, and its action on the follow-up form."""
    client = signed_in(web_app(office), office, person(office, "ana", "staff", units=["Preschool 1"]))
    key = sheet_of(office, "worksheet")
    fields = Fields(client.get(f"/fill/{key}").text).found
    fields |= {"children-1-support_needed": "on", "children-1-discussion_points": "Speaks little.\r\nSecond line.", "children-1-follow_up_action": "Hearing check", "children-1-responsible": "Marcus Fennelworth",
               "children-1-target_date": "2026-12-01", "conference_date": "2026-11-12", "attendance-0-present": "on"}
    answer = send(client, f"/fill/{key}", fields, follow_redirects=True)
    assert "Saved" in answer.text
    assert "follow-up form was made anew" in answer.text
    worksheet = documents(issue(office, MONTH), "worksheet", "Preschool 1")[0]
    row: Any = record(office, worksheet)["children"]
    assert row[1]["discussion_points"] == "Speaks little.\nSecond line."
    assert row[1]["support_needed"] is True
    assert Fields(client.get(f"/fill/{key}").text).found["children-1-follow_up_action"] == "Hearing check"
    follow_up = documents(issue(office, MONTH), "case-management", "Preschool 1")[0]
    actions: Any = follow_up.snapshot["actions"]
    assert [row["follow_up_action"] for row in actions] == ["Hearing check"]


def test_a_row_that_is_added_on_screen_keeps_its_place_and_name(office: Office) -> None:
    """A child that is not on the roster can be written in below the last one, and is asked about."""
    client = signed_in(web_app(office), office, person(office, "ana", "staff", units=["Preschool 1"]))
    key = sheet_of(office, "worksheet")
    fields = Fields(client.get(f"/fill/{key}").text).found
    fields |= {"children-4-child_name": "Nadia Larkmoor", "children-4-discussion_points": "Came today."}
    assert "Saved" in send(client, f"/fill/{key}", fields, follow_redirects=True).text
    again = Fields(client.get(f"/fill/{key}").text).found
    assert (again["children-4-child_name"], again["children-4-discussion_points"]) == ("Nadia Larkmoor", "Came today.")
    assert "Nothing was changed" in send(client, f"/fill/{key}", again, follow_redirects=True).text


def test_two_people_who_write_different_things_are_both_kept(office: Office) -> None:
    """Edits of different cells meet; the same cell shows both values, and saving again decides."""
    app = web_app(office)
    ana, ben = (signed_in(app, office, person(office, name, "staff", units=["Preschool 1"])) for name in ("ana", "ben"))
    key = sheet_of(office, "worksheet")
    hers, his = (Fields(client.get(f"/fill/{key}").text).found for client in (ana, ben))
    send(ana, f"/fill/{key}", hers | {"children-0-strengths": "Kind", "children-1-strengths": "Sings"})
    answer = send(ben, f"/fill/{key}", his | {"children-0-strengths": "Curious", "children-2-strengths": "Runs"})
    assert answer.status_code == 409
    assert "Kind" in answer.text
    assert "Curious" in answer.text
    worksheet = documents(issue(office, MONTH), "worksheet", "Preschool 1")[0]
    rows: Any = record(office, worksheet)["children"]
    assert [row.get("strengths") for row in rows[:3]] == ["Kind", "Sings", "Runs"]
    second = send(ben, f"/fill/{key}", Fields(answer.text).found, follow_redirects=True)
    assert "Saved" in second.text
    rows = record(office, worksheet)["children"]
    assert [row.get("strengths") for row in rows[:3]] == ["Curious", "Sings", "Runs"]


def test_what_cannot_be_understood_is_shown_at_its_field_and_kept_as_a_draft(office: Office) -> None:
    """A value that is no day stays as typed, with its problem beside it; the rest is saved."""
    client = signed_in(web_app(office), office, person(office, "ana", "staff", units=["Preschool 1"]))
    key = sheet_of(office, "worksheet")
    fields = Fields(client.get(f"/fill/{key}").text).found
    answer = send(client, f"/fill/{key}", fields | {"children-0-target_date": "soonish", "children-0-strengths": "Kind"})
    assert answer.status_code == 422
    assert "cannot be read as" in answer.text
    again = client.get(f"/fill/{key}").text
    assert 'value="soonish"' in again
    assert "This is your draft" in again
    worksheet = documents(issue(office, MONTH), "worksheet", "Preschool 1")[0]
    rows: Any = record(office, worksheet)["children"]
    assert rows[0] == {**rows[0], "strengths": "Kind"}
    assert "target_date" not in rows[0]


def test_a_draft_is_resumed_and_can_be_forgotten(office: Office) -> None:
    """What was kept while typing is there again, only for that person, until it is saved or forgotten."""
    app = web_app(office)
    ana, ben = (signed_in(app, office, person(office, name, "staff", units=["Preschool 1"])) for name in ("ana", "ben"))
    key = sheet_of(office, "worksheet")
    fields = Fields(ana.get(f"/fill/{key}").text).found
    assert send(ana, f"/fill/{key}/draft", fields | {"children-0-strengths": "Half a sent"}).status_code == 200
    assert "Half a sent" in ana.get(f"/fill/{key}").text
    assert "Half a sent" not in ben.get(f"/fill/{key}").text
    send(ana, f"/fill/{key}/discard")
    assert "Half a sent" not in ana.get(f"/fill/{key}").text


def test_printed_values_cannot_be_changed_on_screen(office: Office) -> None:
    """What we printed stays, whatever a browser sends."""
    client = signed_in(web_app(office), office, person(office, "ana", "staff", units=["Preschool 1"]))
    key = sheet_of(office, "worksheet")
    page = Fields(client.get(f"/fill/{key}").text)
    assert {"site", "children-0-child_name"} <= page.locked
    send(client, f"/fill/{key}", page.found | {"site": "Elsewhere", "children-0-child_name": "Somebody Else", "children-0-strengths": "Kind"})
    worksheet = documents(issue(office, MONTH), "worksheet", "Preschool 1")[0]
    values: Any = record(office, worksheet)
    assert (values["site"], values["children"][0]["child_name"]) == ("Cedar Hall", "Child 01")


def test_a_paper_of_a_unit_that_is_not_mine_is_like_one_that_is_not_there(office: Office) -> None:
    """Foreign papers, units and returns answer exactly like missing ones."""
    client = signed_in(web_app(office), office, person(office, "ana", "staff", units=["Preschool 1"]))
    foreign = sheet_of(office, "worksheet", unit=2)
    document = documents(issue(office, MONTH), "worksheet", "Preschool 2")[0].id
    pairs = [(f"/fill/{foreign}", "/fill/99999"), (f"/paper/{document}.pdf", "/paper/AAAAAAAAAA.pdf"), (f"/unit/2/{MONTH}/papers.zip", f"/unit/99/{MONTH}/papers.zip"), (f"/review/sheet/{foreign}", "/review/sheet/99999")]
    for one, other in pairs:
        answers = [client.get(url) for url in (one, other)]
        assert [answer.status_code for answer in answers] == [404, 404], one
        assert len({re.sub(r"csrf_token\" value=\"[^\"]*|value=\"/[^\"]*", "", answer.text) for answer in answers}) == 1


def test_an_upload_is_acknowledged_read_and_told_in_plain_words(office: Office) -> None:
    """Many files at once: each has its own result and next step."""
    app = web_app(office)
    client = signed_in(app, office, person(office, "ana", "staff", units=["Preschool 1"]))
    worksheet = documents(issue(office, MONTH), "worksheet", "Preschool 1")[0]
    foreign = documents(issue(office, MONTH), "worksheet", "Preschool 2")[0]

    def write(values: dict[str, Any]) -> None:
        values["children"][0] |= need("Hearing check")

    files = [(io.BytesIO(filled(office, worksheet, write)), "mine.pdf"), (io.BytesIO(filled(office, foreign, write)), "other.pdf"), (io.BytesIO(b"%PDF-1.7 broken"), "broken.pdf"), (io.BytesIO(b"MZ"), "virus.exe")]
    answer = send(client, "/uploads", {"files": files}, content_type="multipart/form-data", follow_redirects=True)
    assert "neither a PDF nor a picture" in unescape(answer.text)
    while work_once(office, "here"):
        pass
    page = client.get(answer.request.path).text
    told = dict(re.findall(r'<span class="name">([^<]*)</span> <span class="state ([a-z]+)"', page))
    assert told == {"mine.pdf": "counted", "other.pdf": "waiting", "broken.pdf": "refused"}
    assert "Preschool 2" not in page  # whose paper it is, is not this person's to know
    rows: Any = record(office, worksheet)["children"]
    assert rows[0]["follow_up_action"] == "Hearing check"
    assert record(office, foreign) == {}


def test_downloads_are_attachments_that_nobody_keeps(office: Office) -> None:
    """A paper is saved, never shown; nothing is cached; types are not guessed."""
    client = signed_in(web_app(office), office, person(office, "ana", "staff", units=["Preschool 1"]))
    worksheet = documents(issue(office, MONTH), "worksheet", "Preschool 1")[0]
    answer = client.get(f"/paper/{worksheet.id}.pdf")
    assert answer.data.startswith(b"%PDF")
    assert answer.headers["Content-Disposition"].startswith("attachment; filename=worksheet-")
    assert (answer.headers["Cache-Control"], answer.headers["X-Content-Type-Options"]) == ("no-store", "nosniff")
    archive = client.get(f"/unit/1/{MONTH}/papers.zip")
    assert archive.data.startswith(b"PK")


def test_the_day_of_a_conference_is_set_in_its_month_only(office: Office) -> None:
    """R1: the conference is set up in advance; a day of another month is refused in words."""
    client = signed_in(web_app(office), office, person(office, "ana", "staff", units=["Preschool 1"]))
    assert "The conference is set" in send(client, f"/unit/1/{MONTH}/plan", {"day": "2026-11-20", "start": "10:00", "end": "11:30"}, follow_redirects=True).text
    assert "not in November 2026" in send(client, f"/unit/1/{MONTH}/plan", {"day": "2026-12-01"}, follow_redirects=True).text
    assert "end is not after the start" in send(client, f"/unit/1/{MONTH}/plan", {"day": "2026-11-20", "start": "10:00", "end": "09:00"}, follow_redirects=True).text
    assert send(client, f"/unit/2/{MONTH}/plan", {"day": "2026-11-20"}).status_code == 404


def test_what_was_typed_on_screen_about_a_child_goes_with_the_child(office: Office) -> None:
    """Erasing a child erases what was saved, drafted and told of it on screen; the database holds none of it any more."""
    client = signed_in(web_app(office), office, person(office, "ana", "staff", units=["Preschool 1"]))
    key = sheet_of(office, "worksheet")
    fields = Fields(client.get(f"/fill/{key}").text).found
    send(client, f"/fill/{key}", fields | {"children-0-strengths": "Quicksilver laughter", "children-1-strengths": "Stays"})
    fields = Fields(client.get(f"/fill/{key}").text).found
    send(client, f"/fill/{key}/draft", fields | {"children-0-discussion_points": "Quicksilver draft"})
    erase_child(office, "C-1", "the family asked", on=date(2026, 11, 22), on_request=True)
    assert "Quicksilver" not in client.get(f"/fill/{key}").text
    assert "Stays" in client.get(f"/fill/{key}").text
    office.store.engine.dispose()
    data = office.service.settings.data
    assert data is not None
    assert b"Quicksilver" not in (data / "formsvc.db").read_bytes()


def test_a_refused_save_shows_everything_that_was_typed(office: Office) -> None:
    """A page that arrives cut off saves nothing, and loses nothing: what was typed stands in the answer."""
    client = signed_in(web_app(office), office, person(office, "ana", "staff", units=["Preschool 1"]))
    key = sheet_of(office, "worksheet")
    fields = Fields(client.get(f"/fill/{key}").text).found
    fields["children-1-discussion_points"] = "Speaks little, <b>hears</b> well."
    before = client.get(f"/fill/{key}").text
    answer = send(client, f"/fill/{key}", {name: text for name, text in fields.items() if name != "end"})
    assert answer.status_code == 400
    assert "Speaks little, &lt;b&gt;hears&lt;/b&gt; well." in answer.text
    assert "arrived cut off" in answer.text
    assert Fields(client.get(f"/fill/{key}").text).found.keys() == Fields(before).found.keys()


def test_a_follow_up_form_that_cannot_be_made_anew_is_told(office: Office, monkeypatch: pytest.MonkeyPatch) -> None:
    """The answer is saved, and the person learns that a paper is behind."""
    client = signed_in(web_app(office), office, person(office, "ana", "staff", units=["Preschool 1"]))
    key = sheet_of(office, "worksheet")
    fields = Fields(client.get(f"/fill/{key}").text).found
    fields |= {"children-1-support_needed": "on", "children-1-discussion_points": "Speaks little.", "children-1-follow_up_action": "Hearing check", "children-1-responsible": "Marcus Fennelworth",
               "children-1-target_date": "2026-12-01", "conference_date": "2026-11-12", "attendance-0-present": "on"}
    monkeypatch.setattr("formsvc.office.screen.renew_follow_up", lambda *_: Renewed(made=0, failed=(("Preschool 1", Refused("job-failed", detail="OSError")),)))
    answer = send(client, f"/fill/{key}", fields, follow_redirects=True)
    assert "Saved" in answer.text
    assert "could not be made anew" in answer.text
