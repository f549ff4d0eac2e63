"""What every export does: values in words, and an entry in the log of what left and up to which change it is complete."""

from collections.abc import Mapping
from typing import Final

from sqlalchemy import Connection, func, select

from formsvc.casework.month_rules import as_day
from formsvc.errors import Refused
from formsvc.model.form import Ask, Form
from formsvc.model.kinds import Choice, Choices, Day, Tick
from formsvc.model.procedure import is_month
from formsvc.office.office import Office
from formsvc.renderers.tables import Cell, Sheet
from formsvc.store.schema import logs, sheets

NOTES: Final = ("worksheet", "fcch")
"""The papers that case notes stand on."""
EVENT: Final = "exported"
YES_NO: Final = {True: "Yes", False: "No"}


def tell(office: Office, what: str, which: str, sheet: Sheet, until: int) -> Sheet:
    """The export, when it is in the log: how many rows left, and up to which entry of the log they are complete."""
    with office.store.writing() as connection:
        office.store.log(connection, EVENT, f"{what}:{which}", rows=len(sheet.rows), until=until)
    return sheet


def log_end(connection: Connection) -> int:
    """The last entry of the log: read before the data, so that a change made meanwhile counts as made after."""
    return connection.execute(select(func.max(logs.c.number)).where(logs.c.log == "audit")).scalar() or 0


def revised_since_export(connection: Connection, month: str) -> tuple[bool, frozenset[int]]:
    """R18: whether a month's case notes were exported, and the papers of the month that came back or changed since."""
    last = connection.execute(select(logs.c.facts).where(logs.c.log == "audit", logs.c.event == EVENT, logs.c.subject == f"case-notes:{month}").order_by(logs.c.number.desc()).limit(1)).scalar()
    known = set(connection.scalars(select(sheets.c.id).where(sheets.c.month == month, sheets.c.form.in_(NOTES), sheets.c.revision > 0)))
    if last is None:
        return False, frozenset(known)
    since = connection.scalars(select(logs.c.subject).distinct().where(logs.c.log == "audit", logs.c.number > last["until"], logs.c.event == "revised"))
    return True, frozenset(known & {int(subject.partition(":")[2]) for subject in since})


# ---------------------------------------------------------------- values in words


def said(ask: Ask, value: object) -> Cell:
    """A value as people read it: the words of a choice, a day as a day, a text as it is."""
    match ask.kind:
        case Tick():
            return YES_NO[True] if value else ""
        case Day():
            return as_day(value)
        case Choice(options=options):
            return next((option.label.en for option in options if option.code == value), str(value or ""))
        case Choices(options=options):
            chosen = value if isinstance(value, list) else []
            return ", ".join(option.label.en for option in options if option.code in chosen)
    return value if isinstance(value, str | int | float) else ""


def asks_of(form: Form, group_name: str) -> Mapping[str, Ask]:
    """The questions of a group by name."""
    group = form.group(group_name)
    return {ask.name: ask for ask in group.asks} if group else {}


def check_month(month: str | None) -> None:
    """Refuse what is no month."""
    if month is not None and not is_month(month):
        raise Refused("month-invalid", "", given=month)
