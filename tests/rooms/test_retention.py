"""What is older than it is kept for leaves the ledger, and the books balance all the same."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from handbill.core.nouns import Cap, Caps, ClientBody
from handbill.host.egress import Egress
from handbill.host.settings import Settings
from handbill.kit.instants import DAY, HOUR, MINUTE
from handbill.ledger import retiring
from handbill.ledger.checking import check
from handbill.ledger.work import compact, seal, sweep
from handbill.store import segments
from handbill.store.index import EdgeIndex
from handbill.store.records import Records
from handbill.store.records.tables import clients
from handbill.work.queue import Task
from handbill.work.tools import Tools
from market import START, Market, dispositions

TASK: Any = None
KEPT = 10


@pytest.fixture
def market(records: Records, tmp_path: Path) -> Market:
    return Market(records, tmp_path)


@pytest.fixture
def tools(market: Market, tmp_path: Path) -> Iterator[Tools]:
    index = EdgeIndex(tmp_path / "index", writable=True)
    egress = Egress(())
    yield Tools(
        market.records,
        market.blobs,
        index,
        market.clock,
        market.ids,
        egress,
        Settings(retention_days=KEPT),
        market.scratch,
    )
    egress.close()
    index.close()


def balanced(market: Market) -> dict[str, int]:
    books = check(market.records, market.blobs, market.scratch)
    assert books.faults == []
    return dict(books.sums)


def one(market: Market, table: str, what: str = "count(*)") -> Any:
    with market.records.read() as tx:
        return tx.run_text(f"SELECT {what} FROM {table}", {})[0][0][0]


def year(market: Market) -> None:
    """A month of clicks and applies under a lifetime cap, judged day by day."""
    listing = market.listing(caps=Caps(budget=Cap("Lifetime", 20_000_000)))
    for _ in range(30):
        click = market.clicked(listing)
        market.converted(click, 3, at=market.clock.now() + MINUTE)
        market.judge_all()
        market.clock.forward(DAY)


def test_whole_files_leave_and_the_books_balance(market: Market, tools: Tools) -> None:
    year(market)
    before = balanced(market)
    files = len(market.blobs.paths(segments.FOLDER))
    sweep(tools, TASK)
    assert len(market.ledger()) == 2 * KEPT
    after = balanced(market)
    assert after["received"] == before["received"] == 60
    assert (after["entries"], after["retired"]) == (2 * KEPT, 60 - 2 * KEPT)
    assert len(market.blobs.paths(segments.FOLDER)) == files, "a report may be reading them"
    market.clock.forward(2 * HOUR)
    sweep(tools, TASK)
    assert len(market.blobs.paths(segments.FOLDER)) < files
    balanced(market)


def test_a_lifetime_cap_remembers_what_was_retired(market: Market, tools: Tools) -> None:
    year(market)
    market.clock.forward(400 * DAY)
    sweep(tools, TASK)
    assert market.ledger() == []
    before = one(market, "counters", "sum(budget_units)")
    seal(tools, TASK)
    assert one(market, "counters", "count(DISTINCT day_on)") == 1, "all days are one row"
    assert one(market, "retired_counters", "count(DISTINCT day_on)") == 1
    assert one(market, "counters", "sum(budget_units)") == before
    listing = market.listing(client_no=1, campaign_no=1, group_no=1, publisher_no=1)
    market.clicked(listing)
    assert dispositions(market.judged()) == ["over_cap"]
    balanced(market)


def test_a_cap_lowered_below_what_was_retired_is_no_fault(market: Market, tools: Tools) -> None:
    year(market)
    market.change(
        clients,
        1,
        ClientBody(company_name="c1", exported_name="c1", caps=Caps(budget=Cap("Lifetime", 1))),
    )
    market.clock.forward(DAY)
    listing = market.listing(client_no=1, campaign_no=1, group_no=1, publisher_no=1)
    market.clock.forward(KEPT * DAY)
    market.clicked(listing)
    market.judge_all()
    sweep(tools, TASK)
    assert dispositions(market.ledger()) == ["over_cap"]
    balanced(market)


def test_the_check_finds_what_was_altered_of_the_retired(market: Market, tools: Tools) -> None:
    year(market)
    sweep(tools, TASK)
    noted = (
        ("retired_tallies", "value"),
        ("retired_counters", "budget_micros"),
        ("retired_days", "clicks"),
    )
    for table, name in noted:
        with market.records.write() as tx:
            tx.run_text(f"UPDATE {table} SET {name} = {name} + 1", {})
        assert check(market.records, market.blobs, market.scratch).faults
        with market.records.write() as tx:
            tx.run_text(f"UPDATE {table} SET {name} = {name} - 1", {})
    balanced(market)


def test_a_compaction_at_the_same_time_wins(
    market: Market, tools: Tools, monkeypatch: pytest.MonkeyPatch
) -> None:
    year(market)
    told = retiring._sums

    def meanwhile(*given: Any) -> Any:
        found = told(*given)
        monkeypatch.setattr(retiring, "_sums", told)
        compact(tools, Task(1, "ledger.compact", "2026-11", {}, 1, "w"))
        return found

    monkeypatch.setattr(retiring, "_sums", meanwhile)
    assert retiring.retire(tools, market.clock.now()) == 0
    assert len(market.ledger()) == 60
    balanced(market)
    market.clock.forward(100 * DAY)
    assert retiring.retire(tools, market.clock.now()) > 0
    assert market.ledger() == []
    balanced(market)


def test_nothing_is_kept_that_decides_about_nothing(market: Market, tools: Tools) -> None:
    year(market)
    market.clock.forward(60 * DAY)
    sweep(tools, TASK)
    assert (one(market, "clicks"), one(market, "conversion_keys")) == (30, 30)
    assert one(market, "visits") == 0
    market.clock.forward(45 * DAY)
    sweep(tools, TASK)
    assert 0 < one(market, "clicks") < 30
    assert 0 < one(market, "conversion_keys") < 30
    market.clock.forward(45 * DAY)
    sweep(tools, TASK)
    assert (one(market, "clicks"), one(market, "conversion_keys")) == (0, 0)
    balanced(market)


def test_a_client_without_old_entries_keeps_all(market: Market, tools: Tools) -> None:
    market.clicked(market.listing(), at=START)
    market.judge_all()
    sweep(tools, TASK)
    assert len(market.ledger()) == 1
    assert (one(market, "retired_tallies"), one(market, "retired_counters")) == (0, 0)
