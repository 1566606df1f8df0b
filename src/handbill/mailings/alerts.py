"""The causes of alerts that a person has chosen, as they are now."""

from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Final, Literal

from handbill.control.budgets import budget_of
from handbill.core.mailings import Alert, Choices, is_under_pace
from handbill.core.metrics import finished_as
from handbill.core.needs import Cause
from handbill.core.nouns import Client
from handbill.core.standing.reasons import ON_PURPOSE
from handbill.kit.figures import counted, number
from handbill.kit.instants import Instant
from handbill.kit.zones import day_of, zone_of
from handbill.ledger import daily_sums
from handbill.mailings.letters import need_told
from handbill.stats.needs import Need
from handbill.stats.overviews import summed
from handbill.store.records import Tx

Pace = int | Literal["STANDS"] | None
"""Of a client's own budget, in millionths. None: it cannot be known yet. STANDS: there is no such
budget, or the client stands still because somebody wants it to."""
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
    by_client = daily_sums.of_clients(tx, [one.no for one in some], min(firsts).isoformat())
    for one, first in zip(some, firsts, strict=True):
        by_day = by_client.get(one.no, {})
        sums = summed(sums for day, sums in by_day.items() if day >= first.isoformat())
        if clicks(sums) and not applies(sums):
            words = f"{counted(clicks(sums), 'click')} and no apply in {counted(days, 'day')}"
            yield Alert(f"NO_APPLIES/{one.id}", f"{one.body.company_name}: {words}")


@dataclass(frozen=True)
class Paces:
    """Budgets' paces for one look at an agency: each is computed once, for whoever is alerted of it
    first. ``ceiling_ppm``: by which caps are passed at most.
    """

    now: Instant
    ceiling_ppm: int
    _kept: dict[int, Pace] = field(default_factory=dict)

    def of(self, tx: Tx, client: Client) -> Pace:
        """The pace of a client's own budget."""
        if client.body.caps.budget is None:
            return "STANDS"
        if client.no not in self._kept:
            self._kept[client.no] = self._looked(tx, client)
        return self._kept[client.no]

    def _looked(self, tx: Tx, client: Client) -> Pace:
        budget = budget_of(tx, client, self.now, self.ceiling_ppm).client
        if ON_PURPOSE.intersection(it.code for it in budget.resolved.all_reasons if it.blocking):
            return "STANDS"
        paces = [it.pace_ppm for it in budget.caps if it.key[2] == "budget" and not it.publisher_id]
        return next((it for it in paces if it is not None), None)


def under_pace(
    tx: Tx, some: Iterable[Client], percent: int, told: Collection[str], paces: Paces
) -> Iterator[Alert]:
    """Clients whose own budget is used more slowly than planned, and that stand still for nobody's
    purpose. Where the pace cannot be known yet, such as when a month has just begun, what was told
    still holds, so that it is not told twice.
    """
    for one in some:
        key, pace = f"UNDER_PACE/{one.id}", paces.of(tx, one)
        if pace == "STANDS":
            continue
        if pace is None:
            if key in told:
                yield Alert(key, "")
        elif is_under_pace(pace, percent, was_told=key in told):
            words = f"spend is at {number(pace // _PER_PERCENT)} % of the budget's pace"
            yield Alert(key, f"{one.body.company_name}: {words}, below {percent} %")
