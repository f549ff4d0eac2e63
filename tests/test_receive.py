"""Receiving: counted once, in any order, or asked about; never lost, never half in."""

import io
import zipfile
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import date
from itertools import permutations
from pathlib import Path
from typing import Any

import pikepdf
import pytest
from PIL import Image
from sqlalchemy import text

from formsvc.errors import Refused
from formsvc.model.roster import StaffMember
from formsvc.office.importing import apply_import, read_import
from formsvc.office.incoming import Found, find_files
from formsvc.office.office import Office
from formsvc.office.receive import receive, renew_follow_up
from formsvc.office.review import correct, decide, drop, place, take_back, waiting
from formsvc.service import Service
from formsvc.settings import samples_folder
from formsvc.store.followup import read_actions
from formsvc.store.log import LOGS, entries, faults
from formsvc.store.papers import Document, read_revisions, read_sheet
from tests.offices import STAFF, child, discussed, documents, enrol, filled, issue, need, open_test_office, plan, record, revisions, row_counts, send

pytest_plugins = ["tests.servers"]


@pytest.fixture(params=["sqlite", "postgresql"])
def office(request: pytest.FixtureRequest, tmp_path: Path, blanks: Path) -> Iterator[Office]:
    """An office with three children, on both databases."""
    database = request.getfixturevalue("postgres_url") if request.param == "postgresql" else ""
    office = open_test_office(tmp_path / "data", blanks, database)
    enrol(office, [child(1), child(2), child(3)])
    yield office
    office.store.engine.dispose()


@pytest.fixture
def worksheet(office: Office) -> Document:
    return documents(issue(office, "2026-11"), "worksheet")[0]


def typed_over(content: bytes, field: str, text: str) -> bytes:
    """The document with another text in a field, as a viewer without our rules would let it be typed."""
    with pikepdf.open(io.BytesIO(content)) as pdf:
        for page in pdf.pages:
            for widget in page.obj.get("/Annots", []):
                if widget.get("/T") == field:
                    widget.V = pikepdf.String(text)
                    del widget["/AP"]
        out = io.BytesIO()
        pdf.save(out)
    return out.getvalue()


def unchanged(before: dict[str, int], after: dict[str, int]) -> bool:
    return before == after


# ---------------------------------------------------------------- counted once


def test_the_same_file_again_changes_nothing(office: Office, worksheet: Document) -> None:
    content = filled(office, worksheet, discussed("2026-11-12", (0, need("Call the clinic"))))
    assert receive(office, Found(name="a.pdf", content=content)).state == "counted"
    before = row_counts(office)
    assert receive(office, Found(name="b.pdf", content=content)).state == "again"
    assert unchanged(before, row_counts(office))


def test_the_same_answers_in_another_file_make_no_revision(office: Office, worksheet: Document) -> None:
    """A copy that a viewer saved anew is kept and says nothing new."""
    fill = discussed("2026-11-12", (0, need("Call the clinic")))
    first, second = send(office, worksheet, fill), send(office, worksheet, fill, salt="by another viewer")
    assert [(one.state, one.changed) for one in (first, second)] == [("counted", True), ("counted", False)]
    assert revisions(office, worksheet) == 1


def test_a_paper_that_comes_back_empty_makes_no_record(office: Office, worksheet: Document) -> None:
    assert (send(office, worksheet).changed, record(office, worksheet)) == (False, {})


def test_32_uploads_of_one_return_at_once_give_one_record(office: Office, worksheet: Document) -> None:
    content = filled(office, worksheet, discussed("2026-11-12", (0, need("Call the clinic"))))
    with ThreadPoolExecutor(32) as pool:
        receipts = list(pool.map(lambda number: receive(office, Found(name=f"{number}.pdf", content=content)), range(32)))
    assert sorted((receipt.state, receipt.code) for receipt in receipts) == [("again", "")] * 31 + [("counted", "")]
    assert (row_counts(office)["returns"], revisions(office, worksheet)) == (1, 1)


def test_different_returns_at_once_are_all_counted(office: Office, worksheet: Document) -> None:
    contents = [
        filled(office, worksheet, discussed("2026-11-12", (number % 3, {"strengths": f"Strength {number // 3}"} if number < 3 else {"areas": ["health"]})), salt=str(number)) for number in range(8)
    ]
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda content: receive(office, Found(name="x.pdf", content=content)), contents))
    rows: Any = record(office, worksheet)["children"]
    assert [row["strengths"] for row in rows] == ["Strength 0"] * 3
    assert [row.get("areas") for row in rows] == [["health"]] * 3


def test_the_order_of_arrival_does_not_matter(tmp_path: Path, blanks: Path) -> None:
    """Three returns, two of which contradict each other, in all six orders: one record, the same question."""
    fills = [
        discussed("2026-11-12", (0, need("Call")), (1, {"no_discussion_points": True})),
        discussed("2026-11-12", (0, need("Call the clinic")), (2, {"strengths": "Sings"})),
        discussed("2026-11-12", (1, {"no_discussion_points": True}), (2, {"strengths": "Sings"}), (3, {"child_name": "Somebody else"})),
    ]
    found = []
    for number, order in enumerate(permutations(fills)):
        office = open_test_office(tmp_path / str(number), blanks)
        enrol(office, [child(1), child(2), child(3)])
        worksheet = documents(issue(office, "2026-11"), "worksheet")[0]
        for fill in order:
            send(office, worksheet, fill)
        values = record(office, worksheet)
        found.append((values, sorted((one.code, one.what, tuple(sorted(str(value) for value, _ in one.choices))) for one in waiting(office))))
        office.store.engine.dispose()
    assert all(one == found[0] for one in found)
    assert [code for code, _, _ in found[0][1]] == ["conflict", "unknown-child"]


# ---------------------------------------------------------------- questions


def test_a_conflict_is_decided_undone_and_decided_again(office: Office, worksheet: Document) -> None:
    send(office, worksheet, discussed("2026-11-12", (0, need("Call"))))
    send(office, worksheet, discussed("2026-11-12", (0, need("Call the clinic"))))
    number = waiting(office)[0].number

    def now() -> Any:
        rows: Any = record(office, worksheet)["children"]
        return rows[0]["follow_up_action"], len(waiting(office))

    assert now() == ("Call the clinic", 1)
    decide(office, number, "1")
    assert now() == ("Call", 0)
    take_back(office, number)
    assert now() == ("Call the clinic", 1)
    decide(office, number, "=Call the dentist")
    assert now() == ("Call the dentist", 0)


def test_an_answer_that_cannot_be_read_waits_with_what_was_written(office: Office, worksheet: Document) -> None:
    """The date that was issued is not lost, and what was typed over it is in the question."""

    def fill(values: dict[str, Any]) -> None:
        values["conference_date"] = "2026-11-12"
        values["children"][0].update(need("Call the clinic"))

    content = typed_over(filled(office, worksheet, fill), "children-0-target_date", "soonish")
    receipt = receive(office, Found(name="a.pdf", content=content))
    assert receipt.state == "counted"
    codes = {one.code for one in waiting(office)}
    assert "unreadable-value" in codes
    question = next(one for one in waiting(office) if one.code == "unreadable-value")
    assert "soonish" in question.message
    decide(office, question.number, "=12/15/2026")
    rows: Any = record(office, worksheet)["children"]
    assert rows[0]["target_date"] == "2026-12-15"


def test_a_return_of_another_month_is_a_question_and_can_be_placed(office: Office, worksheet: Document) -> None:
    """Last month's paper used again: the conference date tells, and nothing is counted until somebody says where."""
    december = documents(issue(office, "2026-12"), "worksheet")[0]
    receipt = send(office, worksheet, discussed("2026-12-10", (0, need("Call the clinic"))))
    assert (receipt.state, record(office, worksheet)) == ("waiting", {})
    question = waiting(office)[0]
    assert (question.code, "2026-12" in question.message) == ("other-month", True)
    assert question.return_id is not None
    place(office, question.return_id, unit="Preschool 1", month="2026-12")
    rows: Any = record(office, december)["children"]
    assert rows[0]["follow_up_action"] == "Call the clinic"
    assert waiting(office) == ()


def test_a_return_that_we_did_not_issue_waits_and_can_be_placed(office: Office, worksheet: Document) -> None:
    """A blank from another installation with our key: its answers are kept."""
    stray = office.service.issue("worksheet", {"site": "Cedar Hall", "unit": "Preschool 1", "month": "2026-11", "children": [{"child_name": "Child 02", "child_id": "C-2", "strengths": "Sings"}]})
    receipt = receive(office, Found(name="a.pdf", content=stray.content))
    assert (receipt.state, waiting(office)[0].code) == ("waiting", "unknown-document")


def test_an_unknown_child_is_a_question_and_its_id_answers_it(office: Office, worksheet: Document) -> None:
    send(office, worksheet, discussed("2026-11-12", (3, {"child_name": "Somebody new", **need("Call the clinic")})))
    question = waiting(office)[0]
    assert question.code == "unknown-child"
    decide(office, question.number, "=Child 03")
    assert waiting(office) == ()


def test_a_roster_with_the_unknown_child_answers_the_question(office: Office, worksheet: Document, tmp_path: Path) -> None:
    send(office, worksheet, discussed("2026-11-12", (3, {"child_name": "Somebody New", **need("Call the clinic")})))
    file = tmp_path / "r.csv"
    file.write_text("Child ID,Child Name,Site,Classroom,Enrollment Date\nC-9,Somebody New,Cedar Hall,Preschool 1,11/02/2026\n", encoding="utf-8")
    apply_import(office, read_import(office, file, on=date(2026, 11, 14)))
    assert waiting(office) == ()
    with office.store.reading() as connection:
        assert [len(action.children) for action in read_actions(connection)] == [1]


def test_a_late_return_of_an_earlier_month_judges_the_later_ones_anew(office: Office) -> None:
    """December came first and was taken for the first conference (R2); then November arrives."""
    november, december = (documents(issue(office, month), "worksheet")[0] for month in ("2026-11", "2026-12"))
    with office.store.writing() as connection:
        connection.execute(text("UPDATE units SET start = '2026-11-20'"))

    def is_too_early() -> bool:
        with office.store.reading() as connection:
            return "conference-too-early" in {problem.code for problem in read_sheet(connection, december.sheet).problems}

    send(office, december, discussed("2026-12-10", (0, {"strengths": "Sings"})))
    assert is_too_early()
    send(office, november, discussed("2026-11-25", (0, {"strengths": "Sings"})))
    assert not is_too_early()


def test_a_dropped_return_does_not_count_and_is_kept(office: Office, worksheet: Document) -> None:
    send(office, worksheet, discussed("2026-11-12", (0, need("Wrong child"))))
    drop(office, 1, "filled in for another class")
    rows: Any = record(office, worksheet)["children"]
    assert "follow_up_action" not in rows[0]
    assert row_counts(office)["returns"] == 1


def without_page(content: bytes, number: int) -> bytes:
    """The document without one of its pages, as a scanner or a viewer loses it."""
    with pikepdf.open(io.BytesIO(content)) as pdf:
        lost = {widget.objgen for widget in pdf.pages[number].obj.get("/Annots", [])}
        pdf.Root.AcroForm.Fields = pikepdf.Array([field for field in pdf.Root.AcroForm.Fields if field.objgen not in lost])
        del pdf.pages[number]
        out = io.BytesIO()
        pdf.save(out)
    return out.getvalue()


def test_a_lost_page_empties_nothing_and_is_told(office: Office) -> None:
    """What was printed on a page that did not come back stays as it was issued."""
    enrol(office, [child(number, home_language="Twi") for number in range(4, 9)])
    worksheet = documents(issue(office, "2026-11"), "worksheet")[0]
    content = without_page(filled(office, worksheet, discussed("2026-11-12", (0, {"strengths": "Sings"}))), 1)
    assert receive(office, Found(name="a.pdf", content=content)).state == "counted"
    rows: Any = record(office, worksheet)["children"]
    assert [row.get("home_language") for row in rows] == [None] * 3 + ["Twi"] * 5
    assert rows[0]["strengths"] == "Sings"
    question = waiting(office)[0]
    assert question.code == "fields-missing"
    decide(office, question.number, "ok")
    assert waiting(office) == ()


def test_text_in_a_field_that_is_not_ours_is_a_question(office: Office, worksheet: Document) -> None:
    content = filled(office, worksheet, discussed("2026-11-12", (0, {"strengths": "Sings"})))
    with pikepdf.open(io.BytesIO(content)) as pdf:
        field = pdf.make_indirect(pikepdf.Dictionary(Type=pikepdf.Name.Annot, Subtype=pikepdf.Name.Widget, FT=pikepdf.Name.Tx, T="extra", V="Call the aunt", Rect=[10, 10, 50, 20], F=4))
        pdf.Root.AcroForm.Fields.append(field)
        pdf.pages[0].obj.Annots.append(field)
        out = io.BytesIO()
        pdf.save(out)
    receive(office, Found(name="a.pdf", content=out.getvalue()))
    questions = waiting(office)
    assert [question.code for question in questions] == ["unknown-field"]


def test_a_paper_whose_stamp_was_not_made_here_waits(office: Office, worksheet: Document, blanks: Path, tmp_path: Path) -> None:
    """Somebody else's key under a known document id: it counts only when a person says so."""
    forged = Service(replace(office.service.settings, key=b"another key of thirty-two bytes."))
    form = forged.form("worksheet")
    content = forged.fill(form, {**worksheet.snapshot, "recorder": "Nobody"}, lang="en", document=worksheet.id, rows={"children": 4}).content
    assert receive(office, Found(name="a.pdf", content=content)).state == "waiting"
    assert [(question.code, record(office, worksheet)) for question in waiting(office)] == [("stamp-unverified", {})]


def _photo() -> bytes:
    """A picture of something that is not ours."""
    image = Image.new("L", (1000, 1300), 240)
    for row in range(100, 1200, 40):
        image.paste(30, (100, row, 850, row + 12))
    memory = io.BytesIO()
    image.save(memory, "PNG")
    return memory.getvalue()


def test_a_scan_is_kept_and_asked_about(office: Office) -> None:
    receipt = receive(office, Found(name="scan.png", content=_photo()))
    assert (receipt.state, [one.code for one in waiting(office)]) == ("waiting", ["scan"])


def test_what_is_no_paper_is_refused_and_leaves_nothing(office: Office) -> None:
    before = row_counts(office)
    receipts = [receive(office, Found(name="x.pdf", content=content)) for content in (b"", b"hello", b"PK\x03\x04rest", b"%PDF-1.7 broken")]
    assert {receipt.state for receipt in receipts} == {"refused"}
    assert unchanged(before, row_counts(office))
    assert list(office.store.vault.names()) == []


def test_a_placed_paper_of_another_installation_is_matched_by_child_not_by_place(office: Office, worksheet: Document, tmp_path: Path, blanks: Path) -> None:
    """Its roster has another order: what was written about Child 03 stays with Child 03."""
    other = open_test_office(tmp_path / "other", blanks)
    enrol(other, [child(3), child(1), child(2)])
    paper = documents(issue(other, "2026-11"), "worksheet")[0]
    receive(office, Found(name="a.pdf", content=filled(other, paper, discussed("2026-11-12", (0, need("For child 03"))))))
    other.store.engine.dispose()
    place(office, 1, site="Cedar Hall", unit="Preschool 1", month="2026-11")
    rows: Any = record(office, worksheet)["children"]
    assert [(row["child_id"], row.get("follow_up_action")) for row in rows] == [("C-1", None), ("C-2", None), ("C-3", "For child 03")]


def test_a_typed_id_does_not_win_over_another_childs_name(office: Office, worksheet: Document) -> None:
    """A wrong id would file a child's notes under somebody else, perhaps at another site."""
    enrol(office, [child(7, site="Other site")])
    send(office, worksheet, discussed("2026-11-12", (3, {"child_name": "Zoe Park", "child_id": "C-7", **need("Secret of Zoe")})))
    with office.store.reading() as connection:
        assert [action.children for action in read_actions(connection)] == [()]
    assert [one.code for one in waiting(office)] == ["unknown-child"]


def test_two_hands_on_one_free_row_make_two_rows(office: Office, worksheet: Document) -> None:
    for name, answers in (("Zoe Park", need("Call")), ("Yan Hill", {"strengths": "Sings"})):
        send(office, worksheet, discussed("2026-11-12", (3, {"child_name": name, **answers})))
    rows: Any = record(office, worksheet)["children"]
    assert sorted((row["child_name"], row.get("strengths"), row.get("follow_up_action")) for row in rows[3:]) == [("Yan Hill", "Sings", None), ("Zoe Park", None, "Call")]


def test_a_later_edition_answers_what_it_was_printed_with(office: Office, worksheet: Document) -> None:
    """What an earlier edition said was printed on the later one, and changed there: no conflict."""

    def status(value: str) -> Any:
        def fill(values: dict[str, Any]) -> None:
            values["conference_date"] = "2026-11-12"
            values["actions"][0]["status"] = value

        return fill

    send(office, worksheet, discussed("2026-11-12", (0, need("Call the clinic"))))
    first = documents(issue(office, "2026-11"), "case-management")[0]
    send(office, first, status("in_progress"))
    enrol(office, [child(4)])
    send(office, worksheet, discussed("2026-11-12", (1, need("Read together"))))
    second = documents(issue(office, "2026-11"), "case-management")[0]
    assert second.edition > first.edition
    send(office, second, status("met"))
    assert waiting(office) == ()
    with office.store.reading() as connection:
        assert sorted((str(action.facts.get("status", "")), action.open) for action in read_actions(connection)) == [("", True), ("met", False)]


def test_what_a_dropped_return_said_leaves_the_record_although_it_was_printed_again(office: Office, worksheet: Document) -> None:
    send(office, worksheet, discussed("2026-11-12", (0, need("Call the clinic"))))
    form = documents(issue(office, "2026-11"), "case-management")[0]

    def wrong(values: dict[str, Any]) -> None:
        values["actions"][0] |= {"status": "met", "outcome": "Wrong child"}

    send(office, form, wrong)
    send(office, worksheet, discussed("2026-11-12", (1, need("Read together"))))
    assert documents(issue(office, "2026-11"), "case-management")[0].edition > form.edition
    drop(office, 2, "filled in for another class")
    assert "Wrong child" not in str(record(office, form))
    with office.store.reading() as connection:
        assert all(action.open for action in read_actions(connection))


def test_a_dropped_return_can_count_again(office: Office, worksheet: Document) -> None:
    send(office, worksheet, discussed("2026-11-12", (0, {"strengths": "Sings"})))
    drop(office, 1, "by mistake")
    place(office, 1)
    rows: Any = record(office, worksheet)["children"]
    assert rows[0]["strengths"] == "Sings"


def test_what_was_printed_on_the_edition_that_came_back_counts(office: Office, worksheet: Document) -> None:
    """The conference was planned anew and printed on an edition that never came back."""
    plan(office, date(2026, 11, 12))
    first = documents(issue(office, "2026-11"), "worksheet")[0]
    plan(office, date(2026, 11, 19))
    assert documents(issue(office, "2026-11"), "worksheet")[0].edition > first.edition
    send(office, first, lambda values: values["children"][0].update({"strengths": "Sings"}))
    assert record(office, first)["conference_date"] == "2026-11-12"


def test_attendance_is_of_people_not_of_places(office: Office, worksheet: Document) -> None:
    """A second educator joined and was printed on a later edition; the first one comes back."""
    enrol(office, [child(4, staff=(STAFF[0], StaffMember(role="educator", name="Second Educator"), *STAFF[1:]))])
    issue(office, "2026-11")

    def fill(values: dict[str, Any]) -> None:
        values["attendance"][1]["present"] = True
        values["children"][0]["strengths"] = "Sings"

    send(office, worksheet, fill)
    rows: Any = record(office, worksheet)["attendance"]
    assert [row["name"] for row in rows if row.get("present")] == ["Marcus Fennelworth"]


def test_a_choice_without_candidates_is_refused(office: Office, worksheet: Document) -> None:
    """A number or `issued` that means nothing must not empty a cell."""
    send(office, worksheet, discussed("2026-11-12", (3, {"child_name": "Somebody new", **need("Call the clinic")})))
    number = waiting(office)[0].number
    for choice in ("1", "issued", "=C-99"):
        with pytest.raises(Refused):
            decide(office, number, choice)
    assert "Somebody new" in str(record(office, worksheet))


def test_a_mistake_that_nobody_asks_about_can_be_corrected(office: Office, worksheet: Document) -> None:
    """A tick on the wrong row, a word too much: a person's value stands until another copy says something new."""
    send(office, worksheet, discussed("2026-11-12", (0, {"strengths": "Sings", "no_discussion_points": True})))
    where: dict[str, Any] = {"site": "Cedar Hall", "unit": "Preschool 1", "month": "2026-11", "form": "worksheet", "part": 1}
    assert correct(office, **where, field="children-0-strengths", text="Dances") == "1 Child 01, Strengths: Sings becomes Dances."
    assert "(empty)" in correct(office, **where, field="children-0-no_discussion_points", text="")
    rows: Any = record(office, worksheet)["children"]
    assert (rows[0]["strengths"], rows[0].get("no_discussion_points"), waiting(office)) == ("Dances", None, ())
    send(office, worksheet, discussed("2026-11-12", (0, {"strengths": "Paints"})))
    assert [one.what for one in waiting(office)] == ["Child 01: Strengths"]


@pytest.mark.parametrize(("field", "text", "code"), [("children-0-child_name", "Nobody", "field-unknown"), ("nothing", "x", "field-unknown"), ("children-0-target_date", "soon", "choice-unreadable")])
def test_a_correction_that_cannot_be_is_refused(office: Office, worksheet: Document, field: str, text: str, code: str) -> None:
    send(office, worksheet, discussed("2026-11-12", (0, {"strengths": "Sings"})))
    with pytest.raises(Refused) as refused:
        correct(office, site="Cedar Hall", unit="Preschool 1", month="2026-11", form="worksheet", part=1, field=field, text=text)
    assert refused.value.code == code


def test_nothing_is_corrected_before_it_came_back(office: Office, worksheet: Document) -> None:
    with pytest.raises(Refused) as refused:
        correct(office, site="Cedar Hall", unit="Preschool 1", month="2026-11", form="worksheet", part=1, field="recorder", text="Wanda")
    assert refused.value.code == "record-missing"


# ---------------------------------------------------------------- many files


def test_files_folders_and_archives_are_received_alike(office: Office, worksheet: Document, tmp_path: Path) -> None:
    folder = tmp_path / "returned"
    (folder / "deep").mkdir(parents=True)
    (folder / "deep" / "one.PDF").write_bytes(filled(office, worksheet, discussed("2026-11-12", (0, {"strengths": "Sings"}))))
    (folder / "notes.txt").write_text("not a paper")
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        archive.writestr("two.pdf", filled(office, worksheet, discussed("2026-11-12", (1, {"strengths": "Runs"}))))
        archive.writestr("__MACOSX/._two.pdf", b"junk")
    (folder / "more.zip").write_bytes(packed.getvalue())
    receipts = [receive(office, found) for found in find_files([folder, tmp_path / "missing.pdf"], 50)]
    assert [(Path(receipt.name).name, receipt.state) for receipt in receipts] == [("one.PDF", "counted"), ("more.zip: two.pdf", "counted"), ("notes.txt", "left"), ("missing.pdf", "refused")]
    rows: Any = record(office, worksheet)["children"]
    assert [row.get("strengths") for row in rows[:2]] == ["Sings", "Runs"]


def test_a_broken_archive_is_told(tmp_path: Path) -> None:
    (tmp_path / "x.zip").write_bytes(b"PK\x03\x04 nothing")
    found = list(find_files([tmp_path / "x.zip"], 50))
    assert [one.refused.code for one in found if one.refused] == ["archive-damaged"]


def test_an_archive_that_claims_less_than_it_holds_is_read_only_so_far(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "x.zip", "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("bomb.pdf", b"\0" * 3_000_000)
    assert [one.refused.code for one in find_files([tmp_path / "x.zip"], 1) if one.refused] == ["file-too-large"]


def test_follow_up_forms_are_made_anew_after_receiving(office: Office, worksheet: Document) -> None:
    """R8: the actions of the worksheet stand on the month's form without another command."""
    receipt = send(office, worksheet, discussed("2026-11-12", (0, need("Call the clinic"))))
    assert renew_follow_up(office, [receipt]).made == 1
    assert renew_follow_up(office, [receipt]).made == 0
    newest = documents(issue(office, "2026-11"), "case-management")[0]
    assert (newest.edition, len(newest.rows["actions"])) == (2, 1)


def test_a_follow_up_form_that_cannot_be_made_anew_is_told(office: Office, worksheet: Document) -> None:
    """A name that no paper can hold: the unit is named, and the return stays counted."""
    receipt = send(office, worksheet, discussed("2026-11-12", (0, need("Call the clinic"))))
    with office.store.writing() as connection:
        connection.execute(text("UPDATE staff SET name = :name"), {"name": "x" * 3000})
    assert [place for place, _ in renew_follow_up(office, [receipt]).failed] == ["Cedar Hall, Preschool 1, 2026-11"]


# ---------------------------------------------------------------- logs


def test_everything_that_happened_is_in_the_log_without_names(office: Office, worksheet: Document) -> None:
    send(office, worksheet, discussed("2026-11-12", (0, need("Call the clinic"))))
    with office.store.reading() as connection:
        told = [(row["event"], row["by"]) for row in entries(connection, "audit")]
        text = " ".join(str(dict(row)) for row in entries(connection, "audit"))
        assert [list(faults(connection, log, office.store.key)) for log in LOGS] == [[], []]
    assert [event for event, _ in told] == ["issued", "issued", "received", "revised"]
    assert {by for _, by in told} == {"tester"}
    assert not [word for word in ("Child 0", "clinic", "C-1") if word in text]


def test_history_tells_what_was_known_when(office: Office, worksheet: Document) -> None:
    send(office, worksheet, discussed("2026-11-12", (0, {"strengths": "Sings"})))
    send(office, worksheet, discussed("2026-11-12", (1, {"strengths": "Runs"})))
    with office.store.reading() as connection:
        history = read_revisions(connection, worksheet.sheet)
    assert [(revision.number, revision.cause) for revision in history] == [(1, "return:1"), (2, "return:2")]


def test_a_question_can_be_answered_only_once(office: Office, worksheet: Document) -> None:
    with pytest.raises(Refused) as refused:
        decide(office, 99, "1")
    assert refused.value.code == "question-gone"


def test_every_sample_that_came_back_is_taken_in_or_refused_with_a_reason(office: Office) -> None:
    """Papers of ten programs: none was issued here, so each one waits to be placed."""
    for file in sorted((samples_folder() / "returned").glob("*.pdf")):
        receipt = receive(office, Found(name=file.name, content=file.read_bytes()))
        assert (receipt.state, file.name) == ("waiting", file.name)
