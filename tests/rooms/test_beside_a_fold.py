"""Random markets, and what is charged in them beside what their files say should be.

The fold knows nothing of rosters, ends, keys or counters: it keeps each file as a publisher would
have read it, and looks back through them when a link is clicked; of caps it knows what was charged.
Links are old and new, jobs move and pause, applications are made up, caps of jobs and locked
budgets come and go, in three currencies; meanwhile files of the journal and of the ledger are
damaged.
"""

from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from random import Random
from typing import Any, NamedTuple

import pytest

from handbill.core.listing_tokens import SealedClick
from handbill.core.nouns import Cap, Caps, Client, Group, Publisher, PublisherSchema
from handbill.core.received import Received, click_of, conversion_of, encode, organic_of
from handbill.host.ids import SystemIds
from handbill.kit.instants import DAY, HOUR, MINUTE, Instant, moment_of
from handbill.ledger.checking import check
from handbill.ledger.judge import Judge
from handbill.ledger.quarantining import quarantine
from handbill.ledger.service import export
from handbill.store import segment_files, segments
from handbill.store.journal import JournalWriter
from handbill.store.journal_reading import JournalReader
from handbill.store.records import Records
from handbill.store.records.tables import agencies
from market import HUMAN, RULES
from rooms.listing_market import MONDAY, Market, everything, open_market, place
from rooms.listing_reader import listed, opened, rematch

MARKETS = 20
STEPS = 6
GRACE = 48 * HOUR
UNITS = {"USD": 1_000_000, "JPY": 100_000_000, "KWD": 300_000}
"""About one dollar's worth, in micros."""
SMALLEST = {"USD": 10_000, "JPY": 1_000_000, "KWD": 1_000}
SOURCES = ("edge-0", "edge-1", "api-0")


class Shown(NamedTuple):
    """What a file says of a job, whose the test knows it to be, and at which bid."""

    group_no: int
    price: int
    bid: int
    link: str


class Files:
    """The journal: three sources, each written to by a process of its own."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._writers = {name: self._open(name) for name in SOURCES}

    def _open(self, source: str) -> JournalWriter:
        return JournalWriter(self.folder, source, SystemIds(), sync=lambda _: None)

    def add(self, some: list[Received], source: str) -> None:
        self._writers[source].append_now(encode(some))

    def flip(self, source: str, record: bytes) -> None:
        """One bit of a record."""
        self._writers[source].close()
        path = max((self.folder / source).glob("*.log"))
        raw = path.read_bytes()
        assert raw.count(record) == 1
        path.write_bytes(raw.replace(record, record[:-1] + bytes((record[-1] ^ 16,))))
        self._writers[source] = self._open(source)

    def close(self) -> None:
        for writer in self._writers.values():
            writer.close()


@dataclass
class Shop:
    """One client at one publisher, with a dear and a cheap job group. ``read``: its files.
    ``told``: what was received of it, in order: when, the click, what it is worth, what is paid.
    """

    market: Market
    chance: Random
    journal: Files
    name: str
    currency: str
    agency_no: int
    publisher: Publisher = field(init=False)
    client: Client = field(init=False)
    groups: list[Group] = field(init=False)
    refs: list[str] = field(init=False)
    read: list[tuple[Instant, dict[str, Shown]]] = field(default_factory=list)
    lost: list[Instant] = field(default_factory=list)
    charged: int = 0
    spent: Counter[tuple[Any, ...]] = field(default_factory=Counter)
    paid: dict[str, tuple[SealedClick, Shown | None]] = field(default_factory=dict)
    is_capped: bool = False

    def __post_init__(self) -> None:
        market, self.kind = self.market, self.chance.choice(("CPC", "CPA"))
        market.agency_no, self.unit = self.agency_no, UNITS[self.currency]
        schema = PublisherSchema(
            currency_in_bid=self.chance.random() < 0.5,
            cdata=self.chance.choice((None, ["cpc", "title"])),
        )
        self.publisher = market.publisher(
            self.name, bid_type=self.kind, currency=self.currency, feed_schema=schema
        )
        markdown = self.chance.choice((0, 70_000, 333_333))
        self.client = market.client(self.name, markdown_ppm=markdown)
        campaign = market.campaign(self.client)
        self.groups = [
            market.group(
                campaign,
                everything(),
                priority,
                placements=[place(self.name)],
                **{f"{self.kind.lower()}_bid_micros": bid},
            )
            for priority, bid in ((1, 5 * self.unit), (2, self.unit))
        ]
        self.refs = [market.job(self.client, f"{self.name}-{n}") for n in range(3)]
        self.publish()

    def publish(self) -> None:
        rematch(self.market, self.client)
        self.read.append(
            (
                self.market.now(),
                {ref: self.shown(job) for ref, job in listed(self.market, self.publisher).items()},
            )
        )

    def shown(self, job: dict[str, str]) -> Shown:
        listing = opened(job)
        text = job[self.kind.lower()].removeprefix(f"{self.currency} ")
        price = round(float(text) * 1e6)
        assert price % SMALLEST[self.currency] == 0, "an invoice can state it"
        assert listing.bid_micros - price >= 0
        return Shown(listing.group_no, price, listing.bid_micros, job["url"])

    # ── what happens ────────────────────────────────────────────────────────────────────────────
    def change(self) -> None:
        group = self.chance.choice(self.groups)
        what = self.chance.random()
        if what < 0.4:
            times = self.chance.choice((500_000, 1_000_000, 1_234_567, 2_000_000, 5_000_000))
            setattr(group.body, f"{self.kind.lower()}_bid_micros", self.unit * times // 1_000_000)
            self.market.save(group)
        elif what < 0.55:
            group.status = "P" if group.status == "A" else "A"
            self.market.save(group)
        elif what < 0.7:
            self.cap(group)
        elif what < 0.9:
            status = self.chance.choice("AP")
            self.market.job_columns(self.client, self.chance.choice(self.refs), status=status)
        else:
            self.lose_a_file()
        self.publish()

    def cap(self, group: Group) -> None:
        """A cap of each job, and what another placement has locked away of the group's budget."""
        self.is_capped = True
        job = Cap(
            self.chance.choice(("Monthly", "Lifetime")), self.unit * self.chance.randint(1, 9)
        )
        total = Cap("Monthly", self.unit * self.chance.randint(4, 20))
        locked = Cap("Monthly", self.chance.randint(0, total.value), locked=True)
        group.body.caps = self.chance.choice(
            (Caps(), Caps(job_budget=job), Caps(budget=total), Caps(budget=total, job_budget=job))
        )
        reserve = [place("Reserve", budget=locked)] if group.body.caps.budget else []
        group.body.placements = [place(self.name), *reserve]
        self.market.save(group)

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

    def click(self, at: Instant) -> bytes | None:
        """A click on a link of any age, and what follows it; the record that the edge has written,
        which is lost if ``forget`` is told so.
        """
        first, shown = self.chance.choice(self.read)
        if not shown:
            return None
        ref = self.chance.choice(sorted(shown))
        random = self.chance.randbytes(16)
        listing = opened({"url": shown[ref].link})
        ip = f"2001:db8::{random[:2].hex()}:{random[2:4].hex()}"
        event = click_of(random, at, listing, ip, HUMAN)
        self.journal.add([event], "edge-0")
        click = SealedClick(random, at, listing)
        worth = self.worth(ref, shown[ref], first, at)
        if self.apply(click) or self.kind == "CPC":
            self.paid[random.hex()] = (click, worth)
        return encode([event])

    def apply(self, click: SealedClick) -> bool:
        """Made-up applications by one click, told by several, some without id or click; whether any
        is one by the click.
        """
        is_one = False
        for _ in range(self.chance.randint(0, 6)):
            name = self.chance.choice(("", " A ", "A", "B", "made up"))
            told = f"{click.random.hex()}/{name.strip()}" if name.strip() else ""
            at = click.at + MINUTE
            event: Received
            if self.chance.random() < 0.1:
                event = organic_of(at, self.client.no, 2, "pixel", "", told)
            else:
                event = conversion_of(click, at, self.client.no, 3, "s2s", "", told)
                is_one = True
            self.journal.add([event], self.chance.choice(SOURCES))
        return is_one

    # ── what the files say of it ────────────────────────────────────────────────────────────────
    def worth(self, ref: str, link: Shown, first: Instant, at: Instant) -> Shown | None:
        """What a click on a link is worth by the files that were read since it was."""
        later = [one for one in self.read if one[0] >= first]
        begun = next(when for when, shown in self.read if shown.get(ref) == link)
        ended = next(
            (
                when
                for when, shown in later
                if shown.get(ref, link._replace(price=-1))[:3] != link[:3]
            ),
            None,
        )
        lost = next((when for when in self.lost if when > begun), None)
        ends = [one for one in (ended, lost) if one is not None]
        if not ends or at <= min(ends) + GRACE:
            return link
        now = self.read[-1][1].get(ref)
        if now is None or now.group_no != link.group_no:
            return None
        return link._replace(price=min(link.price, now.price), bid=min(link.bid, now.bid))

    def settle(self) -> None:
        """Charge what has come in order of time, as far as the caps of now have room."""
        caps = {group.no: (group.body.caps, group.body.placements) for group in self.groups}
        for click, worth in self.paid.values():
            if worth is None:
                continue
            listing = click.listing
            day = moment_of(click.at if self.kind == "CPC" else click.at + MINUTE).date()
            month = f"{day:%Y-%m}"
            of, placements = caps[listing.group_no]
            keys: dict[tuple[Any, ...], int | None] = {}
            for scope in (("job", listing.group_no, listing.job_id), ("group", listing.group_no)):
                cap = of.job_budget if scope[0] == "job" else of.budget
                locked = sum(
                    one.budget.value
                    for one in placements
                    if scope[0] == "group" and one.budget is not None and one.budget.locked
                )
                for period, name in (("Monthly", month), ("Lifetime", "")):
                    held = cap is not None and cap.period == period
                    keys[*scope, name] = cap.value - locked if cap is not None and held else None
            if all(
                most is None or self.spent[key] + worth.bid <= most for key, most in keys.items()
            ):
                self.charged += worth.price
                self.spent.update(dict.fromkeys(keys, worth.bid))
        self.paid.clear()

    def forget(self, record: bytes) -> None:
        """What a click has led to is lost with it."""
        for name in [name for name in self.paid if bytes.fromhex(name) in record]:
            del self.paid[name]


@pytest.fixture
def market(sqlite_records: Records, tmp_path: Path) -> Any:
    found = open_market(sqlite_records, tmp_path)
    yield found
    found.tools.index.close()


def opened_shops(market: Market, chance: Random, journal: Files) -> list[Shop]:
    nos = {"USD": market.agency_no}
    for currency in ("JPY", "KWD"):
        row = {"id": currency, "name": currency, "currency": currency, "created_at": MONDAY}
        nos[currency] = market.write(lambda tx, row=row: tx.put(agencies, **row))  # type: ignore[misc]
    for currency, market.agency_no in nos.items():
        # It sells slots, so that nothing is listed there; what is locked for it is never spent.
        market.publisher("Reserve", bid_type="PPP", currency=currency)
    currencies = [chance.choice(("USD", "USD", "JPY", "KWD")) for _ in range(MARKETS)]
    return [
        Shop(market, chance, journal, f"S{n}", currency, nos[currency])
        for n, currency in enumerate(currencies)
    ]


def damage_an_old_file(market: Market, shops: list[Shop]) -> tuple[str, bytes] | None:
    """Flip a bit in a file of entries of a client without caps; its path and what it was."""
    for shop in shops:
        with market.records.read() as tx:
            some = segments.segments_of_any(tx, [shop.client.no])
        if some and not shop.is_capped:
            path, blobs = some[0].path, market.tools.blobs
            sound = blobs.get(path)
            blobs.put(path, sound[:-9] + bytes((sound[-9] ^ 1,)) + sound[-8:])
            with pytest.raises(segment_files.Damaged, match=path):
                list(export(market.records, blobs, market.tools.scratch))
            (fault,) = check(market.records, blobs, market.tools.scratch).faults
            assert f"{path} is damaged" in fault
            return path, sound
    return None


def test_what_is_charged_is_what_the_files_say(market: Market, tmp_path: Path) -> None:
    """To the micro, in each of the markets."""
    chance, tools, folder = Random(21), market.tools, tmp_path / "journal"
    journal = Files(folder)
    shops = opened_shops(market, chance, journal)
    lost = 0
    for _ in range(STEPS):
        market.clock.forward(chance.choice((HOUR, 9 * HOUR, 30 * HOUR, 3 * DAY)))
        for shop in shops:
            if chance.random() < 0.6:
                shop.change()
        damaged = damage_an_old_file(market, shops)
        market.clock.forward(MINUTE)
        records = [
            (shop, record)
            for n, shop in enumerate(shops)
            for k in range(chance.randint(0, 4))
            if (record := shop.click(market.now() + (10 * n + k) * 1_000)) is not None
        ]
        shop, record = chance.choice(records)
        journal.flip("edge-0", record)
        shop.forget(record)
        reader = JournalReader(folder)
        judge = Judge(market.records, tools.blobs, reader, market.clock, market.ids, RULES)
        while judge.step():
            pass
        for receipt in quarantine(market.records, folder, reader, None, market.now()):
            lost += receipt.records_missing or 0
        while judge.step():
            pass
        if damaged is not None:
            tools.blobs.put(*damaged)
        for shop in shops:
            shop.settle()
    assert lost == STEPS
    market.clock.forward(2 * DAY)
    judge = Judge(
        market.records, tools.blobs, JournalReader(folder), market.clock, market.ids, RULES
    )
    while judge.step():
        pass
    journal.close()
    lines = list(export(market.records, tools.blobs, tools.scratch))
    charged: Counter[str] = Counter()
    for line in lines:
        charged[line["clientId"]] += line["chargeMicros"]
    wrong = {
        shop.name: (charged[shop.client.id], shop.charged)
        for shop in shops
        if charged[shop.client.id] != shop.charged
    }
    assert wrong == {}
    assert {line["currency"] for line in lines if line["chargeMicros"]} == set(UNITS)
    said = Counter(line["disposition"] for line in lines)
    assert {"over_cap", "latent", "further", "duplicate", "organic", "dead"} <= said.keys()
    assert check(market.records, tools.blobs, tools.scratch).faults == []
