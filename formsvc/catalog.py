"""The only reader of form_templates/: forms, the agency's profile, the pages' sources.

An agency's own folder is searched first, so it can add a form, replace a version's page or override
single lines of the profile without touching Python.
"""

import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, Final, TypeVar
from zoneinfo import available_timezones

from formsvc.errors import Refused
from formsvc.model.form import NAME, Ask, Form, FormId, Group
from formsvc.model.kinds import (
    Choice,
    Choices,
    Day,
    Kind,
    Lang,
    LongText,
    Month,
    Number,
    Option,
    Signature,
    Text,
    Tick,
    Time,
    Words,
)
from formsvc.model.procedure import STANDARD, SUBJECTS, Procedure, Window
from formsvc.model.stamp import ALPHABET
from formsvc.settings import PACKAGE

T = TypeVar("T")

KINDS: Final = ("text", "long-text", "number", "day", "time", "month", "tick", "choice", "choices", "signature")
PAPERS: Final = {"letter": "letter", "a4": "A4"}
_ROWS_MOST: Final = 1000
_DECIMALS_MOST: Final = 6
_SAID: Final[Mapping[type, str]] = {str: "a text", int: "a whole number", bool: "true or false", list: "a list", dict: "a table"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Profile:
    """What an agency prints on its papers."""

    agency: Words
    paper: str
    confidentiality: Words
    """The line on forms, which are filed."""
    letter_confidentiality: Words
    family_confidentiality: Words
    """The line on a letter to the parent or guardian and to the youth themselves."""
    references: Mapping[str, str]
    procedure: Procedure = STANDARD
    zone: str = "America/Denver"
    """The agency's time zone, for days and times on the web."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LetterTemplate:
    """A letter: its Word files by language, its words for the mail around it, and whether it may only leave protected."""

    name: str
    files: Mapping[Lang, Path]
    protected: bool
    title: Words
    subject: Words
    cover: Words | None
    """The mail's text when the letter itself travels as a protected attachment."""
    minutes: Mapping[str, int]
    sections: Mapping[str, Words]


def shipped_folder() -> Path:
    """form_templates/ as it travels with the installation: inside the wheel or beside the checkout."""
    inside = PACKAGE / "form_templates"
    return inside if inside.is_dir() else PACKAGE.parent / "form_templates"


@dataclass(frozen=True)
class Catalog:
    """The forms of some folders, the first folder winning."""

    folders: tuple[Path, ...]

    @cached_property
    def profile(self) -> Profile:
        """The shipped profile with the agency's lines laid over it."""
        merged: dict[str, Any] = {}
        files = [folder / "profile.toml" for folder in reversed(self.folders)]
        present = [file for file in files if file.is_file()]
        for file in present:
            for name, value in _toml(file).items():
                both = isinstance(value, dict) and isinstance(merged.get(name), dict)
                merged[name] = {**merged[name], **value} if both else value
        return _profile(merged, str(present[-1]) if present else "profile.toml")

    def ids(self) -> tuple[FormId, ...]:
        """Every form in every version, in order."""
        return self._ids

    @cached_property
    def _ids(self) -> tuple[FormId, ...]:
        found = {FormId(name=file.parent.parent.name, version=int(file.parent.name[1:])) for folder in self.folders for file in folder.glob("*/v*/form.toml") if file.parent.name[1:].isdecimal()}
        return tuple(sorted(found))

    def latest(self, name: str) -> FormId:
        """The newest version of a form."""
        versions = [form_id for form_id in self.ids() if form_id.name == name]
        if not versions:
            known = sorted({form_id.name for form_id in self.ids()})
            raise Refused("unknown-form", "", name=name, known=", ".join(known))
        return versions[-1]

    def form(self, form_id: FormId) -> Form:
        """One form's definition; the same object each time."""
        cached = self._forms.get(form_id)
        if cached is None:
            cached = self._forms[form_id] = read_form(self.file(form_id, "form.toml"), form_id, tuple(self._wordings(form_id)))
        return cached

    def forms(self) -> tuple[Form, ...]:
        """The newest version of every form."""
        return tuple(self.form(self.latest(name)) for name in sorted({form_id.name for form_id in self.ids()}))

    def by_code(self, code: str, version: int) -> Form | None:
        """The form that a stamp names; an agency's own before a shipped one."""
        nearest = sorted((form_id for form_id in self.ids() if form_id.version == version), key=self._folder_of)
        return next((form for form in map(self.form, nearest) if form.code == code), None)

    def _folder_of(self, form_id: FormId) -> int:
        return self.folders.index(self.file(form_id, "form.toml").parent.parent.parent)

    def file(self, form_id: FormId, name: str) -> Path:
        """A file of a form version, from the first folder that has it."""
        version = f"v{form_id.version}"
        for folder in self.folders:
            if (file := folder / form_id.name / version / name).is_file():
                return file
        known = [f"v{other.version}" for other in self.ids() if other.name == form_id.name]
        if known and version not in known:
            raise Refused("unknown-version", "", name=form_id.name, version=form_id.version, known=", ".join(known))
        raise Refused("definition-missing", f"{form_id.name}/{version}/{name}")

    def _wordings(self, form_id: FormId) -> Iterator[Path]:
        """Files that only change words of a form, the winning one last."""
        for folder in reversed(self.folders):
            if (file := folder / form_id.name / f"v{form_id.version}" / "wording.toml").is_file():
                yield file

    def letter(self, name: str) -> LetterTemplate:
        """A letter's templates; an agency's own file wins, file by file."""
        entry = _Entry(_toml(self._letter_file(name, "letter.toml")), str(self._letter_file(name, "letter.toml")))
        letter = LetterTemplate(
            name=name,
            files={"en": self._letter_file(name, "letter.docx"), "es": self._letter_file(name, "letter.es.docx")},
            protected=entry.take("protected", bool),
            title=entry.words("title"),
            subject=entry.words("subject"),
            cover=entry.words("cover") if "cover" in entry.data else None,
            minutes=entry.take("minutes", dict, {}),
            sections={key: _Entry({"text": words}, f"{entry.place}: sections.{key}").words("text") for key, words in entry.take("sections", dict, {}).items()},
        )
        entry.done()
        return letter

    def _letter_file(self, name: str, file: str) -> Path:
        found = next((path for folder in self.folders if (path := folder / name / file).is_file()), None)
        if found is None:
            raise Refused("definition-missing", f"{name}/{file}")
        return found

    def page_folders(self, form_id: FormId) -> tuple[Path, ...]:
        """Where a form's page and the shared paper macros are looked up."""
        own = [folder / form_id.name / f"v{form_id.version}" for folder in self.folders]
        return tuple(path for path in [*own, *(folder / "_paper" for folder in self.folders)] if path.is_dir())

    @cached_property
    def _forms(self) -> dict[FormId, Form]:
        return {}


# ---------------------------------------------------------------- reading TOML


def _toml(file: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(file.read_text(encoding="utf-8"))
    except tomllib.TOMLDecodeError as problem:
        raise Refused("definition-syntax", str(file), detail=problem) from problem
    except UnicodeDecodeError as problem:
        raise Refused("definition-syntax", str(file), detail=f"not UTF-8 at byte {problem.start}") from problem
    except OSError as problem:
        raise Refused("file-unreadable", str(file), detail=problem.strerror) from problem


class _Entry:
    """One table of a definition, which knows its place and refuses what it does not know."""

    def __init__(self, data: object, place: str) -> None:
        self.place = place
        if not isinstance(data, dict):
            raise self.wrong("a table is expected here")
        self.data = dict(data)

    def wrong(self, detail: str) -> Refused:
        return Refused("definition-invalid", self.place, detail=detail)

    def take(self, name: str, kind: type[T], default: T | None = None) -> T:
        value = self.data.pop(name, default)
        if value is None:
            raise self.wrong(f"“{name}” is missing")
        if not isinstance(value, kind) or (kind is int and isinstance(value, bool)):
            raise self.wrong(f"“{name}” must be {_SAID[kind]}")
        return value

    def words(self, name: str, default: Words | None = None) -> Words:
        value = self.data.pop(name, None)
        if value is None and default is not None:
            return default
        if isinstance(value, dict) and isinstance(value.get("en"), str) and isinstance(value.get("es"), str):
            return Words(en=value["en"], es=value["es"])
        raise self.wrong(f'“{name}” must give both languages: {{ en = "…", es = "…" }}')

    def name(self, name: str = "name") -> str:
        value = self.take(name, str)
        if not NAME.fullmatch(value):
            raise self.wrong(f"“{value}” is not a name (lower-case letters, digits, underscores)")
        return value

    def done(self) -> None:
        if self.data:
            raise self.wrong(f"unknown entries: {', '.join(sorted(self.data))}")


def _profile(data: Mapping[str, Any], place: str) -> Profile:
    entry = _Entry(data, place)
    profile = Profile(
        agency=entry.words("agency"),
        paper=entry.take("paper", str, "letter").lower(),
        confidentiality=entry.words("confidentiality"),
        letter_confidentiality=entry.words("letter_confidentiality"),
        family_confidentiality=entry.words("family_confidentiality"),
        references=entry.take("references", dict, {}),
        procedure=_procedure(_Entry(entry.take("procedure", dict, {}), f"{place}: procedure")),
        zone=entry.take("zone", str, "America/Denver"),
    )
    if profile.paper not in PAPERS:
        raise entry.wrong(f"“paper” must be one of: {', '.join(PAPERS)}")
    if profile.zone not in available_timezones():
        raise entry.wrong(f"“zone” must be a time zone such as America/Denver, not “{profile.zone}”")
    entry.done()
    return profile


def _procedure(entry: _Entry) -> Procedure:
    windows = tuple(_window(_Entry(row, f"{entry.place}.monitoring")) for row in entry.take("monitoring", list, []))
    procedure = Procedure(
        program_year_starts=entry.take("program_year_starts", int, STANDARD.program_year_starts),
        first_conference_days=entry.take("first_conference_days", int, STANDARD.first_conference_days),
        raise_after_months=entry.take("raise_after_months", int, STANDARD.raise_after_months),
        monitoring=windows or STANDARD.monitoring,
    )
    if not 1 <= procedure.program_year_starts <= 12:  # noqa: PLR2004
        raise entry.wrong("“program_year_starts” is a month from 1 to 12")
    entry.done()
    return procedure


def _window(entry: _Entry) -> Window:
    window = Window(kind=entry.take("kind", str), subject=entry.take("subject", str), who=entry.take("who", str), title=entry.words("title"), days=entry.take("days", int, 0), months=entry.take("months", int, 0))
    if window.subject not in SUBJECTS:
        raise entry.wrong(f"“subject” must be one of: {', '.join(SUBJECTS)}")
    if (window.days > 0) == (window.months > 0):
        raise entry.wrong("give either “days” or “months”")
    entry.done()
    return window


def read_form(file: Path, form_id: FormId, wordings: tuple[Path, ...] = ()) -> Form:
    """A form definition with the words of some files laid over it; refuses with the file and entry that is wrong."""
    data = _toml(file)
    for wording in wordings:
        _reword(data, _Entry(_toml(wording), str(wording)))
    entry = _Entry(data, str(file))
    options = {name: _options(table, f"{file}: options.{name}") for name, table in entry.take("options", dict, {}).items()}
    form = Form(
        id=form_id,
        code=entry.take("code", str),
        titles=entry.words("title"),
        number=entry.take("number", str),
        revision=entry.take("revision", str),
        rules=tuple(entry.take("rules", list, [])),
        mandated=tuple(entry.take("mandated", list, [])),
        texts={name: _Entry({"text": words}, f"{file}: texts.{name}").words("text") for name, words in entry.take("texts", dict, {}).items()},
        asks=_asks(entry.take("asks", list, []), f"{file}: asks", options),
        groups=tuple(_groups(entry.take("groups", list, []), str(file), options)),
    )
    entry.done()
    _check(form, entry)
    return form


def _reword(data: dict[str, Any], words: _Entry) -> None:
    """Lay an agency's words over a definition: title, texts, option labels, labels of asks and groups."""
    if "title" in words.data:
        data["title"] = words.take("title", dict)
    for part in ("texts", "options"):
        for name, table in words.take(part, dict, {}).items():
            if name not in data.get(part, {}):
                raise words.wrong(f"{part}.{name}: the form has no such entry")
            new = _Entry(table, f"{words.place}: {part}.{name}").data
            if part == "options" and (added := sorted(set(new) - set(data[part][name]))):
                raise words.wrong(f"options.{name}: only labels can be reworded, not added: {', '.join(added)}")
            data[part][name] = {**data[part][name], **new}
    _reword_asks(data.get("asks", []), words.take("asks", dict, {}), words)
    groups = {group["name"]: group for group in data.get("groups", [])}
    for name, table in words.take("groups", dict, {}).items():
        if name not in groups:
            raise words.wrong(f"groups.{name}: the form has no such group")
        entry = _Entry(table, f"{words.place}: groups.{name}")
        _reword_asks(groups[name]["asks"], entry.take("asks", dict, {}), entry)
        groups[name].update({"label": entry.take("label", dict)} if "label" in entry.data else {})
        entry.done()
    words.done()


def _reword_asks(asks: list[dict[str, Any]], tables: Mapping[str, Any], words: _Entry) -> None:
    by_name = {ask.get("name"): ask for ask in asks}
    for name, table in tables.items():
        if name not in by_name or not isinstance(table, dict) or not set(table) <= {"label", "short"}:
            raise words.wrong(f"asks.{name}: only label and short of the form's own asks can be reworded")
        by_name[name].update(table)


def _check(form: Form, entry: _Entry) -> None:
    if len(form.code) != 1 or form.code not in ALPHABET:
        raise entry.wrong(f"“code” must be one of {ALPHABET}")
    if bad := [name for name in (*form.rules, *form.mandated) if not isinstance(name, str)]:
        raise entry.wrong(f"“rules” and “mandated” must list texts, not {bad[0]}")
    names = [ask.name for ask in form.asks] + [group.name for group in form.groups]
    if repeated := {name for name in names if names.count(name) > 1}:
        raise entry.wrong(f"names used twice: {', '.join(sorted(repeated))}")
    if not names:
        raise entry.wrong("the form asks for nothing")


def _options(table: object, place: str) -> tuple[Option, ...]:
    entry = _Entry(table, place)
    codes = list(entry.data)
    if bad := [code for code in codes if not NAME.fullmatch(code)]:
        raise entry.wrong(f"these codes are not names: {', '.join(bad)}")
    if not codes:
        raise entry.wrong("there is nothing to choose from")
    return tuple(Option(code=code, label=entry.words(code)) for code in codes)


def _asks(tables: list[Any], place: str, options: Mapping[str, tuple[Option, ...]]) -> tuple[Ask, ...]:
    asks = tuple(_ask(_Entry(table, f"{place}[{number}]"), options) for number, table in enumerate(tables, start=1))
    names = [ask.name for ask in asks]
    if repeated := {name for name in names if names.count(name) > 1}:
        raise Refused("definition-invalid", place, detail=f"names used twice: {', '.join(sorted(repeated))}")
    return asks


def _ask(entry: _Entry, options: Mapping[str, tuple[Option, ...]]) -> Ask:
    name = entry.name()
    entry.place = f"{entry.place} “{name}”"
    label = entry.words("label")
    ask = Ask(
        name=name,
        kind=_kind(entry, options),
        label=label,
        short=entry.words("short", label),
        locked=entry.take("locked", bool, False),  # noqa: FBT003
        required=entry.take("required", bool, False),  # noqa: FBT003
    )
    entry.done()
    _check_limits(ask.kind, entry)
    return ask


def _check_limits(kind: Kind, entry: _Entry) -> None:
    if isinstance(kind, Text | LongText) and kind.limit < 1:
        raise entry.wrong("“limit” must be at least 1")
    if isinstance(kind, Number) and not (kind.least <= kind.most and 0 <= kind.decimals <= _DECIMALS_MOST):
        raise entry.wrong(f"a number needs least ≤ most and 0 to {_DECIMALS_MOST} decimals")


def _kind(entry: _Entry, options: Mapping[str, tuple[Option, ...]]) -> Kind:
    match entry.take("kind", str):
        case "text":
            return Text(limit=entry.take("limit", int, 200))
        case "long-text":
            return LongText(limit=entry.take("limit", int, 20_000))
        case "number":
            return Number(least=entry.take("least", int, 0), most=entry.take("most", int, 1_000_000), decimals=entry.take("decimals", int, 0))
        case "day":
            return Day()
        case "time":
            return Time()
        case "month":
            return Month()
        case "tick":
            return Tick()
        case "choice":
            return Choice(options=_chosen(entry, options), boxes=entry.take("boxes", bool, False))  # noqa: FBT003
        case "choices":
            return Choices(options=_chosen(entry, options))
        case "signature":
            return Signature()
        case other:
            raise entry.wrong(f"“{other}” is no kind; the kinds are: {', '.join(KINDS)}")


def _chosen(entry: _Entry, options: Mapping[str, tuple[Option, ...]]) -> tuple[Option, ...]:
    name = entry.take("options", str)
    if name not in options:
        raise entry.wrong(f"there are no [options.{name}]")
    return options[name]


def _groups(tables: list[Any], place: str, options: Mapping[str, tuple[Option, ...]]) -> Iterator[Group]:
    for number, table in enumerate(tables, start=1):
        entry = _Entry(table, f"{place}: groups[{number}]")
        name = entry.name()
        entry.place = f"{place}: group “{name}”"
        group = Group(
            name=name,
            label=entry.words("label"),
            minimum=entry.take("minimum", int),
            maximum=entry.take("maximum", int),
            blank=entry.take("blank", int),
            source=entry.take("source", str, ""),
            heading=entry.take("heading", str, ""),
            presets=tuple(entry.take("presets", list, [])),
            asks=_asks(entry.take("asks", list), entry.place, options),
        )
        entry.done()
        if not 0 <= group.minimum <= group.blank <= group.maximum <= _ROWS_MOST:
            raise entry.wrong(f"rows must satisfy 0 ≤ minimum ≤ blank ≤ maximum ≤ {_ROWS_MOST}")
        if group.heading and group.heading not in {ask.name for ask in group.asks}:
            raise entry.wrong(f"heading “{group.heading}” is none of its asks")
        if not all(isinstance(row, dict) for row in group.presets):
            raise entry.wrong("“presets” must list tables")
        yield group
