"""What every page of a case begins with: the case of this person, and the words that its templates use."""

from typing import Any

from flask import Blueprint, render_template

from formsvc.casework.masking import initialled
from formsvc.model.form import Form
from formsvc.model.kinds import LANGS, Lang
from formsvc.office.case_screen import FORM
from formsvc.office.case_work import CaseFile, open_file
from formsvc.web import cases_words
from formsvc.web.access import me, my_case, office
from formsvc.web.words import today

pages = Blueprint("cases", __name__)
pages.add_app_template_filter(initialled)


def my_file(number: str) -> CaseFile:
    """A case of this person's, with what belongs to it."""
    return open_file(office(), me().id, my_case(number), today())


def notes_form() -> Form:
    """The form of the notes: it has the words of roles, modes and states."""
    return office().catalog.form(office().catalog.latest(FORM))


def known_lang(text: str | None) -> Lang | None:
    """A language of letters, if it is one."""
    return next((lang for lang in LANGS if lang == text), None)


def case_page(template: str, **facts: Any) -> str:
    """A page of a case, with the words it may need."""
    form = notes_form()
    return render_template(template, words=cases_words, said_choice=lambda name, code, group="": cases_words.chosen(form, name, code, group), **facts)
