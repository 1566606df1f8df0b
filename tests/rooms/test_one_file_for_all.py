"""One file holds what a batch booked of every client: each reader is told of one client alone.

Both clients advertise the same job at the same publisher, so that nothing but the client's number
tells their entries apart. Without the filter of ``segment_files.source`` the first two fail.
"""

from pathlib import Path
from typing import Any

import msgspec
import pytest

from handbill.core.listing_tokens import Listing
from handbill.core.nouns import Cap, Caps, GroupBody
from handbill.kit.instants import DAY, MINUTE
from handbill.ledger import counting
from handbill.ledger.checking import check
from handbill.ledger.recent import recent
from handbill.ledger.service import Wanted, export
from handbill.ledger.work import ask_to_compact, compact
from handbill.store.records import Records
from handbill.store.records.tables import groups
from handbill.store.segments import every_segment, segments_of_any
from handbill.work.queue import Task
from market import Market
from rooms.report_desk import Desk

MICROS = 1_000_000
COMPACTIONS = "SELECT key FROM tasks WHERE kind = 'ledger.compact'"


@pytest.fixture
def market(records: Records, tmp_path: Path) -> Desk:
    return Desk(records, tmp_path)


def neighbours(market: Market) -> tuple[Listing, Listing, int]:
    """Two clients whose events are booked together, and a third without any."""
    one = market.listing()
    other = market.listing(client_no=market.client("c2"), publisher_no=one.publisher_no)
    return one, msgspec.structs.replace(other, job_id=one.job_id), market.client("c3")


def happen(market: Market, one: Listing, other: Listing) -> None:
    """One click and apply of the first, two of the second; each from an address of its own."""
    for n, listing in enumerate((other, one, other)):
        click = market.clicked(listing, ip=f"198.51.{n}.7")
        market.converted(click, 3, f"app-{listing.client_no}-{click.at}-{n}")
    market.judge_all()
    market.clock.forward(MINUTE)


def test_every_reader_is_told_of_one_client_alone(market: Desk) -> None:
    one, other, third = neighbours(market)
    for _ in range(8):
        happen(market, one, other)
    for merged in (False, True):
        if merged:
            with market.records.write() as tx:
                ask_to_compact(tx, market.clock.now())
                ((month,),) = tx.run_text(COMPACTIONS, {})[0]
            compact(market.tools, Task(1, "ledger.compact", month, {}, 1, "w"))
        with market.records.read() as tx:
            assert len(every_segment(tx)) == (1 if merged else 8), "one file a batch"
            of_one, of_other = (segments_of_any(tx, [it.client_no]) for it in (one, other))
            assert len(of_one) == len(of_other)
            assert segments_of_any(tx, [third]) == []
        for listing, times in ((one, 8), (other, 16)):
            told_of(market, listing, times)
        assert list(export(market.records, market.blobs, market.scratch, Wanted(third))) == []
        assert market.lines(third, "JOB") == []
        books = check(market.records, market.blobs, market.scratch)
        assert books.faults == []
        assert (books.sums["entries"], books.sums["spendMicros"]) == (48, 24 * MICROS)


def told_of(market: Desk, listing: Listing, times: int) -> None:
    """By the export, two reports, and the list of what came lately."""
    client_no = listing.client_no
    wanted = Wanted(client_no)
    lines = list(export(market.records, market.blobs, market.scratch, wanted))
    assert {line["jobGroupId"] for line in lines} == {f"{listing.campaign_no}-g1"}
    assert len(lines) == 2 * times
    (row,) = market.lines(client_no, "JOB")
    assert (row["clicks"], row["applies"]) == (f"{times}", f"{times}")
    (row,) = market.lines(client_no, "JOBGROUP", filters={"publisherIds": ["Board"]})
    assert row["jobGroupId"] == f"{listing.campaign_no}-g1"
    with market.records.read() as tx:
        asked: dict[str, Any] = {"most": 100, "now": market.clock.now()}
        found = recent(tx, market.blobs, market.journal, market.scratch, client_no, **asked)  # type: ignore[arg-type]
    assert len(found) == times
    assert all(one.application_id.startswith(f"app-{client_no}-") for one in found)


def test_a_jobs_cap_begins_with_what_its_own_client_spent(market: Desk) -> None:
    """The same job of two clients; a cap of each comes into force at once."""
    one, other, _ = neighbours(market)
    happen(market, one, other)
    happen(market, one, other)
    for listing in (one, other):
        caps = Caps(job_budget=Cap("Lifetime", 5 * MICROS))
        market.change(groups, listing.group_no, GroupBody("g1", caps=caps))
    for _ in range(4):
        market.clicked(one)
        market.clicked(other)
    market.judge_all()
    clicks: dict[int, list[str]] = {one.client_no: [], other.client_no: []}
    for client_no, told in clicks.items():
        wanted = Wanted(client_no)
        lines = export(market.records, market.blobs, market.scratch, wanted)
        told += [line["disposition"] for line in lines if line["kind"] == "CLICK"]
    assert clicks[one.client_no].count("over_cap") == 1, "two were spent before"
    assert clicks[other.client_no].count("over_cap") == 3, "four were"
    with market.records.read() as tx:
        assert all(len(counts) == 1 for counts in counting.counts_of_each(tx, clicks).values())
    assert check(market.records, market.blobs, market.scratch).faults == []


def test_a_client_of_a_damaged_file_is_named_and_others_are_checked(market: Desk) -> None:
    one, other, third = neighbours(market)
    happen(market, one, other)
    market.clock.forward(DAY)
    apart = market.listing(client_no=third, publisher_no=one.publisher_no)
    market.clicked(apart)
    market.judge_all()
    with market.records.read() as tx:
        (damaged,) = segments_of_any(tx, [one.client_no])
    market.blobs.put(damaged.path, market.blobs.get(damaged.path)[:-1])
    books = check(market.records, market.blobs, market.scratch)
    assert len(books.faults) == 1, "told once, whoever is in it"
    assert damaged.path in books.faults[0]
    assert books.sums["entries"] == 1, "the third client's are added up"
