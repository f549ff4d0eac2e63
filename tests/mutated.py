"""Damages a PDF in ways that a reader meets: its bytes, its numbers, its objects, its streams.

`mutations` goes on for ever; the same seed gives the same files. Each comes with the name of what was
done to it, so that a table can tell them apart.
"""

import io
import random
import re
import warnings
from collections.abc import Callable, Iterator
from typing import Any, Final, cast

import pikepdf
import pypdfium2 as pdfium
from pikepdf import Array, Dictionary, Name, Pdf, Stream
from PIL import Image

from formsvc.demo import sample_values
from formsvc.model.kinds import Lang
from formsvc.service import Service
from formsvc.settings import samples_folder

_LANGS: Final[tuple[Lang, ...]] = ("en", "es")
_FILLED: Final = {"worksheet": "worksheet-8-children", "fcch": "fcch-three-homes", "case-management": "case-management-35-actions", "conference-notes": "conference-notes"}
_NUMBER: Final = re.compile(rb"(?<![\w.])-?\d+(?:\.\d+)?")
_ODD: Final = (b"0", b"-1", b"1", b"2147483647", b"2147483648", b"-2147483648", b"4294967296", b"99999999999999999999", b"0.0000001", b"1e400", b"3.5", b"null", b"(text)")
_WORDS: Final = (b"obj", b"endobj", b"stream", b"endstream", b"xref", b"trailer", b"startxref", b"<<", b">>", b"[", b"]", b"/Kids", b"/Parent", b"/FlateDecode", b"%%EOF", b"R")


def papers(service: Service) -> dict[str, bytes]:
    """The files to damage: our forms blank and filled, what programs saved, prints without fields, pictures."""
    found = {f"blank {name} {lang}": service.issue(name, None, lang=lang).content for name in _FILLED for lang in _LANGS}
    filled = {name: service.issue(name, sample_values(values)).content for name, values in _FILLED.items()}
    found |= {f"filled {name}": content for name, content in filled.items()}
    found |= {f"returned {file.stem}": file.read_bytes() for file in sorted((samples_folder() / "returned").glob("*.pdf"))}
    return found | {"printed worksheet": printed(filled["worksheet"]), "pictures worksheet": pictured(filled["worksheet"])}


def printed(content: bytes) -> bytes:
    """The same paper as a print: its fields are ink."""
    out = io.BytesIO()
    with pdfium.PdfDocument(content) as document:
        document.init_forms()
        for page in document:
            page.flatten()
        document.save(out)
    return out.getvalue()


def pictured(content: bytes) -> bytes:
    """The same paper as pictures of its pages."""
    out = io.BytesIO()
    with pdfium.PdfDocument(content) as document:
        document.init_forms()
        first, *others = [cast("Image.Image", page.render(scale=150 / 72, may_draw_forms=True, grayscale=True).to_pil()) for page in document]
        first.save(out, "PDF", save_all=True, append_images=others, resolution=150)
    return out.getvalue()


def mutations(content: bytes, rng: random.Random) -> Iterator[tuple[str, bytes]]:
    """Damaged copies of a file, without end: what was done, and the file."""
    while True:
        kind = rng.choice(tuple(_KINDS))
        done = content
        for _ in range(rng.choice((1, 1, 1, 2, 4))):
            done = _KINDS[kind](done, rng)
        yield kind, done


# ---------------------------------------------------------------- bytes


def _span(content: bytes, rng: random.Random, most: int = 4096) -> tuple[int, int]:
    start = rng.randrange(len(content) + 1)
    return start, min(len(content), start + rng.randint(1, most))


def _flip(content: bytes, rng: random.Random) -> bytes:
    changed = bytearray(content)
    for _ in range(rng.choice((1, 3, 20, 200)) if changed else 0):
        changed[rng.randrange(len(changed))] ^= 1 << rng.randrange(8)
    return bytes(changed)


def _delete(content: bytes, rng: random.Random) -> bytes:
    start, end = _span(content, rng)
    return content[:start] + content[end:]


def _duplicate(content: bytes, rng: random.Random) -> bytes:
    start, end = _span(content, rng)
    return content[:end] + content[start:end] * rng.choice((1, 1, 3, 50)) + content[end:]


def _swap(content: bytes, rng: random.Random) -> bytes:
    (first, first_end), (second, second_end) = sorted((_span(content, rng), _span(content, rng)))
    if first_end > second:
        return content
    return content[:first] + content[second:second_end] + content[first_end:second] + content[first:first_end] + content[second_end:]


def _cut(content: bytes, rng: random.Random) -> bytes:
    return content[: rng.randrange(len(content) + 1)]


def _number(content: bytes, rng: random.Random) -> bytes:
    found = list(_NUMBER.finditer(content, rng.randrange(len(content) + 1)))[:200]
    if not found:
        return content
    place = rng.choice(found)
    return content[: place.start()] + rng.choice(_ODD) + content[place.end() :]


def _word(content: bytes, rng: random.Random) -> bytes:
    """A word of the format, put somewhere or put in the place of another one."""
    word, other = rng.choice(_WORDS), rng.choice(_WORDS)
    start = content.find(word, rng.randrange(len(content) + 1))
    if start < 0 or rng.random() < 0.3:
        start = rng.randrange(len(content) + 1)
        return content[:start] + b" " + other + b" " + content[start:]
    return content[:start] + other + content[start + len(word) :]


# ---------------------------------------------------------------- objects


def _edited(edit: Callable[[Pdf, random.Random], None]) -> Callable[[bytes, random.Random], bytes]:
    def edited(content: bytes, rng: random.Random) -> bytes:
        out = io.BytesIO()
        try:
            with warnings.catch_warnings(action="ignore"), pikepdf.open(io.BytesIO(content), inherit_page_attributes=False) as pdf:
                edit(pdf, rng)
                pdf.save(out, static_id=True, fix_metadata_version=False, object_stream_mode=rng.choice(tuple(pikepdf.ObjectStreamMode.__members__.values())))
        except (pikepdf.PdfError, ValueError, TypeError, RuntimeError, KeyError, IndexError, RecursionError, NotImplementedError):  # what cannot be edited so is damaged otherwise
            return _flip(content, rng)
        return out.getvalue()

    return edited


def _node(pdf: Pdf, rng: random.Random) -> Any:
    """Any container of the document; those that readers look at come often."""
    root = pdf.Root
    looked_at = [root, root.get(Name.AcroForm), root.get(Name.Pages), *(page.obj for page in list(pdf.pages)[:3])]
    if rng.random() < 0.4:
        annotations = [annotation for page in list(pdf.pages)[:3] for annotation in page.obj.get(Name.Annots, [])]
        return rng.choice([node for node in (*looked_at, *annotations[:200]) if isinstance(node, (Dictionary, Array))])
    return rng.choice([node for node in pdf.objects if isinstance(node, (Dictionary, Array, Stream)) and len(_places(node))])


def _places(node: Any) -> list[Any]:
    return list(range(len(node))) if isinstance(node, Array) else list(node.keys())


def _drop(pdf: Pdf, rng: random.Random) -> None:
    node = _node(pdf, rng)
    del node[rng.choice(_places(node))]


def _exchange(pdf: Pdf, rng: random.Random) -> None:
    """Two values of different containers change places."""
    one, two = _node(pdf, rng), _node(pdf, rng)
    first, second = rng.choice(_places(one)), rng.choice(_places(two))
    one[first], two[second] = two[second], one[first]


def _retype(pdf: Pdf, rng: random.Random) -> None:
    """A value becomes one of another kind."""
    node = _node(pdf, rng)
    values = (0, -1, 2**31 - 1, 1.5, True, None, Name.Widget, Name("/" + "n" * 1000), "text", "\x1bé" * 3, b"\xfe\xff\xd8\x00", Array(), Array([1, 2]), Dictionary(), Dictionary(Kids=Array()), pikepdf.Stream(pdf, b"stream"))
    node[rng.choice(_places(node))] = rng.choice(values)


def _cycle(pdf: Pdf, rng: random.Random) -> None:
    """A value becomes a container that stands somewhere above or beside it."""
    node = _node(pdf, rng)
    others = [pdf.Root, pdf.Root.Pages, *(page.obj for page in list(pdf.pages)[:2]), *(other for other in list(pdf.objects)[:100] if isinstance(other, (Dictionary, Array)) and other.objgen != (0, 0))]
    node[rng.choice(_places(node))] = rng.choice([pdf.make_indirect(other) for other in others])


def _repeat(pdf: Pdf, rng: random.Random) -> None:
    """A list names one of its own many times."""
    lists = [(node, key) for node in (_node(pdf, rng) for _ in range(20)) if isinstance(node, Dictionary) for key, value in node.items() if isinstance(value, Array) and len(value)]
    node, key = rng.choice(lists)
    items = list(cast("Array", node[key]))
    node[key] = Array([*items, *([rng.choice(items)] * rng.choice((1, 10, 3000)))])


def _restream(pdf: Pdf, rng: random.Random) -> None:
    """A stream is unpacked, damaged, and packed again."""
    stream = rng.choice([node for node in pdf.objects if isinstance(node, Stream)])
    damage = rng.choice((_flip, _delete, _duplicate, _number, _swap))
    stream.write(damage(stream.read_bytes(), rng))


_KINDS: Final[dict[str, Callable[[bytes, random.Random], bytes]]] = {
    "bytes flipped": _flip,
    "piece deleted": _delete,
    "piece duplicated": _duplicate,
    "pieces swapped": _swap,
    "cut off": _cut,
    "number changed": _number,
    "word changed": _word,
    "entry dropped": _edited(_drop),
    "entries exchanged": _edited(_exchange),
    "entry of another kind": _edited(_retype),
    "cycle": _edited(_cycle),
    "list repeated": _edited(_repeat),
    "stream damaged": _edited(_restream),
}
