"""What 1,000 different forms, issued by one fresh process, need in memory."""

import json
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Final

from benchmarks.issue_many import EARLY, SAMPLES
from benchmarks.table import Row, megabytes, yes
from benchmarks.worksheets import ROOT, sample
from formsvc.service import Service, checked_values

_COUNT: Final = 1000
_MOST: Final = 250_000_000
_NO_GROWTH: Final = _MOST // 10  # caches of words and fonts are bounded, and still fill up; 25 MB is 30 KB for each form


def run(service: Service, _rounds: int) -> Iterator[Row]:
    """All rows of this benchmark."""
    form = service.form("worksheet")
    for name in SAMPLES:
        service.compiled(form, checked_values(form, sample(name)), "en")
    yield from _rows(f"issue {_COUNT:,} different forms", _issue(service.settings.cache), target=True)
    with tempfile.TemporaryDirectory() as empty:
        yield from _rows(f"the same, laying out their {len(SAMPLES)} blanks first", _issue(Path(empty)), target=False)


def _issue(cache: Path) -> Mapping[str, int]:
    command = (sys.executable, "-m", "benchmarks.issue_many", str(cache), str(_COUNT))
    done = subprocess.run(command, cwd=ROOT, check=True, capture_output=True, text=True)
    facts: Mapping[str, int] = json.loads(done.stdout)
    return facts


def _rows(what: str, facts: Mapping[str, int], *, target: bool) -> Iterator[Row]:
    highest, growth = facts["peak"], facts["end"] - facts["early"]
    out = f"{megabytes(facts['start'])} after start, {megabytes(facts['early'])} after {EARLY}, {megabytes(facts['end'])} after {_COUNT:,}; {facts['bytes'] // _COUNT // 1000} KB each"
    wanted = (f"< {megabytes(_MOST)}", yes(highest < _MOST)) if target else ("", "")
    yield Row(what=what, who="formsvc", result=f"{megabytes(highest)} at most", target=wanted[0], held=wanted[1], out=out)
    yield Row(what=what, who="formsvc", result=f"{megabytes(growth)} growth", target=f"none (< {megabytes(_NO_GROWTH)})", held=yes(growth < _NO_GROWTH), out=f"between form {EARLY} and form {_COUNT:,}")
