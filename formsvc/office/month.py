"""The papers of a month for every unit: made once, made again only where something changed."""

import re
import unicodedata
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from sqlalchemy import Connection, select
from sqlalchemy.exc import IntegrityError

from formsvc.casework.cells import all_rows, cells_of, values_of
from formsvc.casework.prefill import FORMS, Prefilled, not_yet, papers
from formsvc.errors import Refused, word
from formsvc.files import write_file
from formsvc.model.form import Form
from formsvc.model.kinds import Lang, Month
from formsvc.model.record import Values
from formsvc.model.stamp import in_words, new_document
from formsvc.model.values import write_value
from formsvc.office.office import Office
from formsvc.office.sheets import settle_from, written_on
from formsvc.office.units import unit_month
from formsvc.renderers.packet import Paper, packet
from formsvc.renderers.packet_cover import Cover
from formsvc.service import checked_values
from formsvc.store.digest import stored_digest
from formsvc.store.papers import Document, add_document, counted_returns, make_sheet, newest_documents, read_documents, read_sheet, read_sheets
from formsvc.store.roster import Unit, read_units
from formsvc.store.schema import documents, files
from formsvc.store.store import settle_file

_TRIES: Final = 3
_MONTH: Final[Mapping[Lang, str]] = {"en": "Month", "es": "Mes"}
_SITE: Final[Mapping[Lang, str]] = {"en": "Site", "es": "Centro"}


@dataclass(frozen=True, slots=True, kw_only=True)
class UnitResult:
    """What became of a unit's papers. `skipped` and `failed` are sentences for people."""

    unit: Unit
    documents: tuple[Document, ...] = ()
    made: int = 0
    skipped: str = ""
    failed: str = ""


def issue_month(office: Office, month: str, *, site: str | None = None, unit: str | None = None, lang: Lang | None = None) -> Iterator[UnitResult]:
    """The papers of every unit, one unit after the other; a unit that fails is told and does not stop the rest."""
    with office.store.reading() as connection:
        units = read_units(connection, site, unit)
    for one in units:
        try:
            yield issue_unit(office, one, month, lang)
        except Refused as refused:
            yield UnitResult(unit=one, failed=refused.message)


def issue_unit(office: Office, unit: Unit, month: str, wanted: Lang | None = None) -> UnitResult:
    """A unit's papers of a month: those that stand, and new editions where what is printed changed.

    Without a wanted language the papers keep the one they have (English at first).
    """
    with office.store.reading() as connection:
        lang = wanted or _language(connection, unit, month)
        state = unit_month(office, connection, unit, month, lang)
    if (earliest := not_yet(state, office.procedure)) is not None:
        return UnitResult(unit=unit, skipped=word("unit-not-due", earliest=f"{earliest:%m/%d/%Y}"))
    if not state.children and not state.actions:
        return UnitResult(unit=unit, skipped=word("unit-without-children"))
    forms = {name: office.service.form(name) for name in FORMS[unit.option]}
    made, issued = 0, []
    for paper in papers(state, forms, office.procedure, lang):
        document, fresh = _edition(office, unit, month, paper, forms[paper.form], lang)
        issued.append(document)
        made += fresh
    return UnitResult(unit=unit, documents=tuple(issued), made=made)


def _language(connection: Connection, unit: Unit, month: str) -> Lang:
    """The language of the unit's newest paper of the month."""
    newest = newest_documents(connection, [sheet.id for sheet in read_sheets(connection, unit_id=unit.id, month=month)])
    langs = [document.lang for document in newest.values()]
    return "es" if "es" in langs else "en"


def _edition(office: Office, unit: Unit, month: str, paper: Prefilled, form: Form, lang: Lang) -> tuple[Document, bool]:
    """The newest edition of a paper, made if there is none that says the same; tries again where another process was faster."""
    for _ in range(_TRIES):
        with office.store.reading() as connection:
            newest, values = _wanted(office, connection, unit, month, paper, form, lang)
            base = checked_values(form, paper.values)
        if newest is not None and values is None:
            return newest, False
        document, values = new_document(), values or {}
        issued = office.service.fill(form, values, lang=lang, document=document, rows=paper.counts)
        name = office.store.keep(issued.content)
        try:
            with office.store.writing() as connection:
                sheet = make_sheet(connection, unit.id, month, paper.form, paper.part)
                edition = Document(
                    id=document,
                    sheet=sheet,
                    edition=newest.edition + 1 if newest else 1,
                    form=paper.form,
                    version=form.id.version,
                    lang=lang,
                    snapshot=values,
                    base=base,
                    rows={group: list(rows) for group, rows in paper.rows.items()},
                    file=name,
                )
                add_document(connection, edition)
                settle_file(connection, name)
                if read_sheet(connection, sheet).revision:  # what was typed on screen stands on the newest edition
                    settle_from(office, connection, sheet, f"issued:{document}")
                sealed = stored_digest(connection, "document", office.store.key, documents.c.id == document)
                office.store.log(connection, "issued", document, sheet=sheet, edition=edition.edition, form=paper.form, digest=sealed)
        except IntegrityError:
            continue
        return edition, True
    raise Refused("busy", f"{unit.site}, {unit.name}")


def _wanted(office: Office, connection: Connection, unit: Unit, month: str, paper: Prefilled, form: Form, lang: Lang) -> tuple[Document | None, Values | None]:
    """The newest edition, and what a new one should say: what is known beforehand, and what people wrote since. None: no new one."""
    sheets = read_sheets(connection, unit_id=unit.id, month=month, form=paper.form, part=paper.part)
    values = checked_values(form, paper.values)
    newest = newest_documents(connection, [sheets[0].id]).get(sheets[0].id) if sheets else None
    if newest is None:
        return None, values
    if counted_returns(connection, sheets[0].id) and not _adds_actions(newest, paper):
        return newest, None  # what came back is not printed anew
    order = all_rows(form, paper.rows)
    written = written_on(office, connection, sheets[0].id)
    cells = {cell: value for cell, value in {**cells_of(form, values, order), **written}.items() if value is not None}
    wanted = values_of(form, cells, order)
    return newest, None if (newest.snapshot, newest.lang) == (wanted, lang) else wanted


def _adds_actions(newest: Document, paper: Prefilled) -> bool:
    """Whether the follow-up form lists actions that its newest edition does not (R8)."""
    return paper.form == "case-management" and not set(paper.rows["actions"]) <= set(newest.rows.get("actions", ()))


# ---------------------------------------------------------------- written to a folder


def file_name(document: Document) -> str:
    """A paper's file name: form and document, never a name."""
    return f"{document.form}-{in_words(document.id).replace('*', 'x').replace('~', 'y').replace('$', 'z').replace('=', 'w')}.pdf"


def folder_name(name: str) -> str:
    """A site's or unit's name as every file system takes it."""
    plain = unicodedata.normalize("NFC", name)
    return re.sub(r"[\x00-\x1f<>:\"/\\|?*]+", "_", plain).strip(" .")[:80] or "_"


def paper_of(office: Office, document: Document) -> bytes | None:
    """A document's PDF; None if it was erased with the data of a child."""
    with office.store.reading() as connection:
        if connection.execute(select(files.c.state).where(files.c.name == document.file)).scalar() == "erased":
            return None
    return office.store.vault.get(document.file)


@dataclass(frozen=True, slots=True, kw_only=True)
class Written:
    """A unit's papers in a folder. `kept` are files that somebody changed there: they were left as they are."""

    files: tuple[Path, ...] = ()
    kept: tuple[Path, ...] = ()


def write_unit(office: Office, result: UnitResult, folder: Path) -> Written:
    """A unit's papers in its folder, and older editions out of it.

    People fill papers in where they find them: a file that is not as it was issued is never overwritten or removed.
    """
    files, kept = [], []
    for document in result.documents:
        file = folder / folder_name(result.unit.site) / folder_name(result.unit.name) / file_name(document)
        if (content := paper_of(office, document)) is None:
            continue
        if not file.exists():
            write_file(file, content)
        elif file.read_bytes() != content:
            kept.append(file)
        files.append(file)
        kept += _clear_older(office, document, file)
    return Written(files=tuple(files), kept=tuple(kept))


def _clear_older(office: Office, document: Document, newest: Path) -> Iterator[Path]:
    """Remove older editions of a paper that lie beside the newest one as they were issued; gives those that were changed."""
    with office.store.reading() as connection:
        older = [other for other in read_documents(connection, [document.sheet]) if other.edition < document.edition]
    for other in older:
        file = newest.with_name(file_name(other))
        if not file.exists():
            continue
        if file.read_bytes() == paper_of(office, other):
            file.unlink()
        else:
            yield file


def site_packet(office: Office, site: str, month: str, results: Sequence[UnitResult], lang: Lang = "en") -> bytes:
    """All papers of a site as one file to print, with bookmarks."""
    titles = {name: office.service.form(name).titles.said(lang) for forms in FORMS.values() for name in forms}
    documents = [(result.unit.name, document) for result in results if result.unit.site == site for document in result.documents]
    found = [(unit, document, paper_of(office, document)) for unit, document in documents]
    sheets = [Paper(title=titles[document.form], section=unit, content=content) for unit, document, content in found if content is not None]
    profile = office.catalog.profile
    month_words = write_value(Month(), month, lang)
    cover = Cover(agency=profile.agency.said(lang), lines=((_MONTH[lang], month_words), (_SITE[lang], site)), confidentiality=profile.confidentiality.said(lang))
    return packet(sheets, title=f"{site}, {month_words}", lang=lang, cover=cover, on_sheets=True)


def by_site(results: Sequence[UnitResult]) -> Mapping[str, Sequence[UnitResult]]:
    """The results of each site."""
    sites: dict[str, list[UnitResult]] = {}
    for result in results:
        sites.setdefault(result.unit.site, []).append(result)
    return sites
