"""Letters that a program asks for: written, logged as a disclosure, handed over at once; a summary under a judged password or a new passphrase."""

from dataclasses import dataclass
from datetime import date

from formsvc.casework.case import Case, Member
from formsvc.casework.letters import LetterName
from formsvc.errors import Refused
from formsvc.letters import Face, LetterJob, find_member, open_case, write_letter
from formsvc.model.kinds import Lang
from formsvc.model.record import Problem
from formsvc.office.case_letters import judge_own
from formsvc.office.cases import case_data, disclose
from formsvc.office.office import Office
from formsvc.protection import new_passphrase


@dataclass(frozen=True, slots=True, kw_only=True)
class Sent:
    """A letter that left. Its name tells nobody's; the passphrase is not kept anywhere."""

    name: str
    content: bytes
    problems: tuple[Problem, ...]
    passphrase: str | None = None


def send_letter(office: Office, number: str, name: LetterName, face: Face, *, to: str | None, lang: Lang | None, day: date) -> Sent:
    """An invitation or agenda for one member of the team or for all."""
    return _sent(office, number, name, face, to=to, lang=lang, day=day, password=None)


def send_summary(office: Office, number: str, face: Face, *, to: str | None, lang: Lang | None, day: date, password: str | None) -> Sent:
    """A protected summary; refuses a password that would be guessed."""
    case = open_case(office.catalog, case_data(office, number))
    if not case.notes:
        raise Refused("notes-missing", "")
    if password is not None and (weak := judge_own(case, number, password)):
        raise Refused("password-guessable", "", reasons=" ".join(one.message for one in weak).rstrip("."))
    made = new_passphrase() if password is None else None
    sent = _sent(office, number, "summary", face, to=to, lang=lang, day=day, password=password or made)
    return Sent(name=sent.name, content=sent.content, problems=sent.problems, passphrase=made)


def _sent(office: Office, number: str, name: LetterName, face: Face, *, to: str | None, lang: Lang | None, day: date, password: str | None) -> Sent:
    case = open_case(office.catalog, case_data(office, number))
    member = find_member(case, to) if to else None
    job = LetterJob(name=name, face=face, case=case, lang=lang or (member.lang if member else "en"), today=day, recipient=member, password=password)
    written = write_letter(office.catalog, job)
    disclose(office.store, written.disclosure, number)
    return Sent(name=_name(case, job, member), content=written.content, problems=written.problems)


def _name(case: Case, job: LetterJob, member: Member | None) -> str:
    """A file's name: the letter, the day, which member of the team by number (R23)."""
    number = f"-{case.team.index(member) + 1:03d}" if member is not None else ""
    return f"{job.name}-{case.conference.date}{number}.{job.face}"
