"""A case edited section by section with ordinary forms: what is wrong is said at its field, nobody overwrites anybody."""

from collections.abc import Mapping, Sequence
from typing import Any, Final

from flask import redirect, request, url_for
from flask.typing import ResponseReturnValue

from formsvc.errors import Refused
from formsvc.model.values import normal_lines
from formsvc.office.case_sections import (
    NEW,
    Answers,
    Edited,
    Fault,
    Field,
    Section,
    answers_of,
    differences,
    edit_section,
    faults_of,
    first_row,
    new_data,
    places,
    row_count,
    row_of,
    section_digest,
    section_of,
    with_rows,
    written_rows,
)
from formsvc.office.case_work import CaseFile, create_case
from formsvc.web.access import me, missing, office, page
from formsvc.web.cases_open import case_page, my_file, notes_form, pages
from formsvc.web.cases_words import add_words, audiences, choices, fault_words, hint_of, label_of, row_title, section_title
from formsvc.web.guard import done, tell
from formsvc.web.words import chosen_lang, gettext

_ZONES: Final = (
    "America/New_York", "America/Chicago", "America/Denver", "America/Phoenix", "America/Los_Angeles", "America/Anchorage", "Pacific/Honolulu", "America/Puerto_Rico",
    "America/Halifax", "America/Toronto", "America/Winnipeg", "America/Edmonton", "America/Vancouver", "Australia/Melbourne",
)  # fmt: skip
_SPARE: Final = 1
EVERYBODY: Final = "*"


@page(pages, "/case/<number>/edit/<name>", "cases")
def edit(number: str, name: str) -> ResponseReturnValue:
    """A section as a form."""
    file, section = my_file(number), _section(name)
    return _form(file, section, answers_of(section, file.data), section_digest(section, file.data))


def _section(name: str) -> Section:
    found = section_of(name, tuple(office().catalog.letter("agenda").sections))
    if found is None:
        missing()
    return found


@page(pages, "/case/<number>/edit/<name>", "cases", methods=("POST",))
def keep(number: str, name: str) -> ResponseReturnValue:
    """Keep a section, or show it with a row more or less."""
    file, section = my_file(number), _section(name)
    answers, seen, act = _sent(section), request.form.get("seen", ""), request.form.get("act", "save")
    if act != "save":
        return _form(file, section, _acted(section, answers, act), seen, spare=act == "add")
    answers = with_rows(section, written_rows(section, answers), answers)
    edited = edit_section(office(), number, section, answers, seen)
    if edited.is_kept:
        done(gettext("Saved: %(section)s.", section=section_title(name)))
        return redirect(url_for("cases.show", number=number, _anchor=name))
    return _form(file, section, answers, edited.seen if edited.theirs is not None else seen, edited), 422 if edited.theirs is None else 409


def _sent(section: Section) -> dict[str, str]:
    """What the browser sent for a section; ticked people and those written below them are one list."""
    found = {}
    for field, key in places(section, row_count(section, request.form)):
        parts = [*request.form.getlist(key), request.form.get(f"{key}-more", "")] if field.kind == "people" else [request.form.get(key, "")]
        text = normal_lines("\n".join(part for part in parts if part.strip())).strip()
        if text:
            found[key] = text
    return found


def _acted(section: Section, answers: Answers, act: str) -> dict[str, str]:
    """The answers with a row more, or without one."""
    rows = [row_of(section, answers, number) for number in range(row_count(section, answers))]
    gone = act.removeprefix("remove-")
    if gone.isdecimal() and int(gone) < len(rows):
        rows.pop(int(gone))
    rows = [row for row in rows if row.keys() - {"kind", "form", "audience", "lang", "recipients"}]
    return with_rows(section, rows, answers)


# ---------------------------------------------------------------- shown


def _form(file: CaseFile, section: Section, answers: Answers, seen: str, edited: Edited | None = None, *, spare: bool = False) -> str:
    faults = edited.faults if edited else ()
    theirs = edited.theirs if edited else None
    count = row_count(section, answers)
    fresh = spare or (count == 0 and bool(section.rows))
    shown = {**answers, **{f"{section.rows}-{count}-{name}": text for name, text in first_row(section).items()}} if fresh else answers
    fields = _fields(section, shown, count + fresh, faults, _options(file))
    return case_page(
        "case_edit.html", file=file, section=section, title=section_title(section.name), seen=seen, single=[one for one in fields if not one["row"]],
        rows=[(number, row_title(section.name, number + 1), [one for one in fields if one["row"] == number + 1]) for number in range(count + fresh)] if section.rows else [],
        add=add_words(section.name) if section.rows else "", faults=_told(section, faults, fields), theirs=None if theirs is None else _both(section, answers, theirs),
    )  # fmt: skip


def _fields(section: Section, answers: Answers, rows: int, faults: Sequence[Fault], options: Mapping[str, Sequence[tuple[str, str]]]) -> list[dict[str, Any]]:
    """The fields as the page shows them."""
    parts = {name: title.said(chosen_lang()) for name, title in office().catalog.letter("agenda").sections.items()}
    found = []
    for field, key in places(section, rows):
        text = answers.get(key, "")
        found.append({
            "key": key, "kind": field.kind, "name": field.name, "required": field.required, "text": text, "row": int(key.split("-")[1]) + 1 if field in section.row else 0,
            "label": label_of(section.name, field.name, parts), "hint": hint_of(section.name, field.name), "options": _with(options.get(field.name, ()), text),
            "faults": [fault_words(fault.message) for fault in faults if fault.field == key], "chosen": text.split("\n") if field.kind == "people" else (),
        })  # fmt: skip
    for first in [one for one in found if one["faults"]][:1]:
        first["focus"] = True
    return found


def _with(options: Sequence[tuple[str, str]], text: str) -> Sequence[tuple[str, str]]:
    """The options and, where something else stands there, that too."""
    return options if not options or not text or any(code == text for code, _ in options) else (*options, (text, text))


def _options(file: CaseFile | None) -> dict[str, Sequence[tuple[str, str]]]:
    """What can be chosen, by the field's name."""
    form, none = notes_form(), ("", "")
    zone = office().catalog.profile.zone
    return {
        "conference-type": choices(form, "conference_type"), "conference-zone": [(name, name) for name in dict.fromkeys((zone, *_ZONES))],
        "partner_system": [none, *choices(form, "partner_system", "team")], "mode": [none, *choices(form, "mode", "team")], "audience": audiences(),
        "lang": [("en", "English"), ("es", "Español")], "status": [none, *choices(form, "status", "next_steps")],
        "kind": [("share", gettext("share information")), ("distribute", gettext("distribute notes"))], "form": choices(form, "distribute_consent"),
        "recipients": [(EVERYBODY, gettext("The whole team")), *((member.name, member.name) for member in (file.case.team if file else ()))],
    }  # fmt: skip


def _told(section: Section, faults: Sequence[Fault], fields: Sequence[Mapping[str, Any]]) -> list[tuple[str, str]]:
    """A line for each thing that is wrong, with the field it is at."""
    labels = {one["key"]: f"{row_title(section.name, one['row'])}, {one['label']}" if one["row"] else one["label"] for one in fields}
    if section.name == "team" and any(fault.field == "" for fault in faults):
        return [("", gettext("A team has at least one member."))]
    return [(fault.field, f"{labels[fault.field]}: {fault_words(fault.message)}" if fault.field else fault_words(fault.message)) for fault in faults]


def _both(section: Section, mine: Answers, theirs: Answers) -> list[tuple[str, str, str]]:
    """What differs: where, mine, theirs."""
    parts = {name: title.said(chosen_lang()) for name, title in office().catalog.letter("agenda").sections.items()}
    options = _options(None)

    def words(field: Field, text: str) -> str:
        return str(dict(options.get(field.name, ())).get(text, text))

    return [(_where(section, field, key, parts), words(field, one), words(field, other)) for field, key, one, other in differences(section, mine, theirs)]


def _where(section: Section, field: Field, key: str, parts: Mapping[str, str]) -> str:
    label = label_of(section.name, field.name, parts)
    return f"{row_title(section.name, int(key.split('-')[1]) + 1)}, {label}" if field in section.row else label


# ---------------------------------------------------------------- a new one


@page(pages, "/cases/new", "cases")
def new() -> ResponseReturnValue:
    """What a case begins with."""
    profile = office().catalog.profile
    known = {"coordinator-name": me().shown, "coordinator-organisation": profile.agency.said(chosen_lang()), "conference-minutes": "90", "conference-zone": profile.zone}
    return _new(known)


def _new(answers: Answers, faults: Sequence[Fault] = ()) -> str:
    fields = _fields(NEW, answers, 0, faults, _options(None))
    return case_page("case_new.html", fields={one["key"]: one for one in fields}, faults=_told(NEW, faults, fields))


@page(pages, "/cases/new", "cases", methods=("POST",))
def create() -> ResponseReturnValue:
    """Begin a case; it belongs to whoever begins it."""
    answers = _sent(NEW)
    data, number = new_data(answers, gettext("Parent or guardian")), answers.get("number", "")
    faults = [fault for fault in faults_of(NEW, data, 0) if fault.field]
    faults += [Fault(field=field.name, message="Missing data for required field") for field in NEW.fields if field.required and field.name not in answers and field.name in ("number", "guardian")]
    if faults:
        return _new(answers, faults), 422
    try:
        create_case(office(), me().id, number, data)
    except Refused as refused:
        if not refused.code.startswith("case-"):
            tell(refused)
            return _new(answers), 422
        return _new(answers, [Fault(field="number", message=_words(refused))]), 422
    done(gettext("The case is begun. Add the team and the consents next."))
    return redirect(url_for("cases.show", number=number))


def _words(refused: Refused) -> str:
    """A refusal without its place: the field is the place."""
    return refused.message.removeprefix(f"{refused.place}: ")
