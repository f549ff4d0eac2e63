"""Scans and photos: found on any picture, read slot by slot, and never sure of what is not.

1. Pages are found though they are turned, bent, faxed or lost a corner or a code.
2. What was issued comes back as issued; what pens added is read or asked about: nothing wrong passes silently.
3. A file of several documents is told apart; a page that is missing, came twice, or is not ours is told.
"""

import io
from collections.abc import Mapping
from typing import Any
from unittest.mock import Mock

import numpy as np
import pikepdf
import pytest
from PIL import Image

from benchmarks.scans.degrade import DEGRADATIONS
from benchmarks.scans.images import to_files
from benchmarks.scans.pens import PENS, STYLES, mark, sign
from formsvc.documents import Documents, Issue
from formsvc.errors import Refused
from formsvc.model.kinds import Choice, is_box
from formsvc.parsers import allowance
from formsvc.parsers.allowance import FILE, Allowance
from formsvc.parsers.papers import read_page
from formsvc.parsers.raster import Gray, open_pages
from formsvc.parsers.sandbox import start_limited
from formsvc.reading import Paper, read_paper
from formsvc.service import Received, Service, nothing_known
from tests.papers import DOCUMENT, codes, complete, issue_paper
from tests.producers import pdfium

FINE = 300 / 72
OTHER = "SAMPXE0002"


def pages_of(content: bytes) -> list[Gray]:
    """The pages of a document at 300 dpi."""
    with open_pages(content) as pages:
        return [pages.gray(number, 300) for number in range(1, pages.count + 1)]


def scanned(pictures: list[Gray], way: str = "clean 200", seed: int = 3) -> bytes:
    """Pages as a scanner or camera sends them."""
    rng = np.random.default_rng(seed)
    return to_files([DEGRADATIONS[way].apply(picture, rng).image for picture in pictures], "pdf", dpi=200)


def issue_of(service: Service, content: bytes, lang: Any = "en") -> Issue:
    """What the store tells of a document."""
    return Issue(lang=lang, values=service.understand(content).record.values, content=content)


def only(service: Service, content: bytes, issue: Issue) -> Received:
    """The only document of a file."""
    parts = service.begin(content, lookup=lambda _: issue)()
    assert [part.refused for part in parts] == [None]
    assert parts[0].received is not None
    return parts[0].received


def place_of(content: bytes, key: str) -> tuple[int, tuple[float, float, float, float]]:
    """The page (from 0) of a field, and its box in pixels at 300 dpi."""
    with pikepdf.open(io.BytesIO(content)) as pdf:
        number, (left, bottom, right, top) = next((number, [float(side) for side in widget.Rect]) for number, page in enumerate(pdf.pages) for widget in page.obj.Annots if widget.get("/T") == key)
        high = float(pdf.pages[number].mediabox[3])
    return number, (left * FINE, (high - top) * FINE, right * FINE, (high - bottom) * FINE)


def silently_wrong(received: Received, truth: Mapping[str, str]) -> list[tuple[str, str, str]]:
    """Answers that are not what was written, and that nobody is asked about."""
    asked = {problem.field for problem in received.record.problems}
    found = received.submission.answers
    wrong = ((key, text, found[key].raw if key in found else "") for key, text in truth.items())
    return [one for one in wrong if "".join(one[1].split()) != "".join(one[2].split()) and not any(one[0] == key or one[0].startswith(f"{key}-") for key in asked)]


@pytest.mark.parametrize("way", ["turned 180", "code covered", "inverted fax", "photo", "hard photo"])
def test_an_issued_page_comes_back_as_it_was_issued(service: Service, way: str) -> None:
    """Nothing was written on it: all is known, nothing is asked that the picture shows clearly."""
    content = complete(service, "worksheet-1-child")
    truth = {key: answer.raw for key, answer in service.understand(content).submission.answers.items()}
    received = only(service, scanned(pages_of(content), way), issue_of(service, content))
    assert silently_wrong(received, truth) == []
    if way not in ("hard photo", "code covered"):
        assert sum(problem.code != "missing-answer" for problem in received.record.problems) <= 3


@pytest.mark.parametrize(("pen", "way"), [("ballpoint", "clean 200"), ("felt pen", "photo"), ("pencil, soft", "clean 300")])
def test_marks_of_pens_are_read_or_asked_about(service: Service, pen: str, way: str) -> None:
    """Ticks and crosses are answers, a filled box is none, a signature is seen."""
    paper = issue_paper(service, "fcch-three-homes")
    form = service.form("fcch")
    issued = service.understand(paper.issued)
    layout = service.compiled(form, issued.record.values, "en", {group.name: 3 for group in form.groups if group.name == "children"}).layout
    pictures = pages_of(paper.issued)
    truth: dict[str, str] = {}
    rng = np.random.default_rng(8)
    done: set[str] = set()
    with pikepdf.open(io.BytesIO(paper.issued)) as pdf:
        boxes = {str(widget.T): (number, [float(side) for side in widget.Rect]) for number, page in enumerate(pdf.pages, 1) for widget in page.obj.get("/Annots", []) if "/T" in widget}
    for key, (page, (left, bottom, right, top)) in boxes.items():
        place = form.find(key)
        high = layout.pages[page - 1].height
        box = (left * FINE, (high - top) * FINE, right * FINE, (high - bottom) * FINE)
        if place is None or issued.submission.answers[key].raw:
            continue
        question = key.rpartition("-")[0] if isinstance(place.ask.kind, Choice) else key
        if is_box(place.ask.kind) and question not in done and rng.random() < 0.4:
            done.add(question)
            mark(pictures[page - 1], box, STYLES[str(rng.choice(["tick", "cross"]))], PENS[pen], rng)
            truth[key] = "on"
        elif is_box(place.ask.kind):
            truth[key] = ""
        elif key.endswith("-signature") and rng.random() < 0.5:
            sign(pictures[page - 1], box, PENS[pen], rng)
            truth[key] = "signed"
    received = only(service, scanned(pictures, way), issue_of(service, paper.issued))
    assert silently_wrong(received, truth) == []
    assert sum(problem.code.startswith("mark-") for problem in received.record.problems) <= 0.2 * len(truth)


@pytest.mark.parametrize("pen", ["ballpoint", "pencil, hard"])
def test_handwriting_is_never_taken_without_a_person(service: Service, pen: str) -> None:
    """What looks written is a suggestion, and weak pencil is not an empty field."""
    content = complete(service, "worksheet-1-child", recorder="")
    issued = issue_of(service, content)
    pictures = pages_of(content)
    number, box = place_of(content, "recorder")
    sign(pictures[number], box, PENS[pen], np.random.default_rng(2))
    received = only(service, scanned(pictures), issued)
    assert {problem.code for problem in received.record.problems if problem.field == "recorder"} & {"text-doubtful", "text-unread"}
    assert received.submission.answers["recorder"].confidence < 1


@pytest.mark.parametrize(("way", "shade"), [("clean 200", 252), ("fax", 190), ("photo", 190)])
def test_what_lies_wholly_on_a_field_is_told(service: Service, way: str, shade: int) -> None:
    """A note on a marked box, on a typed name to sign, on a short answer: none of them is taken for empty, and nothing else is asked about."""
    content = complete(service, "fcch-three-homes")
    issued = issue_of(service, content)
    names = ("children-0-parent_included", "attendance-0-signature", "start_time")
    assert all(service.understand(content).submission.answers[name].raw for name in names)
    pictures = pages_of(content)
    for name in names:
        number, (left, top, right, bottom) = place_of(content, name)
        pictures[number][round(top) - 12 : round(bottom) + 12, round(left) - 12 : round(right) + 12] = shade
    received = only(service, scanned(pictures, way), issued)
    asked = {problem.field: problem.code for problem in received.record.problems if problem.field}
    assert asked.keys() == set(names)
    assert all(received.submission.answers[name].confidence < 1 for name in names)


def test_a_page_of_no_use_does_not_keep_the_others(service: Service) -> None:
    """A sheet of paper lay over most of page 2: the others are read, page 2 is asked for and why is told. All pages so: refused."""
    content = complete(service, "fcch-three-homes")
    pictures = pages_of(content)
    truth = {key: answer.raw for key, answer in service.understand(content).submission.answers.items() if answer.page != 2}
    pictures[1][700:-700, 300:-300] = 250
    pictures[1][:700, :-700] = pictures[1][-700:, 700:] = 250
    received = only(service, scanned(pictures), issue_of(service, content))
    assert silently_wrong(received, truth) == []
    assert codes(received) >= {"picture-not-found", "page-missing"}
    assert not [key for key, answer in received.submission.answers.items() if answer.page == 2]
    parts = service.begin(scanned([pictures[1]]), lookup=lambda _: issue_of(service, content))()
    assert [part.refused.code for part in parts if part.refused] == ["picture-not-found"]


def test_a_binder_is_told_apart_by_its_stamps(service: Service) -> None:
    """Two documents out of order, one page upside down and twice, a blank back, a page that is not ours, a page missing."""
    one, two = complete(service, "fcch-three-homes"), service.issue("worksheet", None, document=OTHER).content
    first, second = pages_of(one), pages_of(two)[:1]
    blank = np.full_like(first[0], 250)
    foreign = blank.copy()
    foreign[300:900:40, 200:1800] = 20
    order = [first[2], second[0], blank, first[0], np.rot90(first[1], 2).copy(), foreign, first[0]]
    parts = service.begin(scanned(order), lookup=lambda document: issue_of(service, one) if document == DOCUMENT else None)()
    told = {part.document: part for part in parts}
    assert told[DOCUMENT].pages == (1, 4, 5, 7)
    assert told[OTHER].pages == (2,)
    assert [(part.pages, part.refused.code) for part in parts if part.refused] == [((6,), "scan")]
    first_received = told[DOCUMENT].received
    assert first_received is not None
    missing = [problem.message for problem in first_received.record.problems if problem.code == "page-missing"]
    assert len(missing) == 1
    assert "4" in missing[0]
    with pytest.raises(Refused) as refused:
        service.understand(scanned(order))
    assert refused.value.code == "several-documents"


def test_a_scan_behind_a_form_fills_in_what_its_fields_leave_empty(service: Service) -> None:
    """Typed on screen, signed and ticked on paper, sent as one file."""
    content = complete(service, "worksheet-1-child")
    typed = service.fill(service.form("worksheet"), service.issue("worksheet", {}, document=DOCUMENT, rows={"children": 1}).values, lang="en", document=DOCUMENT, rows={"children": 1}).content
    with pikepdf.open(io.BytesIO(typed)) as pdf, pikepdf.open(io.BytesIO(scanned(pages_of(content)))) as scan:
        pdf.pages.extend(scan.pages)
        memory = io.BytesIO()
        pdf.save(memory)
    received = only(service, memory.getvalue(), issue_of(service, content))
    assert received.submission.answers["children-0-child_name"].raw == service.understand(content).submission.answers["children-0-child_name"].raw


@pytest.mark.parametrize(("picture", "code"), [("dark", "picture-dark"), ("tiny", "picture-small"), ("blank", "picture-blank")])
def test_a_picture_that_cannot_be_read_says_why(service: Service, picture: str, code: str) -> None:
    """And how to scan it better."""
    page = pages_of(complete(service, "worksheet-1-child"))[0]
    made = {"dark": (page // 12).astype(np.uint8), "tiny": page[::12, ::12], "blank": np.full_like(page, 244)}[picture]
    memory = io.BytesIO()
    Image.fromarray(made).save(memory, "PNG")
    with pytest.raises(Refused) as refused:
        service.understand(memory.getvalue())
    assert refused.value.code == code


def test_a_print_with_ink_drawn_over_its_boxes_is_seen(service: Service) -> None:
    """Ink and notes of a viewer are drawn on the page: they are marks like a pen's."""
    content = pdfium(issue_paper(service, "worksheet-1-child").issued)
    slot = service.compiled(service.form("worksheet"), {}, "en", {"children": 1}).layout.by_name["children-0-immediate_need"]
    with pikepdf.open(io.BytesIO(content)) as pdf:
        left, bottom, right, top = slot.box
        look = pdf.make_stream(f"2 w 0 G {left} {bottom} m {right} {top} l {left} {top} m {right} {bottom} l S".encode(), Type=pikepdf.Name.XObject, Subtype=pikepdf.Name.Form, BBox=[0, 0, 800, 800])
        ink = pikepdf.Dictionary(Type=pikepdf.Name.Annot, Subtype=pikepdf.Name.Ink, Rect=[0, 0, 800, 800], F=4, AP=pikepdf.Dictionary(N=look))
        page = pdf.pages[slot.page - 1].obj
        page.Annots = pikepdf.Array([*page.get("/Annots", []), pdf.make_indirect(ink)])
        memory = io.BytesIO()
        pdf.save(memory)
    received = service.understand(memory.getvalue())
    assert received.submission.answers["children-0-immediate_need"].raw == "on" or "mark-unsure" in codes(received)


def test_a_doubt_of_the_second_copy_of_a_page_is_not_dropped(service: Service) -> None:
    """A page came twice, and only the second has something written by hand: it is asked about, not taken."""
    content = complete(service, "worksheet-1-child", recorder="")
    page, box = place_of(content, "recorder")
    clean, written = pages_of(content), pages_of(content)
    sign(written[page], box, PENS["ballpoint"], np.random.default_rng(2))
    received = only(service, scanned([*clean, written[page]]), issue_of(service, content))
    assert {problem.code for problem in received.record.problems if problem.field == "recorder"} & {"text-doubtful", "text-unread"}


def test_a_page_that_is_named_many_times_is_read_once(service: Service, monkeypatch: pytest.MonkeyPatch) -> None:
    """A small file may say that it has the same page a hundred times: that costs no more than the page itself."""
    content = complete(service, "fcch-three-homes")
    with pikepdf.open(io.BytesIO(scanned(pages_of(content)[:1]))) as pdf:
        for _ in range(30):
            pdf.pages.append(pdf.pages[0])
        pdf.save(many := io.BytesIO())
    start = Mock(side_effect=start_limited)
    monkeypatch.setattr(allowance, "start_limited", start)
    received = only(service, many.getvalue(), issue_of(service, content))
    assert [call.args[0] for call in start.call_args_list].count(read_page) == 1
    assert "repeated-page" not in codes(received)
    assert received.record.values["agency"] == service.understand(content).record.values["agency"]


def test_where_the_time_of_a_file_ends_a_person_reads_on(service: Service) -> None:
    """Typed text for which there is no time is asked about, never taken for empty; ticks and what was found before are as ever."""
    content = complete(service, "fcch-three-homes")
    truth = service.understand(content).submission.answers
    paper = Paper(content=scanned(pages_of(content)[:1]), allowance=Allowance(spent=FILE - 3))
    [part] = read_paper(paper, Documents(service.catalog, service.settings.key, service.settings.cache, nothing_known))
    assert part.submission is not None
    asked = {problem.field for problem in part.submission.problems}
    unread = {problem.field for problem in part.submission.problems if problem.code == "text-unread"}
    assert unread
    assert all(truth[key].raw for key in unread)
    for key, answer in part.submission.answers.items():
        assert key in asked or "".join(answer.raw.split()) == "".join(truth[key].raw.split()), key


def test_pages_for_which_no_time_is_left_are_told(service: Service) -> None:
    """Their document is refused, and says why."""
    content = complete(service, "worksheet-1-child")
    known = Documents(service.catalog, service.settings.key, service.settings.cache, nothing_known)
    [part] = read_paper(Paper(content=scanned(pages_of(content)[:1]), allowance=Allowance(spent=FILE - 0.52)), known)
    assert part.submission is None
    assert part.refused is not None and part.refused.code == "too-costly"  # noqa: PT018


def test_a_long_answer_on_a_picture_is_not_taken_half(service: Service) -> None:
    """Its rest stands on an added page, which is not read from pictures: where nobody knows what was issued, it is asked about."""
    content = complete(service, "worksheet-long-notes")
    received = service.understand(scanned(pages_of(content)))
    whole = service.understand(content).submission.answers
    asked = {problem.field for problem in received.record.problems}
    for key, answer in received.submission.answers.items():
        assert key in asked or "".join(answer.raw.split()) == "".join(whole[key].raw.split()) or key not in whole, key
