"""How pages write what the API answers."""

from typing import Any

import pytest

from handbill.pages.wording import day, fix_words, lasting, raw, words
from handbill.pages.wording import expected as overdue


@pytest.mark.parametrize(
    ("code", "expected"),
    [
        ("PARENT_CAPPED", "Parent capped"),
        ("over_cap", "Over cap"),
        ("A", "A"),
        ("API_KEY", "API key"),
    ],
)
def test_a_code_in_words(code: str, expected: str) -> None:
    assert words(code) == expected


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (None, "–"),
        ("", "–"),
        (0, "0"),
        (False, "false"),
        ("plain", "plain"),
        (["utm_source"], '["utm_source"]'),
        ({"job": None}, '{"job":null}'),
    ],
)
def test_a_value_as_the_api_tells_it(value: Any, expected: str) -> None:
    assert raw(value) == expected


@pytest.mark.parametrize(
    ("next_at", "last_at", "minutes", "told"),
    [
        ("2026-11-29T08:00:00Z", "2026-11-29T02:00:00Z", 360, "2026-11-29 08:00 UTC"),
        ("2026-11-29T08:00:59Z", "2026-11-29T02:00:00Z", 360, "2026-11-29 08:00 UTC"),
        ("2027-01-16T00:46:00Z", "2026-11-29T02:00:00Z", 360, "was expected 2026-11-29 08:00 UTC"),
        ("2026-11-29T08:00:00Z", None, None, "2026-11-29 08:00 UTC"),
        (None, None, None, "–"),
    ],
)
def test_a_fetch_that_is_past_is_told_as_expected_then(
    next_at: str | None, last_at: str | None, minutes: int | None, told: str
) -> None:
    assert overdue(next_at, last_at, minutes) == told


def test_days_are_written_alike_and_times_in_their_largest_units() -> None:
    assert (day("11/29/2026"), day(None), day("")) == ("2026-11-29", "–", "–")
    fix = {"path": "/clients/x", "body": {"endDate": "12/31/2027"}}
    assert fix_words(fix, "USD") == "Set the end to 2027-12-31"
    assert [lasting(seconds) for seconds in (30, 60, 90, 3_600, 86_400)] == [
        "30 s",
        "1 min",
        "90 s",
        "1 h",
        "24 h",
    ]
