"""The command of whoever makes forms and letters: check."""

from pathlib import Path

import click

from formsvc.check import check_fonts, check_form_folder, check_letter
from formsvc.settings import settings


@click.command()
@click.argument("what", type=click.Path(path_type=Path), required=False)
def check(what: Path | None) -> None:
    """Check a form's folder (definition, page, layout in both languages) or a letter's Word file, and the fonts here."""
    if what is not None:
        lines = check_letter if what.suffix.lower() == ".docx" else check_form_folder
        for line in lines(what, settings()):
            click.echo(line)
    for line in check_fonts():
        click.echo(line)
