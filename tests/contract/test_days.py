"""A day in a body is a day of the client's zone: its first moment, or as an end its last; and what
an end of a job means for its reference and for the count of jobs.
"""

from typing import Any

import pytest
import sqlalchemy as sa

from contract.office import NOON, Office
from handbill.clients import service as clients
from handbill.core.nouns import JobBody
from handbill.jobs import service
from handbill.kit.instants import DAY, HOUR, SECOND, instant_of_iso, iso_of
from handbill.store.records.tables import also_carried, feeds

JOB = {"refNumber": "r", "title": "Nurse", "description": "care", "url": "https://jobs.example/1"}
DAY_ON = "2026-11-18"  # the office's day in UTC


@pytest.mark.parametrize("day", ["11/18/2026", DAY_ON, "20261118", "2026-W47-3", " 18/11/2026 "])
@pytest.mark.parametrize(
    ("zone", "first", "last"),
    [
        ("UTC-10:00", "2026-11-18T10:00:00.000Z", "2026-11-19T09:59:59.999Z"),
        ("UTC+13:00", "2026-11-17T11:00:00.000Z", "2026-11-18T10:59:59.999Z"),
        ("Europe/Berlin", "2026-11-17T23:00:00.000Z", "2026-11-18T22:59:59.999Z"),
    ],
)
def test_a_job_is_published_and_ends_on_days_of_its_client(
    module_office: Office, day: str, zone: str, first: str, last: str
) -> None:
    office, client = module_office, module_office.client(timeZone=zone)
    office.new(f"{client}/jobs", JOB | {"publishedDate": day, "endAtDate": day})
    found = office.get(f"{client}/jobs/r")
    assert (found["pubDate"], found["postedDate"], found["endAtDate"]) == (first, first, last)
    office.put(f"{client}/jobs/r", {"endAtDate": found["endAtDate"], "pubDate": found["pubDate"]})
    assert office.get(f"{client}/jobs/r")["endAtDate"] == last, "what is answered can be sent back"
    office.put(f"{client}/jobs/r", {"endAtDate": "2026-11-18T08:30", "pubDate": f"{DAY_ON}T10:00Z"})
    found = office.get(f"{client}/jobs/r")
    assert found["pubDate"] == f"{DAY_ON}T10:00:00.000Z"
    local = instant_of_iso(first) + 8 * HOUR + HOUR // 2
    assert found["endAtDate"] == iso_of(local), "without an offset it is the client's time"


def test_a_job_that_ends_today_trades_today_and_no_longer(office: Office) -> None:
    for zone, ahead in (("UTC-10:00", -10), ("UTC+0:00", 0), ("UTC+14:00", 14)):
        client = office.client(timeZone=zone)
        today = NOON // DAY * DAY + (DAY if ahead == 14 else 0)
        for days, status in ((-1, "EXPIRED"), (0, "ACTIVE"), (1, "ACTIVE")):
            day = iso_of(today + days * DAY)[:10]
            office.new(f"{client}/jobs", JOB | {"refNumber": f"{days}", "endAtDate": day})
            assert office.get(f"{client}/jobs/{days}")["status"] == status, (zone, day)


def test_the_last_day_of_a_summer_time_has_25_hours(office: Office) -> None:
    client = office.client(timeZone="America/New_York")
    day = {"publishedDate": "11/01/2026", "endAtDate": "11/01/2026"}
    office.new(f"{client}/jobs", JOB | day)
    found = office.get(f"{client}/jobs/r")
    length = instant_of_iso(found["endAtDate"]) - instant_of_iso(found["pubDate"])
    assert length == 25 * HOUR - SECOND // 1_000


def test_a_markup_begins_with_a_day_of_its_clients(office: Office) -> None:
    west, east = (office.client(timeZone=zone)[9:] for zone in ("UTC-10:00", "UTC+13:00"))

    def told(since: Any, *ids: str) -> Any:
        entities = [{"clientId": id_, "level": "Client"} for id_ in ids]
        body = {"effectiveFrom": since, "value": 1, "entities": entities}
        reply = office.ask("POST", "/markups", body)
        if reply.status == 400:
            return [fault["field"] for fault in reply.json["errors"]]
        return office.get(f"/markups/{reply.json['result']}")["effectiveFrom"]

    day = NOON // SECOND - 12 * 3_600
    assert told("11/18/2026", west) == told(f"{DAY_ON}T00:00", west) == day + 10 * 3_600
    assert told(DAY_ON, east) == day - 13 * 3_600
    assert told(DAY_ON, east, west) == told(f"{DAY_ON}T00:00", west, east) == ["/effectiveFrom"]
    assert told(f"{DAY_ON}T00:00:00.5Z", west, east) == told(day, west, east) == day
    made = office.new(
        "/markups",
        {"effectiveFrom": DAY_ON, "value": 1, "entities": [{"clientId": west, "level": "Client"}]},
    )
    both = [{"clientId": id_, "level": "Client"} for id_ in (west, east)]
    office.put(f"/markups/{made}", {"entities": both})
    assert office.get(f"/markups/{made}")["effectiveFrom"] == day + 10 * 3_600, "it stays"
    assert office.faults("PUT", f"/markups/{made}", {"effectiveFrom": DAY_ON})


def test_an_expired_job_is_not_counted_and_its_reference_is_free(office: Office) -> None:
    client = office.client()
    ended = {"endAtDate": DAY_ON, "jobSetting": {"cpcBid": 1}, "city": "Rome"}
    office.new(f"{client}/jobs", JOB | ended)
    office.new(f"{client}/jobs", JOB | {"refNumber": "other"})
    assert office.faults("POST", f"{client}/jobs", JOB) == {"/refNumber": "already exists"}
    office.clock.forward(12 * HOUR)
    reply = office.ask("GET", f"{client}/jobs?page=1&limit=1")
    assert (reply.json["summary"], reply.json["data"][0]["status"]) == (1, "EXPIRED")
    assert 'rel="next"' in reply.headers["link"], "the pages go on to all that are listed"
    id_ = office.new(f"{client}/jobs", JOB | {"endAtDate": "12/31/2026"})
    found = office.get(f"{client}/jobs/r")
    assert (found["jobId"], found["status"], found["city"]) == (id_, "ACTIVE", "")
    assert found["jobSetting"] == {}
    assert office.get(f"{client}/jobs?page=1&limit=9")["summary"] == 2
    assert office.faults("POST", f"{client}/jobs", JOB) == {"/refNumber": "already exists"}


def test_a_job_that_its_feed_has_ended_can_be_taken_over_by_api(office: Office) -> None:
    client = office.client()
    with office.desk.records.write() as tx:
        noun = clients.client_of(tx, 1, client[9:])
        feed_no = tx.put(
            feeds, id="f", client_no=noun.no, status="A", body="{}", created_at=0, updated_at=0
        )
        body = JobBody(
            ref="r", title="Cook", description="x", url="https://jobs.example/2", end_at=NOON
        )
        service.apply(tx, noun, feed_no, [service.written(body, None, b"raw")], NOON)
    assert office.get(f"{client}/jobs/r")["status"] == "EXPIRED"
    office.new(f"{client}/jobs", JOB)
    found = office.get(f"{client}/jobs/r")
    assert (found["title"], found["status"], found["fromFeed"]) == ("Nurse", "ACTIVE", False)
    with office.desk.records.write() as tx:
        assert tx.all(sa.select(also_carried.c.feed_no)) == [(feed_no,)], (
            "the feed carries it still"
        )
        body = JobBody(
            ref="r", title="Cook", description="y", url="https://jobs.example/2", end_at=NOON
        )
        applied = service.apply(tx, noun, feed_no, [service.written(body, None, b"new")], NOON)
    assert list(applied.held_by_api) == ["r"]
    assert office.get(f"{client}/jobs/r")["title"] == "Nurse"
