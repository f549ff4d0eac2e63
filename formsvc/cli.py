"""The command line: thin words around the service. Exit 0 done, 1 wrong usage, 2 could not be done.

A command's module is imported when it is asked for: all of them take more than a second.
"""

import json
import sys
from collections.abc import Mapping
from importlib import import_module
from typing import Final

import click

from formsvc import __version__
from formsvc.errors import Refused

_WRONG_USAGE, _REFUSED = 1, 2
_COMMANDS: Final[Mapping[str, tuple[str, str, str]]] = {
    "forms": ("cli_form", "forms", "List the forms that can be issued."),
    "issue": ("cli_form", "issue", "Make a fillable PDF with the given values."),
    "read": ("cli_form", "read", "Read a form that came back."),
    "check": ("cli_check", "check", "Check a form's folder (definition, page, layout in both languages) or a letter's Word file, and the fonts here."),
    "demo": ("cli_demo", "demo", "Issue a sample month, fill it as a person would in Chrome, read it back."),
    "lock": ("cli_lock", "lock", "Protect a PDF or Word document with a password."),
    "unlock": ("cli_lock", "unlock", "Take the protection off a PDF or Word document."),
    "letter": ("cli_letter", "letter", "Write an invitation, an agenda or a protected summary from a case."),
    "case": ("cli_letter", "case", "List the cases of the store, by number and initials; `case keep` and `case show`."),
    "import": ("cli_month", "import_roster", "Bring a roster (CSV, XLSX) into the store: what changes is shown before it is done."),
    "plan": ("cli_month", "plan", "Set a unit's conference of a month up in advance; its papers carry the date."),
    "month": ("cli_month", "month", "Make a month's pre-filled papers for every unit; again, it makes only what changed."),
    "receive": ("cli_month", "receive_files", "Take in what came back: files, folders, zip archives."),
    "review": ("cli_review", "review", "List what waits for a person; `review answer`, `review place`, `review drop` and `review undo` settle it."),
    "status": ("cli_status", "show_status", "The picture of a month: what is due, back, missing, overdue, and by whom."),
    "export": ("cli_status", "export", "Write a table for Excel or another system: actions, case notes (one row per child, for COPA), monitoring, disclosures."),
    "monitoring": ("cli_status", "monitoring", "List what is to be monitored (R20); `monitoring done` records that it was."),
    "log": ("cli_status", "show_log", "Show a log: `audit` (what was done) or `disclosure` (who received what, why, when: R40)."),
    "verify": ("cli_care", "verify", "Look the data through: every row its file, every file its row, everything authentic, both logs whole."),
    "backup": ("cli_care", "backup", "Write everything into one archive, also while others work."),
    "restore": ("cli_care", "restore", "Lay a backup into an empty store (SQLite or PostgreSQL, wherever it came from)."),
    "keys": ("cli_care", "keys", "The keys of the encrypted files."),
    "child": ("cli_care", "child", "What is kept about one child: export it, hold it, erase it."),
    "serve": ("cli_serve", "serve", "Start the web service with its workers; Ctrl+C ends it when the work in hand is done."),
    "pages": ("cli_serve", "pages", "Answer pages only; `serve` starts this."),
    "worker": ("cli_serve", "worker", "Work in the background until told to stop (SIGTERM): uploads, papers, packets."),
    "person": ("cli_serve", "person", "Let NAME sign in, or give them a new one-time link; the first administrator begins here."),
}
"""Each command's module, its name there, and its help in a line (tested to be its own)."""
_HIDDEN: Final = frozenset({"pages"})


class Commands(click.Group):
    """The commands above."""

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002
        """Their names."""
        return sorted(_COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002
        """One of them."""
        if cmd_name not in _COMMANDS:
            return None
        module, name, _ = _COMMANDS[cmd_name]
        found: click.Command = getattr(import_module(f"formsvc.{module}"), name)
        return found

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Their help, without importing them."""
        names = [name for name in self.list_commands(ctx) if name not in _HIDDEN]
        room = formatter.width - 6 - max(map(len, names))
        with formatter.section("Commands"):
            formatter.write_dl([(name, click.Command(name, help=_COMMANDS[name][2]).get_short_help_str(room)) for name in names])


@click.group(cls=Commands, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="formsvc")
def cli() -> None:
    """Forms for case conferences: issue them, read them back, lose nothing."""


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
