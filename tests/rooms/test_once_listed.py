"""The jobs that a publisher's files once listed, as far as they are still kept."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from handbill.core.nouns import Client
from handbill.jobs import editing
from handbill.kit.faults import Refused
from handbill.listings import once_listed
from handbill.listings.unlisted import unlisted
from handbill.store.records import Records
from rooms.listing_market import Market, open_market, place
from rooms.listing_reader import rematch


@pytest.fixture
def market(records: Records, tmp_path: Path) -> Iterator[Market]:
    found = open_market(records, tmp_path)
    yield found
    found.tools.index.close()


class Shop:
    """A client with four jobs at two publishers."""

    def __init__(self, market: Market) -> None:
        self.market = market
        market.publisher("P")
        market.publisher("Q")
        self.client: Client = market.client()
        placements = [place("P"), place("Q")]
        market.group(market.campaign(self.client), placements=placements, cpc_bid_micros=500_000)
        self.refs = [market.job(self.client) for _ in range(4)]
        rematch(market, self.client)

    def switch(self, status: str, *refs: str) -> None:
        for ref in refs:
            self.market.job_columns(self.client, ref, status=status)
        rematch(self.market, self.client)

    def never(self) -> list[str]:
        tools = self.market.tools
        with tools.records.read() as tx:
            return [
                one.ref for one in unlisted(tx, tools.blobs, self.client, "ADDED", None, ever=True)
            ]

    def once(self) -> list[str]:
        return self.market.tools.blobs.paths("once-listed")


@pytest.fixture
def shop(market: Market) -> Shop:
    return Shop(market)


def test_only_what_has_left_is_noted(market: Market, shop: Shop) -> None:
    assert shop.once() == []
    shop.switch("P", shop.refs[0])
    first = shop.once()
    assert len(first) == 2, "one of each publisher"
    shop.switch("A", shop.refs[0])
    shop.switch("P", shop.refs[0])
    assert shop.once() == first, "known already"
    shop.switch("P", *shop.refs[1:])
    assert len(shop.once()) == 4, "the former ones stay for those that read them now"
    shop.switch("A", *shop.refs)
    late = market.job(shop.client)
    shop.switch("P", *shop.refs, late)
    assert shop.never() == [late]


def test_the_ids_of_jobs_that_are_no_longer_live_are_dropped(
    market: Market, shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(once_listed, "SPARE", 2)
    first, second, third, fourth = shop.refs
    shop.switch("P", first, second)
    with market.records.write() as tx:
        editing.delete(tx, market.now(), shop.client, editing.job_to_change(tx, shop.client, first))
    shop.switch("P", third)
    sizes = sorted(market.tools.blobs.size(path) for path in shop.once())
    assert sizes == [8 + 2 * 16] * 4, "first is dropped where third is noted"
    assert shop.never() == []
    shop.switch("P", fourth)
    assert shop.never() == []


def test_what_cannot_be_read_is_told(market: Market, shop: Shop) -> None:
    shop.switch("P", shop.refs[0])
    for path in shop.once():
        market.tools.blobs.put(path, b"damaged")
    with pytest.raises(Refused, match="cannot be read"):
        shop.never()
    shop.switch("P", shop.refs[1])
    assert shop.never() == [shop.refs[0]], "what is lost is lost; the next is known again"
