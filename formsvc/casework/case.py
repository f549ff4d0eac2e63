"""A case as structured data (CASE.json): who it is about, the team, consents, the conference, the notes.

The notes are the values of the form `conference-notes`, so that there is one rule book for them.
Loading checks everything and names every place that is wrong.
"""

import re
import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from functools import cache
from typing import Any, Final, Literal
from zoneinfo import ZoneInfo, available_timezones

from marshmallow import Schema, ValidationError, fields, post_load, validate, validates_schema

from formsvc.errors import Refused, word
from formsvc.model.kinds import LANGS, Lang
from formsvc.model.record import Values
from formsvc.model.values import MONTHS, forbidden_characters

Audience = Literal["professional", "guardian", "youth"]
AUDIENCES: Final[tuple[Audience, ...]] = ("professional", "guardian", "youth")
MODES: Final = ("in_person", "phone", "video", "sent_input", "regrets", "no_reply")
TYPES: Final = ("initial", "review", "closing")
_MINUTES: Final = 90  # R25: a conference usually takes an hour and a half
_MOST_MEMBERS: Final = 300
EVERYBODY: Final = "*"
_NAME_LEAST: Final = 3  # letters that tell a name


@dataclass(frozen=True, slots=True, kw_only=True)
class Client:
    """The child or youth; the full name stands only in protected files (R23)."""

    name: str
    initials: str = ""
    birth_date: str = ""
    school: str = ""
    known_as: tuple[str, ...] = ()
    """Other names the client goes by; as personal as the name."""

    def __post_init__(self) -> None:
        """Make the initials of the name where none are given."""
        if not self.initials.strip():
            object.__setattr__(self, "initials", initials_of(self.name))


@dataclass(frozen=True, slots=True, kw_only=True)
class Member:
    """One person of the team, the family included."""

    name: str
    role: str = ""
    organisation: str = ""
    partner_system: str = ""
    audience: Audience = "professional"
    address: tuple[str, ...] = ()
    email: str = ""
    lang: Lang = "en"
    mode: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Coordinator:
    """Who calls the conference."""

    name: str
    organisation: str = ""
    phone: str = ""
    email: str = ""
    address: tuple[str, ...] = ()
    """Where a reply slip can be sent to."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Consent:
    """One consent: to `share` information (R21, written) or to `distribute` notes (R22, written or verbal)."""

    kind: Literal["share", "distribute"]
    form: Literal["written", "verbal"]
    recipients: tuple[str, ...]
    """Names, roles or organisations; `*` for the whole team."""
    given_by: str
    given_on: str
    expires_on: str = ""
    revoked_on: str = ""
    taken_by: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Conference:
    """When and where; `line` is how to take part by phone, which is always offered (R24)."""

    number: int
    type: str
    date: str
    start: str
    place: str
    line: str
    zone: str
    minutes: int = _MINUTES
    reply_by: str = ""

    def begins(self) -> datetime:
        """The start, in the conference's own time zone."""
        return datetime.fromisoformat(f"{self.date}T{self.start}").replace(tzinfo=ZoneInfo(self.zone))

    def ends(self) -> datetime:
        """The end; minutes are counted on the clock of the world, not of the wall."""
        return (self.begins().astimezone(ZoneInfo("UTC")) + timedelta(minutes=self.minutes)).astimezone(ZoneInfo(self.zone))


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """A next step as agreed at an earlier conference."""

    action: str
    responsible: str
    due_date: str = ""
    status: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """Everything a letter or the notes of one conference need."""

    client: Client
    guardian: str
    coordinator: Coordinator
    conference: Conference
    team: tuple[Member, ...]
    consents: tuple[Consent, ...] = ()
    agenda_minutes: Mapping[str, int] = field(default_factory=dict)
    agenda_items: tuple[str, ...] = ()
    previous_steps: tuple[Step, ...] = ()
    notes: Values = field(default_factory=dict)

    def personal(self) -> tuple[str, ...]:
        """What must never stand in anything unprotected: names of the client and guardian, the birth date."""
        spelled = (self.client.name, self.guardian, *self.client.known_as, self.client.birth_date, *_spellings(self.client.birth_date))
        return tuple(text for text in spelled if text)


def initials_of(name: str) -> str:
    """The initials of a name, as they stand for a client outside protected files: N.F."""
    words = re.findall(r"[^\W\d_]+", unicodedata.normalize("NFC", name))
    return "".join(f"{word[0].upper()}." for word in words)


def _spellings(day: str) -> tuple[str, ...]:
    """A date as it is usually written."""
    if not day:
        return ()
    value = date.fromisoformat(day)
    months = [MONTHS[lang][value.month - 1] for lang in LANGS]
    written = [spelled for month in months for spelled in (f"{month} {value.day}, {value.year}", f"{value.day} de {month} de {value.year}", f"{value.day} {month} {value.year}")]
    numbers = (f"{value:%m/%d/%Y}", f"{value.month}/{value.day}/{value.year}", f"{value:%d/%m/%Y}", f"{value.day}/{value.month}/{value.year}", f"{value:%Y%m%d}")
    return (*numbers, *written)


# ---------------------------------------------------------------- loaded


def _printable(text: str) -> None:
    if bad := forbidden_characters(text):
        raise ValidationError(word("control-character", detail=bad))


def _line(text: str) -> None:
    _printable(text)
    if "\n" in text or "\r" in text:
        raise ValidationError(word("line-break"))


def _text(*, required: bool = False, most: int = 300) -> fields.String:
    least = 1 if required else 0
    return fields.String(required=required, validate=[validate.Length(min=least, max=most), _line])


def _day(*, required: bool = False) -> fields.Field[Any]:
    return fields.Date(required=required, allow_none=not required)


class _Plain(Schema):
    """Loads into a dataclass; dates and times become ISO text again, lists become tuples."""

    made: type[Any]

    @post_load
    def _make(self, data: dict[str, Any], **_more: Any) -> Any:
        return self.made(**{name: _plain(value) for name, value in data.items() if value is not None})


def _plain(value: Any) -> Any:
    if isinstance(value, list):
        return tuple(value)
    return value.isoformat() if isinstance(value, date) else value


def _mailable(address: str) -> None:
    if not address.isascii():  # a mail header carries other letters to few mailboxes only
        raise ValidationError(word("address-not-ascii"))


def _address() -> fields.Email:
    return fields.Email(validate=_mailable)


@cache
def _zones() -> frozenset[str]:
    return frozenset(available_timezones())  # looks through folders each time


def _known_zone(name: str) -> None:
    if name not in _zones():
        raise ValidationError(word("unknown-zone", name=name))


class _ClientSchema(_Plain):
    made = Client
    name = _text(required=True)
    initials = _text(most=20)
    birth_date = _day()
    school = _text()
    known_as = fields.List(_text(required=True), validate=validate.Length(max=8))

    @validates_schema
    def _has_initials(self, data: dict[str, Any], **_more: Any) -> None:
        """Initials stand for the client wherever the name may not: there are some, and they are not the name."""
        name, initials = data.get("name", ""), data.get("initials", "")
        if not initials.strip() and not initials_of(name):
            raise ValidationError(word("no-initials"), "initials")
        words = (part for part in re.split(r"\W+", name) if len(part) >= _NAME_LEAST)
        if any(part.casefold() in initials.casefold() for part in words):
            raise ValidationError(word("initials-tell-name"), "initials")


class _MemberSchema(_Plain):
    made = Member
    name = _text(required=True)
    role = _text()
    organisation = _text()
    partner_system = _text()
    audience = fields.String(validate=validate.OneOf(AUDIENCES))
    address = fields.List(_text(), validate=validate.Length(max=8))
    email = _address()
    lang = fields.String(validate=validate.OneOf(LANGS))
    mode = fields.String(validate=validate.OneOf(MODES))


class _CoordinatorSchema(_Plain):
    made = Coordinator
    name = _text(required=True)
    organisation = _text()
    phone = _text(most=60)
    email = _address()
    address = fields.List(_text(), validate=validate.Length(max=8))


class _ConsentSchema(_Plain):
    made = Consent
    kind = fields.String(required=True, validate=validate.OneOf(("share", "distribute")))
    form = fields.String(required=True, validate=validate.OneOf(("written", "verbal")))
    recipients = fields.List(_text(required=True), required=True, validate=validate.Length(min=1))
    given_by = _text(required=True)
    given_on = _day(required=True)
    expires_on = _day()
    revoked_on = _day()
    taken_by = _text()


class _ConferenceSchema(_Plain):
    made = Conference
    number = fields.Integer(required=True, strict=True, validate=validate.Range(1, 999))
    type = fields.String(required=True, validate=validate.OneOf(TYPES))
    date = _day(required=True)
    start = fields.String(required=True, validate=validate.Regexp(r"([01]\d|2[0-3]):[0-5]\d\Z"))
    minutes = fields.Integer(strict=True, validate=validate.Range(5, 480))
    place = _text(required=True)
    line = _text(required=True)
    zone = fields.String(required=True, validate=_known_zone)
    reply_by = _day()

    @validates_schema
    def _exists(self, data: dict[str, Any], **_more: Any) -> None:
        """The clock of a place jumps over an hour in spring; nobody can meet in it."""
        begins = datetime.combine(data["date"], time.fromisoformat(data["start"]))
        zone = ZoneInfo(data["zone"])
        if begins.replace(tzinfo=zone).astimezone(UTC).astimezone(zone).replace(tzinfo=None) != begins:
            raise ValidationError(word("time-skipped", time=data["start"], zone=data["zone"]), "start")


class _StepSchema(_Plain):
    made = Step
    action = _text(required=True, most=2000)
    responsible = _text(required=True)
    due_date = _day()
    status = _text()


class _CaseSchema(_Plain):
    made = Case
    client = fields.Nested(_ClientSchema, required=True)
    guardian = _text()
    coordinator = fields.Nested(_CoordinatorSchema, required=True)
    conference = fields.Nested(_ConferenceSchema, required=True)
    team = fields.List(fields.Nested(_MemberSchema), required=True, validate=validate.Length(min=1, max=_MOST_MEMBERS))
    consents = fields.List(fields.Nested(_ConsentSchema))
    agenda_minutes = fields.Dict(keys=fields.String(), values=fields.Integer(strict=True, validate=validate.Range(0, 480)))
    agenda_items = fields.List(_text(most=500))
    previous_steps = fields.List(fields.Nested(_StepSchema))
    notes = fields.Dict(keys=fields.String())


def load_case(data: Mapping[str, Any]) -> Case:
    """A case; refuses with every place that is wrong. `notes` are checked by their form's schema, elsewhere."""
    try:
        case: Case = _CaseSchema().load({"guardian": "", **data})
    except ValidationError as invalid:
        found = list(_places(invalid.messages))
        raise Refused("values-invalid", found[0][0], detail="; ".join([found[0][1], *(f"{place}: {text}" for place, text in found[1:])])) from invalid
    return case


def case_faults(data: Mapping[str, Any]) -> Sequence[tuple[str, str]]:
    """Every place of a case that is wrong, such as `team-2-email`, with what is wrong there; none where `load_case` would take it."""
    return _places(_CaseSchema().validate({"guardian": "", **data}))


def _places(messages: object, *above: str) -> Sequence[tuple[str, str]]:
    if isinstance(messages, Mapping):
        return [found for name, below in messages.items() for found in _places(below, *above, str(name))]
    return [("-".join(above), str(text).rstrip(".")) for text in messages] if isinstance(messages, list) else []
