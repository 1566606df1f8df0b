"""The results of each job group at each publisher, by the quarter hour, until control takes them.

Clicks that are valid, within or over the caps, and applies; their cost, or what it would be.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from operator import attrgetter
from typing import Final, NamedTuple

import sqlalchemy as sa
from sqlalchemy import bindparam as b

from handbill.kit.instants import Instant
from handbill.kit.zones import QUARTER
from handbill.store.records import Tx
from handbill.store.records.columns import MOST_ESTIMATED
from handbill.store.records.tables import traffic

_AMOUNTS: Final = ("clicks", "applies", "unbilled", "unbilled_micros", "spend_micros")
_t = traffic.c
_KEYS = ("client_no", "group_no", "publisher_no", "quarter_at")
_OF_CLIENT = (
    sa.select(*(_t[name] for name in (*_KEYS[1:], *_AMOUNTS)))
    .where(_t.client_no == b("client_no"))
    .order_by(_t.quarter_at)
)
_CLIENTS = sa.select(_t.client_no).distinct()
_EMPTY = sa.delete(traffic).where(
    _t.client_no == b("client_no"), *(_t[name] == sa.literal_column("0") for name in _AMOUNTS)
)
_OLD = (
    sa.select(*(_t[name] for name in _KEYS))
    .where(_t.quarter_at < b("before"))
    .limit(b("most", type_=sa.Integer))
)
_FORGET = sa.delete(traffic).where(sa.tuple_(*(_t[name] for name in _KEYS)).in_(_OLD))


class Quarter(NamedTuple):
    group_no: int
    publisher_no: int
    quarter_at: Instant


@dataclass(slots=True, kw_only=True)
class SeenTraffic:
    """``unbilled``: the clicks and applies over a cap, and what they would have cost. Sums of money
    are for estimates only, and end at MOST_ESTIMATED.
    """

    clicks: int = 0
    applies: int = 0
    unbilled: int = 0
    unbilled_micros: int = 0
    spend_micros: int = 0

    def add(self, micros: int, *, clicks: int, billed: bool) -> None:
        self.clicks += clicks
        self.applies += 1 - clicks
        if billed:
            self.spend_micros = min(self.spend_micros + micros, MOST_ESTIMATED)
        else:
            self.unbilled += 1
            self.unbilled_micros = min(self.unbilled_micros + micros, MOST_ESTIMATED)


_amounts: Callable[[SeenTraffic], tuple[int, ...]] = attrgetter(*_AMOUNTS)


def quarter_of(group_no: int, publisher_no: int, at: Instant) -> Quarter:
    return Quarter(group_no, publisher_no, at // QUARTER * QUARTER)


def add(tx: Tx, seen: Mapping[int, Mapping[Quarter, SeenTraffic]]) -> None:
    """Add what came for each client."""
    some = [(no, *one) for no, of_client in sorted(seen.items()) for one in of_client.items()]
    assert all(min(_amounts(one)) >= 0 for _, _, one in some), "what came is never taken back"
    _put(tx, some, 1)


def clients_with_traffic(tx: Tx) -> set[int]:
    """The clients with waiting traffic."""
    return {client_no for (client_no,) in tx.all(_CLIENTS)}


def traffic_of(tx: Tx, client_no: int) -> dict[Quarter, SeenTraffic]:
    """The waiting traffic of a client, in order of time."""
    rows = tx.all(_OF_CLIENT, client_no=client_no)
    return {
        Quarter(*row[:3]): SeenTraffic(**dict(zip(_AMOUNTS, row[3:], strict=True))) for row in rows
    }


def take(tx: Tx, client_no: int, seen: Mapping[Quarter, SeenTraffic]) -> None:
    """Take what was read; what has come since then stays."""
    _put(tx, [(client_no, *one) for one in seen.items()], -1)
    tx.run(_EMPTY, client_no=client_no)


def forget(tx: Tx, before: Instant, most: int) -> int:
    """Delete at most so many quarters that nobody has taken, for example of deleted clients;
    returns how many.
    """
    return tx.run(_FORGET, before=before, most=most)


def _put(tx: Tx, seen: Iterable[tuple[int, Quarter, SeenTraffic]], sign: int) -> None:
    rows = [
        (client_no, *quarter, *(sign * amount for amount in _amounts(one)))
        for client_no, quarter, one in seen
    ]
    tx.upsert_rows(traffic, (*_KEYS, *_AMOUNTS), _KEYS, rows, adds=_AMOUNTS)
