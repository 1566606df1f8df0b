"""What a posting costs, from its purchase to the ledger: each day once, to the micro."""

from collections import defaultdict
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from handbill.clients.service import clients_by_number
from handbill.contract.postings.models import NewPosting, PostingChange
from handbill.core.metrics import finished_as
from handbill.core.nouns import Cap, Caps
from handbill.core.postings import Posting
from handbill.kit.instants import DAY, HOUR, Instant, iso_of
from handbill.ledger.checking import check
from handbill.ledger.daily_sums import EVERY
from handbill.ledger.judge import Outrun
from handbill.postings import service
from handbill.publishers.service import publishers_by_number
from handbill.stats.overviews import overview
from handbill.store.records import Records
from market import START, Market
from rooms.test_ledger_crash import Cut, CutRecords, cut

BOUGHT = {
    "cost": 100,
    "startDate": "2026-11-10T09:00:00+0000",
    "endDate": "2026-11-12T08:00:00+0000",
    "availableCount": 2,
    "rotateFreqInDays": 5,
}


class Stand:
    """A client, a publisher that sells postings, and what was bought there."""

    def __init__(self, records: Records, folder: Path) -> None:
        self.market = Market(records, folder)
        self.publisher_no = self.market.publisher("Slots", "PPP")
        self.client_no = self.market.client()

    @property
    def now(self) -> Instant:
        return self.market.clock.now()

    def buy(self, **bought: Any) -> str:
        faults: list[Any] = []
        said = NewPosting.read(BOUGHT | bought, "", faults)
        assert not faults
        with self.market.records.write() as tx:
            client = clients_by_number(tx, [self.client_no])[self.client_no]
            publisher = publishers_by_number(tx, [self.publisher_no])[self.publisher_no]
            return service.create(tx, self.market.ids, self.now, client, publisher, **said.given())

    def change(self, config_id: str, **given: Any) -> None:
        faults: list[Any] = []
        changes = PostingChange.read(given, "", faults).given()
        assert not faults
        with self.market.records.write() as tx:
            client = clients_by_number(tx, [self.client_no])[self.client_no]
            service.update(tx, self.now, client, self._posting(tx, config_id), changes)

    def delete(self, config_id: str) -> None:
        with self.market.records.write() as tx:
            client = clients_by_number(tx, [self.client_no])[self.client_no]
            service.delete(tx, self.now, client, self._posting(tx, config_id))

    def _posting(self, tx: Any, config_id: str) -> Posting:
        client = clients_by_number(tx, [self.client_no])[self.client_no]
        return service.posting_of(tx, client, config_id, None)

    def spent(self) -> dict[tuple[str, str], int]:
        """What is booked by now, by client and instant; the books balance."""
        found: dict[tuple[str, str], int] = defaultdict(int)
        for line in self.market.judged():
            if line["kind"] == "POSTING":
                assert line["chargeMicros"] == line["spendMicros"] > 0
                assert line["publisherId"] == "Slots"
                assert line["disposition"] == "counted"
                found[line["clientId"], line["at"]] += line["spendMicros"]
        books = check(self.market.records, self.market.blobs, self.market.scratch)
        assert books.faults == []
        return dict(found)


@pytest.fixture
def stand(records: Records, tmp_path: Path) -> Stand:
    return Stand(records, tmp_path)


def day(number: int, hour: int = 0) -> str:
    return iso_of(START - 12 * HOUR + number * DAY + hour * HOUR)


def test_each_day_is_booked_once_when_it_has_begun(stand: Stand) -> None:
    stand.buy()
    assert stand.spent() == {("c1", day(0)): 33_333_333}
    assert stand.spent() == {("c1", day(0)): 33_333_333}
    stand.market.clock.forward(12 * HOUR - 1)
    assert len(stand.spent()) == 1
    stand.market.clock.forward(1)
    assert len(stand.spent()) == 2
    stand.market.clock.forward(10 * DAY)
    found = stand.spent()
    assert found == {
        ("c1", day(0)): 33_333_333,
        ("c1", day(1)): 33_333_333,
        ("c1", day(2)): 33_333_334,
    }
    assert sum(found.values()) == 100_000_000


def test_what_was_bought_is_spent_and_not_used_of_a_budget(stand: Stand) -> None:
    stand.buy()
    stand.spent()
    with stand.market.records.read() as tx:
        client = clients_by_number(tx, [stand.client_no])[stand.client_no]
        found = overview(tx, client.agency_no, [1], EVERY, 0, 50, stand.now)
    assert finished_as("spent")(found.spans[0].total) == Decimal("33.333333")
    assert (found.month.used, found.month.projected) == (0, 0)


def test_a_purchase_that_is_still_to_come_waits(stand: Stand) -> None:
    stand.buy(startDate="2026-11-12T00:00:00+0000", endDate="2026-11-12T23:00:00+0000")
    assert stand.spent() == {}
    stand.market.clock.forward(DAY + 12 * HOUR)
    assert stand.spent() == {("c1", day(2)): 100_000_000}


def test_past_days_are_booked_on_their_own_days_and_in_parts(stand: Stand) -> None:
    stand.buy(startDate="2026-11-01T00:00:00+0000", endDate="2026-11-10T00:00:00+0000")
    found = stand.spent()
    assert set(found) == {("c1", day(number)) for number in range(-9, 0)}, "it ends as day 0 begins"
    assert sum(found.values()) == 100_000_000
    assert max(found.values()) - min(found.values()) <= 1


def test_clients_share_a_day_which_begins_in_the_zone_of_each(stand: Stand) -> None:
    stand.market.client("west", zone="America/New_York")
    stand.market.client("east", zone="Asia/Kolkata")
    stand.buy(clientIds=["west", "east"])
    assert stand.spent() == {
        ("c1", day(0)): 11_111_111,
        ("west", day(0, 5)): 11_111_111,
        ("east", iso_of(START - 17 * HOUR - HOUR // 2)): 11_111_111,
    }
    stand.market.clock.forward(12 * HOUR)
    assert len(stand.spent()) == 3, "it is still yesterday in New York"
    stand.market.clock.forward(100 * DAY)
    assert sum(stand.spent().values()) == 100_000_000


def test_who_has_jobs_posted_pays(stand: Stand) -> None:
    other_no = stand.market.client("c2")
    stand.buy(clientIds=["c2"])
    stand.market.job(other_no, b"j" * 16)
    with stand.market.records.write() as tx:
        tx.run_text(
            "INSERT INTO posting_jobs (id, config_no, client_no, job_no, posted, pinned, paused, "
            f"times, waiting_at, created_at, updated_at) VALUES ('p', 1, {other_no}, 1, 1, 0, 0, "
            "1, 1, 1, 1)",
            {},
        )
    assert stand.spent() == {("c2", day(0)): 33_333_333}


def test_what_is_changed_still_sums_up(stand: Stand) -> None:
    config_id = stand.buy()
    stand.spent()
    stand.change(config_id, cost=50, endDate="2026-11-11T08:00:00+0000")
    stand.market.clock.forward(DAY)
    assert list(stand.spent().values()) == [33_333_333, 16_666_667]
    stand.change(config_id, cost=10)
    stand.market.clock.forward(DAY)
    assert sum(stand.spent().values()) == 50_000_000, "nothing is given back"
    stand.change(config_id, cost=60)
    found = stand.spent()
    assert found["c1", day(2)] == 10_000_000, "what is owed after the end falls on today"
    assert sum(found.values()) == 60_000_000


def test_a_deleted_purchase_costs_up_to_that_day(stand: Stand) -> None:
    config_id = stand.buy()
    stand.market.clock.forward(DAY)
    stand.delete(config_id)
    stand.market.clock.forward(DAY)
    assert len(stand.spent()) == 2


def test_it_uses_no_room_of_caps_and_asks_for_none(stand: Stand) -> None:
    market = stand.market
    caps = Caps(budget=Cap("Lifetime", 1_000_000))
    stand.client_no = market.client("capped", caps=caps)
    stand.buy()
    assert len(stand.spent()) == 1
    market.clicked(market.listing(client_no=stand.client_no, publisher_no=stand.publisher_no))
    clicks = [line for line in market.judged() if line["kind"] == "CLICK"]
    assert [line["disposition"] for line in clicks] == ["valid"]
    stand.spent()


def test_a_purchase_for_nothing_books_nothing(stand: Stand) -> None:
    stand.buy(cost=0)
    stand.market.clock.forward(10 * DAY)
    assert stand.spent() == {}


@pytest.mark.parametrize("at", [*range(1, 9), -1])
def test_a_judge_that_dies_books_each_day_once(stand: Stand, at: int) -> None:
    stand.buy()
    stand.buy(cost=1)
    stand.market.clock.forward(DAY)
    records = CutRecords(stand.market.records, at, cut)
    judge = stand.market.judge(records=records)
    records.armed = True
    with pytest.raises(Cut):
        judge.step()
    assert sum(stand.spent().values()) == 66_666_666 + 666_666


def test_a_purchase_that_changes_while_it_is_judged_is_judged_again(stand: Stand) -> None:
    config_id = stand.buy()
    judge = stand.market.judge()
    batch = judge._read()
    added = judge._judged(batch)
    written = judge._write(batch, added)
    stand.market.clock.forward(HOUR)
    stand.change(config_id, cost=10)
    with pytest.raises(Outrun), stand.market.records.write() as tx:
        judge._book(tx, batch, added, written)
    judge._discard(written)
    assert stand.spent() == {("c1", day(0)): 3_333_333}


def test_a_closed_month_does_not_move(stand: Stand) -> None:
    """Entered on 10 November: September and October are closed, in Kathmandu and in UTC alike."""
    stand.market.client("nepal", zone="UTC+5:45")
    stand.buy(
        clientIds=["nepal"],
        startDate="2026-09-29T00:00:00+0000",
        endDate="2026-11-02T12:00:00+0000",
    )
    opened = {"c1": "2026-11-01T00:00:00.000Z", "nepal": "2026-10-31T18:15:00.000Z"}
    sums: dict[tuple[str, str], int] = defaultdict(int)
    reasons: dict[str, list[str | None]] = defaultdict(list)
    for line in stand.market.judged():
        sums[line["clientId"], line["at"]] += line["spendMicros"]
        if line["at"] == opened[line["clientId"]]:
            reasons[line["clientId"]].append(line["reason"])
    assert sum(sums.values()) == 100_000_000
    assert len(sums) == 4, "the first of November with all that came before, and the second"
    late = [f"closed_month:2026-09-{day}" for day in (29, 30)]
    late += [f"closed_month:2026-10-{day:02}" for day in range(1, 32)]
    for client in opened:
        assert sorted(reasons[client], key=str) == sorted([*late, None], key=str)
    stand.spent()
