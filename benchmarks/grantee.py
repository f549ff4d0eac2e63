"""The process that is measured by `benchmarks.month`: one month of a whole grantee, prints its times and memory as JSON.

Usage: python -m benchmarks.grantee CACHE_FOLDER DATA_FOLDER UNITS CHILDREN
"""

import copy
import json
import sys
import time
from collections.abc import Iterator
from datetime import date
from pathlib import Path
from typing import Any, Final

from benchmarks.issue_many import peak
from benchmarks.worksheets import KEY
from formsvc.model.roster import RosterLine, StaffMember
from formsvc.office.incoming import Found
from formsvc.office.month import UnitResult, issue_month, issue_unit
from formsvc.office.office import Office
from formsvc.office.receive import receive_all, renew_follow_up
from formsvc.office.status import status
from formsvc.service import Service
from formsvc.settings import Settings
from formsvc.store.papers import Document
from formsvc.store.roster import RosterWriter, read_units
from formsvc.store.store import open_store

MONTH: Final = "2026-11"
_UNITS_OF_A_SITE: Final = 8
_DISCUSSED: Final = 5  # one child in so many has a discussion with a follow-up action


def open_grantee(cache: Path, data: Path) -> Office:
    """An office on the embedded default."""
    settings = Settings(templates=None, cache=cache, key=KEY, most_megabytes=50, data=data, files_key=f"first {'1' * 64},names {'2' * 64}", user="benchmark")
    return Office(service=Service(settings), store=open_store(settings))


def roster(units: int, children: int) -> Iterator[RosterLine]:
    """Invented children: so many units of so many children."""
    staff = (StaffMember(role="educator", name="Wanda Applegarth"), StaffMember(role="fsw", name="Marcus Fennelworth"))
    for unit in range(units):
        for number in range(children):
            yield RosterLine(
                child_id=f"G-{unit:03d}-{number:02d}",
                child_name=f"Child {number:02d} Meadow {unit:03d}",
                site=f"Site {unit // _UNITS_OF_A_SITE:02d}",
                unit=f"Room {unit:03d}",
                birth_date=date(2022, 1 + number % 12, 1 + number),
                enrolled_on=date(2026, 8, 17),
                family_id=f"F-{unit:03d}-{number // 2:02d}",
                unit_start=date(2026, 8, 17),
                staff=staff,
            )


def answered(office: Office, document: Document) -> bytes:
    """A worksheet as a team brings it back."""
    values: dict[str, Any] = copy.deepcopy(dict(document.snapshot))
    values["conference_date"] = f"{MONTH}-12"
    for line in values["attendance"]:
        line["present"] = True
    for number, row in enumerate(values["children"]):
        row.update(_discussed(number) if number % _DISCUSSED == 0 else {"no_discussion_points": True})
    form = office.service.form("worksheet")
    return office.service.fill(form, values, lang="en", document=document.id, rows={"children": -(-(len(values["children"]) + 1) // 4) * 4}).content


def _discussed(number: int) -> dict[str, Any]:
    return {
        "support_needed": True,
        "areas": ["health", "family"],
        "strengths": "Shares toys and tells long stories at lunch.",
        "discussion_points": "The screening shows that hearing should be checked again before winter.",
        "follow_up_action": f"Help the family make appointment {number}",
        "responsible": "Marcus Fennelworth",
        "target_date": "2026-12-01",
    }


def main(cache: str, data: str, units: str, children: str) -> None:
    """Do the month and print what it took."""
    office = open_grantee(Path(cache), Path(data))
    with office.store.writing() as connection:
        writer = RosterWriter(connection)
        for line in roster(int(units), int(children)):
            writer.enrol(line)
    with office.store.reading() as connection:
        first = read_units(connection)[0]
    issue_unit(office, first, "2026-10")  # the blanks are laid out before the clock starts
    facts: dict[str, float] = {"units": int(units), "children": int(units) * int(children)}
    facts["month"], results = _timed(lambda: _issued(office))
    worksheets = [document for result in results for document in result.documents if document.form == "worksheet"]
    papers = [answered(office, document) for document in worksheets]
    facts["receive"], receipts = _timed(lambda: list(receive_all(office, (Found(name=f"{number}.pdf", content=content) for number, content in enumerate(papers)))))
    facts["renew"], renewed = _timed(lambda: renew_follow_up(office, receipts))
    facts["status"], _ = _timed(lambda: status(office, MONTH, today=date(2026, 11, 21)))
    facts["again"], _ = _timed(lambda: _issued(office))
    facts |= {"papers": sum(len(result.documents) for result in results), "counted": sum(receipt.state == "counted" for receipt in receipts), "renewed": renewed.made, "peak": peak()}
    print(json.dumps(facts))


def _issued(office: Office) -> list[UnitResult]:
    return list(issue_month(office, MONTH))


def _timed(work: Any) -> tuple[float, Any]:
    start = time.perf_counter()
    result = work()
    return time.perf_counter() - start, result


if __name__ == "__main__":
    main(*sys.argv[1:])
