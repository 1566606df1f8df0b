"""When the price of a tracked link ends, and what counts then.

A **listing** is one job of one job group at one publisher. Its price ends when the publisher's file
shows it at another one, or shows it no more; for a while it is honoured all the same, since
publishers show what they have fetched. **Source**: contract 5 (prices end), docs/decisions/0030.
"""

from collections.abc import Iterable
from typing import NamedTuple

from handbill.core.nouns import BidType
from handbill.kit.instants import Instant


class Frozen(NamedTuple):
    """What a link and a file say of a listing beside its job and publisher."""

    group_no: int
    bid_type: BidType
    bid_micros: int
    price_micros: int


class Line(NamedTuple):
    """A listing as the publisher's file shows it. ``listed_at``: since when it shows it so."""

    frozen: Frozen
    listed_at: Instant


class Standing(NamedTuple):
    """How a link stands. ``ended_at``: when its price ended, None while it has not. ``live``: how
    the file shows the same listing now, None where it does not. ``forgotten``: the link is older
    than anything that is remembered of it, so that nothing speaks for it. ``copy_left_at``: since
    when no copy of its publisher shows its price; None: it may still do so.
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
        """Since when neither its price is honoured nor a copy shows it; None: either may be."""
        if self.live is None or self.ended_at is None or self.copy_left_at is None:
            return None
        return max(self.ended_at + honoured, self.copy_left_at)


STANDS = Standing()


def standing_of(
    link: Line,
    ends: Iterable[Instant],
    shown: Line | None,
    *,
    remembered: Instant,
    is_known: bool,
) -> Standing:
    """How a link stands: by when its price ended (``ends``, which may be of other times too), and
    by what the file shows of its job.

    ``is_known``: the file could be looked into; what it shows cannot be held against a link
    otherwise. ``remembered``: what ended before may be forgotten. A link that does not say when it
    was made has the last end for its own, and where there is none, the file decides.
    """
    forgotten = 0 < link.listed_at < remembered
    if not is_known:
        return Standing(forgotten=forgotten)
    live = None
    if shown is not None and shown.frozen[:2] == link.frozen[:2]:
        live = shown.frozen
        if live == link.frozen and link.listed_at in {0, shown.listed_at}:
            return Standing(None, live)
    if link.listed_at:
        later = [at for at in ends if at > link.listed_at]
        return Standing(min(later, default=None), live, forgotten)
    return Standing(max(ends, default=0), live)


def counted(link: Frozen, standing: Standing, at: Instant, honoured: Instant) -> Frozen:
    """What a click at an instant counts at: what its link froze while that is honoured, then the
    lower of it and what the file shows.
    """
    if standing.ended_at is None or standing.live is None or at <= standing.ended_at + honoured:
        return link
    live = standing.live
    return link._replace(
        bid_micros=min(link.bid_micros, live.bid_micros),
        price_micros=min(link.price_micros, live.price_micros),
    )
