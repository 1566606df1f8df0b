"""Explanations of jobs: what they say, and that feeds do as they say."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from contract.office import Body, Office
from contract.test_previews import add_jobs, rule
from handbill.access.keys import ensure_secrets
from handbill.access.service import create_agency
from handbill.cli.explaining import explain_job, lines_of
from handbill.cli.speaking import Mistaken, settings_with
from handbill.clients import service as clients
from handbill.contract.explain.models import explanation_of
from handbill.contract.explain.traces import MOST_COMPARED
from handbill.control import service as control
from handbill.core.nouns import ClientBody, JobBody
from handbill.groups import matching
from handbill.groups.tree import found_client
from handbill.host.egress import Egress
from handbill.host.outside import of_this_machine
from handbill.jobs import service as jobs
from handbill.kit.jsons import decode
from handbill.listings import assembly, publishing
from handbill.listings.explaining import explain
from handbill.opening import opened, prepare
from handbill.publishers import service as publishers
from handbill.store.index import EdgeIndex
from handbill.work.tools import Tools


def explained(office: Office, client: str, ref: str = "1") -> Any:
    return office.get(f"{client}/jobs/{ref}/explain")


def at(found: Any, publisher: str = "TestExp1") -> Any:
    return next(one for one in found["publishers"] if one["id"] == publisher)


def id_of(path: str) -> str:
    return path.rsplit("/", 1)[1]


@pytest.fixture
def tools(office: Office, tmp_path: Path) -> Iterator[Tools]:
    yield from opened_tools(office, tmp_path)


@pytest.fixture
def sqlite_tools(sqlite_office: Office, tmp_path: Path) -> Iterator[Tools]:
    yield from opened_tools(sqlite_office, tmp_path)


def opened_tools(office: Office, tmp_path: Path) -> Iterator[Tools]:
    desk = office.desk
    index = EdgeIndex(tmp_path / "index", writable=True)
    egress = Egress()
    scratch = tmp_path / "scratch"
    scratch.mkdir()
    with desk.records.write() as tx:
        ensure_secrets(tx, desk.ids, desk.clock.now())
    yield Tools(
        desk.records, desk.blobs, index, desk.clock, desk.ids, egress, desk.settings, scratch
    )
    egress.close()
    index.close()


def publish(office: Office, tools: Tools, client: str) -> None:
    """What the worker does after a change."""
    with office.desk.records.read() as tx:
        at_work = clients.client_at_work(tx, id_of(client))
        assert at_work is not None
        agency = publishers.publishers_of(tx, at_work[0].agency_no)
    matching.rematch(tools.records, at_work[0], tools.clock.now())
    publishing.publish(tools, at_work[0], live=at_work[1])
    for publisher in agency:
        assembly.assemble(tools, publisher.no)


def tick(tools: Tools, client: str) -> None:
    """Have control look at a client."""
    with tools.records.read() as tx:
        at_work = clients.client_at_work(tx, id_of(client))
    assert at_work is not None
    control.tick(tools.records, at_work[0], tools.clock.now(), 1_200_000)


def test_a_job_that_is_listed(office: Office, tools: Tools) -> None:
    client = office.client(caps={"budget": {"cap": "Monthly", "value": 7}})
    campaign = office.campaign(client, settingsOverride={"markdown": 20})
    group = office.group(campaign, name="states", cpcBid=0.5)
    add_jobs(office, client, "1", city="Austin")
    before = explained(office, client)
    assert before["pending"]
    assert at(before)["listed"]
    assert at(before)["published"]["listed"] is False
    publish(office, tools, client)
    found = explained(office, client)
    assert not found["pending"]
    assert found["job"]["listable"]
    assert found["client"]["caps"]["budget"]["value"] == 7
    assert found["jobGroup"]["id"] == id_of(group)
    assert found["jobGroup"]["filter"] == {
        "holds": True,
        "decidedBy": [
            {"field": "country", "operator": "EQUAL", "data": "US", "value": "US", "holds": True}
        ],
    }
    told = at(found)
    assert (told["listed"], told["reasons"]) == (True, [])
    assert [float(told[name]) for name in ("bid", "markdown", "price", "minBid")] == [
        0.5,
        20,
        0.4,
        0,
    ]
    assert told["bidSource"] == "JOBGROUP"
    there = told["published"]
    assert (there["listed"], there["current"], there["lookedInto"]) == (True, True, True)
    assert (float(there["bid"]), float(there["price"])) == (0.5, 0.4)
    assert there["jobGroupId"] == id_of(group)
    assert there["feedUrl"].endswith(".xml")


def test_what_is_read_now_may_lag_behind(office: Office, tools: Tools) -> None:
    client = office.client()
    campaign = office.campaign(client)
    group = office.group(campaign, cpcBid=0.5)
    add_jobs(office, client, "1")
    publish(office, tools, client)
    office.put(group, {"cpcBid": 0.75})
    told = at(explained(office, client))
    assert (float(told["bid"]), float(told["published"]["bid"])) == (0.75, 0.5)
    office.put(f"{group}/pause")
    told = at(explained(office, client))
    assert not told["listed"]
    assert told["published"]["listed"]
    publish(office, tools, client)
    assert not at(explained(office, client))["published"]["listed"]


def test_job_groups_that_lost_say_why(office: Office) -> None:
    client = office.client()
    campaign = office.campaign(client)
    paused = office.campaign(client, name="paused")
    office.put(f"{paused}/pause")
    office.group(campaign, name="dallas", priority=0, filters=rule("city", "Dallas"))
    office.group(campaign, name="wins", priority=1, filters=rule("city", "Austin"))
    office.group(campaign, name="later", priority=1, filters=rule("title", "u", "CONTAINS"))
    office.group(paused, name="asleep", filters=rule("city", "Austin"))
    office.group(campaign, name="future", startDate="01/01/2029", endDate="01/01/2030")
    add_jobs(office, client, "1", city="Austin")
    found = explained(office, client)
    assert found["jobGroup"]["name"] == "wins"
    told = {one["name"]: (one["reason"], one["state"]["status"]) for one in found["otherJobGroups"]}
    assert told == {
        "dallas": ("NO_MATCH", "ACTIVE"),
        "later": ("LOWER_RANK", "ACTIVE"),
        "asleep": ("NOT_ACTIVE", "PARENT_PAUSED"),
        "future": ("NOT_ACTIVE", "NOT_STARTED"),
    }
    assert [one["name"] for one in found["otherJobGroups"]][:2] == ["dallas", "later"]
    assert found["otherJobGroupsTotal"] == 4
    dallas = found["otherJobGroups"][0]["filter"]
    assert dallas["decidedBy"] == [
        {"field": "city", "operator": "EQUAL", "data": "Dallas", "value": "Austin", "holds": False}
    ]


def test_a_job_of_no_group_is_in_the_default_one(office: Office) -> None:
    client = office.client()
    office.group(office.campaign(client), filters=rule("city", "Dallas"))
    add_jobs(office, client, "1", city="Austin")
    found = explained(office, client)
    assert (found["jobGroup"]["isDefault"], found["jobGroup"]["filter"]) == (True, None)
    assert found["jobGroup"]["state"]["status"] == "PAUSED"
    assert at(found)["reasons"] == ["NOT_TRADING", "NO_PLACEMENT"]


REASONS: list[tuple[str, Body, Body, list[str]]] = [
    ("invalid", {"description": ""}, {}, ["INVALID"]),
    ("ended", {"endAtDate": "2026-01-01T00:00:00Z"}, {}, ["EXPIRED"]),
    ("other allowed", {"publisherFields": {"publishers": ["Else"]}}, {}, ["JOB_EXCLUDES"]),
    (
        "placement off",
        {"placementSettings": [{"value": "TestExp1", "isActive": False}]},
        {},
        ["JOB_EXCLUDES"],
    ),
    ("not yet", {"jobSetting": {"startDate": "01/01/2028"}}, {}, ["JOB_NOT_IN_FORCE"]),
    ("zero", {"jobSetting": {"cpcBid": 0}}, {}, ["NO_BID"]),
    (
        "placed off",
        {},
        {"placements": [{"value": "TestExp1", "is_active": False}]},
        ["PLACEMENT_INACTIVE"],
    ),
    ("placed elsewhere", {}, {"placements": [{"value": "Else"}]}, ["NO_PLACEMENT"]),
    ("other day", {}, {"daysToSchedule": [0]}, ["NOT_TRADING"]),
    (
        "two at once",
        {"description": "", "jobSetting": {"cpcBid": 0}},
        {"daysToSchedule": [0]},
        ["INVALID", "NOT_TRADING", "NO_BID"],
    ),
]


@pytest.mark.parametrize(
    ("job", "group", "reasons"), [row[1:] for row in REASONS], ids=[row[0] for row in REASONS]
)
def test_each_reason_keeps_the_job_out_of_the_feed(
    office: Office, tools: Tools, job: Body, group: Body, reasons: list[str]
) -> None:
    office.new("/publishers", {"id": "Else", "bidType": "CPC"})
    client = office.client()
    office.group(office.campaign(client), cpcBid=0.5, **group)
    add_jobs(office, client, "1", **job)
    add_jobs(office, client, "2", jobSetting={"cpcBid": 0.25})
    publish(office, tools, client)
    told = at(explained(office, client))
    assert (told["reasons"], told["listed"], told["price"]) == (reasons, False, None)
    assert told["published"]["listed"] is False
    sound = at(explained(office, client, "2"))
    assert sound["listed"] is sound["published"]["listed"] is (not group)


def test_switches_of_publisher_client_and_job(office: Office, tools: Tools) -> None:
    office.new("/publishers", {"id": "Dear", "bidType": "CPC", "minBid": 0.6})
    client = office.client()
    places = [{"value": "TestExp1"}, {"value": "Dear"}]
    office.group(office.campaign(client), cpcBid=0.5, placements=places)
    add_jobs(office, client, "1")
    dear = at(explained(office, client), "Dear")
    assert dear["reasons"] == ["BELOW_MIN_BID"]
    assert (float(dear["bid"]), float(dear["minBid"])) == (0.5, 0.6)
    office.put(f"{client}/jobs/1/pause")
    assert at(explained(office, client))["reasons"] == ["JOB_PAUSED"]
    office.put("/publishers/TestExp1/pause")
    assert at(explained(office, client))["reasons"] == ["PUBLISHER_INACTIVE"]
    office.put(f"{client}/pause")
    assert at(explained(office, client))["reasons"] == ["NOT_TRADING", "PUBLISHER_INACTIVE"]
    tick(tools, client)
    found = explained(office, client)
    assert found["client"]["state"]["status"] == "PAUSED"
    assert found["jobGroup"]["state"]["status"] == "PARENT_PAUSED"
    assert at(found)["reasons"] == ["NOT_TRADING", "PUBLISHER_INACTIVE"]


@pytest.mark.parametrize(("where", "otherwise"), [("Slots", None), ("TestExp1", "JOBGROUP")])
def test_what_is_posted_is_listed_for_nothing(
    office: Office, tools: Tools, where: str, otherwise: str | None
) -> None:
    office.new("/publishers", {"id": "Slots", "bidType": "PPP"})
    client = office.client()
    office.group(office.campaign(client))
    add_jobs(office, client, "1", "2")
    config = office.new(
        f"{client}/publishers/{where}/configs",
        {
            "cost": 10,
            "startDate": "2026-11-01T00:00:00.000Z",
            "endDate": "2026-12-01T00:00:00.000Z",
            "dateFormat": "yyyy-MM-dd'T'HH:mm:ssZ",
            "availableCount": 5,
            "rotateFreqInDays": 2,
        },
    )
    told = at(explained(office, client), where)
    assert (told["reasons"], told["bidSource"]) == ([] if otherwise else ["NOT_POSTED"], otherwise)
    assert office.ask("POST", f"{client}/configs/{config}/jobs", ["1"]).status == 200
    publish(office, tools, client)
    for ref, listed in (("1", True), ("2", False)):
        told = at(explained(office, client, ref), where)
        assert told["listed"] is told["published"]["listed"] is (listed or otherwise is not None)
        assert told["bidSource"] == ("POSTING" if listed else otherwise)
    told = at(explained(office, client), where)
    assert (told["reasons"], told["bid"], told["price"]) == ([], 0, 0)
    assert told["published"]["price"] == 0


def test_long_filters_are_told_in_part(office: Office) -> None:
    client = office.client()
    leaves = [{"field": "city", "operator": "EQUAL", "data": str(n)} for n in range(100)]
    office.group(office.campaign(client), filters={"operator": "OR", "rules": leaves})
    add_jobs(office, client, "1")
    (other,) = explained(office, client)["otherJobGroups"]
    assert len(other["filter"]["decidedBy"]) == MOST_COMPARED


def test_dates_bids_and_own_fields_are_spelled_as_elsewhere(office: Office) -> None:
    client = office.client()
    rules = [
        {"field": "postedDate", "operator": "AFTER", "data": "01/31/2027"},
        {"field": "cpcBid", "operator": "BETWEEN", "data": ["0.1", "2"]},
        {"field": "shift", "operator": "IN", "data": ["night"]},
        {"field": "cif1", "operator": "EQUAL", "data": "late"},
    ]
    office.group(office.campaign(client), filters={"operator": "OR", "rules": rules})
    published = {"publishedDate": "2026-11-02T12:00:00Z"}
    add_jobs(office, client, "1", additionalFields={"shift": "day"}, **published)
    (other,) = explained(office, client)["otherJobGroups"]
    assert [(one["data"], one["value"]) for one in other["filter"]["decidedBy"]] == [
        ("01/31/2027", "11/02/2026"),
        (["0.1", "2"], None),
        (["night"], "day"),
        ("late", "day"),
    ]


def test_only_so_much_is_read_of_the_files(sqlite_office: Office, sqlite_tools: Tools) -> None:
    client = sqlite_office.client()
    sqlite_office.group(sqlite_office.campaign(client), cpcBid=0.5)
    add_jobs(sqlite_office, client, "1")
    publish(sqlite_office, sqlite_tools, client)
    desk = sqlite_office.desk
    with desk.records.read() as tx:
        at_work = clients.client_at_work(tx, id_of(client))
        assert at_work is not None
        for most, looked_into in ((1_000_000, True), (100, False)):
            found = explain(tx, desk.blobs, at_work[0], "1", desk.clock.now(), most)
            assert [one.shop.looked_into for one in found.outcomes] == [looked_into]


# ── for people ──────────────────────────────────────────────────────────────────────────────────
def in_words(office: Office, client: str, ref: str = "1") -> list[str]:
    desk = office.desk
    with desk.records.read() as tx:
        at_work = clients.client_at_work(tx, id_of(client))
        assert at_work is not None
        found = explain(tx, desk.blobs, at_work[0], ref, desk.clock.now())
        return list(lines_of(explanation_of(tx, desk.settings, at_work[0], found)))


def test_the_command_says_the_same_in_words(office: Office, tools: Tools) -> None:
    office.new("/publishers", {"id": "Dear", "bidType": "CPC", "minBid": 0.6})
    client = office.client()
    campaign = office.campaign(client)
    places = [{"value": "TestExp1"}, {"value": "Dear"}]
    office.group(campaign, name="dallas", priority=0, filters=rule("city", "Dallas"))
    office.group(campaign, name="wins", cpcBid=0.5, placements=places)
    add_jobs(office, client, "1", city="Austin")
    publish(office, tools, client)
    told = [" ".join(line.split()) for line in in_words(office, client)]
    assert told[1] == "active, may be listed"
    assert "job group wins: ACTIVE (trades); caps: budget 1000 Monthly" in told
    assert "country EQUAL 'US' holds: the job has 'US'" in told
    assert "not in job group dallas: does not match" in told
    assert "city EQUAL 'Dallas' does not hold: the job has 'Austin'" in told
    assert "TestExp1 is to be listed: bid 0.5 (JOBGROUP), price 0.5 USD" in told
    assert "Dear is not to be listed: BELOW_MIN_BID" in told
    assert sum(line.startswith("right now: is in its feed") for line in told) == 1
    add_jobs(office, client, "2", description="")
    told = [" ".join(line.split()) for line in in_words(office, client, "2")]
    assert told[1] == "active, cannot be listed: INVALID (lacks description)"
    assert "a change is still being matched" in told
    assert "TestExp1 is not to be listed: INVALID" in told


@pytest.mark.parametrize("as_json", [True, False])
def test_the_command_reads_the_data_folder(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], as_json: bool
) -> None:
    settings = settings_with(data=str(tmp_path / "data"))
    prepare(settings, of_this_machine(settings))
    with opened(settings, of_this_machine(settings)) as stores, stores.records.write() as tx:
        create_agency(
            tx, stores.ids, stores.clock.now(), agency_id="acme", name="Acme", currency="USD"
        )
        client = found_client(
            tx,
            stores.ids,
            stores.clock.now(),
            1,
            ClientBody(company_name="Mills", exported_name=""),
        )
        body = JobBody(ref="r/1", title="t", description="d", url="https://e.example.com/1")
        jobs.apply(tx, client, None, [jobs.written(body, None, None)], stores.clock.now())
    explain_job(client.id, "r/1", str(settings.data_folder), as_json)
    said = capsys.readouterr().out
    assert ("no other job group matches" in said) is not as_json
    if as_json:
        assert decode(said.encode())["refNumber"] == "r/1"
    for id_, ref in (("nobody", "r/1"), (client.id, "r/2")):
        with pytest.raises(Mistaken):
            explain_job(id_, ref, str(settings.data_folder), as_json)
