"""Job groups with a target of so much an apply, beside an oracle that knows every true rate.

Once a day each bid is decided anew from the clicks and applies that were seen. Applies come late:
most on the day of their click, some up to two weeks after.
"""

import math
from dataclasses import dataclass, field
from random import Random

from handbill.core.pacing.bids import Inputs, decided
from handbill.core.pacing.demand import ELASTICITY_PPM
from handbill.core.pacing.plans import Life
from handbill.core.pacing.targets import (
    Got,
    Target,
    corrected,
    delay_curve,
    mature_ppm,
    rates_of,
    usual_delays,
)
from handbill.kit.money import PPM
from handbill.simulate.market import CENT, noise, poisson

PUBLISHERS = 5
CLIENT_GROUPS = 30
"""Job groups of one client: their rates are estimated together."""
WINDOW_DAYS = 14
SAME_DAY, LATER = 0.6, 0.75
"""How many applies come on the day of their click; how many of the rest wait one more day each."""
WARM_APPLIES = 20


@dataclass
class Pair:
    """A job group at a publisher."""

    rate: float
    """Applies of a click, in truth."""
    clicks: float
    """Of an average day at the bid that the oracle gives."""
    oracle_micros: int
    bid_micros: int = 0
    aimed_micros: int = 0
    by_age: list[int] = field(default_factory=list)
    """Clicks by the day they came on."""
    applies: int = 0
    due: list[int] = field(default_factory=list)
    """Applies still to come, by the day."""


@dataclass
class Buyer:
    """A job group with its target."""

    target_micros: int
    base_micros: int
    pairs: list[Pair]
    correction_ppm: int = PPM
    spend_micros: int = 0
    true_applies: int = 0
    """Applies of its clicks, come or still to come."""
    oracle_applies: int = 0
    warm_spend_micros: int = 0
    warm_applies: int = 0
    """The same of the days on which it had ``WARM_APPLIES`` applies already."""


@dataclass
class Achieved:
    """What became of all targets of a market."""

    applies: int = 0
    oracle_applies: int = 0
    warm: int = 0
    within: int = 0
    """Job groups that had so many applies after their first ``WARM_APPLIES``; those at 110 % of the
    target at most from there on. ``all_``: the first ones counted in.
    """
    all_warm: int = 0
    all_within: int = 0
    steps: int = 0
    changed: int = 0


def play_targets(count: int, days: int, seed: int) -> Achieved:
    """A market of so many job groups, client by client."""
    found = Achieved()
    for first in range(0, count, CLIENT_GROUPS):
        drawn = Random(f"{seed}/targets/{first}")  # noqa: S311 - a seeded market
        _play_client(drawn, min(CLIENT_GROUPS, count - first), days, found)
    return found


def _play_client(chance: Random, count: int, days: int, found: Achieved) -> None:
    overall = math.exp(chance.uniform(math.log(0.03), math.log(0.12)))
    sides = [noise(chance, 0.4) for _ in range(PUBLISHERS)]
    buyers = [_buyer(chance, overall, sides) for _ in range(count)]
    prior_ppm = round(PPM * overall * noise(chance, 0.4))
    closed = [[0] * (WINDOW_DAYS + 1) for _ in range(days)]
    for day in range(days):
        ripe = closed[: max(0, day - WINDOW_DAYS)]
        curve = delay_curve(
            [sum(column) for column in zip(*ripe, strict=True)], usual_delays(WINDOW_DAYS)
        )
        _decide(buyers, curve, prior_ppm, day, found)
        for buyer in buyers:
            for pair in buyer.pairs:
                _trade(chance, buyer, pair, day, closed[day])
    for buyer in buyers:
        found.applies += buyer.true_applies
        found.oracle_applies += buyer.oracle_applies
        if buyer.warm_applies >= WARM_APPLIES:
            found.warm += 1
            cost = buyer.warm_spend_micros / buyer.warm_applies
            found.within += cost <= 1.1 * buyer.target_micros
        if buyer.true_applies >= WARM_APPLIES:
            found.all_warm += 1
            cost = buyer.spend_micros / buyer.true_applies
            found.all_within += cost <= 1.1 * buyer.target_micros


def _buyer(chance: Random, overall: float, sides: list[float]) -> Buyer:
    own = overall * noise(chance, 0.35)
    target = CENT * round(math.exp(chance.uniform(math.log(600), math.log(2_500))))
    clicks = math.exp(chance.uniform(math.log(30), math.log(600)))
    pairs = []
    for side in sides:
        rate = min(0.5, own * side * noise(chance, 0.25))
        oracle = max(CENT, CENT * round(target * rate / CENT))
        pairs.append(Pair(rate, clicks / PUBLISHERS * chance.uniform(0.5, 1.5), oracle))
    most = max(pair.oracle_micros for pair in pairs)
    return Buyer(target, 2 * most, pairs)


def _decide(
    buyers: list[Buyer], curve: tuple[int, ...], prior_ppm: int, day: int, found: Achieved
) -> None:
    """The bids of a day, from what was seen until now."""
    got = {
        (number, place): Got(mature_ppm(pair.by_age[::-1], curve), pair.applies)
        for number, buyer in enumerate(buyers)
        for place, pair in enumerate(buyer.pairs)
    }
    rates = rates_of(got, prior_ppm)
    for number, buyer in enumerate(buyers):
        _correct(buyer, [got[number, place] for place in range(PUBLISHERS)])
        for place, pair in enumerate(buyer.pairs):
            target = Target(
                buyer.target_micros, rates[number, place], buyer.correction_ppm, pair.aimed_micros,
                is_prior=not pair.applies,
            )  # fmt: skip
            bid = decided(_inputs(buyer, pair, target))
            assert bid.target_bid_micros is not None
            if day:
                found.steps += 1
                found.changed += bid.bid_micros != pair.bid_micros
            pair.bid_micros, pair.aimed_micros = bid.bid_micros, bid.target_bid_micros


def _correct(buyer: Buyer, got: list[Got]) -> None:
    ripe = sum(one.clicks_ppm for one in got)
    clicks = sum(sum(pair.by_age) for pair in buyer.pairs)
    if ripe:
        due_ppm = sum(one.applies for one in got) * clicks * PPM * PPM // ripe
        buyer.correction_ppm = corrected(
            buyer.correction_ppm, buyer.spend_micros, due_ppm, buyer.target_micros
        )


def _inputs(buyer: Buyer, pair: Pair, target: Target) -> Inputs:
    return Inputs(
        base_micros=buyer.base_micros, source="JOBGROUP", min_bid_micros=CENT, whole_micros=CENT,
        markdown_ppm=0, unit_micros=CENT, former_micros=pair.bid_micros, rule_ppm=PPM,
        target=target, views=(), life=Life(0, 0),
        elasticity_ppm=ELASTICITY_PPM, matching_jobs=1, start_ppm=0,
    )  # fmt: skip


def _trade(chance: Random, buyer: Buyer, pair: Pair, day: int, delays: list[int]) -> None:
    """A day's clicks of one pair, at the bid decided and at the oracle's, and their applies."""
    pair.due += [0] * (day + WINDOW_DAYS + 2 - len(pair.due))
    level = pair.clicks * noise(chance, 0.2)
    part = pair.bid_micros / pair.oracle_micros
    clicks = poisson(chance, level * part**1.2)
    buyer.spend_micros += clicks * pair.bid_micros
    warm = sum(one.applies for one in buyer.pairs) >= WARM_APPLIES
    buyer.warm_spend_micros += warm * clicks * pair.bid_micros
    for _ in range(clicks):
        if chance.random() < pair.rate:
            age = _delay(chance)
            pair.due[day + age] += 1
            buyer.true_applies += 1
            buyer.warm_applies += warm
            delays[age] += 1
    buyer.oracle_applies += poisson(chance, level * pair.rate)
    pair.by_age.append(clicks)
    pair.applies += pair.due[day]


def _delay(chance: Random) -> int:
    if chance.random() < SAME_DAY:
        return 0
    age = 1
    while age < WINDOW_DAYS and chance.random() < LATER:
        age += 1
    return age
