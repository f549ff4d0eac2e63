"""What every piece of office work needs: the forms, the store, the agency's procedure."""

from dataclasses import dataclass

from formsvc.catalog import Catalog
from formsvc.model.procedure import Procedure
from formsvc.service import Service
from formsvc.settings import Settings
from formsvc.store.store import Store, open_store


@dataclass(frozen=True, slots=True, kw_only=True)
class Office:
    """An installation with its data."""

    service: Service
    store: Store

    @property
    def catalog(self) -> Catalog:
        """The forms."""
        return self.service.catalog

    @property
    def procedure(self) -> Procedure:
        """What the procedures leave to the agency."""
        return self.catalog.profile.procedure


def open_office(settings: Settings) -> Office:
    """The installation with its data, made on first use."""
    return Office(service=Service(settings), store=open_store(settings))
