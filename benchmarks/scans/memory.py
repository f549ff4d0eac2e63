"""Memory of reading many pages: `python -m benchmarks.scans.memory FOLDER` reads every PDF of a folder as a service does, in a process that does nothing else.

`issues.pickle` there holds what was issued. Prints, as JSON: pages, megabytes of this process and of its largest child at most, and of this process after half of the files.
"""

import json
import pickle
import resource
import sys
import tempfile
from pathlib import Path

from benchmarks.worksheets import open_service


def main() -> None:
    """Read, and tell."""
    folder = Path(sys.argv[1])
    issues = pickle.loads((folder / "issues.pickle").read_bytes())  # noqa: S301  (we wrote it)
    pages, half, found = 0, 0, 0
    with tempfile.TemporaryDirectory() as cache:
        service = open_service(Path(cache))
        files = sorted(folder.glob("*.pdf"))
        for number, file in enumerate(files):
            parts = service.begin(file.read_bytes(), lookup=issues.get)()
            pages += sum(len(part.pages) for part in parts)
            found += sum(len(part.received.submission.answers) for part in parts if part.received)
            if number == len(files) // 2:
                half = _own()
    print(json.dumps({"pages": pages, "answers": found, "own": _own(), "half": half, "child": resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss * 1024}))


def _own() -> int:
    """The most this process held: getrusage would tell what its parent held before it became another program."""
    status = Path("/proc/self/status").read_text()
    return int(next(line.split()[1] for line in status.splitlines() if line.startswith("VmHWM"))) * 1024


if __name__ == "__main__":
    main()
