"""Serves pages and keeps everything alive: one command starts several processes, each of which may die without loss.

The supervisor starts the page server (gunicorn) and the background workers, and starts again what dies. Every
server process answers one request at a time, so that reading a stranger's file may fork safely.
"""

import contextlib
import ctypes
import os
import secrets
import signal
import subprocess
import sys
import time
from collections.abc import Sequence
from typing import Any, Final

from flask import Flask
from gunicorn.app.base import BaseApplication

from formsvc.jobs.worker import let_go
from formsvc.model.kinds import LANGS
from formsvc.office.office import Office, open_office
from formsvc.renderers.web_form import Filling, screen_form
from formsvc.settings import Settings
from formsvc.web.app import create_app

_PATIENCE: Final = 30.0
_REQUEST_SECONDS: Final = 120
_LOOK: Final = 0.5
_DIE_WITH_PARENT: Final = 1  # PR_SET_PDEATHSIG of Linux; elsewhere workers look after their parent themselves


class _Server(BaseApplication):
    """Gunicorn with our settings instead of a command line."""

    def __init__(self, settings: Settings, options: dict[str, Any]) -> None:
        self._settings, self._options = settings, options
        super().__init__()

    def load_config(self) -> None:
        for name, value in self._options.items():
            self.cfg.set(name, value)

    def load(self) -> Any:
        """Once, before the server processes are forked: what is read here they share, connections they do not."""
        office = open_office(self._settings)
        app = create_app(self._settings, office)
        _warm(app, office)
        office.store.engine.dispose()
        return app


def _warm(app: Flask, office: Office) -> None:
    """Read forms and templates beforehand, so that nobody waits for it with the first page."""
    for name in app.jinja_env.list_templates(extensions=("html",)):
        app.jinja_env.get_template(name)
    for form in office.catalog.forms():
        counts = {group.name: group.minimum for group in form.groups}
        for lang in LANGS:
            screen_form(office.catalog, form, counts, lang, Filling())


def serve_pages(settings: Settings, *, host: str, port: int, servers: int) -> None:
    """Answer pages until told to stop."""
    options = {
        "bind": f"{host}:{port}", "workers": servers, "worker_class": "sync", "timeout": _REQUEST_SECONDS, "graceful_timeout": 20, "loglevel": "warning",
        "max_requests": 5000, "max_requests_jitter": 500, "limit_request_line": 4094, "control_socket_disable": True, "preload_app": True,
    }
    _Server(settings, options).run()


class Supervisor:
    """Starts processes by name and starts them again when they die, until told to stop."""

    def __init__(self, settings: Settings) -> None:
        """Know where the work is; nothing is started yet."""
        self._settings = settings
        self._commands: dict[str, Sequence[str]] = {}
        self._running: dict[str, subprocess.Popen[bytes]] = {}
        self._is_told = False

    def add(self, name: str, *arguments: str) -> None:
        """A process to keep alive: `formsvc` with these arguments."""
        self._commands[name] = (sys.executable, "-m", "formsvc", *arguments, "--parent", str(os.getpid()))

    def run(self) -> None:
        """Start everything and watch over it; SIGTERM and SIGINT end it when the work in hand is done."""
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, self._tell)
        for name in self._commands:
            self._start(name)
        while not self._is_told:
            time.sleep(_LOOK)
            for name, process in list(self._running.items()):
                if process.poll() is not None and not self._is_told:
                    self._again(name)
        self._stop()

    def _tell(self, _number: int, _frame: object) -> None:
        self._is_told = True

    def _start(self, name: str) -> None:
        lower = name.startswith("worker")
        self._running[name] = subprocess.Popen(self._commands[name], stdin=subprocess.DEVNULL, preexec_fn=_low if lower else _own)  # noqa: S603, PLW1509  (our own interpreter; one thread here)

    def _again(self, name: str) -> None:
        """What it had in hand is given back at once, then it starts anew."""
        if name.startswith("worker"):
            office = open_office(self._settings)
            let_go(office, name)
            office.store.engine.dispose()
        self._start(name)

    def _stop(self) -> None:
        for process in self._running.values():
            process.terminate()
        until = time.monotonic() + _PATIENCE
        for process in self._running.values():
            try:
                process.wait(max(0.1, until - time.monotonic()))
            except subprocess.TimeoutExpired:
                process.kill()


def _own() -> None:
    """A process group of its own: Ctrl+C is for the supervisor, which tells the others; they end when it dies."""
    os.setpgrp()
    with contextlib.suppress(OSError, AttributeError):
        ctypes.CDLL(None).prctl(_DIE_WITH_PARENT, signal.SIGTERM)


def _low() -> None:
    """Pages come before work in the background."""
    _own()
    os.nice(5)


def serve_all(settings: Settings, *, host: str, port: int, servers: int, workers: int) -> None:
    """Pages and workers, until told to stop."""
    supervisor = Supervisor(settings)
    supervisor.add("pages", "pages", "--host", host, "--port", str(port), "--servers", str(servers))
    own = secrets.token_hex(4)  # process numbers are the same behind every wall
    for number in range(workers):
        name = f"worker-{own}-{number + 1}"
        supervisor.add(name, "worker", "--name", name)
    supervisor.run()


