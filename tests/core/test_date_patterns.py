"""Dates by Java-style patterns, and by ISO 8601 beside them."""

from datetime import datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from handbill.kit.instants import iso_of
from handbill.kit.zones import zone_of
from handbill.wire.date_patterns import (
    NotDate,
    NotPattern,
    instant_in,
    read_date,
    read_when,
    steps_of,
)

REFERENCE = "yyyy-MM-dd'T'HH:mm:ssZ"
EAST = zone_of("UTC+05:30")


def at(text: str, pattern: str, *, last: bool = False) -> str:
    return iso_of(instant_in(read_date(text, pattern), EAST, last=last))


@pytest.mark.parametrize(
    ("text", "pattern", "expected"),
    [
        ("2020-08-03T05:19:00.000Z", REFERENCE, "2020-08-03T05:19:00.000Z"),
        ("2020-08-03T05:19:00+0200", REFERENCE, "2020-08-03T03:19:00.000Z"),
        ("2020-08-03T05:19:00Z", REFERENCE, "2020-08-03T05:19:00.000Z"),
        ("2020-08-03T05:19:00", REFERENCE, "2020-08-02T23:49:00.000Z"),
        ("03/08/2020", "dd/MM/yyyy", "2020-08-02T18:30:00.000Z"),
        ("03/08/2020", "MM/dd/yyyy", "2020-03-07T18:30:00.000Z"),
        ("3/8/20", "d/M/yy", "2020-08-02T18:30:00.000Z"),
        ("20200803", "yyyyMMdd", "2020-08-02T18:30:00.000Z"),
        ("Mon, 3 Aug 2020 05:19 PM", "EEE, d MMM yyyy hh:mm a", "2020-08-03T11:49:00.000Z"),
        ("August 3 2020 12:00 am", "MMMM d yyyy hh:mm a", "2020-08-02T18:30:00.000Z"),
        (
            "2020-08-03 05:19:00.123456789 GMT+02:00",
            "yyyy-MM-dd HH:mm:ss.SSS z",
            "2020-08-03T03:19:00.123Z",
        ),
        ("2020-08-03 o'clock 5", "yyyy-MM-dd 'o''clock' H", "2020-08-02T23:30:00.000Z"),
        ("2020-08-03T05:19:00-08", "yyyy-MM-dd'T'HH:mm:ssX", "2020-08-03T13:19:00.000Z"),
    ],
)
def test_what_is_read(text: str, pattern: str, expected: str) -> None:
    assert at(text, pattern) == expected


@pytest.mark.parametrize(
    ("text", "last"),
    [
        ("12/31/9999", "9999-12-30T18:29:59.999Z"),
        ("9999-12-31", "9999-12-30T18:29:59.999Z"),
        ("2026-11-20T24:00:00Z", "2026-11-21T00:00:00.000Z"),
        ("2026-11-20 24:00", "2026-11-20T18:30:00.000Z"),
        ("2026-11-20t10:00:00z", "2026-11-20T10:00:00.000Z"),
        ("2026-11-20T23:59:60Z", "2026-11-21T00:00:00.000Z"),
        ("2026-11-20T10:00:00+01:00[Europe/Berlin]", "2026-11-20T09:00:00.000Z"),
        ("11/20/2026 10:00", "2026-11-20T04:30:00.000Z"),
        ("20/11/2026 10:00:05", "2026-11-20T04:30:05.000Z"),
        ("11/20/2026", "2026-11-20T18:29:59.999Z"),
    ],
)
def test_what_a_body_may_say(text: str, last: str) -> None:
    assert iso_of(instant_in(read_when(text), EAST, last=True)) == last


@pytest.mark.parametrize(
    "text",
    [
        "2026-11-20T24:01",
        "2026-11-20T24:00:30",
        "2026-11-20T25:00",
        "2026-11-20T10:00:61",
        "2026-11-20T10:15:60Z",
        "13/40/2026 10:00",
        "",
    ],
)
def test_what_a_body_may_not_say(text: str) -> None:
    with pytest.raises(NotDate):
        read_when(text)


def test_the_last_of_a_day() -> None:
    assert at("03/08/2020", "dd/MM/yyyy", last=True) == "2020-08-03T18:29:59.999Z"
    assert at("2020-08-03", REFERENCE, last=True) == "2020-08-03T18:29:59.999Z"
    assert at("2020-08-03T05:19:00Z", REFERENCE, last=True) == "2020-08-03T05:19:00.000Z"


@pytest.mark.parametrize(
    "pattern",
    ["", "yyyy-MM", "HH:mm", "yyyy-MM-dd G", "'yyyy-MM-dd", "yyyy-MM-dd[", "y" * 61, "QQ-MM-dd"],
)
def test_patterns_that_cannot_be_used(pattern: str) -> None:
    with pytest.raises(NotPattern):
        steps_of(pattern)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "soon",
        "2020-13-01",
        "2020-02-30",
        "03-08",
        "1969-12-31",
        "9999-12-31",
        "2020-08-03T25:00:00Z",
        "٢٠٢٠-٠٨-٠٣",
    ],
)
def test_what_is_no_date(text: str) -> None:
    with pytest.raises(NotDate):
        read_date(text, REFERENCE)


@given(st.text(max_size=60), st.sampled_from([REFERENCE, "d/M/yy", "yyyyMMdd", "EEE d MMM yyyy z"]))
def test_no_text_breaks_it(text: str, pattern: str) -> None:
    try:
        instant_in(read_date(text, pattern), EAST, last=True)
    except NotDate:
        return


@given(st.text(alphabet="yMdHhmsSaEZXz'/-: T[]{}#QG", max_size=30), st.text(max_size=30))
def test_no_pattern_breaks_it(pattern: str, text: str) -> None:
    try:
        read_date(text, pattern)
    except (NotPattern, NotDate):
        return


@given(st.datetimes(datetime(1971, 1, 2), datetime(2200, 12, 30)), st.integers(-14 * 4, 14 * 4))
def test_what_the_pattern_writes_is_read_back(moment: datetime, quarters: int) -> None:
    moment = moment.replace(microsecond=0, tzinfo=timezone(timedelta(minutes=15 * quarters)))
    read = read_date(moment.strftime("%Y-%m-%dT%H:%M:%S%z"), REFERENCE)
    assert read.moment == moment


@pytest.mark.parametrize("value", ["yesterday", "9" * 50, 20200101, "0999-01-01", "9999-12-31T00"])
def test_what_is_no_day_and_no_moment(value: object) -> None:
    with pytest.raises(NotDate):
        read_when(value)
