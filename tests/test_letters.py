"""What letters say, and what a coordinator is told before they go.

1. An invitation speaks to its reader: professional, guardian or youth, in English or Spanish (R24, R28).
2. An agenda has minutes for each section, the items to add, and last time's next steps (R25, R26).
3. A summary holds everything the notes hold: nothing that was answered is left out (R30).
4. Doubts are told, not refused: R25, R26, R29, R30, R32.
5. What leaves is recorded: who, what, why, when, and exactly which file (R40).
"""

import hashlib
import io
from collections.abc import Mapping
from datetime import UTC, date, datetime, timedelta
from typing import Any

import docx
import pytest
from docx.oxml.ns import qn

from formsvc.casework.case import Case
from formsvc.casework.letters import LetterName, base_context, doubts, invitation_context, long_day, summary_context
from formsvc.errors import Refused
from formsvc.letters import find_member
from formsvc.model.kinds import Choices, Lang, LongText
from formsvc.protection import unlock
from tests.letter_cases import PASSWORD, TODAY, sample_case, shipped, write
from tests.small_forms import BY_NAME, SHIPPED

NOTES = BY_NAME["conference-notes"]


def text_of(docx_bytes: bytes) -> str:
    """Every paragraph of a Word file, a line each."""
    document = docx.Document(io.BytesIO(docx_bytes))
    return "\n".join("".join(piece.text or "" for piece in node.iter(qn("w:t"))) for node in document.element.body.iter(qn("w:p")))


def invitation(to: int | None, lang: Lang = "en") -> str:
    """The words of an invitation of the sample conference."""
    return text_of(shipped("invitation", "docx", lang, to).content)


def summary(case: Case | None = None, *, lang: Lang = "en", to: int | None = None) -> Mapping[str, Any]:
    """What a summary knows."""
    case = case or sample_case()
    base = base_context(case, NOTES, lang=lang, today=TODAY, agency="", confidentiality="")
    return summary_context(base, case, NOTES, case.team if to is None else [case.team[to]])


def told(name: LetterName, case: Case, today: date = TODAY) -> list[str]:
    """The codes of what a coordinator is told."""
    minutes = SHIPPED.letter(name).minutes
    return [found.code for found in doubts(case, name, minutes=minutes, today=today)]


# ---------------------------------------------------------------- invitations

READERS = {
    ("en", 0): ("What you think matters", "family’s written consent", "Hello N.F.,"),
    ("en", 1): ("You know N.F. best", "What to bring", "Dear Mara Fernwhistle,"),
    ("en", 3): ("What to bring", "You know N.F. best", "Dear Gideon Marshwood,"),
}


@pytest.mark.parametrize(("lang", "to"), READERS)
def test_an_invitation_speaks_to_its_reader(lang: Lang, to: int) -> None:
    """Each reader finds the words meant for them, and not those for others."""
    own, others, greeting = READERS[lang, to]
    text = invitation(to, lang)
    assert (own in text, others in text, greeting in text) == (True, False, True)


@pytest.mark.parametrize("lang", ["en", "es"])
def test_the_three_invitations_are_three_letters(lang: Lang) -> None:
    """Professional, guardian and youth get different letters in either language."""
    assert len({invitation(to, lang).replace(name, "") for to, name in ((0, "N.F."), (1, "Mara Fernwhistle"), (3, "Gideon Marshwood"))}) == 3


@pytest.mark.parametrize("to", [0, 1, 3, None])
@pytest.mark.parametrize("lang", ["en", "es"])
def test_every_invitation_says_when_where_and_how_to_phone(lang: Lang, to: int | None) -> None:
    """Date, time, length, place and the conference line stand in every invitation (R24)."""
    text = invitation(to, lang)
    wanted = ("December 9, 2026", "3:30\u00a0PM", "5:00\u00a0PM") if lang == "en" else ("9 de diciembre de 2026", "3:30\u00a0p.\u00a0m.", "5:00\u00a0p.\u00a0m.")
    assert [part for part in (*wanted, "Alderbank Elementary School, library meeting room", "303-555-0100, code 4829", "90", "N.F.") if part not in text] == []


@pytest.mark.parametrize(("lang", "day"), [("en", "December 4, 2026"), ("es", "4 de diciembre de 2026")])
@pytest.mark.parametrize("to", [0, 1, 3])
def test_every_invitation_asks_for_input_of_who_cannot_come(to: int, lang: Lang, day: str) -> None:
    """The reply slip asks for an update by the day to reply by (R28)."""
    assert invitation(to, lang).count(day) >= 2


def test_an_invitation_is_addressed() -> None:
    """Name, role, organisation and address of the reader stand in the letter; a youth's name does not."""
    text = invitation(3)
    assert [part for part in ("Gideon Marshwood", "Classroom teacher", "Alderbank Elementary School", "310 Alder Street") if part not in text] == []
    assert "Noah" not in invitation(0)


def test_without_a_reply_date_the_sentence_still_reads() -> None:
    """Where no day to reply by is given, no sentence ends in the air."""
    text = text_of(write("invitation", "docx", sample_case({"conference.reply_by": None}), to=3).content)
    assert " by ." not in text
    assert "None" not in text


@pytest.mark.parametrize(("lang", "words"), [("en", "By mail: 61 Rushbank Street, Willow Creek, CO 80999."), ("es", "Por correo postal: 61 Rushbank Street, Willow Creek, CO 80999.")])
@pytest.mark.parametrize("to", [0, 1, 3, None])
def test_a_reply_slip_can_be_mailed(to: int | None, lang: Lang, words: str) -> None:
    """The coordinator's address stands on the slip of every reader; without one the sentence ends before it."""
    assert words in invitation(to, lang)
    assert "By mail" not in text_of(write("invitation", "docx", sample_case({"coordinator.address": None}), to=3).content)


@pytest.mark.parametrize(("to", "line"), [(0, "family_confidentiality"), (1, "family_confidentiality"), (3, "letter_confidentiality"), (None, "letter_confidentiality")])
@pytest.mark.parametrize("lang", ["en", "es"])
def test_the_foot_of_a_letter_speaks_to_its_reader(to: int | None, line: str, lang: Lang) -> None:
    """No letter asks to be filed in a binder; the family reads a line of its own."""
    foot = docx.Document(io.BytesIO(shipped("invitation", "docx", lang, to).content)).sections[0].footer.paragraphs[0].text
    assert foot == getattr(SHIPPED.profile, line).said(lang)
    assert "binder" not in foot
    assert "carpeta" not in foot


def test_a_youth_stands_by_initials() -> None:
    """The name of the youth does not even enter what the invitation knows."""
    case = sample_case()
    base = base_context(case, NOTES, lang="en", today=TODAY, agency="", confidentiality="")
    assert invitation_context(base, case, case.team[0])["member"]["name"] == "N.F."
    assert "Noah" not in repr(invitation_context(base, case, case.team[0]))


@pytest.mark.parametrize(("day", "lang", "written"), [("2026-11-01", "en", "November 1, 2026"), ("2026-11-01", "es", "1 de noviembre de 2026"), ("", "es", "")])
def test_days_are_written_out(day: str, lang: Lang, written: str) -> None:
    """A day is written out in the letter's language; no day stays no day."""
    assert long_day(day, lang) == written


@pytest.mark.parametrize(("start", "shown"), [("00:05", "12:05\u00a0AM"), ("12:00", "12:00\u00a0PM"), ("09:30", "9:30\u00a0AM"), ("23:59", "11:59\u00a0PM")])
def test_times_are_told_by_the_twelve_hour_clock(start: str, shown: str) -> None:
    """Midnight and noon are twelve."""
    base = base_context(sample_case({"conference.start": start}), NOTES, lang="en", today=TODAY, agency="", confidentiality="")
    assert base["conference"]["start"] == shown


# ---------------------------------------------------------------- the agenda


@pytest.mark.parametrize("lang", ["en", "es"])
def test_an_agenda_has_sections_minutes_items_and_last_steps(lang: Lang) -> None:
    """Each section with its minutes, their sum, the items to add, and each earlier step with who and by when."""
    text = text_of(shipped("agenda", "docx", lang).content)
    titles = [words.said(lang) for words in SHIPPED.letter("agenda").sections.values()]
    wanted = [*titles, "Plan for the winter break", "A helper for the building club", "Find a respite worker for one evening a week.", "Gideon Marshwood", long_day("2026-11-20", lang)]
    assert [part for part in wanted if part not in text] == []
    lines = text.split("\n")
    assert [lines[lines.index(title) + 1] for title in titles] == ["10", "15", "10", "20", "15", "15", "5"]
    assert lines[lines.index("Total") + 1] == "90"


def test_minutes_of_the_case_win_over_the_usual_ones() -> None:
    """A case that plans one section keeps the usual minutes of the others."""
    case = sample_case({"agenda_minutes": {"school": 40}})
    lines = text_of(write("agenda", "docx", case).content).split("\n")
    assert lines[lines.index("Academic and school") + 1] == "40"
    assert lines[lines.index("Total") + 1] == "115"


@pytest.mark.parametrize(("school", "codes"), [(20, []), (21, ["agenda-too-long"])])
def test_a_sum_over_the_booked_time_is_told(school: int, codes: list[str]) -> None:
    """Ninety minutes in ninety are right; one more is told (R25)."""
    case = sample_case({"agenda_minutes.school": school})
    assert told("agenda", case) == codes


def test_minutes_of_a_section_that_is_not_there_are_refused() -> None:
    """A misspelt section would lose its minutes: it is refused, and the sections are named."""
    with pytest.raises(Refused) as refused:
        sample_case({"agenda_minutes": {"lunch": 40}})
    assert (refused.value.code, refused.value.place) == ("unknown-section", "agenda_minutes-lunch")
    assert "introductions, safety, medical" in refused.value.message


@pytest.mark.parametrize(("today", "codes"), [("2026-12-07", ["agenda-not-the-day-before"]), ("2026-12-08", []), ("2026-12-09", []), ("2026-12-10", ["agenda-not-the-day-before"])])
def test_an_agenda_goes_out_the_day_before_or_on_the_day(today: str, codes: list[str]) -> None:
    """Earlier and later is told (R26)."""
    assert told("agenda", sample_case(), date.fromisoformat(today)) == codes


def test_doubts_come_with_the_letter() -> None:
    """A letter that gives doubt is written all the same, and says what to look at."""
    letter = write("agenda", "docx", today=date(2026, 12, 1))
    assert [found.code for found in letter.problems] == ["agenda-not-the-day-before"]
    assert "R26" in letter.problems[0].message


def test_an_invitation_without_family_is_told() -> None:
    """A team without guardian and youth is told when inviting (R24)."""
    case = sample_case({"team": [{"name": "Rosa Vega", "role": "Teacher"}]})
    assert told("invitation", case) == ["family-not-invited"]
    assert told("invitation", sample_case()) == []


# ---------------------------------------------------------------- the summary


@pytest.mark.parametrize("lang", ["en", "es"])
def test_every_answered_question_of_the_notes_stands_in_the_summary(lang: Lang) -> None:
    """Each written answer of the notes, header and rows alike, stands in the Word file whole."""
    text = text_of(unlock(shipped("summary", "docx", lang).content, PASSWORD))
    notes = sample_case().notes
    rows = [row for value in notes.values() if isinstance(value, list) for row in value if isinstance(row, dict)]
    written = [notes[ask.name] for ask in NOTES.asks if isinstance(ask.kind, LongText) and ask.name in notes]
    written += [row[name] for row in rows for name in ("action", "text", "correction", "agency", "service", "name") if name in row]
    lines = [line for value in written for line in str(value).split("\n") if line]
    assert [line for line in lines if line not in text] == []


@pytest.mark.parametrize("ask", [ask for ask in NOTES.asks if isinstance(ask.kind, LongText | Choices)], ids=lambda ask: ask.name)
def test_any_single_answer_appears_under_its_label(ask: Any) -> None:
    """A summary of notes with one answer shows that answer, under the label of the form or as a view."""
    value: Any = [ask.kind.options[0].code] if isinstance(ask.kind, Choices) else "One answer."
    wanted = ask.kind.options[0].label.en if isinstance(ask.kind, Choices) else "One answer."
    found = summary(sample_case({"notes": {"initials": "N.F.", "conference_date": "2026-12-09", ask.name: value}}))
    parts = [(part["label"], part["text"]) for section in found["sections"] for part in section["parts"]]
    assert wanted in found["views"].values() or parts == [(ask.label.en, wanted)]


def test_the_reason_of_an_absent_family_stands_in_the_summary() -> None:
    """A conference without the family has its reason in the notes that go out (R29)."""
    case = sample_case({"notes.family_absent_reason": "The car broke down on the way."})
    assert "The car broke down on the way." in text_of(unlock(write("summary", "docx", case).content, PASSWORD))


@pytest.mark.parametrize(
    ("lang", "said"),
    [
        ("en", ("Yes", "Yes", "Yes; signed on September 15, 2026; valid until September 14, 2027", "Verbal; given by Mara Fernwhistle; taken by Ottoline Reedmace; taken on October 28, 2026")),
        ("es", ("Sí", "Sí", "Sí; firmado el 15 de septiembre de 2026; válido hasta 14 de septiembre de 2027", "Verbal; dado por Mara Fernwhistle; recibido por Ottoline Reedmace; recibido el 28 de octubre de 2026")),
    ],
)  # fmt: skip
def test_consents_stand_in_the_summary(lang: Lang, said: tuple[str, ...]) -> None:
    """Statement, agreement and both consents stand there under the form's labels, with who, how and when (R21, R22)."""
    labels = [ask.label.said(lang) for ask in NOTES.asks if ask.name in {"confidentiality_read", "summary_agreed", "share_consent", "distribute_consent"}]
    lines = text_of(unlock(shipped("summary", "docx", lang).content, PASSWORD)).split("\n")
    assert [lines[lines.index(label) + 1] for label in labels] == list(said)


@pytest.mark.parametrize(("lang", "words"), [("en", "Not recorded"), ("es", "No consta")])
def test_what_was_not_agreed_is_told(lang: Lang, words: str) -> None:
    """Consents that the notes do not record are not passed over."""
    agreements = summary(sample_case({"notes": {}}), lang=lang)["agreements"]
    assert [entry["text"] for entry in agreements] == [words] * 4


@pytest.mark.parametrize(("lang", "lines"), [("en", ["Signed on December 10, 2026: Ottoline Reedmace", "Version 2 of the notes"]), ("es", ["Firmado el 10 de diciembre de 2026: Ottoline Reedmace", "Versión 2 de las notas"])])
def test_a_summary_says_who_signed_which_version(lang: Lang, lines: list[str]) -> None:
    """Signature, day and version of the notes stand under the coordinator's name."""
    assert text_of(unlock(shipped("summary", "docx", lang).content, PASSWORD)).split("\n")[-2:] == lines


def test_an_unsigned_summary_says_so() -> None:
    """Notes without signature and day are told to be unsigned; a day alone is no signature of somebody else."""
    case = sample_case({"notes.coordinator_signature": None, "notes.signed_on": None, "notes.notes_version": None})
    assert text_of(unlock(write("summary", "docx", case).content, PASSWORD)).endswith("These notes are not signed yet.")
    case = sample_case({"notes.coordinator_signature": None, "notes.notes_version": None})
    assert text_of(unlock(write("summary", "docx", case).content, PASSWORD)).endswith("Signed on December 10, 2026")


@pytest.mark.parametrize("lang", ["en", "es"])
def test_services_stand_under_their_label(lang: Lang) -> None:
    """The community services are one part of the home section, a line for each, under the form's label."""
    (part,) = [part for section in summary(lang=lang)["sections"] for part in section["parts"] if part["label"] == NOTES.texts["services"].said(lang)]
    assert part["text"].split("\n") == ["Harbor Light Counseling: Child counseling, since September 2026", "Larchway Family Supports: Respite, 10 hours a month", "Willow Creek Pool: Swimming group, Thursdays until March"]


def test_attendance_is_grouped_by_mode() -> None:
    """Who took part stands under the way they took part, in the order of the form."""
    groups = {group["mode"]: [person["name"] for person in group["members"]] for group in summary()["attendance"]}
    assert list(groups) == ["In person", "Phone", "Video", "Sent input", "Regrets"]
    assert groups["Sent input"] == ["Rufus Tannerby"]
    assert sum(map(len, groups.values())) == 8


def test_without_notes_of_the_team_the_case_says_who_took_part() -> None:
    """Where the notes list nobody, the modes of the case's team count."""
    found = summary(sample_case({"notes.team": None}))
    assert {group["mode"]: len(group["members"]) for group in found["attendance"]} == {"In person": 4, "Phone": 1, "Video": 1, "Sent input": 1, "Regrets": 1}


def test_somebody_without_a_mode_is_not_lost() -> None:
    """A member of the notes whose way of taking part is not marked is listed all the same."""
    found = summary(sample_case({"notes.team.3.mode": None}))
    assert "Gideon Marshwood" in [person["name"] for group in found["attendance"] for person in group["members"]]


def test_input_of_absent_members_is_reported() -> None:
    """What was sent in stands there with who sent it and when (R28)."""
    first = summary()["inputs"][0]
    assert (first["name"], first["received_on"], first["text"][:30]) == ("Rufus Tannerby", "December 3, 2026", "The yearly check was fine. Ple")


def test_next_steps_stand_by_member() -> None:
    """Each member's steps stand together, in the order of the team; who is not on the team comes last (R30)."""
    case = sample_case({"notes.next_steps.0.responsible": "somebody else", "notes.next_steps.1.responsible": "delphine  OATFIELD"})
    found = {person["name"]: len(person["steps"]) for person in summary(case)["steps_by_member"]}
    assert list(found) == ["Noah Fernwhistle", "Mara Fernwhistle", "Delphine Oatfield", "Gideon Marshwood", "Dr. Ines Calloway-Reed", "Rufus Tannerby", "Saoirse Pennywell", "Consuelo Altamira", "somebody else"]
    assert sum(found.values()) == 10


def test_a_step_without_a_name_is_not_lost() -> None:
    """A step that names nobody stands in the summary too."""
    found = summary(sample_case({"notes.next_steps.0.responsible": None}))
    assert sum(len(person["steps"]) for person in found["steps_by_member"]) == 10


def test_two_spellings_of_one_name_are_one_member() -> None:
    """A step is listed once even where two rows spell its person differently."""
    case = sample_case({"notes.next_steps.0.responsible": "Outside Helper", "notes.next_steps.1.responsible": "outside helper"})
    assert sum(len(person["steps"]) for person in summary(case)["steps_by_member"]) == 10


def test_the_distribution_list_is_who_receives_it() -> None:
    """The whole team by default; the one recipient if it is written for one."""
    assert [person["name"] for person in summary()["distribution"]] == [member.name for member in sample_case().team]
    assert [person["name"] for person in summary(to=4)["distribution"]] == ["Dr. Ines Calloway-Reed"]


def test_an_empty_conference_still_makes_a_summary() -> None:
    """Notes that are not written yet make a summary that says what is missing."""
    case = sample_case({"conference.type": "initial", "guardian": "", "client.birth_date": None, "client.school": None, "notes": {}})
    text = text_of(unlock(write("summary", "docx", case).content, PASSWORD))
    assert [part for part in ("not recorded", "No next steps were recorded.", "No next conference was set.") if part not in text] == []


# ---------------------------------------------------------------- doubts about a summary


@pytest.mark.parametrize(("days", "codes"), [(27, ["next-conference-distance"]), (28, []), (35, []), (42, []), (43, ["next-conference-distance"])])
def test_the_next_conference_is_four_to_six_weeks_away(days: int, codes: list[str]) -> None:
    """28 to 42 days after this one, both included (R32)."""
    after = date(2026, 12, 9) + timedelta(days=days)
    case = sample_case({"notes.next_conference_date": after.isoformat(), "notes.next_steps": []})
    assert told("summary", case) == codes


def test_a_missing_next_conference_is_told() -> None:
    """A summary without the next conference says so (R32)."""
    assert told("summary", sample_case({"notes.next_conference_date": None})) == ["next-conference-missing"]


def test_after_a_closing_conference_none_follows() -> None:
    """A closing conference needs no next one."""
    assert told("summary", sample_case({"conference.type": "closing", "notes.next_conference_date": None})) == []


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"notes.next_steps.2.due_date": None}, "step-due-late"), ({"notes.next_steps.2.due_date": "2027-01-14"}, "step-due-late"), ({"notes.next_steps.2.due_date": "2027-01-13"}, "step-due-late"),
        ({"notes.next_steps.2.responsible": "the school"}, "step-without-member"), ({"notes.confidentiality_read": None}, "confidentiality-not-read"),
    ],
)  # fmt: skip
def test_steps_and_the_statement_are_looked_at(change: dict[str, Any], code: str) -> None:
    """A step without a date before the next conference, or without a member, and an unread statement are told (R30)."""
    case = sample_case(change)
    found = list(doubts(case, "summary", minutes={}, today=TODAY))
    assert [doubt.code for doubt in found] == [code]
    assert found[0].field == ("notes-confidentiality_read" if "confidentiality" in code else "notes-next_steps-2")


def test_a_conference_without_the_family_needs_a_reason() -> None:
    """Neither guardian nor youth took part: told, unless the reason is noted (R29)."""
    absent = {f"{place}.{number}.mode": "regrets" for place in ("team", "notes.team") for number in (0, 1)}
    assert told("summary", sample_case(absent)) == ["family-absent-without-reason"]
    assert told("summary", sample_case({**absent, "notes.family_absent_reason": "The family was ill."})) == []


def test_the_notes_say_whether_the_family_took_part() -> None:
    """The attendance in the notes counts, where the case itself does not say how somebody took part."""
    assert told("summary", sample_case({f"team.{number}.mode": None for number in range(8)})) == []


# ---------------------------------------------------------------- who gets what


@pytest.mark.parametrize(("name", "found"), [("1", "Noah Fernwhistle"), ("8", "Consuelo Altamira"), ("Gideon Marshwood", "Gideon Marshwood"), ("  gideon marshwood", "Gideon Marshwood")])
def test_a_member_is_found_by_number_or_name(name: str, found: str) -> None:
    """Members count from one; a name counts however it is spaced or capitalised."""
    assert find_member(sample_case(), name).name == found


@pytest.mark.parametrize("name", ["0", "9", "Marshwood", "", "²"])
def test_an_unknown_member_is_refused_without_names(name: str) -> None:
    """Nobody is guessed; the refusal lists the team by role."""
    with pytest.raises(Refused) as refused:
        find_member(sample_case(), name)
    assert refused.value.code == "no-such-member"
    assert "4 Classroom teacher" in refused.value.message
    assert "Gideon" not in refused.value.message


@pytest.mark.parametrize(
    ("name", "face", "to"),
    [("invitation", "docx", 3), ("invitation", "eml", 1), ("invitation", "ics", None), ("agenda", "pdf", None), ("summary", "docx", None), ("summary", "eml", 4)],
)
def test_each_letter_is_recorded_for_the_log(name: Any, face: Any, to: int | None) -> None:
    """Who, what, why, when and the digest of exactly this file (R40)."""
    before = datetime.now(UTC).replace(microsecond=0)
    letter = write(name, face, to=to)
    entry, team = letter.disclosure, sample_case().team
    assert before <= datetime.fromisoformat(entry.when) <= datetime.now(UTC)
    assert (entry.document, entry.about, entry.protected) == (f"{name}.{face}", "N.F.", name == "summary")
    assert entry.purpose == "case conference 2 on 2026-12-09"
    assert entry.digest == hashlib.sha256(letter.content).hexdigest()
    assert [recipient.split(",")[0] for recipient in entry.recipients] == [member.name for member in (team if to is None else (team[to],))]


# ---------------------------------------------------------------- no way out


@pytest.mark.parametrize("face", ["docx", "pdf", "eml"])
@pytest.mark.parametrize("password", ["", None])
def test_a_summary_has_no_unprotected_way_out(face: Any, password: str | None) -> None:
    """Without a password no face of a summary is written (R31)."""
    from formsvc.letters import LetterJob, write_letter  # noqa: PLC0415  (without the password that `write` gives)

    with pytest.raises(Refused) as refused:
        write_letter(SHIPPED, LetterJob(name="summary", face=face, case=sample_case(), lang="en", today=TODAY, password=password))
    assert refused.value.code == "protection-needed"


def test_a_summary_is_no_calendar_entry() -> None:
    """A calendar entry cannot be protected, so a summary has none."""
    with pytest.raises(Refused) as refused:
        write("summary", "ics")
    assert refused.value.code == "no-such-face"
