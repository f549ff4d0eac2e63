"""What all tests share: one installation, whose compiled blanks all test processes keep together."""

import ctypes
import gc
import hashlib
from collections.abc import Callable, Iterator
from functools import cache, partial
from pathlib import Path

import pytest
from argon2 import PasswordHasher

from formsvc.office import people
from formsvc.service import Service
from formsvc.settings import PACKAGE, Settings
from tests.papers import KEY, Paper, issue_paper


@pytest.fixture(scope="session")
def blanks() -> Path:
    """The folder of compiled blanks: kept between runs as long as the code that compiles them is the same."""
    digest = hashlib.sha256()
    for source in sorted((PACKAGE / "renderers").glob("*.py")):
        digest.update(source.read_bytes())
    return Path(__file__).parent.parent / ".pytest_cache" / f"blanks-{digest.hexdigest()[:16]}"


@pytest.fixture(scope="session")
def service(blanks: Path) -> Service:
    """An installation with the shipped forms and a known key."""
    return Service(Settings(templates=None, cache=blanks, key=KEY, most_megabytes=50))


@pytest.fixture(scope="session")
def paper(service: Service) -> Callable[[str], Paper]:
    """Samples as papers, each issued once."""
    return cache(lambda name: issue_paper(service, name))


@pytest.fixture(scope="module", autouse=True)
def small_process() -> Iterator[None]:
    """Give memory back after each file of tests: readers are forked thousands of times, and a process of 2 GB takes long to fork."""
    yield
    gc.collect()
    trim = getattr(ctypes.CDLL(None), "malloc_trim", None)
    if trim is not None:
        trim(0)


@pytest.fixture(scope="session", autouse=True)
def quick_passwords() -> Iterator[None]:
    """Passwords of test people are hashed with the least effort: the real one takes longer than the rest of a test."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(people, "PasswordHasher", partial(PasswordHasher, time_cost=1, memory_cost=8, parallelism=1))
        people._hasher.cache_clear()
        yield
    people._hasher.cache_clear()


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """What makes requests by the thousand comes last: it leaves a gigabyte behind, and every reader that is forked from such a process takes longer."""
    items.sort(key=lambda item: item.path.name == "test_api_schema.py")
