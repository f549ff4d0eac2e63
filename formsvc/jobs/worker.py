"""A worker: takes one job after the other from the store, alone in its process, until it is told to stop."""

import logging
import os
import secrets
import signal
import time
from collections.abc import Callable
from typing import Final

from formsvc.errors import Refused, where_it_failed, word
from formsvc.jobs.work import CancelledError, run
from formsvc.office import hooks
from formsvc.office.background import let_file_go, tidy
from formsvc.office.current import CurrentOffice
from formsvc.office.health import tell_alive, tell_ended
from formsvc.office.office import Office
from formsvc.office.once import forget_answers
from formsvc.office.people import forget_old
from formsvc.store.jobs import Job, claim, end, go_on, is_any_free, release
from formsvc.store.store import settle_file

_LOG: Final = logging.getLogger(__name__)
_PAUSE: Final = 0.25
_TIDY_EVERY: Final = 600.0
_BEAT_EVERY: Final = 15.0
_TELL_EVERY: Final = 5.0
"""However much work there is, other programs are told something so often."""


def work_on(office: Office, name: str, stopped: Callable[[], bool]) -> int:
    """Work until stopped; how many jobs were done. A failure of ours fails its job, never the worker."""
    done, tidied, told, beaten = 0, time.monotonic() - _TIDY_EVERY * secrets.randbelow(100) / 100, 0.0, float("-inf")
    current = CurrentOffice(office)
    while not stopped():
        office = current()
        if time.monotonic() - beaten > _BEAT_EVERY:
            beaten = time.monotonic()
            tell_alive(office, name)
        is_done = work_once(office, name)
        done += is_done
        is_told = (not is_done or time.monotonic() - told > _TELL_EVERY) and hooks.deliver_due(office) > 0
        told = time.monotonic() if is_told else told
        if is_done or is_told:
            continue
        if time.monotonic() - tidied > _TIDY_EVERY:
            tidied = time.monotonic()
            tidy(office)
            forget_old(office)
            hooks.forget_old(office)
            forget_answers(office)
        time.sleep(_PAUSE)
    tell_ended(office, name)
    return done


def work_once(office: Office, name: str) -> bool:
    """Do one job, if there is one."""
    with office.store.reading() as connection:
        if not is_any_free(connection):
            return False
    with office.store.writing() as connection:
        job = claim(connection, name)
    if job is None:
        return False
    _do(office, job, name)
    return True


def _do(office: Office, job: Job, worker: str) -> None:
    def step(done: int, total: int) -> None:
        with office.store.writing() as connection:
            if not go_on(connection, job.id, worker, done, total):
                raise CancelledError

    try:
        result, file = run(office, job, step)
    except CancelledError:
        return
    except Refused as refused:
        _fail(office, job, worker, refused.code, refused.message)
        return
    except Exception as failure:  # noqa: BLE001  (the boundary: whatever fails, this job fails and the next one goes on)
        _LOG.error("job %d (%s) failed: %s", job.id, job.kind, where_it_failed(failure))
        _fail(office, job, worker, "job-failed", word("job-failed", detail=type(failure).__name__))
        return
    with office.store.writing() as connection:
        if end(connection, job.id, "done", result, worker=worker, file=file):
            hooks.announce_job(connection, job, "done", result)
            if file is not None:
                settle_file(connection, file)
    if result.get("state") in ("refused", "left"):  # what was no paper is not kept
        let_file_go(office, job.id)


def _fail(office: Office, job: Job, worker: str, code: str, message: str) -> None:
    result = {"code": code, "message": message}
    with office.store.writing() as connection:
        if end(connection, job.id, "failed", result, worker=worker):
            hooks.announce_job(connection, job, "failed", result)


def let_go(office: Office, name: str) -> int:
    """Give the jobs of a dead worker back."""
    with office.store.writing() as connection:
        return release(connection, name)


def run_worker(office: Office, name: str | None = None, *, parent: int | None = None) -> int:
    """Work in this process until SIGTERM or SIGINT (the job in hand is finished first), or until the parent is gone."""
    is_told = False

    def tell(_number: int, _frame: object) -> None:
        nonlocal is_told
        is_told = True

    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, tell)
    name = name or f"{os.getpid()}-{secrets.token_hex(3)}"
    return work_on(office, name, lambda: is_told or (parent is not None and os.getppid() != parent))
