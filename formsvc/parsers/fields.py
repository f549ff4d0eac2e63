"""The fields of a PDF as they are, whoever wrote it: from the field tree and from the pages.

macOS Preview may drop most of /Fields while the widgets stay on the pages, so the pages are read
first; the tree adds what has no widget. Everything is bounded: hostile trees are deep, wide, cyclic.
"""

import re
from dataclasses import dataclass, field
from typing import Any, Final, cast

import pikepdf
from pikepdf import Array, Dictionary, Name, Pdf, Stream, String

from formsvc.errors import Refused
from formsvc.model.record import NO_BOX, Box

# Names made once: making one anew for every look-up costs more than the look-up.
_ATTACHED = Name.FileAttachment
_FREE_TEXT = Name.FreeText
_WIDGET, _SUBTYPE, _T, _FT, _V, _AS, _PARENT, _RECT = Name.Widget, Name.Subtype, Name.T, Name.FT, Name.V, Name.AS, Name.Parent, Name.Rect
_DEPTH_MOST: Final = 32
_FIELDS_MOST: Final = 20_000
_PAGES_MOST: Final = 500
_TEXT_MOST: Final = 1_000_000  # bytes of one value
_ESCAPES: Final = re.compile("\x1b[^\x1b]{0,16}\x1b")  # language codes inside UTF-16 text, ISO 32000-1, 7.9.2.2
MARKUP: Final = frozenset(("/Ink", "/FreeText", "/Stamp", "/Square", "/Circle", "/Line", "/PolyLine", "/Polygon", "/Highlight", "/StrikeOut"))


@dataclass(slots=True, kw_only=True)
class Found:
    """One widget (or one field without a widget) with what it inherits from its parents."""

    name: str
    """The fully qualified name."""
    kind: str
    """/Tx, /Btn, /Ch, /Sig or empty."""
    value: pikepdf.Object | None
    state: str
    """The appearance state of a box, without its slash; empty if there is none."""
    widget: Dictionary
    page: int
    listed: bool = True
    """Whether the field tree lists it."""

    @property
    def box(self) -> Box:
        """Where it sits."""
        return read_box(self.widget)


@dataclass(slots=True)
class Fields:
    """All fields of a document, and the boxes of what was drawn over its pages by markup tools."""

    found: list[Found] = field(default_factory=list)
    markup: list[tuple[int, Box, str]] = field(default_factory=list)
    """Page, box, and the text of a typed note."""
    pages: int = 0
    active: set[str] = field(default_factory=set)
    """What pages and annotations would do or carry by themselves."""


def read_fields(pdf: Pdf) -> Fields:
    """Every field of a document."""
    top = [field for field in _array(_form_fields(pdf)) if isinstance(field, Dictionary)]
    listed = {field.objgen for field in top}
    fields = Fields(pages=len(pdf.pages))
    if fields.pages > _PAGES_MOST:
        raise Refused("too-costly", "", resource=f"pages ({fields.pages})")
    seen: set[tuple[int, int]] = set()
    for number, page in enumerate(pdf.pages, start=1):
        if "/AA" in page.obj:
            fields.active.add("page actions")
        for annotation in _array(page.obj.get("/Annots")):
            _take(annotation, number, fields, seen)
    below = _terminal([field for field in top if field.objgen not in seen])
    for found in fields.found:
        found.listed = found.widget.objgen in listed or found.widget.objgen in below
    fields.found += [_found(widget, 0) for key, widget in below.items() if key not in seen and "/T" in widget]
    return fields


def _form_fields(pdf: Pdf) -> object:
    form = pdf.Root.get("/AcroForm")
    return form.get("/Fields") if isinstance(form, Dictionary) else None


def _take(annotation: object, page: int, fields: Fields, seen: set[tuple[int, int]]) -> None:
    if not isinstance(annotation, Dictionary):
        return
    subtype = annotation.get(_SUBTYPE)
    if subtype == _WIDGET:
        if len(fields.found) >= _FIELDS_MOST:
            raise Refused("too-costly", "", resource=f"fields (more than {_FIELDS_MOST})")
        if (key := annotation.objgen) != (0, 0):
            seen.add(key)
        fields.found.append(_found(annotation, page))
    elif subtype == _ATTACHED:
        fields.active.add("attached files")
    elif f"/{read_name(subtype)}" in MARKUP:
        said = annotation.get("/Contents") if subtype == _FREE_TEXT else None
        fields.markup.append((page, read_box(annotation), read_text(said)))


def _terminal(nodes: list[Dictionary]) -> dict[tuple[int, int], Dictionary]:
    """The terminal fields below some fields of the tree, by object number."""
    found: dict[tuple[int, int], Dictionary] = {}
    queue: list[tuple[pikepdf.Object, int]] = [(node, 0) for node in nodes]
    visited: set[tuple[int, int]] = set()
    while queue:
        node, depth = queue.pop()
        if not isinstance(node, Dictionary) or node.objgen in visited:
            continue
        visited.add(node.objgen)
        if len(visited) > _FIELDS_MOST:
            raise Refused("too-costly", "", resource=f"fields (more than {_FIELDS_MOST})")
        kids = _array(node.get("/Kids")) if depth < _DEPTH_MOST else []
        queue += [(kid, depth + 1) for kid in kids]
        if not kids:
            found[node.objgen] = node
    return found


def _array(value: object) -> list[pikepdf.Object]:
    return list(value) if isinstance(value, Array) else []


def _found(widget: Dictionary, page: int) -> Found:
    part, kind = widget.get(_T), widget.get(_FT)
    name = decode_text(bytes(part)) if isinstance(part, String) else ""
    value = widget[_V] if _V in widget else None  # noqa: SIM401  (get is slow on what is missing)
    if _PARENT in widget:
        name, kind, value = _inherited(widget[_PARENT], name, kind, value)
    shown = "" if kind is None else f"/{read_name(kind)}"
    state = read_name(widget[_AS]) if shown != "/Tx" and _AS in widget else ""
    return Found(name=name, kind=shown, value=value, state=state, widget=widget, page=page)


def _inherited(node: Any, name: str, kind: Any, value: Any) -> tuple[str, Any, Any]:
    """Name, kind and value with what the parents add; hostile trees are deep and cyclic, so it is bounded."""
    names = [name] if name else []
    for _ in range(_DEPTH_MOST):
        if not isinstance(node, Dictionary):
            break
        part = node.get(_T)
        if isinstance(part, String):
            names.append(decode_text(bytes(part)))
        kind = node.get(_FT) if kind is None else kind
        value = node.get(_V) if value is None else value
        node = node.get(_PARENT)
    return ".".join(reversed(names)), kind, value


def read_name(value: object) -> str:
    """A name without its slash; one whose bytes are no text is as none."""
    try:
        return str(value)[1:]
    except UnicodeDecodeError:
        return ""


def read_box(annotation: Dictionary) -> Box:
    """Where an annotation sits, corners in order."""
    try:
        x1, y1, x2, y2 = map(float, annotation[_RECT].unparse()[1:-1].split())
    except (AttributeError, KeyError, ValueError):  # not an array of four numbers
        return NO_BOX
    return (min(x2, x1), min(y2, y1), max(x1, x2), max(y1, y2))


def decode_text(raw: bytes) -> str:
    """A text string as its writer meant it: UTF-16 either way, UTF-8, or PDFDocEncoding."""
    if len(raw) > _TEXT_MOST:
        raise Refused("too-costly", "", resource=f"text in one field ({len(raw)} bytes)")
    if raw.startswith(b"\xfe\xff"):
        text = raw[2:].decode("utf-16-be", "replace")
    elif raw.startswith(b"\xff\xfe"):
        text = raw[2:].decode("utf-16-le", "replace")
    elif raw.startswith(b"\xef\xbb\xbf"):
        text = raw[3:].decode("utf-8", "replace")
    elif raw.isascii():
        return raw.decode("ascii")
    else:
        return raw.decode("pdfdoc_pikepdf", "replace")
    return _ESCAPES.sub("", text) if "\x1b" in text else text


def read_text(value: object) -> str:
    """A field's value as text, in any of the forms writers give it."""
    if value is None:
        return ""
    if isinstance(value, String):
        return decode_text(bytes(value))
    if isinstance(value, Stream):  # rich or very long text, ISO 32000-1, 12.7.4.3
        return decode_text(_bounded(value))
    if isinstance(value, Array):  # pdftk stores a chosen option so
        return read_text(value[0]) if len(value) else ""
    if isinstance(value, Dictionary):
        return ""
    try:
        return str(value).removeprefix("/")
    except UnicodeDecodeError:  # a name in no encoding: as the file spells it, for a marked box must not become an empty one
        return cast("pikepdf.Object", value).unparse().decode("latin-1").removeprefix("/")


def _bounded(stream: Stream) -> bytes:
    """A value stream's bytes; one that could unpack far beyond reason is not unpacked."""
    most = _TEXT_MOST // 20 if "/Filter" in stream else _TEXT_MOST
    if len(stream.read_raw_bytes()) > most:
        raise Refused("too-costly", "", resource="text in one field")
    return stream.read_bytes()


# ---------------------------------------------------------------- boxes


def on_states(widget: Dictionary, known: dict[tuple[int, int], frozenset[str]]) -> frozenset[str]:
    """The states in which a box is drawn as marked; they differ by writer, so they are read.

    `known` remembers the appearances that boxes share.
    """
    appearances = widget.get("/AP")
    if not isinstance(appearances, Dictionary):
        return frozenset()
    key = appearances.objgen
    if key in known:
        return known[key]
    normal = appearances.get("/N")
    states = normal.keys() if isinstance(normal, Dictionary) and not isinstance(normal, Stream) else ()
    found = frozenset(state[1:] for state in states) - {"Off"}
    if key != (0, 0):
        known[key] = found
    return found


def is_off(state: str) -> bool:
    """Whether a state name means an empty box."""
    return state.lower() in ("", "off", "no", "false", "0")
