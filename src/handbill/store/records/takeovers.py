"""The tables for changing a feed's jobs at once although they are written in many small steps, and
how a job's row is read meanwhile.

Until a takeover is switched, nobody sees its changes; from then on everybody sees all of them,
whether or not the rows of table jobs have been updated yet.
"""

import sqlalchemy as sa

from handbill.store.records.columns import Number, flag, key, metadata
from handbill.store.records.columns import raw as _bytes
from handbill.store.records.columns import text as _text
from handbill.store.records.columns import whole as _whole

ARRIVING = 0
"""``left_at`` of a job that a takeover adds: it is in no feed before the switch."""

# At most one per feed. token: of the run that fills it. renewed_at: when that run was last active,
# by the records' own clock. whole: the feed is gone, with all its jobs.
takeovers = sa.Table(
    "takeovers",
    metadata,
    key("feed_no"),
    _whole("client_no"),
    _text("token"),
    flag("whole"),
    _whole("renewed_at"),
    _whole("switched_at", null=True),
    sa.Index("takeovers_by_client", "client_no"),
)
# What a takeover says about existing jobs. brought: the job as it is now in the feed; NULL: it is
# no longer in the feed. end_at: as in brought.
staged_jobs = sa.Table(
    "staged_jobs",
    metadata,
    sa.Column("job_no", Number, sa.ForeignKey("jobs.no"), primary_key=True, autoincrement=False),
    _whole("feed_no"),
    _whole("end_at", null=True),
    _bytes("brought", null=True),
    sa.Index("staged_jobs_by_feed", "feed_no", "job_no"),
)

_NO: sa.ColumnClause[int] = sa.literal_column("0")
_YES: sa.ColumnClause[int] = sa.literal_column("1")


class Now:
    """How rows of jobs are read by anyone between a switch and its end."""

    def __init__(self, jobs: sa.Table, also_carried: sa.Table) -> None:
        job, kept = jobs.c, takeovers.alias("whole_takeovers")
        switched = takeovers.c.switched_at.is_not(None)
        parts = sa.and_(switched, takeovers.c.whole == _NO)
        staged = staged_jobs.join(takeovers, takeovers.c.feed_no == staged_jobs.c.feed_no)
        says = sa.and_(staged_jobs.c.job_no == job.no, parts)
        brought = (
            sa.select(_YES)
            .select_from(staged)
            .where(says, staged_jobs.c.brought.is_not(None))
            .correlate(jobs)
        )
        lost = (
            sa.select(takeovers.c.switched_at)
            .select_from(staged)
            .where(says, staged_jobs.c.brought.is_(None))
            .correlate(jobs)
        )
        of_feed = takeovers.c.feed_no == job.feed_no
        arrived = sa.select(_YES).where(of_feed, parts).correlate(jobs)
        gone = (
            sa.select(takeovers.c.switched_at)
            .where(of_feed, switched, takeovers.c.whole == _YES)
            .correlate(jobs)
        )
        heir = (
            sa.select(_YES)
            .where(
                also_carried.c.job_no == job.no,
                also_carried.c.feed_no != job.feed_no,
                ~sa.exists().where(kept.c.feed_no == also_carried.c.feed_no, kept.c.whole == _YES),
            )
            .correlate(jobs)
        )
        self.left_at: sa.ColumnElement[int | None] = sa.case(
            (sa.exists(brought), sa.null()),
            (sa.and_(job.left_at == _NO, sa.exists(arrived)), sa.null()),
            (sa.or_(job.left_at.is_not(None), sa.exists(heir)), job.left_at),
            else_=sa.func.coalesce(lost.scalar_subquery(), gone.scalar_subquery()),
        )
        """``left_at`` with the takeover applied."""
        self.brought: sa.ScalarSelect[bytes | None] = (
            sa.select(staged_jobs.c.brought)
            .select_from(staged)
            .where(says)
            .correlate(jobs)
            .scalar_subquery()
        )
        """The packed job that replaces the row's."""
        self.end_at: sa.ColumnElement[int | None] = sa.case(
            (
                sa.exists(brought),
                sa.select(staged_jobs.c.end_at)
                .where(staged_jobs.c.job_no == job.no)
                .correlate(jobs)
                .scalar_subquery(),
            ),
            else_=job.end_at,
        )
