"""The causes of alerts that a person has chosen, as they are now."""

from collections.abc import Collection, Iterable, Iterator, Sequence
from datetime import timedelta
from typing import Final

from handbill.control.budgets import budget_of
from handbill.core.mailings import Alert, Choices, is_under_pace
from handbill.core.metrics import finished_as
from handbill.core.needs import Cause
from handbill.core.nouns import Client
from handbill.core.standing.reasons import ON_PURPOSE
from handbill.kit.figures import number
from handbill.kit.instants import Instant
from handbill.kit.zones import day_of, zone_of
from handbill.ledger import daily_sums
from handbill.mailings.letters import need_told
from handbill.stats.needs import Need
from handbill.stats.overviews import summed
from handbill.store.records import Tx

_DAY: Final = timedelta(days=1)
_PER_PERCENT: Final = 10_000
_CHOSEN_BY: Final = {
    Cause.IMPORT_FAILED: "feed_failed",
    Cause.RULE_PAUSED: "rule_paused",
    Cause.NOT_FETCHED: "not_fetched",
    Cause.NOT_DELIVERED: "not_fetched",
}


def of_needs(choices: Choices, found: Iterable[Need]) -> Iterator[Alert]:
    """Those needs of which the person wants to be alerted."""
    for one in found:
        name = _CHOSEN_BY.get(one.cause)
        if name is not None and getattr(choices, name):
            yield Alert(f"{one.cause}/{one.id}", need_told(one))


def without_applies(tx: Tx, some: Sequence[Client], days: int, now: Instant) -> Iterator[Alert]:
    """Clients whose last days, today included, brought clicks and no apply."""
    clicks, applies = finished_as("clicks"), finished_as("applies")
    firsts = [day_of(now, zone_of(one.zone)) - (days - 1) * _DAY for one in some]
    if not firsts:
        return
    found = daily_sums.of_clients(tx, [one.no for one in some], min(firsts).isoformat())
    for one, first in zip(some, firsts, strict=True):
        by_day = found.get(one.no, {})
        sums = summed(sums for day, sums in by_day.items() if day >= first.isoformat())
        if clicks(sums) and not applies(sums):
            words = f"{number(clicks(sums))} clicks and no apply in {days} days"
            yield Alert(f"NO_APPLIES/{one.id}", f"{one.body.company_name}: {words}")


def under_pace(
    tx: Tx,
    some: Iterable[Client],
    percent: int,
    told: Collection[str],
    now: Instant,
    ceiling_ppm: int,
) -> Iterator[Alert]:
    """Clients whose own budget is used more slowly than planned, and that stand still for nobody's
    purpose.
    """
    for one in some:
        if one.body.caps.budget is None:
            continue
        found = budget_of(tx, one, now, ceiling_ppm).client
        blocking = {it.code for it in found.resolved.all_reasons if it.blocking}
        paces = [it.pace_ppm for it in found.caps if it.key[2] == "budget" and not it.publisher_id]
        key = f"UNDER_PACE/{one.id}"
        pace = next((it for it in paces if it is not None), None)
        if pace is None or ON_PURPOSE.intersection(blocking):
            continue
        if is_under_pace(pace, percent, was_told=key in told):
            words = f"spend is at {number(pace // _PER_PERCENT)} % of the budget's pace"
            yield Alert(key, f"{one.body.company_name}: {words}, below {percent} %")
