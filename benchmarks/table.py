"""The one table that all benchmarks print, as Markdown."""

import os
import platform
from collections.abc import Iterable, Sequence
from dataclasses import astuple, dataclass
from importlib.metadata import version
from typing import Final

_HEADS: Final = ("what", "who", "result", "formsvc is", "target", "held", "what came out")
PEERS: Final = ("PyMuPDF", "PyPDFForm", "pikepdf", "pypdf")
_OTHERS: Final = ("pypdfium2", "weasyprint")


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One contestant in one benchmark."""

    what: str
    who: str
    result: str
    ratio: str = ""
    target: str = ""
    held: str = ""
    out: str = ""


def ratio_row(what: str, who: str, result: str, *, ratio: float, least: float | None, out: str = "") -> Row:
    """A peer: how many times as fast formsvc is, and whether that is the target."""
    target, held = ("", "") if least is None else (f"≥ {least:g}×", yes(ratio >= least))
    return Row(what=what, who=who, result=result, ratio=f"{ratio:.2g}× as fast" if ratio < 10 else f"{ratio:.0f}× as fast", target=target, held=held, out=out)


def yes(held: bool) -> str:
    """Whether a target was held."""
    return "yes" if held else "NO"


def milliseconds(seconds: float) -> str:
    """A time as it stands in the table."""
    return f"{seconds * 1000:,.1f} ms"


def megabytes(count: int) -> str:
    """A size as it stands in the table."""
    return f"{count / 1e6:,.1f} MB"


def named(package: str) -> str:
    """A package and its version."""
    return f"{package} {version(package)}"


def machine() -> str:
    """What ran this, without the machine's name."""
    versions = ", ".join(map(named, (*PEERS, *_OTHERS)))
    return f"{os.cpu_count()} cores ({platform.machine()}, {platform.system()}), {platform.python_implementation()} {platform.python_version()}; {versions}"


def as_markdown(rows: Iterable[Row]) -> str:
    """The table; what a row has in common with the one above it is said once."""
    cells: list[Sequence[str]] = [_HEADS]
    before = ""
    for row in rows:
        what, *rest = (str(cell) for cell in astuple(row))
        cells.append((what if what != before else "", *rest))
        before = what
    widths = [max(map(len, column)) for column in zip(*cells, strict=True)]
    lines = ["| " + " | ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)) + " |" for line in cells]
    lines.insert(1, "|" + "|".join("-" * (width + 2) for width in widths) + "|")
    return "\n".join(lines)
