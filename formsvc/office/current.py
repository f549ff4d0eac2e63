"""The office with the forms and words as they stand now: every process looks whether another one changed the templates."""

from dataclasses import replace

from formsvc.office.office import Office
from formsvc.office.template_store import STAMP, VERSIONS
from formsvc.service import Service
from formsvc.settings import Settings

Mark = tuple[int, int]


class CurrentOffice:
    """Gives the office; opens its catalog anew when the stamp of the templates folder is another one. One `stat` each time."""

    def __init__(self, office: Office) -> None:
        """Begin with an office as it was opened."""
        self._office = office
        self._mark = _mark(office.service.settings)

    def __call__(self) -> Office:
        """The office as it is now."""
        settings = self._office.service.settings
        if (mark := _mark(settings)) != self._mark:
            self._office, self._mark = replace(self._office, service=Service(settings)), mark
        return self._office


def _mark(settings: Settings) -> Mark | None:
    """Which stamp lies in the templates folder; None where there is none."""
    if settings.templates is None:
        return None
    try:
        found = (settings.templates / VERSIONS / STAMP).stat()
    except OSError:
        return None
    return found.st_mtime_ns, found.st_ino
