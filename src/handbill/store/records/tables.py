"""Every table. Instants are integer microseconds (``_at``), days ISO text (``_on``), flags 0 or 1.

What only its own room reads stands in ``body``, as JSON of the room's noun; what is searched,
joined or counted has a column. After a change here: ``python -m handbill.store.migrations``.
"""

import sqlalchemy as sa

from handbill.store.records.columns import Number as _Number
from handbill.store.records.columns import flag as _flag
from handbill.store.records.columns import key as _key
from handbill.store.records.columns import metadata
from handbill.store.records.columns import raw as _bytes
from handbill.store.records.columns import row_no as _no
from handbill.store.records.columns import text as _text
from handbill.store.records.columns import to as _to
from handbill.store.records.columns import whole as _whole
from handbill.store.records.controlled import (
    aims,
    apply_ages,
    bid_log,
    ceilings,
    control_days,
    corrections,
    demand,
    evaluations,
    paced,
    shapes,
    standings,
    traffic,
)
from handbill.store.records.guarded import feed_secrets, master_keys, publisher_secrets, secrets
from handbill.store.records.outbound import (
    deliveries,
    departures,
    feed_files,
    feed_parts,
    fetches,
    link_addresses,
)
from handbill.store.records.takeovers import Now, staged_jobs, takeovers
from handbill.store.records.trail import changes
from handbill.store.records.upkeep import holds, hosts, installation, rates

__all__ = [
    "aims", "apply_ages", "bid_log", "ceilings", "changes", "control_days", "corrections",
    "deliveries", "demand", "departures", "evaluations", "feed_files", "feed_parts", "feed_secrets",
    "fetches", "holds", "hosts", "installation", "link_addresses", "master_keys", "metadata",
    "paced", "publisher_secrets", "rates", "secrets", "shapes", "staged_jobs", "standings",
    "takeovers", "traffic",
]  # fmt: skip

# ── access ──────────────────────────────────────────────────────────────────────────────────────
agencies = sa.Table(
    "agencies", metadata, _no(), _text("id"), _text("name"), _text("currency"),
    _whole("created_at"), sa.UniqueConstraint("id"),
)  # fmt: skip
# agency_no: of the agency that minds it; NULL: only the operator does, and it may span agencies.
publisher_families = sa.Table(
    "publisher_families", metadata, _no(), _text("id"), _to("agency_no", "agencies", null=True),
    _text("name"), _whole("created_at"), _whole("updated_at"), _whole("deleted_at", null=True),
    sa.UniqueConstraint("id"), sa.Index("publisher_families_by_agency", "agency_no", "no"),
)  # fmt: skip
# An owner is an agency or a publisher family ("partner"); keys and API clients belong to one owner.
api_keys = sa.Table(
    "api_keys", metadata, _no(), _text("prefix"), _bytes("digest"), _text("role"),
    _whole("owner_no"), _whole("created_at"), _whole("expires_at", null=True),
    _whole("revoked_at", null=True), sa.UniqueConstraint("prefix"),
)  # fmt: skip
api_clients = sa.Table(
    "api_clients", metadata, _no(), _text("id"), _text("role"), _whole("owner_no"),
    _text("scope"), _whole("created_at"), _whole("revoked_at", null=True),
    sa.UniqueConstraint("id"),
)  # fmt: skip
idempotency = sa.Table(
    "idempotency", metadata, _no(), _text("scope"), _text("key"), _bytes("request_digest"),
    _whole("status"), _bytes("answer"), _whole("created_at"), sa.UniqueConstraint("scope", "key"),
    sa.Index("idempotency_by_age", "created_at"),
)  # fmt: skip

# ── publishers, clients, campaigns, job groups ──────────────────────────────────────────────────
publishers = sa.Table(
    "publishers", metadata, _no(), _text("id"), _to("agency_no", "agencies"), _text("status"),
    _text("body"), _whole("created_at"), _whole("updated_at"), _whole("deleted_at", null=True),
    sa.UniqueConstraint("agency_no", "id"),
)  # fmt: skip
# client_no 0: for every client. bot_ips: networks, one a line, as read at ips_read_at from the
# address that the body names; ips_failure: why the last reading failed.
click_definitions = sa.Table(
    "click_definitions", metadata, _no(), _to("publisher_no", "publishers"), _whole("client_no"),
    _text("body"), _text("bot_ips", null=True), _whole("ips_read_at", null=True),
    _text("ips_failure", null=True), _whole("created_at"), _whole("updated_at"),
    sa.UniqueConstraint("publisher_no", "client_no"),
)  # fmt: skip
family_publishers = sa.Table(
    "family_publishers", metadata, _no(), _to("family_no", "publisher_families"),
    _to("publisher_no", "publishers"), sa.UniqueConstraint("family_no", "publisher_no"),
)  # fmt: skip
clients = sa.Table(
    "clients", metadata, _no(), _text("id"), _to("agency_no", "agencies"), _text("status"),
    _text("zone"), _text("pixel_id"), _text("body"), _whole("created_at"), _whole("updated_at"),
    _whole("deleted_at", null=True), sa.UniqueConstraint("id"), sa.UniqueConstraint("pixel_id"),
    sa.Index("clients_by_agency", "agency_no", "no"),
)  # fmt: skip
# The names of a client's own job fields and their fixed places cif1..cifN (domain 14.6).
custom_fields = sa.Table(
    "custom_fields", metadata, _no(), _to("client_no", "clients"), _text("name"), _whole("place"),
    sa.UniqueConstraint("client_no", "name"), sa.UniqueConstraint("client_no", "place"),
)  # fmt: skip
campaigns = sa.Table(
    "campaigns", metadata, _no(), _text("id"), _to("client_no", "clients"), _text("status"),
    _flag("is_default"), _text("body"), _whole("created_at"), _whole("updated_at"),
    _whole("deleted_at", null=True), sa.UniqueConstraint("id"),
    sa.Index("campaigns_by_client", "client_no", "no"),
)  # fmt: skip
groups = sa.Table(
    "groups", metadata, _no(), _text("id"), _to("client_no", "clients"),
    _to("campaign_no", "campaigns"), _text("status"), _flag("is_default"), _whole("priority"),
    _text("body"), _whole("created_at"), _whole("updated_at"), _whole("deleted_at", null=True),
    sa.UniqueConstraint("id"), sa.Index("groups_by_client", "client_no", "no"),
    sa.Index("groups_by_campaign", "campaign_no", "no"),
)  # fmt: skip

# What an agency puts on its customers' spend, from an instant on; and the entities that it holds
# at: a number of 0 stands for all campaigns, job groups or publishers.
markups = sa.Table(
    "markups", metadata, _no(), _text("id"), _to("agency_no", "agencies"), _text("name"),
    _whole("from_at"), _whole("ppm"), _whole("created_at"), _whole("updated_at"),
    _whole("deleted_at", null=True), sa.UniqueConstraint("id"),
    sa.Index("markups_by_agency", "agency_no", "no"),
)  # fmt: skip
markup_entities = sa.Table(
    "markup_entities", metadata, _no(), _to("markup_no", "markups"), _to("client_no", "clients"),
    _whole("campaign_no"), _whole("group_no"), _whole("publisher_no"),
    sa.Index("markup_entities_by_markup", "markup_no"),
    sa.Index("markup_entities_by_client", "client_no", "markup_no"),
)  # fmt: skip
# ── feeds and jobs ──────────────────────────────────────────────────────────────────────────────
feeds = sa.Table(
    "feeds", metadata, _no(), _text("id"), _to("client_no", "clients"), _text("status"),
    _text("body"), _whole("created_at"), _whole("updated_at"), _whole("deleted_at", null=True),
    _whole("next_run_at", null=True), _bytes("former_digest", null=True),
    sa.UniqueConstraint("id"), sa.Index("feeds_by_client", "client_no", "no"),
    sa.Index("feeds_by_due", "next_run_at"),
)  # fmt: skip
feed_runs = sa.Table(
    "feed_runs", metadata, _no(), _text("id"), _to("feed_no", "feeds"), _text("state"),
    _whole("percent"), _text("body"), _whole("created_at"), _whole("ended_at", null=True),
    sa.UniqueConstraint("id"), sa.Index("feed_runs_by_feed", "feed_no", "no"),
)  # fmt: skip
# Narrow on purpose: matching and listing scan it whole. The rest of a job is in job_bodies.
# status A or P is its own switch; left_at is set while it is in no feed, or deleted: read NOW.
# deleted_at: deleted while its feed, feed_no, carries it; set until that feed drops it.
jobs = sa.Table(
    "jobs", metadata, _no(), _to("client_no", "clients"), _text("ref"), _text("id"),
    _to("feed_no", "feeds", null=True), _bytes("raw_digest", null=True), _bytes("digest"),
    _flag("valid"), _text("status"), _text("title"), _text("company"), _text("category"),
    _text("city"), _text("state"), _text("country"), _text("zip"), _text("type"),
    _text("posted_on", null=True), _whole("cpc_micros", null=True), _text("cpc_currency"),
    _text("custom", null=True), _text("settings", null=True), _text("url"),
    _whole("end_at", null=True), _whole("created_at"),
    _whole("updated_at"), _whole("left_at", null=True), _whole("deleted_at", null=True),
    sa.UniqueConstraint("client_no", "ref"), sa.UniqueConstraint("id"),
    sa.Index("jobs_by_feed", "feed_no"),
    # All that counting takes: which are live, and which have expired.
    sa.Index("jobs_by_client", "client_no", "no", "left_at", "end_at"),
)  # fmt: skip
_DELETED = jobs.c.deleted_at.is_not(None)
sa.Index("jobs_by_deletion", jobs.c.feed_no, sqlite_where=_DELETED, postgresql_where=_DELETED)
_ELSE, _OF = jobs.c.cpc_currency != "", (jobs.c.client_no, jobs.c.cpc_currency)
sa.Index("jobs_by_currency", *_OF, sqlite_where=_ELSE, postgresql_where=_ELSE)
# Most jobs have no end of their own.
_ENDS = jobs.c.end_at.is_not(None)
sa.Index("jobs_by_end", jobs.c.end_at, sqlite_where=_ENDS, postgresql_where=_ENDS)
# A job that two feeds of a client carry belongs to one of them; the others are noted here, so that
# it passes to one of them when its own feed drops it. So are feeds that carry a job of the API.
also_carried = sa.Table(
    "also_carried", metadata,
    sa.Column("feed_no", _Number, sa.ForeignKey("feeds.no"), primary_key=True, autoincrement=False),
    sa.Column("job_no", _Number, sa.ForeignKey("jobs.no"), primary_key=True, autoincrement=False),
    sa.Index("also_carried_by_job", "job_no"),
)  # fmt: skip
NOW = Now(jobs, also_carried)
job_bodies = sa.Table(
    "job_bodies", metadata,
    sa.Column("job_no", _Number, sa.ForeignKey("jobs.no"), primary_key=True, autoincrement=False),
    _bytes("body"),
)  # fmt: skip
# Which group a job belongs to: exactly one row per live, valid job.
matches = sa.Table(
    "matches", metadata,
    sa.Column("job_no", _Number, sa.ForeignKey("jobs.no"), primary_key=True, autoincrement=False),
    _whole("client_no"), _whole("group_no"), sa.Index("matches_by_group", "group_no"),
    sa.Index("matches_by_client", "client_no", "job_no"),
)  # fmt: skip
# What table matches was last made true to: the groups that took part, and the client's day.
matchings = sa.Table(
    "matchings", metadata,
    sa.Column("client_no", _Number, primary_key=True, autoincrement=False), _text("day_on"),
    _text("body"),
)  # fmt: skip
# Jobs whose matching fields changed since they were last matched; emptied by the rematch.
unmatched = sa.Table(
    "unmatched", metadata, _key("job_no"), _whole("client_no"),
    sa.Index("unmatched_by_client", "client_no"),
)  # fmt: skip
# Jobs whose URL changed since the edge's index was last told; emptied by the publish task.
unindexed = sa.Table(
    "unindexed", metadata, _key("job_no"), _whole("client_no"),
    sa.Index("unindexed_by_client", "client_no"),
)  # fmt: skip

# ── ledger ──────────────────────────────────────────────────────────────────────────────────────
# How far each journal source is judged: moves in the judge's transaction. judged_at: all stamped
# before it was judged by then. written_off_at: what follows the mark is lost, as is known.
journal_marks = sa.Table(
    "journal_marks", metadata, _text("source", key=True), _whole("segment"), _whole("offset"),
    _whole("judged_at"), _whole("written_off_at", null=True),
)  # fmt: skip
# Entries are in Parquet files; this is the manifest: what each file holds, and the SHA-256 of its
# bytes. first_at..last_at bound the rows' at. totals: of each amount, as JSON of texts.
segments = sa.Table(
    "segments", metadata, _no(), _text("path"), _text("month"), _whole("rows"), _whole("bytes"),
    _bytes("digest"), _text("totals"), _whole("first_at"), _whole("last_at"), _whole("created_at"),
    _whole("replaced_at", null=True), sa.UniqueConstraint("path"),
    sa.Index("segments_by_age", "last_at"),
)  # fmt: skip
# What a segment that is listed holds of each client, so that a client's reader finds its files.
segment_clients = sa.Table(
    "segment_clients", metadata, _key("segment_no"), _key("client_no"), _whole("rows"),
    _whole("first_at"), _whole("last_at"),
    sa.Index("segment_clients_by_client", "client_no", "last_at"),
)  # fmt: skip
# scope: see core.charging. measure: budget (micros of marked-up spend), clicks, applies. day_on: of
# the client; empty: all days that were sealed.
counters = sa.Table(
    "counters", metadata, _text("scope", key=True), _text("entity", key=True),
    _text("measure", key=True), _text("day_on", key=True), _whole("client_no"), _whole("value"),
    sa.Index("counters_by_client", "client_no"), sqlite_with_rowid=False,
)  # fmt: skip
# Which counters of jobs are kept: those of caps in force.
job_counts = sa.Table(
    "job_counts", metadata, _key("client_no"), _text("owner", key=True), _text("scope", key=True),
    _text("measure", key=True),
)  # fmt: skip
# bid_micros, price_micros: what an apply by it counts at, where its link froze something else.
clicks = sa.Table(
    "clicks", metadata, _bytes("id", key=True), _whole("client_no"), _text("disposition"),
    _whole("bid_micros", null=True), _whole("price_micros", null=True), _whole("at"),
    sa.Index("clicks_by_age", "at"),
)  # fmt: skip
# Who clicked on which job last, at until_at the window of duplicates closes.
visits = sa.Table(
    "visits", metadata, _whole("client_no"), _bytes("visitor", key=True), _whole("at"),
    _whole("until_at"), sa.Index("visits_by_age", "until_at"),
)  # fmt: skip
# Clicks of one address at one client on one day, where a click definition limits them.
address_days = sa.Table(
    "address_days", metadata, _key("client_no"), _text("day_on", key=True),
    _bytes("address", key=True), _whole("clicks"), sa.Index("address_days_by_age", "day_on"),
)  # fmt: skip
conversion_keys = sa.Table(
    "conversion_keys", metadata, _key("client_no"), _text("key", key=True), _bytes("click_id"),
    _whole("at"), sa.Index("conversion_keys_by_age", "at"),
)  # fmt: skip
# What names an application, for the funnel: by its id, or by its job and candidate. facts: the
# apply as received; it and click_id are empty where no click of ours is credited.
applied = sa.Table(
    "applied", metadata, _key("client_no"), _text("key", key=True), _bytes("click_id"),
    _bytes("facts"),
)  # fmt: skip
parked = sa.Table(
    "parked", metadata, _no(), _whole("client_no"), _text("kind"), _bytes("click_id"),
    _bytes("body"), _whole("received_at"), _whole("due_at"), sa.Index("parked_by_due", "due_at"),
    sa.Index("parked_by_click", "click_id"),
)  # fmt: skip
# Received, and what became of it: the left side of the books (ledger check).
tallies = sa.Table(
    "tallies", metadata, _key("client_no"), _text("kind", key=True),
    _text("disposition", key=True), _whole("value"),
)  # fmt: skip
# What the entries of retired segments summed up to: with the entries still there they are the
# right side of the books.
retired_tallies = sa.Table(
    "retired_tallies", metadata, _key("client_no"), _text("kind", key=True),
    _text("disposition", key=True), _whole("value"),
)  # fmt: skip
retired_counters = sa.Table(
    "retired_counters", metadata, _text("scope", key=True), _text("entity", key=True),
    _text("measure", key=True), _text("day_on", key=True), _whole("client_no"), _whole("value"),
    sa.Index("retired_counters_by_client", "client_no"),
)  # fmt: skip

# ── postings, rules, funnel ─────────────────────────────────────────────────────────────────────
# A purchase of slots or durations at a publisher. due_at: when it is to be looked at next.
# spent_micros: of its cost, what the ledger has booked, up to the day spent_on; spend_at: when a
# further day is to be booked.
posting_configs = sa.Table(
    "posting_configs", metadata, _no(), _text("id"), _to("agency_no", "agencies"),
    _to("publisher_no", "publishers"), _text("body"), _whole("start_at"), _whole("end_at"),
    _whole("credits_used"), _whole("posted"), _whole("ever"), _whole("turned_at"),
    _whole("created_at"), _whole("updated_at"), _whole("deleted_at", null=True),
    _whole("due_at", null=True), _text("spent_on", null=True), _whole("spent_micros"),
    _whole("spend_at", null=True), sa.UniqueConstraint("id"),
    sa.Index("posting_configs_by_due", "due_at"), sa.Index("posting_configs_by_spend", "spend_at"),
)  # fmt: skip
posting_config_clients = sa.Table(
    "posting_config_clients", metadata, _no(), _to("config_no", "posting_configs"),
    _whole("client_no"), sa.UniqueConstraint("config_no", "client_no"),
    sa.Index("posting_config_clients_by_client", "client_no", "config_no"),
)  # fmt: skip
# A job of a purchase: posted (holds a slot), waiting for one, or ended (ended_at is set).
posting_jobs = sa.Table(
    "posting_jobs", metadata, _no(), _text("id"), _to("config_no", "posting_configs"),
    _whole("client_no"), _to("job_no", "jobs"), _flag("posted"), _flag("pinned"), _flag("paused"),
    _whole("times"), _whole("waiting_at"), _whole("posted_at", null=True),
    _whole("credit_at", null=True), _whole("ended_at", null=True), _whole("created_at"),
    _whole("updated_at"), _whole("deleted_at", null=True), sa.UniqueConstraint("id"),
    sa.UniqueConstraint("config_no", "job_no"),
    sa.Index("posting_jobs_by_client", "client_no", "config_no"),
)  # fmt: skip
# place: the order in which a client's rules stand.
rules = sa.Table(
    "rules", metadata, _no(), _text("id"), _to("client_no", "clients"), _whole("place"),
    _text("status"), _text("body"), _whole("created_at"), _whole("updated_at"),
    _whole("deleted_at", null=True), sa.UniqueConstraint("id"),
    sa.Index("rules_by_client", "client_no", "place"),
)  # fmt: skip
stage_maps = sa.Table(
    "stage_maps", metadata,
    sa.Column("client_no", _Number, sa.ForeignKey("clients.no"), primary_key=True,
    autoincrement=False), _text("body"), _whole("updated_at"),
)  # fmt: skip
funnel_batches = sa.Table(
    "funnel_batches", metadata, _no(), _text("id"), _to("client_no", "clients"),
    _whole("item_count"), _whole("received_at"), sa.UniqueConstraint("id"),
)  # fmt: skip
# application: what names the application, whichever way it was keyed. stage is empty until mapped.
# moment: of the application and event_at, to find what was said of then; empty where that is
# forgotten, so that what is repeated often is not read each time.
funnel_items = sa.Table(
    "funnel_items", metadata, _no(), _to("batch_no", "funnel_batches"), _whole("client_no"),
    _whole("place"), _text("application"), _text("status"), _text("stage"), _whole("event_at"),
    _text("disposition"), _text("reason"), _bytes("click_id"), _bytes("moment"), _text("body"),
    _whole("received_at"), sa.UniqueConstraint("batch_no", "place"),
    sa.Index("funnel_items_by_moment", "client_no", "moment"),
    sa.Index("funnel_items_by_disposition", "disposition", "client_no", "no"),
)  # fmt: skip
# The first HIRED of each application. The ledger books what has no booked_at yet.
hires = sa.Table(
    "hires", metadata, _no(), _whole("client_no"), _text("application"), _bytes("click_id"),
    _bytes("facts"), _to("item_no", "funnel_items"), _whole("at"), _whole("received_at"),
    _whole("booked_at", null=True), sa.UniqueConstraint("client_no", "application"),
    sa.Index("hires_by_booked", "booked_at", "no"),
    sa.Index("hires_by_click", "client_no", "click_id"),
)  # fmt: skip

# ── stats, work ─────────────────────────────────────────────────────────────────────────────────
# family_no: of the publisher family that asked; only it may see the report then.
reports = sa.Table(
    "reports", metadata, _no(), _text("id"), _to("agency_no", "agencies"), _whole("client_no"),
    _to("family_no", "publisher_families", null=True),
    _text("kind"), _text("state"), _whole("percent"), _text("question"), _bytes("question_digest"),
    _text("parts"), _text("message", null=True), _whole("created_at"),
    _whole("ended_at", null=True), _whole("expires_at"), sa.UniqueConstraint("id"),
    sa.Index("reports_by_client", "client_no", "no"),
    sa.Index("reports_by_end", "ended_at", "agency_no"),
)  # fmt: skip
# Which credential holds a stream, and until when at the latest.
report_streams = sa.Table(
    "report_streams", metadata, _key("key_no"), _text("holder"), _whole("until_at"),
)  # fmt: skip
# A word to be sent to an address of the agency's, about a subject: a report's id. body: once there
# is something to tell. status: of the last answer.
callbacks = sa.Table(
    "callbacks", metadata, _no(), _text("id"), _to("agency_no", "agencies"), _text("subject"),
    _text("url"), _text("body", null=True), _text("state"), _whole("attempts"),
    _whole("status", null=True), _text("failure", null=True), _whole("created_at"),
    _whole("ended_at", null=True), sa.UniqueConstraint("id"), sa.UniqueConstraint("subject"),
    sa.Index("callbacks_by_age", "created_at"),
)  # fmt: skip
# When each item of the schedule ran last, and is due again; which items there are, code says.
schedule = sa.Table(
    "schedule", metadata, _no(), _text("name"), _whole("due_at"), _whole("ran_at", null=True),
    _whole("failures"), _text("failure", null=True), sa.UniqueConstraint("name"),
)  # fmt: skip
tasks = sa.Table(
    "tasks", metadata, _no(), _text("kind"), _text("key"), _text("payload"), _whole("due_at"),
    _whole("attempts"), _text("lease", null=True), _whole("leased_until", null=True),
    _text("failure", null=True), _flag("again"), _whole("created_at"),
    _whole("dead_at", null=True), _whole("agency_no"), sa.UniqueConstraint("kind", "key"),
    sa.Index("tasks_by_due", "due_at"), sa.Index("tasks_by_lease", "leased_until"),
)  # fmt: skip
# When a task of an agency (0: of none) was taken last.
task_turns = sa.Table("task_turns", metadata, _key("agency_no"), _whole("turn"))

# Numbers that leave the records, in links and segments: never given twice, rows gone or not.
NUMBERED = (agencies, publishers, clients, campaigns, groups, posting_configs, hires, changes)
for _table in NUMBERED:
    _table.dialect_options["sqlite"]["autoincrement"] = True
