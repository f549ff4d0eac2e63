"""Pages on paper, from the file to the answers: is the page known, how exactly is it found, are signatures seen, how long does it take."""

import json
import pickle
import random
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from benchmarks.prints import record
from benchmarks.scans.degrade import DEGRADATIONS
from benchmarks.scans.harder import HARDER
from benchmarks.scans.images import to_files
from benchmarks.scans.pens import PENS, sign
from benchmarks.table import Row, yes
from formsvc.documents import Documents, Issue
from formsvc.errors import Refused
from formsvc.model.kinds import Signature
from formsvc.model.layout import Layout, Slot
from formsvc.model.paper import mark_boxes
from formsvc.model.record import Problem
from formsvc.model.values import ON
from formsvc.parsers import papers, sight
from formsvc.parsers.frame import SCALE, corners
from formsvc.parsers.page import Known, PageRead
from formsvc.parsers.raster import Gray, open_pages
from formsvc.parsers.register import reference, stamp_slots
from formsvc.parsers.scan import find
from formsvc.parsers.slots import SIGNED
from formsvc.service import Service
from tests.papers import FORMS

_FINE: Final = 300 / 72
_WEAK: Final = ("weak", "bilevel")
_BINDERS, _WHOLE = 20, 5


@dataclass(frozen=True, slots=True, eq=False)
class Paper:
    """A document on paper: its pages at 300 dpi, and what is known of it."""

    form: str
    pages: tuple[Gray, ...]
    issue: Issue
    typed: Issue
    """What is known if somebody typed the answers after it was issued."""
    layout: Layout
    document: str


@dataclass(slots=True)
class _Tally:
    """What came of the pages of one way."""

    pages: int = 0
    known: int = 0
    foreign: int = 0
    read: int = 0
    errors: list[float] = field(default_factory=list)
    signed: int = 0
    signed_right: int = 0
    signed_asked: int = 0
    reasons: list[str] = field(default_factory=list)
    seconds: list[float] = field(default_factory=list)


def run(service: Service, rounds: int) -> Iterator[Row]:
    """`rounds` pages of papers of all forms through every degradation; nothing typed has to be read: what was issued is known."""
    rng = random.Random(20261123)  # noqa: S311  (samples, not secrets)
    stock = [_paper(service, form, rng) for form in FORMS for _ in range(2)]
    papers.warm({"en", "es"})
    pens = np.random.default_rng(17)
    total = _Tally()
    ways: list[tuple[str, Any]] = [*((way.family, way) for way in DEGRADATIONS.values()), *((way.family, way) for way in HARDER.values())]
    for family, way in ways:
        tally = _Tally()
        for _ in range(rounds):
            _take(service, rng.choice(stock), way, tally, rng, pens)
        yield Row(what=f"{way.name} ({family})", who="formsvc", result=_result(tally), out=_told(tally))
        for name in ("pages", "known", "foreign", "read", "signed", "signed_right", "signed_asked") if family != "hard" else ("foreign",):
            setattr(total, name, getattr(total, name) + getattr(tally, name))
        if family not in ("hard", *_WEAK):
            total.errors += tally.errors
        total.seconds += tally.seconds
    yield from _sums(total)
    yield _with_text(service, stock, rounds, rng, pens)
    yield _memory(stock, rounds, rng, pens)
    yield from _without_marks(service, stock, rounds, rng, pens)


def _sums(total: _Tally) -> Iterator[Row]:
    what = "all but the hard ones"
    yield Row(what=what, who="pages known", result=f"{100 * total.known / total.pages:.2f} % of {total.pages}", target="≥ 99.5 %", held=yes(total.known >= 0.995 * total.pages))
    yield Row(what="all", who="taken for another document", result=str(total.foreign), target="0", held=yes(not total.foreign))
    right = total.signed_right / max(total.signed - total.signed_asked, 1)
    yield Row(what=what, who="signatures", result=f"{100 * right:.2f} % of {total.signed - total.signed_asked}", target="≥ 99.5 %", held=yes(right >= 0.995), out=f"{total.signed_asked} more are asked about")
    places = np.array(total.errors)
    yield Row(what="scans and ordinary photos", who="registration, p95 of a page's fields, its median", result=f"{np.median(places):.2f} px at 200 dpi", target="≤ 0.7 px", held=yes(float(np.median(places)) <= 0.7), out=f"95 of 100 pages within {np.percentile(places, 95):.2f}, the worst {places.max():.2f}")
    yield Row(what="all", who="time of a page, nothing typed to read", result=f"{1000 * np.median(total.seconds):.0f} ms", target="≤ 700 ms", held=yes(float(np.median(total.seconds)) <= 0.7), out=f"p95 {1000 * np.percentile(total.seconds, 95):.0f} ms")


def _paper(service: Service, form: str, rng: random.Random) -> Paper:
    content, typed = record(service, form, rng, signed=False)
    received = service.understand(content)
    rows = {group.name: len(found) for group in service.form(form).groups if isinstance(found := received.record.values.get(group.name), list)}
    issue = Issue(lang=typed.lang, values=received.record.values, content=content)
    with open_pages(content) as pages:
        layout = service.compiled(service.form(form), received.record.values, typed.lang, rows).layout
        return Paper(form, tuple(pages.gray(number, 300) for number in range(1, min(pages.count, len(layout.pages)) + 1)), issue, typed, layout, str(received.submission.document))


def _signed(paper: Paper, page: int, picture: Gray, pens: np.random.Generator) -> dict[str, bool]:
    """Sign every other empty line of a page, in place: which are signed."""
    found: dict[str, bool] = {}
    own = list(PENS.values())[int(pens.integers(len(PENS)))]
    for slot in _slots(paper.layout, page):
        if isinstance(slot.kind, Signature):
            found[slot.name] = bool(pens.random() < 0.5)
            if found[slot.name]:
                left, bottom, right, top = slot.box
                high = paper.layout.pages[page - 1].height
                sign(picture, (left * _FINE, (high - top) * _FINE, right * _FINE, (high - bottom) * _FINE), own, pens)
    return found


def _slots(layout: Layout, page: int) -> list[Slot]:
    return [slot for slot in layout.slots if slot.page == page and not slot.name.startswith("stamp-")]


def _take(service: Service, paper: Paper, way: Any, tally: _Tally, rng: random.Random, pens: np.random.Generator) -> None:
    page = rng.randrange(len(paper.pages)) + 1
    picture = paper.pages[page - 1].copy()
    truth = _signed(paper, page, picture, pens)
    degraded = way.apply(picture, pens)
    content = to_files([degraded.image], "jpeg", dpi=200)
    begun = time.perf_counter()
    tally.pages += 1
    sights = sight.look(content, service.settings.key, None, 1)
    seen = [(one, found) for one in sights.pages for found in one.seen]
    tally.foreign += sum(found.read.stamp.document != paper.document or not found.read.sealed for _, found in seen)
    ours = [(one, found) for one, found in seen if found.read.stamp.document == paper.document and found.read.page == page]
    if not ours:
        tally.reasons.append("no code seen")
        return
    tally.known += 1
    known = Documents(service.catalog, service.settings.key, service.settings.cache, {paper.document: paper.issue}.get)
    try:
        read = papers.read_page(content, None, known.job(*ours[0]))
    except Refused as refused:
        tally.reasons.append(refused.code)
        return
    finally:
        tally.seconds.append(time.perf_counter() - begun)
    tally.read += 1
    tally.errors.append(_error(paper, page, read, degraded))
    doubts = {problem.field for problem in read.problems if isinstance(problem, Problem) and problem.code == "signature-doubtful"}
    for key, is_signed in truth.items():
        tally.signed += 1
        if key in doubts:
            tally.signed_asked += 1
        else:
            tally.signed_right += (read.answers[key].raw == SIGNED) == is_signed


def _error(paper: Paper, page: int, read: PageRead, degraded: Any) -> float:
    """How far off the middles of the fields are: the 95th percentile over the page, in pixels at 200 dpi."""
    high = paper.layout.pages[page - 1].height
    off = []
    for slot in _slots(paper.layout, page):
        found = read.answers[slot.name].box if slot.name in read.answers else None
        if found is None:
            continue
        truth = degraded.mapping(corners(slot.box, high) / SCALE * _FINE - 0.5)
        here = np.array([truth[:, 0].min() + truth[:, 0].max(), truth[:, 1].min() + truth[:, 1].max()]) / 2
        left, bottom, right, top = found
        pixels = np.array([(left + right) / 2, degraded.image.shape[0] - (bottom + top) / 2])  # a picture's points are its pixels
        off.append(np.hypot(*(pixels - here)) * _scale(degraded.mapping, corners(slot.box, high) / SCALE * _FINE))
    return float(np.percentile(off, 95))


def _scale(mapping: Any, around: NDArray[np.float64]) -> float:
    """Pixels at 200 dpi to a pixel of the picture, here."""
    steps = np.array([around[0], around[0] + (60, 0), around[0] + (0, 60)])
    there = mapping(steps)
    area = abs(np.cross(np.append(there[1] - there[0], 0), np.append(there[2] - there[0], 0))[2])
    return float(40 / np.sqrt(max(area, 1e-6)))


def _with_text(service: Service, stock: Sequence[Paper], rounds: int, rng: random.Random, pens: np.random.Generator) -> Row:
    """Pages whose answers were typed in a viewer before they were printed: every field is read by two engines."""
    seconds, fields = [], []
    for _ in range(4 * rounds):
        paper = rng.choice(stock)
        page = rng.randrange(len(paper.pages)) + 1
        content = to_files([DEGRADATIONS["clean 200"].apply(paper.pages[page - 1], pens).image], "jpeg", dpi=200)
        begun = time.perf_counter()
        [one] = sight.look(content, service.settings.key, None, 1).pages
        known = Documents(service.catalog, service.settings.key, service.settings.cache, {paper.document: paper.typed}.get)
        job = known.job(one, one.seen[0])
        read = papers.read_page(content, None, job)
        seconds.append(time.perf_counter() - begun)
        locked = job.known.printed()
        fields.append(sum(bool(answer.raw) and answer.raw != ON and key not in locked for key, answer in read.answers.items()))
    slope, base = np.polyfit(fields, seconds, 1)
    of_20 = base + 20 * slope
    return Row(what="clean 200", who="time of a page with 20 typed fields", result=f"{1000 * of_20:.0f} ms", target="≤ 2 s", held=yes(of_20 <= 2), out=f"a line through {len(seconds)} pages with {min(fields)} to {max(fields)} typed fields: {1000 * base:.0f} ms and {1000 * slope:.0f} ms a field")


def _memory(stock: Sequence[Paper], rounds: int, rng: random.Random, pens: np.random.Generator) -> Row:
    """Binders of 25 scanned pages, read by a process that does nothing else."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "issues.pickle").write_bytes(pickle.dumps({paper.document: paper.issue for paper in stock}))
        for number in range(_BINDERS if rounds >= _WHOLE else 1):
            pages = [rng.choice(rng.choice(stock).pages) for _ in range(25)]
            ways = [DEGRADATIONS[str(pens.choice(["clean 200", "turned 5", "photo", "noisy", "fax"]))] for _ in pages]
            (folder / f"{number:03}.pdf").write_bytes(to_files([way.apply(page, pens).image for way, page in zip(ways, pages, strict=True)], "pdf", dpi=200))
        told = json.loads(subprocess.run([sys.executable, "-W", "ignore", "-m", "benchmarks.scans.memory", name], check=True, capture_output=True, text=True).stdout)
    most = max(told["own"], told["child"])
    return Row(what="all", who="memory of a process", result=f"{most / 2**20:.0f} MiB at most", target="< 400 MiB", held=yes(most < 400 * 2**20), out=f"{told['pages']} pages; the service {told['own'] / 2**20:.0f} MiB, {(told['own'] - told['half']) / 2**20:.0f} of them in the second half; a reader {told['child'] / 2**20:.0f} MiB with what it shares")


def _without_marks(service: Service, stock: Sequence[Paper], rounds: int, rng: random.Random, pens: np.random.Generator) -> Iterator[Row]:
    """Codes and corner marks painted over: the page is found by its print alone (somebody said what it is)."""
    for name in ("clean 200", "turned 90", "turned 5", "photo", "fax", "folded"):
        errors, lost = [], 0
        for _ in range(rounds):
            paper = rng.choice(stock)
            page = rng.randrange(len(paper.pages)) + 1
            degraded = DEGRADATIONS[name].apply(_bare(paper, page), pens)
            known = Known(form=service.form(paper.form), lang=paper.issue.lang, layout=paper.layout, document=paper.document)
            with open_pages(paper.issue.content) as pages:
                printed = reference(paper.layout, page, pages.exactly(page))
            found = find(degraded.image, None, known, page, printed)
            if found is None or found.found < 0.35:
                lost += 1
                continue
            middles = np.array([corners(slot.box, printed.height).mean(axis=0) for slot in _slots(paper.layout, page)])
            off = np.hypot(*(found.frame.at(middles - 0.5) - degraded.mapping(middles / SCALE * _FINE - 0.5)).T)
            errors.append(float(np.percentile(off, 95)) * _scale(degraded.mapping, middles / SCALE * _FINE))
        yield Row(what=f"{name}, no codes and no marks", who="formsvc", result=f"{np.median(errors):.2f} px" if errors else "-", target="≤ 0.7 px", held=yes(bool(errors) and float(np.median(errors)) <= 0.7), out=f"{rounds - lost} of {rounds} found; the worst {max(errors, default=0):.2f}")


def _bare(paper: Paper, page: int) -> Gray:
    """A page without what says which one it is."""
    picture = paper.pages[page - 1].copy()
    sheet = paper.layout.pages[page - 1]
    boxes = [slot.box for slot in stamp_slots(paper.layout, page)] + list(mark_boxes(page, sheet.width, sheet.height).values())
    for left, bottom, right, top in boxes:
        picture[max(round((sheet.height - top) * _FINE) - 8, 0) : round((sheet.height - bottom) * _FINE) + 8, max(round(left * _FINE) - 8, 0) : round(right * _FINE) + 8] = 255
    return picture


def _result(tally: _Tally) -> str:
    return f"{np.median(tally.errors):.2f} px" if tally.errors else "-"


def _told(tally: _Tally) -> str:
    reasons = ", ".join(sorted(set(tally.reasons)))
    return f"{tally.known} of {tally.pages} known, {tally.read} read{f' ({reasons})' if reasons else ''}; signatures {tally.signed_right} of {tally.signed - tally.signed_asked} right, {tally.signed_asked} asked; {1000 * float(np.median(tally.seconds or [0])):.0f} ms"
