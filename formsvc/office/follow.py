"""What a settled sheet tells about actions, kept and folded into how each action stands."""

from collections.abc import Mapping, Sequence
from typing import Any, Final

from sqlalchemy import Connection

from formsvc.casework.followup import Event, Told, fold, told
from formsvc.casework.reconcile import Answered, Settled
from formsvc.store.followup import KeptEvent, drop_event, events_of_sheet, make_action, put_event, put_standing, read_actions, read_events, set_children
from formsvc.store.papers import Sheet
from formsvc.store.roster import read_children

_NEEDS: Final = ("immediate_need", "support_needed")


def follow(connection: Connection, sheet: Sheet, settled: Settled, child_of: Mapping[str, int]) -> None:
    """Keep what the sheet tells about actions, and fold each action anew."""
    siblings = {child.key: child.family_id for child in read_children(connection, set(child_of.values())).values()}
    known = events_of_sheet(connection, sheet.id)
    said = {one.action: one for one in told(sheet.form, sheet.id, with_both_needs(settled), child_of, siblings)}
    for action in known.keys() - said.keys():
        drop_event(connection, action, sheet.id)
    for one in said.values():
        _tell(connection, sheet, one, known)
    changed = (known.keys() - said.keys()) | {action for action, one in said.items() if known.get(action) != dict(one.facts)}
    _fold(connection, sorted(changed))


def with_both_needs(settled: Settled) -> Mapping[str, Answered]:
    """What was written, where one box of a need was touched with the other one as it stands: both together are the need."""
    edited = dict(settled.edited)
    for cell in settled.edited:
        start, _, name = cell.rpartition("/")
        if name in _NEEDS:
            edited |= {f"{start}/{need}": settled.cells.get(f"{start}/{need}") for need in _NEEDS}
    return edited


def _tell(connection: Connection, sheet: Sheet, one: Told, known: Mapping[str, Mapping[str, Any]]) -> None:
    if one.born:
        make_action(connection, one.action, sheet.id, one.row, sheet.month)
        set_children(connection, one.action, one.children)
    elif not read_actions(connection, ids=[one.action]):
        return  # an action of another installation: its words stay in the record
    if known.get(one.action) != dict(one.facts):
        put_event(connection, KeptEvent(action=one.action, sheet=sheet.id, form=sheet.form, month=sheet.month, facts=one.facts), known=one.action in known)


def _fold(connection: Connection, ids: Sequence[str]) -> None:
    events: dict[str, list[Event]] = {}
    for event in read_events(connection, ids):
        events.setdefault(event.action, []).append(Event(month=event.month, form=event.form, sheet=event.sheet, facts=event.facts))
    for action in ids:
        if told_of := events.get(action):
            standing = fold(told_of)
            put_standing(connection, action, opened=standing.opened, latest=standing.latest, is_open=standing.open, facts=standing.facts)
        elif kept := read_actions(connection, ids=[action]):  # everything about it was taken back
            put_standing(connection, action, opened=kept[0].opened, latest=kept[0].latest, is_open=False, facts={})
