"""What is expected to be spent: the clicks of each job group at each publisher, at their bids.

A **stream** is one job group at one publisher: the bid that was set, its demand, the traffic of
today and tomorrow there, and the copy that is held. Under a cap flow all streams below it.
"""

from collections.abc import Sequence
from typing import NamedTuple

from handbill.core.pacing.curves import Curve, come_by
from handbill.core.pacing.demand import clicks_ppm
from handbill.core.pacing.plans import Ahead, Life
from handbill.kit.instants import Instant
from handbill.kit.money import PPM, share_down

ZERO: float = 0


class Stream(NamedTuple):
    """``full_micros``: what a click costs at the full bid, as caps count it. ``rate``, ``usual``:
    clicks of an average day at the full bids, as today goes and as days go. ``let_ppm``: the part
    of the full spend that the copy held lets through, until ``next_at``.
    """

    full_micros: int
    rate: float
    usual: float
    today: Curve
    tomorrow: Curve
    let_ppm: int
    next_at: Instant


def ahead_of(streams: Sequence[Stream], now: Instant, own: int) -> Ahead:
    """What is ahead under a cap when stream number ``own`` is steered: its own copy is replaced
    now, so that all it has is open. Tomorrow's demand is the usual one.
    """
    flight_now = open_now = flight_then = open_then = 0
    for number, (full, rate, usual, today, tomorrow, let_ppm, next_at) in enumerate(streams):
        at = come_by(today, now)
        steered, later = at, ZERO
        if number != own and let_ppm:
            steered = come_by(today, next_at)
            flight_now += full * clicks_ppm(rate, steered - at) * let_ppm
            if next_at > tomorrow.start_at:
                later = come_by(tomorrow, next_at)
                flight_then += full * clicks_ppm(usual, later) * let_ppm
        elif number != own:
            steered = come_by(today, next_at)
            later = come_by(tomorrow, next_at)
        open_now += full * clicks_ppm(rate, today.sums[-1] - steered)
        open_then += full * clicks_ppm(usual, tomorrow.sums[-1] - later)
    square = PPM * PPM
    return Ahead(flight_now // square, open_now // PPM, flight_then // square, open_then // PPM)


def life_of(stream: Stream, now: Instant, until: Instant) -> Life:
    """What a copy of this stream would spend at the full bid from now on until it is replaced."""
    today = come_by(stream.today, until) - come_by(stream.today, now)
    later = come_by(stream.tomorrow, until)
    return Life(
        share_down(stream.full_micros, clicks_ppm(stream.rate, today)),
        share_down(stream.full_micros, clicks_ppm(stream.usual, later)),
    )
