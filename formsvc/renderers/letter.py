"""Letters from Word templates: DOCX by docxtpl, and PDF from the same template without an office suite.

The template is converted to semantic HTML once (mammoth keeps its Jinja as text), then rendered and
laid out per letter. docxtpl's tags for whole paragraphs and rows, `{%p %}` and `{%tr %}`, lose their
paragraph or row on the way. Header and footer are carried over; page numbers count again.
"""

import html
import io
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

import docx
import docx.document
import jinja2
import mammoth
from docx.oxml.ns import qn
from docx.text.paragraph import Paragraph
from docxtpl import DocxTemplate
from markupsafe import Markup

from formsvc.errors import Refused
from formsvc.model.kinds import Lang
from formsvc.renderers import letter_sheet
from formsvc.renderers.letter_faults import TAG, faults
from formsvc.renderers.templating import Prepared, TemplateEnvironment, most_output, prepare
from formsvc.renderers.word_file import BROKEN, check_word_file

_PARAGRAPH_TAG: Final = re.compile(r"<(p|h[1-6]|li)[^>]*>\s*\{%p\s+(.*?)%\}\s*</\1>", re.DOTALL)
_ROW_TAG: Final = re.compile(r"<tr>(?:(?!</tr>).)*?\{%tr\s+(.*?)%\}(?:(?!</tr>).)*?</tr>", re.DOTALL)
_BEFORE: Final = re.compile(r"<p>((?:(?!<p\b|</p>).)*</p>\s*<(?:table|ul)\b)|(?<=</h2>)<p>((?:(?!<p\b|</p>).)*</p><h3\b)", re.DOTALL)
_FIRST_ROW: Final = re.compile(r"(<table>(?:<colgroup>.*?</colgroup>)?)(?:<tbody>)?\s*(<tr>.*?</tr>)", re.DOTALL)
_LONE: Final = re.compile(r"(<td[^>]*>)<p>((?:(?!</?p\b|</?td\b).)*)</p>(</td>)", re.DOTALL)
_STYLES: Final = """
p[style-name='Title'] => h1:fresh
p[style-name='Heading 1'] => h2:fresh
p[style-name='Heading 2'] => h3:fresh
p[style-name='Heading 3'] => h4:fresh
p[style-name='Subtitle'] => p.subtitle:fresh
p[style-name='Notice'] => p.notice:fresh
p[style-name='Address'] => p.address:fresh
p[style-name='Closing'] => p.closing:fresh
p[style-name='Signature'] => p.signature:fresh
p[style-name='Cut Line'] => p.cut:fresh
p[style-name='Table Heading'] => p:fresh
p[style-name='Table Text'] => p:fresh
p[style-name='Letterhead'] => p:fresh
p[style-name='Template Tag'] => p:fresh
"""


@dataclass(frozen=True, slots=True)
class Converted:
    """A Word template as HTML with its Jinja."""

    body: Prepared
    head: Prepared
    foot: Prepared


# ---------------------------------------------------------------- DOCX


def render_docx(template: bytes, context: Mapping[str, Any], place: str) -> bytes:
    """The letter as a Word file; refuses a template that is broken, unsafe, or lacks a value."""
    size = check_word_file(template)
    try:
        # A DocxTemplate is used up by rendering, so each letter gets its own from the same bytes.
        letter = DocxTemplate(io.BytesIO(template))
        letter.render(dict(context), jinja_env=TemplateEnvironment(most=most_output(size, context)), autoescape=True)
        out = io.BytesIO()
        letter.save(out)
    except (jinja2.TemplateError, TypeError, ArithmeticError) as problem:
        raise _refused(template, context, place, problem) from problem
    except BROKEN as problem:
        raise Refused("letter-unreadable", place, detail=type(problem).__name__) from problem
    return out.getvalue()


def _refused(template: bytes, context: Mapping[str, Any], place: str, problem: Exception) -> Refused:
    """The refusal with the paragraph the fault stands in, if it can be found."""
    if fault := next(faults(template, context), None):
        return Refused("letter-fault", f"{place}, paragraph {fault.paragraph} (“{fault.words}”)", detail=fault.detail)
    return Refused("letter-fault", place, detail=str(problem))


# ---------------------------------------------------------------- HTML and PDF


def convert(template: bytes) -> Converted:
    """The template as HTML, with its Jinja; the same for every letter, so whoever asks keeps it."""
    check_word_file(template)
    try:
        body = mammoth.convert_to_html(io.BytesIO(template), style_map=_STYLES).value
        document = docx.Document(io.BytesIO(template))
        section = document.sections[0]
        parts = _LONE.sub(r"\1\2\3", _with_widths(body, document)), _edge(section.header.paragraphs), _edge(section.footer.paragraphs)
        return Converted(*(prepare(_jinja(part)) for part in parts))
    except BROKEN as problem:
        raise Refused("letter-unreadable", "", detail=type(problem).__name__) from problem


def _with_widths(body: str, document: docx.document.Document) -> str:
    """Tables with the column widths they have in Word."""
    grids = iter([[int(column.get(qn("w:w"), "0")) for column in grid.iter(qn("w:gridCol"))] for grid in document.element.body.iter(qn("w:tblGrid"))])

    def columns(_found: re.Match[str]) -> str:
        grid = next(grids, [])
        whole = sum(grid)
        parts = "".join(f'<col style="width: {100 * width / whole:.1f}%">' for width in grid) if whole else ""
        return f"<table><colgroup>{parts}</colgroup>"

    return re.sub(r"<table>", columns, body)


def _jinja(source: str) -> str:
    """HTML whose Jinja tags work again: whole-paragraph and whole-row tags freed, entities undone."""
    source = _ROW_TAG.sub(r"{% \1%}", source)
    source = _PARAGRAPH_TAG.sub(r"{% \2%}", source)
    return TAG.sub(lambda found: html.unescape(re.sub(r"</?\w[^>]*>", "", found[0])), source)


def _edge(paragraphs: list[Paragraph]) -> str:
    """A header or footer as HTML: its paragraphs, tabs as columns, page number fields as counters."""
    lines = []
    for paragraph in paragraphs:
        columns = "".join(_pieces(paragraph)).split("\t")
        if any(column.strip() for column in columns):
            lines.append(f"<p>{columns[0]}</p>" if len(columns) == 1 else '<p class="columns">' + "".join(f"<span>{column}</span>" for column in columns) + "</p>")
    return "".join(lines)


def _pieces(paragraph: Paragraph) -> Iterator[str]:
    """The text of a paragraph; PAGE and NUMPAGES fields become counters, their last result is skipped."""
    inside = ""
    for node in paragraph._p.iter(qn("w:t"), qn("w:tab"), qn("w:instrText"), qn("w:fldChar"), qn("w:fldSimple")):
        kind = node.get(qn("w:fldCharType"))
        if kind == "begin":
            inside = "code"
        elif kind == "end":
            inside = ""
        elif node.tag in (qn("w:instrText"), qn("w:fldSimple")):
            code = (node.text or "") + (node.get(qn("w:instr")) or "")
            yield '<span class="pages"></span>' if "NUMPAGES" in code else '<span class="page"></span>' if "PAGE" in code else ""
            inside = inside or ("simple" if node.tag == qn("w:fldSimple") else "")
        elif node.tag == qn("w:tab") and not inside and node.getparent().tag == qn("w:r"):
            yield "\t"
        elif node.tag == qn("w:t"):
            if not inside:
                yield html.escape(node.text or "", quote=False)
            inside = "" if inside == "simple" else inside


def render_html(template: bytes, converted: Converted, context: Mapping[str, Any], place: str, *, title: str, lang: Lang) -> str:
    """The letter as a whole HTML page; the template itself is needed to say where a fault stands."""
    environment = TemplateEnvironment(most=most_output(len(converted.body.source), context))
    try:
        body, head, foot = (Markup(part.render(environment, context)) for part in (converted.body, converted.head, converted.foot))  # noqa: S704  (rendered with escaping on)
    except (jinja2.TemplateError, TypeError, ValueError, ArithmeticError) as problem:
        raise _refused(template, context, place, problem) from problem
    page = Markup('<!doctype html><html lang="{}"><head><meta charset="utf-8"><title>{}</title></head><body><div class="head">{}</div><div class="foot">{}</div>{}</body></html>')
    laid = Markup(_kept(_headed(str(body))))  # noqa: S704  (escaped when it was rendered)
    return str(page.format(lang, title, head, foot, laid))


def with_sheet(page: str) -> str:
    """A letter's HTML with its look inside, for a mailbox."""
    return page.replace("</head>", f"<style>{letter_sheet.PAGE}</style></head>", 1)


def _headed(body: str) -> str:
    """Tables with their first row as head, so that it repeats and a screen reader hears it."""
    headed = _FIRST_ROW.sub(lambda found: found[1] + "<thead>" + re.sub(r"<(/?)td\b", r"<\1th", found[2]) + "</thead>", body)
    return headed.replace("<th>", '<th scope="col">').replace("</tbody></table>", "</table>")


def _kept(body: str) -> str:
    """Paragraphs before a table or a list, and between two headings, stay with it; as a class, because CSS that looks ahead takes long."""
    return _BEFORE.sub(r'<p class="kept">\1\2', body)
