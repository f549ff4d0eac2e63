"""Webhooks, as programs look after them."""

from collections.abc import Mapping
from dataclasses import asdict
from typing import Any, Final

from flask import Response, url_for
from flask.typing import ResponseReturnValue

from formsvc.office import hooks as work
from formsvc.store.hooks import Delivery, Hook, read_deliveries, read_hooks
from formsvc.web.access import me, office
from formsvc.web.api import schemas
from formsvc.web.api.door import Told, endpoint
from formsvc.web.api.paging import Paged, number_after, paged

_HOOK: Final = "/hooks/<int:hook>"
_TAG: Final = "Webhooks"


def _hook(found: Hook) -> dict[str, Any]:
    return asdict(found)


def _delivery(found: Delivery) -> dict[str, Any]:
    return asdict(found) | {"data": found.told}


@endpoint("GET", "/hooks", "hooks:read", _TAG, Told(answer=schemas.page_of(schemas.Hook), query=schemas.Page))
def hooks(query: Mapping[str, Any]) -> Paged:
    """List the webhooks of the installation."""
    after = number_after(query)
    with office().store.reading() as connection:
        found = [hook for hook in read_hooks(connection) if hook.id > after]
    return paged([_hook(one) for one in found[: query["limit"] + 1]], query, lambda one: one["id"])


@endpoint("POST", "/hooks", "hooks:write", _TAG, Told(answer=schemas.HookMade, status=201, body=schemas.HookWanted))
def add_hook(data: Mapping[str, Any]) -> tuple[Mapping[str, Any], int, Mapping[str, str]]:
    """Let a program be told of events; the secret of its signatures is told here once."""
    person = work.person_named(office(), data["person"]).id if data["person"] else me().id
    key, secret = work.add_hook(office(), person=person, url=data["url"], events=data["events"])
    return {**_hook(_known(key)), "secret": secret}, 201, {"Location": url_for("api.hook", hook=key)}


def _known(key: int) -> Hook:
    with office().store.reading() as connection:
        return work.known_hook(connection, key)


@endpoint("GET", _HOOK, "hooks:read", _TAG, Told(answer=schemas.Hook))
def hook(hook: int) -> ResponseReturnValue:
    """One webhook."""
    return _hook(_known(hook))


@endpoint("PATCH", _HOOK, "hooks:write", _TAG, Told(answer=schemas.Hook, body=schemas.HookChange))
def change_hook(data: Mapping[str, Any], hook: int) -> ResponseReturnValue:
    """Pause a webhook, or let it go on."""
    return _hook(work.set_active(office(), hook, active=data["active"]))


@endpoint("DELETE", _HOOK, "hooks:write", _TAG, Told(status=204))
def remove_hook(hook: int) -> ResponseReturnValue:
    """Forget a webhook with its deliveries."""
    work.remove_hook(office(), hook)
    return Response(status=204)


@endpoint("POST", f"{_HOOK}/test", "hooks:write", _TAG, Told(answer=schemas.Delivery, status=202))
def test_hook(hook: int) -> ResponseReturnValue:
    """Tell a webhook that it is tried out."""
    number = work.send_test(office(), hook)
    with office().store.reading() as connection:
        return _delivery(next(one for one in read_deliveries(connection, hook) if one.id == number))


@endpoint("GET", f"{_HOOK}/deliveries", "hooks:read", _TAG, Told(answer=schemas.page_of(schemas.Delivery), query=schemas.Page))
def deliveries(query: Mapping[str, Any], hook: int) -> Paged:
    """List what a webhook was told, the newest first, with what became of it."""
    known = _known(hook)
    with office().store.reading() as connection:
        found = read_deliveries(connection, known.id, before=number_after(query) or None, most=query["limit"] + 1)
    return paged([_delivery(one) for one in found], query, lambda one: one["id"])


@endpoint("POST", f"{_HOOK}/deliveries/<int:delivery>/again", "hooks:write", _TAG, Told(answer=schemas.Delivery, status=202))
def deliver_again(hook: int, delivery: int) -> ResponseReturnValue:
    """Tell something once more."""
    return _delivery(work.send_again(office(), hook, delivery))
