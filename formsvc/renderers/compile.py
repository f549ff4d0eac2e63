"""Compiles a form: definition + page.html -> tagged blank PDF with its layout (slow, cached).

The blank is kept by the content it was made from, so any edit makes a new one and processes can
share the folder.
"""

import hashlib
import json
import logging
import os
import shutil
import tempfile
from collections.abc import Mapping
from functools import lru_cache
from pathlib import Path
from typing import Any, Final

import jinja2
from jinja2.sandbox import ImmutableSandboxedEnvironment
from markupsafe import Markup

from formsvc import __version__
from formsvc.catalog import PAPERS, Catalog
from formsvc.errors import Refused
from formsvc.model.form import Form, FormId, RowCounts
from formsvc.model.kinds import Lang
from formsvc.model.layout import CompiledForm, Furniture, Layout, dump_layout, load_layout
from formsvc.renderers.apart import apart
from formsvc.renderers.inputs import PageForm
from formsvc.renderers.mend import mend
from formsvc.renderers.paginate import font_digests, paginate, weasyprint_version

_GENERATION: Final = 4  # raise it when the compiler's output changes for equal sources


def compile_form(catalog: Catalog, form_id: FormId, row_counts: RowCounts, lang: Lang, cache: Path, seconds: float | None = None) -> CompiledForm:
    """The compiled form, from the cache folder if it was made before; else laying it out may take so many seconds of the processor."""
    form = catalog.form(form_id)
    counts = checked_counts(form, row_counts)
    digest = _digest(catalog, form, counts, lang)
    return _compiled(_Job(catalog, form, counts, lang, cache, digest, seconds))


def checked_counts(form: Form, row_counts: RowCounts) -> dict[str, int]:
    """How many rows each group gets; refuses more than it takes."""
    counts = {}
    for group in form.groups:
        count = max(row_counts.get(group.name, group.blank), group.minimum)
        if count > group.maximum:
            raise Refused("too-many-rows", group.name, count=count, most=group.maximum)
        counts[group.name] = count
    return counts


class _Job:
    """What is to be compiled; equal jobs have equal digests."""

    def __init__(self, catalog: Catalog, form: Form, counts: RowCounts, lang: Lang, cache: Path, digest: str, seconds: float | None) -> None:
        self.catalog, self.form, self.counts, self.lang, self.cache, self.digest, self.seconds = catalog, form, counts, lang, cache, digest, seconds

    def __hash__(self) -> int:
        return hash(self.digest)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Job) and other.digest == self.digest


@lru_cache(maxsize=64)
def _compiled(job: _Job) -> CompiledForm:
    folder = job.cache / "blanks" / job.digest
    try:
        blank, layout = _kept(folder, job.form)
    except (OSError, ValueError):  # not there, or damaged: make it anew
        blank, layout = apart(lambda: mend(_paginated(job), job.form, job.counts, job.lang, str(job.catalog.file(job.form.id, "page.html"))), job.seconds)
        found = json.dumps(dump_layout(layout)).encode()
        _keep(folder, {"blank.pdf": blank, "layout.json": found, "whole": _sum(blank, found)})
    furniture = furniture_of(job.catalog, job.form, job.lang)
    return CompiledForm(form=job.form, row_counts=job.counts, lang=job.lang, blank=blank, layout=layout, furniture=furniture, digest=job.digest)


def _kept(folder: Path, form: Form) -> tuple[bytes, Layout]:
    """A blank from the cache; a disk may lose part of a file when the power fails, so it is checked to be whole."""
    blank, found = (folder / "blank.pdf").read_bytes(), (folder / "layout.json").read_bytes()
    if (folder / "whole").read_bytes() != _sum(blank, found):
        raise ValueError("the cache entry is damaged")
    return blank, load_layout(form, json.loads(found))


def _sum(*contents: bytes) -> bytes:
    return hashlib.sha256(b"".join(contents)).hexdigest().encode("ascii")


def furniture_of(catalog: Catalog, form: Form, lang: Lang) -> Furniture:
    """What every page of a form prints."""
    profile = catalog.profile
    return Furniture(
        title=form.titles.said(lang),
        agency=profile.agency.said(lang),
        confidentiality=profile.confidentiality.said(lang),
        references=profile.references.get(form.id.name, ""),
    )


def _keep(folder: Path, files: Mapping[str, bytes]) -> None:
    """Put the files there together; if another process was first, or the disk refuses, its copy or none counts."""
    try:
        folder.parent.mkdir(parents=True, exist_ok=True)
        draft = Path(tempfile.mkdtemp(prefix="draft-", dir=folder.parent))
    except OSError:
        logging.getLogger(__name__).warning("compiled forms cannot be kept: the cache folder is not writable")
        return
    try:
        for name, content in files.items():
            (draft / name).write_bytes(content)
        if folder.exists():
            shutil.rmtree(folder, ignore_errors=True)
        os.replace(draft, folder)
    except OSError:
        shutil.rmtree(draft, ignore_errors=True)


# ---------------------------------------------------------------- sources


def _sources(catalog: Catalog, form_id: FormId) -> dict[str, bytes]:
    files = {f"{number}/{file.name}": file for number, folder in enumerate(catalog.page_folders(form_id)) for file in sorted(folder.iterdir()) if file.is_file()}
    return {name: file.read_bytes() for name, file in files.items()}


def _digest(catalog: Catalog, form: Form, counts: RowCounts, lang: Lang) -> str:
    """A name for all that decides what the blank looks like."""
    whole = hashlib.sha256()
    profile = catalog.profile
    facts = [_GENERATION, __version__, lang, sorted(counts.items()), repr(profile), font_digests(), weasyprint_version()]
    whole.update(repr(facts).encode())
    for name, content in _sources(catalog, form.id).items():
        whole.update(f"{name}:{len(content)}:".encode() + content)
    return whole.hexdigest()[:32]


# ---------------------------------------------------------------- pages


def page_html(catalog: Catalog, form: Form, counts: RowCounts, lang: Lang) -> str:
    """The page of a form as HTML; refuses a broken template with its file and line."""
    return page_template(catalog, form, {}, page_context(catalog, form, counts, lang))


def page_template(catalog: Catalog, form: Form, instead: Mapping[str, str], context: Mapping[str, Any]) -> str:
    """A form's page.html with a context; `instead` are templates that stand in the place of files. Refuses a broken one with its file and line."""
    environment = _environment(tuple(str(folder) for folder in catalog.page_folders(form.id)), tuple(instead.items()))
    place = str(catalog.file(form.id, "page.html"))
    try:
        return environment.get_template("page.html").render(context)
    except jinja2.TemplateSyntaxError as problem:
        raise Refused("template-syntax", f"{problem.filename or place}, line {problem.lineno}", detail=problem.message) from problem
    except (jinja2.TemplateError, ArithmeticError, AttributeError, LookupError, RecursionError, TypeError, ValueError) as problem:
        raise Refused("template-failed", f"{place}{_template_line(problem)}", detail=str(problem)) from problem


@lru_cache(maxsize=64)
def _environment(folders: tuple[str, ...], instead: tuple[tuple[str, str], ...]) -> ImmutableSandboxedEnvironment:
    """Templates of some folders, compiled once and again when a file changes."""
    loader = jinja2.ChoiceLoader([jinja2.DictLoader(dict(instead)), jinja2.FileSystemLoader(list(folders))])
    environment = ImmutableSandboxedEnvironment(loader=loader, autoescape=True, undefined=jinja2.StrictUndefined, trim_blocks=True)
    environment.filters["css_string"] = _css_string
    return environment


def _template_line(problem: BaseException) -> str:
    """The line of the template that stopped, from the traceback jinja2 rewrites."""
    step, line = problem.__traceback__, ""
    while step is not None:
        if step.tb_frame.f_code.co_filename.endswith(".html"):
            line = f", line {step.tb_lineno}"
        step = step.tb_next
    return line


def _css_string(text: str) -> Markup:
    r"""Text as a CSS string; a line break becomes \a."""
    escaped = text.replace("\\", "\\\\").replace('"', '\\"').replace("<", "\\3c ").replace("\n", "\\a ")
    return Markup(f'"{escaped}"')  # noqa: S704  (quotes, backslashes and tags are escaped above)


def page_context(catalog: Catalog, form: Form, counts: RowCounts, lang: Lang) -> dict[str, Any]:
    """What a page.html knows."""
    furniture, page = furniture_of(catalog, form, lang), PageForm(form, counts, lang)
    return {
        "form": form,
        "lang": lang,
        "title": furniture.title,
        "agency": furniture.agency,
        "confidentiality": furniture.confidentiality,
        "references": furniture.references,
        "paper": PAPERS[catalog.profile.paper],
        "t": {name: words.said(lang) for name, words in form.texts.items()},
        "ask": page.ask,
        "rows": page.rows,
        "label": page.label,
        "stamp": _stamp_input,
    }


def _stamp_input(name: str) -> Markup:
    return Markup('<input type="text" name="{name}" title="{name}">').format(name=name)


def _paginated(job: _Job) -> bytes:
    page = job.catalog.file(job.form.id, "page.html")
    html = page_html(job.catalog, job.form, job.counts, job.lang)
    try:
        return paginate(html, folders=job.catalog.page_folders(job.form.id), base=page.parent)
    except Refused as refused:
        raise refused.at(str(page)) from refused
