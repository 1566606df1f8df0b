"""A client's spend of a month beside its plan, for those who look at many clients at once. The
forecast of a single cap, with its range, is in ``outlook``.

**Units**: micros.
"""

from calendar import monthrange
from datetime import date, timedelta
from typing import Final, NamedTuple, Self

from handbill.core.nouns import Cap

MOST_EVIDENCE: Final = 7
"""A projection goes by so many days before today, at most."""


class MonthSpend(NamedTuple):
    """What budgets count, with markups: in this month, today, and in the days before today that a
    projection goes by.
    """

    used: int = 0
    today: int = 0
    lately: int = 0


class MonthDays(NamedTuple):
    """The days of a month on which a client may trade: how many, and of these those after today.
    ``today``: whether today is one.
    """

    days: int
    left: int
    today: bool

    @classmethod
    def of(cls, today: date, start_on: str, end_on: str) -> Self:
        """The days of today's month from a client's first day to its last; an empty text is no
        bound.
        """
        month = f"{today:%Y-%m}-"
        first, last = f"{month}01", f"{month}{monthrange(today.year, today.month)[1]}"
        start_on, end_on = max(first, start_on), min(last, end_on or last)
        if start_on > end_on:
            return cls(0, 0, today=False)
        start, end = date.fromisoformat(start_on), date.fromisoformat(end_on)
        left = (end - max(start - timedelta(days=1), today)).days
        return cls((end - start).days + 1, max(0, left), today=start <= today <= end)


class MonthPace(NamedTuple):
    """``planned`` None: there is no budget by day, week or month. ``projected`` None: no day is
    over, so nothing is known yet.
    """

    used: int
    planned: int | None
    projected: int | None


def month_of(
    cap: Cap | None, days: MonthDays, spent: MonthSpend, days_over: int, in_all: int = 0
) -> MonthPace:
    """``days_over``: how many days ``lately`` is of; ``in_all``: what is used of a lifetime budget,
    before this month too.

    The projection assumes that each day that is left brings the average of those days, rounded
    down, and at most the plan in all; or what is left of a lifetime budget.
    """
    planned = planned_in(cap, days.days)
    if not days_over:
        return MonthPace(spent.used, planned, None)
    a_day = spent.lately // days_over
    rest = max(0, a_day - spent.today) if days.today else 0
    projected = spent.used + rest + a_day * days.left
    if planned is not None:
        projected = min(projected, max(planned, spent.used))
    elif cap is not None:
        projected = min(projected, spent.used + max(0, cap.value - in_all))
    return MonthPace(spent.used, planned, max(projected, spent.used))


def planned_in(cap: Cap | None, days: int) -> int | None:
    """What a budget allows on so many days of a month; of a weekly one, as many sevenths."""
    if cap is None or cap.period == "Lifetime":
        return None
    if cap.period == "Monthly":
        return cap.value if days else 0
    return cap.value * days if cap.period == "Daily" else cap.value * days // 7


def sum_of_paces(some: list[MonthPace]) -> MonthPace:
    """The sum of several. What is planned for none, or projected of none, is None."""
    planned = [one.planned for one in some if one.planned is not None]
    projected = [one.projected for one in some if one.projected is not None]
    return MonthPace(
        sum(one.used for one in some),
        sum(planned) if planned else None,
        sum(projected) if projected else None,
    )
