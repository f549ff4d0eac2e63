"""Breaking text into lines: nothing is lost, nothing is wider than its box, nothing is cut inside a letter.

1. Lines and rest together are the text, up to spaces and line breaks where it was broken.
2. No line is wider than the box; no type is smaller than the legible minimum.
3. Lines end between words, or between letters (grapheme clusters) of a word wider than a line.
"""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from formsvc.renderers.appearance import lay_text, measure_of
from formsvc.renderers.shaping import SHAPED, clusters, is_right_to_left, shape
from formsvc.renderers.text import LARGEST, PADDING, SIMPLE, SMALLEST, Fitted, Measure, fit_box, fit_line, is_simple, wrap
from tests.small_forms import TRIES

EDGE = 0.5  # thousandths of the size: rounding of measured widths
LATIN = st.text(st.sampled_from("abcdeilmnoWMñé ,.-('\n"), max_size=200)
WORDS = st.lists(st.sampled_from(["a", "to", "Zoë", "follow-up", "(see", "below)", "W" * 40, "\n", "", "1,234.50", "“quoted”", "\u00a0", "naïve"]), max_size=60).map(" ".join)
SCRIPTS = st.lists(
    st.sampled_from(["the", "ខ្មែរ", "محمد", "שלום", "中文字", "हिन्दी", "ไทยนี้", "Nguyễn", "👨‍👩‍👧", "é́", "\n", "", "(a)", "አማርኛ", "한글"]), max_size=20,
).map(" ".join)  # fmt: skip
TEXTS = LATIN | WORDS | SCRIPTS


def bare(text: str) -> str:
    """Text without the white space at which it may be broken."""
    return "".join(text.split())


def width(line: str, measure: Measure) -> float:
    """How wide a line is drawn, without its last spaces."""
    line = line.rstrip(" ")
    if measure is SIMPLE:
        return SIMPLE.width(line)
    runs, _ = shape(line, right_to_left=is_right_to_left(line))
    return sum(glyph.advance for run in runs for glyph in run.glyphs)


def is_one_letter(line: str) -> bool:
    """Whether a line cannot be broken further: at most one letter and spaces."""
    return len(clusters(line.strip(" "))) <= 1


@TRIES
@given(text=TEXTS, limit=st.integers(2_000, 60_000))
def test_wrapping_loses_nothing(text: str, limit: int) -> None:
    """The lines follow each other without gap or overlap but for line breaks, and together are the text."""
    lines = wrap(text, measure_of(text), limit)
    before = 0
    for line in lines:
        assert text[before : line.start] in ("", "\n")
        before = line.end
    assert before == len(text)
    assert "".join(text[line.start : line.end] for line in lines) == text.replace("\n", "")


@TRIES
@given(text=TEXTS, limit=st.integers(2_000, 60_000))
def test_no_line_is_wider_than_its_box(text: str, limit: int) -> None:
    """No line is wider than the limit, unless it is a single letter."""
    measure = measure_of(text)
    for start, end, _ in wrap(text, measure, limit):
        line = text[start:end]
        assert is_one_letter(line) or width(line, measure) <= limit + _slack(line, measure), line


def _slack(line: str, measure: Measure) -> float:
    """Shaped lines are measured piece by piece: a word wider than a whole line is measured letter by letter, not as joined."""
    if measure is SIMPLE:
        return EDGE * len(line)
    return EDGE * len(line) + (100 if " " in line.strip(" ") else 0.15 * width(line, measure))


@TRIES
@given(text=TEXTS, limit=st.integers(2_000, 60_000))
def test_lines_end_between_letters(text: str, limit: int) -> None:
    """No line starts inside a grapheme cluster: no accent, vowel sign or joined picture is torn off."""
    position = 0
    for paragraph in text.split("\n"):
        allowed = {position + sum(map(len, clusters(paragraph)[:count])) for count in range(len(paragraph) + 1)}
        starts = {line.start for line in wrap(text, measure_of(text), limit) if position <= line.start <= position + len(paragraph)}
        assert starts <= allowed
        position += len(paragraph) + 1


@pytest.mark.parametrize(("expected", "text", "words"), [
    (["one two ", "three"], "one two three", 8), (["one ", "two ", "three"], "one two three", 5), (["one", "", "two"], "one\n\ntwo", 20), ([""], "", 9),
    (["", ""], "\n", 9), (["nnnn", "nnnn", "nn"], "nnnnnnnnnn", 4), (["a ", "nnnn", "nnn ", "b"], "a nnnnnnn b", 4),
])  # fmt: skip
def test_lines_end_between_words(expected: list[str], text: str, words: int) -> None:
    """A line ends after a word and its space; only a word wider than a line is broken, and an empty line stays."""
    limit = SIMPLE.width("n" * words) + 1
    assert expected == [text[line.start : line.end] for line in wrap(text, SIMPLE, limit)]


@pytest.mark.parametrize(("expected", "text"), [
    (["日本", "語の", "文"], "日本語の文"), (["中", "文。", "字"], "中文。字"), (["「中", "文」"], "「中文」"), (["ไทย", "ไทย"], "ไทย ไทย"), (["नमस्ते", "दुनिया"], "नमस्ते दुनिया"),
])  # fmt: skip
def test_other_scripts_are_broken_by_their_own_rules(expected: list[str], text: str) -> None:
    """Chinese and Japanese break between characters, but not before a full stop or after a bracket; scripts with spaces at spaces."""
    limit = max(width(line, SHAPED) for line in expected) + 1
    assert expected == [text[line.start : line.end].strip() for line in wrap(text, SHAPED, limit)]


# ---------------------------------------------------------------- boxes


def _shown(fitted: Fitted) -> str:
    return bare("".join(line for line, _ in fitted.shown()) + fitted.rest)


@TRIES
@given(text=TEXTS, wide=st.integers(30, 300), high=st.integers(9, 120))
def test_a_box_loses_nothing(text: str, wide: int, high: int) -> None:
    """Lines and rest together are the text, and the rest is what follows the last line."""
    fitted = fit_box(text, measure_of(text), wide, high)
    assert bare(text) == _shown(fitted)
    assert text.endswith(fitted.rest)
    assert fitted.rest[:1] not in (" ", "\n")


@TRIES
@given(text=TEXTS, wide=st.integers(30, 300), high=st.integers(9, 120))
def test_a_box_holds_its_lines(text: str, wide: int, high: int) -> None:
    """The lines fit the box in height and width, in type between the legible minimum and the usual size."""
    measure = measure_of(text)
    fitted = fit_box(text, measure, wide, high)
    assert SMALLEST <= fitted.size <= LARGEST
    if len(fitted.lines) > 1:
        assert len(fitted.lines) * fitted.size * fitted.leading <= high - 2 * PADDING + fitted.size
    for line, _ in fitted.shown():
        assert is_one_letter(line) or (width(line, measure) - _slack(line, measure)) * fitted.size / 1000 <= wide - 2 * PADDING + 0.01


@TRIES
@given(text=TEXTS, wide=st.integers(30, 300), high=st.integers(9, 120))
def test_text_is_cut_only_at_the_smallest_size(text: str, wide: int, high: int) -> None:
    """Something is left over only when the type is at the legible minimum, and then a line is free for the mark."""
    fitted = fit_box(text, measure_of(text), wide, high)
    if fitted.rest:
        assert fitted.size == SMALLEST
        capacity = max(int((high - 2 * PADDING + 0.2 * SMALLEST) / (SMALLEST * fitted.leading)), 1)
        assert len(fitted.lines) == capacity - 1


@TRIES
@given(text=TEXTS.filter(lambda text: "\t" not in text), wide=st.integers(30, 300))
def test_a_line_loses_nothing(text: str, wide: int) -> None:
    """One line and its rest together are the text, cut between words if it has several, at the smallest size only."""
    measure = measure_of(text)
    fitted = fit_line(text, measure, wide, mark=20)
    assert bare(text) == _shown(fitted)
    assert len(fitted.lines) == 1
    assert SMALLEST <= fitted.size <= LARGEST
    assert fitted.size == SMALLEST or not fitted.rest
    ((line, _),) = fitted.shown()
    assert is_one_letter(line) or (width(line, measure) - _slack(line, measure)) * fitted.size / 1000 <= wide - 2 * PADDING + 0.01


@pytest.mark.parametrize(("size", "rest", "letters"), [(LARGEST, "", 3), (7.0, "", 0), (SMALLEST, "more", 0)])
def test_a_line_shrinks_before_it_is_cut(size: float, rest: str, letters: int) -> None:
    """A text that fits keeps the usual size, a longer one shrinks, and only a still longer one is cut between words."""
    text = "nnn" if letters else "nnn nnn nnn nnn more"
    needed = SIMPLE.width(text) / 1000
    wide = 2 * PADDING + (LARGEST if letters else size if not rest else SMALLEST - 0.3) * needed + 0.001
    fitted = fit_line(text, SIMPLE, wide, mark=0)
    assert fitted.size == pytest.approx(size, abs=0.01)
    assert fitted.rest == rest


def test_a_box_without_room_shows_only_the_mark() -> None:
    """In a box of one line that is too short for its text, the whole text continues elsewhere."""
    fitted = fit_box("word " * 50, SIMPLE, 60, 12)
    assert (fitted.lines, bare(fitted.rest)) == ((), "word" * 50)


@pytest.mark.parametrize(("expected", "text"), [(True, "plain"), (True, "José “quoted” – 5 €"), (True, "two\nlines"), (True, "a\u00a0b"), (False, "Đorđe"), (False, "a\u00adb"), (False, "😀"), (False, "a\tb"), (False, "ﬁ")])
def test_the_simple_font_draws_what_one_byte_can_say(expected: bool, text: str) -> None:
    """Text of the Windows Latin set takes the fast way; everything else is shaped."""
    assert expected is is_simple(text)


@pytest.mark.parametrize("one_line", [True, False])
def test_a_tab_is_drawn_as_a_space(*, one_line: bool) -> None:
    """A tab moves on, and is never a box or a lost word."""
    assert list(lay_text("one\ttwo", 200, 20, one_line=one_line).fitted.shown()) == [("one two", False)]
