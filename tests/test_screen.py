"""Forms on screen when things go wrong: cut-off and repeated requests, stale pages, drafts older than the paper, undo, erasure."""

from datetime import date
from pathlib import Path
from typing import Any

import pytest

from formsvc.errors import Refused
from formsvc.office.erase import erase_child
from formsvc.office.office import Office
from formsvc.office.review import withdraw
from formsvc.office.screen import Screen, keep_screen_draft, open_screen, save_screen
from formsvc.office.verify import verify
from formsvc.store.papers import latest_revision, read_sheets
from tests.offices import child, enrol, issue, open_test_office, plan
from tests.web import person

MONTH = "2026-11"
ANA, BEN = 1, 2


@pytest.fixture
def office(tmp_path: Path, blanks: Path) -> Office:
    """A unit of three children, two people of it."""
    office = open_test_office(tmp_path, blanks)
    enrol(office, [child(number) for number in range(1, 4)])
    plan(office, date(2026, 11, 12))
    issue(office, MONTH)
    for name in ("ana", "ben"):
        person(office, name, "staff", units=["Preschool 1"])
    return office


def worksheet(office: Office) -> int:
    """The unit's worksheet."""
    with office.store.reading() as connection:
        return read_sheets(connection, month=MONTH, form="worksheet")[0].id


def children_of(office: Office) -> list[dict[str, Any]]:
    """The children's rows of the record."""
    with office.store.reading() as connection:
        revision = latest_revision(connection, worksheet(office))
    found: Any = revision.values["children"] if revision else []
    return [row for row in found if row]


def sent(screen: Screen, **changes: str) -> dict[str, str]:
    """Everything that a browser sends of a screen, with some fields changed."""
    fields = {place.key: screen.answers.get(place.key, "") for place in screen.shown.form.places(screen.counts) if place.key not in screen.locked}
    return {**fields, **{key.replace("__", "-"): text for key, text in changes.items()}}


def save(office: Office, who: int, screen: Screen, **changes: str) -> None:
    """Save a screen whole."""
    assert save_screen(office, worksheet(office), who, sent(screen, **changes), screen.sight).is_whole


def test_a_request_that_was_cut_off_erases_nothing(office: Office) -> None:
    """A text field that does not arrive says nothing; only a box is empty when it is not sent."""
    save(office, ANA, open_screen(office, worksheet(office), ANA), children__0__strengths="Kind", children__1__strengths="Sings", children__1__support_needed="on")
    screen = open_screen(office, worksheet(office), ANA)
    saved = save_screen(office, worksheet(office), ANA, {"children-0-strengths": "Very kind", "children-1-support_needed": "on", "first_conference": "on"}, screen.sight)
    assert (saved.changed, saved.is_whole) == (1, True)
    assert [row.get("strengths") for row in children_of(office)] == ["Very kind", "Sings", None]


def test_a_request_that_comes_twice_adds_its_row_once(office: Office) -> None:
    """A double press, a retry and a draft that arrives late find the row that they made."""
    screen = open_screen(office, worksheet(office), ANA)
    changes = {"children__3__child_name": "Nadia Larkmoor", "children__3__strengths": "Brave"}
    save(office, ANA, screen, **changes)
    save(office, ANA, screen, **changes)
    keep_screen_draft(office, worksheet(office), ANA, sent(screen, **changes), screen.sight)
    draft = open_screen(office, worksheet(office), ANA)
    assert draft.draft_at
    save(office, ANA, draft)
    assert [row["child_name"] for row in children_of(office)].count("Nadia Larkmoor") == 1


def test_a_draft_that_is_older_than_the_paper_copies_nobody(office: Office) -> None:
    """Rows that others added since, on screen or on the roster, are not mixed into a draft; it says that there are some."""
    screen = open_screen(office, worksheet(office), ANA)
    keep_screen_draft(office, worksheet(office), ANA, sent(screen, children__0__strengths="Kind", children__3__child_name="Nadia Larkmoor"), screen.sight)
    save(office, BEN, open_screen(office, worksheet(office), BEN), children__3__child_name="Omar Finchley", children__3__strengths="Runs")
    enrol(office, [child(9, enrolled_on=date(2026, 11, 2))])
    issue(office, MONTH)
    draft = open_screen(office, worksheet(office), ANA)
    assert draft.has_news
    assert draft.answers["children-3-child_name"] == "Nadia Larkmoor"
    save(office, ANA, draft)
    names = [row["child_name"] for row in children_of(office)]
    assert sorted(names) == sorted({*names})
    assert {"Nadia Larkmoor", "Omar Finchley", "Child 09"} <= {*names, *(open_screen(office, worksheet(office), BEN).answers.values())}
    assert not open_screen(office, worksheet(office), ANA).has_news


def test_undo_brings_back_what_stood_before(office: Office) -> None:
    """Taking a change back restores the answer of the person before, not nothing."""
    save(office, ANA, open_screen(office, worksheet(office), ANA), children__0__strengths="Kind")
    save(office, BEN, open_screen(office, worksheet(office), BEN), children__0__strengths="Curious")
    with office.store.reading() as connection:
        cell = next(cell for cell in (f"children/c{number}/strengths" for number in range(1, 9)) if connection.exec_driver_sql("select 1 from decisions where cell = ?", (cell,)).first())
    withdraw(office, worksheet(office), cell)
    assert children_of(office)[0]["strengths"] == "Kind"
    withdraw(office, worksheet(office), cell)
    assert "strengths" not in (children_of(office) or [{}])[0]
    with pytest.raises(Refused):
        withdraw(office, worksheet(office), cell)


def test_a_page_from_before_an_erasure_brings_nobody_back(office: Office) -> None:
    """Neither a draft nor a save of a page that shows an erased child is taken."""
    screen = open_screen(office, worksheet(office), ANA)
    erase_child(office, "C-2", "the family asked", on=date(2026, 11, 22), on_request=True)
    for work in (lambda: keep_screen_draft(office, worksheet(office), ANA, sent(screen), screen.sight), lambda: save_screen(office, worksheet(office), ANA, sent(screen, children__1__strengths="x"), screen.sight)):
        with pytest.raises(Refused) as refused:
            work()
        assert refused.value.code == "page-too-old"
    save(office, ANA, open_screen(office, worksheet(office), ANA), children__0__strengths="Kind")
    assert [found for found in verify(office) if found.severity == "error"] == []


def test_a_new_edition_after_saving_on_screen_keeps_the_store_clean(office: Office) -> None:
    """A child who joins after something was typed on screen stands in the record, and `verify` has nothing to say."""
    save(office, ANA, open_screen(office, worksheet(office), ANA), children__0__strengths="Kind")
    enrol(office, [child(9, enrolled_on=date(2026, 11, 2))])
    issue(office, MONTH)
    assert [row["child_name"] for row in children_of(office)] == ["Child 01", "Child 02", "Child 03", "Child 09"]
    assert list(verify(office)) == []
