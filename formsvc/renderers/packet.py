"""One print packet of many papers: cover with contents, bookmarks, page labels, tags; no fields.

Papers of one form have fields of the same names, so each field's ink is baked into its page and
the form goes away; what a page showed, it shows. Papers are read one after the other, so that only
their bytes stay. The packet has the same bytes whenever it is made of the same papers.
"""

import itertools
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Final
from xml.sax.saxutils import escape

from formsvc.errors import Refused
from formsvc.model.kinds import Lang
from formsvc.renderers.packet_cover import WORDS, Cover, Entry, cover_pdf
from formsvc.renderers.packet_file import PacketFile
from formsvc.renderers.packet_paper import Facts, PaperCopy, Place, Tree, facts_of, open_paper
from formsvc.renderers.update import pdf_text

_METADATA: Final = (
    '<?xpacket begin="\ufeff" id="W5M0MpCehiHzreSzNTczkc9d"?>'
    '<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">'
    '<rdf:Description rdf:about="" xmlns:pdfuaid="http://www.aiim.org/pdfua/ns/id/" pdfuaid:part="1"/>'
    '<rdf:Description rdf:about="" xmlns:dc="http://purl.org/dc/elements/1.1/">'
    '<dc:title><rdf:Alt><rdf:li xml:lang="x-default">{title}</rdf:li></rdf:Alt></dc:title></rdf:Description>'
    '</rdf:RDF></x:xmpmeta><?xpacket end="w"?>'
)
_LEAF: Final = 64  # keys of the parent tree to a node


@dataclass(frozen=True, slots=True, kw_only=True)
class Paper:
    """One document of a packet; papers that follow each other with the same section stand under it."""

    title: str
    content: bytes
    section: str = ""


@dataclass(frozen=True, slots=True)
class _Bookmark:
    """A line of the outline; `page` counts from 0."""

    title: str
    page: int
    kids: tuple["_Bookmark", ...] = ()


def packet(papers: Sequence[Paper], *, title: str, lang: Lang = "en", cover: Cover | None = None, on_sheets: bool = False) -> bytes:
    """One PDF of all papers in their order, for printing; without `cover` it begins with the first paper.

    With `on_sheets` each paper begins on a new sheet when both sides are printed. Page numbers count
    every page, so they fit any print dialog. Refuses no papers at all, and a paper that cannot be
    used by its title.
    """
    if not papers:
        raise Refused("packet-empty", title)
    title = _printable(title)
    papers = [replace(paper, title=_printable(paper.title), section=_printable(paper.section)) for paper in papers]
    facts = tuple(_facts(paper) for paper in papers)
    front, room = _front(papers, facts, title, lang, cover, on_sheets=on_sheets) if cover else (b"", 0)
    starts, count = _starts(room, facts, on_sheets=on_sheets)
    return _Packet(title, lang, facts, count).write(front, room, papers, starts)


def _facts(paper: Paper) -> Facts:
    with open_paper(paper.content, paper.title) as pdf:
        return facts_of(pdf, paper.title)


def _starts(room: int, facts: Sequence[Facts], *, on_sheets: bool) -> tuple[tuple[int, ...], int]:
    """The page each paper begins on, from 0, after so many pages of the cover; and how many pages there are."""
    starts, at = [], room
    for fact in facts:
        at += at % 2 if on_sheets else 0
        starts.append(at)
        at += fact.pages
    return tuple(starts), at


def _front(papers: Sequence[Paper], facts: Sequence[Facts], title: str, lang: Lang, cover: Cover, *, on_sheets: bool) -> tuple[bytes, int]:
    """The cover and the room it has; it is laid out again if it needs more pages than it was given."""
    room, needed, front = 0, 1, b""
    while needed > room:
        room = needed
        starts, _ = _starts(room, facts, on_sheets=on_sheets)
        entries = [
            Entry(section=paper.section, title=paper.title, document=fact.document, pages=fact.pages, page=start + 1)
            for paper, fact, start in zip(papers, facts, starts, strict=True)
        ]
        front = cover_pdf(title, lang, cover, entries, facts[0].size)
        needed = _facts(Paper(title=title, content=front)).pages
    return front, room


class _Packet:
    """One packet being written."""

    def __init__(self, title: str, lang: Lang, facts: Sequence[Facts], count: int) -> None:
        self.title, self.lang, self.facts = title, lang, facts
        self.file, self.tree = PacketFile(), Tree()
        self.page_tree, self.structure, self.document = (self.file.new() for _ in range(3))
        self.pages = [self.file.new() for _ in range(count)]
        self.filled = [False] * count

    def write(self, front: bytes, room: int, papers: Sequence[Paper], starts: Sequence[int]) -> bytes:
        kids, marks = [], []
        if front:
            said = Paper(title=WORDS[self.lang]["contents"], content=front)
            kids.append(self._copy("c", said, 0, self.document, b"Sect"))
            marks.append(_Bookmark(said.title, 0))
        numbered = zip(itertools.count(1), papers, starts)
        for section, found in itertools.groupby(numbered, key=lambda one: one[1].section):
            part = self.file.new() if section else self.document
            inside = tuple(found)
            elements = [self._copy(str(number), paper, start, part, b"Art") for number, paper, start in inside]
            lines = tuple(_Bookmark(paper.title, start) for _, paper, start in inside)
            if section:
                self._put_element(part, b"/S/Part/T" + pdf_text(section), self.document, elements)
            kids += [part] if section else elements
            marks += [_Bookmark(section, lines[0].page, lines)] if section else lines
        self._put_element(self.document, b"/S/Document", self.structure, kids)
        return self._finish(marks, room)

    def _copy(self, name: str, paper: Paper, start: int, parent: int, kind: bytes) -> int:
        """Copy one paper to its place; returns its structure element."""
        with open_paper(paper.content, paper.title) as pdf:
            end = start + len(pdf.pages)
            self.filled[start:end] = [True] * len(pdf.pages)
            place = Place(title=paper.title, name=name, pages=self.pages[start:end], all_pages=self.pages, page_tree=self.page_tree, parent=parent)
            return PaperCopy(self.file, self.tree, pdf, place).write(kind)

    def _put_element(self, number: int, head: bytes, parent: int, kids: Sequence[int]) -> None:
        self.file.put(number, b"<<%b/P %d 0 R/K%b>>" % (head, parent, _references(kids)))

    # ------------------------------------------------------------ around the papers

    def _finish(self, marks: Sequence[_Bookmark], room: int) -> bytes:
        self._put_blank_pages()
        self.file.put(self.page_tree, b"<</Type/Pages/Count %d/Kids%b>>" % (len(self.pages), _references(self.pages)))
        self._put_structure()
        title = pdf_text(self.title)
        metadata = self.file.add_raw_stream(b"/Type/Metadata/Subtype/XML", _METADATA.format(title=escape(self.title)).encode("utf-8"))
        root = self.file.add(
            b"<</Type/Catalog/Pages %d 0 R/StructTreeRoot %d 0 R/Outlines %d 0 R/Metadata %d 0 R/PageLabels<</Nums[%b]>>"
            b"/Lang(%b)/MarkInfo<</Marked true>>/PageMode/UseOutlines/ViewerPreferences<</DisplayDocTitle true/PrintScaling/None>>>>"
            % (self.page_tree, self.structure, self._put_outline(marks), metadata, _labels(room), self.lang.encode("ascii")),
        )
        return self.file.finish(root, self.file.add(b"<</Title%b>>" % title))

    def _put_blank_pages(self) -> None:
        """Backs of sheets that carry nothing."""
        width, height = self.facts[0].size
        for number in (number for number, filled in zip(self.pages, self.filled, strict=True) if not filled):
            self.file.put(number, b"<</Type/Page/Parent %d 0 R/MediaBox[0 0 %g %g]/Resources<<>>>>" % (self.page_tree, width, height))

    def _put_structure(self) -> None:
        file, tree = self.file, self.tree
        leaves = []
        for first in range(0, len(tree.parents), _LEAF):
            part = tree.parents[first : first + _LEAF]
            nums = b" ".join(b"%d %b" % (first + number, body) for number, body in enumerate(part))
            leaves.append(file.add(b"<</Limits[%d %d]/Nums[%b]>>" % (first, first + len(part) - 1, nums)))
        parents = file.add(b"<</Kids%b>>" % _references(leaves))
        names = b"".join(b"%b %d 0 R" % (name, number) for name, number in sorted((pdf_text(name), number) for name, number in tree.ids))
        ids = b"/IDTree<</Names[%b]>>" % names if names else b""
        file.put(self.structure, b"<</Type/StructTreeRoot/K[%d 0 R]/ParentTree %d 0 R/ParentTreeNextKey %d%b>>" % (self.document, parents, len(tree.parents), ids))

    def _put_outline(self, marks: Sequence[_Bookmark]) -> int:
        number = self.file.new()
        first, last = self._put_bookmarks(marks, number)
        count = len(marks) + sum(len(mark.kids) for mark in marks)
        return self.file.put(number, b"<</Type/Outlines/First %d 0 R/Last %d 0 R/Count %d>>" % (first, last, count))

    def _put_bookmarks(self, marks: Sequence[_Bookmark], parent: int) -> tuple[int, int]:
        """Write the lines of one level; returns the first and the last."""
        numbers = [self.file.new() for _ in marks]
        for at, (mark, number) in enumerate(zip(marks, numbers, strict=True)):
            body = b"/Title%b/Parent %d 0 R/Dest[%d 0 R/Fit]" % (pdf_text(mark.title), parent, self.pages[mark.page])
            body += b"/Prev %d 0 R" % numbers[at - 1] if at else b""
            body += b"/Next %d 0 R" % numbers[at + 1] if at + 1 < len(numbers) else b""
            if mark.kids:
                body += b"/First %d 0 R/Last %d 0 R/Count %d" % (*self._put_bookmarks(mark.kids, number), len(mark.kids))
            self.file.put(number, b"<<%b>>" % body)
        return numbers[0], numbers[-1]


def _labels(room: int) -> bytes:
    """Page labels: the cover counts in Roman numbers, the papers go on from it in Arabic ones."""
    return b"0<</S/r>>%d<</S/D/St %d>>" % (room, room + 1) if room else b"0<</S/D>>"


def _references(numbers: Iterable[int]) -> bytes:
    return b"[%b]" % b" ".join(b"%d 0 R" % number for number in numbers)


def _printable(text: str) -> str:
    """A title as one line."""
    return " ".join("".join(letter if letter.isprintable() else " " for letter in text).split())
