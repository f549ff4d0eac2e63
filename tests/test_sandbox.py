"""What a limited child may do, what it may not, and how its answer comes back."""

import ctypes
import dataclasses
import io
import json
import os
import pickle
import platform
import resource
import signal
import socket
import sys
import threading
import time
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any, Final

import cv2
import numpy as np
import pikepdf
import pypdfium2
import pytest
import zxingcpp
from PIL import Image

from formsvc.errors import Refused
from formsvc.model.record import Answer, Problem, problem
from formsvc.parsers import triage
from formsvc.parsers.confine import Limits
from formsvc.parsers.denied import DENIED, MISSING, NUMBERS
from formsvc.parsers.sandbox import run_limited, self_test, start_limited
from formsvc.parsers.wire import NotCarried, pack, unpack
from formsvc.service import Service
from tests.papers import KEY, complete

linux = pytest.mark.skipif(sys.platform != "linux" or platform.machine() not in NUMBERS, reason="the filter of calls is for Linux")


def refused_for(work: Callable[..., object], *arguments: Any, limits: Limits | None = None) -> str:
    """The code of the refusal that a piece of work ends in."""
    with pytest.raises(Refused) as refused:
        run_limited(work, *arguments, limits=limits or Limits())
    return refused.value.code


# ---------------------------------------------------------------- what is stopped


def test_every_layer_holds() -> None:
    """The test that an installation makes of itself finds nothing, and takes no more than a few seconds."""
    started = time.monotonic()
    found = dict(self_test())
    assert time.monotonic() - started < 6
    around, processor = found.pop("around"), found.pop("processor")
    assert {"memory", "time", "files", "network", "processes"} == set(found)
    assert all(value is True for value in found.values())
    assert processor in (True, "not found out: this machine is too busy now")
    assert isinstance(around, str)


def test_an_open_door_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without the filter the test that an installation makes of itself says what is not held."""
    monkeypatch.setattr("formsvc.parsers.confine._filter_calls", lambda **_how: False)
    found = self_test()
    assert not found["network"]
    assert not found["processes"]
    assert not found["files"]  # a file can be made, if only an empty one


def test_memory_processor_and_time_are_limited() -> None:
    """Each ends the child and is told as too costly."""
    assert refused_for(lambda: len(bytearray(1 << 30))) == "too-costly"
    assert refused_for(_work_for_ever, limits=Limits(cpu_seconds=1, wall_seconds=6)) == "too-costly"
    assert refused_for(time.sleep, 9, limits=Limits(wall_seconds=0.1)) == "too-costly"


def _work_for_ever() -> None:
    while True:
        pass


_TO_ALL: Final = -1


def _ways_out(folder: Path) -> dict[str, Callable[[], object]]:
    """What each would do if nothing stopped it; none does harm to a test that fails."""
    file = folder / "here"
    return {
        "socket": lambda: socket.socket(socket.AF_INET),
        "socket of this machine": lambda: socket.socket(socket.AF_UNIX),
        "socket pair": socket.socketpair,
        "program": lambda: os.execv("/bin/true", ["true"]),  # noqa: S606
        "program in a child": lambda: os.posix_spawn("/bin/true", ["true"], {}),
        "fork": lambda: os.fork() or os._exit(0),
        "signal to the parent": lambda: os.kill(os.getppid(), 0),
        "signal to the group": lambda: os.kill(0, 0),
        "signal to all": lambda: os.kill(_TO_ALL, 0),
        "new file": lambda: (folder / "new").write_bytes(b"1"),
        "file to add to": lambda: file.open("ab"),
        "file to write": lambda: os.open(file, os.O_WRONLY),
        "file without name": lambda: os.open(folder, os.O_TMPFILE | os.O_RDWR),
        "file in memory": lambda: os.memfd_create("x"),
        "remove": file.unlink,
        "rename": lambda: file.rename(folder / "there"),
        "folder": (folder / "below").mkdir,
        "link": lambda: (folder / "link").symlink_to(file),
        "hard link": lambda: (folder / "link").hardlink_to(file),
        "mode": lambda: file.chmod(0o777),
        "owner": lambda: os.chown(file, os.getuid(), os.getgid()),
        "times": lambda: os.utime(file),
        "length": lambda: os.truncate(file, 0),
        "attribute": lambda: os.setxattr(file, "user.x", b"1"),
        "pipe with a name": lambda: os.mkfifo(folder / "pipe"),
        "more memory": lambda: resource.prlimit(0, resource.RLIMIT_AS, (1 << 40, 1 << 40)),
        "limits of the parent": lambda: resource.prlimit(os.getppid(), resource.RLIMIT_CORE, (0, 0)),
        "other root": lambda: os.chroot(folder),
        "other rights": lambda: os.setuid(os.getuid()),
        "look into the parent": lambda: _call("process_vm_readv", os.getppid(), 0, 0, 0, 0, 0),
        "trace": lambda: _call("ptrace", 0, 0, 0, 0),
        "rings": lambda: _call("io_uring_setup", 1, 0),
        "watch faults": lambda: _call("userfaultfd", 0),
        "programs in the kernel": lambda: _call("bpf", 0, 0, 0),
        "keys": lambda: _call("keyctl", 0, 0, 0, 0, 0),
        "other spaces": lambda: _call("unshare", 0),
        "live on": lambda: _checked(ctypes.CDLL(None, use_errno=True).prctl(1, 0, 0, 0, 0)),
    }


def _call(name: str, *arguments: int) -> None:
    _checked(ctypes.CDLL(None, use_errno=True).syscall(NUMBERS[platform.machine()][name], *arguments))


def _checked(answer: int) -> None:
    if answer < 0:
        raise OSError(ctypes.get_errno(), "")


def _tried(folder: Path, name: str) -> str:
    try:
        _ways_out(folder)[name]()
    except PermissionError as stopped:
        return type(stopped).__name__
    return "done"


@linux
@pytest.mark.parametrize("name", _ways_out(Path()))
def test_a_way_out_is_closed(tmp_path: Path, name: str) -> None:
    """Each is answered as forbidden; the child goes on and tells so."""
    file = tmp_path / "here"
    file.write_bytes(b"content")
    assert run_limited(_tried, tmp_path, name) == "PermissionError"
    assert [file] == list(tmp_path.iterdir())
    assert file.read_bytes() == b"content"


@linux
def test_nothing_open_comes_along(tmp_path: Path) -> None:
    """A child has its three standard descriptors, which lead nowhere, and the pipe of its answer."""
    with (tmp_path / "open").open("wb") as file, socket.socket() as door:
        found = run_limited(_open_descriptors)
        assert file.fileno() not in found or found[file.fileno()].startswith("pipe:")
        assert door.fileno() not in found or found[door.fileno()].startswith("pipe:")
    assert {"/dev/null"} == {found.pop(number) for number in range(3)}
    assert len(found) == 1
    assert next(iter(found.values())).startswith("pipe:")


def _open_descriptors() -> dict[int, str]:
    found = {}
    for name in os.listdir("/proc/self/fd"):  # noqa: PTH208
        try:
            found[int(name)] = os.readlink(f"/proc/self/fd/{name}")  # noqa: PTH115
        except OSError:  # the one that listed them
            continue
    return found


@linux
def test_a_child_ends_with_its_parent() -> None:
    """A reader does not outlive the service, whatever kills it."""
    reader, writer = os.pipe()
    parent = os.fork()
    if not parent:
        running = start_limited(time.sleep, 60, limits=Limits(wall_seconds=60))
        os.write(writer, str(running._child.pid).encode())
        signal.pause()
    child = int(os.read(reader, 20))
    os.kill(parent, signal.SIGKILL)
    os.waitpid(parent, 0)
    os.close(reader)
    os.close(writer)
    until = time.monotonic() + 5
    while _is_alive(child):
        assert time.monotonic() < until
        time.sleep(0.01)


def _is_alive(process: int) -> bool:
    try:
        return "State:\tZ" not in Path(f"/proc/{process}/status").read_text()
    except OSError:
        return False


@linux
def test_files_may_be_written_only_where_a_caller_says_so(tmp_path: Path) -> None:
    """`file_bytes` allows it, up to that size."""
    file = tmp_path / "new"
    assert run_limited(file.write_bytes, b"123", limits=Limits(file_bytes=1000)) == 3
    assert file.read_bytes() == b"123"
    assert refused_for(file.write_bytes, b"1" * 2000, limits=Limits(file_bytes=1000)) in ("reader-failed", "too-costly")


@linux
def test_denied_calls_have_numbers() -> None:
    """A misspelled call would be allowed in silence: each has a number on the machine that has them all."""
    assert set(NUMBERS["x86_64"]) == set(DENIED) | set(MISSING)
    assert set(NUMBERS["aarch64"]) < set(NUMBERS["x86_64"])
    for numbers in NUMBERS.values():
        assert len(numbers) == len(set(numbers.values()))


# ---------------------------------------------------------------- what goes on


def test_libraries_work_inside(service: Service) -> None:
    """PDFs are read, saved, drawn; pictures are looked at; fonts and modules are loaded; threads run."""
    done = run_limited(_use_libraries, complete(service, "worksheet-1-child"))
    assert done == {"pikepdf", "pdfium", "zxing", "opencv", "opencv threads", "numpy", "threads", "import"}


def _use_libraries(content: bytes) -> set[str]:
    done, out = set(), io.BytesIO()
    with pikepdf.open(io.BytesIO(content)) as pdf:
        pdf.save(out)
        done.add("pikepdf")
    with pypdfium2.PdfDocument(out.getvalue()) as document:
        document.init_forms()
        image: Image.Image = document[0].render(scale=2, may_draw_forms=True, grayscale=True).to_pil()
        done.add("pdfium")
    if zxingcpp.read_barcodes(image):
        done.add("zxing")
    pixels = np.asarray(image)
    detector = cv2.aruco.ArucoDetector(cv2.aruco.getPredefinedDictionary(cv2.aruco.DICT_4X4_50))
    detector.detectMarkers(cv2.GaussianBlur(pixels, (5, 5), 1))
    done |= {"opencv"} if cv2.imencode(".png", pixels)[0] else set()
    cv2.setNumThreads(2)
    cv2.GaussianBlur(pixels, (5, 5), 1)
    done.add("opencv threads")
    done |= {"numpy"} if float(np.linalg.norm(np.ones((200, 200)) @ np.ones((200, 200)))) > 1 else set()
    thread = threading.Thread(target=done.add, args=("threads",))
    thread.start()
    thread.join()
    __import__("xml.dom.minidom")
    return done | {"import"}


def test_a_paper_is_read_as_without_a_sandbox(service: Service) -> None:
    """The same answers, to the last."""
    content = complete(service, "worksheet-8-children")
    expected = triage.read(content, service.catalog, KEY, None)
    assert expected == run_limited(triage.read, content, service.catalog, KEY, None)


# ---------------------------------------------------------------- the answer


VALUES: Final[tuple[object, ...]] = (
    None,
    True,
    3,
    2.5,
    float("inf"),
    "text ñ \ud800",
    b"\0\xff",
    (1, (2, "3"), [4, (5,)]),
    {"a": [1, {"b": (2,)}], 3: "c", ("d", 1): None},
    {1, 2},
    frozenset({"a"}),
    date(2026, 11, 22),
    datetime(2026, 11, 22, 5, 30, tzinfo=UTC),
    timedelta(days=1, microseconds=3),
    Decimal("1.50"),
    Path("a/b"),
    Answer(raw="x", page=2, box=(1.0, 2.0, 3.0, 4.5)),
    problem("stamp-missing"),
    Limits(),
    ["t", 1],
    ["o", 0, "x"],
    [],
    ((), {}),
)


@pytest.mark.parametrize("value", VALUES, ids=repr)
def test_data_comes_back_as_it_was(value: object) -> None:
    """Values, their kinds, and records of ours."""
    found = unpack(pack(value))
    assert value == found
    assert type(value) is type(found)


def test_arrays_come_back_as_they_were() -> None:
    """Pictures and numbers of a reader; its single numbers become plain ones."""
    for kind in ("uint8", "float32", "int64", "bool"):
        array = np.arange(12).reshape(3, 4).astype(kind)
        found = unpack(pack(array))
        assert array.dtype == found.dtype
        assert (array == found).all()
    assert unpack(pack(np.float64(2.5))) == 2.5


def test_refusals_come_through_as_they_are() -> None:
    """With their code, place and words."""
    with pytest.raises(Refused) as refused:
        run_limited(_refuse)
    assert (refused.value.code, refused.value.place) == ("page-unknown", "7")
    assert refused.value.message == Refused("page-unknown", "7").message


def _refuse() -> None:
    raise Refused("page-unknown", "7")


class _Trap:
    def __reduce__(self) -> tuple[Callable[..., object], tuple[object, ...]]:
        return os.system, ("false",)


@dataclasses.dataclass(frozen=True)
class _Foreign:
    value: int = 1


@pytest.mark.parametrize("value", [_Trap(), _Foreign(), len, Path.exists, threading.Lock(), Problem], ids=lambda value: type(value).__name__)
def test_what_is_no_data_does_not_travel(value: object) -> None:
    """Functions, locks and classes of others are no answer."""
    with pytest.raises(NotCarried):
        pack(value)
    assert refused_for(lambda: value) == "reader-failed"


def _told(classes: list[str], body: object, *blobs: bytes) -> bytes:
    """What a child that was taken over might say."""
    text = json.dumps([classes, [len(blob) for blob in blobs], body]).encode()
    return b"fsv1" + len(text).to_bytes(8, "big") + text + b"".join(blobs)


FORGED: Final = (
    b"",
    b"fsv1",
    pickle.dumps(_Trap()),
    pack("x")[:-1],
    _told(["os:system"], ["o", 0, "false"]),
    _told(["subprocess:Popen"], ["n", 0, "false"]),
    _told(["formsvc.service:Service"], ["o", 0, None]),
    _told(["formsvc.service:Path"], ["o", 0, "/etc/passwd"]),
    _told(["formsvc.__main__:x"], ["o", 0]),
    _told(["formsvc.model.record:Answer.__init__"], ["o", 0, "x"]),
    _told(["formsvc.model.record:Answer"], ["o", 0, "too few"]),
    _told(["formsvc.model.record:Answer"], ["o", 5]),
    _told(["formsvc.model.record:Answer"], ["e", 0, "raw"]),
    _told([], ["refused", "no-such-code", "", ""]),
    _told([], ["when", "__class__", ""]),
    _told([], ["a", "O", [1], 0], b"12345678"),
    _told([], ["a", "<u8", [1 << 60], 0], b"12345678"),
    _told([], ["b", 0]),
    _told([], ["d", [["l"]], [1]]),
    b"fsv1" + (100_002).to_bytes(8, "big") + b"[" * 100_002,
)


@pytest.mark.parametrize("content", FORGED, ids=range(len(FORGED)))
def test_a_forged_answer_is_refused(content: bytes) -> None:
    """Whatever a child says, nothing of it is called, and no class but our records is made."""
    with pytest.raises(ValueError, match=r"^\w+$"):
        unpack(content)


def test_a_child_that_says_something_else_is_refused() -> None:
    """It may write what it likes into its pipe."""
    assert refused_for(_say, b"fsv1 and more") == "reader-failed"
    assert refused_for(_say, pack(("failed", "x" * 1000))) == "reader-failed"
    assert refused_for(_say, pack("no pair")) == "reader-failed"
    assert refused_for(_say, b"") == "too-costly"


def test_a_child_that_stops_in_the_middle_is_not_waited_for() -> None:
    """Nor one that never ends to talk."""
    started = time.monotonic()
    assert refused_for(_say, b"fsv1", 30, limits=Limits(wall_seconds=0.3)) == "too-costly"
    assert time.monotonic() - started < 5
    assert refused_for(lambda: b"1" * 5000, limits=Limits(answer_bytes=1000)) == "too-costly"


def _say(content: bytes, then_sleep: float = 0) -> None:
    pipe = next(number for number, path in _open_descriptors().items() if path.startswith("pipe:"))
    os.write(pipe, content)
    time.sleep(then_sleep)
    os._exit(0)


def test_a_server_with_many_open_files_reads_all_the_same() -> None:
    """The limit of a reader's own descriptors is not met by what its parent has open."""
    files = [os.open(os.devnull, os.O_RDONLY) for _ in range(150)]
    try:
        assert run_limited(abs, -3) == 3
    finally:
        for file in files:
            os.close(file)
