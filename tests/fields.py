"""What a browser sends of a form."""

from html.parser import HTMLParser


class Fields(HTMLParser):
    """What a browser would send of the form called `fill` when nothing was touched."""

    def __init__(self, html: str) -> None:
        """Read a page."""
        super().__init__()
        self.found: dict[str, str] = {}
        self.locked: set[str] = set()
        self._inside, self._area, self._select = False, "", ""
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Note controls with what stands in them."""
        facts = dict(attrs)
        name = facts.get("name") or ""
        if tag == "form":
            self._inside = facts.get("id") == "fill"
        if not self._inside or (not name and tag != "option"):
            return
        if "readonly" in facts or "disabled" in facts:
            self.locked.add(name)
        if tag == "input" and (facts.get("type") != "checkbox" or "checked" in facts) and "disabled" not in facts:
            self.found[name] = (facts.get("value") or "").replace("\n", "").replace("\r", "")  # a line has no line breaks
        if tag == "textarea":
            self._area = name
            self.found[name] = ""
        if tag == "select" and "disabled" not in facts:
            self._select = name
            self.found[name] = ""
        if tag == "option" and "selected" in facts and self._select:
            self.found[self._select] = facts.get("value") or ""

    def handle_data(self, data: str) -> None:
        """Note what stands in a text area."""
        if self._area:
            self.found[self._area] += data

    def handle_endtag(self, tag: str) -> None:
        """End a control."""
        if tag == "textarea" and self._area:
            self.found[self._area] = self.found[self._area].removeprefix("\n").replace("\n", "\r\n")
            self._area = ""
        if tag == "select":
            self._select = ""
        if tag == "form":
            self._inside = False
