"""Runs the reading of a stranger's bytes in a confined process; a killed worker is an answer.

A child is forked per file and confined (`confine`) before it reads a byte. What it answers (a result
or a refusal) comes back through a pipe, as data (`wire`); whatever else happens to it becomes
`too-costly` or `reader-failed`. This is the one place where every exception is caught.

The child ends when the thread that began it ends: whoever begins in one thread finishes in it.
"""

import contextlib
import gc
import multiprocessing
import os
import select
import socket
import tempfile
import threading
import time
from collections.abc import Callable, Mapping
from functools import partial
from multiprocessing.connection import Connection
from multiprocessing.context import ForkProcess
from pathlib import Path
from typing import Any, Final, Generic, TypeVar, cast

from formsvc.errors import Refused
from formsvc.parsers.confine import Limits, confine, walled_by
from formsvc.parsers.wire import NotCarried, pack, unpack

__all__ = ("LIMITS", "Limits", "Running", "run_limited", "self_test", "start_limited")

T = TypeVar("T")

LIMITS: Final = Limits()
_PIECE: Final = 1 << 20
_PLACES: Final = threading.BoundedSemaphore(2 * (os.cpu_count() or 1) + 2)
"""So many children at a time: more would only make each other run out of time. Who begins several at once finishes the first ones first."""


def run_limited(work: Callable[..., T], *arguments: Any, limits: Limits = LIMITS) -> T:
    """The result of `work(*arguments)`, computed by a confined child; refusals come through as they are.

    The result has to be data: see `wire`.
    """
    return start_limited(work, *arguments, limits=limits).result()


def start_limited(work: Callable[..., T], *arguments: Any, limits: Limits = LIMITS) -> "Running[T]":
    """The same, begun: the caller goes on and asks for the result later, once."""
    _PLACES.acquire()
    try:
        fork = multiprocessing.get_context("fork")
        receiver, sender = fork.Pipe(duplex=False)
        child = fork.Process(target=_child, args=(sender, work, arguments, limits, os.getpid()), daemon=True)
        child.start()
        sender.close()
    except BaseException:
        _PLACES.release()
        raise
    return Running(child, receiver, limits)


class Running(Generic[T]):
    """Work in a confined child. Ask for its result once, or give it up; either ends the child."""

    def __init__(self, child: ForkProcess, receiver: Connection, limits: Limits) -> None:
        """Know the child and the pipe its answer comes through."""
        self._child, self._receiver, self._limits = child, receiver, limits
        self._ended = False
        self.seconds = float(limits.cpu_seconds)
        """The processor's seconds it took, as it says once there is a result; until then, and if it is killed, as many as it may take."""

    def result(self) -> T:
        """What the work gave; a refusal is raised as it is."""
        try:
            outcome, self.seconds = _told(_received(self._receiver.fileno(), self._limits), self.seconds)
            return cast("T", _answer(outcome))
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
            with contextlib.suppress(ValueError):  # another thread saw it end first, and took its state with it
                self._child.close()  # or its pipes stay open until the collector comes by
            self._receiver.close()
        finally:
            _PLACES.release()


def _told(content: bytes, most: float) -> tuple[object, float]:
    """What a child says became of the work, and the seconds it says that took: never more than it had."""
    if not content:  # killed: by the processor limit, by the memory limit inside a library, by a crash
        raise Refused("too-costly", "", resource="time or memory")
    with contextlib.suppress(ValueError):  # cut off, or not what a reader of ours would say
        match unpack(content):
            case (outcome, float(seconds)) if seconds >= 0:
                return outcome, min(seconds, most)
    return None, most


def _answer(outcome: object) -> Any:
    match outcome:
        case ("result", payload):
            return payload
        case ("refused", Refused() as refused):
            raise refused
        case ("memory", None):
            raise Refused("too-costly", "", resource="memory")
        case ("failed", detail):
            raise Refused("reader-failed", "", detail=str(detail)[:80])
    raise Refused("reader-failed", "", detail="its answer is broken")


def _received(pipe: int, limits: Limits) -> bytes:
    """All that comes through a pipe until its other end closes; a child that stops in the middle is not waited for."""
    until = time.monotonic() + limits.wall_seconds
    poll, content = select.poll(), bytearray()
    poll.register(pipe, select.POLLIN)
    while True:
        left = until - time.monotonic()
        if left <= 0 or not poll.poll(left * 1000):
            raise Refused("too-costly", "", resource="time")
        piece = os.read(pipe, _PIECE)
        if not piece:
            return bytes(content)
        content += piece
        if len(content) > limits.answer_bytes:
            raise Refused("too-costly", "", resource="memory")


# ---------------------------------------------------------------- the child


def _child(sender: Connection, work: Callable[..., Any], arguments: tuple[Any, ...], limits: Limits, parent: int) -> None:
    pipe = sender.fileno()
    confine(limits, pipe, parent)
    gc.disable()  # a short life that only allocates: collecting would cost a fifth of it
    content = memoryview(_worked(work, arguments))
    while content:
        content = content[os.write(pipe, content) :]
    with contextlib.suppress(OSError):
        os.close(pipe)
    os._exit(0)  # nothing that the parent has open is to be tidied up here


def _worked(work: Callable[..., Any], arguments: tuple[Any, ...]) -> bytes:
    try:
        return _packed("result", work(*arguments))
    except Refused as refused:
        return _packed("refused", refused)
    except (MemoryError, RecursionError):
        return _packed("memory", None)
    except NotCarried as kind:
        return _packed("failed", f"answers with {kind}")
    except Exception as failure:  # noqa: BLE001  (the boundary: a stranger's file may break anything)
        return _packed("failed", type(failure).__name__)


def _packed(outcome: str, detail: object) -> bytes:
    return pack(((outcome, detail), time.process_time()))


# ---------------------------------------------------------------- whether it holds


def self_test() -> Mapping[str, bool | str]:
    """Which layers hold on this machine: each is tried in a child, for about a second in all.

    `memory`, `processor`, `time`, `files`, `network`, `processes`: true where the child was stopped,
    false where it was not, and words where that could not be found out. `around` names what the
    whole service was started in, or is empty.
    """
    processor = start_limited(_spend, 2.0, limits=Limits(cpu_seconds=1, wall_seconds=2.5))
    try:
        own = Path(tempfile.gettempdir()) / f"formsvc-self-test-{os.getpid()}"
        tried = _outcome(start_limited(_try_ways_out, str(own), os.getpid()))
        own.unlink(missing_ok=True)
        ways_out = tried if isinstance(tried, dict) else dict.fromkeys(("files", "network", "processes"), str(tried))
        return {
            "memory": _outcome(start_limited(_take, 1 << 30)) == "too-costly: memory",
            "time": _outcome(start_limited(time.sleep, 5, limits=Limits(wall_seconds=0.2))) == "too-costly: time",
            **ways_out,
            "processor": _processor_held(str(_outcome(processor))),
            "around": walled_by(),
        }
    finally:
        processor.give_up()


def _outcome(running: Running[Any]) -> object:
    """What a child answered, or why it did not."""
    try:
        return running.result()
    except Refused as refused:
        resource = next((name for name in ("time or memory", "memory", "time") if f"more {name} than" in refused.message), "")
        return f"{refused.code}: {resource}"


def _processor_held(outcome: str) -> bool | str:
    if outcome == "too-costly: time":  # neither two seconds of work were done nor one was noticed
        return "not found out: this machine is too busy now"
    return outcome == "too-costly: time or memory"


def _spend(seconds: float) -> str:
    """Use the processor for so long."""
    while time.process_time() < seconds:
        pass
    return "done"


def _take(size: int) -> str:
    """Take so many bytes of memory."""
    return f"{len(bytearray(size))} bytes"


def _try_ways_out(file: str, parent: int) -> dict[str, bool]:
    """Try what a reader must not do; true where nothing of it could be done."""
    ways: Mapping[str, tuple[Callable[[], object], ...]] = {
        "files": (partial(Path(file).write_bytes, b"1"), Path(file).touch, partial(os.open, tempfile.gettempdir(), getattr(os, "O_TMPFILE", os.O_CREAT) | os.O_RDWR)),
        "network": tuple(partial(socket.socket, family) for family in (socket.AF_INET, socket.AF_INET6, socket.AF_UNIX)),
        "processes": (_fork, partial(os.posix_spawn, "/bin/true", ["true"], {}), partial(os.kill, parent, 0)),
    }
    return {name: not any(map(_does, tried)) for name, tried in ways.items()}


def _does(work: Callable[[], object]) -> bool:
    try:
        work()
    except (OSError, AttributeError):  # refused, or not known on this system
        return False
    return True


def _fork() -> None:
    if not os.fork():
        os._exit(0)
