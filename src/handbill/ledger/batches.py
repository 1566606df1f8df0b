"""What the judge takes up at a time, and the facts that it is judged by."""

from dataclasses import dataclass, field
from datetime import UTC, date, tzinfo
from typing import Final

from handbill.core.charging import Limit, Place
from handbill.core.received import ReceivedFetch
from handbill.funnel import service as funnel
from handbill.kit.instants import DAY, MINUTE, Instant
from handbill.kit.zones import day_of, zone_of
from handbill.ledger.counting import AtJob, Counted
from handbill.ledger.daily_sums import NO_SUMS, DayRows
from handbill.ledger.runs import Conversion, FormerRecords, RunClick
from handbill.ledger.terms import Basis, ClientTerms
from handbill.postings import spending
from handbill.store.journal_streams import StreamMark
from handbill.store.marks import Marks
from handbill.store.records.base import Row

_LATE: Final = 7 * DAY
"""Daily ceilings apply to events that come at most this late; later ones meet only the wall."""
_DISORDER: Final = MINUTE
"""Sources may bring clicks out of order by so much."""


@dataclass(slots=True)
class Arrivals:
    """One client's part of a batch."""

    clicks: list[RunClick] = field(default_factory=list)
    conversions: list[Conversion] = field(default_factory=list)


@dataclass(slots=True)
class Batch:
    """What is judged together, and the facts that it was judged by."""

    former: Marks
    now: Instant
    judged_at: Instant  # everything stamped before this instant is judged with this batch
    is_later: bool  # so much later that it is worth recording
    moved: dict[str, StreamMark] = field(default_factory=dict)
    arrivals: dict[int, Arrivals] = field(default_factory=dict)
    places: set[Place] = field(default_factory=set)
    basis: Basis | None = None
    seen: object = None  # the memory of the transaction that read it
    terms: dict[int, ClientTerms] = field(default_factory=dict)
    known: dict[int, FormerRecords] = field(default_factory=dict)
    hires: list[funnel.Hire] = field(default_factory=list)
    dues: list[spending.DueSpending] = field(default_factory=list)
    fetches: list[ReceivedFetch] = field(default_factory=list)
    at_jobs: dict[int, set[AtJob]] = field(default_factory=dict)
    of_jobs: dict[int, dict[AtJob, tuple[Limit, ...]]] = field(default_factory=dict)
    jobs: set[bytes] = field(default_factory=set)
    counting: Counted = field(default_factory=Counted)
    used: list[Row] = field(default_factory=list)  # by its events, as rows of counters
    days: DayRows = NO_SUMS  # of its entries
    aside: set[int] = field(default_factory=set)  # clients whose events are kept for later
    kept: list[tuple[int, bytes]] = field(default_factory=list)  # the events that are kept
    taken_back: list[int] = field(default_factory=list)  # numbers of kept events judged now
    ended: list[int] = field(default_factory=list)  # clients that have no kept events left then

    @property
    def is_empty(self) -> bool:
        waits = self.arrivals or self.moved or self.hires or self.dues or self.ended
        return not (self.is_later or waits)

    def of_client(self, client_no: int) -> Arrivals:
        return self.arrivals.setdefault(client_no, Arrivals())

    @property
    def clients(self) -> set[int]:
        """The clients of which anything is judged."""
        hired = {hire.client_no for hire in self.hires}
        return self.arrivals.keys() | hired | {of.client_no for it in self.dues for of in it.shares}

    def of(self, client_no: int) -> "Batch":
        """One client's part of the batch; nothing has been looked up for it yet."""
        part = Batch(self.former, self.now, self.judged_at, self.is_later)
        if client_no in self.arrivals:
            part.arrivals[client_no] = self.arrivals[client_no]
        part.hires = [hire for hire in self.hires if hire.client_no == client_no]
        for due in self.dues:
            shares = tuple(share for share in due.shares if share.client_no == client_no)
            part.dues.append(due._replace(shares=shares))
        return part

    def zone(self, client_no: int) -> tzinfo:
        """The zone of a client's days."""
        terms = self.terms.get(client_no)
        return zone_of(terms.zone if terms else "UTC")

    @property
    def since(self) -> date:
        """The first day whose ceilings are needed."""
        ats = [click.event.at for some in self.arrivals.values() for click in some.clicks]
        for some in self.arrivals.values():
            for _, event, _, _ in some.conversions:
                ats.append(event.click_at or event.at)
        return day_of(max(min(ats, default=self.now), self.now - _LATE) - DAY, UTC)

    @property
    def forgotten(self) -> Instant:
        """Windows that closed before this instant are closed for all later clicks."""
        if self.aside or self.ended:
            return 0
        ats = (click.event.at for some in self.arrivals.values() for click in some.clicks)
        return min(ats, default=self.now) - _DISORDER

    @property
    def events(self) -> int:
        arrived = self.arrivals.values()
        received = sum(len(some.clicks) + len(some.conversions) for some in arrived)
        others = len(self.hires) + len(self.dues) + len(self.fetches)
        return received + others + len(self.kept)
