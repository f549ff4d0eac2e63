"""How a submission becomes a record: nothing that was written is dropped, every doubt has its field.

1. Answers give values in their one spelling, whatever the way they came.
2. What cannot be understood stays in the answers and becomes a problem at its field.
3. Rows keep their places; what a form asks for and nobody answered is told.
"""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from formsvc.model.form import Form
from formsvc.model.interpret import answer_texts, interpret
from formsvc.model.kinds import LANGS, Choice, Choices, Day, Kind, Lang, LongText, Number, Text, Tick
from formsvc.model.record import Answer, Problem, Record, Submission, problem
from formsvc.model.values import ON, write_value
from tests.small_forms import BY_NAME, COLORS, DOCUMENT, FORMS, TRIES, ask, form_of, records_of, rows_of

SMALL = form_of(
    ask("line", Text(limit=10)), ask("note", LongText(limit=20)), ask("count", Number(least=1, most=9)), ask("day", Day()), ask("tick", Tick()),
    ask("color", Choice(options=COLORS)), ask("one", Choice(options=COLORS, boxes=True)), ask("many", Choices(options=COLORS)),
    groups=(rows_of("people", ask("name", Text()), ask("came", Tick()), most=4),),
)  # fmt: skip


def understood(raws: dict[str, str], form: Form = SMALL, problems: tuple[Problem, ...] = ()) -> Record:
    """The record of a document with these answers."""
    answers = {key: Answer(raw=raw) for key, raw in raws.items()}
    return interpret(form, Submission(form=form.id, document=DOCUMENT, source="acroform", answers=answers, problems=problems))


def doubts(record: Record) -> list[tuple[str, str, str]]:
    """The problems of a record as (severity, code, field)."""
    return [(found.severity, found.code, found.field) for found in record.problems]


@pytest.mark.parametrize(("expected", "raws"), [
    ({}, {}),
    ({}, {"line": "", "note": "\r", "tick": "", "many-red": ""}),
    ({"line": "two words", "note": "one\ntwo", "count": 7, "day": "2026-11-05"}, {"line": "two words", "note": "one\r\ntwo", "count": " 7 ", "day": "5 de noviembre de 2026"}),
    ({"tick": True, "color": "green", "one": "red", "many": ["red", "other"]}, {"tick": ON, "color": "Verde claro", "one-red": ON, "many-other": ON, "many-red": ON}),
    ({"people": [{"name": "Ana", "came": True}]}, {"people-0-name": "Ana", "people-0-came": ON, "people-1-name": "", "people-3-came": ""}),
])  # fmt: skip
def test_answers_become_values(expected: dict[str, Any], raws: dict[str, str]) -> None:
    """Answers are read kind by kind, and what is empty is left out."""
    record = understood(raws)
    assert (expected, (), DOCUMENT, SMALL.id) == (record.values, record.problems, record.document, record.form)


@pytest.mark.parametrize(("field", "code", "raws"), [
    ("count", "unreadable-value", {"count": "many"}), ("day", "unreadable-value", {"day": "2/30/2026"}), ("color", "not-an-option", {"color": "blue"}),
    ("tick", "not-a-tick", {"tick": "maybe"}), ("many-red", "not-a-tick", {"many-red": "maybe"}), ("one-red", "not-a-tick", {"one-red": "maybe"}),
])  # fmt: skip
def test_what_cannot_be_understood_is_a_question(field: str, code: str, raws: dict[str, str]) -> None:
    """An answer that cannot be understood gives no value, and an error at its field that quotes it."""
    record = understood(raws)
    assert record.values == {}
    assert doubts(record) == [("error", code, field)]
    assert f"“{raws[field]}”" in record.problems[0].message


def test_two_marks_are_a_question() -> None:
    """Of boxes that exclude each other, two marks are no answer, and the problem names both."""
    record = understood({"one-red": ON, "one-other": ON})
    assert record.values == {}
    assert doubts(record) == [("error", "two-marks", "one")]
    assert "red, other" in record.problems[0].message


@pytest.mark.parametrize(("count", "doubt"), [("9", []), ("1", []), ("10", [("error", "out-of-range", "count")]), ("0", [("error", "out-of-range", "count")])])
def test_a_number_out_of_range_is_kept_and_told(count: str, doubt: list[tuple[str, str, str]]) -> None:
    """A number outside its limits is kept as it was written, with an error."""
    record = understood({"count": count})
    assert record.values == {"count": int(count)}
    assert doubts(record) == doubt


@pytest.mark.parametrize(("expected", "code", "raws"), [
    ({"line": "x" * 11}, "too-long", {"line": "x" * 11}),
    ({"note": "y" * 2_000}, "too-long", {"note": "y" * 2_000}),
    ({"line": "a b"}, "line-break", {"line": "a\rb"}),
    ({"line": "a\x07b"}, "control-character", {"line": "a\x07b"}),
])  # fmt: skip
def test_odd_text_is_kept_whole(expected: dict[str, str], code: str, raws: dict[str, str]) -> None:
    """Text that is too long, broken or unprintable is kept whole, with a warning."""
    record = understood(raws)
    assert expected == record.values
    assert doubts(record) == [("warning", code, next(iter(raws)))]


@pytest.mark.parametrize("key", ["bogus", "people-0-age", "people-4-name", "people-00-name", "people-0", "people", "one", "many-blue", "line-x", "tick-on", "people-x-name", "people--1-name", "people-0-name-", "", "people-²-name"])
def test_a_field_the_form_does_not_ask_for_is_kept_and_told(key: str) -> None:
    """An unknown field gives no value, but its text stays in the answers and a warning names it."""
    record = understood({key: "something", "line": "x"})
    assert record.values == {"line": "x"}
    assert doubts(record) == [("warning", "unknown-field", key)]


def test_an_empty_unknown_field_is_nothing() -> None:
    """A field that is unknown and empty is not worth a word."""
    assert understood({"bogus": ""}).problems == ()


@pytest.mark.parametrize("key", ["people-" + "9" * 5_000 + "-name", "people-9999-name", "people-٣-name", "x" * 100_000, "-" * 50_000])
def test_a_hostile_name_is_an_unknown_field(key: str) -> None:
    """A name made to break or to slow the reader is one more unknown field."""
    assert doubts(understood({key: "x"})) == [("warning", "unknown-field", key)]


def test_rows_between_keep_their_place() -> None:
    """Blank rows between filled ones stay, so that a row is the same child as on paper; blank rows at the end go."""
    record = understood({"people-2-name": "Cid", "people-0-name": "Ana", "people-3-name": " "})
    assert record.values == {"people": [{"name": "Ana"}, {}, {"name": "Cid"}]}


def test_what_must_be_answered_is_told() -> None:
    """A required question without an answer is an error; an unreadable answer is told as what it is, and as missing."""
    form = form_of(ask("site", Text(), required=True), ask("day", Day(), required=True))
    assert doubts(understood({"site": "x", "day": "5/5/26"}, form)) == []
    assert doubts(understood({"site": " "}, form)) == [("error", "missing-answer", "site"), ("error", "missing-answer", "day")]
    assert doubts(understood({"site": "x", "day": "soon"}, form)) == [("error", "unreadable-value", "day"), ("error", "missing-answer", "day")]


def test_problems_of_the_document_come_first() -> None:
    """What was seen while reading stays in the record, before what is found in the answers."""
    seen = problem("stamp-missing")
    assert understood({"bogus": "x"}, problems=(seen,)).problems[0] is seen


# ---------------------------------------------------------------- there and back


@pytest.mark.parametrize("lang", LANGS)
@pytest.mark.parametrize("form", FORMS, ids=lambda form: form.id.name)
@TRIES
@given(data=st.data())
def test_every_record_comes_back_from_its_answers(form: Form, lang: Lang, data: st.DataObject) -> None:
    """The places a record answers, written in either language and interpreted, give the same record."""
    values = data.draw(records_of(form))
    raws = {place.key: _written(place.ask.kind, value, lang) for place, value in answer_texts(form, values)}
    record = understood(raws, form)
    assert values == record.values
    assert {found.code for found in record.problems} <= {"missing-answer"}


def _written(kind: Kind, value: Any, lang: Lang) -> str:
    return ON if value is True else write_value(kind, value, lang)


def test_places_answered_are_one_for_each_mark() -> None:
    """A record answers one place for each text and for each marked box, and none for what is unticked."""
    values: dict[str, Any] = {"line": "x", "tick": True, "one": "red", "many": ["red", "other"], "people": [{}, {"name": "Ana"}], "bogus": 1}
    assert [place.key for place, _ in answer_texts(SMALL, values)] == ["line", "tick", "one-red", "many-red", "many-other", "people-1-name"]


@TRIES
@given(st.dictionaries(st.text(max_size=30) | st.from_regex(r"(children|attendance|bogus)-[0-9]{1,5}-(areas|role|name)(-[a-z]{1,9})?", fullmatch=True), st.text(max_size=30), max_size=8))
def test_any_answers_are_interpreted(raws: dict[str, str]) -> None:
    """Whatever names and texts a document holds, every text that is no value has its problem."""
    record = understood(raws, BY_NAME["worksheet"])
    told = {found.field for found in record.problems}
    for key, raw in raws.items():
        if raw.strip():
            assert key in told or BY_NAME["worksheet"].find(key)
