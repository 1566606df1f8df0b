"""The tables of control: what is in force, and what is known about traffic."""

import sqlalchemy as sa

from handbill.store.records.columns import estimated, flag, key, metadata, row_no, text, whole

# ── ledger ──────────────────────────────────────────────────────────────────────────────────────
# The results of a job group at a publisher in a quarter hour, until control has taken them.
traffic = sa.Table(
    "traffic",
    metadata,
    key("client_no"),
    key("group_no"),
    key("publisher_no"),
    key("quarter_at"),
    whole("clicks"),
    whole("applies"),
    whole("unbilled"),
    estimated("unbilled_micros"),
    estimated("spend_micros"),
)

# How many applies came so many days after clicks of a day, by job group and publisher.
apply_ages = sa.Table(
    "apply_ages",
    metadata,
    key("client_no"),
    key("group_no"),
    key("publisher_no"),
    text("click_on", key=True),
    key("age"),
    whole("applies"),
    sa.Index("apply_ages_by_age", "click_on"),
)

# ── standing ────────────────────────────────────────────────────────────────────────────────────
# When a client was last evaluated, and how often: a writer names the number that it has read.
evaluations = sa.Table(
    "evaluations",
    metadata,
    key("client_no"),
    whole("evaluated_at"),
    whole("number"),
    text("day_on"),
)
# What is not simply in force: a client, campaign, job group, placement or job, with the spelling of
# its counters. resolved: JSON of its report; capped: its listings are left out.
standings = sa.Table(
    "standings",
    metadata,
    key("client_no"),
    text("kind", key=True),
    text("entity", key=True),
    text("status"),
    text("delivery"),
    flag("capped"),
    text("resolved"),
    whole("since_at"),
    whole("until_at", null=True),
)
# What a job group offers a publisher of its bids and jobs. held_: in the publisher's copy.
paced = sa.Table(
    "paced",
    metadata,
    key("group_no"),
    key("publisher_no"),
    whole("client_no"),
    whole("base_micros"),
    whole("bid_micros"),
    whole("price_micros"),
    whole("factor_ppm"),
    whole("floor_micros"),
    whole("matching"),
    whole("first"),
    whole("jobs"),
    whole("start_ppm"),
    whole("next_ppm"),
    whole("let_ppm"),
    whole("clicks_ppm"),
    whole("held_let_ppm"),
    whole("held_clicks_ppm"),
    whole("decided_at"),
    text("cap"),
    sa.Index("paced_by_client", "client_no"),
    sa.Index("paced_by_publisher", "publisher_no", "decided_at"),
)
# The most that a day may take of a paced cap: a wall of its own, enforced by the judge.
ceilings = sa.Table(
    "ceilings",
    metadata,
    key("client_no"),
    text("scope", key=True),
    text("entity", key=True),
    text("measure", key=True),
    text("day_on", key=True),
    whole("most"),
    whole("since_at"),
    sa.Index("ceilings_by_age", "day_on"),
)

# ── control ─────────────────────────────────────────────────────────────────────────────────────
# Clicks of a job group at a publisher, and the full-rate traffic they came from, faded by days, and
# those of today, in millionths; applies likewise. seen_at: until when.
demand = sa.Table(
    "demand",
    metadata,
    key("group_no"),
    key("publisher_no"),
    whole("client_no"),
    whole("clicks"),
    whole("traffic"),
    whole("today_clicks"),
    whole("today_traffic"),
    whole("applies"),
    whole("seen_at"),
    sa.Index("demand_by_client", "client_no"),
)
# When traffic comes at a publisher: JSON of its week by quarter hours, from days that are over.
shapes = sa.Table("shapes", metadata, key("publisher_no"), text("body"))
# Clicks at a publisher on days not yet in a week, by quarter hour, in millionths.
shape_days = sa.Table(
    "shape_days",
    metadata,
    key("publisher_no"),
    text("day_on", key=True),
    key("quarter"),
    whole("clicks_ppm"),
    sa.Index("shape_days_by_age", "day_on"),
)
# The results of a job group at a publisher on a day of the client's zone. missed_: clicks that caps
# prevented, in millionths.
control_days = sa.Table(
    "control_days",
    metadata,
    key("group_no"),
    key("publisher_no"),
    text("day_on", key=True),
    whole("client_no"),
    whole("clicks"),
    whole("applies"),
    whole("unbilled"),
    estimated("unbilled_micros"),
    estimated("spend_micros"),
    whole("missed_by_bid"),
    whole("missed_by_listing"),
    sa.Index("control_days_by_client", "client_no", "day_on"),
    sa.Index("control_days_by_age", "day_on"),
    sqlite_with_rowid=False,
)
# The state of each cap at the last tick: its effect, what is in flight below it, and how long it
# has stopped or braked in its period (past), and since when it does now.
cap_notes = sa.Table(
    "cap_notes",
    metadata,
    key("client_no"),
    text("scope", key=True),
    text("entity", key=True),
    text("measure", key=True),
    text("felt"),
    whole("in_flight"),
    text("period"),
    whole("past"),
    whole("since_at", null=True),
)
# Every change of a published bid. inputs, bid: JSON of core.pacing.bids; version: the first file
# that showed it, once its publisher has fetched that.
bid_log = sa.Table(
    "bid_log",
    metadata,
    row_no(),
    whole("client_no"),
    whole("group_no"),
    whole("publisher_no"),
    whole("at"),
    text("inputs"),
    text("bid"),
    whole("version", null=True),
    sa.Index("bid_log_by_group", "group_no", "publisher_no", "at"),
    sa.Index("bid_log_by_age", "at"),
)
# The last bid aimed at for a target of a job group, at a publisher.
aims = sa.Table(
    "aims",
    metadata,
    key("group_no"),
    key("publisher_no"),
    whole("client_no"),
    whole("aimed_micros"),
    sa.Index("aims_by_client", "client_no"),
)
# The factor that corrects bids for a target; since when the target is in force, and when it was
# last corrected, in days of the client's zone.
corrections = sa.Table(
    "corrections",
    metadata,
    key("group_no"),
    whole("client_no"),
    whole("target_micros"),
    whole("value_ppm"),
    text("since_on"),
    text("corrected_on"),
    sa.Index("corrections_by_client", "client_no"),
)
