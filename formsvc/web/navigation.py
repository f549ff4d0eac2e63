"""What each role finds in the bar at the top, and how roles and states are called."""

from collections.abc import Sequence
from typing import Final

from flask import Flask, g, request, url_for

from formsvc.model.people import Right, Role
from formsvc.web.words import gettext

_PLACES: Final[tuple[tuple[Right, str], ...]] = (
    ("papers", "month.show"), ("papers", "uploads.index"), ("review", "review.index"), ("cases", "cases.index"), ("overview", "overview.show"), ("roster", "admin.roster"),
    ("people", "admin.people"), ("templates", "admin.templates"), ("logs", "admin.log"), ("health", "admin.health"), ("hooks", "tokens.index"),
)


def _labels() -> dict[str, str]:
    return {
        "month.show": gettext("This month"), "uploads.index": gettext("Uploads"), "review.index": gettext("Review"), "cases.index": gettext("Cases"), "overview.show": gettext("Overview"),
        "admin.roster": gettext("Roster"), "admin.people": gettext("People"), "admin.templates": gettext("Templates"), "admin.log": gettext("Logs"), "admin.health": gettext("Health"), "tokens.index": gettext("Webhooks"),
    }


def navigation() -> Sequence[tuple[Right, str, str]]:
    """Where this person can go: what for, endpoint, label."""
    labels = _labels()
    return [(right, endpoint, labels[endpoint]) for right, endpoint in _PLACES if g.session.person.may(right)]


def role_name(role: Role) -> str:
    """A role as people call it."""
    return {
        "staff": gettext("Staff of a unit"), "specialist": gettext("Specialist"), "coordinator": gettext("Case coordinator"), "supervisor": gettext("Supervisor"),
        "administrator": gettext("Administrator"), "auditor": gettext("Auditor"),
    }[role]


def phase_name(phase: str) -> str:
    """A paper's or a job's state as people call it."""
    return {
        "missing": gettext("not made"), "issued": gettext("issued"), "returned": gettext("to complete"), "review": gettext("needs review"), "done": gettext("done"),
        "waiting": gettext("waiting"), "running": gettext("working"), "failed": gettext("failed"), "cancelled": gettext("cancelled"),
        "counted": gettext("counted"), "again": gettext("was here before"), "refused": gettext("not taken"), "left": gettext("left out"),
    }.get(phase, phase)


def _is_here(endpoint: str) -> bool:
    """Whether the page shown belongs to a place of the bar."""
    if endpoint.startswith("admin."):
        return request.path.startswith(url_for(endpoint))
    return request.blueprint == endpoint.partition(".")[0]


def prepare(app: Flask) -> None:
    """Let pages use them."""
    app.jinja_env.globals.update(navigation=navigation, role_name=role_name, phase_name=phase_name, is_here=_is_here)
