"""A person's month: their units, each paper and how far it has come, and what comes next."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any, Literal

from sqlalchemy import Connection, Select, func, select

from formsvc.casework.prefill import FORMS
from formsvc.model.kinds import Words
from formsvc.model.record import Problem
from formsvc.office.conferences import CASE
from formsvc.office.office import Office
from formsvc.store.papers import Document, Sheet, newest_documents, read_sheets
from formsvc.store.roster import Unit
from formsvc.store.schema import conferences, documents, questions, returns
from formsvc.store.schema_people import drafts

PaperPhase = Literal["missing", "issued", "returned", "review", "done"]


@dataclass(frozen=True, slots=True, kw_only=True)
class DeskPaper:
    """A paper of a unit and month. `phase`: issued, returned (problems are left), review (a person is asked), done."""

    sheet: int
    document: str
    form: str
    title: Words
    part: int
    phase: PaperPhase
    issued_at: str
    returned_at: str
    questions: int
    problems: tuple[Problem, ...]
    is_typed: bool = False
    """Whether it was filled in on screen only: no paper came back."""
    draft_at: str = ""
    """When this person's draft was kept, if there is one."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Desk:
    """A unit's month."""

    unit: Unit
    planned_on: date | None
    held_on: date | None
    start_time: str
    end_time: str
    papers: tuple[DeskPaper, ...]
    unplaced: int
    """Returns of this unit that wait for somebody to say whether they count."""
    missing: tuple[Words, ...]
    """The papers that were not made yet."""

    @property
    def is_done(self) -> bool:
        """Whether every paper is done."""
        return bool(self.papers) and not self.missing and all(paper.phase == "done" for paper in self.papers)


def desks(office: Office, units: Sequence[Unit], month: str, person: int) -> tuple[Desk, ...]:
    """These units' month as a person sees it, in their order; a handful of statements for any number of units."""
    with office.store.reading() as connection:
        keys = frozenset(unit.id for unit in units)
        sheets = read_sheets(connection, month=month, unit_id=keys)
        newest = newest_documents(connection, [sheet.id for sheet in sheets])
        papers = _papers(office, connection, sheets, newest, person)
        meetings = {row.unit_id: row for row in connection.execute(select(conferences).where(conferences.c.month == month, conferences.c.kind == CASE, conferences.c.unit_id.in_(keys)))}
        stray = _unplaced(connection, [sheet.id for sheet in sheets])
    by_unit: dict[int, list[tuple[Sheet, DeskPaper]]] = {}
    for sheet in sheets:
        if sheet.id in papers:
            by_unit.setdefault(sheet.unit, []).append((sheet, papers[sheet.id]))
    found = []
    for unit in units:
        own, row = by_unit.get(unit.id, []), meetings.get(unit.id)
        have = {paper.form for _, paper in own}
        found.append(
            Desk(
                unit=unit,
                planned_on=row.planned_on if row else None,
                held_on=row.held_on if row else None,
                start_time=(row.start_time or "") if row else "",
                end_time=(row.end_time or "") if row else "",
                papers=tuple(paper for _, paper in own),
                unplaced=sum(stray.get(sheet.id, 0) for sheet, _ in own),
                missing=tuple(office.service.form(name).titles for name in FORMS[unit.option] if name not in have),
            )
        )
    return tuple(found)


def _papers(office: Office, connection: Connection, sheets: Sequence[Sheet], newest: Mapping[int, Document], person: int) -> dict[int, DeskPaper]:
    keys = [sheet.id for sheet in sheets]
    back = _pairs(connection, select(returns.c.sheet_id, func.max(returns.c.at)).where(returns.c.sheet_id.in_(keys), returns.c.state == "counted").group_by(returns.c.sheet_id))
    asked = _pairs(connection, select(questions.c.sheet_id, func.count()).where(questions.c.sheet_id.in_(keys), questions.c.state == "open").group_by(questions.c.sheet_id))
    made = _pairs(connection, select(documents.c.sheet_id, func.max(documents.c.at)).where(documents.c.sheet_id.in_(keys)).group_by(documents.c.sheet_id))
    typed = _pairs(connection, select(drafts.c.sheet_id, drafts.c.at).where(drafts.c.person_id == person, drafts.c.sheet_id.in_(keys)))
    return {
        sheet.id: DeskPaper(
            sheet=sheet.id,
            document=newest[sheet.id].id,
            form=sheet.form,
            title=office.service.form(sheet.form).titles,
            part=sheet.part,
            phase=phase_of(sheet, asked.get(sheet.id, 0)),
            issued_at=made.get(sheet.id, ""),
            returned_at=str(back.get(sheet.id) or ""),
            questions=asked.get(sheet.id, 0),
            problems=sheet.problems,
            is_typed=bool(sheet.revision) and not back.get(sheet.id),
            draft_at=typed.get(sheet.id, ""),
        )
        for sheet in sheets
        if sheet.id in newest
    }


def _pairs(connection: Connection, wanted: Select[Any]) -> dict[int, Any]:
    """What a statement of two columns gives, by the first one."""
    return {row[0]: row[1] for row in connection.execute(wanted)}


def phase_of(sheet: Sheet, asked: int) -> PaperPhase:
    """How far a paper has come; `asked` is how many questions wait about it."""
    if asked:
        return "review"
    if sheet.done_on:
        return "done"
    return "returned" if sheet.revision else "issued"


def _unplaced(connection: Connection, sheets: Sequence[int]) -> Mapping[int, int]:
    wanted = (
        select(documents.c.sheet_id, func.count())
        .select_from(returns.join(documents, documents.c.id == returns.c.document))
        .where(returns.c.state == "waiting", documents.c.sheet_id.in_(sheets))
        .group_by(documents.c.sheet_id)
    )
    return _pairs(connection, wanted)
