"""A stranger's file is read, or refused in our words: whatever it holds, nothing else happens."""

import multiprocessing
import random
import time
import zlib
from functools import cache
from pathlib import Path
from typing import Final

import pytest

from formsvc.errors import Refused
from formsvc.parsers.confine import Limits
from formsvc.service import Service
from tests.hostile_files import HOSTILE
from tests.mutated import mutations, papers
from tests.papers import sample_service

pytestmark = pytest.mark.filterwarnings("ignore")  # a library may warn of what it is given
_EACH: Final = 1
"""Damaged copies of each paper. `python -m benchmarks hostile` takes 10,000 in all."""
_LONGEST: Final = 4 * Limits().wall_seconds  # a file without fields is read by several children, one after the other
PAPERS: Final = (
    *(f"blank {name} {lang}" for name in ("worksheet", "fcch", "case-management", "conference-notes") for lang in ("en", "es")),
    *(f"filled {name}" for name in ("worksheet", "fcch", "case-management", "conference-notes")),
    *(f"returned {name}" for name in ("acrobat_like-worksheet-8-children", "mupdf-worksheet-8-children", "pdfbox-worksheet-1-child", "pdfium-fcch-three-homes", "pdfium-worksheet-1-child", "pdfium-worksheet-long-notes")),
    *(f"returned {name}" for name in ("acrobat_like-worksheet-scripts", "pdfjs-worksheet-scripts", "pdfjs-worksheet-spanish", "pdflib-worksheet-spanish")),
    *(f"returned {name}" for name in ("pdftk-worksheet-1-child", "poppler-fcch-three-homes", "preview_like-worksheet-8-children", "pypdf-worksheet-1-child", "pypdfform-worksheet-1-child")),
    *(f"{kind} worksheet" for kind in ("printed", "pictures")),
)


@pytest.fixture(scope="module")
def reader(blanks: Path) -> Service:
    """The installation that the samples come from."""
    return sample_service(blanks)


@cache
def _papers(reader: Service) -> dict[str, bytes]:
    return papers(reader)


def outcome(reader: Service, content: bytes) -> str:
    """The code of the refusal, or `accepted`; in time, and never without an answer."""
    started = time.monotonic()
    code = _code(reader, content)
    assert time.monotonic() - started < _LONGEST
    return code


def _code(reader: Service, content: bytes) -> str:
    try:
        submission = reader.understand(content).submission
    except Refused as refused:
        return refused.code
    assert submission.answers
    return "accepted"


@pytest.mark.parametrize("name", HOSTILE)
def test_a_hostile_file_is_refused(reader: Service, name: str) -> None:
    """None of them is a form of ours; each is refused in words that say why."""
    assert outcome(reader, HOSTILE[name]()) not in ("accepted", "reader-failed")


@pytest.mark.xdist_group("papers")
def test_every_paper_is_damaged(reader: Service) -> None:
    """The list of papers, which is known before they are made, has them all."""
    assert set(PAPERS) == set(_papers(reader))


@pytest.mark.xdist_group("papers")  # making them takes half a minute
@pytest.mark.parametrize("name", PAPERS)
def test_a_damaged_paper_is_read_or_refused(reader: Service, name: str) -> None:
    """What a disk, a mail server or a bad hand does to a form of ours stops nothing and is never empty."""
    rng = random.Random(zlib.crc32(name.encode()))  # noqa: S311  (the same damage each time)
    damaged = mutations(_papers(reader)[name], rng)
    for _ in range(_EACH):
        _, content = next(damaged)
        outcome(reader, content)


@pytest.mark.skipif(not Path("/proc/self/fd").exists(), reason="only Linux tells")
def test_nothing_is_left_behind(reader: Service) -> None:
    """No child, no open pipe: after many refusals the service is as before."""
    before = _left()
    for _ in range(5):
        assert outcome(reader, b"%PDF-1.7\n") == "damaged"
    assert before == _left()


def _left() -> tuple[int, int]:
    """Open descriptors and children of this process."""
    return len(list(Path("/proc/self/fd").iterdir())), len(multiprocessing.active_children())
