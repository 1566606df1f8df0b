"""How many events a second the judge books on one core, journal to ledger, all durable; and how
many bytes of entries it leaves.
"""

import time
from collections.abc import Iterator
from pathlib import Path
from random import Random
from tempfile import TemporaryDirectory

import msgspec

from bench.figures import Figure
from bench.masters import new_records
from handbill.core.listing_tokens import Listing, SealedClick
from handbill.core.nouns import (
    CampaignBody,
    Cap,
    Caps,
    ClientBody,
    GroupBody,
    Placement,
    PublisherBody,
)
from handbill.core.received import ReceivedClick, click_of, conversion_of, encode
from handbill.host.clock import SetClock
from handbill.host.garbage import spare_what_stays
from handbill.host.ids import SeededIds
from handbill.kit.instants import DAY, SECOND, Instant
from handbill.ledger.judge import Judge
from handbill.ledger.runs import Rules
from handbill.store.blobs import open_blobs
from handbill.store.journal_streams import JournalLine, JournalReading, StreamMark
from handbill.store.records import Records, Tx
from handbill.store.records.tables import agencies, campaigns, clients, groups, publishers

LIMIT = 5_000
MOST_BYTES = 150
CLIENTS = (1, 100, 2_000)
_EVENTS = 100_000
_JOBS = 50  # of a job group
_START: Instant = 20_000 * DAY
_AGENTS = [
    f"Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 Chrome/{n}.0 Safari/537.36"
    for n in range(60, 130)
] + ["Mozilla/5.0 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)"]


class Lines:
    """A journal in memory, so that only the judge is measured."""

    def __init__(self, records: list[bytes]) -> None:
        self._lines = [
            JournalLine("edge-0", StreamMark(1, n + 1), raw) for n, raw in enumerate(records)
        ]

    def read(self, marks: dict[str, StreamMark], most: int, now: Instant = 0) -> JournalReading:  # noqa: ARG002
        first = marks["edge-0"].offset if "edge-0" in marks else 0
        some = self._lines[first : first + most]
        return JournalReading(some, frozenset({"edge-0"} if len(some) == most else ()))

    def purge(self, marks: dict[str, StreamMark]) -> int:  # noqa: ARG002
        return 0


def market(tx: Tx, client_count: int = 4) -> list[Listing]:
    """Clients with capped campaigns, groups, placements and jobs; their listings."""

    def body(of: object) -> str:
        return msgspec.json.encode(of).decode()

    stamp = {"created_at": 1, "updated_at": 1}
    agency_no = tx.put(agencies, id="ripple", name="Ripple", currency="USD", created_at=1)
    names = {
        tx.put(
            publishers,
            id=f"P{n}",
            agency_no=agency_no,
            status="A",
            body=body(PublisherBody(name=f"P{n}")),
            **stamp,
        ): f"P{n}"
        for n in range(4)
    }
    listings = []
    caps = Caps(budget=Cap("Monthly", 10**15), clicks=Cap("Daily", 10**9))
    each = {"job_budget": Cap("Monthly", 10**14), "job_clicks": Cap("Lifetime", 10**9)}
    of_group = msgspec.structs.replace(caps, **each)
    for n in range(client_count):
        client_no = tx.put(
            clients,
            id=f"client-{n}",
            agency_no=agency_no,
            status="A",
            zone="America/New_York",
            pixel_id=f"pixel-{n}",
            **stamp,
            body=body(ClientBody(company_name=f"C{n}", exported_name=f"C{n}", caps=caps)),
        )
        for m in range(3):
            campaign_no = tx.put(
                campaigns,
                id=f"campaign-{n}-{m}",
                client_no=client_no,
                status="A",
                is_default=0,
                body=body(CampaignBody(f"K{m}", caps=caps)),
                **stamp,
            )
            placements = [Placement(name, budget=Cap("Monthly", 10**14)) for name in names.values()]
            group_no = tx.put(
                groups,
                id=f"group-{n}-{m}",
                client_no=client_no,
                campaign_no=campaign_no,
                status="A",
                is_default=0,
                priority=1,
                body=body(GroupBody("G", caps=of_group, placements=placements)),
                **stamp,
            )
            listings += [
                Listing(
                    client_no=client_no,
                    campaign_no=campaign_no,
                    group_no=group_no,
                    publisher_no=no,
                    job_id=b"",
                    bid_type="CPC",
                    bid_micros=500_000,
                    price_micros=400_000,
                    listed_at=_START - DAY,
                )
                for no in names
            ]
    return listings


def traffic(listings: list[Listing], count: int, seed: int = 1) -> Iterator[bytes]:
    """Journal records: clicks with repeats and bots, and one conversion in ten."""
    random = Random(seed)
    clicks: list[SealedClick] = []
    for n in range(count):
        at = _START + n * SECOND // 5_000
        if clicks and random.random() < 0.1:
            click = random.choice(clicks[-5_000:])
            client_no = click.listing.client_no
            yield encode([conversion_of(click, at, client_no, random.choice((1, 2, 3)), "s2s")])
            continue
        listing = random.choice(listings)
        job_id = Random(listing.group_no * _JOBS + random.randrange(_JOBS)).randbytes(16)
        listing = msgspec.structs.replace(listing, job_id=job_id)
        click = SealedClick(random.randbytes(16), at, listing)
        clicks.append(click)
        yield encode([_clicked(click, random)])


def _clicked(click: SealedClick, random: Random) -> ReceivedClick:
    ip = f"198.51.{random.randrange(256)}.{random.randrange(256)}"
    return click_of(click.random, click.at, click.listing, ip, random.choice(_AGENTS))


def judged(records: Records, folder: Path, lines: Lines) -> float:
    """CPU seconds to book all lines."""
    rules = Rules(30, "truncated", b"k" * 32)
    clock = SetClock(_START + DAY)
    judge = Judge(records, open_blobs(str(folder / "blobs")), lines, clock, SeededIds(1), rules)
    spare_what_stays()  # as the judge's process does
    started = time.process_time()
    while judge.step():
        pass
    return time.process_time() - started


def run() -> list[Figure]:
    return [figure for clients in CLIENTS for figure in _of(clients)]


def _of(clients: int) -> list[Figure]:
    with TemporaryDirectory() as name:
        folder = Path(name)
        records = new_records(folder)
        with records.write() as tx:
            listings = market(tx, clients)
        spent = judged(records, folder, Lines(list(traffic(listings, _EVENTS))))
        with records.read() as tx:
            ((size, rows),) = tx.run_text("SELECT sum(bytes), sum(rows) FROM segments", {})[0]
        records.close()
    rate, least = _EVENTS / spent, size / rows
    said = f"{_EVENTS:,} events, {clients:,} clients, caps at five levels, SQLite"
    return [
        Figure(
            f"judge: events booked per CPU second, {clients:,} clients",
            rate,
            "events/s",
            f">= {LIMIT:,}",
            rate >= LIMIT,
            said,
        ),
        Figure(
            f"judge: Parquet an event, {clients:,} clients",
            least,
            "bytes",
            f"<= {MOST_BYTES}",
            least <= MOST_BYTES,
            said,
        ),
    ]
