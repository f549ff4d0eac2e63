"""The month's cycle on sample data: roster in, papers out, typed into as in Chrome, back in, actions carried."""

import shutil
from collections.abc import Callable, Generator, Iterator
from dataclasses import dataclass, replace
from datetime import date
from pathlib import Path
from typing import Final

from formsvc.files import write_file
from formsvc.office.importing import apply_import, read_import
from formsvc.office.incoming import Found
from formsvc.office.month import UnitResult, by_site, file_name, folder_name, issue_month, site_packet, write_unit
from formsvc.office.office import Office, open_office
from formsvc.office.receive import Receipt, receive, renew_follow_up
from formsvc.settings import Settings, samples_folder
from formsvc.store.followup import read_actions
from formsvc.store.papers import Document
from formsvc.typist import type_into

FIRST: Final = "2026-11"
SECOND: Final = "2026-12"
_MARK: Final = "made-by-formsvc-demo"
_TYPED: Final = 3  # so many units' papers come back


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """One step of the cycle, and whether it went as it must."""

    what: str
    result: str
    held: bool


def run_month(settings: Settings, folder: Path, step: Callable[[str], None]) -> Iterator[Step]:
    """The cycle in a store of its own inside the folder."""
    office = open_office(replace(settings, data=_fresh(folder / "store"), database="", files=""))
    yield _roster(office, step)
    results = yield from _papers(office, FIRST, folder, step)
    receipts = yield from _returns(office, results, folder, step)
    yield _carried(office, receipts, folder, step)


def _fresh(store: Path) -> Path:
    """An empty store: what an earlier demo left makes room, anything else stays."""
    if (store / _MARK).exists():
        shutil.rmtree(store)
    while store.exists():
        store = store.with_name(f"{store.name}-demo")
    store.mkdir(parents=True, mode=0o700)
    (store / _MARK).touch()
    return store


def _roster(office: Office, step: Callable[[str], None]) -> Step:
    step("roster")
    found = read_import(office, samples_folder() / "rosters" / "copa-like.csv", on=date(2026, 11, 2))
    apply_import(office, found)
    again = read_import(office, samples_folder() / "rosters" / "copa-like.csv", on=date(2026, 11, 2))
    counts = ", ".join(f"{count} {kind}" for kind, count in found.plan.counts().items() if count)
    return Step(what="Roster imported, and once more", result=f"{counts or 'nothing new'}; then nothing", held=not again.plan.changes_anything())


def _papers(office: Office, month: str, folder: Path, step: Callable[[str], None]) -> Generator[Step, None, list[UnitResult]]:
    results: list[UnitResult] = []
    for result in issue_month(office, month):
        step(f"{month}: {result.unit.name}")
        write_unit(office, result, folder / month)
        results.append(result)
    again = list(issue_month(office, month))
    packets = 0
    for site, found in by_site(results).items():
        if any(result.documents for result in found):
            write_file(folder / month / folder_name(site) / f"packet-{month}.pdf", site_packet(office, site, month, found))
            packets += 1
    papers = sum(len(result.documents) for result in results)
    is_same = [result.documents for result in results] == [result.documents for result in again]
    yield Step(
        what=f"Papers of {month}, and once more", result=f"{papers} papers of {len(results)} units, {packets} packets; the same again", held=is_same and not any(result.failed for result in results)
    )
    return results


def _returns(office: Office, results: list[UnitResult], folder: Path, step: Callable[[str], None]) -> Generator[Step, None, list[Receipt]]:
    worksheets = [document for result in results for document in result.documents if document.form == "worksheet"][:_TYPED]
    receipts: list[Receipt] = []
    for document in worksheets:
        step(f"typing into {file_name(document)}")
        content = _typed(office, document, "Call the family about the screening")
        write_file(folder / FIRST / "returned" / file_name(document), content)
        receipts += [receive(office, Found(name=file_name(document), content=content)), receive(office, Found(name="again.pdf", content=content))]
    states = [receipt.state for receipt in receipts]
    yield Step(
        what="Returned, typed in with PDFium, and sent twice", result=f"{states.count('counted')} counted, {states.count('again')} known already", held=states == ["counted", "again"] * len(worksheets)
    )
    other = receive(office, Found(name="other.pdf", content=_typed(office, worksheets[0], "Call the family")))
    yield Step(what="Another copy that says something else", result=f"{other.questions} question for a person", held=other.questions == 1)
    return receipts


def _typed(office: Office, document: Document, action: str) -> bytes:
    answers: dict[str, str | bool] = {
        "conference_date": "11/12/2026",
        "children-0-support_needed": True,
        "children-0-discussion_points": "The screening shows that hearing should be checked again.",
        "children-0-follow_up_action": action,
        "children-0-responsible": "Family Service Worker",
        "children-0-target_date": "12/01/2026",
    }
    answers |= {f"children-{number}-no_discussion_points": True for number in range(1, len(document.rows["children"]))}
    return type_into(office.store.vault.get(document.file), answers)


def _carried(office: Office, receipts: list[Receipt], folder: Path, step: Callable[[str], None]) -> Step:
    step("follow-up")
    renewed = renew_follow_up(office, receipts).made
    with office.store.reading() as connection:
        actions = {action.id for action in read_actions(connection, only_open=True)}
    carried: set[str] = set()
    for result in issue_month(office, SECOND):
        write_unit(office, result, folder / SECOND)
        carried |= {row[1:] for document in result.documents for row in document.rows.get("actions", ())}
    return Step(what=f"Follow-up forms made anew; actions carried into {SECOND}", result=f"{renewed} forms, {len(carried)} of {len(actions)} actions", held=carried == actions and renewed == _TYPED)
