"""Where one child stands in the papers: in rows of its own, in rows that people typed, in actions it shares with siblings."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Final, Literal

from sqlalchemy import Connection, Row, select

from formsvc.casework.cells import row_identities
from formsvc.casework.followup import action_of
from formsvc.errors import Refused
from formsvc.model.form import FormId
from formsvc.model.kinds import LongText
from formsvc.model.record import Row as Answers
from formsvc.model.record import Values
from formsvc.model.values import plain
from formsvc.office.office import Office
from formsvc.store.followup import KeptAction, read_actions
from formsvc.store.papers import Rows
from formsvc.store.roster import Child, read_children, read_enrolments
from formsvc.store.schema import children, documents, returns, revisions

Kind = Literal["document", "return", "revision"]
Share = Literal["own", "shared", ""]
"""Whether a row is about the child alone, about it and others, or about others."""
JOINED: Final = " + "
"""Between the names of children who share an action."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Paper:
    """Rows with their identities: a document as issued, a return's answers, a revision."""

    kind: Kind
    row: Row[Any]
    sheet: int | None
    values: Values
    rows: Rows

    def entries(self) -> Iterator[tuple[str, int, str, Answers]]:
        """The rows that say something: group, place, identity, answers."""
        for group, identities in self.rows.items():
            rows = self.values.get(group)
            for number, row in enumerate(rows if isinstance(rows, list) else ()):
                if isinstance(row, dict) and row and number < len(identities):
                    yield group, number, identities[number], row


@dataclass(frozen=True, slots=True, kw_only=True)
class About:
    """How the papers tell that a row is about a child."""

    child: Child
    alone: Mapping[str, KeptAction] = field(default_factory=dict)
    """Its actions, by id."""
    shared: Mapping[str, KeptAction] = field(default_factory=dict)
    """The actions it shares with siblings."""
    typed: frozenset[str] = frozenset()
    """Rows that people added for it."""
    texts: frozenset[str] = frozenset()
    """What was written in its own rows and not in its siblings': a shared action may have taken it over."""

    def share(self, identity: str) -> Share:
        """Whom a row is about."""
        if identity == f"c{self.child.key}" or identity in self.typed:
            return "own"
        if identity.startswith("a"):
            return "own" if identity[1:] in self.alone else "shared" if identity[1:] in self.shared else ""
        return ""

    def found(self, paper: Paper) -> Iterator[tuple[str, int, str, Answers, Share]]:
        """The rows of a paper that are about the child."""
        for group, number, identity, row in paper.entries():
            if share := self.share(identity):
                yield group, number, identity, row, share

    def parted(self, row: Answers, *, keep: bool) -> Answers:
        """A shared row with only this child's name and id in it, or with only the others'."""
        own = {"child_name": plain(self.child.name), "child_id": plain(self.child.child_id)}
        names = {name: JOINED.join(part for part in str(row[name]).split(JOINED) if (plain(part) == own[name]) == keep) for name in own if name in row}
        return {name: value for name, value in (row | names).items() if keep or value not in self.texts}


def find_child(connection: Connection, child_id: str) -> Child:
    """The child with that id; refuses one that is not here, or was erased."""
    key = connection.scalar(select(children.c.id).where(children.c.child_id == child_id, ~children.c.erased))
    if key is None:
        raise Refused("child-unknown", child_id)
    return read_children(connection, [key])[key]


def find_erased(connection: Connection, name: str) -> Child | None:
    """A child that was erased, by its pseudonym."""
    row = connection.execute(select(children).where(children.c.child_id == name, children.c.erased)).first()
    return Child(key=row.id, child_id=name, name=name, birth_date=None, family_id="", home_language="", interpreter=False, iep_ifsp=False) if row else None


def about(office: Office, connection: Connection, child: Child) -> About:
    """How to tell a child's rows; every paper is read."""
    actions = {action.id: action for action in read_actions(connection, children=[child.key])}
    alone = {action.id: action for action in actions.values() if action.children == (child.key,)}
    is_named = _named(connection, child)
    typed = {action.row for action in alone.values() if "." in action.row}
    born = set()
    for paper in read_papers(office, connection):
        added = {identity for _, _, identity, row in paper.entries() if "." in identity and is_named(row)}
        typed |= added
        born |= {action_of(paper.sheet, identity) for identity in added if paper.sheet is not None}
    alone |= {action.id: action for action in read_actions(connection, ids=sorted(born)) if not action.children}
    found = About(child=child, alone=alone, shared={name: action for name, action in actions.items() if name not in alone}, typed=frozenset(typed))
    return replace(found, texts=_texts(office, connection, found)) if found.shared else found


def _texts(office: Office, connection: Connection, found: About) -> frozenset[str]:
    """The long texts of the child's own rows, without those that stand in a sibling's row or are a shared action."""
    long = {ask.name for form in office.catalog.forms() for group in form.groups for ask in group.asks if isinstance(ask.kind, LongText)}
    siblings = {f"c{child}" for action in found.shared.values() for child in action.children} - {f"c{found.child.key}"}
    own: set[str] = set()
    others = {str(action.facts.get("follow_up_action", "")) for action in found.shared.values()}
    for paper in read_papers(office, connection):
        for _, _, identity, row in paper.entries():
            texts = {value for name, value in row.items() if name in long and isinstance(value, str)}
            if found.share(identity) == "own":
                own |= texts
            elif identity in siblings:
                others |= texts
    return frozenset(own - others)


def _named(connection: Connection, child: Child) -> Callable[[Answers], bool]:
    """Whether a row that people added names the child: by its id, or by a name that only this child of its units has."""
    spells = read_enrolments(connection)
    units = {spell.unit for spell in spells if spell.child == child.key}
    beside = {spell.child for spell in spells if spell.unit in units} - {child.key}
    is_alone = not any(plain(other.name) == plain(child.name) for other in read_children(connection).values() if other.key in beside)

    def is_named(row: Answers) -> bool:
        name, number = plain(str(row.get("child_name", ""))), plain(str(row.get("child_id", "")))
        return number == plain(child.child_id) if number else is_alone and name == plain(child.name)

    return is_named


def read_papers(office: Office, connection: Connection) -> Iterator[Paper]:
    """Every document, return and revision, one after the other."""
    options = {"yield_per": 100}
    issued: dict[str, Rows] = {}
    for row in connection.execute(select(documents).order_by(documents.c.id), execution_options=options):
        issued[row.id] = row.rows
        yield Paper(kind="document", row=row, sheet=row.sheet_id, values=row.snapshot, rows=row.rows)
    for row in connection.execute(select(returns).order_by(returns.c.id), execution_options=options):
        if row.values:
            yield Paper(kind="return", row=row, sheet=row.sheet_id, values=row.values, rows=_returned(office, row, issued))
    for row in connection.execute(select(revisions).order_by(revisions.c.sheet_id, revisions.c.number), execution_options=options):
        yield Paper(kind="revision", row=row, sheet=row.sheet_id, values=row.values, rows=row.rows)


def _returned(office: Office, row: Row[Any], issued: Mapping[str, Rows]) -> Rows:
    """The row identities of a return; those of a stray one are its own, as if people had added every row."""
    form = office.catalog.form(FormId(name=row.form, version=row.version))
    if row.document in issued:
        return row_identities(form, row.document, issued[row.document], row.values)
    return {group.name: tuple(f"return{row.id}.{number}" for number in range(group.maximum)) for group in form.groups}
