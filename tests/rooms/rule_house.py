"""A client whose rules run: job groups, visitors, and ticks on a clock that is put forward."""

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import msgspec

from handbill.clients import service as clients
from handbill.control import rule_ticks, ruling
from handbill.control import service as control
from handbill.core.nouns import Cap, Caps, Client, Placement
from handbill.core.rule_conditions import Action, Condition, Guards, RuleBody
from handbill.core.rules.windows import EVERY
from handbill.groups import service as groups
from handbill.kit.instants import Instant
from handbill.rules import history, holding, undoing
from handbill.rules import service as rules
from handbill.rules.history import RuleRun
from handbill.standing import service as standing
from handbill.stats.answering import Answering, Days
from handbill.stats.questions import Plan
from handbill.store.records import Records, Tx
from market import Market

ONE = 1_000_000
BUDGET = Caps(budget=Cap("Monthly", 1_000 * ONE))
SPENDS = Condition("spent", "greater than", 2 * ONE, "$", "today")
NO_APPLY = Condition("applies", "equals", 0, "#", "today")


class Answers(Answering):
    """Answers each plan once: the entries stay as they are."""

    def __init__(self, market: Market, known: dict[Any, Any], records: Any = None) -> None:
        super().__init__(records or market.records, market.blobs, market.ids, market.scratch)
        self.known = known

    def in_ranges(self, plan: Plan, ranges: Iterable[Days], *_: Any, **__: Any) -> Any:
        key = msgspec.json.encode(plan), tuple(ranges)
        if key not in self.known:
            self.known[key] = super().in_ranges(plan, key[1])
        return self.known[key]


class House:
    """A client with two job groups: the first one has three clicks of 1.00, and no apply."""

    def __init__(self, records: Records, folder: Path) -> None:
        self.market = market = Market(records, folder)
        self.no = market.client(caps=BUDGET)
        publisher = market.publisher()
        campaign = market.campaign(self.no, caps=BUDGET)
        for name in ("first", "second"):
            placed = [Placement("Board", bid_micros=2 * ONE if name == "second" else None)]
            market.group(
                self.no, campaign, name, caps=BUDGET, cpc_bid_micros=ONE, placements=placed
            )
        self.first, self.second = self.groups()
        ids: dict[str, Any] = {
            "client_no": self.no,
            "campaign_no": campaign,
            "publisher_no": publisher,
        }
        listing = market.listing(group_no=self.first.no, **ids)
        for _ in range(3):
            market.clicked(listing)
        assert len(market.judged()) == 3
        market.clock.forward(EVERY)
        self.listing = listing
        self.let("ACT")

    def groups(self) -> Any:
        with self.market.records.read() as tx:
            return groups.groups_of(tx, self.no)

    @property
    def client(self) -> Client:
        with self.market.records.read() as tx:
            return clients.clients_by_number(tx, [self.no])[self.no]

    @contextmanager
    def writing(self) -> Iterator[tuple[Tx, Instant, Client]]:
        client = self.client
        with self.market.records.write() as tx:
            yield tx, self.market.clock.now(), client

    def let(self, mode: str) -> None:
        with self.writing() as (tx, now, client):
            clients.update(tx, now, client, {"control": mode})

    def rule(self, *conditions: Condition, **more: Any) -> str:
        body = rule_of(*conditions, **more)
        with self.writing() as (tx, now, client):
            return rules.create(tx, self.market.ids, now, client, body)

    def judge(self) -> None:
        judge = self.market.judge()
        while judge.step():
            pass

    def tick(
        self, answering: Answering | None = None, mode: str = "ACT", judged: bool = True
    ) -> int:
        """Run what is due, once the judge has come so far."""
        market = self.market
        if judged:
            self.judge()
        with_these = answering or Answering(
            market.records, market.blobs, market.ids, market.scratch
        )
        tools = rule_ticks.RulingTools(market.records, with_these, market.clock, market.ids, mode)
        return ruling.tick(tools, self.client)

    def runs(self, rule_id: str) -> list[RuleRun]:
        with self.writing() as (tx, _, client):
            rule = rules.rule_of(tx, client, rule_id)
            return history.page(tx, rule.no, 0, 99)[0]

    def undo(self, rule_id: str, run_id: str) -> list[str]:
        with self.writing() as (tx, now, client):
            found = undoing.undo(tx, now, client, rule_id, run_id)
        return [one.why_not for one in found]

    def held(self) -> list[str]:
        with self.market.records.read() as tx:
            return [f"{one.kind} {one.entity}" for one in holding.holds_of(tx, self.no)]

    def states(self) -> dict[Any, Any]:
        """What control makes of it, by what stands so."""
        control.tick(self.market.records, self.client, self.market.clock.now(), 1_200_000)
        with self.market.records.read() as tx:
            return standing.resolved_of(tx, self.no)


def rule_of(*conditions: Condition, **more: Any) -> RuleBody:
    known: dict[str, Any] = {"name": "r", "level": "jobgroups", "action_type": "administration"}
    if "action" not in more:
        known["admin"] = "pause"
    return RuleBody(conditions=conditions or (SPENDS, NO_APPLY), **(known | more))


def bids(more: bool = True, percent: int = 10) -> dict[str, Any]:
    return {
        "action": Action(more, "cpc bid", percent * ONE, "%"),
        "action_type": "bidStrategy",
        "guards": Guards(share_ppm=ONE),
    }
