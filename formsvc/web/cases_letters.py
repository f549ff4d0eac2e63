"""Invitations and agendas: looked at on the page, downloaded as PDF, Word, mail or calendar entry; every download is logged."""

from typing import Any, Final, get_args

from flask import redirect, request, url_for
from flask.typing import ResponseReturnValue

from formsvc.casework.case import Member
from formsvc.casework.consent import needed
from formsvc.casework.letters import LetterName
from formsvc.errors import Refused
from formsvc.letters import FACES, Face
from formsvc.office.case_letters import Outgoing, Wish, doubts_of, look_at, marked_member, member_mark, without_consent, write_all, write_one
from formsvc.office.case_work import CaseFile, received
from formsvc.office.seen import note_case_seen
from formsvc.renderers.letter_preview import safe_letter
from formsvc.web.access import missing, office, page
from formsvc.web.cases_open import case_page, known_lang, my_file, pages
from formsvc.web.guard import tell
from formsvc.web.month import attachment
from formsvc.web.words import chosen_lang, today

EVERYBODY: Final = "team"
"""In an address: the letter to the whole team."""
TYPES: Final = {
    "pdf": "application/pdf", "docx": "application/vnd.openxmlformats-officedocument.wordprocessingml.document", "eml": "message/rfc822", "ics": "text/calendar", "zip": "application/zip",
}  # fmt: skip
_LETTERS: Final[tuple[LetterName, ...]] = ("invitation", "agenda")
_ARCHIVED: Final[tuple[Face, ...]] = ("eml", "pdf", "docx")


def handed(file: Outgoing) -> ResponseReturnValue:
    """A file that leaves."""
    return attachment(file.content, file.name, TYPES[file.face])


@page(pages, "/case/<number>/letters", "cases")
def letters(number: str) -> ResponseReturnValue:
    """Whom letters can go to."""
    file = my_file(number)
    return case_page("case_letters.html", file=file, letters=[_letter(file, letter) for letter in _LETTERS], archived=_ARCHIVED, everybody=EVERYBODY)


def _letter(file: CaseFile, letter: LetterName) -> dict[str, Any]:
    """A letter with a line for each recipient: who, consent, when it went last."""
    doubts = [one for one in doubts_of(office(), file.case, Wish(letter=letter), today()) if one.severity == "warning"]
    left_out = without_consent(file.case, today(), notes=False)
    return {"name": letter, "doubts": doubts, "left_out": left_out, "lines": [_line(file, letter, member) for member in file.case.team]}


def _line(file: CaseFile, letter: str, member: Member) -> dict[str, Any]:
    return {"member": member, "mark": member_mark(office(), file.number, member), "lacks": bool(needed(member, file.case, today(), notes=False)), "went": received(file, member, letter)}


def _known(letter: str) -> LetterName:
    return next((known for known in _LETTERS if known == letter), None) or missing()


def _recipient(file: CaseFile, to: str) -> Member | None:
    """The member of a mark, or None for the whole team; not found if they are not on it any more."""
    member = None if to == EVERYBODY else marked_member(office(), file.number, file.case, to)
    if member is None and to != EVERYBODY:
        missing()
    return member


@page(pages, "/case/<number>/letters/<letter>/<to>", "cases")
def preview(number: str, letter: str, to: str) -> ResponseReturnValue:
    """A letter as it would go, and what stands against it."""
    file = my_file(number)
    note_case_seen(office(), number, "letter")
    member = _recipient(file, to)
    lang = known_lang(request.args.get("lang")) or (member.lang if member else chosen_lang())
    wish = Wish(letter=_known(letter), recipient=member, lang=lang)
    found = doubts_of(office(), file.case, wish, today())
    text = safe_letter(look_at(office(), file.case, wish, today()))
    return case_page("case_letter.html", file=file, letter=letter, member=member, to=to, language=lang, text=text, problems=found, refused=any(one.severity == "error" for one in found), faces=FACES)


@page(pages, "/case/<number>/letters/<letter>/<to>", "cases", methods=("POST",))
def download(number: str, letter: str, to: str) -> ResponseReturnValue:
    """One letter as one kind of file."""
    file = my_file(number)
    face = next((face for face in get_args(Face) if face == request.form.get("face")), None) or missing()
    wish = Wish(letter=_known(letter), face=face, recipient=_recipient(file, to), lang=known_lang(request.form.get("lang")))
    try:
        return handed(write_one(office(), number, wish, today()))
    except Refused as refused:
        tell(refused)
        return redirect(url_for("cases.preview", number=number, letter=letter, to=to, lang=wish.lang))


@page(pages, "/case/<number>/letters/<letter>", "cases", methods=("POST",))
def download_all(number: str, letter: str) -> ResponseReturnValue:
    """A letter to each member it may go to, in one archive."""
    my_file(number)
    face = next((face for face in _ARCHIVED if face == request.form.get("face")), None) or missing()
    try:
        return handed(write_all(office(), number, Wish(letter=_known(letter), face=face), today()))
    except Refused as refused:
        tell(refused)
        return redirect(url_for("cases.letters", number=number))
