"""The application: blueprints, the guard before them, words, and where it keeps its secrets."""

from datetime import timedelta
from typing import Any, Final

from flask import Flask, request
from werkzeug.middleware.proxy_fix import ProxyFix

from formsvc import __version__
from formsvc.errors import where_it_failed
from formsvc.office.office import Office, open_office
from formsvc.office.people import ABSOLUTE
from formsvc.protection.sealed_text import derived_key
from formsvc.settings import PACKAGE, Settings
from formsvc.web import admin, cases, fill, guard, month, navigation, overview, review, sign_in, tokens, uploads, words
from formsvc.web.api import document

BLUEPRINTS: Final = (sign_in.pages, month.pages, fill.pages, uploads.pages, review.pages, cases.pages, overview.pages, admin.pages, tokens.pages)


class _Application(Flask):
    """Flask, whose log tells where something failed and nothing of what people wrote."""

    def log_exception(self, exc_info: Any) -> None:
        """Note a failure of ours without its words."""
        self.logger.error("%s %s: %s", request.method, request.endpoint, where_it_failed(exc_info[1]))


def create_app(settings: Settings, office: Office | None = None) -> Flask:
    """The web service of an installation."""
    office = office or open_office(settings)
    app = _Application("formsvc", template_folder=str(PACKAGE / "templates"), static_folder=str(PACKAGE / "static" / "web"), root_path=str(PACKAGE))
    secure = settings.url.startswith("https://")
    app.config.update(
        SECRET_KEY=derived_key(settings.key, "web-session"),
        SESSION_COOKIE_NAME="__Host-formsvc" if secure else "formsvc",
        SESSION_COOKIE_SECURE=secure,
        SESSION_COOKIE_HTTPONLY=True,
        SESSION_COOKIE_SAMESITE="Lax",
        PERMANENT_SESSION_LIFETIME=ABSOLUTE,
        MAX_CONTENT_LENGTH=(settings.most_megabytes + 1) * 1_000_000,  # pages allow less or more, see the guard
        MAX_FORM_MEMORY_SIZE=8_000_000,
        MAX_FORM_PARTS=20_000,
        WTF_CSRF_TIME_LIMIT=int(timedelta(hours=12).total_seconds()),
        WTF_CSRF_SSL_STRICT=secure,
        TRANSLATIONS=PACKAGE / "translations",
        PREFERRED_URL_SCHEME="https" if secure else "http",
    )
    app.jinja_env.trim_blocks = app.jinja_env.lstrip_blocks = True
    app.jinja_env.globals["version"] = __version__
    words.prepare(app)
    guard.prepare(app, office)
    navigation.prepare(app)
    document.prepare(app, settings)
    for blueprint in BLUEPRINTS:
        app.register_blueprint(blueprint)
    if settings.proxies:
        app.wsgi_app = ProxyFix(app.wsgi_app, x_for=settings.proxies, x_proto=settings.proxies, x_host=settings.proxies)  # type: ignore[method-assign]
    return app


