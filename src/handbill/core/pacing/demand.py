"""How many clicks come: what a job group would get from a publisher at its full bids.

Clicks follow bids with an **elasticity** ``e``: a bid of ``x`` times the full one brings ``x ** e``
times the clicks, which cost ``x ** (1 + e)`` times as much. These are statistics, in floats.
Results that decisions use are in whole millionths, half rounded to even.
"""

from typing import Final, NamedTuple

from handbill.kit.money import PPM

ELASTICITY_PPM: Final = 1_200_000
KEEP: Final = 0.8
"""The part that a day leaves of what was known before it."""
PRIOR_DAYS: Final = 0.5
DAY_WEIGHT: Final = 16.0
"""The number of clicks after which today counts as much as the days before: a day's own noise is
then a quarter.
"""


class Demand(NamedTuple):
    """``clicks`` that came from so much full-rate ``traffic`` (average days) until last midnight;
    and those of today.
    """

    clicks: float
    traffic: float
    today_clicks: float = 0.0
    today_traffic: float = 0.0

    @property
    def usual(self) -> float:
        """Clicks of an average day at full bids."""
        return self.clicks / self.traffic

    @property
    def today(self) -> float:
        """The same, estimated with today's clicks."""
        usual = self.clicks / self.traffic
        return usual * (DAY_WEIGHT + self.today_clicks) / (DAY_WEIGHT + usual * self.today_traffic)


def guessed(clicks: float) -> Demand:
    """The assumption before anything has come."""
    return Demand(clicks * PRIOR_DAYS, PRIOR_DAYS)


def seen(demand: Demand, clicks: float, traffic: float) -> Demand:
    """``clicks`` came today from so much traffic; only what was let through counts."""
    return demand._replace(
        today_clicks=demand.today_clicks + clicks, today_traffic=demand.today_traffic + traffic
    )


def next_day(demand: Demand) -> Demand:
    """At midnight. A day that let almost nothing through counts for almost nothing."""
    keep = KEEP ** min(1.0, demand.today_traffic)
    return Demand(
        demand.clicks * keep + demand.today_clicks, demand.traffic * keep + demand.today_traffic
    )


def clicks_ppm(rate: float, traffic: float) -> int:
    """The clicks expected from some traffic, in millionths."""
    return round(PPM * rate * traffic)


def clicks_let(bid_ppm: int, elasticity_ppm: int) -> int:
    """The part of the clicks that comes at a part of the full bid."""
    part: float = (bid_ppm / PPM) ** (elasticity_ppm / PPM)
    return round(PPM * part)


def spend_let(bid_ppm: int, elasticity_ppm: int) -> int:
    """The resulting part of the full spend."""
    part: float = (bid_ppm / PPM) ** (1 + elasticity_ppm / PPM)
    return round(PPM * part)


def bid_for(spend_ppm: int, elasticity_ppm: int) -> int:
    """The part of the full bid that is expected to give this part of the full spend."""
    part: float = (spend_ppm / PPM) ** (PPM / (PPM + elasticity_ppm))
    return round(PPM * part)
