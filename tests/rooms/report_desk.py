"""A desk that asks for reports and reads their files, and traffic to be told of."""

import csv
import io
from dataclasses import dataclass
from itertools import product
from typing import Any

import msgspec

from handbill.clients.service import clients_by_number
from handbill.contract.stats.models import StatsQuestion
from handbill.core.listing_tokens import Listing
from handbill.core.nouns import Cap, Caps
from handbill.core.received import ReceivedConversion
from handbill.host.settings import Settings
from handbill.kit.instants import DAY, HOUR, MINUTE, SECOND, Instant
from handbill.stats import service
from handbill.stats.rows import Report
from handbill.stats.work import TASKS
from handbill.work.queue import Task
from handbill.work.tools import Tools
from market import BOT_AGENT, START, Market, noun_of

KEYS = {1: b"l" * 32}


@dataclass
class Desk(Market):
    def client_noun(self, no: int) -> Any:
        with self.records.read() as tx:
            return clients_by_number(tx, [no])[no]

    def ask(self, client_no: int, *levels: str, **more: Any) -> str:
        """Submit a question for the last days; the report's id."""
        names = ("primaryLevel", "secondaryLevel", "tertiaryLevel")
        filters = {"startDate": "2026-10-01", "endDate": "2026-11-30"} | more.pop("filters", {})
        body = {"filters": filters, "aggregationLevel": dict(zip(names, levels, strict=False))}
        question = noun_of(StatsQuestion, body | more)
        client = self.client_noun(client_no)
        with self.records.write() as tx:
            return service.submit(tx, client, question, self.ids, self.clock.now()).id

    @property
    def tools(self) -> Tools:
        nothing: Any = None
        return Tools(
            self.records,
            self.blobs,
            nothing,
            self.clock,
            self.ids,
            nothing,
            Settings(),
            self.scratch,
        )

    def run(self, report_id: str) -> None:
        TASKS["stats.report"](self.tools, Task(1, "stats.report", report_id, {}, 1, "w"))

    def report(self, client_no: int, report_id: str) -> Report:
        with self.records.read() as tx:
            return service.report_of(tx, client_no, report_id, self.clock.now())

    def lines(self, client_no: int, *levels: str, **more: Any) -> list[dict[str, str]]:
        """Ask, answer, and read all CSV parts."""
        report_id = self.ask(client_no, *levels, **more)
        self.run(report_id)
        report = self.report(client_no, report_id)
        assert report.state == ("SUCCESS" if report.parts else "NO_RECORDS_FOUND")
        texts = [self.blobs.get(part.path).decode() for part in report.parts]
        return [line for text in texts for line in csv.DictReader(io.StringIO(text))]


def traffic(market: Desk) -> int:
    """A client in New York with two groups, two publishers and some weeks of everything."""
    client_no = market.client(zone="America/New_York", caps=Caps(budget=Cap("Weekly", 9_000_000)))
    campaign_no = market.campaign(client_no)
    publishers = [market.publisher("=Board"), market.publisher("Other", "CPA")]
    listings: list[Listing] = []
    for n, (publisher_no, name) in enumerate(product(publishers, ("g1", "g2"))):
        group_no = 0 if n > 1 else market.group(client_no, campaign_no, name)
        group_no = group_no or listings[n - 2].group_no
        listing = market.listing(
            client_no=client_no,
            campaign_no=campaign_no,
            group_no=group_no,
            publisher_no=publisher_no,
        )
        listing = msgspec.structs.replace(
            listing, job_id=bytes((n,)) * 16, bid_type="CPC" if n < 2 else "CPA"
        )
        listings.append(listing)
        title = "+Nurse" if n == 0 else f"Job {n}"
        market.job(client_no, listing.job_id, ref=f"ref-{n}", title=title)
    begin = START - 21 * DAY
    for hour in range(0, 21 * 24, 7):
        at = begin + hour * HOUR
        for n, listing in enumerate(listings):
            click = market.clicked(listing, at=at, ip=f"198.51.100.{n}")
            market.clicked(listing, at=at + SECOND, ip=f"198.51.100.{n}")
            market.clicked(listing, at=at + 2 * SECOND, agent=BOT_AGENT)
            for action in range(1, 1 + (hour + n) % 4):
                market.converted(click, action, at=at + MINUTE)
        for action in range(1, 1 + hour % 4):
            organic(market, client_no, action, at + MINUTE)
    market.markup(123_456, begin + 9 * DAY, client_no=client_no)
    market.markup(50_000, begin, client_no=client_no, publisher_no=publishers[1])
    market.judge_all()
    return client_no


def organic(market: Market, client_no: int, action: int, at: Instant) -> None:
    """A conversion that no click of ours led to."""
    event = ReceivedConversion(at=at, client_no=client_no, action=action, source="pixel")
    market.journal.add([event], "api-0")
