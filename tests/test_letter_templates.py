"""An agency edits letters in Word: what is wrong is named with its paragraph, what is hostile is refused.

1. Every shipped letter passes its check.
2. A wrong placeholder, a broken tag, and a client's name in an unprotected letter are faults with their paragraph.
3. A hostile template is refused within two seconds, and the process that asked stays as it was.
"""

import io
import re
import time
import zipfile
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any, Final

import docx
import pytest

from formsvc.casework.letters import LETTERS, LetterName
from formsvc.catalog import shipped_folder
from formsvc.check import check_letter
from formsvc.errors import Refused
from formsvc.model.kinds import LANGS
from tests.letter_cases import write
from tests.small_forms import agency, installation

SECONDS: Final = 2.0
MEGABYTE: Final = 1024 * 1024
GROWN: Final = 48 * MEGABYTE  # what the asking process may take for a while: a template's bytes, an answer
REFUSALS: Final = ("letter-fault", "letter-unreadable", "letter-too-costly")
SAFE: Final = "Case conference for {{ client.initials }}"


def word_file(*paragraphs: str, rows: tuple[str, ...] = (), head: str = "") -> bytes:
    """A Word file with these paragraphs, then a table with these rows."""
    document = docx.Document()
    for text in paragraphs:
        document.add_paragraph(text)
    if rows:
        table = document.add_table(rows=0, cols=1)
        for text in rows:
            table.add_row().cells[0].text = text
    if head:
        document.sections[0].header.paragraphs[0].text = head
    out = io.BytesIO()
    document.save(out)
    return out.getvalue()


def put(folder: Path, content: bytes, name: str = "invitation", file: str = "letter.docx") -> Path:
    """A letter's Word file in an agency's folder."""
    place = folder / name / file
    place.parent.mkdir(parents=True, exist_ok=True)
    place.write_bytes(content)
    return place


def faults(folder: Path, content: bytes, name: str = "invitation") -> list[str]:
    """What the check says of a template, a line for each fault."""
    file = put(folder, content, name)
    lines: list[str] = []
    with pytest.raises(Refused) as refused:
        lines.extend(check_letter(file, installation(folder, folder)))
    assert refused.value.code in {"letter-faults", "letter-unreadable"}
    return faults_again(file, folder) if refused.value.code == "letter-faults" else [refused.value.message]


def faults_again(file: Path, folder: Path) -> list[str]:
    """The lines before the refusal, without the file's path."""
    lines: list[str] = []
    with suppress(Refused):
        lines.extend(line.removeprefix(f"{file}, ") for line in check_letter(file, installation(folder, folder)))
    return lines


# ---------------------------------------------------------------- the check


@pytest.mark.parametrize("name", LETTERS)
@pytest.mark.parametrize("lang", LANGS)
def test_every_shipped_letter_passes(tmp_path: Path, name: str, lang: str) -> None:
    """Every placeholder of every shipped letter can be filled."""
    file = shipped_folder() / name / ("letter.docx" if lang == "en" else f"letter.{lang}.docx")
    assert list(check_letter(file, installation(tmp_path))) == [f"{file}: every placeholder can be filled"]


@pytest.mark.parametrize(
    ("name", "tag"),
    [("invitation", "client.name"), ("invitation", "client.birth_date"), ("invitation", "guardian"), ("invitation", "sections"), ("agenda", "client.name"), ("agenda", "steps_by_member")],
)
def test_the_clients_name_is_a_fault_outside_the_summary(tmp_path: Path, name: str, tag: str) -> None:
    """An unprotected letter does not know the family's names or the notes: asking for them is a fault with its paragraph (R23)."""
    (line,) = faults(tmp_path, word_file("Dear reader,", f"about {{{{ {tag} }}}}"), name)
    assert line.startswith(f"paragraph 3 (“about {{{{ {tag} }}}}”): ")
    assert list(check_letter(put(tmp_path, word_file("{{ client.name }}"), "summary"), installation(tmp_path)))


BROKEN: Final = {
    "unknown": "{{ client.nickname }}",
    "unknown below": "{{ conference.room.number }}",
    "unknown name": "{{ nobody }}",
    "unknown filter": "{{ client.initials|shout }}",
    "unknown test": "{% if client.initials is round %}x{% endif %}",
    "unknown tag": "{% blink %}",
    "set": "{% set a = 1 %}",
    "not closed": "{{ client.initials",
    "not opened": "client.initials }}",
    "tag not closed": "{% if client.initials",
    "half a brace": "{{ client.initials }",
    "empty": "{{ }}",
    "syntax": "{{ client. }}",
    "if without end": "{% if client.initials %}x",
    "for without end": "{%p for line in member.address %}",
    "end without start": "{% endif %}",
    "wrong end": "{% if client.initials %}x{% endfor %}",
    "else alone": "{% else %}",
    "python": "{{ client.__class__ }}",
}


@pytest.mark.parametrize("kind", BROKEN)
def test_each_kind_of_broken_tag_is_named_with_its_paragraph(tmp_path: Path, kind: str) -> None:
    """Every broken tag is a fault, and the paragraph is the one it stands in."""
    found = faults(tmp_path, word_file(SAFE, "between", BROKEN[kind], "after"))
    assert found
    assert all(line.startswith("paragraph 4 ") for line in found), found


def test_every_fault_is_named_at_once(tmp_path: Path) -> None:
    """A template with three faults names three paragraphs: the header is counted first, cells as paragraphs."""
    found = faults(tmp_path, word_file("{{ one }}", SAFE, rows=("{{ two }}",), head="{{ three }}"))
    assert [line.split(" (")[0] for line in found] == ["paragraph 1", "paragraph 2", "paragraph 4"]


def test_a_loop_variable_is_known_inside_its_loop_only(tmp_path: Path) -> None:
    """A placeholder after the end of its loop is a fault; inside it is right."""
    found = faults(tmp_path, word_file("{%p for line in member.address %}", "{{ line }}", "{%p endfor %}", "{{ line }}"))
    assert [line.split(" (")[0] for line in found] == ["paragraph 5"]


@pytest.mark.parametrize("tag", ["{{ client.initials | upper }}", "{%p if conference.reply_by %}", "{{ member.address|join(', ') }}", "{# a remark #}", "{{ 'a' if client.initials else 'b' }}"])
def test_what_can_be_filled_is_no_fault(tmp_path: Path, tag: str) -> None:
    """Filters, conditions and remarks that work pass the check."""
    more = ("{%p else %}", "{%p endif %}") if tag.startswith("{%p if") else ()
    assert len(list(check_letter(put(tmp_path, word_file(tag, *more)), installation(tmp_path, tmp_path)))) == 1


@pytest.mark.parametrize("content", [b"", b"PK\x03\x04 cut off", b"<html></html>", b"%PDF-1.7"], ids=["empty", "cut off", "web page", "PDF"])
def test_what_is_no_word_file_is_refused_by_the_check(tmp_path: Path, content: bytes) -> None:
    """A file that Word could not open is refused as such."""
    with pytest.raises(Refused) as refused:
        list(check_letter(put(tmp_path, content), installation(tmp_path, tmp_path)))
    assert refused.value.code in {"letter-unreadable", "file-empty"}


@pytest.mark.parametrize("tag", ["{{ client.nickname }}", "{{ nobody }}"])
@pytest.mark.parametrize("face", ["docx", "pdf", "eml"])
def test_a_letter_with_a_blank_is_not_written(tmp_path: Path, face: Any, tag: str) -> None:
    """A placeholder that cannot be filled is never a silent blank: the letter is refused, and the paragraph named."""
    put(tmp_path, word_file(SAFE, f"for {tag}"))
    with pytest.raises(Refused, match="paragraph 3") as refused:
        write("invitation", face, to=3, catalog=agency(tmp_path))
    assert refused.value.code == "letter-fault"


@pytest.mark.parametrize("protected", ["false", "true"])
def test_an_agency_cannot_let_a_summary_out(tmp_path: Path, protected: str) -> None:
    """An agency's own settings of a letter may reword it, but a summary stays protected (R31)."""
    settings = (shipped_folder() / "summary" / "letter.toml").read_text(encoding="utf-8")
    put(tmp_path, settings.replace("protected = true", f"protected = {protected}").encode(), "summary", "letter.toml")
    with pytest.raises(Refused) as refused:
        write("summary", "docx", password="", catalog=agency(tmp_path))
    assert refused.value.code in {"protection-needed", "definition-invalid"}


# ---------------------------------------------------------------- attacks


@pytest.fixture(scope="module", autouse=True)
def warm() -> None:
    """The libraries that lay out pages are loaded before seconds are counted."""
    write("invitation", "pdf", to=3)


def repacked(change: Callable[[str, bytes], bytes], *more: tuple[str, bytes]) -> bytes:
    """A harmless template with other parts."""
    out = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(word_file(SAFE))) as package, zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as changed:
        for name in package.namelist():
            changed.writestr(name, change(name, package.read(name)))
        for name, content in more:
            changed.writestr(name, content)
    return out.getvalue()


def _document(edit: Callable[[bytes], bytes]) -> bytes:
    return repacked(lambda name, content: edit(content) if name == "word/document.xml" else content)


def bomb(inside: bytes) -> bytes:
    """A Word file whose text is a hundred megabytes."""
    return _document(lambda content: content.replace(b"</w:t>", inside * (100 * MEGABYTE // len(inside)) + b"</w:t>", 1))


def entity(declared: bytes) -> bytes:
    """A Word file with an entity in its text."""
    return _document(lambda content: re.sub(rb"<w:document", b"<!DOCTYPE d [" + declared + b"]><w:document", content, count=1).replace(b"Case", b"&x;", 1))


LAUGHS: Final = b'<!ENTITY a "aaaaaaaaaa">' + b"".join(b'<!ENTITY %c "%s">' % (98 + n, (b"&%c;" % (97 + n)) * 10) for n in range(9)) + b'<!ENTITY x "&j;">'

TAGS: Final = {
    "class": "{{ ''.__class__.__mro__ }}",
    "list class": "{{ [].__class__ }}",
    "subclasses": "{{ ().__class__.__base__.__subclasses__() }}",
    "attr filter": "{{ ''|attr('__class__') }}",
    "item": "{{ client['__class__'] }}",
    "format attribute": "{{ '{0.__class__}'.format(client) }}",
    "format map": "{{ '{a.__class__}'.format_map({'a': 1}) }}",
    "function globals": "{{ range.__globals__ }}",
    "huge range": "{% for a in range(10**9) %}x{% endfor %}",
    "range": "{% for a in range(1000000000) %}x{% endfor %}",
    "nested": "{% for a in range(1000) %}{% for b in range(1000) %}{% for c in range(1000) %}{% for d in range(1000) %}x{% endfor %}{% endfor %}{% endfor %}{% endfor %}",
    "nested, silent": "{% for a in range(1000) %}{% for b in range(1000) %}{% for c in range(1000) %}{% for d in range(1000) %}{% endfor %}{% endfor %}{% endfor %}{% endfor %}",
    "nested, much output": "{% for a in range(1000) %}{% for b in range(500) %}much {% endfor %}{% endfor %}",
    "repetition": "{{ 'x' * 10**9 }}",
    "repetition of a list": "{{ [1] * 999999999 }}",
    "repetition of a number of x": "{{ 999999999 * 'x' }}",
    "power": "{{ 9**9**9 }}",
    "cycler": "{{ cycler.__init__.__globals__ }}",
    "joiner": "{{ joiner.__init__.__globals__ }}",
    "namespace": "{{ namespace.__init__ }}",
    "self": "{{ self.__init__.__globals__ }}",
    "include": "{% include '/etc/passwd' %}",
    "import": "{% import 'os' as o %}",
    "from": "{% from '/etc/passwd' import x %}",
    "extends": "{% extends '/etc/passwd' %}",
    "lipsum": "{{ lipsum }}",
    "percent": "{{ '%999999999d' % 1 }}",
    "percent star": "{{ '%*d' % (999999999, 1) }}",
    "format": "{{ '{:>999999999}'.format(1) }}",
    "ljust": "{{ 'x'.ljust(999999999) }}",
    "zfill": "{{ 'x'.zfill(999999999) }}",
    "replace": "{{ ('x'*9999).replace('x', 'y'*9999).replace('y', 'z'*9999) }}",
    "join": "{{ ('y'*9999).join('x'*9999) }}",
    "center": "{{ 'x'.center(400000000) }}",
    "macro": "{% macro m() %}{{ m() }}{% endmacro %}{{ m() }}",
    "deep": "{{ " + "(" * 3000 + "1" + ")" * 3000 + " }}",
    "many": "{{ client.nothing }}" * 3000,
    "number": "{{ " + "9" * 6000 + " }}",
}
FILES: Final[dict[str, Callable[[], bytes]]] = {
    "bomb of spaces": lambda: bomb(b" "),
    "bomb of paragraphs": lambda: bomb(b"</w:t></w:r></w:p><w:p><w:r><w:t>"),
    "bomb of tags": lambda: bomb(b"{{ client.initials }}"),
    "bomb beside": lambda: repacked(lambda _name, content: content, ("word/media/image1.png", b" " * (100 * MEGABYTE))),
    "bomb in the styles": lambda: repacked(lambda name, content: content.replace(b"<w:docDefaults>", b" " * (100 * MEGABYTE) + b"<w:docDefaults>") if name == "word/styles.xml" else content),
    "external entity": lambda: entity(b'<!ENTITY x SYSTEM "file:///etc/passwd">'),
    "billion laughs": lambda: entity(LAUGHS),
    "broken zip": lambda: word_file(SAFE)[:-400],
    "other zip": lambda: repacked(lambda name, content: b"" if name == "[Content_Types].xml" else content),
    "document missing": lambda: repacked(lambda _name, content: content.replace(b"word/document.xml", b"word/nothing.xml")),
    "broken XML": lambda: _document(lambda content: content[:-30]),
    "no body": lambda: _document(lambda content: re.sub(rb"<w:body>.*</w:body>", b"", content, flags=re.DOTALL)),
    "not a docx": lambda: b"%PDF-1.7 not a Word file",
    "empty": lambda: b"",
    "an encrypted one": lambda: b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(4096),
}
HARMLESS: Final = frozenset({"bomb beside", "external entity", "no body"})
"""What may be written all the same, if it holds nothing of the attack."""


def memory(line: str) -> int:
    """Bytes of this process by the kernel's count: `VmRSS` now, `VmHWM` at most."""
    found = re.search(rf"{line}:\s+(\d+) kB", Path("/proc/self/status").read_text(encoding="ascii"))
    assert found
    return int(found[1]) * 1024


def attempt(folder: Path, content: bytes, face: Any) -> tuple[str, float, int, bytes]:
    """What comes of a hostile letter: the refusal's code, seconds, how much this process grew, and what was written if anything."""
    put(folder, content)
    catalog = agency(folder)
    Path("/proc/self/clear_refs").write_text("5", encoding="ascii")  # the peak counts from here
    before, start, code, letter = memory("VmRSS"), time.perf_counter(), "", b""
    try:
        letter = write("invitation", face, to=3, catalog=catalog).content
    except Refused as refused:
        code = refused.code
    return code, time.perf_counter() - start, memory("VmHWM") - before, letter


@pytest.mark.parametrize("face", ["docx", "pdf"])
@pytest.mark.parametrize("attack", TAGS)
def test_a_hostile_tag_is_refused(tmp_path: Path, attack: str, face: Any) -> None:
    """No way into Python, no loop without end, no output without measure: refused within two seconds, the asking process unharmed."""
    code, seconds, grown, _ = attempt(tmp_path, word_file(SAFE, TAGS[attack]), face)
    assert code in REFUSALS
    assert seconds < SECONDS
    assert grown < GROWN


@pytest.mark.parametrize("face", ["docx", "pdf"])
@pytest.mark.parametrize("attack", FILES)
def test_a_hostile_file_is_refused(tmp_path: Path, attack: str, face: Any) -> None:
    """A file that would fill the memory, fetch another or break the reader is refused or does nothing, within two seconds."""
    content = FILES[attack]()
    code, seconds, grown, letter = attempt(tmp_path, content, face)
    assert code in REFUSALS or (attack in HARMLESS and b"root:" not in letter)
    assert seconds < SECONDS
    assert grown < GROWN


@pytest.mark.parametrize("place", ["subject", "cover"])
@pytest.mark.parametrize("attack", ["class", "nested, silent", "percent", "ljust", "unknown"])
def test_hostile_words_of_a_mail_are_refused(tmp_path: Path, place: str, attack: str) -> None:
    """The subject and the cover text in an agency's settings are no way in either."""
    tag = TAGS.get(attack, "{{ nobody }}").replace('"', "'")
    settings = (shipped_folder() / "summary" / "letter.toml").read_text(encoding="utf-8")
    changed = settings.replace("Summary notes: case", f"{tag} case") if place == "subject" else settings.replace("Hello,", tag)
    put(tmp_path, changed.encode(), "summary", "letter.toml")
    Path("/proc/self/clear_refs").write_text("5", encoding="ascii")
    before, start = memory("VmRSS"), time.perf_counter()
    with pytest.raises(Refused) as refused:
        write("summary", "eml", catalog=agency(tmp_path))
    assert refused.value.code in REFUSALS
    assert time.perf_counter() - start < SECONDS + 2  # the summary itself is laid out before its cover
    assert memory("VmHWM") - before < 3 * GROWN


@pytest.mark.parametrize("face", ["docx", "pdf", "check"])
def test_what_was_stopped_is_said_to_who_wrote_the_template(tmp_path: Path, face: Any) -> None:
    """A template that takes too long is named as a template, with what to do in it; nobody is told to open a PDF anew."""
    file = put(tmp_path, word_file(SAFE, "{{ 'x'.ljust(999999999) }}" if face == "check" else TAGS["nested, silent"]))
    with pytest.raises(Refused) as refused:
        list(check_letter(file, installation(tmp_path, tmp_path))) if face == "check" else write("invitation", face, to=3, catalog=agency(tmp_path))
    assert (refused.value.code, refused.value.place) == ("letter-too-costly", str(file))
    assert "In the template" in refused.value.message


def test_after_an_attack_letters_are_written_as_before(tmp_path: Path) -> None:
    """A refused attack leaves nothing behind: the next letter is whole."""
    name: LetterName = "invitation"
    before = write(name, "ics", to=3).content
    for attack in ("nested, silent", "format"):
        assert attempt(tmp_path, word_file(TAGS[attack]), "docx")[0] == "letter-too-costly"
    assert write(name, "ics", to=3).content == before
    assert write(name, "docx", to=3).content.startswith(b"PK")
