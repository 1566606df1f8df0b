"""What a job group has to offer a publisher, in sums: how many jobs, at which bids."""

from collections.abc import Iterable, Iterator, Sequence
from datetime import date
from typing import NamedTuple

import msgspec
import sqlalchemy as sa
from sqlalchemy import bindparam as b

from handbill.core.bids import PLAIN_JOB, JobBids, Offer, heeds_feed, offer_of
from handbill.core.rates import number_of
from handbill.core.terms import PlacementTerms
from handbill.kit.instants import Instant
from handbill.listings.listable import LISTABLE
from handbill.listings.offers import asked_in
from handbill.store.records import Tx
from handbill.store.records.base import Listed, among
from handbill.store.records.tables import jobs, matches

_j, _m = jobs.c, matches.c
_ALIKE = (
    sa.select(_m.group_no, _j.status, _j.cpc_micros, _j.settings, _j.cpc_currency, sa.func.count())
    .select_from(matches.join(jobs, _m.job_no == _j.no))
    .where(
        among(_m.group_no, "groups"),
        _j.left_at.is_(None),
        *LISTABLE.values(),
    )
    .group_by(_m.group_no, _j.status, _j.cpc_micros, _j.settings, _j.cpc_currency)
)


_OF_JOBS = (
    sa.select(
        _j.id, _m.group_no, _j.ref, _j.title, _j.status, _j.cpc_micros, _j.settings, _j.cpc_currency
    )
    .select_from(jobs.join(matches, _m.job_no == _j.no))
    .where(among(_j.id, "ids"), _j.client_no == b("client_no"), _j.left_at.is_(None))
)


class Alike(NamedTuple):
    """Jobs of a job group with the same settings of bids."""

    asked: JobBids
    jobs: int


class Stock(NamedTuple):
    """The jobs of a job group that a publisher would be offered; their mean, lowest and highest
    bid. ``said_micros``: the bid as given in the publisher's currency, if all have the same.
    """

    jobs: int
    mean_micros: int
    least_micros: int
    most_micros: int
    said_micros: int = 0


NOTHING = Stock(0, 0, 0, 0)


def alike(tx: Tx, group_nos: Iterable[int], now: Instant) -> dict[int, list[Alike]]:
    """The jobs of these job groups that can stand in a feed."""
    by_group: dict[int, list[Alike]] = {}
    rows = tx.all(_ALIKE, groups=Listed(sorted(group_nos)), now=now)
    for group_no, *columns, count in rows:
        by_group.setdefault(group_no, []).append(Alike(asked_in(*columns), count))
    return by_group


_Offers = list[tuple[Offer, int]]
Shared = dict[PlacementTerms, _Offers]
"""The offers of a job group's jobs without settings of their own, of which there may be thousands:
the same at each publisher with these terms.
"""


def stock_of(
    terms: PlacementTerms, jobs: Sequence[Alike], today: date, shared: Shared | None = None
) -> Stock:
    """What of them is offered on these terms, at the set bids; the mean is a whole amount. If all
    bids are above a budget, they are told nevertheless: that budget stops them. ``shared``: known
    of these jobs, and added to.
    """
    known: Shared = {} if shared is None else shared
    some = _offered(terms, jobs, today, known)
    if not some:
        some = _offered(msgspec.structs.replace(terms, budgets=()), jobs, today, known)
    offers = [(offer.bid_micros, count) for offer, count in some]
    count = sum(many for _, many in offers)
    if not count:
        return NOTHING
    least = min(bid for bid, _ in offers)
    whole = terms.whole_micros
    mean = sum(bid * many for bid, many in offers) // count
    if mean > least:
        mean = max(least, mean // whole * whole)
    quotes = {offer.quote[2:] for offer, _ in some}
    own = quotes == {(some[0][0].quote.bid_micros, number_of(terms.currency))}
    said_micros = some[0][0].quote.bid_micros if own else 0
    return Stock(
        jobs=count,
        mean_micros=mean,
        least_micros=least,
        most_micros=max(bid for bid, _ in offers),
        said_micros=said_micros,
    )


def _offered(terms: PlacementTerms, jobs: Sequence[Alike], today: date, known: Shared) -> _Offers:
    anywhere = msgspec.structs.replace(terms, publisher_id="")
    if anywhere not in known:
        plain = [one for one in jobs if one.asked.settings is PLAIN_JOB]
        some = plain if heeds_feed(terms) else _without_feed(plain)
        known[anywhere] = _offers(anywhere, some, today)
    own = [one for one in jobs if one.asked.settings is not PLAIN_JOB]
    return known[anywhere] + _offers(terms, own, today)


def _offers(terms: PlacementTerms, jobs: Iterable[tuple[JobBids, int]], today: date) -> _Offers:
    offers = ((offer_of(terms, asked, today), count) for asked, count in jobs)
    return [(offer, count) for offer, count in offers if isinstance(offer, Offer)]


def _without_feed(jobs: Iterable[Alike]) -> Iterator[tuple[JobBids, int]]:
    """The same jobs where the bids of their feeds do not count: without settings, all are equal."""
    plain = {False: 0, True: 0}
    for asked, count in jobs:
        plain[asked.paused] += count
    for paused, count in plain.items():
        if count:
            yield JobBids(paused=paused), count


class Matched(NamedTuple):
    """A job in its job group, and its own settings of bids."""

    group_no: int
    ref: str
    title: str
    asked: JobBids


def asked_of(tx: Tx, client_no: int, ids: Iterable[str]) -> dict[str, Matched]:
    """Those of these jobs of a client that are in a feed, by id."""
    rows = tx.all(_OF_JOBS, client_no=client_no, ids=Listed(sorted(ids)))
    return {
        id_: Matched(group_no, ref, title, asked_in(*columns))
        for id_, group_no, ref, title, *columns in rows
    }
