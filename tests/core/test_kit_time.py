from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from handbill.kit import instants, zones

MOMENTS = st.datetimes(datetime(1971, 1, 1), datetime(2200, 1, 1), timezones=st.just(UTC))
NAMES = ["UTC", "UTC-10:00", "UTC+5:45", "UTC+05:30", "America/New_York", "Australia/Lord_Howe"]


@given(MOMENTS)
def test_an_instant_is_the_moment(moment: datetime) -> None:
    assert instants.moment_of(instants.instant_of(moment)) == moment
    assert instants.instant_of_iso(moment.isoformat()) == instants.instant_of(moment)


def test_the_contracts_spelling() -> None:
    at = instants.instant_of_iso("2019-11-29T10:00:00.007Z")
    assert instants.iso_of(at) == "2019-11-29T10:00:00.007Z"
    assert instants.http_date_of(at) == "Fri, 29 Nov 2019 10:00:00 GMT"


def test_a_naive_time_is_no_instant() -> None:
    with pytest.raises(ValueError, match="zone"):
        instants.instant_of_iso("2019-11-29T10:00:00")


@given(MOMENTS, st.sampled_from(NAMES))
def test_a_day_holds_its_instants(moment: datetime, name: str) -> None:
    zone = zones.zone_of(name)
    at = instants.instant_of(moment)
    day = zones.day_of(at, zone)
    first, after = zones.bounds_of(day, day, zone)
    assert first <= at < after


@pytest.mark.parametrize("name", ["UTC+14:00", "UTC-12:00", "America/New_York"])
@pytest.mark.parametrize("day", [date.min, date.max])
def test_the_first_and_the_last_of_all_days_have_bounds(name: str, day: date) -> None:
    first, after = zones.bounds_of(day, day, zones.zone_of(name))
    assert first < after <= first + instants.DAY


def test_days_follow_daylight_saving_in_named_zones() -> None:
    zone = zones.zone_of("America/New_York")
    first, after = zones.bounds_of(date(2026, 11, 1), date(2026, 11, 1), zone)
    assert after - first == 25 * instants.HOUR


@pytest.mark.parametrize(
    "name", ["", "GMT+1", "UTC+15:00", "UTC-13:00", "UTC+05:20", "UTC+5", "../etc/passwd", "X" * 99]
)
def test_no_such_zone(name: str) -> None:
    with pytest.raises(zones.NotZone):
        zones.zone_of(name)


@pytest.mark.parametrize("year", [1971, 1979, 1980, 2026])
@pytest.mark.parametrize("name", ["Pacific/Kiritimati", "Africa/Monrovia", "Asia/Kathmandu"])
def test_a_day_begins_at_its_first_instant(name: str, year: int) -> None:
    """Also where a zone was another part of an hour away from UTC than a quarter."""
    zone = zones.zone_of(name)
    for number in range(0, 365, 7):
        day = date(year, 1, 1) + timedelta(days=number)
        start = zones.start_of(day, zone)
        assert [zones.day_of(start + by, zone) - day for by in (-1, 0, 1)] == [
            timedelta(days=-1),
            timedelta(),
            timedelta(),
        ]


@given(st.dates(date(1980, 1, 1), date(2100, 1, 1)))
def test_periods_nest(day: date) -> None:
    keys = {period: zones.period_key(period, day) for period in zones.PERIODS}
    assert keys["Daily"] == f"D{day}"
    assert keys["Monthly"] == f"M{day}"[:8]
    assert keys["Lifetime"] == "L"
    monday = day - timedelta(days=day.weekday())
    assert zones.period_key("Weekly", monday) == keys["Weekly"]
    assert zones.period_key("Weekly", monday + timedelta(days=6)) == keys["Weekly"]
    assert zones.period_key("Weekly", monday + timedelta(days=7)) != keys["Weekly"]


@pytest.mark.parametrize("name", ["America/New_York", "Africa/Casablanca", "Australia/Lord_Howe"])
def test_offsets_are_those_of_each_quarter_of_an_hour(name: str) -> None:
    """Compared with asking the zone at each, around each change of a year."""
    zone, first = zones.zone_of(name), zones.start_of(date(2026, 1, 1), UTC)
    spans = zones.offsets_within(first, first + 365 * instants.DAY, zone)
    assert len(spans) == 3
    for at, _ in spans[1:]:
        for begins in (at - instants.DAY, at - zones.QUARTER, at - 1, at, at + 1):
            for ends in (at - 1, at, at + 1, at + 7, at + instants.DAY + 7):
                wanted: list[tuple[int, int]] = []
                quarters = range(-(-begins // zones.QUARTER) * zones.QUARTER, ends, zones.QUARTER)
                for one in [begins, *quarters] if begins < ends else []:
                    offset = instants.moment_of(one).astimezone(zone).utcoffset()
                    micros = (offset or timedelta()) // timedelta(microseconds=1)
                    if not wanted or wanted[-1][1] != micros:
                        wanted.append((one, micros))
                assert zones.offsets_within(begins, ends, zone) == wanted
