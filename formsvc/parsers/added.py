"""The pages that were added behind a form for answers that did not fit: read, and joined again with where they began."""

import re
from typing import Final

import numpy as np

from formsvc.model.paper import ADDED_BOTTOM, ADDED_GAP, ADDED_TOP, FROM_PAGE, pattern_of
from formsvc.model.record import problem
from formsvc.parsers.lines import Line, joined, lines_of
from formsvc.parsers.page import Known, PageRead, stored
from formsvc.parsers.printed import Letters
from formsvc.parsers.slots import is_written

_HEADING: Final = re.compile(rf"\s*{pattern_of(*FROM_PAGE.values())}\s*$")
_EDGE: Final = 5.0  # points: half a line more than added pages keep for head and foot


def continued(text: Letters, known: Known) -> list[tuple[str, int, str]]:
    """The continued answers of an added page: heading, the page they come from, text. Two columns, headings end with the page."""
    sheet = known.layout.pages[0]
    left = min(slot.box[0] for slot in known.layout.slots if slot.page == 1 and is_written(slot))
    right = max(slot.box[2] for slot in known.layout.slots if slot.page == 1 and is_written(slot))
    half = (left + right) / 2
    middles = np.stack([(text.boxes[:, 0] + text.boxes[:, 2]) / 2, (text.boxes[:, 1] + text.boxes[:, 3]) / 2], axis=1)
    body = (middles[:, 1] > ADDED_TOP - _EDGE) & (middles[:, 1] < sheet.height - ADDED_BOTTOM + _EDGE)
    found: list[tuple[str, int, str]] = []
    for is_here, edges in ((middles[:, 0] < half, (left, half - ADDED_GAP / 2)), (middles[:, 0] >= half, (half + ADDED_GAP / 2, right))):
        numbers = np.flatnonzero(body & is_here)
        if not len(numbers):
            continue
        lines = lines_of([text.texts[number] for number in numbers], text.boxes[numbers])
        for heading, page, several in _items(lines):
            rest = joined(several, *edges)
            if page or not found:
                found.append((heading, page, rest))
            else:  # the column begins with what the last one ended with
                last = found[-1]
                found[-1] = (last[0], last[1], f"{last[2]} {rest}".strip())
    return found


def _items(lines: list[Line]) -> list[tuple[str, int, list[Line]]]:
    """Headings with the lines below them; what stands before the first heading has page 0."""
    items: list[tuple[str, int, list[Line]]] = [("", 0, [])]
    for number, line in enumerate(lines):
        before = lines[number - 1] if number else None
        gap = line.middle - before.middle if before else 99.0
        if (mark := _HEADING.search(line.text)) is not None:
            heading = line.text[: mark.start()]
            pending = items[-1][2]
            while pending and heading.find(":") < 0 and pending[-1] is before and gap < 13:  # noqa: PLR2004  (a heading of two lines)
                heading = f"{pending.pop().text} {heading}"
                break
            items.append((heading, int(next(filter(None, mark.groups()))), []))
        else:
            items[-1][2].append(line)
    return [item for item in items if item[2] or item[1]]


def join_rests(reads: list[PageRead], known: Known) -> None:
    """Put continued answers together again: marks and headings stand in the same order, and each names the page."""
    rests: list[tuple[str, int, str]] = []
    for rest in (rest for read in sorted(reads, key=lambda read: read.page) for rest in read.rests):
        if rest[1] or not rests:
            rests.append(rest)
        else:  # the page begins with what the one before ended with
            rests[-1] = (*rests[-1][:2], f"{rests[-1][2]} {rest[2]}")
    order = {slot.name: number for number, slot in enumerate(known.layout.slots)}
    pages = len(known.layout.pages)
    lost = set(range(pages + 1, max((read.total for read in reads), default=0) + 1)) - {read.page for read in reads}
    for read in reads:
        keys = sorted(read.cut, key=lambda key: order.get(key, 0))
        ours = [rest for rest in rests if rest[1] == read.page]
        issued = known.printed()
        for number, key in enumerate(keys):
            answer = read.answers[key]
            if key in issued and answer.raw == stored(known, key, issued[key]):
                continue
            if lost or number >= len(ours) or len(ours) != len(keys):
                read.problems.append(problem("continuation-missing", key, "warning", page=read.cut[key]))
                continue
            whole = f"{answer.raw.rstrip()} {ours[number][2].lstrip()}"
            read.answers[key] = type(answer)(raw=whole, confidence=answer.confidence, page=answer.page, box=answer.box)

