import json
from pathlib import Path
import pytest
from tests import test_api, test_hooks
from tests.offices import open_test_office, enrol, child, plan, issue, documents, discussed, need, send as send_back
from datetime import date
from formsvc.office.cases import keep_case
from formsvc.settings import samples_folder
pytest_plugins = ["tests.servers"]

@pytest.fixture
def office(tmp_path, blanks, database):
    office = open_test_office(tmp_path, blanks, database)
    enrol(office, [child(n) for n in range(1, 4)])
    enrol(office, [child(n, unit="Preschool 2") for n in range(11, 13)])
    plan(office, date(2026, 11, 12))
    r = issue(office, "2026-11")
    for unit in ("Preschool 1", "Preschool 2"):
        for text in ("Hearing check", "Another check"):
            send_back(office, documents(r, "worksheet", unit)[0], discussed("2026-11-12", (0, need(text))))
    keep_case(office, "2026-001", json.loads((samples_folder() / "cases" / "conference.json").read_bytes()))
    return office

for n in dir(test_api):
    if n.startswith("test_") and n not in ("test_a_body_that_is_no_request_is_a_problem",) : globals()[n]=getattr(test_api,n)
receiver=test_hooks.receiver
for n in ("test_the_waits_grow_and_end","test_a_worker_that_dies_with_a_delivery_loses_nothing","test_a_removed_hook_takes_its_deliveries_with_it_and_old_ones_are_forgotten","test_paused_hooks_and_people_who_left_are_told_nothing"):
    globals()[n]=getattr(test_hooks,n)
