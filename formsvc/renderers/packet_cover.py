"""The cover of a packet: what it is, and its contents, in the look of the forms."""

import html
import itertools
import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from formsvc.model.kinds import Lang
from formsvc.renderers.paginate import paginate

WORDS: Final[dict[Lang, dict[str, str]]] = {
    "en": {"contents": "Contents", "paper": "Paper", "document": "Document", "pages": "Pages", "from": "From page",
           "one paper": "1 paper", "papers count": "{count} papers", "one page": "1 page", "pages count": "{count} pages", "go": "Go to page {page}"},
    "es": {"contents": "Índice", "paper": "Documento", "document": "Identificador", "pages": "Páginas", "from": "Desde la página",
           "one paper": "1 documento", "papers count": "{count} documentos", "one page": "1 página", "pages count": "{count} páginas", "go": "Ir a la página {page}"},
}  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class Cover:
    """What a cover says beside the title and the contents; `lines` are pairs of a label and its value."""

    agency: str = ""
    lines: tuple[tuple[str, str], ...] = ()
    confidentiality: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """One line of the contents; `page` is the number of its first page in the packet."""

    section: str
    title: str
    document: str
    pages: int
    page: int


_STYLE: Final = """
@page { size: %(width)gpt %(height)gpt; margin: 62pt 45pt 54pt 45pt; font-family: "Formsvc Sans"; font-size: 6.5pt; color: #222;
  @bottom-left { content: %(confidentiality)s; vertical-align: top; padding-top: 8pt; width: 80%%; line-height: 1.25; }
  @bottom-right { content: counter(page, lower-roman); vertical-align: top; padding-top: 8pt; text-align: right; } }
html { font: 9pt/1.3 "Formsvc Sans"; color: #111; } body, h1, h2, p { margin: 0; }
.agency { font-size: 8.5pt; } h1 { font-size: 22pt; font-weight: 600; line-height: 1.15; overflow-wrap: anywhere; } .count { color: #333; margin-top: 2pt; }
.facts { display: flex; flex-wrap: wrap; gap: 5pt 24pt; border-top: 0.8pt solid #111; margin-top: 10pt; padding-top: 6pt; }
.facts p { max-width: 100%%; overflow-wrap: anywhere; } .facts .label { display: block; font-size: 6.4pt; color: #333; line-height: 8pt; }
h2 { font-size: 11pt; font-weight: 600; margin: 16pt 0 3pt; break-after: avoid; }
table { width: 100%%; border-collapse: collapse; table-layout: fixed; } tr { break-inside: avoid; }
th, td { text-align: left; vertical-align: baseline; font-weight: normal; padding: 2.6pt 6pt 2.6pt 0; border-bottom: 0.5pt solid #bbb; overflow-wrap: anywhere; }
thead th { font-size: 6.4pt; color: #333; border-bottom: 0.8pt solid #333; padding: 1pt 6pt 1pt 0; }
.section th { font-weight: 600; padding: 6pt 4pt 2.6pt; background: #e8ecef; border: none; break-after: avoid; } .section { break-after: avoid; }
.document { width: 104pt; } .pages { width: 44pt; } .from { width: 84pt; } th.pages, td.pages, th.from, td.from { text-align: right; padding-right: 4pt; }
td.document { letter-spacing: .02em; } .in th.title { padding-left: 12pt; } a { color: inherit; text-decoration: none; }
"""


def cover_pdf(title: str, lang: Lang, cover: Cover, entries: Sequence[Entry], size: tuple[float, float]) -> bytes:
    """The pages of a cover as tagged PDF; its links name pages as urn:formsvc:page:NUMBER."""
    facts = {"width": size[0], "height": size[1], "confidentiality": _css_string(cover.confidentiality)}
    body = "".join(_body(title, WORDS[lang], cover, entries))
    return paginate(f'<!doctype html><html lang="{lang}"><head><meta charset="utf-8"><title>{_safe(title)}</title><style>{_STYLE % facts}</style></head><body>{body}</body></html>')


def _body(title: str, words: dict[str, str], cover: Cover, entries: Sequence[Entry]) -> list[str]:
    lines = "".join(f'<p><span class="label">{_safe(label)}</span> {_safe(value)}</p>' for label, value in cover.lines)
    heads = "".join(f'<th scope="col" class="{css}">{words[name]}</th>' for css, name in (("title", "paper"), ("document", "document"), ("pages", "pages"), ("from", "from")))
    sections = "".join(_section(name, tuple(found), words) for name, found in itertools.groupby(entries, key=lambda entry: entry.section))
    return [
        f'<p class="agency">{_safe(cover.agency)}</p>' if cover.agency else "",
        f'<h1>{_safe(title)}</h1><p class="count">{_count(entries, words)}</p>',
        f'<div class="facts">{lines}</div>' if lines else "",
        f"<h2>{words['contents']}</h2><table><thead><tr>{heads}</tr></thead>{sections}</table>",
    ]


def _count(entries: Sequence[Entry], words: dict[str, str]) -> str:
    papers, pages = len(entries), sum(entry.pages for entry in entries)
    said = (words["one paper"] if papers == 1 else words["papers count"].format(count=papers), words["one page"] if pages == 1 else words["pages count"].format(count=pages))
    return " · ".join(said)


def _section(name: str, entries: Sequence[Entry], words: dict[str, str]) -> str:
    head = f'<tr class="section"><th scope="rowgroup" colspan="4">{_safe(name)}</th></tr>' if name else ""
    return f'<tbody class="{"in" if name else ""}">{head}{"".join(_row(entry, words) for entry in entries)}</tbody>'


def _row(entry: Entry, words: dict[str, str]) -> str:
    link = f'<a href="urn:formsvc:page:{entry.page}" title="{words["go"].format(page=entry.page)}">'
    title = f'<th scope="row" class="title">{link}{_safe(entry.title)}</a></th>'
    return f'<tr>{title}<td class="document">{entry.document or "–"}</td><td class="pages">{entry.pages}</td><td class="from">{entry.page}</td></tr>'


def _safe(text: str) -> str:
    """Text as HTML."""
    return html.escape(_visible(text))


def _css_string(text: str) -> str:
    return '"' + re.sub(r'["\\<]', lambda found: f"\\{ord(found[0]):x} ", _visible(text)) + '"'


def _visible(text: str) -> str:
    """Control characters have no place on paper."""
    return "".join(letter if letter.isprintable() else " " for letter in text)
