"""Letters: a summary as PDF against docxtpl with LibreOffice, protection, and invitations for two hundred people.

Times are by the wall: LibreOffice is a process of its own, and so is each reading of a template here.
"""

import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from datetime import date
from pathlib import Path
from typing import Any, Final

import pypdfium2
from docxtpl import DocxTemplate

from benchmarks.clock import WARMING, alternate
from benchmarks.table import Row, milliseconds, named, ratio_row, yes
from formsvc.casework.letters import LetterName
from formsvc.letters import LetterJob, open_case, sample_context, write_letter
from formsvc.protection import lock
from formsvc.renderers.paginate import paginate
from formsvc.service import Service
from formsvc.settings import PACKAGE, samples_folder

_PASSWORD: Final = "tulip-harbor-lantern-orchid-meadow-copper"  # noqa: S105  (it locks nothing but benchmarks)
_TODAY: Final = date(2026, 12, 8)
_PEOPLE: Final = 200
_TIMES: Final = 10  # at least so many times as fast as with LibreOffice
_MILLISECONDS: Final = 50
_FACES: Final = ("docx", "pdf", "eml")


def run(service: Service, rounds: int) -> Iterator[Row]:
    """All rows of this benchmark."""
    with tempfile.TemporaryDirectory() as folder:
        for name in ("summary", "invitation"):
            yield from _against_libreoffice(service, name, Path(folder), rounds)
        yield _protection(rounds)
        yield _invitations(Path(folder))


def _data(number: int) -> dict[str, Any]:
    """The sample case; no two neighbours are alike."""
    data: dict[str, Any] = json.loads((samples_folder() / "cases" / "conference.json").read_text(encoding="utf-8"))
    data["notes"]["medical_updates"] += f" Number {number}."
    return data


def _against_libreoffice(service: Service, name: LetterName, folder: Path, rounds: int) -> Iterator[Row]:
    program = shutil.which("soffice")
    password = _PASSWORD if name == "summary" else None
    template, context = service.catalog.letter(name).files["en"], sample_context(service.catalog, name)

    def ours(number: int) -> bytes:
        case = open_case(service.catalog, _data(number))
        to = None if password else case.team[0]
        return write_letter(service.catalog, LetterJob(name=name, face="pdf", case=case, lang="en", today=_TODAY, recipient=to, password=password)).content

    def theirs(number: int) -> bytes:
        letter = DocxTemplate(template)
        letter.render(context | {"today": str(number)}, autoescape=True)
        letter.save(folder / "letter.docx")
        profile = f"-env:UserInstallation={(folder / 'profile').as_uri()}"
        subprocess.run([str(program), "--headless", profile, "--convert-to", "pdf", "--outdir", str(folder), str(folder / "letter.docx")], check=True, capture_output=True)
        return (folder / "letter.pdf").read_bytes()

    what = f"{name} as PDF, from data"
    times = alternate({"formsvc": ours} | ({"LibreOffice": theirs} if program else {}), rounds, time.perf_counter)
    yield Row(what=what, who="formsvc", result=milliseconds(times["formsvc"].seconds), out=f"{_pages(ours(WARMING), password)} pages{', protected' if password else ''}")
    if program is None:
        yield Row(what=what, who="LibreOffice", result="not installed", held="NO", target=f"≥ {_TIMES}×")
        return
    ratio = times["LibreOffice"].times_slower_than(times["formsvc"])
    yield ratio_row(what, f"{named('docxtpl')} + LibreOffice, warm profile", milliseconds(times["LibreOffice"].seconds), ratio=ratio, least=_TIMES if password else None, out=f"{_pages(theirs(WARMING), None)} pages")


def _pages(pdf: bytes, password: str | None) -> int:
    return len(pypdfium2.PdfDocument(pdf, password=password))


def _protection(rounds: int) -> Row:
    """Locking a PDF of five pages, with the check after writing."""
    text = "<p>Words of a page that is about as full as a page of notes.</p>" * 15
    pdf = paginate(f'<!doctype html><html lang="en"><head><title>Notes</title></head><body>{f"<div style=break-after:page>{text}</div>" * 5}</body></html>')
    seconds = alternate({"lock": lambda _number: lock(pdf, _PASSWORD)}, rounds, time.perf_counter)["lock"].seconds
    return Row(what="protect a PDF", who="formsvc", result=milliseconds(seconds), target=f"≤ {_MILLISECONDS} ms", held=yes(seconds * 1000 <= _MILLISECONDS), out=f"{_pages(pdf, None)} pages, checked")


def _invitations(folder: Path) -> Row:
    """One invitation for each of two hundred people, as the command line writes them."""
    data = _data(0)
    data["team"] = [{"name": f"Person {number}", "role": "Teacher", "email": f"p{number}@example.org"} for number in range(_PEOPLE)]
    case, out = folder / "case.json", folder / "all"
    case.write_text(json.dumps(data), encoding="utf-8")
    environment = os.environ | {"FORMSVC_DATA": str(folder / "data"), "PYTHONPATH": str(PACKAGE.parent)}
    command = [sys.executable, "-m", "formsvc", "letter", "invitation", "--data", str(case), "--each", str(out), "--today", _TODAY.isoformat()]
    start = time.perf_counter()
    subprocess.run(command, check=True, capture_output=True, env=environment)
    seconds = time.perf_counter() - start
    written = len([file for file in out.iterdir() if file.suffix[1:] in _FACES])
    return Row(what=f"{_PEOPLE} invitations", who="formsvc", result=f"{seconds:,.0f} s", held=yes(written == _PEOPLE * len(_FACES)), out=f"{written} files: Word, PDF, mail")
