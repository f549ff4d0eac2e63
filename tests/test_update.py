"""Incremental updates: changed and new objects after untouched bytes, in a file that strict readers accept.

1. The original's bytes stay as they are, and the updated file opens cleanly in pikepdf and qpdf.
2. Texts come back whatever characters they hold.
3. Objects come back whatever their number and size.
"""

import io
import subprocess
from pathlib import Path

import pikepdf
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pikepdf import Name

from formsvc.renderers.update import Update, _spans, escape, pdf_text
from tests.small_forms import TRIES

TEXTS = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="".join(map(chr, [*range(8), *range(14, 32), 127]))), max_size=60)


@pytest.fixture(scope="module")
def base() -> bytes:
    """A small document with a cross-reference stream, as ours have."""
    pdf = pikepdf.new()
    pdf.add_blank_page(page_size=(200, 100))
    pdf.docinfo.Title = "Before"
    out = io.BytesIO()
    pdf.save(out, object_stream_mode=pikepdf.ObjectStreamMode.generate, deterministic_id=True)
    return out.getvalue()


def begun(base: bytes) -> tuple[Update, bytes, bytes]:
    """An update of a document, with its trailer entries and its id."""
    start = int(base[base.rindex(b"startxref") + 9 :].split()[0])
    with pikepdf.open(io.BytesIO(base)) as pdf:
        trailer = b"/Root %d 0 R/Info %d 0 R" % (pdf.trailer.Root.objgen[0], pdf.trailer.Info.objgen[0])
        return Update(base, size=int(pdf.trailer.Size), start=start), trailer, bytes(pdf.trailer.ID[0]).hex().encode()


def opened(content: bytes) -> pikepdf.Pdf:
    """The document, if a strict reader has nothing to say about it."""
    pdf = pikepdf.open(io.BytesIO(content), attempt_recovery=False)
    assert pdf.check_pdf_syntax() == []
    return pdf


def qpdf_says(content: bytes, folder: Path) -> tuple[int, str]:
    """The exit code and the complaints of qpdf --check."""
    file = folder / "updated.pdf"
    file.write_bytes(content)
    done = subprocess.run(["qpdf", "--check", str(file)], capture_output=True, text=True, check=False)
    return done.returncode, done.stderr


def test_an_update_is_accepted_by_strict_readers(base: bytes, tmp_path: Path) -> None:
    """Plain objects, short and long streams and a changed object are read back, and qpdf finds nothing to complain of."""
    update, trailer, first_id = begun(base)
    with pikepdf.open(io.BytesIO(base)) as pdf:
        info = pdf.trailer.Info.objgen[0]
    update.put(info, b"<</Title%b>>" % pdf_text("After (here)"))
    short, long = update.add_stream(b"/Kind/Short", b"q Q"), update.add_stream(b"/Kind/Long", b"0 0 m " * 1000)
    plain = update.add(b"<</Streams[%d 0 R %d 0 R]>>" % (short, long))
    content = update.finish(trailer, first_id)
    assert content.startswith(base)
    assert qpdf_says(content, tmp_path) == (0, "")
    with opened(content) as pdf:
        assert str(pdf.docinfo.Title) == "After (here)"
        streams = pdf.get_object(plain, 0).Streams
        assert [stream.read_bytes() for stream in streams] == [b"q Q", b"0 0 m " * 1000]
        assert [stream.get(Name.Filter) for stream in streams] == [None, Name.FlateDecode]


@pytest.mark.parametrize("count", [0, 1, 99, 100, 101, 250, 1000])
def test_any_number_of_objects_comes_back(base: bytes, tmp_path: Path, count: int) -> None:
    """Objects are put into streams of a hundred; none is lost at the seams."""
    update, trailer, first_id = begun(base)
    numbers = [update.add(b"<</Number %d>>" % number) for number in range(count)]
    content = update.finish(trailer, first_id)
    assert qpdf_says(content, tmp_path) == (0, "")
    with opened(content) as pdf:
        assert [int(pdf.get_object(number, 0).Number) for number in numbers] == list(range(count))


def test_updates_can_follow_each_other(base: bytes, tmp_path: Path) -> None:
    """A second update stands on the first, and both are seen."""
    content, numbers = base, []
    for turn in range(3):
        update, trailer, first_id = begun(content)
        numbers.append(update.add(b"<</Turn %d>>" % turn))
        content = update.finish(trailer, first_id)
    assert qpdf_says(content, tmp_path) == (0, "")
    with opened(content) as pdf:
        assert [int(pdf.get_object(number, 0).Turn) for number in numbers] == [0, 1, 2]


def test_equal_updates_are_equal_bytes(base: bytes) -> None:
    """The id of an updated file comes from its content: the same changes give the same bytes, others another id."""
    files = []
    for title in ("same", "same", "else"):
        update, trailer, first_id = begun(base)
        update.add(b"<</Title(%b)>>" % title.encode())
        files.append(update.finish(trailer, first_id))
    assert files[0] == files[1]
    with opened(files[0]) as one, opened(files[2]) as other:
        assert bytes(one.trailer.ID[0]) == bytes(other.trailer.ID[0])
        assert bytes(one.trailer.ID[1]) != bytes(other.trailer.ID[1])


def test_a_file_without_a_last_line_end_is_continued_on_a_new_line(base: bytes, tmp_path: Path) -> None:
    """An original that ends right after its end mark is updated as well."""
    update, trailer, first_id = begun(base.rstrip())
    update.add(b"<</Here true>>")
    assert qpdf_says(update.finish(trailer, first_id), tmp_path) == (0, "")


# ---------------------------------------------------------------- texts


@pytest.mark.parametrize(("expected", "text"), [
    (b"()", ""), (b"(plain)", "plain"), (rb"(a \(b\) \\c)", r"a (b) \c"), (rb"(a\rb\nc)", "a\rb\nc"), (rb"(\\n)", r"\n"), (rb"(\)\(\\)", ")(\\"),
    (b"<FEFF00e9>", "é"), (b"<FEFFd83dde00>", "😀"), (b"<FEFF00fe00ff>", "þÿ"),
])  # fmt: skip
def test_a_text_string_is_escaped(expected: bytes, text: str) -> None:
    """ASCII stands as it is with brackets, backslashes and line ends escaped; everything else is UTF-16."""
    assert expected == pdf_text(text)


@TRIES
@given(texts=st.lists(TEXTS, min_size=1, max_size=5))
def test_every_text_comes_back(base: bytes, texts: list[str]) -> None:
    """Any text that may be typed is read back as it was written."""
    update, trailer, first_id = begun(base)
    number = update.add(b"<</Texts[" + b" ".join(map(pdf_text, texts)) + b"]>>")
    with opened(update.finish(trailer, first_id)) as pdf:
        assert [str(text) for text in pdf.get_object(number, 0).Texts] == texts


@TRIES
@given(raw=st.binary(max_size=60))
def test_every_byte_of_a_literal_comes_back(raw: bytes) -> None:
    """A literal string gives back each of its bytes."""
    assert bytes(pikepdf.Object.parse(b"(" + escape(raw) + b")")) == raw


@given(numbers=st.sets(st.integers(1, 60)))
def test_spans_are_the_numbers(numbers: set[int]) -> None:
    """The spans of an index name exactly its numbers, as few spans as there are gaps allow."""
    spans = _spans(sorted(numbers))
    assert [first + step for first, count in spans for step in range(count)] == sorted(numbers)
    assert len(spans) == sum(number - 1 not in numbers for number in numbers)
