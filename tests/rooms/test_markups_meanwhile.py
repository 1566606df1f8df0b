"""Markups that change in mid stream, beside the judge."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from handbill.core.entries import Entry
from handbill.core.listing_tokens import Listing
from handbill.core.nouns import CampaignBody, Cap, Caps, GroupBody, Override
from handbill.kit.instants import SECOND
from handbill.ledger.checking import check
from handbill.ledger.judge import Outrun
from handbill.store import segment_files
from handbill.store.records import Records, Tx
from handbill.store.records.tables import campaigns, groups, markups
from handbill.store.segments import segments_of_any
from market import START, Market


@pytest.fixture
def market(records: Records, tmp_path: Path) -> Market:
    return Market(records, tmp_path)


def balanced(market: Market) -> dict[str, int]:
    books = check(market.records, market.blobs, market.scratch)
    assert books.faults == []
    return dict(books.sums)


def amounts(ledger: list[dict[str, Any]]) -> list[tuple[int, int, int]]:
    return [(one["chargeMicros"], one["spendMicros"], one["markedUpMicros"]) for one in ledger]


def entries(market: Market, client_no: int) -> list[Entry]:
    """As they lie in the segments, with what the export does not tell."""
    with market.records.read() as tx:
        listed = segments_of_any(tx, [client_no])
    with (
        segment_files.all_sound(market.blobs, listed, market.scratch) as files,
        segment_files.query(market.scratch, memory_mb=64, threads=1) as duck,
    ):
        segment_files.show(duck, files, client_no)
        found = duck.execute('SELECT * FROM entries ORDER BY "at", "id"').fetchall()
    return [Entry(**dict(zip(Entry.__struct_fields__, row, strict=True))) for row in found]


# ── in mid-stream ───────────────────────────────────────────────────────────────────────────────


def test_a_markup_that_becomes_effective_in_mid_stream(market: Market) -> None:
    """By the instant of each event, however they are cut into batches and out of what order."""
    listing = market.listing(caps=Caps(budget=Cap("Daily", 6_000_000)))
    market.markup(100_000, client_no=listing.client_no, from_at=START)
    market.markup(1_000_000, client_no=listing.client_no, from_at=START + 2 * SECOND)
    for after in (3, -1, 0, 1, 2):
        market.clicked(listing, at=START + after * SECOND)
        if after in (0, 2):
            market.judge_all()
    told = [(line["disposition"], line["markedUpMicros"]) for line in market.ledger()]
    # The first of the batches took 2.00, 1.00 and 1.10 of the day's 6.00, the next one 1.10.
    assert told == [
        ("valid", 1_000_000),
        ("valid", 1_100_000),
        ("valid", 1_100_000),
        ("over_cap", 0),
        ("valid", 2_000_000),
    ]
    balanced(market)


@pytest.mark.parametrize("how", ["new", "changed", "deleted", "campaign", "group"])
def test_a_markup_changed_during_a_batch_has_it_judged_again(market: Market, how: str) -> None:
    listing = market.listing(caps=Caps(budget=Cap("Daily", 1_150_000)))
    no = market.markup(100_000, client_no=listing.client_no)
    market.clicked(listing)
    judge = market.judge()
    batch = judge._read()
    added = judge._judged(batch)
    written = judge._write(batch, added)
    _change(market, listing, no, how)
    with pytest.raises(Outrun), market.records.write() as tx:
        judge._book(tx, batch, added, written)
    judge._discard(written)
    (line,) = market.judged()
    wanted = {"deleted": ("valid", 1_000_000)}.get(how, ("over_cap", 0))
    assert (line["disposition"], line["markedUpMicros"]) == wanted
    balanced(market)


def _change(market: Market, listing: Listing, no: int, how: str) -> None:
    override = Override(markup_ppm=50_000)
    if how == "new":
        market.markup(200_000, client_no=listing.client_no)
    elif how == "campaign":
        market.change(campaigns, listing.campaign_no, CampaignBody("k1", override=override))
    elif how == "group":
        market.change(groups, listing.group_no, GroupBody("g1", override=override))
    else:
        changes = {"changed": {"ppm": 200_000}, "deleted": {"deleted_at": market.clock.now()}}
        with market.records.write() as tx:
            tx.change(markups, {"no": no}, **changes[how])


def test_a_markup_of_others_does_not_outrun_the_judge(market: Market) -> None:
    listing = market.listing()
    market.clicked(listing)
    judge = market.judge()
    batch = judge._read()
    added = judge._judged(batch)
    written = judge._write(batch, added)
    market.markup(100_000, client_no=market.client("c2"))
    with market.records.write() as tx:
        judge._book(tx, batch, added, written)
    assert amounts(market.ledger()) == [(800_000, 1_000_000, 1_000_000)]


class Meddled(Records):
    """Records in which somebody changes a markup before every other booking."""

    def __init__(self, records: Records, no: int) -> None:
        self._records = records
        self._no = no
        self.writes = 0

    @contextmanager
    def write(self) -> Iterator[Tx]:
        self.writes += 1
        if self.writes % 2:
            with self._records.write() as tx:
                tx.change(markups, {"no": self._no}, ppm=self.writes * 70_000 % 1_000_000)
        with self._records.write() as tx:
            yield tx

    @contextmanager
    def read(self) -> Iterator[Tx]:
        with self._records.read() as tx:
            yield tx

    @property
    def url(self) -> str:
        return self._records.url


def test_caps_hold_while_markups_change_beside_the_judge(market: Market) -> None:
    listing = market.listing(caps=Caps(budget=Cap("Daily", 40_000_000)))
    no = market.markup(0, client_no=listing.client_no)
    for n in range(60):
        market.clicked(listing, at=START + n * SECOND)
    judge = market.judge(records=Meddled(market.records, no))
    told = []
    for _ in range(30):
        judge._most_events = 5
        told.append(judge.step())
    assert told.count(5) == 12, "sixty clicks"
    assert told.count(0) > 10, "many a batch was judged again"
    paid = [line["markedUpMicros"] for line in market.ledger() if line["markedUpMicros"]]
    assert 38_000_000 < sum(paid) <= 40_000_000
    assert len(set(paid)) > 3
    balanced(market)
