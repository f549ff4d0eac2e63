"""Prints whose fields are gone: every producer and every printer's whim gives the same record, or says where it does not.

1. What a form held, and what was typed into it in a viewer, comes back equal (after white space) from every producer.
2. So it does from pages that were scaled, moved, turned, cropped, swapped, printed two-up.
3. A text layer that says something else than the page shows is told.
"""

import io
from collections.abc import Callable, Iterator, Mapping

import pikepdf
import pypdfium2
import pytest

from formsvc.documents import Issue
from formsvc.errors import Refused
from formsvc.model.record import Answer
from formsvc.service import ReceivedPart, Service, checked_values
from formsvc.typist import type_into
from tests.papers import DOCUMENT, SAMPLES, codes, complete, edited, issue_paper
from tests.producers import CHANGES, PRODUCERS, Missing, pdfium

ALL = ("worksheet-1-child", "conference-notes-spanish")


def read(service: Service, content: bytes, issue: Issue | None = None) -> tuple[ReceivedPart, ...]:
    """The documents in a file, with what was issued where it is known."""
    return service.begin(content, lookup=lambda document: issue if document == DOCUMENT else None)()


def answers(parts: tuple[ReceivedPart, ...]) -> Mapping[str, Answer]:
    """The answers of the only document."""
    assert [part.refused for part in parts] == [None] * len(parts)
    assert len(parts) == 1
    assert parts[0].received is not None
    return parts[0].received.submission.answers


def said(found: Mapping[str, Answer]) -> dict[str, str]:
    """The answers that say something, without white space."""
    return {key: "".join(answer.raw.split()) for key, answer in found.items() if answer.raw}


def issue_of(service: Service, name: str) -> Issue:
    """What the store would tell of a sample that was issued complete."""
    values = checked_values(service.form(SAMPLES[name].form), issue_paper(service, name).values)
    return Issue(lang=SAMPLES[name].lang, values=values, content=complete(service, name))


def made(producer: str, content: bytes) -> bytes:
    """A print by a producer; skips where the program is missing."""
    try:
        return PRODUCERS[producer](content)
    except Missing as missing:
        pytest.skip(f"{missing} is not installed")


@pytest.mark.parametrize("producer", [name for name in PRODUCERS if name != "LibreOffice"])
def test_every_producer_gives_the_same_answers(service: Service, producer: str) -> None:
    """Law 1: what was printed comes back, whoever printed it."""
    name = "worksheet-1-child"
    content = complete(service, name)
    truth = said(service.understand(content).submission.answers)
    assert said(answers(read(service, made(producer, content), issue_of(service, name)))) == truth


def test_what_a_producer_cuts_off_is_told(service: Service) -> None:
    """LibreOffice has not our font: its words are wider, and the ends of some lines are lost. What came through is equal, the rest is asked about."""
    name = "worksheet-1-child"
    content = complete(service, name)
    truth = said(service.understand(content).submission.answers)
    parts = read(service, made("LibreOffice", content), issue_of(service, name))
    found = said(answers(parts))
    assert parts[0].received is not None
    doubted = {problem.field for problem in parts[0].received.submission.problems}
    wrong = {key for key in truth.keys() | found.keys() if truth.get(key) != found.get(key)}
    assert wrong <= doubted
    assert 0 < len(wrong) < len(truth) / 8
    assert "text-cut-off" in codes(parts[0].received)


@pytest.mark.parametrize("name", ALL)
def test_text_is_read_out_of_the_slots_without_knowing_what_was_issued(service: Service, name: str) -> None:
    """Every text of a form, from the text layer and the page alone; nothing is doubted without reason."""
    content = complete(service, name)
    received = service.understand(pdfium(content))
    assert said(received.submission.answers) == said(service.understand(content).submission.answers)
    assert codes(received) - codes(service.understand(content)) == set()
    assert received.submission.source == "flattened"


@pytest.mark.parametrize("change", CHANGES)
def test_what_printers_do_to_pages_changes_no_answer(service: Service, change: str) -> None:
    """Scaled, moved, turned, cropped, out of order, two to a page."""
    name = "worksheet-1-child"
    content = complete(service, name)
    found = read(service, CHANGES[change](pdfium(content)), issue_of(service, name))
    assert said(answers(found)) == said(service.understand(content).submission.answers)


def test_long_answers_are_put_together_again(service: Service) -> None:
    """What goes on on added pages, over columns and pages, is one answer."""
    content = complete(service, "worksheet-long-notes")
    received = service.understand(pdfium(content))
    assert said(received.submission.answers) == said(service.understand(content).submission.answers)
    assert codes(received) - codes(service.understand(content)) <= {"text-unchecked"}  # more than one page's time allows, and not known from what was issued


def test_a_lost_added_page_is_told_at_the_answer(service: Service) -> None:
    """Half an answer is not an answer."""
    with pikepdf.open(io.BytesIO(pdfium(complete(service, "worksheet-long-notes")))) as pdf:
        del pdf.pages[-1]
        memory = io.BytesIO()
        pdf.save(memory)
    assert "continuation-missing" in codes(service.understand(memory.getvalue()))


def test_what_a_person_typed_in_a_viewer_is_read_from_its_print(service: Service) -> None:
    """Typed in PDFium, printed by it: equal, also where the viewer's own font drew it."""
    paper = issue_paper(service, "worksheet-1-child")
    typed = type_into(paper.issued, paper.typed)
    truth = service.understand(typed)
    issue = Issue(lang="en", values=service.understand(paper.issued).record.values, content=paper.issued)
    parts = read(service, pdfium(typed), issue)
    assert said(answers(parts)) == said(truth.submission.answers)
    assert parts[0].received is not None
    assert not [problem for problem in parts[0].received.submission.problems if problem.code != "text-doubtful"]


@pytest.mark.parametrize("producer", ["PDFium flatten", "pdftocairo", "pdftk"])
def test_what_is_written_from_right_to_left_is_read_in_order_and_asked_about(service: Service, producer: str) -> None:
    """Programs store such letters in both orders; no engine here can compare them with the page, be it an answer or a typed signature."""
    names = {"client_name": "ليلى علي", "team-0-name": "שרה כהן", "team-1-name": "Ana ليلى 12 علي", "coordinator_signature": "علي Ana Nguyễn"}
    signs = "فرح (12), ליל: 76%."  # signs between the two may change places, none is lost
    team = [*({"name": name} for key, name in names.items() if key.startswith("team")), {"name": signs}]
    filled = service.issue("conference-notes", {"client_name": names["client_name"], "team": team, "coordinator_signature": names["coordinator_signature"]}).content
    submission = service.understand(made(producer, filled)).submission
    assert {key: submission.answers[key].raw for key in names} == names
    assert sorted("".join(submission.answers["team-2-name"].raw.split())) == sorted("".join(signs.split()))
    assert {(problem.field, problem.code) for problem in submission.problems} == {(key, "text-unchecked") for key in (*names, "team-2-name")}


@pytest.mark.parametrize("key", ["client_name", "coordinator_signature"])
def test_letters_that_the_page_does_not_show_are_told(service: Service, key: str) -> None:
    """A font whose letters say something else than they look like: the answer is not taken without a person."""
    content = pdfium(type_into(service.issue("conference-notes", {}).content, {key: "Marcus Fennelworth"}))
    found = {problem.field: problem.code for problem in service.understand(_lying(content)).submission.problems}
    assert found.get(key) == "shown-differs"


def _lying(content: bytes) -> bytes:
    """Every letter typed in the viewer's font is said to be the next one of the alphabet."""
    with pikepdf.open(io.BytesIO(content)) as pdf:
        for font in _fonts(pdf):
            if str(font.get("/Subtype")) != "/Type0":
                pairs = "".join(f"<{code:02x}> <{code + 1 if chr(code).isalpha() else code:04x}>\n" for code in range(33, 127))
                cmap = f"/CIDInit /ProcSet findresource begin 12 dict begin begincmap /CMapName /L def 1 begincodespacerange <00> <ff> endcodespacerange 94 beginbfchar\n{pairs}endbfchar endcmap end end"
                font.ToUnicode = pdf.make_stream(cmap.encode())
        memory = io.BytesIO()
        pdf.save(memory)
    return memory.getvalue()


def _fonts(pdf: pikepdf.Pdf) -> Iterator[pikepdf.Dictionary]:
    for item in pdf.objects:
        if isinstance(item, pikepdf.Dictionary) and item.get("/Type") == "/Font":
            yield item


def test_a_page_of_text_that_is_not_ours_is_refused(service: Service) -> None:
    """A letter from somebody else."""
    document = pypdfium2.PdfDocument.new()
    document.new_page(612, 792)
    memory = io.BytesIO()
    document.save(memory)
    with pytest.raises(Refused) as refused:
        service.understand(memory.getvalue())
    assert refused.value.code == "picture-blank"


def print_some(document: pikepdf.Pdf, keep: Callable[[int], bool]) -> None:
    """Draw the fields that are not kept onto their pages as they look, and take them out of the form."""
    form = document.Root.AcroForm
    for page in document.pages:
        for number, widget in enumerate(list(page.obj.Annots)):
            if "/T" not in widget or "/AP" not in widget or keep(number):
                continue
            look = widget.AP.N if isinstance(widget.AP.N, pikepdf.Stream) else widget.AP.N.get(str(widget.AS))
            if look is not None:
                name = pikepdf.Name(f"/Printed{number}")
                page.add_resource(look, pikepdf.Name.XObject, name)
                page.contents_add(f"q 1 0 0 1 {float(widget.Rect[0])} {float(widget.Rect[1])} cm {name} Do Q".encode())
            page.obj.Annots = pikepdf.Array([other for other in page.obj.Annots if other.objgen != widget.objgen])
            form.Fields = pikepdf.Array([other for other in form.Fields if other.objgen != widget.objgen])


@pytest.mark.parametrize("rest", [0, 1])
@pytest.mark.parametrize("name", ALL)
def test_fields_that_a_program_printed_are_read_from_the_page(service: Service, name: str, rest: int) -> None:
    """Half of the fields are fields still, the others only print: all answers are there, and it is told."""
    whole = service.understand(complete(service, name))
    content = edited(complete(service, name), lambda document: print_some(document, lambda number: number % 2 == rest))
    found = service.understand(content)
    assert said(found.submission.answers) == said(whole.submission.answers)
    assert codes(found) - codes(whole) == {"fields-printed"}


def without_last_page(document: pikepdf.Pdf) -> None:
    """Take the last page and its fields away."""
    lost = {widget.objgen for widget in document.pages[-1].obj.Annots}
    document.Root.AcroForm.Fields = pikepdf.Array([field for field in document.Root.AcroForm.Fields if field.objgen not in lost])
    del document.pages[-1]


def test_fields_of_a_page_that_is_not_there_are_told(service: Service) -> None:
    """The other pages count; how many fields are missing, and the first of them, is said."""
    whole = service.understand(complete(service, "conference-notes-spanish")).submission.answers
    found = service.understand(edited(complete(service, "conference-notes-spanish"), without_last_page))
    assert "fields-gone" in codes(found)
    assert {key: answer.raw for key, answer in found.submission.answers.items() if answer.raw}.items() < {key: answer.raw for key, answer in whole.items()}.items()
