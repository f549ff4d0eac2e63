"""What forms on screen share, sheets and notes alike: what was sent, where something is said, what was typed and could not be saved."""

from collections.abc import Iterable, Mapping
from typing import Final

from flask import render_template, request
from flask.typing import ResponseReturnValue

from formsvc.errors import Refused
from formsvc.model.form import Form
from formsvc.model.kinds import Choices, Tick, is_box
from formsvc.model.record import Problem
from formsvc.model.values import write_value
from formsvc.office.screen import Conflict, Saved
from formsvc.renderers.web_form import Note
from formsvc.web.guard import status_of
from formsvc.web.words import chosen_lang, gettext, said

_OURS: Final = ("csrf_token", "sight", "act", "end")


def sent() -> tuple[dict[str, str], str]:
    """What the browser sent: answers by key, and what the person saw when they began. Refuses what was cut off on the way."""
    if "end" not in request.form:
        raise Refused("page-incomplete")
    return _answers(), request.form.get("sight", "")


def _answers() -> dict[str, str]:
    return {key: value for key, value in request.form.items() if key not in _OURS}


def not_saved(form: Form, refused: Refused, back: str) -> ResponseReturnValue:
    """Why nothing was saved, and everything that was typed, so that it can be copied into the form at `back`."""
    places = ((form.find(key), raw) for key, raw in _answers().items() if raw.strip())
    typed = [(place.label(chosen_lang()), raw) for place, raw in places if place is not None and not place.ask.locked and not is_box(place.ask.kind)]
    return render_template("not_saved.html", why=said(refused.message, refused.code), typed=typed, back=back), status_of(refused)


# ---------------------------------------------------------------- said at a field


def at(form: Form, key: str) -> str:
    """Where something about a key is shown: boxes of one question share a place."""
    place = form.find(key)
    return key.rpartition("-")[0] if place is not None and place.option is not None and isinstance(place.ask.kind, Choices) else key


def problems_at(form: Form, problems: Iterable[Problem]) -> dict[str, list[Note]]:
    """What is said at each field: rules that the record breaks."""
    found: dict[str, list[Note]] = {}
    for one in problems:
        if one.field:
            found.setdefault(at(form, one.field), []).append(Note(text=said(one.message, one.code), severity=one.severity))
    return found


def doubts(form: Form, saved: Saved) -> dict[str, list[Note]]:
    """What the person must look at before everything is saved."""
    found: dict[str, list[Note]] = {}
    for one in saved.conflicts:
        text = gettext("Somebody else wrote here meanwhile: “%(theirs)s”. Save again to keep yours, or write what is right.", theirs=_theirs(form, one))
        found.setdefault(at(form, one.key), []).append(Note(text=text))
    for problem in saved.unreadable:
        found.setdefault(at(form, problem.field), []).append(Note(text=said(problem.message, problem.code)))
    return found


def _theirs(form: Form, conflict: Conflict) -> str:
    """What somebody else wrote, in words."""
    if conflict.theirs is None:
        return gettext("(empty)")
    place = form.find(conflict.key) or form.find(f"{conflict.key}-{conflict.theirs}")
    if conflict.theirs is True or place is None or isinstance(place.ask.kind, Tick):
        return gettext("ticked") if conflict.theirs is True else str(conflict.theirs)
    return write_value(place.ask.kind, conflict.theirs, chosen_lang())


def can_grow(form: Form, counts: Mapping[str, int]) -> list[tuple[str, str]]:
    """The groups that take more rows, with their names."""
    return [(group.name, group.label.said(chosen_lang())) for group in form.groups if counts[group.name] < group.maximum]
