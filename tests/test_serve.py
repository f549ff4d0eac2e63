"""`formsvc serve` as it is started: everything up with one command, nothing lost when its processes are killed, production parts too."""

import http.client
import os
import re
import secrets
import signal
import subprocess
import sys
import time
import urllib.request
from contextlib import suppress
from pathlib import Path
from typing import Any
from unittest.mock import Mock

import pytest
import redis

from formsvc.errors import Refused
from formsvc.office.tokens import make_token
from formsvc.office.verify import verify
from formsvc.store.jobs import read_jobs
from formsvc.store.people import find_person
from formsvc.web.sample import lay_sample
from formsvc.web.wall import check_wall, is_wanted
from tests.offices import discussed, documents, filled, issue, open_test_office
from tests.site import Site, cookie_of, serving

pytest_plugins = ["tests.servers"]
pytestmark = pytest.mark.xdist_group("serve")


class Client:
    """A browser without pictures: cookies, forms."""

    def __init__(self, site: Site, name: str) -> None:
        """Somebody of the sample, signed in."""
        self._host = site.url.removeprefix("http://")
        self._cookies = {"formsvc": cookie_of(site, name, "en-US")}

    def ask(self, method: str, path: str, body: bytes | None = None, kind: str = "") -> tuple[int, str]:
        """A request; a broken connection is status 0."""
        headers = {"Cookie": "; ".join(f"{name}={value}" for name, value in self._cookies.items()), "Accept": "application/json" if method == "POST" else "text/html", "Content-Type": kind}
        try:
            connection = http.client.HTTPConnection(self._host, timeout=30)
            connection.request(method, path, body, headers)
            answer = connection.getresponse()
            text = answer.read().decode()
            for cookie in answer.headers.get_all("Set-Cookie") or []:
                name, _, value = cookie.partition(";")[0].partition("=")
                self._cookies[name] = value
            connection.close()
        except OSError:
            return 0, ""
        return answer.status, text

    def upload(self, content: bytes) -> bool:
        """Whether a file was acknowledged."""
        _, page = self.ask("GET", "/uploads")
        token = re.search(r'name="csrf_token" value="([^"]+)"', page)
        if not token:
            return False
        limit = secrets.token_hex(8)
        head = f'--{limit}\r\nContent-Disposition: form-data; name="csrf_token"\r\n\r\n{token[1]}\r\n--{limit}\r\nContent-Disposition: form-data; name="files"; filename="a.pdf"\r\n\r\n'.encode()
        status, _ = self.ask("POST", "/uploads", head + content + f"\r\n--{limit}--\r\n".encode(), f"multipart/form-data; boundary={limit}")
        return status == 202


def processes(pid: int) -> list[int]:
    """Everything that a process started."""
    told = subprocess.run(["ps", "-eo", "pid=,ppid="], check=True, capture_output=True, text=True).stdout
    parents: dict[int, list[int]] = {}
    for line in filter(str.strip, told.splitlines()):
        child, parent = map(int, line.split())
        parents.setdefault(parent, []).append(child)
    found, front = [], [pid]
    while front:
        front = [child for one in front for child in parents.get(one, [])]
        found += front
    return found


def ended(site: Site, count: int) -> list[Any]:
    """The jobs, when so many have ended."""
    until = time.monotonic() + 60
    with site.behind() as office:
        while True:
            with office.store.reading() as connection:
                jobs = [job for job in read_jobs(connection, kind="receive") if job.is_ended]
            if len(jobs) >= count or time.monotonic() > until:
                return jobs
            time.sleep(0.3)


def copies(site: Site, count: int) -> list[bytes]:
    """So many different returns of the sample's worksheets."""
    with site.behind() as office:
        with office.store.reading() as connection:
            month = str(connection.exec_driver_sql("select max(month) from sheets").scalar_one())
        worksheets = documents(issue(office, month), "worksheet")
        return [filled(office, worksheets[number % len(worksheets)], discussed(f"{month}-12", (0, {"strengths": f"Copy {number}"})), salt=str(number)) for number in range(count)]


def test_killed_servers_and_workers_lose_nothing_that_was_acknowledged(tmp_path: Path, blanks: Path) -> None:
    """Page servers and workers are killed while files come in: what was acknowledged is done, and the store verifies clean."""
    with serving(tmp_path, blanks, "--servers", "2", "--workers", "2") as site:
        client, acknowledged = Client(site, "sam"), 0
        for number, content in enumerate(copies(site, 24)):
            for _ in range(40):
                if client.upload(content):
                    acknowledged += 1
                    break
                time.sleep(0.5)
            if number % 3 == 2:
                victims = processes(site.process.pid)
                with suppress(ProcessLookupError):
                    os.kill(victims[number % len(victims)], signal.SIGKILL)
        jobs = ended(site, acknowledged)
        assert acknowledged == 24
        assert {job.state for job in jobs} == {"done"}
        assert {job.result["state"] for job in jobs} <= {"counted", "waiting"}
        with site.behind() as office:
            assert list(verify(office)) == []


@pytest.fixture
def wall() -> None:
    """Bubblewrap; skips where it cannot be had."""
    try:
        check_wall()
    except Refused as refused:
        pytest.skip(str(refused))


def test_behind_a_wall_only_its_own_data_can_be_written(tmp_path: Path, blanks: Path, wall: None) -> None:
    """The service works as ever; every process of it sees this machine's files read-only, but for its own folders, and none of its processes."""
    del wall
    with serving(tmp_path, blanks, "--wall", "--servers", "2", "--workers", "1") as site:
        client = Client(site, "sam")
        assert client.upload(copies(site, 1)[0])
        assert [job.result["state"] for job in ended(site, 1)] == ["counted"]
        assert "inside bubblewrap" in (tmp_path / "serve.log").read_text()
        inside = [pid for pid in processes(site.process.pid) if b"formsvc" in Path(f"/proc/{pid}/cmdline").read_bytes().split(b"\0")[:3]]
        assert len(inside) >= 5
        own = {str(folder) for folder in (tmp_path / "data", tmp_path / "keys", blanks)}
        for pid in inside:
            mounts = [line.split() for line in Path(f"/proc/{pid}/mountinfo").read_text().splitlines()]
            written = {at: mounted for *_, at, mounted in (line[:6] for line in mounts) if "rw" in mounted.split(",")}
            places = {at for at in written if at != "/" and not at.startswith(("/dev", "/proc"))}
            assert next(line[5] for line in mounts if line[4] == "/").startswith("ro")
            assert own <= places
            assert [at for at in places - own if not Path(at).name.startswith("formsvc-")] == []
        drafts = [Path(at) for at in places - own]
    assert [folder for folder in drafts if folder.exists()] == []


def test_a_wall_that_cannot_be_is_told(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Without bubblewrap, or where nobody may make namespaces: one sentence, and nothing is started without it."""
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(Refused, match="not installed") as refused:
        check_wall()
    assert refused.value.code == "wall-unusable"
    (tmp_path / "bwrap").write_text("#!/bin/sh\necho 'bwrap: No permissions to create a new namespace' >&2\nexit 1\n")
    (tmp_path / "bwrap").chmod(0o755)
    with pytest.raises(Refused, match="No permissions to create a new namespace"):
        check_wall()
    told = subprocess.run([sys.executable, "-m", "formsvc", "serve", "--wall", "--sample"], env={**os.environ, "FORMSVC_DATA": str(tmp_path / "data")}, capture_output=True, text=True, check=False)
    assert told.returncode == 2
    assert "--no-wall starts without it" in told.stderr
    assert not (tmp_path / "data").exists()


@pytest.mark.parametrize(("asked", "around", "is_here", "wanted"), [(None, "", True, True), (None, "", False, False), (None, "container", True, False), (False, "", True, False), (True, "container", True, True)])
def test_the_wall_is_there_where_it_can_be(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], asked: bool | None, around: str, is_here: bool, wanted: bool) -> None:
    """Without being asked for, unless something else is around the service already; where it cannot be, that is said."""
    monkeypatch.setattr("formsvc.web.wall.walled_by", lambda: around)
    monkeypatch.setattr("formsvc.web.wall.check_wall", Mock(side_effect=None if is_here else Refused("wall-unusable", "", detail="it is not installed")))
    assert is_wanted(asked) == wanted
    assert ("No wall around the service" in capsys.readouterr().err) != is_here


@pytest.mark.parametrize("options", [("--no-wall",), ("--wall",)], ids=["open", "wall"])
def test_everything_ends_when_the_supervisor_is_told_or_killed(tmp_path: Path, blanks: Path, options: tuple[str, ...], request: pytest.FixtureRequest) -> None:
    """SIGTERM ends all of it; so does the death of the supervisor itself, or of what stands outside the wall."""
    if "--wall" in options:
        request.getfixturevalue("wall")
    for number in (signal.SIGTERM, signal.SIGKILL):
        folder = tmp_path / str(int(number))
        folder.mkdir()
        with serving(folder, blanks, "--servers", "2", "--workers", "1", *options, sample=False) as site:
            started = processes(site.process.pid)
            assert len(started) >= 3
            site.process.send_signal(number)
            until = time.monotonic() + 30
            while time.monotonic() < until and any(Path(f"/proc/{pid}").exists() for pid in started):
                time.sleep(0.3)
            assert [pid for pid in started if Path(f"/proc/{pid}").exists()] == []
            assert site.process.wait(10) == (0 if number == signal.SIGTERM else -number)


def test_production_parts(tmp_path: Path, blanks: Path, postgres_url: str, redis_url: str) -> None:
    """The same service on PostgreSQL with a worker started by itself; the API's requests are counted in Redis."""
    with serving(tmp_path, blanks, "--servers", "2", "--workers", "0", FORMSVC_DATABASE=postgres_url, FORMSVC_LIMITS=redis_url) as site:
        with site.behind() as office, office.store.reading() as connection:
            sam = find_person(connection, "sam")
        assert sam is not None
        with site.behind() as office:
            _, secret = make_token(office, sam, name="test", scopes=["papers:read"], days=1)
        request = urllib.request.Request(f"{site.url}/api/v1/units", headers={"Authorization": f"Bearer {secret}"})  # noqa: S310  (our own address)
        with urllib.request.urlopen(request, timeout=20) as answer:  # noqa: S310
            assert answer.status == 200
        with redis.Redis.from_url(redis_url) as counter:
            assert counter.dbsize() > 0
        client = Client(site, "sam")
        assert client.upload(copies(site, 1)[0])
        worker = subprocess.Popen([sys.executable, "-m", "formsvc", "worker"], env=site.environ)
        try:
            assert [job.result["state"] for job in ended(site, 1)] == ["counted"]
        finally:
            worker.send_signal(signal.SIGTERM)
            assert worker.wait(30) == 0
        assert client.ask("GET", "/month")[0] == 200


def test_a_sample_never_mixes_with_real_data(tmp_path: Path, blanks: Path) -> None:
    """Sample data go into an empty installation only."""
    office = open_test_office(tmp_path, blanks)
    lay_sample(office)
    with pytest.raises(Refused) as refused:
        lay_sample(office)
    assert refused.value.code == "sample-not-empty"
    office.store.engine.dispose()
