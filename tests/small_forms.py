"""What several test modules share: small forms, the shipped catalog, and values as people may give them."""

from collections.abc import Mapping
from datetime import date, time
from pathlib import Path
from typing import Any, Final

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st

from formsvc.catalog import Catalog, shipped_folder
from formsvc.model.form import Ask, Form, FormId, Group
from formsvc.model.kinds import Choice, Choices, Day, Kind, LongText, Month, Number, Option, Signature, Stamp, Text, Tick, Time, Words
from formsvc.model.values import UNSEEN
from formsvc.settings import Settings

KEY: Final = bytes(range(32))
DOCUMENT: Final = "K7QF2M9XDA"
SHIPPED: Final = Catalog((shipped_folder(),))
FORMS: Final = SHIPPED.forms()
BY_NAME: Final = {form.id.name: form for form in FORMS}
TRIES: Final = settings(deadline=None, max_examples=40, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])

COLORS: Final = (
    Option(code="red", label=Words(en="Red", es="Rojo")),
    Option(code="green", label=Words(en="Light green", es="Verde claro")),
    Option(code="other", label=Words(en="Other", es="Otro color")),
)
KINDS: Final[tuple[Kind, ...]] = (
    Text(limit=60), LongText(limit=200), Number(least=-50, most=5_000, decimals=2), Number(most=1_000_000_000, decimals=6), Number(),
    Day(), Time(), Month(), Tick(), Choice(options=COLORS), Choice(options=COLORS, boxes=True), Choices(options=COLORS), Signature(),
)


def said(text: str) -> Words:
    """The same words in both languages."""
    return Words(en=text, es=text)


def ask(name: str, kind: Kind, *, required: bool = False) -> Ask:
    """One question."""
    return Ask(name=name, kind=kind, label=said(name), short=said(name), required=required)


def rows_of(name: str, *asks: Ask, most: int = 5) -> Group:
    """One group of rows."""
    return Group(name=name, label=said(name), asks=asks, minimum=0, maximum=most, blank=1)


def form_of(*asks: Ask, groups: tuple[Group, ...] = (), rules: tuple[str, ...] = ()) -> Form:
    """A form that exists only here."""
    return Form(id=FormId(name="small", version=1), code="S", titles=said("Small"), number="S-1", revision="1", asks=asks, groups=groups, rules=rules)


def installation(folder: Path, templates: Path | None = None) -> Settings:
    """An installation whose cache is in a folder of the test."""
    return Settings(templates=templates, cache=folder / "cache", key=KEY, most_megabytes=50)


# ---------------------------------------------------------------- values as people may give them


def typed_text(most: int, also: str = "") -> st.SearchStrategy[str]:
    """Any characters that paper can show."""
    one = st.characters(exclude_categories=("Cc", "Cs"))
    text = st.text(st.one_of(one, st.sampled_from(also)) if also else one, min_size=1, max_size=min(most, 60))
    return text.filter(lambda found: not UNSEEN.fullmatch(found))


def values_of(kind: Kind) -> st.SearchStrategy[Any]:
    """Values of a kind in their one spelling."""
    match kind:
        case Text(limit=limit):
            return typed_text(limit)
        case LongText(limit=limit):
            return typed_text(limit, also="\n\t")
        case Signature() | Stamp():
            return typed_text(200)
        case Number():
            scale: int = 10**kind.decimals
            return st.integers(kind.least * scale, kind.most * scale).map(lambda count: count // scale if count % scale == 0 else count / scale)
        case Day():
            return st.dates().map(date.isoformat)
        case Time():
            return st.times().map(lambda found: time.isoformat(found, "minutes"))
        case Month():
            return st.dates().map(lambda found: found.isoformat()[:7])
        case Tick():
            return st.just(value=True)
        case Choice(options=options):
            return st.sampled_from([option.code for option in options])
        case Choices(options=options):
            codes = [option.code for option in options]
            return st.sets(st.sampled_from(codes), min_size=1).map(lambda chosen: [code for code in codes if code in chosen])


def answers_of(asks: tuple[Ask, ...], least: int = 0) -> st.SearchStrategy[dict[str, Any]]:
    """Some of the questions answered, with values in their one spelling."""
    named = st.lists(st.sampled_from(asks), unique_by=lambda found: found.name, min_size=least, max_size=8)
    return named.flatmap(lambda some: st.fixed_dictionaries({one.name: values_of(one.kind) for one in some}))


def records_of(form: Form) -> st.SearchStrategy[dict[str, Any]]:
    """Records of a form in their one spelling: no empty values, no empty rows at the end."""
    header = answers_of(form.asks) if form.asks else st.just({})
    groups = st.fixed_dictionaries({group.name: _rows(group) for group in form.groups})
    return st.builds(lambda head, rows: {**head, **{name: found for name, found in rows.items() if found}}, header, groups)


def _rows(group: Group) -> st.SearchStrategy[list[dict[str, Any]]]:
    rows = st.lists(answers_of(group.asks), max_size=min(group.maximum, 3))
    return rows.map(_without_last_blanks)


def _without_last_blanks(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return _without_last_blanks(rows[:-1]) if rows and not rows[-1] else rows


# ---------------------------------------------------------------- form folders of an agency

DEFINITION: Final = """
code = "7"
number = "7-1"
revision = "1"
title = { en = "Visit note", es = "Nota de visita" }

[[asks]]
name = "site"
kind = "text"
label = { en = "Site", es = "Centro" }

[[asks]]
name = "note"
kind = "long-text"
label = { en = "Note", es = "Nota" }

[[groups]]
name = "guests"
label = { en = "Guest", es = "Visitante" }
minimum = 0
maximum = 6
blank = 2
[[groups.asks]]
name = "name"
kind = "text"
label = { en = "Name", es = "Nombre" }
[[groups.asks]]
name = "came"
kind = "tick"
label = { en = "Came", es = "Vino" }
"""
BODY: Final = """{{ ask("site") }}
{{ ask("note") }}
{% for row in rows("guests") %}<p>{{ row.ask("name") }} {{ row.ask("came") }}</p>{% endfor %}
"""
PAGE: Final = """<!doctype html>
<html lang="{{ lang }}"><head><title>{{ title }}</title><style>
@page { size: letter; margin: 72pt }
html { font: 10pt "Formsvc Sans" }
input, textarea { appearance: auto; display: block; border: 1pt solid; width: 200pt; height: 20pt; font: 9pt "Formsvc Field" }
input[type=checkbox] { width: 11pt; height: 11pt }
.a { position: fixed; top: -60pt; right: 0 } .b { position: fixed; bottom: -60pt; left: 0 }
.a input { width: 240pt; height: 60pt } .b input { width: 48pt; height: 48pt }
</style></head><body>
<h1>{{ title }}</h1>
<div class="a">{{ stamp("stamp-a") }}</div><div class="b">{{ stamp("stamp-b") }}</div>
BODY</body></html>
"""


def write_form(templates: Path, *, name: str = "note", version: int = 1, definition: str = DEFINITION, body: str = BODY, files: Mapping[str, str] | None = None) -> Path:
    """A form's folder as an agency makes it; returns the version's folder."""
    folder = templates / name / f"v{version}"
    folder.mkdir(parents=True)
    for file, text in {"form.toml": definition, "page.html": PAGE.replace("BODY", body), **(files or {})}.items():
        (folder / file).write_text(text, encoding="utf-8")
    return folder


def agency(templates: Path) -> Catalog:
    """The catalog of an agency's own folder before the shipped one."""
    return Catalog((templates, shipped_folder()))
