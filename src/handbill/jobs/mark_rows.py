"""Marks on jobs: to be matched, to be indexed, or gone from a file.

Tables unmatched, unindexed and delisted.
"""

from collections.abc import Iterable

import sqlalchemy as sa
from sqlalchemy import bindparam as b

from handbill.store.records import Tx
from handbill.store.records.base import Listed, among
from handbill.store.records.tables import delisted, jobs, unindexed, unmatched

_NEVER_DELISTED = sa.select(jobs.c.no).where(
    among(jobs.c.id, "ids"),
    ~sa.exists().where(delisted.c.client_no == b("client_no"), delisted.c.job_no == jobs.c.no),
)


def never_delisted(tx: Tx, client_no: int, ids: list[str]) -> list[int]:
    """The numbers of those of these jobs that have left no file, including jobs that have left."""
    return [no for (no,) in tx.all(_NEVER_DELISTED, client_no=client_no, ids=Listed(ids))]


def mark_new(tx: Tx, client_no: int, nos: Iterable[int]) -> None:
    """Mark jobs that are new everywhere."""
    rows = [{"job_no": no, "client_no": client_no} for no in nos]
    tx.put_many(unmatched, rows)
    tx.put_many(unindexed, rows)


def mark_unmatched(tx: Tx, client_no: int, nos: Iterable[int]) -> None:
    _mark(tx, unmatched, client_no, nos)


def mark_unindexed(tx: Tx, client_no: int, nos: Iterable[int]) -> None:
    _mark(tx, unindexed, client_no, nos)


def _mark(tx: Tx, table: sa.Table, client_no: int, nos: Iterable[int]) -> None:
    """A mark that is there already is written again, and so held: who takes it waits until this
    change of its job can be read, and takes it for that. In order, so that nobody waits in turn.
    """
    rows = [{"job_no": no, "client_no": client_no} for no in sorted(nos)]
    tx.upsert_many(table, ["job_no"], rows)


def mark_delisted(tx: Tx, client_no: int, nos: Iterable[int]) -> None:
    rows = [{"client_no": client_no, "job_no": no} for no in nos]
    tx.upsert_many(delisted, ["client_no", "job_no"], rows, keep=True)
