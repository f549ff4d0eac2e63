"""Reconciling: nothing is lost, order does not matter, a conflict exactly where both sides changed a field differently."""

import copy
import random
from collections.abc import Iterator, Mapping
from itertools import permutations
from typing import Any, Final

import pytest

from formsvc.casework.cells import all_rows, cells_of, row_identities, split_cell, values_of
from formsvc.casework.reconcile import Conflict, Contribution, Decision, merge, settle
from formsvc.model.form import Ask, Form
from formsvc.model.interpret import answer_texts
from formsvc.model.kinds import Choice, Choices, Day, Kind, LongText, Month, Number, Signature, Text, Tick, Time
from formsvc.model.record import Row
from formsvc.service import Service

FORMS: Final = ("worksheet", "fcch", "case-management", "conference-notes")
_TRIPLES: Final = 10_000
_WORDS: Final = ("Call the clinic", "Read together", "Visite a la familia", "李 and 王", "ok", "مرحبا", "a" * 300, "=1+1", " ", "Ñandú\nline two")


@pytest.fixture(params=FORMS)
def form(request: pytest.FixtureRequest, service: Service) -> Form:
    return service.form(request.param)


# ---------------------------------------------------------------- random records


def value(kind: Kind, chance: random.Random) -> Any:
    match kind:
        case Text() | LongText() | Signature():
            return chance.choice(_WORDS)
        case Number():
            return chance.randint(kind.least, min(kind.most, kind.least + 50))
        case Day():
            return f"2026-{chance.randint(1, 12):02d}-{chance.randint(1, 28):02d}"
        case Time():
            return f"{chance.randint(0, 23):02d}:{chance.randint(0, 59):02d}"
        case Month():
            return f"2026-{chance.randint(1, 12):02d}"
        case Tick():
            return True
        case Choice():
            return chance.choice(kind.options).code
        case Choices():
            return [option.code for option in kind.options if chance.random() < 0.4] or [kind.options[0].code]
    raise AssertionError(kind)


def answers(asks: tuple[Ask, ...], chance: random.Random, share: float) -> dict[str, Any]:
    return {ask.name: value(ask.kind, chance) for ask in asks if chance.random() < share}


def base_values(form: Form, chance: random.Random) -> dict[str, Any]:
    values = answers(form.asks, chance, 0.4)
    for group in form.groups:
        if rows := [answers(group.asks, chance, 0.3) for _ in range(chance.randint(0, 4))]:
            values[group.name] = rows
    return values


def edited(form: Form, values: Mapping[str, Any], chance: random.Random) -> dict[str, Any]:
    """The values as somebody changed them: written, rewritten, emptied, rows added."""
    changed = copy.deepcopy(dict(values))
    for _ in range(chance.randint(0, 6)):
        group = chance.choice((None, *form.groups))
        row = changed
        if group is not None:
            rows = changed.setdefault(group.name, [])
            if not rows or chance.random() < 0.2:
                rows.append({})
            row = chance.choice(rows)
        ask = chance.choice(group.asks if group else form.asks)
        if ask.name in row and chance.random() < 0.3:
            del row[ask.name]
        else:
            row[ask.name] = value(ask.kind, chance)
    return changed


def flat(form: Form, values: Mapping[str, Any]) -> dict[str, Any]:
    """The oracle's own cells: every answer by its key on the paper, an exclusive choice of boxes as one answer."""
    found = {}
    for place, answer in answer_texts(form, values):
        exclusive = place.option is not None and isinstance(place.ask.kind, Choice)
        found[place.key.rpartition("-")[0] if exclusive else place.key] = place.option.code if exclusive and place.option else answer
    return found


def as_key(cell: str) -> str:
    group, row, name = split_cell(cell)
    return f"{group}-{row[1:]}-{name}" if group else name


def triples(form: Form, seed: int, count: int) -> Iterator[tuple[dict[str, Any], dict[str, Any], dict[str, Any]]]:
    chance = random.Random(f"{form.id.name} {seed}")  # noqa: S311  (tests)
    for _ in range(count):
        base = base_values(form, chance)
        yield base, edited(form, base, chance), edited(form, base, chance)


# ---------------------------------------------------------------- the properties


def test_no_update_is_lost_and_conflicts_are_exactly_where_both_changed_differently(form: Form) -> None:
    """Ten thousand random triples over all forms, judged by an oracle that knows nothing of cells and rows."""
    for base, one, other in triples(form, 1, _TRIPLES // len(FORMS)):
        merged, swapped = merge(form, base, one, other), merge(form, base, other, one)
        b, o, t, m = (flat(form, values) for values in (base, one, other, merged.values))
        clashing = {key for key in b.keys() | o.keys() | t.keys() if o.get(key) != b.get(key) != t.get(key) and o.get(key) != t.get(key)}
        assert {as_key(conflict.cell) for conflict in merged.conflicts} == clashing
        for key in (b.keys() | o.keys() | t.keys()) - clashing:
            wanted = o.get(key) if o.get(key) != b.get(key) else t.get(key)
            assert m.get(key) == wanted, key
        assert (merged.values, _sides(merged.conflicts)) == (swapped.values, _sides(swapped.conflicts))
        for conflict in merged.conflicts:
            assert len(conflict.candidates) == 2


def _sides(conflicts: tuple[Conflict, ...]) -> list[tuple[str, list[Any]]]:
    return [(conflict.cell, [candidate.value for candidate in conflict.candidates]) for conflict in conflicts]


def test_the_order_of_many_returns_does_not_matter(form: Form) -> None:
    """Four copies in every order: the same record, the same questions."""
    rows = all_rows(form, {})
    for base, *copies in ((base, one, two, edited(form, base, random.Random(n)), edited(form, base, random.Random(-n))) for n, (base, one, two) in enumerate(triples(form, 2, 40), 1)):  # noqa: S311
        issued = cells_of(form, base, rows)
        contributions = [Contribution(source=f"return:{number}", issued=issued, returned=cells_of(form, values, rows)) for number, values in enumerate(copies)]
        settled = [settle(issued, order) for order in permutations(contributions)]
        assert all(one == settled[0] for one in settled)


def test_the_same_copy_again_says_nothing_new(form: Form) -> None:
    rows = all_rows(form, {})
    for base, one, _ in triples(form, 3, 100):
        issued = cells_of(form, base, rows)
        copies = [Contribution(source=f"return:{number}", issued=issued, returned=cells_of(form, one, rows)) for number in range(3)]
        assert settle(issued, copies).cells == settle(issued, copies[:1]).cells == cells_of(form, one, rows)
        assert settle(issued, copies).conflicts == ()


def test_a_record_is_its_cells_and_back(form: Form) -> None:
    rows = all_rows(form, {})
    for base, one, _ in triples(form, 4, 200):
        for values in (base, one):
            again = values_of(form, cells_of(form, values, rows), rows)
            assert cells_of(form, again, rows) == cells_of(form, values, rows)
            assert {key: answer for key, answer in flat(form, values).items() if key.count("-") == 0} == {key: answer for key, answer in flat(form, again).items() if key.count("-") == 0}


# ---------------------------------------------------------------- decisions


def contribution(source: str, issued: dict[str, Any], returned: dict[str, Any]) -> Contribution:
    return Contribution(source=source, issued=issued, returned=returned)


def test_a_decision_holds_for_what_the_person_saw() -> None:
    one, two = contribution("return:1", {}, {"x": "Call"}), contribution("return:2", {}, {"x": "Call them"})
    assert len(settle({}, [one, two]).conflicts) == 1
    settled = settle({}, [one, two], {"x": Decision(value="Call", seen=("Call", "Call them"))})
    assert (settled.cells, settled.conflicts) == ({"x": "Call"}, ())


def test_a_value_that_comes_after_the_decision_asks_again_and_the_decision_stands_meanwhile() -> None:
    three = contribution("return:3", {}, {"x": "Something much longer than that"})
    settled = settle({}, [contribution("return:1", {}, {"x": "Call"}), three], {"x": Decision(value="Call", seen=("Call", "Call them"))})
    assert settled.cells == {"x": "Call"}
    assert [candidate.value for candidate in settled.conflicts[0].candidates] == ["Call", "Something much longer than that"]


def test_an_emptied_field_against_a_rewritten_one_is_a_conflict_and_the_writing_stands() -> None:
    settled = settle({"x": "old"}, [contribution("return:1", {"x": "old"}, {}), contribution("return:2", {"x": "old"}, {"x": "new"})])
    assert settled.cells == {"x": "new"}
    assert [candidate.value for candidate in settled.conflicts[0].candidates] == ["new", None]


def test_a_held_cell_says_nothing() -> None:
    held = Contribution(source="return:1", issued={"x": "old"}, returned={}, held=frozenset({"x"}))
    assert settle({"x": "old"}, [held]).cells == {"x": "old"}


def test_rows_that_people_added_are_known_by_document_and_place(service: Service) -> None:
    """Two editions with an added row each have two added rows, not one in conflict."""
    form = service.form("worksheet")
    rows = row_identities(form, "AAAAAAAAAA", {"children": ("c1", "c2")}, {"children": [Row(), Row(), Row(child_name="New")]})
    assert rows["children"][:2] == ("c1", "c2")
    assert rows["children"][2].startswith("AAAAAAAAAA.2~")
