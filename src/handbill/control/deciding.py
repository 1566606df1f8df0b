"""From one look at a client to what is in force for it from then on."""

from collections.abc import Collection, Iterator, Mapping
from datetime import timedelta
from operator import attrgetter
from typing import Final, NamedTuple

import msgspec

from handbill.control.cap_rows import CapNoted
from handbill.control.noting import notes
from handbill.control.rows import KnownDemand
from handbill.control.seeing import TickView
from handbill.control.sides import Side, ended_sides, sides_of
from handbill.control.steering import Steering, decision, ended, is_due, is_expected
from handbill.control.stopping import (
    capped_jobs,
    cheapest_of,
    kept_for_others,
    likely_costs,
    live_bid,
    live_bids,
    marks_of,
)
from handbill.control.tree import CapTree
from handbill.control.weeks import ALL, Calendar
from handbill.core.charging import entities_of
from handbill.core.in_force import Ceiling, Key, Paced, Standing, Thing
from handbill.core.pacing.bids import BidLine
from handbill.core.pacing.curves import day_weights
from handbill.core.standing import tree as standing_tree
from handbill.core.standing.capping import CapKey, Capped, code_of
from handbill.core.standing.reasons import CAPPED, Code, kept_since
from handbill.core.standing.resolving import resolve
from handbill.core.standing.tree import Let, Locked
from handbill.kit.instants import MINUTE, Instant
from handbill.kit.money import PPM, share_down
from handbill.kit.zones import start_of
from handbill.standing.service import Decided, resolved_in

BEFORE_MIDNIGHT: Final = 10 * MINUTE
"""How long before midnight the ceilings of the next day are set, as far as they are known."""
_JSON = msgspec.json.Encoder()
_OFFERED = attrgetter("bid_micros", "price_micros", "base_micros", "jobs", "matching")


class Decisions(NamedTuple):
    """``lines``: changes of bids, for the log; ``aimed``: bids for targets; ``shown``: by job group
    and publisher, the version of a file that was fetched since.
    """

    decided: Decided
    lines: list[tuple[Key, BidLine]]
    aimed: dict[Key, int]
    shown: list[tuple[int, int, Instant]]
    noted: dict[CapKey, CapNoted]


def decide(
    look: TickView,
    known: Mapping[Key, KnownDemand],
    calendars: Mapping[int, Calendar],
    ceiling_ppm: int,
    *,
    anew: bool,
) -> Decisions:
    """Everything that one tick decides; without clock or store."""
    tree = look.tree
    weekdays = day_weights(calendars[ALL].shape)
    marks = marks_of(tree, weekdays, ceiling_ppm)
    former = look.former.paced
    sides = sides_of(tree, known, former, look.held, calendars)
    left = ended_sides(tree, known, former, look.held, calendars)
    steering = Steering(tree, marks, sides, left, weekdays, ceiling_ppm, look.aims.targets)
    likely = likely_costs(tree)
    paced, lines, aimed = _decisions(look, steering, likely, anew=anew)
    capped = _capped(steering, likely, paced)
    noted = notes(tree, look.noted, capped, paced)
    standings = _standings(look, sides, capped, paced)
    shown = [
        (*key, side.held.version)
        for key, side in sides.items()
        if side.held and _is_fetched(former.get(key), side)
    ]
    hidden = {
        thing[1] for thing, one in standings.items() if one.capped and thing[0] == "placement"
    }
    paced = {
        key: _hidden(one, sides[key], tree.now) if f"{key[0]}/{key[1]}" in hidden else one
        for key, one in paced.items()
    }
    for key, side in left.items():
        if (one := ended(side, former[key], tree.now)) is not None:
            paced[key] = one
    ceilings = list(_ceilings(tree, capped, ceiling_ppm))
    return Decisions(Decided(standings, paced, ceilings), lines, aimed, shown, noted)


def _decisions(
    look: TickView, steering: Steering, likely: Mapping[CapKey, int], *, anew: bool
) -> tuple[dict[Key, Paced], list[tuple[Key, BidLine]], dict[Key, int]]:
    """The decision for each pair: a new one where it is due or a cap has just freed the pair."""
    now, full = look.tree.now, _full(_capped(steering, likely, look.former.paced))
    paced: dict[Key, Paced] = {}
    lines, aimed = [], dict[Key, int]()
    for key, side in steering.sides.items():
        before = look.former.paced.get(key)
        former = look.former.standings.get(("placement", f"{key[0]}/{key[1]}"))
        stopped = _stopping(look.tree, side, full) or _is_held(look, side)
        freed = former is not None and former.capped and not stopped
        if before is not None and not (anew or freed or is_due(side, before, now)):
            paced[key] = _noticed(side, before)
            continue
        paced[key], line = decision(side, steering.step(side, before), before, now)
        if line.bid.target_bid_micros is not None:
            aimed[key] = line.bid.target_bid_micros
        if before is None or _is_other(before, paced[key]):
            lines.append((key, line))
    return paced, lines, aimed


def _capped(
    steering: Steering, likely: Mapping[CapKey, int], paced: Mapping[Key, Paced]
) -> dict[CapKey, Capped]:
    """How each cap stands, with the bids that are published. ``likely``: what one more will take
    of it.
    """
    live = live_bids((side.pair for side in steering.sides.values()), paced)
    return {
        key: Capped(
            one.cap,
            steering.marks[key],
            steering.in_flight(key),
            cheapest_of(key, (side.key for side in steering.below[key]), live),
            likely[key],
        )
        for key, one in steering.tree.caps.items()
    }


def _full(capped: Mapping[CapKey, Capped]) -> set[CapKey]:
    """The caps that stop what is below them."""
    return {key for key, one in capped.items() if code_of(one) in CAPPED}


def _stopping(tree: CapTree, side: Side, full: Collection[CapKey]) -> list[CapKey]:
    """The caps over a pair that stop it."""
    return [cap for cap in tree.over[side.pair.place] if cap in full]


def _is_held(look: TickView, side: Side) -> bool:
    """Whether a rule holds a pair, or anything above it."""
    place = side.pair.place
    return any((scope, entity) in look.holds for scope, entity in entities_of(place))


def _is_other(before: Paced, after: Paced) -> bool:
    """Whether the offer differs; an exchange rate may change its price only."""
    return bool(_OFFERED(before) != _OFFERED(after))


def _is_fetched(before: Paced | None, side: Side) -> bool:
    """Whether a publisher has fetched what was decided for it last, for the first time."""
    if before is None or side.held is None or side.held.version < before.decided_at:
        return False
    return (before.held_let_ppm, before.held_clicks_ppm) != (before.let_ppm, before.clicks_ppm)


def _noticed(side: Side, before: Paced) -> Paced:
    if not _is_fetched(before, side):
        return before
    return before._replace(held_let_ppm=before.let_ppm, held_clicks_ppm=before.clicks_ppm)


def _hidden(one: Paced, side: Side, now: Instant) -> Paced:
    """What a file without these listings lets through."""
    if not one.let_ppm and not one.clicks_ppm:
        return one
    had = side.copy
    return one._replace(
        let_ppm=0,
        clicks_ppm=0,
        held_let_ppm=had.let_ppm,
        held_clicks_ppm=had.clicks_ppm,
        decided_at=now,
    )


def _standings(
    look: TickView,
    sides: Mapping[Key, Side],
    capped: Mapping[CapKey, Capped],
    paced: Mapping[Key, Paced],
) -> dict[Thing, Standing]:
    tree = look.tree
    stopped = [*(one.job for one in look.spent), *look.held_jobs]
    jobs = {(one.id, one.group_no): one for one in stopped}
    every = standing_tree.StandingTree(
        client=tree.client,
        campaigns=list(tree.campaigns.values()),
        groups=list(tree.groups.values()),
        publishers={one.id: one for one in tree.publishers.values()},
        jobs=tree.jobs,
        exchange=tree.exchange,
        caps={**capped, **capped_jobs(look.spent)},
        lets={key: Let(one.let_ppm, _cap_of(one)) for key, one in paced.items()},
        selling={pair.key for pair in tree.pairs if pair.stock.jobs},
        locked=dict(_locked(tree, sides, paced)),
        capped_jobs=list(jobs.values()),
        held=look.held,
        posted=tree.posted,
        holds=look.holds,
    )
    standings: dict[Thing, Standing] = {}
    full = _full(capped)
    for thing, resolved in resolve(every, tree.now).items():
        if resolved.is_plain:
            continue
        former = look.former.standings.get(thing)
        before = None if former is None else resolved_in(former)
        dated = kept_since(before, resolved, tree.now)
        stopping = resolved.stopping
        is_held = Code.HELD_BY_RULE in stopping
        is_capped = is_held or not CAPPED.isdisjoint(stopping)
        if is_capped and not is_held and thing[0] == "placement":
            group_no, _, publisher_no = thing[1].partition("/")
            side = sides.get((int(group_no), int(publisher_no)))
            is_capped = side is None or not _lasts(tree, side, capped, full)
        standings[thing] = Standing(
            kind=thing[0],
            entity=thing[1],
            status=dated.status,
            delivery=dated.delivery,
            capped=int(is_capped),
            resolved=_JSON.encode(dated).decode(),
            since_at=dated.since_at,
            until_at=dated.until_at,
        )
    return standings


def _lasts(
    tree: CapTree, side: Side, capped: Mapping[CapKey, Capped], full: Collection[CapKey]
) -> bool:
    """Whether listings stay although a cap is full: until midnight, if a publisher is expected that
    will show them mostly after it. How many are listed was decided for both days together.
    """
    stopping = _stopping(tree, side, full)
    if not stopping or not all(capped[cap].mark.by_day for cap in stopping):
        return False
    life = side.life(tree.now)
    return is_expected(side, tree.now) and life.then > life.now


def _cap_of(one: Paced) -> CapKey | None:
    if not one.cap:
        return None
    scope, _, rest = one.cap.partition("/")
    entity, _, measure = rest.rpartition("/")
    return scope, entity, measure  # type: ignore[return-value]


def _locked(
    tree: CapTree, sides: Mapping[Key, Side], paced: Mapping[Key, Paced]
) -> Iterator[tuple[Key, Locked]]:
    for key, side in sides.items():
        cap: CapKey = ("group", f"{key[0]}", "budget")
        kept = kept_for_others(tree, cap, side.pair.place) if cap in tree.caps else 0
        if kept and side.pair.stock.least_micros:
            yield key, Locked(kept, side.pair.marked(live_bid(side.pair, paced)))


def _ceilings(
    tree: CapTree, capped: Mapping[CapKey, Capped], ceiling_ppm: int
) -> Iterator[Ceiling]:
    tomorrow = tree.today + timedelta(days=1)
    turns_soon = start_of(tomorrow, tree.zone) - tree.now <= BEFORE_MIDNIGHT
    for key, one in capped.items():
        if one.cap.pacing:
            unit = 1 if key[2] == "budget" else PPM
            yield Ceiling(*key, tree.today.isoformat(), one.mark.most // unit, tree.now)
            if turns_soon:
                most = share_down(one.mark.tomorrow, ceiling_ppm) // unit
                yield Ceiling(*key, tomorrow.isoformat(), most, tree.now)
