"""What survives a kill -9 at any moment, and a failure at every step: all that was acknowledged, nothing half.

`FORMSVC_KILLS=1000` makes the long run of the figures in the README; the suite does a shorter one.
"""

import os
import random
import signal
import sqlite3
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from itertools import count
from pathlib import Path
from typing import Any, Final

import pytest
from sqlalchemy import event, select
from sqlalchemy.exc import OperationalError

from formsvc.errors import Refused
from formsvc.office.incoming import Found
from formsvc.office.office import Office
from formsvc.office.receive import receive
from formsvc.office.verify import verify
from formsvc.store.papers import Document
from formsvc.store.schema import returns
from tests.offices import child, discussed, documents, enrol, filled, issue, need, open_test_office, row_counts

pytest_plugins = ["tests.servers"]
KILLS: Final = int(os.environ.get("FORMSVC_KILLS", "12"))
_MONTHS: Final = ("2026-10", "2026-11", "2026-12", "2027-01", "2027-02", "2027-03", "2027-04", "2027-05")
_LONGEST: Final = 0.25
"""Seconds after which a child is killed at the latest: about twice what a return takes."""


@pytest.fixture(params=["sqlite", "postgresql"])
def opened(request: pytest.FixtureRequest, tmp_path: Path, blanks: Path) -> Iterator[Callable[[], Office]]:
    """A store that can be opened again and again, as by new processes."""
    database = request.getfixturevalue("postgres_url") if request.param == "postgresql" else ""
    offices: list[Office] = []

    def make() -> Office:
        offices.append(open_test_office(tmp_path / "data", blanks, database))
        return offices[-1]

    yield make
    for office in offices:
        office.store.engine.dispose()


def prepared(office: Office) -> Document:
    enrol(office, [child(1), child(2), child(3)])
    return documents(issue(office, "2026-11"), "worksheet")[0]


def papers(office: Office, worksheet: Document) -> Iterator[bytes]:
    """Returns without end: each one is another file, some say something new, some contradict."""
    plain = [
        filled(office, worksheet, discussed("2026-11-12", (row, answers)))
        for row, answers in ((0, need("Call")), (0, need("Call the clinic")), (1, {"strengths": "Sings"}), (2, {"no_discussion_points": True}))
    ]
    for number in count():
        yield plain[number % len(plain)] + f"\n% copy {number}\n".encode()


def counted(office: Office) -> set[str]:
    """The files of the returns that the store knows."""
    with office.store.reading() as connection:
        return set(connection.scalars(select(returns.c.file)))


def faults(office: Office) -> list[str]:
    return [f"{fault.code} {fault.place}" for fault in verify(office)]


# ---------------------------------------------------------------- kill -9


def in_child(work: Callable[[Callable[[str], None]], None], seconds: float) -> list[str]:
    """Run work in a process that is killed after so many seconds; what it had acknowledged until then."""
    reader, writer = os.pipe()
    pid = os.fork()
    if pid == 0:
        os.close(reader)
        try:
            work(lambda said: void(os.write(writer, said.encode() + b"\n")))
        finally:
            os._exit(0)
    os.close(writer)
    time.sleep(seconds)
    os.kill(pid, signal.SIGKILL)
    os.waitpid(pid, 0)
    with os.fdopen(reader, "rb") as said:
        return said.read().decode().split("\n")[:-1]


def void(_: object) -> None:
    """A statement's place for a value."""


def test_whatever_was_acknowledged_survives_a_kill_at_any_moment(opened: Callable[[], Office]) -> None:
    """Every acknowledged return is there and whole, the store verifies clean, and sending all again changes nothing."""
    chance = random.Random(KILLS)  # noqa: S311  (tests)
    office = opened()
    source = papers(office, prepared(office))
    acknowledged: set[str] = set()
    began = time.monotonic()
    sent: list[bytes] = [next(source)]
    assert receive(opened(), Found(name="x.pdf", content=sent[0])).state == "counted"
    longest = max(_LONGEST, 4 * (time.monotonic() - began))  # a busy machine needs longer for a batch
    office.store.engine.dispose()  # no connection is inherited by the children
    for number in range(KILLS):
        batch = [*sent[-1:], *(next(source) for _ in range(3))]  # the one that was cut off comes again first
        sent += batch[1:]

        def work(acknowledge: Callable[[str], None], batch: list[bytes] = batch) -> None:
            mine = opened()
            for content in batch:
                if receive(mine, Found(name="x.pdf", content=content)).state in ("counted", "again"):
                    acknowledge(mine.store.vault.name_of(content))

        acknowledged |= set(in_child(work, chance.uniform(0, longest)))
        assert acknowledged <= counted(office), number
        if number % max(15, KILLS // 10) == 14 or number == KILLS - 1:
            assert faults(office) == []
        office.store.engine.dispose()
    assert acknowledged, "the children were killed before they did anything"
    again = [*chance.sample(sent, min(len(sent), 40)), *sent[-10:]]  # what was cut off, and once more what was not
    for content in again:
        receive(office, Found(name="x.pdf", content=content))
    before = row_counts(office)
    assert {receive(office, Found(name="x.pdf", content=content)).state for content in again} == {"again"}
    assert row_counts(office) == before
    assert faults(office) == []


# ---------------------------------------------------------------- a failure at every step


@contextmanager
def failing(office: Office, step: int) -> Iterator[list[str]]:
    """Let the system call or statement of that number fail; gives the names of all that were made."""
    made: list[str] = []

    def counting(name: str, call: Callable[..., Any], problem: Callable[[], Exception]) -> Callable[..., Any]:
        def called(*arguments: Any, **options: Any) -> Any:
            made.append(name)
            if len(made) - 1 == step:
                raise problem()
            return call(*arguments, **options)

        return called

    def no_space() -> Exception:
        return OSError(28, "No space left on device")

    def before(_connection: Any, _cursor: Any, statement: str, *_: Any) -> None:
        made.append(statement.split(maxsplit=1)[0])
        if len(made) - 1 == step:
            raise OperationalError(statement, {}, sqlite3.OperationalError("disk I/O error"))

    def at_commit(_connection: Any) -> None:
        made.append("COMMIT")
        if len(made) - 1 == step:
            raise OperationalError("COMMIT", {}, sqlite3.OperationalError("disk I/O error"))

    with pytest.MonkeyPatch.context() as patch, ExitStack() as after:
        for name in ("fsync", "replace", "rename", "link", "write"):
            patch.setattr(os, name, counting(name, getattr(os, name), no_space))
        for where, listener in (("before_cursor_execute", before), ("commit", at_commit)):
            event.listen(office.store.engine, where, listener)
            after.callback(event.remove, office.store.engine, where, listener)
        yield made


def test_a_failure_at_any_step_leaves_nothing_half(opened: Callable[[], Office]) -> None:
    """Each write, fsync and statement of a receipt fails once: a refusal, a clean store, and the same file goes in afterwards."""
    office = opened()
    source = papers(office, prepared(office))
    with failing(office, -1) as steps:
        receive(office, Found(name="x.pdf", content=next(source)))
    assert {"fsync", "INSERT", "COMMIT"} <= set(steps)
    failed = 0
    for step in range(len(steps) + 5):
        content = next(source)
        before = row_counts(office)
        try:
            with failing(office, step):
                state = receive(office, Found(name="x.pdf", content=content)).state
        except (Refused, OSError, OperationalError):
            state = "failed"
            failed += 1
        if state in ("failed", "refused"):  # refused: the write that failed was the reader's, who could not answer
            after = row_counts(office)
            assert {name: after[name] - before[name] for name in after if name != "files" and after[name] != before[name]} == {}, (step, steps[min(step, len(steps) - 1)])
        assert receive(office, Found(name="x.pdf", content=content)).state == ("counted" if state in ("failed", "refused") else "again"), step
    assert failed >= len(steps) // 2
    assert faults(office) == []
