"""Tables for other programs: CSV and Excel files in which every text stays text.

Answers are written by many hands, so a text that a spreadsheet would take for a formula is guarded.
CSV: it gets one apostrophe in front (and loses one when it is read back, see `unguarded`); texts are
always quoted, so that no separator of another country splits them. Excel: texts are text cells.

- An Excel cell holds 32,767 characters: the rest of a longer text goes on in added columns beside it,
  so that a row stays one record when the sheet is sorted or filtered. CSV cells have no limit.
- Control characters (other than tabs and line breaks) become their pictures, ␀ to ␡; half
  characters (unpaired surrogates) and the two code points XML forbids become U+FFFD.
- Excel keeps 15 digits and counts days from 1900: longer whole numbers and earlier days are text.
"""

import csv
import io
import math
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, Final

import xlsxwriter

from formsvc.errors import Refused

Cell = str | int | float | date | bool | None

_FORMULA: Final = re.compile(r"'*([\t\r\n]|[\s\u200b\u2060\ufeff]*[=+\-@＝＋－＠])")
"""What a spreadsheet may take for a formula, and what already has apostrophes before it."""
_PICTURES: Final = {code: 0x2400 + code for code in range(32) if chr(code) not in "\t\n\r"} | {127: 0x2421, 0xFFFE: 0xFFFD, 0xFFFF: 0xFFFD}
_SURROGATES: Final = re.compile("[\ud800-\udfff]")
_LONGEST: Final = 32_767  # UTF-16 units in a cell
_MOST_ROWS, _MOST_COLUMNS = 1_048_576, 16_384
_MOST_DIGITS: Final = 10**15
_FIRST_YEAR: Final = 1900
_NAME_LENGTH: Final = 31
_WIDEST, _NARROWEST = 60, 8  # characters
_OPTIONS: Final = {"in_memory": True, "strings_to_formulas": False, "strings_to_urls": False, "strings_to_numbers": False}
"""In memory: XlsxWriter's other ways leave what people wrote in files of the machine's temporary folder."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Sheet:
    """A table: its name, the heads of its columns, and rows of as many cells."""

    name: str
    columns: tuple[str, ...]
    rows: Sequence[Sequence[Cell]]


def _clean(text: str) -> str:
    return _SURROGATES.sub("\ufffd", text.translate(_PICTURES))


# ---------------------------------------------------------------- CSV


def write_csv(sheet: Sheet) -> bytes:
    """The table as RFC 4180: UTF-8 with a byte order mark (Excel shows accents by it), CRLF, days as ISO 8601."""
    out = io.StringIO()
    writer = csv.writer(out, quoting=csv.QUOTE_NONNUMERIC, lineterminator="\r\n")
    writer.writerow([guarded(head) for head in sheet.columns])
    writer.writerows([_plain(cell) for cell, _ in zip(row, sheet.columns, strict=True)] for row in sheet.rows)
    return out.getvalue().encode("utf-8-sig")


def _plain(cell: Cell) -> str | int | float:
    match cell:
        case None:
            return ""
        case bool():
            return "TRUE" if cell else "FALSE"
        case int():
            return cell
        case float():
            return cell if math.isfinite(cell) else str(cell)
        case date():
            return cell.isoformat()
    return guarded(cell)


def guarded(text: str) -> str:
    """A text that no spreadsheet takes for a formula."""
    text = _clean(text)
    return f"'{text}" if _FORMULA.match(text) else text


def unguarded(text: str) -> str:
    """The text that was guarded."""
    return text[1:] if text.startswith("'") and _FORMULA.match(text) else text


# ---------------------------------------------------------------- Excel


def write_xlsx(sheets: Sequence[Sheet], *, title: str, created: datetime) -> bytes:
    """A workbook of these tables; equal tables of one moment give equal bytes. Refuses more than a sheet takes."""
    out = io.BytesIO()
    with xlsxwriter.Workbook(out, _OPTIONS) as book:
        book.set_properties({"title": _clean(title), "created": created})
        faces = _Faces(book)
        for name, sheet in zip(sheet_names(sheet.name for sheet in sheets), sheets, strict=True):
            _write_sheet(book.add_worksheet(name), _fitted(sheet), faces)
    return out.getvalue()


def sheet_names(names: Iterable[str]) -> list[str]:
    r"""Names that Excel takes: at most 31 characters, none of []:*?/\, different from each other and from “History”."""
    found: list[str] = []
    for name in names:
        plain = re.sub(r"[\[\]:*?/\\\s]+", " ", _clean(name)).strip(" '") or "Sheet"
        taken, number, fitting = {"history", *(other.casefold() for other in found)}, 1, _cut(plain, _NAME_LENGTH)
        while fitting.casefold() in taken:
            number += 1
            ending = f" ({number})"
            fitting = _cut(plain, _NAME_LENGTH - len(ending)) + ending
        found.append(fitting)
    return found


def _cut(text: str, most: int) -> str:
    """The beginning of a text, at most so many UTF-16 units; no character is cut in half."""
    return text.encode("utf-16-le")[: 2 * most].decode("utf-16-le", "ignore").strip(" '")


def _fitted(sheet: Sheet) -> Sheet:
    """The table with cells that Excel can hold, and added columns for what it cannot."""
    rows = [[_parts(cell) for cell, _ in zip(row, sheet.columns, strict=True)] for row in sheet.rows]
    counts = [max((len(row[at]) for row in rows), default=1) for at in range(len(sheet.columns))]
    _refuse_more(len(rows) + 1, _MOST_ROWS, "rows", sheet.name)
    _refuse_more(sum(counts), _MOST_COLUMNS, "columns", sheet.name)
    columns = [head if part == 0 else f"{head} … ({part + 1})" for head, count in zip(sheet.columns, counts, strict=True) for part in range(count)]
    return Sheet(
        name=sheet.name,
        columns=tuple(columns),
        rows=[[cell for parts, count in zip(row, counts, strict=True) for cell in (*parts, *[None] * (count - len(parts)))] for row in rows],
    )


def _refuse_more(count: int, most: int, what: str, place: str) -> None:
    if count > most:
        raise Refused("table-too-large", place, count=count, most=most, what=what)


def _parts(cell: Cell) -> list[Cell]:
    """A value as one cell, or a long text as several that together are the text."""
    match cell:
        case datetime():
            return [cell.isoformat()]
        case date() if cell.year < _FIRST_YEAR:
            return [cell.isoformat()]
        case bool() | None | date():
            return [cell]
        case int() | float():
            return [cell if math.isfinite(cell) and (isinstance(cell, float) or abs(cell) < _MOST_DIGITS) else str(cell)]
    text = _clean(cell.replace("\r\n", "\n").replace("\r", "\n"))
    if len(text) * 2 <= _LONGEST:
        return [text]
    return list(_pieces(text))


def _pieces(text: str) -> Iterable[str]:
    """A text cut where cells end."""
    raw, at = text.encode("utf-16-le"), 0
    while at < len(raw):
        piece = raw[at : at + 2 * _LONGEST].decode("utf-16-le", "ignore")
        at += len(piece.encode("utf-16-le"))
        yield piece


class _Faces:
    """The formats of one workbook."""

    def __init__(self, book: Any) -> None:
        plain = {"valign": "top"}
        self.head = book.add_format({**plain, "bold": True, "text_wrap": True, "bg_color": "#E8ECEF", "bottom": 1})
        self.day = book.add_format({**plain, "num_format": "yyyy-mm-dd", "align": "left"})
        self.other = book.add_format(plain)
        self.text = book.add_format({**plain, "text_wrap": True})
        self.like_formula = book.add_format({**plain, "text_wrap": True, "quote_prefix": True})
        """A text that would become a formula when somebody edits its cell."""


def _write_sheet(worksheet: Any, sheet: Sheet, faces: _Faces) -> None:
    last_row, last_column = len(sheet.rows), len(sheet.columns) - 1
    for column, head in enumerate(sheet.columns):
        worksheet.write_string(0, column, _clean(head), faces.head)
        width = max((_width(row[column]) for row in sheet.rows), default=0)
        worksheet.set_column(column, column, min(max(width, _width(head), _NARROWEST), _WIDEST) + 2)
    for number, row in enumerate(sheet.rows, start=1):
        for column, cell in enumerate(row):
            _write_cell(worksheet, number, column, cell, faces)
    worksheet.freeze_panes(1, 0)
    worksheet.autofilter(0, 0, last_row, last_column)
    worksheet.ignore_errors({"number_stored_as_text": f"A1:{xlsxwriter.utility.xl_rowcol_to_cell(last_row, last_column)}"})
    worksheet.repeat_rows(0)
    worksheet.set_landscape()
    worksheet.fit_to_pages(1, 0)


def _width(cell: Cell) -> int:
    """The longest line of a cell, in characters."""
    return max((len(line) for line in str(cell).split("\n")), default=0) if cell is not None else 0


def _write_cell(worksheet: Any, row: int, column: int, cell: Cell, faces: _Faces) -> None:
    match cell:
        case None | "":
            return
        case bool():
            worksheet.write_boolean(row, column, cell, faces.other)
        case int() | float():
            worksheet.write_number(row, column, cell, faces.other)
        case date():
            worksheet.write_datetime(row, column, cell, faces.day)
        case str():
            worksheet.write_string(row, column, cell, faces.like_formula if _FORMULA.match(cell) else faces.text)
