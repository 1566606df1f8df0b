"""Rules through HTTP: kept, checked against what the client has, ordered, paused, deleted."""

from decimal import Decimal
from typing import Any

import pytest

from contract.office import NOON, Office
from contract.rooms_office import RoomsOffice, open_rooms
from handbill.kit.instants import DAY, iso_of

RULE: dict[str, Any] = {
    "name": "Pause",
    "filterLevel": "campaign",
    "actionType": "administration",
    "adminActions": {"type": "pause"},
    "conditions": [
        {
            "parameter": "spent",
            "condition": "greater than",
            "value": 12.5,
            "unit": "$",
            "conditionDuration": "last_7_days",
        }
    ],
}


class Shop:
    def __init__(self, rooms: RoomsOffice) -> None:
        self.rooms = rooms
        self.client = rooms.client(timeZone="UTC-10:00")
        self.id = self.client.removeprefix("/clients/")
        self.headers = {"x-client-id": self.id}

    def ask(self, verb: str, url: str, body: Any = None) -> Any:
        return self.rooms.ask(verb, url, body, headers=self.headers)

    def rule(self, **more: Any) -> str:
        reply = self.ask("POST", "/rules", RULE | more)
        assert reply.status == 200, reply.raw
        made: str = reply.json["data"]["id"]
        return made

    def status_of(self, **more: Any) -> int:
        status: int = self.ask("POST", "/rules", RULE | more).status
        return status

    def listed(self) -> list[str]:
        every = self.ask("GET", "/rules?page=0&limit=100").json["data"]
        assert [one["order"] for one in every] == list(range(1, len(every) + 1))
        return [one["id"] for one in every]


@pytest.fixture
def shop(office: Office) -> Shop:
    rooms = open_rooms(office.desk, "acme2")
    rooms.ask("POST", "/publishers", {"id": "TestExp1", "name": "T"})
    return Shop(rooms)


def test_a_rule_is_kept_as_it_was_said(shop: Shop) -> None:
    made = shop.rule(endDate="12/01/2026")
    got = shop.ask("GET", f"/rules/{made}").json
    assert got == {
        "id": made,
        "clientId": shop.id,
        "campaignId": "0",
        "jobGroupId": "0",
        "filterLevel": "campaign",
        "applyToChildren": True,
        "conditions": got["conditions"],
        "conditionOp": "AND",
        "actionType": "administration",
        "name": "Pause",
        "startDate": "11/18/2026",
        "endDate": "12/01/2026",
        "jobFilter": None,
        "jobFilterLevel": None,
        "adminActions": {"type": "pause"},
        "filters": [],
        "actions": None,
        "repeatActionDuration": None,
        "allIds": False,
        "notifyUser": False,
        "status": "A",
        "order": 1,
        "createdOn": iso_of(NOON),
        "lastUpdated": iso_of(NOON),
    }
    assert [dict(one, value=float(one["value"])) for one in got["conditions"]] == RULE["conditions"]
    again = {k: v for k, v in got.items() if v is not None}
    assert shop.status_of(**again) == 200, "what was answered can be sent back"


def test_days_that_are_not_given(shop: Shop) -> None:
    dates = [{}, {"startDate": "12/24/2026"}, {"endDate": "01/05/2020"}]
    got = [shop.ask("GET", f"/rules/{shop.rule(**one)}").json for one in dates]
    assert [(one["startDate"], one["endDate"]) for one in got] == [
        ("11/18/2026", "11/25/2026"),
        ("12/24/2026", "12/24/2026"),
        ("01/05/2020", "01/05/2020"),
    ]


def test_ids_must_be_the_clients(shop: Shop) -> None:
    rooms, other, stranger = shop.rooms, Shop(shop.rooms), Shop(shop.rooms.another())
    campaign, elsewhere = rooms.campaign(shop.client), rooms.campaign(shop.client)
    group = rooms.group(campaign).rpartition("/")[2]
    campaign_id, elsewhere_id = (path.rpartition("/")[2] for path in (campaign, elsewhere))
    theirs = rooms.campaign(other.client).rpartition("/")[2]
    foreign = stranger.rooms.campaign(stranger.client).rpartition("/")[2]
    assert shop.status_of(clientId=shop.id, campaignId=campaign_id, jobGroupId=group) == 200
    assert shop.status_of(clientId="0", campaignId="0", jobGroupId="") == 200
    for one in (other.id, stranger.id, "x"):
        assert shop.status_of(clientId=one) == 404
    for one in (theirs, foreign, group, "x"):
        assert shop.status_of(campaignId=one) == 404
        assert shop.status_of(filters=[{"id": one}]) == 404
    assert shop.status_of(campaignId=elsewhere_id, jobGroupId=group) == 404
    assert shop.status_of(filters=[{"id": campaign_id, "placementIds": ["TestExp1"]}]) == 200
    assert shop.status_of(filterLevel="clients", filters=[{"id": shop.id}]) == 200
    assert shop.status_of(filterLevel="jobgroups", filters=[{"id": group}]) == 200
    jobs = {"filterLevel": "jobs", "jobFilter": {}, "jobFilterLevel": "jobgroups"}
    assert shop.status_of(**jobs, filters=[{"id": group}]) == 200
    assert shop.status_of(**jobs, filters=[{"id": campaign_id}]) == 404
    unknown = [{"id": campaign_id, "placementIds": ["TestExp1", "Nobody"]}]
    reply = shop.ask("POST", "/rules", RULE | {"filters": unknown})
    assert reply.json["errors"][0]["field"] == "/filters/0/placementIds/1"


def test_rules_are_paused_and_ordered(shop: Shop) -> None:
    one, two, three = (shop.rule(name=name) for name in "abc")
    assert shop.listed() == [one, two, three]
    page = shop.ask("GET", "/rules?page=1&limit=2")
    assert [(rule["id"], rule["order"]) for rule in page.json["data"]] == [(three, 3)]
    assert 'rel="prev"' in page.headers["link"]
    assert shop.ask("PUT", "/rules/order", {"ids": [three, one, two]}).json["result"]
    assert shop.listed() == [three, one, two]
    assert shop.ask("PUT", "/rules/order", {"ids": [three, one]}).status == 400
    assert shop.ask("PUT", "/rules/order", {"ids": [three, one, two, "x"]}).status == 404
    assert shop.ask("PUT", f"/rules/{one}/pause").json["message"] == "Rule paused"
    shop.rooms.later(DAY)
    assert shop.ask("PUT", f"/rules/{one}/pause").status == 200
    got = shop.ask("GET", f"/rules/{one}").json
    assert (got["status"], got["lastUpdated"], got["order"]) == ("P", iso_of(NOON), 2)
    assert shop.ask("PUT", "/rules/status", {"ids": [two, "x"], "status": "P"}).status == 404
    many = {"ids": [one, two], "status": "p"}
    assert shop.ask("PUT", "/rules/status", many).json["message"] == "Rules paused"
    states = [shop.ask("GET", f"/rules/{rule}").json["status"] for rule in (one, two, three)]
    assert states == ["P", "P", "A"]
    assert shop.ask("PUT", f"/rules/{one}/enable").json["message"] == "Rule enabled"
    assert shop.ask("DELETE", f"/rules/{two}").json == {"result": True, "message": "Rule deleted"}
    assert shop.ask("DELETE", f"/rules/{two}").status == 404
    assert shop.listed() == [three, one]
    assert shop.rule() == shop.listed()[-1]


def test_a_rule_that_may_pull_the_other_way_is_told_as_it_is_saved(shop: Shop) -> None:
    pauses = shop.rule(name="pauses")
    assert "conflicts" not in shop.ask("GET", f"/rules/{pauses}").json
    lifts = RULE | {"name": "lifts", "adminActions": {"type": "resume"}}
    made = shop.ask("POST", "/rules", lifts).json
    first = [{"id": pauses, "name": "pauses", "order": 1}]
    second = [{"id": made["data"]["id"], "name": "lifts", "order": 2}]
    assert made["conflicts"] == first
    every = shop.ask("GET", "/rules?page=0&limit=9").json["data"]
    assert [one["conflicts"] for one in every] == [second, first]
    assert shop.ask("PUT", f"/rules/{pauses}", RULE).json["conflicts"] == second
    shop.ask("PUT", f"/rules/{pauses}/pause")
    every = shop.ask("GET", "/rules?page=0&limit=9").json["data"]
    assert ["conflicts" in one for one in every] == [False, False]
    later = {"startDate": "12/24/2027", "endDate": "12/24/2027"}
    shop.ask("PUT", f"/rules/{pauses}/enable")
    assert shop.ask("PUT", f"/rules/{pauses}", RULE | later).json["conflicts"] == []


def test_a_back_test_of_a_client_without_visitors(shop: Shop) -> None:
    made = shop.rule()
    found = shop.ask("POST", f"/rules/{made}/backtest").json
    assert (found["count"], found["firings"], found["complete"]) == (0, [], True)
    assert shop.ask("POST", "/rules/x/backtest").status == 404
    stranger = Shop(shop.rooms.another())
    assert stranger.ask("POST", f"/rules/{made}/backtest").status == 404


def test_rules_of_others_are_unknown(shop: Shop) -> None:
    made = shop.rule()
    for stranger in (Shop(shop.rooms), Shop(shop.rooms.another())):
        for verb, url, body in (
            ("GET", f"/rules/{made}", None),
            ("DELETE", f"/rules/{made}", None),
            ("PUT", f"/rules/{made}/pause", None),
            ("PUT", "/rules/order", {"ids": [made]}),
            ("PUT", "/rules/status", {"ids": [made], "status": "P"}),
        ):
            reply = stranger.ask(verb, url, body)
            assert (reply.status, reply.json["message"]) == (404, "Not found")
        assert stranger.listed() == []
    assert shop.rooms.ask("GET", f"/rules/{made}").status == 403, "no header names the client"
    assert shop.listed() == [made]


def test_bounds_that_leave_no_room_are_refused(shop: Shop) -> None:
    guards = {"minBid": 2, "maxBid": 1.99, "minBudget": 0.01, "maxBudget": 0}
    reply = shop.ask("POST", "/rules", RULE | {"guards": guards})
    assert (reply.status, [one["field"] for one in reply.json["errors"]]) == (
        400,
        ["/guards/maxBid", "/guards/maxBudget"],
    )
    shop.rule(guards={"minBid": 2, "maxBid": 2, "minBudget": 5, "maxBudget": None})


def test_an_action_that_cannot_be_read_is_told_with_what_else_is_wrong(shop: Shop) -> None:
    action = {"action": "decrease", "parameter": "bid", "value": 10, "unit": "%"}
    changes = {"actionType": "bidStrategy", "adminActions": None, "actions": action}
    days = {"startDate": "12/31/2026", "endDate": "01/01/2026"}
    reply = shop.ask("POST", "/rules", RULE | changes | days)
    assert (reply.status, [one["field"] for one in reply.json["errors"]]) == (
        400,
        ["/actions/parameter", "/endDate"],
    )


def bids_after(shop: Shop, group: str, value: float, unit: str, at_all: bool = False) -> list[Any]:
    """What a rule that raises bids per click would do, as (before, after, currency)."""
    action = {"action": "increase", "parameter": "cpc bid", "value": value, "unit": unit}
    condition = {"parameter": "clicks", "condition": "equals", "value": 0}
    body = RULE | {
        "filterLevel": "jobgroups",
        "filters": [{"id": group.rpartition("/")[2], "allPlacements": at_all}],
        "conditions": [condition | {"conditionDuration": "today"}],
        "actionType": "bidStrategy",
        "adminActions": None,
        "actions": action,
    }
    reply = shop.ask("POST", "/rules/preview", body)
    assert reply.status == 200, reply.raw
    acts = [act for one in reply.json["entities"] for act in one["acts"]]
    return [(one["before"], one["after"], one.get("currency", "")) for one in acts]


def test_a_bid_is_compared_with_bounds_in_its_own_currency(shop: Shop) -> None:
    """A minimum of 30 yen is no minimum of 30 dollars."""
    today = shop.rooms.desk.clock.now()
    rates = [{"date": iso_of(today - DAY)[:10], "from": "JPY", "to": "USD", "rate": 0.0067}]
    assert shop.rooms.ask("POST", "/rates", rates).status == 200
    yen = {"id": "Yen", "name": "Y", "currency": "JPY", "minBid": 30, "bidType": "CPC"}
    assert shop.rooms.ask("POST", "/publishers", yen).status == 200
    placement: dict[str, Any] = {"value": "Yen"}
    campaign = shop.rooms.campaign(shop.client)
    group = shop.rooms.group(campaign, cpcBid=0.5, placements=[placement])
    assert bids_after(shop, group, 10, "%") == [(0.5, Decimal("0.55"), "")]
    placement |= {"bid": 60, "currency": "JPY"}
    assert shop.rooms.ask("PUT", group, {"placements": [placement]}).status == 200
    assert bids_after(shop, group, 0.10, "$", at_all=True) == [(60, 74, "JPY")]
