"""What is learned of each job group's demand at each publisher.

Clicks are weighed by what was let through when they came; else pacing would learn its own shape.
"""

from collections.abc import Iterable
from datetime import timedelta, tzinfo
from typing import Final, NamedTuple

from handbill.control.rows import KnownDemand, PairDay
from handbill.control.weeks import Calendar
from handbill.core.in_force import Paced
from handbill.core.pacing.copies import ShownCopy
from handbill.core.pacing.curves import KEEP, Curve, come_by
from handbill.core.pacing.demand import guessed, next_day, seen
from handbill.kit.instants import MINUTE, Instant
from handbill.kit.money import PPM
from handbill.kit.zones import day_of
from handbill.ledger.traffic import Quarter, SeenTraffic
from handbill.store.records.columns import MOST_ESTIMATED

_CLICKS_OF_JOB: Final = 0.2
"""The clicks expected of a job in a day at full bids, before anything came."""
_MOST_DAYS: Final = 8
SOON: Final = 10 * MINUTE
"""How long before a publisher's expected fetch its next file is decided."""
_DAY: Final = timedelta(days=1)


class CopyShare(NamedTuple):
    """What the present copy lets through of the spend and of the clicks; ``since``: when it was
    fetched; ``before_ppm``: what was let through of the clicks before that.
    """

    let_ppm: int
    clicks_ppm: int
    before_ppm: int
    since: Instant

    @property
    def weight_ppm(self) -> int:
        """The part of the clicks let through when the last ones came."""
        return self.clicks_ppm or self.before_ppm or PPM


NOTHING: Final = CopyShare(0, 0, 0, 0)
"""Without a decision nothing is in a file, so nothing is in flight and nothing is let through."""


def copy_of(paced: Paced | None, held: ShownCopy | None) -> CopyShare:
    """The copy of a job group's listings that a publisher shows."""
    if paced is None:
        return NOTHING
    if held is None or not held.version:
        return CopyShare(paced.let_ppm, paced.clicks_ppm, paced.clicks_ppm, 0)
    if held.version < paced.decided_at and not _is_followed(paced, held):
        return CopyShare(paced.held_let_ppm, paced.held_clicks_ppm, paced.held_clicks_ppm, 0)
    return CopyShare(paced.let_ppm, paced.clicks_ppm, paced.held_clicks_ppm, held.fetched_at)


def _is_followed(paced: Paced, held: ShownCopy) -> bool:
    """Whether a publisher has certainly fetched a file without the listings that have ended: one
    that left them out before they were known to have ended is not written again.
    """
    return paced.is_ended and held.fetched_at - paced.decided_at >= SOON


def first_guess(jobs: int, now: Instant) -> KnownDemand:
    """The assumption for a job group at a publisher where nothing came yet."""
    return KnownDemand(guessed(max(1.0, jobs * _CLICKS_OF_JOB)), 0.0, now)


def moved_on(
    known: KnownDemand,
    came: Iterable[tuple[Quarter, SeenTraffic]],
    copy: CopyShare,
    week: Calendar,
    now: Instant,
) -> KnownDemand:
    """What is known now of a job group at a publisher; ``came``: what came since the last look."""
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
    return KnownDemand(demand, applies, now)


def _let_through(curve: Curve, first: Instant, last: Instant, copy: CopyShare) -> float:
    """The full-rate traffic of a span of time, as far as copies let it through."""
    if first >= last:
        return 0.0
    at, until = come_by(curve, first), come_by(curve, last)
    turn = min(max(come_by(curve, copy.since), at), until) if copy.since else at
    return ((turn - at) * copy.before_ppm + (until - turn) * copy.clicks_ppm) / PPM


def apply_ppm(known: KnownDemand) -> int:
    """Applies per million clicks, from what was seen and a guess that counts as twenty clicks."""
    clicks = known.demand.clicks + known.demand.today_clicks
    return round(PPM * min(1.0, (known.applies + 1) / (clicks + 20)))


def days_with(came: Iterable[tuple[Quarter, SeenTraffic]], zone: tzinfo) -> list[PairDay]:
    """What came, by day in the client's zone."""
    days: dict[tuple[int, int, str], PairDay] = {}
    for (group_no, publisher_no, at), one in came:
        key = (group_no, publisher_no, day_of(at, zone).isoformat())
        before = days.get(key) or PairDay(*key)
        days[key] = before._replace(
            clicks=before.clicks + one.clicks,
            applies=before.applies + one.applies,
            unbilled=before.unbilled + one.unbilled,
            unbilled_micros=min(before.unbilled_micros + one.unbilled_micros, MOST_ESTIMATED),
            spend_micros=min(before.spend_micros + one.spend_micros, MOST_ESTIMATED),
        )
    return list(days.values())
