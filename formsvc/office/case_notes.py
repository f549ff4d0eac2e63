"""R18: a month's case notes as one row for each child, for typing into COPA.

What an export leaves out never leaves silently: a child without a paper has its row, and so has a row
of a paper whose child is not known.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any, Final

from sqlalchemy import Connection, select

from formsvc.casework.coverage import whereabouts
from formsvc.casework.month_rules import as_day
from formsvc.model.form import Form, FormId
from formsvc.model.stamp import in_words
from formsvc.model.values import plain
from formsvc.office.exported import NOTES, asks_of, check_month, log_end, said, tell
from formsvc.office.monitoring import Agency, read_agency
from formsvc.office.office import Office
from formsvc.renderers.tables import Cell, Sheet
from formsvc.store.papers import Revision, latest_revisions
from formsvc.store.roster import Child, Enrolment, Unit
from formsvc.store.schema import action_children, documents, returns, sheets

_MERGED: Final[Mapping[str, str]] = {"parent_included": "parent_informed", "referral_agency": "referral_to"}
"""What the family child care form calls otherwise."""
_NOTES: Final = (
    "areas", "strengths", "discussion_points", "follow_up_action", "responsible", "target_date", "parent_informed", "parent_date", "parent_input", "consultant", "success_team", "referral_to",
)  # fmt: skip
_HOMES: Final = ("status", "updated_strategy")
_OUTCOMES: Final = ("immediate_need", "support_needed", "no_discussion_points")
_CONTENT: Final = ("strengths", "discussion_points", "follow_up_action", "updated_strategy", "areas")


@dataclass(frozen=True, slots=True, kw_only=True)
class _Paper:
    """A paper of the month that case notes stand on, as it is known now."""

    sheet: int
    unit: int
    form: Form
    document: str
    revision: Revision | None
    came_back: bool

    @property
    def held_on(self) -> date | None:
        """The day of the conference."""
        return as_day(self.revision.values.get("conference_date")) if self.revision else None

    def rows(self) -> Iterator[tuple[str, Mapping[str, Any]]]:
        """The rows of children: identity and answers."""
        entries = self.revision.values.get("children") if self.revision else None
        identities = self.revision.rows.get("children", ()) if self.revision else ()
        for number, row in enumerate(entries if isinstance(entries, list) else ()):
            if isinstance(row, dict) and row:
                yield identities[number] if number < len(identities) else "", row


def export_case_notes(office: Office, month: str) -> Sheet:
    """R18: one row for each child of the month's roster, for typing into COPA; then rows whose child is not known."""
    check_month(month)
    with office.store.reading() as connection:
        until = log_end(connection)
        agency = read_agency(connection)
        papers = _papers(office, connection, month)
        children_of = _action_children(connection)
    form = office.service.form("worksheet")
    here = whereabouts(agency.spells, month)
    notes, strays = _by_child(papers, agency, here, children_of)
    by_unit: dict[int, list[_Paper]] = {}
    for paper in papers:
        by_unit.setdefault(paper.unit, []).append(paper)
    rows = [_note(agency, form, month, agency.people[child], here.get(child), notes.get(child, ()), by_unit) for child in _listed(agency, here, notes)]
    rows += [_stray(agency, form, month, paper, row) for paper, row in strays]
    return tell(office, "case-notes", month, Sheet(name=f"Case notes {month}", columns=_columns(form, office.service.form("fcch")), rows=rows), until)


def _columns(form: Form, homes: Form) -> tuple[str, ...]:
    asks, theirs = asks_of(form, "children"), asks_of(homes, "children")
    return (
        "Site", "Unit", theirs["home"].label.en, asks["child_id"].label.en, asks["child_name"].label.en, "Month", "Conference date", "Outcome",
        *(asks[name].label.en for name in _NOTES), *(theirs[name].label.en for name in _HOMES), "Document",
    )  # fmt: skip


def _papers(office: Office, connection: Connection, month: str) -> list[_Paper]:
    """The papers, with the document that came back last, or else the newest edition."""
    wanted = (
        select(sheets.c.id, sheets.c.unit_id, sheets.c.form, documents.c.id.label("document"), documents.c.version, returns.c.id.label("back"))
        .join(documents, documents.c.sheet_id == sheets.c.id)
        .outerjoin(returns, (returns.c.document == documents.c.id) & (returns.c.sheet_id == sheets.c.id) & (returns.c.state == "counted"))
        .where(sheets.c.month == month, sheets.c.form.in_(NOTES))
        .order_by(sheets.c.unit_id, sheets.c.part, documents.c.edition, returns.c.id)
    )
    best: dict[int, Any] = {}
    for row in connection.execute(wanted):
        known = best.get(row.id)
        if known is None or row.back is not None or known.back is None:
            best[row.id] = row
    known_now = latest_revisions(connection, list(best))
    return [
        _Paper(
            sheet=row.id,
            unit=row.unit_id,
            form=office.catalog.form(FormId(name=row.form, version=row.version)),
            document=row.document,
            revision=known_now.get(row.id),
            came_back=row.back is not None,
        )
        for row in best.values()
    ]


def _action_children(connection: Connection) -> Mapping[str, Sequence[int]]:
    found: dict[str, list[int]] = {}
    for row in connection.execute(select(action_children).order_by(action_children.c.child)):
        found.setdefault(row.action, []).append(row.child)
    return found


_Noted = tuple[_Paper, Mapping[str, Any]]


def _by_child(papers: Sequence[_Paper], agency: Agency, here: Mapping[int, Enrolment], children_of: Mapping[str, Sequence[int]]) -> tuple[dict[int, list[_Noted]], list[_Noted]]:
    """What was written about each child, and the rows of which nobody knows whom they are about."""
    notes: dict[int, list[_Noted]] = {}
    strays: list[_Noted] = []
    by_id = {plain(child.child_id): key for key, child in agency.people.items()}
    for paper in papers:
        for identity, row in paper.rows():
            found = _whom(identity, row, paper, by_id, agency, here, children_of)
            for child in found:
                if child in agency.people:  # not erased
                    notes.setdefault(child, []).append((paper, row))
            if not found:
                strays.append((paper, row))
    return notes, strays


def _whom(identity: str, row: Mapping[str, Any], paper: _Paper, by_id: Mapping[str, int], agency: Agency, here: Mapping[int, Enrolment], children_of: Mapping[str, Sequence[int]]) -> Sequence[int]:
    """The children a row is about: as printed, or as people wrote it (the same way that receiving it understands it)."""
    if identity.startswith("c"):
        return [int(identity[1:])]
    if identity.startswith("a"):
        return children_of.get(identity[1:], ())
    if number := row.get("child_id"):
        return [by_id[plain(str(number))]] if plain(str(number)) in by_id else []
    name = plain(str(row.get("child_name", "")))
    same = [child for child, spell in here.items() if name and spell.unit == paper.unit and plain(agency.people[child].name) == name]
    return same if len(same) == 1 else []


def _listed(agency: Agency, here: Mapping[int, Enrolment], notes: Mapping[int, Sequence[_Noted]]) -> list[int]:
    """The children of the month by site, unit and name; those who are written about without being there come too."""

    def place(child: int) -> tuple[str, str, str, str, str]:
        spell = here.get(child)
        unit = agency.units[spell.unit if spell else notes[child][0][0].unit]
        return unit.site, unit.name, spell.home if spell else "", agency.people[child].name, agency.people[child].child_id

    return sorted({*here, *notes}, key=place)


def _note(agency: Agency, form: Form, month: str, child: Child, spell: Enrolment | None, noted: Sequence[_Noted], by_unit: Mapping[int, Sequence[_Paper]]) -> list[Cell]:
    """A child's row: everything that was written about it in the month."""
    unit = agency.units[spell.unit if spell else noted[0][0].unit]
    theirs = by_unit.get(unit.id, ())
    of = [paper for paper, _ in noted] or [paper for paper in theirs if paper.came_back][:1]
    outcome = _outcome(form, [row for _, row in noted]) if noted else _without(unit, spell, theirs)
    home, held, document = spell.home if spell else "", _merged([paper.held_on for paper in of]), _merged([in_words(paper.document) for paper in of])
    return [unit.site, unit.name, home, child.child_id, child.name, month, held, outcome, *_answers(noted), document]


def _stray(agency: Agency, form: Form, month: str, paper: _Paper, row: Mapping[str, Any]) -> list[Cell]:
    """A row whose child is not known, as it was written."""
    unit = agency.units[paper.unit]
    names = [str(row.get(name, "")) for name in ("home", "child_id", "child_name")]
    return [unit.site, unit.name, *names, month, paper.held_on, _outcome(form, [row]), *_answers([(paper, row)]), in_words(paper.document)]


def _answers(noted: Sequence[_Noted]) -> list[Cell]:
    found: dict[str, list[Cell]] = {}
    for paper, row in noted:
        for name, ask in asks_of(paper.form, "children").items():
            if name in row:
                found.setdefault(_MERGED.get(name, name), []).append(said(ask, row[name]))
    return [_merged(found.get(name, ())) for name in (*_NOTES, *_HOMES)]


def _merged(cells: Sequence[Cell]) -> Cell:
    """One value as it is; several different ones under each other, days in ISO 8601."""
    different = list(dict.fromkeys(cell for cell in cells if cell not in (None, "")))
    if len(different) <= 1:
        return different[0] if different else None
    return "\n".join(cell.isoformat() if isinstance(cell, date) else str(cell) for cell in different)


def _outcome(form: Form, rows: Sequence[Mapping[str, Any]]) -> str:
    """R5 in words; where a record has several outcomes, all of them."""
    asks = asks_of(form, "children")
    marked = [asks[name].label.en for name in _OUTCOMES if any(row.get(name) for row in rows)]
    if marked:
        return " + ".join(marked)
    return "Discussed" if any(row.get(name) for row in rows for name in _CONTENT) else "No outcome written"


def _without(unit: Unit, spell: Enrolment | None, papers: Sequence[_Paper]) -> str:
    """Why nothing was written about a child."""
    if not any(paper.came_back for paper in papers):
        return "No paper came back"
    held = next((paper.held_on for paper in papers if paper.held_on), None)
    if spell is not None and spell.ends is not None and (held is None or spell.ends < held):
        return f"Left on {spell.ends:%m/%d/%Y}"
    return "No support needed (not on the form)" if unit.option == "fcch" else "Not on the paper"
