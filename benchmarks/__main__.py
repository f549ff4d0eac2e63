"""`python -m benchmarks [fill|read|memory|letters|month|web|hostile|prints|scans] [--rounds N]`: run and print one table."""

import argparse
import logging
import sys
import tempfile
import warnings
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Final

from benchmarks import fill, letters, memory, month, read, web
from benchmarks.table import Row, as_markdown, machine
from benchmarks.worksheets import open_service
from formsvc.service import Service


def _hostile(service: Service, rounds: int) -> Iterator[Row]:
    from benchmarks import hostile  # noqa: PLC0415  (it loads what a service has loaded, which the others are not to carry)

    return hostile.run(service, rounds)


def _prints(service: Service, rounds: int) -> Iterator[Row]:
    from benchmarks import prints  # noqa: PLC0415  (as above)

    return prints.run(service, rounds)


def _scans(service: Service, rounds: int) -> Iterator[Row]:
    from benchmarks import scanned  # noqa: PLC0415  (as above)

    return scanned.run(service, rounds)


_ALL: Final[dict[str, Callable[[Service, int], Iterator[Row]]]] = {"fill": fill.run, "read": read.run, "memory": memory.run, "letters": letters.run, "month": month.run, "web": web.run}
_LONG: Final[dict[str, Callable[[Service, int], Iterator[Row]]]] = {"hostile": _hostile, "prints": _prints, "scans": _scans}
"""Run only when named: they take many minutes."""


def main() -> None:
    """Run what was asked for."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description="Speed and memory of formsvc, as ratios against named peers.")
    parser.add_argument("which", nargs="?", choices=(*_ALL, *_LONG), help=f"all of them but {', '.join(_LONG)} unless told")
    parser.add_argument("--rounds", type=int, default=7, help="alternating repetitions (%(default)s)")
    asked = parser.parse_args()
    logging.disable(logging.ERROR)  # peers warn of what the table tells anyway
    warnings.simplefilter("ignore")
    rows: list[Row] = []
    with tempfile.TemporaryDirectory() as cache:
        service = open_service(Path(cache))
        for name in (asked.which,) if asked.which else tuple(_ALL):
            print(f"{name} ...", file=sys.stderr, flush=True)
            rows += (_ALL | _LONG)[name](service, max(asked.rounds, 1))
    print(f"{machine()}\n\n{as_markdown(rows)}")


if __name__ == "__main__":
    main()
