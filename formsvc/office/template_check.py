"""Tries a template out before it is put in use: held against what it may say, then written with the sample case.

A letter is a stranger's file: it is opened in the sandbox only, as the command line does.
"""

import copy
import io
import json
import re
import tempfile
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path
from typing import Final, cast

from lxml import etree

from formsvc.casework.letters import PROTECTED, LetterName
from formsvc.catalog import Catalog, shipped_folder
from formsvc.errors import Refused
from formsvc.letters import Face, LetterJob, open_case, sample_context, write_letter
from formsvc.model.form import FormId
from formsvc.model.kinds import LANGS, Lang
from formsvc.office.office import Office
from formsvc.office.template_store import Piece, check_size, content_of, keep, own_folder, put_in_use
from formsvc.parsers.sandbox import run_limited
from formsvc.protection import new_passphrase, unlock
from formsvc.renderers.compile import compile_form
from formsvc.renderers.letter_faults import TagFault, find_faults
from formsvc.renderers.word_file import check_word_file
from formsvc.settings import Settings, samples_folder

_FACES: Final[tuple[Face, ...]] = ("docx", "pdf")
_RUNS: Final = re.compile(r"vbaproject|activex|embeddings/|oleobject|afchunk|\.(bin|exe|js|vbs)$", re.IGNORECASE)
_LOADS: Final = re.compile(r"\b(INCLUDEPICTURE|INCLUDETEXT|DDEAUTO|DDE|IMPORT|LINK|MACROBUTTON)\b")
_LINKED: Final = re.compile(r"(https?|mailto):", re.IGNORECASE)
_WORD: Final = "{http://schemas.openxmlformats.org/wordprocessingml/2006/main}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Preview:
    """What a template makes of the sample, to be looked at."""

    content: bytes
    name: str
    kind: str


def try_out(office: Office, piece: Piece, content: bytes) -> tuple[TagFault, ...]:
    """Every fault of a letter with its paragraph; refuses whatever else cannot be used."""
    check_size(piece, content)
    with _tried(office.service.settings, piece, content) as catalog:
        match piece.kind:
            case "letter":
                return _letter(catalog, piece, content)
            case "mail":
                _sample(catalog, cast("LetterName", piece.name), "eml", "en")
                _sample(catalog, cast("LetterName", piece.name), "eml", "es")
            case "profile":
                run_limited(_read_profile, catalog)
                _laid_out(office, catalog, catalog.latest("worksheet"))
            case "wording":
                run_limited(_read_form, catalog, piece.form)
                _laid_out(office, catalog, piece.form)
    return ()


def preview(office: Office, piece: Piece, content: bytes) -> Preview:
    """A letter or mail of the sample case, or a blank form, as this template makes it."""
    with _tried(office.service.settings, piece, content) as catalog:
        if piece.kind == "letter":
            return Preview(content=_sample(catalog, cast("LetterName", piece.name), "pdf", piece.lang), name=f"{piece.name}-{piece.lang}-sample.pdf", kind="application/pdf")
        if piece.kind == "mail":
            return Preview(content=_sample(catalog, cast("LetterName", piece.name), "eml", "en"), name=f"{piece.name}-sample.eml", kind="message/rfc822")
        form = piece.form if piece.kind == "wording" else catalog.latest("worksheet")
        return blank(office, catalog, form, "en")


def blank(office: Office, catalog: Catalog, form_id: FormId, lang: Lang) -> Preview:
    """A blank form as it is laid out: without a document's number, so that nobody fills it in by mistake."""
    compiled = compile_form(catalog, form_id, {}, lang, office.service.settings.cache)
    return Preview(content=compiled.blank, name=f"{form_id.name}-v{form_id.version}-{lang}-blank.pdf", kind="application/pdf")


# ---------------------------------------------------------------- as if it were in use


@contextmanager
def _tried(settings: Settings, piece: Piece, content: bytes) -> Iterator[Catalog]:
    """The catalog as it would be; places in refusals are told within the agency's folder."""
    with tempfile.TemporaryDirectory(prefix="formsvc-template-") as name:
        folder = Path(name)
        for file in _own_files(settings):
            (folder / file).parent.mkdir(parents=True, exist_ok=True)
            (folder / file).symlink_to((settings.templates or folder) / file)
        target = folder / piece.path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.unlink(missing_ok=True)
        target.write_bytes(content)
        try:
            yield Catalog((folder, shipped_folder()))
        except Refused as refused:
            raise _within(refused, folder) from None


def _own_files(settings: Settings) -> Iterator[Path]:
    """The files of the agency's folder, without its versions."""
    if settings.templates is None:
        return
    for file in settings.templates.rglob("*"):
        inside = file.relative_to(settings.templates)
        if file.is_file() and not any(part.startswith(".") for part in inside.parts):
            yield inside


def _within(refused: Refused, folder: Path) -> Refused:
    told = copy.copy(refused)
    told.place, told.message = (text.replace(f"{folder}/", "") for text in (refused.place, refused.message))
    return told


# ---------------------------------------------------------------- letters


def _letter(catalog: Catalog, piece: Piece, content: bytes) -> tuple[TagFault, ...]:
    run_limited(check_safe, content)
    name = cast("LetterName", piece.name)
    if faults := run_limited(find_faults, content, sample_context(catalog, name)):
        return tuple(faults)
    for face in _FACES:
        _sample(catalog, name, face, piece.lang)
    return ()


def check_safe(content: bytes) -> None:
    """Refuse a Word file that carries what runs, or loads something from outside when it is opened."""
    check_word_file(content)
    with zipfile.ZipFile(io.BytesIO(content)) as package:
        for name in package.namelist():
            if _RUNS.search(name):
                raise Refused("letter-active", "", detail=name.rpartition("/")[2] or name)
            if name == "[Content_Types].xml" and b"macroEnabled" in package.read(name):
                raise Refused("letter-active", "", detail="macros")
            if name.endswith(".rels"):
                _check_relations(package.read(name))
            elif name.startswith("word/") and name.endswith(".xml"):
                _check_fields(package.read(name))


def _check_relations(source: bytes) -> None:
    for relation in _root(source):
        what, target = str(relation.get("Type", "")).rpartition("/")[2], str(relation.get("Target", ""))
        if what.lower() == "afchunk":
            raise Refused("letter-active", "", detail=what)
        if relation.get("TargetMode") == "External" and not (what == "hyperlink" and _LINKED.match(target)):
            raise Refused("letter-outside", "", detail=what)


def _check_fields(source: bytes) -> None:
    """Field codes may be cut into pieces, so they are read paragraph by paragraph."""
    for paragraph in _root(source).iter(f"{_WORD}p"):
        codes = "".join(node.text or "" for node in paragraph.iter(f"{_WORD}instrText")) + " ".join(str(node.get(f"{_WORD}instr", "")) for node in paragraph.iter(f"{_WORD}fldSimple"))
        if found := _LOADS.search(codes):
            raise Refused("letter-outside", "", detail=found[0])


def _root(source: bytes) -> etree._Element:
    try:
        return etree.fromstring(source, etree.XMLParser(resolve_entities=False, no_network=True))
    except etree.XMLSyntaxError as problem:
        raise Refused("letter-unreadable", "", detail="XMLSyntaxError") from problem


def _sample(catalog: Catalog, name: LetterName, face: Face, lang: Lang) -> bytes:
    """The letter of the sample case. A protected one is opened again: it is about nobody."""
    case = open_case(catalog, json.loads((samples_folder() / "cases" / "conference.json").read_bytes()))
    password = new_passphrase() if name in PROTECTED or catalog.letter(name).protected else None
    day = date.fromisoformat(case.conference.date) - timedelta(days=1)
    job = LetterJob(name=name, face=face, case=case, lang=lang, today=day, recipient=case.team[0] if name == "invitation" else None, password=password)
    content = write_letter(catalog, job).content
    return unlock(content, password) if password and face in ("docx", "pdf") else content


# ---------------------------------------------------------------- texts


def _read_profile(catalog: Catalog) -> None:
    """Read the profile; in the sandbox, for TOML may nest without end."""
    _ = catalog.profile


def _read_form(catalog: Catalog, form_id: FormId) -> None:
    catalog.form(form_id)


def _laid_out(office: Office, catalog: Catalog, form_id: FormId) -> None:
    """Refuse what no longer fits on its page."""
    for lang in LANGS:
        compile_form(catalog, form_id, {}, lang, office.service.settings.cache)


# ---------------------------------------------------------------- kept, put in use


def keep_tried(office: Office, piece: Piece, content: bytes) -> tuple[int | None, tuple[TagFault, ...]]:
    """Keep a template that is without fault; its number, or every fault."""
    own_folder(office.service.settings)
    if faults := try_out(office, piece, content):
        return None, faults
    return keep(office, piece, content), ()


def use_tried(office: Office, piece: Piece, number: int) -> None:
    """Put a version in use that can still be used now; refuses one with faults."""
    if faults := try_out(office, piece, content_of(office.service.settings, piece, number)):
        raise Refused("letter-faults", "", count=len(faults))
    put_in_use(office, piece, number)
