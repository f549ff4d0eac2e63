"""How well ticks are read from worn pages: `python -m benchmarks.scans.marks_measure [--questions N] [--seed S] [--known]`.

A page is filled in as one person does, with one pen; every question gets one of the fillings of `MIX`, which is nastier
than real life; disputed styles are left out. Without `--known` only degradations that the network has never learnt from are used. Wrong and
unflagged is a question that is accepted with another answer than was drawn, or that a person should have seen.
"""

import argparse
import tempfile
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

import numpy as np

from benchmarks.scans.degrade import DEGRADATIONS, Degradation
from benchmarks.scans.pages import MEANINGS, Sheet, crops, drawn, questions, sheets
from benchmarks.scans.pens import PENS, STYLES, Style
from benchmarks.worksheets import open_service
from formsvc.parsers.marks import Decision, MarkReader, Shares, decide
from formsvc.parsers.page import MARKED, VOID

MIX: Final = {"one": (0.78, 0.30), "none": (0.12, 0.66), "corrected": (0.06, 0.0), "two": (0.02, 0.0), "void": (0.02, 0.04)}
"""How often a question is filled in so: where one box may be marked, and where each box is a question of its own."""
LIMITS: Final = (0.5, 0.8, 0.9, 0.95, 0.98, 0.99, 0.995)
_QUIRK: Final = 0.12  # of the empty boxes have a speck, a passing stroke or the like
_A_SHEET: Final = 20  # questions, for telling how many a person has to look at
_FEW: Final = 30  # boxes: less says nothing


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """A question as it was filled in, and what the reader says of its boxes; `again` is the mean of shifted crops."""

    exclusive: bool
    truths: tuple[int, ...]
    shares: Shares
    again: Shares

    @property
    def is_for_a_person(self) -> bool:
        """Two marks where one may stand, or a void without a mark that replaces it: nobody but a person can decide."""
        marked = self.truths.count(MARKED)
        return (self.exclusive and marked > 1) or (VOID in self.truths and not (self.exclusive and marked == 1))

    def decided(self, limit: float, *, shifted: bool) -> Decision:
        """What the product says at a limit."""
        unsure = (self.shares.max(axis=1) < limit)[:, None]
        return decide(np.where(unsure & shifted, self.again, self.shares), exclusive=self.exclusive, limit=limit)


@dataclass(slots=True)
class Count:
    """Boxes of one kind and how many were told right."""

    boxes: int = 0
    right: int = 0


@dataclass(slots=True)
class Tally:
    """All that was asked, and boxes by what was done to them."""

    asked: list[Asked] = field(default_factory=list)
    counts: defaultdict[tuple[str, str], Count] = field(default_factory=lambda: defaultdict(Count))
    confused: defaultdict[tuple[int, int], int] = field(default_factory=lambda: defaultdict(int))

    def count(self, names: Iterable[tuple[str, str]], truth: int, found: int) -> None:
        """Note a box."""
        self.confused[truth, found] += 1
        for name in names:
            self.counts[name].boxes += 1
            self.counts[name].right += truth == found


def filled_in(sheet: Sheet, rng: np.random.Generator) -> list[Style]:
    """A style for every box of a page, so that its questions are filled in as `MIX` says."""
    chosen = [_style("empty", rng) for _ in sheet.boxes]
    for exclusive, boxes in questions(sheet):
        shares = np.array([share[0 if exclusive and len(boxes) > 1 else 1] for share in MIX.values()])
        way = str(rng.choice(list(MIX), p=shares / shares.sum()))
        for number, means in zip(rng.permutation(boxes), {"one": ["marked"], "none": [], "corrected": ["marked", "void"], "two": ["marked", "marked"], "void": ["void"]}[way], strict=False):
            chosen[int(number)] = _style(means, rng)
    return chosen


def _style(means: str, rng: np.random.Generator) -> Style:
    if means == "empty" and rng.random() > _QUIRK:
        return STYLES["nothing"]
    known = [style for style in STYLES.values() if style.means == means and style.name != "nothing" and not (style.disputed or style.only_training)]
    often = np.array([style.often for style in known])
    return known[int(rng.choice(len(known), p=often / often.sum()))]


def measured(known: Sequence[Sheet], ways: Sequence[Degradation], wanted: int, rng: np.random.Generator) -> Tally:
    """Fill in pages, let them suffer, read them, until so many questions were asked."""
    reader, tally = MarkReader(), Tally()
    while len(tally.asked) < wanted:
        sheet, way = known[int(rng.integers(len(known)))], ways[int(rng.integers(len(ways)))]
        page, truths = drawn(sheet, rng, training=False, chosen=filled_in(sheet, rng))
        ours, blanks = crops(sheet, page, way, rng, off=float(abs(rng.normal(0, 0.45))))
        shares, again = reader.read(ours, blanks), reader.read_surely(ours, blanks, max(LIMITS))
        for truth, found in zip(truths, shares.argmax(axis=1), strict=True):
            tally.count((("style", truth.style.name), ("pen", truth.pen.name), ("degradation", way.name)), truth.label, int(found))
        for exclusive, boxes in questions(sheet):
            tally.asked.append(Asked(exclusive=exclusive, truths=tuple(truths[one].label for one in boxes), shares=shares[boxes], again=again[boxes]))
    return tally


def curve(asked: Sequence[Asked], *, shifted: bool) -> Iterator[str]:
    """Rows of the table: what is accepted, wrong and looked at, at each limit."""
    for limit in LIMITS:
        accepted = wrong = needless = 0
        for one in asked:
            decision = one.decided(limit, shifted=shifted)
            flagged = bool(decision.reason) or (one.exclusive and len(decision.marked) > 1)
            accepted += not flagged
            wrong += not flagged and (one.is_for_a_person or decision.marked != tuple(number for number, truth in enumerate(one.truths) if truth == MARKED))
            needless += flagged and not one.is_for_a_person
        looked = len(asked) - accepted
        yield f"| {limit:g}{', shifted' if shifted else ''} | {accepted} | {wrong} | {10_000 * wrong / max(accepted, 1):.1f} | {_A_SHEET * looked / len(asked):.2f} | {_A_SHEET * needless / len(asked):.2f} |"


def rows(tally: Tally) -> Iterator[str]:
    """Boxes told right, by what was done to them; what the network never saw has a star."""
    unseen = {("style", style.name) for style in STYLES.values() if not style.training} | {("pen", pen.name) for pen in PENS.values() if not pen.training}
    unseen |= {("degradation", way.name) for way in DEGRADATIONS.values() if not way.training}
    for name, count in sorted(tally.counts.items()):
        if count.boxes >= _FEW:
            yield f"| {name[0]} | {name[1]}{' *' if name in unseen else ''} | {count.boxes} | {100 * count.right / count.boxes:.2f} % |"


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--questions", type=int, default=34_000)
    parser.add_argument("--seed", type=int, default=99)
    parser.add_argument("--known", action="store_true", help="degradations that were learnt from as well")
    wanted = parser.parse_args()
    ways = [way for way in DEGRADATIONS.values() if wanted.known or not way.training]
    with tempfile.TemporaryDirectory() as cache:
        known = sheets(open_service(Path(cache)))
    tally = measured(known, ways, wanted.questions, np.random.default_rng(wanted.seed))
    boxes = sum(tally.confused.values())
    right = sum(tally.confused[number, number] for number in range(3))
    print(f"{boxes} boxes of {len(tally.asked)} questions, {len(ways)} degradations; told right in three classes: {100 * right / boxes:.2f} %\n")
    print("| drawn \\ read |", " | ".join(MEANINGS), "|\n|---|---|---|---|")
    for truth, name in enumerate(MEANINGS):
        print(f"| {name} |", " | ".join(str(tally.confused[truth, found]) for found in range(3)), "|")
    print(f"\n| limit | accepted | wrong, unflagged | in 10,000 | looked at, of {_A_SHEET} | of these needless |\n|---|---|---|---|---|---|")
    print(*curve(tally.asked, shifted=False), *curve(tally.asked, shifted=True), sep="\n")
    print("\n| by | what (* never seen in training) | boxes | right |\n|---|---|---|---|", *rows(tally), sep="\n")


if __name__ == "__main__":
    main()
