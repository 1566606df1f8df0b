"""Random markets, and what is charged in them beside what their files say should be.

The fold knows nothing of rosters, ends or keys: it keeps each file as a publisher would have read
it, and looks back through them when a link is clicked.
"""

from dataclasses import dataclass, field
from pathlib import Path
from random import Random
from typing import Any, NamedTuple

import pytest

from flows.listing_market import Market, everything, open_market, place
from flows.test_listings import listed, opened, rematch
from handbill.core.listing_tokens import Click
from handbill.core.nouns import Client, Group, Publisher
from handbill.core.received import click_of, conversion_of, organic_of
from handbill.kit.instants import DAY, HOUR, MINUTE, Instant
from handbill.ledger.checking import check
from handbill.ledger.judge import Judge
from handbill.ledger.service import export
from handbill.store.records import Records
from market import HUMAN, RULES, Lines

MARKETS = 50
STEPS = 6
GRACE = 48 * HOUR


class Shown(NamedTuple):
    """What a file says of a job, and whose the test knows it to be."""

    group_no: int
    price: int
    link: str


@dataclass
class Shop:
    """One client at one publisher, with a dear and a cheap job group. ``read``: its files."""

    market: Market
    chance: Random
    journal: Lines
    name: str
    publisher: Publisher = field(init=False)
    client: Client = field(init=False)
    groups: list[Group] = field(init=False)
    refs: list[str] = field(init=False)
    read: list[tuple[Instant, dict[str, Shown]]] = field(default_factory=list)
    owed: dict[str, int] = field(default_factory=dict)
    lost: list[Instant] = field(default_factory=list)

    def __post_init__(self) -> None:
        market, self.kind = self.market, self.chance.choice(("CPC", "CPA"))
        self.publisher = market.publisher(self.name, bid_type=self.kind)
        self.client = market.client(self.name)
        campaign = market.campaign(self.client)
        self.groups = [
            market.group(
                campaign, everything(), priority, placements=[place(self.name)],
                **{f"{self.kind.lower()}_bid_micros": bid},
            )
            for priority, bid in ((1, 5_000_000), (2, 1_000_000))
        ]  # fmt: skip
        self.refs = [market.job(self.client, f"{self.name}-{n}") for n in range(3)]
        self.publish()

    def publish(self) -> None:
        rematch(self.market, self.client)
        found = listed(self.market, self.publisher)
        shown = {
            ref: Shown(opened(job).group_no, round(float(job[self.kind.lower()]) * 1e6), job["url"])
            for ref, job in found.items()
        }
        self.read.append((self.market.now(), shown))

    # ── what happens ────────────────────────────────────────────────────────────────────────────
    def change(self) -> None:
        group = self.chance.choice(self.groups)
        what = self.chance.random()
        if what < 0.4:
            bid = self.chance.choice((500_000, 1_000_000, 2_000_000, 5_000_000))
            setattr(group.body, f"{self.kind.lower()}_bid_micros", bid)
            self.market.save(group)
        elif what < 0.7:
            group.status = "P" if group.status == "A" else "A"
            self.market.save(group)
        elif what < 0.9:
            status = self.chance.choice("AP")
            self.market.job_columns(self.client, self.chance.choice(self.refs), status=status)
        else:
            self.lose_a_file()
        self.publish()

    def lose_a_file(self) -> None:
        """A roster goes: when the file is next written, all that was about ends."""
        blobs = self.market.tools.blobs
        folder = f"rosters/{self.publisher.no}/{self.client.no}"
        paths = blobs.paths(folder)
        if not paths or not self.read[-1][1]:
            return
        for path in paths:
            blobs.delete(path)
        self.lost.append(self.market.now())
        job = self.market.job(self.client)  # so that it is written
        self.refs.append(job)

    def click(self) -> None:
        at, (first, shown) = self.market.now(), self.chance.choice(self.read)
        if not shown:
            return
        ref = self.chance.choice(sorted(shown))
        random = self.chance.randbytes(16)
        listing = opened({"url": shown[ref].link})
        ip = f"2001:db8::{random[:2].hex()}:{random[2:4].hex()}"
        self.journal.add([click_of(random, at, listing, ip, HUMAN)], "edge-0")
        worth = self.worth(ref, shown[ref], first, at)
        self.owed[random.hex()] = worth
        self.apply(Click(random, at, listing))

    def apply(self, click: Click) -> None:
        """Made-up applications by one click, told by several, some without id or click."""
        for _ in range(self.chance.randint(0, 6)):
            name = self.chance.choice(("", " A ", "A", "B", "made up"))
            told = f"{click.random.hex()}/{name.strip()}" if name.strip() else ""
            at = click.at + MINUTE
            if self.chance.random() < 0.1:
                event = organic_of(at, self.client.no, 2, "pixel", "", told)
            else:
                event = conversion_of(click, at, self.client.no, 3, "s2s", "", told)
            self.journal.add([event], self.chance.choice(("edge-0", "edge-1", "api-0")))
            if event.action == 3:
                self.owed.setdefault(f"apply {click.random.hex()}", 0)
                self.owed[f"apply {click.random.hex()}"] = self.owed[click.random.hex()]

    # ── what the files say of it ────────────────────────────────────────────────────────────────
    def worth(self, ref: str, link: Shown, first: Instant, at: Instant) -> int:
        """What a click on a link is worth by the files that were read since it was."""
        later = [one for one in self.read if one[0] >= first]
        begun = next(when for when, shown in self.read if shown.get(ref) == link)
        ended = next(
            (when for when, shown in later if shown.get(ref, link._replace(price=-1))[:2]
             != link[:2]), None,
        )  # fmt: skip
        lost = next((when for when in self.lost if when > begun), None)
        ends = [one for one in (ended, lost) if one is not None]
        if not ends or at <= min(ends) + GRACE:
            return link.price
        now = self.read[-1][1].get(ref)
        return min(link.price, now.price) if now and now.group_no == link.group_no else 0

    def expected(self) -> int:
        clicks = self.kind == "CPC"
        return sum(
            worth for name, worth in self.owed.items() if name.startswith("apply") is not clicks
        )


@pytest.fixture
def market(sqlite_records: Records, tmp_path: Path) -> Any:
    found = open_market(sqlite_records, tmp_path)
    yield found
    found.tools.index.close()


def test_what_is_charged_is_what_the_files_say(market: Market) -> None:
    """To the micro, in each of the markets."""
    chance, journal, tools = Random(20), Lines(), market.tools
    judge = Judge(market.records, tools.blobs, journal, market.clock, market.ids, RULES)
    shops = [Shop(market, chance, journal, f"S{n}") for n in range(MARKETS)]
    for _ in range(STEPS):
        market.clock.forward(chance.choice((HOUR, 9 * HOUR, 30 * HOUR, 3 * DAY)))
        for shop in shops:
            if chance.random() < 0.6:
                shop.change()
        market.clock.forward(MINUTE)
        for shop in shops:
            for _ in range(chance.randint(0, 4)):
                shop.click()
        while judge.step():
            pass
    market.clock.forward(2 * DAY)
    while judge.step():
        pass
    judge.close()
    charged: dict[str, int] = {}
    for line in export(market.records, tools.blobs, tools.scratch):
        charged[line["clientId"]] = charged.get(line["clientId"], 0) + line["chargeMicros"]
    wrong = {
        shop.name: (charged.get(shop.client.id, 0), shop.expected())
        for shop in shops
        if charged.get(shop.client.id, 0) != shop.expected()
    }
    assert wrong == {}
    assert sum(charged.values()) > 0
    assert check(market.records, tools.blobs, tools.scratch).faults == []
