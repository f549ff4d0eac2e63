"""The document of the API as it is now: its routes, which stay, and what each form of the catalog adds, which administrators may change."""

from collections.abc import Mapping
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any, Final

from apispec import APISpec
from apispec.ext.marshmallow import MarshmallowPlugin
from flask import current_app, json
from marshmallow import Schema

from formsvc.catalog import Catalog
from formsvc.model.form import Form
from formsvc.web.access import office
from formsvc.web.api.door import API, Told, failures, manual
from formsvc.web.api.examples import example_of
from formsvc.web.api.issuing import DOCUMENT, ISSUE, PDF, issue_schema
from formsvc.web.api.schemas import PapersWanted

NAME: Final = "formsvc-api"
"""Where an application keeps it."""
_ABOUT: Final = """Values stand in their one spelling, as the form's schema says. Without `values` the form is blank. The header Formsvc-Document has the new document's id."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Reference:
    """The document, and what is sent to have each form issued."""

    catalog: Catalog
    spec: Mapping[str, Any]
    issue_schemas: Mapping[str, type[Schema]]

    def values_schema(self, form: Form) -> dict[str, Any]:
        """The JSON Schema of a form's values, complete in itself."""
        known = self.spec["components"]["schemas"]
        parts = {name: known[name] for group in form.groups if (name := f"{form.id.name}-{group.name}") in known}
        text = json.dumps({"$schema": "https://json-schema.org/draft/2020-12/schema", **known[f"{form.id.name}-v{form.id.version}"], "$defs": parts})
        return dict(json.loads(text.replace('"#/components/schemas/', '"#/$defs/')))


class CurrentReference:
    """Gives the reference; makes it anew when there is another catalog."""

    def __init__(self, routes: Mapping[str, Any]) -> None:
        """Begin with the document of the routes."""
        self._routes = routes
        self._known: Reference | None = None

    def __call__(self, catalog: Catalog) -> Reference:
        """The reference for these forms."""
        if self._known is None or self._known.catalog is not catalog:
            self._known = _with_forms(self._routes, catalog)
        return self._known


def reference() -> Reference:
    """The reference for the forms as they are now."""
    current: CurrentReference = current_app.extensions[NAME]
    return current(office().catalog)


def _with_forms(routes: Mapping[str, Any], catalog: Catalog) -> Reference:
    spec = APISpec("forms", "1", "3.1.0", plugins=[MarshmallowPlugin()])
    wanted = {form.id.name: issue_schema(form) for form in catalog.forms()}
    for form in catalog.forms():
        spec.path(path=API + ISSUE.replace("<form>", form.id.name), operations={"post": _operation(form, wanted[form.id.name])})
    added = spec.to_dict()
    components = {**routes["components"], "schemas": {**routes["components"]["schemas"], **added["components"]["schemas"]}}
    paths = dict(sorted({**routes["paths"], **added["paths"]}.items()))
    return Reference(catalog=catalog, spec={**routes, "paths": paths, "components": components}, issue_schemas=wanted)


def _operation(form: Form, schema: type[Schema]) -> dict[str, Any]:
    """A form's own entry: what is sent to have it issued."""
    told = Told(gives=PDF, body=PapersWanted)
    file = {"description": "OK", "content": {PDF: {"schema": {"type": "string", "format": "binary"}}}, "headers": {DOCUMENT: {"schema": {"type": "string"}, "description": "The new document's id."}}}
    return {
        "tags": ["Forms"], "summary": f"{form.titles.en}: make a fillable PDF with values of your own; nothing is kept.", "description": _ABOUT,
        **manual(f"issue_{form.id.name.replace('-', '_')}", "POST", "papers:issue"),
        "requestBody": {"required": True, "content": {"application/json": {"schema": schema, "example": example_of(schema)}}},
        "responses": {"200": file, **{str(status): {"$ref": f"#/components/responses/{HTTPStatus(status).name}"} for status in failures("POST", "", "papers:issue", told)}},
    }  # fmt: skip
