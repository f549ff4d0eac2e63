"""What a month's papers say before anybody writes on them: the roster, NEW marks, carried actions, who should attend."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any, Final, TypeVar

from formsvc.casework.cells import Rows, named
from formsvc.casework.followup import Standing
from formsvc.model.form import Form
from formsvc.model.kinds import Choice, Lang
from formsvc.model.procedure import Procedure, age_in_words, first_day, last_day, program_year
from formsvc.model.roster import ProgramOption, StaffMember

T = TypeVar("T")
FORMS: Final[Mapping[ProgramOption, tuple[str, ...]]] = {
    "center": ("worksheet", "case-management"),
    "home": ("worksheet", "case-management"),
    "early": ("worksheet", "case-management"),
    "fcch": ("fcch",),  # R12: the only form of that option
}
_SPARE: Final = {"actions": 4, "children": 4}
_STEP: Final = 4  # rows come in steps, so that few layouts serve all units


@dataclass(frozen=True, slots=True, kw_only=True)
class Enrolled:
    """A child of a unit, as its papers list it."""

    key: int
    child_id: str
    name: str
    enrolled_on: date | None
    """The first day in the program without a break: a move is not a new enrolment."""
    birth_date: date | None = None
    left_on: date | None = None
    home: str = ""
    home_language: str = ""
    interpreter: bool = False
    iep_ifsp: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class OpenAction:
    """An action that goes on, and the children it is about."""

    id: str
    children: tuple[Enrolled, ...]
    standing: Standing
    """As told by everything before the paper it stands on."""


@dataclass(frozen=True, slots=True, kw_only=True)
class UnitMonth:
    """A unit in a month: everything its papers are made of."""

    agency: str
    site: str
    unit: str
    option: ProgramOption
    month: str
    start: date | None
    planned_on: date | None
    start_time: str
    end_time: str
    last_held: date | None
    """The unit's last conference before this month in this program year."""
    discussed: frozenset[int]
    """The children who stood on the paper of a conference of this program year."""
    staff: tuple[StaffMember, ...]
    children: tuple[Enrolled, ...]
    actions: tuple[OpenAction, ...]
    previous_document: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Prefilled:
    """One paper before anybody wrote on it."""

    form: str
    part: int
    values: Mapping[str, Any]
    rows: Rows
    counts: Mapping[str, int]
    """So many rows are printed in each group."""


def earliest_conference(start: date | None, procedure: Procedure) -> date | None:
    """R2: the first day on which a unit's first conference may be held: when the days of class are over."""
    return start + timedelta(days=procedure.first_conference_days) if start else None


def not_yet(unit: UnitMonth, procedure: Procedure) -> date | None:
    """The day before which this unit's papers are not due, if the month ends before it (R2)."""
    earliest = earliest_conference(unit.start, procedure)
    return earliest if unit.last_held is None and earliest and earliest > last_day(unit.month) else None


def is_new(child: Enrolled, unit: UnitMonth) -> bool:
    """R4: enrolled since the unit's last conference (or on its day, or nobody knows when), and never on a paper that was discussed."""
    return unit.last_held is not None and child.key not in unit.discussed and (child.enrolled_on is None or child.enrolled_on >= unit.last_held)


def papers(unit: UnitMonth, forms: Mapping[str, Form], procedure: Procedure, lang: Lang) -> tuple[Prefilled, ...]:
    """The papers of a unit's month; a long roster takes several parts of one form."""
    made = {"worksheet": _worksheets, "fcch": _fcch, "case-management": _follow_up}
    return tuple(paper for name in FORMS[unit.option] for paper in made[name](unit, forms[name], procedure, lang))


# ---------------------------------------------------------------- worksheet


def _worksheets(unit: UnitMonth, form: Form, procedure: Procedure, lang: Lang) -> Iterator[Prefilled]:
    enrolled = [child for child in unit.children if not _gone(child, unit)]
    most = _most(form, "children")
    for part, children in enumerate(_parts(enrolled, most - 1), start=1):  # one row stays free for somebody who comes late
        values = _header(unit, procedure) | {
            "unit": unit.unit,
            "program_option": {"home": "home", "early": "early"}.get(unit.option, "center"),
            "first_conference": unit.last_held is None,
            "attendance": _attendance(form, unit.staff),
            "reports": _presets(form, "reports"),
            "children": [_child(child, unit, lang) for child in children],
        }
        yield _paper(form, part, values, {"children": tuple(f"c{child.key}" for child in children)})


def _gone(child: Enrolled, unit: UnitMonth) -> bool:
    """Whether a child had left before the conference, or before the month where no day is planned."""
    return child.left_on is not None and child.left_on < (unit.planned_on or first_day(unit.month))


def _child(child: Enrolled, unit: UnitMonth, lang: Lang) -> dict[str, Any]:
    on = unit.planned_on or first_day(unit.month)
    return _given(
        child_name=child.name,
        child_id=child.child_id,
        birth_date=_iso(child.birth_date),
        age=age_in_words(child.birth_date, on, lang) if child.birth_date else "",
        enrolment_date=_iso(child.enrolled_on),
        home_language=child.home_language,
        new=is_new(child, unit),
        interpreter=child.interpreter,
        iep_ifsp=child.iep_ifsp,
    )


# ---------------------------------------------------------------- family child care homes


def _fcch(unit: UnitMonth, form: Form, procedure: Procedure, lang: Lang) -> Iterator[Prefilled]:
    """R12: only children who need support stand on it; the open ones are carried, others are written by hand."""
    actions = sorted(unit.actions, key=lambda action: (_home(action), _names(action), action.id))
    for part, some in enumerate(_parts(actions, _most(form, "children") - _SPARE["children"]), start=1):
        values = _header(unit, procedure) | {
            "specialist": unit.unit,
            "first_conference": unit.last_held is None,
            "attendance": _attendance(form, unit.staff),
            "reports": _presets(form, "reports"),
            "children": [_carried_child(action, unit, lang) for action in some],
        }
        values.pop("site")
        yield _paper(form, part, values, {"children": tuple(f"a{action.id}" for action in some)})


def _carried_child(action: OpenAction, unit: UnitMonth, lang: Lang) -> dict[str, Any]:
    facts, child = action.standing.facts, action.children[0] if action.children else None
    on = unit.planned_on or first_day(unit.month)
    left = _left(action, unit)
    return _given(
        home=_home(action),
        child_name=_names(action),
        child_id=_ids(action),
        age=age_in_words(child.birth_date, on, lang) if child and child.birth_date else "",
        continued="continued",
        support_needed=facts.get("need") == "support",
        immediate_need=facts.get("need") == "immediate",
        discussion_points=facts.get("discussion_points"),
        follow_up_action=action.standing.text,
        responsible=facts.get("responsible"),
        target_date=facts.get("target_date"),
        status_last=facts.get("status", "open"),
        status="not_enrolled" if left else "",
    )


def _home(action: OpenAction) -> str:
    return next((child.home for child in action.children if child.home), str(action.standing.facts.get("home", "")))


# ---------------------------------------------------------------- follow-up form


def _follow_up(unit: UnitMonth, form: Form, procedure: Procedure, _lang: Lang) -> Iterator[Prefilled]:
    """R10: every open action stands on it, grouped by child; R8: those of this month's worksheet too."""
    actions = sorted(unit.actions, key=lambda action: (_names(action), action.standing.opened, action.id))
    for part, some in enumerate(_parts(actions, _most(form, "actions") - _SPARE["actions"]), start=1):
        values = _header(unit, procedure) | {
            "unit": unit.unit,
            "previous_document": unit.previous_document,
            "attendance": _attendance(form, unit.staff),
            "actions": [_action(action, unit) for action in some],
        }
        values.pop("start_time", None)
        values.pop("end_time", None)
        yield _paper(form, part, values, {"actions": tuple(f"a{action.id}" for action in some)})


def _action(action: OpenAction, unit: UnitMonth) -> dict[str, Any]:
    standing, facts = action.standing, action.standing.facts
    here = standing.opened == unit.month
    new_child = here and any(is_new(child, unit) for child in action.children)
    left = _left(action, unit)
    return _given(
        action_id=action.id,
        child_name=_names(action),
        child_id=_ids(action),
        origin="new_child" if new_child else "new" if here else "carried",
        carried_from="" if here else standing.latest,
        need=facts.get("need"),
        discussion_points=facts.get("discussion_points"),
        follow_up_action=standing.text,
        action_kind=facts.get("action_kind"),
        referral_agency=facts.get("referral_agency"),
        responsible=facts.get("responsible"),
        responsible_role=facts.get("responsible_role"),
        target_date=facts.get("target_date"),
        parent_involved=facts.get("parent_involved") if here else None,
        parent_date=facts.get("parent_date") if here else None,
        parent_how=facts.get("parent_how") if here else None,
        status="not_enrolled" if left else "",
        status_date=_iso(left),
    )


def _left(action: OpenAction, unit: UnitMonth) -> date | None:
    """The day the last of an action's children left, if none of them is here any more."""
    days = [child.left_on for child in action.children]
    gone = [day for day in days if day is not None and day <= (unit.planned_on or last_day(unit.month))]
    return max(gone) if gone and len(gone) == len(days) else None


# ---------------------------------------------------------------- shared


def _header(unit: UnitMonth, procedure: Procedure) -> dict[str, Any]:
    return _given(
        agency=unit.agency,
        program_year=program_year(unit.month, procedure.program_year_starts),
        month=unit.month,
        site=unit.site,
        conference_date=_iso(unit.planned_on),
        start_time=unit.start_time,
        end_time=unit.end_time,
    )


def _attendance(form: Form, staff: Sequence[StaffMember]) -> list[dict[str, Any]]:
    """R13: a line for each mandated role, then for whoever else belongs to the unit."""
    group = form.group("attendance")
    if group is None:
        return []
    known = _options(form, "attendance", "role")
    mandated = [str(row["role"]) for row in group.presets if "role" in row]
    lines = [{"role": role, "name": member.name} for role in mandated for member in staff if member.role == role]
    lines += [{"role": role} for role in mandated if not any(member.role == role for member in staff)]
    lines.sort(key=lambda line: mandated.index(line["role"]))
    lines += [{"role": member.role, "name": member.name} for member in staff if member.role in known and member.role not in mandated]
    return lines[: group.maximum]


def _options(form: Form, group_name: str, name: str) -> frozenset[str]:
    group = form.group(group_name)
    kinds = [ask.kind for ask in group.asks if ask.name == name] if group else []
    return frozenset(option.code for kind in kinds if isinstance(kind, Choice) for option in kind.options)


def _presets(form: Form, name: str) -> list[dict[str, Any]]:
    group = form.group(name)
    return [dict(row) for row in group.presets] if group else []


def _most(form: Form, name: str) -> int:
    group = form.group(name)
    return group.maximum if group else 1


def _parts(entries: Sequence[T], most: int) -> Iterator[Sequence[T]]:
    """Entries in equal parts of at most so many; one empty part where there is nothing."""
    count = max(1, -(-len(entries) // most))
    size = -(-len(entries) // count) or 1
    for start in range(0, max(len(entries), 1), size):
        yield entries[start : start + size]


def _paper(form: Form, part: int, values: Mapping[str, Any], rows: Rows) -> Prefilled:
    given = {name: value for name, value in values.items() if value not in ("", None, False, [])}
    known = {"attendance": _known(given, "attendance", "role", "name"), "reports": _known(given, "reports", "report")}
    return Prefilled(form=form.id.name, part=part, values=given, rows={**{name: ids for name, ids in known.items() if form.group(name)}, **rows}, counts=row_counts(form, rows))


def _known(values: Mapping[str, Any], group: str, *names: str) -> tuple[str, ...]:
    """The identities of pre-filled lines: by role and person, or by report, wherever they stand on an edition."""
    marks = [f"s{'-'.join(named(row.get(name)) for name in names)}" for row in values.get(group, ())]
    return tuple(mark if marks[:place].count(mark) == 0 else f"{mark}-{marks[:place].count(mark)}" for place, mark in enumerate(marks))


def row_counts(form: Form, rows: Rows) -> dict[str, int]:
    """How many rows are printed: those that are filled, free ones for what people add, in steps."""
    counts = {}
    for group in form.groups:
        if group.name in rows and group.name in _SPARE:
            spare = _SPARE[group.name] if form.id.name != "worksheet" else 1
            wanted = len(rows[group.name]) + spare
            counts[group.name] = min(group.maximum, -(-wanted // _STEP) * _STEP)
    return counts


def _names(action: OpenAction) -> str:
    return " + ".join(child.name for child in action.children) or str(action.standing.facts.get("child_name", ""))


def _ids(action: OpenAction) -> str:
    return " + ".join(child.child_id for child in action.children) or str(action.standing.facts.get("child_id", ""))


def _iso(day: date | None) -> str:
    return day.isoformat() if day else ""


def _given(**entries: Any) -> dict[str, Any]:
    """The entries that say something."""
    return {name: value for name, value in entries.items() if value not in ("", None, False)}
