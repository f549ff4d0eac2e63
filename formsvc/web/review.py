"""Review: what waits for a person, the page beside the answers, decide with one key, undo."""

from collections.abc import Callable, Mapping
from typing import Any, Final

from flask import Blueprint, Response, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from formsvc.errors import Refused
from formsvc.model.procedure import is_month, month_after
from formsvc.office.look import kept_content, look_of, page_picture, spots
from formsvc.office.record import read_record
from formsvc.office.review import Waiting, ask_again, correct_sheet, decide, drop, place, waiting_for, withdraw
from formsvc.office.seen import note_return_seen, note_seen
from formsvc.store.papers import Return, find_question, read_sheets
from formsvc.store.people import read_people
from formsvc.store.roster import Unit, find_unit, read_units
from formsvc.web.access import me, missing, my_document, my_return, my_sheet, my_unit, my_units, office, page
from formsvc.web.guard import done, tell
from formsvc.web.leaves import shown_width, upright, window
from formsvc.web.month import attachment
from formsvc.web.words import chosen_lang, gettext, sheet_words

pages = Blueprint("review", __name__)
for _shape in (upright, window, shown_width):
    pages.add_app_template_global(_shape)
_MOST: Final = 100
_KINDS: Final = {b"%PDF": ("application/pdf", ".pdf"), b"\xff\xd8": ("image/jpeg", ".jpg"), b"\x89P": ("image/png", ".png"), b"II": ("image/tiff", ".tif"), b"MM": ("image/tiff", ".tif")}


@page(pages, "/review", "review")
def index() -> ResponseReturnValue:
    """What waits for me, the oldest first: papers that nobody could place, then answers."""
    month = request.args.get("month", "")
    found = waiting_for(office(), me(), month=month if is_month(month) else None, lang=chosen_lang())
    papers = [one for one in found if one.sheet is None]
    by_sheet: dict[int, list[Waiting]] = {}
    for one in found:
        if one.sheet is not None:
            by_sheet.setdefault(one.sheet, []).append(one)
    shown = dict(list(by_sheet.items())[:_MOST])
    with office().store.reading() as connection:
        units = {unit.id: unit for unit in read_units(connection)}
        names = {one.id: sheet_words(one, units[one.unit]) for one in read_sheets(connection, id=frozenset(shown))}
    return render_template("review.html", month=month, papers=papers[:_MOST], sheets=[(key, names[key], several) for key, several in shown.items()], count=len(found), shown_name=_shown_names())


def _shown_names() -> Callable[[str], str]:
    """How people are called, by the names they sign in with; looked up once for a page."""
    with office().store.reading() as connection:
        shown = {person.name: person.shown for person in read_people(connection)}
    return lambda name: shown.get(name, name)


# ---------------------------------------------------------------- a record


@page(pages, "/review/sheet/<int:key>", "papers")
def sheet(key: int) -> ResponseReturnValue:
    """A record beside the pages it comes from."""
    my_sheet(key)
    note_seen(office(), key, "record")
    view = read_record(office(), key, chosen_lang())
    chosen = request.args.get("return", type=int)
    back = next((one for one in view.returns if one.id == chosen), view.returns[-1] if view.returns else None)
    name = back.file if back is not None else view.shown.document.file
    unit = my_unit(view.sheet.unit)
    everything = request.args.get("all") == "1"
    lines = [line for line in view.lines if everything or line.returned or line.problems or line.decided_by]
    return render_template(
        "record.html", view=view, lines=lines, count=len(view.lines), everything=everything, unit=unit, back=back, picture=_picture(back, view.shown.document.id), look=look_of(office(), name),
        spots=spots(office(), view.questions, view.returns), marked=request.args.get("field", ""), may_decide=me().may("review"), shown_name=_shown_names(),
    )


def _picture(back: Return | None, document: str) -> Callable[[int], str]:
    """The address of a page's picture."""
    if back is not None:
        return lambda number: url_for("review.return_page", number=back.id, leaf=number)
    return lambda number: url_for("review.paper_page", document=document, leaf=number)


@page(pages, "/return/<int:number>/page/<int:leaf>.png", "papers")
def return_page(number: int, leaf: int) -> ResponseReturnValue:
    """A page that came back, as our own picture."""
    return _png(page_picture(office(), _seen(my_return(number)).file, leaf))


@page(pages, "/paper/<document>/page/<int:leaf>.png", "papers")
def paper_page(document: str, leaf: int) -> ResponseReturnValue:
    """A page as it was issued."""
    found = my_document(document)
    note_seen(office(), found.sheet, "paper")
    return _png(page_picture(office(), found.file, leaf))


def _seen(back: Return) -> Return:
    """Note that somebody looks at what came back."""
    if back.sheet is not None:
        note_seen(office(), back.sheet, "return")
    else:
        note_return_seen(office(), back.id, "return")
    return back


def _png(content: bytes) -> Response:
    return Response(content, mimetype="image/png")


@page(pages, "/return/<int:number>/file", "papers")
def file(number: int) -> ResponseReturnValue:
    """A file as it came, to be saved; never shown by the browser."""
    content = kept_content(office(), _seen(my_return(number)).file)
    kind, suffix = next((known for head, known in _KINDS.items() if content.startswith(head)), ("application/octet-stream", ".bin"))
    return attachment(content, f"return-{number}{suffix}", kind)


# ---------------------------------------------------------------- decide


@page(pages, "/review/question/<int:number>", "review", methods=("POST",))
def answer(number: int) -> ResponseReturnValue:
    """Decide a question: a value that was given, the issued one, one's own, or that it stands."""
    key = _sheet_of(number)
    choice = request.form.get("choice", "")
    if choice == "own":
        choice = "=" + request.form.get("own", "")
    return _done(lambda: decide(office(), number, choice), key, gettext("Decided."))


def _sheet_of(number: int) -> int:
    """The sheet of a question of mine."""
    with office().store.reading() as connection:
        row = find_question(connection, number)
    if row is None or row.sheet_id is None:
        missing()
    return my_sheet(row.sheet_id).id


def _done(work: Callable[[], Any], key: int, words: str) -> ResponseReturnValue:
    """Do something to a record and show it again."""
    try:
        work()
    except Refused as refused:
        tell(refused)
    else:
        done(words)
    return redirect(url_for("review.sheet", key=key, all=request.form.get("all") or None))


@page(pages, "/review/question/<int:number>/again", "review", methods=("POST",))
def again(number: int) -> ResponseReturnValue:
    """Undo that a question was answered as it stands."""
    return _done(lambda: ask_again(office(), number), _sheet_of(number), gettext("It is asked again."))


@page(pages, "/review/sheet/<int:key>/correct", "review", methods=("POST",))
def correct(key: int) -> ResponseReturnValue:
    """Let a value of one's own stand."""
    my_sheet(key)
    return _done(lambda: correct_sheet(office(), key, request.form.get("field", ""), request.form.get("text", "")), key, gettext("Corrected."))


@page(pages, "/review/sheet/<int:key>/undo", "review", methods=("POST",))
def undo(key: int) -> ResponseReturnValue:
    """Undo a decision or a correction."""
    my_sheet(key)
    return _done(lambda: withdraw(office(), key, request.form.get("cell", "")), key, gettext("Undone: what came back counts again."))


# ---------------------------------------------------------------- papers without a place


@page(pages, "/return/<int:number>", "review")
def stray(number: int) -> ResponseReturnValue:
    """A paper that waits for somebody to say where it belongs."""
    back = _seen(my_return(number))
    if back.state == "counted" and back.sheet is not None:
        return redirect(f"{url_for('review.sheet', key=back.sheet)}?return={number}")
    questions = [one for one in waiting_for(office(), me()) if one.return_id == number]
    units = {unit.id: unit for unit in my_units()}
    with office().store.reading() as connection:
        sheets = [(one, sheet_words(one, units[one.unit])) for one in read_sheets(connection, unit_id=frozenset(units), form=back.form)] if back.form else []
    return render_template("stray.html", back=back, questions=questions, sheets=sheets[-400:][::-1], look=look_of(office(), back.file), shown_name=_shown_names(), typed_into=[] if back.form else _typed_into(back, units))


def _typed_into(back: Return, units: Mapping[int, Unit]) -> list[tuple[int, str]]:
    """The papers that a picture may be of: those of the month it came in and of the one before, the newest first."""
    with office().store.reading() as connection:
        found = [one for month in (back.at[:7], month_after(back.at[:7], -1)) for one in reversed(read_sheets(connection, unit_id=frozenset(units), month=month))]
    return [(one.id, sheet_words(one, units[one.unit])) for one in found[:_MOST]]


@page(pages, "/return/<int:number>/place", "review", methods=("POST",))
def put(number: int) -> ResponseReturnValue:
    """Let a paper count: where its stamp says, or for a paper of mine."""
    my_return(number)
    wanted = request.form.get("sheet", type=int)
    try:
        if wanted is None:
            place(office(), number)
        else:
            target = my_sheet(wanted)
            with office().store.reading() as connection:
                unit = find_unit(connection, target.unit)
            place(office(), number, site=unit.site, unit=unit.name, month=target.month)
    except Refused as refused:
        tell(refused)
        return redirect(url_for("review.stray", number=number))
    done(gettext("It counts now."))
    return redirect(url_for("review.index"))


def _reason() -> str:
    why = request.form.get("why", "").strip()[:300]
    if not why:
        raise Refused("reason-missing")
    return why


@page(pages, "/return/<int:number>/drop", "review", methods=("POST",))
def leave_out(number: int) -> ResponseReturnValue:
    """Let a paper not count; it is kept, and can be put back."""
    my_return(number)
    try:
        drop(office(), number, _reason())
    except Refused as refused:
        tell(refused)
        return redirect(url_for("review.stray", number=number))
    done(gettext("It does not count. It is kept and can be put back."))
    return redirect(url_for("review.stray", number=number))
