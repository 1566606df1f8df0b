"""One tick of one client: what was used is looked at, and what is to be in force decided anew."""

from collections.abc import Mapping
from typing import Final

from handbill.control import rows, targets
from handbill.control.deciding import Outcome, decide
from handbill.control.learning import (
    Calendar,
    copy_of,
    days_with,
    first_guess,
    moved_on,
    shapes_of,
    weeks_with,
)
from handbill.control.rows import Known
from handbill.control.seeing import Look, look_at
from handbill.core.charging import Limit
from handbill.core.in_force import Key
from handbill.core.nouns import Client
from handbill.kit.instants import Instant
from handbill.kit.zones import day_of
from handbill.ledger import service as ledger
from handbill.ledger import traffic
from handbill.ledger.traffic import Quarter, Seen
from handbill.standing import service as standing
from handbill.standing.service import Decided
from handbill.store import marks
from handbill.store.records import Records, Tx

_NOTHING: Final = Decided({}, {}, ())


def tick(
    records: Records, client: Client, now: Instant, ceiling_ppm: int, *, anew: bool = False
) -> bool:
    """Decide what is in force for a live client from now on; whether its listings are to follow.

    ``anew``: also what was decided for publishers that have not fetched it yet. A clock that was
    set back is waited for. **Refuses** (Unavailable) where another worker did the same meanwhile:
    nothing is kept then.
    """
    with records.read() as tx:
        look = look_at(tx, client, now)
    if now < look.was.evaluated_at:
        return False
    known, calendars, shared = _learned(look)
    outcome = decide(look, known, calendars, shared, ceiling_ppm, anew=anew)
    with records.write() as tx:
        return _keep(tx, look, known, outcome)


def bids_of(
    tx: Tx, group_no: int, publisher_no: int, first: Instant, end: Instant
) -> list[rows.Shown]:
    """What was decided for a job group at a publisher in some time: a line for each change."""
    return rows.logged(tx, group_no, publisher_no, first, end)


def forget(records: Records, client: Client, now: Instant) -> None:
    """Nothing is in force any more for a client that was deleted."""
    with records.write() as tx:
        was = standing.evaluation_of(tx, client.no)
        if was.number and now >= was.evaluated_at:
            standing.replace(tx, client.no, was, now, was.day_on, _NOTHING)


def _learned(look: Look) -> tuple[dict[Key, Known], dict[int, Calendar], Calendar]:
    """What is known of each pair by now, and when traffic comes; by publisher, and altogether."""
    tree = look.tree
    nos = {pair.place.publisher_no for pair in tree.pairs}
    shapes = shapes_of(look.weeks, nos)
    calendars = {no: Calendar(shapes[no], tree.zone) for no in nos}
    came: dict[Key, list[tuple[Quarter, Seen]]] = {}
    for quarter, one in look.came.items():
        came.setdefault(quarter[:2], []).append((quarter, one))
    known = {}
    for pair in tree.pairs:
        key = pair.key
        before = look.known.get(key)
        if before is None:
            known[key] = first_guess(pair.stock.jobs, tree.now)
            continue
        copy = copy_of(look.paced.get(key), look.held.get(key[1]))
        known[key] = moved_on(before, came.get(key, ()), copy, calendars[key[1]], tree.now)
    return known, calendars, Calendar(shapes[0], tree.zone)


def _keep(tx: Tx, look: Look, known: Mapping[Key, Known], outcome: Outcome) -> bool:
    """A ceiling is never below what its day has taken by now: no judge books meanwhile."""
    tree = look.tree
    if outcome.decided.ceilings:
        marks.make_fence(tx)
        marks.hold_fence(tx)
    today, client_no = tree.today.isoformat(), tree.client.no
    limits = {
        one: Limit(one.scope, one.entity, one.measure, "Daily", one.most)
        for one in outcome.decided.ceilings
        if one.day_on == today
    }
    used = ledger.used(tx, client_no, limits.values(), tree.today)
    ceilings = [
        one._replace(most=max(one.most, used[limits[one]])) if one in limits else one
        for one in outcome.decided.ceilings
    ]
    decided = outcome.decided._replace(ceilings=ceilings)
    follows = standing.replace(tx, client_no, look.was, tree.now, today, decided)
    if look.came:
        lets = {
            key: copy_of(one, look.held.get(key[1])).clicks_ppm for key, one in look.paced.items()
        }
        traffic.take(tx, client_no, look.came)
        rows.put_shapes(tx, weeks_with(look.weeks, look.came.items(), lets, tree.zone).items())
        rows.add_days(tx, client_no, days_with(look.came.items(), lets, tree.zone))
    rows.put_demand(tx, client_no, _moved(look, known, outcome).items())
    targets.keep(tx, client_no, look.aims, outcome.aimed)
    rows.log(tx, client_no, tree.now, outcome.lines)
    rows.note_shown(tx, outcome.shown)
    return follows


def _moved(look: Look, known: Mapping[Key, Known], outcome: Outcome) -> dict[Key, Known]:
    """Of which pairs anything is to be noted: while a copy stays and nothing comes, the time goes
    on by itself.
    """
    changed = {quarter[:2] for quarter in look.came}
    changed |= {key for key, one in outcome.decided.paced.items() if look.paced.get(key) != one}
    today, zone = look.tree.today, look.tree.zone
    return {
        key: one
        for key, one in known.items()
        if key in changed or key not in look.known or day_of(look.known[key].seen_at, zone) != today
    }
