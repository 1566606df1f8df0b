"""One click of each reason for which none counts, and the check that its explanation names."""

from pathlib import Path
from typing import Any

import msgspec
import pytest

from handbill.access.keys import ensure_secrets
from handbill.core.click_checks import STEPS, Step
from handbill.core.click_definitions import REASONS, DefinitionBody, Location
from handbill.core.listing_tokens import Listing, SealedClick
from handbill.definitions import rows as definition_rows
from handbill.kit.instants import DAY, SECOND
from handbill.ledger.runs import Rules
from handbill.store.records import Records
from market import BOT_AGENT, START, Market
from rooms.test_click_definitions import define, left
from rooms.test_explained_clicks import explained

AT_HOME, NEAR, AWAY, ABROAD = (f"203.0.113.{n}" for n in range(1, 5))
PLACES = {
    AT_HOME: Location("US", "Austin", frozenset({"tx", "texas"}), frozenset({"austin"})),
    NEAR: Location("US", "Dallas", frozenset({"tx", "texas"}), frozenset({"dallas"})),
    AWAY: Location("US", "Newark", frozenset({"nj", "new jersey"}), frozenset({"newark"})),
    ABROAD: Location("DE", "Bonn", frozenset(), frozenset({"bonn"})),
}
LOCATING = Rules(30, "full", b"k" * 32, lambda ip: PLACES.get(ip, Location()))
Told = tuple[SealedClick, Step | None, dict[str, Any]]


@pytest.fixture
def market(records: Records, tmp_path: Path) -> Market:
    found = Market(records, tmp_path)
    with records.write() as tx:
        ensure_secrets(tx, found.ids, found.clock.now())
    return found


def listing_of(market: Market, name: str) -> Listing:
    """A listing of a client of its own, at a publisher of its own."""
    client_no = market.client(name)
    campaign_no = market.campaign(client_no, f"campaign {name}")
    return market.listing(
        client_no=client_no,
        campaign_no=campaign_no,
        group_no=market.group(client_no, campaign_no, f"group {name}"),
        publisher_no=market.publisher(name),
    )


def ahead(market: Market, listing: Listing, why: str) -> SealedClick:
    """A link that was not followed to visit the page."""
    click, event = market.click(listing)
    market.journal.add([msgspec.structs.replace(event, ahead=why)])
    return click


def no_visits(market: Market) -> dict[str, Told]:
    listing = listing_of(market, "visits")
    return {
        why: (ahead(market, listing, why), "VISIT", {"ahead": why})
        for why in ("head", "prefetch", "test")
    }


def bots(market: Market) -> dict[str, Told]:
    listing, counted = listing_of(market, "bots"), listing_of(market, "counted")
    body = DefinitionBody(bot_ips_url="https://lists.example/ips.csv")
    with market.records.write() as tx:
        no = definition_rows.add(tx, listing.publisher_no, 0, body, START)
        definition_rows.set_list(tx, no, ["198.51.100.0/24"], START)
    define(market, counted, most_clicks=1)
    market.clicked(counted, ip="192.0.2.7", at=START)
    often = market.clicked(
        msgspec.structs.replace(counted, job_id=b"o" * 16), ip="192.0.2.7", at=START + SECOND
    )
    return {
        "agent_list": (
            market.clicked(listing, agent=BOT_AGENT),
            "AGENT",
            {"agent_text": BOT_AGENT},
        ),
        "agent_added": (
            market.clicked(listing, agent="GuzzleHttp/7"),
            "AGENT",
            {"agent_text": "GuzzleHttp/7"},
        ),
        "no_agent": (market.clicked(listing, agent=" "), "AGENT", {"agent_text": None}),
        "address_list": (
            market.clicked(listing, ip="198.51.100.9"),
            "ADDRESS_LIST",
            {"ip": "198.51.100.9"},
        ),
        "address_rate": (often, "ADDRESS_RATE", {"ip": "192.0.2.7", "clicks_before": 1}),
    }


def repeated(market: Market) -> dict[str, Told]:
    listing = listing_of(market, "repeated")
    first = market.clicked(listing, ip=AT_HOME, at=START)
    again = market.clicked(listing, ip=AT_HOME, at=START + SECOND)
    seen = {"first_id": first.random.hex(), "opened_at": START}
    return {"same_visitor": (again, "DUPLICATE", seen)}


def foreign(market: Market) -> dict[str, Told]:
    listing = listing_of(market, "foreign")
    define(market, listing, foreign="CITY")
    place = {"country": "US", "state": "TX", "city": "Austin"}
    market.job(listing.client_no, listing.job_id, **place)
    return {
        why: (market.clicked(listing, ip=ip), "FOREIGN", {"differs_by": why, "city": city})
        for why, ip, city in (
            ("country", ABROAD, "Bonn"),
            ("state", AWAY, "Newark"),
            ("city", NEAR, "Dallas"),
        )
    }


def late(market: Market) -> dict[str, Told]:
    gone, listing = listing_of(market, "gone"), listing_of(market, "old")
    define(market, gone, latent_seconds=60)
    left(market, gone, START)
    long_ago = (START - 500 * DAY) // 1_000 * 1_000
    old = msgspec.structs.replace(listing, listed_at=long_ago)
    return {
        "left_feed": (
            market.clicked(gone, at=START + 61 * SECOND),
            "LATENT",
            {"left_at": START, "grace_seconds": 60},
        ),
        "old_link": (market.clicked(old), "LATENT", {"left_at": None}),
    }


def test_each_reason_is_told_by_the_check_that_decided(market: Market) -> None:
    """All checks before it have passed or were off; none after it was reached. Some came at a host
    whose clock is a minute ahead.
    """
    market.clock.forward(START - market.clock.now())
    seeded: dict[str, Told] = {}
    for some in (no_visits, bots, repeated, foreign, late):
        seeded |= some(market)
    every = {reason for reasons in REASONS.values() for reason in reasons}
    elsewhere = {
        "price_too_old": "needs files and fetches: rooms/test_old_prices.py",
        "unknown_client": "its client is gone, and with it who could ask: contract/test_access.py",
    }
    assert seeded.keys() == every - elsewhere.keys()
    judge = market.judge(rules=LOCATING)
    while judge.step():
        pass
    classes = {reason: of for of, reasons in REASONS.items() for reason in reasons}
    for reason, (click, step, saw) in seeded.items():
        _, told = explained(market, click)
        assert (told.disposition, told.reason) == (classes[reason], reason)
        found = {one.step: one for one in told.checks}
        assert [*found] == list(STEPS), reason
        assert [name for name, one in found.items() if one.found == "DECIDED"] == [step], reason
        at = STEPS.index(found[step].step) if step else 0
        assert {found[name].found for name in STEPS[:at]} <= {"PASSED", "OFF"}, reason
        assert {found[name].found for name in STEPS[at + 1 :]} <= {"NOT_REACHED"}, reason
        decided = next(one for one in told.checks if one.found == "DECIDED")
        assert {name: getattr(decided.saw, name) for name in saw} == saw, reason
        assert decided.words
        assert (told.charge.charge_micros if told.charge else None) == 0, reason
