"""A market to pace in: job groups with budgets, and publishers that fetch copies of their listings.

The decisions do not know what is true here (demand, elasticity, noise, when a publisher fetches
next); they see clicks and fetches, as the real system does.
"""

import math
from typing import NamedTuple

from handbill.core.nouns import Cap
from handbill.core.pacing.caps import DeliveryMode
from handbill.core.pacing.curves import OF_DAY, OF_WEEK, TrafficShape, shape_of
from handbill.host.ids import Chance

CENT = 10_000
WEEKDAYS = (1.12, 1.16, 1.12, 1.06, 0.96, 0.72, 0.86)


class MarketRow(NamedTuple):
    """One row of a table. ``rhythms``: the hours between the fetches of each publisher.

    ``irregular``: by how much (a share) each gap differs from its rhythm, which nobody has seen
    yet. ``drift``: how much demand changes from a day to the next.
    """

    name: str
    cap: Cap
    delivery: DeliveryMode
    rhythms: tuple[int, ...] = (1, 4, 4, 12, 24)
    days: int = 28
    day_noise: float = 0.2
    elasticity: float = 1.2
    drift: float = 0.0
    irregular: float = 0.0
    policy: str = "paced"
    """``drop``: dropped when spent, and charged without a wall; ``wall``: the same with one."""


class MarketPublisher(NamedTuple):
    rhythm_hours: int
    first_quarter: int
    """Its first fetch, in quarter hours of the first day."""
    clicks: float
    """Of an average day at the full bid, when the market begins."""
    guess: float
    """The assumption about that beforehand."""


class MarketGroup(NamedTuple):
    no: int
    base_micros: int
    jobs: int
    value_micros: int
    """The budget of one average day: the cap's, or its month's by the days."""
    publishers: tuple[MarketPublisher, ...]

    @property
    def full_micros(self) -> float:
        """What an average day would cost at the full bid, without any cap."""
        return self.base_micros * sum(one.clicks for one in self.publishers)


def shapes(chance: Chance, publishers: int) -> list[TrafficShape]:
    """How traffic comes at each publisher: few at night, most before and after noon, some in the
    evening, fewer at weekends; each differs a little.
    """
    made = []
    for _ in range(publishers):
        shift, evening = chance.gauss(0, 0.5), chance.uniform(0.3, 0.8)
        week = []
        for quarter in range(OF_WEEK):
            hour = quarter % OF_DAY / 4 - shift
            day = math.exp(-(((hour - 11.5) / 3.6) ** 2)) + evening * math.exp(
                -(((hour - 19.5) / 2.4) ** 2)
            )
            week.append((0.12 + day) * WEEKDAYS[quarter // OF_DAY])
        by_day = [sum(week[at : at + OF_DAY]) for at in range(0, OF_WEEK, OF_DAY)]
        week = [
            weight * WEEKDAYS[at // OF_DAY] / by_day[at // OF_DAY] for at, weight in enumerate(week)
        ]
        made.append(shape_of(week))
    return made


def groups(chance: Chance, world: MarketRow, count: int) -> list[MarketGroup]:
    """Job groups of all sizes: 30 to 600 clicks a day use up the budget, and at the full bids there
    would be 0.7 to 3 times as many.
    """
    return [_group(chance, world, number) for number in range(count)]


def _group(chance: Chance, world: MarketRow, number: int) -> MarketGroup:
    base = CENT * round(math.exp(chance.uniform(math.log(30), math.log(250))))
    budget_clicks = math.exp(chance.uniform(math.log(30), math.log(600)))
    demand = math.exp(chance.uniform(math.log(0.7), math.log(3.0))) * budget_clicks
    parts = [chance.uniform(0.5, 1.5) for _ in world.rhythms]
    publishers = []
    for rhythm, part in zip(world.rhythms, parts, strict=True):
        clicks = demand * part / sum(parts)
        guess = clicks * math.exp(chance.gauss(0, 0.5))
        publishers.append(MarketPublisher(rhythm, chance.randrange(rhythm * 4), clicks, guess))
    return MarketGroup(
        number,
        base,
        chance.randrange(20, 400),
        CENT * round(base * budget_clicks / CENT),
        tuple(publishers),
    )


def poisson(chance: Chance, mean: float) -> int:
    """A random number of clicks, ``mean`` on average."""
    if mean > 30:
        return max(0, round(chance.gauss(mean, math.sqrt(mean))))
    count, product, least = 0, chance.random(), math.exp(-mean)
    while product > least:
        product *= chance.random()
        count += 1
    return count


def noise(chance: Chance, sigma: float) -> float:
    """A random factor around 1 whose spread is ``sigma``."""
    return math.exp(chance.gauss(-sigma * sigma / 2, sigma)) if sigma else 1.0
