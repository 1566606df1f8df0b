"""Checks the publishers of a job group, with their bids and budgets. **Source**: domain 1.6
(validation), 2.2 (cross-checks).
"""

from collections.abc import Iterable, Sequence

from handbill.core.nouns import Cap, Client, GroupBody, Placement, Publisher
from handbill.core.rates import Exchange
from handbill.core.terms import least_here
from handbill.kit.faults import Fault
from handbill.kit.zones import Period
from handbill.publishers import service as publishers
from handbill.publishers.service import least_of
from handbill.store.records import Tx

# How often a period ends in a month: the most for the group's budget, the least for placements', so
# that only a placement that fits in no month is refused.
_MOST_A_MONTH: dict[Period, int] = {"Daily": 31, "Weekly": 5, "Monthly": 1}
_LEAST_A_MONTH: dict[Period, int] = {"Daily": 28, "Weekly": 4, "Monthly": 1}


_OTHER_PERIOD = "a locked budget must have the period of the job group's budget"
_WORDS = {"cpc_bid_micros": "the CPC bid", "cpa_bid_micros": "the CPA bid"}
_BID_OF = {"CPC": "cpc_bid_micros", "CPA": "cpa_bid_micros"}
"""Which of a group's bids counts, by how the publisher is paid."""


def placement_faults(
    tx: Tx,
    client: Client,
    exchange: Exchange,
    body: GroupBody,
    *,
    new: bool,
    stand: Sequence[Placement] = (),
) -> list[Fault]:
    """Every fault of a group's placements. ``new``: the list itself was sent, not only the caps.
    ``stand``: those that it has; sent back as they are, they are not checked again.

    **Shape**: unknown publisher, excluded publisher, bid below the publisher's minimum, budget
    above the group's, locked budgets of another period, or together above the group's.
    """
    faults: list[Fault] = []
    if new:
        known = {one.id: one for one in publishers.publishers_of(tx, client.agency_no)}
        excluded = {*client.body.excluded_publishers, *client.body.globally_excluded_publishers}
        for n, placement in enumerate(body.placements):
            if placement in stand:
                continue
            faults += _faults_of(
                placement, known.get(placement.publisher_id), exchange, excluded, n
            )
    budget = body.caps.budget
    if budget is not None:
        faults += _over_budget(body.placements, budget, new=new)
    return faults


def bid_warnings(tx: Tx, client: Client, exchange: Exchange, body: GroupBody) -> list[Fault]:
    """The placements for which the group's own bid is too low: its jobs are not listed there."""
    low = low_bids(publishers.publishers_of(tx, client.agency_no), exchange, body)
    places = {placement.publisher_id: n for n, placement in enumerate(body.placements)}
    return [
        Fault(
            f"placements.{places[publisher.id]}",
            f"{publisher.id} takes {least_of(publisher, exchange)} at least, "
            f"more than {_WORDS[name]}",
        )
        for name, of_name in low.items()
        for publisher in of_name
    ]


def _faults_of(
    placement: Placement,
    publisher: Publisher | None,
    exchange: Exchange,
    excluded: set[str],
    n: int,
) -> list[Fault]:
    at = f"placements.{n}"
    if publisher is None:
        return [Fault(f"{at}.publisher_id", "is not a publisher of the agency")]
    faults = publishers.asked_faults(publisher, exchange, placement.currency, placement.bid_micros)
    if publisher.id in excluded:
        faults.insert(0, Fault("publisher_id", "is excluded by the client"))
    return [Fault(f"{at}.{one.field}", one.message) for one in faults]


def low_bids(
    client_publishers: Iterable[Publisher], exchange: Exchange, body: GroupBody
) -> dict[str, list[Publisher]]:
    """The group's bids that are too low where they count: name of the bid → the publishers.

    A bid of 0 is not too low: the feed's bid may replace it.
    """
    known = {one.id: one for one in client_publishers}
    by_name: dict[str, list[Publisher]] = {}
    for placement in body.placements:
        publisher = known.get(placement.publisher_id)
        name = publisher and _BID_OF.get(publisher.body.bid_type)
        if not publisher or not name or placement.bid_micros is not None or not placement.active:
            continue
        bid_micros = getattr(body, name)
        if bid_micros and publishers.is_low(publisher, exchange, bid_micros):
            by_name.setdefault(name, []).append(publisher)
    return by_name


def bid_faults(tx: Tx, client: Client, exchange: Exchange, body: GroupBody) -> list[Fault]:
    """The faults, by field, of bids that no placement accepts; one that some accept is no fault."""
    known = {one.id: one for one in publishers.publishers_of(tx, client.agency_no)}
    low = low_bids(known.values(), exchange, body)
    faults = []
    for name, lowest in low.items():
        of_kind = {
            placement.publisher_id
            for placement in body.placements
            if placement.active
            and (publisher := known.get(placement.publisher_id)) is not None
            and _BID_OF.get(publisher.body.bid_type) == name
        }
        if of_kind == {publisher.id for publisher in lowest}:
            least = min(lowest, key=lambda one: least_here(one, exchange))
            says = f"must be at least {least_of(least, exchange)}: the placements accept no less"
            faults.append(Fault(name, says))
    return faults


def least_budget(placements: Iterable[Placement], period: Period) -> int:
    """The least that a job group's budget of a period may be, with these budgets below it."""
    budgets = [one.budget for one in placements if one.budget]
    locked = [one for one in budgets if one.locked]
    return max(
        (_taken(asked, period) for asked in (*([one] for one in budgets), locked)), default=0
    )


def _over_budget(placements: list[Placement], budget: Cap, *, new: bool) -> list[Fault]:
    faults = []
    budgets = [(n, placement.budget) for n, placement in enumerate(placements) if placement.budget]
    for n, asked in budgets:
        if _exceed([asked], budget):
            at = f"placements.{n}.budget.value" if new else "caps.budget.value"
            faults.append(Fault(at, "the placement's budget must not exceed the job group's"))
    locked = [(n, asked) for n, asked in budgets if asked.locked]
    for n, asked in locked:
        if asked.period != budget.period:
            at = f"placements.{n}.budget.locked" if new else "caps.budget.period"
            faults.append(Fault(at, _OTHER_PERIOD))
    if not faults and _exceed([asked for _, asked in locked], budget):
        at = f"placements.{locked[-1][0]}.budget.locked" if new else "caps.budget.value"
        faults.append(
            Fault(at, "the locked budgets must not exceed the job group's budget together")
        )
    return faults


def _exceed(asked: list[Cap], room: Cap) -> bool:
    return _taken(asked, room.period) > room.value


def _taken(asked: list[Cap], period: Period) -> int:
    """What budgets take at least of one of that period, in any month; rounded up. Of lifetime
    budgets this cannot be told.
    """
    if all(cap.period == period for cap in asked):
        return sum(cap.value for cap in asked)
    recurring = [cap for cap in asked if cap.period != "Lifetime"]
    least = sum(cap.value * _LEAST_A_MONTH[cap.period] for cap in recurring)
    return -(-least // _MOST_A_MONTH[period])
