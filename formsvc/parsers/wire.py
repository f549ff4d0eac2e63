"""Carries the answer of a limited child to its parent as data.

A pickle may name any function to be called where it is opened; a reader that a hostile file took
over would need nothing more. So answers travel as JSON with blobs behind it, and only these come
through: plain values, containers, dates, arrays of numbers, and the records (dataclasses, enums,
named tuples) and refusals of formsvc itself. Nothing is called to put a record together again.
"""

import dataclasses
import importlib
import json
import re
import struct
import sys
from collections.abc import Mapping
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from enum import Enum
from functools import cache
from operator import attrgetter
from pathlib import Path, PurePath
from typing import Any, Final

from formsvc.errors import WORDING, Refused

_HEAD: Final = struct.Struct(">4sQ")
_MAGIC: Final = b"fsv1"
_PLAIN: Final = frozenset({str, int, float, bool, type(None)})
_MODULE: Final = re.compile(r"formsvc(\.[a-z][a-z0-9_]*)+")
_DATES: Final[Mapping[str, Any]] = {"date": date, "datetime": datetime, "time": time}
_NUMBERS: Final = re.compile(r"[<>|=][biuf][1248]")


class NotCarried(TypeError):  # noqa: N818  (said of a value)
    """A value of a kind that does not travel."""


def pack(value: object) -> bytes:
    """A value as bytes; raises `NotCarried` for what is not data."""
    writer = _Writer()
    body = writer.written(value)
    text = json.dumps([writer.classes, [len(blob) for blob in writer.blobs], body], separators=(",", ":")).encode("ascii")
    return b"".join((_HEAD.pack(_MAGIC, len(text)), text, *writer.blobs))


def unpack(content: bytes) -> Any:
    """The value again; raises `ValueError` for bytes that `pack` would not have made."""
    try:
        return _unpacked(content)
    except (ArithmeticError, AttributeError, LookupError, RecursionError, TypeError, ValueError, struct.error) as problem:
        raise ValueError(type(problem).__name__) from problem


def _unpacked(content: bytes) -> Any:
    magic, length = _HEAD.unpack_from(content)
    if magic != _MAGIC:
        raise ValueError(magic)
    classes, sizes, body = json.loads(content[_HEAD.size : _HEAD.size + length])
    return _Reader([_class(str(name)) for name in classes], _cut(content, _HEAD.size + length, sizes)).read(body)


def _cut(content: bytes, start: int, sizes: list[int]) -> list[bytes]:
    blobs = []
    for size in sizes:
        blobs.append(content[start : start + size])
        if len(blobs[-1]) != size:
            raise ValueError(size)
        start += size
    return blobs


# ---------------------------------------------------------------- out


class _Writer:
    """One value being written. What is not plain becomes a list that begins with its kind."""

    def __init__(self) -> None:
        self.classes: list[str] = []
        self.blobs: list[bytes] = []
        self._numbers: dict[type, int] = {}

    def written(self, value: Any) -> Any:
        kind: Any = type(value)
        if kind in _PLAIN:
            return value
        if kind is tuple or kind is list:
            return ["t" if kind is tuple else "l", *self._each(value)]
        if kind is dict:
            return ["d", self._each(value.keys()), self._each(value.values())]
        if dataclasses.is_dataclass(value):
            return ["o", self._number(kind), *self._each(_getter(kind)(value))]
        return self._rarer(value)

    def _each(self, values: Any) -> list[Any]:
        return list(values) if _PLAIN.issuperset(map(type, values)) else list(map(self.written, values))

    def _number(self, kind: type) -> int:
        if kind not in self._numbers:
            name = f"{kind.__module__}:{kind.__qualname__}"
            if _MODULE.fullmatch(kind.__module__) is None:
                raise NotCarried(name)
            self._numbers[kind] = len(self.classes)
            self.classes.append(name)
        return self._numbers[kind]

    def _blob(self, content: bytes) -> int:
        self.blobs.append(content)
        return len(self.blobs) - 1

    def _rarer(self, value: Any) -> Any:
        match value:
            case Enum():
                return ["e", self._number(type(value)), value.name]
            case bytes() | bytearray() | memoryview():
                return ["b", self._blob(bytes(value))]
            case str():  # with a class of its own, such as text that is safe in HTML: it arrives as text
                return str.__str__(value)
            case Refused():
                return ["refused", value.code, value.place, value.message]
            case datetime() | date() | time():
                return ["when", type(value).__name__, value.isoformat()]
            case timedelta():
                return ["lasting", value.days, value.seconds, value.microseconds]
            case Decimal():
                return ["decimal", str(value)]
            case PurePath():
                return ["path", str(value)]
            case set() | frozenset():
                return ["s" if isinstance(value, set) else "f", *self._each(sorted(value, key=repr))]
            case tuple() if hasattr(value, "_fields"):
                return ["n", self._number(type(value)), *self._each(value)]
            case Mapping():
                return self.written(dict(value))
        return self._array(value)

    def _array(self, value: Any) -> Any:
        numpy = sys.modules.get("numpy")
        if numpy is not None and isinstance(value, numpy.generic):
            return self.written(value.item())
        if numpy is not None and isinstance(value, numpy.ndarray) and _NUMBERS.fullmatch(value.dtype.str):
            return ["a", value.dtype.str, list(value.shape), self._blob(value.tobytes())]
        raise NotCarried(type(value).__qualname__)


@cache
def _getter(kind: Any) -> Any:
    names = _names(kind)
    if len(names) > 1:
        return attrgetter(*names)
    return lambda value: tuple(getattr(value, name) for name in names)


@cache
def _names(kind: Any) -> tuple[str, ...]:
    return tuple(field.name for field in dataclasses.fields(kind))


# ---------------------------------------------------------------- in


class _Reader:
    """One value being read."""

    def __init__(self, classes: list[type], blobs: list[bytes]) -> None:
        self._classes, self._blobs = classes, blobs

    def read(self, body: Any) -> Any:
        if type(body) is not list:
            return body
        match body:
            case ["t", *items]:
                return tuple(self._each(items))
            case ["l", *items]:
                return self._each(items)
            case ["d", keys, values]:
                return dict(zip(self._each(keys), self._each(values), strict=True))
            case ["o", number, *values]:
                return _record(self._classes[number], self._each(values))
            case ["b", number]:
                return self._blobs[number]
            case ["s", *items]:
                return set(self._each(items))
            case ["f", *items]:
                return frozenset(self._each(items))
        return self._rarer(body)

    def _each(self, values: list[Any]) -> list[Any]:
        return values if _PLAIN.issuperset(map(type, values)) else list(map(self.read, values))

    def _rarer(self, body: list[Any]) -> Any:
        match body:
            case ["e", number, name] if issubclass(self._classes[number], Enum):
                return self._classes[number][name]
            case ["n", number, *values] if issubclass(self._classes[number], tuple):
                return tuple.__new__(self._classes[number], self._each(values))
            case ["refused", code, place, message]:
                return _refused(str(code), str(place), str(message))
            case ["when", kind, text]:
                return _DATES[kind].fromisoformat(text)
            case ["lasting", days, seconds, microseconds]:
                return timedelta(days=days, seconds=seconds, microseconds=microseconds)
            case ["decimal", text]:
                return Decimal(text)
            case ["path", text]:
                return Path(text)
            case ["a", kind, shape, number]:
                return _array(kind, shape, self._blobs[number])
        raise ValueError(body[:1])


@cache
def _class(name: str) -> type:
    """The record of formsvc with this name; no other class is ever looked for."""
    module, _, path = name.partition(":")
    if _MODULE.fullmatch(module) is None:
        raise ValueError(name)
    found: Any = importlib.import_module(module)
    for part in path.split("."):
        found = vars(found)[part]
    if not (isinstance(found, type) and (dataclasses.is_dataclass(found) or issubclass(found, (Enum, tuple))) and found.__module__ == module):
        raise ValueError(name)
    return found


def _record(kind: type, values: list[Any]) -> Any:
    record: Any = object.__new__(kind)
    for name, value in zip(_names(kind), values, strict=True):
        object.__setattr__(record, name, value)
    return record


def _refused(code: str, place: str, message: str) -> Refused:
    if code not in WORDING:
        raise ValueError(code)
    refused = Refused.__new__(Refused)
    Exception.__init__(refused, message)
    refused.code, refused.place, refused.message = code, place, message
    return refused


def _array(kind: str, shape: list[int], content: bytes) -> Any:
    if _NUMBERS.fullmatch(kind) is None:
        raise ValueError(kind)
    import numpy as np  # noqa: PLC0415  (only where arrays travel)

    return np.frombuffer(content, dtype=kind).reshape(shape).copy()
