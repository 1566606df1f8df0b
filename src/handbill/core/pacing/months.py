"""A client's spend of a month beside its plan, for those who look at many clients at once. The
forecast of a single cap, with its range, is in ``outlook``.

**Units**: micros.
"""

from calendar import monthrange
from datetime import date
from typing import Final, NamedTuple

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


class MonthPace(NamedTuple):
    """``planned`` None: there is no budget by day, week or month. ``projected`` None: no day is
    over, so nothing is known yet.
    """

    used: int
    planned: int | None
    projected: int | None


def month_of(
    cap: Cap | None, today: date, spent: MonthSpend, days_over: int, in_all: int = 0
) -> MonthPace:
    """The month of which ``today`` is a day. ``days_over``: how many days ``lately`` is of;
    ``in_all``: what is used of a lifetime budget, before this month too.

    The projection assumes that each day that is left brings the average of those days, rounded
    down, and at most the plan in all; or what is left of a lifetime budget.
    """
    days = monthrange(today.year, today.month)[1]
    planned = planned_in(cap, days)
    if not days_over:
        return MonthPace(spent.used, planned, None)
    a_day = spent.lately // days_over
    projected = spent.used + max(0, a_day - spent.today) + a_day * (days - today.day)
    if planned is not None:
        projected = min(projected, max(planned, spent.used))
    elif cap is not None:
        projected = min(projected, spent.used + max(0, cap.value - in_all))
    return MonthPace(spent.used, planned, max(projected, spent.used))


def planned_in(cap: Cap | None, days: int) -> int | None:
    """What a budget allows in a month of so many days; of a weekly one, as many sevenths."""
    if cap is None or cap.period == "Lifetime":
        return None
    if cap.period == "Monthly":
        return cap.value
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
