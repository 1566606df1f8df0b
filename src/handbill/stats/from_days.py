"""Answers from the sums that the judge keeps by day: the same figures, without reading entries."""

from datetime import date
from typing import Final

from handbill.kit.zones import bounds_of, zone_of
from handbill.ledger import daily_sums
from handbill.stats.questions import Plan
from handbill.store.records import Tx

_BY: Final = {
    "CLIENT": "client",
    "CAMPAIGN": "campaign",
    "JOBGROUP": "jobgroup",
    "PUBLISHER": "publisher",
}
"""What sums are kept by. They are by day too, but there may be too many such rows to hold."""
_MOST_ROWS: Final = 100_000
"""The most rows that are held at once."""


def answered(tx: Tx, plan: Plan, zone: str) -> list[list[int]] | None:
    """The rows of a plan in their order: the number of each level, then the raw sums; without rows
    of zeros. ``zone``: the client's, whose days the sums are of.

    None: entries must be read, as the sums do not tell this, or in too many rows.
    """
    days = date.fromisoformat(plan.first_on), date.fromisoformat(plan.last_on)
    if (
        plan.layout != "stats"
        or plan.job_ids
        or plan.zone != zone
        or not _BY.keys() >= {*plan.levels}
        or (plan.first, plan.end) != bounds_of(*days, zone_of(zone))
    ):
        return None
    every = {
        "campaign": plan.campaign_nos,
        "jobgroup": plan.group_nos,
        "publisher": plan.publisher_nos,
    }
    only = {name: nos for name, nos in every.items() if nos}
    by = [_BY[level] for level in plan.levels]
    between = plan.first_on, plan.last_on
    rows = daily_sums.at_places(tx, plan.client_no, between, by, only, _MOST_ROWS + 1)
    if len(rows) > _MOST_ROWS:
        return None
    return [row for row in rows if any(row[len(by) :])]
