"""Which jobs have left a publisher's feed, and since when: what latent clicks are told by."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from threading import Lock
from typing import Any

import pytest

from flows.listing_market import Market, open_market, place
from flows.test_listings import rematch
from handbill.clients import rows as client_rows
from handbill.core.nouns import Client, Publisher
from handbill.jobs import service as jobs
from handbill.kit.faults import Unavailable
from handbill.kit.instants import DAY, Instant
from handbill.listings import fragments, rosters, service
from handbill.listings import rows as listing_rows
from handbill.publishers import rows as publisher_rows
from handbill.store.records import Records


@pytest.fixture
def market(records: Records, tmp_path: Path) -> Iterator[Market]:
    found = open_market(records, tmp_path)
    yield found
    found.tools.index.close()


class Shop:
    """A client with three jobs in one group at one publisher, all listed."""

    def __init__(self, market: Market) -> None:
        self.market = market
        self.publisher: Publisher = market.publisher("P")
        self.client: Client = market.client()
        placements = [place("P")]
        self.group = market.group(
            market.campaign(self.client), placements=placements, cpc_bid_micros=500_000
        )
        self.refs = [market.job(self.client) for _ in range(3)]
        self.publish()

    def publish(self) -> None:
        rematch(self.market, self.client)

    def left(self) -> dict[str, Instant]:
        """By reference, since when a job is not listed any more."""
        market, no = self.market, self.publisher.no
        with market.records.read() as tx:
            ids = {bytes.fromhex(jobs.job_id(self.client.id, ref)): ref for ref in self.refs}
            found = service.departures(tx, {no: set(ids)})
        return {ids[job_id]: at for (_, job_id), at in found.items()}

    def rosters(self) -> list[str]:
        return self.market.tools.blobs.paths("rosters")


@pytest.fixture
def shop(market: Market) -> Shop:
    return Shop(market)


def test_a_job_leaves_and_comes_back(market: Market, shop: Shop) -> None:
    assert shop.left() == {}
    market.job_columns(shop.client, shop.refs[1], status="P")
    market.clock.forward(DAY)
    gone_at = market.now()
    shop.publish()
    assert shop.left() == {shop.refs[1]: gone_at}
    market.clock.forward(DAY)
    market.job_columns(shop.client, shop.refs[0], status="P")
    shop.publish()
    assert shop.left() == {shop.refs[1]: gone_at, shop.refs[0]: market.now()}
    market.job_columns(shop.client, shop.refs[1], status="A")
    shop.publish()
    assert list(shop.left()) == [shop.refs[0]]
    assert len(shop.rosters()) == 1


def test_another_bid_is_no_departure(market: Market, shop: Shop) -> None:
    before = shop.rosters()
    shop.group.body.cpc_bid_micros = 700_000
    market.save(shop.group)
    shop.publish()
    assert (shop.left(), shop.rosters()) == ({}, before)


@pytest.mark.parametrize("what", ["client", "publisher", "group"])
def test_all_leave_when_what_is_above_them_stops(market: Market, shop: Shop, what: str) -> None:
    market.clock.forward(DAY)
    gone_at = market.now()
    if what == "client":
        shop.client.status = "I"
        market.write(lambda tx: client_rows.save(tx, shop.client, gone_at, deleted_at=gone_at))
        market.write(lambda tx: service.publish(tx, shop.client.id, gone_at))
    elif what == "publisher":
        shop.publisher.status = "P"
        market.write(lambda tx: publisher_rows.save(tx, shop.publisher, gone_at))
        market.write(lambda tx: service.republish(tx, shop.publisher.no, gone_at))
    else:
        shop.group.status = "P"
        market.save(shop.group)
        market.write(lambda tx: service.publish(tx, shop.client.id, gone_at))
    market.drain()
    assert shop.left() == dict.fromkeys(shop.refs, gone_at)
    assert shop.rosters() == []


def test_a_run_that_dies_before_it_is_on_record_is_made_up_for(
    market: Market, shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    market.job_columns(shop.client, shop.refs[2], status="P")

    def die(*_: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as dying:
        dying.setattr(listing_rows, "depart", die)
        with pytest.raises(KeyboardInterrupt):
            shop.publish()
    assert shop.left() == {}
    market.run("listings.publish", shop.client.id)
    assert list(shop.left()) == [shop.refs[2]]


def test_a_run_that_was_overtaken_spoils_nothing(
    market: Market, shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its lease was over when it came back to life: another worker has published meanwhile."""
    moves, elsewhere = rosters.moves, market.tools.scratch.parent / "elsewhere"
    market.job_columns(shop.client, shop.refs[0], status="P")

    def overtaken(*args: Any) -> rosters.Moves:
        monkeypatch.undo()
        market.job_columns(shop.client, shop.refs[1], status="P")
        with monkeypatch.context() as other:
            other.setattr(fragments, "_ONE_AT_A_TIME", Lock())
            other.setattr(market, "tools", replace(market.tools, scratch=elsewhere))
            market.run("listings.publish", shop.client.id)
        return moves(*args)

    monkeypatch.setattr(rosters, "moves", overtaken)
    with pytest.raises(Unavailable):
        market.run("listings.publish", shop.client.id)
    assert set(shop.left()) == {shop.refs[0], shop.refs[1]}
    market.run("listings.assemble", str(shop.publisher.no))
    market.job_columns(shop.client, shop.refs[2], status="P")
    shop.publish()
    assert set(shop.left()) == set(shop.refs)


def test_a_lost_roster_speaks_for_the_clicks(
    market: Market, shop: Shop, caplog: pytest.LogCaptureFixture
) -> None:
    for path in shop.rosters():
        market.tools.blobs.delete(path)
    market.job_columns(shop.client, shop.refs[0], status="P")
    shop.publish()
    assert shop.left() == {}
    assert "roster of publisher" in caplog.text


def test_a_roster_is_kept_once(market: Market) -> None:
    blobs = market.tools.blobs
    assert rosters.write(blobs, 1, 1, b"") == rosters.EMPTY
    first = rosters.write(blobs, 1, 1, bytes(32))
    assert first == rosters.write(blobs, 1, 1, bytes(32))
    assert len(blobs.paths("rosters/1/1")) == 1
