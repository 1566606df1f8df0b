"""Months judged again where caps of jobs, other currencies and markups act, by chance."""

from collections import Counter
from dataclasses import dataclass, field
from itertools import product
from pathlib import Path
from random import Random
from typing import Any

import msgspec
import pytest

from handbill.clients.service import clients_by_number
from handbill.core.click_definitions import Definition, DefinitionBody
from handbill.core.listing_tokens import Listing
from handbill.core.nouns import (
    BidType,
    Cap,
    Caps,
    GroupBody,
    JobPlacement,
    JobSetting,
    JobSettings,
    Override,
    Placement,
)
from handbill.core.rates import Quote, converted, number_of
from handbill.definitions import rows as definition_rows
from handbill.kit.instants import DAY, HOUR, MINUTE, SECOND, instant_of_iso
from handbill.kit.money import plus_shares
from handbill.kit.zones import day_of, zone_of
from handbill.ledger import rejudging
from handbill.ledger.checking import check
from handbill.ledger.planning import RejudgingTools
from handbill.store.records import Records
from handbill.store.records.tables import groups, jobs, publishers
from market import BOT_AGENT, HUMAN, RULES, START, Market

ZONE = "Pacific/Auckland"
KINDS: dict[str, BidType] = {"Board": "CPC", "Euro": "CPC", "Pay": "CPA"}
BID_PICOS, PRICE_PICOS = 1_234_567_890_123, 1_100_000_000_000
MICROS = 1_000_000
PERIODS = ("Weekly", "Monthly", "Lifetime")
AMOUNTS = ("chargeMicros", "spendMicros", "markedUpMicros")
Key = tuple[str, str, int, str]


@dataclass
class Trial:
    """One client with one job group, three publishers and two jobs."""

    market: Market
    chance: Random
    caps: dict[tuple[str, str, int], Cap] = field(default_factory=dict)
    override: int = 0
    events: int = 0
    steps: list[tuple[int, int]] = field(default_factory=list)

    def __post_init__(self) -> None:
        market = self.market
        self.publishers = {name: market.publisher(name, kind) for name, kind in KINDS.items()}
        euro = {"name": "Euro", "bid_type": "CPC", "currency": "EUR"}
        market.change(publishers, self.publishers["Euro"], euro)
        self.client_no = market.client(zone=ZONE)
        self.campaign_no = market.campaign(self.client_no)
        self.group_no = market.group(self.client_no, self.campaign_no)
        self.jobs = [self.chance.randbytes(16) for _ in range(2)]
        for job in self.jobs:
            market.job(self.client_no, job)
        for from_at, ppm in ((0, 333_333), (START, 70_001), (START + DAY, 0)):
            market.markup(ppm, from_at, client_no=self.client_no)
            self.steps.append((from_at, ppm))

    # ── what happens ────────────────────────────────────────────────────────────────────────────

    def define(self) -> None:
        """Other rules for the clicks at all publishers."""
        for no in self.publishers.values():
            body = DefinitionBody(
                True,
                Definition(
                    bot=self.chance.random() < 0.5,
                    duplicate_seconds=self.chance.choice((None, 30, 7_200)),
                ),
            )
            with self.market.records.write() as tx:
                definition_rows.add(tx, no, 0, body, self.market.clock.now())

    def cap(self, scope: str, entity: str, measure: int, most: int) -> Cap | None:
        self.caps.pop((scope, entity, measure), None)
        if self.chance.random() < 0.4:
            return None
        value = self.chance.randint(1, most) * (1 if measure else MICROS // 3)
        cap = Cap(self.chance.choice(PERIODS), value)  # type: ignore[arg-type]
        self.caps[scope, entity, measure] = cap
        return cap

    def edit(self) -> None:
        """Other caps of jobs and placements, and another markup of the job group."""
        each = [self.cap("group_job", "", at, most) for at, most in enumerate((30, 12, 4))]
        board = self.cap("placement", "Board", 0, 20)
        self.override = self.chance.choice((0, 50_000, 7))
        body = GroupBody(
            "g1",
            placements=[
                Placement("Board", budget=board),
                Placement("Euro", budget=Cap("Monthly", 2 * MICROS, locked=True)),
                Placement("Pay"),
            ],
            caps=Caps(
                budget=Cap("Monthly", 60 * MICROS),
                job_budget=each[0],
                job_clicks=each[1],
                job_applies=each[2],
            ),
            override=Override(markup_ppm=self.override),
        )
        self.market.change(groups, self.group_no, body)
        for job in self.jobs:
            name = job.hex()
            own = [self.cap("job", name, at, most) for at, most in enumerate((20, 8, 3))]
            there = self.cap("job_placement", f"{name}/Euro", 0, 9)
            settings = JobSettings(
                JobSetting(caps=Caps(budget=own[0], clicks=own[1], applies=own[2])),
                (JobPlacement("Euro", budget=there),) if there else (),
            )
            with self.market.records.write() as tx:
                tx.change(
                    jobs,
                    {"id": name},
                    settings=msgspec.json.encode(settings).decode(),
                    updated_at=self.market.clock.now(),
                )

    def listing(self) -> Listing:
        name = self.chance.choice(sorted(KINDS))
        quote = {}
        if name == "Euro":
            quote["quote"] = Quote(PRICE_PICOS, BID_PICOS, 540_000, number_of("EUR"))
        bid = converted(540_000, BID_PICOS) if quote else 700_001
        return Listing(
            client_no=self.client_no,
            campaign_no=self.campaign_no,
            group_no=self.group_no,
            publisher_no=self.publishers[name],
            job_id=self.chance.choice(self.jobs),
            bid_type=KINDS[name],
            bid_micros=bid,
            price_micros=500_000,
            listed_at=(START - DAY) // 1_000 * 1_000,
            **quote,
        )

    def happen(self) -> None:
        """Clicks of bots and of people, some of them twice, with applies."""
        market, chance = self.market, self.chance
        for _ in range(12):
            agent = chance.choice((HUMAN, BOT_AGENT))
            at = market.clock.now() - chance.randrange(HOUR)
            ip = f"203.0.113.{chance.randrange(4)}"
            listing = self.listing()
            click = market.clicked(listing, at=at, agent=agent, ip=ip)
            self.events += 1
            if chance.random() < 0.5:
                self.events += 1
                market.converted(click, application=f"a{self.events}")
        market.judge_all()

    def again(self) -> rejudging.RejudgingTally:
        with self.market.records.read() as tx:
            client = clients_by_number(tx, [self.client_no])[self.client_no]
        market = self.market
        desk = RejudgingTools(
            market.records, market.blobs, market.clock, market.ids, RULES, market.scratch
        )
        return rejudging.rejudge(desk, client, "2026-11")

    # ── what must hold ──────────────────────────────────────────────────────────────────────────

    def used(self, ledger: list[dict[str, Any]]) -> Counter[Key]:
        """By scope, entity, measure and period: the sums of all entries with their signs."""
        found: Counter[Key] = Counter()
        for line in ledger:
            if line["disposition"] not in {"valid", "counted"}:
                continue
            sign, day = line["sign"], day_of(instant_of_iso(line["at"]), zone_of(ZONE))
            amounts = (
                line["markedUpMicros"],
                sign * (line["kind"] == "CLICK"),
                sign * (line["kind"] == "APPLY"),
            )
            job, publisher = line["jobId"], line["publisherId"]
            year, week, _ = day.isocalendar()
            for scope, entity in (
                ("group_job", job),
                ("job", job),
                ("job_placement", f"{job}/{publisher}"),
                ("placement", publisher),
            ):
                for measure, period in product(range(3), (f"{year}W{week}", f"{day:%Y-%m}", "")):
                    found[scope, entity, measure, period] += amounts[measure]
        return found

    def hold(self, before: Counter[Key]) -> Counter[Key]:
        market = self.market
        assert check(market.records, market.blobs, market.scratch).faults == []
        ledger = market.ledger()
        by_id = {line["id"]: line for line in ledger}
        assert len(by_id) == len(ledger)
        gone = {line["correctedId"]: line for line in ledger if line["sign"] < 0}
        instead = {line["correctedId"] for line in ledger if line["sign"] > 0} - {None}
        assert gone.keys() == instead, "what is taken back is stood for"
        for id_, line in gone.items():
            for name in AMOUNTS:
                assert line[name] == -by_id[id_][name]
        standing = [line for line in ledger if line["sign"] > 0 and line["id"] not in gone]
        assert len(standing) == self.events, "each event stands once"
        for line in standing:
            self.priced(line)
        used = self.used(ledger)
        assert min(used.values(), default=0) >= 0
        for (scope, entity, measure, period), value in used.items():
            owner = "" if scope == "group_job" else entity
            cap = self.caps.get((scope, owner, measure))
            if cap is not None and value > before[scope, entity, measure, period]:
                kind = "Lifetime" if not period else "Weekly" if "W" in period else "Monthly"
                assert kind != cap.period or value <= cap.value, (scope, entity, measure, period)
        return used

    def priced(self, line: dict[str, Any]) -> None:
        """Each amount of an entry that stands, computed from its listing alone."""
        paid_for = "APPLY" if line["publisherId"] == "Pay" else "CLICK"
        if line["kind"] != paid_for or line["disposition"] not in {"valid", "counted"}:
            assert [line[name] for name in AMOUNTS] == [0, 0, 0]
            return
        if line["disposition"] == "counted" and not line["spendMicros"]:
            assert line["reason"], "it says why it is free"
            return
        euro = line["publisherId"] == "Euro"
        bid = converted(540_000, BID_PICOS) if euro else 700_001
        at = instant_of_iso(line["at"])
        agency = [ppm for from_at, ppm in self.steps if from_at <= at][-1]
        assert line["agencyMarkupPpm"] == agency
        currency = "EUR" if euro else "USD"
        assert line["bidCurrency"] == line["priceCurrency"] == currency
        charge = converted(500_000, PRICE_PICOS) if euro else 500_000
        marked = plus_shares(bid, agency, line["overrideMarkupPpm"])
        assert [line[name] for name in AMOUNTS] == [charge, bid, marked]


@pytest.mark.parametrize(
    ("records", "seed"), [("sqlite", 0), ("postgresql", 3)], indirect=["records"]
)
def test_corrections_pass_no_cap_of_a_job_and_lose_no_micro(
    records: Records, tmp_path: Path, seed: int
) -> None:
    trial = Trial(Market(records, tmp_path), Random(seed))
    used: Counter[Key] = Counter()
    corrected = 0
    for _ in range(4):
        trial.market.clock.forward(trial.chance.choice((MINUTE, HOUR, 9 * HOUR)) + SECOND)
        if trial.chance.random() < 0.7:
            trial.edit()
        trial.define()
        trial.happen()
        used = trial.hold(used)
        trial.define()
        if trial.chance.random() < 0.5:
            trial.edit()
        corrected += trial.again().became.total()
        used = trial.hold(used)
        assert trial.again().became == {}, "once more adds nothing"
    assert corrected > 10
