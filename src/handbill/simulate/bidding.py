"""Compares the prices in copies with the bids that were decided, and with targets."""

from collections.abc import Iterable, Iterator

from handbill.control.telling import bids_of
from handbill.core.bids import price_of
from handbill.core.nouns import Publisher
from handbill.core.rates import PICOS
from handbill.kit.instants import DAY, Instant
from handbill.kit.money import PPM
from handbill.simulate.boards import BoardJob
from handbill.simulate.employers import Outlet
from handbill.simulate.trade import Trade
from handbill.store.records import Tx

_LOOKED_BACK = 45 * DAY
_RECENT = 2
"""A copy shows the last decision or, if its file is not written again yet, the one before."""


def other_prices(
    tx: Tx,
    group_no: int,
    publisher: Publisher,
    offers: Iterable[BoardJob],
    at: Instant,
    rates_ppm: Iterable[int],
) -> set[int]:
    """Prices of a job group's jobs in a copy of that instant that were not decided. A decided bid
    is converted when each file is written, by the rate of that time.
    """
    lines = bids_of(tx, group_no, [publisher], at - _LOOKED_BACK, at + 1)
    recent = {
        price_of(
            one.line.bid.bid_micros,
            one.line.inputs.markdown_ppm,
            one.line.inputs.unit_micros,
            rate_ppm * (PICOS // PPM),
        )
        for one in lines[:_RECENT]
        for rate_ppm in rates_ppm
    }
    return {offer.cpc_micros or offer.cpa_micros for offer in offers} - recent


def beyond_targets(outlet: Outlet, offers: Iterable[BoardJob], trade: Trade) -> Iterator[str]:
    """Prices in a copy above the job group's target, or that are unknown."""
    rates = trade.rates_ppm[outlet.currency]
    kind = {"CPC": "cpc", "CPA": "cpa"}.get(outlet.bid_type, "")
    for offer in offers:
        if not rates:
            yield f"{outlet} is shown {offer} without a rate"
            continue
        group, price = trade.group_of(offer.ref), offer.cpc_micros or offer.cpa_micros
        if group and kind in group.targets and price * min(rates) // PPM > group.targets[kind]:
            yield f"{outlet} is shown {offer}, beyond {group.targets[kind]} micros"
