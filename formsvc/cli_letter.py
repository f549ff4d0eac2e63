"""The `letter` command: invitations, agendas, protected summaries from a case."""

import json
from collections.abc import Iterator
from dataclasses import asdict
from datetime import date
from pathlib import Path
from typing import Final

import click
from rich.console import Console
from rich.progress import Progress

from formsvc.casework.case import Case, Member
from formsvc.casework.letters import LETTERS, LetterName
from formsvc.errors import Refused
from formsvc.files import check_others, json_object, read_file, write_file
from formsvc.letters import FACES, Face, Letter, LetterJob, find_member, made_from, open_case, write_faces, write_letter
from formsvc.model.kinds import LANGS, Lang
from formsvc.office.cases import case_data, disclose, keep_case, list_cases
from formsvc.office.office import Office, open_office
from formsvc.passwords import new_password, write_secret
from formsvc.settings import Settings, settings
from formsvc.store.people import find_person, give_case

_EACH: Final[tuple[Face, ...]] = ("docx", "pdf", "eml")
_DONE: Final = ".letters.json"


@click.command()
@click.argument("name", type=click.Choice(LETTERS))
@click.option("--data", type=click.Path(path_type=Path), help="The case, as JSON.")
@click.option("--case", "number", help="A case of the store, by its number.")
@click.option("--out", type=click.Path(path_type=Path, dir_okay=False), help="The file to write: .docx, .pdf, .eml or .ics.")
@click.option("--each", "folder", type=click.Path(path_type=Path, file_okay=False), help="One invitation for each address, as DOCX, PDF and mail, in this folder; goes on where it was stopped, on a later day too.")
@click.option("--lang", type=click.Choice(LANGS), help="Language; by default the recipient's, else English.")
@click.option("--to", "to", help="One member of the team, by name or number.")
@click.option("--password-file", type=click.Path(path_type=Path), help="A file whose first line is the password (summary).")
@click.option("--passphrase-out", type=click.Path(path_type=Path, dir_okay=False), help="Make a passphrase and write it to this new file, for your eyes only (summary).")
@click.option("--today", type=click.DateTime(["%Y-%m-%d"]), help="Write it as of this day.")
@click.option("--json", "as_json", is_flag=True, help="Say what was done as one JSON object.")
def letter(  # noqa: PLR0913, PLR0917  (one parameter for each option)
    name: LetterName, data: Path | None, number: str | None, out: Path | None, folder: Path | None, lang: Lang | None, to: str | None,
    password_file: Path | None, passphrase_out: Path | None, today: date | None, *, as_json: bool,
) -> None:
    """Write an invitation, an agenda or a protected summary from a case."""
    if (data is None) == (number is None):
        raise click.UsageError("give either --data CASE.json or --case NUMBER")
    if (out is None) == (folder is None):
        raise click.UsageError("give either --out FILE or --each FOLDER")
    if password_file and passphrase_out:
        raise click.UsageError("--password-file and --passphrase-out exclude each other")
    if folder is not None and (to or password_file or passphrase_out):
        raise click.UsageError("--each writes to every member, without a password: --to, --password-file and --passphrase-out do not go with it")
    writer = _Writer(settings(), name, data, number, today or date.today(), lang)  # noqa: DTZ011  (a letter is dated by the wall)
    if folder is not None:
        writer.write_each(folder, as_json=as_json)
        return
    if out is not None:
        writer.write_one(out, to, password_file, passphrase_out, as_json=as_json)


@click.group(invoke_without_command=True)
@click.pass_context
def case(context: click.Context) -> None:
    """List the cases of the store, by number and initials; `case keep` and `case show`."""
    if context.invoked_subcommand is None:
        found = list_cases(open_office(settings()))
        for one in found:
            click.echo(f"{one.number}  {one.initials}  conference {one.conference}")
        if not found:
            click.echo("No cases are kept. Keep one: formsvc case keep NUMBER --data CASE.json")


@case.command("keep")
@click.argument("number")
@click.option("--data", type=click.Path(path_type=Path), required=True, help="The case, as JSON.")
@click.option("--for", "people", multiple=True, help="Whose case it is on the web, by the name they sign in with; may be given several times.")
def keep(number: str, data: Path, people: tuple[str, ...]) -> None:
    """Keep a case with its consents under the agency's file NUMBER (no name); again, it takes the place of the old one."""
    office = open_office(settings())
    owners = [_coordinator(office, name) for name in people]
    kept = keep_case(office, number, json_object(read_file(data), data))
    if owners:
        with office.store.writing() as connection:
            give_case(connection, number, owners)
            office.store.log(connection, "case-given", f"case:{number}", people=owners)
    click.echo(f"{number}: {kept.client.initials}, {len(kept.team)} members, {len(kept.consents)} consents.")


def _coordinator(office: Office, name: str) -> int:
    with office.store.reading() as connection:
        person = find_person(connection, name)
    if person is None or not person.may("cases"):
        raise Refused("no-coordinator", name)
    return person.id


@case.command("show")
@click.argument("number")
@click.option("--out", type=click.Path(path_type=Path, dir_okay=False), required=True, help="The JSON file to write, to be changed and kept again.")
def show(number: str, out: Path) -> None:
    """Write a case as JSON."""
    write_file(out, json.dumps(case_data(open_office(settings()), number), ensure_ascii=False, indent=1).encode())
    click.echo(f"{out}: case {number}. It is not protected.")


class _Writer:
    """Letters of one case."""

    def __init__(self, chosen: Settings, name: LetterName, data: Path | None, number: str | None, today: date, lang: Lang | None) -> None:
        self.name, self.data, self.number, self.lang = name, data, number or "", lang
        self.office = open_office(chosen)
        self.today = date(today.year, today.month, today.day)
        self.catalog = self.office.catalog
        self.case: Case = open_case(self.catalog, json_object(read_file(data), data) if data else case_data(self.office, self.number))

    def write_one(self, out: Path, to: str | None, password_file: Path | None, passphrase_out: Path | None, *, as_json: bool) -> None:
        """One file; a summary with its password."""
        face = _face(out)
        check_others(out, self.data, password_file, passphrase_out)
        member = find_member(self.case, to) if to else None
        protected = self.catalog.letter(self.name).protected
        password = new_password(password_file, passphrase_out, personal=self.case.personal()) if protected else None
        written = write_letter(self.catalog, self._job(face, member, password))
        if protected and passphrase_out and password:
            write_secret(passphrase_out, password)
        try:
            self._leave(out, written)
        except BaseException:
            if protected and passphrase_out:
                passphrase_out.unlink(missing_ok=True)
            raise
        self._say(out, written, passphrase_out if protected else None, as_json=as_json)

    def write_each(self, folder: Path, *, as_json: bool) -> None:
        """One set of files for each member; what fails for one is reported and stops nobody else."""
        done = _Done(folder / _DONE)
        failed: dict[str, str] = {}
        count = 0
        with Progress(console=Console(stderr=True), transient=True, disable=as_json or not Console().is_terminal) as progress:
            for number, member in progress.track(list(enumerate(self.case.team, start=1)), description=self.name):
                try:
                    for _ in self._leave_missing(folder, number, member, done):
                        count += 1
                except Refused as refused:
                    failed[str(number)] = refused.message
        if as_json:
            click.echo(json.dumps({"folder": str(folder), "written": count, "failed": failed}, ensure_ascii=False))
        else:
            click.echo(f"{folder}: {count} files written, {len(self.case.team) - len(failed)} of {len(self.case.team)} members complete")
            for failing, message in failed.items():
                click.echo(f"  member {failing}: {message}", err=True)
        if failed:
            raise Refused("some-failed", str(folder), count=len(failed))

    def _leave_missing(self, folder: Path, number: int, member: Member, done: "_Done") -> Iterator[Path]:
        """Write what this member's letter lacks, file by file; what was made from the same data stays, whatever day it is."""
        job = self._job(_EACH[0], member, None)
        digest = made_from(self.catalog, job)
        files = {face: folder / f"{self.name}-{self.case.conference.date}-{number:03d}.{face}" for face in _EACH}
        missing = [face for face in _EACH if not done.has(files[face], digest)]
        for face, written in write_faces(self.catalog, job, missing):
            self._leave(files[face], written)
            done.add(files[face], digest)
            yield files[face]

    def _job(self, face: Face, member: Member | None, password: str | None) -> LetterJob:
        lang = self.lang or (member.lang if member else "en")
        return LetterJob(name=self.name, face=face, case=self.case, lang=lang, today=self.today, recipient=member, password=password)

    def _leave(self, file: Path, written: Letter) -> None:
        """Write the file, then the log: what is logged has left, and what cannot be logged is taken back."""
        write_file(file, written.content)
        try:
            disclose(self.office.store, written.disclosure, self.number)
        except BaseException:
            file.unlink(missing_ok=True)
            raise

    @staticmethod
    def _say(out: Path, written: Letter, passphrase_out: Path | None, *, as_json: bool) -> None:
        problems = [asdict(found) for found in written.problems]
        if as_json:
            click.echo(json.dumps({"file": str(out), "disclosure": asdict(written.disclosure), "problems": problems}, ensure_ascii=False))
            return
        click.echo(f"{out}: {len(written.content) / 1000:.0f} KB, {'protected' if written.disclosure.protected else 'initials only'}")
        for found in written.problems:
            click.echo(f"  {found.field}: {found.message}", err=True)
        if passphrase_out:
            click.echo(f"{passphrase_out}: its passphrase. Tell it by another way than the document, then delete the file.")


class _Done:
    """Which files of a run were written, from what; kept beside them so that a run can go on."""

    def __init__(self, file: Path) -> None:
        self._file = file
        self._digests: dict[str, str] = dict(_known(file))

    def has(self, file: Path, digest: str) -> bool:
        return self._digests.get(file.name) == digest and file.exists()

    def add(self, file: Path, digest: str) -> None:
        self._digests[file.name] = digest
        write_file(self._file, json.dumps(self._digests, indent=1).encode())


def _known(file: Path) -> Iterator[tuple[str, str]]:
    try:
        data = json.loads(file.read_bytes())
    except (OSError, ValueError):  # not there or damaged: everything is written anew
        return
    if isinstance(data, dict):
        yield from ((str(name), str(digest)) for name, digest in data.items())


def _face(out: Path) -> Face:
    for face in FACES:
        if out.suffix.lower() == f".{face}":
            return face
    raise click.UsageError("--out must end in .docx, .pdf, .eml or .ics")
