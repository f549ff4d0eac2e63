"""The demonstration: the main job on sample data."""

import sys
import tempfile
from pathlib import Path
from typing import Final

import click
from rich.console import Console
from rich.progress import Progress, SpinnerColumn, TextColumn, TimeElapsedColumn
from rich.table import Table

from formsvc.cli_words import REFUSED, console
from formsvc.demo import run_demo
from formsvc.demo_month import run_month
from formsvc.model.stamp import in_words
from formsvc.service import Service
from formsvc.settings import settings

_HELD: Final = {True: "[green]held[/]", False: "[red]BROKEN[/]"}


@click.command()
@click.argument("folder", type=click.Path(path_type=Path, file_okay=False), required=False)
def demo(folder: Path | None) -> None:
    """Issue a sample month, fill it as a person would in Chrome, read it back."""
    where = folder or Path(tempfile.mkdtemp(prefix="formsvc-demo-"))
    table = Table("Paper", "Document", "Pre-filled", "Typed", "Read", "To look at", "Round trip", "Seconds")
    held = True
    terminal = console()
    with Progress(SpinnerColumn(), TextColumn("{task.description}"), TimeElapsedColumn(), console=terminal, transient=True, disable=not terminal.is_terminal) as progress:
        task = progress.add_task("", total=None)
        for trip in run_demo(Service(settings()), where, lambda sample: progress.update(task, description=sample)):
            held = held and trip.held
            table.add_row(trip.sample, in_words(trip.document), str(trip.prefilled), str(trip.typed), str(trip.read), ", ".join(trip.problems), _HELD[trip.held], f"{trip.seconds:.1f}")
    terminal.print(table)
    held = _demo_month(where, terminal) and held
    click.echo(f"Everything is in {where}: issued, returned (typed in with PDFium), records, as-if-complete; the month in 2026-11, 2026-12, its data in store.")
    if not held:
        sys.exit(REFUSED)


def _demo_month(where: Path, terminal: Console) -> bool:
    """The month's cycle, a row for each step; whether all of them held."""
    table = Table("The month", "Result", "")
    held = True
    with Progress(SpinnerColumn(), TextColumn("{task.description}"), TimeElapsedColumn(), console=terminal, transient=True, disable=not terminal.is_terminal) as progress:
        task = progress.add_task("", total=None)
        for step in run_month(settings(), where, lambda said: progress.update(task, description=said)):
            held = held and step.held
            table.add_row(step.what, step.result, _HELD[step.held])
    terminal.print(table)
    return held
