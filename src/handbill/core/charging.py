"""What an event costs, and whether every cap has room for it.

A **place** is where an event happened: client, campaign, job group, publisher. A **counter** is the
use of one measure at one scope in one period. Only counters of days are stored; weeks, months and
lifetimes are sums of them. A cap compares one counter with a limit. The scopes, measures and
periods are a list, not code.
**Source**: contract 3 (caps), domain 2 and 4.2, safety.md section 2 (caps).
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import date
from functools import lru_cache
from typing import Final, Literal, NamedTuple

from handbill.core.nouns import Cap, Caps, Placement
from handbill.kit.money import plus_shares
from handbill.kit.zones import PERIODS, Period, period_key

Scope = Literal[
    "client",
    "campaign",
    "group",
    "placement",
    "campaign_placement",
    "group_job",
    "job",
    "job_placement",
]
Measure = Literal["budget", "clicks", "applies"]
JOB_SCOPES: Final[tuple[Scope, ...]] = ("group_job", "job", "job_placement")
MEASURES: Final[tuple[Measure, ...]] = ("budget", "clicks", "applies")
_MEASURE_AT: Final = {measure: at for at, measure in enumerate(MEASURES)}


class Place(NamedTuple):
    client_no: int
    campaign_no: int
    group_no: int
    publisher_no: int


class Need(NamedTuple):
    """What one event uses of each measure, in the order of MEASURES: micros, clicks, applies."""

    budget: int
    clicks: int
    applies: int


class Factors(NamedTuple):
    """The two markups on one event's spend: the agency's, and that of settingsOverride."""

    agency_ppm: int = 0
    override_ppm: int = 0


class Price(NamedTuple):
    """``spend``: the trader's bid, counted in ``spent``; ``charge``: the publisher's price;
    ``marked``: what the customer pays, the spend with its markups. Budget caps count ``marked``.
    """

    spend_micros: int
    charge_micros: int
    marked_micros: int
    factors: Factors


class CounterKey(NamedTuple):
    scope: Scope
    entity: str
    measure: Measure
    period: str


class Limit(NamedTuple):
    """A cap of one entity. ``reserved``: budgets that are reserved out of it for other placements,
    by placement; their unspent rest is not available where the limit is checked. ``on``: the day,
    if this is the ceiling of a paced cap; None: it applies on every day.
    """

    scope: Scope
    entity: str
    measure: Measure
    period: Period
    most: int
    reserved: tuple[tuple[str, int], ...] = ()
    on: date | None = None


SEALED: Final = "D"
"""The period of the counter that adds up all closed days of an entity."""
UNMARKED: Final = Factors()
FREE: Final = Price(0, 0, 0, UNMARKED)
_Gate = tuple[list[int], int, Limit, tuple[tuple[list[int], int], ...]]
"""The use of a cap (shared by all tills below it), the position of the measure, the cap, and for
each budget reserved out of it, its use and its value.
"""


def price_of_click(bid_type: str, bid_micros: int, price_micros: int, factors: Factors) -> Price:
    """What a valid click costs: the bid frozen in its link, if the publisher is paid per click."""
    paid_for = bid_type in {"CPC", "FLAT_CPC"}
    return priced(bid_micros, price_micros, factors) if paid_for else FREE


def price_of_apply(bid_type: str, bid_micros: int, price_micros: int, factors: Factors) -> Price:
    """What a counted apply costs: the bid frozen in its click's link, if it is paid per apply."""
    return priced(bid_micros, price_micros, factors) if bid_type == "CPA" else FREE


def priced(spend_micros: int, charge_micros: int, factors: Factors) -> Price:
    """All three amounts of a paid event. If it costs nothing, it has no markups either."""
    assert 0 <= charge_micros <= spend_micros, "a publisher is paid at most what is spent"
    if not spend_micros:
        return FREE
    if factors == UNMARKED:
        return Price(spend_micros, charge_micros, spend_micros, factors)
    marked_micros = plus_shares(spend_micros, *factors)
    assert marked_micros >= spend_micros, "a markup is added, never taken off"
    return Price(spend_micros, charge_micros, marked_micros, factors)


def entities_of(place: Place) -> tuple[tuple[Scope, str], ...]:
    """Every scope that counts an event at this place."""
    client, campaign, group, publisher = place
    return (
        ("client", f"{client}"),
        ("campaign", f"{campaign}"),
        ("group", f"{group}"),
        ("placement", f"{group}/{publisher}"),
        ("campaign_placement", f"{campaign}/{publisher}"),
    )


def limits_of(scope: Scope, entity: str, caps: Caps) -> Iterator[Limit]:
    """The caps of one client, campaign or job group as limits."""
    for measure, cap in by_measure(caps):
        assert cap.value >= 0, "a cap is an amount"
        yield Limit(scope, entity, measure, cap.period, cap.value)


def by_measure(caps: Caps) -> Iterator[tuple[Measure, Cap]]:
    """The caps of one client, campaign or job group by measure; not those of its jobs."""
    named: tuple[tuple[Measure, Cap | None], ...] = (
        ("budget", caps.budget),
        ("clicks", caps.clicks),
        ("applies", caps.applies),
    )
    for measure, cap in named:
        if cap is not None:
            yield measure, cap


def reserving(
    limit: Limit, placements: Iterable[Placement], group_no: int, own: str, nos: Mapping[str, int]
) -> Limit:
    """A job group's budget as it applies to one of its placements, ``own``: the unspent budgets of
    other locked placements are reserved. ``nos``: the publishers' numbers by id.
    """
    assert limit.scope == "group", "a placement's budget is reserved out of its job group's"
    if limit.measure != "budget":
        return limit
    others = [one for one in placements if one.publisher_id != own]
    return limit._replace(reserved=locked_of(others, limit.period, group_no, nos))


def locked_of(
    placements: Iterable[Placement], period: Period, group_no: int, nos: Mapping[str, int]
) -> tuple[tuple[str, int], ...]:
    """The budgets that are locked for placements out of their job group's, each by its entity."""
    return tuple(
        (f"{group_no}/{nos[one.publisher_id]}", one.budget.value)
        for one in placements
        if one.active
        and one.budget is not None
        and one.budget.locked
        and one.budget.period == period
        and one.publisher_id in nos
    )


def budget_limit(scope: Scope, entity: str, cap: Cap | None) -> Iterator[Limit]:
    """A cap that applies to spend only (placements)."""
    if cap is not None:
        assert cap.value >= 0, "a cap is an amount"
        yield Limit(scope, entity, "budget", cap.period, cap.value)


@lru_cache(maxsize=4_096)
def period_keys(day: date) -> tuple[str, ...]:
    """The names of the four periods that contain a day."""
    return tuple(period_key(period, day) for period in PERIODS)


@lru_cache(maxsize=4_096)
def _periods_over(kept: str) -> tuple[str, ...]:
    """The names of all periods to which a stored counter belongs."""
    if kept == SEALED:
        return (period_key("Lifetime", date.min),)
    return period_keys(date.fromisoformat(kept[1:]))


def summed(kept: Mapping[CounterKey, int], wanted: Iterable[CounterKey]) -> dict[CounterKey, int]:
    """The sums of stored counters for the requested periods."""
    if not kept:
        return {}
    found = dict.fromkeys(wanted, 0)
    for (scope, entity, measure, day), value in kept.items():
        for period in _periods_over(day):
            key = CounterKey(scope, entity, measure, period)
            if key in found:
                found[key] += value
    return {key: value for key, value in found.items() if value}


class Till:
    """Takes the events of one place on one day: each is let through as a whole, or not at all."""

    __slots__ = ("gates", "meters", "short", "taken")

    def __init__(
        self,
        gates: list[_Gate],
        taken: list[int],
        short: set[Limit] | None = None,
        meters: Sequence[tuple[list[int], int]] = (),
    ) -> None:
        self.gates = gates
        self.taken = taken
        self.meters = meters
        """The job's counts of the day, and the position of their measure."""
        self.short: set[Limit] = set() if short is None else short
        """The caps without room for another event like the last one."""

    def take(self, need: Need) -> Limit | None:
        """Use up the need if every cap has room for all of it; else return a cap that has not.

        If nothing of a measure is needed, its caps are passed, even if overdrawn.
        """
        assert min(need) >= 0, "what is taken is never given back"
        for used, measure, limit, reserved in self.gates:
            assert used[0] >= 0, "a counter is never negative"
            if need[measure]:
                room = limit.most - used[0] - need[measure]
                for spent, value in reserved:
                    if spent[0] < value:
                        room -= value - spent[0]
                if room < need[measure]:
                    self.short.add(limit)
                    if room < 0:
                        return limit
        for used, measure, limit, _ in self.gates:
            used[0] += need[measure]
            assert not need[measure] or used[0] <= limit.most, "a cap is never passed"
        for cell, measure in self.meters:
            cell[0] += need[measure]
        taken = self.taken
        taken[0] += need[0]
        taken[1] += need[1]
        taken[2] += need[2]
        return None


class Spending:
    """The use of every cap while a run of events is judged, and what the events add to it."""

    def __init__(self, used: Mapping[CounterKey, int]) -> None:
        self._start = used
        self._used: dict[CounterKey, list[int]] = {}
        self._of_jobs: dict[CounterKey, list[int]] = {}
        self._tills: dict[tuple[Place, date], Till] = {}
        self.short: dict[Place, set[Limit]] = {}
        """By place, the caps without room for another event like the last one there."""

    def till(
        self, place: Place, day: date, limits: Sequence[Limit], of_job: Sequence[Limit] = ()
    ) -> Till:
        """The till of a place on a day; the limits are read when it is opened. ``of_job``: the
        limits of one job there, which then has its own till.
        """
        till = self._tills.get((place, day))
        if till is None:
            short = self.short.setdefault(place, set())
            till = self._tills[place, day] = Till(self._gates(day, limits), [0, 0, 0], short)
        if of_job:
            gates = till.gates + self._gates(day, of_job)
            return Till(gates, till.taken, till.short, self._meters(day, of_job))
        return till

    def _meters(self, day: date, of_job: Sequence[Limit]) -> list[tuple[list[int], int]]:
        today = period_keys(day)[0]
        meters: dict[CounterKey, tuple[list[int], int]] = {}
        for scope, entity, measure, *_ in of_job:
            assert scope in JOB_SCOPES, "they are a job's"
            key = CounterKey(scope, entity, measure, today)
            meters[key] = self._of_jobs.setdefault(key, [0]), _MEASURE_AT[measure]
        return list(meters.values())

    def _gates(self, day: date, limits: Sequence[Limit]) -> list[_Gate]:
        return [
            (
                self._cell(key),
                measure,
                limit,
                tuple((self._cell(other), value) for other, value in reserved) if reserved else (),
            )
            for key, measure, limit, reserved in compared_on(tuple(limits), day)
        ]

    def _cell(self, key: CounterKey) -> list[int]:
        cell = self._used.get(key)
        if cell is None:
            cell = self._used[key] = [self._start.get(key, 0)]
            assert cell[0] >= 0, "a counter is never negative"
        return cell

    def additions(self) -> dict[CounterKey, int]:
        """What was added to each counter of a day: for jobs, only those with a cap; otherwise every
        scope and measure, with or without a cap.
        """
        counters = folded((*at, till.taken) for at, till in self._tills.items())
        for key, cell in self._used.items():
            assert cell[0] >= self._start.get(key, 0), "what is used is never given back"
        return counters | {key: cell[0] for key, cell in self._of_jobs.items() if cell[0]}


_Compared = tuple[CounterKey, int, Limit, tuple[tuple[CounterKey, int], ...]]


@lru_cache(maxsize=65_536)
def compared_on(limits: tuple[Limit, ...], day: date) -> tuple[_Compared, ...]:
    """What the limits of a place are compared with on a day: the counter, the position of the
    measure, the lowest limit on that counter, and the budgets reserved out of it.
    """
    least: dict[CounterKey, Limit] = {}
    for limit in limits:
        if limit.on is not None and limit.on != day:
            continue
        key = key_of(limit, day)
        if key not in least or limit.most < least[key].most:
            least[key] = limit
    return tuple(
        (
            key,
            _MEASURE_AT[key.measure],
            limit,
            tuple(
                (key._replace(scope="placement", entity=entity), value)
                for entity, value in limit.reserved
            )
            if limit.reserved
            else (),
        )
        for key, limit in least.items()
    )


def key_of(limit: Limit, day: date) -> CounterKey:
    """The counter that a limit is compared with on a day."""
    period = period_keys(day)[PERIODS.index(limit.period)]
    return CounterKey(limit.scope, limit.entity, limit.measure, period)


def name_of(limit: Limit) -> str:
    """The cap without room, as a reason: ``group_budget_daily``; or its daily ceiling."""
    period = limit.period if limit.on is None else "ceiling"
    return f"{limit.scope}_{limit.measure}_{period}".lower()


def folded(taken: Iterable[tuple[Place, date, Sequence[int]]]) -> dict[CounterKey, int]:
    """Counters from the use at each place on each day; a negative amount was given back. Days are
    stored, so that a cap whose period is changed in mid-month is correct at once.
    """
    counters: dict[CounterKey, int] = {}
    for place, day, amounts in taken:
        for measure, amount in zip(MEASURES, amounts, strict=True):
            if amount:
                period = period_keys(day)[0]
                for scope, entity in entities_of(place):
                    key = CounterKey(scope, entity, measure, period)
                    counters[key] = counters.get(key, 0) + amount
    return counters
