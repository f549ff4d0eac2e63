"""The queue of what waits for a person: look, decide, take back, put a stray return where it belongs."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import Connection, Row

from formsvc.casework.cells import cells_of, split_cell
from formsvc.errors import Refused, word
from formsvc.model.form import Form
from formsvc.model.kinds import Choices, Lang, Tick, find_option
from formsvc.model.people import Person
from formsvc.model.record import Values
from formsvc.model.values import Misread, plain, read_value
from formsvc.office.office import Office
from formsvc.office.sheets import as_cell, given_values, is_locked, settle_from
from formsvc.store.papers import (
    Return,
    Sheet,
    add_decision,
    answer_question,
    counted_returns,
    find_document,
    find_question,
    latest_revision,
    move_return,
    newest_documents,
    open_questions,
    read_return,
    read_sheet,
    read_sheets,
    reopen_question,
    said_sheet,
    standing_decisions,
)
from formsvc.store.roster import Child, find_unit, read_children, read_units

_YES: Final = frozenset({"✓", "✔", "☑", "x", "yes", "y", "sí", "si", "s", "on", "1", "true", "ticked", "marcado", "marcada"})
_NO: Final = frozenset({"no", "n", "off", "0", "false", "-", "☐"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Waiting:
    """A question as a person reads it. `choices` are the values to choose from, with where each comes from."""

    number: int
    code: str
    where: str
    what: str
    """The question on the paper, with the child or row it is about."""
    message: str
    issued: Any = None
    choices: tuple[tuple[Any, str], ...] = ()
    sources: tuple[tuple[int, ...], ...] = ()
    """The returns that each choice comes from."""
    return_id: int | None = None
    sheet: int | None = None
    unit: int | None = None
    month: str = ""
    cell: str = ""
    by: str = ""
    """Who sent the return in."""
    at: str = ""


def waiting_for(office: Office, person: Person, *, month: str | None = None, lang: Lang = "en") -> tuple[Waiting, ...]:
    """What waits in units that somebody sees, and what they sent in themselves without anybody knowing where it belongs."""
    with office.store.reading() as connection:
        rows = [row for row in open_questions(connection) if (row.unit_id is None or person.sees(row.unit_id)) and (month is None or row.month in (month, None))]
        found = [_waiting(office, connection, row, lang) for row in rows]
    return tuple(one for one in found if (person.sees(one.unit) if one.unit is not None else person.sees_every_unit or one.by == person.name))


def waiting_in(office: Office, connection: Connection, sheet_id: int, lang: Lang = "en") -> tuple[Waiting, ...]:
    """What waits about a sheet."""
    return tuple(_waiting(office, connection, row, lang) for row in open_questions(connection, sheet_id=sheet_id))


def answered(office: Office, connection: Connection, sheet_id: int, lang: Lang = "en") -> tuple[Waiting, ...]:
    """What was asked about a sheet and answered as it stands; it can be asked again."""
    return tuple(_waiting(office, connection, row, lang) for row in open_questions(connection, "answered", sheet_id=sheet_id))


def waiting(office: Office, *, month: str | None = None) -> tuple[Waiting, ...]:
    """Everything that waits, the oldest first."""
    with office.store.reading() as connection:
        return tuple(_waiting(office, connection, row) for row in open_questions(connection) if month is None or row.month == month)


def _waiting(office: Office, connection: Connection, row: Row[Any], lang: Lang = "en") -> Waiting:
    facts: Mapping[str, Any] = row.facts
    back = read_return(connection, row.return_id) if row.return_id is not None else None
    where = f"{row.site}, {row.unit}, {row.month}, {row.form}" if row.site else "not placed yet"
    given = [(candidate["value"], candidate["sources"]) for candidate in facts.get("candidates", ())]
    if not given and facts.get("value") is not None:
        given = [(facts["value"], [f"return:{row.return_id}"])]
    choices = tuple((value, _sources(connection, sources)) for value, sources in given)
    return Waiting(
        number=row.id,
        code=row.code,
        where=where,
        what=_what(office, connection, row, lang),
        message=facts.get("message") or word(row.code, **{name: value for name, value in facts.items() if isinstance(value, str)}),
        issued=facts.get("issued"),
        choices=choices,
        sources=tuple(tuple(int(source.partition(":")[2]) for source in sources if source.startswith("return:")) for _, sources in given),
        return_id=row.return_id,
        sheet=row.sheet_id,
        unit=row.unit_id if row.unit_id is not None else _unit_asked(connection, back),
        month=row.month or "",
        cell=row.cell,
        by=back.by if back is not None else "",
        at=row.at,
    )


def _unit_asked(connection: Connection, back: Return | None) -> int | None:
    """The unit whose paper a return seems to be."""
    document = find_document(connection, back.document) if back is not None and back.document else None
    return read_sheet(connection, document.sheet).unit if document is not None else None


def _sources(connection: Connection, sources: list[str]) -> str:
    found = [read_return(connection, int(source.partition(":")[2])) for source in sources if source.startswith("return:")]
    return "; ".join(f"return {back.id}, {back.file_name}, {back.by}, {back.at[:16]}" for back in found if back) or "decided"


def _what(office: Office, connection: Connection, row: Row[Any], lang: Lang) -> str:
    if not row.cell or row.sheet_id is None:
        return ""
    form = office.service.form(row.form)
    group, identity, name = split_cell(row.cell)
    label = _label(form, group, name, lang)
    revision = latest_revision(connection, row.sheet_id)
    rows = revision.rows.get(group, ()) if revision else ()
    if not group or identity not in rows or revision is None:
        return label
    place = list(rows).index(identity)
    entries = revision.values.get(group)
    entry = entries[place] if isinstance(entries, list) and place < len(entries) else {}
    who = str(entry.get("child_name") or entry.get("name") or place + 1) if isinstance(entry, dict) else str(place + 1)
    return f"{who}: {label}"


def sheet_problems(office: Office, month: str, site: str | None = None) -> Iterator[str]:
    """Every error and note in a month's papers, in words: where, which child, which question."""
    with office.store.reading() as connection:
        for sheet in read_sheets(connection, month=month):
            where = said_sheet(connection, sheet.id)
            if not sheet.problems or (site is not None and not where.startswith(f"{site}, ")):
                continue
            yield f"{where}:"
            revision = latest_revision(connection, sheet.id)
            form = office.service.form(sheet.form)
            for found in sorted(sheet.problems, key=lambda found: found.severity):
                yield f"  {found.severity:<7} {_place_of(form, revision.values if revision else {}, found.field)}: {found.message} [{found.code}]"


def _place_of(form: Form, values: Values, field: str) -> str:
    """A field as a person reads it: the child of its row, and the question."""
    group, _, rest = field.partition("-")
    number, _, name = rest.partition("-")
    entries = values.get(group)
    if form.group(group) is None or not number.isdecimal() or not isinstance(entries, list):
        return _label(form, "", field) or "the paper"
    entry = entries[int(number)] if int(number) < len(entries) else {}
    who = (entry.get("child_name") or entry.get("name")) if isinstance(entry, dict) else ""
    return f"{int(number) + 1} {who or ''}".strip() + f", {_label(form, group, name)}"


def _label(form: Form, group_name: str, name: str, lang: Lang = "en") -> str:
    group = form.group(group_name) if group_name else None
    for ask in group.asks if group else form.asks:
        if ask.name == name:
            return ask.label.said(lang)
        if isinstance(ask.kind, Choices) and name.startswith(f"{ask.name}-"):
            option = find_option(ask.kind.options, name.partition("-")[2])
            return f"{ask.label.said(lang)}: {option.label.said(lang) if option else name}"
    return name


# ---------------------------------------------------------------- decide


def decide(office: Office, number: int, choice: str) -> str:
    """Answer a question: the number of a choice, `issued`, `ok` (it stands as it is), or `=` and a value of one's own.

    Gives what was decided, in words.
    """
    with office.store.writing() as connection:
        row = find_question(connection, number)
        if row is None or row.state != "open":
            raise Refused("question-gone", str(number))
        if row.sheet_id is None:
            raise Refused("question-of-place", str(number))
        if choice == "ok":
            answer_question(connection, number)
            value: Any = None
            said = "is left out; the record stays as it is" if row.return_id is not None and row.cell else "stands as it is"
        else:
            value = _child_chosen(connection, choice[1:]) if row.code == "unknown-child" and choice.startswith("=") else _chosen(office, connection, row, choice)
            said = f"is now {value!r}" if value is not None else "is empty now"
        if choice != "ok" and row.code == "unknown-child" and isinstance(value, Child):
            value = _name_child(office, connection, row, value)
            said = f"is {value}"
        elif choice != "ok":
            _decided(office, connection, row, value)
        office.store.log(connection, "decided", f"question:{number}", sheet=row.sheet_id, choice=choice if choice[:1] != "=" else "own value")
        settle_from(office, connection, row.sheet_id, f"question:{number}")
    return said


def _child_chosen(connection: Connection, text: str) -> Child:
    """The child a person names for a row: by id, or by a name that only one child has."""
    everybody = read_children(connection).values()
    found = [child for child in everybody if plain(child.child_id) == plain(text)] or [child for child in everybody if plain(child.name) == plain(text)]
    if len(found) != 1:
        raise Refused("child-not-certain", text[:40], count=len(found))
    return found[0]


def _name_child(office: Office, connection: Connection, row: Row[Any], child: Child) -> str:
    """Decide both cells that say who a row is about."""
    start, _, _ = row.cell.rpartition("/")
    for name, value in (("child_name", child.name), ("child_id", child.child_id)):
        add_decision(connection, row.sheet_id, f"{start}/{name}", value=value, seen={"values": [row.facts.get("name" if name == "child_name" else "child_id")], "returns": []}, by=office.store.by)
    return f"{child.name} ({child.child_id})"


def _decided(office: Office, connection: Connection, row: Row[Any], value: Any) -> None:
    """Keep the decision for the values and the return that the person saw."""
    known = standing_decisions(connection, row.sheet_id).get(row.cell)
    seen_before: Mapping[str, Any] = known.seen if known is not None else {"values": [], "returns": []}
    values = [
        *seen_before.get("values", ()),
        *(candidate["value"] for candidate in row.facts.get("candidates", ())),
        *([row.facts["value"]] if row.facts.get("value") is not None else []),
        _standing(office, connection, row),
    ]
    returns = [*seen_before.get("returns", ()), *([row.return_id] if row.return_id is not None else [])]
    add_decision(connection, row.sheet_id, row.cell, value=value, seen={"values": values, "returns": returns}, by=office.store.by)


def _standing(office: Office, connection: Connection, row: Row[Any]) -> Any:
    """What stands in the cell now."""
    revision = latest_revision(connection, row.sheet_id)
    form = office.service.form(read_sheet(connection, row.sheet_id).form)
    return cells_of(form, revision.values, revision.rows).get(row.cell) if revision else None


def _chosen(office: Office, connection: Connection, row: Row[Any], choice: str) -> Any:
    candidates = [candidate["value"] for candidate in row.facts.get("candidates", ())] or [value for value in (row.facts.get("value"),) if value is not None]
    if choice == "issued" and "issued" in row.facts:
        return row.facts["issued"]
    if choice.isdecimal() and 1 <= int(choice) <= len(candidates):
        return candidates[int(choice) - 1]
    if choice.startswith("=") and row.cell and row.code != "child-left":
        return _own_value(office, connection, row, choice[1:])
    raise Refused("choice-unknown", choice, known=", ".join(map(str, range(1, len(candidates) + 1))))


def _own_value(office: Office, connection: Connection, row: Row[Any], text: str) -> Any:
    """A value that a person typed, understood as the paper would understand it."""
    return _typed(office.service.form(read_sheet(connection, row.sheet_id).form), row.cell, text)


def _typed(form: Form, cell: str, text: str) -> Any:
    """A typed value as the question of the cell takes it; None for nothing."""
    if not text.strip():
        return None
    group_name, _, name = split_cell(cell)
    group = form.group(group_name) if group_name else None
    ask = next((ask for ask in (group.asks if group else form.asks) if ask.name == name), None)
    if ask is None or isinstance(ask.kind, Tick):  # ask is None: one box of several
        return _ticked(text)
    value = read_value(ask.kind, text)
    if isinstance(value, Misread):
        raise Refused("choice-unreadable", text[:40])
    return value


def _ticked(text: str) -> bool | None:
    """What a person means by a word or sign for a box; None for an empty one."""
    said = text.strip().casefold()
    if said not in _YES | _NO:
        raise Refused("choice-unreadable", text[:40])
    return True if said in _YES else None


def correct(office: Office, *, site: str, unit: str, month: str, form: str, part: int, field: str, text: str) -> str:
    """Let a person's value stand in a field of a record, over everything that came back until now. Gives what was done, in words."""
    with office.store.writing() as connection:
        sheets = [sheet for one in read_units(connection, site, unit) for sheet in read_sheets(connection, unit_id=one.id, month=month, form=form, part=part)]
        if not sheets:
            raise Refused("record-missing", f"{site}, {unit}, {month}, {form}")
        return _correct(office, connection, sheets[0], field, text)


def correct_sheet(office: Office, sheet_id: int, field: str, text: str) -> str:
    """The same for a sheet by its number."""
    with office.store.writing() as connection:
        return _correct(office, connection, read_sheet(connection, sheet_id), field, text)


def _correct(office: Office, connection: Connection, sheet: Sheet, field: str, text: str) -> str:
    revision = latest_revision(connection, sheet.id)
    if revision is None:
        raise Refused("record-missing", said_sheet(connection, sheet.id))
    definition = office.service.form(sheet.form)
    cell = as_cell(definition, field, revision.rows)
    if not cell or is_locked(definition, cell):
        raise Refused("field-unknown", field)
    value = _typed(definition, cell, text)
    before = cells_of(definition, revision.values, revision.rows).get(cell)
    seen = {"values": [before, *(values.get(cell) for values in given_values(office, connection, sheet.id))], "returns": [back.id for back in counted_returns(connection, sheet.id)]}
    number = add_decision(connection, sheet.id, cell, value=value, seen=seen, by=office.store.by)
    office.store.log(connection, "corrected", f"sheet:{sheet.id}", decision=number)
    settle_from(office, connection, sheet.id, f"decision:{number}")
    return f"{_place_of(definition, revision.values, field)}: {'(empty)' if before is None else before} becomes {'(empty)' if value is None else value}."


def withdraw(office: Office, sheet_id: int, cell: str) -> None:
    """Undo what a person decided or corrected in a cell: what came back counts again."""
    with office.store.writing() as connection:
        if standing_decisions(connection, sheet_id).get(cell) is None:
            raise Refused("nothing-decided", "")
        number = add_decision(connection, sheet_id, cell, value=None, seen={}, by=office.store.by, withdrawn=True)
        office.store.log(connection, "decision-withdrawn", f"sheet:{sheet_id}", decision=number)
        settle_from(office, connection, sheet_id, f"decision:{number}")


def ask_again(office: Office, number: int) -> None:
    """Undo that a question was answered as it stands."""
    with office.store.writing() as connection:
        row = find_question(connection, number)
        if row is None or row.sheet_id is None or row.state != "answered":
            raise Refused("question-gone", str(number))
        reopen_question(connection, number)
        office.store.log(connection, "question-reopened", f"question:{number}", sheet=row.sheet_id)
        settle_from(office, connection, row.sheet_id, f"question:{number}")


def take_back(office: Office, number: int) -> None:
    """Undo the decision about a question's cell: it is asked again."""
    with office.store.writing() as connection:
        row = find_question(connection, number)
        if row is None or row.sheet_id is None or row.state == "open":
            raise Refused("question-gone", str(number))
        known = standing_decisions(connection, row.sheet_id).get(row.cell)
        if known is None:
            raise Refused("question-gone", str(number))
        add_decision(connection, row.sheet_id, row.cell, value=None, seen={}, by=office.store.by, withdrawn=True)
        office.store.log(connection, "decision-withdrawn", f"question:{number}", sheet=row.sheet_id)
        settle_from(office, connection, row.sheet_id, f"question:{number}")


# ---------------------------------------------------------------- place


def place(office: Office, return_id: int, *, site: str | None = None, unit: str | None = None, month: str | None = None) -> str:
    """Let a waiting return count: where its stamp says, or for the unit and month that a person names."""
    with office.store.writing() as connection:
        back = read_return(connection, return_id)
        if back is None or back.state not in ("waiting", "dropped"):
            raise Refused("return-not-waiting", str(return_id))
        if not back.form:
            raise Refused("return-unread", str(return_id))
        sheet = back.sheet if back.sheet is not None and unit is None and month is None else _target(connection, back.document, back.form, site, unit, month)
        document = back.document or newest_documents(connection, [sheet])[sheet].id
        move_return(connection, return_id, state="counted", sheet_id=sheet, document=document)
        _close(connection, return_id)
        office.store.log(connection, "placed", f"return:{return_id}", sheet=sheet)
        settle_from(office, connection, sheet, f"return:{return_id}")
        return said_sheet(connection, sheet)


def _target(connection: Connection, document: str | None, form: str, site: str | None, unit: str | None, month: str | None) -> int:
    if unit is None and month is None:
        known = find_document(connection, document) if document else None
        if known is None:
            raise Refused("place-needed", "")
        return known.sheet
    units = read_units(connection, site, unit) if unit is not None else _unit_of(connection, document)
    sheets = [sheet for one in units for sheet in read_sheets(connection, unit_id=one.id, form=form, **({"month": month} if month else {}))]
    if len(sheets) != 1:
        raise Refused("place-unclear", "", count=len(sheets))
    return sheets[0].id


def _unit_of(connection: Connection, document: str | None) -> Any:
    known = find_document(connection, document) if document else None
    if known is None:
        raise Refused("place-needed", "")
    return [find_unit(connection, read_sheet(connection, known.sheet).unit)]


def drop(office: Office, return_id: int, why: str) -> str:
    """Let a return not count; its file and answers are kept. Gives the file's name and where it counted."""
    with office.store.writing() as connection:
        back = read_return(connection, return_id)
        if back is None or back.state == "dropped":
            raise Refused("return-not-waiting", str(return_id))
        move_return(connection, return_id, state="dropped", why=why)  # the reason may name somebody, so it stays out of the log
        _close(connection, return_id)
        office.store.log(connection, "dropped", f"return:{return_id}")
        if back.sheet is not None:
            settle_from(office, connection, back.sheet, f"dropped:{return_id}")
        return f"{back.file_name}; {said_sheet(connection, back.sheet) or 'not placed'}"


def _close(connection: Connection, return_id: int) -> None:
    for row in open_questions(connection, return_id=return_id):
        if row.sheet_id is None:
            answer_question(connection, row.id)
