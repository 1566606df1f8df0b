"""A back-test says what the real runs did: the same instants, entities, numbers and acts."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from random import Random
from typing import Any, Final

import pytest
import sqlalchemy as sa

from handbill.changes import service as changes
from handbill.changes.service import ChangeFilter
from handbill.cli.rules import _say_seen
from handbill.clients import service as clients
from handbill.contract.rules.runs import backtest_told
from handbill.control import backtesting, rule_ticks, ruling
from handbill.core.listing_tokens import SealedClick
from handbill.core.nouns import Cap, Caps, Client, Placement
from handbill.core.rule_conditions import Action, Condition, Guards, RuleBody
from handbill.core.rules.backtesting import BackTest, Fired
from handbill.core.rules.running import does
from handbill.core.rules.windows import EVERY
from handbill.kit.instants import DAY, HOUR, MINUTE, Instant, instant_of_iso
from handbill.kit.zones import day_of, start_of, zone_of
from handbill.rules import history
from handbill.rules import service as rules
from handbill.stats.answering import Answering, Within
from handbill.store.records import Records, Tx
from handbill.store.records.tables import groups
from handbill.wire.models import spelled
from market import Market

ONE: Final = 1_000_000
START: Final = instant_of_iso("2026-10-30T04:00:00Z")
"""Midnight in New York, where the first of November has 25 hours."""
NEW_YORK: Final = zone_of("America/New_York")
BUDGET: Final = Caps(budget=Cap("Monthly", 1_000 * ONE))
WHOLE: Final = Guards(share_ppm=ONE, least_clicks=3, least_spend_micros=0, maturity_ppm=100_000)


def over(parameter: str, value: int, duration: str, unit: str = "#") -> Condition:
    return Condition(parameter, "greater than", value * ONE, unit, duration)


def body_of(*conditions: Condition, **more: Any) -> RuleBody:
    known: dict[str, Any] = {"name": "r", "level": "jobgroups", "action_type": "administration"}
    if "action" not in more:
        known["admin"] = "pause"
    return RuleBody(conditions=conditions, end_on="2026-12-31", **(known | more))


RULES: Final = [
    body_of(over("spent", 4, "yesterday", "$"), guards=WHOLE),
    body_of(
        over("spent", 4, "yesterday", "$"),
        over("cta", 4, "last_3_days", "%"),
        action_type="bidStrategy",
        action=Action(False, "cpc bid", 10 * ONE, "%"),
        all_of=False,
        repeat_days=2,
        guards=WHOLE,
    ),
    body_of(
        over("clicks", 2, "today"),
        over("cpc", 0, "this_week", "$"),
        action_type="performance",
        action=Action(True, "budget", 5 * ONE, "$"),
        guards=WHOLE,
    ),
    body_of(
        Condition("applies", "equals", 0, "#", "today"),
        over("spent", 1, "this_month", "%"),
        guards=Guards(),
    ),
]


class House:
    """A client with three job groups at two publishers, made as the days begin."""

    def __init__(self, records: Records, folder: Path) -> None:
        self.market = market = Market(records, folder)
        market.clock.at = START
        self.no = market.client(zone="America/New_York", caps=BUDGET)
        boards = [market.publisher(name) for name in ("Board", "Other")]
        campaign = market.campaign(self.no, caps=BUDGET)
        placed = [Placement(name) for name in ("Board", "Other")]
        more: dict[str, Any] = {"caps": BUDGET, "cpc_bid_micros": ONE, "placements": placed}
        nos = [market.group(self.no, campaign, name, **more) for name in "abc"]
        with market.records.write() as tx:
            tx.run_text("UPDATE groups SET created_at = :at", {"at": START})
            every = tx.all(sa.select(groups.c.no, groups.c.id))
        self.ids: dict[int, str] = dict(every)
        self.came: list[tuple[Instant, int, bool]] = []
        """When, in which job group, and whether it was an apply."""
        ids: dict[str, Any] = {"client_no": self.no, "campaign_no": campaign}
        self.listings = [
            market.listing(group_no=no, publisher_no=board, **ids) for no in nos for board in boards
        ]

    @property
    def client(self) -> Client:
        with self.market.records.read() as tx:
            return clients.clients_by_number(tx, [self.no])[self.no]

    @contextmanager
    def writing(self) -> Iterator[tuple[Tx, Instant, Client]]:
        client = self.client
        with self.market.records.write() as tx:
            yield tx, self.market.clock.now(), client

    def rule(self, body: RuleBody) -> str:
        with self.writing() as (tx, now, client):
            return rules.create(tx, self.market.ids, now, client, body)

    def live(self, chance: Random, until: Instant, step: Instant) -> None:
        """Visitors come, and some apply; rules run at each step, sooner or later."""
        market, clicks = self.market, list[SealedClick]()
        tools = rule_ticks.RulingTools(
            market.records,
            Answering(market.records, market.blobs, market.ids, market.scratch),
            market.clock,
            market.ids,
            "ACT",
        )
        judge = market.judge()
        for begins in range(START, until, step):
            for at in sorted(self._instants(chance, begins, step)):
                market.clock.at = max(market.clock.at, at)
                if clicks and chance.random() < 0.2:
                    click = chance.choice(clicks)
                    market.converted(click, application=market.ids.bytes(8).hex(), at=at)
                    self.came.append((at, click.listing.group_no, True))
                else:
                    clicks.append(market.clicked(chance.choice(self.listings), at=at))
                    self.came.append((at, clicks[-1].listing.group_no, False))
            market.clock.at = begins + step + chance.randrange(2 * MINUTE)
            judge.step()
            ruling.tick(tools, self.client)

    def _instants(self, chance: Random, begins: Instant, step: Instant) -> list[Instant]:
        """Also the last one before rules run, and one that comes while they are to run."""
        ends = begins + step - 1, max(begins, self.market.clock.now())
        return [chance.choice(ends) for _ in range(chance.choice((0, 0, 1, 3)))]

    def backtest(self, body: RuleBody) -> BackTest:
        market, client = self.market, self.client
        with market.records.read() as tx:
            answering = Answering(Within(tx), market.blobs, market.ids, market.scratch)
            return backtesting.backtest(tx, answering, client, market.clock.now(), body)

    def fired(self, rule_id: str) -> list[tuple[Any, ...]]:
        with self.writing() as (tx, _, client):
            every, _ = history.page(tx, rules.rule_of(tx, client, rule_id).no, 0, 1_000)
        return [
            (run.at, finding)
            for run in reversed(every)
            for finding in run.body.findings
            if does(finding)
        ]


@pytest.mark.parametrize("number", range(len(RULES)))
def test_a_back_test_says_what_the_runs_did(
    sqlite_records: Records, tmp_path: Path, number: int
) -> None:
    """Days of visitors; each rule alone and advising, as the numbers stay the same so."""
    house, body = House(sqlite_records, tmp_path), RULES[number]
    rule_id = house.rule(body)
    is_past = number < 2
    until = START + (5 * DAY if is_past else 28 * HOUR)
    house.live(Random(number), until, HOUR if is_past else EVERY)
    real = house.fired(rule_id)
    found = house.backtest(body)
    assert [one[:2] for one in found.fired] == real
    assert (found.total, found.whole, found.evaluated) == (len(real), True, 3)
    assert len(real) > 2
    for one in found.fired:
        assert one.after == _beside(house, one, 1, 8), "the ledger says the same"
        assert one.before == _beside(house, one, -7, 0)


def test_of_a_rule_that_acts_alone_it_says_when_on_what_and_by_which_numbers(
    sqlite_records: Records, tmp_path: Path
) -> None:
    """Only amounts differ: those that an act has changed are the base of the next one."""
    house, body = House(sqlite_records, tmp_path), RULES[1]
    rule_id = house.rule(body)
    with house.writing() as (tx, now, client):
        clients.update(tx, now, client, {"control": "ACT"})
    house.live(Random(1), START + 5 * DAY, HOUR)
    real = [(at, one.key, one.seen) for at, one in house.fired(rule_id)]
    found = house.backtest(body)
    assert [(one.at, one.finding.key, one.finding.seen) for one in found.fired] == real
    assert len(real) > 2
    with house.writing() as (tx, _, client):
        assert changes.page(tx, ChangeFilter(client_no=house.no, actor="RULE"), 99), "it has acted"


def _beside(house: House, one: Fired, first: int, end: int) -> tuple[int, int]:
    """By what visitors did, each click for 1.00; without the ledger."""
    day = day_of(one.at, NEW_YORK)
    low, high = (start_of(day + timedelta(days=n), NEW_YORK) for n in (first, end))
    some = [
        is_apply
        for at, group_no, is_apply in house.came
        if low <= at < high and house.ids[group_no] == one.finding.id
    ]
    return (len(some) - sum(some)) * ONE, sum(some)


def test_a_back_test_is_printed_for_people(
    sqlite_records: Records, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    house, body = House(sqlite_records, tmp_path), RULES[0]
    house.live(Random(0), START + 3 * DAY, HOUR)
    found = house.backtest(body)
    names = ("from", "until", "runs", "evaluated", "count", "complete")
    _say_seen(spelled(backtest_told(body, found)), names, "firings", as_json=False)
    *sums, heads, first = capsys.readouterr().out.splitlines()[: len(names) + 2]
    assert [line.split()[0] for line in sums] == list(names)
    assert heads.split() == ["ranOn", "level", "name", "seen", "acts"]
    assert first.startswith("2026-10-3")
    assert first.rpartition(" ")[0].endswith("pause")
