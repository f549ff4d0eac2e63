"""Settings: everything an installation can choose, read once from the environment."""

import getpass
import json
import os
import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any, Final

from formsvc.errors import Refused

PACKAGE: Final = Path(__file__).parent
FONTS: Final = PACKAGE / "static" / "fonts"
REGULAR: Final = FONTS / "SourceSans3-Regular.ttf"
"""What forms are printed in, and what viewers type with."""


def samples_folder() -> Path:
    """samples/ as it travels with the installation: inside the wheel or beside the checkout."""
    inside = PACKAGE / "samples"
    return inside if inside.is_dir() else PACKAGE.parent / "samples"


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """What an installation can choose; README, “settings”, lists the variables."""

    templates: Path | None
    """FORMSVC_TEMPLATES: the agency's own folder of forms, letters and profile."""
    cache: Path
    """FORMSVC_CACHE: where compiled blanks are kept; safe to delete."""
    key: bytes
    """FORMSVC_KEY (hex) or FORMSVC_KEY_FILE: signs stamps and locked values, 32 bytes."""
    most_megabytes: int
    """FORMSVC_MOST_MEGABYTES: the largest file that is read."""
    data: Path | None = None
    """FORMSVC_DATA: the folder of the store; without it nothing is kept."""
    database: str = ""
    """FORMSVC_DATABASE: a PostgreSQL or SQLite URL; by default a SQLite file in the data folder."""
    files: str = ""
    """FORMSVC_FILES: where encrypted files are kept, a folder or s3://bucket/prefix; by default in the data folder."""
    files_options: Mapping[str, Any] = field(default_factory=dict)
    """FORMSVC_FILES_OPTIONS: options of that file system, as JSON."""
    files_key: str | None = field(default=None, repr=False)
    """FORMSVC_FILES_KEY: the keys of encrypted files, as the key file has them."""
    files_key_file: Path | None = None
    """FORMSVC_FILES_KEY_FILE: their file, made on first use; it is not in the data folder, so that a copy of that tells nothing."""
    url: str = "http://127.0.0.1:8000"
    """FORMSVC_URL: the address that people type; with https, cookies travel only that way."""
    proxies: int = 0
    """FORMSVC_PROXIES: how many trusted proxies stand before the web service and tell where a request comes from."""
    limits: str = "memory://"
    """FORMSVC_LIMITS: where the API counts requests; redis://host shares the count between servers."""
    hooks_anywhere: bool = False
    """FORMSVC_HOOKS_ANYWHERE: webhooks may go to addresses of one's own network and without encryption; else only to public ones, by https."""
    user: str = "formsvc"
    """FORMSVC_USER: who is at work, for the logs; by default the name of the system's account."""


def _user_folder(environ: Mapping[str, str], variable: str, fallback: str) -> Path:
    chosen = environ.get(variable)
    return Path(chosen) if chosen else Path.home() / fallback


def _key(environ: Mapping[str, str]) -> bytes:
    """The signing key: from the environment, from a file, or made on first use."""
    if text := environ.get("FORMSVC_KEY"):
        return _hex_key(text, "FORMSVC_KEY")
    data = _user_folder(environ, "XDG_DATA_HOME", ".local/share")
    file = Path(environ.get("FORMSVC_KEY_FILE") or data / "formsvc" / "key")
    if not file.exists():
        _make_key(file)
    try:
        return _hex_key(file.read_text(encoding="ascii"), str(file))
    except (OSError, UnicodeDecodeError) as problem:
        raise Refused("setting-invalid", str(file), detail=f"the key file cannot be read ({problem})") from problem


def _hex_key(text: str, place: str) -> bytes:
    try:
        key = bytes.fromhex(text.strip())
    except ValueError as problem:
        raise Refused("setting-invalid", place, detail="the key is not hexadecimal") from problem
    if len(key) < 16:  # noqa: PLR2004
        raise Refused("setting-invalid", place, detail="the key has fewer than 16 bytes")
    return key


def _make_key(file: Path) -> None:
    """Write a fresh key so that two processes starting together agree on one."""
    try:
        file.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        draft = file.with_name(f"{file.name}.{os.getpid()}")
        draft.touch(mode=0o600)
        draft.write_text(secrets.token_hex(32), encoding="ascii")
        try:
            os.link(draft, file)
        except FileExistsError:
            pass  # another process was first: its key counts
        finally:
            draft.unlink()
    except OSError as problem:
        raise Refused("setting-invalid", str(file), detail=f"no key could be written there ({problem})") from problem


def _megabytes(environ: Mapping[str, str]) -> int:
    text = environ.get("FORMSVC_MOST_MEGABYTES", "50")
    if not text.isdecimal() or int(text) < 1:
        raise Refused("setting-invalid", "FORMSVC_MOST_MEGABYTES", detail=f"“{text}” is not a number of megabytes")
    return int(text)


def read_settings(environ: Mapping[str, str]) -> Settings:
    """The settings of an environment; refuses what it cannot use, naming the variable."""
    templates = environ.get("FORMSVC_TEMPLATES")
    if templates and not Path(templates).is_dir():
        raise Refused("setting-invalid", "FORMSVC_TEMPLATES", detail=f"“{templates}” is not a folder")
    caches = _user_folder(environ, "XDG_CACHE_HOME", ".cache")
    return Settings(
        templates=Path(templates) if templates else None,
        cache=Path(environ.get("FORMSVC_CACHE") or caches / "formsvc"),
        key=_key(environ),
        most_megabytes=_megabytes(environ),
        data=Path(environ.get("FORMSVC_DATA") or _user_folder(environ, "XDG_DATA_HOME", ".local/share") / "formsvc"),
        database=environ.get("FORMSVC_DATABASE", ""),
        files=environ.get("FORMSVC_FILES", ""),
        files_options=_options(environ.get("FORMSVC_FILES_OPTIONS", "")),
        files_key=environ.get("FORMSVC_FILES_KEY") or None,
        files_key_file=Path(environ.get("FORMSVC_FILES_KEY_FILE") or _user_folder(environ, "XDG_CONFIG_HOME", ".config") / "formsvc" / "files-keys"),
        url=_url(environ),
        proxies=_proxies(environ),
        limits=environ.get("FORMSVC_LIMITS", "memory://"),
        hooks_anywhere=_yes(environ, "FORMSVC_HOOKS_ANYWHERE"),
        user=environ.get("FORMSVC_USER") or _account(),
    )


def _url(environ: Mapping[str, str]) -> str:
    text = environ.get("FORMSVC_URL", "http://127.0.0.1:8000").rstrip("/")
    if not text.startswith(("http://", "https://")):
        raise Refused("setting-invalid", "FORMSVC_URL", detail=f"“{text}” begins neither with https:// nor with http://")
    return text


def _proxies(environ: Mapping[str, str]) -> int:
    text = environ.get("FORMSVC_PROXIES", "0")
    if not text.isdecimal() or int(text) > 9:  # noqa: PLR2004
        raise Refused("setting-invalid", "FORMSVC_PROXIES", detail=f"“{text}” is not a number of proxies")
    return int(text)


def _yes(environ: Mapping[str, str], variable: str) -> bool:
    text = environ.get(variable, "")
    if text not in ("", "yes", "no"):
        raise Refused("setting-invalid", variable, detail=f"“{text}” is neither yes nor no")
    return text == "yes"


def _options(text: str) -> Mapping[str, Any]:
    try:
        options = json.loads(text) if text else {}
    except ValueError as problem:
        raise Refused("setting-invalid", "FORMSVC_FILES_OPTIONS", detail="it is not JSON") from problem
    if not isinstance(options, dict):
        raise Refused("setting-invalid", "FORMSVC_FILES_OPTIONS", detail="it is not a JSON object")
    return options


def _account() -> str:
    try:
        return getpass.getuser()
    except (KeyError, OSError, ImportError):  # an account without a name, as in some containers
        return "formsvc"


@cache
def settings() -> Settings:
    """The settings of this process."""
    return read_settings(os.environ)
