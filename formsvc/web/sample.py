"""A sample agency to try the web service with: invented people, children and papers of the running month."""

import json
from collections.abc import Sequence
from dataclasses import replace
from datetime import date, timedelta
from typing import Final

from formsvc.errors import Refused
from formsvc.model.people import Role
from formsvc.model.procedure import first_day, month_after, month_of
from formsvc.office.cases import keep_case
from formsvc.office.conferences import Meeting, plan_conference
from formsvc.office.importing import apply_import, read_import
from formsvc.office.month import issue_month
from formsvc.office.office import Office
from formsvc.office.people import change_person, invite, use_link
from formsvc.settings import samples_folder
from formsvc.store.people import count_people, give_case
from formsvc.store.roster import read_units

SAMPLE_PASSWORD: Final = "copper lantern drifts north"  # noqa: S105  (invented people only)
_PEOPLE: Final[Sequence[tuple[str, str, Role]]] = (
    ("ana", "Ana Quillfeather", "staff"), ("luz", "Luz Marrowbone", "specialist"), ("carla", "Carla Thistlewood", "coordinator"), ("sam", "Sam Overbrook", "supervisor"),
    ("ada", "Ada Ferncastle", "administrator"), ("otto", "Otto Silverbirch", "auditor"),
)
CASE: Final = "2026-001"


def lay_sample(office: Office, today: date | None = None) -> tuple[str, ...]:
    """Sample data and people; refuses an installation that has people already. The names to sign in with."""
    with office.store.reading() as connection:
        if count_people(connection) or read_units(connection):
            raise Refused("sample-not-empty")
    day = today or date.today()  # noqa: DTZ011  (the month on the wall)
    apply_import(office, read_import(office, samples_folder() / "rosters" / "copa-like.csv", on=date(2026, 11, 2)))
    _papers(office, day)
    keep_case(replace(office, store=replace(office.store, by="carla")), CASE, json.loads((samples_folder() / "cases" / "conference.json").read_bytes()))
    with office.store.reading() as connection:
        units = [unit.id for unit in read_units(connection)]
    keys = {}
    for name, shown, role in _PEOPLE:
        keys[name], secret = invite(office, name, shown=shown, roles=(role,))
        use_link(office, secret, SAMPLE_PASSWORD)
        change_person(office, keys[name], shown=shown, roles=(role,), units=units[:2] if role == "staff" else units if role == "specialist" else (), active=True)
    with office.store.writing() as connection:
        give_case(connection, CASE, [keys["carla"]])
    return tuple(name for name, _, _ in _PEOPLE)


def _papers(office: Office, today: date) -> None:
    """The papers of this month, with conferences planned where they may be held."""
    month = month_of(today)
    with office.store.reading() as connection:
        units = read_units(connection)
    for number, unit in enumerate(units):
        planned = min(first_day(month) + timedelta(days=10 + number), first_day(month_after(month)) - timedelta(days=1))
        with office.store.writing() as connection:
            plan_conference(connection, unit.id, Meeting(planned_on=planned, start_time="09:00", end_time="10:30"))
    for _ in issue_month(office, month):
        pass
