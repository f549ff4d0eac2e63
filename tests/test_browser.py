"""Whole stories in a real Chromium against a real server: staff, review, two people, a telephone, Spanish, the keyboard alone."""

import os
import re
from datetime import date
from pathlib import Path
from typing import Any

import pikepdf
import pytest
from playwright.sync_api import Page, expect

from formsvc.model.procedure import month_of
from formsvc.model.record import Values
from formsvc.store.papers import find_document, latest_revision, newest_documents, read_sheets
from formsvc.typist import type_into
from tests.site import AXE, Enter, Site, axe

pytest_plugins = ["tests.browser"]
pytestmark = [pytest.mark.xdist_group("browser")]
MONTH = month_of(date.today())  # noqa: DTZ011  (the sample is of the running month)


def sheets(site: Site, form: str) -> list[tuple[int, str]]:
    """The papers of a form: sheet and newest document, in order of their units."""
    with site.behind() as office, office.store.reading() as connection:
        found = read_sheets(connection, month=MONTH, form=form)
        newest = newest_documents(connection, [sheet.id for sheet in found])
    return [(sheet.id, newest[sheet.id].id) for sheet in found]


def values(site: Site, document: str) -> Values:
    """The record of a document."""
    with site.behind() as office, office.store.reading() as connection:
        found = find_document(connection, document)
        revision = latest_revision(connection, found.sheet) if found else None
    return revision.values if revision else {}


def upload(page: Page, *files: Path) -> None:
    """Send files with the page's own script and wait until all were read."""
    page.goto("/uploads")
    page.set_input_files("#files", [str(file) for file in files])
    page.get_by_role("button", name="Upload", exact=True).click()
    page.wait_for_url("**/uploads/*")
    expect(page.locator("#working")).to_have_count(0, timeout=30_000)


def test_download_fill_upload_review_record(site: Site, enter: Enter, tmp_path: Path) -> None:
    """A form is downloaded, typed into with Chrome's PDF engine, uploaded twice differently, decided in review, and is the record."""
    page = enter("ana")
    page.goto("/month")
    with page.expect_download() as started:
        page.locator(".paper", has_text="Case Conferencing Worksheet").first.get_by_role("link", name=re.compile("^PDF")).click()
    blank = Path(started.value.path()).read_bytes()
    document = sheets(site, "worksheet")[0][1]
    copies = []
    for number, text in enumerate(("Hearing should be checked.", "Speech should be checked, and hearing too.")):
        answers: dict[str, str | bool] = {"conference_date": f"{MONTH[5:]}/12/{MONTH[:4]}", "children-0-support_needed": True, "children-0-discussion_points": text, "children-0-follow_up_action": "Call the clinic"}
        copies.append(tmp_path / f"copy-{number}.pdf")
        copies[-1].write_bytes(type_into(blank, answers))
    upload(page, *copies)
    assert page.locator(".receipt .state.counted").count() == 2
    page.goto("/review")
    page.locator("main .panel h2 a").first.click()
    question = page.locator(".question", has_text="Discussion points")
    expect(question).to_be_visible()
    question.focus()
    expect(page.locator(".leaf rect.on")).to_have_count(1)  # the place on the page is shown
    choice = question.get_by_role("button", name=re.compile("Hearing should be checked"))
    page.keyboard.press(choice.get_attribute("data-press") or "")
    expect(page.locator(".note.done")).to_contain_text("Decided")
    row: Any = values(site, document)["children"]
    assert row[0]["discussion_points"] == "Hearing should be checked."
    assert row[0]["follow_up_action"] == "Call the clinic"
    page.get_by_role("button", name=re.compile("^Undo")).first.click()
    expect(page.locator(".question", has_text="Discussion points")).to_be_visible()


def test_a_form_is_filled_in_on_screen_left_and_resumed(site: Site, enter: Enter) -> None:
    """What is typed is kept while one types; after leaving it is there again; saved it is the record, with what breaks a rule at its field."""
    page = enter("luz")
    sheet, document = sheets(site, "worksheet")[1]
    page.goto(f"/fill/{sheet}")
    page.get_by_label("Strengths").first.fill("Sings all day")
    expect(page.locator("#draft-state")).to_contain_text("Draft kept", timeout=10_000)
    page.goto("/month")
    page.goto(f"/fill/{sheet}")
    expect(page.get_by_text("This is your draft")).to_be_visible()
    assert page.get_by_label("Strengths").first.input_value() == "Sings all day"
    page.locator("#children-0-support_needed").check()
    page.keyboard.press("Control+s")
    expect(page.locator(".note.done")).to_contain_text("Saved")
    row: Any = values(site, document)["children"]
    assert (row[0]["strengths"], row[0]["support_needed"]) == ("Sings all day", True)
    problem = page.locator(".ask", has=page.locator("#children-0-follow_up_action")).locator(".problem")
    expect(problem.or_(page.locator("#n-children-0-support_needed")).first).to_contain_text("R6")


def test_two_people_at_the_same_form(site: Site, enter: Enter) -> None:
    """Two people save different answers: both stand. The same answer: the second one sees the first one's and decides."""
    sheet, document = sheets(site, "worksheet")[2]
    one, two = enter("luz"), enter("sam")
    for page in (one, two):
        page.goto(f"/fill/{sheet}")
    one.locator("#children-0-strengths").fill("Kind")
    one.get_by_role("button", name="Save", exact=True).click()
    expect(one.locator(".note.done")).to_contain_text("Saved")
    two.locator("#children-0-strengths").fill("Curious")
    two.locator("#recorder").fill("Sam Overbrook")
    two.get_by_role("button", name="Save", exact=True).click()
    expect(two.locator(".problem").first).to_contain_text("Kind")
    found: Any = values(site, document)
    assert (found["children"][0]["strengths"], found["recorder"]) == ("Kind", "Sam Overbrook")
    two.get_by_role("button", name="Save", exact=True).click()
    expect(two.locator(".note.done")).to_contain_text("Saved")
    found = values(site, document)
    assert found["children"][0]["strengths"] == "Curious"


def test_notes_become_a_protected_summary(enter: Enter, tmp_path: Path) -> None:
    """Notes are typed with a draft kept, saved, and leave as a PDF that opens with the passphrase shown once, and with nothing else."""
    page = enter("carla")
    page.goto("/cases")
    page.get_by_role("link", name=re.compile("N.F.")).first.click()
    page.get_by_role("link", name="Notes", exact=True).click()
    page.locator("textarea").first.fill("Everybody said who they are.")
    expect(page.locator("#draft-state")).to_contain_text("Draft kept", timeout=10_000)
    page.reload()
    expect(page.locator("textarea").first).to_have_value("Everybody said who they are.")
    page.get_by_role("button", name="Save the notes").click()
    expect(page.locator(".note.done")).to_be_visible()
    page.get_by_role("link", name="Summary", exact=True).click()
    page.get_by_role("button", name="Make the protected summary").click()
    passphrase = page.locator(".passphrase").inner_text()
    if AXE.exists():
        assert axe(page) == []
    with page.expect_download() as started:
        page.get_by_role("button", name=re.compile("Download the protected file")).click()
    file = tmp_path / "summary.pdf"
    started.value.save_as(file)
    assert "Fernwhistle" not in started.value.suggested_filename
    with pikepdf.open(file, password=passphrase) as pdf:
        assert len(pdf.pages) >= 1
    for wrong in ("", "wrong", passphrase[:-1]):
        with pytest.raises(pikepdf.PasswordError):
            pikepdf.open(file, password=wrong)
    page.goto(page.url)
    assert passphrase not in page.content()


def test_a_telephone(enter: Enter, site: Site) -> None:
    """On a narrow screen nothing is wider than it, and a form can be filled in and saved."""
    page = enter("luz", width=360, height=740)
    sheet = sheets(site, "worksheet")[1][0]
    for url in ("/month", f"/fill/{sheet}", "/uploads", "/review", f"/review/sheet/{sheet}?all=1", "/me"):
        page.goto(url)
        assert page.evaluate("document.documentElement.scrollWidth") <= 360, url
    page.goto(f"/fill/{sheet}")
    page.locator("#children-1-strengths").fill("Climbs")
    page.get_by_role("button", name="Save", exact=True).click()
    expect(page.locator(".note.done")).to_contain_text("Saved")


def test_spanish(enter: Enter) -> None:
    """The same pages in Spanish, chosen by the person and kept."""
    page = enter("luz")
    page.goto("/month")
    page.get_by_role("button", name="Español").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Este mes")
    assert page.locator("html").get_attribute("lang") == "es"
    page.get_by_role("button", name="English").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("This month")


def test_without_scripts(site: Site, enter: Enter, tmp_path: Path) -> None:
    """Sign-in, forms, uploads and review work where no script runs."""
    page = enter("ana", script=False)
    sheet, document = sheets(site, "worksheet")[0]
    page.goto(f"/fill/{sheet}")
    page.fill("#children-2-strengths", "Paints")
    page.click("button[value=save]")
    assert "Saved" in page.inner_text("main")
    page.click("button[value=more-children]")
    assert "This is your draft" in page.inner_text("main")
    (tmp_path / "a.pdf").write_bytes(type_into(content_of(site, document), {"children-3-strengths": "Dances"}))
    page.goto("/uploads")
    page.set_input_files("#files", str(tmp_path / "a.pdf"))
    page.click("#upload button")
    assert "What became of it" in page.inner_text("h1")


def content_of(site: Site, document: str) -> bytes:
    """A document as it was issued."""
    with site.behind() as office:
        with office.store.reading() as connection:
            found = find_document(connection, document)
        assert found is not None
        return office.store.vault.get(found.file)


def test_a_whole_flow_by_keyboard_alone(site: Site, enter: Enter) -> None:
    """Signing in, opening a form, writing, saving and signing out need no pointer, and the focus is always seen."""
    page = enter("luz")
    page.goto("/month")
    sheet = sheets(site, "case-management")[1][0]
    _tab_to(page, f'a[href="/fill/{sheet}"]')
    outline = page.evaluate("getComputedStyle(document.activeElement).outlineStyle")
    assert outline == "solid"
    page.keyboard.press("Enter")
    page.wait_for_url(f"**/fill/{sheet}")
    _tab_to(page, "#next_conference_date")
    page.keyboard.type(f"{MONTH[5:]}28{MONTH[:4]}")
    _tab_to(page, "button[value=save]")
    page.keyboard.press("Enter")
    expect(page.locator(".note.done")).to_contain_text("Saved")


def _tab_to(page: Page, selector: str) -> None:
    """Press Tab until the focus is there."""
    for _ in range(400):
        page.keyboard.press("Tab")
        if page.evaluate("(selector) => document.activeElement.matches(selector)", selector):
            return
    raise AssertionError(f"Tab never comes to {selector}")


_FIRST = {
    "ana": ["/month", "/review/sheet/1?all=1", "/nothing-here"], "luz": ["/month?site=Cedar+Hall"], "carla": ["/cases", "/cases/new"],
    "sam": ["/overview", "/month"], "ada": ["/admin/roster", "/admin/people"], "otto": ["/admin/logs"],
}
_NO_PAGE = re.compile(r"\.(pdf|zip|png|json)|/file$|/preview$|/papers\.zip|^/api/")


def kind_of(address: str) -> str:
    """What an address is of: numbers, months and ids stand for each other."""
    return re.sub(r"/(\d{4}-\d\d|[0-9A-Z]{10}|\d+|[0-9a-f]{12,})(?=/|$|\?)", "/N", address.partition("#")[0].partition("?")[0])


_CRAWLED = [(name, lang) for name in _FIRST for lang in ("en-US", "es-US") if lang == "en-US" or name == "carla" or os.environ.get("FORMSVC_CRAWL") == "all"]
"""Each role in English, coordinators in Spanish too; FORMSVC_CRAWL=all follows every link in both, which takes two minutes more."""


@pytest.mark.parametrize(("name", "lang"), _CRAWLED)
def test_axe_finds_nothing(enter: Enter, name: str, lang: str) -> None:
    """WCAG 2.2 A and AA and best practice: no violation on any page that links lead to, in either language."""
    if not AXE.exists():
        pytest.skip("axe-core is missing: npm ci --prefix tests/viewers")
    page = enter(name, lang=lang)
    waiting, seen = list(_FIRST[name]), set[str]()
    while waiting:
        url = waiting.pop(0)
        if kind_of(url) in seen or _NO_PAGE.search(url.partition("?")[0]):
            continue
        seen.add(kind_of(url))
        page.goto(url)
        assert axe(page) == [], url
        waiting += page.eval_on_selector_all("a[href^='/']", "links => links.map(link => link.getAttribute('href'))")
    assert len(seen) >= 4


def test_axe_finds_nothing_before_sign_in(enter: Enter, site: Site) -> None:
    """The same for the pages of signing in."""
    page = enter("ana")
    page.context.clear_cookies()
    page.goto("/sign-in")
    assert axe(page) == []
    assert site.url in page.url
