"""A change of a rule through HTTP: absent fields stay, the whole is checked, what stood is kept."""

from typing import Any

import pytest

from contract.office import Office
from contract.rooms_office import open_rooms
from contract.test_rules import RULE, Shop

JOBS: dict[str, Any] = {"filterLevel": "jobs", "jobFilter": {}, "jobFilterLevel": "campaign"}


@pytest.fixture
def shop(office: Office) -> Shop:
    rooms = open_rooms(office.desk, "acme2")
    rooms.ask("POST", "/publishers", {"id": "TestExp1", "name": "T"})
    return Shop(rooms)


def got(shop: Shop, rule_id: str) -> Any:
    told = shop.ask("GET", f"/rules/{rule_id}").json
    return {name: one for name, one in told.items() if name != "lastUpdated"}


def faults(reply: Any) -> list[str]:
    assert reply.status == 400, reply.raw
    return [one["field"] for one in reply.json["errors"]]


@pytest.mark.parametrize("verb", ["PUT", "PATCH"])
def test_absent_fields_stay_and_null_sets_the_default(shop: Shop, verb: str) -> None:
    campaign = shop.rooms.campaign(shop.client).rpartition("/")[2]
    made = shop.rule(
        campaignId=campaign,
        applyToChildren=False,
        startDate="12/24/2026",
        endDate="12/31/2026",
        filters=[{"id": campaign, "name": "C", "placementIds": ["TestExp1"]}],
        notifyUser=True,
        callBackUrl="https://example.com/x",
        guards={"minClicks": 7, "maxBid": 2.5},
    )
    stood = got(shop, made)
    assert shop.ask(verb, f"/rules/{made}", {"name": "other"}).status == 200
    assert got(shop, made) == stood | {"name": "other"}
    assert shop.ask(verb, f"/rules/{made}", {}).status == 200
    cleared = {"applyToChildren": None, "guards": None, "campaignId": None, "filters": None}
    assert shop.ask(verb, f"/rules/{made}", cleared).status == 200
    without = {name: one for name, one in stood.items() if name != "guards"}
    assert got(shop, made) == without | {
        "name": "other",
        "applyToChildren": True,
        "campaignId": "0",
        "filters": [],
    }


def test_the_whole_is_checked_with_every_fault(shop: Shop) -> None:
    made = shop.rule(startDate="12/24/2026", endDate="12/31/2026")
    stood = got(shop, made)
    more = {"actions": {"action": "increase", "parameter": "budget", "value": 1, "unit": "%"}}
    said = {"actionType": "performance", "endDate": "12/23/2026", "filterLevel": "jobs"}
    assert faults(shop.ask("PATCH", f"/rules/{made}", said)) == [
        "/endDate",
        "/actions",
        "/adminActions",
        "/jobFilterLevel",
        "/jobFilter",
    ]
    assert faults(shop.ask("PATCH", f"/rules/{made}", {"name": None, "conditions": None})) == [
        "/conditions",
        "/name",
    ]
    assert faults(shop.ask("PATCH", f"/rules/{made}", {"name": 1, "filterLevel": "x"})) == [
        "/filterLevel",
        "/name",
    ]
    assert got(shop, made) == stood
    said = {"actionType": "performance"}
    assert shop.ask("PATCH", f"/rules/{made}", said | more | {"adminActions": None}).status == 200
    assert got(shop, made)["actions"] == more["actions"]


def test_what_was_told_is_taken_again_after_what_it_names_is_deleted(shop: Shop) -> None:
    rooms = shop.rooms
    campaign, gone = (rooms.campaign(shop.client) for _ in range(2))
    ids = [path.rpartition("/")[2] for path in (campaign, gone)]
    named = [{"id": one, "placementIds": ["TestExp1"]} for one in ids]
    rules = [shop.rule(campaignId=ids[1]), shop.rule(filters=named)]
    rules.append(shop.rule(**JOBS, filters=[{"id": ids[1]}]))
    assert rooms.ask("DELETE", gone).status == 200
    assert rooms.ask("DELETE", "/publishers/TestExp1").status == 200
    for rule in rules:
        told = shop.ask("GET", f"/rules/{rule}").json
        for verb in ("PUT", "PATCH"):
            assert shop.ask(verb, f"/rules/{rule}", told).status == 200
        assert got(shop, rule) | {"lastUpdated": told["lastUpdated"]} == told
        again = {k: v for k, v in told.items() if v is not None}
        assert shop.ask("POST", "/rules/preview", again).status in {400, 404}, "a new one"
        assert shop.ask("POST", "/rules/preview", again | {"ruleId": rule}).status == 200
    assert shop.ask("POST", "/rules/preview", again | {"ruleId": "nobody"}).status == 404
    preview = shop.ask("GET", f"/rules/{rules[1]}").json["filters"]
    assert [one["id"] for one in preview] == ids
    for strange in ("x", Shop(rooms).rooms.campaign(Shop(rooms).client).rpartition("/")[2]):
        reply = shop.ask("PATCH", f"/rules/{rules[1]}", {"filters": [*named, {"id": strange}]})
        assert (reply.status, reply.json["message"]) == (404, "Not found")
    elsewhere = {"filterLevel": "jobgroups", "filters": named}
    assert shop.ask("PATCH", f"/rules/{rules[1]}", elsewhere).status == 404, "no job group's id"
    more = [{"id": ids[0], "placementIds": ["TestExp1", "Nobody"]}]
    assert faults(shop.ask("PATCH", f"/rules/{rules[1]}", {"filters": more})) == [
        "/filters/0/placementIds/1"
    ]


def test_the_default_job_group_is_refused_at_its_field(shop: Shop) -> None:
    default = f"{shop.id}$jobgroup$default"
    named = {"filterLevel": "jobgroups", "filters": [{"id": default}], "jobGroupId": default}
    reply = shop.ask("POST", "/rules", RULE | named)
    assert faults(reply) == ["/jobGroupId", "/filters/0/id"]
    assert "rules cannot act on it" in reply.json["errors"][1]["message"]
    made = shop.rule()
    assert faults(shop.ask("PUT", f"/rules/{made}", named)) == ["/jobGroupId", "/filters/0/id"]
    of_jobs = JOBS | {"jobFilterLevel": "jobgroups", "filters": [{"id": default}]}
    assert faults(shop.ask("POST", "/rules", RULE | of_jobs)) == ["/filters/0/id"]


def test_a_filter_of_jobs_may_be_empty_and_names_fields_that_no_job_has(shop: Shop) -> None:
    empty: list[dict[str, Any]] = [{}, {"filter": {}}, {"filter": None}]
    for said in empty:
        made = shop.rule(**JOBS | {"jobFilter": said})
        assert got(shop, made)["jobFilter"] == {}
    rules = [
        {"operator": "EQUAL", "field": field, "data": "x"} for field in ("title", "tittle", "zzz")
    ]
    odd = JOBS | {"jobFilter": {"filter": {"operator": "OR", "rules": rules}}}
    made = shop.ask("POST", "/rules", RULE | odd)
    fields = [f"/jobFilter/filter/rules/{n}/field" for n in (1, 2)]
    assert [one["field"] for one in made.json["warnings"]] == fields
    assert "did you mean title?" in made.json["warnings"][0]["message"]
    changed = shop.ask("PUT", f"/rules/{made.json['data']['id']}", {"name": "x"})
    assert changed.json["warnings"] == made.json["warnings"]
    assert "warnings" not in shop.ask("POST", "/rules", RULE | JOBS).json
