"""A real server with sample data for tests, and what is asked of its pages. The fixtures are in `tests.browser`."""

import os
import secrets
import signal
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from playwright.sync_api import Page

from formsvc.office.office import Office, open_office
from formsvc.settings import read_settings
from formsvc.store.people import add_session, digest_of, find_person
from formsvc.web.app import create_app
from formsvc.web.guard import TOKEN
from tests.ports import LOOPBACK, free_port

_PATIENCE: Final = 90.0
AXE: Final = Path(__file__).parent / "viewers" / "node_modules" / "axe-core" / "axe.min.js"


@dataclass(frozen=True, slots=True, kw_only=True)
class Site:
    """A running web service with sample data. `environ` is what its processes were started with."""

    url: str
    environ: dict[str, str]
    process: subprocess.Popen[bytes]

    @contextmanager
    def behind(self) -> Iterator[Office]:
        """The same installation, for looking behind the pages."""
        office = open_office(read_settings(self.environ))
        try:
            yield office
        finally:
            office.store.engine.dispose()


@contextmanager
def serving(folder: Path, blanks: Path, *options: str, sample: bool = True, **more: str) -> Iterator[Site]:
    """`formsvc serve` on a free port, until the end of the block."""
    port = free_port()
    environ = {
        **os.environ, "FORMSVC_DATA": str(folder / "data"), "FORMSVC_CACHE": str(blanks), "FORMSVC_KEY": "00112233445566778899aabbccddeeff" * 2,
        "FORMSVC_FILES_KEY_FILE": str(folder / "keys" / "files"), "FORMSVC_URL": f"http://{LOOPBACK}:{port}", **more,
    }
    command = [sys.executable, "-m", "formsvc", "serve", "--port", str(port), *(["--sample"] if sample else []), *options]
    with (folder / "serve.log").open("wb") as log:
        process = subprocess.Popen(command, env=environ, stdout=log, stderr=log, start_new_session=True)
        try:
            _wait(f"http://{LOOPBACK}:{port}/sign-in", process, folder / "serve.log")
            yield Site(url=f"http://{LOOPBACK}:{port}", environ=environ, process=process)
        finally:
            process.send_signal(signal.SIGTERM)
            try:
                process.wait(40)
            except subprocess.TimeoutExpired:
                process.kill()


def _wait(url: str, process: subprocess.Popen[bytes], log: Path) -> None:
    until = time.monotonic() + _PATIENCE
    while time.monotonic() < until:
        assert process.poll() is None, log.read_text()
        with suppress(OSError), urllib.request.urlopen(url, timeout=5):  # noqa: S310  (our own address)
            return
        time.sleep(0.2)
    raise AssertionError(f"the server did not answer: {log.read_text()}")


Enter = Callable[..., Page]


def cookie_of(site: Site, name: str, lang: str) -> str:
    """The cookie of somebody who signed in with both factors."""
    token = secrets.token_urlsafe(16)
    with site.behind() as office:
        with office.store.writing() as connection:
            person = find_person(connection, name)
            assert person is not None
            add_session(connection, digest_of(token), person.id, second=True)
        app = create_app(office.service.settings, office)
    signer = app.session_interface.get_signing_serializer(app)  # type: ignore[attr-defined]
    return str(signer.dumps({TOKEN: token, "lang": lang[:2], "_permanent": True}))


def axe(page: Page) -> list[str]:
    """What axe-core finds against WCAG 2.2 A and AA on a page, one line for each node."""
    page.evaluate(AXE.read_text(encoding="utf-8"))
    found: Any = page.evaluate("axe.run({runOnly: ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa', 'best-practice']})")
    return [f"{violation['id']}: {node['html'][:160]}" for violation in found["violations"] for node in violation["nodes"]]
