"""Who may open what: every route says what it needs when it is made; one that says nothing opens to nobody.

Something that is not this person's looks exactly like something that is not there.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final, Literal, NoReturn, TypeVar, cast

from flask import Blueprint, abort, g
from flask.typing import ResponseReturnValue

from formsvc.model.people import Person, Right
from formsvc.model.scopes import Scope
from formsvc.office.office import Office
from formsvc.office.people import Session
from formsvc.store.jobs import Job
from formsvc.store.papers import Document, Return, Sheet, find_document, read_return, read_sheets
from formsvc.store.people import cases_of
from formsvc.store.roster import Unit, read_units

View = TypeVar("View", bound=Callable[..., ResponseReturnValue])
Needs = Right | Scope | Literal["nothing", "half", "session", "token"]
"""`nothing`: open to everybody; `half`: the second factor may be missing; `session`: anybody who is signed in.

Routes of the API need a scope of the program's token, or `token`: any that counts.
"""

_NEEDS: dict[str, Needs] = {"static": "nothing"}
MOST: Final = 2_147_483_647
"""The greatest number of anything; databases count no further."""
NEEDS: Final[Mapping[str, Needs]] = _NEEDS
"""What each endpoint needs."""


def page(blueprint: Blueprint, rule: str, needs: Needs, methods: Sequence[str] = ("GET",)) -> Callable[[View], View]:
    """Make a view the answer to a rule, for those who may."""

    def register(view: View) -> View:
        name = view.__name__
        _NEEDS[f"{blueprint.name}.{name}"] = needs
        blueprint.add_url_rule(rule, endpoint=name, view_func=view, methods=list(methods))
        return view

    return register


def list_route(endpoint: str, needs: Needs) -> None:
    """Say what a route needs that was not made with `page`: those of the API."""
    _NEEDS[endpoint] = needs


# ---------------------------------------------------------------- who is at work


def office() -> Office:
    """The installation, with this person's name for its logs."""
    return cast("Office", g.office)


def me() -> Person:
    """Who is signed in, or whom a program acts for."""
    acting = cast("Person | None", g.get("acting"))
    return acting if acting is not None else session().person


def session() -> Session:
    """The session of this request; nobody is signed in: not found."""
    found = cast("Session | None", g.get("session"))
    if found is None:
        missing()
    return found


def missing() -> NoReturn:
    """What is not there, and what is not this person's."""
    abort(404)


def is_beyond(parts: Mapping[str, object] | None) -> bool:
    """Whether an address has a number that nothing can have."""
    return any(isinstance(part, int) and part > MOST for part in (parts or {}).values())


# ---------------------------------------------------------------- what is this person's


def my_units() -> tuple[Unit, ...]:
    """The units whose papers this person sees."""
    with office().store.reading() as connection:
        return tuple(unit for unit in read_units(connection) if me().sees(unit.id))


def my_unit(key: int) -> Unit:
    """A unit of this person's."""
    with office().store.reading() as connection:
        found = read_units(connection, key=key)
    if not found or not me().sees(key):
        missing()
    return found[0]


def my_sheet(key: int) -> Sheet:
    """A sheet of one of this person's units."""
    with office().store.reading() as connection:
        found = read_sheets(connection, id=key)
    if not found or not me().sees(found[0].unit):
        missing()
    return found[0]


def my_document(key: str) -> Document:
    """A document of one of this person's units."""
    with office().store.reading() as connection:
        found = find_document(connection, key)
        sheets = read_sheets(connection, id=found.sheet) if found else ()
    if found is None or not me().sees(sheets[0].unit):
        missing()
    return found


def my_return(number: int) -> Return:
    """What came back to one of this person's units, or what they sent in themselves and nobody has placed."""
    with office().store.reading() as connection:
        back = read_return(connection, number)
        document = find_document(connection, back.document) if back and back.document else None
        sheet = back.sheet if back and back.sheet is not None else document.sheet if document else None
        sheets: Sequence[Any] = read_sheets(connection, id=sheet) if sheet is not None else ()
    if back is None or not _sees_return(back, sheets[0].unit if sheets else None):
        missing()
    return back


def _sees_return(back: Return, unit: int | None) -> bool:
    person = me()
    if unit is not None:
        return person.sees(unit)
    return person.may("papers") and (person.sees_every_unit or back.by == person.name)


def sees_packet(job: Job) -> bool:
    """Whether every paper in a packet is still of a unit of this person's."""
    with office().store.reading() as connection:
        sheets = read_sheets(connection, id=frozenset(job.result.get("sheets", ())))
    return all(me().sees(sheet.unit) for sheet in sheets)


def my_case(number: str) -> str:
    """A case of this person's."""
    with office().store.reading() as connection:
        if number not in cases_of(connection, me().id):
            missing()
    return number
