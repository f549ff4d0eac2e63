"""Calls another program's address: looked up once, checked, called at exactly the address that was checked; no redirects.

An address of one's own network is refused: otherwise whoever chooses a webhook's address could reach
what stands behind the firewall.
"""

import http
import ipaddress
import re
import socket
import ssl
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Final
from urllib.parse import urlsplit

from formsvc.errors import Refused

SECONDS: Final = 10.0
"""A call may take so long, from looking its address up to the end of the answer's first line."""
_MOST_LINE: Final = 1024
_MOST_REST: Final = 65_536
_HTTPS: Final = 443
_FIRST_FREE_PORT: Final = 1024
_HOST: Final = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9.-]{0,251}[A-Za-z0-9])?")
_PATH: Final = re.compile(r"[A-Za-z0-9._~!$&'()*+,;=:@%/?-]*")
_STATUS: Final = re.compile(rb"HTTP/1\.[01] ([1-5][0-9][0-9])[ \r]")
_NAT64: Final = ipaddress.ip_network("64:ff9b::/96")
Address = ipaddress.IPv4Address | ipaddress.IPv6Address


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """An address in its parts."""

    host: str
    port: int
    path: str
    secure: bool

    @property
    def named(self) -> str:
        """The host as a request names it."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return host if self.port == (_HTTPS if self.secure else 80) else f"{host}:{self.port}"


def read_target(url: str, *, anywhere: bool) -> Target:
    """An address in its parts; refuses one that could never be called."""
    try:
        parts = urlsplit(url)
        host, port = parts.hostname or "", parts.port
    except ValueError as problem:
        raise Refused("hook-url") from problem
    secure = parts.scheme == "https"
    is_usual = secure or (anywhere and parts.scheme == "http")
    if not is_usual or "@" in parts.netloc or parts.fragment or not _is_host(host) or len(url) > _MOST_LINE or not _PATH.fullmatch(f"{parts.path}?{parts.query}"):
        raise Refused("hook-url")
    target = Target(host=host, port=port or (_HTTPS if secure else 80), path=(parts.path or "/") + (f"?{parts.query}" if parts.query else ""), secure=secure)
    if not anywhere and (target.port not in {_HTTPS, *range(_FIRST_FREE_PORT, 65536)} or _is_near(host)):
        raise Refused("hook-address")
    return target


def _is_host(host: str) -> bool:
    return _HOST.fullmatch(host) is not None or (":" in host and _literal(host) is not None)


def _literal(host: str) -> Address | None:
    try:
        return ipaddress.ip_address(host)
    except ValueError:
        return None


def _is_near(host: str) -> bool:
    """Whether a host tells by itself that it is no public one: an address of a network of one's own, a name without a domain."""
    found = _literal(host)
    if found is not None:
        return not is_public(found)
    return "." not in host.strip(".") or host.rstrip(".").endswith((".localhost", ".local", ".internal", ".home.arpa"))


def is_public(address: Address) -> bool:
    """Whether an address is one of the public internet; where another one is wrapped in it, that one counts."""
    inner = _wrapped(address)
    return is_public(inner) if inner is not None else address.is_global and not address.is_multicast and not address.is_reserved


def _wrapped(address: Address) -> Address | None:
    if isinstance(address, ipaddress.IPv4Address):
        return None
    if address in _NAT64:
        return ipaddress.IPv4Address(int(address) & 0xFFFFFFFF)
    return address.ipv4_mapped or address.sixtofour or (address.teredo[1] if address.teredo else None)


def resolve(target: Target, *, anywhere: bool) -> str:
    """The address to call; refuses a host that has none, and one of whose addresses any is not public."""
    try:
        found = socket.getaddrinfo(target.host, target.port, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError) as problem:
        raise Refused("hook-unreachable") from problem
    addresses = [str(entry[4][0]).partition("%")[0] for entry in found]
    if not anywhere and not all(is_public(ipaddress.ip_address(address)) for address in addresses):
        raise Refused("hook-address")
    return _preferred(addresses)


def _preferred(addresses: Sequence[str]) -> str:
    """The first address of the older kind, which every network can reach; else the first."""
    return next((address for address in addresses if ":" not in address), addresses[0])


# ---------------------------------------------------------------- called


def post(url: str, content: bytes, headers: Mapping[str, str], *, anywhere: bool, seconds: float = SECONDS) -> int:
    """Send content to an address; the status of its answer. Refuses what cannot be reached in time."""
    until = time.monotonic() + seconds
    target = read_target(url, anywhere=anywhere)
    address = resolve(target, anywhere=anywhere)
    try:
        with _connected(target, address, until) as line:
            _send(line, _request(target, content, headers), until)
            return _status(line, until)
    except TimeoutError as problem:
        raise Refused("hook-slow") from problem
    except (OSError, ValueError) as problem:
        raise Refused("hook-unreachable") from problem


def _left(until: float) -> float:
    left = until - time.monotonic()
    if left <= 0:
        raise TimeoutError
    return left


def _connected(target: Target, address: str, until: float) -> socket.socket:
    plain = socket.create_connection((address, target.port), timeout=_left(until))
    if not target.secure:
        return plain
    try:
        plain.settimeout(_left(until))
        return _trust().wrap_socket(plain, server_hostname=target.host)
    except BaseException:
        plain.close()
        raise


@cache
def _trust() -> ssl.SSLContext:
    return ssl.create_default_context()


def _request(target: Target, content: bytes, headers: Mapping[str, str]) -> bytes:
    told = {"Host": target.named, **headers, "Content-Length": str(len(content)), "Connection": "close"}
    lines = [f"POST {target.path} HTTP/1.1", *(f"{name}: {value}" for name, value in told.items()), "", ""]
    return "\r\n".join(lines).encode("ascii") + content


def _send(line: socket.socket, content: bytes, until: float) -> None:
    line.settimeout(_left(until))
    line.sendall(content)


def _status(line: socket.socket, until: float) -> int:
    """The status in the answer's first line; nothing else of it is looked at."""
    read = b""
    while True:
        while (found := _STATUS.match(read)) is None:
            read += _more(line, until)
            if len(read) > _MOST_LINE:
                raise ValueError
        if (status := int(found[1])) >= http.HTTPStatus.OK:
            _drain(line, until)
            return status
        while b"\r\n\r\n" not in read:  # an interim answer: the real one follows
            read += _more(line, until)
            if len(read) > _MOST_REST:
                raise ValueError
        read = read.partition(b"\r\n\r\n")[2]


def _more(line: socket.socket, until: float) -> bytes:
    line.settimeout(_left(until))
    some = line.recv(4096)
    if not some:
        raise ConnectionError
    return some


def _drain(line: socket.socket, until: float) -> None:
    """Let the other side finish, lest it takes our hanging up for a failure."""
    taken = 0
    try:
        while taken < _MOST_REST:
            taken += len(_more(line, min(until, time.monotonic() + 1)))
    except (OSError, TimeoutError):
        return
