"""Where a password comes from: a file, the environment or a question on the terminal, never the command line."""

import os
import sys
from pathlib import Path
from typing import Final

import click

from formsvc.errors import Refused
from formsvc.files import read_file
from formsvc.protection import check_usable, judge_password, new_passphrase

VARIABLE: Final = "FORMSVC_PASSWORD"
_SECRET_MODE: Final = 0o600
_LEAST: Final = 8  # characters below which any weakness refuses
_GRAVE: Final = ("password-common", "password-personal")  # guessed at once, by anybody or by who knows the family


def read_password(file: Path) -> str:
    """The first line of a file; refuses an empty one."""
    try:
        line = read_file(file, most_megabytes=1).decode("utf-8-sig").partition("\n")[0].rstrip("\r")
    except UnicodeDecodeError as problem:
        raise Refused("file-unreadable", str(file), detail="not UTF-8 text") from problem
    if not line:
        raise Refused("password-empty", str(file))
    return line


def given_password(file: Path | None, *, confirm: bool = False) -> str:
    """The password of the file, else of FORMSVC_PASSWORD, else what the person at the terminal types."""
    if file is not None:
        return read_password(file)
    if password := os.environ.get(VARIABLE):
        return password
    if not sys.stdin.isatty():
        raise Refused("password-missing")
    return str(click.prompt("Password", hide_input=True, confirmation_prompt=confirm, err=True))


def new_password(file: Path | None, passphrase_out: Path | None, *, personal: tuple[str, ...] = (), weak: bool | None = None) -> str:
    """A password to lock with: a fresh passphrase if it is to be written out, else one's own.

    One's own is judged: every weakness is told; one that would be guessed at once is refused unless
    `weak` is allowed; `None` is for a command that never allows it.
    """
    if passphrase_out is not None:
        return new_passphrase()
    password = given_password(file, confirm=True)
    check_usable(password)
    found = judge_password(password, personal)
    grave = [weakness for weakness in found if weakness.code in _GRAVE or len(password) < _LEAST]
    if grave and not weak:
        raise Refused("password-guessable" if weak is None else "password-weak", "", reasons=" ".join(weakness.message for weakness in grave).rstrip("."))
    for weakness in found:
        click.echo(f"  the password: {weakness.message} [{weakness.code}]", err=True)
    return password


def write_secret(file: Path, text: str) -> None:
    """Write a passphrase for its owner's eyes only; never over a file that is there."""
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        handle = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, _SECRET_MODE)
    except FileExistsError as problem:
        raise Refused("file-exists", str(file)) from problem
    except OSError as problem:
        raise Refused("file-unwritable", str(file), detail=problem.strerror) from problem
    with os.fdopen(handle, "w", encoding="utf-8") as out:
        out.write(f"{text}\n")
        out.flush()
        os.fsync(out.fileno())
