"""Real servers for tests: PostgreSQL and an S3 store, on loopback and free ports, gone when the tests are.

A test module takes their fixtures with the line `pytest_plugins = ["tests.servers"]`.
"""

import os
import pwd
import secrets
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import psycopg
import pytest

from tests.ports import LOOPBACK, free_port

_FAST: Final = ("fsync=off", "synchronous_commit=off", "full_page_writes=off")
_SMALL: Final = ("shared_buffers=32MB", "max_connections=60", "unix_socket_directories=", f"listen_addresses={LOOPBACK}", "log_min_messages=warning")


# ---------------------------------------------------------------- PostgreSQL


def postgres_programs() -> Path | None:
    """The folder of PostgreSQL's server programs, wherever this machine has them."""
    folders = [Path(found).resolve().parent for name in ("postgres", "initdb") if (found := shutil.which(name))]
    if shutil.which("pg_config"):
        folders.append(Path(subprocess.run(["pg_config", "--bindir"], check=True, capture_output=True, text=True).stdout.strip()))
    folders += sorted(Path("/usr/lib/postgresql").glob("*/bin"), key=lambda folder: float(folder.parent.name), reverse=True)
    return next((folder for folder in folders if (folder / "initdb").exists() and (folder / "postgres").exists()), None)


def _server_user() -> dict[str, Any]:
    """How to run as somebody: PostgreSQL refuses to run as root."""
    if os.geteuid() != 0:
        return {}
    for name in ("postgres", "nobody"):
        try:
            user = pwd.getpwnam(name)
        except KeyError:
            continue
        return {"user": user.pw_uid, "group": user.pw_gid, "extra_groups": []}
    pytest.skip("PostgreSQL does not run as root, and there is no user “postgres”: install the package postgresql")


def _dying_with_us() -> list[str]:
    """The words before a server's command so that it stops when the tests are killed."""
    return ["setpriv", "--pdeathsig", "QUIT", "--"] if shutil.which("setpriv") else []


@dataclass(slots=True, kw_only=True)
class Postgres:
    """A PostgreSQL server that can be crashed and started again."""

    programs: Path
    folder: Path
    durable: bool
    """Whether commits are on the disk when they return; tests that crash the server want that."""
    user: dict[str, Any]
    port: int = 0
    _running: subprocess.Popen[bytes] | None = None
    _templates: set[str] = field(default_factory=set)

    def initialise(self) -> None:
        """Make an empty cluster."""
        command = [str(self.programs / "initdb"), "--auth=trust", "--username=formsvc", "--encoding=UTF8", "--locale=C", "--no-sync", "-D", str(self.folder / "data")]
        subprocess.run(command, check=True, capture_output=True, cwd=self.folder, env=self._environ(), **self.user)

    def start(self) -> None:
        """Run the server until it answers; a port that somebody else has taken meanwhile is left to them."""
        for _ in range(5):
            self.port = self.port or free_port()
            options = [word for option in (*_SMALL, f"port={self.port}", *(() if self.durable else _FAST)) for word in ("-c", option)]
            with (self.folder / "log").open("ab") as log:
                command = [*_dying_with_us(), str(self.programs / "postgres"), "-D", str(self.folder / "data"), *options]
                self._running = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=log, stderr=log, cwd=self.folder, env=self._environ(), **self.user)
            if self._answers():
                return
            self.stop()
            self.port = 0
        raise RuntimeError((self.folder / "log").read_text(encoding="utf-8", errors="replace")[-2000:])

    def stop(self) -> None:
        """Stop the server at once, as a crash of its machine's power would: it repairs itself at the next start."""
        if self._running:
            if self._running.poll() is None:
                self._running.send_signal(signal.SIGQUIT)
            self._running.wait(timeout=30)
            self._running = None

    def url(self, database: str) -> str:
        """SQLAlchemy's address of a database."""
        return f"postgresql+psycopg://formsvc@{LOOPBACK}:{self.port}/{database}"

    def new_database(self, template: str = "template0") -> str:
        """A fresh database like a template, by name."""
        name = f"test_{secrets.token_hex(6)}"
        self._say(f"CREATE DATABASE {name} TEMPLATE {template}")
        return name

    def drop_database(self, name: str) -> None:
        """Remove a database and whoever is still connected to it."""
        self._say(f"DROP DATABASE IF EXISTS {name} WITH (FORCE)")

    def template(self, name: str, fill: Callable[[str], None]) -> str:
        """A template made once per server: `fill` gets its address, and closes what it opens."""
        if name not in self._templates:
            self._say(f"CREATE DATABASE {name} TEMPLATE template0")
            fill(self.url(name))
            self._templates.add(name)
        return name

    def _say(self, command: str) -> None:
        with psycopg.connect(host=LOOPBACK, port=self.port, user="formsvc", dbname="postgres", autocommit=True) as connection:
            connection.execute(command.encode("ascii"))

    def _answers(self) -> bool:
        until = time.monotonic() + 30
        while time.monotonic() < until and self._running and self._running.poll() is None:
            try:
                self._say("SELECT 1")
            except psycopg.OperationalError:
                time.sleep(0.03)
            else:
                return self._running.poll() is None
        return False

    def _environ(self) -> dict[str, str]:
        return {"PATH": os.environ["PATH"], "LC_ALL": "C", "TZ": "UTC"}


@contextmanager
def running_postgres(*, durable: bool = False) -> Iterator[Postgres]:
    """A server of one's own, for as long as the block lasts; skips where PostgreSQL cannot be had."""
    programs = postgres_programs()
    if programs is None:
        pytest.skip("PostgreSQL is not installed: .ci/system test, or sudo apt-get install postgresql")
    user = _server_user()
    folder = Path(tempfile.mkdtemp(prefix="formsvc-pg-"))  # not pytest's folder, which the server's user may not enter
    server = Postgres(programs=programs, folder=folder, durable=durable, user=user)
    try:
        if server.user:
            os.chown(folder, server.user["user"], server.user["group"])
        server.initialise()
        server.start()
        yield server
    finally:
        server.stop()
        shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture(scope="session")
def postgres() -> Iterator[Postgres]:
    """One server per test process; nothing it holds survives."""
    with running_postgres() as server:
        yield server


@pytest.fixture
def postgres_url(postgres: Postgres) -> Iterator[str]:
    """A fresh, empty database."""
    name = postgres.new_database()
    yield postgres.url(name)
    postgres.drop_database(name)


# ---------------------------------------------------------------- S3


@dataclass(frozen=True, slots=True, kw_only=True)
class Bucket:
    """A bucket and what s3fs needs to reach it."""

    url: str
    options: dict[str, Any]


@pytest.fixture(scope="session")
def s3_options() -> Iterator[dict[str, Any]]:
    """An S3 server of this test process, with made-up credentials."""
    from moto.server import ThreadedMotoServer  # noqa: PLC0415  (it takes a second; most tests need no bucket)

    server = ThreadedMotoServer(ip_address=LOOPBACK, port=0, verbose=False)
    server.start()
    try:
        host, port = server.get_host_and_port()
        yield {"key": "testing", "secret": "testing", "client_kwargs": {"endpoint_url": f"http://{host}:{port}", "region_name": "us-west-2"}}
    finally:
        server.stop()


@pytest.fixture(scope="session")
def s3_files(s3_options: dict[str, Any]) -> Any:
    """s3fs itself, for looking at a bucket from outside."""
    import s3fs  # noqa: PLC0415  (as above)

    return s3fs.S3FileSystem(skip_instance_cache=True, use_listings_cache=False, **s3_options)


@pytest.fixture
def s3(s3_options: dict[str, Any], s3_files: Any) -> Bucket:
    """A fresh, empty bucket."""
    name = f"formsvc-{secrets.token_hex(6)}"
    s3_files.mkdir(name)
    return Bucket(url=f"s3://{name}/files", options=s3_options)


# ---------------------------------------------------------------- Redis


@pytest.fixture
def redis_url(tmp_path: Path) -> Iterator[str]:
    """A fresh Redis that keeps nothing."""
    program = shutil.which("redis-server")
    if program is None:
        pytest.skip("Redis is not here: install the package redis-server")
    port = free_port()
    process = subprocess.Popen([program, "--port", str(port), "--bind", LOOPBACK, "--save", "", "--appendonly", "no", "--dir", str(tmp_path)], stdout=subprocess.DEVNULL)
    try:
        for _ in range(100):
            with suppress(OSError), closing(socket.create_connection((LOOPBACK, port), 1)):
                break
            time.sleep(0.1)
        yield f"redis://{LOOPBACK}:{port}"
    finally:
        process.terminate()
        process.wait(10)
