"""A file has so much time, whatever is in it: its steps share what is left, and each page's text gets its part of that."""

import time

import pytest

from formsvc.errors import Refused
from formsvc.parsers.allowance import FILE, MORE, Allowance
from formsvc.renderers.apart import apart


def _work(seconds: float) -> float:
    """Use the processor for so long."""
    while time.process_time() < seconds:
        pass
    return seconds


def left(allowance: Allowance) -> float:
    return allowance.for_text(1)


def test_what_a_step_takes_is_gone_for_those_after_it() -> None:
    """Seconds of the processor are counted, as the process tells them; waiting is not."""
    allowance = Allowance()
    before = left(allowance)
    assert allowance.run(_work, 0.4) == 0.4
    assert 0.4 <= before - left(allowance) < 0.8
    before = left(allowance)
    allowance.run(time.sleep, 1.0)
    assert before - left(allowance) < 0.5


def test_what_is_done_at_the_same_time_counts_once() -> None:
    """Of two pages the one that takes longer."""
    allowance = Allowance()
    before = left(allowance)
    assert allowance.run_beside([(_work, (0.6,)), (_work, (0.7,))]) == [0.6, 0.7]
    assert 0.7 <= before - left(allowance) < 1.2


def test_a_step_ends_where_the_time_of_the_file_does() -> None:
    """It is stopped to the part of a second, and nothing is begun after it."""
    allowance = Allowance(spent=FILE - 0.7)
    begun = time.monotonic()
    with pytest.raises(Refused, match="more time") as refused:
        allowance.run(_work, 20.0)
    assert refused.value.code == "too-costly"
    assert time.monotonic() - begun < 2
    with pytest.raises(Refused, match="more time"):
        allowance.run(int)
    assert [type(done) for done in allowance.run_beside([(int, ()), (int, ())])] == [Refused, Refused]
    assert allowance.for_text(1) == 0


def test_what_is_done_here_is_counted_too() -> None:
    """With the processes that ended in it; it is told how long it may take, and not begun without time."""
    allowance = Allowance(spent=FILE - 4.0)
    before = left(allowance)
    told = allowance.lend(lambda seconds: (seconds, _work(time.process_time() + 0.3), apart(lambda: _work(0.3))))
    assert told[0] == pytest.approx(4.0)
    assert 0.5 <= before - left(allowance) < 1.2
    with pytest.raises(Refused, match="more time"):
        Allowance(spent=FILE).lend(lambda seconds: seconds)


def test_a_refusal_costs_what_it_took() -> None:
    """One page that cannot be read does not end the others, and its time is gone."""
    allowance = Allowance()
    before = left(allowance)
    refused, done = allowance.run_beside([(_refuse, (0.3,)), (_work, (0.1,))])
    assert (isinstance(refused, Refused) and refused.code, done) == ("picture-dark", 0.1)
    assert 0.3 <= before - left(allowance) < 0.7


def _refuse(seconds: float) -> float:
    _work(seconds)
    raise Refused("picture-dark", "", page=1)


def test_more_pages_have_more_time() -> None:
    """Three have what one has; told twice counts once."""
    allowance = Allowance()
    before = left(allowance)
    allowance.grow(3)
    assert left(allowance) == before
    allowance.grow(5)
    allowance.grow(5)
    assert left(allowance) == pytest.approx(before + 2 * MORE)


def test_the_text_of_later_pages_has_its_time_too() -> None:
    """What one turn may take leaves as much for each that follows."""
    allowance = Allowance()
    assert 2 * allowance.for_text(2) < left(allowance) < FILE
    assert Allowance(spent=FILE).for_text(3) == 0
