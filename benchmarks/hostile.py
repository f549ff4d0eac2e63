"""Reads every hostile file and thousands of damaged papers: each is read or refused, in time, and the service goes on.

With the usual seven rounds 10,000 damaged papers are read, fewer with fewer. What took longest, what the
reader did not foresee (`reader-failed`) and what escaped it is named; the worst files stand in the folder
`formsvc-hostile` of the temporary folder.
"""

import random
import statistics
import tempfile
import time
from collections import Counter, defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path
from typing import Final

import cv2
import flask
import numpy as np
import pypdfium2
import sqlalchemy
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from benchmarks.clock import alternate
from benchmarks.table import Row, milliseconds, yes
from benchmarks.worksheets import KEY
from formsvc.demo import sample_values
from formsvc.errors import Refused
from formsvc.parsers import triage
from formsvc.parsers.sandbox import run_limited
from formsvc.service import Service
from tests.hostile_files import HOSTILE
from tests.mutated import mutations, papers

_DAMAGED: Final = 10_000
_USUAL_ROUNDS: Final = 7
_MOST_ADDED: Final = 0.030
_LATE: Final = 8.0
LOADED: Final = (cv2, flask, np, pypdfium2, sqlalchemy)
"""What a process that serves people has loaded: a child begins as a copy of it."""


@dataclass(slots=True)
class _Tally:
    """What became of the files of one kind."""

    outcomes: Counter[str] = field(default_factory=Counter)
    times: list[float] = field(default_factory=list)
    slowest: tuple[float, str] = (0.0, "")
    wrong: dict[str, bytes] = field(default_factory=dict)

    def add(self, name: str, content: bytes, outcome: str, seconds: float) -> None:
        """Count one file; what is wrong is kept, one of each kind."""
        self.outcomes[outcome.partition(" ")[0]] += 1
        self.times.append(seconds)
        self.slowest = max(self.slowest, (seconds, name))
        if outcome.startswith(("reader-failed", "escaped", "accepted-without")) or seconds > _LATE:
            self.wrong.setdefault(outcome, content)


def run(service: Service, rounds: int) -> Iterator[Row]:
    """All rows of this benchmark."""
    yield from _overhead(service, rounds)
    count = min(_DAMAGED, _DAMAGED * rounds // _USUAL_ROUNDS)
    damaged: defaultdict[str, _Tally] = defaultdict(_Tally)
    with Progress(TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn(), console=Console(stderr=True)) as progress:
        hostile = _Tally()
        for name, make in progress.track(HOSTILE.items(), description="hostile files"):
            _read(service, name, make(), hostile)
        for paper, kind, content in progress.track(_damaged(service, count), total=count, description="damaged papers"):
            _read(service, f"{paper}: {kind}", content, damaged[kind])
    yield from _rows("hostile files", hostile)
    for kind in sorted(damaged):
        yield from _rows(f"damaged papers, {kind}", damaged[kind])
    yield from _verdict([hostile, *damaged.values()])


def _damaged(service: Service, count: int) -> Iterator[tuple[str, str, bytes]]:
    """So many damaged papers, in turn from each paper."""
    whole = papers(service)
    flows = {name: mutations(content, random.Random(f"{name} 1")) for name, content in whole.items()}  # noqa: S311  (the same damage each time)
    turns = ((name, *next(flow)) for _ in range(count) for name, flow in flows.items())
    return islice(turns, count)


def _read(service: Service, name: str, content: bytes, tally: _Tally) -> None:
    start = time.perf_counter()
    outcome = _outcome(service, content)
    tally.add(name, content, outcome, time.perf_counter() - start)


def _outcome(service: Service, content: bytes) -> str:
    try:
        answers = service.understand(content).submission.answers
    except Refused as refused:
        return f"{refused.code} {refused.message}" if refused.code == "reader-failed" else refused.code
    except Exception as escaped:  # noqa: BLE001  (what this is looking for)
        return f"escaped {type(escaped).__name__}: {escaped}"
    return "accepted" if answers else "accepted-without-answers"


# ---------------------------------------------------------------- rows


def _rows(what: str, tally: _Tally) -> Iterator[Row]:
    told = ", ".join(f"{code} {count}" for code, count in tally.outcomes.most_common())
    middle, late = statistics.median(tally.times), sorted(tally.times)[int(0.95 * (len(tally.times) - 1))]
    slowest, name = tally.slowest
    yield Row(what=what, who=f"{len(tally.times):,} files", result=f"{milliseconds(middle)}, 95 % within {milliseconds(late)}", out=f"{told}; slowest {slowest:.1f} s ({name})")


def _verdict(tallies: list[_Tally]) -> Iterator[Row]:
    outcomes = sum((tally.outcomes for tally in tallies), Counter[str]())
    late = sum(seconds > _LATE for tally in tallies for seconds in tally.times)
    what = "all of them"
    for name, count in (("hangs", late), ("failures of the service", outcomes["escaped"]), ("accepted without answers", outcomes["accepted-without-answers"]), ("failures of the reader", outcomes["reader-failed"])):
        yield Row(what=what, who=name, result=f"{count} of {outcomes.total():,}", target="0", held=yes(count == 0))
    yield Row(what=what, who="outcomes", result=", ".join(f"{code} {count}" for code, count in outcomes.most_common()), out=_kept(tallies))


def _kept(tallies: list[_Tally]) -> str:
    """Where the files stand that went wrong, one for each way of going wrong."""
    folder = Path(tempfile.gettempdir()) / "formsvc-hostile"
    told: list[str] = []
    for outcome, content in {outcome: content for tally in tallies for outcome, content in tally.wrong.items()}.items():
        folder.mkdir(exist_ok=True)
        file = folder / f"{len(told)}.pdf"
        file.write_bytes(content)
        told.append(f"{file}: {outcome}")
    return "; ".join(told)


# ---------------------------------------------------------------- what the sandbox costs


def _overhead(service: Service, rounds: int) -> Iterator[Row]:
    """What the confined child adds to reading, from a process with all that a service has loaded."""
    content = service.issue("worksheet", sample_values("worksheet-8-children")).content
    times = alternate(
        {
            "nothing": lambda _number: run_limited(int),
            "plain": lambda _number: triage.read(content, service.catalog, KEY, None),
            "confined": lambda _number: run_limited(triage.read, content, service.catalog, KEY, None),
        },
        rounds,
        time.perf_counter,
    )
    added, what = times["confined"].seconds - times["plain"].seconds, "the confined process, by the wall clock"
    yield Row(what=what, who="doing nothing", result=milliseconds(times["nothing"].seconds))
    yield Row(what=what, who="added to reading", result=milliseconds(added), target=f"≤ {milliseconds(_MOST_ADDED)}", held=yes(added <= _MOST_ADDED), out=f"{milliseconds(times['plain'].seconds)} without, {milliseconds(times['confined'].seconds)} with")
