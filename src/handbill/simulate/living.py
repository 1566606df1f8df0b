"""The months of a simulation: days of steps, in each of which everything happens that was drawn.

The same seed gives the same bytes of rows and files. Whatever does not hold ends it (Broken).
"""

from collections.abc import Callable, Iterator, Mapping
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path
from typing import NamedTuple

from handbill.access.service import create_agency
from handbill.host.clock import SetClock
from handbill.host.garbage import spare_what_stays
from handbill.host.ids import SeededIds, seeded
from handbill.host.outside import Outside
from handbill.host.settings import Settings
from handbill.kit.digests import digest_of
from handbill.kit.instants import DAY, HOUR, MINUTE, Instant, instant_of, iso_of
from handbill.simulate.asking import Asker
from handbill.simulate.edits import Edits
from handbill.simulate.facts import OfDay
from handbill.simulate.house import EDGES, House
from handbill.simulate.purchases import Purchases
from handbill.simulate.rulebook import Rulebook
from handbill.simulate.ruled import Ruled
from handbill.simulate.sites import AILMENTS, Careers, Sites
from handbill.simulate.trade import Trade
from handbill.simulate.truth import Broken, Truth
from handbill.simulate.visitors import Comers
from handbill.store.records.owners import OWNERS

FIRST = instant_of(datetime(2026, 10, 12, tzinfo=UTC))
"""A Monday. In the weeks after it, Europe and America set clocks back, and a month ends."""
CLICKS_OF_PUBLISHER = 420
JOBS = 24
_ENDS = 0.5
_MOST_BACK = 3 * HOUR
"""How far a clock may be set back."""


_DONE = frozenset(
    table
    for room in ("changes", "control", "ledger", "postings", "rates", "rules", "standing")
    for table in OWNERS[room]
) | {"journal_marks", "segment_clients", "segments"}
"""Tables of what was booked, decided and done, which a clock that is set back leaves as it is."""


class Size(NamedTuple):
    """How much of a market is simulated. ``clicks``: of a day, about; ``step``: the time between
    two checks of what must hold. ``steady``: nothing is ever restarted or cut. ``rules``: clients
    have rules. ``purchases``: slots are bought for their jobs.
    """

    days: int
    publishers: int
    clients: int = 2
    clicks: int = 0
    jobs: int = JOBS
    step: Instant = HOUR
    steady: bool = False
    rules: bool = False
    purchases: bool = False

    @property
    def daily(self) -> float:
        return self.clicks or self.publishers * CLICKS_OF_PUBLISHER


class SimulatedLife:
    """One simulation in an empty folder."""

    def __init__(self, folder: Path, size: Size, seed: int) -> None:
        self.size = size
        self.clock = SetClock(FIRST)
        self._chance = seeded(f"{seed}/deeds")
        self._sites: dict[str, Careers] = {}
        outside = Outside(self.clock, SeededIds(seed))
        settings = Settings(data=str(folder), ip_mode="truncated")
        self.house = House(settings, outside, Sites(self._sites))
        with self.house.tools.records.write() as tx:
            _, key, api_client_id = create_agency(
                tx, outside.ids, FIRST, agency_id="simulated", name="Simulated", currency="USD"
            )
        agency = Asker(key, api_client_id)
        chance = seeded(f"{seed}/trade")
        self.trade = Trade(self.house, agency, chance, self._sites, size.daily)
        self.trade.within = max(self.trade.within, size.step)
        self._edits = Edits(self.trade, chance)
        self.house.run(self.trade.set_up(size.clients, size.publishers, size.jobs, size.days))
        self.public = Comers(self.trade, seeded(f"{seed}/public"), size.daily)
        self.rulebook = Rulebook(self.trade, seeded(f"{seed}/rulebook"), size.days, size.daily)
        self.ruled = Ruled(self.rulebook, self.trade, seeded(f"{seed}/ruled"), size.step)
        self.purchases = Purchases(self.trade, self.public, seeded(f"{seed}/purchases"))
        if size.purchases:
            self.house.run(self.purchases.set_up())
        self.truth = Truth(self.house, self.trade, self.public, self.ruled, self.purchases)
        self._cut: tuple[int, bool] | None = None
        if size.rules:
            self.house.run(self.rulebook.set_up())

    def days(self) -> Iterator[OfDay]:
        """Each day, once it is over. **Refuses** (Broken) what does not hold."""
        for count, _ in enumerate(self.steps(), 1):
            if count % (DAY // self.size.step) == 0:
                day = iso_of(self.clock.now() - 1)[:10]
                self.truth.end_day(day)
                yield self.truth.days[day]
        self.truth.end()

    def steps(self) -> Iterator[None]:
        """Each step, once it is over and checked."""
        count = DAY // self.size.step
        for _ in range(self.size.days):
            deeds = self._deeds_of_day(count)
            for step in range(count):
                for deed in deeds.get(step, ()):
                    deed()
                self._step()
                yield

    def close(self) -> None:
        self.truth.close()
        self.house.close()

    def _step(self) -> None:
        until = self.clock.now() + self.size.step
        self.house.run(self.public.live(until, self._forward))
        self.house.judge()  # first, so that rules see what has come
        self.house.run(self.ruled.ask_ahead())
        self._work()
        self.truth.look()

    def _work(self) -> None:
        if self._cut is None:
            self.house.work()
            return
        changes, kept = self._cut
        self._cut = None
        self.house.cut_worker(changes, kept=kept)

    def _forward(self, at: Instant) -> None:
        self.clock.at = max(self.clock.at, at)

    def _deeds_of_day(self, steps: int) -> dict[int, list[Callable[[], object]]]:
        """What is done at which step: edits, broken feeds, restarts."""
        chance, deeds = self._chance, dict[int, list[Callable[[], object]]]()

        def at(deed: Callable[[], object]) -> None:
            deeds.setdefault(chance.randrange(steps), []).append(deed)

        for careers in self._sites.values():
            ailing = chance.random() < 0.1  # for the whole day
            careers.ails = chance.choice(AILMENTS) if ailing else ""
        for _ in range(len(self.trade.employers)):
            at(lambda: self.house.run(self._edits.edit()))
        at(lambda: self.house.run(self._edits.set_rate()))
        for step in self.purchases.steps(steps) if self.size.purchases else ():
            deeds.setdefault(step, []).append(lambda: self.house.run(self.purchases.deal()))
        if self.size.rules:
            for _ in range(2 * len(self.trade.employers)):
                at(lambda: self.house.run(self.rulebook.edit()))
        ends = self._ends()
        for end in ends:
            if chance.random() < _ENDS:
                at(end)
        return deeds

    def _ends(self) -> list[Callable[[], object]]:
        """How parts end and start again. Where nothing ends, they work at the same instants."""
        chance, house = self._chance, self.house
        changes, edge = 1 + chance.randrange(8), chance.randrange(EDGES)
        of_judge, of_worker = chance.random() < _ENDS, chance.random() < _ENDS
        back = MINUTE + chance.randrange(_MOST_BACK)
        if self.size.steady:
            return [house.judge, *[lambda: None] * 4, house.judge]

        def cut_next() -> None:
            self._cut = changes, of_worker

        return [
            lambda: house.cut_judge(1, kept=of_judge),
            cut_next,
            lambda: house.restart_edge(edge),
            house.restart_api,
            house.restart,
            lambda: self.set_back(back),
        ]

    def set_back(self, by: Instant) -> None:
        """The machine's clock is wrong for a while. **Refuses** (Broken) if anything is undone, or
        done again.
        """
        if self.clock.now() == FIRST:  # nothing is done yet
            return
        self.house.judge()  # what has come: to a clock that is behind, its stamps are of the future
        now = self.clock.now()
        self.clock.at -= by
        changed = self.house.changes(self._work_again, _DONE)
        self.clock.at = now
        if changed:
            raise Broken(f"{iso_of(now)}: with a clock set back, these changed: {changed}")

    def _work_again(self) -> None:
        self.house.judge()
        self.house.work()


class Lived(NamedTuple):
    """A simulation that is over. ``digest``: of all rows and files that it left. ``firings``: how
    many firings of rules were held against back-tests, by what came of it. ``bids``: how many
    logged bids were decided again. ``purchases``: what was checked of them (``Purchases.counts``).
    """

    days: list[OfDay]
    digest: str
    firings: Mapping[str, int]
    bids: int
    purchases: Mapping[str, int]


def lived(folder: Path, size: Size, seed: int, told: Callable[[OfDay], object]) -> Lived:
    """All days, each reported when it is over. **Refuses** (Broken) what does not hold."""
    days = []
    with closing(SimulatedLife(folder, size, seed)) as life:
        spare_what_stays()
        for day in life.days():
            told(day)
            days.append(day)
        kept = life.house.kept()
    return Lived(
        days,
        digest_of(sorted(kept.items())).hex(),
        life.ruled.firings,
        life.truth.bids.count,
        life.purchases.counts,
    )
