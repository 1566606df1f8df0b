"""A small market in the records, and a journal that can be written to: for ledger and stats."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import msgspec

from handbill.core.listing_tokens import Listing, SealedClick
from handbill.core.nouns import (
    BidType,
    CampaignBody,
    Caps,
    ClientBody,
    GroupBody,
    PublisherBody,
)
from handbill.core.postings import PostingBody
from handbill.core.received import Received, ReceivedClick, click_of, conversion_of, encode
from handbill.host.clock import SetClock
from handbill.host.ids import SeededIds
from handbill.kit.faults import Fault
from handbill.kit.instants import DAY, Instant, instant_of_iso
from handbill.ledger.judge import Judge
from handbill.ledger.runs import Rules
from handbill.ledger.service import export
from handbill.store.blobs import Blobs, open_blobs
from handbill.store.journal_streams import JournalLine, JournalReading, StreamMark
from handbill.store.records import Records, Tx
from handbill.store.records.tables import (
    agencies,
    campaigns,
    clients,
    groups,
    jobs,
    markup_entities,
    markups,
    posting_config_clients,
    posting_configs,
    publishers,
)
from handbill.wire.models import Model

START: Instant = instant_of_iso("2026-11-10T12:00:00Z")
HUMAN = "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0"
BOT_AGENT = "Mozilla/5.0 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)"
RULES = Rules(30, "truncated", b"k" * 32)


def noun_of(rows: type[Model], said: Any) -> Any:
    """What a sound body comes to."""
    faults: list[Fault] = []
    found = rows.read(said, "", faults)
    assert faults == []
    return found.noun()


def put_job(tx: Tx, client_no: int, job_id: bytes, **columns: Any) -> int:
    """The row of a live job; what is not said of it is empty. Its number."""
    texts = (
        "title",
        "company",
        "category",
        "city",
        "state",
        "country",
        "zip",
        "type",
        "cpc_currency",
        "url",
    )
    row: dict[str, Any] = {
        **dict.fromkeys(texts, ""),
        "ref": job_id.hex(),
        "digest": b"",
        "valid": 1,
        "status": "A",
        "created_at": 1,
        "updated_at": 1,
    }
    return tx.put(jobs, client_no=client_no, id=job_id.hex(), **(row | columns))


class Lines:
    """A journal in memory: several sources, read as the real one is."""

    def __init__(self) -> None:
        self.sources: dict[str, list[bytes]] = {}

    def add(self, events: list[Received], source: str = "edge-0") -> None:
        self.sources.setdefault(source, []).append(encode(events))

    def read(self, marks: dict[str, StreamMark], most: int, now: Instant = 0) -> JournalReading:
        share = -(-most // max(1, len(self.sources)))
        found: list[JournalLine] = []
        waiting = set()
        for source, records in sorted(self.sources.items()):
            first = marks[source].offset if source in marks else 0
            some = records[first : first + share]
            found += [
                JournalLine(source, StreamMark(1, first + n + 1), record)
                for n, record in enumerate(some)
            ]
            if len(some) == share:
                waiting.add(source)
        return JournalReading(found, frozenset(waiting))

    def purge(self, marks: dict[str, StreamMark]) -> int:
        return 0


@dataclass
class Market:
    """One agency; ``listing`` offers one job of one client to one publisher."""

    records: Records
    folder: Path
    clock: SetClock = field(default_factory=lambda: SetClock(START))
    ids: SeededIds = field(default_factory=lambda: SeededIds(7))
    journal: Lines = field(default_factory=Lines)
    agency_no: int = 0

    def __post_init__(self) -> None:
        with self.records.write() as tx:
            self.agency_no = tx.put(
                agencies, id="ripple", name="Ripple", currency="USD", created_at=1
            )

    @property
    def blobs(self) -> Blobs:
        return open_blobs(str(self.folder / "blobs"))

    @property
    def scratch(self) -> Path:
        """One for all tests of a process: opening a DuckDB for another takes 25 ms of CPU."""
        return self.folder.parent / "scratch"

    def publisher(self, name: str = "Board", bid_type: BidType = "CPC") -> int:
        body = PublisherBody(name=name, bid_type=bid_type)
        return self._put(publishers, body, id=name, agency_no=self.agency_no)

    def client(self, name: str = "c1", zone: str = "UTC", caps: Caps | None = None) -> int:
        body = ClientBody(company_name=name, exported_name=name, caps=caps or Caps())
        return self._put(
            clients, body, id=name, agency_no=self.agency_no, zone=zone, pixel_id=f"px-{name}"
        )

    def campaign(self, client_no: int, name: str = "k1", **body: Any) -> int:
        return self._put(
            campaigns,
            CampaignBody(name, **body),
            id=f"{client_no}-{name}",
            client_no=client_no,
            is_default=0,
        )

    def group(self, client_no: int, campaign_no: int, name: str = "g1", **body: Any) -> int:
        return self._put(
            groups,
            GroupBody(name, **body),
            id=f"{campaign_no}-{name}",
            client_no=client_no,
            campaign_no=campaign_no,
            is_default=0,
            priority=1,
        )

    def job(self, client_no: int, job_id: bytes, **columns: Any) -> int:
        with self.records.write() as tx:
            return put_job(tx, client_no, job_id, **columns)

    def markup(self, ppm: int, from_at: Instant = 0, **where: int) -> int:
        """An agency's markup at one entity, by its numbers."""
        with self.records.write() as tx:
            no = tx.put(
                markups,
                id=self.ids.bytes(8).hex(),
                agency_no=self.agency_no,
                name="",
                ppm=ppm,
                from_at=from_at,
                created_at=1,
                updated_at=1,
            )
            everywhere = {"campaign_no": 0, "group_no": 0, "publisher_no": 0}
            tx.put(markup_entities, markup_no=no, **(everywhere | where))
        return no

    def purchase(
        self, cost_micros: int, client_nos: Iterable[int], publisher_no: int, days: int = 0
    ) -> None:
        """A purchase of postings that began yesterday."""
        now = self.clock.now()
        bought = PostingBody(cost_micros=cost_micros, available=1, date_format="")
        with self.records.write() as tx:
            config_no = tx.put(
                posting_configs,
                id=f"posting-{now}",
                agency_no=self.agency_no,
                publisher_no=publisher_no,
                start_at=now - DAY,
                end_at=now + days * DAY,
                body=msgspec.json.encode(bought).decode(),
                credits_used=0,
                posted=0,
                ever=0,
                turned_at=now,
                created_at=now,
                updated_at=now,
                spent_micros=0,
                spend_at=now,
            )
            for client_no in client_nos:
                tx.put(posting_config_clients, config_no=config_no, client_no=client_no)

    def _put(self, table: Any, body: Any, **columns: Any) -> int:
        with self.records.write() as tx:
            return tx.put(
                table,
                status="A",
                body=msgspec.json.encode(body).decode(),
                created_at=1,
                updated_at=1,
                **columns,
            )

    def change(self, table: Any, no: int, body: Any, at: Instant | None = None) -> None:
        with self.records.write() as tx:
            tx.change(
                table,
                {"no": no},
                body=msgspec.json.encode(body).decode(),
                updated_at=at or self.clock.now(),
            )

    def listing(self, bid_type: BidType = "CPC", caps: Caps | None = None, **known: Any) -> Listing:
        """A listing at a bid of 1.00, of which the publisher is shown 0.80."""
        client_no = known.get("client_no") or self.client(caps=caps)
        campaign_no = known.get("campaign_no") or self.campaign(client_no)
        group_no = known.get("group_no") or self.group(client_no, campaign_no)
        publisher_no = known.get("publisher_no") or self.publisher(bid_type=bid_type)
        job_id = bytes((client_no,)) * 16
        return Listing(
            client_no=client_no,
            campaign_no=campaign_no,
            group_no=group_no,
            publisher_no=publisher_no,
            job_id=job_id,
            bid_type=bid_type,
            bid_micros=1_000_000,
            price_micros=800_000,
            listed_at=(self.clock.now() - 100 * DAY) // 1_000 * 1_000,
        )

    def click(
        self, listing: Listing, at: Instant | None = None, agent: str = HUMAN, ip: str = ""
    ) -> tuple[SealedClick, ReceivedClick]:
        """A click by a visitor of its own unless ``ip`` is given; it is not in the journal yet."""
        random = self.ids.bytes(16)
        click = SealedClick(random, self.clock.now() if at is None else at, listing)
        visitor = ip or f"203.0.113.{random[0]}"
        agent = agent if ip or agent != HUMAN else f"{agent} {random.hex()}"
        return click, click_of(random, click.at, listing, visitor, agent)

    def clicked(self, listing: Listing, **how: Any) -> SealedClick:
        click, event = self.click(listing, **how)
        self.journal.add([event])
        return click

    def converted(
        self, click: SealedClick, action: int = 3, application: str = "", **how: Any
    ) -> None:
        at = how.get("at", self.clock.now())
        client_no = how.get("client_no", click.listing.client_no)
        event = conversion_of(click, at, client_no, action, "s2s", "", application)
        self.journal.add([event], how.get("source", "api-0"))

    def judge(self, **instead: Any) -> Judge:
        parts: dict[str, Any] = {
            "records": self.records,
            "blobs": self.blobs,
            "journal": self.journal,
            "clock": self.clock,
            "ids": self.ids,
            "rules": RULES,
        }
        return Judge(**(parts | instead))

    def judge_all(self) -> None:
        """Judge all that waits."""
        judge = self.judge()
        while judge.step():
            pass

    def judged(self) -> list[dict[str, Any]]:
        """The same, and the whole ledger: reading that costs more than judging a few events."""
        self.judge_all()
        return self.ledger()

    def ledger(self) -> list[dict[str, Any]]:
        return list(export(self.records, self.blobs, self.scratch))


def dispositions(ledger: list[dict[str, Any]]) -> list[str]:
    return [line["disposition"] for line in ledger]
