"""How many jobs a client or a feed has, without reading them."""

import sqlalchemy as sa
from sqlalchemy import bindparam as b

from handbill.kit.instants import Instant
from handbill.store.records import Tx
from handbill.store.records.tables import NOW, jobs

_t = jobs.c


def _count(
    end_at: sa.ColumnElement[int | None], left_at: sa.ColumnElement[int | None]
) -> sa.Select[int, int]:
    expired = sa.case((end_at <= b("now", type_=sa.BigInteger), sa.literal_column("1")))
    return (
        sa.select(sa.func.count(), sa.func.count(expired))
        .select_from(jobs)
        .where(_t.client_no == b("client_no"), left_at.is_(None))
    )


_COUNT = {False: _count(_t.end_at, _t.left_at), True: _count(NOW.end_at, NOW.left_at)}
_TALLY_OF_FEED = (
    sa.select(sa.func.count(), sa.func.coalesce(sa.func.sum(_t.valid), sa.literal_column("0")))
    .select_from(jobs)
    .where(_t.feed_no == b("feed_no"), _t.left_at.is_(None))
)


def count(tx: Tx, client_no: int, now: Instant, *, amid: bool) -> tuple[int, int]:
    """Live jobs, and how many of them have expired. ``amid``: a takeover is switched, and not
    settled yet.
    """
    live, expired = tx.all(_COUNT[amid], client_no=client_no, now=now)[0]
    return int(live), int(expired)


def tally_of_feed(tx: Tx, feed_no: int) -> tuple[int, int]:
    """Live jobs, and how many of them are not valid."""
    live, valid = tx.all(_TALLY_OF_FEED, feed_no=feed_no)[0]
    return int(live), int(live) - int(valid)
