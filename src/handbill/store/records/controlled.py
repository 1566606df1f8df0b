"""The tables of control: what is in force, and what is known of traffic."""

import sqlalchemy as sa

from handbill.store.records.columns import key, metadata, text, whole

# ── ledger ──────────────────────────────────────────────────────────────────────────────────────
# What came of a job group at a publisher in a quarter hour, until control has taken it.
traffic = sa.Table(
    "traffic", metadata, key("client_no"), key("group_no"), key("publisher_no"), key("quarter_at"),
    whole("clicks"), whole("applies"), whole("unbilled"), whole("unbilled_micros"),
    whole("spend_micros"),
)  # fmt: skip

# ── standing ────────────────────────────────────────────────────────────────────────────────────
# When a client was looked at last, and how often: who writes names the number it has read.
evaluations = sa.Table(
    "evaluations", metadata, key("client_no"), whole("evaluated_at"), whole("number"),
    text("day_on"),
)  # fmt: skip
# What is not plainly in force: a client, campaign, job group, placement or job, spelled as its
# counters are. until_at: when it may be otherwise without anybody's doing.
standings = sa.Table(
    "standings", metadata, key("client_no"), text("kind", key=True), text("entity", key=True),
    text("status"), text("delivery"), text("reasons"), whole("since_at"),
    whole("until_at", null=True),
)  # fmt: skip
# What a job group offers a publisher of its bids and jobs. held_: of the copy that it has.
paced = sa.Table(
    "paced", metadata, key("group_no"), key("publisher_no"), whole("client_no"),
    whole("base_micros"), whole("bid_micros"), whole("factor_ppm"), whole("floor_micros"),
    whole("matching"), whole("first"), whole("jobs"), whole("start_ppm"), whole("next_ppm"),
    whole("let_ppm"), whole("clicks_ppm"), whole("held_let_ppm"), whole("held_clicks_ppm"),
    whole("decided_at"), sa.Index("paced_by_client", "client_no"),
)  # fmt: skip
# The most that a day may take of a paced cap: a wall of its own, which the judge holds.
ceilings = sa.Table(
    "ceilings", metadata, key("client_no"), text("scope", key=True), text("entity", key=True),
    text("measure", key=True), text("day_on", key=True), whole("most"), whole("since_at"),
    sa.Index("ceilings_by_age", "day_on"),
)  # fmt: skip
