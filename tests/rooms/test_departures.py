"""Which listings a publisher's feed shows no more, or at another price, and since when."""

from dataclasses import replace
from threading import Lock
from typing import Any

import pytest

from handbill.clients import rows as client_rows
from handbill.core.price_ends import STANDS, Frozen, LinkState, ShownLine
from handbill.jobs import service as jobs
from handbill.kit.faults import Unavailable
from handbill.kit.instants import DAY, Instant
from handbill.listings import end_rows, fragments, rosters, service
from handbill.listings.end_rows import ALL_JOBS
from handbill.listings.standings import FrozenLink, LinkFinder
from handbill.publishers import rows as publisher_rows
from rooms.listing_market import MONDAY, Market, everything, place
from rooms.listing_reader import BID, ListedShop, listed, opened


class Shop(ListedShop):
    """With three jobs."""

    def __init__(self, market: Market) -> None:
        super().__init__(market, 3)

    def ends(self) -> set[tuple[str, int, Instant]]:
        """By reference, or "all" of an offer: the price that has ended, and when."""
        known = {bytes.fromhex(jobs.job_id(self.client.id, ref)): ref for ref in self.refs}
        known[ALL_JOBS] = "all"
        with self.market.records.read() as tx:
            found = tx.run_text("SELECT job_id, price_micros, left_at FROM departures", {})[0]
        return {(known[bytes(job_id)], price, at) for job_id, price, at in found}

    def left(self) -> set[str]:
        return {ref for ref, _, _ in self.ends()}

    def standing(self, ref: str) -> LinkState:
        """How a link stands that a file showed when the market was opened."""
        market, frozen = self.market, Frozen(self.group.no, "CPC", BID, BID)
        job_id = bytes.fromhex(jobs.job_id(self.client.id, ref))
        link = FrozenLink(self.client.no, self.publisher.no, job_id, ShownLine(frozen, MONDAY))
        with market.records.read() as tx:
            found = LinkFinder(market.tools.blobs).standings(tx, [link], 0)
        return found.get(link, STANDS)

    def rosters(self) -> list[str]:
        return self.market.tools.blobs.paths("rosters")


@pytest.fixture
def shop(market: Market) -> Shop:
    return Shop(market)


def test_a_job_leaves_and_comes_back(market: Market, shop: Shop) -> None:
    assert shop.ends() == set()
    market.job_columns(shop.client, shop.refs[1], status="P")
    market.clock.forward(DAY)
    gone_at = market.now()
    shop.publish()
    assert shop.ends() == {(shop.refs[1], BID, gone_at)}
    assert shop.standing(shop.refs[1]) == LinkState(gone_at, None)
    assert shop.standing(shop.refs[0]) == STANDS
    market.clock.forward(DAY)
    market.job_columns(shop.client, shop.refs[1], status="A")
    shop.publish()
    live = Frozen(shop.group.no, "CPC", BID, BID)
    assert shop.standing(shop.refs[1]) == LinkState(gone_at, live), "a new link stands there now"
    assert len(shop.rosters()) <= 2


def test_another_bid_ends_the_offer_as_a_whole(market: Market, shop: Shop) -> None:
    """However many jobs there are; what is unchanged keeps its link."""
    before = listed(market, shop.publisher)
    market.clock.forward(DAY)
    late = market.job(shop.client)
    shop.publish()
    after = listed(market, shop.publisher)
    assert {ref: after[ref]["url"] for ref in before} == {r: j["url"] for r, j in before.items()}
    assert opened(after[late]).listed_at == market.now()
    shop.group.body.cpc_bid_micros = 700_000
    market.save(shop.group)
    market.clock.forward(DAY)
    shop.publish()
    assert shop.ends() == {("all", BID, market.now())}
    live = Frozen(shop.group.no, "CPC", 700_000, 700_000)
    assert shop.standing(shop.refs[0]) == LinkState(market.now(), live)
    shop.group.body.cpc_bid_micros = BID
    market.save(shop.group)
    shop.publish()
    assert shop.standing(shop.refs[0]) == LinkState(
        market.now(), live._replace(bid_micros=BID, price_micros=BID)
    ), "the price is the same again, the link is not"
    assert opened(listed(market, shop.publisher)[shop.refs[0]]).listed_at > market.now()


def test_a_job_that_moves_to_another_group_leaves_the_first(market: Market, shop: Shop) -> None:
    campaign = market.campaign(shop.client)
    market.group(
        campaign,
        everything(field="refNumber", operator="EQUAL", data=shop.refs[0]),
        priority=0,
        placements=[place("P")],
        cpc_bid_micros=100_000,
    )
    market.clock.forward(DAY)
    shop.publish()
    assert shop.ends() == {(shop.refs[0], BID, market.now())}
    assert shop.standing(shop.refs[0]) == LinkState(market.now(), None)


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
    assert shop.ends() == {("all", BID, gone_at)}
    assert shop.standing(shop.refs[0]) == LinkState(gone_at, None)


def test_a_run_that_dies_before_it_is_on_record_is_made_up_for(
    market: Market, shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    market.job_columns(shop.client, shop.refs[2], status="P")

    def die(*_: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as dying:
        dying.setattr(end_rows, "add_ends", die)
        with pytest.raises(KeyboardInterrupt):
            shop.publish()
    assert shop.left() == set()
    market.run("listings.publish", shop.client.id)
    assert shop.left() == {shop.refs[2]}


def test_a_run_that_was_overtaken_spoils_nothing(
    market: Market, shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its lease was over when it came back to life: another worker has published meanwhile."""
    ends, elsewhere = rosters.ends, market.tools.scratch.parent / "elsewhere"
    market.job_columns(shop.client, shop.refs[0], status="P")

    def overtaken(*args: Any) -> Any:
        monkeypatch.undo()
        market.job_columns(shop.client, shop.refs[1], status="P")
        with monkeypatch.context() as other:
            other.setattr(fragments, "_ONE_AT_A_TIME", Lock())
            other.setattr(market, "tools", replace(market.tools, scratch=elsewhere))
            market.run("listings.publish", shop.client.id)
        return ends(*args)

    monkeypatch.setattr(rosters, "ends", overtaken)
    with pytest.raises(Unavailable):
        market.run("listings.publish", shop.client.id)
    assert shop.left() == {shop.refs[0], shop.refs[1]}
    market.run("listings.assemble", str(shop.publisher.no))
    market.job_columns(shop.client, shop.refs[2], status="P")
    shop.publish()
    assert shop.left() == {shop.refs[0], shop.refs[1], "all"}


@pytest.mark.parametrize("way", ["lost", "damaged"])
def test_a_lost_roster_ends_all_that_was_about(
    market: Market, shop: Shop, caplog: pytest.LogCaptureFixture, way: str
) -> None:
    """Until then what nobody knows is not held against a click."""
    blobs = market.tools.blobs
    for path in shop.rosters():
        raw = blobs.get(path)
        blobs.delete(path)
        if way == "damaged":
            blobs.put(path, raw[:9] + bytes((raw[9] ^ 8,)) + raw[10:])
    assert shop.standing(shop.refs[1]) == STANDS
    market.clock.forward(DAY)
    market.job_columns(shop.client, shop.refs[0], status="P")
    shop.publish()
    assert shop.ends() == {("all", 0, market.now())}
    assert shop.standing(shop.refs[0]) == LinkState(market.now(), None)
    assert shop.standing(shop.refs[1]).live is not None
    assert "roster of publisher" in caplog.text
