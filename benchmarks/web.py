"""The web service under load: 20 people upload 200 worksheets while 20 others browse; then the same while processes are killed.

Pages are asked for by a second process. There is no peer; the figures stand against what people feel.
"""

import contextlib
import json
import os
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from benchmarks.grantee import MONTH, answered, roster
from benchmarks.table import Row, yes
from benchmarks.worksheets import ROOT
from formsvc.office.month import issue_month
from formsvc.office.office import Office, open_office
from formsvc.office.people import invite
from formsvc.office.verify import verify
from formsvc.service import Service
from formsvc.settings import Settings, read_settings
from formsvc.store.jobs import count_jobs
from formsvc.store.papers import Document
from formsvc.store.people import add_session, change_person, digest_of, give_units
from formsvc.store.roster import RosterWriter
from formsvc.store.schema import returns
from formsvc.web.app import create_app
from formsvc.web.guard import TOKEN

_SENDERS: Final = 20
_READERS: Final = 20
_FILES: Final = 10
_CHILDREN: Final = 20
_MOST: Final = 0.3
_LEAST_SECONDS: Final = 25.0
_PORT: Final = 8077


def run(service: Service, _rounds: int) -> Iterator[Row]:
    """All rows of this benchmark."""
    what = f"{_SENDERS} staff upload {_SENDERS * _FILES} worksheets, {_READERS} browse"
    for killing in (False,) if "CALM" in os.environ else (False, True):
        with tempfile.TemporaryDirectory() as folder:
            ground = _prepared(Path(folder), service)
            yield from _killed(what, ground) if killing else _calm(what, ground)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Ground:
    """An installation with papers, people and the plan of the crowd."""

    environ: dict[str, str]
    settings: Settings
    plan: Path


def _prepared(folder: Path, service: Service) -> _Ground:
    environ = {
        **os.environ, "FORMSVC_DATA": str(folder / "data"), "FORMSVC_CACHE": str(service.settings.cache), "FORMSVC_KEY": "5a" * 32, "FORMSVC_DATABASE": "", "FORMSVC_FILES": "",
        "FORMSVC_FILES_KEY": f"first {'1' * 64},names {'2' * 64}", "FORMSVC_URL": f"http://127.0.0.1:{_PORT}",
    }
    settings = read_settings(environ)
    office = open_office(settings)
    with office.store.writing() as connection:
        writer = RosterWriter(connection)
        for line in roster(_SENDERS * _FILES, _CHILDREN):
            writer.enrol(line)
    worksheets = [(result.unit.id, document) for result in issue_month(office, MONTH) for document in result.documents if document.form == "worksheet"]
    plan = folder / "plan.json"
    plan.write_text(json.dumps(_plan(office, folder, worksheets)), encoding="utf-8")
    office.store.engine.dispose()
    return _Ground(environ=environ, settings=settings, plan=plan)


def _plan(office: Office, folder: Path, worksheets: list[tuple[int, Document]]) -> dict[str, Any]:
    senders, readers = [], []
    for number in range(_SENDERS):
        own = worksheets[number * _FILES : (number + 1) * _FILES]
        files = []
        for unit, document in own:
            file = folder / f"{unit}.pdf"
            file.write_bytes(answered(office, document))
            files.append(str(file))
        units = [unit for unit, _ in own]
        pages = [f"/month/{MONTH}", "/uploads", "/review", *(f"/fill/{document.sheet}" for _, document in own[:3]), *(f"/review/sheet/{document.sheet}" for _, document in own[:3])]
        senders.append((_cookie(office, f"sender{number}", units), files))
        readers.append((_cookie(office, f"reader{number}", units), pages))
    return {"address": f"http://127.0.0.1:{_PORT}", "senders": senders, "readers": readers[:_READERS], "least_seconds": _LEAST_SECONDS}


def _cookie(office: Office, name: str, units: list[int]) -> str:
    """Somebody of these units who is signed in."""
    key, secret = invite(office, name, roles=("staff",))
    with office.store.writing() as connection:
        change_person(connection, key, password="-")  # noqa: S106  (nobody signs in with it)
        give_units(connection, key, units)
        add_session(connection, digest_of(secret), key, second=True)
    app = create_app(office.service.settings, office)
    signer = app.session_interface.get_signing_serializer(app)  # type: ignore[attr-defined]
    return f"formsvc={signer.dumps({TOKEN: secret, '_permanent': True})}"


# ---------------------------------------------------------------- measured


@contextmanager
def _serving(ground: _Ground) -> Iterator[subprocess.Popen[bytes]]:
    process = subprocess.Popen([sys.executable, "-m", "formsvc", "serve", "--port", str(_PORT)], cwd=ROOT, env=ground.environ, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    time.sleep(8)
    try:
        yield process
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait(60)


def _crowd(ground: _Ground, meanwhile: Callable[[subprocess.Popen[str]], None]) -> dict[str, Any]:
    crowd = subprocess.Popen([sys.executable, "-m", "benchmarks.crowd", str(ground.plan)], cwd=ROOT, stdout=subprocess.PIPE, text=True)
    meanwhile(crowd)
    told: dict[str, Any] = json.loads(crowd.communicate(timeout=600)[0])
    return told


def _settled(office: Office) -> float:
    """Seconds until no job waits or runs any more."""
    began = time.monotonic()
    while time.monotonic() - began < 300:
        with office.store.reading() as connection:
            counts = count_jobs(connection)
        if not counts.get("waiting") and not counts.get("running"):
            break
        time.sleep(0.5)
    return time.monotonic() - began


def _counted(office: Office) -> int:
    with office.store.reading() as connection:
        return len(list(connection.execute(returns.select().where(returns.c.state == "counted"))))


def _calm(what: str, ground: _Ground) -> Iterator[Row]:
    office = open_office(ground.settings)
    with _serving(ground):
        told = _crowd(ground, lambda _crowd: None)
        rest = _settled(office)
    pages, uploads = told["pages"], told["uploads"]
    p95 = pages[int(len(pages) * 0.95)]
    for fault, count in Counter(told["wrong"]).most_common(5):
        print(f"{count} times {fault}", file=sys.stderr)
    out = f"{len(pages)} pages; median {pages[len(pages) // 2] * 1000:.0f} ms, slowest {pages[-1] * 1000:.0f} ms; {len(told['wrong'])} errors"
    yield Row(what=what, who="page, p95", result=f"{p95 * 1000:.0f} ms", target=f"< {_MOST * 1000:.0f} ms", held=yes(p95 < _MOST and not told["wrong"]), out=out)
    yield Row(what=what, who="upload acknowledged, p95", result=f"{uploads[int(len(uploads) * 0.95)] * 1000:.0f} ms", out=f"all sent in {told['sent_seconds']:.1f} s, the last one read {rest:.1f} s later")
    lost, faults = len(told["acknowledged"]) - _counted(office), sum(1 for _ in verify(office))
    yield Row(what=what, who="lost", result=str(lost), target="0", held=yes(lost == 0 and faults == 0), out=f"{len(told['acknowledged'])} acknowledged, {_counted(office)} counted; verify: {faults} faults")


def _killed(what: str, ground: _Ground) -> Iterator[Row]:
    office = open_office(ground.settings)
    kills: list[int] = []
    with _serving(ground) as server:

        def kill(crowd: subprocess.Popen[str]) -> None:
            while crowd.poll() is None and len(kills) < 12:
                time.sleep(1.5)
                victims = _children(server.pid)
                if victims:
                    victim = victims[len(kills) % len(victims)]
                    with contextlib.suppress(ProcessLookupError):
                        os.kill(victim, signal.SIGKILL)
                        kills.append(victim)

        told = _crowd(ground, kill)
        rest = _settled(office)
    lost, faults = len(told["acknowledged"]) - _counted(office), sum(1 for _ in verify(office))
    out = f"{len(told['acknowledged'])} acknowledged, {_counted(office)} counted {rest:.1f} s after the last one; verify: {faults} faults"
    yield Row(what=f"{what}, {len(kills)} kills", who="lost", result=str(lost), target="0", held=yes(lost == 0 and faults == 0), out=out)


def _children(pid: int) -> list[int]:
    """The page server, its processes and the workers."""
    listed = subprocess.run(["ps", "-eo", "pid=,ppid="], check=True, capture_output=True, text=True).stdout.split("\n")  # noqa: S607
    parents: dict[int, list[int]] = {}
    for line in listed:
        if line.strip():
            child, parent = map(int, line.split())
            parents.setdefault(parent, []).append(child)
    found, front = [], [pid]
    while front:
        front = [child for one in front for child in parents.get(one, [])]
        found += front
    return found
