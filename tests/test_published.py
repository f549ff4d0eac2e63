"""A published version is never edited: `tests/published.json` holds the digests of each.

A form without a pin is a draft and may change. To publish, or after a change before publication:

    python tests/test_published.py --pin
"""

import hashlib
import json
import sys
import tempfile
from pathlib import Path

import pytest

from formsvc.catalog import Catalog, shipped_folder
from formsvc.model.form import FormId
from formsvc.model.kinds import LANGS
from formsvc.model.layout import dump_layout
from formsvc.renderers.compile import compile_form

PINS = Path(__file__).with_name("published.json")
CATALOG = Catalog((shipped_folder(),))
Digests = dict[str, str]


def name_of(form_id: FormId) -> str:
    """How a version is called here."""
    return f"{form_id.name}/v{form_id.version}"


def digest(text: str) -> str:
    """A short digest of a text, whatever the line ends of the checkout."""
    return hashlib.sha256(text.replace("\r\n", "\n").encode()).hexdigest()[:24]


def digests_of(form_id: FormId, cache: Path) -> Digests:
    """What may not change in a published version: definition, page, and where answers sit, to a tenth of a point."""
    found = {name: digest(CATALOG.file(form_id, name).read_text(encoding="utf-8")) for name in ("form.toml", "page.html")}
    for lang in LANGS:
        counts = {group.name: group.blank for group in CATALOG.form(form_id).groups}
        layout = dump_layout(compile_form(CATALOG, form_id, counts, lang, cache).layout)
        slots = {name: [page, *(round(edge, 1) for edge in box)] for name, (page, *box) in layout["slots"].items()}
        found[f"layout {lang}"] = digest(json.dumps([layout["pages"], slots], sort_keys=True))
    return found


def pins() -> dict[str, Digests]:
    """The digests of what is published."""
    found: dict[str, Digests] = json.loads(PINS.read_text(encoding="utf-8")) if PINS.exists() else {}
    return found


@pytest.mark.parametrize("form_id", CATALOG.ids(), ids=name_of)
def test_a_published_version_is_never_edited(form_id: FormId, tmp_path: Path) -> None:
    """Definition, page and layout of a published version are as they were when it was published."""
    pinned = pins().get(name_of(form_id))
    if pinned is None:
        pytest.skip(f"{name_of(form_id)} is not pinned yet: python tests/test_published.py --pin")
    found = digests_of(form_id, tmp_path)
    changed = sorted(part for part in {*pinned, *found} if pinned.get(part) != found.get(part))
    assert not changed, f"{name_of(form_id)}: {', '.join(changed)} changed. A published version is never edited: make v{form_id.version + 1}"


def test_no_published_version_is_gone() -> None:
    """Every version that was ever published is still here, so that its papers can be read."""
    assert set(pins()) <= {name_of(form_id) for form_id in CATALOG.ids()}


def test_line_ends_of_a_checkout_do_not_count() -> None:
    """A checkout with other line ends has the same digests; any other character counts."""
    assert digest("a\r\nb") == digest("a\nb") != digest("a\n b")


def pin() -> None:
    """Write the digests of every version as it is now."""
    with tempfile.TemporaryDirectory() as cache:
        found = {name_of(form_id): digests_of(form_id, Path(cache)) for form_id in CATALOG.ids()}
    PINS.write_text(json.dumps(found, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    if sys.argv[1:] != ["--pin"]:
        sys.exit("usage: python tests/test_published.py --pin")
    pin()
    sys.stdout.write(f"{len(pins())} versions pinned in {PINS}\n")
