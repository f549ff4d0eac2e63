"""The samples say what they prove: each record fits its form, each returned document gives its record."""

import json
import os
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

import pytest

from formsvc.demo import sample_values
from formsvc.model.schema import load_values
from formsvc.service import Service
from formsvc.settings import samples_folder
from tests.papers import SAMPLE_KEY, SAMPLES, sample_service

FOLDER: Final = samples_folder()
RETURNED: Final = sorted(file.stem for file in (FOLDER / "returned").glob("*.pdf"))
MOST_BYTES: Final = 400_000


@pytest.fixture(scope="module")
def reader(blanks: Path) -> Service:
    """The installation whose key the samples carry."""
    return sample_service(blanks)


def _expected(name: str) -> dict[str, Any]:
    listing: dict[str, Any] = json.loads((FOLDER / "returned" / f"{name}.json").read_text(encoding="utf-8"))
    return listing


@pytest.mark.parametrize("name", SAMPLES)
def test_a_record_is_in_its_one_spelling(service: Service, name: str) -> None:
    """The values of a sample fit its form, and loading them changes nothing."""
    values, problems = load_values(service.form(SAMPLES[name].form), sample_values(name))
    assert (sample_values(name), ()) == (values, tuple(problems))


@pytest.mark.parametrize("name", RETURNED)
def test_a_returned_document_gives_its_record(reader: Service, name: str) -> None:
    """Document, form, version, values and problems of a returned sample are as its listing says."""
    received = reader.read_file(FOLDER / "returned" / f"{name}.pdf")
    record, expected = received.record, _expected(name)
    assert (expected["document"], expected["form"], expected["version"]) == (record.document, record.form.name, record.form.version)
    assert expected["source"] == received.submission.source
    assert expected["values"] == record.values
    assert expected["problems"] == sorted([found.code, found.field] for found in record.problems)


@pytest.mark.parametrize("name", RETURNED)
def test_a_returned_document_has_the_values_of_its_sample(name: str) -> None:
    """What must be read is what was typed, not what happened to be read once."""
    sample = next(sample for sample in SAMPLES if name.endswith(f"-{sample}"))
    assert sample_values(sample) == _expected(name)["values"]


def test_the_command_line_reads_a_returned_document(blanks: Path) -> None:
    """`formsvc read --json` prints the listed facts."""
    name = RETURNED[0]
    environment: Mapping[str, str] = os.environ | {"FORMSVC_KEY": SAMPLE_KEY.hex(), "FORMSVC_CACHE": str(blanks)}
    done = subprocess.run([sys.executable, "-m", "formsvc", "read", str(FOLDER / "returned" / f"{name}.pdf"), "--json"], env=environment, capture_output=True, check=True)
    printed, expected = json.loads(done.stdout), _expected(name)
    assert expected.keys() <= printed.keys()
    assert {key: expected[key] for key in ("document", "form", "version", "source", "values")} == {key: printed[key] for key in ("document", "form", "version", "source", "values")}
    assert expected["problems"] == sorted([found["code"], found["field"]] for found in printed["problems"])


def test_eight_programs_or_more_have_returned_documents() -> None:
    """The proof does not rest on one or two programs."""
    writers = {name.removesuffix(f"-{sample}") for name in RETURNED for sample in SAMPLES if name.endswith(f"-{sample}")}
    assert len(writers) > 7


@pytest.mark.parametrize("name", RETURNED)
def test_returned_documents_are_small(name: str) -> None:
    """Samples travel with the installation."""
    assert (FOLDER / "returned" / f"{name}.pdf").stat().st_size <= MOST_BYTES


def test_the_readme_lists_every_sample_once() -> None:
    """Nobody has to guess where a file comes from and what it is for."""
    rows = [line.split("|")[1] for line in (FOLDER / "README.md").read_text(encoding="utf-8").splitlines() if line.startswith("| `")]
    listed = sorted(row.split("`")[1] for row in rows)
    there = sorted([f"{folder}/{file.name}" for folder in ("values", "rosters") for file in (FOLDER / folder).iterdir()] + [f"returned/{name}.pdf" for name in RETURNED])
    assert there == listed


def test_every_row_of_the_readme_says_maker_and_proof() -> None:
    """A row without maker or proof proves nothing."""
    rows = [line.strip("|").split("|") for line in (FOLDER / "README.md").read_text(encoding="utf-8").splitlines() if line.startswith("| `")]
    assert [row for row in rows if len(row) != 3 or not all(cell.strip() for cell in row)] == []


def test_every_returned_document_has_its_listing() -> None:
    """No document without an expectation, no expectation without its document."""
    assert sorted(file.stem for file in (FOLDER / "returned").glob("*.json")) == RETURNED
