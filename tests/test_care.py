"""What `verify` says: nothing of a sound store, and of a damaged one exactly what was done to it.

1. After a whole cycle of work there is no fault, in SQLite and in PostgreSQL alike.
2. Every change behind our back is found: in stored files, in both logs, in rows.
3. What another process is just doing is no fault.
"""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select, text

from formsvc.office.office import Office
from formsvc.office.verify import Fault, verify
from formsvc.store.digest import digest
from formsvc.store.log import LogName
from formsvc.store.schema import metadata, revisions
from tests.care_cases import attack, column, newest

pytest_plugins = ["tests.servers", "tests.care_office"]


def codes(office: Office) -> set[tuple[str, str]]:
    """What is wrong, and where."""
    return {(fault.code, fault.place) for fault in verify(office)}


def stored(office: Office, name: str) -> Path:
    """Where a stored file stands."""
    assert office.service.settings.data
    return office.service.settings.data / "files" / name[:2] / name[2:4] / name


def files_of(office: Office) -> list[str]:
    """The files of documents, the oldest first."""
    return column(office, "SELECT file FROM documents ORDER BY at, id")


# ---------------------------------------------------------------- a sound store


def test_a_whole_cycle_leaves_no_fault(office: Office) -> None:
    """Issued, returned twice, decided, carried: all of it is as it should be, and verifying changes nothing."""
    before = column(office, "SELECT seal FROM log_heads ORDER BY log"), column(office, "SELECT number FROM revisions ORDER BY sheet_id, number")
    steps: list[tuple[int, int]] = []
    assert list(verify(office, lambda done, of: steps.append((done, of)))) == []
    assert [done for done, _ in steps] == list(range(1, steps[-1][1] + 1))
    assert before == (column(office, "SELECT seal FROM log_heads ORDER BY log"), column(office, "SELECT number FROM revisions ORDER BY sheet_id, number"))


def test_a_file_that_just_arrives_is_no_fault(office: Office) -> None:
    """A file whose process died an hour ago is a note; sweeping removes it."""
    name = office.store.keep(b"arriving")
    assert codes(office) == set()
    attack(office, "UPDATE files SET at = :at WHERE name = :name", name=name, at="2026-01-01T00:00:00+00:00")
    assert [("file-arriving", f"file {name}", "warning")] == [(fault.code, fault.place, fault.severity) for fault in verify(office)]
    assert office.store.sweep("2026-02-01") == 1
    assert codes(office) == set()


# ---------------------------------------------------------------- stored files


def test_a_flipped_bit_is_found(office: Office) -> None:
    """One bit in the middle of a stored file."""
    name = files_of(office)[0]
    blob = bytearray(stored(office, name).read_bytes())
    blob[len(blob) // 2] ^= 1
    stored(office, name).write_bytes(blob)
    assert {("file-changed", f"file {name}")} == codes(office)


def test_a_missing_file_is_found(office: Office) -> None:
    """A document's file and a return's file are gone."""
    lost = [files_of(office)[0], column(office, "SELECT file FROM returns ORDER BY id")[0]]
    for name in lost:
        stored(office, name).unlink()
    assert {("file-lost", f"file {name}") for name in lost} == codes(office)


def test_an_orphan_file_is_found(office: Office) -> None:
    """A file that no row knows."""
    name = office.store.vault.put(b"nobody knows this")
    assert {("file-orphan", f"file {name}")} == codes(office)


def test_a_file_that_no_row_counts_on_is_found(office: Office) -> None:
    """A kept file without a document or return."""
    name = office.store.keep(b"settled and then forgotten")
    attack(office, "UPDATE files SET state = 'kept' WHERE name = :name", name=name)
    assert {("file-unclaimed", f"file {name}")} == codes(office)


def test_swapped_files_are_found(office: Office) -> None:
    """Two stored files under each other's names."""
    one, other = files_of(office)[:2]
    blob = stored(office, one).read_bytes()
    stored(office, other).replace(stored(office, one))
    stored(office, other).write_bytes(blob)
    assert {("file-changed", f"file {one}"), ("file-changed", f"file {other}")} == codes(office)


def test_documents_with_each_others_files_are_found(office: Office) -> None:
    """The rows were swapped, not the files: each paper tells which document it is."""
    one, other = column(office, "SELECT id FROM documents ORDER BY at, id")[:2]
    files = [column(office, "SELECT file FROM documents WHERE id = :id", id=document)[0] for document in (one, other)]
    for document, file in zip((other, one), files, strict=True):
        attack(office, "UPDATE documents SET file = :file WHERE id = :id", file=file, id=document)
    assert {(code, f"document {document}") for code in ("document-swapped", "row-changed") for document in (one, other)} == codes(office)


# ---------------------------------------------------------------- the logs


def last(office: Office, log: LogName) -> int:
    """The number of a log's last entry."""
    return int(column(office, "SELECT max(number) FROM logs WHERE log = :log", log=log)[0])


@pytest.fixture(params=["audit", "disclosure"])
def log(request: pytest.FixtureRequest, office: Office) -> LogName:
    """Each log, with some entries of its own."""
    name: LogName = request.param
    with office.store.writing() as connection:
        for number in range(4):
            office.store.log(connection, "tried", f"case:{number}", log=name, to=f"member:{number}")
    return name


def move(office: Office, log: LogName, before: int, after: int) -> None:
    """Give an entry another number."""
    attack(office, "UPDATE logs SET number = :after WHERE log = :log AND number = :before", log=log, before=before, after=after)


def close_up(office: Office, log: LogName, end: int) -> None:
    """Remove the last entry but one, and close the gap."""
    attack(office, "DELETE FROM logs WHERE log = :log AND number = :number", log=log, number=end - 1)
    move(office, log, end, end - 1)


def reorder(office: Office, log: LogName, end: int) -> None:
    """Let two entries change places."""
    for before, after in ((end - 1, 100_000), (end - 2, end - 1), (100_000, end - 2)):
        move(office, log, before, after)


def insert(office: Office, log: LogName, end: int) -> None:
    """Put a copy of the last entry behind it."""
    columns = 'at, "by", event, subject, facts, seal'
    attack(office, f"INSERT INTO logs (log, number, {columns}) SELECT log, number + 1, {columns} FROM logs WHERE log = :log AND number = :end", log=log, end=end)  # noqa: S608


def said(statement: str, back: int = 0) -> Callable[[Office, LogName, int], None]:
    """An attack in one statement on the entry so many before the last."""
    return lambda office, log, end: attack(office, statement, log=log, number=end - back)


ATTACKS: dict[str, Callable[[Office, LogName, int], None]] = {
    "changed": said("UPDATE logs SET subject = 'case:9' WHERE log = :log AND number = :number", 1),
    "another person": said("UPDATE logs SET \"by\" = 'nobody' WHERE log = :log AND number = :number", 2),
    "removed": said("DELETE FROM logs WHERE log = :log AND number = :number", 1),
    "removed and closed up": close_up,
    "reordered": reorder,
    "inserted": insert,
    "cut off": said("DELETE FROM logs WHERE log = :log AND number > :number", 2),
    "emptied": said("DELETE FROM logs WHERE log = :log AND number <= :number"),
}


@pytest.mark.parametrize("how", ATTACKS)
def test_a_changed_log_is_found(office: Office, log: LogName, how: str) -> None:
    """An entry changed, removed, put elsewhere, put in or cut off; nothing else is blamed."""
    ATTACKS[how](office, log, last(office, log))
    found = list(verify(office))
    assert {"log-broken"} == {fault.code for fault in found}
    assert all(fault.place.startswith(log) for fault in found)


def test_a_log_cut_off_with_its_head_is_found(office: Office) -> None:
    """Somebody moved the head back too, but cannot seal it."""
    end = int(column(office, "SELECT max(number) FROM logs WHERE event = 'issued'")[0])
    attack(office, "DELETE FROM logs WHERE log = 'audit' AND number >= :end", end=end)
    attack(office, "UPDATE log_heads SET number = :number, seal = (SELECT seal FROM logs WHERE log = 'audit' AND number = :number) WHERE log = 'audit'", number=end - 1)
    assert {code for code, _ in codes(office)} == {"log-broken"}


def test_a_log_emptied_with_its_head_is_found_by_the_rows_it_told_of(office: Office) -> None:
    attack(office, "DELETE FROM logs WHERE log = 'audit'")
    attack(office, "DELETE FROM log_heads WHERE log = 'audit'")
    assert "row-unlogged" in {code for code, _ in codes(office)}


# ---------------------------------------------------------------- rows


def change_json(office: Office, table: str, name: str, where: str, change: Callable[[Any], Any], **values: Any) -> None:
    """Change a JSON column of a row behind our back."""
    with office.store.reading() as connection:
        before = connection.execute(select(metadata.tables[table].c[name]).where(text(where)), values).scalar_one()
    attack(office, f'UPDATE {table} SET "{name}" = :json WHERE {where}', json=json.dumps(change(before)), **values)  # noqa: S608  (words of this module)


def sheet_with_history(office: Office) -> int:
    """The sheet with the most revisions."""
    return int(column(office, "SELECT sheet_id FROM revisions GROUP BY sheet_id ORDER BY count(*) DESC")[0])


def test_a_changed_record_is_found(office: Office) -> None:
    """The latest revision says what no return said."""
    sheet = sheet_with_history(office)
    number = column(office, "SELECT revision FROM sheets WHERE id = :sheet", sheet=sheet)[0]
    change_json(office, "revisions", "values", "sheet_id = :sheet AND number = :number", lambda values: values | {"recorder": "Somebody"}, sheet=sheet, number=number)
    assert ("record-differs", f"sheet {sheet}") in codes(office)


def test_a_changed_return_is_found(office: Office) -> None:
    """The answers of a return are not what the record was made of."""
    number, sheet = (column(office, f"SELECT {name} FROM returns WHERE state = 'counted' ORDER BY id")[0] for name in ("id", "sheet_id"))  # noqa: S608
    change_json(office, "returns", "values", "id = :number", lambda values: values | {"recorder": "Somebody"}, number=number)
    assert ("record-differs", f"sheet {sheet}") in codes(office)


def test_a_changed_decision_is_found(office: Office) -> None:
    """A decision was turned round."""
    number, sheet = (column(office, f"SELECT {name} FROM decisions ORDER BY id")[0] for name in ("id", "sheet_id"))  # noqa: S608
    change_json(office, "decisions", "value", "id = :number", lambda value: f"{value} not", number=number)
    assert codes(office) & {("record-differs", f"sheet {sheet}"), *((code, place) for code, place in codes(office) if code == "event-differs")}


def test_a_removed_revision_is_found(office: Office) -> None:
    """The history has a hole, or lacks its end."""
    sheet = sheet_with_history(office)
    attack(office, "DELETE FROM revisions WHERE sheet_id = :sheet AND number = 1", sheet=sheet)
    assert {("revision-gap", f"sheet {sheet}"), ("row-missing", f"revision {sheet}.1")} == codes(office)


def test_a_sheet_that_does_not_stand_at_its_latest_revision_is_found(office: Office) -> None:
    """Somebody set it back."""
    sheet = sheet_with_history(office)
    attack(office, "UPDATE sheets SET revision = 1 WHERE id = :sheet", sheet=sheet)
    assert {("revision-not-latest", f"sheet {sheet}")} == codes(office)


def test_a_changed_action_is_found(office: Office) -> None:
    """An action was closed although no paper says so."""
    action = column(office, "SELECT id FROM actions ORDER BY id")[0]
    attack(office, "UPDATE actions SET open = :closed WHERE id = :action", action=action, closed=False)
    assert {("action-differs", f"action {action}")} == codes(office)


def test_an_action_that_was_changed_together_with_its_event_is_found(office: Office) -> None:
    """Both say the same, but the papers say something else."""
    action, sheet = (column(office, f"SELECT {name} FROM action_events ORDER BY action, month DESC, sheet_id DESC")[0] for name in ("action", "sheet_id"))  # noqa: S608
    change_json(office, "action_events", "facts", "action = :action AND sheet_id = :sheet", lambda facts: facts | {"responsible": "Nobody"}, action=action, sheet=sheet)
    change_json(office, "actions", "facts", "id = :action", lambda facts: facts | {"responsible": "Nobody"}, action=action)
    assert ("event-differs", f"sheet {sheet}, action {action}") in codes(office)


def test_a_removed_event_is_found(office: Office) -> None:
    """What a paper told of an action is gone."""
    action, sheet = (column(office, f"SELECT {name} FROM action_events ORDER BY action, month DESC, sheet_id DESC")[0] for name in ("action", "sheet_id"))  # noqa: S608
    attack(office, "DELETE FROM action_events WHERE action = :action AND sheet_id = :sheet", action=action, sheet=sheet)
    assert ("event-differs", f"sheet {sheet}, action {action}") in codes(office)


def test_a_removed_document_is_found(office: Office) -> None:
    """Its row is gone; its file belongs to nobody now, and the audit log remembers it."""
    document, file = (column(office, f"SELECT {name} FROM documents WHERE id NOT IN (SELECT document FROM returns WHERE document IS NOT NULL) AND edition = 1 ORDER BY id")[0] for name in ("id", "file"))  # noqa: S608
    attack(office, "DELETE FROM documents WHERE id = :document", document=document)
    assert {("row-missing", f"document {document}"), ("file-unclaimed", f"file {file}")} <= codes(office)


def test_a_removed_document_that_came_back_is_found(office: Office) -> None:
    """Its return names a document that is not there."""
    document = column(office, "SELECT document FROM returns ORDER BY id")[0]
    attack(office, "DELETE FROM documents WHERE id = :document", document=document)
    assert {("row-missing", f"document {document}"), ("reference-broken", "returns.document")} <= codes(office)


def test_a_removed_return_is_found(office: Office) -> None:
    """A return that does not count any more leaves its traces."""
    number, file = (column(office, f"SELECT {name} FROM returns WHERE state = 'waiting' ORDER BY id")[0] for name in ("id", "file"))  # noqa: S608
    attack(office, "DELETE FROM returns WHERE id = :number", number=number)
    assert {("row-missing", f"return {number}"), ("file-unclaimed", f"file {file}"), ("reference-broken", "questions.return_id")} == codes(office)


def test_an_added_return_is_found(office: Office) -> None:
    """Somebody put a document into the database that was never issued."""
    attack(
        office,
        'INSERT INTO documents (id, sheet_id, edition, version, lang, snapshot, base, "rows", file, at) SELECT \'FAKE000000\', sheet_id, 0, version, lang, snapshot, base, "rows", file, at FROM documents WHERE edition = 1 AND id = :like',
        like=newest(office, "fcch", "2026-10").id,
    )
    assert ("row-unlogged", "document FAKE000000") in codes(office)


def test_a_digest_in_the_log_finds_a_change_of_the_past(office: Office) -> None:
    """An old revision that nothing follows from any more is sealed by its digest."""
    sheet = sheet_with_history(office)
    with office.store.writing() as connection:
        row = connection.execute(select(revisions).where(revisions.c.sheet_id == sheet, revisions.c.number == 1)).mappings().one()
        office.store.log(connection, "revised", f"sheet:{sheet}", revision=1, cause="", digest=digest("revision", row, office.store.key))
    assert codes(office) == set()
    change_json(office, "revisions", "values", "sheet_id = :sheet AND number = 1", lambda values: values | {"recorder": "Somebody"}, sheet=sheet)
    assert {("row-changed", f"revision {sheet}.1")} == codes(office)


def test_every_fault_says_what_to_do(office: Office) -> None:
    """A fault has a code, a place and a sentence for people."""
    stored(office, files_of(office)[0]).unlink()
    (fault,) = verify(office)
    assert isinstance(fault, Fault)
    assert fault.message.endswith("Restore it from the backup.")


def test_a_database_that_is_gone_is_told(office: Office) -> None:
    """Without its database there is one fault, not a crash."""
    for table in ("decisions", "log_heads"):
        with office.store.engine.connect() as connection, connection.begin():
            connection.exec_driver_sql(f"DROP TABLE {table}")
    assert [fault.code for fault in verify(office)] == ["database-failed"]
