"""How a case's fields, consents, next steps and faults are called on pages."""

import re
from collections.abc import Callable, Mapping, Sequence
from typing import Final

from formsvc.casework.case import Case, Member
from formsvc.casework.consent import FAMILY
from formsvc.casework.letters import long_day
from formsvc.casework.masking import initialled
from formsvc.model.form import Form
from formsvc.model.kinds import Choice, Time
from formsvc.model.values import write_value
from formsvc.web.words import chosen_lang, gettext, said


def shown_name(member: Member, case: Case) -> str:
    """Whom a list names: the family by initials, others by name."""
    return initialled(member.name, case) if member.audience in FAMILY else member.name


def choices(form: Form, name: str, group: str = "") -> list[tuple[str, str]]:
    """The codes and words of a choice of the notes."""
    found = form.group(group) if group else None
    kind = next((ask.kind for ask in (found.asks if found else form.asks) if ask.name == name), None)
    return [(option.code, option.label.said(chosen_lang())) for option in kind.options] if isinstance(kind, Choice) else []


def chosen(form: Form, name: str, code: str, group: str = "") -> str:
    """The words of one code."""
    return dict(choices(form, name, group)).get(code, code)


def clock(time: str) -> str:
    """A time of day as people write it in this language."""
    return write_value(Time(), time, chosen_lang()).replace(" ", "\N{NO-BREAK SPACE}")


def audiences() -> list[tuple[str, str]]:
    """Which letter a member reads."""
    return [("professional", gettext("Professional or natural support")), ("guardian", gettext("Parent or guardian")), ("youth", gettext("The child or youth"))]


def letter_name(letter: str) -> str:
    """A letter as people call it."""
    return {"invitation": gettext("Invitation"), "agenda": gettext("Agenda"), "summary": gettext("Summary notes")}.get(letter, letter)


def face_name(face: str) -> str:
    """A kind of file as people call it."""
    return {"pdf": "PDF", "docx": "Word", "eml": gettext("E-mail draft"), "ics": gettext("Calendar"), "zip": "ZIP"}.get(face, face)


def purpose_words(purpose: str) -> str:
    """What a letter was for, as the log has it."""
    found = re.fullmatch(r"case conference (\d+) on (\d{4}-\d\d-\d\d)", purpose)
    return gettext("conference %(number)s, %(date)s", number=found[1], date=long_day(found[2], chosen_lang())) if found else purpose


def consent_kind(kind: str) -> str:
    """What a consent is for."""
    return {"share": gettext("Share information (R21)"), "distribute": gettext("Distribute notes (R22)")}.get(kind, kind)


def standing_words(code: str) -> str:
    """How a consent stands."""
    return {
        "valid": gettext("valid"), "ending": gettext("ends soon"), "expired": gettext("expired"), "revoked": gettext("revoked"), "later": gettext("not yet"),
        "not-written": gettext("must be written"), "not-taken": gettext("who took it is missing"), "nobody": gettext("missing recipient"),
    }.get(code, code)


def standing_state(code: str) -> str:
    """The colour of it."""
    return {"valid": "done", "ending": "due", "expired": "error", "revoked": "error", "later": "planned"}.get(code, "error")


def next_words(code: str) -> str:
    """What a coordinator does next."""
    return {
        "invite": gettext("Send the invitations."),
        "agenda": gettext("Send the agenda: it goes out the day before or on the day."),
        "wait": gettext("Nothing until the conference."),
        "notes": gettext("Write the notes of the conference."),
        "summary": gettext("Make the protected summary and hand it out."),
        "next": gettext("Prepare the next conference."),
        "kept": gettext("Nothing: the next conference has begun."),
        "closed": gettext("Nothing: this was the closing conference."),
    }[code]


def section_title(name: str) -> str:
    """A section as people call it."""
    return {
        "client": gettext("Client and family"), "coordinator": gettext("Coordinator"), "conference": gettext("Conference"), "team": gettext("Team"), "consents": gettext("Consents"),
        "agenda": gettext("Agenda"), "steps": gettext("Steps from earlier conferences"), "new": gettext("New case"),
    }[name]


def row_title(section: str, number: int) -> str:
    """A row's heading."""
    return {
        "team": gettext("Member %(number)d", number=number), "consents": gettext("Consent %(number)d", number=number), "steps": gettext("Step %(number)d", number=number),
    }[section]


def add_words(section: str) -> str:
    """What the button says that adds a row."""
    return {"team": gettext("Add a member"), "consents": gettext("Add a consent"), "steps": gettext("Add a step")}[section]


def label_of(section: str, name: str, parts: Mapping[str, str]) -> str:
    """What a field asks; the agenda's fields are its parts."""
    if name.startswith("agenda_minutes-"):
        return parts.get(name.partition("-")[2], name)
    return _labels().get(f"{section}.{name}") or _labels()[name]


def _labels() -> dict[str, str]:
    return {
        "number": gettext("File number"), "client-name": gettext("Full name"), "client-initials": gettext("Initials"), "client-birth_date": gettext("Date of birth"),
        "client-school": gettext("School"), "client-known_as": gettext("Other names"), "guardian": gettext("Parent or guardian"),
        "coordinator-name": gettext("Coordinator's name"), "coordinator-organisation": gettext("Organization"), "coordinator-phone": gettext("Phone"),
        "coordinator-email": gettext("E-mail"), "coordinator-address": gettext("Address for reply slips"),
        "conference-number": gettext("Conference number"), "conference-type": gettext("Type"), "conference-date": gettext("Date"), "conference-start": gettext("Start"),
        "conference-minutes": gettext("Minutes"), "conference-place": gettext("Place"), "conference-line": gettext("Phone line"), "conference-zone": gettext("Time zone"), "conference-reply_by": gettext("Reply by"),
        "team.name": gettext("Name"), "team.role": gettext("Role or relationship"), "team.organisation": gettext("Organization"), "team.partner_system": gettext("Partner system"),
        "team.audience": gettext("Reads the letter for"), "team.lang": gettext("Language"), "team.email": gettext("E-mail"), "team.mode": gettext("Takes part"), "team.address": gettext("Postal address"),
        "consents.kind": gettext("Consent to"), "consents.form": gettext("Given"), "consents.given_by": gettext("Given by"), "consents.given_on": gettext("Given on"), "consents.expires_on": gettext("Valid until"),
        "consents.revoked_on": gettext("Revoked on"), "consents.taken_by": gettext("Taken by"), "consents.recipients": gettext("Who may receive"),
        "steps.action": gettext("Action"), "steps.responsible": gettext("Person responsible"), "steps.due_date": gettext("Due date"), "steps.status": gettext("Status"),
        "agenda_items": gettext("Items to add"),
    }


def hint_of(section: str, name: str) -> str:
    """What helps to fill a field in; empty for most."""
    hints = {
        "number": gettext("The agency's number, such as 2026-014. It stands in addresses and logs: no names."),
        "client-name": gettext("Of the child or youth. It stands only in protected files and on your own pages."),
        "client-initials": gettext("Left empty, they are made from the name."),
        "client-known_as": gettext("One on each line. They are kept out of letters like the name."),
        "conference-place": gettext("Usually the child's school."),
        "new.conference-place": gettext("Left empty, it is the school."),
        "conference-line": gettext("Number and code: taking part by phone is always offered."),
        "conference-minutes": gettext("Usually 90."),
        "coordinator-address": gettext("One line of the address on each line."),
        "team.address": gettext("One line of the address on each line."),
        "consents.taken_by": gettext("Whoever took a verbal consent; without it, it does not count."),
        "consents.form": gettext("A consent to share information must be written."),
        "agenda_items": gettext("One on each line."),
    }
    return hints.get(f"{section}.{name}") or hints.get(name, "")


# ---------------------------------------------------------------- what is wrong

_PLAIN: Final[Mapping[str, Callable[[re.Match[str]], str]]] = {
    "Missing data for required field": lambda _found: gettext("Fill this in."),
    "Field may not be null": lambda _found: gettext("Fill this in."),
    "Shorter than minimum length 1": lambda _found: gettext("Fill this in."),
    r"Length must be between (\d+) and (\d+)": lambda found: gettext("Write at most %(most)s characters.", most=found[2]),
    r"Longer than maximum length (\d+)": lambda found: gettext("Write at most %(most)s.", most=found[1]),
    "Not a valid date": lambda _found: gettext("This is no day. Write it like 12/09/2026."),
    "Not a valid email address": lambda _found: gettext("This is no e-mail address."),
    "Not a valid integer": lambda _found: gettext("Write a whole number."),
    r"Must be greater than or equal to (\d+) and less than or equal to (\d+)": lambda found: gettext("Write a number from %(least)s to %(most)s.", least=found[1], most=found[2]),
    r"Must be one of: .*": lambda _found: gettext("Choose one."),
    "String does not match expected pattern": lambda _found: gettext("This is no time. Write it like 15:30."),
}


def fault_words(message: str) -> str:
    """What is wrong at a field, in plain words."""
    for pattern, words in _PLAIN.items():
        if found := re.fullmatch(pattern, message):
            return words(found)
    return said(message if message.endswith(".") else f"{message}.")


def weakness_words(codes: Sequence[str]) -> str:
    """Why a password would be guessed."""
    found = {
        "password-short": gettext("it is too short"), "password-common": gettext("it is made of words that everybody tries first"), "password-pattern": gettext("it is a run of keys or a repetition"),
        "password-personal": gettext("it has something of the people in this case in it"), "password-characters": gettext("it has characters that programs spell differently"),
    }
    return "; ".join(found.get(code, code) for code in codes)
