"""A month of a paced budget: control, judge and caps as they are, over a clock that is put forward.

Publishers take what is decided at their own pace, and visitors click on what these show. What is
true of them here (demand, elasticity, when they fetch) the system only sees.
"""

import math
from dataclasses import dataclass
from datetime import UTC
from pathlib import Path

import msgspec
import pytest

from handbill.clients import service as clients
from handbill.control import rows, service
from handbill.core.charging import CounterKey, summed
from handbill.core.nouns import Cap, Caps, GroupBody, Placement
from handbill.core.received import ReceivedClick, ReceivedFetch
from handbill.host.ids import Chance, seeded
from handbill.kit.instants import DAY, HOUR, Instant, instant_of_iso
from handbill.kit.zones import day_of
from handbill.ledger.checking import check
from handbill.ledger.counter_rows import counters_of
from handbill.listings import copies
from handbill.listings.rows import file_of
from handbill.listings.service import ALL_CLIENTS, ensure_file
from handbill.standing import service as standing
from handbill.store.records import Records
from handbill.store.records.tables import groups, matches
from market import Market, put_job

MONTH = instant_of_iso("2027-02-01T00:00:00Z")
"""The first, a Monday, of a month of four whole weeks."""
MICROS = 1_000_000
CEILING_PPM = 1_200_000
BID, VALUE = 500_000, 280 * MICROS
JOBS, STEP_HOURS = 20, 2
ELASTICITY, DAY_NOISE = 1.2, 0.2
WEEKDAYS = (1.12, 1.16, 1.12, 1.06, 0.96, 0.72, 0.86)
BOARDS = {"Fast": (2, 20.0), "Slow": (6, 18.0), "Day": (24, 14.0)}
"""Hours between fetches, and clicks of an average day at the full bids: 1.3 times the budget."""


@dataclass
class Board:
    """A publisher, and what it shows until it fetches again."""

    no: int
    file: str
    hours: int
    clicks: float
    due_at: Instant
    bid_micros: int = 0
    part: float = 0.0
    today: float = 0.0
    owed: float = 0.0


class Month:
    def __init__(self, market: Market, cap: Cap) -> None:
        self.market, self.chance = market, seeded("control/month")
        market.clock.at = MONTH
        client_no = market.client(caps=Caps(budget=Cap("Monthly", 10_000 * MICROS)))
        campaign_no = market.campaign(client_no)
        body = GroupBody(
            "g1",
            cpc_bid_micros=BID,
            placements=[Placement(name) for name in BOARDS],
            caps=Caps(budget=cap),
        )
        self.group_no = market.group(client_no, campaign_no)
        market.change(groups, self.group_no, body, at=MONTH)
        self.boards = [self._board(name, *of) for name, of in BOARDS.items()]
        self.listing = market.listing(
            client_no=client_no,
            campaign_no=campaign_no,
            group_no=self.group_no,
            publisher_no=self.boards[0].no,
        )
        self.jobs = [bytes((number + 1,)) * 16 for number in range(JOBS)]
        with market.records.write() as tx:
            for job in self.jobs:
                no = put_job(tx, client_no, job, url="https://jobs.example")
                tx.put(matches, job_no=no, client_no=client_no, group_no=self.group_no)
        self.judge = market.judge()
        self.bids: set[int] = set()

    def _board(self, name: str, hours: int, clicks: float) -> Board:
        no = self.market.publisher(name)
        with self.market.records.write() as tx:
            ensure_file(tx, self.market.ids, no, MONTH)
            file = file_of(tx, no, ALL_CLIENTS)
        assert file is not None
        return Board(no, f"{file.name}", hours, clicks, MONTH + hours // 2 * HOUR)

    def live(self, days: int) -> None:
        for hour in range(0, days * 24, STEP_HOURS):
            now = self.market.clock.now()
            if hour % 24 == 0:
                for board in self.boards:
                    board.today = board.clicks * noise(self.chance, DAY_NOISE)
            self.tick()
            events: list[ReceivedClick] = []
            for board in self.boards:
                if board.due_at <= now:
                    self._fetch(board, now)
                events += self._clicks(board, now)
            if events:
                self.market.journal.add(sorted(events, key=lambda event: event.at))
            self.market.clock.forward(STEP_HOURS * HOUR)
            while self.judge.step():
                pass
        self.tick()

    def tick(self) -> bool:
        with self.market.records.read() as tx:
            found = clients.client_at_work(tx, "c1")
        assert found is not None
        now = self.market.clock.now()
        return service.tick(self.market.records, found[0], now, CEILING_PPM)

    def _fetch(self, board: Board, now: Instant) -> None:
        """What stands in its file now, as listings would write it."""
        board.due_at = now + board.hours * HOUR
        key = (self.group_no, board.no)
        with self.market.records.write() as tx:
            force = standing.in_force(tx, self.listing.client_no)
            copies.note(
                tx,
                [ReceivedFetch(at=now, name=board.file, version=now, status=200, reader="board/1")],
            )
        paced = force.paced[key]
        is_out = ("placement", f"{key[0]}/{key[1]}") in force.stopped
        board.bid_micros = paced.bid_micros
        board.part = 0.0 if is_out else paced.jobs / paced.matching
        self.bids.add(paced.bid_micros)

    def _clicks(self, board: Board, now: Instant) -> list[ReceivedClick]:
        if not board.part:
            return []
        hour = now // HOUR % 24 + STEP_HOURS / 2
        part = STEP_HOURS * (1 + math.sin((hour - 6) / 12 * math.pi)) / 24
        weekday = WEEKDAYS[day_of(now, UTC).weekday()]
        let = (board.bid_micros / BID) ** ELASTICITY * board.part
        board.owed += board.today * part * weekday * let * self.chance.uniform(0.5, 1.5)
        count, board.owed = int(board.owed), board.owed % 1
        found = []
        for _ in range(count):
            listing = msgspec.structs.replace(
                self.listing,
                publisher_no=board.no,
                job_id=self.chance.choice(self.jobs),
                bid_micros=board.bid_micros,
                price_micros=board.bid_micros,
            )
            at = now + self.chance.randrange(STEP_HOURS * HOUR)
            found.append(self.market.click(listing, at=at)[1])
        return found

    def used(self) -> dict[str, int]:
        """Of the job group's budget, by period."""
        with self.market.records.read() as tx:
            every = counters_of(tx, self.listing.client_no)
        key = CounterKey("group", f"{self.group_no}", "budget", "")
        own = {at: used for at, used in every.items() if at[:3] == key[:3]}
        asked = [key._replace(period=at) for at in ("M2027-02", *(at.period for at in own))]
        return {at.period: used for at, used in summed(own, asked).items()}


def noise(chance: Chance, sigma: float) -> float:
    return math.exp(chance.gauss(-sigma * sigma / 2, sigma))


@pytest.fixture
def market(sqlite_records: Records, tmp_path: Path) -> Market:
    return Market(sqlite_records, tmp_path)


def test_a_paced_month_is_used_up_and_no_day_takes_too_much(market: Market) -> None:
    month = Month(market, Cap("Monthly", VALUE, pacing=True))
    month.live(14)
    half = month.used()["M2027-02"]
    assert 0.45 * VALUE <= half <= 0.55 * VALUE, "half of the month takes half of the budget"
    month.live(14)
    used = month.used()
    assert 0.99 * VALUE <= used["M2027-02"] <= VALUE, "the month is used up, and never passed"
    with market.records.read() as tx:
        ceilings = standing.ceilings_of(tx, month.listing.client_no)
        found = rows.logged(tx, month.group_no, [month.boards[0].no], MONTH, MONTH + 29 * DAY)
        noted = tx.run_text("SELECT sum(unbilled_micros), sum(spend_micros) FROM control_days", {})[
            0
        ]
    log = [line for _, line in found]
    most = {one.day_on: one.most for one in ceilings if one.scope == "group"}
    by_day = {key[1:]: amount for key, amount in used.items() if key.startswith("D")}
    assert len(by_day) == 28
    assert [day for day, amount in by_day.items() if amount > most[day]] == []
    assert len(month.bids) > 3, "bids were lowered, and raised"
    assert len(log) > 10
    assert all(one.line.is_true for one in log), "each is worked out again from itself"
    assert sum(one.version is not None for one in log) >= len(log) - 2
    ((unbilled, spend),) = noted
    assert unbilled <= 0.03 * VALUE, "hardly anybody works for nothing"
    assert spend == used["M2027-02"]
    books = check(market.records, market.blobs, market.scratch)
    assert books.faults == []


def test_a_tick_that_finds_nothing_new_writes_nothing_and_waits_for_its_clock(
    market: Market,
) -> None:
    month = Month(market, Cap("Monthly", VALUE, pacing=True))
    assert month.tick() is False, "all bids are as they are set"
    with market.records.read() as tx:
        before = standing.paced_of(tx, month.listing.client_no)
        was = standing.evaluation_of(tx, month.listing.client_no)
    assert len(before) == len(BOARDS)
    assert month.tick() is False
    market.clock.forward(-HOUR)
    assert month.tick() is False
    with market.records.read() as tx:
        assert standing.paced_of(tx, month.listing.client_no) == before
        now = standing.evaluation_of(tx, month.listing.client_no)
    assert (now.number, now.evaluated_at) == (was.number + 1, was.evaluated_at)
