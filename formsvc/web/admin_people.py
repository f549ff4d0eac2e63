"""People: who may sign in, what they may do and see; one-time links; signing somebody out."""

from collections.abc import Sequence
from itertools import groupby
from typing import Any, Final

from flask import redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext

from formsvc.errors import Refused
from formsvc.model.kinds import Lang
from formsvc.model.people import EVERY_UNIT, ROLES, Person, known_roles
from formsvc.office import people as work
from formsvc.store.people import read_people, read_person
from formsvc.store.roster import Unit, read_units
from formsvc.web.access import me, missing, office, page
from formsvc.web.admin_pages import paged, pages
from formsvc.web.guard import done, tell
from formsvc.web.overview import plain_message
from formsvc.web.words import said

_AT_ONCE: Final = 50
STATES: Final = ("active", "invited", "inactive")


def state_of(person: Person) -> str:
    """Whether somebody works here, was invited and has set no password yet, or may not sign in any more."""
    if not person.active:
        return "inactive"
    return "active" if person.has_password else "invited"


def state_name(state: str) -> str:
    """How these are called."""
    names: dict[str, str] = {"active": gettext("active"), "invited": gettext("invited"), "inactive": gettext("not active")}
    return names[state]


def _everybody() -> tuple[Person, ...]:
    with office().store.reading() as connection:
        return read_people(connection)


def _wanted(role: str, state: str) -> list[Person]:
    return [one for one in _everybody() if (role not in ROLES or role in one.roles) and (state not in STATES or state == state_of(one))]


# ---------------------------------------------------------------- everybody


@page(pages, "/admin/people", "people")
def people() -> ResponseReturnValue:
    """Everybody who may sign in."""
    role, state = request.args.get("role", ""), request.args.get("state", "")
    return _list(_wanted(role, state), role=role, state=state)


def _list(found: Sequence[Person], **more: Any) -> str:
    facts = {"role": "", "state": "", "sought": "", "given": {}, "given_roles": (), "fault": ("", ""), **more}
    return render_template("admin_people.html", **paged(found, _AT_ONCE), **facts, roles=ROLES, states=STATES, state_of=state_of, state_name=state_name)


@page(pages, "/admin/people/find", "people", methods=("POST",))
def find_person() -> ResponseReturnValue:
    """Somebody by a part of their name; sent as a form, so that names stand in no address."""
    sought = " ".join(request.form.get("name", "").casefold().split())[:120]
    found = [one for one in _everybody() if sought and (sought in one.name or sought in one.shown.casefold())]
    if len(found) == 1:
        return redirect(url_for("admin.person", key=found[0].id))
    return _list(found, sought=sought)


@page(pages, "/admin/people", "people", methods=("POST",))
def invite() -> ResponseReturnValue:
    """Let somebody sign in: their one-time link is shown once."""
    lang: Lang = "es" if request.form.get("lang") == "es" else "en"
    try:
        key, secret = work.invite(office(), request.form.get("name", ""), shown=request.form.get("shown", ""), roles=known_roles(request.form.getlist("role")), lang=lang)
    except Refused as refused:
        return _list(_everybody(), given=request.form, given_roles=request.form.getlist("role"), fault=_fault(refused)), 422
    return _link_page(key, secret, is_new=True)


def _fault(refused: Refused) -> tuple[str, str]:
    """Where on the page a refused invitation is wrong, and how."""
    text = refused.message.removeprefix(f"{refused.place}: ")
    return "roles" if refused.code == "person-roles" else "name", plain_message(said(text, refused.code), "")


def _link_page(key: int, secret: str, *, is_new: bool = False) -> str:
    """The one-time link, in the answer itself: it is kept nowhere, and no address has it."""
    return render_template("admin_link.html", person=_somebody(key), link=f"{office().service.settings.url}{url_for('sign_in.link', secret=secret)}", days=work.LINK_COUNTS.days, is_new=is_new)


# ---------------------------------------------------------------- somebody


def _somebody(key: int) -> Person:
    with office().store.reading() as connection:
        found = read_person(connection, key)
    if found is None:
        missing()
    return found


@page(pages, "/admin/people/<int:key>", "people")
def person(key: int) -> ResponseReturnValue:
    """What somebody may do and see."""
    found = _somebody(key)
    with office().store.reading() as connection:
        units = read_units(connection)
    sites: list[tuple[str, list[Unit]]] = [(site, list(some)) for site, some in groupby(units, key=lambda unit: unit.site)]
    return render_template("admin_person.html", person=found, sites=sites, roles=ROLES, every_unit=EVERY_UNIT, state=state_of(found), state_name=state_name, me=me())


@page(pages, "/admin/people/<int:key>", "people", methods=("POST",))
def change(key: int) -> ResponseReturnValue:
    """Change it."""
    found = _somebody(key)
    with office().store.reading() as connection:
        known = {unit.id for unit in read_units(connection)}
    units = set(request.form.getlist("unit", type=int)) & known
    try:
        work.change_person(
            office(), key, shown=request.form.get("shown", "") or found.name, roles=known_roles(request.form.getlist("role")), units=units, active="active" in request.form,
        )
    except Refused as refused:
        tell(refused)
    else:
        done(gettext("Saved."))
    return redirect(url_for("admin.person", key=key))


@page(pages, "/admin/people/<int:key>/link", "people", methods=("POST",))
def link(key: int) -> ResponseReturnValue:
    """A new one-time link: password and second factor are chosen anew."""
    _somebody(key)
    return _link_page(key, work.new_link(office(), key))


@page(pages, "/admin/people/<int:key>/sign-out", "people", methods=("POST",))
def sign_out(key: int) -> ResponseReturnValue:
    """End every session of somebody."""
    _somebody(key)
    count = work.sign_out_person(office(), key)
    done(gettext("Signed out: %(count)d sessions ended.", count=count))
    return redirect(url_for("admin.person", key=key))
