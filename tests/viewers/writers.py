"""Programs that people fill forms with, each as ``(pdf, values) -> pdf``.

``values`` maps full field names to text, to ``True`` or ``False`` for check boxes, and to export
values for choices; radio buttons were not tried. What each program does differently from the
others was measured with the versions in Debian 12, ``requirements`` and ``package-lock.json``, and
stands in the table at the end.
"""

from __future__ import annotations

import io
import json
import re
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import pikepdf
import pymupdf
import pypdf
from PyPDFForm import PdfWrapper

from formsvc.typist import type_into

from . import programs, simulations
from .fields import Field, read_fields

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    Values = Mapping[str, str | bool]

Carries = Literal["any", "bmp", "latin1", "font"]
"""Text whose value survives; ``font`` is what the font in the field's ``/DA`` has."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Writer:
    """A program that saves changed field values, and its measured habits."""

    write: Callable[[bytes, Values], bytes]
    available: Callable[[], str | None] = programs.nothing_missing
    """Return why the program cannot run here, with the package to install, or ``None``."""

    carries: Carries = "any"
    line_break: str = "\n"
    """What the file has for a line feed."""

    choice: Literal["export", "label", "list"] = "export"
    """What the file has for a choice: text, or an array with the export value."""

    is_incremental: bool = False
    """The saved file begins with all bytes of the old one."""

    empties_text: bool = True
    clears_boxes: bool = True
    quirks: tuple[str, ...] = ()

    def __call__(self, pdf: bytes, values: Values) -> bytes:
        """Return the document as the program saves it; ``LookupError`` for an unknown name."""
        unknown = values.keys() - read_fields(pdf).keys()
        if unknown:
            message = f"The document has no field {sorted(unknown)}."
            raise LookupError(message)
        return self.write(pdf, values)


def _with_states(pdf: bytes, values: Values) -> dict[str, str]:
    """Replace booleans by the appearance states of the boxes."""
    fields = read_fields(pdf)
    return {name: _state_or_text(fields[name], value) for name, value in values.items()}


def _state_or_text(field: Field, value: str | bool) -> str:
    return field.state(value) if isinstance(value, bool) else value


def _with_labels(pdf: bytes, values: Values) -> dict[str, str | bool]:
    """Replace the export values of choices by the labels that people see."""
    fields = read_fields(pdf)
    return {
        name: fields[name].label(value) if isinstance(value, str) else value
        for name, value in values.items()
    }


def _pdfjs(pdf: bytes, values: Values) -> bytes:
    script = str(programs.HERE / "pdfjs_fill.mjs")
    return programs.transform_with_values(pdf, values, "node", script)


def _poppler(pdf: bytes, values: Values) -> bytes:
    script = str(programs.HERE / "poppler_fill.py")
    labelled = _with_labels(pdf, values)
    return programs.transform_with_values(pdf, labelled, programs.DEBIAN_PYTHON, script)


def _mupdf(pdf: bytes, values: Values) -> bytes:
    with pymupdf.open(stream=pdf, filetype="pdf") as document:  # type: ignore[no-untyped-call]
        for page in document:
            for widget in page.widgets():
                if widget.field_name in values:
                    widget.field_value = values[widget.field_name]
                    widget.update()
        saved: bytes = document.tobytes()
    return saved


_PDFBOX_JARS = ("pdfbox2-tools.jar", "pdfbox2.jar", "fontbox2.jar", "commons-logging.jar")
_QUIET = "-Dorg.apache.commons.logging.Log=org.apache.commons.logging.impl.NoOpLog"


def _pdfbox(pdf: bytes, values: Values) -> bytes:
    jars = ":".join(f"{programs.JARS}/{jar}" for jar in _PDFBOX_JARS)
    # PDFBox lists all fonts of the machine once and keeps the list; not in somebody's home.
    cache = f"-Dpdfbox.fontcache={tempfile.gettempdir()}"
    java = ("java", _QUIET, cache, "-cp", jars, "org.apache.pdfbox.tools.ImportFDF")
    fdf = _fdf(_with_states(pdf, values), read_fields(pdf))
    return _with_fdf(pdf, fdf, lambda source, data, target: (*java, source, data, target))


def _pdftk(pdf: bytes, values: Values) -> bytes:
    fdf = _fdf(_with_states(pdf, values), read_fields(pdf))
    return _with_fdf(
        pdf,
        fdf,
        lambda source, data, target: ("pdftk", source, "fill_form", data, "output", target),
    )


def _with_fdf(pdf: bytes, fdf: bytes, command: Callable[[str, str, str], Sequence[str]]) -> bytes:
    def with_paths(source: Path, target: Path) -> Sequence[str]:
        data = source.with_name("values.fdf")
        data.write_bytes(fdf)
        return command(str(source), str(data), str(target))

    return programs.transform(pdf, with_paths)


def _fdf(texts: Mapping[str, str], fields: Mapping[str, Field]) -> bytes:
    """Return Forms Data Format (ISO 32000-1, 12.7.7), with full names and UTF-16 values."""
    entries = "\n".join(
        f"<< /T {_utf16(name)} /V {_fdf_value(fields[name], text)} >>"
        for name, text in texts.items()
    )
    return (
        f"%FDF-1.2\n1 0 obj\n<< /FDF << /Fields [\n{entries}\n] >> >>\nendobj\n"
        "trailer\n<< /Root 1 0 R >>\n%%EOF\n"
    ).encode("ascii")


def _fdf_value(field: Field, text: str) -> str:
    if field.kind in {"box", "radio"}:
        return pikepdf.Name(f"/{text}").unparse().decode("ascii")
    return _utf16(text)


def _utf16(text: str) -> str:
    encoded = ("\ufeff" + text).encode("utf-16-be")
    return f"<{encoded.hex()}>"


_PDFLIB_FONT = Path("/usr/share/fonts/truetype/noto/NotoSans-Regular.ttf")


def _pdflib(pdf: bytes, values: Values) -> bytes:
    script = str(programs.HERE / "pdflib_fill.mjs")
    labelled = _with_labels(pdf, values)
    return programs.transform_with_values(pdf, labelled, "node", script, f"--font={_PDFLIB_FONT}")


def _pdflib_missing() -> str | None:
    if not _PDFLIB_FONT.exists():
        return "Noto Sans is missing: apt-get install fonts-noto-core"
    return programs.needs_npm("pdf-lib")()


def _pypdf(pdf: bytes, values: Values) -> bytes:
    states = _with_states(pdf, values)
    fields = read_fields(pdf)
    slashed = {
        name: f"/{text}" if fields[name].kind in {"box", "radio"} else text
        for name, text in states.items()
    }
    writer = pypdf.PdfWriter(clone_from=io.BytesIO(pdf))
    writer.update_page_form_field_values(None, slashed)
    saved = io.BytesIO()
    writer.write(saved)
    return saved.getvalue()


def _pypdfform(pdf: bytes, values: Values) -> bytes:
    fields = read_fields(pdf)
    numbered = {name: _option_number(fields[name], value) for name, value in values.items()}
    filled: bytes = PdfWrapper(pdf, use_full_widget_name=True).fill(numbered).read()
    return filled


def _option_number(field: Field, value: str | bool) -> str | bool | int:
    """PyPDFForm chooses by position."""
    if field.kind == "choice":
        return [label for _, label in field.options].index(field.label(str(value)))
    if field.kind == "radio":
        return field.on_states.index(str(value))
    return value


def _qpdf(pdf: bytes, values: Values) -> bytes:
    """Set ``/V``, ``/AS`` and ``/NeedAppearances`` by JSON, then let qpdf draw the text."""
    changed = programs.transform(pdf, lambda source, target: _qpdf_update(source, target, values))
    # It warns of each box whose state is not called Yes, and leaves the box as it is.
    draw = ("qpdf", "--warning-exit-0", "--generate-appearances")
    return programs.transform(changed, lambda source, target: (*draw, str(source), str(target)))


def _qpdf_update(source: Path, target: Path, values: Values) -> Sequence[str]:
    objects = _qpdf_json(source, "qpdf", "--json-stream-data=none")
    listed = _qpdf_json(source, "acroform")["fields"]
    texts = _with_states(source.read_bytes(), values)
    for entry in listed:
        if entry["fullname"] in texts:
            _qpdf_set(objects[1], entry, texts[entry["fullname"]])
    _qpdf_ask_for_appearances(objects[1])
    changed = {key: it for key, it in objects[1].items() if it.pop("changed", False)}
    update = source.with_name("update.json")
    update.write_text(json.dumps({"qpdf": [objects[0], changed]}), encoding="utf-8")
    return ("qpdf", str(source), f"--update-from-json={update}", str(target))


def _qpdf_json(source: Path, key: str, *options: str) -> Any:  # noqa: ANN401 - any JSON
    output = programs.run("qpdf", "--json=2", f"--json-key={key}", *options, str(source))
    # qpdf 11.3 hands on numbers such as "14." as the PDF has them, which JSON does not allow.
    return json.loads(re.sub(rb"(?m)(\d)\.(,?)$", rb"\1\2", output))[key]


def _qpdf_set(objects: dict[str, Any], entry: dict[str, Any], text: str) -> None:
    """Set the value in the dictionary that has the name, and the state in the widget."""
    field = objects[f"obj:{entry['object']}"]
    while "/T" not in field["value"]:
        field = objects[f"obj:{field['value']['/Parent']}"]
    is_button = entry["fieldtype"] == "/Btn"
    field["value"]["/V"] = f"/{text}" if is_button else f"u:{text}"
    field["changed"] = True
    if is_button:
        widget = objects[f"obj:{entry['annotation']['object']}"]
        states = widget["value"].get("/AP", {}).get("/N", {})
        widget["value"]["/AS"] = f"/{text}" if f"/{text}" in states else "/Off"
        widget["changed"] = True


def _qpdf_ask_for_appearances(objects: dict[str, Any]) -> None:
    holder = next(it for it in objects.values() if _qpdf_type(it) == "/Catalog")
    form = holder["value"]["/AcroForm"]
    if isinstance(form, str):
        holder = objects[f"obj:{form}"]
        form = holder["value"]
    form["/NeedAppearances"] = True
    holder["changed"] = True


def _qpdf_type(item: dict[str, Any]) -> str | None:
    value = item.get("value")
    return value.get("/Type") if isinstance(value, dict) else None


_WINANSI_PICTURE = "Draws ? for what WinAnsi does not have; the value is right."

WRITERS: Mapping[str, Writer] = {
    "pdfium": Writer(
        write=type_into,
        line_break="\r\n",
        quirks=(
            "Tabulators become spaces and other control characters are lost: there is no key.",
            (
                "Letters that the field's font lacks are drawn with fonts that are not embedded, or "
                "left blank where the machine has none."
            ),
        ),
    ),
    "pdfjs": Writer(
        write=_pdfjs,
        available=programs.needs_npm("pdfjs-dist"),
        is_incremental=True,
        quirks=(
            (
                "Text that the field's font lacks gets no /AP but /NeedAppearances, which is left out "
                "where /AcroForm is a direct object of the catalogue."
            ),
        ),
    ),
    "poppler": Writer(
        write=_poppler,
        available=programs.poppler_binding_missing,
        is_incremental=True,
        quirks=(
            "Embeds whole system fonts for letters that the field's font lacks: 20 MB for Chinese.",
            "Chooses options by position; the interface does not tell export values.",
        ),
    ),
    "mupdf": Writer(
        write=_mupdf,
        empties_text=False,
        quirks=(
            "PyMuPDF ignores an empty text: the old value stays.",
            "Draws the export value of a choice instead of its label.",
        ),
    ),
    "pdfbox": Writer(
        write=_pdfbox,
        available=programs.needs_jar("pdfbox2-tools.jar", "libpdfbox2-java"),
        carries="font",
        quirks=(
            "Saves nothing at all when the field's font lacks one letter of one value.",
            "Sets /NeedAppearances, and draws the export value of a choice instead of its label.",
        ),
    ),
    "pdflib": Writer(
        write=_pdflib,
        available=_pdflib_missing,
        choice="label",
        quirks=(
            "Stores the label of a choice; an export value would turn it into an editable field.",
            "Takes /V away when the text is empty.",
            "Draws all fields anew and upside down where /Rect names the upper corner first.",
            (
                "Refuses text outside WinAnsi unless a font is embedded: Noto Sans is, here. What that "
                "lacks is drawn as empty boxes."
            ),
        ),
    ),
    "pdftk": Writer(
        write=_pdftk,
        available=programs.needs_command("pdftk", "pdftk-java"),
        choice="list",
        quirks=(
            "Makes the value of a combo box an array of one, with /I.",
            (
                "Leaves letters out of the picture that the field's font lacks; with a composite font "
                "in /DA the whole picture is empty."
            ),
        ),
    ),
    "pypdf": Writer(
        write=_pypdf,
        quirks=(
            "Sets /NeedAppearances by default; draws ? for what the field's font lacks.",
            "Draws the export value of a choice instead of its label.",
        ),
    ),
    "pypdfform": Writer(
        write=_pypdfform,
        choice="label",
        clears_boxes=False,
        quirks=(
            "Stores the label of a choice.",
            "Knows a ticked box only where its state is called Yes; others stay ticked.",
            "Draws nothing: /AP of a text or a choice becomes a string, which is not allowed.",
        ),
    ),
    "qpdf": Writer(
        write=_qpdf,
        available=programs.needs_command("qpdf", "qpdf"),
        quirks=(
            (
                "Draws one line in single bytes: line feeds stay in the string, letters outside "
                "WinAnsi become ?, a composite font in /DA makes nonsense of all."
            ),
            "Draws the export value of a choice instead of its label.",
            "Writes numbers such as 14. into its JSON, which no parser reads (11.3).",
        ),
    ),
    "preview_like": Writer(
        write=simulations.preview_like,
        line_break="\r",
        quirks=(
            "Simulation: /AcroForm /Fields keeps only the first field.",
            _WINANSI_PICTURE,
        ),
    ),
    "acrobat_like": Writer(
        write=simulations.acrobat_like,
        line_break="\r",
        is_incremental=True,
        quirks=("Simulation: appends to the file as it was.", _WINANSI_PICTURE),
    ),
}
