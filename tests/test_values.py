"""The spelling of values: how people write days, times, months, numbers and choices, and how paper does.

1. Every way of writing a value that people use is read as that value.
2. What could mean two things, or nothing, is a misread and never a guess.
3. What is written is read back as the same value, in both languages.
"""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from formsvc.errors import WORDING
from formsvc.model.kinds import LANGS, Choice, Choices, Day, Kind, Lang, LongText, Month, Number, Option, Signature, Stamp, Text, Tick, Time, is_box
from formsvc.model.record import Value
from formsvc.model.schema import misread_words
from formsvc.model.values import EXAMPLES, MONTHS, ON, Misread, forbidden_characters, normal_lines, read_value, write_value
from tests.small_forms import COLORS, FORMS, KINDS, TRIES, said, values_of

UNREADABLE = Misread("unreadable-value")

DAYS = {
    "2026-11-05": (
        "11/05/2026", "11/5/2026", "11/5/26", "11-05-2026", "11.05.2026", "11 / 5 / 2026", " 11/05/2026 ", "１１/０５/2026",
        "2026-11-05", "2026-11-5", "2026/11/5", "2026.11.05",
        "November 5, 2026", "november 5 2026", "NOVEMBER 5, 2026", "Nov 5, 2026", "Nov. 5, 2026", "Nov 5th, 2026",
        "5 November 2026", "5th of November 2026", "5-Nov-2026", "5 nov. 2026",
        "5 de noviembre de 2026", "5 de noviembre del 2026", "5 de noviembre, 2026", "5 noviembre 2026", "noviembre 5, 2026", "5  de  NOVIEMBRE  de  2026",
    ),
    "2026-11-25": ("25/11/2026", "25.11.26", "25-11-2026", "11/25/2026", "25 de nov de 2026"),
    "2026-11-01": ("November 1st, 2026", "1st November 2026"),
    "2026-11-02": ("2nd of November 2026",),
    "2026-11-03": ("November 3rd, 2026",),
    "2026-09-09": ("9 de setiembre de 2026", "9 de septiembre de 2026", "Sept. 9, 2026", "9 set 2026"),
    "2024-02-29": ("2/29/2024", "29/2/2024"),
    "2079-01-01": ("1/1/79",),
    "1980-01-01": ("1/1/80",),
    "1999-12-31": ("12/31/99", "31/12/1999"),
}
NO_DAYS = (
    "02/30/2026", "2/29/2023", "13/13/2026", "0/0/0", "00/10/2026", "2026-13-01", "2026-02-30", "November 31, 2026", "Smarch 5, 2026", "5 foo 2026",
    "tomorrow", "11/05", "11/2026", "20261105", "11052026", "2026", "11/05/026", "11/05/2026 or 11/06/2026", "2026-11-05T00:00", "1/1/20266", "٥/٥/٢٠٢٦", "-1/1/2026",
)  # fmt: skip
MONTHS_TYPED = {
    "2026-11": (
        "2026-11", "2026/11", "2026.11", "11/2026", "11-2026", "11/26", "November 2026", "november, 2026", "Nov 2026", "Nov. 2026", "NOVEMBER OF 2026",
        "noviembre de 2026", "noviembre del 2026", "Noviembre 2026", "nov. de 2026", " November  2026 ",
    ),
    "2026-09": ("9/2026", "2026-9", "Sept 2026", "sept. 2026", "setiembre de 2026", "set 2026"),
    "2026-01": ("ene 2026", "Jan 2026", "enero de 2026"),
    "1999-12": ("12/99",),
}
NO_MONTHS = ("13/2026", "0/2026", "2026-13", "2026-00", "2026", "November", "Smarch 2026", "11/05/2026", "soon", "0000-01", "11/202", "Nov 26")
TIMES = {
    "09:30": ("9:30", "09:30", "9:30 AM", "9:30am", "9:30 a.m.", "9:30 A.M.", "9:30 a. m.", "9:30 a.\u00a0m.", "9.30", "9h30", "9 h 30", "9:30:00", "9:30 h", "9:30 hrs", " 9:30  am "),
    "21:30": ("21:30", "9:30 PM", "9:30p.m.", "9:30 p. m.", "21.30", "21h30", "21:30 hrs", "9:30:00 PM"),
    "09:00": ("9 am", "9AM", "9:00"),
    "12:00": ("noon", "NOON", "mediodía", "Mediodia", "12 pm", "12:00"),
    "00:00": ("midnight", "medianoche", "12 am", "0:00", "00:00"),
    "23:59": ("11:59 PM", "23:59"),
}
NO_TIMES = ("9", "930", "0930", "21h", "24:00", "9:60", "9:5", "0:30 am", "13 pm", "13:00 PM", "later", "9:30-10:30", "9:30 de la tarde", "9:30:15", "٩:٣٠", "am", ":30")
NUMBERS: tuple[tuple[Value, str, Number], ...] = (
    (12, "12", Number()),
    (12, " 12 ", Number()),
    (12, "+12", Number()),
    (12, "12.0", Number()),
    (0, "-0", Number()),
    (0, "000", Number()),
    (1234, "1,234", Number()),
    (1234567, "1,234,567", Number()),
    (-3, "-3", Number(least=-10)),
    (12.5, "12.5", Number(decimals=1)),
    (12.5, "12.50", Number(decimals=1)),
    (1234.25, "1,234.25", Number(decimals=2)),
    (0.00001, "0.00001", Number(decimals=6)),
)
NO_NUMBERS = ("twelve", "1,2", "12,34", "1,234,5", "1e5", "1E5", "0x10", "Infinity", "NaN", "1_000", "12.5", "12.", ".5", "1.2.3", "١٢", "--1", "1 2", "9" * 5000, "½")


@pytest.mark.parametrize(("expected", "typed"), [(day, typed) for day, spellings in DAYS.items() for typed in spellings])
def test_a_day_is_read_in_every_way_people_write_it(expected: str, typed: str) -> None:
    """A day in US order, ISO order, or words of either language is that day; day first only where nothing else is possible."""
    assert expected == read_value(Day(), typed)


@pytest.mark.parametrize("typed", NO_DAYS)
def test_what_is_no_day_is_a_misread(typed: str) -> None:
    """What is no day of the calendar, or only part of one, is not guessed."""
    assert read_value(Day(), typed) == UNREADABLE


@pytest.mark.parametrize(("expected", "typed"), [(month, typed) for month, spellings in MONTHS_TYPED.items() for typed in spellings])
def test_a_month_is_read_in_every_way_people_write_it(expected: str, typed: str) -> None:
    """A month in figures or in words of either language is that month."""
    assert expected == read_value(Month(), typed)


@pytest.mark.parametrize("typed", NO_MONTHS)
def test_what_is_no_month_is_a_misread(typed: str) -> None:
    """What is no month of a year is not guessed."""
    assert read_value(Month(), typed) == UNREADABLE


@pytest.mark.parametrize("lang", LANGS)
@pytest.mark.parametrize("number", range(1, 13))
def test_every_month_has_its_name(number: int, lang: Lang) -> None:
    """Every month's whole name and its first three letters are read in both languages, in months and in days."""
    name = MONTHS[lang][number - 1]
    for spelling in (name, name.upper(), name[:3], f"{name[:3]}."):
        assert read_value(Month(), f"{spelling} 2026") == f"2026-{number:02d}"
        assert read_value(Day(), f"{spelling} 7, 2026") == f"2026-{number:02d}-07"
        assert read_value(Day(), f"7 {spelling} 2026") == f"2026-{number:02d}-07"


@pytest.mark.parametrize(("expected", "typed"), [(time, typed) for time, spellings in TIMES.items() for typed in spellings])
def test_a_time_is_read_in_every_way_people_write_it(expected: str, typed: str) -> None:
    """A time with 12 or 24 hours, in the manner of either language, is that time."""
    assert expected == read_value(Time(), typed)


@pytest.mark.parametrize("typed", NO_TIMES)
def test_what_is_no_time_is_a_misread(typed: str) -> None:
    """What is no time of day, or leaves open which half of the day, is not guessed."""
    assert read_value(Time(), typed) == UNREADABLE


@pytest.mark.parametrize(("expected", "typed", "kind"), NUMBERS)
def test_a_number_is_read_in_every_way_people_write_it(expected: Value, typed: str, kind: Number) -> None:
    """A number may have a sign, grouped thousands and as many decimal places as its kind allows; a whole number is an int."""
    found = read_value(kind, typed)
    assert expected == found
    assert type(found) is type(expected)


@pytest.mark.parametrize("text", ["  ", "\n \n", "\u00ad", "\u200b\u2060", " \ufeff", "\u3164", "\u2800", "\U000e0020"])
def test_what_nobody_can_see_is_no_answer(text: str) -> None:
    """White space, soft hyphens, zero widths and fillers alone; inside other text they stay."""
    assert read_value(Text(), text) is None
    assert read_value(LongText(), text) is None
    assert read_value(Text(), f"a{text.splitlines()[0]}b") == f"a{text.splitlines()[0]}b"


@pytest.mark.parametrize("typed", NO_NUMBERS)
def test_what_is_no_number_is_a_misread(typed: str) -> None:
    """What people do not write as a number, or what has more decimal places than its kind, is not guessed."""
    assert read_value(Number(), typed) == UNREADABLE


@pytest.mark.parametrize(("expected", "typed"), [("green", typed) for typed in ("green", "GREEN", "Light green", "light  GREEN ", "Verde claro", "verde cláro")] + [("other", "Otro color"), ("other", "other")])
def test_a_choice_is_read_by_code_or_label(expected: str, typed: str) -> None:
    """A choice is read by its code or its label in either language, whatever case, accents and spaces."""
    assert expected == read_value(Choice(options=COLORS), typed)


@pytest.mark.parametrize("typed", ["blue", "gree", "green red", "1", "-"])
def test_what_is_no_option_is_a_misread(typed: str) -> None:
    """What is none of the options is not taken for the nearest one."""
    assert read_value(Choice(options=COLORS), typed) == Misread("not-an-option")


def test_a_tick_is_on_or_nothing() -> None:
    """A box is ticked when its answer is `on`, and has no value when it is empty."""
    assert read_value(Tick(), ON) is True
    assert read_value(Tick(), "") is None


@pytest.mark.parametrize("typed", ["yes", "Off", "X", "on "])
def test_a_tick_does_not_drop_what_it_cannot_understand(typed: str) -> None:
    """What is neither `on` nor empty is a misread, so that it becomes a question for a person."""
    assert read_value(Tick(), typed) in (True, Misread("not-a-tick"))


@pytest.mark.parametrize("kind", [*KINDS, Stamp()], ids=str)
@pytest.mark.parametrize("typed", ["", " ", " \t ", "\r\n"])
def test_nothing_written_is_no_value(kind: Kind, typed: str) -> None:
    """Spaces and line ends alone are no answer, whatever is asked."""
    assert read_value(kind, typed) is None


@pytest.mark.parametrize(("expected", "kind", "raw"), [
    ("one two", Text(), "one\r\ntwo"), ("one two", Text(), "one\rtwo"), ("one two", Signature(), "one\ntwo"),
    ("one\ntwo\n\nthree", LongText(), "one\r\ntwo\r\rthree"), ("  as it stands ", Text(), "  as it stands "), ("a\tb", LongText(), "a\tb"),
])  # fmt: skip
def test_text_keeps_all_but_its_writers_line_ends(expected: str, kind: Kind, raw: str) -> None:
    """Line ends of every system are one in paragraphs and a space in one line; nothing else of a text changes."""
    assert expected == read_value(kind, raw)


@given(st.text(st.sampled_from("ab \r\n")))
def test_line_ends_are_normal_after_one_pass(text: str) -> None:
    """Normal text has no carriage return, as many letters as before, and stays as it is."""
    normal = normal_lines(text)
    assert "\r" not in normal
    assert re.sub(r"\s", "", normal) == re.sub(r"\s", "", text)
    assert normal_lines(normal) == normal


# ---------------------------------------------------------------- written


@pytest.mark.parametrize(("expected", "kind", "value", "lang"), [
    ("11/05/2026", Day(), "2026-11-05", "en"), ("11/05/2026", Day(), "2026-11-05", "es"),
    ("9:30 AM", Time(), "09:30", "en"), ("9:30 a. m.", Time(), "09:30", "es"), ("12:00 PM", Time(), "12:00", "en"), ("12:05 a. m.", Time(), "00:05", "es"),
    ("November 2026", Month(), "2026-11", "en"), ("noviembre de 2026", Month(), "2026-11", "es"),
    ("Light green", Choice(options=COLORS), "green", "en"), ("Verde claro", Choice(options=COLORS), "green", "es"),
    ("12", Number(), 12, "en"), ("12.5", Number(decimals=1), 12.5, "es"), ("0.00001", Number(decimals=6), 0.00001, "en"),
    ("on", Tick(), True, "en"), ("", Tick(), False, "es"), ("two\nlines", LongText(), "two\nlines", "en"),
])  # fmt: skip
def test_paper_has_one_spelling(expected: str, kind: Kind, value: Value, lang: Lang) -> None:
    """A value stands on paper in US order, with the words of the form's language."""
    assert expected == write_value(kind, value, lang)


ONE_ANSWER = [kind for kind in KINDS if not isinstance(kind, Choices)]


@pytest.mark.parametrize("lang", LANGS)
@pytest.mark.parametrize("kind", ONE_ANSWER, ids=str)
@TRIES
@given(data=st.data())
def test_what_is_written_is_read_back(kind: Kind, lang: Lang, data: st.DataObject) -> None:
    """Every value of every kind, written in either language, is read as the same value."""
    value = data.draw(values_of(kind))
    assert value == read_value(kind, write_value(kind, value, lang))


@pytest.mark.parametrize("form", FORMS, ids=lambda form: form.id.name)
def test_every_option_of_every_form_is_read_back(form: object) -> None:
    """No two options of a question share a spelling, in either language."""
    kinds = [one.kind for asks in (form.asks, *(group.asks for group in form.groups)) for one in asks if isinstance(one.kind, Choice | Choices)]  # type: ignore[attr-defined]
    for kind in kinds:
        for option in kind.options:
            for spelling in (option.code, option.label.en, option.label.es):
                assert read_value(Choice(options=kind.options), spelling) == option.code, spelling


def test_a_code_counts_before_a_label() -> None:
    """A stored code means its own option, even where another option's label is spelled like it."""
    options = (Option(code="a", label=said("b")), Option(code="b", label=said("a")), Option(code="c", label=said("b")))
    assert [read_value(Choice(options=options), code) for code in "abc"] == ["a", "b", "c"]


# ---------------------------------------------------------------- judged


@pytest.mark.parametrize("kind", [kind for kind in KINDS if isinstance(kind, Day | Time | Month | Number)], ids=str)
def test_the_example_of_a_misread_can_be_read(kind: Kind) -> None:
    """The example that a message gives is itself readable."""
    assert not isinstance(read_value(kind, EXAMPLES[type(kind)]), Misread)


@pytest.mark.parametrize("kind", [kind for kind in KINDS if not isinstance(kind, Text | LongText | Signature)], ids=str)
def test_every_misread_has_its_words(kind: Kind) -> None:
    """What cannot be read is quoted in a sentence that says what to do."""
    misread = read_value(kind, "no such thing")
    if is_box(kind) and not isinstance(misread, Misread):
        return
    assert isinstance(misread, Misread)
    assert misread.code in WORDING
    assert "“no such thing”" in misread_words(kind, "no such thing", misread)


@pytest.mark.parametrize(("expected", "text"), [("", "plain"), ("", "tab\tand\nline"), ("", "😀 ሰላም \u200f"), ("U+0000", "a\0b"), ("U+0007, U+001B", "\x1b\a\x1b"), ("U+0085", "a\x85b"), ("U+D800", "\ud800")])
def test_characters_without_a_print_are_named(expected: str, text: str) -> None:
    """Control characters and lone surrogates are named by number; tab, line break and every script are fine."""
    assert expected == forbidden_characters(text)
