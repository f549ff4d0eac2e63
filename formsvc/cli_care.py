"""The commands that care for the data: verify, backup, restore, keys, and what is kept about a child."""

import hashlib
import json
import sys
from dataclasses import asdict
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Final

import click

from formsvc.cli_words import console, progress
from formsvc.errors import Refused
from formsvc.files import write_file
from formsvc.office.backup import backup as make_backup
from formsvc.office.backup import restore as lay_back
from formsvc.office.care import due_for_erasure, export_child, hold, release
from formsvc.office.erase import erase_child
from formsvc.office.office import open_office
from formsvc.office.verify import Fault
from formsvc.office.verify import verify as look_through
from formsvc.settings import settings
from formsvc.store.keys import rotate_keys
from formsvc.store.vault import Vault

_FAULTY: Final = 2
_YEARS: Final = 7
_HOUR: Final = 3_600


@click.command()
@click.option("--sweep", is_flag=True, help="First forget files that were arriving more than an hour ago, when their process died.")
@click.option("--json", "as_json", is_flag=True, help="One JSON list of what is wrong.")
def verify(*, sweep: bool, as_json: bool) -> None:
    """Look the data through: every row its file, every file its row, everything authentic, both logs whole."""
    office, where = open_office(settings()), console()
    if sweep:
        office.store.sweep((datetime.now(UTC) - timedelta(seconds=_HOUR)).isoformat(timespec="seconds"))
    with progress(where) as bar:
        task = bar.add_task("Looking", total=None)
        faults: list[Fault] = list(look_through(office, lambda done, total: bar.update(task, completed=done, total=total)))
    if as_json:
        click.echo(json.dumps([asdict(fault) for fault in faults], ensure_ascii=False))
    else:
        for fault in faults:
            click.echo(f"  {fault.severity:<7} {fault.place}: {fault.message} [{fault.code}]")
        click.echo(
            f"{sum(fault.severity == 'error' for fault in faults)} faults, {sum(fault.severity != 'error' for fault in faults)} notes." if faults else "Everything is there and as it was written."
        )
    if any(fault.severity == "error" for fault in faults):
        sys.exit(_FAULTY)


@click.command()
@click.argument("target", type=click.Path(path_type=Path, dir_okay=False))
def backup(target: Path) -> None:
    """Write everything into one archive, also while others work. The keys are not in it: keep them elsewhere."""
    office, where = open_office(settings()), console()
    with progress(where) as bar:
        task = bar.add_task("Files", total=None)
        made = make_backup(office, target, lambda done, total: bar.update(task, completed=done, total=total))
    click.echo(f"{target}: {made.rows} rows, {made.files} files, {made.size / 1e6:.1f} MB.")
    click.echo(f"Without the file keys ({settings().files_key_file}) and the signing key nobody can read it: keep copies of both, not beside it.")
    for name in made.lost:
        click.echo(f"  not readable, so not in it: {name}", err=True)
    if made.lost:
        sys.exit(_FAULTY)


@click.command()
@click.argument("source", type=click.Path(path_type=Path, dir_okay=False))
def restore(source: Path) -> None:
    """Lay a backup into an empty store (SQLite or PostgreSQL, wherever it came from)."""
    with progress(console()) as bar:
        task = bar.add_task("Files", total=None)
        made = lay_back(settings(), source, lambda done, total: bar.update(task, completed=done, total=total))
    click.echo(f"{source}: {made.rows} rows and {made.files} files are back. Look them through with: formsvc verify")


@click.group()
def keys() -> None:
    """The keys of the encrypted files."""


@keys.command("rotate")
def rotate() -> None:
    """Make a new key and encrypt every file with it; old keys stay in the file for backups. Goes on where it was stopped."""
    chosen = settings()
    if chosen.files_key or chosen.files_key_file is None:
        raise Refused("keys-given", "FORMSVC_FILES_KEY")
    office = open_office(chosen)
    fresh = rotate_keys(chosen.files_key_file)
    vault = Vault(chosen.files or str((chosen.data or Path()) / "files"), fresh, **dict(chosen.files_options))
    troubled: dict[str, str] = {}
    with progress(console()) as bar:
        task = bar.add_task("Files", total=None)

        def told(name: str, code: str | None) -> None:
            bar.advance(task)
            if code:
                troubled[name] = code

        count = vault.rotate(told)
    with office.store.writing() as connection:
        office.store.log(connection, "keys-rotated", "files", key=None, files=count)
    click.echo(f"{count} files are encrypted with the new key. Restart what runs, then do it once more until it says 0.")
    for name, code in troubled.items():
        click.echo(f"  {name}: {code}", err=True)
    if troubled:
        sys.exit(_FAULTY)


# ---------------------------------------------------------------- one child


@click.group()
def child() -> None:
    """What is kept about one child: export it, hold it, erase it."""


@child.command("export")
@click.argument("child_id")
@click.option("--out", type=click.Path(path_type=Path, dir_okay=False), required=True, help="The .zip to write.")
@click.option("--to", "recipient", required=True, help="Who receives it, for the log of disclosures (R40).")
@click.option("--why", required=True, help="The purpose, for the log of disclosures.")
def export_one(child_id: str, out: Path, recipient: str, why: str) -> None:
    """Everything that is kept about a child, for the family or another program."""
    office = open_office(settings())
    content = export_child(office, child_id)
    with office.store.writing() as connection:
        office.store.log(connection, "disclosed", f"child-export:{hashlib.sha256(content).hexdigest()[:16]}", log="disclosure", recipients=[recipient], purpose=why)
    write_file(out, content)
    click.echo(f"{out}: {len(content) / 1000:.0f} KB. It is not protected: hand it over with care.")


@child.command("hold")
@click.argument("child_id")
@click.option("--why", required=True, help="The reason, for the log.")
def hold_one(child_id: str, why: str) -> None:
    """A legal hold: nothing about the child is erased until it is released."""
    hold(open_office(settings()), child_id, why)
    click.echo("Held.")


@child.command("release")
@click.argument("child_id")
def release_one(child_id: str) -> None:
    """End a child's holds."""
    click.echo(f"{release(open_office(settings()), child_id)} holds released.")


@child.command("due")
@click.option("--years", default=_YEARS, show_default=True, help="How long records are kept after the last enrolment.")
def due_ones(years: int) -> None:
    """The children whose records may be erased now."""
    for one in due_for_erasure(open_office(settings()), date.today(), years):  # noqa: DTZ011
        click.echo(f"{one.child_id}  left {one.left_on:%m/%d/%Y}{'  held' if one.held else ''}")


@child.command("erase")
@click.argument("child_id")
@click.option("--why", required=True, help="The reason, for the log.")
@click.option("--years", default=_YEARS, show_default=True, help="How long records are kept after the last enrolment.")
@click.option("--on-request", is_flag=True, help="The family asked for it: before its time.")
@click.option("--yes", is_flag=True, help="Do not ask.")
def erase_one(child_id: str, why: str, years: int, *, on_request: bool, yes: bool) -> None:
    """Erase a child's data; the logs keep that it was done. It cannot be undone."""
    office = open_office(settings())
    if not yes:
        click.confirm("Erase everything about this child, for good?", abort=True)
    done = erase_child(office, child_id, why, on=date.today(), years=years, on_request=on_request)  # noqa: DTZ011
    click.echo(f"Erased: {done.papers} papers emptied, {done.files} files removed; it is “{done.pseudonym}” from now on.")
    for mention in done.mentions:
        click.echo(f"  look at {mention.place}: it may still name the child ({mention.what})")
