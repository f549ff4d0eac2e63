"""What was typed freely leaves without the family's names, birth dates and numbers (R23).

1. A full name never stands there, however it is spelled; neither does a part of it, or a name the client goes by.
2. A word that only looks like a name stays: a month in a date, a question, a street.
3. Birth dates and telephone numbers go; other dates, times and the conference line stay.
"""

import pytest

from formsvc.casework.case import Case
from formsvc.casework.masking import initialled, masked
from tests.letter_cases import sample_case

FAMILY = {"client.name": "Noah James Fernwhistle-Ault", "client.initials": None, "client.known_as": ["Noni", "Little Bear"], "guardian": "May Green", "team.1.name": "May Green"}


def family() -> Case:
    """A family whose guardian is called like a month and a colour."""
    return sample_case(FAMILY)


@pytest.mark.parametrize(
    ("typed", "left"),
    [
        ("Noah James Fernwhistle-Ault came", "N.J.F.A. came"), ("noah james fernwhistle-ault", "N.J.F.A."), ("NOAH  JAMES\nFERNWHISTLE-AULT", "N.J.F.A."),
        ("Noah Fernwhistle", "N.F."), ("Noah Ault", "N. A."), ("Fernwhistle, Noah", "F., N."), ("Noah’s cup, NOAH'S cup", "N.’s cup, N.'S cup"), ("Ms. Ault", "Ms. A."),
        ("may green", "M.G."), ("Ask May Green on May 5", "Ask M.G. on May 5"), ("May said so; ask May", "M. said so; ask M."), ("Mrs. Green", "Mrs. G."),
        ("Noni and Little Bear", "N. and L.B."), ("little bear", "L.B."), ("write to mara.f@example.com", "write to …"),
    ],
)  # fmt: skip
def test_names_become_initials(typed: str, left: str) -> None:
    """Whole names in any case and spacing, their parts as names are written, and other names the client goes by."""
    assert initialled(typed, family()) == left


@pytest.mark.parametrize(
    "typed",
    [
        "May 5", "by May 5, 2027", "5 May 2027", "on the 5th May", "May 2027", "In May we meet", "since May", "mid-May", "early May", "May to June", "el 5 de mayo", "May we begin?",
        "Green Street", "Green Elementary School", "Calle Green", "green apples", "bear with us", "noni", "noah",
        "Gideon Marshwood", "g.marshwood@example.org", "Ask Noahs father", "",
    ],
)  # fmt: skip
def test_other_words_stay(typed: str) -> None:
    """Months of dates, questions, streets and schools, words in small letters, and other people are what they were."""
    assert initialled(typed, family()) == typed


@pytest.mark.parametrize(
    ("name", "typed", "left"),
    [
        ("José Ñandú", "Jose Nandu, José and Jose", "J.Ñ., J. and J."), ("Jose Nandu", "josé ñandú, José", "J.N., J."), ("김 민수", "민수는 김민수", "민.는 김.민."), ("Jose\u0301 Vega", "José", "J."), ("noah fernwhistle", "Noah came", "N. came"),
        ("NOAH FERNWHISTLE", "Noah came", "N. came"), ("Ana de la Cruz", "la casa de Cruz, de la Cruz", "la casa de C., de la C."), ("Bo Li", "Bo and LI", "B. and L."),
        ("李 小龙", "李小龙今天，小龙来了", "李.小.今天，小.来了"), ("O’Neil Jean-Luc", "Jean and Luc O’Neil", "J. and L. O."), ("May", "May 5, ask May", "May 5, ask M."),
    ],
)  # fmt: skip
def test_names_of_all_kinds_are_found(name: str, typed: str, left: str) -> None:
    """Names with accents, particles, hyphens, two letters, one word, in capitals, in scripts without blanks."""
    case = sample_case({"client.name": name, "client.initials": None, "guardian": "", "team.1.name": "Rosa Vega"})
    assert initialled(typed, case) == left


def test_both_parents_are_family() -> None:
    """A second guardian on the team is masked like the first, and “and” between two names is no name."""
    case = sample_case({"guardian": "Mara and Joel Fernwhistle", "team.2.audience": "guardian", "team.2.name": "Ruben Oakhurst"})
    assert initialled("Joel and Ruben Oakhurst met Mara", case) == "J. and R.O. met M."


def test_given_initials_stand_for_the_client() -> None:
    """Where the case gives other initials, those stand for the whole name."""
    assert initialled("Noah Fernwhistle", sample_case({"client.initials": "X.Y."})) == "X.Y."


@pytest.mark.parametrize(
    "typed",
    ["2016-03-09", "03/09/2016", "3/9/16", "9.3.2016", "09-03-2016", "20160309", "March 9, 2016", "march 9th 2016", "Mar. 9, 2016", "9 March 2016", "9th of March, 2016", "9 de marzo de 2016", "9 de marzo del 2016"],
)  # fmt: skip
def test_the_birth_date_goes_in_every_spelling(typed: str) -> None:
    """The client's birth date is taken out however it is written."""
    assert masked(f"He was {typed}.", family()) == "He was …."


@pytest.mark.parametrize("typed", ["born 4/5/2018", "born on April 5, 2018", "DOB: 2018-04-05", "nació el 5 de abril de 2018", "birthday 5 April 2018"])
def test_other_birth_dates_go_with_their_word(typed: str) -> None:
    """A sister's birth date goes where the text says that it is one."""
    assert masked(f"sister {typed}", family()).endswith("…")
    assert not any(digit in masked(typed, family()) for digit in "2018")


@pytest.mark.parametrize("typed", ["303-555-0142", "(303) 555-0142", "303.555.0142", "303 555 0142", "3035550142", "+1 303 555 0142", "1-303-555-0142", "555-0142", "+52 55 1234 5678", "55 1234 5678", "600 123 456"])
def test_telephone_numbers_go(typed: str) -> None:
    """A number typed into an item of the agenda is taken out, as it is usually written."""
    assert masked(f"Call {typed}, please; or {typed}.", family()) == "Call …, please; or …."


@pytest.mark.parametrize(
    "typed",
    ["Dial 303-555-0100, code 4829", "Call the coordinator: (303) 555-0101", "on 2026-12-09", "12/09/2026 to 12/16/2026", "10:30-11:30", "$1,200,000", "room 1204", "2026-2027", "9 of 10 days", "form CN-1, 2026-11"],
)  # fmt: skip
def test_other_numbers_stay(typed: str) -> None:
    """The conference line and the coordinator's number, dates, times, sums and rooms stay."""
    assert masked(typed, family()) == typed
