"""The rows of the tables that measure pacing, computed from a market that was played.

Only job groups that are **bound** count: with at least a tenth more demand at the full bids than
budget. The others spend what there is. **Source**: docs/decisions/0046.
"""

import math
from collections import defaultdict
from collections.abc import Sequence
from statistics import fmean
from typing import NamedTuple

from handbill.core.nouns import Cap
from handbill.core.pacing.caps import DeliveryMode
from handbill.simulate.market import MarketRow
from handbill.simulate.played import Day, Played
from handbill.simulate.playing import Market

MONTHLY, DAILY = Cap("Monthly", 0, pacing=True), Cap("Daily", 0)
EVEN, ASAP = DeliveryMode.EVEN, DeliveryMode.ASAP
BOUND = 1.1
FOUR, TWENTY_FOUR = (4,) * 5, (24,) * 5

PACED = MarketRow("Monthly, paced", MONTHLY, EVEN)
ODD = (
    MarketRow("elasticity 0.6", MONTHLY, EVEN, elasticity=0.6),
    MarketRow("elasticity 2.0", MONTHLY, EVEN, elasticity=2.0),
    MarketRow("refresh unknown", MONTHLY, EVEN, irregular=0.3),
    MarketRow("day noise 40 %", MONTHLY, EVEN, day_noise=0.4),
    MarketRow("drift 5 % a day", MONTHLY, EVEN, drift=0.05),
)
EVENLY = (
    MarketRow("Daily EVEN, 4 h", DAILY, EVEN, FOUR),
    MarketRow("Daily EVEN, 24 h", DAILY, EVEN, TWENTY_FOUR),
)
AT_ONCE = MarketRow("Daily ASAP, 4 h", DAILY, ASAP, FOUR)
BESIDE = tuple(
    MarketRow(f"{name}, {hours[0]} h", DAILY, ASAP, hours, policy=policy)
    for name, policy in (("drop when spent", "drop"), ("wall only", "wall"))
    for hours in (FOUR, TWENTY_FOUR)
)


class Row(NamedTuple):
    """What a table says of a market; parts of the whole budget of all bound job groups."""

    used: float
    unbilled: float
    bound: int
    nearly_all: float
    """Bound job groups that used 98 % or more of their month."""
    days_near: float
    """Days within a tenth of their share (paced), or within 5 % or one bid of the value."""
    rmse: float
    """Paced: of each day against its share. Else: of a day's hours against its traffic."""
    half: float
    """Used by the middle of the month."""
    worst_day: float
    """The maximum that a day used, in shares."""
    early: float
    """Days whose budget was used up before 20:00."""
    changed: float
    """Bids that a refresh changed."""
    over: int
    """Micros over any cap."""


def played(world: MarketRow, groups: int, seeds: Sequence[int]) -> Row:
    """The row of one world, over the markets of all seeds."""
    return row_of([Market(world, groups, seed).play() for seed in seeds])


def row_of(markets: Sequence[Played]) -> Row:
    read = _monthly if markets[0].world.cap.period == "Monthly" else _daily
    refreshes = sum(market.refreshes for market in markets)
    row = read([days for market in markets for days in _bound(market)])
    return row._replace(
        changed=sum(market.changed for market in markets) / max(1, refreshes),
        over=sum(market.over for market in markets),
    )


class _Group(NamedTuple):
    value: int
    bid: int
    days: list[Day]


def _bound(market: Played) -> list[_Group]:
    by_group: dict[int, list[Day]] = defaultdict(list)
    for day in market.days:
        by_group[day.group].append(day)
    bound = []
    for group in market.groups:
        days = by_group[group.no]
        if sum(day.full for day in days) >= BOUND * group.value_micros * len(days):
            bound.append(_Group(group.value_micros, group.base_micros, days))
    return bound


def _monthly(groups: Sequence[_Group]) -> Row:
    value = sum(group.value * len(group.days) for group in groups)
    parts = [
        sum(day.used for day in group.days) / (group.value * len(group.days)) for group in groups
    ]
    off = [day.used / day.share - 1 for group in groups for day in group.days if day.share]
    halves = [
        sum(day.used for day in group.days[: len(group.days) // 2])
        / (group.value * len(group.days))
        for group in groups
    ]
    return Row(
        used=sum(day.used for group in groups for day in group.days) / value,
        unbilled=sum(day.unbilled for group in groups for day in group.days) / value,
        bound=len(groups),
        nearly_all=fmean(part >= 0.98 for part in parts),
        days_near=fmean(abs(one) <= 0.1 for one in off),
        rmse=math.sqrt(fmean(one * one for one in off)),
        half=fmean(halves),
        worst_day=1 + max(off),
        early=0.0,
        changed=0.0,
        over=0,
    )


def _daily(groups: Sequence[_Group]) -> Row:
    """Without each group's first day, when nobody holds a copy at the start; and only days with
    enough demand.
    """
    days = [
        (group, day)
        for group in groups
        for day in group.days[1:]
        if day.full >= BOUND * group.value
    ]
    value = sum(group.value for group, _ in days)
    errors = [
        fmean(
            (used / group.value - plan) ** 2
            for used, plan in zip(day.by_hour, day.plan, strict=True)
        )
        for group, day in days
    ]
    return Row(
        used=sum(day.used for _, day in days) / value,
        unbilled=sum(day.unbilled for _, day in days) / value,
        bound=len(groups),
        nearly_all=fmean(day.used >= 0.98 * group.value for group, day in days),
        days_near=fmean(
            group.value - day.used <= max(0.05 * group.value, group.bid) for group, day in days
        ),
        rmse=math.sqrt(fmean(errors)),
        half=0.5,
        worst_day=max(day.used / group.value for group, day in days),
        early=fmean(day.spent_out_hour < 20 for _, day in days),
        changed=0.0,
        over=0,
    )
