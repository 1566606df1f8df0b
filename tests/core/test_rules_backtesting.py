"""Back-tests alone: when rules run, what they see by then, and how far a long one goes."""

from datetime import date, timedelta

import pytest

from handbill.core.rule_conditions import Condition, Guards, RuleBody
from handbill.core.rules.backtesting import BacktestScene, PastResults, backtested, instants_of
from handbill.core.rules.subjects import ActTarget, RuleSubject
from handbill.core.rules.windows import EVERY
from handbill.kit.instants import DAY, HOUR
from handbill.kit.zones import start_of, zone_of

ONE = 1_000_000
ZONE = zone_of("America/New_York")
LONG = date(2026, 11, 1)
"""A day of 25 hours."""


def rule(duration: str = "today") -> RuleBody:
    clicks = Condition("clicks", "greater than", 0, "#", duration)
    return RuleBody(
        name="r",
        level="jobgroups",
        conditions=(clicks,),
        action_type="administration",
        admin="pause",
        guards=Guards(share_ppm=ONE),
    )


@pytest.mark.parametrize(("day", "hours"), [(LONG, 25), (LONG + timedelta(days=1), 24)])
def test_rules_run_at_each_quarter_of_a_day_and_at_past_days_once(day: date, hours: int) -> None:
    begins = start_of(day, ZONE)
    last = begins + hours * HOUR - 1
    every = list(instants_of(rule(), day, last, ZONE))
    assert every == [begins + n * EVERY for n in range(hours * 4)]
    assert list(instants_of(rule("yesterday"), day, last, ZONE)) == [begins + HOUR]
    assert list(instants_of(rule("yesterday"), day, begins + HOUR - 1, ZONE)) == []


def test_what_begins_in_a_range_is_added_up() -> None:
    past = PastResults([(20, (3, 0, 1, 1)), (10, (1, 5, 0, 0))])
    assert past.between(10, 20) == (1, 5, 0, 0)
    assert past.between(10, 21) == (4, 5, 1, 1)
    assert past.between(21, 99) == (0, 0, 0, 0)


def _subject(name: str, since_at: int = 0) -> RuleSubject:
    target = ActTarget("group", name, name, name)
    return RuleSubject("JOBGROUP", name, name, since_at, targets=(target,))


def test_it_acts_once_for_each_day_that_clicks_come_and_stops_where_it_is_too_long() -> None:
    begins = start_of(LONG, ZONE)
    slices = [(begins + n * DAY + 2 * HOUR, (1, 2 * ONE, 0, 0)) for n in range(3)]
    pasts: dict[tuple[tuple[str, ...], str], PastResults] = {
        ((), name): PastResults(slices) for name in ("a", "new")
    }
    scene = BacktestScene(zone=ZONE, pasts=pasts, curve_at=lambda _: ())
    some = [
        _subject("a"),
        _subject("new", begins + 2 * DAY + HOUR),
        _subject("quiet"),
        _subject("gone")._replace(gone=True),
    ]
    instants = list(instants_of(rule(), LONG, begins + 3 * DAY, ZONE))
    found = backtested(rule(), some, scene, instants)
    assert found.whole
    assert [(one.finding.id, one.at) for one in found.fired] == [
        (name, at + EVERY)
        for at, _ in slices
        for name in ("a", "new")
        if name == "a" or at >= begins + 2 * DAY
    ], "as the first quarter ends in which clicks come, and of nothing before it was there"
    first = found.fired[0]
    assert sum(first.before) == 0
    assert first.after.spent_micros + first.after.applies > 0
    short = backtested(rule(), some, scene, instants, most=10)
    assert (short.whole, short.last_at < found.last_at) == (False, True)
    assert list(short.fired) == [one for one in found.fired if one.at <= short.last_at]
