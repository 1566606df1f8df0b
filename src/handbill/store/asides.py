"""Clients that the judge set aside because it could not judge them, and their events since then.

An event is stored here in the transaction that moves its journal's mark, and is removed in the one
that books it: it is always in exactly one of the three places.
"""

from collections.abc import Iterable, Sequence
from typing import NamedTuple

import sqlalchemy as sa
from sqlalchemy import bindparam as b

from handbill.kit.instants import Instant
from handbill.store.records import Tx
from handbill.store.records.base import Listed, among
from handbill.store.records.tables import aside_events, asides

_a, _e = asides.c, aside_events.c
_EVERY = sa.select(_a.client_no, _a.judged_at, _a.again_at, _a.reason).order_by(_a.client_no)
_JUDGED_AT = sa.select(_a.judged_at).where(_a.client_no == b("client_no"))
_KEPT = (
    sa.select(_e.no, _e.body)
    .where(_e.client_no == b("client_no"))
    .order_by(_e.no)
    .limit(b("most", type_=sa.Integer))
)
_TAKEN = sa.delete(aside_events).where(among(_e.no, "nos"))
_ENDED = sa.delete(asides).where(among(_a.client_no, "client_nos"))
_COUNTS = sa.select(_e.client_no, sa.func.count()).group_by(_e.client_no)


class Aside(NamedTuple):
    """``judged_at``: everything of the client that was stamped earlier is judged. ``again_at``:
    when it is tried again.
    """

    client_no: int
    judged_at: Instant
    again_at: Instant
    reason: str


def every(tx: Tx) -> list[Aside]:
    return [Aside(*row) for row in tx.all(_EVERY)]


def judged_at(tx: Tx, client_no: int) -> Instant | None:
    """A client's events stamped before this are judged; None: it is not set aside."""
    at: Instant | None = tx.value(_JUDGED_AT, client_no=client_no)
    return at


def counts(tx: Tx) -> dict[int, int]:
    """The number of waiting events of each client."""
    return dict(tx.all(_COUNTS))


def kept(tx: Tx, client_no: int, most: int) -> list[tuple[int, bytes]]:
    """The first waiting events of a client, with their numbers."""
    return [(no, bytes(body)) for no, body in tx.all(_KEPT, client_no=client_no, most=most)]


def put(tx: Tx, aside: Aside) -> None:
    """Set a client aside, or postpone its next try."""
    tx.upsert_many(asides, ["client_no"], [aside._asdict()])


def keep(tx: Tx, events: Iterable[tuple[int, bytes]]) -> None:
    """Add events to the end of their clients' queues."""
    tx.put_many(
        aside_events, [{"client_no": client_no, "body": body} for client_no, body in events]
    )


def take(tx: Tx, nos: Sequence[int], ended: Sequence[int]) -> None:
    """Delete events that are now booked, and clients that have no more events here."""
    if nos:
        tx.run(_TAKEN, nos=Listed(nos))
    if ended:
        tx.run(_ENDED, client_nos=Listed(ended))
