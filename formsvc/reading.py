"""Reads what comes back as paper: pages are looked at, their documents looked up, then each is read with what was issued.

Every byte of the file is handled in limited processes, a few pages at a time; compiling a layout and knowing what
was issued happen here, with our own data only.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Final

from formsvc.documents import Documents, Lookup
from formsvc.errors import Refused
from formsvc.model.record import Problem, Submission, problem
from formsvc.model.stamp import Read, Stamp, in_words
from formsvc.parsers.allowance import Allowance

if TYPE_CHECKING:  # OpenCV and its like take a third of a second: only files without fields need them
    from formsvc.parsers.page import BoxPicture, PageRead
    from formsvc.parsers.papers import Job
    from formsvc.parsers.sight import Seen, Sight
    from formsvc.parsers.triage import Sorted

_PAGES_MOST: Final = 120
_POOR: Final = frozenset({"picture-dark", "picture-blurred", "picture-not-found", "picture-small"})
"""Why a page of a good scan may be of no use: the others are taken, and it is asked for."""
_BESIDE: Final = 2
"""So many pages are read at the same time."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Paper:
    """A file that came back, and the time that is left for it."""

    content: bytes
    password: str | None = None
    pages: int = 0
    """As many as it is known to have; 0 for a file of which nobody has counted them."""
    allowance: Allowance = field(default_factory=Allowance)


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """What some pages of a file are: a document that was read, or pages of which nobody knows what they are."""

    pages: tuple[int, ...]
    document: str = ""
    submission: Submission | None = None
    refused: Refused | None = None


def read_paper(paper: Paper, known: Documents, *, only: tuple[int, ...] = (), places: frozenset[str] = frozenset()) -> tuple[Part, ...]:
    """The documents on the pages of a file that have no fields, in the order of their first pages; blank backs are passed over.

    With `only`, of these pages; with `places` too, of the other pages just these answers.
    """
    sights = tuple(_by_words(sight, paper, known.lookup) for sight in _different(_sights(paper, known.key)) if not only or places or sight.page in only)
    if not any(sight.seen or not sight.is_blank for sight in sights):
        raise Refused("picture-blank")
    wanted: list[tuple[Sight, Seen]] = [(sight, seen) for sight in sights for seen in sight.seen]
    jobs: list[Job] = []
    failed: dict[str, Refused] = {}
    for sight, seen in wanted:
        try:
            job = known.job(sight, seen, paper.allowance)
            jobs += [job] if not places or sight.page in only else _just(job, places)
        except Refused as refused:
            failed[seen.read.stamp.document] = refused
    reads = _read(paper, jobs)
    return (*_parts(jobs, reads, failed, wanted), *_strangers(sights))


def read_boxes(paper: Paper, known: Documents, document: str, boxes: frozenset[str]) -> "Mapping[str, BoxPicture]":
    """These boxes of a document on a paper that was read before, as pictures."""
    wanted = [(sight, seen) for sight in _sights(paper, known.key) for seen in sight.seen if seen.read.stamp.document == document]
    jobs = [known.job(sight, seen, paper.allowance) for sight, seen in wanted]
    reads = _read(paper, [replace(job, known=replace(job.known, pictured=boxes)) for job in jobs])
    return {name: picture for read in reads if not isinstance(read, Refused) for name, picture in read.pictures.items()}


def beside_fields(paper: Paper, known: Documents, found: "Sorted") -> tuple[Part, ...]:
    """A form with fields, with what stands on paper beside them: scans that were put behind it, fields that were printed onto its pages."""
    if found.submission is None:
        raise ValueError("a file without fields")
    form = Part(pages=tuple(page for page in range(1, found.pages + 1) if page not in found.pictured), document=found.submission.document, submission=found.submission)
    try:
        others = read_paper(paper, known, only=found.pictured, places=found.gone)
    except Refused as refused:
        others = (Part(pages=found.pictured, refused=refused),) if found.pictured and refused.code != "picture-blank" else ()
    same = next((part for part in others if part.submission is not None and part.document and part.document == form.document), None)
    rest = tuple(part for part in others if part is not same and set(part.pages) & set(found.pictured))
    return (_completed(form, found.submission, same, found), *rest)


def _completed(form: Part, ours: Submission, same: Part | None, found: "Sorted") -> Part:
    """A form whose empty and lost fields are filled in from pages of the same document."""
    theirs = same.submission if same is not None else None
    read = {key: answer for key, answer in theirs.answers.items() if key in found.gone or answer.page in found.pictured} if theirs is not None else {}
    answers = {**ours.answers, **{key: answer for key, answer in read.items() if answer.raw and not (key in ours.answers and ours.answers[key].raw)}}  # an empty place of a lost field says nothing
    differ = [key for key, answer in read.items() if answer.raw and key in ours.answers and ours.answers[key].raw not in ("", answer.raw)]
    problems = [problem("repeated-page", key, "warning", page=read[key].page, other=read[key].raw[:60]) for key in differ]
    kept = [one for one in (theirs.problems if theirs is not None else ()) if one.code != "page-missing" and one.field not in differ and (not one.field or one.field in read) and one not in ours.problems]
    lost, printed = sorted(found.gone - read.keys()), [key for key in found.gone & read.keys() if read[key].raw]
    if lost:
        problems.append(problem("fields-gone", "", "warning", count=len(lost), first=lost[0]))
    if printed:
        problems.append(problem("fields-printed", "", "warning", count=len(printed)))
    whole = replace(ours, answers=answers, problems=(*ours.problems, *kept, *problems))
    return replace(form, pages=tuple(sorted({*form.pages, *(same.pages if same is not None else ())})), submission=whole)


def _sights(paper: Paper, key: bytes) -> Iterator["Sight"]:
    """What every page shows, a few at a time."""
    from formsvc.parsers.sight import PAGES_AT_ONCE, look  # noqa: PLC0415

    first, count = 1, max(paper.pages, 1)
    while first <= count:
        begins = range(first, min(first + _BESIDE * PAGES_AT_ONCE, count + 1), PAGES_AT_ONCE)
        for found in paper.allowance.run_beside([(look, (paper.content, key, paper.password, begin)) for begin in begins]):
            if isinstance(found, Refused):
                raise found
            count = found.count
            if count > _PAGES_MOST:
                raise Refused("too-costly", "", resource=f"pages ({count})")
            paper.allowance.grow(count)
            yield from found.pages
        first += len(begins) * PAGES_AT_ONCE


def _just(job: "Job", places: frozenset[str]) -> "list[Job]":
    """A page of which only some answers are wanted; none if they do not stand on it."""
    layout = job.known.layout
    slots = tuple(slot for slot in layout.slots if slot.name in places or slot.name.startswith("stamp-"))
    stand = any(slot.page == job.page and slot.name in places for slot in slots)
    return [replace(job, known=replace(job.known, layout=replace(layout, slots=slots)))] if stand else []


def _different(sights: "Iterable[Sight]") -> Iterator["Sight"]:
    """Pages without those that are there twice to the last dot: no scanner makes such, and a small file may hold a hundred."""
    known: set[bytes] = set()
    for sight in sights:
        if sight.digest not in known:
            known.add(sight.digest)
            yield sight


def _by_words(sight: "Sight", paper: Paper, lookup: Lookup) -> "Sight":
    """A page without codes that can be read, as what it says in words that it is, if we know such a document. Words are not sealed: a person says whether it counts."""
    if sight.seen or sight.is_blank or sight.is_small or sight.is_dark:
        return sight
    from formsvc.parsers.sight import Seen  # noqa: PLC0415
    from formsvc.parsers.words import find_words, ready  # noqa: PLC0415

    ready()
    try:
        words = paper.allowance.run(find_words, paper.content, paper.password, sight.page)
    except Refused:
        return sight
    if words is None:
        return sight
    read = Read(stamp=Stamp(document=words.document, code="", version=0), page=words.page, sealed=False)
    seen = (Seen(read=read, codes=()),) if lookup(words.document) is not None else ()
    return replace(sight, words=(words.document,), seen=seen)


def _read(paper: Paper, jobs: Sequence["Job"]) -> "list[PageRead | Refused]":
    """Each page in a process of its own, two at a time."""
    from formsvc.parsers.papers import read_page, warm  # noqa: PLC0415

    warm({job.known.lang for job in jobs})
    found: list[PageRead | Refused] = []
    for at in range(0, len(jobs), _BESIDE):
        if any(isinstance(read, Refused) and read.code == "too-costly" for read in found):  # whoever made one page so has made others
            return [*found, *([Refused("too-costly", "", resource="time")] * (len(jobs) - len(found)))]
        seconds = paper.allowance.for_text(turns=-(-(len(jobs) - at) // _BESIDE))
        found += paper.allowance.run_beside([(read_page, (paper.content, paper.password, job, seconds)) for job in jobs[at : at + _BESIDE]])
    return found


def _parts(jobs: "Sequence[Job]", reads: "Sequence[PageRead | Refused]", failed: dict[str, Refused], wanted: "Sequence[tuple[Sight, Seen]]") -> Iterator[Part]:
    from formsvc.parsers.gather import gather  # noqa: PLC0415

    good: defaultdict[str, list[PageRead]] = defaultdict(list)
    poor: defaultdict[str, list[Refused]] = defaultdict(list)
    for job, read in zip(jobs, reads, strict=True):
        document = job.known.document
        if not isinstance(read, Refused):
            good[document].append(read)
        elif read.code in _POOR:
            poor[document].append(read)
        else:
            failed.setdefault(document, read)
    failed |= {document: several[0] for document, several in poor.items() if document not in good and document not in failed}
    known = {job.known.document: job.known for job in jobs}
    for document in dict.fromkeys(seen.read.stamp.document for _, seen in wanted):
        if document not in known and document not in failed:  # nothing on its pages was wanted
            continue
        pages = tuple(sorted({sight.page for sight, seen in wanted if seen.read.stamp.document == document}))
        try:
            if document in failed:
                raise failed[document]
            submission = gather(good[document], known[document])
            told = tuple(Problem(code=one.code, field="", severity="warning", message=one.message) for one in poor[document])
            yield Part(pages=pages, document=document, submission=replace(submission, problems=(*submission.problems, *told)))
        except Refused as refused:
            yield Part(pages=pages, document=document, refused=refused)


def _strangers(sights: "Sequence[Sight]") -> Iterator[Part]:
    """The pages that are neither ours nor blank; those that print an id of ours in words say so."""
    for sight in sights:
        if sight.seen or sight.is_blank:
            continue
        if sight.words:
            refused = Refused("flattened-print", "", document=in_words(sight.words[0]))
        elif sight.is_small:
            refused = Refused("picture-small")
        elif sight.is_dark:
            refused = Refused("picture-dark", "", page=sight.page)
        elif sight.is_scan:
            refused = Refused("scan")
        else:
            refused = Refused("not-a-form")
        yield Part(pages=(sight.page,), document=sight.words[0] if sight.words else "", refused=refused)
