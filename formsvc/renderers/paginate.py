"""HTML to tagged PDF/UA-1 through WeasyPrint: the one door to it."""

import atexit
import hashlib
import logging
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, Final
from urllib.parse import unquote, urlsplit

from formsvc.errors import Refused
from formsvc.renderers import letter_sheet
from formsvc.renderers.fonts import SEMIBOLD
from formsvc.settings import FONTS, REGULAR

_FACES: Final = (("Formsvc Sans", 400, REGULAR), ("Formsvc Sans", 600, SEMIBOLD), ("Formsvc Field", 400, REGULAR))


@cache
def font_digests() -> tuple[str, ...]:
    """What the fonts are, for names of what was laid out with them."""
    return tuple(hashlib.sha256(file.read_bytes()).hexdigest() for _, _, file in _FACES)


def weasyprint_version() -> str:
    """The version of WeasyPrint."""
    return str(_weasyprint().__version__)


def _weasyprint() -> Any:
    """WeasyPrint, imported when pages are laid out: it is slow to load and needs Pango."""
    try:
        import weasyprint  # noqa: PLC0415
    except OSError as problem:
        raise Refused("system-library-missing", "", detail=str(problem).split("\n")[0][:120]) from problem
    return weasyprint


def paginate(html: str, *, folders: tuple[Path, ...] = (), base: Path | None = None) -> bytes:
    """The pages of an HTML document; inputs become form fields. It may only use files of these folders."""
    weasyprint = _weasyprint()
    from weasyprint.text.fonts import FontConfiguration  # noqa: PLC0415
    from weasyprint.urls import FatalURLFetchingError  # noqa: PLC0415

    logging.getLogger("weasyprint").setLevel(logging.ERROR)
    fonts = FontConfiguration()
    fetcher = _fetcher(folders)
    sheet = weasyprint.CSS(string=_font_faces(), font_config=fonts, url_fetcher=fetcher)
    document = weasyprint.HTML(string=html, url_fetcher=fetcher, base_url=f"{base.as_uri()}/" if base else None)
    try:
        pdf = document.write_pdf(stylesheets=[sheet], font_config=fonts, pdf_forms=True, pdf_variant="pdf/ua-1")
    except FatalURLFetchingError as stopped:
        raise Refused("template-failed", "", detail=str(stopped)) from stopped
    return bytes(pdf)


def _font_faces() -> str:
    return "".join(f'@font-face {{ font-family: "{name}"; font-weight: {weight}; src: url("{file.as_uri()}"); }}' for name, weight, file in _FACES)


# ---------------------------------------------------------------- letters


@dataclass(frozen=True, slots=True)
class _Press:
    """What every letter is laid out with: fonts that are loaded, sheets that are read."""

    html: Any
    fonts: Any
    fetcher: Any
    sheets: tuple[Any, ...]


@cache
def _press() -> _Press:
    """Fonts and sheets are the same for every letter; reading them takes as long as a page of one."""
    weasyprint = _weasyprint()
    from weasyprint import HTML  # noqa: PLC0415
    from weasyprint.text.fonts import FontConfiguration  # noqa: PLC0415

    logging.getLogger("weasyprint").setLevel(logging.ERROR)
    fonts, fetcher = FontConfiguration(), _fetcher(())
    elements, *sheets = (weasyprint.CSS(string=css, font_config=fonts, url_fetcher=fetcher) for css in (letter_sheet.ELEMENTS, _font_faces(), letter_sheet.PAGE))

    class LetterHTML(HTML):  # type: ignore[misc]
        def _ua_stylesheets(self, forms: bool = False) -> list[Any]:  # noqa: ARG002, FBT002  (WeasyPrint's own signature)
            return [elements]

    atexit.register(_press.cache_clear)  # the fonts' temporary folder goes with them
    return _Press(LetterHTML, fonts, fetcher, tuple(sheets))


@cache
def warm_up() -> None:
    """Load fonts and sheets and lay out a first page, so that no limited process has to do it again."""
    paginate_letter('<html lang="en"><head><title>A</title></head><body><h1>A</h1><p>a <strong>a</strong></p></body></html>')


def paginate_letter(html: str) -> bytes:
    """The pages of a letter, in the look of `letter_sheet`; it may use no file at all but the fonts."""
    press = _press()
    from weasyprint.urls import FatalURLFetchingError  # noqa: PLC0415

    try:
        pdf = press.html(string=html, url_fetcher=press.fetcher).write_pdf(stylesheets=press.sheets, font_config=press.fonts, pdf_variant="pdf/ua-1")
    except FatalURLFetchingError as stopped:
        raise Refused("template-failed", "", detail=str(stopped)) from stopped
    return bytes(pdf)


# ---------------------------------------------------------------- files it may use


def _fetcher(folders: tuple[Path, ...]) -> Any:
    """A fetcher that opens our fonts and files beside the page, and nothing else.

    What it cannot open stops the compiler: WeasyPrint would leave it out without a word.
    """
    from weasyprint.urls import FatalURLFetchingError, URLFetcher  # noqa: PLC0415

    allowed = [FONTS.resolve(), *(folder.resolve() for folder in folders)]

    class OwnFilesOnly(URLFetcher):  # type: ignore[misc]
        def fetch(self, url: str, headers: Any = None) -> Any:
            parts = urlsplit(url)
            path = Path(unquote(parts.path)).resolve()
            if parts.scheme != "data" and not (parts.scheme == "file" and any(path.is_relative_to(folder) for folder in allowed)):
                raise FatalURLFetchingError(f"a page may only use files of its own folder, not {url[:80]}")
            try:
                return super().fetch(url, headers)
            except (OSError, ValueError) as problem:
                raise FatalURLFetchingError(f"{url[:80]} cannot be read ({problem})") from problem

    return OwnFilesOnly(allowed_protocols=("file", "data"))
