"""Append changed objects to a PDF (ISO 32000-1, 7.5.6), which pikepdf cannot do."""

from __future__ import annotations

import re
import struct
from itertools import groupby
from typing import TYPE_CHECKING

import pikepdf
from pikepdf import Array, Dictionary, Name

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    Number = tuple[int, int]
    """Object number and generation."""


def append_update(
    pdf: bytes, document: pikepdf.Pdf, changed: Iterable[pikepdf.Object], *, old_size: int
) -> bytes:
    """Return ``pdf`` followed by the ``changed`` objects and by all that are new.

    ``document`` is ``pdf``, opened and changed; ``old_size`` was the trailer's ``/Size`` before
    the change. The cross-reference section is of the kind that the file already has.
    """
    new = [item for item in document.objects if item.objgen[0] >= old_size]
    bodies = {item.objgen: _serialise(item) for item in (*changed, *new)}
    if (0, 0) in bodies:
        message = "Only indirect objects can be updated."
        raise ValueError(message)
    out = bytearray(pdf.rstrip() + b"\n")
    offsets: dict[Number, int] = {}
    for number, body in sorted(bodies.items()):
        offsets[number] = len(out)
        out += b"%d %d obj\n%s\nendobj\n" % (*number, body)
    start = len(out)
    out += _cross_reference(pdf, document, offsets, start)
    out += b"startxref\n%d\n%%%%EOF\n" % start
    return bytes(out)


def _serialise(item: pikepdf.Object) -> bytes:
    if not isinstance(item, pikepdf.Stream):
        return item.unparse(resolved=True)
    return _stream(Dictionary(dict(item.stream_dict.items())), item.read_raw_bytes())


def _stream(entries: pikepdf.Dictionary, data: bytes) -> bytes:
    entries["/Length"] = len(data)
    return entries.unparse() + b"\nstream\n" + data + b"\nendstream"


def _cross_reference(
    pdf: bytes, document: pikepdf.Pdf, offsets: Mapping[Number, int], start: int
) -> bytes:
    previous = int(re.findall(rb"startxref\s+(\d+)", pdf)[-1])
    last = max(number for number, _ in offsets)
    size = max(int(document.trailer["/Size"]), last + 1)
    trailer = Dictionary(Size=size, Prev=previous)
    for key in ("/Root", "/Info", "/ID"):
        if key in document.trailer:
            trailer[key] = document.trailer[key]
    if pdf[previous : previous + 4] == b"xref":
        return _table(offsets) + b"trailer\n" + trailer.unparse() + b"\n"
    trailer["/Size"] = size + 1
    return _reference_stream({**offsets, (size, 0): start}, trailer)


def _table(offsets: Mapping[Number, int]) -> bytes:
    sections = (
        b"%d %d\n" % (run[0][0], len(run))
        + b"".join(b"%010d %05d n \n" % (offsets[number], number[1]) for number in run)
        for run in _runs(offsets)
    )
    return b"xref\n" + b"".join(sections)


def _reference_stream(offsets: Mapping[Number, int], trailer: pikepdf.Dictionary) -> bytes:
    runs = _runs(offsets)
    trailer["/Type"] = Name.XRef
    trailer["/W"] = Array([1, 4, 2])
    trailer["/Index"] = Array([part for run in runs for part in (run[0][0], len(run))])
    data = b"".join(
        struct.pack(">BIH", 1, offsets[number], number[1]) for run in runs for number in run
    )
    own = max(offsets)
    return b"%d %d obj\n%s\nendobj\n" % (*own, _stream(trailer, data))


def _runs(numbers: Iterable[Number]) -> Sequence[Sequence[Number]]:
    """Split into runs of consecutive object numbers."""
    ranked = enumerate(sorted(numbers))
    grouped = groupby(ranked, key=lambda pair: pair[1][0] - pair[0])
    return [[number for _, number in run] for _, run in grouped]
