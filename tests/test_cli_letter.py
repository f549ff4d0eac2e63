"""The `letter` command as people meet it: each test starts `python -m formsvc letter`.

1. Exit 0 done, 1 wrong usage, 2 could not be done; a refusal is one sentence, or one JSON object with --json.
2. A summary is written under a password only; a passphrase goes to its own file and nowhere else.
3. One invitation per address goes on where it was stopped, and one bad recipient stops nobody else.
4. Each file that left has its line in the log, and no other.
"""

import email
import email.policy
import hashlib
import json
import os
import sqlite3
import stat
import subprocess
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any, Final

import pikepdf
import pypdfium2
import pytest

from formsvc.cli import cli
from formsvc.errors import Refused
from formsvc.office.cases import list_cases
from formsvc.office.office import open_office
from formsvc.office.people import invite
from formsvc.protection import unlock
from formsvc.settings import samples_folder, settings
from formsvc.store.people import cases_of, find_person
from tests.commands import type_command
from tests.letter_cases import PASSWORD, sample_data
from tests.offices import KEYS
from tests.small_forms import KEY

Done = subprocess.CompletedProcess[str]
Run = Callable[..., Done]
TODAY: Final = ("--today", "2026-12-08")
SMALL: Final = [
    {"name": "Mara Fernwhistle", "role": "Mother, guardian", "audience": "guardian", "email": "mara.f@example.com", "lang": "es"},
    {"name": "Gideon Marshwood", "role": "Classroom teacher", "email": "g.marshwood@example.org"},
]


@pytest.fixture
def run(tmp_path: Path) -> Run:
    """Runs `formsvc letter` in an empty folder whose log is in `data`."""
    inherited = {name: value for name, value in os.environ.items() if not name.startswith("FORMSVC_")}
    known = {"FORMSVC_CACHE": str(tmp_path / "cache"), "FORMSVC_KEY": KEY.hex(), "FORMSVC_DATA": str(tmp_path / "data"), "FORMSVC_FILES_KEY": KEYS, "PYTHONPATH": str(Path(__file__).parent.parent)}

    def runs(*arguments: object, more: dict[str, str] | None = None, command: str = "letter") -> Done:
        return type_command(command, *map(str, arguments), folder=tmp_path, environment={**inherited, **known, **(more or {})}, seconds=180)

    return runs


@pytest.fixture
def case(tmp_path: Path) -> Path:
    """The sample case as a file."""
    return case_file(tmp_path)


@pytest.fixture
def password(tmp_path: Path) -> Path:
    """A file with a good password."""
    file = tmp_path / "password.txt"
    file.write_text(f"{PASSWORD}\n", encoding="utf-8")
    return file


def case_file(folder: Path, changes: dict[str, Any] | None = None) -> Path:
    """A sample case with changes, written out."""
    file = folder / "case.json"
    file.write_text(json.dumps(sample_data(changes)), encoding="utf-8")
    return file


def log_of(folder: Path) -> list[dict[str, Any]]:
    """The disclosures so far."""
    file = folder / "data" / "formsvc.db"
    if not file.exists():
        return []
    with closing(sqlite3.connect(file)) as database:
        return [json.loads(row[0]) for row in database.execute("SELECT facts FROM logs WHERE log = 'disclosure' ORDER BY number")]


def digest(file: Path) -> str:
    """SHA-256 of a file."""
    return hashlib.sha256(file.read_bytes()).hexdigest()


def letters_in(folder: Path) -> dict[str, str]:
    """The letters in a folder with their digests."""
    return {file.name: digest(file) for file in sorted(folder.iterdir()) if not file.name.startswith(".")} if folder.is_dir() else {}


# ---------------------------------------------------------------- one letter


@pytest.mark.parametrize(("name", "file", "head"), [("invitation", "i.docx", b"PK"), ("invitation", "i.PDF", b"%PDF"), ("agenda", "a.eml", b"Subject: Agenda: case conference for N.F."), ("agenda", "a.ics", b"BEGIN:VCALENDAR")])
def test_a_letter_is_written_and_logged(run: Run, case: Path, tmp_path: Path, name: str, file: str, head: bytes) -> None:
    """The ending of --out says which face; exit 0; the log has the file's digest and may be read by its owner only."""
    done = run(name, "--data", case, "--out", file, *TODAY)
    assert (done.returncode, done.stderr) == (0, "")
    assert (tmp_path / file).read_bytes().startswith(head)
    (entry,) = log_of(tmp_path)
    assert (entry["digest"], entry["about"], len(entry["recipients"])) == (digest(tmp_path / file), "N.F.", 8)
    assert stat.S_IMODE((tmp_path / "data" / "formsvc.db").stat().st_mode) == 0o600
    assert "Fernwhistle" not in done.stdout


def test_json_says_what_was_done(run: Run, case: Path, tmp_path: Path) -> None:
    """One object: the file, its disclosure, what to look at."""
    done = run("agenda", "--data", case, "--out", "a.docx", "--today", "2026-12-01", "--json")
    said = json.loads(done.stdout)
    assert (done.returncode, said["file"], [found["code"] for found in said["problems"]]) == (0, "a.docx", ["agenda-not-the-day-before"])
    assert said["disclosure"] == log_of(tmp_path)[0]


def test_doubts_are_said_and_stop_nothing(run: Run, case: Path) -> None:
    """Without --json a doubt is one line on standard error; the letter is written."""
    done = run("agenda", "--data", case, "--out", "a.docx", "--today", "2026-12-01")
    assert (done.returncode, done.stderr.count("R26")) == (0, 1)


@pytest.mark.parametrize("to", ["4", "Gideon Marshwood", "gideon marshwood"])
def test_a_letter_goes_to_one_member(run: Run, case: Path, tmp_path: Path, to: str) -> None:
    """--to takes a number, as people count, or a name."""
    assert run("invitation", "--data", case, "--out", "i.eml", "--to", to, *TODAY).returncode == 0
    assert b"To: g.marshwood@example.org" in (tmp_path / "i.eml").read_bytes()
    assert log_of(tmp_path)[0]["recipients"] == ["Gideon Marshwood, Alderbank Elementary School"]


@pytest.mark.parametrize(("options", "words"), [((), b"Invitation: case"), (("--to", "8"), b"Invitaci"), (("--to", "8", "--lang", "en"), b"Invitation: case"), (("--lang", "es"), b"Invitaci")])
def test_the_language_is_the_readers(run: Run, case: Path, tmp_path: Path, options: tuple[str, ...], words: bytes) -> None:
    """The recipient's own language, unless told; English for everybody."""
    assert run("invitation", "--data", case, "--out", "i.ics", *options, *TODAY).returncode == 0
    assert words in (tmp_path / "i.ics").read_bytes()


# ---------------------------------------------------------------- refused


@pytest.mark.parametrize(
    ("options", "exit_code", "says"),
    [
        (("--out", "i.txt"), 1, ".docx, .pdf, .eml or .ics"), ((), 1, "--out FILE or --each FOLDER"), (("--out", "i.docx", "--each", "all"), 1, "--out FILE or --each FOLDER"),
        (("--out", "i.docx", "--lang", "fr"), 1, "fr"), (("--out", "i.docx", "--today", "soon"), 1, "soon"), (("--out", "i.docx", "--to", "9"), 2, "no-such-member"),
        (("--out", "i.docx", "--to", "Rosa Vega"), 2, "no-such-member"), (("--out", "i.docx", "--today", "2028-01-01"), 2, "no-consent"), (("--out", "case.json/i.docx"), 2, "file-unwritable"),
    ],
)  # fmt: skip
def test_a_refusal_writes_nothing(run: Run, case: Path, tmp_path: Path, options: tuple[str, ...], exit_code: int, says: str) -> None:
    """Wrong usage is 1, what cannot be done is 2; no letter, no log, no traceback."""
    done = run("invitation", "--data", case, *options)
    assert (done.returncode, done.stdout) == (exit_code, "")
    assert says in done.stderr
    assert "Traceback" not in done.stderr
    assert log_of(tmp_path) == []
    assert {file.name for file in tmp_path.iterdir()} - {"cache", "data"} == {"case.json"}


@pytest.mark.parametrize(("content", "code"), [("{", "values-unreadable"), ("[]", "values-not-an-object"), ("{}", "values-invalid"), ("[" * 100_000, "values-unreadable"), ('{"client": 3}', "values-invalid")])
def test_a_broken_case_is_refused_as_json(run: Run, tmp_path: Path, content: str, code: str) -> None:
    """A case that cannot be used is one JSON object on standard error with --json."""
    file = tmp_path / "case.json"
    file.write_text(content, encoding="utf-8")
    done = run("invitation", "--data", file, "--out", "i.docx", "--json")
    assert (done.returncode, json.loads(done.stderr)["code"], (tmp_path / "i.docx").exists()) == (2, code, False)


def test_wrong_notes_are_named(run: Run, tmp_path: Path) -> None:
    """A fault in the notes is named with its place in the case."""
    done = run("agenda", "--data", case_file(tmp_path, {"notes.next_steps.2.due_date": "soon"}), "--out", "a.docx", *TODAY)
    assert done.returncode == 2
    assert "notes-next_steps-2-due_date" in done.stderr


def test_without_a_log_nothing_stays(run: Run, case: Path, tmp_path: Path) -> None:
    """A letter that cannot be logged does not leave: its file is taken away again (R40)."""
    (tmp_path / "data").write_text("in the way", encoding="utf-8")
    done = run("invitation", "--data", case, "--out", "i.docx", *TODAY)
    assert (done.returncode, (tmp_path / "i.docx").exists()) == (2, False)


# ---------------------------------------------------------------- passwords


@pytest.mark.parametrize("file", ["s.docx", "s.pdf", "s.eml"])
def test_a_summary_without_a_password_is_not_written(run: Run, case: Path, tmp_path: Path, file: str) -> None:
    """No password, no summary (R31)."""
    done = run("summary", "--data", case, "--out", file, *TODAY)
    assert (done.returncode, (tmp_path / file).exists(), log_of(tmp_path)) == (2, False, [])


@pytest.mark.parametrize("how", ["file", "environment"])
def test_a_summary_opens_with_its_password(run: Run, case: Path, password: Path, tmp_path: Path, how: str) -> None:
    """The password comes from a file or the environment, and opens what was written; the log says it was protected."""
    options = ("--password-file", password) if how == "file" else ()
    done = run("summary", "--data", case, "--out", "s.pdf", *options, *TODAY, more={"FORMSVC_PASSWORD": PASSWORD} if how == "environment" else None)
    assert done.returncode == 0, done.stderr
    assert unlock((tmp_path / "s.pdf").read_bytes(), PASSWORD).startswith(b"%PDF")
    assert log_of(tmp_path)[0]["protected"] is True
    assert PASSWORD not in done.stdout + done.stderr + json.dumps(log_of(tmp_path))


def test_a_passphrase_goes_to_its_own_file_only(run: Run, case: Path, tmp_path: Path) -> None:
    """Six words in a file for its owner's eyes; not on the terminal, in the log, in the document or beside it."""
    done = run("summary", "--data", case, "--out", "s.eml", "--passphrase-out", "secret.txt", *TODAY, "--json")
    assert done.returncode == 0, done.stderr
    secret = tmp_path / "secret.txt"
    passphrase = secret.read_text(encoding="utf-8").strip()
    assert (len(passphrase.split("-")), stat.S_IMODE(secret.stat().st_mode)) == (6, 0o600)
    others = [file for file in tmp_path.rglob("*") if file.is_file() and file != secret]
    assert [str(file) for file in others if passphrase.encode() in file.read_bytes()] == []
    assert passphrase not in done.stdout + done.stderr


def test_a_passphrase_is_never_overwritten(run: Run, case: Path, tmp_path: Path) -> None:
    """A file that is there may hold another document's passphrase: nothing is written over it, and no summary either."""
    (tmp_path / "secret.txt").write_text("older", encoding="utf-8")
    done = run("summary", "--data", case, "--out", "s.pdf", "--passphrase-out", "secret.txt", *TODAY)
    assert (done.returncode, (tmp_path / "secret.txt").read_text(encoding="utf-8"), (tmp_path / "s.pdf").exists()) == (2, "older", False)
    assert log_of(tmp_path) == []


def test_a_refused_summary_leaves_no_passphrase(run: Run, tmp_path: Path) -> None:
    """Where the summary cannot leave, its passphrase file is not left either."""
    done = run("summary", "--data", case_file(tmp_path, {"consents": []}), "--out", "s.pdf", "--passphrase-out", "secret.txt", *TODAY)
    assert (done.returncode, (tmp_path / "secret.txt").exists()) == (2, False)
    done = run("summary", "--data", case_file(tmp_path), "--out", "case.json/s.pdf", "--passphrase-out", "secret.txt", *TODAY)
    assert (done.returncode, (tmp_path / "secret.txt").exists()) == (2, False)


@pytest.mark.parametrize("other", ["--passphrase-out", "--password-file"])
def test_a_summary_does_not_take_the_place_of_its_password(run: Run, case: Path, tmp_path: Path, other: str) -> None:
    """A summary written over its own password could never be opened again."""
    if other == "--password-file":
        (tmp_path / "s.pdf").write_text(f"{PASSWORD}\n", encoding="utf-8")
    done = run("summary", "--data", case, "--out", "s.pdf", other, "s.pdf", *TODAY)
    assert done.returncode == 2
    assert "same-file" in done.stderr
    assert (tmp_path / "s.pdf").exists() == (other == "--password-file")


@pytest.mark.parametrize("weak", ["noah-fernwhistle-2016", "fernwhistle1!xyzw", "March92016-walnut"])
def test_a_password_about_the_client_is_refused(run: Run, case: Path, password: Path, tmp_path: Path, weak: str) -> None:
    """A password with the client's name or birth date in it is refused with the reason, and not repeated."""
    password.write_text(weak, encoding="utf-8")
    done = run("summary", "--data", case, "--out", "s.pdf", "--password-file", password, *TODAY)
    assert (done.returncode, (tmp_path / "s.pdf").exists()) == (2, False)
    assert weak not in done.stderr
    assert "--weak-password" not in done.stderr, "this command has no such option"
    assert "--passphrase-out" in done.stderr


def test_two_sources_of_a_password_exclude_each_other(run: Run, case: Path, password: Path) -> None:
    """A password of one's own and a new passphrase at once is wrong usage."""
    assert run("summary", "--data", case, "--out", "s.pdf", "--password-file", password, "--passphrase-out", "secret.txt", *TODAY).returncode == 1


# ---------------------------------------------------------------- one per address


def test_one_invitation_per_address_goes_on_where_it_was_stopped(run: Run, tmp_path: Path) -> None:
    """Word, PDF and mail for each member; a second run writes nothing; a deleted file is written again; a changed case all."""
    case, folder = case_file(tmp_path, {"team": SMALL}), tmp_path / "all"
    each = ("invitation", "--data", case, "--each", folder, *TODAY, "--json")
    assert json.loads(run(*each).stdout) == {"folder": str(folder), "written": 6, "failed": {}}
    first = letters_in(folder)
    assert list(first) == [f"invitation-2026-12-09-00{number}.{face}" for number in (1, 2) for face in ("docx", "eml", "pdf")]
    assert b"Invitaci" in (folder / "invitation-2026-12-09-001.eml").read_bytes()
    assert [entry["digest"] for entry in log_of(tmp_path)] == [first[f"invitation-2026-12-09-00{number}.{face}"] for number in (1, 2) for face in ("docx", "pdf", "eml")]

    assert json.loads(run(*each).stdout)["written"] == 0
    assert (letters_in(folder), len(log_of(tmp_path))) == (first, 6)

    (folder / "invitation-2026-12-09-002.pdf").unlink()
    assert json.loads(run(*each).stdout)["written"] == 1
    assert (list(letters_in(folder)), len(log_of(tmp_path))) == (list(first), 7)

    case_file(tmp_path, {"team": SMALL, "conference.place": "Another room"})
    assert json.loads(run(*each).stdout)["written"] == 6
    assert len(log_of(tmp_path)) == 13


def attached(mail: Path) -> dict[str, bytes]:
    """The files that go with a mail."""
    message = email.message_from_bytes(mail.read_bytes(), policy=email.policy.default)
    return {str(part.get_filename()): part.get_payload(decode=True) for part in message.walk() if part.get_filename()}  # type: ignore[misc]


def test_a_mail_carries_the_very_pdf_beside_it(run: Run, tmp_path: Path) -> None:
    """What is laid out once is the same file twice: beside the mail and in it."""
    run("invitation", "--data", case_file(tmp_path, {"team": SMALL}), "--each", "all", *TODAY)
    for number in (1, 2):
        file = tmp_path / "all" / f"invitation-2026-12-09-00{number}.pdf"
        assert attached(file.with_suffix(".eml"))["invitation-2026-12-09.pdf"] == file.read_bytes()


def test_another_day_writes_only_what_is_missing(run: Run, tmp_path: Path) -> None:
    """A run that goes on the next day keeps yesterday's letters, and what it adds has the day it is written on."""
    each = ("invitation", "--data", case_file(tmp_path, {"team": SMALL}), "--each", "all", "--json")
    run(*each, *TODAY)
    first = letters_in(tmp_path / "all")
    (tmp_path / "all" / "invitation-2026-12-09-002.pdf").unlink()
    assert json.loads(run(*each, "--today", "2026-12-09").stdout)["written"] == 1
    second = letters_in(tmp_path / "all")
    assert [name for name in first if first[name] != second[name]] == ["invitation-2026-12-09-002.pdf"]
    with pypdfium2.PdfDocument(tmp_path / "all" / "invitation-2026-12-09-002.pdf") as document:
        assert document[0].get_textpage().get_text_bounded().startswith("December 9, 2026")


def test_a_letter_that_is_there_may_still_be_told_of(run: Run, tmp_path: Path) -> None:
    """Where the consent has ended since, that is told for letters that are there too; they stay as they are."""
    each = ("invitation", "--data", case_file(tmp_path, {"team": SMALL}), "--each", "all", "--json")
    run(*each, *TODAY)
    first = letters_in(tmp_path / "all")
    done = run(*each, "--today", "2028-01-01")
    assert (done.returncode, list(json.loads(done.stdout)["failed"]), letters_in(tmp_path / "all")) == (2, ["2"], first)


def test_mending_one_member_leaves_the_others_letters(run: Run, tmp_path: Path) -> None:
    """A change of what other letters do not say, such as one member's consent or address, does not write those again."""
    consents = [{"kind": "share", "form": "written", "recipients": ["Classroom teacher"], "given_by": "Mara", "given_on": "2026-09-15"}]
    team: list[dict[str, Any]] = [*SMALL, {"name": "Rufus Tannerby", "role": "Nurse", "email": "r.tannerby@example.org"}]
    each = ("invitation", "--each", "all", *TODAY, "--json", "--data")
    assert json.loads(run(*each, case_file(tmp_path, {"team": team, "consents": consents})).stdout)["written"] == 6
    assert json.loads(run(*each, case_file(tmp_path, {"team": team})).stdout) == {"folder": "all", "written": 3, "failed": {}}
    team[1] = {**team[1], "address": ["310 Alder Street"]}
    assert json.loads(run(*each, case_file(tmp_path, {"team": team})).stdout)["written"] == 3


def test_a_changed_template_is_written_anew(run: Run, tmp_path: Path) -> None:
    """Where the agency changes its Word file, the letters made from the older one are written again."""
    source = Path(__file__).parent.parent / "form_templates" / "invitation"
    own = tmp_path / "templates" / "invitation"
    own.mkdir(parents=True)
    each = ("invitation", "--data", case_file(tmp_path, {"team": SMALL[1:]}), "--each", "all", *TODAY, "--json")
    more = {"FORMSVC_TEMPLATES": str(own.parent)}
    assert json.loads(run(*each, more=more).stdout)["written"] == 3
    (own / "letter.docx").write_bytes((source / "letter.es.docx").read_bytes())
    assert json.loads(run(*each, more=more).stdout)["written"] == 3


def test_a_damaged_list_of_what_is_done_writes_all_again(run: Run, tmp_path: Path) -> None:
    """The list kept beside the letters may be lost: everything is written anew, nothing is refused."""
    each = ("invitation", "--data", case_file(tmp_path, {"team": SMALL[1:]}), "--each", "all", *TODAY, "--json")
    run(*each)
    (tmp_path / "all" / ".letters.json").write_text("{", encoding="utf-8")
    assert json.loads(run(*each).stdout)["written"] == 3


@pytest.mark.parametrize("as_json", [True, False])
def test_one_bad_recipient_stops_nobody_else(run: Run, tmp_path: Path, as_json: bool) -> None:
    """Without consent for one, that one is reported by number and reason; the others are complete; exit 2."""
    consents = [{"kind": "share", "form": "written", "recipients": ["Classroom teacher"], "given_by": "Mara", "given_on": "2026-09-15"}]
    team = [*SMALL, {"name": "Rufus Tannerby", "role": "Nurse", "email": "r.tannerby@example.org"}]
    done = run("invitation", "--data", case_file(tmp_path, {"team": team[::-1], "consents": consents}), "--each", "all", *TODAY, *(("--json",) if as_json else ()))
    assert done.returncode == 2
    assert list(letters_in(tmp_path / "all")) == [f"invitation-2026-12-09-00{number}.{face}" for number in (2, 3) for face in ("docx", "eml", "pdf")]
    assert len(log_of(tmp_path)) == 6
    assert "Tannerby" not in done.stdout + done.stderr
    assert "R21" in (json.loads(done.stdout)["failed"]["1"] if as_json else done.stderr)
    assert "some-failed" in done.stderr


def test_file_names_carry_no_names(run: Run, tmp_path: Path) -> None:
    """Letters are told apart by number and date (R23)."""
    run("invitation", "--data", case_file(tmp_path, {"team": SMALL}), "--each", "all", *TODAY)
    names = " ".join(str(file) for file in (tmp_path / "all").rglob("*"))
    assert [part for part in ("Mara", "Fernwhistle", "Gideon", "N.F.", "example") if part in names.replace(str(tmp_path), "")] == []


@pytest.mark.parametrize("options", [(), ("--passphrase-out", "secret.txt"), ("--password-file", "password.txt")])
def test_summaries_are_not_sent_one_by_one(run: Run, password: Path, tmp_path: Path, options: tuple[str, ...]) -> None:
    """Nothing unprotected comes of asking for a summary per address, and nothing is left behind."""
    done = run("summary", "--data", case_file(tmp_path, {"team": SMALL}), "--each", "all", *options, *TODAY)
    assert done.returncode in {1, 2}
    assert (letters_in(tmp_path / "all"), log_of(tmp_path), (tmp_path / "secret.txt").exists()) == ({}, [], False)


def test_options_for_one_letter_do_not_go_with_each(run: Run, case: Path) -> None:
    """What --each would not heed is wrong usage: a password, one recipient."""
    for options in (("--to", "4"), ("--password-file", "password.txt"), ("--passphrase-out", "secret.txt")):
        assert run("invitation", "--data", case, "--each", "all", *options, *TODAY).returncode == 1


def test_pdf_of_the_command_is_the_letter(run: Run, case: Path, tmp_path: Path) -> None:
    """What is written is a whole PDF with initials in its title."""
    assert run("invitation", "--data", case, "--out", "i.pdf", *TODAY).returncode == 0
    with pikepdf.open(tmp_path / "i.pdf") as pdf:
        assert str(pdf.docinfo.Title) == "Invitation: case conference for N.F. on December 9, 2026"


# ---------------------------------------------------------------- kept cases


def test_a_case_is_kept_under_a_number_and_letters_are_written_from_it(run: Run, case: Path, tmp_path: Path) -> None:
    """The log names the case by its number; the list shows initials only."""
    kept = run("keep", "WC-17", "--data", case, command="case")
    assert (kept.returncode, "N.F." in kept.stdout) == (0, True), kept.stderr
    assert run("agenda", "--case", "WC-17", "--out", "a.docx", *TODAY).returncode == 0
    assert log_of(tmp_path)[0]["digest"] == digest(tmp_path / "a.docx")
    listed = run(command="case")
    assert listed.stdout.split()[:2] == ["WC-17", "N.F."]
    assert "Fernwhistle" not in listed.stdout
    assert run("show", "WC-17", "--out", "again.json", command="case").returncode == 0
    assert json.loads((tmp_path / "again.json").read_text(encoding="utf-8")) == json.loads(case.read_text(encoding="utf-8"))


@pytest.mark.parametrize(
    ("words", "command", "code", "told"),
    [
        (("agenda", "--case", "WC-18", "--out", "a.docx"), "letter", 2, "[case-unknown]"),
        (("agenda", "--out", "a.docx"), "letter", 1, "--case NUMBER"),
        (("keep", "Noah F.", "--data", "case.json"), "case", 2, "[case-number]"),
        (("show", "nobody", "--out", "x.json"), "case", 2, "[case-unknown]"),
    ],
)
def test_cases_that_cannot_be_had_are_told(run: Run, case: Path, words: tuple[str, ...], command: str, code: int, told: str) -> None:
    done = run(*words, command=command)
    assert (done.returncode, told in done.stderr) == (code, True), done.stderr


def test_a_case_that_is_kept_can_be_given_to_a_coordinator(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """`case keep --for` says whose case it is on the web; somebody who is no coordinator is refused before anything is kept."""
    for name, place in (("FORMSVC_DATA", "data"), ("FORMSVC_FILES_KEY_FILE", "keys")):
        monkeypatch.setenv(name, str(tmp_path / place))
    settings.cache_clear()
    office = open_office(settings())
    invite(office, "carla", roles=("coordinator",))
    invite(office, "ana", roles=("staff",))
    case = str(samples_folder() / "cases" / "conference.json")
    with pytest.raises(Refused) as refused:
        cli.main(["case", "keep", "A-1", "--data", case, "--for", "ana"], standalone_mode=False)
    assert refused.value.code == "no-coordinator"
    assert list_cases(office) == ()
    cli.main(["case", "keep", "A-1", "--data", case, "--for", "carla"], standalone_mode=False)
    with office.store.reading() as connection:
        person = find_person(connection, "carla")
        assert person is not None
        assert cases_of(connection, person.id) == ("A-1",)
    office.store.engine.dispose()
    settings.cache_clear()
