"""Money, whatever happens: a random market is judged in random batches by judges that die.

After every step the whole ledger is added up anew, by nothing but what the export tells and the
calendar, and compared with counters, tallies and every cap as it stood while the step was judged.
"""

from collections import Counter
from pathlib import Path
from random import Random

import pytest

from handbill.core.charging import CounterKey, summed
from handbill.host.egress import Egress
from handbill.host.settings import Settings
from handbill.kit.instants import DAY
from handbill.ledger import counter_rows
from handbill.ledger.work import seal, sweep
from handbill.store.index import EdgeIndex
from handbill.store.records import Records
from handbill.work.queue import Task
from handbill.work.tools import Tools
from market import Market
from rooms.money_play import BEGIN, STEPS, ZONES, Key, Play, paid


@pytest.mark.parametrize("seed", range(2))
def test_no_micro_is_lost_or_overspent(records: Records, tmp_path: Path, seed: int) -> None:
    market = Market(records, tmp_path)
    market.clock.forward(BEGIN - market.clock.now())
    play = Play(market, Random(seed))
    play.open()
    used: Counter[Key] = Counter()
    for step in range(STEPS):
        play.happen()
        for _ in range(play.chance.randint(0, 3)):
            play.judge()
        used = play.hold(used)
        if step % 15 == 0:
            play.balanced()
    market.clock.forward(40 * DAY)
    market.judge_all()
    used = play.hold(used)
    play.balanced()
    assert paid(market.ledger()) == play.paid, "each purchase is paid for, to the micro"
    kinds = Counter(line["kind"] for line in market.ledger())
    del kinds["POSTING"]
    assert kinds.pop("CLICK") == len(play.delivered), "each click is booked once"
    assert sum(kinds.values()) == play.conversions, "each conversion is booked once"
    assert sum(used.values()) > 0
    spent, marked = (
        sum(line[name] for line in market.ledger()) for name in ("spendMicros", "markedUpMicros")
    )
    assert marked > spent, "some of it was marked up"
    retired(play, tmp_path, {key: value for key, value in used.items() if key[3] == "L"})


def retired(play: Play, folder: Path, lifetime: dict[Key, int]) -> None:
    """When all is older than it is kept for, the books balance; lifetime caps forget nothing."""
    market = play.market
    market.clock.forward(200 * DAY)
    index, egress = EdgeIndex(folder / "index", writable=True), Egress(())
    tools = Tools(
        market.records,
        market.blobs,
        index,
        market.clock,
        market.ids,
        egress,
        Settings(retention_days=30),
        market.scratch,
    )
    sweep(tools, Task(1, "ledger.sweep", "", {}, 1, "w"))
    play.balanced()
    seal(tools, Task(1, "ledger.seal", "", {}, 1, "w"))
    egress.close()
    index.close()
    assert market.ledger() == []
    play.balanced()
    with market.records.read() as tx:
        nos = [play.nos[name] for name in ZONES]
        left = {k: v for no in nos for k, v in counter_rows.counters_of(tx, no).items()}
    assert len(left) == len(lifetime), "what is over is one row"
    assert summed(left, (CounterKey(*key) for key in lifetime)) == lifetime


def test_a_batch_that_is_full_leaves_the_rest_for_the_next(market_of_one: Market) -> None:
    """Its clicks are booked although the journal holds more than it may take."""
    listing = market_of_one.listing()
    for _ in range(5):
        market_of_one.clicked(listing)
    judge = market_of_one.judge()
    judge._most_events = 2
    assert judge.step() == 2
    assert len(market_of_one.ledger()) == 2
    assert len(market_of_one.judged()) == 5


@pytest.fixture
def market_of_one(records: Records, tmp_path: Path) -> Market:
    return Market(records, tmp_path)
