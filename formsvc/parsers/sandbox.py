"""Runs the reading of a stranger's bytes in a limited process; a killed worker is an answer.

A child is forked per file with limits on memory, processor time, wall time and file size. What it
answers (a result or a refusal) comes back through a pipe; whatever else happens to it becomes
`too-costly` or `reader-failed`. This is the one place where every exception is caught.
"""

import gc
import multiprocessing
import os
import resource
import threading
from collections.abc import Callable
from dataclasses import dataclass
from multiprocessing.connection import Connection
from multiprocessing.context import ForkProcess
from pathlib import Path
from typing import Any, Final, Generic, TypeVar, cast

from formsvc.errors import Refused

T = TypeVar("T")


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """What a reader may use."""

    memory_bytes: int = 512 * 1024 * 1024
    """On top of what the process already has."""
    cpu_seconds: int = 8
    wall_seconds: float = 20.0
    file_bytes: int = 64 * 1024 * 1024


LIMITS: Final = Limits()
_PLACES: Final = threading.BoundedSemaphore(2 * (os.cpu_count() or 1) + 2)
"""So many children at a time: more would only make each other run out of time. Who begins several at once finishes the first ones first."""


def run_limited(work: Callable[..., T], *arguments: Any, limits: Limits = LIMITS) -> T:
    """The result of `work(*arguments)`, computed by a limited child; refusals come through as they are."""
    return start_limited(work, *arguments, limits=limits).result()


def start_limited(work: Callable[..., T], *arguments: Any, limits: Limits = LIMITS) -> "Running[T]":
    """The same, begun: the caller goes on and asks for the result later, once."""
    _PLACES.acquire()
    try:
        fork = multiprocessing.get_context("fork")
        receiver, sender = fork.Pipe(duplex=False)
        child = fork.Process(target=_child, args=(sender, work, arguments, limits), daemon=True)
        child.start()
        sender.close()
    except BaseException:
        _PLACES.release()
        raise
    return Running(child, receiver, limits)


class Running(Generic[T]):
    """Work in a limited child. Ask for its result once, or give it up; either ends the child."""

    def __init__(self, child: ForkProcess, receiver: Connection, limits: Limits) -> None:
        """Know the child and the pipe its answer comes through."""
        self._child, self._receiver, self._limits = child, receiver, limits
        self._ended = False

    def result(self) -> T:
        """What the work gave; a refusal is raised as it is."""
        try:
            return cast("T", _answer(self._receiver, self._limits))
        finally:
            self.give_up()

    def give_up(self) -> None:
        """End the child, whatever it does; once is enough."""
        if self._ended:
            return
        self._ended = True
        try:
            self._child.kill()
            self._child.join()
            self._receiver.close()
        finally:
            _PLACES.release()


def _answer(receiver: Connection, limits: Limits) -> Any:
    if not receiver.poll(limits.wall_seconds):
        raise Refused("too-costly", "", resource="time")
    try:
        kind, payload = receiver.recv()
    except EOFError:  # killed: by the processor limit, by the memory limit inside a library, by a crash
        raise Refused("too-costly", "", resource="time or memory") from None
    if kind == "result":
        return payload
    if kind == "refused":
        raise payload
    if kind == "memory":
        raise Refused("too-costly", "", resource="memory")
    raise Refused("reader-failed", "", detail=payload)


def _child(sender: Connection, work: Callable[..., Any], arguments: tuple[Any, ...], limits: Limits) -> None:
    _limit(limits)
    gc.disable()  # a short life that only allocates: collecting would cost a fifth of it
    try:
        answer: tuple[str, Any] = ("result", work(*arguments))
    except Refused as refused:
        answer = ("refused", refused)
    except (MemoryError, RecursionError):
        answer = ("memory", None)
    except Exception as failure:  # noqa: BLE001  (the boundary: a stranger's file may break anything)
        answer = ("failed", type(failure).__name__)
    sender.send(answer)
    sender.close()


def _limit(limits: Limits) -> None:
    for kind, most in (
        (resource.RLIMIT_AS, _address_space() + limits.memory_bytes),
        (resource.RLIMIT_CPU, limits.cpu_seconds),
        (resource.RLIMIT_FSIZE, limits.file_bytes),
        (resource.RLIMIT_CORE, 0),
    ):
        try:
            _, hard = resource.getrlimit(kind)
            resource.setrlimit(kind, (most if hard == resource.RLIM_INFINITY else min(most, hard), hard))
        except (ValueError, OSError):  # a kernel without this limit (macOS has no address space limit)
            continue


def _address_space() -> int:
    """What this process has mapped already, in bytes."""
    try:
        pages = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[0])
    except (OSError, ValueError):
        return 0
    return pages * resource.getpagesize()
