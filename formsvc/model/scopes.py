"""What a program may be let do for somebody: each scope is part of a right that the person must have themselves."""

from collections.abc import Mapping
from typing import Final, Literal

from formsvc.model.people import Person, Right

Scope = Literal[
    "papers:read", "papers:issue", "returns:read", "returns:write", "records:read", "questions:read", "questions:write", "actions:read",
    "cases:read", "letters:write", "jobs:read", "jobs:write", "hooks:read", "hooks:write",
]

SCOPES: Final[Mapping[Scope, Right]] = {
    "papers:read": "papers",
    "papers:issue": "papers",
    "returns:read": "papers",
    "returns:write": "papers",
    "records:read": "papers",
    "questions:read": "review",
    "questions:write": "review",
    "actions:read": "papers",
    "cases:read": "cases",
    "letters:write": "cases",
    "jobs:read": "papers",
    "jobs:write": "papers",
    "hooks:read": "hooks",
    "hooks:write": "hooks",
}


def scopes_of(person: Person) -> tuple[Scope, ...]:
    """What somebody can let a program do: nothing that they may not do themselves."""
    return tuple(scope for scope, right in SCOPES.items() if person.may(right))
