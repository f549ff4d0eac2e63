"""How often a program may ask: counted for each token, or for each address where no token came."""

import time
from http import HTTPStatus
from typing import Any, Final

from flask import Flask, Response, current_app, g, request
from flask_limiter import HeaderNames, Limiter
from limits.storage import Storage

from formsvc.settings import Settings
from formsvc.web.guard import is_api

RATE: Final = "API_RATE"
"""The application's setting: how often, such as “600 per minute”."""
USUAL: Final = "600 per minute"
_MOST: Final = 10_000
_WAIT: Final = "X-RateLimit-Wait"


class Counts(Storage):
    """Counts in this process. The library's own keeps a thread for tidying up, and a server process that forks has none."""

    STORAGE_SCHEME: Final = ["formsvc"]  # type: ignore[misc]

    def __init__(self, uri: str | None = None, *, wrap_exceptions: bool = False, **_options: Any) -> None:
        """Nothing is counted yet."""
        super().__init__(uri, wrap_exceptions=wrap_exceptions)
        self._counts: dict[str, tuple[int, float]] = {}

    @property
    def base_exceptions(self) -> type[Exception]:
        """What the storage may raise."""
        return ValueError

    def incr(self, key: str, expiry: int, amount: int = 1) -> int:
        """Count on; what is over is forgotten."""
        now = time.time()
        count, until = self._counts.get(key, (0, 0.0))
        count, until = (count + amount, until) if until > now else (amount, now + expiry)
        if len(self._counts) >= _MOST:
            self._counts = {name: known for name, known in self._counts.items() if known[1] > now}
        self._counts[key] = (count, until)
        return count

    def get(self, key: str) -> int:
        """How many there are now."""
        count, until = self._counts.get(key, (0, 0.0))
        return count if until > time.time() else 0

    def get_expiry(self, key: str) -> float:
        """When counting begins anew."""
        return self._counts.get(key, (0, time.time()))[1]

    def check(self) -> bool:
        """It is always there."""
        return True

    def reset(self) -> int | None:
        """Forget everything."""
        known = len(self._counts)
        self._counts.clear()
        return known

    def clear(self, key: str) -> None:
        """Forget one."""
        self._counts.pop(key, None)


def prepare(app: Flask, settings: Settings) -> None:
    """Count every request of a program; storage that cannot be reached stops nobody."""
    app.config.setdefault(RATE, USUAL)
    app.after_request(_without_waiting)
    storage = "formsvc://" if settings.limits == "memory://" else settings.limits
    limiter = Limiter(
        _whose, app=app, application_limits=[lambda: str(current_app.config[RATE])], storage_uri=storage, strategy="fixed-window", headers_enabled=True, swallow_errors=True,
        header_name_mapping={HeaderNames.RETRY_AFTER: _WAIT},
    )
    limiter.request_filter(lambda: not is_api())


def _without_waiting(response: Response) -> Response:
    """Only who came too often is told how long until counting begins anew."""
    seconds = response.headers.pop(_WAIT, None)
    if seconds is not None and response.status_code == HTTPStatus.TOO_MANY_REQUESTS:
        response.headers["Retry-After"] = seconds
    return response


def _whose() -> str:
    caller = g.get("caller")
    return f"token:{caller.token.id}" if caller is not None else f"address:{request.remote_addr}"
