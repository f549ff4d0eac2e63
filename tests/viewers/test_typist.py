"""What a person can type into a form, and what the typist says where nobody could."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING, Any

import pikepdf
import pytest
from weasyprint import HTML

from formsvc.typist import type_into

from .fields import full_name, inherited, widgets

if TYPE_CHECKING:
    from collections.abc import Callable

FORM = """
<html lang=en><title>Form</title>
<style>
  input, textarea, select { appearance: auto; display: block; width: 300pt; height: 40pt }
</style>
<form>
  <input name=line value="old text"> <input name=short maxlength=3> <textarea name=lines></textarea>
  <input type=checkbox name=tick checked>
  <select name=pick><option value=1>one<option value=one>two<option value=3>three</select>
  <input type=radio name=way value=left> <input type=radio name=way value=right>
</form></html>
"""
MAY_NOTHING = pikepdf.Permissions(modify_form=False, modify_annotation=False, modify_other=False)


@pytest.fixture(scope="session")
def form() -> bytes:
    """Return a small form made by WeasyPrint."""
    pdf: bytes = HTML(string=FORM).write_pdf(pdf_forms=True)
    return pdf


@pytest.mark.parametrize(
    ("name", "typed", "expected"),
    [
        pytest.param("line", "new", "new", id="old text is replaced"),
        pytest.param("line", "", "", id="nothing typed leaves nothing"),
        pytest.param("line", "Đorđe 李小龍 שלום 😀", "Đorđe 李小龍 שלום 😀", id="any letter"),
        pytest.param("line", r"a (b) \c) <d>", r"a (b) \c) <d>", id="syntax of PDF"),
        pytest.param("line", "a\nb\tc\x1bd\x00", "a b cd", id="no keys for controls"),
        pytest.param("lines", "a\n\nb\r\nc", "a\r\n\r\nb\r\nc", id="return key"),
        pytest.param("short", "abcdef", "abc", id="no more than the field takes"),
        pytest.param("pick", "3", "3", id="export value"),
        pytest.param("pick", "three", "3", id="label"),
        pytest.param("pick", "one", "one", id="export value before label"),
        pytest.param("tick", False, "/Off", id="box cleared"),
        pytest.param("tick", True, "/on", id="box left as it was"),
    ],
)
def test_a_value_arrives(form: bytes, name: str, typed: str | bool, expected: str) -> None:
    """The field has what a person would have got into it."""
    assert _value(type_into(form, {name: typed}), name) == expected


def test_other_fields_stay(form: bytes) -> None:
    """A field without a value is not touched."""
    assert _value(type_into(form, {"short": "x"}), "line") == "old text"


def test_a_name_that_is_not_there_is_named(form: bytes) -> None:
    """The error tells which of the names the document does not have."""
    with pytest.raises(LookupError, match="'nowhere'"):
        type_into(form, {"line": "x", "nowhere": "y"})


def test_a_document_without_form_has_no_field() -> None:
    """A document without a form is told apart from one that was filled in."""
    pdf: bytes = HTML(string="<p>text").write_pdf()
    with pytest.raises(LookupError, match="'line'"):
        type_into(pdf, {"line": "x"})


def test_an_option_that_is_not_there_is_named(form: bytes) -> None:
    """A list offers its options only."""
    with pytest.raises(LookupError, match="'pick' has no option 'four'"):
        type_into(form, {"pick": "four"})


def test_a_tick_is_no_text(form: bytes) -> None:
    """A boolean for a text field is a mistake of the caller."""
    with pytest.raises(TypeError, match="'line' takes text"):
        type_into(form, {"line": True})


@pytest.mark.parametrize(
    ("key", "flag", "message"),
    [
        pytest.param("/Ff", 1, "read-only", id="read-only field"),
        pytest.param("/F", 2, "does not reach", id="hidden widget"),
    ],
)
def test_nobody_types_into_a_locked_field(form: bytes, key: str, flag: int, message: str) -> None:
    """What a person cannot click into is an error, not a lost value."""
    locked = _changed(form, lambda document: _widget(document, "line").__setitem__(key, flag))
    with pytest.raises(PermissionError, match=message):
        type_into(locked, {"line": "x"})


def test_a_protected_form_needs_its_owner(form: bytes) -> None:
    """Only the owner's password lets anybody fill in a document that forbids it."""
    rules = pikepdf.Encryption(owner="owner", user="user", allow=MAY_NOTHING)
    protected = _changed(form, lambda _: None, encryption=rules)
    with pytest.raises(PermissionError, match="open it as its owner"):
        type_into(protected, {"line": "x"}, password="user")
    saved = type_into(protected, {"line": "x"}, password="owner")
    assert _value(saved, "line", password="user") == "x"


def _changed(pdf: bytes, change: Callable[[pikepdf.Pdf], Any], **options: Any) -> bytes:
    with pikepdf.open(io.BytesIO(pdf)) as document:
        change(document)
        saved = io.BytesIO()
        document.save(saved, **options)
    return saved.getvalue()


def _widget(document: pikepdf.Pdf, name: str) -> pikepdf.Object:
    return next(widget for widget in widgets(document) if full_name(widget) == name)


def _value(pdf: bytes, name: str, password: str = "") -> str:
    with pikepdf.open(io.BytesIO(pdf), password=password) as document:
        return str(inherited(_widget(document, name), "/V"))
