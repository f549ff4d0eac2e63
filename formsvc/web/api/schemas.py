"""What programs send and get, as marshmallow schemas: they check, they write, and the document is made from them."""

from typing import Any, Final

from marshmallow import Schema, fields, validate

from formsvc.letters import FACES
from formsvc.model.kinds import LANGS
from formsvc.office.hooks import EVENTS, TEST
from formsvc.web.api import make

_PAGE: Final = 50
_MOST_ON_PAGE: Final = 200
_DOCUMENT: Final = "K7QF2M9XDA"


# ---------------------------------------------------------------- pages of lists


class Page(Schema):
    """Which part of a list."""

    limit = make.whole("How many at most.", 1, _MOST_ON_PAGE, default=_PAGE)
    after = make.place_after(r"^(0|[1-9][0-9]{0,8})$")


class PapersPage(Page):
    """Which papers."""

    unit = make.whole("Only of this unit.")
    month = make.month()
    form = fields.String(load_default=make.nothing, validate=make.Like(r"^[a-z][a-z0-9-]{0,31}$"), metadata={"description": "Only of this form."})


class QuestionsPage(Page):
    """Which questions."""

    unit = make.whole("Only of this unit.")
    month = make.month()


class ActionsPage(QuestionsPage):
    """Which follow-up actions."""

    after = make.place_after(r"^A[0-9A-Z]{4}-[0-9A-Z]{4}$")
    open = make.yes_no("`true`: only those that go on.", default=False)
    overdue = make.yes_no("`true`: only those past their target date.", default=False)


def page_of(item: type[Schema]) -> type[Schema]:
    """A page of a list: the items, and where the next page begins."""
    members: dict[str, Any] = {
        "items": fields.List(fields.Nested(item), required=True),
        "next": fields.String(required=True, allow_none=True, metadata={"description": "Ask for the next page with `after` set to this; null on the last one. The header Link says the same."}),
    }
    return type(f"{item.__name__}Page", (Schema,), members)


# ---------------------------------------------------------------- problems


class Problem(Schema):
    """What went wrong (RFC 9457)."""

    type = make.text("/api/v1/docs#fields-invalid", "Where this problem is explained.", format="uri-reference")
    title = make.text("Unprocessable Entity", "The status in words.")
    status = make.number(422)
    detail = make.text("Some of what was sent does not fit. See “errors” for each field.", "What is wrong, and what to do.")
    code = make.text("fields-invalid", "The problem's name, in kebab case; it stays the same when the words change.")
    errors = fields.Dict(
        keys=fields.String(), values=fields.List(fields.String()), metadata={"description": "Messages by field, as a dotted path into the body or the name of a parameter.", "example": {"month": ["String does not match expected pattern."]}}
    )  # fmt: skip


class Finding(Schema):
    """Something about a record that a person should look at."""

    code = make.text("need-without-action")
    field = make.text("children-0-immediate_need", "The answer's key; empty for the whole paper.")
    severity = make.text("error", enum=["error", "warning"])
    message = make.text("R6: a need has a follow-up action with a responsible person and a target date; missing: responsible. Fill in what is missing.")


# ---------------------------------------------------------------- token, forms, units


class Token(Schema):
    """The token itself."""

    name = make.text("roster sync")
    person = make.text("ana", "Whom the program acts for.")
    roles = make.several(fields.String(metadata={"example": "staff"}))
    scopes = make.several(fields.String(metadata={"example": "papers:read"}), "What it lets the program do, as long as the person's roles do.")
    expires = make.moment("When it ends.")


class Words(Schema):
    """Words in both languages."""

    en = make.text("Preschool conference worksheet")
    es = make.text("Hoja de trabajo de la reunión")


class FormSummary(Schema):
    """A form in its newest version."""

    name = make.text("worksheet")
    version = make.number(1)
    number = make.text("CC-1", "The agency's own number of the form.")
    revision = make.text("2026-08")
    title = fields.Nested(Words, required=True)
    groups = make.several(fields.String(metadata={"example": "children"}), "Its repeated rows.")


class Form(FormSummary):
    """A form with what its records hold."""

    schema = fields.Dict(required=True, metadata={"description": "JSON Schema of the record's values.", "example": {"type": "object", "properties": {"site": {"type": ["string", "null"]}}}})


class Unit(Schema):
    """A class, a home-base educator or a specialist."""

    id = make.number(1)
    site = make.text("Cedar Hall")
    name = make.text("Preschool 1")
    option = make.text("center", enum=["center", "home", "early", "fcch"])
    start = make.day("The first day of class.", null=True)


# ---------------------------------------------------------------- papers and records


class PapersWanted(Schema):
    """The papers of a month."""

    month = make.month(required=True)
    lang = make.one_of(LANGS, "The papers' language; by default the one that they have.")


class PacketWanted(Schema):
    """A site's papers as one file to print."""

    site = make.line("The site, as `/units` names it.", "Cedar Hall", required=True)
    month = make.month(required=True)
    lang = make.one_of(LANGS, "The papers' language; by default the one that they have.")


class Document(Schema):
    """A paper as it was issued."""

    id = make.text(_DOCUMENT)
    words = make.text("K7QF2-M9XDA-Z", "The same as it is printed, with its check character.")
    record = make.number(1, "The record it belongs to.")
    unit = make.number(1)
    month = make.text(make.MONTH_EXAMPLE)
    form = make.text("worksheet")
    version = make.number(1)
    part = make.number(1, "Long rosters take several papers.")
    edition = make.number(1)
    lang = make.text("en", enum=list(LANGS))
    issued_at = make.moment("When it was issued.")


class Record(Schema):
    """What is known of a paper, from everything that came back and was decided."""

    id = make.number(1)
    document = make.text(_DOCUMENT, "Its newest edition.")
    unit = make.number(1)
    month = make.text(make.MONTH_EXAMPLE)
    form = make.text("worksheet")
    version = make.number(1)
    part = make.number(1)
    revision = make.number(2, "It grows with each change; 0 while nothing came back.")
    at = make.moment("When it changed.", null=True)
    state = make.text("returned", "issued, returned (something is to be completed), review (a person is asked), done.", enum=["missing", "issued", "returned", "review", "done"])
    done_on = make.moment("When it was complete.", null=True)
    questions = make.number(0, "How many questions wait for a person.")
    values = fields.Dict(required=True, metadata={"description": "As the form's schema says: `/forms/{form}`.", "example": {"site": "Cedar Hall", "children": [{"child_name": "Child 01", "no_discussion_points": True}]}})
    problems = make.several(fields.Nested(Finding), "What breaks a rule, or is to be looked at.")


class Answer(Schema):
    """An answer as it was found."""

    raw = make.text("on")
    confidence = fields.Float(required=True, metadata={"example": 1.0})
    page = make.number(1)
    box = make.several(fields.Float(metadata={"example": 72.0}), "Left, bottom, right, top in points from the bottom left.")


class Reading(Schema):
    """What stands in a paper."""

    document = make.text(_DOCUMENT, "The document of its stamp; empty if there is none.")
    form = make.text("worksheet")
    version = make.number(1)
    source = make.text("acroform", enum=["posted", "acroform", "flattened", "scan"])
    values = fields.Dict(required=True, metadata={"description": "As the form's schema says.", "example": {"site": "Cedar Hall"}})
    answers = fields.Dict(keys=fields.String(), values=fields.Nested(Answer), required=True, metadata={"description": "As found, by answer key.", "example": {"site": {"raw": "Cedar Hall", "confidence": 1.0, "page": 1, "box": [72.0, 650.0, 260.0, 668.0]}}})
    problems = make.several(fields.Nested(Finding))


# ---------------------------------------------------------------- questions, actions


class Choice(Schema):
    """Something to choose."""

    number = make.number(1)
    value = fields.Raw(required=True, allow_none=True, metadata={"example": "2026-12-01"})
    source = make.text("return 7, paper.pdf, ana, 2026-11-12T17:03", "Where it comes from.")


class Question(Schema):
    """Something that waits for a person."""

    number = make.number(3)
    code = make.text("conflict")
    record = make.number(1, null=True)
    unit = make.number(1, null=True)
    month = make.text(make.MONTH_EXAMPLE, "Empty where it is not known to which paper a return belongs.")
    cell = make.text("children/c1/target_date")
    what = make.text("Child 01: Target date", "The question on the paper, and whom it is about.")
    message = make.text("Copies that came back say different things. Choose one; meanwhile the fullest stands.")
    issued = fields.Raw(required=True, allow_none=True, metadata={"description": "What was printed.", "example": None})
    choices = make.several(fields.Nested(Choice))
    returned = make.number(7, "The return that it is about.", null=True)
    at = make.moment("When it was asked.")


class DecisionWanted(Schema):
    """What somebody decides."""

    choice = fields.String(
        required=True,
        validate=[validate.Length(max=20_001), make.Like(r"^([1-9][0-9]?|issued|ok|=[^\u0000-\u0008\u000b\u000c\u000e-\u001f\u007f-\u009f]*)$")],
        metadata={"description": "The number of a choice; `issued`: what was printed; `ok`: it stands as it is; `=` and a value of one's own.", "example": "1"},
    )  # fmt: skip


class Decision(Schema):
    """What was decided."""

    question = make.number(3)
    said = make.text("is now '2026-12-01'", "In words.")
    record = make.number(1)
    revision = make.number(3)


class Action(Schema):
    """A follow-up action as it stands today."""

    id = make.text("A3K9-Q2ZM")
    unit = make.number(1, "Where its first child is now.")
    children = make.several(fields.String(metadata={"example": "C-1"}), "The children's ids.")
    text = make.text("Hearing check", "What is to be done.")
    status = make.text("in_progress")
    responsible = make.text("Marcus Fennelworth")
    role = make.text("fsw")
    target_date = make.day("When it is to be done.", null=True)
    opened = make.text("2026-10", "The month it was opened in.")
    latest = make.text(make.MONTH_EXAMPLE, "The last month in which something was written about it.")
    months = make.number(1, "So many months old.")
    open = make.flag("Whether it goes on.", example=True)
    overdue = make.flag("Whether its target date is past.")
    long_carried = make.flag("Whether it is to be raised with the supervisor (R11).")
    left = make.flag("Whether every child of it has left.")


# ---------------------------------------------------------------- cases and letters


class Case(Schema):
    """A case of the person's, by initials."""

    number = make.text("2026-001")
    initials = make.text("N.F.")
    conference = make.number(2, "The number of the conference.")
    conference_date = make.day("When it is.")
    next = make.text("invite", "What comes next: invite, agenda, wait, notes, summary, next, closed.")


_LETTER_FACES: Final = tuple(face for face in FACES if face != "ics")
_TO: Final = "One member of the team, by name or by number from 1; by default everybody."


class LetterWanted(Schema):
    """A letter that needs no protection."""

    letter = make.one_of(("invitation", "agenda"), "Which letter.", required=True)
    face = make.one_of(FACES, "Which kind of file.", default="pdf")
    lang = make.one_of(LANGS, "Its language; by default the recipient's, else English.")
    to = make.line(_TO, "1")


class SummaryWanted(Schema):
    """The protected summary of a conference."""

    face = make.one_of(_LETTER_FACES, "Which kind of file.", default="pdf")
    lang = make.one_of(LANGS, "Its language; by default the recipient's, else English.")
    to = make.line(_TO, "1")
    password = make.line("A password of your own, which must not be easy to guess; without it a passphrase is made.", None, most=127)


class Letter(Schema):
    """A letter; what left is logged."""

    name = make.text("invitation-2026-12-09-001.pdf", "A file name without anybody's name.")
    media_type = make.text("application/pdf")
    content = make.text("JVBERi0xLjcK", "The file, in Base64.", contentEncoding="base64")
    problems = make.several(fields.Nested(Finding), "What a person should know before it goes on.")


class Summary(Letter):
    """A protected summary."""

    passphrase = make.text(None, "The passphrase that was made, told here once and never kept; null where you gave a password. Tell it by another way than the file.", null=True)


# ---------------------------------------------------------------- jobs


class Note(Schema):
    """What is to be told of a unit."""

    where = make.text("Cedar Hall, Preschool 1")
    message = make.text("R2: its first conference is not before 11/16/2026")


class Place(Schema):
    """A place that breaks a rule; the record says it in words."""

    code = make.text("need-without-action")
    field = make.text("children-0-immediate_need")
    severity = make.text("error", enum=["error", "warning"])


class Result(Schema):
    """What came of a job; only what there is to tell."""

    state = fields.String(metadata={"description": "Of a return: counted, waiting (for a person), again (it was here before), refused, left.", "example": "counted"})
    document = fields.String(metadata={"example": _DOCUMENT})
    unit = fields.Integer(allow_none=True, metadata={"example": 1})
    month = fields.String(metadata={"example": make.MONTH_EXAMPLE})
    answers = fields.Integer(metadata={"example": 12})
    changed = fields.Boolean(metadata={"example": True})
    questions = fields.Integer(metadata={"example": 0})
    problems = fields.List(fields.Nested(Place))
    papers = fields.Integer()
    made = fields.Integer()
    units = fields.Integer()
    failed = fields.Integer()
    notes = fields.List(fields.Nested(Note))
    size = fields.Integer()
    code = fields.String(metadata={"example": ""})
    message = fields.String(metadata={"example": ""})


class Job(Schema):
    """Work in the background."""

    id = make.number(5)
    kind = make.text("receive", "receive, papers, packet, …")
    state = make.text("done", enum=["waiting", "running", "done", "failed", "cancelled"])
    batch = make.text("9f2c4e1ab7d0", "Jobs that were begun together have the same.")
    name = make.text("paper.pdf", "The name of the file that was sent.", null=True)
    done = make.number(1)
    total = make.number(1)
    at = make.moment("When it was begun.")
    changed_at = make.moment("When it changed.")
    has_file = make.flag("Whether it made a file that can be downloaded.")
    result = fields.Nested(Result, required=True, allow_none=True, metadata={"description": "What came of it, once it ended."})


# ---------------------------------------------------------------- webhooks


class HookWanted(Schema):
    """A webhook."""

    url = make.line("Where to; https, and in the public internet.", "https://example.org/hook", most=1000, required=True)
    events = fields.List(fields.String(validate=validate.OneOf(EVENTS)), required=True, validate=validate.Length(min=1), metadata={"description": "What to tell.", "example": ["return.counted", "record.changed"]})
    person = make.line("Whom it acts for, by the name they sign in with: it is told what that person may see. By default yours.", None, most=80)


class HookChange(Schema):
    """A change of a webhook."""

    active = make.Exactly(required=True, metadata={"description": "`false` pauses it: nothing is told, and nothing is kept to be told.", "example": False})


class Hook(Schema):
    """A webhook."""

    id = make.number(1)
    url = make.text("https://example.org/hook")
    events = make.several(fields.String(metadata={"example": "return.counted"}))
    person = make.number(1, "Whom it acts for.")
    active = make.flag("Whether it is told.", example=True)
    at = make.moment("When it was made.")


class HookMade(Hook):
    """A new webhook."""

    secret = make.text("whsec_QUJDREVGR0hJSktMTU5PUFFSU1RVVldYWVowMTIzNDU=", "What its deliveries are signed with; told here once.")


class Delivery(Schema):
    """An event and what became of telling it."""

    id = make.number(11)
    event = make.text("return.counted", enum=[*EVENTS, TEST])
    data = fields.Dict(required=True, metadata={"description": "Ids only.", "example": {"job": 5, "document": _DOCUMENT, "unit": 1, "month": make.MONTH_EXAMPLE}})
    state = make.text("told", enum=["waiting", "told", "given-up"])
    tries = make.number(1)
    status = make.number(200, "The status of the last answer; 0 where there was none.")
    why = make.text("", "The code of the last failure; empty after success.")
    at = make.moment("When it happened.")
    next = make.moment("When it is tried again, while it waits.")
