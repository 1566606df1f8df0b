"""A worker that comes back to life after its lease spoils nothing of what another did meanwhile."""

from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import replace
from pathlib import Path
from threading import Lock
from typing import Any

import pytest
import sqlalchemy as sa

from handbill.core.nouns import Client, Group
from handbill.groups import matching
from handbill.kit.faults import Unavailable
from handbill.kit.instants import HOUR, MINUTE, SECOND
from handbill.listings import fragments
from handbill.store.blobs import FolderBlobs
from handbill.store.records import Records, Tx
from handbill.store.records.tables import matches
from rooms.listing_market import Market, everything
from rooms.listing_reader import ListedShop, listed, path_of


class Meddled(FolderBlobs):
    """Blobs with something to happen once, before what a worker does with them."""

    def __init__(self, root: Path) -> None:
        super().__init__(root)
        self.before: dict[str, Callable[[], None]] = {}
        self.after: Callable[[str], None] | None = None
        self.taken_from: list[Path] = []

    def paths(self, prefix: str = "") -> list[str]:
        self._meddle("paths")
        return super().paths(prefix)

    def put_file(self, path: str, local: Path) -> None:
        self._meddle("put_file")
        super().put_file(path, local)
        self.taken_from.append(local)
        if self.after is not None:
            self.after(path)

    def _meddle(self, what: str) -> None:
        if (meddle := self.before.pop(what, None)) is not None:
            meddle()


@pytest.fixture
def blobs(market: Market, tmp_path: Path) -> Meddled:
    blobs = Meddled(tmp_path / "blobs")
    market.tools = replace(market.tools, blobs=blobs)
    return blobs


@pytest.fixture
def shop(market: Market, blobs: Meddled) -> ListedShop:
    return ListedShop(market, 3)


@pytest.fixture
def elsewhere(market: Market, monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    """Runs a task, and what follows, as another process would, with its own scratch and locks."""

    def run(kind: str, key: str) -> None:
        with monkeypatch.context() as other:
            other.setattr(fragments, "_ONE_AT_A_TIME", Lock())
            scratch = market.tools.scratch.parent / "elsewhere"
            other.setattr(market, "tools", replace(market.tools, scratch=scratch))
            market.run(kind, key)
            market.drain()

    return run


@pytest.fixture
def newer(market: Market, shop: ListedShop, elsewhere: Callable[..., None]) -> Callable[[], None]:
    """Has another process publish the shop without its second job."""

    def publish() -> None:
        market.job_columns(shop.client, shop.refs[1], status="P")
        elsewhere("listings.publish", shop.client.id)

    return publish


def test_a_newer_part_is_not_deleted_with_the_former(
    market: Market, shop: ListedShop, blobs: Meddled, newer: Callable[[], None]
) -> None:
    market.job_columns(shop.client, shop.refs[0], status="P")
    blobs.before["paths"] = newer
    market.run("listings.publish", shop.client.id)
    market.run("listings.assemble", str(shop.publisher.no))
    assert blobs.before == {}
    assert set(listed(market, shop.publisher)) == {shop.refs[2]}
    assert len(blobs.paths("parts")) == len(blobs.paths("rosters")) - 1 == 1


def test_a_part_whose_blob_is_gone_is_rendered_again(
    market: Market, shop: ListedShop, blobs: Meddled
) -> None:
    before = listed(market, shop.publisher)
    (path,) = blobs.paths("parts")
    blobs.delete(path)
    blobs.delete(path_of(market, shop.publisher))
    market.clock.forward(HOUR)
    market.run("listings.assemble", str(shop.publisher.no))
    market.drain()
    assert listed(market, shop.publisher) == before, "with the same links and prices"


def test_an_older_file_is_not_left_in_the_place_of_a_newer(
    market: Market, shop: ListedShop, blobs: Meddled, newer: Callable[[], None]
) -> None:
    market.job_columns(shop.client, shop.refs[0], status="P")
    market.run("listings.publish", shop.client.id)
    blobs.before["put_file"] = newer
    market.run("listings.assemble", str(shop.publisher.no))
    market.clock.forward(SECOND)
    market.drain()
    assert blobs.before == {}
    assert set(listed(market, shop.publisher)) == {shop.refs[2]}


def test_no_worker_writes_to_a_file_that_another_may_still_put(
    market: Market, shop: ListedShop, blobs: Meddled
) -> None:
    """Two at one task, of which one has outslept its lease; on one machine with one scratch."""
    made: list[set[Path]] = []
    for worker in ("worker-0", "worker-1"):
        market.tools = replace(market.tools, worker=worker)
        market.job_columns(shop.client, shop.refs[0], status="A" if made else "P")
        blobs.taken_from.clear()
        market.run("listings.publish", shop.client.id)
        market.drain()
        made.append(set(blobs.taken_from))
    assert made[0]
    assert made[1]
    assert made[0].isdisjoint(made[1])


def test_an_older_file_goes_if_its_late_worker_died_before_it_could_tell(
    market: Market, shop: ListedShop, blobs: Meddled, newer: Callable[[], None]
) -> None:
    market.job_columns(shop.client, shop.refs[0], status="P")
    market.run("listings.publish", shop.client.id)

    def meanwhile() -> None:
        market.clock.forward(2 * MINUTE)
        newer()
        blobs.after = die

    def die(path: str) -> None:
        if path.endswith(".gz"):
            raise InterruptedError

    blobs.before["put_file"] = meanwhile
    with pytest.raises(InterruptedError):
        market.run("listings.assemble", str(shop.publisher.no))
    blobs.after = None
    assert set(listed(market, shop.publisher)) == {shop.refs[1], shop.refs[2]}
    market.run("listings.nearby", "")
    market.drain()
    assert set(listed(market, shop.publisher)) == {shop.refs[2]}
    market.run("listings.nearby", "")
    assert market.drain() == [], "what is on record is left alone"


def _amid_a_match(market: Market) -> tuple[Client, Group, str]:
    """A client that is to be matched for a new job group; the group of another city, and a job that
    is in the new one's.
    """
    client = market.client()
    campaign = market.campaign(client)
    market.group(campaign, _city("x"), priority=2)
    other = market.group(campaign, _city("y"), priority=2)
    ref = market.job(client, city="x")
    matching.rematch(market.records, client, market.now())
    market.group(campaign, _city("x"), priority=1)
    return client, other, ref


def test_what_was_matched_with_a_job_as_it_was_is_not_written(market: Market) -> None:
    """Another worker has seen its change, and taken its mark."""
    client, other, ref = _amid_a_match(market)

    def meanwhile() -> None:
        market.job(client, ref, city="y")
        matching.rematch(market.records, client, market.now())

    late: Any = Late(market.records, meanwhile, writes=2)
    with pytest.raises(Unavailable, match="another worker"):
        matching.rematch(late, client, market.now())
    with market.records.read() as tx:
        assert tx.all(sa.select(matches.c.group_no)) == [(other.no,)]


@pytest.mark.parametrize("writes", [2, 3], ids=["marked jobs", "the end"])
def test_nothing_is_matched_with_groups_as_they_were(market: Market, writes: int) -> None:
    """Another worker has matched with a group that has been made since."""
    client = market.client()
    campaign = market.campaign(client)
    market.group(campaign, _city("x"), priority=2)
    matching.rematch(market.records, client, market.now())
    made = []

    def meanwhile() -> None:
        made.append(market.group(campaign, _city("x"), priority=1))
        matching.rematch(market.records, client, market.now())
        market.job(client, city="x")

    late: Any = Late(market.records, meanwhile, writes)
    with pytest.raises(Unavailable, match="another worker"):
        matching.rematch(late, client, market.now())
    assert matching.rematch(market.records, client, market.now()).looked_at == 1, "its mark is kept"
    with market.records.read() as tx:
        assert tx.all(sa.select(matches.c.group_no)) == [(made[0].no,)]


def test_who_began_with_the_same_groups_is_another_nevertheless(market: Market) -> None:
    """Of two who match for one new group, the second takes the mark of a job, and is killed."""
    client, other, ref = _amid_a_match(market)

    def die() -> None:
        raise InterruptedError

    def meanwhile() -> None:
        market.job(client, ref, city="y")
        dying: Any = Late(market.records, die, writes=4)
        with pytest.raises(InterruptedError):
            matching.rematch(dying, client, market.now())

    late: Any = Late(market.records, meanwhile, writes=2)
    with pytest.raises(Unavailable, match="another worker"):
        matching.rematch(late, client, market.now())
    with market.records.read() as tx:
        assert tx.all(sa.select(matches.c.group_no)) == [(other.no,)]


class Late:
    """Records of a worker that comes back to life before its nth transaction."""

    in_steps, give_way = Records.in_steps, Records.give_way

    def __init__(self, records: Records, meanwhile: Callable[[], None], writes: int) -> None:
        self.read = records.read
        self._records = records
        self._meanwhile = meanwhile
        self._left = writes

    def write(self) -> AbstractContextManager[Tx]:
        self._left -= 1
        if self._left == 0:
            self._meanwhile()
        return self._records.write()


def _city(name: str) -> dict[str, Any]:
    return everything(field="city", operator="EQUAL", data=name)
