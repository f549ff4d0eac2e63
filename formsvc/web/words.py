"""Words and times on pages: the language of each person, the agency's time zone, problems in both languages."""

from datetime import UTC, date, datetime
from typing import Any, Final
from zoneinfo import ZoneInfo

import flask_babel
from babel.dates import format_date, format_time, get_datetime_format
from flask import Flask, g, has_request_context, request
from flask import session as cookie
from flask_babel import Babel, get_locale

from formsvc.model.kinds import LANGS, Lang
from formsvc.model.procedure import first_day
from formsvc.store.papers import Sheet
from formsvc.store.roster import Unit
from formsvc.wording_es import in_spanish

_LANGUAGE: Final = "lang"


def gettext(text: str, **facts: object) -> str:
    """The text in this request's language, with its facts; the catalog is `translations/`."""
    return str(flask_babel.gettext(text, **facts))


def ngettext(one: str, many: str, num: int, **facts: object) -> str:
    """The text for one or for many, in this request's language."""
    return str(flask_babel.ngettext(one, many, num, **facts))


def chosen_lang() -> Lang:
    """The language of this request: what the person chose, what the browser asks for, English."""
    if not has_request_context():
        return "en"
    session = g.get("session")
    wanted = session.person.lang if session is not None else cookie.get(_LANGUAGE) or request.accept_languages.best_match(LANGS)
    return "es" if wanted == "es" else "en"


def choose(lang: Lang) -> None:
    """Remember a language for somebody who is not signed in."""
    cookie[_LANGUAGE] = lang


def zone() -> ZoneInfo:
    """The agency's time zone."""
    return ZoneInfo(g.office.catalog.profile.zone)


def today() -> date:
    """The day in the agency's zone."""
    return datetime.now(zone()).date()


def said(message: str, code: str = "") -> str:
    """A problem's sentence in this request's language."""
    return in_spanish(message, code) if chosen_lang() == "es" else message


def _day(value: date | str | None, style: str = "medium") -> str:
    if not value:
        return ""
    day = date.fromisoformat(value[:10]) if isinstance(value, str) else value
    return str(format_date(day, style, locale=get_locale()))


def _moment(value: str | None) -> str:
    if not value:
        return ""
    return str(get_datetime_format("medium", locale=get_locale())).replace("{1}", str(format_date(_there(value), "medium", locale=get_locale()))).replace("{0}", clock(value))


def _there(value: str) -> datetime:
    """A moment in the agency's zone."""
    moment = datetime.fromisoformat(value)
    return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).astimezone(zone())


def clock(value: str) -> str:
    """The time of a moment in the agency's zone, without seconds."""
    return str(format_time(_there(value), "short", locale=get_locale(), tzinfo=zone())) if value else ""


def is_today(value: str) -> bool:
    """Whether a moment is of today, in the agency's zone."""
    return _there(value).date() == today()


def month_name(month: str) -> str:
    """A month in words: November 2026."""
    name = str(format_date(first_day(month), "LLLL y", locale=get_locale()))
    return name[:1].upper() + name[1:]


def sheet_words(sheet: Sheet, unit: Unit) -> str:
    """Which paper it is: site, unit, month, form and part."""
    title = g.office.service.form(sheet.form).titles.said(chosen_lang())
    part = gettext("part %(part)d", part=sheet.part) if sheet.part > 1 else ""
    return ", ".join(filter(None, (unit.site, unit.name, month_name(sheet.month), title, part)))


def _size(count: int) -> str:
    return f"{count / 1_000_000:.1f} MB" if count >= 1_000_000 else f"{max(1, round(count / 1000))} KB"  # noqa: PLR2004


def prepare(app: Flask) -> None:
    """Let pages speak."""
    Babel(app, locale_selector=chosen_lang, default_translation_directories=str(app.config["TRANSLATIONS"]))
    filters: dict[str, Any] = {"day": _day, "moment": _moment, "clock": clock, "month_name": month_name, "size": _size, "said": said}
    app.jinja_env.filters.update(filters)
    app.jinja_env.globals.update(lang=chosen_lang, today=today, is_today=is_today, _=gettext)
