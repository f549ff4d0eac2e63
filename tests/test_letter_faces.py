"""Every face of a letter keeps its format's rules and carries the same text.

1. PDF keeps all rules of PDF/UA-1; Word files keep the parts of their template; both open elsewhere.
2. A mail opens as a draft with a plain and an HTML part; a calendar entry keeps RFC 5545.
3. Any text comes out whole: markup, braces, quotes, other scripts, ten thousand characters.
4. What is unprotected holds no name, birth date or telephone number, in no part of any file.
"""

import email
import email.policy
import io
import re
import shutil
import subprocess
import unicodedata
import zipfile
from collections.abc import Iterator
from datetime import date, timedelta
from email.message import EmailMessage
from functools import cache
from pathlib import Path
from typing import Any, Final

import docx
import page as page_validation
import pikepdf
import pypdfium2
import pytest
from docx.oxml.ns import qn
from icalendar import Calendar
from lxml import etree

from formsvc.casework.case import Case
from formsvc.casework.letters import LETTERS, LetterName
from formsvc.letters import open_case
from formsvc.model.kinds import LANGS, Lang, LongText
from formsvc.protection import unlock
from tests.letter_cases import HARD_TEXT, LONG, PASSWORD, sample_case, sample_data, shipped, write
from tests.small_forms import BY_NAME, SHIPPED

NOTES: Final = BY_NAME["conference-notes"]
READERS: Final = ((0, "youth"), (1, "guardian"), (3, "professional"), (None, "everybody"))
VARIANTS: Final[tuple[tuple[LetterName, int | None, str], ...]] = (*(("invitation", to, reader) for to, reader in READERS), ("agenda", None, "everybody"), ("summary", None, "everybody"))
named = pytest.mark.parametrize(("name", "to"), [(name, to) for name, to, _ in VARIANTS], ids=[f"{name}-{reader}" for name, _, reader in VARIANTS])
in_both = pytest.mark.parametrize("lang", LANGS)


def opened(name: LetterName, content: bytes) -> bytes:
    """The file without its protection, if it has any."""
    return unlock(content, PASSWORD) if name == "summary" else content


@cache
def plain_file(name: LetterName, face: Any, lang: Lang = "en", to: int | None = None) -> bytes:
    """A shipped letter's file as it is before protection."""
    return opened(name, shipped(name, face, lang, to).content)


# ---------------------------------------------------------------- reading back


def docx_text(content: bytes) -> str:
    """The text of a Word file's body, line breaks as they are."""
    document = docx.Document(io.BytesIO(content))
    lines = []
    for paragraph in document.element.body.iter(qn("w:p")):
        pieces = paragraph.iter(qn("w:t"), qn("w:br"), qn("w:tab"))
        lines.append("".join({qn("w:br"): "\n", qn("w:tab"): "\t"}.get(piece.tag, piece.text or "") for piece in pieces))
    return "\n".join(lines)


def pdf_text(content: bytes) -> str:
    """The text of a PDF as PDFium reads it."""
    document = pypdfium2.PdfDocument(content)
    return "\n".join(page.get_textpage().get_text_bounded() for page in document)


def mail_of(content: bytes) -> EmailMessage:
    """A mail as a mail program reads it."""
    message = email.message_from_bytes(content, policy=email.policy.default)
    assert isinstance(message, EmailMessage)
    return message


def mail_texts(content: bytes) -> tuple[str, str]:
    """The plain and the HTML part, the latter without its tags."""
    message = mail_of(content)
    plain, html = (message.get_body((kind,)) for kind in ("plain", "html"))
    assert plain is not None
    assert html is not None
    return plain.get_content(), "".join(etree.HTML(html.get_content()).itertext())


def squeezed(text: str) -> str:
    """Text without white space and hyphens: lines are broken where they fit."""
    return re.sub(r"[\s\-\x02\u00ad\ufffe\ufeff\u200b]", "", text)


# ---------------------------------------------------------------- PDF


@named
@in_both
def test_pdf_keeps_all_rules(tmp_path: Path, name: LetterName, to: int | None, lang: Lang) -> None:
    """Every letter, for every reader, in both languages, breaks no rule of PDF/UA-1."""
    file = tmp_path / "letter.pdf"
    file.write_bytes(plain_file(name, "pdf", lang, to))
    report = page_validation.validate_pdf(file, profile="ua1")
    assert [str(found) for found in report.failures] == []


@named
@in_both
def test_pdf_and_word_say_the_same(name: LetterName, to: int | None, lang: Lang) -> None:
    """Every line of the Word file stands in the PDF, which is made from the same template."""
    shown = squeezed(pdf_text(plain_file(name, "pdf", lang, to)))
    lines = docx_text(plain_file(name, "docx", lang, to)).split("\n")
    assert [line for line in lines if squeezed(line) not in shown] == []


@named
def test_pdf_carries_letterhead_and_page_numbers(name: LetterName, to: int | None) -> None:
    """Header and footer stand on every page, pages are counted anew."""
    document = pypdfium2.PdfDocument(plain_file(name, "pdf", "en", to))
    for number, page in enumerate(document, start=1):
        text = page.get_textpage().get_text_bounded()
        assert SHIPPED.profile.agency.en in text
        assert f"Page {number} of {len(document)}" in " ".join(text.split())


@in_both
def test_pdf_says_its_language_and_title(lang: Lang) -> None:
    """A screen reader hears the right language; the title is the subject, with initials."""
    with pikepdf.open(io.BytesIO(plain_file("invitation", "pdf", lang))) as pdf:
        assert str(pdf.Root.Lang) == lang
        assert str(pdf.docinfo.Title).startswith("Invitation: case conference for N.F." if lang == "en" else "Invitación: reunión de caso de N.F.")


# ---------------------------------------------------------------- Word


def parts_of(content: bytes) -> dict[str, bytes]:
    """The files inside a Word file."""
    with zipfile.ZipFile(io.BytesIO(content)) as package:
        assert package.testzip() is None
        assert len(set(package.namelist())) == len(package.namelist())
        return {name: package.read(name) for name in package.namelist()}


def rewritten(content: bytes) -> dict[str, bytes]:
    """The same Word file as python-docx writes it."""
    out = io.BytesIO()
    docx.Document(io.BytesIO(content)).save(out)
    return parts_of(out.getvalue())


def types_of(parts: dict[str, bytes]) -> set[tuple[str, ...]]:
    """The content type of each part and each extension."""
    return {(str(node.get("PartName") or node.get("Extension")), str(node.get("ContentType"))) for node in etree.fromstring(parts["[Content_Types].xml"])}


def targets_of(parts: dict[str, bytes]) -> set[tuple[str, str, str]]:
    """Every relationship: whose, its kind, its target."""
    return {
        (name, str(node.get("Type")), str(node.get("Target")))
        for name, content in parts.items() if name.endswith(".rels") for node in etree.fromstring(content)
    }  # fmt: skip


@named
@in_both
def test_word_file_keeps_the_parts_of_its_template(name: LetterName, to: int | None, lang: Lang) -> None:
    """Parts, content types and relationships are those python-docx writes for the template: Word has nothing to repair."""
    parts = parts_of(plain_file(name, "docx", lang, to))
    template = rewritten(SHIPPED.letter(name).files[lang].read_bytes())
    assert set(parts) == set(template)
    assert types_of(parts) == types_of(template)
    assert targets_of(parts) == targets_of(template)


@named
@in_both
def test_word_file_is_sound(name: LetterName, to: int | None, lang: Lang) -> None:
    """Every XML part parses, every relationship that is used exists, every table row has its cells, no tag is left over."""
    parts = parts_of(plain_file(name, "docx", lang, to))
    for part, content in parts.items():
        if not part.endswith((".xml", ".rels")):
            continue
        tree = etree.fromstring(content)
        used = {value for node in tree.iter() for key, value in node.attrib.items() if "officeDocument/2006/relationships}" in str(key)}
        rels = parts.get(f"{part.rpartition('/')[0]}/_rels/{part.rpartition('/')[2]}.rels", b"<none/>")
        assert used <= {node.get("Id") for node in etree.fromstring(rels)}
        assert not re.search(rb"\{\{|\}\}|\{%|%\}", content), part
        assert all(any(child.tag == qn("w:p") for child in cell) for cell in tree.iter(qn("w:tc"))), "a cell without a paragraph makes Word repair the file"
        assert all(row.find(qn("w:tc")) is not None for row in tree.iter(qn("w:tr")))


@named
@in_both
def test_word_tables_are_as_wide_in_every_row(name: LetterName, to: int | None, lang: Lang) -> None:
    """Each row has as many columns as its table's grid."""
    document = docx.Document(io.BytesIO(plain_file(name, "docx", lang, to)))
    for table in document.element.body.iter(qn("w:tbl")):
        grid = len(list(table.find(qn("w:tblGrid"))))
        for row in table.iter(qn("w:tr")):
            spans = [cell.find(f"{qn('w:tcPr')}/{qn('w:gridSpan')}") for cell in row.iter(qn("w:tc"))]
            assert sum(1 if span is None else int(span.get(qn("w:val"))) for span in spans) == grid


@pytest.fixture(scope="module")
def by_libreoffice(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """Every Word letter as LibreOffice reads it, converted to text in one go."""
    program = shutil.which("soffice")
    if program is None:
        pytest.skip("LibreOffice is not installed: apt-get install libreoffice-writer-nogui")
    folder = tmp_path_factory.mktemp("libreoffice")
    for name, to, reader in VARIANTS:
        for lang in LANGS:
            (folder / f"{name}-{reader}-{lang}.docx").write_bytes(plain_file(name, "docx", lang, to))
    files = sorted(str(file) for file in folder.glob("*.docx"))
    command = [program, "--headless", f"-env:UserInstallation={(folder / 'profile').as_uri()}", "--convert-to", "txt:Text (encoded):UTF8", "--outdir", str(folder), *files]
    subprocess.run(command, check=True, capture_output=True, timeout=180)
    return {file.stem: file.read_text(encoding="utf-8-sig") for file in folder.glob("*.txt")}


@pytest.mark.xdist_group("libreoffice")  # converting them takes twenty seconds
@pytest.mark.parametrize(("name", "to", "reader"), VARIANTS, ids=[f"{name}-{reader}" for name, _, reader in VARIANTS])
@in_both
def test_libreoffice_reads_every_word(by_libreoffice: dict[str, str], name: LetterName, to: int | None, reader: str, lang: Lang) -> None:
    """LibreOffice opens every Word letter and finds all of its text."""
    shown = squeezed(by_libreoffice[f"{name}-{reader}-{lang}"])
    assert [line for line in docx_text(plain_file(name, "docx", lang, to)).split("\n") if squeezed(line) not in shown] == []


# ---------------------------------------------------------------- mail


@named
@in_both
def test_a_mail_opens_as_a_draft(name: LetterName, to: int | None, lang: Lang) -> None:
    """Unsent, with subject, sender and recipient, a plain and an HTML part, and nothing wrong in it."""
    content = shipped(name, "eml", lang, to).content
    mail = mail_of(content)
    assert mail["X-Unsent"] == "1"
    assert "N.F." in mail["Subject"]
    assert mail["From"] == "o.reedmace@example.org"
    assert mail["To"] == {0: None, 1: "mara.f@example.com", 3: "g.marshwood@example.org", None: None}[to]
    assert [part.get_content_type() for part in mail.walk() if not part.is_multipart()][:2] == ["text/plain", "text/html"]
    assert [defect for part in mail.walk() for defect in part.defects] == []


@named
@in_both
def test_a_mail_is_ascii_in_short_lines(name: LetterName, to: int | None, lang: Lang) -> None:
    """Headers and bodies pass any mail server: ASCII, CRLF, lines of at most 998 bytes."""
    content = shipped(name, "eml", lang, to).content
    assert content.isascii()
    assert not re.search(rb"(?<!\r)\n|\r(?!\n)", content)
    assert max(map(len, content.split(b"\r\n"))) <= 998


@pytest.mark.parametrize(("name", "names"), [("invitation", ["invitation-2026-12-09.pdf", "invitation-2026-12-09.ics"]), ("agenda", ["agenda-2026-12-09.pdf", "agenda-2026-12-09.ics"]), ("summary", ["summary-2026-12-09.pdf"])])
def test_a_mail_carries_its_letter(name: LetterName, names: list[str]) -> None:
    """The PDF goes along, and the calendar entry where there is one; a summary only under its password."""
    attached = {part.get_filename(): part.get_content() for part in mail_of(shipped(name, "eml").content).iter_attachments()}
    assert list(attached) == names
    pdf = attached[names[0]]
    assert pdf.startswith(b"%PDF-")
    if name == "summary":
        assert pypdfium2.PdfDocument(pdf, password=PASSWORD)
        with pytest.raises(pypdfium2.PdfiumError):
            pypdfium2.PdfDocument(pdf)
    else:
        assert attached[names[1]].splitlines() == shipped(name, "ics").content.decode().splitlines()


@pytest.mark.parametrize(("to", "method"), [(1, "PUBLISH"), (3, "REQUEST"), (None, "REQUEST")])
def test_the_calendar_in_a_mail_says_what_it_is(to: int | None, method: str) -> None:
    """The attachment's method is that of the entry: who is no attendee is not asked to reply to one (RFC 6047)."""
    entry = next(part for part in mail_of(shipped("invitation", "eml", "en", to).content).iter_attachments() if part.get_content_type() == "text/calendar")
    assert (entry.get_param("method"), f"METHOD:{method}" in entry.get_content()) == (method, True)


def test_a_mail_says_what_the_letter_says() -> None:
    """Both parts hold every line of the letter."""
    lines = [line for line in docx_text(plain_file("invitation", "docx", "en", 3)).split("\n") if line.strip("\u00a0 ")]
    for text in mail_texts(shipped("invitation", "eml", "en", 3).content):
        assert [line for line in lines if squeezed(line) not in squeezed(text)] == []


def test_the_plain_part_reads_well() -> None:
    """The plain part has no page numbers without numbers and no empty row starts."""
    plain, _ = mail_texts(shipped("invitation", "eml", "en", 3).content)
    assert [line for line in plain.splitlines() if re.search(r"Page\s+of|^\s*\|", line)] == []


@pytest.mark.parametrize("initials", ["N&F", "O'N.", "<b>", "{{ 7 }}", "Ñ.李."])
def test_a_subject_is_plain_text(initials: str) -> None:
    """What stands in a subject or a cover text is not markup: it arrives as it was written."""
    case = sample_case({"client.initials": initials})
    mail = write("summary", "eml", case).content
    assert mail_of(mail)["Subject"] == f"Summary notes: case conference for {initials} on December 9, 2026"
    assert [initials in text for text in mail_texts(mail)] == [True, True]


# ---------------------------------------------------------------- calendar


def event_of(content: bytes) -> Any:
    """The one event of a calendar entry."""
    return next(iter(Calendar.from_ical(content).walk("VEVENT")))


@pytest.mark.parametrize("name", ["invitation", "agenda"])
@in_both
def test_a_calendar_entry_has_time_zone_alarm_and_people(name: LetterName, lang: Lang) -> None:
    """Times with their zone, an alarm a day before, organiser, attendees, place, and the conference line."""
    calendar = Calendar.from_ical(shipped(name, "ics", lang).content)
    event = event_of(shipped(name, "ics", lang).content)
    assert [str(zone["TZID"]) for zone in calendar.walk("VTIMEZONE")] == ["America/Denver"]
    assert (event["DTSTART"].params["TZID"], event["DTEND"].params["TZID"]) == ("America/Denver", "America/Denver")
    assert f"{event.decoded('dtstart'):%Y-%m-%d %H:%M %z}" == "2026-12-09 15:30 -0700"
    assert event.decoded("dtend") - event.decoded("dtstart") == timedelta(minutes=90)
    assert [alarm.decoded("trigger") for alarm in event.walk("VALARM")] == [timedelta(days=-1)]
    assert str(event["ORGANIZER"]) == "mailto:o.reedmace@example.org"
    assert "303-555-0100, code 4829" in event["DESCRIPTION"]
    assert event["LOCATION"] == "Alderbank Elementary School, library meeting room"
    assert "N.F." in event["SUMMARY"]
    assert event["CLASS"] == "PRIVATE"


def attendees(content: bytes) -> list[str]:
    """The addresses of an entry's attendees."""
    found = event_of(content).get("ATTENDEE", [])
    return [str(one) for one in (found if isinstance(found, list) else [found])]


def test_only_professionals_with_an_address_are_attendees() -> None:
    """The family's addresses are never shown to others; who has no address cannot be asked."""
    case = sample_case({"team.4.email": None})
    everybody = attendees(write("invitation", "ics", case).content)
    assert everybody == [f"mailto:{member.email}" for member in case.team[2:] if member.email]
    assert len(everybody) == 5
    assert attendees(shipped("invitation", "ics", "en", 1).content) == []
    assert attendees(shipped("invitation", "ics", "en", 3).content) == ["mailto:g.marshwood@example.org"]


@pytest.mark.parametrize("to", [None, 1, 3])
def test_a_calendar_entry_keeps_its_format(to: int | None) -> None:
    """Lines end in CRLF and have at most 75 octets; required properties stand once; blocks are closed."""
    content = write("invitation", "ics", sample_case({"conference.place": f"{HARD_TEXT} " * 5, "team.3.name": 'Gideon "Gid" O\'Neil; Ñandú, 李: x'}), to=to).content
    assert not re.search(rb"(?<!\r)\n|\r(?!\n)", content)
    assert content.endswith(b"END:VCALENDAR\r\n")
    lines = content.split(b"\r\n")
    assert max(map(len, lines)) <= 75
    unfolded = re.sub(r"\r\n[ \t]", "", content.decode("utf-8"))
    for required in ("VERSION:2.0", "PRODID:", "METHOD:", "UID:", "DTSTAMP:", "SUMMARY:"):
        assert len(re.findall(rf"^{required}", unfolded, re.MULTILINE)) == 1
    assert unfolded.count("BEGIN:") == unfolded.count("END:")
    assert f"{HARD_TEXT} " * 5 in str(event_of(content)["LOCATION"]).replace("\xa0", " ") + " "


def test_the_same_conference_is_the_same_entry() -> None:
    """A second invitation updates the calendar: its UID is stable, for every reader, and differs for another conference."""
    first, again = (event_of(write("invitation", "ics", to=to).content)["UID"] for to in (1, 3))
    other = event_of(write("invitation", "ics", sample_case({"conference.number": 3})).content)["UID"]
    assert first == again != other
    assert write("invitation", "ics", to=3).content == write("invitation", "ics", to=3).content


def test_a_zone_without_clock_changes_is_complete_too() -> None:
    """An entry in a zone that never changes its clock carries that zone."""
    calendar = Calendar.from_ical(write("invitation", "ics", sample_case({"conference.zone": "America/Phoenix"})).content)
    assert [str(zone["TZID"]) for zone in calendar.walk("VTIMEZONE")] == ["America/Phoenix"]


# ---------------------------------------------------------------- any text


def hard_data(text: str) -> dict[str, Any]:
    """A case with a text wherever a letter shows free text."""
    return sample_data({
        "conference.place": text, "team.3.name": text, "team.3.role": text, "team.3.organisation": text, "team.3.address": [text], "agenda_items": [text],
        "previous_steps.0.action": text, "notes.child_view": text, "notes.medical_updates": text, "notes.input.0.text": text, "notes.next_steps.0.action": text,
        "notes.corrections.0.correction": text, "client.school": text,
    })  # fmt: skip


def arabic_sorted(text: str) -> str:
    """Arabic letters in one order: engines hand them out as they are drawn or as they are read."""
    folded = unicodedata.normalize("NFKC", text)
    return re.sub(r"[\u0600-\u06ff]+", lambda run: "".join(sorted(run[0])), squeezed(folded))


@pytest.mark.parametrize(("name", "to", "least"), [("invitation", 3, 4), ("agenda", None, 3), ("summary", None, 7)])
def test_any_text_comes_out_whole(name: LetterName, to: int | None, least: int) -> None:
    """Markup, braces, quotes and other scripts arrive in Word, PDF and mail as they were written."""
    case = open_case(SHIPPED, hard_data(HARD_TEXT))
    files = {face: opened(name, write(name, face, case, to=to).content) for face in ("docx", "pdf")}
    assert docx_text(files["docx"]).count(HARD_TEXT) >= least
    assert arabic_sorted(pdf_text(files["pdf"])).count(arabic_sorted(HARD_TEXT)) >= least
    if name != "summary":
        for text in mail_texts(write(name, "eml", case, to=to).content):
            assert text.count(HARD_TEXT) >= least


def long_text(length: int = LONG) -> str:
    """A text of so many characters whose every line is unlike the others."""
    return "\n".join(f"{number}. {HARD_TEXT} ends {number}." for number in range(1, length))[:length]


def test_long_notes_come_out_whole() -> None:
    """Ten thousand characters in one part of the notes arrive in Word and PDF, every one of them."""
    text = long_text().rstrip()
    case = sample_case({"notes.medical_updates": text})
    assert text in docx_text(opened("summary", write("summary", "docx", case).content))
    shown = arabic_sorted(pdf_text(opened("summary", write("summary", "pdf", case).content)))
    missing = [line for line in text.split("\n") if arabic_sorted(line) not in shown]
    assert len(missing) <= 3 * shown.count("Page"), "only lines that a page break divides are not found in one piece"
    assert [number for number in range(1, text.count("\n") + 1) if f"ends{number}." not in shown] == []


def test_every_part_of_the_notes_may_be_long() -> None:
    """Forty parts of ten thousand characters each are written as Word, within what a template may take."""
    parts = {ask.name: long_text() for ask in NOTES.asks if isinstance(ask.kind, LongText)}
    case = open_case(SHIPPED, sample_data({f"notes.{name}": text for name, text in parts.items()}))
    shown = docx_text(opened("summary", write("summary", "docx", case).content))
    assert shown.count(long_text().rstrip()) >= len(parts)


def test_a_line_without_breaks_stays_on_the_page() -> None:
    """A word of a thousand letters is broken rather than cut at the edge."""
    word = "x" * 1000
    case = sample_case({"notes.medical_updates": word, "notes.next_steps.0.action": word})
    shown = pdf_text(opened("summary", write("summary", "pdf", case).content))
    assert sum(map(len, re.findall(r"xx+", shown))) == 2000


def test_blanks_and_breaks_are_kept_in_word() -> None:
    """Spaces in a row, tabs and empty lines of a note stand in the Word file."""
    text = "One   two\n\n\tthree  \nfour"
    assert text in docx_text(opened("summary", write("summary", "docx", sample_case({"notes.medical_updates": text})).content))


# ---------------------------------------------------------------- what must not leave

PHONES: Final = ("(303) 555-0163", "303-555-0142", "303-555-0163", "303-555-0118", "303-555-0177", "303-555-0126")
PLANTED: Final = "Noah Fernwhistle (born March 9, 2016; 2016-03-09, 3/9/2016, 9 de marzo de 2016) and Mara Fernwhistle, NOAH FERNWHISTLE, Noah, called Wizzlebear; 303-555-0142, (303) 555-0163"


def planted_case() -> Case:
    """The sample case with the family's names and the birth date in every free text of its outside letters."""
    return sample_case({
        "client.known_as": ["Wizzlebear"], "agenda_items": [PLANTED], "previous_steps.0.action": PLANTED, "previous_steps.1.responsible": "Noah Fernwhistle", "previous_steps.2.responsible": "Mara Fernwhistle",
        "conference.place": "Home of Mara Fernwhistle", "conference.line": "303-555-0100, ask for Noah Fernwhistle", "team.7.role": "Aunt of Noah Fernwhistle", "team.7.organisation": "Friends of Noah Fernwhistle",
    })  # fmt: skip


def streams(content: bytes) -> Iterator[bytes]:
    """Everything inside a file: its bytes, the parts of a Word file, the streams and texts of a PDF, the parts of a mail, unfolded lines."""
    yield content
    if content.startswith(b"PK"):
        for part in parts_of(content).values():
            yield part
            yield "".join(etree.fromstring(part).itertext()).encode()
    elif content.startswith(b"%PDF"):
        yield from _of_pdf(content)
    elif content.startswith(b"BEGIN:VCALENDAR"):
        yield re.sub(rb"\r\n[ \t]", b"", content)
    else:
        for piece in mail_of(content).walk():
            yield "\n".join(f"{key}: {value}" for key, value in piece.items()).encode()
            if not piece.is_multipart():
                inner = piece.get_payload(decode=True)
                assert isinstance(inner, bytes)
                yield from streams(inner) if piece.get_content_maintype() != "text" or piece.get_content_subtype() == "calendar" else (inner,)


def _of_pdf(content: bytes) -> Iterator[bytes]:
    with pikepdf.open(io.BytesIO(content)) as pdf:
        for item in pdf.objects:
            if isinstance(item, pikepdf.Stream):
                yield item.read_bytes()
        yield "\n".join(text for item in pdf.objects for text in _strings(item)).encode()
        yield "\n".join(f"{key} {value}" for key, value in pdf.docinfo.items()).encode()
    yield pdf_text(content).encode()
    yield squeezed(pdf_text(content)).encode()


def _strings(item: pikepdf.Object) -> Iterator[str]:
    """The texts in an object, as they read."""
    if isinstance(item, pikepdf.String):
        yield str(item)
    elif isinstance(item, pikepdf.Array):
        for one in item:
            if isinstance(one, pikepdf.Object) and not one.is_indirect:
                yield from _strings(one)
    elif isinstance(item, pikepdf.Dictionary | pikepdf.Stream):
        for one in dict(item.items()).values():
            if isinstance(one, pikepdf.Object) and not one.is_indirect:
                yield from _strings(one)


def found_in(content: bytes, needles: list[str]) -> list[str]:
    """Which of these stand anywhere inside a file, however spaced."""
    pile = [stream.decode("utf-8", "replace").casefold() for stream in streams(content)]
    wanted = {needle: (needle.casefold(), squeezed(needle).casefold()) for needle in needles}
    return [needle for needle, spellings in wanted.items() if any(spelling in text for spelling in spellings for text in pile)]


def needles(case: Case, to: int | None) -> list[str]:
    """What one letter must not hold: the family's names in whole and in part, the birth date, the numbers of others."""
    own = case.team[to].name if to is not None and case.team[to].audience == "guardian" else ""
    names = ["Noah", "Noah Fernwhistle", "Wizzlebear", *([] if own else ["Fernwhistle", "Mara Fernwhistle"])]
    return [*names, *(text for text in case.personal()[2:]), *PHONES]


_INVITED: Final = [("invitation", face, to, lang) for face in ("docx", "pdf", "eml", "ics") for to in (*range(8), None) for lang in ("en", "es") if lang == "en" or to in (0, 1, 3)]
FACES_OUT: Final = [*_INVITED, *(("agenda", face, None, lang) for face in ("docx", "pdf", "eml", "ics") for lang in ("en", "es"))]


@pytest.mark.parametrize(("name", "face", "to", "lang"), FACES_OUT)
def test_nothing_personal_stands_in_what_is_unprotected(name: Any, face: Any, to: int | None, lang: Lang) -> None:
    """No name, birth date or number in the inflated bytes of any file, whatever was typed where; a guardian reads their own name only."""
    case = planted_case()
    assert found_in(write(name, face, case, lang=lang, to=to).content, needles(case, to)) == []


def test_the_search_finds_what_is_there() -> None:
    """The search of these tests does find a name: in the summary once it is unlocked, in every kind of file."""
    wanted = ["Noah Fernwhistle", "March 9, 2016"]
    for face in ("docx", "pdf"):
        assert found_in(plain_file("summary", face), wanted) == wanted
    assert found_in(shipped("invitation", "eml", "en", 3).content, ["Gideon Marshwood", "g.marshwood@example.org"]) == ["Gideon Marshwood", "g.marshwood@example.org"]
    assert found_in(shipped("invitation", "ics", "en", 3).content, ["Gideon Marshwood"]) == ["Gideon Marshwood"]


@in_both
def test_the_mail_around_a_summary_says_nothing_of_it(lang: Lang) -> None:
    """Subject and body go by initials; no name, no note and no password stands outside the protected attachment."""
    case = sample_case()
    content = shipped("summary", "eml", lang).content
    notes = [line for value in case.notes.values() if isinstance(value, str) and len(value) > 25 for line in value.split("\n") if len(line) > 25]
    people = [member.name for member in case.team]
    wanted = [*needles(case, None), *people, *notes, PASSWORD]
    outside = [part for part in mail_of(content).walk() if not part.is_multipart() and part.get_content_maintype() == "text"]
    text = "\n".join([*(f"{key}: {value}" for part in mail_of(content).walk() for key, value in part.items()), *(part.get_content() for part in outside)])
    assert [needle for needle in wanted if needle.casefold() in text.casefold()] == []
    assert [needle for needle in wanted if needle.encode() in content] == []


@pytest.mark.parametrize("face", ["docx", "pdf"])
def test_a_protected_summary_shows_nothing_from_outside(face: Any) -> None:
    """Neither the bytes nor the properties of a protected file tell anything of the case."""
    content = shipped("summary", face).content
    assert [needle for needle in ("Noah", "N.F.", "Fernwhistle", "Summary", PASSWORD) if needle.encode() in content or needle.encode("utf-16-le") in content] == []


@pytest.mark.parametrize("name", LETTERS)
@in_both
def test_properties_of_a_word_file_tell_nothing(name: LetterName, lang: Lang) -> None:
    """Author, last editor, comments and keywords of the document are empty or the program's."""
    found = docx.Document(io.BytesIO(plain_file(name, "docx", lang))).core_properties
    assert [text for text in (found.last_modified_by, found.comments, found.keywords, found.category) if text not in {"", "formsvc"}] == []
    assert date(2020, 1, 1) <= found.created.date() if found.created else True
