"""A roster file as COPA and ChildPlus export it (CSV, XLSX, XLS, ODS): one `RosterLine` per child, with its line.

A line with an error is left out and reported, and the others go on. Messages name lines and
columns, never what stands there. Call it through `parsers.sandbox.run_limited`; where a progress
bar is wanted, only `read_tables` needs the sandbox and `read_lines` may run beside the bar.
"""

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from functools import cache, lru_cache
from typing import Final

from formsvc.errors import Refused, word
from formsvc.model.roster import ProgramOption, RosterLine, StaffMember
from formsvc.model.values import Misread, plain
from formsvc.parsers.roster_columns import DATES, STAFF, Column, Places, find_columns, find_header, listing, missing_fields, places_of, without_repeated_header
from formsvc.parsers.tables import Row, Table, day_of, read_tables

OnRow = Callable[[int, int], None]


@dataclass(frozen=True, slots=True, kw_only=True)
class RowProblem:
    """Why a line was left out; `column` is its letter, or empty if the whole line is meant."""

    line: int
    column: str
    code: str
    message: str


@dataclass(frozen=True, slots=True, kw_only=True)
class RosterFile:
    """What a file says, in its order."""

    columns: tuple[Column, ...]
    lines: tuple[tuple[int, RosterLine], ...]
    problems: tuple[RowProblem, ...]
    unread: tuple[str, ...] = ()
    """Ids of children whose line was left out with an error: they are not missing from the file."""
    told: tuple[str, ...] = ()
    """Of `option`, `interpreter`, `iep_ifsp` those that every line answers, so that “no” is an answer and not an empty cell."""


def read_roster(content: bytes, name: str, mapping: Mapping[str, str] | None = None, on_row: OnRow | None = None, *, today: date | None = None) -> RosterFile:
    """The children in a file; `mapping` gives columns (header or letter) by field, an empty one for “no column”.

    Refuses (`table-…`, `roster-…`) a file that is no table, or whose needed columns are not found.
    """
    try:
        return read_lines(read_tables(content), name, mapping, on_row, today=today)
    except Refused as refused:
        raise refused.at(name) from None


def read_lines(tables: Sequence[Table], name: str, mapping: Mapping[str, str] | None = None, on_row: OnRow | None = None, *, today: date | None = None) -> RosterFile:
    """The children in the first table that names the columns of a roster."""
    columns, rows = _found(tables, name, mapping or {})
    if not rows:
        raise Refused("roster-no-rows", name)
    tomorrow = (today or datetime.now(tz=UTC).date()) + timedelta(days=1)
    # Rosters repeat themselves, so each text is read once; the memory goes with the reader, for texts are personal.
    reader = _Reader(columns=columns, places=places_of(columns), tomorrow=tomorrow, day=cache(day_of), names=cache(_names))
    outcomes: list[_Outcome] = []
    for done, (line, cells) in enumerate(rows, 1):
        if outcome := reader.read(line, cells):
            outcomes.append(outcome)
        if on_row:
            on_row(done, len(rows))
    return _file(columns, _once_each(outcomes))


def _found(tables: Sequence[Table], name: str, mapping: Mapping[str, str]) -> tuple[tuple[Column, ...], Sequence[Row]]:
    """Columns and rows of the first table with all that is needed; else says what the first with a header lacks."""
    first: Refused | None = None
    for table in tables:
        header = find_header(table, mapping)
        if header is None:
            continue
        try:
            return _columns(table, header, mapping, name)
        except Refused as refused:
            first = first or refused
    raise first or Refused("roster-no-header", name)


def _columns(table: Table, header: int, mapping: Mapping[str, str], name: str) -> tuple[tuple[Column, ...], Sequence[Row]]:
    headers = table.rows[header][1]
    rows = without_repeated_header(headers, table.rows[header + 1 :])
    columns = find_columns(headers, rows, mapping, name)
    if missing := missing_fields(places_of(columns)):
        raise Refused("roster-columns-missing", name, missing=" and ".join(_NAMES[field] for field in missing), field=missing[0], columns=listing(columns))
    return columns, rows


# ---------------------------------------------------------------- one line

_NAMES: Final = {"child_id": "child id", "child_name": "child name", "site": "site", "unit": "classroom, educator or specialist"}
_BORN_AFTER: Final = date(2000, 1, 1)


_Names = Callable[[str], tuple[str, ...]]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Fault:
    code: str
    field: str = ""
    facts: Mapping[str, object]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Outcome:
    """What became of one line: a child, or problems."""

    line: int
    child_id: str
    child: RosterLine | None = None
    silent: tuple[str, ...] = ()
    problems: tuple[RowProblem, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class _Reader:
    columns: Sequence[Column]
    places: Places
    tomorrow: date
    day: Callable[[str], date | Misread | None]
    names: _Names

    def read(self, line: int, cells: Sequence[str]) -> _Outcome | None:
        """The child of a line, or what is wrong with it; None for totals and remarks."""
        texts = self._texts(cells)
        if self._is_remark(cells, texts):
            return None
        option = _option(texts)
        days = {field: self._day(cells, field) for field in DATES}
        faults = [*self._line_faults(cells, texts, option), *_day_faults(days), *_impossible(days, self.tomorrow)]
        if faults:
            return _Outcome(line=line, child_id=_id_unless_waiting(texts, faults), problems=tuple(self._problem(line, fault) for fault in faults))
        child = _child(texts, option or "center", self.names, {field: day for field, day in days.items() if isinstance(day, date)})
        return _Outcome(line=line, child_id=child.child_id, child=child, silent=tuple(field for field in _TELLING if not texts[field]))

    def _texts(self, cells: Sequence[str]) -> dict[str, str]:
        """Each field's text, empty where there is none; several columns are joined as a list."""
        texts = dict.fromkeys(_TEXTS, "")
        for field, places in self.places.items():
            if field in texts:
                found = [text for place in places if place < len(cells) and (text := cells[place])]
                texts[field] = ";".join(found)
        return texts

    def _day(self, cells: Sequence[str], field: str) -> date | Misread | None:
        place = self.places.get(field, (len(cells),))[0]
        return self.day(cells[place]) if place < len(cells) else None

    def _line_faults(self, cells: Sequence[str], texts: Mapping[str, str], option: ProgramOption | None) -> Iterator[_Fault]:
        if any(cells[len(self.columns) :]):
            yield _fault("row-too-long", columns=len(self.columns))
        for field in _NAMES:
            if not _given(texts, field, option or "center"):
                yield _fault("row-incomplete", field if field in self.places else "", missing=_NAMES[field])
        if option is None:
            yield _fault("row-option", "option")
        if texts["status"]:
            yield from self._status_faults(cells, plain(texts["status"]))

    def _status_faults(self, cells: Sequence[str], status: str) -> Iterator[_Fault]:
        if _WAITING.fullmatch(status):
            yield _fault("row-not-enrolled", "status")
        if _GONE.fullmatch(status) and not self._day(cells, "left_on"):
            yield _fault("row-left-without-day", "status")

    def _is_remark(self, cells: Sequence[str], texts: Mapping[str, str]) -> bool:
        """Totals, group headings and footers: few words, and no child. A lone name is reported, not passed over."""
        said = [cell for cell in cells if cell]
        if len(said) > _REMARK_CELLS:
            return bool(_TOTAL.match(plain(said[0]))) and not (texts["unit"] and texts["site"])
        has_name = texts["child_name"] or texts["first_name"] or texts["last_name"]
        return not said or bool(_TOTAL.match(plain(said[0]))) or (len(said) == 1 and not has_name and (not texts["child_id"] or " " in said[0]))

    def _problem(self, line: int, fault: _Fault) -> RowProblem:
        places = self.places.get(fault.field, ())
        column = self.columns[places[0]].letter if places else ""
        return RowProblem(line=line, column=column, code=fault.code, message=word(fault.code, **fault.facts))


def _fault(code: str, field: str = "", /, **facts: object) -> _Fault:
    return _Fault(code=code, field=field, facts=facts)


_TEXTS: Final = (
    "child_id", "child_name", "first_name", "last_name", "site", "unit", "option", "program", "home", "left_reason", "status", "family_id", "home_language", "interpreter", "iep_ifsp", *STAFF,
)  # fmt: skip
_TELLING: Final = ("option", "interpreter", "iep_ifsp")
_REMARK_CELLS: Final = 3
_TOTAL: Final = re.compile(r"(grand |sub)?-?totale?s?\b|count\b|number of (children|participants)\b|report (date|run|generated)|(printed|generated|run|exported) (on|by|at)\b|page \d+|end of report")
_WAITING: Final = re.compile(r"waitlisted|waitlist|wait list|waiting list|waiting|accepted|applied|applicant|pending|eligible|not enrolled|en lista de espera|lista de espera|aceptado|aceptada")
_GONE: Final = re.compile(r"dropped|dropped out|terminated|withdrawn|exited|inactive|abandoned|left|disenrolled|archived|baja|retirado|retirada")


def _id_unless_waiting(texts: Mapping[str, str], faults: Sequence[_Fault]) -> str:
    """A child on a waiting list is known not to be enrolled; any other fault leaves it open."""
    return "" if any(fault.code == "row-not-enrolled" for fault in faults) else texts["child_id"]


def _day_faults(days: Mapping[str, date | Misread | None]) -> Iterator[_Fault]:
    for field, day in days.items():
        if isinstance(day, Misread):
            yield _fault(day.code, field)


def _impossible(days: Mapping[str, date | Misread | None], tomorrow: date) -> Iterator[_Fault]:
    """Days that cannot be; `tomorrow` may be today somewhere."""
    born, enrolled, left = (day if isinstance(day, date) else None for day in (days["birth_date"], days["enrolled_on"], days["left_on"]))
    if born and not _BORN_AFTER <= born <= tomorrow:
        yield _fault("row-birth-date", "birth_date", least=_BORN_AFTER.year)
    if born and enrolled and enrolled < born:
        yield _fault("row-enrolled-before-born", "enrolled_on")
    if enrolled and left and left < enrolled:
        yield _fault("row-left-before-enrolled", "left_on")


# ---------------------------------------------------------------- what words mean

_OPTIONS: Final[tuple[tuple[ProgramOption, re.Pattern[str]], ...]] = (  # the first that is found: “EHS Home Based” is home visits
    ("fcch", re.compile(r"\b(fcch?|family child ?care|child care homes?|hogar(es)? de cuidado|cuidado infantil familiar)\b")),
    ("home", re.compile(r"\b(home|hb|hbo|hogar|casa|visitas)\b")),
    ("early", re.compile(r"\b(early|ehs|infants?|toddlers?|temprano|bebes)\b")),
    ("center", re.compile(r"\b(center|centre|cb|hs|head start|preschool|pre k|class|classroom|centro|salon|days?|sessions?)\b")),
)
_NOES: Final = re.compile(r"no|n|none|false|0|-|n/a|na|not needed|not required|no iep|pending|referred|exited|expired|inactive|declined|ninguno|ninguna|falso")
_SUFFIXES: Final = frozenset(["jr", "sr", "ii", "iii", "iv"])
_TITLES: Final = frozenset(["rn", "lpn", "lcsw", "lsw", "msw", "phd", "edd", "md", "med", "mph", "cda", "rd", "ba", "ma", "ms", "bs"])


def _option(texts: Mapping[str, str]) -> ProgramOption | None:
    """The program option, which the program's name may make precise (“EHS”, “Center Based”); None if its word is unknown."""
    own = _read_option(texts["option"])
    if texts["option"] and not own:
        return None
    return _read_option(f"{texts['option']} {texts['program']}") or _option_by_staff(texts)


@lru_cache(256)
def _read_option(text: str) -> ProgramOption | None:
    words = re.sub(r"[^a-z0-9]+", " ", plain(text))
    return next((option for option, pattern in _OPTIONS if pattern.search(words)), None)


def _option_by_staff(texts: Mapping[str, str]) -> ProgramOption:
    if texts["specialist"] or texts["provider"] or texts["home"]:
        return "fcch"
    return "home" if texts["home_educator"] and not texts["educator"] else "center"


def _is_yes(text: str) -> bool:
    """Any mark (X, Yes, Sí, “IEP”) but a no; two columns are a yes if one of them is."""
    return any(not _NOES.fullmatch(plain(part)) for part in text.split(";") if part)


def natural_name(text: str, titles: frozenset[str] = _SUFFIXES) -> str:
    """A name as it is said: “Rivera Lopez, Ana” is Ana Rivera Lopez, and “Rivera, Ana, Jr.” Ana Rivera Jr."""
    parts = [part for one in text.split(",") if (part := one.strip())]
    tail = [parts.pop()] if len(parts) > 1 and plain(parts[-1]).replace(".", "") in titles else []
    last, *first = parts or [""]
    return " ".join([*first, last, *tail])


def _names(text: str) -> tuple[str, ...]:
    """The people in a cell of staff; a comma belongs to one name."""
    return tuple(name for part in re.split(r"[;/&]| and | y ", text) if (name := natural_name(part, _SUFFIXES | _TITLES)))


# ---------------------------------------------------------------- the child


def _given(texts: Mapping[str, str], field: str, option: ProgramOption) -> str:
    """What a line says of a needed field, wherever it says it."""
    if field == "child_name":
        return natural_name(texts["child_name"]) or " ".join(filter(None, (texts["first_name"], texts["last_name"])))
    return _unit(texts, option) if field == "unit" else texts[field]


def _unit(texts: Mapping[str, str], option: ProgramOption) -> str:
    """A family child care home belongs to its specialist; a home-base educator may have no other unit than the own name."""
    first = ("specialist", "unit") if option == "fcch" else ("unit", "home_educator", "educator", "specialist")
    name = next((field for field in first if texts[field]), "")
    return texts.get(name, "") if name in ("", "unit") else " / ".join(_names(texts[name]))


def _home(texts: Mapping[str, str], option: ProgramOption) -> str:
    if option != "fcch":
        return ""
    return texts["home"] or (texts["unit"] if texts["specialist"] else "") or " / ".join(_names(texts["provider"]))


def _staff(texts: Mapping[str, str], option: ProgramOption, names: _Names) -> tuple[StaffMember, ...]:
    """Everybody named, each once; the teacher of a home-based child is its home-base educator."""
    roles = {"educator": "home_educator"} if option == "home" else {}
    members = (StaffMember(role=roles.get(role, role), name=name) for role in STAFF if texts[role] for name in names(texts[role]))
    return tuple(dict.fromkeys(members))


def _child(texts: Mapping[str, str], option: ProgramOption, names: _Names, days: Mapping[str, date]) -> RosterLine:
    return RosterLine(
        child_id=texts["child_id"],
        child_name=_given(texts, "child_name", option),
        site=texts["site"],
        unit=_unit(texts, option),
        option=option,
        home=_home(texts, option),
        birth_date=days.get("birth_date"),
        enrolled_on=days.get("enrolled_on"),
        left_on=days.get("left_on"),
        left_reason=texts["left_reason"],
        family_id=texts["family_id"],
        home_language=texts["home_language"],
        interpreter=_is_yes(texts["interpreter"]),
        iep_ifsp=_is_yes(texts["iep_ifsp"]),
        unit_start=days.get("unit_start"),
        staff=_staff(texts, option, names),
    )


# ---------------------------------------------------------------- the same child twice


def _once_each(outcomes: Sequence[_Outcome]) -> list[_Outcome]:
    """The same, with an error for each line that contradicts an earlier one about the same child."""
    earlier: dict[str, list[_Outcome]] = {}
    return [_checked(outcome, earlier.setdefault(outcome.child_id, [])) for outcome in outcomes]


def _checked(outcome: _Outcome, earlier: list[_Outcome]) -> _Outcome:
    if outcome.child is None:
        return outcome
    for other in earlier:
        if other.child and (code := _contradiction(other.child, outcome.child)):
            problem = RowProblem(line=outcome.line, column="", code=code, message=word(code, first=other.line, second=outcome.line))
            return _Outcome(line=outcome.line, child_id=outcome.child_id, problems=(problem,))
    earlier.append(outcome)
    return outcome


def _contradiction(first: RosterLine, second: RosterLine) -> str:
    """The code of what cannot be true of one child; empty if both lines can (a child who moved or came back)."""
    if first.birth_date and second.birth_date and first.birth_date != second.birth_date:
        return "row-two-children"
    if not _overlap(first, second):
        return ""
    is_same = (plain(first.site), plain(first.unit)) == (plain(second.site), plain(second.unit))
    return "row-repeated" if is_same else "row-two-units"


def _overlap(first: RosterLine, second: RosterLine) -> bool:
    """Whether two enrolments share more than the day of the change."""
    return (first.enrolled_on or date.min) < (second.left_on or date.max) and (second.enrolled_on or date.min) < (first.left_on or date.max)


def _file(columns: tuple[Column, ...], outcomes: Sequence[_Outcome]) -> RosterFile:
    silent = {field for outcome in outcomes for field in outcome.silent}
    return RosterFile(
        columns=columns,
        lines=tuple((outcome.line, outcome.child) for outcome in outcomes if outcome.child),
        problems=tuple(problem for outcome in outcomes for problem in outcome.problems),
        unread=tuple(dict.fromkeys(outcome.child_id for outcome in outcomes if outcome.problems and outcome.child_id)),
        told=tuple(field for field in _TELLING if field not in silent),
    )
