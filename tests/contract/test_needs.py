"""What needs somebody, through the doors: each cause once, with a request that mends it."""

from typing import Any

import pytest

from contract.office import NOON, Office, operation_of, plain
from contract.signed_in import asked, person, session
from contract.test_explain import id_of, sqlite_tools
from contract.test_resolved_status import Market, budget
from contract.world import FEED
from handbill.callbacks import rows as callback_rows
from handbill.core.needs import FOR_EMPLOYERS, Cause
from handbill.feeds import service as feeds
from handbill.kit.instants import DAY, MINUTE
from handbill.listings import delivery_rows
from handbill.listings.delivery_rows import Delivery
from handbill.publishers import service as publishers
from handbill.work.tools import Tools

__all__ = ["sqlite_tools"]


@pytest.fixture
def market(sqlite_office: Office, sqlite_tools: Tools) -> Market:
    return Market(sqlite_office, sqlite_tools).open()


def needs(office: Office, query: str = "page=0&limit=50") -> Any:
    return plain(office.get(f"/needs?{query}"))["data"]


def causes(office: Office) -> list[str]:
    return [need["cause"] for need in needs(office)]


def later(office: Office, days: int) -> None:
    """So many days later, with a new token."""
    office.clock.forward(days * DAY)
    told = office.ask("POST", "/token", {"client_id": office.api_client_id})
    office.headers["x-authorization-key"] = told.json["access_token"]


def mend(office: Office, need: Any) -> None:
    fix = need["fix"]
    reply = office.ask(fix["method"], fix["path"], fix["body"], headers=fix["headers"])
    assert reply.status == 200, reply.raw


def failed_feed(market: Market, url: str = "https://feeds.example.com/jobs.xml") -> str:
    office = market.office
    feed = office.new(f"{market.client}/feeds", FEED | {"xmlFeedUrl": url})
    with office.desk.records.write() as tx:
        begun = feeds.begin_run(tx, office.desk.ids, office.clock.now(), feed)
        assert begun is not None
        begun[2].body.message = "The server answered with 404"
        feeds.end_run(tx, begun[1], begun[2], "FAILED", office.clock.now())
    return feed


def paused_rule(market: Market) -> str:
    office, client_id = market.office, id_of(market.client)
    sample: dict[str, Any] = operation_of("POST", "/rules")[0].sample
    whose = {"clientId": client_id, "campaignId": id_of(market.campaign)}
    whose["jobGroupId"] = id_of(market.group)
    headers = {"x-client-id": client_id}
    rule: str = office.ask("POST", "/rules", sample | whose, headers=headers).json["data"]["id"]
    office.ask("PUT", "/rules/status", {"ids": [rule], "status": "P"}, headers=headers)
    return rule


def test_nothing_needs_anybody_where_all_runs(market: Market) -> None:
    assert needs(market.office) == []


def test_a_capped_group_is_told_and_its_fix_mends_it(market: Market) -> None:
    office = market.office
    office.put(market.group, {"caps": budget(1)})
    market.spend(1)
    market.tick()
    (need,) = needs(office)
    assert need["cause"] == "CAPPED"
    assert need["entity"] == {"kind": "JOBGROUP", "id": id_of(market.group), "name": "g"}
    assert need["client"]["id"] == id_of(market.client)
    assert need["campaignId"] == id_of(market.campaign)
    standing = plain(office.get(f"{market.group}/resolved-status"))
    assert need["description"] == standing["reasons"][0]["description"]
    assert need["since"] == standing["since"]
    assert {**need["fix"], "headers": {}} == standing["reasons"][0]["fix"] | {"headers": {}}
    mend(office, need)
    market.tick()
    assert needs(office) == []


def test_what_is_paused_or_stopped_further_up_is_left_out(market: Market) -> None:
    office = market.office
    office.put(market.group, {"caps": budget(1)})
    market.spend(1)
    office.put(f"{market.campaign}/pause")
    market.tick()
    assert needs(office) == []
    office.put(f"{market.campaign}/enable")
    office.put(market.client, {"caps": budget(1)})
    office.put(market.group, {"caps": budget(9_000)})
    market.tick()
    (need,) = needs(office)
    assert (need["entity"]["kind"], need["campaignId"]) == ("CLIENT", None)
    office.put(f"{market.client}/pause")
    assert needs(office) == [], "a paused client needs nobody"


def test_groups_without_bid_or_jobs_are_told(market: Market) -> None:
    office = market.office
    office.put(f"/publishers/{market.publisher}", {"minBid": 4})
    market.tick()
    assert causes(office) == ["NO_BID"]
    office.put(f"/publishers/{market.publisher}", {"minBid": 0})
    office.put(f"{market.client}/jobs/1/pause")
    market.tick()
    assert "NO_JOBS" in causes(office)


def test_a_failed_import_is_run_again_by_its_fix(market: Market) -> None:
    feed = failed_feed(market)
    (need,) = needs(market.office)
    assert (need["cause"], need["entity"]["id"]) == ("IMPORT_FAILED", feed)
    assert need["description"].endswith("The server answered with 404")
    mend(market.office, need)
    assert needs(market.office) == [], "it runs again"


def test_a_paused_rule_is_enabled_by_its_fix(market: Market) -> None:
    rule = paused_rule(market)
    (need,) = needs(market.office)
    assert (need["cause"], need["entity"]["id"]) == ("RULE_PAUSED", rule)
    mend(market.office, need)
    assert needs(market.office) == []


def test_a_publisher_that_never_fetched_is_told_once(market: Market) -> None:
    office = market.office
    later(office, 4)
    (need,) = needs(office)
    assert (need["cause"], need["entity"]["id"]) == ("NOT_FETCHED", market.publisher)
    assert (need["client"], need["fix"]) == (None, None)
    office.put(f"/publishers/{market.publisher}/pause")
    assert needs(office) == []


def test_failed_deliveries_and_callbacks_are_told(market: Market) -> None:
    office = market.office
    ftp = {"credentials": {"host": "ftp.example.com", "username": "u", "password": "p"}}
    office.put(f"/publishers/{market.publisher}", {"deliverFeedByFTP": True, "ftpConfig": ftp})
    with office.desk.records.write() as tx:
        (agency_no,) = {market.at_work().agency_no}
        (board,) = [
            one for one in publishers.publishers_of(tx, agency_no) if one.id == market.publisher
        ]
        for file, _ in delivery_rows.every(tx, board.no):
            one = Delivery(file.no, "/in/jobs.xml", "RETRYING", None, None, "no login", NOON, None)
            delivery_rows.put(tx, one)
        some = {"subject": "report-1", "url": "https://acme.example/told", "body": "{}"}
        callback_rows.add(tx, id="c1", agency_no=agency_no, created_at=NOON + MINUTE, **some)
        known = callback_rows.by_id(tx, "c1")
        assert known is not None
        callback_rows.change(tx, known.no, state="DEAD", failure="", status=500)
    told = {need["cause"]: need for need in needs(office)}
    assert told["NOT_DELIVERED"]["description"] == "/in/jobs.xml cannot be delivered: no login"
    assert told["NOT_DELIVERED"]["entity"]["id"] == market.publisher
    assert told["CALLBACK_FAILED"]["entity"]["name"] == "https://acme.example/told"
    assert "500" in told["CALLBACK_FAILED"]["description"]
    fix = told["CALLBACK_FAILED"]["fix"]
    assert office.ask(fix["method"], fix["path"]).json["state"] == "SENDING"
    assert "CALLBACK_FAILED" not in causes(office)
    office.put(f"/publishers/{market.publisher}", {"deliverFeedByFTP": False})
    assert "NOT_DELIVERED" not in causes(office)


def test_pages_are_newest_first_and_whole(market: Market) -> None:
    office = market.office
    market.tick()
    paused_rule(market)
    office.clock.forward(MINUTE)
    failed_feed(market)
    both = needs(office)
    assert [one["cause"] for one in both] == ["IMPORT_FAILED", "RULE_PAUSED"]
    assert [needs(office, f"page={n}&limit=1") for n in range(3)] == [both[:1], both[1:], []]
    assert office.get("/needs?page=1&limit=1")["total"] == 2
    first = office.ask("GET", "/needs?page=0&limit=1")
    assert 'rel="next"' in first.headers["link"]
    known = {"if-none-match": first.headers["etag"]}
    assert office.ask("GET", "/needs?page=0&limit=1", headers=known).status == 304


def test_others_are_not_told(market: Market) -> None:
    paused_rule(market)
    failed_feed(market)
    office = market.office
    later(office, 4)
    assert {"IMPORT_FAILED", "NOT_FETCHED", "RULE_PAUSED"} <= {*causes(office)}
    assert needs(office.another()) == []


def test_an_employer_is_told_nothing_of_bids_or_publishers(market: Market) -> None:
    office = market.office
    paused_rule(market)
    feed = failed_feed(market)
    office.put(f"/publishers/{market.publisher}", {"minBid": 4})
    market.tick()
    other = office.client()
    assert {"NO_BID", "RULE_PAUSED", "IMPORT_FAILED"} <= {*causes(office)}
    for of, wanted in ((market.client, [feed]), (other, [])):
        headers = session(
            office, person(office, "EMPLOYER", id_of(of), mail=f"{id_of(of)}@x.example")
        )
        found = asked(office, headers, "GET", "/needs?page=0&limit=50").json
        assert [one["entity"]["id"] for one in found["data"]] == wanted
        assert all(one["fix"] is None for one in found["data"])
        assert found["total"] == len(wanted)
    bids = {Cause.NO_BID, Cause.NO_PLACEMENT, Cause.RULE_PAUSED, Cause.NOT_FETCHED}
    assert not FOR_EMPLOYERS & bids
