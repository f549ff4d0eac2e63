"""What is filled and read: the sample worksheets, with other names in every document."""

import json
import random
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, Final

from formsvc.model.form import Place
from formsvc.model.kinds import is_box
from formsvc.model.layout import CompiledForm
from formsvc.model.record import Values
from formsvc.model.stamp import Stamp, new_document
from formsvc.model.values import write_value
from formsvc.renderers.fill import fill
from formsvc.service import Service, checked_values
from formsvc.settings import read_settings

ROOT: Final = Path(__file__).parent.parent
FULL: Final = "worksheet-20-children"
PREFILLED: Final = "worksheet-20-prefilled"
KEY: Final = b"benchmarks sign with this key..."
_SYLLABLES: Final = ("bar", "bel", "cor", "dal", "fen", "gra", "hol", "jor", "kel", "lin", "mar", "nor", "pell", "quin", "ros", "sel", "tam", "ver", "wil", "zan")
_ARABIC: Final = "ابتثجحخدذرزسشصضطظعغفقكلمنهوي"
_HAN: Final = "王李张刘陈杨黄赵吴周徐孙马朱胡郭何高林郑明华丽秀英强军平芳娜静敏杰涛超勇艳磊洋霞"


def open_service(cache: Path) -> Service:
    """An installation of its own: its key, its cache of blanks."""
    return Service(read_settings({"FORMSVC_KEY": KEY.hex(), "FORMSVC_CACHE": str(cache)}))


def sample(name: str) -> dict[str, Any]:
    """The values of a sample, as they stand in its file."""
    loaded: dict[str, Any] = json.loads((ROOT / "samples" / "values" / f"{name}.json").read_text(encoding="utf-8"))
    return loaded


def varied(data: Mapping[str, Any], number: int, *, scripts: bool = False) -> dict[str, Any]:
    """The same values with other people; with `scripts` every 25th document has Arabic or Chinese names."""
    chance = random.Random(number)  # noqa: S311  (names, not secrets)
    script = {7: _ARABIC, 19: _HAN}.get(number % 25, "") if scripts else ""

    def name() -> str:
        if script == _HAN:
            return "".join(chance.choices(_HAN, k=3))
        if script == _ARABIC:
            return " ".join("".join(chance.choices(_ARABIC, k=count)) for count in (4, 5))
        return " ".join("".join(chance.choices(_SYLLABLES, k=count)).capitalize() for count in (2, 3))

    return {
        **data,
        "attendance": [{**row, "name": name()} for row in data["attendance"]],
        "children": [{**row, "child_name": name(), "child_id": f"WC-{chance.randrange(10**6)}"} for row in data["children"]],
    }


@dataclass(frozen=True, kw_only=True)
class Sheet:
    """One document to fill: the values as formsvc takes them, and as they stand on paper."""

    compiled: CompiledForm
    values: Values

    @cached_property
    def texts(self) -> Mapping[str, str]:
        """What each written field says, by field name."""
        written = ((place, self._value(place)) for place in self._places if not is_box(place.ask.kind))
        return {place.key: write_value(place.ask.kind, value, self.compiled.lang) for place, value in written if value is not None}

    @cached_property
    def ticks(self) -> frozenset[str]:
        """The boxes that are ticked, by field name."""
        return frozenset(place.key for place in self._places if is_box(place.ask.kind) and self._is_ticked(place))

    @cached_property
    def _places(self) -> tuple[Place, ...]:
        return tuple(self.compiled.form.places(self.compiled.row_counts))

    def _value(self, place: Place) -> object:
        if place.group is None:
            return self.values.get(place.ask.name)
        rows = self.values.get(place.group.name)
        row = rows[place.row] if isinstance(rows, list) and place.row < len(rows) else {}
        return row.get(place.ask.name) if isinstance(row, dict) else None

    def _is_ticked(self, place: Place) -> bool:
        value = self._value(place)
        if place.option is None:
            return value is True
        return place.option.code == value or (isinstance(value, list) and place.option.code in value)

    def filled(self) -> bytes:
        """The sheet filled by formsvc, under an identity of its own."""
        form = self.compiled.form
        stamp = Stamp(document=new_document(), code=form.code, version=form.id.version)
        return fill(self.compiled, self.values, stamp, KEY).content


def sheets(service: Service, name: str, count: int) -> list[Sheet]:
    """So many different documents of one sample."""
    form = service.form("worksheet")
    data = sample(name)
    compiled = service.compiled(form, checked_values(form, data), "en")
    return [Sheet(compiled=compiled, values=checked_values(form, varied(data, number))) for number in range(count)]
