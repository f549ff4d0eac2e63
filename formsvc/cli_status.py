"""The commands that show: status, export, monitoring, log."""

import json
import sys
from collections.abc import Callable, Mapping
from dataclasses import asdict
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Final

import click
from rich.console import Console
from rich.table import Table

from formsvc.cli_words import console, month_argument
from formsvc.files import write_file
from formsvc.office.case_notes import export_case_notes
from formsvc.office.exports import export_actions, export_disclosures, export_monitoring
from formsvc.office.monitoring import MonitoringItem, due, record_done
from formsvc.office.office import Office, open_office
from formsvc.office.review import sheet_problems
from formsvc.office.status import months, status
from formsvc.office.status_tables import describe, describe_months
from formsvc.renderers.tables import Sheet, write_csv, write_xlsx
from formsvc.settings import settings
from formsvc.store.log import LOGS, LogName, entries

EXPORTS: Final = ("actions", "case-notes", "monitoring", "disclosures")
_DATE: Final = click.DateTime(["%Y-%m-%d"])


def _today(given: datetime | None) -> date:
    return given.date() if given else date.today()  # noqa: DTZ011  (due dates are of the wall's day)


# ---------------------------------------------------------------- status


@click.command("status")
@click.argument("month", required=False, callback=month_argument)
@click.option("--site", help="Only this site.")
@click.option("--today", type=_DATE, help="As of this day.")
@click.option("--problems", is_flag=True, help="Every error and note in the papers that came back, child by child.")
@click.option("--all", "everything", is_flag=True, help="Every finding, however many.")
@click.option("--json", "as_json", is_flag=True, help="One JSON object.")
def show_status(month: str | None, site: str | None, today: datetime | None, *, problems: bool, everything: bool, as_json: bool) -> None:
    """The picture of a month: what is due, back, missing, overdue, and by whom. Without a month: the program year."""
    office, day = open_office(settings()), _today(today)
    if month is None:
        heat = months(office, today=day, site=site)
        _show(describe_months(heat), asdict(heat), as_json=as_json)
        return
    if problems:
        for line in sheet_problems(office, month, site):
            click.echo(line)
        return
    found = status(office, month, today=day, site=site)
    _show(describe(found, most=sys.maxsize) if everything else describe(found), asdict(found), as_json=as_json)


def _show(parts: object, data: Mapping[str, object], *, as_json: bool) -> None:
    if as_json:
        click.echo(json.dumps(data, ensure_ascii=False, default=str))
        return
    where: Console = console()
    for part in parts if isinstance(parts, (list, tuple)) else [parts]:
        where.print(part)


# ---------------------------------------------------------------- export


@click.command()
@click.argument("what", type=click.Choice(EXPORTS))
@click.argument("month", required=False, callback=month_argument)
@click.option("--out", type=click.Path(path_type=Path, dir_okay=False), help="The file to write: .xlsx or .csv; by default WHAT-MONTH.xlsx here.")
@click.option("--open", "only_open", is_flag=True, help="Only actions that go on.")
@click.option("--today", type=_DATE, help="As of this day.")
def export(what: str, month: str | None, out: Path | None, today: datetime | None, *, only_open: bool) -> None:
    """Write a table for Excel or another system: actions, case notes (one row per child, for COPA), monitoring, disclosures."""
    if what == "case-notes" and month is None:
        raise click.UsageError("case notes are of a month: formsvc export case-notes 2026-11")
    office, day = open_office(settings()), _today(today)
    file = out or Path(f"{what}{f'-{month}' if month else ''}.xlsx")
    if file.suffix.lower() not in (".csv", ".xlsx"):
        raise click.UsageError("--out must end in .xlsx or .csv")
    makers: Mapping[str, Callable[[], Sheet]] = {
        "actions": lambda: export_actions(office, month, on=day, only_open=only_open),
        "case-notes": lambda: export_case_notes(office, month or ""),
        "monitoring": lambda: export_monitoring(office, day),
        "disclosures": lambda: export_disclosures(office),
    }
    sheet = makers[what]()
    content = write_csv(sheet) if file.suffix.lower() == ".csv" else write_xlsx([sheet], title=sheet.name, created=datetime.now(UTC).replace(tzinfo=None, microsecond=0))
    write_file(file, content)
    click.echo(f"{file}: {len(sheet.rows)} rows.")


# ---------------------------------------------------------------- monitoring


@click.group(invoke_without_command=True)
@click.option("--today", type=_DATE, help="As of this day.")
@click.option("--until", type=_DATE, help="What falls due until then.")
@click.option("--json", "as_json", is_flag=True, help="One JSON list.")
@click.pass_context
def monitoring(context: click.Context, today: datetime | None, until: datetime | None, *, as_json: bool) -> None:
    """List what is to be monitored (R20); `monitoring done` records that it was."""
    if context.invoked_subcommand is not None:
        return
    items = due(open_office(settings()), _today(today), until=until.date() if until else None)
    if as_json:
        click.echo(json.dumps([asdict(item) for item in items], ensure_ascii=False, default=str))
        return
    table = Table("Due", "What", "About", "Who", "Kind and subject")
    for item in items:
        table.add_row(f"{item.due:%m/%d/%Y}{' overdue' if item.overdue else ''}", item.title, _about(item), item.who or item.role, f"{item.kind} {item.subject} {item.due}")
    console().print(table)
    click.echo(f"{len(items)} to do, {sum(item.overdue for item in items)} overdue.")


def _about(item: MonitoringItem) -> str:
    return ", ".join(filter(None, (item.site, item.unit, item.child_name))) or "the agency"


@monitoring.command("done")
@click.argument("kind")
@click.argument("subject")
@click.argument("due_on", type=_DATE)
@click.option("--on", "done_on", type=_DATE, help="The day it was done (today by default).")
@click.option("--by", default="", help="Who did it.")
def monitoring_done(kind: str, subject: str, due_on: datetime, done_on: datetime | None, by: str) -> None:
    """Record that something was monitored: KIND, SUBJECT and DUE as the list gives them."""
    office: Office = open_office(settings())
    is_news = record_done(office, kind, subject, due_on.date(), _today(done_on), by or office.store.by)
    click.echo(f"{kind} {subject}: {'done' if is_news else 'was recorded before'}.")


# ---------------------------------------------------------------- logs


@click.command("log")
@click.argument("name", type=click.Choice(LOGS))
@click.option("--subject", help="Only entries about this, like child:12.")
@click.option("--json", "as_json", is_flag=True, help="One JSON object for each entry, a line each.")
def show_log(name: LogName, subject: str | None, *, as_json: bool) -> None:
    """Show a log: `audit` (what was done) or `disclosure` (who received what, why, when: R40)."""
    with open_office(settings()).store.reading() as connection:
        for row in entries(connection, name, subject):
            told = {key: row[key] for key in ("number", "at", "by", "event", "subject", "facts")}
            click.echo(
                json.dumps(told, ensure_ascii=False)
                if as_json
                else f"{told['number']:>6}  {told['at'][:19]}  {told['by']}  {told['event']} {told['subject']}  {json.dumps(told['facts'], ensure_ascii=False)}"
            )
