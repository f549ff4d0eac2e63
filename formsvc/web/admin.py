"""What administrators and auditors find: roster, people, templates, logs, health. One blueprint, a module for each place."""

from formsvc.web import admin_health, admin_log, admin_people, admin_roster, admin_templates
from formsvc.web.admin_pages import pages

__all__ = ("admin_health", "admin_log", "admin_people", "admin_roster", "admin_templates", "pages")
