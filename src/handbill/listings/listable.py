"""Whether a live job can be in any publisher's feed at all, and why not."""

import sqlalchemy as sa
from sqlalchemy import bindparam as b

from handbill.kit.instants import Instant
from handbill.store.records import Tx
from handbill.store.records.tables import jobs

LISTABLE: dict[str, sa.ColumnElement[bool]] = {
    "INVALID": jobs.c.valid == sa.literal_column("1"),
    "EXPIRED": sa.or_(jobs.c.end_at.is_(None), jobs.c.end_at > b("now", type_=sa.BigInteger)),
    # Such a job has no URL to redirect to.
    "NO_URL": jobs.c.url != sa.literal_column("''"),
}
"""The conditions for a live job to be in any feed, by the reason that is told if one fails."""
_WHY_NOT = sa.select(
    *(
        sa.case((condition, sa.literal_column("1")), else_=sa.literal_column("0"))
        for condition in LISTABLE.values()
    )
).where(jobs.c.no == b("no"))


def unlistable(tx: Tx, job_no: int, now: Instant) -> list[str]:
    """Why a live job can be in no feed at all: the names in LISTABLE of the conditions it fails."""
    row = tx.one(_WHY_NOT, no=job_no, now=now)
    assert row is not None, "jobs are never deleted"
    return [name for name, holds in zip(LISTABLE, row, strict=True) if not holds]
