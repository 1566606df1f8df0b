"""Tries a rule on the last days of the ledger: the figures of its runs, read by slices of time."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import date, timedelta
from functools import cache
from typing import Final

import msgspec

from handbill.control.rulebooks import applies_of, book_of, curve_at, sheet_of
from handbill.core.nouns import Client
from handbill.core.rule_conditions import RuleBody
from handbill.core.rules.backtesting import (
    BESIDE,
    DAYS,
    BackTest,
    BacktestScene,
    PastResults,
    Slice,
    backtested,
    instants_of,
)
from handbill.core.rules.subjects import LEVELS
from handbill.core.rules.windows import EVERY, instant_of_run, reads_once, window_of
from handbill.kit.faults import refused_state
from handbill.kit.instants import Instant
from handbill.kit.zones import day_of, start_of, zone_of
from handbill.rules import holding
from handbill.stats.answering import Answering
from handbill.stats.questions import Filters, Plan, planned
from handbill.store import marks
from handbill.store.records import Tx

MOST_SLICES: Final = 500_000
_MEMORY_MB: Final = 256
Places = tuple[str, ...]


def backtest(
    tx: Tx, answering: Answering, client: Client, now: Instant, body: RuleBody
) -> BackTest:
    """What a rule would have done in the last 30 days, if it had been the only one and had only
    advised. The entities that it looks at are as they are now. Nothing is changed.

    **Refuses** (400) a rule that looks at too much to be answered while the caller waits.
    """
    zone = zone_of(client.zone)
    last = instant_of_run(min(now, marks.judged_at(tx, client.no)))
    today = day_of(last, zone)
    first_on = today - timedelta(days=DAYS)
    sheet = sheet_of(tx, book_of(tx, client, last), body, last)
    every = {one.publishers for one in sheet.subjects if not one.gone}
    oldest = min(first_on - timedelta(days=BESIDE), *_firsts(body, first_on))
    held = holding.holds_of(tx, client.no)
    came = applies_of(tx, client, first_on)
    pasts: dict[tuple[Places, str], PastResults] = {}
    left = MOST_SLICES
    for places in sorted(every):
        plan = _plan(tx, client, body, (oldest, today), places, last)
        slices = _slices(answering, plan, client, left)
        left -= sum(map(len, slices.values()))
        pasts |= {(places, id_): PastResults(some) for id_, some in slices.items()}
    scene = BacktestScene(
        zone=zone,
        pasts=pasts,
        curve_at=cache(lambda day: curve_at(came, day)),
        any_held=frozenset((one.kind, one.entity) for one in held),
    )
    instants = instants_of(body, first_on, last, zone)
    return backtested(body, sheet.subjects, scene, instants)._replace(cut=sheet.cut)


def _firsts(body: RuleBody, day: date) -> Iterable[date]:
    return (date.fromisoformat(window_of(one.duration, day)[0]) for one in body.conditions)


def _plan(
    tx: Tx,
    client: Client,
    body: RuleBody,
    days: tuple[date, date],
    places: Places,
    last: Instant,
) -> Plan:
    """Rules about past days read whole days; rules that look at today read quarters of an hour."""
    by = "DATE" if reads_once(body) else "QUARTER"
    first_on, last_on = (day.isoformat() for day in days)
    filters = Filters(first_on, last_on, publisher_ids=places)
    plan = planned(tx, client, filters, [LEVELS[body.level], by], last)
    return msgspec.structs.replace(plan, layout="slices", end=min(plan.end, last))


def _slices(
    answering: Answering, plan: Plan, client: Client, most: int
) -> Mapping[str, Sequence[Slice]]:
    zone, by_days = zone_of(client.zone), "DATE" in plan.levels
    begun = cache(lambda day: start_of(date.fromisoformat(day), zone))
    slices: dict[str, list[Slice]] = {}
    with answering.rows(plan, _MEMORY_MB) as (total, lines):
        if total > most:
            raise refused_state("", "the rule looks at too much for a back-test; narrow it down")
        for id_, of, *sums in lines:
            at = begun(of) if by_days else of * EVERY
            slices.setdefault(id_, []).append((at, tuple(sums)))
    return slices
