"""Single jobs: added, changed, switched, deleted by API, beside those that feeds bring."""

from typing import Any

import pytest
import sqlalchemy as sa

from contract.office import Office
from handbill.clients import service as clients
from handbill.core.nouns import JobBody
from handbill.jobs import rows, service, writing
from handbill.kit.instants import HOUR
from handbill.store.records.tables import feeds, tasks, unmatched

JOB: dict[str, Any] = {
    "refNumber": "r1",
    "title": "Nurse",
    "description": "care",
    "url": "https://jobs.example/1",
}


def _tasks(office: Office) -> set[str]:
    with office.desk.records.write() as tx:
        found = {kind for (kind,) in tx.all(sa.select(tasks.c.kind))}
        tx.run(sa.delete(tasks))
    return found


def _marks(office: Office) -> int:
    with office.desk.records.write() as tx:
        return tx.run(sa.delete(unmatched))


def _job(office: Office, client: str, **more: Any) -> str:
    body = JOB | more
    office.new(f"{client}/jobs", body)
    return f"{client}/jobs/{body['refNumber']}"


def _feed_job(office: Office, client: str, ref: str = "fed", **more: Any) -> str:
    """A job as a feed's import writes it."""
    with office.desk.records.write() as tx:
        noun = clients.client_of(tx, 1, client[9:])
        feed_no = tx.put(
            feeds,
            id=f"feed-{ref}",
            client_no=noun.no,
            status="A",
            body="{}",
            created_at=0,
            updated_at=0,
        )
        body = JobBody(ref=ref, title="Cook", description="x", url="https://jobs.example/2", **more)
        written = service.written(body, "2026-11-01", b"raw")
        service.apply(tx, noun, feed_no, [written], office.clock.now())
    return f"{client}/jobs/{ref}"


def test_a_job_is_kept_marked_and_announced(office: Office) -> None:
    client = office.client()
    _tasks(office)
    job = _job(office, client, zip="02134", company="Acme", pubDate="11/01/2026")
    found = office.get(job)
    assert (found["valid"], found["status"], found["zip"]) == (True, "ACTIVE", "02134")
    assert found["pubDate"] == found["postedDate"] == "2026-11-01T00:00:00.000Z"
    assert found["endAtDate"] is None
    assert (_tasks(office), _marks(office)) == ({"groups.rematch"}, 1)


def test_what_nobody_sees_is_no_part_of_a_url(office: Office) -> None:
    client = office.client()
    path = _job(office, client, url="\ufeffhttps://jobs.example/1\u200b\u00a0")
    assert office.get(path)["url"] == "https://jobs.example/1"


def test_the_id_is_the_digest_of_client_and_reference(office: Office) -> None:
    one, two = office.client(), office.client()
    ids = {office.get(_job(office, client))["jobId"] for client in (one, two)}
    assert ids == {writing.job_id(client[9:], "r1") for client in (one, two)}
    assert len(ids) == 2


@pytest.mark.parametrize(
    ("without", "missing"),
    [(("title",), ["title"]), (("description", "url"), ["description", "url"])],
)
def test_a_job_that_lacks_what_is_mandatory_is_not_valid(
    office: Office, without: tuple[str, ...], missing: list[str]
) -> None:
    client = office.client()
    body = {key: value for key, value in JOB.items() if key not in without}
    office.new(f"{client}/jobs", body)
    found = office.get(f"{client}/jobs/r1")
    assert (found["valid"], found["missingFields"]) == (False, missing)
    for verb, url, sent in (
        ("PUT", "", {"city": "x"}),
        ("PUT", "/pause", None),
        ("PUT", "/enable", None),
    ):
        assert office.faults(verb, f"{client}/jobs/r1{url}", sent)
    assert office.ask("DELETE", f"{client}/jobs/r1").status == 200


def test_all_faults_of_a_job_are_named(office: Office) -> None:
    body = {
        "refNumber": "a\nb",
        "title": 5,
        "url": "javascript:alert(1)",
        "alternateURL": "http://",
        "zip": True,
        "publishedDate": "yesterday",
        "endAtDate": 5,
        "additionalFields": {"a b": []},
        "publisherFields": {"publishers": "x", "P": {"<": "y"}},
        "jobSetting": {
            "markdown": 101,
            "caps": {"budget": {"cap": "Daily", "value": 1}},
            "startDate": "02/02/2026",
            "endDate": "01/01/2026",
        },
        "placementSettings": [{}, {"value": "P", "cpcBid": -1}],
    }
    assert set(office.faults("POST", f"{office.client()}/jobs", body)) == {
        "/refNumber",
        "/title",
        "/url",
        "/alternateURL",
        "/zip",
        "/publishedDate",
        "/endAtDate",
        "/additionalFields/a b",
        "/publisherFields/publishers",
        "/publisherFields/P/<",
        "/jobSetting/markdown",
        "/jobSetting/caps/budget/cap",
        "/jobSetting/endDate",
        "/placementSettings/0/value",
        "/placementSettings/1/cpcBid",
    }
    assert office.faults("POST", f"{office.client()}/jobs", {}) == {"/refNumber": "is required"}
    twice = JOB | {"placementSettings": [{"value": "TestExp1"}, {"value": "TestExp1"}]}
    url = f"{office.client()}/jobs"
    assert set(office.faults("POST", url, twice)) == {"/placementSettings/1/value"}
    unknown = JOB | {"placementSettings": [{"value": "Nobody"}]}
    assert set(office.faults("POST", url, unknown)) == {"/placementSettings/0/value"}
    late = JOB | {"jobSetting": {"startDate": "02/02/2026", "endDate": "01/01/2026"}}
    assert set(office.faults("POST", url, late)) == {"/jobSetting/endDate"}


@pytest.mark.parametrize("at", ["0001-01-01T00:00:00+14:00", "9999-12-31T23:59:59Z"])
def test_instants_that_have_no_day_in_some_zone_are_refused(office: Office, at: str) -> None:
    body = JOB | {"publishedDate": at, "endAtDate": at}
    assert set(office.faults("POST", f"{office.client()}/jobs", body)) == {
        "/publishedDate",
        "/endAtDate",
    }


def test_a_used_reference_is_refused_whoever_brought_it(office: Office) -> None:
    client = office.client()
    _job(office, client)
    _feed_job(office, client)
    for ref in ("r1", "fed"):
        assert office.faults("POST", f"{client}/jobs", JOB | {"refNumber": ref}) == {
            "/refNumber": "already exists"
        }
    assert office.get(f"{client}/jobs?page=1&limit=10")["summary"] == 2


def test_an_update_changes_what_is_given(office: Office) -> None:
    client = office.client()
    job = _job(
        office,
        client,
        city="Rome",
        additionalFields={"shift": "night", "level": 3, "open": True},
        jobSetting={"cpcBid": 0.4, "markdown": 10, "caps": {"budget": {"value": 9}}},
    )
    before = office.get(job)
    assert before["additionalFields"] == {"shift": "night", "level": "3", "open": "true"}
    _tasks(office)
    _marks(office)
    office.put(job, {})
    assert office.get(job) == before
    assert (_tasks(office), _marks(office)) == (set(), 0)
    office.clock.forward(HOUR)
    office.put(job, {"jobSetting": {"markdown": None, "caps": {"clicks": {"value": 5}}}})
    after = office.get(job)
    assert set(after["jobSetting"]) == {"cpcBid", "caps"}
    assert set(after["jobSetting"]["caps"]) == {"budget", "clicks"}
    assert (_tasks(office), _marks(office)) == ({"control.follow"}, 0)
    office.put(job, {"city": None, "type": "PART_TIME", "additionalFields": {"new": "x"}})
    after = office.get(job)
    assert (after["city"], after["type"], after["additionalFields"]) == (
        "",
        "PART_TIME",
        {"new": "x"},
    )
    assert after["jobSetting"]["caps"]["clicks"]["value"] == 5
    assert after["modifiedDate"] > before["modifiedDate"]
    assert after["createdAtDate"] == before["createdAtDate"] < after["updatedAtDate"]
    assert (_tasks(office), _marks(office)) == ({"groups.rematch", "control.follow"}, 1)
    assert office.get(f"{client}/idx-mappings") == {
        "shift": "cif1",
        "level": "cif2",
        "open": "cif3",
        "new": "cif4",
    }
    assert set(office.faults("PUT", job, {"title": None, "url": " "})) == {"/title", "/url"}


def test_a_switched_job_keeps_its_switch_through_updates(office: Office) -> None:
    job = _job(office, office.client())
    _tasks(office)
    assert office.put(f"{job}/pause") == {"result": True, "message": "Job paused"}
    assert _tasks(office) == {"control.follow"}
    office.put(f"{job}/pause")
    assert _tasks(office) == set()
    office.put(job, {"title": "Doctor"})
    assert office.get(job)["status"] == "PAUSED"
    office.put(f"{job}/enable")
    assert office.get(job)["status"] == "ACTIVE"


def test_a_job_expires_at_its_end(office: Office) -> None:
    job = _job(office, office.client(), endAtDate="2026-11-18T13:00:00Z")
    assert office.get(job)["status"] == "ACTIVE"
    office.clock.forward(HOUR)
    assert office.get(job)["status"] == "EXPIRED"
    _marks(office)
    office.put(job, {"endAtDate": None})
    assert office.get(job)["status"] == "ACTIVE"
    assert _marks(office) == 1, "it needs a job group again"


def test_a_deleted_job_is_gone_and_may_be_added_anew(office: Office) -> None:
    client = office.client()
    job = _job(office, client, jobSetting={"cpcBid": 1}, city="Rome")
    id_ = office.get(job)["jobId"]
    office.put(f"{job}/pause")
    _marks(office)
    assert office.ask("DELETE", job).json == {"result": True, "message": "Job deleted"}
    assert _marks(office) == 1
    assert office.ask("DELETE", job).status == office.ask("GET", job).status == 404
    assert office.ask("POST", f"/jobs/bulk?client_id={client[9:]}", [id_]).json == []
    found = office.get(_job(office, client))
    assert (found["jobId"], found["status"], found["city"]) == (id_, "ACTIVE", "")
    assert found["jobSetting"] == {}


def test_a_job_of_a_feed_keeps_its_change_until_the_feed_says_something_new(office: Office) -> None:
    client = office.client()
    job = _feed_job(office, client)
    office.put(job, {"title": "Chef", "placementSettings": [{"value": "TestExp1", "cpcBid": 2}]})
    with office.desk.records.write() as tx:
        noun = clients.client_of(tx, 1, client[9:])
        stands = rows.standing(tx, noun.no, ["fed"])["fed"]
        assert stands.raw_digest == b"raw"
        body = JobBody(ref="fed", title="Cook 2", description="x", url="https://jobs.example/2")
        written = service.written(body, None, b"new")
        service.apply(tx, noun, stands.feed_no, [written], office.clock.now())
    found = office.get(job)
    assert (found["title"], found["fromFeed"]) == ("Cook 2", True)
    assert found["placementSettings"][0]["cpcBid"] == 2


def test_a_reference_may_hold_any_character(office: Office) -> None:
    client = office.client()
    office.new(f"{client}/jobs", JOB | {"refNumber": "a/b c?é%2F"})
    assert office.get(f"{client}/jobs/a%2Fb%20c%3F%C3%A9%252F")["refNumber"] == "a/b c?é%2F"


def test_jobs_are_found_only_under_their_client(office: Office) -> None:
    client, other = office.client(), office.another().client()
    job = _job(office, client)
    id_ = office.get(job)["jobId"]
    for url in (f"{office.client()}/jobs/r1", f"{other}/jobs/r1", f"{client}/jobs/none"):
        for verb, rest, body in (
            ("GET", "", None),
            ("PUT", "", {}),
            ("DELETE", "", None),
            ("PUT", "/pause", None),
            ("PUT", "/enable", None),
        ):
            reply = office.ask(verb, url + rest, body)
            assert (reply.status, reply.json["message"]) == (404, "Not found")
    assert office.ask("POST", f"/jobs/bulk?client_id={other[9:]}", [id_]).status == 404
    assert office.ask("POST", "/jobs/bulk", [id_]).status == 400
    assert office.ask("POST", f"/jobs/bulk?client_id={office.client()[9:]}", [id_]).json == []


def test_bulk_answers_in_the_order_asked_for(office: Office) -> None:
    client = office.client()
    jobs = [_job(office, client, refNumber=f"r{n}") for n in range(3)]
    ids = [office.get(job)["jobId"] for job in jobs]
    url = f"/jobs/bulk?client_id={client[9:]}"
    found = office.ask("POST", url, [ids[2], "0" * 32, ids[0], "x"]).json
    assert [job["refNumber"] for job in found] == ["r2", "r0"]
    assert office.ask("POST", url, []).json == []
    assert office.faults("POST", url, ["x"] * 1_001)
    assert office.faults("POST", url, {"a": 1})


def test_jobs_come_in_pages_from_1_up_to_ten_thousand(office: Office) -> None:
    client = office.client()
    for n in range(3):
        _job(office, client, refNumber=f"r{n}")
    reply = office.ask("GET", f"{client}/jobs?page=1&limit=2")
    assert [job["refNumber"] for job in reply.json["data"]] == ["r0", "r1"]
    assert reply.json["summary"] == 3
    assert 'page=2&limit=2>; rel="next"' in reply.headers["link"]
    assert office.get(f"{client}/jobs?page=2&limit=2")["data"][0]["refNumber"] == "r2"
    assert office.get(f"{client}/jobs?page=11&limit=1000") == {"data": [], "summary": 3}
    assert office.faults("GET", f"{client}/jobs?page=0&limit=2")


def test_no_more_than_ten_thousand_jobs_are_reached(office: Office) -> None:
    client = office.client()
    with office.desk.records.write() as tx:
        noun = clients.client_of(tx, 1, client[9:])
        brought = (service.written(JobBody(ref=f"r{n}"), None, None) for n in range(10_005))
        service.apply(tx, noun, None, brought, office.clock.now())
    reply = office.ask("GET", f"{client}/jobs?page=1429&limit=7")
    assert [job["refNumber"] for job in reply.json["data"]] == [
        f"r{n}" for n in range(9_996, 10_000)
    ]
    assert reply.json["summary"] == 10_005
    assert 'rel="next"' not in reply.headers["link"]
    assert office.get(f"{client}/jobs?page=11&limit=1000")["data"] == []


def test_a_number_names_a_job_and_a_blank_date_is_none(office: Office) -> None:
    client = office.client()
    office.new(f"{client}/jobs", JOB | {"refNumber": 1234, "endAtDate": " "})
    found = office.get(f"{client}/jobs/1234")
    assert (found["refNumber"], found["endAtDate"]) == ("1234", None)
    assert office.faults("POST", f"{client}/jobs", JOB | {"refNumber": "1234"})
    assert office.faults("POST", f"{client}/jobs", JOB | {"refNumber": 1234.0})
