"""Lists of bots' addresses, fetched from where a click definition says they are."""

from collections.abc import Iterator
from pathlib import Path

import msgspec
import pytest
import sqlalchemy as sa

from handbill.core.click_definitions import ClickDefinition, DefinitionBody
from handbill.core.nouns import Publisher
from handbill.definitions import rows, service
from handbill.definitions.work import SCHEDULE, TASKS
from handbill.host.egress import Egress
from handbill.kit.instants import DAY, HOUR
from handbill.store.records import Records
from handbill.store.records.tables import tasks
from handbill.work import kinds
from handbill.work.tools import Tools
from rooms.listing_market import Market, open_market
from sites import Site, serving


@pytest.fixture
def site() -> Iterator[Site]:
    with serving() as found:
        yield found


@pytest.fixture
def market(sqlite_records: Records, tmp_path: Path, site: Site) -> Iterator[Market]:
    found = open_market(sqlite_records, tmp_path)
    kept = {name: getattr(found.tools, name) for name in Tools.__dataclass_fields__}
    kept["egress"] = Egress([f"127.0.0.1:{site.port}"])
    found.tools = Tools(**kept)
    found.tasks = dict(TASKS)
    yield found
    found.tools.egress.close()
    found.tools.index.close()


def define(market: Market, publisher: Publisher, url: str | None) -> ClickDefinition:
    given = {"bot_ips_url": url}
    market.write(lambda tx: service.put(tx, market.now(), publisher, None, given, can_locate=False))
    market.drain()
    with market.records.read() as tx:
        return service.definition_at(tx, publisher, None)


def listed(market: Market, definition: ClickDefinition) -> list[str]:
    with market.records.read() as tx:
        return rows.bot_ips(tx, definition.no)


def test_a_list_is_read_at_once_and_every_day(market: Market, site: Site) -> None:
    publisher = market.publisher("P")
    site.pages["/ips.csv"] = b"IP Address\n192.0.2\n"
    found = define(market, publisher, site.url("/ips.csv"))
    assert (found.ips_read_at, found.ips_failure) == (market.now(), None)
    assert listed(market, found) == ["192.0.2.0/24"]
    site.pages["/ips.csv"] = b"IP Address\n192.0.2\n198.51.100.7\n"
    for wait, asked in ((HOUR, 1), (DAY, 2)):
        market.clock.forward(wait)
        for _, _, ask in SCHEDULE:
            market.write(lambda tx, ask=ask: ask(tx, market.now()))  # type: ignore[misc]
        market.drain()
        assert len(site.asked) == asked
    assert listed(market, found) == ["192.0.2.0/24", "198.51.100.7/32"]


@pytest.mark.parametrize(
    ("page", "why"),
    [
        (None, "answered with status 404"),
        (b"IP Address\nrubbish\n", "line 2 is neither"),
        (b"\xff\xfe1", "not UTF-16"),
        (b'"' + b"x" * 200_000, "it is not CSV"),
        (b"1.1.1.1\n" * 1_200_000, "more than 8388608 bytes"),
    ],
)
def test_a_list_that_cannot_be_read_leaves_the_former_one(
    market: Market, site: Site, page: bytes | None, why: str
) -> None:
    publisher = market.publisher("P")
    site.pages["/ips.csv"] = b"192.0.2.1\n"
    found = define(market, publisher, site.url("/ips.csv"))
    del site.pages["/ips.csv"]
    if page is not None:
        site.pages["/ips.csv"] = page
    market.run(kinds.READ_LIST, str(found.no))
    with market.records.read() as tx:
        failed = service.definition_at(tx, publisher, None)
    assert why in (failed.ips_failure or "")
    assert listed(market, found) == ["192.0.2.1/32"]


def test_a_private_address_is_not_asked(market: Market, site: Site) -> None:
    site.pages["/x"] = b"192.0.2.1\n"
    found = define(market, market.publisher("P"), f"http://localhost:{site.port}/x")
    assert "not open to feeds" in (found.ips_failure or "")
    assert site.asked == []


def test_another_address_drops_what_was_read(market: Market, site: Site) -> None:
    publisher = market.publisher("P")
    site.pages["/a"] = b"192.0.2.1\n"
    define(market, publisher, site.url("/a"))
    found = define(market, publisher, None)
    assert (found.ips_read_at, listed(market, found)) == (None, [])
    assert msgspec.structs.asdict(found.body)["bot_ips_url"] == ""


def test_a_definition_that_is_gone_or_changed_meanwhile_is_left_alone(
    market: Market, site: Site
) -> None:
    publisher = market.publisher("P")
    site.pages["/a"] = b"192.0.2.1\n"
    found = define(market, publisher, site.url("/a"))
    body = DefinitionBody(bot_ips_url=site.url("/b"))
    market.write(lambda tx: rows.change(tx, found, body, market.now()))
    market.run(kinds.READ_LIST, str(found.no))  # /b is not there: the failure is of /b
    market.write(lambda tx: service.delete(tx, market.now(), publisher, None))
    market.run(kinds.READ_LIST, str(found.no))
    with market.records.read() as tx:
        assert rows.of_publisher(tx, publisher.no) == []
        assert tx.value(sa.select(sa.func.count()).select_from(tasks)) == 0
