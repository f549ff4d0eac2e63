"""Compiling a form: page and definition fit each other, pages can do no harm, blanks are kept.

1. A template that is broken, or does not fit its definition, is refused with file, line and names.
2. A page reads files of its own folder only, never the network, never Python's insides.
3. A compiled blank is kept: read again byte for byte, made anew when damaged, whole for every process.
"""

import io
import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pikepdf
import pytest

from formsvc.errors import Refused
from formsvc.model.form import FormId
from formsvc.model.layout import CompiledForm, dump_layout, load_layout
from formsvc.renderers import compile as compiling
from formsvc.renderers.compile import checked_counts, compile_form
from tests.small_forms import BODY, BY_NAME, agency, write_form

NOTE = FormId(name="note", version=1)
ROOT = Path(__file__).parent.parent


def compiled(templates: Path, rows: int = 2, *, anew: bool = True) -> CompiledForm:
    """The small form of an agency's folder, compiled as a new process would."""
    if anew:
        compiling._compiled.cache_clear()
    return compile_form(agency(templates), NOTE, {"guests": rows}, "en", templates / "cache")


def refusal(templates: Path, body: str, **files: str) -> Refused:
    """How a page is refused."""
    write_form(templates, body=body, files=files)
    with pytest.raises(Refused) as caught:
        compiled(templates)
    return caught.value


# ---------------------------------------------------------------- fits


def test_a_page_has_a_place_for_every_answer(tmp_path: Path) -> None:
    """The layout has a slot for each place of the form and each stamp of each page, inside its page."""
    write_form(tmp_path)
    found = compiled(tmp_path)
    assert {slot.name for slot in found.layout.slots} == {"site", "note", "guests-0-name", "guests-0-came", "guests-1-name", "guests-1-came", "stamp-a-1", "stamp-b-1"}
    for slot in found.layout.slots:
        page = found.layout.pages[slot.page - 1]
        left, bottom, right, top = slot.box
        assert 0 <= left < right <= page.width, slot.name
        assert 0 <= bottom < top <= page.height, slot.name


def test_a_layout_survives_json(tmp_path: Path) -> None:
    """A layout written as JSON is the same layout when it is read."""
    write_form(tmp_path)
    found = compiled(tmp_path)
    assert load_layout(found.form, json.loads(json.dumps(dump_layout(found.layout)))) == found.layout


@pytest.mark.parametrize(("expected", "asked"), [({"attendance": 4, "reports": 4, "children": 20}, {}), ({"attendance": 4, "reports": 4, "children": 1}, {"children": 0, "reports": 0, "attendance": 1}), ({"attendance": 16, "reports": 8, "children": 40}, {"children": 40, "reports": 8, "attendance": 16})])
def test_rows_keep_their_limits(expected: dict[str, int], asked: dict[str, int]) -> None:
    """A group has at least its minimum of rows, its blank rows if none are asked for, and never more than its maximum."""
    assert expected == checked_counts(BY_NAME["worksheet"], asked)


def test_more_rows_than_the_form_takes_are_refused() -> None:
    """Rows beyond the maximum are refused with the group and both numbers."""
    with pytest.raises(Refused, match=r"^children: 41 rows are too many; the form takes 40\.") as caught:
        checked_counts(BY_NAME["worksheet"], {"children": 41})
    assert caught.value.code == "too-many-rows"


@pytest.mark.parametrize(("code", "names", "body"), [
    ("template-missing-field", "note", BODY.replace('{{ ask("note") }}', "")),
    ("template-missing-field", "guests-0-came, guests-1-came", BODY.replace('{{ row.ask("came") }}', "")),
    ("template-unknown-field", "extra", BODY + '<input name="extra">'),
    ("template-unknown-field", "guests-2-name", BODY + '<input name="guests-2-name">'),
    ("template-repeated-field", "site", BODY + '{{ ask("site") }}'),
    ("template-cramped-field", "site", BODY + "<style>#site { height: 7pt }</style>"),
])  # fmt: skip
def test_a_page_that_does_not_fit_its_definition_is_refused(tmp_path: Path, code: str, names: str, body: str) -> None:
    """Fields that are missing, unknown, repeated or too small are named, with the page's file."""
    refused = refusal(tmp_path, body)
    assert (refused.code, refused.place) == (code, str(tmp_path / "note/v1/page.html"))
    assert f": {names}" in refused.message


def test_a_page_without_stamps_is_refused(tmp_path: Path) -> None:
    """A page that has no place for a stamp could not be told from another: its name is among the missing."""
    folder = write_form(tmp_path)
    page = folder / "page.html"
    page.write_text(page.read_text(encoding="utf-8").replace('{{ stamp("stamp-b") }}', ""), encoding="utf-8")
    with pytest.raises(Refused, match="has no place for: stamp-b") as caught:
        compiled(tmp_path)
    assert caught.value.code == "template-missing-field"


# ---------------------------------------------------------------- broken templates


@pytest.mark.parametrize(("detail", "body"), [("unexpected '}'", "one\n{{ ask('site' }}"), ("Unexpected end of template", "one\n{% if lang %}"), ("unknown tag", "one\n{% nonsense %}"), ("No filter named", "one\n{{ title | shout }}")])
def test_a_syntax_error_names_file_and_line(tmp_path: Path, detail: str, body: str) -> None:
    """A template that cannot be read is refused with its file, its line and what is wrong there."""
    write_form(tmp_path, body=body)
    page = tmp_path / "note/v1/page.html"
    line = page.read_text(encoding="utf-8")[: page.read_text(encoding="utf-8").index(body.partition("\n")[2])].count("\n") + 1
    with pytest.raises(Refused) as caught:
        compiled(tmp_path)
    last = page.read_text(encoding="utf-8").count("\n") + 1
    assert (caught.value.code, caught.value.place in [f"{page}, line {at}" for at in range(line, last + 1)]) == ("template-syntax", True)
    assert detail.lower() in caught.value.message.lower()


@pytest.mark.parametrize(("detail", "body"), [
    ("'nobody' is undefined", "{{ nobody }}"), ("'nobody' is undefined", "{{ nobody.name }}"), ("The form does not ask for “bogus”", '{{ ask("bogus") }}'),
    ("The form has no group “bogus”", '{% for row in rows("bogus") %}{% endfor %}'), ("group “guests” does not ask for “age”", '{{ label("guests", "age") }}'),
    ("group “guests” does not ask for “age”", '{% for row in rows("guests") %}{{ row.ask("age") }}{% endfor %}'), ("has no attribute 'intro'", "{{ t.intro }}"),
    ("bogus.html", '{% include "bogus.html" %}'), ("division by zero", "{{ 1 / 0 }}"), ("", "{{ ask() }}"), ("", "{{ 1 + 'a' }}"), ("", "{{ [].pop() }}"),
])  # fmt: skip
def test_a_template_that_stops_names_file_and_line(tmp_path: Path, detail: str, body: str) -> None:
    """An undefined name, an unknown question or any other stop is refused with the file and the line."""
    refused = refusal(tmp_path, f"one\n{body}")
    page = (tmp_path / "note/v1/page.html").read_text(encoding="utf-8")
    line = page[: page.index(body)].count("\n") + 1
    assert (refused.code, refused.place) == ("template-failed", f"{tmp_path / 'note/v1/page.html'}, line {line}")
    assert detail.lower() in refused.message.lower()


def test_an_error_in_an_included_file_names_that_file(tmp_path: Path) -> None:
    """A broken file that a page includes is named itself."""
    refused = refusal(tmp_path, '{% include "part.html" %}', **{"part.html": "fine\n{{ broken"})
    assert refused.place == f"{tmp_path / 'note/v1/part.html'}, line 2"


def test_answers_of_a_profile_are_escaped(tmp_path: Path) -> None:
    """Words of an agency that look like HTML are printed as they are, not obeyed."""
    write_form(tmp_path, body=BODY + "<p>{{ agency }}</p>")
    (tmp_path / "profile.toml").write_text('agency = { en = "A <input name=x> & B", es = "x" }\n', encoding="utf-8")
    assert len(compiled(tmp_path).layout.slots) == 8


# ---------------------------------------------------------------- can do no harm


@pytest.mark.parametrize("inside", [
    "{{ ''.__class__ }}", "{{ form.__class__.__mro__ }}", "{{ ask.__globals__ }}", "{{ ask.__self__.form }}" + "{{ ask.__func__ }}", "{{ rows.__self__.__class__ }}",
    "{{ ''['__class__'] }}", "{{ ''|attr('__class__') }}", "{{ cycler.__init__.__globals__ }}", "{{ self.__init__ }}", "{{ '{0.__class__}'.format(form) }}",
    "{{ t.update({}) }}", "{% set _ = t.clear() %}", "{{ lipsum.__globals__ }}",
])  # fmt: skip
def test_a_template_cannot_reach_python(tmp_path: Path, inside: str) -> None:
    """Python's insides cannot be reached, and what is handed to a page cannot be changed."""
    assert refusal(tmp_path, BODY + inside).code == "template-failed"


@pytest.mark.parametrize("source", [
    '<img src="file:///etc/passwd" alt="">', '<img src="../../outside.png" alt="">', '<img src="../v1/../../outside.png" alt="">', '<img src="%2e%2e/%2e%2e/outside.png" alt="">',
    '<img src="http://127.0.0.1:9/x.png" alt="">', '<img src="https://example.org/x.png" alt="">', '<img src="ftp://example.org/x.png" alt="">', '<img src="//example.org/x.png" alt="">',
    '<link rel="stylesheet" href="file:///etc/passwd">', '<style>@import url("http://127.0.0.1:9/x.css");</style>', '<style>body { background: url("file:///etc/hostname") }</style>',
    '<style>@font-face { font-family: x; src: url("file:///usr/share/fonts/x.ttf") } p { font-family: x }</style><p>x</p>', '<link rel="attachment" href="file:///etc/passwd">',
    '<object data="file:///etc/passwd"></object>', '<img src="link.png" alt="">',
])  # fmt: skip
def test_a_page_uses_files_of_its_own_folder_only(tmp_path: Path, source: str) -> None:
    """Files elsewhere, through links or dots too, and the network are refused and never end in a document."""
    (tmp_path / "outside.png").write_bytes(PIXEL)
    folder = write_form(tmp_path, body=BODY + source)
    (folder / "link.png").symlink_to(tmp_path / "outside.png")
    with pytest.raises(Refused) as caught:
        compiled(tmp_path)
    assert (caught.value.code, caught.value.place) == ("template-failed", str(folder / "page.html"))
    assert "a page may only use files of its own folder" in caught.value.message


@pytest.mark.parametrize("source", ['<img src="missing.png" alt="">', '<link rel="stylesheet" href="missing.css">'])
def test_a_file_that_is_not_there_is_told(tmp_path: Path, source: str) -> None:
    """A picture or style sheet that cannot be read is never left out silently."""
    assert "missing." in refusal(tmp_path, BODY + source).message


PIXEL = bytes.fromhex("89504e470d0a1a0a0000000d4948445200000001000000010802000000907753de0000000c49444154789c63606060000000040001f61738550000000049454e44ae426082")


@pytest.mark.parametrize("source", ['<img src="logo.png" alt="logo">', '<img src="data:image/png;base64,iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAIAAACQd1PeAAAADElEQVR4nGNgYGAAAAAEAAH2FzhVAAAAAElFTkSuQmCC" alt="logo">'])
def test_a_page_may_use_a_picture_beside_it(tmp_path: Path, source: str) -> None:
    """A logo in the form's folder, or inside the page itself, is drawn."""
    folder = write_form(tmp_path, body=BODY + source)
    (folder / "logo.png").write_bytes(PIXEL)
    blank = compiled(tmp_path).blank
    with pikepdf.open(io.BytesIO(blank)) as pdf:
        assert len(pdf.pages[0].get_images()) == 1


# ---------------------------------------------------------------- kept


def entry(templates: Path) -> Path:
    """The one entry of the cache."""
    (found,) = (templates / "cache" / "blanks").iterdir()
    return found


def test_a_second_compile_reads_the_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A form compiled before is read from the cache, without any layout, and is equal byte for byte."""
    write_form(tmp_path)
    first = compiled(tmp_path)
    monkeypatch.setattr(compiling, "paginate", _never)
    second = compiled(tmp_path)
    assert (first.blank, first.layout, first.digest, first.furniture) == (second.blank, second.layout, second.digest, second.furniture)
    assert first is not second
    assert compiled(tmp_path, anew=False) is second


def _never(*_: object, **__: object) -> bytes:
    raise AssertionError("the page was laid out again")


def test_equal_sources_give_equal_bytes(tmp_path: Path) -> None:
    """Compiling is repeatable: a process with other hashes, at another second, makes the same blank without a cache."""
    digests = set()
    for seed in ("1", "2"):
        write_form(tmp_path / seed)
        script = COMPILE.format(root=str(ROOT), templates=str(tmp_path / seed))
        digests.add(subprocess.run([sys.executable, "-c", script], env={**os.environ, "PYTHONHASHSEED": seed}, capture_output=True, text=True, check=True).stdout)
    assert len(digests) == 1


@pytest.mark.parametrize("change", [
    lambda folder: (folder / "page.html").write_text((folder / "page.html").read_text() + "<!-- -->"),
    lambda folder: (folder / "form.toml").write_text((folder / "form.toml").read_text().replace("Centro", "Sede")),
    lambda folder: (folder / "logo.png").write_bytes(PIXEL),
    lambda folder: (folder.parent.parent / "profile.toml").write_text('paper = "a4"\n'),
])  # fmt: skip
def test_any_change_of_a_source_makes_a_new_blank(tmp_path: Path, change: Callable[[Path], object]) -> None:
    """A changed page, definition, picture or profile is never answered with an old blank."""
    folder = write_form(tmp_path)
    before = compiled(tmp_path)
    change(folder)
    assert compiled(tmp_path).digest != before.digest


def test_rows_and_language_make_blanks_of_their_own(tmp_path: Path) -> None:
    """Each number of rows and each language has its own blank."""
    write_form(tmp_path)
    catalog = agency(tmp_path)
    digests = {compile_form(catalog, NOTE, {"guests": rows}, lang, tmp_path / "cache").digest for rows in (1, 2) for lang in ("en", "es")}
    assert len(digests) == len(list((tmp_path / "cache" / "blanks").iterdir())) == 4


@pytest.mark.parametrize("damage", ["blank.pdf", "layout.json", "whole"])
@pytest.mark.parametrize("content", [None, b"", b"%PDF-1.7 cut off", b'{"pages": [], "slots": {}}'])
def test_a_damaged_entry_is_made_anew(tmp_path: Path, damage: str, content: bytes | None) -> None:
    """An entry with a file that is missing, empty, cut off or something else is made again, and then kept whole."""
    write_form(tmp_path)
    before = compiled(tmp_path)
    file = entry(tmp_path) / damage
    file.unlink()
    if content is not None:
        file.write_bytes(content)
    after = compiled(tmp_path)
    assert (before.blank, before.layout) == (after.blank, after.layout)
    assert (entry(tmp_path) / "blank.pdf").read_bytes() == before.blank


COMPILE = """
import sys
sys.path.insert(0, {root!r})
from pathlib import Path
from tests.test_compile import compiled
import hashlib
print(hashlib.sha256(compiled(Path({templates!r})).blank).hexdigest())
"""


def test_two_processes_at_once_leave_one_whole_entry(tmp_path: Path) -> None:
    """Processes that compile the same form at the same time get the same blank and leave one entry, no drafts."""
    write_form(tmp_path)
    script = COMPILE.format(root=str(ROOT), templates=str(tmp_path))
    running = [subprocess.Popen([sys.executable, "-c", script], stdout=subprocess.PIPE, text=True) for _ in range(3)]
    printed = {process.communicate(timeout=60)[0].strip() for process in running}
    assert [process.returncode for process in running] == [0, 0, 0]
    assert len(printed) == 1
    assert {file.name for file in entry(tmp_path).iterdir()} == {"blank.pdf", "layout.json", "whole"}
    assert (entry(tmp_path) / "blank.pdf").read_bytes() == compiled(tmp_path).blank


@pytest.mark.parametrize("kind", ["a file", "below a file", *(["not writable"] if os.geteuid() else [])])  # root writes everywhere
def test_without_a_cache_folder_it_still_compiles(tmp_path: Path, caplog: pytest.LogCaptureFixture, kind: str) -> None:
    """Where nothing can be kept, the form is compiled all the same, with a warning in the log."""
    write_form(tmp_path)
    cache = tmp_path / "cache"
    if kind == "not writable":
        cache.mkdir(mode=0o500)
    else:
        (tmp_path / "file").write_bytes(b"")
        cache = tmp_path / "file" / "below" if kind == "below a file" else tmp_path / "file"
    compiling._compiled.cache_clear()
    found = compile_form(agency(tmp_path), NOTE, {"guests": 1}, "en", cache)
    assert len(found.layout.slots) == 6
    assert "the cache folder is not writable" in caplog.text


def test_the_cache_may_be_deleted_at_any_time(tmp_path: Path) -> None:
    """A cache that was deleted is built up again."""
    write_form(tmp_path)
    before = compiled(tmp_path)
    for file in entry(tmp_path).iterdir():
        file.unlink()
    entry(tmp_path).rmdir()
    assert compiled(tmp_path).blank == before.blank
    assert entry(tmp_path).name == before.digest
