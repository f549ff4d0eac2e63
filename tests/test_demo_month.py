"""The demo's month holds, and holds again in the same folder."""

from dataclasses import replace
from pathlib import Path

from formsvc.demo_month import run_month
from formsvc.service import Service
from tests.offices import KEYS


def test_the_month_of_the_demo_holds_however_often_it_runs(service: Service, tmp_path: Path) -> None:
    chosen = replace(service.settings, files_key=KEYS)
    for _ in range(2):
        assert [step.what for step in run_month(chosen, tmp_path, lambda _: None) if not step.held] == []


def test_a_folder_that_the_demo_did_not_make_is_left_alone(service: Service, tmp_path: Path) -> None:
    (tmp_path / "store").mkdir()
    (tmp_path / "store" / "mine").write_text("keep", encoding="utf-8")
    next(run_month(replace(service.settings, files_key=KEYS), tmp_path, lambda _: None))
    assert (tmp_path / "store" / "mine").read_text(encoding="utf-8") == "keep"
