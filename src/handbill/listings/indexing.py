"""What the edge must know before a link is out: URLs of jobs, pixels, keys."""

import sqlalchemy as sa
from sqlalchemy import bindparam as b

from handbill.access import keys
from handbill.core.nouns import Client
from handbill.store.index import EdgeIndex
from handbill.store.records import Records
from handbill.store.records.base import Listed, among
from handbill.store.records.tables import jobs, unindexed

BATCH = 10_000
_u = unindexed.c
_TAKE_MARKS = (
    sa.delete(unindexed)
    .where(
        _u.job_no.in_(
            sa.select(_u.job_no)
            .where(_u.client_no == b("client_no"))
            .order_by(_u.job_no)
            .limit(b("limit", type_=sa.Integer))
        )
    )
    .returning(_u.job_no)
)
_URLS = sa.select(jobs.c.id, jobs.c.url).where(
    jobs.c.client_no == b("client_no"),
    among(jobs.c.no, "nos"),
    jobs.c.url != sa.literal_column("''"),
)


def index_client(records: Records, index: EdgeIndex, client: Client) -> dict[int, bytes]:
    """Bring the edge's index up to date with a client; the keys that sign its links.

    Jobs that left keep their URL, so that late clicks find their way. The marks go in the
    transaction that ends after the index is written: a crash between leaves them standing.
    """
    with records.read() as tx:
        secrets = keys.secret(tx, "listing")
    index.put_keys(secrets)
    index.put_pixel(client.pixel_id, client.no, client.id)
    taken = BATCH
    while taken == BATCH:
        with records.write() as tx:
            nos = [no for (no,) in tx.all(_TAKE_MARKS, client_no=client.no, limit=BATCH)]
            taken = len(nos)
            if nos:
                rows = tx.all(_URLS, client_no=client.no, nos=Listed(nos))
                index.put_urls((bytes.fromhex(id_), url.encode()) for id_, url in rows)
    return secrets
