"""When traffic comes to each publisher: its week, learned of all clients that offer jobs there.

The clicks of a day are added up by quarter hours. Once the day is over everywhere, it becomes part
of the week, at all publishers at once: what is learned does not change until the next one.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date, tzinfo
from functools import lru_cache
from typing import Final, NamedTuple

import msgspec

from handbill.core.in_force import Key
from handbill.core.pacing.curves import (
    FLAT,
    KEEP,
    OF_DAY,
    OF_WEEK,
    Curve,
    TrafficShape,
    curve_of,
    learned,
    with_day,
)
from handbill.kit.instants import HOUR, Instant
from handbill.kit.money import PPM
from handbill.kit.zones import QUARTER, day_of, start_of, zone_of
from handbill.ledger.traffic import Quarter, SeenTraffic

ALL: Final = 0
"""Stands for what all publishers have in common."""
_SHAPE_CLICKS: Final = 2_000.0
"""How many clicks give a publisher's own shape the same weight as the common one."""
_LEAST_LET: Final = 20_000
_LAST_ZONE: Final = 12 * HOUR
"""How much later than in UTC a day ends in the last zone."""


class TrafficWeek(msgspec.Struct):
    """What was seen of a publisher's traffic by quarter hours of the week, in average days."""

    seen: list[float]
    days: list[float]
    """How many days of each weekday are in it, faded like the traffic."""
    usual: float
    day_on: str
    """The last day that is in it."""


class QuarterClicks(NamedTuple):
    """Clicks at a publisher in a quarter hour of a day, by local time, in millionths: each counts
    for as many as would have come if all had been let through.
    """

    publisher_no: int
    day_on: str
    quarter: int
    clicks_ppm: int


_WEEK = msgspec.json.Decoder(TrafficWeek)


@dataclass(slots=True)
class Calendar:
    """A publisher's traffic in a client's zone; each day of it is computed once."""

    shape: TrafficShape
    zone: tzinfo
    days: dict[date, Curve] = field(default_factory=dict)

    def curve(self, day: date) -> Curve:
        curve = self.days.get(day)
        if curve is None:
            curve = self.days[day] = curve_of(self.shape, day, self.zone)
        return curve


def calendars_of(
    bodies: Mapping[int, str], publisher_nos: Iterable[int], zone: tzinfo
) -> Mapping[int, Calendar]:
    """Each publisher's traffic, its week shrunk towards the week that all have in common, which is
    under ALL.
    """
    return _calendars(tuple(sorted(bodies.items())), tuple(sorted(publisher_nos)), zone)


@lru_cache(maxsize=64)
def _calendars(
    bodies: tuple[tuple[int, str], ...], publisher_nos: tuple[int, ...], zone: tzinfo
) -> Mapping[int, Calendar]:
    known = dict(bodies)
    sums = [
        sum(column) for column in zip(*(_seen(body)[0] for body in known.values()), strict=True)
    ]
    shared = learned(sums, FLAT, 1.0) if sums else FLAT
    calendars = {ALL: Calendar(shared, zone)}
    for no in publisher_nos:
        calendars[no] = Calendar(_learned(known[no], shared) if no in known else shared, zone)
    return calendars


@lru_cache(maxsize=1_024)
def _learned(body: str, shared: TrafficShape) -> TrafficShape:
    seen, usual = _seen(body)
    return learned(seen, shared, _SHAPE_CLICKS / max(1.0, usual))


@lru_cache(maxsize=1_024)
def _seen(body: str) -> tuple[list[float], float]:
    """A week with as many days of each kind as fading allows at most, and the clicks of a usual
    day. Weekdays that were seen seldom or never are like the others.
    """
    week = _WEEK.decode(body)
    days = sum(week.days)
    mean = [sum(week.seen[quarter::OF_DAY]) / days for quarter in range(OF_DAY)]
    seen = [
        (weight + mean[at % OF_DAY]) / (week.days[at // OF_DAY] + 1) / (1 - KEEP)
        for at, weight in enumerate(week.seen)
    ]
    return seen, week.usual


def quarters_with(
    came: Iterable[tuple[Quarter, SeenTraffic]], lets: Mapping[Key, int], zone: tzinfo
) -> list[QuarterClicks]:
    """A client's clicks, to be added up. ``lets``: the part let through, by group and publisher."""
    sums: dict[tuple[int, str, int], int] = {}
    for (group_no, publisher_no, quarter_at), one in came:
        day = day_of(quarter_at, zone)
        at = min((quarter_at - start_of(day, zone)) // QUARTER, OF_DAY - 1)
        let_ppm = max(lets.get((group_no, publisher_no), PPM), _LEAST_LET)
        key = (publisher_no, day.isoformat(), at)
        sums[key] = sums.get(key, 0) + one.clicks * PPM * PPM // let_ppm
    return [QuarterClicks(*key, clicks) for key, clicks in sorted(sums.items()) if clicks]


def closed_before(now: Instant) -> date:
    """The day before which all days are over everywhere."""
    return day_of(now - _LAST_ZONE, zone_of("UTC"))


def closed(body: str | None, came: Iterable[QuarterClicks]) -> str:
    """A week with the days that are over. Late clicks of a day that is already in it are ignored:
    they say nothing more of when traffic comes.
    """
    week = _WEEK.decode(body) if body else TrafficWeek([0.0] * OF_WEEK, [0.0] * 7, 0.0, "")
    days: dict[str, list[float]] = {}
    for one in came:
        if one.day_on > week.day_on:
            days.setdefault(one.day_on, [0.0] * OF_DAY)[one.quarter] += one.clicks_ppm / PPM
    for day_on, clicks in sorted(days.items()):
        week = _with_day(week, date.fromisoformat(day_on), clicks)
    return msgspec.json.encode(week).decode()


def _with_day(week: TrafficWeek, day: date, clicks: list[float]) -> TrafficWeek:
    whole, days = sum(clicks), list(week.days)
    usual = week.usual * KEEP + whole * (1 - KEEP) if week.usual else whole
    days[day.weekday()] = days[day.weekday()] * KEEP + 1
    seen = [round(weight, 6) for weight in with_day(week.seen, day, clicks, usual)]
    return TrafficWeek(seen, days, usual, day.isoformat())
