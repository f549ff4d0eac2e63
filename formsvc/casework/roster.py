"""What a new roster changes: children who are new, come back, move, leave, are corrected, or are missing from it.

Pure: `plan_changes` compares, `apply_changes` gives the lines afterwards, `describe` says each
change in one line. The same roster planned again after applying it changes nothing.
"""

from collections import Counter
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, fields, replace
from datetime import date, timedelta
from functools import lru_cache
from typing import Final, Literal

from formsvc.model.roster import BREAK, ProgramOption, RosterLine, StaffMember
from formsvc.model.values import plain

Kind = Literal["new", "returned", "moved", "left", "corrected", "missing"]
KINDS: Final[tuple[Kind, ...]] = ("new", "returned", "moved", "left", "corrected", "missing")
_DAY: Final = timedelta(days=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """One change of one child's enrolment: the line as it is held, and as it will be."""

    kind: Kind
    child_id: str
    before: RosterLine | None
    after: RosterLine | None
    """None for a missing child, of whom nothing changes."""
    fields: tuple[str, ...] = ()
    """The details that differ between `before` and `after`."""
    ended: RosterLine | None = None
    """After a move: the old enrolment as it is kept, with its last day; None if the child never was there."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RosterPlan:
    """All that a roster changes, in its order; missing children last."""

    changes: tuple[Change, ...]
    unchanged: int = 0
    """Children of whom the roster says only what is known already."""

    def counts(self) -> Mapping[Kind, int]:
        """How many of each kind, in the order of `KINDS`."""
        found = Counter(change.kind for change in self.changes)
        return {kind: found[kind] for kind in KINDS}

    def changes_anything(self) -> bool:
        """Whether applying it makes a difference; a missing child alone makes none."""
        return any(change.kind != "missing" for change in self.changes)


def plan_changes(
    current: Sequence[RosterLine],
    incoming: Sequence[RosterLine],
    *,
    on: date,
    missing_left: date | None = None,
    told: Collection[str] = (),
    unread: Collection[str] = (),
) -> RosterPlan:
    """What `incoming`, read on the day `on`, changes in what is held.

    `missing_left` is the last day of children whose site is in the roster but who are not; without it they
    are only told. `told` names the fields whose default (no, center) is an answer, not an empty cell,
    and `unread` the children whose lines could not be read, who are not missing (both as in `RosterFile`).
    """
    held = _by_child(current)
    settled = _settled(current, incoming, told)
    changes: list[Change] = []
    unchanged = 0
    for child_id, lines in _by_child(settled).items():
        found = list(_changes_of(held.get(child_id, ()), lines, on, told))
        changes += found
        unchanged += not found
    changes += _missing(held, settled, unread, missing_left)
    return RosterPlan(changes=tuple(changes), unchanged=unchanged)


def apply_changes(current: Sequence[RosterLine], plan: RosterPlan) -> tuple[RosterLine, ...]:
    """The lines after a plan, in their old order, new ones last."""
    lines: list[RosterLine | None] = list(current)
    places: dict[RosterLine, list[int]] = {}
    for place, line in enumerate(current):
        places.setdefault(line, []).append(place)
    for change in plan.changes:
        if change.kind in ("left", "corrected") and change.before:
            lines[places[change.before].pop()] = change.after
        elif change.after:
            if change.before and change.kind == "moved":
                lines[places[change.before].pop()] = change.ended
            lines.append(change.after)
    return tuple(line for line in lines if line)


# ---------------------------------------------------------------- one child


def _by_child(lines: Sequence[RosterLine]) -> dict[str, tuple[RosterLine, ...]]:
    """The lines of each child, by their first day."""
    found: dict[str, list[RosterLine]] = {}
    for line in lines:
        found.setdefault(line.child_id, []).append(line)
    return {child_id: tuple(sorted(own, key=_span)) for child_id, own in found.items()}


def _changes_of(held: Sequence[RosterLine], lines: Sequence[RosterLine], on: date, told: Collection[str]) -> Iterator[Change]:
    """The changes of one child, line by line against what is held so far; leaving one unit for another is one move."""
    if not held:
        yield from (Change(kind="new", child_id=line.child_id, before=None, after=line) for line in lines)
        return
    known = list(held)
    waiting: Change | None = None  # a child who leaves one unit may be in another on the next line
    for line in lines:
        change = _change_of(known, line, on, told)
        if change is None:
            continue
        _enter(known, change)
        if waiting:
            move = _as_move(waiting, change)
            yield move or waiting
            waiting = None
            if move:
                continue
        if change.kind == "left":
            waiting = change
        else:
            yield change
    if waiting:
        yield waiting


def _as_move(left: Change, returned: Change) -> Change | None:
    """Leaving one unit and being in another soon after, weekends and breaks between, as one move."""
    old, new = left.after, returned.after
    if returned.kind != "returned" or not old or not new or _same_unit(old, new) or _start(new) - _end(old) > BREAK:
        return None
    return Change(kind="moved", child_id=new.child_id, before=left.before, after=new, fields=_differences(left.before, new), ended=old)


def _enter(known: list[RosterLine], change: Change) -> None:
    """Take a change into what is known of the child."""
    known[:] = sorted(apply_changes(known, RosterPlan(changes=(change,))), key=_span)


def _change_of(known: Sequence[RosterLine], line: RosterLine, on: date, told: Collection[str]) -> Change | None:
    if same := _same_enrolment(known, line, on):
        return _correction(known, same, line, told)
    if line.left_on and not _is_later(known, line):
        return None  # an enrolment of the past that was never held: nothing follows from it
    there = _there(known, _start(line) if line.left_on else max(on, _start(line)))
    return _move(known, there, line, on, told) if there else _return(known, line, on, told)


def _same_enrolment(known: Sequence[RosterLine], line: RosterLine, on: date) -> RosterLine | None:
    """The enrolment held that a line speaks of: in its unit, at its time; an open line means one that has not ended."""
    alike = [other for other in known if _same_unit(other, line)]
    if line.left_on:
        meant = [other for other in alike if _start(other) <= line.left_on and _start(line) <= _end(other)]
    else:
        meant = [other for other in alike if _end(other) >= max(on, _start(line))] or [other for other in alike if other.left_on is None]
    exact = [other for other in meant if other.enrolled_on == line.enrolled_on]
    return (exact or meant)[-1] if meant else None


def _there(known: Sequence[RosterLine], day: date) -> RosterLine | None:
    """Where the child is held to be, or will be, on a day."""
    return next((line for line in reversed(known) if line.left_on is None or line.left_on >= day), None)


def _is_later(known: Sequence[RosterLine], line: RosterLine) -> bool:
    """Whether an enrolment that has ended comes after all that is held."""
    return all(_start(line) > (_start(other) if other.left_on is None else other.left_on) for other in known)


def _correction(known: Sequence[RosterLine], held: RosterLine, line: RosterLine, told: Collection[str]) -> Change | None:
    after = _with_details(held, line, told)
    dated = replace(after, enrolled_on=line.enrolled_on or held.enrolled_on, left_on=line.left_on or held.left_on)
    after = next((choice for choice in (dated, replace(after, left_on=dated.left_on)) if _fits(known, held, choice)), after)
    if after == held:
        return None
    kind: Kind = "left" if after.left_on and not held.left_on else "corrected"
    return Change(kind=kind, child_id=held.child_id, before=held, after=after, fields=_differences(held, after))


def _move(known: Sequence[RosterLine], there: RosterLine, line: RosterLine, on: date, told: Collection[str]) -> Change:
    """The move is on the first day the roster gives, if that is not the old enrolment's own (programs keep one for all classes)."""
    is_dated = line.left_on or (there.enrolled_on and _start(line) > there.enrolled_on)
    day = line.enrolled_on if is_dated and line.enrolled_on else max(on, _start(there), _start(line))
    after = replace(_elsewhere(there, line, told), enrolled_on=day)
    if _start(there) < day:
        ended = replace(there, left_on=day - _DAY)
        return Change(kind="moved", child_id=line.child_id, before=there, after=after, fields=_differences(there, after), ended=ended)
    sooner = replace(after, enrolled_on=line.enrolled_on or day)  # the child never was there, so the roster's day can hold
    after = sooner if _fits(known, there, sooner) else after
    return Change(kind="moved", child_id=line.child_id, before=there, after=after, fields=_differences(there, after))


def _return(known: Sequence[RosterLine], line: RosterLine, on: date, told: Collection[str]) -> Change:
    last = known[-1]
    gone = max(_end(other) for other in known)
    day = max(line.enrolled_on, gone + _DAY) if line.enrolled_on and line.enrolled_on >= gone else max(on, gone + _DAY)
    base = _with_details(last, line, told) if _same_unit(last, line) else _elsewhere(last, line, told)
    after = replace(base, enrolled_on=day, left_on=line.left_on, left_reason=line.left_reason)
    return Change(kind="returned", child_id=line.child_id, before=last, after=after, fields=_differences(last, after))


def _missing(held: Mapping[str, Sequence[RosterLine]], incoming: Sequence[RosterLine], unread: Collection[str], left: date | None) -> Iterator[Change]:
    """Children enrolled at a site of the roster who are not in it."""
    sites = {_compared(line.site) for line in incoming}
    listed = {line.child_id for line in incoming} | set(unread)
    for child_id, lines in held.items():
        open_line = next((line for line in lines if line.left_on is None and _compared(line.site) in sites), None)
        if child_id in listed or not open_line:
            continue
        if left and left >= _start(open_line):
            yield Change(kind="left", child_id=child_id, before=open_line, after=replace(open_line, left_on=left), fields=("left_on",))
        else:
            yield Change(kind="missing", child_id=child_id, before=open_line, after=None)


# ---------------------------------------------------------------- time and place


def _start(line: RosterLine) -> date:
    return line.enrolled_on or date.min


def _end(line: RosterLine) -> date:
    return line.left_on or date.max


def _span(line: RosterLine) -> tuple[date, date]:
    return _start(line), _end(line)


def _fits(known: Sequence[RosterLine], held: RosterLine, changed: RosterLine) -> bool:
    """Whether an enrolment with other days is whole and shares no day with the child's others."""
    others = [line for line in known if line is not held]
    return _start(changed) <= _end(changed) and all(_start(changed) > _end(line) or _start(line) > _end(changed) for line in others)


def _same_unit(first: RosterLine, second: RosterLine) -> bool:
    if (first.site, first.unit) == (second.site, second.unit):  # nearly always decided here
        return True
    return _place_key(first) == _place_key(second)


# ---------------------------------------------------------------- details

_OF_THE_CHILD: Final = ("child_name", "birth_date", "family_id", "home_language", "interpreter", "iep_ifsp")
_OF_THE_UNIT: Final = ("option", "home", "unit_start")
_DEFAULTS: Final[Mapping[str, object]] = {"option": "center", "interpreter": False, "iep_ifsp": False}


def _with_details(held: RosterLine, line: RosterLine, told: Collection[str]) -> RosterLine:
    """What is held, with all that the line tells; what it leaves empty stays."""
    return _with(held, line, (*_OF_THE_CHILD, *_OF_THE_UNIT, "left_reason"), told, _together(held.staff, line.staff))


def _elsewhere(held: RosterLine, line: RosterLine, told: Collection[str]) -> RosterLine:
    """The line in its unit, with what is held of the child; the old unit's staff and home stay behind."""
    child = {name: getattr(held, name) for name in _OF_THE_CHILD}
    return _with(replace(line, **child), line, _OF_THE_CHILD, told, line.staff)


def _with(held: RosterLine, line: RosterLine, names: Sequence[str], told: Collection[str], staff: tuple[StaffMember, ...]) -> RosterLine:
    given = {name: value for name in names if (value := getattr(line, name)) and value != _DEFAULTS.get(name)}
    given |= {name: getattr(line, name) for name in told if name in names}
    return replace(held, **given, staff=staff)


def _together(held: tuple[StaffMember, ...], given: tuple[StaffMember, ...]) -> tuple[StaffMember, ...]:
    """Staff as told, role by role; a role that is not told keeps its people."""
    roles = {member.role for member in given}
    kept = tuple(member for member in held if member.role not in roles)
    return held if sorted(kept + given) == sorted(held) else given + kept


def _differences(before: RosterLine | None, after: RosterLine) -> tuple[str, ...]:
    return tuple(one.name for one in fields(RosterLine) if getattr(before, one.name, None) != getattr(after, one.name))


def _settled(current: Sequence[RosterLine], incoming: Sequence[RosterLine], told: Collection[str]) -> list[RosterLine]:
    """The incoming lines with sites and units spelled as they are held already; where no option is told, the unit's."""
    spellings = {_place_key(line): line for line in reversed((*current, *incoming))}  # the first spelling stays
    sites = {_compared(line.site): line.site for line in reversed((*current, *incoming))}
    options: dict[tuple[str, str], set[ProgramOption]] = {}
    for line in current:
        options.setdefault(_place_key(line), set()).add(line.option)
    settled = []
    for line in incoming:
        key = _place_key(line)
        known = options.get(key, ()) if "option" not in told and line.option == "center" else ()
        option = next(iter(known)) if len(known) == 1 else line.option
        settled.append(replace(line, site=sites[key[0]], unit=spellings[key].unit, option=option))
    return settled


def _place_key(line: RosterLine) -> tuple[str, str]:
    return _compared(line.site), _compared(line.unit)


@lru_cache(4096)
def _compared(place: str) -> str:
    """Places are few and compared often."""
    return plain(place)


# ---------------------------------------------------------------- said

_SAID: Final[Mapping[str, str]] = {
    "child_name": "name", "option": "program option", "birth_date": "birth date", "enrolled_on": "first day", "left_on": "last day", "left_reason": "reason for leaving", "family_id": "family id",
    "home_language": "home language", "iep_ifsp": "IEP/IFSP", "unit_start": "first day of class",
}  # fmt: skip


def describe(change: Change) -> str:
    """A change in one line of plain English, for a person who decides whether to apply it."""
    line = change.after or change.before
    return f"{line.child_name} ({line.child_id}): {_said(change)}" if line else change.child_id


def _said(change: Change) -> str:
    match change.kind, change.before, change.after:
        case "moved", RosterLine() as before, RosterLine() as after:
            return f"moves from {_place(before)} to {_place(after)}{_from(after, 'on')}{_until(after)}"
        case "returned", _, RosterLine() as after:
            return f"returns to {_place(after)}{_from(after, 'on')}{_until(after)}"
        case "left", _, RosterLine() as after:
            return f"leaves {_place(after)}, last day {after.left_on}{_reason(after)}"
        case "corrected", RosterLine() as before, RosterLine() as after:
            return "; ".join(f"{_SAID.get(name, name)} {_shown(before, name)} becomes {_shown(after, name)}" for name in change.fields)
        case _, RosterLine() as before, None:
            return f"is not in the roster; still enrolled in {_place(before)}"
        case _, _, RosterLine() as after:
            return f"is new in {_place(after)}{_from(after, 'from')}{_until(after)}"
    return change.kind


def _place(line: RosterLine) -> str:
    return ", ".join(filter(None, (line.site, line.unit, line.home)))


def _from(line: RosterLine, word: str) -> str:
    return f" {word} {line.enrolled_on}" if line.enrolled_on else ""


def _until(line: RosterLine) -> str:
    return f", last day {line.left_on}{_reason(line)}" if line.left_on else ""


def _reason(line: RosterLine) -> str:
    return f" ({line.left_reason})" if line.left_reason else ""


def _shown(line: RosterLine, name: str) -> str:
    """A detail as words."""
    value = getattr(line, name)
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, tuple):
        return ", ".join(f"{member.name} ({member.role})" for member in value) or "nobody"
    return str(value) if value else "unknown"
