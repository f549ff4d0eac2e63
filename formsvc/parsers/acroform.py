"""Reads a form that still has its fields, whichever program saved it."""

import re
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

import pikepdf
from pikepdf import Dictionary, Name, Pdf

from formsvc.catalog import Catalog
from formsvc.errors import Refused
from formsvc.model.form import Form, FormId, Place
from formsvc.model.kinds import Choice, is_box
from formsvc.model.layout import read_laid
from formsvc.model.record import Answer, Problem, Submission, problem
from formsvc.model.stamp import NAMESPACE, Read, Stamp, is_document, read_stamp, value_seal
from formsvc.model.values import ON, read_option
from formsvc.parsers.fields import Fields, Found, is_off, on_states, read_fields, read_text
from formsvc.parsers.shown import Damaged, Shown, same_text

_AA, _A, _AP, _SEAL = Name.AA, Name.A, Name.AP, Name.FSVCSeal
_SUFFIX: Final = re.compile(r"(\[\d+\]|#\d+)$")  # what merging and XFA tools put behind a name
_STAMP_NAME: Final = re.compile(r"stamp-[ab](-\d+)?")
_SHARE: Final = 0.5  # of a document's fields that must fit a form to be taken for it without a stamp


@dataclass(frozen=True, slots=True)
class Identity:
    """Which form a document is, and how certain that is."""

    form: Form
    stamp: Stamp | None
    sealed: bool
    problems: tuple[Problem, ...]


@dataclass(frozen=True, slots=True)
class Fielded:
    """What a form's fields say, and the answers whose fields the form should have and has not."""

    submission: Submission
    gone: frozenset[str]


def parse(pdf: Pdf, catalog: Catalog, key: bytes) -> Fielded:
    """The answers of a form with fields; refuses a document that is none of our forms."""
    fields = read_fields(pdf)
    identity = identify(pdf, fields, catalog, key)
    reading = _Reading(pdf, fields, identity, key)
    answers = reading.answers()
    if not answers:
        raise Refused("no-answers")
    submission = Submission(
        form=identity.form.id,
        document=identity.stamp.document if identity.stamp else "",
        source="acroform",
        answers=answers,
        problems=(*identity.problems, *reading.problems),
    )
    return Fielded(submission, _laid_places(identity) - answers.keys())


def _laid_places(identity: Identity) -> frozenset[str]:
    """The answers that the paper was laid out for, as its stamp tells; none if it does not."""
    stamp, form = identity.stamp, identity.form
    laid = read_laid(form, stamp.laid) if stamp is not None and stamp.version == form.id.version else None
    return frozenset(place.key for place in form.places(laid[1])) if laid is not None else frozenset()


# ---------------------------------------------------------------- which form


def base_name(name: str) -> str:
    """An answer key out of a qualified name: tools put parents before it and numbers behind it."""
    last = name.rpartition(".")[2]
    if last[-1:].isalnum() and "#" not in last:
        return last
    while (shorter := _SUFFIX.sub("", last)) != last:
        last = shorter
    return last


def identify(pdf: Pdf, fields: Fields, catalog: Catalog, key: bytes) -> Identity:
    """The form by its stamps, else by its metadata, else by the names of its fields."""
    stamps = _stamps(fields, key)
    documents = sorted({read.stamp.document for read in stamps})
    if not stamps:
        return _by_metadata(pdf, catalog) or _by_names(fields, catalog)
    first = stamps[0]
    problems = [] if all(read.sealed for read in stamps) else [problem("stamp-unverified")]
    if len(documents) > 1:
        problems.append(problem("stamps-differ", "", "error", names=", ".join(documents)))
    form = catalog.by_code(first.stamp.code, first.stamp.version)
    if form is None:
        form = _latest_by_code(catalog, first.stamp.code)
        problems.append(problem("other-version", "", "warning", found=first.stamp.version, used=form.id.version))
    sealed = all(read.sealed for read in stamps) and len(documents) == 1
    return Identity(form, first.stamp, sealed, tuple(problems))


def _stamps(fields: Fields, key: bytes) -> list[Read]:
    names = [(item, base_name(item.name)) for item in fields.found if "stamp-" in item.name]
    found = [read_stamp(read_text(item.value), key) for item, name in names if _STAMP_NAME.fullmatch(name)]
    return [read for read in found if read is not None]


def _latest_by_code(catalog: Catalog, code: str) -> Form:
    forms = [form for form in catalog.forms() if form.code == code]
    if not forms:
        raise Refused("foreign-form")
    return forms[0]


def _by_metadata(pdf: Pdf, catalog: Catalog) -> Identity | None:
    """The identity repeated in the metadata, when the stamps are gone; such a document is not certain."""
    stream = pdf.Root.get(Name.Metadata)
    if not isinstance(stream, pikepdf.Stream) or len(stream.read_raw_bytes()) > 100_000:  # noqa: PLR2004
        return None
    text = stream.read_bytes().decode("utf-8", "replace")
    if NAMESPACE not in text:
        return None
    facts = dict(re.findall(r'formsvc:(\w+)="([^"<>&]{0,200})"', text))
    document, version = facts.get("document", ""), facts.get("version", "")
    form_id = FormId(name=facts.get("form", ""), version=int(version) if version.isdecimal() else 0)
    if not is_document(document) or form_id not in catalog.ids():
        return None
    form = catalog.form(form_id)
    return Identity(form, Stamp(document=document, code=form.code, version=form_id.version), sealed=False, problems=(problem("stamp-unverified"),))


def _by_names(fields: Fields, catalog: Catalog) -> Identity:
    names = [base_name(found.name) for found in fields.found]
    best, count = None, 0
    for form in catalog.forms():
        fitting = sum(form.find(name) is not None for name in names)
        if fitting > count:
            best, count = form, fitting
    if best is None or count < max(3, _SHARE * len(names)):
        raise Refused("foreign-form")
    return Identity(best, None, sealed=False, problems=(problem("stamp-missing"),))


# ---------------------------------------------------------------- answers


class _Reading:
    """One document being read."""

    def __init__(self, pdf: Pdf, fields: Fields, identity: Identity, key: bytes) -> None:
        self._pdf, self._fields, self._identity, self._key = pdf, fields, identity, key
        self._shown = Shown()
        self._states: dict[tuple[int, int], frozenset[str]] = {}
        self._regenerated = _needs_appearances(pdf)
        self.problems: list[Problem] = []

    def answers(self) -> dict[str, Answer]:
        """The answers by key; everything odd about them becomes a problem."""
        by_key: defaultdict[str, list[Found]] = defaultdict(list)
        for found in self._fields.found:
            name = base_name(found.name)
            if name and not (name.startswith("stamp-") and _STAMP_NAME.fullmatch(name)):
                by_key[name].append(found)
        answers = {}
        for key, several in by_key.items():
            place = self._identity.form.find(key)
            first = several[0]
            raw = self._raw(first, place)
            if len(several) > 1:
                raw = self._repeated(key, several, [self._raw(found, place) for found in several])
            if raw or _AP in first.widget or _SEAL in first.widget:
                self._check(key, place, first, raw)
            if raw or place:
                answers[key] = Answer(raw=raw, page=first.page, box=first.box) if raw else Answer(raw="", page=first.page)
        self.problems += self._document_problems()
        self._take_markup(answers)
        return answers

    def _raw(self, found: Found, place: Place | None) -> str:
        boxed = is_box(place.ask.kind) if place else found.kind == "/Btn"
        if not boxed:
            return "signed" if found.kind == "/Sig" and found.value is not None else read_text(found.value)
        return ON if self._is_on(found) else ""

    def _is_on(self, found: Found) -> bool:
        """Whether a box is marked: the stored value, or the state where there is none."""
        if found.value is None:
            return not is_off(found.state)
        return not is_off(read_text(found.value))

    # ------------------------------------------------------------ doubts

    def _repeated(self, key: str, several: Sequence[Found], raws: Sequence[str]) -> str:
        """The answer of a name that stands on several widgets; one field with widgets of one value is ordinary."""
        owners = {_owner(found) for found in several}
        if len(owners) > 1 or len(set(raws)) > 1:
            self.problems.append(problem("repeated-field", key, "error" if len(set(raws)) > 1 else "warning", count=len(several)))
        return next((raw for raw in raws if raw), "")

    def _check(self, key: str, place: Place | None, found: Found, raw: str) -> None:
        try:
            shown = self._differently_shown(found, place, raw)
        except Damaged:
            shown = None
            self.problems.append(problem("text-unchecked", key, "warning"))
        if shown is not None:
            self.problems.append(problem("shown-differs", key, "warning", shown=shown[:60]))
        if self._identity.sealed and self._identity.stamp and _SEAL in found.widget:
            seal = found.widget[_SEAL]
            wanted = value_seal(self._key, self._identity.stamp.document, key, raw)
            if read_text(seal) != wanted:
                self.problems.append(problem("locked-value-changed", key))

    def _differently_shown(self, found: Found, place: Place | None, raw: str) -> str | None:
        """What the page shows, if it is something else than the answer."""
        if found.page == 0:
            return "nothing" if raw else None
        if found.kind == "/Btn" or (place and is_box(place.ask.kind)):
            return self._box_shown(found, marked=bool(raw))
        if self._regenerated or found.kind == "/Sig":
            return None  # every viewer draws these anew from the value
        if not raw and _AP not in found.widget:
            return None
        shown = self._shown.text(found.widget)
        if shown is None:
            return None
        text, continued = shown
        return None if _is_shown(text, raw, place, continued=continued) else text.strip() or "nothing"

    def _box_shown(self, found: Found, *, marked: bool) -> str | None:
        states = on_states(found.widget, self._states)
        drawn = found.state in states if states else not is_off(found.state)
        if drawn == marked:
            return None
        return "a marked box" if drawn else "an empty box"

    # ------------------------------------------------------------ the whole document

    def _document_problems(self) -> Iterator[Problem]:
        unlisted = sum(not found.listed and found.page > 0 for found in self._fields.found)
        if unlisted:
            yield problem("rebuilt-by-viewer", "", "warning", count=unlisted)
        active = active_content(self._pdf)
        if any(_AA in found.widget or (found.kind == "/Btn" and _A in found.widget) for found in self._fields.found):
            active.append("field actions")
        active += sorted(self._fields.active)
        if active:
            yield problem("active-content", "", "warning", detail=", ".join(active))

    def _take_markup(self, answers: dict[str, Answer]) -> None:
        """What was drawn or typed over empty fields with a markup tool is taken as meant, and a person is asked."""
        for page, box, said in self._fields.markup:
            key = self._under(page, box)
            place, before = self._identity.form.find(key), answers.get(key)
            if place is None or place.ask.locked or before is None or before.raw:
                self.problems.append(problem("ink-over-field", key))
            elif is_box(place.ask.kind):
                answers[key] = Answer(raw=ON, confidence=0.5, page=page, box=box)
                self.problems.append(problem("mark-unsure", key))
            elif said:
                answers[key] = Answer(raw=said, confidence=0.5, page=page, box=box)
                self.problems.append(problem("text-doubtful", key, "warning", suggestion=said[:60]))
            else:
                self.problems.append(problem("text-unread", key))

    def _under(self, page: int, box: tuple[float, float, float, float]) -> str:
        """The field that markup covers most of all, or empty."""
        best, most = "", 0.0
        for found in self._fields.found:
            if found.page == page:
                wide = min(box[2], found.box[2]) - max(box[0], found.box[0])
                high = min(box[3], found.box[3]) - max(box[1], found.box[1])
                if wide > 0 and high > 0 and wide * high > most:
                    best, most = base_name(found.name), wide * high
        return best


def _owner(found: Found) -> tuple[int, int]:
    """The field a widget belongs to: itself, or its parent when it has no name of its own."""
    parent = found.widget.get("/Parent")
    if Name.T not in found.widget and isinstance(parent, Dictionary):
        return parent.objgen
    return found.widget.objgen


def _needs_appearances(pdf: Pdf) -> bool:
    form = pdf.Root.get(Name.AcroForm)
    return isinstance(form, Dictionary) and bool(form.get(Name.NeedAppearances, False))


def _is_shown(text: str, raw: str, place: Place | None, *, continued: bool) -> bool:
    if same_text(text, raw, continued=continued):
        return True
    if place and isinstance(place.ask.kind, Choice):
        options = place.ask.kind.options
        code = read_option(raw, options)
        meant = [option for option in options if option.code == code]
        return any(same_text(text, label, continued=continued) for option in meant for label in (option.label.en, option.label.es, option.code))
    return False


def active_content(pdf: Pdf) -> list[str]:
    """What a document would do by itself: it is reported, never run, never carried on."""
    root = pdf.Root
    names = root.get(Name.Names)
    form = root.get(Name.AcroForm)
    found = []
    if Name.OpenAction in root and isinstance(root.OpenAction, Dictionary):
        found.append(f"an action on opening ({str(root.OpenAction.get(Name.S, '')).removeprefix('/') or 'unknown'})")
    if Name.AA in root:
        found.append("document actions")
    if isinstance(names, Dictionary) and Name.JavaScript in names:
        found.append("JavaScript")
    if isinstance(names, Dictionary) and Name.EmbeddedFiles in names:
        found.append("embedded files")
    if isinstance(form, Dictionary) and Name.XFA in form:
        found.append("an XFA form")
    return found
