"""How long a tick of rules holds the writer, and what it keeps in memory."""

from contextlib import AbstractContextManager
from pathlib import Path

import pytest

from handbill.control import ruling
from handbill.control.known import remember
from handbill.core.rule_conditions import Condition
from handbill.core.rules.windows import EVERY
from handbill.rules import acting
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
