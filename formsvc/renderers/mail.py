"""E-mail drafts and calendar entries: what a letter is in a mailbox and in a calendar."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from email.message import EmailMessage
from email.policy import SMTP
from typing import Final

from icalendar import Alarm, Calendar, Event, vCalAddress, vText

_ALARM: Final = timedelta(days=-1)
_TYPES: Final = {
    ".pdf": ("application", "pdf"),
    ".docx": ("application", "vnd.openxmlformats-officedocument.wordprocessingml.document"),
    ".ics": ("text", "calendar"),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Attachment:
    """A file that goes with a mail; its name carries no personal data."""

    name: str
    content: bytes


def draft(*, subject: str, text: str, html: str, sender: str, recipient: str, attachments: tuple[Attachment, ...] = ()) -> bytes:
    """A mail as a draft: plain and HTML part, attachments; opens for sending, not as received (X-Unsent)."""
    message = EmailMessage(policy=SMTP)
    message["Subject"] = " ".join(subject.split())
    if sender:
        message["From"] = sender
    if recipient:
        message["To"] = recipient
    message["X-Unsent"] = "1"
    message.set_content(text, cte="quoted-printable")
    message.add_alternative(html, subtype="html", cte="quoted-printable")
    for attachment in attachments:
        _attach(message, attachment)
    return message.as_bytes()


def _attach(message: EmailMessage, attachment: Attachment) -> None:
    kind, subtype = _TYPES.get(attachment.name[attachment.name.rfind(".") :], ("application", "octet-stream"))
    if kind == "text":
        message.add_attachment(attachment.content.decode("utf-8"), subtype=subtype, filename=attachment.name, cte="quoted-printable", params={"method": _method(attachment.content)})
    else:
        message.add_attachment(attachment.content, maintype=kind, subtype=subtype, filename=attachment.name)


def _method(entry: bytes) -> str:
    """What a calendar entry asks for; the mail's part must say the same (RFC 6047)."""
    return "REQUEST" if b"METHOD:REQUEST" in entry else "PUBLISH"


@dataclass(frozen=True, slots=True, kw_only=True)
class Meeting:
    """A conference as a calendar sees it: initials only, times with their zone."""

    uid: str
    summary: str
    description: str
    place: str
    begins: datetime
    ends: datetime
    organiser: tuple[str, str]
    """Name and e-mail address; the address may be empty."""
    attendees: tuple[tuple[str, str], ...]


def calendar_entry(meeting: Meeting, *, stamped: datetime) -> bytes:
    """A calendar entry with time zone, alarm a day before, organiser and attendees (RFC 5545, 5546)."""
    calendar = Calendar()
    calendar.add("prodid", "-//formsvc//case conferences//EN")
    calendar.add("version", "2.0")
    calendar.add("method", "REQUEST" if meeting.attendees else "PUBLISH")
    event = Event()
    event.add("uid", meeting.uid)
    event.add("dtstamp", stamped.astimezone(UTC))
    event.add("dtstart", meeting.begins)
    event.add("dtend", meeting.ends)
    event.add("summary", meeting.summary)
    event.add("description", meeting.description)
    event.add("location", meeting.place)
    event.add("class", "PRIVATE")
    event.add("status", "CONFIRMED")
    event.add("sequence", 0)
    if meeting.organiser[1]:
        event["organizer"] = _address(*meeting.organiser)
    for name, email in meeting.attendees:
        attendee = _address(name, email)
        attendee.params.update({"ROLE": vText("REQ-PARTICIPANT"), "PARTSTAT": vText("NEEDS-ACTION"), "RSVP": vText("TRUE")})
        event.add("attendee", attendee, encode=False)
    alarm = Alarm()
    alarm.add("action", "DISPLAY")
    alarm.add("description", meeting.summary)
    alarm.add("trigger", _ALARM)
    event.add_component(alarm)
    calendar.add_component(event)
    calendar.add_missing_timezones()
    return bytes(calendar.to_ical())


def _address(name: str, email: str) -> vCalAddress:
    address = vCalAddress(f"mailto:{email}")
    address.params["CN"] = vText(name)
    return address
