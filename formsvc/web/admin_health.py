"""Health: how the installation is, for people; whether it lives and can answer, for load balancers."""

from typing import Any

from flask import render_template
from flask.typing import ResponseReturnValue
from flask_babel import format_decimal, gettext, ngettext

from formsvc.office.health import Check, is_ready, look
from formsvc.web.access import office, page
from formsvc.web.admin_pages import pages, shown_moment
from formsvc.web.words import said


@page(pages, "/admin/health", "health")
def health() -> ResponseReturnValue:
    """What was looked at, and how it is."""
    return render_template("admin_health.html", found=look(office()), title=check_title, words=check_words, state_name=state_name)


@page(pages, "/health/live", "nothing")
def live() -> ResponseReturnValue:
    """Whether the process answers."""
    return {"live": True}


@page(pages, "/health/ready", "nothing")
def ready() -> ResponseReturnValue:
    """Whether it can do its work: 503 if not."""
    is_well = is_ready(office())
    return {"ready": is_well}, 200 if is_well else 503


def state_name(state: str) -> str:
    """How something is."""
    names: dict[str, str] = {"fine": gettext("fine"), "look": gettext("look at it"), "broken": gettext("broken")}
    return names[state]


def check_title(check: Check) -> str:
    """What was looked at."""
    titles: dict[str, str] = {
        "database": gettext("Database"), "stored": gettext("Stored files and their keys"), "disks": gettext("Room on the disk"), "disk": _disk(check), "workers": gettext("Workers"),
        "work": gettext("Work in the background"), "jobs": gettext("Work in the background"), "backup": gettext("Backup"), "templates": gettext("Templates"), "fonts": gettext("Fonts"),
    }
    return titles[check.name]


def _disk(check: Check) -> str:
    places: dict[str, str] = {"data": gettext("Room for the data"), "cache": gettext("Room for blanks"), "templates": gettext("Room for templates")}
    return places.get(str(check.facts.get("place")), "")


def check_words(check: Check) -> list[str]:
    """How it is, in sentences."""
    facts = check.facts
    if "code" in facts:
        return [said(str(facts["message"]), str(facts["code"]))]
    return [line for line in _WORDS[check.name](facts) if line]


def _bytes(count: int) -> str:
    for size, unit in ((1_000_000_000, "GB"), (1_000_000, "MB")):
        if count >= size:
            return f"{format_decimal(round(count / size, 1))} {unit}"
    return f"{format_decimal(round(count / 1000))} KB"


def _database(facts: Any) -> list[str]:
    return [
        gettext("%(kind)s, %(size)s; tables of version %(at)s.", kind=facts["kind"], size=_bytes(facts["size"]), at=facts["revision"]),
        "" if facts["revision"] == facts["head"] else gettext("This program wants version %(head)s: start it again, so that it brings the tables up.", head=facts["head"]),
        gettext("%(entries)s entries in the logs, %(people)s people who may sign in.", entries=format_decimal(facts["entries"]), people=format_decimal(facts["people"])),
    ]


def _stored(facts: Any) -> list[str]:
    return [
        gettext("%(count)s files, %(size)s.", count=format_decimal(facts["files"]), size=_bytes(facts["size"])),
        gettext("The latest one cannot be opened (%(code)s): check the place of stored files and its keys.", code=facts["problem"]) if facts["problem"] else gettext("The latest one opens with the keys that are here."),
        gettext("%(count)d files were announced and never settled: formsvc verify --sweep.", count=facts["late"]) if facts["late"] else "",
    ]


def _room(facts: Any) -> list[str]:
    return [gettext("%(free)s of %(total)s are free.", free=_bytes(facts["free"]), total=_bytes(facts["total"]))]


def _workers(facts: Any) -> list[str]:
    if not facts["alive"]:
        return [gettext("No worker is alive: uploads are kept but not read. Start one: formsvc worker.")]
    return [ngettext("%(num)d worker is alive", "%(num)d workers are alive", facts["alive"]) + ", " + gettext("%(count)d of them with work in hand.", count=facts["busy"])]


def _jobs(facts: Any) -> list[str]:
    return [
        gettext("%(waiting)d wait, %(running)d are being done.", waiting=facts["waiting"], running=facts["running"]),
        gettext("The oldest has waited since %(at)s.", at=shown_moment(facts["oldest"])) if facts["oldest"] else "",
        gettext("%(count)d failed in the last seven days.", count=facts["failed"]) if facts["failed"] else "",
    ]


def _backup(facts: Any) -> list[str]:
    if not facts["last"]:
        return [gettext("No backup was ever made here with formsvc backup. If another program does it, nothing is to be done.")]
    return [gettext("The last one with formsvc backup: %(at)s.", at=shown_moment(facts["last"]))]


def _templates(facts: Any) -> list[str]:
    return [gettext("%(count)d forms.", count=facts["forms"]), gettext("The agency has a folder of its own.") if facts["own"] else gettext("No folder of the agency's own is set (FORMSVC_TEMPLATES).")]


def _fonts(facts: Any) -> list[str]:
    return [
        gettext("%(drawn)d of %(count)d scripts can be drawn.", drawn=facts["drawn"], count=facts["of"]),
        gettext("No font for: %(missing)s. On Debian or Ubuntu type: sudo apt-get install fontconfig fonts-noto-core fonts-noto-cjk fonts-noto-color-emoji", missing=facts["missing"]) if facts["missing"] else "",
    ]


_WORDS = {"database": _database, "stored": _stored, "disk": _room, "workers": _workers, "jobs": _jobs, "backup": _backup, "templates": _templates, "fonts": _fonts}
