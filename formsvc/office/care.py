"""One child's data: how long they are kept, what holds them, everything about the child in one file."""

import io
import json
import zipfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import date
from typing import Any, Final

from sqlalchemy import Connection, RowMapping, Table, insert, or_, select, update

from formsvc.casework.cells import split_cell
from formsvc.errors import Refused
from formsvc.model.procedure import add_months
from formsvc.model.values import plain
from formsvc.office.about import About, Paper, about, find_child, read_papers
from formsvc.office.office import Office
from formsvc.store.followup import read_events
from formsvc.store.log import LOGS, entries, now
from formsvc.store.papers import said_sheet
from formsvc.store.roster import Child, read_enrolments
from formsvc.store.schema import cases, children, consents, decisions, enrolments, files, holds, monitoring, questions, sites, units

YEARS: Final = 7
LEAST_YEARS: Final = 3
"""Head Start records are kept three years at least; programs choose five or seven."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Due:
    """A child whose time is over."""

    child_id: str
    left_on: date
    held: bool


# ---------------------------------------------------------------- how long


def kept_until(connection: Connection, child: int, years: int = YEARS) -> date | None:
    """The day until which a child's data are kept; None while it is enrolled."""
    if years < LEAST_YEARS:
        raise Refused("retention-too-short", "", years=years, least=LEAST_YEARS)
    ends = list(connection.scalars(select(enrolments.c.ends).where(enrolments.c.child == child)))
    if None in ends:
        return None
    return max(add_months(day, 12 * years) for day in ends if day) if ends else date.min


def due_for_erasure(office: Office, on: date, years: int = YEARS) -> tuple[Due, ...]:
    """The children whose last enrolment ended more than so many years ago, the longest gone first."""
    if years < LEAST_YEARS:
        raise Refused("retention-too-short", "", years=years, least=LEAST_YEARS)
    with office.store.reading() as connection:
        ends: dict[int, list[date | None]] = {}
        for spell in read_enrolments(connection):
            ends.setdefault(spell.child, []).append(spell.ends)
        held = set(connection.scalars(select(holds.c.child).where(holds.c.released == "")))
        known = connection.execute(select(children.c.id, children.c.child_id).where(~children.c.erased)).all()
    left = {child: max(day for day in days if day) for child, days in ends.items() if None not in days}
    due = [Due(child_id=row.child_id, left_on=left[row.id], held=row.id in held) for row in known if row.id in left and add_months(left[row.id], 12 * years) < on]
    return tuple(sorted(due, key=lambda one: (one.left_on, one.child_id)))


# ---------------------------------------------------------------- legal hold


def hold(office: Office, child_id: str, why: str) -> int:
    """Let nothing about a child be erased until it is released; the number of the hold."""
    with office.store.writing() as connection:
        child = find_child(connection, child_id)
        check_reason(child, why)
        number = int(connection.execute(insert(holds).values(child=child.key, why=why, by=office.store.by, at=now()).returning(holds.c.id)).scalar_one())
        office.store.log(connection, "held", f"child:{child.key}", hold=number, why=why)
    return number


def release(office: Office, child_id: str) -> int:
    """End every hold on a child; how many there were."""
    with office.store.writing() as connection:
        child = find_child(connection, child_id)
        count = connection.execute(update(holds).where(holds.c.child == child.key, holds.c.released == "").values(released=now())).rowcount
        if not count:
            raise Refused("child-not-held", child_id)
        office.store.log(connection, "released", f"child:{child.key}", holds=count)
    return count


def is_held(connection: Connection, child: int) -> bool:
    """Whether a child's data may not be erased."""
    return connection.execute(select(holds.c.id).where(holds.c.child == child, holds.c.released == "")).first() is not None


def check_reason(child: Child, why: str) -> None:
    """Refuse a reason that names the child: reasons stand in the log for ever."""
    if not why.strip():
        raise Refused("reason-missing", "")
    words = plain(why)
    if plain(child.name) in words or any(part in words.split() for part in plain(child.name).split()) or plain(child.child_id) in words.split():
        raise Refused("reason-names-child", "")


# ---------------------------------------------------------------- everything about one child


def export_child(office: Office, child_id: str) -> bytes:
    """A zip of everything that is kept about a child: `child.json`, and the papers that are about nobody else.

    The zip is not protected; whoever hands it out locks it.
    """
    with office.store.writing() as connection:
        child = find_child(connection, child_id)
        told, papers = _told(office, connection, child)
        office.store.log(connection, "exported", f"child:{child.key}", papers=len(papers))
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("child.json", json.dumps(told, ensure_ascii=False, indent=1, default=str))
        for name, file in papers.items():
            archive.writestr(name, office.store.vault.get(file))
    return out.getvalue()


def _told(office: Office, connection: Connection, child: Child) -> tuple[dict[str, Any], Mapping[str, str]]:
    found = about(office, connection, child)
    papers: dict[str, list[dict[str, Any]]] = {"document": [], "return": [], "revision": []}
    alone: dict[str, str] = {}
    kept = set(connection.scalars(select(files.c.name).where(files.c.state == "kept")))
    for paper in read_papers(office, connection):
        if rows := list(_rows(found, paper)):
            entry = {**_label(connection, paper), "rows": rows}
            if paper.kind != "revision" and paper.row.file in kept and _is_alone(found, paper):
                entry["file"] = f"papers/{paper.kind}-{paper.row.id}.pdf"
                alone[entry["file"]] = paper.row.file
            papers[paper.kind].append(entry)
    details = asdict(child) | {"enrolments": [_plain(row) for row in _enrolments(connection, child.key)]}
    return {"child": details, "documents": papers["document"], "returns": papers["return"], "records": papers["revision"], **_kept(connection, found)}, alone


def _rows(found: About, paper: Paper) -> Iterator[dict[str, Any]]:
    """The rows about the child; a shared one without the others' names."""
    for group, _, identity, row, share in found.found(paper):
        yield {"group": group, "row": identity, "answers": row if share == "own" else found.parted(row, keep=True)}


def _is_alone(found: About, paper: Paper) -> bool:
    return all(found.share(identity) == "own" for group, _, identity, _ in paper.entries() if group in ("children", "actions"))


def _label(connection: Connection, paper: Paper) -> dict[str, Any]:
    """Which paper it is, for people."""
    row = paper.row
    label = {"document": row.id if paper.kind == "document" else "", "return": row.id if paper.kind == "return" else "", "revision": row.number if paper.kind == "revision" else "", "at": row.at}
    return {name: value for name, value in label.items() if value != ""} | {"sheet": said_sheet(connection, paper.sheet) or "not placed"}


def _enrolments(connection: Connection, child: int) -> Sequence[RowMapping]:
    wanted = select(sites.c.name.label("site"), units.c.name.label("unit"), enrolments.c.home, enrolments.c.starts, enrolments.c.ends, enrolments.c.reason)
    return connection.execute(wanted.select_from(enrolments.join(units).join(sites)).where(enrolments.c.child == child).order_by(enrolments.c.id)).mappings().all()


def _plain(row: RowMapping) -> dict[str, Any]:
    return {str(name): value for name, value in row.items() if value not in (None, "")}


def _kept(connection: Connection, found: About) -> dict[str, Any]:
    """What stands about the child beside the papers."""
    key = found.child.key
    actions = [*found.alone.values(), *found.shared.values()]
    events = read_events(connection, [action.id for action in actions])
    told_of = set(connection.scalars(select(cases.c.name).join(consents).where(consents.c.child == key))) | {f"child:{key}"}
    return {
        "actions": [{"id": action.id, "opened": action.opened, "open": action.open, "facts": action.facts, "events": [asdict(event) for event in events if event.action == action.id]} for action in actions],
        "decisions": list(_cells(connection, decisions, found)),
        "questions": list(_cells(connection, questions, found)),
        "consents": [_plain(row) for row in connection.execute(select(consents).where(consents.c.child == key)).mappings()],
        "holds": [_plain(row) for row in connection.execute(select(holds).where(holds.c.child == key)).mappings()],
        "monitoring": [_plain(row) for row in connection.execute(select(monitoring).where(subject_is(key, found.child.child_id))).mappings()],
        "logs": {log: [_plain(entry) for entry in entries(connection, log) if entry["subject"] in told_of or entry["facts"].get("child") == key] for log in LOGS},
    }


def subject_is(key: int, child_id: str) -> Any:
    """Monitoring of this child."""
    return or_(monitoring.c.subject == f"child:{key}", monitoring.c.subject == child_id, monitoring.c.subject == f"child:{child_id}")


def _cells(connection: Connection, table: Table, found: About) -> Iterator[dict[str, Any]]:
    """What was decided or asked about the child's rows."""
    for row in connection.execute(select(table).order_by(table.c.id)).mappings():
        if found.share(split_cell(row["cell"])[1]) == "own":
            yield _plain(row)
