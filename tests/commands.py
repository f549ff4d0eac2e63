"""Commands of formsvc as a person types them, each in a process of its own.

The process is forked from the tests', which has everything loaded: starting Python for each of some hundred commands
takes longer than what they do. `python -m formsvc` itself is started where that is what is tested.
"""

import os
import signal
import sys
import tempfile
import threading
import traceback
from collections.abc import Callable, Mapping
from pathlib import Path
from subprocess import CompletedProcess
from typing import NoReturn

from formsvc.settings import settings


def type_command(*arguments: str, folder: Path, environment: Mapping[str, str], given: str = "", first: Callable[[], None] = lambda: None, seconds: float = 120) -> CompletedProcess[str]:
    """Run `formsvc` with these arguments in a folder; `first` is done in its process before. It is killed when it takes too long."""
    with tempfile.TemporaryFile() as standard_in, tempfile.TemporaryFile() as out, tempfile.TemporaryFile() as errors:
        standard_in.write(given.encode())
        standard_in.seek(0)
        child = os.fork()
        if child == 0:
            _become(arguments, folder, environment, (standard_in.fileno(), out.fileno(), errors.fileno()), first)
        late = threading.Timer(seconds, os.kill, (child, signal.SIGKILL))
        late.start()
        _, status = os.waitpid(child, 0)
        late.cancel()
        told = []
        for stream in (out, errors):
            stream.seek(0)
            told.append(stream.read().decode())
    return CompletedProcess(["formsvc", *arguments], os.waitstatus_to_exitcode(status), *told)


def _become(arguments: tuple[str, ...], folder: Path, environment: Mapping[str, str], streams: tuple[int, int, int], first: Callable[[], None]) -> NoReturn:
    """The child: never returns."""
    code = 70
    try:
        for number, stream in enumerate(streams):
            os.dup2(stream, number)
        sys.stdin, sys.stdout, sys.stderr = (os.fdopen(os.dup(number), mode, encoding="utf-8") for number, mode in enumerate(("r", "w", "w")))
        os.environ.clear()
        os.environ.update(environment)
        os.chdir(folder)
        settings.cache_clear()
        first()
        code = _done(arguments)
        sys.stdout.flush()
        sys.stderr.flush()
    except BaseException:  # noqa: BLE001  (as Python would end)
        os.write(2, traceback.format_exc().encode())
    finally:
        os._exit(code)


def _done(arguments: tuple[str, ...]) -> int:
    from formsvc.cli import main  # noqa: PLC0415

    sys.argv = ["formsvc", *arguments]
    try:
        main()
    except SystemExit as ended:
        return ended.code if isinstance(ended.code, int) else int(bool(ended.code))
    return 0
