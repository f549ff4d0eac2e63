"""The time that one file may take, whatever is in it: its steps share what is left.

Counted are seconds of the processor, and of processes that work at the same time only the one that took most: on a
machine with nothing else to do that is the time somebody waits, and on a full one no honest file runs out of it.
"""

import os
from collections.abc import Callable, Sequence
from typing import Any, Final, TypeVar

from formsvc.errors import Refused
from formsvc.parsers.sandbox import Limits, Running, start_limited

T = TypeVar("T")

FILE: Final = 7.2
"""Seconds for a file of up to three pages, which is so answered within 8."""
MORE: Final = 3.0
"""Seconds for each further page."""
_PAGES: Final = 3
_STEP_MOST: Final = 7.0
_WAITED: Final = 3.0
"""On a full machine a process gets so many times its seconds by the clock on the wall."""
FIRST_STEP: Final = Limits(cpu_seconds=_STEP_MOST, wall_seconds=_WAITED * _STEP_MOST)
"""For what is done with a file before anything is known of it."""
_BARE: Final = 0.7
"""What a page takes besides its text."""
_LAST: Final = 1.2
"""What the longest note takes, if it was begun in time."""
_LEAST: Final = 0.5
"""With less a step is not begun."""


class Allowance:
    """What is left for a file of so many pages."""

    def __init__(self, spent: float = 0.0) -> None:
        """Begin with a file of few pages, for which so many seconds were spent already."""
        self._left, self._pages = FILE - spent, _PAGES

    def grow(self, pages: int) -> None:
        """The file turns out to have so many pages."""
        self._left += MORE * max(pages - self._pages, 0)
        self._pages = max(pages, self._pages)

    def run(self, work: Callable[..., T], *arguments: Any) -> T:
        """The result of work in a confined process; refuses where no time is left for it."""
        [done] = self.run_beside([(work, arguments)])
        if isinstance(done, Refused):
            raise done
        return done

    def run_beside(self, works: "Sequence[tuple[Callable[..., T], tuple[Any, ...]]]") -> "list[T | Refused]":
        """The results of work in confined processes at the same time, or why there is none."""
        try:
            seconds = self._step()
        except Refused as refused:
            return [refused] * len(works)
        limits = Limits(cpu_seconds=seconds, wall_seconds=_WAITED * seconds)
        running: list[Running[T]] = []
        try:
            for work, arguments in works:
                running.append(start_limited(work, *arguments, limits=limits))
            return list(map(_ended, running))
        finally:
            for one in running:
                one.give_up()
            self._left -= max((one.seconds for one in running), default=0.0)

    def lend(self, work: Callable[[float], T]) -> T:
        """The result of work that is done here and in processes that end with it, told how many seconds it may take; refuses where none are left."""
        seconds = self._step()
        begun = _used()
        try:
            return work(seconds)
        finally:
            self._left -= _used() - begun

    def _step(self) -> float:
        """Seconds that a step may take; refuses where too little is left to begin one."""
        if self._left < _LEAST:
            raise Refused("too-costly", "", resource="time")
        return min(self._left, _STEP_MOST)

    def for_text(self, turns: int) -> float:
        """Seconds that one page may spend on reading text, if so many turns of pages are still to come."""
        return max((self._left - _LAST) / max(turns, 1) - _BARE, 0.0)


def _used() -> float:
    """The processor's seconds of this process and of its children that ended."""
    return sum(os.times()[:4])


def _ended(running: "Running[T]") -> "T | Refused":
    try:
        return running.result()
    except Refused as refused:
        return refused
