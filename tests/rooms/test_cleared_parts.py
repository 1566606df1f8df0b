"""What is deleted of parts that no later part replaces, and when."""

from collections.abc import Callable

import pytest

from handbill.clients import rows as client_rows
from handbill.kit.instants import HOUR, Instant
from handbill.listings import rows as listing_rows
from handbill.listings import service
from handbill.publishers import rows as publisher_rows
from handbill.store import holds
from rooms.listing_market import Market, place
from rooms.listing_reader import ListedShop, rematch


class Shop(ListedShop):
    """With one job."""

    def __init__(self, market: Market) -> None:
        super().__init__(market, 1)

    def blobs(self) -> tuple[int, int]:
        """Rosters and parts."""
        blobs = self.market.tools.blobs
        return len(blobs.paths("rosters")), len(blobs.paths("parts"))

    def delete_client(self) -> None:
        now, self.client.status = self.market.now(), "I"
        self.market.write(lambda tx: client_rows.save(tx, self.client, now, deleted_at=now))
        self.market.write(lambda tx: service.publish(tx, self.client.id, now))
        self.market.drain()

    def delete_publisher(self) -> None:
        now, self.publisher.status = self.market.now(), "I"
        self.market.write(lambda tx: publisher_rows.save(tx, self.publisher, now, deleted_at=now))
        self.market.write(lambda tx: service.republish(tx, self.publisher.no, now))
        self.market.drain()

    def unplace(self) -> None:
        self.group.body.placements = []
        self.market.save(self.group)
        rematch(self.market, self.client)

    def wait(self, by: Instant = holds.LEASE) -> list[tuple[str, str]]:
        self.market.clock.forward(by)
        return self.market.drain()


@pytest.fixture
def shop(market: Market) -> Shop:
    return Shop(market)


@pytest.mark.parametrize("end", [Shop.delete_client, Shop.delete_publisher, Shop.unplace])
def test_nothing_stays_of_a_part_that_is_empty(shop: Shop, end: Callable[[Shop], None]) -> None:
    assert shop.blobs() == (1, 1)
    end(shop)
    assert shop.blobs() == (1, 0), "who reads the records as they were may need the roster"
    assert shop.wait() == [("listings.publish", shop.client.id)]
    assert shop.blobs() == (0, 0)
    assert shop.wait() == [], "once"


def test_what_a_backup_holds_goes_when_it_has_ended(market: Market, shop: Shop) -> None:
    market.write(lambda tx: holds.take(tx, "backup", market.now()))
    market.job(shop.client)
    rematch(market, shop.client)
    market.job(shop.client)
    rematch(market, shop.client)
    assert shop.blobs() == (3, 3)
    shop.delete_client()
    for name in ("second", "third"):
        with market.records.write() as tx:
            holds.take(tx, name, market.now() + HOUR - 1)
        assert shop.wait() == [], "not every few minutes, of very many clients"
        assert shop.wait(HOUR - holds.LEASE) == [("listings.publish", shop.client.id)]
        assert shop.blobs() == (3, 3)
    market.write(lambda tx: holds.release(tx, "third"))
    shop.wait(HOUR)
    assert shop.blobs() == (0, 0)


def test_what_was_replaced_while_it_was_held_goes_without_another_change(
    market: Market, shop: Shop
) -> None:
    market.write(lambda tx: holds.take(tx, "backup", market.now()))
    market.job(shop.client)
    rematch(market, shop.client)
    assert shop.blobs() == (2, 2)
    market.write(lambda tx: holds.release(tx, "backup"))
    shop.wait(HOUR)
    assert shop.blobs() == (1, 1)
    assert shop.wait() == []


def test_a_part_that_is_filled_again_is_not_touched(market: Market, shop: Shop) -> None:
    shop.unplace()
    shop.group.body.placements = [place("P")]
    market.save(shop.group)
    rematch(market, shop.client)
    for _ in range(2):
        assert shop.blobs()[1] == 1
        shop.wait()
    with market.records.read() as tx:
        (part,) = listing_rows.parts_of(tx, shop.publisher.no)
    assert (part.job_count, part.clear_at) == (1, None)


def test_a_run_that_dies_as_it_clears_is_made_up_for(
    market: Market, shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    shop.delete_client()

    def die(*_: object) -> None:
        raise KeyboardInterrupt

    market.clock.forward(holds.LEASE)
    with monkeypatch.context() as dying:
        dying.setattr(market.tools.blobs, "delete", die)
        with pytest.raises(KeyboardInterrupt):
            market.run("listings.publish", shop.client.id)
    assert shop.blobs() == (1, 0)
    market.run("listings.publish", shop.client.id)
    assert shop.blobs() == (0, 0)
