"""What supervisors find: the month and the program year at a glance, what is late, what is to be monitored, tables to take along."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from itertools import groupby
from typing import Any, Final

from flask import Blueprint, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext, ngettext

from formsvc.casework.coverage import STATES, State
from formsvc.casework.rules import role_label
from formsvc.errors import WORDING, Refused, Wording
from formsvc.model.procedure import month_after
from formsvc.office.exports import export_actions, export_case_notes, export_disclosures, export_monitoring
from formsvc.office.overview import CHOICES, OLDEST, ORDERS, Overview, findings, follow_ups, monitoring_due, note_all_monitored, note_monitored, overview, place_of
from formsvc.office.seen import note_list_seen
from formsvc.office.status import HeatRow
from formsvc.office.status_tables import SIGNS
from formsvc.renderers.tables import Sheet, write_csv, write_xlsx
from formsvc.store.roster import read_units
from formsvc.web.access import me, missing, my_unit, my_units, office, page
from formsvc.web.guard import done, tell
from formsvc.web.month import attachment, month_or_missing
from formsvc.web.words import chosen_lang, said, today
from formsvc.wording_es import SPANISH

pages = Blueprint("overview", __name__)
_NO_WORDING: Final = Wording("", "")
_UNITS_AT_ONCE: Final = 40
_ROWS_AT_ONCE: Final = 50
_UNITS_OF_A_MONTH_PAGE: Final = 25
FACES: Final[Mapping[str, str]] = {"csv": "text/csv", "xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"}


# ---------------------------------------------------------------- what every page of these needs


def _first() -> int:
    return max(0, request.args.get("from", 0, type=int))


def _site(sites: Sequence[str]) -> str:
    """The site that was chosen; one that is not there is like one that is not theirs."""
    site = request.args.get("site", "")
    if site and site not in sites:
        missing()
    return site


def _frame(month: str) -> dict[str, Any]:
    """What the head of every page here shows: month, sites, the one that was chosen."""
    sites = sorted({unit.site for unit in my_units()})
    return {"month": month, "before": month_after(month, -1), "after": month_after(month), "sites": sites, "site": _site(sites)}


def paged(rows: Sequence[Any], first: int, step: int) -> dict[str, Any]:
    """A page of rows, and what the links to the others need."""
    first = min(first, max(0, (len(rows) - 1) // step * step))
    return {"rows": rows[first : first + step], "first": first, "step": step, "count": len(rows)}


def state_name(state: State) -> str:
    """How far a unit's month is, as people call it."""
    names: dict[State, str] = {
        "empty": gettext("no children"), "not-due": gettext("not due yet"), "open": gettext("not planned"), "planned": gettext("planned"), "missing": gettext("no conference"),
        "held": gettext("papers out"), "waiting": gettext("to be settled"), "done": gettext("done"),
    }
    return names[state]


def weight_name(severity: str) -> str:
    """How grave a finding is."""
    names: dict[str, str] = {"error": gettext("must"), "warning": gettext("should"), "note": gettext("note")}
    return names[severity]


# ---------------------------------------------------------------- charts


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """A piece of a bar: where it begins and how wide it is, in percent of the whole."""

    code: str
    words: str
    sign: str
    count: int
    at: float
    width: float


def parts(counts: Sequence[tuple[str, str, str, int]], whole: int) -> tuple[Part, ...]:
    """Counts (code, words, sign, count) as the pieces of one bar, without those of nothing."""
    found, at = [], 0.0
    for code, words, sign, count in counts:
        if count:
            width = 100 * count / max(1, whole)
            found.append(Part(code=code, words=words, sign=sign, count=count, at=round(at, 2), width=round(width, 2)))
            at += width
    return tuple(found)


def _states(seen: Overview) -> tuple[Part, ...]:
    order: tuple[State, ...] = ("done", "waiting", "held", "planned", "open", "missing", "not-due", "empty")
    return parts([(state, state_name(state), SIGNS[state], seen.states[state]) for state in order], len(seen.status.units))


def _ages(seen: Overview) -> list[tuple[str, int, int, tuple[Part, ...]]]:
    """A bar for each age: words, open, overdue, pieces."""
    widest = max((age.open for age in seen.ages), default=0)
    return [
        (_age_words(age.months), age.open, age.overdue, parts([("overdue", gettext("overdue"), "!", age.overdue), ("time", gettext("in time"), "", age.open - age.overdue)], widest))
        for age in seen.ages
    ]


def _age_words(months: int) -> str:
    if months == 0:
        return str(gettext("opened this month"))
    return str(gettext("%(count)d months and older", count=months) if months >= OLDEST else ngettext("%(num)d month", "%(num)d months", months))


def _papers(seen: Overview) -> list[tuple[str, int, tuple[Part, ...]]]:
    """How far the papers of the month are: each bar is a part of the one above it."""
    due = max(seen.papers("due"), seen.papers("issued"))
    names = {"due": gettext("due"), "issued": gettext("issued"), "returned": gettext("came back"), "done": gettext("done")}
    return [(words, seen.papers(name), parts([(name, words, "", seen.papers(name))], due)) for name, words in names.items()]


# ---------------------------------------------------------------- the picture


@page(pages, "/overview", "overview")
@page(pages, "/overview/<month>", "overview")
def show(month: str | None = None) -> ResponseReturnValue:
    """The month, and a page of the program year."""
    frame = _frame(month_or_missing(month))
    first = _first() // _UNITS_AT_ONCE * _UNITS_AT_ONCE
    seen = overview(office(), frame["month"], today=today(), site=frame["site"] or None, first=first, most=_UNITS_AT_ONCE)
    return render_template(
        "overview.html", **frame, seen=seen, heat=_by_site(seen), first=first, step=_UNITS_AT_ONCE, count=len(seen.status.units), states=_states(seen), ages=_ages(seen), papers=_papers(seen), signs=SIGNS,
        state_name=state_name, weight_name=weight_name, every_state=list(STATES), plain=plain_message,
    )


def _by_site(seen: Overview) -> list[tuple[str, list[tuple[int, HeatRow]]]]:
    """The rows of the heat map with their units, site by site."""
    rows = zip(seen.units, seen.heat.rows, strict=True)
    return [(site, list(some)) for site, some in groupby(rows, key=lambda pair: pair[1].site)]


def plain_message(message: str, code: str, rule: str = "") -> str:
    """A sentence without the rule that stands beside it, and without a remedy that only a terminal knows."""
    text = said(message, code).removeprefix(f"{rule}: ")
    remedy = (SPANISH if chosen_lang() == "es" else WORDING).get(code, _NO_WORDING).remedy
    if "formsvc " in remedy or "--" in remedy:
        text = text[: text.rfind(f". {remedy.partition('{')[0]}") + 1] or text
    return text[:1].upper() + text[1:]


@page(pages, "/overview/unit/<int:key>/<month>", "overview")
def unit(key: int, month: str) -> ResponseReturnValue:
    """On to the place on the month's page where a unit stands."""
    month, found = month_or_missing(month), my_unit(key)
    with office().store.reading() as connection:
        place = [other.id for other in read_units(connection, found.site)].index(key)
    where: dict[str, Any] = {"month": month, "site": found.site, "from": place // _UNITS_OF_A_MONTH_PAGE * _UNITS_OF_A_MONTH_PAGE or None}
    return redirect(url_for("month.show", **where, _anchor=f"unit-{key}"))


@page(pages, "/overview/<month>/findings", "overview")
def found(month: str) -> ResponseReturnValue:
    """Every finding of a kind, with its place."""
    frame = _frame(month_or_missing(month))
    code, severity = request.args.get("code", "")[:40], request.args.get("severity", "")[:10]
    rows = findings(office(), frame["month"], today=today(), site=frame["site"] or None, code=code, severity=severity)
    with office().store.reading() as connection:
        keys = {(one.site, one.name): one.id for one in read_units(connection)}
    return render_template(
        "overview_findings.html", **frame, **paged(rows, _first(), _ROWS_AT_ONCE), code=code, severity=severity, keys=keys, weight_name=weight_name, plain=plain_message, place_of=place_of,
        titles={form.id.name: form.titles.said(chosen_lang()) for form in office().catalog.forms()},
    )


# ---------------------------------------------------------------- follow-ups


@page(pages, "/overview/<month>/follow-ups", "overview")
def actions(month: str) -> ResponseReturnValue:
    """Open follow-up actions, sorted as one asks."""
    frame = _frame(month_or_missing(month))
    choice, order = _one_of("show", CHOICES), _one_of("sort", ORDERS)
    descending = request.args.get("down") == "1"
    rows = follow_ups(office(), frame["month"], today=today(), site=frame["site"] or None, choice=choice, order=order, descending=descending)
    note_list_seen(office(), "follow-ups", frame["month"])
    with office().store.reading() as connection:
        keys = {(one.site, one.name): one.id for one in read_units(connection)}
    return render_template(
        "overview_actions.html", **frame, **paged(rows, _first(), _ROWS_AT_ONCE), choice=choice, order=order, descending=descending, choices=_choice_names(), keys=keys,
        raise_after=office().procedure.raise_after_months,
    )


def _one_of(name: str, known: Sequence[str]) -> str:
    """A choice in an address; the first where none, or none of ours, is named."""
    given = request.args.get(name, "")
    return given if given in known else known[0]


def _choice_names() -> list[tuple[str, str]]:
    names = {
        "late": gettext("overdue or long carried"), "overdue": gettext("overdue"), "carried": gettext("long carried"), "left": gettext("children who left"), "all": gettext("all open ones"),
    }
    return [(choice, names[choice]) for choice in CHOICES]


# ---------------------------------------------------------------- monitoring


@page(pages, "/overview/<month>/monitoring", "overview")
def monitoring(month: str) -> ResponseReturnValue:
    """What is to be monitored until the end of a month (R20)."""
    frame = _frame(month_or_missing(month))
    windows = {window.kind: window.title.said(chosen_lang()) for window in office().procedure.monitoring}
    kind = request.args.get("kind", "")
    rows = monitoring_due(office(), frame["month"], today=today(), site=frame["site"], kind=kind if kind in windows else "")
    note_list_seen(office(), "monitoring", frame["month"])
    overdue = sum(item.overdue for item in rows)
    form = office().service.form("case-management")
    roles = {window.who: role_label(form, window.who, chosen_lang()) for window in office().procedure.monitoring}
    return render_template("overview_monitoring.html", **frame, **paged(rows, _first(), _ROWS_AT_ONCE), windows=windows, kind=kind, overdue=overdue, roles=roles, me=me())


@page(pages, "/overview/<month>/monitoring", "overview", methods=("POST",))
def mark(month: str) -> ResponseReturnValue:
    """Note that something, or everything that was ticked, was monitored."""
    month = month_or_missing(month)
    try:
        day = _day(request.form.get("done_on", ""))
        by = request.form.get("by", "").strip()[:120] or me().shown
        done(_mark_several(month, day, by) if "several" in request.form else _mark_one(month, day, by))
    except Refused as refused:
        tell(refused)
    back: dict[str, Any] = {name: request.form.get(field) or None for name, field in (("site", "site"), ("kind", "kind_shown"), ("from", "from"))}
    return redirect(url_for("overview.monitoring", month=month, **back))


def _mark_one(month: str, day: date, by: str) -> str:
    key = (request.form.get("kind", "")[:40], request.form.get("subject", "")[:40], request.form.get("due", "")[:10])
    return str(gettext("Noted as done: %(title)s.", title=note_monitored(office(), month, key, today=today(), done_on=day, by=by).title))


def _mark_several(month: str, day: date, by: str) -> str:
    """What was ticked on a page of the list."""
    keys = [tuple(text[:100].split("|")) for text in request.form.getlist("item")[:_ROWS_AT_ONCE]]
    if not keys:
        raise Refused("monitoring-none")
    count = len(note_all_monitored(office(), month, keys, today=today(), done_on=day, by=by))
    return str(ngettext("Noted as done: %(num)d.", "Noted as done: %(num)d.", count))


def _day(text: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError as problem:
        raise Refused("plan-day") from problem


# ---------------------------------------------------------------- exports


@page(pages, "/overview/exports", "exports")
def exports() -> ResponseReturnValue:
    """Tables for other programs."""
    return render_template("overview_exports.html", **_frame(month_or_missing(request.args.get("month"))))


def _sheets() -> Mapping[str, Callable[[str], Sheet]]:
    """Each table and how it is made, of a month where it has one."""
    return {
        "actions": lambda month: export_actions(office(), month if request.form.get("which") == "month" else None, on=today(), only_open=request.form.get("which") == "open"),
        "case-notes": lambda month: export_case_notes(office(), month),
        "monitoring": lambda _month: export_monitoring(office(), today()),
        "disclosures": lambda _month: export_disclosures(office()),
    }


@page(pages, "/overview/exports", "exports", methods=("POST",))
def export() -> ResponseReturnValue:
    """Make a table; it is noted in the log that it left."""
    month, what, face = month_or_missing(request.form.get("month")), request.form.get("what", ""), request.form.get("face", "csv")
    makers = _sheets()
    if what not in makers or face not in FACES:
        missing()
    try:
        return table(makers[what](month), f"{what}-{month if what in ('case-notes', 'actions') else today().isoformat()}", face)
    except Refused as refused:
        tell(refused)
        return redirect(url_for("overview.exports", month=month))


def table(sheet: Sheet, name: str, face: str) -> ResponseReturnValue:
    """A table to be saved; what people wrote in it is never a formula."""
    content = write_csv(sheet) if face == "csv" else write_xlsx([sheet], title=sheet.name, created=datetime.now(UTC).replace(tzinfo=None))
    return attachment(content, f"{name}.{face}", FACES[face])
