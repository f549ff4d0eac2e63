"""Forms, letters and words: which there are, where each comes from, what a new one would look like, and the way back."""

from typing import Any, Final

from flask import redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext

from formsvc.catalog import shipped_folder
from formsvc.errors import Refused
from formsvc.model.form import FormId
from formsvc.model.kinds import LANGS, Lang
from formsvc.office.template_check import Preview, blank, keep_tried, preview, use_tried
from formsvc.office.template_store import Piece, content_of, find_piece, history, own_folder, pieces, touch_stamp, use_shipped
from formsvc.parsers.pictures import picture
from formsvc.parsers.sandbox import run_limited
from formsvc.web.access import missing, office, page
from formsvc.web.admin_pages import pages, uploaded
from formsvc.web.guard import done, tell
from formsvc.web.month import attachment
from formsvc.web.words import chosen_lang

_DPI: Final = 72
_WORD: Final = "application/vnd.openxmlformats-officedocument.wordprocessingml.document"


def piece_name(piece: Piece) -> str:
    """A piece as people call it."""
    if piece.kind == "profile":
        return str(gettext("Agency profile"))
    if piece.kind == "wording":
        return str(gettext("Other words for “%(form)s”", form=office().catalog.form(piece.form).titles.said(chosen_lang())))
    letter = office().catalog.letter(piece.name).title.said(chosen_lang())
    return str(gettext("%(letter)s: title, subject, mail", letter=letter) if piece.kind == "mail" else f"{letter}, {lang_name(piece.lang)}")


def lang_name(lang: Lang) -> str:
    """A language."""
    return str(gettext("Spanish") if lang == "es" else gettext("English"))


def why_not_own() -> Refused | None:
    """Why the agency can have no templates of its own here, if it cannot."""
    try:
        own_folder(office().service.settings)
    except Refused as refused:
        return refused
    return None


def _source(form_id: FormId) -> str:
    """Where a form comes from."""
    folder = office().service.settings.templates
    return "own" if folder and office().catalog.file(form_id, "form.toml").is_relative_to(folder) else "shipped"


# ---------------------------------------------------------------- all of them


@page(pages, "/admin/templates", "templates")
def templates() -> ResponseReturnValue:
    """Every form, letter and text."""
    catalog, settings = office().catalog, office().service.settings
    forms = [(form, _source(form.id)) for form in (catalog.form(form_id) for form_id in catalog.ids())]
    kept = [(piece_name(piece), history(settings, piece)) for piece in pieces(catalog)]
    by_kind = {kind: [(name, found) for name, found in kept if found.piece.kind == kind] for kind in ("letter", "mail", "profile", "wording")}
    return render_template("admin_templates.html", forms=forms, kept=by_kind, why_not=why_not_own(), langs=LANGS, lang_name=lang_name)


@page(pages, "/admin/templates/form/<name>/<int:version>/<lang>.pdf", "templates")
def blank_form(name: str, version: int, lang: str) -> ResponseReturnValue:
    """A blank form as it is now."""
    form_id, catalog = FormId(name=name, version=version), office().catalog
    wanted = next((one for one in LANGS if one == lang), None)
    if form_id not in catalog.ids() or wanted is None:
        missing()
    return _saved(blank(office(), catalog, form_id, wanted))


def _saved(made: Preview) -> ResponseReturnValue:
    return attachment(made.content, made.name, made.kind)


@page(pages, "/admin/templates/read-again", "templates", methods=("POST",))
def read_again() -> ResponseReturnValue:
    """Let every process read the folder again, after somebody changed it by hand."""
    try:
        touch_stamp(own_folder(office().service.settings))
    except Refused as refused:
        tell(refused)
    else:
        done(gettext("The folder is read again."))
    return redirect(url_for("admin.templates"))


# ---------------------------------------------------------------- one of them


def _piece(slug: str) -> Piece:
    return find_piece(office().catalog, slug)


@page(pages, "/admin/templates/<slug>", "templates")
def template(slug: str) -> ResponseReturnValue:
    """A template with its versions."""
    return _page(_piece(slug))


def _page(piece: Piece, status: int = 200, **more: Any) -> ResponseReturnValue:
    settings = office().service.settings
    facts: dict[str, Any] = {"faults": (), "text": "", "refused": None, **more}
    if piece.is_text and not facts["text"]:
        facts["text"] = content_of(settings, piece).decode("utf-8", "replace") if history(settings, piece).source == "own" else ""
    shipped = _shipped_text(piece)
    html = render_template(
        "admin_template.html", piece=piece, name=piece_name(piece), found=history(settings, piece), why_not=why_not_own(), shipped=shipped, tags=_tags(piece), **facts,
    )
    return html, status


def _shipped_text(piece: Piece) -> str:
    """The text that came with the installation, to start from."""
    if not piece.is_text or piece.kind == "wording":
        return ""
    file = shipped_folder() / piece.path
    return file.read_text(encoding="utf-8") if file.is_file() else ""


def _tags(piece: Piece) -> str:
    """An example of what one may write, for a text that does not come with the installation."""
    if piece.kind != "wording":
        return ""
    return '[asks.site]\nlabel = { en = "Center", es = "Centro" }\n\n[groups.children.asks.strengths]\nlabel = { en = "What goes well", es = "Lo que va bien" }\n'


@page(pages, "/admin/templates/<slug>", "templates", methods=("POST",))
def bring(slug: str) -> ResponseReturnValue:
    """Try a new one out; without fault it is kept, to be looked at and put in use."""
    piece = _piece(slug)
    text = request.form.get("text", "").replace("\r\n", "\n")
    try:
        content = text.encode("utf-8") if piece.is_text else uploaded("file").content
        number, faults = keep_tried(office(), piece, content)
    except Refused as refused:
        return _page(piece, 422, text=text, refused=refused)
    if number is None:
        return _page(piece, 422, text=text, faults=faults)
    done(gettext("Nothing is wrong with it. It is version %(number)d; look at it, then put it in use.", number=number))
    return redirect(url_for("admin.template_version", slug=slug, number=number))


@page(pages, "/admin/templates/<slug>/<int:number>", "templates")
def template_version(slug: str, number: int) -> ResponseReturnValue:
    """A version: what it makes of the sample, and whether to put it in use."""
    piece = _piece(slug)
    settings = office().service.settings
    found = history(settings, piece)
    version = next((one for one in found.versions if one.number == number), None)
    if version is None:
        missing()
    text = content_of(settings, piece, number).decode("utf-8", "replace") if piece.is_text else ""
    return render_template("admin_version.html", piece=piece, name=piece_name(piece), found=found, version_of=version, text=text, has_picture=piece.kind != "mail")


@page(pages, "/admin/templates/<slug>/<int:number>/use", "templates", methods=("POST",))
def use(slug: str, number: int) -> ResponseReturnValue:
    """Put a version in use."""
    piece = _piece(slug)
    try:
        use_tried(office(), piece, number)
    except Refused as refused:
        tell(refused)
        return redirect(url_for("admin.template_version", slug=slug, number=number))
    done(gettext("Version %(number)d is in use.", number=number))
    return redirect(url_for("admin.template", slug=slug))


@page(pages, "/admin/templates/<slug>/shipped", "templates", methods=("POST",))
def back_to_shipped(slug: str) -> ResponseReturnValue:
    """Go back to what came with the installation."""
    try:
        use_shipped(office(), _piece(slug))
    except Refused as refused:
        tell(refused)
    else:
        done(gettext("What came with formsvc is in use again; yours stays among the versions."))
    return redirect(url_for("admin.template", slug=slug))


# ---------------------------------------------------------------- looked at, taken along


def _content(slug: str, number: int) -> tuple[Piece, bytes]:
    """A version's content; number 0 is what is in use."""
    piece = _piece(slug)
    content = content_of(office().service.settings, piece, number or None)
    if not content:
        missing()
    return piece, content


@page(pages, "/admin/templates/<slug>/<int:number>/file", "templates")
def template_file(slug: str, number: int) -> ResponseReturnValue:
    """A version itself, to be edited in Word or elsewhere."""
    piece, content = _content(slug, number)
    ending = piece.path.rpartition(".")[2]
    return attachment(content, f"{piece.slug.removesuffix(f'.{ending}')}{f'-{number}' if number else ''}.{ending}", "application/toml" if piece.is_text else _WORD)


@page(pages, "/admin/templates/<slug>/<int:number>/preview", "templates")
def template_preview(slug: str, number: int) -> ResponseReturnValue:
    """What a version makes of the sample."""
    piece, content = _content(slug, number)
    return _saved(preview(office(), piece, content))


@page(pages, "/admin/templates/<slug>/<int:number>/first-page.png", "templates")
def template_picture(slug: str, number: int) -> ResponseReturnValue:
    """The first page of it as a picture, drawn in the sandbox."""
    piece, content = _content(slug, number)
    made = preview(office(), piece, content)
    if made.kind != "application/pdf":
        missing()
    answer = attachment(run_limited(picture, made.content, 1, _DPI), "page.png", "image/png")
    answer.headers["Content-Disposition"] = "inline"
    return answer
