"""What is lost, replaced or late between a file, its parts and the index of its links."""

import shutil
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from handbill.dialects.outbound import Fragment
from handbill.kit.instants import DAY
from handbill.listings import fragments
from handbill.store.blobs import FolderBlobs
from handbill.store.index import EdgeIndex
from handbill.store.records import Records
from rooms.listing_market import Market, open_market
from rooms.listing_reader import listed, opened, path_of, rematch, shop


@pytest.fixture
def quick(sqlite_records: Records, tmp_path: Path) -> Iterator[Market]:
    """One engine, for what does not depend on it."""
    found = open_market(sqlite_records, tmp_path)
    yield found
    found.tools.index.close()


def test_the_cache_may_be_lost(quick: Market) -> None:
    client, group, publisher = shop(quick)
    quick.job(client, description="Text")
    rematch(quick, client)
    before = listed(quick, publisher)
    shutil.rmtree(quick.tools.scratch / "fragments")
    group.body.cpc_bid_micros = 2_000_000
    quick.save(group)
    rematch(quick, client)
    after = listed(quick, publisher)
    assert [job["description"] for job in after.values()] == ["Text"]
    assert after.keys() == before.keys()


def test_a_full_cache_is_emptied(tmp_path: Path) -> None:
    shape, digest = bytes(16), bytes(16)
    with fragments.opened(tmp_path, most_bytes=1 << 16) as cache:
        for n in range(100):
            job_id = n.to_bytes(16, "big")
            cache.put(shape, [(job_id, digest, Fragment(b"x" * 3_000, b"y"))])
            assert cache.get(shape, [(job_id, digest)]) == {job_id: (b"x" * 3_000, b"y")}
        every = [(n.to_bytes(16, "big"), digest) for n in range(100)]
        assert 1 <= len(cache.get(shape, every)) < 20
        assert cache.get(shape, [(job_id, b"another digest!!")]) == {}


class Meddled(FolderBlobs):
    """Blobs that let something happen just before a part is read."""

    meddle: Callable[[], None] | None = None
    has_meddled = False

    def chunks(self, path: str, size: int) -> Iterator[bytes]:
        meddle, self.meddle = self.meddle, None
        self.has_meddled = meddle is not None or self.has_meddled
        if meddle is not None:
            meddle()
        return super().chunks(path, size)


def test_a_part_replaced_while_its_file_is_made(quick: Market, tmp_path: Path) -> None:
    """The assembly finds its part gone, looks again, and shows the new one."""
    client, group, publisher = shop(quick)
    blobs = Meddled(tmp_path / "blobs")
    quick.tools = replace(quick.tools, blobs=blobs)
    quick.job(client)

    def publish_at(bid_micros: int) -> None:
        group.body.cpc_bid_micros = bid_micros
        quick.save(group)
        quick.run("listings.publish", client.id)

    rematch(quick, client)
    publish_at(2_000_000)
    blobs.meddle = lambda: publish_at(3_000_000)
    quick.run("listings.assemble", str(publisher.no))
    assert blobs.has_meddled
    assert [job["cpc"] for job in listed(quick, publisher).values()] == ["3.00"]


def test_a_file_that_was_lost_is_written_again(quick: Market) -> None:
    client, _, publisher = shop(quick)
    ref = quick.job(client)
    rematch(quick, client)
    quick.tools.blobs.delete(path_of(quick, publisher))
    quick.run("listings.assemble", str(publisher.no))
    assert set(listed(quick, publisher)) == {ref}


class Cut(FolderBlobs):
    """Blobs of a process that ends as soon as it has put a feed."""

    def put_file(self, path: str, local: Path) -> None:
        super().put_file(path, local)
        if path.endswith(".xml.gz"):
            raise SystemExit


def test_a_cut_file_is_written_again_when_all_is_as_before(quick: Market, tmp_path: Path) -> None:
    client, group, publisher = shop(quick)
    ref = quick.job(client)

    def switch(status: str) -> None:
        group.status = status
        quick.save(group)
        rematch(quick, client)

    switch("A")
    switch("P")
    assert listed(quick, publisher) == {}
    whole = quick.tools
    quick.tools = replace(whole, blobs=Cut(tmp_path / "blobs"))
    with pytest.raises(SystemExit):
        switch("A")
    assert set(listed(quick, publisher)) == {ref}
    quick.tools = whole
    switch("P")
    quick.run("listings.assemble", str(publisher.no))
    assert listed(quick, publisher) == {}


class Watched:
    """The edge's index, with something to happen before URLs are written."""

    def __init__(self, index: EdgeIndex, before: Callable[[], None]) -> None:
        self._index = index
        self._before = before

    def __getattr__(self, name: str) -> Any:
        return getattr(self._index, name)

    def put_urls(self, urls: Any) -> None:
        self._before()
        self._index.put_urls(urls)


def test_the_index_is_told_before_a_file_shows_a_link(quick: Market) -> None:
    client, _, publisher = shop(quick)
    ref = quick.job(client)
    paths: list[list[str]] = []
    index: Any = Watched(quick.tools.index, lambda: paths.append(quick.tools.blobs.paths()))
    tools = quick.tools
    quick.tools = replace(tools, index=index)
    rematch(quick, client)
    assert paths == [[]]
    quick.tools = tools
    assert set(listed(quick, publisher)) == {ref}


def test_marks_stay_when_the_index_cannot_be_written(quick: Market) -> None:
    client, _, publisher = shop(quick)
    ref = quick.job(client)

    def full_disk() -> None:
        raise OSError("no space left")

    tools = quick.tools
    index: Any = Watched(tools.index, full_disk)
    quick.tools = replace(tools, index=index)
    with pytest.raises(OSError, match="no space"):
        rematch(quick, client)
    quick.tools = tools
    quick.run("listings.publish", client.id)
    quick.run("listings.assemble", str(publisher.no))
    job = listed(quick, publisher)[ref]
    assert tools.index.url_of(opened(job).job_id) == f"https://jobs.example/{ref}".encode()


def test_late_clicks_on_a_job_that_left_find_their_way(market: Market) -> None:
    client, _, publisher = shop(market)
    ref = market.job(client)
    rematch(market, client)
    link = opened(listed(market, publisher)[ref])
    market.job_columns(client, ref, left_at=market.now())
    market.clock.forward(DAY)
    rematch(market, client)
    assert listed(market, publisher) == {}
    assert market.tools.index.url_of(link.job_id) is not None


def test_only_former_parts_are_swept(market: Market) -> None:
    client, group, _ = shop(market)
    market.job(client)
    for bid in (1_000_000, 2_000_000, 1_000_000):
        group.body.cpc_bid_micros = bid
        market.save(group)
        rematch(market, client)
        assert len(market.tools.blobs.paths("parts")) == 1
    assert list(market.tools.own_scratch.iterdir()) == []
