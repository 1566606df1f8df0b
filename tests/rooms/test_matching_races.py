"""Two who match, or match and import, at the same time on PostgreSQL; SQLite has one writer."""

from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from contract.meanwhile import let_wait
from handbill.core.nouns import Group
from handbill.groups import matching
from handbill.jobs import mark_rows
from handbill.kit.faults import Unavailable
from handbill.listings.indexing import index_client
from handbill.store.records import Records, Tx
from handbill.store.records.base import Row
from handbill.store.records.tables import jobs, matches
from rooms.listing_market import Market, everything, open_market


@pytest.fixture
def market(postgres_records: Records, tmp_path: Path) -> Iterator[Market]:
    market = open_market(postgres_records, tmp_path)
    yield market
    market.tools.index.close()


def _city(name: str) -> dict[str, Any]:
    return everything(field="city", operator="EQUAL", data=name)


def _groups_matched(market: Market) -> list[Row]:
    with market.records.read() as tx:
        return tx.all(sa.select(matches.c.group_no))


def test_who_takes_a_mark_waits_for_a_change_under_way(market: Market) -> None:
    """The job was marked before, so that the mark alone does not tell of this change."""
    client = market.client()
    campaign = market.campaign(client)
    groups = [market.group(campaign, _city(name)) for name in ("x", "y")]
    ref = market.job(client, city="x")
    with ThreadPoolExecutor(1) as pool:
        with market.records.write() as tx:
            ((no,),) = tx.all(sa.select(jobs.c.no))
            tx.change(jobs, {"ref": ref}, city="y")
            mark_rows.mark_unmatched(tx, client.no, [no])
            other = pool.submit(matching.rematch, market.records, client, market.now())
            let_wait(market.records, other)
        other.result()
    assert _groups_matched(market) == [(groups[1].no,)]


def test_the_edge_is_told_of_a_url_that_is_being_changed(market: Market) -> None:
    client = market.client()
    ref = market.job(client)
    with ThreadPoolExecutor(1) as pool:
        with market.records.write() as tx:
            ((no, id_),) = tx.all(sa.select(jobs.c.no, jobs.c.id))
            tx.change(jobs, {"ref": ref}, url="https://jobs.example/new")
            mark_rows.mark_unindexed(tx, client.no, [no])
            other = pool.submit(index_client, market.tools, client)
            let_wait(market.records, other)
        other.result()
    assert market.tools.index.url_of(bytes.fromhex(id_)) == b"https://jobs.example/new"


class Stopped:
    """Records of a worker that is stopped after each look at what is remembered, but the first."""

    in_steps, give_way = Records.in_steps, Records.give_way

    def __init__(self, records: Records, meanwhile: Callable[[], None]) -> None:
        self.read = records.read
        self._records = records
        self._meanwhile = meanwhile
        self._looks = 0

    @contextmanager
    def write(self) -> Iterator[Tx]:
        with self._records.write() as tx:
            run = tx.run_text

            def stopped(text: str, params: dict[str, Any]) -> tuple[list[Row], int]:
                found = run(text, params)
                if "FROM matchings" in text:
                    self._looks += 1
                    if self._looks == 2:
                        self._meanwhile()
                return found

            tx.run_text = stopped  # type: ignore[method-assign]
            yield tx


def test_nothing_is_written_between_anothers_look_and_its_writing(market: Market) -> None:
    client = market.client()
    campaign = market.campaign(client)
    market.group(campaign, _city("x"), priority=3)
    market.job(client, city="x")
    matching.rematch(market.records, client, market.now())
    market.group(campaign, _city("x"), priority=2)
    others: list[Future[Group]] = []

    def matched_for_a_better() -> Group:
        best = market.group(campaign, _city("x"), priority=1)
        matching.rematch(market.records, client, market.now())
        return best

    with ThreadPoolExecutor(1) as pool:

        def meanwhile() -> None:
            others.append(pool.submit(matched_for_a_better))
            let_wait(market.records, others[0])

        late: Any = Stopped(market.records, meanwhile)
        with suppress(Unavailable):  # once the other has begun, this one may write no more
            matching.rematch(late, client, market.now())
        best = others[0].result()
    assert _groups_matched(market) == [(best.no,)]
