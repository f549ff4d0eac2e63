"""Tables for other programs: actions, case notes for COPA (R18), monitoring, disclosures. Each export is logged.

A cell holds what the record holds; choices are in words, days are days.
"""

import json
from collections.abc import Iterable, Mapping
from datetime import date
from typing import Any, Final

from sqlalchemy import select

from formsvc.casework.followup import carried_months
from formsvc.model.form import Ask
from formsvc.office.case_notes import export_case_notes
from formsvc.office.exported import YES_NO, asks_of, check_month, log_end, said, tell
from formsvc.office.monitoring import Agency, MonitoringItem, in_order, monitored, read_agency
from formsvc.office.office import Office
from formsvc.office.picture import all_left, is_late, unit_of
from formsvc.renderers.tables import Cell, Sheet
from formsvc.store.followup import KeptAction, read_actions
from formsvc.store.log import entries
from formsvc.store.roster import Unit
from formsvc.store.schema import action_events

__all__ = ("export_actions", "export_case_notes", "export_disclosures", "export_monitoring")

# ---------------------------------------------------------------- actions

_ACTION: Final = ("need", "discussion_points", "follow_up_action")
_ACTION_ENDS: Final = (
    "action_kind", "referral_agency", "responsible", "responsible_role", "target_date", "parent_involved", "parent_date", "parent_how", "status", "status_date", "outcome",
)  # fmt: skip


def export_actions(office: Office, month: str | None = None, *, on: date, only_open: bool = False) -> Sheet:
    """Follow-up actions, one row each: all of them, or those that were open in a month. `on` is the day they are looked at."""
    check_month(month)
    asks = asks_of(office.service.form("case-management"), "actions")
    with office.store.reading() as connection:
        until = log_end(connection)
        agency = read_agency(connection)
        kept = [action for action in read_actions(connection, only_open=only_open) if month is None or _in_month(action, month)]
        told: dict[str, list[str]] = {}
        for row in connection.execute(select(action_events.c.action, action_events.c.month)):
            told.setdefault(row.action, []).append(row.month)
    columns = (
        "Action id", "Site", "Unit", asks["child_id"].label.en, asks["child_name"].label.en, "State", "Opened in", "Last written about in", "Months carried",
        *(asks[name].label.en for name in _ACTION), "Updated strategy", *(asks[name].label.en for name in _ACTION_ENDS),
    )  # fmt: skip
    placed = sorted(((unit_of(agency, action, on), action) for action in kept), key=lambda pair: (pair[0].site, pair[0].name, pair[1].opened, pair[1].id))
    rows = [_action_row(agency, asks, unit, action, on, carried_months(action.opened, told.get(action.id, ()))) for unit, action in placed]
    return tell(office, "actions", month or "all", Sheet(name="Actions", columns=columns, rows=rows), until)


def _in_month(action: KeptAction, month: str) -> bool:
    """Whether an action was open at some time of a month."""
    return action.opened <= month and (action.open or action.latest >= month)


def _action_row(agency: Agency, asks: Mapping[str, Ask], unit: Unit, action: KeptAction, on: date, carried: int) -> list[Cell]:
    people = [agency.people[child] for child in action.children if child in agency.people]
    facts = action.facts
    return [
        action.id, unit.site, unit.name, _joined(child.child_id for child in people), _joined(child.name for child in people),
        _state(agency, action, on), action.opened, action.latest, carried,
        *(said(asks[name], facts.get(name)) for name in _ACTION), str(facts.get("strategy", "")), *(said(asks[name], facts.get(name)) for name in _ACTION_ENDS),
    ]  # fmt: skip


def _joined(texts: Iterable[str]) -> str:
    """Siblings share an action: as the follow-up form prints them."""
    return " + ".join(texts)


def _state(agency: Agency, action: KeptAction, on: date) -> str:
    """How an action stands in effect, whatever its last written status."""
    if not action.open:
        return "Closed"
    if all_left(agency, action, on):
        return "No longer enrolled"
    return "Overdue" if is_late(action, on) else "Open"


# ---------------------------------------------------------------- monitoring, disclosures


def export_monitoring(office: Office, on: date, *, until: date | None = None) -> Sheet:
    """R20: what is due by a day (`until`, else `on`), what is overdue on `on`, and what was done."""
    with office.store.reading() as connection:
        at = log_end(connection)
        items = in_order(monitored(office, connection, read_agency(connection), on, until or on))
    columns = ("Monitoring", "Site", "Unit", "Child id", "Child's name", "Counted from", "Due", "State", "Role", "Who", "Done on", "Done by")
    return tell(office, "monitoring", on.isoformat(), Sheet(name="Monitoring", columns=columns, rows=[_monitored(office, item) for item in items]), at)


def _monitored(office: Office, item: MonitoringItem) -> list[Cell]:
    state = "Done" if item.done_on else "Overdue" if item.overdue else "Due"
    role = said(asks_of(office.service.form("case-management"), "actions")["responsible_role"], item.role)
    return [item.title, item.site, item.unit, item.child_id, item.child_name, item.begins, item.due, state, role, item.who, item.done_on, item.by]


def export_disclosures(office: Office) -> Sheet:
    """R40: who received what and why, as it stands in the sealed log; a column for every fact that an entry has."""
    with office.store.reading() as connection:
        until = log_end(connection)
        found = list(entries(connection, "disclosure"))
    facts = list(dict.fromkeys(name for row in found for name in row["facts"]))
    columns = ("Number", "At (UTC)", "By", "What happened", "About", *(name.replace("_", " ").capitalize() for name in facts))
    rows = [[row["number"], row["at"], row["by"], row["event"], row["subject"], *(_fact(row["facts"].get(name)) for name in facts)] for row in found]
    return tell(office, "disclosures", "all", Sheet(name="Disclosures", columns=columns, rows=rows), until)


def _fact(value: Any) -> Cell:
    match value:
        case None:
            return None
        case bool():
            return YES_NO[value]
        case str() | int() | float():
            return value
        case list() if all(isinstance(one, str) for one in value):
            return "\n".join(value)
    return json.dumps(value, ensure_ascii=False, sort_keys=True)
