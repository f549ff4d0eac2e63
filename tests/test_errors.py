"""The words for what can be wrong: one table, all of it used, every sentence whole.

1. Every code that is used stands in the table, and every code of the table is used.
2. Every sentence gives the problem and what to do, and gets every fact it needs.
3. A refusal survives the way between processes.
"""

import ast
import pickle
import re
import string
from collections.abc import Iterator
from pathlib import Path

import pytest

from formsvc.errors import WORDING, Refused, word

FOLDER = Path(__file__).parent.parent / "formsvc"
TREES = {file.relative_to(FOLDER.parent): ast.parse(file.read_text(encoding="utf-8")) for file in sorted(FOLDER.rglob("*.py"))}
MAKERS = {"Refused": "message", "problem": "message", "word": "message", "Misread": "code", "_refuse": "code"}


def calls() -> Iterator[tuple[str, ast.Call]]:
    """Every call that words a problem, with its place."""
    for file, tree in TREES.items():
        for node in ast.walk(tree):
            if isinstance(node, ast.Call):
                name = node.func.id if isinstance(node.func, ast.Name) else node.func.attr if isinstance(node.func, ast.Attribute) else ""
                if name in MAKERS and node.args:
                    yield f"{file}:{node.lineno}", node


def codes_of(node: ast.expr) -> Iterator[str]:
    """The codes that an argument can be: a text, or one of two."""
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        yield node.value
    elif isinstance(node, ast.IfExp):
        yield from codes_of(node.body)
        yield from codes_of(node.orelse)


def facts_of(code: str) -> set[str]:
    """The facts that a wording asks for."""
    wording = WORDING[code]
    return {name for text in (wording.problem, wording.remedy) for _, name, _, _ in string.Formatter().parse(text) if name}


def test_every_code_that_is_used_is_in_the_table() -> None:
    """No refusal and no problem has a code without words."""
    unknown = {(place, code) for place, call in calls() for code in codes_of(call.args[0]) if code not in WORDING}
    assert unknown == set()


def test_every_code_of_the_table_is_used() -> None:
    """No wording stands there for nothing."""
    nodes = [node for file, tree in TREES.items() if file.name != "errors.py" for node in ast.walk(tree)]
    texts = {node.value for node in nodes if isinstance(node, ast.Constant) and isinstance(node.value, str)}
    built = [pattern for node in nodes if isinstance(node, ast.JoinedStr) and (pattern := _pattern(node)).startswith(("no", "un", "too"))]
    assert {code for code in WORDING if code not in texts and not any(re.fullmatch(pattern, code) for pattern in built)} == set()


def _pattern(node: ast.JoinedStr) -> str:
    """What a text with parts filled in can be; only one that begins like a code is of use."""
    return "".join(re.escape(part.value) if isinstance(part, ast.Constant) and isinstance(part.value, str) else "[a-z]+" for part in node.values)


def test_every_call_gives_the_facts_of_its_wording() -> None:
    """A sentence never ends in a KeyError: each call names every fact its wording asks for."""
    lacking = []
    for place, call in calls():
        given = {keyword.arg for keyword in call.keywords}
        name = call.func.id if isinstance(call.func, ast.Name) else ""
        if None in given or name not in ("Refused", "problem", "word"):
            continue
        lacking += [(place, code, missing) for code in codes_of(call.args[0]) if code in WORDING and (missing := facts_of(code) - given)]
    assert lacking == []


@pytest.mark.parametrize("code", WORDING)
def test_a_wording_is_two_sentences(code: str) -> None:
    """A code is kebab case; its words are a problem and a remedy that ends with a full stop."""
    wording = WORDING[code]
    assert re.fullmatch(r"[a-z]+(-[a-z]+)*", code)
    assert wording.problem
    assert not wording.problem.endswith(".")
    assert wording.remedy.endswith((".", ".)"))
    said = word(code, **dict.fromkeys(facts_of(code), "it"))
    assert said[:1] == said[:1].upper()
    assert not re.search(r"(?<!\.)\.\.(?!\.)", said)
    assert "{" not in said.replace('{"site": …}', "")


def test_facts_are_not_read_as_wording() -> None:
    """Braces in what a person wrote are only text."""
    assert "“{raw} {0}”" in word("not-a-tick", raw="{raw} {0}")


@pytest.mark.parametrize(("expected", "refused"), [
    ("The file is empty. Download or scan it again.", Refused("file-empty")),
    ("x.pdf: The file is empty. Download or scan it again.", Refused("file-empty", "x.pdf")),
    ("x.pdf: The file is empty. Download or scan it again.", Refused("file-empty").at("x.pdf")),
    ("x.pdf: The file is empty. Download or scan it again.", Refused("file-empty", "x.pdf").at("y.pdf")),
])  # fmt: skip
def test_a_refusal_says_place_problem_remedy(expected: str, refused: Refused) -> None:
    """A refusal is one sentence with its place first; a place once known is kept."""
    assert expected == refused.message == str(refused)


@pytest.mark.parametrize("refused", [Refused("file-empty"), Refused("file-too-large", "x.pdf", size=60, most=50), Refused("scan").at("{x}.pdf")])
def test_a_refusal_survives_the_way_between_processes(refused: Refused) -> None:
    """Code, place and message are the same after pickling."""
    again = pickle.loads(pickle.dumps(refused))  # noqa: S301
    assert (refused.code, refused.place, refused.message, str(refused)) == (again.code, again.place, again.message, str(again))


def test_an_unknown_code_is_a_mistake_of_ours() -> None:
    """A code without words is found at once, not printed."""
    with pytest.raises(KeyError):
        Refused("no-such-code")
