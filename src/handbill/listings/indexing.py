"""What the edge must know before a link is published: URLs of jobs, pixels, keys."""

from collections.abc import Iterator
from contextlib import contextmanager

import sqlalchemy as sa
from sqlalchemy import bindparam as b

from handbill.access import keys
from handbill.core.nouns import Client
from handbill.kit.instants import Instant
from handbill.store import installation
from handbill.store.index import EdgeIndex, IndexDamaged
from handbill.store.records import Tx
from handbill.store.records.base import Listed, Row, among
from handbill.store.records.tables import clients, jobs, unindexed
from handbill.work import kinds
from handbill.work.queue import enqueue
from handbill.work.tools import Tools

LISTING_KEYS = "listing"
BATCH = 10_000
_STEP = 2_000  # jobs a transaction; others' writes wait for the index meanwhile
_u = unindexed.c
_MARKED = sa.select(_u.job_no).where(_u.client_no == b("client_no")).limit(sa.literal_column("1"))
_TAKE_MARKS = (
    sa.delete(unindexed)
    .where(
        _u.job_no.in_(
            sa.select(_u.job_no)
            .where(_u.client_no == b("client_no"))
            .order_by(_u.job_no)
            .limit(b("limit", type_=sa.Integer))
            .with_for_update()
        )
    )
    .returning(_u.job_no)
)
_URLS = sa.select(jobs.c.id, jobs.c.url).where(
    jobs.c.client_no == b("client_no"),
    among(jobs.c.no, "nos"),
    jobs.c.url != sa.literal_column("''"),
)


_ANY_CLIENT = sa.select(clients.c.no).limit(sa.literal_column("1"))
_PIXELS = sa.select(clients.c.pixel_id, clients.c.no, clients.c.id).order_by(clients.c.no)
_PAGE = (
    sa.select(jobs.c.no, jobs.c.id, jobs.c.url)
    .where(jobs.c.no > b("after"))
    .order_by(jobs.c.no)
    .limit(b("limit", type_=sa.Integer))
)
_TOLD_PAGE = _PAGE.where(jobs.c.no.not_in(sa.select(_u.job_no)))


def index_client(tools: Tools, client: Client) -> dict[int, bytes]:
    """Bring the edge's index up to date with a client; returns the keys that sign its links.

    Jobs that left keep their URL, for late clicks. The marks are removed, and the turn is stored,
    in the transaction that ends after the index is written: after a crash between, the marks are
    still there, and the index is one turn ahead.
    """
    with tools.records.read() as tx:
        secrets, kept = keys.secret(tx, LISTING_KEYS), keys.sealed_ones(tx, LISTING_KEYS)
    pixel = (client.no, client.id)
    if tools.index.client_of_pixel(client.pixel_id) != pixel or tools.index.kept_keys() != kept:
        with _turn(tools):
            tools.index.put_keys(kept)
            tools.index.put_pixels([(client.pixel_id, *pixel)])
    while _take_marks(tools, client):
        continue
    return secrets


def _take_marks(tools: Tools, client: Client) -> bool:
    """Put the URLs of some marked jobs into the index; returns whether there may be more."""
    with tools.records.read() as tx:
        if tx.one(_MARKED, client_no=client.no) is None:
            return False
    with _turn(tools) as tx:
        nos = [no for (no,) in tx.all(_TAKE_MARKS, client_no=client.no, limit=_STEP)]
        rows = tx.all(_URLS, client_no=client.no, nos=Listed(nos))
        tools.index.put_urls((bytes.fromhex(id_), url.encode()) for id_, url in rows)
    tools.records.give_way()
    return len(nos) == _STEP


@contextmanager
def _turn(tools: Tools) -> Iterator[Tx]:
    """A transaction around one change of the index; index and records get the same new turn."""
    with tools.records.write() as tx:
        former, turn = installation.hold_turn(tx), tools.ids.bytes(installation.TURN_BYTES)
        tools.index.renew()  # whoever replaces it after this waits for the turn, to fill it
        try:
            yield tx
        except IndexDamaged:
            tools.index.replace()
            raise
        tools.index.move_turn(former, turn)
        installation.move_turn(tx, turn)


def take_over_keys(tools: Tools) -> None:
    """Make the keys in the edge's index those of the records."""
    with _turn(tools) as tx:
        tools.index.put_keys(keys.sealed_ones(tx, LISTING_KEYS))


def check_index(tx: Tx, index: EdgeIndex, now: Instant) -> None:
    """Make sure that the edge's index belongs to these records as they are now; one that is
    missing, foreign or older is replaced, and a worker fills it again.
    """
    turn = installation.hold_turn(tx)
    if not index.is_of(turn):
        begin_refill(tx, index, now)
    elif not index.is_whole():
        enqueue(tx, kinds.REFILL, "", now)


def begin_refill(tx: Tx, index: EdgeIndex, now: Instant) -> None:
    """Replace the edge's index with an empty one, and have a worker fill it. Until it is full,
    edges report that they are not ready, and ask callers whose data is missing to come again.
    """
    turn = installation.hold_turn(tx)
    index.replace()
    index.move_turn(turn, turn)
    if tx.one(_ANY_CLIENT) is not None:
        enqueue(tx, kinds.REFILL, "", now)
    else:  # new records: there is nothing to wait for
        index.put_keys(keys.sealed_ones(tx, LISTING_KEYS))
        index.finish()


def mind(tools: Tools) -> None:
    """Have the edge's index filled if it is incomplete: it was damaged or lost while in use, and
    whoever noticed has put a new one in its place.
    """
    try:
        tools.index.renew()
        is_whole = tools.index.is_whole()
    except IndexDamaged:
        tools.index.replace()
        is_whole = False
    if not is_whole:
        with tools.records.write() as tx:
            check_index(tx, tools.index, tools.clock.now())


def differing(tx: Tx, index: EdgeIndex) -> int:
    """How many jobs have another URL in the edge's index than in the records, without those that
    are still to be told to it.
    """
    page: list[Row] = [(0,)]
    count = 0
    while page := tx.all(_TOLD_PAGE, after=page[-1][0], limit=BATCH):
        count += sum(
            url != "" and index.url_of(bytes.fromhex(id_)) != url.encode() for _, id_, url in page
        )
    return count


def refill(tools: Tools) -> int:
    """Fill the edge's index from the records; returns how many jobs it has. Safe beside any change:
    each batch is read and put while no other change of the index is under way. If it is replaced
    meanwhile, the filling begins again.
    """
    count = 0
    while not tools.index.is_whole():
        count = _filled(tools)
    return count


def _filled(tools: Tools) -> int:
    """``refill``, once; the index stays unfinished if it was replaced meanwhile."""
    with _turn(tools) as tx:
        file = tools.index.file
        tools.index.put_keys(keys.sealed_ones(tx, LISTING_KEYS))
        tools.index.put_pixels((pixel, no, id_) for pixel, no, id_ in tx.all(_PIXELS))
    after = count = 0
    page: list[Row] = [(0,)]
    while page:
        with _turn(tools) as tx:
            if tools.index.file != file:
                return 0
            page = tx.all(_PAGE, after=after, limit=_STEP)
            known = [(bytes.fromhex(id_), url.encode()) for _, id_, url in page if url]
            tools.index.put_urls(known)
            if not page:
                tools.index.finish()
        tools.records.give_way()
        count += len(known)
        after = page[-1][0] if page else after
    return count
