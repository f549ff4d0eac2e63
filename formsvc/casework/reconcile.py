"""What a sheet's record is, once every copy that came back has been heard.

The record is a function of the *set* of returns (and of what people decided), never of their order:

* a cell that a return left as it was issued says nothing about that cell;
* one new value, from however many copies, is the record's;
* different new values are a conflict: it waits for a person, with every value and where it came from.
  Meanwhile the fullest value stands, so that no need and no action vanishes because a second copy came;
* a person's decision holds for the values that person saw; a value that comes later asks again.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from formsvc.casework.cells import Cells, Rows, all_rows, cells_of, values_of
from formsvc.model.form import Form
from formsvc.model.record import Value, Values

Answered = Value | None
"""A cell's value; None is an empty cell (a tick taken away, a text deleted)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Contribution:
    """What one copy says: the cells as it was issued, and as it came back."""

    source: str
    issued: Cells
    returned: Cells
    held: frozenset[str] = frozenset()
    """Cells that could not be understood or trusted: they say nothing until a person has looked."""
    edition: int = 1
    """Which edition of the sheet it is: a later one may have been printed with what an earlier one said."""

    def edits(self) -> dict[str, Answered]:
        """The cells that differ from what was issued."""
        issued, returned = self.issued, self.returned
        touched = [cell for cell in returned if returned[cell] != issued.get(cell)] + [cell for cell in issued if cell not in returned]
        return {cell: returned.get(cell) for cell in touched if cell not in self.held}


@dataclass(frozen=True, slots=True, kw_only=True)
class Decision:
    """What a person chose for a cell, having seen these values."""

    value: Answered
    seen: tuple[Answered, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Candidate:
    """A value that somebody gave, and the returns that hold it."""

    value: Answered
    sources: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Conflict:
    """Different answers to one cell; the first candidate stands meanwhile."""

    cell: str
    issued: Answered
    candidates: tuple[Candidate, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Settled:
    """The record as cells, and what waits for a person."""

    cells: Mapping[str, Value]
    edited: Mapping[str, Answered]
    """The cells that somebody wrote or decided, with what stands there."""
    conflicts: tuple[Conflict, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Merge:
    """The merged record, and the cells that both sides changed differently."""

    values: Values
    conflicts: tuple[Conflict, ...]


def settle(base: Cells, contributions: Iterable[Contribution], decisions: Mapping[str, Decision] | None = None) -> Settled:
    """The record of a sheet whose newest issue is `base`, from everything that came back and was decided."""
    edits: dict[str, list[tuple[Contribution, Answered]]] = {}
    for contribution in sorted(contributions, key=lambda contribution: contribution.source):
        for cell, value in contribution.edits().items():
            edits.setdefault(cell, []).append((contribution, value))
    given: dict[str, list[Candidate]] = {}
    for cell, found in edits.items():
        for contribution, value in found:
            if not _superseded(cell, contribution, value, found):
                _add(given.setdefault(cell, []), value, contribution.source)
    edited: dict[str, Answered] = {}
    conflicts = []
    for cell in sorted(given.keys() | (decisions or {}).keys()):
        candidates = _standing(given.get(cell, []), (decisions or {}).get(cell))
        if len(candidates) > 1:
            conflicts.append(Conflict(cell=cell, issued=base.get(cell), candidates=tuple(candidates)))
        edited[cell] = candidates[0].value
    cells = {cell: value for cell, value in {**base, **edited}.items() if value is not None}
    return Settled(cells=cells, edited=edited, conflicts=tuple(conflicts))


def _superseded(cell: str, one: Contribution, value: Answered, found: Sequence[tuple[Contribution, Answered]]) -> bool:
    """Whether a later edition was printed with this value, and somebody changed it there."""
    return any(other.edition > one.edition and _same(other.issued.get(cell), value) for other, _ in found)


def _add(candidates: list[Candidate], value: Answered, source: str) -> None:
    """Count a source for its value; True and 1 are different answers although Python finds them equal."""
    for place, candidate in enumerate(candidates):
        if _same(candidate.value, value):
            candidates[place] = Candidate(value=value, sources=(*candidate.sources, source))
            return
    candidates.append(Candidate(value=value, sources=(source,)))


def _same(one: Answered, other: Answered) -> bool:
    return one == other and type(one) is type(other)


def _standing(candidates: Sequence[Candidate], decision: Decision | None) -> list[Candidate]:
    """The values still in question: the one that stands first."""
    if decision is None:
        return sorted(candidates, key=_fullest)
    unseen = [candidate for candidate in candidates if not any(_same(candidate.value, seen) for seen in (decision.value, *decision.seen))]
    chosen = next((candidate for candidate in candidates if _same(candidate.value, decision.value)), Candidate(value=decision.value, sources=()))
    return [chosen, *sorted(unseen, key=_fullest)]


def _fullest(candidate: Candidate) -> tuple[int, str, str]:
    """The longest text first; among equals the alphabet (of two dates the nearer one): any fixed order would do."""
    text = "" if candidate.value is None else str(candidate.value)
    return -len(text), text, type(candidate.value).__name__


def merge(form: Form, issued: Values, current: Values, returned: Values, rows: Rows | None = None) -> Merge:
    """The three-way merge of one document: `issued` is the base, `current` the record now, `returned` what came back.

    Rows are matched by their place where `rows` gives no identities.
    """
    order = all_rows(form, rows or {})
    base, now, back = (cells_of(form, values, order) for values in (issued, current, returned))
    settled = settle(base, (Contribution(source="current", issued=base, returned=now), Contribution(source="returned", issued=base, returned=back)))
    return Merge(values=values_of(form, settled.cells, order), conflicts=settled.conflicts)
