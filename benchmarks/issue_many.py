"""The process that is measured by `benchmarks.memory`: issues many different forms, prints its memory as JSON.

Usage: python -m benchmarks.issue_many CACHE_FOLDER COUNT
"""

import json
import resource
import sys
from pathlib import Path
from typing import Final

from benchmarks.worksheets import FULL, PREFILLED, open_service, sample, varied

SAMPLES: Final = (FULL, PREFILLED, "worksheet-8-children")
EARLY: Final = 200


def resident() -> int:
    """Bytes of memory in use now."""
    return int(Path("/proc/self/statm").read_text(encoding="ascii").split()[1]) * resource.getpagesize()


def peak() -> int:
    """Bytes of memory in use at most. `ru_maxrss` counts what the parent had at the fork too, so the kernel's own figure comes first."""
    lines = Path("/proc/self/status").read_text(encoding="ascii", errors="replace").splitlines()
    found = next((int(line.split()[1]) for line in lines if line.startswith("VmHWM:")), None)
    return 1024 * (found if found is not None else resource.getrusage(resource.RUSAGE_SELF).ru_maxrss)


def main(cache: str, count: str) -> None:
    """Issue the forms and print what that took."""
    service = open_service(Path(cache))
    data = [sample(name) for name in SAMPLES]
    facts = {"start": resident()}
    size = 0
    for number in range(int(count)):
        issued = service.issue("worksheet", varied(data[number % len(data)], number, scripts=True))
        size += len(issued.content)
        if number + 1 == EARLY:
            facts["early"] = resident()
    print(json.dumps({**facts, "end": resident(), "peak": peak(), "bytes": size}))


if __name__ == "__main__":
    main(*sys.argv[1:])
