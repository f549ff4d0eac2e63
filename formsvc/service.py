"""The few things a person can do: issue a form, read it back. Everything above calls only this."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from formsvc.casework.rules import judge
from formsvc.catalog import Catalog, shipped_folder
from formsvc.documents import Documents, Issue, Lookup
from formsvc.errors import Refused
from formsvc.files import read_file
from formsvc.model.form import Form
from formsvc.model.interpret import interpret
from formsvc.model.kinds import Lang
from formsvc.model.layout import CompiledForm
from formsvc.model.record import Answer, Problem, Record, Submission, Values, problem
from formsvc.model.schema import load_values
from formsvc.model.stamp import Stamp, in_words, is_document, new_document
from formsvc.parsers import triage
from formsvc.parsers.allowance import FIRST_STEP, Allowance
from formsvc.parsers.page import BoxPicture
from formsvc.parsers.sandbox import start_limited
from formsvc.reading import Paper, Part, beside_fields, read_boxes, read_paper
from formsvc.renderers.compile import compile_form
from formsvc.renderers.fill import fill
from formsvc.settings import Settings


@dataclass(frozen=True, slots=True, kw_only=True)
class Issued:
    """A document made for a person, and what they should know about it."""

    document: str
    content: bytes
    values: Values
    problems: tuple[Problem, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Received:
    """A document that came back: as found, and as understood."""

    submission: Submission
    record: Record


@dataclass(frozen=True, slots=True, kw_only=True)
class ReceivedPart:
    """Some pages of a file (from 1; none: the whole file): a document that was understood, or why they could not be read."""

    pages: tuple[int, ...]
    document: str = ""
    received: Received | None = None
    refused: Refused | None = None


def nothing_known(_document: str) -> Issue | None:
    """The look-up of an installation without a store."""
    return None


def open_catalog(settings: Settings) -> Catalog:
    """The forms of this installation: the agency's own first."""
    own = (settings.templates,) if settings.templates else ()
    return Catalog((*own, shipped_folder()))


class Service:
    """One installation at work."""

    def __init__(self, settings: Settings) -> None:
        """Open the catalog; nothing is compiled yet."""
        self.settings = settings
        self.catalog = open_catalog(settings)

    def form(self, name: str) -> Form:
        """The newest version of a form."""
        return self.catalog.form(self.catalog.latest(name))

    def count_rows(self, form: Form, rows: Mapping[str, int]) -> None:
        """Refuse rows for groups that the form does not have."""
        for name in rows:
            if form.group(name) is None:
                raise Refused("rows-option-invalid", "", detail=f"{name}: the groups are {', '.join(group.name for group in form.groups)}")

    def compiled(self, form: Form, values: Values, lang: Lang, rows: Mapping[str, int] | None = None) -> CompiledForm:
        """The form laid out for these values (and at least so many rows); a group without values gets its blank rows."""
        counts = {}
        for group in form.groups:
            given = values.get(group.name)
            filled = len(given) if isinstance(given, list) else 0
            counts[group.name] = max((rows or {}).get(group.name, 0), filled) or group.blank
        return compile_form(self.catalog, form.id, counts, lang, self.settings.cache)

    def issue(self, name: str, data: Mapping[str, Any] | None, *, lang: Lang = "en", document: str | None = None, rows: Mapping[str, int] | None = None) -> Issued:
        """A fillable document with these values; without data a blank form with its usual rows.

        Refuses data that does not fit the form, naming every place.
        """
        form = self.form(name)
        self.count_rows(form, rows or {})
        values = checked_values(form, blank_values(form) if data is None else data)
        return self.fill(form, values, lang=lang, document=document, rows=rows)

    def fill(self, form: Form, values: Values, *, lang: Lang, document: str | None = None, rows: Mapping[str, int] | None = None) -> Issued:
        """A fillable document with values that are known to fit the form."""
        compiled = self.compiled(form, values, lang, rows)
        stamp = Stamp(document=document or new_document(), code=form.code, version=form.id.version)
        if not is_document(stamp.document):
            raise Refused("values-invalid", "document", detail=f"“{document}” is not a document id")
        filled = fill(compiled, values, stamp, self.settings.key)
        return Issued(document=stamp.document, content=filled.content, values=values, problems=filled.problems)

    def read(self, content: bytes, *, password: str | None = None, expected: str | None = None) -> Received:
        """The record in a document that came back; refuses what cannot be read."""
        received = self.understand(content, password=password)
        record = received.record
        rules = judge(self.catalog.form(record.form), record.values)
        return replace(received, record=replace(record, problems=(*record.problems, *_expected(received.submission, expected), *rules)))

    def understand(self, content: bytes, *, password: str | None = None) -> Received:
        """The record in a document, field by field: not yet judged by the rules across fields. Refuses a file of several documents."""
        return self.one_of(self.begin(content, password=password)())

    def begin(self, content: bytes, *, password: str | None = None, lookup: Lookup = nothing_known) -> Callable[[], tuple[ReceivedPart, ...]]:
        """Begin to understand a file in another process; call the result once to have the documents in it.

        Prints and pictures are read with what `lookup` knows of their documents. Refuses a file that holds nothing of ours.
        """
        running = start_limited(triage.read, content, self.catalog, self.settings.key, password, limits=FIRST_STEP)

        def finish() -> tuple[ReceivedPart, ...]:
            found = running.result()
            if found.submission is not None and not found.pictured and not found.gone:
                return (self._part(Part(pages=(), document=found.submission.document, submission=found.submission)),)
            paper, known = Paper(content=content, password=password, pages=found.pages, allowance=Allowance(running.seconds)), self._documents(lookup)
            return tuple(map(self._part, read_paper(paper, known) if found.submission is None else beside_fields(paper, known, found)))

        return finish

    def boxes(self, content: bytes, document: str, boxes: frozenset[str], lookup: Lookup) -> Mapping[str, BoxPicture]:
        """Boxes of a document on a paper, as pictures; refuses what cannot be read."""
        return read_boxes(Paper(content=content), self._documents(lookup), document, boxes)

    def _documents(self, lookup: Lookup) -> Documents:
        return Documents(self.catalog, self.settings.key, self.settings.cache, lookup)

    def _part(self, part: Part) -> ReceivedPart:
        submission = part.submission
        received = Received(submission=submission, record=interpret(self.catalog.form(submission.form), submission)) if submission is not None else None
        return ReceivedPart(pages=part.pages, document=part.document, received=received, refused=part.refused)

    def one_of(self, parts: tuple[ReceivedPart, ...]) -> Received:
        """The only document in a file; pages that are not of ours are told, several documents are refused."""
        found = [part.received for part in parts if part.received is not None]
        refused = [part for part in parts if part.refused is not None]
        if not found and refused and refused[0].refused is not None:
            raise refused[0].refused
        if len(found) != 1 or any(part.document for part in refused):
            documents = [in_words(part.document) for part in parts if part.document]
            raise Refused("several-documents", "", names=", ".join(documents))
        received = found[0]
        strange = tuple(problem("page-strange", "", "warning", page=page) for part in refused for page in part.pages)
        return replace(received, record=replace(received.record, problems=(*received.record.problems, *strange))) if strange else received

    def read_file(self, file: Path, *, password: str | None = None, expected: str | None = None) -> Received:
        """The same for a file; a refusal names it."""
        content = read_file(file, self.settings.most_megabytes)
        try:
            return self.read(content, password=password, expected=expected)
        except Refused as refused:
            raise refused.at(str(file)) from refused


def blank_values(form: Form) -> dict[str, Any]:
    """What even a blank form has written on it: the preset rows of its groups."""
    return {group.name: [dict(row) for row in group.presets] for group in form.groups if group.presets}


def checked_values(form: Form, data: Mapping[str, Any]) -> Values:
    """Values in their one spelling; refuses with every place that is wrong."""
    values, problems = load_values(form, data)
    if problems:
        first = problems[0]
        more = "".join(f"\n{found.field}: {found.message}" for found in problems[1:])
        raise Refused("values-invalid", first.field, detail=first.message.rstrip(".") + more.replace("\n", "; "))
    return values


def _expected(submission: Submission, expected: str | None) -> tuple[Problem, ...]:
    if expected is None or expected == submission.document:
        return ()
    found = in_words(submission.document) if submission.document else "unknown"
    return (problem("other-document", "", "error", found=found, wanted=in_words(expected)),)


def written_answers(submission: Submission) -> Mapping[str, Answer]:
    """The answers that hold something."""
    return {key: answer for key, answer in submission.answers.items() if answer.raw}
