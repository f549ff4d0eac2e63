"""Pages that were read, put together as the document they are of: what is missing or came twice is told by page."""

from collections import defaultdict
from collections.abc import Collection, Sequence

from formsvc.errors import Refused
from formsvc.model.record import Answer, Problem, Source, Submission, problem
from formsvc.parsers.added import join_rests
from formsvc.parsers.page import Known, PageRead


def gather(reads: Sequence[PageRead], known: Known) -> Submission:
    """One document out of its pages, in whatever order they came; refuses pages that hold no slot at all."""
    by_page: defaultdict[int, list[PageRead]] = defaultdict(list)
    for read in reads:
        by_page[read.page].append(read)
    firsts = [several[0] for _, several in sorted(by_page.items())]
    join_rests(firsts, known)
    answers: dict[str, Answer] = {}
    problems: list[Problem] = [] if all(read.sealed for read in reads) else [problem("stamp-unverified")]
    for read in firsts:
        answers.update(read.answers)
        problems += read.problems
    for several in by_page.values():
        for again in several[1:]:
            problems += [*_differences(again, answers), *(doubt for doubt in again.problems if doubt not in problems)]  # a doubt of either copy is one
    if not answers:
        raise Refused("no-answers")
    problems += _missing(by_page.keys(), known)
    source: Source = "flattened" if all(read.source == "flattened" for read in reads) else "scan"
    return Submission(form=known.form.id, document=known.document, source=source, answers=answers, problems=tuple(problems))


def _differences(again: PageRead, answers: dict[str, Answer]) -> list[Problem]:
    """A page that came twice: where the two say something else, a person decides; what only one has written stands."""
    found = []
    for key, answer in again.answers.items():
        before = answers.get(key)
        if before is None or not before.raw:
            answers[key] = answer
        elif answer.raw and answer.raw != before.raw:
            found.append(problem("repeated-page", key, "warning", page=again.page, other=answer.raw[:60]))
    return found


def _missing(pages: Collection[int], known: Known) -> list[Problem]:
    """A problem for the pages that did not come; only those that have something to fill in."""
    wanted = {slot.page for slot in known.layout.slots if not slot.name.startswith("stamp-")}
    gone = sorted(wanted - set(pages))
    return [problem("page-missing", "", "warning", pages=", ".join(map(str, gone)), of=len(known.layout.pages))] if gone else []
