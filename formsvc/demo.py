"""The main job on sample data in one go: issue a month, fill it with a real viewer, read it back."""

import json
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from formsvc.files import write_file
from formsvc.model.form import Form
from formsvc.model.interpret import answer_texts
from formsvc.model.kinds import Choice, Lang
from formsvc.model.record import Values
from formsvc.model.values import write_value
from formsvc.service import Service, checked_values
from formsvc.settings import samples_folder
from formsvc.typist import type_into

MONTH: Final[tuple[tuple[str, str, Lang], ...]] = (
    ("worksheet", "worksheet-20-children", "en"),
    ("worksheet", "worksheet-spanish", "es"),
    ("worksheet", "worksheet-scripts", "en"),
    ("worksheet", "worksheet-long-notes", "en"),
    ("fcch", "fcch-three-homes", "en"),
    ("case-management", "case-management-35-actions", "en"),
)
"""The sample month: form, sample values, language."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Trip:
    """One paper's way out and back."""

    sample: str
    document: str
    prefilled: int
    typed: int
    read: int
    problems: tuple[str, ...]
    held: bool
    """Whether exactly the sample's values came back."""
    seconds: float


def sample_values(name: str) -> dict[str, Any]:
    """The values of a sample."""
    data: dict[str, Any] = json.loads((samples_folder() / "values" / f"{name}.json").read_text(encoding="utf-8"))
    return data


def split_values(form: Form, values: Values) -> tuple[dict[str, Any], dict[str, str | bool]]:
    """What a month pre-fills (the values the form locks), and what people type into the rest."""
    prefilled: dict[str, Any] = {ask.name: values[ask.name] for ask in form.asks if ask.locked and ask.name in values}
    for group in form.groups:
        locked = {ask.name for ask in group.asks if ask.locked}
        rows = values.get(group.name)
        listed = [row for row in rows if isinstance(row, dict)] if isinstance(rows, list) else []
        prefilled[group.name] = [{name: value for name, value in row.items() if name in locked} for row in listed]
    typed: dict[str, str | bool] = {}
    for place, value in answer_texts(form, values):
        if not place.ask.locked:
            typed[place.key] = True if value is True else _keys(place.ask.kind, value)
    return prefilled, typed


def _keys(kind: object, value: object) -> str:
    """What a person types or chooses for a value."""
    return str(value) if isinstance(kind, Choice) else write_value(kind, value, "en")  # type: ignore[arg-type]


def run_demo(service: Service, folder: Path, step: Callable[[str], None]) -> Iterator[Trip]:
    """Issue, fill, read each paper of the month; the files stay in the folder."""
    for number, (name, sample, lang) in enumerate(MONTH, start=1):
        step(sample)
        yield _trip(service, folder, name, sample, lang, number)


def _trip(service: Service, folder: Path, name: str, sample: str, lang: Lang, number: int) -> Trip:
    start = time.perf_counter()
    form = service.form(name)
    values = checked_values(form, sample_values(sample))
    prefilled, typed = split_values(form, values)
    rows = {group.name: len(found) for group in form.groups if isinstance(found := values.get(group.name), list)}
    issued = service.issue(name, prefilled, lang=lang, rows=rows)
    stem = f"{number}-{name}-{issued.document}"
    write_file(folder / "issued" / f"{stem}.pdf", issued.content)
    returned = type_into(issued.content, typed)
    write_file(folder / "returned" / f"{stem}.pdf", returned)
    received = service.read(returned, expected=issued.document)
    write_file(folder / "records" / f"{stem}.json", json.dumps(received.record.values, ensure_ascii=False, indent=1).encode())
    complete = service.issue(name, values, lang=lang, document=issued.document)
    write_file(folder / "as-if-complete" / f"{stem}.pdf", complete.content)
    answered = sum(1 for answer in received.submission.answers.values() if answer.raw)
    return Trip(
        sample=sample,
        document=issued.document,
        prefilled=answered - len(typed),
        typed=len(typed),
        read=answered,
        problems=tuple(sorted({found.code for found in received.record.problems})),
        held=received.record.values == values and received.record.document == issued.document,
        seconds=time.perf_counter() - start,
    )
