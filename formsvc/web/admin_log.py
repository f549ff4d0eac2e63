"""The logs: who did what when, and “who saw this child's record”; whether both still hold together."""

import json
from collections.abc import Mapping
from typing import Any, Final

from flask import redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext

from formsvc.errors import Refused
from formsvc.office.log_search import SAW, Wanted, chains, child_id_of, child_key, export_log, known_events, search
from formsvc.store.log import LOGS
from formsvc.store.people import read_people
from formsvc.web.access import office, page
from formsvc.web.admin_pages import day_or_none, first_row, pages
from formsvc.web.guard import tell
from formsvc.web.overview import FACES, table

_AT_ONCE: Final = 50
_FIELDS: Final = ("log", "event", "person", "child", "first", "last")
SAW_IT: Final = "saw"
"""Stands for all events by which somebody came to know what a record says."""


def event_name(event: str) -> str:
    """What happened, in words; an event that has none keeps its name."""
    names: dict[str, str] = {
        SAW_IT: gettext("saw or received it"), "seen": gettext("looked at"), "issued": gettext("paper made"), "received": gettext("paper came back"), "revised": gettext("record changed"),
        "filled-on-screen": gettext("filled in on screen"), "decided": gettext("question answered"), "decision-withdrawn": gettext("answer taken back"), "corrected": gettext("corrected"),
        "placed": gettext("return placed"), "dropped": gettext("return dropped"), "planned": gettext("conference planned"), "held": gettext("held"), "released": gettext("hold released"),
        "erased": gettext("child erased"), "exported": gettext("exported"), "disclosed": gettext("given out"), "imported": gettext("roster applied"), "roster-uploaded": gettext("roster uploaded"),
        "roster-dropped": gettext("roster thrown away"), "monitored": gettext("monitoring done"), "case-kept": gettext("case saved"), "uploaded": gettext("uploaded"),
        "job-cancelled": gettext("work cancelled"), "job-retried": gettext("work begun again"), "person-invited": gettext("person invited"), "person-link": gettext("one-time link made"),
        "person-changed": gettext("roles or units changed"), "person-signed-out": gettext("person signed out"), "password-set": gettext("password set"), "signed-in": gettext("signed in"),
        "signed-out": gettext("signed out"), "sign-in-blocked": gettext("sign-in blocked"), "second-factor": gettext("second factor given"), "backed-up": gettext("backup made"),
        "restored": gettext("backup restored"), "keys-rotated": gettext("keys rotated"), "template-kept": gettext("template kept"), "template-used": gettext("template put in use"),
        "template-shipped": gettext("back to shipped template"), "case-given": gettext("case shared"), "summary-locked": gettext("summary protected"), "question-reopened": gettext("question opened again"),
        "token-made": gettext("token made"), "token-revoked": gettext("token revoked"), "hook-added": gettext("webhook added"), "hook-removed": gettext("webhook removed"),
        "hook-resumed": gettext("webhook resumed"), "hook-sent-again": gettext("webhook sent again"),
    }
    return names.get(event, event)


def log_name(log: str) -> str:
    """Which of the two logs."""
    names: dict[str, str] = {"audit": gettext("audit"), "disclosure": gettext("disclosures")}
    return names[log]


def subject_name(subject: str) -> str:
    """What an entry is about, where no row tells it: a list, an export, a case, a template."""
    kind, _, which = subject.partition(":")
    names: dict[str, str] = {
        "actions": gettext("follow-up actions, exported"), "case-notes": gettext("case notes, exported"), "monitoring": gettext("list of monitoring"), "follow-ups": gettext("list of follow-ups"),
        "disclosures": gettext("disclosures, exported"), "log": gettext("the logs, exported"), "case": gettext("case"), "job": gettext("work in the background"), "template": gettext("template"),
        "store": gettext("all data"), "roster": gettext("roster"),
    }
    return f"{names[kind]} {which}".strip() if kind in names else subject


def facts_in_words(facts: Mapping[str, Any]) -> str:
    """What an entry tells beside its subject; digests prove something to programs only."""
    said = {name: value for name, value in facts.items() if "digest" not in name and name != "what" and value not in (None, "", [])}
    return "; ".join(f"{name.replace('_', ' ')}: {_fact(value)}" for name, value in said.items())


def _fact(value: Any) -> str:
    if isinstance(value, list) and all(isinstance(one, str | int) for one in value):
        return ", ".join(map(str, value))
    if isinstance(value, dict) and all(isinstance(one, int) for one in value.values()):
        return ", ".join(f"{name} {one}" for name, one in value.items() if one) or "0"
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, sort_keys=True)


# ---------------------------------------------------------------- what is searched for


def _wanted(given: Mapping[str, str]) -> Wanted:
    """A search as an address or a form tells it; persons and children by number, so that no address names them."""
    event = given.get("event", "")[:40]
    return Wanted(
        log=next((log for log in LOGS if log == given.get("log")), None),
        events=SAW if event == SAW_IT else (event,) if event else (),
        person=_number(given.get("person")),
        child=_number(given.get("child")),
        first=day_or_none(given.get("first")),
        last=day_or_none(given.get("last")),
    )


def _number(text: str | None) -> int | None:
    return int(text) if text and text.isascii() and text.isdecimal() and len(text) < 10 else None  # noqa: PLR2004


def _told(given: Mapping[str, str]) -> dict[str, Any]:
    """What goes along from page to page."""
    return {name: given[name][:40] for name in _FIELDS if given.get(name)}


@page(pages, "/admin/logs", "logs")
def log() -> ResponseReturnValue:
    """Entries, the newest first."""
    try:
        wanted = _wanted(request.args)
    except Refused as refused:
        tell(refused)
        return redirect(url_for("admin.log"))
    child = child_id_of(office(), wanted.child) if wanted.child is not None else ""
    first = first_row() // _AT_ONCE * _AT_ONCE
    found = search(office(), wanted, first=first, most=_AT_ONCE)
    with office().store.reading() as connection:
        people = read_people(connection)
    return render_template(
        "admin_log.html", found=found, first=first, step=_AT_ONCE, wanted=wanted, told=_told(request.args), child=child, people=people, shown={one.name: one.shown for one in people},
        events=known_events(office()), event=request.args.get("event", ""), logs=LOGS, log_name=log_name, event_name=event_name, facts_in_words=facts_in_words, subject_name=subject_name, saw=SAW_IT,
    )


@page(pages, "/admin/logs/child", "logs", methods=("POST",))
def log_of_child() -> ResponseReturnValue:
    """Who saw a child's record: the id comes in a form, and its number goes on."""
    try:
        key = child_key(office(), request.form.get("child_id", "")[:120])
    except Refused as refused:
        tell(refused)
        return redirect(url_for("admin.log"))
    return redirect(url_for("admin.log", child=key, event=SAW_IT))


@page(pages, "/admin/logs/export", "logs", methods=("POST",))
def log_export() -> ResponseReturnValue:
    """What was found, as a table; that it left is noted."""
    face = request.form.get("face", "csv")
    try:
        return table(export_log(office(), _wanted(request.form)), "log", face if face in FACES else "csv")
    except Refused as refused:
        tell(refused)
        return redirect(url_for("admin.log", **_told(request.form)))


@page(pages, "/admin/logs/chain", "logs")
def log_chain() -> ResponseReturnValue:
    """Whether both logs hold together: every entry is read and its seal checked."""
    return render_template("admin_chain.html", chains=chains(office()), log_name=log_name)
