"""The documents on the pages of a file: looked up with whoever keeps them, and laid out as they were issued.

Compiling a layout and knowing what was issued happen here, with our own data only; pages of ours are drawn in limited processes.
"""

from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Final

from formsvc.catalog import Catalog
from formsvc.errors import Refused
from formsvc.model.kinds import Lang
from formsvc.model.layout import CompiledForm, read_laid
from formsvc.model.record import Values
from formsvc.parsers import triage
from formsvc.parsers.allowance import Allowance
from formsvc.parsers.sandbox import run_limited
from formsvc.renderers.compile import compile_form

if TYPE_CHECKING:  # OpenCV and its like take a third of a second: only files without fields need them
    from formsvc.parsers.page import Known
    from formsvc.parsers.papers import Job
    from formsvc.parsers.register import Reference
    from formsvc.parsers.sight import Seen, Sight


@dataclass(frozen=True, slots=True, kw_only=True)
class Issue:
    """A document as it was issued, told by whoever keeps it."""

    lang: Lang
    values: Values
    content: bytes


Lookup = Callable[[str], Issue | None]
"""What was issued under a document id."""


class Documents:
    """The documents of one file: looked up and laid out once each."""

    def __init__(self, catalog: Catalog, key: bytes, cache: Path, lookup: Lookup) -> None:
        """Know none yet."""
        self.key, self.lookup = key, lookup
        self._catalog, self._cache = catalog, cache
        self._found: dict[str, tuple[Known, CompiledForm]] = {}

    def job(self, sight: "Sight", seen: "Seen", allowance: Allowance | None = None) -> "Job":
        """What is needed to read a page; refuses one whose layout nobody knows.

        Laying out a page that is not sealed counts to the file's time: anybody may ask for any layout so, forty times on one page.
        """
        if seen.read.sealed or allowance is None:
            return self._job(sight, seen, None)
        return allowance.lend(partial(self._job, sight, seen))

    def _job(self, sight: "Sight", seen: "Seen", seconds: float | None) -> "Job":
        from formsvc.parsers.papers import Job  # noqa: PLC0415

        stamp, page = seen.read.stamp, seen.read.page
        if stamp.document not in self._found:
            self._found[stamp.document] = self._open(seen, seconds)
        known, compiled = self._found[stamp.document]
        printed = page_reference(compiled, page) if page <= len(compiled.layout.pages) else None
        return Job(sight=sight, page=page, known=known, printed=printed, seen=seen)

    def _open(self, seen: "Seen", seconds: float | None) -> "tuple[Known, CompiledForm]":
        from formsvc.parsers.page import Known  # noqa: PLC0415

        stamp = seen.read.stamp
        if not stamp.code:
            return self._open_issued(stamp.document)
        form = self._catalog.by_code(stamp.code, stamp.version)
        if form is None:
            raise Refused("foreign-form")
        issue = self.lookup(stamp.document) if seen.read.sealed else None
        laid = read_laid(form, stamp.laid)
        if laid is None:
            raise Refused("layout-unknown")
        lang, rows = laid
        compiled = compile_form(self._catalog, form.id, rows, lang, self._cache, seconds)
        values, content = (issue.values, issue.content) if issue else (None, b"")
        return Known(form=form, lang=lang, layout=compiled.layout, document=stamp.document, values=values, issued=content), compiled

    def _open_issued(self, document: str) -> "tuple[Known, CompiledForm]":
        """A document of which only the id is known: how it is laid out stands in what was issued."""
        from formsvc.parsers.page import Known  # noqa: PLC0415

        issue = self.lookup(document)
        submission = run_limited(triage.read, issue.content, self._catalog, self.key, None).submission if issue is not None and issue.content else None
        if issue is None or submission is None:
            raise Refused("layout-unknown")
        form = self._catalog.form(submission.form)
        counts = {group.name: 0 for group in form.groups}
        for place in filter(None, map(form.find, submission.answers)):
            if place.group is not None:
                counts[place.group.name] = max(counts[place.group.name], place.row + 1)
        compiled = compile_form(self._catalog, form.id, counts, issue.lang, self._cache)
        return Known(form=form, lang=issue.lang, layout=compiled.layout, document=document, values=issue.values, issued=issue.content), compiled


_REFERENCES: "Final[OrderedDict[tuple[str, int], Reference]]" = OrderedDict()
_KEPT: Final = 8


def page_reference(compiled: CompiledForm, page: int) -> "Reference":
    """A page of a blank as it is looked for in pictures; the last ones are kept (about 4 MB each)."""
    from formsvc.parsers.register import reference_of  # noqa: PLC0415

    name = compiled.digest, page
    if name not in _REFERENCES:
        _REFERENCES[name] = run_limited(reference_of, compiled.blank, compiled.layout, page)
    _REFERENCES.move_to_end(name)
    while len(_REFERENCES) > _KEPT:
        _REFERENCES.popitem(last=False)
    return _REFERENCES[name]
