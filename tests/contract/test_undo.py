"""A change is undone as its own user could do it: what may not be is told before, and refused."""

from typing import Any
from urllib.parse import quote

import pytest

from contract.office import BUDGET, US, Body
from contract.world import World, fingerprint


@pytest.fixture
def world(sqlite_world: World) -> World:
    return sqlite_world


def _group(world: World) -> str:
    ids = world.ids
    return f"{world.client}/campaigns/{ids['campaign_id']}/jobgroups/{ids['jobgroup_id']}"


def _job(world: World) -> str:
    return f"{world.client}/jobs/{quote(world.ids['job_reference'], safe='')}"


def _last(world: World) -> Any:
    return world.office.get("/changes?limit=1")["data"][0]


def _undo(world: World, no: int, **body: Any) -> Any:
    return world.office.ask("POST", f"/changes/{no}/undo", body)


def _refused(world: World, no: int) -> set[str]:
    """The fields of a refusal, which must be told beforehand too, and leave no trace."""
    before = fingerprint(world.office.desk.records)
    reply = _undo(world, no)
    assert reply.status == 400, reply.raw
    assert fingerprint(world.office.desk.records) == before
    return {one["field"] for one in reply.json["errors"]}


def test_an_undo_is_a_change_and_can_be_undone(world: World) -> None:
    group, office = _group(world), world.office
    office.put(group, {"cpcBid": 0.7, "priority": 3})
    made = _last(world)
    assert made["undo"] == {"possible": True, "why": None, "fields": []}
    before = fingerprint(office.desk.records)
    looked = _undo(world, made["id"], validateOnly=True).json
    assert fingerprint(office.desk.records) == before, "nothing is kept of a look"
    done = _undo(world, made["id"]).json
    assert looked["fields"] == done["fields"]
    assert {one["field"]: one["after"] for one in done["fields"]} == {
        "/cpc_bid_micros": 500_000,
        "/priority": 1,
    }
    assert float(office.get(group)["cpcBid"]) == 0.5
    undo = _last(world)
    assert (undo["undoes"], undo["cause"]) == (made["id"], f"undo_change {made['id']}")
    assert _refused(world, made["id"]) == {""}, "it is undone"
    assert _undo(world, undo["id"]).status == 200
    assert float(office.get(group)["cpcBid"]) == 0.7
    assert _undo(world, made["id"]).status == 200, "it stands again, so it may be undone again"
    assert float(office.get(group)["cpcBid"]) == 0.5


def test_what_was_changed_since_is_told_and_stays(world: World) -> None:
    group, office = _group(world), world.office
    office.put(group, {"cpcBid": 0.7, "name": "other"})
    first = _last(world)
    office.put(group, {"cpcBid": 0.8})
    second = _last(world)
    told = office.get(f"/changes?entityId={world.ids['jobgroup_id']}")["data"][1]
    assert told["undo"] == {"possible": False, "why": "CHANGED", "fields": ["/cpc_bid_micros"]}
    assert _refused(world, first["id"]) == {"/cpc_bid_micros"}
    assert _undo(world, second["id"]).status == 200
    assert _undo(world, first["id"]).status == 200, "in reverse order all comes back"
    assert office.get(group)["name"] == "g"


def test_a_place_in_a_list_is_not_mistaken_for_another(world: World) -> None:
    """The same place may be another publisher's by now, with the very same bid."""
    group, office = _group(world), world.office
    one = world.ids["publisher_id"]
    a, b = {"value": one, "bid": 1}, {"value": "TestExp1", "bid": 2}
    office.put(group, {"placements": [a, b]})
    office.put(group, {"placements": [a | {"bid": 2}, b]})
    made = _last(world)
    assert made["fields"] == [
        {"field": "/placements/0/bid_micros", "before": 1_000_000, "after": 2_000_000}
    ]
    office.put(group, {"placements": [b]})
    office.put(group, {"placements": [b, a | {"bid": 2}]})
    assert _refused(world, made["id"]) == {"/placements/0/bid_micros"}
    for _ in range(2):
        newest = next(
            row
            for row in office.get(f"{group}/changes")["data"]
            if row["undoes"] is None and row["undo"]["why"] != "UNDONE"
        )
        assert _undo(world, newest["id"]).status == 200
    assert _undo(world, made["id"]).status == 200, "undone changes are none"
    assert [row["bid"] for row in office.get(group)["placements"]] == [1, 2]


def test_what_cannot_be_undone_says_why(world: World) -> None:
    office, ids, client = world.office, world.ids, world.client
    feed = f"{client}/feeds/{ids['feed_id']}"
    auth = {"username": "u", "password": "hush-hush"}

    def why() -> Any:
        found = _last(world)
        if not found["undo"]["possible"]:
            _refused(world, found["id"])
        return found["undo"]["why"]

    campaign = office.campaign(client)
    assert why() == "CREATION"
    office.put(campaign, {"name": "new name"})
    renamed = _last(world)["id"]
    office.ask("DELETE", campaign)
    assert why() == "DELETION"
    (told,) = [one for one in office.get("/changes")["data"] if one["id"] == renamed]
    assert told["undo"]["why"] == "GONE"
    _refused(world, renamed)
    office.put(feed, {"config": {"auth": auth}})
    assert why() == "SECRET"
    office.put(_job(world), {"description": "d" * 20_000})
    assert why() == "CUT"
    office.ask("POST", f"{feed}/run?force=true")
    assert why() == "FIXED"
    office.put("/agencies/" + ids["agency_id"], {"name": "Acme Ads"})
    assert why() is None
    posted = f"{client}/configs/{ids['config_id']}/jobs/pin"
    office.put(posted, [ids["job_reference"]])
    assert why() == "KIND"
    assert _undo(world, 10**17).status == 404
    for wrong in ("0", "x", "-1", "1e3", "9" * 30):
        assert office.ask("POST", f"/changes/{wrong}/undo").status == 404, wrong


def test_what_no_user_could_set_today_does_not_come_back(world: World) -> None:
    office, group, client = world.office, _group(world), world.client
    gone = office.new("/publishers", {"id": "Gone", "bidType": "CPC"})
    placed = [{"value": world.ids["publisher_id"]}]
    office.put(group, {"placements": [*placed, {"value": gone, "bid": 1}]})
    office.put(group, {"placements": placed})
    removed = _last(world)
    office.ask("DELETE", "/publishers/Gone")
    assert removed["undo"]["possible"]
    assert _refused(world, removed["id"]) == {"/placements/1/publisher_id"}
    office.put(group, {"cpcBid": 0.9})
    raised = _last(world)
    office.put(f"/publishers/{world.ids['publisher_id']}", {"minBid": 0.8})
    assert _refused(world, raised["id"]) == {"/cpc_bid_micros"}
    feed = f"{client}/feeds/{world.ids['feed_id']}"
    auth = {"username": "u", "password": "hush-hush"}
    office.put(feed, {"config": {"auth": auth}})
    office.put(feed, {"config": {"auth": auth | {"username": "other"}}})
    moved = [
        one
        for one in office.get(f"{feed}/changes")["data"]
        if one["fields"][0].get("before") == "u"
    ]
    assert _refused(world, moved[0]["id"]) == {"/config/auth/username"}


def test_switches_settings_and_all_kinds_come_back(world: World) -> None:
    office, ids, client, group = world.office, world.ids, world.client, _group(world)
    publisher = f"/publishers/{ids['publisher_id']}"
    feed, headers = f"{client}/feeds/{ids['feed_id']}", {"x-client-id": ids["client_id"]}
    changes: list[tuple[str, Body | None]] = [
        (f"{path}/pause", None)
        for path in (client, group, _job(world), feed, publisher, f"/rules/{ids['rule_id']}")
    ]
    changes += [
        (client, {"advertiserName": "Ann", "caps": {"clicks": {"cap": "Daily", "value": 9}}}),
        (f"{client}/campaigns/{ids['campaign_id']}", {"settingsOverride": {"markdown": 5}}),
        (group, {"filters": {"operator": "OR", "rules": [*US["rules"], *US["rules"]]}}),
        (group, {"caps": BUDGET | {"applies": {"cap": "Weekly", "value": 3}}}),
        (_job(world), {"title": "T", "city": "Bern", "publisherFields": {"publishers": []}}),
        (
            _job(world),
            {"jobSetting": {"cpcBid": 0.3, "caps": {"clicks": {"cap": "Weekly", "value": 2}}}},
        ),
        (
            feed,
            {"schemaValueDefaults": {"schemaMappingsCountry": "US"}, "urlParamsToStrip": ["utm"]},
        ),
        (publisher, {"minBid": 0.1, "deliverFeedByFTP": False, "placementAlias": "x"}),
        (f"{publisher}/click-definition", {"preset": "3"}),
        (
            f"{client}{publisher}/click-definition",
            {"latent": None, "newBot": {"cmBotLogic": False}},
        ),
        (f"/markups/{ids['markup_id']}", {"value": 50, "name": "x"}),
        (f"{client}/stage-map", {"stageMap": {"Met": "INTERVIEWED"}}),
        (f"/agencies/{ids['agency_id']}", {"name": "Acme Ads"}),
    ]
    for path, body in changes:
        last = _last(world)["id"]
        reply = office.ask("PUT", path, body, headers)
        assert reply.status == 200, (path, reply.raw)
        made = _last(world)
        assert made["id"] != last, f"{path} {body} changes nothing"
        assert made["undo"]["possible"], (path, made)
        shown = path.removesuffix("/pause")
        after = office.ask("GET", shown, headers=headers).json
        assert _undo(world, made["id"]).status == 200, path
        before = {field["field"]: field.get("before") for field in made["fields"]}
        undone = {field["field"]: field.get("after") for field in _last(world)["fields"]}
        assert undone == before, path
        assert office.ask("GET", shown, headers=headers).json != after, path
