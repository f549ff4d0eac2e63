"""Word templates as files: what a stranger may have put into one is looked at before a library opens it."""

import io
import zipfile
from typing import Final
from xml.parsers.expat import ExpatError

from docx.exceptions import PythonDocxError
from docx.opc.exceptions import OpcError

from formsvc.errors import Refused

BROKEN: Final = (zipfile.BadZipFile, OpcError, PythonDocxError, ExpatError, SyntaxError, LookupError, ValueError, AttributeError, NotImplementedError, EOFError, OSError)
"""What python-docx, lxml and mammoth raise at files that are none."""
_UNPACKED_MOST: Final = 32 * 1024 * 1024


def check_word_file(template: bytes) -> int:
    """The size of its largest text; refuses what is no Word file, unpacks to very much, or declares entities."""
    try:
        with zipfile.ZipFile(io.BytesIO(template)) as package:
            size = sum(part.file_size for part in package.infolist())
            if size > _UNPACKED_MOST:
                raise Refused("letter-unreadable", "", detail=f"it unpacks to {size // 1_000_000} MB")
            texts = [package.read(name) for name in package.namelist() if name.endswith((".xml", ".rels"))]
            if any(b"<!DOCTYPE" in text for text in texts):
                raise Refused("letter-unreadable", "", detail="it declares entities, which Word never does")
    except BROKEN as problem:
        raise Refused("letter-unreadable", "", detail=type(problem).__name__) from problem
    return max(map(len, texts), default=0)
