"""Mends what WeasyPrint leaves open in a form, and reads the layout back from its widgets.

- the whole input font it embeds goes; a small WinAnsi font that every viewer can type with comes
- NeedAppearances goes (it makes Acrobat ask to save); boxes get both appearances, shared
- flags (multiline, required, read-only, length), fields by page order, unique stamp names
- a structure tree without empty wrappers (`formsvc.renderers.structure`)
- corner marks
"""

import io
from collections import Counter
from collections.abc import Iterable, Iterator
from typing import Final, assert_never

import pikepdf
from pikepdf import Array, Dictionary, Name, Pdf, String

from formsvc.errors import Refused
from formsvc.model.form import Form, Place, RowCounts
from formsvc.model.kinds import (
    Choice,
    Choices,
    Day,
    Lang,
    LongText,
    Month,
    Number,
    Signature,
    Stamp,
    Text,
    Tick,
    Time,
    is_box,
)
from formsvc.model.layout import Layout, Page, Slot
from formsvc.renderers.codes import corner_marks
from formsvc.renderers.fonts import simple_font, simple_to_unicode
from formsvc.renderers.structure import split_parent_tree, straighten

STAMPS: Final = ("stamp-a", "stamp-b")
_READ_ONLY, _REQUIRED, _MULTILINE, _COMBO = 1, 1 << 1, 1 << 12, 1 << 17
_LEAST_HEIGHT: Final = 9.0  # points: one line of 6.5 pt type, or a box to tick inside its border
_FIRST, _LAST = 32, 255
CHECK: Final = b"q 0 g 1.7 5.3 m 4.3 2.2 l 9.6 8.6 l 8.4 9.5 l 4.2 4.6 l 2.7 6.4 l h f Q"
"""A tick in an 11 x 11 box."""


def mend(raw: bytes, form: Form, row_counts: RowCounts, lang: Lang, place: str) -> tuple[bytes, Layout]:
    """The blank as it is kept, and where its answers sit; refuses a page that does not fit its form."""
    with pikepdf.open(io.BytesIO(raw)) as pdf:
        widgets = list(_widgets(pdf))
        _check_names(form, row_counts, [str(widget.T) for _, widget in widgets], place)
        _Mender(pdf, lang).mend(form, widgets)
        content = _saved(pdf)
    with pikepdf.open(io.BytesIO(content)) as pdf:
        layout = _read_layout(pdf, form)
    _check_sizes(layout, place)
    return content, layout


def _saved(pdf: Pdf) -> bytes:
    out = io.BytesIO()
    pdf.remove_unreferenced_resources()
    pdf.save(out, object_stream_mode=pikepdf.ObjectStreamMode.generate, compress_streams=True, recompress_flate=True, deterministic_id=True)
    return out.getvalue()


def _widgets(pdf: Pdf) -> Iterator[tuple[int, Dictionary]]:
    """Every widget with its page, counted from 1."""
    for number, page in enumerate(pdf.pages, start=1):
        for annotation in page.obj.get(Name.Annots, Array()):
            if isinstance(annotation, Dictionary) and annotation.get(Name.Subtype) == Name.Widget:
                yield number, annotation


# ---------------------------------------------------------------- checked


def _check_names(form: Form, row_counts: RowCounts, found: list[str], place: str) -> None:
    counts = Counter(name for name in found if name not in STAMPS)
    wanted = {place.key for place in form.places(row_counts)}
    _refuse("template-missing-field", place, sorted(wanted - set(counts)) + [name for name in STAMPS if name not in found])
    _refuse("template-unknown-field", place, sorted(set(counts) - wanted))
    _refuse("template-repeated-field", place, sorted(name for name, count in counts.items() if count > 1))


def _refuse(code: str, place: str, names: list[str]) -> None:
    if names:
        shown = ", ".join(names[:8]) + (f" and {len(names) - 8} more" if len(names) > 8 else "")  # noqa: PLR2004
        raise Refused(code, place, names=shown)


def _check_sizes(layout: Layout, place: str) -> None:
    small = [slot.name for slot in layout.slots if slot.box[3] - slot.box[1] < _LEAST_HEIGHT or slot.box[2] - slot.box[0] < _LEAST_HEIGHT]
    if small:
        raise Refused("template-cramped-field", place, names=", ".join(small[:8]), least=_LEAST_HEIGHT)


# ---------------------------------------------------------------- mended


class _Mender:
    """One document under repair."""

    def __init__(self, pdf: Pdf, lang: Lang) -> None:
        self.pdf = pdf
        self.lang = lang
        on, off = self._form_xobject(CHECK), self._form_xobject(b"")
        self.box = pdf.make_indirect(Dictionary(N=Dictionary(on=on, Off=off)))

    def mend(self, form: Form, widgets: list[tuple[int, Dictionary]]) -> None:
        fields = []
        for page, widget in widgets:
            name = str(widget.T)
            place = form.find(name)
            self._mend_widget(widget, place)
            if place is None:
                widget.T = String(f"{name}-{page}")
            fields.append(widget)
        self._mend_form(fields)
        straighten(self.pdf)
        split_parent_tree(self.pdf)
        self._mark_corners()

    def _form_xobject(self, content: bytes) -> pikepdf.Object:
        stream = self.pdf.make_stream(content, Type=Name.XObject, Subtype=Name.Form, BBox=Array([0, 0, 11, 11]), Resources=Dictionary())
        return self.pdf.make_indirect(stream)

    def _mend_widget(self, widget: Dictionary, place: Place | None) -> None:
        left, top, right, bottom = (float(number) for number in widget.Rect)
        widget.Rect = Array([round(number, 2) for number in (left, min(top, bottom), right, max(top, bottom))])
        for key in ("/V", "/DA", "/Ff", "/MK", "/Border", "/AP", "/Opt", "/BS"):
            if key in widget:
                del widget[key]
        if place is None:
            widget.Ff = _READ_ONLY
            widget.DA = String("/Helv 0 Tf 0 g")
            return
        if place.ask.required:
            widget.Ff = _REQUIRED
        self._face(widget, place)

    def _face(self, widget: Dictionary, place: Place) -> None:
        """The PDF face of a question: what a viewer lets a person do."""
        kind = place.ask.kind
        widget.MK = Dictionary()
        if is_box(kind):
            widget.AP = self.box
            widget.AS = Name.Off
            widget.DA = String("/ZaDb 0 Tf 0 g")
            widget.MK = Dictionary(CA=String("4"))
            return
        widget.DA = String("/Helv 0 Tf 0 g")
        match kind:
            case LongText():
                self._flag(widget, _MULTILINE)
            case Choice(options=options):
                self._flag(widget, _COMBO)
                widget.Opt = Array([Array([String(o.code), String(o.label.said(self.lang))]) for o in options])
            case Text(limit=limit):
                widget.MaxLen = limit
            case Number() | Day() | Time() | Month() | Tick() | Choices() | Signature() | Stamp():
                pass
            case _:
                assert_never(kind)

    @staticmethod
    def _flag(widget: Dictionary, flag: int) -> None:
        widget.Ff = int(widget.get(Name.Ff, 0)) | flag

    def _mend_form(self, fields: Iterable[Dictionary]) -> None:
        fonts = Dictionary(Helv=self._simple_font(), ZaDb=self._dingbats())
        self.pdf.Root.AcroForm = self.pdf.make_indirect(
            Dictionary(Fields=Array(list(fields)), DA=String("/Helv 0 Tf 0 g"), DR=self.pdf.make_indirect(Dictionary(Font=fonts))),
        )
        for page in self.pdf.pages:
            used = page.obj.Resources.get(Name.Font, Dictionary())
            for name in [name for name, font in used.items() if "Formsvc-Field" in str(font.BaseFont)]:
                del used[name]

    def _simple_font(self) -> pikepdf.Object:
        font = simple_font()
        name = Name("/FSVCAA+SourceSans3-Regular")
        program = self.pdf.make_stream(font.program, Length1=len(font.program))
        descriptor = Dictionary(
            Type=Name.FontDescriptor, FontName=name, Flags=32, FontBBox=Array(list(font.bounds)), ItalicAngle=0,
            Ascent=font.ascent, Descent=font.descent, CapHeight=font.cap_height, StemV=80, FontFile2=self.pdf.make_indirect(program),
        )
        return self.pdf.make_indirect(
            Dictionary(
                Type=Name.Font, Subtype=Name.TrueType, BaseFont=name, FirstChar=_FIRST, LastChar=_LAST,
                Widths=Array(list(font.widths[_FIRST : _LAST + 1])), Encoding=Name.WinAnsiEncoding,
                FontDescriptor=self.pdf.make_indirect(descriptor), ToUnicode=self.pdf.make_stream(simple_to_unicode()),
            ),
        )

    def _dingbats(self) -> pikepdf.Object:
        return self.pdf.make_indirect(Dictionary(Type=Name.Font, Subtype=Name.Type1, BaseFont=Name.ZapfDingbats))

    def _mark_corners(self) -> None:
        for number, page in enumerate(self.pdf.pages, start=1):
            width, height = float(page.mediabox[2]), float(page.mediabox[3])
            page.contents_add(b"q ", prepend=True)
            page.contents_add(b" Q " + corner_marks(number, width, height))
            page.contents_coalesce()


# ---------------------------------------------------------------- read back


def _read_layout(pdf: Pdf, form: Form) -> Layout:
    pages = tuple(Page(width=float(page.mediabox[2]), height=float(page.mediabox[3])) for page in pdf.pages)
    slots = []
    for number, widget in _widgets(pdf):
        name = str(widget.T)
        place = form.find(name)
        left, bottom, right, top = (float(value) for value in widget.Rect)
        slots.append(Slot(name=name, page=number, box=(left, bottom, right, top), kind=place.ask.kind if place else Stamp()))
    return Layout(pages=pages, slots=tuple(slots))
