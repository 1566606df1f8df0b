"""Judges that race each other, while caps are changed and one of them is killed with -9: no cap is
passed, nothing that had room is refused, and each click is booked once.

What a cap allowed is told by a model of its own (``bench.cap_trees``). ``make bench NAMES=race``
runs the same at its whole size.
"""

from datetime import date
from pathlib import Path
from typing import Any

import pytest
from bench.cap_trees import Batch, Edit, Event, Faults, Tree, Where, faults_of
from bench.race import made

from handbill.core.nouns import Cap
from handbill.store.records import Records

JUDGES, TREES, CLICKS, AT_ONCE = 2, 12, 500, 60
DAY = date(2026, 11, 10)


def test_judges_race_over_caps_that_are_changed(records: Records, tmp_path: Path) -> None:
    race = made(records, tmp_path, JUDGES, TREES, CLICKS, seed=3)
    told = race.run(JUDGES, AT_ONCE)
    assert told.faults == Faults(over=0, under=0)
    assert told.unbooked == 0
    assert told.books == []
    assert sum(told.dispositions.values()) == JUDGES * CLICKS
    assert min(told.dispositions["valid"], told.dispositions["over_cap"]) > CLICKS // 4
    assert told.edits > 5 < told.batches, "caps were changed between bookings"


# ── the model itself ────────────────────────────────────────────────────────────────────────────


def event(micros: int, publisher: int = 1) -> Event:
    return Event(1, 1, publisher, "job", DAY, micros)


def tree_of(*edits: tuple[dict[Where, Cap], int]) -> Tree:
    made = [Edit(state, no, no) for state, no in edits]
    return Tree("c", 1, "UTC", {1: "P1", 2: "P2"}, edits=made)


GROUP, PLACEMENT = Where("group", (1,), "budget"), Where("placement", (1, 2), "budget")
CAP = {GROUP: Cap("Monthly", 100)}
LOCKED = CAP | {PLACEMENT: Cap("Monthly", 40, locked=True)}


@pytest.mark.parametrize(
    ("state", "charged", "refused", "faults"),
    [
        (CAP, [100], [1], (0, 0)),
        (CAP, [101], [], (1, 0)),
        (CAP, [90], [10], (0, 1)),
        (CAP, [90], [11], (0, 0)),
        (LOCKED, [60], [1], (0, 0)),
        (LOCKED, [61], [], (1, 0)),
        (LOCKED, [50], [10], (0, 1)),
    ],
)
def test_the_model_tells_what_is_passed_and_what_had_room(
    state: Any, charged: list[int], refused: list[int], faults: tuple[int, int]
) -> None:
    batch = Batch(1, [event(n) for n in charged], [event(n) for n in refused])
    assert faults_of(tree_of((state, -1)), [batch], 0) == faults


def test_the_model_holds_a_batch_against_the_caps_of_its_moment() -> None:
    tree = tree_of((CAP, -1), ({GROUP: Cap("Monthly", 50)}, 1))
    after = Batch(2, [event(60)], [])
    assert faults_of(tree, [Batch(1, [event(60)], [])], 0) == Faults()
    assert faults_of(tree, [after], 0) == Faults(over=1)
    assert faults_of(tree, [after], 1) == Faults(), "it may have been under way"
