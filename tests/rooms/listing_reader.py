"""What publishers read: the listings of their files, and where the links in them lead."""

import gzip
from typing import Any

from lxml import etree

from handbill.core.listing_tokens import Listing, open_listing
from handbill.core.nouns import (
    Client,
    Group,
    Publisher,
)
from handbill.listings import service
from handbill.work.queue import enqueue_all
from rooms.listing_market import KEY, Market, place

BID = 500_000


def rematch(market: Market, *some: Client) -> list[tuple[str, str]]:
    ids = [client.id for client in some]
    market.write(lambda tx: enqueue_all(tx, "groups.rematch", ids, market.now()))
    return market.drain()


def path_of(market: Market, publisher: Publisher, client_no: int = 0) -> str:
    with market.records.read() as tx:
        url = service.feed_url(tx, market.tools.settings, publisher.no, client_no)
    assert url is not None
    assert url.startswith("https://go.example/f/")
    return f"feeds/{url.removeprefix('https://go.example/f/')}"


def listed(market: Market, publisher: Publisher, client_no: int = 0) -> dict[str, dict[str, str]]:
    """What a publisher reads, by reference; its gzip must say the same."""
    path = path_of(market, publisher, client_no)
    plain = market.tools.blobs.get(path)
    assert gzip.decompress(market.tools.blobs.get(f"{path}.gz")) == plain
    found = [
        {node.tag: node.text or "" for node in job} for job in etree.fromstring(plain).iter("job")
    ]
    by_ref = {job["referencenumber"]: job for job in found}
    assert len(by_ref) == len(found)
    return by_ref


def opened(job: dict[str, str]) -> Listing:
    assert job["url"].startswith("https://go.example/c/")
    return open_listing(job["url"].removeprefix("https://go.example/c/"), {1: KEY})


def shop(market: Market, **group: Any) -> tuple[Client, Group, Publisher]:
    """A client whose one job group places one publisher."""
    publisher = market.publisher("Board")
    client = market.client()
    said: dict[str, Any] = {"cpc_bid_micros": 1_500_000, "placements": [place("Board")]}
    return client, market.group(market.campaign(client), **(said | group)), publisher


class ListedShop:
    """A client with jobs in one group at one publisher, all of them listed."""

    def __init__(self, market: Market, jobs: int) -> None:
        self.market = market
        self.publisher: Publisher = market.publisher("P")
        self.client: Client = market.client()
        self.group = market.group(
            market.campaign(self.client), placements=[place("P")], cpc_bid_micros=BID
        )
        self.refs = [market.job(self.client) for _ in range(jobs)]
        self.publish()

    def publish(self) -> None:
        rematch(self.market, self.client)
