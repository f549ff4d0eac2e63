"""Filling a worksheet of 20 children: formsvc and its peers, with a check of what came out."""

from collections.abc import Callable, Iterator
from typing import Final

from benchmarks.clock import WARMING, Work, alternate
from benchmarks.drawn import check
from benchmarks.fillers import FILLERS
from benchmarks.table import Row, milliseconds, named, ratio_row, yes
from benchmarks.worksheets import FULL, PREFILLED, Sheet, sheets
from formsvc.service import Service

_DIFFERENT: Final = 200
_LARGEST: Final = 300_000
_EACH_SECOND: Final = {FULL: 60, PREFILLED: 150}


def run(service: Service, rounds: int) -> Iterator[Row]:
    """All rows of this benchmark."""
    yield from _against_peers(sheets(service, FULL, WARMING + rounds), rounds)
    for name, least in _EACH_SECOND.items():
        yield _throughput(name, sheets(service, name, _DIFFERENT), rounds, least)


def _against_peers(documents: list[Sheet], rounds: int) -> Iterator[Row]:
    def work(fill: Callable[[Sheet], bytes]) -> Work:
        return lambda number: fill(documents[number % len(documents)])

    ways = {"formsvc": Sheet.filled} | {name: fill for name, (_, fill, _) in FILLERS.items()}
    times = alternate({name: work(way) for name, way in ways.items()}, rounds)
    first = documents[0]
    what = f"fill {len(first.texts)} texts and {len(first.ticks)} ticks"
    ours = first.filled()
    size = len(ours)
    yield Row(what=what, who="formsvc", result=f"{milliseconds(times['formsvc'].seconds)}, {size // 1000} KB", target=f"≤ {_LARGEST // 1000} KB", held=yes(size <= _LARGEST), out=check(first, ours))
    for name, (package, fill, least) in FILLERS.items():
        filled = fill(first)
        result = f"{milliseconds(times[name].seconds)}, {len(filled) // 1000} KB"
        ratio = times[name].times_slower_than(times["formsvc"])
        yield ratio_row(what, name.replace(package, named(package)), result, ratio=ratio, least=least, out=check(first, filled))


def _throughput(name: str, documents: list[Sheet], rounds: int, least: float) -> Row:
    """Different documents one after the other, on one core."""
    times = alternate({name: lambda number: documents[number % len(documents)].filled()}, max(rounds, 10))
    speed = 1 / times[name].seconds
    first = documents[0]
    out = f"{len(first.filled()) // 1000} KB; {len(first.texts)} texts, {len(first.ticks)} ticks"
    return Row(what=f"fill {name}", who="formsvc", result=f"{speed:.0f} documents/s", target=f"≥ {least:g}/s", held=yes(speed >= least), out=out)
