"""Campaigns and job groups: what is kept, what is refused, what they are placed under."""

from typing import Any

import pytest
import sqlalchemy as sa

from contract.office import BUDGET, US, Office
from handbill.store.records.tables import tasks


def _tasks(office: Office) -> set[str]:
    with office.desk.records.write() as tx:
        found = {kind for (kind,) in tx.all(sa.select(tasks.c.kind))}
        tx.run(sa.delete(tasks))
    return found


# ── campaigns ───────────────────────────────────────────────────────────────────────────────────
def test_a_campaign_keeps_what_it_was_given(office: Office) -> None:
    client = office.client()
    campaign = office.campaign(
        client,
        startDate="01/10/2020",
        Caps={"clicks": {"value": 5, "cap": "Daily"}},
        caps=None,
        settingsOverride={"markdown": 12.5, "applyConvWindow": 7},
        placementCaps={"TestExp1": {"budget": {"value": 3, "cap": "Weekly"}}},
    )
    found = office.get(campaign)
    assert (found["startDate"], found["endDate"]) == ("01/10/2020", "01/10/2021")
    assert found["caps"] == {}
    assert str(found["settingsOverride"]["markdown"]) == "12.5"
    assert found["placementCaps"]["TestExp1"]["budget"]["value"] == 3
    office.put(campaign, {"settingsOverride": {"markdown": None}, "placementCaps": None})
    found = office.get(campaign)
    assert (found["settingsOverride"], found["placementCaps"]) == ({"applyConvWindow": 7}, {})


def test_caps_may_be_spelled_with_a_capital(office: Office) -> None:
    made = office.new(f"{(client := office.client())}/campaigns", {"name": "a", "Caps": BUDGET})
    campaign = f"{client}/campaigns/{made}"
    assert office.get(campaign)["caps"]["budget"]["value"] == 1000
    office.put(campaign, {"Caps": {"applies": {"value": 3}}})
    assert set(office.get(campaign)["caps"]) == {"budget", "applies"}
    office.put(campaign, {"caps": {"budget": None}})
    assert set(office.get(campaign)["caps"]) == {"applies"}


def test_all_faults_of_a_campaign_are_named(office: Office) -> None:
    url = f"{office.client()}/campaigns"
    assert set(office.faults("POST", url, {"startDate": "x", "caps": {"budget": {}}})) == {
        "/name",
        "/startDate",
        "/caps/budget/value",
    }
    body = {"name": "a", "endDate": "01/01/2020", "placementCaps": {"Nobody": {}}}
    assert set(office.faults("POST", url, body)) == {"/endDate", "/placementCaps/Nobody"}
    campaign = office.campaign(url.removesuffix("/campaigns"))
    changed = {"startDate": "01/01/2020", "name": None, "endDate": "01/01/2019"}
    assert set(office.faults("PUT", campaign, changed)) == {"/startDate", "/name", "/endDate"}


def test_a_job_groups_faults_come_in_one_answer(office: Office) -> None:
    """Those of single fields, and of fields that must fit each other."""
    url = f"{office.campaign(office.client())}/jobgroups"
    body = {
        "name": "g",
        "filters": US,
        "priority": "high",
        "startDate": "11/02/2026",
        "endDate": "11/01/2026",
        "caps": {"budget": {"cap": "Weekly", "value": 5, "pacing": True, "thresholdP": "x"}},
        "placements": [{"value": "TestExp1", "bid": "x"}],
    }
    assert set(office.faults("POST", url, body)) == {
        "/priority",
        "/endDate",
        "/caps/budget/thresholdP",
        "/caps/budget/pacing",
        "/placements/0/bid",
    }


def test_switching_a_campaign_or_moving_its_end_has_its_jobs_matched_again(office: Office) -> None:
    campaign = office.campaign(office.client())
    _tasks(office)
    assert office.put(f"{campaign}/pause") == {"result": True, "message": "Campaign paused"}
    assert _tasks(office) == {"groups.rematch"}
    office.put(f"{campaign}/pause")
    assert _tasks(office) == set()
    assert office.get(campaign)["activeStatus"] == "P"
    office.put(campaign, {"caps": {"budget": {"value": 1}}})
    assert _tasks(office) == {"control.follow"}
    office.put(campaign, {"endDate": "01/01/2040"})
    assert office.get(campaign)["endDate"] == "01/01/2040"
    assert _tasks(office) == {"groups.rematch"}


def test_a_deleted_campaign_takes_its_job_groups_along(office: Office) -> None:
    client = office.client()
    campaign = office.campaign(client)
    group = office.group(campaign)
    assert office.ask("DELETE", campaign).json == {"result": True, "message": "Campaign deleted"}
    for url in (campaign, group):
        assert office.ask("GET", url).status == office.ask("DELETE", url).status == 404
    left = office.get(f"{client}/jobgroups?page=0&limit=10")["data"]
    assert [row["isDefault"] for row in left] == [True]
    assert list(office.get(client)["children"]) == [f"{client[9:]}$campaign$default"]


# ── job groups ──────────────────────────────────────────────────────────────────────────────────
FULL: dict[str, Any] = {
    "name": "nurses",
    "startDate": "01/27/2020",
    "endDate": "11/11/2038",
    "cpcBid": 0.12,
    "cpaBid": 1.5,
    "priority": 0,
    "filters": {
        "operator": "any",
        "rules": [
            {"operator": "in", "field": "country", "data": ["US", "CA"]},
            {
                "operator": "ALL",
                "rules": [
                    {"operator": "CONTAINS", "field": "my field", "data": "x"},
                    {"operator": "BETWEEN", "field": "cpcBid", "data": ["0.1", "2"]},
                ],
            },
        ],
    },
    "caps": {
        "budget": {"cap": "Weekly", "value": 100.25},
        "clicks": {"cap": "Weekly", "value": 9},
        "jobBudget": {"cap": "Lifetime", "value": 3},
    },
    "placements": [
        {
            "pValue": "TestExp1",
            "bid": 0.3,
            "isActive": False,
            "budget": {"cap": "Weekly", "value": 20, "locked": True},
        },
        {"publisherId": "Second", "caps": {"budget": {"value": 5}}},
    ],
    "performanceTargets": [{"type": "CPC", "value": 0.2}, {"type": "cpa", "value": 5}],
    "ioDetails": [{"number": "A1", "value": 3, "startDate": "01/01/2026", "endDate": "01/02/2026"}],
    "categories": ["health"],
    "daysToSchedule": [0, 4],
    "settingsOverride": {"markup": 110},
    "adWordsMetadata": {"a": {"b": [1.5, None]}},
}


def _second(office: Office) -> None:
    office.new("/publishers", {"name": "Second", "bidType": {"name": "cpc"}, "minBid": 0.1})


def test_a_group_keeps_what_it_was_given(office: Office) -> None:
    _second(office)
    campaign = office.campaign(office.client())
    group = f"{campaign}/jobgroups/" + office.new(f"{campaign}/jobgroups", FULL)
    found = office.get(group)
    assert found["Compound Filters"]["operator"] == "ANY"
    assert found["filters"] == {
        "operator": "OR",
        "rules": [
            {"operator": "IN", "field": "country", "data": ["US", "CA"]},
            {
                "operator": "AND",
                "rules": [
                    {"operator": "CONTAINS", "field": "my field", "data": "x"},
                    {"operator": "BETWEEN", "field": "cpcBid", "data": ["0.1", "2"]},
                ],
            },
        ],
    }
    assert found["placementIds"] == ["TestExp1", "Second"]
    first = found["placementCaps"]["TestExp1"]
    assert (str(first["bid"]), first["isActive"], first["budget"]["locked"]) == ("0.3", False, True)
    assert found["performanceTargets"][0]["type"] == "cpc"
    assert found["adWordsMetadata"]["a"]["b"][1] is None
    assert (found["priority"], found["iid"], found["daysToSchedule"]) == (0, 1, [0, 4])
    assert (found["startDate"], found["endDate"]) == ("01/27/2020", "11/11/2038")
    assert set(found["caps"]) == {"budget", "clicks", "jobBudget"}
    office.put(group, found)
    again = office.get(group)
    assert again | {"lastUpdated": ""} == found | {"lastUpdated": ""}


def _with(**more: Any) -> dict[str, Any]:
    return {
        "name": "g",
        "filters": US,
        "caps": BUDGET,
        "placements": [{"value": "TestExp1"}],
    } | more


@pytest.mark.parametrize(
    ("body", "fields"),
    [
        ({}, {"/name", "/filters", "/caps", "/placements"}),
        (
            _with(priority=11, cpcBid=-1, daysToSchedule=[7], performanceTargets=[{}, {}, {}]),
            {"/priority", "/cpcBid", "/daysToSchedule/0", "/performanceTargets"},
        ),
        (
            _with(filters={"operator": "XOR", "rules": [{"field": "title", "operator": "ON"}]}),
            {"/filters/operator", "/filters/rules/0/operator", "/filters/rules/0/data"},
        ),
        (
            _with(
                caps={
                    "budget": {"cap": "Lifetime", "value": 1},
                    "clicks": {"cap": "Daily", "value": 1},
                    "jobApplies": {"cap": "Daily", "value": 1},
                }
            ),
            {"/caps/budget/cap", "/caps/clicks/cap", "/caps/jobApplies/cap"},
        ),
        (_with(placements=[]), {"/placements"}),
        (_with(placements=[{"value": "TestExp1"}, {"value": "TestExp1"}]), {"/placements/1/value"}),
        (
            _with(
                placements=[{"value": "Nobody"}, {"value": "Out"}, {"value": "Dear", "bid": 0.5}]
            ),
            {"/placements/0/value", "/placements/1/value", "/placements/2/bid"},
        ),
        (
            _with(placements=[{"value": "TestExp1", "budget": {"value": 1000.01}}]),
            {"/placements/0/caps/budget/value"},
        ),
        (
            _with(
                placements=[
                    {"value": "TestExp1", "budget": {"value": 600, "locked": True}},
                    {"value": "Dear", "budget": {"value": 401, "locked": True}},
                ]
            ),
            {"/placements/1/caps/budget/locked"},
        ),
        (
            _with(
                placements=[
                    {"value": "TestExp1", "budget": {"cap": "Weekly", "value": 6, "locked": True}}
                ]
            ),
            {"/placements/0/caps/budget/locked"},
        ),
        (
            _with(placements=[{"value": "TestExp1", "budget": {"cap": "Daily", "value": 1}}]),
            {"/placements/0/budget/cap"},
        ),
        (_with(startDate="02/01/2026", endDate="01/01/2026"), {"/endDate"}),
        (
            _with(
                ioDetails=[
                    {"number": "1", "value": 1, "startDate": "02/01/2026", "endDate": "01/01/2026"}
                ]
            ),
            {"/ioDetails/0/endDate"},
        ),
    ],
)
def test_what_a_group_refuses(
    sqlite_office: Office, body: dict[str, Any], fields: set[str]
) -> None:
    office = sqlite_office
    office.new("/publishers", {"id": "Out"})
    office.new("/publishers", {"id": "Dear", "minBid": 0.6})
    office.another()  # has a publisher of its own
    client = office.client(excludedPublishers=["Out"])
    url = f"{office.campaign(client)}/jobgroups"
    assert set(office.faults("POST", url, body)) == fields
    assert office.get(f"{url}?page=0&limit=10") == {"data": []}


def test_flat_publishers_have_no_least_bid_and_lifetimes_no_month(office: Office) -> None:
    office.new("/publishers", {"id": "Flat", "bidType": "FLAT_CPC", "minBid": 9, "flatBidValue": 1})
    budget = {"cap": "Lifetime", "value": 5_000}
    office.group(
        office.campaign(office.client()), placements=[{"value": "Flat", "bid": 1, "budget": budget}]
    )


def test_a_group_budget_cannot_sink_below_its_placements(office: Office) -> None:
    group = office.group(
        office.campaign(office.client()), placements=[{"value": "TestExp1", "budget": {"value": 9}}]
    )
    assert set(office.faults("PUT", group, {"caps": {"budget": {"value": 8}}})) == {
        "/caps/budget/value"
    }
    office.put(group, {"caps": {"budget": {"value": 8}}, "placements": [{"value": "TestExp1"}]})


def test_an_update_of_a_group_wakes_what_it_must(office: Office) -> None:
    group = office.group(office.campaign(office.client()))
    assert "groups.rematch" in _tasks(office)
    office.put(group, {"cpcBid": 0.7, "placements": [{"value": "TestExp1", "bid": 1}]})
    assert _tasks(office) == {"control.follow"}
    for change in (
        {"priority": 3},
        {"filters": US | {"operator": "OR"}},
        {"endDate": "01/01/2040"},
    ):
        office.put(group, change)
        assert _tasks(office) == {"groups.rematch"}
        office.put(group, change)
        assert _tasks(office) == set()
    office.put(group, {"priority": None})
    assert office.get(group)["priority"] == 1


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"startDate": "01/01/2020"}, "/startDate"),
        ({"filters": None}, "/filters"),
        ({"placements": None}, "/placements"),
        ({"caps": {"budget": None}}, "/caps/budget"),
        ({"name": None}, "/name"),
        ({"endDate": "01/01/2020"}, "/endDate"),
    ],
)
def test_what_an_update_of_a_group_refuses(
    module_office: Office, body: dict[str, Any], field: str
) -> None:
    office = module_office
    group = office.group(office.campaign(office.client()))
    before = office.get(group)
    assert set(office.faults("PUT", group, body)) == {field}
    assert office.get(group) == before


def test_a_right_id_under_a_wrong_parent_is_not_found(office: Office) -> None:
    client, other_client = office.client(), office.client()
    campaign, other = office.campaign(client), office.campaign(client)
    group = office.group(campaign)
    theirs = office.another()
    foreign = theirs.campaign(theirs.client())
    id_ = group.rsplit("/", 1)[1]
    wrong = [
        f"{other}/jobgroups/{id_}",
        f"{other_client}/campaigns/{campaign.rsplit('/', 1)[1]}/jobgroups/{id_}",
        f"{client}/campaigns/{foreign.rsplit('/', 1)[1]}/jobgroups/{id_}",
        f"{campaign}/jobgroups/unknown",
    ]
    before = office.get(group)
    for url in wrong:
        for verb, rest, body in (
            ("GET", "", None),
            ("PUT", "", {"name": "x"}),
            ("DELETE", "", None),
            ("PUT", "/pause", None),
            ("PUT", "/enable", None),
        ):
            reply = office.ask(verb, url + rest, body)
            assert (reply.status, reply.json["message"]) == (404, "Not found")
    assert office.get(group) == before
    moved = f"{other_client}/campaigns/{campaign.rsplit('/', 1)[1]}"
    for verb, rest, body in (
        ("GET", "", None),
        ("PUT", "", {}),
        ("DELETE", "", None),
        ("PUT", "/pause", None),
        ("PUT", "/enable", None),
        ("POST", "/jobgroups", FULL),
        ("GET", "/jobgroups?page=0&limit=1", None),
    ):
        expected = 404
        assert office.ask(verb, moved + rest, body).status == expected


def test_groups_are_listed_by_campaign_and_by_client(office: Office) -> None:
    client = office.client()
    first, second = office.campaign(client), office.campaign(client)
    made = [
        office.group(campaign, name=f"g{n}") for n, campaign in enumerate((first, second, first))
    ]
    of_first = office.get(f"{first}/jobgroups?page=0&limit=10")["data"]
    assert [row["name"] for row in of_first] == ["g0", "g2"]
    reply = office.ask("GET", f"{client}/jobgroups?page=1&limit=2")
    assert [row["name"] for row in reply.json["data"]] == ["g1", "g2"]
    assert [row["iid"] for row in reply.json["data"]] == [2, 3]
    assert 'rel="prev"' in reply.headers["link"]
    assert 'rel="next"' not in reply.headers["link"]
    assert [child["name"] for child in office.get(first)["children"].values()] == ["g0", "g2"]
    meta = office.ask("GET", "/meta", headers={"x-client-id": client[9:]}).json
    names = [[group["name"] for group in one["jobGroups"]] for one in meta["campaigns"]]
    assert names == [["Default JobGroup"], ["g0", "g2"], ["g1"]]
    assert office.ask("DELETE", made[0]).status == 200
    assert office.get(office.group(first))["iid"] == 4
