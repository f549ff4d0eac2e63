"""Letters as a person asks for them: one file of one kind, checked for consent, protected where it must be."""

import hashlib
import json
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime
from functools import cached_property, lru_cache
from html import unescape
from pathlib import Path
from typing import Any, Final, Literal, TypeVar

from formsvc import __version__
from formsvc.casework.case import Case, Member, load_case
from formsvc.casework.consent import FAMILY, refusals
from formsvc.casework.letters import PROTECTED, LetterName, agenda_context, base_context, doubts, invitation_context, summary_context
from formsvc.casework.masking import initialled
from formsvc.catalog import Catalog, LetterTemplate, Profile
from formsvc.errors import Refused
from formsvc.model.form import Form
from formsvc.model.kinds import Lang, Words
from formsvc.model.record import Problem
from formsvc.model.schema import load_values
from formsvc.model.values import plain
from formsvc.parsers.sandbox import Limits, run_limited
from formsvc.protection import lock
from formsvc.renderers.letter import Converted, convert, render_docx, render_html, with_sheet
from formsvc.renderers.mail import Attachment, Meeting, calendar_entry, draft
from formsvc.renderers.paginate import paginate_letter, warm_up
from formsvc.renderers.templating import TemplateEnvironment, fill_words
from formsvc.settings import samples_folder

T = TypeVar("T")
Face = Literal["docx", "pdf", "eml", "ics"]
FACES: Final[tuple[Face, ...]] = ("docx", "pdf", "eml", "ics")
_LIMITS: Final = Limits(memory_bytes=192 * 1024 * 1024, cpu_seconds=1, wall_seconds=1.3)  # the longest honest letter takes a tenth of a second
_TEAM: Final[Mapping[Lang, str]] = {"en": "Members of the case conference team", "es": "Integrantes del equipo de la reunión de caso"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Disclosure:
    """Who received what, why and when (R40, 45 CFR 1303.24(b)); goes into a log that is kept as long as the record."""

    when: str
    document: str
    """What left: the letter's name and kind."""
    about: str
    """The client by initials."""
    recipients: tuple[str, ...]
    purpose: str
    protected: bool
    digest: str
    """SHA-256 of the file that left."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Letter:
    """A letter ready to leave."""

    content: bytes
    problems: tuple[Problem, ...]
    disclosure: Disclosure


@dataclass(frozen=True, slots=True, kw_only=True)
class LetterJob:
    """What is asked for. `recipient` is one member of the team, or None for all of them (or for some: `members`)."""

    name: LetterName
    face: Face
    case: Case
    lang: Lang
    today: date
    recipient: Member | None = None
    password: str | None = None
    members: tuple[Member, ...] = ()


def open_case(catalog: Catalog, data: Mapping[str, Any]) -> Case:
    """A case with its notes in their one spelling; refuses with every place that is wrong."""
    case = load_case(data)
    sections = catalog.letter("agenda").sections
    if unknown := next((name for name in case.agenda_minutes if name not in sections), None):
        raise Refused("unknown-section", f"agenda_minutes-{unknown}", name=unknown, known=", ".join(sections))
    values, problems = load_values(catalog.form(catalog.latest("conference-notes")), case.notes)
    if problems:
        raise Refused("values-invalid", f"notes-{problems[0].field}", detail="; ".join(f"notes-{found.field}: {found.message}" for found in problems))
    return replace(case, notes=values)


def find_member(case: Case, name: str) -> Member:
    """A member of the team by name, or by number as people count."""
    if name.isdecimal() and 1 <= int(name) <= len(case.team):
        return case.team[int(name) - 1]
    found = next((member for member in case.team if plain(member.name) == plain(name)), None)
    if found is None:
        raise Refused("no-such-member", "", name=name, known=", ".join(f"{number} {member.role or member.organisation}" for number, member in enumerate(case.team, start=1)))
    return found


def sample_context(catalog: Catalog, name: LetterName) -> dict[str, Any]:
    """What a letter knows, with the sample case in it: for checking templates."""
    data = json.loads((samples_folder() / "cases" / "conference.json").read_text(encoding="utf-8"))
    case = open_case(catalog, data)
    job = LetterJob(name=name, face="docx", case=case, lang="en", today=date.fromisoformat(case.conference.date), recipient=case.team[0] if name == "invitation" else None)
    return _Writing(catalog, catalog.letter(name), job, case.team).context


def write_letter(catalog: Catalog, job: LetterJob) -> Letter:
    """The letter; refuses without consent for every recipient, and an unprotected summary."""
    return next(letter for _, letter in write_faces(catalog, job, (job.face,)))


def write_faces(catalog: Catalog, job: LetterJob, faces: Sequence[Face]) -> Iterator[tuple[Face, Letter]]:
    """One letter as several kinds of file, whatever `job.face` says; its pages are laid out once for all of them.

    Refuses like `write_letter`, also where no face is asked for.
    """
    template = catalog.letter(job.name)
    for face in faces:
        _check_way_out(template, replace(job, face=face))
    recipients = _recipients(job)
    refused = list(refusals(job.case, recipients, job.today, notes=template.protected))
    if refused:
        raise Refused("no-consent", job.name, detail="; ".join(found.message for found in refused))
    writing = _Writing(catalog, template, job, recipients)
    minutes = {key: int(value) for key, value in template.minutes.items()}
    problems = tuple(doubts(job.case, job.name, minutes=minutes, today=job.today))
    for face in faces:
        content = writing.face(face)
        yield face, Letter(content=content, problems=problems, disclosure=_disclosure(replace(job, face=face), template, recipients, content))


def look_ahead(catalog: Catalog, job: LetterJob) -> tuple[Problem, ...]:
    """What stands against a letter (errors, by recipient) and what a person should know before it goes (warnings); nothing is written."""
    template = catalog.letter(job.name)
    minutes = {key: int(value) for key, value in template.minutes.items()}
    return (*refusals(job.case, _recipients(job), job.today, notes=template.protected), *doubts(job.case, job.name, minutes=minutes, today=job.today))


def letter_page(catalog: Catalog, job: LetterJob) -> str:
    """An unprotected letter as HTML, for its writer to look at before it goes; refuses one that only exists protected (R31)."""
    template = catalog.letter(job.name)
    if template.protected or job.name in PROTECTED:
        raise Refused("protection-needed", job.name)
    return _Writing(catalog, template, job, _recipients(job)).page


def made_from(catalog: Catalog, job: LetterJob) -> str:
    """A digest of all that a letter's words come from, except the day it is written on."""
    template = catalog.letter(job.name)
    writing = _Writing(catalog, template, job, _recipients(job))
    words = {name: said for name, said in writing.context.items() if name != "today"}
    parts = (job.name, job.lang, job.recipient, words, writing.subject, job.case.coordinator, job.case.conference, replace(template, files={}), __version__)
    return hashlib.sha256(repr(parts).encode() + writing.file.read_bytes()).hexdigest()


def _recipients(job: LetterJob) -> list[Member]:
    return [job.recipient] if job.recipient else list(job.members or job.case.team)


def _check_way_out(template: LetterTemplate, job: LetterJob) -> None:
    """A summary never leaves unprotected (R31), whatever an agency's own letter.toml says; it has no calendar face."""
    if job.name in PROTECTED and not template.protected:
        raise Refused("definition-invalid", f"{job.name}/letter.toml", detail="“protected” is true for this letter (R31)")
    if template.protected and job.face == "ics":
        raise Refused("no-such-face", job.name, face=job.face)
    if template.protected and not job.password:
        raise Refused("protection-needed", job.name)


def _disclosure(job: LetterJob, template: LetterTemplate, recipients: Sequence[Member], content: bytes) -> Disclosure:
    return Disclosure(
        when=datetime.now(UTC).isoformat(timespec="seconds"),
        document=f"{job.name}.{job.face}",
        about=job.case.client.initials,
        recipients=tuple(f"{member.name}, {member.organisation}".rstrip(", ") for member in recipients),
        purpose=f"case conference {job.case.conference.number} on {job.case.conference.date}",
        protected=template.protected,
        digest=hashlib.sha256(content).hexdigest(),
    )


def _confidentiality(profile: Profile, job: LetterJob) -> Words:
    """The line at the foot: the family reads another than the people who work with it."""
    return profile.family_confidentiality if job.recipient and job.recipient.audience in FAMILY else profile.letter_confidentiality


class _Writing:
    """One letter being written; several faces of it share its text and its pages."""

    def __init__(self, catalog: Catalog, template: LetterTemplate, job: LetterJob, recipients: Sequence[Member]) -> None:
        self.template, self.job, self.recipients = template, job, recipients
        profile = catalog.profile
        notes = catalog.form(catalog.latest("conference-notes"))
        base = base_context(job.case, notes, lang=job.lang, today=job.today, agency=profile.agency.said(job.lang), confidentiality=_confidentiality(profile, job).said(job.lang))
        self.context = self._context(base, notes)
        self.file = template.files[job.lang]
        self.subject = self._words(template.subject.said(job.lang))

    def _context(self, base: Mapping[str, Any], notes: Form) -> dict[str, Any]:
        job = self.job
        if job.name == "invitation":
            everybody = Member(name=_TEAM[job.lang], audience="professional")
            return invitation_context(base, job.case, job.recipient or everybody)
        if job.name == "agenda":
            return agenda_context(base, job.case, notes, self.template.sections, self.template.minutes)
        return summary_context(base, job.case, notes, self.recipients)

    def _words(self, source: str) -> str:
        return fill_words(source, self.context, f"{self.job.name}/letter.toml")

    def face(self, face: Face) -> bytes:
        """The letter as one kind of file."""
        if face == "ics":
            return self._calendar()
        if face == "eml":
            return self._mail()
        content = self._docx() if face == "docx" else self._pdf
        return lock(content, self.job.password) if self.template.protected and self.job.password else content

    def _docx(self) -> bytes:
        return _limited(render_docx, self.file.read_bytes(), self.context, str(self.file), place=self.file)

    @property
    def page(self) -> str:
        """The letter as HTML."""
        return self._html

    @cached_property
    def _html(self) -> str:
        template = self.file.read_bytes()
        converted = _converted(template, self.file)
        return _limited(_html, template, converted, self.context, str(self.file), self.subject, self.job.lang, place=self.file)

    @cached_property
    def _pdf(self) -> bytes:
        html = self._html
        warm_up()  # here, once: what a limited process loads is gone with it
        seconds = 5 + len(html) // 20_000  # four times what honest text takes
        limits = Limits(memory_bytes=1024 * 1024 * 1024, cpu_seconds=seconds, wall_seconds=6 * seconds)
        return _limited(paginate_letter, html, place=self.file, limits=limits)

    def _mail(self) -> bytes:
        job, name = self.job, f"{self.job.name}-{self.job.case.conference.date}"
        sender = job.case.coordinator.email
        recipient = job.recipient.email if job.recipient else ""
        attachments = [Attachment(name=f"{name}.pdf", content=self.face("pdf"))]
        if self.template.protected:
            cover = self._words(self.template.cover.said(job.lang)) if self.template.cover else ""
            html = _cover_html(cover, job.lang, self.subject)
            return draft(subject=self.subject, text=cover, html=html, sender=sender, recipient=recipient, attachments=tuple(attachments))
        attachments.append(Attachment(name=f"{name}.ics", content=self._calendar()))
        return draft(subject=self.subject, text=_text_of(self._html), html=with_sheet(self._html), sender=sender, recipient=recipient, attachments=tuple(attachments))

    def _calendar(self) -> bytes:
        case, conference = self.job.case, self.job.case.conference
        meeting = Meeting(
            uid=f"{hashlib.sha256(f'{case.client.initials}{conference.number}{conference.date}{case.coordinator.email}'.encode()).hexdigest()[:24]}@formsvc",
            summary=self.subject,
            description=f"{initialled(conference.line, case)}\n{case.coordinator.name}, {case.coordinator.phone}".strip(", \n"),
            place=initialled(conference.place, case),
            begins=conference.begins(),
            ends=conference.ends(),
            organiser=(case.coordinator.name, case.coordinator.email),
            attendees=tuple((member.name, member.email) for member in self.recipients if member.email and member.audience == "professional"),
        )
        return calendar_entry(meeting, stamped=datetime.combine(self.job.today, datetime.min.time(), tzinfo=UTC))


def _limited(work: Callable[..., T], *arguments: Any, place: Path, limits: Limits = _LIMITS) -> T:
    """The result of work in a limited process; what stops it is said to whoever wrote the template."""
    try:
        return run_limited(work, *arguments, limits=limits)
    except Refused as refused:
        raise (Refused("letter-too-costly", str(place)) if refused.code == "too-costly" else refused.at(str(place))) from refused


@lru_cache(maxsize=32)
def _converted(template: bytes, place: Path) -> Converted:
    """A template as HTML, once for each content; a stranger's file is opened in the limited process only."""
    return _limited(convert, template, place=place)


def _html(template: bytes, converted: Converted, context: Mapping[str, Any], place: str, title: str, lang: Lang) -> str:
    return render_html(template, converted, context, place, title=title, lang=lang)


def _cover_html(cover: str, lang: Lang, title: str) -> str:
    source = '<!doctype html><html lang="{{ lang }}"><head><meta charset="utf-8"><title>{{ title }}</title></head><body>{% for line in lines %}<p>{{ line }}</p>{% endfor %}</body></html>'
    return TemplateEnvironment().from_string(source).render(lang=lang, title=title, lines=cover.split("\n\n"))


_PAGE_NUMBERS: Final = re.compile(r"<p\b[^>]*>(?:(?!</p>).)*<span class=\"page\">.*?</p>", re.DOTALL)
_BLOCK: Final = re.compile(r"</(?:p|h[1-6]|li|tr|div)>|<br\s*/?>")


def _text_of(page: str) -> str:
    """The words of a letter's HTML, a line for each paragraph and row."""
    body = _PAGE_NUMBERS.sub("", page[page.index("</head>") :])
    cells = re.sub(r"(?:</p>\s*)*</t[dh]>\s*<t[dh][^>]*>", " | ", body)
    text = re.sub(r"<[^>]+>", "", _BLOCK.sub("\n", cells))
    return re.sub(r"\n\s*\n+", "\n\n", unescape(text)).strip() + "\n"
