"""What a letter says: the context of each letter from a case, and what a person should know before it goes.

Rule R23 holds by construction: the client's name, birth date and guardian enter only the context of
protected letters.
"""

from collections.abc import Iterator, Mapping, Sequence
from datetime import date
from typing import Any, Final, Literal

from formsvc.casework import conference_rules
from formsvc.casework.case import AUDIENCES, Case, Member
from formsvc.casework.masking import initialled, masked
from formsvc.model.form import Form
from formsvc.model.kinds import Choice, Choices, Day, Lang, LongText, Number, Text, Time, Words
from formsvc.model.record import Problem, Values, problem
from formsvc.model.values import MONTHS, plain, write_value

LetterName = Literal["invitation", "agenda", "summary"]
LETTERS: Final[tuple[LetterName, ...]] = ("invitation", "agenda", "summary")
PROTECTED: Final[tuple[LetterName, ...]] = ("summary",)
"""Letters that carry names and notes and leave under a password only (R31)."""
SECTIONS: Final = ("introductions", "safety", "medical", "school", "home")
_WEEKDAYS: Final[Mapping[Lang, tuple[str, ...]]] = {
    "en": ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday"),
    "es": ("lunes", "martes", "miércoles", "jueves", "viernes", "sábado", "domingo"),
}
_UNRECORDED: Final[Mapping[Lang, str]] = {"en": "Not recorded", "es": "No consta"}
_YES: Final[Mapping[Lang, str]] = {"en": "Yes", "es": "Sí"}
_AGREEMENTS: Final[Mapping[str, tuple[str, ...]]] = {
    "confidentiality_read": (),
    "summary_agreed": (),
    "share_consent": ("share_consent_date", "share_consent_expires"),
    "distribute_consent": ("distribute_consent_from", "distribute_consent_by", "distribute_consent_date"),
}
"""What the notes ask about confidentiality and consent, each with the answers that belong to it."""


def long_day(day: str, lang: Lang) -> str:
    """A day written out: November 17, 2026, or 17 de noviembre de 2026; empty stays empty."""
    if not day:
        return ""
    value = date.fromisoformat(day)
    month = MONTHS[lang][value.month - 1]
    return f"{value.day} de {month} de {value.year}" if lang == "es" else f"{month} {value.day}, {value.year}"


def _clock(time: str, lang: Lang) -> str:
    """A time as paper spells it, in one piece."""
    return write_value(Time(), time, lang).replace(" ", "\u00a0")


# ---------------------------------------------------------------- contexts


def base_context(case: Case, notes: Form, *, lang: Lang, today: date, agency: str, confidentiality: str) -> dict[str, Any]:
    """What every letter may say: initials, never names."""
    conference, coordinator = case.conference, case.coordinator
    ends = conference.ends()
    return {
        "lang": lang,
        "agency": agency,
        "confidentiality": confidentiality,
        "today": long_day(today.isoformat(), lang),
        "client": {"initials": case.client.initials, "school": case.client.school},
        "coordinator": {"name": coordinator.name, "organisation": coordinator.organisation, "phone": coordinator.phone, "email": coordinator.email, "address": list(coordinator.address)},
        "conference": {
            "number": str(conference.number),
            "type": _option(notes, "conference_type", conference.type, lang).lower(),
            "date": long_day(conference.date, lang),
            "weekday": _WEEKDAYS[lang][date.fromisoformat(conference.date).weekday()],
            "start": _clock(conference.start, lang),
            "end": _clock(f"{ends:%H:%M}", lang),
            "minutes": str(conference.minutes),
            "place": conference.place,
            "line": conference.line,
            "zone": conference.begins().tzname() or conference.zone,
            "reply_by": long_day(conference.reply_by, lang),
        },
    }


def invitation_context(base: Mapping[str, Any], case: Case, member: Member) -> dict[str, Any]:
    """An invitation to one member; the youth it is about stands there by initials too."""
    name = base["client"]["initials"] if member.audience == "youth" else member.name
    lines = member.address if member.audience in AUDIENCES[1:] else [initialled(line, case) for line in member.address]
    person = {"name": name, "role": initialled(member.role, case), "organisation": initialled(member.organisation, case), "address": list(lines)}
    return {**_unprotected(base, case), "audience": member.audience, "member": person}


def _unprotected(base: Mapping[str, Any], case: Case) -> dict[str, Any]:
    """What every letter may say, with the family's names taken out of what was typed freely."""
    conference = base["conference"]
    typed = {name: initialled(conference[name], case) for name in ("place", "line")}
    return {**base, "conference": {**conference, **typed}}


def agenda_context(base: Mapping[str, Any], case: Case, notes: Form, titles: Mapping[str, Words], minutes: Mapping[str, int]) -> dict[str, Any]:
    """The sections with their minutes, the items to add, the previous next steps."""
    lang: Lang = base["lang"]
    given = _minutes(case, minutes)
    steps = [{"action": masked(step.action, case), "responsible": initialled(step.responsible, case), "due_date": long_day(step.due_date, lang), "status": _option(notes, "status", step.status, lang, "next_steps")} for step in case.previous_steps]
    return {
        **_unprotected(base, case),
        "agenda": [{"title": titles[name].said(lang), "minutes": str(count)} for name, count in given.items()],
        "agenda_total": str(sum(given.values())),
        "agenda_items": [masked(item, case) for item in case.agenda_items],
        "previous_steps": steps,
    }


def _minutes(case: Case, usual: Mapping[str, int]) -> dict[str, int]:
    """Minutes of each section of the agenda: the case's own, else the usual ones."""
    return {name: case.agenda_minutes.get(name, count) for name, count in usual.items()}


def summary_context(base: Mapping[str, Any], case: Case, notes: Form, recipients: Sequence[Member]) -> dict[str, Any]:
    """Everything the notes hold; this context alone carries names, so the letter leaves protected only."""
    lang: Lang = base["lang"]
    values = case.notes
    client = {**base["client"], "name": case.client.name, "birth_date": long_day(case.client.birth_date, lang)}
    return {
        **base,
        "client": client,
        "guardian": case.guardian,
        "attendance": _attendance(case, values, notes, lang),
        "inputs": [{"name": row.get("name", ""), "received_on": long_day(str(row.get("received_on", "")), lang), "text": row.get("text", "")} for row in _rows(values, "input")],
        "views": {"child": values.get("child_view", ""), "family": values.get("family_view", "")},
        "sections": list(_sections(notes, values, lang)),
        "steps_by_member": list(_steps_by_member(case, values, notes, lang)),
        "next_conference": {
            "date": long_day(str(values.get("next_conference_date", "")), lang),
            "time": _clock(str(values["next_conference_time"]), lang) if "next_conference_time" in values else "",
            "place": values.get("next_conference_place", ""),
        },
        "distribution": [{"name": member.name, "organisation": member.organisation} for member in recipients],
        "confidentiality_read": bool(values.get("confidentiality_read")),
        "agreements": list(_agreements(notes, values, lang)),
        "sign_off": {"signature": values.get("coordinator_signature", ""), "signed_on": long_day(str(values.get("signed_on", "")), lang), "version": values.get("notes_version", "")},
        "corrections": [{"corrected_on": long_day(str(row.get("corrected_on", "")), lang), "correction": row.get("correction", ""), "corrected_by": row.get("corrected_by", "")} for row in _rows(values, "corrections")],
    }


def _rows(values: Values, name: str) -> list[dict[str, Any]]:
    rows = values.get(name)
    return [row for row in rows if isinstance(row, dict) and row] if isinstance(rows, list) else []


def _option(form: Form, name: str, code: str, lang: Lang, group: str = "") -> str:
    """The words of a code in one of the form's choices."""
    found = form.group(group) if group else None
    asks = found.asks if found else form.asks
    ask = next((ask for ask in asks if ask.name == name), None)
    return write_value(ask.kind, code, lang) if ask else code


def _attendance(case: Case, values: Values, notes: Form, lang: Lang) -> list[dict[str, Any]]:
    """Who took part in which way, in the order of the form's modes."""
    rows = _team(case, values)
    group = notes.group("team")
    kind = next((ask.kind for ask in group.asks if ask.name == "mode"), None) if group else None
    modes = [option.code for option in kind.options] if isinstance(kind, Choice) else []
    if not any(row.get("mode") for row in rows):
        return []  # nothing was recorded, which the letter says
    return [
        {"mode": _option(notes, "mode", mode, lang, "team") if mode else _UNRECORDED[lang], "members": [{key: row.get(key, "") for key in ("name", "role", "organisation")} for row in rows if row.get("mode", "") == mode]}
        for mode in (*modes, "")
        if any(row.get("mode", "") == mode for row in rows)
    ]


def _team(case: Case, values: Values) -> list[dict[str, Any]]:
    """The team as the notes list it, else as the case does."""
    listed = [{"name": member.name, "role": member.role, "organisation": member.organisation, "partner_system": member.partner_system, "mode": member.mode} for member in case.team]
    return _rows(values, "team") or listed


def _sections(notes: Form, values: Values, lang: Lang) -> Iterator[dict[str, Any]]:
    """The written sections of the notes, in the form's order, with the form's own labels."""
    asks = list(notes.asks)
    starts = {name: next((number for number, ask in enumerate(asks) if ask.name.startswith(f"{name}_")), len(asks)) for name in SECTIONS}
    ends = [*sorted(starts.values())[1:], next((number for number, ask in enumerate(asks) if ask.name.startswith("next_conference")), len(asks))]
    for name, end in zip(SECTIONS, ends, strict=True):
        first = [ask for ask in asks if ask.name == "family_absent_reason"] if name == SECTIONS[0] else []
        parts = [{"label": ask.label.said(lang), "text": text} for ask in [*first, *asks[starts[name] : end]] if (text := _said(ask.kind, values.get(ask.name), lang))]
        if name == "home" and (services := _services(values)):
            parts.append({"label": notes.texts["services"].said(lang), "text": services})
        if parts:
            yield {"title": notes.texts[name].said(lang), "parts": parts}


def _services(values: Values) -> str:
    """The community services in place, a line for each."""
    lines = [(str(row.get("agency", "")), ", ".join(str(row[key]) for key in ("service", "how_long") if key in row)) for row in _rows(values, "services")]
    return "\n".join(": ".join(part for part in line if part) for line in lines)


def _agreements(notes: Form, values: Values, lang: Lang) -> Iterator[dict[str, str]]:
    """What the notes say of confidentiality and consent (R21, R22), with the form's own labels; what is not answered is told."""
    asks = {ask.name: ask for ask in notes.asks}
    for name, details in _AGREEMENTS.items():
        answer = _YES[lang] if values.get(name) is True else _said(asks[name].kind, values.get(name), lang)
        more = [f"{asks[detail].short.said(lang)[:1].lower()}{asks[detail].short.said(lang)[1:]} {_said(asks[detail].kind, values[detail], lang)}" for detail in details if detail in values]
        yield {"label": asks[name].label.said(lang), "text": "; ".join([answer or _UNRECORDED[lang], *more])}


def _said(kind: object, value: object, lang: Lang) -> str:
    """A value of the notes in words."""
    if value is None or value is False:
        return ""
    if isinstance(kind, Choices) and isinstance(value, list):
        return ", ".join(write_value(kind, code, lang) for code in value)
    if isinstance(kind, Day):
        return long_day(str(value), lang)
    if isinstance(kind, Text | LongText | Number | Choice):
        return write_value(kind, value, lang)
    return "✓" if value is True else str(value)


def _steps_by_member(case: Case, values: Values, notes: Form, lang: Lang) -> Iterator[dict[str, Any]]:
    """Next steps per team member (R30); people who are not on the team come last."""
    rows = _rows(values, "next_steps")
    spelled: dict[str, str] = {}
    for name in (*(member.name for member in case.team), *(str(row.get("responsible", "")) for row in rows)):
        spelled.setdefault(plain(name), name)
    for key, name in spelled.items():
        own = [row for row in rows if plain(str(row.get("responsible", ""))) == key]
        if own:
            steps = [{"action": row.get("action", ""), "due_date": long_day(str(row.get("due_date", "")), lang), "status": _option(notes, "status", str(row.get("status", "")), lang, "next_steps")} for row in own]
            yield {"name": name, "organisation": str(own[0].get("organisation", "")), "steps": steps}


# ---------------------------------------------------------------- doubts


def doubts(case: Case, letter: LetterName, *, minutes: Mapping[str, int], today: date) -> Iterator[Problem]:
    """What a coordinator should know before a letter goes (rules R24-R32); nothing is refused here."""
    if letter == "agenda":
        total = sum(_minutes(case, minutes).values())
        if total > case.conference.minutes:
            yield problem("agenda-too-long", "agenda_minutes", "warning", total=total, booked=case.conference.minutes)
        if not 0 <= (date.fromisoformat(case.conference.date) - today).days <= 1:
            yield problem("agenda-not-the-day-before", "conference", "warning")
    if letter == "invitation" and not any(member.audience in AUDIENCES[1:] for member in case.team):
        yield problem("family-not-invited", "team", "warning")
    if letter == "summary":
        yield from _summary_doubts(case)


def _summary_doubts(case: Case) -> Iterator[Problem]:
    """The rules of conference notes, as far as a summary shows them; the case knows day, type and team."""
    held, after = case.conference.date, str(case.notes.get("next_conference_date", ""))
    if case.conference.type != "closing":
        yield from conference_rules.next_conference(held, after, "notes-next_conference_date")
    team = {plain(member.name) for member in case.team}
    for number, row in conference_rules.rows(case.notes, "next_steps"):
        key = f"notes-next_steps-{number}"
        if conference_rules.is_due_late(row, held, after):
            yield problem("step-due-late", key, "warning")
        if not conference_rules.names_member(row, team):
            yield problem("step-without-member", key, "warning")
    if not case.notes.get("confidentiality_read"):
        yield problem("confidentiality-not-read", "notes-confidentiality_read", "warning")
    family = {plain(member.name) for member in case.team if member.audience in AUDIENCES[1:]}
    if not conference_rules.has_family(_team(case, case.notes), family) and not case.notes.get("family_absent_reason"):
        yield problem("family-absent-without-reason", "notes-family_absent_reason", "warning")
