"""A stranger's table (CSV, XLSX, XLS, ODS) as rows of clean text with their line numbers; what it means is not known here.

What a file is shows in its bytes: exports are often named wrongly, so an .xlsx named .csv is read,
and a web page named .xls is refused. Spreadsheets belong into `parsers.sandbox.run_limited`.
"""

import csv
import io
import re
import unicodedata
import zipfile
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from functools import lru_cache
from typing import Final

from python_calamine import CalamineError, CalamineWorkbook, PasswordError, SheetTypeEnum, SheetVisibleEnum

from formsvc.errors import Refused
from formsvc.model.values import Misread, normal_lines, read_day

Cell = str | int | float | bool | time | date | datetime | timedelta
Row = tuple[int, Sequence[str]]
"""The line in the file, counted from 1, and the text of each cell."""
_MOST_UNPACKED: Final = 250_000_000
_MOST_CELLS: Final = 5_000_000
_MOST_SHEETS: Final = 20
_SEPARATORS: Final = ",;\t|"
_HEAD_LINES: Final = 50
_MILLION: Final = 1_000_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Table:
    """One sheet; blank rows are left out."""

    name: str
    rows: tuple[Row, ...]


def read_tables(content: bytes) -> tuple[Table, ...]:
    """The tables of a file that hold anything, in its order; refuses what is no table."""
    if not content.strip(b"\0\t\r\n "):
        raise Refused("file-empty")
    if content.startswith(b"PK"):
        _check_archive(content)
        return _workbook(content)
    if content.startswith(b"\xd0\xcf\x11\xe0"):
        return _workbook(content)
    if content.startswith((b"%PDF", b"\x89PNG", b"\xff\xd8\xff", b"{\\rtf")):
        raise Refused("table-unreadable", detail="it is a document or a picture")
    return (_csv(_text(content)),)


# ---------------------------------------------------------------- spreadsheets

_MEMBERS: Final = ("xl/workbook.xml", "xl/workbook.bin", "content.xml")


def _check_archive(content: bytes) -> None:
    """Refuse an archive that is no spreadsheet, or that says it unpacks to far more than a roster."""
    try:
        members = zipfile.ZipFile(io.BytesIO(content)).infolist()
    except (zipfile.BadZipFile, ValueError, NotImplementedError) as problem:
        raise Refused("table-unreadable", detail="it is damaged or cut off") from problem
    unpacked = sum(member.file_size for member in members)
    if unpacked > _MOST_UNPACKED:
        raise Refused("roster-too-large", size=f"{unpacked // _MILLION} MB", most=f"{_MOST_UNPACKED // _MILLION} MB")
    if not any(member.filename in _MEMBERS for member in members):
        raise Refused("table-unreadable", detail="it is another kind of file, not a spreadsheet")


def _workbook(content: bytes) -> tuple[Table, ...]:
    try:
        with CalamineWorkbook.from_filelike(io.BytesIO(content)) as book:
            return tuple(_sheets(book))
    except PasswordError as problem:
        raise Refused("table-protected") from problem
    except (CalamineError, OSError, ValueError, OverflowError) as problem:
        raise Refused("table-unreadable", detail="it is damaged, or not a spreadsheet") from problem
    except BaseException as problem:
        if type(problem).__name__ != "PanicException":  # a fault inside the library, which is no Exception for Python
            raise
        raise Refused("table-unreadable", detail="it is damaged") from problem


def _sheets(book: CalamineWorkbook) -> Iterator[Table]:
    """The visible sheets with content; a hidden one is somebody's notes, not the roster."""
    shown = [one.name for one in book.sheets_metadata if one.visible == SheetVisibleEnum.Visible and one.typ == SheetTypeEnum.WorkSheet]
    cells = 0
    for name in shown[:_MOST_SHEETS]:
        sheet = book.get_sheet_by_name(name)
        cells += sheet.total_height * sheet.total_width
        if cells > _MOST_CELLS:
            raise Refused("roster-too-large", size=f"{cells} cells", most=f"{_MOST_CELLS} cells")
        if rows := _rows(enumerate(sheet.to_python(skip_empty_area=False), 1)):
            yield Table(name=name, rows=rows)


# ---------------------------------------------------------------- text files


def _text(content: bytes) -> str:
    """The text of a file in any encoding that spreadsheet programs save; refuses what is no text."""
    text = _decoded(content)
    if re.search(r"[\x00-\x08\x0e-\x1b]", text):
        raise Refused("table-unreadable", detail="it is not text")
    if re.match(r"\s*<(!doctype|html|\?xml|table|head|body)", text, re.IGNORECASE):
        raise Refused("table-unreadable", detail="it is a web page or XML, whatever its name")
    return text


def _decoded(content: bytes) -> str:
    try:
        if content.startswith((b"\xff\xfe", b"\xfe\xff")):
            return content.decode("utf-16")
        if wide := _wide(content):
            return content.decode(wide)
        return content.decode("utf-8-sig")
    except UnicodeDecodeError:
        return _decoded_by_line(content)


def _wide(content: bytes) -> str:
    """UTF-16 without a mark: every other byte of its Latin letters is zero."""
    head = content[:400]
    for start, name in ((1, "utf-16-le"), (0, "utf-16-be")):
        if head[start::2].count(0) * 2 > len(head[start::2]) and not head[1 - start :: 2].count(0):
            return name
    return ""


def _decoded_by_line(content: bytes) -> str:
    """Windows-1252, or both encodings in one file, as files pasted together have them."""
    try:
        return "".join(map(_decoded_line, content.removeprefix(b"\xef\xbb\xbf").splitlines(keepends=True)))
    except UnicodeDecodeError as problem:
        raise Refused("table-unreadable", detail="its letters are in an unknown encoding") from problem


def _decoded_line(line: bytes) -> str:
    try:
        return line.decode("utf-8")
    except UnicodeDecodeError:
        return line.decode("cp1252")


def _csv(text: str) -> Table:
    """The rows of a text file; a quotation mark that never closes would swallow children, so it is refused."""
    separator, told = _separator(text)
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=separator, strict=True)
    rows: list[tuple[int, list[str]]] = []
    line = 1
    try:
        for row in reader:
            rows.append((line, row))
            line = reader.line_num + 1
    except csv.Error as problem:
        raise Refused("table-quote", line=line) from problem
    return Table(name="", rows=_rows(rows[1:] if told else rows))


def _separator(text: str) -> tuple[str, bool]:
    """What stands between cells, and whether the first line says so, as Excel's `sep=;` does."""
    if found := re.match(r'"?sep=(.)"?\s*[\r\n]', text):
        return found[1], True
    head = "".join(line for line, _ in zip(io.StringIO(text, newline=""), range(_HEAD_LINES), strict=False))
    return max(_SEPARATORS, key=lambda separator: _breadth(head, separator)), False


def _breadth(head: str, separator: str) -> int:
    try:
        return sum(len(row) - 1 for row in csv.reader(io.StringIO(head, newline=""), delimiter=separator) if row)
    except csv.Error:
        return 0


# ---------------------------------------------------------------- cells

_FIRST_DAY: Final = date(1899, 12, 30)  # day 0 of spreadsheets
_SERIALS: Final = range(36526, 73051)  # 2000 to 2099
_DECEMBER: Final = 12


def _rows(rows: Iterable[tuple[int, Sequence[Cell]]]) -> tuple[Row, ...]:
    """The rows with anything in them. Rosters repeat themselves, so each text is cleaned once; nothing is kept after that."""
    text = lru_cache(maxsize=None, typed=True)(_text_of)
    cleaned = ((line, tuple(map(text, row))) for line, row in rows)
    return tuple((line, row) for line, row in cleaned if any(row))


def _text_of(cell: Cell) -> str:
    """A cell in one line, as a person reads it: single spaces, composed accents, whole numbers without a point."""
    if isinstance(cell, str):
        return _clean(cell)
    if isinstance(cell, bool):
        return "yes" if cell else "no"
    if isinstance(cell, float) and cell.is_integer():
        return str(int(cell))
    if isinstance(cell, datetime) and cell.time() == time():
        return cell.date().isoformat()
    return str(cell)


def _clean(text: str) -> str:
    words = " ".join(normal_lines(text).split())
    if not words.isascii():
        words = unicodedata.normalize("NFC", words.translate(_INVISIBLE)).strip()
    return _unguarded(words) if words[:1] in ("'", "=") else words


_INVISIBLE: Final = dict.fromkeys(map(ord, "\u200b\u200e\u200f\u2060\ufeff\u00ad"))


def _unguarded(text: str) -> str:
    """Without what exports put before a cell so that no spreadsheet computes it: '=1, '007, ="007"; 'Aolani stays."""
    if found := re.fullmatch(r'="([^"]*)"', text):
        return found[1].strip()
    return text[1:] if re.match(r"'[=+\-@\d]", text) else text


def day_of(text: str) -> date | Misread | None:
    """The day in a cell: a date cell, a bare day number of a spreadsheet, ISO or US order; None if empty or a dash."""
    if not text.strip("-–/. "):
        return None
    return _serial_day(text) or _written_day(re.sub(r"(?<=\d)[ T]\d{1,2}:\d{2}.*", "", text))


def _serial_day(text: str) -> date | None:
    number = text.partition(".")[0]
    if re.fullmatch(r"\d{5}(\.\d+)?", text, re.ASCII) and int(number) in _SERIALS:
        return _FIRST_DAY + timedelta(days=int(number))
    return None


def _written_day(text: str) -> date | Misread:
    """A day first (25/04/2022) is refused: the same machine wrote 03/04/2022 for April 3, which nobody would notice."""
    if found := re.fullmatch(r"(\d{1,2}) ?[-/.] ?(\d{1,2}) ?[-/.] ?\d{2,4}", text, re.ASCII):
        first, second = int(found[1]), int(found[2])
        if first > _DECEMBER >= second:
            return Misread("row-date-day-first")
    if re.fullmatch(r"(19|20)\d{6}", text, re.ASCII):
        text = f"{text[:4]}-{text[4:6]}-{text[6:]}"
    day = read_day(text)
    return date.fromisoformat(day) if day else Misread("row-date")
