"""What people decided about boxes on paper, as pictures to learn from, without anything about people.

Of each box only its nearest surroundings are given; everything else of its picture is the blank form's. No
name, no document, no order: nothing tells which boxes were on one paper.
"""

import io
import random
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import Connection, select

from formsvc.casework.cells import cells_of
from formsvc.errors import Refused
from formsvc.model.form import FormId, Place
from formsvc.model.kinds import Choice, is_box
from formsvc.office.exported import EVENT
from formsvc.office.look import kept_content
from formsvc.office.office import Office
from formsvc.office.receive import issue_of
from formsvc.office.sheets import as_cell, rows_of
from formsvc.parsers.page import BOX_AROUND, BOX_HIGH, BOX_WIDE, EMPTY, MARKED, VOID, BoxPicture
from formsvc.store.papers import Return, find_document, latest_revision, open_questions, read_return, standing_decisions
from formsvc.store.schema import returns

_ASKED: Final = frozenset({"mark-unsure", "mark-void", "two-marks"})


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class Corrections:
    """Pictures of boxes and of the same places of the blank ([n, 75, 133], 200 dpi), what a person says of each, and from how many papers they are."""

    crops: NDArray[np.uint8]
    blanks: NDArray[np.uint8]
    labels: NDArray[np.uint8]
    papers: int
    unread: int
    """Papers that could not be read again: erased since, or without their layout."""

    def content(self) -> bytes:
        """As `benchmarks.scans.marks_train` takes it."""
        memory = io.BytesIO()
        np.savez_compressed(memory, crops=self.crops, blanks=self.blanks, labels=self.labels)
        return memory.getvalue()


def gather_corrections(office: Office, progress: Callable[[int, int], None] = lambda _done, _all: None) -> Corrections:
    """Every box on scans and prints that a person has decided about, in no order. Papers are read again, a second or two each."""
    with office.store.reading() as connection:
        wanted = [(back, known) for back in _papers(connection) if (known := _decided(office, connection, back))]
    found: list[tuple[BoxPicture, int]] = []
    papers = unread = 0
    for number, (back, known) in enumerate(wanted):
        progress(number, len(wanted))
        try:
            pictures = office.service.boxes(kept_content(office, back.file), back.stamp or back.document or "", frozenset(known), lambda document: issue_of(office, document))
        except Refused:
            unread += 1
            continue
        papers += 1
        found += [(picture, _label(picture.seen, is_marked=known[name])) for name, picture in pictures.items()]
    progress(len(wanted), len(wanted))
    random.SystemRandom().shuffle(found)
    with office.store.writing() as connection:
        office.store.log(connection, EVENT, "corrections:boxes", rows=len(found))
    crops, blanks = (np.stack(several) if (several := [part(picture) for picture, _ in found]) else np.zeros((0, BOX_HIGH, BOX_WIDE), np.uint8) for part in (_apart, lambda picture: picture.blank))
    return Corrections(crops=crops, blanks=blanks, labels=np.array([label for _, label in found], np.uint8), papers=papers, unread=unread)


def _apart(picture: BoxPicture) -> NDArray[np.uint8]:
    """A box and nothing else that was written."""
    crop = picture.blank.copy()
    crop[BOX_AROUND] = picture.crop[BOX_AROUND]  # where a hand's letters that are not about it have no room
    return crop


def _label(seen: int, *, is_marked: bool) -> int:
    """What a person's answer says of a box: ink that does not count was crossed out."""
    if is_marked:
        return MARKED
    return EMPTY if seen == EMPTY else VOID


def _papers(connection: Connection) -> Iterator[Return]:
    for number in connection.scalars(select(returns.c.id).where(returns.c.state == "counted", returns.c.source.in_(("scan", "flattened"))).order_by(returns.c.id)):
        if (back := read_return(connection, number)) is not None and back.sheet is not None and back.document:
            yield back


def _decided(office: Office, connection: Connection, back: Return) -> Mapping[str, bool]:
    """The boxes of a paper that a person has decided about: whether each is marked."""
    document = find_document(connection, back.document or "")
    revision = latest_revision(connection, back.sheet or 0)
    if document is None or revision is None:
        return {}
    form = office.service.catalog.form(FormId(name=back.form, version=back.version))
    stands = cells_of(form, revision.values, revision.rows)
    values: dict[str, Any] = {row.cell: stands.get(row.cell) for row in open_questions(connection, "answered", sheet_id=back.sheet, return_id=back.id) if row.code in _ASKED}
    values |= {cell: decision.value for cell, decision in standing_decisions(connection, back.sheet or 0).items() if back.id in decision.seen.get("returns", ())}
    rows = rows_of(connection, form, back, document)
    boxes = ((key, place, as_cell(form, key, rows)) for key in back.places if (place := form.find(key)) is not None and is_box(place.ask.kind))
    return {key: _is_marked(place, values[cell]) for key, place, cell in boxes if cell in values}


def _is_marked(place: Place, value: Any) -> bool:
    if isinstance(place.ask.kind, Choice):
        return place.option is not None and value == place.option.code
    return value is True
