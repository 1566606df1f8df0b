"""What a posting costs: per job and day, per slot and hour, and spread over its days.

**Units**: micros. Quotients are rounded half even; spread parts add up to the whole exactly.
**Source**: domain 10.
"""

from collections.abc import Sequence
from datetime import date, tzinfo
from fractions import Fraction

from handbill.kit.instants import HOUR, Instant
from handbill.kit.zones import day_of


def hours_of(start_at: Instant, end_at: Instant) -> int:
    """The length of a purchase; a begun hour counts, and an end before the start gives 0."""
    return max(0, -(-(end_at - start_at) // HOUR))


def per_job_and_day(cost_micros: int, count: int, stay_days: int) -> int:
    """costPerJobPerDay: the cost divided by the number bought and the days that a job stays."""
    return _quotient(cost_micros, count * stay_days)


def per_slot_and_hour(cost_micros: int, count: int, hours: int) -> int:
    """costPerSlotPerHour: the cost, divided by the number bought and by the hours; 0 if the
    purchase has no length.
    """
    return _quotient(cost_micros, count * hours)


def days_of(start_at: Instant, end_at: Instant, zone: tzinfo) -> tuple[date, date]:
    """The first and the last calendar day of a purchase; both the same if it has no length. One
    that ends as a day begins has no part of that day.
    """
    first = day_of(start_at, zone)
    return first, max(first, day_of(end_at - 1, zone))


def next_part(cost_micros: int, spent_micros: int, days_left: int) -> int:
    """The part of the cost for the first of the days left: an even share, rounded down.

    The parts of an unchanged purchase differ by at most one micro, and add up to the cost. After a
    change, the rest of the new cost is spread; what was spent before is never given back.
    """
    return max(0, cost_micros - spent_micros) // days_left


def shared(micros: int, weights: Sequence[int]) -> tuple[int, ...]:
    """An amount split by weight (jobs posted by each client); evenly if all weights are 0.

    The parts add up exactly: the remainder goes to the largest fractions, the first among equals.
    """
    if not weights:
        raise ValueError("nobody is there to share")
    total = sum(weights)
    if total == 0:
        weights, total = [1] * len(weights), len(weights)
    parts = [micros * weight // total for weight in weights]
    rest = [micros * weight % total for weight in weights]
    order = sorted(range(len(weights)), key=lambda at: (-rest[at], at))
    for at in order[: micros - sum(parts)]:
        parts[at] += 1
    return tuple(parts)


def _quotient(micros: int, by: int) -> int:
    return round(Fraction(micros, by)) if by else 0
