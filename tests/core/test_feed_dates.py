"""The dates of feeds: each of the usual forms, and none guessed at."""

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from handbill.dialects.inbound.dates import read_instant
from handbill.kit.instants import instant_of, instant_of_iso, iso_of
from handbill.kit.zones import zone_of

_WEST = zone_of("UTC-5:00")


@pytest.mark.parametrize(
    ("text", "iso"),
    [
        ("2026-11-23", "2026-11-23T05:00:00.000Z"),
        ("11-23-2026", "2026-11-23T05:00:00.000Z"),
        ("Mon Nov 23 2026 05:06:07 GMT+0100 (CET)", "2026-11-23T04:06:07.000Z"),
        ("Mon Nov 23 2026 05:06:07 GMT-0500 (Eastern Standard Time)", "2026-11-23T10:06:07.000Z"),
        ("Nov 23, 2026 05:06 UTC+2", "2026-11-23T03:06:00.000Z"),
        ("20261123", "2026-11-23T05:00:00.000Z"),
        ("2026/11/23 06:30", "2026-11-23T11:30:00.000Z"),
        ("2026-11-23T05:06:07Z", "2026-11-23T05:06:07.000Z"),
        ("2026-11-23T05:06:07.125+02:00", "2026-11-23T03:06:07.125Z"),
        ("2026-11-23T05:06:07+0200", "2026-11-23T03:06:07.000Z"),
        ("2026-11-23T05:06", "2026-11-23T10:06:00.000Z"),
        ("2026-11-23 05:06:07", "2026-11-23T10:06:07.000Z"),
        ("2026-11-23 05:06:07.123 UTC", "2026-11-23T05:06:07.123Z"),
        ("2026-11-23 05:06:07 GMT", "2026-11-23T05:06:07.000Z"),
        ("2026-11-23 05:06:07 PST", "2026-11-23T13:06:07.000Z"),
        ("2026-11-23 05:06:07 GMT+1", "2026-11-23T04:06:07.000Z"),
        ("Mon, 23 Nov 2026 05:06:07 GMT", "2026-11-23T05:06:07.000Z"),
        ("Mon, 23 Nov 2026 05:06:07 -0500", "2026-11-23T10:06:07.000Z"),
        ("Mon, 23 Nov 26 05:06:07 EST", "2026-11-23T10:06:07.000Z"),
        ("Monday, 23-Nov-26 05:06:07 GMT", "2026-11-23T05:06:07.000Z"),
        ("Mon, 23 Nov 98 05:06 GMT", "1998-11-23T05:06:00.000Z"),
        ("20261123T050607Z", "2026-11-23T05:06:07.000Z"),
        ("20261123T0506", "2026-11-23T10:06:00.000Z"),
        ("2026-11-23T24:00:00Z", "2026-11-24T00:00:00.000Z"),
        ("2026-11-23T23:59:60Z", "2026-11-24T00:00:00.000Z"),
        ("2026-11-23T05:06:07Z[UTC]", "2026-11-23T05:06:07.000Z"),
        ("2026-11-23T05:06:07+01:00[Europe/Berlin]", "2026-11-23T04:06:07.000Z"),
        ("2026-11-23T05:06:07[Europe/Berlin]", "2026-11-23T04:06:07.000Z"),
        ("2026-11-23T05:06:07\u221205:00", "2026-11-23T10:06:07.000Z"),
        ("/Date(1795410367000)/", "2026-11-23T05:06:07.000Z"),
        ("Mon Nov 23 05:06:07 UTC 2026", "2026-11-23T05:06:07.000Z"),
        ("23 Nov 2026", "2026-11-23T05:00:00.000Z"),
        ("23-Nov-2026", "2026-11-23T05:00:00.000Z"),
        ("Monday, 23 November 2026", "2026-11-23T05:00:00.000Z"),
        ("23-11-2026", "2026-11-23T05:00:00.000Z"),
        ("23.11.2026 06:00", "2026-11-23T11:00:00.000Z"),
        ("03-04-2026", "2026-04-03T05:00:00.000Z"),
        ("11/23/2026", "2026-11-23T05:00:00.000Z"),
        ("23/11/2026", "2026-11-23T05:00:00.000Z"),
        ("3/4/2026", "2026-03-04T05:00:00.000Z"),
        ("11/23/2026 5:06 PM", "2026-11-23T22:06:00.000Z"),
        ("11/23/2026 12:00 a.m.", "2026-11-23T05:00:00.000Z"),
        ("1795410367", "2026-11-23T05:06:07.000Z"),
        ("1795410367123", "2026-11-23T05:06:07.123Z"),
        ("1795410367.5", "2026-11-23T05:06:07.500Z"),
        ("Nov 23, 2026", "2026-11-23T05:00:00.000Z"),
        ("November 23rd 2026 5pm", "2026-11-23T22:00:00.000Z"),
    ],
)
def test_forms(text: str, iso: str) -> None:
    found = read_instant(f" {text}\n", _WEST)
    assert found is not None
    assert iso_of(found) == iso


@pytest.mark.parametrize(
    "text",
    [
        "", "soon", "10", "12:30", "Monday", "2026", "Nov 2026", "2026-13-01", "31-02-2026",
        "99/99/2026", "0000-00-00", "2026-11-23 05:06:07 XYZ", "23 Nov 26", "11/23/26",
        "2026-11-23T25:00", "2026-11-23T24:01", "11/23/2026 13:00 PM",
        "1" * 70, "9" * 13, "1066-10-14", "3000-01-01",
        "2026-11-23; DROP TABLE jobs",
    ],
)  # fmt: skip
def test_no_dates(text: str) -> None:
    assert read_instant(text, UTC) is None


@given(st.text(max_size=80))
def test_never_raises(text: str) -> None:
    found = read_instant(text, UTC)
    assert found is None or 0 <= found < instant_of_iso("2201-01-01T00:00:00Z")


@given(
    st.datetimes(datetime(1971, 1, 1), datetime(2199, 1, 1)).map(
        lambda at: at.replace(microsecond=0)
    )
)
def test_all_forms_of_one_moment_agree(at: datetime) -> None:
    moment = at.replace(tzinfo=UTC)
    forms = (
        moment.isoformat(), at.isoformat(), f"{at:%Y-%m-%d %H:%M:%S}.000 UTC",
        f"{at:%d-%m-%Y %H:%M:%S}", f"{at:%m/%d/%Y %I:%M:%S %p}", f"{at:%d %b %Y %H:%M:%S} GMT",
    )  # fmt: skip
    assert {read_instant(form, UTC) for form in forms} == {instant_of(moment)}
