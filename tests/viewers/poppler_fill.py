"""Fill a form as Evince does: through Poppler's GLib interface, which only Debian's Python has.

usage: /usr/bin/python3 poppler_fill.py in.pdf values.json out.pdf
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import gi

gi.require_version("Poppler", "0.18")
from gi.repository import Poppler  # noqa: E402 - the version has to be chosen first

if TYPE_CHECKING:
    from collections.abc import Iterator


def main(source: str, values_file: str, target: str) -> None:
    """Write the filled document, as an incremental save."""
    values: dict[str, Any] = json.loads(Path(values_file).read_text(encoding="utf-8"))
    document = Poppler.Document.new_from_file(Path(source).as_uri(), None)
    unfilled = set(values)
    for field in _fields(document):
        name = field.get_name()
        if name in values:
            _fill(field, values[name])
            unfilled.discard(name)
    if unfilled:
        message = f"no field {sorted(unfilled)}"
        raise LookupError(message)
    document.save(Path(target).as_uri())


def _fields(document: Any) -> Iterator[Any]:
    for number in range(document.get_n_pages()):
        page = document.get_page(number)
        yield from (mapping.field for mapping in page.get_form_field_mapping())


def _fill(field: Any, value: str | bool) -> None:
    kind = field.get_field_type()
    if kind == Poppler.FormFieldType.TEXT:
        field.text_set_text(value)
    elif kind == Poppler.FormFieldType.BUTTON:
        field.button_set_state(value)
    elif kind == Poppler.FormFieldType.CHOICE:
        field.choice_select_item(_option(field, value))


def _option(field: Any, wanted: str | bool) -> int:
    labels = [field.choice_get_item(index) for index in range(field.choice_get_n_items())]
    return labels.index(wanted)


if __name__ == "__main__":
    main(*sys.argv[1:])
