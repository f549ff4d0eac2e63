"""The roster: upload a file, see in plain words what it would change, then apply it or throw it away; the units as they are."""

from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any, Final

from flask import redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext

from formsvc.casework.coverage import whereabouts
from formsvc.casework.roster import KINDS, Change, Kind
from formsvc.errors import Refused
from formsvc.model.procedure import month_of
from formsvc.model.roster import ProgramOption, RosterLine, StaffMember
from formsvc.office.roster_uploads import Look, Reading, apply_roster, keep_roster, look_at, roster_of, rosters_of, throw_away
from formsvc.parsers.roster_columns import FIELDS
from formsvc.store.roster import read_enrolments, read_staff, read_units
from formsvc.web.access import me, office, page
from formsvc.web.admin_pages import day_or_none, first_row, paged, pages, shown_day, uploaded
from formsvc.web.guard import done, tell
from formsvc.web.overview import plain_message
from formsvc.web.words import today

_UNITS_AT_ONCE: Final = 50
_CHANGES_AT_ONCE: Final = 100
_FIRST_OF_EACH: Final = 12
_PROBLEMS: Final = 100
_COLUMN: Final = "col_"


# ---------------------------------------------------------------- words


def kind_name(kind: Kind) -> str:
    """What becomes of a child, in a word."""
    names: dict[Kind, str] = {
        "new": gettext("New"), "returned": gettext("Come back"), "moved": gettext("Moved"), "left": gettext("Left"), "corrected": gettext("Corrected"), "missing": gettext("Not in the file"),
    }
    return names[kind]


def option_name(option: ProgramOption) -> str:
    """A program option."""
    names: dict[ProgramOption, str] = {"center": gettext("center"), "home": gettext("home-based"), "early": gettext("Early Head Start"), "fcch": gettext("family child care homes")}
    return names[option]


def field_name(field: str) -> str:
    """A field of a roster, as a person who maps columns reads it."""
    names: dict[str, str] = {
        "child_id": gettext("child id"), "child_name": gettext("child's name"), "first_name": gettext("first name"), "last_name": gettext("last name"), "site": gettext("site"),
        "unit": gettext("classroom or unit"), "option": gettext("program option"), "program": gettext("program"), "home": gettext("family child care home"), "birth_date": gettext("birth date"),
        "enrolled_on": gettext("first day"), "left_on": gettext("last day"), "left_reason": gettext("reason for leaving"), "status": gettext("enrollment status"), "family_id": gettext("family id"),
        "home_language": gettext("home language"), "interpreter": gettext("interpreter"), "iep_ifsp": gettext("IEP/IFSP"), "unit_start": gettext("first day of class"), "educator": gettext("educator"),
        "fsw": gettext("family service worker"), "health": gettext("health staff"), "home_educator": gettext("home base educator"), "specialist": gettext("FCCH specialist"),
        "provider": gettext("FCCH provider"), "staff": gettext("staff"),
    }
    return names.get(field, field)


def told(change: Change) -> str:
    """A change in one sentence, without the child's name."""
    before, after = change.before, change.after
    if change.kind == "corrected" and before and after:
        return "; ".join(gettext("%(what)s: %(before)s becomes %(after)s", what=field_name(name), before=_shown(before, name), after=_shown(after, name)) for name in change.fields)
    if change.kind == "moved" and before and after:
        return str(gettext("from %(before)s to %(after)s%(day)s", before=_place(before), after=_place(after), day=_since(after)))
    if change.kind == "left" and after:
        return str(gettext("leaves %(place)s, last day %(day)s", place=_place(after), day=shown_day(after.left_on)))
    if change.kind == "missing" and before:
        return str(gettext("stays enrolled in %(place)s", place=_place(before)))
    return f"{_place(after)}{_since(after)}" if after else ""


def _place(line: RosterLine) -> str:
    return ", ".join(filter(None, (line.site, line.unit, line.home)))


def _since(line: RosterLine) -> str:
    starts = gettext(" from %(day)s", day=shown_day(line.enrolled_on)) if line.enrolled_on else ""
    ends = gettext(", last day %(day)s", day=line.left_on) if line.left_on else ""
    return f"{starts}{ends}"


def _shown(line: RosterLine, name: str) -> str:
    value = getattr(line, name)
    if isinstance(value, bool):
        return str(gettext("yes") if value else gettext("no"))
    if isinstance(value, date):
        return shown_day(value)
    if isinstance(value, tuple):
        return ", ".join(f"{member.name} ({field_name(member.role)})" for member in value if isinstance(member, StaffMember)) or str(gettext("nobody"))
    return str(value) if value else str(gettext("unknown"))


# ---------------------------------------------------------------- the units, the latest files


@page(pages, "/admin/roster", "roster")
def roster() -> ResponseReturnValue:
    """Bring a file in; the units as they are."""
    with office().store.reading() as connection:
        units, staff = read_units(connection), read_staff(connection)
        here = Counter(spell.unit for spell in whereabouts(read_enrolments(connection), month_of(today())).values())
    return render_template(
        "admin_roster.html", **paged(units, _UNITS_AT_ONCE), staff=staff, children=here, option_name=option_name, field_name=field_name, jobs=rosters_of(office(), me().id),
        whole=sum(here.values()), sites=len({unit.site for unit in units}),
    )


@page(pages, "/admin/roster", "roster", methods=("POST",))
def upload() -> ResponseReturnValue:
    """Keep a file for a look at what it would change."""
    try:
        number = keep_roster(office(), me().id, uploaded("file"))
    except Refused as refused:
        tell(refused)
        return redirect(url_for("admin.roster"))
    return redirect(url_for("admin.changes", number=number))


# ---------------------------------------------------------------- what would change


def _reading(given: Mapping[str, str]) -> Reading:
    """How the person wants the file to be read: the same words in an address and in a form."""
    columns = {name.removeprefix(_COLUMN): field for name, field in given.items() if name.startswith(_COLUMN) and (not field or field in FIELDS)}
    return Reading(on=day_or_none(given.get("on")) or today(), missing_left=day_or_none(given.get("missing_left")), columns=columns)


def _kept(given: Mapping[str, str]) -> dict[str, Any]:
    """What must go along from page to page."""
    return {name: value[:40] for name, value in given.items() if name in ("on", "missing_left") or name.startswith(_COLUMN)}


@page(pages, "/admin/roster/<int:number>", "roster")
def changes(number: int) -> ResponseReturnValue:
    """What a file would change; nothing is changed yet."""
    job = roster_of(office(), me().id, number)
    if job.file is None:
        return render_template("admin_roster_done.html", job=job)
    try:
        reading = _reading(request.args)
    except Refused as refused:
        tell(refused)
        return redirect(url_for("admin.changes", number=number))
    look = look_at(office(), job, reading)
    return render_template(
        "admin_changes.html", job=job, look=look, reading=reading, column_name=_COLUMN, kept=_kept(request.args), kinds=KINDS, kind_name=kind_name, told=told, field_name=field_name, fields=FIELDS, plain=plain_message,
        unsure=[column for column in look.columns if not column.field or not column.sure], first=first_row(), step=_CHANGES_AT_ONCE, most_problems=_PROBLEMS, **_shown_changes(look),
    )


def _shown_changes(look: Look) -> dict[str, Any]:
    """The first changes of each kind, or a page of one kind."""
    only = next((kind for kind in KINDS if kind == request.args.get("show")), None)
    by_kind: dict[Kind, Sequence[Change]] = {kind: [change for change in look.found.plan.changes if change.kind == kind] for kind in KINDS} if look.found else {}
    first = first_row()
    shown = {kind: some[first : first + _CHANGES_AT_ONCE] if only else some[:_FIRST_OF_EACH] for kind, some in by_kind.items() if some and only in (None, kind)}
    return {"only": only, "shown": shown, "counts": {kind: len(some) for kind, some in by_kind.items()}}


@page(pages, "/admin/roster/<int:number>/apply", "roster", methods=("POST",))
def apply(number: int) -> ResponseReturnValue:
    """Do what was shown."""
    job = roster_of(office(), me().id, number)
    try:
        count = apply_roster(office(), job, _reading(request.form), request.form.get("digest", ""), others="others" in request.form)
    except Refused as refused:
        tell(refused)
        return redirect(url_for("admin.changes", number=number, **_kept(request.form)))
    done(gettext("Applied: %(count)d changes.", count=count))
    return redirect(url_for("admin.roster"))


@page(pages, "/admin/roster/<int:number>/drop", "roster", methods=("POST",))
def drop(number: int) -> ResponseReturnValue:
    """Throw a file away."""
    throw_away(office(), roster_of(office(), me().id, number))
    done(gettext("The file was thrown away; nothing was changed."))
    return redirect(url_for("admin.roster"))
