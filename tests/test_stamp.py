"""The page stamp, and the document id in words.

1. A stamp's text is read back as the same document, form, version and page.
2. A stamp made with another key, or changed in one character, is not taken for ours.
3. In words, every single mistyped character and every swap of neighbours is noticed.
"""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from formsvc.model.kinds import LANGS
from formsvc.model.layout import laid_code, read_laid
from formsvc.model.stamp import ALPHABET, LENGTH, Stamp, from_words, in_words, is_document, new_document, read_stamp, stamp_text, value_seal
from tests.small_forms import DOCUMENT, KEY, SHIPPED, TRIES

CHECKS = f"{ALPHABET}*~$=U"
OTHER_KEY = bytes(32)
STAMP = Stamp(document=DOCUMENT, code="W", version=1)
DOCUMENTS = st.text(ALPHABET, min_size=10, max_size=10)
STAMPS = st.builds(Stamp, document=DOCUMENTS, code=st.sampled_from(ALPHABET), version=st.integers(1, 1023), laid=st.text(ALPHABET, max_size=16))


@TRIES
@given(stamp=STAMPS, page=st.integers(1, 1023))
def test_a_stamp_is_read_back(stamp: Stamp, page: int) -> None:
    """Every document, form code, version and page up to 1023 comes back, sealed."""
    found = read_stamp(stamp_text(stamp, page, KEY), KEY)
    assert found is not None
    assert (stamp, page, True) == (found.stamp, found.page, found.sealed)


def test_a_stamp_is_short_and_plain() -> None:
    """A stamp is 22 upper-case letters and digits, which a QR code stores in its dense mode."""
    text = stamp_text(STAMP, 1, KEY)
    assert len(text) == LENGTH == 22
    assert re.fullmatch("[0-9A-Z]{22}", text)


@TRIES
@given(stamp=STAMPS, page=st.integers(1, 1023))
def test_a_stamp_with_another_key_is_read_but_not_sealed(stamp: Stamp, page: int) -> None:
    """A stamp made elsewhere says what it is, and that it is not ours."""
    found = read_stamp(stamp_text(stamp, page, OTHER_KEY), KEY)
    assert found is not None
    assert (stamp, page, False) == (found.stamp, found.page, found.sealed)


def test_a_stamp_changed_in_one_character_is_not_sealed() -> None:
    """No character of a stamp, its seal included, can be changed without being noticed."""
    text = stamp_text(STAMP, 1, KEY)
    for position in range(1, LENGTH):
        for character in set(ALPHABET) - {text[position]}:
            found = read_stamp(text[:position] + character + text[position + 1 :], KEY)
            assert found is not None
            assert not found.sealed


@pytest.mark.parametrize("text", ["", "F", "HELLO", "https://example.org/f", "X" + "0" * 21, "F" + "0" * 20, "F" + "0" * 38, "F" + "I" * 21, "F" + "é" * 21, "F" + "-" * 21])
def test_a_foreign_code_is_no_stamp(text: str) -> None:
    """The text of somebody else's code is not taken for a stamp."""
    assert read_stamp(text, KEY) is None


def test_a_stamp_is_read_whatever_its_case_and_edges() -> None:
    """Readers that change case or add spaces at the ends do no harm."""
    assert read_stamp(f" {stamp_text(STAMP, 3, KEY).lower()}\r\n", KEY) == read_stamp(stamp_text(STAMP, 3, KEY), KEY)


def test_new_documents_differ() -> None:
    """Fresh ids are ids, and do not repeat in ten thousand."""
    found = {new_document() for _ in range(10_000)}
    assert len(found) == 10_000
    assert all(map(is_document, found))


@pytest.mark.parametrize("text", ["", "K7QF2M9XD", "K7QF2M9XDAA", "k7qf2m9xda", "K7QF2M9XDO", "K7QF2-M9XD", "K7QF2M9XDÄ"])
def test_what_is_no_document_id(text: str) -> None:
    """A document id is ten characters of the alphabet that has no I, L, O and U."""
    assert not is_document(text)


# ---------------------------------------------------------------- in words


@TRIES
@given(document=DOCUMENTS)
def test_words_are_read_back(document: str) -> None:
    """A document id in words is read back, in any case, with any dashes and spaces."""
    words = in_words(document)
    assert re.fullmatch(r"[0-9A-Z]{5}-[0-9A-Z]{5}-[0-9A-Z*~$=]", words)
    for typed in (words, words.lower(), words.replace("-", ""), words.replace("-", " "), f" {words} "):
        assert from_words(typed) == document


@pytest.mark.parametrize(("expected", "typed"), [("0123456789", "O123456789-P"), ("0123456789", "0I23456789-P"), ("0123456789", "ol234-56789-p"), ("0000000001", "00000-0000L-1"), ("0000000001", "00000-0000L-l"), ("0000000000", "00000-00000-O")])
def test_letters_that_look_like_digits_are_digits(expected: str, typed: str) -> None:
    """I and L are read as 1, O as 0, in the id and in its check character: the alphabet has no such letters."""
    assert expected == from_words(typed)


@TRIES
@given(document=DOCUMENTS, position=st.integers(0, 10), character=st.sampled_from(CHECKS))
def test_every_single_mistyped_character_is_noticed(document: str, position: int, character: str) -> None:
    """Modulo 37 is prime and greater than 32: no change of one character keeps the check character."""
    words = in_words(document).replace("-", "")
    typed = words[:position] + character + words[position + 1 :]
    assert (from_words(typed) == document) is (typed == words)
    assert from_words(typed) in (document, None)


@TRIES
@given(document=DOCUMENTS, position=st.integers(0, 9))
def test_every_swap_of_neighbours_is_noticed(document: str, position: int) -> None:
    """Two different characters side by side, the check character included, cannot change places unnoticed."""
    words = in_words(document).replace("-", "")
    typed = words[:position] + words[position + 1] + words[position] + words[position + 2 :]
    assert from_words(typed) == (document if typed == words else None)


def test_all_mistakes_in_one_id_are_noticed() -> None:
    """Counted out for one id: each of its 396 single mistakes and 10 swaps is refused."""
    words = in_words(DOCUMENT).replace("-", "")
    single = {words[:at] + c + words[at + 1 :] for at in range(11) for c in CHECKS} - {words}
    swapped = {words[:at] + words[at + 1] + words[at] + words[at + 2 :] for at in range(10)} - {words}
    assert (len(single), len(swapped)) == (11 * 36, 10)
    assert [typed for typed in single | swapped if from_words(typed)] == []


def test_one_in_thirty_seven_double_mistakes_is_not_noticed() -> None:
    """What the check character cannot do: of two mistakes at once, one in 37 passes."""
    words = in_words(DOCUMENT).replace("-", "")
    double = [a + b + words[2:] for a in ALPHABET for b in ALPHABET if a != words[0] and b != words[1]]
    passed = sum(from_words(typed) is not None for typed in double)
    assert 0.5 / 37 < passed / len(double) < 2 / 37


@pytest.mark.parametrize("typed", ["", "-", "K7QF2", "K7QF2-M9XDA", "K7QF2-M9XDA-AA", "ÄÖÜ", "ß" * 5, "K7QF2-M9XD\u0130-A"])
def test_what_is_no_id_in_words(typed: str) -> None:
    """Anything else is no id, whatever characters it has."""
    assert from_words(typed) is None


# ---------------------------------------------------------------- sealed values


def test_a_sealed_value_belongs_to_its_field_and_document() -> None:
    """A seal changes with the key, the document, the field and the value, and with where one ends and the next begins."""
    seals = {
        value_seal(key, document, name, value)
        for key in (KEY, OTHER_KEY)
        for document in (DOCUMENT, "0000000000")
        for name, value in (("site", "A"), ("site", "B"), ("sit", "eA"), ("siteA", ""), ("unit", "A"))
    }
    assert len(seals) == 20
    assert all(re.fullmatch("[0-9a-f]{12}", seal) for seal in seals)


@pytest.mark.parametrize("value", ["", "😀", "\ud800", "x" * 20_000])
def test_any_text_can_be_sealed(value: str) -> None:
    """A seal never fails, and is the same every time."""
    assert value_seal(KEY, DOCUMENT, "note", value) == value_seal(KEY, DOCUMENT, "note", value)


@TRIES
@given(data=st.data())
def test_a_stamp_tells_how_its_form_is_laid_out(data: st.DataObject) -> None:
    """Language and row counts of every form come back from a few characters; what cannot be is not guessed."""
    form = data.draw(st.sampled_from(SHIPPED.forms()))
    counts = {group.name: data.draw(st.integers(group.minimum, group.maximum)) for group in form.groups}
    lang = data.draw(st.sampled_from(LANGS))
    code = laid_code(form, lang, counts)
    assert read_laid(form, code) == (lang, counts)
    assert len(stamp_text(Stamp(document=DOCUMENT, code=form.code, version=1, laid=code), 1, KEY)) <= 38  # a QR code of 25 modules
    assert read_laid(form, "") is None
    assert read_laid(form, "Z" * len(code)) is None
    assert read_laid(form, "0" * len(code)) is None  # fewer rows than always stand there
