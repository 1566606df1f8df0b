"""From a written feed file to a vendor's FTP server: what arrives, when, and what is told of it."""

import gzip
import logging
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from contract.world import fingerprint
from ftp_server import PASSWORD, USER, FtpServer, Part
from handbill.contract.deliveries.models import Delivery
from handbill.contract.publishers.models import PublisherChange
from handbill.core.nouns import Client, Publisher
from handbill.core.vendors import FtpAccount, FtpConfig
from handbill.host.egress import Egress, EgressFailed, FetchLimits
from handbill.kit.instants import DAY, MINUTE
from handbill.listings import delivering, minding, service
from handbill.listings.work import SCHEDULE
from handbill.publishers import rows as publisher_rows
from handbill.publishers import service as publishers
from handbill.store.records import Records
from handbill.store.records.tables import tasks
from handbill.wire.models import spelled
from handbill.work import kinds
from handbill.work.queue import MOST_ATTEMPTS
from handbill.worker import FETCHED
from rooms.listing_market import Market, open_market, place
from rooms.listing_reader import path_of, rematch

_DUE = sa.select(tasks.c.due_at).where(tasks.c.kind == sa.literal_column("'listings.deliver'"))
SHORT = FetchLimits(connect_seconds=60, idle_seconds=60, total_seconds=120)


@pytest.fixture
def market(records: Records, tmp_path: Path, ftp: FtpServer) -> Iterator[Market]:
    yield from opened(records, tmp_path, ftp)


@pytest.fixture
def quick(sqlite_records: Records, tmp_path: Path, ftp: FtpServer) -> Iterator[Market]:
    yield from opened(sqlite_records, tmp_path, ftp)


def opened(records: Records, folder: Path, ftp: FtpServer) -> Iterator[Market]:
    found = open_market(records, folder)
    found.tools = replace(found.tools, egress=Egress((f"127.0.0.1:{ftp.port}",)))
    yield found
    found.tools.egress.close()
    found.tools.index.close()


def shop(market: Market, port: int, template: str = "{exportedName}.xml", **body: Any) -> Publisher:
    """A publisher whose files go to a port of this machine."""
    account = FtpAccount("127.0.0.1", USER, port)
    publisher = market.publisher(
        "Board", delivered_by_ftp=True, ftp=FtpConfig(account, template), **body
    )
    market.write(lambda tx: publisher_rows.put_secret(tx, publisher.no, account.key, PASSWORD))
    return publisher


def placing(market: Market, name: str = "Acme") -> Client:
    """A client with a job at the publisher; its listings are decided and written."""
    client = market.client(name)
    market.group(market.campaign(client), cpc_bid_micros=500_000, placements=[place("Board")])
    market.job(client)
    rematch(market, client)
    return client


def told(market: Market, publisher: Publisher) -> list[dict[str, Any]]:
    with market.records.read() as tx:
        found, total = delivering.page(tx, publisher, market.now(), 0, 100)
    assert total == len(found)
    return [spelled(Delivery.of(one)) for one in found]


def blob(market: Market, publisher: Publisher, client: Client | None = None) -> bytes:
    return market.tools.blobs.get(path_of(market, publisher, client.no if client else 0))


def update(market: Market, publisher: Publisher, **said: Any) -> None:
    given = PublisherChange.read(said, "", []).given()
    market.write(lambda tx: minding.update(tx, market.now(), publisher, given))


def test_what_was_written_is_delivered_and_told(market: Market, ftp: FtpServer) -> None:
    publisher = shop(market, ftp.port, "in/{exportedName}-{publisher}-{date}.xml")
    client = placing(market)
    (name,) = ftp.files()
    assert name == "in/agency-Board-2026-11-23.xml"
    assert ftp.files()[name] == blob(market, publisher)
    assert b"<job>" in ftp.files()[name]
    assert told(market, publisher) == [
        {
            "clientId": None,
            "path": name,
            "state": "DELIVERED",
            "current": True,
            "bytes": len(blob(market, publisher)),
            "at": "2026-11-23T12:00:00.000Z",
            "deliveredOn": "2026-11-23T12:00:00.000Z",
            "failure": None,
        }
    ]
    # Nothing has changed: nothing goes out, though it is asked for.
    before = len(ftp.heard)
    market.write(lambda tx: service.deliver_changes(tx, publisher.no, market.now()))
    rematch(market, client)
    assert len(ftp.heard) == before


def test_a_path_with_the_day_in_it_gets_a_file_each_day(market: Market, ftp: FtpServer) -> None:
    publisher = shop(market, ftp.port, "{date}.xml")
    placing(market)
    look = SCHEDULE[0][2]
    for _ in range(2):
        market.write(lambda tx: look(tx, market.now()))
        assert market.drain() == []
        market.clock.forward(DAY)
        market.write(lambda tx: look(tx, market.now()))
        assert market.drain() == [("listings.deliver", str(publisher.no))]
    days = ("2026-11-23", "2026-11-24", "2026-11-25")
    assert ftp.files() == {f"{day}.xml": blob(market, publisher) for day in days}


def test_changes_within_five_minutes_go_together(market: Market, ftp: FtpServer) -> None:
    publisher = shop(market, ftp.port)
    client = placing(market)
    first = ftp.files()["agency.xml"]
    for _ in range(3):
        market.clock.forward(MINUTE)
        market.job(client)
        rematch(market, client)
        assert ftp.files()["agency.xml"] == first
    assert not told(market, publisher)[0]["current"]
    market.clock.forward(2 * MINUTE - 1)
    assert market.drain() == []
    market.clock.forward(1)
    assert market.drain() == [("listings.deliver", str(publisher.no))]
    assert ftp.files()["agency.xml"] == blob(market, publisher) != first
    assert told(market, publisher)[0]["current"]
    assert sum(line.startswith("stor") for line in ftp.heard) == 2


def test_what_is_asked_for_goes_at_once(market: Market, ftp: FtpServer) -> None:
    publisher = shop(market, ftp.port)
    placing(market)
    (ftp.folder / "agency.xml").unlink()
    market.write(lambda tx: minding.deliver(tx, market.now(), publisher))
    assert not told(market, publisher)[0]["current"]
    market.drain()
    assert ftp.files() == {"agency.xml": blob(market, publisher)}


def test_each_client_has_a_file_where_the_publisher_wants_it(
    market: Market, ftp: FtpServer
) -> None:
    publisher = shop(market, ftp.port, per_client=True, compressed=True)
    clients = [placing(market, name) for name in ("Acme", "../../etc/x", "Bäcker & Söhne")]
    market.clock.forward(5 * MINUTE)
    market.drain()
    names = ["Acme.xml.gz", "______etc_x.xml.gz", "Bäcker _ Söhne.xml.gz"]
    assert set(ftp.files()) == set(names)
    for client, name in zip(clients, names, strict=True):
        assert gzip.decompress(ftp.files()[name]) == blob(market, publisher, client)
    assert [(one["clientId"], one["path"]) for one in told(market, publisher)] == [
        (client.id, name) for client, name in zip(clients, names, strict=True)
    ]


def test_two_files_never_take_turns_at_one_path(market: Market, ftp: FtpServer) -> None:
    publisher = shop(market, ftp.port, per_client=True)
    first, second = placing(market, "Twin"), placing(market, "Twin")
    market.clock.forward(5 * MINUTE)
    market.drain()
    assert ftp.files() == {"Twin.xml": blob(market, publisher, first)}
    states = {one["clientId"]: (one["state"], one["failure"]) for one in told(market, publisher)}
    assert states[first.id] == ("DELIVERED", None)
    assert states[second.id] == ("FAILED", delivering._SAME_PATH)
    update(
        market,
        publisher,
        ftpConfig={
            "credentials": {"host": "127.0.0.1", "port": ftp.port, "username": USER},
            "pathTemplate": "{exportedName}-{clientId}.xml",
        },
    )
    market.drain()
    assert {one["state"] for one in told(market, publisher)} == {"DELIVERED"}
    assert ftp.files()[f"Twin-{second.id}.xml"] == blob(market, publisher, second)


def test_a_wrong_password_is_told_once_and_mended_at_once(market: Market, ftp: FtpServer) -> None:
    publisher = shop(market, ftp.port)
    assert publisher.body.ftp is not None
    key = publisher.body.ftp.account.key
    market.write(lambda tx: publisher_rows.put_secret(tx, publisher.no, key, "wrong"))
    placing(market)
    (one,) = told(market, publisher)
    assert (one["state"], one["deliveredOn"], one["bytes"]) == ("FAILED", None, None)
    assert one["failure"] == "the server refused user name or password (530)"
    market.clock.forward(60 * MINUTE)
    assert market.drain() == []
    credentials = {"host": "127.0.0.1", "port": ftp.port, "username": USER, "password": PASSWORD}
    update(market, publisher, ftpConfig={"credentials": credentials})
    market.drain()
    assert told(market, publisher)[0]["state"] == "DELIVERED"
    assert ftp.files() == {"agency.xml": blob(market, publisher)}


def test_what_breaks_off_is_tried_again_and_goes_on_where_it_was(
    market: Market, ftp: FtpServer
) -> None:
    def store(part: Part, path: str) -> str | None:
        return None if path.startswith("Second") else "150 send"

    with Part(STOR=store) as part:
        market.tools = replace(
            market.tools, egress=Egress(tuple(f"127.0.0.1:{p}" for p in (part.port, ftp.port)))
        )
        publisher = shop(market, part.port, per_client=True)
        market.tasks.pop(kinds.DELIVER)
        for name in ("First", "Second", "Third"):
            placing(market, name)
        for attempt in range(1, MOST_ATTEMPTS + 1):
            with pytest.raises(EgressFailed, match="closed the connection"):
                delivering.deliver(market.tools, publisher.no, attempt, SHORT)
            states = [one["state"] for one in told(market, publisher)]
            end = "FAILED" if attempt == MOST_ATTEMPTS else "RETRYING"
            assert states == ["DELIVERED", end, end]
        assert sum(line.startswith("STOR First") for line in part.heard) == 1
    credentials = {"host": "127.0.0.1", "port": ftp.port, "username": USER, "password": PASSWORD}
    update(market, publisher, ftpConfig={"credentials": credentials})
    delivering.deliver(market.tools, publisher.no, 1, SHORT)
    assert set(ftp.files()) == {"First.xml", "Second.xml", "Third.xml"}
    assert {one["state"] for one in told(market, publisher)} == {"DELIVERED"}


def test_one_file_that_is_refused_does_not_keep_others_back(market: Market) -> None:
    def store(part: Part, path: str) -> str:
        return "553 no" if path.startswith("First") else "150 send"

    with Part(STOR=store) as part:
        market.tools = replace(market.tools, egress=Egress((f"127.0.0.1:{part.port}",)))
        publisher = shop(market, part.port, per_client=True)
        market.tasks.pop(kinds.DELIVER)
        for name in ("First", "Second"):
            placing(market, name)
        with pytest.raises(EgressFailed, match="553"):
            delivering.deliver(market.tools, publisher.no, 1, SHORT)
    assert [(one["state"], one["failure"]) for one in told(market, publisher)] == [
        ("RETRYING", "the server refused the file (553)"),
        ("DELIVERED", None),
    ]


def test_an_address_that_is_not_allowed_is_told_and_not_tried_again(quick: Market) -> None:
    publisher = shop(quick, 21)
    placing(quick)
    (one,) = told(quick, publisher)
    assert (one["state"], one["failure"].partition(";")[0]) == (
        "FAILED",
        "the host has an address that is not public",
    )
    assert "127.0.0.1:21 in HANDBILL_EGRESS_ALLOW" in one["failure"]
    quick.clock.forward(60 * MINUTE)
    assert quick.drain() == []


def test_paused_and_deleted_publishers_get_an_empty_file(market: Market, ftp: FtpServer) -> None:
    publisher = shop(market, ftp.port)
    placing(market)
    for status in ("P", "A"):
        market.clock.forward(5 * MINUTE)
        market.write(lambda tx, to=status: minding.switch(tx, market.now(), publisher, to))  # type: ignore[misc]
        market.drain()
        assert (b"<job>" in ftp.files()["agency.xml"]) is (status == "A")
    market.clock.forward(5 * MINUTE)
    market.write(lambda tx: minding.delete(tx, market.now(), publisher))
    with market.records.read() as tx:
        assert publishers.ftp_password(tx, publisher) == PASSWORD
    market.drain()
    assert b"<job>" not in ftp.files()["agency.xml"]
    with market.records.read() as tx:
        assert publisher_rows.secrets_held(tx, publisher.no) == []


def test_a_publisher_that_is_not_delivered_hears_nothing(market: Market, ftp: FtpServer) -> None:
    publisher = shop(market, ftp.port)
    update(market, publisher, deliverFeedByFTP=False)
    placing(market)
    assert ftp.heard == []
    assert told(market, publisher) == []
    update(market, publisher, deliverFeedByFTP=True)
    assert [one["state"] for one in told(market, publisher)] == ["WAITING"]
    market.drain()
    assert set(ftp.files()) == {"agency.xml"}


def test_the_password_stands_in_one_place(
    quick: Market, ftp: FtpServer, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    publisher = shop(quick, ftp.port)
    placing(quick)
    update(quick, publisher, minBid=0)
    (ftp.folder / "agency.xml").unlink()
    quick.write(lambda tx: minding.deliver(tx, quick.now(), publisher))
    quick.drain()
    assert ftp.files()
    assert PASSWORD not in caplog.text
    holding = [name for name, found in fingerprint(quick.records).items() if PASSWORD in str(found)]
    assert not holding, "a password stands open in the records"
    assert PASSWORD not in repr(publisher)


def test_deliveries_wait_in_a_process_of_their_own() -> None:
    assert kinds.DELIVER in FETCHED


def test_a_missing_password_is_told(quick: Market, ftp: FtpServer) -> None:
    publisher = shop(quick, ftp.port)
    quick.write(lambda tx: publishers.forget_passwords(tx, quick.clock.now(), publisher))
    placing(quick)
    (one,) = told(quick, publisher)
    assert (one["state"], one["failure"]) == ("FAILED", delivering._NO_PASSWORD)


@pytest.mark.parametrize("deed", [service.deliver_in_time, service.deliver_all])
def test_asking_twice_is_asking_once(quick: Market, deed: Callable[..., None]) -> None:
    publisher = shop(quick, 21)
    for _ in range(2):
        quick.write(lambda tx: deed(tx, publisher.no, quick.now()))
    with quick.records.read() as tx:
        assert tx.all(_DUE) == [(quick.now(),)]
