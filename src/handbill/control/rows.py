"""Rows of what control knows of traffic, and of the bid log."""

from collections.abc import Iterable, Sequence
from typing import NamedTuple

import msgspec
import sqlalchemy as sa
from sqlalchemy import bindparam as b

from handbill.core.in_force import Key
from handbill.core.pacing.bids import BidLine, Inputs, PacedBid
from handbill.core.pacing.demand import Demand
from handbill.kit.instants import Instant
from handbill.kit.money import PPM
from handbill.store.records import Tx
from handbill.store.records.base import Listed, among, sweep_of
from handbill.store.records.tables import bid_log, control_days, demand

_JSON = msgspec.json.Encoder()
_INPUTS, _BID = msgspec.json.Decoder(Inputs), msgspec.json.Decoder(PacedBid)
_d, _l, _y = demand.c, bid_log.c, control_days.c
_KNOWN = ("clicks", "traffic", "today_clicks", "today_traffic")
_DEMAND = sa.select(
    _d.group_no, _d.publisher_no, *(_d[name] for name in _KNOWN), _d.applies, _d.seen_at
).where(_d.client_no == b("client_no"))
_LOG = (
    sa.select(_l.publisher_no, _l.at, _l.inputs, _l.bid, _l.version)
    .where(
        _l.group_no == b("group_no"),
        among(_l.publisher_no, "publisher_nos"),
        _l.at >= b("first"),
        _l.at < b("end"),
    )
    .order_by(_l.no)
)
_SHOWN = (
    sa.update(bid_log)
    .where(
        _l.group_no == b("of_group"),
        _l.publisher_no == b("of_publisher"),
        _l.version.is_(sa.null()),
        _l.at <= b("shown"),
    )
    .values(version=b("shown"))
)
_SWEEP_LOG = sweep_of(bid_log, _l.at)
_OLD_DAYS = (
    sa.select(_y.group_no, _y.publisher_no, _y.day_on)
    .where(_y.day_on < b("before"))
    .limit(b("most", type_=sa.Integer))
)
_SWEEP_DAYS = sa.delete(control_days).where(
    sa.tuple_(_y.group_no, _y.publisher_no, _y.day_on).in_(_OLD_DAYS)
)


class KnownDemand(NamedTuple):
    """``applies`` belong to ``demand.clicks``, and fade alike. ``seen_at``: known until then."""

    demand: Demand
    applies: float
    seen_at: Instant


class FetchedLine(NamedTuple):
    """A line of the bid log, and the first file with it; None: no such file was fetched yet."""

    at: Instant
    line: BidLine
    version: Instant | None


class PairDay(NamedTuple):
    """What became of a job group at a publisher on a day."""

    group_no: int
    publisher_no: int
    day_on: str
    clicks: int = 0
    applies: int = 0
    unbilled: int = 0
    unbilled_micros: int = 0
    spend_micros: int = 0
    missed_by_bid: int = 0
    missed_by_listing: int = 0

    @property
    def missed(self) -> int:
        return self.missed_by_bid + self.missed_by_listing


def demand_of(tx: Tx, client_no: int) -> dict[Key, KnownDemand]:
    """By job group and publisher."""
    by_pair = {}
    for group_no, publisher_no, *amounts, applies, seen_at in tx.all(_DEMAND, client_no=client_no):
        of = Demand(*(amount / PPM for amount in amounts))
        by_pair[group_no, publisher_no] = KnownDemand(of, applies / PPM, seen_at)
    return by_pair


def put_demand(tx: Tx, client_no: int, some: Iterable[tuple[Key, KnownDemand]]) -> None:
    tx.upsert_many(
        demand,
        ["group_no", "publisher_no"],
        [
            {
                "group_no": group_no,
                "publisher_no": publisher_no,
                "client_no": client_no,
                **{name: round(PPM * getattr(one.demand, name)) for name in _KNOWN},
                "applies": round(PPM * one.applies),
                "seen_at": one.seen_at,
            }
            for (group_no, publisher_no), one in some
        ],
    )


def add_days(tx: Tx, client_no: int, some: Iterable[PairDay]) -> None:
    rows = [{"client_no": client_no, **one._asdict()} for one in some]
    keys = PairDay._fields[:3]
    tx.upsert_many(control_days, keys, rows, adds=PairDay._fields[3:])


def log(tx: Tx, client_no: int, at: Instant, some: Iterable[tuple[Key, BidLine]]) -> None:
    tx.put_many(
        bid_log,
        [
            {
                "client_no": client_no,
                "group_no": group_no,
                "publisher_no": publisher_no,
                "at": at,
                "inputs": _JSON.encode(line.inputs).decode(),
                "bid": _JSON.encode(line.bid).decode(),
                "version": None,
            }
            for (group_no, publisher_no), line in some
        ],
    )


def note_shown(tx: Tx, some: Sequence[tuple[int, int, Instant]]) -> None:
    """Note that publishers have fetched these files: job group, publisher, version."""
    if some:
        tx.run_text_many(
            tx.dialect.text_of(_SHOWN),
            [
                {"of_group": group_no, "of_publisher": publisher_no, "shown": version}
                for group_no, publisher_no, version in some
            ],
        )


def logged(
    tx: Tx, group_no: int, publisher_nos: Iterable[int], first: Instant, end: Instant
) -> list[tuple[int, FetchedLine]]:
    """The bid log of a job group at some publishers, within some time: each line with its
    publisher's number.
    """
    asked = {"group_no": group_no, "publisher_nos": Listed(sorted(publisher_nos))}
    rows = tx.all(_LOG, **asked, first=first, end=end)
    return [(publisher_no, _fetched(*row)) for publisher_no, *row in rows]


def _fetched(at: Instant, inputs: str, bid: str, version: Instant | None) -> FetchedLine:
    return FetchedLine(at, BidLine(_INPUTS.decode(inputs), _BID.decode(bid)), version)


def sweep(tx: Tx, before: Instant, before_on: str, most: int) -> int:
    """Delete up to so many lines and days before that; how many there were."""
    count = tx.run(_SWEEP_LOG, before=before, most=most)
    return count + tx.run(_SWEEP_DAYS, before=before_on, most=most)
