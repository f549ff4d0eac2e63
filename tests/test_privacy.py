"""What stays inside a document: names and notes never reach logs, metadata, stamps or file names.

1. Issuing and reading log nothing of what was written, at any level.
2. A document's metadata, its identity and its codes hold no personal data.
3. No file beside the document holds an answer.
"""

import io
import json
import logging
import os
import re
from pathlib import Path

import pikepdf
import pypdfium2
import pytest
import zxingcpp

from formsvc.errors import Refused
from formsvc.model.stamp import read_stamp
from formsvc.renderers import compile as compiling
from formsvc.service import Received, Service
from tests.small_forms import KEY, installation

ANSWERS = {
    "agency": "Quillback Agency", "site": "Zephyrine Hall", "unit": "Xylander class", "recorder": "Wilhelmina Quackenbush",
    "attendance": [{"role": "educator", "name": "Ottoline Vandersloot", "present": True}],
    "children": [
        {"child_name": "Bartholomew Fitzgibbon", "child_id": "ZZ-4711", "birth_date": "2021-03-19", "discussion_points": "Grandmother Persephone is unwell. " * 60, "no_discussion_points": True},
        {"child_name": "Đorđe Петровић 李小龍", "home_language": "ქართული", "discussion_points": "Шта год је речено овде."},
    ],
}  # fmt: skip
SECRETS = ("Quillback", "Zephyrine", "Xylander", "Wilhelmina", "Quackenbush", "Ottoline", "Vandersloot", "Bartholomew", "Fitzgibbon", "ZZ-4711", "2021-03-19", "03/19/2021", "Persephone", "unwell", "Đorđe", "Петровић", "李小龍", "ქართული", "Шта год")


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An installation of its own, so that everything is compiled and logged here."""
    return tmp_path_factory.mktemp("privacy")


@pytest.fixture(scope="module")
def logged(folder: Path) -> tuple[bytes, Received, list[str]]:
    """A document issued and read with every logger at its most talkative, and all that was logged."""
    records: list[str] = []

    class Keeper(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            records.append(f"{record.name} {record.getMessage()} {record.args} {record.exc_info}")

    compiling._compiled.cache_clear()
    root, keeper = logging.getLogger(), Keeper()
    level = root.level
    root.addHandler(keeper)
    root.setLevel(logging.DEBUG)
    try:
        service = Service(installation(folder))
        content = service.issue("worksheet", ANSWERS).content
        received = service.read(content)
    finally:
        root.removeHandler(keeper)
        root.setLevel(level)
    return content, received, records


def leaks(text: str) -> list[str]:
    """The secrets that stand in a text, however it is written."""
    return [secret for secret in SECRETS if secret.lower() in text.lower()]


def test_the_answers_are_in_the_document(logged: tuple[bytes, Received, list[str]]) -> None:
    """The document that the other tests look at does hold what they look for."""
    assert leaks(json.dumps(logged[1].record.values, ensure_ascii=False)) == [secret for secret in SECRETS if secret != "03/19/2021"]


def test_logs_hold_no_answers(logged: tuple[bytes, Received, list[str]]) -> None:
    """Nothing of what was written is logged while issuing and reading, at any level, by any library."""
    assert leaks("\n".join(logged[2])) == []


def test_metadata_holds_no_answers(logged: tuple[bytes, Received, list[str]]) -> None:
    """Document information and XMP tell form, language, layout and document id, and no more."""
    with pikepdf.open(io.BytesIO(logged[0])) as pdf:
        xmp = pdf.Root.Metadata.read_bytes().decode("utf-8")
        info = " ".join(f"{key} {value}" for key, value in pdf.docinfo.items())
        assert set(pdf.Root.keys()) <= {"/AcroForm", "/Lang", "/MarkInfo", "/Metadata", "/Names", "/Outlines", "/Pages", "/StructTreeRoot", "/Type", "/ViewerPreferences", "/PageLabels", "/OutputIntents"}
        names = pdf.Root.get("/Names", pikepdf.Dictionary())
        assert set(names.keys()) <= {"/Dests"}
        assert leaks(names.unparse(resolved=True).decode("latin-1")) == []
    assert leaks(xmp + info) == []
    facts = dict(re.findall(r'formsvc:(\w+)="([^"]*)"', xmp))
    assert set(facts) == {"document", "form", "version", "lang", "rows", "layout"}
    assert (facts["document"], facts["rows"]) == (logged[1].record.document, "attendance=4,children=2,reports=4")


def test_stamps_hold_no_answers(logged: tuple[bytes, Received, list[str]]) -> None:
    """The codes of every page hold the document, form, version and page; documents with other answers have other random ids."""
    with pypdfium2.PdfDocument(logged[0]) as document:
        document.init_forms()
        images = [page.render(scale=150 / 72, grayscale=True).to_pil() for page in document]
    for number, image in enumerate(images, start=1):
        texts = {code.text for code in zxingcpp.read_barcodes(image)}
        assert len(texts) == 1
        found = read_stamp(texts.pop(), KEY)
        assert found is not None
        assert (found.stamp.document, found.stamp.code, found.page, found.sealed) == (logged[1].record.document, "W", number, True)


def test_an_id_says_nothing_about_the_answers(folder: Path) -> None:
    """The same answers issued twice have different ids: nobody can find a document by what is in it."""
    service = Service(installation(folder))
    assert service.issue("worksheet", ANSWERS).document != service.issue("worksheet", ANSWERS).document


def test_files_beside_the_document_hold_no_answers(folder: Path, logged: tuple[bytes, Received, list[str]]) -> None:
    """The cache has blanks only: neither its names nor its files hold an answer."""
    files = [file for file in folder.rglob("*") if file.is_file()]
    assert files
    assert leaks(" ".join(str(file.relative_to(folder)) for file in files)) == []
    for file in files:
        content = file.read_bytes()
        if file.suffix == ".pdf":
            with pikepdf.open(file) as pdf:
                content = b" ".join(item.unparse(resolved=True) for item in pdf.objects if isinstance(item, pikepdf.Dictionary))
        assert leaks(content.decode("latin-1")) == [], file.name


def test_refusals_of_files_hold_no_answers(tmp_path: Path, logged: tuple[bytes, Received, list[str]]) -> None:
    """A document that cannot be read is refused without quoting it."""
    service = Service(installation(tmp_path))
    for content in (logged[0][:2_000], logged[0][:-500], b"%PDF-1.7 " + b" ".join(secret.encode() for secret in SECRETS)):
        with pytest.raises(Refused) as caught:
            service.read(content)
        assert leaks(caught.value.message) == []


def test_nothing_is_left_in_the_temporary_folder(folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Issuing and reading leave no temporary files behind."""
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    monkeypatch.setattr("tempfile.tempdir", None)
    service = Service(installation(folder))
    service.read(service.issue("worksheet", ANSWERS).content)
    assert os.listdir(tmp_path) == []  # noqa: PTH208
