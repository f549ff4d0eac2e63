"""Nothing leaves without consent: to share (R21, written) and to distribute (R22, written or verbal), for each recipient on the day.

1. A consent counts from the day it is given to the day it expires, until it is revoked.
2. It covers whom it names, by name, role or organisation, or everybody.
3. The family needs no consent to receive its own information.
4. A refusal names the role of a person, never the person.
"""

from datetime import date
from typing import Any

import pytest

from formsvc.casework.case import Case, Consent, Member
from formsvc.casework.consent import covers, is_valid, refusals
from formsvc.errors import Refused
from tests.letter_cases import PASSWORD, sample_case, write

DAY = date(2026, 12, 8)
TEACHER, NURSE = Member(name="Gideon Marshwood", role="Classroom teacher", organisation="Alderbank Elementary School"), Member(name="Rufus Tannerby", role="Nurse")


def consent(**changes: Any) -> Consent:
    """A written consent to share with everybody."""
    return Consent(**{"kind": "share", "form": "written", "recipients": ("*",), "given_by": "Mara", "given_on": "2026-09-15", **changes})


def case_with(*consents: Consent) -> Case:
    """The sample case with these consents."""
    return sample_case({"consents": [{**{name: getattr(one, name) for name in one.__slots__ if getattr(one, name)}, "recipients": list(one.recipients)} for one in consents]})


# ---------------------------------------------------------------- days


@pytest.mark.parametrize(
    ("changes", "counts"),
    [
        ({}, True),
        ({"given_on": "2026-12-08"}, True),
        ({"given_on": "2026-12-09"}, False),
        ({"expires_on": "2026-12-08"}, True),
        ({"expires_on": "2026-12-07"}, False),
        ({"revoked_on": "2026-12-09"}, True),
        ({"revoked_on": "2026-12-08"}, False),
        ({"expires_on": "2027-12-08", "revoked_on": "2026-10-01"}, False),
    ],
)
def test_a_consent_counts_on_its_days(changes: dict[str, str], counts: bool) -> None:
    """From the day it is given to the day it expires, both included, and not from the day it is revoked."""
    assert is_valid(consent(**changes), DAY) is counts


@pytest.mark.parametrize(
    ("kind", "form", "taken_by", "counts"),
    [
        ("share", "written", "", True), ("share", "verbal", "", False), ("share", "verbal", "Ottoline Reedmace", False),
        ("distribute", "written", "", True), ("distribute", "verbal", "", False), ("distribute", "verbal", "Ottoline Reedmace", True),
    ],
)  # fmt: skip
def test_verbal_consent_counts_for_notes_only(kind: str, form: str, taken_by: str, counts: bool) -> None:
    """Sharing needs it in writing; distributing notes may be agreed by word of mouth if it is recorded who heard it."""
    assert is_valid(consent(kind=kind, form=form, taken_by=taken_by), DAY) is counts


# ---------------------------------------------------------------- whom it names


@pytest.mark.parametrize(
    ("recipients", "covered"),
    [
        (("*",), True), (("Gideon Marshwood",), True), (("gideon  MARSHWOOD",), True), (("Classroom teacher",), True), (("Alderbank Elementary School",), True),
        (("Nurse", "Classroom Teacher"), True), (("Nurse",), False), (("Gideon",), False), (("Alderbank",), False), ((" ",), False),
    ],
)  # fmt: skip
def test_a_consent_covers_whom_it_names(recipients: tuple[str, ...], covered: bool) -> None:
    """By whole name, role or organisation, however it is spaced or capitalised, or everybody."""
    assert covers(consent(recipients=recipients), TEACHER) is covered


def test_blank_words_cover_nobody() -> None:
    """A consent that names only a blank does not cover a member whose role is blank."""
    assert not covers(consent(recipients=(" ",)), Member(name="Rufus Tannerby", role=" "))


# ---------------------------------------------------------------- the gate


def test_notes_need_both_consents() -> None:
    """An invitation needs consent to share; notes need consent to distribute as well."""
    case = case_with(consent())
    assert list(refusals(case, [TEACHER], DAY, notes=False)) == []
    assert [found.code for found in refusals(case, [TEACHER], DAY, notes=True)] == ["no-consent-to-distribute"]


def test_without_consent_every_professional_is_refused() -> None:
    """A case without consents refuses every recipient outside the family, each at their place in the team."""
    case = sample_case({"consents": []})
    assert [found.field for found in refusals(case, case.team, DAY, notes=False)] == [f"team-{number}" for number in range(2, 8)]


def test_a_single_recipient_is_named_by_their_place_in_the_team() -> None:
    """The refusal of one recipient names that member's place in the team, not the first."""
    case = sample_case({"consents": []})
    assert [found.field for found in refusals(case, [case.team[5]], DAY, notes=False)] == ["team-5"]


def test_the_family_receives_its_own_information() -> None:
    """The guardian and the youth are never refused."""
    case = sample_case({"consents": []})
    assert list(refusals(case, case.team[:2], DAY, notes=True)) == []


@pytest.mark.parametrize("who", ["share", "distribute"])
def test_two_half_consents_are_not_one(who: str) -> None:
    """A valid consent for others and an expired one for this person do not add up."""
    kinds = {"share": consent(), "distribute": consent(kind="distribute")}
    kinds[who] = consent(kind=who, recipients=("Nurse",))
    case = case_with(*kinds.values(), consent(kind=who, expires_on="2026-10-01"))
    assert [found.code for found in refusals(case, [TEACHER], DAY, notes=True)] == [f"no-consent-to-{who}"]
    assert list(refusals(case, [NURSE], DAY, notes=True)) == []


def test_refusals_name_the_role_not_the_person() -> None:
    """What is refused can be shown and logged: it names the role, else the organisation, else the number."""
    case = sample_case({"consents": []})
    messages = [found.message for found in refusals(case, case.team, DAY, notes=True)]
    assert [member.name for member in case.team if any(member.name in message for message in messages)] == []
    assert "Classroom teacher" in messages[2]
    nameless = sample_case({"consents": [], "team": [{"name": "Rufus Tannerby"}]})
    assert "member 1" in next(refusals(nameless, nameless.team, DAY, notes=False)).message


@pytest.mark.parametrize(
    ("name", "face"),
    [("invitation", "docx"), ("invitation", "pdf"), ("invitation", "eml"), ("invitation", "ics"), ("agenda", "pdf"), ("summary", "docx"), ("summary", "pdf"), ("summary", "eml")],
)
def test_no_face_leaves_without_consent(name: Any, face: Any) -> None:
    """Every face of every letter is refused without consent, and says why without names."""
    case = sample_case({"consents": []})
    with pytest.raises(Refused) as refused:
        write(name, face, case, password=PASSWORD)
    assert refused.value.code == "no-consent"
    assert "Classroom teacher" in refused.value.message
    assert "Marshwood" not in refused.value.message


def test_a_summary_after_the_consent_expired_is_refused() -> None:
    """What was allowed at the conference is not allowed after the consent has expired."""
    with pytest.raises(Refused, match="R21"):
        write("summary", "docx", today=date(2027, 9, 15))
