"""The picture of a month on a terminal: tables for any width from 100 columns, in words also where there is no colour."""

import unicodedata
from collections.abc import Iterable, Iterator, Sequence
from datetime import date
from typing import Final, TypeVar

from rich.box import SIMPLE_HEAD
from rich.console import RenderableType
from rich.table import Table
from rich.text import Text

from formsvc.casework.coverage import STATES, Finding, State, Weight
from formsvc.model.procedure import first_day
from formsvc.office.picture import ActionStatus
from formsvc.office.status import HeatMap, HeatRow, MonthStatus, UnitStatus

T = TypeVar("T", UnitStatus, HeatRow)
_STYLES: Final[dict[State, str]] = {"empty": "dim", "not-due": "dim", "open": "yellow", "planned": "", "missing": "bold red", "held": "yellow", "waiting": "yellow", "done": "green"}
SIGNS: Final[dict[State, str]] = {"empty": "·", "not-due": "–", "open": "?", "planned": "P", "missing": "!", "held": "H", "waiting": "W", "done": "✓"}
"""One sign for each state, where there is no room for its word and no colour."""
_WEIGHTS: Final[dict[Weight, tuple[str, str]]] = {"error": ("must", "red"), "warning": ("should", "yellow"), "note": ("note", "dim")}
_MOST_UNITS, _MOST_PEOPLE = 3, 2


def describe(status: MonthStatus, *, most: int = 60) -> Sequence[RenderableType]:
    """The picture as tables: units, actions, findings, and one line that sums it up. Actions beyond `most` are only counted."""
    parts: list[RenderableType] = [_units(status.units)]
    if status.actions:
        parts += [Text("\nActions that are late", style="bold"), _actions(status.actions[:most])]
        if len(status.actions) > most:
            parts.append(Text(f"and {len(status.actions) - most} more; export the actions to see all"))
    if status.findings:
        parts += [Text("\nWhat to look at", style="bold"), _findings(status.findings)]
    return (*parts, Text(f"\n{summary(status)}"))


def summary(status: MonthStatus) -> str:
    """The month in a sentence."""
    counts = {state: sum(unit.state == state for unit in status.units) for state in STATES}
    told = ", ".join(f"{count} {STATES[state]}" for state, count in counts.items() if count)
    due, returned, done = (sum(getattr(unit, name) for unit in status.units) for name in ("due", "returned", "done"))
    stray = f" Returns that are not placed yet: {status.unplaced} (formsvc review)." if status.unplaced else ""
    where = f", {_said(status.site)}" if status.site else ""
    return f"{status.month}{where}: {len(status.units)} units ({told or 'none'}). Papers: {due} due, {returned} came back, {done} done.{stray}"


def _table(*columns: str, right: Sequence[str] = ()) -> Table:
    """A table whose last columns of numbers never wrap."""
    table = Table(box=SIMPLE_HEAD, padding=(0, 1, 0, 0), pad_edge=False, show_edge=False, expand=False)
    for name in columns:
        table.add_column(name, justify="right" if name in right else "left", overflow="fold", no_wrap=name in right)
    return table


def _said(text: str) -> str:
    """A text in one line that does nothing to a terminal."""
    return "".join(" " if unicodedata.category(c) in {"Cc", "Zl", "Zp"} else c for c in text)


def _cell(text: str, style: str = "") -> Text:
    return Text(_said(text), style=style)


def _day(iso: str) -> str:
    """A day as the papers have it."""
    return f"{date.fromisoformat(iso):%m/%d/%Y}" if iso else ""


def _number(count: int, style: str = "") -> Text:
    return Text(str(count), style=style) if count else Text("")


# ---------------------------------------------------------------- units


def _units(units: Sequence[UnitStatus]) -> Table:
    numbers = ("Roster", "Out", "Back", "Done", "Asks", "Errors", "Late")
    table = _table("Unit", "State", "Conference", *numbers, right=numbers)
    table.columns[1].no_wrap = table.columns[2].no_wrap = True
    for site, unit in _with_sites(units):
        if unit is None:
            table.add_row(_cell(site, "bold"))
            continue
        met = _day(unit.held_on) or (f"({_day(unit.planned_on)})" if unit.planned_on else "")
        papers = (f"{count}/{unit.due}" if unit.due else "" for count in (unit.issued, unit.returned, unit.done))
        waits = (_number(unit.questions, "yellow"), _number(unit.errors, "red"), _number(unit.overdue_actions, "red"))
        table.add_row(_cell(f"  {unit.unit}"), Text(STATES[unit.state], style=_STYLES[unit.state]), Text(met), _number(unit.children), *papers, *waits)
    table.caption = "Conference held, or (planned). Out, back, done: of the papers due. Asks: questions that wait. Late: actions."
    table.caption_justify = "left"
    return table


def _with_sites(units: Iterable[T]) -> Iterator[tuple[str, T | None]]:
    """Units, and before those of each site the site itself."""
    before = None
    for unit in units:
        if unit.site != before:
            yield unit.site, None
        before = unit.site
        yield unit.site, unit


# ---------------------------------------------------------------- actions


def _actions(actions: Sequence[ActionStatus]) -> Table:
    table = _table("Target", "Why", "Unit", "Child", "Action", "Responsible")
    table.columns[0].no_wrap, table.columns[4].ratio, table.columns[2].max_width = True, 1, 30
    for action in actions:
        table.add_row(_cell(_day(action.target_date)), Text(_why(action), style="dim" if action.left else "red" if action.overdue else "yellow"), *_texts(action))
    return table


def _texts(action: ActionStatus) -> Iterator[Text]:
    for text in (f"{action.site}, {action.unit}", action.child_name, _short(action.action), action.responsible):
        yield _cell(text)


def _why(action: ActionStatus) -> str:
    if action.left:
        return "no longer enrolled"
    carried = f"{action.months} months old" if action.long_carried else ""
    return ", ".join(filter(None, ("overdue" if action.overdue else "", carried)))


def _short(text: str, most: int = 80) -> str:
    return text if len(text) <= most else f"{text[: most - 1].rstrip()}…"


# ---------------------------------------------------------------- findings


def _findings(findings: Sequence[Finding]) -> Table:
    """Findings that say the same are one line, with the units they are about."""
    groups: dict[tuple[str, str, Weight], list[Finding]] = {}
    for found in findings:
        groups.setdefault((found.rule, found.message, found.severity), []).append(found)
    table = _table("Rule", "Weight", "#", "What", "Where", "Due", "Who", right=("#",))
    table.columns[3].ratio, table.columns[4].max_width, table.columns[5].no_wrap, table.columns[6].max_width = 1, 24, True, 18
    for (rule, message, severity), alike in groups.items():
        word, style = _WEIGHTS[severity]
        due, count = min((found.due for found in alike if found.due), default=""), sum(found.count for found in alike)
        what = message.removeprefix(f"{rule}: ")
        table.add_row(Text(rule), Text(word, style=style), _number(count), _cell(what[:1].upper() + what[1:]), _cell(_where(alike)), Text(_day(due)), _cell(_few((found.who for found in alike), _MOST_PEOPLE)))
    return table


def _where(findings: Sequence[Finding]) -> str:
    return _few((", ".join(filter(None, (found.site, found.unit))) for found in findings), _MOST_UNITS)


def _few(texts: Iterator[str], most: int) -> str:
    """The first of some texts, and how many more there are."""
    different = list(dict.fromkeys(filter(None, texts)))
    more = f"; and {len(different) - most} more" if len(different) > most else ""
    return "; ".join(different[:most]) + more


# ---------------------------------------------------------------- heat map


def describe_months(heat: HeatMap) -> Sequence[RenderableType]:
    """Units by months, one sign for each state."""
    table = _table("Unit", *(f"{first_day(month):%b}" for month in heat.months))
    for column in table.columns[1:]:
        column.justify, column.no_wrap = "center", True
    for site, row in _with_sites(heat.rows):
        cells = row.cells if row else ()
        table.add_row(_cell(f"  {row.unit}" if row else site, "" if row else "bold"), *(Text(SIGNS[cell.state], style=_STYLES[cell.state]) for cell in cells))
    legend = "  ".join(f"{sign} {STATES[state]}" for state, sign in SIGNS.items())
    return (Text(f"Program year {heat.year}", style="bold"), table, Text(legend))
