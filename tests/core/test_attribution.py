"""Windows, skew and repeats of conversions."""

from collections import Counter
from collections.abc import Iterable
from datetime import datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from handbill.core.attribution import keys_of, ruling_of, timing_of, window_days
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


C, D, NONE = b"c" * 16, b"d" * 16, b""
Told = tuple[bytes, str]


def standings(told: Iterable[Told], action: int = 3) -> list[str]:
    """What a row of witnesses (click, application id) comes to."""
    known: set[str | None] = set()
    found: list[str] = []
    for click, application in told:
        ruling = ruling_of(keys_of(action, click, application), known)
        known.update(ruling.claims)
        found.append(ruling.standing)
    return found


@pytest.mark.parametrize("action", [1, 2, 3])
@pytest.mark.parametrize(
    ("told", "expected"),
    [
        ([(C, ""), (C, "")], "first repeat"),
        ([(C, "A"), (C, "A")], "first repeat"),
        ([(C, ""), (C, "A")], "first repeat"),
        ([(C, "A"), (C, "")], "first repeat"),
        ([(C, "A"), (D, "A")], "first repeat"),
        ([(C, "A"), (D, "A"), (D, "")], "first repeat repeat"),
        ([(C, "A"), (D, "A"), (D, "B")], "first repeat first"),
        ([(C, ""), (D, "A"), (C, "A"), (C, "B")], "first first repeat further"),
        ([(NONE, "A"), (C, "A")], "first repeat"),
        ([(NONE, "A"), (C, "A"), (C, "")], "first repeat repeat"),
        ([(C, "A"), (NONE, "A")], "first repeat"),
        ([(C, ""), (C, "A"), (NONE, "A"), (D, "A")], "first repeat repeat repeat"),
        ([(NONE, "A"), (NONE, "A")], "first repeat"),
        ([(NONE, ""), (NONE, "")], "first first"),
        ([(NONE, ""), (C, "")], "first first"),
        ([(C, "A"), (C, "B")], "first further"),
        ([(C, ""), (C, "A"), (C, "B"), (C, "B")], "first repeat further repeat"),
        ([(C, "A"), (C, "B"), (C, "")], "first further repeat"),
        ([(C, ""), (D, "")], "first first"),
    ],
)
def test_rows_of_witnesses(told: list[Told], expected: str, action: int) -> None:
    assert standings(told, action) == expected.split()


@given(st.lists(st.sampled_from(["", "A", "B", "E"]), min_size=1, max_size=8))
def test_the_order_in_which_a_click_is_told_of_changes_nothing(ids: list[str]) -> None:
    """One application counts, every other id is a further one, all else is a repeat."""
    further = max(len(set(ids) - {""}) - 1, 0)
    expected = Counter(first=1, further=further, repeat=len(ids) - 1 - further)
    assert Counter(standings((C, id_) for id_ in ids)) == expected


def test_an_id_cannot_be_chosen_so_that_it_is_taken_for_something_else() -> None:
    for bad in (f"click/{C.hex()}", C.hex(), f"../click/{C.hex()}"):
        assert standings([(C, ""), (D, bad)]) == ["first", "first"]
    assert not set(keys_of(3, C, "A")) & set(keys_of(2, C, "A"))


def test_only_what_names_a_click_does() -> None:
    known = set(ruling_of(keys_of(3, C, ""), ()).claims)
    assert ruling_of(keys_of(3, C, "A"), known).names_it
    assert not ruling_of(keys_of(3, C, ""), known).names_it
    assert not ruling_of(keys_of(3, D, "A"), known).names_it


@pytest.mark.parametrize(
    ("campaign", "group", "days"), [(None, None, 30), (7, None, 7), (None, 3, 3), (7, 3, 3)]
)
def test_the_nearest_window_beats_the_others(
    campaign: int | None, group: int | None, days: int
) -> None:
    assert window_days(30, campaign, group) == days
