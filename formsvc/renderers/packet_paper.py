"""One paper's pages and structure on their way into a packet: its form goes, its ink and its tags stay."""

import io
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

import pikepdf
from pikepdf import Array, Dictionary, Name

from formsvc.errors import Refused
from formsvc.model.kinds import Lang
from formsvc.model.stamp import NAMESPACE, in_words, is_document
from formsvc.renderers.packet_file import Copier, PacketFile
from formsvc.renderers.packet_ink import Ink, Inker, inherited
from formsvc.renderers.update import pdf_text

_PAGE_ENTRIES: Final = ("/MediaBox", "/CropBox", "/BleedBox", "/TrimBox", "/ArtBox", "/Rotate", "/UserUnit", "/Group")
_OWN: Final = frozenset(("/A", "/Alt", "/ActualText", "/E", "/Lang", "/T"))
_ROLES: Final = {f"/{name}": f"/{name}".encode("ascii") for name in ("Span", "Form", "TD", "TH", "TR", "P")}
_DOCUMENT: Final = re.compile(r'formsvc:document="(\w+)"')
_MARK: Final = re.compile(rb"/MCID\s+(\d+)")
_PAGE_LINK: Final = "urn:formsvc:page:"
_PICTURE: Final[Mapping[Lang, str]] = {"en": "{title}, page {page}: a picture without text", "es": "{title}, página {page}: una imagen sin texto"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Facts:
    """What a paper's contents line and the numbering of pages need to know."""

    pages: int
    document: str
    """The document id in words; empty if the paper does not say it."""
    size: tuple[float, float]
    """Width and height of its first page as it is read, in points."""


@dataclass(slots=True)
class Tree:
    """The structure of the whole packet as it grows."""

    parents: list[bytes] = field(default_factory=list)
    """The parent tree: what holds each page's marked content, and each link."""
    ids: list[tuple[str, int]] = field(default_factory=list)

    def new_key(self) -> int:
        """A free key of the parent tree."""
        self.parents.append(b"null")
        return len(self.parents) - 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """Where a paper goes: its pages' numbers in the file, the root of the page tree, the element it hangs on."""

    title: str
    name: str
    """Begins its element ids, so that they differ from those of other papers."""
    pages: Sequence[int]
    all_pages: Sequence[int]
    page_tree: int
    parent: int


def open_paper(content: bytes, title: str) -> pikepdf.Pdf:
    """A paper as a document; refuses what is locked or no PDF."""
    try:
        pdf = pikepdf.open(io.BytesIO(content))
    except pikepdf.PasswordError as problem:
        raise Refused("password-needed", title) from problem
    except pikepdf.PdfError as problem:
        raise Refused("damaged", title, detail=str(problem).split("\n")[0][:120]) from problem
    if pdf.is_encrypted:  # opened without a password, but it would lose its protection here
        pdf.close()
        raise Refused("password-needed", title)
    return pdf


def facts_of(pdf: pikepdf.Pdf, title: str) -> Facts:
    """How many pages of which size, and which document; refuses a paper without pages."""
    if not len(pdf.pages):
        raise Refused("no-pages", title)
    first = pdf.pages[0]
    left, bottom, right, top = (float(number) for number in first.cropbox)
    wide, tall = right - left, top - bottom
    turned = int(inherited(first.obj, "/Rotate") or 0) % 180
    return Facts(pages=len(pdf.pages), document=_document(pdf), size=(tall, wide) if turned else (wide, tall))


def _document(pdf: pikepdf.Pdf) -> str:
    metadata = pdf.Root.get(Name.Metadata)
    if metadata is None:
        return ""
    said = metadata.read_bytes().decode("utf-8", "replace")
    found = _DOCUMENT.search(said) if NAMESPACE in said else None
    return in_words(found[1]) if found and is_document(found[1]) else ""


@dataclass(slots=True, kw_only=True)
class _Element:
    """A structure element on its way: kids are elements, ink, marked content (page, number), or links."""

    number: int
    parent: int
    head: bytes
    kids: list[Any] = field(default_factory=list)


@dataclass(slots=True, kw_only=True)
class _Page:
    """A page on its way: its ink, and which element holds each piece of marked content."""

    node: Dictionary
    number: int
    key: int
    fonts: dict[str, bytes]
    inks: list[Ink] = field(default_factory=list)
    links: list[int] = field(default_factory=list)
    marks: dict[int, int] = field(default_factory=dict)
    operators: list[bytes] = field(default_factory=list)
    next_mark: int = 0
    """The first number that no piece of its content has; page furniture has numbers that no element holds."""
    picture: bool = False
    """Whether its content has no tags and is tagged as a whole."""


class PaperCopy:
    """One paper being copied."""

    def __init__(self, file: PacketFile, tree: Tree, pdf: pikepdf.Pdf, place: Place) -> None:
        """Nothing is read yet."""
        self._file, self._tree, self._pdf, self._place = file, tree, pdf, place
        said = str(pdf.Root.get(Name.Lang, ""))
        self._lang: Lang = "es" if said.startswith("es") else "en"
        self._said = said or self._lang
        self._copier = Copier(file, pdf, place.title)
        self._inks: dict[tuple[int, int], Ink] = {}
        self._placed: set[int] = set()
        self._links: dict[tuple[int, int], tuple[int, int]] = {}
        self._pages: list[_Page] = []
        self._index: dict[tuple[int, int], int] = {}

    def write(self, kind: bytes) -> int:
        """Write pages and structure; returns the number of the paper's element, which is of this type."""
        self._read_pages()
        head = b"/S/%b/T%b/Lang%b" % (kind, pdf_text(self._place.title), pdf_text(self._said))
        root = _Element(number=self._file.new(), parent=self._place.parent, head=head)
        self._read_structure(root)
        self._keep_rest(root)
        self._mark_ink(root)
        self._write_element(root)
        for page in self._pages:
            self._write_page(page)
        return root.number

    # ------------------------------------------------------------ read

    def _read_pages(self) -> None:
        inker = Inker(self._copier, self._lang, self._place.title)
        for index, page in enumerate(self._pdf.pages):
            node = page.obj
            resources = inherited(node, "/Resources") or Dictionary()
            fonts = {name: self._copier.copy(font) for name, font in resources.get(Name.Font, Dictionary()).items()}
            found = _Page(node=node, number=self._place.pages[index], key=self._tree.new_key(), fonts=fonts, next_mark=_next_mark(node))
            self._pages.append(found)
            self._index[node.objgen] = index
            for annotation in node.get(Name.Annots, Array()):
                self._read_annotation(inker, annotation, index, found)

    def _read_annotation(self, inker: Inker, annotation: Any, index: int, page: _Page) -> None:
        if annotation.get("/Subtype") == "/Link":
            if link := self._link(annotation, page):
                self._links[annotation.objgen] = link
                page.links.append(link[0])
        elif ink := inker.ink(annotation, index, page.fonts):
            page.fonts.update(ink.fonts)
            page.inks.append(ink)
            if annotation.is_indirect:
                self._inks[annotation.objgen] = ink

    def _link(self, annotation: Any, page: _Page) -> tuple[int, int] | None:
        """A link to an address, or from the contents to a page, written anew; its number and its key."""
        target = str(annotation.get("/A", Dictionary()).get("/URI", ""))
        if not target:
            return None
        goes = b"/A<</S/URI/URI%b>>" % pdf_text(target)
        if target.startswith(_PAGE_LINK):
            goes = b"/Dest[%d 0 R/Fit]" % self._place.all_pages[int(target.removeprefix(_PAGE_LINK)) - 1]
        key = self._tree.new_key()
        says = pdf_text(str(annotation.get(Name.Contents, "")) or target)
        head = b"<</Type/Annot/Subtype/Link/F 4/Border[0 0 0]/P %d 0 R/StructParent %d" % (page.number, key)
        return self._file.add(b"%b/Rect %b/Contents%b%b>>" % (head, self._copier.copy(annotation.Rect), says, goes)), key

    def _read_structure(self, root: _Element) -> None:
        tree = self._pdf.Root.get(Name.StructTreeRoot)
        if tree is None:
            return
        roles = tree.get(Name.RoleMap, Dictionary())
        for top in _listed(tree.get(Name.K)):
            if top.get(Name.S) == Name.Document:
                self._read_kids(top, root, roles)
            else:
                root.kids += self._read_kid(top, None, root, roles)

    def _read_kids(self, node: Any, element: _Element, roles: Any) -> None:
        page = node.get("/Pg")
        for kid in _listed(node.get("/K")):
            element.kids += self._read_kid(kid, page, element, roles)

    def _read_kid(self, kid: Any, page: Any, parent: _Element, roles: Any) -> Iterator[Any]:
        """What stands in a paper's tree, as it stands in the packet's."""
        if isinstance(kid, int):
            yield from self._marked(page, kid, parent)
        elif (kind := kid.get("/S")) is not None:
            element = self._element(kid, _role(kind, roles), parent)
            self._read_kids(kid, element, roles)
            if element.kids or kind != "/Form":  # a field that was left empty leaves nothing on paper
                yield element
        elif "/MCID" in kid:
            yield from self._marked(kid.get("/Pg", page), int(kid.MCID), parent)
        elif "/Obj" in kid:
            yield from self._referred(kid.Obj, page, parent)

    def _marked(self, page: Any, mcid: int, element: _Element) -> Iterator[tuple[int, int]]:
        index = self._index.get(page.objgen) if page is not None else None
        if index is not None:
            self._pages[index].marks[mcid] = element.number
            yield index, mcid

    def _referred(self, annotation: Any, page: Any, element: _Element) -> Iterator[Any]:
        ink, link = self._inks.get(annotation.objgen), self._links.get(annotation.objgen)
        if ink is not None and id(ink) not in self._placed:
            self._placed.add(id(ink))
            element.head += ink.says
            yield ink
        elif link is not None and page is not None:
            number, key = link
            self._tree.parents[key] = b"%d 0 R" % element.number
            yield b"<</Type/OBJR/Obj %d 0 R/Pg %d 0 R>>" % (number, self._pages[self._index[page.objgen]].number)

    def _element(self, node: Any, kind: bytes, parent: _Element) -> _Element:
        element = _Element(number=self._file.new(), parent=parent.number, head=b"/S" + kind)
        names = node.keys()
        for name in sorted(_OWN & names):
            element.head += name.encode("ascii") + b" " + self._attribute(node[name])
        if "/ID" in names:
            own = self._own_id(node.ID)
            self._tree.ids.append((own, element.number))
            element.head += b"/ID" + pdf_text(own)
        return element

    def _own_id(self, name: Any) -> str:
        return f"{self._place.name}-{name}"

    def _attribute(self, value: Any) -> bytes:
        """An attribute; cells name their heads by the ids these have now."""
        if isinstance(value, Dictionary) and Name.Headers in value:
            value = Dictionary(dict(value.items()))
            value.Headers = Array([pikepdf.String(self._own_id(name)) for name in value.Headers])
        return self._copier.copy(value)

    def _keep_rest(self, root: _Element) -> None:
        """What the paper's tree does not mention is kept at its end: pages without tags, ink without a field."""
        for index, page in enumerate(self._pages):
            if Name.StructTreeRoot not in self._pdf.Root:
                page.picture = True
                words = _PICTURE[self._lang].format(title=self._place.title, page=index + 1)
                self._add(root, b"/S/Figure/Alt%b" % pdf_text(words), (index, 0))
                page.marks[0] = root.kids[-1].number
            for ink in page.inks:
                if id(ink) not in self._placed:
                    self._add(root, b"/S/%b%b" % (ink.kind, ink.says), ink)

    def _add(self, root: _Element, head: bytes, kid: Any) -> None:
        root.kids.append(_Element(number=self._file.new(), parent=root.number, head=head, kids=[kid]))

    # ------------------------------------------------------------ written

    def _mark_ink(self, element: _Element) -> None:
        """Give ink its numbers as marked content, in reading order."""
        for position, kid in enumerate(element.kids):
            if isinstance(kid, _Element):
                self._mark_ink(kid)
            elif isinstance(kid, Ink):
                page = self._pages[kid.page]
                mcid, page.next_mark = page.next_mark, page.next_mark + 1
                page.marks[mcid] = element.number
                page.operators.append(kid.operators(mcid))
                element.kids[position] = kid.page, mcid

    def _write_element(self, element: _Element) -> None:
        kids, page = [], next((kid[0] for kid in element.kids if isinstance(kid, tuple)), None)
        for kid in element.kids:
            if isinstance(kid, _Element):
                self._write_element(kid)
                kids.append(b"%d 0 R" % kid.number)
            elif isinstance(kid, bytes):
                kids.append(kid)
            elif kid[0] == page:
                kids.append(b"%d" % kid[1])
            else:
                kids.append(b"<</Type/MCR/Pg %d 0 R/MCID %d>>" % (self._pages[kid[0]].number, kid[1]))
        where = b"" if page is None else b"/Pg %d 0 R" % self._pages[page].number
        self._file.put(element.number, b"<<%b/P %d 0 R%b/K[%b]>>" % (element.head, element.parent, where, b" ".join(kids)))

    def _write_page(self, page: _Page) -> None:
        holders = (page.marks.get(mcid) for mcid in range(max(page.marks, default=-1) + 1))
        self._tree.parents[page.key] = b"[%b]" % b" ".join(b"%d 0 R" % holder if holder else b"null" for holder in holders)
        kept = Dictionary({name: value for name in _PAGE_ENTRIES if (value := inherited(page.node, name)) is not None})
        links = b"/Annots[%b]" % b" ".join(b"%d 0 R" % link for link in page.links) if page.links else b""
        head = b"<</Type/Page/Parent %d 0 R/Tabs/S/StructParents %d%b" % (self._place.page_tree, page.key, links)
        body = self._copier.copy(kept).strip()[2:-2]
        self._file.put(page.number, b"%b%b/Resources %b/Contents%b>>" % (head, body, self._resources(page), self._contents(page)))

    def _resources(self, page: _Page) -> bytes:
        """The page's resources with what its ink needs."""
        resources = inherited(page.node, "/Resources") or Dictionary()
        drawings = {f"/X{ink.drawing}": b"%d 0 R" % ink.drawing for ink in page.inks if ink.drawing}
        own = {name: self._copier.copy(value) for name, value in resources.get(Name.XObject, Dictionary()).items()}
        others = {name: self._copier.copy(value) for name, value in resources.items() if name not in {"/Font", "/XObject"}}
        whole = {**others, "/Font": _dictionary(page.fonts), "/XObject": _dictionary({**own, **drawings})}
        return b"%d 0 R" % self._file.share(_dictionary(whole))

    def _contents(self, page: _Page) -> bytes:
        """The page's content as it was, then the ink, each with a graphics state of its own."""
        given = page.node.get(Name.Contents, Array())
        streams = [self._copier.copy(stream) for stream in _listed(given)]
        if page.operators or page.picture:
            begin, end = (b"/Figure<</MCID 0>>BDC q ", b" Q EMC ") if page.picture else (b"q ", b" Q ")
            first = b"%d 0 R" % self._file.share(b"", begin)
            streams = [first, *streams, b"%d 0 R" % self._file.add_stream(b"", end + b"".join(page.operators))]
        return b"[%b]" % b" ".join(streams)


def _listed(value: Any) -> Sequence[Any]:
    if value is None:
        return ()
    return tuple(value) if isinstance(value, Array) else (value,)


def _next_mark(page: Any) -> int:
    """One more than the highest number of marked content in a page."""
    content = b"".join(stream.read_bytes() for stream in _listed(page.get("/Contents")))
    return max(map(int, _MARK.findall(content)), default=0) + 1


def _role(kind: Any, roles: Any) -> bytes:
    """A structure type by its standard name; papers may call one thing by different names."""
    seen: set[str] = set()
    while kind in roles and str(kind) not in seen:
        seen.add(str(kind))
        kind = roles[kind]
    return _ROLES.get(str(kind)) or bytes(kind.unparse())


def _dictionary(entries: Mapping[str, bytes]) -> bytes:
    return b"<<%b>>" % b"".join(b"%b %b" % (pikepdf.Name(name).unparse(), value) for name, value in sorted(entries.items()))
