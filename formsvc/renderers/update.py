"""Writes an incremental update (ISO 32000-1, 7.5.6): changed and new objects after untouched bytes.

Dictionaries travel in compressed object streams, the index in a cross-reference stream, so the
original must use cross-reference streams too (ours do).
"""

import hashlib
import struct
import zlib
from collections.abc import Iterable

_ROW = struct.Struct(">BIH").pack  # a row of the cross-reference stream: kind, offset or stream, index
_GROUP = 100  # objects to a stream: readers that parse a whole stream per object stay usable
_LONG = 512  # bytes from which a content stream is compressed


def pdf_text(text: str) -> bytes:
    """A text string: ASCII as it is, everything else as UTF-16BE with its byte order mark."""
    if text.isascii():
        return b"(" + escape(text.encode("ascii")) + b")"
    return b"<FEFF" + text.encode("utf-16-be").hex().encode("ascii") + b">"


def escape(raw: bytes) -> bytes:
    """Bytes as the inside of a literal string."""
    if b"\\" in raw or b"(" in raw or b")" in raw:
        raw = raw.replace(b"\\", b"\\\\").replace(b"(", b"\\(").replace(b")", b"\\)")
    return raw.replace(b"\r", b"\\r").replace(b"\n", b"\\n") if b"\n" in raw or b"\r" in raw else raw


class Update:
    """Objects to add to a document of `size` objects whose last cross-reference is at `start`."""

    def __init__(self, base: bytes, *, size: int, start: int) -> None:
        """Begin after the last byte of the base."""
        self._base, self._start = base, start
        self._next = size
        self._parts: list[bytes] = [b"\n"] if not base.endswith(b"\n") else []
        self._at = len(base) + len(b"".join(self._parts))
        self._entries: dict[int, bytes] = {}
        self._plain: list[tuple[int, bytes]] = []

    def new(self) -> int:
        """The number of a new object."""
        self._next += 1
        return self._next - 1

    def put(self, number: int, body: bytes) -> int:
        """A dictionary or other plain object; it goes into an object stream."""
        self._plain.append((number, body))
        return number

    def put_stream(self, number: int, head: bytes, content: bytes) -> int:
        """A stream with the entries `head` (without Length and Filter)."""
        if len(content) > _LONG:
            content = zlib.compress(content, 1)
            head += b"/Filter/FlateDecode"
        return self.put_raw_stream(number, head, content)

    def put_raw_stream(self, number: int, head: bytes, content: bytes) -> int:
        """A stream whose content and filter are ready."""
        part = b"%d 0 obj\n<<%b/Length %d>>stream\n%b\nendstream endobj\n" % (number, head, len(content), content)
        self._entries[number] = _ROW(1, self._at, 0)
        self._parts.append(part)
        self._at += len(part)
        return number

    def add(self, body: bytes) -> int:
        """A new plain object."""
        return self.put(self.new(), body)

    def add_stream(self, head: bytes, content: bytes) -> int:
        """A new stream."""
        return self.put_stream(self.new(), head, content)

    def finish(self, trailer: bytes, first_id: bytes) -> bytes:
        """The whole document; `trailer` holds Root and Info, `first_id` the hexadecimal original id."""
        for start in range(0, len(self._plain), _GROUP):
            self._put_group(self._plain[start : start + _GROUP])
        number, at = self.new(), self._at
        self._entries[number] = _ROW(1, at, 0)
        index, rows = self._table()
        content = zlib.compress(rows, 1)
        changed = hashlib.blake2b(b"".join(self._parts), digest_size=16).hexdigest().encode("ascii")
        head = b"%d 0 obj\n<</Type/XRef/Size %d/W[1 4 2]/Index[%b]/Prev %d%b/ID[<%b><%b>]/Filter/FlateDecode/Length %d>>stream\n" % (
            number, self._next, index, self._start, trailer, first_id, changed, len(content),
        )
        tail = b"\nendstream endobj\nstartxref\n%d\n%%%%EOF\n" % at
        return b"".join((self._base, *self._parts, head, content, tail))

    def _put_group(self, group: list[tuple[int, bytes]]) -> None:
        stream = self.new()
        heads, at, entries = [], 0, self._entries
        for position, (number, body) in enumerate(group):
            heads.append(b"%d %d" % (number, at))
            at += len(body) + 1
            entries[number] = _ROW(2, stream, position)
        header = b" ".join(heads) + b"\n"
        content = zlib.compress(header + b"\n".join(body for _, body in group), 1)
        self.put_raw_stream(stream, b"/Type/ObjStm/N %d/First %d/Filter/FlateDecode" % (len(group), len(header)), content)

    def _table(self) -> tuple[bytes, bytes]:
        numbers = sorted(self._entries)
        rows = b"".join(map(self._entries.__getitem__, numbers))
        return b" ".join(b"%d %d" % span for span in _spans(numbers)), rows


def _spans(numbers: Iterable[int]) -> list[tuple[int, int]]:
    """Ascending numbers as (first, count) spans."""
    spans: list[tuple[int, int]] = []
    first = count = 0
    for number in numbers:
        if count and number == first + count:
            count += 1
            continue
        if count:
            spans.append((first, count))
        first, count = number, 1
    return [*spans, (first, count)] if count else spans
