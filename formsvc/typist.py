"""Fill in a form the way a person with Chrome's PDF engine does: with clicks and key strokes.

PDFium is not thread safe: a server with several threads must keep calls to this module apart.
"""

from __future__ import annotations

import ctypes
import io
import re
from contextlib import closing, contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

import pypdfium2 as pdfium
import pypdfium2.raw as pdfium_c

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

_NO_KEYS_HELD = 0
_BACKSPACE = 0x08
_MAY_FILL = 1 << 3 | 1 << 5 | 1 << 8
"""ISO 32000-1 table 22: modify (4), annotate (6), fill in (9); PDFium types if one is granted."""

_TICKABLE = (pdfium_c.FPDF_FORMFIELD_CHECKBOX, pdfium_c.FPDF_FORMFIELD_RADIOBUTTON)
_CHOOSABLE = (pdfium_c.FPDF_FORMFIELD_COMBOBOX, pdfium_c.FPDF_FORMFIELD_LISTBOX)


def type_into(
    pdf: bytes, values: Mapping[str, str | bool], *, password: str | None = None
) -> bytes:
    """Return ``pdf`` as Chrome would save it after a person filled in ``values``.

    ``values`` maps fully qualified field names to what the person does there: text is typed (in
    place of what was there), ``True`` or ``False`` ticks or clears a box, and for choices and
    radio buttons text names the option by export value or by label. The whole file is rewritten;
    encryption stays as it was.

    Raises ``LookupError`` for a name or an option that the document does not have,
    ``PermissionError`` for a field or a document that is locked, ``TypeError`` for a tick in a
    text field, and ``pypdfium2.PdfiumError`` for a file that cannot be opened.
    """
    with pdfium.PdfDocument(pdf, password=password) as document:
        document.init_forms()
        filled: set[str] = set()
        if document.formenv:
            _require_permission(document)
            for number in range(len(document)):
                with closing(document[number]) as page:
                    filled |= _fill_page(document.formenv, page, values, filled)
        _require_all(values, filled)
        saved = io.BytesIO()
        document.save(saved, flags=pdfium_c.FPDF_NO_INCREMENTAL)
    return saved.getvalue()


def _require_permission(document: pdfium.PdfDocument) -> None:
    if not pdfium_c.FPDF_GetDocPermissions(document) & _MAY_FILL:
        message = "The document does not permit filling in its form; open it as its owner."
        raise PermissionError(message)


def _require_all(values: Mapping[str, str | bool], filled: set[str]) -> None:
    missing = [f"{name!r} for {value!r}" for name, value in values.items() if name not in filled]
    if missing:
        message = f"The document has no field to fill in: {', '.join(missing)}."
        raise LookupError(message)


class _AnnotationText(Protocol):
    def __call__(self, *args: Any) -> int: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class _Widget:
    """One widget on an open page; ``handle`` is valid inside ``_widget_at`` only."""

    form: pdfium.PdfFormEnv
    page: pdfium.PdfPage
    index: int
    handle: Any

    @property
    def name(self) -> str:
        return self._text(pdfium_c.FPDFAnnot_GetFormFieldName)

    @property
    def value(self) -> str:
        return self._text(pdfium_c.FPDFAnnot_GetFormFieldValue)

    @property
    def on_value(self) -> str:
        return self._text(pdfium_c.FPDFAnnot_GetFormFieldExportValue)

    @property
    def labels(self) -> list[str]:
        count = pdfium_c.FPDFAnnot_GetOptionCount(self.form, self.handle)
        return [self._text(pdfium_c.FPDFAnnot_GetOptionLabel, index) for index in range(count)]

    @property
    def kind(self) -> int:
        """One of ``FPDF_FORMFIELD_*``, or -1 for an annotation that is no widget."""
        return int(pdfium_c.FPDFAnnot_GetFormFieldType(self.form, self.handle))

    @property
    def is_checked(self) -> bool:
        return bool(pdfium_c.FPDFAnnot_IsChecked(self.form, self.handle))

    def has_flag(self, flag: int) -> bool:
        return bool(pdfium_c.FPDFAnnot_GetFormFieldFlags(self.form, self.handle) & flag)

    def _text(self, ask: _AnnotationText, *args: int) -> str:
        """Call a PDFium function that wants to be asked for the size first (UTF-16LE + NUL)."""
        size = ask(self.form, self.handle, *args, None, 0)
        buffer = ctypes.create_string_buffer(size)
        wide = ctypes.cast(buffer, ctypes.POINTER(pdfium_c.FPDF_WCHAR))
        ask(self.form, self.handle, *args, wide, size)
        return buffer.raw[:-2].decode("utf-16-le")


def _fill_page(
    form: pdfium.PdfFormEnv,
    page: pdfium.PdfPage,
    values: Mapping[str, str | bool],
    filled: set[str],
) -> set[str]:
    """Fill in the fields that ``page`` shows; return their names."""
    done: set[str] = set()
    for index in range(pdfium_c.FPDFPage_GetAnnotCount(page)):
        with _widget_at(form, page, index) as widget:
            name = widget.name
            if name in values and _fill(widget, values[name], is_sister=name in done | filled):
                done.add(name)
    return done


@contextmanager
def _widget_at(form: pdfium.PdfFormEnv, page: pdfium.PdfPage, index: int) -> Iterator[_Widget]:
    handle = pdfium_c.FPDFPage_GetAnnot(page, index)
    try:
        yield _Widget(form=form, page=page, index=index, handle=handle)
    finally:
        pdfium_c.FPDFPage_CloseAnnot(handle)


def _fill(widget: _Widget, value: str | bool, *, is_sister: bool) -> bool:
    """Act on one widget; ``False`` where there is nothing to do for this value.

    ``is_sister`` says that another widget of the same field took the value already.
    """
    if widget.has_flag(pdfium_c.FPDF_FORMFLAG_READONLY):
        message = f"The field {widget.name!r} is read-only."
        raise PermissionError(message)
    if widget.kind in _TICKABLE:
        return _tick(widget, value, is_sister=is_sister)
    if is_sister:
        return False
    return _write(widget, value)


def _tick(widget: _Widget, value: str | bool, *, is_sister: bool) -> bool:
    """Click the box if its state differs; text picks the button with that export value."""
    if isinstance(value, str) and value != widget.on_value:
        return False
    if value is True and is_sister:
        return False
    wanted = value is not False
    if widget.is_checked != wanted:
        _click(widget)
        _leave(widget)
    if widget.is_checked != wanted:
        raise _unreachable(widget)
    return True


def _write(widget: _Widget, value: str | bool) -> bool:
    if not isinstance(value, str):
        message = f"The field {widget.name!r} takes text, not {value!r}."
        raise TypeError(message)
    kind = widget.kind
    if kind in _CHOOSABLE:
        _choose(widget, value)
    elif kind == pdfium_c.FPDF_FORMFIELD_TEXTFIELD:
        _type(widget, value)
    return kind in _CHOOSABLE or kind == pdfium_c.FPDF_FORMFIELD_TEXTFIELD


def _choose(widget: _Widget, wanted: str) -> None:
    """Choose an option as a person does in the open list, by export value before label."""
    labels = widget.labels
    by_label = [index for index, label in enumerate(labels) if label == wanted]
    others = [index for index in range(len(labels)) if index not in by_label]
    # PDFium does not tell export values; it tells which value an option leaves in the field.
    if any(_select(widget, index) == wanted for index in (*by_label, *others)):
        return
    if by_label:
        _select(widget, by_label[0])
    elif widget.has_flag(pdfium_c.FPDF_FORMFLAG_CHOICE_EDIT):
        _type(widget, wanted)
    else:
        message = f"The field {widget.name!r} has no option {wanted!r}."
        raise LookupError(message)


def _select(widget: _Widget, index: int) -> str:
    """Select one option and return the value that it gives the field."""
    _enter(widget)
    pdfium_c.FORM_SetIndexSelected(widget.form, widget.page, index, 1)
    _leave(widget)
    return widget.value


def _type(widget: _Widget, text: str) -> None:
    """Type ``text`` over the whole old value.

    The Return key leaves a field of one line, so that a line break becomes a space there, as it
    does when a person pastes one.
    """
    _enter(widget)
    pdfium_c.FORM_SelectAllText(widget.form, widget.page)
    is_multiline = widget.has_flag(pdfium_c.FPDF_FORMFLAG_TEXT_MULTILINE)
    for unit in _key_codes(text, "\r" if is_multiline else " ") or [_BACKSPACE]:
        pdfium_c.FORM_OnChar(widget.form, widget.page, unit, _NO_KEYS_HELD)
    _leave(widget)


def _key_codes(text: str, line_break: str) -> list[int]:
    """Return the UTF-16 code units to type; no keyboard has keys for control characters.

    PDFium keeps 16 bits of each typed character, and pasting (``FORM_ReplaceSelection``) cuts
    even to those what lies beyond them; but surrogates that are typed one by one come through.
    """
    one_line = re.sub(r"\r\n?|\n", "\n", text).replace("\t", " ")
    printable = re.sub(r"[\x00-\x09\x0b-\x1f\x7f]", "", one_line).replace("\n", line_break)
    return [*memoryview(printable.encode("utf-16-le", "surrogatepass")).cast("H")]


def _enter(widget: _Widget) -> None:
    """Click into the field and make sure that the cursor is there."""
    _click(widget)
    if not _has_focus(widget):
        raise _unreachable(widget)


def _click(widget: _Widget) -> None:
    """Press and release the left button in the middle of the widget."""
    rect = pdfium_c.FS_RECTF()
    pdfium_c.FPDFAnnot_GetRect(widget.handle, rect)
    x, y = (rect.left + rect.right) / 2, (rect.bottom + rect.top) / 2
    at = (widget.form, widget.page, _NO_KEYS_HELD, x, y)
    pdfium_c.FORM_OnMouseMove(*at)
    pdfium_c.FORM_OnLButtonDown(*at)
    pdfium_c.FORM_OnLButtonUp(*at)


def _has_focus(widget: _Widget) -> bool:
    page_number, focused = ctypes.c_int(), pdfium_c.FPDF_ANNOTATION()
    pdfium_c.FORM_GetFocusedAnnot(widget.form, page_number, focused)
    if not focused:
        return False
    index = pdfium_c.FPDFPage_GetAnnotIndex(widget.page, focused)
    pdfium_c.FPDFPage_CloseAnnot(focused)
    return bool(index == widget.index)


def _leave(widget: _Widget) -> None:
    """Put the cursor out of the field, which is when PDFium stores what was typed."""
    pdfium_c.FORM_ForceToKillFocus(widget.form)


def _unreachable(widget: _Widget) -> PermissionError:
    return PermissionError(
        f"A click does not reach the field {widget.name!r}: it is hidden, covered or locked."
    )
