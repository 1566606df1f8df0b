"""The tables of rules that run: what they have done, what they hold, and what they remember."""

import sqlalchemy as sa

from handbill.store.records.columns import key, metadata, row_no, text, to, whole

# A run that is worth reporting. body: JSON of what it saw and did; undone_at: when it was undone.
rule_runs = sa.Table(
    "rule_runs",
    metadata,
    row_no(),
    text("id"),
    to("client_no", "clients"),
    to("rule_no", "rules"),
    whole("at"),
    text("mode"),
    text("body"),
    whole("undone_at", null=True),
    sa.UniqueConstraint("id"),
    sa.Index("rule_runs_by_rule", "rule_no", "no"),
    sa.Index("rule_runs_by_client", "client_no", "no"),
    sa.Index("rule_runs_by_age", "at"),
)
# What a rule keeps from being listed, whatever its own switch: spelled as in standings.
rule_holds = sa.Table(
    "rule_holds",
    metadata,
    row_no(),
    text("id"),
    to("client_no", "clients"),
    to("rule_no", "rules"),
    text("run_id"),
    text("kind"),
    text("entity"),
    text("entity_id"),
    text("publisher_id"),
    whole("since_at"),
    sa.UniqueConstraint("id"),
    sa.UniqueConstraint("rule_no", "kind", "entity"),
    sa.Index("rule_holds_by_client", "client_no", "kind", "entity"),
)
# What rules have done, or would have: used to count cool-downs and limits.
rule_acts = sa.Table(
    "rule_acts",
    metadata,
    row_no(),
    whole("client_no"),
    whole("rule_no"),
    text("mode"),
    text("kind"),
    text("entity"),
    text("what"),
    whole("pull"),
    whole("at"),
    sa.Index("rule_acts_by_client", "client_no", "at"),
    sa.Index("rule_acts_by_age", "at"),
)
# What a rule remembers of its last run. number: how many there were; truths: JSON of the entities
# that it held for and has acted on; told: a digest of the last report.
rule_states = sa.Table(
    "rule_states",
    metadata,
    key("rule_no"),
    whole("number"),
    whole("ran_at"),
    text("ran_on"),
    text("mode"),
    text("truths"),
    text("told"),
    whole("failures"),
    text("why"),
)
