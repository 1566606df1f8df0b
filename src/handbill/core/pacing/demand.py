"""How many clicks come: what a job group would get of a publisher at its full bids.

Clicks follow bids with an **elasticity**: at a bid of ``x`` times the full one come ``x ** e``
times the clicks, which cost ``x ** (1 + e)`` times as much. These are statistics, in floats; what
leaves here for a decision is in whole millionths, half rounded to even.
"""

from typing import Final, NamedTuple

from handbill.kit.money import PPM

ELASTICITY_PPM: Final = 1_200_000
KEEP: Final = 0.8
"""What a day leaves of what was known before it."""
PRIOR_DAYS: Final = 0.5
DAY_WEIGHT: Final = 16.0
"""How many clicks it takes until today is believed as much as the days before: a day's own noise
of a quarter.
"""


class Demand(NamedTuple):
    """``clicks`` that came of so much full-rate ``traffic`` (average days) until last midnight; and
    today's.
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
        """The same, as today goes."""
        usual = self.clicks / self.traffic
        return usual * (DAY_WEIGHT + self.today_clicks) / (DAY_WEIGHT + usual * self.today_traffic)


def guessed(clicks: float) -> Demand:
    """What is believed before anything came."""
    return Demand(clicks * PRIOR_DAYS, PRIOR_DAYS)


def seen(demand: Demand, clicks: float, traffic: float) -> Demand:
    """``clicks`` came today of so much traffic, what was let through of it."""
    return demand._replace(
        today_clicks=demand.today_clicks + clicks, today_traffic=demand.today_traffic + traffic
    )


def next_day(demand: Demand) -> Demand:
    """At midnight. A day on which next to nothing was let through says next to nothing."""
    keep = KEEP ** min(1.0, demand.today_traffic)
    return Demand(
        demand.clicks * keep + demand.today_clicks, demand.traffic * keep + demand.today_traffic
    )


def clicks_ppm(rate: float, traffic: float) -> int:
    """Clicks expected of some traffic, in millionths."""
    return round(PPM * rate * traffic)


def clicks_let(bid_ppm: int, elasticity_ppm: int) -> int:
    """What part of the clicks come at a part of the full bid."""
    part: float = (bid_ppm / PPM) ** (elasticity_ppm / PPM)
    return round(PPM * part)


def spend_let(bid_ppm: int, elasticity_ppm: int) -> int:
    """What part of the full spend it is, then."""
    part: float = (bid_ppm / PPM) ** (1 + elasticity_ppm / PPM)
    return round(PPM * part)


def bid_for(spend_ppm: int, elasticity_ppm: int) -> int:
    """The part of the full bid at which this part of the full spend is expected."""
    part: float = (spend_ppm / PPM) ** (PPM / (PPM + elasticity_ppm))
    return round(PPM * part)
