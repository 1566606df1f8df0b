"""Every table. Instants are integer microseconds (``_at``), days ISO text (``_on``), flags 0 or 1.

What only its own room reads stands in ``body``, as JSON of the room's noun; what is searched,
joined or counted has a column. After a change here: ``python -m handbill.store.migrations``.
"""

import sqlalchemy as sa

from handbill.store.records.booked import (
    address_days,
    agent_texts,
    applied,
    aside_events,
    asides,
    clicks,
    conversion_keys,
    counters,
    definition_versions,
    job_counts,
    journal_marks,
    parked,
    rejudge_turns,
    retired_counters,
    retired_tallies,
    segment_clients,
    segments,
    tallies,
    visits,
)
from handbill.store.records.carried import (
    NOW,
    also_carried,
    feed_runs,
    feeds,
    job_bodies,
    jobs,
    matches,
    matchings,
    unindexed,
    unmatched,
)
from handbill.store.records.columns import flag as _flag
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
    cap_notes,
    ceilings,
    control_days,
    corrections,
    demand,
    evaluations,
    paced,
    shape_days,
    shapes,
    standings,
    traffic,
)
from handbill.store.records.guarded import feed_secrets, master_keys, publisher_secrets, secrets
from handbill.store.records.hiring import (
    funnel_batches,
    funnel_items,
    hires,
    posting_config_clients,
    posting_configs,
    posting_jobs,
    rules,
    stage_maps,
)
from handbill.store.records.outbound import (
    copies,
    deliveries,
    departures,
    feed_files,
    feed_parts,
    fetches,
    link_addresses,
)
from handbill.store.records.ruled import rule_acts, rule_holds, rule_runs, rule_states
from handbill.store.records.takeovers import staged_jobs, takeovers
from handbill.store.records.trail import changes
from handbill.store.records.upkeep import holds, hosts, installation, rates
from handbill.store.records.working import (
    callbacks,
    report_streams,
    reports,
    schedule,
    task_turns,
    tasks,
)

__all__ = [
    "NOW",
    "NUMBERED",
    "address_days",
    "agencies",
    "agent_texts",
    "aims",
    "also_carried",
    "api_clients",
    "api_keys",
    "applied",
    "apply_ages",
    "aside_events",
    "asides",
    "bid_log",
    "callbacks",
    "campaigns",
    "cap_notes",
    "ceilings",
    "changes",
    "click_definitions",
    "clicks",
    "clients",
    "control_days",
    "conversion_keys",
    "copies",
    "corrections",
    "counters",
    "custom_fields",
    "definition_versions",
    "deliveries",
    "demand",
    "departures",
    "evaluations",
    "family_publishers",
    "feed_files",
    "feed_parts",
    "feed_runs",
    "feed_secrets",
    "feeds",
    "fetches",
    "funnel_batches",
    "funnel_items",
    "groups",
    "hires",
    "holds",
    "hosts",
    "idempotency",
    "installation",
    "job_bodies",
    "job_counts",
    "jobs",
    "journal_marks",
    "link_addresses",
    "markup_entities",
    "markups",
    "master_keys",
    "matches",
    "matchings",
    "metadata",
    "paced",
    "parked",
    "posting_config_clients",
    "posting_configs",
    "posting_jobs",
    "publisher_families",
    "publisher_secrets",
    "publishers",
    "rates",
    "rejudge_turns",
    "report_streams",
    "reports",
    "retired_counters",
    "retired_tallies",
    "rule_acts",
    "rule_holds",
    "rule_runs",
    "rule_states",
    "rules",
    "schedule",
    "secrets",
    "segment_clients",
    "segments",
    "shape_days",
    "shapes",
    "stage_maps",
    "staged_jobs",
    "standings",
    "takeovers",
    "tallies",
    "task_turns",
    "tasks",
    "traffic",
    "unindexed",
    "unmatched",
    "visits",
]

# ── access ──────────────────────────────────────────────────────────────────────────────────────
agencies = sa.Table(
    "agencies",
    metadata,
    _no(),
    _text("id"),
    _text("name"),
    _text("currency"),
    _whole("created_at"),
    sa.UniqueConstraint("id"),
)
# agency_no: of the agency that minds it; NULL: only the operator does, and it may span agencies.
publisher_families = sa.Table(
    "publisher_families",
    metadata,
    _no(),
    _text("id"),
    _to("agency_no", "agencies", null=True),
    _text("name"),
    _whole("created_at"),
    _whole("updated_at"),
    _whole("deleted_at", null=True),
    sa.UniqueConstraint("id"),
    sa.Index("publisher_families_by_agency", "agency_no", "no"),
)
# An owner is an agency or a publisher family ("partner"); keys and API clients belong to one owner.
api_keys = sa.Table(
    "api_keys",
    metadata,
    _no(),
    _text("prefix"),
    _bytes("digest"),
    _text("role"),
    _whole("owner_no"),
    _whole("created_at"),
    _whole("expires_at", null=True),
    _whole("revoked_at", null=True),
    sa.UniqueConstraint("prefix"),
)
api_clients = sa.Table(
    "api_clients",
    metadata,
    _no(),
    _text("id"),
    _text("role"),
    _whole("owner_no"),
    _text("scope"),
    _whole("created_at"),
    _whole("revoked_at", null=True),
    sa.UniqueConstraint("id"),
)
idempotency = sa.Table(
    "idempotency",
    metadata,
    _no(),
    _text("scope"),
    _text("key"),
    _bytes("request_digest"),
    _whole("status"),
    _bytes("answer"),
    _whole("created_at"),
    sa.UniqueConstraint("scope", "key"),
    sa.Index("idempotency_by_age", "created_at"),
)

# ── publishers, clients, campaigns, job groups ──────────────────────────────────────────────────
publishers = sa.Table(
    "publishers",
    metadata,
    _no(),
    _text("id"),
    _to("agency_no", "agencies"),
    _text("status"),
    _text("body"),
    _whole("created_at"),
    _whole("updated_at"),
    _whole("deleted_at", null=True),
    sa.UniqueConstraint("agency_no", "id"),
)
# client_no 0: for every client. bot_ips: networks, one a line, as read at ips_read_at from the
# address that the body names; ips_failure: why the last reading failed.
click_definitions = sa.Table(
    "click_definitions",
    metadata,
    _no(),
    _to("publisher_no", "publishers"),
    _whole("client_no"),
    _text("body"),
    _text("bot_ips", null=True),
    _whole("ips_read_at", null=True),
    _text("ips_failure", null=True),
    _whole("created_at"),
    _whole("updated_at"),
    sa.UniqueConstraint("publisher_no", "client_no"),
)
family_publishers = sa.Table(
    "family_publishers",
    metadata,
    _no(),
    _to("family_no", "publisher_families"),
    _to("publisher_no", "publishers"),
    sa.UniqueConstraint("family_no", "publisher_no"),
)
clients = sa.Table(
    "clients",
    metadata,
    _no(),
    _text("id"),
    _to("agency_no", "agencies"),
    _text("status"),
    _text("zone"),
    _text("pixel_id"),
    _text("body"),
    _whole("created_at"),
    _whole("updated_at"),
    _whole("deleted_at", null=True),
    sa.UniqueConstraint("id"),
    sa.UniqueConstraint("pixel_id"),
    sa.Index("clients_by_agency", "agency_no", "no"),
)
# The names of a client's own job fields and their fixed places cif1..cifN (domain 14.6).
custom_fields = sa.Table(
    "custom_fields",
    metadata,
    _no(),
    _to("client_no", "clients"),
    _text("name"),
    _whole("place"),
    sa.UniqueConstraint("client_no", "name"),
    sa.UniqueConstraint("client_no", "place"),
)
campaigns = sa.Table(
    "campaigns",
    metadata,
    _no(),
    _text("id"),
    _to("client_no", "clients"),
    _text("status"),
    _flag("is_default"),
    _text("body"),
    _whole("created_at"),
    _whole("updated_at"),
    _whole("deleted_at", null=True),
    sa.UniqueConstraint("id"),
    sa.Index("campaigns_by_client", "client_no", "no"),
)
groups = sa.Table(
    "groups",
    metadata,
    _no(),
    _text("id"),
    _to("client_no", "clients"),
    _to("campaign_no", "campaigns"),
    _text("status"),
    _flag("is_default"),
    _whole("priority"),
    _text("body"),
    _whole("created_at"),
    _whole("updated_at"),
    _whole("deleted_at", null=True),
    sa.UniqueConstraint("id"),
    sa.Index("groups_by_client", "client_no", "no"),
    sa.Index("groups_by_campaign", "campaign_no", "no"),
)

# What an agency puts on its customers' spend, from an instant on; and the entities that it holds
# at: a number of 0 stands for all campaigns, job groups or publishers.
markups = sa.Table(
    "markups",
    metadata,
    _no(),
    _text("id"),
    _to("agency_no", "agencies"),
    _text("name"),
    _whole("from_at"),
    _whole("ppm"),
    _whole("created_at"),
    _whole("updated_at"),
    _whole("deleted_at", null=True),
    sa.UniqueConstraint("id"),
    sa.Index("markups_by_agency", "agency_no", "no"),
)
markup_entities = sa.Table(
    "markup_entities",
    metadata,
    _no(),
    _to("markup_no", "markups"),
    _to("client_no", "clients"),
    _whole("campaign_no"),
    _whole("group_no"),
    _whole("publisher_no"),
    sa.Index("markup_entities_by_markup", "markup_no"),
    sa.Index("markup_entities_by_client", "client_no", "markup_no"),
)
# Numbers that leave the records, in links and segments: never given twice, rows gone or not.
NUMBERED = (agencies, publishers, clients, campaigns, groups, posting_configs, hires, changes)
for _table in NUMBERED:
    _table.dialect_options["sqlite"]["autoincrement"] = True
