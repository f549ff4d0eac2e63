"""A letter's HTML as a part of a page of ours: only elements that say how text is ordered, nothing that acts or loads.

The Word template is an agency's and the values are typed by anybody, so what may stay is named here and the rest
is left out: attributes, scripts, pictures, links, styles.
"""

import re
from collections.abc import Mapping, Sequence
from html.parser import HTMLParser
from typing import Final

from markupsafe import Markup, escape

_KEPT: Final = frozenset({"p", "ul", "ol", "li", "table", "thead", "tbody", "tr", "td", "th", "strong", "em", "b", "i", "u", "s", "sub", "sup", "br", "div"})
_HEADS: Final[Mapping[str, str]] = {"h1": "h3", "h2": "h4", "h3": "h5", "h4": "h6", "h5": "h6", "h6": "h6"}
"""A letter's own headings stand below those of the page around it."""
_SILENT: Final = frozenset({"head", "script", "style", "title", "template", "noscript", "object", "svg", "math"})
_CLASSES: Final = frozenset({"notice", "cut", "subtitle", "address", "closing", "signature", "columns", "foot"})
_PAGE_NUMBERS: Final = re.compile(r"<p\b[^>]*>(?:(?!</p>).)*<span class=\"page\">.*?</p>", re.DOTALL)
_SPANS: Final = ("colspan", "rowspan")
_VOID: Final = frozenset({"br"})


def safe_letter(page: str) -> Markup:
    """The body of a letter's HTML, rebuilt from what is allowed; a page on a screen has no page numbers, and its foot comes last."""
    builder = _Builder()
    builder.feed(_PAGE_NUMBERS.sub("", page))
    builder.close()
    return Markup("").join((*builder.body, *builder.foot))


class _Builder(HTMLParser):
    """Writes down what is allowed, closed in the order in which it was opened."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.body: list[Markup] = []
        self.foot: list[Markup] = []
        self._parts, self._foot_ends = self.body, 0
        self._open: list[str] = []
        self._silent = 0

    def handle_starttag(self, tag: str, attrs: Sequence[tuple[str, str | None]]) -> None:
        if tag in _SILENT:
            self._silent += 1
        name = _HEADS.get(tag, tag if tag in _KEPT else "")
        if self._silent or not name:
            return
        if ("class", "foot") in attrs and self._parts is self.body:
            self._parts, self._foot_ends = self.foot, len(self._open)
        self._parts.append(Markup("<{}{}>").format(Markup(name), _attributes(name, dict(attrs))))  # noqa: S704  (one of our own names)
        if name not in _VOID:
            self._open.append(name)

    def handle_endtag(self, tag: str) -> None:
        if tag in _SILENT:
            self._silent = max(0, self._silent - 1)
            return
        name = _HEADS.get(tag, tag)
        if self._silent or name not in self._open:
            return
        while self._shut() != name:
            pass
        if self._parts is self.foot and len(self._open) <= self._foot_ends:
            self._parts = self.body

    def _shut(self) -> str:
        """Close what was opened last."""
        name = self._open.pop()
        self._parts.append(Markup("</{}>").format(Markup(name)))  # noqa: S704
        return name

    def handle_data(self, data: str) -> None:
        if not self._silent:
            self._parts.append(escape(data))

    def close(self) -> None:
        super().close()
        while self._open:
            self._shut()


def _attributes(name: str, given: Mapping[str, str | None]) -> Markup:
    """The few attributes that order text: what a head is for, how far a cell reaches, which of our classes."""
    found = [Markup(' {}="{}"').format(Markup(span), int(value)) for span in _SPANS if (value := given.get(span) or "").isdecimal() and len(value) < 3]  # noqa: PLR2004, S704
    if name == "th":
        found.append(Markup(' scope="col"'))
    classes = sorted(_CLASSES.intersection((given.get("class") or "").split()))
    if classes:
        found.append(Markup(' class="letter-{}"').format(classes[0]))
    return Markup("").join(found)
