"""How long a tick of rules holds the writer, and what it keeps in memory."""

from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import Any

import pytest

from handbill.control import ruling
from handbill.control.known import remember
from handbill.core.rule_conditions import Condition, Guards, RuleBody
from handbill.core.rules.acts import Act
from handbill.core.rules.running import run
from handbill.core.rules.windows import EVERY
from handbill.rules import acting, history, holding
from handbill.rules import service as rules
from handbill.store.records import Records, Tx
from rooms.rule_house import ONE, SPENDS, House, bids

IDLE = Condition("clicks", "greater than", 99 * ONE, "#", "today")


@pytest.fixture
def house(sqlite_records: Records, tmp_path: Path) -> House:
    return House(sqlite_records, tmp_path)


def _writes(house: House, monkeypatch: pytest.MonkeyPatch) -> int:
    """How many transactions of a tick may write."""
    count, write = 0, house.market.records.write

    def counted() -> AbstractContextManager[Tx]:
        nonlocal count
        count += 1
        return write()

    with monkeypatch.context() as patched:
        patched.setattr(house.market.records, "write", counted)
        house.tick(judged=False)
    return count


def test_rules_share_a_transaction_until_they_have_looked_at_enough(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each of them looks at two job groups, and does nothing."""
    house.judge()
    for _ in range(6):
        house.rule(IDLE)
    monkeypatch.setattr(ruling, "STEP", 3)
    assert _writes(house, monkeypatch) == 3
    house.market.clock.forward(EVERY)
    house.judge()
    monkeypatch.setattr(ruling, "STEP", 2)
    assert _writes(house, monkeypatch) == 6
    house.market.clock.forward(EVERY)
    house.judge()
    monkeypatch.undo()
    assert _writes(house, monkeypatch) == 1


def test_rules_whose_acts_are_refused_do_not_share_a_transaction(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    house.judge()
    for _ in range(3):
        house.rule(SPENDS, **bids())
    monkeypatch.setattr(acting, "amount", lambda *_: None)
    assert _writes(house, monkeypatch) == 3


def test_the_states_of_rules_are_not_kept_in_memory(house: House) -> None:
    for _ in range(3):
        house.rule(IDLE)
    house.tick()
    with house.market.records.read() as tx:
        remember(tx)
        assert tx.nouns is not None
        before = len(tx.nouns)
    house.market.clock.forward(EVERY)
    house.tick()
    assert len(tx.nouns) == before, "nothing but states has changed"


@pytest.mark.parametrize("meddles", [False, True])
def test_a_rule_that_looks_at_very_much_is_worked_out_while_nobody_waits(
    house: House, monkeypatch: pytest.MonkeyPatch, meddles: bool
) -> None:
    """Within its transaction only if a hold was laid or lifted since."""
    both = [house.rule(IDLE), house.rule(SPENDS)]
    house.judge()
    monkeypatch.setattr(ruling, "STEP", 1)
    held_up: list[bool] = []
    writing, write = 0, house.market.records.write

    @contextmanager
    def counted() -> Iterator[Tx]:
        nonlocal writing
        writing += 1
        with write() as tx:
            yield tx
        writing -= 1

    def noted(*of: Any) -> Any:
        found = run(*of)
        held_up.append(writing > 0)
        if meddles and not writing:
            act = Act(kind="job", entity="1", what="pause", id="R", name="R")
            with house.writing() as (tx, now, client):
                holding.hold(tx, house.market.ids, now, client, 1, f"run-{len(held_up)}", act)
            monkeypatch.setattr(holding, "hold", lambda *_: None)
        return found

    monkeypatch.setattr(house.market.records, "write", counted)
    monkeypatch.setattr("handbill.control.ruling.run", noted)
    house.tick(judged=False)
    assert held_up == ([False, True, False] if meddles else [False, False])
    assert [len(house.runs(rule)) for rule in both] == [1, 1]


def test_a_rule_that_fails_ahead_of_its_transaction_says_so_and_others_run(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    broken, sound = house.rule(IDLE), house.rule(SPENDS)

    def noted(body: RuleBody, *of: Any) -> Any:
        if body.conditions == (IDLE,):
            raise ZeroDivisionError
        return run(body, *of)

    monkeypatch.setattr(ruling, "STEP", 1)
    monkeypatch.setattr("handbill.control.ruling.run", noted)
    house.tick()
    assert [len(house.runs(rule)) for rule in (broken, sound)] == [0, 1]
    with house.writing() as (tx, _, client):
        state = history.state_of(tx, rules.rule_of(tx, client, broken).no)
    assert (state.failures, state.why) == (1, "it could not be run: ZeroDivisionError")


def test_what_a_hold_costs_does_not_grow_with_all_others(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    few = Condition("clicks", "less than", 99 * ONE, "#", "today")
    rule_id = house.rule(few, guards=Guards(share_ppm=ONE))
    asked: list[int] = []
    holds_of = holding.holds_of

    def noted(tx: Tx, client_no: int) -> Any:
        asked.append(client_no)
        return holds_of(tx, client_no)

    monkeypatch.setattr(holding, "holds_of", noted)
    assert house.tick() > 1
    assert len(asked) < 4, "as it begins and before it acts, but for no act"
    (made,) = house.runs(rule_id)
    assert set(house.undo(rule_id, made.id)) == {""}
    assert len(asked) < 4
