"""Whose each table is, and who else may read it: a house test holds the source to both lists.

A table is written by its owner alone, but where ``READERS`` says that another room does. Another
room asks the owner, or joins the table itself where asking would read the same rows twice.
"""

OWNERS = {
    "access": (
        "agencies", "api_clients", "api_keys", "family_publishers", "publisher_families",
    ),
    "callbacks": ("callbacks",),
    "campaigns": ("campaigns",),
    "changes": ("changes",),
    "clients": ("clients", "custom_fields"),
    "control": ("aims", "bid_log", "control_days", "corrections", "demand", "shapes"),
    "definitions": ("click_definitions",),
    "feeds": ("feed_runs", "feed_secrets", "feeds"),
    "funnel": ("funnel_batches", "funnel_items", "hires", "stage_maps"),
    "groups": ("groups", "matches", "matchings"),
    "http": ("idempotency",),
    "jobs": (
        "also_carried", "job_bodies", "jobs", "staged_jobs", "takeovers", "unindexed", "unmatched",
    ),
    "ledger": (
        "address_days", "applied", "apply_ages", "clicks", "conversion_keys", "counters",
        "job_counts", "parked", "retired_counters", "retired_tallies", "tallies", "traffic",
        "visits",
    ),
    "listings": (
        "deliveries", "departures", "feed_files", "feed_parts", "fetches", "link_addresses",
    ),
    "markups": ("markup_entities", "markups"),
    "postings": ("posting_config_clients", "posting_configs", "posting_jobs"),
    "publishers": ("publisher_secrets", "publishers"),
    "rates": ("rates",),
    "rules": ("rules",),
    "standing": ("ceilings", "evaluations", "paced", "standings"),
    "stats": ("report_streams", "reports"),
    "store": (
        "holds", "installation", "journal_marks", "master_keys", "secrets", "segment_clients",
        "segments",
    ),
    "work": ("hosts", "schedule", "task_turns", "tasks"),
}  # fmt: skip
"""The room that writes each table."""

WRITES_AND_TELLS = "written by it for the owner, so that no change of a noun goes untold"
READERS = {
    ("access", "secrets"): "makes and rotates our own keys; store keeps them sealed",
    ("access", "publishers"): "the ids by which a change of a family is told",
    ("changes", "agencies"): "whose a change is",
    ("changes", "campaigns"): WRITES_AND_TELLS,
    ("changes", "clients"): WRITES_AND_TELLS,
    ("changes", "feeds"): WRITES_AND_TELLS,
    ("changes", "groups"): WRITES_AND_TELLS,
    ("changes", "publishers"): WRITES_AND_TELLS,
    ("changes", "rules"): WRITES_AND_TELLS,
    ("feeds", "clients"): "due feeds of clients at work, in one look",
    ("funnel", "applied"): "an application that is known, beside the hires that wait for it",
    ("funnel", "clients"): "the clients that have items waiting",
    ("funnel", "jobs"): "job ids by reference, for a batch of items",
    (
        "groups",
        "campaigns",
    ): "job groups of a campaign that is deleted are gone with it, before their rows",
    ("groups", "jobs"): "matching walks jobs and matches side by side",
    ("groups", "unmatched"): "takes up the marks that jobs leaves for it, and deletes them",
    ("ledger", "agencies"): "currencies and ids of a batch's agencies",
    ("listings", "clients"): "whom a publisher's file shows; pixels for the edge's index",
    ("listings", "jobs"): "offers and the edge's index walk jobs by the thousand",
    ("listings", "matches"): "offers walk jobs and matches side by side",
    ("listings", "unindexed"): "takes up the marks that jobs leaves for it, and deletes them",
    ("postings", "clients"): "ids of a purchase's clients",
    ("postings", "jobs"): "posted jobs and what they show, in one look",
    ("stats", "api_keys"): "a key's row is the lock that counts its reports",
    ("stats", "feed_parts"): "whether a partner's publisher was ever given a client's jobs",
    ("stats", "jobs"): "references and titles of a report's rows, by the thousand",
    ("store", "feed_secrets"): "seals and reseals every secret in one place",
    ("store", "publisher_secrets"): "seals and reseals every secret in one place",
    ("work", "callbacks"): "whose task it is, from its key, so that no caller can forget it",
    ("work", "clients"): "whose task it is, from its key, so that no caller can forget it",
    ("work", "feeds"): "whose task it is, from its key, so that no caller can forget it",
    ("work", "publishers"): "whose task it is, from its key, so that no caller can forget it",
    ("work", "reports"): "whose task it is, from its key, so that no caller can forget it",
}
"""(room, table): why a room that does not own the table names it all the same."""
