"""Opens a document in LibreOffice with each password of a JSON list: `documents.json` -> JSON on standard output.

Run by Debian's Python, which has the UNO bridge. `null` in the list means that no password is given.
The answer for each is the document's text, or `null` where LibreOffice would not open it.
"""

import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import uno
from com.sun.star.beans import PropertyValue
from com.sun.star.lang import IllegalArgumentException

SECONDS = 90


def _property(name: str, value: object) -> PropertyValue:
    made = PropertyValue()
    made.Name, made.Value = name, value
    return made


def _desktop(pipe: str):  # noqa: ANN202
    context = uno.getComponentContext()
    resolver = context.ServiceManager.createInstanceWithContext("com.sun.star.bridge.UnoUrlResolver", context)
    until = time.monotonic() + SECONDS
    while True:
        try:
            remote = resolver.resolve(f"uno:pipe,name={pipe};urp;StarOffice.ComponentContext")
            return remote.ServiceManager.createInstanceWithContext("com.sun.star.frame.Desktop", remote)
        except Exception:
            if time.monotonic() > until:
                raise
            time.sleep(0.2)


def _text(desktop, file: str, password: str | None) -> str | None:  # noqa: ANN001
    given = [_property("Hidden", value=True)]
    if password is not None:
        given.append(_property("Password", password))
    try:
        document = desktop.loadComponentFromURL(uno.systemPathToFileUrl(file), "_blank", 0, tuple(given))
    except IllegalArgumentException:  # “type detection aborted”: it asked for the password and nobody answered
        return None
    if document is None:
        return None
    text = document.Text.String
    document.close(True)
    return text


def _main(job: Path) -> None:
    wanted = json.loads(job.read_text(encoding="utf-8"))
    with tempfile.TemporaryDirectory() as home:
        pipe = f"formsvc-{os.getpid()}"
        office = subprocess.Popen(
            ["soffice", "--headless", "--norestore", "--nologo", "--nodefault", f"-env:UserInstallation=file://{home}", f"--accept=pipe,name={pipe};urp;"],
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
        )
        try:
            desktop = _desktop(pipe)
            print(json.dumps([_text(desktop, wanted["file"], password) for password in wanted["passwords"]]))  # noqa: T201
            desktop.terminate()
            office.wait(SECONDS)
        finally:
            office.kill()
            office.wait()


_main(Path(sys.argv[1]))
