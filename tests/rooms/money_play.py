"""A market in play: clicks, conversions, caps and markups by chance, and a plain account of it."""

from collections import Counter
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import date
from random import Random
from typing import Any

from handbill.core.charging import CounterKey, Measure, Scope, summed
from handbill.core.listing_tokens import Listing, SealedClick
from handbill.core.nouns import (
    BidType,
    CampaignBody,
    Cap,
    Caps,
    ClientBody,
    GroupBody,
    Override,
    Placement,
)
from handbill.core.received import ReceivedClick, ReceivedConversion
from handbill.kit.instants import DAY, HOUR, MINUTE, SECOND, instant_of_iso
from handbill.kit.zones import PERIODS, day_of, period_key, zone_of
from handbill.ledger import counter_rows, rows
from handbill.ledger.checking import check
from handbill.store.records.tables import (
    campaigns,
    clients,
    groups,
    markups,
)
from market import BOT_AGENT, HUMAN, Market
from rooms.test_ledger_crash import Cut, CutRecords, cut

ZONES = {"c1": "Pacific/Auckland", "c2": "America/New_York"}
PUBLISHERS: dict[str, BidType] = {"Board": "CPC", "Pay": "CPA", "Flat": "FLAT_CPC"}
# The night before, the clocks of New York went back; weeks begin on a Sunday or a Monday.
BEGIN = instant_of_iso("2026-10-31T20:00:00Z")
STEPS = 22
EVENTS_A_STEP = 8
MEASURES: tuple[Measure, ...] = ("budget", "clicks", "applies")
Key = tuple[Scope, str, Measure, str]


@dataclass
class Play:
    """A market, and a run of chances that one seed decides."""

    market: Market
    chance: Random
    zone_of_client: dict[str, str] = field(default_factory=dict)
    nos: dict[str, int] = field(default_factory=dict)
    bodies: dict[tuple[str, int], Any] = field(default_factory=dict)
    listings: list[Listing] = field(default_factory=list)
    limits: dict[tuple[str, str, str], Cap] = field(default_factory=dict)
    clicked: list[SealedClick] = field(default_factory=list)
    withheld: list[ReceivedClick] = field(default_factory=list)
    sent: list[ReceivedClick] = field(default_factory=list)
    delivered: set[bytes] = field(default_factory=set)
    conversions: int = 0
    paid: int = 0
    marked_up: list[int] = field(default_factory=list)
    booked: dict[str, Any] = field(default_factory=dict)

    def open(self) -> None:
        market, chance = self.market, self.chance
        publishers = {name: market.publisher(name, how) for name, how in PUBLISHERS.items()}
        self.nos |= publishers
        for client, zone in ZONES.items():
            client_no = self.nos[client] = market.client(client, zone)
            self.bodies["client", client_no] = ClientBody(company_name=client, exported_name=client)
            for name in ("k1", "k2"):
                campaign_no = market.campaign(client_no, name)
                self.nos[f"{client_no}-{name}"] = campaign_no
                self.bodies["campaign", campaign_no] = CampaignBody(name)
                for group in ("g1", "g2"):
                    group_no = market.group(client_no, campaign_no, group)
                    self.nos[f"{campaign_no}-{group}"] = group_no
                    self.bodies["group", group_no] = GroupBody(group)
                    for publisher, bid_type in PUBLISHERS.items():
                        bid = chance.choice((250_001, 999_999, 1_333_333))
                        price = bid - chance.choice((0, 1, bid // 7, bid))
                        listing = Listing(
                            client_no=client_no,
                            campaign_no=campaign_no,
                            group_no=group_no,
                            publisher_no=publishers[publisher],
                            job_id=chance.randbytes(16),
                            bid_type=bid_type,
                            bid_micros=bid,
                            price_micros=price,
                        )
                        self.listings.append(listing)
        for kind, no in list(self.bodies):
            if chance.random() < 0.7:
                self.cap(kind, no)

    # ── what may happen ─────────────────────────────────────────────────────────────────────────

    def cap(self, kind: str, no: int) -> None:
        """Set, change or lift the caps of one client, campaign or job group, and of its
        placements.
        """
        chance, body = self.chance, self.bodies[kind, no]
        budget = [self._cap(kind, f"{no}", "budget", 8_000_000)]
        body.caps = Caps(
            budget=budget[0],
            clicks=self._cap(kind, f"{no}", "clicks", 12),
            applies=self._cap(kind, f"{no}", "applies", 4),
        )
        scope = {"campaign": "campaign_placement", "group": "placement"}.get(kind)
        if scope is not None:
            placed = {
                name: self._cap(scope, f"{no}/{self.nos[name]}", "budget", 3_000_000)
                for name in chance.sample(sorted(PUBLISHERS), 3)
            }
            if kind == "campaign":
                body.placement_caps = {name: cap for name, cap in placed.items() if cap}
            else:
                body.placements = [Placement(name, budget=cap) for name, cap in placed.items()]
        table = {"client": clients, "campaign": campaigns, "group": groups}[kind]
        self.market.change(table, no, body)

    def _cap(self, scope: str, entity: str, measure: str, most: int) -> Cap | None:
        self.limits.pop((scope, entity, measure), None)
        if self.chance.random() < 0.5:
            return None
        cap = Cap(self.chance.choice(PERIODS), self.chance.randint(0, most))
        self.limits[scope, entity, measure] = cap
        return cap

    def click(self) -> None:
        chance = self.chance
        listing = chance.choice(self.listings)
        agent = chance.choice((BOT_AGENT, "", *[HUMAN] * 8))
        ip = f"203.0.113.{chance.randint(1, 6)}"
        at = self.market.clock.now() - chance.choice((0, 0, SECOND, 20 * MINUTE))
        click, event = self.market.click(listing, at=at, agent=agent, ip=ip)
        self.clicked.append(click)
        self.sent.append(event)
        if chance.random() < 0.1:
            self.withheld.append(event)
        else:
            self._deliver(event)

    def _deliver(self, event: ReceivedClick) -> None:
        self.delivered.add(event.random)
        self.market.journal.add([event], f"edge-{self.chance.randint(0, 1)}")

    def again(self) -> None:
        """A click that is brought once more, or one whose conversion was faster."""
        if self.withheld and self.chance.random() < 0.7:
            self._deliver(self.withheld.pop(0))
        elif self.sent:
            self._deliver(self.chance.choice(self.sent[-20:]))

    def convert(self) -> None:
        chance = self.chance
        if not self.clicked:
            return
        click = chance.choice(self.clicked if chance.random() < 0.2 else self.clicked[-15:])
        action = chance.choice((1, 2, 3, 3, 3, 3))
        application = chance.choice(("", f"app-{chance.randint(1, 60)}"))
        at = max(click.at, self.market.clock.now()) - chance.choice((0, 0, MINUTE, HOUR))
        at += chance.choice((0, 0, 0, 0, 31 * DAY))
        self.market.converted(click, action, application, at=at)
        self.conversions += 1

    def organic(self) -> None:
        client_no = self.nos[self.chance.choice(sorted(ZONES))]
        name = self.chance.choice(("", f"app-{self.chance.randint(1, 60)}"))
        event = ReceivedConversion(
            at=self.market.clock.now(),
            client_no=client_no,
            action=3,
            source="pixel",
            application_id=name,
        )
        self.market.journal.add([event], "api-0")
        self.conversions += 1

    def buy(self) -> None:
        """A purchase of postings for both clients, which no cap concerns."""
        cost = self.chance.choice((0, 1, 3_333_333, 10_000_001))
        days = self.chance.randint(0, 6)
        self.market.purchase(cost, [self.nos[name] for name in ZONES], self.nos["Pay"], days)
        self.paid += cost

    def mark_up(self) -> None:
        """A new markup somewhere, from some time on; or another value or end for an old one."""
        chance, now = self.chance, self.market.clock.now()
        ppm = chance.choice((0, 1, 99_999, 333_333, 2_500_000))
        if self.marked_up and chance.random() < 0.4:
            changes = chance.choice(({"ppm": ppm}, {"deleted_at": now}, {"from_at": now + HOUR}))
            with self.market.records.write() as tx:
                tx.change(markups, {"no": chance.choice(self.marked_up)}, **changes)
            return
        place = chance.choice(self.listings)
        where = {"client_no": place.client_no}
        if chance.random() < 0.6:
            where["campaign_no"] = place.campaign_no
            if chance.random() < 0.5:
                where["group_no"] = place.group_no
        if chance.random() < 0.3:
            where["publisher_no"] = place.publisher_no
        from_at = now + chance.choice((-DAY, -MINUTE, 0, 2 * HOUR))
        self.marked_up.append(self.market.markup(ppm, from_at, **where))

    def override(self) -> None:
        """What is put on top of the agency's markup, by a campaign or job group."""
        kind, no = self.chance.choice(sorted(key for key in self.bodies if key[0] != "client"))
        body = self.bodies[kind, no]
        body.override = Override(markup_ppm=self.chance.choice((None, 0, 7, 50_000)))
        self.market.change({"campaign": campaigns, "group": groups}[kind], no, body)

    def happen(self) -> None:
        deeds = (self.click, self.again, self.convert, self.organic)
        for deed in self.chance.choices(deeds, (10, 1, 5, 1), k=EVENTS_A_STEP):
            deed()
        if self.chance.random() < 0.1:
            self.buy()
        if self.chance.random() < 0.4:
            self.mark_up()
        if self.chance.random() < 0.2:
            self.override()
        for kind, no in self.chance.sample(sorted(self.bodies), 2):
            if self.chance.random() < 0.3:
                self.cap(kind, no)
        self.market.clock.forward(
            self.chance.choice((1, SECOND, MINUTE, HOUR, 5 * HOUR, 11 * HOUR))
        )

    def judge(self) -> None:
        """One step of a judge that may die at any statement, or right after the commit."""
        at = self.chance.choice((0, 0, -1, *range(1, 18)))
        records = CutRecords(self.market.records, at, cut)
        judge = self.market.judge(records=records)
        judge._most_events = self.chance.choice((1, 3, 10, 1_000))
        judge._most_lines = self.chance.choice((1, 5, 1_000))
        records.armed = bool(at)
        with suppress(Cut):
            judge.step()

    # ── what must hold ──────────────────────────────────────────────────────────────────────────

    def used(self, ledger: list[dict[str, Any]]) -> Counter[Key]:
        """What the entries that count add up to: by scope, entity, measure and period."""
        found: Counter[Key] = Counter()
        for line in ledger:
            if line["disposition"] not in {"valid", "counted"} or line["kind"] == "POSTING":
                continue
            amounts = (line["markedUpMicros"], line["kind"] == "CLICK", line["kind"] == "APPLY")
            client, publisher = line["clientId"], self.nos[line["publisherId"]]
            campaign, group = self.nos[line["campaignId"]], self.nos[line["jobGroupId"]]
            day = day_of(instant_of_iso(line["at"]), zone_of(ZONES[client]))
            entities: tuple[tuple[Scope, str], ...] = (
                ("client", f"{self.nos[client]}"),
                ("campaign", f"{campaign}"),
                ("group", f"{group}"),
                ("placement", f"{group}/{publisher}"),
                ("campaign_placement", f"{campaign}/{publisher}"),
            )
            for scope, entity in entities:
                for measure, amount in zip(MEASURES, amounts, strict=True):
                    for key in self._periods(day) if amount else ():
                        found[scope, entity, measure, key] += int(amount)
        return found

    @staticmethod
    def _periods(day: date) -> list[str]:
        return [period_key(period, day) for period in PERIODS]

    def hold(self, before: Counter[Key]) -> Counter[Key]:
        """Every promise about money, on the whole ledger; what is used now."""
        market = self.market
        ledger = market.ledger()
        used = self.used(ledger)
        with market.records.read() as tx:
            nos = [self.nos[name] for name in ZONES]
            counters = {k: v for no in nos for k, v in counter_rows.counters_of(tx, no).items()}
            tallies: Counter[tuple[str, str]] = Counter()
            for no in nos:
                tallies.update(rows.tallies_of(tx, no))
        assert summed(counters, (CounterKey(*key) for key in used)) == dict(used)
        assert set(counters) == {key for key in used if key[3][0] == "D"}, "days are kept"
        self._within_caps(before, used)
        told = Counter((line["kind"], line["disposition"]) for line in ledger)
        kept = {"received", "redelivered", "parked"}
        assert {k: v for k, v in tallies.items() if k[1] not in kept and v} == dict(told)
        assert len({line["id"] for line in ledger}) == len(ledger)
        for line in ledger:
            assert 0 <= line["chargeMicros"] <= line["spendMicros"] <= line["markedUpMicros"]
            if line["disposition"] not in {"valid", "counted"}:
                assert line["markedUpMicros"] == 0
        assert _kept(self.booked, ledger), "what is booked is never changed"
        self.booked = {line["id"]: line for line in ledger}
        assert paid(ledger) <= self.paid
        return used

    def _within_caps(self, before: Counter[Key], used: Counter[Key]) -> None:
        """What has grown is within the cap as it stands; a cap may be lowered below what is
        used, and then nothing may grow.
        """
        for (scope, entity, measure, period), value in used.items():
            cap = self.limits.get((scope, entity, measure))
            if cap is None or value == before[scope, entity, measure, period]:
                continue
            if _kind_of(period) == cap.period:
                assert value <= cap.value, (scope, entity, measure, period)

    def balanced(self) -> None:
        books = check(self.market.records, self.market.blobs, self.market.scratch)
        assert books.faults == []


def _kept(before: dict[str, Any], ledger: list[dict[str, Any]]) -> bool:
    return before.items() <= {line["id"]: line for line in ledger}.items()


def paid(ledger: list[dict[str, Any]]) -> int:
    return sum(line["spendMicros"] for line in ledger if line["kind"] == "POSTING")


def _kind_of(period: str) -> str:
    day = date(2026, 11, 4)
    letters = {period_key(kind, day)[0]: kind for kind in PERIODS}
    return letters[period[0]]
