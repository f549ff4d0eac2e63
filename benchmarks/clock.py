"""Times contestants in turn, so that whatever else the machine does meets them all alike."""

import gc
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from statistics import median
from typing import Final

Work = Callable[[int], object]
"""One repetition; its number chooses the document, so that no two neighbours are alike."""

Clock = Callable[[], float]
WARMING: Final = 2
"""Repetitions before the first round: 0 and 1. Rounds begin with the next number, so that no peer meets a document again that it may remember."""
_SHORTEST: Final = 0.25  # seconds a contestant works in a round, at least


@dataclass(frozen=True, slots=True)
class Timed:
    """Seconds for one repetition, for each round."""

    rounds: Sequence[float]

    @property
    def seconds(self) -> float:
        """The typical time of one repetition."""
        return median(self.rounds)

    def times_slower_than(self, other: "Timed") -> float:
        """The typical ratio of two contestants, compared round by round."""
        return median(mine / theirs for mine, theirs in zip(self.rounds, other.rounds, strict=True))


def alternate(contestants: Mapping[str, Work], rounds: int, clock: Clock = time.process_time) -> Mapping[str, Timed]:
    """Time every contestant once a round; the default clock counts this process's processor time only."""
    repetitions = {name: _repetitions(work, clock) for name, work in contestants.items()}
    found: dict[str, list[float]] = {name: [] for name in contestants}
    gc.collect()
    gc.freeze()  # nobody pays for looking through the others' modules and caches
    for number in range(rounds):
        for name, work in contestants.items():
            count = repetitions[name]
            gc.collect()
            start = clock()
            for step in range(count):
                work(WARMING + number * count + step)
            found[name].append((clock() - start) / count)
    gc.unfreeze()
    return {name: Timed(times) for name, times in found.items()}


def _repetitions(work: Work, clock: Clock) -> int:
    """How many repetitions make a round, found by a trial that warms up too."""
    work(0)
    start = clock()
    work(1)
    return max(round(_SHORTEST / max(clock() - start, 1e-4)), 1)
