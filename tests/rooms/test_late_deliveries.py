"""Deliveries that end before their result is stored, or after another worker's."""

from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from ftp_server import FtpServer
from handbill.kit.instants import HOUR
from handbill.listings import copies, delivering, service
from handbill.store.blobs import FolderBlobs
from handbill.store.records import Records
from handbill.work import kinds
from rooms.listing_market import Market, place
from rooms.listing_reader import rematch
from rooms.test_deliveries import SHORT, blob, opened, placing, shop, told


@pytest.fixture
def market(records: Records, tmp_path: Path, ftp: FtpServer) -> Iterator[Market]:
    yield from opened(records, tmp_path, ftp)


class Slept(FolderBlobs):
    """Blobs of a worker that sleeps once it has opened the next one."""

    meanwhile: Callable[[], None] | None = None

    def chunks(self, path: str, size: int) -> Iterator[bytes]:
        meanwhile, self.meanwhile = self.meanwhile, None
        if meanwhile is None:
            return super().chunks(path, size)
        content = self.get(path)
        meanwhile()
        return iter((content,))


def test_what_a_late_worker_sent_is_sent_again(
    market: Market, ftp: FtpServer, tmp_path: Path
) -> None:
    """Nobody knows whether its content or that of the other worker is there."""
    blobs = Slept(tmp_path / "blobs")
    market.tools = replace(market.tools, blobs=blobs)
    publisher = shop(market, ftp.port)
    client = placing(market)
    market.write(lambda tx: service.deliver_all(tx, publisher.no, market.now()))

    def newer() -> None:
        market.job(client)
        rematch(market, client)
        market.clock.forward(HOUR)
        market.drain()

    blobs.meanwhile = newer
    market.run(kinds.DELIVER, str(publisher.no))
    assert ftp.files() != {"agency.xml": blob(market, publisher)}
    market.drain()
    assert ftp.files() == {"agency.xml": blob(market, publisher)}
    assert told(market, publisher)[0]["current"]


def test_a_cut_delivery_is_made_again_when_all_is_as_before(
    market: Market, ftp: FtpServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    publisher = shop(market, ftp.port)
    client = market.client()
    campaign = market.campaign(client)
    group = market.group(campaign, cpc_bid_micros=500_000, placements=[place("Board")])
    market.job(client)

    def switch(status: str) -> None:
        group.status = status
        market.save(group)
        rematch(market, client)
        delivering.deliver(market.tools, publisher.no, 1, SHORT)

    def end(*_: object) -> None:
        raise SystemExit

    switch("A")
    switch("P")
    with monkeypatch.context() as cut:
        cut.setattr(copies, "note_delivery", end)
        with pytest.raises(SystemExit):
            switch("A")
    (sent,) = ftp.files().values()
    assert b"<job>" in sent
    switch("P")
    (sent,) = ftp.files().values()
    assert b"<job>" not in sent
