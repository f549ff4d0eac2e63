"""Finds what is wrong with the tags of a Word template, with the paragraph each stands in."""

import io
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

import docx
import jinja2
from docx.oxml.ns import qn

from formsvc.errors import Refused
from formsvc.renderers.templating import TemplateEnvironment
from formsvc.renderers.word_file import BROKEN, check_word_file

TAG: Final = re.compile(r"(\{\{.*?\}\}|\{%.*?%\}|\{#.*?#\})", re.DOTALL)
_LOOSE: Final = re.compile(r"\{[{%#]|[}%#]\}")
_LOOP: Final = re.compile(r"for\s+(\w+)\s+in\s+(.+?)\s*$", re.DOTALL)
_CONDITION: Final = re.compile(r"(if|elif)\s+(.+)$", re.DOTALL)
_INNER: Final = re.compile(r"^\{[{%#](?:(?:p|tr|tc|r)(?=\s))?[-+]?\s*|\s*[-+]?[}%#]\}$", re.DOTALL)


@dataclass(frozen=True, slots=True, kw_only=True)
class TagFault:
    """A tag that is wrong: the paragraph it stands in (counted from 1, its first words) and why."""

    paragraph: int
    words: str
    detail: str


def find_faults(template: bytes, context: Mapping[str, Any]) -> list[TagFault]:
    """Every tag that is broken or names what the context does not have, in the order of the paragraphs."""
    return sorted(faults(template, context), key=lambda fault: fault.paragraph)


def faults(template: bytes, context: Mapping[str, Any]) -> Iterator[TagFault]:
    """The same one by one; a block that is never closed comes when its part of the document ends."""
    number = 0
    for part in _parts(template):
        reading = _Reading(context)
        for number, text in enumerate(part, start=number + 1):  # noqa: B020  (counting goes on over the parts)
            yield from reading.read(number, text)
        for block in reading.blocks:
            yield block.unclosed


def _parts(template: bytes) -> Iterator[list[str]]:
    """The texts of all paragraphs: of the header, the body, the footer."""
    check_word_file(template)
    try:
        document = docx.Document(io.BytesIO(template))
        section = document.sections[0]
        parts = (section.header._element, document.element.body, section.footer._element)
    except BROKEN as problem:
        raise Refused("letter-unreadable", "", detail=type(problem).__name__) from problem
    for part in parts:
        yield ["".join(piece.text or "" for piece in node.iter(qn("w:t"))) for node in part.iter(qn("w:p"))]


@dataclass(frozen=True, slots=True)
class _Block:
    """An open `if` or `for`: what was known before it, and the fault it is if nothing closes it."""

    kind: str
    known: Mapping[str, Any]
    unclosed: TagFault


class _Reading:
    """One part of a document, read from its start: what is known here, and which blocks are open."""

    def __init__(self, context: Mapping[str, Any]) -> None:
        self.blocks: list[_Block] = []
        self._environment = TemplateEnvironment()
        self._known: dict[str, Any] = dict(context)

    def read(self, number: int, text: str) -> Iterator[TagFault]:
        """What is wrong in one paragraph."""
        words = " ".join(text.split())[:40]
        for tag in TAG.findall(text):
            if detail := self._fault(tag, TagFault(paragraph=number, words=words, detail=f"“{tag}” is never closed")):
                yield TagFault(paragraph=number, words=words, detail=detail)
        if loose := _LOOSE.search(TAG.sub("", text)):
            yield TagFault(paragraph=number, words=words, detail=f"“{loose[0]}” has no counterpart in this paragraph")

    def _fault(self, tag: str, unclosed: TagFault) -> str:
        inner = _INNER.sub("", tag).strip()
        if tag.startswith("{#"):
            return ""
        if tag.startswith("{{"):
            return self._value(inner)[1]
        if inner in ("endif", "endfor", "else"):
            return self._closed(inner)
        if loop := _LOOP.match(inner):
            return self._loop(loop[1], loop[2], unclosed)
        if condition := _CONDITION.match(inner):
            return self._condition(condition[1], condition[2], unclosed)
        return f"“{tag}” is not a tag for letters"

    def _closed(self, word: str) -> str:
        kinds = {"endif": ("if",), "endfor": ("for",), "else": ("if", "for")}[word]
        if not self.blocks or self.blocks[-1].kind not in kinds:
            return f"“{word}” belongs to no open “{kinds[0]}”"
        if word != "else":
            self._known = dict(self.blocks.pop().known)
        return ""

    def _loop(self, name: str, expression: str, unclosed: TagFault) -> str:
        """A loop's variable (the first item) is known until the loop ends."""
        items, detail = self._value(expression)
        first = next(iter(items), None) if isinstance(items, list | tuple) else None
        self.blocks.append(_Block("for", dict(self._known), unclosed))
        self._known |= {name: _Anything() if first is None else first, "loop": _Anything()}
        return detail

    def _condition(self, word: str, expression: str, unclosed: TagFault) -> str:
        if word == "if":
            self.blocks.append(_Block("if", dict(self._known), unclosed))
        elif not self.blocks or self.blocks[-1].kind != "if":
            return "“elif” belongs to no open “if”"
        return self._value(expression)[1]

    def _value(self, expression: str) -> tuple[Any, str]:
        try:
            found = self._environment.compile_expression(expression, undefined_to_none=False)(**self._known)
            if isinstance(found, jinja2.Undefined):
                str(found)  # a StrictUndefined says what is missing
        except jinja2.TemplateSyntaxError as problem:
            return None, f"“{expression}”: {problem.message}"
        except (jinja2.TemplateError, TypeError, ValueError, ArithmeticError, OverflowError) as problem:
            return None, f"“{expression}”: {problem}"
        return found, ""


class _Anything:
    """Stands for an item of an empty list: nothing is known of it, so nothing is wrong with it."""

    def __getattr__(self, name: str) -> "_Anything":
        if name.startswith("_"):
            raise AttributeError(name)
        return self

    def __iter__(self) -> Iterator["_Anything"]:
        return iter(())

    def __str__(self) -> str:
        return ""
