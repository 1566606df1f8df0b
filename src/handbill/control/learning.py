"""What is learned of traffic: each job group's demand at each publisher, and the publishers' week.

A click is weighed by what was let through when it came: pacing would learn its own shape else.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date, timedelta, tzinfo
from functools import lru_cache
from typing import Final, NamedTuple

import msgspec

from handbill.control.rows import Known, PairDay
from handbill.core.in_force import Key, Paced
from handbill.core.pacing.copies import Held
from handbill.core.pacing.curves import (
    FLAT,
    KEEP,
    OF_DAY,
    OF_WEEK,
    QUARTER,
    Curve,
    Shape,
    come_by,
    curve_of,
    learned,
    with_day,
)
from handbill.core.pacing.demand import guessed, next_day, seen
from handbill.kit.instants import Instant
from handbill.kit.money import PPM
from handbill.kit.zones import day_of, start_of
from handbill.ledger.traffic import Quarter, Seen

_SHAPE_CLICKS: Final = 2_000.0
"""How many clicks a publisher's own shape needs to count for as much as what all share."""
_CLICKS_OF_JOB: Final = 0.2
"""What a job is thought to get in a day at full bids, before anything came."""
_LEAST_LET: Final = 20_000
_MOST_DAYS: Final = 8
_DAY: Final = timedelta(days=1)


class Week(msgspec.Struct):
    """What was seen of a publisher's traffic by quarter hours of the week, in average days; of the
    day ``day_on`` not yet, but its clicks.
    """

    seen: list[float]
    days: list[float]
    """How many days of each weekday are in it, faded as it is."""
    day_on: str = ""
    clicks: list[float] = []
    usual: float = 0.0


class Copy(NamedTuple):
    """What the copy that is out lets through of the spend and of the clicks; ``since``: when it was
    fetched, ``before_ppm``: of the clicks until then.
    """

    let_ppm: int
    clicks_ppm: int
    before_ppm: int
    since: Instant


NEW: Final = Copy(0, PPM, PPM, 0)
"""What was never decided on is in no file yet, so that nothing of it is in flight."""
_WEEK = msgspec.json.Decoder(Week)


def copy_of(paced: Paced | None, held: Held | None) -> Copy:
    """The copy of a job group's listings that a publisher shows."""
    if paced is None:
        return NEW
    if held is None or not held.version:
        return Copy(paced.let_ppm, paced.clicks_ppm, paced.clicks_ppm, 0)
    if held.version < paced.decided_at:
        return Copy(paced.held_let_ppm, paced.held_clicks_ppm, paced.held_clicks_ppm, 0)
    return Copy(paced.let_ppm, paced.clicks_ppm, paced.held_clicks_ppm, held.fetched_at)


def first_guess(jobs: int, now: Instant) -> Known:
    """What is believed of a job group at a publisher where nothing came yet."""
    return Known(guessed(max(1.0, jobs * _CLICKS_OF_JOB)), 0.0, now)


def moved_on(
    known: Known, came: Iterable[tuple[Quarter, Seen]], copy: Copy, week: "Calendar", now: Instant
) -> Known:
    """What is known by now of a job group at a publisher; ``came``: what did since."""
    demand, applies = known.demand, known.applies
    today = day_of(now, week.zone)
    day = max(day_of(known.seen_at, week.zone), today - _MOST_DAYS * _DAY)
    parts = [(day_of(quarter.quarter_at, week.zone), one) for quarter, one in came]
    while day <= today:
        curve = week.curve(day)
        first, last = max(known.seen_at, curve.start_at), min(now, curve.end_at)
        traffic = _let_through(curve, first, last, copy)
        here = [one for on, one in parts if on == day or (day == today and on > day)]
        demand = seen(demand, sum(one.clicks for one in here), traffic)
        applies += sum(one.applies for one in here)
        if day < today:
            applies *= KEEP ** min(1.0, demand.today_traffic)
            demand = next_day(demand)
        day += _DAY
    return Known(demand, applies, now)


def _let_through(curve: Curve, first: Instant, last: Instant, copy: Copy) -> float:
    """The full-rate traffic of a time, as far as copies let it through."""
    if first >= last:
        return 0.0
    at, until = come_by(curve, first), come_by(curve, last)
    turn = min(max(come_by(curve, copy.since), at), until) if copy.since else at
    return ((turn - at) * copy.before_ppm + (until - turn) * copy.clicks_ppm) / PPM


@dataclass(slots=True)
class Calendar:
    """A publisher's traffic in a client's zone; each day of it is worked out once."""

    shape: Shape
    zone: tzinfo
    days: dict[date, Curve] = field(default_factory=dict)

    def curve(self, day: date) -> Curve:
        found = self.days.get(day)
        if found is None:
            found = self.days[day] = curve_of(self.shape, day, self.zone)
        return found


def apply_ppm(known: Known) -> int:
    """Applies of a million clicks, of what was seen and a guess that counts for twenty clicks."""
    clicks = known.demand.clicks + known.demand.today_clicks
    return round(PPM * min(1.0, (known.applies + 1) / (clicks + 20)))


def shapes_of(bodies: Mapping[int, str], publisher_nos: Iterable[int]) -> dict[int, Shape]:
    """The shape of each publisher's week, shrunk to what all have in common; under 0, that."""
    return dict(_shapes(tuple(sorted(bodies.items())), tuple(sorted(publisher_nos))))


@lru_cache(maxsize=64)
def _shapes(
    bodies: tuple[tuple[int, str], ...], publisher_nos: tuple[int, ...]
) -> Mapping[int, Shape]:
    weeks = {no: _WEEK.decode(body) for no, body in bodies}
    seen = {no: whole for no, week in weeks.items() if (whole := _whole(week))}
    sums = [sum(column) for column in zip(*seen.values(), strict=True)]
    shared = learned(sums, FLAT, 1.0) if sums else FLAT
    found = {0: shared}
    for no in publisher_nos:
        strength = _SHAPE_CLICKS / max(1.0, weeks[no].usual) if no in seen else 0.0
        found[no] = learned(seen[no], shared, strength) if no in seen else shared
    return found


def _whole(week: Week) -> list[float]:
    """A week of so many days each as fading leaves in the end; weekdays that were seen seldom, or
    never, are as the others are. Empty where nothing was seen.
    """
    days = sum(week.days)
    if not days:
        return []
    mean = [sum(week.seen[quarter::OF_DAY]) / days for quarter in range(OF_DAY)]
    return [
        (weight + mean[at % OF_DAY]) / (week.days[at // OF_DAY] + 1) / (1 - KEEP)
        for at, weight in enumerate(week.seen)
    ]


def weeks_with(
    bodies: Mapping[int, str],
    came: Iterable[tuple[Quarter, Seen]],
    lets: Mapping[Key, int],
    zone: tzinfo,
) -> dict[int, str]:
    """The weeks of those publishers at which anything came, with that. ``lets``: of the clicks."""
    found: dict[int, Week] = {}
    for quarter, one in came:
        no = quarter.publisher_no
        if no not in found:
            known = bodies.get(no)
            found[no] = _WEEK.decode(known) if known else Week([0.0] * OF_WEEK, [0.0] * 7)
        week, day = found[no], day_of(quarter.quarter_at, zone)
        if day.isoformat() > week.day_on:
            found[no] = week = _closed(week, day)
        at = min((quarter.quarter_at - start_of(day, zone)) // QUARTER, OF_DAY - 1)
        let_ppm = max(lets.get((quarter.group_no, no), PPM), _LEAST_LET)
        week.clicks[at] += one.clicks * PPM / let_ppm
    return {no: msgspec.json.encode(week).decode() for no, week in found.items()}


def _closed(week: Week, day: date) -> Week:
    """The day that is over becomes part of what was seen."""
    found, days, usual = week.seen, list(week.days), week.usual
    if week.day_on and sum(week.clicks):
        whole = sum(week.clicks)
        usual = usual * KEEP + whole * (1 - KEEP) if usual else whole
        before = date.fromisoformat(week.day_on)
        found = with_day(found, before, week.clicks, usual)
        days[before.weekday()] = days[before.weekday()] * KEEP + 1
    rounded = [round(weight, 6) for weight in found]
    return Week(rounded, days, day.isoformat(), [0.0] * OF_DAY, usual)


def days_with(
    came: Iterable[tuple[Quarter, Seen]], lets: Mapping[Key, int], zone: tzinfo
) -> list[PairDay]:
    """What came, by the day of the client's zone."""
    found: dict[tuple[int, int, str], PairDay] = {}
    for (group_no, publisher_no, at), one in came:
        key = (group_no, publisher_no, day_of(at, zone).isoformat())
        before = found.get(key)
        if before is None:
            before = PairDay(*key, let_ppm=lets.get(key[:2], PPM))
        found[key] = before._replace(
            clicks=before.clicks + one.clicks,
            applies=before.applies + one.applies,
            unbilled=before.unbilled + one.unbilled,
            unbilled_micros=before.unbilled_micros + one.unbilled_micros,
            spend_micros=before.spend_micros + one.spend_micros,
        )
    return list(found.values())
