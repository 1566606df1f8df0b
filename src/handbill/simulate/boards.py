"""What publishers of a simulation show, and what visitors have seen."""

from dataclasses import dataclass, field
from typing import NamedTuple

from handbill.kit.instants import Instant
from handbill.simulate.employers import Employer, Outlet


class BoardJob(NamedTuple):
    """A job as a publisher shows it."""

    ref: str
    token: bytes
    cpc_micros: int
    cpa_micros: int


class AcknowledgedClick(NamedTuple):
    """A click that an edge has acknowledged."""

    id: bytes
    at: Instant
    outlet: Outlet
    offer: BoardJob
    ip: str
    agent: str
    kind: str
    copied_at: Instant
    """When the publisher fetched the copy that it came from."""
    click_id: str


class ReportedConversion(NamedTuple):
    """A conversion that a program reports."""

    employer: Employer
    event: dict[str, str]


@dataclass
class AdBoard:
    """A publisher as it is: how often it fetches, what it shows and showed before, who comes."""

    outlet: Outlet
    rhythm: Instant | None
    """None: it never fetches."""
    level: float
    """Clicks of an average day."""
    is_bad: bool
    client: str = ""
    """The client whose file it fetches; empty: the file of all clients."""
    offers: list[BoardJob] = field(default_factory=list)
    old: list[BoardJob] = field(default_factory=list)
    has_offered: bool = False
    """Whether it has ever shown a job."""
    etag: bytes | None = None
    fetched_at: Instant | None = None
    old_fetched_at: Instant = 0
    checked_at: Instant | None = None

    @property
    def path(self) -> str:
        return self.outlet.paths[self.client] if self.client else self.outlet.feed_path


@dataclass
class AcknowledgedEvents:
    """What the doors have acknowledged."""

    visits: dict[bytes, AcknowledgedClick] = field(default_factory=dict)
    """Clicks by id that were not seen in the ledger yet."""
    conversions: int = 0
