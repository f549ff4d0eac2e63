"""Writes a new PDF piece by piece: papers come and go, only their bytes stay.

Dictionaries travel in compressed object streams, the index in a cross-reference stream; what is
equal is written once.
"""

import hashlib
import io
import re
import struct
import zlib
from typing import Final

import pikepdf

from formsvc.errors import Refused

_ROW: Final = struct.Struct(">BIH")
_GROUP: Final = 200  # objects to a stream
_REFERENCE: Final = re.compile(rb"(\((?:[^\\()]|\\.)*\))|\b(\d+) (\d+) R\b", re.DOTALL)
"""A reference; strings are matched whole, so that what looks like one in a text stays text."""


class PacketFile:
    """A PDF 1.7 file under construction."""

    def __init__(self) -> None:
        """Begin with the header."""
        self._out = io.BytesIO()
        self._out.write(b"%PDF-1.7\n%\xe2\xe3\xcf\xd3\n")
        self._rows = bytearray(_ROW.pack(0, 0, 0xFFFF))
        self._plain: list[tuple[int, bytes]] = []
        self._known: dict[bytes, int] = {}

    def new(self) -> int:
        """The number of a new object."""
        self._rows += _ROW.pack(0, 0, 0)
        return len(self._rows) // _ROW.size - 1

    def put(self, number: int, body: bytes) -> int:
        """A dictionary or other plain object; it goes into an object stream."""
        self._plain.append((number, body))
        if len(self._plain) == _GROUP:
            self._put_group()
        return number

    def add(self, body: bytes) -> int:
        """A new plain object."""
        return self.put(self.new(), body)

    def add_stream(self, head: bytes, content: bytes) -> int:
        """A new stream with the entries `head` (without Length and Filter), compressed."""
        return self.add_raw_stream(head + b"/Filter/FlateDecode", zlib.compress(content))

    def add_raw_stream(self, head: bytes, content: bytes) -> int:
        """A new stream whose content and filter are ready."""
        return self._put_raw_stream(self.new(), head, content)

    def share(self, body: bytes, content: bytes | None = None) -> int:
        """An object, or a stream with its raw content, that is written once however often it comes."""
        digest = hashlib.blake2b(body, digest_size=16)
        if content is not None:
            digest.update(b"stream" + content)
        key = digest.digest()
        if key not in self._known:
            self._known[key] = self.add(body) if content is None else self.add_raw_stream(body, content)
        return self._known[key]

    def finish(self, root: int, info: int) -> bytes:
        """The whole file; its id is the digest of its content."""
        self._put_group()
        name = hashlib.blake2b(self._out.getbuffer(), digest_size=16).hexdigest().encode("ascii")
        number, start = self.new(), self._out.tell()
        self._set_row(number, 1, start, 0)
        size = len(self._rows) // _ROW.size
        head = b"/Type/XRef/Size %d/W[1 4 2]/Root %d 0 R/Info %d 0 R/ID[<%b><%b>]/Filter/FlateDecode" % (size, root, info, name, name)
        self._write(number, head, zlib.compress(self._rows))
        self._out.write(b"startxref\n%d\n%%%%EOF\n" % start)
        return self._out.getvalue()

    def _set_row(self, number: int, *row: int) -> None:
        _ROW.pack_into(self._rows, number * _ROW.size, *row)

    def _put_raw_stream(self, number: int, head: bytes, content: bytes) -> int:
        self._set_row(number, 1, self._out.tell(), 0)
        self._write(number, head, content)
        return number

    def _write(self, number: int, head: bytes, content: bytes) -> None:
        self._out.write(b"%d 0 obj\n<<%b/Length %d>>stream\n%b\nendstream\nendobj\n" % (number, head, len(content), content))

    def _put_group(self) -> None:
        if not self._plain:
            return
        stream, group = self.new(), self._plain
        self._plain = []
        heads, at = [], 0
        for position, (number, body) in enumerate(group):
            heads.append(b"%d %d" % (number, at))
            at += len(body) + 1
            self._set_row(number, 2, stream, position)
        header = b" ".join(heads) + b"\n"
        content = zlib.compress(header + b"\n".join(body for _, body in group))
        self._put_raw_stream(stream, b"/Type/ObjStm/N %d/First %d/Filter/FlateDecode" % (len(group), len(header)), content)


class Copier:
    """Copies objects of one open document into a packet, what they refer to first."""

    def __init__(self, file: PacketFile, pdf: pikepdf.Pdf, place: str) -> None:
        """Begin with nothing copied; `place` names the paper in a refusal."""
        self._file, self._pdf, self._place = file, pdf, place
        self._numbers: dict[tuple[int, int], int] = {}

    def copy(self, value: pikepdf.Object) -> bytes:
        """A value with its references renumbered; an indirect object becomes a reference."""
        return b"%d 0 R" % self.number(value) if value.is_indirect else self._renumbered(value)

    def number(self, value: pikepdf.Object) -> int:
        """The new number of an indirect object, copied when it is first asked for."""
        return self._number(value.objgen)

    def _renumbered(self, value: pikepdf.Object) -> bytes:
        return _REFERENCE.sub(self._reference, value.unparse(resolved=True))

    def _reference(self, found: re.Match[bytes]) -> bytes:
        return found[1] or b"%d 0 R" % self._number((int(found[2]), int(found[3])))

    def _number(self, key: tuple[int, int]) -> int:
        number = self._numbers.get(key)
        if number is None:
            self._numbers[key] = 0
            number = self._numbers[key] = self._copied(self._pdf.get_object(key))
        if number == 0:
            raise Refused("damaged", self._place, detail="an object holds itself")
        return number

    def _copied(self, value: pikepdf.Object) -> int:
        if not isinstance(value, pikepdf.Stream):
            return self._file.share(self._renumbered(value))
        entries = pikepdf.Dictionary({name: entry for name, entry in value.stream_dict.items() if name != "/Length"})
        return self._file.share(self._renumbered(entries).strip()[2:-2], value.read_raw_bytes())
