"""Cases by initials, their letters, their protected summaries; whatever leaves here is logged as a disclosure (R40)."""

from base64 import b64encode
from collections.abc import Mapping
from typing import Any, Final

from flask.typing import ResponseReturnValue

from formsvc.letters import Face
from formsvc.office.case_work import my_files
from formsvc.office.program_letters import Sent, send_letter, send_summary
from formsvc.web.access import me, my_case, office
from formsvc.web.api import schemas
from formsvc.web.api.door import Told, endpoint
from formsvc.web.words import today

_KINDS: Final[Mapping[Face, str]] = {
    "docx": "application/vnd.openxmlformats-officedocument.wordprocessingml.document", "pdf": "application/pdf", "eml": "message/rfc822", "ics": "text/calendar",
}  # fmt: skip


@endpoint("GET", "/cases", "cases:read", "Cases", Told(answer=schemas.page_of(schemas.Case)))
def cases() -> ResponseReturnValue:
    """List your cases, by initials."""
    files = my_files(office(), me().id, today())
    items = [{"number": one.number, "initials": one.case.client.initials, "conference": one.case.conference.number, "conference_date": one.case.conference.date, "next": one.next} for one in files]
    return {"items": items, "next": None}


@endpoint("POST", "/cases/<case>/letters", "letters:write", "Cases", Told(answer=schemas.Letter, body=schemas.LetterWanted))
def letter(data: Mapping[str, Any], case: str) -> ResponseReturnValue:
    """Write an invitation or an agenda. Whom it goes to must have consented (R21)."""
    sent = send_letter(office(), my_case(case), data["letter"], data["face"], to=data["to"], lang=data["lang"], day=today())
    return _told(sent, data["face"])


@endpoint("POST", "/cases/<case>/summaries", "letters:write", "Cases", Told(answer=schemas.Summary, body=schemas.SummaryWanted))
def summary(data: Mapping[str, Any], case: str) -> ResponseReturnValue:
    """Write the summary of a conference under a password: yours, or a passphrase that is made and told once (R31)."""
    sent = send_summary(office(), my_case(case), data["face"], to=data["to"], lang=data["lang"], day=today(), password=data["password"])
    return {**_told(sent, data["face"]), "passphrase": sent.passphrase}


def _told(sent: Sent, face: Face) -> dict[str, Any]:
    return {"name": sent.name, "media_type": _KINDS[face], "content": b64encode(sent.content).decode("ascii"), "problems": sent.problems}
