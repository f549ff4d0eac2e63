"""Imitations of two programs that cannot run here: macOS Preview and Adobe Acrobat.

They keep to what is known of the files that these programs save, and prove no more than that.
"""

from __future__ import annotations

import io
import re
import warnings
from typing import TYPE_CHECKING

import pikepdf
from pikepdf import Array, Dictionary, Name

from .fields import full_name, inherited, on_state, options, terminal, widgets
from .incremental import append_update

if TYPE_CHECKING:
    from collections.abc import Mapping

    Values = Mapping[str, str | bool]

_SAVED_AT = "D:20260102030405+01'00'"
_FONT_SIZE = 10
_LEADING = 12


def preview_like(pdf: bytes, values: Values) -> bytes:
    """Save as macOS Preview: ``/Fields`` loses all but the first field; the widgets stay."""
    with pikepdf.open(io.BytesIO(pdf)) as document:
        _set_all(document, values)
        form = document.Root.AcroForm
        form.Fields = Array(list(form.Fields)[:1])
        document.docinfo["/Producer"] = "Quartz PDFContext (simulated)"
        return _rewritten(document)


def _rewritten(document: pikepdf.Pdf) -> bytes:
    saved = io.BytesIO()
    with warnings.catch_warnings():
        # pikepdf notices that the widgets are not in /Fields, which is the point here.
        warnings.simplefilter("ignore")
        document.save(saved, object_stream_mode=pikepdf.ObjectStreamMode.disable)
    return saved.getvalue()


def acrobat_like(pdf: bytes, values: Values) -> bytes:
    """Save as Acrobat: the old bytes stay, and new versions of objects follow them."""
    with pikepdf.open(io.BytesIO(pdf)) as document:
        if document.is_encrypted:
            message = "The simulation cannot append to an encrypted file."
            raise ValueError(message)
        old_size = int(document.trailer["/Size"])
        changed = [_dated_info(document), *_set_all(document, values)]
        return append_update(pdf, document, changed, old_size=old_size)


def _dated_info(document: pikepdf.Pdf) -> pikepdf.Object:
    if "/Info" not in document.trailer:
        document.trailer["/Info"] = document.make_indirect(Dictionary())
    info: pikepdf.Object = document.trailer["/Info"]
    info["/ModDate"] = _SAVED_AT
    return info


def _set_all(document: pikepdf.Pdf, values: Values) -> list[pikepdf.Object]:
    """Set the values and return the changed dictionaries: widgets and their fields."""
    changed = [widget for widget in widgets(document) if full_name(widget) in values]
    for widget in changed:
        _set(document, widget, values[full_name(widget)])
    return [*changed, *(terminal(widget) for widget in changed)]


def _set(document: pikepdf.Pdf, widget: pikepdf.Object, value: str | bool) -> None:
    if inherited(widget, "/FT") == Name.Btn:
        _press(widget, value)
        return
    text = str(value).replace("\n", "\r")
    terminal(widget)["/V"] = pikepdf.String(("\ufeff" + text).encode("utf-16-be"))
    shown = dict(options(widget)).get(text, text)
    widget["/AP"] = Dictionary(N=_appearance(document, widget, shown))


def _press(widget: pikepdf.Object, value: str | bool) -> None:
    on = on_state(widget)
    is_on = value is True or value == on
    widget["/AS"] = Name(f"/{on}") if is_on else Name.Off
    if is_on or value is False:
        terminal(widget)["/V"] = widget["/AS"]


def _appearance(document: pikepdf.Pdf, widget: pikepdf.Object, text: str) -> pikepdf.Object:
    x0, y0, x1, y1 = (float(number) for number in widget["/Rect"])
    width, height = abs(x1 - x0), abs(y1 - y0)
    helvetica = Dictionary(
        Type=Name.Font, Subtype=Name.Type1, BaseFont=Name.Helvetica, Encoding=Name.WinAnsiEncoding
    )
    form = document.make_stream(_drawing(text.split("\r"), height))
    form["/Type"], form["/Subtype"] = Name.XObject, Name.Form
    form["/BBox"] = Array([0, 0, width, height])
    form["/Resources"] = Dictionary(Font=Dictionary(Helv=helvetica))
    return form


def _drawing(lines: list[str], height: float) -> bytes:
    """Write one line in the middle, more lines from the top."""
    first = height - _FONT_SIZE if len(lines) > 1 else (height - _FONT_SIZE) / 2 + 2
    shown = b" ".join(b"(%s) Tj T*" % _literal(line) for line in lines)
    place = f"{_LEADING} TL 2 {first:.2f} Td".encode("ascii")
    return b"/Tx BMC q BT /Helv %d Tf 0 g %s %s ET Q EMC" % (_FONT_SIZE, place, shown)


def _literal(line: str) -> bytes:
    """Escape a line; ``?`` stands for what WinAnsi does not have."""
    return re.sub(rb"([\\()])", rb"\\\1", line.encode("cp1252", "replace"))
