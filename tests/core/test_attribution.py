"""Windows, skew and identities of conversions."""

from datetime import datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from handbill.core.attribution import identity_of, organic_identity, timing_of, window_days
from handbill.kit.instants import DAY, HOUR, MINUTE, SECOND, instant_of, instant_of_iso, moment_of
from handbill.kit.zones import zone_of

UTC = zone_of("UTC")
AT = instant_of_iso("2026-11-10T12:00:00Z")


@pytest.mark.parametrize(
    ("after", "expected"),
    [
        (0, "in_time"),
        (30 * DAY, "in_time"),
        (30 * DAY + SECOND - 1, "in_time"),  # to the second
        (30 * DAY + SECOND, "late"),
        (-5 * MINUTE, "in_time"),
        (-5 * MINUTE - 1, "precedes_click"),
    ],
)
def test_bounds(after: int, expected: str) -> None:
    assert timing_of(AT, AT + after, 30, UTC)[0] == expected


def test_a_conversion_before_its_click_is_dated_by_it() -> None:
    assert timing_of(AT, AT - MINUTE, 30, UTC) == ("in_time", AT)
    assert timing_of(AT, AT + MINUTE, 30, UTC) == ("in_time", AT + MINUTE)


@pytest.mark.parametrize(
    ("clicked", "days", "hours"),
    [
        ("2026-10-31T16:00:00Z", 1, 25),  # New York: the night that the clocks go back
        ("2026-03-07T17:00:00Z", 1, 23),  # and forward
        ("2026-06-01T12:00:00Z", 2, 48),
    ],
)
def test_days_are_calendar_days_of_the_zone(clicked: str, days: int, hours: int) -> None:
    zone, at = zone_of("America/New_York"), instant_of_iso(clicked)
    assert timing_of(at, at + hours * HOUR, days, zone)[0] == "in_time"
    assert timing_of(at, at + hours * HOUR + SECOND, days, zone)[0] == "late"


@given(
    st.datetimes(datetime(2020, 1, 1), datetime(2040, 1, 1)),
    st.integers(1, 90),
    st.sampled_from(["America/New_York", "Europe/Berlin", "UTC+5:45", "Australia/Lord_Howe"]),
)
def test_the_window_ends_at_the_same_time_of_day(at: datetime, days: int, name: str) -> None:
    zone = zone_of(name)
    clicked = instant_of(at.replace(tzinfo=UTC))
    local = moment_of(clicked).astimezone(zone)
    end = instant_of((local.replace(tzinfo=None) + timedelta(days=days)).replace(tzinfo=zone))
    if abs(end - clicked - days * DAY) <= HOUR and local.fold == 0:
        assert timing_of(clicked, end, days, zone)[0] == "in_time"
        assert timing_of(clicked, end + SECOND, days, zone)[0] == "late"


def test_identities() -> None:
    click, other = b"c" * 16, b"d" * 16
    assert identity_of(3, click, "app") == identity_of(3, other, "app")
    assert identity_of(3, click, "") != identity_of(3, other, "")
    assert identity_of(1, click, "app") == identity_of(1, click, "")
    assert identity_of(1, click, "") != identity_of(2, click, "")
    # An application cannot be named so that it is taken for a click.
    assert identity_of(3, b"", f"click/{click.hex()}") != identity_of(3, click, "")
    assert organic_identity(3, "") is None
    assert organic_identity(3, "app") != identity_of(3, click, "app")


@pytest.mark.parametrize(
    ("campaign", "group", "days"), [(None, None, 30), (7, None, 7), (None, 3, 3), (7, 3, 3)]
)
def test_the_nearest_window_beats_the_others(
    campaign: int | None, group: int | None, days: int
) -> None:
    assert window_days(30, campaign, group) == days
