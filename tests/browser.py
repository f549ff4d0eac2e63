"""Fixtures of a real server with sample data and a real Chromium: started once, on loopback and a free port.

A test module takes them with the line `pytest_plugins = ["tests.browser"]`.
"""

import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, sync_playwright

from tests.site import Enter, Site, cookie_of, serving

_CHROMIUM: Final = ("chromium", "chromium-browser", "google-chrome")
_FLAGS: Final = ("--headless", "--no-sandbox", "--disable-gpu", "--disable-background-networking")


@pytest.fixture(scope="session")
def site(tmp_path_factory: pytest.TempPathFactory, blanks: Path) -> Iterator[Site]:
    """A server with sample data."""
    with serving(tmp_path_factory.mktemp("site"), blanks, "--servers", "3", "--workers", "1") as found:
        yield found


@pytest.fixture(scope="session")
def chromium() -> Iterator[Browser]:
    """A real Chromium."""
    program = next((found for name in _CHROMIUM if (found := shutil.which(name))), None)
    if program is None:
        pytest.skip("Chromium is not here: install the package chromium")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=program, args=list(_FLAGS))
        yield browser
        browser.close()


@pytest.fixture
def enter(site: Site, chromium: Browser) -> Iterator[Enter]:
    """Sign somebody of the sample in: `enter("ana")`, on a telephone: `enter("ana", width=390)`. Nothing may fail in the page."""
    opened: list[BrowserContext] = []
    faults: list[str] = []

    def begin(name: str, *, width: int = 1280, height: int = 900, lang: str = "en-US", script: bool = True) -> Page:
        context = chromium.new_context(viewport={"width": width, "height": height}, locale=lang, java_script_enabled=script, accept_downloads=True, base_url=site.url)
        context.add_cookies([{"name": "formsvc", "value": cookie_of(site, name, lang), "url": site.url}])
        page = context.new_page()
        page.on("pageerror", lambda error: faults.append(str(error)))
        page.on("console", lambda message: faults.append(message.text) if message.type == "error" and "status of 4" not in message.text else None)
        opened.append(context)
        return page

    yield begin
    for context in opened:
        context.close()
    assert faults == []
