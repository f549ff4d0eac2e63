"""Writes the text of a PDF as Poppler reads it: source target [password]. Run by Debian's Python."""

import sys
from pathlib import Path

import gi

gi.require_version("Poppler", "0.18")
from gi.repository import Poppler  # noqa: E402

source, target, *password = sys.argv[1:]
document = Poppler.Document.new_from_file(Path(source).as_uri(), *(password or [None]))
Path(target).write_text("".join(document.get_page(number).get_text() for number in range(document.get_n_pages())), encoding="utf-8")
