"""The names of answers: one flat string that is field name, input name and answer key.

1. Every place of a form has a name of its own, which finds that place again.
2. A name has no period (ISO 32000-1, 12.7.3.2) and only letters that every writer keeps.
3. What is no name of a place finds nothing.
"""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from formsvc.model.form import Form, Place, ask_places, is_row, key_of
from formsvc.model.kinds import LANGS, Choices, Lang, Text, is_box
from tests.small_forms import BY_NAME, COLORS, FORMS, TRIES, ask, form_of, rows_of

EACH_FORM = pytest.mark.parametrize("form", FORMS, ids=lambda form: form.id.name)


def all_places(form: Form) -> list[Place]:
    """Every place of the largest document a form can be."""
    return list(form.places({group.name: group.maximum for group in form.groups}))


@EACH_FORM
def test_every_name_finds_its_place(form: Form) -> None:
    """A place's key finds the same question, row and option, and is spelled from them again."""
    for place in all_places(form):
        assert form.find(place.key) == place
        assert key_of(place.ask, place.group, place.row, place.option) == place.key


@EACH_FORM
def test_every_name_is_unique(form: Form) -> None:
    """No two places of a form share a name, whatever its rows."""
    keys = [place.key for place in all_places(form)]
    assert len(set(keys)) == len(keys) > 50


@EACH_FORM
def test_a_name_is_plain(form: Form) -> None:
    """A name is lower-case letters, digits, underscores and dashes: no period, no space, nothing to escape."""
    assert [place.key for place in all_places(form) if not re.fullmatch(r"[a-z0-9_]+(-[a-z0-9_]+)*", place.key)] == []


@EACH_FORM
def test_no_name_is_a_stamps(form: Form) -> None:
    """The names of the stamps are free: no question is called like one."""
    assert [place.key for place in all_places(form) if place.key.startswith("stamp-")] == []


@pytest.mark.parametrize("lang", LANGS)
@EACH_FORM
def test_every_label_is_distinct(form: Form, lang: Lang) -> None:
    """No two places of a form have the same label for a screen reader, in either language."""
    labels = [place.label(lang) for place in all_places(form)]
    assert {label for label in labels if labels.count(label) > 1} == set()


@EACH_FORM
def test_places_are_in_reading_order(form: Form) -> None:
    """Places come header first, then group by group and row by row, as the definition has them."""
    places = all_places(form)
    assert [place.ask.name for place in places if not place.group] == [place.ask.name for one in form.asks for place in ask_places(one)]
    rows = [(place.group.name, place.row) for place in places if place.group]
    groups = [group.name for group in form.groups]
    assert rows == sorted(rows, key=lambda row: (groups.index(row[0]), row[1]))


@pytest.mark.parametrize(("expected", "key"), [
    ("Site", "site"), ("Child 3: Child's name", "children-2-child_name"), ("Child 1: Areas of discussion: Oral health", "children-0-areas-oral_health"),
])  # fmt: skip
def test_a_label_says_row_question_and_option(expected: str, key: str) -> None:
    """A label is complete without the page around it."""
    place = BY_NAME["worksheet"].find(key)
    assert place is not None
    assert expected == place.label("en")


def test_a_label_says_whose_row_it_is() -> None:
    """A row with a name says it first."""
    place = BY_NAME["worksheet"].find("children-2-support_needed")
    assert place is not None
    assert place.label("es", "Ana López") == "Ana López, Niño/a 3: Necesita apoyo"


@pytest.mark.parametrize("key", [
    "", "-", "bogus", "children", "children-0", "children-0-", "children--child_name", "children-x-child_name", "children-00-child_name", "children-01-child_name",
    "children-+1-child_name", "children- 1-child_name", "children-10000-child_name", "children-٣-child_name", "children-²-child_name", "children-0-child_name-x",
    "children-0-areas", "children-0-areas-", "children-0-areas-bogus", "children-0-areas-health-x", "site-0", "site-", "Site", " site", "site.x", "children.0.child_name", "first_conference-on",
])  # fmt: skip
def test_what_is_no_name_finds_nothing(key: str) -> None:
    """Only the one spelling of a name finds its place."""
    assert BY_NAME["worksheet"].find(key) is None


@pytest.mark.parametrize("row", ["0", "7", "10", "9999"])
def test_a_row_number_has_one_spelling(row: str) -> None:
    """A row number is written without sign, zeros in front or foreign digits."""
    assert is_row(row)
    assert not any(map(is_row, (f"0{row}", f"+{row}", f" {row}", f"{row}.0", f"-{row}", "", "٣", "²", "10000")))


@EACH_FORM
@TRIES
@given(key=st.text(max_size=40) | st.from_regex(r"[a-z_]{1,12}-[0-9]{1,6}-[a-z_]{1,12}", fullmatch=True))
def test_any_name_is_found_or_not(form: Form, key: str) -> None:
    """A found place has exactly the name that was asked for."""
    place = form.find(key)
    assert place is None or place.key == key


def test_boxes_have_a_name_each() -> None:
    """A question with boxes has a place for each option and none for itself; others have one place."""
    boxes, line = ask("colors", Choices(options=COLORS)), ask("line", Text())
    form = form_of(boxes, line, groups=(rows_of("people", boxes),))
    assert [place.key for place in form.places({"people": 1})] == ["colors-red", "colors-green", "colors-other", "line", "people-0-colors-red", "people-0-colors-green", "people-0-colors-other"]
    assert is_box(boxes.kind)
    assert form.find("colors") is None
