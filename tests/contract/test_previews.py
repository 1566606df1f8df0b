"""Previews: what would happen, and that nothing does."""

from typing import Any

import pytest

from contract.office import Body, Office
from contract.world import fingerprint
from handbill.clients import service as clients
from handbill.contract.filters import read_filter
from handbill.core.nouns import GroupBody
from handbill.groups import matching, previewing
from handbill.groups.contest import contest_of
from handbill.groups.service import group_of

JOB: Body = {"title": "Nurse", "description": "d", "company": "c", "country": "US"}


def rule(name: str, data: str, operator: str = "EQUAL") -> Body:
    return {"operator": "AND", "rules": [{"operator": operator, "field": name, "data": data}]}


def add_jobs(office: Office, client: str, *refs: str, **more: Any) -> None:
    for ref in refs:
        url = f"https://jobs.example.com/{ref}"
        office.new(f"{client}/jobs", JOB | {"refNumber": ref, "url": url} | more)


def previewed(office: Office, client: str, **body: Any) -> Any:
    before = fingerprint(office.desk.records)
    reply = office.ask("POST", f"{client}/jobgroups/preview", body)
    assert reply.status == 200, reply.raw
    assert fingerprint(office.desk.records) == before
    return reply.json


def test_a_job_group_shows_what_it_would_take(office: Office) -> None:
    client = office.client()
    campaign = office.campaign(client)
    best = office.group(campaign, name="best", priority=0, filters=rule("city", "Austin"))
    other = office.group(campaign, name="other", priority=3, filters=rule("city", "Dallas"))
    add_jobs(office, client, "A1", city="Austin")
    add_jobs(office, client, "D1", "D2", city="Dallas")
    add_jobs(office, client, "H1", city="Houston")
    add_jobs(office, client, "N1", city="Newark", country="CA")
    add_jobs(office, client, "X1", city="Houston", description="")  # not valid
    found = previewed(office, client, filters=rule("country", "us"))
    default = client.rsplit("/", 1)[1] + "$jobgroup$default"
    assert found == {
        "lookedAt": 5,
        "complete": True,
        "matched": 4,
        "taken": 3,
        "givenUp": 0,
        "takenFrom": [
            {"id": other.rsplit("/", 1)[1], "name": "other", "isDefault": False, "jobs": 2},
            {"id": default, "name": "Default JobGroup", "isDefault": True, "jobs": 1},
        ],
        "keptBy": [{"id": best.rsplit("/", 1)[1], "name": "best", "isDefault": False, "jobs": 1}],
        "refNumbers": ["D1", "D2", "H1"],
        "warnings": [],
    }
    last = previewed(office, client, filters=rule("country", "us"), priority=9)
    assert last["taken"] == 1
    assert {one["name"] for one in last["keptBy"]} == {"best", "other"}


def test_a_changed_job_group_is_held_against_the_others(office: Office) -> None:
    client = office.client()
    campaign = office.campaign(client)
    own = office.group(campaign, name="own", filters=rule("city", "a", "CONTAINS"))
    office.group(campaign, name="rival", priority=5, filters=rule("country", "US"))
    add_jobs(office, client, "1", "2", city="Dallas")
    add_jobs(office, client, "3", city="Houston")
    id_ = own.rsplit("/", 1)[1]
    changed = previewed(office, client, filters=rule("city", "Houston"), jobGroupId=id_)
    assert (changed["taken"], changed["givenUp"], changed["refNumbers"]) == (1, 2, ["3"])
    assert [one["name"] for one in changed["takenFrom"]] == ["rival"]
    same = previewed(office, client, filters=rule("city", "a", "CONTAINS"), jobGroupId=id_)
    assert (same["taken"], same["givenUp"]) == (2, 0)
    assert [one["name"] for one in same["takenFrom"]] == ["own"]
    below = previewed(
        office, client, filters=rule("city", "a", "CONTAINS"), jobGroupId=id_, priority=6
    )
    assert (below["matched"], below["taken"], below["givenUp"]) == (2, 0, 2)


def test_the_preview_is_what_matching_does(office: Office) -> None:
    client = office.client()
    campaign = office.campaign(client)
    office.group(campaign, name="other", filters=rule("city", "Dallas"))
    add_jobs(office, client, "1", "2", city="Dallas")
    add_jobs(office, client, "3", "4", "5", city="Austin")
    filters = rule("refNumber", "2", "NOT_EQUAL")
    told = previewed(office, client, filters=filters, priority=0)["refNumbers"]
    made = office.group(campaign, name="new", filters=filters, priority=0).rsplit("/", 1)[1]
    assert told == _refs_in(office, client, made) == ["1", "3", "4", "5"]


def _refs_in(office: Office, client: str, group_id: str) -> list[str]:
    desk = office.desk
    with desk.records.read() as tx:
        found = clients.client_at_work(tx, client.rsplit("/", 1)[1])
    assert found is not None
    matching.rematch(desk.records, found[0], desk.clock.now())
    with desk.records.read() as tx:
        group = group_of(tx, found[0].no, group_id)
        jobs = matching.candidates(tx, contest_of(tx, found[0], desk.clock.now()), 0)
    return [job.facts[8] for job in jobs if job.group_no == group.no]


def test_what_saving_refuses_is_refused(office: Office) -> None:
    client, sister = office.client(), office.client()
    url = f"{client}/jobgroups/preview"
    theirs = office.group(office.campaign(sister)).rsplit("/", 1)[1]
    default = client.rsplit("/", 1)[1] + "$jobgroup$default"
    good = rule("city", "x")
    twice = [{"value": "TestExp1"}, {"value": "TestExp1"}]
    assert "/filters" in office.faults("POST", url, {})
    assert "/filters/rules/0/operator" in office.faults(
        "POST", url, {"filters": rule("city", "x", "LIKE")}
    )
    assert "/placements/0/value" in office.faults(
        "POST", url, {"filters": good, "placements": [{"value": "Nobody"}]}
    )
    assert "/placements/1/value" in office.faults(
        "POST", url, {"filters": good, "placements": twice}
    )
    for id_ in (theirs, default, "nothing"):
        assert "/jobGroupId" in office.faults("POST", url, {"filters": good, "jobGroupId": id_})


@pytest.mark.parametrize(("most", "complete"), [(3, True), (2, False)])
def test_it_looks_at_so_many_jobs_and_no_more(
    sqlite_office: Office, most: int, complete: bool
) -> None:
    client = sqlite_office.client()
    add_jobs(sqlite_office, client, *map(str, range(3)), city="Austin")
    filters = read_filter(rule("city", "Austin"))
    with sqlite_office.desk.records.read() as tx:
        at_work = clients.client_at_work(tx, client.rsplit("/", 1)[1])
        assert at_work is not None
        now = sqlite_office.desk.clock.now()
        found = previewing.preview(tx, at_work[0], now, GroupBody("", filters=filters), most=most)
    assert (found.complete, found.looked_at, len(found.refs)) == (complete, most, most)


def test_what_saves_and_does_nothing_is_a_warning(office: Office) -> None:
    """A misspelt field, and a bid that some of the placements do not take."""
    office.new("/publishers", {"id": "Dear", "minBid": 2})
    client = office.client()
    job = {"refNumber": "1", "title": "t", "description": "d", "url": "https://x.example/1"}
    office.new(f"{client}/jobs", job | {"additionalFields": {"shift": "night"}})
    leaf = {"operator": "EQUAL", "data": "x"}
    rules = [leaf | {"field": name} for name in ("title", "shift", "shfit")]
    body = {
        "filters": {"operator": "OR", "rules": rules},
        "cpcBid": 1,
        "placements": [{"value": "TestExp1"}, {"value": "Dear"}],
    }
    odd = {
        "field": "/filters/rules/2/field",
        "message": "no job of the client has a field shfit; did you mean shift?",
    }
    low = {"field": "/placements/1", "message": "Dear takes 2 at least, more than the CPC bid"}
    told = office.ask("POST", f"{client}/jobgroups/preview", body)
    assert told.json["warnings"] == [odd, low]
    campaign = office.campaign(client)
    group = office.group(campaign, filters=body["filters"])
    said = office.get(f"{client}/jobs/1/explain")
    assert said["otherJobGroups"][0]["warnings"] == [odd]
    fine = {"operator": "OR", "rules": [leaf | {"field": "shift", "data": "night"}, rules[2]]}
    office.put(group, {"filters": fine})
    assert office.get(f"{client}/jobs/1/explain")["jobGroup"]["warnings"] == [
        odd | {"field": "/filters/rules/1/field"}
    ]


def test_a_bid_that_no_placement_takes_is_refused_at_its_field(office: Office) -> None:
    office.new("/publishers", {"id": "Dear", "minBid": 2})
    office.new("/publishers", {"id": "Applied", "bidType": "CPA", "minBid": 9})
    client = office.client()
    campaign = office.campaign(client)
    group = office.group(campaign, placements=[{"value": "Dear"}, {"value": "Applied"}], cpcBid=2)
    least = "must be at least {}: the placements accept no less"
    assert office.faults("PUT", group, {"cpcBid": 1.99, "cpaBid": 8}) == {
        "/cpcBid": least.format(2),
        "/cpaBid": least.format(9),
    }
    placements = [{"value": "Dear"}, {"value": "TestExp1", "is_active": False}]
    preview = {"filters": office.get(group)["filters"], "placements": placements, "cpcBid": 1}
    assert set(office.faults("POST", f"{client}/jobgroups/preview", preview)) == {"/cpcBid"}
    for cleared in (
        {"cpcBid": 0},  # the feed's bid may stand in
        {"cpcBid": 1, "placements": [{"value": "Dear"}, {"value": "TestExp1"}]},
        {"cpcBid": 1, "placements": [{"value": "Dear", "bid": 2}]},
    ):
        assert office.ask("PUT", group, cleared).status == 200, cleared


def test_another_currency_is_refused_wherever_a_bid_may_name_one(office: Office) -> None:
    client = office.client()
    campaign = office.campaign(client)
    says = "must be USD, the publisher's currency"
    place = {"value": "TestExp1", "bid": 1, "currency": "EUR"}
    filters = {"operator": "OR", "rules": [{"field": "city", "operator": "EQUAL", "data": "x"}]}
    group = {
        "name": "g",
        "filters": filters,
        "placements": [place],
        "caps": {"budget": {"cap": "Monthly", "value": 1}},
    }
    assert office.faults("POST", f"{campaign}/jobgroups", group) == {"/placements/0/currency": says}
    preview = {"filters": filters, "placements": [place]}
    told = office.faults("POST", f"{client}/jobgroups/preview", preview)
    assert told == {"/placements/0/currency": says}
    made = office.group(campaign, placements=[place | {"currency": "USD"}])
    assert office.get(made)["placements"][0]["currency"] == "USD"
    office.new("/publishers", {"id": "Dear", "minBid": 2})
    job = {"refNumber": "1", "title": "t", "description": "d", "url": "https://x.example/1"}
    over = {"value": "Dear", "cpcBid": 1, "currency": "EUR"}
    assert office.faults("POST", f"{client}/jobs", job | {"placementSettings": [over]}) == {
        "/placementSettings/0/currency": says
    }
    over = {"value": "Dear", "cpcBid": 1, "currency": "USD"}
    assert office.faults("POST", f"{client}/jobs", job | {"placementSettings": [over]}) == {
        "/placementSettings/0/cpcBid": "must be at least 2, the least bid of the publisher"
    }


def test_a_job_stands_in_for_none_of_our_own_nodes(office: Office) -> None:
    schema = {"jobSchema": {"refNumber": "reqid", "cpa": ""}}
    office.new("/publishers", {"id": "Own", "schema": schema})
    client = office.client()
    nodes = dict.fromkeys(("url", "cpc", "cpa", "reqid", "referencenumber", "title"), "x")
    job = {
        "refNumber": "1",
        "title": "t",
        "description": "d",
        "url": "https://x.example/1",
        "publisherFields": {"Own": nodes, "TestExp1": nodes},
    }
    says = "is a reserved node"
    told = office.faults("POST", f"{client}/jobs", job)
    assert told == {
        f"/publisherFields/{at}": says
        for at in (
            "Own/cpc",
            "Own/reqid",
            "Own/url",
            "TestExp1/cpa",
            "TestExp1/cpc",
            "TestExp1/referencenumber",
            "TestExp1/url",
        )
    }
    change = {"schema": schema | {"additionalFieldsV2": {"url": "title", "reqid": "1", "cpa": "1"}}}
    at = "/schema/additionalFieldsV2"
    assert set(office.faults("PUT", "/publishers/Own", change)) == {f"{at}/url", f"{at}/reqid"}
