"""The command line: thin words around the service. Exit 0 done, 1 wrong usage, 2 could not be done."""

import json
import sys
import tempfile
from collections.abc import Callable, Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any, Final

import click
from rich.console import Console
from rich.progress import Progress, SpinnerColumn, TextColumn, TimeElapsedColumn
from rich.table import Table

from formsvc import __version__
from formsvc.check import check_fonts, check_form_folder, check_letter
from formsvc.cli_care import backup, child, keys, restore, verify
from formsvc.cli_letter import case, letter
from formsvc.cli_month import import_roster, month, plan, receive_files
from formsvc.cli_review import review
from formsvc.cli_serve import pages, person, serve, worker
from formsvc.cli_status import export, monitoring, show_log, show_status
from formsvc.demo import run_demo
from formsvc.demo_month import run_month
from formsvc.errors import Refused, word
from formsvc.files import check_others, json_object, read_file, write_file
from formsvc.model.kinds import LANGS, Lang
from formsvc.model.record import Problem
from formsvc.model.stamp import from_words, in_words, is_document
from formsvc.parsers.sandbox import run_limited
from formsvc.passwords import given_password, new_password, read_password, write_secret
from formsvc.protection import lock as locked
from formsvc.protection import unlock as unlocked
from formsvc.service import Issued, Received, Service
from formsvc.settings import settings

_WRONG_USAGE, _REFUSED = 1, 2
_HELD: Final = {True: "[green]held[/]", False: "[red]BROKEN[/]"}


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="formsvc")
def cli() -> None:
    """Forms for case conferences: issue them, read them back, lose nothing."""


@cli.command()
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
    _console().print(table)


def _console() -> Console:
    """A terminal as wide as it is; in a pipe wide enough for the tables."""
    console = Console()
    return console if console.is_terminal else Console(width=130)


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


@cli.command()
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


@cli.command()
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


@cli.command()
@click.argument("what", type=click.Path(path_type=Path), required=False)
def check(what: Path | None) -> None:
    """Check a form's folder (definition, page, layout in both languages) or a letter's Word file, and the fonts here."""
    if what is not None:
        lines = check_letter if what.suffix.lower() == ".docx" else check_form_folder
        for line in lines(what, settings()):
            click.echo(line)
    for line in check_fonts():
        click.echo(line)


@cli.command()
@click.argument("folder", type=click.Path(path_type=Path, file_okay=False), required=False)
def demo(folder: Path | None) -> None:
    """Issue a sample month, fill it as a person would in Chrome, read it back."""
    where = folder or Path(tempfile.mkdtemp(prefix="formsvc-demo-"))
    table = Table("Paper", "Document", "Pre-filled", "Typed", "Read", "To look at", "Round trip", "Seconds")
    held = True
    console = _console()
    with Progress(SpinnerColumn(), TextColumn("{task.description}"), TimeElapsedColumn(), console=console, transient=True, disable=not console.is_terminal) as progress:
        task = progress.add_task("", total=None)
        for trip in run_demo(Service(settings()), where, lambda sample: progress.update(task, description=sample)):
            held = held and trip.held
            table.add_row(trip.sample, in_words(trip.document), str(trip.prefilled), str(trip.typed), str(trip.read), ", ".join(trip.problems), _HELD[trip.held], f"{trip.seconds:.1f}")
    console.print(table)
    held = _demo_month(where, console) and held
    click.echo(f"Everything is in {where}: issued, returned (typed in with PDFium), records, as-if-complete; the month in 2026-11, 2026-12, its data in store.")
    if not held:
        sys.exit(_REFUSED)


def _demo_month(where: Path, console: Console) -> bool:
    """The month's cycle, a row for each step; whether all of them held."""
    table = Table("The month", "Result", "")
    held = True
    with Progress(SpinnerColumn(), TextColumn("{task.description}"), TimeElapsedColumn(), console=console, transient=True, disable=not console.is_terminal) as progress:
        task = progress.add_task("", total=None)
        for step in run_month(settings(), where, lambda said: progress.update(task, description=said)):
            held = held and step.held
            table.add_row(step.what, step.result, _HELD[step.held])
    console.print(table)
    return held


@cli.command()
@click.argument("source", metavar="IN", type=click.Path(path_type=Path))
@click.argument("out", metavar="OUT", type=click.Path(path_type=Path, dir_okay=False))
@click.option("--password-file", type=click.Path(path_type=Path), help="A file whose first line is the password.")
@click.option("--passphrase-out", type=click.Path(path_type=Path, dir_okay=False), help="Make a passphrase and write it to this new file, for your eyes only.")
@click.option("--weak-password", is_flag=True, help="Take a password even if it would be guessed.")
@click.option("--json", "as_json", is_flag=True, help="Say what was done as one JSON object.")
def lock(source: Path, out: Path, password_file: Path | None, passphrase_out: Path | None, *, weak_password: bool, as_json: bool) -> None:
    """Protect a PDF or Word document with a password.

    Without an option the password is read from FORMSVC_PASSWORD or asked for on the terminal.
    """
    if password_file and passphrase_out:
        raise click.UsageError("--password-file and --passphrase-out exclude each other")
    check_others(out, source, password_file, passphrase_out)
    password = new_password(password_file, passphrase_out, weak=weak_password)
    content = _protecting(locked, source, password)
    if passphrase_out:
        write_secret(passphrase_out, password)
    try:
        write_file(out, content)
    except BaseException:
        if passphrase_out:
            passphrase_out.unlink(missing_ok=True)
        raise
    _say_written(out, content, passphrase_out, as_json=as_json)


@cli.command()
@click.argument("source", metavar="IN", type=click.Path(path_type=Path))
@click.argument("out", metavar="OUT", type=click.Path(path_type=Path, dir_okay=False))
@click.option("--password-file", type=click.Path(path_type=Path), help="A file whose first line is the password.")
@click.option("--json", "as_json", is_flag=True, help="Say what was done as one JSON object.")
def unlock(source: Path, out: Path, password_file: Path | None, *, as_json: bool) -> None:
    """Take the protection off a PDF or Word document.

    Without an option the password is read from FORMSVC_PASSWORD or asked for on the terminal.
    """
    check_others(out, source, password_file)
    content = _protecting(unlocked, source, given_password(password_file))
    write_file(out, content)
    _say_written(out, content, None, as_json=as_json)


def _protecting(work: Callable[[bytes, str], bytes], source: Path, password: str) -> bytes:
    """The work done on a file inside the sandbox; a refusal names the file."""
    content = read_file(source, settings().most_megabytes)
    try:
        return run_limited(work, content, password)
    except Refused as refused:
        raise refused.at(str(source)) from refused


def _say_written(out: Path, content: bytes, passphrase_out: Path | None, *, as_json: bool) -> None:
    if as_json:
        click.echo(json.dumps({"file": str(out), **({"passphrase_file": str(passphrase_out)} if passphrase_out else {})}, ensure_ascii=False))
        return
    click.echo(f"{out}: {len(content) / 1000:.0f} KB")
    if passphrase_out:
        click.echo(f"{passphrase_out}: its passphrase. Tell it by another way than the document, then delete the file.")


for command in (letter, case, import_roster, plan, month, receive_files, review, show_status, export, monitoring, show_log, verify, backup, restore, keys, child, serve, pages, worker, person):
    cli.add_command(command)


def main() -> None:
    """Run the command line with the exit codes of the contract."""
    as_json = "--json" in sys.argv
    try:
        cli.main(standalone_mode=False)
    except click.exceptions.Abort:
        sys.exit(130)
    except click.ClickException as wrong:
        wrong.show()
        sys.exit(_WRONG_USAGE)
    except Refused as refused:
        _say_refused(refused, as_json=as_json)
        sys.exit(_REFUSED)


def _say_refused(refused: Refused, *, as_json: bool) -> None:
    if as_json:
        click.echo(json.dumps({"code": refused.code, "message": refused.message}, ensure_ascii=False), err=True)
    else:
        click.echo(f"{refused.message} [{refused.code}]", err=True)
