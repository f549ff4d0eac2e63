"""Backups: whole or not at all, made while work goes on, and the same data wherever they are restored.

1. What is restored verifies, has the same ids, files and logs; into SQLite and PostgreSQL alike.
2. A backup that was made while others worked is one state of the data.
3. Nothing is restored from a damaged backup, over other data, or without the keys; and nothing is half restored.
"""

import gzip
import io
import json
import shutil
import tarfile
import threading
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select

from formsvc.errors import Refused
from formsvc.office import backup as backups
from formsvc.office.backup import Backup, backup, restore
from formsvc.office.erase import erase_child
from formsvc.office.month import issue_month
from formsvc.office.office import Office
from formsvc.office.verify import verify
from formsvc.settings import Settings
from formsvc.store.schema import metadata
from tests.care_cases import HELD, NOTES, ON, OTTILIE, WHY, attack, column, enrol, line, make_settings, newest, opened, send

pytest_plugins = ["tests.servers", "tests.care_office"]

OWN = ("backed-up", "restored")
"""What backing up and restoring add to the audit log."""


def rows(office: Office) -> dict[str, list[dict[str, Any]]]:
    """Every row of every table, without what backing up and restoring logged."""
    with office.store.reading() as connection:
        return {
            table.name: [dict(row) for row in connection.execute(select(table).order_by(*table.primary_key.columns)).mappings() if row.get("event") not in OWN]
            for table in metadata.sorted_tables if table.name != "log_heads"
        }  # fmt: skip


@pytest.fixture(params=["sqlite", "postgresql"])
def empty(request: pytest.FixtureRequest, tmp_path: Path, blanks: Path) -> Settings:
    """An empty installation with the same keys, in both databases."""
    url = request.getfixturevalue("postgres_url") if request.param == "postgresql" else ""
    return make_settings(tmp_path / "empty", blanks, url)


@pytest.fixture
def saved(office: Office, tmp_path: Path) -> Path:
    """A backup of a whole cycle."""
    backup(office, tmp_path / "backup.tar")
    return tmp_path / "backup.tar"


def refusal(code: str, call: Callable[[], object]) -> None:
    """The call is refused."""
    with pytest.raises(Refused) as caught:
        call()
    assert caught.value.code == code


# ---------------------------------------------------------------- there and back


def test_what_is_restored_is_what_was(office: Office, tmp_path: Path, empty: Settings) -> None:
    """From either database into either: same rows, ids, files and logs, and nothing to complain of."""
    steps: list[tuple[int, int]] = []
    made = backup(office, tmp_path / "backup.tar", lambda done, of: steps.append((done, of)))
    assert steps[-1] == (made.files, made.files)
    assert restore(empty, tmp_path / "backup.tar") == made
    with opened(empty) as again:
        assert rows(office) == rows(again)
        names = list(office.store.vault.names())
        assert names == list(again.store.vault.names())
        assert len(names) == made.files
        assert [office.store.vault.get(name) for name in names] == [again.store.vault.get(name) for name in names]
        assert list(verify(again)) == []
        assert column(again, "SELECT event FROM logs WHERE log = 'audit' ORDER BY number DESC LIMIT 1") == ["restored"]


def test_work_goes_on_where_it_was_restored(saved: Path, empty: Settings) -> None:
    """New numbers follow the old ones; the same month gives the same papers; a return counts."""
    restore(empty, saved)
    with opened(empty) as office:
        assert [result for result in issue_month(office, "2026-11") if result.made] == []
        enrol(office, [line("C-9", "Zoe Nguyen")])
        assert column(office, "SELECT max(id) FROM children") == column(office, "SELECT count(*) FROM children")
        worksheet = newest(office, "worksheet", "2026-11")
        assert send(office, worksheet, lambda values: (values.update(conference_date=HELD["2026-11"]), values["children"][2].update(no_discussion_points=True))).state == "counted"
        list(issue_month(office, "2026-12"))
        assert list(verify(office)) == []


def test_a_backup_goes_through_both_databases_and_back(office: Office, tmp_path: Path, empty: Settings, blanks: Path) -> None:
    """Backup of a restored backup: still the same."""
    backup(office, tmp_path / "one.tar")
    restore(empty, tmp_path / "one.tar")
    with opened(empty) as again:
        backup(again, tmp_path / "two.tar")
    last = make_settings(tmp_path / "last", blanks)
    restore(last, tmp_path / "two.tar")
    with opened(last) as third:
        assert rows(office) == rows(third)
        assert list(verify(third)) == []


def test_stored_files_go_into_a_bucket(saved: Path, empty: Settings, s3: Any) -> None:
    """A backup of a folder is restored into a bucket, and backed up from there."""
    bucket = replace(empty, files=s3.url, files_options=s3.options)
    made = restore(bucket, saved)
    with opened(bucket) as office:
        assert list(verify(office)) == []
        again = backup(office, saved.with_name("again.tar"))
        assert (made.files, ()) == (again.files, again.lost)


def test_a_backup_holds_no_key_and_no_paper_in_clear(office: Office, saved: Path) -> None:
    """Stored files are in it as they are encrypted; it is for its owner only."""
    content = saved.read_bytes()
    assert saved.stat().st_mode & 0o077 == 0
    assert b"%PDF" not in content
    assert office.store.key not in content
    assert bytes.fromhex("01" * 32) not in content
    assert b"01" * 32 not in content
    with tarfile.open(saved) as archive:
        assert {"files", "tables", "manifest.json"} == {name.partition("/")[0] for name in archive.getnames()}


def test_an_erased_child_is_not_in_a_later_backup(office: Office, tmp_path: Path) -> None:
    """What was erased before is not in it; its files are no loss."""
    erase_child(office, "Q-4711", WHY, on=ON, on_request=True)
    made = backup(office, tmp_path / "backup.tar")
    assert made.lost == ()
    with tarfile.open(tmp_path / "backup.tar") as archive:
        words = "".join(gzip.decompress(archive.extractfile(name).read()).decode() for name in archive.getnames() if name.endswith(".gz"))  # type: ignore[union-attr]
    assert [secret for secret in (OTTILIE, *NOTES) if secret in words] == []


# ---------------------------------------------------------------- while work goes on


def test_a_backup_made_while_others_work_is_one_state(office: Office, tmp_path: Path, empty: Settings) -> None:
    """Papers are issued and returned all the time; each backup verifies by itself."""
    stop, failures = threading.Event(), []

    def work() -> None:
        months = (f"{year}-{month:02d}" for year in range(2027, 2040) for month in range(1, 13))
        try:
            while not stop.is_set():
                month = next(months)
                list(issue_month(office, month))
                send(office, newest(office, "worksheet", month), lambda values, month=month: (values.update(conference_date=f"{month}-14"), values["children"][2].update(no_discussion_points=True)))  # type: ignore[misc]
        except Exception as problem:  # noqa: BLE001  (told below)
            failures.append(problem)

    worker = threading.Thread(target=work)
    worker.start()
    try:
        for number in range(6):
            backup(office, tmp_path / f"{number}.tar")
            assert list(verify(office)) == []
    finally:
        stop.set()
        worker.join()
    assert failures == []
    restore(empty, tmp_path / "5.tar")
    with opened(empty) as again:
        assert list(verify(again)) == []
        assert 0 < len(rows(again)["documents"]) <= len(rows(office)["documents"])


def test_a_file_erased_meanwhile_begins_the_backup_anew(office: Office, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A child is erased after the rows were read: the backup holds the state after it."""
    read = backups._blob
    erased: list[str] = []

    def blob(vault: Any, name: str) -> bytes | None:
        if not erased:
            erased.append(erase_child(office, "Q-4711", WHY, on=ON, on_request=True).pseudonym)
        return read(vault, name)

    monkeypatch.setattr(backups, "_blob", blob)
    assert backup(office, tmp_path / "backup.tar").lost == ()
    with tarfile.open(tmp_path / "backup.tar") as archive:
        words = gzip.decompress(archive.extractfile("tables/children.jsonl.gz").read()).decode()  # type: ignore[union-attr]
    assert OTTILIE not in words
    assert "erased-1" in words


def test_a_lost_file_does_not_stop_a_backup(office: Office, tmp_path: Path, empty: Settings) -> None:
    """What is still there is saved, and what is not is named."""
    name = column(office, "SELECT file FROM documents ORDER BY id")[0]
    office.store.vault.remove(name)
    assert backup(office, tmp_path / "backup.tar").lost == (name,)
    assert restore(empty, tmp_path / "backup.tar").lost == (name,)
    with opened(empty) as again:
        assert [("file-lost", f"file {name}")] == [(fault.code, fault.place) for fault in verify(again)]


# ---------------------------------------------------------------- whole or not at all


def test_a_backup_never_takes_the_place_of_a_file(office: Office, tmp_path: Path) -> None:
    """Whatever stands there stays."""
    (tmp_path / "there.tar").write_bytes(b"precious")
    refusal("backup-exists", lambda: backup(office, tmp_path / "there.tar"))
    assert (tmp_path / "there.tar").read_bytes() == b"precious"


def test_a_backup_that_fails_leaves_nothing(office: Office, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The disk is full half way: no file, no draft."""
    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    (tmp_path / "target").mkdir()
    for name in ("_dump", "_is_kept", "_sealed"):
        with monkeypatch.context() as patched:
            patched.setattr(backups, name, full)
            patched.setattr(backups, "_blob", lambda *_: None)
            refusal("file-unwritable", lambda: backup(office, tmp_path / "target" / "backup.tar"))
            assert list((tmp_path / "target").iterdir()) == []


@pytest.mark.parametrize("share", [0.0, 0.1, 0.5, 0.9, 0.999])
def test_a_cut_off_backup_is_refused(saved: Path, empty: Settings, share: float) -> None:
    """Wherever it ends, nothing is restored."""
    content = saved.read_bytes()
    saved.write_bytes(content[: int(len(content) * share)])
    if share == 0.999:  # within the padding that tar adds; the manifest before it may be whole
        with tarfile.open(saved) as archive:
            whole = archive.getnames()[-1:] == ["manifest.json"]
        if whole:
            return
    refusal("backup-damaged", lambda: restore(empty, saved))
    assert not (empty.data / "formsvc.db").exists()  # type: ignore[operator]


def test_a_changed_backup_is_refused(saved: Path, empty: Settings) -> None:
    """A flipped bit in any file of it, and a manifest that somebody wrote anew without the key."""
    content = bytearray(saved.read_bytes())
    with tarfile.open(saved) as archive:
        places = [entry.offset_data + entry.size // 2 for entry in archive.getmembers() if entry.size]
    for place in places:
        content[place] ^= 1
        saved.write_bytes(content)
        with pytest.raises(Refused) as caught:
            restore(empty, saved)
        assert caught.value.code in {"backup-damaged", "backup-of-another"}
        content[place] ^= 1
    saved.write_bytes(content)
    restore(empty, saved)


def rewritten(saved: Path, **changes: Any) -> None:
    """The same backup with another manifest, sealed with the right key."""
    draft = saved.with_suffix(".new")
    with tarfile.open(saved) as old, tarfile.open(draft, "w") as new:
        for entry in old.getmembers():
            source = old.extractfile(entry)
            assert source
            content = source.read()
            if entry.name == "manifest.json":
                content = backups._sealed(json.loads(json.loads(content)["manifest"]) | changes, b"test key of thirty-two bytes....")
                entry.size = len(content)
            new.addfile(entry, io.BytesIO(content))
    draft.replace(saved)


@pytest.mark.parametrize("changes", [{"format": 2}, {"schema": "0099"}], ids=["format", "schema"])
def test_a_backup_of_another_version_is_refused(saved: Path, empty: Settings, changes: dict[str, Any]) -> None:
    """Another format, or other tables."""
    rewritten(saved, **changes)
    refusal("backup-version", lambda: restore(empty, saved))


def test_a_backup_is_not_restored_over_other_data(saved: Path, empty: Settings) -> None:
    """Neither over rows nor beside files."""
    with opened(empty) as office:
        name = office.store.vault.put(b"somebody's file")
        refusal("store-not-empty", lambda: restore(empty, saved))
        office.store.vault.remove(name)
    restore(empty, saved)
    refusal("store-not-empty", lambda: restore(empty, saved))


def test_a_restoring_that_was_stopped_is_begun_again(saved: Path, empty: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    """The process died after the files and before the rows."""
    def dies(*_: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr(backups, "_load", dies)
        with pytest.raises(KeyboardInterrupt):
            restore(empty, saved)
    with opened(empty) as office:
        assert column(office, "SELECT count(*) FROM children") == [0]
    assert isinstance(restore(empty, saved), Backup)
    with opened(empty) as office:
        assert list(verify(office)) == []


def test_a_backup_is_not_restored_without_its_keys(saved: Path, empty: Settings) -> None:
    """Neither with another FORMSVC_KEY nor with other keys of files."""
    refusal("backup-of-another", lambda: restore(replace(empty, key=b"another key of thirty-two bytes."), saved))
    refusal("key-missing", lambda: restore(replace(empty, files_key=f"other {'05' * 32}\nnames {'03' * 32}"), saved))
    assert empty.data
    shutil.rmtree(empty.data / "files")
    refusal("file-misnamed", lambda: restore(replace(empty, files_key=f"first {'01' * 32}\nnames {'04' * 32}"), saved))


def test_no_backup_is_where_there_is_no_file(empty: Settings, tmp_path: Path) -> None:
    """A path that leads nowhere."""
    refusal("file-missing", lambda: restore(empty, tmp_path / "nothing.tar"))


def test_a_broken_log_stays_broken(office: Office, tmp_path: Path, empty: Settings) -> None:
    """A backup neither mends nor hides what was done to the data."""
    attack(office, "UPDATE logs SET subject = 'x' WHERE log = 'audit' AND number = 3")
    backup(office, tmp_path / "backup.tar")
    restore(empty, tmp_path / "backup.tar")
    with opened(empty) as again:
        assert {"log-broken"} == {fault.code for fault in verify(again)}
