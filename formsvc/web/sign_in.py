"""In and out: password, second factor, one-time links, one's own account."""

from urllib.parse import urlsplit

from flask import Blueprint, current_app, g, make_response, redirect, render_template, request, url_for
from flask import session as cookie
from flask.typing import ResponseReturnValue
from flask_wtf.csrf import generate_csrf
from werkzeug import Response

from formsvc.errors import Refused
from formsvc.model.kinds import LANGS
from formsvc.office import people
from formsvc.renderers.codes import qr_path
from formsvc.web.access import me, office, page, session
from formsvc.web.guard import TOKEN, done, tell
from formsvc.web.words import choose, gettext

pages = Blueprint("sign_in", __name__)
_DEVICE = "formsvc_device"
_REMEMBERED = 180 * 24 * 3600
_OFFERED = "offered"


@page(pages, "/sign-in", "nothing")
def form() -> ResponseReturnValue:
    """Where people say who they are."""
    if g.session is not None:
        return redirect(url_for("month.home"))
    return render_template("sign_in.html", next=_inside(request.args.get("next")))


@page(pages, "/sign-in", "nothing", methods=("POST",))
def enter() -> ResponseReturnValue:
    """Name and password."""
    wanted = _inside(request.form.get("next"))
    try:
        entry = people.sign_in(office(), request.form.get("name", ""), request.form.get("password", "")[:1000], address=request.remote_addr or "", device=request.cookies.get(_DEVICE, ""))
    except Refused as refused:
        tell(refused)
        return render_template("sign_in.html", next=wanted, name=request.form.get("name", "")[:80]), 429 if refused.code == "too-many-attempts" else 401
    target = url_for("sign_in.code", next=wanted or None) if entry.session.person.needs_second else wanted or url_for("month.home")
    answer = make_response(redirect(target))
    return _begun(_known_browser(answer, entry.device), entry.token)


def _known_browser(answer: Response, device: str) -> Response:
    """A browser in which somebody signed in before is not shut out for what strangers try."""
    answer.set_cookie(_DEVICE, device, max_age=_REMEMBERED, httponly=True, samesite="Lax", secure=bool(current_app.config["SESSION_COOKIE_SECURE"]))
    return answer


def _begun(answer: Response, token: str) -> Response:
    """A session that begins anew: nothing of the one before stays."""
    cookie.clear()
    cookie[TOKEN] = token
    cookie.permanent = True
    return answer


def _inside(target: str | None) -> str:
    """A page of ours to go on to; anything else is left out, lest somebody be sent elsewhere."""
    if not target or not target.startswith("/") or target.startswith(("//", "/\\")) or "\\" in target:
        return ""
    parts = urlsplit(target)
    return "" if parts.scheme or parts.netloc else target.rstrip("?")


@page(pages, "/sign-in/code", "half")
def code() -> ResponseReturnValue:
    """The second factor: give its code, or set it up."""
    if session().is_whole:
        return redirect(url_for("month.home"))
    wanted = _inside(request.args.get("next"))
    if me().has_second:
        return render_template("second.html", next=wanted)
    secret = cookie.setdefault(_OFFERED, people.offered_secret())
    return _offer(secret, wanted)


def _offer(secret: str, wanted: str, status: int = 200) -> ResponseReturnValue:
    path, side = qr_path(people.secret_uri(office(), me(), secret))
    return render_template("second_new.html", secret=secret, path=path, side=side, next=wanted), status


@page(pages, "/sign-in/code", "half", methods=("POST",))
def give_code() -> ResponseReturnValue:
    """Take a code, or the first one of a second factor that is set up."""
    wanted, given = _inside(request.form.get("next")), request.form.get("code", "")[:20]
    offered = cookie.get(_OFFERED)
    try:
        if me().has_second:
            entry = people.check_second(office(), session(), given)
        elif isinstance(offered, str):
            entry = people.give_second(office(), session(), offered, given)
        else:
            return redirect(url_for("sign_in.code"))
    except Refused as refused:
        tell(refused)
        status = 429 if refused.code == "too-many-attempts" else 401
        return (render_template("second.html", next=wanted), status) if me().has_second else _offer(str(offered), wanted, status)
    return _begun(make_response(redirect(wanted or url_for("month.home"))), entry.token)


@page(pages, "/sign-out", "half", methods=("POST",))
def leave() -> ResponseReturnValue:
    """Sign out here, or everywhere."""
    people.sign_out(office(), session(), everywhere="everywhere" in request.form and session().is_whole)
    cookie.clear()
    return redirect(url_for("sign_in.form"))


@page(pages, "/link/<secret>", "nothing")
def link(secret: str) -> ResponseReturnValue:
    """A one-time link: choose a password."""
    try:
        person = people.link_person(office(), secret)
    except Refused as refused:
        tell(refused)
        return redirect(url_for("sign_in.form"))
    return render_template("link.html", person=person, secret=secret)


@page(pages, "/link/<secret>", "nothing", methods=("POST",))
def use_link(secret: str) -> ResponseReturnValue:
    """The password that was chosen."""
    try:
        device = people.use_link(office(), secret, _new_password(), address=request.remote_addr or "")
    except Refused as refused:
        tell(refused)
        return redirect(url_for("sign_in.link", secret=secret))
    cookie.clear()
    done(gettext("Your password is set. Sign in with it."))
    return _known_browser(make_response(redirect(url_for("sign_in.form"))), device)


def _new_password() -> str:
    """The password that was chosen, typed twice."""
    password, again = (request.form.get(name, "")[:1000] for name in ("password", "again"))
    if password != again:
        raise Refused("passwords-differ")
    return password


@page(pages, "/me", "session")
def account() -> ResponseReturnValue:
    """One's own account."""
    return render_template("account.html")


@page(pages, "/me/password", "session", methods=("POST",))
def change_password() -> ResponseReturnValue:
    """Another password."""
    try:
        people.change_password(office(), session(), request.form.get("old", "")[:1000], _new_password(), device=request.cookies.get(_DEVICE, ""))
    except Refused as refused:
        tell(refused)
    else:
        done(gettext("Your password was changed; other browsers were signed out."))
    return redirect(url_for("sign_in.account"))


@page(pages, "/ready", "session")
def ready() -> ResponseReturnValue:
    """Whether this person's session still holds, and a token for what is sent next."""
    return {"person": me().id, "token": generate_csrf()}


@page(pages, "/language", "nothing", methods=("POST",))
def language() -> ResponseReturnValue:
    """English or Spanish."""
    wanted = next((lang for lang in LANGS if lang == request.form.get("lang")), None)
    if wanted is not None:
        choose(wanted)
        if g.session is not None:
            people.choose_language(office(), me().id, wanted)
    return redirect(_inside(request.form.get("next")) or url_for("month.home"))
