"""One tick of one client: sees what was used, and decides anew what is in force."""

from collections.abc import Mapping, Sequence
from typing import Final

from handbill.control import cap_rows, rows, targets, week_rows
from handbill.control.deciding import Decisions, decide
from handbill.control.learning import copy_of, days_with, first_guess, moved_on
from handbill.control.noting import missed_since
from handbill.control.rows import KnownDemand, PairDay
from handbill.control.seeing import TickView, look_at
from handbill.control.weeks import Calendar, calendars_of, closed, closed_before, quarters_with
from handbill.core.charging import Limit
from handbill.core.in_force import Key
from handbill.core.nouns import Client
from handbill.kit.instants import Instant
from handbill.kit.money import PPM
from handbill.kit.zones import day_of
from handbill.ledger import service as ledger
from handbill.ledger import traffic
from handbill.ledger.traffic import Quarter, SeenTraffic
from handbill.standing import service as standing
from handbill.standing.service import Decided
from handbill.store import marks
from handbill.store.records import Records, Tx

_NOTHING: Final = Decided({}, {}, ())


def tick(
    records: Records, client: Client, now: Instant, ceiling_ppm: int, *, anew: bool = False
) -> bool:
    """Decide what is in force for a live client from now on; whether its listings must follow.

    ``anew``: replace also decisions that publishers have not fetched yet. A clock that was set back
    is waited for. **Refuses** (Unavailable) where another worker did the same meanwhile: then
    nothing is stored.
    """
    with records.read() as tx:
        look = look_at(tx, client, now)
    if now < look.former.was.evaluated_at:
        return False
    known, calendars = _learned(look)
    outcome = decide(look, known, calendars, ceiling_ppm, anew=anew)
    with records.write() as tx:
        return _keep(tx, look, known, calendars, outcome)


def forget(records: Records, client: Client, now: Instant) -> None:
    """End everything in force for a client that was deleted."""
    with records.write() as tx:
        former = standing.former_of(tx, client.no)
        if former.was.number and now >= former.was.evaluated_at:
            standing.replace(tx, client.no, former, now, former.was.day_on, _NOTHING)
            cap_rows.replace_notes(tx, client.no, cap_rows.notes_of(tx, client.no), {})


def learn_weeks(records: Records, now: Instant) -> None:
    """Add the days that are over everywhere to what is known of publishers' weeks."""
    before = closed_before(now).isoformat()
    with records.read() as tx:
        nos = week_rows.publishers_with(tx, before)

    def learn(tx: Tx, some: list[int]) -> None:
        came = week_rows.take(tx, some, before)
        known = week_rows.weeks_of(tx, some)
        week_rows.put_weeks(tx, [(no, closed(known.get(no), one)) for no, one in came.items()])

    records.in_parts(nos, learn)


def _learned(look: TickView) -> tuple[dict[Key, KnownDemand], Mapping[int, Calendar]]:
    """What is known of each pair now, and when traffic comes, by publisher and altogether."""
    tree = look.tree
    nos = {pair.place.publisher_no for pair in (*tree.pairs, *tree.gone)}
    calendars = calendars_of(look.weeks, nos, tree.zone)
    came: dict[Key, list[tuple[Quarter, SeenTraffic]]] = {}
    for quarter, one in look.came.items():
        came.setdefault(quarter[:2], []).append((quarter, one))
    known = {}
    for pair in (*tree.pairs, *tree.gone):
        key = pair.key
        before = look.known.get(key)
        if before is None:
            known[key] = first_guess(pair.stock.jobs, tree.now)
            continue
        copy = copy_of(look.former.paced.get(key), look.held.get(key[1]))
        known[key] = moved_on(before, came.get(key, ()), copy, calendars[key[1]], tree.now)
    return known, calendars


def _keep(
    tx: Tx,
    look: TickView,
    known: Mapping[Key, KnownDemand],
    calendars: Mapping[int, Calendar],
    outcome: Decisions,
) -> bool:
    """Store the outcome. No ceiling is below today's use, unless that is more than any cap: the
    judge books nothing meanwhile.
    """
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
        one._replace(most=min(max(one.most, used[limits[one]]), cap_rows.MOST_WHOLE))
        if one in limits
        else one
        for one in outcome.decided.ceilings
    ]
    decided = outcome.decided._replace(ceilings=ceilings)
    follows = standing.replace(tx, client_no, look.former, tree.now, today, decided)
    if look.came:
        lets = {
            key: copy_of(one, look.held.get(key[1])).weight_ppm
            for key, one in look.former.paced.items()
        }
        traffic.take(tx, client_no, look.came)
        week_rows.add(tx, quarters_with(look.came.items(), lets, tree.zone))
        rows.add_days(tx, client_no, days_with(look.came.items(), tree.zone))
    missed = _missed(look, calendars)
    moved = _moved(look, known, outcome, missed)
    rows.put_demand(tx, client_no, moved.items())
    rows.add_days(tx, client_no, [day for key in moved for day in missed.get(key, ())])
    cap_rows.replace_notes(tx, client_no, look.noted, outcome.noted)
    targets.keep(tx, client_no, look.aims, outcome.aimed)
    rows.log(tx, client_no, tree.now, outcome.lines)
    rows.note_shown(tx, outcome.shown)
    return follows


def _missed(look: TickView, calendars: Mapping[int, Calendar]) -> dict[Key, list[PairDay]]:
    """The clicks that caps kept away from each pair since the last look."""
    missed = {}
    for key, before in look.known.items():
        paced, held = look.former.paced.get(key), look.held.get(key[1])
        week = calendars.get(key[1])
        if paced and not paced.is_ended and held is not None and week is not None:
            missed[key] = list(missed_since(before, paced, held, week, look.tree.now))
    return missed


def _moved(
    look: TickView,
    known: Mapping[Key, KnownDemand],
    outcome: Decisions,
    missed: Mapping[Key, Sequence[PairDay]],
) -> dict[Key, KnownDemand]:
    """The pairs with something to store: while the copy stays and nothing comes, only time passes,
    which can be computed later.
    """
    before, after = look.former.paced, outcome.decided.paced
    changed = {quarter[:2] for quarter in look.came}
    changed |= {key for key, days in missed.items() if sum(one.missed for one in days) >= PPM}
    changed |= {key for key in before.keys() | after.keys() if before.get(key) != after.get(key)}
    today, zone = look.tree.today, look.tree.zone
    return {
        key: one
        for key, one in known.items()
        if key in changed or key not in look.known or day_of(look.known[key].seen_at, zone) != today
    }
