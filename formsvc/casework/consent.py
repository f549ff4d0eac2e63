"""May this leave the team? Consent to share (R21) and to distribute (R22), for each recipient on a day."""

from collections.abc import Iterator, Sequence
from datetime import date
from typing import Literal

from formsvc.casework.case import EVERYBODY, Case, Consent, Member
from formsvc.model.record import Problem, problem
from formsvc.model.values import plain

FAMILY = ("guardian", "youth")  # the family's own information needs no consent to reach the family
Standing = Literal["valid", "revoked", "expired", "later", "not-written", "not-taken", "nobody"]
"""How a consent stands on a day; all but `valid` let nothing leave."""


def is_valid(consent: Consent, day: date) -> bool:
    """Whether a consent counts on a day: given, not expired, not revoked, taken in an allowed form."""
    if not consent.given_on <= day.isoformat():
        return False
    if consent.expires_on and consent.expires_on < day.isoformat():
        return False
    if consent.revoked_on and consent.revoked_on <= day.isoformat():
        return False
    if consent.kind == "share":
        return consent.form == "written"
    return consent.form == "written" or bool(consent.taken_by)


def covers(consent: Consent, member: Member) -> bool:
    """Whether a consent names a recipient: by name, role or organisation, or the whole team."""
    names = {plain(text) for text in (member.name, member.role, member.organisation)} - {""}
    return any(recipient == EVERYBODY or plain(recipient) in names for recipient in consent.recipients)


def standing(consent: Consent, team: Sequence[Member], day: date) -> Standing:
    """How a consent stands on a day, with the one reason that a person would mend first."""
    today = day.isoformat()
    if consent.revoked_on and consent.revoked_on <= today:
        return "revoked"
    if consent.expires_on and consent.expires_on < today:
        return "expired"
    if not is_valid(consent, day):
        return "later" if consent.given_on > today else "not-written" if consent.kind == "share" else "not-taken"
    return "valid" if any(covers(consent, member) for member in team) else "nobody"


def needed(member: Member, case: Case, day: date, *, notes: bool) -> Sequence[str]:
    """The kinds of consent that a member would need and has not."""
    kinds = () if member.audience in FAMILY else ("share", "distribute") if notes else ("share",)
    return [kind for kind in kinds if not any(consent.kind == kind and is_valid(consent, day) and covers(consent, member) for consent in case.consents)]


def refusals(case: Case, recipients: Sequence[Member], day: date, *, notes: bool) -> Iterator[Problem]:
    """Why a document may not go to some recipients; `notes` says whether it carries conference notes."""
    for member in recipients:
        number = case.team.index(member) if member in case.team else len(case.team)
        for kind in needed(member, case, day, notes=notes):
            yield problem(f"no-consent-to-{kind}", f"team-{number}", "error", who=member.role or member.organisation or f"member {number + 1}")
