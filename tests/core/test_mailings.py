"""When mails are due, by the clocks of a person's zone."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from handbill.core.mailings import (
    MOST_ALERTS,
    Choices,
    MailMarks,
    begun,
    counted,
    day_begun,
    is_under_pace,
    monday_of,
    report_due,
)
from handbill.kit.instants import DAY, HOUR, MINUTE, instant_of
from handbill.mailings.ends import NoEnd, opened, token_of

WEEKLY = Choices(weekly=True)


def at(text: str, zone: str = "UTC") -> int:
    return instant_of(datetime.fromisoformat(text).replace(tzinfo=ZoneInfo(zone)))


@pytest.mark.parametrize(
    ("now", "monday"),
    [
        ("2026-11-23T06:59:59", "2026-11-16"),
        ("2026-11-23T07:00", "2026-11-23"),
        ("2026-11-29T23:59", "2026-11-23"),
    ],
)
def test_a_week_begins_on_monday_at_the_hour(now: str, monday: str) -> None:
    assert monday_of(WEEKLY, at(now)).isoformat() == monday
    there = Choices(weekly=True, zone="Asia/Kolkata")
    assert monday_of(there, at(now, "Asia/Kolkata")).isoformat() == monday


def test_what_is_chosen_anew_waits_for_its_next_time() -> None:
    now = at("2026-11-25T12:00")
    marks = begun(MailMarks(), Choices(), WEEKLY, now)
    assert report_due(WEEKLY, marks, now) is None
    assert begun(marks, WEEKLY, WEEKLY, now + 30 * DAY) == marks
    due = report_due(WEEKLY, marks, at("2026-11-30T07:00"))
    assert due is not None
    assert due.isoformat() == "2026-11-30"
    assert report_due(Choices(), marks, at("2026-11-30T07:00")) is None


@pytest.mark.parametrize(
    "zone", ["UTC", "Europe/Berlin", "America/New_York", "Australia/Lord_Howe"]
)
@pytest.mark.parametrize("hour", [0, 1, 2, 3, 7, 23])
def test_each_day_comes_once_whatever_its_length(zone: str, hour: int) -> None:
    """Over a year, with days of 23, 24½ and 25 hours."""
    chosen, found = Choices(zone=zone, hour=hour), []
    now = at("2026-01-01T12:00")
    for _ in range(366 * 24 * 2):
        now += 30 * MINUTE
        found.append(day_begun(chosen, now))
    days = sorted({*found})
    assert found == sorted(found), "it never goes back"
    assert len(days) == (days[-1] - days[0]).days + 1


def test_a_mark_of_a_wrong_clock_silences_nobody() -> None:
    now = at("2026-11-23T07:00")
    for told, is_due in (
        ("", True),
        ("2026-11-16", True),
        ("2026-11-23", False),
        ("2026-11-30", False),  # in another zone, or by a clock that was ahead
        ("2027-11-22", True),
    ):
        assert (report_due(WEEKLY, MailMarks(weekly_on=told), now) is not None) is is_due, told


@given(st.integers(0, 2 * 365 * 24), st.lists(st.integers(-40, 200), max_size=60))
def test_a_week_is_told_once_however_the_clock_jumps(start: int, jumps: list[int]) -> None:
    now = instant_of(datetime(2026, 1, 1, tzinfo=UTC) + timedelta(hours=start))
    marks, told = MailMarks(), []
    for jump in jumps:
        now += jump * HOUR
        if (monday := report_due(WEEKLY, marks, now)) is not None:
            told.append(monday)
            marks = MailMarks(weekly_on=monday.isoformat())
            assert report_due(WEEKLY, marks, now) is None
    behind = [one for n, one in enumerate(told) if one <= max(told[:n], default=one - timedelta(1))]
    assert all(max(told) - one > timedelta(14) for one in behind)


def test_a_token_is_of_its_key_and_says_one_thing() -> None:
    keys = {1: b"k" * 32, 2: b"l" * 32}
    token = token_of(300, "WEEKLY", keys)
    assert opened(token, keys) == (300, "WEEKLY")
    assert opened(token, {2: keys[2]}) == (300, "WEEKLY"), "the newest signs"
    for wrong in ({1: keys[1]}, {2: keys[1]}, {}):
        with pytest.raises(NoEnd):
            opened(token, wrong)


def test_pace_is_told_below_its_threshold_until_it_is_clearly_above() -> None:
    for pace, was_told, is_told in (
        (799_999, False, True),
        (800_000, False, False),
        (800_000, True, True),
        (849_999, True, True),
        (850_000, True, False),
    ):
        assert is_under_pace(pace, 80, was_told=was_told) is is_told, (pace, was_told)


def test_alerts_are_counted_by_day_of_the_zone() -> None:
    berlin = Choices(rule_paused=True, zone="Europe/Berlin")
    marks: MailMarks | None = MailMarks()
    now = at("2026-11-23T22:00")
    for _ in range(MOST_ALERTS):
        assert marks is not None
        marks = counted(berlin, marks, now)
    assert marks is not None
    assert counted(berlin, marks, now + 59 * MINUTE) is None
    new = counted(berlin, marks, now + HOUR)
    assert new is not None
    assert (new.alerts_on, new.alerts) == ("2026-11-24", 1)
