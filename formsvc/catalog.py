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

from formsvc.errors import Refused
from formsvc.model.form import NAME, Ask, Form, FormId, Group
from formsvc.model.kinds import (
    Choice,
    Choices,
    Day,
    Kind,
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
from formsvc.settings import PACKAGE

T = TypeVar("T")

KINDS: Final = ("text", "long-text", "number", "day", "time", "month", "tick", "choice", "choices", "signature")
PAPERS: Final = {"letter": "letter", "a4": "A4"}
_ROWS_MOST: Final = 1000


@dataclass(frozen=True, slots=True, kw_only=True)
class Profile:
    """What an agency prints on its papers."""

    agency: Words
    paper: str
    confidentiality: Words
    references: Mapping[str, str]


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
            cached = self._forms[form_id] = read_form(self.file(form_id, "form.toml"), form_id)
        return cached

    def forms(self) -> tuple[Form, ...]:
        """The newest version of every form."""
        return tuple(self.form(self.latest(name)) for name in sorted({form_id.name for form_id in self.ids()}))

    def by_code(self, code: str, version: int) -> Form | None:
        """The form that a stamp names."""
        return next((form for form in map(self.form, self.ids()) if form.code == code and form.id.version == version), None)

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
            raise self.wrong(f"“{name}” must be a {kind.__name__}")
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
        references=entry.take("references", dict, {}),
    )
    if profile.paper not in PAPERS:
        raise entry.wrong(f"“paper” must be one of: {', '.join(PAPERS)}")
    entry.done()
    return profile


def read_form(file: Path, form_id: FormId) -> Form:
    """A form definition; refuses with the file and entry that is wrong."""
    entry = _Entry(_toml(file), str(file))
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


def _check(form: Form, entry: _Entry) -> None:
    if len(form.code) != 1 or not (form.code.isdecimal() or "A" <= form.code <= "Z"):
        raise entry.wrong("“code” must be one capital letter or digit")
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
    return ask


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
        yield group
