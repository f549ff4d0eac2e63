"""A unit in a month, gathered from the store: who is there, what was held, which actions go on."""

from collections.abc import Iterable, Mapping, Sequence

from sqlalchemy import Connection

from formsvc.casework.cells import all_rows, cells_of, split_cell
from formsvc.casework.coverage import whereabouts
from formsvc.casework.followup import Event, Standing, fold
from formsvc.casework.prefill import Enrolled, OpenAction, UnitMonth
from formsvc.model.form import FormId
from formsvc.model.kinds import Lang
from formsvc.model.procedure import last_day
from formsvc.model.roster import StaffMember
from formsvc.model.stamp import in_words
from formsvc.office.conferences import last_held, read_meeting
from formsvc.office.office import Office
from formsvc.store.followup import KeptAction, read_actions, read_events
from formsvc.store.papers import latest_revisions, newest_documents, read_sheets
from formsvc.store.roster import Child, Enrolment, Unit, first_enrolled, read_children, read_enrolments, read_enrolments_of, read_staff


def unit_month(office: Office, connection: Connection, unit: Unit, month: str, lang: Lang = "en") -> UnitMonth:
    """Everything a unit's papers of a month are made of."""
    spells = read_enrolments(connection, unit.id)
    present = _present(spells, unit.id, month)
    people = read_children(connection, {spell.child for spell in spells})
    known = [spell for spell in spells if spell.starts is None or spell.starts <= last_day(month)]  # a stay that will begin later says nothing yet
    enrolled = {child: _enrolled(people[child], spell, [other for other in known if other.child == child]) for child, spell in present.items() if child in people}
    meeting = read_meeting(connection, unit.id, month)
    held = last_held(connection, unit.id, month, office.procedure.program_year_starts)
    return UnitMonth(
        agency=office.catalog.profile.agency.said(lang),
        site=unit.site,
        unit=unit.name,
        option=unit.option,
        month=month,
        start=unit.start,
        planned_on=meeting.planned_on,
        start_time=meeting.start_time,
        end_time=meeting.end_time,
        last_held=held[1] if held else None,
        discussed=_discussed(office, connection, unit.id, held[0]) if held else frozenset(),
        staff=_staff(connection, unit.id),
        children=tuple(enrolled.values()),
        actions=_actions(connection, unit, month, enrolled),
        previous_document=_previous(connection, unit.id, month),
    )


def _present(spells: Iterable[Enrolment], unit: int, month: str) -> dict[int, Enrolment]:
    """The stays in a unit that reach into the month, in order of the roster."""
    return {child: spell for child, spell in whereabouts(spells, month).items() if spell.unit == unit}


def _enrolled(child: Child, spell: Enrolment, spells: Sequence[Enrolment]) -> Enrolled:
    return Enrolled(
        key=child.key,
        child_id=child.child_id,
        name=child.name,
        enrolled_on=first_enrolled(spells),
        birth_date=child.birth_date,
        left_on=spell.ends,
        home=spell.home,
        home_language=child.home_language,
        interpreter=child.interpreter,
        iep_ifsp=child.iep_ifsp,
    )


def _discussed(office: Office, connection: Connection, unit: int, month: str) -> frozenset[int]:
    """The children who have an answer on the papers of that month."""
    sheets = read_sheets(connection, unit_id=unit, month=month, form="worksheet")
    known = latest_revisions(connection, [sheet.id for sheet in sheets])
    documents = newest_documents(connection, [sheet.id for sheet in sheets])
    found: set[int] = set()
    for sheet, revision in known.items():
        document = documents[sheet]
        form = office.catalog.form(FormId(name="worksheet", version=document.version))
        issued = cells_of(form, document.snapshot, all_rows(form, document.rows))
        written = [cell for cell, value in cells_of(form, revision.values, revision.rows).items() if issued.get(cell) != value]
        found.update(int(row[1:]) for group, row, _ in map(split_cell, written) if group == "children" and row.startswith("c"))
    return frozenset(found)


def _staff(connection: Connection, unit: int) -> tuple[StaffMember, ...]:
    return read_staff(connection).get(unit, ())


def _previous(connection: Connection, unit: int, month: str) -> str:
    """The newest follow-up form of an earlier month, by its printed id."""
    sheets = [sheet for sheet in read_sheets(connection, unit_id=unit, form="case-management") if sheet.month < month and sheet.part == 1]
    if not sheets:
        return ""
    newest = newest_documents(connection, [sheets[-1].id])
    return ", ".join(in_words(document.id) for document in newest.values())


# ---------------------------------------------------------------- actions


def _actions(connection: Connection, unit: Unit, month: str, enrolled: Mapping[int, Enrolled]) -> tuple[OpenAction, ...]:
    """The actions that stand open for a unit's children when its follow-up paper of the month is made."""
    kept = read_actions(connection, children=tuple(enrolled), unit=unit.id)
    events: dict[str, list[Event]] = {}
    for event in read_events(connection, [action.id for action in kept]):
        if event.month < month or (event.month == month and event.form == "worksheet"):
            events.setdefault(event.action, []).append(Event(month=event.month, form=event.form, sheet=event.sheet, facts=event.facts))
    standing = {action.id: fold(events[action.id]) for action in kept if action.id in events}
    return tuple(_open_action(action, standing[action.id], enrolled) for action in kept if action.id in standing and standing[action.id].open and _here(connection, action, unit.id, month, enrolled))


def _here(connection: Connection, action: KeptAction, unit: int, month: str, enrolled: Mapping[int, Enrolled]) -> bool:
    """Whether an action belongs to this unit: siblings in two units have it where the first who is still there is."""
    if len(action.children) <= 1:
        return not action.children or action.children[0] in enrolled
    spells = read_enrolments_of(connection, action.children)
    where = {child: spell.unit for child, spell in whereabouts(spells, month).items()}
    staying = [child for child in action.children if child in where and not _ended(spells, child, month)] or [child for child in action.children if child in where]
    return bool(staying) and where[staying[0]] == unit


def _ended(spells: Sequence[Enrolment], child: int, month: str) -> bool:
    """Whether a child's last stay ends within the month."""
    return all(spell.ends is not None and spell.ends <= last_day(month) for spell in spells if spell.child == child)


def _open_action(action: KeptAction, standing: Standing, enrolled: Mapping[int, Enrolled]) -> OpenAction:
    return OpenAction(id=action.id, children=tuple(enrolled[child] for child in action.children if child in enrolled), standing=standing)
