"""Erases one child's data: afterwards every record is what it would be had the child never stood on a paper.

Rows of the child are emptied in what was issued, returned and known; the sheets are settled anew from that. The
stored papers that held it are removed. A pseudonym stays, both logs stay: they name the child by its key only.
Where somebody wrote the child's name elsewhere, no key tells: such places are told, for a person to look at.

Limits: backups that were made before still hold the child.
"""

import re
import sqlite3
from collections.abc import Collection, Iterator, Mapping
from contextlib import closing, suppress
from dataclasses import dataclass, field, replace
from datetime import date
from typing import Any, Final

from sqlalchemy import Connection, Row, Table, delete, insert, select, update

from formsvc.casework.cells import split_cell
from formsvc.casework.followup import action_of
from formsvc.errors import Refused
from formsvc.model.record import Row as Answers
from formsvc.model.record import Values
from formsvc.model.values import plain
from formsvc.office.about import About, Paper, about, find_child, find_erased, read_papers
from formsvc.office.care import YEARS, check_reason, is_held, kept_until, subject_is
from formsvc.office.office import Office
from formsvc.office.sheets import settle_sheet
from formsvc.store.digest import digest
from formsvc.store.followup import KeptAction
from formsvc.store.papers import counted_returns, latest_revision, read_sheet, said_sheet
from formsvc.store.roster import Child, read_children, read_enrolments
from formsvc.store.schema import (
    action_children,
    action_events,
    actions,
    children,
    consents,
    decisions,
    documents,
    enrolments,
    erasing,
    files,
    metadata,
    monitoring,
    questions,
    returns,
    revisions,
    sheets,
)
from formsvc.store.schema_people import drafts
from formsvc.store.store import Store

_TABLES: Final = {"document": documents, "return": returns, "revision": revisions}
_VALUES: Final = {"document": "snapshot", "return": "values", "revision": "values"}
_NAMED: Final = ("child_name", "child_id")
_SAME: Final = ("follow_up_action", "responsible", "target_date")
_LEAST_ID: Final = 4  # shorter ids stand in dates and counts everywhere
_LEAST_NAME: Final = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class Mention:
    """A place that still names the child, or may do so: a person looks at it. `what`: name, part of the name, id, unread."""

    place: str
    what: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Erasure:
    """What was erased, and what a person should look at."""

    pseudonym: str
    papers: int
    """Documents, returns and revisions in which rows were emptied."""
    files: int
    mentions: tuple[Mention, ...]
    compacted: bool
    """Whether the database gave up the room where the data had stood; if not, it will when it is next compacted."""


def erase_child(office: Office, child_id: str, why: str, *, on: date, years: int = YEARS, on_request: bool = False) -> Erasure:
    """Erase a child; refuses under a hold, and before its time is over unless the family asked for it.

    A child that was erased can be erased again by its pseudonym, when an old copy of a paper came back afterwards.
    """
    with office.store.writing() as connection:
        again = find_erased(connection, child_id)
        child = again or find_child(connection, child_id)
        _check(connection, child, why, on, None if on_request or again else years)
        units = {spell.unit for spell in read_enrolments(connection) if spell.child == child.key}
        connection.execute(insert(erasing).values(name=f"child:{child.key}"))
        eraser = _Eraser(office=office, connection=connection, found=about(office, connection, child))
        eraser.erase()
        _forget_drafts(connection, units)
        connection.execute(delete(erasing))
        digests = dict(eraser.digests())
        office.store.log(connection, "erased", f"child:{child.key}", why=why, on_request=on_request, papers=len(eraser.changed), files=len(eraser.files), digests=digests)
    count = remove_erased(office)
    return Erasure(
        pseudonym=pseudonym(child.key), papers=len(eraser.changed), files=count, mentions=mentions(office, child.name, child.child_id, frozenset(units)), compacted=_compact(office.store)
    )


def _forget_drafts(connection: Connection, units: Collection[int]) -> None:
    """What people typed into papers of the child's units and did not save yet may be about it."""
    connection.execute(delete(drafts).where(drafts.c.sheet_id.in_(select(sheets.c.id).where(sheets.c.unit_id.in_(units)))))


def pseudonym(key: int) -> str:
    """What stands in the place of a child's id."""
    return f"erased-{key}"


def _check(connection: Connection, child: Child, why: str, on: date, years: int | None) -> None:
    check_reason(child, why)
    if is_held(connection, child.key):
        raise Refused("child-held", "")
    if years is None:
        return
    until = kept_until(connection, child.key, years)
    if until is None:
        raise Refused("child-enrolled", "")
    if on <= until:
        raise Refused("retention-runs", "", until=until.isoformat())


def remove_erased(office: Office) -> int:
    """Remove the stored files that were erased; how many were still there. Done after the transaction: a file comes back from nowhere."""
    with office.store.reading() as connection:
        names = [name for name in connection.scalars(select(files.c.name).where(files.c.state == "erased")) if office.store.vault.has(name)]
    for name in names:
        office.store.vault.remove(name)
    return len(names)


# ---------------------------------------------------------------- in the papers


@dataclass(frozen=True, slots=True, kw_only=True)
class _Change:
    """What a row of a table is from now on."""

    paper: Paper
    columns: Mapping[str, Any]


@dataclass(slots=True, kw_only=True)
class _Eraser:
    """Everything of one erasing, inside one transaction."""

    office: Office
    connection: Connection
    found: About
    renamed: dict[str, str] = field(default_factory=dict)
    """Actions that go on for a sibling under the id they would have had without the child."""
    changed: list[Paper] = field(default_factory=list)
    files: set[str] = field(default_factory=set)
    sheets: set[int] = field(default_factory=set)

    def erase(self) -> None:
        for action in self.found.shared.values():
            self.hand_over(action)
        changes = [change for paper in read_papers(self.office, self.connection) if (change := self.change(paper)) is not None]
        for change in changes:
            self.write(change)
        self.empty_cells()
        self.blank_child()
        for sheet in sorted(self.sheets, key=lambda number: (read_sheet(self.connection, number).month, number)):
            if read_sheet(self.connection, sheet).revision or counted_returns(self.connection, sheet):
                settle_sheet(self.office, self.connection, sheet, f"erased:{self.found.child.key}")
        self.connection.execute(update(files).where(files.c.name.in_(self.files)).values(state="erased"))

    # ------------------------------------------------------------ rows

    def change(self, paper: Paper) -> _Change | None:
        """A paper without the child; None if it does not hold it."""
        rows = list(self.found.found(paper))
        moved = {group: [self.moved(identity) for identity in identities] for group, identities in paper.rows.items()} if self.renamed else paper.rows
        is_moved = self.renamed and any(list(paper.rows[group]) != moved[group] for group in moved)
        if not rows and not is_moved:
            return None
        columns: dict[str, Any] = {_VALUES[paper.kind]: self.without(paper)}
        if paper.kind == "document":
            columns["base"] = self.without(replace(paper, values=paper.row.base))
        if is_moved and paper.kind != "return":  # a return's rows are those of its document
            columns["rows"] = moved
        if paper.kind == "return":
            columns |= _unsaid(paper.row, {(group, number): share == "own" for group, number, _, _, share in rows})
        if rows and paper.kind != "revision":
            self.files.add(paper.row.file)
        if rows and paper.kind == "document":
            self.files.update(self.connection.scalars(select(returns.c.file).where(returns.c.document == paper.row.id)))
        return _Change(paper=paper, columns=columns)

    def moved(self, identity: str) -> str:
        return f"a{self.renamed[identity[1:]]}" if identity.startswith("a") and identity[1:] in self.renamed else identity

    def without(self, paper: Paper) -> Values:
        """The values of a paper with the child's rows emptied, in the form in which records are kept."""
        values = {name: list(value) if isinstance(value, list) else value for name, value in paper.values.items()}
        for group, number, identity, row in list(paper.entries()):
            share = self.found.share(identity)
            left: Answers = {} if share == "own" else self.found.parted(row, keep=False) if share == "shared" else row
            if left.get("action_id") in self.renamed:
                left = left | {"action_id": self.renamed[str(left["action_id"])]}
            rows: Any = values[group]
            rows[number] = left
        return {name: value for name, value in ((name, _trimmed(value)) for name, value in values.items()) if value != []}

    def write(self, change: _Change) -> None:
        table, row = _TABLES[change.paper.kind], change.paper.row
        same = (table.c.sheet_id == row.sheet_id, table.c.number == row.number) if change.paper.kind == "revision" else (table.c.id == row.id,)
        self.connection.execute(update(table).where(*same).values(**change.columns))
        self.changed.append(change.paper)
        if change.paper.sheet is not None:
            self.sheets.add(change.paper.sheet)

    def digests(self) -> Iterator[tuple[str, str]]:
        """What the emptied rows are from now on, for the log."""
        for paper in self.changed:
            table, row = _TABLES[paper.kind], paper.row
            same = (table.c.sheet_id == row.sheet_id, table.c.number == row.number) if paper.kind == "revision" else (table.c.id == row.id,)
            name = f"revision:{row.sheet_id}.{row.number}" if paper.kind == "revision" else f"{paper.kind}:{row.id}"
            yield name, digest(paper.kind, self.connection.execute(select(table).where(*same)).mappings().one(), self.office.store.key)

    # ------------------------------------------------------------ decisions and questions

    def empty_cells(self) -> None:
        """Nothing stays decided or asked about the child's rows."""
        for row in self.connection.execute(select(decisions)).all():
            if cell := self.cell_of(row):
                emptied: dict[str, Any] = {"value": None, "seen": {}, "withdrawn": True} if self.is_own(cell, [row.value, row.seen]) else {}
                self.connection.execute(update(decisions).where(decisions.c.id == row.id).values(cell=self.moved_cell(cell), **emptied))
                self.sheets.add(row.sheet_id)
        for row in self.connection.execute(select(questions)).all():
            if cell := self.cell_of(row):
                asked: dict[str, Any] = {"facts": {}, "state": "gone"} if self.is_own(cell, row.facts) else {}
                self.connection.execute(update(questions).where(questions.c.id == row.id).values(cell=self.moved_cell(cell), **asked))

    def cell_of(self, row: Row[Any]) -> str:
        """The cell of a decision or question that is about the child; empty for others."""
        identity = split_cell(row.cell)[1]
        return str(row.cell) if self.found.share(identity) or self.moved(identity) != identity else ""

    def is_own(self, cell: str, said: object) -> bool:
        """Whether a cell of the child's, or of a row it shares, says something of the child alone."""
        _, identity, name = split_cell(cell)
        return self.found.share(identity) == "own" or name in _NAMED or any(leaf in self.found.texts for _, leaf in _leaves(said))

    def moved_cell(self, cell: str) -> str:
        group, identity, name = split_cell(cell)
        return f"{group}/{self.moved(identity)}/{name}"

    # ------------------------------------------------------------ shared actions

    def hand_over(self, action: KeptAction) -> None:
        """Let an action that was first written in the child's row go on for the sibling, under the sibling's id for it."""
        if self.found.share(action.row) != "own" or (heir := self.heir(action)) is None:
            return
        new = action_of(action.sheet, heir)
        if self.connection.execute(select(action_events).where(action_events.c.action == new)).first():
            return  # it has a life of its own
        self.connection.execute(delete(action_children).where(action_children.c.action == new))
        self.connection.execute(delete(actions).where(actions.c.id == new))
        old = self.connection.execute(select(actions).where(actions.c.id == action.id)).mappings().one()
        self.connection.execute(insert(actions).values({**old, "id": new, "row": heir}))
        for table in (action_events, action_children):
            self.connection.execute(update(table).where(table.c.action == action.id).values(action=new))
        self.connection.execute(delete(actions).where(actions.c.id == action.id))
        self.renamed[action.id] = new

    def heir(self, action: KeptAction) -> str | None:
        """The sibling's row that says the same."""
        latest = latest_revision(self.connection, action.sheet)
        if latest is None:
            return None
        rows = latest.values.get("children")
        said: dict[str, Answers] = {identity: row for identity, row in zip(latest.rows.get("children", ()), rows if isinstance(rows, list) else (), strict=False) if isinstance(row, dict)}
        own = said.get(action.row)
        others = {f"c{child}" for child in action.children if child != self.found.child.key}
        same = sorted(identity for identity, row in said.items() if own and self.found.share(identity) == "" and _same_text(own, row) and (identity in others or "." in identity))
        return next((identity for identity in same if identity in others), same[0] if same else None)

    # ------------------------------------------------------------ the child itself

    def blank_child(self) -> None:
        key, name = self.found.child.key, pseudonym(self.found.child.key)
        gone = {"child_id": name, "name": name, "birth_date": None, "family_id": "", "home_language": "", "interpreter": False, "iep_ifsp": False, "erased": True}
        self.connection.execute(update(children).where(children.c.id == key).values(**gone))
        self.connection.execute(update(enrolments).where(enrolments.c.child == key).values(reason="", home=""))
        self.connection.execute(update(consents).where(consents.c.child == key).values(data={}))
        self.connection.execute(update(monitoring).where(subject_is(key, self.found.child.child_id)).values(subject=f"child:{key}"))
        self.connection.execute(delete(action_events).where(action_events.c.action.in_(self.found.alone)))
        self.connection.execute(update(actions).where(actions.c.id.in_(self.found.alone)).values(facts={}, open=False))
        for action in self.found.shared:
            gone_from = (action_children.c.action == self.renamed.get(action, action), action_children.c.child == key)
            self.connection.execute(delete(action_children).where(*gone_from))
        named = [row.id for row in self.connection.execute(select(returns.c.id, returns.c.file, returns.c.file_name)) if row.file in self.files or plain(self.found.child.name) in plain(row.file_name)]
        self.connection.execute(update(returns).where(returns.c.id.in_(named)).values(file_name=""))


def _trimmed(value: Any) -> Any:
    """Rows without the empty ones at their end: as records are kept."""
    if isinstance(value, list):
        while value and value[-1] == {}:
            value.pop()
    return value


def _unsaid(row: Row[Any], gone: Mapping[tuple[str, int], bool]) -> dict[str, Any]:
    """What could not be understood in a return, and what was wrong with it, without the child's rows."""

    def stays(key: str) -> bool:
        group, _, rest = key.partition("-")
        number, _, name = rest.partition("-")
        is_own = gone.get((group, int(number))) if number.isdecimal() else None
        return is_own is None or (not is_own and name not in _NAMED)

    return {"raw": {key: text for key, text in (row.raw or {}).items() if stays(key)}, "problems": [entry for entry in row.problems if stays(entry[1])]}


def _same_text(one: Answers, other: Answers) -> bool:
    return all(plain(str(one.get(name) or "")) == plain(str(other.get(name) or "")) for name in _SAME)


# ---------------------------------------------------------------- what is left


def mentions(office: Office, name: str, child_id: str, units: frozenset[int]) -> tuple[Mention, ...]:
    """Every place that names somebody: the whole name and the id anywhere, a given name on the papers of these units."""
    with office.store.reading() as connection:
        beside = {spell.child for spell in read_enrolments(connection) if spell.unit in units}
        people = read_children(connection)
        known = {plain(child.name) for child in people.values()}
        others = {plain(child.name) for key, child in people.items() if key in beside}
        here = set(connection.scalars(select(sheets.c.id).where(sheets.c.unit_id.in_(units))))
        search = _Search(name=plain(name), has_namesake=plain(name) in known, child_id=plain(child_id), given=frozenset(plain(name).split()) - {part for other in others for part in other.split()}, here=here)
        found = {mention for table in metadata.sorted_tables for mention in search.table(connection, table)}
        unread = connection.scalars(select(returns.c.id).join(files).where(returns.c.form.is_(None), files.c.state == "kept"))
        return tuple(sorted([*found, *(Mention(place=f"return {number}", what="unread") for number in unread)], key=lambda one: (one.place, one.what)))


@dataclass(frozen=True, slots=True, kw_only=True)
class _Search:
    """What is looked for."""

    name: str
    has_namesake: bool
    child_id: str
    given: frozenset[str]
    here: set[int]

    def table(self, connection: Connection, table: Table) -> Iterator[Mention]:
        """The places of a table."""
        for row in connection.execute(select(table), execution_options={"yield_per": 200}).mappings():
            sheet = row.get("sheet_id")
            is_here = sheet in self.here or ("sheet_id" in table.c and sheet is None)
            leaves = [(name, *leaf) for name, value in row.items() for leaf in _leaves(value)]
            said = {(f"{name}{path}", what) for name, path, text in leaves if (what := self.what(text, name=f"{name}{path}", is_here=is_here))}
            if said:
                place = f"{table.name} {'.'.join(str(row[key.name]) for key in table.primary_key)}" + (f" ({said_sheet(connection, sheet)})" if sheet is not None else "")
                yield from (Mention(place=f"{place}: {leaf}", what=what) for leaf, what in said)

    def what(self, text: str, *, name: str, is_here: bool) -> str:
        """What of the child a text holds."""
        words = text.casefold() if text.isascii() else plain(text)
        if self.name in words:
            return "" if self.has_namesake and words == self.name and name.endswith("name") else "name"
        tokens = set(re.findall(r"\w[\w-]*", words))
        if self.child_id in (tokens if len(self.child_id) >= _LEAST_ID else {words} if name.endswith("child_id") else ()):
            return "id"
        parts = tokens | {part for token in tokens for part in token.split("-")}
        return "part of the name" if is_here and any(len(part) >= _LEAST_NAME and part in parts for part in self.given) else ""


def _leaves(value: Any, path: str = "") -> Iterator[tuple[str, str]]:
    """Every text in a JSON value, with its path."""
    if isinstance(value, str):
        yield path, value
    elif isinstance(value, Mapping):
        for name, inner in value.items():
            yield from _leaves(inner, f"{path}/{name}")
            yield from _leaves(name, f"{path}/")
    elif isinstance(value, list | tuple):
        for number, inner in enumerate(value):
            yield from _leaves(inner, f"{path}/{number}")


def _compact(store: Store) -> bool:
    """Have the database give up the room where the data stood, if nobody else is at work."""
    if store.engine.dialect.name != "sqlite":
        return False  # PostgreSQL overwrites it in its own time
    with closing(sqlite3.connect(str(store.engine.url.database), timeout=2)) as connection, suppress(sqlite3.OperationalError):
        connection.execute("VACUUM")
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        return True
    return False
