"""A month of a whole grantee in one fresh process: papers for every unit, a return from each, the picture of the month.

There is no peer that does this; the figures stand against the targets that an agency feels.
"""

import json
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from typing import Final

from benchmarks.table import Row, megabytes, yes
from benchmarks.worksheets import ROOT
from formsvc.service import Service

_UNITS: Final = 400
_CHILDREN: Final = 20
_MOST_SECONDS: Final = {"month": 60.0, "receive": 60.0, "status": 1.0}
_MOST_MEMORY: Final = 400_000_000


def run(service: Service, _rounds: int) -> Iterator[Row]:
    """All rows of this benchmark."""
    with tempfile.TemporaryDirectory() as data:
        command = (sys.executable, "-m", "benchmarks.grantee", str(service.settings.cache), data, str(_UNITS), str(_CHILDREN))
        facts = json.loads(subprocess.run(command, cwd=ROOT, check=True, capture_output=True, text=True).stdout)
    what = f"{_UNITS} units, {facts['children']:,} children"
    told = {
        "month": f"{facts['papers']} papers issued, encrypted and stored",
        "receive": f"{facts['counted']} returned worksheets read, merged, stored",
        "status": "the picture of the month, every rule",
    }
    for name, most in _MOST_SECONDS.items():
        yield Row(what=what, who=f"formsvc {name}", result=f"{facts[name]:.2f} s", target=f"< {most:g} s", held=yes(facts[name] < most), out=told[name])
    yield Row(what=what, who="formsvc month, again", result=f"{facts['again']:.2f} s", out="nothing to do: the same documents")
    yield Row(what=what, who="follow-up forms", result=f"{facts['renew']:.2f} s", out=f"{facts['renewed']} made anew with the new actions")
    yield Row(what=what, who="memory", result=megabytes(facts["peak"]), target=f"< {megabytes(_MOST_MEMORY)}", held=yes(facts["peak"] < _MOST_MEMORY), out="at most, all steps in one process")
