"""A day of a whole system whose clients have rules: what they do is followed, act by act.

The checks are tried too: each of them must find what it is there to find.
"""

from collections import Counter
from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from typing import Any

import pytest

from handbill.kit.instants import MINUTE
from handbill.simulate import backtested
from handbill.simulate.acts import acts_of
from handbill.simulate.living import SimulatedLife, Size
from handbill.simulate.rulebook import RuleOf

SIZE = Size(days=1, publishers=4, clients=2, clicks=500, jobs=8, step=15 * MINUTE, rules=True)


@pytest.fixture(scope="module")
def life(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SimulatedLife]:
    with closing(SimulatedLife(tmp_path_factory.mktemp("ruled"), SIZE, seed=5)) as life:
        assert len(list(life.days())) == 1
        yield life


def acted(life: SimulatedLife, acts: bool = True) -> tuple[RuleOf, Any]:
    """A run that has done something, or would have."""
    found = [
        (rule, run)
        for rule in life.rulebook.rules
        if rule.acts == acts
        for run in rule.runs.values()
        if acts_of(run) and run["entities"][0]["level"] != "JOB"
    ]
    return found[-1]


def test_there_was_something_to_see(life: SimulatedLife) -> None:
    ruled = life.ruled
    assert ruled.acts > 5
    assert min(ruled.previews, ruled.seen) > 5
    assert ruled.backtests == len(life.rulebook.rules) - 1, "one goes by shares of budgets"
    assert ruled.firings["equal"] > 3
    every = [
        act for rule in life.rulebook.rules for run in rule.runs.values() for act in acts_of(run)
    ]
    assert {"pause", "cpc bid"} <= {act["action"] for act in every}


def test_a_hold_that_no_run_has_made_is_found(life: SimulatedLife) -> None:
    rule, run = acted(life)
    thing = ("JOBGROUP", rule.client.groups[0].id, "x")
    life.trade.held.hold(thing, rule.id, run["id"], 0)
    (wrong,) = life.house.run(life.ruled.end_day())
    assert "these are held" in wrong
    life.trade.held.lift(0, thing=thing)
    assert life.house.run(life.ruled.end_day()) == []


@pytest.mark.parametrize("name", ["bid_micros", "active"])
def test_a_bid_or_a_switch_that_nobody_has_set_is_found(
    life: SimulatedLife, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    group = life.trade.employers[0].groups[0]
    monkeypatch.setattr(group, name, not getattr(group, name))
    (wrong,) = life.house.run(life.ruled.end_day())
    assert ("stands at" if name == "bid_micros" else "has status") in wrong


def test_a_back_test_that_says_less_is_found(
    life: SimulatedLife, monkeypatch: pytest.MonkeyPatch
) -> None:
    rule, run = acted(life, acts=False)
    rest = {id_: one for id_, one in rule.runs.items() if id_ != run["id"]}
    monkeypatch.setattr(rule, "runs", rest)
    (wrong,) = life.house.run(life.ruled.end())
    assert "in fact" in wrong


def test_another_number_or_firing_of_a_back_test_is_found(life: SimulatedLife) -> None:
    """Of a rule that acts: other numbers, and an entity at which it has never looked."""
    rule, run = acted(life)
    at = {"ranOn": run["ranOn"]}
    told = [at | one for one in run["entities"] if any(not act["skip"] for act in one["acts"])]
    count: Counter[str] = Counter()
    list(backtested.acted(rule, {"firings": told}, count))
    assert count["equal"] == len(told) > 0
    (wrong, *_) = backtested.acted(rule, {"firings": [told[0] | {"seen": [-1]}]}, count)
    assert "its back-test [-1]" in wrong
    (wrong, *_) = backtested.acted(rule, {"firings": [told[0] | {"id": "x"}]}, count)
    assert "never looked" in wrong


@pytest.mark.parametrize(("days", "is_same"), [("yesterday", True), ("today", False)])
def test_a_run_of_past_days_may_come_later_than_its_back_test(
    life: SimulatedLife, days: str, is_same: bool
) -> None:
    """Half an hour, as work that comes once an hour does where a day begins at half an hour."""
    client = replace(life.trade.employers[0], zone="UTC+5:30")
    seen = {"level": "CLIENT", "id": client.id, "publisherIds": [], "seen": [3], "skip": ""}
    entity = seen | {"acts": [{"action": "pause", "skip": "", "level": "CLIENT", "id": client.id}]}
    fired = {"firings": [entity | {"ranOn": "2026-10-14T19:30:00.000Z"}]}
    run = {"id": "r", "ranOn": "2026-10-14T20:00:00.000Z", "entities": [entity]}
    body = {"conditions": [{"conditionDuration": days}], "adminActions": {"type": "pause"}}
    for compare in (backtested.advised, backtested.acted):
        rule = RuleOf(id="x", client=client, body=body, acts=True, since_at=0, runs={"r": run})
        assert (not list(compare(rule, fired, Counter()))) == is_same
    rule.runs["other"] = run | {"ranOn": "2026-10-14T20:15:00.000Z"}
    again = [one for one in backtested.acted(rule, fired, Counter()) if "has run again" in one]
    assert len(again) == is_same, "one that sees past days runs once a day"


def test_another_act_figure_or_time_is_found(
    life: SimulatedLife, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The same run again: as if it had been made twice, without anything to see."""
    rule, run = acted(life)
    monkeypatch.setattr(life.ruled, "_came", {key: {} for key in life.ruled._came})
    wrong = "\n".join(life.ruled._of_run(rule, run))
    assert "has run twice" in wrong
    assert "has seen" in wrong


def test_another_act_than_was_previewed_is_found(life: SimulatedLife) -> None:
    rule, run = acted(life)
    entity = next(one for one in run["entities"] if not all(act["skip"] for act in one["acts"]))
    assert list(life.ruled._of_entity(rule, entity, entity)) == []
    acts = [act | {"action": "else"} for act in entity["acts"]]
    (wrong, *_) = life.ruled._of_entity(rule, entity | {"acts": acts}, entity)
    assert "previews another act" in wrong
