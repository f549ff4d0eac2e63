"""Background work: what was acknowledged is done, whatever dies; it can be watched, cancelled and begun again."""

from collections.abc import Iterator
from datetime import date
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy

from formsvc.errors import Refused
from formsvc.jobs.worker import let_go, work_once
from formsvc.office.background import Wanted, job_of, jobs_of, new_batch, start, start_upload, stop_job, tidy, try_again
from formsvc.office.incoming import Found
from formsvc.office.office import Office
from formsvc.office.people import change_person
from formsvc.office.verify import verify
from formsvc.store.jobs import Job, claim, go_on, read_job
from formsvc.store.papers import Document, open_questions
from formsvc.store.schema import files
from formsvc.store.schema_people import jobs
from tests.offices import child, discussed, documents, enrol, filled, issue, open_test_office, plan, record
from tests.web import person, signed_in, web_app

pytest_plugins = ["tests.servers"]


@pytest.fixture(params=["sqlite", "postgresql"])
def office(request: pytest.FixtureRequest, tmp_path: Path, blanks: Path) -> Iterator[Office]:
    """One unit with its papers, on both databases."""
    database = request.getfixturevalue("postgres_url") if request.param == "postgresql" else ""
    office = open_test_office(tmp_path, blanks, database)
    enrol(office, [child(number) for number in range(1, 3)])
    plan(office, date(2026, 11, 12))
    issue(office, "2026-11")
    yield office
    office.store.engine.dispose()


def worksheet(office: Office) -> Document:
    """The unit's worksheet."""
    return documents(issue(office, "2026-11"), "worksheet")[0]


def upload(office: Office, content: bytes, name: str = "mine.pdf", who: int | None = None) -> int:
    """A file that was acknowledged."""
    return start_upload(office, who, Found(name=name, content=content), batch="b1")


def job(office: Office, number: int) -> Job:
    """A job as it is now."""
    with office.store.reading() as connection:
        found = read_job(connection, number)
    assert found is not None
    return found


def file_rows(office: Office) -> dict[str, str]:
    """The state of every stored file."""
    with office.store.reading() as connection:
        return {row.name: row.state for row in connection.execute(files.select())}


def test_an_upload_is_whole_before_it_is_read_and_after(office: Office) -> None:
    """An acknowledged file verifies clean while it waits and when it has been counted."""
    number = upload(office, filled(office, worksheet(office), discussed("2026-11-12", (0, {"strengths": "Kind"}))))
    assert list(verify(office)) == []
    assert work_once(office, "w1")
    assert not work_once(office, "w1")
    assert (job(office, number).state, job(office, number).result["state"]) == ("done", "counted")
    assert list(verify(office)) == []


def test_a_worker_that_dies_loses_nothing(office: Office) -> None:
    """Its job goes to the next worker, at once where its death is seen, else when its lease is over; the result is as if nothing had been."""
    document = worksheet(office)
    number = upload(office, filled(office, document, discussed("2026-11-12", (0, {"strengths": "Kind"}))))
    with office.store.writing() as connection:
        assert claim(connection, "dead") is not None
        assert claim(connection, "other") is None
    assert let_go(office, "dead") == 1
    assert work_once(office, "w2")
    assert job(office, number).result["state"] == "counted"
    rows: Any = record(office, document)["children"]
    assert rows[0]["strengths"] == "Kind"
    again = upload(office, filled(office, document, discussed("2026-11-12", (0, {"strengths": "Kind"})), salt="x"))
    with office.store.writing() as connection:
        claim(connection, "dead")
        connection.execute(jobs.update().where(jobs.c.id == again).values(lease="2026-01-01T00:00:00+00:00"))
    assert work_once(office, "w2")
    assert job(office, again).state == "done"


def test_a_job_whose_worker_died_after_the_file_was_stored_tells_what_became_of_it(office: Office) -> None:
    """The second try finds its own return and tells of it as counted, not as a file that was here before."""
    content = filled(office, worksheet(office), discussed("2026-11-12", (0, {"strengths": "Kind"})))
    number = upload(office, content)
    with office.store.writing() as connection:
        claimed = claim(connection, "dead")
    assert claimed is not None
    from formsvc.jobs.work import run  # noqa: PLC0415  (the first half of the work, as the worker would do it)

    run(office, claimed, lambda _done, _of: None)
    let_go(office, "dead")
    assert work_once(office, "w2")
    assert job(office, number).result["state"] == "counted"
    other = upload(office, content, "again.pdf")
    assert work_once(office, "w2")
    assert job(office, other).result["state"] == "again"


def test_a_job_that_kills_its_workers_is_given_up(office: Office) -> None:
    """After three tries it fails with its reason, and the next one goes on."""
    first, second = (upload(office, filled(office, worksheet(office), salt=name)) for name in "ab")
    for _ in range(3):
        with office.store.writing() as connection:
            assert claim(connection, "dead") is not None
        let_go(office, "dead")
    while work_once(office, "w"):
        pass
    assert (job(office, first).state, job(office, first).result["code"]) == ("failed", "job-given-up")
    assert job(office, second).state == "done"


def test_cancel_and_retry(office: Office) -> None:
    """A cancelled job does nothing, even where a worker has it in hand; begun again it goes on as if new."""
    who = person(office, "sam", "supervisor")
    batch = new_batch()
    number = start(office, who.id, Wanted(kind="papers", facts={"month": "2026-12", "units": None}, total=1), batch=batch)
    stop_job(office, who.id, number)
    assert not work_once(office, "w")
    with pytest.raises(Refused) as ended:
        stop_job(office, who.id, number)
    assert ended.value.code == "job-ended"
    try_again(office, who.id, number)
    with office.store.writing() as connection:
        claim(connection, "w")
    stop_job(office, who.id, number)
    with office.store.writing() as connection:
        assert not go_on(connection, number, "w", 0, 1)
    try_again(office, who.id, number)
    assert work_once(office, "w")
    assert jobs_of(office, who.id, batch)[0].result["papers"] == 2
    with pytest.raises(Refused) as unknown:
        job_of(office, who.id + 1, number)
    assert unknown.value.code == "job-unknown"


def test_a_refused_file_is_not_kept(office: Office) -> None:
    """What could not be read leaves no file behind, and says what to do."""
    before = file_rows(office)
    number = upload(office, b"%PDF-1.7 nothing of ours", "broken.pdf")
    assert len(file_rows(office)) == len(before) + 1
    assert work_once(office, "w")
    assert job(office, number).result["state"] == "refused"
    assert file_rows(office) == before
    assert list(verify(office)) == []


@pytest.mark.parametrize(("content", "code"), [(b"", "file-empty"), (b"MZ\x90", "upload-kind"), (b"<html>", "upload-kind"), (b"%PDF" + b"x" * 51_000_000, "file-too-large")])
def test_what_is_no_paper_is_refused_at_the_door(office: Office, content: bytes, code: str) -> None:
    """Empty, too large and other kinds of files are not stored at all."""
    before = file_rows(office)
    with pytest.raises(Refused) as refused:
        upload(office, content)
    assert refused.value.code == code
    assert file_rows(office) == before


def test_old_jobs_are_forgotten_with_what_they_made(office: Office) -> None:
    """A packet can be downloaded for two days; a job is remembered for thirty."""
    who = person(office, "sam", "supervisor")
    number = start(office, who.id, Wanted(kind="packet", facts={"month": "2026-11", "site": "Cedar Hall", "units": [1]}))
    assert work_once(office, "w")
    name = job(office, number).file
    assert name is not None
    assert office.store.vault.get(name).startswith(b"%PDF")
    tidy(office)
    assert job(office, number).file == name
    with office.store.writing() as connection:
        connection.execute(jobs.update().values(changed="2026-01-01T00:00:00+00:00"))
    assert tidy(office) == 1
    assert not office.store.vault.has(name)
    assert list(verify(office)) == []


def test_a_paper_that_is_being_read_cannot_be_cancelled(office: Office) -> None:
    """A receipt is not taken back half way: it is told so, and the job tells what became of it."""
    who = person(office, "sam", "supervisor")
    number = upload(office, filled(office, worksheet(office), discussed("2026-11-12", (0, {"strengths": "Kind"}))), who=who.id)
    with office.store.writing() as connection:
        claim(connection, "w")
    with pytest.raises(Refused) as refused:
        stop_job(office, who.id, number)
    assert refused.value.code == "job-too-late"


def test_what_somebody_sent_in_is_read_though_they_left(office: Office) -> None:
    """An upload of somebody who may not sign in any more waits for somebody who may."""
    who = person(office, "ana", "staff", units=["Preschool 1"])
    number = upload(office, filled(office, worksheet(office), discussed("2026-11-12", (0, {"strengths": "Kind"}))), who=who.id)
    change_person(office, who.id, shown="Ana", roles=("staff",), units=(), active=False)
    assert work_once(office, "w")
    assert (job(office, number).state, job(office, number).result["state"]) == ("done", "waiting")
    with office.store.reading() as connection:
        assert [row.code for row in open_questions(connection)] == ["not-your-unit"]


def test_two_jobs_with_the_same_bytes_keep_each_others_file(office: Office) -> None:
    """The same content twice is one file; what one job lets go the other still holds."""
    content = b"%PDF-1.7 nothing of ours"
    first, second = upload(office, content, "a.pdf"), upload(office, content, "b.pdf")
    assert work_once(office, "w")
    assert work_once(office, "w")
    assert [job(office, number).result["state"] for number in (first, second)] == ["refused", "refused"]
    assert list(verify(office)) == []


def test_packets_close_with_their_units(office: Office) -> None:
    """Who lost a unit cannot download its papers any more."""
    who = person(office, "ana", "staff", units=["Preschool 1"])
    number = start(office, who.id, Wanted(kind="packet", facts={"month": "2026-11", "site": "Cedar Hall", "units": [1]}))
    assert work_once(office, "w")
    client = signed_in(web_app(office), office, who)
    assert client.get(f"/jobs/{number}/file").status_code == 200
    change_person(office, who.id, shown="Ana", roles=("staff",), units=(), active=True)
    assert signed_in(web_app(office), office, who).get(f"/jobs/{number}/file").status_code == 404


def test_what_fails_is_logged_without_what_people_wrote(office: Office, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture) -> None:
    """A failure of ours, in a worker or on a page, tells its kind and its lines; its words may hold names."""
    child_name = "Ana Pereira"

    def fails(*_: object) -> None:
        raise ValueError(f"{child_name} lives in the old mill") from KeyError(child_name)

    monkeypatch.setattr("formsvc.jobs.worker.run", fails)
    upload(office, filled(office, worksheet(office)))
    assert work_once(office, "w1")
    monkeypatch.setattr("formsvc.web.month.my_units", fails)
    with caplog.at_level("ERROR"):
        app = web_app(office)
        app.config["PROPAGATE_EXCEPTIONS"] = False
        assert signed_in(app, office, person(office, "ana", "staff")).get("/month").status_code == 500
    assert "ValueError from KeyError" in caplog.text
    assert "test_jobs.py" in caplog.text
    assert "Pereira" not in caplog.text
    with pytest.raises(Refused) as refused, office.store.writing() as connection:
        connection.execute(sqlalchemy.text("INSERT INTO nowhere VALUES (:name)"), {"name": child_name})
    assert "nowhere" in str(refused.value.__cause__)
    assert "Pereira" not in str(refused.value.__cause__)
