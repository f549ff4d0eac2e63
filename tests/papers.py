"""The samples as papers: issued with what a month pre-fills, and what people then type into the rest."""

import io
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import pikepdf

from formsvc.catalog import shipped_folder
from formsvc.demo import sample_values, split_values
from formsvc.model.kinds import Lang
from formsvc.model.record import Values
from formsvc.service import Received, Service, checked_values
from formsvc.settings import Settings, samples_folder

FORMS: Final = tuple(sorted({file.parents[1].name for file in shipped_folder().glob("*/v*/page.html")}))
KEY: Final = b"test key of thirty-two bytes...."
SAMPLE_KEY: Final = b"formsvc samples, a public key..."
"""The key of samples/returned: published, so it protects nothing."""
DOCUMENT: Final = "SAMPXE0001"


@dataclass(frozen=True, slots=True, kw_only=True)
class Sample:
    """One file of samples/values, with its form and the language of its paper."""

    name: str
    form: str
    lang: Lang


@dataclass(frozen=True, slots=True, kw_only=True)
class Paper:
    """A sample as it is sent out, what is typed into it, and the values it must then have."""

    sample: Sample
    issued: bytes
    typed: Mapping[str, str | bool]
    values: Values


def _samples() -> Iterator[Sample]:
    """A sample's name begins with its form."""
    for name in sorted(file.stem for file in (samples_folder() / "values").glob("*.json")):
        for form in FORMS:
            if name.startswith(form):
                yield Sample(name=name, form=form, lang="es" if name.endswith("-spanish") else "en")


SAMPLES: Final = {sample.name: sample for sample in _samples()}


def issue_paper(service: Service, name: str, document: str = DOCUMENT) -> Paper:
    """A sample issued with the values the form locks; the rest is left to type."""
    sample = SAMPLES[name]
    form = service.form(sample.form)
    values = checked_values(form, sample_values(name))
    prefilled, typed = split_values(form, values)
    rows = {group.name: len(found) for group in form.groups if isinstance(found := values.get(group.name), list)}
    issued = service.issue(sample.form, prefilled, lang=sample.lang, rows=rows, document=document)
    return Paper(sample=sample, issued=issued.content, typed=typed, values=values)


def complete(service: Service, name: str, **changes: Any) -> bytes:
    """A sample filled completely by us, with other values where they are given."""
    sample = SAMPLES[name]
    return service.issue(sample.form, sample_values(name) | changes, lang=sample.lang, document=DOCUMENT).content


def sample_service(cache: Path) -> Service:
    """The installation that samples/returned comes from."""
    return Service(Settings(templates=None, cache=cache, key=SAMPLE_KEY, most_megabytes=50))


def codes(received: Received) -> set[str]:
    """What a person is told to look at."""
    return {found.code for found in received.record.problems}


def edited(pdf: bytes, edit: Callable[[pikepdf.Pdf], object], **options: Any) -> bytes:
    """A PDF changed by somebody's hand and saved anew."""
    saved = io.BytesIO()
    with pikepdf.open(io.BytesIO(pdf)) as document:
        edit(document)
        document.save(saved, **options)
    return saved.getvalue()
