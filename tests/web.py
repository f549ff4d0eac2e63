"""The web service for tests: an application over a test office, people of every role, browsers that are signed in."""

import secrets
from collections.abc import Iterable
from typing import Any, Final

from flask import Flask
from flask.testing import FlaskClient
from itsdangerous import URLSafeTimedSerializer
from werkzeug.test import TestResponse

from formsvc.model.people import Person, Role
from formsvc.office.office import Office
from formsvc.office.people import change_person, invite, use_link
from formsvc.store.people import add_session, digest_of, read_person
from formsvc.store.roster import read_units
from formsvc.web.app import create_app
from formsvc.web.guard import TOKEN

PASSWORD: Final = "copper lantern drifts north"
RAW: Final = "0123456789abcdef0123456789abcdef01234567"


def web_app(office: Office) -> Flask:
    """The application over an office."""
    app = create_app(office.service.settings, office)
    app.testing = False  # errors become pages, as for people
    return app


def person(office: Office, name: str, *roles: Role, units: Iterable[str] = ()) -> Person:
    """Somebody with these roles and units, by name."""
    key, secret = invite(office, name, shown=name.title(), roles=roles)
    use_link(office, secret, PASSWORD)
    wanted = set(units)
    with office.store.reading() as connection:
        keys = [unit.id for unit in read_units(connection) if unit.name in wanted]
    change_person(office, key, shown=name.title(), roles=roles, units=keys, active=True)
    with office.store.reading() as connection:
        found = read_person(connection, key)
    assert found is not None
    return found


def signed_in(app: Flask, office: Office, who: Person) -> FlaskClient:
    """A browser in which somebody is signed in, second factor and all."""
    token = secrets.token_urlsafe(16)
    with office.store.writing() as connection:
        add_session(connection, digest_of(token), who.id, second=True)
    client = app.test_client()
    with client.session_transaction() as cookie:
        cookie[TOKEN] = token
        cookie["csrf_token"] = RAW
    return client


def send(client: FlaskClient, url: str, data: dict[str, Any] | None = None, **more: Any) -> TestResponse:
    """A form that is sent as its page would send it."""
    return client.post(url, data={"csrf_token": page_token(client), **(data or {})}, **more)


def page_token(client: FlaskClient) -> str:
    """The token that a page carries in this browser."""
    return str(URLSafeTimedSerializer(client.application.secret_key or b"", salt="wtf-csrf-token").dumps(RAW))
