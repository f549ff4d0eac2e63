"""What is sent to have a form issued, with examples of every kind of answer."""

from collections.abc import Mapping
from typing import Any, Final, assert_never

from marshmallow import Schema, fields

from formsvc.model.form import Ask, Form
from formsvc.model.kinds import LANGS, Choice, Choices, Day, LongText, Month, Number, Signature, Stamp, Text, Tick, Time
from formsvc.model.schema import record_schema
from formsvc.web.api import make

PDF: Final = "application/pdf"
ISSUE: Final = "/forms/<form>/issue"
DOCUMENT: Final = "Formsvc-Document"


def issue_schema(form: Form) -> type[Schema]:
    """What is sent to have a form issued."""
    members: dict[str, Any] = {
        "values": fields.Nested(record_schema(form), allow_none=True, load_default=make.nothing, metadata={"example": example_values(form)}),
        "lang": make.one_of(LANGS, "The paper's language.", default="en"),
    }
    return type(f"{form.id.name}-wanted", (Schema,), members)


def example_values(form: Form) -> Mapping[str, Any]:
    """Values of every question, with one row for each group."""
    found: dict[str, Any] = {ask.name: _example(ask) for ask in form.asks}
    return found | {group.name: [{ask.name: _example(ask) for ask in group.asks}] for group in form.groups}


def _example(ask: Ask) -> Any:
    match ask.kind:
        case Text(limit=limit) | LongText(limit=limit):
            return ask.label.en[:limit]
        case Signature() | Stamp():
            return ask.label.en[:200]
        case Number(least=least):
            return least
        case Day():
            return "2026-11-12"
        case Time():
            return "09:30"
        case Month():
            return make.MONTH_EXAMPLE
        case Tick():
            return True
        case Choice(options=options):
            return options[0].code
        case Choices(options=options):
            return [options[0].code]
    assert_never(ask.kind)
