"""What makes a door unready."""

import pytest

from handbill.core import health
from handbill.core.health import Late
from handbill.kit.instants import SECOND

NOW = 1_000 * SECOND


def test_one_check_that_fails_makes_a_door_unready() -> None:
    assert "70100 MB" in health.disk(70_100_000_000, None, 5).says, "as pages tell sizes"
    good, bad = health.disk(10, None, 5), health.disk(4, None, 5)
    assert health.report([good])["status"] == health.report([])["status"] == "ready"
    told = health.report([good, bad])
    assert told["status"] == "not ready"
    assert [(check["name"], check["ok"]) for check in told["checks"]] == [
        ("disk", True),
        ("disk", False),
    ]
    assert "HANDBILL_LEAST_FREE_BYTES" in told["checks"][1]["says"]
    assert health.disk(10, health.LEAST_FILES, 5).ok
    assert "999 more files" in health.disk(10, health.LEAST_FILES - 1, 5).says


@pytest.mark.parametrize(
    ("silence", "waits_for", "ok", "says"),
    [
        (None, None, False, "never"),
        (31.0, None, False, "last 31 s ago"),
        (30.0, None, True, "0 s behind"),
        (0.1, 30, True, "30 s behind"),
        (0.1, 31, False, "31 s behind"),
        (0.1, -5, True, "0 s behind"),
    ],
)
def test_the_judge_is_at_work_and_not_far_behind(
    silence: float | None, waits_for: int | None, ok: bool, says: str
) -> None:
    since = None if waits_for is None else NOW - waits_for * SECOND
    check = health.judge(silence, since, NOW, 30)
    assert (check.name, check.ok) == ("judge", ok)
    assert says in check.says


def test_the_schedule_is_late_by_its_latest_item() -> None:
    entries = [
        Late("a", 0),
        Late("b", 60 * SECOND),
        Late("c", 60 * SECOND + 1),
        Late("d", 61_000_001),
    ]
    assert health.schedule(entries[:2], 60).ok
    check = health.schedule(entries, 60)
    assert not check.ok
    assert "2 items" in check.says
    assert "d by 61 s" in check.says


def test_what_is_missing_is_named() -> None:
    assert health.index(True).ok
    assert health.feeds(0).ok
    assert health.journal(False).ok
    assert not health.index(False).ok
    assert "3 feed files" in health.feeds(3).says
    assert not health.journal(True).ok
    assert not health.records_away("Gone").ok
