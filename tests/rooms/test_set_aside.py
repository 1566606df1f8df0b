"""A client that cannot be judged is set aside; all others are judged, and nothing of it is lost."""

from contextlib import nullcontext
from pathlib import Path

import pytest

from handbill.core.charging import CounterKey
from handbill.core.listing_tokens import Listing
from handbill.core.nouns import Cap, Caps
from handbill.kit.instants import DAY, HOUR, MINUTE
from handbill.ledger import counter_rows, gathering, judge
from handbill.ledger.checking import check
from handbill.store import asides, marks
from handbill.store.records import Records
from market import START, Market
from rooms.test_ledger_crash import Cut, CutRecords, cut

MICROS = 1_000_000


@pytest.fixture
def market(records: Records, tmp_path: Path) -> Market:
    return Market(records, tmp_path)


def fill(market: Market) -> tuple[Listing, Listing]:
    """Two clients with room for two clicks each; of each three clicks, the last of them with an
    apply. What is listed of both.
    """
    publisher_no, listings = market.publisher(), []
    for name in ("sound", "ailing"):
        client_no = market.client(name, caps=Caps(budget=Cap("Monthly", 2 * MICROS)))
        listing = market.listing(client_no=client_no, publisher_no=publisher_no)
        for n in range(3):
            click = market.clicked(listing, at=START + n)
        market.converted(click, at=START + MINUTE)
        listings.append(listing)
    return listings[0], listings[1]


def ail(market: Market, client_no: int, value: int) -> None:
    """A counter of a client as no booking leaves it; or as one does."""
    with market.records.write() as tx:
        key = CounterKey("client", f"{client_no}", "budget", "D2026-11-10")
        where = f"client_no = {client_no} AND scope = 'client'"
        tx.run_text(f"UPDATE counters SET budget_units = 0, budget_micros = 0 WHERE {where}", {})
        if value:
            counter_rows.correct_counters(tx, client_no, {key: value})


def told(market: Market) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for line in market.ledger():
        found.setdefault(line["clientId"], []).append(line["disposition"])
    return {client: sorted(some) for client, some in found.items()}


ALL = sorted(["valid", "valid", "over_cap", "counted"])


def test_others_are_judged_and_it_follows_when_it_can(market: Market) -> None:
    other, listing = fill(market)
    sound, ailing = other.client_no, listing.client_no
    ail(market, ailing, -1)
    assert told_after(market) == {"sound": ALL}
    with market.records.read() as tx:
        (one,) = asides.every(tx)
        assert (one.client_no, asides.counts(tx)) == (ailing, {ailing: 4})
        assert "a counter is never negative" in one.reason
        assert marks.judged_at(tx, ailing) < marks.judged_at(tx, sound)
    faults = check(market.records, market.blobs, market.scratch).faults
    assert [fault for fault in faults if fault.startswith(f"client {ailing}: 4 events")]
    # What comes later waits behind it; it is tried again each hour.
    market.clock.forward(HOUR + MINUTE)
    assert told_after(market) == {"sound": ALL}
    ail(market, ailing, 0)
    market.clicked(listing, at=market.clock.now())
    assert told_after(market) == {"sound": ALL}
    market.clock.forward(HOUR)
    assert told_after(market) == {"sound": ALL, "ailing": sorted([*ALL, "over_cap"])}
    assert check(market.records, market.blobs, market.scratch).faults == []
    with market.records.read() as tx:
        assert (asides.every(tx), asides.counts(tx)) == ([], {})


def told_after(market: Market) -> dict[str, list[str]]:
    """What the ledger says after all that can be judged is."""
    one, idle = market.judge(), 0
    while idle < 3:
        idle = 0 if one.step() else idle + 1
    return told(market)


def test_a_conversion_waits_for_a_click_that_is_set_aside(market: Market) -> None:
    _, listing = fill(market)
    ailing = listing.client_no
    late, event = market.click(listing, at=START)
    market.converted(late, 2, at=START)
    assert told_after(market)["ailing"] == ALL
    ail(market, ailing, -1)
    market.journal.add([event])
    told_after(market)
    market.clock.forward(2 * DAY)
    told_after(market)
    ail(market, ailing, 2 * MICROS)
    market.clock.forward(HOUR)
    assert told_after(market)["ailing"] == sorted([*ALL, "over_cap", "counted"])


def test_what_is_taken_back_is_taken_in_parts(
    market: Market, monkeypatch: pytest.MonkeyPatch
) -> None:
    listings = fill(market)
    ailing = listings[1].client_no
    ail(market, ailing, -1)
    told_after(market)
    ail(market, ailing, 0)
    monkeypatch.setattr(gathering, "_MOST_TAKEN_BACK", 3)
    market.clock.forward(HOUR)
    for listing in listings:
        market.clicked(listing, at=START)
    assert told_after(market) == dict.fromkeys(("sound", "ailing"), sorted([*ALL, "over_cap"]))
    assert check(market.records, market.blobs, market.scratch).faults == []


def test_a_fault_that_is_too_many_clients_ends_the_judge(
    market: Market, monkeypatch: pytest.MonkeyPatch
) -> None:
    ail(market, fill(market)[1].client_no, -1)
    monkeypatch.setattr(judge, "MOST_ASIDE", 0)
    with pytest.raises(AssertionError, match="never negative"):
        market.judge().step()
    with market.records.read() as tx:
        assert asides.every(tx) == []


STATEMENTS = {"set": 2, "kept": 32, "taken back": 33}
"""What the judge's steps run that set a client aside, keep what comes of it, and take it back."""


@pytest.mark.parametrize(
    ("part", "at"),
    [(part, at) for part, last in STATEMENTS.items() for at in (0, *range(1, last + 1), -1)],
)
def test_cut_at_any_statement(sqlite_records: Records, tmp_path: Path, part: str, at: int) -> None:
    """Wherever the judge dies, all is booked once and within its caps. At 0: nowhere."""
    market = Market(sqlite_records, tmp_path)
    ailing = fill(market)[1].client_no
    ail(market, ailing, -1)
    if part != "set":
        market.judge().step()
    if part == "taken back":
        told_after(market)
        ail(market, ailing, 0)
        market.clock.forward(HOUR)
    records = CutRecords(market.records, at, cut)
    one = market.judge(records=records)
    records.armed = True
    with pytest.raises(Cut) if at else nullcontext():
        one.step()
    if not at:
        assert records.statements == STATEMENTS[part]
    if part != "taken back":
        ail(market, ailing, 0)
    market.clock.forward(HOUR)
    assert told_after(market) == {"sound": ALL, "ailing": ALL}
    assert check(market.records, market.blobs, market.scratch).faults == []
