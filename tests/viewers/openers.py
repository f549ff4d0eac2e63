"""Programs that open protected documents, each as ``(document, password) -> text``; ``None`` where it refuses.

The password ``None`` means that none is given at all. Every program says no in its own words, and
each is looked for: a program that fails for another reason is an error, not a refusal.
"""

from __future__ import annotations

import io
import json
import tempfile
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

import msoffcrypto
import pymupdf
import pypdf
import pypdfium2
from msoffcrypto.exceptions import DecryptionError, InvalidKeyError

from . import programs

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    Open = Callable[[bytes, str | None], str | None]


@dataclass(frozen=True, slots=True, kw_only=True)
class Opener:
    """A program that opens protected documents."""

    open: Open
    available: Callable[[], str | None] = programs.nothing_missing
    most_characters: int | None = None
    """Longer passwords are cut by the command line, and so refused; ``None`` where they are not."""


def _run(document: bytes, command: Callable[[str, str], Sequence[str]], refusal: str) -> str | None:
    """What a program writes to ``command(source, target)``'s target; ``None`` if it refuses in these words."""
    with tempfile.TemporaryDirectory() as folder:
        source, target = Path(folder, "in.pdf"), Path(folder, "out")
        source.write_bytes(document)
        try:
            programs.run(*command(str(source), str(target)))
        except programs.ProgramError as problem:
            if refusal not in str(problem):
                raise
            return None
        return _text_of(target.read_bytes())


def _text_of(content: bytes) -> str:
    return pymupdf_text(content) if content.startswith(b"%PDF-") else content.decode("utf-8")


def pymupdf_text(pdf: bytes) -> str:
    """The text of a PDF without protection."""
    with pymupdf.open(stream=pdf, filetype="pdf") as document:
        return "".join(page.get_text() for page in document)


def _given(option: str, password: str | None) -> tuple[str, ...]:
    return () if password is None else (option, password)


def _qpdf(pdf: bytes, password: str | None) -> str | None:
    given = () if password is None else (f"--password={password}",)
    return _run(pdf, lambda source, target: ("qpdf", *given, "--decrypt", source, target), "invalid password")


def _pdftotext(pdf: bytes, password: str | None) -> str | None:
    return _run(pdf, lambda source, target: ("pdftotext", *_given("-upw", password), source, target), "Incorrect password")


def _poppler(pdf: bytes, password: str | None) -> str | None:
    """Through the library, as Evince opens documents."""
    script = Path(__file__).with_name("poppler_open.py")
    return _run(pdf, lambda source, target: (programs.DEBIAN_PYTHON, str(script), source, target, *_given("", password)[1:]), "Document is encrypted")


def _mutool(pdf: bytes, password: str | None) -> str | None:
    return _run(pdf, lambda source, target: ("mutool", "draw", "-q", "-F", "txt", "-o", target, *_given("-p", password), source), "cannot authenticate password")


def _pymupdf(pdf: bytes, password: str | None) -> str | None:
    with pymupdf.open(stream=pdf, filetype="pdf") as document:
        if document.needs_pass and not (password is not None and document.authenticate(password)):
            return None
        return "".join(page.get_text() for page in document)


_JARS = ":".join(f"{programs.JARS}/{jar}.jar" for jar in ("pdfbox2-tools", "pdfbox2", "fontbox2", "commons-logging", "bcprov"))
_JAVA = ("java", "-Dorg.apache.commons.logging.Log=org.apache.commons.logging.impl.NoOpLog", "-cp", _JARS)


def _pdfbox(pdf: bytes, password: str | None) -> str | None:
    """Through WriteDecodedDoc: ExtractText obeys “no copying”, and Decrypt wants the owner's password."""
    return _run(pdf, lambda source, target: (*_JAVA, "org.apache.pdfbox.tools.WriteDecodedDoc", *_given("-password", password), source, target), "InvalidPasswordException")


def _pdfium(pdf: bytes, password: str | None) -> str | None:
    try:
        document = pypdfium2.PdfDocument(pdf, password=password)
    except pypdfium2.PdfiumError as problem:
        if "password" not in str(problem).lower():
            raise
        return None
    with document:
        return "".join(page.get_textpage().get_text_bounded() for page in document)


def _pypdf(pdf: bytes, password: str | None) -> str | None:
    try:
        reader = pypdf.PdfReader(io.BytesIO(pdf), password=password)
        return "".join(page.extract_text() for page in reader.pages)
    except (pypdf.errors.WrongPasswordError, pypdf.errors.FileNotDecryptedError):
        return None


PDF_OPENERS = {
    "qpdf": Opener(open=_qpdf, available=programs.needs_command("qpdf", "qpdf")),
    "pdftotext": Opener(open=_pdftotext, available=programs.needs_command("pdftotext", "poppler-utils"), most_characters=32),
    "poppler": Opener(open=_poppler, available=programs.poppler_binding_missing),
    "mutool": Opener(open=_mutool, available=programs.needs_command("mutool", "mupdf-tools")),
    "pymupdf": Opener(open=_pymupdf),
    "pdfbox": Opener(open=_pdfbox, available=programs.needs_jar("pdfbox2-tools.jar", "libpdfbox2-java")),
    "pdfium": Opener(open=_pdfium),
    "pypdf": Opener(open=_pypdf),
}


def _msoffcrypto(document: bytes, password: str | None) -> str | None:
    file, out = msoffcrypto.OfficeFile(io.BytesIO(document)), io.BytesIO()
    try:
        file.load_key(password=password, verify_password=True)
    except (InvalidKeyError, DecryptionError):
        return None
    file.decrypt(out, verify_integrity=True)
    return out.getvalue().decode("latin-1")


@cache
def libreoffice_missing() -> str | None:
    """Return why LibreOffice cannot be driven here, or ``None``."""
    if missing := programs.needs_command("soffice", "libreoffice-writer-nogui")():
        return missing
    try:
        programs.run(programs.DEBIAN_PYTHON, "-c", "import uno")
    except (programs.ProgramError, FileNotFoundError):
        return "LibreOffice's Python bridge is missing: apt-get install python3-uno"
    return None


def open_in_libreoffice(document: bytes, passwords: Sequence[str | None]) -> list[str | None]:
    """What LibreOffice shows for each password, in one start of the program."""
    with tempfile.TemporaryDirectory() as folder:
        file, job = Path(folder, "in.docx"), Path(folder, "job.json")
        file.write_bytes(document)
        job.write_text(json.dumps({"file": str(file), "passwords": list(passwords)}), encoding="utf-8")
        script = Path(__file__).with_name("libreoffice_open.py")
        answers: list[str | None] = json.loads(programs.run(programs.DEBIAN_PYTHON, str(script), str(job)))
        return answers


def open_in_msoffcrypto(document: bytes, passwords: Sequence[str | None]) -> list[str | None]:
    """The bytes of the package as Latin-1, for each password."""
    return [_msoffcrypto(document, password) for password in passwords]
