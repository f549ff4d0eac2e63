"""Fill in on screen: the same form as on paper, kept as a draft while one types, saved into the record cell by cell."""

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

from flask import Blueprint, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from formsvc.errors import Refused
from formsvc.model.form import Form
from formsvc.office.screen import Saved, Screen, drop_screen_draft, heads, keep_screen_draft, open_screen, open_sight, row_names, save_screen
from formsvc.office.seen import note_seen
from formsvc.renderers.web_form import Filling, Note, screen_form
from formsvc.web.access import me, my_sheet, my_unit, office, page
from formsvc.web.guard import done
from formsvc.web.screens import can_grow, doubts, not_saved, problems_at, sent
from formsvc.web.words import chosen_lang, clock, gettext, ngettext

pages = Blueprint("fill", __name__)


@page(pages, "/fill/<int:key>", "papers")
def show(key: int) -> ResponseReturnValue:
    """A paper as a form."""
    my_sheet(key)
    note_seen(office(), key, "form")
    return _page(open_screen(office(), key, me().id), {})


def _page(screen: Screen, notes: Mapping[str, Sequence[Note]], unsaved: Saved | None = None, status: int = 200) -> ResponseReturnValue:
    form, lang = screen.shown.form, chosen_lang()
    said_at = {**problems_at(form, screen.problems if not screen.draft_at else ()), **notes}
    filling = Filling(answers=screen.answers, notes=said_at, locked=screen.locked, row_names=row_names(form, screen.answers, screen.counts, lang))
    names = _names(form, screen.answers, screen.counts)
    unit = my_unit(screen.shown.sheet.unit)
    html = render_template(
        "fill.html", screen=screen, form=form, fields=screen_form(office().catalog, form, screen.counts, lang, filling), unit=unit, unsaved=unsaved,
        heads=[(group, row, names[group, row]) for group, row, _ in heads(form, screen.answers, screen.counts, lang)], faults=list(_faults(form, said_at, names)), general=[one for one in screen.problems if not one.field], can_grow=can_grow(form, screen.counts),
    )
    return html, status


def _names(form: Form, answers: Mapping[str, str], counts: Mapping[str, int]) -> dict[tuple[str, int], str]:
    """Whom each row is about; where a name stands in several rows of a group, with the row's number."""
    names = row_names(form, answers, counts, chosen_lang())
    often = Counter((group, name.casefold()) for (group, _), name in names.items())
    return {(group, row): gettext("%(name)s (row %(row)d)", name=name, row=row + 1) if often[group, name.casefold()] > 1 else name for (group, row), name in names.items()}


def _faults(form: Form, notes: Mapping[str, Sequence[Note]], names: Mapping[tuple[str, int], str]) -> Any:
    """A line for each field that something is said at, with its place."""
    for key, several in notes.items():
        group, _, rest = key.partition("-")
        number = rest.partition("-")[0]
        who = names.get((group, int(number)), f"{int(number) + 1}") if form.group(group) and number.isdecimal() else ""
        for note in several:
            yield {"key": key, "who": who, "text": note.text, "severity": note.severity}


@page(pages, "/fill/<int:key>", "papers", methods=("POST",))
def save(key: int) -> ResponseReturnValue:
    """Save into the record, or keep a draft and show a row to write in."""
    sheet = my_sheet(key)
    act = request.form.get("act", "save")
    try:
        answers, sight = sent()
        if act.startswith("more-"):
            keep_screen_draft(office(), key, me().id, answers, sight)
            group = act.removeprefix("more-")
            return redirect(url_for("fill.show", key=key, _anchor=f"{group}-{_empty_row(answers, group, open_sight(office(), sight, key).counts.get(group, 0))}"))
        saved = save_screen(office(), key, me().id, answers, sight)
    except Refused as refused:
        return not_saved(office().service.form(sheet.form), refused, url_for("fill.show", key=key))
    if saved.is_whole:
        done(_words(saved))
        return redirect(url_for("fill.show", key=key, _anchor="main"))
    screen = open_screen(office(), key, me().id)
    return _page(screen, doubts(screen.shown.form, saved), saved, 409 if saved.conflicts else 422)


def _empty_row(answers: Mapping[str, str], group: str, count: int) -> int:
    """The row below the last one that says something; a draft always shows it, as long as the group takes more."""
    said_in = [row for row in range(count) if any(raw.strip() for key, raw in answers.items() if key.startswith(f"{group}-{row}-"))]
    return said_in[-1] + 1 if said_in else 0


def _words(saved: Saved) -> str:
    if not saved.changed:
        return gettext("Nothing was changed: the record stays as it is.")
    text = ngettext("Saved: %(num)d answer changed.", "Saved: %(num)d answers changed.", saved.changed)
    if saved.not_renewed:
        behind = gettext("The follow-up form could not be made anew: tell your supervisor, or make the papers again.")
        return f"{text} {behind}"
    return f"{text} {gettext('The follow-up form was made anew.')}" if saved.renewed else text


@page(pages, "/fill/<int:key>/draft", "papers", methods=("POST",))
def draft(key: int) -> ResponseReturnValue:
    """Keep what was typed until now."""
    my_sheet(key)
    answers, sight = sent()
    at = keep_screen_draft(office(), key, me().id, answers, sight)
    return {"at": at, "said": gettext("Draft kept %(time)s", time=clock(at))}


@page(pages, "/fill/<int:key>/discard", "papers", methods=("POST",))
def discard(key: int) -> ResponseReturnValue:
    """Forget the draft."""
    my_sheet(key)
    drop_screen_draft(office(), key, me().id)
    done(gettext("The draft is gone: this is the record."))
    return redirect(url_for("fill.show", key=key, _anchor="main"))
