"""When rules run, which days they look at then, and how many of those days' results have come."""

from collections.abc import Mapping, Sequence
from datetime import date
from functools import lru_cache
from typing import Final

from handbill.core.rule_conditions import RuleBody, days_of
from handbill.core.rules.figures import Window
from handbill.kit.instants import HOUR, MINUTE, Instant
from handbill.kit.money import PPM

EVERY: Final = 15 * MINUTE
"""Rules run at full quarters of an hour, on what had come until then."""
SETTLES: Final = HOUR
"""The day before is settled no sooner than so long after midnight."""
_OF_DAYS = "last_"


def instant_of_run(at: Instant) -> Instant:
    """The latest instant at which rules run, up to a given one."""
    return at // EVERY * EVERY


@lru_cache(maxsize=1_000)
def window_of(duration: str, today: date) -> Window:
    first, last = days_of(duration, today)
    return first.isoformat(), last.isoformat()


def waits_for_yesterday(rule: RuleBody) -> bool:
    """Whether it looks at whole past days, of which the last one has to be settled."""
    return any(is_past(one.duration) for one in rule.conditions)


def reads_once(rule: RuleBody) -> bool:
    """Whether all its figures stay the same for the whole day."""
    return all(is_past(one.duration) for one in rule.conditions)


def is_past(duration: str) -> bool:
    return duration == "yesterday" or duration.startswith(_OF_DAYS)


def maturity_ppm(curve: Sequence[int], duration: str, today: date) -> int:
    """The share of a window's applies that has come by now; all if nothing is known."""
    first, last = days_of(duration, today)
    if not curve:
        return PPM
    ages = range((today - last).days, (today - first).days + 1)
    return sum(curve[min(age, len(curve) - 1)] for age in ages) // len(ages)


def curve_of(ages: Mapping[int, int], least: int = 10) -> tuple[int, ...]:
    """From the number of applies by days after their click, for clicks that are old enough."""
    whole = sum(ages.values())
    if whole < least:
        return ()
    come, curve = 0, []
    for age in range(max(ages) + 1):
        come += ages.get(age, 0)
        curve.append(come * PPM // whole)
    return tuple(curve)
