"""Ten days in less than a minute: whatever recurs is seen to act, from outside, whatever is killed.

``-s`` or ``-vv`` prints what was seen, day by day.
"""

import sys
from collections.abc import Callable
from contextlib import nullcontext
from datetime import timedelta
from pathlib import Path

import pytest

from flows.days_things import (
    Clicks,
    Credentials,
    Deliveries,
    Feed,
    Funnel,
    Listings,
    Lists,
    Reports,
    Slots,
    Thing,
)
from flows.days_world import NOON, Town, living
from flows.test_serve import check_books
from handbill.kit.instants import SECOND
from handbill.work.schedule import standings
from handbill.worker import schedule

VICTIMS = {
    1: "worker-0",
    2: "fetcher-0",
    3: "judge-0",
    4: "api-0",
    5: "edge-0",
    6: "fetcher-1",
    7: "worker-0",
}
CRASH, BACK = 8, 10
"""The day on which all dies at once; the day of the start after one on which nothing ran."""


def _live(town: Town) -> None:
    feed = Feed(town)
    things: list[Thing] = [
        feed,
        Listings(town),
        Slots(town),
        Deliveries(town),
        Clicks(town),
        Reports(town, feed.client),
        Funnel(town, feed.client),
        Credentials(town, feed.client),
        Lists(town),
    ]
    for day in (*range(CRASH + 1), BACK):
        if day:
            _next_day(town, day, things)
        for thing in things:
            thing.on(day)
    town.sees("caught up once", lambda: feed.ended(feed.runs), f"{feed.runs} runs of the feed")
    _look_inside(town)


def _next_day(town: Town, day: int, things: list[Thing]) -> None:
    """The clock goes on by a day, and half an hour for what takes some time; who is killed then
    may be at it.
    """
    for thing in things:
        thing.eve(day)
    if day == BACK:
        assert town.server.stop() == 0
    town.move_to(NOON + timedelta(days=day, minutes=30 * day))
    if day == CRASH:
        town.crash()
    if day in {CRASH, BACK}:
        town.start()
        town.note("serve", "was started again")
    elif day in VICTIMS:
        town.kill(VICTIMS[day])
    for thing in things:
        thing.morning(day)
    town.log_in()


def _look_inside(town: Town) -> None:
    """Every entry of the schedule has run lately, and no task was given up."""
    town.forward(days=1)
    now = int(town.at.timestamp()) * SECOND

    def ran() -> str | None:
        with town.records.read() as tx:
            found = standings(tx, schedule(), now)
        late = [one.name for one in found if one.ran_at is None or one.ran_at < now]
        return None if late else f"{len(found)} entries"

    town.sees("every entry of the schedule runs", ran)
    assert town.kept("SELECT count(*) FROM tasks WHERE dead_at IS NOT NULL") == 0


@pytest.fixture
def tell(capsys: pytest.CaptureFixture[str], pytestconfig: pytest.Config) -> Callable[[str], None]:
    """Print past the capture where much is asked for."""

    def told(text: str) -> None:
        with capsys.disabled() if pytestconfig.get_verbosity() > 1 else nullcontext():
            sys.stdout.write(f"\n{text}\n")

    return told


def test_ten_days_pass_and_whatever_recurs_recurs(
    tmp_path: Path, tell: Callable[[str], None]
) -> None:
    with living(tmp_path) as town:
        try:
            _live(town)
        finally:
            tell(town.diary.told())
        assert town.server.stop() == 0
    assert check_books(town.data)["balanced"] is True
