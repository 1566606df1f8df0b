"""Markups through HTTP: kept as said, checked against what the agency has, changed, deleted."""

from typing import Any

import pytest

from contract.office import NOON, Body, Office
from handbill.kit.instants import SECOND, iso_of

SINCE = 1_793_491_200


class Shop:
    """A client with a campaign and a job group, by their ids."""

    def __init__(self, office: Office) -> None:
        self.office = office
        client = office.client()
        campaign = office.campaign(client)
        group = office.group(campaign)
        self.client, self.campaign, self.group = (
            path.rpartition("/")[2] for path in (client, campaign, group)
        )

    def entity(self, level: str = "Client", **more: Any) -> Body:
        ids = {"client": self.client, "campaign": self.campaign, "jobgroup": self.group}
        return {"clientId": self.client, "entityId": ids[level.lower()], "level": level} | more

    def markup(self, *entities: Body, **more: Any) -> Body:
        return {
            "effectiveFrom": SINCE,
            "value": 10,
            "entities": list(entities) or [self.entity()],
        } | more

    def new(self, *entities: Body, **more: Any) -> str:
        return self.office.new("/markups", self.markup(*entities, **more))

    def status_of(self, *entities: Body, **more: Any) -> int:
        return self.office.ask("POST", "/markups", self.markup(*entities, **more)).status


@pytest.fixture
def shop(office: Office) -> Shop:
    return Shop(office)


def test_a_markup_is_kept_as_it_was_said(shop: Shop) -> None:
    entities = [
        shop.entity("CLIENT"),
        shop.entity("campaign"),
        shop.entity("jobGroup"),
        shop.entity("JobGroup", placementId="TestExp1"),
    ]
    reply = shop.office.ask("POST", "/markups", shop.markup(*entities, value=12.3456, name="up"))
    assert reply.json["message"] == "Markup created"
    made = reply.json["result"]
    got = shop.office.get(f"/markups/{made}")
    assert str(got.pop("value")) == "12.3456"
    assert got == {
        "id": made,
        "name": "up",
        "effectiveFrom": SINCE,
        "entities": [
            shop.entity("Client", placementId=None),
            shop.entity("Campaign", placementId=None),
            shop.entity("JobGroup", placementId=None),
            shop.entity("JobGroup", placementId="TestExp1"),
        ],
        "createdOn": iso_of(NOON),
        "lastUpdated": iso_of(NOON),
    }
    again = {key: value for key, value in got.items() if key != "id"}
    assert shop.status_of(**again) == 200, "what was answered can be sent back"


@pytest.mark.parametrize(
    ("said", "kept"),
    [
        (0, 0),
        (253_402_300_799, 253_402_300_799),
        ("2026-11-01T00:00:00Z", SINCE),
        ("2026-11-01T02:00:00+02:00", SINCE),
        ("2026-11-01", SINCE),
        ("2026-11-01T00:00:00.999", SINCE),
    ],
)
def test_when_it_begins(shop: Shop, said: int | str, kept: int) -> None:
    made = shop.new(effectiveFrom=said)
    assert shop.office.get(f"/markups/{made}")["effectiveFrom"] == kept


def test_all_faults_of_a_markup_are_named(shop: Shop) -> None:
    def told(body: Body) -> set[str]:
        return set(shop.office.faults("POST", "/markups", body))

    assert told({}) == {"/effectiveFrom", "/value", "/entities"}
    assert told(dict.fromkeys(("effectiveFrom", "value", "entities"))) == told({})
    bad = [
        {},
        {"clientId": shop.client, "level": "Job"},
        {"clientId": "", "level": "Campaign"},
        {"clientId": shop.client, "level": "JobGroup"},
        shop.entity(placementId=7),
    ]
    assert told(shop.markup(*bad, effectiveFrom=-1, value=-0.5, name=7)) == {
        "/effectiveFrom",
        "/value",
        "/name",
        "/entities/0/clientId",
        "/entities/0/level",
        "/entities/1/level",
        "/entities/2/clientId",
        "/entities/3/entityId",
        "/entities/4/placementId",
    }
    value: object
    for value in (800.0001, 0.00001, True, "10", [], 10**18):
        assert told(shop.markup(value=value)) == {"/value"}
    since: object
    for since in (253_402_300_800, 1.5, True, "", "x", "13/32/2026", "1969-12-31", [1], {}):
        assert told(shop.markup(effectiveFrom=since)) == {"/effectiveFrom"}
    same = shop.entity("Campaign")
    twice = [same, same | {"level": "CAMPAIGN"}, {"clientId": shop.client, "level": "client"}]
    assert told(shop.markup(*twice, shop.entity())) == {"/entities/1", "/entities/3"}
    assert told(shop.markup(entities=[])) == {"/entities"}
    assert told(shop.markup(entities=[shop.entity()] * 101)) == {"/entities"}
    unknown = [shop.entity(placementId=name) for name in ("TestExp1", "Nobody", "x")]
    assert told(shop.markup(*unknown)) == {"/entities/1/placementId", "/entities/2/placementId"}
    assert shop.office.get("/markups?page=0&limit=10") == {"data": []}


def test_the_entities_must_be_the_agencys_own(shop: Shop) -> None:
    sister, foreign = Shop(shop.office), Shop(shop.office.another())
    for level in ("Client", "Campaign", "JobGroup"):
        own = shop.entity(level)
        assert shop.status_of(own) == 200
        for other in (sister.entity(level), foreign.entity(level), {"entityId": "x"}):
            mixed = shop.office.ask(
                "POST", "/markups", shop.markup(own | {"entityId": other["entityId"]})
            )
            assert (mixed.status, mixed.json["message"]) == (404, "Not found")
        assert shop.status_of(sister.entity(level)) == 200
        assert shop.status_of(own, foreign.entity(level)) == 404
    assert shop.status_of(shop.entity("JobGroup") | {"level": "Campaign"}) == 404
    assert shop.status_of(shop.entity("Campaign") | {"level": "JobGroup"}) == 404
    shop.office.ask("DELETE", f"/clients/{shop.client}/campaigns/{shop.campaign}")
    assert shop.status_of(shop.entity("Campaign")) == 404
    assert len(shop.office.get("/markups?page=0&limit=100")["data"]) == 6


def test_a_change_names_only_what_changes(shop: Shop) -> None:
    made = shop.new(name="up")
    url = f"/markups/{made}"
    before = shop.office.get(url)
    shop.office.clock.forward(SECOND)
    shop.office.put(url, {})
    assert shop.office.get(url) == before
    assert shop.office.ask("PATCH", url, {"value": 5}).json["message"] == "Markup updated"
    now = shop.office.clock.now()
    assert shop.office.get(url) == before | {"value": 5, "lastUpdated": iso_of(now)}
    campaign = shop.entity("Campaign", placementId="TestExp1")
    shop.office.put(url, {"entities": [campaign], "name": None, "effectiveFrom": 5})
    got = shop.office.get(url)
    assert (got["entities"], got["name"], got["effectiveFrom"]) == ([campaign], "", 5)
    none = dict.fromkeys(("value", "effectiveFrom", "entities"))
    assert set(shop.office.faults("PUT", url, none)) == {"/value", "/effectiveFrom", "/entities"}
    foreign = Shop(shop.office.another())
    body = {"value": 7, "entities": [foreign.entity()]}
    assert shop.office.ask("PUT", url, body).status == 404
    assert shop.office.get(url) == got
    assert foreign.office.ask("PUT", url, {"value": 7}).status == 404


def test_a_change_of_what_was_changed_meanwhile_is_refused(shop: Shop) -> None:
    url = f"/markups/{shop.new()}"
    etag = shop.office.ask("GET", url).headers["etag"]
    assert shop.office.ask("GET", url, headers={"if-none-match": etag}).status == 304
    first = shop.office.ask("PUT", url, {"value": 5}, headers={"if-match": etag})
    second = shop.office.ask("PUT", url, {"value": 6}, headers={"if-match": etag})
    assert (first.status, second.status) == (200, 400)
    assert shop.office.get(url)["value"] == 5


def test_lists_of_the_agency_and_of_a_client(shop: Shop) -> None:
    sister = Shop(shop.office)
    mine = [shop.new(shop.entity(level)) for level in ("Client", "Campaign", "JobGroup")]
    both = shop.new(shop.entity(), sister.entity())
    theirs = sister.new()

    def listed(url: str) -> list[str]:
        return [one["id"] for one in shop.office.get(url)["data"]]

    assert listed("/markups?page=0&limit=10") == [*mine, both, theirs]
    assert listed("/markups?page=1&limit=2") == [mine[2], both]
    assert listed("/markups?page=9&limit=2") == []
    link = shop.office.ask("GET", "/markups?page=1&limit=2").headers["link"]
    assert 'page=0&limit=2>; rel="prev"' in link
    assert 'page=2&limit=2>; rel="next"' in link
    own = f"/clients/{shop.client}/markups"
    assert listed(f"{own}?page=0&limit=10") == [*mine, both]
    assert listed(f"{own}?page=3&limit=1") == [both]
    assert "next" not in shop.office.ask("GET", f"{own}?page=3&limit=1").headers["link"]
    assert listed(f"/clients/{sister.client}/markups?page=0&limit=10") == [both, theirs]
    foreign = Shop(shop.office.another())
    assert foreign.office.get("/markups?page=0&limit=10") == {"data": []}
    assert foreign.office.ask("GET", f"{own}?page=0&limit=10").status == 404
    assert shop.office.ask("DELETE", f"/markups/{both}").json["message"] == "Markup deleted"
    assert shop.office.ask("DELETE", f"/markups/{both}").status == 404
    assert listed(f"{own}?page=0&limit=10") == mine
    assert listed("/markups?page=0&limit=10") == [*mine, theirs]


def test_what_it_names_is_told_when_it_is_gone(shop: Shop) -> None:
    made = shop.new(shop.entity("JobGroup", placementId="TestExp1"))
    before = shop.office.get(f"/markups/{made}")
    shop.office.ask("DELETE", f"/clients/{shop.client}")
    shop.office.ask("DELETE", "/publishers/TestExp1")
    assert shop.office.get(f"/markups/{made}") == before


def test_a_repeated_create_is_one(shop: Shop) -> None:
    headers = {"idempotency-key": "once"}
    told = [
        shop.office.ask("POST", "/markups", shop.markup(), headers=headers).json for _ in range(2)
    ]
    assert told[0] == told[1]
    assert len(shop.office.get("/markups?page=0&limit=10")["data"]) == 1
