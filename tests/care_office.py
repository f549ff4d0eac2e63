"""Fixtures: an office after the whole cycle of `care_cases`, made once for each database and copied for each test.

A test module takes them with the line `pytest_plugins = ["tests.servers", "tests.care_office"]`.
"""

import shutil
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import pytest

from formsvc.office.office import Office
from formsvc.settings import Settings
from tests.care_cases import make_settings, opened, whole_cycle
from tests.servers import Postgres


@dataclass(frozen=True, slots=True, kw_only=True)
class Made:
    """An installation after a whole cycle, to be copied for each test."""

    folder: Path
    settings: Settings
    template: str = ""


@pytest.fixture(scope="session")
def made_sqlite(tmp_path_factory: pytest.TempPathFactory, blanks: Path) -> Made:
    """The cycle in SQLite."""
    folder = tmp_path_factory.mktemp("made-sqlite")
    settings = make_settings(folder, blanks)
    with opened(settings) as office:
        whole_cycle(office)
    return Made(folder=folder, settings=settings)


@pytest.fixture(scope="session")
def made_postgres(tmp_path_factory: pytest.TempPathFactory, blanks: Path, postgres: Postgres) -> Made:
    """The cycle in PostgreSQL."""
    folder = tmp_path_factory.mktemp("made-postgres")

    def fill(url: str) -> None:
        with opened(make_settings(folder, blanks, url)) as office:
            whole_cycle(office)

    return Made(folder=folder, settings=make_settings(folder, blanks), template=postgres.template("care_cycle", fill))


@pytest.fixture(params=["sqlite", "postgresql"])
def office(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Office]:
    """A fresh copy of the cycle, in both databases."""
    is_sqlite = request.param == "sqlite"
    made: Made = request.getfixturevalue("made_sqlite" if is_sqlite else "made_postgres")
    shutil.copytree(made.folder / "data", tmp_path / "data")
    if is_sqlite:
        with opened(replace(made.settings, data=tmp_path / "data")) as office:
            yield office
        return
    server: Postgres = request.getfixturevalue("postgres")
    name = server.new_database(made.template)
    with opened(replace(made.settings, data=tmp_path / "data", database=server.url(name))) as office:
        yield office
    server.drop_database(name)
