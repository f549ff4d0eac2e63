"""Machine-readable marks as PDF drawing operators: QR, DataMatrix, and ArUco corner marks.

All are drawn as filled rectangles (sharp at any zoom), with a slight overlap against the hairline
seams that renderers show between neighbouring modules (seen in Poppler).
"""

import math
from functools import cache
from typing import Final

import zxingcpp

from formsvc.model.paper import MARK_SIDE, mark_boxes

_OVERLAP: Final = 0.08  # of a module
_MARK_CELLS: Final = 6  # a 4 x 4 marker with its black border

# The 250 markers of OpenCV's DICT_4X4_250, 16 bits each, row by row, 1 is white.
_MARKS: Final = bytes.fromhex(
    "b5320f9a332d9946549e79cd9e2ec4f2fedacf56f99111a70eb72a0f24b1263e466566006c5e76af868bb02bccd5dd82fe47"
    "9471ace4a5542123346f441557b29ecff0cb08ae0929187504ff0df61c5a17182a28328c38b224e82eeb2d3f4b64502e5013"
    "519455685d415f9768016867612461e96b126fe567df7e1b80a083448ba2937a846c852a859c9c899fa1bb7cbc04b65bbfc8"
    "b7abca1fc962d958d3d5cc98c7a0c537e95df925fbbbee2af74d35758aad76170acf064b2dc149d843f44f364fd369e470c7"
    "7a6eb4eaed4ffce7fea6002500430a880a86026f001c009708370a3109c60b0109fb0b581082182d10781073127412b11af9"
    "13060c0e0cf104330c9f0ef20efd074c0fa4072f05b50f9107db1ee414391d8015c81f8b15ba1db1208028e922a228532af0"
    "22f72940214629b92b9c2bb238ca382e300738e73a493a65325d3b88391d3bd3264727802faa2d1425de25532f7734483ca8"
    "3c41340d34fb369a3de0356a3d093ded3fc43f6c37ce3d5c3d7637b03f173fff48e542684a2d4160495141dd4bdf584f5a48"
    "5816505d5afa5ab551235b8a591951354c6946c14e0b445f4e594d834d7d47d847735c855e44562b5cbb55c35f6e5feb5d12"
    "555e6270621561c26b2063456b5c6b5b780c7acf787f798071e5717479b671d37b33646a66a86ea76e9165226dcb678d6d31"
)


@cache
def _byte_runs(value: int, bits: int) -> tuple[tuple[int, int], ...]:
    """The runs of set bits (start, length) in the high `bits` of a byte."""
    runs: list[tuple[int, int]] = []
    start = None
    for position in range(bits + 1):
        dark = position < bits and value & (0x80 >> position)
        if dark and start is None:
            start = position
        elif not dark and start is not None:
            runs.append((start, position - start))
            start = None
    return tuple(runs)


def _row_piece(column: int, value: int) -> bytes:
    """Rectangles for eight modules of a row, in module units."""
    return b"".join(b"%d 0 %.2f %.2f re " % (column + start, length + _OVERLAP, 1 + _OVERLAP) for start, length in _byte_runs(value, 8))


@cache
def _pieces(column: int) -> tuple[bytes, ...]:
    """The rectangles of every byte at a column."""
    return tuple(_row_piece(column, value) for value in range(256))


def _draw(pixels: bytes, side: int) -> bytes:
    """A square of modules (0 is dark) as a path in module units, lowest row at y = 0."""
    dark = pixels.translate(_TO_BITS)
    columns = [_pieces(8 * column) for column in range((side + 7) // 8)]
    rows = []
    for top in range((side - 1) * side, -1, -side):
        packed = (int(dark[top : top + side], 2) << (-side % 8)).to_bytes(len(columns), "big")
        rows.append(b"".join([pieces[byte] for pieces, byte in zip(columns, packed, strict=True)]))
    return b"f 1 0 0 1 0 1 cm ".join(rows) + b"f"


_TO_BITS: Final = bytes(0x31 if value < 128 else 0x30 for value in range(256))  # noqa: PLR2004


def qr(text: str) -> tuple[bytes, int]:
    """A QR code (level M, no quiet zone): path operators in module units, and its side in modules."""
    return _code(text, zxingcpp.BarcodeFormat.QRCode, ec_level="M")


def qr_path(text: str) -> tuple[str, int]:
    """A QR code (level M, no quiet zone) as an SVG path in module units, and its side in modules."""
    pixels, side = _pixels(text, zxingcpp.BarcodeFormat.QRCode, ec_level="M")
    rows = (pixels[top * side : (top + 1) * side] for top in range(side))
    return "".join(f"M{column} {top}h1v1h-1z" for top, row in enumerate(rows) for column, value in enumerate(row) if value < 128), side  # noqa: PLR2004


def data_matrix(text: str) -> tuple[bytes, int]:
    """A square DataMatrix (no quiet zone): path operators in module units, and its side in modules."""
    return _code(text, zxingcpp.BarcodeFormat.DataMatrix, force_square=True)


def _code(text: str, code_format: zxingcpp.BarcodeFormat, **options: object) -> tuple[bytes, int]:
    pixels, side = _pixels(text, code_format, **options)
    return _draw(pixels, side), side


def _pixels(text: str, code_format: zxingcpp.BarcodeFormat, **options: object) -> tuple[bytes, int]:
    """One byte a module, 0 is dark, and the side in modules."""
    view = memoryview(zxingcpp.create_barcode(text, code_format, **options).to_image(scale=1, add_quiet_zones=False))
    return view.tobytes(), math.isqrt(view.nbytes)


def corner_marks(page: int, width: float, height: float) -> bytes:
    """The four corner marks of a page (counted from 1), as an artifact of the page's content."""
    drawn = b" ".join(_mark(number, left, bottom) for number, (left, bottom, _, _) in mark_boxes(page, width, height).items())
    return b"/Artifact BMC q 0 g " + drawn + b" Q EMC"


def _mark(number: int, x: float, y: float) -> bytes:
    """A black square with white cells on it, so that no seam runs through the black."""
    bits = int.from_bytes(_MARKS[2 * number : 2 * number + 2], "big")
    white = bytes(255 - 255 * (bits >> (15 - cell) & 1) for cell in range(16))
    scale = MARK_SIDE / _MARK_CELLS
    return b"q %.4f 0 0 %.4f %.2f %.2f cm 0 g 0 0 6 6 re f 1 0 0 1 1 1 cm 1 g " % (scale, scale, x, y) + _draw(white, 4) + b" Q"
