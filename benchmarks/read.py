"""Reading a filled worksheet of 20 children: formsvc, which checks what the page shows, and its peers, which do not."""

import time
from collections.abc import Callable, Iterator, Mapping

from benchmarks.clock import WARMING, Work, alternate
from benchmarks.readers import READERS
from benchmarks.table import Row, milliseconds, named, ratio_row
from benchmarks.worksheets import FULL, KEY, sheets
from formsvc.model.record import Submission
from formsvc.parsers import triage
from formsvc.parsers.sandbox import run_limited
from formsvc.service import Service


def run(service: Service, rounds: int) -> Iterator[Row]:
    """All rows of this benchmark."""
    documents = [sheet.filled() for sheet in sheets(service, FULL, WARMING + rounds)]
    yield from _against_peers(service, documents, rounds)
    yield from _sandboxed(service, documents, rounds)


def _submission(service: Service, pdf: bytes) -> Submission:
    submission = triage.read(pdf, service.catalog, KEY, None).submission
    assert submission is not None
    return submission


def _against_peers(service: Service, documents: list[bytes], rounds: int) -> Iterator[Row]:
    def work(read: Callable[[bytes], Mapping[str, object]]) -> Work:
        return lambda number: read(documents[number % len(documents)])

    def ours(pdf: bytes) -> Mapping[str, object]:
        return _submission(service, pdf).answers

    times = alternate({"formsvc": work(ours)} | {name: work(read) for name, (read, _) in READERS.items()}, rounds)
    found = _submission(service, documents[0])
    written = sum(bool(answer.raw) for answer in found.answers.values())
    what = f"read {written} answers"
    said = f"{written} written answers, each with confidence, page and box, shown text compared: {len(found.problems)} doubts"
    yield Row(what=what, who="formsvc, in-process", result=milliseconds(times["formsvc"].seconds), out=said)
    for name, (read, least) in READERS.items():
        values = read(documents[0])
        plain = sum(value not in ("", "/Off", "Off") for key, value in values.items() if not key.startswith("stamp-"))
        yield ratio_row(what, named(name), milliseconds(times[name].seconds), ratio=times[name].times_slower_than(times["formsvc"]), least=least, out=f"{plain} written values, nothing else")


def _sandboxed(service: Service, documents: list[bytes], rounds: int) -> Iterator[Row]:
    """What the limited process adds; by the clock on the wall, since the work is done by a child."""

    def document(number: int) -> bytes:
        return documents[number % len(documents)]

    ways: Mapping[str, Work] = {
        "plain": lambda number: triage.read(document(number), service.catalog, KEY, None),
        "sandbox": lambda number: run_limited(triage.read, document(number), service.catalog, KEY, None),
        "service": lambda number: service.read(document(number)),
    }
    times = alternate(ways, rounds, time.perf_counter)
    what = "read, by the wall clock"
    added = times["sandbox"].seconds - times["plain"].seconds
    yield Row(what=what, who="formsvc, in-process", result=milliseconds(times["plain"].seconds))
    yield Row(what=what, who="formsvc, in its sandbox", result=milliseconds(times["sandbox"].seconds), out=f"the limited process adds {milliseconds(added)}")
    yield Row(what=what, who="formsvc, service.read", result=milliseconds(times["service"].seconds), out="sandbox, values understood, rules judged")
