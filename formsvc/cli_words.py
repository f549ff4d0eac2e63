"""What the commands have in common: terminals, bars of progress, months, counts, the exit code of a refusal."""

from typing import Final

import click
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from formsvc.model.procedure import is_month

REFUSED: Final = 2


def console() -> Console:
    """A terminal as wide as it is; in a pipe wide enough for the tables."""
    found = Console()
    return found if found.is_terminal else Console(width=130)


def progress(where: Console) -> Progress:
    """A bar for long work; nothing in a pipe."""
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    return Progress(*columns, console=where, transient=True, disable=not where.is_terminal)


def month_argument(_context: click.Context, _parameter: click.Parameter, given: str | None) -> str | None:
    """A month as YYYY-MM."""
    if given is not None and not is_month(given):
        raise click.BadParameter(f"“{given}” is not a month; write it like 2026-11")
    return given


def counted(number: int, one: str, many: str = "") -> str:
    """A number with its noun."""
    return f"{number} {one if number == 1 else many or f'{one}s'}"
