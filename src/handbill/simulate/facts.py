"""Entries of the ledger, as they are read from their files, whose caps they count for, and days."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import date
from typing import NamedTuple

from handbill.core.charging import Scope
from handbill.kit.instants import Instant
from handbill.kit.zones import PERIODS, period_key

Holder = tuple[Scope, tuple[str, ...]]
Used = dict[tuple[Holder, str], list[int]]


class Fact(NamedTuple):
    """An entry of the ledger, as it is in its file."""

    id: bytes
    at: Instant
    kind: str
    disposition: str
    client_no: int
    campaign_no: int
    group_no: int
    publisher_no: int
    job_id: str
    bid_type: str
    charge_micros: int
    spend_micros: int
    marked_micros: int
    source: str


QUOTED = ", ".join(f'"{name}"' for name in Fact._fields)


class EntryPlace(NamedTuple):
    """What an entry is about, by the agency's own ids; without a job group: the client alone."""

    client: str
    day: date
    campaign: str = ""
    group: str = ""
    publisher: str = ""
    job: str = ""


def keys_of(place: EntryPlace) -> list[tuple[Holder, str]]:
    """Whose caps it counts for, and in which periods."""
    holders: list[Holder] = [("client", (place.client,))]
    if place.group:
        holders += [
            ("campaign", (place.campaign,)),
            ("group", (place.group,)),
            ("placement", (place.group, place.publisher)),
            ("group_job", (place.group, place.job)),
            ("job", (place.job,)),
        ]
    periods = [period_key(period, place.day) for period in PERIODS]
    return [(holder, period) for holder in holders for period in periods]


def add_to(sums: list[int], amounts: Iterable[int]) -> None:
    for place, amount in enumerate(amounts):
        sums[place] += amount


@dataclass(kw_only=True)
class OfDay:
    """What became of a day. **Units**: micros where it says so."""

    day: str
    classes: Counter[str] = field(default_factory=Counter)
    charged_micros: int = 0
    spend_micros: int = 0
    unbilled_micros: int = 0
    applies: int = 0
    hires: int = 0
    caps_reached: int = 0
