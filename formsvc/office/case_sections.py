"""A case in sections that people edit: which fields each has, their texts as a browser sends them, and back.

A field is named by its place in the case: `client-name`, `team-2-email`, `agenda_minutes-safety`; a list of
lines is one text with a line for each. Saving looks whether somebody changed the section meanwhile.
"""

import hashlib
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, Literal

from formsvc.casework.case import case_faults
from formsvc.model.values import normal_lines, read_day, read_time
from formsvc.office.cases import find_case, write_case
from formsvc.office.office import Office

FieldKind = Literal["text", "long", "day", "time", "email", "number", "choice", "lines", "people"]
Answers = Mapping[str, str]
"""What stands in the fields of a section, by name; empty fields are left out."""
_BETWEEN: Final = "-"


@dataclass(frozen=True, slots=True, kw_only=True)
class Field:
    """One field of a section; `name` is its place, in a row the last part of it."""

    name: str
    kind: FieldKind = "text"
    required: bool = False
    first: str = ""
    """What stands in a new one."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Section:
    """What is edited together: single fields, or rows of a list."""

    name: str
    fields: tuple[Field, ...] = ()
    rows: str = ""
    """The list in the case whose entries are rows."""
    row: tuple[Field, ...] = ()


_CLIENT: Final = (
    Field(name="client-name", required=True), Field(name="client-initials"), Field(name="client-birth_date", kind="day"), Field(name="client-school"),
    Field(name="client-known_as", kind="lines"), Field(name="guardian"),
)  # fmt: skip
_COORDINATOR: Final = (
    Field(name="coordinator-name", required=True), Field(name="coordinator-organisation"), Field(name="coordinator-phone"), Field(name="coordinator-email", kind="email"),
    Field(name="coordinator-address", kind="lines"),
)  # fmt: skip
_CONFERENCE: Final = (
    Field(name="conference-number", kind="number", required=True), Field(name="conference-type", kind="choice", required=True), Field(name="conference-date", kind="day", required=True),
    Field(name="conference-start", kind="time", required=True), Field(name="conference-minutes", kind="number"), Field(name="conference-zone", kind="choice", required=True),
    Field(name="conference-place", required=True), Field(name="conference-line", required=True), Field(name="conference-reply_by", kind="day"),
)  # fmt: skip
_MEMBER: Final = (
    Field(name="name", required=True), Field(name="role"), Field(name="organisation"), Field(name="partner_system", kind="choice"), Field(name="audience", kind="choice", first="professional"),
    Field(name="lang", kind="choice", first="en"), Field(name="email", kind="email"), Field(name="mode", kind="choice"), Field(name="address", kind="lines"),
)  # fmt: skip
_CONSENT: Final = (
    Field(name="kind", kind="choice", required=True, first="share"), Field(name="form", kind="choice", required=True, first="written"), Field(name="given_by", required=True),
    Field(name="given_on", kind="day", required=True), Field(name="expires_on", kind="day"), Field(name="revoked_on", kind="day"), Field(name="taken_by"),
    Field(name="recipients", kind="people", required=True, first="*"),
)  # fmt: skip
_STEP: Final = (
    Field(name="action", kind="long", required=True), Field(name="responsible", required=True), Field(name="due_date", kind="day"), Field(name="status", kind="choice"),
)  # fmt: skip
_PLACE: Final = Field(name="conference-place")  # by default the school (R25)
NEW: Final = Section(
    name="new", fields=(Field(name="number", required=True), *_CLIENT[:4], Field(name="guardian", required=True), *_COORDINATOR[:4], *_CONFERENCE[2:6], _PLACE, *_CONFERENCE[7:])
)
"""What a case begins with."""
SECTIONS: Final[Mapping[str, Section]] = {
    section.name: section
    for section in (
        Section(name="client", fields=_CLIENT), Section(name="coordinator", fields=_COORDINATOR), Section(name="conference", fields=_CONFERENCE),
        Section(name="team", rows="team", row=_MEMBER), Section(name="consents", rows="consents", row=_CONSENT), Section(name="steps", rows="previous_steps", row=_STEP),
    )
}  # fmt: skip


def section_of(name: str, parts: Sequence[str] = ()) -> Section | None:
    """A section by name; the agenda has a field for each of its parts."""
    if name == "agenda":
        return Section(name=name, fields=(*(Field(name=f"agenda_minutes-{part}", kind="number") for part in parts), Field(name="agenda_items", kind="lines")))
    return SECTIONS.get(name)


# ---------------------------------------------------------------- a case as texts


def answers_of(section: Section, data: Mapping[str, Any]) -> dict[str, str]:
    """What stands in the fields of a section."""
    return {key: text for field, key in places(section, len(data.get(section.rows, ()))) if (text := _text(field, _at(data, key)))}


def places(section: Section, rows: int) -> Iterator[tuple[Field, str]]:
    """Every field of a section with so many rows, and its name in the page."""
    yield from ((field, field.name) for field in section.fields)
    yield from ((field, _BETWEEN.join((section.rows, str(row), field.name))) for row in range(rows) for field in section.row)


def _at(data: Any, key: str) -> Any:
    """What stands at a place of the case; None if nothing does."""
    for part in key.split(_BETWEEN):
        if isinstance(data, Mapping):
            data = data.get(part)
        elif isinstance(data, list):
            data = data[int(part)]
        else:
            return None
    return data


def _text(field: Field, value: Any) -> str:
    if value is None:
        return ""
    return "\n".join(value) if field.kind in ("lines", "people") else str(value)


def row_count(section: Section, answers: Answers) -> int:
    """How many rows the answers speak of."""
    start = f"{section.rows}{_BETWEEN}"
    numbers = [key[len(start) :].partition(_BETWEEN)[0] for key in answers if section.rows and key.startswith(start)]
    return max((int(number) + 1 for number in numbers if number.isdecimal() and len(number) < 4), default=0)  # noqa: PLR2004


def row_of(section: Section, answers: Answers, row: int) -> dict[str, str]:
    """The answers of one row, by the names of its fields."""
    return {field.name: answers[key] for field in section.row if (key := f"{section.rows}-{row}-{field.name}") in answers}


def with_rows(section: Section, rows: Sequence[Mapping[str, str]], answers: Answers | None = None) -> dict[str, str]:
    """The answers with these rows in place of theirs."""
    kept = {key: text for key, text in (answers or {}).items() if not section.rows or not key.startswith(f"{section.rows}{_BETWEEN}")}
    return kept | {f"{section.rows}-{number}-{name}": text for number, row in enumerate(rows) for name, text in row.items()}


def written_rows(section: Section, answers: Answers) -> list[dict[str, str]]:
    """The rows that somebody wrote in: what was chosen beforehand alone says nothing."""
    rows = [row_of(section, answers, number) for number in range(row_count(section, answers))]
    silent = {field.name for field in section.row if field.kind in ("choice", "people")}
    return [row for row in rows if row.keys() - silent]


def first_row(section: Section) -> dict[str, str]:
    """What stands in a new row."""
    return {field.name: field.first for field in section.row if field.first}


def section_digest(section: Section, data: Mapping[str, Any]) -> str:
    """A short digest of a section, to notice that it changed."""
    return hashlib.sha256(json.dumps(answers_of(section, data), sort_keys=True).encode()).hexdigest()[:32]


# ---------------------------------------------------------------- and back


def changed_data(section: Section, answers: Answers, data: Mapping[str, Any]) -> dict[str, Any]:
    """The case with the answers of a section in place of what stood there."""
    made: dict[str, Any] = json.loads(json.dumps(data))
    for head in {field.name.partition(_BETWEEN)[0] for field in section.fields}:
        made.pop(head, None)
    for field in section.fields:
        if (value := _value(field, answers.get(field.name, ""))) is not None:
            _put(made, field.name, value)
    for field in section.fields:
        head = field.name.partition(_BETWEEN)[0]
        if head != field.name:
            made.setdefault(head, {})
    if section.rows:
        made[section.rows] = [_row(section, row) for row in written_rows(section, answers)]
    return made


def _row(section: Section, row: Mapping[str, str]) -> dict[str, Any]:
    found = {field.name: _value(field, row.get(field.name, "")) for field in section.row}
    return {name: value for name, value in found.items() if value is not None}


def _put(made: dict[str, Any], key: str, value: Any) -> None:
    head, _, rest = key.partition(_BETWEEN)
    if rest:
        made.setdefault(head, {})[rest] = value
    else:
        made[head] = value


def _value(field: Field, text: str) -> Any:
    """What a text says; None if nothing. What cannot be understood stays a text, which the case's schema refuses."""
    if field.kind in ("lines", "people"):
        return [line.strip() for line in normal_lines(text).split("\n") if line.strip()] or None
    text = " ".join(normal_lines(text).split("\n")).strip()
    if not text:
        return None
    if field.kind == "number":
        return int(text) if text.isascii() and text.isdecimal() and len(text) < 9 else text  # noqa: PLR2004
    return (read_day(text) or text) if field.kind == "day" else (read_time(text) or text) if field.kind == "time" else text


def new_data(answers: Answers, role: str) -> dict[str, Any]:
    """A case that begins: its first conference, by default at the school (R25), and the guardian in that role as the first of its team."""
    data = changed_data(NEW, answers, {})
    data.pop("number", None)
    data["conference"] |= {"number": 1, "type": "initial"}
    if school := data["client"].get("school"):
        data["conference"].setdefault("place", school)
    guardian = data.get("guardian")
    return {**data, "team": [{"name": guardian, "role": role, "partner_system": "family", "audience": "guardian"}] if guardian else []}


# ---------------------------------------------------------------- kept


@dataclass(frozen=True, slots=True, kw_only=True)
class Fault:
    """Something that is wrong at a field; `field` is empty where it is not a field of this section."""

    field: str
    message: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Edited:
    """What saving a section did. `theirs` is what somebody else saved meanwhile: then nothing was kept."""

    faults: tuple[Fault, ...] = ()
    theirs: Answers | None = None
    seen: str = ""
    """The digest of what stands now."""

    @property
    def is_kept(self) -> bool:
        """Whether it stands in the case now."""
        return not self.faults and self.theirs is None


def faults_of(section: Section, data: Mapping[str, Any], rows: int) -> tuple[Fault, ...]:
    """What is wrong with a case, each at its field of the section, if it is one of it."""
    keys = {key for _, key in places(section, rows)}
    return tuple(dict.fromkeys(Fault(field=_field(place, keys), message=text) for place, text in case_faults(data)))


def _field(place: str, keys: set[str]) -> str:
    """A list's entry belongs to the field of the list."""
    return next((known for known in (place, place.rpartition(_BETWEEN)[0]) if known in keys), "")


def edit_section(office: Office, number: str, section: Section, answers: Answers, seen: str) -> Edited:
    """Keep a section of a case, unless something in it is wrong or somebody changed it since it was shown (`seen`)."""
    with office.store.writing() as connection:
        _, data = find_case(connection, number)
        now = section_digest(section, data)
        made = changed_data(section, answers, data)
        if seen != now and section_digest(section, made) != now:
            return Edited(theirs=answers_of(section, data), seen=now)
        if faults := faults_of(section, made, row_count(section, answers)):
            return Edited(faults=faults, seen=now)
        if made != data:
            write_case(office, connection, number, made, section=section.name)
    return Edited(seen=section_digest(section, made))


def differences(section: Section, mine: Answers, theirs: Answers) -> list[tuple[Field, str, str, str]]:
    """The fields in which two people's answers differ: field, its name in the page, mine, theirs."""
    rows = max(row_count(section, mine), row_count(section, theirs))
    return [(field, key, mine.get(key, ""), theirs.get(key, "")) for field, key in places(section, rows) if mine.get(key, "") != theirs.get(key, "")]
