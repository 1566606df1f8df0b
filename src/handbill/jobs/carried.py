"""Rows of table also_carried: the jobs of other sources that a feed carries too."""

from collections.abc import Iterable, Sequence

import sqlalchemy as sa
from sqlalchemy import bindparam as b

from handbill.store.records import Tx
from handbill.store.records.base import Listed, among
from handbill.store.records.tables import also_carried, takeovers

# A feed that is gone carries nothing, even if its rows are still there.
_CARRIES_ON = ~sa.exists().where(
    takeovers.c.feed_no == also_carried.c.feed_no, takeovers.c.whole == sa.literal_column("1")
)
_CARRIER = sa.select(sa.func.min(also_carried.c.feed_no)).where(
    also_carried.c.job_no == b("no"), _CARRIES_ON
)
_HEIRS = (
    sa.select(also_carried.c.job_no, sa.func.min(also_carried.c.feed_no))
    .where(among(also_carried.c.job_no, "nos"), also_carried.c.feed_no != b("feed_no"), _CARRIES_ON)
    .group_by(also_carried.c.job_no)
)
_CARRIED = (
    sa.select(also_carried.c.job_no)
    .where(also_carried.c.feed_no == b("feed_no"), also_carried.c.job_no > b("after"))
    .order_by(also_carried.c.job_no)
    .limit(b("limit", type_=sa.Integer))
)
_FORGET = sa.delete(also_carried).where(
    also_carried.c.feed_no == b("feed_no"), among(also_carried.c.job_no, "nos")
)


def heirs_of(tx: Tx, feed_no: int, nos: Sequence[int]) -> dict[int, int]:
    """Those of these jobs that another feed carries too: job number → the oldest such feed."""
    heirs = tx.all(_HEIRS, nos=Listed(nos), feed_no=feed_no)
    return dict(heirs)


def add(tx: Tx, pairs: Iterable[tuple[int, int]]) -> None:
    """Add (feed, job) pairs to those that are stored."""
    rows = [{"feed_no": feed_no, "job_no": no} for feed_no, no in pairs]
    tx.upsert_many(also_carried, ["feed_no", "job_no"], rows, keep=True)


def carrier_of(tx: Tx, no: int) -> int | None:
    """The oldest feed that carries a job which is not its own."""
    feed_no: int | None = tx.value(_CARRIER, no=no)
    return feed_no


def page(tx: Tx, feed_no: int, after: int, most: int) -> list[int]:
    """Jobs of others that the feed carries too, by number."""
    return [no for (no,) in tx.all(_CARRIED, feed_no=feed_no, after=after, limit=most)]


def forget(tx: Tx, feed_no: int, nos: Sequence[int]) -> None:
    """Note that the feed no longer carries these."""
    tx.run(_FORGET, feed_no=feed_no, nos=Listed(nos))
