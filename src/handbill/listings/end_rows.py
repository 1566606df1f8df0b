"""Rows of table departures: the prices of listings that have ended."""

from collections.abc import Collection, Iterable, Iterator
from typing import Self

import msgspec
import sqlalchemy as sa
from sqlalchemy import bindparam as b

from handbill.core.nouns import BidType
from handbill.core.price_ends import Frozen
from handbill.kit.instants import Instant
from handbill.listings.rows import Part
from handbill.store.records import Tx
from handbill.store.records.base import Listed, among, among_ids
from handbill.store.records.tables import departures, feed_parts

_p, _d = feed_parts.c, departures.c
_AT_ONCE = 5_000
ALL_JOBS = bytes(16)
ANY_GROUP = 0
EVERYTHING = Frozen(ANY_GROUP, "CPC", 0, 0)


class End(msgspec.Struct, frozen=True, kw_only=True):
    """The price of a listing has ended; with ``ALL_JOBS`` the prices of all jobs in that offer of a
    job group; with ``EVERYTHING`` all of a client at a publisher.
    """

    publisher_no: int
    job_id: bytes
    client_no: int
    group_no: int
    bid_type: BidType
    bid_micros: int
    price_micros: int
    left_at: Instant

    @property
    def frozen(self) -> Frozen:
        return Frozen(self.group_no, self.bid_type, self.bid_micros, self.price_micros)

    @classmethod
    def of_listing(cls, part: Part, job_id: bytes, frozen: Frozen, at: Instant) -> Self:
        return cls(
            publisher_no=part.publisher_no,
            job_id=job_id,
            client_no=part.client_no,
            **frozen._asdict(),
            left_at=at,
        )

    @classmethod
    def of_offer(cls, part: Part, frozen: Frozen, at: Instant) -> Self:
        return cls.of_listing(part, ALL_JOBS, frozen, at)

    @classmethod
    def of_all(cls, part: Part, at: Instant) -> Self:
        return cls.of_listing(part, ALL_JOBS, EVERYTHING, at)


_ENDS = sa.select(
    _d.job_id, _d.client_no, _d.group_no, _d.bid_type, _d.bid_micros, _d.price_micros, _d.left_at
).where(
    _d.publisher_no == b("publisher_no"),
    among_ids(_d.job_id, "ids"),
    among(_d.group_no, "groups"),
    ~sa.exists().where(
        _p.publisher_no == _d.publisher_no,
        _p.client_no == _d.client_no,
        _p.noting_at == _d.left_at,
    ),
)
_KEY = tuple(departures.primary_key)
_OLD = (
    sa.select(*_KEY)
    .where(_d.left_at < b("before"), _d.group_no > sa.literal_column("0"))
    .limit(b("most", type_=sa.Integer))
)
_FORGET = sa.delete(departures).where(sa.tuple_(*_KEY).in_(_OLD))
_NOTED = (
    sa.select(*_KEY)
    .where(
        _d.publisher_no == b("publisher_no"),
        _d.client_no == b("client_no"),
        _d.left_at == b("noting_at"),
    )
    .limit(b("most", type_=sa.Integer))
)
_FORGET_NOTED = sa.delete(departures).where(sa.tuple_(*_KEY).in_(_NOTED))


def add_ends(tx: Tx, ends: Iterable[End]) -> None:
    """Store what has ended."""
    tx.upsert_many(
        departures,
        [column.name for column in departures.primary_key],
        [msgspec.structs.asdict(end) for end in ends],
        keep=True,
    )


def ends_of(
    tx: Tx, publisher_no: int, job_ids: Collection[bytes], group_nos: Collection[int]
) -> Iterator[End]:
    """What has ended at a publisher: of these jobs, of these job groups' offers, and of everything
    that clients had there.
    """
    ids, groups = sorted({ALL_JOBS, *job_ids}), Listed(sorted({ANY_GROUP, *group_nos}))
    for at in range(0, len(ids), _AT_ONCE):
        some = Listed(ids[at : at + _AT_ONCE])
        for row in tx.all(_ENDS, publisher_no=publisher_no, ids=some, groups=groups):
            named = dict(zip(End.__struct_fields__, (publisher_no, *row), strict=True))
            yield End(**named | {"job_id": bytes(row[0])})


def forget_noted(tx: Tx, part: Part, most: int) -> int:
    """Delete up to so many of the ends that were stored for the part after this one; how many."""
    return tx.run(
        _FORGET_NOTED,
        publisher_no=part.publisher_no,
        client_no=part.client_no,
        noting_at=part.noting_at,
        most=most,
    )


def forget_ends(tx: Tx, before: Instant, most: int) -> int:
    """Delete up to so many older ends; how many there were. Ends of ``EVERYTHING`` are kept."""
    return tx.run(_FORGET, before=before, most=most)
