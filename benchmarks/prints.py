"""Prints whose fields are gone, by every producer and through what printers do: what comes back equal, and how fast."""

import random
import time
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from benchmarks.table import Row
from formsvc.demo import sample_values
from formsvc.documents import Issue
from formsvc.errors import Refused
from formsvc.model.kinds import LongText, Signature, is_box
from formsvc.model.record import Answer
from formsvc.service import Service
from tests.papers import FORMS, SAMPLES
from tests.producers import CHANGES, PRODUCERS, Missing

_WORDS = ("Reads", "with", "grandmother", "cada", "noche", "speech", "check", "by", "Friday", "clinic", "called", "niño", "señala", "two", "words", "1/2", "cup", "ill", "jumps", "quietly", "fjord")


def run(service: Service, rounds: int) -> Iterator[Row]:
    """`rounds` random records of every form through every producer, and through every change of pages after PDFium."""
    rng = random.Random(20261122)  # noqa: S311  (samples, not secrets)
    for name, change in {**{f"{producer}": work for producer, work in PRODUCERS.items()}, **{f"PDFium flatten, {what}": _after_pdfium(what) for what in CHANGES}}.items():
        tally = _Tally()
        for number in range(rounds):
            form = FORMS[number % len(FORMS)]
            content, issue = record(service, form, rng)
            try:
                tally.take(service, form, content, change(content), issue)
            except Missing as missing:
                yield Row(what=name, who="formsvc", result="-", out=f"{missing} is not installed")
                break
        else:
            yield Row(what=name, who="formsvc", result=f"{tally.seconds / max(tally.pages, 1) * 1000:.0f} ms a page", out=tally.told())


def _after_pdfium(what: str) -> Any:
    return lambda content: CHANGES[what](PRODUCERS["PDFium flatten"](content))


def record(service: Service, form: str, rng: random.Random, *, signed: bool = True) -> tuple[bytes, Issue]:
    """A sample of a form with other words, and its document as it was issued: what the sample locks is known, the rest was typed. Lines to sign may stay empty."""
    name = rng.choice([sample.name for sample in SAMPLES.values() if sample.form == form and sample.name not in ("worksheet-scripts", "worksheet-long-notes", "worksheet-33-children", "case-management-35-actions", "worksheet-20-children", "worksheet-20-prefilled")] or [sample.name for sample in SAMPLES.values() if sample.form == form])
    values = _varied(service, form, sample_values(name), rng)
    if not signed:
        values = _unsigned(service, form, values)
    lang = SAMPLES[name].lang
    rows = {group.name: len(found) for group in service.form(form).groups if isinstance(found := values.get(group.name), list)}
    locked = {ask.name for ask in service.form(form).asks if ask.locked}
    known = {key: value for key, value in values.items() if key in locked}
    content = service.issue(form, values, lang=lang, rows=rows).content
    return content, Issue(lang=lang, values=known, content=b"")


def _varied(service: Service, form: str, values: dict[str, Any], rng: random.Random) -> dict[str, Any]:
    """Long answers get random words."""

    def other(asks: Any, row: dict[str, Any]) -> dict[str, Any]:
        long = {ask.name for ask in asks if isinstance(ask.kind, LongText)}
        return {key: " ".join(rng.choices(_WORDS, k=rng.randint(3, 14))) + "." if key in long and isinstance(value, str) else value for key, value in row.items()}

    return _each_row(service, form, values, other)


def _unsigned(service: Service, form: str, values: dict[str, Any]) -> dict[str, Any]:
    """Nobody has signed."""

    def without(asks: Any, row: dict[str, Any]) -> dict[str, Any]:
        lines = {ask.name for ask in asks if isinstance(ask.kind, Signature)}
        return {key: value for key, value in row.items() if key not in lines}

    return _each_row(service, form, values, without)


def _each_row(service: Service, form: str, values: dict[str, Any], change: Callable[[Any, dict[str, Any]], dict[str, Any]]) -> dict[str, Any]:
    """The answers of a form and of its first six rows, changed."""
    definition = service.form(form)
    found = change(definition.asks, values)
    for group in definition.groups:
        if isinstance(values.get(group.name), list):
            found[group.name] = [change(group.asks, row) for row in values[group.name][:6]]
    return found


class _Tally:
    """What came back equal."""

    def __init__(self) -> None:
        self.texts = self.wrong = self.silent = self.ticks = self.wrong_ticks = self.doubts = self.refused = self.pages = 0
        self.seconds = 0.0

    def take(self, service: Service, form: str, content: bytes, printed: bytes, issue: Issue) -> None:
        truth = service.understand(content).submission.answers
        begun = time.perf_counter()
        try:
            parts = service.begin(printed, lookup=lambda _: issue)()
        except Refused:
            self.refused += 1
            return
        self.seconds += time.perf_counter() - begun
        self.pages += sum(len(part.pages) for part in parts)
        for part in parts:
            if part.received is None:
                self.refused += 1
            else:
                self._compare(service, form, truth, part.received.submission.answers, {problem.field for problem in part.received.submission.problems})

    def _compare(self, service: Service, form: str, truth: Mapping[str, Answer], found: Mapping[str, Answer], asked: set[str]) -> None:
        self.doubts += len(asked - {""})
        for key, answer in truth.items():
            place = service.form(form).find(key)
            raw = found[key].raw if key in found else ""
            equal = "".join(raw.split()) == "".join(answer.raw.split())
            box = place is not None and is_box(place.ask.kind)
            if box:
                self.ticks += 1
                self.wrong_ticks += not equal
            elif answer.raw:
                self.texts += 1
                self.wrong += not equal
            self.silent += not equal and not any(key == one or key.startswith(f"{one}-") for one in asked)

    def told(self) -> str:
        """In words."""
        return f"{self.texts - self.wrong} of {self.texts} texts and {self.ticks - self.wrong_ticks} of {self.ticks} boxes equal; {self.silent} wrong and not told; {self.doubts} doubts; {self.refused} refused"
