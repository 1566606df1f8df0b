"""Rows of tables takeovers and staged_jobs: what a feed's takeover has staged so far."""

from collections.abc import Sequence
from typing import NamedTuple

import msgspec
import sqlalchemy as sa
from sqlalchemy import bindparam as b

from handbill.jobs.writing import WrittenJob
from handbill.kit.instants import Instant
from handbill.store.records import Tx
from handbill.store.records.base import Listed, among
from handbill.store.records.tables import job_bodies, jobs, staged_jobs, takeovers
from handbill.store.records.takeovers import ARRIVING

PACK = msgspec.msgpack.Encoder()
UNPACK = msgspec.msgpack.Decoder(WrittenJob)
_LIMIT = b("limit", type_=sa.Integer)
_t, _s, _j = takeovers.c, staged_jobs.c, jobs.c
_ARRIVING: sa.ColumnClause[int] = sa.literal_column(str(ARRIVING))


class Takeover(NamedTuple):
    """``token``: of the run that fills it. ``whole``: the feed is gone, with its jobs."""

    feed_no: int
    client_no: int
    token: str
    whole: bool
    renewed_at: Instant
    switched_at: Instant | None


class Staged(NamedTuple):
    """What a takeover says of an existing job; ``brought`` None: its feed has dropped it."""

    job_no: int
    brought: WrittenJob | None


_EVERY = (
    sa.select(_t.feed_no, _t.client_no, _t.token, _t.whole, _t.renewed_at, _t.switched_at)
    .where(_t.client_no == b("client_no"))
    .order_by(_t.feed_no)
)
_HOLD = (
    sa.update(takeovers)
    .where(_t.feed_no == b("of_feed"), _t.token == b("of_token"))
    .values(renewed_at=b("at"))
)
_FENCE = (
    sa.update(takeovers)
    .where(_t.feed_no == b("of_feed"), _t.token == b("of_token"))
    .values(token=b("to_token"))
)
_DROP = sa.delete(takeovers).where(_t.feed_no == b("feed_no"), _t.token == b("token"))
_STAGED_NOS = (
    sa.select(_s.job_no)
    .where(_s.feed_no == b("feed_no"), _s.job_no > b("after"))
    .order_by(_s.job_no)
    .limit(_LIMIT)
)
_STAGED = sa.select(_s.job_no, _s.brought).where(among(_s.job_no, "nos")).order_by(_s.job_no)
_STAGED_OF_JOB = sa.select(_s.feed_no, _s.brought).where(_s.job_no == b("job_no"))
_UNSTAGE = sa.delete(staged_jobs).where(among(_s.job_no, "nos"))
_ARRIVALS = (
    sa.select(_j.no)
    .where(_j.feed_no == b("feed_no"), _j.no > b("after"), _j.left_at == _ARRIVING)
    .order_by(_j.no)
    .limit(_LIMIT)
)
_REVEAL = (
    sa.update(jobs).where(among(_j.no, "nos"), _j.left_at == _ARRIVING).values(left_at=sa.null())
)
_CARRYING = (
    sa.select(_j.no)
    .where(
        _j.feed_no == b("feed_no"),
        _j.no > b("after"),
        sa.or_(_j.left_at.is_(None), _j.deleted_at.is_not(None)),
    )
    .order_by(_j.no)
    .limit(_LIMIT)
)
_DELETE_BODIES = sa.delete(job_bodies).where(among(job_bodies.c.job_no, "nos"))
_DELETE = sa.delete(jobs).where(among(_j.no, "nos"), _j.left_at == _ARRIVING)


def of_client(tx: Tx, client_no: int) -> list[Takeover]:
    kept: list[Takeover] | None = tx.kept(
        ("takeovers", client_no),
        lambda: [Takeover(*row) for row in tx.all(_EVERY, client_no=client_no)],
    )
    return kept or []


def is_amid(tx: Tx, client_no: int) -> bool:
    """Whether the rows of the client's jobs are not yet what a takeover has switched to."""
    return any(one.switched_at is not None for one in of_client(tx, client_no))


def put(tx: Tx, takeover: Takeover) -> None:
    """Begin a takeover; it replaces any earlier one of the feed."""
    row = takeover._asdict() | {"whole": int(takeover.whole)}
    tx.upsert_many(takeovers, ["feed_no"], [row])


def hold(tx: Tx, takeover: Takeover) -> bool:
    """Lock a takeover for this transaction, and note that it is being worked on; False when it has
    changed meanwhile.
    """
    return tx.run(_HOLD, of_feed=takeover.feed_no, of_token=takeover.token, at=tx.now()) == 1


def fence(tx: Tx, takeover: Takeover, token: str) -> Takeover:
    """Take a takeover away from the run that fills it."""
    tx.run(_FENCE, of_feed=takeover.feed_no, of_token=takeover.token, to_token=token)
    return takeover._replace(token=token)


def switch(tx: Tx, takeover: Takeover, now: Instant) -> None:
    tx.change(takeovers, {"feed_no": takeover.feed_no}, switched_at=now)


def drop(tx: Tx, takeover: Takeover) -> None:
    tx.run(_DROP, feed_no=takeover.feed_no, token=takeover.token)


def stage(tx: Tx, feed_no: int, staged: Sequence[Staged]) -> None:
    rows = [
        {
            "job_no": no,
            "feed_no": feed_no,
            "end_at": None if job is None else job.end_at,
            "brought": None if job is None else PACK.encode(job),
        }
        for no, job in staged
    ]
    tx.upsert_many(staged_jobs, ["job_no"], rows)


def staged(tx: Tx, nos: Sequence[int]) -> list[Staged]:
    return [_staged(*row) for row in tx.all(_STAGED, nos=Listed(nos))]


def _staged(no: int, raw: bytes | None) -> Staged:
    return Staged(no, None if raw is None else UNPACK.decode(raw))


def staged_of_job(tx: Tx, job_no: int) -> tuple[int, Staged] | None:
    """The feed whose takeover has staged something of the job, and what."""
    row = tx.one(_STAGED_OF_JOB, job_no=job_no)
    if row is None:
        return None
    feed_no, raw = row
    return feed_no, _staged(job_no, raw)


def unstage(tx: Tx, nos: Sequence[int]) -> None:
    tx.run(_UNSTAGE, nos=Listed(nos))


def _nos(
    tx: Tx, statement: sa.Select[tuple[int]], feed_no: int, after: int, most: int
) -> list[int]:
    return [no for (no,) in tx.all(statement, feed_no=feed_no, after=after, limit=most)]


def staged_nos(tx: Tx, feed_no: int, after: int, most: int) -> list[int]:
    """Jobs of which the feed's takeover has staged something."""
    return _nos(tx, _STAGED_NOS, feed_no, after, most)


def arrivals(tx: Tx, feed_no: int, after: int, most: int) -> list[int]:
    """Jobs that a takeover of the feed adds, and that are not visible yet."""
    return _nos(tx, _ARRIVALS, feed_no, after, most)


def carrying(tx: Tx, feed_no: int, after: int, most: int) -> list[int]:
    """Jobs of the feed, including those that were deleted while it carries them."""
    return _nos(tx, _CARRYING, feed_no, after, most)


def reveal(tx: Tx, nos: Sequence[int]) -> int:
    """Make arrivals visible in their feed; how many were still hidden."""
    return tx.run(_REVEAL, nos=Listed(nos))


def delete_arrivals(tx: Tx, nos: Sequence[int]) -> None:
    """Delete arrivals, which nobody has seen: nothing refers to them."""
    tx.run(_DELETE_BODIES, nos=Listed(nos))
    tx.run(_DELETE, nos=Listed(nos))
