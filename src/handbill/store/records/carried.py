"""The tables of feeds and of jobs, and of which job belongs to which job group."""

import sqlalchemy as sa

from handbill.store.records.columns import WHERE, metadata
from handbill.store.records.columns import Number as _Number
from handbill.store.records.columns import flag as _flag
from handbill.store.records.columns import key as _key
from handbill.store.records.columns import raw as _bytes
from handbill.store.records.columns import row_no as _no
from handbill.store.records.columns import text as _text
from handbill.store.records.columns import to as _to
from handbill.store.records.columns import whole as _whole
from handbill.store.records.takeovers import Now

# ── feeds and jobs ──────────────────────────────────────────────────────────────────────────────
feeds = sa.Table(
    "feeds",
    metadata,
    _no(),
    _text("id"),
    _to("client_no", "clients"),
    _text("status"),
    _text("body"),
    _whole("created_at"),
    _whole("updated_at"),
    _whole("deleted_at", null=True),
    _whole("next_run_at", null=True),
    _bytes("former_digest", null=True),
    sa.UniqueConstraint("id"),
    sa.Index("feeds_by_client", "client_no", "no"),
    sa.Index("feeds_by_due", "next_run_at"),
)
feed_runs = sa.Table(
    "feed_runs",
    metadata,
    _no(),
    _text("id"),
    _to("feed_no", "feeds"),
    _text("state"),
    _whole("percent"),
    _text("body"),
    _whole("created_at"),
    _whole("ended_at", null=True),
    sa.UniqueConstraint("id"),
    sa.Index("feed_runs_by_feed", "feed_no", "no"),
)
# Narrow on purpose: matching and listing scan it whole. The rest of a job is in job_bodies. status
# A or P is its own switch; left_at is set while it is in no feed, or deleted: read NOW. deleted_at:
# deleted while its feed, feed_no, carries it; set until that feed drops it.
jobs = sa.Table(
    "jobs",
    metadata,
    _no(),
    _to("client_no", "clients"),
    _text("ref"),
    _text("id"),
    _to("feed_no", "feeds", null=True),
    _bytes("raw_digest", null=True),
    _bytes("digest"),
    _flag("valid"),
    _text("status"),
    _text("title"),
    _text("company"),
    _text("category"),
    _text("city"),
    _text("state"),
    _text("country"),
    _text("zip"),
    _text("type"),
    _text("posted_on", null=True),
    _whole("cpc_micros", null=True),
    _text("cpc_currency"),
    _text("custom", null=True),
    _text("settings", null=True),
    _text("url"),
    _whole("end_at", null=True),
    _whole("created_at"),
    _whole("updated_at"),
    _whole("left_at", null=True),
    _whole("deleted_at", null=True),
    sa.UniqueConstraint("client_no", "ref"),
    sa.UniqueConstraint("id"),
    sa.Index("jobs_by_feed", "feed_no"),
    # Everything needed to count jobs: which are live, and which have expired.
    sa.Index("jobs_by_client", "client_no", "no", "left_at", "end_at"),
)
# Partial indexes: the migrations say so to each engine. Named here, PostgreSQL's dialect would be
# read by every process, which takes a twentieth of its start.
sa.Index("jobs_by_deletion", jobs.c.feed_no, info={WHERE: jobs.c.deleted_at.is_not(None)})
_OF = (jobs.c.client_no, jobs.c.cpc_currency)
sa.Index("jobs_by_currency", *_OF, info={WHERE: jobs.c.cpc_currency != ""})
# Most jobs have no end of their own.
sa.Index("jobs_by_end", jobs.c.end_at, info={WHERE: jobs.c.end_at.is_not(None)})
# A job that two feeds of a client carry belongs to one of them; the others are noted here, so that
# one of them takes it over when its own feed drops it. So are feeds with a job of the API.
also_carried = sa.Table(
    "also_carried",
    metadata,
    sa.Column("feed_no", _Number, sa.ForeignKey("feeds.no"), primary_key=True, autoincrement=False),
    sa.Column("job_no", _Number, sa.ForeignKey("jobs.no"), primary_key=True, autoincrement=False),
    sa.Index("also_carried_by_job", "job_no"),
)
NOW = Now(jobs, also_carried)
job_bodies = sa.Table(
    "job_bodies",
    metadata,
    sa.Column("job_no", _Number, sa.ForeignKey("jobs.no"), primary_key=True, autoincrement=False),
    _bytes("body"),
)
# Which group a job belongs to: exactly one row per live, valid job.
matches = sa.Table(
    "matches",
    metadata,
    sa.Column("job_no", _Number, sa.ForeignKey("jobs.no"), primary_key=True, autoincrement=False),
    _whole("client_no"),
    _whole("group_no"),
    sa.Index("matches_by_group", "group_no"),
    sa.Index("matches_by_client", "client_no", "job_no"),
)
# The state that matches was last updated to: the groups that took part, and the client's day.
matchings = sa.Table(
    "matchings",
    metadata,
    sa.Column("client_no", _Number, primary_key=True, autoincrement=False),
    _text("day_on"),
    _text("body"),
)
# Jobs whose matching fields changed since they were last matched; emptied by the rematch.
unmatched = sa.Table(
    "unmatched",
    metadata,
    _key("job_no"),
    _whole("client_no"),
    sa.Index("unmatched_by_client", "client_no"),
)
# Jobs whose URL has changed since the edge's index was updated; emptied by the publish task.
unindexed = sa.Table(
    "unindexed",
    metadata,
    _key("job_no"),
    _whole("client_no"),
    sa.Index("unindexed_by_client", "client_no"),
)
# Jobs that have left a publisher's file at least once. Not a column of jobs, whose rows are wide:
# when a client stops, each of its jobs is noted here. By client first, so that those of
# others are not read.
delisted = sa.Table(
    "delisted",
    metadata,
    _key("client_no"),
    _key("job_no"),
    sqlite_with_rowid=False,
)
