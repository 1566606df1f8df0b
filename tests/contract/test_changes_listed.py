"""Changes as they are asked for: whose they are, which ones, and page after page."""

from collections.abc import Callable
from typing import Any
from urllib.parse import quote, urlencode

import pytest

from contract.world import World, build
from handbill.changes import service as changes
from handbill.core.trail import Occasion, TrailEntity
from handbill.kit.instants import DAY, HOUR, iso_of


@pytest.fixture
def world(sqlite_world: World) -> World:
    return sqlite_world


def _listed(world: World, path: str = "/changes", **query: Any) -> list[Any]:
    found: list[Any] = world.office.get(f"{path}?{urlencode({'limit': 1_000} | query)}")["data"]
    return found


def test_a_change_is_told_with_who_what_before_and_after(world: World) -> None:
    path = f"{world.client}/campaigns/{world.ids['campaign_id']}"
    world.office.put(path, {"name": "winter"})
    one = _listed(world, limit=1)[0]
    assert one["entity"] == {"kind": "CAMPAIGN", "id": world.ids["campaign_id"]}
    assert one["fields"] == [{"field": "/name", "before": "autumn", "after": "winter"}]
    assert one["actor"] == {"kind": "API_CLIENT", "id": world.office.api_client_id}
    assert (one["act"], one["cause"]) == ("CHANGE", "update_campaign")
    assert one["clientId"] == world.ids["client_id"]


def test_a_list_goes_on_where_it_ended_whatever_comes_meanwhile(world: World) -> None:
    every = [one["id"] for one in _listed(world)]
    assert len(every) > 15
    found: list[int] = []
    url = "/changes?limit=4"
    while url:
        reply = world.office.ask("GET", url)
        found += [one["id"] for one in reply.json["data"]]
        parts = (one[1:].split(">; rel=") for one in reply.headers["link"].split(", "))
        links = {name: path for path, name in parts}
        assert links['"first"'] == "/changes?limit=4"
        assert ('"next"' in links) == (reply.json["next"] is not None)
        url = links.get('"next"', "")
        world.office.put(f"{world.client}/{'pause' if len(found) % 8 else 'enable'}")
    assert found == every


def test_each_entity_has_its_own(world: World) -> None:
    ids, client = world.ids, world.client
    group = f"{client}/campaigns/{ids['campaign_id']}/jobgroups/{ids['jobgroup_id']}"
    job = f"{client}/jobs/{quote(ids['job_reference'], safe='')}"
    feed, publisher = f"{client}/feeds/{ids['feed_id']}", f"/publishers/{ids['publisher_id']}"
    for path, kinds in {
        f"{client}/campaigns/{ids['campaign_id']}": {"CAMPAIGN"},
        group: {"JOB_GROUP"},
        job: {"JOB"},
        feed: {"FEED"},
        publisher: {"PUBLISHER", "CLICK_DEFINITION"},
    }.items():
        world.office.put(f"{path}/pause")
        found = _listed(world, f"{path}/changes")
        assert found[0]["fields"] == [{"field": "/status", "before": "A", "after": "P"}], path
        assert {one["entity"]["kind"] for one in found} == kinds
        assert [one["id"] for one in found] == [
            one["id"] for one in _listed(world, entityId=found[0]["entity"]["id"])
        ]
    of_client = _listed(world, f"{client}/changes")
    assert of_client == _listed(world, client_id=ids["client_id"])
    assert {"CLIENT", "CAMPAIGN", "JOB_GROUP", "JOB", "FEED", "RULE"} <= {
        one["entity"]["kind"] for one in of_client
    }
    world.office.ask("DELETE", job)
    assert _listed(world, entityId=of_client[-1]["entity"]["id"]), "of what is gone too"


def test_changes_are_chosen_by_actor_and_time(world: World) -> None:
    office = world.office
    noon = office.clock.now()
    for hours, actor in ((1, Occasion("RULE", "r1")), (2, Occasion("CLI", "ann"))):
        with office.desk.records.write() as tx:
            tx.occasion = actor
            entity = TrailEntity("FEED", f"by {actor.actor_id}", agency_no=1)
            changes.secret(tx, noon + hours * HOUR, entity, "x")
    ids: Callable[..., list[str]] = lambda **query: [  # noqa: E731
        one["entity"]["id"] for one in _listed(world, **query)
    ]
    assert ids(actor="rule") == ids(actorId="r1") == ["by r1"]
    assert ids(actor="CLI", actorId="r1") == []
    assert ids(since=iso_of(noon + HOUR)) == ["by ann", "by r1"]
    assert ids(since=iso_of(noon + HOUR + 1_000)) == ["by ann"]
    assert ids(since=iso_of(noon + HOUR), until=iso_of(noon + 2 * HOUR)) == ["by r1"]
    today = iso_of(noon)[:10]
    assert ids(since=today, until=today, actor="CLI") == ["by ann"], "a day until its end"
    assert ids(until=iso_of(noon - DAY)) == []
    for wrong in ("since=yesterday", "until=2026-13-01", "actor=NOBODY", "cursor=x", "limit=0"):
        assert set(office.faults("GET", f"/changes?{wrong}")) == {f"/{wrong.split('=')[0]}"}
    said = {"/cursor": "must be next of a previous answer"}
    assert office.faults("GET", "/changes?cursor=1-2-3") == said


def test_what_is_named_by_its_id_has_its_name_beside(world: World) -> None:
    office, ids = world.office, world.ids
    path = f"{world.client}/campaigns/{ids['campaign_id']}"
    office.put(path, {"name": "winter"})
    headers = {"x-client-id": ids["client_id"]}
    rule = office.ask("GET", f"/rules/{ids['rule_id']}", headers=headers).json
    ((person, mail),) = [
        (one["id"], one["mail"]) for one in office.get("/people?page=0&limit=9")["data"]
    ]
    with office.desk.records.write() as tx:
        tx.occasion = Occasion("PERSON", person)
        changes.secret(tx, office.clock.now(), TrailEntity("FEED", "f", agency_no=1), "x")
    assert office.get("/changes?limit=1")["names"] == {person: mail}
    [held] = [one for one in _listed(world) if one["fields"][0]["field"] == "/heldBy"]
    assert held["fields"][0]["after"] == [rule["id"]]
    office.ask("DELETE", path)
    names = office.get("/changes?limit=1000")["names"]
    assert names[ids["campaign_id"]] == "winter", "of what is deleted too"
    assert names[rule["id"]] == rule["name"]
    assert names[ids["client_id"]] == office.get(world.client)["companyName"]
    other = build(office.another())
    assert not names.keys() & other.office.get("/changes?limit=1000")["names"].keys()


def test_instants_are_told_as_all_are(world: World) -> None:
    office = world.office
    path = f"{world.client}/report-questions/{world.ids['question_id']}/link"
    until = office.ask("POST", path, {"days": 7}).json["expiresOn"]
    (field,) = _listed(world, limit=1)[0]["fields"]
    assert field == {"field": "/link_until", "before": None, "after": until}


def test_nobody_sees_another_agencys_changes(world: World) -> None:
    other = build(world.office.another())
    mine = {one["id"] for one in _listed(world)}
    theirs = {one["id"] for one in _listed(other)}
    assert mine
    assert theirs
    assert not mine & theirs
    assert _listed(other, entityId=world.ids["campaign_id"]) == []
    assert other.office.ask("GET", f"/changes?client_id={world.ids['client_id']}").status == 404
