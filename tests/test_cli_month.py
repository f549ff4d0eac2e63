"""The commands of the month: import, plan, month, receive, review, as a person types them."""

import json
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from formsvc.office.office import open_office
from formsvc.settings import samples_folder, settings
from formsvc.typist import type_into
from tests.offices import KEYS
from tests.papers import KEY

ROSTER = str(samples_folder() / "rosters" / "copa-like.csv")
Run = Callable[..., Any]


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, blanks: Path, capsys: pytest.CaptureFixture[str]) -> Iterator[Run]:
    """Type a command in a folder of one's own; gives exit code, output and errors."""
    for name, value in {"FORMSVC_DATA": tmp_path / "data", "FORMSVC_FILES_KEY": KEYS, "FORMSVC_CACHE": blanks, "FORMSVC_KEY": KEY.hex(), "FORMSVC_USER": "tester"}.items():
        monkeypatch.setenv(name, str(value))
    monkeypatch.chdir(tmp_path)
    settings.cache_clear()

    def typed(*words: str) -> tuple[int, str, str]:
        from formsvc.cli import main  # noqa: PLC0415

        monkeypatch.setattr("sys.argv", ["formsvc", *words])
        code = 0
        try:
            main()
        except SystemExit as ended:
            code = int(ended.code or 0)
        said = capsys.readouterr()
        return code, said.out, said.err

    yield typed
    settings.cache_clear()


def test_a_month_from_roster_to_review(run: Run, tmp_path: Path) -> None:
    """Import, plan, papers, a paper typed into, received, a second copy that contradicts, decided."""
    assert run("import", ROSTER)[0] == 0
    assert "Nothing to change" in run("import", ROSTER)[1]
    assert run("plan", "Mill Street", "Room 1", "2026-11-12", "--start", "09:30")[0] == 0
    code, out, _ = run("month", "2026-11", "--site", "Mill Street", "--json")
    told = json.loads(out)
    assert (code, [unit["unit"] for unit in told["units"]], len(told["packets"])) == (0, ["Room 1", "Wilma Larkspur"], 1)
    paper = next((tmp_path / "2026-11" / "Mill Street" / "Room 1").glob("worksheet-*.pdf"))
    for number, action in enumerate(("Call the family", "Call the family about the screening")):
        answers: dict[str, str | bool] = {"children-0-support_needed": True, "children-0-follow_up_action": action, "children-0-responsible": "Rosa", "children-0-target_date": "12/01/2026"}
        (tmp_path / f"{number}.pdf").write_bytes(type_into(paper.read_bytes(), answers))
    code, out, _ = run("receive", "0.pdf", "1.pdf", "0.pdf")
    assert code == 0
    assert "3 files: 2 counted, 0 wait for you, 1 were here before, 0 could not be read." in out
    assert "1 follow-up form made anew" in out
    questions = json.loads(run("review", "--json")[1])
    assert [(question["code"], len(question["choices"])) for question in questions] == [("conflict", 2)]
    assert "is now 'Call the family'" in run("review", "answer", str(questions[0]["number"]), "1")[1]
    assert "Nothing waits" in run("review")[1]
    assert "waits again" in run("review", "undo", str(questions[0]["number"]))[1]
    assert "2) Call the family about the screening" in run("review")[1]


def test_the_papers_of_a_month_stay_as_they_are(run: Run, tmp_path: Path) -> None:
    run("import", ROSTER)
    run("month", "2026-11", "--unit", "Room 1", "--out", "a")
    _, out, _ = run("month", "2026-11", "--unit", "Room 1", "--out", "b")
    assert "2 papers of 1 unit, 0 made now, 2 as before" in out
    assert [file.read_bytes() for file in sorted((tmp_path / "a").rglob("*.pdf"))] == [file.read_bytes() for file in sorted((tmp_path / "b").rglob("*.pdf"))]


def test_a_dry_run_changes_nothing_and_says_what_would(run: Run) -> None:
    told = json.loads(run("import", ROSTER, "--dry-run", "--json")[1])
    assert (told["applied"], len(told["changes"])) == (False, 39)
    assert json.loads(run("import", ROSTER, "--json")[1])["applied"] is True


def test_columns_that_were_only_guessed_are_not_taken_without_asking(run: Run, tmp_path: Path) -> None:
    """In a pipe nobody can be asked; --yes or --map says it."""
    (tmp_path / "r.csv").write_text("No.,Kid,Where,Which\nC-1,Ana Rivera,Cedar Hall,Preschool 1\nC-2,Luis Stone,Cedar Hall,Preschool 1\n", encoding="utf-8")
    mapped = ("--map", "child_id=No.", "--map", "child_name=Kid", "--map", "site=Where", "--map", "unit=D")
    assert run("import", "r.csv")[0] == 2
    assert run("import", "r.csv", *mapped)[0] == 0


@pytest.mark.parametrize(
    ("words", "code", "told"),
    [
        (("month", "2026-13"), 1, "is not a month"),
        (("month", "2026-11"), 2, "[roster-empty]"),
        (("month", "2026-11", "--site", "Nowhere"), 2, "[unit-unknown]"),
        (("plan", "Mill Street", "Room 1", "2026-11-12", "--start", "09:30", "--end", "08:30"), 1, "before it begins"),
        (("import", "missing.csv"), 2, "[file-missing]"),
        (("import", "x", "--map", "nothing"), 1, "child_id=Participant"),
        (("plan", "Nowhere", "Room 1", "2026-11-12"), 2, "[unit-unknown]"),
        (("plan", "Nowhere", "Room 1", "2026-11-12", "--start", "25:00"), 1, "is not a time"),
        (("review", "answer", "7", "1"), 2, "[question-gone]"),
        (("review", "undo", "7"), 2, "[question-gone]"),
        (("review", "place", "R7"), 2, "[return-not-waiting]"),
        (("review", "drop", "R7", "--why", "wrong"), 2, "[return-not-waiting]"),
        (("review", "drop", "7", "--why", "wrong"), 1, "they are written R7"),
    ],
)
def test_what_cannot_be_done_is_told(run: Run, words: tuple[str, ...], code: int, told: str) -> None:
    found, _, err = run(*words)
    assert (found, told in err) == (code, True), err


def test_a_file_that_cannot_be_read_makes_the_command_fail_and_stops_nobody(run: Run, tmp_path: Path) -> None:
    (tmp_path / "x.pdf").write_bytes(b"hello")
    code, out, _ = run("receive", "x.pdf", "missing.pdf")
    assert code == 2
    assert "2 files: 0 counted, 0 wait for you, 0 were here before, 2 could not be read." in out
    assert [json.loads(line)["code"] for line in run("receive", "x.pdf", "missing.pdf", "--json")[1].splitlines()] == ["not-a-pdf", "file-missing"]


def test_no_child_is_named_in_a_file_name(run: Run, tmp_path: Path) -> None:
    run("import", ROSTER)
    run("month", "2026-11")
    names = " ".join(str(file.relative_to(tmp_path)) for file in (tmp_path / "2026-11").rglob("*"))
    assert not [line.split(",")[1] for line in Path(ROSTER).read_text(encoding="cp1252").splitlines()[5:] if line.split(",")[1] and line.split(",")[1] in names]


def test_after_a_child_is_erased_the_month_goes_on(run: Run, tmp_path: Path) -> None:
    """Its papers are gone, those of the others are written, and the packet leaves it out."""
    run("import", ROSTER)
    run("month", "2026-11", "--site", "Mill Street")
    paper = next((tmp_path / "2026-11" / "Mill Street" / "Room 1").glob("worksheet-*.pdf"))
    (tmp_path / "back.pdf").write_bytes(type_into(paper.read_bytes(), {"children-0-strengths": "Sings"}))
    run("receive", "back.pdf")
    name = next(line.split(",") for line in Path(ROSTER).read_text(encoding="cp1252").splitlines() if ",Mill Street,Room 1," in line)[0]
    assert run("child", "erase", name, "--why", "on request", "--on-request", "--yes")[0] == 0
    code, out, err = run("month", "2026-11", "--site", "Mill Street", "--out", "again")
    assert (code, err) == (0, "")
    assert "1 packet." in out
    assert run("verify")[0] == 0


def test_problems_are_told_child_by_child(run: Run, tmp_path: Path) -> None:
    run("import", ROSTER)
    run("month", "2026-11", "--unit", "Room 1")
    paper = next((tmp_path / "2026-11" / "Mill Street" / "Room 1").glob("worksheet-*.pdf"))
    (tmp_path / "back.pdf").write_bytes(type_into(paper.read_bytes(), {"children-0-support_needed": True, "conference_date": "11/12/2026"}))
    assert "--problems" in run("receive", "back.pdf")[1]
    out = run("status", "2026-11", "--problems")[1]
    assert "Mill Street, Room 1, 2026-11, worksheet:" in out
    assert "[need-without-action]" in out


def test_new_keys_are_never_made_beside_old_files(run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A mistyped setting is told, instead of starting with keys that open nothing."""
    run("import", ROSTER)
    run("month", "2026-11", "--unit", "Room 1")
    monkeypatch.delenv("FORMSVC_FILES_KEY")
    monkeypatch.setenv("FORMSVC_FILES_KEY_FILE", str(tmp_path / "mistyped"))
    settings.cache_clear()
    code, _, err = run("verify")
    assert (code, "[keys-not-there]" in err, (tmp_path / "mistyped").exists()) == (2, True, False)


def test_a_file_that_never_settled_is_swept_away(run: Run, tmp_path: Path) -> None:
    """Its process died between announcing and counting it: a note until it is swept."""
    run("import", ROSTER)
    name = open_office(settings()).store.keep(b"on its way")
    with closing(sqlite3.connect(tmp_path / "data" / "formsvc.db")) as database, database:
        database.execute("UPDATE files SET at = '2026-01-01T00:00:00+00:00' WHERE name = ?", (name,))
    assert "[file-arriving]" in run("verify")[1]
    assert "Everything is there" in run("verify", "--sweep")[1]


def test_what_somebody_typed_in_the_folder_is_told_and_left(run: Run, tmp_path: Path) -> None:
    run("import", ROSTER)
    run("month", "2026-11", "--unit", "Room 1")
    paper = next((tmp_path / "2026-11" / "Mill Street" / "Room 1").glob("worksheet-*.pdf"))
    typed = type_into(paper.read_bytes(), {"children-0-strengths": "Sings"})
    paper.write_bytes(typed)
    assert "somebody wrote in it" in run("month", "2026-11", "--unit", "Room 1")[1]
    assert paper.read_bytes() == typed


def test_shown_tables_and_exports(run: Run, tmp_path: Path) -> None:
    """Status, monitoring, exports, logs, backup and restore answer in words and as JSON."""
    run("import", ROSTER)
    run("month", "2026-11", "--unit", "Room 1")
    assert "Room 1" in run("status", "2026-11", "--today", "2026-11-21")[1]
    assert json.loads(run("status", "2026-11", "--json")[1])["month"] == "2026-11"
    assert "Program year" in run("status", "--today", "2026-11-21")[1]
    assert "rows" in run("export", "case-notes", "2026-11", "--out", "notes.csv")[1]
    assert (tmp_path / "notes.csv").read_bytes().startswith(b"\xef\xbb\xbf")
    item = json.loads(run("monitoring", "--today", "2026-12-31", "--json")[1])[0]
    assert "done." in run("monitoring", "done", item["kind"], item["subject"], item["due"], "--on", "2026-12-31")[1]
    assert run("child", "export", "C-101", "--out", "c.zip", "--to", "the family", "--why", "asked for")[0] == 0
    assert "the family" in run("log", "disclosure")[1]
    assert run("backup", "b.tar")[0] == 0
    assert run("restore", "b.tar")[0] == 2
    assert run("child", "hold", "C-101", "--why", "court")[0] == 0
    assert run("child", "release", "C-101")[1] == "1 holds released.\n"
    assert run("child", "due")[0] == 0


def test_corrections_are_written_also_where_nobody_decided_anything(run: Run, tmp_path: Path) -> None:
    """What is in them is tested with scans in `test_receive_paper`."""
    assert run("import", ROSTER)[0] == 0
    code, out, _ = run("review", "export", "taught.npz")
    assert (code, out) == (0, "taught.npz: 0 boxes of 0 papers.\n")
    with np.load(tmp_path / "taught.npz") as data:
        assert data["crops"].shape == (0, 75, 133)
