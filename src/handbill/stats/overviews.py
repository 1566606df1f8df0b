"""Figures by day for frequent readers: from the sums that the judge keeps, not from entries.

**Source**: core.metrics, so they equal the figures of reports.
"""

from collections.abc import Iterable, Mapping, Sequence
from datetime import date, timedelta
from typing import Final, Literal, NamedTuple

from handbill.access import service as access
from handbill.clients import service as clients
from handbill.core.charging import Limit
from handbill.core.metrics import RAW, Sums, finished_as, made_of
from handbill.core.nouns import Cap, Client
from handbill.core.pacing.months import (
    MOST_EVIDENCE,
    MonthDays,
    MonthPace,
    MonthSpend,
    month_of,
    sum_of_paces,
)
from handbill.core.standing.reasons import Resolved
from handbill.kit.instants import Instant
from handbill.kit.zones import day_of, zone_of
from handbill.ledger import daily_sums
from handbill.ledger import service as ledger
from handbill.standing import service as standing
from handbill.stats.answering import names_of
from handbill.store.records import Tx

By = Literal["none", "campaign", "jobgroup", "publisher"]
MOST_SERIES: Final = 20
_NOTHING: Final = (0,) * len(RAW)
_DAY: Final = timedelta(days=1)


class Series(NamedTuple):
    """The raw sums of each day, oldest first. ``many``: how many it sums up. Without id: those that
    have none, or the rest.
    """

    id: str
    name: str
    many: int
    days: Sequence[Sums]

    @property
    def total(self) -> Sums:
        return summed(self.days)


class Timeseries(NamedTuple):
    """``others``: all that are not among the largest, as one series."""

    currency: str
    first: date
    last: date
    series: Sequence[Series]
    others: Series | None


class ClientDays(NamedTuple):
    """A client on the days up to its today. ``before``: the same number of days before them."""

    client: Client
    last: date
    resolved: Resolved
    days: Sequence[Sums]
    before: Sums
    budget: tuple[Cap, int] | None
    month: MonthPace


class SpanTotal(NamedTuple):
    """What all clients came to in their last days, and in as many days before."""

    days: int
    total: Sums
    before: Sums


class Overview(NamedTuple):
    """Clients of an agency. ``spans``: of all its live ones, first of the days of the lines;
    ``month``: of the same; ``clients``: how many; ``unplanned``: of how many nothing is planned
    for a month.
    """

    currency: str
    lines: Sequence[ClientDays]
    spans: Sequence[SpanTotal]
    month: MonthPace
    clients: int
    unplanned: int


def summed(some: Iterable[Sums]) -> Sums:
    return [sum(amounts) for amounts in zip(*some, strict=True)] or _NOTHING


def timeseries(
    tx: Tx, client: Client, days: int, by: By, largest_by: str, now: Instant
) -> Timeseries:
    """A client's last days, today included: as a whole, or by campaign, job group or publisher; the
    20 largest by a metric, and the rest together.
    """
    last = day_of(now, zone_of(client.zone))
    first = last - (days - 1) * _DAY
    first_on = first.isoformat()
    whole = daily_sums.of_clients(tx, [client.no], first_on).get(client.no, {})
    of_client = by_day(whole, first, last)
    series, others = [Series(client.id, client.body.company_name, 1, of_client)], None
    if by != "none":
        size, raws = finished_as(largest_by), made_of(largest_by)
        totals = daily_sums.totals(tx, client.no, by, raws, first_on)
        ranked = sorted(totals, key=lambda no: (-size(totals[no]), no))
        shown, rest = ranked[:MOST_SERIES], ranked[MOST_SERIES:]
        by_place = daily_sums.by_place(tx, client.no, by, shown, first_on)
        names = names_of(tx, client.no, by.upper(), set(shown))
        series = [
            Series(names[no][0], names[no][1], 1, by_day(by_place[no], first, last)) for no in shown
        ]
        others = Series("", "", len(rest), _less(of_client, series)) if rest else None
    currency = access.agency_by_number(tx, client.agency_no).currency
    return Timeseries(currency, first, last, series, others)


def by_day(of: Mapping[str, Sums], first: date, last: date) -> list[Sums]:
    """The sums of each day from the first to the last; nothing on a day without any."""
    days = ((first + by * _DAY).isoformat() for by in range((last - first).days + 1))
    return [of.get(day_on, _NOTHING) for day_on in days]


def _less(whole: Sequence[Sums], series: Sequence[Series]) -> list[Sums]:
    """What is left of each day."""
    together = (summed(some) for some in zip(*(one.days for one in series), strict=True))
    return [list(map(int.__sub__, day, taken)) for day, taken in zip(whole, together, strict=True)]


def overview(
    tx: Tx,
    agency_no: int,
    spans: Sequence[int],
    wanted: frozenset[str],
    skip: int,
    limit: int,
    now: Instant,
    only: frozenset[int] | None = None,
) -> Overview:
    """Some clients of an agency, oldest first, each with its last days, today included, and its
    standing; and the sum of all. ``spans``: numbers of days; the first is that of the lines, all
    are of the sums. ``wanted``: the raw sums that are told; all others are 0. ``only``: as if there
    were no other clients.
    """
    days = spans[0]
    every = clients.of_agency(tx, agency_no, only)
    lasts = {one.no: day_of(now, zone_of(one.zone)) for one in every}
    totals = [
        SpanTotal(span, *(_total(tx, lasts, span, back, wanted) for back in (0, span)))
        for span in spans
    ]
    months = _months(tx, every, lasts)
    shown = every[skip : skip + limit]
    nos = [one.no for one in shown]
    since = min((lasts[no] for no in nos), default=date.max) - 2 * days * _DAY
    by_client = daily_sums.of_clients(tx, nos, since.isoformat(), wanted)
    states = standing.of_clients(tx, nos)
    lines = []
    for one in shown:
        last, of = lasts[one.no], by_client.get(one.no, {})
        first = last - (days - 1) * _DAY
        former = by_day(of, first - days * _DAY, first - _DAY)
        lines.append(
            ClientDays(
                one,
                last,
                states[one.no],
                by_day(of, first, last),
                summed(former),
                _budget(tx, one, last),
                months[one.no],
            )
        )
    all_months = list(months.values())
    return Overview(
        access.agency_by_number(tx, agency_no).currency,
        lines,
        totals,
        sum_of_paces(all_months),
        len(every),
        sum(one.planned is None for one in all_months),
    )


def _total(tx: Tx, lasts: Mapping[int, date], days: int, back: int, wanted: frozenset[str]) -> Sums:
    """The sum of so many days of all these clients, up to so many days before each one's today."""
    return summed(
        daily_sums.total(
            tx,
            [no for no, last in lasts.items() if last == today],
            (today - (back + days - 1) * _DAY).isoformat(),
            (today - back * _DAY).isoformat(),
            wanted,
        )
        for today in {*lasts.values()}
    )


def _months(tx: Tx, some: Sequence[Client], lasts: Mapping[int, date]) -> dict[int, MonthPace]:
    """Each client's month up to its today."""
    spent: dict[int, MonthSpend] = {}
    for today in {*lasts.values()}:
        nos = [no for no, last in lasts.items() if last == today]
        spent |= ledger.used_in_month(tx, nos, today)
    in_all = _used_in_all(tx, some, max(lasts.values(), default=date.max))
    paces = {}
    for one in some:
        today = lasts[one.no]
        days_over = (today - day_of(one.created_at, zone_of(one.zone))).days
        over = min(MOST_EVIDENCE, max(0, days_over))
        its = spent.get(one.no, MonthSpend())
        days = MonthDays.of(today, one.body.start_on, one.body.end_on)
        paces[one.no] = month_of(one.body.caps.budget, days, its, over, in_all.get(one.no, 0))
    return paces


def _used_in_all(tx: Tx, some: Iterable[Client], today: date) -> dict[int, int]:
    """What is used of the lifetime budgets among these clients' own ones: the same on any day."""
    limits = {
        one.no: _limit_of(one.no, cap)
        for one in some
        if (cap := one.body.caps.budget) is not None and cap.period == "Lifetime"
    }
    used = ledger.used_of_any(tx, limits.values(), today)
    return {no: used[limit] for no, limit in limits.items()}


def _budget(tx: Tx, client: Client, today: date) -> tuple[Cap, int] | None:
    """The client's own budget cap, and how much of it is used."""
    cap = client.body.caps.budget
    if cap is None:
        return None
    limit = _limit_of(client.no, cap)
    return cap, ledger.used(tx, client.no, [limit], today)[limit]


def _limit_of(client_no: int, cap: Cap) -> Limit:
    return Limit("client", f"{client_no}", "budget", cap.period, cap.value)
