"""The commands of review: what waits for a person, and how it is settled."""

import json
import re
from collections.abc import Iterable
from dataclasses import asdict
from pathlib import Path

import click
from rich.console import Console

from formsvc.cli_words import counted, month_argument, progress
from formsvc.files import write_file
from formsvc.office.corrections import gather_corrections
from formsvc.office.office import open_office
from formsvc.office.review import Waiting, correct, decide, drop, place, take_back, waiting
from formsvc.settings import settings


def _return(_context: click.Context, _parameter: click.Parameter, given: str) -> int:
    """The number of a return, told apart from a question's by its R."""
    if not re.fullmatch(r"[Rr]\d{1,9}", given):
        raise click.BadParameter(f"“{given}” is not a return; they are written R7, as the list shows them")
    return int(given[1:])


@click.group(invoke_without_command=True)
@click.option("--month", "only", callback=month_argument, help="Only this month.")
@click.option("--json", "as_json", is_flag=True, help="One JSON list.")
@click.pass_context
def review(context: click.Context, only: str | None, *, as_json: bool) -> None:
    """List what waits for a person; `review answer`, `review place`, `review drop` and `review undo` settle it."""
    if context.invoked_subcommand is not None:
        return
    found = waiting(open_office(settings()), month=only)
    if as_json:
        click.echo(json.dumps([asdict(one) for one in found], ensure_ascii=False))
        return
    _show_waiting(found)


def _show_waiting(found: Iterable[Waiting]) -> None:
    count = 0
    for count, one in enumerate(found, start=1):  # noqa: B007  (counted for the last line)
        click.echo(f"{one.number}. {one.where}{f' · {one.what}' if one.what else ''}")
        click.echo(f"   {one.message} [{one.code}]{f' (return R{one.return_id})' if one.return_id else ''}")
        if one.issued is not None:
            click.echo(f"   issued: {one.issued}")
        for number, (value, source) in enumerate(one.choices, start=1):
            click.echo(f"   {number}) {'(emptied)' if value is None else value}   from {source}")
    click.echo("Nothing waits." if not count else f"{count} wait. Answer with: formsvc review answer NUMBER CHOICE (1, 2, …, issued, ok, or =VALUE)")


@review.command("answer")
@click.argument("number", type=int)
@click.argument("choice")
def answer(number: int, choice: str) -> None:
    """Answer a question: the number of a choice, `issued`, `ok` (it stands as it is), or =VALUE."""
    click.echo(f"{number}: {decide(open_office(settings()), number, choice)}.")


@review.command("correct")
@click.argument("site")
@click.argument("unit")
@click.argument("when", metavar="MONTH", callback=month_argument)
@click.argument("field")
@click.argument("value")
@click.option("--form", default="worksheet", show_default=True, help="The form.")
@click.option("--part", default=1, show_default=True, help="Its part, where a unit has several.")
def correct_answer(site: str, unit: str, when: str, field: str, value: str, form: str, part: int) -> None:
    """Correct an answer that nobody asks about, like `children-0-strengths`; an empty VALUE empties it."""
    click.echo(correct(open_office(settings()), site=site, unit=unit, month=when, form=form, part=part, field=field, text=value))


@review.command("undo")
@click.argument("number", type=int)
def undo(number: int) -> None:
    """Take an answer back: the question waits again."""
    take_back(open_office(settings()), number)
    click.echo(f"{number}: waits again.")


@review.command("export")
@click.argument("file", type=click.Path(path_type=Path, dir_okay=False))
def export_corrections(file: Path) -> None:
    """Write what people decided about boxes on paper, as pictures to teach the reader of ticks with: nothing about people is in it."""
    office = open_office(settings())
    with progress(Console(stderr=True)) as bar:
        task = bar.add_task("papers", total=None)
        found = gather_corrections(office, lambda done, count: bar.update(task, completed=done, total=count))
    write_file(file, found.content())
    click.echo(f"{file}: {counted(len(found.labels), 'box', 'boxes')} of {counted(found.papers, 'paper')}{f'; {found.unread} could not be read again' if found.unread else ''}.")


@review.command("place")
@click.argument("return_id", metavar="RETURN", callback=_return)
@click.option("--site", help="The site.")
@click.option("--unit", help="The unit whose paper it is.")
@click.option("--month", "when", callback=month_argument, help="The month it counts for.")
def place_return(return_id: int, site: str | None, unit: str | None, when: str | None) -> None:
    """Let a waiting return count where its stamp says, or for the unit and month you name."""
    office = open_office(settings())
    before = len(waiting(office))
    click.echo(f"R{return_id} counts now for {place(office, return_id, site=site, unit=unit, month=when)}; {counted(len(waiting(office)), 'question')} now, {before} before.")


@review.command("drop")
@click.argument("return_id", metavar="RETURN", callback=_return)
@click.option("--why", required=True, help="The reason; kept with the return, not in the log.")
def drop_return(return_id: int, why: str) -> None:
    """Let a return not count; its file and answers are kept."""
    click.echo(f"R{return_id} ({drop(open_office(settings()), return_id, why)}) does not count any more; it is kept. Back: formsvc review place R{return_id}")
