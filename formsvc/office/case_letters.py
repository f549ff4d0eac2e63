"""Letters of a kept case on their way out: looked at, written, logged as disclosures, handed out; summaries under a password.

What cannot be logged does not leave. A protected summary waits in the vault for the person who made it, for a
short time and for one download; its password is never kept.
"""

import hmac
import io
import zipfile
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Any, Final

from formsvc.casework.case import Case, Member
from formsvc.casework.consent import needed
from formsvc.casework.letters import LetterName
from formsvc.errors import Refused
from formsvc.letters import FACES, Disclosure, Face, Letter, LetterJob, letter_page, look_ahead, open_case, write_letter
from formsvc.model.kinds import Lang
from formsvc.model.record import Problem
from formsvc.office.background import let_file_go, new_batch
from formsvc.office.cases import disclose, find_case, log_disclosure
from formsvc.office.office import Office
from formsvc.protection import Weakness, check_usable, judge_password
from formsvc.store.jobs import Job, add_job, end, forget_file, read_job, read_jobs
from formsvc.store.store import settle_file

SUMMARY: Final = "summary"
HANDED_OUT: Final = timedelta(minutes=15)
"""So long a protected summary waits to be downloaded."""
MOST_AT_ONCE: Final = 60
"""Letters of one archive; each takes about a fifth of a second."""
_UNPROTECTED: Final[tuple[LetterName, ...]] = ("invitation", "agenda")


@dataclass(frozen=True, slots=True, kw_only=True)
class Wish:
    """Which letter somebody wants. `recipient` is one member, None the whole team; `lang` by default the recipient's."""

    letter: LetterName
    face: Face = "pdf"
    recipient: Member | None = None
    members: tuple[Member, ...] = ()
    lang: Lang | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Outgoing:
    """A file that may leave: its disclosure is logged. Its name tells nobody's."""

    name: str
    content: bytes
    face: str


# ---------------------------------------------------------------- whom to


def member_mark(office: Office, number: str, member: Member) -> str:
    """How an address names a member without their name; somebody else in the same place has another mark."""
    told = repr((number, member.name, member.role, member.organisation))
    return hmac.digest(office.store.key, b"member:" + told.encode("utf-8", "surrogatepass"), "sha256").hex()[:12]


def marked_member(office: Office, number: str, case: Case, mark: str) -> Member | None:
    """The member of that mark, if there still is one."""
    return next((member for member in case.team if member_mark(office, number, member) == mark), None)


def without_consent(case: Case, day: date, *, notes: bool) -> tuple[Member, ...]:
    """The members whom nothing may go to: a consent is missing (R21, R22)."""
    return tuple(member for member in case.team if needed(member, case, day, notes=notes))


# ---------------------------------------------------------------- looked at


def doubts_of(office: Office, case: Case, wish: Wish, day: date) -> tuple[Problem, ...]:
    """What stands against a letter, and what a person should know before it goes."""
    return look_ahead(office.catalog, _job(case, wish, day))


def look_at(office: Office, case: Case, wish: Wish, day: date) -> str:
    """An unprotected letter as HTML; it goes nowhere."""
    return letter_page(office.catalog, _job(case, wish, day))


def _job(case: Case, wish: Wish, day: date, password: str | None = None) -> LetterJob:
    lang = wish.lang or (wish.recipient.lang if wish.recipient else "en")
    return LetterJob(name=wish.letter, face=wish.face, case=case, lang=lang, today=day, recipient=wish.recipient, members=wish.members, password=password)


# ---------------------------------------------------------------- written


def write_one(office: Office, number: str, wish: Wish, day: date) -> Outgoing:
    """One unprotected letter, logged as a disclosure."""
    case = _case(office, number)
    written = _written(office, case, wish, day)
    disclose(office.store, written.disclosure, number)
    return Outgoing(name=_name(case, wish), content=written.content, face=wish.face)


def write_all(office: Office, number: str, wish: Wish, day: date) -> Outgoing:
    """A letter to each member to whom it may go, in one archive, each logged as a disclosure."""
    case = _case(office, number)
    left_out = without_consent(case, day, notes=False)
    members = [member for member in case.team if member not in left_out]
    if not members:
        raise Refused("no-recipient", "")
    if len(members) > MOST_AT_ONCE:
        raise Refused("letters-too-many", "", count=len(members), most=MOST_AT_ONCE)
    wishes = [Wish(letter=wish.letter, face=wish.face, recipient=member) for member in members]
    written = [(_name(case, one), _written(office, case, one, day)) for one in wishes]
    for _, letter in written:
        disclose(office.store, letter.disclosure, number)
    return Outgoing(name=f"{wish.letter}-{case.conference.date}-{wish.face}.zip", content=_archive({name: letter.content for name, letter in written}), face="zip")


def _case(office: Office, number: str) -> Case:
    with office.store.reading() as connection:
        return open_case(office.catalog, find_case(connection, number)[1])


def _written(office: Office, case: Case, wish: Wish, day: date) -> Letter:
    if wish.letter not in _UNPROTECTED or wish.face not in FACES:
        raise Refused("no-such-face", wish.letter, face=wish.face)
    return write_letter(office.catalog, _job(case, wish, day))


def _name(case: Case, wish: Wish) -> str:
    """A file's name: the letter, the day, which member of the team by number (R23)."""
    number = f"-{case.team.index(wish.recipient) + 1:03d}" if wish.recipient in case.team else ""
    return f"{wish.letter}-{case.conference.date}{number}.{wish.face}"


def _archive(files: Mapping[str, bytes]) -> bytes:
    memory = io.BytesIO()
    with zipfile.ZipFile(memory, "w", zipfile.ZIP_STORED) as archive:
        for name, content in files.items():
            archive.writestr(zipfile.ZipInfo(name, date_time=(1980, 1, 1, 0, 0, 0)), content)
    return memory.getvalue()


# ---------------------------------------------------------------- protected


def judge_own(case: Case, number: str, password: str) -> tuple[Weakness, ...]:
    """What is weak about a password that somebody chose for a summary; refuses one that programs could not use."""
    check_usable(password)
    team = tuple(member.name for member in case.team)
    return judge_password(password, (*case.personal(), case.client.initials, *team, number, case.coordinator.name, case.coordinator.phone, case.conference.line))


def lock_summary(office: Office, person: int, number: str, wish: Wish, day: date, password: str, *, once: str) -> int:
    """A summary under a password, waiting in the vault for the person who made it; the number to fetch it by.

    `once` names the page that asked for it: the same page makes no second one.
    """
    _check_once(office, person, once)
    case = _case(office, number)
    if not case.notes:
        raise Refused("notes-missing", "")
    written = write_letter(office.catalog, _job(case, wish, day, password))
    _forget_stale(office, person)
    name = office.store.keep(written.content)
    told = {"state": "made", "once": once, "case": number, "name": _name(case, wish), "face": wish.face, "disclosure": asdict(written.disclosure) | {"recipients": list(written.disclosure.recipients)}}
    with office.store.writing() as connection:
        settle_file(connection, name)
        job = add_job(connection, SUMMARY, batch=new_batch(), person=person, facts={}, file=name)
        end(connection, job, "done", told)
        office.store.log(connection, "summary-locked", f"case:{number}", job=job, recipients=len(written.disclosure.recipients))
    return job


def _check_once(office: Office, person: int, once: str) -> None:
    if not once:
        raise Refused("page-too-old")
    with office.store.reading() as connection:
        if any(job.result.get("once") == once for job in read_jobs(connection, person=person, kind=SUMMARY)):
            raise Refused("summary-shown", "")


def hand_out(office: Office, person: int, number: str, job: int) -> Outgoing:
    """The protected summary, once and to whoever made it; logged for everybody it is for before it leaves."""
    made = _made(office, person, number, job)
    content = office.store.vault.get(str(made.file))
    with office.store.writing() as connection:
        name = forget_file(connection, job)
        if name is None:  # fetched a moment earlier
            raise Refused("download-gone", "")
        log_disclosure(office.store, connection, _disclosure(made.result["disclosure"]), number)
    office.store.vault.remove(name)
    return Outgoing(name=str(made.result["name"]), content=content, face=str(made.result["face"]))


def _made(office: Office, person: int, number: str, job: int) -> Job:
    """A summary that this person made and may still fetch."""
    with office.store.reading() as connection:
        found = read_job(connection, job)
    if found is None or found.kind != SUMMARY or found.person != person or found.result.get("case") != number:
        raise Refused("job-unknown", str(job))
    if found.file is None or found.at < _moment(HANDED_OUT):
        let_file_go(office, job)
        raise Refused("download-gone", "")
    return found


def _disclosure(told: Mapping[str, Any]) -> Disclosure:
    return Disclosure(**{**told, "recipients": tuple(told["recipients"]), "when": datetime.now(UTC).isoformat(timespec="seconds")})


def _moment(ago: timedelta) -> str:
    return (datetime.now(UTC) - ago).isoformat(timespec="seconds")


def _forget_stale(office: Office, person: int) -> None:
    """Summaries of this person that nobody fetched in time are removed."""
    with office.store.reading() as connection:
        stale: Sequence[int] = [job.id for job in read_jobs(connection, person=person, kind=SUMMARY) if job.file is not None and job.at < _moment(HANDED_OUT)]
    for job in stale:
        let_file_go(office, job)
