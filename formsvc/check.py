"""Checks what an agency made: a form's folder, and whether this machine's fonts can draw its families' names."""

import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from formsvc.casework.letters import LETTERS
from formsvc.casework.rules import judge
from formsvc.catalog import Catalog, shipped_folder
from formsvc.errors import Refused
from formsvc.files import read_file
from formsvc.letters import sample_context
from formsvc.model.form import Form, FormId
from formsvc.model.kinds import LANGS
from formsvc.model.scripts import SCRIPTS
from formsvc.parsers.sandbox import run_limited
from formsvc.renderers.compile import compile_form
from formsvc.renderers.faces import coverage
from formsvc.renderers.letter_faults import find_faults
from formsvc.service import blank_values, checked_values
from formsvc.settings import Settings


def check_form_folder(folder: Path, settings: Settings) -> Iterator[str]:
    """Compile every version of a form in both languages, with few and with many rows; a line for each."""
    root, ids = _find(folder)
    own = (settings.templates,) if settings.templates else ()
    catalog = Catalog((root, *own, shipped_folder()))
    with tempfile.TemporaryDirectory(prefix="formsvc-check-") as cache:
        for form_id in ids:
            form = catalog.form(form_id)
            judge(form, checked_values(form, blank_values(form)))  # refuses rules and presets that cannot be
            _check_code(catalog, form)
            for lang in LANGS:
                yield _compiled(catalog, form, lang, Path(cache))


def _check_code(catalog: Catalog, form: Form) -> None:
    """Refuse a stamp code that names another form already: its papers would be read as that form."""
    for other in map(catalog.form, catalog.ids()):
        if other.code == form.code and other.id.name != form.id.name:
            raise Refused("definition-invalid", str(catalog.file(form.id, "form.toml")), detail=f"“code” {form.code} is that of form “{other.id.name}” already")


def _compiled(catalog: Catalog, form: Form, lang: str, cache: Path) -> str:
    sizes = []
    for counts in ({group.name: group.minimum for group in form.groups}, {group.name: group.blank for group in form.groups}):
        compiled = compile_form(catalog, form.id, counts, lang, cache)  # type: ignore[arg-type]
        sizes.append(f"{len(compiled.layout.slots)} fields on {len(compiled.layout.pages)} pages")
    return f"{form.id.name} v{form.id.version} {lang}: fits; smallest {sizes[0]}, blank {sizes[1]}"


def _find(folder: Path) -> tuple[Path, list[FormId]]:
    """The templates folder that holds a form's folder or version folder, and the versions meant."""
    folder = folder.resolve()
    versions = [folder] if (folder / "form.toml").exists() else sorted(file.parent for file in folder.glob("v*/form.toml"))
    if not versions:
        raise Refused("definition-missing", str(folder / "v1" / "form.toml"))
    return versions[0].parent.parent, [FormId(name=version.parent.name, version=int(version.name[1:])) for version in versions if version.name[1:].isdecimal()]


def check_letter(file: Path, settings: Settings) -> Iterator[str]:
    """Every wrong placeholder of a Word template with its paragraph; refuses at the end if there was one.

    A template in a folder named like a letter is held against what that letter knows: a client's
    name in an invitation is a fault (R23). Elsewhere any letter's placeholders are right.
    """
    own = (settings.templates,) if settings.templates else ()
    catalog = Catalog((*own, shipped_folder()))
    name = file.resolve().parent.name
    context: dict[str, Any] = {}
    for letter in LETTERS:
        if name in (letter, *(() if name in LETTERS else (name,))):
            context |= sample_context(catalog, letter)
    content = read_file(file, settings.most_megabytes)
    try:
        faults = run_limited(find_faults, content, context)
    except Refused as refused:
        raise (Refused("letter-too-costly", str(file)) if refused.code == "too-costly" else refused.at(str(file))) from refused
    for fault in faults:
        yield f"{file}, paragraph {fault.paragraph} (“{fault.words}”): {fault.detail}"
    if faults:
        raise Refused("letter-faults", str(file), count=len(faults))
    yield f"{file}: every placeholder can be filled"


def check_fonts() -> Iterator[str]:
    """Which scripts can be drawn on this machine, and which are missing."""
    missing = []
    for script, family in coverage(SCRIPTS):
        if family is None:
            missing.append(script)
    drawn = len(SCRIPTS) - len(missing)
    yield f"fonts: {drawn} of {len(SCRIPTS)} scripts can be drawn"
    if missing:
        yield f"fonts: none for {', '.join(missing)}; on Debian or Ubuntu type: sudo apt-get install fontconfig fonts-noto-core fonts-noto-cjk fonts-noto-color-emoji"
