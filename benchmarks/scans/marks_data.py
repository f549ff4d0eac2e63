"""Makes what the tick reader learns from: `python -m benchmarks.scans.marks_data OUT.npz --pages 900 --seed 1 [--held-out] [--evenly]`.

Without `--held-out` only the pens, styles and degradations that are marked for training are used. With `--evenly` rare styles
are as frequent as common ones, so that little data teaches them too.
"""

import argparse
import sys
import tempfile
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray

from benchmarks.scans.degrade import DEGRADATIONS, Degradation
from benchmarks.scans.pages import crops, drawn, sheets
from benchmarks.scans.pens import STYLES, Style
from benchmarks.worksheets import open_service

AS_PRINTED: Final = Degradation(name="as printed", family="scan", place=lambda _rng, wide, high: (np.eye(3), (wide, high), None), tones=(), training=True)
"""Flattened prints never were on paper: without pages as clean as they are the network is unsure of their empty boxes."""
_CLEAN: Final = 2  # times as often as a degradation


def evenly(count: int, rng: np.random.Generator) -> list[Style]:
    """A third of the boxes empty, the others any training style."""
    known = [style for style in STYLES.values() if style.training and style.name != "nothing"]
    return [STYLES["nothing"] if rng.random() < 1 / 3 else known[int(rng.integers(len(known)))] for _ in range(count)]


def main() -> None:
    """Draw pages, let them suffer, cut the boxes out."""
    parser = argparse.ArgumentParser()
    parser.add_argument("out", type=Path)
    parser.add_argument("--pages", type=int, default=900)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--held-out", action="store_true")
    parser.add_argument("--evenly", action="store_true")
    wanted = parser.parse_args()
    rng = np.random.default_rng(wanted.seed)
    with tempfile.TemporaryDirectory() as cache:
        known = sheets(open_service(Path(cache)))
    ways = [way for way in DEGRADATIONS.values() if way.training != wanted.held_out] + [AS_PRINTED] * (0 if wanted.held_out else _CLEAN)
    found: list[NDArray[np.uint8]] = []
    blanks: list[NDArray[np.uint8]] = []
    labels: list[int] = []
    for number in range(wanted.pages):
        sheet, way = known[int(rng.integers(len(known)))], ways[int(rng.integers(len(ways)))]
        page, truths = drawn(sheet, rng, training=not wanted.held_out, chosen=evenly(len(sheet.boxes), rng) if wanted.evenly else None)
        ours, theirs = crops(sheet, page, way, rng, off=float(abs(rng.normal(0, 0.45))))
        found.append(ours)
        blanks.append(theirs)
        labels += [truth.label for truth in truths]
        if number % 50 == 0:
            print(number, len(labels), file=sys.stderr, flush=True)
    np.savez(wanted.out, crops=np.concatenate(found), blanks=np.concatenate(blanks), labels=np.array(labels, np.uint8))


if __name__ == "__main__":
    main()
