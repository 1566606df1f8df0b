"""How caps stand, and what is reserved from them for others."""

from collections.abc import Iterable, Mapping, Sequence

from handbill.control.spent import SpentJob
from handbill.control.tree import CapTree, Pair, Tended, Use, in_millionths
from handbill.core.bids import lowered
from handbill.core.charging import Place
from handbill.core.in_force import Key, Paced
from handbill.core.pacing.caps import CapMark, Days, DeliveryMode, mark_of
from handbill.core.pacing.days import days_of
from handbill.core.standing.capping import CapKey, Capped
from handbill.kit.money import MICROS, PPM


def marks_of(tree: CapTree, weekdays: Sequence[int], ceiling_ppm: int) -> dict[CapKey, CapMark]:
    """How each cap stands today. ``weekdays``: the weight of each, Monday first."""
    return {
        key: mark_at(tree, key, weekdays, ceiling_ppm, one.cap.value)
        for key, one in tree.caps.items()
    }


def mark_at(
    tree: CapTree, key: CapKey, weekdays: Sequence[int], ceiling_ppm: int, value: int
) -> CapMark:
    """How a cap stands, or would stand with another value."""
    one = tree.caps[key]
    days = days_of(one.cap.period, tree.today, one.weights(weekdays), one.last)
    return mark_of_cap(key, one, tree.used[key], value, days, ceiling_ppm)


def mark_of_cap(
    key: CapKey, one: Tended, used: Use, value: int, days: Days, ceiling_ppm: int
) -> CapMark:
    """How a cap with a value stands on the first of these days."""
    return mark_of(
        one.cap,
        in_millionths(key, value),
        in_millionths(key, used.all),
        in_millionths(key, min(used.today, used.all)),
        days,
        one.delivery,
        ceiling_ppm,
        one.dearest if key[2] == "budget" else PPM,
    )


def cheapest_of(key: CapKey, pairs: Iterable[Key], live: Mapping[Key, int]) -> int:
    """The price of one more at the cheapest live bid; of a count, one. 0: nothing is sold there."""
    if key[2] != "budget":
        return PPM
    return min((live[pair] for pair in pairs if pair in live), default=0)


def likely_costs(tree: CapTree) -> dict[CapKey, int]:
    """What one more will take of each budget, even if nothing is sold below it now."""
    return {key: one.dearest or MICROS for key, one in tree.caps.items()}


def live_bids(pairs: Iterable[Pair], paced: Mapping[Key, Paced]) -> dict[Key, int]:
    """What the lowest bid of each pair takes of a budget, where any is offered."""
    return {
        pair.key: pair.marked(live_bid(pair, paced)) for pair in pairs if pair.stock.least_micros
    }


def live_bid(pair: Pair, paced: Mapping[Key, Paced]) -> int:
    """The lowest bid at which a pair offers a job."""
    one = paced.get(pair.key)
    least = pair.stock.least_micros
    if one is None or pair.terms.bid_type == "FLAT_CPC":
        return least
    return lowered(least, one, pair.terms.whole_micros)


def kept_for_others(tree: CapTree, key: CapKey, place: Place) -> int:
    """What other placements have still to spend of their reserved part of a job group's budget: for
    this one it counts as spent.
    """
    own, kept = f"{place.group_no}/{place.publisher_no}", 0
    for entity, value in tree.caps[key].reserved:
        use = tree.used.get(("placement", entity, "budget"))
        if entity != own and use is not None:
            kept += max(0, value - use.all)
    return kept


def capped_jobs(spent: Iterable[SpentJob]) -> dict[CapKey, Capped]:
    """The caps of single jobs that stop them. They are walls only: nothing is paced by them."""
    capped = {}
    for one in spent:
        key: CapKey = (*one.thing, one.measure)
        cap = one.cap
        mark = mark_of(
            type(cap)(cap.period, cap.value, threshold_ppm=PPM),
            in_millionths(key, cap.value),
            in_millionths(key, one.used),
            0,
            Days((1,), (), renews=False),
            DeliveryMode.ASAP,
        )
        capped[key] = Capped(cap, mark, 0, one.cheapest, MICROS)
    return capped
