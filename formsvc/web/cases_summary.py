"""The protected summary: under a passphrase that is shown once, handed out once; who received what."""

import secrets
from typing import Any, Final

from flask import redirect, request, url_for
from flask.typing import ResponseReturnValue

from formsvc.casework.case import Case, Member
from formsvc.casework.consent import needed
from formsvc.casework.masking import initialled
from formsvc.errors import Refused
from formsvc.letters import Face
from formsvc.office.case_letters import HANDED_OUT, SUMMARY, Wish, doubts_of, hand_out, judge_own, lock_summary, marked_member, member_mark
from formsvc.office.case_work import CaseFile, received
from formsvc.protection import new_passphrase
from formsvc.web.access import me, my_case, office, page
from formsvc.web.cases_letters import handed
from formsvc.web.cases_open import case_page, known_lang, my_file, pages
from formsvc.web.cases_words import weakness_words
from formsvc.web.guard import tell
from formsvc.web.words import chosen_lang, gettext, said, today

_FACES: Final[tuple[Face, ...]] = ("pdf", "docx", "eml")


@page(pages, "/case/<number>/summary", "cases")
def summary(number: str) -> ResponseReturnValue:
    """Whom the summary is for, what stands against it, how it is protected."""
    file = my_file(number)
    return _page(file, {member_mark(office(), number, member) for member, lacks, _ in _lines(file) if not lacks})


def _page(file: CaseFile, chosen: set[str], faults: dict[str, str] | None = None, *, face: str = "pdf", lang: str = "", own: bool = False) -> str:
    doubts = [one for one in doubts_of(office(), file.case, Wish(letter=SUMMARY), today()) if one.severity == "warning"] if file.case.notes else []
    lines = [(member, member_mark(office(), file.number, member), lacks, went) for member, lacks, went in _lines(file)]
    return case_page(
        "case_summary.html", file=file, lines=lines, chosen=chosen, doubts=doubts, faults=faults or {}, faces=_FACES, face=face, language=lang or chosen_lang(), own=own,
        minutes=int(HANDED_OUT.total_seconds() // 60), once=secrets.token_urlsafe(12),
    )  # fmt: skip


def _lines(file: CaseFile) -> list[tuple[Member, list[str], str]]:
    """Each member with the consents that are missing and when they received the summary last: the distribution list."""
    return [(member, list(needed(member, file.case, today(), notes=True)), received(file, member, SUMMARY)) for member in file.case.team]


@page(pages, "/case/<number>/summary", "cases", methods=("POST",))
def protect(number: str) -> ResponseReturnValue:
    """Make the protected summary and show its passphrase, this once; the address and the logs know nothing of it."""
    file = my_file(number)
    marks, own = set(request.form.getlist("to")), request.form.get("way") == "own"
    face: Face = next((face for face in _FACES if face == request.form.get("face")), "pdf")
    lang = known_lang(request.form.get("lang")) or chosen_lang()
    shown: dict[str, Any] = {"face": face, "lang": lang, "own": own}
    try:
        members = _chosen(file, marks)
        password = request.form.get("password", "")[:1000] if own else new_passphrase()
        if own and (faults := _own_faults(file.case, number, password)):
            return _page(file, marks, faults, **shown), 422
        job = lock_summary(office(), me().id, number, Wish(letter=SUMMARY, face=face, members=members, lang=lang), today(), password, once=request.form.get("once", "")[:40])
    except Refused as refused:
        return _page(file, marks, {"": said(refused.message, refused.code)}, **shown), 422
    return case_page("case_protected.html", file=file, job=job, passphrase="" if own else password, members=members, face=face, minutes=int(HANDED_OUT.total_seconds() // 60))


def _chosen(file: CaseFile, marks: set[str]) -> tuple[Member, ...]:
    """The members of these marks; refuses when there is none, or when one left the team meanwhile."""
    found = [marked_member(office(), file.number, file.case, mark) for mark in sorted(marks)]
    members = tuple(member for member in file.case.team if member in found)
    if None in found:
        raise Refused("page-too-old")
    if not members:
        raise Refused("no-recipient", "")
    return members


def _own_faults(case: Case, number: str, password: str) -> dict[str, str]:
    """What is wrong with a password that somebody chose, by field."""
    if password != request.form.get("again", "")[:1000]:
        return {"again": said(Refused("passwords-differ").message, "passwords-differ")}
    try:
        weak = judge_own(case, number, password)
    except Refused as refused:
        return {"password": said(refused.message, refused.code)}
    return {"password": gettext("This password would be guessed: %(reasons)s. Take another one, or let a passphrase be made.", reasons=weakness_words([one.code for one in weak]))} if weak else {}


@page(pages, "/case/<number>/summary/<int:job>", "cases", methods=("POST",))
def fetch(number: str, job: int) -> ResponseReturnValue:
    """The protected file, once."""
    my_case(number)
    try:
        return handed(hand_out(office(), me().id, number, job))
    except Refused as refused:
        if refused.code == "job-unknown":
            raise
        tell(refused)
        return redirect(url_for("cases.summary", number=number))


@page(pages, "/case/<number>/log", "cases")
def log(number: str) -> ResponseReturnValue:
    """Everything that left about a case (R40), and its distribution list."""
    file = my_file(number)
    return case_page("case_log.html", file=file, lines=_lines(file), recipients=lambda left: [initialled(name, file.case) for name in left.recipients])
