"""A week of an agency's clients beside the week before, from the sums that the judge keeps."""

from collections.abc import Sequence
from datetime import date, timedelta
from typing import NamedTuple

from handbill.access import service as access
from handbill.clients import service as clients
from handbill.core.metrics import Sums
from handbill.core.nouns import Client
from handbill.kit.instants import Instant
from handbill.kit.zones import start_of, zone_of
from handbill.ledger import daily_sums
from handbill.stats.overviews import summed
from handbill.store.records import Tx

_DAY = timedelta(days=1)


class ClientWeek(NamedTuple):
    """A client. ``is_over``: whether the week has ended in its zone."""

    client: Client
    sums: Sums
    before: Sums
    is_over: bool


class AgencyWeek(NamedTuple):
    """Those of whom anything came in the two weeks, oldest first, and all of them together."""

    currency: str
    lines: Sequence[ClientWeek]
    total: Sums
    before: Sums


def week_of(
    tx: Tx, agency_no: int, monday: date, now: Instant, only: frozenset[int] | None = None
) -> AgencyWeek:
    """The week that begins on a Monday, by days of each client's zone. ``only``: as if there were
    no other clients.
    """
    assert monday.weekday() == 0, "a week begins on Monday"
    every = clients.of_agency(tx, agency_no, only)
    former = monday - 7 * _DAY
    by_client = daily_sums.of_clients(tx, [one.no for one in every], former.isoformat())
    end = monday + 7 * _DAY
    lines = []
    for one in every:
        days = by_client.get(one.no, {})
        sums, before = (
            summed(days[day] for day in _week(first) if day in days) for first in (monday, former)
        )
        if any(sums) or any(before):
            lines.append(ClientWeek(one, sums, before, start_of(end, zone_of(one.zone)) <= now))
    total, before = summed(one.sums for one in lines), summed(one.before for one in lines)
    return AgencyWeek(access.agency_by_number(tx, agency_no).currency, lines, total, before)


def _week(first: date) -> list[str]:
    return [(first + n * _DAY).isoformat() for n in range(7)]
