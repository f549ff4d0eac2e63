"""Exports: what people wrote comes out as it stands in the records, for every child, and each export is logged."""

import csv
import io
from collections.abc import Iterator, Mapping
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import pytest
from python_calamine import CalamineWorkbook

from formsvc.errors import Refused
from formsvc.model.stamp import in_words
from formsvc.office.exports import export_actions, export_case_notes, export_disclosures, export_monitoring
from formsvc.office.monitoring import due, record_done
from formsvc.office.office import Office
from formsvc.office.review import decide, waiting
from formsvc.renderers.tables import Sheet, unguarded, write_csv, write_xlsx
from formsvc.store.log import entries
from tests.offices import Fill, change_roster, child, discussed, documents, enrol, issue, need, open_test_office, record, send

pytest_plugins = ["tests.servers"]
SCRIPTS = (
    "Ana Lopez", "Nguyễn Thị Hạnh", "Đorđe Šešelj", "Ελένη", "Ковач Ірина", "ليلى منصور", "שלום רב", "क्षितिज", "বাংলা ভাষা", "ਪੰਜਾਬੀ",
    "ગુજરાતી", "தமிழ் மொழி", "తెలుగు", "ಕನ್ನಡ", "മലയാളം", "ไทยน้ำ", "ខ្មែរ", "አማርኛ", "李小龍", "かなカナ", "한글", "ქართული", "Հայերեն", "👩‍👩‍👧",
)  # fmt: skip
FORMULAS = ("=1+1", '=HYPERLINK("http://x","y")', "+49 30 1234", "-2 cups a day", "@home", "\t=1", "'quoted", "'=1", "＝1", 'a;b,c"d', "1e5", "007", "TRUE", "2026-11-01")
HOMES = {"site": "Oak Street", "unit": "Lee Oakes", "option": "fcch", "home": "Maple Home", "staff": (), "unit_start": None}


@pytest.fixture(params=["sqlite", "postgresql"])
def office(request: pytest.FixtureRequest, tmp_path: Path, blanks: Path) -> Iterator[Office]:
    opened = open_test_office(tmp_path, blanks, request.getfixturevalue("postgres_url") if request.param == "postgresql" else "")
    yield opened
    opened.store.engine.dispose()


@pytest.fixture
def small(tmp_path: Path, blanks: Path) -> Iterator[Office]:
    opened = open_test_office(tmp_path, blanks)
    yield opened
    opened.store.engine.dispose()


def rows_of(sheet: Sheet) -> list[dict[str, Any]]:
    return [dict(zip(sheet.columns, row, strict=True)) for row in sheet.rows]


def by_child(sheet: Sheet) -> dict[str, dict[str, Any]]:
    return {row["Child id"]: row for row in rows_of(sheet)}


def in_excel(sheet: Sheet) -> list[dict[str, Any]]:
    """The table as another program reads the Excel file."""
    content = write_xlsx([sheet], title="Test", created=datetime(2026, 11, 20, tzinfo=UTC).replace(tzinfo=None))
    head, *rows = CalamineWorkbook.from_filelike(io.BytesIO(content)).get_sheet_by_index(0).to_python(skip_empty_area=False)
    return [dict(zip(head, row, strict=True)) for row in rows]


def in_csv(sheet: Sheet) -> list[dict[str, str]]:
    """The table as another program reads the CSV file."""
    return list(csv.DictReader(io.StringIO(write_csv(sheet).decode("utf-8-sig"), newline="")))


def notes_of(values: Mapping[str, Any]) -> list[dict[str, Any]]:
    rows = values["children"]
    assert isinstance(rows, list)
    return rows


# ---------------------------------------------------------------- case notes


def test_r18_every_child_has_a_row_in_plain_words(office: Office) -> None:
    """Outcome, areas, days and people as the worksheet has them; the document and the day of the conference."""
    enrol(office, [child(number) for number in range(1, 6)])
    paper = documents(issue(office, "2026-11"), "worksheet")[0]
    change_roster(office, child(5), child(5, left_on=date(2026, 11, 3)))
    told = need(
        "Call the clinic",
        areas=["health", "oral_health"],
        strengths="Sings.",
        parent_informed=True,
        parent_date="2026-11-13",
        parent_input="Agrees.",
        consultant=["dietitian"],
        success_team=True,
        referral_to="Tooth Bus",
    )
    send(office, paper, discussed("2026-11-12", (0, told), (1, {"no_discussion_points": True}), (2, {"discussion_points": "Sleeps well."})))
    enrol(office, [child(6, enrolled_on=date(2026, 11, 20))])
    found = by_child(export_case_notes(office, "2026-11"))
    assert found["C-1"] == {
        "Site": "Cedar Hall", "Unit": "Preschool 1", "Home / provider": "", "Child id": "C-1", "Child's name": "Child 01", "Month": "2026-11", "Conference date": date(2026, 11, 12),
        "Outcome": "Support needed", "Areas of discussion": "Health, Oral health", "Strengths": "Sings.", "Discussion points": "Talked about it.", "Follow-up action": "Call the clinic",
        "Person responsible": "Marcus Fennelworth", "Target date": date(2026, 12, 1), "Parent informed": "Yes", "Parent informed on": date(2026, 11, 13), "Parent input": "Agrees.",
        "Consultant": "Dietitian", "Child Success Team requested": "Yes", "Referral made to": "Tooth Bus", "Status this month": None, "Updated strategy": None, "Document": in_words(paper.id),
    }  # fmt: skip
    assert {number: row["Outcome"] for number, row in found.items()} == {
        "C-1": "Support needed", "C-2": "No discussion points", "C-3": "Discussed", "C-4": "No outcome written", "C-5": "No outcome written", "C-6": "Not on the paper",
    }  # fmt: skip


def test_children_of_homes_have_a_row_too(office: Office) -> None:
    """R12: the form lists only those who need support; the others are told as such, by home."""
    enrol(office, [child(1, **HOMES), child(2, **HOMES)])
    paper = documents(issue(office, "2026-11"), "fcch")[0]
    assert {row["Outcome"] for row in rows_of(export_case_notes(office, "2026-11"))} == {"No paper came back"}
    written = need("Visit the home", child_name="Child 01", child_id="C-1", home="Maple Home", parent_included=True, areas=["family"])
    send(office, paper, discussed("2026-11-12", (0, written)))
    found = by_child(export_case_notes(office, "2026-11"))
    assert {number: (row["Outcome"], row["Home / provider"]) for number, row in found.items()} == {"C-1": ("Support needed", "Maple Home"), "C-2": ("No support needed (not on the form)", "Maple Home")}
    assert (found["C-1"]["Follow-up action"], found["C-1"]["Parent informed"], found["C-1"]["Areas of discussion"]) == ("Visit the home", "Yes", "Family")
    assert (found["C-2"]["Document"], found["C-2"]["Conference date"]) == (in_words(paper.id), date(2026, 11, 12))


def test_several_actions_of_a_child_are_one_row(small: Office) -> None:
    """A child of a home with two open actions stands on the form twice and is typed in once."""
    enrol(small, [child(1, **HOMES)])
    rows = [need(text, child_name="Child 01", child_id="C-1", target_date=day) for text, day in (("Visit the home", "2026-12-01"), ("Call the clinic", "2026-12-02"))]
    send(small, documents(issue(small, "2026-11"), "fcch")[0], discussed("2026-11-12", *enumerate(rows)))
    carried = documents(issue(small, "2026-12"), "fcch")[0]
    both = {str(row["follow_up_action"]): number for number, row in enumerate(notes_of(carried.snapshot))}
    send(small, carried, discussed("2026-12-10", (both["Visit the home"], {"status": "met"}), (both["Call the clinic"], {"status": "continued", "updated_strategy": "Go there together"})))
    found = rows_of(export_case_notes(small, "2026-12"))
    assert len(found) == 1
    assert set(found[0]["Follow-up action"].split("\n")) == {"Visit the home", "Call the clinic"}
    assert set(found[0]["Target date"].split("\n")) == {"2026-12-01", "2026-12-02"}
    assert found[0]["Updated strategy"] == "Go there together"


def test_a_row_of_an_unknown_child_is_not_lost(small: Office) -> None:
    """It stands at the end as it was written; when somebody gives the child's id, it is that child's row."""
    enrol(small, [child(1, **HOMES), child(2, **HOMES)])
    send(small, documents(issue(small, "2026-11"), "fcch")[0], discussed("2026-11-12", (0, need("Visit the home", child_name="Childe One"))))
    stray = rows_of(export_case_notes(small, "2026-11"))[-1]
    assert (stray["Unit"], stray["Child id"], stray["Child's name"], stray["Follow-up action"]) == ("Lee Oakes", "", "Childe One", "Visit the home")
    decide(small, waiting(small)[0].number, "=Child 02")
    found = rows_of(export_case_notes(small, "2026-11"))
    assert [(row["Child id"], row["Outcome"]) for row in found] == [("C-1", "No support needed (not on the form)"), ("C-2", "Support needed")]


def test_a_child_who_moved_has_one_row_where_it_is_now(small: Office) -> None:
    """With what was written about it in the unit it came from, and that paper's name."""
    enrol(small, [child(1), child(2)])
    paper = documents(issue(small, "2026-11"), "worksheet")[0]
    send(small, paper, discussed("2026-11-05", (0, need("Call the clinic"))))
    change_roster(small, child(1), child(1, left_on=date(2026, 11, 15)))
    enrol(small, [child(1, unit="Preschool 2", enrolled_on=date(2026, 11, 16))])
    found = by_child(export_case_notes(small, "2026-11"))
    assert [(row["Unit"], row["Follow-up action"], row["Document"]) for row in (found["C-1"],)] == [("Preschool 2", "Call the clinic", in_words(paper.id))]
    assert len(found) == 2


def test_a_child_who_left_before_the_conference_is_told_so(small: Office) -> None:
    enrol(small, [child(1), child(2, left_on=date(2026, 11, 3))])
    send(small, documents(issue(small, "2026-11"), "worksheet")[0], discussed("2026-11-12", (0, {"no_discussion_points": True})))
    assert {row["Outcome"] for row in rows_of(export_case_notes(small, "2026-12"))} == {"No paper came back"}
    enrol(small, [child(3, left_on=date(2026, 11, 4))])
    assert by_child(export_case_notes(small, "2026-11"))["C-3"]["Outcome"] == "Left on 11/04/2026"


def everything(texts: tuple[str, ...]) -> Fill:
    """A worksheet on which each child has one of the texts in every field that takes text."""
    return discussed("2026-11-12", *((row, dict.fromkeys(("strengths", "discussion_points", "follow_up_action", "parent_input"), text) | {"responsible": text[:200], "referral_to": text[:200]}) for row, text in enumerate(texts)))


LONG = ("word " * 2_000).strip(), "=" + "x" * 9_999, "é" * 10_000
WRITTEN = {"Strengths": "strengths", "Discussion points": "discussion_points", "Follow-up action": "follow_up_action", "Parent input": "parent_input", "Person responsible": "responsible", "Referral made to": "referral_to"}


@pytest.mark.parametrize("texts", [SCRIPTS, FORMULAS, LONG], ids=["scripts", "formulas", "long"])
def test_texts_come_out_as_the_records_have_them(small: Office, texts: tuple[str, ...]) -> None:
    """Read back from the Excel file and from the CSV file, each answer equals the record, whatever it begins with."""
    enrol(small, [child(number) for number in range(len(texts))])
    paper = documents(issue(small, "2026-11"), "worksheet")[0]
    assert send(small, paper, everything(texts)).state == "counted"
    while asked := waiting(small):  # texts that look doubtful are looked at by a person, who keeps them
        decide(small, asked[0].number, "1")
    known = {str(row["child_id"]): row for row in notes_of(record(small, paper))}
    sheet = export_case_notes(small, "2026-11")
    excel, plain = {row["Child id"]: row for row in in_excel(sheet)}, {row["Child id"]: row for row in in_csv(sheet)}
    assert len(excel) == len(plain) == len(texts)
    for number, row in known.items():
        for column, name in WRITTEN.items():
            assert excel[number][column] == row.get(name, ""), (number, column)
            assert unguarded(plain[number][column]) == row.get(name, ""), (number, column)
    kept = {str(row["strengths"]) for row in known.values()}
    assert kept >= {text for text in texts if text == text.strip()}


def test_days_are_days_in_excel_and_iso_in_csv(small: Office) -> None:
    enrol(small, [child(1)])
    send(small, documents(issue(small, "2026-11"), "worksheet")[0], discussed("2026-11-12", (0, need("Call"))))
    sheet = export_case_notes(small, "2026-11")
    assert [(row["Conference date"], row["Target date"]) for row in in_excel(sheet)] == [(date(2026, 11, 12), date(2026, 12, 1))]
    assert [(row["Conference date"], row["Target date"]) for row in in_csv(sheet)] == [("2026-11-12", "2026-12-01")]


# ---------------------------------------------------------------- actions


def test_actions_have_their_standing_and_their_history(office: Office) -> None:
    """One row each in the words of the follow-up form; overdue, closed or no longer enrolled in effect."""
    enrol(office, [child(number) for number in range(1, 5)])
    send(office, documents(issue(office, "2026-11"), "worksheet")[0], discussed("2026-11-12", *((row, need(f"Task {row}")) for row in range(4))))
    carried = documents(issue(office, "2026-12"), "case-management")[0]

    def fill(values: dict[str, Any]) -> None:
        values["conference_date"] = "2026-12-10"
        values["actions"][0].update(status="met", status_date="2026-12-09", outcome="Done.")
        values["actions"][1].update(status="continued", target_date="2027-02-01", parent_involved="yes", responsible_role="fsw")

    send(office, carried, fill)
    change_roster(office, child(3), child(3, left_on=date(2026, 12, 15)))
    found = by_child(export_actions(office, on=date(2026, 12, 20)))
    assert {number: (row["State"], row["Months carried"], row["Status"]) for number, row in found.items()} == {
        "C-1": ("Closed", 1, "Completed: need met"),
        "C-2": ("Open", 1, "Continued"),
        "C-3": ("No longer enrolled", 0, ""),
        "C-4": ("Overdue", 0, ""),
    }
    assert (found["C-2"]["Target date"], found["C-2"]["Parent involved"], found["C-2"]["Role of the person responsible"]) == (date(2027, 2, 1), "Yes", "Family Service Worker")
    assert (found["C-1"]["Need"], found["C-1"]["Opened in"], found["C-1"]["Last written about in"]) == ("Support", "2026-11", "2026-12")
    assert set(by_child(export_actions(office, on=date(2026, 12, 20), only_open=True))) == {"C-2", "C-3", "C-4"}


def test_actions_of_a_month_are_those_that_were_open_in_it(small: Office) -> None:
    enrol(small, [child(1), child(2)])
    send(small, documents(issue(small, "2026-11"), "worksheet")[0], discussed("2026-11-12", (0, need("Task"))))

    def met(values: dict[str, Any]) -> None:
        values["conference_date"] = "2026-12-10"
        values["actions"][0].update(status="met")

    send(small, documents(issue(small, "2026-12"), "case-management")[0], met)
    assert {month: len(export_actions(small, month, on=date(2027, 3, 1)).rows) for month in ("2026-10", "2026-11", "2026-12", "2027-01")} == {"2026-10": 0, "2026-11": 1, "2026-12": 1, "2027-01": 0}
    with pytest.raises(Refused, match="2026-13"):
        export_actions(small, "2026-13", on=date(2027, 3, 1))


def test_siblings_share_a_row(small: Office) -> None:
    """As the follow-up form prints them."""
    enrol(small, [child(1, family_id="F1"), child(2, family_id="F1")])
    send(small, documents(issue(small, "2026-11"), "worksheet")[0], discussed("2026-11-12", (0, need("Housing")), (1, need("Housing"))))
    assert [(row["Child id"], row["Child's name"]) for row in rows_of(export_actions(small, on=date(2026, 11, 20)))] == [("C-1 + C-2", "Child 01 + Child 02")]


# ---------------------------------------------------------------- monitoring, disclosures, the log


def test_monitoring_shows_what_is_due_late_and_done(office: Office) -> None:
    enrol(office, [child(1), child(2)])
    first = due(office, date(2026, 10, 1))[0]
    record_done(office, first.kind, first.subject, first.due, date(2026, 9, 20), "Ottoline Reed")
    found = [(row["Child id"], row["Due"], row["State"], row["Done on"], row["Done by"]) for row in rows_of(export_monitoring(office, date(2026, 10, 31)))]
    assert found == [("C-1", date(2026, 10, 1), "Done", date(2026, 9, 20), "Ottoline Reed"), ("C-2", date(2026, 10, 1), "Overdue", None, ""), ("", date(2026, 10, 31), "Due", None, "")]


def test_disclosures_have_a_column_for_every_fact(office: Office) -> None:
    """Entries that tell different things stand in one table; lists are one cell."""
    with office.store.writing() as connection:
        office.store.log(connection, "sent", "case:7", log="disclosure", recipients=["=Ana Lopez", "Ben Ito"], protected=True)
        office.store.log(connection, "erased", "child:1", log="disclosure", why={"law": "1303.24"})
    first, second = rows_of(export_disclosures(office))
    assert (first["Number"], first["What happened"], first["About"], first["Recipients"], first["Protected"], first["Why"]) == (1, "sent", "case:7", "=Ana Lopez\nBen Ito", "Yes", None)
    assert (second["By"], second["Recipients"], second["Why"]) == ("tester", None, '{"law": "1303.24"}')


def test_every_export_is_logged_without_names(small: Office) -> None:
    """Who took out what, how many rows; the disclosure log stays as it is."""
    enrol(small, [child(1)])
    day = date(2026, 11, 20)
    export_case_notes(small, "2026-11")
    export_actions(small, on=day)
    export_actions(small, "2026-11", on=day)
    export_monitoring(small, day)
    export_disclosures(small)
    with small.store.reading() as connection:
        told = [(row["event"], row["subject"], row["by"], row["facts"]["rows"]) for row in entries(connection, "audit")]
        assert list(entries(connection, "disclosure")) == []
    assert told == [(("exported"), subject, "tester", rows) for subject, rows in (("case-notes:2026-11", 1), ("actions:all", 0), ("actions:2026-11", 0), ("monitoring:2026-11-20", 3), ("disclosures:all", 0))]
