"""Cases of a coordinator: the list, a case on one page, a new one, with whom it is shared, the conference after this one."""

from typing import Any, Final

from flask import redirect, request, url_for
from flask.typing import ResponseReturnValue

from formsvc.casework.consent import needed
from formsvc.errors import Refused
from formsvc.office.case_work import CaseFile, begin_next, consents_of, coordinators, leave_case, my_files, open_file, owners, sent, share_case
from formsvc.office.seen import note_case_seen
from formsvc.web import cases_edit, cases_letters, cases_notes, cases_summary
from formsvc.web.access import me, my_case, office, page
from formsvc.web.cases_open import case_page, my_file, pages
from formsvc.web.guard import done, tell
from formsvc.web.words import gettext, today

PARTS: Final = (cases_edit, cases_letters, cases_notes, cases_summary)
"""Whose views are of this blueprint too."""
__all__ = ["PARTS", "pages"]


@page(pages, "/cases", "cases")
def index() -> ResponseReturnValue:
    """My cases, by initials."""
    return case_page("cases.html", files=my_files(office(), me().id, today()))


@page(pages, "/case/<number>", "cases")
def show(number: str) -> ResponseReturnValue:
    """A case on one page."""
    file = my_file(number)
    note_case_seen(office(), number, "case")
    case, people = file.case, owners(office(), number)
    others = [person for person in coordinators(office()) if person.id not in {one.id for one in people}]
    return case_page(
        "case.html", file=file, case=case, consents=consents_of(case, today()), agenda=_agenda(file), missing=_missing(file), letters=sent(case, file.left), people=people, others=others,
        earlier=[open_file(office(), me().id, one, today()) for one in file.earlier],
    )


def _agenda(file: CaseFile) -> dict[str, Any]:
    """The parts of the agenda with their minutes, and whether they fit."""
    template = office().catalog.letter("agenda")
    minutes = {part: file.case.agenda_minutes.get(part, usual) for part, usual in template.minutes.items()}
    return {"titles": template.sections, "minutes": minutes, "total": sum(minutes.values())}


def _missing(file: CaseFile) -> list[tuple[Any, bool, bool]]:
    """Each member with whether consents to share and to distribute are missing."""
    kinds = [(member, needed(member, file.case, today(), notes=True)) for member in file.case.team]
    return [(member, "share" in lacking, "distribute" in lacking) for member, lacking in kinds]


# ---------------------------------------------------------------- shared, handed on


@page(pages, "/case/<number>/people", "cases", methods=("POST",))
def people(number: str) -> ResponseReturnValue:
    """Share a case, hand it on, or take it from somebody."""
    my_case(number)
    act, person = request.form.get("act", ""), request.form.get("person", 0, type=int)
    try:
        _change_people(number, act, person)
    except Refused as refused:
        tell(refused)
        return redirect(url_for("cases.show", number=number, _anchor="people"))
    if act == "hand-on" or (act == "remove" and person == me().id):
        done(gettext("The case is not yours any more."))
        return redirect(url_for("cases.index"))
    done(gettext("Changed whose case it is."))
    return redirect(url_for("cases.show", number=number, _anchor="people"))


def _change_people(number: str, act: str, person: int) -> None:
    if act == "remove":
        leave_case(office(), me().id, number, person)
    else:
        share_case(office(), me().id, number, person, instead=act == "hand-on")


@page(pages, "/case/<number>/next", "cases", methods=("POST",))
def begin(number: str) -> ResponseReturnValue:
    """Keep this conference and begin the next one."""
    my_case(number)
    try:
        begin_next(office(), number)
    except Refused as refused:
        tell(refused)
    else:
        done(gettext("The next conference is begun: check its day, then invite. The one before stands below under Earlier conferences."))
    return redirect(url_for("cases.show", number=number))
