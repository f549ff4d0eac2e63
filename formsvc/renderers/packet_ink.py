"""What an annotation shows on paper, as content of its page: the field goes, its ink stays.

A field becomes what PDF calls a non-interactive form field (ISO 32000-1, 14.8.5.6): a Form element
that holds marked content, with its role, its label, and whether it is ticked.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

import pikepdf
from pikepdf import Dictionary

from formsvc.errors import Refused
from formsvc.model.kinds import Lang
from formsvc.renderers.packet_file import Copier
from formsvc.renderers.update import pdf_text

_HIDDEN, _PRINTED = 1 << 1, 1 << 2
_RADIO, _PUSH = 1 << 15, 1 << 16
_TEXT: Final = b"/Tx BMC "
_STATE: Final[Mapping[tuple[Lang, bool], str]] = {
    ("en", True): "ticked", ("en", False): "not ticked", ("es", True): "marcada", ("es", False): "sin marcar",
}  # fmt: skip
_BY_HAND: Final[Mapping[Lang, str]] = {"en": "Drawn on the page", "es": "Dibujado en la página"}


@dataclass(slots=True, kw_only=True)
class Ink:
    """What one annotation shows: operators in two halves, between which the marked content begins."""

    page: int
    """Index of its page."""
    kind: bytes
    """Its structure type: Form, or Figure for what is no field."""
    says: bytes
    """The entries of its structure element: role and label of a field, or what it shows in words."""
    before: bytes
    shown: bytes
    """From the beginning of the marked content on; it ends that itself."""
    fonts: Mapping[str, bytes] = field(default_factory=dict)
    drawing: int = 0
    """The XObject it draws."""

    def operators(self, mcid: int) -> bytes:
        """The content that draws it."""
        return b"%b/%b<</MCID %d>>BDC %b" % (self.before, self.kind, mcid, self.shown)


def inherited(node: Any, key: str) -> Any:
    """An entry of a field or page, or of what it hangs on."""
    while node is not None and key not in node:
        node = node.get("/Parent")
    return None if node is None else node[key]


class Inker:
    """Turns the annotations of one paper into ink."""

    def __init__(self, copier: Copier, lang: Lang, place: str) -> None:
        """The copier brings drawings and fonts over; words are in this language; `place` names the paper in a refusal."""
        self._copier, self._lang, self._place = copier, lang, place

    def ink(self, annotation: Any, page: int, fonts: Mapping[str, bytes]) -> Ink | None:
        """What it shows on paper; None if that is nothing that a reader needs to know of.

        `fonts` are the page's: a text with other fonts of the same names is drawn as a whole.
        Refuses an answer that was left to the viewer to draw.
        """
        flags = int(annotation.get("/F", 0))
        if annotation.get("/Subtype") == "/Popup" or flags & _HIDDEN or not flags & _PRINTED:
            return None
        drawing, kind = _drawing(annotation), _kind(annotation)
        if drawing is None or not (content := drawing.read_bytes()):
            return self._nothing_drawn(annotation, page, kind)
        own = self._fonts(drawing, fonts) if content.startswith(_TEXT) else None
        if own is not None:
            return self._text(annotation, drawing, page, content, own)
        number = self._copier.number(drawing)
        before, after = b"", b"q %b/X%d Do Q EMC " % (_placement(annotation, drawing), number)
        return Ink(page=page, kind=_element(kind), says=self._says(annotation, kind), before=before, shown=after, drawing=number)

    def _text(self, annotation: Any, drawing: Any, page: int, content: bytes, fonts: Mapping[str, bytes]) -> Ink:
        """Text is drawn by the page itself: read aloud, searched and compressed as one with it."""
        left, bottom, right, top = (float(number) for number in drawing.BBox)
        before = b"q %b%g %g %g %g re W n " % (_placement(annotation, drawing), left, bottom, right - left, top - bottom)
        label = b"/A<</O/PrintField/Role/tv/Desc%b>>" % pdf_text(_label(annotation))
        return Ink(page=page, kind=b"Form", says=label, before=before, shown=content.removeprefix(_TEXT) + b" Q ", fonts=fonts)

    def _fonts(self, drawing: Any, fonts: Mapping[str, bytes]) -> Mapping[str, bytes] | None:
        """The fonts of a text, if fonts are all it needs and their names are free on the page."""
        resources = drawing.get("/Resources", Dictionary())
        if "/Matrix" in drawing or any(key not in {"/Font", "/ProcSet"} for key in resources.keys()):  # noqa: SIM118  (not a Python mapping)
            return None
        own = {name: self._copier.copy(font) for name, font in resources.get("/Font", Dictionary()).items()}
        return None if any(fonts.get(name, number) != number for name, number in own.items()) else own

    def _nothing_drawn(self, annotation: Any, page: int, kind: bytes) -> Ink | None:
        """An empty box is an answer too: it is said. An answer in words that is not drawn would be lost on paper."""
        if kind == b"tv" and str(inherited(annotation, "/V") or ""):
            raise Refused("answer-not-drawn", self._place, name=str(inherited(annotation, "/T") or ""))
        if kind not in {b"cb", b"rb"}:
            return None
        return Ink(page=page, kind=b"Form", says=self._says(annotation, kind), before=b"", shown=b"EMC ")

    def _says(self, annotation: Any, kind: bytes) -> bytes:
        if not kind:
            return b"/Alt" + pdf_text(str(annotation.get("/Contents", "")) or _BY_HAND[self._lang])
        if kind not in {b"cb", b"rb"}:
            return b"/Alt%b/A<</O/PrintField/Role/%b>>" % (pdf_text(_label(annotation)), kind)
        ticked = annotation.get("/AS", "/Off") != "/Off"
        words = f"{_label(annotation)}: {_STATE[self._lang, ticked]}"
        return b"/Alt%b/A<</O/PrintField/Role/%b/checked/%b>>" % (pdf_text(words), kind, b"on" if ticked else b"off")


def _element(kind: bytes) -> bytes:
    return b"Form" if kind else b"Figure"


def _drawing(annotation: Any) -> Any:
    """The appearance that is shown: of the state it is in, if it has states."""
    shown = annotation.get("/AP", Dictionary()).get("/N")
    if isinstance(shown, pikepdf.Stream) or shown is None:
        return shown
    return shown.get(annotation.get("/AS", "/Off"))


def _kind(annotation: Any) -> bytes:
    """The role of a field on paper; empty if it is no field."""
    if annotation.get("/Subtype") != "/Widget":
        return b""
    if inherited(annotation, "/FT") != "/Btn":
        return b"tv"
    flags = int(inherited(annotation, "/Ff") or 0)
    return b"pb" if flags & _PUSH else b"rb" if flags & _RADIO else b"cb"


def _label(annotation: Any) -> str:
    return str(inherited(annotation, "/TU") or inherited(annotation, "/T") or "")


def _placement(annotation: Any, drawing: Any) -> bytes:
    """The matrix from an appearance to its rectangle (ISO 32000-1, algorithm 8.1)."""
    left, bottom, right, top = _sorted(annotation.Rect)
    box = _sorted(drawing.BBox)
    if "/Matrix" in drawing:
        seen = pikepdf.Matrix(drawing.Matrix).transform(pikepdf.Rectangle(*box))
        box = (seen.llx, seen.lly, seen.urx, seen.ury)
    wide, tall = box[2] - box[0], box[3] - box[1]
    across, up = (right - left) / wide if wide else 1.0, (top - bottom) / tall if tall else 1.0
    return b"%.6g 0 0 %.6g %.6g %.6g cm " % (across, up, left - across * box[0], bottom - up * box[1])


def _sorted(rectangle: Any) -> tuple[float, float, float, float]:
    one, two, three, four = (float(number) for number in rectangle)
    return min(one, three), min(two, four), max(one, three), max(two, four)
