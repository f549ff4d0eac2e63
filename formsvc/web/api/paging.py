"""Pages of lists: items, where the next page begins, and the same as a Link header (RFC 8288)."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, TypeVar
from urllib.parse import urlencode

from flask import request

Item = TypeVar("Item")
Paged = tuple[Mapping[str, Any], int, Mapping[str, str]]


def number_after(query: Mapping[str, Any]) -> int:
    """The number after which a page begins, where a list is in order of numbers."""
    return int(query["after"] or 0)


def paged(found: Sequence[Item], query: Mapping[str, Any], key: Callable[[Item], object]) -> Paged:
    """A page of what was found; it holds one more than is shown where there is a next page."""
    most = int(query["limit"])
    items, following = found[:most], None
    if len(found) > most:
        following = str(key(items[-1]))
    links = [f'<{_url("")}>; rel="first"', *([f'<{_url(following)}>; rel="next"'] if following else [])]
    return {"items": list(items), "next": following}, 200, {"Link": ", ".join(links)}


def _url(after: str) -> str:
    query = {name: value for name, value in request.args.items() if name != "after"} | ({"after": after} if after else {})
    return request.base_url + (f"?{urlencode(query)}" if query else "")
