"""Roster files as programs export them: whatever their encoding, separator, titles and headers, the same children.

1. Encoding, separator, quotation marks and spreadsheet format make no difference.
2. Columns are found by their headers in two languages, by content, or as a person says; a doubt is told.
3. A wrong line is left out and told with its place, never with what stands there; the others go on.
4. A file that is no roster is refused with what to do.
"""

import csv
import faulthandler
import io
import time
import zipfile
from collections.abc import Mapping, Sequence
from datetime import date, datetime
from pathlib import Path
from typing import Any

import pytest
import xlsxwriter
from hypothesis import given, settings
from hypothesis import strategies as st

from formsvc.casework.roster import describe, plan_changes
from formsvc.errors import Refused
from formsvc.model.roster import RosterLine, StaffMember
from formsvc.parsers.roster import RosterFile, natural_name, read_lines, read_roster
from formsvc.parsers.sandbox import run_limited
from formsvc.parsers.tables import read_tables
from formsvc.settings import samples_folder

TODAY = date(2026, 11, 10)
HEADER = ("Child ID", "Child Name", "Site", "Classroom", "DOB", "Enrollment Date", "Termination Date")
ANA = ("C-104", "Ana Rivera Lopez", "Cedar Hall", "Toddler room", "05/06/2022", "08/24/2026", "")
JOSE = ("C-105", "José Ñandú", "Cedar Hall", "Toddler room", "01/30/2022", "08/24/2026", "")
SAMPLES = samples_folder() / "rosters"


def table(*rows: Sequence[str], header: Sequence[str] = HEADER, separator: str = ",") -> str:
    """Rows as the text of a CSV file."""
    out = io.StringIO()
    csv.writer(out, delimiter=separator).writerows([header, *rows])
    return out.getvalue()


def read(text: str, mapping: Mapping[str, str] | None = None) -> RosterFile:
    """A CSV file, read on a known day."""
    return read_roster(text.encode(), "r.csv", mapping, today=TODAY)


def children(found: RosterFile) -> list[str]:
    """The names that were read."""
    return [line.child_name for _, line in found.lines]


def codes(found: RosterFile) -> list[tuple[int, str, str]]:
    """Each problem's line, column and code."""
    return [(problem.line, problem.column, problem.code) for problem in found.problems]


def one(header: Sequence[str], row: Sequence[str]) -> RosterLine:
    """The one child of a table that has these columns beside the needed ones."""
    found = read(table((*ANA[:4], *row), header=(*HEADER[:4], *header)))
    assert found.problems == ()
    return found.lines[0][1]


def workbook(*sheets: Sequence[Sequence[Any]], hidden: int = -1) -> bytes:
    """Rows as an XLSX file, days as date cells."""
    out = io.BytesIO()
    book = xlsxwriter.Workbook(out, {"in_memory": True, "default_date_format": "m/d/yyyy"})
    for number, rows in enumerate(sheets):
        sheet = book.add_worksheet()
        for line, row in enumerate(rows):
            sheet.write_row(line, 0, row)
        if number == hidden:
            sheet.hide()
    book.close()
    return out.getvalue()


def refusal(content: bytes, mapping: Mapping[str, str] | None = None) -> Refused:
    """Why a file is refused."""
    with pytest.raises(Refused) as refused:
        read_roster(content, "r.csv", mapping, today=TODAY)
    assert refused.value.message.startswith("r.csv: ")
    return refused.value


# ---------------------------------------------------------------- files


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "cp1252"])
@pytest.mark.parametrize("separator", [",", ";", "\t", "|"])
def test_encoding_and_separator_make_no_difference(encoding: str, separator: str) -> None:
    """Names keep their accents, whatever saved them."""
    content = table(ANA, JOSE, separator=separator).encode(encoding)
    assert children(read_roster(content, "r.csv")) == ["Ana Rivera Lopez", "José Ñandú"]


def test_a_file_pasted_together_has_two_encodings() -> None:
    """Each line is read in its own."""
    content = table(JOSE).encode("utf-8") + table(("C-9", *JOSE[1:])).encode("cp1252").splitlines()[1]
    assert children(read_roster(content, "r.csv")) == ["José Ñandú", "José Ñandú"]


@pytest.mark.parametrize("ends", ["\r\n", "\n", "\r"])
def test_line_numbers_are_those_of_the_file(ends: str) -> None:
    """Titles, blank lines and line breaks inside quotation marks count."""
    text = ends.join(["Roster,,", "", ",".join(HEADER), 'C-1,"Ana', 'Rivera",Cedar Hall,Room 1,,,', "", "C-2,Bo Tan,Cedar Hall,Room 1,,,", "Total: 2,,,,,,", "Printed on 11/02/2026"])
    assert [(line, child.child_name) for line, child in read(text).lines] == [(4, "Ana Rivera"), (7, "Bo Tan")]


def test_excel_may_say_the_separator_itself() -> None:
    """The line is no header."""
    assert children(read("sep=;\r\n" + table(ANA, separator=";"))) == ["Ana Rivera Lopez"]


def test_a_repeated_header_is_no_child() -> None:
    """Prints repeat it on every page."""
    assert read(table(ANA, HEADER, JOSE)).problems == ()


def test_dates_and_numbers_of_spreadsheets_are_read_as_meant() -> None:
    """Date cells are days, ids are whole numbers, lines are counted with the empty ones, columns with the empty ones."""
    rows: list[list[Any]] = [["Roster"], [], ["", *HEADER], ["", 40101.0, "Rivera Lopez, Ana", "Cedar Hall", "Room 1", datetime(2022, 5, 6), date(2026, 8, 24), ""]]  # noqa: DTZ001
    found = read_roster(workbook(rows), "r.xlsx")
    assert found.lines == ((4, RosterLine(child_id="40101", child_name="Ana Rivera Lopez", site="Cedar Hall", unit="Room 1", birth_date=date(2022, 5, 6), enrolled_on=date(2026, 8, 24))),)
    assert [column.letter for column in found.columns if column.field] == list("BCDEFGH")


def test_the_roster_may_stand_on_any_visible_sheet() -> None:
    """The first with all that is needed; hidden ones are not looked at."""
    notes, old, roster = [["Notes", "for us"]], [HEADER, JOSE], [HEADER, ANA]
    assert children(read_roster(workbook(notes, old, roster, hidden=1), "r.xlsx")) == ["Ana Rivera Lopez"]


def test_an_open_document_spreadsheet_is_read() -> None:
    """As LibreOffice saves it."""
    cells = ["".join(f'<table:table-cell office:value-type="string"><text:p>{cell}</text:p></table:table-cell>' for cell in row) for row in (HEADER, JOSE)]
    names = " ".join(f'xmlns:{name}="urn:oasis:names:tc:opendocument:xmlns:{name}:1.0"' for name in ("office", "table", "text"))
    rows = "".join(f"<table:table-row>{row}</table:table-row>" for row in cells)
    body = f'<office:document-content {names}><office:body><office:spreadsheet><table:table table:name="Roster">{rows}</table:table></office:spreadsheet></office:body></office:document-content>'
    assert children(read_roster(archive({"mimetype": "application/vnd.oasis.opendocument.spreadsheet", "content.xml": body, "META-INF/manifest.xml": MANIFEST}), "r.ods")) == ["José Ñandú"]


MANIFEST = '<manifest:manifest xmlns:manifest="urn:oasis:names:tc:opendocument:xmlns:manifest:1.0"/>'


def archive(members: Mapping[str, str | bytes]) -> bytes:
    """A ZIP file."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as zipped:
        for name, content in members.items():
            zipped.writestr(name, content)
    return out.getvalue()


def test_a_wrong_name_does_not_hinder_reading() -> None:
    """A spreadsheet named .csv and a text named .xls are what they are."""
    assert children(read_roster(workbook([HEADER, ANA]), "r.csv")) == children(read_roster(table(ANA).encode(), "r.xls")) == ["Ana Rivera Lopez"]


@pytest.mark.parametrize(
    ("code", "content"),
    [
        ("file-empty", b""), ("file-empty", b"\r\n \n"), ("table-unreadable", b"%PDF-1.7 ..."), ("table-unreadable", b"\x89PNG\r\n\x1a\n"), ("table-unreadable", b"Child ID,Site\x00\x01\x02"),
        ("table-unreadable", b"PK\x03\x04 cut"), ("table-unreadable", archive({"word/document.xml": "<x/>"})), ("table-unreadable", b"<html><table><tr><td>Child ID</td></tr></table>"),
        ("table-unreadable", b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(600)), ("table-unreadable", archive({"xl/workbook.xml": "<workbook"})),
        ("roster-too-large", archive({"xl/workbook.xml": "", "xl/worksheets/sheet1.xml": bytes(260_000_000)})), ("table-quote", table(ANA).encode() + b'"C-105,Jos'),
        ("roster-no-rows", table().encode()), ("roster-no-header", b"C-104,Ana\nC-105,Jose\n"), ("roster-no-header", b"just a line of text"), ("table-unreadable", b"Child ID,Site\n\x81\x8d,x\n"),
        ("roster-columns-missing", table(ANA[:3], header=HEADER[:3]).encode()),
    ],
)  # fmt: skip
def test_what_is_no_roster_is_refused(code: str, content: bytes) -> None:
    """Each with its own words."""
    assert refusal(content).code == code


def _read_quietly(content: bytes) -> RosterFile:
    """Without the test runner's report of where a process died."""
    faulthandler.disable()
    return read_roster(content, "r.xlsx")


def test_a_bomb_ends_its_reader_only() -> None:
    """One cell in the last corner of a sheet makes the table huge; the limited process ends, and that is the answer."""
    out = io.BytesIO()
    book = xlsxwriter.Workbook(out, {"in_memory": True})
    sheet = book.add_worksheet()
    sheet.write_row(0, 0, HEADER)
    sheet.write(1_048_575, 16_383, "x")
    book.close()
    with pytest.raises(Refused) as refused:
        run_limited(_read_quietly, out.getvalue())
    assert refused.value.code in ("too-costly", "roster-too-large")


# ---------------------------------------------------------------- columns


@pytest.mark.parametrize(
    ("field", "headers"),
    [
        ("child_id", ["Participant ID", "ChildPlus ID", "Child ID #", "child_id", "COPA ID", "Student ID", "ID del niño"]),
        ("birth_date", ["DOB", "D.O.B.", "Birthdate", "BirthDate", "Date of Birth", "Child's Birth Date", "Fecha de nacimiento"]),
        ("unit", ["Classroom", "Class", "Room", "CLASSROOM NAME", "Salón", "Aula"]),
        ("site", ["Site/Center", "Center", "Site Name", "Centro", "Sitio"]),
        ("educator", ["Teacher", "Lead Teacher", "Teacher 1", "Maestra/o", "Educator / Master Teacher"]),
        ("fsw", ["Family Advocate", "FSW", "Family Advocate/FSW", "Family Service Worker"]),
        ("family_id", ["Family ID", "FamilyID", "Household ID", "ID de familia"]),
        ("home_language", ["Primary Language", "Home Language", "Language Spoken at Home", "Idioma del hogar"]),
        ("iep_ifsp", ["IEP/IFSP", "IEP", "IFSP", "Has IEP?"]),
        ("enrolled_on", ["Enrollment Date", "Entry Date", "Date Enrolled", "Fecha de inscripción"]),
        ("left_on", ["Termination Date", "Exit Date", "Drop Date", "Withdrawal Date", "Fecha de baja"]),
        ("left_reason", ["Drop reason", "Termination Reason", "Motivo de salida"]),
        ("option", ["Program Option", "Program Option/Model", "Program Model", "Opción del programa"]),
        ("provider", ["FCC Provider", "Family Child Care Provider"]),
        ("interpreter", ["Interpreter", "Interpreter Needed", "¿Necesita intérprete?"]),
        ("unit_start", ["Class start date", "Classroom Start Date", "First day of class", "Inicio de clases"]),
        ("home_educator", ["Home Visitor", "Home-Based Educator"]),
        (None, ["Parent First Name", "Mother's Phone", "Age", "Zip", "IEP Date", "Site ID", "Assistant Teacher", "Teacher Email", "Middle Name", ""]),
    ],
)  # fmt: skip
def test_headers_tell_the_field(field: str | None, headers: list[str]) -> None:
    """In English and Spanish, however they are written; what is about somebody else is left alone."""
    found = [read(table((*ANA[:4], ""), header=[*(("x" if field == taken else said) for taken, said in NEEDED.items()), header]), chosen(field)).columns[4] for header in headers]
    assert [(column.field, column.sure) for column in found] == [(field, field is not None)] * len(headers)


NEEDED = {"child_id": "Child ID", "child_name": "Child Name", "site": "Site", "unit": "Classroom"}


def chosen(field: str | None) -> dict[str, str]:
    """The other needed columns by letter, so that the tested one is the only one for its field."""
    return {name: letter for (name, letter) in zip(NEEDED, "ABCD", strict=True) if name != field}


@pytest.mark.parametrize("header", [("ID", "Child Name", "Site", "Classroom"), ("Child ID", "Name", "Site", "Classroom"), ("Child ID", "Child Name", "Location", "Classroom")])
def test_a_header_that_may_mean_something_else_is_asked_about(header: tuple[str, ...]) -> None:
    """The guess is used, but not sure."""
    found = read(table(ANA[:4], header=header))
    assert children(found) == ["Ana Rivera Lopez"]
    assert [column.header for column in found.columns if not column.sure] == [next(said for said in header if said not in HEADER)]


def test_two_columns_for_one_field_are_asked_about() -> None:
    """The first is used; nobody knows which date the program means."""
    found = read(table((*ANA, "09/01/2026"), header=(*HEADER, "Entry Date")))
    assert [(column.field, column.sure) for column in found.columns[5:]] == [("enrolled_on", False), ("left_on", True), (None, False)]


def test_iep_and_ifsp_in_two_columns_count_as_one() -> None:
    """Either is a yes."""
    assert [one(("IEP", "IFSP"), row).iep_ifsp for row in (("", "X"), ("Yes", "No"), ("No", ""), ("", ""))] == [True, True, False, False]


def test_columns_are_guessed_by_content_where_headers_say_nothing() -> None:
    """Ids, names, birth dates over several years and enrolments within one; never sure."""
    rows = [(f"WC-{i}", f"Rivera{chr(97 + i)}, Ana", "Cedar Hall", "Room 1", f"05/06/{2021 + i % 3}", "08/24/2026") for i in range(9)]
    found = read(table(*rows, header=("Col1", "Col2", "Site", "Room", "Col5", "Col6")))
    assert [column.field for column in found.columns] == ["child_id", "child_name", "site", "unit", "birth_date", "enrolled_on"]
    assert [column.header for column in found.columns if column.sure] == ["Site", "Room"]


def test_a_person_chooses_columns() -> None:
    """By header, however it is written, or by letter; nothing is guessed over it, and an empty choice means none."""
    header = ("Key", "Who", "Where", "Group of children", "DOB")
    found = read(table(ANA[:5], header=header), {"child_id": "key", "child_name": "B", "site": "WHERE", "unit": "group of children", "birth_date": ""})
    assert (children(found), found.lines[0][1].birth_date, found.columns[0].sure) == (["Ana Rivera Lopez"], None, True)


@pytest.mark.parametrize(
    ("code", "mapping"),
    [
        ("roster-map-field", {"shoe_size": "Site"}), ("roster-map-header", {"site": "Nowhere"}), ("roster-map-twice", {"site": "Site", "unit": "C"}), ("roster-map-unclear", {"site": "Same"}),
    ],
)  # fmt: skip
def test_a_choice_that_cannot_be_is_refused(code: str, mapping: dict[str, str]) -> None:
    """It says what there is to choose."""
    assert refusal(table((*ANA, "", ""), header=(*HEADER, "Same", "Same")).encode(), mapping).code == code


def test_a_missing_column_is_named_with_how_to_give_it() -> None:
    """The headers are listed, and the option of the command line."""
    said = refusal(table(ANA[:4], header=("Child ID", "Child Name", "Place", "Classroom")).encode()).message
    assert "for site; the columns are: A “Child ID”, B “Child Name”, C “Place”, D “Classroom”" in said
    assert "--map site=Header" in said


# ---------------------------------------------------------------- cells


@pytest.mark.parametrize(
    ("expected", "written"),
    [
        ("Ana Rivera Lopez", "Rivera Lopez, Ana"), ("Ana Rivera Lopez", "Ana Rivera Lopez"), ("Ana María Rivera Jr.", "Rivera, Ana María, Jr."), ("Ana Rivera Jr.", "Ana Rivera, Jr."),
        ("Ana Rivera", "Rivera , Ana ,"), ("Teuila", "Teuila"), ("", ""),
    ],
)  # fmt: skip
def test_names_are_written_as_they_are_said(expected: str, written: str) -> None:
    """First name first."""
    assert natural_name(written) == expected


@pytest.mark.parametrize(("expected", "cell"), [("=1+1", "'=1+1"), ("00123", "'00123"), ("00123", '="00123"'), ("C 1", "  C\u00a0 1 "), ("'Aolani", "'Aolani"), ("\u00e9x", "e\u0301x\u200b")])
def test_cells_are_cleaned_of_what_exports_add(expected: str, cell: str) -> None:
    """Guards against formulas go, names that begin with an apostrophe stay, accents are composed, spaces are single."""
    assert read(table((cell, *ANA[1:]))).lines[0][1].child_id == expected


@pytest.mark.parametrize("cell", ["05/06/2022", "5/6/22", "2022-05-06", "2022-05-06 00:00:00", "5/6/2022 12:00:00 AM", "20220506", "44687", "May 6, 2022", "05-06-2022"])
def test_a_day_is_read_however_programs_write_it(cell: str) -> None:
    """US order, ISO, with a time of day, or the bare number of a spreadsheet."""
    assert one(("DOB",), (cell,)).birth_date == date(2022, 5, 6)


@pytest.mark.parametrize(
    ("code", "born", "enrolled", "left"),
    [
        ("row-date", "13/45/2022", "", ""), ("row-date", "soon", "", ""), ("row-date", "", "02/30/2026", ""), ("row-date-day-first", "25/04/2022", "", ""), ("row-birth-date", "05/06/1998", "", ""),
        ("row-birth-date", "11/12/2026", "", ""), ("row-enrolled-before-born", "05/06/2022", "05/05/2022", ""), ("row-left-before-enrolled", "", "08/24/2026", "08/23/2026"),
    ],
)  # fmt: skip
def test_impossible_days_leave_the_line_out(code: str, born: str, enrolled: str, left: str) -> None:
    """The other lines go on; the message holds no value of the line."""
    found = read(table((*ANA[:4], born, enrolled, left), JOSE))
    assert (children(found), [problem.code for problem in found.problems], found.unread) == (["José Ñandú"], [code], ("C-104",))
    assert not any(cell in found.problems[0].message for cell in (*ANA[:4], born, enrolled, left) if cell)


def test_all_that_is_wrong_with_a_line_is_told_with_its_column() -> None:
    """So that it is mended at once."""
    assert codes(read(table(("", "Ana", "", "Room 1", "x", "y", ""), JOSE))) == [(2, "A", "row-incomplete"), (2, "C", "row-incomplete"), (2, "E", "row-date"), (2, "F", "row-date")]


def test_a_stray_comma_is_told() -> None:
    """Cells of that line may stand in the wrong columns."""
    assert codes(read(table((*ANA, "more"), JOSE))) == [(2, "", "row-too-long")]


@pytest.mark.parametrize(
    ("option", "written"),
    [
        ("center", "Center Based"), ("center", "CB"), ("center", "Head Start"), ("center", "Full Day"), ("home", "Home Based"), ("home", "HB"), ("home", "EHS Home-Based"), ("early", "EHS"),
        ("early", "Early Head Start"), ("early", "EHS Center Based"), ("fcch", "Family Child Care"), ("fcch", "FCC"), ("fcch", "EHS FCCH"), ("home", "Visitas en el hogar"), ("center", "Centro"), ("fcch", "fcch"),
    ],
)  # fmt: skip
def test_program_options_are_understood(option: str, written: str) -> None:
    """Home visits and homes count before the age of the children."""
    assert one(("Program Option",), (written,)).option == option


def test_an_unknown_option_is_told() -> None:
    """It decides which form the unit gets, so it is not guessed."""
    assert codes(read(table((*ANA[:4], "Mystery"), header=(*HEADER[:4], "Program Option")))) == [(2, "E", "row-option")]


def test_the_program_makes_the_option_precise() -> None:
    """“Early Head Start” beside “Center Based” is an Early Head Start class; a program's own name says nothing."""
    header = ("Program", "Program Option")
    assert [one(header, row).option for row in (("Early Head Start", "Center Based"), ("Willow Creek", "HB"), ("Willow Creek", ""))] == ["early", "home", "center"]


def test_staff_columns_give_the_team() -> None:
    """Each person once with a role, titles kept, several in a cell apart."""
    staff = one(("Teacher 1", "Teacher 2", "FSW", "Nurse"), ("Thimblewood, Rosa; Pia Hollin", "Rosa Thimblewood", "Fennelworth, Marcus", "Ingrid Saltmarsh, RN")).staff
    assert [(member.role, member.name) for member in staff] == [("educator", "Rosa Thimblewood"), ("educator", "Pia Hollin"), ("fsw", "Marcus Fennelworth"), ("health", "Ingrid Saltmarsh RN")]


def test_a_home_base_educator_is_the_unit_where_no_other_is_given() -> None:
    """And the teacher of a home-based child is its home-base educator."""
    header = ("Child ID", "Child Name", "Site", "Program Option", "Teacher")
    child = read(table((*ANA[:3], "Home Based", "Larkspur, Wilma"), header=header)).lines[0][1]
    assert (child.unit, child.staff) == ("Wilma Larkspur", (StaffMember(role="home_educator", name="Wilma Larkspur"),))


def test_a_family_child_care_home_belongs_to_its_specialist() -> None:
    """The specialist is the unit; the classroom, or else the provider, is the home."""
    header = ("FCC Specialist", "FCC Provider")
    child = one(header, ("Marigoldsen, Helene", "Hearthfern, Delia"))
    assert (child.option, child.unit, child.home) == ("fcch", "Helene Marigoldsen", "Toddler room")


@pytest.mark.parametrize(("status", "expected"), [("Enrolled", []), ("Waitlisted", ["row-not-enrolled"]), ("Dropped", ["row-left-without-day"])])
def test_the_status_is_heeded(status: str, expected: list[str]) -> None:
    """A child who waits is not enrolled; one who left has a last day."""
    assert [code for _, _, code in codes(read(table((*ANA[:4], status), header=(*HEADER[:4], "Enrollment Status"))))] == expected


def test_a_mark_is_told_only_where_every_line_answers() -> None:
    """A column of crosses cannot say no."""
    header = (*HEADER[:4], "IEP/IFSP", "Interpreter")
    assert read(table((*ANA[:4], "Yes", "X"), (*JOSE[:4], "No", ""), header=header)).told == ("iep_ifsp",)


# ---------------------------------------------------------------- the same child twice


@pytest.mark.parametrize(
    ("code", "first", "second"),
    [
        ("row-repeated", ("Room 1", "", "", ""), ("Room 1", "", "", "")),
        ("row-repeated", ("Room 1", "", "", ""), ("ROOM  1", "", "", "")),
        ("row-two-units", ("Room 1", "", "", ""), ("Room 2", "", "", "")),
        ("row-two-units", ("Room 1", "", "08/24/2026", "10/09/2026"), ("Room 2", "", "10/08/2026", "")),
        ("row-two-children", ("Room 1", "05/06/2022", "", ""), ("Room 2", "06/05/2022", "", "")),
        (None, ("Room 1", "", "08/24/2026", "10/09/2026"), ("Room 2", "", "10/12/2026", "")),
        (None, ("Room 2", "", "10/12/2026", ""), ("Room 1", "", "08/24/2026", "10/12/2026")),
        (None, ("Room 1", "", "08/24/2026", "10/09/2026"), ("Room 1", "", "10/12/2026", "")),
    ],
)
def test_a_child_is_in_one_unit_at_a_time(code: str | None, first: tuple[str, ...], second: tuple[str, ...]) -> None:
    """Enrolments one after the other are fine; of two at once the first is taken, and both lines are named."""
    found = read(table((*ANA[:3], *first), (*ANA[:3], *second)))
    assert (codes(found), len(found.lines)) == (([(3, "", code)], 1) if code else ([], 2))
    assert all("2 and 3" in problem.message for problem in found.problems)


def test_two_children_may_have_one_name() -> None:
    """The id tells them apart."""
    assert len(read(table(ANA, ("C-9", *ANA[1:]))).lines) == 2


def test_a_lone_name_is_told_and_remarks_are_not() -> None:
    """Totals and footers are no children; a name without anything else may be one."""
    found = read(table(ANA, ("Total: 1",), ("40 participants listed",), ("Grand Total", "", "1"), ("", "Bo Tan")))
    assert {line for line, _, _ in codes(found)} == {6}


# ---------------------------------------------------------------- samples, speed, laws


@pytest.mark.parametrize(("name", "expected", "problems"), [("copa-like.csv", 39, []), ("next-month.csv", 41, []), ("childplus-like.xlsx", 23, ["row-not-enrolled"])])
def test_samples_are_read(name: str, expected: int, problems: list[str]) -> None:
    """Titles, totals and all."""
    found = read_roster((SAMPLES / name).read_bytes(), name)
    assert (len(found.lines), [problem.code for problem in found.problems]) == (expected, problems)


def test_the_next_month_changes_what_was_changed() -> None:
    """Two new, one left, one moved."""
    now, then = (read_roster((SAMPLES / name).read_bytes(), name) for name in ("copa-like.csv", "next-month.csv"))
    plan = plan_changes([line for _, line in now.lines], [line for _, line in then.lines], on=date(2026, 12, 1), told=then.told, unread=then.unread)
    assert {describe(change) for change in plan.changes} == {
        "Luz Brambleport (C-113): moves from Cedar Hall, Toddler room to Cedar Hall, Preschool 2 on 2026-11-16",
        "Otis Figwhistle (C-139): is new in Cedar Hall, Toddler room from 2026-11-09",
        "Tomás Sundrop (C-127): leaves Mill Street, Wilma Larkspur, last day 2026-11-13 (Family choice)",
        "Ximena Rosaleda (C-140): is new in Mill Street, Room 1 from 2026-11-16",
    }


def test_progress_counts_every_line() -> None:
    """Up to the last."""
    seen: list[tuple[int, int]] = []
    read_lines(read_tables(table(ANA, JOSE).encode()), "r.csv", on_row=lambda done, total: seen.append((done, total)))
    assert seen == [(1, 2), (2, 2)]


def test_twenty_thousand_lines_take_seconds() -> None:
    """Measured: about 1 s; the limit leaves room for a busy machine."""
    text = table(*((f"C-{number}", f"Rivera{number}, Ana", f"Site {number % 80}", f"Room {number % 1000}", f"{1 + number % 12}/{1 + number % 28}/2022", "08/24/2026", "") for number in range(20_000)))
    started = time.process_time()
    found = run_limited(read_roster, text.encode(), "r.csv")
    assert len(found.lines) == 20_000
    assert time.process_time() - started < 5


NAMES = st.text(st.characters(codec="utf-8", categories=["Lu", "Ll", "Lt", "Lo"]), min_size=1, max_size=8)
TRICKY = st.sampled_from(["", "Ana; Bo", 'Ana "Nano"', "O’Hara", "a|b", "d\te", "l\nm", "ñ"])


@settings(max_examples=100, deadline=None)
@given(st.lists(st.tuples(NAMES, NAMES, TRICKY), min_size=1, max_size=6), st.sampled_from([",", ";", "\t", "|"]), st.sampled_from(["utf-8", "utf-8-sig", "utf-16"]), st.booleans())
def test_what_is_written_is_read(rows: list[tuple[str, str, str]], separator: str, encoding: str, quoted: bool) -> None:
    """Any name, with separators, quotation marks and line breaks in other cells, from any writer."""
    out = io.StringIO()
    writer = csv.writer(out, delimiter=separator, quoting=csv.QUOTE_ALL if quoted else csv.QUOTE_MINIMAL)
    writer.writerows([["Child ID", "Last Name", "First Name", "Site", "Classroom", "Language", "Drop Reason", "DOB"]])
    writer.writerows([f"C-{number}", last, first, "Cedar Hall", "Room 1", reason, "", ""] for number, (last, first, reason) in enumerate(rows))
    spreadsheet = workbook(
        [["Child ID", "Last Name", "First Name", "Site", "Classroom", "Language"], *([f"C-{n}", last, first, "Cedar Hall", "Room 1", text] for n, (last, first, text) in enumerate(rows))]
    )
    found = read_roster(out.getvalue().encode(encoding), "r.csv")
    assert found.problems == ()
    assert found.lines[0][1].child_name.split(" ")[-1] == read("Child ID,Child Name,Site,Classroom\nC-1," + rows[0][0] + ",x,y\n").lines[0][1].child_name
    assert [line for _, line in found.lines] == [line for _, line in read_roster(spreadsheet, "r.xlsx").lines]


def outcome(content: bytes) -> str:
    """The kind of code a file is refused with, or nothing."""
    try:
        read_roster(content, "r.csv")
    except Refused as refused:
        return refused.code.split("-")[0]
    return ""


@settings(max_examples=200, deadline=None)
@given(st.one_of(st.binary(max_size=300), st.text(max_size=200).map(lambda text: (table(ANA) + text).encode()), st.text("\"',;\n\rC-1 ", max_size=60).map(lambda text: (table() + text).encode())))
def test_any_bytes_are_read_or_refused(content: bytes) -> None:
    """Nothing else happens, whatever a stranger sends."""
    assert outcome(content) in ("", "file", "table", "roster")


@settings(max_examples=60, deadline=None)
@given(st.data())
def test_a_damaged_spreadsheet_is_read_or_refused(data: st.DataObject) -> None:
    """Cut off or with wrong bytes."""
    content = bytearray(SMALL)
    for _ in range(data.draw(st.integers(1, 5))):
        content[data.draw(st.integers(0, len(content) - 1))] = data.draw(st.integers(0, 255))
    cut = data.draw(st.sampled_from([len(content), len(content) - 30, len(content) // 2]))
    assert outcome(bytes(content[:cut])) in ("", "file", "table", "roster")


SMALL = workbook([HEADER, ANA, JOSE])


def test_samples_hold_no_way_to_reach_anybody() -> None:
    """No telephone number and no mail address, in texts or cells."""
    for file in sorted(Path(SAMPLES).iterdir()):
        cells = [cell for one_table in read_tables(file.read_bytes()) for _, row in one_table.rows for cell in row]
        assert not [cell for cell in cells if "@" in cell or "555" in cell]
