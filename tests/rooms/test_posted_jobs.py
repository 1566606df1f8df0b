"""Posted jobs in the feeds of publishers that sell slots: exactly those, and nothing of bids."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from handbill.clients import rows as client_rows
from handbill.contract.postings.models import NewPosting
from handbill.core.nouns import Client, Publisher
from handbill.core.postings import Posting
from handbill.groups import service as groups
from handbill.kit.instants import DAY
from handbill.postings import service as postings
from handbill.postings import slots
from handbill.postings.work import TASKS as TURNS
from handbill.postings.work import enqueue_due
from handbill.publishers import rows as publisher_rows
from handbill.store.records import Records
from rooms.listing_market import Market, open_market, place
from rooms.listing_reader import listed, opened, rematch


@pytest.fixture
def market(records: Records, tmp_path: Path) -> Iterator[Market]:
    found = open_market(records, tmp_path)
    found.tasks |= TURNS
    yield found
    found.tools.index.close()


@dataclass
class Stand:
    """A publisher of postings, a client, and a purchase of two slots there for ten days."""

    market: Market
    publisher: Publisher
    client: Client
    bought: Posting

    def post(self, *refs: str) -> list[str]:
        """What became of each reference: empty when it is posted."""
        market, place_ = self.market, (self.client, self.bought)
        told = market.write(lambda tx: slots.add(tx, market.ids, market.now(), *place_, refs))
        market.drain()
        return [one.reason or "" for one in told]

    def pause(self, *refs: str, on: bool) -> None:
        market, place_ = self.market, (self.client, self.bought)
        market.write(lambda tx: slots.pause(tx, market.now(), *place_, refs, on=on))
        market.drain()

    def shown(self) -> set[str]:
        return set(listed(self.market, self.publisher))


def stand(market: Market, kind: dict[str, object] | None = None, **bought: object) -> Stand:
    kind = kind or {"bid_type": "PPP", "min_bid_micros": 5_000_000}
    publisher = market.publisher("Slots", **kind)
    client = market.client()
    faults: list[object] = []
    said = NewPosting.read(
        {
            "cost": 100,
            "startDate": "2026-11-23T00:00:00+0000",
            "endDate": "2026-12-03T00:00:00+0000",
            "availableCount": 2,
            "rotateFreqInDays": 5,
        }
        | bought,
        "",
        faults,  # type: ignore[arg-type]
    )
    assert not faults
    given = said.given()
    id_ = market.write(
        lambda tx: postings.create(tx, market.ids, market.now(), client, publisher, **given)
    )
    with market.records.read() as tx:
        found = postings.posting_of(tx, client, id_, publisher)
    return Stand(market, publisher, client, found)


def test_a_posted_job_is_listed_without_any_bid_or_placement(market: Market) -> None:
    here = stand(market)
    ref, other = market.job(here.client), market.job(here.client)
    rematch(market, here.client)
    assert here.post(ref) == [""]
    found = listed(market, here.publisher)
    assert set(found) == {ref}
    assert other not in found
    assert (found[ref]["cpc"], found[ref]["cpa"]) == ("0.00", "0.00")
    link = opened(found[ref])
    with market.records.read() as tx:
        default = next(g for g in groups.groups_of(tx, here.client.no) if g.is_default)
    assert (link.bid_type, link.bid_micros, link.price_micros) == ("PPP", 0, 0)
    assert (link.client_no, link.publisher_no) == (here.client.no, here.publisher.no)
    assert (link.group_no, link.campaign_no) == (default.no, default.campaign_no)


def test_a_posted_job_counts_for_the_group_that_it_is_matched_to(market: Market) -> None:
    here = stand(market)
    board = market.publisher("Board")
    group = market.group(
        market.campaign(here.client),
        cpc_bid_micros=1_000_000,
        placements=[place("Board"), place("Slots")],
    )
    ref, other = market.job(here.client), market.job(here.client)
    rematch(market, here.client)
    assert here.post(ref) == [""]
    assert opened(listed(market, here.publisher)[ref]).group_no == group.no
    assert here.shown() == {ref}
    assert set(listed(market, board)) == {ref, other}


def test_switches_of_the_posting_and_of_the_job_take_it_out(market: Market) -> None:
    here = stand(market)
    ref = market.job(here.client)
    rematch(market, here.client)
    here.post(ref)
    for columns in ({"status": "P"}, {"valid": 0}, {"url": ""}, {"end_at": market.now()}):
        market.job_columns(here.client, ref, **columns)
        rematch(market, here.client)
        assert here.shown() == set(), columns
        back = {"status": "A", "valid": 1, "url": "https://jobs.example/x", "end_at": None}
        market.job_columns(here.client, ref, **back)
        rematch(market, here.client)
        assert here.shown() == {ref}, columns
    here.pause(ref, on=True)
    assert here.shown() == set()
    here.pause(ref, on=False)
    assert here.shown() == {ref}
    here.market.write(lambda tx: slots.remove(tx, market.now(), here.client, here.bought, [ref]))
    market.drain()
    assert here.shown() == set()


@pytest.mark.parametrize("what", ["client", "publisher", "excluded", "globally excluded"])
def test_what_bars_a_publisher_bars_its_postings(market: Market, what: str) -> None:
    here = stand(market)
    ref = market.job(here.client)
    rematch(market, here.client)
    here.post(ref)
    assert here.shown() == {ref}
    client, publisher = here.client, here.publisher
    if what == "client":
        client.status = "P"
    elif what == "publisher":
        publisher.status = "P"
    elif what == "excluded":
        client.body.excluded_publishers = ["Slots"]
    else:
        client.body.globally_excluded_publishers = ["Slots"]
    market.write(lambda tx: client_rows.save(tx, client, market.now()))
    market.write(lambda tx: publisher_rows.save(tx, publisher, market.now()))
    rematch(market, client)
    assert here.shown() == set()


def test_a_turn_brings_the_waiting_ones_into_the_feed(market: Market) -> None:
    here = stand(market, minJobDurationInDays=0)
    refs = [market.job(here.client) for _ in range(4)]
    rematch(market, here.client)
    assert here.post(*refs) == ["", "", "NO_SLOT", "NO_SLOT"]
    assert here.shown() == set(refs[:2])
    market.clock.forward(5 * DAY)
    market.write(lambda tx: enqueue_due(tx, market.now()))
    market.drain()
    assert here.shown() == set(refs[2:])
    market.clock.forward(6 * DAY)
    market.write(lambda tx: enqueue_due(tx, market.now()))
    market.drain()
    assert here.shown() == set()


def test_one_purchase_may_serve_two_clients(market: Market) -> None:
    here = stand(market)
    sister = market.client("Bolt")
    mine, theirs = market.job(here.client), market.job(sister)
    rematch(market, here.client, sister)
    here.post(mine)
    market.write(
        lambda tx: postings.update(
            tx, market.now(), here.client, here.bought, {"client_ids": [here.client.id, sister.id]}
        )
    )
    place_ = (sister, here.bought)
    market.write(lambda tx: slots.add(tx, market.ids, market.now(), *place_, [theirs]))
    market.drain()
    assert here.shown() == {mine, theirs}


@pytest.mark.parametrize(
    ("bid_type", "flat"), [("CPC", None), ("CPA", None), ("FLAT_CPC", 3_000_000), ("Organic", None)]
)
def test_a_slot_bought_where_clicks_are_sold_wins_over_the_bid(
    market: Market, bid_type: str, flat: int | None
) -> None:
    here = stand(market, {"bid_type": bid_type, "flat_bid_micros": flat})
    campaign = market.campaign(here.client)
    group = market.group(
        campaign, cpc_bid_micros=1_000_000, cpa_bid_micros=9_000_000, placements=[place("Slots")]
    )
    refs = [market.job(here.client) for _ in range(4)]
    rematch(market, here.client)
    before = listed(market, here.publisher)
    assert here.post(refs[1], refs[2]) == ["", ""]
    found = listed(market, here.publisher)
    assert list(found) == refs, "each once, in their order"
    for ref in refs:
        link, posted = opened(found[ref]), ref in refs[1:3]
        assert link.group_no == group.no
        if posted:
            assert (link.bid_micros, link.price_micros) == (0, 0), "the slot is paid, not the click"
            assert (found[ref]["cpc"], found[ref]["cpa"]) == ("0.00", "0.00")
        else:
            assert found[ref] == before[ref]
    here.pause(refs[1], on=True)
    again = listed(market, here.publisher)[refs[1]]
    # The link says anew since when the job is offered so.
    assert again | {"url": ""} == before[refs[1]] | {"url": ""}, "offered by the group again"
    group.status = "P"
    market.save(group)
    rematch(market, here.client)
    assert here.shown() == {refs[2]}, "what is bought does not end with the group"
