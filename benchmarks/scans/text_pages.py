"""Pages with typed fields whose text is known: as we draw them, and as viewers do (Helvetica)."""

import io
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Final

import cv2
import numpy as np
import pikepdf
import pypdfium2
from numpy.random import Generator
from numpy.typing import NDArray

from benchmarks.scans.text_values import SHAPES, random_values
from formsvc.model.form import Form
from formsvc.model.kinds import Choice, Kind, Lang, LongText, Signature, Stamp, is_box
from formsvc.model.layout import Layout, Slot
from formsvc.parsers.shown import Shown
from formsvc.service import Service

Gray = NDArray[np.uint8]
DPI: Final = 300
_BLANK_DPI: Final = 200
_ROOM: Final = 2.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Typed:
    """A field on a page and the text in it; corners in the page's pixels at 300 dpi."""

    name: str
    kind: Kind
    lang: Lang
    truth: str
    place: tuple[int, int, int, int]
    blank: Gray
    locked: bool
    """Printed by us and for nobody to write in: the product knows it without reading, unless it does not know the document."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Page:
    """A page at 300 dpi, its fields, and who drew their text (ours or viewer)."""

    picture: Gray
    fields: tuple[Typed, ...]
    drawn_by: str


def pages(service: Service, rng: Generator) -> Iterator[Page]:
    """Pages without end, form after form."""
    while True:
        for form, lang, shape in SHAPES:
            values = random_values(shape, lang, rng)
            issued = service.issue(form, values, lang=lang)
            compiled = service.compiled(service.form(form), issued.values, lang)
            for page in (*_ours(issued.content, compiled.blank, compiled.layout, lang), *_viewers(issued.content, compiled.blank, compiled.layout, lang, rng)):
                yield replace(page, fields=tuple(replace(typed, locked=_is_locked(service.form(form), typed.name)) for typed in page.fields))


def _ours(content: bytes, blank: bytes, layout: Layout, lang: Lang) -> Iterator[Page]:
    texts = shown_texts(content)
    yield from _paged(content, blank, layout, lang, texts, "ours")


def _viewers(content: bytes, blank: bytes, layout: Layout, lang: Lang, rng: Generator) -> Iterator[Page]:
    """The same texts in Helvetica on the blank, at the sizes viewers choose."""
    texts = {name: text for name, text in shown_texts(content).items() if _winansi(text)}
    fitting: dict[str, str] = {}
    with pikepdf.open(io.BytesIO(blank)) as pdf:
        for number, page in enumerate(pdf.pages, start=1):
            parts = []
            for slot in layout.slots:
                if slot.page == number and (text := texts.get(slot.name)) and _is_text(slot):
                    drawn, kept = _helvetica(slot, text, float(rng.choice([8.0, 9.0, 10.0])))
                    if isinstance(slot.kind, Choice) and kept != text:  # viewers shrink what is chosen, they do not cut it
                        continue
                    parts.append(drawn)
                    fitting[slot.name] = kept
            page.add_resource(pikepdf.Dictionary(Type=pikepdf.Name.Font, Subtype=pikepdf.Name.Type1, BaseFont=pikepdf.Name.Helvetica, Encoding=pikepdf.Name.WinAnsiEncoding), pikepdf.Name.Font, pikepdf.Name.HelvT)
            page.contents_add(b"q\n", prepend=True)
            page.contents_add(b"\nQ BT 0 g " + b" ".join(parts) + b" ET")
        memory = io.BytesIO()
        pdf.save(memory)
    yield from _paged(memory.getvalue(), blank, layout, lang, fitting, "viewer")


def _is_locked(form: Form, name: str) -> bool:
    place = form.find(name)
    return place is not None and place.ask.locked


def _winansi(text: str) -> bool:
    try:
        text.encode("cp1252")
    except UnicodeEncodeError:
        return False
    return True


def _helvetica(slot: Slot, text: str, size: float) -> tuple[bytes, str]:
    """Operators that draw a text in a slot, and what of it fits."""
    left, bottom, right, top = slot.box
    most = max(int((right - left - 4) / (0.54 * size)), 3)
    if isinstance(slot.kind, LongText):
        lines = _wrapped(text, most)[: max(int((top - bottom - 3) / (1.15 * size)), 1)]
        starts = [top - 2 - size * 0.95 - i * 1.15 * size for i in range(len(lines))]
    else:
        size = min(size, max((right - left - 4) / max(0.54 * len(text), 1), 6.5))
        lines = [text[: max(int((right - left - 4) / (0.54 * size)), 1)].rstrip()]
        starts = [(top + bottom) / 2 - 0.35 * size]
    drawn = b" ".join(
        f"/HelvT {size:.2f} Tf 1 0 0 1 {left + 2:.2f} {y:.2f} Tm ".encode() + b"(" + line.encode("cp1252").replace(b"\\", b"\\\\").replace(b"(", b"\\(").replace(b")", b"\\)") + b") Tj"
        for line, y in zip(lines, starts, strict=True)
    )
    return drawn, "\n".join(lines)


def _wrapped(text: str, most: int) -> list[str]:
    lines = [""]
    for word in text.split():
        if lines[-1] and len(lines[-1]) + 1 + len(word) > most:
            lines.append("")
        lines[-1] = f"{lines[-1]} {word}".strip()
    return lines


def _paged(content: bytes, blank: bytes, layout: Layout, lang: Lang, texts: dict[str, str], drawn_by: str) -> Iterator[Page]:
    for number, size in enumerate(layout.pages, start=1):
        slots = [slot for slot in layout.slots if slot.page == number and _is_text(slot) and slot.name in texts]
        if not slots:
            continue
        empty = raster(blank, number, _BLANK_DPI)
        fields = tuple(_typed(slot, size.height, lang, texts[slot.name], empty) for slot in slots)
        yield Page(picture=raster(content, number, DPI), fields=fields, drawn_by=drawn_by)


def _typed(slot: Slot, height: float, lang: Lang, truth: str, empty: Gray) -> Typed:
    place = _pixels(slot, height, DPI)
    left, top, right, bottom = _pixels(slot, height, _BLANK_DPI)
    small = empty[max(top, 0) : bottom, max(left, 0) : right]
    blank = cv2.resize(small, (place[2] - place[0], place[3] - place[1]), interpolation=cv2.INTER_CUBIC).astype(np.uint8)
    return Typed(name=slot.name, kind=slot.kind, lang=lang, truth=truth, place=place, blank=blank, locked=False)


def _pixels(slot: Slot, height: float, dpi: int) -> tuple[int, int, int, int]:
    left, bottom, right, top = slot.box
    scale = dpi / 72
    return round((left - _ROOM) * scale), round((height - top - _ROOM) * scale), round((right + _ROOM) * scale), round((height - bottom + _ROOM) * scale)


def _is_text(slot: Slot) -> bool:
    return not is_box(slot.kind) and not isinstance(slot.kind, Stamp | Signature)


def raster(content: bytes, page: int, dpi: int) -> Gray:
    """A page (from 1) in gray."""
    with pypdfium2.PdfDocument(content) as pdf:
        pdf.init_forms()
        found: Gray = np.ascontiguousarray(pdf[page - 1].render(scale=dpi / 72 * (1 - 1e-9), grayscale=True, may_draw_forms=True).to_numpy())
        return found.reshape(found.shape[:2]).copy()


def shown_texts(content: bytes) -> dict[str, str]:
    """The texts of fields that are shown whole, by field."""
    found: dict[str, str] = {}
    with pikepdf.open(io.BytesIO(content)) as pdf:
        shown = Shown()
        for widget in pdf.Root.AcroForm.Fields:
            if not isinstance(widget, pikepdf.Dictionary):
                continue
            drawn = shown.text(widget)
            value = widget.get("/V")
            if drawn is None or drawn[1] or not isinstance(value, pikepdf.String) or not str(value):
                continue
            text = str(value)
            options = {str(pair[0]): str(pair[1]) for pair in widget.get("/Opt", []) if isinstance(pair, pikepdf.Array)}
            text = options.get(text, text)
            if "".join(drawn[0].split()) == "".join(text.split()):
                found[str(widget.T)] = text
    return found
