"""A packet prints what its papers print: fields become ink, tags stay, and a cover says what is where.

1. Every page shows what it showed, in PDFium and in Poppler.
2. No field is left; what a field said is still read aloud: its answer, its label, whether it is ticked.
3. Bookmarks, contents, links and page labels agree on where each paper begins.
4. No rule of PDF/UA-1 fails; the same papers give the same bytes; equal parts are kept once.
5. What would be lost or laid open is refused.
"""

import io
import re
import shutil
import subprocess
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from functools import cache
from pathlib import Path
from typing import Any, Final

import numpy as np
import page as page_validation
import pikepdf
import pypdfium2
import pytest
from pikepdf import Array, Dictionary, Name, String
from PIL import Image

from formsvc.demo import sample_values
from formsvc.errors import Refused
from formsvc.model.interpret import answer_texts
from formsvc.model.record import Values
from formsvc.model.stamp import in_words
from formsvc.model.values import write_value
from formsvc.renderers.packet import Paper, packet
from formsvc.renderers.packet_cover import Cover
from formsvc.service import Service, checked_values
from tests.papers import SAMPLES, edited

NAMES: Final = ("worksheet-8-children", "worksheet-spanish", "worksheet-long-notes", "worksheet-scripts", "case-management-35-actions", "fcch-three-homes", "worksheet-33-children")
COVER: Final = Cover(agency="Willow Creek Head Start", lines=(("Site", "Riverside"), ("Month", "November 2026")), confidentiality="Confidential.")
SAME: Final = 3e-4  # the share of pixels that may differ: edges of clipped strokes, scaled emoji
FAR: Final = 40  # of 255 levels of grey
Drawn = Sequence[np.ndarray[Any, Any]]
pytestmark = pytest.mark.xdist_group("packet")  # the packet of all samples takes ten seconds to make


class Issued:
    """Samples completely filled, each once, each a document of its own."""

    def __init__(self, service: Service) -> None:
        """Begin with none."""
        self.service = service
        self.paper = cache(self._paper)

    def values(self, name: str) -> Values:
        """What is written on it."""
        return checked_values(self.service.form(SAMPLES[name].form), sample_values(name))

    @staticmethod
    def document(name: str) -> str:
        """Its document id."""
        return f"PACKET{list(SAMPLES).index(name):04d}"

    def _paper(self, name: str) -> Paper:
        issued = self.service.issue(SAMPLES[name].form, sample_values(name), lang=SAMPLES[name].lang, document=self.document(name))
        return Paper(title=name.replace("-", " "), content=issued.content, section="Elsewhere" if name.startswith("worksheet") else "Overview")


@pytest.fixture(scope="module")
def issued(service: Service) -> Issued:
    return Issued(service)


@pytest.fixture(scope="module")
def papers(issued: Issued) -> tuple[Paper, ...]:
    return tuple(issued.paper(name) for name in NAMES)


@pytest.fixture(scope="module")
def whole(papers: tuple[Paper, ...]) -> bytes:
    """All papers with a cover."""
    return packet(papers, title="Riverside, November 2026", cover=COVER)


def pages_in(content: bytes) -> int:
    with pikepdf.open(io.BytesIO(content)) as pdf:
        return len(pdf.pages)


# ---------------------------------------------------------------- seen


def by_pdfium(content: bytes) -> Drawn:
    document = pypdfium2.PdfDocument(content)
    document.init_forms()
    return [found.render(scale=1.5, grayscale=True).to_numpy().astype(np.int16) for found in document]


def by_poppler(content: bytes) -> Drawn:
    program = shutil.which("pdftoppm")
    if program is None:
        pytest.skip("Poppler is not installed: apt-get install poppler-utils")
    raw = subprocess.run([program, "-r", "96", "-gray", "-"], input=content, check=True, capture_output=True, timeout=120).stdout
    return list(_grey_maps(raw))


def _grey_maps(raw: bytes) -> Iterator[np.ndarray[Any, Any]]:
    while raw:
        width, height = (int(number) for number in raw[:40].split(b"\n")[1].split())
        start = raw.index(b"255\n") + 4
        yield np.frombuffer(raw, np.uint8, width * height, start).reshape(height, width).astype(np.int16)
        raw = raw[start + width * height :]


def without_arrows(content: bytes, drawn: Drawn) -> Drawn:
    """Pages without empty lists to choose from: PDFium draws an arrow there that is only for the screen."""
    with pikepdf.open(io.BytesIO(content)) as pdf:
        for page, picture in zip(pdf.pages, drawn, strict=True):
            scale = picture.shape[0] / float(page.mediabox[3])
            for field in page.obj.get(Name.Annots, Array()):
                if field.get(Name.FT) == Name.Ch and Name.AP not in field:
                    left, bottom, right, top = (float(number) * scale for number in field.Rect)
                    picture[int(picture.shape[0] - top) : int(picture.shape[0] - bottom) + 1, int(left) : int(right) + 1] = 255
    return drawn


@pytest.mark.parametrize("draw", [by_pdfium, by_poppler], ids=["pdfium", "poppler"])
@pytest.mark.parametrize("name", ["worksheet-spanish", "worksheet-long-notes", "worksheet-scripts", "fcch-three-homes", "case-management-35-actions"])
def test_every_page_shows_what_it_showed(issued: Issued, name: str, draw: Callable[[bytes], Drawn]) -> None:
    """Answers, ticks, codes, empty boxes and added pages look the same, pixel by pixel."""
    paper = issued.paper(name)
    before, after = without_arrows(paper.content, draw(paper.content)), without_arrows(paper.content, draw(packet([paper], title="Packet")))
    assert [float((abs(old - new) > FAR).mean()) for old, new in zip(before, after, strict=True)] == [pytest.approx(0, abs=SAME)] * len(before)


def test_marks_made_by_hand_stay(issued: Issued) -> None:
    """What somebody drew over a page with a markup tool is printed with it and named; a hidden note is not."""
    def mark(pdf: pikepdf.Pdf) -> None:
        for flags, grey in ((4, b"0"), (6, b".5")):
            look = pdf.make_stream(grey + b" g 0 0 10 10 re f", Type=Name.XObject, Subtype=Name.Form, BBox=Array([0, 0, 10, 10]))
            note = Dictionary(Type=Name.Annot, Subtype=Name.FreeText, F=flags, Rect=Array([10, 300, 30, 320]), Contents=String("Call me"), AP=Dictionary(N=look))
            pdf.pages[0].obj.Annots.append(pdf.make_indirect(note))

    content = packet([Paper(title="Marked", content=edited(issued.paper("fcch-three-homes").content, mark))], title="Packet")
    assert (by_pdfium(content)[0][-480:-450, 15:45] == 0).all()
    assert [str(found.Alt) for found in elements(content, "/Figure")] == ["Call me"]


# ---------------------------------------------------------------- said


@cache
def opened(content: bytes) -> pikepdf.Pdf:
    """A document kept open, so that its elements can be looked at."""
    return pikepdf.open(io.BytesIO(content))


def elements(content: bytes, kind: str) -> list[Any]:
    """The structure elements of one type, in reading order."""
    return list(_walk(opened(content).Root.StructTreeRoot, kind))


def _walk(element: Any, kind: str) -> Iterator[Any]:
    kids = element.get(Name.K)
    for kid in kids if isinstance(kids, Array) else [kids]:
        if isinstance(kid, Dictionary) and Name.S in kid:
            if kind == kid.S:
                yield kid
            yield from _walk(kid, kind)


def test_no_field_is_left(whole: bytes) -> None:
    """A packet is for printing: no form, no field, no script; only links of its contents can be clicked."""
    with pikepdf.open(io.BytesIO(whole)) as pdf:
        assert {"/AcroForm", "/Names", "/OpenAction", "/AA"} & pdf.Root.keys() == set()
        assert Counter(str(found.Subtype) for page in pdf.pages for found in page.obj.get(Name.Annots, Array())) == {"/Link": len(NAMES)}


@pytest.mark.parametrize("name", ["worksheet-spanish", "fcch-three-homes"])
def test_every_box_says_whether_it_is_ticked(issued: Issued, name: str) -> None:
    """As many boxes are said to be ticked as the record has ticks; the others are said to be empty."""
    values, form = issued.values(name), issued.service.form(SAMPLES[name].form)
    ticks = sum(value is True for _, value in answer_texts(form, values))
    boxes = [found for found in elements(packet([issued.paper(name)], title="Packet"), "/Form") if found.A.Role == Name.cb]
    words = ("marcada", "sin marcar") if SAMPLES[name].lang == "es" else ("ticked", "not ticked")
    assert Counter(str(box.A["/checked"]) for box in boxes)["/on"] == ticks > 0
    assert {str(box.Alt).rpartition(": ")[2] for box in boxes} == set(words)
    assert all(str(box.Alt).endswith(f": {words[box.A['/checked'] == Name.off]}") for box in boxes)


def test_every_answer_is_read_aloud_with_its_label(issued: Issued) -> None:
    """Each answer is content of its own Form element, which names the question."""
    name = "worksheet-8-children"
    values, form = issued.values(name), issued.service.form(SAMPLES[name].form)
    wanted = {(place.label("en", ""), write_value(place.ask.kind, value, "en")) for place, value in answer_texts(form, values) if value is not True and place.group is None}
    content = packet([issued.paper(name)], title="Packet")
    said = {(label, text) for label, text in _said(content) if (label, text) in wanted}
    assert said == wanted != set()


def _said(content: bytes) -> Iterator[tuple[str, str]]:
    """Labels of fields with the text of their marked content, as far as it is in the simple font."""
    with pikepdf.open(io.BytesIO(content)) as pdf:
        texts = {page.obj.objgen: _texts(page.obj) for page in pdf.pages}
        for found in _walk(pdf.Root.StructTreeRoot, "/Form"):
            if "/Desc" in found.A:
                yield str(found.A["/Desc"]), " ".join(texts[found.Pg.objgen][int(mcid)] for mcid in found.K)


def _texts(page: Any) -> dict[int, str]:
    content = b"".join(stream.read_bytes() for stream in page.Contents)
    pieces = re.findall(rb"/Form<</MCID (\d+)>>BDC (.*?)EMC", content, re.DOTALL)
    return {int(mcid): b" ".join(re.findall(rb"\(((?:[^\\()]|\\.)*)\)Tj", drawn)).decode("cp1252") for mcid, drawn in pieces}


def test_marked_content_has_one_number_each(whole: bytes) -> None:
    """No two pieces of a page share a number: the foot of a page would be read aloud as an answer."""
    with pikepdf.open(io.BytesIO(whole)) as pdf:
        for page in pdf.pages:
            numbers = re.findall(rb"/MCID\s+(\d+)", b"".join(stream.read_bytes() for stream in page.obj.Contents))
            assert [number for number, count in Counter(numbers).items() if count > 1] == []


def test_every_piece_is_found_from_its_page_and_from_its_element(whole: bytes) -> None:
    """The parent tree names for each number the element that has it, and nothing else."""
    with pikepdf.open(io.BytesIO(whole)) as pdf:
        parents = pikepdf.NumberTree(pdf.Root.StructTreeRoot.ParentTree)
        by_key = {int(page.obj.StructParents): page.obj.objgen for page in pdf.pages}
        from_pages = {(by_key[key], at, holder.objgen) for key, holders in parents.items() if key in by_key for at, holder in enumerate(holders) if holder is not None}
        assert from_pages == set(_held(pdf.Root.StructTreeRoot))


def _held(element: Any) -> Iterator[tuple[tuple[int, int], int, tuple[int, int]]]:
    for kid in element.K:
        if isinstance(kid, int):
            yield element.Pg.objgen, kid, element.objgen
        elif Name.MCID in kid:
            yield kid.Pg.objgen, int(kid.MCID), element.objgen
        elif Name.S in kid:
            assert element == kid.P
            yield from _held(kid)


def test_cells_find_their_heads(whole: bytes) -> None:
    """Ids are distinct in the whole packet, listed, and every cell names heads of its own table."""
    ids = [str(found.ID) for found in elements(whole, "/TH")]
    named = {str(head) for cell in elements(whole, "/TD") for head in cell.get(Name.A, Dictionary()).get(Name.Headers, Array())}
    assert len(ids) == len(set(ids))
    assert named <= set(ids)
    with pikepdf.open(io.BytesIO(whole)) as pdf:
        assert set(pikepdf.NameTree(pdf.Root.StructTreeRoot.IDTree)) == set(ids)


def test_each_paper_speaks_its_language(whole: bytes) -> None:
    """A Spanish worksheet in an English packet is read aloud in Spanish."""
    assert [str(found.Lang) for found in elements(whole, "/Art")] == [SAMPLES[name].lang for name in NAMES]


@pytest.mark.parametrize("on_sheets", [False, True])
@pytest.mark.parametrize("cover", [COVER, None], ids=["cover", "no cover"])
def test_a_packet_keeps_pdf_ua(papers: tuple[Paper, ...], tmp_path: Path, cover: Cover | None, on_sheets: bool) -> None:
    """No rule of PDF/UA-1 fails, and qpdf finds nothing to mend."""
    file = tmp_path / "packet.pdf"
    file.write_bytes(packet(papers, title="Riverside", cover=cover, on_sheets=on_sheets))
    assert [str(found) for found in page_validation.validate_pdf(file, profile="ua1").failures] == []
    with pikepdf.open(file) as pdf:
        assert pdf.check_pdf_syntax() == []


# ---------------------------------------------------------------- found


def begins(content: bytes) -> dict[str, int]:
    """On which page, from 1, each sample's first page stands: it prints its document id."""
    document = pypdfium2.PdfDocument(content)
    texts = [found.get_textpage().get_text_bounded() for found in document]
    firsts = [number for number, text in enumerate(texts, start=1) if re.search(r"(Page|Página) 1 (of|de) ", text)]
    return {name: number for number in firsts for name in NAMES if in_words(Issued.document(name)) in texts[number - 1]}


def test_bookmarks_lead_to_sections_and_papers(whole: bytes) -> None:
    """The outline has the contents, each section, and under it each paper by its title, at its first page."""
    document = pypdfium2.PdfDocument(whole)
    found = [(mark.level, mark.get_title(), mark.get_dest().get_index() + 1) for mark in document.get_toc()]
    at = begins(whole)
    wanted: list[tuple[int, str, int]] = [(0, "Contents", 1)]
    for section, names in (("Elsewhere", NAMES[:4]), ("Overview", NAMES[4:6]), ("Elsewhere", NAMES[6:])):
        wanted += [(0, section, at[names[0]]), *((1, name.replace("-", " "), at[name]) for name in names)]
    assert found == wanted


def test_contents_name_page_and_document(whole: bytes) -> None:
    """Each line of the cover has a paper's title, its document id in words, its number of pages and its first page."""
    text = pypdfium2.PdfDocument(whole)[0].get_textpage().get_text_bounded()
    lines = {line.strip() for line in text.splitlines()}
    at = begins(whole)
    assert {"Riverside, November 2026", "Willow Creek Head Start", "Elsewhere", "Overview", "Confidential. i"} <= lines
    squeezed = "".join(text.split())
    for name, following in zip(NAMES, (*list(at.values())[1:], pages_in(whole) + 1), strict=True):
        line = (name.replace("-", " "), in_words(Issued.document(name)), str(following - at[name]), str(at[name]))
        assert "".join("".join(line).split()) in squeezed


def test_links_of_the_contents_lead_to_the_papers(whole: bytes) -> None:
    """A click on a line of the contents goes where the line says."""
    with pikepdf.open(io.BytesIO(whole)) as pdf:
        numbers = {page.obj.objgen: number for number, page in enumerate(pdf.pages, start=1)}
        links = [numbers[link.Dest[0].objgen] for link in pdf.pages[0].obj.Annots]
    assert links == list(begins(whole).values())


def test_page_labels_are_the_numbers_of_the_contents(papers: tuple[Paper, ...]) -> None:
    """The cover counts in Roman numbers; after it a label is the page's number in any print dialog."""
    many = [Paper(title=f"Paper {number}", content=papers[5].content) for number in range(1, 45)]
    with pikepdf.open(io.BytesIO(packet(many, title="Many", cover=COVER))) as pdf:
        labels = [str(page.label) for page in pdf.pages]
    assert labels == ["i", "ii", *(str(number) for number in range(3, len(labels) + 1))]


def test_each_paper_begins_on_a_sheet_of_its_own(papers: tuple[Paper, ...]) -> None:
    """For printing on both sides, papers begin on odd pages and the backs between them are blank."""
    content = packet(papers, title="Riverside", cover=COVER, on_sheets=True)
    assert len(begins(content)) == len(NAMES)
    assert {number % 2 for number in begins(content).values()} == {1}
    blank = [number for number, text in enumerate(pypdfium2.PdfDocument(content)) if not text.get_textpage().count_chars()]
    assert len(blank) == pages_in(content) - pages_in(packet(papers, title="Riverside", cover=COVER))


def test_the_cover_speaks_spanish_and_escapes(issued: Issued) -> None:
    """Words of the cover follow its language; signs of HTML and CSS in titles are only signs."""
    paper = issued.paper("worksheet-spanish")
    strange = 'A <b> & "c" \\ \x00 ñ'
    cover = Cover(agency=strange, lines=((strange, strange),), confidentiality=strange)
    text = pypdfium2.PdfDocument(packet([Paper(title=strange, content=paper.content, section=strange)], title=strange, lang="es", cover=cover))[0].get_textpage().get_text_bounded()
    assert "Índice" in text
    assert " ".join(text.split()).count('A <b> & "c" \\ ñ') == 7


# ---------------------------------------------------------------- kept


def test_the_same_papers_give_the_same_bytes(papers: tuple[Paper, ...], whole: bytes) -> None:
    """Nothing of the clock or of chance is in a packet; other papers have another id."""
    assert packet(papers, title="Riverside, November 2026", cover=COVER) == whole
    with pikepdf.open(io.BytesIO(whole)) as one, pikepdf.open(io.BytesIO(packet(papers[1:], title="Riverside, November 2026", cover=COVER))) as other:
        assert bytes(one.trailer.ID[0]) != bytes(other.trailer.ID[0])


def test_metadata_says_only_the_title(whole: bytes) -> None:
    """Metadata has the title that was given and no name of anybody."""
    with pikepdf.open(io.BytesIO(whole)) as pdf:
        said = bytes(pdf.Root.Metadata.read_bytes()).decode()
        assert dict(pdf.trailer.Info.items()) == {"/Title": String("Riverside, November 2026")}
    assert re.sub(r"<[^>]+>", "", said).strip("\ufeff \n") == "Riverside, November 2026"


def test_equal_parts_are_kept_once(issued: Issued) -> None:
    """Ten worksheets of one form are smaller together than on their own: their fonts and pages are shared."""
    content = issued.paper("worksheet-8-children").content
    ten = packet([Paper(title=f"Class {number}", content=content) for number in range(10)], title="Ten")
    assert len(ten) < 4 * len(content)


def test_a_packet_can_be_a_paper(whole: bytes, tmp_path: Path) -> None:
    """Packets of sites make a packet of the agency, with all its pages and its tags."""
    again = packet([Paper(title="Riverside", content=whole), Paper(title="Cedar Hall", content=whole)], title="All sites")
    file = tmp_path / "packet.pdf"
    file.write_bytes(again)
    assert pages_in(again) == 2 * pages_in(whole)
    assert [str(found) for found in page_validation.validate_pdf(file, profile="ua1").failures] == []


def test_a_scan_goes_in_as_a_picture(issued: Issued, tmp_path: Path) -> None:
    """A page without tags, such as a signed page that was scanned, is named as a picture of its paper."""
    scan = io.BytesIO()
    Image.new("RGB", (200, 300), "navy").save(scan, "PDF")
    content = packet([issued.paper("fcch-three-homes"), Paper(title="Signed page", content=scan.getvalue())], title="Packet", cover=COVER)
    file = tmp_path / "packet.pdf"
    file.write_bytes(content)
    assert [str(found.Alt) for found in elements(content, "/Figure")] == ["Signed page, page 1: a picture without text"]
    assert [str(found) for found in page_validation.validate_pdf(file, profile="ua1").failures] == []
    assert by_pdfium(content)[-1].mean() == pytest.approx(by_pdfium(scan.getvalue())[0].mean(), abs=1)


# ---------------------------------------------------------------- refused


def refused(*papers: Paper) -> tuple[str, str]:
    with pytest.raises(Refused) as stopped:
        packet(papers, title="Packet", cover=COVER)
    return stopped.value.code, stopped.value.place


def test_no_papers_are_refused() -> None:
    """A packet of nothing is a mistake."""
    assert refused() == ("packet-empty", "Packet")


@pytest.mark.parametrize("password", ["correct horse battery", ""])
def test_protected_papers_are_refused(issued: Issued, password: str) -> None:
    """A paper's protection would end in the packet, so it must be taken off knowingly before."""
    locked = edited(issued.paper("fcch-three-homes").content, lambda _: None, encryption=pikepdf.Encryption(owner="owner", user=password))
    assert refused(Paper(title="Notes", content=locked)) == ("password-needed", "Notes")


@pytest.mark.parametrize("content", [b"", b"no PDF", b"%PDF-1.7\n%%EOF"])
def test_what_is_no_pdf_is_refused(content: bytes) -> None:
    """The refusal names the paper by its title."""
    assert refused(Paper(title="Broken", content=content)) == ("damaged", "Broken")


def test_an_answer_that_is_not_drawn_is_refused(issued: Issued) -> None:
    """An answer a viewer stored without drawing it would be missing on paper."""
    def undraw(pdf: pikepdf.Pdf) -> None:
        field = next(field for field in pdf.Root.AcroForm.Fields if field.T == "site")
        del field.AP

    paper = Paper(title="Worksheet", content=edited(issued.paper("worksheet-8-children").content, undraw))
    assert refused(paper) == ("answer-not-drawn", "Worksheet")


@pytest.mark.parametrize("text", ["12 0 R", "a (5 0 R) b", "\\", "\\) 7 0 R", "(", "/MCID 3"])
def test_texts_that_look_like_pdf_stay_texts(issued: Issued, text: str) -> None:
    """A label or a title that looks like a reference is carried over letter by letter."""
    def rename(pdf: pikepdf.Pdf) -> None:
        next(field for field in pdf.Root.AcroForm.Fields if field.T == "site").TU = String(text)
        pdf.Root.StructTreeRoot.K[0].K[2].ActualText = String(text)

    content = packet([Paper(title=text, content=edited(issued.paper("worksheet-8-children").content, rename))], title=text, cover=COVER)
    assert text in {str(found.A.get("/Desc", "")) for found in elements(content, "/Form")}
    assert text in {str(found.get(Name.ActualText, "")) for found in elements(content, "/P")}
    assert [str(found.T) for found in elements(content, "/Art")] == [text]
