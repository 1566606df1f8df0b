"""Rows of table deliveries, joined with their files."""

from collections.abc import Iterable
from typing import Final, NamedTuple

import sqlalchemy as sa
from sqlalchemy import bindparam as b

from handbill.kit.instants import Instant
from handbill.listings.rows import FILE_COLUMNS, File
from handbill.store.records import Tx
from handbill.store.records.base import Listed, among
from handbill.store.records.tables import deliveries, feed_files

WAITING = "WAITING"
DELIVERED = "DELIVERED"
RETRYING = "RETRYING"
FAILED = "FAILED"


class Delivery(NamedTuple):
    """The result of the last try to deliver a file. ``digest``: of what was delivered last, and
    where; None: nothing was delivered, or it must be delivered again.
    """

    file_no: int
    path: str
    state: str
    size: int | None
    digest: bytes | None
    failure: str | None
    tried_at: Instant
    delivered_at: Instant | None


_d, _f = deliveries.c, feed_files.c
_DELIVERY = (
    _d.file_no,
    _d.path,
    _d.state,
    _d.size,
    _d.digest,
    _d.failure,
    _d.tried_at,
    _d.delivered_at,
)
_BESIDE = sa.select(*FILE_COLUMNS, *_DELIVERY).select_from(
    feed_files.outerjoin(deliveries, _d.file_no == _f.no)
)
_OF_PUBLISHER = _f.publisher_no == b("publisher_no")
_HELD = sa.select(*_DELIVERY).where(_d.file_no == b("file_no")).with_for_update()
# Files to be delivered now, by a range of clients; and files that once were.
_TOLD = sa.and_(
    _OF_PUBLISHER,
    sa.or_(_d.no.is_not(None), _f.client_no.between(b("first_client"), b("last_client"))),
)
_ALL = _BESIDE.where(_OF_PUBLISHER).order_by(_f.client_no)
_PAGE = (
    _BESIDE.where(_TOLD)
    .order_by(_f.client_no)
    .limit(b("limit", type_=sa.Integer))
    .offset(b("skip", type_=sa.Integer))
)
_COUNT = (
    sa.select(sa.func.count())
    .select_from(feed_files.outerjoin(deliveries, _d.file_no == _f.no))
    .where(_TOLD)
)
_FAILING = (
    sa.select(_f.publisher_no, *_DELIVERY)
    .select_from(deliveries.join(feed_files, _d.file_no == _f.no))
    .where(among(_f.publisher_no, "nos"), among(_d.state, "states"))
    .order_by(_d.tried_at.desc(), _d.no)
    .limit(b("limit", type_=sa.Integer))
)
_LAST_TRIED = (
    sa.select(sa.func.max(_d.tried_at))
    .select_from(deliveries.join(feed_files, _d.file_no == _f.no))
    .where(_OF_PUBLISHER)
)
_TRIED = sa.select(_f.publisher_no).where(_d.file_no == _f.no).distinct()
_AGAIN = (
    sa.update(deliveries)
    .values(digest=sa.null())
    .where(_d.file_no.in_(sa.select(_f.no).where(_OF_PUBLISHER)))
)
_Pair = tuple[File, Delivery | None]


def _pair(row: tuple[object, ...]) -> _Pair:
    size = len(FILE_COLUMNS)
    file, rest = File(*row[:size]), row[size:]  # type: ignore[arg-type]
    return file, None if rest[0] is None else Delivery(*rest)  # type: ignore[arg-type]


def every(tx: Tx, publisher_no: int) -> list[_Pair]:
    """All files of a publisher, with the last delivery of each."""
    return [_pair(row) for row in tx.all(_ALL, publisher_no=publisher_no)]


NONE: Final = range(0)
WHOLE: Final = range(1)
"""The file of all clients, whose client is number 0."""
APART: Final = range(1, 2**62)


def page(
    tx: Tx, publisher_no: int, wanted: range, skip: int, limit: int
) -> tuple[list[_Pair], int]:
    """Some files that are, or once were, delivered, and how many there are in all. ``wanted``: the
    numbers of the clients whose files are to be delivered.
    """
    which = {
        "publisher_no": publisher_no,
        "first_client": wanted.start,
        "last_client": wanted.stop - 1,
    }
    rows = tx.all(_PAGE, **which, skip=skip, limit=limit)
    return [_pair(row) for row in rows], int(tx.value(_COUNT, **which))


def failing(tx: Tx, publisher_nos: Iterable[int], most: int) -> list[tuple[int, Delivery]]:
    """Deliveries that have failed, also those that are tried again, each with its publisher's
    number; the latest first.
    """
    nos, states = Listed(sorted(publisher_nos)), Listed((RETRYING, FAILED))
    rows = tx.all(_FAILING, nos=nos, states=states, limit=most)
    return [(row[0], Delivery(*row[1:])) for row in rows]


def last_tried(tx: Tx, publisher_no: int) -> Instant | None:
    tried_at: Instant | None = tx.value(_LAST_TRIED, publisher_no=publisher_no)
    return tried_at


def publishers_tried(tx: Tx) -> list[int]:
    """Numbers of the publishers to which a delivery was tried."""
    return [publisher_no for (publisher_no,) in tx.all(_TRIED)]


def hold(tx: Tx, file_no: int) -> Delivery | None:
    """The last delivery of a file, which nobody else replaces until the transaction ends."""
    row = tx.one(_HELD, file_no=file_no)
    return None if row is None else Delivery(*row)


def put(tx: Tx, delivery: Delivery) -> None:
    tx.upsert_many(deliveries, ["file_no"], [delivery._asdict()])


def forget(tx: Tx, file_no: int) -> None:
    """Make a file count as not delivered yet."""
    tx.change(deliveries, {"file_no": file_no}, digest=None)


def forget_what_is_there(tx: Tx, publisher_no: int) -> None:
    """Make every file of a publisher count as not delivered yet."""
    tx.run(_AGAIN, publisher_no=publisher_no)
