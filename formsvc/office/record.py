"""A sheet as a reviewer sees it: what was issued, what came back, what is recorded, who decided."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import Connection, select

from formsvc.casework.cells import cells_of, split_cell
from formsvc.model.form import Form, Place
from formsvc.model.kinds import Choice, Choices, Lang, Tick, find_option, is_box
from formsvc.model.record import Problem
from formsvc.model.values import write_value
from formsvc.office.office import Office
from formsvc.office.review import Waiting, answered, waiting_in
from formsvc.office.sheets import Shown, as_cell, copies_of, shown_sheet
from formsvc.store.papers import Return, Sheet, latest_revision, read_return, standing_decisions
from formsvc.store.schema import returns

YES_OR_NO: Final = (("✓", ""), ("no", ""))


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """One answer: where it stands, what was printed, what each copy says, what is recorded, who decided."""

    key: str
    cell: str
    who: str
    label: str
    issued: str
    returned: tuple[tuple[int, str], ...]
    """Each copy that says something else than what was issued: its return, and what it says."""
    recorded: str
    options: tuple[tuple[str, str], ...] = ()
    """Of a question with boxes or a list: every answer as a reviewer gives it, and in words; of a single box yes and no, without words."""
    decided_by: str = ""
    decided_at: str = ""
    problems: tuple[Problem, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordView:
    """Everything about a sheet."""

    sheet: Sheet
    shown: Shown
    lines: tuple[Line, ...]
    questions: tuple[Waiting, ...]
    answered: tuple[Waiting, ...]
    returns: tuple[Return, ...]
    general: tuple[Problem, ...]
    said: Mapping[int, tuple[str, tuple[str, ...]]]
    """For each question: the issued value and the choices in words."""


def read_record(office: Office, sheet_id: int, lang: Lang) -> RecordView:
    """A sheet with everything a reviewer needs."""
    with office.store.reading() as connection:
        shown = shown_sheet(office, connection, sheet_id)
        copies = copies_of(office, connection, sheet_id)
        back = tuple(_returns(connection, sheet_id))
        problems = _problems(connection, shown)
        decided = standing_decisions(connection, sheet_id)
        questions, done = waiting_in(office, connection, sheet_id, lang), answered(office, connection, sheet_id, lang)
    issued = cells_of(shown.form, shown.document.base, shown.rows)
    told: dict[str, list[tuple[int, Any]]] = {}
    for number, edits in copies:
        for cell, value in edits.items():
            told.setdefault(cell, []).append((number, value))
    say = _Sayer(shown.form, lang)
    lines = []
    said: dict[int, tuple[str, tuple[str, ...]]] = {}
    for place, cell in _cells(shown, {*issued, *told, *shown.cells, *problems, *(cell for one in questions if (cell := one.cell))}):
        decision = decided.get(cell)
        said |= {one.number: (say.value(place, one.issued), tuple(say.value(place, value) for value, _ in one.choices)) for one in questions if one.cell == cell}
        lines.append(
            Line(
                key=place.key,
                cell=cell,
                who=_who(shown, cell, lang),
                label=say.label(place),
                issued=say.value(place, issued.get(cell)),
                returned=tuple((number, say.value(place, value)) for number, value in told.get(cell, ())),
                recorded=say.value(place, shown.cells.get(cell)),
                options=say.options(place),
                decided_by=decision.by if decision is not None else "",
                decided_at=decision.at if decision is not None else "",
                problems=tuple(problems.get(cell, ())),
            )
        )
    general = tuple(found for found in shown.sheet.problems if not found.field)
    return RecordView(sheet=shown.sheet, shown=shown, lines=tuple(lines), questions=questions, answered=done, returns=back, general=general, said=said)


class _Sayer:
    """Values and labels in words."""

    def __init__(self, form: Form, lang: Lang) -> None:
        self._form, self._lang = form, lang

    def label(self, place: Place) -> str:
        text = place.ask.label.said(self._lang)
        return f"{text}: {place.option.label.said(self._lang)}" if place.option is not None and isinstance(place.ask.kind, Choices) else text

    def options(self, place: Place) -> tuple[tuple[str, str], ...]:
        kind = place.ask.kind
        if isinstance(kind, Tick | Choices):
            return YES_OR_NO
        return tuple((option.code, option.label.said(self._lang)) for option in kind.options) if isinstance(kind, Choice) else ()

    def value(self, place: Place, value: Any) -> str:
        if value is None:
            return ""
        kind = place.ask.kind
        if isinstance(kind, Tick | Choices):
            return "✓" if value is True else str(value)
        if isinstance(kind, Choice):
            return next((option.label.said(self._lang) for option in kind.options if option.code == value), str(value))
        return str(value) if is_box(kind) else write_value(kind, value, self._lang)


def _cells(shown: Shown, wanted: Iterable[str]) -> Iterator[tuple[Place, str]]:
    """The places of these cells in the order of the form."""
    known = set(wanted)
    counts = {group.name: min(group.maximum, len(shown.rows.get(group.name, ()))) for group in shown.form.groups}
    seen = set()
    for place in shown.form.places(counts):
        cell = as_cell(shown.form, place.key, shown.rows)
        if cell in known and cell not in seen:
            seen.add(cell)
            yield place, cell


def _who(shown: Shown, cell: str, lang: Lang) -> str:
    """Whom a cell's row is about."""
    group_name, row, _ = split_cell(cell)
    group = shown.form.group(group_name) if group_name else None
    if group is None:
        return ""
    name = shown.cells.get(f"{group_name}/{row}/{group.heading}") if group.heading else None
    number = list(shown.rows[group_name]).index(row) + 1
    kind = next((ask.kind for ask in group.asks if ask.name == group.heading), None)
    option = find_option(kind.options, str(name)) if isinstance(kind, Choice) else None
    return f"{number}. {option.label.said(lang) if option else name}" if name else str(number)


def _problems(connection: Connection, shown: Shown) -> dict[str, list[Problem]]:
    revision = latest_revision(connection, shown.sheet.id)
    found: dict[str, list[Problem]] = {}
    for one in shown.sheet.problems if revision else ():
        if one.field and revision and (cell := as_cell(shown.form, one.field, revision.rows)):
            found.setdefault(cell, []).append(one)
    return found


def _returns(connection: Connection, sheet_id: int) -> Iterator[Return]:
    for number in connection.scalars(select(returns.c.id).where(returns.c.sheet_id == sheet_id).order_by(returns.c.id)):
        if (back := read_return(connection, number)) is not None:
            yield back
