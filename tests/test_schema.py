"""The record schema: what data a form takes, and in which one spelling it keeps it.

1. Loaded values are sparse: what is empty, unticked or blank is left out, rows between keep their place.
2. Data that does not fit is refused with the place and the remedy of each fault; nothing is half-loaded.
3. Loading what was loaded changes nothing.
"""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from formsvc.model.form import Form
from formsvc.model.kinds import Choice, Choices, Day, Kind, LongText, Month, Number, Signature, Stamp, Text, Tick, Time
from formsvc.model.schema import load_values, record_schema
from tests.small_forms import BY_NAME, COLORS, FORMS, KINDS, TRIES, ask, form_of, records_of, rows_of

LINE, NOTE = ask("line", Text(limit=10)), ask("note", LongText(limit=20))
SMALL = form_of(
    LINE, NOTE, ask("count", Number(most=9)), ask("day", Day()), ask("time", Time()), ask("month", Month()), ask("tick", Tick()),
    ask("color", Choice(options=COLORS)), ask("colors", Choices(options=COLORS)), ask("signed", Signature()),
    groups=(rows_of("people", ask("name", Text()), ask("came", Tick()), most=3),),
)  # fmt: skip


def faults(form: Form, data: Any) -> dict[str, str]:
    """The messages of refused data by place."""
    values, problems = load_values(form, data)
    assert not problems or values == {}
    assert {found.severity for found in problems} <= {"error"}
    return {found.field: found.message for found in problems}


@pytest.mark.parametrize(("expected", "data"), [
    ({}, {}),
    ({}, {"line": "", "note": " \n ", "count": "", "day": "", "time": "", "month": "", "tick": False, "color": "", "colors": [], "signed": "", "people": []}),
    ({}, {"line": None, "note": None, "count": None, "day": None, "time": None, "month": None, "tick": None, "color": None, "colors": None, "signed": None, "people": None}),
    ({"count": 0}, {"count": 0}),
    ({"tick": True}, {"tick": True}),
    ({"day": "2026-11-05", "time": "09:30", "month": "2026-11"}, {"day": "11/5/26", "time": "9:30 a. m.", "month": "noviembre de 2026"}),
    ({"count": 7, "color": "green"}, {"count": " 7 ", "color": "VERDE CLARO"}),
    ({"colors": ["red", "other"]}, {"colors": ["other", "red", "other"]}),
    ({"note": "one\ntwo\nthree"}, {"note": "one\r\ntwo\rthree"}),
    ({"line": "  kept "}, {"line": "  kept "}),
    ({"people": [{"name": "Ana"}, {}, {"came": True}]}, {"people": [{"name": "Ana"}, {"name": ""}, {"came": True, "name": ""}]}),
    ({"people": [{"name": "Ana"}]}, {"people": [{"name": "Ana"}, {}, {"came": False}]}),
    ({}, {"people": [{}, {"name": ""}]}),
])  # fmt: skip
def test_loaded_values_are_sparse_and_have_one_spelling(expected: dict[str, Any], data: dict[str, Any]) -> None:
    """What is empty is left out, rows between keep their place, and each value has its one spelling."""
    assert load_values(SMALL, data) == (expected, ())


WRONG: tuple[tuple[Kind, tuple[object, ...]], ...] = (
    (Text(), (3, 1.5, True, ["x"], {"x": 1})),
    (LongText(), (3, True, ["x"], {"x": 1})),
    (Signature(), (3, True, [])),
    (Stamp(), (3, True)),
    (Number(), (True, [1], {"x": 1}, "many", 1.5, float("nan"), float("inf"), 1e300)),
    (Day(), (5, 20261105, True, ["2026-11-05"], "soon", {"year": 2026})),
    (Time(), (9, 9.5, True, [], "soon")),
    (Month(), (11, False, [], "soon")),
    (Tick(), ("yes", "on", "true", 2, [], {})),
    (Choice(options=COLORS), (1, True, ["red"], "blue", {"red": 1})),
    (Choice(options=COLORS, boxes=True), (1, True, ["red"], "blue")),
    (Choices(options=COLORS), ("red", 1, True, {"red": True})),
)


@pytest.mark.parametrize(("kind", "value"), [(kind, value) for kind, values in WRONG for value in values])
def test_every_kind_refuses_what_it_is_not(kind: Kind, value: object) -> None:
    """A value of another type is refused at its place, in the header and in a row, never turned into text."""
    form = form_of(ask("it", kind), groups=(rows_of("people", ask("it", kind)),))
    assert list(faults(form, {"it": value})) == ["it"]
    assert list(faults(form, {"people": [{}, {"it": value}]})) == ["people-1-it"]


@pytest.mark.parametrize(("expected", "data"), [
    ({"people": "A list is expected here. Give it in that form."}, {"people": {"name": "Ana"}}),
    ({"people": "A list is expected here. Give it in that form."}, {"people": "Ana"}),
    ({"people-1": "A JSON object is expected here. Give it in that form."}, {"people": [{}, "Ana"]}),
    ({"people-0": "A value is expected here. Give it in that form."}, {"people": [None]}),
    ({"line": "A text is expected here. Give it in that form."}, {"line": 7}),
    ({"tick": "True or false is expected here. Give it in that form."}, {"tick": "on"}),
    ({"colors-1": "“blue” is none of the choices. Choose one of: red, green, other."}, {"colors": ["red", "blue"]}),
    ({"colors-0": "“{x}” is none of the choices. Choose one of: red, green, other."}, {"colors": ["{x}"]}),
    ({"colors-0": "A text is expected here. Give it in that form."}, {"colors": [1]}),
    ({"color": "“{0}” is none of the choices. Choose one of: red, green, other."}, {"color": "{0}"}),
    ({"day": "“soon” cannot be read as day. Write it like 11/05/2026."}, {"day": "soon"}),
    ({"count": "10 is not between 0 and 9. Correct the number."}, {"count": 10}),
    ({"count": "-1 is not between 0 and 9. Correct the number."}, {"count": "-1"}),
    ({"line": "The text has 11 characters; the most is 10. Nothing was cut off; shorten it if you can."}, {"line": "12345678901"}),
    ({"line": "The text has line breaks but the field is one line. Remove the line breaks."}, {"line": "a\r\nb"}),
    ({"signed": "The text has line breaks but the field is one line. Remove the line breaks."}, {"signed": "a\nb"}),
    ({"note": "The text has characters that cannot be printed (U+0000, U+001B). Remove them."}, {"note": "a\0b\x1b"}),
    ({"line": "The text has characters that cannot be printed (U+D800). Remove them."}, {"line": "\ud800"}),
    ({"people": "4 rows are too many; the form takes 3. Split the list over two documents."}, {"people": [{"name": "x"}] * 4}),
    ({"people-0-age": "The form does not ask for “age”. Remove it, or choose one of: name, came."}, {"people": [{"age": 3}]}),
])  # fmt: skip
def test_a_fault_says_where_and_what_to_do(expected: dict[str, str], data: dict[str, Any]) -> None:
    """Each fault has its place as an answer key, what is wrong, and what to do, in our own words."""
    assert expected == faults(SMALL, data)


def test_an_unknown_name_is_refused_with_the_known_ones() -> None:
    """A name the form does not ask for is never dropped silently."""
    message = faults(SMALL, {"lime": "x"})["lime"]
    assert message == "The form does not ask for “lime”. Remove it, or choose one of: line, note, count, day, time, month, tick, color, colors, signed, people."


def test_every_fault_is_told_at_once() -> None:
    """All faults of a file are told together, and nothing of it is loaded."""
    data = {"line": 7, "day": "soon", "note": "fine", "people": [{"name": 1}, {"came": "x", "who": 1}]}
    assert set(faults(SMALL, data)) == {"line", "day", "people-0-name", "people-1-came", "people-1-who"}


@pytest.mark.parametrize(("length", "held"), [(9, True), (10, True), (11, False)])
def test_the_limit_of_a_text_is_its_last_allowed_length(length: int, *, held: bool) -> None:
    """A text may be as long as its limit, in characters and not in bytes."""
    assert (faults(SMALL, {"line": "é" * length}) == {}) is held


@pytest.mark.parametrize(("field", "text"), [("line", "tab\there"), ("note", "tab\tand\nline"), ("line", "שלום 😀 ሰ\u200f")])
def test_every_script_and_tabs_are_welcome(field: str, text: str) -> None:
    """Tabs, every script, joiners and direction marks are text like any other."""
    assert load_values(SMALL, {field: text}) == ({field: text}, ())


@pytest.mark.parametrize("form", FORMS, ids=lambda form: form.id.name)
@TRIES
@given(data=st.data())
def test_loading_what_was_loaded_changes_nothing(form: Form, data: st.DataObject) -> None:
    """Values in their one spelling load as they are, also after a trip through JSON."""
    values = data.draw(records_of(form))
    assert load_values(form, values) == (values, ())
    assert load_values(form, json.loads(json.dumps(values))) == (values, ())


JUNK = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8) | st.sampled_from(["red", "on", "11/5/26", "9 am"]),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.sampled_from(["line", "note", "count", "day", "tick", "colors", "people", "name", "came", ""]), inner, max_size=4),
    max_leaves=12,
)


@TRIES
@given(data=st.dictionaries(st.sampled_from([*(one.name for one in SMALL.asks), "people", "bogus", ""]), JUNK))
def test_any_json_is_loaded_or_refused(data: dict[str, Any]) -> None:
    """Whatever JSON is given, it loads to a spelling that loads again to itself, or each fault has its place."""
    values, problems = load_values(SMALL, data)
    if problems:
        assert values == {}
        assert all(found.message and found.code == "values-invalid" for found in problems)
    else:
        assert load_values(SMALL, values) == (values, ())


def test_a_form_has_one_schema() -> None:
    """The schema of a form is made once, and forms of different content do not share one."""
    assert record_schema(SMALL) is record_schema(SMALL)
    assert record_schema(form_of(LINE)) is not record_schema(form_of(NOTE))


@pytest.mark.parametrize("kind", KINDS, ids=str)
def test_every_kind_has_its_field(kind: Kind) -> None:
    """Every kind is one field of the schema with the question's label as its title."""
    form = form_of(ask("it", kind))
    assert record_schema(form)().fields["it"].metadata["title"] == "it"


def test_the_worksheet_takes_its_forty_children_and_no_more() -> None:
    """The row limit of a published form is the one of its definition."""
    rows = [{"child_name": f"Child {number}"} for number in range(40)]
    worksheet = BY_NAME["worksheet"]
    assert load_values(worksheet, {"children": rows}) == ({"children": rows}, ())
    assert faults(worksheet, {"children": [*rows, {"child_name": "One more"}]}) == {"children": "41 rows are too many; the form takes 40. Split the list over two documents."}
