"""How each program is told to fill in a form: ``fill_x(pdf, values) -> pdf``."""

from __future__ import annotations

import io
import json
import re
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pikepdf
import pymupdf
import pypdf
from PyPDFForm import PdfWrapper

from . import programs
from .fields import Field, read_fields

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    Values = Mapping[str, str | bool]


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


def fill_pdfjs(pdf: bytes, values: Values) -> bytes:
    """Fill in as Firefox does."""
    script = str(programs.HERE / "pdfjs_fill.mjs")
    return programs.transform_with_values(pdf, values, "node", script)


def fill_poppler(pdf: bytes, values: Values) -> bytes:
    """Fill in as Evince does; choices are told by label."""
    script = str(programs.HERE / "poppler_fill.py")
    labelled = _with_labels(pdf, values)
    return programs.transform_with_values(pdf, labelled, programs.DEBIAN_PYTHON, script)


def fill_mupdf(pdf: bytes, values: Values) -> bytes:
    """Fill in with PyMuPDF's widgets."""
    with pymupdf.open(stream=pdf, filetype="pdf") as document:
        for page in document:
            for widget in page.widgets():
                if widget.field_name in values:
                    widget.field_value = values[widget.field_name]
                    widget.update()
        saved: bytes = document.tobytes()
    return saved


_PDFBOX_JARS = ("pdfbox2-tools.jar", "pdfbox2.jar", "fontbox2.jar", "commons-logging.jar")
_QUIET = "-Dorg.apache.commons.logging.Log=org.apache.commons.logging.impl.NoOpLog"


def fill_pdfbox(pdf: bytes, values: Values) -> bytes:
    """Import form data with PDFBox's command line."""
    jars = ":".join(f"{programs.JARS}/{jar}" for jar in _PDFBOX_JARS)
    # PDFBox lists all fonts of the machine once and keeps the list; not in somebody's home.
    cache = f"-Dpdfbox.fontcache={tempfile.gettempdir()}"
    java = ("java", _QUIET, cache, "-cp", jars, "org.apache.pdfbox.tools.ImportFDF")
    fdf = _fdf(_with_states(pdf, values), read_fields(pdf))
    return _with_fdf(pdf, fdf, lambda source, data, target: (*java, source, data, target))


def fill_pdftk(pdf: bytes, values: Values) -> bytes:
    """Import form data with pdftk."""
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


def fill_pdflib(pdf: bytes, values: Values) -> bytes:
    """Fill in with pdf-lib and Noto Sans; choices are told by label."""
    script = str(programs.HERE / "pdflib_fill.mjs")
    labelled = _with_labels(pdf, values)
    return programs.transform_with_values(pdf, labelled, "node", script, f"--font={_PDFLIB_FONT}")


def pdflib_missing() -> str | None:
    """Return why pdf-lib cannot run here, or ``None``."""
    if not _PDFLIB_FONT.exists():
        return "Noto Sans is missing: apt-get install fonts-noto-core"
    return programs.needs_npm("pdf-lib")()


def fill_pypdf(pdf: bytes, values: Values) -> bytes:
    """Fill in with pypdf's defaults."""
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


def fill_pypdfform(pdf: bytes, values: Values) -> bytes:
    """Fill in with PyPDFForm."""
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


def fill_qpdf(pdf: bytes, values: Values) -> bytes:
    """Set ``/V``, ``/AS`` and ``/NeedAppearances`` by JSON, then let qpdf draw the text."""
    # qpdf 11.3 updates no objects of a file that has object streams beside plain ones: they are unpacked first.
    plain = programs.transform(pdf, lambda source, target: ("qpdf", "--object-streams=disable", str(source), str(target)))
    changed = programs.transform(plain, lambda source, target: _qpdf_update(source, target, values))
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


def _qpdf_json(source: Path, key: str, *options: str) -> Any:
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
        states = _qpdf_value(objects, _qpdf_value(objects, widget["value"].get("/AP", {})).get("/N", {}))
        widget["value"]["/AS"] = f"/{text}" if f"/{text}" in states else "/Off"
        widget["changed"] = True


def _qpdf_value(objects: dict[str, Any], found: Any) -> dict[str, Any]:
    """A dictionary that stands there itself or by reference."""
    value = objects[f"obj:{found}"]["value"] if isinstance(found, str) else found
    return value if isinstance(value, dict) else {}


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
