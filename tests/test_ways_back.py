"""The round trip through real programs: what was typed is what is read, whoever saved the file.

1. Every sample comes back equal through Chrome's, Firefox's and Evince's engines.
2. Every other writer brings back what it can carry.
3. No writer causes an alarm that its own habits do not explain.
4. Renamed fields, other states, other spellings of strings and re-saved files read the same.
"""

import io
from collections.abc import Callable, Mapping
from functools import cache
from typing import Final

import pikepdf
import pypdfium2 as pdfium
import pytest
from pikepdf import Array, Dictionary, Name, String

from formsvc.demo import sample_values
from formsvc.errors import Refused
from formsvc.service import Received, Service
from tests.papers import SAMPLES, Paper, codes, complete, edited
from tests.viewers import programs
from tests.viewers.engines import ENGINES, Box, letters
from tests.viewers.fields import full_name, inherited, widgets
from tests.viewers.writers import WRITERS

SCRIPTS: Final = "worksheet-scripts"
VIEWERS: Final = ("pdfium", "pdfjs", "poppler")
TYPICAL: Final = ("worksheet-8-children", "fcch-three-homes", "case-management-35-actions", SCRIPTS)
# What a program itself cannot do, so that there is nothing to read back.
CANNOT: Final[Mapping[tuple[str, str], str]] = {
    ("pdfbox", SCRIPTS): "PDFBox saves nothing when the field's font lacks a letter",
    ("poppler", SCRIPTS): "Poppler embeds a system font per letter it lacks: many minutes; see the test of one row",
}
TRIPS: Final = [
    *((writer, sample) for writer in VIEWERS for sample in SAMPLES),
    *((writer, sample) for writer in WRITERS if writer not in VIEWERS for sample in TYPICAL),
]
HABITS: Final[Mapping[str, set[str]]] = {
    "pypdfform": {"shown-differs"},  # it draws nothing
    "preview_like": {"rebuilt-by-viewer"},
}
"""What a writer does to any document that a person should look at."""

SCRIPT_HABITS: Final[Mapping[str, set[str]]] = {
    writer: {"shown-differs"}  # letters that its fonts lack are not on the page
    for writer in ("pdfium", "mupdf", "pdflib", "pdftk", "qpdf", "preview_like", "acrobat_like")
}
"""What it does besides when the letters go beyond Latin-1."""


@pytest.mark.parametrize(("writer", "name"), [trip for trip in TRIPS if trip not in CANNOT])
@pytest.mark.filterwarnings("ignore:.*")  # PyPDF tells of letters that it cannot draw
def test_what_was_typed_is_what_is_read(service: Service, paper: Callable[[str], Paper], writer: str, name: str) -> None:
    """A paper filled with any program gives exactly the values that were typed, and no false alarm."""
    sheet = paper(name)
    received = service.read(_write(writer, sheet))
    assert sheet.values == received.record.values
    assert _expected_codes(service, writer, name) == codes(received)


def _write(writer: str, sheet: Paper, typed: Mapping[str, str | bool] | None = None) -> bytes:
    program = WRITERS[writer]
    if missing := program.available():
        pytest.skip(missing)
    return program(sheet.issued, sheet.typed if typed is None else typed)


def _expected_codes(service: Service, writer: str, name: str) -> set[str]:
    """What the rules say of the values themselves, and the writer's habits."""
    habits = HABITS.get(writer, set()) | (SCRIPT_HABITS.get(writer, set()) if name == SCRIPTS else set())
    return {*_own_codes(service, name), *habits}


@cache
def _own_codes(service: Service, name: str) -> frozenset[str]:
    return frozenset(codes(service.read(complete(service, name))))


def test_poppler_brings_back_another_script(service: Service, paper: Callable[[str], Paper]) -> None:
    """Letters that the form's font lacks come back from Evince's engine, and its picture agrees."""
    sheet = paper(SCRIPTS)
    greek = {key: text for key, text in sheet.typed.items() if key.startswith("children-1-")}
    received = service.read(_write("poppler", sheet, greek))
    children, wanted = received.record.values["children"], sheet.values["children"]
    assert isinstance(children, list)
    assert isinstance(wanted, list)
    assert wanted[1] == children[1]
    assert "shown-differs" not in codes(received)


@pytest.mark.parametrize("writer", ["pdfium", "pdflib", "pdftk", "acrobat_like"])
def test_an_alarm_is_true(service: Service, paper: Callable[[str], Paper], writer: str) -> None:
    """Where the page is said to differ, another engine sees something else than the value too."""
    pdf = _write(writer, paper(SCRIPTS))
    alarms = [found.field for found in service.read(pdf).record.problems if found.code == "shown-differs"]
    values, boxes = _values_and_boxes(pdf)
    shown = ENGINES["poppler"].shown_text(pdf, [boxes[name] for name in alarms])
    assert [name for name, text in zip(alarms, shown, strict=True) if letters(text) == letters(values[name])] == []


def _values_and_boxes(pdf: bytes) -> tuple[dict[str, str], dict[str, Box]]:
    values, boxes = {}, {}
    with pikepdf.open(io.BytesIO(pdf)) as document:
        for number, page in enumerate(document.pages):
            for widget in page.obj.get("/Annots", ()):
                x0, y0, x1, y1 = map(float, widget["/Rect"])
                boxes[full_name(widget)] = Box(page=number, x0=x0, y0=y0, x1=x1, y1=y1)
                values[full_name(widget)] = str(inherited(widget, "/V") or "")
    return values, boxes


# ---------------------------------------------------------------- renamed


def _under_parent(*names: str) -> Callable[[pikepdf.Pdf], None]:
    """Put all fields below parents, as XFA tools and mergers do, each with an index behind its name."""

    def edit(document: pikepdf.Pdf) -> None:
        form = document.Root.AcroForm
        kids: list[pikepdf.Object] = list(form.Fields)
        for kid in kids:
            kid.T = String(f"{kid.T}[0]")
        for name in reversed(names):
            parent = document.make_indirect(Dictionary(T=String(name), Kids=Array(kids)))
            for kid in kids:
                kid.Parent = parent
            kids = [parent]
        form.Fields = Array(kids)

    return edit


@pytest.mark.parametrize("names", [("form1",), ("topmostSubform[0]", "Page1[0]"), ("issued by \N{SNOWMAN}", "a", "b#1")], ids="/".join)
def test_fields_below_parents_are_the_same_fields(service: Service, names: tuple[str, ...]) -> None:
    """Parents before a name and an index behind it do not hide the answer."""
    _reads_as(service, edited(complete(service, "worksheet-8-children"), _under_parent(*names)), "worksheet-8-children")


def _reads_as(service: Service, pdf: bytes, name: str, *, password: str | None = None, allowed: frozenset[str] = frozenset()) -> Received:
    received = service.read(pdf, password=password)
    assert sample_values(name) == received.record.values
    assert allowed == codes(received)
    return received


def _renamed_states(state: str) -> Callable[[pikepdf.Pdf], None]:
    def edit(document: pikepdf.Pdf) -> None:
        for widget in widgets(document):
            if widget.get("/FT") != Name.Btn:
                continue
            pictures = widget.AP.N
            widget.AP = Dictionary(N=Dictionary({state: pictures["/on"], "/Off": pictures.get("/Off", pictures["/on"])}))
            marked = widget.get("/AS") == "/on"
            widget.AS = Name(state) if marked else Name.Off
            if "/V" in widget:
                widget.V = widget.AS

    return edit


@pytest.mark.parametrize("state", ["/Yes", "/1", "/Choice1", "/On", "/Sí"])
def test_any_name_of_the_ticked_state_is_a_tick(service: Service, state: str) -> None:
    """Which name a writer gives to the ticked state does not matter."""
    _reads_as(service, edited(complete(service, "worksheet-8-children"), _renamed_states(state)), "worksheet-8-children")


# ---------------------------------------------------------------- spelled


def _respelled(spell: Callable[[pikepdf.Pdf, str], pikepdf.Object]) -> Callable[[pikepdf.Pdf], None]:
    """Store every text in another way; the pictures stay."""

    def edit(document: pikepdf.Pdf) -> None:
        for widget in widgets(document):
            if widget.get("/FT") == Name.Tx and "/V" in widget and not widget.T.unparse().startswith(b"(stamp"):
                widget.V = spell(document, str(widget.V))

    return edit


SPELLINGS: Final[Mapping[str, Callable[[pikepdf.Pdf, str], pikepdf.Object]]] = {
    "UTF-8": lambda _, text: String(b"\xef\xbb\xbf" + text.encode()),
    "UTF-16LE": lambda _, text: String(b"\xff\xfe" + text.encode("utf-16-le")),
    "UTF-16BE": lambda _, text: String(b"\xfe\xff" + text.encode("utf-16-be")),
    "with language codes": lambda _, text: String(("\ufeff\x1besMX\x1b" + text).encode("utf-16-be")),
    "PDFDocEncoding": lambda _, text: String(text.encode("pdfdoc_pikepdf")),
    "stream": lambda document, text: document.make_stream(b"\xfe\xff" + text.encode("utf-16-be")),
}


@pytest.mark.parametrize("spelling", SPELLINGS)
def test_a_text_may_be_spelled_in_any_encoding(service: Service, spelling: str) -> None:
    """All spellings of text that PDF has give the same value."""
    _reads_as(service, edited(complete(service, "worksheet-spanish"), _respelled(SPELLINGS[spelling])), "worksheet-spanish")


def test_a_long_text_may_be_a_stream(service: Service) -> None:
    """Five thousand characters, which the form allows, read the same when they are stored as a stream."""
    child = sample_values("worksheet-1-child")["children"][0] | {"discussion_points": ("Word and word. " * 334).strip()}
    pdf = edited(complete(service, "worksheet-1-child", children=[child]), _respelled(SPELLINGS["stream"]), compress_streams=False)
    assert service.read(pdf).record.values["children"] == [child]


@pytest.mark.parametrize("line_end", ["\r", "\n", "\r\n"], ids=["CR", "LF", "CRLF"])
def test_any_line_end_is_a_line_end(service: Service, line_end: str) -> None:
    """Writers end lines in three ways; the value has one."""
    pdf = edited(complete(service, "worksheet-long-notes"), _respelled(lambda _, text: String(text.replace("\r\n", "\n").replace("\r", "\n").replace("\n", line_end))))
    _reads_as(service, pdf, "worksheet-long-notes")


# ---------------------------------------------------------------- saved anew


RESAVES: Final[Mapping[str, tuple[str, ...]]] = {
    "qpdf, object streams": ("qpdf", "--object-streams=generate", "IN", "OUT"),
    "qpdf, linearised": ("qpdf", "--linearize", "IN", "OUT"),
    "qpdf, qdf": ("qpdf", "--qdf", "--object-streams=disable", "IN", "OUT"),
    "qpdf, old version": ("qpdf", "--force-version=1.4", "--object-streams=disable", "--compress-streams=n", "IN", "OUT"),
    "mutool, cleaned": ("mutool", "clean", "-gggg", "IN", "OUT"),
    "pdftk, uncompressed": ("pdftk", "IN", "output", "OUT", "uncompress"),
    "pdftk, joined": ("pdftk", "IN", "cat", "output", "OUT"),
}


@pytest.mark.parametrize("name", RESAVES)
def test_a_form_saved_anew_reads_the_same(service: Service, name: str) -> None:
    """What a mail gateway, an archive or a repair tool does to the file does not change the answers."""
    command = RESAVES[name]
    if missing := programs.needs_command(command[0], command[0])():
        pytest.skip(missing)
    pdf = programs.transform(complete(service, "worksheet-spanish"), lambda source, target: [{"IN": str(source), "OUT": str(target)}.get(word, word) for word in command])
    _reads_as(service, pdf, "worksheet-spanish")


def test_a_form_saved_anew_by_chrome_reads_the_same(service: Service) -> None:
    """Opening and saving without typing changes nothing."""
    saved = io.BytesIO()
    with pdfium.PdfDocument(complete(service, "worksheet-spanish")) as document:
        document.save(saved)
    _reads_as(service, saved.getvalue(), "worksheet-spanish")


def _locked(pdf: bytes) -> bytes:
    return edited(pdf, lambda _: None, encryption=pikepdf.Encryption(owner="chief", user="lantern maple", R=6))


@pytest.mark.parametrize("password", ["lantern maple", "chief"], ids=["user", "owner"])
def test_a_protected_form_reads_the_same_with_its_password(service: Service, password: str) -> None:
    """AES-256 with either password gives the same record."""
    _reads_as(service, _locked(complete(service, "worksheet-8-children")), "worksheet-8-children", password=password)


@pytest.mark.parametrize(("password", "code"), [(None, "password-needed"), ("lantern", "password-wrong"), ("", "password-needed")])
def test_a_protected_form_without_its_password_is_refused(service: Service, password: str | None, code: str) -> None:
    """A missing and a wrong password are told apart."""
    pdf = _locked(complete(service, "worksheet-1-child"))
    with pytest.raises(Refused) as refused:
        service.read(pdf, password=password)
    assert code == refused.value.code
