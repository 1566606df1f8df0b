"""The tables of postings, rules and the funnel."""

import sqlalchemy as sa

from handbill.store.records.columns import Number as _Number
from handbill.store.records.columns import flag as _flag
from handbill.store.records.columns import metadata
from handbill.store.records.columns import raw as _bytes
from handbill.store.records.columns import row_no as _no
from handbill.store.records.columns import text as _text
from handbill.store.records.columns import to as _to
from handbill.store.records.columns import whole as _whole

# ── postings, rules, funnel ─────────────────────────────────────────────────────────────────────
# A purchase of slots or durations at a publisher. due_at: when it is next looked at. spent_micros:
# the part of its cost that the ledger has booked, up to the day spent_on; spend_at: when the next
# day is to be booked.
posting_configs = sa.Table(
    "posting_configs",
    metadata,
    _no(),
    _text("id"),
    _to("agency_no", "agencies"),
    _to("publisher_no", "publishers"),
    _text("body"),
    _whole("start_at"),
    _whole("end_at"),
    _whole("credits_used"),
    _whole("posted"),
    _whole("ever"),
    _whole("turned_at"),
    _whole("created_at"),
    _whole("updated_at"),
    _whole("deleted_at", null=True),
    _whole("due_at", null=True),
    _text("spent_on", null=True),
    _whole("spent_micros"),
    _whole("spend_at", null=True),
    sa.UniqueConstraint("id"),
    sa.Index("posting_configs_by_due", "due_at"),
    sa.Index("posting_configs_by_spend", "spend_at"),
)
posting_config_clients = sa.Table(
    "posting_config_clients",
    metadata,
    _no(),
    _to("config_no", "posting_configs"),
    _whole("client_no"),
    sa.UniqueConstraint("config_no", "client_no"),
    sa.Index("posting_config_clients_by_client", "client_no", "config_no"),
)
# A job of a purchase: posted (holds a slot), waiting for one, or ended (ended_at is set).
posting_jobs = sa.Table(
    "posting_jobs",
    metadata,
    _no(),
    _text("id"),
    _to("config_no", "posting_configs"),
    _whole("client_no"),
    _to("job_no", "jobs"),
    _flag("posted"),
    _flag("pinned"),
    _flag("paused"),
    _whole("times"),
    _whole("waiting_at"),
    _whole("posted_at", null=True),
    _whole("credit_at", null=True),
    _whole("ended_at", null=True),
    _whole("created_at"),
    _whole("updated_at"),
    _whole("deleted_at", null=True),
    sa.UniqueConstraint("id"),
    sa.UniqueConstraint("config_no", "job_no"),
    sa.Index("posting_jobs_by_client", "client_no", "config_no"),
)
# place: the order of a client's rules.
rules = sa.Table(
    "rules",
    metadata,
    _no(),
    _text("id"),
    _to("client_no", "clients"),
    _whole("place"),
    _text("status"),
    _text("body"),
    _whole("created_at"),
    _whole("updated_at"),
    _whole("deleted_at", null=True),
    sa.UniqueConstraint("id"),
    sa.Index("rules_by_client", "client_no", "place"),
)
stage_maps = sa.Table(
    "stage_maps",
    metadata,
    sa.Column(
        "client_no", _Number, sa.ForeignKey("clients.no"), primary_key=True, autoincrement=False
    ),
    _text("body"),
    _whole("updated_at"),
)
funnel_batches = sa.Table(
    "funnel_batches",
    metadata,
    _no(),
    _text("id"),
    _to("client_no", "clients"),
    _whole("item_count"),
    _whole("received_at"),
    sa.UniqueConstraint("id"),
)
# application: what identifies the application, by either key. stage is empty until mapped. moment:
# of the application and event_at, to find what was said about that time; empty once it is
# forgotten, so that frequent repeats are not read each time.
funnel_items = sa.Table(
    "funnel_items",
    metadata,
    _no(),
    _to("batch_no", "funnel_batches"),
    _whole("client_no"),
    _whole("place"),
    _text("application"),
    _text("status"),
    _text("stage"),
    _whole("event_at"),
    _text("disposition"),
    _text("reason"),
    _bytes("click_id"),
    _bytes("moment"),
    _text("body"),
    _whole("received_at"),
    sa.UniqueConstraint("batch_no", "place"),
    sa.Index("funnel_items_by_moment", "client_no", "moment"),
    sa.Index("funnel_items_by_disposition", "disposition", "client_no", "no"),
)
# The first HIRED of each application. The ledger books those without booked_at.
hires = sa.Table(
    "hires",
    metadata,
    _no(),
    _whole("client_no"),
    _text("application"),
    _bytes("click_id"),
    _bytes("facts"),
    _to("item_no", "funnel_items"),
    _whole("at"),
    _whole("received_at"),
    _whole("booked_at", null=True),
    sa.UniqueConstraint("client_no", "application"),
    sa.Index("hires_by_booked", "booked_at", "no"),
    sa.Index("hires_by_click", "client_no", "click_id"),
)
