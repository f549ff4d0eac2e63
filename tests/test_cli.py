"""The command line as people and programs meet it: each command in a process of its own.

1. Exit 0 done, 1 wrong usage, 2 could not be done; refusals are one sentence, or one JSON object with --json.
2. What is issued from a file of values is read back as those values.
3. A failure leaves no half-written file and no traceback.
"""

import io
import json
import os
import re
import resource
import subprocess
import sys
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import click
import pikepdf
import pytest

from formsvc.catalog import shipped_folder
from formsvc.cli import cli
from formsvc.errors import WORDING, Refused
from formsvc.model.stamp import in_words
from formsvc.service import Service
from tests.commands import type_command
from tests.offices import KEYS
from tests.small_forms import BODY, DEFINITION, DOCUMENT, FORMS, KEY, installation, write_form

Done = subprocess.CompletedProcess[str]
Run = Callable[..., Done]

VALUES = {
    "site": "Cedar Hall", "month": "2026-11", "unit": "Class 3", "conference_date": "2026-11-10",
    "attendance": [{"role": "educator", "name": "Rosa Vega", "present": True}],
    "children": [{"child_name": "Ana Núñez", "no_discussion_points": True}, {"child_name": "Đorđe 李", "areas": ["health", "safety"], "discussion_points": "One.\nTwo."}],
}  # fmt: skip


@pytest.fixture(scope="module")
def cache(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Compiled blanks of these tests, shared by all test processes of a run."""
    base = tmp_path_factory.getbasetemp()
    return (base.parent if "PYTEST_XDIST_WORKER" in os.environ else base) / "command-line"


@pytest.fixture
def run(tmp_path: Path, cache: Path) -> Run:
    """Runs formsvc in an empty folder with a known key."""
    inherited = {name: value for name, value in os.environ.items() if not name.startswith("FORMSVC_")}
    known = {"FORMSVC_CACHE": str(cache), "FORMSVC_KEY": KEY.hex(), "FORMSVC_FILES_KEY": KEYS, "FORMSVC_DATA": str(tmp_path / "data"), "PYTHONPATH": str(Path(__file__).parent.parent)}

    def runs(*arguments: object, more: dict[str, str] | None = None, **options: Any) -> Done:
        return type_command(*map(str, arguments), folder=tmp_path, environment={**inherited, **known, **(more or {})}, **options)

    return runs


@pytest.fixture(scope="module")
def paper(cache: Path) -> bytes:
    """A worksheet with values, issued once."""
    service = Service(installation(cache.parent, None))
    return service.issue("worksheet", VALUES, document=DOCUMENT).content


def written(folder: Path, content: object, name: str = "values.json") -> Path:
    """A file with this content: bytes and text as they are, everything else as JSON."""
    file = folder / name
    file.write_bytes(content if isinstance(content, bytes) else (content if isinstance(content, str) else json.dumps(content)).encode())
    return file


def files(folder: Path) -> set[str]:
    """The names of all files in a folder, hidden ones too."""
    return {file.name for file in folder.iterdir()}


# ---------------------------------------------------------------- done


def test_values_come_back_as_they_were_issued(run: Run, tmp_path: Path) -> None:
    """The values of a file, issued and read, are the values of the contract, in its one JSON object."""
    values = written(tmp_path, VALUES)
    issued = run("issue", "worksheet", "--data", values, "--out", "deep/er/paper.pdf", "--json")
    assert (issued.returncode, issued.stderr) == (0, "")
    said = json.loads(issued.stdout)
    assert said == {"document": said["document"], "file": "deep/er/paper.pdf", "problems": []}
    read = run("read", "deep/er/paper.pdf", "--json")
    assert (read.returncode, read.stderr) == (0, "")
    found = json.loads(read.stdout)
    assert list(found) == ["document", "form", "version", "source", "values", "answers", "problems"]
    assert (found["document"], found["form"], found["version"], found["source"]) == (said["document"], "worksheet", 1, "acroform")
    assert found["values"] == VALUES
    answer = found["answers"]["children-0-no_discussion_points"]
    assert (answer["raw"], answer["confidence"], answer["page"], len(answer["box"])) == ("on", 1.0, 1, 4)
    assert all(list(answer) == ["raw", "confidence", "page", "box"] and answer["raw"] for answer in found["answers"].values())
    assert {(problem["code"], problem["severity"]) for problem in found["problems"]} == {("mandated-role-missing", "warning")}
    assert all(list(problem) == ["code", "field", "severity", "message"] for problem in found["problems"])


def test_the_example_of_the_contract_is_issued(run: Run, tmp_path: Path) -> None:
    """The smallest file of values that the contract shows is enough; what is missing is told as data, with exit 0."""
    values = written(tmp_path, {"site": "Cedar Hall", "children": [{"child_name": "Ana", "no_discussion_points": True}]})
    assert run("issue", "worksheet", "--data", values, "--out", "x.pdf").returncode == 0
    read = run("read", "x.pdf", "--json")
    assert read.returncode == 0
    assert "missing-answer" in {problem["code"] for problem in json.loads(read.stdout)["problems"]}


def test_without_a_name_the_paper_is_called_by_its_document(run: Run, tmp_path: Path) -> None:
    """A paper that is given no name is FORM-DOCUMENT.pdf in the folder, and standard input serves as the file of values."""
    done = run("issue", "fcch", "--data", "-", "--document", in_words(DOCUMENT).lower(), given=json.dumps({"agency": "Willow Creek"}))
    assert (done.returncode, done.stderr) == (0, "")
    assert files(tmp_path) == {f"fcch-{DOCUMENT}.pdf"}
    assert "K7QF2-M9XDA" in done.stdout


@pytest.mark.parametrize("lang", ["en", "es"])
def test_a_blank_form_has_the_rows_asked_for(run: Run, tmp_path: Path, lang: str) -> None:
    """A form without data has its preset rows, and at least the rows asked for, in the language asked for."""
    assert run("issue", "worksheet", "--out", "x.pdf", "--lang", lang, "--rows", "children=3", "--rows", "attendance=5").returncode == 0
    with pikepdf.open(tmp_path / "x.pdf") as pdf:
        names = {str(field.T) for field in pdf.Root.AcroForm.Fields}
        assert str(pdf.Root.Lang) == lang
    assert {int(name.split("-")[1]) for name in names if name.startswith("children-")} == {0, 1, 2}
    assert {int(name.split("-")[1]) for name in names if name.startswith("attendance-")} == {0, 1, 2, 3, 4}
    values = json.loads(run("read", "x.pdf", "--json").stdout)["values"]
    assert values["attendance"] == [{"role": "educator"}, {"role": "fsw"}, {"role": "health"}]


def test_more_values_than_rows_make_more_rows(run: Run, tmp_path: Path, paper: bytes) -> None:
    """The rows asked for are the least; every row of the values has its place."""
    values = written(tmp_path, VALUES)
    assert run("issue", "worksheet", "--data", values, "--rows", "children=1", "--out", "x.pdf").returncode == 0
    assert len(json.loads(run("read", "x.pdf", "--json").stdout)["values"]["children"]) == 2


def test_another_document_than_expected_is_told(run: Run, tmp_path: Path, paper: bytes) -> None:
    """The expected document is read without a word; another one is a problem, not a refusal."""
    file = written(tmp_path, paper, "x.pdf")
    codes = [[problem["code"] for problem in json.loads(run("read", file, "--expect", document, "--json").stdout)["problems"]] for document in (DOCUMENT, "0000000000")]
    assert ["other-document" in found for found in codes] == [False, True]


def test_people_are_told_in_words(run: Run, tmp_path: Path, paper: bytes) -> None:
    """Without --json the record is listed for people, problems last with their codes."""
    read = run("read", written(tmp_path, paper, "x.pdf"))
    assert (read.returncode, read.stderr) == (0, "")
    for said in ("worksheet v1, document K7QF2-M9XDA-", "site: Cedar Hall", "children: 2 rows", "child_name Đorđe 李", "no_discussion_points ✓", "[mandated-role-missing]"):
        assert said in read.stdout


def test_forms_are_listed(run: Run) -> None:
    """The forms are listed for people as a table and for programs as JSON."""
    listed = json.loads(run("forms", "--json").stdout)
    assert [form["form"] for form in listed] == [form.id.name for form in FORMS]
    assert listed[-1] == {"form": "worksheet", "version": 1, "number": "CC-1", "revision": listed[-1]["revision"], "title": {"en": "Case Conferencing Worksheet", "es": "Hoja de trabajo de la reunión de caso"}, "groups": ["attendance", "reports", "children"]}
    table = run("forms")
    assert (table.returncode, all(form.id.name in table.stdout for form in FORMS)) == (0, True)


def test_an_agencys_form_is_issued(run: Run, tmp_path: Path) -> None:
    """A form of the agency's own folder is listed, issued and read like a shipped one."""
    write_form(tmp_path / "own")
    more = {"FORMSVC_TEMPLATES": str(tmp_path / "own")}
    assert "note" in [form["form"] for form in json.loads(run("forms", "--json", more=more).stdout)]
    assert run("issue", "note", "--data", "-", "--out", "x.pdf", more=more, given='{"site": "Here", "guests": [{"came": true}]}').returncode == 0
    assert json.loads(run("read", "x.pdf", "--json", more=more).stdout)["values"] == {"site": "Here", "guests": [{"came": True}]}


@pytest.mark.parametrize("password", ["secret", "contraseña"])
@pytest.mark.parametrize("content", ["{}\n", "{}\r\nanother line\n", "{}"])
def test_a_protected_paper_is_read_with_its_password(run: Run, tmp_path: Path, paper: bytes, password: str, content: str) -> None:
    """The first line of the password file opens a protected paper."""
    with pikepdf.open(io.BytesIO(paper)) as pdf:
        pdf.save(tmp_path / "x.pdf", encryption=pikepdf.Encryption(user=password, owner="owner"))
    word = written(tmp_path, content.format(password), "word.txt")
    assert json.loads(run("read", "x.pdf", "--password-file", word, "--json").stdout)["values"] == VALUES


def test_every_command_is_told_of_as_it_tells_of_itself() -> None:
    """The first help page knows the commands by a table, so that it need not load them."""
    context = click.Context(cli)
    own = [(name, "" if command.hidden else command.get_short_help_str(400)) for name in cli.list_commands(context) if (command := cli.get_command(context, name))]
    assert len(own) == len(cli.list_commands(context)) > 20
    told = click.HelpFormatter(width=500)
    cli.format_commands(context, told)
    lines = [re.split(r" {2,}", line.strip()) for line in told.getvalue().splitlines()[1:]]
    assert [(name, text) for name, text in own if text] == [(name, text) for name, text in lines]
    assert cli.get_command(context, "nothing") is None


def test_the_first_help_loads_no_command() -> None:
    done = subprocess.run([sys.executable, "-c", "import sys; from formsvc.cli import main; sys.argv = ['formsvc', '--help']; main(); print([name for name in sys.modules if name.startswith('formsvc.cli_') or name in ('pikepdf', 'sqlalchemy')])"], capture_output=True, text=True, check=True)
    assert done.stdout.splitlines()[-1] == "[]"


@pytest.mark.parametrize(("said", "arguments"), [("Usage: ", ["--help"]), ("Usage: ", ["issue", "-h"]), ("formsvc, version ", ["--version"])])
def test_help_is_no_failure(run: Run, said: str, arguments: list[str]) -> None:
    """Asking for help or the version ends with 0."""
    done = run(*arguments)
    assert (done.returncode, said in done.stdout, done.stderr) == (0, True, "")


# ---------------------------------------------------------------- wrong usage


@pytest.mark.parametrize("arguments", [
    ["issue"], ["read"], ["nonsense"], ["issue", "worksheet", "--bogus"], ["issue", "worksheet", "--lang", "fr"], ["issue", "worksheet", "--rows", "children"], ["issue", "worksheet", "--rows", "children=many"],
    ["issue", "worksheet", "--rows", "=3"], ["issue", "worksheet", "--document", "nobody"], ["read", "x.pdf", "--expect", "K7QF2-M9XDA-0"], ["issue", "worksheet", "--out", "."], ["forms", "extra"],
])  # fmt: skip
def test_wrong_usage_ends_with_1(run: Run, tmp_path: Path, arguments: list[str]) -> None:
    """A command that cannot be meant ends with 1 and says how it is used; nothing is written."""
    done = run(*arguments)
    assert (done.returncode, done.stdout) == (1, "")
    assert "Usage: " in done.stderr
    assert "Traceback" not in done.stderr
    assert files(tmp_path) == set()


# ---------------------------------------------------------------- could not be done


def refused(done: Done) -> tuple[str, str]:
    """The code and message of a refusal, which is all that was said."""
    assert (done.returncode, done.stdout) == (2, "")
    (line,) = done.stderr.splitlines()
    said: dict[str, str] = json.loads(line)
    assert list(said) == ["code", "message"]
    assert said["code"] in WORDING
    return said["code"], said["message"]


@pytest.mark.parametrize(("code", "message", "data"), [
    ("values-unreadable", r"values\.json: The file cannot be read as JSON: Expecting .* line 2 column 1", '{"site":\n}'), ("values-unreadable", "JSON", b"\xff\xfe\xfa"), ("values-unreadable", "JSON", ""),
    ("values-unreadable", "JSON", "[" * 100_000), ("values-unreadable", "JSON", '{"site": ' + "9" * 5_000 + "}"), ("values-not-an-object", "does not hold a JSON object", "[]"), ("values-not-an-object", "object", "null"),
    ("values-invalid", r"^sight: The form does not ask for “sight”", {"sight": "x"}), ("values-invalid", r"^children-0-age: A text is expected here", {"children": [{"age": 3}]}),
    ("values-invalid", r"^month: “soon” cannot be read as month\. Write it like November 2026; site: A text is expected", {"month": "soon", "site": 3}), ("values-invalid", "cannot be printed", '{"site": "\\ud800"}'),
    ("values-invalid", r"^children: 41 rows are too many; the form takes 40", {"children": [{"child_name": "x"}] * 41}),
])  # fmt: skip
def test_values_that_cannot_be_used_are_refused(run: Run, tmp_path: Path, code: str, message: str, data: object) -> None:
    """A file of values that is no JSON, or does not fit the form, is refused with its place, and no paper is made."""
    found = refused(run("issue", "worksheet", "--data", written(tmp_path, data).name, "--out", "x.pdf", "--json"))
    assert found[0] == code
    assert re.search(message, found[1])
    assert files(tmp_path) == {"values.json"}


@pytest.mark.parametrize(("code", "arguments"), [
    ("unknown-form", ["issue", "worksheets"]), ("file-missing", ["issue", "worksheet", "--data", "missing.json"]), ("file-unreadable", ["issue", "worksheet", "--data", "."]),
    ("rows-option-invalid", ["issue", "worksheet", "--rows", "actions=3"]), ("too-many-rows", ["issue", "worksheet", "--rows", "children=41"]),
    ("file-missing", ["read", "missing.pdf"]), ("file-unreadable", ["read", "."]), ("file-missing", ["read", "x.pdf", "--password-file", "missing.txt"]),
])  # fmt: skip
def test_what_cannot_be_done_ends_with_2(run: Run, tmp_path: Path, code: str, arguments: list[str]) -> None:
    """What is asked for but cannot be done ends with 2: one JSON object with --json, else one sentence with the code."""
    found, message = refused(run(*arguments, "--json"))
    assert found == code
    plain = run(*arguments)
    assert (plain.returncode, plain.stdout, plain.stderr) == (2, "", f"{message} [{code}]\n")
    assert files(tmp_path) == set()


def _pdf(**options: Any) -> bytes:
    pdf = pikepdf.new()
    pdf.add_blank_page()
    out = io.BytesIO()
    pdf.save(out, **options)
    return out.getvalue()


@pytest.mark.parametrize(("code", "content"), [
    ("file-empty", b""), ("file-empty", b"\0" * 10_000), ("not-a-pdf", b"hello"), ("not-a-pdf", b"PK\x03\x04rest"), ("not-a-pdf", b"<html><body>%PDF"), ("not-a-pdf", os.urandom(5_000).replace(b"%PDF-", b"")),
    ("picture-damaged", b"\x89PNG\r\n\x1a\n" + b"0" * 50), ("picture-damaged", b"\xff\xd8\xff\xe0" + b"0" * 50), ("damaged", b"%PDF-1.7\n"), ("damaged", b"%PDF-1.7\n" + b"\xff" * 5_000), ("picture-blank", _pdf()),
    ("password-needed", _pdf(encryption=pikepdf.Encryption(user="secret", owner="owner"))),
])  # fmt: skip
def test_garbage_is_answered(run: Run, tmp_path: Path, code: str, content: bytes) -> None:
    """Whatever a file is, the answer is one refusal that names the file, and never a traceback."""
    file = written(tmp_path, content, "x.pdf")
    found, message = refused(run("read", file, "--json"))
    assert (found, message.startswith(f"{file}: ")) == (code, True)


def test_a_wrong_password_is_told(run: Run, tmp_path: Path) -> None:
    """A password that does not open the paper is refused, and not said aloud."""
    file = written(tmp_path, _pdf(encryption=pikepdf.Encryption(user="secret", owner="owner")), "x.pdf")
    found, message = refused(run("read", file, "--password-file", written(tmp_path, "guessed\n", "word.txt"), "--json"))
    assert (found, "guessed" in message) == ("password-wrong", False)


def test_a_damaged_paper_is_read_or_refused(paper: bytes, tmp_path: Path) -> None:
    """A paper cut off or changed at any point is read or refused, and never brings the program down."""
    service = Service(installation(tmp_path))
    cut = [paper[: len(paper) * part // 24] for part in range(1, 24)]
    changed = [bytes(byte ^ 0x20 if at % 997 == shift else byte for at, byte in enumerate(paper)) for shift in range(12)]
    answers = []
    for content in [*cut, *changed]:
        try:
            answers.append(service.read(content).record.form.name)
        except Refused as problem:
            answers.append(problem.code)
    assert set(answers) <= {"worksheet", "damaged", "not-a-pdf", "not-a-form", "foreign-form", "flattened-print", "no-pages", "no-answers", "scan", "too-costly", "picture-blank", "picture-damaged", "picture-small"}
    assert "damaged" in answers


def test_a_paper_cut_off_in_its_answers_is_refused(paper: bytes, tmp_path: Path) -> None:
    """A paper of which only the blank arrived whole is refused as cut off, and never read as an empty form."""
    service = Service(installation(tmp_path))
    blank, whole = paper.index(b"%%EOF") + 6, paper.rindex(b"%%EOF")
    for end in [*range(blank + 60, whole - 1, 500), whole - 1]:
        with pytest.raises(Refused) as caught:
            service.read(paper[:end])
        assert (end, caught.value.code) == (end, "damaged")
    for end in range(whole, len(paper) + 1):
        assert service.read(paper[:end]).record.values == VALUES


@pytest.mark.parametrize(("code", "more"), [
    ("setting-invalid", {"FORMSVC_KEY": "nonsense"}), ("setting-invalid", {"FORMSVC_KEY": "00ff"}), ("setting-invalid", {"FORMSVC_MOST_MEGABYTES": "many"}), ("setting-invalid", {"FORMSVC_TEMPLATES": "/nowhere"}),
    ("file-too-large", {"FORMSVC_MOST_MEGABYTES": "1"}),
])  # fmt: skip
def test_settings_that_cannot_be_used_are_refused(run: Run, tmp_path: Path, code: str, more: dict[str, str]) -> None:
    """A setting that cannot be used is named; a file beyond the largest size is not opened."""
    file = written(tmp_path, b"%PDF-" + b"0" * 2_000_000, "x.pdf")
    found, message = refused(run("read", file, "--json", more=more))
    assert found == code
    assert (next(iter(more)) if code == "setting-invalid" else "2 MB; the most is 1 MB") in message


# ---------------------------------------------------------------- nothing half-written


@pytest.mark.parametrize("out", ["file/below.pdf", "/proc/paper.pdf", "x" * 300 + ".pdf"])
def test_a_place_that_cannot_be_written_is_refused(run: Run, tmp_path: Path, out: str) -> None:
    """Where nothing can be written, the refusal names the file, and nothing is left behind."""
    (tmp_path / "file").write_bytes(b"kept")
    found, message = refused(run("issue", "fcch", "--out", out, "--json"))
    assert (found, message.startswith(out)) == ("file-unwritable", True)
    assert files(tmp_path) == {"file"}
    assert (tmp_path / "file").read_bytes() == b"kept"


def test_a_disk_that_fills_up_leaves_the_old_file(run: Run, tmp_path: Path) -> None:
    """When the disk refuses in the middle, the file that was there stays as it was, and no draft remains."""
    assert run("issue", "fcch", "--out", "x.pdf").returncode == 0
    before = (tmp_path / "x.pdf").read_bytes()
    full = partial(resource.setrlimit, resource.RLIMIT_FSIZE, (10_000, resource.RLIM_INFINITY))
    found, _ = refused(run("issue", "fcch", "--out", "x.pdf", "--json", first=full))
    assert found == "file-unwritable"
    assert files(tmp_path) == {"x.pdf"}
    assert (tmp_path / "x.pdf").read_bytes() == before


def test_refused_values_leave_the_old_file(run: Run, tmp_path: Path) -> None:
    """A paper that cannot be made does not touch the file of that name."""
    (tmp_path / "x.pdf").write_bytes(b"old")
    refused(run("issue", "fcch", "--data", written(tmp_path, {"bogus": 1}), "--out", "x.pdf", "--json"))
    assert (tmp_path / "x.pdf").read_bytes() == b"old"
    assert files(tmp_path) == {"x.pdf", "values.json"}


def test_a_new_paper_takes_the_place_of_the_old(run: Run, tmp_path: Path) -> None:
    """A paper written over another is whole and readable by whom the system lets read new files."""
    (tmp_path / "x.pdf").write_bytes(b"old")
    (tmp_path / "new").write_bytes(b"")
    assert run("issue", "fcch", "--out", "x.pdf").returncode == 0
    assert (tmp_path / "x.pdf").read_bytes().startswith(b"%PDF-")
    assert (tmp_path / "x.pdf").stat().st_mode == (tmp_path / "new").stat().st_mode


def test_a_reader_that_stops_early_is_no_failure(run: Run, tmp_path: Path, paper: bytes) -> None:
    """Output cut off by `head` gives no traceback."""
    written(tmp_path, paper, "x.pdf")
    environment = {**os.environ, "PYTHONPATH": str(Path(__file__).parent.parent), "FORMSVC_KEY": KEY.hex(), "FORMSVC_FILES_KEY": KEYS, "FORMSVC_CACHE": str(tmp_path / "cache")}
    done = subprocess.run(f"{sys.executable} -m formsvc read x.pdf --json | head -c 1", shell=True, cwd=tmp_path, env=environment, capture_output=True, text=True, check=False)  # noqa: S602
    assert (done.stdout, "Traceback" in done.stderr) == ("{", False)


# ---------------------------------------------------------------- check


def test_a_good_form_folder_is_checked(run: Run, tmp_path: Path) -> None:
    """A folder that holds a good form is told to fit, in both languages and by form or by version."""
    version = write_form(tmp_path / "own")
    for folder in (version, version.parent):
        done = run("check", folder)
        assert (done.returncode, done.stderr) == (0, "")
        for lang in ("en", "es"):
            assert f"note v1 {lang}: fits; smallest 4 fields on 1 pages, blank 8 fields on 1 pages" in done.stdout
        assert re.search(r"fonts: \d+ of \d+ scripts can be drawn", done.stdout)


@pytest.mark.parametrize(("code", "said", "change"), [
    ("definition-syntax", "line 2", {"definition": "\ncode = \n"}), ("definition-invalid", "“words” is no kind", {"definition": DEFINITION.replace('"text"', '"words"', 1)}),
    ("definition-invalid", "“R99” is no rule", {"definition": 'rules = ["R99"]\n' + DEFINITION}), ("definition-invalid", "form “worksheet” already", {"definition": DEFINITION.replace('"7"', '"W"')}),
    ("values-invalid", "guests-0-age", {"definition": DEFINITION.replace("blank = 2", "blank = 2\npresets = [{ age = 3 }]")}),
    ("template-syntax", "page.html, line", {"body": "{% if %}"}), ("template-failed", "page.html, line", {"body": "{{ nobody }}"}), ("template-missing-field", "note", {"body": BODY.replace('{{ ask("note") }}', "")}),
])  # fmt: skip
def test_a_broken_form_folder_is_refused(run: Run, tmp_path: Path, code: str, said: str, change: dict[str, str]) -> None:
    """A folder that holds a broken form is refused with the place of the fault."""
    done = run("check", write_form(tmp_path / "own", **change))  # type: ignore[arg-type]
    assert done.returncode == 2
    assert said in done.stderr
    assert done.stderr.endswith(f"[{code}]\n")
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize("what", ["nowhere", "."])
def test_a_folder_without_a_form_is_refused(run: Run, what: str) -> None:
    """A folder that holds no form is refused with the file that is missing."""
    done = run("check", what)
    assert (done.returncode, done.stdout) == (2, "")
    assert "form.toml: The file is not there." in done.stderr


def test_every_shipped_form_passes_its_own_check(run: Run) -> None:
    """The shipped form that is nearest to the agencies' own passes the check that theirs must pass."""
    assert run("check", shipped_folder() / "fcch").returncode == 0
