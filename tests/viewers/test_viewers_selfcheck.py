"""The harness itself: each writer saves what it is told, each engine sees what is there."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING

import pikepdf
import pytest
from weasyprint import HTML

from .engines import ENGINES, Box, Engine, letters
from .fields import full_name, inherited, read_fields, widgets
from .writers import WRITERS, Writer

if TYPE_CHECKING:
    from collections.abc import Mapping

TEXTS: Mapping[str, str] = {
    "ascii": "plain text",
    "latin": "Zoë Ñandú",
    "vietnamese": "Nguyễn Thị Ánh",
    "slavic": "Đorđe Ковач",
    "chinese": "李小龍",
    "hebrew": "שלום",
    "beyond": "a 😀 𠮷 b",
    "syntax": r"(a) \ b) <c> [d] /e %f",
    "long": "0123456789" * 50,
    "spaces": " both ends ",
}
LINES = "first\nsecond\n\nfourth"

FORM = """
<html lang=en><title>Form</title><style>
  @page { size: 400pt 600pt; margin: 20pt }
  input, textarea, select { appearance: auto; display: block; font: 10pt "Noto Sans"; width: 300pt;
    height: 16pt; margin: 4pt; border: 0.5pt solid gray }
  textarea { height: 80pt }
  input[type=checkbox] { width: 14pt; height: 14pt }
</style><form>
  %s <textarea name=lines>old</textarea>
  <input type=checkbox name=tick> <input type=checkbox name=untick checked>
  <select name=pick><option value=a selected>Apple<option value=b>Bread</select>
</form></html>
"""


@pytest.fixture(scope="session")
def form() -> bytes:
    """Return a form with one text field per text, made by WeasyPrint."""
    inputs = "".join(f'<input name="{name}" value="old">' for name in (*TEXTS, "emptied"))
    pdf: bytes = HTML(string=FORM % inputs).write_pdf(pdf_forms=True)
    with pikepdf.open(io.BytesIO(pdf)) as document:
        if "/NeedAppearances" in document.Root.AcroForm:
            del document.Root.AcroForm["/NeedAppearances"]
        for widget in widgets(document):
            x0, y0, x1, y1 = map(float, widget["/Rect"])
            widget["/Rect"] = [x0, min(y0, y1), x1, max(y0, y1)]
        saved = io.BytesIO()
        document.save(saved)
    return saved.getvalue()


@pytest.fixture(params=WRITERS)
def writer(request: pytest.FixtureRequest) -> Writer:
    """Return one writer after the other, or skip with the package that it wants."""
    found = WRITERS[request.param]
    _skip_if(found.available())
    return found


@pytest.fixture(params=ENGINES)
def engine(request: pytest.FixtureRequest) -> Engine:
    """Return one engine after the other, or skip with the package that it wants."""
    found = ENGINES[request.param]
    _skip_if(found.available())
    return found


def test_a_writer_saves_the_values_it_is_told(writer: Writer, form: bytes) -> None:
    """Text, ticks and choices are in the file as the writer's table says."""
    values = _values(writer)
    saved = _saved_values(writer(form, values))
    assert {name: _as_saved(writer, name, value) for name, value in values.items()} == {
        name: saved[name] for name in values
    }


def test_a_writer_keeps_other_values(writer: Writer, form: bytes) -> None:
    """A field that nobody touched has its old value."""
    saved = _saved_values(writer(form, {"latin": "new"}))
    assert (saved["latin"], saved["ascii"], saved["untick"]) == ("new", "old", "/on")


def test_a_writer_refuses_an_unknown_name(writer: Writer, form: bytes) -> None:
    """A name that the document does not have is an error that tells the name."""
    with pytest.raises(LookupError, match="nowhere"):
        writer(form, {"nowhere": "text"})


def test_an_incremental_writer_keeps_the_old_bytes(writer: Writer, form: bytes) -> None:
    """A file saved incrementally begins with the file as it was; others do not."""
    saved = writer(form, {"latin": "new"})
    assert saved.startswith(form.rstrip()) is writer.is_incremental


def test_an_engine_shows_the_text_of_a_field(engine: Engine, form: bytes) -> None:
    """What was typed can be read in the place of its field, and nowhere else."""
    filled = WRITERS["pdfium"](form, {"latin": TEXTS["latin"], "lines": LINES, "pick": "b"})
    names = ("latin", "lines", "pick", "tick")
    shown = engine.shown_text(filled, [_box(filled, name) for name in names])
    expected = [TEXTS["latin"], LINES, "Bread", ""]
    assert [letters(text) for text in shown] == [letters(text) for text in expected]


def test_an_engine_sees_ink_in_a_ticked_box(engine: Engine, form: bytes) -> None:
    """A ticked box is clearly darker than an empty one."""
    filled = WRITERS["pdfium"](form, {"tick": True, "untick": False})
    ticked, empty = engine.ink(filled, [_box(filled, "tick"), _box(filled, "untick")])
    assert (ticked > 0.1, empty < 0.02) == (True, True)


def _skip_if(reason: str | None) -> None:
    if reason:
        pytest.skip(reason)


def _values(writer: Writer) -> dict[str, str | bool]:
    """Return what this writer can do."""
    texts = {name: text for name, text in TEXTS.items() if _is_carried(writer, text)}
    values: dict[str, str | bool] = {**texts, "lines": LINES, "tick": True, "pick": "b"}
    if writer.empties_text:
        values["emptied"] = ""
    if writer.clears_boxes:
        values["untick"] = False
    return values


def _is_carried(writer: Writer, text: str) -> bool:
    # Noto Sans, the font of this form, has what Latin-1 has.
    last = {"any": 0x10FFFF, "bmp": 0xFFFF, "latin1": 0xFF, "font": 0xFF}[writer.carries]
    return all(ord(character) <= last for character in text)


def _as_saved(writer: Writer, name: str, value: str | bool) -> str:
    match name, value:
        case "pick", str():
            return {"export": value, "label": "Bread", "list": f"[{value}]"}[writer.choice]
        case _, str():
            return value.replace("\n", writer.line_break)
        case _:
            return "/on" if value else "/Off"


def _saved_values(pdf: bytes) -> dict[str, str]:
    with pikepdf.open(io.BytesIO(pdf)) as document:
        return {full_name(widget): _saved_value(widget) for widget in widgets(document)}


def _saved_value(widget: pikepdf.Object) -> str:
    value = inherited(widget, "/V")
    if isinstance(value, pikepdf.Array):
        return f"[{value[0]}]"
    if inherited(widget, "/FT") == "/Btn":
        assert str(value) == str(widget["/AS"])
    return "" if value is None else str(value)


def _box(pdf: bytes, name: str) -> Box:
    with pikepdf.open(io.BytesIO(pdf)) as document:
        widget = next(it for it in widgets(document) if full_name(it) == name)
        x0, y0, x1, y1 = map(float, widget["/Rect"])
    return Box(page=0, x0=x0, y0=y0, x1=x1, y1=y1)


def test_fields_are_read_with_kinds_states_and_options(form: bytes) -> None:
    """A writer can learn from the form what its fields are."""
    fields = read_fields(form)
    assert (fields["lines"].kind, fields["tick"].on_states, fields["pick"].options) == (
        "text",
        ("on",),
        (("a", "Apple"), ("b", "Bread")),
    )
