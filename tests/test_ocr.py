"""Text in pictures of fields is read exactly or left to a person."""

import json
import resource
from collections.abc import Callable
from functools import cache
from pathlib import Path
from unittest.mock import Mock

import cv2
import numpy as np
import pypdfium2
import pytest
from numpy.typing import NDArray

from formsvc.model.kinds import Choice, Day, Kind, LongText, Number, Option, Signature, Stamp, Text, Time, Words, is_box
from formsvc.parsers.expect import fits, same, snap
from formsvc.parsers.ocr import TextReader
from formsvc.parsers.ocr_crop import lines, prepare
from formsvc.parsers.ocr_engines import Line, open_network, tessdata, tidy
from formsvc.parsers.ocr_gaps import settle
from formsvc.parsers.ocr_judge import Said, judged
from formsvc.parsers.ocr_mend import mended
from formsvc.parsers.ocr_paper import darkness, stain, streaks, without
from formsvc.service import Service

Gray = NDArray[np.uint8]
Field = tuple[Kind, str, Gray, Gray]
VALUES = Path(__file__).parent.parent / "samples" / "values"

needs_data = pytest.mark.skipif(tessdata() is None, reason="Tesseract's data are missing: sudo apt-get install tesseract-ocr-eng tesseract-ocr-spa")


@cache
def reader() -> TextReader:
    return TextReader("en")


def drawn(text: str, *, wide: int = 560, high: int = 67, size: float = 1.0, at: int = 46) -> tuple[Gray, Gray]:
    """A field with a frame, as at 300 dpi, and the same without the text."""
    blank = np.full((high, wide), 255, np.uint8)
    cv2.rectangle(blank, (8, 8), (wide - 9, high - 9), 90, 2)
    filled = blank.copy()
    for number, line in enumerate(text.split("\n")):
        cv2.putText(filled, line, (18, at + 44 * number), cv2.FONT_HERSHEY_SIMPLEX, size, 0, 2, cv2.LINE_AA)
    return filled, blank


@pytest.fixture(scope="module")
def typed(service: Service) -> list[Field]:
    """Every text field of the first page of a filled worksheet: its kind, its text, its picture, the blank one."""
    values = json.loads((VALUES / "worksheet-8-children.json").read_text())
    issued = service.issue("worksheet", values)
    compiled = service.compiled(service.form("worksheet"), issued.values, "en")
    filled, blank = _raster(issued.content), _raster(compiled.blank)
    texts = _texts(issued.content)
    height = compiled.layout.pages[0].height
    found: list[Field] = []
    for slot in compiled.layout.slots:
        if slot.page == 1 and not is_box(slot.kind) and not isinstance(slot.kind, Stamp | Signature):
            left, bottom, right, top = (value * 300 / 72 for value in slot.box)
            rows, columns = slice(round(height * 300 / 72 - top) - 8, round(height * 300 / 72 - bottom) + 8), slice(round(left) - 8, round(right) + 8)
            found.append((slot.kind, texts.get(slot.name, ""), filled[rows, columns], blank[rows, columns]))
    return found


def _raster(content: bytes) -> Gray:
    with pypdfium2.PdfDocument(content) as pdf:
        pdf.init_forms()
        picture = pdf[0].render(scale=300 / 72, grayscale=True, may_draw_forms=True).to_numpy()
        return np.array(picture).reshape(picture.shape[:2])


def _texts(content: bytes) -> dict[str, str]:
    from benchmarks.scans.text_pages import shown_texts  # noqa: PLC0415  (the measuring side knows how)

    return shown_texts(content)


@needs_data
def test_clean_typed_fields_are_read_exactly(typed: list[Field]) -> None:
    """Every typed field of a clean page is read exactly, and nearly all are sure."""
    read = [(text, reader().read(crop, blank, kind)) for kind, text, crop, blank in typed if text]
    assert [(text, found.text) for text, found in read if found.text.split() != text.split()] == []
    assert sum(found.sure for _, found in read) >= 0.95 * len(read)


def test_an_empty_field_is_empty(typed: list[Field]) -> None:
    """A field in which nothing stands has no ink, whatever is printed around it."""
    empty = [reader().read(crop, blank, kind) for kind, text, crop, blank in typed if not text]
    assert len(empty) >= 8
    assert all(found.looks == "empty" and not found.ink and found.text == "" and found.sure for found in empty)


def test_a_button_of_the_viewer_on_the_blank_hides_nothing() -> None:
    """What only the blank shows inside a field (a list's arrow) is not taken from what is written there."""
    filled, blank = drawn("Mental Health Consultant", wide=470, size=1.0)
    cv2.rectangle(blank, (412, 14), (452, 52), 0, 5)
    assert reader().read(filled, blank, Text()).text == "Mental Health Consultant"


def test_a_wrong_date_is_not_sure() -> None:
    """A reading that its kind does not allow is never sure, however clear it stands there."""
    filled, blank = drawn("13/45/2026")
    found = reader().read(filled, blank, Day())
    assert (found.text, found.sure) == ("13/45/2026", False)


@needs_data
def test_a_date_is_never_drawn_to_the_expected_one() -> None:
    """A date that differs from the issued one stays what it is."""
    filled, blank = drawn("11/25/2026")
    assert reader().read(filled, blank, Day(), ["11/26/2026"]).text == "11/25/2026"


@needs_data
def test_faint_noise_is_not_sure() -> None:
    """Text that is hardly there is left to a person."""
    filled, blank = drawn("Juniper Silverpond")
    rng = np.random.default_rng(3)
    worn = cv2.GaussianBlur(np.clip(rng.normal(225, 40, filled.shape) - (255 - filled.astype(float)) * 0.2, 0, 255).astype(np.uint8), (0, 0), 1.0)
    assert not reader().read(worn.astype(np.uint8), blank, Text()).sure


def test_without_tesseract_nothing_is_sure(monkeypatch: pytest.MonkeyPatch) -> None:
    """One engine alone gives suggestions only."""
    monkeypatch.setattr("formsvc.parsers.ocr.tesseract", lambda _lang: None)
    filled, blank = drawn("Cedar Hall")
    found = TextReader("en").read(filled, blank, Text())
    assert (found.text, found.sure, found.ink) == ("Cedar Hall", False, True)


@needs_data
def test_lines_of_a_long_field_are_read_one_by_one() -> None:
    """Paragraphs come back line by line."""
    filled, blank = drawn("Help the family\nto book the visit", high=130)
    assert lines(prepare(filled, blank)) != []
    assert reader().read(filled, blank, LongText()).text == "Help the family\nto book the visit"


@needs_data
def test_memory_does_not_grow() -> None:
    """Reading 300 fields takes no more memory than reading 60."""
    fields = [drawn(f"{hour}:30", wide=110, size=0.8) for hour in (8, 9, 10)]
    peak: list[int] = []
    for rounds in (20, 80):
        for _ in range(rounds):
            for crop, blank in fields:
                reader().read(crop, blank, Time())
        peak.append(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss)
    assert peak[1] - peak[0] < 20_000


COLORS = Choice(options=tuple(Option(code=code, label=Words(en=label, es=label)) for code, label in (("e", "Education"), ("h", "Health"), ("m", "Mental health"))))


@pytest.mark.parametrize(
    ("kind", "readings", "expected", "known"),
    [
        (Text(), ["Anton Cedarquay", "Anton  Cedarquay."], ["Anton Cedarquay", "Ruth Canterwell"], "Anton Cedarquay"),
        (Text(), ["Theo Nunez", "Theo Nuñez"], ["Theo Nuñez"], "Theo Nuñez"),
        (Text(), ["WC-I2O1", "WC-1201"], ["WC-1201", "WC-1202"], "WC-1201"),
        (Text(), ["WC-1207", "WC-1201"], ["WC-1201"], None),
        (Text(), ["Maria", "Mario"], ["Maria"], None),
        (Text(), ["Ana", "Ana"], ["Ana", "Aná"], None),
        (COLORS, ["Educat1on", "Educaton"], ["Education", "Health", "Mental health"], "Education"),
        (Day(), ["11/25/2026"], ["11/26/2026"], None),
        (Text(), ["anything"], [], None),
    ],
)
def test_a_reading_snaps_only_to_the_one_it_must_be(kind: Kind, readings: list[str], expected: list[str], known: str | None) -> None:
    """Look-alike letters and accents are forgiven, other letters and digits are not."""
    assert snap(kind, readings, expected) == known


@pytest.mark.parametrize(
    ("kind", "text", "fitting"),
    [(Day(), "11/05/2026", True), (Day(), "11/O5/2026", False), (Time(), "9:30 AM", True), (Time(), "9:3O", False), (Number(most=20), "12", True), (Number(), "l2", False), (Text(), "Ana", True), (Text(), " ", False), (COLORS, "health", True), (COLORS, "wealth", False)],
)
def test_a_kind_says_what_is_possible(kind: Kind, text: str, fitting: bool) -> None:
    """The same rule book that reads answers judges readings."""
    assert fits(kind, text) is fitting


@pytest.mark.parametrize(
    ("text", "others", "wide", "settled"),
    [
        ("2y9m", ["2y9m"], {1: 0.38, 2: 0.4, 3: 0.5}, ("2 y 9 m", True)),
        ("Ana Luz", ["AnaLuz"], {3: 0.5}, ("Ana Luz", True)),
        ("AnaLuz", ["AnaLuz", "Ana Luz"], {3: 0.3}, ("Ana Luz", True)),
        ("Quietwate r", ["Quietwater"], {9: 0.1}, ("Quietwater", True)),
        ("Ana Luz", ["AnaLuz"], {3: 0.17}, ("Ana Luz", False)),
        ("Ana Luz", ["Ana Luz"], {3: 0.17}, ("Ana Luz", True)),
        ("7K3QF", ["7K3QF"], {1: 0.15, 2: 0.15}, ("7K3QF", True)),
        ("gentle or.", ["gentle or."], {8: 0.25}, ("gentle or.", False)),
        ("04/11/2020", ["04/11/2020"], {6: 0.41}, ("04/11/2020", True)),
        ("Ana Luz", ["Another text"], {3: 0.5}, ("Ana Luz", True)),
    ],
)
def test_paper_decides_where_words_end(text: str, others: list[str], wide: dict[int, float], settled: tuple[str, bool]) -> None:
    """A space that any reading has stands unless letters touch; where none has one, the gap decides."""
    assert settle(text, others, wide) == settled


@needs_data
def test_a_hand_is_not_sure_unless_it_was_expected() -> None:
    """Letters that rise and fall are somebody's hand, however clear: only the text that was expected there is sure."""
    filled, blank = drawn("", high=90)
    for number, letter in enumerate("HAZELWOOD"):
        cv2.putText(filled, letter, (18 + 27 * number, 52 + (0, 5, 1, 6, 2, 5)[number % 6]), cv2.FONT_HERSHEY_SIMPLEX, 1.0, 0, 2, cv2.LINE_AA)
    found = reader().read(filled, blank, Text())
    assert (found.text, found.sure, found.looks) == ("HAZELWOOD", False, "written")
    assert reader().read(filled, blank, Text(), ["HAZELWOOD"]).sure


def test_a_long_line_is_read_in_halves(monkeypatch: pytest.MonkeyPatch) -> None:
    """The same letters, and each one's place in the whole line; the network is never shown more than a part of it."""
    text = "Hearing and vision were checked in the fall and once more in the spring of this year"
    filled, _ = drawn(text, wide=1700)
    line, network = filled[12:55, 12:1660], open_network()
    assert network is not None
    shown = Mock(side_effect=network._read)
    monkeypatch.setattr(network, "_read", shown)
    found = network.read(line)
    widths = [call.args[0].shape[1] for call in shown.call_args_list]
    assert (found.text.replace(" ", ""), len(widths) > 1, sum(widths)) == (text.replace(" ", ""), True, line.shape[1])
    assert len(found.places) == len(text.replace(" ", ""))
    assert (np.diff(found.places) > 0).all()


def test_spacing_is_not_spelling() -> None:
    """Readings of the same letters say the same."""
    assert same("2 y 9 m", "2y9m")
    assert not same("Ana", "Ane")


@needs_data
def test_a_last_line_of_one_digit_is_not_lost() -> None:
    """A long note that goes on with a single sign: Tesseract drops it, so a person is asked; it is never simply gone."""
    text = "Her mother asks for another test of her hearing in\n3"
    filled, blank = drawn(text, wide=1150, high=170)
    found = reader().read(filled, blank, LongText())
    assert "3" in found.text or not found.sure
    assert len(lines(prepare(filled, blank))) == 2


@needs_data
def test_a_stain_is_no_writing_and_pencil_is() -> None:
    """Beside a typed word: what is broad and pale is a stain, a thin pale stroke may be a word that was missed."""
    clean, blank = drawn("Hearing", wide=700)
    stained, pencilled = clean.copy(), clean.copy()
    cv2.circle(stained, (560, 33), 22, 205, -1, cv2.LINE_AA)
    for x in range(520, 640, 12):
        cv2.line(pencilled, (x, 45), (x + 6, 22), 195, 4, cv2.LINE_AA)
        cv2.line(pencilled, (x + 6, 22), (x + 12, 45), 195, 4, cv2.LINE_AA)
    assert [reader().read(picture, blank, Text()).sure for picture in (clean, stained, pencilled)] == [True, True, False]


def out_of_focus(picture: Gray, rng: np.random.Generator) -> Gray:
    return np.clip(rng.normal(cv2.GaussianBlur(picture, (0, 0), 3.0), 3), 0, 255).astype(np.uint8)


def under_a_cup(picture: Gray, _rng: np.random.Generator) -> Gray:
    ring = np.zeros(picture.shape, np.uint8)
    cv2.ellipse(ring, (150, picture.shape[0]), (90, 80), 0, 0, 360, 255, 20)
    return (picture * (1 - 0.38 * cv2.GaussianBlur(ring, (0, 0), 6) / 255)).astype(np.uint8)


def through_dirt(picture: Gray, _rng: np.random.Generator) -> Gray:
    dirty = picture.copy()
    for column in (40, 95, 133):
        dirty[:, column : column + 3] = dirty[:, column : column + 3] * 0.55
    return dirty


def on_rough_paper(picture: Gray, rng: np.random.Generator) -> Gray:
    fine = cv2.resize(picture, None, fx=2 / 3, fy=2 / 3, interpolation=cv2.INTER_AREA)
    rough = np.clip(rng.normal(230 / 255 * fine, 32), 0, 255).astype(np.uint8)
    return cv2.resize(rough, (picture.shape[1], picture.shape[0]), interpolation=cv2.INTER_LINEAR).astype(np.uint8)


@needs_data
@pytest.mark.parametrize(("wear", "least"), [(out_of_focus, 0.85), (under_a_cup, 0.9), (through_dirt, 0.9), (on_rough_paper, 0.9)])
def test_what_was_worn_is_mended_and_read(typed: list[Field], wear: Callable[[Gray, np.random.Generator], Gray], least: float) -> None:
    """A scan out of focus, a cup's ring, dirt on the glass, rough paper: most fields need nobody, and none is wrong."""
    rng = np.random.default_rng(5)
    read = [(text, reader().read(wear(crop, rng), blank, kind)) for kind, text, crop, blank in typed if text]
    assert [(text, found.text) for text, found in read if found.sure and found.text.split() != text.split()] == []
    assert sum(found.sure for _, found in read) >= least * len(read)


def test_pens_are_not_mended_away() -> None:
    """A thin pale stroke, a broad dark one, and a line that does not reach the edges are writing, not wear."""
    clean, _ = drawn("", wide=700)
    drawings = {"pencil": ((300, 20), (300, 48), 180, 4), "marker": ((300, 20), (380, 48), 60, 16), "one": ((300, 14), (300, 52), 120, 3)}
    for name, (start, end, shade, thick) in drawings.items():
        written = clean.copy()
        cv2.line(written, start, end, shade, thick, cv2.LINE_AA)
        dark = darkness(written)
        left = without(dark, cv2.max(stain(dark), streaks(dark)).astype(np.uint8))
        inked = dark > 0.5 * dark[14:52, 280:400].max()
        assert (left[inked] >= 0.9 * dark[inked]).mean() > 0.98, name
    assert mended(clean) is None


@pytest.mark.parametrize(
    ("read", "meant"),
    [("lvy Stone", "Ivy Stone"), ("an lEP", "an IEP"), ("l spoke", "I spoke"), ("Ana |. Stone", "Ana I. Stone"), ("10 lbs, 2 l", "10 lbs, 2 l"), ("llamar", "llamar"), ("Mclver", "Mclver"), ("la casa", "la casa"), ("Ian", "Ian")],
)
def test_a_stroke_is_a_capital_i_where_no_small_l_can_stand(read: str, meant: str) -> None:
    assert tidy(read) == meant


def said(text: str, *, rival: float = 0.001, mean: float = 0.99) -> Said:
    return Said(line=Line(text=text, mean=mean, least=mean, rival=rival))


def grainy(filled: NDArray[np.uint8], blank: NDArray[np.uint8]) -> tuple[NDArray[np.uint8], NDArray[np.uint8]]:
    """Paper as a scanner sees it."""
    grain = np.random.default_rng(3).normal(-8, 5, filled.shape)
    return np.clip(filled + grain, 0, 255).astype(np.uint8), blank


@pytest.mark.parametrize(
    ("tesseract", "shaded", "drawn_", "sure"),
    [
        (["Hearing test"], "Hearing test", "Hearing test", True),
        (["Hearing test"], "Hearlng test", "Hearing test", True),  # the network agrees when it is shown the same picture
        (["Hearing test"], "Heamlg tsst", "Hearing test", False),  # but not if its readings are far apart
        (["Hear1ng te5t"], "Hearing test", "Hearing test", True),  # only letters that look alike
        (["Hearing tests"], "Hearing test", "Hearing test", False),
        (["Hearing «test"], "Hearing test", "Hearing test", False),
        (["Hearing, test", "Hearing test"], "Hearing test", "Hearing test", False),  # a comma is there or is not
        (["One of tbe long notes", "Ore of the long notes"], "One of the long notes", "One of the long notes", True),  # each word was read
        (["6 11/12"], "6 11/12", "6 11/12", True),
        (["611/12"], "611/12", "611/12", False),  # both may have lost a space
        (["One of the lung notes", "Ore of the lung notes"], "One of the long notes", "One of the long notes", False),
    ],
)
def test_what_two_engines_say_of_two_pictures(tesseract: list[str], shaded: str, drawn_: str, sure: bool) -> None:
    """Sure is what both engines read, each of a picture of its own; what only one of them reads never is."""
    place = prepare(*grainy(*drawn("Hearing test")))
    tried = [Line(text=text, mean=0.9, least=0.9) for text in tesseract]
    assert judged(place, tried, said(shaded), said(drawn_), Text(), ()).sure is sure
    assert not judged(place, tried, said(shaded, rival=0.4), said(drawn_, rival=0.4), Text(), ()).sure
    assert not judged(place, [], said(shaded), said(drawn_), Text(), ()).sure


@pytest.mark.parametrize(
    ("tesseract", "shaded", "drawn_", "sure"),
    [
        (["Hearlng test", "Hearing test"], "Hearing test", "Hearing test", True),
        (["Hearing test"], "Hearing test", None, False),  # on other paper two readings are enough
        (["Hearing test"], "Hearing test", "Hearingtest", False),  # a space is there or is not
        (["Hearing test"], "Hearlng test", "Hearing test", False),
        (["Hear1ng te5t"], "Hearing test", "Hearing test", False),
    ],
)
def test_on_a_copy_all_three_readings_are_the_same(tesseract: list[str], shaded: str, drawn_: str | None, sure: bool) -> None:
    """Faxes and copies of copies have no grain, and show no trace of what they lost."""
    place = prepare(*drawn("Hearing test"))
    tried = [Line(text=text, mean=0.9, least=0.9) for text in tesseract]
    assert judged(place, tried, said(shaded), said(drawn_) if drawn_ is not None else None, Text(), ()).sure is sure
    assert not judged(place, tried, said(shaded, rival=0.08), said(drawn_ or "", rival=0.08), Text(), ()).sure
    clean = prepare(*grainy(*drawn("Hearing test")))
    assert judged(clean, tried[-1:], said("Hearing test"), None, Text(), ()).sure is (tesseract[-1] == "Hearing test")
