"""Which caps stop what is below them."""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

from handbill.control.tree import CapKey, Pair, Tended, Tree, in_millionths
from handbill.core.bids import lowered
from handbill.core.in_force import Paced
from handbill.core.pacing.caps import Mark, is_stopped, mark_of
from handbill.core.pacing.days import days_of
from handbill.kit.money import PPM


class Capped(NamedTuple):
    """A cap as it stands, in millionths of what it counts. ``cheapest``: what one more takes at the
    cheapest live bid below it.
    """

    cap: Tended
    mark: Mark
    in_flight: int
    cheapest: int

    @property
    def stops(self) -> bool:
        return not self.cap.cap.value or is_stopped(self.mark, self.in_flight, self.cheapest)


def marks_of(tree: Tree, weekdays: Sequence[int], ceiling_ppm: int) -> dict[CapKey, Mark]:
    """How each cap stands today. ``weekdays``: what each weighs, Monday first."""
    return {
        key: mark_at(tree, key, weekdays, ceiling_ppm, in_millionths(key, one.cap.value))
        for key, one in tree.caps.items()
    }


def mark_at(
    tree: Tree, key: CapKey, weekdays: Sequence[int], ceiling_ppm: int, value: int
) -> Mark:  # fmt: skip
    """How a cap stands, or would with another value."""
    one, used = tree.caps[key], tree.used[key]
    weights = [weight if day in one.weekdays else 0 for day, weight in enumerate(weekdays)]
    return mark_of(
        one.cap, value, in_millionths(key, used.all),
        min(in_millionths(key, used.today), in_millionths(key, used.all)),
        days_of(one.cap.period, tree.today, weights, one.last), one.delivery, ceiling_ppm,
    )  # fmt: skip


def cheapest_of(key: CapKey, pairs: Sequence[Pair], paced: Mapping[tuple[int, int], Paced]) -> int:
    """What one more takes at the cheapest live bid: of a count, one. 0: nothing is sold there."""
    if key[2] != "budget":
        return PPM
    bids = [
        pair.marked(live_bid(pair, paced))
        for pair in pairs
        if pair.stock.jobs and pair.stock.least_micros
    ]
    return min(bids, default=0)


def live_bid(pair: Pair, paced: Mapping[tuple[int, int], Paced]) -> int:
    """The least bid at which a pair offers a job."""
    one = paced.get((pair.place.group_no, pair.place.publisher_no))
    least = pair.stock.least_micros
    if one is None or pair.terms.bid_type == "FLAT_CPC":
        return least
    return lowered(least, one, pair.terms.unit_micros)
