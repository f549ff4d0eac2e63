"""Tables leave as they are: no text becomes a formula, nothing is cut off, days are days.

1. CSV is RFC 4180 in UTF-8 with a byte order mark; what guards a text can be taken off again.
2. Excel files hold texts as texts, numbers as numbers, days as days, whatever a person wrote.
3. What Excel cannot hold is kept beside it, or refused.
4. The same table of the same moment gives the same bytes.
"""

import csv
import io
import re
import shutil
import subprocess
import zipfile
from collections.abc import Sequence
from datetime import date, datetime
from pathlib import Path
from typing import Any, Final

import pytest
from hypothesis import given
from hypothesis import strategies as st
from lxml import etree
from python_calamine import CalamineWorkbook

from formsvc.errors import Refused
from formsvc.renderers.tables import Cell, Sheet, guarded, sheet_names, unguarded, write_csv, write_xlsx

CREATED: Final = datetime(2026, 11, 10, 9, 30)  # noqa: DTZ001  (Excel knows no time zones)
FORMULAS: Final = (
    "=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "\r=1", "\n=1", "\tplain", "  =1", "\u00a0=1", "\u200b=1", "\ufeff=1",
    "＝1", "＋1", "－1", "＠A1", "=cmd|' /C calc'!A0", '=HYPERLINK("http://x.test","x")', "-5", "'=1", "''=1", '="a",b\n"c"',
)  # fmt: skip
PLAIN: Final = ("Zoë", "a=1", "1-2", "Ana-María", "'quoted'", "’=1", "", " ", "漢字 الحروف", "007", "1/2", "TRUE", "_x0041_", "a\nb", 'say "hi", twice', "http://x.test", "0123456789012345678")
TEXTS: Final = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\ufffe\uffff\x7f" + "".join(map(chr, [*range(9), 11, 12, *range(14, 32)]))))


def table(*rows: Sequence[Cell], columns: tuple[str, ...] = ()) -> Sheet:
    return Sheet(name="Table", columns=columns or tuple(f"Column {number}" for number in range(len(rows[0]))), rows=rows)


def read_csv(content: bytes) -> list[list[str]]:
    """The texts a program gets that knows of the guard."""
    return [[unguarded(cell) for cell in row] for row in csv.reader(io.StringIO(content.decode("utf-8-sig"), newline=""))]


def xlsx(*sheets: Sheet) -> bytes:
    return write_xlsx(sheets, title="Export", created=CREATED)


def read_xlsx(content: bytes, sheet: int = 0) -> list[list[Any]]:
    rows: list[list[Any]] = CalamineWorkbook.from_filelike(io.BytesIO(content)).get_sheet_by_index(sheet).to_python()
    return rows


def sheet_xml(content: bytes) -> Any:
    with zipfile.ZipFile(io.BytesIO(content)) as book:
        return etree.fromstring(book.read("xl/worksheets/sheet1.xml"))


# ---------------------------------------------------------------- CSV


def test_csv_is_as_the_standard_says() -> None:
    """A byte order mark, CRLF after every row, quotes doubled, days as ISO 8601, empty cells empty."""
    content = write_csv(table(("José", 'a "b", c', date(2026, 11, 3), 5, 2.5, True, False, None), columns=("Name", "Text", "Day", "n", "x", "yes", "no", "none")))
    assert content == '\ufeff"Name","Text","Day","n","x","yes","no","none"\r\n"José","a ""b"", c","2026-11-03",5,2.5,"TRUE","FALSE",""\r\n'.encode()


@pytest.mark.parametrize("text", FORMULAS)
def test_no_cell_of_a_csv_file_begins_like_a_formula(text: str) -> None:
    """A text that a spreadsheet may take for a formula gets an apostrophe, in rows and in heads."""
    raw = list(csv.reader(io.StringIO(write_csv(table((text,), columns=(text,))).decode("utf-8-sig"), newline="")))
    assert raw == [[f"'{text}"], [f"'{text}"]]


@pytest.mark.parametrize("text", PLAIN)
def test_other_texts_have_no_apostrophe(text: str) -> None:
    """What no spreadsheet takes for a formula stays as it is."""
    assert guarded(text) == text


@pytest.mark.parametrize("number", [-5, -2.5, 0, 10**20])
def test_numbers_stay_numbers_in_csv(number: float) -> None:
    """A negative number that is a number is left alone."""
    assert write_csv(table((number,))).decode("utf-8-sig").splitlines()[1] == str(number)


@given(st.lists(TEXTS | st.sampled_from(FORMULAS) | st.sampled_from(PLAIN), min_size=1, max_size=4))
def test_texts_come_back_from_csv(texts: list[str]) -> None:
    """Whatever was written is read back letter by letter once the guard is taken off."""
    assert read_csv(write_csv(table(texts)))[1] == texts


def test_every_text_is_quoted() -> None:
    """Where a semicolon separates cells, a text with one is not split into a formula."""
    assert write_csv(table(("a;=1+1",))).endswith(b'"a;=1+1"\r\n')


# ---------------------------------------------------------------- Excel


@given(st.lists(TEXTS | st.sampled_from(FORMULAS) | st.sampled_from(PLAIN), min_size=1, max_size=4))
def test_texts_come_back_from_excel(texts: list[str]) -> None:
    """Texts are text cells, letter by letter; only line breaks are spelled Excel's way."""
    cells = read_xlsx(xlsx(table([*texts, "end"])))[1]
    assert cells == [*(text.replace("\r\n", "\n").replace("\r", "\n") for text in texts), "end"]


def test_excel_file_has_no_formula_and_no_link() -> None:
    """Every text is a string for Excel, and one that looks like a formula stays a text when it is edited."""
    content = xlsx(table(*[(text,) for text in (*FORMULAS, *PLAIN)]))
    cells = sheet_xml(content)
    assert cells.findall(".//{*}f") == []
    assert cells.findall(".//{*}hyperlink") == []
    assert {cell.get("t") for cell in cells.iter("{*}c")} == {"s"}
    with zipfile.ZipFile(io.BytesIO(content)) as book:
        styles = etree.fromstring(book.read("xl/styles.xml")).find("{*}cellXfs")
    quoted = [bool(styles[int(cell.get("s"))].get("quotePrefix")) for cell in cells.iter("{*}c")][1:]
    assert quoted == [True] * len(FORMULAS) + [False] * (len(quoted) - len(FORMULAS))


def test_values_keep_their_kinds_in_excel() -> None:
    """Numbers, days and yes/no are what they are; empty cells are empty."""
    row = (date(2026, 11, 3), 5, -2.5, True, False, None, "")
    assert read_xlsx(xlsx(table((*row, "end"))))[1] == [date(2026, 11, 3), 5, -2.5, True, False, "", "", "end"]


@pytest.mark.parametrize(("value", "text"), [(10**17 + 1, "100000000000000001"), (date(1899, 12, 31), "1899-12-31"), (float("inf"), "inf"), (datetime(2026, 1, 2, 3, 4), "2026-01-02T03:04:00")])  # noqa: DTZ001
def test_what_excel_would_change_is_text(value: Cell, text: str) -> None:
    """Long whole numbers, days before 1900 and moments are kept as their text."""
    assert read_xlsx(xlsx(table((value,))))[1] == [text]


@pytest.mark.parametrize("text", ["x" * 32_767, "x" * 32_768, "😀" * 40_000, "x😀" * 33_000])
def test_long_texts_go_on_in_added_columns(text: str) -> None:
    """A text longer than a cell holds is whole in its cell and added columns; the row stays one row."""
    head, row, other = read_xlsx(xlsx(table(("Ana", text, "end"), ("Ben", "short", "end"), columns=("Name", "Notes", "End"))))
    parts = [cell for name, cell in zip(head, row, strict=True) if name.startswith("Notes")]
    assert "".join(parts) == text
    assert max(len(part.encode("utf-16-le")) // 2 for part in parts) <= 32_767
    assert (row[0], row[-1], other[0], other[1], other[-1]) == ("Ana", "end", "Ben", "short", "end")
    assert head[1 : len(parts) + 1] == ["Notes", *(f"Notes … ({number})" for number in range(2, len(parts) + 1))]


@pytest.mark.parametrize("write", [lambda sheet: read_csv(write_csv(sheet)), lambda sheet: read_xlsx(xlsx(sheet))], ids=["csv", "xlsx"])
def test_control_characters_become_visible(write: Any) -> None:
    """Signs that no file of tables can carry are shown as pictures; half characters as the sign for that."""
    assert write(table(("a\x00b\x1b\x7f \ud83d \ufffe", "end")))[1] == ["a␀b␛␡ \ufffd \ufffd", "end"]


def test_sheets_have_names_that_excel_takes() -> None:
    """At most 31 characters, none of the forbidden ones, and no name twice whatever its case."""
    given_names = ["Niños: 2026/27", "niños  2026 27", "'Ana'", "", "History", "x" * 40, "x" * 40, "😀" * 20, "[]:*?/\\"]
    found = sheet_names(given_names)
    assert found[:5] == ["Niños 2026 27", "niños 2026 27 (2)", "Ana", "Sheet", "History (2)"]
    assert len({name.casefold() for name in found}) == len(found)
    assert max(len(name.encode("utf-16-le")) // 2 for name in found) <= 31
    assert CalamineWorkbook.from_filelike(io.BytesIO(xlsx(*[Sheet(name=name, columns=("a",), rows=[]) for name in given_names]))).sheet_names == found


def test_excel_sheets_are_ready_to_read() -> None:
    """The head stays in sight and has filters; long texts wrap; columns are as wide as they need, within reason."""
    cells = sheet_xml(xlsx(table(("short", "long text " * 50), ("short", "b"), columns=("A", "B"))))
    assert cells.find(".//{*}pane").get("state") == "frozen"
    assert cells.find("{*}autoFilter").get("ref") == "A1:B3"
    assert [round(float(column.get("width"))) for column in cells.iter("{*}col")] == [11, 63]


@pytest.mark.parametrize(("sheet", "what"), [(Sheet(name="T", columns=("a",), rows=[("",)] * 1_048_576), "rows"), (Sheet(name="T", columns=("a",) * 16_385, rows=[]), "columns")])
def test_more_than_a_sheet_takes_is_refused(sheet: Sheet, what: str) -> None:
    """Excel would drop the rest without a word; the refusal names the sheet and the limit."""
    with pytest.raises(Refused, match=f"^T: .*{what}") as stopped:
        xlsx(sheet)
    assert stopped.value.code == "table-too-large"


def test_the_same_table_gives_the_same_bytes() -> None:
    """Nothing of the clock is in a file but the moment that is given; its author is nobody."""
    sheet = table(("Ana", date(2026, 1, 2)))
    assert xlsx(sheet, sheet) == xlsx(sheet, sheet)
    with zipfile.ZipFile(io.BytesIO(xlsx(sheet))) as book:
        core = book.read("docProps/core.xml").decode()
    assert re.findall(r">([^<>]+)<", core.partition("<cp:coreProperties")[2]) == ["Export", "2026-11-10T09:30:00Z", "2026-11-10T09:30:00Z"]


def test_libreoffice_reads_every_text(tmp_path: Path) -> None:
    """LibreOffice opens the workbook and finds every text as it was written, and no formula's result."""
    program = shutil.which("soffice")
    if program is None:
        pytest.skip("LibreOffice is not installed: apt-get install libreoffice-calc-nogui")
    texts = [text for text in (*FORMULAS, *PLAIN) if "\r" not in text]
    (tmp_path / "table.xlsx").write_bytes(xlsx(table(*[(number, text) for number, text in enumerate(texts)])))
    command = [program, "--headless", f"-env:UserInstallation={(tmp_path / 'profile').as_uri()}", "--convert-to", "csv:Text - txt - csv (StarCalc):44,34,76,1,,0,false,true,false", "--outdir", str(tmp_path), str(tmp_path / "table.xlsx")]
    subprocess.run(command, check=True, capture_output=True, timeout=180)
    file = tmp_path / "table.csv"
    if not file.exists():
        pytest.skip("LibreOffice has no Calc: apt-get install libreoffice-calc-nogui")
    rows = list(csv.reader(io.StringIO(file.read_text(encoding="utf-8-sig"), newline="")))[1:]
    assert [row[1] for row in rows] == texts
