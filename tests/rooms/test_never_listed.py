"""Which jobs no publisher's file has ever listed."""

from types import ModuleType

import pytest
import sqlalchemy as sa

from handbill.core.nouns import Client
from handbill.jobs import editing
from handbill.listings import end_rows
from handbill.listings import rows as listing_rows
from handbill.listings.unlisted import unlisted
from handbill.store.records.tables import delisted
from rooms.listing_market import Market, place
from rooms.listing_reader import rematch


class Shop:
    """A client with four jobs at two publishers, all listed, and one that is not."""

    def __init__(self, market: Market) -> None:
        self.market = market
        market.publisher("P")
        market.publisher("Q")
        self.client: Client = market.client()
        placements = [place("P"), place("Q")]
        self.group = market.group(
            market.campaign(self.client), placements=placements, cpc_bid_micros=500_000
        )
        self.refs = [market.job(self.client) for _ in range(4)]
        self.late = market.job(self.client)
        self.switch("P", self.late)

    def switch(self, status: str, *refs: str) -> None:
        for ref in refs:
            self.market.job_columns(self.client, ref, status=status)
        rematch(self.market, self.client)

    def never(self) -> list[str]:
        blobs = self.market.tools.blobs
        with self.market.records.read() as tx:
            return [one.ref for one in unlisted(tx, blobs, self.client, "ADDED", None, ever=True)]

    def noted(self) -> int:
        with self.market.records.read() as tx:
            return len(tx.all(sa.select(delisted.c.job_no)))


@pytest.fixture
def shop(market: Market) -> Shop:
    return Shop(market)


def test_a_job_is_noted_once_when_it_leaves(shop: Shop) -> None:
    assert (shop.noted(), shop.never()) == (0, [shop.late]), "what is listed costs nothing"
    first = shop.refs[0]
    for status in ("P", "A", "P"):
        shop.switch(status, first)
        assert (shop.noted(), shop.never()) == (1, [shop.late])
    shop.switch("P", *shop.refs)
    assert (shop.noted(), shop.never()) == (4, [shop.late])
    shop.switch("A", shop.late)
    assert (shop.noted(), shop.never()) == (4, [])


def test_a_job_that_leaves_one_publisher_is_still_at_the_other(market: Market, shop: Shop) -> None:
    shop.group.body.placements = [place("Q")]
    market.save(shop.group)
    rematch(market, shop.client)
    assert (shop.noted(), shop.never()) == (4, [shop.late])


def test_a_job_that_is_gone_and_comes_again_was_listed(market: Market, shop: Shop) -> None:
    for ref in (shop.refs[0], shop.late):
        with market.records.write() as tx:
            job = editing.job_to_change(tx, shop.client, ref)
            editing.delete(tx, market.now(), shop.client, job)
    rematch(market, shop.client)
    assert shop.never() == []
    for ref in (shop.refs[0], shop.late):
        market.job(shop.client, ref)
    shop.switch("P", shop.refs[0], shop.late)
    assert shop.never() == [shop.late]


@pytest.mark.parametrize(("rows", "stop"), [(listing_rows, "put_parts"), (end_rows, "add_ends")])
def test_a_run_that_dies_when_it_has_noted_them_has_noted_what_is_true(
    market: Market, shop: Shop, monkeypatch: pytest.MonkeyPatch, rows: ModuleType, stop: str
) -> None:
    def die(*_: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as dying:
        dying.setattr(rows, stop, die)
        with pytest.raises(KeyboardInterrupt):
            shop.switch("P", *shop.refs[:2])
    assert (shop.noted(), shop.never()) == (2, [shop.late]), "both are in the file still"
    market.run("listings.publish", shop.client.id)
    assert (shop.noted(), shop.never()) == (2, [shop.late])
