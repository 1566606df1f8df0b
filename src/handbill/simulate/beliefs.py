"""What the system believes of the market around it, held against what the market knows."""

from collections.abc import Iterable, Iterator, Mapping

from handbill.core.nouns import Publisher
from handbill.kit.instants import Instant
from handbill.listings.copies import held
from handbill.simulate.visitors import Shown
from handbill.store.records import Tx


def unknown_fetches(
    tx: Tx, publishers: Mapping[str, Publisher], every: Iterable[Shown], now: Instant
) -> Iterator[str]:
    """Publishers that have fetched when nobody knows of it."""
    known = held(tx, (one.no for one in publishers.values()), now)
    for shown in every:
        no, at = publishers[shown.outlet.id].no, shown.fetched_at or 0
        if no in known and known[no].fetched_at != at:
            yield f"{shown.outlet.id} has fetched at {at}, and {known[no]} is known"
