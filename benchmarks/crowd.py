"""The process that plays staff for `benchmarks.web`: some upload worksheets, others browse, all at once; prints what it saw as JSON.

Usage: python -m benchmarks.crowd PLAN.json — the plan has the address, and for each person a cookie and either files or pages.
"""

import http.client
import json
import random
import re
import secrets
import sys
import threading
import time
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlsplit

_PAUSE: Final = (0.5, 1.5)
"""Seconds that somebody who browses looks at a page."""


class Visitor:
    """One browser of one person: a cookie, and what was seen."""

    def __init__(self, address: str, cookie: str) -> None:
        """Know where to go."""
        self._host, self._cookie = urlsplit(address).netloc, cookie
        self.seconds: list[float] = []
        self.wrong: list[str] = []

    def ask(self, method: str, path: str, body: bytes | None = None, *, accept: str = "text/html", kind: str = "", counted: bool = True) -> tuple[int, bytes]:
        """One request; a connection that breaks is told as status 0."""
        headers = {"Cookie": self._cookie, "Accept": accept, **({"Content-Type": kind} if kind else {})}
        began = time.perf_counter()
        try:
            connection = http.client.HTTPConnection(self._host, timeout=60)
            connection.request(method, path, body, headers)
            answer = connection.getresponse()
            content = answer.read()
            self._cookie = _merged(self._cookie, answer.headers.get_all("Set-Cookie") or [])
            connection.close()
        except OSError as broken:
            self.wrong.append(f"{method} {path.partition('?')[0]}: {type(broken).__name__}")
            return 0, b""
        if counted:
            self.seconds.append(time.perf_counter() - began)
        if answer.status >= 300:
            self.wrong.append(f"{method} {re.sub('[0-9]+', 'N', path)}: {answer.status}")
        return answer.status, content


def _merged(cookie: str, news: list[str]) -> str:
    """The cookie header with what the server set."""
    jar = dict(part.split("=", 1) for part in cookie.split("; "))
    jar |= dict(new.partition(";")[0].split("=", 1) for new in news)
    return "; ".join(f"{name}={value}" for name, value in jar.items())


def browse(visitor: Visitor, pages: list[str], stop: threading.Event, chance: random.Random) -> None:
    """Look at one page after the other, with pauses as people make them."""
    while not stop.is_set():
        visitor.ask("GET", chance.choice(pages))
        stop.wait(chance.uniform(*_PAUSE))


def upload(visitor: Visitor, files: list[str], acknowledged: list[str], seconds: list[float]) -> None:
    """Send files one after the other as the page's script does; what is acknowledged is noted. A broken connection is tried again."""
    batch = secrets.token_hex(6)
    token = ""
    for file in files:
        content = Path(file).read_bytes()
        for _ in range(60):
            if not token:
                status, page = visitor.ask("GET", "/uploads", counted=False)
                found = re.search(rb'name="csrf_token" value="([^"]+)"', page)
                token = found[1].decode() if status == 200 and found else ""
            began = time.perf_counter()
            status, _ = visitor.ask("POST", "/uploads", _form(token, batch, Path(file).name, content), accept="application/json", kind="multipart/form-data; boundary=limit-of-a-part", counted=False) if token else (0, b"")
            if status == 202:
                seconds.append(time.perf_counter() - began)
                acknowledged.append(file)
                break
            time.sleep(0.5)


def _form(token: str, batch: str, name: str, content: bytes) -> bytes:
    parts = [f'--limit-of-a-part\r\nContent-Disposition: form-data; name="{field}"\r\n\r\n{value}\r\n'.encode() for field, value in (("csrf_token", token), ("batch", batch))]
    head = f'--limit-of-a-part\r\nContent-Disposition: form-data; name="files"; filename="{name}"\r\nContent-Type: application/pdf\r\n\r\n'.encode()
    return b"".join([*parts, head, content, b"\r\n--limit-of-a-part--\r\n"])


def main() -> None:
    """Play the plan."""
    plan: dict[str, Any] = json.loads(Path(sys.argv[1]).read_text(encoding="utf-8"))
    stop, acknowledged, upload_seconds = threading.Event(), list[str](), list[float]()
    readers = [Visitor(plan["address"], cookie) for cookie, _ in plan["readers"]]
    senders = [Visitor(plan["address"], cookie) for cookie, _ in plan["senders"]]
    reading = [threading.Thread(target=browse, args=(visitor, pages, stop, random.Random(number))) for number, (visitor, (_, pages)) in enumerate(zip(readers, plan["readers"], strict=True))]  # noqa: S311
    sending = [threading.Thread(target=upload, args=(visitor, files, acknowledged, upload_seconds)) for visitor, (_, files) in zip(senders, plan["senders"], strict=True)]
    began = time.monotonic()
    for thread in (*reading, *sending):
        thread.start()
    for thread in sending:
        thread.join()
    sent = time.monotonic() - began
    stop.wait(max(0.0, plan["least_seconds"] - sent))
    stop.set()
    for thread in reading:
        thread.join()
    wrong = [fault for visitor in (*readers, *senders) for fault in visitor.wrong]
    print(json.dumps({"pages": sorted(second for visitor in readers for second in visitor.seconds), "uploads": sorted(upload_seconds), "sent_seconds": sent, "acknowledged": acknowledged, "wrong": wrong}))


if __name__ == "__main__":
    main()
