"""Budgets paced for publishers that hold copies, in markets of job groups over four weeks, and
targets for applies beside an oracle. ``pacing:40``: with so many job groups instead of 300.
"""

import time
from collections.abc import Callable

from bench.figures import Figure
from handbill.simulate.tables import AT_ONCE, BESIDE, EVENLY, ODD, PACED, Row, played
from handbill.simulate.targets import Achieved, play_targets

SEEDS = (7, 8, 9)
GROUPS, DAYS = 300, 28
CPU_LIMIT = 120
Check = tuple[str, Callable[[Row], float], str, float, bool]
"""A figure's name, how it is read, its unit, its limit, and whether it is a most."""


def _used(least: float) -> Check:
    return "used", lambda row: 100 * row.used, "% of value", least, False


def _unbilled(most: float) -> Check:
    return "unbilled", lambda row: 100 * row.unbilled, "% of value", most, True


OVER: Check = ("over any cap", lambda row: row.over, "micros", 0, True)
CHANGED: Check = ("bids changed per refresh", lambda row: 100 * row.changed, "%", 40, True)
CHECKS: dict[str, tuple[Check, ...]] = {
    PACED.name: (
        _used(99),
        _unbilled(0.5),
        CHANGED,
        ("groups that used 98 %", lambda row: 100 * row.nearly_all, "% of groups", 95, False),
        ("most of a day", lambda row: row.worst_day, "shares", 1.2, True),
        ("days within 10 %", lambda row: 100 * row.days_near, "% of days", 88, False),
        ("half-month, least", lambda row: 100 * row.half, "%", 45, False),
        ("half-month, most", lambda row: 100 * row.half, "%", 55, True),
        ("RMSE of days", lambda row: row.rmse, "shares", 0.06, True),
    ),
    **{world.name: (_used(98), _unbilled(1)) for world in ODD},
    EVENLY[0].name: (
        _used(97.5),
        _unbilled(1.5),
        CHANGED,
        ("days within max(5 %, one bid)", lambda row: 100 * row.days_near, "% of days", 90, False),
        ("RMSE in the day", lambda row: row.rmse, "of value", 0.055, True),
        ("out before 20:00", lambda row: 100 * row.early, "% of days", 4, True),
    ),
    EVENLY[1].name: (_used(93), _unbilled(6), CHANGED),
    AT_ONCE.name: (_unbilled(7),),
}


def run(groups: int = GROUPS) -> list[Figure]:
    """The paced month with all job groups; the other rows with a third of them."""
    figures: list[Figure] = []
    for world in (PACED, *ODD, *EVENLY, AT_ONCE):
        size = groups if world is PACED else max(1, groups // 3)
        began = time.process_time()
        row = played(world, size, SEEDS)
        spent = time.process_time() - began
        note = f"seeds {SEEDS}, {size} groups x {DAYS} days each, {row.bound} bound"
        figures += [_figure(world.name, check, row, note) for check in (*CHECKS[world.name], OVER)]
        if world is PACED:
            figures.append(
                Figure(
                    "simulator, paced month",
                    spent,
                    "CPU s",
                    f"<= {CPU_LIMIT}",
                    spent <= CPU_LIMIT,
                    note,
                )
            )
    for world in BESIDE:
        row = played(world, max(1, groups // 3), SEEDS)
        for name, value in (("used", row.used), ("unbilled", row.unbilled)):
            figures.append(Figure(f"{world.name}: {name}", 100 * value, "% of value", "", met=True))
    return figures + _targets([play_targets(groups, DAYS, seed) for seed in SEEDS])


def _figure(world: str, check: Check, row: Row, note: str) -> Figure:
    name, read, unit, limit, is_most = check
    value = read(row)
    met = value <= limit if is_most else value >= limit
    sign = "<=" if is_most else ">="
    return Figure(f"{world}: {name}", value, unit, f"{sign} {limit:g}", met, note)


def _targets(markets: list[Achieved]) -> list[Figure]:
    applies = sum(one.applies for one in markets) / sum(one.oracle_applies for one in markets)
    within = sum(one.within for one in markets) / sum(one.warm for one in markets)
    from_first = sum(one.all_within for one in markets) / sum(one.all_warm for one in markets)
    changed = sum(one.changed for one in markets) / sum(one.steps for one in markets)
    note = f"seeds {SEEDS}, a step each six hours"
    return [
        Figure("CPA: applies of an oracle's", 100 * applies, "%", ">= 93", applies >= 0.93, note),
        Figure(
            "CPA: at 110 % of target at most",
            100 * within,
            "% of groups",
            ">= 94",
            within >= 0.94,
            "from 20 applies on, where as many came after",
        ),
        Figure(
            "CPA: the same from the first click on",
            100 * from_first,
            "% of groups",
            "",
            met=True,
            note="groups with 20 applies",
        ),
        Figure("CPA: bids changed a step", 100 * changed, "%", "<= 25", changed <= 0.25, note),
    ]
