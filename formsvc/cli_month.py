"""The commands of the month: import, plan, month, receive."""

import json
import sys
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from datetime import date, datetime
from pathlib import Path
from typing import Final

import click
from rich.console import Console
from rich.table import Table

from formsvc.casework.roster import Change, describe
from formsvc.cli_words import REFUSED, console, counted, month_argument, progress
from formsvc.errors import Refused
from formsvc.files import write_file
from formsvc.model.kinds import LANGS, Lang
from formsvc.model.procedure import month_of
from formsvc.model.stamp import in_words
from formsvc.model.values import plain
from formsvc.office.conferences import CASE, MANAGEMENT, Meeting, hold_meeting, plan_conference
from formsvc.office.importing import Import, apply_import, read_import
from formsvc.office.incoming import find_files
from formsvc.office.month import UnitResult, by_site, folder_name, issue_month, site_packet, write_unit
from formsvc.office.office import Office, open_office
from formsvc.office.receive import Receipt, receive_all, renew_follow_up
from formsvc.passwords import read_password
from formsvc.settings import settings
from formsvc.store.roster import read_units

DAY: Final = click.DateTime(["%Y-%m-%d", "%m/%d/%Y"])
_SHOWN: Final = 40


def _mapping(_context: click.Context, _option: click.Parameter, given: tuple[str, ...]) -> dict[str, str]:
    pairs = [text.partition("=") for text in given]
    for name, between, _ in pairs:
        if not between or not name:
            raise click.BadParameter("write it like child_id=Participant")
    return {name.strip(): column.strip() for name, _, column in pairs}


def _day(given: datetime | None) -> date | None:
    return given.date() if given else None


# ---------------------------------------------------------------- import


@click.command("import")
@click.argument("file", type=click.Path(path_type=Path))
@click.option("--map", "mapping", multiple=True, callback=_mapping, metavar="FIELD=COLUMN", help="Which column holds a field, by its header or letter.")
@click.option("--missing-left", metavar="YYYY-MM-DD", type=DAY, help="Children of the file's sites who are not in it left on this day.")
@click.option("--on", "on", metavar="YYYY-MM-DD", type=DAY, help="Read the roster as of this day (today by default).")
@click.option("--dry-run", is_flag=True, help="Show what would change, change nothing.")
@click.option("--yes", is_flag=True, help="Do not ask.")
@click.option("--json", "as_json", is_flag=True, help="Say what was done as one JSON object.")
def import_roster(file: Path, mapping: Mapping[str, str], missing_left: datetime | None, on: datetime | None, *, dry_run: bool, yes: bool, as_json: bool) -> None:
    """Bring a roster (CSV, XLSX) into the store: what changes is shown before it is done."""
    office, where = open_office(settings()), console()
    with progress(where) as bar:
        task = bar.add_task("Reading", total=None)
        day = _day(on) or date.today()  # noqa: DTZ011  (a roster is of the wall's day)
        found = read_import(office, file, mapping=mapping, on=day, missing_left=_day(missing_left), on_row=lambda done, total: bar.update(task, completed=done, total=total))
    unsure = [column for column in found.file.columns if column.field and not column.sure]
    if not as_json:
        _show_import(found, where)
    if not dry_run and found.plan.changes_anything():
        if not yes:
            _confirm(bool(unsure))
        with progress(where) as bar:
            task = bar.add_task("Applying", total=len(found.plan.changes))
            apply_import(office, found, lambda done: bar.update(task, completed=done))
    if as_json:
        click.echo(json.dumps(_import_as_json(found, applied=not dry_run), ensure_ascii=False, default=str))
    elif not found.plan.changes_anything():
        click.echo("Nothing to change.")
    else:
        click.echo("Nothing was changed (dry run)." if dry_run else "Done.")


def _confirm(is_unsure: bool) -> None:
    """Ask before a roster is applied; without a terminal only a roster whose columns are certain goes through."""
    if sys.stdin.isatty():
        click.confirm("Apply these changes?", abort=True)
    elif is_unsure:
        raise Refused("roster-columns-unsure", "")


def _show_import(found: Import, where: Console) -> None:
    unsure = [column for column in found.file.columns if not column.field or not column.sure]
    click.echo(f"{counted(len(found.file.columns), 'column')}, {len(found.file.columns) - len(unsure)} certain{':' if unsure else '.'}")
    if unsure:
        columns = Table("Column", "Header", "Read as", "")
        for column in found.file.columns:
            columns.add_row(column.letter, column.header, column.field or "—", "" if column.sure or not column.field else "[yellow]guessed[/]")
        where.print(columns)
    for problem in sorted(found.file.problems, key=lambda problem: (problem.line, len(problem.column), problem.column))[:_SHOWN]:
        click.echo(f"  line {problem.line}{f', column {problem.column}' if problem.column else ''}: {problem.message} [{problem.code}]")
    _more(found.file.problems)
    for change in found.plan.changes[:_SHOWN]:
        click.echo(f"  {_SIGNS[change.kind]} {describe(change)}")
    _more(found.plan.changes)
    counts = ", ".join(f"{count} {kind}" for kind, count in found.plan.counts().items() if count)
    left_out = len({problem.line for problem in found.file.problems})
    click.echo(f"{counted(len(found.file.lines), 'line')} read, {left_out} left out; {counted(found.plan.unchanged, 'child', 'children')} unchanged{f', {counts}' if counts else ''}.")
    if found.plan.counts()["missing"]:
        click.echo("Children who are not in the file stay enrolled; --missing-left DATE ends them.")


_SIGNS: Final = {"new": "+", "returned": "+", "moved": "→", "left": "-", "corrected": "~", "missing": "?"}


def _more(entries: Sequence[object]) -> None:
    if len(entries) > _SHOWN:
        click.echo(f"  … and {len(entries) - _SHOWN} more")


def _import_as_json(found: Import, *, applied: bool) -> dict[str, object]:
    def change(one: Change) -> dict[str, str]:
        return {"kind": one.kind, "child_id": one.child_id, "text": describe(one)}

    return {
        "applied": applied and found.plan.changes_anything(),
        "columns": [asdict(column) for column in found.file.columns],
        "problems": [asdict(problem) for problem in found.file.problems],
        "changes": [change(one) for one in found.plan.changes],
        "unchanged": found.plan.unchanged,
    }


# ---------------------------------------------------------------- plan


@click.command()
@click.argument("site")
@click.argument("unit")
@click.argument("day", metavar="YYYY-MM-DD", type=DAY)
@click.option("--start", metavar="HH:MM", default="", help="When it begins.")
@click.option("--end", metavar="HH:MM", default="", help="When it ends.")
@click.option("--management", is_flag=True, help="The meeting with management (R17), not the case conference.")
@click.option("--held", is_flag=True, help="It was held (for meetings with management; case conferences tell by their papers).")
def plan(site: str, unit: str, day: datetime, start: str, end: str, *, management: bool, held: bool) -> None:
    """Set a unit's conference of a month up in advance; its papers carry the date."""
    office = open_office(settings())
    for text in filter(None, (start, end)):
        _check_time(text)
    if start and end and end <= start:
        raise click.BadParameter(f"it would end ({end}) before it begins ({start})")
    with office.store.writing() as connection:
        units = [one for one in read_units(connection) if (plain(one.site), plain(one.name)) == (plain(site), plain(unit))]
        if not units:
            raise Refused("unit-unknown", f"{site}, {unit}")
        kind = MANAGEMENT if management else CASE
        if held:
            hold_meeting(connection, units[0].id, day.date(), kind)
        else:
            plan_conference(connection, units[0].id, Meeting(planned_on=day.date(), start_time=start, end_time=end), kind)
        office.store.log(connection, "held" if held else "planned", f"unit:{units[0].id}", month=month_of(day.date()), kind=kind)
    click.echo(f"{site}, {unit}: {'held' if held else 'planned'} on {day:%m/%d/%Y}. Make its papers with: formsvc month {day:%Y-%m}")


def _check_time(text: str) -> None:
    try:
        datetime.strptime(text, "%H:%M")  # noqa: DTZ007  (a time of day has no zone)
    except ValueError as problem:
        raise click.BadParameter(f"“{text}” is not a time; write it like 09:30") from problem


# ---------------------------------------------------------------- month


@click.command()
@click.argument("month", callback=month_argument)
@click.option("--out", type=click.Path(path_type=Path, file_okay=False), help="The folder to write; by default the month's name here.")
@click.option("--site", help="Only this site.")
@click.option("--unit", help="Only this unit.")
@click.option("--lang", type=click.Choice(LANGS), help="Language of the papers; by default the one they have, English at first.")
@click.option("--packets/--no-packets", default=True, show_default=True, help="Also one print packet per site.")
@click.option("--json", "as_json", is_flag=True, help="Say what was done as one JSON object.")
def month(month: str, out: Path | None, site: str | None, unit: str | None, lang: Lang | None, *, packets: bool, as_json: bool) -> None:
    """Make a month's pre-filled papers for every unit; again, it makes only what changed."""
    office, folder, where = open_office(settings()), out or Path(month), console()
    results: list[UnitResult] = []
    kept: list[Path] = []
    with office.store.reading() as connection:
        total = len(read_units(connection, site, unit))
    if not total:
        raise Refused("unit-unknown" if site or unit else "roster-empty", ", ".join(filter(None, (site, unit))))
    with progress(where) as bar:
        task = bar.add_task("Papers", total=total)
        for result in issue_month(office, month, site=site, unit=unit, lang=lang):
            kept += write_unit(office, result, folder).kept
            results.append(result)
            bar.advance(task)
    written = _write_packets(office, results, month, folder, lang or "en", where) if packets and unit is None else []
    _say_month(results, written, kept, folder, as_json=as_json)
    if any(result.failed for result in results):
        sys.exit(REFUSED)


def _write_packets(office: Office, results: Sequence[UnitResult], month: str, folder: Path, lang: Lang, where: Console) -> list[Path]:
    sites = {site: found for site, found in by_site(results).items() if any(result.documents for result in found)}
    written = []
    with progress(where) as bar:
        task = bar.add_task("Packets", total=len(sites))
        for site, found in sites.items():
            file = folder / folder_name(site) / f"packet-{month}.pdf"
            bar.advance(task)
            try:
                content = site_packet(office, site, month, found, lang)
            except Refused as refused:  # one site does not stop the others
                click.echo(f"  {site}: no packet. {refused.message}", err=True)
                continue
            if not file.exists() or file.read_bytes() != content:
                write_file(file, content)
            written.append(file)
    return written


def _say_month(results: Sequence[UnitResult], packets: Sequence[Path], kept: Sequence[Path], folder: Path, *, as_json: bool) -> None:
    if as_json:
        units = [
            {"site": result.unit.site, "unit": result.unit.name, "documents": [document.id for document in result.documents], "made": result.made, "skipped": result.skipped, "failed": result.failed}
            for result in results
        ]
        click.echo(json.dumps({"folder": str(folder), "packets": [str(file) for file in packets], "kept": [str(file) for file in kept], "units": units}, ensure_ascii=False))
        return
    for file in kept:
        click.echo(f"  {file}: somebody wrote in it, so it was left as it is. Take it in with: formsvc receive")
    made, papers = sum(result.made for result in results), sum(len(result.documents) for result in results)
    for result in results:
        if result.skipped or result.failed:
            click.echo(f"  {result.unit.site}, {result.unit.name}: {result.failed or result.skipped}", err=bool(result.failed))
    click.echo(f"{folder}: {counted(papers, 'paper')} of {counted(len(results), 'unit')}, {made} made now, {papers - made} as before; {counted(len(packets), 'packet')}.")


# ---------------------------------------------------------------- receive


@click.command("receive")
@click.argument("paths", metavar="FILE...", nargs=-1, required=True, type=click.Path(path_type=Path))
@click.option("--month", "expected", callback=month_argument, help="The month you expect: papers of another one are told.")
@click.option("--password-file", type=click.Path(path_type=Path), help="A file whose first line opens protected PDFs.")
@click.option("--json", "as_json", is_flag=True, help="One JSON object for each file, a line each.")
def receive_files(paths: Sequence[Path], expected: str | None, password_file: Path | None, *, as_json: bool) -> None:
    """Take in what came back: files, folders, zip archives. The same file again changes nothing."""
    office, where = open_office(settings()), console()
    password = read_password(password_file) if password_file else None
    receipts: list[Receipt] = []
    with progress(where) as bar:
        task = bar.add_task("Receiving", total=None)
        for receipt in receive_all(office, find_files(paths, office.service.settings.most_megabytes), month=expected, password=password):
            receipts += receipt.each()
            for one in receipt.each():
                bar.console.print(_line(one), highlight=False, markup=False, soft_wrap=True) if not as_json else click.echo(_receipt_as_json(one))
            bar.advance(task)
    renewed = renew_follow_up(office, receipts)
    for where_it_failed, refused in renewed.failed:
        click.echo(f"  {where_it_failed}: its follow-up form could not be made anew. {refused.message}", err=True)
    if not as_json:
        _say_received(receipts, renewed.made)
    if renewed.failed or any(receipt.state == "refused" for receipt in receipts):
        sys.exit(REFUSED)


def _line(receipt: Receipt) -> str:
    words = f"{in_words(receipt.document)}, {receipt.where}" if receipt.document and receipt.where else receipt.document and in_words(receipt.document)
    told = {"counted": "counted", "waiting": "waits for you", "again": "was here before", "refused": "NOT read", "left": "left alone"}[receipt.state]
    details = [words, receipt.message]
    if receipt.state == "counted":
        errors = sum(problem.severity == "error" for problem in receipt.problems)
        news = f"{counted(errors, 'error')}, {counted(len(receipt.problems) - errors, 'note')}" if receipt.changed else "nothing in it is new"
        details += [news, counted(receipt.questions, "question") if receipt.questions else ""]
    code = f" [{receipt.code}]" if receipt.code else ""
    return f"{receipt.name}: {told}. " + "; ".join(filter(None, details)).removeprefix(f"{receipt.name}: ") + code


def _receipt_as_json(receipt: Receipt) -> str:
    return json.dumps(asdict(receipt), ensure_ascii=False)


def _say_received(receipts: Sequence[Receipt], renewed: int) -> None:
    states = {state: sum(receipt.state == state for receipt in receipts) for state in ("counted", "waiting", "again", "refused")}
    click.echo(f"{counted(sum(states.values()), 'file')}: {states['counted']} counted, {states['waiting']} wait for you, {states['again']} were here before, {states['refused']} could not be read.")
    if left := sum(receipt.state == "left" for receipt in receipts):
        click.echo(f"{counted(left, 'file')} left alone: neither PDF nor picture.")
    if renewed:
        click.echo(f"{counted(renewed, 'follow-up form')} made anew with the new actions: formsvc month writes them.")
    if states["waiting"] or any(receipt.questions for receipt in receipts):
        click.echo("Look at what waits: formsvc review.")
    if any(problem.severity == "error" for receipt in receipts for problem in receipt.problems):
        click.echo("What is wrong in them, child by child: formsvc status MONTH --problems.")
