"""The sums of entries on each day, as the raw sums that every metric is made of."""

from collections.abc import Iterable
from datetime import tzinfo
from typing import NamedTuple

from handbill.core.entries import Entry
from handbill.core.metrics import RAW, gains
from handbill.kit.zones import QUARTER, day_of


class PlaceDay(NamedTuple):
    """A day of a client's zone at one of its job groups and publishers. 0: at none."""

    client_no: int
    day_on: str
    campaign_no: int
    group_no: int
    publisher_no: int


def come_to(entries: Iterable[Entry], zone: tzinfo) -> dict[PlaceDay, list[int]]:
    """The raw sums of a client's entries by place and day, in the order of RAW."""
    days: dict[int, str] = {}
    by_place: dict[PlaceDay, list[int]] = {}
    for one in entries:
        quarter = one.at // QUARTER
        day_on = days.get(quarter)
        if day_on is None:
            day_on = days[quarter] = day_of(one.at, zone).isoformat()
        key = PlaceDay(one.client_no, day_on, one.campaign_no, one.group_no, one.publisher_no)
        sums = by_place.get(key)
        if sums is None:
            sums = by_place[key] = [0] * len(RAW)
        for place, amount in gains(one.kind, one.disposition).items():
            sums[place] += getattr(one, amount) if amount else one.sign
    return by_place
