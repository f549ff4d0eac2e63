"""What programs list of the units somebody sees: papers, records, follow-up actions; each as plain facts, in an order that stays."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from sqlalchemy import Connection

from formsvc.casework.followup import Standing
from formsvc.model.procedure import month_of, months_between
from formsvc.model.record import Problem, Values
from formsvc.model.stamp import in_words
from formsvc.office.desk import PaperPhase, phase_of
from formsvc.office.monitoring import Agency, read_agency
from formsvc.office.office import Office
from formsvc.office.picture import all_left, is_late, unit_of
from formsvc.store.followup import KeptAction, read_actions
from formsvc.store.listing import issued_at, list_sheets, open_counts
from formsvc.store.papers import Document, Sheet, latest_revisions, newest_documents, read_sheet


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """Which papers: of which units, perhaps of a month or a form, after which one, how many."""

    units: Collection[int]
    month: str | None = None
    form: str | None = None
    after: int = 0
    most: int = 50


@dataclass(frozen=True, slots=True, kw_only=True)
class PaperFacts:
    """The newest edition of a paper."""

    id: str
    words: str
    record: int
    unit: int
    month: str
    form: str
    version: int
    part: int
    edition: int
    lang: str
    issued_at: str


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordFacts:
    """What is known of a paper now; revision 0 while nothing came back."""

    id: int
    document: str
    unit: int
    month: str
    form: str
    version: int
    part: int
    revision: int
    at: str | None
    state: PaperPhase
    done_on: str | None
    questions: int
    values: Values
    problems: tuple[Problem, ...]


def list_papers(office: Office, wanted: Wanted) -> tuple[PaperFacts, ...]:
    """The newest edition of each paper."""
    with office.store.reading() as connection:
        found = _sheets(connection, wanted)
        newest = newest_documents(connection, [sheet.id for sheet in found])
        at = issued_at(connection, [document.id for document in newest.values()])
    return tuple(_paper(sheet, newest[sheet.id], at[newest[sheet.id].id]) for sheet in found)


def one_paper(office: Office, document: Document) -> PaperFacts:
    """One edition of a paper."""
    with office.store.reading() as connection:
        sheet = read_sheet(connection, document.sheet)
        return _paper(sheet, document, issued_at(connection, [document.id])[document.id])


def _sheets(connection: Connection, wanted: Wanted) -> Sequence[Sheet]:
    return list_sheets(connection, units=wanted.units, month=wanted.month, form=wanted.form, after=wanted.after, most=wanted.most)


def _paper(sheet: Sheet, document: Document, at: str) -> PaperFacts:
    return PaperFacts(
        id=document.id, words=in_words(document.id), record=sheet.id, unit=sheet.unit, month=sheet.month, form=document.form, version=document.version, part=sheet.part, edition=document.edition,
        lang=document.lang, issued_at=at,
    )  # fmt: skip


def list_records(office: Office, wanted: Wanted) -> tuple[RecordFacts, ...]:
    """The records of papers that were issued."""
    with office.store.reading() as connection:
        return _records(connection, _sheets(connection, wanted))


def one_record(office: Office, sheet: Sheet) -> RecordFacts | None:
    """The record of one paper; None if it was never issued."""
    with office.store.reading() as connection:
        return next(iter(_records(connection, [sheet])), None)


def _records(connection: Connection, found: Sequence[Sheet]) -> tuple[RecordFacts, ...]:
    keys = [sheet.id for sheet in found]
    newest, known, asked = newest_documents(connection, keys), latest_revisions(connection, keys), open_counts(connection, keys)
    return tuple(
        RecordFacts(
            id=sheet.id,
            document=newest[sheet.id].id,
            unit=sheet.unit,
            month=sheet.month,
            form=sheet.form,
            version=newest[sheet.id].version,
            part=sheet.part,
            revision=sheet.revision,
            at=known[sheet.id].at if sheet.id in known else None,
            state=phase_of(sheet, asked.get(sheet.id, 0)),
            done_on=sheet.done_on or None,
            questions=asked.get(sheet.id, 0),
            values=known[sheet.id].values if sheet.id in known else {},
            problems=sheet.problems,
        )
        for sheet in found
        if sheet.id in newest
    )


# ---------------------------------------------------------------- follow-up


@dataclass(frozen=True, slots=True, kw_only=True)
class ActionFacts:
    """A follow-up action as it stands on a day; `unit` is where its first child is now."""

    id: str
    unit: int
    children: tuple[str, ...]
    text: str
    status: str
    responsible: str
    role: str
    target_date: str | None
    opened: str
    latest: str
    months: int
    open: bool
    overdue: bool
    long_carried: bool
    left: bool


def list_actions(office: Office, units: Collection[int], on: date, *, only_open: bool = False, month: str | None = None) -> tuple[ActionFacts, ...]:
    """The actions of these units by their id; those that were open in a month, where one is given."""
    with office.store.reading() as connection:
        agency = read_agency(connection)
        kept = read_actions(connection, only_open=only_open)
    found = [_action(office, agency, action, on) for action in kept if month is None or (action.opened <= month and (action.open or action.latest >= month))]
    return tuple(sorted((action for action in found if action.unit in units), key=lambda action: action.id))


def _action(office: Office, agency: Agency, action: KeptAction, on: date) -> ActionFacts:
    left, months = all_left(agency, action, on), max(months_between(action.opened, month_of(on)), 0)
    facts: Any = action.facts
    return ActionFacts(
        id=action.id,
        unit=unit_of(agency, action, on).id,
        children=tuple(agency.people[child].child_id for child in action.children if child in agency.people),
        text=Standing(opened=action.opened, latest=action.latest, facts=facts).text,
        status=str(facts.get("status", "")),
        responsible=str(facts.get("responsible", "")),
        role=str(facts.get("responsible_role", "")),
        target_date=str(facts["target_date"]) if facts.get("target_date") else None,
        opened=action.opened,
        latest=action.latest,
        months=months,
        open=action.open,
        overdue=is_late(action, on) and not left,
        long_carried=action.open and months >= office.procedure.raise_after_months and not left,
        left=left,
    )
