"""The reference's samples of postings, rules and the funnel: what goes in, and what comes out."""

from typing import Any

import pytest

from contract.golden import Golden, differences
from contract.golden_samples import INSTANT, MD5, UUID, Begins
from contract.office import NOON, OPERATIONS, Body, Office
from contract.rooms_office import RoomsOffice, open_rooms
from contract.test_golden import _filled
from handbill.contract.funnel import routes as funnel
from handbill.contract.postings import jobs as posting_jobs
from handbill.contract.postings import routes as postings
from handbill.contract.rules import routes as rules
from handbill.kit.instants import DAY, iso_of

_AT = "/clients/{client}/publishers/TestExp1"
_CONFIG = f"{_AT}/configs/{{config}}"
_REF = "test-job-ref-number-19"
_SAMPLES = {one.number: one.sample for one in OPERATIONS if one.number}
_FORMAT = "yyyy-MM-dd'T'HH:mm:ssZ"
_SLOT = "SLOT"  # the reference's sample says only "string"

# The sample's own rates (20, 2) and duration (124) follow from none of its other numbers.
_LISTED: Body = {
    "id": UUID,
    "agencyId": "ripple",
    "clientIds": list,
    "placement": "TestExp1",
    "placementName": "TestExp1",
    "cost": 220,
    "costPerJobPerDay": object,
    "costPerSlotPerHour": object,
    "startDate": "2020-08-03T05:19:00.000Z",
    "endDate": "2020-08-03T05:13:00.000Z",
    "duration": int,
    "availableCount": 100,
    "rotateFreqInDays": 2,
    "usedCount": 0,
    "lastRotated": INSTANT,
    "isActive": False,
    "lastUpdated": INSTANT,
    "createdOn": INSTANT,
    "jobDuration": 10,
    "postedJobsCount": 0,
    "configType": _SLOT,
    "minJobDurationInDays": 2,
    "billingType": {"name": "PREPAID"},
    "purchaseType": {"name": "ClientBilled"},
}
_GOT: Body = {
    "id": UUID,
    "agencyId": "ripple",
    "clientIds": list,
    "placement": "TestExp1",
    "placementName": "TestExp1",
    "cost": 220,
    "startDate": "2020-08-03T05:19:00.000Z",
    "endDate": "2020-08-03T05:13:00.000Z",
    "dateFormat": _FORMAT,
    "availableCount": 100,
    "rotateFreqInDays": 2,
    "jobDuration": 10,
    "minJobDurationInDays": 2,
    "billingType": "PREPAID",
    "purchaseType": "ClientBilled",
    "isActive": False,
    "usedCount": 0,
}
_JOB: Body = {
    "id": UUID,
    "clientId": UUID,
    "jobId": MD5,
    "placement": "TestExp1",
    "refNumber": _REF,
    "isPosted": True,
    "isPinned": True,
    "isPaused": True,
    "lastModified": INSTANT,
    "createdOn": INSTANT,
    "status": "A",
}
_LIVE = {"startDate": iso_of(NOON), "endDate": iso_of(NOON + 30 * DAY)}
_PROCESSED = {"result": True, "message": "Config update processed"}

# {live} is a config in force: the sample's own lies in the past, and nothing can be posted there.
GOLDEN = [
    Golden(
        41,
        "POST",
        f"{_AT}/configs",
        _SAMPLES[41],
        {"result": UUID, "message": "Config created"},
        keeps="config",
    ),
    Golden(42, "GET", f"{_AT}/configs", None, Begins(_LISTED)),
    Golden(48, "GET", "/clients/{client}/configs?page=0&limit=10", None, {"data": [_LISTED]}),
    Golden(44, "GET", _CONFIG, None, _GOT),
    Golden(43, "PUT", _CONFIG, _SAMPLES[43], _PROCESSED),
    Golden(45, "DELETE", _CONFIG, None, _PROCESSED),
    Golden(
        40,
        "POST",
        "/clients/{client}/configs/{live}/jobs",
        _SAMPLES[40],
        {"result": dict, "message": "Create request processed"},
    ),
    Golden(47, "GET", f"{_AT}/configs/{{live}}/jobs/{_REF}", None, _JOB),
    Golden(
        46, "GET", f"{_AT}/configs/{{live}}/jobs?isPinned=true&status=A", None, {"data": [_JOB]}
    ),
    Golden(39, "GET", f"{_AT}/jobs?page=0&limit=10&pinned=true", None, {"data": [Begins(_JOB)]}),
    Golden(53, "POST", "/rules", _SAMPLES[53], {"data": {"id": UUID}, "success": True}),
    Golden(57, "POST", "/funnel", _SAMPLES[57], {"success": True, "failure": False, "value": UUID}),
]


def _world(rooms: RoomsOffice) -> dict[str, str]:
    """A client with the sample's jobs, and a config in force with one pinned and paused."""
    rooms.ask("POST", "/publishers", {"id": "TestExp1", "name": "TestExp1"})
    client = rooms.client()
    rooms.jobs(client, _REF, *_SAMPLES[40])
    at = f"{client}/publishers/TestExp1/configs"
    live = rooms.new(at, _SAMPLES[41] | _LIVE)
    rooms.ask("POST", f"{client}/configs/{live}/jobs", [_REF])
    for word in ("pin", "pause"):
        rooms.put(f"{client}/configs/{live}/jobs/{word}", [_REF])
    campaign = rooms.campaign(client)
    group = rooms.group(campaign)
    return {
        "client": client.removeprefix("/clients/"),
        "live": live,
        "campaign": campaign.rpartition("/")[2],
        "group": group.rpartition("/")[2],
    }


@pytest.fixture
def rooms(office: Office) -> RoomsOffice:
    return open_rooms(office.desk, "ripple")


def played(rooms: RoomsOffice) -> list[str]:
    """What differs from the samples; each line begins with the operation's number."""
    made = _world(rooms)
    headers = {"x-client-id": made["client"]}
    scope = {
        _SAMPLES[53]["clientId"]: made["client"],
        _SAMPLES[53]["campaignId"]: made["campaign"],
        _SAMPLES[53]["jobGroupId"]: made["group"],
    }
    live = made["live"]
    found: list[str] = []
    for row in GOLDEN:
        reply = rooms.ask(row.verb, row.path.format(**made), _filled(row.body, scope), headers)
        told = f"{row.number} {row.verb} {row.path}"
        if reply.status != 200:
            found.append(f"{told}: {reply.status} {reply.raw.decode()}")
            continue
        answer = reply.json
        if row.number == 48:
            answer["data"] = [one for one in answer["data"] if one["id"] != live]
        found += [f"{told}: {line}" for line in _compared(answer, row.answer)]
        if row.keeps:
            made[row.keeps] = answer["result"]
    return found


def test_the_reference_samples(rooms: RoomsOffice) -> None:
    assert played(rooms) == []


def _compared(answer: Any, wanted: Any) -> list[str]:
    """Rates are numbers of either kind."""
    for one in [answer, *(answer.get("data") or [] if isinstance(answer, dict) else [])]:
        for name in ("costPerJobPerDay", "costPerSlotPerHour"):
            if isinstance(one, dict) and name in one:
                one[name] = object()
    return differences(answer, wanted)


def test_every_operation_of_these_rooms_has_its_sample() -> None:
    mine = [*postings.OPERATIONS, *posting_jobs.OPERATIONS, *rules.OPERATIONS, *funnel.OPERATIONS]
    assert {row.number for row in GOLDEN} == {one.number for one in mine} - {None}
