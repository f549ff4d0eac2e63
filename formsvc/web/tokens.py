"""Other programs: the tokens that somebody makes for them, and, for administrators, what programs are told (webhooks)."""

from typing import Final

from flask import Blueprint, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext

from formsvc.errors import Refused, word
from formsvc.model.people import Person
from formsvc.model.scopes import SCOPES, Scope, scopes_of
from formsvc.office import hooks
from formsvc.office.tokens import is_over, make_token, revoke_token, tokens_of
from formsvc.store.hooks import count_deliveries, read_deliveries, read_hooks
from formsvc.store.people import read_people
from formsvc.web.access import MOST, me, office, page
from formsvc.web.guard import done, tell

pages = Blueprint("tokens", __name__)
_DAYS: Final = (30, 90, 366)
_SHOWN: Final = 100


def scope_name(scope: Scope) -> str:
    """A scope as people call it."""
    return str({
        "papers:read": gettext("See units and their papers, download PDFs"), "papers:issue": gettext("Make papers"), "returns:read": gettext("Read a paper without keeping it"),
        "returns:write": gettext("Send papers in"), "records:read": gettext("See records"), "questions:read": gettext("See what waits for a person"),
        "questions:write": gettext("Answer what waits for a person"), "actions:read": gettext("See follow-up actions"), "cases:read": gettext("List my cases, by initials"),
        "letters:write": gettext("Write letters and protected summaries of my cases"), "jobs:read": gettext("Watch work in the background"), "jobs:write": gettext("Cancel and repeat work in the background"),
        "hooks:read": gettext("See webhooks and what they were told"), "hooks:write": gettext("Add, pause and remove webhooks"),
    }[scope])  # fmt: skip


def event_name(event: str) -> str:
    """An event as people call it."""
    return str({
        "return.counted": gettext("A paper came back and counts"), "return.waiting": gettext("A paper came back and waits for a person"), "return.refused": gettext("A file was not taken"),
        "record.changed": gettext("A record changed"), "papers.issued": gettext("Papers were made"), "job.failed": gettext("Work in the background failed"), "hook.test": gettext("A test"),
    }.get(event, event))  # fmt: skip


def delivery_name(state: str) -> str:
    """A delivery's state as people call it."""
    return str({"told": gettext("told"), "waiting": gettext("waiting"), "given-up": gettext("given up")}.get(state, state))


# ---------------------------------------------------------------- tokens


@page(pages, "/me/tokens", "session")
def mine() -> ResponseReturnValue:
    """My tokens, and a new one."""
    return _mine()


def _mine(secret: str = "", name: str = "", status: int = 200) -> ResponseReturnValue:
    scopes = scopes_of(me())
    return render_template(
        "tokens.html", tokens=tokens_of(office(), me()), scopes=scopes, chosen=request.form.getlist("scope"), days=_DAYS, secret=secret, name=name, is_over=is_over, scope_name=scope_name, known=SCOPES,
    ), status  # fmt: skip


@page(pages, "/me/tokens", "session", methods=("POST",))
def make() -> ResponseReturnValue:
    """A new token; its secret stands on the page that answers, and nowhere else."""
    name = request.form.get("name", "")[:200]
    try:
        _, secret = make_token(office(), me(), name=name, scopes=request.form.getlist("scope"), days=request.form.get("days", 0, type=int))
    except Refused as refused:
        tell(refused)
        return _mine(name=name, status=422)
    return _mine(secret=secret)


@page(pages, "/me/tokens/<int:key>/revoke", "session", methods=("POST",))
def revoke(key: int) -> ResponseReturnValue:
    """End a token."""
    revoke_token(office(), me(), key)
    done(gettext("The token was ended: its program can do nothing any more."))
    return redirect(url_for("tokens.mine"))


# ---------------------------------------------------------------- webhooks


@page(pages, "/admin/hooks", "hooks")
def index() -> ResponseReturnValue:
    """Every webhook, and a new one."""
    return _index()


def _index(secret: str = "", status: int = 200) -> ResponseReturnValue:
    with office().store.reading() as connection:
        found, counts = read_hooks(connection), count_deliveries(connection)
        people = {person.id: person for person in read_people(connection)}
    may = [person for person in people.values() if person.active and (person.may("papers") or person.id == me().id)]
    return render_template(
        "tokens_hooks.html", hooks=found, counts=counts, people=people, may=may, events=hooks.EVENTS, given=request.form, chosen=request.form.getlist("event"), secret=secret, event_name=event_name,
        anywhere=office().service.settings.hooks_anywhere,
    ), status  # fmt: skip


@page(pages, "/admin/hooks", "hooks", methods=("POST",))
def add() -> ResponseReturnValue:
    """A new webhook; its secret stands on the page that answers, and nowhere else."""
    try:
        _, secret = hooks.add_hook(office(), person=min(request.form.get("person", 0, type=int), MOST), url=request.form.get("url", "").strip()[:2000], events=request.form.getlist("event"))
    except Refused as refused:
        tell(refused)
        return _index(status=422)
    return _index(secret=secret)


@page(pages, "/admin/hooks/<int:key>", "hooks")
def deliveries(key: int) -> ResponseReturnValue:
    """What a webhook was told, and what became of it."""
    before = request.args.get("before", MOST, type=int)
    with office().store.reading() as connection:
        hook = hooks.known_hook(connection, key)
        found = read_deliveries(connection, key, before=min(before, MOST), most=_SHOWN + 1)
        acting: Person | None = next((person for person in read_people(connection) if person.id == hook.person), None)
    return render_template(
        "tokens_hook.html", hook=hook, acting=acting, deliveries=found[:_SHOWN], older=found[_SHOWN - 1].id if len(found) > _SHOWN else None, event_name=event_name, delivery_name=delivery_name, word=word,
        most=len(hooks.WAITS) + 1,
    )  # fmt: skip


@page(pages, "/admin/hooks/<int:key>/pause", "hooks", methods=("POST",))
def pause(key: int) -> ResponseReturnValue:
    """Tell a webhook nothing for a while."""
    hooks.set_active(office(), key, active=False)
    done(gettext("The webhook is paused: it is told nothing."))
    return redirect(url_for("tokens.deliveries", key=key))


@page(pages, "/admin/hooks/<int:key>/resume", "hooks", methods=("POST",))
def resume(key: int) -> ResponseReturnValue:
    """Let a webhook go on."""
    hooks.set_active(office(), key, active=True)
    done(gettext("The webhook goes on."))
    return redirect(url_for("tokens.deliveries", key=key))


@page(pages, "/admin/hooks/<int:key>/remove", "hooks", methods=("POST",))
def remove(key: int) -> ResponseReturnValue:
    """Forget a webhook."""
    hooks.remove_hook(office(), key)
    done(gettext("The webhook was removed."))
    return redirect(url_for("tokens.index"))


@page(pages, "/admin/hooks/<int:key>/test", "hooks", methods=("POST",))
def test(key: int) -> ResponseReturnValue:
    """Try a webhook out."""
    hooks.send_test(office(), key)
    done(gettext("A test is on its way; load this page again in a moment."))
    return redirect(url_for("tokens.deliveries", key=key))


@page(pages, "/admin/hooks/<int:key>/deliveries/<int:number>/again", "hooks", methods=("POST",))
def again(key: int, number: int) -> ResponseReturnValue:
    """Tell something once more."""
    hooks.send_again(office(), key, number)
    done(gettext("It is told again; load this page again in a moment."))
    return redirect(url_for("tokens.deliveries", key=key))
