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
PERIOD_AT: Final = {period: at for at, period in enumerate(PERIODS)}
MEASURE_AT: Final = {measure: at for at, measure in enumerate(MEASURES)}


class Place(NamedTuple):
    client_no: int
    campaign_no: int
    group_no: int
    publisher_no: int


class EventUse(NamedTuple):
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


Uses = dict[tuple[Scope, str, str], list[int]]
"""By scope, entity and period: the use of each measure, in the order of MEASURES."""


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


@lru_cache(maxsize=65_536)
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
def periods_over(kept: str) -> tuple[str, ...]:
    """The names of all periods to which a stored counter belongs."""
    if kept == SEALED:
        return (period_key("Lifetime", date.min),)
    return period_keys(date.fromisoformat(kept[1:]))


def summed(kept: Mapping[CounterKey, int], wanted: Iterable[CounterKey]) -> dict[CounterKey, int]:
    """The sums of stored counters for the requested periods."""
    if not kept:
        return {}
    sums = dict.fromkeys(wanted, 0)
    for (scope, entity, measure, day), value in kept.items():
        for period in periods_over(day):
            key = CounterKey(scope, entity, measure, period)
            if key in sums:
                sums[key] += value
    return {key: value for key, value in sums.items() if value}


Compared = tuple[CounterKey, int, Limit, tuple[tuple[CounterKey, int], ...]]
"""A counter, the position of its measure, the lowest limit on it, and the budgets reserved out of
that limit: their counters and values.
"""


class Limits(tuple[Limit, ...]):  # noqa: SLOT001 - a tuple's subclass cannot have any
    """The limits of one place. They remember what they are compared with on the last day asked for:
    many events in a row are of one place and day.
    """

    _last: tuple[date, tuple[Compared, ...]] | None = None

    def on(self, day: date) -> tuple[Compared, ...]:
        last = self._last
        if last is None or last[0] != day:
            last = self._last = day, tuple(_compared(self, day))
        return last[1]


def compared_on(limits: Iterable[Limit], day: date) -> tuple[Compared, ...]:
    """What the limits of a place are compared with on a day."""
    return (limits if isinstance(limits, Limits) else Limits(limits)).on(day)


def _compared(limits: Limits, day: date) -> Iterator[Compared]:
    least: dict[CounterKey, Limit] = {}
    names = period_keys(day)
    for limit in limits:
        scope, entity, measure, period, most, _, on = limit
        assert most >= 0, "a cap is an amount"
        if on is None or on == day:
            key = CounterKey(scope, entity, measure, names[PERIOD_AT[period]])
            former = least.get(key)
            if former is None or most < former.most:
                least[key] = limit
    for key, limit in least.items():
        reserved = (
            (key._replace(scope="placement", entity=entity), value)
            for entity, value in limit.reserved
        )
        yield key, MEASURE_AT[key.measure], limit, tuple(reserved) if limit.reserved else ()


def key_of(limit: Limit, day: date) -> CounterKey:
    """The counter that a limit is compared with on a day."""
    scope, entity, measure, period, *_ = limit
    return CounterKey(scope, entity, measure, period_keys(day)[PERIOD_AT[period]])


def name_of(limit: Limit) -> str:
    """The cap without room, as a reason: ``group_budget_daily``; or its daily ceiling."""
    period = limit.period if limit.on is None else "ceiling"
    return f"{limit.scope}_{limit.measure}_{period}".lower()


def folded(taken: Iterable[tuple[Place, date, Sequence[int]]]) -> dict[CounterKey, int]:
    """Counters from the use at each place on each day; a negative amount was given back. Days are
    stored, so that a cap whose period is changed in mid-month is correct at once.
    """
    return keyed(uses_of(taken))


def uses_of(taken: Iterable[tuple[Place, date, Sequence[int]]]) -> Uses:
    """The same by the day of each entity."""
    uses: Uses = {}
    for place, day, (budget, clicks, applies) in taken:
        assert min(place) >= 0, "a place is named by numbers"
        if budget or clicks or applies:
            today = period_keys(day)[0]
            for scope, entity in entities_of(place):
                own = uses.get((scope, entity, today))
                if own is None:
                    uses[scope, entity, today] = [budget, clicks, applies]
                else:
                    own[0] += budget
                    own[1] += clicks
                    own[2] += applies
    return uses


def keyed(uses: Mapping[tuple[Scope, str, str], Sequence[int]]) -> dict[CounterKey, int]:
    """The counters of these uses; those of nothing are left out."""
    return {
        CounterKey(scope, entity, measure, period): amount
        for (scope, entity, period), amounts in uses.items()
        for measure, amount in zip(MEASURES, amounts, strict=True)
        if amount
    }


def unkeyed(counters: Mapping[CounterKey, int]) -> Uses:
    """Counters by the period of each entity."""
    uses: Uses = {}
    for (scope, entity, measure, period), amount in counters.items():
        own = uses.setdefault((scope, entity, period), [0] * len(MEASURES))
        own[MEASURE_AT[measure]] += amount
    return uses
