"""The commands of single forms: list, issue, read."""

import json
import sys
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

import click
from rich.table import Table

from formsvc.cli_words import console
from formsvc.errors import word
from formsvc.files import json_object, read_file, write_file
from formsvc.model.kinds import LANGS, Lang
from formsvc.model.record import Problem
from formsvc.model.stamp import from_words, in_words, is_document
from formsvc.passwords import read_password
from formsvc.service import Issued, Received, Service
from formsvc.settings import settings


@click.command()
@click.option("--json", "as_json", is_flag=True, help="One JSON list.")
def forms(*, as_json: bool) -> None:
    """List the forms that can be issued."""
    found = Service(settings()).catalog.forms()
    if as_json:
        rows = [{"form": form.id.name, "version": form.id.version, "number": form.number, "revision": form.revision, "title": asdict(form.titles), "groups": [group.name for group in form.groups]} for form in found]
        click.echo(json.dumps(rows, ensure_ascii=False, indent=1))
        return
    table = Table("Form", "Version", "Number", "Title", "Rows of")
    for form in found:
        table.add_row(form.id.name, str(form.id.version), f"{form.number} rev. {form.revision}", form.titles.en, ", ".join(group.name for group in form.groups))
    console().print(table)


def _rows(_context: click.Context, _option: click.Parameter, given: tuple[str, ...]) -> dict[str, int]:
    rows = {}
    for text in given:
        name, _, count = text.partition("=")
        if not count.isdecimal() or not name:
            raise click.BadParameter(word("rows-option-invalid", detail=text))
        rows[name] = int(count)
    return rows


def _document(_context: click.Context, _option: click.Parameter, given: str | None) -> str | None:
    if given is None:
        return None
    document = given.upper() if is_document(given.upper()) else from_words(given)
    if document is None:
        raise click.BadParameter("this is not a document id; it looks like K7QF2-M9XDA-Z")
    return document


@click.command()
@click.argument("form")
@click.option("--data", type=click.Path(path_type=Path, allow_dash=True), help="The values, as JSON ('-' reads standard input); without it a blank form.")
@click.option("--out", type=click.Path(path_type=Path, dir_okay=False), help="The PDF to write; by default FORM-DOCUMENT.pdf here.")
@click.option("--lang", type=click.Choice(LANGS), default="en", show_default=True, help="Language of the paper.")
@click.option("--rows", multiple=True, callback=_rows, metavar="GROUP=N", help="At least so many rows, like children=12.")
@click.option("--document", callback=_document, help="Issue under this document id (a new one by default).")
@click.option("--json", "as_json", is_flag=True, help="Say what was done as one JSON object.")
def issue(form: str, data: Path | None, out: Path | None, lang: Lang, rows: Mapping[str, int], document: str | None, *, as_json: bool) -> None:
    """Make a fillable PDF with the given values."""
    issued = Service(settings()).issue(form, _values(data), lang=lang, rows=rows, document=document)
    file = out or Path(f"{form}-{issued.document}.pdf")
    write_file(file, issued.content)
    if as_json:
        click.echo(json.dumps({"document": issued.document, "file": str(file), "problems": [asdict(found) for found in issued.problems]}, ensure_ascii=False))
    else:
        _say_issued(issued, file)


def _say_issued(issued: Issued, file: Path) -> None:
    click.echo(f"{file}: document {in_words(issued.document)}, {len(issued.content) / 1000:.0f} KB")
    for found in issued.problems:
        click.echo(f"  {found.field}: {found.message}", err=True)


def _values(file: Path | None) -> Mapping[str, Any] | None:
    if file is None:
        return None
    content = sys.stdin.buffer.read() if str(file) == "-" else read_file(file)
    return json_object(content, file)


@click.command()
@click.argument("file", type=click.Path(path_type=Path))
@click.option("--password-file", type=click.Path(path_type=Path), help="A file whose first line opens a protected PDF.")
@click.option("--expect", callback=_document, help="Say so if this is another document than that one.")
@click.option("--json", "as_json", is_flag=True, help="One JSON object: values, answers, problems.")
def read(file: Path, password_file: Path | None, expect: str | None, *, as_json: bool) -> None:
    """Read a form that came back."""
    received = Service(settings()).read_file(file, password=read_password(password_file) if password_file else None, expected=expect)
    if as_json:
        click.echo(json.dumps(as_contract(received), ensure_ascii=False, indent=1))
    else:
        _say_received(received, file)


def as_contract(received: Received) -> dict[str, Any]:
    """What `read --json` prints."""
    submission, record = received.submission, received.record
    return {
        "document": record.document,
        "form": record.form.name,
        "version": record.form.version,
        "source": submission.source,
        "values": record.values,
        "answers": {key: asdict(answer) for key, answer in submission.answers.items() if answer.raw},
        "problems": [asdict(found) for found in record.problems],
    }


def _say_received(received: Received, file: Path) -> None:
    record = received.record
    words = in_words(record.document) if record.document else "unknown"
    click.echo(f"{file}: {record.form.name} v{record.form.version}, document {words}")
    for name, value in record.values.items():
        if isinstance(value, list) and value and isinstance(value[0], dict):
            click.echo(f"{name}: {len(value)} rows")
            for number, row in enumerate(value, start=1):
                shown = ", ".join(f"{key} {_brief(entry)}" for key, entry in row.items()) if isinstance(row, dict) else ""
                click.echo(f"  {number:>2}  {shown}")
        else:
            click.echo(f"{name}: {_brief(value)}")
    _say_problems(record.problems)


def _brief(value: object, most: int = 60) -> str:
    if value is True:
        return "✓"
    text = ", ".join(map(str, value)) if isinstance(value, list) else " ".join(str(value).split())
    return text if len(text) <= most else f"{text[: most - 1]}…"


def _say_problems(problems: tuple[Problem, ...]) -> None:
    if problems:
        click.echo(f"\n{len(problems)} to look at:")
    for found in sorted(problems, key=lambda found: found.severity):
        click.echo(f"  {found.severity:<7} {found.field or 'the document'}: {found.message} [{found.code}]")
