"""Random values of the kind that people type into the forms: names, words, dates, ids and long notes in English and Spanish.

The shape comes from the samples; every answer in it is made anew, so that no reading is right by memory.
"""

import json
import re
from collections.abc import Callable, Mapping
from typing import Any, Final

from numpy.random import Generator

from formsvc.model.kinds import Lang
from formsvc.settings import PACKAGE

SHAPES: Final[tuple[tuple[str, Lang, str], ...]] = (
    ("worksheet", "en", "worksheet-8-children"),
    ("worksheet", "es", "worksheet-spanish"),
    ("fcch", "en", "fcch-three-homes"),
    ("case-management", "en", "case-management-35-actions"),
    ("conference-notes", "es", "conference-notes-spanish"),
    ("worksheet", "en", "worksheet-33-children"),
    ("conference-notes", "en", "conference-notes"),
)
_FIRST: Final[dict[Lang, list[str]]] = {
    "en": ["Amelia", "Noah", "Olivia", "Liam", "Zoe", "Ethan", "Ivy", "Owen", "Ruby", "Jack", "Ella", "Caleb", "Hazel", "Miles", "Nora", "Theo", "Wren", "Jonah", "Tessa", "Quinn", "Fiona", "Gwen", "Kai", "Luz", "Xavier", "José", "Ana-Sofía", "Yusuf", "Chloé"],
    "es": ["Lucía", "Mateo", "Sofía", "Martín", "Valentina", "Iván", "Camila", "Joaquín", "Araceli", "Ramón", "Inés", "Óscar", "Pilar", "Ángel", "Begoña", "Íñigo", "Úrsula", "Nicolás", "Belén", "Andrés", "Ximena", "Raúl", "Noemí", "Tomás"],
}
_LAST: Final[dict[Lang, list[str]]] = {
    "en": ["Maplewick", "Thornbury", "O'Dellan", "Fennelworth", "Silverpond", "Tidewillow", "McAllister", "Saltmarsh", "Quietwater", "Lindenfall", "Applegarth", "Brambleton", "Nuñez", "García-Stone", "Hollowell", "Kim", "Ng", "Whitlock", "Peña"],
    "es": ["Solverde", "Jardinero-Luz", "Aguaclara", "Puentenuevo", "Peñablanca", "Muñoz", "Núñez", "Torrecielo", "Ibáñez", "Güell", "Cañaveral", "Ríosalto", "Álamo", "Quiñones", "Zúñiga"],
}
_NAMES: Final = re.compile(r"name|recorder|responsible|coordinator|specialist|guardian|signature|unit")


def sample(shape: str) -> dict[str, Any]:
    """The values of a sample."""
    found: dict[str, Any] = json.loads((PACKAGE.parent / "samples" / "values" / f"{shape}.json").read_text())
    return found


def random_values(shape: str, lang: Lang, rng: Generator, rows: int = 6) -> dict[str, Any]:
    """The sample's values with every text, number, day and time made anew; at most so many rows of a group."""
    made = _Maker(lang, rng)
    given = {key: value[:rows] if isinstance(value, list) and value and isinstance(value[0], Mapping) else value for key, value in sample(shape).items()}
    found: dict[str, Any] = made.anew("", given)
    return found


class _Maker:
    def __init__(self, lang: Lang, rng: Generator) -> None:
        self.lang, self.rng = lang, rng
        self.words = _vocabulary(lang)

    def anew(self, key: str, value: Any) -> Any:
        match value:
            case dict():
                return {name: self.anew(name, part) for name, part in value.items()}
            case list() if value and isinstance(value[0], dict):
                return [self.anew(key, part) for part in value]
            case str():
                return self.text(key, value)
            case _:
                return value

    def text(self, key: str, old: str) -> str:
        for shape, make in self.shapes().items():
            if re.fullmatch(shape, old):
                return make(old)
        if re.fullmatch("[a-z_]+", old) or key == "previous_document":  # the code of an option
            return old
        if _NAMES.search(key) and len(old) < 45:
            return self.name()
        return self.note(len(old))

    def shapes(self) -> Mapping[str, Callable[[str], str]]:
        return {
            r"\d{4}-\d\d-\d\d": lambda _: f"{self.number(2019, 2027)}-{self.number(1, 12):02d}-{self.number(1, 28):02d}",
            r"\d{4}-\d\d": lambda _: f"{self.number(2024, 2027)}-{self.number(1, 12):02d}",
            r"\d\d:\d\d": lambda _: f"{self.number(7, 18):02d}:{self.number(0, 11) * 5:02d}",
            r"\d{4}-\d{4}": lambda _: self.years(),
            r"\d+ [ya] \d+ m": lambda _: f"{self.number(1, 5)} {'a' if self.lang == 'es' else 'y'} {self.number(0, 11)} m",
            r"[A-Z0-9]+-[A-Z0-9]+": lambda old: re.sub(r"\d", lambda _: str(self.number(0, 9)), old),
        }

    def years(self) -> str:
        year = self.number(2020, 2029)
        return f"{year}-{year + 1}"

    def number(self, least: int, most: int) -> int:
        return int(self.rng.integers(least, most + 1))

    def name(self) -> str:
        first, last = _FIRST[self.lang], _LAST[self.lang]
        middle = f" {chr(self.number(65, 90))}." if self.rng.random() < 0.15 else ""
        return f"{first[self.number(0, len(first) - 1)]}{middle} {last[self.number(0, len(last) - 1)]}"

    def note(self, most: int) -> str:
        """Words in any order, with the signs and numbers that notes have; no longer than the sample's text."""
        found = ""
        while len(found) < 0.75 * most:
            word = self.words[self.number(0, len(self.words) - 1)]
            if self.rng.random() < 0.06:
                word = str(self.rng.choice(["11/12", "(555) 010-4477", "3", "45%", "9:30", "#12", "2.5", "10 min."]))
            found = f"{found} {word}" if found else word[:1].upper() + word[1:]
        return found[: max(most, 4)].rstrip(' ,(¿¡“"')


def _vocabulary(lang: Lang) -> list[str]:
    """The words of the samples in one language, with the signs that follow them."""
    found: set[str] = set()
    for _, other, shape in SHAPES:
        if other == lang:
            found |= set(re.findall(r"[^\s“”]+", " ".join(text for text in _texts(sample(shape)) if " " in text)))
    return sorted(found)


def _texts(value: Any) -> list[str]:
    if isinstance(value, dict):
        return [text for part in value.values() for text in _texts(part)]
    if isinstance(value, list):
        return [text for part in value for text in _texts(part)]
    return [value] if isinstance(value, str) else []
