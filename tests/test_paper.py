"""The paper can be written on by hand and read by a camera: distances every form keeps.

1. Boxes to tick are 11 pt, rows of boxes at least 24 pt apart, boxes side by side at least 46 pt.
2. Signature places are at least 210 x 44 pt and empty.
3. No printed word stands in a field, none nearer than 3 pt to a box.
4. A row never breaks over two pages; all fits from the fewest to the most rows, on letter and A4.
"""

import io
from collections import defaultdict
from collections.abc import Callable, Iterator
from functools import cache, partial
from itertools import combinations
from pathlib import Path

import pdfplumber
import pytest

from formsvc.catalog import Catalog, shipped_folder
from formsvc.model.form import Form
from formsvc.model.kinds import LANGS, Choice, Lang, Signature, is_box
from formsvc.model.layout import CompiledForm, Slot
from formsvc.renderers.appearance import line_width
from formsvc.renderers.compile import compile_form
from formsvc.renderers.text import PADDING, SMALLEST

Compiled = Callable[[str, Lang, str, str], CompiledForm]
BORDER = 0.8  # points, drawn around the 9.4 pt that the field covers
NAMES = [form.id.name for form in Catalog((shipped_folder(),)).forms()]
PAPERS = ("letter", "a4")


def _at_once(name: str, lang: Lang, paper: str = "letter", *more: str) -> pytest.ParameterSet:
    """What is asked of one paper is asked in one process: laying it out takes seconds."""
    return pytest.param(*(name, lang, paper, *more), marks=pytest.mark.xdist_group(f"paper {name} {lang} {paper}"))


EVERY = [_at_once(name, lang, paper) for name in NAMES for lang in LANGS for paper in PAPERS]
LETTER = [_at_once(name, lang) for name in NAMES for lang in LANGS]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("paper")


@cache
def _catalog(folder: Path, paper: str) -> Catalog:
    own = folder / paper
    own.mkdir(exist_ok=True)
    (own / "profile.toml").write_text(f'paper = "{paper}"\n', encoding="utf-8")
    return Catalog((own, shipped_folder()))


@cache
def _compiled(folder: Path, blanks: Path, name: str, lang: Lang, paper: str, rows: str) -> CompiledForm:
    catalog = _catalog(folder, paper)
    form = catalog.form(catalog.latest(name))
    counts = {group.name: getattr(group, rows) for group in form.groups}
    return compile_form(catalog, form.id, counts, lang, blanks)


@pytest.fixture
def laid_out(folder: Path, blanks: Path) -> Compiled:
    """Papers laid out, each once."""
    return partial(_compiled, folder, blanks)


def _boxes(compiled: CompiledForm) -> Iterator[Slot]:
    return (slot for slot in compiled.layout.slots if is_box(slot.kind))


@pytest.mark.parametrize(("name", "lang", "paper"), EVERY)
def test_boxes_keep_their_size_and_distance(laid_out: Compiled, name: str, lang: Lang, paper: str) -> None:
    """Boxes are 11 pt; two on one page are at least 24 pt apart in height or 46 pt in width."""
    by_page = defaultdict(list)
    for slot in _boxes(laid_out(name, lang, paper, "blank")):
        assert slot.box[2] - slot.box[0] + 2 * BORDER == pytest.approx(11, abs=0.1), slot.name
        assert slot.box[3] - slot.box[1] + 2 * BORDER == pytest.approx(11, abs=0.1), slot.name
        by_page[slot.page].append(slot)
    for slots in by_page.values():
        for one, other in combinations(slots, 2):
            aside, above = abs(one.box[0] - other.box[0]), abs(one.box[1] - other.box[1])
            assert aside >= 45.95 or above >= 23.95, (one.name, other.name, aside, above)


@pytest.mark.parametrize(("name", "lang", "paper"), EVERY)
def test_signature_places_are_large(laid_out: Compiled, name: str, lang: Lang, paper: str) -> None:
    """A place to sign is at least 210 x 44 pt."""
    for slot in laid_out(name, lang, paper, "blank").layout.slots:
        if isinstance(slot.kind, Signature):
            assert slot.box[2] - slot.box[0] >= 210, slot.name
            assert slot.box[3] - slot.box[1] >= 43.9, slot.name


@pytest.mark.parametrize(("name", "lang", "paper"), LETTER)
def test_no_printed_word_stands_in_a_field(laid_out: Compiled, name: str, lang: Lang, paper: str) -> None:
    """Labels stay out of the fields, and 3 pt away from boxes."""
    compiled = laid_out(name, lang, paper, "minimum")
    with pdfplumber.open(io.BytesIO(compiled.blank)) as pdf:
        for number, page in enumerate(pdf.pages, start=1):
            slots = [slot for slot in compiled.layout.slots if slot.page == number]
            for word in page.extract_words():
                middle = float(page.height) - (word["top"] + word["bottom"]) / 2
                for slot in slots:
                    left, bottom, right, top = slot.box
                    gap = 3 - BORDER if is_box(slot.kind) else -0.3
                    inside = word["x1"] > left - gap and word["x0"] < right + gap and bottom < middle < top
                    assert not inside, (word["text"], slot.name)


@pytest.mark.parametrize(("name", "lang", "paper"), LETTER)
def test_every_choice_fits_its_box_legibly(laid_out: Compiled, name: str, lang: Lang, paper: str) -> None:
    """The longest label of a list fits its box at no less than the legible minimum."""
    for slot in laid_out(name, lang, paper, "minimum").layout.slots:
        if isinstance(slot.kind, Choice) and not slot.kind.boxes:
            longest = max(line_width(option.label.said(lang), SMALLEST) for option in slot.kind.options)
            assert longest <= slot.box[2] - slot.box[0] - 2 * PADDING, slot.name


LARGEST: tuple[tuple[Lang, str], ...] = (("en", "letter"), ("es", "a4"))
SIZES = [_at_once(name, lang, paper, rows) for name in NAMES for lang in LANGS for paper in PAPERS for rows in ("minimum", "blank")]
SIZES += [_at_once(name, *LARGEST[number % 2], "maximum") for number, name in enumerate(NAMES)]  # each takes ten seconds to lay out


@pytest.mark.parametrize(("name", "lang", "paper", "rows"), SIZES)
def test_rows_stay_whole_and_on_the_paper(laid_out: Compiled, name: str, lang: Lang, paper: str, rows: str) -> None:
    """From the fewest to the most rows, every field is on its page and no row breaks over two."""
    compiled = laid_out(name, lang, paper, rows)
    pages: dict[tuple[str, int], set[int]] = defaultdict(set)
    for slot in compiled.layout.slots:
        page = compiled.layout.pages[slot.page - 1]
        left, bottom, right, top = slot.box
        assert left >= 33, slot.name
        assert right <= page.width - 33, slot.name
        assert bottom >= 24, slot.name
        assert top <= page.height - 50, slot.name  # the binding edge: holes end 48 pt from it
        _note_row(compiled.form, slot, pages)
    assert [row for row, found in pages.items() if len(found) > 1] == []


def _note_row(form: Form, slot: Slot, pages: dict[tuple[str, int], set[int]]) -> None:
    place = form.find(slot.name)
    if place is not None and place.group is not None:
        pages[place.group.name, place.row].add(slot.page)


@pytest.mark.parametrize(("name", "lang", "paper"), EVERY)
def test_every_page_has_its_two_stamps(laid_out: Compiled, name: str, lang: Lang, paper: str) -> None:
    """Each page has a place for the QR stamp at the top right and the DataMatrix at the bottom left."""
    compiled = laid_out(name, lang, paper, "blank")
    for number, page in enumerate(compiled.layout.pages, start=1):
        first, second = (compiled.layout.by_name[f"stamp-{letter}-{number}"] for letter in "ab")
        assert first.page == second.page == number
        assert first.box[2] > page.width / 2
        assert first.box[1] > page.height / 2
        assert second.box[2] < page.width / 2
        assert second.box[3] < page.height / 2
