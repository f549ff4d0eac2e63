"""Fills a compiled form: an incremental update with values and our own appearance streams.

The hot path. The blank's bytes are untouched; per document only what is answered is written.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Final
from xml.sax.saxutils import quoteattr

from formsvc.model.form import Form
from formsvc.model.kinds import Choice, Kind, LongText
from formsvc.model.layout import CompiledForm, laid_code
from formsvc.model.paper import PAGE_OF
from formsvc.model.record import Problem, Value, Values, problem
from formsvc.model.stamp import NAMESPACE, Stamp, in_words, stamp_text, value_seal
from formsvc.model.values import write_value
from formsvc.renderers.appearance import Drawn, draw_matrix, draw_stamp, draw_text, lay_text
from formsvc.renderers.continuation import Added, Rest, lay_out, write_pages
from formsvc.renderers.embed import FontBook
from formsvc.renderers.plan import Plan, Widget, plan_of
from formsvc.renderers.update import Update, pdf_text

_READ_ONLY: Final = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Filled:
    """A filled document, and what a person should know about it (nothing was lost)."""

    content: bytes
    problems: tuple[Problem, ...] = ()


def fill(compiled: CompiledForm, values: Values, stamp: Stamp, key: bytes) -> Filled:
    """The document with these values (in their one spelling, see `schema.load_values`).

    `key` signs the stamp. Raises LookupError for an answer the compiled form has no row for.
    """
    filling = _Filling(compiled, values, stamp, key)
    return Filled(content=filling.write(), problems=tuple(filling.problems))


class _Filling:
    """One document being filled."""

    def __init__(self, compiled: CompiledForm, values: Values, stamp: Stamp, key: bytes) -> None:
        self.compiled, self.values, self.key = compiled, values, key
        self.stamp = replace(stamp, laid=laid_code(compiled.form, compiled.lang, compiled.row_counts))
        self.plan: Plan = plan_of(compiled)
        self.book = FontBook()
        self.problems: list[Problem] = []
        self.names = _row_names(compiled.form, values)
        self.update = Update(compiled.blank, size=self.plan.size, start=self.plan.start)
        self.appearances: list[tuple[Widget, bytes, bytes]] = []
        self.bodies: dict[str, bytes] = {}

    def write(self) -> bytes:
        laid = self._lay()
        rests = [Rest(name, self._label(widget), widget.slot.page, drawn.fitted.rest) for name, (widget, drawn, _) in laid.items() if drawn.fitted.rest]
        rests.sort(key=lambda rest: self.plan.order[rest.key])
        pages = self.compiled.layout.pages
        added = lay_out(rests, self.compiled.layout, self.compiled.lang) if rests else Added((), {})
        for name, (widget, drawn, value) in laid.items():
            self._draw(name, widget, drawn, value, added.page_of.get(name, 0))
        self._stamp_pages(len(pages) + len(added.pages))
        self._name_rows()
        continuation = self._added_stamps(len(pages), len(added.pages))
        return self._finish(added, continuation)

    # ------------------------------------------------------------ answers

    def _lay(self) -> dict[str, tuple[Widget, Drawn, str]]:
        """Every written answer laid into its box; boxes are ticked on the way."""
        laid: dict[str, tuple[Widget, Drawn, str]] = {}
        for row, entries in self._rows():
            asks = self.plan.asks[row]
            for name, value in entries.items():
                ask = asks.get(name)
                if ask is None:
                    continue  # a group: its rows come by themselves
                if (widget := ask.one) is not None:
                    laid[widget.slot.name] = self._laid(widget, ask.kind, value)
                    continue
                for choice in value if isinstance(value, list) else (value,):
                    if (box := ask.boxes.get(choice)) is not None:
                        self._tick(box.slot.name, box)
        return laid

    def _rows(self) -> Iterator[tuple[tuple[str, int], Mapping[str, object]]]:
        yield ("", 0), self.values
        for group in self.compiled.form.groups:
            rows = self.values.get(group.name)
            for number, row in enumerate(rows if isinstance(rows, list) else ()):
                if isinstance(row, dict):
                    yield (group.name, number), row

    def _laid(self, widget: Widget, kind: Kind, value: object) -> tuple[Widget, Drawn, str]:
        shown = write_value(kind, value, self.compiled.lang)
        drawn = lay_text(shown, widget.width, widget.height, one_line=not isinstance(kind, LongText))
        return widget, drawn, str(value) if isinstance(kind, Choice) else shown

    def _tick(self, name: str, widget: Widget) -> None:
        self.bodies[name] = self._lock(name, widget, "on", b"/AS/on/V/on")

    def _draw(self, name: str, widget: Widget, drawn: Drawn, value: str, page: int) -> None:
        content, missing = draw_text(drawn, widget.width, widget.height, self.book, lang=self.compiled.lang, page=page)
        number = self.update.new()
        self.appearances.append((widget, b"%d" % number, content))
        self.bodies[name] = self._lock(name, widget, value, b"/V%b/AP<</N %d 0 R>>" % (pdf_text(value), number))
        if missing:
            detail = ", ".join(f"{character} (U+{ord(character):04X})" for character in sorted(missing))
            self.problems.append(problem("glyph-missing", name, "warning", detail=detail))
        if page:
            self.problems.append(problem("continued", name, "warning", page=page))

    def _lock(self, name: str, widget: Widget, value: str, body: bytes) -> bytes:
        """The answer with its flags; a value printed by us becomes read-only and sealed."""
        flags = widget.flags
        if widget.place and widget.place.ask.locked:
            flags |= _READ_ONLY
            body += b"/FSVCSeal(%b)" % value_seal(self.key, self.stamp.document, name, value).encode("ascii")
        return body + b"/Ff %d" % flags if flags else body

    # ------------------------------------------------------------ labels

    def _label(self, widget: Widget) -> str:
        place = widget.place
        if place is None:
            return ""
        name = self.names.get((place.group.name, place.row), "") if place.group else ""
        return place.label(self.compiled.lang, name)

    def _name_rows(self) -> None:
        """Write the answered fields, and every field of a row that has a name: its label says whose row it is."""
        put, bodies = self.update.put, self.bodies
        for row, name in self.names.items():
            literal = pdf_text(name)[:-1] if name.isascii() else b""
            start = b"<FEFF" + name.encode("utf-16-be").hex().encode("ascii")
            for widget in self.plan.rows[row]:
                label = literal + widget.tail_ascii if literal and widget.tail_ascii else start + widget.tail_hex
                put(widget.number, b"%b/TU%b%b>>" % (widget.head, label, bodies.pop(widget.slot.name, widget.empty)))
        for key, body in bodies.items():
            widget = self.plan.widgets[key]
            put(widget.number, b"%b/TU%b%b>>" % (widget.head, widget.label, body))

    # ------------------------------------------------------------ stamps

    def _stamp_pages(self, total: int) -> None:
        for page in range(1, len(self.compiled.layout.pages) + 1):
            for name, content in zip(("stamp-a", "stamp-b"), self._stamps(page, total), strict=True):
                widget = self.plan.widgets[f"{name}-{page}"]
                number = self.update.new()
                self.appearances.append((widget, b"%d" % number, content))
                label = f"{self._words()}, {self._page_of(page, total)}"
                body = b"/V%b/AP<</N %d 0 R>>/Ff %d" % (pdf_text(stamp_text(self.stamp, page, self.key)), number, widget.flags)
                self.update.put(widget.number, b"%b/TU%b%b>>" % (widget.head, pdf_text(f"{label} ({name[-1].upper()})"), body))

    def _stamps(self, page: int, total: int) -> tuple[bytes, bytes]:
        code = stamp_text(self.stamp, page, self.key)
        widgets, form = self.plan.widgets, self.compiled.form
        a, b = widgets["stamp-a-1"], widgets["stamp-b-1"]
        form_line = f"{form.number} v{form.id.version}"
        return (
            draw_stamp(code, self._words(), self._page_of(page, total), form_line, a.width, a.height),
            draw_matrix(code, b.width, b.height),
        )

    def _words(self) -> str:
        return in_words(self.stamp.document)

    def _page_of(self, page: int, total: int) -> str:
        return PAGE_OF[self.compiled.lang].format(page=page, pages=total)

    def _added_stamps(self, before: int, count: int) -> list[bytes]:
        """The stamps of added pages, as artifacts of their content at the places of the first page."""
        drawn = []
        for page in range(before + 1, before + count + 1):
            parts = []
            for name, content in zip(("stamp-a-1", "stamp-b-1"), self._stamps(page, before + count), strict=True):
                left, bottom, _, _ = self.plan.widgets[name].slot.box
                parts.append(b"q 1 0 0 1 %.5g %.5g cm " % (left, bottom) + content + b" Q ")
            drawn.append(b"/Artifact BMC " + b"".join(parts) + b"EMC")
        return drawn

    # ------------------------------------------------------------ written

    def _finish(self, added: Added, stamps: list[bytes]) -> bytes:
        update, plan = self.update, self.plan
        resources = b"%d 0 R" % plan.resources
        shared = update.new() if added.pages or self.book else 0
        if shared:
            resources = b"%d 0 R" % shared
            if added.pages:
                write_pages(update, plan, self.compiled, added, stamps, self.book, resources)
            update.put(shared, b"<</Font<</Helv %d 0 R%b>>>>" % (plan.font, self.book.put(update)))
        for widget, number, content in self.appearances:
            head = b"/Type/XObject/Subtype/Form/BBox[0 0 %.5g %.5g]/Resources %b" % (widget.width, widget.height, resources)
            update.put_stream(int(number), head, content)
        update.put_stream(plan.metadata, b"/Type/Metadata/Subtype/XML", self._metadata())
        return update.finish(plan.trailer, plan.first_id)

    def _metadata(self) -> bytes:
        """The blank's XMP with the document's identity: no personal data."""
        rows = ",".join(f"{name}={count}" for name, count in sorted(self.compiled.row_counts.items()))
        facts: Mapping[str, str] = {
            "document": self.stamp.document,
            "form": self.compiled.form.id.name,
            "version": str(self.stamp.version),
            "lang": self.compiled.lang,
            "rows": rows,
            "layout": self.compiled.digest,
        }
        attributes = " ".join(f"formsvc:{name}={quoteattr(value)}" for name, value in facts.items())
        entry = f'<rdf:Description rdf:about="" xmlns:formsvc="{NAMESPACE}" {attributes}/></rdf:RDF>'
        return self.plan.metadata_text.replace("</rdf:RDF>", entry).encode("utf-8")


def _row_names(form: Form, values: Values) -> dict[tuple[str, int], str]:
    """Who a row is about, where its group says so."""
    names = {}
    for group in form.groups:
        rows = values.get(group.name)
        if not group.heading or not isinstance(rows, list):
            continue
        heading = next(ask for ask in group.asks if ask.name == group.heading)
        for number, row in enumerate(rows):
            value: Value | None = row.get(heading.name) if isinstance(row, dict) else None
            if value:
                names[group.name, number] = write_value(heading.kind, value, "en")
    return names
