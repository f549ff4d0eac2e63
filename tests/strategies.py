"""Hypothesis strategies: every value that can be typed into any form of the catalog."""

from datetime import date
from typing import Any, assert_never

from hypothesis import strategies as st

from formsvc.model.form import Ask, Form
from formsvc.model.kinds import (
    Choice,
    Choices,
    Day,
    Kind,
    LongText,
    Month,
    Number,
    Signature,
    Stamp,
    Text,
    Tick,
    Time,
)
from formsvc.model.values import UNSEEN

# Words of many scripts, so that shaping, fallback and right-to-left order are exercised and not only blocks of random code points.
_WORDS = ("Ana", "Nguyễn", "Đorđe", "Ελένη", "Ковач", "ليلى", "שלום", "क्षितिज", "ไทย", "ខ្មែរ", "አማርኛ", "李小龍", "かな", "한글", "👩‍👩‍👧", "🇺🇸", "e\u0301", "(x)", "a\\b", "12/03", "<&>", "{{ n }}")
_ANY = st.characters(exclude_categories=["Cs", "Cc"])


def _says_something_or_is_empty(text: str) -> bool:
    return not text or not UNSEEN.fullmatch(text)


def _texts(most: int) -> st.SearchStrategy[str]:
    loose = st.text(_ANY, max_size=min(most, 40))
    worded = st.lists(st.sampled_from(_WORDS), max_size=12).map(" ".join)
    return st.one_of(loose, worded).map(lambda text: text[:most]).filter(_says_something_or_is_empty)


def _paragraphs() -> st.SearchStrategy[str]:
    short = st.lists(_texts(60), max_size=4).map("\n".join)
    very_long = st.tuples(_texts(40), st.integers(1, 60)).map(lambda pair: " ".join([pair[0]] * pair[1]))
    return st.one_of(short, very_long).filter(_says_something_or_is_empty)


def values_of(kind: Kind) -> st.SearchStrategy[Any]:
    """The canonical values of a kind, the empty one included."""
    match kind:
        case Text(limit=limit):
            return _texts(limit)
        case LongText():
            return _paragraphs()
        case Signature() | Stamp():
            return _texts(100)
        case Number(least=least, most=most):
            return st.integers(least, most)
        case Day():
            return st.dates(min_value=date(1900, 1, 1)).map(date.isoformat)
        case Time():
            return st.times().map(lambda time: time.isoformat("minutes")[:5])
        case Month():
            return st.dates(min_value=date(1900, 1, 1)).map(lambda day: day.isoformat()[:7])
        case Tick():
            return st.booleans()
        case Choice(options=options):
            return st.sampled_from([option.code for option in options])
        case Choices(options=options):
            return st.lists(st.sampled_from([option.code for option in options]), unique=True)
    assert_never(kind)


def _some(asks: tuple[Ask, ...]) -> st.SearchStrategy[dict[str, Any]]:
    return st.fixed_dictionaries({}, optional={ask.name: values_of(ask.kind) for ask in asks})


def data_of(form: Form, rows: int) -> st.SearchStrategy[dict[str, Any]]:
    """Data for a form with at most so many rows in each group, as a program would hand it in."""
    groups = {group.name: st.lists(_some(group.asks), max_size=rows) for group in form.groups}
    return st.tuples(_some(form.asks), st.fixed_dictionaries({}, optional=groups)).map(lambda parts: {**parts[0], **parts[1]})
