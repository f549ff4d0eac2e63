"""Spanish everywhere: every sentence of the wording table, every word of a page.

1. Every code has a Spanish sentence with the same facts, and every English message is found again.
2. Facts of our own words are said in Spanish, as the forms say them; what people wrote stays as it is.
3. Every word of a page is in the catalog, translated, and compiled.
"""

import ast
import io
import re
import string
from collections.abc import Iterator
from html.parser import HTMLParser
from pathlib import Path
from typing import Any, Final

import pytest
from babel.messages.catalog import Catalog, Message
from babel.messages.extract import extract_from_dir
from babel.messages.frontend import parse_mapping_cfg
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po
from jinja2 import Environment

from formsvc.errors import WORDING, Refused, Wording, word
from formsvc.settings import PACKAGE
from formsvc.wording_es import FACTS, SPANISH, in_spanish
from tests.offices import open_test_office
from tests.small_forms import FORMS, SHIPPED
from tests.web import web_app

WORDS: Final = PACKAGE / "translations" / "es" / "LC_MESSAGES"
TEMPLATES: Final = sorted(file for file in (PACKAGE / "templates").rglob("*.html") if '<html lang="en">' not in file.read_text(encoding="utf-8"))
"""All but those that say that they are English: the reference for programmers."""
NAMES: Final = frozenset({"formsvc", "English", "Español", "PDF", "CSV", "Excel", "Word", "ZIP", "ES", "https", "msg"})
"""What is the same in every language."""


def facts_of(wording: Wording) -> list[str]:
    """The facts that a wording asks for."""
    return sorted({name for text in (wording.problem, wording.remedy) for _, name, _, _ in string.Formatter().parse(text) if name})


def spanish(code: str, **facts: object) -> str:
    """The Spanish sentence of a code as the table has it."""
    text = f"{SPANISH[code].problem}. {SPANISH[code].remedy}".format_map(facts)
    return text[:1].upper() + text[1:]


# ---------------------------------------------------------------- the wording table


def test_every_code_has_a_spanish_sentence() -> None:
    """No code is without Spanish, and no Spanish is without a code."""
    assert set(WORDING) == set(SPANISH)


@pytest.mark.parametrize("code", WORDING)
def test_a_spanish_sentence_has_the_facts_of_the_english_one(code: str) -> None:
    """A problem without a full stop, a remedy with one, the same facts, and not the English words."""
    english, wording = WORDING[code], SPANISH[code]
    assert facts_of(english) == facts_of(wording)
    assert re.match(r"[a-záéíóúñ{“]|R\d+: |PDF", wording.problem)
    assert not wording.problem.endswith(".")
    assert wording.remedy.endswith((".", ".)"))
    assert english.remedy != wording.remedy
    assert english.problem != wording.problem or english.problem == "{detail}"


@pytest.mark.parametrize("code", WORDING)
def test_every_message_is_said_in_spanish(code: str) -> None:
    """Its place and its facts are in it and nothing else of the English, whether its code is known or not."""
    facts: dict[str, object] = {name: f"«{number} {name}»" for number, name in enumerate(facts_of(WORDING[code]))}
    for place in ("", "x.pdf", "a: b.zip: Hoja 1"):
        expected = f"{place}: {spanish(code, **facts)}" if place else spanish(code, **facts)
        message = Refused(code, place, **facts).message
        assert expected == in_spanish(message, code) == in_spanish(message)


def test_a_wrong_code_does_not_hide_a_sentence() -> None:
    """The sentence counts, not the code it is kept with."""
    assert in_spanish(word("too-long", count=7, most=5), "values-invalid") == spanish("too-long", count=7, most=5)


@pytest.mark.parametrize("text", ["", "was here", "The file is empty.", "The file is empty. Download or scan it again, please."])
def test_what_is_not_of_the_table_stays(text: str) -> None:
    """Nothing is said half."""
    assert text == in_spanish(text) == in_spanish(text, "file-empty") == in_spanish(text, "no-such-code")


@pytest.mark.parametrize("raw", ["x” and “y", "a: b: {raw} {0}", "día\n30", "The file is empty. Download or scan it again."])
def test_what_people_wrote_stays_whole(raw: str) -> None:
    """Whatever stands in a fact, nothing of it is lost or read as our own words."""
    assert raw in in_spanish(word("unreadable-value", raw=raw, kind="day", example="11/05/2026"), "unreadable-value")


@pytest.mark.parametrize("text", [": " * 50_000, ": “" * 30_000 + "” is none of the choices. ", "“" * 3000 + "” is none of the choices. " * 3000, "1: " * 30_000 + "2 children fit. Give the child's id, as the roster has it. "])
def test_a_hostile_message_takes_no_long_time(text: str) -> None:
    """The time to find a sentence grows with the message's length, not with its square."""
    unfinished = f"{text} x"
    assert unfinished == in_spanish(unfinished) == in_spanish(unfinished, "not-an-option") == in_spanish(unfinished, "child-not-certain")


def test_sentences_inside_a_sentence_are_spanish_too() -> None:
    """Reasons and details that are sentences of the table are said in Spanish, one by one."""
    reasons: list[tuple[str, dict[str, object]]] = [("password-short", {"least": 12, "words": 3}), ("password-common", {}), ("password-personal", {"what": "a name"})]
    told = Refused("password-guessable", "", reasons=" ".join(word(code, **facts) for code, facts in reasons)).message
    expected = " ".join(spanish(code, **{**facts, **({"what": "un nombre"} if "what" in facts else {})}) for code, facts in reasons)
    assert spanish("password-guessable", reasons=expected) == in_spanish(told)
    lacking = "; ".join(word("no-consent-to-share", who=who) for who in ("Al; B", "Cy"))
    assert spanish("no-consent", detail="; ".join(spanish("no-consent-to-share", who=who) for who in ("Al; B", "Cy"))) == in_spanish(word("no-consent", detail=lacking))


def test_facts_are_named_as_in_the_sentences() -> None:
    """Each group of translated facts belongs to a fact of the table."""
    assert set(FACTS) <= {name for wording in WORDING.values() for name in facts_of(wording)}


def test_roles_are_called_as_on_the_forms() -> None:
    """One role has one Spanish name."""
    roles = {option.label.en: option.label.es for form in FORMS for group in form.groups for ask in group.asks if ask.name == "role" for option in getattr(ask.kind, "options", ())}
    assert {role: words for role, words in roles.items() if role != words} == FACTS["role"]


def test_content_is_called_as_on_the_forms() -> None:
    """The questions that a sentence lists have the forms' Spanish names."""
    labels = {ask.short.en.lower(): ask.short.es.lower() for form in FORMS for group in form.groups for ask in group.asks}
    assert {name: labels.get(name) for name in FACTS["content"]} == FACTS["content"]


def test_monitoring_is_called_as_in_the_profile() -> None:
    """What falls due has the profile's Spanish name."""
    assert {window.title.en: window.title.es for window in SHIPPED.profile.procedure.monitoring} == FACTS["title"]


# ---------------------------------------------------------------- the words of pages


def catalog() -> Catalog:
    """The translations as they are kept."""
    with (WORDS / "messages.po").open("rb") as file:
        return read_po(file, locale="es")


def messages(of: Catalog) -> dict[Any, Message]:
    """Messages by their English, without the head."""
    return {message.id: message for message in of if message.id}


def placeholders(text: str) -> list[str]:
    """What is filled in."""
    return sorted(set(re.findall(r"%\(\w+\)[sd]|%%", text)))


def forms(text: Any) -> tuple[str, ...]:
    """A message's one text, or its singular and plural."""
    return (text,) if isinstance(text, str) else tuple(text)


def gathered() -> set[Any]:
    """Every message that a page or a module of the web asks for."""
    with (WORDS.parents[1] / "babel.cfg").open(encoding="utf-8") as file:
        methods, options = parse_mapping_cfg(file)  # type: ignore[no-untyped-call]
    return {message for _, _, message, _, _ in extract_from_dir(PACKAGE, methods, options)}


def test_every_word_of_a_page_is_in_the_catalog() -> None:
    """`make words` was typed after the last change: nothing is missing, nothing is left over."""
    assert gathered() == set(messages(catalog()))


def asked(file: Path) -> set[str]:
    """The texts that a module asks to be translated, wherever they stand in it."""
    calls = (node for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))) if isinstance(node, ast.Call) and node.args)
    named = (call.args[0] for call in calls if getattr(call.func, "id", getattr(call.func, "attr", "")) in ("gettext", "ngettext"))
    return {argument.value for argument in named if isinstance(argument, ast.Constant) and isinstance(argument.value, str)}


def test_no_word_hides_where_it_is_not_gathered() -> None:
    """Texts inside an f-string, or in a room that is not looked through, would stay English."""
    known = {text for message in messages(catalog()) for text in forms(message)}
    assert {(file.name, text) for file in PACKAGE.rglob("*.py") for text in asked(file) - known} == set()


def test_every_word_is_translated() -> None:
    """Each message has Spanish with the same placeholders; none is a guess, none is obsolete."""
    known = catalog()
    assert not known.obsolete
    for message in messages(known).values():
        english, said = forms(message.id), forms(message.string)
        assert not message.fuzzy, message.id
        assert len(said) == (1 if isinstance(message.id, str) else known.num_plurals), message.id
        assert all(text.strip() for text in said), message.id
        assert all(placeholders(text) == placeholders(english[-1]) for text in said), message.id
        assert all(text[-1:] in ".?!…:" for text in said) or english[-1][-1:] not in ".?!:", message.id


def test_the_compiled_catalog_is_that_of_the_translations() -> None:
    """What the service reads is what was translated."""
    compiled = io.BytesIO()
    write_mo(compiled, catalog())
    assert compiled.getvalue() == (WORDS / "messages.mo").read_bytes()


class _Texts(HTMLParser):
    """What a reader sees or hears of a page."""

    def __init__(self) -> None:
        super().__init__()
        self.found: list[str] = []
        self._inside = ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self._inside = tag
        self.found += [value for name, value in attrs if value and name in ("aria-label", "title", "alt", "placeholder", "data-confirm")]

    def handle_data(self, data: str) -> None:
        if self._inside not in ("script", "style", "code", "pre"):
            self.found.append(data)


def _data(template: Path) -> Iterator[str]:
    """A template's own text; a space stands for what is filled in. Attributes that are set aside for a tag are no text."""
    block: list[str] = []
    aside = False
    for _, kind, text in Environment(autoescape=True).lex(template.read_text(encoding="utf-8")):
        block = [] if kind == "block_begin" else [*block, text] if kind in ("name", "operator") else block
        if kind == "block_end" and block[0] in ("set", "endset"):
            aside = block[0] == "set" and "=" not in block
        elif kind == "data" and not aside:
            yield text
        elif kind == "variable_end":
            yield " "


@pytest.mark.parametrize("template", TEMPLATES, ids=lambda template: template.name)
def test_a_template_has_no_words_of_its_own(template: Path) -> None:
    """Every word on a page goes through the catalog."""
    reader = _Texts()
    reader.feed("".join(_data(template)))
    words = {found for text in reader.found for found in re.findall(r"[^\W\d_]{2,}", text)}
    assert words - NAMES == set()


def test_a_page_and_what_went_wrong_are_spanish(tmp_path: Path, blanks: Path) -> None:
    """A browser that asks for Spanish gets Spanish, and so does a refusal."""
    client = web_app(open_test_office(tmp_path, blanks)).test_client()
    asked = {"Accept-Language": "es-MX,es;q=0.9"}
    assert "Iniciar sesión" in client.get("/sign-in", headers=asked).text
    assert "Este enlace ya se usó o es demasiado antiguo." in client.get("/link/no-such-link", headers=asked, follow_redirects=True).text
