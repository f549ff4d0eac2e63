"""What stands before every view: the session, what the route needs, and the headers that every answer carries."""

import re
from dataclasses import replace
from typing import Any, Final, cast

from flask import Flask, Response, abort, flash, g, redirect, render_template, request, url_for
from flask import session as cookie
from flask.typing import ResponseReturnValue
from flask_wtf.csrf import CSRFError, CSRFProtect
from werkzeug.exceptions import HTTPException

from formsvc.errors import Refused
from formsvc.model.people import Right
from formsvc.office.current import CurrentOffice
from formsvc.office.office import Office
from formsvc.office.people import session_of
from formsvc.web.access import NEEDS, is_beyond
from formsvc.web.api import problems
from formsvc.web.words import gettext, said

TOKEN: Final = "token"  # noqa: S105  (a name, not a secret)
_POLICY: Final = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; font-src 'self'; connect-src 'self'; "
    "manifest-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'; object-src 'none'"
)
_HEADERS: Final = {
    "Content-Security-Policy": _POLICY,
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), microphone=(), geolocation=(), payment=()",
    "X-Frame-Options": "DENY",
}
_GONE: Final = re.compile(r".*-unknown|question-gone|return-not-waiting|record-missing|link-gone|file-lost")
_SMALL: Final = 10_000_000
"""Bytes that anybody may send."""
_FILES: Final = {"uploads.send": 40, "admin.upload": 1, "admin.bring": 1}
"""Where whole files are sent by people who are signed in: so many of the largest that are read."""
csrf: Final = CSRFProtect()


def prepare(app: Flask, office: Office) -> None:
    """Put the guard before every route of an application."""
    current = CurrentOffice(office)
    app.before_request(lambda: _enter(current()))
    csrf.init_app(app)  # it reads the form, so it comes after who asks is known
    app.after_request(_leave)
    app.register_error_handler(Refused, _refused)
    app.register_error_handler(CSRFError, _forged)
    app.register_error_handler(HTTPException, _failed)


def _enter(office: Office) -> ResponseReturnValue | None:
    """Find out who asks, and whether they may."""
    needs = NEEDS.get(request.endpoint or "")
    g.office, g.session = office, None
    if request.endpoint == "static":
        return None
    if is_api():
        return None  # programs come with tokens, which their blueprint looks at
    token = cookie.get(TOKEN)
    session = session_of(office, token) if isinstance(token, str) else None
    if session is not None:
        g.session = session
        g.office = replace(office, store=replace(office.store, by=session.person.name))
    if needs is None:
        abort(404)
    request.max_content_length = _SMALL if session is None or not session.is_whole else max(_SMALL, _FILES.get(request.endpoint or "", 0) * office.service.settings.most_megabytes * 1_000_000)
    if needs == "nothing":
        return None
    if session is None:
        return redirect(url_for("sign_in.form", next=request.full_path if request.method == "GET" else None))
    if needs == "half":
        return None
    if not session.is_whole:
        return redirect(url_for("sign_in.code"))
    if needs != "session" and not session.person.may(cast("Right", needs)):  # only routes of the API need scopes
        abort(403)
    if is_beyond(request.view_args):
        abort(404)
    return None


def is_api() -> bool:
    """Whether a program asks."""
    return request.path.startswith("/api/")


def _leave(response: Response) -> Response:
    for name, value in _HEADERS.items():
        response.headers.setdefault(name, value)
    if request.endpoint == "static":
        response.headers["Cache-Control"] = "public, max-age=86400"
    else:
        response.headers["Cache-Control"] = "no-store"
    if request.is_secure:
        response.headers["Strict-Transport-Security"] = "max-age=31536000; includeSubDomains"
    return response


# ---------------------------------------------------------------- what went wrong


def status_of(refused: Refused) -> int:
    """The HTTP status of a refusal."""
    if _GONE.fullmatch(refused.code):
        return 404
    if refused.code in ("busy", "database-failed", "vault-unreadable", "vault-unwritable", "keys-unusable", "key-missing"):
        return 503
    return {"too-many-attempts": 429, "file-too-large": 413}.get(refused.code, 400)


def _refused(refused: Refused) -> ResponseReturnValue:
    status = status_of(refused)
    if is_api():
        return problems.refused(refused, status)
    if status == 404:  # noqa: PLR2004
        return _page(status, gettext("Not found"), gettext("There is nothing here, or it is not yours to see."))
    return _page(status, gettext("This could not be done"), said(refused.message, refused.code), refused.code)


def _forged(_problem: CSRFError) -> ResponseReturnValue:
    return _page(400, gettext("This page was open for too long"), gettext("Go back, load the page again and repeat what you did. Nothing was changed."), "form-expired")


def _failed(problem: HTTPException) -> ResponseReturnValue:
    told: dict[int, tuple[str, str]] = {
        403: (gettext("Not for your role"), gettext("Your role does not include this page. Ask an administrator if you need it.")),
        404: (gettext("Not found"), gettext("There is nothing here, or it is not yours to see.")),
        405: (gettext("Not found"), gettext("There is nothing here, or it is not yours to see.")),
        413: (gettext("Too much at once"), gettext("Send fewer or smaller files.")),
        500: (gettext("Something failed here"), gettext("Nothing was lost. Try again; if it fails again, tell your administrator.")),
    }
    status = problem.code or 500
    if 300 <= status < 400:  # noqa: PLR2004
        return problem.get_response()
    if is_api():
        return problems.failed(problem)
    title, text = told.get(status, (gettext("This could not be done"), str(problem.description or "")))
    return _page(status, title, text)


def _page(status: int, title: str, text: str, code: str = "") -> ResponseReturnValue:
    if wants_json():
        return {"title": title, "message": text, "code": code}, status
    return render_template("error.html", title=title, text=text, code=code), status


def wants_json() -> bool:
    """Whether a script asks rather than a person."""
    return request.accept_mimetypes.best_match(["text/html", "application/json"]) == "application/json"


def tell(refused: Refused) -> None:
    """Say on the next page why something was not done."""
    flash(said(refused.message, refused.code), "error")


def done(message: str, **facts: Any) -> None:
    """Say on the next page what was done."""
    flash(message.format(**facts) if facts else message, "done")
