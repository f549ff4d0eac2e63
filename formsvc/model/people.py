"""Who may do what: the roles of people who sign in, and what each of them is for."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Final, Literal

from formsvc.model.kinds import Lang

Role = Literal["staff", "specialist", "coordinator", "supervisor", "administrator", "auditor"]
Right = Literal["papers", "review", "plan", "cases", "overview", "exports", "roster", "people", "templates", "logs", "health", "hooks"]

ROLES: Final[tuple[Role, ...]] = ("staff", "specialist", "coordinator", "supervisor", "administrator", "auditor")
RIGHTS: Final[Mapping[Role, frozenset[Right]]] = {
    "staff": frozenset({"papers", "review", "plan"}),
    "specialist": frozenset({"papers", "review", "plan"}),
    "coordinator": frozenset({"cases"}),
    "supervisor": frozenset({"papers", "review", "plan", "overview", "exports"}),
    "administrator": frozenset({"roster", "people", "templates", "logs", "health", "hooks"}),
    "auditor": frozenset({"logs", "health"}),
}
"""An administrator keeps the installation running and sees no child's paper by that; whoever needs both has both roles."""
EVERY_UNIT: Final = frozenset({"supervisor"})
"""Roles that see every unit; all others see those they are given."""
SECOND_FACTOR: Final = frozenset({"coordinator", "supervisor", "administrator", "auditor"})
"""Roles that need a second factor: what they see or change reaches beyond one unit."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Person:
    """Somebody who may sign in."""

    id: int
    name: str
    """What they sign in with."""
    shown: str
    roles: tuple[Role, ...]
    active: bool = True
    lang: Lang = "en"
    has_password: bool = False
    has_second: bool = False
    units: frozenset[int] = frozenset()
    """The units they were given."""

    def may(self, right: Right) -> bool:
        """Whether a role of theirs is for that."""
        return any(right in RIGHTS[role] for role in self.roles)

    @property
    def sees_every_unit(self) -> bool:
        """Whether they see units they were not given."""
        return bool(EVERY_UNIT.intersection(self.roles))

    def sees(self, unit: int) -> bool:
        """Whether they may see a unit's papers."""
        return self.may("papers") and (self.sees_every_unit or unit in self.units)

    @property
    def needs_second(self) -> bool:
        """Whether they must give a second factor."""
        return bool(SECOND_FACTOR.intersection(self.roles)) or self.has_second


def known_roles(names: Iterable[str]) -> tuple[Role, ...]:
    """The roles among these names, in their usual order."""
    wanted = set(names)
    return tuple(role for role in ROLES if role in wanted)
