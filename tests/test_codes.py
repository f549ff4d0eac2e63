"""The machine-readable marks, drawn on a page and seen by an independent renderer and reader.

1. QR and DataMatrix codes read back as their text, at 200 dpi and at a photo's coarser one.
2. Corner marks have the cells of their number, black border and white surroundings.
"""

import io
from functools import cache

import pikepdf
import pypdfium2
import pytest
import zxingcpp
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from formsvc.model.paper import MARK_EDGE, MARK_PAGES, MARK_SIDE
from formsvc.model.stamp import ALPHABET, Stamp, stamp_text
from formsvc.renderers.appearance import draw_matrix, draw_stamp
from formsvc.renderers.codes import _MARKS, corner_marks, data_matrix, qr
from tests.small_forms import DOCUMENT, KEY, TRIES

WIDE, HIGH = 200, 120
DPI = 200
STAMPS = st.builds(Stamp, document=st.text(ALPHABET, min_size=10, max_size=10), code=st.sampled_from(ALPHABET), version=st.integers(1, 1023))


def rendered(content: bytes, wide: float = WIDE, high: float = HIGH, dpi: float = DPI) -> Image.Image:
    """A page with this content as PDFium draws it, in shades of gray."""
    pdf = pikepdf.new()
    pdf.add_blank_page(page_size=(wide, high))
    font = pikepdf.Dictionary(Type=pikepdf.Name.Font, Subtype=pikepdf.Name.Type1, BaseFont=pikepdf.Name.Helvetica)
    pdf.pages[0].obj.Resources = pikepdf.Dictionary(Font=pikepdf.Dictionary(Helv=font))
    pdf.pages[0].contents_add(content)
    out = io.BytesIO()
    pdf.save(out)
    with pypdfium2.PdfDocument(out.getvalue()) as document:
        image: Image.Image = document[0].render(scale=dpi / 72, grayscale=True).to_pil()
    return image


def read(image: Image.Image) -> list[tuple[str, str]]:
    """The codes in a picture as (format, text)."""
    return [(str(code.format).rpartition(".")[2].replace(" ", ""), code.text) for code in zxingcpp.read_barcodes(image)]


def placed(path: bytes, modules: int, side: float) -> bytes:
    """A code drawn at (20, 20) with so many points to a side."""
    return b"q 0 g %.5f 0 0 %.5f 20 20 cm " % (side / modules, side / modules) + path + b" Q"


TEXTS = ("A", "HELLO WORLD", stamp_text(Stamp(document=DOCUMENT, code="W", version=1), 1, KEY), "F" + "Z" * 21)


@pytest.mark.parametrize("text", TEXTS)
def test_a_qr_code_reads_as_its_text(text: str) -> None:
    """A QR code of 19 mm is read at 200 dpi."""
    assert read(rendered(placed(*qr(text), 54))) == [("QRCode", text)]


@pytest.mark.parametrize("text", TEXTS)
def test_a_data_matrix_reads_as_its_text(text: str) -> None:
    """A DataMatrix of 13 mm is read at 200 dpi."""
    assert read(rendered(placed(*data_matrix(text), 36.9))) == [("DataMatrix", text)]


@TRIES
@given(stamp=STAMPS, page=st.integers(1, 1023))
def test_both_codes_of_a_stamp_say_the_same(stamp: Stamp, page: int) -> None:
    """The two stamps of a page, drawn as on paper, are read as the stamp's text."""
    text = stamp_text(stamp, page, KEY)
    assert read(rendered(draw_stamp(text, "K7QF2-M9XDA-T", "Page 1 of 3", "CC-1 v1", 190, 63))) == [("QRCode", text)]
    assert read(rendered(draw_matrix(text, 60, 60))) == [("DataMatrix", text)]


@pytest.mark.parametrize("dpi", [110, 150, 300, 600])
def test_codes_are_read_at_the_resolutions_of_scanners(dpi: int) -> None:
    """A coarse photo and a fine scan are read alike."""
    text = TEXTS[2]
    assert read(rendered(draw_stamp(text, "", "", "", 190, 63), dpi=dpi)) == [("QRCode", text)]
    assert read(rendered(draw_matrix(text, 60, 60), dpi=dpi)) == [("DataMatrix", text)]


@pytest.mark.parametrize("text", TEXTS)
def test_a_code_is_exactly_as_its_maker_drew_it(text: str) -> None:
    """Drawn at eight pixels to a module, every module has the color the library gave it."""
    path, side = qr(text)
    image = rendered(b"0 g " + b"q 8 0 0 8 0 0 cm " + path + b" Q", side * 8, side * 8, dpi=72)
    found = [[image.getpixel((8 * column + 4, 8 * row + 4)) == 0 for column in range(side)] for row in range(side)]
    image_made = zxingcpp.create_barcode(text, zxingcpp.BarcodeFormat.QRCode, ec_level="M").to_image(scale=1, add_quiet_zones=False)
    made = memoryview(image_made).tobytes()
    assert [[made[side * row + column] == 0 for column in range(side)] for row in range(side)] == found


def test_a_stamp_fits_small_codes() -> None:
    """A stamp's text keeps to 25 modules of QR code and 18 of DataMatrix, so that a module is at least 0.7 mm on paper."""
    assert (qr(TEXTS[2])[1], data_matrix(TEXTS[2])[1]) == (25, 18)


# ---------------------------------------------------------------- corner marks

PAPER = (612, 792)


@cache
def paper(page: int) -> Image.Image:
    """A page with nothing but its corner marks."""
    return rendered(corner_marks(page, *PAPER), *PAPER)


def cells(image: Image.Image, x: float, y: float) -> list[list[bool]]:
    """Which of the 6 x 6 cells of a mark at (x, y) points are white, top row first."""
    step, high = MARK_SIDE / 6, image.height
    centers = [[((x + (column + 0.5) * step) * DPI / 72, high - (y + MARK_SIDE - (row + 0.5) * step) * DPI / 72) for column in range(6)] for row in range(6)]
    return [[image.getpixel((int(left), int(top))) == 255 for left, top in row] for row in centers]


def number_of(found: list[list[bool]]) -> int:
    """The number of a mark among the known ones, or -1."""
    bits = sum(white << (15 - position) for position, white in enumerate(cell for row in found[1:5] for cell in row[1:5]))
    known = [int.from_bytes(_MARKS[at : at + 2], "big") for at in range(0, len(_MARKS), 2)]
    return known.index(bits) if bits in known else -1


def corners() -> list[tuple[float, float]]:
    """Where the marks stand: top left, top right, bottom right, bottom left."""
    far_x, far_y = PAPER[0] - MARK_EDGE - MARK_SIDE, PAPER[1] - MARK_EDGE - MARK_SIDE
    return [(MARK_EDGE, far_y), (far_x, far_y), (far_x, MARK_EDGE), (MARK_EDGE, MARK_EDGE)]


@pytest.mark.parametrize(("first", "page"), [(0, 1), (4, 2), (244, 62), (0, 63), (4, 64)])
def test_corner_marks_say_page_and_corner(first: int, page: int) -> None:
    """The four marks of a page are numbered on from 4 x (page - 1), and begin again after 62 pages."""
    assert MARK_PAGES == 62
    assert [number_of(cells(paper(page), x, y)) for x, y in corners()] == [first, first + 1, first + 2, first + 3]


def test_a_mark_has_a_black_border_in_white_surroundings() -> None:
    """All 20 cells around the code are black, and one cell around the border is white paper."""
    for x, y in corners():
        found = cells(paper(1), x, y)
        border = [*found[0], *found[5], *(row[0] for row in found), *(row[5] for row in found)]
        assert not any(border)
        box = (x - MARK_SIDE / 6, PAPER[1] - y - MARK_SIDE - MARK_SIDE / 6, x + 7 * MARK_SIDE / 6, PAPER[1] - y + MARK_SIDE / 6)
        left, top, right, bottom = (int(value * DPI / 72) for value in box)
        frame = [paper(1).getpixel(point) for point in [(left, top), (right, top), (right, bottom), (left, bottom), (left, (top + bottom) // 2), ((left + right) // 2, top)]]
        assert set(frame) == {255}


@pytest.mark.parametrize(
    ("corner", "picture"),
    [(0, ".#.. #.#. ##.. ##.#"), (1, "#### .... .##. .#.#"), (2, "##.. ##.. ##.# ..#."), (3, ".##. .##. #.## #..#")],
)  # fmt: skip
def test_the_first_marks_are_those_of_the_published_dictionary(corner: int, picture: str) -> None:
    """Markers 0 to 3 of OpenCV's DICT_4X4_250 (181 50, 15 154, 51 45, 153 70), row by row; # is black."""
    found = cells(paper(1), *corners()[corner])
    assert picture == " ".join("".join("#."[white] for white in row[1:5]) for row in found[1:5])


def test_no_two_marks_look_alike() -> None:
    """There are 250 marks, and none is another turned around: a page is never taken for one upside down."""
    grids = [tuple(bool(int.from_bytes(_MARKS[at : at + 2], "big") >> (15 - cell) & 1) for cell in range(16)) for at in range(0, len(_MARKS), 2)]
    turned = [[grid] for grid in grids]
    for views in turned:
        for _ in range(3):
            last = views[-1]
            views.append(tuple(last[4 * (3 - column) + row] for row in range(4) for column in range(4)))
    assert len(grids) == 250
    assert len({view for views in turned for view in views}) == 1000


@pytest.mark.parametrize("dpi", [100, 150, 200])
def test_no_seams_run_through_the_marks(dpi: int) -> None:
    """Where two black cells meet there is no lighter line, at any resolution."""
    image = rendered(corner_marks(1, *PAPER), *PAPER, dpi=dpi)
    x, y = corners()[0]
    row = int((PAPER[1] - y - MARK_SIDE / 12) * dpi / 72)
    line = [image.getpixel((column, row)) for column in range(int((x + 1) * dpi / 72), int((x + MARK_SIDE - 1) * dpi / 72))]
    assert set(line) == {0}
