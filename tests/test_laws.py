"""The three laws of the design, as properties of every form in the catalog.

1. Round trip: what is issued reads back equal, for every value a person can type.
2. Nothing is lost: every raw answer becomes a value or a problem at its field; long text is whole.
3. One place for each fact: paper, web and record name the same answers.
"""

import io
import os
from collections.abc import Iterator
from pathlib import Path

import pikepdf
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from formsvc.catalog import Catalog, shipped_folder
from formsvc.documents import Documents
from formsvc.model.form import Form, Place
from formsvc.model.interpret import answer_texts, interpret
from formsvc.model.kinds import LANGS, Choices, Lang, LongText, is_box
from formsvc.model.layout import CompiledForm
from formsvc.model.record import Answer, Row, Submission, Value
from formsvc.model.schema import load_values
from formsvc.model.stamp import Stamp, new_document
from formsvc.model.values import UNSEEN
from formsvc.parsers import posted, triage
from formsvc.reading import Paper, read_paper
from formsvc.renderers.compile import compile_form
from formsvc.renderers.fill import fill
from formsvc.renderers.web_form import Filling, raw_of, screen_form
from formsvc.service import nothing_known
from tests.fields import Fields
from tests.producers import pdfium
from tests.strategies import data_of

KEY = b"the laws are tested with this key"
ROWS = 3
CATALOG = Catalog((shipped_folder(),))
FORMS = [form.id.name for form in CATALOG.forms()]
EVERY = [(name, lang) for name in FORMS for lang in LANGS]
PRINTED = int(os.environ.get("FORMSVC_PRINTED", "2"))
"""Prints of each form: a page of other scripts takes seconds. More by hand."""
PATIENT = settings(max_examples=20, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large, HealthCheck.filter_too_much])


def read_fields(content: bytes) -> Submission:
    """The answers of a form that has its fields."""
    submission = triage.read(content, CATALOG, KEY, None).submission
    assert submission is not None
    return submission


def _form(name: str) -> Form:
    return CATALOG.form(CATALOG.latest(name))


@pytest.fixture(scope="module")
def cache(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("cache")


def _compiled(name: str, lang: Lang, cache: Path) -> CompiledForm:
    form = _form(name)
    return compile_form(CATALOG, form.id, {group.name: ROWS for group in form.groups}, lang, cache)


@pytest.mark.parametrize(("name", "lang"), [(name, LANGS[number % len(LANGS)]) for number, name in enumerate(FORMS)])
def test_a_print_reads_back_equal_or_is_told(name: str, lang: Lang, cache: Path) -> None:
    """Law 1 for prints, of which nothing is known but the page: every answer is equal (but for white space and what cannot be seen) or a person is asked."""
    compiled = _compiled(name, lang, cache)

    @settings(PATIENT, max_examples=PRINTED)
    @given(data_of(compiled.form, ROWS))
    def holds(data: dict[str, object]) -> None:
        values, _ = load_values(compiled.form, data)
        filled = fill(compiled, values, Stamp(document=new_document(), code=compiled.form.code, version=1), KEY)
        truth = {key: UNSEEN.sub("", answer.raw) for key, answer in read_fields(filled.content).answers.items()}
        [part] = read_paper(Paper(content=pdfium(filled.content)), Documents(CATALOG, KEY, cache, nothing_known))
        assert part.submission is not None
        found, told = part.submission.answers, {problem.field for problem in part.submission.problems if problem.field}
        wrong = [key for key in truth if UNSEEN.sub("", found[key].raw) != truth[key]]
        assert [key for key in wrong if not any(key == field or key.startswith(f"{field}-") for field in told)] == []

    holds()


@pytest.mark.parametrize(("name", "lang"), EVERY)
def test_what_is_issued_reads_back_equal(name: str, lang: Lang, cache: Path) -> None:
    """Law 1: read(issue(values)).values == values, and reading raises no doubt about what was written."""
    compiled = _compiled(name, lang, cache)

    @PATIENT
    @given(data_of(compiled.form, ROWS))
    def holds(data: dict[str, object]) -> None:
        values, wrong = load_values(compiled.form, data)
        assert wrong == ()
        stamp = Stamp(document=new_document(), code=compiled.form.code, version=1)
        filled = fill(compiled, values, stamp, KEY)
        record = interpret(compiled.form, read_fields(filled.content))
        assert record.values == values
        assert record.document == stamp.document
        assert {found.code for found in record.problems} <= {"missing-answer"}

    holds()


@pytest.mark.parametrize(("name", "lang"), EVERY)
def test_what_a_browser_sends_back_untouched_reads_back_equal(name: str, lang: Lang) -> None:
    """Law 1 on screen: the page of a record, sent as a browser sends it, is the record."""
    form = _form(name)
    counts = {group.name: ROWS for group in form.groups}

    @PATIENT
    @given(data_of(form, ROWS))
    def holds(data: dict[str, object]) -> None:
        values, wrong = load_values(form, data)
        assert wrong == ()
        filling = Filling(answers={place.key: raw_of(place, value) for place, value in answer_texts(form, values)})
        sent = Fields(f'<form id="fill">{screen_form(CATALOG, form, counts, lang, filling)}</form>').found
        record = interpret(form, posted.parse(form, "", sent))
        assert record.values == values
        assert {found.code for found in record.problems} <= {"missing-answer"}

    holds()


@pytest.mark.parametrize("name", FORMS)
def test_no_raw_answer_is_dropped(name: str) -> None:
    """Law 2: whatever stands in a field becomes a value or a problem at that field, unless it is blank."""
    form = _form(name)
    places = list(form.places({group.name: ROWS for group in form.groups}))
    raws = st.one_of(st.text(max_size=30), st.sampled_from(["on", "11/31/2026", "7 p.m.", "maybe", "1,000", "Nov 2026"]))

    @PATIENT
    @given(st.dictionaries(st.sampled_from([place.key for place in places]), raws, max_size=20))
    def holds(found: dict[str, str]) -> None:
        submission = Submission(form=form.id, document="", source="acroform", answers={key: Answer(raw=raw) for key, raw in found.items()})
        record = interpret(form, submission)
        doubted = {problem.field for problem in record.problems}
        for place in places:
            raw = found.get(place.key, "")
            if not raw.strip() or (is_box(place.ask.kind) and raw != "on"):
                continue
            assert _has_value(place, record.values) or place.key in doubted or place.key.rpartition("-")[0] in doubted, place.key

    holds()


def _has_value(place: Place, values: object) -> bool:
    assert isinstance(values, dict)
    row = values if place.group is None else dict(enumerate(values.get(place.group.name, ()))).get(place.row, {})
    value = row.get(place.ask.name)
    if place.option is not None:
        return place.option.code in value if isinstance(place.ask.kind, Choices) and value else value == place.option.code
    return value is not None


@pytest.mark.parametrize(("name", "lang"), EVERY)
def test_text_longer_than_its_box_is_whole_in_the_value_and_goes_on_in_print(name: str, lang: Lang, cache: Path) -> None:
    """Law 2: a text too long for every box reads back whole, and pages are added on which it continues."""
    compiled = _compiled(name, lang, cache)
    group, ask = next((group, ask) for group in compiled.form.groups for ask in group.asks if isinstance(ask.kind, LongText))
    text = " ".join(f"word{number}" for number in range(900))
    row: Row = {ask.name: text}
    values: dict[str, Value | list[Row]] = {group.name: [row]}
    stamp = Stamp(document=new_document(), code=compiled.form.code, version=1)
    filled = fill(compiled, values, stamp, KEY)
    assert [found.code for found in filled.problems] == ["continued"]
    record = interpret(compiled.form, read_fields(filled.content))
    assert record.values == values
    with pikepdf.open(io.BytesIO(filled.content)) as pdf:
        assert len(pdf.pages) > len(compiled.layout.pages)


@pytest.mark.parametrize(("name", "lang"), EVERY)
def test_paper_and_record_name_the_same_answers(name: str, lang: Lang, cache: Path) -> None:
    """Law 3: the fields of the blank are exactly the form's places (and stamps), each with a label of its own."""
    compiled = _compiled(name, lang, cache)
    wanted = {place.key for place in compiled.form.places(compiled.row_counts)}
    labels = dict(_labels(compiled.blank))
    assert wanted == {key for key in labels if not key.startswith("stamp-")}
    answers = [label for key, label in labels.items() if not key.startswith("stamp-")]
    assert len(answers) == len(set(answers))
    assert all(answers)


def _labels(pdf: bytes) -> Iterator[tuple[str, str]]:
    with pikepdf.open(io.BytesIO(pdf)) as document:
        for field in document.Root.AcroForm.Fields:
            yield str(field.T), str(field.TU)
