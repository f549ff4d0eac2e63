"""A coordinator's cases: whose they are, what comes next in each, what left about it, one conference after the other.

A case is about one conference at a time. When the next one is prepared, the case as it stood is kept beside it
under its number and the number of its conference, so that notes and letters of earlier ones stay.
"""

import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any, Final, Literal

from sqlalchemy import Connection, select, update

from formsvc.casework import conference_rules
from formsvc.casework.case import Case, Consent, Member, load_case
from formsvc.casework.consent import standing
from formsvc.errors import Refused
from formsvc.letters import open_case
from formsvc.model.people import Person
from formsvc.office.cases import check_number, find_case, write_case
from formsvc.office.office import Office
from formsvc.store.people import cases_of, give_case, people_of_case, read_people
from formsvc.store.schema import cases, logs
from formsvc.store.schema_people import drafts

Next = Literal["invite", "agenda", "wait", "notes", "summary", "next", "kept", "closed"]
"""What a coordinator does next: invite, send the agenda, wait for the day, write the notes, hand the summary out, prepare the next conference; nothing, because the next one was begun or because this one was the last."""
SOON: Final = 30
"""So many days before a consent ends it is told."""
_EARLIER: Final = re.compile(r"(?P<base>.+)-conference-(?P<number>\d{1,3})")
_ACTION: Final = 2000  # what an earlier step holds of an action


@dataclass(frozen=True, slots=True, kw_only=True)
class Left:
    """Something that left about a case."""

    at: str
    by: str
    document: str
    """The letter's name and kind: `summary.pdf`."""
    recipients: tuple[str, ...]
    purpose: str
    protected: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Following:
    """When the next conference may be (R32), and the day that the notes set for it."""

    least: date
    most: date
    day: date | None

    @property
    def fits(self) -> bool:
        """Whether the day is four to six weeks after the conference."""
        return self.day is not None and self.least <= self.day <= self.most


@dataclass(frozen=True, slots=True, kw_only=True)
class CaseFile:
    """A case with what belongs to it."""

    number: str
    case: Case
    data: Mapping[str, Any]
    next: Next
    left: tuple[Left, ...]
    """The newest first."""
    following: Following
    draft_at: str = ""
    """When this person kept a draft of its notes."""
    earlier: tuple[str, ...] = ()
    """The numbers under which earlier conferences are kept, the latest first."""

    @property
    def begins(self) -> date:
        """The day for which its conference is set."""
        return date.fromisoformat(self.case.conference.date)

    @property
    def base(self) -> str:
        """The number of the case whose earlier conference this is; else its own."""
        return base_of(self.number)

    def ending(self, day: date) -> tuple[Consent, ...]:
        """The consents that ended, or end soon or before the conference, and that nobody took back."""
        return tuple(consent for consent in self.case.consents if _ends(self.case, consent, day) and not consent.revoked_on)


def _ends(case: Case, consent: Consent, day: date) -> bool:
    """Whether a consent ended, ends soon, or would not cover the conference."""
    return bool(consent.expires_on) and (consent.expires_on <= (day + timedelta(days=SOON)).isoformat() or consent.expires_on < case.conference.date)


# ---------------------------------------------------------------- mine


def my_files(office: Office, person: int, day: date) -> tuple[CaseFile, ...]:
    """A person's cases, those whose conference comes next first; earlier conferences stand within them."""
    with office.store.reading() as connection:
        numbers = cases_of(connection, person)
        mine = [number for number in numbers if base_of(number) == number or base_of(number) not in numbers]
        rows = connection.execute(select(cases).where(cases.c.name.in_(mine))).all()
        shelf = _shelf(connection, person, numbers, numbers)
    files = [_file(shelf, row.name, row.id, row.data, load_case(row.data), day) for row in rows]
    return tuple(sorted(files, key=lambda file: (file.next in ("closed", "kept"), file.case.conference.date, file.number)))


def open_file(office: Office, person: int, number: str, day: date) -> CaseFile:
    """One case of a person's."""
    with office.store.reading() as connection:
        key, data = find_case(connection, number)
        numbers = cases_of(connection, person)
        shelf = _shelf(connection, person, numbers, [one for one in {number, *numbers} if base_of(one) == base_of(number)])
    return _file(shelf, number, key, data, open_case(office.catalog, data), day)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Shelf:
    """What stands beside a person's cases: what left about each, and the drafts of their notes."""

    numbers: Collection[str]
    left: Mapping[str, Sequence[Left]]
    """By case, all its conferences together, the newest first."""
    drafts: Mapping[int, str]


def _shelf(connection: Connection, person: int, numbers: Collection[str], told_of: Collection[str]) -> _Shelf:
    rows = connection.execute(select(logs).where(logs.c.log == "disclosure", logs.c.subject.in_([f"case:{one}" for one in told_of])).order_by(logs.c.number.desc()))
    left: dict[str, list[Left]] = {}
    for row in rows:
        if row.event == "disclosed":
            left.setdefault(base_of(row.subject.partition(":")[2]), []).append(_told(row.at, row.by, row.facts))
    kept = connection.execute(select(drafts.c.case_id, drafts.c.at).where(drafts.c.person_id == person, drafts.c.case_id.is_not(None)))
    return _Shelf(numbers=numbers, left=left, drafts={row.case_id: row.at for row in kept})


def _file(shelf: _Shelf, number: str, key: int, data: Mapping[str, Any], case: Case, day: date) -> CaseFile:
    left = tuple(shelf.left.get(base_of(number), ()))
    coming = next_of(case, day, left)
    return CaseFile(
        number=number, case=case, data=data, next="kept" if coming == "next" and base_of(number) != number else coming, left=left, following=following(case), draft_at=shelf.drafts.get(key, ""),
        earlier=tuple(sorted((one for one in shelf.numbers if one != number and base_of(one) == number), key=_place, reverse=True)),
    )  # fmt: skip


def base_of(number: str) -> str:
    """The case that a number of an earlier conference belongs to; else the number itself."""
    found = _EARLIER.fullmatch(number)
    return found["base"] if found else number


def earlier_number(number: str, conference: int) -> str:
    """Under which number a case's earlier conference is kept."""
    return f"{base_of(number)}-conference-{conference}"


def _place(number: str) -> int:
    found = _EARLIER.fullmatch(number)
    return int(found["number"]) if found else 0


def _told(at: str, by: str, facts: Mapping[str, Any]) -> Left:
    return Left(at=at, by=by, document=str(facts.get("document", "")), recipients=tuple(facts.get("recipients", ())), purpose=str(facts.get("purpose", "")), protected=bool(facts.get("protected")))


# ---------------------------------------------------------------- what comes next


def purpose_of(case: Case) -> str:
    """What the log says a letter of this conference was for."""
    return f"case conference {case.conference.number} on {case.conference.date}"


def sent(case: Case, left: Sequence[Left]) -> frozenset[str]:
    """The letters of this conference that left; of another day, they have to go again."""
    return frozenset(one.document.partition(".")[0] for one in left if one.purpose == purpose_of(case))


def received(file: CaseFile, member: Member, letter: str) -> str:
    """When a letter of this conference left for a member last; empty if it never did."""
    told = f"{member.name}, {member.organisation}".rstrip(", ")
    return next((left.at for left in file.left if told in left.recipients and left.document.partition(".")[0] == letter and left.purpose == purpose_of(file.case)), "")


def next_of(case: Case, day: date, left: Sequence[Left]) -> Next:
    """What a coordinator does next (R24, R26, R31, R32)."""
    letters, days = sent(case, left), (date.fromisoformat(case.conference.date) - day).days
    if days > 0:
        return "invite" if "invitation" not in letters else "agenda" if days == 1 and "agenda" not in letters else "wait"
    if not case.notes:
        return "agenda" if days == 0 and "agenda" not in letters else "notes"
    if "summary" not in letters:
        return "summary"
    return "closed" if case.conference.type == "closing" else "next"


def held_on(case: Case) -> date:
    """The day of the conference: as the notes have it, else as it was set."""
    return date.fromisoformat(str(case.notes.get("conference_date") or case.conference.date))


def following(case: Case) -> Following:
    """When the next conference may be, and is (R32)."""
    held, day = held_on(case), str(case.notes.get("next_conference_date", ""))
    earliest, latest = (held + timedelta(days=days) for days in (conference_rules.NEXT_EARLIEST, conference_rules.NEXT_LATEST))
    return Following(least=earliest, most=latest, day=date.fromisoformat(day) if day else None)


def consents_of(case: Case, day: date) -> list[tuple[Consent, str]]:
    """Each consent with how it stands; `ending` is valid, but not for long."""
    found = [(consent, standing(consent, case.team, day)) for consent in case.consents]
    return [(consent, "ending" if how == "valid" and _ends(case, consent, day) else how) for consent, how in found]


# ---------------------------------------------------------------- begun


def create_case(office: Office, person: int, number: str, data: Mapping[str, Any]) -> Case:
    """A new case, which belongs to whoever makes it; refuses a number that is taken or tells the client's name."""
    check_number(number)
    if base_of(number) != number:  # kept for earlier conferences
        raise Refused("case-number", number)
    names = [part for part in re.split(r"\W+", str(data["client"].get("name", ""))) if len(part) > 2]  # noqa: PLR2004
    if any(part.casefold() in number.casefold() for part in names):
        raise Refused("case-number-tells", "")
    with office.store.writing() as connection:
        _check_free(connection, number)
        case = write_case(office, connection, number, data, new=True)
        give_case(connection, number, [person])
    return case


def _check_free(connection: Connection, number: str) -> None:
    if connection.execute(select(cases.c.id).where(cases.c.name == number)).first() is not None:
        raise Refused("case-exists", "")


def begin_next(office: Office, number: str) -> str:
    """Keep this conference as it stands and begin the next one from its notes; the number it is kept under now."""
    with office.store.writing() as connection:
        key, data = find_case(connection, number)
        case = open_case(office.catalog, data)
        if base_of(number) != number or not case.notes.get("next_conference_date"):
            raise Refused("conference-not-next", "")
        kept = earlier_number(number, case.conference.number)
        check_number(kept)
        _check_free(connection, kept)
        write_case(office, connection, kept, data, earlier_of=number)
        give_case(connection, kept, people_of_case(connection, number))
        connection.execute(update(drafts).where(drafts.c.case_id == key).values(case_id=find_case(connection, kept)[0]))
        write_case(office, connection, number, _after(case, data), conference=case.conference.number + 1)
    return kept


def _after(case: Case, data: Mapping[str, Any]) -> dict[str, Any]:
    """The case at its next conference: its day from the notes, their next steps as earlier ones, no notes yet."""
    notes = case.notes
    conference = {name: value for name, value in data["conference"].items() if name != "reply_by"} | {
        "number": case.conference.number + 1,
        "type": "review",
        "date": notes["next_conference_date"],
        "start": notes.get("next_conference_time") or case.conference.start,
        "place": notes.get("next_conference_place") or case.conference.place,
    }
    team = [{name: value for name, value in member.items() if name != "mode"} for member in data["team"]]
    steps = [_step(row) for _, row in conference_rules.rows(notes, "next_steps") if row.get("action")]
    return {**data, "conference": conference, "team": team, "previous_steps": steps, "agenda_items": [], "notes": {}}


def _step(row: Mapping[str, Any]) -> dict[str, str]:
    """A next step as an earlier one: one line, and whole in the notes it comes from."""
    action = " ".join(str(row["action"]).split())
    step = {"action": action if len(action) <= _ACTION else f"{action[: _ACTION - 1]}…", "responsible": str(row.get("responsible") or "—")}
    return step | {name: str(row[name]) for name in ("due_date", "status") if row.get(name)}


# ---------------------------------------------------------------- shared


def owners(office: Office, number: str) -> tuple[Person, ...]:
    """Whose case it is."""
    with office.store.reading() as connection:
        keys = people_of_case(connection, number)
        return tuple(person for person in read_people(connection) if person.id in keys)


def coordinators(office: Office) -> tuple[Person, ...]:
    """Everybody who may have a case."""
    with office.store.reading() as connection:
        return tuple(person for person in read_people(connection) if person.active and person.may("cases"))


def share_case(office: Office, me: int, number: str, person: int, *, instead: bool) -> None:
    """Let a case of mine belong to another coordinator too, or instead of me; with it go its earlier conferences."""
    if person not in {one.id for one in coordinators(office)}:
        raise Refused("case-person", "")
    _give(office, me, number, more={person}, fewer={me} - {person} if instead else set())


def leave_case(office: Office, me: int, number: str, person: int) -> None:
    """Take a case of mine away from somebody; refuses to leave it to nobody."""
    _give(office, me, number, more=set(), fewer={person})


def _give(office: Office, me: int, number: str, *, more: set[int], fewer: set[int]) -> None:
    with office.store.writing() as connection:
        for one in (name for name in cases_of(connection, me) if base_of(name) == base_of(number)):
            wanted = (set(people_of_case(connection, one)) | more) - fewer
            if not wanted:
                raise Refused("case-without-person", "")
            give_case(connection, one, wanted)
        office.store.log(connection, "case-given", f"case:{number}", to=sorted(more), not_to=sorted(fewer))
