"""What stored papers look like: pictures of their pages, which way up they are, and where each answer stands on them."""

from collections import OrderedDict, defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Final, TypeVar

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import select

from formsvc.casework.cells import Rows
from formsvc.errors import Refused
from formsvc.model.form import Form, FormId
from formsvc.model.kinds import is_box
from formsvc.model.record import Box
from formsvc.office.office import Office
from formsvc.office.review import Waiting
from formsvc.office.sheets import as_cell, rows_of
from formsvc.parsers.pictures import Pages, page_sizes, picture
from formsvc.parsers.sandbox import run_limited
from formsvc.store.papers import Return, find_document, find_return
from formsvc.store.schema import files

T = TypeVar("T")
_DPI: Final = 140
_WIDTH: Final = 612.0
_AROUND, _LABEL = 10.0, 90.0
"""Points that a cut shows around an answer, and right of a box, where its words stand."""
_MOST_LOOKS: Final = 200


@dataclass(frozen=True, slots=True, kw_only=True)
class Cut:
    """A part of a page: its left, top, width and height, in the page's own units from its top left."""

    page: int
    box: tuple[float, float, float, float]


@dataclass(frozen=True, slots=True, kw_only=True)
class Spot:
    """Where an answer that is asked about stands: in which return, on which page of it, with the page's size and turn."""

    number: int
    cut: Cut
    size: tuple[float, float]
    turn: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Look:
    """What a file looks like.

    `sizes` are the widths and heights of its pages, `places` says by key on which page and in which box an answer
    stands, `turns` by how many quarters of a turn clockwise a page has to be turned to be read.
    """

    sizes: tuple[tuple[float, float], ...] = ()
    places: Mapping[str, tuple[int, Box]] = field(default_factory=dict)
    turns: Mapping[int, int] = field(default_factory=dict)

    def cut(self, form: Form, keys: Iterable[str]) -> Cut | None:
        """The part of a page that shows these answers, of which the first says on which page; None where that is not known."""
        known = [(key, *self.places[key]) for key in keys if key in self.places]
        if not known or not 1 <= known[0][1] <= len(self.sizes):
            return None
        page = known[0][1]
        boxes = np.array([box for _, number, box in known if number == page])
        width, height = self.sizes[page - 1]
        turn = self.turns.get(page, 0)
        unit = (width if turn % 2 == 0 else height) / _WIDTH
        room = [_AROUND] * 4
        if any((place := form.find(key)) is not None and is_box(place.ask.kind) for key, _, _ in known):
            room[(2, 3, 0, 1)[turn]] = _LABEL  # words stand to the right as the page is read
        left, bottom = max(boxes[:, 0].min() - room[0] * unit, 0.0), max(boxes[:, 1].min() - room[1] * unit, 0.0)
        right, top = min(boxes[:, 2].max() + room[2] * unit, width), min(boxes[:, 3].max() + room[3] * unit, height)
        return Cut(page=page, box=(left, height - top, right - left, top - bottom)) if right > left and top > bottom else None


_LOOKS: OrderedDict[str, Look] = OrderedDict()


def look_of(office: Office, name: str) -> Look:
    """What a stored file looks like; nothing where it cannot be drawn. A name is of one content for ever, so the last ones are remembered."""
    if name in _LOOKS:
        return _LOOKS[name]
    content = kept_content(office, name)
    sizes = _drawn(lambda: run_limited(page_sizes, content), Pages(sizes=())).sizes
    with office.store.reading() as connection:
        back = find_return(connection, name)
    if back is not None and back.source in ("flattened", "scan"):  # reading paper takes long: its places were kept
        places: Mapping[str, tuple[int, Box]] = {key: (int(page), (left, bottom, right, top)) for key, (page, left, bottom, right, top, _) in back.places.items()}
        turns = _turns(office, back, places)
    else:
        places, turns = _drawn(lambda: _places(office, content), {}), {}
    look = Look(sizes=sizes, places=places, turns=turns)
    if look.sizes and look.places:  # what failed may have failed because the machine was busy
        _LOOKS[name] = look
        while len(_LOOKS) > _MOST_LOOKS:
            _LOOKS.popitem(last=False)
    return look


def kept_content(office: Office, name: str) -> bytes:
    """A stored file; refuses one that was erased."""
    with office.store.reading() as connection:
        state = connection.execute(select(files.c.state).where(files.c.name == name)).scalar()
    if state != "kept":
        raise Refused("file-lost")
    return office.store.vault.get(name)


def page_picture(office: Office, name: str, page: int) -> bytes:
    """A page of a stored file as PNG."""
    return run_limited(picture, kept_content(office, name), page, _DPI)


def _places(office: Office, content: bytes) -> Mapping[str, tuple[int, Box]]:
    found = office.service.understand(content).submission
    return {key: (answer.page, answer.box) for key, answer in found.answers.items() if answer.page and answer.box[2] > answer.box[0]}


def _drawn(work: Callable[[], T], otherwise: T) -> T:
    """What a picture's reader gives; a file that it cannot read has no picture, which is no failure of the page."""
    try:
        return work()
    except Refused:
        return otherwise


# ---------------------------------------------------------------- what is asked about


def spots(office: Office, questions: Iterable[Waiting], returns: Iterable[Return]) -> Mapping[int, Spot]:
    """For each question about an answer on a paper with a picture: what to look at."""
    known = {back.id: back for back in returns}
    found: dict[int, Spot] = {}
    rows: dict[int, tuple[Form, Rows]] = {}
    for one in questions:
        back = known.get(one.return_id or next((number for several in one.sources for number in several), 0))
        if back is None or not one.cell:
            continue
        look = _drawn(partial(look_of, office, back.file), Look())  # nothing of one that was erased
        if not look.sizes:
            continue
        if back.id not in rows:
            rows[back.id] = _rows(office, back)
        form, identities = rows[back.id]
        cut = look.cut(form, [key for key in look.places if as_cell(form, key, identities) == one.cell])
        if cut is not None:
            found[one.number] = Spot(number=back.id, cut=cut, size=look.sizes[cut.page - 1], turn=look.turns.get(cut.page, 0))
    return found


def _rows(office: Office, back: Return) -> tuple[Form, Rows]:
    form = office.service.catalog.form(FormId(name=back.form, version=back.version))
    with office.store.reading() as connection:
        document = find_document(connection, back.document or "")
        return form, rows_of(connection, form, back, document) if document is not None else {}


# ---------------------------------------------------------------- which way up


def _turns(office: Office, back: Return, places: Mapping[str, tuple[int, Box]]) -> Mapping[int, int]:
    """The pages of a paper that were laid on their side or head."""
    with office.store.reading() as connection:
        document = find_document(connection, back.document) if back.document else None
    if document is None:
        return {}
    form = office.service.catalog.form(FormId(name=document.form, version=document.version))
    slots = office.service.compiled(form, document.snapshot, "es" if document.lang == "es" else "en").layout.by_name
    pairs: defaultdict[int, defaultdict[int, list[tuple[Box, Box]]]] = defaultdict(lambda: defaultdict(list))
    for key, (page, box) in places.items():
        if key in slots:
            pairs[page][slots[key].page].append((slots[key].box, box))
    return {page: turn for page, several in pairs.items() if (turn := turn_of(max(several.values(), key=len)))}


def turn_of(pairs: Sequence[tuple[Box, Box]]) -> int:
    """By how many quarters of a turn clockwise a page has to be turned, from boxes as they were printed and as they came back."""
    ours, theirs = ((middles := _middles([pair[side] for pair in pairs])) - middles.mean() for side in (0, 1))
    return int(round(float(np.angle((ours.conj() * theirs).sum())) / (np.pi / 2)) % 4)


def _middles(boxes: Sequence[Box]) -> NDArray[np.complex128]:
    sides = np.array(boxes, dtype=np.float64).reshape(-1, 4)
    return np.asarray((sides[:, 0] + sides[:, 2]) / 2 + 1j * (sides[:, 1] + sides[:, 3]) / 2, dtype=np.complex128)
