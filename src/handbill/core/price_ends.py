"""When the price of a tracked link ends, and which amounts count then.

A **listing** is one job of one job group at one publisher. Its price ends when the publisher's file
shows it at another price, or no longer shows it. It is still honoured for a while, since publishers
show what they have fetched. **Source**: contract 5 (prices end), docs/decisions/0030.
"""

from collections.abc import Iterable
from typing import NamedTuple

from handbill.core.nouns import BidType
from handbill.kit.instants import Instant


class Frozen(NamedTuple):
    """What a link and a file say about a listing, apart from its job and publisher."""

    group_no: int
    bid_type: BidType
    bid_micros: int
    price_micros: int


class ShownLine(NamedTuple):
    """A listing as the publisher's file shows it. ``listed_at``: since when it is shown so."""

    frozen: Frozen
    listed_at: Instant


class LinkState(NamedTuple):
    """The state of a link. ``ended_at``: when its price ended, None if it has not. ``live``: how
    the file shows the same listing now, None if it does not. ``forgotten``: the link is older than
    anything remembered about it, so that nothing speaks for it. ``copy_left_at``: since when no
    copy of its publisher shows its price; None: one may still do so.
    """

    ended_at: Instant | None = None
    live: Frozen | None = None
    forgotten: bool = False
    copy_left_at: Instant | None = None

    @property
    def left_at(self) -> Instant | None:
        """Since when the listing is in no file; None while it is in one."""
        return None if self.live is not None else self.ended_at

    def replaced_at(self, honoured: Instant) -> Instant | None:
        """Since when its price is neither honoured nor shown by a copy; None: either may be."""
        if self.live is None or self.ended_at is None or self.copy_left_at is None:
            return None
        return max(self.ended_at + honoured, self.copy_left_at)


STANDS = LinkState()


def standing_of(
    link: ShownLine,
    ends: Iterable[Instant],
    shown: ShownLine | None,
    *,
    remembered: Instant,
    is_known: bool,
) -> LinkState:
    """The state of a link, from the ends of its price (``ends`` may include ends of other times),
    and from what the file shows of its job.

    ``is_known``: the file could be read; otherwise its content is not held against a link.
    ``remembered``: earlier ends may be deleted. For a link without its time, the last end is taken
    as its own; if there is none, the file decides.
    """
    forgotten = 0 < link.listed_at < remembered
    if not is_known:
        return LinkState(forgotten=forgotten)
    live = None
    if shown is not None and shown.frozen[:2] == link.frozen[:2]:
        live = shown.frozen
        if live == link.frozen and link.listed_at in {0, shown.listed_at}:
            return LinkState(None, live)
    if link.listed_at:
        later = [at for at in ends if at > link.listed_at]
        return LinkState(min(later, default=None), live, forgotten)
    return LinkState(max(ends, default=0), live)


def counted(link: Frozen, standing: LinkState, at: Instant, honoured: Instant) -> Frozen:
    """The amounts that count for a click at an instant: those its link froze while they are
    honoured, then the lower of those and what the file shows.
    """
    if standing.ended_at is None or standing.live is None or at <= standing.ended_at + honoured:
        return link
    live = standing.live
    return link._replace(
        bid_micros=min(link.bid_micros, live.bid_micros),
        price_micros=min(link.price_micros, live.price_micros),
    )
