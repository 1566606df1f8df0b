"""What stops a client, campaign or job group by itself: its switch, its dates, its weekdays."""

from collections.abc import Sequence
from datetime import date, timedelta
from typing import Final

from msgspec.structs import replace

from handbill.core.nouns import Campaign, Client, Group
from handbill.core.standing.capping import CappedEntity, Moment
from handbill.core.standing.reasons import (
    CAPPED,
    Code,
    Fix,
    Level,
    Params,
    Reason,
    Resolved,
    kept_since,
    resolved,
    seen_below,
)
from handbill.core.standing.tree import extended
from handbill.core.states import stops_of
from handbill.kit.instants import Instant
from handbill.kit.zones import day_of, start_of, zone_of

Trader = Client | Campaign | Group
_READ_NOW: Final = frozenset(
    (Code.PAUSED, Code.PARENT_PAUSED, Code.NOT_STARTED, Code.EXPIRED, Code.OFF_DAY)
)
_BESIDE: Final = CAPPED | {Code.HELD_BY_RULE, Code.CAP_BRAKING}
_LEVELS: Final = frozenset((Level.CLIENT, Level.CAMPAIGN, Level.GROUP))


def owner_of_trader(one: Trader) -> CappedEntity:
    """A client, campaign or job group, as reasons name it."""
    if isinstance(one, Client):
        return CappedEntity(Level.CLIENT, one.id, one.body.company_name, "client")
    if isinstance(one, Campaign):
        return CappedEntity(Level.CAMPAIGN, one.id, one.body.name, "campaign")
    return CappedEntity(Level.GROUP, one.id, one.body.name, "job group")


def own_stops(owner: CappedEntity, one: Trader, when: Moment) -> list[Reason]:
    """Its switch, dates and weekdays, as far as they stop it."""
    days = one.body.days if isinstance(one, Group) else ()
    return [
        Reason(
            code=Code(stop.code),
            level=owner.level,
            entity_id=owner.id,
            name=owner.name,
            words=stop.description,
            until_at=_begins(stop.code, stop.on, one, when),
            params=Params(on=stop.on, days=days if stop.code == "OFF_DAY" else ()),
            fix=_mended(stop.code, when.today),
        )
        for stop in stops_of(owner.what, one, when.today)
    ]


def read_now(known: Resolved, line: Sequence[Trader], now: Instant) -> Resolved:
    """A standing with the switches, dates and weekdays of an instant; the rest is as it was known.

    ``line``: the entity and those above it, up to its client.
    """
    zone = zone_of(next(one.zone for one in line if isinstance(one, Client)))
    when = Moment(day_of(now, zone), zone)
    rest = [one for one in known.all_reasons if not _is_switch(one)]
    reasons: list[Reason] = []
    for one in line:
        owner = owner_of_trader(one)
        own = own_stops(owner, one, when)
        beside = [it for it in rest if it.entity_id == owner.id and it.code in _BESIDE]
        rest = [it for it in rest if it not in beside]
        reasons += own if one is line[0] else seen_below(own)
        reasons += beside
    reasons += rest
    if set(map(_undated, known.all_reasons)) == set(map(_undated, reasons)):
        return known
    lowest = owner_of_trader(line[0])
    return kept_since(known, resolved(lowest.level, lowest.id, reasons), now)


def _undated(one: Reason) -> Reason:
    return replace(one, since_at=0)


def _is_switch(one: Reason) -> bool:
    return one.code in _READ_NOW and one.level in _LEVELS


def _begins(code: str, on: str, one: Trader, when: Moment) -> Instant | None:
    if code == "NOT_STARTED":
        return start_of(date.fromisoformat(on), when.zone)
    if code == "OFF_DAY" and isinstance(one, Group):
        days = (when.today + timedelta(days=by) for by in range(1, 8))
        first = next((day for day in days if day.weekday() in one.body.days), None)
        return None if first is None else start_of(first, when.zone)
    return None


def _mended(code: str, today: date) -> Fix | None:
    if code == "PAUSED":
        return Fix(kind="enable")
    if code == "EXPIRED":
        return extended(today)
    return Fix(kind="open_day", value=today.weekday()) if code == "OFF_DAY" else None
