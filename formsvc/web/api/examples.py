"""Examples for the document, put together from those of each field."""

from typing import Any, Final

from marshmallow import Schema, fields

_NONE: Final = object()


def example_of(schema: type[Schema] | Schema) -> Any:
    """An example of what a schema loads or gives; fields without one are left out, or null where they may be."""
    made = schema() if isinstance(schema, type) else schema
    return {name: found for name, one in made.fields.items() if (found := _of(one)) is not _NONE}


def _of(one: fields.Field[Any]) -> Any:
    if "example" in one.metadata:
        return one.metadata["example"]
    if isinstance(one, fields.Nested):
        inner = example_of(one.schema)
        return [inner] if one.many else inner
    if isinstance(one, fields.List):
        found = _of(one.inner)
        return _NONE if found is _NONE else [found]
    return None if one.required and one.allow_none else _NONE
