"""Cases for the tests of letters: the sample conference, changed place by place, and its letters."""

import copy
import json
from collections.abc import Mapping
from datetime import date
from functools import cache
from typing import Any, Final

from formsvc.casework.case import Case
from formsvc.casework.letters import LetterName
from formsvc.catalog import Catalog
from formsvc.letters import Face, Letter, LetterJob, open_case, write_letter
from formsvc.model.kinds import Lang
from formsvc.settings import samples_folder
from tests.small_forms import SHIPPED

PASSWORD: Final = "tulip-harbor-lantern-orchid-meadow-copper"
TODAY: Final = date(2026, 12, 8)
"""The day before the sample conference."""
LONG: Final = 10_000
HARD_TEXT: Final = '<b> & "quotes" {{ braces }} ñ 李 العربية'


@cache
def _sample(name: str) -> str:
    return (samples_folder() / "cases" / f"{name}.json").read_text(encoding="utf-8")


def sample_data(changes: Mapping[str, Any] | None = None, *, name: str = "conference") -> dict[str, Any]:
    """A sample case as JSON data, with other values at some places: `{"team.2.email": "..."}`; `None` takes a place away."""
    data: dict[str, Any] = json.loads(_sample(name))
    for place, value in (changes or {}).items():
        *above, last = [int(step) if step.isdecimal() else step for step in place.split(".")]
        inner: Any = data
        for step in above:
            inner = inner[step]
        if value is None:
            del inner[last]
        else:
            inner[last] = copy.deepcopy(value)
    return data


def sample_case(changes: Mapping[str, Any] | None = None, *, name: str = "conference") -> Case:
    """A sample case, loaded with its notes."""
    return open_case(SHIPPED, sample_data(changes, name=name))


def write(
    name: LetterName, face: Face, case: Case | None = None, *, lang: Lang = "en", to: int | None = None,
    password: str | None = None, today: date = TODAY, catalog: Catalog = SHIPPED,
) -> Letter:
    """A letter of a case; a summary under the password of the tests. `to` counts members from 0."""
    case = case or sample_case()
    locked = PASSWORD if name == "summary" and password is None else password
    recipient = None if to is None else case.team[to]
    return write_letter(catalog, LetterJob(name=name, face=face, case=case, lang=lang, today=today, recipient=recipient, password=locked))


@cache
def shipped(name: LetterName, face: Face, lang: Lang = "en", to: int | None = None) -> Letter:
    """A letter of the sample conference, written once."""
    return write(name, face, lang=lang, to=to)
