"""What is played of a market: copies, and what became of each day."""

from dataclasses import dataclass, field

from handbill.core.pacing.bids import BidLine
from handbill.kit.instants import Instant
from handbill.simulate.market import MarketGroup, MarketRow


@dataclass(kw_only=True)
class GroupCopy:
    """What a publisher holds of a group."""

    bid_micros: int
    listed_ppm: int
    let_ppm: int
    clicks_ppm: int
    """The part of the clicks that is let through, as the decisions assume."""
    start_ppm: int
    since: Instant
    rhythm: Instant
    due_at: Instant
    """When it really fetches next."""
    times: list[Instant] = field(default_factory=list)
    fetched_at: Instant = 0
    rate: float = 0.0
    """Clicks that it really brings, on an average day."""
    clicks: int = 0
    weight: float = 1.0
    """The weight of each click where shapes are learned: the inverse of what is let through."""


@dataclass(kw_only=True)
class Day:
    """What became of a group on a day."""

    group: int
    day: int
    share: int
    most: int
    used: int
    unbilled: int
    full: float
    """What the day would have cost at the full bids."""
    by_hour: list[int]
    plan: list[float]
    spent_out_hour: int
    used_before: int


@dataclass
class Played:
    """The data of a table."""

    world: MarketRow
    groups: list[MarketGroup]
    days: list[Day] = field(default_factory=list)
    refreshes: int = 0
    changed: int = 0
    over: int = 0
    lines: list[BidLine] = field(default_factory=list)
    """The bid log, if it is kept."""
