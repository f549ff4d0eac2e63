"""One child's data: told whole, kept under a hold and for their time, erased without a trace and without harm to others.

1. An export holds everything about the child and nothing about another one.
2. Nothing is erased under a hold, or before its time unless the family asks.
3. After erasing, neither the database nor any stored file holds the child; everything else is as it was, and verifies.
4. Where people wrote the child's name in places that no key tells of, they are told.
"""

import io
import json
import zipfile
from collections.abc import Iterator
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import insert, select, text

from formsvc.errors import Refused
from formsvc.model.values import plain
from formsvc.office.care import Due, due_for_erasure, export_child, hold, release
from formsvc.office.erase import Mention, erase_child, mentions, remove_erased
from formsvc.office.month import issue_month
from formsvc.office.office import Office
from formsvc.office.review import waiting
from formsvc.office.verify import verify
from formsvc.store.followup import KeptAction, read_actions
from formsvc.store.papers import latest_revision
from formsvc.store.schema import children, consents, metadata, monitoring
from tests.care_cases import HELD, NOTES, ON, OTTILIE, WHY, WITH_SIBLING, column, newest, send

pytest_plugins = ["tests.servers", "tests.care_office"]

SECRETS = (OTTILIE, "Ottilie", "Q-4711", "2022-03-19", "Ruritanian", *NOTES)


def refused(code: str, office: Office, **options: Any) -> None:
    """Erasing is refused, and nothing is changed."""
    with pytest.raises(Refused) as caught:
        erase_child(office, "Q-4711", WHY, **{"on": ON, **options})
    assert caught.value.code == code
    assert column(office, "SELECT count(*) FROM children WHERE child_id = 'Q-4711'") == [1]


def leave(office: Office, child_id: str, day: date) -> None:
    """A child's enrolments end."""
    with office.store.writing() as connection:
        connection.execute(text("UPDATE enrolments SET ends = :day WHERE child = (SELECT id FROM children WHERE child_id = :id)"), {"day": day.isoformat() if connection.dialect.name == "sqlite" else day, "id": child_id})


def everything(office: Office) -> Iterator[tuple[str, str]]:
    """Every row as text, and every stored file decrypted with the text of its fields."""
    with office.store.reading() as connection:
        for table in metadata.sorted_tables:
            for row in connection.execute(select(table)).mappings():
                yield f"{table.name} {row}"[:80], json.dumps(dict(row), ensure_ascii=False, default=str)
    for name in office.store.vault.names():
        content = office.store.vault.get(name)
        values = json.dumps(office.service.understand(content).record.values, ensure_ascii=False)
        yield f"file {name}", values + content.decode("latin-1")


def actions_of(office: Office, child_id: str) -> tuple[KeptAction, ...]:
    """The actions of a child."""
    with office.store.reading() as connection:
        return read_actions(connection, children=list(connection.scalars(select(children.c.id).where(children.c.child_id == child_id))))


# ---------------------------------------------------------------- telling


def exported(office: Office) -> tuple[dict[str, Any], list[str]]:
    """The export's JSON and its files."""
    with zipfile.ZipFile(io.BytesIO(export_child(office, "Q-4711"))) as archive:
        return json.loads(archive.read("child.json")), [name for name in archive.namelist() if name != "child.json"]


def test_an_export_holds_everything_about_the_child(office: Office) -> None:
    """Details, enrolments, rows of every paper (the hand-typed one too), actions, and what was logged about it."""
    told, files = exported(office)
    words = json.dumps(told, ensure_ascii=False)
    assert [secret for secret in SECRETS if secret not in words] == []
    assert {"Cedar Hall"} == {spell["site"] for spell in told["child"]["enrolments"]}
    assert {WITH_SIBLING, NOTES[1]} == {action["facts"]["follow_up_action"] for action in told["actions"]}
    assert told["documents"]
    assert told["returns"]
    assert told["records"]
    assert told["decisions"]
    assert files == []  # every paper lists other children too
    again, _ = exported(office)
    assert [entry["event"] for entry in again["logs"]["audit"]] == ["exported"]


def test_an_export_holds_nothing_about_another_child(office: Office) -> None:
    """Rows about siblings and classmates stay out, also of actions that are shared."""
    words = json.dumps(exported(office)[0], ensure_ascii=False)
    assert [other for other in ("Rufus", "Q-4712", "Ana Rivera", "C-1", "glasses", "Castellanos") if other in words] == []


def test_an_export_holds_the_papers_that_are_about_nobody_else(office: Office) -> None:
    """A return on which only this child stands is in it as a file."""
    with zipfile.ZipFile(io.BytesIO(export_child(office, "H-1"))) as archive:
        told = json.loads(archive.read("child.json"))
        files = {name: archive.read(name) for name in archive.namelist() if name != "child.json"}
    assert {entry["file"] for entry in (*told["documents"], *told["returns"]) if "file" in entry} == set(files)
    assert {"papers/return"} < {name.partition("-")[0] for name in files}
    assert all(content.startswith(b"%PDF") for content in files.values())
    assert "Hedda" not in " ".join(files)


# ---------------------------------------------------------------- keeping


def test_nothing_is_erased_under_a_hold(office: Office) -> None:
    """A hold stands until it is released, whoever asks."""
    hold(office, "Q-4711", "a court wants the records")
    refused("child-held", office, on_request=True)
    assert release(office, "Q-4711") == 1
    assert erase_child(office, "Q-4711", WHY, on=ON, on_request=True).pseudonym == "erased-1"
    assert {"held", "released", "erased"} <= set(column(office, "SELECT event FROM logs WHERE subject = 'child:1'"))


def test_nothing_is_erased_before_its_time(office: Office) -> None:
    """Not while the child is enrolled, not within the years after; then it is due."""
    refused("child-enrolled", office)
    leave(office, "Q-4711", date(2026, 11, 30))
    refused("retention-runs", office)
    refused("retention-runs", office, on=date(2033, 11, 30))
    refused("retention-too-short", office, years=2)
    assert due_for_erasure(office, date(2033, 11, 30)) == ()
    assert (Due(child_id="Q-4711", left_on=date(2026, 11, 30), held=False),) == due_for_erasure(office, date(2033, 12, 1)) == due_for_erasure(office, date(2029, 12, 1), years=3)
    erase_child(office, "Q-4711", WHY, on=date(2033, 12, 1))
    assert due_for_erasure(office, date(2040, 1, 1)) == ()


@pytest.mark.parametrize("why", ["", "  ", "Ottilie left", "ottilie quackenbush", "Q-4711 is gone"])
def test_a_reason_does_not_name_the_child(office: Office, why: str) -> None:
    """It stands in a log that nobody can change."""
    for call in (lambda: hold(office, "Q-4711", why), lambda: erase_child(office, "Q-4711", why, on=ON, on_request=True)):
        with pytest.raises(Refused, match="reason"):
            call()


def test_a_child_is_erased_once(office: Office) -> None:
    """Afterwards nobody has this id."""
    erase_child(office, "Q-4711", WHY, on=ON, on_request=True)
    with pytest.raises(Refused) as caught:
        erase_child(office, "Q-4711", WHY, on=ON, on_request=True)
    assert caught.value.code == "child-unknown"


# ---------------------------------------------------------------- erasing


def test_nothing_of_an_erased_child_is_left(office: Office) -> None:
    """No row and no stored file holds its name, id, birth date, language or notes; the store verifies."""
    assert {secret for secret in SECRETS for _, words in everything(office) if plain(secret) in plain(words)} == set(SECRETS)
    erasure = erase_child(office, "Q-4711", WHY, on=ON, on_request=True)
    assert [(place, secret) for place, words in everything(office) for secret in SECRETS if plain(secret) in plain(words)] == []
    assert erasure.mentions == ()
    assert list(verify(office)) == []
    assert erasure.files == column(office, "SELECT count(*) FROM files WHERE state = 'erased'")[0] > 0


def test_the_database_file_itself_forgets(office: Office) -> None:
    """SQLite gives up the room where the data stood."""
    if office.store.engine.dialect.name != "sqlite":
        return
    assert erase_child(office, "Q-4711", WHY, on=ON, on_request=True).compacted
    file = Path(str(office.store.engine.url.database))
    left = b"".join(path.read_bytes() for path in file.parent.glob(f"{file.name}*"))
    assert [secret for secret in SECRETS if secret.encode() in left] == []


def test_the_data_of_other_children_stay_as_they_were(office: Office) -> None:
    """Their rows, actions and details are the same before and after; no revision is added."""
    def others() -> dict[str, Any]:
        with office.store.reading() as connection:
            known = {sheet: latest_revision(connection, sheet) for sheet in connection.scalars(text("SELECT id FROM sheets ORDER BY id"))}
        rows = {
            (sheet, group, revision.rows[group][number]): row
            for sheet, revision in known.items() if revision
            for group, entries in revision.values.items() if isinstance(entries, list)
            for number, row in enumerate(entries)
            if isinstance(row, dict) and row and "quackenbush" not in str(row.get("child_name", "")).casefold()
        }  # fmt: skip
        heads = {(sheet, name): value for sheet, revision in known.items() if revision for name, value in revision.values.items() if isinstance(value, str)}
        return {"rows": rows, "heads": heads, "count": column(office, "SELECT count(*) FROM revisions"), "ana": actions_of(office, "C-1"), "hedda": actions_of(office, "H-1")}

    before = others()
    assert len(before["rows"]) > 5
    erase_child(office, "Q-4711", WHY, on=ON, on_request=True)
    assert before == others()
    rufus = column(office, "SELECT name FROM children WHERE child_id = 'Q-4712'")
    assert rufus == ["Rufus Quackenbush"]


def test_a_siblings_shared_action_goes_on(office: Office) -> None:
    """It was first written in the erased child's row; now it is the sibling's alone, with its history, and is carried on."""
    (shared,) = actions_of(office, "Q-4712")
    erase_child(office, "Q-4711", WHY, on=ON, on_request=True)
    (kept,) = actions_of(office, "Q-4712")
    assert (kept.open, kept.opened, kept.latest, kept.row, kept.children) == (shared.open, shared.opened, shared.latest, "c2", (2,))
    assert kept.facts["follow_up_action"] == WITH_SIBLING
    assert kept.facts["status"] == "in_progress"
    list(issue_month(office, "2026-12"))
    paper = newest(office, "case-management", "2026-12")
    assert [row["child_name"] for row in paper.snapshot["actions"] if row["follow_up_action"] == WITH_SIBLING] == ["Rufus Quackenbush"]  # type: ignore[index,union-attr]
    assert f"a{kept.id}" in paper.rows["actions"]


def test_the_sibling_who_did_not_write_first_is_erased_too(office: Office) -> None:
    """Then the action stays with the first child, under its own id."""
    (shared,) = actions_of(office, "Q-4712")
    erase_child(office, "Q-4712", WHY, on=ON, on_request=True)
    kept = {action.id: action for action in actions_of(office, "Q-4711")}[shared.id]
    assert kept.children == (1,)
    assert list(verify(office)) == []
    assert [place for place, words in everything(office) if "Rufus" in words or "Q-4712" in words] == []


def test_everybody_can_be_erased(office: Office) -> None:
    """One after the other, and the store still verifies."""
    names = column(office, "SELECT name FROM children ORDER BY id")
    for child in column(office, "SELECT child_id FROM children ORDER BY id"):
        erase_child(office, child, WHY, on=ON, on_request=True)
        assert list(verify(office)) == []
    assert [(place, name) for place, words in everything(office) for name in names if name in words] == []
    assert column(office, "SELECT id FROM actions WHERE open") == []


def test_what_comes_after_an_erasing_is_understood(office: Office) -> None:
    """Another copy of an old worksheet still counts for the other children, and no old question comes back."""
    worksheet = newest(office, "worksheet", "2026-11")
    erase_child(office, "Q-4711", WHY, on=ON, on_request=True)
    questions = len(waiting(office))
    receipt = send(office, newest(office, "worksheet", "2026-11"), lambda values: (values.update(conference_date=HELD["2026-11"]), values["children"][3].update(no_discussion_points=True)))
    assert (receipt.state, receipt.questions, len(waiting(office))) == ("counted", 0, questions)
    assert worksheet.id == receipt.document
    assert list(verify(office)) == []


def test_an_old_copy_brings_nothing_back(office: Office) -> None:
    """A paper that was printed before counts for the other children; the erased child's row and the file that holds it go again."""
    worksheet = newest(office, "worksheet", "2026-11")
    erase_child(office, "Q-4711", WHY, on=ON, on_request=True)
    assert send(office, worksheet, lambda values: (values.update(conference_date=HELD["2026-11"]), values["children"][0].update(strengths=NOTES[2]))).state == "counted"
    assert [(place, secret) for place, words in everything(office) for secret in SECRETS if plain(secret) in plain(words)] == []
    assert list(verify(office)) == []


def test_consents_and_monitoring_are_emptied(office: Office) -> None:
    """What names the child outside the papers."""
    with office.store.writing() as connection:
        connection.execute(insert(consents).values(child=1, kind="share", data={"guardian": "Persephone"}, at="2026-10-01"))
        connection.execute(insert(monitoring).values(kind="ersea", subject="Q-4711", due=ON, done_on=ON))
    erase_child(office, "Q-4711", WHY, on=ON, on_request=True)
    assert [place for place, words in everything(office) if "Q-4711" in words or "Persephone" in words] == []


def test_a_changed_row_is_found_after_an_erasing_too(office: Office) -> None:
    """What was emptied is sealed anew."""
    erase_child(office, "Q-4711", WHY, on=ON, on_request=True)
    with office.store.writing() as connection:
        connection.execute(text("INSERT INTO erasing (name) VALUES ('x')"))
        connection.execute(text("UPDATE revisions SET \"by\" = 'x', cause = 'another' WHERE number = 1 AND sheet_id = 1"))
        connection.execute(text("DELETE FROM erasing"))
    assert {("row-changed", "revision 1.1")} == {(fault.code, fault.place) for fault in verify(office)}


def test_a_file_that_outlived_its_erasing_is_told_and_removed(office: Office) -> None:
    """The process died between the database and the files."""
    name = column(office, "SELECT file FROM returns ORDER BY id")[0]
    content = office.store.vault.get(name)
    erase_child(office, "Q-4711", WHY, on=ON, on_request=True)
    office.store.vault.put(content)
    assert [("file-not-erased", f"file {name}")] == [(fault.code, fault.place) for fault in verify(office)]
    assert remove_erased(office) == 1
    assert list(verify(office)) == []


# ---------------------------------------------------------------- what no key tells of


def test_a_name_in_other_rows_is_told_not_edited(office: Office) -> None:
    """Somebody wrote about the child in a classmate's row: the place is told, and stays as it is."""
    note = "Plays with Ottilie"
    worksheet = newest(office, "worksheet", "2026-11")
    send(office, worksheet, lambda values: (values.update(conference_date=HELD["2026-11"], recorder=OTTILIE), values["children"][2].update(strengths=note)))
    erasure = erase_child(office, "Q-4711", WHY, on=ON, on_request=True)
    found = {(mention.place.partition(" ")[0], mention.place.rpartition(": ")[2], mention.what) for mention in erasure.mentions}
    assert {("returns", "values/children/2/strengths", "part of the name"), ("returns", "values/recorder", "name"), ("revisions", "values/children/2/strengths", "part of the name"), ("revisions", "values/recorder", "name")} == found
    assert any("Cedar Hall, Preschool 1, 2026-11, worksheet" in mention.place for mention in erasure.mentions)
    assert erasure.mentions == mentions(office, OTTILIE, "Q-4711", frozenset({1}))
    assert not any(OTTILIE in mention.place for mention in erasure.mentions)
    assert list(verify(office)) == []


def test_a_scan_that_nobody_has_read_is_told(office: Office) -> None:
    """It may hold the child: a person looks."""
    name = office.store.keep(b"a scan")
    with office.store.writing() as connection:
        connection.execute(text("INSERT INTO returns (file, state, at, problems) VALUES (:name, 'waiting', '2026-10-01', '[]')"), {"name": name})
        connection.execute(text("UPDATE files SET state = 'kept' WHERE name = :name"), {"name": name})
    number = column(office, "SELECT max(id) FROM returns")[0]
    assert (Mention(place=f"return {number}", what="unread"),) == erase_child(office, "Q-4711", WHY, on=ON, on_request=True).mentions


def test_a_namesake_keeps_its_rows(office: Office) -> None:
    """Another child of the same name in the same class: rows that give only the name are nobody's for certain, and are told."""
    with office.store.writing() as connection:
        connection.execute(text("UPDATE children SET name = :name WHERE child_id = 'C-2'"), {"name": OTTILIE})
    erasure = erase_child(office, "Q-4711", WHY, on=ON, on_request=True)
    assert column(office, "SELECT name FROM children WHERE child_id = 'C-2'") == [OTTILIE]
    assert [place for place, words in everything(office) if "Q-4711" in words] == []
    assert list(verify(office)) == []
    assert all(mention.what == "name" for mention in erasure.mentions)
