"""Heavy work in a process of its own: what it gives and what it fails with are as if it were done here."""

import os
import signal
import tempfile
from pathlib import Path

import pytest

from formsvc.errors import Refused
from formsvc.renderers.apart import apart


def test_what_it_gives_comes_back_from_another_process() -> None:
    """Also what is larger than a pipe."""
    process, content = apart(lambda: (os.getpid(), b"x" * 3_000_000))
    assert process != os.getpid()
    assert content == b"x" * 3_000_000


def test_its_refusal_is_the_usual_one() -> None:
    def refuse() -> None:
        raise Refused("too-many-rows", "children", count=99, most=60)

    with pytest.raises(Refused, match="99") as refused:
        apart(refuse)
    assert (refused.value.code, refused.value.place) == ("too-many-rows", "children")


def test_a_process_that_is_killed_loses_nothing() -> None:
    """Whoever kills it, the work is done here."""
    own = os.getpid()

    def work() -> str:
        if os.getpid() != own:
            os.kill(os.getpid(), signal.SIGKILL)
        return "done"

    assert apart(work) == "done"


def test_work_that_takes_too_long_is_refused() -> None:
    """And not done here instead; what ends in time is not touched."""
    own = os.getpid()

    def work() -> str:
        while os.getpid() != own:
            pass
        return "done here"

    with pytest.raises(Refused, match="more time") as refused:
        apart(work, 0.2)
    assert refused.value.code == "too-costly"
    assert apart(lambda: "done", 5.0) == "done"


def test_no_child_is_left() -> None:
    child = apart(os.getpid)
    with pytest.raises(ChildProcessError):
        os.waitpid(child, os.WNOHANG)


def test_temporary_files_go_with_it() -> None:
    """WeasyPrint leaves its fonts to be tidied up when a process ends in the usual way, which this one does not."""
    made = apart(lambda: Path(tempfile.mkdtemp(prefix="left-")))
    assert made.name.startswith("left-")
    assert not made.exists()
