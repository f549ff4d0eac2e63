"""The blueprint of what administrators and auditors find, and what its pages share."""

from collections.abc import Sequence
from datetime import date
from typing import Any

from flask import Blueprint, current_app, request

from formsvc.errors import Refused
from formsvc.office.incoming import Found

pages = Blueprint("admin", __name__)


def first_row() -> int:
    """The row that a page of a list begins with."""
    return max(0, request.args.get("from", 0, type=int))


def paged(rows: Sequence[Any], step: int) -> dict[str, Any]:
    """A page of rows, and what the links to the others need."""
    first = min(first_row(), max(0, (len(rows) - 1) // step * step))
    return {"rows": rows[first : first + step], "first": first, "step": step, "count": len(rows)}


def day_or_none(text: str | None) -> date | None:
    """A day that may be left out; refuses what is no day."""
    if not (text or "").strip():
        return None
    try:
        return date.fromisoformat((text or "").strip())
    except ValueError as problem:
        raise Refused("roster-day") from problem


def shown_day(day: date | None) -> str:
    """A day as pages show it."""
    return str(current_app.jinja_env.filters["day"](day))


def shown_moment(at: str) -> str:
    """A moment of the store as pages show it."""
    return str(current_app.jinja_env.filters["moment"](at))


def uploaded(name: str) -> Found:
    """The file that was sent under that name; refuses where there is none."""
    file = request.files.get(name)
    if file is None or not file.filename:
        raise Refused("nothing-sent")
    return Found(name=file.filename, content=file.read())
