"""Makes samples/returned anew: papers filled and saved by real programs, each with what must be read from it.

Run `python samples/make_returned.py` in the project's folder after a form's page has changed. The
documents have fixed ids and are stamped with a published key (`papers.SAMPLE_KEY`); the dates that
programs write into files make the bytes differ from run to run. The second table of README.md is
written anew with the versions of the programs. A program that is missing leaves its files alone.
"""

import json
import re
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any, Final

HERE: Final = Path(__file__).parent
sys.path.insert(0, str(HERE.parent))

from formsvc.service import Received, Service  # noqa: E402
from tests.papers import Paper, issue_paper, sample_service  # noqa: E402  (the harness of programs lives with the tests)
from tests.viewers import programs  # noqa: E402
from tests.viewers.writers import WRITERS  # noqa: E402

MOST_BYTES: Final = 400_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Returned:
    """One file of samples/returned."""

    writer: str
    sample: str
    document: str
    proves: str

    @property
    def name(self) -> str:
        """The file's name without its ending."""
        return f"{self.writer}-{self.sample}"


RETURNED: Final = (
    Returned(writer="pdfium", sample="worksheet-1-child", document="PDFXVM0001", proves="A form rewritten whole by Chrome's engine, as people mostly fill it in"),
    Returned(writer="pdfium", sample="fcch-three-homes", document="PDFXVM0002", proves="The same for another form with exclusive boxes and signatures"),
    Returned(writer="pdfium", sample="worksheet-long-notes", document="PDFXVM0003", proves="Long notes with many lines, which end in CR LF"),
    Returned(writer="pdfjs", sample="worksheet-spanish", document="PDFJS00001", proves="A second incremental update by Firefox's engine, on a Spanish form"),
    Returned(writer="pdfjs", sample="worksheet-scripts", document="PDFJS00002", proves="Twelve scripts typed; no pictures of their text, so that the viewer is asked to draw, and no false alarm"),
    Returned(writer="poppler", sample="fcch-three-homes", document="P0PP0ER001", proves="An incremental update by Evince's engine"),
    Returned(writer="mupdf", sample="worksheet-8-children", document="MVPDF00001", proves="Rewritten by MuPDF, which draws the export value of a choice: accepted, no false alarm"),
    Returned(writer="pdfbox", sample="worksheet-1-child", document="PDFB0X0001", proves="NeedAppearances set; an xref stream that does not list itself"),
    Returned(writer="pdflib", sample="worksheet-spanish", document="PDF01B0001", proves="Choices stored by label; all fields drawn anew with another font"),
    Returned(writer="pdftk", sample="worksheet-1-child", document="PDFTK00001", proves="Choices stored as arrays"),
    Returned(writer="pypdf", sample="worksheet-1-child", document="PYPDF00001", proves="NeedAppearances set by a Python library that people script with"),
    Returned(writer="pypdfform", sample="worksheet-1-child", document="PYPDFF0001", proves="Nothing is drawn: every text is told as not shown (a true alarm)"),
    Returned(writer="preview_like", sample="worksheet-8-children", document="PREV1EW001", proves="The field tree keeps one field only; the widgets on the pages are read, and it is told"),
    Returned(writer="acrobat_like", sample="worksheet-8-children", document="ACR0BAT001", proves="Acrobat's way of saving: the old bytes stay and an update follows"),
    Returned(writer="acrobat_like", sample="worksheet-scripts", document="ACR0BAT002", proves="? is drawn for letters beyond Latin-1 and a line ends in CR: values right, and it is told what the page shows"),
)


def expected(received: Received) -> dict[str, Any]:
    """What `formsvc read --json` must give: without places and wording, which follow the page and the language."""
    record = received.record
    return {
        "document": record.document,
        "form": record.form.name,
        "version": record.form.version,
        "source": received.submission.source,
        "values": record.values,
        "problems": sorted([found.code, found.field] for found in record.problems),
    }


def make(service: Service, returned: Returned) -> str:
    """Fill, save, read and write one file with its expectation; refuses to write what does not come back equal."""
    paper: Paper = issue_paper(service, returned.sample, returned.document)
    content = WRITERS[returned.writer](paper.issued, paper.typed)
    received = service.read(content, expected=returned.document)
    if received.record.values != paper.values:
        raise SystemExit(f"{returned.name}: what was read is not what was typed; nothing was written")
    if len(content) > MOST_BYTES:
        raise SystemExit(f"{returned.name}: {len(content)} bytes are too many for a sample")
    (HERE / "returned" / f"{returned.name}.pdf").write_bytes(content)
    listing = json.dumps(expected(received), ensure_ascii=False, indent=1)
    (HERE / "returned" / f"{returned.name}.json").write_text(listing + "\n", encoding="utf-8")
    return f"{returned.name}: {len(content) // 1000} KB, {len(received.record.problems)} problems"


# ---------------------------------------------------------------- provenance


def _package(name: str) -> str:
    return version(name)


def _debian(package: str) -> str:
    return programs.run("dpkg-query", "-W", "-f=${Version}", package).decode()


def _npm(package: str) -> str:
    listing = json.loads((programs.HERE / "node_modules" / package / "package.json").read_text(encoding="utf-8"))
    return str(listing["version"])


MADE_BY: Final[Mapping[str, tuple[str, Any, str]]] = {
    "pdfium": ("PDFium through pypdfium2 {}, typed with mouse and keys", _package, "pypdfium2"),
    "pdfjs": ("pdf.js {}", _npm, "pdfjs-dist"),
    "poppler": ("Poppler {} (GLib interface)", _debian, "libpoppler-glib8"),
    "mupdf": ("MuPDF through PyMuPDF {}", _package, "PyMuPDF"),
    "pdfbox": ("PDFBox {}, ImportFDF", _debian, "libpdfbox2-java"),
    "pdflib": ("pdf-lib {}", _npm, "pdf-lib"),
    "pdftk": ("pdftk-java {}, fill_form", _debian, "pdftk-java"),
    "pypdf": ("pypdf {}", _package, "pypdf"),
    "pypdfform": ("PyPDFForm {}", _package, "PyPDFForm"),
    "preview_like": ("an imitation of macOS Preview with pikepdf {} (tests/viewers/simulations.py)", _package, "pikepdf"),
    "acrobat_like": ("an imitation of Adobe Acrobat with pikepdf {} (tests/viewers/simulations.py)", _package, "pikepdf"),
}


def made_by(writer: str) -> str:
    """The program and its version on this machine."""
    said, ask, package = MADE_BY[writer]
    return said.format(ask(package))


def _row(returned: Returned) -> str:
    return f"| `returned/{returned.name}.pdf` and `.json` | {made_by(returned.writer)} | {returned.proves} |"


def write_readme() -> None:
    """Put the table of returned documents between its marks in README.md."""
    file = HERE / "README.md"
    table = "\n".join(["| file | made by | what it proves |", "|---|---|---|", *map(_row, RETURNED)])
    text = re.sub(r"(<!-- returned -->\n).*(<!-- end -->)", lambda found: f"{found[1]}{table}\n{found[2]}", file.read_text(encoding="utf-8"), flags=re.DOTALL)
    file.write_text(text, encoding="utf-8")


def main() -> None:
    """Make every file whose program is here."""
    service = sample_service(HERE.parent / ".pytest_cache" / "samples")
    for returned in RETURNED:
        missing = WRITERS[returned.writer].available()
        print(f"{returned.name}: left alone, {missing}" if missing else make(service, returned))
    write_readme()


if __name__ == "__main__":
    main()
