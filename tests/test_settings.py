"""Settings: what an installation can choose, read once from the environment.

1. Every setting has a usual value, and a variable that chooses another.
2. A setting that cannot be used is refused with its variable or file.
3. The signing key is made once, for its owner only, and is the same for processes that start together.
"""

import os
import re
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from formsvc.errors import Refused
from formsvc.settings import read_settings
from tests.small_forms import KEY

ROOT = Path(__file__).parent.parent
HEX = KEY.hex()


def refusal(**environ: str) -> Refused:
    """How an environment is refused."""
    with pytest.raises(Refused) as caught:
        read_settings({"FORMSVC_KEY": HEX, **environ})
    assert caught.value.code == "setting-invalid"
    return caught.value


def test_the_usual_settings(tmp_path: Path) -> None:
    """With nothing but a key, there are no own templates, the cache is the user's, and files may have 50 MB."""
    found = read_settings({"FORMSVC_KEY": HEX, "XDG_CACHE_HOME": str(tmp_path)})
    assert (found.templates, found.cache, found.key, found.most_megabytes) == (None, tmp_path / "formsvc", KEY, 50)
    assert read_settings({"FORMSVC_KEY": HEX}).cache == Path.home() / ".cache/formsvc"


def test_every_setting_can_be_chosen(tmp_path: Path) -> None:
    """Each variable chooses its setting."""
    found = read_settings({"FORMSVC_KEY": f" {HEX.upper()}\n", "FORMSVC_TEMPLATES": str(tmp_path), "FORMSVC_CACHE": "/elsewhere", "FORMSVC_MOST_MEGABYTES": "7"})
    assert (found.templates, found.cache, found.key, found.most_megabytes) == (tmp_path, Path("/elsewhere"), KEY, 7)


@pytest.mark.parametrize("name", ["FORMSVC_TEMPLATES", "FORMSVC_CACHE", "FORMSVC_KEY_FILE"])
def test_an_empty_variable_is_an_unset_one(name: str) -> None:
    """A variable set to nothing chooses nothing."""
    assert read_settings({"FORMSVC_KEY": HEX, name: ""}) == read_settings({"FORMSVC_KEY": HEX})


@pytest.mark.parametrize(("place", "detail", "name", "value"), [
    ("FORMSVC_KEY", "the key is not hexadecimal", "FORMSVC_KEY", "secret"), ("FORMSVC_KEY", "not hexadecimal", "FORMSVC_KEY", "ключ"), ("FORMSVC_KEY", "not hexadecimal", "FORMSVC_KEY", "abc"),
    ("FORMSVC_KEY", "fewer than 16 bytes", "FORMSVC_KEY", "00" * 15), ("FORMSVC_KEY", "fewer than 16 bytes", "FORMSVC_KEY", " "),
    ("FORMSVC_MOST_MEGABYTES", "“0” is not a number of megabytes", "FORMSVC_MOST_MEGABYTES", "0"), ("FORMSVC_MOST_MEGABYTES", "“-5”", "FORMSVC_MOST_MEGABYTES", "-5"),
    ("FORMSVC_MOST_MEGABYTES", "“1.5”", "FORMSVC_MOST_MEGABYTES", "1.5"), ("FORMSVC_MOST_MEGABYTES", "“”", "FORMSVC_MOST_MEGABYTES", ""), ("FORMSVC_MOST_MEGABYTES", "“²”", "FORMSVC_MOST_MEGABYTES", "²"),
    ("FORMSVC_TEMPLATES", "“/nowhere” is not a folder", "FORMSVC_TEMPLATES", "/nowhere"), ("FORMSVC_TEMPLATES", "is not a folder", "FORMSVC_TEMPLATES", __file__),
])  # fmt: skip
def test_a_setting_that_cannot_be_used_is_refused(place: str, detail: str, name: str, value: str) -> None:
    """A wrong value is refused with its variable; a key is never repeated in the message."""
    refused = refusal(**{name: value})
    assert refused.place == place
    assert detail in refused.message.lower()
    assert name != "FORMSVC_KEY" or not value.strip() or value not in refused.message


@pytest.mark.parametrize("length", [16, 32, 64, 100])
def test_a_key_has_at_least_sixteen_bytes(length: int) -> None:
    """A key of sixteen bytes or more is taken whole."""
    assert len(read_settings({"FORMSVC_KEY": "5a" * length}).key) == length


# ---------------------------------------------------------------- the key file


@pytest.mark.parametrize("variable", ["FORMSVC_KEY_FILE", "XDG_DATA_HOME"])
def test_a_key_is_made_on_first_use_and_kept(tmp_path: Path, variable: str) -> None:
    """Without a key one is made, 32 random bytes that only their owner can read, and used from then on."""
    file = tmp_path / "new/key" if variable == "FORMSVC_KEY_FILE" else tmp_path / "formsvc/key"
    environ = {variable: str(file if variable == "FORMSVC_KEY_FILE" else tmp_path)}
    key = read_settings(environ).key
    assert len(key) == 32
    assert key == bytes.fromhex(file.read_text(encoding="ascii")) == read_settings(environ).key
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert stat.S_IMODE(file.parent.stat().st_mode) == 0o700
    assert [found.name for found in file.parent.iterdir()] == ["key"]


def test_two_installations_have_two_keys(tmp_path: Path) -> None:
    """Keys are not made alike."""
    assert read_settings({"FORMSVC_KEY_FILE": str(tmp_path / "one")}).key != read_settings({"FORMSVC_KEY_FILE": str(tmp_path / "two")}).key


def test_processes_that_start_together_agree_on_one_key(tmp_path: Path) -> None:
    """Several processes on a fresh machine make one key among them."""
    script = "from formsvc.settings import read_settings; import sys; print(read_settings({'FORMSVC_KEY_FILE': sys.argv[1]}).key.hex())"
    running = [subprocess.Popen([sys.executable, "-c", script, str(tmp_path / "key")], stdout=subprocess.PIPE, text=True, cwd=ROOT) for _ in range(5)]
    keys = {process.communicate(timeout=60)[0].strip() for process in running}
    assert [process.returncode for process in running] == [0] * 5
    assert keys == {(tmp_path / "key").read_text(encoding="ascii")}
    assert os.listdir(tmp_path) == ["key"]  # noqa: PTH208


@pytest.mark.parametrize(("detail", "content"), [("the key is not hexadecimal", b"secret"), ("the key file cannot be read", b"\xff\xfe"), ("fewer than 16 bytes", b""), ("fewer than 16 bytes", b"\n")])
def test_a_key_file_that_cannot_be_used_is_refused(tmp_path: Path, detail: str, content: bytes) -> None:
    """A damaged key file is refused with its path, and never replaced: documents are signed with the key it had."""
    file = tmp_path / "key"
    file.write_bytes(content)
    with pytest.raises(Refused, match=f"(?i)^{re.escape(str(file))}: .*{detail}") as caught:
        read_settings({"FORMSVC_KEY_FILE": str(file)})
    assert caught.value.code == "setting-invalid"
    assert file.read_bytes() == content


@pytest.mark.parametrize(("detail", "place"), [("cannot be read", "."), ("no key could be written there", "file/key"), ("no key could be written there", "/proc/nowhere/key")])
def test_a_place_without_a_key_is_refused(tmp_path: Path, detail: str, place: str) -> None:
    """Where no key can be read or written, the refusal names the place."""
    (tmp_path / "file").write_bytes(b"")
    with pytest.raises(Refused, match=f"(?i){detail}") as caught:
        read_settings({"FORMSVC_KEY_FILE": str(tmp_path / place)})
    assert caught.value.place == str(tmp_path / place)


def test_the_readme_lists_every_setting() -> None:
    """Every variable that the program reads is documented, and none that it does not."""
    used = {name for file in (ROOT / "formsvc").rglob("*.py") for name in re.findall(r"FORMSVC_[A-Z_]+", file.read_text(encoding="utf-8"))}
    documented = set(re.findall(r"`(FORMSVC_[A-Z_]+)`", (ROOT / "README.md").read_text(encoding="utf-8")))
    assert used == documented
