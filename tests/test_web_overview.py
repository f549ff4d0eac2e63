"""The overview: a month and a year at a glance, what is late, what is to be monitored, tables that leave.

1. What stands there is what the store knows; every state has a sign and a word, every chart a table.
2. Only supervisors see it; a site or a unit that is not there looks like one that never was.
3. What leaves is noted in the log, and never a formula.
"""

import csv
import io
import re
from collections.abc import Iterator
from datetime import date, datetime
from html import unescape
from pathlib import Path
from typing import Any, Final
from zoneinfo import ZoneInfo

import pytest
from flask.testing import FlaskClient
from python_calamine import CalamineWorkbook

from formsvc.model.people import ROLES
from formsvc.office.monitoring import due
from formsvc.office.office import Office
from formsvc.office.status import months, status
from formsvc.office.status_tables import SIGNS
from formsvc.store.log import entries
from formsvc.store.roster import read_units
from formsvc.web.overview import state_name
from tests.offices import child, discussed, documents, enrol, issue, need, open_test_office, plan, send
from tests.web import person, signed_in, web_app
from tests.web import send as send_form

MONTH: Final = "2026-11"


@pytest.fixture
def office(tmp_path: Path, blanks: Path) -> Iterator[Office]:
    """Two sites; one unit's worksheet came back with two actions."""
    opened = open_test_office(tmp_path, blanks)
    enrol(opened, [child(number) for number in (1, 2)])
    enrol(opened, [child(11, unit="Toddlers <b>", site="Mill Street")])
    plan(opened, date(2026, 11, 12))
    worksheet = documents(issue(opened, MONTH), "worksheet", "Preschool 1")[0]
    send(opened, worksheet, discussed("2026-11-12", (0, need('=HYPERLINK("http://x")', target_date="2026-11-15")), (1, need("Call the clinic", target_date="2020-01-01", responsible="Abel"))))
    yield opened
    opened.store.engine.dispose()


@pytest.fixture
def sam(office: Office) -> FlaskClient:
    """A supervisor's browser."""
    return signed_in(web_app(office), office, person(office, "sam", "supervisor"))


def now_here(office: Office) -> date:
    """The day in the agency's zone."""
    return datetime.now(ZoneInfo(office.catalog.profile.zone)).date()


def words(html: str) -> str:
    """What a page says, without its tags."""
    return " ".join(unescape(re.sub(r"<[^>]+>", " ", html)).split())


def events(office: Office, event: str) -> list[str]:
    """The subjects of an event in the audit log."""
    with office.store.reading() as connection:
        return [row["subject"] for row in entries(connection, "audit") if row["event"] == event]


# ---------------------------------------------------------------- the picture


def test_the_heat_map_says_each_state_with_a_sign_and_a_word(office: Office, sam: FlaskClient) -> None:
    """Each cell is what the store tells of that unit and month, in words also where no colour is seen."""
    html = sam.get(f"/overview/{MONTH}").text
    heat = months(office, today=now_here(office), month=MONTH)
    table = re.search(r'<table class="heat">.*?</table>', html, re.DOTALL)
    assert table
    shown = re.findall(r'class="cell is-([a-z-]+)".*?aria-hidden="true">(.)</span><span class="visually-hidden">([^:<]+)', table[0], re.DOTALL)
    with web_app(office).test_request_context("/"):
        expected = [(cell.state, SIGNS[cell.state], state_name(cell.state)) for row in heat.rows for cell in row.cells]
    assert shown == expected


def test_every_chart_has_its_table(sam: FlaskClient) -> None:
    """A chart is hidden from screen readers, and its numbers stand in a table beside it."""
    html = sam.get(f"/overview/{MONTH}").text
    charts = re.findall(r'<section class="panel".*?</section>', html, re.DOTALL)
    assert len(charts) == 2
    assert all('aria-hidden="true"' in chart and re.search(r"<details>.*<table.*<caption>", chart, re.DOTALL) for chart in charts)
    assert '<th scope="row">opened this month</th><td class="number">2</td>' in charts[1]


def test_nothing_on_these_pages_breaks_the_policy(sam: FlaskClient) -> None:
    """No inline style, no inline script, and names are escaped."""
    for path in (f"/overview/{MONTH}", f"/overview/{MONTH}/findings", f"/overview/{MONTH}/follow-ups?show=all", f"/overview/{MONTH}/monitoring", "/overview/exports"):
        answer = sam.get(path)
        assert answer.status_code == 200
        assert not re.search(r"\sstyle=|<style|\son[a-z]+=|<script(?![^>]*\ssrc=)", answer.text), path
        assert "Toddlers <b>" not in answer.text
        assert answer.headers["Cache-Control"] == "no-store"


def test_a_cell_leads_to_the_units_place_on_the_months_page(tmp_path: Path, blanks: Path) -> None:
    """Also where a site has more units than a page of the month shows."""
    office = open_test_office(tmp_path, blanks)
    enrol(office, [child(number, unit=f"Room {number:02d}") for number in range(1, 28)])
    sam = signed_in(web_app(office), office, person(office, "sam", "supervisor"))
    with office.store.reading() as connection:
        last = read_units(connection)[-1]
    answer = sam.get(f"/overview/unit/{last.id}/{MONTH}")
    assert answer.status_code == 302
    assert answer.location.endswith(f"#unit-{last.id}")
    assert f'id="unit-{last.id}"' in sam.get(answer.location).text
    office.store.engine.dispose()


def test_the_heat_map_is_paged(tmp_path: Path, blanks: Path) -> None:
    """Of many units only a page is drawn, and every unit stands on one of them."""
    office = open_test_office(tmp_path, blanks)
    enrol(office, [child(number, unit=f"Room {number:02d}") for number in range(1, 51)])
    sam = signed_in(web_app(office), office, person(office, "sam", "supervisor"))
    pages = [re.findall(r'<tr><th scope="row">(Room \d\d)</th>', sam.get(f"/overview/{MONTH}?from={first}").text) for first in (0, 40)]
    assert [len(page) for page in pages] == [40, 10]
    assert sorted(pages[0] + pages[1]) == [f"Room {number:02d}" for number in range(1, 51)]
    assert "1 to 40 of 50" in words(sam.get(f"/overview/{MONTH}").text)
    office.store.engine.dispose()


def test_an_empty_agency_is_told_what_comes_first(tmp_path: Path, blanks: Path) -> None:
    office = open_test_office(tmp_path, blanks)
    sam = signed_in(web_app(office), office, person(office, "sam", "supervisor"))
    assert "There are no units yet." in words(sam.get("/overview").text)
    for path in (f"/overview/{MONTH}/findings", f"/overview/{MONTH}/follow-ups", f"/overview/{MONTH}/monitoring"):
        assert sam.get(path).status_code == 200
    office.store.engine.dispose()


@pytest.mark.parametrize("path", ["/overview?site=Nowhere", "/overview/2026-13", "/overview/1800-01", f"/overview/unit/999/{MONTH}", f"/overview/{MONTH}/findings?site=Nowhere", f"/overview/{MONTH}/monitoring?site=Nowhere"])
def test_what_is_not_there_is_not_found(sam: FlaskClient, path: str) -> None:
    answer = sam.get(path)
    assert answer.status_code == 404
    assert "There is nothing here, or it is not yours to see." in answer.text


@pytest.mark.parametrize("role", [role for role in ROLES if role != "supervisor"])
def test_only_supervisors_see_it(office: Office, role: Any) -> None:
    """Every page and every table is refused to every other role."""
    other = signed_in(web_app(office), office, person(office, "eve", role, units=["Preschool 1"]))
    paths = ("/overview", f"/overview/{MONTH}/findings", f"/overview/{MONTH}/follow-ups", f"/overview/{MONTH}/monitoring", "/overview/exports", f"/overview/unit/1/{MONTH}")
    assert {other.get(path).status_code for path in paths} == {403}
    assert send_form(other, "/overview/exports", {"what": "actions", "month": MONTH}).status_code == 403
    assert send_form(other, f"/overview/{MONTH}/monitoring", {}).status_code == 403
    assert not events(office, "exported")


# ---------------------------------------------------------------- findings, follow-ups


def test_findings_lead_to_all_their_places(office: Office, sam: FlaskClient) -> None:
    """The list of a kind has each place with its unit, and no remedy that only a terminal knows."""
    picture = status(office, MONTH, today=now_here(office))
    for code in {found.code for found in picture.findings}:
        said = words(sam.get(f"/overview/{MONTH}/findings?code={code}").text)
        for found in picture.findings:
            if found.code == code and found.unit:
                assert found.unit in said
        assert "formsvc plan" not in said
        assert "formsvc month" not in said
    assert "formsvc plan" not in words(sam.get(f"/overview/{MONTH}").text)


def test_a_site_narrows_everything(sam: FlaskClient) -> None:
    said = words(sam.get(f"/overview/{MONTH}/findings?site=Cedar Hall").text)
    assert "Preschool 1" in said
    assert "Toddlers" not in said


def order_of(html: str) -> list[str]:
    """The actions of a page, from above."""
    return [unescape(text) for text in re.findall(r'<td class="what">(.*?)</td>', html)]


def test_follow_ups_are_sorted_by_links(sam: FlaskClient) -> None:
    """Each head that sorts is a link; pressing it again turns the order round; the head says which way it is."""
    path = f"/overview/{MONTH}/follow-ups?show=all"
    early, late = "Call the clinic", '=HYPERLINK("http://x")'
    assert order_of(sam.get(path).text) == [early, late]
    link = unescape(next(iter(re.findall(r'aria-sort="ascending"><a href="([^"]+)"', sam.get(path).text))))
    assert order_of(sam.get(link).text) == [late, early]
    assert 'aria-sort="descending"' in sam.get(link).text
    assert order_of(sam.get(f"{path}&sort=who").text) == [early, late]
    assert order_of(sam.get(f"{path}&sort=who&down=1").text) == [late, early]
    assert order_of(sam.get(f"{path}&sort=nonsense").text) == [early, late]


def test_a_list_of_children_is_noted_once_an_hour(office: Office, sam: FlaskClient) -> None:
    """Whoever looks at a list that names children stands in the log, once for each hour."""
    for _ in range(3):
        sam.get(f"/overview/{MONTH}/follow-ups")
    sam.get(f"/overview/{MONTH}/monitoring")
    assert len([subject for subject in events(office, "seen") if subject == f"follow-ups:{MONTH}"]) <= 2
    assert set(events(office, "seen")) == {f"follow-ups:{MONTH}", f"monitoring:{MONTH}"}


# ---------------------------------------------------------------- monitoring


def first_due(office: Office) -> dict[str, str]:
    """The first thing that is to be monitored, as its form on the page sends it."""
    item = due(office, date(2027, 7, 1))[0]
    return {"kind": item.kind, "subject": item.subject, "due": item.due.isoformat(), "done_on": now_here(office).isoformat(), "by": "Ottoline Reed"}


def test_what_is_marked_as_done_is_not_due_any_more(office: Office, sam: FlaskClient) -> None:
    """It is recorded with its day and person; marking it again changes nothing and says so."""
    given, path = first_due(office), "/overview/2027-07/monitoring"
    before = len(due(office, now_here(office), until=date(2027, 7, 31)))
    assert "Noted as done" in send_form(sam, path, given, follow_redirects=True).text
    assert len(due(office, now_here(office), until=date(2027, 7, 31))) == before - 1
    assert events(office, "monitored") == [given["subject"]]
    assert "is noted as done already" in send_form(sam, path, given, follow_redirects=True).text
    assert events(office, "monitored") == [given["subject"]]


def test_several_are_marked_at_once_or_none(office: Office, sam: FlaskClient) -> None:
    """What was ticked is noted with one day and person; where one of them is not due nothing is written."""
    path = "/overview/2027-07/monitoring"
    ticks = re.findall(r'form="several" name="item" value="([^"]+)"', sam.get(path).text)[:3]
    assert len(ticks) == 3
    given = {"several": "1", "done_on": now_here(office).isoformat(), "by": "Ottoline Reed"}
    for wrong in ([], [ticks[0], "nothing|child:999|2026-01-01"], ["nothing"]):
        assert "Not done." in send_form(sam, path, given | {"item": wrong}, follow_redirects=True).text
    assert not events(office, "monitored")
    assert "Noted as done: 3." in send_form(sam, path, given | {"item": ticks}, follow_redirects=True).text
    assert sorted(events(office, "monitored")) == sorted(tick.split("|")[1] for tick in ticks)


@pytest.mark.parametrize("changes", [{"subject": "child:999"}, {"subject": "grantee"}, {"kind": "nothing"}, {"due": "2001-01-01"}, {"done_on": "soon"}, {"done_on": "2999-01-01"}, {"done_on": ""}])
def test_only_what_is_asked_for_can_be_marked(office: Office, sam: FlaskClient, changes: dict[str, str]) -> None:
    """An invented subject, kind or day, and a day to come, are refused; nothing is written."""
    answer = send_form(sam, "/overview/2027-07/monitoring", first_due(office) | changes, follow_redirects=True)
    assert "Not done." in answer.text
    assert not events(office, "monitored")


# ---------------------------------------------------------------- exports


def export(client: FlaskClient, what: str, face: str = "csv", **more: str) -> Any:
    """A table as the page asks for it."""
    return send_form(client, "/overview/exports", {"what": what, "face": face, "month": MONTH, **more})


@pytest.mark.parametrize("what", ["actions", "case-notes", "monitoring", "disclosures"])
@pytest.mark.parametrize("face", ["csv", "xlsx"])
def test_each_table_comes_as_a_file_and_is_noted(office: Office, sam: FlaskClient, what: str, face: str) -> None:
    """Attachment, never kept by a browser, with no name of a person in the file's name; the log tells that it left."""
    answer = export(sam, what, face)
    assert answer.status_code == 200
    assert re.fullmatch(rf"attachment; filename={what}-[\d-]+\.{face}", answer.headers["Content-Disposition"])
    assert answer.headers["Cache-Control"] == "no-store"
    assert [subject.partition(":")[0] for subject in events(office, "exported")] == [what]


def test_what_people_wrote_is_never_a_formula(sam: FlaskClient) -> None:
    """A text like a formula is guarded in CSV and a plain text in Excel."""
    rows = list(csv.reader(io.StringIO(export(sam, "actions", which="all").data.decode("utf-8-sig"))))
    cells = [cell for row in rows for cell in row if "HYPERLINK" in cell]
    assert cells == ["'=HYPERLINK(\"http://x\")"]
    book = CalamineWorkbook.from_filelike(io.BytesIO(export(sam, "actions", "xlsx", which="all").data)).get_sheet_by_index(0).to_python()
    assert [cell for row in book for cell in row if "HYPERLINK" in str(cell)] == ['=HYPERLINK("http://x")']
    assert b"<f>" not in export(sam, "actions", "xlsx", which="all").data


@pytest.mark.parametrize("given", [{"what": "passwords"}, {"face": "exe"}, {"month": "2026-99"}])
def test_no_other_table_can_be_asked_for(sam: FlaskClient, given: dict[str, str]) -> None:
    assert send_form(sam, "/overview/exports", {"what": "actions", "face": "csv", "month": MONTH, **given}).status_code == 404


def test_looking_at_the_page_exports_nothing(office: Office, sam: FlaskClient) -> None:
    """A GET changes nothing, and an export without the page's token is refused."""
    sam.get("/overview/exports?what=actions")
    assert sam.post("/overview/exports", data={"what": "actions"}).status_code == 400
    assert not events(office, "exported")
