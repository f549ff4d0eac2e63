"""What a person should look at: every doubt about a document that came back is told, at its field.

Each document here is one of ours with one thing changed by hand.
"""

from collections.abc import Callable, Mapping
from typing import Final

import pikepdf
import pytest
from pikepdf import Array, Dictionary, Name, String

from formsvc.model.record import Problem
from formsvc.model.stamp import Stamp, stamp_text
from formsvc.service import Received, Service
from formsvc.settings import Settings
from tests.papers import DOCUMENT, KEY, complete, edited
from tests.viewers.fields import full_name, widgets

Edit = Callable[[pikepdf.Pdf], object]
OTHER: Final = "7THERD0CXX"


def _read(service: Service, edit: Edit, name: str = "worksheet-1-child", expected: str | None = None) -> Received:
    return service.read(edited(complete(service, name), edit), expected=expected)


def _field(document: pikepdf.Pdf, name: str) -> pikepdf.Object:
    return next(widget for widget in widgets(document) if full_name(widget) == name)


def _found(received: Received) -> dict[tuple[str, str], Problem]:
    return {(found.code, found.field): found for found in received.record.problems}


def _says(text: str, name: str) -> Edit:
    return lambda document: _field(document, name).__setitem__("/V", String(text))


# ---------------------------------------------------------------- value and page


def test_an_untouched_document_raises_no_doubt(service: Service) -> None:
    """Our own paper, saved anew, gives nothing to look at."""
    assert _found(_read(service, lambda _: None)) == {}


def test_a_value_that_the_page_does_not_show_is_told(service: Service) -> None:
    """The stored answer counts, and the person learns what the page shows."""
    received = _read(service, _says("Somebody Else", "recorder"))
    assert received.record.values["recorder"] == "Somebody Else"
    assert "Odette Larkspurling" in _found(received)["shown-differs", "recorder"].message


def test_a_choice_that_the_page_does_not_show_is_told(service: Service) -> None:
    """The label on the page belongs to another option."""
    received = _read(service, _says("center", "program_option"))
    assert {("shown-differs", "program_option")} == set(_found(received))


def _appears(document: pikepdf.Pdf, content: bytes, fonts: Dictionary | None = None) -> None:
    """Let the recorder's field look so."""
    _field(document, "recorder").AP.N = document.make_stream(content, Type=Name.XObject, Subtype=Name.Form, BBox=Array([0, 0, 90, 12]), Resources=Dictionary(Font=fonts or Dictionary()))


def _mapped(document: pikepdf.Pdf) -> Dictionary:
    font = Dictionary(Type=Name.Font, Subtype=Name.Type1, BaseFont=Name.Helvetica, ToUnicode=document.make_stream(b"1 beginbfchar <0092C 8> <0041> endbfchar"))
    return Dictionary(Helv=document.make_indirect(font))


@pytest.mark.parametrize(
    "damage",
    [
        lambda document: _appears(document, b"BT /Helv 9 Tf (Odette) Tj [g 1] Tj ET"),
        lambda document: _appears(document, b"BT (Odette) T\x9c\xff ET"),
        lambda document: _appears(document, b"BT /Helv 9 Tf (Odette) Tj ET", _mapped(document)),
    ],
    ids=["what stands in no stream", "a name in no encoding", "digits that are none"],
)
def test_a_picture_that_nobody_can_read_is_told(service: Service, damage: Edit) -> None:
    """The stored answer cannot be compared with the page: no failure of the reader, and nothing that passes without a word."""
    received = _read(service, damage)
    assert received.record.values["recorder"] == "Odette Larkspurling"
    assert {found for found in _found(received) if found[1] == "recorder"} == {("text-unchecked", "recorder")}


def test_a_picture_that_is_gone_is_told(service: Service) -> None:
    """A value without a picture is nowhere on the page."""
    received = _read(service, lambda document: _field(document, "recorder").__delitem__("/AP"))
    assert "nothing" in _found(received)["shown-differs", "recorder"].message


def test_a_picture_without_a_value_is_told(service: Service) -> None:
    """What stands on the page only is not an answer, but a person learns of it."""
    received = _read(service, lambda document: _field(document, "recorder").__delitem__("/V"))
    assert "recorder" not in received.record.values
    assert ("shown-differs", "recorder") in _found(received)


@pytest.mark.parametrize(
    ("key", "value", "shown"),
    [("/AS", Name.Off, "an empty box"), ("/V", Name.Off, "a marked box")],
    ids=["stored only", "drawn only"],
)
def test_a_box_drawn_otherwise_than_stored_is_told(service: Service, key: str, value: pikepdf.Name, shown: str) -> None:
    """The stored state counts, and the person learns what the page shows."""
    name = "children-0-support_needed"
    received = _read(service, lambda document: _field(document, name).__setitem__(key, value))
    assert shown in _found(received)["shown-differs", name].message


def test_a_mark_whose_name_is_no_text_is_a_mark(service: Service) -> None:
    """A box that is marked with a name in no encoding is not taken for an empty one, and no failure of the reader."""
    name = "children-0-support_needed"
    received = _read(service, lambda document: _field(document, name).__setitem__("/V", pikepdf.Object.parse(b"/On#a0")))
    assert received.submission.answers[name].raw == "on"


# ---------------------------------------------------------------- fields


def test_one_name_with_two_values_is_an_error(service: Service) -> None:
    """Two fields of one name and different answers: a person must choose."""
    received = _read(service, lambda document: _field(document, "supervisor_review").__setitem__("/T", String("recorder")))
    assert _found(received)["repeated-field", "recorder"].severity == "error"


def test_one_name_with_one_value_is_a_warning(service: Service) -> None:
    """Two fields of one name that agree are odd, but nothing is in doubt."""

    def edit(document: pikepdf.Pdf) -> None:
        twin = _field(document, "supervisor_review")
        twin.T, twin.V, twin.AP = String("recorder"), _field(document, "recorder").V, _field(document, "recorder").AP

    received = _read(service, edit)
    assert {key: found.severity for key, found in _found(received).items()} == {("repeated-field", "recorder"): "warning", ("fields-printed", ""): "warning"}  # the field that was renamed shows a text


def test_two_fields_nested_under_one_name_are_told(service: Service) -> None:
    """The second of two answers with one last name is not silently dropped."""

    def edit(document: pikepdf.Pdf) -> None:
        field = _field(document, "supervisor_review")
        parent = document.make_indirect(Dictionary(T=String("page2"), Kids=Array([field])))
        field.T, field.Parent = String("recorder"), parent

    assert ("repeated-field", "recorder") in _found(_read(service, edit))


def test_a_changed_value_of_ours_is_told(service: Service) -> None:
    """What we printed and locked is sealed: a change is noticed wherever it was made."""
    received = _read(service, _says("Another Hall", "site"))
    assert {("locked-value-changed", "site"), ("shown-differs", "site")} == set(_found(received))


def test_a_changed_value_of_ours_is_told_when_the_page_agrees(service: Service) -> None:
    """A forger who also redraws the page is noticed by the seal."""

    def edit(document: pikepdf.Pdf) -> None:
        _field(document, "site").V = String("Odette Larkspurling")
        _field(document, "site").AP = _field(document, "recorder").AP

    assert {("locked-value-changed", "site")} == set(_found(_read(service, edit)))


def test_an_emptied_value_of_ours_is_told(service: Service) -> None:
    """Taking a printed value away is a change too."""

    def edit(document: pikepdf.Pdf) -> None:
        del _field(document, "site")["/V"]
        del _field(document, "site")["/AP"]

    assert ("locked-value-changed", "site") in _found(_read(service, edit))


def test_a_field_that_the_form_does_not_ask_for_is_told(service: Service) -> None:
    """Somebody's own field is kept with the answers and named."""
    received = _read(service, lambda document: _field(document, "recorder").__setitem__("/T", String("shoe_size")))
    assert ("unknown-field", "shoe_size") in _found(received)
    assert received.submission.answers["shoe_size"].raw == "Odette Larkspurling"


# ---------------------------------------------------------------- which document


def _stamped(text: Callable[[int], str], *, only: str = "") -> Edit:
    """Put another text into the stamps of pages whose field name starts with `only`."""

    def edit(document: pikepdf.Pdf) -> None:
        for widget in widgets(document):
            name = full_name(widget)
            if name.startswith(only or "stamp-"):
                widget.V = String(text(int(name.rpartition("-")[2])))

    return edit


def _stamp_of(document: str = DOCUMENT, version: int = 1, key: bytes = KEY) -> Callable[[int], str]:
    return lambda page: stamp_text(Stamp(document=document, code="W", version=version), page, key)


def test_another_document_than_expected_is_told(service: Service) -> None:
    """A mix-up of two papers is noticed, and both are named in words."""
    message = _found(_read(service, lambda _: None, expected=OTHER))["other-document", ""].message
    assert "SAMPX-E0001" in message
    assert "7THER-D0CXX" in message


def test_the_expected_document_is_no_doubt(service: Service) -> None:
    """The right paper gives nothing to look at."""
    assert _found(_read(service, lambda _: None, expected=DOCUMENT)) == {}


def test_an_unknown_version_is_read_with_the_newest(service: Service) -> None:
    """A paper of a version that is not here is read, and the person learns with which."""
    received = _read(service, _stamped(_stamp_of(version=9)))
    assert ("other-version", "") in _found(received)
    assert (received.record.document, received.record.values["recorder"]) == (DOCUMENT, "Odette Larkspurling")


def test_pages_of_two_documents_are_an_error(service: Service) -> None:
    """A page that was put in from another paper is noticed."""
    received = _read(service, _stamped(_stamp_of(OTHER), only="stamp-a-2"), "worksheet-8-children")
    assert _found(received)["stamps-differ", ""].severity == "error"


def test_a_stamp_of_another_installation_is_told(service: Service) -> None:
    """A paper made with another key is read, but is not certain."""
    settings = Settings(templates=None, cache=service.settings.cache, key=KEY[::-1], most_megabytes=50)
    received = Service(settings).read(complete(service, "worksheet-1-child"))
    assert {("stamp-unverified", "")} == set(_found(received))


def _without_stamps(document: pikepdf.Pdf) -> None:
    for page in document.pages:
        page.obj.Annots = Array([it for it in page.obj.Annots if not full_name(it).startswith("stamp-")])
    document.Root.AcroForm.Fields = Array([it for it in document.Root.AcroForm.Fields if not full_name(it).startswith("stamp-")])


def test_without_stamps_the_metadata_say_which_document_it_is(service: Service) -> None:
    """The identity is repeated in the metadata; it is not certain then."""
    received = _read(service, _without_stamps)
    assert received.record.document == DOCUMENT
    assert {("stamp-unverified", "")} == set(_found(received))


def test_without_stamps_and_metadata_the_fields_say_which_form_it_is(service: Service) -> None:
    """The answers are read; which paper it is, a person must say."""

    def edit(document: pikepdf.Pdf) -> None:
        _without_stamps(document)
        del document.Root["/Metadata"]

    received = _read(service, edit)
    assert (received.record.document, received.record.form.name) == ("", "worksheet")
    assert {("stamp-missing", "")} == set(_found(received))


# ---------------------------------------------------------------- drawn over, active


def _markup(kind: str, name: str) -> Edit:
    """Draw something over a field with a markup tool."""

    def edit(document: pikepdf.Pdf) -> None:
        box = [float(edge) for edge in _field(document, name).Rect]
        note = Dictionary(Type=Name.Annot, Subtype=Name(kind), Rect=Array([round(edge) for edge in box]), Contents=String("no, ask Rosa"))
        document.pages[0].obj.Annots.append(document.make_indirect(note))

    return edit


@pytest.mark.parametrize("kind", ["/FreeText", "/Ink", "/Stamp", "/Highlight"])
def test_marks_over_a_field_are_told_with_the_field(service: Service, kind: str) -> None:
    """Typewriter text and ink are no answers; the person learns where to look."""
    assert {("ink-over-field", "recorder")} == set(_found(_read(service, _markup(kind, "recorder"))))


def _script(code: str = "app.alert(1)") -> pikepdf.Dictionary:
    return Dictionary(S=Name.JavaScript, JS=String(code))


def _embedding(document: pikepdf.Pdf) -> None:
    document.attachments["program.exe"] = b"MZ"


def _attached_note(document: pikepdf.Pdf) -> None:
    stream = document.make_stream(b"MZ", Type=Name.EmbeddedFile)
    spec = Dictionary(Type=Name.Filespec, F=String("program.exe"), EF=Dictionary(F=stream))
    note = Dictionary(Type=Name.Annot, Subtype=Name.FileAttachment, Rect=Array([9, 9, 19, 19]), FS=spec)
    document.pages[0].obj.Annots.append(document.make_indirect(note))


ACTIVE: Final[Mapping[str, tuple[Edit, str]]] = {
    "script on opening": (lambda document: document.Root.__setitem__("/OpenAction", _script()), "JavaScript"),
    "program on opening": (lambda document: document.Root.__setitem__("/OpenAction", Dictionary(S=Name.Launch, F=String("calc.exe"))), "Launch"),
    "document actions": (lambda document: document.Root.__setitem__("/AA", Dictionary(WC=_script())), "document actions"),
    "named script": (lambda document: document.Root.__setitem__("/Names", Dictionary(JavaScript=Dictionary(Names=Array([String("a"), _script()])))), "JavaScript"),
    "embedded file": (_embedding, "embedded files"),
    "XFA": (lambda document: document.Root.AcroForm.__setitem__("/XFA", document.make_stream(b"<xdp/>")), "XFA"),
}
HIDDEN: Final[Mapping[str, Edit]] = {
    "script of a field": lambda document: _field(document, "recorder").__setitem__("/AA", Dictionary(K=_script())),
    "script of a page": lambda document: document.pages[0].obj.__setitem__("/AA", Dictionary(O=_script())),
    "attached to a page": _attached_note,
}
"""Activity below the catalogue."""


@pytest.mark.parametrize("name", ACTIVE)
def test_active_content_is_told(service: Service, name: str) -> None:
    """What a document would do by itself is named, and the answers are read all the same."""
    edit, said = ACTIVE[name]
    received = _read(service, edit)
    assert said in _found(received)["active-content", ""].message
    assert received.record.values["recorder"] == "Odette Larkspurling"


@pytest.mark.parametrize("name", HIDDEN)
def test_active_content_of_fields_and_pages_is_told(service: Service, name: str) -> None:
    """A script or a file is as active on a field or a page as in the catalogue."""
    assert ("active-content", "") in _found(_read(service, HIDDEN[name]))
