"""How many jobs a client or a feed has, without reading them."""

from typing import NamedTuple

import sqlalchemy as sa
from sqlalchemy import bindparam as b

from handbill.kit.instants import Instant
from handbill.store.records import Tx
from handbill.store.records.tables import NOW, jobs

_t = jobs.c
_NEVER: Instant = 2**62


class _Tally(NamedTuple):
    """Live jobs, and those that have expired, at each instant from ``since`` until just before
    ``until``, when the next one expires.
    """

    live: int
    expired: int
    since: Instant
    until: Instant


def _count(
    end_at: sa.ColumnElement[int | None], left_at: sa.ColumnElement[int | None]
) -> sa.Select[int, int, int | None]:
    now = b("now", type_=sa.BigInteger)
    return (
        sa.select(
            sa.func.count(),
            sa.func.count().filter(end_at <= now),
            sa.func.min(end_at).filter(end_at > now),
        )
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

    Pages of a list are asked for one after the other, and each tells how many jobs there are: they
    are counted again only when something was written, or one expires.
    """
    memory, name = tx.memory(), ("tally of jobs", client_no)
    kept: _Tally | None = None if memory is None else memory.get(name)
    if kept is None or not kept.since <= now < kept.until:
        live, expired, next_end_at = tx.all(_COUNT[amid], client_no=client_no, now=now)[0]
        kept = _Tally(live, expired, now, _NEVER if next_end_at is None else next_end_at)
        if memory is not None:
            memory[name] = kept
    return kept.live, kept.expired


def tally_of_feed(tx: Tx, feed_no: int) -> tuple[int, int]:
    """Live jobs, and how many of them are not valid."""
    live, valid = tx.all(_TALLY_OF_FEED, feed_no=feed_no)[0]
    return int(live), int(live) - int(valid)
