"""Stored files: what is put comes back whole or not at all, and tells nothing to who has no key.

1. In a folder and in a bucket alike, a content comes back as it was; every change to what is stored is noticed.
2. Keys can be changed at any time, and the change may be interrupted anywhere.
3. A failure or a kill at any step leaves nothing half under a name.
4. The key file is made once, kept from others, and never loses a key.
"""

import errno
import json
import os
import random
import re
import stat
import subprocess
import sys
import threading
import time
import zlib
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from fsspec.implementations.local import LocalFileSystem
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from formsvc.errors import Refused
from formsvc.store import keys
from formsvc.store.keys import Keyring, read_keyring, rotate_keys, rotated, write_keyring
from formsvc.store.places import MOST_MEGABYTES
from formsvc.store.vault import Header, Vault

pytest_plugins = ["tests.servers"]

ROOT = Path(__file__).parent.parent
ONE, TWO, NAMES = (f"{number:02x}" * 32 for number in (1, 2, 3))
TEXT = f"first {ONE}\nsecond {TWO}\nnames {NAMES}\n"
RING = read_keyring(None, TEXT)
SECRET = b"Zanzibar Quillfeather"
NOISE = random.Random(4).randbytes(5_000_000)  # noqa: S311  (the same in every run)
PDF = (ROOT / "samples/returned/pdfium-worksheet-1-child.pdf").read_bytes()
CONTENTS = {"nothing": b"", "one byte": b"x", "zeros": bytes(5_000_000), "noise": NOISE, "a form": PDF, "words": SECRET * 50}


def quiet(_name: str, _problem: str | None) -> None:
    """Listen to nothing."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """Where files are stored, and a way around the vault."""

    url: str
    files: Any
    """fsspec's view of it."""
    root: str
    options: dict[str, Any]

    def vault(self, keyring: Keyring = RING) -> Vault:
        """The vault at this place, as another process has it."""
        return Vault(self.url, keyring, **self.options)

    def path(self, name: str) -> str:
        """Where a file must be."""
        return f"{self.root}/{name[:2]}/{name[2:4]}/{name}"

    def stored(self, name: str) -> bytes:
        """The bytes that are stored."""
        found: bytes = self.files.cat_file(self.path(name))
        return found

    def lay(self, name: str, blob: bytes) -> None:
        """Put other bytes under a name."""
        self.lay_at(self.path(name), blob)

    def lay_at(self, path: str, blob: bytes) -> None:
        """Put bytes anywhere."""
        if isinstance(self.files, LocalFileSystem):
            self.files.makedirs(path.rpartition("/")[0], exist_ok=True)
        self.files.pipe_file(path, blob)


@pytest.fixture(params=["folder", "bucket"])
def place(request: pytest.FixtureRequest, tmp_path: Path) -> Place:
    """A folder, and a bucket of a real server."""
    if request.param == "folder":
        return folder_at(tmp_path / "new/files")
    bucket = request.getfixturevalue("s3")
    return Place(url=bucket.url, files=request.getfixturevalue("s3_files"), root=bucket.url.removeprefix("s3://"), options=bucket.options)


def folder_at(path: Path) -> Place:
    """A folder as a place."""
    return Place(url=str(path), files=LocalFileSystem(), root=str(path), options={})


@pytest.fixture
def folder(tmp_path: Path) -> Place:
    """A folder only, for what is about disks."""
    return folder_at(tmp_path / "files")


def refusal(code: str, call: Callable[[], object]) -> Refused:
    """How a call is refused."""
    with pytest.raises(Refused) as caught:
        call()
    assert caught.value.code == code
    return caught.value


def drafts(place: Place) -> list[str]:
    """The drafts that lie in a folder."""
    return [file.name for file in Path(place.url).rglob(".*")]


class TestEveryPlace:
    """The contract of a place."""

    @pytest.mark.parametrize("content", CONTENTS.values(), ids=CONTENTS)
    def test_what_is_put_comes_back(self, place: Place, content: bytes) -> None:
        """A content comes back as it was, also to another process, with its size."""
        name = place.vault().put(content)
        again = place.vault()
        assert content == again.get(name)
        assert len(content) == again.size(name)
        assert again.has(name)
        assert again.check(name) is None
        assert [name] == list(again.names())

    def test_the_same_content_has_one_name_and_one_file(self, place: Place) -> None:
        """Putting a content again changes nothing; another installation gives it another name."""
        vault = place.vault()
        name = vault.put(PDF)
        before = place.stored(name)
        assert name == vault.name_of(PDF) == vault.put(PDF) == place.vault().put(PDF)
        assert before == place.stored(name)
        assert re.fullmatch("[0-9a-f]{64}", name)
        assert name != Vault(place.url, replace(RING, names=bytes(32))).name_of(PDF)

    def test_what_is_stored_tells_nothing(self, place: Place) -> None:
        """Neither the content nor its compressed form stands in the file; each writing differs."""
        vault = place.vault()
        name = vault.put(content := SECRET * 50)
        one = place.stored(name)
        vault.remove(name)
        vault.put(content)
        two = place.stored(name)
        assert SECRET not in one
        assert zlib.compress(content, 1)[2:12] not in one
        assert one[Header.LENGTH :] != two[Header.LENGTH :]
        assert len(one) < len(content)

    def test_names_are_listed_without_what_is_foreign(self, place: Place) -> None:
        """All names, sorted; drafts, files under wrong names or in wrong folders are passed over."""
        vault = place.vault()
        assert list(vault.names()) == []
        expected = sorted(vault.put(bytes([number])) for number in range(20))
        blob = place.stored(expected[0])
        beside = f"{expected[0][:2]}/{expected[0][2:4]}/.{expected[0]}.draft"
        for foreign in (beside, "notes.txt", "ab/cd/notes.txt", f"zz/zz/{expected[0]}", f"00/00/{'f' * 64}"):
            place.lay_at(f"{place.root}/{foreign}", blob)
        assert expected == list(vault.names())

    def test_a_removed_file_is_gone(self, place: Place) -> None:
        """Removing is final, may be repeated, and leaves the others."""
        vault = place.vault()
        kept, gone = vault.put(b"kept"), vault.put(b"gone")
        for _ in range(2):
            vault.remove(gone)
            assert not vault.has(gone)
        assert vault.check(gone) == "file-lost"
        for call in (vault.get, vault.size):
            assert refusal("file-lost", partial(call, gone)).place == gone
        assert [kept] == list(vault.names())
        assert vault.get(vault.put(b"gone")) == b"gone"

    @pytest.mark.parametrize("name", ["", "x", "../../../etc/passwd", "AB" * 32, "a" * 63, "a" * 65, "a" * 64 + "\n", "a/" * 32, "٣" * 64])
    def test_a_text_that_is_no_name_is_never_looked_up(self, place: Place, name: str) -> None:
        """No name leads out of the place."""
        vault = place.vault()
        assert not vault.has(name)
        refusal("file-lost", lambda: vault.get(name))
        refusal("file-lost", lambda: vault.size(name))
        vault.remove(name)

    def test_every_flipped_bit_is_noticed(self, place: Place) -> None:
        """One changed bit in any byte of the header, or anywhere in the body, and the content is not given out."""
        vault, chance = place.vault(), random.Random(5)  # noqa: S311
        name = vault.put(PDF)
        blob = place.stored(name)
        for position in [*range(Header.LENGTH), *chance.sample(range(Header.LENGTH, len(blob)), 20), len(blob) - 1]:
            changed = bytearray(blob)
            changed[position] ^= 1 << chance.randrange(8)
            place.lay(name, bytes(changed))
            assert vault.check(name) == "file-changed", position
        refusal("file-changed", lambda: vault.get(name))

    def test_every_cut_is_noticed(self, place: Place) -> None:
        """A file that was cut off anywhere, or that goes on, is not given out."""
        vault = place.vault()
        name = vault.put(PDF)
        blob = place.stored(name)
        for cut in (*(blob[:length] for length in (0, 1, Header.LENGTH - 1, Header.LENGTH, Header.LENGTH + 16, 4096, len(blob) - 1)), blob + b"\0"):
            place.lay(name, cut)
            assert vault.check(name) == "file-changed", len(cut)
            if len(cut) < Header.LENGTH:
                refusal("file-changed", lambda: vault.size(name))

    def test_swapped_files_are_noticed(self, place: Place) -> None:
        """A sound file under the name of another is not given out."""
        vault = place.vault()
        one, two = vault.put(b"one"), vault.put(b"two")
        blobs = place.stored(one), place.stored(two)
        place.lay(one, blobs[1])
        place.lay(two, blobs[0])
        assert [vault.check(one), vault.check(two)] == ["file-changed"] * 2

    def test_putting_a_damaged_file_again_mends_it(self, place: Place) -> None:
        """A content that is at hand takes the place of its damaged copy."""
        vault = place.vault()
        name = vault.put(PDF)
        place.lay(name, place.stored(name)[:-1])
        assert name == vault.put(PDF)
        assert vault.get(name) == PDF

    def test_a_missing_key_is_told_from_damage(self, place: Place) -> None:
        """A file whose key is not here names the key, never as damage."""
        name = place.vault(RING).put(PDF)
        poor = place.vault(replace(RING, keys=RING.keys[1:]))
        refused = refusal("key-missing", lambda: poor.get(name))
        assert refused.place == name
        assert "“first”" in refused.message
        assert poor.check(name) == "key-missing"
        assert poor.has(name)
        assert len(PDF) == poor.size(name)

    def test_keys_of_another_installation_do_not_write(self, place: Place) -> None:
        """Keys that were made because the old ones were lost are refused before anything is stored with them."""
        name = place.vault().put(b"old")
        other = place.vault(replace(RING, names=bytes(32)))
        refusal("keys-of-another", lambda: other.put(b"new"))
        refusal("keys-of-another", lambda: other.rotate(quiet))
        assert other.check(name) == "file-misnamed"
        assert [name] == list(other.names())

    @pytest.mark.parametrize("bytes_more", [1, 1_000_001])
    def test_a_content_that_is_too_large_is_refused(self, place: Place, bytes_more: int) -> None:
        """More than the limit is not stored."""
        refused = refusal("file-too-large", lambda: place.vault().put(bytes(MOST_MEGABYTES * 1_000_000 + bytes_more)))
        assert f"has {200 + -(-bytes_more // 1_000_000)} MB; the most is 200 MB" in refused.message

    def test_keys_are_rotated(self, place: Place) -> None:
        """Every file gets the first key; who has only the new key reads all, who has only the old one none."""
        old = place.vault(RING)
        names = {old.put(content): content for content in (PDF, b"", b"x", SECRET * 50)}
        ring = rotated(RING)
        new, told = place.vault(ring), list[tuple[str, str | None]]()
        assert len(names) == new.rotate(lambda *seen: told.append(seen))
        assert [(name, None) for name in sorted(names)] == told
        assert new.rotate(quiet) == 0
        only_new = place.vault(replace(ring, keys=ring.keys[:1]))
        assert names == {name: only_new.get(name) for name in only_new.names()}
        assert {"key-missing"} == {old.check(name) for name in names}

    def test_an_interrupted_rotation_is_finished_later(self, place: Place) -> None:
        """A rotation stopped at any file leaves all readable, and the next one does the rest only."""
        old, chance = place.vault(RING), random.Random(6)  # noqa: S311
        contents = {old.put(content): content for content in (chance.randbytes(chance.randrange(3000)) for _ in range(12))}
        ring = RING
        for stop in chance.sample(range(len(contents)), 4):
            ring = rotated(ring)
            vault, seen = place.vault(ring), list[str]()

            def stopping(name: str, _problem: str | None, *, seen: list[str] = seen, stop: int = stop) -> None:
                seen.append(name)
                if len(seen) > stop:
                    raise KeyboardInterrupt

            with pytest.raises(KeyboardInterrupt):
                vault.rotate(stopping)
            assert contents == {name: vault.get(name) for name in vault.names()}
            assert len(contents) - stop - 1 == vault.rotate(quiet)
            only_new = place.vault(replace(ring, keys=ring.keys[:1]))
            assert contents == {name: only_new.get(name) for name in contents}

    def test_a_rotation_goes_on_after_a_damaged_file(self, place: Place) -> None:
        """Damaged files, and files whose key is lost, are told and left as they are; the others are done."""
        old = place.vault(RING)
        names = sorted(old.put(bytes([number])) for number in range(6))
        place.lay(names[1], place.stored(names[1])[:-1])
        stray = place.vault(rotated(RING)).put(b"of a lost key")
        damaged = place.stored(names[1])
        told: dict[str, str | None] = {}
        assert place.vault(rotated(RING)).rotate(told.__setitem__) == 5
        assert {names[1]: "file-changed", stray: "key-missing"} == {name: problem for name, problem in told.items() if problem}
        assert damaged == place.stored(names[1])

    def test_a_file_that_is_removed_during_its_rotation_stays_removed(self, place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
        """Erased is erased: a rotation that has just read the file does not bring it back."""
        name = place.vault().put(PDF)
        vault, removing = place.vault(rotated(RING)), threading.Thread(target=place.vault().remove, args=(name,))
        sealed = vault._sealed

        def sealed_late(*values: Any) -> bytes:
            removing.start()
            removing.join(0.5)  # in a folder it waits for the rotation, in a bucket it is done
            return sealed(*values)

        monkeypatch.setattr(vault, "_sealed", sealed_late)
        vault.rotate(quiet)
        removing.join()
        assert not vault.has(name)

    def test_readers_read_during_a_rotation(self, place: Place) -> None:
        """Whoever reads while files change their key gets each content whole."""
        vault, ring = place.vault(), rotated(RING)
        contents = {vault.put(content): content for content in (PDF + bytes([number]) for number in range(5))}
        done, wrong = threading.Event(), list[str]()

        def read() -> None:
            reader = place.vault(ring)
            while not done.is_set():
                wrong.extend(name for name, content in contents.items() if reader.get(name) != content)

        readers = [threading.Thread(target=read) for _ in range(2)]
        for reader in readers:
            reader.start()
        assert place.vault(ring).rotate(quiet) == 5
        done.set()
        for reader in readers:
            reader.join()
        assert wrong == []

    def test_two_processes_may_put_the_same_at_once(self, place: Place) -> None:
        """Thirty-two at once in each of two processes: one name, one sound file, nothing else."""
        script = (
            "import json, sys; from concurrent.futures import ThreadPoolExecutor\n"
            "from formsvc.store.keys import read_keyring; from formsvc.store.vault import Vault\n"
            "url, options, text = json.loads(sys.argv[1]); vault = Vault(url, read_keyring(None, text), **options)\n"
            "with ThreadPoolExecutor(32) as pool: print(set(pool.map(vault.put, [b'the same ' * 30_000] * 32)))\n"
        )
        command = [sys.executable, "-c", script, json.dumps([place.url, place.options, TEXT])]
        running = [subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd=ROOT) for _ in range(2)]
        said = {process.communicate(timeout=120)[0].strip() for process in running}
        vault = place.vault()
        name = vault.name_of(b"the same " * 30_000)
        assert said == {str({name})}
        assert [name] == list(vault.names())
        assert vault.check(name) is None
        assert drafts(place) == []

    def test_a_vault_may_be_used_after_a_fork(self, place: Place) -> None:
        """Servers make their vault before they fork."""
        script = (
            "import json, os, sys; from formsvc.store.keys import read_keyring; from formsvc.store.vault import Vault\n"
            "url, options, text = json.loads(sys.argv[1]); vault = Vault(url, read_keyring(None, text), **options)\n"
            "name = vault.put(b'before'); child = os.fork()\n"
            "if child == 0: os._exit(0 if vault.get(name) == b'before' and vault.get(vault.put(b'after')) == b'after' else 1)\n"
            "sys.exit(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))\n"
        )
        subprocess.run([sys.executable, "-c", script, json.dumps([place.url, place.options, TEXT])], check=True, cwd=ROOT, timeout=60)
        assert place.vault().get(place.vault().name_of(b"after")) == b"after"

    def test_sweeping_leaves_files(self, place: Place) -> None:
        """However old, no stored file is taken for a draft."""
        name = place.vault().put(b"x")
        assert place.vault().sweep(-1) == 0
        assert place.vault().check(name) is None


@pytest.fixture(scope="module")
def one_folder(tmp_path_factory: pytest.TempPathFactory) -> Vault:
    """A vault that many examples share."""
    return Vault(str(tmp_path_factory.mktemp("vault")), RING)


@settings(deadline=None, max_examples=60, suppress_health_check=[HealthCheck.too_slow])
@given(content=st.binary(max_size=2000))
def test_every_content_comes_back(one_folder: Vault, content: bytes) -> None:
    """Any bytes come back."""
    assert content == one_folder.get(one_folder.put(content))


@settings(deadline=None, max_examples=200)
@given(st.binary(max_size=2 * Header.LENGTH), st.booleans())
def test_any_bytes_are_no_header_or_a_header(blob: bytes, sound: bool) -> None:
    """Reading a header never fails otherwise than by saying that there is none."""
    fields = (b"FSVT\1" + blob)[: Header.LAYOUT.size].ljust(Header.LAYOUT.size, b"\0")
    found = Header.read(fields + Header.CHECK.pack(zlib.crc32(fields)) if sound else blob)
    assert (found is not None) is sound


@pytest.mark.parametrize("change", [{"key_id": "second"}, {"key_id": "third"}, {"nonce": bytes(12)}, {"packed": False}, {"size": 1}, {"size": 2**63}], ids=str)
def test_a_forged_header_is_noticed(folder: Place, change: dict[str, Any]) -> None:
    """Whoever can compute a check sum still cannot change a header: it is authenticated."""
    name = folder.vault().put(PDF)
    blob = folder.stored(name)
    header = Header.read(blob)
    assert header
    folder.lay(name, bytes(replace(header, **change)) + blob[Header.LENGTH :])
    assert folder.vault().check(name) == ("key-missing" if change.get("key_id") == "third" else "file-changed")


def test_a_vault_learns_of_keys_that_another_process_added(folder: Place, tmp_path: Path) -> None:
    """A process that was started with the old keys reads what was stored with the new one."""
    file = tmp_path / "keys"
    old = folder.vault(read_keyring(file, None))
    name = old.put(PDF)
    new = folder.vault(rotate_keys(file))
    other = new.put(b"new")
    assert new.rotate(quiet) == 1
    assert (old.get(name), old.get(other)) == (PDF, b"new")


# ---------------------------------------------------------------- failures


class Failing:
    """A call that fails the n-th time."""

    def __init__(self, real: Callable[..., Any], at: int) -> None:
        """Stand in for a call."""
        self.real, self.left, self.called = real, at, 0

    def __call__(self, *values: Any, **options: Any) -> Any:
        """Fail, or do it."""
        self.called += 1
        self.left -= 1
        if self.left == 0:
            raise OSError(errno.EIO, "Input/output error")
        return self.real(*values, **options)


STEPS = [("os.fsync", at) for at in range(1, 11)] + [("os.replace", 1), ("os.link", 1), ("os.fdopen", 1), ("os.fdopen", 2), ("tempfile.mkstemp", 1), ("tempfile.mkstemp", 2), ("os.open", 1), ("os.mkdir", 1), ("os.mkdir", 2), ("os.mkdir", 3)]


@pytest.mark.parametrize(("call", "at"), STEPS, ids=str)
def test_a_failure_at_any_step_leaves_nothing_half(folder: Place, monkeypatch: pytest.MonkeyPatch, call: str, at: int) -> None:
    """Whichever call fails, the refusal is worded, no draft stays, what stands under a name is whole, and putting again succeeds."""
    module, _, name = call.partition(".")
    with monkeypatch.context() as patched:
        failing = Failing(getattr(sys.modules[module], name), at)
        patched.setattr(call, failing)
        refused = refusal("vault-unwritable", lambda: folder.vault().put(PDF))
        assert "Input/output error" in refused.message
    assert failing.called >= at
    vault = folder.vault()
    assert drafts(folder) == []
    assert {vault.check(name) for name in vault.names()} <= {None}
    assert vault.get(vault.put(PDF)) == PDF


@pytest.mark.parametrize(("call", "at"), [("os.fsync", 1), ("os.fsync", 2), ("os.replace", 1), ("tempfile.mkstemp", 1)], ids=str)
def test_a_failing_rotation_keeps_the_old_file(folder: Place, monkeypatch: pytest.MonkeyPatch, call: str, at: int) -> None:
    """A disk that fails stops a rotation; every file is readable, and the rotation can be finished."""
    names = [folder.vault().put(bytes([number])) for number in range(3)]
    module, _, name = call.partition(".")
    ring = rotated(RING)
    with monkeypatch.context() as patched:
        patched.setattr(call, Failing(getattr(sys.modules[module], name), at))
        refusal("vault-unwritable", lambda: folder.vault(ring).rotate(quiet))
    vault = folder.vault(ring)
    assert {vault.check(name) for name in names} == {None}
    assert drafts(folder) == []
    vault.rotate(quiet)
    assert {folder.vault(replace(ring, keys=ring.keys[:1])).check(name) for name in names} == {None}


def test_a_full_disk_leaves_nothing_half(folder: Place) -> None:
    """The system itself ends the writing in the middle of a file."""
    script = (
        "import resource, signal, sys; from formsvc.errors import Refused; from formsvc.store.keys import read_keyring; from formsvc.store.vault import Vault\n"
        "signal.signal(signal.SIGXFSZ, signal.SIG_IGN); resource.setrlimit(resource.RLIMIT_FSIZE, (300_000, 300_000))\n"
        "vault = Vault(sys.argv[1], read_keyring(None, sys.argv[2])); import os\n"
        "vault.put(b'small')\n"
        "try: vault.put(os.urandom(400_000))\n"
        "except Refused as refused: print(refused.code)\n"
    )
    said = subprocess.run([sys.executable, "-c", script, folder.url, TEXT], check=True, capture_output=True, text=True, cwd=ROOT, timeout=60).stdout
    assert said == "vault-unwritable\n"
    assert [folder.vault().name_of(b"small")] == list(folder.vault().names())
    assert drafts(folder) == []


def test_a_name_is_given_only_to_what_is_on_the_disk(folder: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    """The content is synced, then renamed, then every folder of its path is synced."""
    folder.vault().put(b"the folders are there")
    done: list[str] = []

    def fsync(handle: int, real: Callable[[int], None] = os.fsync) -> None:
        target = Path(f"/proc/self/fd/{handle}").readlink()
        done.append(str(target.relative_to(folder.url)) if stat.S_ISDIR(os.fstat(handle).st_mode) else "content")
        real(handle)

    def rename(draft: str, file: Path, real: Callable[..., None] = os.replace) -> None:
        done.append("rename")
        real(draft, file)

    if not Path("/proc/self/fd").is_dir():
        pytest.skip("the system does not tell what a handle is of (/proc)")
    monkeypatch.setattr(os, "fsync", fsync)
    vault = folder.vault()
    name = vault.name_of(PDF)
    (Path(folder.url) / name[:2] / name[2:4]).mkdir(parents=True)
    monkeypatch.setattr(os, "replace", rename)
    vault.put(PDF)
    assert done[:3] == ["content", "rename", f"{name[:2]}/{name[2:4]}"]
    assert set(done[3:]) == {f"{name[:2]}/{name[2:4]}", name[:2], "."}
    done.clear()
    vault.put(PDF)
    assert done == [f"{name[:2]}/{name[2:4]}", name[:2], "."], "another process may have stored it and not synced its folders yet"


KILLED = (
    "import itertools, os, sys; from formsvc.store.keys import read_keyring, rotated; from formsvc.store.vault import Vault; from pathlib import Path\n"
    "url, keys, what = sys.argv[1:]; print('ready', flush=True)\n"
    "if what == 'put':\n"
    "    vault = Vault(url, read_keyring(Path(keys), None))\n"
    "    for number in itertools.count(): print(vault.put(os.urandom(60_000)), flush=True)\n"
    "from formsvc.store.keys import rotate_keys\n"
    "while True: Vault(url, rotate_keys(Path(keys))).rotate(lambda *seen: None)\n"
)


@pytest.mark.parametrize("what", ["put", "rotate"])
def test_a_kill_at_any_moment_leaves_nothing_half(folder: Place, tmp_path: Path, what: str) -> None:
    """Processes killed while they store or rotate: what was told as stored is there, all is sound, drafts can be swept."""
    file, chance = tmp_path / "keys", random.Random(7)  # noqa: S311
    told = {folder.vault(read_keyring(file, None)).put(chance.randbytes(3000)) for _ in range(15)}
    for _ in range(6):
        process = subprocess.Popen([sys.executable, "-c", KILLED, folder.url, str(file), what], stdout=subprocess.PIPE, text=True, cwd=ROOT)
        assert process.stdout
        assert process.stdout.readline() == "ready\n"
        time.sleep(chance.uniform(0.005, 0.25))
        process.kill()
        told |= {line.strip() for line in process.communicate()[0].splitlines(keepends=True) if len(line) == 65}
        vault = folder.vault(read_keyring(file, None))
        assert {vault.check(name) for name in vault.names()} == {None}
    assert told <= set(vault.names())
    for draft in (Path(folder.url) / "drafts").iterdir():
        os.utime(draft, (0, 0))
    vault.sweep()
    assert drafts(folder) == []
    vault.rotate(quiet)
    assert {folder.vault(replace(read_keyring(file, None), keys=read_keyring(file, None).keys[:1])).check(name) for name in vault.names()} == {None}


def test_only_stale_drafts_are_swept(folder: Place) -> None:
    """A draft that is being written is left alone; a day later it is of nobody."""
    name = folder.vault().put(PDF)
    old, young = (Path(folder.url) / "drafts" / f".{age}" for age in ("old", "young"))
    for draft in (old, young):
        draft.write_bytes(b"half")
    os.utime(old, (time.time() - 90_000,) * 2)
    assert folder.vault().sweep() == 1
    assert drafts(folder) == [".young"]
    assert folder.vault().check(name) is None


def test_stored_files_are_for_their_owner_only(folder: Place) -> None:
    """Neither folders nor files are open to others."""
    folder.vault().put(PDF)
    assert {stat.S_IMODE(found.stat().st_mode) for found in (Path(folder.url), *Path(folder.url).rglob("*")) if found.is_dir()} == {0o700}
    assert {stat.S_IMODE(found.stat().st_mode) for found in Path(folder.url).rglob("*") if found.is_file()} == {0o600}


@pytest.mark.parametrize("url", ["{0}/file", "{0}/file/files", "file://{0}/file", "/proc/nowhere/files"])
def test_a_folder_that_cannot_be_used_is_refused(tmp_path: Path, url: str) -> None:
    """Where nothing can be stored, the refusal says why."""
    (tmp_path / "file").write_bytes(b"")
    refusal("vault-unwritable", lambda: Vault(url.format(tmp_path), RING).put(b"x"))


def test_a_folder_may_be_given_as_an_address(tmp_path: Path) -> None:
    """file:// and a path are the same place."""
    name = Vault(f"file://{tmp_path}/files", RING).put(b"x")
    assert Vault(f"{tmp_path}/files", RING).get(name) == b"x"


def unusable_buckets(options: dict[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    """Buckets that cannot be reached, each for its own reason."""
    fast = {"config_kwargs": {"retries": {"max_attempts": 0}, "connect_timeout": 1}}
    yield "s3://no-such-bucket/files", options
    yield "s3://bucket/files", {**options, **fast, "client_kwargs": {"endpoint_url": "http://127.0.0.1:9", "region_name": "us-west-2"}}
    yield "nosuchprotocol://bucket/files", {}


def test_a_bucket_that_cannot_be_used_is_refused(s3_options: dict[str, Any]) -> None:
    """A bucket that is not there, a server that does not answer, a kind that is not known: neither lost nor stored."""
    for url, options in unusable_buckets(s3_options):
        vault = Vault(url, RING, **options)
        refusal("vault-unwritable", lambda vault=vault: vault.put(b"x"))  # type: ignore[misc]
        refusal("vault-unreadable", lambda vault=vault: vault.get("a" * 64))  # type: ignore[misc]
        assert vault.check("a" * 64) == "vault-unreadable"


# ---------------------------------------------------------------- keys


def test_the_first_key_encrypts(tmp_path: Path) -> None:
    """Keys come in their order, from a text of lines or of commas, or from a file; the text counts."""
    file = tmp_path / "keys"
    file.write_text(f"\n  first {ONE.upper()}\n\nsecond {TWO}\nnames {NAMES}", encoding="ascii")
    file.chmod(0o600)
    assert RING == read_keyring(file, None) == read_keyring(file, "") == read_keyring(None, TEXT.replace("\n", ","))
    assert read_keyring(tmp_path / "other", TEXT) == RING
    assert [key.id for key in RING.keys] == ["first", "second"]
    assert (RING.first.secret, RING.names) == (bytes.fromhex(ONE), bytes.fromhex(NAMES))
    assert RING.secret_of("second") == bytes.fromhex(TWO)
    assert RING.secret_of("third") is None


@pytest.mark.parametrize(("detail", "text"), [
    ("the line “names” is missing", f"first {ONE}"), ("there is no key that encrypts", f"names {NAMES}"), ("“first” stands there twice", f"{TEXT}first {TWO}"), ("“names” stands there twice", f"{TEXT}names {TWO}"),
    ("64 hexadecimal digits", "first secret"), ("64 hexadecimal digits", f"first {ONE}00"), ("64 hexadecimal digits", f"first {ONE[:-2]}"), ("64 hexadecimal digits", f"first {ONE} again"), ("64 hexadecimal digits", "first"),
    ("small letters", f"First {ONE}"), ("small letters", f"{'a' * 17} {ONE}"), ("small letters", ONE), ("small letters", f"ключ {ONE}"), ("the line “names” is missing", "\n"),
])  # fmt: skip
def test_keys_that_cannot_be_used_are_refused(tmp_path: Path, detail: str, text: str) -> None:
    """Each fault is named with its place, and no key is repeated in the message."""
    refused = refusal("keys-unusable", lambda: read_keyring(None, text))
    assert detail in refused.message
    assert not any(secret in refused.message for secret in (ONE, TWO, NAMES, "secret"))
    file = tmp_path / "keys"
    file.write_text(text, encoding="utf-8")
    file.chmod(0o600)
    assert refusal("keys-unusable", lambda: read_keyring(file, None)).place.startswith(str(file))
    assert file.read_text(encoding="utf-8") == text


def test_no_keys_at_all_are_refused() -> None:
    """Without keys and without a place for them nothing is made."""
    refusal("keys-unusable", lambda: read_keyring(None, None))


@pytest.mark.parametrize(("mode", "expected"), [(0o600, None), (0o400, None), (0o640, None), (0o644, "keys-exposed"), (0o604, "keys-exposed"), (0o660, "keys-exposed"), (0o602, "keys-exposed"), (0o777, "keys-exposed")])
def test_keys_that_others_can_read_are_refused(tmp_path: Path, mode: int, expected: str | None) -> None:
    """A key file is its owner's; a group may read it at most."""
    file = tmp_path / "keys"
    file.write_text(TEXT, encoding="ascii")
    file.chmod(mode)
    if expected:
        assert f"mode {mode:o}" in refusal(expected, lambda: read_keyring(file, None)).message
    else:
        assert read_keyring(file, None) == RING


def test_keys_are_made_on_first_use_and_kept(tmp_path: Path) -> None:
    """A fresh installation gets one key and a key of names, for its owner only."""
    file = tmp_path / "new/keys"
    made = read_keyring(file, None)
    assert made == read_keyring(file, None)
    assert made != read_keyring(tmp_path / "other", None)
    assert [len(made.keys), len(made.first.secret), len(made.names)] == [1, 32, 32]
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert stat.S_IMODE(file.parent.stat().st_mode) == 0o700
    assert [found.name for found in file.parent.iterdir()] == ["keys"]


def test_processes_that_start_together_agree_on_their_keys(tmp_path: Path) -> None:
    """Several processes on a fresh machine make one key file among them."""
    script = "from formsvc.store.keys import read_keyring; from pathlib import Path; import sys; print(read_keyring(Path(sys.argv[1]), None).first.id)"
    running = [subprocess.Popen([sys.executable, "-c", script, str(tmp_path / "keys")], stdout=subprocess.PIPE, text=True, cwd=ROOT) for _ in range(5)]
    said = {process.communicate(timeout=60)[0].strip() for process in running}
    assert said == {read_keyring(tmp_path / "keys", None).first.id}
    assert [found.name for found in tmp_path.iterdir()] == ["keys"]


@pytest.mark.parametrize(("code", "place"), [("file-unreadable", "."), ("file-unwritable", "file/keys"), ("file-unwritable", "/proc/nowhere/keys"), ("file-unreadable", "dangling"), ("keys-unusable", "binary")])
def test_a_place_without_keys_is_refused(tmp_path: Path, code: str, place: str) -> None:
    """Where no keys can be read or made, the refusal names the place."""
    (tmp_path / "file").write_bytes(b"")
    (tmp_path / "dangling").symlink_to(tmp_path / "unmounted")
    (tmp_path / "binary").write_bytes(b"\xff\xfe")
    (tmp_path / "binary").chmod(0o600)
    tmp_path.chmod(0o700)
    assert refusal(code, lambda: read_keyring(tmp_path / place, None)).place == str(tmp_path / place)


def test_a_rotated_keyring_keeps_all_keys() -> None:
    """A fresh key stands first; everything else stays."""
    ring = rotated(RING)
    assert ring.keys[1:] == RING.keys
    assert ring.names == RING.names
    assert ring.first not in RING.keys
    assert rotated(RING).first != ring.first


def test_a_key_file_never_loses_a_key(tmp_path: Path) -> None:
    """A keyring that lacks a key of the file, or has another under its id, is not written."""
    file = tmp_path / "keys"
    write_keyring(file, RING)
    before = file.read_bytes()
    one, two = RING.keys
    for lost, ring in {"second": replace(RING, keys=(one,)), "first": replace(RING, keys=(replace(one, secret=bytes(32)), two)), "names": replace(RING, names=bytes(32))}.items():
        assert f"lost: {lost}." in refusal("keys-lost", partial(write_keyring, file, ring)).message
    assert before == file.read_bytes()
    write_keyring(file, ring := rotated(RING))
    assert ring == read_keyring(file, None)


def test_keys_may_be_rotated_by_several_at_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each adds its key, and none is lost, however long each takes to write."""
    file, real = tmp_path / "keys", keys._replace
    write_keyring(file, RING)

    def slow(file: Path, keyring: Keyring) -> None:
        time.sleep(0.05)
        real(file, keyring)

    monkeypatch.setattr(keys, "_replace", slow)
    with ThreadPoolExecutor(4) as pool:
        made = {ring.first.id for ring in pool.map(rotate_keys, [file] * 4)}
    assert len(made) == 4
    assert {*made, "first", "second"} == {key.id for key in read_keyring(file, None).keys}


@pytest.mark.parametrize(("call", "at"), [("os.fsync", 1), ("os.replace", 1), ("tempfile.mkstemp", 1), ("os.fdopen", 1), ("os.fchmod", 1), ("os.open", 1)], ids=str)
def test_a_failing_key_change_keeps_the_old_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, call: str, at: int) -> None:
    """The old file stays until the new one is on the disk, and no copy of the keys lies about."""
    file = tmp_path / "keys"
    write_keyring(file, RING)
    module, _, name = call.partition(".")
    with monkeypatch.context() as patched:
        patched.setattr(call, Failing(getattr(sys.modules[module], name), at))
        refusal("file-unwritable", lambda: rotate_keys(file))
    assert read_keyring(file, None) == RING
    assert {"keys", ".keys.lock"} == {found.name for found in tmp_path.iterdir()}


def test_a_rotated_key_file_stays_whose_it_was(tmp_path: Path) -> None:
    """Owner and mode are kept, and a link to the file stays a link."""
    file, link = tmp_path / "keys", tmp_path / "link"
    file.write_text(TEXT, encoding="ascii")
    file.chmod(0o640)
    link.symlink_to(file)
    if os.geteuid() == 0:
        os.chown(file, 12345, 12345)
    before = file.stat()
    rotate_keys(link)
    assert link.is_symlink()
    assert (before.st_uid, before.st_gid, before.st_mode) == (file.stat().st_uid, file.stat().st_gid, file.stat().st_mode)
    assert len(read_keyring(link, None).keys) == 3


def test_secrets_are_never_shown() -> None:
    """A keyring in a log or a traceback shows ids only."""
    assert re.findall(r"id='(\w+)'", repr(RING)) == ["first", "second"]
    assert not any(secret in repr(RING) for secret in ("\\x01", "\\x02", "\\x03", ONE, TWO, NAMES))
