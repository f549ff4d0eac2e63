"""Text of any script: order, fonts and glyphs.

1. Every script of `formsvc check` has a font here, or is reported as missing; nothing is dropped silently.
2. Right-to-left text is drawn in the order of UAX #9.
3. Letters that belong together stay together: accents, vowel signs, joined pictures.
"""

import shutil
import subprocess

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from formsvc.check import check_fonts
from formsvc.model.scripts import SCRIPTS
from formsvc.renderers.faces import Listed, base_face, coverage, font_for, listed_fonts
from formsvc.renderers.shaping import MISSING, clusters, is_right_to_left, levels, shape
from tests.small_forms import TRIES

PRIVATE = "\U000f0000"  # in no font
EMOJI = next((font for font in listed_fonts() if "Emoji" in font.family), None)


def drawn(text: str) -> list[str]:
    """The runs of a line in drawing order, each as its text in reading order."""
    return [run.text for run in shape(text, right_to_left=is_right_to_left(text))[0]]


def spelled(text: str) -> str:
    """All that the glyphs of a line stand for."""
    return "".join(glyph.text for run in shape(text, right_to_left=is_right_to_left(text))[0] for glyph in run.glyphs)


@pytest.mark.parametrize(("script", "sample"), SCRIPTS, ids=[script for script, _ in SCRIPTS])
def test_every_script_has_a_font_or_is_reported(script: str, sample: str) -> None:
    """A sample of each script is drawn with real glyphs, or both the check and the drawing say what is missing."""
    ((name, family),) = coverage([(script, sample)])
    runs, missing = shape(sample, right_to_left=is_right_to_left(sample))
    assert name == script
    if family is None:
        assert missing
        assert any(script in line for line in check_fonts())
    else:
        assert not missing
        assert all(glyph.gid for run in runs for glyph in run.glyphs)


def test_the_base_family_draws_its_scripts() -> None:
    """Latin, Vietnamese, Greek and Cyrillic need nothing but the fonts of the installation."""
    assert {family for _, family in coverage(SCRIPTS[:4])} == {"Source Sans 3"}
    for _, sample in SCRIPTS[:4]:
        assert {run.face.name for run in shape(sample, right_to_left=False)[0]} == {base_face().name}


def test_what_no_font_draws_is_a_visible_square() -> None:
    """A character without a font is drawn as a square, named as missing, and stays in the text."""
    runs, missing = shape(f"a{PRIVATE}b", right_to_left=False)
    assert missing == {PRIVATE}
    assert "".join(run.text for run in runs) == f"a{PRIVATE}b"
    square = base_face().font.get_nominal_glyph(ord(MISSING))
    assert [glyph.gid == square for run in runs for glyph in run.glyphs] == [False, True, False]


@pytest.mark.skipif(shutil.which("fc-list") is None, reason="fontconfig is not installed")
def test_fonts_are_those_of_fontconfig() -> None:
    """A font is chosen only if fontconfig lists its file and it has every character asked for."""
    files = subprocess.run(["fc-list", "--format", "%{file}\n"], capture_output=True, text=True, check=True).stdout.split("\n")
    for _, sample in SCRIPTS:
        found = font_for(frozenset(map(ord, sample)), frozenset())
        assert found is None or (found.file in files and found.covers(frozenset(map(ord, sample))))
    assert font_for(frozenset([ord(PRIVATE)]), frozenset()) is None


@pytest.mark.parametrize(("expected", "characters"), [(True, "ac"), (True, "z"), (False, "d"), (False, "a{"), (False, "0")])
def test_a_font_has_the_characters_of_its_ranges(expected: bool, characters: str) -> None:
    """The ends of a range belong to it, what lies between ranges does not."""
    font = Listed("file", 0, "family", 0, "61-63 65-79 7a")
    assert font.covers(frozenset(map(ord, characters))) is expected


# ---------------------------------------------------------------- order


@pytest.mark.parametrize(
    ("expected", "text"),
    [
        (["abc"], "abc"), (["אבג"], "אבג"), (["abc", "אבג", "def"], "abc אבג def"), (["def", "אבג"], "אבג def"), (["ג", "12", "אב"], "אב 12 ג"),
        (["ג", "def", "12", "אב"], "אב 12 def ג"), (["abc", "12", "محمد", "def"], "abc محمد 12 def"),
    ],
)  # fmt: skip
def test_right_to_left_words_are_drawn_in_their_order(expected: list[str], text: str) -> None:
    """A paragraph runs as its first strong letter does; words of the other direction stand inside it in their own."""
    assert expected == [run.strip() for run in drawn(text) if run.strip()]


@pytest.mark.parametrize(
    ("expected", "text"),
    [
        ([0, 0, 0], "abc"), ([1, 1, 1], "אבג"), ([0, 0, 1, 1], "a אב"), ([1, 1, 1, 2, 2], "אב ab"),
        ([1, 1, 1, 2, 2], "אב 12"), ([1, 1, 1, 2, 2, 2, 1, 1], "אב 1.5 ג"), ([0, 0, 0, 1, 1, 0], "a (אב)"),
        ([1, 1, 2, 2], "م ١٢"),
        ([1, 1, 1, 1, 1], "א👩\u200d👧ב"), ([0, 0, 0], "a\u200db"),
    ],
)  # fmt: skip
def test_levels_are_those_of_uax_9(expected: list[int], text: str) -> None:
    """Letters, numbers and neutral characters have the levels of the standard; joiners stay with what they follow."""
    assert expected == levels(text, int(is_right_to_left(text)))


@pytest.mark.parametrize(("expected", "text"), [(False, ""), (False, "abc"), (True, "אבג"), (True, "محمد abc"), (False, "abc محمد"), (True, "12 (אב)"), (False, "12 - 3"), (True, "😀 אב")])
def test_a_paragraph_runs_as_its_first_strong_letter(expected: bool, text: str) -> None:
    """Numbers, punctuation and pictures do not decide a paragraph's direction."""
    assert is_right_to_left(text) is expected


def test_brackets_are_mirrored_in_right_to_left_text() -> None:
    """An opening bracket of Hebrew text is drawn as the closing one of the font."""
    (run,) = (run for run in shape("א(ב", right_to_left=True)[0] if "(" in run.text)
    bracket = next(glyph for glyph in run.glyphs if glyph.text == "(")
    assert bracket.gid == run.face.font.get_nominal_glyph(ord(")"))


def test_arabic_letters_are_joined() -> None:
    """A letter has another glyph at the end of a word than alone."""
    alone, joined = (shape(text, right_to_left=True)[0][0] for text in ("م", "محم"))
    assert alone.glyphs[0].gid not in {glyph.gid for glyph in joined.glyphs}


# ---------------------------------------------------------------- together


@pytest.mark.parametrize(
    "text", ["👨‍👩‍👧‍👦", "👩🏽", "🇺🇸", "❤️", "é", "e\u0301", "e\u0301\u0323", "한", "\u1112\u1161\u11ab", "\r\n"],
)  # fmt: skip
def test_what_a_reader_takes_for_one_letter_is_one_cluster(text: str) -> None:
    """Joined pictures, flags, letters with marks and Korean syllables are one cluster each (UAX #29)."""
    assert clusters(f"a{text}b") == ["a", text, "b"]


@pytest.mark.skipif(EMOJI is None, reason="no emoji font is installed")
@pytest.mark.parametrize("text", ["👨‍👩‍👧‍👦", "👩🏽", "🇺🇸", "😀", "❤️"])
@pytest.mark.parametrize("around", ["", "a", "אב", "中"])
def test_a_joined_picture_is_one_glyph(text: str, around: str) -> None:
    """A family, a skin tone or a flag is one picture, whatever text stands around it."""
    line = f"{around}{text}{around}"
    glyphs = [glyph for run in shape(line, right_to_left=is_right_to_left(line))[0] for glyph in run.glyphs if glyph.advance and glyph.text not in around]
    assert len(glyphs) == 1
    assert text.startswith(glyphs[0].text)


@pytest.mark.parametrize("text", ["e\u0301", "a\u0323\u0302", "o\u031b\u0301", "שָׁ", "مُّ", "क्षि", "ខ្មែ", "ที่"])
def test_marks_stay_with_their_letter(text: str) -> None:
    """A letter and its marks are shaped in one run by one font, and give their text back exactly once."""
    runs, missing = shape(text, right_to_left=is_right_to_left(text))
    assert not missing
    assert len(runs) == 1
    assert "".join(sorted(spelled(text))) == "".join(sorted(text))


@pytest.mark.parametrize("space", [" ", "  "])
@pytest.mark.skipif(EMOJI is None, reason="no emoji font is installed")
def test_a_space_after_a_picture_is_a_space(space: str) -> None:
    """A space is as wide as in text, also after a picture."""
    wide = [glyph.advance for run in shape(f"👨‍👩‍👧{space}a", right_to_left=False)[0] for glyph in run.glyphs if glyph.text.isspace()]
    assert wide == [200.0] * len(space)


ANY = st.text(st.characters(exclude_categories=("Cc", "Cs")), max_size=25)
MIXED = st.lists(st.sampled_from(["abc", "אבג", "12", "(", ")", "محمد", "👨‍👩‍👧", " ", "é", "中文", "ខ្មែរ", "\u200f", "\u202b", "\u202c"]), max_size=8).map("".join)


@TRIES
@given(text=ANY | MIXED)
@example(text="محمد 👨‍👩‍👧 محمد")
@example(text="אב \U0001fae8\U00018cd6")
def test_shaping_loses_nothing(text: str) -> None:
    """The runs of a line hold each of its characters once, and so do the texts their glyphs stand for."""
    runs, missing = shape(text, right_to_left=is_right_to_left(text))
    assert sorted("".join(run.text for run in runs)) == sorted(text)
    assert sorted(spelled(text)) == sorted(text)
    assert missing <= set(text)


@TRIES
@given(text=ANY | MIXED)
def test_no_letter_is_torn_apart(text: str) -> None:
    """No cluster is divided over two runs, except where its parts run in different directions."""
    found = levels(text, int(is_right_to_left(text)))
    starts, at = set(), 0
    for cluster in clusters(text):
        starts.add(at)
        at += len(cluster)
    inner = {place for place in range(1, len(text)) if place not in starts and found[place] == found[place - 1]}
    cut = {place for place in range(1, len(text)) if place not in starts} - inner
    pieces = len(shape(text, right_to_left=is_right_to_left(text))[0])
    assert pieces <= len(starts) + len(cut)
