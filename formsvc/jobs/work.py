"""What each kind of background job does. Every one can begin again after its worker died."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, replace
from typing import Any, Final

from formsvc.errors import Refused
from formsvc.model.people import Person
from formsvc.office.incoming import Found
from formsvc.office.month import UnitResult, issue_unit, site_packet
from formsvc.office.office import Office
from formsvc.office.receive import Receipt, receive, renew_follow_up
from formsvc.store.jobs import Job
from formsvc.store.people import read_person
from formsvc.store.roster import Unit, read_units

Step = Callable[[int, int], None]
Made = tuple[Mapping[str, Any], str | None]
"""What is told of a job that ended, and the file it made."""


_BY_ACCIDENT: Final = frozenset({"too-costly", "reader-failed"})


class CancelledError(Exception):
    """Somebody cancelled the job, or another worker has it now."""


def run(office: Office, job: Job, step: Step) -> Made:
    """Do a job for whoever asked for it."""
    person = _person(office, job)
    acting = replace(office, store=replace(office.store, by=person.name)) if person else office
    return _KINDS[job.kind](acting, job, person, step)


def _person(office: Office, job: Job) -> Person | None:
    if job.person is None:
        return None
    with office.store.reading() as connection:
        person = read_person(connection, job.person)
    if person is None or (not person.active and job.kind != "receive"):  # what somebody sent in counts, or waits, whatever became of them
        raise Refused("person-unknown", str(job.person))
    return person


# ---------------------------------------------------------------- uploads


def _receive(office: Office, job: Job, person: Person | None, _step: Step) -> Made:
    if job.file is None:
        raise Refused("job-file-gone", str(job.id))
    found = Found(name=str(job.facts["name"]), content=office.store.vault.get(job.file))
    units = None if person is None else frozenset() if not person.active else None if person.sees_every_unit else person.units
    receipt = _received(office, found, job, units)
    if receipt.code in _BY_ACCIDENT:  # its reader may have been killed for what others did: once more, then it is an answer
        receipt = _received(office, found, job, units)
    renewed = renew_follow_up(office, [receipt])
    return {**told(receipt), "renewed": renewed.made, "not_renewed": [[where, refused.message] for where, refused in renewed.failed]}, None


def _received(office: Office, found: Found, job: Job, units: frozenset[int] | None) -> Receipt:
    return receive(office, found, month=job.facts.get("month") or None, units=units, again=job.tries > 1)


def told(receipt: Receipt) -> dict[str, Any]:
    """A receipt as it is kept with its job: no answers, no names."""
    kept = asdict(replace(receipt, parts=()))
    kept["problems"] = [[found.code, found.field, found.severity] for found in receipt.problems]  # their words may quote an answer
    kept["parts"] = [told(part) for part in receipt.parts]
    return kept


# ---------------------------------------------------------------- papers


def _units(office: Office, job: Job, person: Person | None) -> tuple[Unit, ...]:
    wanted = job.facts.get("units")
    with office.store.reading() as connection:
        units = read_units(connection, job.facts.get("site") or None)
    return tuple(unit for unit in units if (wanted is None or unit.id in wanted) and (person is None or person.sees(unit.id)))


def _issued(office: Office, job: Job, person: Person | None, step: Step) -> list[UnitResult]:
    units = _units(office, job, person)
    results = []
    for number, unit in enumerate(units):
        step(number, len(units))
        try:
            results.append(issue_unit(office, unit, job.facts["month"], job.facts.get("lang")))
        except Refused as refused:
            results.append(UnitResult(unit=unit, failed=refused.message))
    return results


def _papers(office: Office, job: Job, person: Person | None, step: Step) -> Made:
    results = _issued(office, job, person, step)
    notes = [[f"{one.unit.site}, {one.unit.name}", one.failed or one.skipped] for one in results if one.failed or one.skipped]
    return {"made": sum(one.made for one in results), "papers": sum(len(one.documents) for one in results), "units": len(results), "failed": sum(bool(one.failed) for one in results), "notes": notes, "issued": _made_now(results)}, None


def _made_now(results: Sequence[UnitResult]) -> list[list[Any]]:
    """The units for which papers were made, each with its papers: for other programs."""
    return [[one.unit.id, [document.id for document in one.documents]] for one in results if one.made]


def _packet(office: Office, job: Job, person: Person | None, step: Step) -> Made:
    month, site = job.facts["month"], job.facts["site"]
    results = _issued(office, job, person, step)
    content = site_packet(office, site, month, results, job.facts.get("lang") or "en")
    name = office.store.keep(content)
    return {"name": f"packet-{month}.pdf", "size": len(content), "papers": sum(len(one.documents) for one in results), "sheets": [document.sheet for one in results for document in one.documents], "issued": _made_now(results)}, name


_KINDS: Final[Mapping[str, Callable[[Office, Job, Person | None, Step], Made]]] = {"receive": _receive, "papers": _papers, "packet": _packet}
