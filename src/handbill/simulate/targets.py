"""Job groups with a target per apply, compared with an oracle that knows every true rate.

Every six hours each bid is decided anew from the clicks and applies seen. Applies come late: most
soon after their click, some up to two weeks.
"""

import math
from dataclasses import dataclass, field

from handbill.core.pacing.bids import Inputs, decided
from handbill.core.pacing.demand import ELASTICITY_PPM
from handbill.core.pacing.plans import CopyDemand
from handbill.core.pacing.targets import (
    Got,
    TargetRate,
    cautious,
    corrected,
    delay_curve,
    mature_ppm,
    rates_of,
    usual_delays,
)
from handbill.host.ids import Chance, seeded
from handbill.kit.money import PPM
from handbill.simulate.market import CENT, noise, poisson

PUBLISHERS = 5
CLIENT_GROUPS = 30
"""Job groups of one client: their rates are estimated together."""
STEPS = 4
"""Per day: bids are decided every six hours."""
WINDOW_DAYS = 14
WINDOW = WINDOW_DAYS * STEPS
AT_ONCE, LATER = 0.5, 0.92
"""The part of applies in the six hours of their click; the part of the rest that waits six more,
each time.
"""
KNOWN_APPLIES = 100
"""Applies of a client's earlier job groups, whose windows have closed when its new ones begin."""
WARM_APPLIES = 20


@dataclass
class TargetPair:
    """A job group at a publisher."""

    rate: float
    """The true number of applies per click."""
    clicks: float
    """Of an average day at the oracle's bid."""
    oracle_micros: int
    today: float = 0.0
    bid_micros: int = 0
    aimed_micros: int = 0
    by_age: list[int] = field(default_factory=list)
    """Clicks by the step in which they came."""
    applies: int = 0
    due: list[int] = field(default_factory=list)
    """Applies still to come, by step."""


@dataclass(kw_only=True)
class Buyer:
    """A job group with its target."""

    target_micros: int
    base_micros: int
    pairs: list[TargetPair]
    correction_ppm: int = PPM
    spend_micros: int = 0
    due: float = 0.0
    """Applies expected of its clicks by their true rates: bids cannot change luck."""
    oracle_due: float = 0.0
    warm_spend_micros: int = 0
    warm_due: float = 0.0
    """The same for the steps in which it already had ``WARM_APPLIES`` applies."""


@dataclass(kw_only=True)
class Achieved:
    """The result for all targets of a market."""

    applies: float = 0.0
    oracle_applies: float = 0.0
    warm: int = 0
    within: int = 0
    """Job groups that had so many applies after their first ``WARM_APPLIES``; those at no more than
    110 % of the target from there on. ``all_``: including the first ones.
    """
    all_warm: int = 0
    all_within: int = 0
    steps: int = 0
    changed: int = 0


def play_targets(count: int, days: int, seed: int) -> Achieved:
    """A market of so many job groups, client by client."""
    achieved = Achieved()
    for first in range(0, count, CLIENT_GROUPS):
        drawn = seeded(f"{seed}/targets/{first}")
        _play_client(drawn, min(CLIENT_GROUPS, count - first), days, achieved)
    return achieved


def _play_client(chance: Chance, count: int, days: int, found: Achieved) -> None:
    overall = math.exp(chance.uniform(math.log(0.03), math.log(0.12)))
    sides = [noise(chance, 0.3) for _ in range(PUBLISHERS)]
    buyers = [_buyer(chance, overall, sides) for _ in range(count)]
    prior_ppm = round(PPM * overall * noise(chance, 0.15))
    known = [0] * (WINDOW + 1)
    for _ in range(KNOWN_APPLIES):
        known[_delay(chance)] += 1
    closed = [[0] * (WINDOW + 1) for _ in range(days * STEPS)]
    for step in range(days * STEPS):
        ripe = [known, *closed[: max(0, step - WINDOW)]]
        curve = delay_curve(
            [sum(column) for column in zip(*ripe, strict=True)], usual_delays(WINDOW_DAYS, STEPS)
        )
        _decide(buyers, curve, prior_ppm, step, found)
        for buyer in buyers:
            for pair in buyer.pairs:
                _trade(chance, buyer, pair, step, closed[step])
    for buyer in buyers:
        found.applies += buyer.due
        found.oracle_applies += buyer.oracle_due
        if buyer.warm_due >= WARM_APPLIES:
            found.warm += 1
            cost = buyer.warm_spend_micros / buyer.warm_due
            found.within += cost <= 1.1 * buyer.target_micros
        if buyer.due >= WARM_APPLIES:
            found.all_warm += 1
            cost = buyer.spend_micros / buyer.due
            found.all_within += cost <= 1.1 * buyer.target_micros


def _buyer(chance: Chance, overall: float, sides: list[float]) -> Buyer:
    own = overall * noise(chance, 0.3)
    target = CENT * round(math.exp(chance.uniform(math.log(600), math.log(2_500))))
    clicks = math.exp(chance.uniform(math.log(30), math.log(600)))
    pairs = []
    for side in sides:
        rate = min(0.5, own * side * noise(chance, 0.2))
        oracle = max(CENT, CENT * round(target * rate / CENT))
        pairs.append(TargetPair(rate, clicks / PUBLISHERS * chance.uniform(0.5, 1.5), oracle))
    most = max(pair.oracle_micros for pair in pairs)
    return Buyer(target_micros=target, base_micros=2 * most, pairs=pairs)


def _decide(
    buyers: list[Buyer], curve: tuple[int, ...], prior_ppm: int, step: int, found: Achieved
) -> None:
    """The bids of a step, from what was seen until now."""
    got = {
        (number, place): Got(mature_ppm(enumerate(pair.by_age[::-1]), curve), pair.applies)
        for number, buyer in enumerate(buyers)
        for place, pair in enumerate(buyer.pairs)
    }
    rates = rates_of(got, prior_ppm)
    for number, buyer in enumerate(buyers):
        if step % STEPS == 0:
            _correct(buyer, [got[number, place] for place in range(PUBLISHERS)])
        applies = sum(pair.applies for pair in buyer.pairs)
        for place, pair in enumerate(buyer.pairs):
            target = TargetRate(
                buyer.target_micros,
                cautious(rates[number, place], applies),
                buyer.correction_ppm,
                pair.aimed_micros,
                is_prior=not pair.applies,
            )
            bid = decided(_inputs(buyer, pair, target))
            assert bid.target_bid_micros is not None
            if step:
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


def _inputs(buyer: Buyer, pair: TargetPair, target: TargetRate) -> Inputs:
    return Inputs(
        base_micros=buyer.base_micros,
        source="JOBGROUP",
        min_bid_micros=CENT,
        whole_micros=CENT,
        markdown_ppm=0,
        unit_micros=CENT,
        former_micros=pair.bid_micros,
        rule_ppm=PPM,
        target=target,
        views=(),
        life=CopyDemand(0, 0),
        elasticity_ppm=ELASTICITY_PPM,
        matching_jobs=1,
        start_ppm=0,
    )


def _trade(chance: Chance, buyer: Buyer, pair: TargetPair, step: int, delays: list[int]) -> None:
    """The clicks of one pair until the next step, and their applies; and those of the oracle."""
    pair.due += [0] * (step + WINDOW + 2 - len(pair.due))
    if step % STEPS == 0:
        pair.today = pair.clicks * noise(chance, 0.2)
    level = pair.today / STEPS
    part = pair.bid_micros / pair.oracle_micros
    clicks = poisson(chance, level * part**1.2)
    buyer.spend_micros += clicks * pair.bid_micros
    warm = sum(one.applies for one in buyer.pairs) >= WARM_APPLIES
    buyer.warm_spend_micros += warm * clicks * pair.bid_micros
    for _ in range(clicks):
        if chance.random() < pair.rate:
            age = _delay(chance)
            pair.due[step + age] += 1
            delays[age] += 1
    buyer.due += clicks * pair.rate
    buyer.warm_due += warm * clicks * pair.rate
    buyer.oracle_due += level * pair.rate
    pair.by_age.append(clicks)
    pair.applies += pair.due[step]


def _delay(chance: Chance) -> int:
    if chance.random() < AT_ONCE:
        return 0
    age = 1
    while age < WINDOW and chance.random() < LATER:
        age += 1
    return age
