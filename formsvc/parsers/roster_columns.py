"""Which column of a roster is what: by its header in English or Spanish, by its content, or as a person says."""

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from typing import Final

from formsvc.errors import Refused
from formsvc.model.values import plain
from formsvc.parsers.tables import Row, Table, day_of


@dataclass(frozen=True, slots=True, kw_only=True)
class Column:
    """One column of the file, and the field it is taken for; `sure` is False where a person should confirm."""

    header: str
    letter: str
    """As spreadsheets show it: A, B … Z, AA."""
    field: str | None = None
    sure: bool = False


Places = Mapping[str, tuple[int, ...]]
"""The columns of each field, counted from 0."""

DATES: Final = ("birth_date", "enrolled_on", "left_on", "unit_start")
STAFF: Final = ("educator", "fsw", "health", "home_educator", "specialist", "provider")
_MANY: Final = (*STAFF, "iep_ifsp")  # two columns “IEP” and “IFSP”, or two teachers, all count
_UNITS: Final = ("unit", "home_educator", "specialist", "educator")
"""A home-base educator's or specialist's name is the name of the unit where no other is given."""

# Headers that say it all. Compared by their letters only, so that BirthDate, birth_date and Birth Date are one.
_SAYS: Final[Mapping[str, str]] = {
    "child_id": "child id|participant id|child plus id|copa id|client id|student id|person id|child number|child no|participant number|participant no|child id number|participant id number|child identifier|unique id|id del nino|id del nino a|id nino|numero del nino|identificacion del nino|id del participante|id participante",
    "child_name": "child name|participant name|student name|client name|child full name|full name|name of child|child|participant|participant full name|nombre del nino|nombre del nino a|nombre de la nina|nombre completo|nombre y apellido|nombre y apellidos|nombre del participante|nino|nina|nino a",
    "first_name": "first name|child first name|participant first name|student first name|client first name|given name|first|fname|nombre de pila|primer nombre|nombres|nombres del nino",
    "last_name": "last name|child last name|participant last name|student last name|client last name|surname|child surname|last|lname|apellido|apellidos|apellido del nino|apellidos del nino",
    "site": "site|center|centre|site center|center site|site name|center name|site or center|centro|sitio|centro sitio|nombre del centro|sede|plantel",
    "unit": "classroom|class|class room|room|classroom name|class name|current classroom|unit|caseload|class group|class or caseload|salon|aula|clase|salon de clase|salon de clases|classroom caseload",
    "option": "program option|program model|program option model|option|program type|service option|service model|opcion|opcion del programa|modelo del programa|tipo de programa",
    "program": "program|programa|program name",
    "home": "fcc home|fcch home|family child care home|fcch|provider home|home provider|hogar de cuidado infantil|hogar de cuidado",
    "birth_date": "dob|birth date|date of birth|birthday|child dob|child birth date|child date of birth|participant dob|participant birth date|born|born on|fecha de nacimiento|fecha nacimiento|nacimiento|fecha nac",
    "enrolled_on": "enrollment date|enrolment date|entry date|date enrolled|enrolled on|enrolled date|date of enrollment|date of entry|enrollment start date|class entry date|classroom entry date|actual entry date|admission date|date entered|fecha de inscripcion|fecha de ingreso|fecha de entrada|fecha de matricula",
    "left_on": "termination date|term date|exit date|drop date|withdrawal date|date withdrawn|date dropped|date terminated|date left|left on|last day|last day of enrollment|drop out date|dropped on|enrollment end date|exited on|withdrawn on|fecha de salida|fecha de baja|fecha de retiro|fecha de terminacion|ultimo dia",
    "left_reason": "drop reason|termination reason|exit reason|withdrawal reason|reason for leaving|leave reason|left reason|reason left|reason for withdrawal|term reason|drop out reason|reason dropped|reason terminated|motivo de salida|motivo de baja|razon de salida|motivo de retiro",
    "status": "enrollment status|enrolment status|participant status|child status|estado de inscripcion",
    "family_id": "family id|family number|family no|household id|household number|family code|id de familia|id de la familia|id familia|numero de familia",
    "home_language": "primary language|home language|language|language at home|language spoken at home|primary home language|primary language at home|child primary language|family language|family primary language|dominant language|idioma|idioma del hogar|idioma principal|idioma primario|idioma en casa|lengua materna",
    "interpreter": "interpreter|interpreter needed|needs interpreter|interpreter required|interpretation needed|translator needed|interprete|necesita interprete|requiere interprete",
    "iep_ifsp": "iep ifsp|ifsp iep|iep|ifsp|iep or ifsp|has iep|has ifsp|has iep ifsp|iep ifsp status|iep status|ifsp status|active iep|current iep",
    "unit_start": "class start date|classroom start date|first day of class|class start|class begins|class begin date|classroom start|first day of school|inicio de clases|fecha de inicio de clases|primer dia de clases",
    "educator": "teacher|lead teacher|educator|master teacher|educator master teacher|teacher name|classroom teacher|primary teacher|head teacher|teacher one|teacher two|maestra|maestro|maestra o|maestro a|educadora|educador|maestra principal",
    "fsw": "family advocate|fsw|family service worker|family services worker|family advocate fsw|fsw family advocate|family worker|family support worker|family service advocate|family engagement specialist|family partner|advocate|trabajadora de servicios familiares|trabajador de servicios familiares|promotora",
    "health": "health staff|health specialist|health advocate|health worker|health coordinator|nurse|enfermera|personal de salud",
    "home_educator": "home visitor|home base educator|home based educator|home educator|home base teacher|home based teacher|home visitor name|visitadora|visitadora del hogar|educadora en el hogar|educador en el hogar",
    "specialist": "fcc specialist|fcch specialist|family child care specialist|child care specialist|especialista de hogares",
    "provider": "fcc provider|fcch provider|family child care provider|child care provider|proveedora del hogar|proveedor del hogar",
}  # fmt: skip
# Headers that may mean something else as well: taken if nothing better is there, and asked about.
_HINTS: Final[Mapping[str, str]] = {
    "child_id": "id|number|no|id number|identificacion|numero",
    "child_name": "name|nombre|student|client",
    "site": "location|school|facility|campus|building|escuela|lugar",
    "unit": "group|section|grupo",
    "option": "model|modelo",
    "home": "home|hogar|casa|fcc",
    "enrolled_on": "start date|enrolled|entry|first day|first day attended|first date attended|inscripcion|ingreso|fecha de inicio",
    "left_on": "end date|exit|dropped|last day attended|last date attended|baja|salida",
    "left_reason": "reason|motivo|razon",
    "status": "status|current status|estado|estatus",
    "family_id": "family|household|familia",
    "iep_ifsp": "disability|disabilities|discapacidad",
    "interpreter": "translator|traductor",
    "fsw": "case manager|case worker",
    "health": "health|salud",
    "specialist": "specialist|especialista",
    "provider": "provider|proveedora|proveedor",
}
# Words that together make a guess, whatever else the header says.
_WORDS: Final[tuple[tuple[str, str], ...]] = (
    ("birth_date", "birth"), ("birth_date", "dob"), ("birth_date", "nacimiento"),
    ("left_reason", "reason"), ("left_reason", "motivo"),
    ("left_on", "termination date"), ("left_on", "exit date"), ("left_on", "drop date"), ("left_on", "withdrawal date"), ("left_on", "fecha salida"), ("left_on", "fecha baja"),
    ("unit_start", "class start"), ("unit_start", "classroom start"), ("unit_start", "inicio clases"),
    ("enrolled_on", "enrollment date"), ("enrolled_on", "entry date"), ("enrolled_on", "fecha inscripcion"), ("enrolled_on", "fecha ingreso"),
    ("last_name", "last name"), ("last_name", "apellido"), ("last_name", "apellidos"), ("first_name", "first name"),
    ("child_id", "child id"), ("child_id", "participant id"), ("child_id", "student id"), ("family_id", "family id"),
    ("child_name", "child name"), ("child_name", "participant name"), ("child_name", "nombre nino"),
    ("home_educator", "home visitor"), ("home_educator", "home educator"), ("fsw", "family advocate"), ("fsw", "fsw"),
    ("specialist", "fcc specialist"), ("provider", "fcc provider"), ("educator", "teacher"), ("educator", "maestra"),
    ("home_language", "language"), ("home_language", "idioma"), ("interpreter", "interpreter"), ("interpreter", "interprete"),
    ("iep_ifsp", "iep"), ("iep_ifsp", "ifsp"), ("option", "program option"), ("option", "program model"),
    ("unit", "classroom"), ("unit", "salon"), ("site", "site"), ("site", "center"), ("site", "centro"),
)  # fmt: skip
_OTHERS: Final = frozenset(
    [
        "parent",
        "guardian",
        "mother",
        "father",
        "adult",
        "caregiver",
        "madre",
        "padre",
        "tutor",
        "tutora",
        "emergency",
        "contact",
        "sibling",
        "phone",
        "telephone",
        "telefono",
        "email",
        "mail",
        "address",
        "direccion",
        "zip",
        "city",
        "state",
        "county",
        "age",
        "edad",
        "assistant",
        "aide",
        "previous",
        "prior",
        "former",
        "expected",
        "projected",
        "days",
        "hours",
        "count",
        "medical",
        "dental",
        "doctor",
        "insurance",
        "middle",
        "preferred",
        "nick",
    ]
)
"""Words of a header that is about somebody or something else."""

FIELDS: Final[tuple[str, ...]] = tuple(_SAYS)


def _words(header: str) -> list[str]:
    """The words of a header: no case, accents, signs or possessives; BirthDate is two words."""
    spaced = re.sub(r"(?<=[a-z])(?=[A-Z])", " ", header).replace("#", " number ").replace(".", "")
    return re.findall(r"[a-z]+|\d+", re.sub(r"['’]s\b|['’]", "", plain(spaced)))


def letters_of(header: str) -> str:
    """A header as it is compared: its letters and digits only."""
    return "".join(_words(header))


_CERTAIN, _HINTED, _GUESSED = range(3)


def _listed(table: Mapping[str, str]) -> dict[str, str]:
    return {phrase.replace(" ", ""): field for field, phrases in table.items() for phrase in phrases.split("|")}


_SAYS_LETTERS: Final = _listed(_SAYS)
_HINTS_LETTERS: Final = _listed(_HINTS)


def _meaning(header: str) -> tuple[str, int] | None:
    """The field a header speaks of, and how certainly."""
    words = _words(header)
    letters = "".join(words)
    bare = letters.rstrip("0123456789")  # “Teacher 2”
    if field := _SAYS_LETTERS.get(letters) or _SAYS_LETTERS.get(bare if bare != letters else ""):
        return field, _CERTAIN
    if field := _HINTS_LETTERS.get(letters):
        return field, _HINTED
    guess = None if _OTHERS & set(words) else next((field for field, needed in _WORDS if set(needed.split()) <= set(words) and _plausible(field, words)), None)
    return (guess, _GUESSED) if guess else None


def _plausible(field: str, words: Sequence[str]) -> bool:
    """A header with “id” or “date” in it is an id or a date, not a classroom."""
    is_date, is_id = not {"date", "fecha"}.isdisjoint(words), not {"id", "code", "number", "codigo"}.isdisjoint(words)
    return (not is_date or field in DATES) and (not is_id or field.endswith("_id"))


# ---------------------------------------------------------------- header line

_SEARCHED: Final = 60
_LEAST_NAMED: Final = 2


def find_header(table: Table, mapping: Mapping[str, str]) -> int | None:
    """The place among the rows of the line that names the columns: titles stand above it, children below."""
    wanted = {letters_of(header) for header in mapping.values()} - {""}
    scores = [_score(cells, wanted) for _, cells in table.rows[:_SEARCHED]]
    best = max(scores, default=0)
    return scores.index(best) if best >= _LEAST_NAMED else None


def _score(headers: Sequence[str], wanted: set[str]) -> int:
    """How many fields a line names; what a person has chosen counts most."""
    fields = {meaning[0] for header in headers if header and (meaning := _meaning(header))}
    return len(fields) + 3 * len(wanted & {letters_of(header) for header in headers})


# ---------------------------------------------------------------- columns


def find_columns(headers: Sequence[str], rows: Sequence[Row], mapping: Mapping[str, str], name: str) -> tuple[Column, ...]:
    """Every column with its field: chosen by a person, told by its header, or guessed by what stands in it."""
    blank = tuple(Column(header=header, letter=_letter(number)) for number, header in enumerate(headers))
    chosen = {field: _chosen(blank, field, header, name) for field, header in mapping.items() if header}
    if len(set(chosen.values())) < len(chosen):
        raise Refused("roster-map-twice", name)
    refused = {field for field, header in mapping.items() if not header}  # `--map field=`: no column is that
    columns = _with(blank, {place: (field, True) for field, place in chosen.items()})
    columns = _with(columns, _told(columns, refused))
    columns = _with(columns, _settled_names(columns, chosen))
    return _with(columns, _by_content(columns, rows, refused))


def places_of(columns: Sequence[Column]) -> Places:
    """The columns of each field."""
    fields = {column.field for column in columns if column.field}
    return {field: tuple(place for place, column in enumerate(columns) if column.field == field) for field in fields}


def missing_fields(places: Places) -> tuple[str, ...]:
    """What a roster cannot do without and nobody has found."""
    has_name = "child_name" in places or ("first_name" in places and "last_name" in places)
    found = {"child_id": "child_id" in places, "child_name": has_name, "site": "site" in places, "unit": any(field in places for field in _UNITS)}
    return tuple(field for field, there in found.items() if not there)


def _with(columns: tuple[Column, ...], fields: Mapping[int, tuple[str | None, bool]]) -> tuple[Column, ...]:
    return tuple(replace(column, field=fields[place][0], sure=fields[place][1]) if place in fields else column for place, column in enumerate(columns))


def _letter(number: int) -> str:
    letters = ""
    while number >= 0:
        letters = chr(ord("A") + number % 26) + letters
        number = number // 26 - 1
    return letters


def _chosen(columns: Sequence[Column], field: str, header: str, name: str) -> int:
    """The column a person means by a header, or by its letter where no header reads like that."""
    if field not in FIELDS:
        raise Refused("roster-map-field", name, field=field, known=", ".join(FIELDS))
    wanted = letters_of(header)
    places = [place for place, column in enumerate(columns) if wanted and letters_of(column.header) == wanted]
    places = places or [place for place, column in enumerate(columns) if column.letter == header.strip().upper()]
    if len(places) > 1:
        raise Refused("roster-map-unclear", name, field=field, letters=" or ".join(columns[place].letter for place in places))
    if not places:
        raise Refused("roster-map-header", name, field=field, columns=listing(columns))
    return places[0]


def listing(columns: Sequence[Column]) -> str:
    """The headers of a file, for a person who must choose."""
    return ", ".join(f"{column.letter} “{column.header}”" for column in columns if column.header) or "none"


def _told(columns: Sequence[Column], refused: set[str]) -> dict[int, tuple[str | None, bool]]:
    """Fields by headers; of several columns for one field the first of the most certain, which is then not sure."""
    taken = {column.field for column in columns}
    meanings = {place: meaning for place, column in enumerate(columns) if not column.field and (meaning := _meaning(column.header))}
    told: dict[int, tuple[str | None, bool]] = {}
    for field in {field for field, _ in meanings.values()} - taken - refused:
        best = min(certainty for named, certainty in meanings.values() if named == field)
        places = [place for place, meaning in meanings.items() if meaning == (field, best)]
        sure = best == _CERTAIN and (len(places) == 1 or field in _MANY)
        told |= dict.fromkeys(places if field in _MANY else places[:1], (field, sure))
    return told


def _settled_names(columns: Sequence[Column], chosen: Mapping[str, int]) -> dict[int, tuple[str | None, bool]]:
    """One way to the child's name: first and last name, or one column; “Nombre” beside “Apellidos” is the first name."""
    places = places_of(columns)
    parts = [places[field][0] for field in ("first_name", "last_name") if field in places]
    if "child_name" not in places or not parts:
        return {}
    whole = places["child_name"][0]
    if "child_name" in chosen:
        return dict.fromkeys(parts, (None, False))
    if len(parts) > 1:
        return {whole: (None, False)}
    if "last_name" in places and _meaning(columns[whole].header) == ("child_name", _HINTED):
        return {whole: ("first_name", False)}
    return {parts[0]: (None, False)}


# ---------------------------------------------------------------- content

_SAMPLE: Final = 200
_MOST: Final = 0.9
_YEAR: Final = 365


def _by_content(columns: Sequence[Column], rows: Sequence[Row], refused: set[str]) -> dict[int, tuple[str | None, bool]]:
    """Guesses for columns whose headers say nothing, only where one column alone can be meant."""
    places, sample = places_of(columns), [cells for _, cells in rows[:_SAMPLE]]
    free = {place: found for place, column in enumerate(columns) if not column.field and not _meaning(column.header) and (found := _cells_of(sample, place))}
    guesses: dict[int, tuple[str | None, bool]] = {}
    for field, looks in _LOOKS.items():
        if field in places or field in refused or (field == "child_name" and "last_name" in places):
            continue
        alike = [place for place, cells in free.items() if place not in guesses and len(cells) >= len(sample) * _MOST and looks(cells)]
        if len(alike) == 1:
            guesses[alike[0]] = (field, False)
    return guesses


def _cells_of(sample: Sequence[Sequence[str]], place: int) -> list[str]:
    return [cells[place] for cells in sample if place < len(cells) and cells[place]]


def _share(cells: Sequence[str], fits: Callable[[str], object]) -> bool:
    return sum(bool(fits(cell)) for cell in cells) >= len(cells) * _MOST


def _days(cells: Sequence[str]) -> list[date]:
    return sorted(day for cell in cells if isinstance(day := day_of(cell), date))


def _looks_like_birth_dates(cells: Sequence[str]) -> bool:
    """Children of a program are born over several years; they are enrolled within few months."""
    days = _days(cells)
    return len(days) >= max(2, len(cells) * _MOST) and (days[-1] - days[0]).days > _YEAR


def _looks_like_enrolments(cells: Sequence[str]) -> bool:
    days = _days(cells)
    return len(days) >= max(2, len(cells) * _MOST) and (days[-1] - days[0]).days <= _YEAR


def _looks_like_ids(cells: Sequence[str]) -> bool:
    is_different = len(set(cells)) == len(cells) > 1
    return is_different and not _days(cells) and _share(cells, lambda cell: re.fullmatch(r"[A-Za-z]{0,5}[-_ ]?\d[\d-]*", cell))


def _looks_like_names(cells: Sequence[str]) -> bool:
    different = len(set(cells))
    return different > len(cells) * 0.7 and _share(cells, lambda cell: re.fullmatch(r"[^\W\d][^\d,]*, ?[^\W\d][^\d,]*", cell))


_LOOKS: Final[Mapping[str, Callable[[Sequence[str]], bool]]] = {
    "child_id": _looks_like_ids,
    "child_name": _looks_like_names,
    "birth_date": _looks_like_birth_dates,
    "enrolled_on": _looks_like_enrolments,
}


def without_repeated_header(headers: Sequence[str], rows: Sequence[Row]) -> tuple[Row, ...]:
    """The rows without the lines that repeat the header, as prints do on each page."""
    wanted = [header for header in headers if header]
    return tuple((line, cells) for line, cells in rows if cells[0] not in headers or [cell for cell in cells if cell] != wanted)
