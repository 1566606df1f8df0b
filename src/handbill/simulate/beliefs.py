"""Compares what the system assumes about the market with what the market knows."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import date
from decimal import Decimal
from typing import Any

from handbill.core.charging import MEASURES, Scope
from handbill.core.nouns import Publisher
from handbill.kit.instants import Instant
from handbill.kit.money import MICROS
from handbill.kit.zones import Period, period_key
from handbill.listings.copies import copies_of
from handbill.listings.service import ALL_CLIENTS
from handbill.simulate.boards import AdBoard
from handbill.store.records import Tx


def unknown_fetches(
    tx: Tx,
    publishers: Mapping[str, Publisher],
    clients: Mapping[str, int],
    every: Iterable[AdBoard],
    now: Instant,
) -> Iterator[str]:
    """Publishers that have fetched without the system's knowledge. ``clients``: by id."""
    copies = copies_of(tx, (one.no for one in publishers.values()), now)
    known = {(one.publisher_no, one.client_no): one.held for one in copies}
    for shown in every:
        file = publishers[shown.outlet.id].no, clients.get(shown.client, ALL_CLIENTS)
        at = shown.fetched_at or 0
        if file in known and known[file].fetched_at != at:
            yield f"{shown.outlet.id} has fetched at {at}, and {known[file]} is known"


_Holder = tuple[Scope, tuple[str, ...]]
_NEARLY = Decimal("0.99")


def miscounted_caps(
    told: Mapping[str, Any], used: Mapping[tuple[_Holder, str], Sequence[int]], today: date
) -> Iterator[str]:
    """What a client's ``/budget`` says of its caps that does not follow from the folded entries, or
    contradicts itself. ``used``: by measure, owner and period.
    """
    for holder, cap in _caps_of(told):
        place = MEASURES.index(cap["cap"])
        value, end = cap["value"], cap["forecastEnd"]
        periods: tuple[tuple[str, Period], ...] = ("used", cap["period"]), ("usedToday", "Daily")
        for name, period in periods:
            came = used.get((holder, period_key(period, today)), (0, 0, 0))[place]
            figure = round(Decimal(str(cap[name])) * (MICROS if place == 0 else 1))
            if figure != came:
                yield f"{holder} has {name} {came} of its {cap['cap']}, and is told {cap}"
        if cap["share"] is not None and not 0 <= cap["share"] <= value:
            yield f"{holder} is told a share that is no part of its value: {cap}"
        if end is not None and not end["low"] <= end["value"] <= end["high"] <= max(
            value, cap["used"]
        ):
            yield f"{holder} is told a forecast that cannot be: {cap}"
        enough, part = value * _NEARLY, int(place > 0)  # counts are told without their fractions
        if cap["unspentBecause"]:
            is_wrong = end is None or end["value"] >= enough
        else:
            is_wrong = end is not None and end["value"] + part < enough
        if is_wrong:
            yield f"{holder} is told causes that do not go with its forecast: {cap}"


def _caps_of(told: Mapping[str, Any]) -> Iterator[tuple[_Holder, Mapping[str, Any]]]:
    yield from ((("client", (told["id"],)), cap) for cap in told["caps"])
    for campaign in told["campaigns"]:
        yield from ((("campaign", (campaign["id"],)), cap) for cap in campaign["caps"])
        for group in campaign["jobGroups"]:
            for cap in group["caps"]:
                at = cap.get("publisherId")
                own: _Holder = ("placement", (group["id"], at)) if at else ("group", (group["id"],))
                yield own, cap
