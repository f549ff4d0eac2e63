"""Notes of a conference on screen: the form of the notes, kept as a draft while one types, saved into the case cell by cell."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Final

from flask import redirect, request, url_for
from flask.typing import ResponseReturnValue

from formsvc.casework.letters import SECTIONS
from formsvc.errors import Refused
from formsvc.model.form import Form
from formsvc.model.kinds import Choices
from formsvc.office.case_screen import NotesScreen, drop_notes_draft, keep_notes_draft, open_notes, save_notes
from formsvc.office.screen import Saved, row_names
from formsvc.office.seen import note_case_seen
from formsvc.renderers.web_form import Filling, Note, screen_form
from formsvc.web.access import me, my_case, office, page
from formsvc.web.cases_open import case_page, my_file, notes_form, pages
from formsvc.web.guard import done
from formsvc.web.screens import can_grow, doubts, not_saved, problems_at, sent
from formsvc.web.words import chosen_lang, clock, gettext, ngettext

_MORE: Final = 4
_PLACES: Final = (("consent", "confidentiality_read"), ("team", "team-0"), ("input", "input-0"), ("views", "child_view"))
_LAST: Final = (("next_steps", "next_steps-0"), ("next_conference", "next_conference_date"), ("sign_off", "coordinator_signature"), ("corrections", "corrections-0"))


@page(pages, "/case/<number>/notes", "cases")
def notes(number: str) -> ResponseReturnValue:
    """The notes as a form."""
    my_case(number)
    note_case_seen(office(), number, "notes")
    return _page(number, open_notes(office(), number, me().id, more=dict.fromkeys(request.args.getlist("more"), _MORE)), {})


def _page(number: str, screen: NotesScreen, found: Mapping[str, Sequence[Note]], status: int = 200) -> ResponseReturnValue:
    form, lang = screen.form, chosen_lang()
    notes = {**problems_at(form, screen.problems), **found}
    names = row_names(form, screen.answers, screen.counts, lang)
    filling = Filling(answers=screen.answers, notes=notes, locked=screen.locked, row_names=names)
    html = case_page(
        "case_notes.html", file=my_file(number), screen=screen, form=form, fields=screen_form(office().catalog, form, screen.counts, lang, filling), jump=list(_jump(form)),
        faults=list(_faults(form, notes, names)), general=[one for one in screen.problems if not one.field],
        can_grow=can_grow(form, screen.counts),
    )  # fmt: skip
    return html, status


def _faults(form: Form, notes: Mapping[str, Sequence[Note]], names: Mapping[tuple[str, int], str]) -> Iterator[dict[str, str]]:
    """A line for each thing that is said, with its place."""
    for key, several in notes.items():
        head, _, rest = key.partition("-")
        group, number = form.group(head), rest.partition("-")[0]
        who = f"{group.label.said(chosen_lang())} {int(number) + 1}" if group and number.isdecimal() else ""
        name = names.get((head, int(number)), "") if who else ""
        yield from ({"key": key, "who": f"{who}, {name}" if name else who, "text": note.text, "severity": note.severity} for note in several)


def _jump(form: Form) -> Iterator[tuple[str, str]]:
    """The sections to jump to: the place of the first question, the heading as the page has it."""
    middle = [(name, next((ask.name for ask in form.asks if ask.name.startswith(f"{name}_")), "")) for name in SECTIONS]
    for name, key in (*_PLACES, *middle, *_LAST):
        ask = next((ask for ask in form.asks if ask.name == key), None)
        if name in form.texts and (ask is not None or form.group(key.partition("-")[0])):
            yield (f"{key}-{ask.kind.options[0].code}" if ask is not None and isinstance(ask.kind, Choices) else key), form.texts[name].said(chosen_lang()).partition(":")[0]


# ---------------------------------------------------------------- kept


@page(pages, "/case/<number>/notes", "cases", methods=("POST",))
def save(number: str) -> ResponseReturnValue:
    """Save into the case, or keep a draft and show more rows."""
    my_case(number)
    act = request.form.get("act", "save")
    try:
        answers, sight = sent()
        if act.startswith("more-"):
            keep_notes_draft(office(), number, me().id, answers, sight)
            return redirect(_with_more(number, act.removeprefix("more-")))
        kept, saved = save_notes(office(), number, me().id, answers, sight)
    except Refused as refused:
        return not_saved(notes_form(), refused, url_for("cases.notes", number=number))
    if saved.is_whole:
        done(_words(saved))
        return redirect(url_for("cases.notes", number=kept))
    screen = open_notes(office(), kept, me().id)
    return _page(kept, screen, doubts(screen.form, saved), 409 if saved.conflicts else 422)


def _with_more(number: str, group: str) -> str:
    """The notes with more rows of a group, at the first empty one."""
    counts = open_notes(office(), number, me().id, more={group: _MORE}).counts
    return url_for("cases.notes", number=number, more=group, _anchor=f"{group}-{max(0, counts.get(group, 0) - _MORE)}")


def _words(saved: Saved) -> str:
    if not saved.changed:
        return gettext("Nothing was changed: the notes stay as they are.")
    return ngettext("Saved: %(num)d answer changed.", "Saved: %(num)d answers changed.", saved.changed)


@page(pages, "/case/<number>/notes/draft", "cases", methods=("POST",))
def draft(number: str) -> ResponseReturnValue:
    """Keep what was typed until now."""
    my_case(number)
    answers, sight = sent()
    at = keep_notes_draft(office(), number, me().id, answers, sight)
    return {"at": at, "said": gettext("Draft kept %(time)s", time=clock(at))}


@page(pages, "/case/<number>/notes/discard", "cases", methods=("POST",))
def discard(number: str) -> ResponseReturnValue:
    """Forget the draft."""
    my_case(number)
    drop_notes_draft(office(), number, me().id)
    done(gettext("The draft is gone: these are the saved notes."))
    return redirect(url_for("cases.notes", number=number))
