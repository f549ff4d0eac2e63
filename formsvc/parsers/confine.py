"""Takes away from a process what reading a file does not need: writing, the network, other processes.

`confine` is for a child that was just forked and has read nothing yet; nothing of it can be undone.
Layer by layer, each holding where the one before it fails:

* resource limits, soft and hard: address space, processor time, file size, core dumps, descriptors;
* descriptors that came along are closed: data bases, sockets, terminals, other people's pipes;
* `no_new_privs`, not dumpable (nobody may look into its memory), killed when its parent ends;
* a seccomp filter (Linux on x86_64 and aarch64; elsewhere this layer is off, and
  `sandbox.self_test` tells so): no sockets, no programs, no processes, no signals to others, no
  looking into others, no file opened for writing, made, moved or removed, no mounts, no way to lift
  the limits again. Reading files (fonts, words of the text reader, imports) and threads stay.

What this cannot do: the child is a copy of its parent, knows what the parent knew and may read the
files that the service may read. It is left no way to tell any of it but its answer, which `wire`
reads as data and never as code. A wall around the whole
service is `formsvc serve`'s where bubblewrap can be used, or the operator's (a container);
`walled_by` says if one can be seen.
"""

import ctypes
import errno
import math
import os
import platform
import resource
import signal
import struct
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from formsvc.parsers.denied import DENIED, MISSING, NUMBERS, Test


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """What a reader may use."""

    memory_bytes: int = 512 * 1024 * 1024
    """On top of what the process already has. Libraries count if they are loaded after the fork: OpenCV alone takes 430 MB of address space, so load it before."""
    cpu_seconds: float = 8.0
    wall_seconds: float = 8.0
    file_bytes: int = 0
    """The largest file it may write; with 0 it may write, make, move and remove none at all."""
    answer_bytes: int = 128 * 1024 * 1024
    """The most that is taken from it as its answer."""


_LINUX: Final = sys.platform == "linux"
_LIBC: Final = ctypes.CDLL(None, use_errno=True)
_DESCRIPTORS_MOST: Final = 64
_M_ARENA_MAX: Final = -8
_PR_SET_PDEATHSIG, _PR_SET_DUMPABLE, _PR_SET_SECCOMP, _PR_SET_NO_NEW_PRIVS = 1, 4, 22, 38


def confine(limits: Limits, keep: int, parent: int) -> None:
    """Confine this process: of its descriptors it keeps `keep`, and it ends when `parent` does."""
    if hasattr(_LIBC, "mallopt"):
        _LIBC.mallopt(_M_ARENA_MAX, 1)  # each thread would reserve 64 MB of the address space for itself
    _close_others(keep)  # first: a server may have more open than the limit allows
    _limit(limits)
    if _LINUX:
        _set_flags(parent)
        _filter_calls(writing=limits.file_bytes > 0)


# ---------------------------------------------------------------- limits


def _limit(limits: Limits) -> None:
    signal.signal(signal.SIGPROF, signal.SIG_DFL)
    signal.setitimer(signal.ITIMER_PROF, limits.cpu_seconds)  # to the part of a second; the limit below holds whatever becomes of this one
    for kind, most in (
        (resource.RLIMIT_AS, _address_space() + limits.memory_bytes),
        (resource.RLIMIT_CPU, math.ceil(limits.cpu_seconds)),
        (resource.RLIMIT_FSIZE, limits.file_bytes),
        (resource.RLIMIT_CORE, 0),
        (resource.RLIMIT_NOFILE, _DESCRIPTORS_MOST),
    ):
        try:
            _, hard = resource.getrlimit(kind)
            least = most if hard == resource.RLIM_INFINITY else min(most, hard)
            resource.setrlimit(kind, (least, least))
        except (ValueError, OSError):  # a kernel without this limit (macOS has no address space limit)
            continue


def _address_space() -> int:
    """What this process has mapped already, in bytes."""
    try:
        pages = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[0])
    except (OSError, ValueError):
        return 0
    return pages * resource.getpagesize()


def _close_others(keep: int) -> None:
    """Close every descriptor but `keep`; the three standard ones lead nowhere."""
    nowhere = os.open(os.devnull, os.O_RDWR)
    for standard in range(3):
        if standard != keep:
            os.dup2(nowhere, standard)
    for number in _open_descriptors():
        if number > 2 and number != keep:  # noqa: PLR2004  (the standard ones)
            try:
                os.close(number)
            except OSError:  # the one that listed them
                continue


def _open_descriptors() -> list[int]:
    for folder in ("/proc/self/fd", "/dev/fd"):
        try:
            return [int(name) for name in os.listdir(folder)]  # noqa: PTH208  (names, quickly)
        except OSError:
            continue
    return list(range(256))


# ---------------------------------------------------------------- Linux


def _set_flags(parent: int) -> None:
    _prctl(_PR_SET_NO_NEW_PRIVS, 1)
    _prctl(_PR_SET_DUMPABLE, 0)
    _prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
    if os.getppid() != parent:  # it ended before this was said
        os._exit(1)


def _prctl(option: int, value: int, pointer: object = None) -> bool:
    return bool(_LIBC.prctl(ctypes.c_int(option), ctypes.c_ulong(value), pointer, ctypes.c_ulong(0), ctypes.c_ulong(0)) == 0)


class _Program(ctypes.Structure):
    """`struct sock_fprog` of the kernel."""

    _fields_ = (("length", ctypes.c_ushort), ("code", ctypes.c_char_p))


def _filter_calls(*, writing: bool) -> bool:
    """Put the filter before every system call to come; whether the kernel took it."""
    machine = platform.machine()
    if machine not in _MACHINES:
        return False
    code = b"".join(_code(machine, writing=writing))
    program = _Program(len(code) // _INSTRUCTION.size, code)
    return _prctl(_PR_SET_SECCOMP, 2, ctypes.byref(program))


# ---------------------------------------------------------------- the filter, in the kernel's instructions

_MACHINES: Final = {"x86_64": 0xC000003E, "aarch64": 0xC00000B7}
_INSTRUCTION: Final = struct.Struct("HBBI")
_LOAD, _EQUAL, _AT_LEAST, _ANY_BIT, _RETURN = 0x20, 0x15, 0x35, 0x45, 0x06
_ALLOW, _KILL, _FAIL = 0x7FFF0000, 0x80000000, 0x00050000
_NUMBER, _MACHINE, _ARGUMENTS = 0, 4, 16
_NEWER: Final = 450
"""Calls with this number and above are younger than this list: they fail as on an older kernel. So do those of the x32 interface."""


def _code(machine: str, *, writing: bool) -> Iterator[bytes]:
    yield from (_step(_LOAD, _MACHINE), _step(_EQUAL, _MACHINES[machine], 1, 0), _step(_RETURN, _KILL))
    yield _step(_LOAD, _NUMBER)
    yield from (_step(_AT_LEAST, _NEWER, 0, 1), _fail(errno.ENOSYS))
    numbers = NUMBERS[machine]
    for name in MISSING:
        yield from _when(numbers.get(name), [_fail(errno.ENOSYS)])
    for name, test in DENIED.items():
        if not (writing and test.about_files):
            yield from _when(numbers.get(name), list(_judged(test)))
    yield _step(_RETURN, _ALLOW)


def _when(number: int | None, block: list[bytes]) -> Iterator[bytes]:
    """The block for one system call; it always ends in a verdict."""
    if number is not None:  # not every machine has every call
        yield _step(_EQUAL, number, 0, len(block))
        yield from block


def _judged(test: Test) -> Iterator[bytes]:
    """The verdict on a call by one of its arguments."""
    low = _ARGUMENTS + 8 * test.argument
    match test.rule:
        case "always":
            yield _fail(errno.EPERM)
            return
        case "unless own process":
            yield from (_step(_LOAD, low), _step(_EQUAL, os.getpid(), 1, 0), _fail(errno.EPERM))
        case "if any bit":
            yield from (_step(_LOAD, low), _step(_ANY_BIT, test.values[0], 0, 1), _fail(errno.EPERM))
        case "unless any bit":
            yield from (_step(_LOAD, low), _step(_ANY_BIT, test.values[0], 1, 0), _fail(errno.EPERM))
        case "if one of":
            yield _step(_LOAD, low)
            for value in test.values:
                yield from (_step(_EQUAL, value, 0, 1), _fail(errno.EPERM))
        case "if given":  # a pointer: both its halves
            for half in (low, low + 4):
                yield from (_step(_LOAD, half), _step(_EQUAL, 0, 1, 0), _fail(errno.EPERM))
    yield _step(_RETURN, _ALLOW)


def _step(code: int, value: int, if_true: int = 0, if_false: int = 0) -> bytes:
    return _INSTRUCTION.pack(code, if_true, if_false, value)


def _fail(number: int) -> bytes:
    return _step(_RETURN, _FAIL | number)


# ---------------------------------------------------------------- what stands around the service


def walled_by() -> str:
    """What the whole service was started in, as far as that shows: `bubblewrap`, `container`, or empty."""
    try:
        first = Path("/proc/1/comm").read_text(encoding="utf-8").strip()
    except OSError:
        return ""
    if first == "bwrap":
        return "bubblewrap"
    return "container" if any(Path(file).exists() for file in ("/.dockerenv", "/run/.containerenv")) else ""
