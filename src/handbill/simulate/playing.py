"""Plays a market: copies are decided on at each fetch, clicks come from them and are charged.

Time passes in quarter hours. A click costs the bid that was frozen in the copy it came from; it is
charged if every cap has room for all of it, by the ledger's own ``Till``, else it is unbilled.
"""

from collections.abc import Sequence
from datetime import UTC, date, timedelta

from handbill.core.charging import CounterKey, EventUse, Limit, Place
from handbill.core.pacing.bids import BidLine, Inputs, decided
from handbill.core.pacing.caps import CapMark, Days, mark_of
from handbill.core.pacing.copies import next_fetch, rhythm_of
from handbill.core.pacing.curves import (
    KEEP,
    OF_DAY,
    TrafficShape,
    come_by,
    curve_of,
    day_weights,
    learned,
    shape_of,
    with_day,
)
from handbill.core.pacing.demand import ELASTICITY_PPM, clicks_let, guessed, next_day, seen
from handbill.core.pacing.plans import CapInputs
from handbill.core.pacing.streams import ClickStream, ahead_of, life_of
from handbill.core.spending import Spending, Till
from handbill.host.ids import seeded
from handbill.kit.instants import HOUR, Instant
from handbill.kit.money import PPM
from handbill.kit.zones import QUARTER, period_key, start_of
from handbill.simulate.market import CENT, MarketGroup, MarketRow, groups, noise, poisson, shapes
from handbill.simulate.played import Day, GroupCopy, Played

FIRST_DAY = date(2027, 2, 1)
"""A Monday, and the first of a month of four whole weeks."""
SEEN_BEFORE = 3_000
"""Clicks of a day at each publisher, from which its shape is known when the market begins."""
SEEN_DAYS = 1 / (1 - KEEP)
LEAST_LET = 20_000
SHAPE_CLICKS = 2_000.0
"""How many clicks give a publisher's own shape the same weight as the common one."""


class Market:
    """One market of a seed, and what the decisions know of it."""

    def __init__(self, world: MarketRow, count: int, seed: int, *, log: bool = False) -> None:
        self.world, self.log = world, log
        self.chance = seeded(f"{seed}/{world.name}")
        self.groups = groups(self.chance, world, count)
        places = len(world.rhythms)
        self.truth = shapes(self.chance, places)
        self.seen = [
            [
                poisson(self.chance, weight * SEEN_BEFORE) * SEEN_DAYS / SEEN_BEFORE
                for weight in shape.weights
            ]
            for shape in self.truth
        ]
        self.played = Played(world, self.groups)
        self.believed: list[TrafficShape] = []
        self.usual = [float(SEEN_BEFORE)] * places
        self.learn()
        self.live = [GroupTrade(self, group) for group in self.groups]

    def learn(self) -> None:
        """The shapes as seen until now, each shrunk towards the common one."""
        shared = shape_of([sum(column) for column in zip(*self.seen, strict=True)])
        self.believed = [
            learned(one, shared, SHAPE_CLICKS / max(1.0, usual))
            for one, usual in zip(self.seen, self.usual, strict=True)
        ]

    def play(self) -> Played:
        for number in range(self.world.days):
            day = FIRST_DAY + timedelta(days=number)
            self.today = [curve_of(shape, day, UTC) for shape in self.believed]
            self.tomorrow = [
                curve_of(shape, day + timedelta(days=1), UTC) for shape in self.believed
            ]
            places = range(len(self.truth))
            self.clicks = [[0.0] * OF_DAY for _ in places]
            self.usual = [sum(trade.demand[at].usual for trade in self.live) for at in places]
            for trade in self.live:
                trade.play(number, day)
            self.seen = [
                with_day(one, day, clicks, usual)
                for one, clicks, usual in zip(self.seen, self.clicks, self.usual, strict=True)
            ]
            self.learn()
        return self.played


class GroupTrade:
    """A job group at its publishers."""

    def __init__(self, market: Market, group: MarketGroup) -> None:
        self.market, self.group, self.chance = market, group, market.chance
        cap = market.world.cap
        whole = group.value_micros * (market.world.days if cap.period == "Monthly" else 1)
        self.cap = type(cap)(cap.period, whole, cap.pacing, cap.threshold_ppm)
        self.used: dict[CounterKey, int] = {}
        self.levels = [one.clicks for one in group.publishers]
        self.demand = [guessed(one.guess) for one in group.publishers]
        self.copies = [self._first(place) for place in range(len(group.publishers))]
        self.till = Till([], [0, 0, 0])
        self.mark: CapMark
        self.number = 0

    def _first(self, place: int) -> GroupCopy:
        """Nobody holds a copy when the market begins."""
        one = self.group.publishers[place]
        rhythm = one.rhythm_hours * HOUR
        first = start_of(FIRST_DAY, UTC)
        due_at = first + one.first_quarter * QUARTER
        times = [due_at - back * rhythm for back in (3, 2, 1)]
        if self.market.world.irregular:
            times = []
        return GroupCopy(
            bid_micros=0,
            listed_ppm=0,
            let_ppm=0,
            clicks_ppm=0,
            start_ppm=0,
            since=first,
            rhythm=rhythm,
            due_at=due_at,
            times=times,
            fetched_at=times[-1] if times else first,
        )

    def play(self, number: int, day: date) -> None:
        self.number, start = number, start_of(day, UTC)
        self._open(number, day)
        drifted = [noise(self.chance, self.market.world.drift) for _ in self.levels]
        self.levels = [level * by for level, by in zip(self.levels, drifted, strict=True)]
        today = [level * noise(self.chance, self.market.world.day_noise) for level in self.levels]
        self.today = today
        first = day.weekday() * OF_DAY
        truth = [shape.weights[first : first + OF_DAY] for shape in self.market.truth]
        result = Day(
            group=self.group.no,
            day=number,
            share=self.mark.share,
            most=self.mark.most,
            used=0,
            unbilled=0,
            by_hour=[],
            plan=[],
            spent_out_hour=24,
            used_before=self.before,
            full=self.group.base_micros
            * sum(level * sum(part) for level, part in zip(today, truth, strict=True)),
        )
        self.streams = [self._stream(place, start) for place in range(len(self.copies))]
        for copy, level in zip(self.copies, today, strict=True):
            copy.rate = self._rate(copy, level)
        for quarter in range(OF_DAY):
            now = start + quarter * QUARTER
            if quarter % 4 == 0:
                self._note(result, quarter // 4)
            for place, copy in enumerate(self.copies):
                if copy.due_at <= now:
                    self._fetched(place, copy, now)
            rates = [copy.rate * truth[place][quarter] for place, copy in enumerate(self.copies)]
            mean = sum(rates)
            if mean:
                count = poisson(self.chance, mean)
                if count:
                    self._clicks(result, rates, count, quarter)
        self._close(result, start)

    def _open(self, number: int, day: date) -> None:
        """The till of the day: the wall, and the ceiling where the cap is paced."""
        shape = day_weights(self.market.believed[0])
        ahead = [shape[(day.weekday() + by) % 7] for by in range(self.market.world.days - number)]
        spread = self.cap.period == "Monthly"
        renews = not spread or len(ahead) == 1
        self.days = Days(
            ahead if spread else (1,), (ahead[1:] or ahead) if spread else (1,), renews
        )
        key = CounterKey("group", "1", "budget", period_key(self.cap.period, day))
        self.before = self.used.get(key, 0)
        self.key = key
        self._look()
        limits = [Limit("group", "1", "budget", self.cap.period, self.cap.value)]
        if self.cap.pacing:
            limits.append(Limit("group", "1", "budget", "Daily", self.mark.most))
        if self.market.world.policy == "drop":
            limits = []
        self.till = Spending(self.used).till(Place(1, 1, 1, 1), day, limits)

    def _look(self) -> None:
        today = self.till.taken[0] if self.till.gates else 0
        self.mark = mark_of(
            self.cap,
            self.cap.value,
            self.before + today,
            today,
            self.days,
            self.market.world.delivery,
        )

    def _rate(self, copy: GroupCopy, level: float) -> float:
        bid = copy.bid_micros / self.group.base_micros
        true_let: float = bid**self.market.world.elasticity if bid else 0.0
        return level * true_let * copy.listed_ppm / PPM

    def _fetched(self, place: int, copy: GroupCopy, now: Instant) -> None:
        """A publisher fetches: its former copy is evaluated to its end, and it gets a new one."""
        self._saw(place, copy, now)
        world = self.market.world
        copy.times = [*copy.times[-17:], now]
        copy.fetched_at, copy.rhythm = now, rhythm_of(copy.times)
        gap = self.group.publishers[place].rhythm_hours * 4
        if world.irregular:
            gap = max(1, round(gap * noise(self.chance, world.irregular)))
        copy.due_at = now + gap * QUARTER
        if world.policy == "paced":
            self._decide(place, copy, now)
        else:
            spent = self.before + self.till.taken[0]
            open_ = spent + self.group.base_micros <= self.cap.value
            copy.bid_micros = self.group.base_micros
            copy.listed_ppm = copy.let_ppm = copy.clicks_ppm = PPM if open_ else 0
        self.streams[place] = self._stream(place, now)
        copy.rate = self._rate(copy, self.today[place])

    def _decide(self, place: int, copy: GroupCopy, now: Instant) -> None:
        self._look()
        played = self.market.played
        streams = self.streams
        for other, stream in enumerate(streams):
            if other == place or stream.next_at <= now:
                streams[other] = self._stream(other, now)
        ahead = ahead_of(streams, now, place)
        until = next_fetch(now, copy.rhythm, now)
        step = Inputs(
            base_micros=self.group.base_micros,
            source="JOBGROUP",
            min_bid_micros=5 * CENT,
            whole_micros=CENT,
            markdown_ppm=0,
            unit_micros=CENT,
            former_micros=copy.bid_micros,
            rule_ppm=PPM,
            target=None,
            views=(CapInputs("group/budget", self.mark, ahead),),
            life=life_of(streams[place], now, until),
            elasticity_ppm=ELASTICITY_PPM,
            matching_jobs=self.group.jobs,
            start_ppm=copy.start_ppm,
        )
        bid = decided(step)
        if self.market.log:
            played.lines.append(BidLine(step, bid))
        played.refreshes += 1
        played.changed += bid.bid_micros != copy.bid_micros
        copy.bid_micros = bid.bid_micros
        copy.start_ppm = bid.window.next_ppm
        listed = bid.window.jobs * PPM // self.group.jobs
        copy.listed_ppm, copy.let_ppm = listed, bid.let_ppm
        copy.clicks_ppm = clicks_let(bid.factor_ppm, ELASTICITY_PPM) * listed // PPM
        copy.weight = PPM / max(copy.clicks_ppm, LEAST_LET)

    def _stream(self, place: int, now: Instant) -> ClickStream:
        market, copy, demand = self.market, self.copies[place], self.demand[place]
        return ClickStream(
            self.group.base_micros,
            demand.today,
            demand.usual,
            market.today[place],
            market.tomorrow[place],
            copy.let_ppm,
            next_fetch(copy.fetched_at, copy.rhythm, now),
        )

    def _saw(self, place: int, copy: GroupCopy, now: Instant) -> None:
        curve = self.market.today[place]
        traffic = come_by(curve, now) - come_by(curve, copy.since)
        self.demand[place] = seen(self.demand[place], copy.clicks, traffic * copy.clicks_ppm / PPM)
        copy.since, copy.clicks = now, 0

    def _clicks(self, result: Day, rates: Sequence[float], count: int, at: int) -> None:
        """So many clicks, of any publishers. If all of them fit, they are taken at once; else one
        after the other.
        """
        places = self.chance.choices(range(len(rates)), rates, k=count)
        bids = [self.copies[place].bid_micros for place in places]
        whole = sum(bids)
        fits = self.till.take(EventUse(whole, count, 0)) is None
        result.used += whole if fits else 0
        for place, bid in zip(places, bids, strict=True):
            copy = self.copies[place]
            copy.clicks += 1
            self.market.clicks[place][at] += copy.weight
            if not fits:
                self._click(result, bid)

    def _click(self, result: Day, bid: int) -> None:
        fits = self.till.take(EventUse(bid, 1, 0)) is None
        result.used += bid if fits else 0
        result.unbilled += 0 if fits else bid

    def _note(self, result: Day, hour: int) -> None:
        result.by_hour.append(result.used)
        left = self.mark.most - result.used
        if result.spent_out_hour == 24 and left < self.group.base_micros:
            result.spent_out_hour = hour

    def _close(self, result: Day, start: Instant) -> None:
        end = start + OF_DAY * QUARTER
        played = self.market.played
        for place, copy in enumerate(self.copies):
            self._saw(place, copy, end)
            self.demand[place] = next_day(self.demand[place])
        weights = self.market.today
        whole = sum(self.levels[place] * curve.whole for place, curve in enumerate(weights))
        result.plan = [
            sum(
                self.levels[place] * come_by(curve, start + hour * HOUR)
                for place, curve in enumerate(weights)
            )
            / whole
            for hour in range(24)
        ]
        self.used[self.key] = self.before + result.used
        played.over += max(0, self.used[self.key] - self.cap.value)
        assert self.market.world.policy == "drop" or self.used[self.key] <= self.cap.value
        played.days.append(result)
