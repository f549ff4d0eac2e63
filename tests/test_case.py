"""A case loads whole, or says every place that is wrong.

1. What is wrong is named place by place, all at once.
2. Initials stand for a name; times stand on the clock of the place.
3. What must never leave unprotected is known in every usual spelling.
"""

from datetime import UTC, datetime
from typing import Any

import pytest

from formsvc.casework.case import Case, initials_of, load_case
from formsvc.errors import Refused
from tests.letter_cases import sample_data


def refusal(changes: dict[str, Any]) -> Refused:
    """Why the sample case is not taken after these changes."""
    with pytest.raises(Refused) as refused:
        load_case(sample_data(changes))
    return refused.value


def held(**conference: Any) -> Case:
    """The sample case with another conference."""
    return load_case(sample_data({f"conference.{name}": value for name, value in conference.items()}))


# ---------------------------------------------------------------- wrong places


WRONG: dict[str, tuple[Any, str]] = {
    "client.name": ("", "client-name"),
    "client.birth_date": ("03/09/2016", "client-birth_date"),
    "client.initials": ("N." * 11, "client-initials"),
    "guardian": ("Mara\nFernwhistle", "guardian"),
    "coordinator.email": ("o.reedmace", "coordinator-email"),
    "client.known_as": ([""], "client-known_as-0"),
    "coordinator.address": (["a line"] * 9, "coordinator-address"),
    "coordinator.phone": ("5" * 61, "coordinator-phone"),
    "conference.number": (0, "conference-number"),
    "conference.type": ("second", "conference-type"),
    "conference.date": ("2026-02-30", "conference-date"),
    "conference.start": ("24:00", "conference-start"),
    "conference.minutes": (481, "conference-minutes"),
    "conference.zone": ("Mars/Olympus_Mons", "conference-zone"),
    "conference.place": ("", "conference-place"),
    "conference.line": (None, "conference-line"),
    "conference.reply_by": ("soon", "conference-reply_by"),
    "team.2.email": ("delphine at example.org", "team-2-email"),
    "team.3.audience": ("teacher", "team-3-audience"),
    "team.4.mode": ("absent", "team-4-mode"),
    "team.5.lang": ("fr", "team-5-lang"),
    "team.6.name": ("N" * 301, "team-6-name"),
    "team.7.address": (["a line"] * 9, "team-7-address"),
    "consents.0.kind": ("tell", "consents-0-kind"),
    "consents.0.given_on": (None, "consents-0-given_on"),
    "consents.1.recipients": ([], "consents-1-recipients"),
    "consents.1.form": ("nodded", "consents-1-form"),
    "agenda_minutes": ({"school": 481}, "agenda_minutes-school-value"),
    "agenda_items": (["x" * 501], "agenda_items-0"),
    "previous_steps.1.action": ("", "previous_steps-1-action"),
    "previous_steps.2.due_date": ("tomorrow", "previous_steps-2-due_date"),
}


@pytest.mark.parametrize("place", WRONG)
def test_a_wrong_value_is_named_with_its_place(place: str) -> None:
    """A wrong or missing value is refused, and the refusal says where it stands."""
    value, named = WRONG[place]
    found = refusal({place: value})
    assert (found.code, found.place) == ("values-invalid", named)


def test_every_wrong_place_is_named_at_once() -> None:
    """A case with many faults names all of them in one refusal."""
    changes = {place: value for place, (value, _) in WRONG.items() if not place.startswith("team") and value is not None}
    message = refusal(changes).message
    assert [named for place, (_, named) in WRONG.items() if place in changes and f"{named}: " not in message] == []


@pytest.mark.parametrize("missing", ["client", "coordinator", "conference", "team"])
def test_the_parts_of_a_case_are_needed(missing: str) -> None:
    """A case without client, coordinator, conference or team is refused."""
    assert refusal({missing: None}).place == missing


@pytest.mark.parametrize(("place", "named"), [("nickname", "nickname"), ("client.ssn", "client-ssn"), ("team.0.phone", "team-0-phone")])
def test_unknown_names_are_refused(place: str, named: str) -> None:
    """A name that no case has is refused rather than lost."""
    assert refusal({place: "x"}).place == named


@pytest.mark.parametrize("count", [0, 301])
def test_a_team_has_one_to_three_hundred_members(count: int) -> None:
    """A team of nobody, or of more than three hundred, is refused."""
    assert refusal({"team": [{"name": "Rosa Vega"}] * count}).place == "team"


def test_the_largest_team_loads() -> None:
    """Three hundred members load: one command invites hundreds of people."""
    assert len(load_case(sample_data({"team": [{"name": "Rosa Vega"}] * 300})).team) == 300


@pytest.mark.parametrize("bad", ["a\x00b", "a\x1bb", "a\rb", "a\ud800b"])
def test_control_characters_are_refused(bad: str) -> None:
    """No name takes characters that paper or a mail header cannot carry."""
    assert refusal({"team.0.name": bad}).place == "team-0-name"


@pytest.mark.parametrize("true", [True, "2", 2.5])
def test_numbers_are_numbers(true: object) -> None:
    """The number of a conference is a whole number, not a tick, a text or a fraction."""
    assert refusal({"conference.number": true}).place == "conference-number"


def test_limits_themselves_are_allowed() -> None:
    """The shortest and longest conference, the last minute of a day and the last number load."""
    for minutes in (5, 480):
        assert held(minutes=minutes, start="23:59", number=999).conference.minutes == minutes


@pytest.mark.parametrize("email", ["a@example.org", "first.last+tag@mail.example.co.uk", "o'neil@example.org"])
def test_usual_addresses_load(email: str) -> None:
    """Addresses with dots, tags and apostrophes are addresses."""
    assert load_case(sample_data({"team.2.email": email})).team[2].email == email


@pytest.mark.parametrize("email", ["josé@example.org", "a@b@example.org", "a b@example.org", "a@example.org\nBcc: x@example.com", "@example.org", "a@"])
def test_addresses_that_no_header_carries_are_refused(email: str) -> None:
    """An address with a space, a line break or letters that mail headers cannot carry is refused in the case, not when it is sent."""
    assert refusal({"team.2.email": email}).place == "team-2-email"


# ---------------------------------------------------------------- initials


@pytest.mark.parametrize(
    ("name", "initials"),
    [
        ("Noah Fernwhistle", "N.F."), ("ñandú óscar", "Ñ.Ó."), ("Jean-Luc O'Neil", "J.L.O.N."), ("李 小龙", "李.小."), ("Anaïs  de la Cruz", "A.D.L.C."),
        ("José Zoë".encode().decode(), "J.Z."), ("محمد علي", "م.ع."), ("Ngọc", "N."),
    ],
)  # fmt: skip
def test_initials_stand_for_a_name(name: str, initials: str) -> None:
    """The first letter of each word, in capitals, each with a point."""
    assert initials_of(name) == initials


def test_given_initials_count() -> None:
    """Initials that are given are kept; without them they are made of the name."""
    assert load_case(sample_data({"client.initials": "X.Y."})).client.initials == "X.Y."
    assert load_case(sample_data({"client.initials": None})).client.initials == "N.F."


@pytest.mark.parametrize("name", ["4711", "?", "— —"])
@pytest.mark.parametrize("initials", [None, "", "  "])
def test_without_letters_there_are_no_initials(name: str, initials: str | None) -> None:
    """A name without letters needs initials of its own: nothing else may stand for it in a letter."""
    found = refusal({"client.name": name, "client.initials": initials})
    assert (found.place, "no initials" in found.message) == ("client-initials", True)
    assert load_case(sample_data({"client.name": name, "client.initials": "N.F."})).client.initials == "N.F."


@pytest.mark.parametrize("initials", ["Noah F.", "N. Fernwhistle", "NOAH"])
def test_initials_do_not_tell_the_name(initials: str) -> None:
    """Initials that hold the name would carry it into every subject and file."""
    found = refusal({"client.initials": initials})
    assert (found.place, "Fernwhistle" in found.message) == ("client-initials", False)


# ---------------------------------------------------------------- time


@pytest.mark.parametrize(
    ("day", "start", "zone", "there"),
    [
        ("2027-03-14", "02:30", "America/New_York", False), ("2027-03-14", "02:00", "America/New_York", False), ("2027-03-14", "01:59", "America/New_York", True), ("2027-03-14", "03:00", "America/New_York", True),
        ("2027-03-14", "02:30", "America/Phoenix", True), ("2027-11-07", "01:30", "America/New_York", True), ("2027-03-28", "02:30", "Europe/Berlin", False),
    ],
)  # fmt: skip
def test_nobody_meets_in_the_hour_that_is_skipped(day: str, start: str, zone: str, there: bool) -> None:
    """A time that the clock jumps over in spring is refused at its place, with day and zone in mind; every other time loads."""
    if there:
        assert held(date=day, start=start, zone=zone).conference.start == start
        return
    found = refusal({"conference.date": day, "conference.start": start, "conference.zone": zone})
    assert (found.place, start in found.message, zone in found.message) == ("conference-start", True, True)


def test_a_conference_ends_after_its_minutes() -> None:
    """A conference at half past three of ninety minutes ends at five, in its own zone."""
    conference = held().conference
    assert conference.begins().astimezone(UTC) == datetime(2026, 12, 9, 22, 30, tzinfo=UTC)
    assert f"{conference.ends():%H:%M %Z}" == "17:00 MST"


@pytest.mark.parametrize(
    ("day", "start", "ends"),
    [
        ("2026-03-08", "01:30", "2026-03-08 04:00 MDT"),  # the clock jumps from 2 to 3
        ("2026-11-01", "00:45", "2026-11-01 01:15 MST"),  # the hour from 1 to 2 comes twice
        ("2026-12-31", "23:00", "2027-01-01 00:30 MST"),
        ("2026-07-01", "15:30", "2026-07-01 17:00 MDT"),
    ],
)
def test_minutes_are_counted_through_a_clock_change(day: str, start: str, ends: str) -> None:
    """A conference takes its minutes even when the clock is changed meanwhile."""
    assert f"{held(date=day, start=start).conference.ends():%Y-%m-%d %H:%M %Z}" == ends


@pytest.mark.parametrize(("zone", "hour"), [("America/Denver", 22), ("America/New_York", 20), ("Asia/Kolkata", 10), ("Pacific/Auckland", 2), ("UTC", 15)])
def test_the_zone_says_when_it_begins(zone: str, hour: int) -> None:
    """The same time on the wall is another moment in another zone."""
    assert held(zone=zone).conference.begins().astimezone(UTC).hour == hour


def test_unknown_zones_say_how_to_write_one() -> None:
    """A zone nobody knows is refused with an example of one."""
    assert "America/Denver" in refusal({"conference.zone": "Mountain Time"}).message


# ---------------------------------------------------------------- what must not leave


@pytest.mark.parametrize("spelling", ["2016-03-09", "03/09/2016", "3/9/2016", "March 9, 2016", "09/03/2016", "20160309", "9 de marzo de 2016"])
def test_the_birth_date_is_known_in_every_usual_spelling(spelling: str) -> None:
    """What must never stand in anything unprotected includes the birth date as people and our own letters write it."""
    assert spelling in load_case(sample_data()).personal()


def test_names_are_personal() -> None:
    """The names of the client and the guardian must never stand in anything unprotected; what is not known is not looked for."""
    assert load_case(sample_data()).personal()[:2] == ("Noah Fernwhistle", "Mara Fernwhistle")
    assert load_case(sample_data({"client.birth_date": None, "guardian": ""})).personal() == ("Noah Fernwhistle",)
    assert "Noni" in load_case(sample_data({"client.known_as": ["Noni"]})).personal()
