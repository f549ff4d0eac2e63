"""Reads a form that was filled in on screen: the same answers as on paper, from what a browser sends."""

from collections.abc import Mapping

from formsvc.model.form import Form
from formsvc.model.kinds import is_box
from formsvc.model.record import Answer, Submission
from formsvc.model.values import ON


def parse(form: Form, document: str, fields: Mapping[str, str]) -> Submission:
    """The answers among what was sent; other fields of the page are not ours.

    A box that is not sent is empty; so is a text that is sent empty.
    """
    answers = {key: Answer(raw=_raw(form, key, raw)) for key, raw in fields.items() if form.find(key) is not None and raw}
    return Submission(form=form.id, document=document, source="posted", answers=answers)


def _raw(form: Form, key: str, raw: str) -> str:
    place = form.find(key)
    return ON if place is not None and is_box(place.ask.kind) and raw == ON else raw


def as_sent(text: str) -> str:
    """A text as a browser sends it back when nobody touched it: one kind of line break, no NUL."""
    return text.replace("\r\n", "\n").replace("\r", "\n").replace("\0", "\N{REPLACEMENT CHARACTER}")
