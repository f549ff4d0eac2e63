"""How well typed fields are read from worn pages: `python -m benchmarks.scans.text_measure [--fields N] [--seed S] [--show]`.

A field is accepted when the reading is sure. Wrong is an accepted reading that is not exactly what stands there (white
space and the shape of quotation marks apart). Crops come from the exact map of each degradation, shifted by up to
0.9 pixels at 300 dpi, since no page is registered exactly.
"""

import argparse
import resource
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

import cv2
import numpy as np
from numpy.random import Generator

from benchmarks.scans.degrade import DEGRADATIONS, Degraded
from benchmarks.scans.text_pages import Gray, Page, Typed, pages
from benchmarks.worksheets import open_service
from formsvc.model.kinds import Kind, Lang, LongText, Text
from formsvc.model.values import Misread, read_value
from formsvc.parsers.ocr import Reading, TextReader

_OFF: Final = 0.9
_A_PAGE: Final = 14
"""Fields of a page that are read after one degradation."""
_AT_ONCE: Final = 5
"""Degradations that a page goes through."""
_GOOD: Final = ("scan", "bilevel")
_KEYS: Final = str.maketrans({"‘": "'", "’": "'", "“": '"', "”": '"', "—": "-", "–": "-"})


@dataclass(slots=True)
class Count:
    """What became of the fields of one degradation."""

    fields: int = 0
    accepted: int = 0
    wrong: int = 0
    right: int = 0
    seconds: float = 0.0
    single: list[float] = field(default_factory=list)
    open: Counter[str] = field(default_factory=Counter)
    """Of the fields that people fill in: how many, accepted, wrong."""

    def note(self, reading: Reading, typed: Typed, *, right: bool, seconds: float) -> None:
        """Count a reading."""
        if not typed.locked:
            self.open.update(fields=1, accepted=int(reading.sure), wrong=int(reading.sure and not right))
        self.fields += 1
        self.accepted += reading.sure
        self.wrong += reading.sure and not right
        self.right += right
        self.seconds += seconds
        if not isinstance(typed.kind, LongText):
            self.single.append(seconds)


def crop(page: Degraded, typed: Typed, rng: Generator) -> Gray:
    """A field taken flat out of a worn page at 300 dpi."""
    left, top, right, bottom = typed.place
    x, y = np.meshgrid(np.arange(left, right), np.arange(top, bottom))
    points = np.stack([x.ravel(), y.ravel()], axis=1).astype(np.float64) + rng.uniform(-_OFF, _OFF, 2)
    where = page.mapping(points).astype(np.float32).reshape(bottom - top, right - left, 2)
    return cv2.remap(page.image, where[..., 0], where[..., 1], cv2.INTER_LINEAR, borderMode=cv2.BORDER_CONSTANT, borderValue=[255]).astype(np.uint8)


def is_right(reading: Reading, truth: str, kind: Kind) -> bool:
    """Whether a reading is exactly what stands there; of a day, time, number or option, whether it is the same one."""
    if not isinstance(kind, Text | LongText) and (value := read_value(kind, truth)) is not None and not isinstance(value, Misread):
        return read_value(kind, reading.text) == value
    return reading.text.translate(_KEYS).split() == truth.translate(_KEYS).split()


def worn(page: Page, names: list[str], rng: Generator) -> Iterator[tuple[str, Degraded]]:
    """A page after each of these degradations."""
    for name in names:
        yield name, DEGRADATIONS[name].apply(page.picture, rng)


def measure(fields: int, seed: int, *, show: bool) -> Mapping[str, Count]:
    """Read so many fields of each degradation."""
    rng = np.random.default_rng(seed)
    readers: dict[Lang, TextReader] = {"en": TextReader("en"), "es": TextReader("es")}
    counts = {name: Count() for name in DEGRADATIONS}
    with tempfile.TemporaryDirectory() as cache:
        for page in pages(open_service(Path(cache)), rng):
            short = sorted((name for name in counts if counts[name].fields < fields), key=lambda name: counts[name].fields)
            if not short:
                return counts
            print(f"\r{sum(count.fields for count in counts.values())} fields", end="", file=sys.stderr, flush=True)
            for name, other in worn(page, short[:_AT_ONCE], rng):
                for number in rng.permutation(len(page.fields))[:_A_PAGE]:
                    typed = page.fields[int(number)]
                    picture = crop(other, typed, rng)
                    start = time.process_time()
                    reading = readers[typed.lang].read(picture, typed.blank, typed.kind)
                    right = is_right(reading, typed.truth, typed.kind)
                    counts[name].note(reading, typed, right=right, seconds=time.process_time() - start)
                    if show and reading.sure and not right:
                        print(f"\n{name}, {page.drawn_by}: {typed.truth!r} read as {reading.text!r}", file=sys.stderr)
    return counts


def table(counts: Mapping[str, Count]) -> str:
    """The counts as a markdown table, families after single degradations."""
    lines = ["| Page | Family | Fields | Accepted | Wrong among them | Suggestion right | ms a field |", "|---|---|---|---|---|---|---|"]
    groups: dict[str, Counter[str]] = {}
    for name, count in counts.items():
        family = DEGRADATIONS[name].family
        lines.append(_row(name, family, count))
        groups.setdefault(family, Counter()).update(fields=count.fields, accepted=count.accepted, wrong=count.wrong, right=count.right)
    for family, sums in groups.items():
        total = Count(fields=sums["fields"], accepted=sums["accepted"], wrong=sums["wrong"], right=sums["right"], seconds=sum(c.seconds for n, c in counts.items() if DEGRADATIONS[n].family == family))
        lines.append(_row("**all**", f"**{family}**", total))
    return "\n".join(lines)


def _row(name: str, family: str, count: Count) -> str:
    whole = max(count.fields, 1)
    return f"| {name} | {family} | {count.fields} | {count.accepted / whole:.1%} | {count.wrong} | {count.right / whole:.1%} | {1000 * count.seconds / whole:.0f} |"


def main() -> None:
    """Measure, and print the table."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.scans.text_measure", description="Typed fields read from worn pages.")
    parser.add_argument("--fields", type=int, default=250, help="fields of each degradation (%(default)s)")
    parser.add_argument("--seed", type=int, default=6)
    parser.add_argument("--show", action="store_true", help="print what was wrongly accepted")
    asked = parser.parse_args()
    counts = measure(asked.fields, asked.seed, show=asked.show)
    single = [seconds for count in counts.values() for seconds in count.single]
    good = [count for name, count in counts.items() if DEGRADATIONS[name].family in _GOOD]
    accepted = sum(count.accepted for count in good)
    print(f"\n{table(counts)}\n")
    for family in dict.fromkeys(way.family for way in DEGRADATIONS.values()):
        of = sum((count.open for name, count in counts.items() if DEGRADATIONS[name].family == family), Counter[str]())
        print(f"{family}: of {of['fields']} fields that people fill in {of['accepted'] / max(of['fields'], 1):.1%} accepted, {of['wrong']} wrong.")
    print(f"Scans and faxes: {sum(count.wrong for count in good)} wrong of {accepted} accepted. 20 single lines: {20 * float(np.mean(single)):.2f} s of one core (both engines, all tries).")
    print(f"Memory at most {resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024:.0f} MB, the benchmark's own pages included.")


if __name__ == "__main__":
    main()
