"""Files without fields, read in two steps: what their pages show (`look`), then each page with what is known of its document.

Between the steps somebody who knows the documents says how they were laid out and what was printed on them.
Both steps run in the sandbox, a few pages at a time.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache
from typing import Final

from formsvc.model.kinds import Lang
from formsvc.parsers.flattened import read_flattened
from formsvc.parsers.glyphs import Shapes, known_shapes
from formsvc.parsers.marks import MarkReader
from formsvc.parsers.ocr import TextReader
from formsvc.parsers.page import Known, PageRead
from formsvc.parsers.raster import open_pages
from formsvc.parsers.register import Reference
from formsvc.parsers.sandbox import run_limited
from formsvc.parsers.scan import read_scan
from formsvc.parsers.sight import Seen, Sight, look
from formsvc.parsers.slots import Tools

__all__ = ["Job", "look", "read_page"]

_TEXT_SECONDS: Final = 4.5
"""A page of long notes would take its process over the limit."""


@dataclass(frozen=True, slots=True, eq=False)
class Job:
    """A page of a file that shows a page of a document."""

    sight: Sight
    page: int
    known: Known
    printed: Reference | None
    """None for a page that was added behind the form's own."""
    seen: Seen | None


def read_page(content: bytes, password: str | None, job: Job, text_seconds: float = _TEXT_SECONDS) -> PageRead:
    """What a page gives; refuses one that cannot be read. Text that takes longer is left to a person. For the sandbox."""
    with open_pages(content, password) as pages:
        tools = Tools(marks=_marks(), text=_texts(job.known.lang), shapes=_shapes(), text_seconds=min(text_seconds, _TEXT_SECONDS))
        read = read_flattened(pages, job.sight, job.seen, job.known, job.printed, tools) if job.seen is not None and not job.sight.is_scan else None
        return read if read is not None else read_scan(pages, job.sight, job.seen, job.known, job.page, job.printed, tools)


def warm(langs: Iterable[Lang]) -> None:
    """Load the readers of ticks and text here, once, so that the processes that are forked have them: loading takes seconds."""
    _marks()
    _shapes()
    for lang in langs:
        _texts(lang)


@cache
def _marks() -> MarkReader:
    return MarkReader()


@cache
def _shapes() -> Shapes:
    """Drawn in a process of its own: this one is going to be forked, and must not have computed with OpenCV."""
    return run_limited(known_shapes)


@cache
def _texts(lang: Lang) -> TextReader | None:
    return TextReader(lang)

