"""Puts the whole service behind bubblewrap: inside, nothing can be written but its own data, and no process outside is seen.

The limits of each reader (`formsvc.parsers.confine`) hold without it; this is what is left to whoever breaks out of one.
The one process outside starts the service, passes on what ends it, and waits.
"""

import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Final

from sqlalchemy import make_url

from formsvc.errors import Refused
from formsvc.parsers.confine import walled_by
from formsvc.settings import Settings

_LOOK: Final = 0.5
_TRIED: Final = 10.0
_ENDED: Final = 128 + signal.SIGTERM
"""Of a service that was told once more while it was on its way out."""
_ALONE: Final = ("--ro-bind", "/", "/", "--dev", "/dev", "--proc", "/proc", "--unshare-pid", "--unshare-ipc", "--unshare-uts", "--cap-drop", "ALL", "--die-with-parent")


def is_wanted(asked: bool | None) -> bool:
    """Whether to start behind the wall: as asked (refuses where it cannot be), else where it can be and nothing else is around the service."""
    if asked is False or (asked is None and walled_by()):
        return False
    try:
        check_wall()
    except Refused as refused:
        if asked:
            raise
        print(f"No wall around the service: {refused}", file=sys.stderr)  # noqa: T201
        return False
    return True


def check_wall() -> str:
    """Where bubblewrap is; refuses if it is not here or may not be used."""
    program = shutil.which("bwrap")
    if program is None:
        raise Refused("wall-unusable", "", detail="it is not installed")
    try:
        tried = subprocess.run([program, *_ALONE, "--", sys.executable, "-c", ""], capture_output=True, text=True, timeout=_TRIED, check=False)  # noqa: S603
    except (OSError, subprocess.TimeoutExpired) as problem:
        raise Refused("wall-unusable", "", detail=type(problem).__name__) from problem
    if tried.returncode:
        raise Refused("wall-unusable", "", detail=tried.stderr.strip().rpartition("\n")[2][:120] or "it does not start")
    return program


def run_behind(settings: Settings, arguments: Sequence[str]) -> int:
    """Run `formsvc` with these arguments behind the wall until it ends or we are told to end; its exit code.

    SIGTERM and SIGINT are passed on, and the work in hand is done first; if this process is killed, all ends at once.
    """
    program = check_wall()
    told: list[int] = []
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda number, _frame: told.append(number))
    with tempfile.TemporaryDirectory(prefix="formsvc-") as drafts:
        own = [part for folder in (*_folders(settings), Path(drafts)) for part in ("--bind", str(folder), str(folder))]
        command = [program, *_ALONE, *own, "--setenv", "TMPDIR", drafts, "--", sys.executable, "-m", "formsvc", *arguments]
        process = subprocess.Popen(command, stdin=subprocess.DEVNULL, preexec_fn=_unmoved)  # noqa: S603, PLW1509  (our own interpreter; one thread here)
        while process.poll() is None:
            if told:  # again and again: it may not listen yet
                os.killpg(process.pid, signal.SIGTERM)
            time.sleep(_LOOK)
    return 0 if told and process.returncode == _ENDED else process.returncode


def _unmoved() -> None:
    """In a group that we tell to end as a whole: bubblewrap itself does not listen, what runs behind it does."""
    os.setpgrp()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, signal.SIG_IGN)


def _folders(settings: Settings) -> Iterator[Path]:
    """Where the service writes, as far as that is on this machine; made here, for behind the wall nothing can be made beside them."""
    database = make_url(settings.database) if settings.database else None
    chosen = (
        settings.data, settings.cache, settings.templates, settings.files_key_file.parent if settings.files_key_file and not settings.files_key else None,
        Path(settings.files) if settings.files and "://" not in settings.files else None,
        Path(database.database).parent if database is not None and database.get_backend_name() == "sqlite" and database.database else None,
    )  # fmt: skip
    for folder in dict.fromkeys(one.absolute() for one in chosen if one is not None):
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        yield folder
