"""The commands of protection: lock and unlock a PDF or Word document."""

import json
from collections.abc import Callable
from pathlib import Path

import click

from formsvc.errors import Refused
from formsvc.files import check_others, read_file, write_file
from formsvc.parsers.sandbox import run_limited
from formsvc.passwords import given_password, new_password, write_secret
from formsvc.protection import lock as locked
from formsvc.protection import unlock as unlocked
from formsvc.settings import settings


@click.command()
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


@click.command()
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
