"""The expected spend: the clicks of each job group at each publisher, at their bids.

A **stream** is one job group at one publisher: the bid as set, its demand, the traffic there today
and tomorrow, and the copy that is held. All streams below a cap flow into it.
"""

from collections.abc import Iterable, Sequence
from typing import NamedTuple

from handbill.core.pacing.curves import Curve, come_by
from handbill.core.pacing.demand import clicks_ppm
from handbill.core.pacing.plans import Ahead, CopyDemand
from handbill.kit.instants import Instant
from handbill.kit.money import PPM, share_down

ZERO: float = 0


class ClickStream(NamedTuple):
    """``full_micros``: the cost of a click at the full bid, as caps count it. ``rate``, ``usual``:
    clicks of a day at the full bids, estimated for today and on average. ``let_ppm``: the part of
    the full spend that the current copy lets through, until ``next_at``.
    """

    full_micros: int
    rate: float
    usual: float
    today: Curve
    tomorrow: Curve
    let_ppm: int
    next_at: Instant


class ClickFlow(NamedTuple):
    """Clicks of one stream in millionths, today and tomorrow: in flight, those that its copy would
    still bring if all were let through; open, those after it.
    """

    flight_now: int
    open_now: int
    flight_then: int
    open_then: int


def flow_of(stream: ClickStream, now: Instant, *, steered: bool) -> ClickFlow:
    """The flow of a stream. ``steered``: its copy is replaced now, so that everything is open.
    Tomorrow has the usual demand.
    """
    _, rate, usual, today, tomorrow, let_ppm, next_at = stream
    at = come_by(today, now)
    until, later = at, ZERO
    flight_now = flight_then = 0
    if not steered:
        until, later = come_by(today, next_at), come_by(tomorrow, next_at)
        if let_ppm:
            flight_now = clicks_ppm(rate, until - at)
            flight_then = clicks_ppm(usual, later)
    return ClickFlow(
        flight_now,
        clicks_ppm(rate, today.sums[-1] - until),
        flight_then,
        clicks_ppm(usual, tomorrow.sums[-1] - later),
    )


def spends(flow: ClickFlow, full: int, let_ppm: int) -> ClickFlow:
    """The flow in the unit that a cap counts, at so much a click: in flight in millionths of
    millionths of it, open in millionths. ``ahead_in`` adds them up.
    """
    flight = full * let_ppm
    return ClickFlow(
        flight * flow.flight_now,
        full * flow.open_now,
        flight * flow.flight_then,
        full * flow.open_then,
    )


def ahead_in(flows: Iterable[ClickFlow]) -> Ahead:
    """The expected spend under a cap: the sum of its flows."""
    flight_now = open_now = flight_then = open_then = 0
    for flow in flows:
        flight_now += flow.flight_now
        open_now += flow.open_now
        flight_then += flow.flight_then
        open_then += flow.open_then
    square = PPM * PPM
    return Ahead(flight_now // square, open_now // PPM, flight_then // square, open_then // PPM)


def ahead_of(streams: Sequence[ClickStream], now: Instant, own: int) -> Ahead:
    """The expected spend under a cap when stream number ``own`` is steered."""
    return ahead_in(
        spends(flow_of(stream, now, steered=number == own), stream.full_micros, stream.let_ppm)
        for number, stream in enumerate(streams)
    )


def life_of(stream: ClickStream, now: Instant, until: Instant) -> CopyDemand:
    """What a copy of this stream would spend at the full bid from now on until it is replaced."""
    today = come_by(stream.today, until) - come_by(stream.today, now)
    later = come_by(stream.tomorrow, until)
    return CopyDemand(
        share_down(stream.full_micros, clicks_ppm(stream.rate, today)),
        share_down(stream.full_micros, clicks_ppm(stream.usual, later)),
    )
