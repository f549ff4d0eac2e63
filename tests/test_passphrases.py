"""Passphrases that a family can take down by telephone, and what is said about passwords of one's own."""

import math
import string
from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from formsvc.errors import WORDING, Refused
from formsvc.protection import check_usable, judge_password, new_passphrase
from formsvc.protection.passphrases import entropy_bits, word_list
from tests.sound import sound

CLIENT = ("María López Garza", "2011-03-04", "(512) 555-0147")
ENDINGS = ("s", "es", "d", "ed", "ing", "ly")
SOUND_ALIKE = ("mail/male", "flour/flower", "bear/bare", "gray/grey", "knight/night", "their/there", "site/sight", "plain/plane", "wait/weight", "one/won")


def codes(password: str, *personal: str) -> list[str]:
    return [weakness.code for weakness in judge_password(password, personal)]


# ---------------------------------------------------------------- generated


def test_word_list_is_long_and_plain() -> None:
    """The list has at least 6,000 different words of 3 to 9 lower-case ASCII letters, in order."""
    words = word_list()
    assert len(words) >= 6000
    assert list(words) == sorted(set(words))
    assert all(3 <= len(word) <= 9 and set(word) <= set(string.ascii_lowercase) for word in words)


def test_no_word_is_another_with_an_ending() -> None:
    """A plural or another form of a word of the list is not in the list."""
    words = set(word_list())
    assert [word + ending for word in words for ending in ENDINGS if word + ending in words] == []


def test_no_two_words_sound_alike() -> None:
    """Words that the telephone makes one of are in the list at most once."""
    heard: dict[str, list[str]] = {}
    for word in word_list():
        heard.setdefault(sound(word), []).append(word)
    assert [words for words in heard.values() if len(words) > 1] == []


@pytest.mark.parametrize("pair", SOUND_ALIKE)
def test_no_word_sounds_like_one_outside_the_list(pair: str) -> None:
    """Neither of two words with one sound is in the list: who hears it could write the other."""
    assert not set(pair.split("/")) & set(word_list())


@pytest.mark.parametrize("word", ["abuse", "custody", "drugs", "dumb", "fat", "foster", "jail", "kill", "naked", "orphan", "rape", "suicide", "unloved", "unwanted", "unwed", "victim"])
def test_no_word_hurts(word: str) -> None:
    """Words that a family in this procedure would not want to read out are left out."""
    assert word not in word_list()


def test_six_words_have_75_bits() -> None:
    """Six words are at least 75 bits."""
    assert entropy_bits() >= 75
    assert math.isclose(entropy_bits(), 6 * math.log2(len(word_list())))


def test_passphrase_is_words_with_hyphens() -> None:
    """A passphrase is as many words of the list as asked for, joined by hyphens."""
    assert len(new_passphrase().split("-")) == 6
    assert set(new_passphrase(9).split("-")) <= set(word_list())
    assert new_passphrase(8).count("-") == 7


def test_every_word_is_drawn_alike() -> None:
    """60,000 draws hit the words about ten times each: no word is preferred, none is left out."""
    drawn = Counter(word for _ in range(600) for word in new_passphrase(100).split("-"))
    assert len(drawn) > 0.99 * len(word_list())
    assert max(drawn.values()) < 40


def test_passphrases_are_judged_good() -> None:
    """What formsvc makes itself has no weakness."""
    assert [found for _ in range(500) if (found := judge_password(new_passphrase()))] == []


# ---------------------------------------------------------------- usable at all


@pytest.mark.parametrize(("password", "code"), [("", "password-empty"), ("contraseña-de-la-casa", "password-characters"), ("tab\tand-more-words", "password-characters"), ("x" * 128, "password-too-long")])
def test_passwords_that_might_not_open_are_refused(password: str, code: str) -> None:
    """None, letters that programs spell differently, and more than PDF looks at: each has its own code."""
    with pytest.raises(Refused) as refused:
        check_usable(password)
    assert refused.value.code == code
    assert not password or password not in refused.value.message


@given(st.text(st.characters(min_codepoint=32, max_codepoint=126), min_size=1, max_size=127))
def test_printable_ascii_is_usable(password: str) -> None:
    """Any 1 to 127 printable ASCII characters can be used."""
    check_usable(password)


# ---------------------------------------------------------------- judged


@pytest.mark.parametrize("password", ["hunter2", "Xk9$Tq2v#m1", "sunny window", "justoneword", "two-lanterns"])
def test_short(password: str) -> None:
    """Fewer than 12 characters, or fewer than three words and nothing but letters, are too short."""
    assert "password-short" in codes(password)


@pytest.mark.parametrize("password", ["password12345", "P@ssw0rd!2024", "correct-horse-battery-staple", "Dragon-Monkey-Shadow", "welcome welcome welcome", "5unsh1ne-f00tball"])
def test_common(password: str) -> None:
    """Words that everybody tries first are common, also with digits for letters and a year behind them."""
    assert "password-common" in codes(password)


@pytest.mark.parametrize("password", ["qwertyuiop[]", "1q2w3e4r5t6y7u8i", "zzzzzzzzzzzzzz", "plumplumplumplum", "poiuytrewq12", "abcdefghijklmn", "98765432101234"])
def test_pattern(password: str) -> None:
    """Runs along the keyboard, the alphabet or the digits, either way, and repetitions are patterns."""
    assert "password-pattern" in codes(password)


@pytest.mark.parametrize("password", [
    "maria-walks-slowly-home", "M4r14 walks slowly home", "the-LOPEZ-lantern-walk", "walking-lopez2-slowly", "garza!lantern!window", "mlg2011 lantern window", "lantern-window-ML11-walk", "2011ml-lantern-window",
    "lantern 2011-03-04 walk", "lantern 3/4/2011 walk", "04.03.2011 lantern walk", "lantern 030411 walk", "lantern-4-March-walk", "marzo2011 lantern walk", "mar 4 lantern window walk", "lantern-5550147-window",
])  # fmt: skip
def test_personal(password: str) -> None:
    """A name, initials with a year, a date or a number of the case is found in any usual spelling, and not repeated."""
    found = [weakness for weakness in judge_password(password, CLIENT) if weakness.code == "password-personal"]
    assert len(found) == 1
    assert "2011" not in found[0].message
    assert "lopez" not in found[0].message.lower()


@pytest.mark.parametrize("password", ["planner-annual-lantern-window", "hannah walks slowly home"])
def test_short_name_inside_a_word_is_no_name(password: str) -> None:
    """A name of three or four letters counts as a word of its own only."""
    assert codes(password, "Ann") == []
    assert codes("ann walks slowly home", "Ann") == ["password-personal"]


@pytest.mark.parametrize("password", ["k9$Tq2vLx8#mZ", "Tr0ub4dor&3x!", "walnut-orbit-lantern", "seven green lanterns walk", "river!Otter77-kettle"])
def test_good(password: str) -> None:
    """Long random characters and uncommon words have no weakness."""
    assert codes(password, *CLIENT) == []


@given(st.text(max_size=140), st.lists(st.text(max_size=30), max_size=4))
def test_judging_never_fails_and_speaks_from_the_table(password: str, personal: list[str]) -> None:
    """Any password and any facts are judged, each weakness with a code of the table, its problem and its remedy."""
    for weakness in judge_password(password, personal):
        assert weakness.code in WORDING
        assert weakness.message.count(". ") >= 1
