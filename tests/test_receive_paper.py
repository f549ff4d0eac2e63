"""Paper into the record: prints and scans count like forms, doubts wait for a person, a binder becomes several returns."""

import io
import re
from datetime import date
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
from PIL import Image

from benchmarks.scans.images import to_files
from formsvc.errors import Refused
from formsvc.model.paper import matrix_box, qr_box
from formsvc.model.stamp import in_words
from formsvc.office.corrections import gather_corrections
from formsvc.office.erase import erase_child
from formsvc.office.incoming import Found
from formsvc.office.look import look_of, page_picture, spots
from formsvc.office.office import Office
from formsvc.office.receive import receive
from formsvc.office.record import read_record
from formsvc.office.review import correct_sheet, decide, place, waiting
from formsvc.office.verify import verify
from formsvc.parsers.page import EMPTY, MARKED, VOID
from formsvc.parsers.raster import Gray
from formsvc.parsers.register import stamp_slots
from formsvc.store.log import entries
from formsvc.store.papers import Document, find_return
from formsvc.typist import type_into
from formsvc.web.leaves import window
from tests.offices import child, documents, enrol, issue, open_test_office, plan, record
from tests.producers import pdfium
from tests.test_scans import pages_of, scanned
from tests.web import person, send, signed_in, web_app


@pytest.fixture
def office(tmp_path: Path, blanks: Path) -> Office:
    """A class of two children."""
    office = open_test_office(tmp_path, blanks)
    enrol(office, [child(1), child(2)])
    plan(office, date(2026, 11, 12))
    return office


def paper(office: Office, form: str) -> tuple[Document, bytes]:
    """A paper of the month, as it was issued."""
    document = documents(issue(office, "2026-11"), form)[0]
    return document, office.store.vault.get(document.file)


TYPED: dict[str, str | bool] = {"conference_date": "11/12/2026", "attendance-0-present": True, "children-0-support_needed": True, "children-0-discussion_points": "Speaks little at home.", "children-0-follow_up_action": "Hearing check", "children-0-target_date": "12/01/2026"}


def test_a_print_counts_like_the_form_it_was(office: Office) -> None:
    """Filled in on screen, printed to PDF: the same record, and the form itself afterwards tells nothing new."""
    worksheet, issued = paper(office, "worksheet")
    typed = type_into(issued, TYPED)
    receipt = receive(office, Found(name="print.pdf", content=pdfium(typed)))
    assert (receipt.state, receipt.document) == ("counted", worksheet.id)
    rows: Any = record(office, worksheet)["children"]
    assert rows[0]["support_needed"] is True
    assert rows[0]["discussion_points"] == "Speaks little at home."
    assert rows[0]["target_date"] == "2026-12-01"
    before = record(office, worksheet)
    again = receive(office, Found(name="form.pdf", content=typed))
    assert (again.state, again.changed) == ("counted", False)
    assert record(office, worksheet) == before
    assert list(verify(office)) == []


def scrawled(office: Office) -> tuple[Document, list[Gray]]:
    """A worksheet of two children, and its pages at 300 dpi with a hand's scrawl where the first child is discussed."""
    worksheet, issued = paper(office, "worksheet")
    pictures = pages_of(issued)
    high = pictures[0].shape[0]
    layout = office.service.compiled(office.service.form("worksheet"), worksheet.snapshot, "en", {"children": 2}).layout
    left, _, right, top = layout.by_name["children-0-discussion_points"].box
    rng = np.random.default_rng(4)
    for row in range(3):
        y = round(high - (top - 6 - 9 * row) * 300 / 72)
        for column in range(round((left + 4) * 300 / 72), round((right - 30) * 300 / 72), 9):
            dip = int(rng.integers(-14, 14))
            pictures[0][y + dip : y + dip + 6, column : column + 7] = 40
    return worksheet, pictures


@pytest.mark.parametrize("turn", [1, 2, 3])
def test_what_is_asked_about_is_shown_the_way_up_that_it_is_read(office: Office, turn: int) -> None:
    """A scan that was laid on its side or head: the part of its page beside the question, turned upright, shows the scrawl."""
    worksheet, pictures = scrawled(office)
    receipt = receive(office, Found(name="scan.pdf", content=scanned([np.rot90(picture, turn).copy() for picture in pictures])))
    assert receipt.state == "counted"
    view = read_record(office, worksheet.sheet, "en")
    asked = next(one for one in view.questions if one.cell.endswith("/discussion_points"))
    spot = spots(office, view.questions, view.returns)[asked.number]
    assert (spot.turn, spot.cut.page) == (turn, 1)
    left, top, wide, high = window(spot)
    assert (left > 0, top > 0, wide > high) == (True, True, True)
    upright_size = spot.size if turn % 2 == 0 else spot.size[::-1]
    assert left + wide < upright_size[0]
    assert top + high < upright_size[1]
    picture = np.asarray(Image.open(io.BytesIO(page_picture(office, view.returns[0].file, 1))).convert("L"))
    scale = picture.shape[1] / spot.size[0]
    left, top, wide, high = (round(side * scale) for side in spot.cut.box)
    part = np.rot90(picture[top : top + high, left : left + wide], -turn)
    whole = cv2.resize(pictures[0], None, fx=scale * 72 / 300, fy=scale * 72 / 300, interpolation=cv2.INTER_AREA)
    found = cv2.matchTemplate(cv2.GaussianBlur(whole, (0, 0), 1.5), cv2.GaussianBlur(np.ascontiguousarray(part), (0, 0), 1.5), cv2.TM_CCOEFF_NORMED)
    assert float(found.max()) > 0.9
    assert part.shape[1] > 1.5 * part.shape[0]
    assert float((part < 120).mean()) > 0.015


def test_a_box_that_is_asked_about_is_shown_and_answered_with_a_button(office: Office) -> None:
    """On the page of a record: the part of the paper beside the question, and yes and no to press; what was pressed counts."""
    worksheet, issued = paper(office, "worksheet")
    pictures = pages_of(issued)
    layout = office.service.compiled(office.service.form("worksheet"), worksheet.snapshot, "en", {"children": 2}).layout
    high = pictures[0].shape[0]
    left, bottom, right, top = (side * 300 / 72 for side in layout.by_name["children-0-support_needed"].box)
    pictures[0][round(high - top) + 2 : round(high - bottom) - 2, round(left) + 2 : round(right) - 2] = 50  # filled in solid, and nothing else marked
    receive(office, Found(name="scan.pdf", content=scanned([np.rot90(picture).copy() for picture in pictures])))
    asked = next(one for one in waiting(office) if one.cell.endswith("/support_needed"))
    client = signed_in(web_app(office), office, person(office, "ana", "staff", units=["Preschool 1"]))
    html = client.get(f"/review/sheet/{worksheet.sheet}").text
    question = html[html.index(f'id="q-{asked.number}"') :].partition("</section>")[0]
    assert 'class="part"' in question
    assert "rotate(90)" in question
    assert [label in question for label in ('value="=✓"', 'value="=no"', "not ticked")] == [True, True, True]
    assert "Something else" not in question
    assert send(client, f"/review/question/{asked.number}", {"choice": "=✓"}).status_code == 302
    rows: Any = record(office, worksheet)["children"]
    assert rows[0]["support_needed"] is True
    assert asked.number not in [one.number for one in waiting(office)]


def test_what_is_doubtful_on_a_scan_waits_with_its_place(office: Office) -> None:
    """Nothing below full confidence enters the record without a person; the person sees where it stands."""
    worksheet, pictures = scrawled(office)
    wide = pictures[0].shape[1]
    content = scanned(pictures)
    receipt = receive(office, Found(name="scan.pdf", content=content))
    assert receipt.state == "counted"
    questions = {one.cell.rpartition("/")[2]: one for one in waiting(office)}
    asked = [one for one in waiting(office) if one.code in ("text-doubtful", "text-unread") and "discussion_points" in one.cell]
    assert len(asked) == 1, questions
    assert "discussion_points" not in (record(office, worksheet).get("children") or [{}])[0]  # type: ignore[index]
    with office.store.reading() as connection:
        back = find_return(connection, office.store.vault.name_of(content))
    assert back is not None
    assert back.source == "scan"
    page, box = look_of(office, back.file).places["children-0-discussion_points"]
    assert page == 1
    assert 0 < box[0] < box[2] < wide * 72 / 300
    decide(office, asked[0].number, "=Sleeps badly.")
    rows: Any = record(office, worksheet)["children"]
    assert rows[0]["discussion_points"] == "Sleeps badly."
    assert list(verify(office)) == []


def test_what_lies_on_a_field_is_told(office: Office) -> None:
    """A note stuck over half of an answer, and over an empty field: neither counts as read, or as empty."""
    worksheet, issued = paper(office, "worksheet")
    pictures = pages_of(type_into(issued, {"children-0-discussion_points": "Speaks little at home, and sings in the circle."}))
    layout = office.service.compiled(office.service.form("worksheet"), worksheet.snapshot, "en", {"children": 2}).layout
    high = pictures[0].shape[0]
    for name in ("children-0-discussion_points", "children-1-discussion_points"):
        left, bottom, right, top = (side * 300 / 72 for side in layout.by_name[name].box)
        pictures[0][round(high - top) - 20 : round(high - bottom) + 20, round((left + right) / 2) : round(right) + 30] = 250
    receive(office, Found(name="scan.pdf", content=scanned(pictures)))
    asked = {one.cell.rpartition("/")[0][-1]: one.code for one in waiting(office) if one.cell.endswith("/discussion_points")}
    assert sorted(asked.values()) == ["field-covered", "field-covered"]
    rows: Any = record(office, worksheet).get("children") or [{}]
    assert not any("discussion_points" in row for row in rows)


def without_codes(office: Office, worksheet: Document, pictures: list[Gray]) -> list[Gray]:
    """Pages at 300 dpi whose codes something covers."""
    layout = office.service.compiled(office.service.form("worksheet"), worksheet.snapshot, "en", {"children": 2}).layout
    for number, picture in enumerate(pictures, start=1):
        first, second = stamp_slots(layout, number)
        for left, bottom, right, top in (qr_box(first.box), matrix_box(second.box)):
            high = picture.shape[0]
            picture[round(high - top * 300 / 72) : round(high - bottom * 300 / 72), round(left * 300 / 72) : round(right * 300 / 72)] = 255
    return pictures


@pytest.mark.parametrize("turn", [0, 1])
def test_without_codes_the_words_beside_them_count(office: Office, turn: int) -> None:
    """Both codes covered: the page says in words what it is, and a person says whether that is true."""
    worksheet, issued = paper(office, "worksheet")
    typed = type_into(issued, {"children-0-support_needed": True, "children-0-target_date": "12/01/2026"})
    pictures = without_codes(office, worksheet, pages_of(typed))
    receipt = receive(office, Found(name="scan.pdf", content=scanned([np.rot90(picture, turn).copy() for picture in pictures])))
    assert receipt.state == "waiting"
    asked = waiting(office)
    assert [one.code for one in asked] == ["stamp-unverified"]
    assert asked[0].return_id is not None
    place(office, asked[0].return_id)
    rows: Any = record(office, worksheet)["children"]
    assert rows[0]["support_needed"] is True
    assert rows[0]["target_date"] == "2026-12-01"
    assert list(verify(office)) == []


def test_words_of_a_document_that_nobody_knows_are_told(office: Office) -> None:
    """Without codes and without a store that has the document, its id is all that can be said."""
    worksheet, issued = paper(office, "worksheet")
    content = scanned(without_codes(office, worksheet, pages_of(issued)))
    with pytest.raises(Refused, match=re.escape(in_words(worksheet.id))) as refused:
        office.service.read(content)
    assert refused.value.code == "flattened-print"


def test_what_people_decide_about_boxes_teaches_the_reader(office: Office) -> None:
    """Decided and confirmed boxes come out as the trainer takes them: the box, not what a hand wrote beside it, and no word about anybody."""
    worksheet, issued = paper(office, "worksheet")
    typed = type_into(issued, {"children-0-support_needed": True})
    pictures = pages_of(typed)
    high, layout = pictures[0].shape[0], office.service.compiled(office.service.form("worksheet"), worksheet.snapshot, "en", {"children": 2}).layout
    for row in range(2):  # a hand beside both boxes, as near as hands write
        _, bottom, right, top = (side * 300 / 72 for side in layout.by_name[f"children-{row}-support_needed"].box)
        pictures[0][round(high - top) - 8 : round(high - bottom) + 8, round(right) + 40 : round(right) + 130] = 60
    content = scanned(pictures)
    assert receive(office, Found(name="scan.pdf", content=content)).state == "counted"
    for one in waiting(office):
        decide(office, one.number, "ok")
    for row, text in ((0, "✓"), (1, "no")):
        correct_sheet(office, worksheet.sheet, f"children-{row}-support_needed", text)
    found = gather_corrections(office)
    assert (found.papers, found.unread) == (1, 0)
    data = np.load(io.BytesIO(found.content()))
    assert set(data.files) == {"crops", "blanks", "labels"}
    labels = data["labels"].tolist()
    assert labels.count(MARKED) == 1
    assert labels.count(EMPTY) + labels.count(VOID) == len(labels) - 1 >= 1
    marked = labels.index(MARKED)
    ours, blank = data["crops"][marked].astype(int), data["blanks"][marked].astype(int)
    assert np.abs(ours - blank)[20:55, 24:60].max() > 100, "the tick is there"
    assert np.abs(ours - blank)[:, 66:].max() == 0, "the hand beside it is not"
    with office.store.reading() as connection:
        entry = next(one for one in entries(connection, "audit") if one["event"] == "exported")
    assert entry["facts"] == {"rows": len(labels)}
    erase_child(office, "C-1", "the family asked", on=date(2026, 11, 20), on_request=True)
    assert gather_corrections(office).papers == 0


@pytest.mark.parametrize("kind", ["pdf", "jpeg", "tiff"])
def test_two_documents_on_one_page_are_two_returns(office: Office, kind: Any) -> None:
    """Laid on the glass side by side: neither is taken for the other, or for the same file again."""
    worksheet, first = paper(office, "worksheet")
    follow_up = documents(issue(office, "2026-11"), "case-management")[0]
    both = np.vstack([pages_of(first)[0], pages_of(office.store.vault.get(follow_up.file))[0]])
    content = to_files([both[::2, ::2].copy()], kind, dpi=150)
    receipt = receive(office, Found(name=f"both.{kind}", content=content))
    assert {part.document: part.state for part in receipt.parts} == {worksheet.id: "counted", follow_up.id: "counted"}
    assert {part.state for part in receive(office, Found(name="again", content=content)).parts} == {"again"}
    assert list(verify(office)) == []


def test_a_binder_becomes_returns_of_its_documents(office: Office) -> None:
    """Two papers and a foreign page in one scan: each is taken in by itself; the same binder again changes nothing."""
    worksheet, first = paper(office, "worksheet")
    follow_up = documents(issue(office, "2026-11"), "case-management")[0]
    second = office.store.vault.get(follow_up.file)
    foreign = np.full_like(pages_of(first)[0], 245)
    foreign[400:1500:50, 300:2000] = 30
    content = scanned([*pages_of(second), foreign, *pages_of(first)])
    receipt = receive(office, Found(name="binder.pdf", content=content))
    told = {part.document: part.state for part in receipt.parts}
    assert told == {follow_up.id: "counted", worksheet.id: "counted", "": "waiting"}
    assert receipt.state == "waiting"
    again = receive(office, Found(name="binder again.pdf", content=content))
    assert {part.state for part in again.parts} == {"again"}
    retried = receive(office, Found(name="binder.pdf", content=content), again=True)  # the worker died when all of it was stored
    assert [(part.document, part.state, part.answers, part.questions) for part in retried.parts] == [(part.document, part.state, part.answers, part.questions) for part in receipt.parts]
    assert retried.state == receipt.state
    assert list(verify(office)) == []
