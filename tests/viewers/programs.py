"""Run outside programs on a PDF, and say which package is missing where one cannot run."""

from __future__ import annotations

import json
import shutil
import subprocess
import tempfile
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

HERE = Path(__file__).parent
DEBIAN_PYTHON = "/usr/bin/python3"
JARS = "/usr/share/java"
SECONDS = 180


class ProgramError(RuntimeError):
    """An outside program failed; the message is what it said."""


def run(*command: str) -> bytes:
    """Run a program and return its standard output; ``ProgramError`` if it fails."""
    done = subprocess.run(command, capture_output=True, timeout=SECONDS, check=False)
    if done.returncode:
        said = (done.stderr or done.stdout).decode("utf-8", "replace").strip()
        message = f"{Path(command[0]).name} failed: {said[-2000:]}"
        raise ProgramError(message)
    return done.stdout


def run_on(pdf: bytes, *command: str) -> bytes:
    """Run a program with a PDF as last argument and return its standard output."""
    with tempfile.TemporaryDirectory() as folder:
        source = Path(folder, "in.pdf")
        source.write_bytes(pdf)
        return run(*command, str(source))


def transform(
    pdf: bytes, command: Callable[[Path, Path], Sequence[str]], *, suffix: str = ".pdf"
) -> bytes:
    """Run ``command(source, target)`` in a folder of its own and return what it wrote."""
    with tempfile.TemporaryDirectory() as folder:
        source, target = Path(folder, "in.pdf"), Path(folder, f"out{suffix}")
        source.write_bytes(pdf)
        run(*command(source, target))
        return target.read_bytes()


def transform_with_values(pdf: bytes, values: Mapping[str, str | bool], *interpreter: str) -> bytes:
    """Run a script with the arguments ``in.pdf values.json out.pdf``."""

    def command(source: Path, target: Path) -> Sequence[str]:
        listing = source.with_name("values.json")
        listing.write_text(json.dumps(dict(values)), encoding="utf-8")
        return (*interpreter, str(source), str(listing), str(target))

    return transform(pdf, command)


def nothing_missing() -> str | None:
    """Tell that a program of the virtual environment is always there."""
    return None


def needs_command(name: str, package: str) -> Callable[[], str | None]:
    """Return a check that a command is on the path."""

    def available() -> str | None:
        return None if shutil.which(name) else f"{name} is missing: apt-get install {package}"

    return available


def needs_npm(package: str) -> Callable[[], str | None]:
    """Return a check that Node and one of the packages in package.json are there."""

    def available() -> str | None:
        if not shutil.which("node"):
            return "node is missing: apt-get install nodejs npm (20.19 or newer)"
        if not (HERE / "node_modules" / package).is_dir():
            return f"{package} is missing: npm ci --prefix tests/viewers"
        return None

    return available


def needs_jar(name: str, package: str) -> Callable[[], str | None]:
    """Return a check that a Java runtime and a jar of Debian are there."""

    def available() -> str | None:
        if not shutil.which("java"):
            return "java is missing: apt-get install default-jre-headless"
        if not Path(JARS, name).exists():
            return f"{name} is missing: apt-get install {package}"
        return None

    return available


@cache
def poppler_binding_missing() -> str | None:
    """Return why Debian's Python cannot load Poppler, or ``None``."""
    probe = "import gi; gi.require_version('Poppler', '0.18'); from gi.repository import Poppler"
    try:
        run(DEBIAN_PYTHON, "-c", probe)
    except (ProgramError, FileNotFoundError):
        return "Poppler for GLib is missing: apt-get install python3-gi gir1.2-poppler-0.18"
    return None
