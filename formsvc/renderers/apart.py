"""Does heavy work of ours in a process of its own, whose memory goes with it.

Laying out a long form takes several hundred megabytes, and a process that has grown so stays so: a service would carry
them for ever, and copy their tables with every reader that it forks.
"""

import contextlib
import os
import pickle
import signal
import tempfile
from collections.abc import Callable
from typing import Any, TypeVar

from formsvc.errors import Refused

T = TypeVar("T")


def apart(work: Callable[[], T], seconds: float | None = None) -> T:
    """What `work` returns. Where it fails there, or no process is to be had, it is done here: its error is then the usual one.

    With `seconds` it may use the processor for so long, and is refused where that is not enough.
    Temporary files of the work go with it: the process ends without tidying up, and libraries leave theirs.
    """
    if not hasattr(os, "fork"):
        return work()
    with tempfile.TemporaryDirectory(prefix="formsvc-") as folder:
        found = _forked(work, folder, seconds)
    if found is None and seconds is not None:
        raise Refused("too-costly", "", resource="time")
    return found[0] if found else work()


def _forked(work: Callable[[], T], folder: str, seconds: float | None) -> tuple[T] | tuple[()] | None:
    """What it gave, nothing where it failed, or None where it was killed."""
    try:
        reading, writing = os.pipe()
        child = os.fork()
    except OSError:
        return ()
    if child == 0:
        tempfile.tempdir = folder
        if seconds is not None:
            signal.signal(signal.SIGPROF, signal.SIG_DFL)
            signal.setitimer(signal.ITIMER_PROF, seconds)
        _work(work, reading, writing)
    os.close(writing)
    with os.fdopen(reading, "rb") as stream:
        answer = stream.read()
    with contextlib.suppress(ChildProcessError):  # somebody waits for all children
        os.waitpid(child, 0)
    try:
        found: Any = pickle.loads(answer)  # noqa: S301  (our own words)
    except (EOFError, pickle.UnpicklingError):
        return None
    return (found[0],) if found else ()


def _work(work: Callable[[], object], reading: int, writing: int) -> None:
    """The child: never returns."""
    answer = pickle.dumps(())
    try:
        os.close(reading)
        with contextlib.suppress(Exception):
            answer = pickle.dumps((work(),))
        with os.fdopen(writing, "wb") as stream:
            stream.write(answer)
    finally:
        os._exit(0)
