"""The tables of the ledger except its entries, which are in segments."""

import re

import sqlalchemy as sa

from handbill.core.metrics import RAW
from handbill.store.records.columns import key as _key
from handbill.store.records.columns import metadata
from handbill.store.records.columns import raw as _bytes
from handbill.store.records.columns import row_no as _no
from handbill.store.records.columns import text as _text
from handbill.store.records.columns import whole as _whole

# ── ledger ──────────────────────────────────────────────────────────────────────────────────────
# How far each journal source is judged: moved in the judge's transaction. judged_at: all stamped
# earlier was judged then. written_off_at: what follows the mark is known to be lost.
journal_marks = sa.Table(
    "journal_marks",
    metadata,
    _text("source", key=True),
    _whole("segment"),
    _whole("offset"),
    _whole("judged_at"),
    _whole("written_off_at", null=True),
)
# Clients that the judge could not judge. judged_at: everything stamped earlier is judged. again_at:
# when it is tried again.
asides = sa.Table(
    "asides",
    metadata,
    _key("client_no"),
    _whole("judged_at"),
    _whole("again_at"),
    _text("reason"),
)
# Their later events, in order. body: 16 bytes of the entry's id, and the event as it was received.
aside_events = sa.Table(
    "aside_events",
    metadata,
    _no(),
    _whole("client_no"),
    _bytes("body"),
    sa.Index("aside_events_by_client", "client_no", "no"),
)
# Entries are in Parquet files; this is the manifest: the content of each file, and its SHA-256.
# first_at..last_at is the range of the rows' at. totals: of each amount, as JSON of texts.
segments = sa.Table(
    "segments",
    metadata,
    _no(),
    _text("path"),
    _text("month"),
    _whole("rows"),
    _whole("bytes"),
    _bytes("digest"),
    _text("totals"),
    _whole("first_at"),
    _whole("last_at"),
    _whole("created_at"),
    _whole("replaced_at", null=True),
    sa.UniqueConstraint("path"),
    sa.Index("segments_by_age", "last_at"),
)
# What a listed segment holds of each client, so that the files of one client are found.
segment_clients = sa.Table(
    "segment_clients",
    metadata,
    _key("segment_no"),
    _key("client_no"),
    _whole("rows"),
    _whole("first_at"),
    _whole("last_at"),
    sa.Index("segment_clients_by_client", "client_no", "last_at"),
)
# scope: see core.charging. day_on: the client's day; empty: all sealed days. budget: marked-up
# spend, in whole units and the micros beyond them, as sums may be longer than 64 bits.
USES = ("budget_units", "budget_micros", "clicks", "applies")
counters = sa.Table(
    "counters",
    metadata,
    _text("scope", key=True),
    _text("entity", key=True),
    _text("day_on", key=True),
    _whole("client_no"),
    *map(_whole, USES),
    sa.Index("counters_by_client", "client_no"),
    sqlite_with_rowid=False,
)
# Which counters of jobs are kept: those of caps in force.
job_counts = sa.Table(
    "job_counts",
    metadata,
    _key("client_no"),
    _text("owner", key=True),
    _text("scope", key=True),
    _text("measure", key=True),
)
# bid_micros, price_micros: the amounts for an apply by it, if its link froze others.
clicks = sa.Table(
    "clicks",
    metadata,
    _bytes("id", key=True),
    _whole("client_no"),
    _text("disposition"),
    _whole("bid_micros", null=True),
    _whole("price_micros", null=True),
    _whole("at"),
    sa.Index("clicks_by_age", "at"),
)
# Who last clicked on which job; the duplicate window closes at until_at.
visits = sa.Table(
    "visits",
    metadata,
    _whole("client_no"),
    _bytes("visitor", key=True),
    _whole("at"),
    _whole("until_at"),
    sa.Index("visits_by_age", "until_at"),
)
# Clicks of one address at one client on one day, if a click definition limits them.
address_days = sa.Table(
    "address_days",
    metadata,
    _key("client_no"),
    _text("day_on", key=True),
    _bytes("address", key=True),
    _whole("clicks"),
    sa.Index("address_days_by_age", "day_on"),
)
# The agents of clicks, by the digest in entries; kept while their month is open.
agent_texts = sa.Table(
    "agent_texts",
    metadata,
    _text("digest", key=True),
    _text("agent"),
    _whole("seen_at"),
    sa.Index("agent_texts_by_age", "seen_at"),
)
# What clicks were classed by, under the version that entries name. body: JSON, see
# core.definition_versions. first_at: when an entry was first booked under it.
definition_versions = sa.Table(
    "definition_versions",
    metadata,
    _text("version", key=True),
    _bytes("body"),
    _whole("first_at"),
)
# Raised by each step of rejudging a client: a plan made under another number is made again.
rejudge_turns = sa.Table(
    "rejudge_turns",
    metadata,
    _key("client_no"),
    _whole("turn"),
)
# Months that were judged again, or previewed. outcome: JSON (core.rejudging), empty until it is
# done, and if it failed (message).
rejudgings = sa.Table(
    "rejudgings",
    metadata,
    _no(),
    _text("id"),
    _whole("client_no"),
    _text("month"),
    _whole("only_looks"),
    _text("state"),
    _text("outcome"),
    _text("message", null=True),
    _whole("created_at"),
    _whole("ended_at", null=True),
    sa.UniqueConstraint("id"),
    sa.Index("rejudgings_by_client", "client_no", "no"),
)
conversion_keys = sa.Table(
    "conversion_keys",
    metadata,
    _key("client_no"),
    _text("key", key=True),
    _bytes("click_id"),
    _whole("at"),
    sa.Index("conversion_keys_by_age", "at"),
)
# What identifies an application, for the funnel: its id, or its job and candidate. facts: the apply
# as received, empty if it came with a click that is not credited; click_id: empty without credit.
applied = sa.Table(
    "applied",
    metadata,
    _key("client_no"),
    _text("key", key=True),
    _bytes("click_id"),
    _bytes("facts"),
)
parked = sa.Table(
    "parked",
    metadata,
    _no(),
    _whole("client_no"),
    _text("kind"),
    _bytes("click_id"),
    _bytes("body"),
    _whole("received_at"),
    _whole("due_at"),
    sa.Index("parked_by_due", "due_at"),
    sa.Index("parked_by_click", "click_id"),
)
# Received events and their results: the left side of the books (ledger check).
tallies = sa.Table(
    "tallies",
    metadata,
    _key("client_no"),
    _text("kind", key=True),
    _text("disposition", key=True),
    _whole("value"),
)
# The sums of the entries of retired segments: with the remaining entries they are the right side of
# the books.
retired_tallies = sa.Table(
    "retired_tallies",
    metadata,
    _key("client_no"),
    _text("kind", key=True),
    _text("disposition", key=True),
    _whole("value"),
)
retired_counters = sa.Table(
    "retired_counters",
    metadata,
    _text("scope", key=True),
    _text("entity", key=True),
    _text("day_on", key=True),
    _whole("client_no"),
    *map(_whole, USES),
    sa.Index("retired_counters_by_client", "client_no"),
)
# What a client's entries of a day come to: the raw sums of core.metrics.
# Money, whose sums may be longer than 64 bits, has whole units and the micros beyond them. Who
# looks at many clients reads many days of each: its rows lie side by side.
SUMS = tuple(
    f"{name}{part}"
    for raw in RAW
    for name in [re.sub("([A-Z])", r"_\1", raw.name).lower()]
    for part in (("_units", "_micros") if raw.amount else ("",))
)
client_days = sa.Table(
    "client_days",
    metadata,
    _key("client_no"),
    _text("day_on", key=True),
    *map(_whole, SUMS),
    sa.Index("client_days_by_age", "day_on"),
    sqlite_with_rowid=False,
)
# The part of them from the entries of retired segments.
retired_days = sa.Table(
    "retired_days",
    metadata,
    _key("client_no"),
    _text("day_on", key=True),
    *map(_whole, SUMS),
    sa.Index("retired_days_by_age", "day_on"),
    sqlite_with_rowid=False,
)
# The sums of a day at each place (0: at none).
place_days = sa.Table(
    "place_days",
    metadata,
    _key("client_no"),
    _text("day_on", key=True),
    _key("campaign_no"),
    _key("group_no"),
    _key("publisher_no"),
    *map(_whole, SUMS),
    sa.Index("place_days_by_age", "day_on"),
    sa.Index("place_days_by_publisher", "publisher_no", "day_on"),
    sqlite_with_rowid=False,
)
