"""The catalog: definitions as files, an agency's own folder before the shipped one.

1. A definition that cannot be used is refused with the file, the entry and the remedy.
2. An agency can add a form or a version, replace a page, and override single lines of the profile.
3. What is not there is answered with what there is.
"""

import re
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from formsvc.catalog import KINDS, Catalog, read_form, shipped_folder
from formsvc.errors import Refused
from formsvc.model.form import FormId
from formsvc.model.kinds import Choice, Choices, LongText, Number, Text
from formsvc.renderers.compile import compile_form
from tests.small_forms import DEFINITION, FORMS, SHIPPED, agency, write_form

NOTE = FormId(name="note", version=1)


def refusal(folder: Path, definition: str) -> Refused:
    """How a definition is refused."""
    write_form(folder, definition=definition)
    with pytest.raises(Refused) as caught:
        agency(folder).form(NOTE)
    return caught.value


def edited(old: str, new: str) -> str:
    """The small definition with one place changed."""
    assert DEFINITION.count(old) >= 1, old
    return DEFINITION.replace(old, new, 1)


def added(entry: str) -> str:
    """The small definition with one more entry in its first question."""
    return edited('name = "site"\n', f'name = "site"\n{entry}\n')


# ---------------------------------------------------------------- what cannot be used


@pytest.mark.parametrize(("line", "definition"), [(3, 'code = "7"\n\nnumber = = 1\n'), (2, 'code = "7"\ncode = "M"\n'), (1, 'code = "N\n'), (4, "\n\n\n[[asks]\n")])
def test_broken_toml_is_refused_with_its_line(tmp_path: Path, line: int, definition: str) -> None:
    """Text that is no TOML is refused with the file and the line."""
    refused = refusal(tmp_path, definition)
    assert refused.code == "definition-syntax"
    assert str(tmp_path / "note/v1/form.toml") in refused.message
    assert f"line {line}," in refused.message


def test_a_definition_is_utf8(tmp_path: Path) -> None:
    """A file in another encoding is refused with the byte."""
    (write_form(tmp_path) / "form.toml").write_bytes(b'code = "\xe9"')
    with pytest.raises(Refused, match=r"form\.toml: The TOML cannot be read: not UTF-8 at byte 8") as caught:
        agency(tmp_path).form(NOTE)
    assert caught.value.code == "definition-syntax"


SITE = "asks[1] “site”"
GUESTS = "group “guests”"
INVALID = {
    "code missing": (edited('code = "7"\n', ""), "form.toml", "“code” is missing"),
    "code too long": (edited('"7"', '"77"'), "form.toml", "“code” must be one of 0123456789ABC"),
    "code empty": (edited('"7"', '""'), "form.toml", "“code” must be one of"),
    "code that stamps lack": (edited('"7"', '"O"'), "form.toml", "“code” must be one of"),
    "code of other digits": (edited('"7"', '"٣"'), "form.toml", "“code” must be one of"),
    "code a number": (edited('"7"', "7"), "form.toml", "“code” must be a text"),
    "title in one language": (edited(', es = "Nota de visita"', ""), "form.toml", "“title” must give both languages"),
    "title a text": (edited('{ en = "Visit note", es = "Nota de visita" }', '"Visit note"'), "form.toml", "“title” must give both languages"),
    "rules a text": (edited("code", 'rules = "R3"\ncode'), "form.toml", "“rules” must be a list"),
    "rules of numbers": (edited("code", "rules = [3]\ncode"), "form.toml", "must list texts, not 3"),
    "unknown entry": (edited("code", 'colour = "red"\ncode'), "form.toml", "unknown entries: colour"),
    "text in one language": (f'{DEFINITION}\n[texts]\nintro = {{ en = "Hello" }}\n', "texts.intro", "“text” must give both languages"),
    "option in one language": (f'{DEFINITION}\n[options.color]\nred = "Red"\n', "options.color", "“red” must give both languages"),
    "option with a bad code": (f'{DEFINITION}\n[options.color]\nRed-1 = {{ en = "Red", es = "Rojo" }}\n', "options.color", "these codes are not names: Red-1"),
    "options without any": (f"{DEFINITION}\n[options.color]\n", "options.color", "there is nothing to choose from"),
    "options not a table": (edited("code", "options = { color = 3 }\ncode"), "options.color", "a table is expected here"),
    "ask not a table": ('code = "7"\nnumber = "1"\nrevision = "1"\ntitle = { en = "x", es = "y" }\nasks = [3]\n', "asks[1]", "a table is expected here"),
    "ask without a name": (edited('name = "site"\n', ""), "asks[1]", "“name” is missing"),
    "ask with a bad name": (edited('"site"', '"the-site"'), "asks[1]", "“the-site” is not a name"),
    "ask with a capital": (edited('"site"', '"Site"'), "asks[1]", "“Site” is not a name"),
    "ask with a period": (edited('"site"', '"a.b"'), "asks[1]", "“a.b” is not a name"),
    "ask without a label": (edited('label = { en = "Site", es = "Centro" }\n', ""), SITE, "“label” must give both languages"),
    "ask without a kind": (edited('kind = "text"\n', ""), SITE, "“kind” is missing"),
    "unknown kind": (edited('"text"', '"words"'), SITE, f"“words” is no kind; the kinds are: {', '.join(KINDS)}"),
    "short in one language": (added('short = { es = "x" }'), SITE, "“short” must give both languages"),
    "locked a text": (added('locked = "yes"'), SITE, "“locked” must be true or false"),
    "required a number": (added("required = 1"), SITE, "“required” must be true or false"),
    "limit a text": (added('limit = "10"'), SITE, "“limit” must be a whole number"),
    "limit a truth": (added("limit = true"), SITE, "“limit” must be a whole number"),
    "limit nothing": (added("limit = 0"), SITE, "“limit” must be at least 1"),
    "entry of another kind": (added("decimals = 2"), SITE, "unknown entries: decimals"),
    "number upside down": (edited('kind = "text"\n', 'kind = "number"\nleast = 5\nmost = 4\n'), SITE, "a number needs least ≤ most"),
    "number with many decimals": (edited('kind = "text"\n', 'kind = "number"\ndecimals = 7\n'), SITE, "0 to 6 decimals"),
    "choice without options": (edited('kind = "text"\n', 'kind = "choice"\n'), SITE, "“options” is missing"),
    "choice of unknown options": (edited('kind = "text"\n', 'kind = "choices"\noptions = "color"\n'), SITE, "there are no [options.color]"),
    "ask twice": (edited('"note"\nkind', '"site"\nkind'), "asks", "names used twice: site"),
    "group named like an ask": (edited('name = "guests"', 'name = "site"'), "form.toml", "names used twice: site"),
    "group without a name": (edited('name = "guests"\n', ""), "groups[1]", "“name” is missing"),
    "group without a limit": (edited("maximum = 6\n", ""), GUESTS, "“maximum” is missing"),
    "group without asks": (DEFINITION[: DEFINITION.index("[[groups.asks]]")], GUESTS, "“asks” is missing"),
    "rows upside down": (edited("maximum = 6", "maximum = 1"), GUESTS, "rows must satisfy"),
    "rows below none": (edited("minimum = 0", "minimum = -1"), GUESTS, "rows must satisfy"),
    "rows beyond reason": (edited("maximum = 6", "maximum = 1001"), GUESTS, "rows must satisfy"),
    "heading that is no ask": (edited("blank = 2", 'blank = 2\nheading = "nobody"'), GUESTS, "heading “nobody” is none of its asks"),
    "presets not tables": (edited("blank = 2", "blank = 2\npresets = [3]"), GUESTS, "“presets” must list tables"),
    "ask of a group": (edited('kind = "tick"', 'kind = "box"'), "group “guests”[2] “came”", "“box” is no kind"),
    "ask of a group twice": (edited('"came"', '"name"'), GUESTS, "names used twice: name"),
    "nothing asked": ('code = "7"\nnumber = "1"\nrevision = "1"\ntitle = { en = "x", es = "y" }\n', "form.toml", "the form asks for nothing"),
}  # fmt: skip


@pytest.mark.parametrize("case", INVALID)
def test_an_invalid_entry_is_refused_with_its_place(tmp_path: Path, case: str) -> None:
    """An entry that is wrong, missing or unknown is refused with the file, the entry and what is wrong."""
    definition, place, detail = INVALID[case]
    refused = refusal(tmp_path, definition)
    assert refused.code == "definition-invalid"
    assert refused.place.startswith(str(tmp_path / "note/v1/form.toml"))
    assert refused.place.endswith(place)
    assert detail.lower() in refused.message.lower()


def test_the_defaults_of_a_definition(tmp_path: Path) -> None:
    """What a definition leaves out has the documented default."""
    extra = """
[options.color]
red = { en = "Red", es = "Rojo" }
[[asks]]
name = "count"
kind = "number"
label = { en = "Count", es = "Cuenta" }
[[asks]]
name = "one"
kind = "choice"
options = "color"
boxes = true
label = { en = "One", es = "Uno" }
[[asks]]
name = "many"
kind = "choices"
options = "color"
label = { en = "Many", es = "Varios" }
"""
    write_form(tmp_path, definition=DEFINITION + extra)
    form = agency(tmp_path).form(NOTE)
    kinds = {one.name: one.kind for one in form.asks}
    assert (kinds["site"], kinds["note"], kinds["count"]) == (Text(limit=200), LongText(limit=20_000), Number(least=0, most=1_000_000, decimals=0))
    assert isinstance(kinds["one"], Choice)
    assert kinds["one"].boxes
    assert isinstance(kinds["many"], Choices)
    assert (form.asks[0].short, form.asks[0].locked, form.asks[0].required, form.rules, form.groups[0].heading) == (form.asks[0].label, False, False, (), "")


# ---------------------------------------------------------------- what is not there


@pytest.mark.parametrize(("code", "message", "ask_for"), [
    ("unknown-form", r"There is no form called “worksheets”\. Choose one of: .*, note, .*worksheet\.", lambda catalog: catalog.latest("worksheets")),
    ("unknown-version", r"Form “note” has no version 3\. Versions here: v1, v2\.", lambda catalog: catalog.form(FormId(name="note", version=3))),
    ("definition-missing", r"nobody/v1/form\.toml: The file is not there\.", lambda catalog: catalog.form(FormId(name="nobody", version=1))),
    ("definition-missing", r"note/v1/letter\.docx: The file is not there\.", lambda catalog: catalog.file(NOTE, "letter.docx")),
])  # fmt: skip
def test_what_is_not_there_is_answered_with_what_there_is(tmp_path: Path, code: str, message: str, ask_for: Callable[[Catalog], object]) -> None:
    """A form, version or file that is not there is refused with the names that are."""
    for version in (1, 2):
        write_form(tmp_path, version=version)
    with pytest.raises(Refused) as caught:
        ask_for(agency(tmp_path))
    assert caught.value.code == code
    assert re.search(message, caught.value.message)


def test_folders_that_hold_no_version_are_no_forms(tmp_path: Path) -> None:
    """Drafts, shared macros and stray files beside the versions are not taken for forms."""
    write_form(tmp_path)
    for stray in ("note/vX", "note/draft", "letters/v1", "_paper/v"):
        (tmp_path / stray).mkdir(parents=True)
    (tmp_path / "note/vX/form.toml").write_text("nonsense", encoding="utf-8")
    (tmp_path / "notes.txt").write_text("hello", encoding="utf-8")
    assert Catalog((tmp_path,)).ids() == (NOTE,)


# ---------------------------------------------------------------- an agency's own folder


def test_an_agency_adds_a_form(tmp_path: Path) -> None:
    """A form in the agency's folder stands beside the shipped ones and has its own stamp code."""
    write_form(tmp_path)
    catalog = agency(tmp_path)
    assert [form.id.name for form in catalog.forms()] == sorted([*(form.id.name for form in FORMS), "note"])
    assert catalog.by_code("7", 1) is catalog.form(NOTE)
    assert catalog.by_code("7", 2) is None


def test_an_agencys_form_wins_its_stamp_code(tmp_path: Path) -> None:
    """Where a shipped form has the stamp code of an agency's own form, stamps name the agency's."""
    shared = FORMS[0]
    write_form(tmp_path, definition=DEFINITION.replace('"7"', f'"{shared.code}"'))
    catalog = agency(tmp_path)
    assert SHIPPED.by_code(shared.code, 1) is SHIPPED.form(shared.id)
    assert catalog.by_code(shared.code, 1) is catalog.form(NOTE)


def test_an_agency_adds_a_version(tmp_path: Path) -> None:
    """A further version becomes the newest; the older ones stay readable, in the order of their numbers."""
    for version in (1, 2, 10):
        write_form(tmp_path, version=version, definition=DEFINITION.replace("Visit note", f"Visit note {version}"))
    catalog = agency(tmp_path)
    assert catalog.latest("note").version == 10
    assert [catalog.form(FormId(name="note", version=version)).titles.en for version in (1, 2, 10)] == ["Visit note 1", "Visit note 2", "Visit note 10"]


def test_an_agency_replaces_a_page_and_keeps_the_definition(tmp_path: Path) -> None:
    """A page alone in the agency's folder is used instead of the shipped one."""
    shipped, own = tmp_path / "shipped", tmp_path / "own"
    write_form(shipped, body="<p>SHIPPED</p>")
    folder = write_form(own, body="<p>OWN</p>")
    (folder / "form.toml").unlink()
    catalog = Catalog((own, shipped))
    assert catalog.file(NOTE, "page.html") == own / "note/v1/page.html"
    assert catalog.file(NOTE, "form.toml") == shipped / "note/v1/form.toml"
    assert catalog.form(NOTE).titles.en == "Visit note"


WORDED = DEFINITION + """
[texts]
intro = { en = "Hello", es = "Hola" }
[options.color]
red = { en = "Red", es = "Rojo" }
green = { en = "Green", es = "Verde" }
[[asks]]
name = "color"
kind = "choice"
options = "color"
label = { en = "Color", es = "Color" }
"""
WORDING = """
title = { en = "Our note", es = "Nuestra nota" }
[texts]
intro = { en = "Welcome" }
[options.color]
red = { en = "Crimson", es = "Carmesí" }
[asks.site]
label = { en = "Center", es = "Sede" }
[groups.guests]
label = { en = "Visitor", es = "Visita" }
[groups.guests.asks.came]
short = { en = "Here", es = "Aquí" }
"""


def reworded(tmp_path: Path, wording: str) -> Catalog:
    """A shipped form with an agency's wording laid over it."""
    shipped, own = tmp_path / "shipped", tmp_path / "own"
    write_form(shipped, definition=WORDED)
    folder = write_form(own)
    for file in folder.iterdir():
        file.unlink()
    (folder / "wording.toml").write_text(wording, encoding="utf-8")
    return Catalog((own, shipped))


def test_an_agency_rewords_a_form(tmp_path: Path) -> None:
    """A wording changes words alone: what it does not name, and everything but words, stays as it was published."""
    form = reworded(tmp_path, WORDING).form(NOTE)
    plain = Catalog((tmp_path / "shipped",)).form(NOTE)
    site, _, color = form.asks
    assert (form.titles.en, form.texts["intro"].en, form.texts["intro"].es, site.label.en) == ("Our note", "Welcome", "Hola", "Center")
    assert isinstance(color.kind, Choice)
    assert [(option.code, option.label.en) for option in color.kind.options] == [("red", "Crimson"), ("green", "Green")]
    assert (form.groups[0].label.en, form.groups[0].asks[1].short.en, form.groups[0].asks[1].label.en) == ("Visitor", "Here", "Came")
    assert [place.key for place in form.places({"guests": 2})] == [place.key for place in plain.places({"guests": 2})]


@pytest.mark.parametrize(("place", "detail", "wording"), [
    ("wording.toml", "texts.outro: the form has no such entry", '[texts]\noutro = { en = "x", es = "y" }'),
    ("wording.toml", "options.shape: the form has no such entry", '[options.shape]\nround = { en = "x", es = "y" }'),
    ("wording.toml", "options.color: only labels can be reworded, not added: blue", '[options.color]\nblue = { en = "Blue", es = "Azul" }'),
    ("wording.toml: texts.intro", "a table is expected here", '[texts]\nintro = "x"'),
    ("wording.toml: options.color", "a table is expected here", "[options]\ncolor = 3"),
    ("wording.toml", "asks.bogus: only label and short", '[asks.bogus]\nlabel = { en = "x", es = "y" }'),
    ("wording.toml", "asks.site: only label and short", '[asks.site]\nkind = "number"'),
    ("wording.toml", "asks.site: only label and short", '[asks]\nsite = "Center"'),
    ("wording.toml", "groups.bogus: the form has no such group", '[groups.bogus]\nlabel = { en = "x", es = "y" }'),
    ("wording.toml: groups.guests", "unknown entries: maximum", "[groups.guests]\nmaximum = 100"),
    ("wording.toml: groups.guests", "a table is expected here", "[groups]\nguests = 3"),
    ("wording.toml: groups.guests", "asks.age: only label and short", '[groups.guests.asks.age]\nlabel = { en = "x", es = "y" }'),
    ("wording.toml", "unknown entries: code", 'code = "X"'),
    ("wording.toml", "“title” must be a table", 'title = "x"'),
    ("form.toml", "“title” must give both languages", "title = { en = 3 }"),
    ("form.toml: options.color", "“red” must give both languages", '[options.color]\nred = "Crimson"'),
])  # fmt: skip
def test_a_wording_changes_nothing_but_words(tmp_path: Path, place: str, detail: str, wording: str) -> None:
    """A wording that would add, remove or retype anything is refused with its file."""
    with pytest.raises(Refused) as caught:
        reworded(tmp_path, wording).form(NOTE)
    assert caught.value.code == "definition-invalid"
    assert caught.value.place.endswith(place)
    assert detail.lower() in caught.value.message.lower()


def test_an_agency_overrides_single_lines_of_the_profile(tmp_path: Path) -> None:
    """A profile with one line changes that line; every other line stays as shipped, also inside a table."""
    (tmp_path / "profile.toml").write_text('paper = "A4"\n[references]\nfcch = "Our handbook"\n', encoding="utf-8")
    own, shipped = agency(tmp_path).profile, SHIPPED.profile
    assert (own.paper, own.references["fcch"]) == ("a4", "Our handbook")
    assert (own.agency, own.confidentiality, own.references["worksheet"]) == (shipped.agency, shipped.confidentiality, shipped.references["worksheet"])


@pytest.mark.parametrize(("expected", "paper"), [((612, 792), ""), ((612, 792), 'paper = "Letter"\n'), ((595, 842), 'paper = "a4"\n')])
def test_paper_has_the_size_of_the_profile(tmp_path: Path, expected: tuple[int, int], paper: str) -> None:
    """A page that asks for the profile's paper gets it."""
    folder = write_form(tmp_path)
    page = (folder / "page.html").read_text(encoding="utf-8")
    (folder / "page.html").write_text(page.replace("size: letter", "size: {{ paper }}"), encoding="utf-8")
    (tmp_path / "profile.toml").write_text(paper, encoding="utf-8")
    compiled = compile_form(agency(tmp_path), NOTE, {}, "en", tmp_path / "cache")
    assert {(round(page.width), round(page.height)) for page in compiled.layout.pages} == {expected}


@pytest.mark.parametrize(("place", "detail", "profile"), [
    ("profile.toml", "“paper” must be one of: letter, a4", 'paper = "legal"'), ("profile.toml", "“paper” must be a text", "paper = 4"),
    ("profile.toml", "“agency” must give both languages", 'agency = "Ours"'), ("profile.toml", "unknown entries: color", 'color = "red"'),
])  # fmt: skip
def test_an_invalid_profile_is_refused(tmp_path: Path, place: str, detail: str, profile: str) -> None:
    """A line of the profile that cannot be used is refused with the agency's file."""
    (tmp_path / "profile.toml").write_text(profile, encoding="utf-8")
    with pytest.raises(Refused) as caught:
        _ = agency(tmp_path).profile
    assert (caught.value.code, caught.value.place) == ("definition-invalid", str(tmp_path / place))
    assert detail in caught.value.message.lower()


def test_an_installation_without_a_profile_is_refused(tmp_path: Path) -> None:
    """Folders without any profile cannot print a paper."""
    with pytest.raises(Refused, match="“agency” must give both languages"):
        _ = Catalog((tmp_path,)).profile


@pytest.mark.parametrize("form_id", SHIPPED.ids(), ids=lambda form_id: f"{form_id.name}-v{form_id.version}")
def test_every_shipped_form_is_whole(tmp_path: Path, form_id: FormId) -> None:
    """Every version has a definition and a page, and reads the same from a copy elsewhere."""
    shutil.copytree(shipped_folder(), tmp_path / "copy")
    assert SHIPPED.file(form_id, "page.html").is_file()
    assert read_form(tmp_path / "copy" / form_id.name / f"v{form_id.version}" / "form.toml", form_id) == SHIPPED.form(form_id)


def test_every_stamp_code_names_one_form() -> None:
    """No two forms share a stamp code, and the versions of one form keep theirs."""
    codes = {(form_id.name, SHIPPED.form(form_id).code) for form_id in SHIPPED.ids()}
    assert len(codes) == len({name for name, _ in codes}) == len({code for _, code in codes})
