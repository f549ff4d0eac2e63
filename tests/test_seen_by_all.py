"""What we fill is what everybody sees: the same text, the same ticks, in every engine.

1. Each answered field shows its value as written on paper; what does not fit continues on an added page.
2. Ticked boxes are dark and empty boxes are clear.
3. Nothing is left to the viewer: no NeedAppearances.
4. Every paper, blank or filled, keeps all rules of PDF/UA-1.
"""

import io
import itertools
import unicodedata
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Final

import page as page_validation
import pikepdf
import pytest

from formsvc.demo import sample_values
from formsvc.model.interpret import answer_texts
from formsvc.model.kinds import LANGS, Choice, Lang, is_box
from formsvc.model.layout import Layout, Slot
from formsvc.model.values import write_value
from formsvc.service import Service, checked_values
from tests.papers import DOCUMENT, FORMS, SAMPLES
from tests.viewers.engines import ENGINES, Box, Engine, letters
from tests.viewers.fields import read_fields

SEEN: Final = (
    "worksheet-20-prefilled", "worksheet-8-children", "worksheet-spanish", "fcch-three-homes",
    "case-management-35-actions", "worksheet-scripts", "worksheet-long-notes",
)  # fmt: skip
DARK: Final = 0.1  # shares of a box
CLEAR: Final = 0.02
PAGES_LOOKED_AT: Final = 4  # drawing a page takes some engines a second
SAME_INK: Final = (0.6, 1.6)  # how far the ink of two engines' pictures of one text may be apart

CLUSTERS: Final = frozenset({"ARABIC", "HEBREW", "DEVANAGARI", "KHMER"})
UNREADABLE: Final[Mapping[str, tuple[frozenset[str], str]]] = {
    "pdfium": (CLUSTERS, "its text page drops or misplaces what stands in /ActualText, so a box reads empty"),
    "mupdf": (CLUSTERS, "it spreads /ActualText evenly over the glyphs, so letters fall into neighbouring words"),
    "ghostscript": (CLUSTERS | {"COMBINING", "EMOJI"}, "pdfwrite drops /ActualText and writes one letter of a cluster"),
}
"""Scripts that an engine draws right (looked at: worksheet-scripts at 110 dpi) but cannot hand out as text.

There its picture is compared with Poppler's instead, by ink.
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Filled:
    """A sample completely filled by us: what each field must show, and which boxes are ticked."""

    content: bytes
    layout: Layout
    texts: Mapping[str, str]
    ticked: frozenset[str]
    continued: Mapping[str, tuple[str, str]]
    """The fields whose text goes on elsewhere, with the mark that says where, long or short."""


@pytest.fixture(scope="module")
def filled(service: Service) -> "FilledBy":
    """Samples completely filled, each once."""
    return FilledBy(service)


class FilledBy:
    """Fills samples and remembers them."""

    def __init__(self, service: Service) -> None:
        """Begin with none."""
        self.service = service
        self._known: dict[str, Filled] = {}

    def __call__(self, name: str) -> Filled:
        """The filled sample."""
        if name not in self._known:
            self._known[name] = _fill(self.service, name)
        return self._known[name]


def _fill(service: Service, name: str) -> Filled:
    sample = SAMPLES[name]
    form = service.form(sample.form)
    values = checked_values(form, sample_values(name))
    issued = service.issue(sample.form, values, lang=sample.lang, document=DOCUMENT)
    places = list(answer_texts(form, values))
    return Filled(
        content=issued.content,
        layout=service.compiled(form, values, sample.lang).layout,
        texts={place.key: write_value(place.ask.kind, value, sample.lang) for place, value in places if value is not True},
        ticked=frozenset(place.key for place, value in places if value is True),
        continued={found.field: _marks(found.message) for found in issued.problems if found.code == "continued"},
    )


def _marks(message: str) -> tuple[str, str]:
    """How the field says where its text continues, without spaces: in a box of lines, in a single line."""
    page = message.partition("continues on page ")[2].partition(".")[0]
    return f"continuedonpage{page}", f"...p.{page}"


def _engine(name: str) -> Engine:
    engine = ENGINES[name]
    if missing := engine.available():
        pytest.skip(missing)
    return engine


def _box(slot: Slot) -> Box:
    x0, y0, x1, y1 = slot.box
    return Box(page=slot.page - 1, x0=x0, y0=y0, x1=x1, y1=y1)


def _squeezed(text: str) -> str:
    """The letters in their order; engines disagree on spaces and ligatures."""
    return "".join(unicodedata.normalize("NFKC", text).split())


# ---------------------------------------------------------------- text


@pytest.mark.parametrize("name", SEEN)
@pytest.mark.parametrize("engine", ENGINES)
def test_every_field_shows_its_value(filled: FilledBy, engine: str, name: str) -> None:
    """Every engine reads in each answered field exactly what was written there."""
    sheet = filled(name)
    texts = {key: text for key, text in sheet.texts.items() if key not in sheet.continued and not _scripts(text) & _unreadable(engine)}
    shown = _shown(_engine(engine), sheet, texts)
    assert {key: (text, shown[key]) for key, text in texts.items() if not _is_shown(text, shown[key])} == {}


def _shown(engine: Engine, sheet: Filled, keys: Mapping[str, str]) -> dict[str, str]:
    boxes = [_box(sheet.layout.by_name[key]) for key in keys]
    return dict(zip(keys, engine.shown_text(sheet.content, boxes), strict=True))


def _is_shown(text: str, shown: str) -> bool:
    """In order; engines order letters of scripts that run to the left, marks and emoji each in their way."""
    reorders = "EMOJI" in _scripts(text) or any(unicodedata.bidirectional(letter) in {"R", "AL", "AN"} or unicodedata.category(letter) in {"Mn", "Mc"} for letter in text)
    return letters(text) == letters(shown) if reorders else _squeezed(text) == _squeezed(shown)


def _unreadable(engine: str) -> frozenset[str]:
    return UNREADABLE[engine][0] if engine in UNREADABLE else frozenset()


def _scripts(text: str) -> set[str]:
    """The scripts of a text that some engine has trouble with."""
    return {script for letter in text if not letter.isascii() for script in _script(letter)} | ({"COMBINING"} if _is_combined(text) else set())


@cache
def _script(letter: str) -> tuple[str, ...]:
    word = unicodedata.name(letter, "").split(" ")[0]
    return (word,) if word in CLUSTERS else ("EMOJI",) if ord(letter) >= 0x1F000 or letter == "\ufe0f" else ()


def _is_combined(text: str) -> bool:
    """Whether marks follow Latin letters one by one."""
    return any(first.isascii() and first.isalpha() and unicodedata.combining(second) for first, second in itertools.pairwise(text))


@pytest.mark.parametrize("engine", UNREADABLE)
def test_what_an_engine_cannot_read_out_it_draws(filled: FilledBy, engine: str) -> None:
    """Where an engine has no words for a script, its picture has as much ink as Poppler's."""
    sheet = filled("worksheet-scripts")
    keys = [key for key, text in sheet.texts.items() if _scripts(text) & _unreadable(engine)]
    boxes = [_box(sheet.layout.by_name[key]) for key in keys]
    drawn, wanted = _engine(engine).ink(sheet.content, boxes), _engine("poppler").ink(sheet.content, boxes)
    least, most = SAME_INK
    assert {key: (ink, other) for key, ink, other in zip(keys, drawn, wanted, strict=True) if not least * other <= ink <= most * other} == {}


@pytest.mark.parametrize("engine", ENGINES)
def test_long_text_begins_in_its_box_and_goes_on_elsewhere(filled: FilledBy, engine: str) -> None:
    """The box shows the beginning and says where the rest is; both together are the whole text."""
    sheet = filled("worksheet-long-notes")
    shown = _shown(_engine(engine), sheet, {key: sheet.texts[key] for key in sheet.continued})
    flow = _continuation(_engine(engine), sheet)
    assert len(sheet.continued) > 1
    for key, text in shown.items():
        mark = next(mark for mark in sheet.continued[key] if mark in _squeezed(text))
        whole, beginning = _squeezed(sheet.texts[key]), _squeezed(text).replace(mark, "", 1)
        assert whole.startswith(beginning)
        assert whole != beginning
        assert engine == "pdfjs" or whole.removeprefix(beginning) in flow  # the harness asks pdf.js for widgets only


def _continuation(engine: Engine, sheet: Filled) -> str:
    """The text of the added pages, column by column."""
    first = sheet.layout.pages[0]
    middle = first.width / 2
    with pikepdf.open(io.BytesIO(sheet.content)) as document:
        numbers = range(len(sheet.layout.pages), len(document.pages))
    if engine is ENGINES["pdfjs"]:
        return ""
    columns = [Box(page=number, x0=left, y0=60, x1=left + middle, y1=first.height - 120) for number in numbers for left in (0, middle)]
    return _squeezed("".join(engine.shown_text(sheet.content, columns)))


# ---------------------------------------------------------------- ticks


@pytest.mark.parametrize("name", SEEN)
@pytest.mark.parametrize("engine", ENGINES)
def test_ticked_boxes_are_dark_and_empty_boxes_are_clear(filled: FilledBy, engine: str, name: str) -> None:
    """A person sees at a glance which boxes are ticked, in every engine."""
    sheet = filled(name)
    slots = [slot for slot in sheet.layout.slots if is_box(slot.kind) and slot.page <= PAGES_LOOKED_AT]
    inks = _engine(engine).ink(sheet.content, [_box(slot) for slot in slots])
    seen = {slot.name: "ticked" if ink > DARK else "empty" if ink < CLEAR else f"ink {ink:.3f}" for slot, ink in zip(slots, inks, strict=True)}
    assert {slot.name: "ticked" if slot.name in sheet.ticked else "empty" for slot in slots} == seen


# ---------------------------------------------------------------- kept rules


@pytest.mark.parametrize("name", SAMPLES)
def test_nothing_is_left_to_the_viewer(filled: FilledBy, name: str) -> None:
    """Viewers need not draw anything, and each answered field has its picture."""
    with pikepdf.open(io.BytesIO(filled(name).content)) as document:
        assert "/NeedAppearances" not in document.Root.AcroForm
        assert [str(field.T) for field in document.Root.AcroForm.Fields if "/V" in field and "/AP" not in field] == []


@pytest.mark.parametrize("name", SAMPLES)
def test_choices_offer_the_labels_of_the_definition(filled: FilledBy, name: str) -> None:
    """What a viewer lists, and some writers store, is letter by letter what the definition says."""
    sheet, lang = filled(name), SAMPLES[name].lang
    offered = {field.name: field.options for field in read_fields(sheet.content).values() if field.kind == "choice"}
    wanted = {slot.name: tuple((option.code, option.label.said(lang)) for option in slot.kind.options) for slot in sheet.layout.slots if isinstance(slot.kind, Choice) and slot.name in offered}
    assert {key: offered[key] for key in offered if offered[key] != wanted[key]} == {}


@pytest.mark.parametrize("name", SAMPLES)
def test_a_filled_paper_keeps_pdf_ua(filled: FilledBy, tmp_path: Path, name: str) -> None:
    """No rule of PDF/UA-1 fails in a filled paper."""
    assert _broken_rules(filled(name).content, tmp_path) == {}


@pytest.mark.parametrize("rows", ["usual rows", "one row"])
@pytest.mark.parametrize("lang", LANGS)
@pytest.mark.parametrize("form", FORMS)
def test_a_blank_form_keeps_pdf_ua(service: Service, tmp_path: Path, form: str, lang: Lang, rows: str) -> None:
    """No rule of PDF/UA-1 fails in a blank form, with its usual rows or with one."""
    group = next((group for group in service.form(form).groups if not group.presets), None)
    if rows == "one row" and group is None:
        pytest.skip("this form has no rows")
    issued = service.issue(form, {group.name: [{}]} if rows == "one row" and group else None, lang=lang, document=DOCUMENT)
    assert _broken_rules(issued.content, tmp_path) == {}


def _broken_rules(pdf: bytes, folder: Path) -> Counter[str]:
    file = folder / "paper.pdf"
    file.write_bytes(pdf)
    report = page_validation.validate_pdf(file, profile="ua1")
    return Counter(str(failure) for failure in report.failures)
