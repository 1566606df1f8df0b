"""What a line of the log never holds, and security events that repeat."""

import json
import logging
from typing import Any

import pytest

from handbill.host.logs import JsonLines
from handbill.host.security import Repeats


def line_of(message: str, **extra: Any) -> str:
    record = logging.makeLogRecord({"name": "x", "levelname": "INFO", "msg": message, **extra})
    return JsonLines("test-0").format(record)


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("key hb_abcdefghijkl_s3cret-Part_x", "key hb_abcdefghijkl_***"),
        ("Bearer eyJhbGciOi.eyJzdWIi.c2ln-_x", "Bearer ***"),
        ("whsec_MfKQ9r8GKYqrTwjUPD8=", "***"),
        ("postgresql://me:hidden@host/name", "postgresql://me:***@host/name"),
        ("http://host:80/a@b", "http://host:80/a@b"),
    ],
)
def test_secrets_are_struck_out_wherever_they_stand(text: str, shown: str) -> None:
    assert json.loads(line_of(text))["message"] == shown
    assert json.loads(line_of("x", fact=text))["fact"] == shown


def test_no_character_is_left_that_a_terminal_obeys() -> None:
    wild = "a\n\r\x1b[2J\x7f\x85\x9b\u2028\u202e\u2066z"
    line = line_of("x", path=wild)
    assert line.isprintable()
    assert json.loads(line)["path"] == wild
    assert "half \\ud800" in line_of("half \ud800")


def test_events_that_are_alike_are_told_once_a_minute_with_their_count(
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level(logging.INFO, "handbill.security")
    repeats = Repeats(most=3)

    def told() -> list[tuple[str, int]]:
        lines = [(r.__dict__["address"], r.__dict__["count"]) for r in caplog.records]
        caplog.clear()
        return lines

    for now in (0.0, 1.0, 2.0):
        repeats.note("key_refused", {"address": "a"}, now)
    repeats.note("key_refused", {"address": "b"}, 2.0)
    assert told() == [("a", 1), ("b", 1)], "the first at once"
    repeats.note("key_refused", {"address": "a"}, 61.0)
    assert told() == [("a", 3)], "with those that were held back"
    repeats.note("key_refused", {"address": "a"}, 62.0)
    repeats.settle(121.0)
    assert told() == [("a", 1)]
    repeats.settle(500.0)
    assert told() == [], "nothing is told twice"
    for address in "cdcdef":
        repeats.note("key_refused", {"address": address}, 600.0)
    assert told() == [("c", 1), ("d", 1), ("e", 1), ("f", 1), ("c", 1), ("d", 1)]


def test_a_flood_of_refusals_that_differ_is_summed(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO, logger="handbill.security")
    repeats = Repeats()
    for number in range(5_000):
        repeats.note("key_refused", {"prefix": str(number)}, number / 100)
    repeats.note("locked_out", {"address": "a"}, 50.0)
    repeats.settle(200.0)
    told = [r.__dict__ for r in caplog.records]
    assert len(told) <= 103
    assert sum(one["count"] for one in told if one["event"] == "key_refused") == 5_000
    assert [one["address"] for one in told if one["event"] == "locked_out"] == ["a"]
