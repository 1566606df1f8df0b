"""When months close, and when that is booked which would fall into one."""

from datetime import UTC

import pytest

from handbill.core.closing import booked, first_open, is_closed
from handbill.kit.instants import instant_of_iso as at
from handbill.kit.zones import zone_of

NEPAL = zone_of("UTC+5:45")


@pytest.mark.parametrize(
    ("event", "now", "closed"),
    [
        ("2026-10-31T23:59:59Z", "2026-11-07T23:59:59Z", False),
        ("2026-10-31T23:59:59Z", "2026-11-08T00:00:00Z", True),
        ("2026-11-01T00:00:00Z", "2026-11-30T00:00:00Z", False),
        ("2026-12-31T12:00:00Z", "2027-01-07T12:00:00Z", False),
        ("2026-12-31T12:00:00Z", "2027-01-08T12:00:00Z", True),
        ("2027-02-01T12:00:00Z", "2027-01-08T12:00:00Z", False),
    ],
)
def test_months_close(event: str, now: str, closed: bool) -> None:
    assert is_closed(at(event), at(now), UTC) is closed


def test_months_close_in_the_clients_zone() -> None:
    event = at("2026-10-31T18:20:00Z")  # November already in Nepal
    assert not is_closed(event, at("2026-11-20T00:00:00Z"), NEPAL)
    assert is_closed(event, at("2026-11-20T00:00:00Z"), UTC)
    assert is_closed(at("2026-10-31T18:14:00Z"), at("2026-11-07T18:15:00Z"), NEPAL)


@pytest.mark.parametrize(
    ("now", "opened"),
    [
        ("2026-11-07T23:59:59Z", "2026-10-01T00:00:00Z"),
        ("2026-11-08T00:00:00Z", "2026-11-01T00:00:00Z"),
        ("2027-01-07T12:00:00Z", "2026-12-01T00:00:00Z"),
        ("2027-01-31T12:00:00Z", "2027-01-01T00:00:00Z"),
    ],
)
def test_the_first_open_day_begins_a_month(now: str, opened: str) -> None:
    assert first_open(at(now), UTC) == at(opened)
    assert not is_closed(at(opened), at(now), UTC)
    assert is_closed(at(opened) - 1, at(now), UTC)


def test_what_falls_into_a_closed_month_is_dated_on_the_first_open_day_and_says_so() -> None:
    open_at = first_open(at("2026-11-20T00:00:00Z"), NEPAL)
    assert booked(open_at, "", open_at, NEPAL) == (open_at, "")
    assert booked(open_at, "window", open_at, NEPAL) == (open_at, "window")
    late = at("2026-10-31T18:14:00Z")
    assert booked(late, "", open_at, NEPAL) == (open_at, "closed_month:2026-10-31")
    assert booked(late, "window", open_at, NEPAL) == (open_at, "window closed_month:2026-10-31")
